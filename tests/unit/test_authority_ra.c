/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * End entity, RA and CA, all ours, with software keys: through one RA and
 * through two, alone and in batches, every proof, and what an RA stops.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "authority/ra.h"
#include "csr/cms/unsigned.h"
#include "cmc_bench.h"

#define FULL_BATCH 100

/* An RA, and the line to whom it asks. */
struct station {
	struct bench *b;
	char dir[80];
	struct settings cnf;
	struct client c; /* who it is at the CA */
	X509 *cert;
	struct cmc_server s;
	const struct cmc_server *up;
	atomic_int sent;      /* messages that went up */
	atomic_int fail;      /* so many of the next do not get there */
	pthread_mutex_t gate; /* held: nothing comes back */
	/* of a CA that answers in parts */
	struct burin_cmc_reply slow;
	size_t n_slow;
};

static int
submit(void *arg, const char *profile, const unsigned char *der, size_t len,
    unsigned char **answer, size_t *answer_len, struct burin_error *e)
{
	struct station *st = arg;
	struct cmc_turn t = { .data = der,
		.len = len,
		.via = "cmc",
		.profile = profile,
		.now = PKI_NOW };
	struct cmc_reply reply;

	(void)atomic_fetch_add(&st->sent, 1);
	(void)pthread_mutex_lock(&st->gate);
	(void)pthread_mutex_unlock(&st->gate);
	if (atomic_load(&st->fail) > 0) {
		(void)atomic_fetch_sub(&st->fail, 1);
		return burin_fail(
		    e, BURIN_EINTERRUPTED, "network-refused", "no way");
	}
	if (cmc_serve(st->up, &t, &reply, e) != 0)
		return -1;
	*answer = reply.der;
	*answer_len = reply.len;
	return 0;
}

