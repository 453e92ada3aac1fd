/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Token keys as EVP_PKEY: signatures of every kind, key agreement, OAEP,
 * comparison, and what happens when something is wrong.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "one_softhsm.h"

#define MAX 512

static const unsigned char text[] = "what is signed";

/* How a signature is asked for; md NULL: EdDSA. */
struct how {
	const char *md, *mgf1;
	int pss, salt;
};

static int
tune(EVP_PKEY_CTX *p, const struct how *how)
{
	if (how->pss &&
	    (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(p, how->salt) != 1))
		return 0;
	return how->mgf1 == NULL ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(p, how->mgf1, NULL) == 1;
}

/* The signature's length, 0 when refused. */
static size_t
sign(EVP_PKEY *key, const struct how *how, unsigned char *sig)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	size_t n = MAX;

	if (EVP_DigestSignInit_ex(m, &p, how->md, NULL, NULL, key, NULL) != 1 ||
	    !tune(p, how) ||
	    EVP_DigestSign(m, sig, &n, text, sizeof(text)) != 1)
		n = 0;
	EVP_MD_CTX_free(m);
	return n;
}

static int
verify(EVP_PKEY *key, const struct how *how, const unsigned char *sig, size_t n)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	int rc;

	rc = EVP_DigestVerifyInit_ex(m, &p, how->md, NULL, NULL, key, NULL);
	assert_int_equal(rc, 1);
	assert_true(tune(p, how));
	rc = EVP_DigestVerify(m, sig, n, text, sizeof(text));
	EVP_MD_CTX_free(m);
	ERR_clear_error();
	return rc == 1;
}

/* Signed by the token; verified in software and through the token key. */
static void
check_signature(struct burin_key *k, const struct how *how)
{
	EVP_PKEY *key = softhsm_evp(k), *pub = burin_key_public(k);
	unsigned char sig[MAX];
	size_t n;

	n = sign(key, how, sig);
	if (n == 0)
		ERR_print_errors_fp(stderr);
	assert_true(n > 0);
	assert_true(verify(pub, how, sig, n));
	assert_true(verify(key, how, sig, n));
	sig[n - 1] ^= 1;
	assert_false(verify(pub, how, sig, n));
	assert_false(verify(key, how, sig, n));
}

static void
rsa(void **state)
{
	static const struct how hows[] = {
		{ "SHA1", NULL, 0, 0 },
		{ "SHA256", NULL, 0, 0 },
		{ "SHA512", NULL, 0, 0 },
		{ "SHA3-256", NULL, 0, 0 },
		{ "SHA256", NULL, 1, RSA_PSS_SALTLEN_DIGEST },
		{ "SHA512", NULL, 1, RSA_PSS_SALTLEN_DIGEST },
		{ "SHA256", NULL, 1, RSA_PSS_SALTLEN_MAX },
		{ "SHA256", NULL, 1, RSA_PSS_SALTLEN_AUTO },
		{ "SHA256", NULL, 1, 0 },
		{ "SHA256", NULL, 1, 20 },
		/* Not on the token: padded here. */
		{ "SHA3-256", NULL, 1, RSA_PSS_SALTLEN_DIGEST },
		{ "SHA256", "SHA1", 1, 32 },
		{ "SHA384", NULL, 1, RSA_PSS_SALTLEN_DIGEST },
	};
	static const struct how too_long = { "SHA256", NULL, 1, 223 };
	struct burin_key *k =
	    softhsm_key(&h, BURIN_RSA_2048, BURIN_USE_SIGN, 0);
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char sig[MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		check_signature(k, &hows[i]);
	/* Done the other way at last: no failure is left behind. */
	assert_int_equal(burin_key_last_error(k, &e), 0);
	assert_int_equal(sign(softhsm_evp(k), &too_long, sig), 0);
	ERR_clear_error();
	burin_key_free(&k);
}

static void
ec(void **state)
{
	static const enum burin_key_type types[] = { BURIN_EC_P256,
		BURIN_EC_P384, BURIN_EC_P521 };
	static const char *const mds[] = { "SHA1", "SHA256", "SHA512" };
	struct how how = { NULL, NULL, 0, 0 };
	struct burin_key *k;
	size_t i, j;

	(void)state;
	for (i = 0; i < 3; i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, 0);
		for (j = 0; j < 3; j++) {
			how.md = mds[j];
			check_signature(k, &how);
		}
		burin_key_free(&k);
	}
}

