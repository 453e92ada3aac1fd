/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Private operations of the mock, in software (PKCS#11 2.40 sections 5.9,
 * 5.11 and 5.13). An operation that fails ends; keys with
 * CKA_ALWAYS_AUTHENTICATE want the PIN between Init and the operation.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "mock.h"

static EVP_PKEY *
key_of(const struct object *o)
{
	const CK_ATTRIBUTE *a = object_get(o, CKA_MOCK_PKCS8);
	const unsigned char *p;

	if (a == NULL)
		return NULL;
	p = a->pValue;
	return d2i_AutoPrivateKey_ex(
	    NULL, &p, (long)a->ulValueLen, mock_libctx, NULL);
}

/* Keeps the mechanism's parameter when it is one we know. */
static CK_RV
keep_mechanism(struct session *s, const CK_MECHANISM *mech, int sign)
{
	s->mech.mechanism = mech->mechanism;
	switch (mech->mechanism) {
	case CKM_RSA_PKCS:
	case CKM_RSA_X_509:
		return CKR_OK;
	case CKM_ECDSA:
		return sign ? CKR_OK : CKR_MECHANISM_INVALID;
	case CKM_RSA_PKCS_PSS:
		if (!sign)
			return CKR_MECHANISM_INVALID;
		if (mech->ulParameterLen != sizeof(s->params.pss))
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(&s->params.pss, mech->pParameter, sizeof(s->params.pss));
		return CKR_OK;
	case CKM_RSA_PKCS_OAEP:
		if (sign)
			return CKR_MECHANISM_INVALID;
		if (mech->ulParameterLen != sizeof(s->params.oaep))
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(
		    &s->params.oaep, mech->pParameter, sizeof(s->params.oaep));
		return s->params.oaep.ulSourceDataLen == 0
		    ? CKR_OK
		    : CKR_MECHANISM_PARAM_INVALID;
	default:
		return CKR_MECHANISM_INVALID;
	}
}

static CK_RV
start(CK_SESSION_HANDLE h, const CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
    int sign)
{
	struct session *s = session_of(h);
	struct object o;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (s->op != IDLE)
		return CKR_OPERATION_ACTIVE;
	if (object_find(s, key, &o) != CKR_OK)
		return session_user(s->slot) == USER ? CKR_KEY_HANDLE_INVALID
						     : CKR_USER_NOT_LOGGED_IN;
	rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (object_bool(&o, sign ? CKA_SIGN : CKA_DECRYPT, 0))
		rv = keep_mechanism(s, mech, sign);
	if (rv == CKR_OK &&
	    (object_ulong(&o, CKA_KEY_TYPE, 0) == CKK_EC) !=
		(mech->mechanism == CKM_ECDSA))
		rv = CKR_KEY_TYPE_INCONSISTENT;
	if (rv == CKR_OK) {
		s->op = sign ? SIGNING : DECRYPTING;
		s->key = key;
		s->confirmed = 0;
		s->always = object_bool(&o, CKA_ALWAYS_AUTHENTICATE, 0);
	}
	object_free(&o);
	return rv;
}

CK_RV
mock_SignInit(CK_SESSION_HANDLE h, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return start(h, mech, key, 1);
}

CK_RV
mock_DecryptInit(CK_SESSION_HANDLE h, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return start(h, mech, key, 0);
}

static const char *
digest_of(CK_MECHANISM_TYPE type)
{
	switch (type) {
	case CKM_SHA_1:
		return "SHA1";
	case CKM_SHA256:
		return "SHA256";
	case CKM_SHA384:
		return "SHA384";
	case CKM_SHA512:
		return "SHA512";
	default:
		return NULL;
	}
}

static const char *
mgf_of(CK_RSA_PKCS_MGF_TYPE mgf)
{
	switch (mgf) {
	case CKG_MGF1_SHA1:
		return "SHA1";
	case CKG_MGF1_SHA256:
		return "SHA256";
	case CKG_MGF1_SHA384:
		return "SHA384";
	case CKG_MGF1_SHA512:
		return "SHA512";
	default:
		return NULL;
	}
}

static int
set_pss(EVP_PKEY_CTX *p, const CK_RSA_PKCS_PSS_PARAMS *pss)
{
	const char *md = digest_of(pss->hashAlg), *mgf = mgf_of(pss->mgf);
	EVP_MD *hash = NULL;
	int rc;

	if (md == NULL || mgf == NULL ||
	    (hash = EVP_MD_fetch(mock_libctx, md, NULL)) == NULL)
		return 0;
	rc = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(p, hash) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(p, mgf, NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(p, (int)pss->sLen) == 1;
	EVP_MD_free(hash);
	return rc;
}

static int
set_oaep(EVP_PKEY_CTX *p, const CK_RSA_PKCS_OAEP_PARAMS *oaep)
{
	const char *md = digest_of(oaep->hashAlg), *mgf = mgf_of(oaep->mgf);

	return md != NULL && mgf != NULL &&
	    EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(p, md, NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(p, mgf, NULL) == 1;
}

static int
set_mechanism(EVP_PKEY_CTX *p, const struct session *s)
{
	switch (s->mech.mechanism) {
	case CKM_RSA_PKCS:
		return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PADDING) == 1;
	case CKM_RSA_X_509:
		return EVP_PKEY_CTX_set_rsa_padding(p, RSA_NO_PADDING) == 1;
	case CKM_RSA_PKCS_PSS:
		return set_pss(p, &s->params.pss);
	case CKM_RSA_PKCS_OAEP:
		return set_oaep(p, &s->params.oaep);
	default:
		return 1;
	}
}

/* r and s side by side instead of in DER. */
static int
raw_ecdsa(EVP_PKEY *key, unsigned char *sig, size_t *n)
{
	const unsigned char *p = sig;
	ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &p, (long)*n);
	int half = (EVP_PKEY_get_bits(key) + 7) / 8, rc;

	rc = value != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(value), sig, half) == half &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(value), sig + half, half) == half;
	ECDSA_SIG_free(value);
	*n = (size_t)half * 2;
	return rc;
}

