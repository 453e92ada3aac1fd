/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The envelopes of CMC: made and read by us, made by us and read by OpenSSL,
 * made by OpenSSL and read by us.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <burin/cms.h>

#include "pki.h"

#define PKI_DATA "1.3.6.1.5.5.7.12.2"
#define ID_DATA "1.2.840.113549.1.7.1"

static const char text[] = "what is signed, authenticated or encrypted";
static const unsigned char ski[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 16, 17, 18, 19, 20 };

static void
must(int rc, const struct burin_error *e)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e->code, e->reason, e->cause);
	if (ERR_peek_error() != 0) {
		ERR_print_errors_fp(stderr);
		fail_msg("errors are left in OpenSSL's queue");
	}
}

static struct burin_cms *
parse(const unsigned char *der, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;

	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	return cms;
}

static void
assert_content(const struct burin_cms *cms, const char *type)
{
	size_t len;
	const unsigned char *p = burin_cms_content(cms, &len);

	assert_non_null(p);
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(p, text, len);
	assert_string_equal(burin_cms_content_type(cms), type);
}

static void
assert_refused(
    int rc, struct burin_error *e, enum burin_status status, const char *code)
{
	assert_int_equal(rc, -1);
	assert_string_equal(e->code, code);
	assert_int_equal(e->status, status);
	assert_string_not_equal(e->reason, "");
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(e);
}

