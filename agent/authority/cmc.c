/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One message and its answer: heard, found out who speaks, done, answered.
 * Whatever goes wrong on the way is a status in the answer.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmc_work.h"

#define ANCHORS_ROUNDS 10000 /* an invite's secret is 128 random bits */

/* --- what is done -------------------------------------------------------- */

static int
hear(struct cmc_work *w, struct burin_error *e)
{
	struct burin_cms_recipient us = { .cert = w->s->pop_cert };
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	struct burin_cmc_listen l = { 0 };

	l.key = w->s->pop_key;
	l.pub = X509_get0_pubkey(w->s->pop_cert);
	l.us = &us;
	l.final = w->s->ra == NULL;
	l.depth = w->depth;
	l.processed = ids;
	l.n_processed = cmc_processed(w, ids);
	return burin_cmc_hear(w->t->data, w->t->len, &l, &w->h, &w->why, e);
}

/* Encrypted, and not to us: only an RA has somebody to pass it on to. */
static int
is_for_others(struct cmc_work *w, struct burin_error *e)
{
	if (w->s->ra == NULL || strcmp(e->code, "recipient-missing") != 0)
		return 0;
	burin_error_clear(e);
	memset(&w->why, 0, sizeof(w->why));
	return 1;
}

static int
act(struct cmc_work *w, struct burin_error *e)
{
	if (hear(w, e) != 0)
		return is_for_others(w, e) ? cmc_pass_on(w, e) : -1;
	if (cmc_nonce_check(w, e) != 0 || cmc_who(w, e) != 0 ||
	    cmc_may_state(w, e) != 0 || cmc_note_info(w, e) != 0)
		return -1;
	if (w->s->ra != NULL)
		return cmc_pass_on(w, e);
	if (cmc_controls(w, e) != 0 || cmc_poll(w, e) != 0 ||
	    cmc_insides(w, e) != 0)
		return -1;
	return cmc_requests(w, e);
}

/* --- the answer ---------------------------------------------------------- */

/* Certificates and lists alone: a Simple response says it all. */
static int
is_simple(const struct cmc_work *w)
{
	const struct burin_cmc_heard *h = &w->h;

	if (w->n_states > 0 && w->status != BURIN_CMC_SUCCESS)
		return 0;
	/* Of an RA: a Full response would be its own, and not believed. */
	if (w->only_certs)
		return 1;
	/* Section 6.4: it has to come back, which takes a Full response. */
	if (h->data_return.len > 0)
		return 0;
	if (h->simple)
		return 1;
	return h->n_certs + h->n_crls > 0 && h->n_items == 0 &&
	    h->n_revokes == 0 && h->n_publishes == 0 &&
	    h->confirm.serial == NULL && h->pend_token.len == 0 &&
	    h->n_inside == 0 && h->n_said == 0;
}

static int
make_simple(
    const struct cmc_work *w, struct cmc_reply *out, struct burin_error *e)
{
	struct burin_cms_signer nobody = {
		.by = BURIN_CMS_BY_NOBODY, .certs = w->certs, .crls = w->crls
	};

	return burin_cms_sign(
	    &nobody, "1.2.840.113549.1.7.1", NULL, 0, &out->der, &out->len, e);
}

