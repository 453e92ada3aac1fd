/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The HTTPS server, and one without TLS for CRL and CA certificate, whose
 * fetching over TLS would need them: libmicrohttpd with a thread per
 * connection, since a slow token holds up whoever waits for its signature,
 * until a signal stops it.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include "fence.h"
#include "http.h"
#include "ra.h"

#define MAX_CONNECTIONS 256 /* at once, with a thread each */
#define MAX_PER_ADDRESS 64  /* of them from one address */
#define IDLE_SECONDS 20	    /* then a connection is closed */
#define MAX_HEADER 32768    /* bytes of memory per connection */
#define NONCES 4096	    /* Digest nonces that are remembered */
#define SWEEP_SECONDS 3600  /* between looks for what is over */
/* that a conversation may take, and a request by mail waits, or is denied */
#define KEEP_SECONDS (90L * 24 * 3600)
#define STOP_SECONDS 5	/* for exchanges that are under way */
#define BUSY_SECONDS 5	/* until a client that met a full house asks again */
#define FIRST_ROOM 4096 /* bytes for a body, doubled as it grows */

/* TLS 1.2 is the oldest version that RFC 9325 section 3.1.1 allows. */
static const char priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* What can be said before the body is there; 0: nothing. */
static unsigned
refuse_early(
    struct server *s, struct MHD_Connection *c, const struct exchange *x)
{
	const char *length;

	if (atomic_load(&s->stopping))
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	if (peers_too_fast(s->peers, http_peer(c), s->a->cnf.rate, time(NULL)))
		return MHD_HTTP_TOO_MANY_REQUESTS;
	length = MHD_lookup_connection_value(
	    c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length != NULL && x->route != NULL && x->route->types != NULL &&
	    strtoull(length, NULL, 10) > x->route->max)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	return 0;
}

static void
say_refused(struct call *k, unsigned status)
{
	switch (status) {
	case MHD_HTTP_CONTENT_TOO_LARGE:
		answer_text(k->r, status,
		    "the request is longer than %zu bytes", k->x->route->max);
		break;
	case MHD_HTTP_TOO_MANY_REQUESTS:
		answer_text(k->r, status,
		    "more than %u requests in a minute from this address",
		    k->s->a->cnf.rate);
		k->r->retry_after = 60 / k->s->a->cnf.rate + 1;
		break;
	default:
		answer_text(k->r, status,
		    "the authority is busy or stopping; come again");
		k->r->retry_after = BUSY_SECONDS;
	}
	k->r->close = 1;
}

/* The first call of an exchange: only headers are there. */
static enum MHD_Result
begin(struct call *k, void **state)
{
	struct exchange *x;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return MHD_NO;
	*state = k->x = x;
	(void)atomic_fetch_add(&k->s->busy, 1);
	(void)clock_gettime(CLOCK_MONOTONIC, &x->begun);
	route_find(k->url, k->plain, x);
	if ((x->refused = refuse_early(k->s, k->c, x)) == 0)
		return MHD_YES;
	say_refused(k, x->refused);
	return answer_send(k);
}

/* Room for more bytes of the body, within what all bodies may take. */
static int
grow(struct server *s, struct exchange *x, size_t more)
{
	size_t room = x->room > 0 ? x->room : FIRST_ROOM;
	unsigned char *body;

	if (more <= x->room - x->len)
		return 0;
	while (room < x->len + more)
		room *= 2;
	if (atomic_fetch_add(&s->held, room - x->room) + room - x->room >
		HTTP_MAX_HELD ||
	    (body = realloc(x->body, room)) == NULL) {
		(void)atomic_fetch_sub(&s->held, room - x->room);
		return -1;
	}
	x->body = body;
	x->room = room;
	return 0;
}

/* A piece of the body. What is too long is read on, for a clean answer. */
static enum MHD_Result
take(struct server *s, struct exchange *x, const char *data, size_t *size)
{
	size_t max = x->route != NULL ? x->route->max : 0;

	x->seen += *size;
	if (x->seen <= max && x->refused == 0) {
		if (grow(s, x, *size) == 0) {
			memcpy(x->body + x->len, data, *size);
			x->len += *size;
		} else {
			x->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
		}
	}
	*size = 0;
	return x->seen <= max + HTTP_MAX_DRAIN ? MHD_YES : MHD_NO;
}

