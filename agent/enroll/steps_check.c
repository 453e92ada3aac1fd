/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * received -> checked: what came back is held against the key, the request
 * and the anchors before anything is written (docs/checks.md).
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <burin/request.h>
#include <burin/response.h>

#include "dialect.h"

/* --- what is there already --------------------------------------------- */

int
same_cert_in(STACK_OF(X509) * certs, X509 *cert)
{
	int i;

	for (i = 0; i < sk_X509_num(certs); i++)
		if (X509_cmp(sk_X509_value(certs, i), cert) == 0)
			return 1;
	return 0;
}

int
refuse_present(const struct burin_id_use *use, X509 *cert, int replace,
    const struct burin_key *k, struct burin_error *e)
{
	const char *name = burin_token_name(burin_key_token(k));
	int n = sk_X509_num(use->certs);

	if (use->id_taken) {
		burin_fail(e, BURIN_EREFUSED, "id-taken",
		    "another key on the token has the same CKA_ID");
		burin_error_token(e, "%s", name);
		burin_error_rule(e, "PKCS#11 2.40 section 4.8, CKA_ID");
		return burin_error_advice(e,
		    "nobody could tell whose the certificate is; give one of "
		    "the keys another CKA_ID");
	}
	if (replace || n == 0 ||
	    (n == 1 && cert != NULL && same_cert_in(use->certs, cert)))
		return 0;
	burin_fail(e, BURIN_EREFUSED, "certificate-present",
	    "the key has a certificate on the token already");
	burin_error_token(e, "%s", name);
	return burin_error_advice(e, "add --replace to put it out of use");
}

int
walk_present(struct walk *w, struct burin_error *e)
{
	struct burin_id_use use = { 0, NULL };

	if (w->present != NULL)
		return 0;
	if (burin_key_id_use(w->r->key, &use, e) != 0)
		return -1;
	w->present = use.certs;
	return refuse_present(&use, w->r->cert, w->plan.replace, w->r->key, e);
}

/* A key that this very process made has an unused CKA_ID: keygen saw to it. */
static int
check_id(struct walk *w, X509 *cert, struct burin_error *e)
{
	unsigned char *der = NULL;
	X509 *old;
	int len, rc;

	if (w->key_fresh)
		return 0;
	if (walk_present(w, e) != 0)
		return -1;
	/* Noted even if it is the same one: then it is not ours to remove. */
	old = same_cert_in(w->present, cert)
	    ? cert
	    : burin_certs_for_key(w->present, burin_key_public(w->r->key));
	if (old == NULL)
		return 0;
	if ((len = i2d_X509(old, &der)) <= 0)
		return burin_fail_memory(e);
	rc = blob_set(&w->job->cert_replaced, der, (size_t)len, e);
	OPENSSL_free(der);
	return rc;
}

/* --- the checks -------------------------------------------------------- */

/* What one round of checks needs. */
struct round {
	STACK_OF(X509) * bag, *anchors;
	struct burin_asked asked;
	X509 *cert; /* in bag */
};

static int
run_checks(struct walk *w, struct round *c, struct burin_error *e)
{
	struct burin_check_input in;
	struct engine_report *r = w->r;

	memset(&in, 0, sizeof(in));
	in.cert = c->cert;
	in.pub = burin_key_public(r->key);
	in.bag = c->bag;
	in.anchors = c->anchors;
	in.now = time(NULL);
	in.skew = CHECK_SKEW;
	in.asked = &c->asked;
	in.key_usage = burin_key_usage(r->key);
	in.key_id = w->job->key_id.data;
	in.key_id_len = w->job->key_id.len;
	sk_X509_pop_free(r->chain, X509_free);
	r->chain = NULL;
	return burin_check_cert(&in, &r->checks, &r->chain, e);
}

static int
only_path_failed(const struct burin_checks *c)
{
	size_t i;
	int path = 0;

	for (i = 0; i < c->n; i++) {
		if (c->list[i].level != BURIN_FAIL)
			continue;
		if (strcmp(c->list[i].id, "G2") != 0)
			return 0;
		path = 1;
	}
	return path;
}

/*
 * simpleenroll answers with the one certificate (RFC 7030 section 4.2.3);
 * intermediates come with cacerts. Only a failing line is worth waiting for:
 * any other failure leaves the verdict as it is.
 */
