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
	struct walk *walk;
	struct burin_cmc_thread thread;
	unsigned char key_id[BURIN_KEY_IDENTIFIER];
	struct burin_cmc_identity identity;
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

/* Most answers are signed: the secret is asked for when one is MACed. */
static int
find_identity(
    void *arg, const struct burin_cmc_identity **out, struct burin_error *e)
{
	struct listening *l = arg;
	struct burin_cmc_identity *id;

	if (cmc_identity(l->walk, &l->identity, &id, e) != 0)
		return -1;
	*out = id;
	return 0;
}

static int
listen_open(struct walk *w, struct listening *l, struct burin_error *e)
{
	struct burin_cmc_identity *known = NULL;
	unsigned use;

	memset(l, 0, sizeof(*l));
	if (walk_key(w, e) != 0 ||
	    burin_key_identifier(burin_key_public(w->r->key), l->key_id, e) !=
		0 ||
	    walk_anchors(w, 0, &l->anchors, e) != 0)
		return -1;
	l->walk = w;
	cmc_thread_of(w->job, &l->thread);
	l->x.status = BURIN_ECHECK;
	if (w->job->transaction_id.len > 0) {
		l->x.thread = &l->thread;
		l->x.since = w->job->created;
	}
	l->x.request = sent(w->job)->data;
	l->x.request_len = sent(w->job)->len;
	l->x.anchors = l->anchors;
	l->x.bootstrap = l->anchors == NULL;
	/* Known already: authData costs no question then. */
	if (w->secret != NULL && cmc_identity(w, &l->identity, &known, e) != 0)
		return -1;
	l->x.identity = known;
	l->x.now = time(NULL);
	l->x.skew = CHECK_SKEW;
	l->x.find_identity = find_identity;
	l->x.arg = l;
	l->x.legacy = w->plan.legacy;
	l->x.simple = 1;
	use = burin_key_usage(w->r->key);
	if ((use & (BURIN_USE_DECRYPT | BURIN_USE_DERIVE)) != 0) {
		l->us.key_id = l->key_id;
		l->us.key_id_len = sizeof(l->key_id);
		l->us.pub = burin_key_public(w->r->key);
		l->x.us = &l->us;
		l->x.pub = l->us.pub;
		if ((l->x.key = burin_key_evp(w->r->key, e)) == NULL)
			return -1;
	}
	return journal_anchors_seen(
	    w->en->journal, w->job->server, &l->x.anchors_seen, e);
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

/* --- what the authority is told beside the enrolment -----------------------
 */

/*
 * One message that changes nothing in the job, and whose answer changes
 * nothing. nonce: what it answers, when the journal does not have it. why:
 * what kept it from being said.
 */
static int
mention(struct walk *w, const struct burin_cmc_octets *nonce,
    struct burin_cmc_ask *ask, struct burin_error *why)
{
	struct transport_reply reply = { .len = 0 };
	struct transport_config c;
	struct cmc_voice v;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	/* A file that is there is the answer to what was said before. */
	w->en->response_file = NULL;
	if (walk_transport(w, &c, why) == 0 &&
	    cmc_voice_open(w, NULL, 0, &v, why) == 0 &&
	    burin_cmc_next(&v.thread, why) == 0) {
		if (nonce != NULL)
			v.thread.received = *nonce;
		if (cmc_say(&v, ask, &der, &len, why) == 0)
			rc = walk_submit(w, &c, der, len, &reply, why);
	}
	OPENSSL_free(der);
	transport_reply_clear(&reply);
	walk_transport_clear(&c);
	return rc;
}

/* --- a challenge -----------------------------------------------------------
 */

/*
 * RFC 10002 section 6.7: who cannot trust the challenge says so and stops.
 * What the authority answers to that changes nothing.
 */
static void
tell_abort(struct walk *w, const struct burin_cmc_reply *r, uint32_t id,
    struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_cmc_ask ask;

	memset(&ask, 0, sizeof(ask));
	ask.abort_pop = id;
	e->advice[0] = '\0';
	if (mention(w, &r->server_nonce, &ask, &why) != 0)
		(void)burin_error_advice(e,
		    "tell the authority that it was wrong; burin could not: "
		    "%s",
		    why.reason);
	else if (walk_by_file(w))
		(void)burin_error_advice(e,
		    "carry %s to the authority: it says that the challenge "
		    "was wrong (popFailed)",
		    w->plan.request_file);
	else
		(void)burin_error_advice(
		    e, "the authority was told that it was wrong (popFailed)");
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
			burin_key_public(w->r->key), l->key_id,
			sizeof(l->key_id), w->plan.legacy,
			plan_pop_untagged(&w->plan), &pops[i], e) == 0)
			continue;
		(void)burin_key_last_error(w->r->key, e);
		if (e->status == BURIN_ECHECK)
			tell_abort(w, r, r->challenges[i].id, e);
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
	/* Of a first contact: the secret has shown that they are right. */
	if (w->plan.trust == NULL && walk_trust(w, r->anchors, e) != 0)
		return -1;
	return journal_anchors_keep(w->en->journal, w->job->server, w->job->id,
	    r->anchors_number, r->anchors, e);
}

