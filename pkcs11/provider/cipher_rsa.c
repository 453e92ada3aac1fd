/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RSA decryption (provider-asym_cipher(7), RFC 8017 section 7). The token
 * takes PKCS#1 v1.5 padding off itself, so nothing here branches on it;
 * OAEP too, or in software where the token lacks the digest or the label.
 * Encryption is a public operation and is done in software.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "provider.h"

static OSSL_FUNC_asym_cipher_newctx_fn ctx_new;
static OSSL_FUNC_asym_cipher_freectx_fn ctx_free;
static OSSL_FUNC_asym_cipher_dupctx_fn ctx_dup;
static OSSL_FUNC_asym_cipher_encrypt_init_fn encrypt_init;
static OSSL_FUNC_asym_cipher_encrypt_fn encrypt;
static OSSL_FUNC_asym_cipher_decrypt_init_fn decrypt_init;
static OSSL_FUNC_asym_cipher_decrypt_fn decrypt;
static OSSL_FUNC_asym_cipher_get_ctx_params_fn get_params;
static OSSL_FUNC_asym_cipher_gettable_ctx_params_fn gettable;
static OSSL_FUNC_asym_cipher_set_ctx_params_fn set_params;
static OSSL_FUNC_asym_cipher_settable_ctx_params_fn settable;

struct cipher_ctx {
	struct prov_key *key;
	int padding;
	EVP_MD *md;	 /* of OAEP; NULL: SHA-1, as in OpenSSL */
	EVP_MD *mgf1_md; /* NULL: md */
	unsigned char *label;
	size_t label_len;
};

static void *
ctx_new(void *provctx)
{
	struct cipher_ctx *c;

	(void)provctx;
	if ((c = OPENSSL_zalloc(sizeof(*c))) == NULL)
		return NULL;
	c->padding = RSA_PKCS1_PADDING;
	return c;
}

static void
ctx_free(void *ctx)
{
	struct cipher_ctx *c = ctx;

	if (c == NULL)
		return;
	prov_key_free(c->key);
	EVP_MD_free(c->md);
	EVP_MD_free(c->mgf1_md);
	OPENSSL_clear_free(c->label, c->label_len);
	OPENSSL_free(c);
}

static void *
ctx_dup(void *ctx)
{
	const struct cipher_ctx *c = ctx;
	struct cipher_ctx *d;

	if ((d = ctx_new(NULL)) == NULL)
		return NULL;
	d->key = prov_key_ref(c->key);
	d->padding = c->padding;
	if (c->md != NULL && EVP_MD_up_ref(c->md))
		d->md = c->md;
	if (c->mgf1_md != NULL && EVP_MD_up_ref(c->mgf1_md))
		d->mgf1_md = c->mgf1_md;
	if (c->label_len > 0) {
		d->label = OPENSSL_memdup(c->label, c->label_len);
		d->label_len = d->label != NULL ? c->label_len : 0;
	}
	if (d->md == c->md && d->mgf1_md == c->mgf1_md &&
	    d->label_len == c->label_len)
		return d;
	ctx_free(d);
	return NULL;
}

static int
set_params(void *ctx, const OSSL_PARAM params[])
{
	struct cipher_ctx *c = ctx;
	const OSSL_PARAM *p;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
	if (p != NULL) {
		if (!prov_get_padding(p, &c->padding))
			return 0;
		if (c->padding == RSA_PKCS1_PSS_PADDING) {
			ERR_raise(ERR_LIB_PROV,
			    PROV_R_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE);
			return 0;
		}
	}
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
	if (p != NULL && !prov_get_md(p, &c->md))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
	if (p != NULL && !prov_get_md(p, &c->mgf1_md))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
	return p == NULL || prov_get_bytes(p, &c->label, &c->label_len);
}

