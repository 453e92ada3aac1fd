/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 7512 URIs and bare words: what is taken, what is refused, what matches.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkcs11/uri.h"

/* Never printed, logged or quoted. */
#define PIN "73519"

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "pkcs11:token=a;token=b", "uri-malformed" },
		{ "pkcs11:id=%01;id=%02", "uri-malformed" },
		{ "pkcs11:token=a?pin-source=a&pin-source=b", "uri-malformed" },
		{ "pkcs11:foo=1", "uri-malformed" },
		{ "pkcs11:x-foo=1", "uri-malformed" },
		{ "pkcs11:Token=a", "uri-malformed" },
		{ "pkcs11:pinfile=/x", "uri-malformed" },
		{ "pkcs11:object-type=cert", "uri-malformed" },
		{ "pkcs11:pin-source=file:/x", "uri-malformed" },
		{ "pkcs11:type=banana", "uri-malformed" },
		{ "pkcs11:token", "uri-malformed" },
		{ "pkcs11:=a", "uri-malformed" },
		{ "pkcs11:token=a;", "uri-malformed" },
		{ "pkcs11:;token=a", "uri-malformed" },
		{ "pkcs11:token=a;;serial=1", "uri-malformed" },
		{ "pkcs11:token=%zz", "uri-malformed" },
		{ "pkcs11:token=%4", "uri-malformed" },
		{ "pkcs11:token=a b", "uri-malformed" },
		{ " pkcs11:token=a\n", "" },
		{ "pkcs11:token=a\n", "uri-malformed" },
		{ "pkcs11:token=a#b", "uri-malformed" },
		{ "pkcs11:token=a%00b", "uri-malformed" },
		{ "pkcs11:object=a%00", "uri-malformed" },
		{ "pkcs11:token=aaaaaaaaaabbbbbbbbbbccccccccccddd",
		    "uri-malformed" },
		{ "pkcs11:serial=12345678901234567", "uri-malformed" },
		{ "pkcs11:slot-id=x", "uri-malformed" },
		{ "pkcs11:slot-id=", "uri-malformed" },
		{ "pkcs11:slot-id=-1", "uri-malformed" },
		{ "pkcs11:slot-id=0x10", "uri-malformed" },
		{ "pkcs11:slot-id=99999999999999999999999", "uri-malformed" },
		{ "pkcs11:library-version=2.x", "uri-malformed" },
		{ "pkcs11:library-version=", "uri-malformed" },
		{ "pkcs11:?module-path=lib.so", "uri-malformed" },
		{ "pkcs11:token=a?pin-source=%7C/bin/cat", "uri-command" },
		{ "pkcs11:token=a?pin-source=|/bin/cat", "uri-command" },
		{ "pkcs11:token=a?pin-value=" PIN, "uri-pin" },
		{ "pkcs11:token=a?PIN-Value=" PIN, "uri-pin" },
		{ "pkcs11:token=a;pin-value=" PIN, "uri-pin" },
		{ "pkcs11:token=a?pin-source=file:/x&pin-value=" PIN,
		    "uri-pin" },
		{ "pkcs11:a b=1?pin-value=" PIN, "uri-malformed" },
		{ "", "token-name-empty" },
		{ "   ", "token-name-empty" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;
		struct p11_uri *u = NULL;
		int r = p11_uri_parse(&u, rows[i].text, &e);

		if (rows[i].code[0] == '\0') {
			/* Not a URI for its first blank: a bare word. */
			assert_int_equal(r, 0);
			assert_non_null(u->word);
			p11_uri_free(&u);
			continue;
		}
		if (r == 0)
			fail_msg("taken: %s", rows[i].text);
		assert_null(u);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_string_equal(e.code, rows[i].code);
		assert_null(strstr(e.reason, PIN));
		assert_null(strstr(e.cause, PIN));
		assert_int_equal(p11_uri_parse(&u, rows[i].text, NULL), -1);
	}
}

static void
test_too_long(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char text[P11_MAX_URI + 2];
	struct p11_uri *u = NULL;
	char id[32 + 3 * (BURIN_MAX_ID + 1)];
	size_t i, n;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(p11_uri_parse(&u, text, &e), -1);
	assert_string_equal(e.code, "token-name-length");

	n = (size_t)snprintf(id, sizeof(id), "pkcs11:id=");
	for (i = 0; i < BURIN_MAX_ID; i++)
		n += (size_t)snprintf(id + n, sizeof(id) - n, "%%00");
	assert_int_equal(p11_uri_parse(&u, id, NULL), 0);
	assert_int_equal(u->id_len, BURIN_MAX_ID);
	p11_uri_free(&u);
	(void)snprintf(id + n, sizeof(id) - n, "%%00");
	assert_int_equal(p11_uri_parse(&u, id, NULL), -1);
}

static struct p11_uri *
parse(const char *text)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct p11_uri *u = NULL;

	if (p11_uri_parse(&u, text, &e) == -1)
		fail_msg("%s: %s", text, e.reason);
	return u;
}