/* All of it is there: now it is our time, not the peer's. */
static enum MHD_Result
finish(struct call *k)
{
	struct conn *conn = http_conn(k->c);

	watch_limit(k->s->watch, conn, 0);
	if (k->x->refused != 0)
		say_refused(k, k->x->refused);
	else
		route_run(k);
	watch_limit(k->s->watch, conn, 1);
	return answer_send(k);
}

static enum MHD_Result
exchange(struct server *s, int plain, struct MHD_Connection *c, const char *url,
    const char *method, const char *data, size_t *size, void **state)
{
	struct answer r = { 0 };
	struct call k = { .s = s,
		.plain = plain,
		.c = c,
		.x = *state,
		.r = &r,
		.method = method,
		.url = url };

	if (k.x == NULL)
		return begin(&k, state);
	if (*size > 0)
		return take(k.s, k.x, data, size);
	return finish(&k);
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *size, void **state)
{
	(void)version;
	return exchange(arg, 0, c, url, method, data, size, state);
}

static enum MHD_Result
handle_plain(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **state)
{
	(void)version;
	return exchange(arg, 1, c, url, method, data, size, state);
}

static void
completed(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode how)
{
	struct server *s = arg;
	struct exchange *x = *state;

	(void)how;
	if (x == NULL)
		return;
	(void)atomic_fetch_sub(&s->held, x->room);
	free(x->body);
	free(x);
	*state = NULL;
	watch_limit(s->watch, http_conn(c), 1);
	(void)atomic_fetch_sub(&s->busy, 1);
}

static void daemon_log(void *arg, const char *fmt, va_list ap)
    BURIN_PRINTF(2, 0);

static void
daemon_log(void *arg, const char *fmt, va_list ap)
{
	char line[512];

	(void)arg;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	http_log("http: %s", line);
}

static void
connected(void *arg, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct server *s = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(
		    c, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context =
		    info != NULL ? watch_add(s->watch, info->connect_fd) : NULL;
	} else {
		watch_remove(s->watch, *context);
		*context = NULL;
	}
}

/* The CA in PEM, for libmicrohttpd to ask clients for certificates of it. */
static int
ca_text(struct server *s, char **out, struct burin_error *e)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *data;
	long n;
	int rc = -1;

	*out = NULL;
	if (mem == NULL || !PEM_write_bio_X509(mem, s->a->ca.cert) ||
	    (n = BIO_get_mem_data(mem, &data)) <= 0 ||
	    (*out = strndup(data, (size_t)n)) == NULL)
		(void)burin_fail_memory(e);
	else
		rc = 0;
	BIO_free(mem);
	return rc;
}

#define FLAGS                                             \
	(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | \
	    MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG | MHD_USE_ITC)
