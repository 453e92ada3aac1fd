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

#include "authority/ra.h"
#include "enrolling.h"

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
	int (*bend)(struct station *st, unsigned char **der, size_t *len);
	size_t largest; /* message, bytes */
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
	if (len > st->largest)
		st->largest = len;
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
	return st->bend != NULL ? st->bend(st, answer, answer_len) : 0;
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
	int simple;
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
	struct invite in = { 0 };

	if (k->simple) {
		in.id = 1;
		in.name = k->name;
		t.invite = &in;
	}
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
		must(&b->e, reads(&k[i].c, 0));
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

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		EACH(passes_every_kind_on),
		EACH(passes_every_kind_on_twice),
		EACH(leaves_to_the_ca_what_it_knows),
		EACH(passes_a_hundred_on_at_once),
		EACH(passes_a_hundred_on_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
