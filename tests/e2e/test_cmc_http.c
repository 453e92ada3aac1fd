/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC over HTTP and HTTPS, and in EST, against a real server that misbehaves
 * on demand: the path says how.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <microhttpd.h>
#include <openssl/pem.h>

#include "cmc_peer.h"

#define FLOOD (100L * 1024 * 1024)
#define CMC "application/pkcs7-mime; smime-type=CMC-response; name=r.p7m"
#define CERTS "Application/PKCS7-MIME; smime-type=certs-only"

static struct cmc_parts parts;

/* What the last request looked like. */
static struct {
	struct MHD_Daemon *tls, *plain;
	uint16_t tls_port, plain_port;
	char *key_pem, *cert_pem, *base64;
	int posts;
	char method[8], url[128], query[32];
	char type[128], accept[128], transfer[32];
	int authorized;
	unsigned char body[8192];
	size_t len;
	uint64_t flooded; /* bytes of the flood that were sent */
} peer;

/* --- the server ------------------------------------------------------------
 */

enum what {
	EMPTY,
	TEXT,	   /* "no, not you" */
	MESSAGE,   /* DER */
	HALF,	   /* of it */
	BASE64,	   /* of it, with line breaks */
	DRIP,	   /* a byte now and then, for ever */
	FLOODING,  /* FLOOD bytes */
	BROKEN_OFF /* the connection ends before the body does */
};
static const struct canned {
	const char *label;
	unsigned status;
	const char *type, *header, *value;
	enum what what;
} canned[] = {
	{ "ok", 200, CMC, NULL, NULL, MESSAGE },
	{ "created", 201, CERTS, NULL, NULL, MESSAGE },
	{ "old", 299, "application/x-pkcs7-mime", NULL, NULL, MESSAGE },
	{ "bad", 400, CMC, NULL, NULL, MESSAGE },
	{ "broken", 500, CMC, NULL, NULL, MESSAGE },
	{ "busycmc", 503, CMC, NULL, NULL, MESSAGE },
	{ "badtext", 400, "text/plain", NULL, NULL, TEXT },
	{ "badlie", 400, CMC, NULL, NULL, TEXT },
	{ "badempty", 400, CMC, NULL, NULL, EMPTY },
	{ "badhalf", 400, CMC, NULL, NULL, HALF },
	{ "busy", 503, "text/plain", "Retry-After", "3", TEXT },
	{ "type", 200, "text/html", NULL, NULL, TEXT },
	{ "untyped", 200, NULL, NULL, NULL, MESSAGE },
	{ "octets", 200, "application/octet-stream", NULL, NULL, MESSAGE },
	{ "lie", 200, CMC, NULL, NULL, TEXT },
	{ "half", 200, CMC, NULL, NULL, HALF },
	{ "empty", 200, CMC, NULL, NULL, EMPTY },
	{ "gone", 404, "text/plain", NULL, NULL, EMPTY },
	{ "who", 401, "text/plain", "WWW-Authenticate", "Basic realm=\"x\"",
	    TEXT },
	{ "away", 307, NULL, "Location", "http://localhost:1/ok", EMPTY },
	{ "drip", 200, CMC, NULL, NULL, DRIP },
	{ "flood", 200, CMC, NULL, NULL, FLOODING },
	{ "torn", 200, CMC, NULL, NULL, BROKEN_OFF },
	{ "tornlate", 400, CMC, NULL, NULL, BROKEN_OFF },
	/* as EST sends */
	{ "b", 200, CMC, "Content-Transfer-Encoding", "binary", BASE64 },
	{ "bbad", 400, CMC, "Content-Transfer-Encoding", "base64", BASE64 },
	{ "bbroken", 503, CMC, NULL, NULL, BASE64 },
	{ "bwait", 202, CMC, "Retry-After", "7", BASE64 },
	{ "wait", 202, "text/plain", "Retry-After", "7", TEXT },
	{ "waitempty", 202, CMC, "Retry-After", "7", EMPTY },
};

