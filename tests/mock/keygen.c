/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Key generation of the mock, in software (PKCS#11 2.40 section 5.13).
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "mock.h"

static EVP_PKEY *
make_rsa(const struct object *pub, CK_RV *rv)
{
	CK_ULONG bits = object_ulong(pub, CKA_MODULUS_BITS, 0);

	if (object_get(pub, CKA_MODULUS_BITS) == NULL)
		*rv = CKR_TEMPLATE_INCOMPLETE;
	else if (bits < 2048 || bits > 4096)
		*rv = CKR_KEY_SIZE_RANGE;
	else
		return EVP_PKEY_Q_keygen(mock_libctx, NULL, "RSA", bits);
	return NULL;
}

static EVP_PKEY *
make_ec(const struct object *pub, CK_RV *rv)
{
	const CK_ATTRIBUTE *params = object_get(pub, CKA_EC_PARAMS);
	const unsigned char *p;
	ASN1_OBJECT *oid;
	int nid;

	if (params == NULL) {
		*rv = CKR_TEMPLATE_INCOMPLETE;
		return NULL;
	}
	p = params->pValue;
	oid = d2i_ASN1_OBJECT(NULL, &p, (long)params->ulValueLen);
	nid = OBJ_obj2nid(oid);
	ASN1_OBJECT_free(oid);
	switch (nid) {
	case NID_X9_62_prime256v1:
	case NID_secp384r1:
	case NID_secp521r1:
		return EVP_PKEY_Q_keygen(
		    mock_libctx, NULL, "EC", OBJ_nid2sn(nid));
	default:
		*rv = CKR_ATTRIBUTE_VALUE_INVALID;
		return NULL;
	}
}

static int
set_number(EVP_PKEY *key, const char *name, struct object *pub,
    struct object *priv, CK_ATTRIBUTE_TYPE type)
{
	unsigned char buf[512];
	BIGNUM *n = NULL;
	int len, rc;

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1)
		return 0;
	len = BN_num_bytes(n);
	rc = len <= (int)sizeof(buf) && BN_bn2bin(n, buf) == len &&
	    object_set(pub, type, buf, (size_t)len) &&
	    object_set(priv, type, buf, (size_t)len);
	BN_free(n);
	return rc;
}

/* The public values; EC_POINT in DER as section 2.3.3 has it. */
static int
set_public(EVP_PKEY *key, struct object *pub, struct object *priv)
{
	const CK_ATTRIBUTE *params = object_get(pub, CKA_EC_PARAMS);
	ASN1_OCTET_STRING *os;
	unsigned char *point = NULL, *der = NULL;
	size_t n;
	int len, rc = 0;

	if (EVP_PKEY_is_a(key, "RSA"))
		return set_number(key, OSSL_PKEY_PARAM_RSA_N, pub, priv,
			   CKA_MODULUS) &&
		    set_number(key, OSSL_PKEY_PARAM_RSA_E, pub, priv,
			CKA_PUBLIC_EXPONENT);
	os = ASN1_OCTET_STRING_new();
	n = EVP_PKEY_get1_encoded_public_key(key, &point);
	if (os != NULL && n > 0 && ASN1_OCTET_STRING_set(os, point, (int)n) &&
	    (len = i2d_ASN1_OCTET_STRING(os, &der)) > 0)
		rc = object_set(pub, CKA_EC_POINT, der, (size_t)len) &&
		    object_set(priv, CKA_EC_PARAMS, params->pValue,
			params->ulValueLen);
	ASN1_OCTET_STRING_free(os);
	OPENSSL_free(point);
	OPENSSL_free(der);
	return rc;
}

static int
set_private(EVP_PKEY *key, struct object *priv)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int len = 0, rc;

	if (p8 != NULL)
		len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
	rc = len > 0 && object_set(priv, CKA_MOCK_PKCS8, der, (size_t)len);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return rc;
}

/* A default for what the template leaves open. */
static int
otherwise(struct object *o, CK_ATTRIBUTE_TYPE type, int value)
{
	return object_get(o, type) != NULL || object_set_bool(o, type, value);
}

