/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys of the provider: the public half in software, and for a token key a
 * pointer to it (provider-keymgmt(7)). The private half never leaves.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>

#include "provider.h"

static OSSL_FUNC_keymgmt_free_fn key_free;
static OSSL_FUNC_keymgmt_has_fn has;
static OSSL_FUNC_keymgmt_match_fn match;
static OSSL_FUNC_keymgmt_validate_fn validate;
static OSSL_FUNC_keymgmt_import_fn import;
static OSSL_FUNC_keymgmt_import_types_fn import_types;
static OSSL_FUNC_keymgmt_export_fn export;
static OSSL_FUNC_keymgmt_export_types_fn export_types;
static OSSL_FUNC_keymgmt_get_params_fn get_params;
static OSSL_FUNC_keymgmt_gettable_params_fn gettable;
static OSSL_FUNC_keymgmt_set_params_fn set_params;
static OSSL_FUNC_keymgmt_settable_params_fn settable;
static OSSL_FUNC_keymgmt_query_operation_name_fn ec_operation;
static OSSL_FUNC_keymgmt_new_fn new_rsa, new_ec, new_ed25519, new_ed448,
    new_x25519;

static void *
new_key(const char *type)
{
	struct prov_key *key;

	if ((key = OPENSSL_zalloc(sizeof(*key))) == NULL)
		return NULL;
	atomic_init(&key->refs, 1);
	atomic_init(&key->no_pss, 0);
	atomic_init(&key->no_oaep, 0);
	key->type = type;
	return key;
}

static void *
new_rsa(void *provctx)
{
	(void)provctx;
	return new_key("RSA");
}

static void *
new_ec(void *provctx)
{
	(void)provctx;
	return new_key("EC");
}

static void *
new_ed25519(void *provctx)
{
	(void)provctx;
	return new_key("ED25519");
}

static void *
new_ed448(void *provctx)
{
	(void)provctx;
	return new_key("ED448");
}

static void *
new_x25519(void *provctx)
{
	(void)provctx;
	return new_key("X25519");
}

struct prov_key *
prov_key_ref(struct prov_key *key)
{
	if (key != NULL)
		atomic_fetch_add(&key->refs, 1);
	return key;
}

void
prov_key_free(struct prov_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->refs, 1) > 1)
		return;
	EVP_PKEY_free(key->pub);
	OPENSSL_free(key);
}

int
prov_key_use(struct prov_key **held, struct prov_key *key, int private)
{
	if (key != NULL) {
		prov_key_free(*held);
		*held = prov_key_ref(key);
	}
	if (*held == NULL || (*held)->pub == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_NO_KEY_SET);
		return 0;
	}
	if (private && (*held)->k == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_NOT_A_PRIVATE_KEY);
		return 0;
	}
	return 1;
}

static void
key_free(void *key)
{
	prov_key_free(key);
}

static int
has(const void *keydata, int selection)
{
	const struct prov_key *key = keydata;

	if (key == NULL)
		return 0;
	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && key->k == NULL)
		return 0;
	return key->pub != NULL;
}

static int
match(const void *a, const void *b, int selection)
{
	const EVP_PKEY *x = ((const struct prov_key *)a)->pub;
	const EVP_PKEY *y = ((const struct prov_key *)b)->pub;

	if (x == NULL || y == NULL)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return EVP_PKEY_eq(x, y) == 1;
	return EVP_PKEY_parameters_eq(x, y) == 1;
}

/* A peer's key is checked here before its point goes to the token. */
static int
validate(const void *keydata, int selection, int checktype)
{
	const struct prov_key *key = keydata;
	EVP_PKEY_CTX *ctx;
	int rc;

	if (!has(key, selection))
		return 0;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pub, NULL);
	if (ctx == NULL)
		return 0;
	if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
		rc = EVP_PKEY_param_check(ctx);
	else if (checktype == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK)
		rc = EVP_PKEY_public_check_quick(ctx);
	else
		rc = EVP_PKEY_public_check(ctx);
	EVP_PKEY_CTX_free(ctx);
	return rc == 1;
}

/* From p11_provider_key: p is a struct burin_key of our process. */
static int
import_token_key(struct prov_key *key, const OSSL_PARAM *p)
{
	const void *ptr = NULL;
	size_t len = 0;
	struct burin_key *k;

	if (!OSSL_PARAM_get_octet_ptr(p, &ptr, &len) || ptr == NULL ||
	    len != sizeof(k))
		return 0;
	memcpy(&k, ptr, sizeof(k));
	if (key->pub != NULL || k->public_key == NULL ||
	    !EVP_PKEY_is_a(k->public_key, key->type) ||
	    !EVP_PKEY_up_ref(k->public_key)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_KEY);
		return 0;
	}
	key->pub = k->public_key;
	key->k = k;
	return 1;
}

/*
 * Peers and partners of a comparison come with every selection and perhaps
 * with their private key: the public part is taken and nothing else.
 */
