/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has something to pass on waits in a line; one of them takes what stands
 * there, sends it in one layer and gives each its answer (RFC 10002 section
 * 6.17).
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/response.h>

#include "ra.h"

#define MAX_POLLS 8    /* for the rest of one batch */
#define POLL_SECONDS 5 /* before each, at most */
#define SPARE_PARTS 8  /* controls of a layer beside statements */

struct ra {
	struct ra_next next;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct ra_item *first, **last; /* the line */
	const struct ra_item *sender;  /* first of what is being sent */
	struct ra_kept kept;
};

int
ra_new(const struct ra_next *next, struct ra **out, struct burin_error *e)
{
	struct ra *ra;

	if ((ra = *out = calloc(1, sizeof(*ra))) == NULL)
		return burin_fail_memory(e);
	ra->next = *next;
	ra->last = &ra->first;
	(void)pthread_mutex_init(&ra->lock, NULL);
	(void)pthread_mutex_init(&ra->kept.lock, NULL);
	(void)pthread_cond_init(&ra->moved, NULL);
	return 0;
}

void
ra_free(struct ra **ra)
{
	if (*ra == NULL)
		return;
	X509_CRL_free((*ra)->kept.crl);
	(void)pthread_cond_destroy(&(*ra)->moved);
	(void)pthread_mutex_destroy(&(*ra)->kept.lock);
	(void)pthread_mutex_destroy(&(*ra)->lock);
	free(*ra);
	*ra = NULL;
}

void
ra_item_clear(struct ra_item *item)
{
	OPENSSL_free(item->answer);
	X509_free(item->cert);
	memset(item, 0, sizeof(*item));
}

/* --- for ra_crl.c --------------------------------------------------------- */

const struct ra_next *
ra_asks(const struct ra *ra)
{
	return &ra->next;
}

struct ra_kept *
ra_keeps(struct ra *ra)
{
	return &ra->kept;
}

struct burin_cms_signer
ra_signer(const struct ra_next *next, time_t now)
{
	return (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = next->key,
		.pub = X509_get0_pubkey(next->cert),
		.cert = next->cert,
		.signing_time = now };
}

/* --- a layer -------------------------------------------------------------- */

/* Items that go together: messages first, then Simple requests. */
struct batch {
	struct ra *ra;
	struct ra_item *list[RA_MAX_BATCH + BURIN_CMC_MAX_SIMPLE];
	size_t n, n_messages, n_vouches, bytes;
	const struct ra_item *first; /* the sender's */
	time_t now;
	/* the layer, and the last that was said about it */
	struct burin_cmc_thread thread;
	unsigned char *layer, *sent;
	size_t layer_len, sent_len;
};