/* --- confirming ------------------------------------------------------------
 */

/* What confirming needs of an answer; so it is read once. */
static int
keep_wish(
    struct walk *w, const struct burin_cmc_reply *r, struct burin_error *e)
{
	w->job->confirm = CONFIRM_NOT;
	if (r->outcome != BURIN_CMC_CONFIRM)
		return 0;
	w->job->confirm = CONFIRM_WANTED;
	return blob_set(&w->job->recipient_nonce, r->server_nonce.data,
	    r->server_nonce.len, e);
}

int
cmc_accept(struct walk *w, X509 *cert, struct burin_error *e)
{
	struct burin_cmc_ask ask;
	struct cmc_voice v;

	memset(&ask, 0, sizeof(ask));
	ask.confirm = cert;
	if (cmc_voice_open(w, cert, 0, &v, e) != 0 ||
	    burin_cmc_next(&v.thread, e) != 0)
		return -1;
	return cmc_keep(w, &v, &ask, e);
}

static int
not_answered(struct walk *w, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EPENDING, "confirm-pending",
	    "the authority has not yet answered the confirmation");
	(void)burin_error_rule(e, "RFC 10002 section 6.14");
	return walk_come_back(w, e);
}

int
cmc_confirm(struct walk *w, struct burin_error *e)
{
	struct transport_reply reply = { .len = 0 };
	struct burin_cmc_reply r;
	struct transport_config c;
	struct listening l;
	int rc = -1;

	memset(&l, 0, sizeof(l));
	memset(&r, 0, sizeof(r));
	if (walk_transport(w, &c, e) != 0 ||
	    walk_submit(w, &c, w->job->message.data, w->job->message.len,
		&reply, e) != 0)
		goto out;
	if (reply.outcome != TRANSPORT_ISSUED) {
		(void)not_answered(w, e);
		goto out;
	}
	if (listen_open(w, &l, e) != 0)
		goto out;
	l.x.simple = 0;
	rc = hear(w, &l, reply.body, reply.len, &r, e);
out:
	burin_cmc_reply_clear(&r);
	listen_close(&l);
	transport_reply_clear(&reply);
	walk_transport_clear(&c);
	return rc;
}

void
cmc_reject(struct walk *w, X509 *cert)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_cmc_ask ask;
	char text[BURIN_ERROR_TEXT];

	memset(&ask, 0, sizeof(ask));
	ask.confirm = cert;
	ask.reject = 1;
	if (mention(w, NULL, &ask, &why) != 0 || !walk_by_file(w) ||
	    w->en->note == NULL)
		return;
	(void)snprintf(text, sizeof(text),
	    "carry %s to the authority: it says that the certificate is not "
	    "taken",
	    w->plan.request_file);
	w->en->note(w->en->arg, text);
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
		*answer = ANSWER_CERTS;
		*bag = r.certs;
		r.certs = NULL;
		rc = keep_wish(w, &r, e);
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
