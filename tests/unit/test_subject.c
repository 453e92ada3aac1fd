/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From what is asked for to the request.
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
#include "pki.h"

static struct burin_error e;

static struct burin_subject *
subject(const char *dn)
{
	struct burin_subject *s;

	burin_error_clear(&e);
	assert_int_equal(burin_subject_new(&s, &e), 0);
	assert_int_equal(burin_subject_set_dn(s, dn, &e), 0);
	return s;
}

static void
refused(int rc, const char *code)
{
	assert_int_equal(rc, -1);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s: %s", e.code, e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
}

/* Makes, parses and verifies with key. */
static X509_REQ *
request(const struct burin_subject *s, EVP_PKEY *key)
{
	unsigned char *der;
	X509_REQ *req;
	size_t len;

	if (burin_pkcs10_make(s, key, key, NULL, &der, &len, &e) == -1)
		fail_msg("%s: %s", e.reason, e.cause);
	if (burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e) == -1)
		fail_msg("%s: %s", e.reason, e.cause);
	assert_int_equal(burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e), 0);
	assert_int_equal(ERR_peek_error(), 0);
	OPENSSL_free(der);
	return req;
}

/* The extension of req as "critical,HEX"; NULL when there is none. */
static char *
ext(X509_REQ *req, int nid)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	int i = X509v3_get_ext_by_NID(exts, nid, -1);
	struct csr_text t = { 0 };
	char *hex;

	if (i >= 0) {
		X509_EXTENSION *x = sk_X509_EXTENSION_value(exts, i);
		const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(x);

		hex = burin_hex(
		    ASN1_STRING_get0_data(v), (size_t)ASN1_STRING_length(v));
		csr_text_puts(
		    &t, X509_EXTENSION_get_critical(x) ? "critical," : "");
		csr_text_puts(&t, hex);
		free(hex);
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return i >= 0 ? csr_text_take(&t) : NULL;
}

static void
has_ext(X509_REQ *req, int nid, const char *want)
{
	char *got = ext(req, nid);

	if (want == NULL)
		assert_null(got);
	else {
		assert_non_null(got);
		assert_string_equal(got, want);
	}
	free(got);
}

