/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is refused in requests that others made.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/request.h>

#include "pki.h"

static struct burin_error e;

static void
refused(int rc, const char *code)
{
	assert_int_equal(rc, -1);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s: %s", e.code, e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
}

/* Requests as somebody else might make them, signed and refused. */
static void
refused_req(X509_REQ *req, EVP_PKEY *key, const EVP_MD *md, const char *word)
{
	unsigned char *der = NULL;
	X509_REQ *got;
	int len;

	assert_true(X509_REQ_sign(req, key, md) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	if (burin_pkcs10_parse(der, (size_t)len, BURIN_EAUTHORITY, &got, &e) ==
	    0)
		fail_msg("taken: %s", word);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_string_equal(e.code, "request-malformed");
	if (strstr(e.reason, word) == NULL)
		fail_msg("\"%s\" without \"%s\"", e.reason, word);
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
	OPENSSL_free(der);
	X509_REQ_free(req);
}

static void
add_raw(X509_REQ *req, int nid, int type, const char *value, int len)
{
	assert_int_equal(X509_REQ_add1_attr_by_NID(
			     req, nid, type, (const unsigned char *)value, len),
	    1);
}

static void
test_foreign_requests(void **state)
{
	static const char *const twice[] = { "keyUsage=digitalSignature",
		"keyUsage=keyAgreement", NULL };
	static const char *const broken[] = { "keyUsage=DER:0102", NULL };
	static const char *const behind[] = { "keyUsage=DER:030207800500",
		NULL };
	static const char *const nul[] = {
		"subjectAltName=DER:3008820661002e636f6d", NULL
	};
	static const char *const one[] = { "keyUsage=digitalSignature", NULL };
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req;
	const EVP_MD *md = EVP_sha256();

	(void)state;
	burin_error_clear(&e);
	req = pki_req("a", key, NULL);
	assert_int_equal(X509_REQ_set_version(req, 2), 1);
	refused_req(req, key, md, "version");
	refused_req(pki_req("a", key, twice), key, md, "twice");
	refused_req(pki_req("a", key, broken), key, md, "keyUsage");
	refused_req(pki_req("a", key, behind), key, md, "keyUsage");
	refused_req(pki_req("a", key, nul), key, md, "characters");
	req = pki_req("a", key, NULL);
	add_raw(req, NID_ext_req, V_ASN1_SEQUENCE, "\x30\x00", 2);
	refused_req(req, key, md, "empty list");
	req = pki_req("a", key, one);
	add_raw(req, NID_ms_ext_req, V_ASN1_SEQUENCE, "\x30\x00", 2);
	refused_req(req, key, md, "two lists");
	req = pki_req("a", key, NULL);
	add_raw(req, NID_ext_req, V_ASN1_UTF8STRING, "x", 1);
	refused_req(req, key, md, "cannot be decoded");
	req = pki_req("a", key, NULL);
	add_raw(req, NID_pkcs9_challengePassword, V_ASN1_UTF8STRING, "x", 1);
	assert_int_equal(X509_ATTRIBUTE_set1_data(X509_REQ_get_attr(req, 0),
			     V_ASN1_UTF8STRING, "y", 1),
	    1);
	refused_req(req, key, md, "several values");
	EVP_PKEY_free(key);
}

static void
test_weak_signature(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req = pki_req("a", key, NULL);

	(void)state;
	burin_error_clear(&e);
	assert_true(X509_REQ_sign(req, key, EVP_sha1()) > 0);
	refused(
	    burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, &e), "pop-failed");
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	assert_int_equal(burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, &e), 0);
	EVP_PKEY_free(key);
	/* The same name for another key: the signature is not its own. */
	key = EVP_EC_gen("P-256");
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	refused(
	    burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, &e), "pop-failed");
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void
test_armour(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	unsigned char *der = NULL;
	char *pem;
	X509_REQ *req = pki_req("a", key, NULL);
	size_t len;
	BIO *out = BIO_new(BIO_s_mem());
	long n;

	(void)state;
	burin_error_clear(&e);
	n = i2d_X509_REQ(req, &der);
	assert_true(n > 0);
	len = (size_t)n;
	X509_REQ_free(req);
	assert_true(
	    PEM_write_bio(out, PEM_STRING_X509_REQ, "", der, (long)len) > 0);
	n = BIO_get_mem_data(out, &pem);
	assert_int_equal(
	    burin_pkcs10_parse(pem, (size_t)n, BURIN_ECHECK, &req, &e), 0);
	X509_REQ_free(req);
	assert_true(
	    PEM_write_bio(out, PEM_STRING_X509_REQ, "", der, (long)len) > 0);
	n = BIO_get_mem_data(out, &pem);
	assert_int_equal(
	    burin_pkcs10_parse(pem, (size_t)n, BURIN_ECHECK, &req, &e), -1);
	burin_error_clear(&e);
	(void)BIO_reset(out);
	assert_true(
	    PEM_write_bio(out, PEM_STRING_X509, "", der, (long)len) > 0);
	n = BIO_get_mem_data(out, &pem);
	refused(burin_pkcs10_parse(pem, (size_t)n, BURIN_ECHECK, &req, &e),
	    "request-malformed");
	refused(burin_pkcs10_parse(der, len - 1, BURIN_ECHECK, &req, &e),
	    "request-malformed");
	refused(burin_pkcs10_parse("", 0, BURIN_ECHECK, &req, &e),
	    "request-malformed");
	BIO_free(out);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_requests),
		cmocka_unit_test(test_weak_signature),
		cmocka_unit_test(test_armour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