static void
edwards(void **state)
{
	static const enum burin_key_type types[] = { BURIN_ED25519,
		BURIN_ED448 };
	static const struct how how = { NULL, NULL, 0, 0 };
	struct burin_key *k;
	EVP_MD_CTX *m;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, 0);
		check_signature(k, &how);
		m = EVP_MD_CTX_new();
		assert_int_not_equal(EVP_DigestSignInit_ex(m, NULL, "SHA256",
					 NULL, NULL, softhsm_evp(k), NULL),
		    1);
		EVP_MD_CTX_free(m);
		ERR_clear_error();
		burin_key_free(&k);
	}
}

/* A digest of our own, in pieces, and a context copied half way. */
static void
pieces(void **state)
{
	static const struct how how = { "SHA256", NULL, 0, 0 };
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, BURIN_USE_SIGN, 0);
	EVP_PKEY *key = softhsm_evp(k);
	EVP_MD_CTX *m = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	unsigned char sig[MAX], digest[32];
	size_t n = sizeof(sig);

	(void)state;
	assert_int_equal(
	    EVP_DigestSignInit_ex(m, NULL, "SHA256", NULL, NULL, key, NULL), 1);
	assert_int_equal(EVP_DigestSignUpdate(m, text, 4), 1);
	assert_int_equal(EVP_MD_CTX_copy_ex(copy, m), 1);
	EVP_MD_CTX_free(m);
	assert_int_equal(
	    EVP_DigestSignUpdate(copy, text + 4, sizeof(text) - 4), 1);
	assert_int_equal(EVP_DigestSignFinal(copy, sig, &n), 1);
	EVP_MD_CTX_free(copy);
	assert_true(verify(burin_key_public(k), &how, sig, n));

	assert_int_equal(
	    EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha256(), NULL),
	    1);
	p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	assert_int_equal(EVP_PKEY_sign_init(p), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(p, EVP_sha256()), 1);
	n = sizeof(sig);
	assert_int_equal(EVP_PKEY_sign(p, sig, &n, digest, 32), 1);
	assert_true(verify(burin_key_public(k), &how, sig, n));
	assert_int_not_equal(EVP_PKEY_sign(p, sig, &n, digest, 31), 1);
	EVP_PKEY_CTX_free(p);
	ERR_clear_error();
	burin_key_free(&k);
}

/* The token asks for its PIN before each signature. */
static void
always(void **state)
{
	static const struct how rsa_how = { "SHA256", NULL, 0, 0 };
	static const struct how pss_how = { "SHA256", "SHA1", 1, 32 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k;
	unsigned char sig[MAX];
	unsigned before;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		k = softhsm_key(
		    &h, i ? BURIN_RSA_2048 : BURIN_EC_P256, BURIN_USE_SIGN, 1);
		before = h.asked;
		check_signature(k, &rsa_how);
		check_signature(k, &rsa_how);
		assert_int_equal(h.asked, before + 2);
		if (i)
			check_signature(k, &pss_how);
		/* A wrong PIN costs this signature and not the next. */
		h.pin = "999999";
		assert_int_equal(sign(softhsm_evp(k), &rsa_how, sig), 0);
		assert_true(ERR_peek_error() != 0);
		ERR_clear_error();
		assert_int_equal(burin_key_last_error(k, &e), -1);
		assert_int_equal(e.status, BURIN_EPIN);
		assert_string_equal(e.code, "pin-incorrect");
		burin_error_clear(&e);
		h.pin = "123456";
		check_signature(k, &rsa_how);
		assert_int_equal(burin_key_last_error(k, &e), 0);
		burin_key_free(&k);
	}
}

static size_t
derive(EVP_PKEY *mine, EVP_PKEY *peer, int kdf, unsigned char *out)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	unsigned char *ukm = OPENSSL_memdup("ukm", 3);
	size_t n = MAX;

	if (EVP_PKEY_derive_init(p) != 1 ||
	    EVP_PKEY_derive_set_peer(p, peer) != 1)
		n = 0;
	if (n != 0 && kdf) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_ecdh_kdf_type(p, EVP_PKEY_ECDH_KDF_X9_63),
		    1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_ecdh_kdf_md(p, EVP_sha256()), 1);
		assert_int_equal(EVP_PKEY_CTX_set_ecdh_kdf_outlen(p, 100), 1);
		assert_int_equal(EVP_PKEY_CTX_set0_ecdh_kdf_ukm(p, ukm, 3), 1);
		ukm = NULL;
	}
	if (n != 0 && EVP_PKEY_derive(p, out, &n) != 1)
		n = 0;
	OPENSSL_free(ukm);
	EVP_PKEY_CTX_free(p);
	return n;
}

