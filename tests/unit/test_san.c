/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Alternative names, purposes and prefixes as people type them; hexadecimal,
 * times and serial numbers as people read them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include <burin/names.h>

#include "csr/internal.h"

static void
taken(const char *typed, int type)
{
	struct burin_error e = BURIN_ERROR_INIT;
	GENERAL_NAME *name;
	char *text;

	if (csr_san_parse(typed, &name, &e) == -1)
		fail_msg("%s: %s", typed, e.reason);
	assert_int_equal(name->type, type);
	text = burin_san_text(name);
	assert_string_equal(text, typed);
	assert_int_equal(ERR_peek_error(), 0);
	free(text);
	GENERAL_NAME_free(name);
}

static void
refused(const char *typed)
{
	struct burin_error e = BURIN_ERROR_INIT;
	GENERAL_NAME *name;

	if (csr_san_parse(typed, &name, &e) == 0)
		fail_msg("taken: %s", typed);
	assert_null(name);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_true(e.rule[0] != '\0' && e.advice[0] != '\0');
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_email(void **state)
{
	(void)state;
	taken("email:alice@example.com", GEN_EMAIL);
	taken("email:alice+card@xn--bcher-kva.example", GEN_EMAIL);
	taken("email:zo\xc3\xab@example.com", GEN_OTHERNAME);
	refused("email:alice");
	refused("email:@example.com");
	refused("email:alice@");
	refused("email:a..b@example.com");
	refused("email:.a@example.com");
	refused("email:a b@example.com");
	refused("email:a@b@example.com");
	refused("email:alice@b\xc3\xbc"
		"cher.example");
	refused("email:zo\xc3@example.com");
	refused("email:al\nice@example.com");
}

static void
test_dns(void **state)
{
	(void)state;
	taken("dns:example.com", GEN_DNS);
	taken("dns:*.example.com", GEN_DNS);
	taken("dns:localhost", GEN_DNS);
	refused("dns:");
	refused("dns:example..com");
	refused("dns:example.com.");
	refused("dns:-a.example");
	refused("dns:a_b.example");
	refused("dns:a*.example");
	refused("dns:*");
	refused("dns:192.0.2.1");
	refused("dns:b\xc3\xbc"
		"cher.example");
	refused("dns:a12345678901234567890123456789012345678901234567890123456"
		"7890123456.example");
}

static void
test_uri(void **state)
{
	(void)state;
	taken("uri:im:alice@example.com", GEN_URI);
	taken("uri:sip:alice@example.com", GEN_URI);
	taken("uri:https://example.com/a?b=c%20d", GEN_URI);
	taken("uri:https://alice@[2001:db8::1]:8443/", GEN_URI);
	taken("uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", GEN_URI);
	refused("uri:alice@example.com");
	refused("uri:im:");
	refused("uri:/a/b");
	refused("uri:https:///path");
	refused("uri:https://alice@/");
	refused("uri:https://:80/");
	refused("uri:im:a b@example.com");
	refused("uri:im:a%2@example.com");
	refused("uri:im:zo\xc3\xab@example.com");
}

static void
test_xmpp(void **state)
{
	(void)state;
	taken("xmpp:alice@example.com", GEN_OTHERNAME);
	taken("xmpp:zo\xc3\xab@b\xc3\xbc"
	      "cher.example",
	    GEN_OTHERNAME);
	taken("xmpp:example.com", GEN_OTHERNAME);
	refused("xmpp:alice@example.com/phone");
	refused("xmpp:@example.com");
	refused("xmpp:a b@example.com");
	refused("xmpp:alice@exa mple.com");
	refused("xmpp:alice@");
	refused("xmpp:a@b@example.com");
}

static void
test_others(void **state)
{
	(void)state;
	taken("ip:192.0.2.1", GEN_IPADD);
	taken("ip:2001:db8::1", GEN_IPADD);
	taken("dirname:CN=Alice,O=Example", GEN_DIRNAME);
	taken("rid:1.2.3.4", GEN_RID);
	refused("ip:192.0.2.300");
	refused("ip:192.0.2.0/24");
	refused("ip:");
	refused("dirname:");
	refused("rid:abc");
	refused("alice@example.com");
	refused("tel:123");
	refused("");
}

/* What a peer put there is shown, but never acts. */
static void
test_hostile_names(void **state)
{
	static const unsigned char evil[] = "a\0\x1b[2J\xc3\xab";
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	char *text;

	(void)state;
	assert_int_equal(ASN1_STRING_set(s, evil, sizeof(evil) - 1), 1);
	GENERAL_NAME_set0_value(name, GEN_DNS, s);
	text = burin_san_text(name);
	assert_string_equal(text,
	    "dns:a" CSR_BAD_BYTE "00" CSR_BAD_BYTE "1b[2J" CSR_BAD_BYTE
	    "c3" CSR_BAD_BYTE "ab");
	free(text);
	GENERAL_NAME_free(name);
}

static void
eku(const char *typed, const char *oid, const char *written)
{
	struct burin_error e = BURIN_ERROR_INIT;
	ASN1_OBJECT *obj;
	char number[64], *text;

	assert_int_equal(csr_eku_parse(typed, &obj, &e), 0);
	(void)OBJ_obj2txt(number, sizeof(number), obj, 1);
	assert_string_equal(number, oid);
	text = burin_eku_text(obj);
	assert_string_equal(text, written);
	free(text);
	ASN1_OBJECT_free(obj);
}

static void
test_eku(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	ASN1_OBJECT *obj;

	(void)state;
	eku("clientAuth", "1.3.6.1.5.5.7.3.2", "clientAuth");
	eku("imUri", "1.3.6.1.5.5.7.3.40", "imUri");
	eku("1.3.6.1.5.5.7.3.40", "1.3.6.1.5.5.7.3.40", "imUri");
	eku("sipDomain", "1.3.6.1.5.5.7.3.20", "sipDomain");
	eku("sendRouter", "1.3.6.1.5.5.7.3.23", "sendRouter");
	eku("sendProxiedRouter", "1.3.6.1.5.5.7.3.24", "sendProxiedRouter");
	eku("sendOwner", "1.3.6.1.5.5.7.3.25", "sendOwner");
	eku("sendProxiedOwner", "1.3.6.1.5.5.7.3.26", "sendProxiedOwner");
	eku("bgpsecRouter", "1.3.6.1.5.5.7.3.30", "bgpsecRouter");
	eku("1.2.3.4", "1.2.3.4", "1.2.3.4");
	assert_int_equal(csr_eku_parse("nosuch", &obj, &e), -1);
	assert_string_equal(e.code, "eku-unknown");
	assert_int_equal(ERR_peek_error(), 0);
	/* Nothing was added to OpenSSL's own table. */
	assert_int_equal(OBJ_txt2nid("imUri"), NID_undef);
	ERR_clear_error();
}

static void
test_hex(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0xab, 0xff };
	unsigned char out[3];
	size_t len;
	char *text = burin_hex(bytes, 3);

	(void)state;
	assert_string_equal(text, "00abff");
	free(text);
	text = burin_hex(bytes, 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(burin_unhex("00:AB ff", out, 3, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(out, bytes, 3);
	assert_int_equal(burin_unhex("", out, 3, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(burin_unhex("0", out, 3, &len), -1);
	assert_int_equal(burin_unhex("0 0", out, 3, &len), -1);
	assert_int_equal(burin_unhex("0g", out, 3, &len), -1);
	assert_int_equal(burin_unhex("00010203", out, 3, &len), -1);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_times_and_numbers(void **state)
{
	ASN1_TIME *t = ASN1_TIME_new();
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	char *text;

	(void)state;
	assert_int_equal(ASN1_TIME_set_string(t, "261123201500Z"), 1);
	text = burin_time_text(t);
	assert_string_equal(text, "2026-11-23T20:15:00Z");
	free(text);
	assert_int_equal(ASN1_TIME_set_string(t, "99991231235959Z"), 1);
	text = burin_time_text(t);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	free(text);
	assert_int_equal(ASN1_STRING_set(t, "never", 5), 1);
	text = burin_time_text(t);
	assert_string_equal(text, "");
	free(text);
	ASN1_TIME_free(t);
	assert_int_equal(ASN1_INTEGER_set_uint64(n, 0x1abc), 1);
	text = burin_serial_text(n);
	assert_string_equal(text, "1abc");
	free(text);
	assert_int_equal(ASN1_INTEGER_set_uint64(n, 0), 1);
	text = burin_serial_text(n);
	assert_string_equal(text, "00");
	free(text);
	ASN1_INTEGER_free(n);
	assert_int_equal(ERR_peek_error(), 0);
}

static GENERAL_NAMES *
hosts(const char *a, const char *b)
{
	GENERAL_NAMES *list = GENERAL_NAMES_new();

	assert_non_null(list);
	assert_true(sk_GENERAL_NAME_push(list,
			a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, a, 0)) > 0);
	assert_true(sk_GENERAL_NAME_push(list,
			a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, b, 0)) > 0);
	return list;
}

/* In any order, and a name that is there twice stands for no other. */
static void
test_same_names(void **state)
{
	GENERAL_NAMES *xy = hosts("x", "y"), *yx = hosts("y", "x");
	GENERAL_NAMES *xx = hosts("x", "x"), *none = GENERAL_NAMES_new();

	(void)state;
	assert_int_equal(burin_same_names(xy, yx), 1);
	assert_int_equal(burin_same_names(xx, xy), 0);
	assert_int_equal(burin_same_names(xy, xx), 0);
	assert_int_equal(burin_same_names(xy, NULL), 0);
	assert_int_equal(burin_same_names(NULL, none), 1);
	GENERAL_NAMES_free(xy);
	GENERAL_NAMES_free(yx);
	GENERAL_NAMES_free(xx);
	GENERAL_NAMES_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_email),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_xmpp),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_eku),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_times_and_numbers),
		cmocka_unit_test(test_same_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
