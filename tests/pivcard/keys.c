/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys: GENERATE ASYMMETRIC KEY PAIR (SP 800-73-4 part 2 section 3.3.1) and
 * Yubico's IMPORT ASYMMETRIC KEY, with the policies that Yubico adds.
 */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "state.h"

void
keys_init(struct card *c)
{
	static const uint8_t others[] = { REF_9A, REF_9C, REF_9D, REF_9E,
		REF_ATTEST };
	uint8_t ref;
	size_t i = 0;

	for (ref = REF_RETIRED1; ref <= REF_RETIRED20; ref++)
		c->keys[i++].ref = ref;
	for (ref = 0; ref < sizeof(others); ref++)
		c->keys[i++].ref = others[ref];
}

struct key *
key_find(struct card *c, uint8_t ref)
{
	size_t i;

	for (i = 0; i < N_KEYS; i++)
		if (c->keys[i].ref == ref)
			return &c->keys[i];
	return NULL;
}

void
key_clear(struct key *k)
{
	EVP_PKEY_free(k->pkey);
	k->pkey = NULL;
	k->alg = 0;
	k->origin = ORIGIN_NONE;
}

static const struct {
	uint8_t alg;
	const char *type, *curve;
	size_t bits;
} algs[] = {
	{ ALG_RSA1024, "RSA", NULL, 1024 },
	{ ALG_RSA2048, "RSA", NULL, 2048 },
	{ ALG_P256, "EC", "P-256", 256 },
	{ ALG_P384, "EC", "P-384", 384 },
};

#define N_ALGS (sizeof(algs) / sizeof(algs[0]))

uint8_t
key_alg(EVP_PKEY *pkey)
{
	size_t i;

	for (i = 0; i < N_ALGS; i++)
		if (EVP_PKEY_is_a(pkey, algs[i].type) == 1 &&
		    EVP_PKEY_get_bits(pkey) == (int)algs[i].bits)
			return algs[i].alg;
	return 0;
}

EVP_PKEY *
key_generate(struct card *c, uint8_t alg)
{
	size_t i;

	for (i = 0; i < N_ALGS; i++) {
		if (algs[i].alg != alg)
			continue;
		if (algs[i].curve == NULL)
			return EVP_PKEY_Q_keygen(
			    c->lib, NULL, algs[i].type, algs[i].bits);
		return EVP_PKEY_Q_keygen(
		    c->lib, NULL, algs[i].type, algs[i].curve);
	}
	return NULL;
}

static void
put_bn(struct buf *out, unsigned tag, const EVP_PKEY *pkey, const char *name)
{
	uint8_t bytes[512];
	BIGNUM *n = NULL;
	int len;

	if (EVP_PKEY_get_bn_param(pkey, name, &n) != 1 ||
	    BN_num_bytes(n) > (int)sizeof(bytes)) {
		out->overflow = 1;
	} else {
		len = BN_bn2bin(n, bytes);
		buf_tlv(out, tag, bytes, (size_t)len);
	}
	BN_free(n);
}

/* Part 2 table 11: 81 modulus, 82 exponent; 86 point. */
void
key_public(struct buf *out, const struct key *k)
{
	uint8_t *point = NULL;
	size_t len;

	if (EVP_PKEY_is_a(k->pkey, "RSA") == 1) {
		put_bn(out, 0x81, k->pkey, OSSL_PKEY_PARAM_RSA_N);
		put_bn(out, 0x82, k->pkey, OSSL_PKEY_PARAM_RSA_E);
		return;
	}
	len = EVP_PKEY_get1_encoded_public_key(k->pkey, &point);
	buf_tlv(out, 0x86, point, len);
	OPENSSL_free(point);
}

static uint8_t
default_pin_policy(uint8_t ref)
{
	return ref == REF_9C ? PIN_ALWAYS
	    : ref == REF_9E  ? PIN_NEVER
			     : PIN_ONCE;
}

/* A policy element, AA or AB: 0 when there is one and it is not one. */
static int
policy(struct span in, unsigned tag, uint8_t usual, uint8_t *out)
{
	struct span v;

	*out = usual;
	if (!tlv_find(in, tag, &v))
		return 1;
	if (v.len != 1 || v.p[0] > 3)
		return 0;
	if (v.p[0] != 0)
		*out = v.p[0];
	return 1;
}

static int
policies(struct span in, struct key *k)
{
	return policy(in, 0xaa, default_pin_policy(k->ref), &k->pin_policy) &&
	    policy(in, 0xab, TOUCH_NEVER, &k->touch_policy);
}

/* Puts the new key into its slot; the old one is gone. */
static void
install(struct card *c, const struct key *new)
{
	struct key *k = key_find(c, new->ref);

	key_clear(k);
	*k = *new;
	c->changed = 1;
}

