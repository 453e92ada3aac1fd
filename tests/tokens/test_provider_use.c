/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Token keys where their users meet them: PKCS#10 requests, certificates,
 * CMS in both directions, TLS client authentication.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "one_softhsm.h"

static const char text[] = "what is sealed";

#define OK(expr)                                     \
	do {                                         \
		if (!(expr)) {                       \
			ERR_print_errors_fp(stderr); \
			fail_msg("%s", #expr);       \
		}                                    \
	} while (0)

static const EVP_MD *
md_of(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	return EVP_sha256();
}

/*
 * A certificate of the public key in software, as one comes from an
 * authority; signed by signer.
 */
static X509 *
certificate(EVP_PKEY *pub, EVP_PKEY *signer)
{
	X509 *x = X509_new(), *again;
	X509_NAME *name;
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	unsigned char *der = NULL;
	const unsigned char *p;
	int n;

	OK(x != NULL && X509_set_version(x, X509_VERSION_3));
	OK(ASN1_INTEGER_set(X509_get_serialNumber(x), 7));
	OK(X509_gmtime_adj(X509_getm_notBefore(x), -60) != NULL);
	OK(X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL);
	name = X509_NAME_new();
	OK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"token", -1, -1, 0));
	OK(X509_set_subject_name(x, name) && X509_set_issuer_name(x, name));
	X509_NAME_free(name);
	OK(X509_set_pubkey(x, pub));
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext =
	    X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	OK(ext != NULL && X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
	OK(X509_sign(x, signer, md_of(signer)) > 0);
	OK((n = i2d_X509(x, &der)) > 0);
	p = der;
	OK((again = d2i_X509(NULL, &p, n)) != NULL);
	OPENSSL_free(der);
	X509_free(x);
	return again;
}

static void
request(struct burin_key *k, int pss)
{
	EVP_PKEY *key = softhsm_evp(k), *pub = burin_key_public(k);
	X509_REQ *req = X509_REQ_new();
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;

	OK(X509_REQ_set_version(req, X509_REQ_VERSION_1));
	OK(X509_REQ_set_pubkey(req, key));
	if (pss) {
		OK(EVP_DigestSignInit(m, &p, EVP_sha256(), NULL, key) == 1);
		OK(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1);
		OK(X509_REQ_sign_ctx(req, m) > 0);
		assert_int_equal(
		    X509_REQ_get_signature_nid(req), NID_rsassaPss);
	} else {
		OK(X509_REQ_sign(req, key, md_of(key)) > 0);
	}
	OK(X509_REQ_verify(req, pub) == 1);
	OK(X509_REQ_verify(req, key) == 1);
	EVP_MD_CTX_free(m);
	X509_REQ_free(req);
}

