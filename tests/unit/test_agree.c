/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Static ECDH proof of possession (RFC 6955 section 6), in PKCS#10 and in
 * CRMF.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/hmac.h>

#include "crmfing.h"

/* --- agreement ----------------------------------------------------------- */

/* The MAC once more, straight from RFC 6955 section 6. */
static void
same_mac(EVP_PKEY *key, X509 *authority, const EVP_MD *md,
    const unsigned char *text, size_t len, const unsigned char *mac)
{
	unsigned char zz[66], k[64], want[64], *lead = NULL, *trail = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	size_t n = sizeof(zz);
	int a, b;

	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_derive_set_peer(ctx, X509_get0_pubkey(authority)), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, zz, &n), 1);
	a = i2d_X509_NAME(X509_get_subject_name(authority), &lead);
	b = i2d_X509_NAME(X509_get_issuer_name(authority), &trail);
	assert_true(a > 0 && b > 0);
	assert_int_equal(EVP_DigestInit(m, md), 1);
	assert_int_equal(EVP_DigestUpdate(m, lead, (size_t)a), 1);
	assert_int_equal(EVP_DigestUpdate(m, zz, n), 1);
	assert_int_equal(EVP_DigestUpdate(m, trail, (size_t)b), 1);
	assert_int_equal(EVP_DigestFinal(m, k, NULL), 1);
	assert_non_null(
	    HMAC(md, k, EVP_MD_get_size(md), text, len, want, NULL));
	assert_memory_equal(mac, want, (size_t)EVP_MD_get_size(md));
	EVP_PKEY_CTX_free(ctx);
	EVP_MD_CTX_free(m);
	OPENSSL_free(lead);
	OPENSSL_free(trail);
}

static const struct curve {
	const char *name, *other, *oid;
	const char *md_name;
} curves[] = {
	{ "P-256", "P-384", "1.3.6.1.5.5.7.6.26", "SHA256" },
	{ "P-384", "P-521", "1.3.6.1.5.5.7.6.27", "SHA384" },
	{ "P-521", "P-256", "1.3.6.1.5.5.7.6.28", "SHA512" },
};

static void
check_algorithm(const X509_ALGOR *alg, const char *want)
{
	const ASN1_OBJECT *oid;
	char text[64];
	int type;

	X509_ALGOR_get0(&oid, &type, NULL, alg);
	assert_true(OBJ_obj2txt(text, sizeof(text), oid, 1) > 0);
	assert_string_equal(text, want);
	assert_int_equal(type, V_ASN1_UNDEF);
}

static void
agree_crmf(const struct curve *c, EVP_PKEY *key, EVP_PKEY *ca, X509 *cert)
{
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, cert, -1 };
	const EVP_MD *md = EVP_get_digestbyname(c->md_name);
	EVP_PKEY *other = pki_key(c->name);
	struct der d = make(key, 9, &how);
	struct burin_crmf *m = parse(&d, 1);
	const ASN1_BIT_STRING *value;
	unsigned char *text = NULL;
	CRMF_MSG *msg = open_der(&d);
	CRMF_PKMAC *mac = msg->popo->value.keyAgreement->value.agreeMAC;
	int n = i2d_CRMF_REQUEST(msg->certReq, &text);

	look_at(m, key, 9);
	assert_int_equal(burin_crmf_get_popo(m), BURIN_POPO_AGREE_MAC);
	must(burin_crmf_verify_pop(m, ca, cert, BURIN_ECHECK, &e));
	refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
	    "pop-unsupported");
	refused(burin_crmf_verify_pop(m, other, cert, BURIN_ECHECK, &e),
	    "pop-failed");
	check_algorithm(mac->algId, c->oid);
	value = mac->value;
	assert_true(n > 0);
	same_mac(key, cert, md, text, (size_t)n,
	    value->data + value->length - EVP_MD_get_size(md));
	burin_crmf_free(&m);
	OPENSSL_free(text);
	OPENSSL_free(d.data);
	/* The MAC is over the number as well. */
	assert_int_equal(ASN1_INTEGER_set(msg->certReq->certReqId, 8), 1);
	d = close_der(msg, NULL);
	m = parse(&d, 1);
	refused(burin_crmf_verify_pop(m, ca, cert, BURIN_EAUTHORITY, &e),
	    "pop-failed");
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	EVP_PKEY_free(other);
}

