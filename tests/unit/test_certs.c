/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates from every form they come in, and what is refused.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/response.h>

#include "pki.h"

/* A growing byte buffer that OpenSSL writes into. */
static BIO *buf;
static EVP_PKEY *key_a, *key_b;
static X509 *cert_a, *cert_b;

static int
setup(void **state)
{
	(void)state;
	key_a = pki_key("P-256");
	key_b = pki_key("ED25519");
	cert_a = pki_ca("A", key_a);
	cert_b = pki_ca("B", key_b);
	buf = BIO_new(BIO_s_mem());
	return buf != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	BIO_free(buf);
	X509_free(cert_a);
	X509_free(cert_b);
	EVP_PKEY_free(key_a);
	EVP_PKEY_free(key_b);
	return 0;
}

static int
empty_buf(void **state)
{
	(void)state;
	return BIO_reset(buf) == 1 ? 0 : -1;
}

static void
put(const char *text)
{
	assert_int_equal(BIO_write(buf, text, (int)strlen(text)), strlen(text));
}

/* Certificates found in buf, which stays as it is; NULL when refused. */
static STACK_OF(X509) * parse(const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = NULL;
	char *data;
	long len = BIO_get_mem_data(buf, &data);
	int rc;

	rc = burin_certs_parse(data, (size_t)len, BURIN_ECHECK, &certs, &e);
	assert_int_equal(ERR_peek_error(), 0);
	if (code == NULL) {
		if (rc != 0)
			fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
		return certs;
	}
	assert_int_equal(rc, -1);
	assert_null(certs);
	assert_int_equal(e.status, BURIN_ECHECK);
	assert_string_equal(e.code, code);
	assert_string_not_equal(e.reason, "");
	print_message("  %s %s\n", e.reason, e.cause);
	return NULL;
}

static void
expect_refused(void)
{
	assert_null(parse("response-malformed"));
}

static void
expect(int n, X509 *first)
{
	STACK_OF(X509) *certs = parse(NULL);

	assert_int_equal(sk_X509_num(certs), n);
	assert_int_equal(X509_cmp(sk_X509_value(certs, 0), first), 0);
	sk_X509_pop_free(certs, X509_free);
}

static void
put_message(X509 *one, X509 *two)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = sk_X509_new_null();
	unsigned char *der = NULL;
	size_t len;

	assert_true(sk_X509_push(certs, one) > 0);
	if (two != NULL)
		assert_true(sk_X509_push(certs, two) > 0);
	assert_int_equal(burin_certs_only_make(certs, &der, &len, &e), 0);
	assert_int_equal(BIO_write(buf, der, (int)len), len);
	OPENSSL_free(der);
	sk_X509_free(certs);
}

/* buf becomes the base64 of what it held, in lines. */
static void
to_base64(void)
{
	char *data;
	long len = BIO_get_mem_data(buf, &data), lines;
	unsigned char *text = malloc((size_t)len * 2 + 80);
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	int n = 0, more = 0;

	assert_true(text != NULL && ctx != NULL);
	EVP_EncodeInit(ctx);
	EVP_EncodeUpdate(ctx, text, &n, (const unsigned char *)data, (int)len);
	EVP_EncodeFinal(ctx, text + n, &more);
	lines = n + more;
	assert_int_equal(BIO_reset(buf), 1);
	assert_int_equal(BIO_write(buf, text, (int)lines), lines);
	EVP_ENCODE_CTX_free(ctx);
	free(text);
}

static void
test_der(void **state)
{
	(void)state;
	assert_int_equal(i2d_X509_bio(buf, cert_a), 1);
	expect(1, cert_a);
	put("\n");
	expect_refused();
}

static void
test_der_twice(void **state)
{
	(void)state;
	assert_int_equal(i2d_X509_bio(buf, cert_a), 1);
	assert_int_equal(i2d_X509_bio(buf, cert_b), 1);
	expect_refused();
}

static void
test_message(void **state)
{
	(void)state;
	put_message(cert_b, cert_a);
	expect(2, cert_b);
	put("x");
	expect_refused();
}

static void
test_message_keeps_order(void **state)
{
	(void)state;
	put_message(cert_a, cert_b);
	expect(2, cert_a);
}

static void
test_message_twice_the_same(void **state)
{
	(void)state;
	put_message(cert_a, cert_a);
	expect(1, cert_a);
}

static void
test_base64(void **state)
{
	(void)state;
	put_message(cert_a, cert_b);
	to_base64();
	expect(2, cert_a);
	put(" \r\n\t\r\n");
	expect(2, cert_a);
	put("=");
	expect_refused();
}

static void
test_base64_of_a_certificate(void **state)
{
	(void)state;
	assert_int_equal(i2d_X509_bio(buf, cert_a), 1);
	to_base64();
	expect(1, cert_a);
	put("-");
	expect_refused();
}

static void
test_base64_of_text(void **state)
{
	(void)state;
	put("This is no certificate at all, it is a sentence.");
	to_base64();
	expect_refused();
}

