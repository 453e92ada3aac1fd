/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC over bare TCP against a server that answers as the test says, also as
 * an HTTP proxy in between.
 */

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmc_peer.h"

#define ENDLESS (4 * TRANSPORT_MAX_BODY)

static struct cmc_parts parts;

/* One connection: what the server says on it, and what it heard. */
struct server {
	int listening;
	uint16_t port;
	pthread_t thread;
	const unsigned char *answer;
	size_t len;
	size_t piece;	    /* bytes at once, 0: all */
	useconds_t between; /* the pieces */
	int hold;	    /* do not close: until the client does */
	int proxy;	    /* CONNECT comes first */
	unsigned char heard[4096];
	size_t n_heard;
	char connect[512];
};

/* The head of CONNECT, up to its empty line. */
static void
be_proxy(struct server *s, int fd)
{
	static const char yes[] = "HTTP/1.1 200 go on\r\n\r\n";
	size_t n = 0;

	while (n + 1 < sizeof(s->connect) && read(fd, s->connect + n, 1) == 1) {
		s->connect[++n] = '\0';
		if (strstr(s->connect, "\r\n\r\n") != NULL)
			break;
	}
	(void)send(fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	size_t sent, n, want = parts.full_len;
	unsigned char rest[64];
	int fd = accept(s->listening, NULL, NULL);
	ssize_t got = 0;

	if (fd == -1)
		return NULL;
	if (s->proxy)
		be_proxy(s, fd);
	while (s->n_heard < want &&
	    (got = read(
		 fd, s->heard + s->n_heard, sizeof(s->heard) - s->n_heard)) > 0)
		s->n_heard += (size_t)got;
	for (sent = 0; sent < s->len; sent += n) {
		n = s->piece == 0 || s->piece > s->len - sent ? s->len - sent
							      : s->piece;
		if (send(fd, s->answer + sent, n, MSG_NOSIGNAL) < 0)
			break;
		if (s->between != 0)
			(void)usleep(s->between);
	}
	while (s->hold && read(fd, rest, sizeof(rest)) > 0)
		;
	(void)close(fd);
	return NULL;
}

static void
server_open(struct server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listening >= 0);
	assert_int_equal(
	    bind(s->listening, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listening, 1), 0);
	assert_int_equal(
	    getsockname(s->listening, (struct sockaddr *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
server_end(struct server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	assert_int_equal(close(s->listening), 0);
}

static int
ask(struct server *s, long timeout, struct transport_reply *reply,
    struct burin_error *e)
{
	struct transport_config c = { .protocol = "cmc", .timeout = timeout };
	char url[64];
	int rc;

	server_open(s);
	(void)snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", s->port);
	c.url = url;
	c.proxy = "";
	rc = transport_submit(&c, parts.full, parts.full_len, 0, reply, e);
	server_end(s);
	return rc;
}

static void
answers(void **state)
{
	/* as one piece, byte for byte and still open, closed behind it */
	static const struct {
		size_t piece;
		useconds_t between;
		int hold;
	} ways[] = { { 0, 0, 1 }, { 1, 500, 1 }, { 0, 0, 0 } };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server s = { .answer = parts.full,
			.len = parts.full_len,
			.piece = ways[i].piece,
			.between = ways[i].between,
			.hold = ways[i].hold };

		assert_int_equal(ask(&s, 20, &reply, &e), 0);
		assert_int_equal(reply.outcome, TRANSPORT_ISSUED);
		assert_int_equal(reply.len, parts.full_len);
		assert_memory_equal(reply.body, parts.full, parts.full_len);
		assert_int_equal(s.n_heard, parts.full_len);
		assert_memory_equal(s.heard, parts.full, parts.full_len);
		transport_reply_clear(&reply);
	}
}

/* BER: the end is known only when it has come. */
static void
indefinite(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	unsigned char ber[4096];
	struct server s = {
		.answer = ber, .piece = 100, .between = 2000, .hold = 1
	};
	FILE *f;

	(void)state;
	f = fopen(TEST_DIR "/golden/data/certs-only/indefinite.p7c", "rb");
	assert_non_null(f);
	s.len = fread(ber, 1, sizeof(ber), f);
	assert_int_equal(fclose(f), 0);
	assert_true(s.len > 200 && s.len < sizeof(ber));
	assert_int_equal(ber[1], 0x80);
	assert_int_equal(ask(&s, 20, &reply, &e), 0);
	assert_int_equal(reply.len, s.len);
	assert_memory_equal(reply.body, ber, s.len);
	transport_reply_clear(&reply);
	/* without its last octets it never ends */
	s.len -= 1;
	s.n_heard = 0;
	s.hold = 0;
	assert_int_equal(ask(&s, 20, &reply, &e), -1);
	assert_string_equal(e.code, "answer-truncated");
	assert_null(reply.body);
}

static void
expect(
    struct server *s, long timeout, enum burin_status status, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	time_t before = time(NULL);

	assert_int_equal(ask(s, timeout, &reply, &e), -1);
	assert_string_equal(e.code, code);
	assert_int_equal(e.status, status);
	assert_null(reply.body);
	assert_true(time(NULL) - before <= timeout + 2);
}

static void
refusals(void **state)
{
	static const unsigned char huge[] = { 0x30, 0x84, 0x06, 0x40, 0, 0, 1 },
				   string[] = { 0x04, 0x01, 0x30 },
				   empty[] = { 0x30, 0x00 },
				   http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	unsigned char *more = malloc(parts.full_len + 1);
	unsigned char *endless = calloc(1, ENDLESS);
	struct server s;

	(void)state;
	assert_non_null(more);
	assert_non_null(endless);
	memcpy(more, parts.full, parts.full_len);
	more[parts.full_len] = 0;
	s = (struct server) { .answer = parts.full, .len = 100 };
	expect(&s, 20, BURIN_EINTERRUPTED, "answer-truncated");
	s = (struct server) { .len = 0 };
	expect(&s, 20, BURIN_EINTERRUPTED, "answer-truncated");
	s = (struct server) { .answer = more, .len = parts.full_len + 1 };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-malformed");
	s = (struct server) { .answer = huge, .len = sizeof(huge), .hold = 1 };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-too-large");
	s = (struct server) { .answer = string, .len = 3, .hold = 1 };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-malformed");
	s = (struct server) { .answer = empty, .len = 2, .hold = 1 };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-malformed");
	s = (struct server) { .answer = http, .len = sizeof(http), .hold = 1 };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-malformed");
	/* of indefinite length, and then octet strings without an end */
	memset(endless, 0x04, ENDLESS);
	endless[0] = 0x30;
	endless[1] = 0x80;
	s = (struct server) { .answer = endless, .len = ENDLESS };
	expect(&s, 20, BURIN_EAUTHORITY, "answer-too-large");
	free(more);
	free(endless);
}

static void
patience_ends(void **state)
{
	struct server s;

	(void)state;
	s = (struct server) { .len = 0, .hold = 1 };
	expect(&s, 1, BURIN_EINTERRUPTED, "network-timeout");
	s = (struct server) { .answer = parts.full,
		.len = 6,
		.piece = 1,
		.between = 500000,
		.hold = 1 };
	expect(&s, 2, BURIN_EINTERRUPTED, "network-timeout");
}

static void
nobody_there(void **state)
{
	struct transport_config c = { .protocol = "cmc", .timeout = 5 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;

	(void)state;
	c.url = "tcp://127.0.0.1:1";
	c.proxy = "";
	assert_int_equal(
	    transport_submit(&c, parts.full, parts.full_len, 0, &reply, &e),
	    -1);
	assert_string_equal(e.code, "network-unreachable");
	assert_int_equal(e.status, BURIN_EINTERRUPTED);
	assert_non_null(strstr(e.reason, c.url));
}

/* The proxy is asked for host and port, the latter that of RFC 6402. */
static void
through_proxy(void **state)
{
	struct transport_config c = { .protocol = "cmc", .timeout = 20 };
	struct server s = { .answer = parts.full,
		.len = parts.full_len,
		.hold = 1,
		.proxy = 1 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	char proxy[64];

	(void)state;
	server_open(&s);
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", s.port);
	c.url = "tcp://ca.example";
	c.proxy = proxy;
	assert_int_equal(
	    transport_submit(&c, parts.full, parts.full_len, 0, &reply, &e), 0);
	server_end(&s);
	assert_int_equal(strncmp(s.connect, "CONNECT ca.example:5318 ", 24), 0);
	assert_int_equal(s.n_heard, parts.full_len);
	assert_memory_equal(s.heard, parts.full, parts.full_len);
	assert_int_equal(reply.len, parts.full_len);
	transport_reply_clear(&reply);
}

static void
addresses(void **state)
{
	static const struct {
		const char *url, *code; /* NULL: taken */
	} tries[] = {
		{ "tcp://ca.example", NULL },
		{ "TCP://ca.example:829/", NULL },
		{ "tcp://[::1]:5318", NULL },
		{ "tcp://ca.example/path", "ca-url" },
		{ "tcp://ca.example?query", "ca-url" },
		{ "tcp://ca.example:99999", "ca-url" },
		{ "tcp://", "ca-url" },
		{ "tcp://me:geheim@ca.example", "url-userinfo" },
	};
	struct transport_config c = { .protocol = "cmc" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		c.url = tries[i].url;
		assert_int_equal(
		    transport_check(&c, &e), tries[i].code == NULL ? 0 : -1);
		if (tries[i].code == NULL)
			continue;
		assert_string_equal(e.code, tries[i].code);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_null(strstr(e.reason, "geheim"));
	}
	c.url = tries[0].url;
	c.tls_only = 1;
	assert_int_equal(transport_check(&c, NULL), -1);
}

static int
start(void **state)
{
	(void)state;
	cmc_parts_make(&parts);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	cmc_parts_free(&parts);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(indefinite),
		cmocka_unit_test(refusals),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(through_proxy),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