static EVP_PKEY *
partner_of(EVP_PKEY *pub)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	EVP_PKEY *key = NULL;

	if (!EVP_PKEY_is_a(pub, "EC")) {
		EVP_PKEY_CTX_free(p);
		return EVP_PKEY_Q_keygen(
		    NULL, NULL, EVP_PKEY_get0_type_name(pub));
	}
	assert_int_equal(EVP_PKEY_keygen_init(p), 1);
	assert_int_equal(EVP_PKEY_keygen(p, &key), 1);
	EVP_PKEY_CTX_free(p);
	return key;
}

static void
agreement(void **state)
{
	static const enum burin_key_type types[] = { BURIN_EC_P256,
		BURIN_EC_P384, BURIN_EC_P521, BURIN_X25519 };
	unsigned char ours[MAX], theirs[MAX];
	struct burin_key *k;
	EVP_PKEY *partner, *pub;
	size_t i, n;
	int kdf, round;

	(void)state;
	for (i = 0; i < 4; i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_DERIVE, 0);
		pub = burin_key_public(k);
		/* Several, for secrets with a leading zero byte. */
		for (round = 0; round < 8; round++) {
			partner = partner_of(pub);
			kdf = round % 2 && types[i] != BURIN_X25519;
			if (round >= 4 && types[i] != BURIN_X25519)
				assert_int_equal(
				    EVP_PKEY_set_utf8_string_param(partner,
					OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					"compressed"),
				    1);
			n = derive(softhsm_evp(k), partner, kdf, ours);
			if (n == 0)
				ERR_print_errors_fp(stderr);
			assert_true(n > 0);
			assert_int_equal(derive(partner, pub, kdf, theirs), n);
			assert_memory_equal(ours, theirs, n);
			EVP_PKEY_free(partner);
		}
		burin_key_free(&k);
	}
}

static void
agreement_refused(void **state)
{
	static const unsigned char zero[32];
	struct burin_key *k =
	    softhsm_key(&h, BURIN_EC_P256, BURIN_USE_DERIVE, 0);
	struct burin_key *x =
	    softhsm_key(&h, BURIN_X25519, BURIN_USE_DERIVE, 0);
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_PKEY *small = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "X25519", NULL, zero, sizeof(zero));
	unsigned char out[MAX];

	(void)state;
	assert_int_equal(derive(softhsm_evp(k), other, 0, out), 0);
	assert_int_equal(derive(softhsm_evp(k), small, 0, out), 0);
	assert_int_equal(derive(softhsm_evp(x), small, 0, out), 0);
	ERR_clear_error();
	EVP_PKEY_free(other);
	EVP_PKEY_free(small);
	burin_key_free(&k);
	burin_key_free(&x);
}

static int
oaep(EVP_PKEY *key, int seal, const char *md, const char *mgf1,
    const char *label, const unsigned char *in, size_t in_len,
    unsigned char *out, size_t *n)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int rc;

	assert_int_equal(
	    seal ? EVP_PKEY_encrypt_init(p) : EVP_PKEY_decrypt_init(p), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(p, md, NULL), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(p, mgf1, NULL), 1);
	if (label != NULL)
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(p,
				     OPENSSL_strdup(label), (int)strlen(label)),
		    1);
	*n = MAX;
	rc = seal ? EVP_PKEY_encrypt(p, out, n, in, in_len)
		  : EVP_PKEY_decrypt(p, out, n, in, in_len);
	EVP_PKEY_CTX_free(p);
	return rc == 1;
}

static void
decryption(void **state)
{
	static const struct {
		const char *md, *mgf1, *label;
	} hows[] = { { "SHA1", "SHA1", NULL }, { "SHA256", "SHA256", NULL },
		{ "SHA256", "SHA1", NULL }, { "SHA1", "SHA1", "label" },
		{ "SHA512", "SHA512", "label" }, { "SHA1", "SHA1", NULL } };
	struct burin_key *k =
	    softhsm_key(&h, BURIN_RSA_2048, BURIN_USE_DECRYPT, 0);
	EVP_PKEY *key = softhsm_evp(k), *pub = burin_key_public(k);
	unsigned char box[MAX], plain[MAX];
	struct burin_error e = BURIN_ERROR_INIT;
	size_t i, n, m;

	(void)state;
	for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		/* Sealed to the public key and through the token key. */
		assert_true(oaep(i % 2 ? key : pub, 1, hows[i].md, hows[i].mgf1,
		    hows[i].label, text, sizeof(text), box, &n));
		if (!oaep(key, 0, hows[i].md, hows[i].mgf1, hows[i].label, box,
			n, plain, &m)) {
			ERR_print_errors_fp(stderr);
			fail();
		}
		assert_int_equal(m, sizeof(text));
		assert_memory_equal(plain, text, m);
		assert_false(oaep(key, 0, hows[i].md, hows[i].mgf1, "wrong",
		    box, n, plain, &m));
		box[n - 1] ^= 1;
		assert_false(oaep(key, 0, hows[i].md, hows[i].mgf1,
		    hows[i].label, box, n, plain, &m));
		ERR_clear_error();
	}
	assert_true(oaep(
	    pub, 1, "SHA256", "SHA256", NULL, text, sizeof(text), box, &n));
	assert_true(oaep(key, 0, "SHA256", "SHA256", NULL, box, n, plain, &m));
	assert_int_equal(burin_key_last_error(k, &e), 0);
	burin_key_free(&k);
}