static void
test_fields(void **state)
{
	struct p11_uri *u;

	(void)state;
	u = parse("PKCS11:token=My%20card%20%20;serial=%31%32;"
		  "model=m;manufacturer=ACME;slot-id=5;object=k%C3%A9y;"
		  "id=%00%ffA;type=private;library-version=2;"
		  "library-manufacturer=lm;library-description=ld;"
		  "slot-description=sd;slot-manufacturer=sm"
		  "?pin-source=file:/run/pin&module-name=softhsm2"
		  "&module-path=/usr/lib/x.so&x-unknown=1&foo=2");
	assert_null(u->word);
	assert_string_equal(u->token, "My card");
	assert_string_equal(u->serial, "12");
	assert_string_equal(u->model, "m");
	assert_string_equal(u->manufacturer, "ACME");
	assert_true(u->has_slot_id);
	assert_int_equal(u->slot_id, 5);
	assert_string_equal(u->object, "k\xc3\xa9y");
	assert_true(u->has_id);
	assert_int_equal(u->id_len, 3);
	assert_memory_equal(u->id, "\x00\xff\x41", 3);
	assert_true(u->has_class);
	assert_int_equal(u->cls, CKO_PRIVATE_KEY);
	assert_true(u->has_lib_version);
	assert_int_equal(u->lib_version.major, 2);
	assert_int_equal(u->lib_version.minor, 0);
	assert_string_equal(u->lib_manufacturer, "lm");
	assert_string_equal(u->lib_description, "ld");
	assert_string_equal(u->slot_description, "sd");
	assert_string_equal(u->slot_manufacturer, "sm");
	assert_string_equal(u->pin_source, "file:/run/pin");
	assert_string_equal(u->module_name, "softhsm2");
	assert_string_equal(u->module_path, "/usr/lib/x.so");
	assert_false(p11_uri_any_token(u));
	p11_uri_free(&u);
	assert_null(u);
	p11_uri_free(&u);
	p11_uri_free(NULL);

	u = parse("pkcs11:");
	assert_true(p11_uri_any_token(u));
	p11_uri_free(&u);
	u = parse(NULL);
	assert_true(p11_uri_any_token(u));
	p11_uri_free(&u);
	u = parse("pkcs11:id=%01;object=x?pin-source=file:/x");
	assert_true(p11_uri_any_token(u));
	p11_uri_free(&u);
	u = parse("pkcs11:id=");
	assert_true(u->has_id);
	assert_int_equal(u->id_len, 0);
	p11_uri_free(&u);
	u = parse("my card ");
	assert_string_equal(u->word, "my card");
	assert_false(p11_uri_any_token(u));
	p11_uri_free(&u);
}

/* A token without a module behind it. */
static void
fake(struct burin_token *t, const char *label, const char *serial)
{
	memset(t, 0, sizeof(*t));
	(void)snprintf(t->label, sizeof(t->label), "%s", label);
	(void)snprintf(t->serial, sizeof(t->serial), "%s", serial);
	(void)snprintf(t->model, sizeof(t->model), "SoftHSM v2");
	(void)snprintf(t->manufacturer, sizeof(t->manufacturer), "ACME");
	t->slot = 7;
	t->info.initialized = label[0] != '\0';
}

static void
test_match_token(void **state)
{
	static const struct {
		const char *text;
		int match;
	} rows[] = {
		{ "pkcs11:", 1 },
		{ "pkcs11:token=fleet1", 1 },
		{ "pkcs11:token=fleet1%20%20", 1 },
		{ "pkcs11:token=fleet", 0 },
		{ "pkcs11:token=fleet10", 0 },
		{ "pkcs11:token=Fleet1", 0 },
		{ "pkcs11:token=", 0 },
		{ "pkcs11:serial=ab12", 1 },
		{ "pkcs11:serial=AB12", 0 },
		{ "pkcs11:serial=ab1", 0 },
		{ "pkcs11:token=fleet1;serial=ab12", 1 },
		{ "pkcs11:token=fleet1;serial=ab13", 0 },
		{ "pkcs11:model=SoftHSM%20v2", 1 },
		{ "pkcs11:model=SoftHSM", 0 },
		{ "pkcs11:manufacturer=ACME;model=SoftHSM%20v2", 1 },
		{ "pkcs11:slot-id=7", 1 },
		{ "pkcs11:slot-id=007", 1 },
		{ "pkcs11:slot-id=70", 0 },
		{ "pkcs11:token=fleet1;id=%01;object=x;type=private", 1 },
		{ "fleet1", 1 },
		{ "fleet1 ", 1 },
		{ "ab12", 1 },
		{ "fleet", 0 },
		{ "ab1", 0 },
		{ "SoftHSM v2", 0 },
	};
	struct burin_token t;
	size_t i;

	(void)state;
	fake(&t, "fleet1", "ab12");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct p11_uri *u = parse(rows[i].text);

		if (p11_uri_match_token(u, &t) != rows[i].match)
			fail_msg("%s", rows[i].text);
		assert_int_equal(
		    burin_token_matches(&t, rows[i].text), rows[i].match);
		p11_uri_free(&u);
	}
	assert_int_equal(burin_token_matches(&t, "pkcs11:token=%zz"), 0);
	assert_int_equal(burin_token_matches(&t, NULL), 0);
	fake(&t, "", "");
	assert_int_equal(burin_token_matches(&t, "pkcs11:token="), 1);
	assert_int_equal(burin_token_matches(&t, "pkcs11:serial="), 1);
	assert_int_equal(burin_token_matches(&t, "pkcs11:token=x"), 0);
}