static ssize_t
trickle(void *arg, uint64_t pos, char *out, size_t max)
{
	enum what what = *(enum what *)arg;

	if (what == BROKEN_OFF && pos > 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (what == FLOODING) {
		memset(out, 'M', max);
		peer.flooded += max;
		return (ssize_t)max;
	}
	if (what == DRIP && pos > 0)
		(void)usleep(250000);
	*out = 0x30;
	return 1;
}

static struct MHD_Response *
body_of(enum what what)
{
	static const char no[] = "no, not you\r\n";
	static enum what drip = DRIP, flood = FLOODING, torn = BROKEN_OFF;

	switch (what) {
	case TEXT:
		return MHD_create_response_from_buffer(sizeof(no) - 1,
		    (void *)(uintptr_t)no, MHD_RESPMEM_PERSISTENT);
	case MESSAGE:
		return MHD_create_response_from_buffer(
		    parts.full_len, parts.full, MHD_RESPMEM_PERSISTENT);
	case HALF:
		return MHD_create_response_from_buffer(
		    parts.full_len / 2, parts.full, MHD_RESPMEM_PERSISTENT);
	case BASE64:
		return MHD_create_response_from_buffer(
		    strlen(peer.base64), peer.base64, MHD_RESPMEM_PERSISTENT);
	case DRIP:
		return MHD_create_response_from_callback(
		    MHD_SIZE_UNKNOWN, 1024, trickle, &drip, NULL);
	case FLOODING:
		return MHD_create_response_from_callback(
		    FLOOD, 65536, trickle, &flood, NULL);
	case BROKEN_OFF:
		return MHD_create_response_from_callback(
		    1000, 1024, trickle, &torn, NULL);
	default:
		return MHD_create_response_from_buffer(
		    0, NULL, MHD_RESPMEM_PERSISTENT);
	}
}

static enum MHD_Result
answer(struct MHD_Connection *c, const struct canned *a)
{
	struct MHD_Response *r = body_of(a->what);
	enum MHD_Result rc;

	if (a->type != NULL)
		(void)MHD_add_response_header(r, "Content-Type", a->type);
	if (a->header != NULL)
		(void)MHD_add_response_header(r, a->header, a->value);
	rc = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return rc;
}

static void
note(struct MHD_Connection *c, const char *name, char *out, size_t size)
{
	const char *value =
	    MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

	(void)snprintf(out, size, "%s", value != NULL ? value : "");
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **state)
{
	static int seen;
	const char *query;
	char label[32] = "";
	size_t i;

	(void)arg;
	(void)version;
	if (*state == NULL) {
		*state = &seen;
		peer.len = 0;
		return MHD_YES;
	}
	if (*len != 0) {
		if (*len > sizeof(peer.body) - peer.len)
			return MHD_NO;
		memcpy(peer.body + peer.len, data, *len);
		peer.len += *len;
		*len = 0;
		return MHD_YES;
	}
	peer.posts++;
	(void)snprintf(peer.method, sizeof(peer.method), "%s", method);
	(void)snprintf(peer.url, sizeof(peer.url), "%s", url);
	query = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "p");
	(void)snprintf(
	    peer.query, sizeof(peer.query), "%s", query != NULL ? query : "");
	note(c, "Content-Type", peer.type, sizeof(peer.type));
	note(c, "Accept", peer.accept, sizeof(peer.accept));
	note(c, "Content-Transfer-Encoding", peer.transfer,
	    sizeof(peer.transfer));
	if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization") !=
	    NULL)
		peer.authorized++;
	if (sscanf(url, "/.well-known/est/%31[a-z]/", label) != 1)
		(void)sscanf(url, "/%31[a-z]", label);
	for (i = 0; i < sizeof(canned) / sizeof(canned[0]); i++)
		if (strcmp(label, canned[i].label) == 0)
			return answer(c, &canned[i]);
	return MHD_NO;
}

static char *
mem_text(BIO *b)
{
	char *data, *copy;
	long n = BIO_get_mem_data(b, &data);

	copy = strndup(data, (size_t)n);
	assert_non_null(copy);
	BIO_free_all(b);
	return copy;
}

static char *
base64_of(const unsigned char *der, size_t len)
{
	BIO *b = BIO_push(BIO_new(BIO_f_base64()), BIO_new(BIO_s_mem()));
	char *text, *copy;
	long n;

	assert_int_equal(BIO_write(b, der, (int)len), (int)len);
	assert_int_equal(BIO_flush(b), 1);
	n = BIO_get_mem_data(BIO_next(b), &text);
	copy = strndup(text, (size_t)n);
	assert_non_null(copy);
	BIO_free_all(b);
	return copy;
}

