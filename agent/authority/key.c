/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys that nobody should have: too weak, broken, or not on their curve. The
 * seed (draft-ietf-pkix-cmc-compl section 8) wants syntax checked always, and
 * known bad keys refused.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "ca.h"

#define MIN_RSA_BITS 2048      /* NIST SP 800-57 part 1, 112 bits */
#define MIN_RSA_EXPONENT 65537 /* FIPS 186-5 section A.1.1 */
#define MAX_FACTOR 16384       /* primes below are looked for in a modulus */
#define FERMAT_ROUNDS 100

static int
bad(struct burin_error *e, const char *code, const char *why, const char *rule)
{
	(void)burin_fail_openssl(
	    e, BURIN_EAUTHORITY, code, "the public key %s", why);
	(void)burin_error_rule(e, "%s", rule);
	return burin_error_advice(e, "make a new key");
}

/* --- RSA ------------------------------------------------------------------ */

static int
no_memory(struct burin_error *e)
{
	return burin_fail_openssl(
	    e, BURIN_EINTERNAL, "no-memory", "cannot look at a modulus");
}

static int
check_exponent(const BIGNUM *exponent, struct burin_error *e)
{
	if (BN_is_odd(exponent) && BN_num_bits(exponent) >= 17)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key-exponent",
	    "the RSA key's public exponent is even or below %d",
	    MIN_RSA_EXPONENT);
	return burin_error_rule(e, "FIPS 186-5 section A.1.1");
}

/* Trial division, the primes by a sieve. */
static int
check_factors(const BIGNUM *n, struct burin_error *e)
{
	unsigned char composite[MAX_FACTOR] = { 0 };
	unsigned p, q;

	for (p = 2; p < MAX_FACTOR; p++) {
		if (composite[p])
			continue;
		for (q = 2 * p; q < MAX_FACTOR; q += p)
			composite[q] = 1;
		if (BN_mod_word(n, p) == 0)
			return bad(e, "weak-key-factor",
			    "has a modulus with a small factor",
			    "FIPS 186-5 section A.1.3");
	}
	return 0;
}

/*
 * Primes close to each other: n = a^2 - b^2 with a just above the root of n.
 * OpenSSL has no root, so Newton finds it.
 */
static int
root_above(BIGNUM *a, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *next;
	int ok = 0;

	BN_CTX_start(ctx);
	if ((next = BN_CTX_get(ctx)) == NULL || !BN_one(a) ||
	    !BN_lshift(a, a, (BN_num_bits(n) + 1) / 2))
		goto out;
	for (;;) {
		if (!BN_div(next, NULL, n, a, ctx) || !BN_add(next, next, a) ||
		    !BN_rshift1(next, next))
			goto out;
		if (BN_cmp(next, a) >= 0)
			break;
		if (BN_copy(a, next) == NULL)
			goto out;
	}
	/* a is the root, rounded down. */
	ok =
	    BN_sqr(next, a, ctx) && (BN_cmp(next, n) == 0 || BN_add_word(a, 1));
out:
	BN_CTX_end(ctx);
	return ok;
}

/* 1 when x is a square, 0 when not, -1 on failure. */
static int
is_square(const BIGNUM *x, BN_CTX *ctx)
{
	BIGNUM *root, *square;
	int is = -1;

	/* Squares are 0, 1, 4 or 9 modulo 16. */
	if ((0x0213 >> (BN_mod_word(x, 16) & 0xf) & 1) == 0)
		return 0;
	if (BN_is_zero(x))
		return 1;
	BN_CTX_start(ctx);
	root = BN_CTX_get(ctx);
	square = BN_CTX_get(ctx);
	if (square != NULL && root_above(root, x, ctx) &&
	    BN_sqr(square, root, ctx))
		is = BN_cmp(square, x) == 0;
	BN_CTX_end(ctx);
	return is;
}

