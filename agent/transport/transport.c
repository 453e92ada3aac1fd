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

int
transport_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e)
{
	const struct transport_protocol *p = find(c, e);

	if (p == NULL)
		return -1;
	if (p->revoke == NULL) {
		burin_fail(e, BURIN_EUSAGE, "no-revocation",
		    "the protocol '%s' cannot revoke certificates", p->name);
		return burin_error_advice(
		    e, "name another one with --protocol, or ask the operator");
	}
	return p->revoke(c, cert, reason, e);
}
