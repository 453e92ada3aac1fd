/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys that nobody should have are refused, each with its own word; sound
 * ones are not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "authority/ca.h"
#include "pki.h"

/* A real modulus with the flaw, of the detector that its finders published. */
static const char roca[] =
    "9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e5"
    "1c55f9ea6fdc7332e9b0058c9ff2eb1fc89855029cf6aafe21e689feb38ac9ffb12f1ce371"
    "bb5d0e9aae64161abce74b4244bf68f1edb4411f756a097c8929c14740245ea355f8332d1a"
    "a36bb50c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a1625"
    "7eb2b2adca6ba464e5974fa92550d31b1babf161e7692d00b86e3dd886ecab4abfbe1a8f8c"
    "c263ff4af55cdb45f4249a5193925f5e983d762f0b6800943eb0267b08f42ed311ce1f5c86"
    "eacbc8ce4d3cb7a2fee1ef5641423a1cf4114e5ecf50034a60a412523af9e6f4aa11";

static EVP_PKEY *
make(const char *type, OSSL_PARAM_BLD *b)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
rsa(const BIGNUM *n, unsigned long exponent)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *e = BN_new();
	EVP_PKEY *key;

	assert_int_equal(BN_set_word(e, exponent), 1);
	assert_true(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e));
	key = make("RSA", b);
	BN_free(e);
	return key;
}

/* Takes key over. */
static void
refused(EVP_PKEY *key, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;

	assert_int_equal(policy_sound_key(key, &e), -1);
	assert_string_equal(e.code, code);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	EVP_PKEY_free(key);
}

static void
sound_keys_pass(void **state)
{
	static const char *const types[] = { "P-256", "P-384", "P-521", "RSA",
		"ED25519", "ED448", "X25519", "X448" };
	struct burin_error e = BURIN_ERROR_INIT;
	EVP_PKEY *key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		key = strchr(types[i], '-') != NULL ? EVP_EC_gen(types[i])
		    : strcmp(types[i], "RSA") == 0
		    ? EVP_RSA_gen(2048)
		    : EVP_PKEY_Q_keygen(NULL, NULL, types[i]);
		assert_non_null(key);
		if (policy_sound_key(key, &e) != 0)
			fail_msg("%s: %s", types[i], e.reason);
		EVP_PKEY_free(key);
	}
}