static const OSSL_PARAM *
settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_octet_string(
		    OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

static int
get_params(void *ctx, OSSL_PARAM params[])
{
	const struct cipher_ctx *c = ctx;
	OSSL_PARAM *p;

	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
	if (p != NULL && !prov_set_padding(p, c->padding))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
	if (p != NULL && !prov_set_md(p, c->md))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
	if (p != NULL &&
	    !prov_set_md(p, c->mgf1_md != NULL ? c->mgf1_md : c->md))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
	return p == NULL || OSSL_PARAM_set_octet_ptr(p, c->label, c->label_len);
}

static const OSSL_PARAM *
gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_octet_ptr(
		    OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return all;
}

static int
start(struct cipher_ctx *c, void *key, const OSSL_PARAM params[], int private)
{
	return prov_key_use(&c->key, key, private) && set_params(c, params);
}

static int
encrypt_init(void *ctx, void *key, const OSSL_PARAM params[])
{
	return start(ctx, key, params, 0);
}

static int
decrypt_init(void *ctx, void *key, const OSSL_PARAM params[])
{
	return start(ctx, key, params, 1);
}

/* Sets both digests, so that nobody has to remember the defaults. */
static int
oaep_digests(struct cipher_ctx *c)
{
	if (c->md == NULL && (c->md = EVP_MD_fetch(NULL, "SHA1", NULL)) == NULL)
		return 0;
	if (c->mgf1_md == NULL && EVP_MD_up_ref(c->md))
		c->mgf1_md = c->md;
	return c->mgf1_md != NULL;
}

/* Gives software what c is set to. */
static int
configure(struct cipher_ctx *c, EVP_PKEY_CTX *software)
{
	unsigned char *label = NULL;

	if (EVP_PKEY_CTX_set_rsa_padding(software, c->padding) != 1)
		return 0;
	if (c->padding != RSA_PKCS1_OAEP_PADDING)
		return 1;
	if (!oaep_digests(c) ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(software, c->md) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(software, c->mgf1_md) != 1)
		return 0;
	if (c->label_len == 0)
		return 1;
	/* set0: the context owns the label when it took it. */
	label = OPENSSL_memdup(c->label, c->label_len);
	if (label != NULL &&
	    EVP_PKEY_CTX_set0_rsa_oaep_label(
		software, label, (int)c->label_len) == 1)
		return 1;
	OPENSSL_free(label);
	return 0;
}

static int
encrypt(void *ctx, unsigned char *out, size_t *out_len, size_t out_size,
    const unsigned char *in, size_t in_len)
{
	struct cipher_ctx *c = ctx;
	EVP_PKEY_CTX *p;
	int rc;

	*out_len = out_size;
	p = EVP_PKEY_CTX_new_from_pkey(NULL, c->key->pub, NULL);
	rc = p != NULL && EVP_PKEY_encrypt_init(p) == 1 && configure(c, p) &&
	    EVP_PKEY_encrypt(p, out, out_len, in, in_len) == 1;
	EVP_PKEY_CTX_free(p);
	return rc;
}

/* The whole encoded message in em, which has room for size bytes. */
static int
raw(struct cipher_ctx *c, unsigned char *em, size_t size,
    const unsigned char *in, size_t in_len)
{
	CK_MECHANISM mech = { CKM_RSA_X_509, NULL, 0 };
	size_t n = size;

	if (prov_do(c->key, P11_DECRYPT, &mech, in, in_len, em, &n,
		PROV_R_FAILED_TO_DECRYPT) != CKR_OK)
		return 0;
	/* Some modules give the number without its leading zero bytes. */
	if (n > size)
		return 0;
	memmove(em + size - n, em, n);
	memset(em, 0, size - n);
	return 1;
}

static int
oaep_on_token(struct cipher_ctx *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len, int *lacks)
{
	CK_RSA_PKCS_OAEP_PARAMS params;
	CK_MECHANISM mech = { CKM_RSA_PKCS_OAEP, &params, sizeof(params) };
	CK_MECHANISM_TYPE mgf1_hash;
	CK_RSA_PKCS_MGF_TYPE mgf;

	*lacks = 1;
	/*
	 * Two digests, or a label, end in CKR_GENERAL_ERROR on some tokens
	 * (SoftHSM, tpm2-pkcs11), and leave the operation open: not asked.
	 */
	if (atomic_load(&c->key->no_oaep) || c->label_len > 0 ||
	    !prov_rsa_hash(c->md, &params.hashAlg, &mgf) ||
	    !prov_rsa_hash(c->mgf1_md, &mgf1_hash, &params.mgf) ||
	    mgf1_hash != params.hashAlg)
		return 0;
	params.source = CKZ_DATA_SPECIFIED;
	params.pSourceData = NULL;
	params.ulSourceDataLen = 0;
	if (prov_try(c->key, P11_DECRYPT, &mech, in, in_len, out, out_len,
		PROV_R_FAILED_TO_DECRYPT, lacks) == CKR_OK)
		return 1;
	/* SHA-1 may still work where SHA-256 did not. */
	if (*lacks && params.hashAlg == CKM_SHA_1)
		atomic_store(&c->key->no_oaep, 1);
	return 0;
}

static int
decrypt_oaep(struct cipher_ctx *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len)
{
	unsigned char em[PROV_MAX_RSA];
	size_t size = (size_t)EVP_PKEY_get_size(c->key->pub), n = *out_len;
	int lacks, rc;

	if (!oaep_digests(c))
		return 0;
	if (oaep_on_token(c, out, &n, in, in_len, &lacks)) {
		*out_len = n;
		return 1;
	}
	if (!lacks)
		return 0;
	rc = raw(c, em, size, in, in_len) &&
	    prov_oaep_decode(em, size, c->md, c->mgf1_md, c->label,
		c->label_len, out, out_len);
	OPENSSL_cleanse(em, sizeof(em));
	return rc;
}

static int
decrypt(void *ctx, unsigned char *out, size_t *out_len, size_t out_size,
    const unsigned char *in, size_t in_len)
{
	CK_MECHANISM pkcs1 = { CKM_RSA_PKCS, NULL, 0 };
	struct cipher_ctx *c = ctx;
	unsigned char plain[PROV_MAX_RSA];
	size_t size = (size_t)EVP_PKEY_get_size(c->key->pub), n;
	int rc;

	if (out == NULL) {
		*out_len = size;
		return 1;
	}
	if (size > sizeof(plain) || in_len != size) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_INPUT_LENGTH);
		return 0;
	}
	n = sizeof(plain);
	if (c->padding == RSA_PKCS1_OAEP_PADDING)
		rc = decrypt_oaep(c, plain, &n, in, in_len);
	else
		rc = prov_do(c->key, P11_DECRYPT, &pkcs1, in, in_len, plain, &n,
			 PROV_R_FAILED_TO_DECRYPT) == CKR_OK;
	if (rc && n > out_size) {
		ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
		rc = 0;
	}
	if (rc) {
		memcpy(out, plain, n);
		*out_len = n;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

#define F(id, fn) OSSL_FUNC_ASYM_CIPHER_##id, (void (*)(void))(fn)

const OSSL_DISPATCH prov_cipher_rsa[] = {
	{ F(NEWCTX, ctx_new) },
	{ F(FREECTX, ctx_free) },
	{ F(DUPCTX, ctx_dup) },
	{ F(ENCRYPT_INIT, encrypt_init) },
	{ F(ENCRYPT, encrypt) },
	{ F(DECRYPT_INIT, decrypt_init) },
	{ F(DECRYPT, decrypt) },
	{ F(GET_CTX_PARAMS, get_params) },
	{ F(GETTABLE_CTX_PARAMS, gettable) },
	{ F(SET_CTX_PARAMS, set_params) },
	{ F(SETTABLE_CTX_PARAMS, settable) },
	{ 0, NULL },
};
