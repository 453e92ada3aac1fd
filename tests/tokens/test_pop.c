/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Token keys that must not sign: they prove possession by key agreement, in
 * PKCS#10 and in CRMF, and the authority verifies it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/crmf.h>

#include "one_softhsm.h"
#include "pki.h"

static struct burin_subject *
subject(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s;

	must(burin_subject_new(&s, &e), &e);
	must(burin_subject_set_dn(s, "CN=token", &e), &e);
	return s;
}

static void
pkcs10(EVP_PKEY *pub, const struct burin_pop_how *how, EVP_PKEY *ca)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s = subject();
	unsigned char *der;
	X509_REQ *req;
	size_t len;

	must(burin_pkcs10_make_with(s, pub, how, &der, &len, &e), &e);
	must(burin_pkcs10_parse(der, len, BURIN_EAUTHORITY, &req, &e), &e);
	assert_int_equal(burin_pkcs10_pop(req), BURIN_POP_AGREEMENT);
	must(burin_pkcs10_verify_agreement(
		 req, ca, how->authority, BURIN_EAUTHORITY, &e),
	    &e);
	assert_int_equal(ERR_peek_error(), 0);
	X509_REQ_free(req);
	OPENSSL_free(der);
	burin_subject_free(&s);
}

static void
crmf(EVP_PKEY *pub, const struct burin_pop_how *how, EVP_PKEY *ca)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s = subject();
	struct burin_crmf *m;
	unsigned char *der;
	size_t len;

	must(burin_crmf_make(s, pub, 1, how, &der, &len, &e), &e);
	must(burin_crmf_parse(der, len, 1, BURIN_EAUTHORITY, &m, &e), &e);
	must(burin_crmf_verify_pop(m, ca,
		 how->pop == BURIN_POP_AGREEMENT ? how->authority : NULL,
		 BURIN_EAUTHORITY, &e),
	    &e);
	assert_int_equal(ERR_peek_error(), 0);
	burin_crmf_free(&m);
	OPENSSL_free(der);
	burin_subject_free(&s);
}

/* The key cannot sign at all, or agreeing would prove nothing new. */
static void
no_signature(struct burin_key *k, EVP_PKEY *key)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, key, NULL, NULL, -1 };
	struct burin_subject *s = subject();
	unsigned char *der;
	size_t len;

	assert_int_equal(
	    burin_crmf_make(s, burin_key_public(k), 1, &how, &der, &len, &e),
	    -1);
	assert_string_equal(e.code, "sign-failed");
	burin_subject_free(&s);
}

static void
agreeing(void **state)
{
	static const char *const exts[] = { "keyUsage=critical,keyAgreement",
		NULL };
	static const struct {
		enum burin_key_type type;
		const char *curve;
	} kinds[] = {
		{ BURIN_EC_P256, "P-256" },
		{ BURIN_EC_P384, "P-384" },
	};
	struct pki_spec spec = { .cn = "authority", .exts = exts };
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, NULL, NULL, NULL,
		-1 };
	struct burin_key *k;
	EVP_PKEY *ca;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		k = softhsm_key(&h, kinds[i].type, BURIN_USE_DERIVE, 0);
		spec.key = ca = pki_key(kinds[i].curve);
		how.key = softhsm_evp(k);
		how.authority = pki_cert(&spec);
		no_signature(k, how.key);
		pkcs10(burin_key_public(k), &how, ca);
		crmf(burin_key_public(k), &how, ca);
		X509_free(how.authority);
		EVP_PKEY_free(ca);
		burin_key_free(&k);
	}
}

static void
signing(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_EC_P384, BURIN_ED25519 };
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, NULL, NULL, NULL,
		-1 };
	struct burin_key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, 0);
		how.key = softhsm_evp(k);
		crmf(burin_key_public(k), &how, NULL);
		burin_key_free(&k);
	}
}

/* The private half of another key: seen before anything leaves the house. */
static void
another_key(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k =
	    softhsm_key(&h, BURIN_EC_P256, BURIN_USE_DERIVE, 0);
	struct burin_subject *s = subject();
	EVP_PKEY *ca = pki_key("P-256"), *other = pki_key("P-256");
	struct pki_spec spec = { .cn = "authority", .key = ca };
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, softhsm_evp(k), NULL,
		pki_cert(&spec), -1 };
	unsigned char *der;
	size_t len;

	(void)state;
	assert_int_equal(
	    burin_pkcs10_make_with(s, other, &how, &der, &len, &e), -1);
	assert_string_equal(e.code, "agreement-wrong");
	assert_null(der);
	X509_free(how.authority);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(other);
	burin_subject_free(&s);
	burin_key_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreeing),
		cmocka_unit_test(signing),
		cmocka_unit_test(another_key),
	};

	return cmocka_run_group_tests_name("pop", tests, setup, teardown);
}
