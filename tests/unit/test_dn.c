/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Distinguished names: typed, encoded, written, read back.
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
taken(const char *typed, const char *written)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509_NAME *name, *again;
	char *text;

	if (csr_dn_parse(typed, &name, &e) == -1)
		fail_msg("%s: %s", typed, e.reason);
	text = burin_dn_text(name);
	assert_string_equal(text, written);
	assert_int_equal(csr_dn_parse(text, &again, &e), 0);
	assert_int_equal(X509_NAME_cmp(name, again), 0);
	assert_int_equal(ERR_peek_error(), 0);
	free(text);
	X509_NAME_free(name);
	X509_NAME_free(again);
}

static void
refused(const char *typed, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509_NAME *name;

	if (csr_dn_parse(typed, &name, &e) == 0)
		fail_msg("taken: %s", typed);
	assert_null(name);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, code);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_forms(void **state)
{
	(void)state;
	taken("", "");
	taken("CN=Alice", "CN=Alice");
	taken("CN=Alice,O=Example", "CN=Alice,O=Example");
	taken("/CN=Alice/O=Example", "CN=Alice,O=Example");
	taken(" CN = Alice , O = Example Ltd ", "CN=Alice,O=Example Ltd");
	taken("cn=Alice,o=Example", "CN=Alice,O=Example");
	taken("commonName=Alice,2.5.4.10=Example", "CN=Alice,O=Example");
	taken("CN=r7,1.2.3.4.5=x", "CN=r7,1.2.3.4.5=x");
	taken("C=DE,DC=example,UID=alice,emailAddress=a@b.example",
	    "C=DE,DC=example,UID=alice,emailAddress=a@b.example");
	taken("CN=Zo\xc3\xab", "CN=Zo\xc3\xab");
}

static void
test_multi_valued(void **state)
{
	(void)state;
	taken("CN=r7+serialNumber=12,O=x", "CN=r7+serialNumber=12,O=x");
	taken("/CN=r7+serialNumber=12/O=x", "CN=r7+serialNumber=12,O=x");
	refused("CN=a+CN=b", "dn-malformed");
	taken("CN=a,CN=b", "CN=a,CN=b");
}

static void
test_escapes(void **state)
{
	(void)state;
	taken("O=Foo\\, Inc", "O=Foo\\, Inc");
	taken("O=a\\+b\\\\c\\\"d", "O=a\\+b\\\\c\\\"d");
	taken("/O=a\\/b", "O=a/b");
	taken("O=a/b", "O=a/b");
	taken("CN=\\ Alice\\ ", "CN=\\ Alice\\ ");
	taken("CN=\\#1", "CN=\\#1");
	taken("CN=a=b", "CN=a=b");
	taken("CN=Zo\\C3\\AB", "CN=Zo\xc3\xab");
	/* What would write on a terminal stays an escape. */
	taken("CN=a\\1b[2J", "CN=a\\1b[2J");
	taken("CN=\\e2\\80\\aeabc", "CN=\\e2\\80\\aeabc");
	taken("CN=#0c03616263", "CN=abc");
}

static void
test_refused(void **state)
{
	char longest[BURIN_MAX_TEXT + 8];

	(void)state;
	refused("Alice", "dn-malformed");
	refused("CN=", "dn-malformed");
	refused("=Alice", "dn-malformed");
	refused("CN=Alice,", "dn-malformed");
	refused("CN=Alice,,O=x", "dn-malformed");
	refused("/", "dn-malformed");
	refused("nosuch=Alice", "dn-malformed");
	refused("CN=a\\00b", "dn-malformed");
	refused("CN=a\nb", "dn-malformed");
	refused("CN=a\\", "dn-malformed");
	refused("CN=\xc3", "dn-malformed");
	refused("CN=\xc0\x80", "dn-malformed");
	refused("O=\"Foo, Inc\"", "dn-malformed");
	refused("C=Germany", "dn-value");
	refused("emailAddress=\xc3\xab@b.example", "dn-value");
	refused("CN=#0c0361", "dn-value");
	refused("CN=#020101", "dn-value");
	refused("CN=#xy", "dn-value");
	refused("CN=12345678901234567890123456789012345678901234567890"
		"123456789012345",
	    "dn-value");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "O=", 2);
	longest[sizeof(longest) - 1] = '\0';
	refused(longest, "dn-too-long");
}

static void
test_many(void **state)
{
	char text[(BURIN_MAX_NAME_ENTRIES + 1) * 5 + 1] = "";
	int i;

	(void)state;
	for (i = 0; i <= BURIN_MAX_NAME_ENTRIES; i++)
		strcat(text, "OU=x,");
	text[strlen(text) - 1] = '\0';
	refused(text, "dn-too-long");
}

static void
test_string_types(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509_NAME *name;
	static const struct {
		const char *dn;
		int type;
	} rows[] = {
		{ "CN=Alice", V_ASN1_PRINTABLESTRING },
		{ "CN=Zo\xc3\xab", V_ASN1_UTF8STRING },
		{ "CN=a@b", V_ASN1_UTF8STRING },
		{ "C=DE", V_ASN1_PRINTABLESTRING },
		{ "serialNumber=7", V_ASN1_PRINTABLESTRING },
		{ "emailAddress=a@b", V_ASN1_IA5STRING },
		{ "DC=example", V_ASN1_IA5STRING },
		{ "CN=#1303616263", V_ASN1_PRINTABLESTRING },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(csr_dn_parse(rows[i].dn, &name, &e), 0);
		assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(
				     X509_NAME_get_entry(name, 0))),
		    rows[i].type);
		X509_NAME_free(name);
	}
}

/* A value of no string type: shown as DER (RFC 4514 section 2.4). */
static void
test_foreign_value(void **state)
{
	X509_NAME *name = X509_NAME_new();
	static const unsigned char bits[] = { 0xaa };
	char *text;

	(void)state;
	assert_int_equal(
	    X509_NAME_add_entry_by_NID(name, NID_x500UniqueIdentifier,
		V_ASN1_BIT_STRING, bits, 1, -1, 0),
	    1);
	text = burin_dn_text(name);
	assert_non_null(strstr(text, "=#03"));
	free(text);
	X509_NAME_free(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_multi_valued),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_string_types),
		cmocka_unit_test(test_foreign_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
