/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Key agreement (provider-keyexch(7)): ECDH and X25519 on the token, without
 * its key derivation; the X9.63 KDF of CMS (RFC 5753 section 7.1) follows in
 * software, because few tokens have it.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/proverr.h>

#include "provider.h"

#define MAX_POINT (1 + 2 * PROV_MAX_COORDINATE)
#define MAX_NAME 20 /* bytes of a KDF's name, with the NUL */

static OSSL_FUNC_keyexch_newctx_fn ctx_new;
static OSSL_FUNC_keyexch_freectx_fn ctx_free;
static OSSL_FUNC_keyexch_dupctx_fn ctx_dup;
static OSSL_FUNC_keyexch_init_fn init;
static OSSL_FUNC_keyexch_set_peer_fn set_peer;
static OSSL_FUNC_keyexch_derive_fn derive;
static OSSL_FUNC_keyexch_get_ctx_params_fn get_params;
static OSSL_FUNC_keyexch_gettable_ctx_params_fn gettable;
static OSSL_FUNC_keyexch_set_ctx_params_fn set_params;
static OSSL_FUNC_keyexch_settable_ctx_params_fn settable;

struct exchange_ctx {
	struct prov_key *key, *peer;
	int kdf; /* 1: X9.63, else the shared secret itself */
	EVP_MD *kdf_md;
	size_t kdf_len;
	unsigned char *ukm;
	size_t ukm_len;
};

static void *
ctx_new(void *provctx)
{
	(void)provctx;
	return OPENSSL_zalloc(sizeof(struct exchange_ctx));
}

static void
ctx_free(void *ctx)
{
	struct exchange_ctx *c = ctx;

	if (c == NULL)
		return;
	prov_key_free(c->key);
	prov_key_free(c->peer);
	EVP_MD_free(c->kdf_md);
	OPENSSL_clear_free(c->ukm, c->ukm_len);
	OPENSSL_free(c);
}

static void *
ctx_dup(void *ctx)
{
	const struct exchange_ctx *c = ctx;
	struct exchange_ctx *d;

	if ((d = ctx_new(NULL)) == NULL)
		return NULL;
	d->key = prov_key_ref(c->key);
	d->peer = prov_key_ref(c->peer);
	d->kdf = c->kdf;
	d->kdf_len = c->kdf_len;
	if (c->kdf_md != NULL && EVP_MD_up_ref(c->kdf_md))
		d->kdf_md = c->kdf_md;
	if (c->ukm_len > 0) {
		d->ukm = OPENSSL_memdup(c->ukm, c->ukm_len);
		d->ukm_len = d->ukm != NULL ? c->ukm_len : 0;
	}
	if (d->kdf_md == c->kdf_md && d->ukm_len == c->ukm_len)
		return d;
	ctx_free(d);
	return NULL;
}

static int
set_kdf(struct exchange_ctx *c, const OSSL_PARAM *p)
{
	char name[MAX_NAME], *buf = name;

	if (OSSL_PARAM_get_utf8_string(p, &buf, sizeof(name))) {
		c->kdf = name[0] != '\0';
		if (!c->kdf || strcmp(name, OSSL_KDF_NAME_X963KDF) == 0)
			return 1;
	}
	ERR_raise(ERR_LIB_PROV, PROV_R_NOT_SUPPORTED);
	return 0;
}

/*
 * The cofactor mode may be set and changes nothing: the cofactor of the
 * curves we know is 1.
 */
static int
set_params(void *ctx, const OSSL_PARAM params[])
{
	struct exchange_ctx *c = ctx;
	const OSSL_PARAM *p;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_TYPE);
	if (p != NULL && !set_kdf(c, p))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_DIGEST);
	if (p != NULL && !prov_get_md(p, &c->kdf_md))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
	if (p != NULL && !OSSL_PARAM_get_size_t(p, &c->kdf_len))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_UKM);
	return p == NULL || prov_get_bytes(p, &c->ukm, &c->ukm_len);
}

static const OSSL_PARAM *
settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
		OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
		OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
		OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

static int
get_params(void *ctx, OSSL_PARAM params[])
{
	const struct exchange_ctx *c = ctx;
	OSSL_PARAM *p;

	p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_TYPE);
	if (p != NULL &&
	    !OSSL_PARAM_set_utf8_string(p, c->kdf ? OSSL_KDF_NAME_X963KDF : ""))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_DIGEST);
	if (p != NULL && !prov_set_md(p, c->kdf_md))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
	if (p != NULL && !OSSL_PARAM_set_size_t(p, c->kdf_len))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_UKM);
	if (p != NULL && !OSSL_PARAM_set_octet_ptr(p, c->ukm, c->ukm_len))
		return 0;
	p = OSSL_PARAM_locate(
	    params, OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE);
	return p == NULL || OSSL_PARAM_set_int(p, 0);
}

static const OSSL_PARAM *
gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
		OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
		OSSL_PARAM_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
		OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

static int
init(void *ctx, void *key, const OSSL_PARAM params[])
{
	struct exchange_ctx *c = ctx;

	return prov_key_use(&c->key, key, 1) && set_params(c, params);
}