enum sw
piv_generate(struct card *c, const struct apdu *a)
{
	struct key new = { .ref = a->p2, .origin = ORIGIN_GENERATED };
	struct buf public = { .len = 0 };
	struct span control, alg;

	if (a->p1 != 0)
		return SW_P1P2;
	if (key_find(c, a->p2) == NULL)
		return SW_P1P2;
	if (!c->mgm_ok)
		return SW_SECURITY;
	if (!tlv_find(card_data(c), 0xac, &control) ||
	    !tlv_find(control, 0x80, &alg) || alg.len != 1 ||
	    !policies(control, &new))
		return SW_DATA;
	new.alg = alg.p[0];
	new.pkey = key_generate(c, new.alg);
	if (new.pkey == NULL)
		return SW_DATA;
	key_public(&public, &new);
	buf_tlv(&c->answer, 0x7f49, public.data, public.len);
	if (public.overflow) {
		EVP_PKEY_free(new.pkey);
		return SW_ERROR;
	}
	install(c, &new);
	return SW_OK;
}

static EVP_PKEY *
from_params(struct card *c, const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(c->lib, type, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		goto out;
	check = EVP_PKEY_CTX_new_from_pkey(c->lib, pkey, NULL);
	if (check == NULL || EVP_PKEY_pairwise_check(check) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
out:
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/*
 * n, e and d, which the command does not give, from p and q: the exponent is
 * 65537 on these cards.
 */
static int
rsa_rest(const BIGNUM *p, const BIGNUM *q, BIGNUM *n, BIGNUM *e, BIGNUM *d)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *phi = BN_new();
	int rc;

	rc = ctx != NULL && p1 != NULL && q1 != NULL && phi != NULL &&
	    BN_mul(n, p, q, ctx) == 1 && BN_set_word(e, RSA_F4) == 1 &&
	    BN_sub_word(p1, 1) == 1 && BN_sub_word(q1, 1) == 1 &&
	    BN_mul(phi, p1, q1, ctx) == 1 && !BN_is_zero(phi) &&
	    BN_mod_inverse(d, e, phi, ctx) != NULL;
	BN_clear_free(phi);
	BN_clear_free(q1);
	BN_clear_free(p1);
	BN_CTX_free(ctx);
	return rc;
}

static EVP_PKEY *
import_rsa(struct card *c, struct span in, size_t half)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = BN_new(), *d = BN_new();
	BIGNUM *part[5] = { NULL };
	EVP_PKEY *pkey = NULL;
	struct span v;
	unsigned i;

	if (bld == NULL || n == NULL || e == NULL || d == NULL)
		goto out;
	for (i = 0; i < 5; i++) {
		if (!tlv_find(in, i + 1, &v) || v.len == 0 || v.len > half)
			goto out;
		part[i] = BN_bin2bn(v.p, (int)v.len, NULL);
		if (part[i] == NULL ||
		    OSSL_PARAM_BLD_push_BN(bld, names[i], part[i]) != 1)
			goto out;
	}
	if (!rsa_rest(part[0], part[1], n, e, d) ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_D, d) != 1)
		goto out;
	pkey = from_params(c, "RSA", bld);
out:
	OSSL_PARAM_BLD_free(bld);
	for (i = 0; i < 5; i++)
		BN_clear_free(part[i]);
	BN_clear_free(d);
	BN_free(e);
	BN_free(n);
	return pkey;
}

/* The public point of a scalar. */
static size_t
ec_point(struct card *c, const char *curve, const BIGNUM *d, uint8_t *out,
    size_t size)
{
	int nid = OBJ_txt2nid(curve);
	EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(c->lib, NULL, nid);
	EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
	size_t len = 0;

	if (point != NULL && BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
	    !BN_is_zero(d) &&
	    EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1)
		len = EC_POINT_point2oct(group, point,
		    POINT_CONVERSION_UNCOMPRESSED, out, size, NULL);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return len;
}

static EVP_PKEY *
import_ec(struct card *c, struct span in, const char *curve, size_t bytes)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	uint8_t point[97];
	BIGNUM *d = NULL;
	struct span v;
	size_t len;

	if (bld == NULL || !tlv_find(in, 6, &v) || v.len == 0 || v.len > bytes)
		goto out;
	d = BN_bin2bn(v.p, (int)v.len, NULL);
	len = d == NULL ? 0 : ec_point(c, curve, d, point, sizeof(point));
	if (len == 0 ||
	    OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(
		bld, OSSL_PKEY_PARAM_PUB_KEY, point, len) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
		goto out;
	pkey = from_params(c, "EC", bld);
out:
	BN_clear_free(d);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

enum sw
piv_import(struct card *c, const struct apdu *a)
{
	struct key new = {
		.ref = a->p2, .alg = a->p1, .origin = ORIGIN_IMPORTED
	};
	struct span in = card_data(c);

	if (!c->mgm_ok)
		return SW_SECURITY;
	if (key_find(c, a->p2) == NULL)
		return SW_P1P2;
	if (!policies(in, &new))
		return SW_DATA;
	switch (a->p1) {
	case ALG_RSA1024:
		new.pkey = import_rsa(c, in, 64);
		break;
	case ALG_RSA2048:
		new.pkey = import_rsa(c, in, 128);
		break;
	case ALG_P256:
		new.pkey = import_ec(c, in, "prime256v1", 32);
		break;
	case ALG_P384:
		new.pkey = import_ec(c, in, "secp384r1", 48);
		break;
	default:
		return SW_P1P2;
	}
	if (new.pkey == NULL)
		return SW_DATA;
	if (key_alg(new.pkey) != new.alg) {
		EVP_PKEY_free(new.pkey);
		return SW_DATA;
	}
	install(c, &new);
	return SW_OK;
}