/* 1 when Fermat's method finds the factors at once. */
static int
is_close(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a, *rest;
	int i, is = -1;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	rest = BN_CTX_get(ctx);
	if (rest == NULL || !root_above(a, n, ctx))
		goto out;
	for (i = 0, is = 0; i < FERMAT_ROUNDS && is == 0; i++)
		if (!BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, n) ||
		    (is = is_square(rest, ctx)) < 0 || !BN_add_word(a, 1))
			is = -1;
out:
	BN_CTX_end(ctx);
	return is;
}

static int
check_modulus(const BIGNUM *n, struct burin_error *e)
{
	BN_CTX *ctx;
	int is;

	if (check_factors(n, e) != 0)
		return -1;
	if ((is = policy_is_roca(n, e)) < 0)
		return -1;
	if (is)
		return bad(e, "weak-key-roca",
		    "was made by a library whose keys can be factored",
		    "CVE-2017-15361");
	if ((ctx = BN_CTX_new()) == NULL)
		return no_memory(e);
	is = is_close(n, ctx);
	BN_CTX_free(ctx);
	if (is < 0)
		return no_memory(e);
	return is
	    ? bad(e, "weak-key-fermat", "has primes too close to each other",
		  "FIPS 186-5 section A.1.3")
	    : 0;
}

static int
check_rsa(EVP_PKEY *key, struct burin_error *e)
{
	BIGNUM *n = NULL, *exponent = NULL;
	int bits = EVP_PKEY_get_bits(key), rc = -1;

	if (bits < MIN_RSA_BITS || bits > CA_MAX_RSA_BITS) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key-size",
		    "an RSA key of %d bits is refused; %d to %d are taken",
		    bits, MIN_RSA_BITS, CA_MAX_RSA_BITS);
		goto out;
	}
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n)) {
		(void)no_memory(e);
		goto out;
	}
	if (check_exponent(exponent, e) == 0)
		rc = check_modulus(n, e);
out:
	BN_free(n);
	BN_free(exponent);
	return rc;
}

/* --- elliptic curves ------------------------------------------------------ */

static int
is_explicit(EVP_PKEY *key)
{
	int explicit = 0;

	return EVP_PKEY_get_int_param(key,
		   OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		   &explicit) != 1 ||
	    explicit;
}

static int
is_our_curve(EVP_PKEY *key)
{
	char name[64];
	size_t len;

	return EVP_PKEY_get_group_name(key, name, sizeof(name), &len) == 1 &&
	    (strcmp(name, "prime256v1") == 0 ||
		strcmp(name, "secp384r1") == 0 ||
		strcmp(name, "secp521r1") == 0);
}

static int
check_ec(EVP_PKEY *key, struct burin_error *e)
{
	EVP_PKEY_CTX *ctx;
	int ok;

	if (is_explicit(key))
		return bad(e, "weak-key-explicit",
		    "brings a curve of its own along",
		    "RFC 5480 section 2.1.1");
	if (!is_our_curve(key))
		return bad(e, "weak-key-curve",
		    "is on a curve other than P-256, P-384 and P-521",
		    "RFC 5480 section 2.1.1.1");
	/* On the curve, not at infinity, of the curve's order. */
	if ((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)) == NULL)
		return burin_fail_memory(e);
	ok = EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0
		  : bad(e, "weak-key-point", "is no point of its curve",
			"NIST SP 800-56A section 5.6.2.3.3");
}

/* --- Montgomery and Edwards curves ---------------------------------------- */

#define BYTES_25519 32
#define BYTES_ED448 57

/*
 * RFC 7748 section 6.1: with a point of low order everybody agrees on zero,
 * which OpenSSL refuses.
 */
static int
agrees_on_zero(EVP_PKEY *peer)
{
	const char *type = EVP_PKEY_get0_type_name(peer);
	EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, type);
	unsigned char out[64];
	size_t len = sizeof(out);
	EVP_PKEY_CTX *ctx;
	int ok;

	ctx = own != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, out, &len) == 1;
	OPENSSL_cleanse(out, sizeof(out));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	return !ok;
}

