/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Token keys as EVP_PKEY: an OpenSSL provider in our own process and in a
 * library context of its own, so that no other key of the process meets it
 * (provider(7)). Private operations go to p11_do.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/proverr.h>

#include "provider.h"

struct p11_provider {
	OSSL_LIB_CTX *libctx;
	OSSL_PROVIDER *dflt, *own;
};

static OSSL_FUNC_provider_query_operation_fn query;

static const OSSL_ALGORITHM *
query(void *provctx, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keymgmt[] = {
		{ "RSA:rsaEncryption", PROV_QUERY, prov_keymgmt_rsa, NULL },
		{ "EC:id-ecPublicKey", PROV_QUERY, prov_keymgmt_ec, NULL },
		{ "ED25519", PROV_QUERY, prov_keymgmt_ed25519, NULL },
		{ "ED448", PROV_QUERY, prov_keymgmt_ed448, NULL },
		{ "X25519", PROV_QUERY, prov_keymgmt_x25519, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	static const OSSL_ALGORITHM signature[] = {
		{ "RSA:rsaEncryption", PROV_QUERY, prov_sig_rsa, NULL },
		{ "ECDSA", PROV_QUERY, prov_sig_ecdsa, NULL },
		{ "ED25519", PROV_QUERY, prov_sig_eddsa, NULL },
		{ "ED448", PROV_QUERY, prov_sig_eddsa, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	static const OSSL_ALGORITHM cipher[] = {
		{ "RSA:rsaEncryption", PROV_QUERY, prov_cipher_rsa, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	static const OSSL_ALGORITHM exchange[] = {
		{ "ECDH", PROV_QUERY, prov_exchange, NULL },
		{ "X25519", PROV_QUERY, prov_exchange, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	(void)provctx;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keymgmt;
	case OSSL_OP_SIGNATURE:
		return signature;
	case OSSL_OP_ASYM_CIPHER:
		return cipher;
	case OSSL_OP_KEYEXCH:
		return exchange;
	default:
		return NULL;
	}
}

static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provctx)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ 0, NULL },
	};

	(void)handle;
	(void)in;
	*out = functions;
	*provctx = NULL;
	return 1;
}

static void
provider_free(struct p11_provider *p)
{
	if (p == NULL)
		return;
	if (p->own != NULL)
		(void)OSSL_PROVIDER_unload(p->own);
	if (p->dflt != NULL)
		(void)OSSL_PROVIDER_unload(p->dflt);
	OSSL_LIB_CTX_free(p->libctx);
	OPENSSL_free(p);
}

static struct p11_provider *
provider_new(void)
{
	struct p11_provider *p;

	if ((p = OPENSSL_zalloc(sizeof(*p))) == NULL)
		return NULL;
	/*
	 * "default" first: with ours first, OpenSSL 3.0 picks our keymgmt
	 * for a plain key generation in this context, and fails.
	 */
	if ((p->libctx = OSSL_LIB_CTX_new()) == NULL ||
	    (p->dflt = OSSL_PROVIDER_load(p->libctx, "default")) == NULL ||
	    !OSSL_PROVIDER_add_builtin(p->libctx, PROV_NAME, init) ||
	    (p->own = OSSL_PROVIDER_load(p->libctx, PROV_NAME)) == NULL) {
		provider_free(p);
		return NULL;
	}
	return p;
}

/* Keys of two modules can ask for the first time in two threads. */
static struct p11_provider *
provider_get(struct p11_provider *_Atomic *where)
{
	struct p11_provider *p = atomic_load(where), *none = NULL;

	if (p != NULL || (p = provider_new()) == NULL)
		return p;
	if (atomic_compare_exchange_strong(where, &none, p))
		return p;
	provider_free(p);
	return none;
}

EVP_PKEY *
p11_provider_key(struct burin_key *k, struct burin_error *e)
{
	void *ptr = &k;
	OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_ptr(
				    PROV_KEY_PARAM, &ptr, sizeof(k)),
		OSSL_PARAM_construct_end() };
	struct p11_provider *p;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	const char *type = NULL;

	ERR_clear_error();
	if (k->public_key != NULL)
		type = EVP_PKEY_get0_type_name(k->public_key);
	if (type != NULL && (p = provider_get(p11_key_provider(k))) != NULL)
		ctx = EVP_PKEY_CTX_new_from_name(p->libctx, type, PROV_QUERY);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
		pkey = NULL;
		burin_fail_openssl(e, BURIN_EINTERNAL, "key-unusable",
		    "the token's key (%s) cannot be given to OpenSSL",
		    type != NULL ? type : "without a public key");
		if (k->t != NULL)
			burin_error_token(e, "%s", burin_token_name(k->t));
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

void
p11_provider_forget(struct burin_key *k)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_ptr(
				    PROV_KEY_PARAM, NULL, 0),
		OSSL_PARAM_construct_end() };

	if (k->evp == NULL)
		return;
	(void)EVP_PKEY_set_params(k->evp, params);
	EVP_PKEY_free(k->evp);
	k->evp = NULL;
}

void
p11_provider_free(struct p11_provider *_Atomic *provider)
{
	provider_free(atomic_exchange(provider, NULL));
}

EVP_PKEY *
burin_key_evp(struct burin_key *k, struct burin_error *e)
{
	p11_key_lock(k);
	if (k->evp == NULL)
		k->evp = p11_provider_key(k, e);
	p11_key_unlock(k);
	return k->evp;
}

int
burin_key_last_error(struct burin_key *k, struct burin_error *e)
{
	char reason[sizeof(e->reason)] = "";
	int rc = 0;

	p11_key_lock(k);
	if (k->last.status != BURIN_OK) {
		rc = -1;
		if (e != NULL) {
			if (e->status != BURIN_OK)
				memcpy(reason, e->reason, sizeof(reason));
			*e = k->last;
			if (reason[0] != '\0')
				burin_error_cause(e, "%s", reason);
		}
	}
	p11_key_unlock(k);
	return rc;
}

/* The lock keeps k->last ours until it is read. */
CK_RV
prov_try(struct prov_key *key, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len,
    int reason, int *lacks)
{
	struct burin_key *k = key->k;
	CK_RV rv;

	if (k == NULL) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_NOT_A_PRIVATE_KEY,
		    "the token key was freed, or this is a public key");
		return CKR_KEY_HANDLE_INVALID;
	}
	p11_key_lock(k);
	rv = p11_do(k, op, mech, in, in_len, out, out_len);
	if (lacks != NULL)
		*lacks = rv == CKR_MECHANISM_INVALID ||
		    rv == CKR_MECHANISM_PARAM_INVALID ||
		    rv == CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		burin_error_clear(&k->last);
	else if (lacks == NULL || !*lacks)
		ERR_raise_data(ERR_LIB_PROV, reason, "%s: %s", p11_ckr_name(rv),
		    k->last.reason);
	p11_key_unlock(k);
	return rv;
}

CK_RV
prov_do(struct prov_key *key, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len,
    int reason)
{
	return prov_try(key, op, mech, in, in_len, out, out_len, reason, NULL);
}
