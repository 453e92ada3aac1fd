/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The HTTPS server: libmicrohttpd with a thread per connection, since a slow
 * token holds up whoever waits for its signature, until a signal stops it.
 */

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include "http.h"

#define MAX_CONNECTIONS 256 /* at once, with a thread each */
#define MAX_PER_ADDRESS 64  /* of them from one address */
#define IDLE_SECONDS 20	    /* then a connection is closed */
#define MAX_HEADER 32768    /* bytes of memory per connection */
#define NONCES 4096	    /* Digest nonces that are remembered */
#define STOP_SECONDS 5	    /* for exchanges that are under way */

/* TLS 1.2 is the oldest version that RFC 9325 section 3.1.1 allows. */
static const char priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static enum MHD_Result
refuse_long(struct MHD_Connection *c, const char *method, const char *url,
    const struct exchange *x)
{
	struct answer r = { 0 };

	answer_text(&r, MHD_HTTP_CONTENT_TOO_LARGE,
	    "the request is longer than %d bytes", HTTP_MAX_BODY);
	return answer_send(c, method, url, x, &r);
}

/* The first call of an exchange: only headers are there. */
static enum MHD_Result
begin(struct server *s, struct MHD_Connection *c, const char *method,
    const char *url, void **state)
{
	struct exchange *x;
	const char *length;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return MHD_NO;
	*state = x;
	(void)atomic_fetch_add(&s->busy, 1);
	length = MHD_lookup_connection_value(
	    c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length != NULL && strtoull(length, NULL, 10) > HTTP_MAX_BODY)
		return refuse_long(c, method, url, x);
	return MHD_YES;
}

/* A piece of the body. What is too long is read on, for a clean answer. */
static enum MHD_Result
take(struct exchange *x, const char *data, size_t *size)
{
	if (x->body == NULL && (x->body = malloc(HTTP_MAX_BODY)) == NULL)
		return MHD_NO;
	x->seen += *size;
	if (x->seen <= HTTP_MAX_BODY) {
		memcpy(x->body + x->len, data, *size);
		x->len += *size;
	}
	*size = 0;
	return x->seen <= HTTP_MAX_DRAIN ? MHD_YES : MHD_NO;
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *size, void **state)
{
	struct server *s = arg;
	struct exchange *x = *state;
	struct answer r = { 0 };

	(void)version;
	if (x == NULL)
		return begin(s, c, method, url, state);
	if (*size > 0)
		return take(x, data, size);
	est_answer(s, c, method, url, x, &r);
	return answer_send(c, method, url, x, &r);
}

static void
completed(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode how)
{
	struct server *s = arg;
	struct exchange *x = *state;

	(void)c;
	(void)how;
	if (x == NULL)
		return;
	free(x->body);
	free(x);
	*state = NULL;
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
	(void)arg;
	(void)c;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = calloc(1, sizeof(struct link));
	} else {
		free(*context);
		*context = NULL;
	}
}

/* "HOST:PORT" or "[ADDRESS]:PORT" apart; both are malloc'd. */
static int
split_listen(
    const char *listen, char **host, char **port, struct burin_error *e)
{
	const char *colon = strrchr(listen, ':');
	size_t n;

	*host = *port = NULL;
	if (colon == NULL || colon == listen || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
		(void)burin_fail(e, BURIN_EUSAGE, "listen-malformed",
		    "'%s' is no HOST:PORT", listen);
		return burin_error_advice(
		    e, "write localhost:8443, 0.0.0.0:443 or [::]:443");
	}
	n = (size_t)(colon - listen);
	if (listen[0] == '[' && n > 2 && listen[n - 1] == ']')
		*host = strndup(listen + 1, n - 2);
	else
		*host = strndup(listen, n);
	*port = strdup(colon + 1);
	if (*host != NULL && *port != NULL)
		return 0;
	free(*host);
	free(*port);
	*host = *port = NULL;
	return burin_fail_memory(e);
}

