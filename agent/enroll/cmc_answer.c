/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An enrolment in CMC (RFC 10002): what comes back. Certificates, a time to
 * come back, a challenge to be decrypted on the token, a wish to be told that
 * the certificate is taken.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmc_voice.h"
#include "dialect.h"

#define CMC_RETRY_SECONDS 60 /* pending without a time */

/* What an answer is held against, and what of it is to be freed. */
struct listening {
	struct cmc_voice voice;
	struct burin_cms_recipient us;
	struct burin_cmc_expect x;
	STACK_OF(X509) * anchors;
};

/* The message that is being answered. */
static const struct blob *
sent(const struct job *job)
{
	return job->message.len > 0 ? &job->message : &job->request;
}

static int
listen_open(struct walk *w, struct listening *l, struct burin_error *e)
{
	unsigned use;

	memset(l, 0, sizeof(*l));
	if (cmc_voice_open(w, NULL, &l->voice, e) != 0 ||
	    walk_anchors(w, 0, &l->anchors, e) != 0)
		return -1;
	l->x.status = BURIN_ECHECK;
	if (w->job->transaction_id.len > 0)
		l->x.thread = &l->voice.thread;
	l->x.request = sent(w->job)->data;
	l->x.request_len = sent(w->job)->len;
	l->x.anchors = l->anchors;
	l->x.now = time(NULL);
	l->x.skew = CHECK_SKEW;
	l->x.identity = l->voice.speaks_for;
	l->x.legacy = w->plan.legacy;
	l->x.simple = 1;
	use = burin_key_usage(w->r->key);
	if ((use & (BURIN_USE_DECRYPT | BURIN_USE_DERIVE)) != 0) {
		l->us.key_id = l->voice.key_id;
		l->us.key_id_len = sizeof(l->voice.key_id);
		l->us.pub = burin_key_public(w->r->key);
		l->x.us = &l->us;
		l->x.pub = l->us.pub;
		if ((l->x.key = burin_key_evp(w->r->key, e)) == NULL)
			return -1;
	}
	return journal_anchors_seen(
	    w->en->journal, w->job->server, w->job->id, &l->x.anchors_seen, e);
}

static void
listen_close(struct listening *l)
{
	sk_X509_pop_free(l->anchors, X509_free);
	l->anchors = NULL;
}

static int
hear(struct walk *w, struct listening *l, const void *data, size_t len,
    struct burin_cmc_reply *r, struct burin_error *e)
{
	if (burin_cmc_read(data, len, &l->x, r, e) == 0)
		return 0;
	(void)burin_key_last_error(w->r->key, e);
	return -1;
}

/* --- a challenge -----------------------------------------------------------
 */

/*
 * RFC 10002 section 6.7: who cannot trust the challenge says so and stops.
 * What the authority answers to that changes nothing.
 */
static void
tell_abort(struct walk *w, const struct burin_cmc_reply *r, uint32_t id)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct transport_reply reply = { .len = 0 };
	struct transport_config c;
	struct burin_cmc_ask ask;
	struct cmc_voice v;
	unsigned char *der = NULL;
	size_t len;

	memset(&ask, 0, sizeof(ask));
	ask.abort_pop = id;
	if (walk_transport(w, &c, &why) == 0 &&
	    cmc_voice_open(w, NULL, &v, &why) == 0 &&
	    burin_cmc_next(&v.thread, &why) == 0) {
		v.thread.received = r->server_nonce;
		if (cmc_say(&v, &ask, &der, &len, &why) == 0)
			(void)walk_submit(w, &c, der, len, &reply, &why);
	}
	OPENSSL_free(der);
	transport_reply_clear(&reply);
	walk_transport_clear(&c);
}

static int
solve_all(struct walk *w, struct listening *l, const struct burin_cmc_reply *r,
    struct burin_error *e)
{
	struct burin_cmc_pop pops[BURIN_CMC_MAX_REQUESTS];
	EVP_PKEY *key = burin_key_evp(w->r->key, e);
	size_t i;

	if (key == NULL)
		return -1;
	for (i = 0; i < r->n_challenges; i++) {
		if (burin_cmc_solve(&r->challenges[i], key,
			burin_key_public(w->r->key), l->voice.key_id,
			sizeof(l->voice.key_id), w->plan.legacy,
			plan_pop_untagged(&w->plan), &pops[i], e) == 0)
			continue;
		(void)burin_key_last_error(w->r->key, e);
		if (e->status == BURIN_ECHECK)
			tell_abort(w, r, r->challenges[i].id);
		return -1;
	}
	(void)snprintf(
	    w->text, sizeof(w->text), "challenge decrypted on the token");
	return cmc_say_pops(w, r, pops, r->n_challenges, e);
}

/* --- pending ---------------------------------------------------------------
 */

static int
keep_pending(
    struct walk *w, const struct burin_cmc_reply *r, struct burin_error *e)
{
	struct job *job = w->job;
	time_t now = time(NULL);
	char *hex;