static void
test_match_object(void **state)
{
	const unsigned char id[] = { 0, 1 };
	struct p11_uri *u;

	(void)state;
	u = parse("pkcs11:token=x");
	assert_true(p11_uri_match_object(u, id, 2, "k"));
	p11_uri_free(&u);
	u = parse("pkcs11:id=%00%01");
	assert_true(p11_uri_match_object(u, id, 2, "k"));
	assert_false(p11_uri_match_object(u, id, 1, "k"));
	assert_false(p11_uri_match_object(u, NULL, 0, "k"));
	p11_uri_free(&u);
	u = parse("pkcs11:id=%00%01;object=k");
	assert_true(p11_uri_match_object(u, id, 2, "k"));
	assert_false(p11_uri_match_object(u, id, 2, "k2"));
	p11_uri_free(&u);
	u = parse("pkcs11:object=");
	assert_true(p11_uri_match_object(u, id, 2, ""));
	assert_false(p11_uri_match_object(u, id, 2, "k"));
	p11_uri_free(&u);
	u = parse("word");
	assert_true(p11_uri_match_object(u, id, 2, "k"));
	p11_uri_free(&u);
}

/* What we write we can read, whatever is in the label. */
static void
test_make(void **state)
{
	static const char *const labels[] = { "r7", "a;b=c?d&e#f", "50% off",
		"M\xc3\xbcnz", "x y", "" };
	const unsigned char id[] = { 0xff, 0, 0x25 };
	struct burin_token t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		struct p11_uri *u;
		char *uri;

		fake(&t, labels[i], "ab12");
		uri = p11_uri_make(&t, id, sizeof(id), labels[i], "private");
		assert_non_null(uri);
		u = parse(uri);
		assert_true(p11_uri_match_token(u, &t));
		assert_true(p11_uri_match_object(u, id, sizeof(id), labels[i]));
		assert_int_equal(u->cls, CKO_PRIVATE_KEY);
		assert_int_equal(u->has_slot_id, labels[i][0] == '\0');
		p11_uri_free(&u);
		free(uri);
	}
	fake(&t, "r7", "1");
	free(p11_uri_make(&t, NULL, 0, NULL, "cert"));
}

static void
test_show(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(p11_uri_show("r7", buf, sizeof(buf)), "r7");
	assert_string_equal(
	    p11_uri_show("pkcs11:token=a?x=y", buf, sizeof(buf)),
	    "pkcs11:token=a");
	assert_string_equal(
	    p11_uri_show("pkcs11:token=a;pin-value=" PIN, buf, sizeof(buf)),
	    "pkcs11:");
	assert_string_equal(
	    p11_uri_show("a\x1b[2J", buf, sizeof(buf)), "a?[2J");
}

static void
test_text(void **state)
{
	char buf[8];

	(void)state;
	p11_text(buf, sizeof(buf), (const unsigned char *)"ab  ", 4);
	assert_string_equal(buf, "ab");
	p11_text(buf, sizeof(buf), (const unsigned char *)"a\0bc", 4);
	assert_string_equal(buf, "a");
	p11_text(buf, sizeof(buf), (const unsigned char *)"\xff\n\xc3\xa9", 4);
	assert_string_equal(buf, "??\xc3\xa9");
	p11_text(buf, sizeof(buf), (const unsigned char *)"      \xc3\xa9", 8);
	assert_string_equal(buf, "      ");
	p11_text(buf, sizeof(buf), (const unsigned char *)"\xc3", 1);
	assert_string_equal(buf, "?");
	p11_text(buf, sizeof(buf), NULL, 0);
	assert_string_equal(buf, "");
}

static void
test_pin_source(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char *src;

	(void)state;
	assert_int_equal(burin_uri_pin_source(NULL, &src, &e), 0);
	assert_null(src);
	assert_int_equal(burin_uri_pin_source("r7", &src, &e), 0);
	assert_null(src);
	assert_int_equal(burin_uri_pin_source("pkcs11:token=a", &src, &e), 0);
	assert_null(src);
	assert_int_equal(
	    burin_uri_pin_source(
		"pkcs11:token=a?pin-source=file%3a/x%20y", &src, &e),
	    0);
	assert_string_equal(src, "file:/x y");
	free(src);
	assert_int_equal(
	    burin_uri_pin_source("pkcs11:token=a?pin-source=%7cls", &src, &e),
	    -1);
	assert_null(src);
	assert_string_equal(e.code, "uri-command");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_match_token),
		cmocka_unit_test(test_match_object),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_pin_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
