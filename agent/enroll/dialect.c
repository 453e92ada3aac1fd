/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of dialects, and the plain one: a PKCS#10 request out,
 * certificates back (RFC 7030 section 4.2, RFC 10002 section 3.1).
 */

#include <string.h>

#include <burin/request.h>
#include <burin/response.h>

#include "dialect.h"

static int
plain_request(struct walk *w, struct burin_subject *s, struct burin_error *e)
{
	struct burin_key *k = w->r->key;
	unsigned char *der = NULL;
	EVP_PKEY *evp;
	size_t len;
	int rc;

	if ((evp = burin_key_evp(k, e)) == NULL)
		return -1;
	if (burin_pkcs10_make(
		s, burin_key_public(k), evp, NULL, &der, &len, e) != 0) {
		(void)burin_key_last_error(k, e);
		return -1;
	}
	rc = blob_set(&w->job->request, der, len, e);
	OPENSSL_free(der);
	return rc;
}

static int
plain_answer(struct walk *w, STACK_OF(X509) * *bag, enum answer *answer,
    struct burin_error *e)
{
	*answer = ANSWER_CERTS;
	return burin_certs_parse(
	    w->job->response.data, w->job->response.len, BURIN_ECHECK, bag, e);
}

static const struct dialect plain = {
	.request = plain_request,
	.answer = plain_answer,
};
/* Simple request: a Simple response, or a Full one that says why not. */
static const struct dialect simple = {
	.request = plain_request,
	.answer = cmc_answer,
};
static const struct dialect full = {
	.request = cmc_request,
	.answer = cmc_answer,
	.again = cmc_again,
	.accept = cmc_accept,
	.confirm = cmc_confirm,
	.reject = cmc_reject,
};

int
plan_speaks_cmc(const struct plan *p)
{
	if (p->format != NULL)
		return strcmp(p->format, "cmc") == 0;
	return transport_carries(p->protocol) == TRANSPORT_CMC;
}

int
plan_has_secret(const struct plan *p)
{
	return p->reenroll_key == NULL &&
	    (p->user != NULL ||
		(p->secret_source != NULL &&
		    strcmp(p->secret_source, "prompt") != 0));
}

int
plan_finds_anchors(const struct plan *p)
{
	return p->ca_fingerprint != NULL ||
	    (plan_speaks_cmc(p) && plan_has_secret(p));
}

const struct dialect *
walk_dialect(const struct walk *w)
{
	if (plan_speaks_cmc(&w->plan))
		return &full;
	return transport_carries(w->plan.protocol) == TRANSPORT_CMC ? &simple
								    : &plain;
}