/*
 * RFC 7748 section 4.1: u = (1 + y) / (1 - y) is the same point on the
 * Montgomery curve, and of low order there when it is here.
 */
static int
is_low_ed25519(BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
	unsigned char raw[BYTES_25519];
	BIGNUM *u = BN_CTX_get(ctx), *d = BN_CTX_get(ctx);
	EVP_PKEY *twin;
	int low;

	if (d == NULL || !BN_mod_sub(d, BN_value_one(), y, p, ctx) ||
	    !BN_mod_add(u, BN_value_one(), y, p, ctx) ||
	    BN_is_zero(d)) /* the point at infinity */
		return 1;
	if (BN_mod_inverse(d, d, p, ctx) == NULL ||
	    !BN_mod_mul(u, u, d, p, ctx) ||
	    BN_bn2lebinpad(u, raw, sizeof(raw)) < 0)
		return 1;
	twin = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "X25519", NULL, raw, sizeof(raw));
	low = twin == NULL || agrees_on_zero(twin);
	EVP_PKEY_free(twin);
	return low;
}

/* y and -y of order 1, 2 and 4: 1, -1 and 0 (RFC 8032 section 5.2). */
static int
is_low_ed448(BIGNUM *y, const BIGNUM *p)
{
	return BN_is_zero(y) || BN_is_one(y) ||
	    (BN_add_word(y, 1) && BN_cmp(y, p) == 0);
}

/* 2^255 - 19, 2^448 - 2^224 - 1. */
static int
set_prime(BIGNUM *p, int is_448)
{
	BN_zero(p);
	if (!is_448)
		return BN_set_bit(p, 255) && BN_sub_word(p, 19);
	/* (2^224 - 1) * 2^224 - 1 */
	return BN_set_bit(p, 224) && BN_sub_word(p, 1) &&
	    BN_lshift(p, p, 224) && BN_sub_word(p, 1);
}

/* raw is y, little-endian, and a sign in the highest bit. */
static int
is_low_edwards(const unsigned char *raw, size_t len)
{
	unsigned char bytes[BYTES_ED448];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *y, *p;
	int low = 1;

	if (ctx == NULL || len == 0 || len > sizeof(bytes)) {
		BN_CTX_free(ctx);
		return 1;
	}
	memcpy(bytes, raw, len);
	bytes[len - 1] &= 0x7f;
	BN_CTX_start(ctx);
	y = BN_CTX_get(ctx);
	p = BN_CTX_get(ctx);
	if (p != NULL && set_prime(p, len == BYTES_ED448) &&
	    BN_lebin2bn(bytes, (int)len, y) != NULL && BN_nnmod(y, y, p, ctx))
		low = len == BYTES_ED448 ? is_low_ed448(y, p)
					 : is_low_ed25519(y, p, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return low;
}

static int
check_order(EVP_PKEY *key, struct burin_error *e)
{
	unsigned char raw[64];
	size_t len = sizeof(raw);
	int low = 0;

	(void)ERR_set_mark();
	if (EVP_PKEY_is_a(key, "X25519") || EVP_PKEY_is_a(key, "X448"))
		low = agrees_on_zero(key);
	else if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		low = EVP_PKEY_get_raw_public_key(key, raw, &len) != 1 ||
		    is_low_edwards(raw, len);
	(void)ERR_pop_to_mark();
	return low
	    ? bad(e, "weak-key-order", "is a point whose multiples are few",
		  "RFC 7748 section 6.1")
	    : 0;
}

int
policy_sound_key(EVP_PKEY *key, struct burin_error *e)
{
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return check_rsa(key, e);
	if (EVP_PKEY_is_a(key, "EC"))
		return check_ec(key, e);
	return check_order(key, e);
}