static void
station_new(struct bench *b, struct station *st, const char *name,
    const struct cmc_server *up)
{
	struct ra_next next = { .submit = submit, .arg = st };
	char path[120];
	FILE *f;

	memset(st, 0, sizeof(*st));
	st->b = b;
	st->up = up;
	(void)pthread_mutex_init(&st->gate, NULL);
	client_new(b, &st->c, name, "P-256", "ra");
	st->cert = enrolled(&st->c);
	(void)snprintf(st->dir, sizeof(st->dir), "%s/%s", b->dir, name);
	assert_int_equal(mkdir(st->dir, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/authority.cnf", st->dir);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fclose(f), 0);
	st->cnf.retry_after = 30;
	st->s = b->s;
	must(&b->e, store_open(st->dir, 1, &st->s.store, &b->e));
	st->s.cnf = &st->cnf;
	st->s.key = st->c.key;
	st->s.cert = st->cert;
	st->s.pop_key = pki_key("P-256");
	st->s.pop_cert =
	    own_cert(b, st->s.pop_key, "keyUsage=critical,keyAgreement", NULL);
	memset(st->s.nonce_key, name[0], sizeof(st->s.nonce_key));
	next.key = st->s.key;
	next.cert = st->cert;
	next.anchor = b->ca.cert;
	must(&b->e, ra_new(&next, &st->s.ra, &b->e));
}

static void
station_clear(struct station *st)
{
	ra_free(&st->s.ra);
	store_close(&st->s.store);
	EVP_PKEY_free(st->s.pop_key);
	X509_free(st->s.pop_cert);
	X509_free(st->cert);
	client_clear(&st->c);
	(void)pthread_mutex_destroy(&st->gate);
}

static long long
lines_at(const struct cmc_server *s, struct burin_error *e, const char *event)
{
	struct counts n;

	must(e, store_begin(s->store, e));
	must(e, store_counts(s->store, PKI_NOW, &n, e));
	must(e, store_end(s->store, 0, e));
	return strcmp(event, "refused") == 0 ? n.refused : n.issued;
}

/* --- through one, and through two ----------------------------------------- */

static const struct {
	enum burin_cmc_form form;
	enum burin_pop pop;
	const char *key;
} kinds[] = {
	{ BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, "P-256" },
	{ BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, "P-256" },
	{ BURIN_CMC_PKCS10, BURIN_POP_AGREEMENT, "P-256" },
	{ BURIN_CMC_CRMF, BURIN_POP_AGREEMENT, "P-256" },
	{ BURIN_CMC_CRMF, BURIN_POP_CHALLENGE, "RSA" },
	{ BURIN_CMC_PKCS10, BURIN_POP_CHALLENGE, "X25519" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Answers every challenge of the last reply. */
static void
answer_challenge(struct client *c, const struct burin_cms_signer *s)
{
	struct burin_cmc_pop pop;
	struct burin_cmc_ask ask = { .thread = &c->thread,
		.requests = c->reqs,
		.requests_len = c->reqs_len,
		.identity = &c->id,
		.link = 1,
		.signer = s,
		.pops = &pop,
		.n_pops = 1 };

	assert_int_equal(c->reply.outcome, BURIN_CMC_CHALLENGE);
	must(&c->b->e,
	    burin_cmc_solve(&c->reply.challenges[0], c->key, c->key, c->key_id,
		sizeof(c->key_id), 0, 0, &pop, &c->b->e));
	next_nonce(c);
	must(&c->b->e, say(c, &ask));
}

static struct burin_cms_signer
signer_for(const struct client *c, enum burin_pop pop)
{
	struct burin_cms_signer s = by_key(c);

	if (pop != BURIN_POP_SIGNATURE) {
		s.by = BURIN_CMS_UNSIGNED;
		s.key = NULL;
	}
	return s;
}

static void
enrol_kind(struct client *c, size_t k)
{
	struct burin_cms_signer s = signer_for(c, kinds[k].pop);

	make_requests(c, kinds[k].form, kinds[k].pop, &c->id);
	must(&c->b->e, enrol(c, &s));
	if (kinds[k].pop == BURIN_POP_CHALLENGE)
		answer_challenge(c, &s);
	assert_int_equal(c->reply.outcome, BURIN_CMC_DONE);
	(void)got(c);
}

static void
every_kind_through(struct bench *b, struct station *near)
{
	struct client c;
	char name[16];
	size_t k;

	for (k = 0; k < KINDS; k++) {
		(void)snprintf(name, sizeof(name), "r%zu", k);
		client_at(b, &near->s, &c, name, kinds[k].key, "unit");
		enrol_kind(&c, k);
		client_clear(&c);
	}
	assert_int_equal(lines_at(&near->s, &b->e, "refused"), 0);
	assert_int_equal(lines_of(b, "refused"), 0);
}

static void
passes_every_kind_on(void **state)
{
	struct bench *b = *state;
	struct station ra;

	station_new(b, &ra, "ra", &b->s);
	every_kind_through(b, &ra);
	assert_int_equal(lines_of(b, "issued"), KINDS + 1);
	station_clear(&ra);
}

static void
passes_every_kind_on_twice(void **state)
{
	struct bench *b = *state;
	struct station far, near;

	station_new(b, &far, "far", &b->s);
	station_new(b, &near, "near", &far.s);
	every_kind_through(b, &near);
	assert_int_equal(lines_of(b, "issued"), KINDS + 2);
	/* Challenges are the near one's own: nothing of them goes up. */
	assert_int_equal(near.sent, KINDS);
	assert_int_equal(far.sent, near.sent);
	station_clear(&near);
	station_clear(&far);
}

/* A secret that the CA knows, and the RA does not: the CA judges it. */
static void
leaves_to_the_ca_what_it_knows(void **state)
{
	struct bench *b = *state;
	struct burin_secret *wrong = NULL;
	struct burin_cms_signer s;
	struct station ra;
	struct client c;
	size_t k;

	station_new(b, &ra, "ra", &b->s);
	for (k = 0; k < KINDS; k++) {
		client_new(b, &c, "of the CA", kinds[k].key, "unit");
		make_requests(&c, kinds[k].form, kinds[k].pop, &c.id);
		c.to = &ra.s;
		s = signer_for(&c, kinds[k].pop);
		must(&b->e, enrol(&c, &s));
		if (kinds[k].pop == BURIN_POP_CHALLENGE)
			answer_challenge(&c, &s);
		(void)got(&c);
		client_clear(&c);
	}
	must(&b->e, burin_secret_new(&wrong, "wrong", 5, &b->e));
	client_new(b, &c, "unknown", "P-256", "unit");
	c.id.secret = wrong;
	c.to = &ra.s;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	assert_int_equal(enrol(&c, &s), -1);
	refused(&c, "cmc-badIdentity");
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	burin_secret_free(&wrong);
	client_clear(&c);
	station_clear(&ra);
}

/* --- batches -------------------------------------------------------------- */

struct caller {
	struct client c;
	char name[16];
	pthread_t thread;
	struct burin_error e;
};

static void *
call(void *arg)
{
	struct caller *k = arg;
	struct cmc_turn t = { .data = k->c.sent,
		.len = k->c.sent_len,
		.via = "cmc",
		.profile = "unit",
		.now = PKI_NOW };

	(void)cmc_serve(k->c.to, &t, &k->c.said, &k->e);
	return NULL;
}

/* Of one in four the request is CRMF. */
static void
caller_new(
    struct bench *b, const struct cmc_server *at, struct caller *k, size_t i)
{
	struct burin_cmc_ask ask = { .link = 1 };
	struct burin_cms_signer s;

	memset(k, 0, sizeof(*k));
	(void)snprintf(k->name, sizeof(k->name), "one%zu", i);
	client_at(b, at, &k->c, k->name, "P-256", NULL);
	make_requests(&k->c, i % 4 == 0 ? BURIN_CMC_CRMF : BURIN_CMC_PKCS10,
	    BURIN_POP_SIGNATURE, &k->c.id);
	s = by_key(&k->c);
	ask.thread = &k->c.thread;
	ask.requests = k->c.reqs;
	ask.requests_len = k->c.reqs_len;
	ask.identity = &k->c.id;
	ask.signer = &s;
	must(&b->e, burin_cmc_make(&ask, &k->c.sent, &k->c.sent_len, &b->e));
}

/* Everybody stands in line while the first message is on its way. */
static void
call_all(struct station *ra, struct caller *k, size_t n)
{
	const struct timespec tick = { 0, 50 * 1000 * 1000 };
	size_t i;

	(void)pthread_mutex_lock(&ra->gate);
	for (i = 0; i < n; i++) {
		assert_int_equal(
		    pthread_create(&k[i].thread, NULL, call, &k[i]), 0);
		while (i == 0 && atomic_load(&ra->sent) == 0)
			(void)nanosleep(&tick, NULL);
	}
	/* Their messages are read and judged meanwhile. */
	for (i = 0; i < 40; i++)
		(void)nanosleep(&tick, NULL);
	(void)pthread_mutex_unlock(&ra->gate);
	for (i = 0; i < n; i++)
		assert_int_equal(pthread_join(k[i].thread, NULL), 0);
}

static void
batch_through(struct bench *b, struct station *near)
{
	struct caller *k = calloc(FULL_BATCH + 1, sizeof(*k));
	size_t i;

	assert_non_null(k);
	for (i = 0; i <= FULL_BATCH; i++)
		caller_new(b, &near->s, &k[i], i);
	call_all(near, k, FULL_BATCH + 1);
	for (i = 0; i <= FULL_BATCH; i++) {
		must(&k[i].e, k[i].e.status == 0 ? 0 : -1);
		must(&b->e, hears(&k[i].c, 0));
		assert_int_equal(k[i].c.reply.outcome, BURIN_CMC_DONE);
		(void)got(&k[i].c);
		client_clear(&k[i].c);
	}
	/* The first alone, and then all the others at once. */
	assert_int_equal(near->sent, 2);
	free(k);
}

static void
passes_a_hundred_on_at_once(void **state)
{
	struct bench *b = *state;
	struct station ra;

	station_new(b, &ra, "ra", &b->s);
	batch_through(b, &ra);
	assert_int_equal(lines_of(b, "issued"), FULL_BATCH + 2);
	station_clear(&ra);
}

static void
passes_a_hundred_on_twice(void **state)
{
	struct bench *b = *state;
	struct station far, near;

	station_new(b, &far, "far", &b->s);
	station_new(b, &near, "near", &far.s);
	batch_through(b, &near);
	assert_int_equal(lines_of(b, "issued"), FULL_BATCH + 3);
	station_clear(&near);
	station_clear(&far);
}

/* --- waiting -------------------------------------------------------------- */

static void
poll_again(struct client *c)
{
	struct burin_cms_signer s = by_key(c);
	struct burin_cmc_ask ask = { .thread = &c->thread,
		.pend_token = c->reply.pend_token,
		.signer = &s };

	next_nonce(c);
	must(&c->b->e, say(c, &ask));
}

static void
waits_for_the_operator_of_the_ca(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct station far, near;
	struct client c;

	station_new(b, &far, "far", &b->s);
	station_new(b, &near, "near", &far.s);
	b->cnf.manual = 1;
	client_at(b, &near.s, &c, "patient", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	must(&b->e, authority_approve(b->dir, 1, &b->e));
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	(void)got(&c);
	client_clear(&c);
	b->cnf.manual = 0;
	station_clear(&near);
	station_clear(&far);
}

/* One of two requests of a message waits, the other is issued. */
static void
gives_back_what_is_there(void **state)
{
	struct bench *b = *state;
	struct burin_cmc_request r[2];
	struct burin_cms_signer s;
	struct station ra;
	struct client c;
	EVP_PKEY *second = pki_key("P-256");
	EVP_PKEY *first;

	station_new(b, &ra, "ra", &b->s);
	b->cnf.manual = 1;
	client_at(b, &ra.s, &c, "two", "P-256", "unit");
	first = c.key;
	r[0] = (struct burin_cmc_request) { BURIN_CMC_PKCS10, c.subject, c.key,
		{ .pop = BURIN_POP_SIGNATURE, .key = c.key, .agree = -1 } };
	r[1] = r[0];
	r[1].pub = r[1].how.key = second;
	must(&b->e,
	    burin_cmc_requests_make(
		r, 2, &c.thread, &c.id, &c.reqs, &c.reqs_len, &b->e));
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	must(&b->e, authority_approve(b->dir, 2, &b->e));
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	c.key = second;
	(void)got(&c);
	c.key = first;
	must(&b->e, authority_approve(b->dir, 1, &b->e));
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	(void)got(&c);
	EVP_PKEY_free(second);
	client_clear(&c);
	b->cnf.manual = 0;
	station_clear(&ra);
}

/*
 * A CA that answers a batch bit by bit (section 6.17): half of what ours says,
 * "partial", and the rest for the poll.
 */
static int
answer_part(struct station *st, const unsigned char *message, size_t len,
    struct burin_cmc_bytes *list, size_t n, int last, unsigned char **der,
    size_t *der_len)
{
	static const unsigned char nonce[] = "of a CA that is slow";
	struct burin_cmc_octets token = { "rest", 4 };
	struct burin_cmc_state_of state = { .status = last ? BURIN_CMC_SUCCESS
							   : BURIN_CMC_PARTIAL,
		.fail = BURIN_CMC_FAIL_NONE,
		.pend_token = last ? NULL : &token,
		.pend_time = last ? 0 : PKI_NOW };
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_CERT,
		.key = st->b->s.key,
		.pub = st->b->s.key,
		.cert = st->b->s.cert,
		.signing_time = PKI_NOW };
	struct burin_cmc_listen l = { .final = 1 };
	struct burin_cmc_answer a = { .nonce = nonce,
		.nonce_len = sizeof(nonce),
		.states = &state,
		.n_states = 1,
		.inside = list,
		.n_inside = n,
		.batch = n > 0,
		.signer = &signer };
	struct burin_error *e = &st->b->e;
	struct burin_cmc_refusal why;
	struct burin_cmc_heard h;

	must(e, burin_cmc_hear(message, len, &l, &h, &why, e));
	a.to = &h;
	must(e, burin_cmc_answer_make(&a, der, der_len, e));
	burin_cmc_heard_clear(&h);
	return 0;
}

static int
submit_slowly(void *arg, const char *profile, const unsigned char *der,
    size_t len, unsigned char **answer, size_t *answer_len,
    struct burin_error *e)
{
	struct station *st = arg;
	struct burin_cmc_bytes list[RA_MAX_BATCH];
	unsigned char *whole;
	size_t whole_len, i, n, half;
	struct burin_cmc_expect x = { .status = BURIN_ECHECK,
		.anchors = st->b->anchors,
		.now = PKI_NOW };
	struct burin_cmc_refusal why;
	struct burin_cmc_listen l = { .final = 1 };
	struct burin_cmc_thread thread = { 0 };
	struct burin_cmc_reply *r = &st->slow;
	struct burin_cmc_heard h;
	int rc;

	if (st->sent > 0 && st->n_slow > 0) {
		/* The poll: what was kept back. */
		half = st->n_slow / 2;
		for (i = half; i < st->n_slow; i++)
			must(e,
			    burin_cmc_reply_inside(r, i + 1,
				&list[i - half].der, &list[i - half].len));
		(void)atomic_fetch_add(&st->sent, 1);
		rc = answer_part(st, der, len, list, st->n_slow - half, 1,
		    answer, answer_len);
		burin_cmc_reply_clear(r);
		st->n_slow = 0;
		return rc;
	}
	if (submit(arg, profile, der, len, &whole, &whole_len, e) != 0)
		return -1;
	must(e, burin_cmc_hear(der, len, &l, &h, &why, e));
	n = h.n_inside;
	if (n < 2) {
		burin_cmc_heard_clear(&h);
		*answer = whole;
		*answer_len = whole_len;
		return 0;
	}
	thread.transaction = h.transaction;
	thread.sent = h.sender_nonce;
	x.thread = &thread;
	x.request = x.layer = der;
	x.request_len = x.layer_len = len;
	must(e, burin_cmc_read(whole, whole_len, &x, r, e));
	st->n_slow = n;
	half = n / 2;
	for (i = 0; i < half; i++)
		must(e,
		    burin_cmc_reply_inside(
			r, i + 1, &list[i].der, &list[i].len));
	rc = answer_part(st, der, len, list, half, 0, answer, answer_len);
	burin_cmc_heard_clear(&h);
	OPENSSL_free(whole);
	return rc;
}

static void
asks_for_the_rest_of_a_batch(void **state)
{
	struct bench *b = *state;
	struct ra_next next = { .submit = submit_slowly };
	struct caller k[7];
	struct station ra;
	size_t i;

	station_new(b, &ra, "ra", &b->s);
	next.arg = &ra;
	next.key = ra.s.key;
	next.cert = ra.cert;
	next.anchor = b->ca.cert;
	ra_free(&ra.s.ra);
	must(&b->e, ra_new(&next, &ra.s.ra, &b->e));
	for (i = 0; i < 7; i++)
		caller_new(b, &ra.s, &k[i], i);
	call_all(&ra, k, 7);
	for (i = 0; i < 7; i++) {
		must(&k[i].e, k[i].e.status == 0 ? 0 : -1);
		must(&b->e, hears(&k[i].c, 0));
		(void)got(&k[i].c);
		client_clear(&k[i].c);
	}
	assert_int_equal(ra.sent, 3); /* one, six, and the poll */
	station_clear(&ra);
}

/* --- Simple requests ------------------------------------------------------ */

static void
ask_simply(struct client *c, const struct invite *in, const struct issued *cert)
{
	struct cmc_turn t = { .data = c->sent,
		.len = c->sent_len,
		.via = "est",
		.profile = "unit",
		.invite = in,
		.cert = cert,
		.now = PKI_NOW };

	cmc_reply_clear(&c->said);
	must(&c->b->e, cmc_serve(c->to, &t, &c->said, &c->b->e));
}

static void
simple_new(struct bench *b, const struct cmc_server *at, struct client *c,
    struct invite *in, const char *name)
{
	int found;

	client_at(b, at, c, name, "P-256", "unit");
	must(&b->e,
	    burin_pkcs10_make(c->subject, c->key, c->key, NULL, &c->sent,
		&c->sent_len, &b->e));
	must(&b->e, store_begin(at->store, &b->e));
	must(&b->e, store_invite_get(at->store, name, in, &found, &b->e));
	must(&b->e, store_end(at->store, 0, &b->e));
	assert_int_equal(found, 1);
}

static void
passes_simple_requests_on(void **state)
{
	struct bench *b = *state;
	struct station far, near;
	struct invite in;
	struct client c;

	station_new(b, &far, "far", &b->s);
	station_new(b, &near, "near", &far.s);
	simple_new(b, &near.s, &c, &in, "simple");
	ask_simply(&c, NULL, NULL);
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	ask_simply(&c, &in, NULL);
	assert_int_equal(c.said.full, 0);
	must(&b->e, hears(&c, 0));
	(void)got(&c);
	/* Its answer was lost: the same again. */
	ask_simply(&c, &in, NULL);
	must(&b->e, hears(&c, 0));
	(void)got(&c);
	assert_int_equal(lines_of(b, "issued"), 3);
	invite_clear(&in);
	client_clear(&c);
	station_clear(&near);
	station_clear(&far);
}

static void
a_simple_request_waits(void **state)
{
	struct bench *b = *state;
	struct station ra;
	struct invite in;
	struct client c;

	station_new(b, &ra, "ra", &b->s);
	b->cnf.manual = 1;
	simple_new(b, &ra.s, &c, &in, "simple");
	ask_simply(&c, &in, NULL);
	assert_int_equal(c.said.status, BURIN_CMC_PENDING);
	c.simply = 1;
	must(&b->e, hears(&c, 0));
	c.simply = 0;
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	must(&b->e, authority_approve(b->dir, 1, &b->e));
	poll_again(&c);
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	(void)got(&c);
	b->cnf.manual = 0;
	invite_clear(&in);
	client_clear(&c);
	station_clear(&ra);
}

/* By the certificate that TLS showed; the CA's CRL says whether it stands. */
static void
renews_for_who_has_a_certificate(void **state)
{
	struct bench *b = *state;
	struct revocation r = {
		.reason = 1, .by = "operator", .via = "operator", .now = PKI_NOW
	};
	struct station ra;
	struct client c, d;
	struct issued old = { 0 };
	struct burin_subject *other;
	X509_CRL *crl;

	station_new(b, &ra, "ra", &b->s);
	client_new(b, &c, "renews", "P-256", "unit");
	old.cert = enrolled(&c);
	assert_non_null(
	    old.serial = burin_serial_text(X509_get0_serialNumber(old.cert)));
	c.to = &ra.s;
	EVP_PKEY_free(c.key);
	c.key = pki_key("P-256");
	OPENSSL_free(c.sent);
	must(&b->e,
	    burin_pkcs10_make(
		c.subject, c.key, c.key, NULL, &c.sent, &c.sent_len, &b->e));
	ask_simply(&c, NULL, &old);
	must(&b->e, hears(&c, 0));
	(void)got(&c);
	/* Other names are not renewed. */
	client_new(b, &d, "renews not", "P-256", "unit");
	other = d.subject;
	must(&b->e,
	    burin_pkcs10_make(
		other, d.key, d.key, NULL, &d.sent, &d.sent_len, &b->e));
	d.to = &ra.s;
	ask_simply(&d, NULL, &old);
	assert_int_equal(d.said.fail, BURIN_CMC_BAD_IDENTITY);
	client_clear(&d);
	/* Nor what was revoked, once the CRL says so. */
	must(&b->e, store_begin(b->s.store, &b->e));
	r.serial = old.serial;
	must(&b->e, store_revoke(b->s.store, &r, &b->e));
	must(&b->e, store_end(b->s.store, 1, &b->e));
	must(&b->e, ra_crl(ra.s.ra, PKI_NOW + 61, &crl, &b->e));
	X509_CRL_free(crl);
	EVP_PKEY_free(c.key);
	c.key = pki_key("P-256");
	OPENSSL_free(c.sent);
	must(&b->e,
	    burin_pkcs10_make(
		c.subject, c.key, c.key, NULL, &c.sent, &c.sent_len, &b->e));
	ask_simply(&c, NULL, &old);
	assert_int_equal(c.said.status, BURIN_CMC_FAILED);
	assert_non_null(strstr(c.said.said, "revoked"));
	assert_int_equal(lines_of(b, "issued"), 3);
	issued_clear(&old);
	client_clear(&c);
	station_clear(&ra);
}

/* --- what goes on with a certificate -------------------------------------- */

static void
passes_on_what_certificates_sign(void **state)
{
	struct bench *b = *state;
	struct burin_cmc_revocation r = { .reason = 4 };
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	struct station far, near;
	struct client c;
	X509 *cert, *next;
	EVP_PKEY *old;

	station_new(b, &far, "far", &b->s);
	station_new(b, &near, "near", &far.s);
	b->cnf.confirm = 1;
	client_at(b, &near.s, &c, "lives", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_CONFIRM);
	cert = X509_dup(got(&c));
	s = by_cert(&c, cert);
	next_nonce(&c);
	ask = (struct burin_cmc_ask) {
		.thread = &c.thread, .confirm = cert, .signer = &s
	};
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	b->cnf.confirm = 0;
	/* Renewal: with the old one, for another key. */
	old = c.key;
	c.key = pki_key("P-256");
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, NULL);
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.requests = c.reqs,
		.requests_len = c.reqs_len,
		.signer = &s };
	s.key = s.pub = old;
	must(&b->e, say(&c, &ask));
	next = X509_dup(got(&c));
	/* A CRL, then the end of the first. */
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.get_issuer = X509_get_issuer_name(cert),
		.get_crl = 1,
		.signer = &s };
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.said.full, 0);
	assert_int_equal(sk_X509_CRL_num(c.reply.crls), 1);
	r.issuer = X509_get_issuer_name(cert);
	r.serial = X509_get0_serialNumber(cert);
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	ask = (struct burin_cmc_ask) {
		.thread = &c.thread, .revoke = &r, .signer = &s
	};
	must(&b->e, say(&c, &ask));
	assert_int_equal(lines_of(b, "revoked"), 1);
	EVP_PKEY_free(old);
	X509_free(cert);
	X509_free(next);
	client_clear(&c);
	station_clear(&near);
	station_clear(&far);
}