static int
compute(const struct session *s, EVP_PKEY *key, const unsigned char *in,
    size_t in_len, unsigned char *out, size_t *n)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(mock_libctx, key, NULL);
	int rc = 0;

	if (p == NULL)
		return 0;
	if (s->op == SIGNING)
		rc = EVP_PKEY_sign_init(p) == 1 && set_mechanism(p, s) &&
		    EVP_PKEY_sign(p, out, n, in, in_len) == 1 &&
		    (s->mech.mechanism != CKM_ECDSA || raw_ecdsa(key, out, n));
	else
		rc = EVP_PKEY_decrypt_init(p) == 1 && set_mechanism(p, s) &&
		    EVP_PKEY_decrypt(p, out, n, in, in_len) == 1;
	EVP_PKEY_CTX_free(p);
	return rc;
}

/* out NULL, or too small: the length, and the operation goes on. */
static CK_RV
finish(struct session *s, const unsigned char *in, CK_ULONG in_len,
    unsigned char *out, CK_ULONG *out_len)
{
	unsigned char buf[1024];
	size_t n = sizeof(buf), room;
	EVP_PKEY *key = NULL;
	struct object o;
	CK_RV rv;

	if ((rv = object_find(s, s->key, &o)) != CKR_OK)
		return rv;
	key = key_of(&o);
	object_free(&o);
	if (key == NULL)
		return CKR_DEVICE_ERROR;
	room = s->mech.mechanism == CKM_ECDSA
	    ? (size_t)(EVP_PKEY_get_bits(key) + 7) / 8 * 2
	    : (size_t)EVP_PKEY_get_size(key);
	if (out == NULL) {
		*out_len = room;
	} else if (s->always && !s->confirmed) {
		rv = CKR_USER_NOT_LOGGED_IN;
	} else if (!compute(s, key, in, in_len, buf, &n)) {
		rv = s->op == SIGNING ? CKR_DATA_LEN_RANGE
				      : CKR_ENCRYPTED_DATA_INVALID;
	} else if (n > *out_len) {
		*out_len = n;
		rv = CKR_BUFFER_TOO_SMALL;
	} else {
		memcpy(out, buf, n);
		*out_len = n;
	}
	OPENSSL_cleanse(buf, sizeof(buf));
	EVP_PKEY_free(key);
	if (rv != CKR_BUFFER_TOO_SMALL && (rv != CKR_OK || out != NULL))
		session_end_operation(s);
	return rv;
}

CK_RV
mock_Sign(CK_SESSION_HANDLE h, unsigned char *in, CK_ULONG in_len,
    unsigned char *out, CK_ULONG *out_len)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (s->op != SIGNING)
		return CKR_OPERATION_NOT_INITIALIZED;
	return finish(s, in, in_len, out, out_len);
}

CK_RV
mock_Decrypt(CK_SESSION_HANDLE h, unsigned char *in, CK_ULONG in_len,
    unsigned char *out, CK_ULONG *out_len)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (s->op != DECRYPTING)
		return CKR_OPERATION_NOT_INITIALIZED;
	return finish(s, in, in_len, out, out_len);
}

static int
agree(EVP_PKEY *key, const CK_ECDH1_DERIVE_PARAMS *params, unsigned char *out,
    size_t *n)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(mock_libctx, key, NULL);
	EVP_PKEY *peer = EVP_PKEY_new();
	int rc;

	rc = p != NULL && peer != NULL &&
	    EVP_PKEY_copy_parameters(peer, key) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(
		peer, params->pPublicData, params->ulPublicDataLen) == 1 &&
	    EVP_PKEY_derive_init(p) == 1 &&
	    EVP_PKEY_derive_set_peer(p, peer) == 1 &&
	    EVP_PKEY_derive(p, out, n) == 1;
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(p);
	return rc;
}

CK_RV
mock_DeriveKey(CK_SESSION_HANDLE h, CK_MECHANISM *mech, CK_OBJECT_HANDLE base,
    CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
	struct session *s = session_of(h);
	unsigned char secret[66];
	size_t len = sizeof(secret);
	struct object o, result;
	EVP_PKEY *key;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (mech->mechanism != CKM_ECDH1_DERIVE)
		return CKR_MECHANISM_INVALID;
	if ((rv = object_find(s, base, &o)) != CKR_OK)
		return rv;
	memset(&result, 0, sizeof(result));
	key = key_of(&o);
	if (!object_bool(&o, CKA_DERIVE, 0))
		rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	else if (key == NULL ||
	    mech->ulParameterLen != sizeof(CK_ECDH1_DERIVE_PARAMS) ||
	    !agree(key, mech->pParameter, secret, &len))
		rv = CKR_MECHANISM_PARAM_INVALID;
	else if (!object_fill(&result, a, n) ||
	    !object_set(&result, CKA_VALUE, secret, len) ||
	    !object_set_bool(&result, CKA_TOKEN, 0) ||
	    !store_save(s->slot, &result))
		rv = CKR_DEVICE_MEMORY;
	else
		*out = result.handle;
	OPENSSL_cleanse(secret, sizeof(secret));
	object_free(&result);
	object_free(&o);
	EVP_PKEY_free(key);
	return rv;
}
