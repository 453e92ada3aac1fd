/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of protocols.
 */

#include <stdlib.h>
#include <string.h>

#include "protocol.h"

static const struct transport_protocol *const protocols[] = {
	&transport_est, /* the default */
	&transport_file,
	&transport_cmc,
	&transport_est_cmc,
	&transport_cmp,
};
#define N_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static const struct transport_protocol *
find(const struct transport_config *c, struct burin_error *e)
{
	char names[128] = "";
	size_t i, n = 0;

	if (c->protocol == NULL)
		return protocols[0];
	for (i = 0; i < N_PROTOCOLS; i++) {
		if (strcmp(c->protocol, protocols[i]->name) == 0)
			return protocols[i];
		if (n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n,
			    "%s%s", n > 0 ? ", " : "", protocols[i]->name);
	}
	burin_fail(e, BURIN_EUSAGE, "protocol-unknown",
	    "'%s' is not a protocol", c->protocol);
	burin_error_advice(e, "--protocol takes %s", names);
	return NULL;
}

enum transport_kind
transport_carries(const char *protocol)
{
	struct transport_config c = { .protocol = protocol };
	const struct transport_protocol *p = find(&c, NULL);

	return p != NULL ? p->carries : TRANSPORT_NOTHING;
}

void
transport_reply_clear(struct transport_reply *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}

int
transport_check(const struct transport_config *c, struct burin_error *e)
{
	const struct transport_protocol *p = find(c, e);

	if (p == NULL)
		return -1;
	if (c->command != NULL && !p->takes_command)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "the protocol '%s' has one way to ask: no '%s'", p->name,
		    c->command);
	return p->check(c, e);
}

int
transport_needs_key(const struct transport_config *c, int reenroll)
{
	const struct transport_protocol *p = find(c, NULL);

	return p != NULL && p->needs_key != NULL && p->needs_key(c, reenroll);
}

int
transport_keeps_names(const char *protocol)
{
	struct transport_config c = { .protocol = protocol };
	const struct transport_protocol *p = find(&c, NULL);

	return p != NULL && p->keeps_names;
}

int
transport_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	const struct transport_protocol *p = find(c, e);

	memset(reply, 0, sizeof(*reply));
	return p != NULL ? p->submit(c, request, len, reenroll, reply, e) : -1;
}

int
transport_cacerts(const struct transport_config *c,
    struct transport_reply *reply, struct burin_error *e)
{
	const struct transport_protocol *p = find(c, e);

	memset(reply, 0, sizeof(*reply));
	if (p == NULL)
		return -1;
	if (p->cacerts == NULL) {
		burin_fail(e, BURIN_EUSAGE, "no-ca-certificates",
		    "the protocol '%s' cannot fetch CA certificates", p->name);
		return burin_error_advice(e, "give them with --trust FILE");
	}
	return p->cacerts(c, reply, e);
}

/* --- services beside enrolment ------------------------------------------- */

static const struct {
	const char *code, *cannot;
} services[] = {
	[TRANSPORT_REVOCATION] = { "no-revocation", "revoke certificates" },
	[TRANSPORT_RETRIEVAL] = { "no-retrieval",
	    "look up certificates and revocation lists" },
	[TRANSPORT_PUBLICATION] = { "no-publication", "publish certificates" },
};

static int
offers(const struct transport_protocol *p, enum transport_service s)
{
	switch (s) {
	case TRANSPORT_REVOCATION:
		return p->revoke != NULL;
	case TRANSPORT_RETRIEVAL:
		return p->fetch != NULL;
	case TRANSPORT_PUBLICATION:
		break;
	}
	return p->publish != NULL;
}

int
transport_offers(const struct transport_config *c, enum transport_service s,
    struct burin_error *e)
{
	const struct transport_protocol *p = find(c, e);

	if (p == NULL)
		return -1;
	if (offers(p, s))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, services[s].code,
	    "the protocol '%s' cannot %s", p->name, services[s].cannot);
	return burin_error_advice(
	    e, "name another one with --protocol, or ask the operator");
}

int
transport_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e)
{
	if (transport_offers(c, TRANSPORT_REVOCATION, e) != 0)
		return -1;
	return find(c, e)->revoke(c, cert, reason, e);
}

void
transport_found_clear(struct transport_found *f)
{
	sk_X509_pop_free(f->certs, X509_free);
	sk_X509_CRL_pop_free(f->crls, X509_CRL_free);
	memset(f, 0, sizeof(*f));
}

int
transport_fetch(const struct transport_config *c,
    const struct transport_wanted *wanted, struct transport_found *found,
    struct burin_error *e)
{
	memset(found, 0, sizeof(*found));
	if (transport_offers(c, TRANSPORT_RETRIEVAL, e) != 0)
		return -1;
	return find(c, e)->fetch(c, wanted, found, e);
}

int
transport_publish(const struct transport_config *c,
    const struct transport_publication *what, struct burin_error *e)
{
	if (transport_offers(c, TRANSPORT_PUBLICATION, e) != 0)
		return -1;
	return find(c, e)->publish(c, what, e);
}
