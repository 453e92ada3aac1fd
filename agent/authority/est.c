/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * EST (RFC 7030 with the corrections of RFC 8951): cacerts, simpleenroll,
 * simplereenroll. The optional label of the path is the name of a profile.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <burin/request.h>

#include "../enroll/profile_dir.h"
#include "http.h"

#define BASE "/.well-known/est/" /* RFC 7030 section 3.2.2 */
#define MAX_LABEL 64		 /* characters */

/* One request, parsed as far as the path goes. */
struct call {
	struct server *s;
	struct MHD_Connection *c;
	struct exchange *x;
	char label[MAX_LABEL + 1]; /* "" none */
	struct answer *r;
};

static void op_cacerts(struct call *);
static void op_enroll(struct call *);
static void op_reenroll(struct call *);

static const struct op {
	const char *name, *method;
	void (*run)(struct call *);
} ops[] = {
	{ "cacerts", MHD_HTTP_METHOD_GET, op_cacerts },
	{ "simpleenroll", MHD_HTTP_METHOD_POST, op_enroll },
	{ "simplereenroll", MHD_HTTP_METHOD_POST, op_reenroll },
};

static void
op_cacerts(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;

	answer_cert(k->r, k->s->a->ca.cert, &e);
}

/* "application/pkcs10", with or without parameters. */
static int
check_type(struct call *k)
{
	static const char wanted[] = "application/pkcs10";
	const char *type;
	size_t n = sizeof(wanted) - 1;

	type = MHD_lookup_connection_value(
	    k->c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	if (type != NULL && strncasecmp(type, wanted, n) == 0 &&
	    strchr("; \t", type[n]) != NULL)
		return 1;
	answer_text(k->r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
	    "the body of this operation is %s (RFC 7030 section 4.2.1)",
	    wanted);
	return 0;
}

/*
 * Base64 of DER, blanks and line ends allowed (RFC 8951 section 3.1), in
 * place. A body of DER itself, which starts with 0x30, is taken as it is:
 * base64 of DER starts with 'M'.
 */
static int
decode_body(struct exchange *x)
{
	size_t i, n = 0, pad = 0;
	int len;

	if (x->len > 0 && x->body[0] == 0x30)
		return 0;
	for (i = 0; i < x->len; i++)
		if (memchr(" \t\r\n", x->body[i], 4) == NULL)
			x->body[n++] = x->body[i];
	if (n == 0 || n % 4 != 0)
		return -1;
	while (pad < 2 && x->body[n - 1 - pad] == '=')
		pad++;
	if (memchr(x->body, '=', n - pad) != NULL)
		return -1;
	if ((len = EVP_DecodeBlock(x->body, x->body, (int)n)) < 0)
		return -1;
	x->len = (size_t)len - pad;
	return 0;
}

static int
check_body(struct call *k)
{
	if (!check_type(k))
		return 0;
	if (k->x->len == 0) {
		answer_text(k->r, MHD_HTTP_BAD_REQUEST,
		    "the request is empty (RFC 7030 section 4.2.1)");
		return 0;
	}
	if (decode_body(k->x) != 0) {
		answer_text(k->r, MHD_HTTP_BAD_REQUEST,
		    "the body is no base64 of a DER request (RFC 8951 section "
		    "3)");
		return 0;
	}
	return 1;
}

static void
answer_issue(struct call *k, struct issue_input *in)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum issue_outcome outcome;
	X509 *cert = NULL;

	(void)snprintf(k->x->who, sizeof(k->x->who), "%s", in->principal);
	in->profiles = k->s->a->profiles;
	in->manual = k->s->a->cnf.manual;
	in->now = time(NULL);
	in->cnf = &k->s->a->cnf;
	in->via = "est";
	if (issue_pkcs10(k->s->a->store, &k->s->a->ca, in, k->x->body,
		k->x->len, &outcome, &cert, &e) != 0) {
		answer_error(k->r, &e);
	} else if (outcome == ISSUE_PENDING) {
		answer_text(k->r, MHD_HTTP_ACCEPTED,
		    "the request waits for the authority's operator; send the "
		    "same request again later");
		k->r->retry_after = k->s->a->cnf.retry_after;
	} else {
		answer_cert(k->r, cert, &e);
	}
	X509_free(cert);
}

/* The profile: as the invite binds it, else the label, else the default. */
static const char *
choose_profile(struct call *k, const char *bound)
{
	const char *label = k->label[0] != '\0' ? k->label : NULL;

	if (bound != NULL && label != NULL && strcmp(bound, label) != 0) {
		answer_text(k->r, MHD_HTTP_FORBIDDEN,
		    "profile %s was agreed, not %s", bound, label);
		return NULL;
	}
	if (bound != NULL)
		return bound;
	if (label != NULL)
		return label;
	if (k->s->a->cnf.profile == NULL)
		answer_text(k->r, MHD_HTTP_BAD_REQUEST,
		    "name a profile in the path: " BASE "PROFILE/simpleenroll");
	return k->s->a->cnf.profile;
}

static void
op_enroll(struct call *k)
{
	struct issue_input in = { 0 };
	struct invite invite;
	char principal[64];

	if (!auth_invite(k->s, k->c, &invite, k->r))
		return;
	(void)snprintf(principal, sizeof(principal), "invite:%lld", invite.id);
	in.principal = principal;
	in.invite = &invite;
	if (check_body(k) &&
	    (in.profile = choose_profile(k, invite.profile)) != NULL)
		answer_issue(k, &in);
	invite_clear(&invite);
}

static void
op_reenroll(struct call *k)
{
	struct issue_input in = { 0 };
	struct issued old;
	char principal[64];

	if (!auth_cert(k->s, k->c, &old, k->r))
		return;
	(void)snprintf(
	    principal, sizeof(principal), "certificate:%s", old.serial);
	in.principal = principal;
	in.renews = old.cert;
	if (check_body(k) &&
	    (in.profile = choose_profile(k, old.profile)) != NULL)
		answer_issue(k, &in);
	issued_clear(&old);
}

static const struct op *
find_op(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	return NULL;
}

/* BASE [LABEL /] OPERATION; a label is never the name of an operation. */
static const struct op *
route(struct call *k, const char *url)
{
	const char *path, *slash;
	size_t n;

	if (strncmp(url, BASE, sizeof(BASE) - 1) != 0)
		return NULL;
	path = url + sizeof(BASE) - 1;
	if ((slash = strchr(path, '/')) == NULL)
		return find_op(path);
	if ((n = (size_t)(slash - path)) > MAX_LABEL)
		return NULL;
	memcpy(k->label, path, n);
	k->label[n] = '\0';
	if (!profile_name_ok(k->label) || find_op(k->label) != NULL)
		return NULL;
	return find_op(slash + 1);
}

void
est_answer(struct server *s, struct MHD_Connection *c, const char *method,
    const char *url, struct exchange *x, struct answer *r)
{
	struct call k = { .s = s, .c = c, .x = x, .r = r };
	const struct op *op;

	if ((op = route(&k, url)) == NULL) {
		answer_text(r, MHD_HTTP_NOT_FOUND,
		    "nothing is here; EST is under " BASE
		    " with cacerts, simpleenroll and simplereenroll");
	} else if (strcmp(method, op->method) != 0) {
		answer_text(r, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is a %s",
		    op->name, op->method);
		r->allow = op->method;
	} else if (x->seen > HTTP_MAX_BODY) {
		answer_text(r, MHD_HTTP_CONTENT_TOO_LARGE,
		    "the request is longer than %d bytes", HTTP_MAX_BODY);
	} else {
		op->run(&k);
	}
}
