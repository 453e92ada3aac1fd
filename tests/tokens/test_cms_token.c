/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of CMC with keys on a token: each is signed, and each opened, with
 * exactly one operation of the key.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/cms.h>

#include "one_softhsm.h"
#include "pki.h"

#define PKI_DATA "1.3.6.1.5.5.7.12.2"
#define ID_DATA "1.2.840.113549.1.7.1"

static const char text[] = "what the token is asked to vouch for";
static const unsigned char ski[] = { 9, 8, 7, 6 };

static unsigned long
calls(const char *name)
{
	return burin_p11_calls_of(h.p11, name);
}

/* A certificate of pub that somebody else signed. */
static X509 *
certificate(EVP_PKEY *pub)
{
	EVP_PKEY *ca_key = pki_key("P-256");
	X509 *ca = pki_ca("ca", ca_key), *cert;
	struct pki_spec spec = {
		.cn = "token", .key = pub, .issuer = ca, .issuer_key = ca_key
	};

	cert = pki_cert(&spec);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	return cert;
}

static void
sign_by(struct burin_key *k, X509 *cert, enum burin_cms_by by)
{
	struct burin_cms_signer s = { .by = by,
		.key = softhsm_evp(k),
		.pub = burin_key_public(k),
		.cert = cert,
		.signing_time = PKI_NOW };
	unsigned long before = calls("C_Sign");
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
	assert_int_equal(calls("C_Sign"), before + 1);
	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	must(burin_cms_verify(cms, 0, burin_key_public(k), 0, &e), &e);
	assert_int_equal(calls("C_Sign"), before + 1);
	assert_int_equal(ERR_peek_error(), 0);
	burin_cms_free(&cms);
	OPENSSL_free(der);
}

static void
signing(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_EC_P256, BURIN_EC_P384, BURIN_ED25519, BURIN_ED448 };
	struct burin_key *k;
	X509 *cert;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, i == 1);
		cert = certificate(burin_key_public(k));
		sign_by(k, cert, BURIN_CMS_BY_KEY);
		sign_by(k, cert, BURIN_CMS_BY_CERT);
		X509_free(cert);
		burin_key_free(&k);
	}
}

/* Every way to name the key; call is what the token is asked to do. */
static void
open_with(enum burin_key_type type, unsigned usage, int oaep, const char *call)
{
	struct burin_key *k = softhsm_key(&h, type, usage, 0);
	EVP_PKEY *pub = burin_key_public(k);
	X509 *cert = certificate(pub);
	struct burin_cms_recipient to[3] = {
		{ .pub = pub, .cert = cert, .oaep = oaep },
		{ .pub = pub,
		    .key_id = ski,
		    .key_id_len = sizeof(ski),
		    .oaep = oaep },
		{ .pub = pub, .serial = 1, .oaep = oaep },
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	unsigned long before;
	size_t i, len;

	for (i = 0; i < 3; i++) {
		must(burin_cms_encrypt(&to[i], 1,
			 i == 1 ? BURIN_CMS_AES256_GCM : BURIN_CMS_AES256_CBC,
			 ID_DATA, text, sizeof(text), &der, &len, &e),
		    &e);
		must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
		before = calls(call);
		must(burin_cms_decrypt(
			 cms, &to[i], softhsm_evp(k), pub, &out, &e),
		    &e);
		assert_int_equal(calls(call), before + 1);
		assert_int_equal(burin_secret_len(out), sizeof(text));
		assert_memory_equal(
		    burin_secret_bytes(out), text, sizeof(text));
		assert_int_equal(ERR_peek_error(), 0);
		burin_secret_free(&out);
		burin_cms_free(&cms);
		OPENSSL_free(der);
	}
	X509_free(cert);
	burin_key_free(&k);
}

static void
opening(void **state)
{
	(void)state;
	open_with(BURIN_RSA_2048, BURIN_USE_DECRYPT, 0, "C_Decrypt");
	open_with(BURIN_RSA_2048, BURIN_USE_DECRYPT, 1, "C_Decrypt");
	open_with(BURIN_EC_P256, BURIN_USE_DERIVE, 0, "C_DeriveKey");
	open_with(BURIN_EC_P384, BURIN_USE_DERIVE, 0, "C_DeriveKey");
	open_with(BURIN_X25519, BURIN_USE_DERIVE, 0, "C_DeriveKey");
}

/*
 * A message that the key does not open gets the answer of a damaged one,
 * and a message for somebody else does not reach the token at all.
 */
static void
not_opening(void **state)
{
	struct burin_key *k =
	    softhsm_key(&h, BURIN_RSA_2048, BURIN_USE_DECRYPT, 0);
	EVP_PKEY *pub = burin_key_public(k), *other = pki_key("RSA");
	struct burin_cms_recipient to = { .pub = other, .serial = 1 };
	struct burin_cms_recipient elsewhere = { .pub = other, .serial = 2 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	unsigned long before;
	size_t len;

	(void)state;
	must(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC, ID_DATA, text,
		 sizeof(text), &der, &len, &e),
	    &e);
	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	before = calls("C_Decrypt");
	assert_int_equal(
	    burin_cms_decrypt(cms, &to, softhsm_evp(k), pub, &out, &e), -1);
	assert_string_equal(e.code, "decrypt-failed");
	assert_string_equal(e.cause, "");
	assert_int_equal(calls("C_Decrypt"), before + 1);
	burin_error_clear(&e);
	assert_int_equal(
	    burin_cms_decrypt(cms, &elsewhere, softhsm_evp(k), pub, &out, &e),
	    -1);
	assert_string_equal(e.code, "recipient-missing");
	assert_int_equal(calls("C_Decrypt"), before + 1);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	EVP_PKEY_free(other);
	burin_key_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing),
		cmocka_unit_test(opening),
		cmocka_unit_test(not_opening),
	};

	return cmocka_run_group_tests_name("cms-token", tests, setup, teardown);
}