static int
set_peer(void *ctx, void *key)
{
	struct exchange_ctx *c = ctx;
	struct prov_key *peer = key;

	if (c->key == NULL || peer == NULL || peer->pub == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_KEY);
		return 0;
	}
	if (strcmp(c->key->type, peer->type) != 0 ||
	    (strcmp(peer->type, "EC") == 0 &&
		EVP_PKEY_parameters_eq(c->key->pub, peer->pub) != 1)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISMATCHING_DOMAIN_PARAMETERS);
		return 0;
	}
	prov_key_free(c->peer);
	c->peer = prov_key_ref(peer);
	return 1;
}

/*
 * The peer's point as tokens take it: uncompressed, whatever form it came
 * in, and without the DER OCTET STRING around it (PKCS#11 2.40 mechanisms
 * section 2.3.5; both forms are allowed, this one works everywhere).
 */
static int
peer_point(EVP_PKEY *pub, int size, unsigned char *out, size_t *len)
{
	BIGNUM *x = NULL, *y = NULL;
	int rc = 0;

	if (!EVP_PKEY_is_a(pub, "EC"))
		return EVP_PKEY_get_octet_string_param(
		    pub, OSSL_PKEY_PARAM_PUB_KEY, out, *len, len);
	if (EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	    BN_bn2binpad(x, out + 1, size) == size &&
	    BN_bn2binpad(y, out + 1 + size, size) == size) {
		out[0] = 4;
		*len = (size_t)(1 + 2 * size);
		rc = 1;
	}
	BN_free(x);
	BN_free(y);
	return rc;
}

/* The shared secret in size bytes. */
static int
agree(struct exchange_ctx *c, unsigned char *secret, size_t size)
{
	unsigned char point[MAX_POINT], any = 0;
	size_t point_len = sizeof(point), n = size, i;
	CK_ECDH1_DERIVE_PARAMS params;
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &params, sizeof(params) };

	if (!peer_point(c->peer->pub, (int)size, point, &point_len))
		return 0;
	memset(&params, 0, sizeof(params));
	params.kdf = CKD_NULL;
	params.pPublicData = point;
	params.ulPublicDataLen = point_len;
	if (prov_do(c->key, P11_DERIVE, &mech, NULL, 0, secret, &n,
		PROV_R_FAILED_DURING_DERIVATION) != CKR_OK)
		return 0;
	/* All bytes of the field, leading zeros too: p11_do sees to it. */
	if (n != size) {
		ERR_raise(ERR_LIB_PROV, PROV_R_FAILED_DURING_DERIVATION);
		return 0;
	}
	for (i = 0; i < size; i++)
		any |= secret[i];
	if (any != 0)
		return 1;
	/* RFC 7748 section 6.1: the peer's point has small order. */
	ERR_raise(ERR_LIB_PROV, PROV_R_FAILED_DURING_DERIVATION);
	return 0;
}

static int
x963(const struct exchange_ctx *c, const unsigned char *secret, size_t len,
    unsigned char *out, size_t out_len)
{
	union {
		const void *in;
		void *out;
	} md, z; /* OSSL_PARAM knows no const and writes to none of these */
	OSSL_PARAM params[4], *p = params;
	EVP_KDF_CTX *ctx = NULL;
	EVP_KDF *kdf;
	int rc = 0;

	if (c->kdf_md == NULL || out_len == 0) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_MESSAGE_DIGEST);
		return 0;
	}
	md.in = EVP_MD_get0_name(c->kdf_md);
	z.in = secret;
	*p++ =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md.out, 0);
	*p++ =
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z.out, len);
	if (c->ukm_len > 0)
		*p++ = OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_INFO, c->ukm, c->ukm_len);
	*p = OSSL_PARAM_construct_end();
	kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_X963KDF, NULL);
	if (kdf != NULL && (ctx = EVP_KDF_CTX_new(kdf)) != NULL)
		rc = EVP_KDF_derive(ctx, out, out_len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

static int
derive(void *ctx, unsigned char *out, size_t *out_len, size_t out_size)
{
	struct exchange_ctx *c = ctx;
	unsigned char secret[PROV_MAX_COORDINATE];
	size_t size, want;
	int rc;

	if (c->key == NULL)
		return 0;
	size = (size_t)(EVP_PKEY_get_bits(c->key->pub) + 7) / 8;
	want = c->kdf ? c->kdf_len : size;
	if (out == NULL) {
		*out_len = want;
		return 1;
	}
	if (c->peer == NULL || size > sizeof(secret)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_KEY);
		return 0;
	}
	if (out_size < want) {
		ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
		return 0;
	}
	rc = agree(c, secret, size);
	if (rc && c->kdf)
		rc = x963(c, secret, size, out, want);
	else if (rc)
		memcpy(out, secret, want);
	if (rc)
		*out_len = want;
	OPENSSL_cleanse(secret, sizeof(secret));
	return rc;
}

#define F(id, fn) OSSL_FUNC_KEYEXCH_##id, (void (*)(void))(fn)

const OSSL_DISPATCH prov_exchange[] = {
	{ F(NEWCTX, ctx_new) },
	{ F(FREECTX, ctx_free) },
	{ F(DUPCTX, ctx_dup) },
	{ F(INIT, init) },
	{ F(SET_PEER, set_peer) },
	{ F(DERIVE, derive) },
	{ F(GET_CTX_PARAMS, get_params) },
	{ F(GETTABLE_CTX_PARAMS, gettable) },
	{ F(SET_CTX_PARAMS, set_params) },
	{ F(SETTABLE_CTX_PARAMS, settable) },
	{ 0, NULL },
};
