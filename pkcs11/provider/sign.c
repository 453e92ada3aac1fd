/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Signatures (provider-signature(7)): what RSA, ECDSA and EdDSA share. Data
 * are hashed here; the token signs the digest. Verification is a public
 * operation and is done in software.
 */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "provider.h"

static OSSL_FUNC_signature_newctx_fn new_rsa, new_ecdsa, new_eddsa;
static OSSL_FUNC_signature_freectx_fn ctx_free;
static OSSL_FUNC_signature_dupctx_fn ctx_dup;
static OSSL_FUNC_signature_sign_init_fn sign_init;
static OSSL_FUNC_signature_sign_fn sign;
static OSSL_FUNC_signature_verify_init_fn verify_init;
static OSSL_FUNC_signature_verify_fn verify;
static OSSL_FUNC_signature_digest_sign_init_fn digest_sign_init;
static OSSL_FUNC_signature_digest_sign_update_fn digest_update;
static OSSL_FUNC_signature_digest_sign_final_fn digest_sign_final;
static OSSL_FUNC_signature_digest_sign_fn digest_sign;
static OSSL_FUNC_signature_digest_verify_init_fn digest_verify_init;
static OSSL_FUNC_signature_digest_verify_final_fn digest_verify_final;
static OSSL_FUNC_signature_digest_verify_fn digest_verify;
static OSSL_FUNC_signature_get_ctx_params_fn get_params;
static OSSL_FUNC_signature_gettable_ctx_params_fn gettable;
static OSSL_FUNC_signature_set_ctx_params_fn set_params;
static OSSL_FUNC_signature_settable_ctx_params_fn settable;

static void *
ctx_new(const struct sig_alg *alg)
{
	struct sig_ctx *c;

	if ((c = OPENSSL_zalloc(sizeof(*c))) == NULL)
		return NULL;
	c->alg = alg;
	c->padding = RSA_PKCS1_PADDING;
	/*
	 * OpenSSL 3.0's own default is the longest salt; TPMs and PIV cards
	 * take only one of the digest's length (RFC 4055 section 3.1 also
	 * asks for it).
	 */
	c->saltlen = RSA_PSS_SALTLEN_DIGEST;
	return c;
}

static void *
new_rsa(void *provctx, const char *propq)
{
	(void)provctx;
	(void)propq;
	return ctx_new(&prov_alg_rsa);
}

static void *
new_ecdsa(void *provctx, const char *propq)
{
	(void)provctx;
	(void)propq;
	return ctx_new(&prov_alg_ecdsa);
}

static void *
new_eddsa(void *provctx, const char *propq)
{
	(void)provctx;
	(void)propq;
	return ctx_new(&prov_alg_eddsa);
}

static void
ctx_free(void *ctx)
{
	struct sig_ctx *c = ctx;

	if (c == NULL)
		return;
	prov_key_free(c->key);
	EVP_MD_free(c->md);
	EVP_MD_free(c->mgf1_md);
	EVP_MD_CTX_free(c->hash);
	OPENSSL_free(c);
}

static void *
ctx_dup(void *ctx)
{
	const struct sig_ctx *c = ctx;
	struct sig_ctx *d;

	if ((d = ctx_new(c->alg)) == NULL)
		return NULL;
	d->padding = c->padding;
	d->saltlen = c->saltlen;
	d->key = prov_key_ref(c->key);
	if (c->md != NULL && EVP_MD_up_ref(c->md))
		d->md = c->md;
	if (c->mgf1_md != NULL && EVP_MD_up_ref(c->mgf1_md))
		d->mgf1_md = c->mgf1_md;
	if (d->md != c->md || d->mgf1_md != c->mgf1_md)
		goto fail;
	if (c->hash != NULL &&
	    ((d->hash = EVP_MD_CTX_new()) == NULL ||
		!EVP_MD_CTX_copy_ex(d->hash, c->hash)))
		goto fail;
	return d;
fail:
	ctx_free(d);
	return NULL;
}

static int
set_params(void *ctx, const OSSL_PARAM params[])
{
	struct sig_ctx *c = ctx;
	const OSSL_PARAM *p;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p != NULL && !prov_get_md(p, &c->md))
		return 0;
	if (c->alg != &prov_alg_rsa)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p != NULL) {
		if (!prov_get_padding(p, &c->padding))
			return 0;
		if (c->padding == RSA_PKCS1_OAEP_PADDING) {
			ERR_raise(ERR_LIB_PROV,
			    PROV_R_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE);
			return 0;
		}
	}
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p != NULL && !prov_get_saltlen(p, &c->saltlen))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	return p == NULL || prov_get_md(p, &c->mgf1_md);
}