static void
rsa_numbers(void **state)
{
	EVP_PKEY *good = EVP_RSA_gen(2048);
	BIGNUM *n = NULL, *m = BN_new();

	(void)state;
	assert_int_equal(
	    EVP_PKEY_get_bn_param(good, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	refused(rsa(n, 1), "weak-key-exponent");
	refused(rsa(n, 3), "weak-key-exponent");
	refused(rsa(n, 65536), "weak-key-exponent");
	assert_true(BN_rshift(m, n, 1024));
	refused(rsa(m, 65537), "weak-key-size");
	/* A factor of 10007 in an odd number as long as it should be. */
	assert_true(BN_copy(m, n) != NULL &&
	    BN_sub_word(m, BN_mod_word(m, 2 * 10007)) && BN_add_word(m, 10007));
	refused(rsa(m, 65537), "weak-key-factor");
	assert_true(BN_copy(m, n) != NULL && BN_add_word(m, 1));
	refused(rsa(m, 65537), "weak-key-factor");
	BN_free(n);
	BN_free(m);
	EVP_PKEY_free(good);
}

/* The next prime after another one, of 1024 bits. */
static void
rsa_close_primes(void **state)
{
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	(void)state;
	assert_true(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL));
	assert_non_null(BN_copy(q, p));
	do {
		assert_true(BN_add_word(q, 2));
	} while (BN_check_prime(q, ctx, NULL) != 1);
	assert_true(BN_mul(n, p, q, ctx));
	refused(rsa(n, 65537), "weak-key-fermat");
	assert_true(BN_sqr(n, p, ctx));
	refused(rsa(n, 65537), "weak-key-fermat");
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(ctx);
}

static void
rsa_roca(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	EVP_PKEY *good = EVP_RSA_gen(2048);
	BIGNUM *n = NULL;

	(void)state;
	assert_true(BN_hex2bn(&n, roca) > 0);
	refused(rsa(n, 65537), "weak-key-roca");
	assert_int_equal(policy_is_roca(n, &e), 1);
	assert_true(BN_add_word(n, 2));
	assert_int_equal(policy_is_roca(n, &e), 0);
	BN_free(n);
	n = NULL;
	assert_int_equal(
	    EVP_PKEY_get_bn_param(good, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(policy_is_roca(n, &e), 0);
	BN_free(n);
	EVP_PKEY_free(good);
}

/* SubjectPublicKeyInfo of a key, with its last byte changed. */
static EVP_PKEY *
off_curve(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *bad;
	unsigned char *der = NULL;
	const unsigned char *p;
	int len = i2d_PUBKEY(key, &der);

	EVP_PKEY_free(key);
	der[len - 1] ^= 1;
	p = der;
	bad = d2i_PUBKEY(NULL, &p, len);
	OPENSSL_free(der);
	return bad;
}

static void
ec_curves(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *explicit;
	unsigned char *der = NULL;
	const unsigned char *p;
	int len;

	(void)state;
	refused(EVP_EC_gen("secp256k1"), "weak-key-curve");
	refused(EVP_EC_gen("P-224"), "weak-key-curve");
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
		OSSL_PKEY_EC_ENCODING_EXPLICIT),
	    1);
	assert_true((len = i2d_PUBKEY(key, &der)) > 0);
	p = der;
	assert_non_null(explicit = d2i_PUBKEY(NULL, &p, len));
	refused(explicit, "weak-key-explicit");
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

/*
 * OpenSSL reads no point off its curve, so that such a key does not even come
 * to the policy; the one at infinity it does.
 */
static void
ec_points(void **state)
{
	/* SubjectPublicKeyInfo on P-256 whose point is the one byte 0. */
	static const unsigned char infinity[] = { 0x30, 0x19, 0x30, 0x13, 0x06,
		0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x02,
		0x00, 0x00 };
	const unsigned char *p = infinity;
	EVP_PKEY *key;

	(void)state;
	assert_null(off_curve());
	key = d2i_PUBKEY(NULL, &p, sizeof(infinity));
	assert_non_null(key);
	refused(key, "weak-key-point");
}

static void
points_of_low_order(void **state)
{
	/* RFC 7748 section 6.1's small ones, and one of order 8. */
	static const unsigned char eight[32] = { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b,
		0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
		0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86,
		0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 };
	static const unsigned char ed_eight[32] = { 0x26, 0xe8, 0x95, 0x8f,
		0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
		0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
		0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 };
	static const unsigned char zero[57] = { 0 }, one[57] = { 1 };
	const struct {
		const char *type;
		const unsigned char *raw;
		size_t len;
	} low[] = { { "X25519", zero, 32 }, { "X25519", one, 32 },
		{ "X25519", eight, 32 }, { "X448", zero, 56 },
		{ "X448", one, 56 }, { "ED25519", zero, 32 },
		{ "ED25519", one, 32 }, { "ED25519", ed_eight, 32 },
		{ "ED448", zero, 57 }, { "ED448", one, 57 } };
	unsigned char minus[32];
	EVP_PKEY *key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		key = EVP_PKEY_new_raw_public_key_ex(
		    NULL, low[i].type, NULL, low[i].raw, low[i].len);
		assert_non_null(key);
		refused(key, "weak-key-order");
	}
	/* -1, the sign set: 2^255 - 20. */
	memset(minus, 0xff, sizeof(minus));
	minus[0] = 0xec;
	key = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "ED25519", NULL, minus, sizeof(minus));
	refused(key, "weak-key-order");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_keys_pass),
		cmocka_unit_test(rsa_numbers),
		cmocka_unit_test(rsa_close_primes),
		cmocka_unit_test(rsa_roca),
		cmocka_unit_test(ec_curves),
		cmocka_unit_test(ec_points),
		cmocka_unit_test(points_of_low_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
