/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The protocol "file", the choice of protocols, the addresses of EST.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/transport.h"
#include "unit/scratch.h"

static char dir[32], request[64], response[64];
static struct burin_error e;
static struct transport_reply reply;

static int
setup(void **state)
{
	(void)state;
	burin_error_clear(&e);
	scratch_make(dir);
	(void)snprintf(request, sizeof(request), "%s/request", dir);
	(void)snprintf(response, sizeof(response), "%s/response", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	transport_reply_clear(&reply);
	scratch_remove(dir);
	return 0;
}

static void
expect(enum burin_status status, const char *code)
{
	assert_int_equal(e.status, status);
	assert_string_equal(e.code, code);
	assert_null(reply.body);
	burin_error_clear(&e);
}

static void
put(const char *path, size_t len)
{
	FILE *f = fopen(path, "wb");
	size_t i;

	assert_non_null(f);
	for (i = 0; i < len; i++)
		assert_true(fputc('x', f) != EOF);
	assert_int_equal(fclose(f), 0);
}

static int
submit(const struct transport_config *c)
{
	return transport_submit(
	    c, (const unsigned char *)"0\0DER", 5, 0, &reply, &e);
}

static void
test_out_and_in(void **state)
{
	struct transport_config c = { .protocol = "file" };
	struct stat st;
	char got[8];
	FILE *f;

	(void)state;
	assert_int_equal(transport_check(&c, &e), -1);
	expect(BURIN_EUSAGE, "request-file-missing");
	c.request_file = "-";
	assert_int_equal(transport_check(&c, &e), -1);
	expect(BURIN_EUSAGE, "request-file-missing");
	c.request_file = request;
	assert_int_equal(transport_check(&c, &e), 0);
	put(request, 100);
	assert_int_equal(submit(&c), 0);
	assert_int_equal(reply.outcome, TRANSPORT_PENDING);
	assert_int_equal(reply.retry_at, 0);
	assert_non_null(strstr(reply.detail, request));
	f = fopen(request, "rb");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof(got), f), 5);
	assert_int_equal(fclose(f), 0);
	assert_memory_equal(got, "0\0DER", 5);
	/* Nothing is left beside it. */
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(remove(request), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	c.response_file = response;
	put(response, 10);
	assert_int_equal(submit(&c), 0);
	assert_int_equal(reply.outcome, TRANSPORT_ISSUED);
	assert_int_equal(reply.len, 10);
	transport_reply_clear(&reply);
	assert_null(reply.body);
	/* The answer is read, the request is not written again. */
	assert_int_equal(stat(request, &st), -1);
}

static void
test_refused(void **state)
{
	struct transport_config c = { .protocol = "file",
		.response_file = response };

	(void)state;
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EINTERNAL, "file");
	put(response, 0);
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EUSAGE, "response-file");
	put(response, TRANSPORT_MAX_BODY + 1);
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EUSAGE, "response-file");
	c.response_file = dir;
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EUSAGE, "response-file");
	c.response_file = NULL;
	c.request_file = "/nonexistent/request";
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EINTERNAL, "file");
	assert_int_equal(transport_cacerts(&c, &reply, &e), -1);
	expect(BURIN_EUSAGE, "no-ca-certificates");
	c.protocol = "pigeon";
	assert_int_equal(transport_check(&c, &e), -1);
	assert_non_null(strstr(e.advice, "est, file"));
	expect(BURIN_EUSAGE, "protocol-unknown");
	assert_int_equal(submit(&c), -1);
	expect(BURIN_EUSAGE, "protocol-unknown");
}

/* What an address may hold is judged before it is stored or shown. */
static void
test_addresses(void **state)
{
	static const struct {
		const char *url, *proxy, *code; /* NULL: taken */
	} tries[] = {
		{ "https://ca.example", NULL, NULL },
		{ "https://ca.example/.well-known/est/label", "", NULL },
		{ "https://ca.example", "http://proxy:3128", NULL },
		{ "http://ca.example", NULL, "ca-url" },
		{ "https://ca.example/.well-known/estate", NULL, "ca-url" },
		{ "https://me:geheim@ca.example", NULL, "url-userinfo" },
		{ "http://me:geheim@ca.example", NULL, "url-userinfo" },
		{ "https://ca.example", "http://me:geheim@p", "url-userinfo" },
	};
	struct transport_config c;
	size_t i;

	(void)state;
	memset(&c, 0, sizeof(c));
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		c.url = tries[i].url;
		c.proxy = tries[i].proxy;
		if (tries[i].code == NULL) {
			assert_int_equal(transport_check(&c, &e), 0);
			continue;
		}
		assert_int_equal(transport_check(&c, &e), -1);
		assert_null(strstr(e.reason, "geheim"));
		assert_null(strstr(e.advice, "geheim"));
		expect(BURIN_EUSAGE, tries[i].code);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_out_and_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