static const OSSL_PARAM *
settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

/* A software operation of the same kind, to verify or to be asked. */
static EVP_MD_CTX *
software(const struct sig_ctx *c, EVP_PKEY_CTX **pctx)
{
	EVP_MD_CTX *m;
	const char *md = c->md != NULL ? EVP_MD_get0_name(c->md) : NULL;

	if ((m = EVP_MD_CTX_new()) == NULL)
		return NULL;
	if (EVP_DigestVerifyInit_ex(
		m, pctx, md, NULL, NULL, c->key->pub, NULL) == 1 &&
	    (c->alg->configure == NULL || c->alg->configure(c, *pctx)))
		return m;
	EVP_MD_CTX_free(m);
	return NULL;
}

/* The DER AlgorithmIdentifier, as OpenSSL writes it for a software key. */
static int
get_algorithm(const struct sig_ctx *c, OSSL_PARAM *p)
{
	OSSL_PARAM ask[] = { OSSL_PARAM_construct_octet_string(
				 OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *pctx;
	EVP_MD_CTX *m;
	int rc;

	if (c->key == NULL || (m = software(c, &pctx)) == NULL)
		return 0;
	ask[0].data = p->data;
	ask[0].data_size = p->data_size;
	rc = EVP_PKEY_CTX_get_params(pctx, ask) == 1;
	p->return_size = ask[0].return_size;
	EVP_MD_CTX_free(m);
	return rc;
}

static int
get_params(void *ctx, OSSL_PARAM params[])
{
	const struct sig_ctx *c = ctx;
	OSSL_PARAM *p;

	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
	if (p != NULL && !get_algorithm(c, p))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p != NULL && !prov_set_md(p, c->md))
		return 0;
	if (c->alg != &prov_alg_rsa)
		return 1;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p != NULL && !prov_set_padding(p, c->padding))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p != NULL && !prov_set_saltlen(p, c->saltlen))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	return p == NULL ||
	    prov_set_md(p, c->mgf1_md != NULL ? c->mgf1_md : c->md);
}

static const OSSL_PARAM *
gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_octet_string(
		    OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

/* key NULL: as before. */
static int
start(struct sig_ctx *c, void *key, const OSSL_PARAM params[], int private)
{
	return prov_key_use(&c->key, key, private) && set_params(c, params);
}

static int
sign_init(void *ctx, void *key, const OSSL_PARAM params[])
{
	return start(ctx, key, params, 1);
}

static int
verify_init(void *ctx, void *key, const OSSL_PARAM params[])
{
	return start(ctx, key, params, 0);
}

/* sig NULL asks for the room that any signature of this key needs. */
static int
sign(void *ctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
    const unsigned char *tbs, size_t tbs_len)
{
	struct sig_ctx *c = ctx;
	int need;

	if (c->key == NULL || (need = EVP_PKEY_get_size(c->key->pub)) <= 0)
		return 0;
	if (sig == NULL) {
		*sig_len = (size_t)need;
		return 1;
	}
	if (!c->alg->whole_message && c->md != NULL &&
	    tbs_len != (size_t)EVP_MD_get_size(c->md)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_DIGEST_LENGTH);
		return 0;
	}
	*sig_len = sig_size;
	return c->alg->sign(c, sig, sig_len, tbs, tbs_len);
}

static int
verify(void *ctx, const unsigned char *sig, size_t sig_len,
    const unsigned char *tbs, size_t tbs_len)
{
	struct sig_ctx *c = ctx;
	EVP_PKEY_CTX *p;
	int rc;

	p = EVP_PKEY_CTX_new_from_pkey(NULL, c->key->pub, NULL);
	rc = p != NULL && EVP_PKEY_verify_init(p) == 1 &&
	    (c->md == NULL || EVP_PKEY_CTX_set_signature_md(p, c->md) == 1) &&
	    (c->alg->configure == NULL || c->alg->configure(c, p)) &&
	    EVP_PKEY_verify(p, sig, sig_len, tbs, tbs_len) == 1;
	EVP_PKEY_CTX_free(p);
	return rc;
}

static int
digest_start(struct sig_ctx *c, const char *md, void *key,
    const OSSL_PARAM params[], int private)
{
	EVP_MD *new;

	if (md != NULL && *md != '\0') {
		if (c->alg->whole_message ||
		    (new = EVP_MD_fetch(NULL, md, NULL)) == NULL) {
			ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_DIGEST);
			return 0;
		}
		EVP_MD_free(c->md);
		c->md = new;
	}
	if (!start(c, key, params, private))
		return 0;
	if (c->alg->whole_message)
		return 1;
	if (c->md == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_MESSAGE_DIGEST);
		return 0;
	}
	if (c->hash == NULL && (c->hash = EVP_MD_CTX_new()) == NULL)
		return 0;
	return EVP_DigestInit_ex2(c->hash, c->md, NULL);
}