static void
test_pem_bundle(void **state)
{
	(void)state;
	put("0 subject=/CN=A\n");
	assert_int_equal(PEM_write_bio_X509(buf, cert_a), 1);
	put("text between, and twice the same\n");
	assert_int_equal(PEM_write_bio_X509(buf, cert_a), 1);
	assert_int_equal(PEM_write_bio_X509(buf, cert_b), 1);
	put("the end\n");
	expect(2, cert_a);
}

static void
test_pem_labels(void **state)
{
	unsigned char *der = NULL;
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *when;
	int len;

	(void)state;
	put_message(cert_b, NULL);
	len = (int)BIO_get_mem_data(buf, &der);
	der = OPENSSL_memdup(der, (size_t)len);
	assert_non_null(der);
	assert_int_equal(BIO_reset(buf), 1);
	assert_true(PEM_write_bio(buf, "PKCS7", "", der, len) > 0);
	expect(1, cert_b);
	assert_true(PEM_write_bio(buf, "CMS", "", der, len) > 0);
	expect(1, cert_b);
	OPENSSL_free(der);
	/* A revocation list may lie between, it is left out. */
	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(cert_a)), 1);
	when = ASN1_TIME_set(NULL, PKI_NOW);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, when), 1);
	ASN1_TIME_free(when);
	assert_true(X509_CRL_sign(crl, key_a, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(buf, crl), 1);
	expect(1, cert_b);
	X509_CRL_free(crl);
	der = NULL;
	len = i2d_X509(cert_a, &der);
	assert_true(PEM_write_bio(buf, "X509 CERTIFICATE", "", der, len) > 0);
	expect(2, cert_b);
	OPENSSL_free(der);
}

static void
test_pem_key(void **state)
{
	(void)state;
	assert_int_equal(PEM_write_bio_X509(buf, cert_a), 1);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
			     buf, key_a, NULL, NULL, 0, NULL, NULL),
	    1);
	expect_refused();
}

static void
test_pem_encrypted(void **state)
{
	(void)state;
	put("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-256-CBC,00\n\nMAAA\n-----END CERTIFICATE-----\n");
	expect_refused();
}

static void
test_pem_damaged(void **state)
{
	(void)state;
	assert_int_equal(PEM_write_bio_X509(buf, cert_a), 1);
	put("-----BEGIN CERTIFICATE-----\nMAAA\n");
	expect_refused();
}

static void
test_pem_start_line(void **state)
{
	(void)state;
	assert_int_equal(PEM_write_bio_X509(buf, cert_a), 1);
	put("-----BEGIN CERTIFICATE\nMAAA\n-----END CERTIFICATE-----\n");
	expect_refused();
}

static void
test_pem_trailing(void **state)
{
	unsigned char *der = NULL, *more;
	int len = i2d_X509(cert_a, &der);

	(void)state;
	more = OPENSSL_realloc(der, (size_t)len + 1);
	assert_non_null(more);
	more[len] = 0;
	assert_true(PEM_write_bio(buf, "CERTIFICATE", "", more, len + 1) > 0);
	OPENSSL_free(more);
	expect_refused();
}

static void
test_signed_message(void **state)
{
	BIO *content = BIO_new_mem_buf("x", 1);
	CMS_ContentInfo *cms =
	    CMS_sign(cert_a, key_a, NULL, content, CMS_BINARY);

	(void)state;
	assert_non_null(cms);
	assert_int_equal(i2d_CMS_bio(buf, cms), 1);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	expect_refused();
}

static void
test_other_message(void **state)
{
	BIO *content = BIO_new_mem_buf("x", 1);
	CMS_ContentInfo *cms = CMS_data_create(content, CMS_BINARY);

	(void)state;
	assert_non_null(cms);
	assert_int_equal(i2d_CMS_bio(buf, cms), 1);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	expect_refused();
}

/* SignedData with nothing in it. */
static void
test_empty_message(void **state)
{
	PKCS7 *p7 = PKCS7_new();

	(void)state;
	assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_signed), 1);
	ASN1_OBJECT_free(p7->d.sign->contents->type);
	p7->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
	assert_int_equal(i2d_PKCS7_bio(buf, p7), 1);
	PKCS7_free(p7);
	assert_null(parse("response-empty"));
}

