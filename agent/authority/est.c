/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * EST (RFC 7030 with the corrections of RFC 8951, RFC 9908): cacerts,
 * csrattrs, simpleenroll, simplereenroll. The optional label of the path is
 * the name of a profile.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burin/csrattrs.h>
#include <burin/request.h>

#include "../enroll/profile_dir.h"
#include "http.h"

void
serve_cacerts(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;

	answer_cert(k, k->s->a->ca.cert, &e);
}

/* The profile: as it was agreed, else the label, else the default. */
static const char *
choose_profile(struct call *k, const char *bound)
{
	const char *label = k->x->label[0] != '\0' ? k->x->label : NULL;

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
		    "name a profile in the path: " EST_BASE
		    "PROFILE/simpleenroll");
	return k->s->a->cnf.profile;
}

/* What requests under a profile should have: RFC 7030 section 4.5. */
void
serve_csrattrs(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_profile *profile = NULL;
	const char *name = choose_profile(k, NULL);
	unsigned char *der = NULL;
	char *text = NULL;
	size_t len, der_len;

	if (name == NULL)
		return;
	if (profile_load_from(k->s->a->profiles, name, &text, &len, &e) == 0 &&
	    burin_profile_parse(text, len, &profile, &e) == 0 &&
	    burin_csrattrs_make(profile, k->s->a->cnf.link != LINK_NO, &der,
		&der_len, &e) == 0) {
		answer_body(
		    k, MHD_HTTP_OK, "application/csrattrs", der, der_len);
	} else {
		e.status = BURIN_EINTERNAL; /* our file, not the request */
		answer_error(k->r, &e);
	}
	burin_profile_free(&profile);
	free(text);
}

/*
 * The request is linked to its session, as far as it has to be. Then sha256
 * is what it is known by: who was told to come back links it to another one.
 */
static int
check_link(struct call *k, struct issue_input *in,
    unsigned char sha256[CA_SHA256], struct burin_error *e)
{
	X509_REQ *req = NULL;
	int linked, rc;

	if (burin_pkcs10_parse(k->x->body, k->x->len, BURIN_EUSAGE, &req, e) !=
	    0)
		return -1;
	if ((rc = link_check(k, req, &linked, e)) != 0) {
		(void)store_note(k->s->a->store, NULL, "proof-failed",
		    "%s of %s via %s", e->code, in->principal, in->via);
	} else if (linked) {
		rc = link_hash(req, sha256, e);
		in->request = sha256;
	}
	X509_REQ_free(req);
	return rc;
}

/* At an RA, which the CA takes at its word (RFC 7030 section 3.7). */
static int
is_linked(struct call *k, struct issue_input *in)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char sha256[CA_SHA256];

	in->via = "est";
	if (check_link(k, in, sha256, &e) == 0)
		return 1;
	answer_error(k->r, &e);
	return 0;
}

static void
answer_issue(struct call *k, struct issue_input *in)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char sha256[CA_SHA256];
	enum issue_outcome outcome;
	X509 *cert = NULL;

	(void)snprintf(k->x->who, sizeof(k->x->who), "%s", in->principal);
	in->profiles = k->s->a->profiles;
	in->manual = k->s->a->cnf.manual;
	in->now = time(NULL);
	in->cnf = &k->s->a->cnf;
	in->via = "est";
	if (check_link(k, in, sha256, &e) != 0 ||
	    issue_pkcs10(k->s->a->store, &k->s->a->ca, in, k->x->body,
		k->x->len, &outcome, &cert, &e) != 0) {
		answer_error(k->r, &e);
		/* Too many wait: until some do not. */
		if (e.status == BURIN_EAUTHORITY &&
		    k->r->status != MHD_HTTP_FORBIDDEN)
			k->r->retry_after = k->s->a->cnf.retry_after;
	} else if (outcome == ISSUE_PENDING) {
		answer_text(k->r, MHD_HTTP_ACCEPTED,
		    "the request waits for the authority's operator; send the "
		    "same request again later");
		k->r->retry_after = k->s->a->cnf.retry_after;
	} else {
		answer_cert(k, cert, &e);
	}
	X509_free(cert);
}

void
serve_enroll(struct call *k)
{
	struct issue_input in = { 0 };
	struct invite invite;
	char principal[64];

	if (!auth_invite(k->s, k->c, &invite, k->r))
		return;
	(void)snprintf(principal, sizeof(principal), "invite:%lld", invite.id);
	in.principal = principal;
	in.invite = &invite;
	if (k->s->ra != NULL) {
		if (route_body(k) && is_linked(k, &in))
			serve_passed(k, &invite, NULL);
	} else if (route_body(k) &&
	    (in.profile = choose_profile(k, invite.profile)) != NULL)
		answer_issue(k, &in);
	invite_clear(&invite);
}

void
serve_reenroll(struct call *k)
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
	if (k->s->ra != NULL) {
		if (route_body(k) && is_linked(k, &in))
			serve_passed(k, NULL, &old);
	} else if (route_body(k) &&
	    (in.profile = choose_profile(k, old.profile)) != NULL)
		answer_issue(k, &in);
	issued_clear(&old);
}