static int
digest_sign_init(
    void *ctx, const char *md, void *key, const OSSL_PARAM params[])
{
	return digest_start(ctx, md, key, params, 1);
}

static int
digest_verify_init(
    void *ctx, const char *md, void *key, const OSSL_PARAM params[])
{
	return digest_start(ctx, md, key, params, 0);
}

static int
digest_update(void *ctx, const unsigned char *data, size_t len)
{
	struct sig_ctx *c = ctx;

	return c->hash != NULL && EVP_DigestUpdate(c->hash, data, len);
}

static int
digest_sign_final(
    void *ctx, unsigned char *sig, size_t *sig_len, size_t sig_size)
{
	struct sig_ctx *c = ctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (sig == NULL)
		return sign(c, NULL, sig_len, 0, NULL, 0);
	return c->hash != NULL && EVP_DigestFinal_ex(c->hash, digest, &n) &&
	    sign(c, sig, sig_len, sig_size, digest, n);
}

static int
digest_verify_final(void *ctx, const unsigned char *sig, size_t sig_len)
{
	struct sig_ctx *c = ctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return c->hash != NULL && EVP_DigestFinal_ex(c->hash, digest, &n) &&
	    verify(c, sig, sig_len, digest, n);
}

static int
digest_sign(void *ctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
    const unsigned char *data, size_t len)
{
	struct sig_ctx *c = ctx;

	if (sig == NULL || c->alg->whole_message)
		return sign(c, sig, sig_len, sig_size, data, len);
	return digest_update(c, data, len) &&
	    digest_sign_final(c, sig, sig_len, sig_size);
}

static int
digest_verify(void *ctx, const unsigned char *sig, size_t sig_len,
    const unsigned char *data, size_t len)
{
	struct sig_ctx *c = ctx;
	EVP_PKEY_CTX *pctx;
	EVP_MD_CTX *m;
	int rc;

	if (!c->alg->whole_message)
		return digest_update(c, data, len) &&
		    digest_verify_final(c, sig, sig_len);
	if ((m = software(c, &pctx)) == NULL)
		return 0;
	rc = EVP_DigestVerify(m, sig, sig_len, data, len) == 1;
	EVP_MD_CTX_free(m);
	return rc;
}

#define F(id, fn) OSSL_FUNC_SIGNATURE_##id, (void (*)(void))(fn)

#define COMMON                                             \
	{ F(FREECTX, ctx_free) }, { F(DUPCTX, ctx_dup) },  \
	    { F(DIGEST_SIGN_INIT, digest_sign_init) },     \
	    { F(DIGEST_SIGN, digest_sign) },               \
	    { F(DIGEST_VERIFY_INIT, digest_verify_init) }, \
	    { F(DIGEST_VERIFY, digest_verify) },           \
	    { F(GET_CTX_PARAMS, get_params) },             \
	{                                                  \
		F(GETTABLE_CTX_PARAMS, gettable)           \
	}
#define HASHING                                                     \
	{ F(SIGN_INIT, sign_init) }, { F(SIGN, sign) },             \
	    { F(VERIFY_INIT, verify_init) }, { F(VERIFY, verify) }, \
	    { F(DIGEST_SIGN_UPDATE, digest_update) },               \
	    { F(DIGEST_SIGN_FINAL, digest_sign_final) },            \
	    { F(DIGEST_VERIFY_UPDATE, digest_update) },             \
	    { F(DIGEST_VERIFY_FINAL, digest_verify_final) },        \
	    { F(SET_CTX_PARAMS, set_params) },                      \
	{                                                           \
		F(SETTABLE_CTX_PARAMS, settable)                    \
	}

const OSSL_DISPATCH prov_sig_rsa[] = { { F(NEWCTX, new_rsa) }, COMMON, HASHING,
	{ 0, NULL } };
const OSSL_DISPATCH prov_sig_ecdsa[] = { { F(NEWCTX, new_ecdsa) }, COMMON,
	HASHING, { 0, NULL } };
/* One call with the whole message, or nothing (RFC 8032). */
const OSSL_DISPATCH prov_sig_eddsa[] = { { F(NEWCTX, new_eddsa) }, COMMON,
	{ 0, NULL } };