static struct MHD_Daemon *
listen_as(unsigned flags, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *d;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	flags |=
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
	if ((flags & MHD_USE_TLS) != 0)
		d = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL,
		    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&sin,
		    MHD_OPTION_HTTPS_MEM_KEY, peer.key_pem,
		    MHD_OPTION_HTTPS_MEM_CERT, peer.cert_pem, MHD_OPTION_END);
	else
		d = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL,
		    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&sin,
		    MHD_OPTION_END);
	assert_non_null(d);
	info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
	assert_non_null(info);
	*port = info->port;
	return d;
}

static int
start(void **state)
{
	BIO *b;

	(void)state;
	cmc_parts_make(&parts);
	b = BIO_new(BIO_s_mem());
	assert_true(
	    PEM_write_bio_PrivateKey(b, parts.key, NULL, NULL, 0, NULL, NULL));
	peer.key_pem = mem_text(b);
	b = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_X509(b, parts.cert));
	peer.cert_pem = mem_text(b);
	peer.base64 = base64_of(parts.full, parts.full_len);
	peer.tls = listen_as(MHD_USE_TLS, &peer.tls_port);
	peer.plain = listen_as(0, &peer.plain_port);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	MHD_stop_daemon(peer.tls);
	MHD_stop_daemon(peer.plain);
	free(peer.key_pem);
	free(peer.cert_pem);
	free(peer.base64);
	cmc_parts_free(&parts);
	return 0;
}

/* --- the client ------------------------------------------------------------
 */

static int asked;

static int
give_secret(void *arg, struct burin_secret **out, struct burin_error *e)
{
	(void)arg;
	asked++;
	return burin_secret_new(out, "geheim", 6, e);
}

enum way {
	PLAIN,
	TLS,
	EST
};
struct client {
	struct transport_config c;
	struct transport_reply reply;
	struct burin_error e;
	char url[160];
};

static void
client_new(struct client *cl, enum way way, const char *label)
{
	memset(cl, 0, sizeof(*cl));
	(void)snprintf(cl->url, sizeof(cl->url), "%s://localhost:%u/%s%s",
	    way == PLAIN ? "http" : "https",
	    way == PLAIN ? peer.plain_port : peer.tls_port,
	    way == EST ? ".well-known/est/" : "", label);
	cl->c.protocol = way == EST ? "est-cmc" : "cmc";
	cl->c.url = cl->url;
	cl->c.proxy = "";
	cl->c.timeout = 20;
	if (way != PLAIN) {
		cl->c.tls_anchors = sk_X509_new_null();
		assert_non_null(cl->c.tls_anchors);
		assert_true(sk_X509_push(cl->c.tls_anchors, parts.cert) > 0);
	}
	asked = peer.posts = peer.authorized = 0;
	peer.flooded = 0;
}

static int
client_submit(struct client *cl)
{
	return transport_submit(
	    &cl->c, parts.full, parts.full_len, 0, &cl->reply, &cl->e);
}

static void
client_end(struct client *cl)
{
	sk_X509_free(cl->c.tls_anchors);
	transport_reply_clear(&cl->reply);
}

static void
expect_answer(enum way way, const char *label)
{
	struct client cl;

	client_new(&cl, way, label);
	assert_int_equal(client_submit(&cl), 0);
	assert_int_equal(cl.reply.outcome, TRANSPORT_ISSUED);
	assert_int_equal(cl.reply.len, parts.full_len);
	assert_memory_equal(cl.reply.body, parts.full, parts.full_len);
	client_end(&cl);
}

static void
expect_refusal(
    enum way way, const char *label, enum burin_status status, const char *code)
{
	struct client cl;

	client_new(&cl, way, label);
	assert_int_equal(client_submit(&cl), -1);
	assert_string_equal(cl.e.code, code);
	assert_int_equal(cl.e.status, status);
	assert_null(cl.reply.body);
	client_end(&cl);
}