static int
import(void *keydata, int selection, const OSSL_PARAM params[])
{
	struct prov_key *key = keydata;
	EVP_PKEY_CTX *ctx;
	const OSSL_PARAM *p;
	OSSL_PARAM *copy;
	int rc = 0;

	if (key == NULL)
		return 0;
	if ((p = OSSL_PARAM_locate_const(params, PROV_KEY_PARAM)) != NULL)
		return import_token_key(key, p);
	if (key->pub != NULL)
		return 0;
	selection = EVP_PKEY_KEY_PARAMETERS;
	if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY) != NULL ||
	    OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_N) != NULL)
		selection = EVP_PKEY_PUBLIC_KEY;
	copy = OSSL_PARAM_dup(params);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, key->type, NULL);
	if (copy != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key->pub, selection, copy) == 1)
		rc = 1;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(copy);
	return rc;
}

/*
 * The public part, so that encoders and comparisons find it. A private
 * selection is refused: then OpenSSL brings the operation to this provider.
 */
static int export(void *keydata, int selection, OSSL_CALLBACK *cb, void *arg)
{
	const struct prov_key *key = keydata;
	OSSL_PARAM *params = NULL;
	int want, rc;

	if (key == NULL || key->pub == NULL ||
	    (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	want = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0
	    ? EVP_PKEY_PUBLIC_KEY
	    : EVP_PKEY_KEY_PARAMETERS;
	rc = EVP_PKEY_todata(key->pub, want, &params) == 1 && cb(params, arg);
	OSSL_PARAM_free(params);
	return rc;
}

static const OSSL_PARAM transfer[] = {
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
	OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
	OSSL_PARAM_octet_ptr(PROV_KEY_PARAM, NULL, 0),
	OSSL_PARAM_END,
};

static const OSSL_PARAM *
import_types(int selection)
{
	(void)selection;
	return transfer;
}

static const OSSL_PARAM *
export_types(int selection)
{
	(void)selection;
	return transfer;
}

static int
get_params(void *keydata, OSSL_PARAM params[])
{
	const struct prov_key *key = keydata;

	return key != NULL && key->pub != NULL &&
	    EVP_PKEY_get_params(key->pub, params) == 1;
}

/* What the software keys answer that get_params asks. */
static const OSSL_PARAM *
gettable(void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_octet_string(
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provctx;
	return list;
}

/*
 * CMS key agreement copies our parameters into a new key and gives that one
 * the peer's point. The public half of a token key never changes; the token
 * key itself goes when burin_key_free says so.
 */
static int
set_params(void *keydata, const OSSL_PARAM params[])
{
	struct prov_key *key = keydata;
	OSSL_PARAM *copy;
	int rc;

	if (key == NULL || params == NULL)
		return key != NULL;
	if (OSSL_PARAM_locate_const(params, PROV_KEY_PARAM) != NULL) {
		key->k = NULL;
		return 1;
	}
	if (key->k != NULL || key->pub == NULL)
		return 0;
	if ((copy = OSSL_PARAM_dup(params)) == NULL)
		return 0;
	rc = EVP_PKEY_set_params(key->pub, copy) == 1;
	OSSL_PARAM_free(copy);
	return rc;
}

static const OSSL_PARAM *
settable(void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
		OSSL_PARAM_octet_ptr(PROV_KEY_PARAM, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provctx;
	return list;
}

/* The only type whose operations have other names than itself. */
static const char *
ec_operation(int operation)
{
	switch (operation) {
	case OSSL_OP_SIGNATURE:
		return "ECDSA";
	case OSSL_OP_KEYEXCH:
		return "ECDH";
	default:
		return "EC";
	}
}

#define F(id, fn) OSSL_FUNC_KEYMGMT_##id, (void (*)(void))(fn)

/* No DUP: a copy that outlives the token key cannot be told of its end. */
#define COMMON                                                                \
	{ F(FREE, key_free) }, { F(HAS, has) }, { F(MATCH, match) },          \
	    { F(VALIDATE, validate) }, { F(IMPORT, import) },                 \
	    { F(IMPORT_TYPES, import_types) }, { F(EXPORT, export) },         \
	    { F(EXPORT_TYPES, export_types) }, { F(GET_PARAMS, get_params) }, \
	    { F(GETTABLE_PARAMS, gettable) }, { F(SET_PARAMS, set_params) },  \
	{                                                                     \
		F(SETTABLE_PARAMS, settable)                                  \
	}

const OSSL_DISPATCH prov_keymgmt_rsa[] = { { F(NEW, new_rsa) }, COMMON,
	{ 0, NULL } };
const OSSL_DISPATCH prov_keymgmt_ec[] = { { F(NEW, new_ec) }, COMMON,
	{ F(QUERY_OPERATION_NAME, ec_operation) }, { 0, NULL } };
const OSSL_DISPATCH prov_keymgmt_ed25519[] = { { F(NEW, new_ed25519) }, COMMON,
	{ 0, NULL } };
const OSSL_DISPATCH prov_keymgmt_ed448[] = { { F(NEW, new_ed448) }, COMMON,
	{ 0, NULL } };
const OSSL_DISPATCH prov_keymgmt_x25519[] = { { F(NEW, new_x25519) }, COMMON,
	{ 0, NULL } };