static void
cms_sign(struct burin_key *k, X509 *x, int pss)
{
	EVP_PKEY *key = softhsm_evp(k);
	BIO *in = BIO_new_mem_buf(text, sizeof(text));
	CMS_ContentInfo *cms, *again;
	CMS_SignerInfo *si;
	unsigned char *der = NULL;
	const unsigned char *p;
	int n;

	cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
	OK(cms != NULL);
	si = CMS_add1_signer(cms, x, key, EVP_sha256(),
	    CMS_USE_KEYID | CMS_BINARY | (pss ? (unsigned)CMS_KEY_PARAM : 0));
	OK(si != NULL);
	if (pss)
		OK(EVP_PKEY_CTX_set_rsa_padding(
		       CMS_SignerInfo_get0_pkey_ctx(si),
		       RSA_PKCS1_PSS_PADDING) == 1);
	OK(CMS_final(cms, in, NULL, CMS_BINARY) == 1);
	OK((n = i2d_CMS_ContentInfo(cms, &der)) > 0);
	p = der;
	OK((again = d2i_CMS_ContentInfo(NULL, &p, n)) != NULL);
	OK(CMS_verify(again, NULL, NULL, NULL, NULL,
	       CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	CMS_ContentInfo_free(again);
	BIO_free(in);
}

/* md NULL: PKCS#1 v1.5, or key agreement. */
static void
cms_decrypt(struct burin_key *k, X509 *x, const EVP_MD *md)
{
	EVP_PKEY *key = softhsm_evp(k);
	BIO *in = BIO_new_mem_buf(text, sizeof(text));
	BIO *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	CMS_RecipientInfo *ri;
	EVP_PKEY_CTX *p;
	char plain[100];

	cms = CMS_encrypt(
	    NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY);
	OK(cms != NULL);
	ri = CMS_add1_recipient_cert(cms, x, md != NULL ? CMS_KEY_PARAM : 0);
	OK(ri != NULL);
	if (md != NULL) {
		p = CMS_RecipientInfo_get0_pkey_ctx(ri);
		OK(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING) ==
		    1);
		OK(EVP_PKEY_CTX_set_rsa_oaep_md(p, md) == 1);
		OK(EVP_PKEY_CTX_set_rsa_mgf1_md(p, md) == 1);
	}
	OK(CMS_final(cms, in, NULL, CMS_BINARY) == 1);
	OK(CMS_decrypt(cms, key, x, NULL, out, CMS_BINARY) == 1);
	assert_int_equal(BIO_read(out, plain, sizeof(plain)), sizeof(text));
	assert_memory_equal(plain, text, sizeof(text));
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
}

static SSL *
side(SSL_CTX *ctx, BIO *bio, int server)
{
	SSL *ssl = SSL_new(ctx);

	OK(ssl != NULL);
	SSL_set_bio(ssl, bio, bio);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/* A whole handshake in which the client shows x and signs with key. */
static void
tls(EVP_PKEY *key, X509 *x, int version)
{
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = certificate(other, other), *seen;
	SSL_CTX *sctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX *cctx = SSL_CTX_new(TLS_client_method());
	SSL *server, *client;
	BIO *a, *b;
	int i, s = 0, c = 0;

	OK(SSL_CTX_use_certificate(sctx, cert) == 1);
	OK(SSL_CTX_use_PrivateKey(sctx, other) == 1);
	OK(X509_STORE_add_cert(SSL_CTX_get_cert_store(sctx), x) == 1);
	SSL_CTX_set_verify(
	    sctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	OK(SSL_CTX_set_min_proto_version(cctx, version) == 1);
	OK(SSL_CTX_set_max_proto_version(cctx, version) == 1);
	OK(SSL_CTX_use_certificate(cctx, x) == 1);
	OK(SSL_CTX_use_PrivateKey(cctx, key) == 1);
	OK(SSL_CTX_check_private_key(cctx) == 1);
	OK(BIO_new_bio_pair(&a, 65536, &b, 65536) == 1);
	server = side(sctx, a, 1);
	client = side(cctx, b, 0);
	for (i = 0; i < 20 && (s != 1 || c != 1); i++) {
		c = c == 1 ? 1 : SSL_do_handshake(client);
		s = s == 1 ? 1 : SSL_do_handshake(server);
	}
	OK(s == 1 && c == 1);
	assert_int_equal(SSL_version(client), version);
	assert_int_equal(SSL_get_verify_result(server), X509_V_OK);
	OK((seen = SSL_get1_peer_certificate(server)) != NULL);
	assert_int_equal(X509_cmp(seen, x), 0);
	X509_free(seen);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);
	X509_free(cert);
	EVP_PKEY_free(other);
}

static void
signing(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_EC_P256, BURIN_EC_P384, BURIN_ED25519, BURIN_ED448 };
	struct burin_key *k;
	EVP_PKEY *key;
	X509 *x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, i == 1);
		key = softhsm_evp(k);
		x = certificate(burin_key_public(k), key);
		OK(X509_verify(x, burin_key_public(k)) == 1);
		OK(X509_check_private_key(x, key) == 1);
		request(k, 0);
		if (types[i] == BURIN_RSA_2048) {
			request(k, 1);
			cms_sign(k, x, 1);
		}
		/* OpenSSL 3.0's CMS knows no EdDSA (RFC 8419). */
		if (md_of(key) != NULL)
			cms_sign(k, x, 0);
		tls(key, x, TLS1_3_VERSION);
		tls(key, x, TLS1_2_VERSION);
		X509_free(x);
		burin_key_free(&k);
	}
}

/* Certificates of keys that cannot sign are signed by somebody else. */
static void
opening(void **state)
{
	EVP_PKEY *ca = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct burin_key *k;
	X509 *x;

	(void)state;
	k = softhsm_key(&h, BURIN_RSA_2048, BURIN_USE_DECRYPT, 0);
	x = certificate(burin_key_public(k), ca);
	cms_decrypt(k, x, NULL);
	cms_decrypt(k, x, EVP_sha1());
	cms_decrypt(k, x, EVP_sha256());
	X509_free(x);
	burin_key_free(&k);

	k = softhsm_key(&h, BURIN_EC_P384, BURIN_USE_DERIVE, 0);
	x = certificate(burin_key_public(k), ca);
	cms_decrypt(k, x, NULL);
	X509_free(x);
	burin_key_free(&k);
	EVP_PKEY_free(ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing),
		cmocka_unit_test(opening),
	};

	return cmocka_run_group_tests_name(
	    "provider-use", tests, setup, teardown);
}