/* OpenSSL 3.0 as the reader of what we signed; it knows no EdDSA. */
static void
openssl_verifies(
    const unsigned char *der, size_t len, EVP_PKEY *pub, X509 *cert)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	STACK_OF(X509) *bag = sk_X509_new_null();
	X509 *dummy = X509_new();
	char buf[100];

	assert_non_null(cms);
	assert_ptr_equal(p, der + len);
	assert_int_equal(X509_set_pubkey(dummy, pub), 1);
	if (cert == NULL) {
		CMS_SignerInfo *si =
		    sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);

		CMS_SignerInfo_set1_signer_cert(si, dummy);
	} else {
		assert_true(sk_X509_push(bag, cert) > 0);
	}
	assert_int_equal(CMS_verify(cms, bag, NULL, NULL, out,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	assert_int_equal(BIO_read(out, buf, sizeof(buf)), sizeof(text));
	assert_memory_equal(buf, text, sizeof(text));
	X509_free(dummy);
	sk_X509_free(bag);
	BIO_free(out);
	CMS_ContentInfo_free(cms);
}

static void
sign_with(const char *kind, enum burin_cms_by by, const char *signature)
{
	EVP_PKEY *key = pki_key(kind), *other = pki_key(kind);
	X509 *cert = pki_ca("signer", key);
	struct burin_cms_signer s = { .by = by,
		.key = key,
		.pub = key,
		.cert = cert,
		.signing_time = PKI_NOW };
	struct burin_cms_signer_info info;
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	if (by == BURIN_CMS_BY_KEY) {
		s.key_id = ski;
		s.key_id_len = sizeof(ski);
	}
	must(burin_cms_sign(&s, PKI_DATA, text, sizeof(text), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	assert_int_equal(burin_cms_get_type(cms), BURIN_CMS_SIGNED);
	assert_content(cms, PKI_DATA);
	assert_int_equal(burin_cms_n_signers(cms), 1);
	burin_cms_signer(cms, 0, &info);
	assert_int_equal(info.signing_time, PKI_NOW);
	assert_false(info.no_signature);
	assert_string_equal(info.signature, signature);
	if (by == BURIN_CMS_BY_KEY) {
		assert_null(info.issuer);
		assert_int_equal(info.key_id_len, sizeof(ski));
		assert_memory_equal(info.key_id, ski, sizeof(ski));
		assert_int_equal(sk_X509_num(burin_cms_certs(cms)), 0);
		assert_null(burin_cms_signer_cert(cms, 0));
	} else {
		assert_int_equal(
		    X509_NAME_cmp(info.issuer, X509_get_issuer_name(cert)), 0);
		assert_int_equal(sk_X509_num(burin_cms_certs(cms)), 1);
		assert_int_equal(
		    X509_cmp(burin_cms_signer_cert(cms, 0), cert), 0);
	}
	must(burin_cms_verify(cms, 0, key, 0, &e), &e);
	assert_refused(burin_cms_verify(cms, 0, other, 0, &e), &e, BURIN_ECHECK,
	    "signature-wrong");
	assert_refused(burin_cms_verify(cms, 1, key, 0, &e), &e, BURIN_ECHECK,
	    "signer-missing");
	if (strncmp(kind, "ED", 2) != 0)
		openssl_verifies(
		    der, len, key, by == BURIN_CMS_BY_KEY ? NULL : cert);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void
test_sign(void **state)
{
	static const char *const kinds[][2] = {
		{ "RSA", "RSA with SHA256" },
		{ "P-256", "ecdsa-with-SHA256" },
		{ "P-384", "ecdsa-with-SHA384" },
		{ "P-521", "ecdsa-with-SHA512" },
		{ "ED25519", "ED25519" },
		{ "ED448", "ED448" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		sign_with(kinds[i][0], BURIN_CMS_BY_CERT, kinds[i][1]);
		sign_with(kinds[i][0], BURIN_CMS_BY_KEY, kinds[i][1]);
	}
}

static void
test_unsigned(void **state)
{
	static const unsigned char alg[] = { 0x30, 0x0c, 0x06, 0x08, 0x2b, 6, 1,
		5, 5, 7, 6, 2, 5, 0, 4, 22, 4, 20 };
	struct burin_cms_signer s = { .by = BURIN_CMS_UNSIGNED,
		.key_id = ski,
		.key_id_len = sizeof(ski) };
	struct burin_cms_signer_info info;
	struct burin_error e = BURIN_ERROR_INIT;
	EVP_PKEY *key = pki_key("P-256");
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	(void)state;
	must(burin_cms_sign(&s, PKI_DATA, text, sizeof(text), &der, &len, &e),
	    &e);
	/* NULL parameters are there; the value is an OCTET STRING in one. */
	assert_non_null(memmem(der, len, alg, sizeof(alg)));
	cms = parse(der, len);
	burin_cms_signer(cms, 0, &info);
	assert_true(info.no_signature);
	assert_memory_equal(info.key_id, ski, sizeof(ski));
	assert_refused(burin_cms_verify(cms, 0, key, 1, &e), &e, BURIN_ECHECK,
	    "not-signed");
	assert_content(cms, PKI_DATA);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static X509_CRL *
crl(X509 *ca, EVP_PKEY *key)
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_set(NULL, PKI_NOW);

	assert_int_equal(X509_CRL_set_version(list, X509_CRL_VERSION_2), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(list, X509_get_subject_name(ca)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(list, now), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(list, now), 1);
	assert_true(X509_CRL_sign(list, key, EVP_sha256()) > 0);
	ASN1_TIME_free(now);
	return list;
}

/* A simple response, and an unsigned revocation: nobody signs. */
static void
test_nobody(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	X509 *cert = pki_ca("one", key);
	X509_CRL *list = crl(cert, key);
	struct burin_cms_signer s = { .by = BURIN_CMS_BY_NOBODY };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	(void)state;
	s.certs = sk_X509_new_null();
	s.crls = sk_X509_CRL_new_null();
	assert_true(sk_X509_push(s.certs, cert) > 0);
	assert_true(sk_X509_CRL_push(s.crls, list) > 0);
	must(burin_cms_sign(&s, ID_DATA, NULL, 0, &der, &len, &e), &e);
	cms = parse(der, len);
	assert_int_equal(burin_cms_n_signers(cms), 0);
	assert_null(burin_cms_content(cms, &len));
	assert_int_equal(
	    X509_cmp(sk_X509_value(burin_cms_certs(cms), 0), cert), 0);
	assert_int_equal(
	    X509_CRL_cmp(sk_X509_CRL_value(burin_cms_crls(cms), 0), list), 0);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	must(burin_cms_sign(&s, PKI_DATA, text, sizeof(text), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	assert_content(cms, PKI_DATA);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	sk_X509_free(s.certs);
	sk_X509_CRL_free(s.crls);
	X509_CRL_free(list);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* OpenSSL signs: PSS, a stream in BER, no attributes, SHA-1. */
static unsigned char *
openssl_signs(X509 *cert, EVP_PKEY *key, const EVP_MD *md, int pss,
    unsigned flags, size_t *len)
{
	BIO *in = BIO_new_mem_buf(text, sizeof(text));
	BIO *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	unsigned char *data;
	char *p;

	flags |= CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	assert_non_null(cms = CMS_sign(NULL, NULL, NULL, NULL, flags));
	si = CMS_add1_signer(
	    cms, cert, key, md, flags | (pss ? (unsigned)CMS_KEY_PARAM : 0));
	assert_non_null(si);
	if (pss)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				     CMS_SignerInfo_get0_pkey_ctx(si),
				     RSA_PKCS1_PSS_PADDING),
		    1);
	if ((flags & CMS_STREAM) == 0)
		assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	assert_int_equal(
	    i2d_CMS_bio_stream(out, cms, in, (int)(flags & CMS_STREAM)), 1);
	*len = (size_t)BIO_get_mem_data(out, &p);
	assert_non_null(data = malloc(*len));
	memcpy(data, p, *len);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	return data;
}

static void
verify_theirs(const char *kind, const EVP_MD *md, int pss, unsigned flags,
    int weak, int ber)
{
	EVP_PKEY *key = pki_key(kind);
	X509 *cert = pki_ca("theirs", key);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	unsigned char *data;
	size_t len;

	data = openssl_signs(cert, key, md, pss, flags, &len);
	/* The outer SEQUENCE has an indefinite length. */
	assert_int_equal(data[1] == 0x80, ber);
	cms = parse(data, len);
	assert_content(cms, ID_DATA);
	if (weak)
		assert_refused(burin_cms_verify(cms, 0, key, 0, &e), &e,
		    BURIN_ECHECK, "algorithm-refused");
	must(burin_cms_verify(cms, 0, key, weak, &e), &e);
	burin_cms_free(&cms);
	free(data);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
test_verify_theirs(void **state)
{
	(void)state;
	verify_theirs("RSA", EVP_sha256(), 0, 0, 0, 0);
	verify_theirs("RSA", EVP_sha512(), 1, 0, 0, 0);
	verify_theirs("RSA", EVP_sha256(), 0, CMS_STREAM, 0, 1);
	verify_theirs("P-256", EVP_sha256(), 0, CMS_STREAM, 0, 1);
	verify_theirs("P-384", EVP_sha384(), 0, CMS_USE_KEYID, 0, 0);
	verify_theirs("RSA", EVP_sha256(), 0, CMS_NOATTR, 0, 0);
	verify_theirs("P-256", EVP_sha256(), 0, CMS_NOATTR, 0, 0);
	verify_theirs("RSA", EVP_sha1(), 0, 0, 1, 0);
	verify_theirs("RSA", EVP_sha1(), 1, 0, 1, 0);
	verify_theirs("P-256", EVP_sha1(), 0, 0, 1, 0);
	verify_theirs("RSA", EVP_md5(), 0, 0, 1, 0);
}

static struct burin_secret *
secret(const char *s)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;

	must(burin_secret_new(&out, s, strlen(s), &e), &e);
	return out;
}

static void
authenticate(int legacy)
{
	struct burin_secret *right = secret("the secret");
	struct burin_secret *wrong = secret("another secret");
	/* The same octets, divided elsewhere: only their sum counts. */
	struct burin_secret *shifted = secret("icethe secret");
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	must(burin_cms_authenticate("alice", right, legacy, 1000, PKI_DATA,
		 text, sizeof(text), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	assert_int_equal(burin_cms_get_type(cms), BURIN_CMS_AUTHENTICATED);
	assert_content(cms, PKI_DATA);
	assert_int_equal(burin_cms_n_signers(cms), 0);
	must(burin_cms_verify_mac(cms, "alice", right, legacy, &e), &e);
	must(burin_cms_verify_mac(cms, "al", shifted, legacy, &e), &e);
	assert_refused(burin_cms_verify_mac(cms, "alice", wrong, legacy, &e),
	    &e, BURIN_ECHECK, "mac-wrong");
	assert_refused(burin_cms_verify_mac(cms, "bob", right, legacy, &e), &e,
	    BURIN_ECHECK, "mac-wrong");
	assert_refused(burin_cms_verify_mac(cms, NULL, right, legacy, &e), &e,
	    BURIN_ECHECK, "mac-wrong");
	if (legacy)
		assert_refused(burin_cms_verify_mac(cms, "alice", right, 0, &e),
		    &e, BURIN_ECHECK, "algorithm-refused");
	burin_cms_free(&cms);
	OPENSSL_free(der);
	burin_secret_free(&right);
	burin_secret_free(&wrong);
	burin_secret_free(&shifted);
}

static void
test_authenticate(void **state)
{
	(void)state;
	authenticate(0);
	authenticate(1);
}

static void
decrypts(struct burin_cms *cms, const struct burin_cms_recipient *to,
    EVP_PKEY *key, const char *type)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	size_t len;

	assert_null(burin_cms_content(cms, &len));
	must(burin_cms_decrypt(cms, to, key, key, &out, &e), &e);
	assert_int_equal(burin_secret_len(out), sizeof(text));
	assert_memory_equal(burin_secret_bytes(out), text, sizeof(text));
	assert_string_equal(burin_cms_content_type(cms), type);
	burin_secret_free(&out);
}

static void
openssl_decrypts(
    const unsigned char *der, size_t len, EVP_PKEY *key, X509 *cert)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	char buf[100];

	assert_non_null(cms);
	assert_int_equal(CMS_decrypt(cms, key, cert, NULL, out, CMS_BINARY), 1);
	assert_int_equal(BIO_read(out, buf, sizeof(buf)), sizeof(text));
	assert_memory_equal(buf, text, sizeof(text));
	BIO_free(out);
	CMS_ContentInfo_free(cms);
}

/* Named in each of the three ways, and found by each. */
static void
encrypt_for(const char *kind, int oaep, enum burin_cms_cipher cipher)
{
	EVP_PKEY *key = pki_key(kind), *ca = pki_key("P-256");
	X509 *issuer = pki_ca("issuer", ca);
	struct pki_spec spec = {
		.cn = "mine", .key = key, .issuer = issuer, .issuer_key = ca
	};
	X509 *cert = pki_cert(&spec);
	struct burin_cms_recipient to[3] = {
		{ .pub = key, .cert = cert, .oaep = oaep },
		{ .pub = key,
		    .key_id = ski,
		    .key_id_len = sizeof(ski),
		    .oaep = oaep },
		{ .pub = key, .serial = 4000000000, .oaep = oaep },
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	unsigned char *der;
	size_t i, len;

	for (i = 0; i < 3; i++) {
		/* The right one stands behind one that is not meant. */
		EVP_PKEY *foreign = pki_key(kind);
		struct burin_cms_recipient two[2] = {
			{ .pub = foreign, .serial = 77 }, to[i]
		};

		must(burin_cms_encrypt(two, 2, cipher, ID_DATA, text,
			 sizeof(text), &der, &len, &e),
		    &e);
		cms = parse(der, len);
		assert_int_equal(burin_cms_get_type(cms),
		    cipher == BURIN_CMS_AES256_GCM ? BURIN_CMS_AUTH_ENVELOPED
						   : BURIN_CMS_ENVELOPED);
		decrypts(cms, &to[i], key, ID_DATA);
		if (i == 0)
			openssl_decrypts(der, len, key, cert);
		burin_cms_free(&cms);
		OPENSSL_free(der);
		EVP_PKEY_free(foreign);
	}
	/* A signed message inside. */
	must(burin_cms_encrypt(&to[1], 1, cipher, "1.2.840.113549.1.7.2", text,
		 sizeof(text), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	decrypts(cms, &to[1], key, "1.2.840.113549.1.7.2");
	burin_cms_free(&cms);
	OPENSSL_free(der);
	X509_free(cert);
	X509_free(issuer);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(key);
}

static void
test_encrypt(void **state)
{
	static const enum burin_cms_cipher ciphers[] = { BURIN_CMS_AES256_CBC,
		BURIN_CMS_AES256_GCM };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		encrypt_for("RSA", 0, ciphers[i]);
		encrypt_for("RSA", 1, ciphers[i]);
		encrypt_for("P-256", 0, ciphers[i]);
		encrypt_for("P-384", 0, ciphers[i]);
		encrypt_for("P-521", 0, ciphers[i]);
	}
}

/* OpenSSL 3.0 does not agree on X25519 in CMS: only us with us. */
static void
test_encrypt_x25519(void **state)
{
	EVP_PKEY *key = pki_key("X25519"), *other = pki_key("X25519");
	struct burin_cms_recipient to = { .pub = key, .serial = 5 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	(void)state;
	must(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_GCM, ID_DATA, text,
		 sizeof(text), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	decrypts(cms, &to, key, ID_DATA);
	assert_refused(burin_cms_decrypt(cms, &to, other, other, &out, &e), &e,
	    BURIN_ECHECK, "decrypt-failed");
	burin_cms_free(&cms);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* md not NULL: OAEP. */
static void
decrypt_theirs(const char *kind, const EVP_CIPHER *cipher, const EVP_MD *md,
    unsigned flags, int ok)
{
	EVP_PKEY *key = pki_key(kind), *ca = pki_key("P-256");
	X509 *issuer = pki_ca("issuer", ca);
	static const char *const exts[] = { "subjectKeyIdentifier=hash", NULL };
	struct pki_spec spec = { .cn = "mine",
		.key = key,
		.issuer = issuer,
		.issuer_key = ca,
		.exts = exts };
	X509 *cert = pki_cert(&spec);
	struct burin_cms_recipient to = { .cert = cert };
	struct burin_error e = BURIN_ERROR_INIT;
	BIO *in = BIO_new_mem_buf(text, sizeof(text));
	BIO *out = BIO_new(BIO_s_mem());
	struct burin_secret *plain;
	struct burin_cms *cms;
	CMS_ContentInfo *theirs;
	CMS_RecipientInfo *ri;
	EVP_PKEY_CTX *ctx;
	char *p;
	long len;

	flags |= CMS_BINARY | CMS_PARTIAL;
	theirs = CMS_encrypt(NULL, NULL, cipher, flags);
	assert_non_null(theirs);
	ri = CMS_add1_recipient_cert(
	    theirs, cert, flags | (md != NULL ? (unsigned)CMS_KEY_PARAM : 0));
	assert_non_null(ri);
	if (md != NULL) {
		ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
	}
	if ((flags & CMS_STREAM) == 0)
		assert_int_equal(CMS_final(theirs, in, NULL, flags), 1);
	assert_int_equal(
	    i2d_CMS_bio_stream(out, theirs, in, (int)(flags & CMS_STREAM)), 1);
	len = BIO_get_mem_data(out, &p);
	cms = parse((unsigned char *)p, (size_t)len);
	if (ok)
		decrypts(cms, &to, key, ID_DATA);
	else
		assert_refused(
		    burin_cms_decrypt(cms, &to, key, key, &plain, &e), &e,
		    BURIN_ECHECK, "algorithm-refused");
	burin_cms_free(&cms);
	CMS_ContentInfo_free(theirs);
	BIO_free(in);
	BIO_free(out);
	X509_free(cert);
	X509_free(issuer);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(key);
}

static void
test_decrypt_theirs(void **state)
{
	(void)state;
	decrypt_theirs("RSA", EVP_aes_128_cbc(), NULL, 0, 1);
	decrypt_theirs("RSA", EVP_aes_192_cbc(), EVP_sha1(), 0, 1);
	decrypt_theirs("RSA", EVP_aes_256_cbc(), EVP_sha256(), CMS_STREAM, 1);
	decrypt_theirs("RSA", EVP_aes_128_gcm(), NULL, CMS_USE_KEYID, 1);
	decrypt_theirs("P-256", EVP_aes_256_cbc(), NULL, CMS_STREAM, 1);
	decrypt_theirs("P-384", EVP_aes_128_cbc(), NULL, CMS_USE_KEYID, 1);
	decrypt_theirs("P-521", EVP_aes_256_gcm(), NULL, 0, 1);
	decrypt_theirs("RSA", EVP_des_ede3_cbc(), NULL, 0, 0);
}

/* A message longer than what can be locked in memory. */
static void
test_large(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	struct burin_cms_recipient to = { .pub = key, .serial = 1 };
	struct burin_error e = BURIN_ERROR_INIT;
	static unsigned char big[500000];
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	(void)state;
	memset(big, 'x', sizeof(big));
	must(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC, ID_DATA, big,
		 sizeof(big), &der, &len, &e),
	    &e);
	cms = parse(der, len);
	must(burin_cms_decrypt(cms, &to, key, key, &out, &e), &e);
	assert_int_equal(burin_secret_len(out), sizeof(big));
	assert_memory_equal(burin_secret_bytes(out), big, sizeof(big));
	burin_secret_free(&out);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_verify_theirs),
		cmocka_unit_test(test_authenticate),
		cmocka_unit_test(test_encrypt),
		cmocka_unit_test(test_encrypt_x25519),
		cmocka_unit_test(test_decrypt_theirs),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