static int
same_profile(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* 1 when it may go with what is in b. */
static int
has_room(const struct batch *b, const struct ra_item *item)
{
	size_t parts = b->n + b->n_vouches + 1 + item->n_vouches;

	if (b->n == 0)
		return 1;
	return same_profile(b->list[0]->profile, item->profile) &&
	    b->bytes + item->len <= RA_MAX_MESSAGE &&
	    parts + SPARE_PARTS <= BURIN_CMC_MAX_PARTS &&
	    (item->simple ? b->n - b->n_messages < BURIN_CMC_MAX_SIMPLE
			  : b->n_messages < RA_MAX_BATCH);
}

static void
put_item(struct batch *b, struct ra_item *item)
{
	size_t at = item->simple ? b->n : b->n_messages;

	memmove(
	    &b->list[at + 1], &b->list[at], (b->n - at) * sizeof(b->list[0]));
	b->list[at] = item;
	b->n++;
	b->n_messages += !item->simple;
	b->n_vouches += item->n_vouches;
	b->bytes += item->len;
}

/* What is said in the message number id is said in the layer around it. */
static void
lift(const struct ra_item *item, uint32_t id, const uint32_t *as_id,
    const struct burin_cmc_vouch *from, struct burin_cmc_vouch *to)
{
	*to = *from;
	if (item->simple) {
		if (from->kind == BURIN_CMC_STATES_IDENTITY) {
			to->path.ids[0] = id;
			to->path.n = 1;
		} else {
			to->ids = as_id;
			to->n_ids = 1;
		}
		return;
	}
	memmove(&to->path.ids[1], &from->path.ids[0],
	    from->path.n * sizeof(to->path.ids[0]));
	to->path.ids[0] = id;
	to->path.n = from->path.n + 1;
}

static int
make_layer(struct batch *b, struct burin_error *e)
{
	struct burin_cms_signer signer = ra_signer(&b->ra->next, b->now);
	struct burin_cmc_bytes parts[RA_MAX_BATCH + BURIN_CMC_MAX_SIMPLE];
	uint32_t ids[RA_MAX_BATCH + BURIN_CMC_MAX_SIMPLE];
	struct burin_cmc_layer l = { .thread = &b->thread, .signer = &signer };
	struct burin_cmc_vouch *vouches;
	size_t i, k, n = 0;
	int rc = -1;

	if ((vouches = calloc(b->n_vouches + 1, sizeof(*vouches))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < b->n; i++) {
		parts[i].der = b->list[i]->der;
		parts[i].len = b->list[i]->len;
		ids[i] = (uint32_t)i + 1;
		for (k = 0; k < b->list[i]->n_vouches; k++)
			lift(b->list[i], ids[i], &ids[i],
			    &b->list[i]->vouches[k], &vouches[n++]);
	}
	l.messages = parts;
	l.n_messages = b->n_messages;
	l.batch = b->n_messages > 0;
	l.simple = parts + b->n_messages;
	l.n_simple = b->n - b->n_messages;
	l.vouches = vouches;
	l.n_vouches = n;
	if (burin_cmc_begin(&b->thread, e) == 0)
		rc = burin_cmc_layer_make(&l, &b->layer, &b->layer_len, e);
	free(vouches);
	return rc;
}

/* Section 6.13: for what was not in the last answer. */
static int
make_poll(
    struct batch *b, const struct burin_cmc_reply *r, struct burin_error *e)
{
	struct burin_cms_signer signer = ra_signer(&b->ra->next, b->now);
	struct burin_cmc_layer l = { .thread = &b->thread,
		.pend_token = r->pend_token,
		.signer = &signer };

	b->thread.received = r->server_nonce;
	OPENSSL_free(b->sent);
	b->sent = NULL;
	if (burin_cmc_next(&b->thread, e) != 0)
		return -1;
	return burin_cmc_layer_make(&l, &b->sent, &b->sent_len, e);
}

/* --- answers -------------------------------------------------------------- */

static int
take_message(struct ra_item *item, const struct burin_cmc_reply *r, size_t i,
    struct burin_error *e)
{
	const unsigned char *der;
	size_t len;

	if (burin_cmc_reply_inside(r, i, &der, &len) != 0)
		return 0;
	if ((item->answer = OPENSSL_memdup(der, len)) == NULL)
		return burin_fail_memory(e);
	item->answer_len = len;
	return 0;
}

/* A Simple request has its certificate beside, or a status, or both. */
static int
take_simple(struct ra_item *item, const struct burin_cmc_reply *r, uint32_t id,
    struct burin_error *e)
{
	X509_REQ *req = NULL;
	int said = burin_cmc_reply_part(r, id, &item->state);

	if (said == 0 && item->state.status != BURIN_CMC_SUCCESS) {
		item->answered = 1;
		return 0;
	}
	if (burin_pkcs10_parse(
		item->der, item->len, BURIN_EINTERNAL, &req, e) != 0)
		return -1;
	item->cert = burin_certs_for_key(r->certs, X509_REQ_get0_pubkey(req));
	if (item->cert != NULL && !X509_up_ref(item->cert))
		item->cert = NULL;
	X509_REQ_free(req);
	item->answered = item->cert != NULL;
	return 0;
}

static int
is_answered(const struct ra_item *item)
{
	return item->simple ? item->answered : item->answer != NULL;
}

/* Gives out what is in r. 1: that is all; 0: something is missing. */
static int
take_all(
    struct batch *b, const struct burin_cmc_reply *r, struct burin_error *e)
{
	int all = 1;
	size_t i;

	for (i = 0; i < b->n; i++) {
		struct ra_item *item = b->list[i];

		if (is_answered(item))
			continue;
		if ((item->simple ? take_simple(item, r, (uint32_t)i + 1, e)
				  : take_message(item, r, i + 1, e)) != 0)
			return -1;
		all &= is_answered(item);
	}
	return all;
}

/* Sends sent, or else the layer, and reads what comes back. */
static int
ask(struct batch *b, struct burin_cmc_reply *r, struct burin_error *e)
{
	const struct ra_next *next = &b->ra->next;
	const unsigned char *der = b->sent != NULL ? b->sent : b->layer;
	size_t len = b->sent != NULL ? b->sent_len : b->layer_len;
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct burin_cmc_expect x = { .status = BURIN_EINTERRUPTED,
		.thread = &b->thread,
		.request = der,
		.request_len = len,
		.anchors = anchors,
		.now = b->now,
		.skew = RA_SKEW,
		.layer = b->layer,
		.layer_len = b->layer_len };
	unsigned char *answer = NULL;
	size_t answer_len;
	int rc = -1;

	if (anchors == NULL || !sk_X509_push(anchors, next->anchor)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (next->submit(next->arg, b->list[0]->profile, der, len, &answer,
		&answer_len, e) == 0)
		rc = burin_cmc_read(answer, answer_len, &x, r, e);
out:
	OPENSSL_free(answer);
	sk_X509_free(anchors);
	return rc;
}

static void
pause_until(time_t then)
{
	struct timespec t = { .tv_sec = then - time(NULL) };

	if (t.tv_sec < 1)
		t.tv_sec = 1;
	if (t.tv_sec > POLL_SECONDS)
		t.tv_sec = POLL_SECONDS;
	(void)nanosleep(&t, NULL);
}

/* --- one batch ------------------------------------------------------------ */

/* The next may be sent; nothing when it may already. */
static void
let_go(struct ra *ra, const struct ra_item *sender)
{
	(void)pthread_mutex_lock(&ra->lock);
	if (ra->sender == sender)
		ra->sender = NULL;
	(void)pthread_cond_broadcast(&ra->moved);
	(void)pthread_mutex_unlock(&ra->lock);
}

/* "partial": the rest is asked for while others send (section 6.17). */
static int
poll_rest(struct batch *b, struct burin_cmc_reply *r, struct burin_error *e)
{
	int i, all = 0;

	let_go(b->ra, b->first);
	for (i = 0; i < MAX_POLLS && !all; i++) {
		pause_until(r->pend_time);
		if (make_poll(b, r, e) != 0)
			return -1;
		burin_cmc_reply_clear(r);
		if (ask(b, r, e) != 0 || (all = take_all(b, r, e)) < 0)
			return -1;
		if (r->outcome != BURIN_CMC_WAIT)
			break;
	}
	return 0;
}

static int
exchange(struct batch *b, struct burin_error *e)
{
	struct burin_cmc_reply r;
	int all, rc = -1;

	if (make_layer(b, e) != 0 || ask(b, &r, e) != 0)
		return -1;
	if ((all = take_all(b, &r, e)) >= 0)
		rc = all || r.outcome != BURIN_CMC_WAIT ? 0
							: poll_rest(b, &r, e);
	burin_cmc_reply_clear(&r);
	return rc;
}

static void
fail_all(struct batch *b, const struct burin_error *e)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (!is_answered(b->list[i]))
			b->list[i]->e = *e;
}

/* Items that are taken out of the line, and whose turn it is. */
struct turn {
	struct ra *ra;
	const struct ra_item *sender;
	time_t now;
};
static void send_batch(
    const struct turn *t, struct ra_item *const *list, size_t n);

/* A refusal of the whole that fewer of them may not meet. */
static int
is_of_messages(const struct burin_error *e)
{
	static const char *const codes[] = { "cmc-badRequest", "cmc-badAlg",
		"cmc-unsupportedExt", "cmc-internalCAError", "answer-too-large",
		"http-400" };
	size_t i;

	if (e->status == BURIN_EUSAGE)
		return 1;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(e->code, codes[i]) == 0)
			return 1;
	return 0;
}

/*
 * One message that cannot be passed on, or that the next server does not
 * stand, is no reason to refuse the others: they go without it.
 */
static int
may_part(const struct batch *b, const struct burin_error *e)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (is_answered(b->list[i]))
			return 0;
	return b->n > 1 && is_of_messages(e);
}