/* A Full request as RFC 10003 wants it; what came is what was given. */
static void
full_request(void **state)
{
	enum way way;

	(void)state;
	for (way = PLAIN; way <= TLS; way++) {
		expect_answer(way, "ok/any/path?p=caCert");
		assert_string_equal(peer.method, "POST");
		assert_string_equal(peer.url, "/ok/any/path");
		assert_string_equal(peer.query, "caCert");
		assert_string_equal(peer.type,
		    "application/pkcs7-mime; smime-type=CMC-request; "
		    "name=request.p7m");
		assert_non_null(strstr(peer.accept, "application/pkcs7-mime"));
		assert_string_equal(peer.transfer, "");
		assert_int_equal(peer.len, parts.full_len);
		assert_memory_equal(peer.body, parts.full, parts.full_len);
	}
}

static void
simple_request(void **state)
{
	static const unsigned char neither[] = { 0x30, 0x03, 0x02, 0x01, 0 };
	struct client cl;

	(void)state;
	client_new(&cl, PLAIN, "created");
	assert_int_equal(transport_submit(&cl.c, parts.pkcs10, parts.pkcs10_len,
			     0, &cl.reply, &cl.e),
	    0);
	assert_string_equal(peer.type, "application/pkcs10; name=request.p10");
	assert_int_equal(peer.len, parts.pkcs10_len);
	assert_memory_equal(peer.body, parts.pkcs10, parts.pkcs10_len);
	transport_reply_clear(&cl.reply);
	assert_int_equal(transport_submit(&cl.c, neither, sizeof(neither), 0,
			     &cl.reply, &cl.e),
	    -1);
	assert_string_equal(cl.e.code, "request-kind");
	client_end(&cl);
}

static void
answers(void **state)
{
	static const char *const labels[] = { "ok", "created", "old", "bad",
		"broken", "busycmc" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		expect_answer(PLAIN, labels[i]);
		expect_answer(TLS, labels[i]);
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *label, *code;
		enum burin_status status;
	} cases[] = {
		{ "badtext", "http-400", BURIN_EAUTHORITY },
		{ "badlie", "http-400", BURIN_EAUTHORITY },
		{ "badempty", "http-400", BURIN_EAUTHORITY },
		{ "badhalf", "http-400", BURIN_EAUTHORITY },
		{ "busy", "authority-unavailable", BURIN_EINTERRUPTED },
		{ "gone", "http-404", BURIN_EAUTHORITY },
		{ "who", "http-401", BURIN_EAUTHORITY },
		{ "type", "answer-type", BURIN_EAUTHORITY },
		{ "untyped", "answer-type", BURIN_EAUTHORITY },
		{ "octets", "answer-type", BURIN_EAUTHORITY },
		{ "wait", "answer-type", BURIN_EAUTHORITY },
		{ "lie", "answer-malformed", BURIN_EAUTHORITY },
		{ "half", "answer-truncated", BURIN_EINTERRUPTED },
		{ "empty", "answer-truncated", BURIN_EINTERRUPTED },
		{ "torn", "network-failed", BURIN_EINTERRUPTED },
		{ "tornlate", "network-failed", BURIN_EINTERRUPTED },
		{ "away", "redirect-refused", BURIN_EAUTHORITY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_refusal(
		    TLS, cases[i].label, cases[i].status, cases[i].code);
		expect_refusal(
		    PLAIN, cases[i].label, cases[i].status, cases[i].code);
	}
}

/* A password is told to an authenticated server that asks, nobody else. */
static void
no_password_in_clear(void **state)
{
	struct client cl;

	(void)state;
	client_new(&cl, PLAIN, "who");
	cl.c.user = "alice";
	cl.c.secret = give_secret;
	assert_int_equal(client_submit(&cl), -1);
	assert_string_equal(cl.e.code, "http-401");
	assert_non_null(strstr(cl.e.advice, "https://"));
	assert_int_equal(asked, 0);
	assert_int_equal(peer.posts, 1);
	assert_int_equal(peer.authorized, 0);
	client_end(&cl);

	client_new(&cl, TLS, "who");
	cl.c.user = "alice";
	cl.c.secret = give_secret;
	assert_int_equal(client_submit(&cl), -1);
	assert_string_equal(cl.e.code, "http-401");
	assert_int_equal(asked, 1);
	assert_int_equal(peer.authorized, 1);
	client_end(&cl);
}

static void
stranger(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	X509 *other = pki_ca("another root", key);
	enum way way;
	struct client cl;

	(void)state;
	for (way = TLS; way <= EST; way++) {
		client_new(&cl, way, "ok");
		(void)sk_X509_pop(cl.c.tls_anchors);
		assert_int_equal(client_submit(&cl), -1);
		assert_string_equal(cl.e.code, "trust-missing");
		burin_error_clear(&cl.e);
		assert_true(sk_X509_push(cl.c.tls_anchors, other) > 0);
		assert_int_equal(client_submit(&cl), -1);
		assert_string_equal(cl.e.code, "server-untrusted");
		assert_int_equal(peer.posts, 0);
		client_end(&cl);
	}
	X509_free(other);
	EVP_PKEY_free(key);
}

/* RFC 10003: TLS 1.2 or later. The same server with that is fine. */
static void
old_tls(void **state)
{
	static const char *const versions[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:%COMPAT",
		"NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT",
	};
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct MHD_Daemon *d;
	struct client cl;
	size_t i;

	(void)state;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 2; i++) {
		d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
			MHD_USE_THREAD_PER_CONNECTION | MHD_USE_TLS,
		    0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
		    (struct sockaddr *)&sin, MHD_OPTION_HTTPS_MEM_KEY,
		    peer.key_pem, MHD_OPTION_HTTPS_MEM_CERT, peer.cert_pem,
		    MHD_OPTION_HTTPS_PRIORITIES, versions[i], MHD_OPTION_END);
		assert_non_null(d);
		client_new(&cl, TLS, "ok");
		(void)snprintf(cl.url, sizeof(cl.url),
		    "https://localhost:%u/ok",
		    MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
		assert_int_equal(client_submit(&cl), i == 0 ? 0 : -1);
		assert_int_equal(peer.posts, i == 0 ? 1 : 0);
		if (i == 1)
			assert_non_null(
			    strstr(cl.e.reason, "unsupported protocol"));
		client_end(&cl);
		MHD_stop_daemon(d);
	}
}