/* Encrypted to the RA, which takes it off; and to the CA, past the RA. */
static void
takes_off_what_is_encrypted_to_it(void **state)
{
	struct bench *b = *state;
	struct station ra;
	int to_ca;

	station_new(b, &ra, "ra", &b->s);
	for (to_ca = 0; to_ca < 2; to_ca++) {
		const struct cmc_server *knows = to_ca ? &b->s : &ra.s;
		struct burin_cms_recipient to = { .pub = knows->pop_key,
			.cert = knows->pop_cert };
		struct burin_cmc_ask ask = { .link = 1 };
		struct burin_cms_signer s;
		unsigned char *plain;
		size_t plain_len;
		struct client c;

		client_at(b, knows, &c, "secretive", "P-256", "unit");
		make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
		c.to = &ra.s;
		s = by_key(&c);
		ask.thread = &c.thread;
		ask.requests = c.reqs;
		ask.requests_len = c.reqs_len;
		ask.identity = &c.id;
		ask.signer = &s;
		must(&b->e, burin_cmc_make(&ask, &plain, &plain_len, &b->e));
		must(&b->e,
		    burin_cmc_encrypt(
			plain, plain_len, &to, &c.sent, &c.sent_len, &b->e));
		turn(&c);
		OPENSSL_free(c.sent);
		c.sent = plain;
		c.sent_len = plain_len;
		must(&b->e, hears(&c, 0));
		(void)got(&c);
		client_clear(&c);
	}
	station_clear(&ra);
}

