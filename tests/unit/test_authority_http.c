/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's HTTPS side without a network: routes, rates of addresses,
 * the status page at its edges.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority/http.h"
#include "authority/page.h"

#define NOW 1800000000

/* --- routes ----------------------------------------------------------------
 */

static void
test_routes(void **state)
{
	static const struct {
		const char *url, *name, *label;
	} cases[] = {
		{ "/.well-known/est/cacerts", "cacerts", "" },
		{ "/.well-known/est/im/csrattrs", "csrattrs", "im" },
		{ "/.well-known/est/simplereenroll", "simplereenroll", "" },
		{ "/", "page", "" },
		{ "/metrics", "metrics", "" },
		{ "/ca.crl", "ca.crl", "" },
		/* An operation of EST is in its folder only, and the others
		 * are not in there. */
		{ "/cacerts", "other", "" },
		{ "/.well-known/est/", "other", "" },
		{ "/.well-known/est/metrics", "other", "" },
		{ "/.well-known/est//cacerts", "other", "" },
		{ "/.well-known/est/im/sub/cacerts", "other", "im" },
		/* RFC 7030 section 3.2.2: no label is an operation. */
		{ "/.well-known/est/csrattrs/cacerts", "other", "csrattrs" },
		{ "/.well-known/est/../cacerts", "other", ".." },
		{ "", "other", "" },
	};
	char url[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct exchange x = { 0 };

		route_find(cases[i].url, 0, &x);
		assert_string_equal(
		    route_name(route_number(x.route)), cases[i].name);
		assert_string_equal(x.label, cases[i].label);
	}
	/* A label has 64 characters at most. */
	for (i = 64; i <= 65; i++) {
		struct exchange x = { 0 };

		memcpy(url, EST_BASE, sizeof(EST_BASE));
		memset(url + sizeof(EST_BASE) - 1, 'a', i);
		memcpy(url + sizeof(EST_BASE) - 1 + i, "/cacerts", 9);
		route_find(url, 0, &x);
		assert_true((x.route != NULL) == (i == 64));
	}
}

/* Every route has a name of its own: it labels a time series. */
static void
test_names(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i <= ROUTES; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(route_name(i), route_name(j));
}

/* --- rates ------------------------------------------------------------------
 */

static void
address(struct sockaddr_storage *ss, const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(ss, &in, sizeof(in));
		return;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	memcpy(ss, &in6, sizeof(in6));
}

static int
too_fast(struct peers *p, const char *from, unsigned rate, time_t now)
{
	struct sockaddr_storage ss;

	memset(&ss, 0, sizeof(ss));
	address(&ss, from);
	return peers_too_fast(p, (struct sockaddr *)&ss, rate, now);
}

static void
test_rate(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct peers *p = NULL;
	char text[32];
	int i;

	(void)state;
	assert_int_equal(peers_new(&p, &e), 0);
	/* As many at once as in a minute, then one each six seconds. */
	for (i = 0; i < 10; i++)
		assert_false(too_fast(p, "192.0.2.1", 10, NOW));
	assert_true(too_fast(p, "192.0.2.1", 10, NOW));
	assert_true(too_fast(p, "192.0.2.1", 10, NOW + 5));
	assert_false(too_fast(p, "192.0.2.1", 10, NOW + 6));
	assert_true(too_fast(p, "192.0.2.1", 10, NOW + 6));
	/* A clock that was set back gives nothing and takes nothing. */
	assert_true(too_fast(p, "192.0.2.1", 10, NOW - 1000));
	/* Others have their own; ::ffff:192.0.2.1 is the same one. */
	assert_false(too_fast(p, "192.0.2.2", 10, NOW + 6));
	assert_true(too_fast(p, "::ffff:192.0.2.1", 10, NOW - 1000));
	/* One /64 is one address. */
	assert_false(too_fast(p, "2001:db8::1", 1, NOW));
	assert_true(too_fast(p, "2001:db8::2", 1, NOW));
	assert_false(too_fast(p, "2001:db8:0:1::1", 1, NOW));
	assert_false(too_fast(p, "2001:db8::1", 0, NOW));
	/* A minute of silence, and all of it is there again, not more. */
	for (i = 0; i < 10; i++)
		assert_false(too_fast(p, "192.0.2.1", 10, NOW + 3600));
	assert_true(too_fast(p, "192.0.2.1", 10, NOW + 3600));
	/* More addresses than the table has room for. */
	for (i = 0; i < 5000; i++) {
		(void)snprintf(
		    text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
		assert_false(too_fast(p, text, 1, NOW + 3600 + i));
	}
	peers_free(&p);
}

/* --- the page ------------------------------------------------------------ */

/* free() it. */
static char *
print(const struct page *p)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *data, *copy;
	long n;

	assert_non_null(mem);
	page_print(mem, p);
	n = BIO_get_mem_data(mem, &data);
	assert_non_null(copy = strndup(data, (size_t)n));
	BIO_free(mem);
	return copy;
}

static void
test_page_empty(void **state)
{
	struct counts c = { 0 };
	struct page p = { "CN=Lab", "AA:BB", NOW + 1000, &c, NOW };
	char *text = print(&p);

	(void)state;
	assert_non_null(strstr(text, "<dd id=\"issued\">0</dd>"));
	assert_non_null(strstr(text, "<td id=\"crl\">none yet</td>"));
	/* No bar, and an axis all the same. */
	assert_null(strstr(text, "<rect"));
	assert_non_null(strstr(text, "text-anchor=\"end\">1</text>"));
	free(text);
}

static void
test_page_text(void **state)
{
	struct counts c = { .crl_made = NOW - 90000, .crl_next = NOW - 1 };
	struct page p = { "CN=</title><script>\"a\" & 'b'", "AA", NOW, &c,
		NOW };
	char *text = print(&p);

	(void)state;
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text,
	    "<h1 id=\"name\">CN=&lt;/title&gt;&lt;script&gt;&quot;a&quot; "
	    "&amp; &#39;b&#39;</h1>"));
	assert_non_null(strstr(text, "25 hours old; out of date since "));
	free(text);
}

static void
test_page_many(void **state)
{
	struct counts c = { .issued = 123456789012LL };
	struct page p = { "CN=Lab", "AA", NOW, &c, NOW };
	char *text;

	(void)state;
	c.issued_on[0] = 4001;
	c.refused_on[0] = 1000;
	c.issued_on[COUNT_DAYS - 1] = 5000;
	text = print(&p);
	assert_non_null(strstr(text, "id=\"issued\">123456789012<"));
	/* The axis ends at the next round number above the highest day. */
	assert_non_null(strstr(text, "text-anchor=\"end\">10000</text>"));
	assert_non_null(strstr(text, ": 4001 issued, 1000 refused</title>"));
	/* 2027-01-15 is the day of NOW. */
	assert_non_null(
	    strstr(text, "<title>2027-01-15: 5000 issued, 0 refused"));
	assert_non_null(strstr(text, "height=\"80.0\""));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_page_empty),
		cmocka_unit_test(test_page_text),
		cmocka_unit_test(test_page_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