/* Of both kinds. */
#define OPTIONS(s, fd)                                                     \
	MHD_OPTION_EXTERNAL_LOGGER, daemon_log, NULL,                      \
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,     \
	    (unsigned)MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, \
	    (unsigned)MAX_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT,      \
	    (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,    \
	    (size_t)MAX_HEADER, MHD_OPTION_NOTIFY_COMPLETED, completed, s, \
	    MHD_OPTION_NOTIFY_CONNECTION, connected, s

static struct MHD_Daemon *
start_tls(struct server *s, int fd, const char *trust, const char *random,
    size_t random_len)
{
	return MHD_start_daemon(FLAGS | MHD_USE_TLS, 0, NULL, NULL, handle, s,
	    OPTIONS(s, fd), MHD_OPTION_HTTPS_PRIORITIES, priorities,
	    MHD_OPTION_HTTPS_CERT_CALLBACK, tls_callback(),
	    MHD_OPTION_HTTPS_MEM_TRUST, trust, MHD_OPTION_DIGEST_AUTH_RANDOM,
	    random_len, random, MHD_OPTION_NONCE_NC_SIZE, (unsigned)NONCES,
	    MHD_OPTION_END);
}

static struct MHD_Daemon *
start_plain(struct server *s, int fd)
{
	return MHD_start_daemon(FLAGS, 0, NULL, NULL, handle_plain, s,
	    OPTIONS(s, fd), MHD_OPTION_END);
}

static int
start(struct server *s, struct listening l[LISTEN_KINDS], const char *trust,
    struct MHD_Daemon *d[LISTEN_KINDS], struct burin_error *e)
{
	char random[32];
	int i;

	if (RAND_bytes((unsigned char *)random, sizeof(random)) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make the seed of Digest nonces");
	for (i = 0; i < LISTEN_KINDS; i++) {
		if (l[i].fd == -1)
			continue;
		d[i] = i == LISTEN_HTTPS
		    ? start_tls(s, l[i].fd, trust, random, sizeof(random))
		    : start_plain(s, l[i].fd);
		if (d[i] == NULL)
			return burin_fail(e, BURIN_EINTERNAL, "serve-failed",
			    "the server did not start at %s", l[i].url);
		l[i].fd = -1;
	}
	return 0;
}

/* No new connections, then a while for the exchanges that are under way. */
static void
stop(struct server *s, struct MHD_Daemon *d[LISTEN_KINDS])
{
	const struct timespec tick = { 0, 10 * 1000 * 1000 };
	int i, fd;

	atomic_store(&s->stopping, 1);
	for (i = 0; i < LISTEN_KINDS; i++)
		if (d[i] != NULL && (fd = MHD_quiesce_daemon(d[i])) >= 0)
			(void)close(fd);
	for (i = 0; i < STOP_SECONDS * 100 && atomic_load(&s->busy) > 0; i++)
		(void)nanosleep(&tick, NULL);
	for (i = 0; i < LISTEN_KINDS; i++)
		if (d[i] != NULL)
			MHD_stop_daemon(d[i]);
}

void
http_sweep(struct store *st)
{
	struct burin_error e = BURIN_ERROR_INIT;
	int rc;

	if ((rc = store_begin(st, &e)) == 0) {
		rc = store_sweep(st, time(NULL), KEEP_SECONDS, &e);
		if (store_end(st, rc == 0, &e) != 0)
			rc = -1;
	}
	if (rc != 0)
		http_log("sweep: %s: %s", e.code, e.reason);
}

/* The signal that ends it. */
static int
wait_for_end(struct server *s, const sigset_t *signals)
{
	const struct timespec hour = { SWEEP_SECONDS, 0 };
	int sig;

	do {
		http_sweep(s->a->store);
		while ((sig = sigtimedwait(signals, NULL, &hour)) < 0 &&
		    errno == EINTR)
			;
	} while (sig < 0);
	return sig;
}

/* SIGINT and SIGTERM are blocked here, so the threads leave them to us. */
static int
run(struct server *s, struct listening l[LISTEN_KINDS],
    const struct authority_serving *in, const struct authority_ready *r,
    const sigset_t *signals, struct burin_error *e)
{
	struct MHD_Daemon *d[LISTEN_KINDS] = { NULL };
	char *trust = NULL;
	int sig, rc = -1;

	if (ca_text(s, &trust, e) != 0 || tls_start(s->a, e) != 0)
		goto out;
	if (start(s, l, trust, d, e) == 0) {
		in->ready(in->arg, r);
		sig = wait_for_end(s, signals);
		http_log("stopping on signal %d", sig);
		rc = 0;
	}
	/* Whatever hangs: a keeper that was killed ends nobody any more. */
	(void)alarm(STOP_SECONDS + 5);
	stop(s, d);
	(void)alarm(0);
out:
	tls_stop();
	free(trust);
	return rc;
}

/* Before there is a thread: it holds for those that are started after it. */
static int
close_fence(
    struct authority *a, struct authority_ready *r, struct burin_error *e)
{
	return fence_front(a, a->cnf.ra, &r->landlock, e);
}

int
authority_serve(struct authority *a, const struct authority_serving *in,
    struct burin_error *e)
{
	struct server s = { .a = a };
	struct authority_ready r = { NULL, NULL, 0 };
	struct listening l[LISTEN_KINDS];
	sigset_t signals, before;
	int rc = -1;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, &before);
	if (listen_open(&a->cnf, in->listen, in->http_listen, l, e) == 0 &&
	    close_fence(a, &r, e) == 0 && peers_new(&s.peers, e) == 0 &&
	    metrics_new(&s.metrics, e) == 0 && watch_new(&s.watch, e) == 0 &&
	    upstream_new(a, &s.ra, e) == 0) {
		r.url = l[LISTEN_HTTPS].url;
		r.http_url = l[LISTEN_HTTP].url;
		rc = run(&s, l, in, &r, &signals, e);
	}
	listen_close(l);
	ra_free(&s.ra);
	watch_free(&s.watch);
	metrics_free(&s.metrics);
	peers_free(&s.peers);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		(void)burin_error_step(e, "authority-serve");
	return rc;
}