static int
fetch_path(struct walk *w, struct round *c, struct burin_error *e)
{
	struct transport_reply reply = { .len = 0 };
	struct burin_error why = BURIN_ERROR_INIT;
	STACK_OF(X509) *more = NULL;
	struct transport_config tc;
	int rc = -1;

	if (walk_transport(w, &tc, e) != 0)
		goto out;
	if (transport_cacerts(&tc, &reply, &why) != 0 ||
	    burin_certs_parse(
		reply.body, reply.len, BURIN_ECHECK, &more, &why) != 0) {
		if (why.status == BURIN_EINTERRUPTED)
			*e = why;
		else
			rc = 0;
		goto out;
	}
	while (sk_X509_num(more) > 0)
		if (sk_X509_push(c->bag, sk_X509_value(more, 0)) > 0)
			(void)sk_X509_shift(more);
		else {
			burin_fail_memory(e);
			goto out;
		}
	rc = run_checks(w, c, e);
out:
	sk_X509_pop_free(more, X509_free);
	transport_reply_clear(&reply);
	walk_transport_clear(&tc);
	return rc;
}

/*
 * None is ours: then it is said of the one that was meant for us, which is
 * no authority's.
 */
static X509 *
not_ours(STACK_OF(X509) * bag)
{
	int i;

	for (i = 0; i < sk_X509_num(bag); i++)
		if (X509_check_ca(sk_X509_value(bag, i)) == 0)
			return sk_X509_value(bag, i);
	return sk_X509_value(bag, 0);
}

static int
open_round(
    struct walk *w, struct round *c, enum answer *answer, struct burin_error *e)
{
	const struct job *job = w->job;

	if (walk_dialect(w)->answer(w, &c->bag, answer, e) != 0)
		return -1;
	if (*answer != ANSWER_CERTS)
		return 0;
	if (w->plan.trust == NULL)
		return burin_fail(e, BURIN_ECHECK, "trust-missing",
		    "the answer brought no trust anchor for job %s", job->id);
	if (walk_anchors(w, 0, &c->anchors, e) != 0 ||
	    burin_asked_parse(job->request.data, job->request.len,
		burin_key_public(w->r->key), BURIN_EINTERNAL, &c->asked,
		e) != 0)
		return -1;
	c->cert = burin_certs_for_key(c->bag, burin_key_public(w->r->key));
	if (c->cert == NULL)
		c->cert = not_ours(c->bag);
	if (c->cert == NULL)
		return burin_fail(e, BURIN_ECHECK, "no-certificate",
		    "there is no certificate in the answer");
	return 0;
}

static void
close_round(struct round *c)
{
	sk_X509_pop_free(c->bag, X509_free);
	sk_X509_pop_free(c->anchors, X509_free);
	burin_asked_clear(&c->asked);
}

static int
keep_checked(struct walk *w, X509 *cert, struct burin_error *e)
{
	unsigned char *der = NULL;
	size_t chain_len;
	int len, rc;

	if ((len = i2d_X509(cert, &der)) <= 0)
		return burin_fail_memory(e);
	rc = blob_set(&w->job->certificate, der, (size_t)len, e);
	OPENSSL_free(der);
	if (rc != 0)
		return -1;
	der = NULL;
	if (burin_certs_only_make(w->r->chain, &der, &chain_len, e) != 0)
		return -1;
	rc = blob_set(&w->job->chain, der, chain_len, e);
	OPENSSL_free(der);
	if (rc != 0)
		return -1;
	if (!X509_up_ref(cert))
		return burin_fail_memory(e);
	X509_free(w->r->cert);
	w->r->cert = cert;
	return 0;
}

static int
check_round(struct walk *w, struct round *c, struct burin_error *e)
{
	if (run_checks(w, c, e) != 0 ||
	    (only_path_failed(&w->r->checks) && fetch_path(w, c, e) != 0))
		return -1;
	if (burin_checks_verdict(&w->r->checks, BURIN_ECHECK, e) != 0) {
		if (w->job->confirm == CONFIRM_WANTED &&
		    walk_dialect(w)->reject != NULL)
			walk_dialect(w)->reject(w, c->cert);
		return -1;
	}
	return check_id(w, c->cert, e) != 0 ? -1 : keep_checked(w, c->cert, e);
}

int
step_check(struct walk *w, enum job_state *next, struct burin_error *e)
{
	struct round c = { .bag = NULL };
	enum answer answer = ANSWER_CERTS;
	int rc = -1;

	if (walk_key(w, e) != 0 || open_round(w, &c, &answer, e) != 0)
		goto out;
	if (answer != ANSWER_CERTS) {
		*next = answer == ANSWER_LATER ? JOB_PENDING : JOB_REQUESTED;
		rc = 0;
		goto out;
	}
	if (check_round(w, &c, e) != 0)
		goto out;
	(void)snprintf(w->text, sizeof(w->text),
	    "certificate passed %zu checks", w->r->checks.n);
	*next = JOB_CHECKED;
	rc = 0;
out:
	close_round(&c);
	return rc;
}