/* --- what an RA stops ----------------------------------------------------- */

static void
stops_what_is_wrong(void **state)
{
	struct bench *b = *state;
	struct burin_secret *wrong = NULL;
	struct burin_cms_signer s;
	struct station ra;
	struct client c;

	station_new(b, &ra, "ra", &b->s);
	must(&b->e, burin_secret_new(&wrong, "wrong", 5, &b->e));
	client_at(b, &ra.s, &c, "alice", "P-256", "unit");
	s = by_key(&c);
	/* A wrong secret. */
	c.id.secret = wrong;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	assert_int_equal(enrol(&c, &s), -1);
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	/* None at all. */
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, NULL);
	{
		struct burin_cmc_ask ask = { .thread = &c.thread,
			.requests = c.reqs,
			.requests_len = c.reqs_len,
			.signer = &s };

		assert_int_equal(say(&c, &ask), -1);
	}
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	/* raVerified: we are the RA, and did not. */
	c.id.secret = c.secret;
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_BY_RA, &c.id);
	s.by = BURIN_CMS_UNSIGNED;
	s.key = NULL;
	assert_int_equal(enrol(&c, &s), -1);
	assert_int_equal(c.said.fail, BURIN_CMC_POP_FAILED);
	assert_int_equal(lines_at(&ra.s, &b->e, "refused"), 3);
	assert_int_equal(ra.sent, 0);
	burin_secret_free(&wrong);
	client_clear(&c);
	station_clear(&ra);
}