static void
agree_pkcs10(const struct curve *c, EVP_PKEY *key, EVP_PKEY *ca, X509 *cert)
{
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, cert, -1 };
	const EVP_MD *md = EVP_get_digestbyname(c->md_name);
	struct burin_subject *s = subject("CN=Alice");
	X509 *twin = authority_cert(ca, "twin", agreement_exts);
	const ASN1_BIT_STRING *value;
	const X509_ALGOR *alg;
	unsigned char *text = NULL;
	struct der d;
	X509_REQ *req;
	int n;

	must(burin_pkcs10_make_with(s, key, &how, &d.data, &d.len, &e));
	must(burin_pkcs10_parse(d.data, d.len, BURIN_ECHECK, &req, &e));
	assert_int_equal(burin_pkcs10_pop(req), BURIN_POP_AGREEMENT);
	must(burin_pkcs10_verify_agreement(req, ca, cert, BURIN_ECHECK, &e));
	refused(
	    burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e), "pop-unsupported");
	/* The same key under another name. */
	refused(burin_pkcs10_verify_agreement(req, ca, twin, BURIN_ECHECK, &e),
	    "pop-unsupported");
	refused(
	    burin_pkcs10_verify_agreement(req, NULL, NULL, BURIN_ECHECK, &e),
	    "pop-unsupported");
	X509_REQ_get0_signature(req, &value, &alg);
	check_algorithm(alg, c->oid);
	n = i2d_re_X509_REQ_tbs(req, &text);
	assert_true(n > 0);
	same_mac(key, cert, md, text, (size_t)n,
	    value->data + value->length - EVP_MD_get_size(md));
	OPENSSL_free(text);
	OPENSSL_free(d.data);
	X509_REQ_free(req);
	X509_free(twin);
	burin_subject_free(&s);
}

static void
test_agreement(void **state)
{
	EVP_PKEY *key, *ca;
	X509 *cert;
	size_t i;

	(void)state;
	burin_error_clear(&e);
	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		key = pki_key(curves[i].name);
		ca = pki_key(curves[i].name);
		cert = authority_cert(ca, "authority", agreement_exts);
		agree_crmf(&curves[i], key, ca, cert);
		agree_pkcs10(&curves[i], key, ca, cert);
		X509_free(cert);
		EVP_PKEY_free(ca);
		EVP_PKEY_free(key);
	}
}

/* A certificate without names: RFC 4211 section 4.3. */
static void
test_agreement_without_name(void **state)
{
	static const char *const named[] = { "keyUsage=keyAgreement",
		"subjectAltName=critical,DNS:ca.example",
		"issuerAltName=DNS:ca.example", NULL };
	static const char *const nameless[] = { "keyUsage=keyAgreement",
		"subjectAltName=critical,DNS:ca.example", NULL };
	EVP_PKEY *key = pki_key("P-256"), *ca = pki_key("P-256");
	X509 *cert = authority_cert(ca, NULL, named);
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, cert, -1 };
	struct burin_subject *s = subject("CN=a");
	struct der d = make(key, 1, &how);
	struct burin_crmf *m = parse(&d, 1);

	(void)state;
	must(burin_crmf_verify_pop(m, ca, cert, BURIN_ECHECK, &e));
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	X509_free(cert);
	how.authority = cert = authority_cert(ca, NULL, nameless);
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "authority-nameless");
	X509_free(cert);
	burin_subject_free(&s);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(key);
}

static void
no_agreement(EVP_PKEY *pub, EVP_PKEY *key, X509 *cert, const char *code,
    const char *word)
{
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, cert, -1 };
	struct burin_subject *s = subject("CN=a");
	struct der d;

	assert_int_equal(
	    burin_crmf_make(s, pub, 1, &how, &d.data, &d.len, &e), -1);
	if (strstr(e.reason, word) == NULL)
		fail_msg("\"%s\" without \"%s\"", e.reason, word);
	refused(-1, code);
	refused(
	    burin_pkcs10_make_with(s, pub, &how, &d.data, &d.len, &e), code);
	burin_subject_free(&s);
}