static struct burin_cmc_state_of *
list_states(const struct cmc_work *w)
{
	struct burin_cmc_state_of *list;
	size_t i;

	if ((list = calloc(w->n_states + 1, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; i < w->n_states; i++) {
		const struct cmc_told *s = &w->states[i];

		list[i].status = s->status;
		list[i].fail = s->fail;
		list[i].parts = s->parts;
		list[i].n = s->n;
		list[i].text = s->text;
		if (s->token.len == 0)
			continue;
		list[i].pend_token = &s->token;
		list[i].pend_time = w->t->now + (time_t)w->s->cnf->retry_after;
	}
	if (w->n_states == 0)
		list[0].fail = BURIN_CMC_FAIL_NONE; /* success of it all */
	return list;
}

/* The CA's certificate goes with the answer, so that a chain is there. */
static int
add_ca(struct cmc_work *w, struct burin_error *e)
{
	return X509_add_cert(w->certs, w->s->ca->cert, X509_ADD_FLAG_UP_REF)
	    ? 0
	    : burin_fail_memory(e);
}

/*
 * Who enrols may have no anchor yet (section 6.16), whatever is answered but a
 * refusal; a challenge is none.
 */
static const struct burin_cmc_publication *
publish(const struct cmc_work *w, struct burin_cmc_identity *id,
    struct burin_cmc_publication *out)
{
	int refused = w->fail != BURIN_CMC_FAIL_NONE && w->n_challenges == 0;

	if (w->s->anchors == NULL || refused ||
	    (w->h.n_items == 0 && w->h.pend_token.len == 0))
		return NULL;
	memset(out, 0, sizeof(*out));
	out->number = (long)w->s->anchors->number;
	out->anchors = w->s->anchors->certs;
	if (w->secret != NULL) {
		id->identification = w->h.identification;
		id->secret = w->secret;
		out->identity = id;
		out->rounds = ANCHORS_ROUNDS;
	}
	return out;
}

static int
make_full(struct cmc_work *w, struct cmc_reply *out, struct burin_error *e)
{
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_CERT,
		.key = w->s->key,
		.pub = X509_get0_pubkey(w->s->cert),
		.cert = w->s->cert,
		.signing_time = w->t->now,
		.certs = w->certs,
		.crls = w->crls };
	struct burin_cmc_publication pub;
	struct burin_cmc_identity id = { 0 };
	struct burin_cmc_state_of *states;
	struct burin_cmc_answer a = { 0 };
	unsigned char nonce[CMC_NONCE];
	X509 *confirm[BURIN_CMC_MAX_PARTS];
	int i, rc = -1;

	if ((states = list_states(w)) == NULL)
		return burin_fail_memory(e);
	if (add_ca(w, e) != 0 || cmc_nonce_make(w, nonce, e) != 0)
		goto out;
	for (i = 0; i < sk_X509_num(w->confirm); i++)
		confirm[i] = sk_X509_value(w->confirm, i);
	a.to = &w->h;
	a.nonce = nonce;
	a.nonce_len = sizeof(nonce);
	a.states = states;
	a.n_states = w->n_states > 0 ? w->n_states : 1;
	a.challenges = w->challenges;
	a.n_challenges = w->n_challenges;
	a.confirm = confirm;
	a.n_confirm = (size_t)i;
	a.inside = w->inside;
	a.inside_ids = w->inside_ids;
	a.n_inside = w->n_inside;
	a.batch = w->n_inside > 0;
	a.publication = publish(w, &id, &pub);
	a.signer = &signer;
	out->full = 1;
	rc = burin_cmc_answer_make(&a, &out->der, &out->len, e);
out:
	free(states);
	return rc;
}

static void
describe(const struct cmc_work *w, struct cmc_reply *out)
{
	const char *word = w->fail == BURIN_CMC_FAIL_NONE
	    ? burin_cmc_status_name(w->status)
	    : burin_cmc_fail_name(w->fail);
	size_t i;

	out->status = w->status;
	out->fail = w->fail;
	(void)snprintf(out->who, sizeof(out->who), "%.*s",
	    (int)sizeof(out->who) - 1, w->principal);
	if (w->trouble[0] != '\0') {
		(void)snprintf(out->said, sizeof(out->said), "%.*s",
		    (int)sizeof(out->said) - 1, w->trouble);
		return;
	}
	for (i = 0; i < w->n_states; i++) {
		if (w->states[i].status != w->status ||
		    w->states[i].text == NULL)
			continue;
		(void)snprintf(out->said, sizeof(out->said), "%s: %.*s", word,
		    BURIN_ERROR_TEXT - 64, w->states[i].text);
		return;
	}
}

static int
give_passed(struct cmc_work *w, struct cmc_reply *out)
{
	out->der = w->passed;
	out->len = w->passed_len;
	out->full = w->passed_full;
	w->passed = NULL;
	return 0;
}

int
cmc_work_do(struct cmc_work *w, struct burin_error *e)
{
	w->fail = BURIN_CMC_FAIL_NONE;
	w->certs = sk_X509_new_null();
	w->crls = sk_X509_CRL_new_null();
	w->confirm = sk_X509_new_null();
	if (w->certs == NULL || w->crls == NULL || w->confirm == NULL)
		return burin_fail_memory(e);
	if (act(w, e) != 0 && (w->later || cmc_deny(w, NULL, 0, NULL, e) != 0))
		return -1;
	return 0;
}

int
cmc_work_run(struct cmc_work *w, struct cmc_reply *out, struct burin_error *e)
{
	if (cmc_work_do(w, e) != 0)
		return -1;
	describe(w, out);
	if (w->passed != NULL)
		return give_passed(w, out);
	return is_simple(w) ? make_simple(w, out, e) : make_full(w, out, e);
}

static void
free_bytes(struct burin_cmc_bytes *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		OPENSSL_free((void *)(uintptr_t)list[i].der);
	free(list);
}

void
cmc_work_clear(struct cmc_work *w)
{
	size_t i;

	for (i = 0; i < w->n_states; i++) {
		free(w->states[i].parts);
		free(w->states[i].text);
	}
	free(w->states);
	OPENSSL_free(w->passed);
	free_bytes(w->challenges, w->n_challenges);
	free_bytes(w->inside, w->n_inside);
	sk_X509_pop_free(w->certs, X509_free);
	sk_X509_pop_free(w->confirm, X509_free);
	sk_X509_CRL_pop_free(w->crls, X509_CRL_free);
	issued_clear(&w->cert);
	invite_clear(&w->invite);
	burin_secret_free(&w->secret);
	burin_cmc_heard_clear(&w->h);
	memset(w, 0, sizeof(*w));
}

int
cmc_serve(const struct cmc_server *s, const struct cmc_turn *t,
    struct cmc_reply *out, struct burin_error *e)
{
	struct cmc_work w = { .s = s, .t = t };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = cmc_work_run(&w, out, e);
	cmc_work_clear(&w);
	return rc;
}

void
cmc_reply_clear(struct cmc_reply *r)
{
	OPENSSL_free(r->der);
	memset(r, 0, sizeof(*r));
}
