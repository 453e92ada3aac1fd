/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Attestations: what is read, what A1 to A4 let pass and refuse, and both
 * forms in a request.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/attest.h>

#include "pki.h"

#define EXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define Y "1.3.6.1.4.1.41482.3."
#define FIRMWARE Y "3=DER:050403"
#define SERIAL Y "7=DER:020400bc614e"
#define POLICY Y "8=DER:0201"
#define FORM Y "9=DER:01"
#define SAID FIRMWARE, SERIAL, POLICY, FORM
#define CA "basicConstraints=critical,CA:TRUE"
#define FIRST ((time_t)1457913600)
#define LAST ((time_t)2597529600)

static EVP_PKEY *root_key, *f9_key, *key, *other_key;
static X509 *root;
static struct burin_error e;

static X509 *
make(const char *cn, EVP_PKEY *subject, X509 *issuer, EVP_PKEY *issuer_key,
    const char *const *exts)
{
	struct pki_spec spec = { 0 };

	spec.cn = cn;
	spec.key = subject;
	spec.issuer = issuer;
	spec.issuer_key = issuer_key;
	spec.exts = exts;
	spec.from = FIRST;
	spec.until = LAST;
	return pki_cert(&spec);
}

static int
setup(void **state)
{
	(void)state;
	root_key = pki_key("P-256");
	f9_key = pki_key("RSA");
	key = pki_key("P-256");
	other_key = pki_key("P-256");
	root = make("Maker's Root", root_key, NULL, NULL,
	    EXTS("basicConstraints=critical,CA:TRUE,pathlen:1"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(root);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(f9_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static X509 *
make_f9(const char *const *exts)
{
	return make("Yubico PIV Attestation", f9_key, root, root_key, exts);
}

static X509 *
make_leaf(X509 *f9, const char *const *exts)
{
	return make("YubiKey PIV Attestation 9a", key, f9, f9_key, exts);
}

/* --- reading ------------------------------------------------------------- */

static int
parse(const char *cn, const char *const *exts, struct burin_attest *a)
{
	X509 *cert = make(cn, key, NULL, NULL, exts);
	int rc;

	burin_error_clear(&e);
	rc = burin_attest_parse(cert, NULL, BURIN_ECHECK, a, &e);
	if (rc == -1) {
		print_message("  %s\n", e.reason);
		assert_int_equal(e.status, BURIN_ECHECK);
		assert_string_equal(e.code, "attestation-malformed");
	}
	assert_int_equal(ERR_peek_error(), 0);
	X509_free(cert);
	return rc;
}

static void
test_parse(void **state)
{
	char buf[BURIN_ATTEST_WORD];
	struct burin_attest a;

	(void)state;
	assert_int_equal(
	    parse("YubiKey PIV Attestation 9a", EXTS(SAID), &a), 0);
	assert_string_equal(burin_attest_firmware(&a, buf), "5.4.3");
	assert_int_equal(a.serial, 12345678);
	assert_string_equal(burin_attest_pin(&a, buf), "once");
	assert_string_equal(burin_attest_touch(&a, buf), "never");
	assert_string_equal(
	    burin_attest_form_factor(&a, buf), "usb-a-keychain");
	assert_string_equal(a.slot, "9a");
	assert_false(a.fips);
	assert_false(a.cspn);

	/* DER where the devices have bare bytes; a device with FIPS. */
	assert_int_equal(parse("YubiKey PIV Attestation 8F",
			     EXTS(Y "3=DER:0403050700", Y "8=DER:04020503",
				 Y "9=DER:040183"),
			     &a),
	    0);
	assert_string_equal(burin_attest_firmware(&a, buf), "5.7.0");
	assert_int_equal(a.serial, -1);
	assert_string_equal(burin_attest_pin(&a, buf), "match-always");
	assert_string_equal(burin_attest_touch(&a, buf), "cached");
	assert_string_equal(
	    burin_attest_form_factor(&a, buf), "usb-c-keychain");
	assert_string_equal(a.slot, "8f");
	assert_true(a.fips);

	/* A number without a name stays a number. */
	assert_int_equal(parse("x", EXTS(Y "8=DER:09ff", Y "9=DER:3f"), &a), 0);
	assert_string_equal(burin_attest_pin(&a, buf), "9");
	assert_string_equal(burin_attest_touch(&a, buf), "255");
	assert_string_equal(burin_attest_form_factor(&a, buf), "63");
	assert_string_equal(burin_attest_firmware(&a, buf), "");
	assert_string_equal(a.slot, "");

	/* FIPS and CSPN are marks: that they are there counts. */
	assert_int_equal(
	    parse("x", EXTS(Y "10=DER:0500", Y "11=DER:00"), &a), 0);
	assert_true(a.fips);
	assert_true(a.cspn);
}

static void
test_parse_malformed(void **state)
{
	static const char *const bad[] = { Y "3=DER:0504", Y "3=DER:05040300",
		Y "3=DER:040205040000", Y "3=DER:0402050400",
		Y "3=DER:0503050403", Y "7=DER:0201ff",
		Y "7=DER:020400bc614e00", Y "7=DER:0209010000000000000000",
		Y "7=DER:0400", Y "7=DER:02020001", Y "8=DER:02",
		Y "8=DER:020102", Y "8=DER:04030201", Y "9=DER:0101",
		Y "9=DER:050101",
		Y "10=DER:0011223344556677889900112233445566" };
	struct burin_attest a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse("x", EXTS(bad[i]), &a) != -1)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse("x", EXTS(POLICY, POLICY), &a), -1);
	assert_int_equal(parse("x", EXTS(SERIAL, SERIAL), &a), -1);
}

static void
test_slots(void **state)
{
	static const char *const good[] = { "9a", "9c", "9d", "9e", "82", "89",
		"8a", "90", "95" };
	static const char *const bad[] = { "9b", "f9", "81", "96", "9", "9a ",
		"9f", "8g" };
	struct burin_attest a;
	char cn[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(
		    cn, sizeof(cn), "YubiKey PIV Attestation %s", good[i]);
		assert_int_equal(parse(cn, EXTS(SAID), &a), 0);
		assert_string_equal(a.slot, good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(
		    cn, sizeof(cn), "YubiKey PIV Attestation %s", bad[i]);
		assert_int_equal(parse(cn, EXTS(SAID), &a), 0);
		assert_string_equal(a.slot, "");
	}
}

/* --- the checks ---------------------------------------------------------- */

/* Levels of A1 to A4 as a word, "PPPP"; *a may be NULL. */
static const char *
levels(
    X509 *cert, X509 *f9, X509 *anchor, EVP_PKEY *pub, struct burin_attest *a)
{
	static char word[5];
	struct burin_attest_input in = { 0 };
	struct burin_attest mine;
	struct burin_checks checks;
	size_t i;

	in.cert = cert;
	in.above = sk_X509_new_null();
	in.anchors = sk_X509_new_null();
	in.pub = pub;
	in.now = PKI_NOW;
	if (f9 != NULL)
		assert_true(sk_X509_push(in.above, f9) > 0);
	if (anchor != NULL)
		assert_true(sk_X509_push(in.anchors, anchor) > 0);
	burin_error_clear(&e);
	assert_int_equal(
	    burin_attest_check(&in, &checks, a != NULL ? a : &mine, &e), 0);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(checks.n, 4);
	for (i = 0; i < 4; i++) {
		assert_string_not_equal(checks.list[i].detail, "");
		print_message("  %s %s: %s\n", checks.list[i].id,
		    burin_check_level_name(checks.list[i].level),
		    checks.list[i].detail);
		word[i] = "PWFS"[checks.list[i].level];
	}
	if (burin_checks_verdict(&checks, BURIN_EVERIFY, &e) == -1) {
		assert_int_equal(e.status, BURIN_EVERIFY);
		assert_string_not_equal(e.advice, "");
		assert_string_not_equal(e.rule, "");
	} else {
		assert_null(strchr(word, 'F'));
	}
	sk_X509_free(in.above);
	sk_X509_free(in.anchors);
	return word;
}

static void
test_check(void **state)
{
	X509 *f9 = make_f9(EXTS("basicConstraints=critical,CA:TRUE,pathlen:0",
	    Y "3=DER:0403050403", Y "10=DER:0500"));
	X509 *leaf = make_leaf(f9, EXTS(SAID)), *bare, *named;
	X509 *strange = make("Another Root", other_key, NULL, NULL, EXTS(CA));
	struct burin_attest a;

	(void)state;
	assert_string_equal(levels(leaf, f9, root, key, &a), "PPPP");
	assert_true(a.fips);
	assert_string_equal(levels(leaf, f9, root, other_key, NULL), "FPPS");
	assert_string_equal(levels(leaf, f9, NULL, key, NULL), "PFPS");
	assert_string_equal(levels(leaf, NULL, root, key, NULL), "PFPS");
	assert_string_equal(levels(leaf, f9, strange, key, NULL), "PFPS");
	assert_string_equal(levels(leaf, f9, root, NULL, NULL), "SPPS");
	/* The attestation as its own anchor vouches for nothing. */
	assert_string_equal(levels(leaf, f9, leaf, key, NULL), "PFPS");

	bare = make_leaf(f9, NULL);
	assert_string_equal(levels(bare, f9, root, key, NULL), "PPFS");
	named = make("Alice", key, f9, f9_key, EXTS(SAID));
	assert_string_equal(levels(named, f9, root, key, NULL), "PPPF");
	X509_free(named);
	X509_free(bare);
	bare = make_leaf(f9, EXTS(FIRMWARE, Y "8=DER:0909"));
	assert_string_equal(levels(bare, f9, root, key, NULL), "PPWP");
	X509_free(bare);
	bare = make_leaf(f9, EXTS(FIRMWARE, POLICY, Y "7=DER:0400"));
	assert_string_equal(levels(bare, f9, root, key, NULL), "PPFS");
	X509_free(bare);
	X509_free(strange);
	X509_free(leaf);
	X509_free(f9);
}

/* A changed byte in the signature of a certificate. */
static X509 *
damage(X509 *cert)
{
	unsigned char *der = NULL;
	const unsigned char *p;
	int len = i2d_X509(cert, &der);
	X509 *other;

	assert_true(len > 0);
	der[len - 1] ^= 1;
	p = der;
	other = d2i_X509(NULL, &p, len);
	assert_non_null(other);
	OPENSSL_free(der);
	return other;
}

/* Firmware up to 5.2.4: the attestation key's certificate marks nothing. */
static void
test_unmarked(void **state)
{
	X509 *f9 = make_f9(EXTS(Y "3=DER:0403050204"));
	X509 *leaf = make_leaf(f9, EXTS(SAID)), *bad;

	(void)state;
	assert_string_equal(levels(leaf, f9, root, key, NULL), "PPPP");
	bad = damage(leaf);
	assert_string_equal(levels(bad, f9, root, key, NULL), "PFPS");
	X509_free(bad);
	bad = damage(f9);
	assert_string_equal(levels(leaf, bad, root, key, NULL), "PFPS");
	X509_free(bad);
	X509_free(leaf);
	X509_free(f9);

	/* Under another name; not issued by a root. */
	f9 = make("Somebody", f9_key, root, root_key, NULL);
	leaf = make_leaf(f9, EXTS(SAID));
	assert_string_equal(levels(leaf, f9, root, key, NULL), "PFPS");
	X509_free(leaf);
	X509_free(f9);
	bad = make("Between", other_key, root, root_key, EXTS(CA));
	f9 = make("Yubico PIV Attestation", f9_key, bad, other_key, NULL);
	leaf = make_leaf(f9, EXTS(SAID));
	assert_string_equal(levels(leaf, f9, bad, key, NULL), "PFPS");
	X509_free(leaf);
	X509_free(f9);
	X509_free(bad);

	/* What says that it is no CA is none. */
	f9 = make_f9(EXTS("basicConstraints=critical,CA:FALSE"));
	leaf = make_leaf(f9, EXTS(SAID));
	assert_string_equal(levels(leaf, f9, root, key, NULL), "PFPS");
	X509_free(leaf);
	X509_free(f9);
	f9 = make_f9(EXTS("keyUsage=critical,digitalSignature"));
	leaf = make_leaf(f9, EXTS(SAID));
	assert_string_equal(levels(leaf, f9, root, key, NULL), "PFPS");
	X509_free(leaf);
	X509_free(f9);
}

/*
 * An attested key belongs to its user, who signs whatever he likes with it:
 * an "attestation" that it signed proves nothing.
 */
static void
forged(const char *const *f9_exts, const char *const *true_exts)
{
	X509 *f9 = make_f9(f9_exts);
	X509 *true_one = make_leaf(f9, true_exts);
	X509 *false_one = make(
	    "YubiKey PIV Attestation 9c", other_key, true_one, key, EXTS(SAID));
	struct burin_attest_input in = { 0 };
	struct burin_attest a;
	struct burin_checks checks;

	/* Up to the root, with all that is needed; and with f9 believed. */
	in.cert = false_one;
	in.pub = other_key;
	in.now = PKI_NOW;
	in.above = sk_X509_new_null();
	in.anchors = sk_X509_new_null();
	assert_true(sk_X509_push(in.above, true_one) > 0);
	assert_true(sk_X509_push(in.above, f9) > 0);
	assert_true(sk_X509_push(in.anchors, root) > 0);
	assert_int_equal(burin_attest_check(&in, &checks, &a, &e), 0);
	assert_int_equal(checks.list[1].level, BURIN_FAIL);
	assert_int_equal(checks.list[3].level, BURIN_SKIP);
	sk_X509_free(in.above);
	sk_X509_free(in.anchors);
	assert_string_equal(
	    levels(false_one, true_one, f9, other_key, NULL), "PFPS");
	assert_string_equal(
	    levels(false_one, NULL, true_one, other_key, NULL), "PFPS");
	X509_free(false_one);
	X509_free(true_one);
	X509_free(f9);
}

static void
test_forged(void **state)
{
	(void)state;
	forged(EXTS(Y "3=DER:0403050204"), EXTS(SAID));
	forged(EXTS("basicConstraints=critical,CA:TRUE"), EXTS(SAID));
	forged(EXTS("basicConstraints=critical,CA:TRUE,pathlen:0"), EXTS(SAID));
	/* Even should a device ever mark an attestation as CA. */
	forged(EXTS("basicConstraints=critical,CA:TRUE"), EXTS(SAID, CA));
}

/* --- requests ------------------------------------------------------------ */

static X509_REQ *
request(enum burin_attest_form form, X509 *cert, X509 *up)
{
	STACK_OF(X509) *above = sk_X509_new_null();
	struct burin_subject *s;
	unsigned char *der;
	X509_REQ *req;
	size_t len;

	if (up != NULL)
		assert_true(sk_X509_push(above, up) > 0);
	assert_int_equal(burin_subject_new(&s, &e), 0);
	assert_int_equal(burin_subject_set_dn(s, "CN=a", &e), 0);
	assert_int_equal(
	    burin_subject_set_attestation(s, form, cert, above, &e), 0);
	/* Once is enough. */
	assert_int_equal(
	    burin_subject_set_attestation(s, form, cert, above, NULL), -1);
	assert_int_equal(
	    burin_pkcs10_make(s, key, key, NULL, &der, &len, &e), 0);
	assert_int_equal(
	    burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e), 0);
	OPENSSL_free(der);
	burin_subject_free(&s);
	sk_X509_free(above);
	return req;
}

static void
assert_carries(X509_REQ *req, enum burin_attest_form form, X509 *cert, X509 *up)
{
	enum burin_attest_form seen;
	STACK_OF(X509) * above;
	X509 *got;

	burin_error_clear(&e);
	if (burin_attest_from_req(req, BURIN_ECHECK, &seen, &got, &above, &e) ==
	    -1)
		fail_msg("%s", e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(seen, form);
	if (form == BURIN_ATTEST_NONE) {
		assert_null(got);
		assert_null(above);
		return;
	}
	assert_int_equal(X509_cmp(got, cert), 0);
	assert_int_equal(sk_X509_num(above), up != NULL);
	if (up != NULL)
		assert_int_equal(X509_cmp(sk_X509_value(above, 0), up), 0);
	X509_free(got);
	sk_X509_pop_free(above, X509_free);
}

static void
test_forms(void **state)
{
	X509 *f9 = make_f9(EXTS(CA)), *leaf = make_leaf(f9, EXTS(SAID));
	STACK_OF(X509) *none = sk_X509_new_null();
	struct burin_subject *s;
	X509_REQ *req;

	(void)state;
	req = request(BURIN_ATTEST_YUBICO, leaf, f9);
	assert_carries(req, BURIN_ATTEST_YUBICO, leaf, f9);
	X509_REQ_free(req);
	req = request(BURIN_ATTEST_DRAFT, leaf, f9);
	assert_carries(req, BURIN_ATTEST_DRAFT, leaf, f9);
	X509_REQ_free(req);
	req = request(BURIN_ATTEST_DRAFT, leaf, NULL);
	assert_carries(req, BURIN_ATTEST_DRAFT, leaf, NULL);
	X509_REQ_free(req);
	req = pki_req("a", key, NULL);
	assert_carries(req, BURIN_ATTEST_NONE, NULL, NULL);
	X509_REQ_free(req);

	assert_int_equal(burin_subject_new(&s, &e), 0);
	burin_error_clear(&e);
	assert_int_equal(burin_subject_set_attestation(
			     s, BURIN_ATTEST_YUBICO, leaf, none, &e),
	    -1);
	assert_string_equal(e.code, "attestation-issuer");
	burin_subject_free(&s);
	assert_int_equal(
	    burin_attest_form_parse("yubico"), BURIN_ATTEST_YUBICO);
	assert_int_equal(burin_attest_form_parse("draft"), BURIN_ATTEST_DRAFT);
	assert_int_equal(burin_attest_form_parse("none"), BURIN_ATTEST_NONE);
	sk_X509_free(none);
	X509_free(leaf);
	X509_free(f9);
}

/* "1.2.3=DER:HEX" of a whole certificate, free(). */
static char *
cert_line(const char *oid, X509 *cert)
{
	unsigned char *der = NULL;
	int i, len = i2d_X509(cert, &der);
	char *line = malloc(strlen(oid) + 6 + 2 * (size_t)len);
	int n;

	assert_non_null(line);
	n = sprintf(line, "%s=DER:", oid);
	for (i = 0; i < len; i++)
		n += sprintf(line + n, "%02x", der[i]);
	OPENSSL_free(der);
	return line;
}

/* Yubico's documented number, and the tool's with the issuer missing. */
static void
test_documented(void **state)
{
	X509 *f9 = make_f9(EXTS(CA)), *leaf = make_leaf(f9, EXTS(SAID));
	char *cert = cert_line(Y "1", leaf), *up = cert_line(Y "2", f9);
	X509_REQ *req = pki_req("a", key, EXTS(cert, up));

	(void)state;
	assert_carries(req, BURIN_ATTEST_YUBICO, leaf, f9);
	X509_REQ_free(req);
	req = pki_req("a", key, EXTS(cert));
	assert_carries(req, BURIN_ATTEST_YUBICO, leaf, NULL);
	X509_REQ_free(req);
	free(cert);
	free(up);
	X509_free(leaf);
	X509_free(f9);
}

static void
assert_malformed(X509_REQ *req)
{
	enum burin_attest_form form;
	STACK_OF(X509) * above;
	X509 *cert;

	burin_error_clear(&e);
	assert_int_equal(
	    burin_attest_from_req(req, BURIN_ECHECK, &form, &cert, &above, &e),
	    -1);
	print_message("  %s\n", e.reason);
	assert_string_equal(e.code, "attestation-malformed");
	assert_int_equal(e.status, BURIN_ECHECK);
	assert_string_not_equal(e.rule, "");
	assert_null(cert);
	assert_null(above);
	assert_int_equal(ERR_peek_error(), 0);
	X509_REQ_free(req);
}

static X509_REQ *
with_attribute(int type, const unsigned char *der, int len)
{
	X509_REQ *req = pki_req("a", key, NULL);

	assert_int_equal(X509_REQ_add1_attr_by_txt(
			     req, "1.2.840.113549.1.9.16.2.59", type, der, len),
	    1);
	return req;
}

static void
test_malformed_req(void **state)
{
	/* SEQUENCE { SEQUENCE {} }: no statement. */
	static const unsigned char empty[] = { 0x30, 0x02, 0x30, 0x00 };
	/* A statement of Yubico's that is an INTEGER. */
	static const unsigned char number[] = { 0x30, 0x15, 0x30, 0x13, 0x30,
		0x11, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xc4,
		0x0a, 0x03, 0x01, 0x02, 0x03, 0x01, 0x02, 0x03 };
	/* Statement of somebody else; nothing of ours, and no error. */
	static const unsigned char others[] = { 0x30, 0x09, 0x30, 0x07, 0x30,
		0x05, 0x06, 0x01, 0x2a, 0x05, 0x00 };
	/* The same, followed by a byte that belongs to nothing. */
	static const unsigned char more[] = { 0x30, 0x0b, 0x30, 0x07, 0x30,
		0x05, 0x06, 0x01, 0x2a, 0x05, 0x00, 0x05, 0x00 };
	X509_REQ *req;

	(void)state;
	assert_malformed(
	    pki_req("a", key, EXTS(Y "11=DER:0500", Y "2=DER:0500")));
	assert_malformed(with_attribute(V_ASN1_SEQUENCE, empty, 4));
	assert_malformed(
	    with_attribute(V_ASN1_SEQUENCE, number, sizeof(number)));
	assert_malformed(with_attribute(V_ASN1_SEQUENCE, more, sizeof(more)));
	assert_malformed(with_attribute(V_ASN1_OCTET_STRING, empty, 4));
	req = with_attribute(V_ASN1_SEQUENCE, others, sizeof(others));
	assert_carries(req, BURIN_ATTEST_NONE, NULL, NULL);
	X509_REQ_free(req);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_malformed),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_unmarked),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_documented),
		cmocka_unit_test(test_malformed_req),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
