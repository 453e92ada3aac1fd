/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An enrolment in CMC (RFC 10002): what goes out. Who signs, which proof of
 * possession the key can give, how the identity is shown.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmc_voice.h"
#include "dialect.h"

/* --- the thread of the conversation -------------------------------------- */

static void
to_octets(const struct blob *b, struct burin_cmc_octets *o)
{
	o->len = b->len < sizeof(o->data) ? b->len : sizeof(o->data);
	if (o->len > 0)
		memcpy(o->data, b->data, o->len);
}

void
cmc_thread_of(const struct job *job, struct burin_cmc_thread *t)
{
	memset(t, 0, sizeof(*t));
	to_octets(&job->transaction_id, &t->transaction);
	to_octets(&job->sender_nonce, &t->sent);
	to_octets(&job->recipient_nonce, &t->received);
	to_octets(&job->pop_random, &t->pop_random);
}

static int
keep_thread(
    struct walk *w, const struct burin_cmc_thread *t, struct burin_error *e)
{
	struct job *job = w->job;

	if (blob_set(&job->transaction_id, t->transaction.data,
		t->transaction.len, e) != 0 ||
	    blob_set(&job->sender_nonce, t->sent.data, t->sent.len, e) != 0 ||
	    blob_set(&job->recipient_nonce, t->received.data, t->received.len,
		e) != 0)
		return -1;
	return blob_set(
	    &job->pop_random, t->pop_random.data, t->pop_random.len, e);
}

/* --- who speaks ----------------------------------------------------------- */

static int
has_secret(const struct walk *w)
{
	return w->en->secret != NULL && plan_has_secret(&w->plan);
}

int
cmc_identity(struct walk *w, struct burin_cmc_identity *id,
    struct burin_cmc_identity **out, struct burin_error *e)
{
	*out = NULL;
	if (!has_secret(w))
		return 0;
	if (w->secret == NULL &&
	    w->en->secret(w->en->arg, w->plan.secret_source, &w->secret, e) !=
		0)
		return -1;
	id->identification = w->plan.user;
	id->secret = w->secret;
	id->legacy = w->plan.legacy;
	*out = id;
	return 0;
}

/* An existing certificate: its key signs, its name is the identity. */
static int
sign_with(
    struct cmc_voice *v, struct burin_key *k, X509 *cert, struct burin_error *e)
{
	v->signer.by = BURIN_CMS_BY_CERT;
	v->signer.cert = cert;
	v->signer.pub = burin_key_public(k);
	v->signer_key = k;
	v->signer.key = burin_key_evp(k, e);
	return v->signer.key != NULL ? 0 : -1;
}

/* The new key itself, or what there is when it cannot sign. */
static int
sign_as_new(struct walk *w, struct cmc_voice *v, struct burin_error *e)
{
	v->signer.pub = burin_key_public(w->r->key);
	v->signer.key_id = v->key_id;
	v->signer.key_id_len = sizeof(v->key_id);
	if (plan_key_signs(w->r->key)) {
		v->signer.by = BURIN_CMS_BY_KEY;
		v->signer_key = w->r->key;
		v->signer.key = burin_key_evp(w->r->key, e);
		return v->signer.key != NULL ? 0 : -1;
	}
	if (has_secret(w))
		v->protect = BURIN_CMC_AUTHENTICATED;
	else
		v->signer.by = BURIN_CMS_UNSIGNED;
	return 0;
}

static int
choose_signer(
    struct walk *w, X509 *cert, struct cmc_voice *v, struct burin_error *e)
{
	v->signer.signing_time = time(NULL);
	if (cert != NULL && plan_key_signs(w->r->key))
		return sign_with(v, w->r->key, cert, e);
	if (w->plan.reenroll_key == NULL)
		return sign_as_new(w, v, e);
	if (walk_old(w, e) != 0)
		return -1;
	return sign_with(v, w->old_key, w->old_cert, e);
}

int
cmc_voice_open(struct walk *w, X509 *cert, int proves, struct cmc_voice *v,
    struct burin_error *e)
{
	memset(v, 0, sizeof(*v));
	if (walk_key(w, e) != 0 ||
	    burin_key_identifier(burin_key_public(w->r->key), v->key_id, e) !=
		0)
		return -1;
	cmc_thread_of(w->job, &v->thread);
	if (choose_signer(w, cert, v, e) != 0)
		return -1;
	/* Who need not tell the secret is not asked for it. */
	if (!proves && v->protect != BURIN_CMC_AUTHENTICATED)
		return 0;
	return cmc_identity(w, &v->identity, &v->speaks_for, e);
}