static void
test_no_agreement(void **state)
{
	static const char *const signing[] = { "keyUsage=digitalSignature",
		NULL };
	EVP_PKEY *key = pki_key("P-256"), *other = pki_key("P-256");
	EVP_PKEY *p384 = pki_key("P-384"), *x = pki_key("X25519");
	EVP_PKEY *rsa = pki_key("RSA"), *small = pki_key("secp224r1");
	X509 *cert = authority_cert(other, "ca", agreement_exts);
	X509 *wrong = authority_cert(p384, "ca", agreement_exts);
	X509 *sign = authority_cert(other, "ca", signing);
	X509 *rsa_cert = authority_cert(rsa, "ca", NULL);
	X509 *small_cert = authority_cert(small, "ca", NULL);

	(void)state;
	no_agreement(
	    key, key, NULL, "agreement-needs-authority", "certificate");
	no_agreement(key, NULL, cert, "agreement-needs-authority", "private");
	no_agreement(key, key, wrong, "authority-unusable", "curves");
	no_agreement(key, key, sign, "authority-unusable", "keyUsage");
	no_agreement(key, key, rsa_cert, "authority-unusable", "no EC key");
	no_agreement(x, x, cert, "key-cannot-agree", "EC keys only");
	no_agreement(small, small, small_cert, "key-cannot-agree", "256 bits");
	no_agreement(key, other, cert, "agreement-wrong", "does not belong");
	X509_free(cert);
	X509_free(wrong);
	X509_free(sign);
	X509_free(rsa_cert);
	X509_free(small_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(x);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
}

/* The verifier's side: points, curves, and what stands for the MAC. */
static void
test_bad_agreement(void **state)
{
	EVP_PKEY *key = pki_key("P-256"), *ca = pki_key("P-256");
	EVP_PKEY *p384 = pki_key("P-384");
	X509 *cert = authority_cert(ca, "ca", agreement_exts);
	X509 *wrong = authority_cert(p384, "ca", agreement_exts);
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, cert, -1 };
	struct der good = make(key, 1, &how), d;
	struct burin_crmf *m;
	unsigned char *at, *spki = NULL;
	CRMF_MSG *msg;
	int n;

	(void)state;
	m = parse(&good, 1);
	refused(burin_crmf_verify_pop(m, p384, wrong, BURIN_ECHECK, &e),
	    "pop-unsupported");
	burin_crmf_free(&m);
	/* A point that is on no curve. */
	n = i2d_PUBKEY(key, &spki);
	assert_true(n > 64);
	for (at = good.data; memcmp(at, spki + n - 64, 64) != 0; at++)
		assert_true(at + 64 < good.data + good.len);
	at[63] ^= 1;
	m = parse(&good, 1);
	assert_null(burin_crmf_public_key(m));
	refused(
	    burin_crmf_verify_pop(m, ca, cert, BURIN_ECHECK, &e), "pop-failed");
	burin_crmf_free(&m);
	at[63] ^= 1;
	/* A value that is no DhSigStatic; then an algorithm that is none. */
	msg = open_der(&good);
	assert_int_equal(
	    ASN1_STRING_set(
		msg->popo->value.keyAgreement->value.agreeMAC->value, "abc", 3),
	    1);
	d = close_der(msg, NULL);
	m = parse(&d, 1);
	refused(
	    burin_crmf_verify_pop(m, ca, cert, BURIN_ECHECK, &e), "pop-failed");
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	msg = open_der(&good);
	assert_int_equal(
	    X509_ALGOR_set0(
		msg->popo->value.keyAgreement->value.agreeMAC->algId,
		OBJ_nid2obj(NID_hmacWithSHA256), V_ASN1_UNDEF, NULL),
	    1);
	d = close_der(msg, NULL);
	m = parse(&d, 1);
	refused(burin_crmf_verify_pop(m, ca, cert, BURIN_ECHECK, &e),
	    "pop-unsupported");
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	OPENSSL_free(good.data);
	OPENSSL_free(spki);
	X509_free(cert);
	X509_free(wrong);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(p384);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_agreement_without_name),
		cmocka_unit_test(test_no_agreement),
		cmocka_unit_test(test_bad_agreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