static void
send_batch(const struct turn *t, struct ra_item *const *list, size_t n)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct batch b = { .ra = t->ra, .first = t->sender, .now = t->now };
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		put_item(&b, list[i]);
	rc = exchange(&b, &e);
	ERR_clear_error();
	OPENSSL_free(b.layer);
	OPENSSL_free(b.sent);
	if (rc != 0 && may_part(&b, &e)) {
		send_batch(t, b.list, b.n / 2);
		send_batch(t, b.list + b.n / 2, b.n - b.n / 2);
		return;
	}
	if (rc == 0) {
		(void)burin_fail(&e, BURIN_EINTERRUPTED, "upstream-silent",
		    "the authority that requests are passed on to gave no "
		    "answer to this one");
		(void)burin_error_rule(&e, "RFC 10002 section 6.17");
	}
	fail_all(&b, &e);
}

/* --- the line ------------------------------------------------------------- */

/* Takes out of the line what goes together with the first. */
static size_t
take_line(struct ra *ra, struct ra_item **list)
{
	struct ra_item **at = &ra->first, *item;
	struct batch b = { .ra = ra };

	while ((item = *at) != NULL) {
		if (!has_room(&b, item)) {
			at = &item->after;
			continue;
		}
		put_item(&b, item);
		*at = item->after;
	}
	ra->last = at;
	memcpy(list, b.list, b.n * sizeof(b.list[0]));
	return b.n;
}

static void
send_line(struct ra *ra, time_t now)
{
	struct ra_item *list[RA_MAX_BATCH + BURIN_CMC_MAX_SIMPLE];
	size_t i, n = take_line(ra, list);
	struct turn t = { ra, list[0], now };

	ra->sender = t.sender;
	(void)pthread_mutex_unlock(&ra->lock);
	send_batch(&t, list, n);
	let_go(ra, t.sender);
	(void)pthread_mutex_lock(&ra->lock);
	for (i = 0; i < n; i++)
		list[i]->done = 1;
	(void)pthread_cond_broadcast(&ra->moved);
}

int
ra_pass(struct ra *ra, struct ra_item *item, time_t now, struct burin_error *e)
{
	(void)pthread_mutex_lock(&ra->lock);
	item->after = NULL;
	item->done = 0;
	*ra->last = item;
	ra->last = &item->after;
	while (!item->done) {
		if (ra->sender == NULL && ra->first != NULL)
			send_line(ra, now);
		else
			(void)pthread_cond_wait(&ra->moved, &ra->lock);
	}
	(void)pthread_mutex_unlock(&ra->lock);
	if (is_answered(item))
		return 0;
	if (e != NULL)
		*e = item->e;
	return -1;
}