/* Of its refusals an end entity believes only what the RA may say itself. */
static void
one_secret_is_for_one_message(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct station ra;
	struct client c, d;

	station_new(b, &ra, "ra", &b->s);
	client_at(b, &ra.s, &c, "once", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	/* It does not get there: nothing is lost, and it is asked again. */
	ra.fail = 1;
	{
		struct burin_error e = BURIN_ERROR_INIT;
		struct cmc_reply reply = { 0 };
		struct burin_cmc_ask ask = { .thread = &c.thread,
			.requests = c.reqs,
			.requests_len = c.reqs_len,
			.identity = &c.id,
			.link = 1,
			.signer = &s };
		struct cmc_turn t = { .via = "cmc", .now = PKI_NOW };

		must(&b->e, burin_cmc_make(&ask, &c.sent, &c.sent_len, &b->e));
		t.data = c.sent;
		t.len = c.sent_len;
		assert_int_equal(cmc_serve(&ra.s, &t, &reply, &e), -1);
		assert_int_equal(e.status, BURIN_EINTERRUPTED);
		cmc_reply_clear(&reply);
	}
	turn(&c);
	must(&b->e, hears(&c, 0));
	(void)got(&c);
	/* Another request with the same secret. */
	client_at(b, &ra.s, &d, "twice", "P-256", "unit");
	make_requests(&d, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	{
		struct burin_cmc_identity mine = d.id;

		d.id = c.id;
		s = by_key(&d);
		assert_int_equal(enrol(&d, &s), -1);
		d.id = mine;
	}
	assert_int_equal(d.said.fail, BURIN_CMC_BAD_IDENTITY);
	assert_int_equal(ra.sent, 2);
	/* What the CA refuses has used up nothing. */
	make_requests(&d, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &d.id);
	b->cnf.key_reuse = REUSE_REFUSE;
	EVP_PKEY_free(d.key);
	d.key = c.key;
	EVP_PKEY_up_ref(d.key);
	memcpy(d.key_id, c.key_id, sizeof(d.key_id));
	make_requests(&d, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &d.id);
	s = by_key(&d);
	assert_int_equal(enrol(&d, &s), -1);
	b->cnf.key_reuse = REUSE_SAME_NAME;
	EVP_PKEY_free(d.key);
	d.key = pki_key("P-256");
	must(&b->e, burin_key_identifier(d.key, d.key_id, &b->e));
	make_requests(&d, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &d.id);
	s = by_key(&d);
	must(&b->e, enrol(&d, &s));
	(void)got(&d);
	client_clear(&d);
	client_clear(&c);
	station_clear(&ra);
}

/* A message that cannot be passed on does not hold up its neighbours. */
static void
one_bad_message_is_alone(void **state)
{
	static const unsigned char junk[] = {
		V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, 3, V_ASN1_INTEGER, 1, 7
	};
	struct bench *b = *state;
	struct caller k[5];
	struct station ra;
	STACK_OF(ASN1_TYPE) *values = sk_ASN1_TYPE_new_null();
	ASN1_TYPE *any;
	const unsigned char *p = junk;
	unsigned char *der;
	size_t i, len;

	station_new(b, &ra, "ra", &b->s);
	for (i = 0; i < 5; i++)
		caller_new(b, &ra.s, &k[i], i);
	assert_non_null(any = d2i_ASN1_TYPE(NULL, &p, sizeof(junk)));
	assert_true(sk_ASN1_TYPE_push(values, any) > 0);
	must(&b->e,
	    csr_unsigned_put(k[3].c.sent, k[3].c.sent_len,
		"1.2.840.113549.1.9.16.2.34", values, &der, &len, &b->e));
	OPENSSL_free(k[3].c.sent);
	k[3].c.sent = der;
	k[3].c.sent_len = len;
	call_all(&ra, k, 5);
	for (i = 0; i < 5; i++) {
		must(&k[i].e, k[i].e.status == 0 ? 0 : -1);
		if (i == 3) {
			assert_int_equal(k[i].c.said.status, BURIN_CMC_FAILED);
			assert_int_equal(
			    k[i].c.said.fail, BURIN_CMC_BAD_REQUEST);
		} else {
			must(&b->e, hears(&k[i].c, 0));
			(void)got(&k[i].c);
		}
		client_clear(&k[i].c);
	}
	sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
	station_clear(&ra);
}

/* The CA no longer takes it for one: that is its operator's to see. */
static void
an_ra_that_was_revoked_passes_nothing(void **state)
{
	struct bench *b = *state;
	struct revocation r = {
		.by = "operator", .via = "operator", .now = PKI_NOW
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_reply reply = { 0 };
	struct cmc_turn t = { .via = "cmc", .now = PKI_NOW };
	struct station ra;
	struct caller k;
	char *serial;

	station_new(b, &ra, "ra", &b->s);
	caller_new(b, &ra.s, &k, 0);
	serial = burin_serial_text(X509_get0_serialNumber(ra.cert));
	r.serial = serial;
	must(&b->e, store_begin(b->s.store, &b->e));
	must(&b->e, store_revoke(b->s.store, &r, &b->e));
	must(&b->e, store_end(b->s.store, 1, &b->e));
	t.data = k.c.sent;
	t.len = k.c.sent_len;
	assert_int_equal(cmc_serve(&ra.s, &t, &reply, &e), -1);
	assert_int_equal(e.status, BURIN_EINTERRUPTED);
	assert_int_equal(lines_of(b, "issued"), 1);
	free(serial);
	cmc_reply_clear(&reply);
	client_clear(&k.c);
	station_clear(&ra);
}

/* --- what nobody gets by an RA -------------------------------------------- */

static int
publish(struct client *c, const struct burin_cms_signer *s, X509 *cert)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	struct burin_cmc_ask ask = { .thread = &c->thread,
		.requests = c->reqs,
		.requests_len = c->reqs_len,
		.identity = &c->id,
		.link = 1,
		.publish = list,
		.signer = s };
	int rc;

	assert_true(sk_X509_push(list, cert) > 0);
	rc = say(c, &ask);
	sk_X509_free(list);
	return rc;
}

/*
 * Of a message one part is refused, and a certificate issued: the secret is
 * used up. And who joins a use spends it.
 */
static void
a_refusal_beside_a_certificate_frees_nothing(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct station ra;
	struct client c;
	EVP_PKEY *first;

	station_new(b, &ra, "ra", &b->s);
	client_at(b, &ra.s, &c, "greedy", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	assert_int_equal(publish(&c, &s, b->ca.cert), -1);
	refused(&c, "cmc-noSupport");
	assert_int_equal(lines_of(b, "issued"), 2);
	first = c.key;
	c.key = pki_key("P-256");
	must(&b->e, burin_key_identifier(c.key, c.key_id, &b->e));
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	assert_int_equal(enrol(&c, &s), -1);
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	assert_int_equal(lines_of(b, "issued"), 2);
	EVP_PKEY_free(first);
	client_clear(&c);
	station_clear(&ra);
}

static void
joining_a_use_spends_it(void **state)
{
	static const unsigned char one[CA_SHA256] = { 1 };
	static const unsigned char two[CA_SHA256] = { 2 };
	struct bench *b = *state;
	struct station ra;
	struct invite in;
	struct client c;
	int found;

	station_new(b, &ra, "ra", &b->s);
	client_at(b, &ra.s, &c, "twice", "P-256", "unit");
	must(&b->e, store_begin(ra.s.store, &b->e));
	must(&b->e, store_invite_get(ra.s.store, "twice", &in, &found, &b->e));
	must(&b->e,
	    store_invite_reserve(ra.s.store, in.id, one, PKI_NOW, &b->e));
	must(&b->e,
	    store_invite_release(ra.s.store, in.id, one, PKI_NOW, &b->e));
	must(&b->e, invite_check(ra.s.store, &in, two, PKI_NOW, &b->e));
	must(&b->e,
	    store_invite_reserve(ra.s.store, in.id, one, PKI_NOW, &b->e));
	must(&b->e,
	    store_invite_reserve(ra.s.store, in.id, one, PKI_NOW, &b->e));
	must(&b->e,
	    store_invite_release(ra.s.store, in.id, one, PKI_NOW, &b->e));
	must(&b->e, invite_check(ra.s.store, &in, one, PKI_NOW, &b->e));
	assert_int_equal(
	    invite_check(ra.s.store, &in, two, PKI_NOW, &b->e), -1);
	assert_string_equal(b->e.code, "invite-used");
	must(&b->e, store_end(ra.s.store, 1, &b->e));
	burin_error_clear(&b->e);
	invite_clear(&in);
	client_clear(&c);
	station_clear(&ra);
}

/* The name in a message is that of who asks: by it the CA knows people. */
static void
nobody_speaks_in_anothers_name(void **state)
{
	struct bench *b = *state;
	struct station ra;
	struct client c, m;
	struct invite in;
	struct cmc_turn t = { .via = "cmc", .now = PKI_NOW };
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { .reject = 1 };
	int found;

	station_new(b, &ra, "ra", &b->s);
	b->cnf.confirm = 1;
	client_at(b, &ra.s, &c, "alice", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_CONFIRM);
	/* Mallory is somebody by HTTP, and rejects alice's certificate. */
	client_at(b, &ra.s, &m, "mallory", "P-256", "unit");
	must(&b->e, store_begin(ra.s.store, &b->e));
	must(
	    &b->e, store_invite_get(ra.s.store, "mallory", &in, &found, &b->e));
	must(&b->e, store_end(ra.s.store, 0, &b->e));
	m.id.identification = "alice";
	s = by_key(&m);
	ask.thread = &m.thread;
	ask.identity = &m.id;
	ask.confirm = got(&c);
	ask.signer = &s;
	if (burin_cmc_make(&ask, &m.sent, &m.sent_len, &b->e) != 0) {
		/* Ours does not say it; without the name it is a stranger's. */
		burin_error_clear(&b->e);
		ask.identity = NULL;
		must(&b->e, burin_cmc_make(&ask, &m.sent, &m.sent_len, &b->e));
	}
	t.data = m.sent;
	t.len = m.sent_len;
	t.invite = &in;
	must(&b->e, cmc_serve(&ra.s, &t, &m.said, &b->e));
	assert_int_equal(lines_of(b, "revoked"), 0);
	assert_int_equal(m.said.status, BURIN_CMC_FAILED);
	b->cnf.confirm = 0;
	invite_clear(&in);
	client_clear(&m);
	client_clear(&c);
	station_clear(&ra);
}

/* --- what an RA puts in --------------------------------------------------- */

static void
names_who_does_not_name_himself(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_subject *none = NULL;
	struct station ra;
	struct invite in = { 0 };
	struct client c;
	char *text;
	int found;

	station_new(b, &ra, "ra", &b->s);
	client_at(b, &ra.s, &c, "quiet", "P-256", "unit");
	must(&b->e, store_begin(ra.s.store, &b->e));
	must(&b->e, store_invite_get(ra.s.store, "quiet", &in, &found, &b->e));
	assert_non_null(in.subject = strdup("CN=as the RA has it"));
	must(&b->e, store_invite_put(ra.s.store, &in, c.secret, &b->e));
	must(&b->e, store_end(ra.s.store, 1, &b->e));
	/* Somebody else's name: no. */
	s = by_key(&c);
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	assert_int_equal(enrol(&c, &s), -1);
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	/* None: modCertTemplate. */
	must(&b->e, burin_subject_new(&none, &b->e));
	burin_subject_free(&c.subject);
	c.subject = none;
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	must(&b->e, enrol(&c, &s));
	assert_non_null(text = burin_dn_text(X509_get_subject_name(got(&c))));
	assert_string_equal(text, "CN=as the RA has it");
	free(text);
	invite_clear(&in);
	client_clear(&c);
	station_clear(&ra);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(passes_every_kind_on),
		EACH(passes_every_kind_on_twice),
		EACH(leaves_to_the_ca_what_it_knows),
		EACH(passes_a_hundred_on_at_once),
		EACH(passes_a_hundred_on_twice),
		EACH(waits_for_the_operator_of_the_ca),
		EACH(gives_back_what_is_there),
		EACH(asks_for_the_rest_of_a_batch),
		EACH(passes_simple_requests_on),
		EACH(a_simple_request_waits),
		EACH(renews_for_who_has_a_certificate),
		EACH(passes_on_what_certificates_sign),
		EACH(takes_off_what_is_encrypted_to_it),
		EACH(stops_what_is_wrong),
		EACH(one_secret_is_for_one_message),
		EACH(one_bad_message_is_alone),
		EACH(an_ra_that_was_revoked_passes_nothing),
		EACH(a_refusal_beside_a_certificate_frees_nothing),
		EACH(joining_a_use_spends_it),
		EACH(nobody_speaks_in_anothers_name),
		EACH(names_who_does_not_name_himself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