static void
test_names_and_purposes(void **state)
{
	struct burin_subject *s = subject("CN=Alice");
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req;
	char **list;

	(void)state;
	assert_int_equal(burin_subject_add_san(s, "dns:a.example", &e), 0);
	assert_int_equal(burin_subject_add_san(s, "email:a@b.example", &e), 0);
	assert_int_equal(burin_subject_add_san(s, "dns:a.example", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "subjectAltName = URI:im:a@b.example", &e),
	    0);
	assert_int_equal(burin_subject_add_eku(s, "imUri", &e), 0);
	assert_int_equal(burin_subject_add_eku(s, "clientAuth", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "extendedKeyUsage = imUri, sendOwner", &e),
	    0);
	req = request(s, key);
	list = burin_req_sans(req);
	assert_string_equal(list[0], "dns:a.example");
	assert_string_equal(list[1], "email:a@b.example");
	assert_string_equal(list[2], "uri:im:a@b.example");
	assert_null(list[3]);
	burin_texts_free(&list);
	list = burin_req_ekus(req);
	assert_string_equal(list[0], "imUri");
	assert_string_equal(list[1], "clientAuth");
	assert_string_equal(list[2], "sendOwner");
	assert_null(list[3]);
	burin_texts_free(&list);
	X509_REQ_free(req);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

/* RFC 6120's otherName, byte by byte (section 13.7.1.4). */
static void
test_xmpp_encoding(void **state)
{
	struct burin_subject *s = subject("");
	EVP_PKEY *key = pki_key("ED25519");
	X509_REQ *req;

	(void)state;
	assert_int_equal(burin_subject_add_san(s, "xmpp:a@b.c", &e), 0);
	req = request(s, key);
	/* No DN: critical (RFC 5280 section 4.2.1.6). */
	has_ext(req, NID_subject_alt_name,
	    "critical,3015a01306082b06010505070805a0070c056140622e63");
	X509_REQ_free(req);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_prefixes(void **state)
{
	struct burin_subject *s = subject("CN=r7");
	EVP_PKEY *key = pki_key("RSA");
	X509_REQ *req;

	(void)state;
	assert_int_equal(burin_subject_add_prefix(s, "2001:db8::/32", &e), 0);
	req = request(s, key);
	/* RFC 3779 section 2.2.3: the bits of the prefix, no more. */
	has_ext(req, NID_sbgp_ipAddrBlock,
	    "critical,300f300d040200023007030500"
	    "20010db8");
	X509_REQ_free(req);
	refused(burin_subject_add_prefix(s, "2001:db8:1::/48", &e),
	    "prefix-malformed"); /* overlaps */
	refused(burin_subject_add_prefix(s, "inherit", &e), "prefix-malformed");
	refused(burin_subject_add_ext(
		    s, "sbgp-ipAddrBlock = critical,IPv6:inherit", &e),
	    "ext-twice");
	burin_subject_free(&s);

	s = subject("CN=r8");
	assert_int_equal(burin_subject_add_prefix(s, "inherit", &e), 0);
	assert_int_equal(burin_subject_add_prefix(s, "inherit", &e), 0);
	req = request(s, key);
	has_ext(req, NID_sbgp_ipAddrBlock,
	    "critical,3008300604020002"
	    "0500");
	X509_REQ_free(req);
	refused(burin_subject_add_prefix(s, "::/0", &e), "prefix-malformed");
	burin_subject_free(&s);

	s = subject("CN=r9"); /* neighbours become one prefix */
	assert_int_equal(burin_subject_add_prefix(s, "2001:db9::/32", &e), 0);
	assert_int_equal(burin_subject_add_prefix(s, "2001:db8::/32", &e), 0);
	req = request(s, key);
	has_ext(req, NID_sbgp_ipAddrBlock,
	    "critical,300f300d040200023007030501"
	    "20010db8");
	X509_REQ_free(req);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_bad_prefixes(void **state)
{
	static const char *const bad[] = { "", "2001:db8::", "2001:db8::/",
		"2001:db8::/x", "2001:db8::/129", "2001:db8::/-1",
		"2001:db8::/ 32", "192.0.2.0/24", "2001:db8::1/32", "/32",
		"2001:db8::/32/32", "Inherit",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000/32" };
	struct burin_subject *s = subject("CN=r7");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(burin_subject_add_prefix(s, bad[i], &e),
		    "prefix-malformed");
	burin_subject_free(&s);
}

static void
test_extensions(void **state)
{
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req;

	(void)state;
	/* The default comes first and gives way all the same. */
	assert_int_equal(
	    burin_subject_default_key_usage(s, "keyAgreement", &e), 0);
	assert_int_equal(burin_subject_add_ext(
			     s, "keyUsage = critical,digitalSignature", &e),
	    0);
	assert_int_equal(
	    burin_subject_add_ext(s, "1.2.3.4 = ASN1:UTF8String:hi", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "1.2.3.5 = critical,DER:0500", &e), 0);
	refused(burin_subject_add_ext(s, "keyUsage = keyAgreement", &e),
	    "ext-twice");
	req = request(s, key);
	has_ext(req, NID_key_usage, "critical,03020780");
	X509_REQ_free(req);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_bad_extensions(void **state)
{
	static const char *const bad[] = { "", "keyUsage",
		"keyUsage =", "keyUsage = nosuch", "nosuch = x",
		"# keyUsage = keyAgreement", "[keyUsage]",
		".include /etc/passwd", ".include=/etc/passwd",
		" .include /etc/passwd", "nsComment = $ENV::HOME",
		"nsComment = ${HOME}", "nsComment = a\nkeyUsage = keyCertSign",
		"other::keyUsage = digitalSignature",
		("proxyCertInfo = language:id-ppl-anyLanguage,"
		 "policy:file:/etc/passwd"),
		"certificatePolicies = @section", "keyUsage = DER:0102",
		"keyUsage = DER:030207800500", "subjectAltName = @names",
		"subjectAltName = DNS:\x1b[2J",
		"extendedKeyUsage =", "authorityKeyIdentifier = keyid:always",
		"subjectAltName = otherName:1.2.3;UTF8:", "a\\" };
	struct burin_subject *s = subject("CN=a");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (burin_subject_add_ext(s, bad[i], &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_int_equal(ERR_peek_error(), 0);
		burin_error_clear(&e);
	}
	burin_subject_free(&s);
}

/* RFC 5280 section 4.2.1.2 (1), as OpenSSL's own "hash" computes it. */
static void
test_ski(void **state)
{
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("P-256");
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len;
	X509 *cert = X509_new();
	char want[64] = "0414", *hex;
	X509_REQ *req;

	(void)state;
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_int_equal(X509_pubkey_digest(cert, EVP_sha1(), md, &len), 1);
	hex = burin_hex(md, len);
	strcat(want, hex);
	free(hex);
	req = request(s, key);
	has_ext(req, NID_subject_key_identifier, want);
	X509_REQ_free(req);
	burin_subject_set_ski(s, 0);
	req = request(s, key);
	has_ext(req, NID_subject_key_identifier, NULL);
	/* Nothing asked for: no attribute, not an empty list. */
	assert_int_equal(X509_REQ_get_attr_count(req), 0);
	X509_REQ_free(req);
	assert_int_equal(
	    burin_subject_add_ext(s, "subjectKeyIdentifier = hash", &e), 0);
	req = request(s, key);
	has_ext(req, NID_subject_key_identifier, want);
	X509_REQ_free(req);
	X509_free(cert);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static const ASN1_TYPE *
attribute(X509_REQ *req, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 0);
	int i = X509_REQ_get_attr_by_OBJ(req, obj, -1);

	ASN1_OBJECT_free(obj);
	assert_true(i >= 0);
	assert_int_equal(X509_ATTRIBUTE_count(X509_REQ_get_attr(req, i)), 1);
	return X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(req, i), 0);
}

static void
has_attribute(X509_REQ *req, const char *oid, int type, const char *text)
{
	const ASN1_TYPE *any = attribute(req, oid);

	assert_int_equal(any->type, type);
	assert_int_equal(
	    ASN1_STRING_length(any->value.asn1_string), strlen(text));
	assert_memory_equal(
	    ASN1_STRING_get0_data(any->value.asn1_string), text, strlen(text));
}

static void
test_attributes(void **state)
{
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("ED25519");
	struct burin_secret *secret;
	X509_REQ *req;

	(void)state;
	assert_int_equal(burin_secret_new(&secret, "let me in", 9, &e), 0);
	assert_int_equal(burin_subject_set_challenge(s, secret, &e), 0);
	burin_secret_free(&secret);
	assert_int_equal(
	    burin_subject_add_attribute(s, "unstructuredName=r7", &e), 0);
	assert_int_equal(burin_subject_add_attribute(
			     s, "unstructuredAddress=Zo\xc3\xab", &e),
	    0);
	assert_int_equal(
	    burin_subject_add_attribute(s, "postalAddress=Main St 1$Town", &e),
	    0);
	assert_int_equal(burin_subject_add_attribute(s, "1.2.3=x=y", &e), 0);
	req = request(s, key);
	has_attribute(
	    req, "challengePassword", V_ASN1_PRINTABLESTRING, "let me in");
	has_attribute(req, "unstructuredName", V_ASN1_IA5STRING, "r7");
	has_attribute(
	    req, "unstructuredAddress", V_ASN1_UTF8STRING, "Zo\xc3\xab");
	has_attribute(req, "1.2.3", V_ASN1_UTF8STRING, "x=y");
	has_attribute(req, "postalAddress", V_ASN1_SEQUENCE,
	    "\x30\x11\x13\x09Main St 1\x13\x04Town");
	X509_REQ_free(req);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_bad_attributes(void **state)
{
	struct burin_subject *s = subject("CN=a");
	struct burin_secret *secret;

	(void)state;
	refused(burin_subject_add_attribute(s, "challengePassword=hush", &e),
	    "attribute-secret");
	assert_int_equal(
	    burin_subject_add_attribute(s, "1.2.840.113549.1.9.7=hush", &e),
	    -1);
	assert_null(strstr(e.reason, "hush"));
	burin_error_clear(&e);
	refused(burin_subject_add_attribute(s, "extReq=x", &e),
	    "attribute-malformed");
	refused(
	    burin_subject_add_attribute(s, "1.2.3", &e), "attribute-malformed");
	refused(burin_subject_add_attribute(s, "1.2.3=", &e),
	    "attribute-malformed");
	refused(burin_subject_add_attribute(s, "nosuch=x", &e),
	    "attribute-malformed");
	refused(burin_subject_add_attribute(s, "postalAddress=a$$b", &e),
	    "attribute-malformed");
	refused(
	    burin_subject_add_attribute(s, "postalAddress=1$2$3$4$5$6$7", &e),
	    "attribute-malformed");
	assert_int_equal(burin_subject_add_attribute(s, "1.2.3=x", &e), 0);
	refused(
	    burin_subject_add_attribute(s, "1.2.3=y", &e), "attribute-twice");
	assert_int_equal(burin_secret_new(&secret, "a\xff", 2, &e), 0);
	refused(
	    burin_subject_set_challenge(s, secret, &e), "challenge-malformed");
	burin_secret_free(&secret);
	assert_int_equal(burin_secret_new(&secret, "", 0, &e), 0);
	refused(
	    burin_subject_set_challenge(s, secret, &e), "challenge-malformed");
	burin_secret_free(&secret);
	burin_subject_free(&s);
}

static void
test_signatures(void **state)
{
	static const struct {
		const char *key;
		int nid;
	} rows[] = {
		{ "RSA", NID_sha256WithRSAEncryption },
		{ "P-256", NID_ecdsa_with_SHA256 },
		{ "P-384", NID_ecdsa_with_SHA384 },
		{ "P-521", NID_ecdsa_with_SHA512 },
		{ "ED25519", NID_ED25519 },
	};
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key, *other;
	unsigned char *der;
	X509_REQ *req;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		key = pki_key(rows[i].key);
		req = request(s, key);
		assert_int_equal(X509_REQ_get_signature_nid(req), rows[i].nid);
		X509_REQ_free(req);
		EVP_PKEY_free(key);
	}
	key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	refused(burin_pkcs10_make(s, key, key, NULL, &der, &len, &e),
	    "key-cannot-sign");
	EVP_PKEY_free(key);
	key = pki_key("ED25519");
	refused(burin_pkcs10_make(s, key, key, "SHA256", &der, &len, &e),
	    "digest-not-taken");
	EVP_PKEY_free(key);
	key = pki_key("P-256");
	refused(burin_pkcs10_make(s, key, key, "SHA1", &der, &len, &e),
	    "digest-unusable");
	refused(burin_pkcs10_make(s, key, key, "none", &der, &len, &e),
	    "digest-unusable");
	other = EVP_EC_gen("P-256");
	refused(burin_pkcs10_make(s, key, other, NULL, &der, &len, &e),
	    "signature-wrong");
	assert_null(der);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
	burin_subject_free(&s);
}

/* Same wishes, same bytes; in another order of typing the fixed order. */
static void
test_deterministic(void **state)
{
	EVP_PKEY *key = pki_key("ED25519");
	unsigned char *one, *two;
	size_t n, m;
	struct burin_subject *s = subject("CN=a");

	(void)state;
	assert_int_equal(burin_subject_add_san(s, "dns:a.example", &e), 0);
	assert_int_equal(burin_subject_add_eku(s, "imUri", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "keyUsage = digitalSignature", &e), 0);
	assert_int_equal(burin_subject_add_attribute(s, "1.2.3=x", &e), 0);
	assert_int_equal(burin_subject_add_attribute(s, "1.2.4=x", &e), 0);
	assert_int_equal(burin_pkcs10_make(s, key, key, NULL, &one, &n, &e), 0);
	burin_subject_free(&s);
	s = subject("CN=a");
	assert_int_equal(burin_subject_add_attribute(s, "1.2.4=x", &e), 0);
	assert_int_equal(burin_subject_add_attribute(s, "1.2.3=x", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "keyUsage = digitalSignature", &e), 0);
	assert_int_equal(burin_subject_add_eku(s, "imUri", &e), 0);
	assert_int_equal(burin_subject_add_san(s, "dns:a.example", &e), 0);
	assert_int_equal(burin_pkcs10_make(s, key, key, NULL, &two, &m, &e), 0);
	assert_int_equal(n, m);
	assert_memory_equal(one, two, n);
	OPENSSL_free(one);
	OPENSSL_free(two);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_limits(void **state)
{
	struct burin_subject *s = subject("CN=a");
	char text[64];
	int i;

	(void)state;
	for (i = 0; i < BURIN_MAX_SANS; i++) {
		(void)snprintf(text, sizeof(text), "dns:h%d.example", i);
		assert_int_equal(burin_subject_add_san(s, text, &e), 0);
	}
	refused(burin_subject_add_san(s, "dns:one.more", &e), "too-many-names");
	for (i = 0; i < BURIN_MAX_EXTENSIONS; i++) {
		(void)snprintf(text, sizeof(text), "1.2.3.%d = DER:0500", i);
		assert_int_equal(burin_subject_add_ext(s, text, &e), 0);
	}
	refused(burin_subject_add_ext(s, "1.2.4 = DER:0500", &e),
	    "too-many-extensions");
	for (i = 0; i < BURIN_MAX_ATTRIBUTES - 2; i++) {
		(void)snprintf(text, sizeof(text), "1.2.3.%d=x", i);
		assert_int_equal(burin_subject_add_attribute(s, text, &e), 0);
	}
	refused(burin_subject_add_attribute(s, "1.2.4=x", &e),
	    "too-many-attributes");
	burin_subject_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_purposes),
		cmocka_unit_test(test_xmpp_encoding),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_bad_prefixes),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_bad_extensions),
		cmocka_unit_test(test_ski),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_bad_attributes),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