static int
set_common(struct object *o, CK_OBJECT_CLASS cls, CK_KEY_TYPE kt,
    CK_MECHANISM_TYPE mech)
{
	return object_set_ulong(o, CKA_CLASS, cls) &&
	    object_set_ulong(o, CKA_KEY_TYPE, kt) &&
	    object_set_ulong(o, CKA_KEY_GEN_MECHANISM, mech) &&
	    object_set_bool(o, CKA_LOCAL, 1) && otherwise(o, CKA_TOKEN, 0) &&
	    otherwise(o, CKA_DERIVE, 0) &&
	    otherwise(o, CKA_PRIVATE, cls == CKO_PRIVATE_KEY) &&
	    (object_get(o, CKA_ID) != NULL || object_set(o, CKA_ID, "", 0)) &&
	    (object_get(o, CKA_LABEL) != NULL ||
		object_set(o, CKA_LABEL, "", 0));
}

static int
set_attributes(struct object *pub, struct object *priv, CK_MECHANISM_TYPE mech)
{
	CK_KEY_TYPE kt = mech == CKM_RSA_PKCS_KEY_PAIR_GEN ? CKK_RSA : CKK_EC;
	int keep = !object_bool(priv, CKA_EXTRACTABLE, 0);

	if (mock_conf->extractable)
		keep = 0;
	return set_common(pub, CKO_PUBLIC_KEY, kt, mech) &&
	    set_common(priv, CKO_PRIVATE_KEY, kt, mech) &&
	    otherwise(pub, CKA_VERIFY, 1) &&
	    otherwise(pub, CKA_ENCRYPT, kt == CKK_RSA) &&
	    otherwise(pub, CKA_WRAP, 0) && otherwise(priv, CKA_UNWRAP, 0) &&
	    otherwise(priv, CKA_SIGN, 1) &&
	    otherwise(priv, CKA_DECRYPT, kt == CKK_RSA) &&
	    otherwise(priv, CKA_SENSITIVE, 1) &&
	    otherwise(priv, CKA_ALWAYS_AUTHENTICATE, 0) &&
	    object_set_bool(priv, CKA_EXTRACTABLE, !keep) &&
	    object_set_bool(priv, CKA_NEVER_EXTRACTABLE, keep) &&
	    object_set_bool(priv, CKA_ALWAYS_SENSITIVE,
		object_bool(priv, CKA_SENSITIVE, 1));
}

static CK_RV
generate(struct session *s, CK_MECHANISM_TYPE mech, struct object *pub,
    struct object *priv)
{
	CK_RV rv;
	EVP_PKEY *key = NULL;

	if ((rv = family_may_generate(s, pub)) != CKR_OK)
		return rv;
	rv = CKR_FUNCTION_FAILED;
	switch (mech) {
	case CKM_RSA_PKCS_KEY_PAIR_GEN:
		key = make_rsa(pub, &rv);
		break;
	case CKM_EC_KEY_PAIR_GEN:
		key = make_ec(pub, &rv);
		break;
	default:
		return CKR_MECHANISM_INVALID;
	}
	if (key == NULL)
		return rv;
	rv = CKR_DEVICE_MEMORY;
	if (set_attributes(pub, priv, mech) && set_public(key, pub, priv) &&
	    set_private(key, priv) &&
	    (rv = object_may_write(s, pub)) == CKR_OK &&
	    (rv = object_may_write(s, priv)) == CKR_OK) {
		family_take_place(s->slot, pub);
		family_take_place(s->slot, priv);
		if (!store_save(s->slot, pub) || !store_save(s->slot, priv) ||
		    !family_generated(s->slot, pub, key))
			rv = CKR_DEVICE_MEMORY;
	}
	EVP_PKEY_free(key);
	return rv;
}

CK_RV
mock_GenerateKeyPair(CK_SESSION_HANDLE h, CK_MECHANISM *mech, CK_ATTRIBUTE *pub,
    CK_ULONG n_pub, CK_ATTRIBUTE *priv, CK_ULONG n_priv,
    CK_OBJECT_HANDLE *pub_out, CK_OBJECT_HANDLE *priv_out)
{
	struct session *s = session_of(h);
	struct object a, b;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	rv = CKR_ATTRIBUTE_VALUE_INVALID;
	if (object_fill(&a, pub, n_pub) && object_fill(&b, priv, n_priv))
		rv = generate(s, mech->mechanism, &a, &b);
	if (rv == CKR_OK) {
		*pub_out = a.handle;
		*priv_out = b.handle;
	}
	object_free(&a);
	object_free(&b);
	return rv;
}