static void
test_sizes(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = NULL;
	struct pki_spec spec = { 0 };
	unsigned char *der, *big;
	size_t len;
	int i;

	(void)state;
	assert_null(parse("response-malformed"));
	big = calloc(1, BURIN_MAX_RESPONSE + 1);
	assert_non_null(big);
	memset(big, ' ', BURIN_MAX_RESPONSE + 1);
	assert_int_equal(burin_certs_parse(big, BURIN_MAX_RESPONSE + 1,
			     BURIN_EAUTHORITY, &certs, &e),
	    -1);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	free(big);
	/* One certificate more than the limit: as PEM, and to be made. */
	certs = sk_X509_new_null();
	spec.cn = "many";
	spec.key = key_a;
	for (i = 0; i <= BURIN_MAX_CERTS; i++) {
		X509 *cert = pki_cert(&spec);

		assert_true(sk_X509_push(certs, cert) > 0);
		assert_int_equal(PEM_write_bio_X509(buf, cert), 1);
	}
	expect_refused();
	burin_error_clear(&e);
	assert_int_equal(burin_certs_only_make(certs, &der, &len, &e), -1);
	assert_string_equal(e.code, "certs-count");
	X509_free(sk_X509_pop(certs));
	assert_int_equal(burin_certs_only_make(certs, &der, &len, NULL), 0);
	assert_int_equal(BIO_reset(buf), 1);
	assert_int_equal(BIO_write(buf, der, (int)len), len);
	OPENSSL_free(der);
	expect(BURIN_MAX_CERTS, sk_X509_value(certs, 0));
	sk_X509_pop_free(certs, X509_free);
}

/* A certificate in BER would not be what is read back from a token. */
static void
test_ber(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL, *ber;
	X509 *cert = NULL;
	int len = i2d_X509(cert_a, &der);

	(void)state;
	assert_true(len > 256 && len < 65536);
	ber = calloc(1, (size_t)len + 1);
	assert_non_null(ber);
	/* The length in three bytes where two suffice. */
	memcpy(ber, "\x30\x83\x00", 3);
	memcpy(ber + 3, der + 2, (size_t)len - 2);
	assert_int_equal(
	    burin_cert_parse(ber, (size_t)len + 1, BURIN_ECHECK, &cert, &e),
	    -1);
	assert_null(cert);
	assert_string_equal(e.code, "response-malformed");
	/* The same inside of what is signed: the length of the TBS. */
	assert_int_equal(der[4], 0x30);
	assert_int_equal(der[5], 0x81);
	memcpy(ber, der, 5);
	ber[2] = (unsigned char)((len - 3) >> 8);
	ber[3] = (unsigned char)(len - 3);
	memcpy(ber + 5, "\x82\x00", 2);
	memcpy(ber + 7, der + 6, (size_t)len - 6);
	assert_int_equal(
	    burin_cert_parse(ber, (size_t)len + 1, BURIN_ECHECK, &cert, NULL),
	    -1);
	assert_int_equal(
	    burin_cert_parse(der, (size_t)len, BURIN_ECHECK, &cert, NULL), 0);
	X509_free(cert);
	OPENSSL_free(der);
	free(ber);
}

static void
test_for_key(void **state)
{
	STACK_OF(X509) *bag = sk_X509_new_null();
	struct pki_spec spec = { 0 };
	X509 *old, *young;

	(void)state;
	spec.cn = "old";
	spec.key = key_a;
	spec.from = PKI_NOW - 9 * PKI_DAY;
	old = pki_cert(&spec);
	spec.cn = "young";
	spec.from = PKI_NOW - PKI_DAY;
	young = pki_cert(&spec);
	assert_null(burin_certs_for_key(NULL, key_a));
	assert_null(burin_certs_for_key(bag, key_a));
	assert_true(sk_X509_push(bag, cert_b) > 0);
	assert_null(burin_certs_for_key(bag, key_a));
	assert_true(sk_X509_push(bag, young) > 0);
	assert_true(sk_X509_push(bag, old) > 0);
	assert_ptr_equal(burin_certs_for_key(bag, key_a), young);
	assert_ptr_equal(burin_certs_for_key(bag, key_b), cert_b);
	assert_null(burin_certs_for_key(bag, NULL));
	assert_int_equal(ERR_peek_error(), 0);
	X509_free(old);
	X509_free(young);
	sk_X509_free(bag);
}

static void
test_sha256(void **state)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char hex[65], want[65];
	unsigned int len, i;

	(void)state;
	assert_int_equal(burin_cert_sha256(cert_a, hex, NULL), 0);
	assert_int_equal(X509_digest(cert_a, EVP_sha256(), md, &len), 1);
	for (i = 0; i < len; i++)
		(void)snprintf(want + 2 * i, 3, "%02x", md[i]);
	assert_string_equal(hex, want);
}

#define CASE(f) cmocka_unit_test_setup(f, empty_buf)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_der),
		CASE(test_der_twice),
		CASE(test_message),
		CASE(test_message_keeps_order),
		CASE(test_message_twice_the_same),
		CASE(test_base64),
		CASE(test_base64_of_a_certificate),
		CASE(test_base64_of_text),
		CASE(test_pem_bundle),
		CASE(test_pem_labels),
		CASE(test_pem_key),
		CASE(test_pem_encrypted),
		CASE(test_pem_damaged),
		CASE(test_pem_start_line),
		CASE(test_pem_trailing),
		CASE(test_signed_message),
		CASE(test_other_message),
		CASE(test_empty_message),
		CASE(test_sizes),
		CASE(test_ber),
		CASE(test_for_key),
		CASE(test_sha256),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