static void
comparison(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_EC_P256, BURIN_ED25519, BURIN_ED448, BURIN_X25519 };
	struct burin_key *k;
	EVP_PKEY *key, *pub, *other;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		k = softhsm_key(&h, types[i], 0, 0);
		key = softhsm_evp(k);
		pub = burin_key_public(k);
		assert_ptr_equal(softhsm_evp(k), key);
		assert_int_equal(EVP_PKEY_eq(key, pub), 1);
		assert_int_equal(EVP_PKEY_eq(pub, key), 1);
		assert_int_equal(EVP_PKEY_eq(key, key), 1);
		assert_int_equal(
		    EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(pub));
		assert_int_equal(
		    EVP_PKEY_get_size(key), EVP_PKEY_get_size(pub));
		assert_int_equal(
		    EVP_PKEY_get_base_id(key), EVP_PKEY_get_base_id(pub));
		other = types[i] == BURIN_RSA_2048
		    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
		    : partner_of(pub);
		assert_string_equal(
		    OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(other)),
		    "default");
		assert_int_not_equal(EVP_PKEY_eq(key, other), 1);
		assert_int_not_equal(EVP_PKEY_eq(other, key), 1);
		EVP_PKEY_free(other);
		ERR_clear_error();
		burin_key_free(&k);
	}
}

/* Nothing that leaves the process holds the private half, or a dead key. */
static void
lifetime(void **state)
{
	static const struct how how = { "SHA256", NULL, 0, 0 };
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, BURIN_USE_SIGN, 0);
	EVP_PKEY *key = softhsm_evp(k), *copy;
	unsigned char sig[MAX];
	BIO *bio = BIO_new(BIO_s_mem());
	size_t n;

	(void)state;
	assert_int_not_equal(
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	BIO_free(bio);
	assert_null(EVP_PKEY_dup(key));
	ERR_clear_error();

	n = sign(key, &how, sig);
	assert_true(n > 0);
	assert_int_equal(EVP_PKEY_up_ref(key), 1);
	copy = EVP_PKEY_new();
	assert_int_equal(EVP_PKEY_copy_parameters(copy, key), 1);
	EVP_PKEY_free(copy);
	burin_key_free(&k);
	assert_true(verify(key, &how, sig, n));
	assert_int_equal(sign(key, &how, sig), 0);
	assert_true(ERR_peek_error() != 0);
	ERR_clear_error();
	EVP_PKEY_free(key);
}

/* A key that may not sign: the token's answer in the queue and in words. */
static void
refusal(void **state)
{
	static const struct how how = { "SHA256", NULL, 0, 0 };
	struct burin_key *k =
	    softhsm_key(&h, BURIN_RSA_2048, BURIN_USE_DECRYPT, 0);
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char sig[MAX];
	const char *data = NULL;
	int flags = 0;

	(void)state;
	assert_int_equal(sign(softhsm_evp(k), &how, sig), 0);
	assert_true(
	    ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags) != 0);
	assert_non_null(data);
	assert_non_null(strstr(data, "CKR_KEY_FUNCTION_NOT_PERMITTED: "));
	ERR_clear_error();
	assert_int_equal(burin_key_last_error(k, &e), -1);
	assert_int_equal(e.ckr, 0x68);
	burin_error_clear(&e);
	assert_int_equal(burin_key_last_error(k, NULL), -1);
	burin_key_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa),
		cmocka_unit_test(ec),
		cmocka_unit_test(edwards),
		cmocka_unit_test(pieces),
		cmocka_unit_test(always),
		cmocka_unit_test(agreement),
		cmocka_unit_test(agreement_refused),
		cmocka_unit_test(decryption),
		cmocka_unit_test(comparison),
		cmocka_unit_test(lifetime),
		cmocka_unit_test(refusal),
	};

	return cmocka_run_group_tests_name("provider", tests, setup, teardown);
}