static int
try_listen(const struct addrinfo *ai)
{
	int fd, on = 1;

	fd = socket(
	    ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
open_socket(const char *host, const char *port, struct burin_error *e)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL, *ai;
	int rv, fd = -1;

	if ((rv = getaddrinfo(host, port, &hints, &list)) != 0)
		return burin_fail(e, BURIN_EUSAGE, "listen-failed",
		    "cannot find the address %s: %s", host, gai_strerror(rv));
	for (ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = try_listen(ai);
	if (fd < 0)
		(void)burin_fail(e, BURIN_EINTERNAL, "listen-failed",
		    "cannot listen on %s port %s: %s", host, port,
		    strerror(errno));
	freeaddrinfo(list);
	return fd;
}

/* https://HOST:PORT as a client on this machine reaches it. */
static int
make_url(struct server *s, int fd, const char *host, char **url,
    struct burin_error *e)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char port[16];
	int v6;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&ss, len, NULL, 0, port,
		sizeof(port), NI_NUMERICSERV) != 0)
		return burin_fail(e, BURIN_EINTERNAL, "listen-failed",
		    "the system does not say which port is open");
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
		host = s->a->cnf.hosts[0];
	v6 = strchr(host, ':') != NULL;
	if (asprintf(url, "https://%s%s%s:%s", v6 ? "[" : "", host,
		v6 ? "]" : "", port) < 0) {
		*url = NULL;
		return burin_fail_memory(e);
	}
	return 0;
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

static struct MHD_Daemon *
start(struct server *s, int fd, const char *trust, const char *random,
    size_t random_len)
{
	return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_TLS |
		MHD_USE_ERROR_LOG | MHD_USE_ITC,
	    0, NULL, NULL, handle, s, MHD_OPTION_EXTERNAL_LOGGER, daemon_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    (unsigned)MAX_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)MAX_HEADER, MHD_OPTION_HTTPS_PRIORITIES, priorities,
	    MHD_OPTION_HTTPS_CERT_CALLBACK, tls_callback(),
	    MHD_OPTION_HTTPS_MEM_TRUST, trust, MHD_OPTION_DIGEST_AUTH_RANDOM,
	    random_len, random, MHD_OPTION_NONCE_NC_SIZE, (unsigned)NONCES,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, connected, NULL, MHD_OPTION_END);
}

/* No new connections, then a while for the exchanges that are under way. */
static void
stop(struct server *s, struct MHD_Daemon *d)
{
	const struct timespec tick = { 0, 10 * 1000 * 1000 };
	int i, fd;

	if ((fd = MHD_quiesce_daemon(d)) >= 0)
		(void)close(fd);
	for (i = 0; i < STOP_SECONDS * 100 && atomic_load(&s->busy) > 0; i++)
		(void)nanosleep(&tick, NULL);
	MHD_stop_daemon(d);
}

/* SIGINT and SIGTERM are blocked here, so the threads leave them to us. */
static int
run(struct server *s, int *fd, const char *url, const sigset_t *signals,
    void (*ready)(void *arg, const char *url), void *arg, struct burin_error *e)
{
	struct MHD_Daemon *d = NULL;
	char random[32], *trust = NULL;
	int sig, rc = -1;

	if (ca_text(s, &trust, e) != 0 || tls_start(s->a, e) != 0)
		goto out;
	if (RAND_bytes((unsigned char *)random, sizeof(random)) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make the seed of Digest nonces");
		goto out;
	}
	if ((d = start(s, *fd, trust, random, sizeof(random))) == NULL) {
		(void)burin_fail(e, BURIN_EINTERNAL, "serve-failed",
		    "the HTTPS server did not start");
		goto out;
	}
	*fd = -1;
	ready(arg, url);
	while (sigwait(signals, &sig) != 0)
		;
	http_log("stopping on signal %d", sig);
	/* Whatever hangs: a keeper that was killed ends nobody any more. */
	(void)alarm(STOP_SECONDS + 5);
	stop(s, d);
	(void)alarm(0);
	rc = 0;
out:
	tls_stop();
	free(trust);
	return rc;
}

int
authority_serve(struct authority *a, const char *listen,
    void (*ready)(void *arg, const char *url), void *arg, struct burin_error *e)
{
	char *host = NULL, *port = NULL, *url = NULL;
	struct server s = { .a = a };
	sigset_t signals, before;
	int fd = -1, rc = -1;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, &before);
	if (peers_new(&s.peers, e) != 0 ||
	    split_listen(listen, &host, &port, e) != 0 ||
	    (fd = open_socket(host, port, e)) < 0 ||
	    make_url(&s, fd, host, &url, e) != 0)
		goto out;
	rc = run(&s, &fd, url, &signals, ready, arg, e);
out:
	if (fd >= 0)
		(void)close(fd);
	peers_free(&s.peers);
	free(url);
	free(host);
	free(port);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		(void)burin_error_step(e, "authority-serve");
	return rc;
}