static void
addresses(void **state)
{
	static const struct {
		const char *url, *code; /* NULL: taken */
		int tls_only;
	} tries[] = {
		{ "https://ca.example/ca/ee/ca/profileSubmitCMCFull", NULL, 1 },
		{ "http://ca.example/cmc?a=b", NULL, 0 },
		{ "HTTP://ca.example", NULL, 0 },
		{ "http://ca.example/cmc", "ca-url", 1 },
		{ "ftp://ca.example/", "ca-url", 0 },
		{ "ca.example", "ca-url", 0 },
		{ "https://", "ca-url", 0 },
		{ "", "ca-url", 0 },
		{ NULL, "ca-url", 0 },
		{ "https://me:geheim@ca.example/", "url-userinfo", 0 },
	};
	struct transport_config c = { .protocol = "cmc" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		c.url = tries[i].url;
		c.tls_only = tries[i].tls_only;
		assert_int_equal(
		    transport_check(&c, &e), tries[i].code == NULL ? 0 : -1);
		if (tries[i].code == NULL)
			continue;
		assert_string_equal(e.code, tries[i].code);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_null(strstr(e.reason, "geheim"));
	}
	assert_int_equal(transport_carries("est"), TRANSPORT_PKCS10);
	assert_int_equal(transport_carries(NULL), TRANSPORT_PKCS10);
	assert_int_equal(transport_carries("cmc"), TRANSPORT_CMC);
	assert_int_equal(transport_carries("est-cmc"), TRANSPORT_CMC);
	assert_int_equal(transport_carries("file"), TRANSPORT_EITHER);
	assert_int_equal(transport_carries("pigeon"), TRANSPORT_NOTHING);
}

/* --- slow and large --------------------------------------------------------
 */