	/* A repeated "pending" need not repeat the token (section 6.13). */
	if (r->pend_token.len > 0) {
		if ((hex = OPENSSL_buf2hexstr(
			 r->pend_token.data, (long)r->pend_token.len)) == NULL)
			return burin_fail_memory(e);
		free(job->pend_token);
		job->pend_token = strdup(hex);
		OPENSSL_free(hex);
		if (job->pend_token == NULL)
			return burin_fail_memory(e);
	}
	if (blob_set(&job->recipient_nonce, r->server_nonce.data,
		r->server_nonce.len, e) != 0)
		return -1;
	job->retry_at =
	    r->pend_time != 0 ? r->pend_time : now + CMC_RETRY_SECONDS;
	if (job->retry_at > now + TRANSPORT_MAX_RETRY_AFTER)
		job->retry_at = now + TRANSPORT_MAX_RETRY_AFTER;
	(void)snprintf(w->text, sizeof(w->text), "no certificate yet%s%.120s",
	    r->text[0] != '\0' ? ": " : "", r->text);
	return 0;
}

/* --- anchors ---------------------------------------------------------------
 */

static int
keep_anchors(
    struct walk *w, const struct burin_cmc_reply *r, struct burin_error *e)
{
	char text[128];

	if (r->anchors == NULL)
		return 0;
	if (w->en->note != NULL) {
		(void)snprintf(text, sizeof(text),
		    "the authority publishes %d trust anchors (number %ld)",
		    sk_X509_num(r->anchors), r->anchors_number);
		w->en->note(w->en->arg, text);
	}
	return journal_anchors_keep(w->en->journal, w->job->server, w->job->id,
	    r->anchors_number, r->anchors, e);
}

/* --- the answer ------------------------------------------------------------
 */

int
cmc_answer(struct walk *w, STACK_OF(X509) * *bag, enum answer *answer,
    struct burin_error *e)
{
	struct burin_cmc_reply r;
	struct listening l;
	int rc = -1;

	memset(&r, 0, sizeof(r));
	if (listen_open(w, &l, e) != 0 ||
	    hear(w, &l, w->job->response.data, w->job->response.len, &r, e) !=
		0 ||
	    keep_anchors(w, &r, e) != 0)
		goto out;
	switch (r.outcome) {
	case BURIN_CMC_DONE:
	case BURIN_CMC_CONFIRM:
		w->settled = r.outcome == BURIN_CMC_DONE;
		*answer = ANSWER_CERTS;
		*bag = r.certs;
		r.certs = NULL;
		rc = 0;
		break;
	case BURIN_CMC_WAIT:
		*answer = ANSWER_LATER;
		rc = keep_pending(w, &r, e);
		break;
	case BURIN_CMC_CHALLENGE:
		*answer = ANSWER_MORE;
		rc = solve_all(w, &l, &r, e);
		break;
	}
out:
	burin_cmc_reply_clear(&r);
	listen_close(&l);
	return rc;
}

/* --- confirming ------------------------------------------------------------
 */

/* One exchange that changes nothing in the job: it can be had again. */
static int
exchange_confirm(struct walk *w, struct listening *l,
    const struct burin_cmc_octets *nonce, X509 *cert, int accept,
    struct burin_error *e)
{
	struct transport_reply reply = { .len = 0 };
	struct burin_cmc_reply r;
	struct transport_config c;
	struct burin_cmc_ask ask;
	struct cmc_voice v;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	memset(&ask, 0, sizeof(ask));
	memset(&r, 0, sizeof(r));
	ask.confirm = cert;
	ask.reject = !accept;
	if (walk_transport(w, &c, e) != 0 ||
	    cmc_voice_open(w, accept ? cert : NULL, &v, e) != 0 ||
	    burin_cmc_next(&v.thread, e) != 0)
		goto out;
	v.thread.received = *nonce;
	if (cmc_say(&v, &ask, &der, &len, e) != 0 ||
	    walk_submit(w, &c, der, len, &reply, e) != 0)
		goto out;
	if (reply.outcome != TRANSPORT_ISSUED) {
		(void)burin_fail(e, BURIN_EPENDING, "confirm-pending",
		    "the authority has not yet answered the confirmation");
		(void)burin_error_advice(e, "burin resume %s", w->job->id);
		goto out;
	}
	l->x.thread = &v.thread;
	l->x.request = der;
	l->x.request_len = len;
	l->x.simple = 0;
	rc = hear(w, l, reply.body, reply.len, &r, e);
out:
	burin_cmc_reply_clear(&r);
	transport_reply_clear(&reply);
	walk_transport_clear(&c);
	OPENSSL_free(der);
	return rc;
}

int
cmc_confirm(
    struct walk *w, X509 *cert, int accept, int *told, struct burin_error *e)
{
	struct burin_cmc_reply r;
	struct listening l;
	int rc = -1;

	*told = 0;
	memset(&r, 0, sizeof(r));
	/* To read it may take the token: not again for what is known. */
	if (w->settled)
		return 0;
	/* The answer is read once more: it says whether to confirm. */
	if (listen_open(w, &l, e) != 0 ||
	    hear(w, &l, w->job->response.data, w->job->response.len, &r, e) !=
		0)
		goto out;
	if (r.outcome == BURIN_CMC_CONFIRM) {
		*told = 1;
		rc = exchange_confirm(w, &l, &r.server_nonce, cert, accept, e);
	} else {
		rc = 0;
	}
out:
	burin_cmc_reply_clear(&r);
	listen_close(&l);
	return rc;
}