int
cmc_say(struct cmc_voice *v, struct burin_cmc_ask *ask, unsigned char **der,
    size_t *len, struct burin_error *e)
{
	ask->thread = &v->thread;
	ask->protect = v->protect;
	ask->signer = &v->signer;
	/* The MAC needs it as well; the proof is of certification requests. */
	if (ask->requests != NULL || v->protect == BURIN_CMC_AUTHENTICATED)
		ask->identity = v->speaks_for;
	ask->link = ask->requests != NULL && v->speaks_for != NULL;
	if (burin_cmc_make(ask, der, len, e) == 0)
		return 0;
	if (v->signer_key != NULL)
		(void)burin_key_last_error(v->signer_key, e);
	return -1;
}

/* The job sends it, and no answer to it is there yet. */
int
cmc_keep(struct walk *w, struct cmc_voice *v, struct burin_cmc_ask *ask,
    struct burin_error *e)
{
	unsigned char *der = NULL;
	size_t len;
	int rc;

	if (cmc_say(v, ask, &der, &len, e) != 0)
		return -1;
	rc = blob_set(&w->job->message, der, len, e);
	OPENSSL_free(der);
	blob_clear(&w->job->response);
	return rc == 0 ? keep_thread(w, &v->thread, e) : -1;
}

/* --- the first message ---------------------------------------------------- */

/* The request inside the message. */
static int
make_request(struct walk *w, struct burin_subject *s, struct cmc_voice *v,
    struct burin_error *e)
{
	const char *pem = w->plan.pop_cert;
	STACK_OF(X509) *certs = NULL;
	struct burin_cmc_request q;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	memset(&q, 0, sizeof(q));
	if ((pem != NULL &&
		burin_certs_parse(pem, strlen(pem), BURIN_EUSAGE, &certs, e) !=
		    0) ||
	    plan_pop(&w->plan, w->r->key, certs, &q.how, e) != 0)
		goto out;
	q.form = plan_inner(&w->plan, &q.how);
	q.subject = s;
	q.pub = burin_key_public(w->r->key);
	if (burin_cmc_requests_make(
		&q, 1, &v->thread, v->speaks_for, &der, &len, e) != 0) {
		(void)burin_key_last_error(w->r->key, e);
		goto out;
	}
	rc = blob_set(&w->job->request, der, len, e);
out:
	OPENSSL_free(der);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* The same requests again, with whatever else there is to say. */
static int
say_request(struct walk *w, struct cmc_voice *v, struct burin_cmc_ask *ask,
    struct burin_error *e)
{
	ask->requests = w->job->request.data;
	ask->requests_len = w->job->request.len;
	if (plan_octets(w->job->id, "the job", &ask->data_return, e) != 0 ||
	    plan_octets(w->plan.reg_info, "--reg-info", &ask->reg_info, e) != 0)
		return -1;
	return cmc_keep(w, v, ask, e);
}

int
cmc_request(struct walk *w, struct burin_subject *s, struct burin_error *e)
{
	struct burin_cmc_ask ask;
	struct cmc_voice v;

	memset(&ask, 0, sizeof(ask));
	if (cmc_voice_open(w, NULL, 1, &v, e) != 0)
		return -1;
	memset(&v.thread, 0, sizeof(v.thread));
	if (burin_cmc_begin(&v.thread, e) != 0 ||
	    make_request(w, s, &v, e) != 0)
		return -1;
	return say_request(w, &v, &ask, e);
}

/* --- the later ones ------------------------------------------------------- */

int
cmc_again(struct walk *w, struct burin_error *e)
{
	struct burin_cmc_ask ask;
	struct cmc_voice v;
	long len = 0;
	unsigned char *token;

	memset(&ask, 0, sizeof(ask));
	if ((token = OPENSSL_hexstr2buf(w->job->pend_token, &len)) == NULL ||
	    len > BURIN_CMC_MAX_OCTETS) {
		OPENSSL_free(token);
		return burin_fail(e, BURIN_EINTERNAL, "pend-token",
		    "the journal has no sound pendToken");
	}
	memcpy(ask.pend_token.data, token, (size_t)len);
	ask.pend_token.len = (size_t)len;
	OPENSSL_free(token);
	if (cmc_voice_open(w, NULL, 0, &v, e) != 0 ||
	    burin_cmc_next(&v.thread, e) != 0)
		return -1;
	return cmc_keep(w, &v, &ask, e);
}

int
cmc_say_pops(struct walk *w, const struct burin_cmc_reply *r,
    const struct burin_cmc_pop *pops, size_t n, struct burin_error *e)
{
	struct burin_cmc_ask ask;
	struct cmc_voice v;

	memset(&ask, 0, sizeof(ask));
	if (cmc_voice_open(w, NULL, 1, &v, e) != 0 ||
	    burin_cmc_next(&v.thread, e) != 0)
		return -1;
	v.thread.received = r->server_nonce;
	ask.pops = pops;
	ask.n_pops = n;
	return say_request(w, &v, &ask, e);
}