static double
seconds_of_drip(long timeout)
{
	struct timespec from, to;
	struct client cl;

	client_new(&cl, PLAIN, "drip");
	cl.c.timeout = timeout;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(client_submit(&cl), -1);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	assert_string_equal(cl.e.code, "network-timeout");
	assert_int_equal(cl.e.status, BURIN_EINTERRUPTED);
	client_end(&cl);
	return (double)(to.tv_sec - from.tv_sec) +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void
drip(void **state)
{
	double seconds;

	(void)state;
	/* the time in all ends it ... */
	assert_true(seconds_of_drip(1) < 3);
	/* ... and with patience, that it is so slow: for 3 seconds of 12,
	 * once libcurl's average has forgotten the request (some 6 seconds) */
	seconds = seconds_of_drip(12);
	print_message("drip: ended after %.1f seconds\n", seconds);
	assert_true(seconds > 2 && seconds < 11);
}

static void
flood(void **state)
{
	struct rusage before, after;
	enum way way;

	(void)state;
	for (way = PLAIN; way <= EST; way++) {
		assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
		expect_refusal(
		    way, "flood", BURIN_EAUTHORITY, "answer-too-large");
		assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
		print_message("flood: %ld KiB more, %llu KiB sent\n",
		    after.ru_maxrss - before.ru_maxrss,
		    (unsigned long long)peer.flooded / 1024);
		/* of what one answer may be, not of what is sent; the
		 * sanitizers keep what was freed for a while */
		assert_true(after.ru_maxrss - before.ru_maxrss < 80 * 1024);
		assert_true(peer.flooded < FLOOD / 4);
	}
}

/* --- in EST ----------------------------------------------------------------
 */

static void
est_request(void **state)
{
	struct client cl;
	unsigned char der[8192];

	(void)state;
	expect_answer(EST, "b");
	assert_string_equal(peer.method, "POST");
	assert_string_equal(peer.url, "/.well-known/est/b/fullcmc");
	assert_string_equal(
	    peer.type, "application/pkcs7-mime; smime-type=CMC-request");
	assert_string_equal(peer.transfer, "base64");
	assert_true(peer.len % 4 == 0 && peer.len >= parts.full_len);
	assert_true(EVP_DecodeBlock(der, peer.body, (int)peer.len) >=
	    (int)parts.full_len);
	assert_memory_equal(der, parts.full, parts.full_len);

	client_new(&cl, EST, "b");
	assert_int_equal(transport_submit(&cl.c, parts.pkcs10, parts.pkcs10_len,
			     0, &cl.reply, &cl.e),
	    -1);
	assert_string_equal(cl.e.code, "request-kind");
	assert_int_equal(peer.posts, 0);
	burin_error_clear(&cl.e);
	assert_int_equal(transport_cacerts(&cl.c, &cl.reply, &cl.e), 0);
	assert_string_equal(peer.url, "/.well-known/est/b/cacerts");
	client_end(&cl);
}

/* Refusals hold a message and are answers; DER as it is is read as well. */
static void
est_answers(void **state)
{
	static const char *const labels[] = { "b", "bbad", "bbroken", "bwait",
		"ok", "bad", "broken" };
	static const struct {
		const char *label, *code;
		enum burin_status status;
	} cases[] = {
		{ "badtext", "http-400", BURIN_EAUTHORITY },
		{ "badlie", "http-400", BURIN_EAUTHORITY },
		{ "badempty", "http-400", BURIN_EAUTHORITY },
		{ "badhalf", "http-400", BURIN_EAUTHORITY },
		{ "busy", "authority-unavailable", BURIN_EINTERRUPTED },
		{ "gone", "http-404", BURIN_EAUTHORITY },
		{ "type", "answer-type", BURIN_EAUTHORITY },
		{ "lie", "answer-malformed", BURIN_EAUTHORITY },
		{ "empty", "answer-malformed", BURIN_EAUTHORITY },
		{ "half", "answer-truncated", BURIN_EINTERRUPTED },
		{ "torn", "network-failed", BURIN_EINTERRUPTED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		expect_answer(EST, labels[i]);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(
		    EST, cases[i].label, cases[i].status, cases[i].code);
}

static void
est_waits(void **state)
{
	static const char *const labels[] = { "wait", "waitempty" };
	struct client cl;
	time_t before;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		client_new(&cl, EST, labels[i]);
		before = time(NULL);
		assert_int_equal(client_submit(&cl), 0);
		assert_int_equal(cl.reply.outcome, TRANSPORT_PENDING);
		assert_in_range(cl.reply.retry_at, before + 7, before + 12);
		client_end(&cl);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_request),
		cmocka_unit_test(simple_request),
		cmocka_unit_test(answers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(no_password_in_clear),
		cmocka_unit_test(stranger),
		cmocka_unit_test(old_tls),
		cmocka_unit_test(addresses),
		cmocka_unit_test(drip),
		cmocka_unit_test(flood),
		cmocka_unit_test(est_request),
		cmocka_unit_test(est_answers),
		cmocka_unit_test(est_waits),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
