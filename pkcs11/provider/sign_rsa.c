/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RSA signatures (RFC 8017 section 8; PKCS#11 2.40 mechanisms section 2.1):
 * PKCS#1 v1.5 with our DigestInfo, PSS on the token, or PSS padding in
 * software over raw RSA where the token lacks the mechanism.
 */

#include <openssl/err.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "provider.h"

/* DER of RFC 8017 appendix A.2.4; NULL for a digest without an OID. */
static unsigned char *
digest_info(const EVP_MD *md, const unsigned char *digest, size_t len, int *n)
{
	ASN1_OCTET_STRING *value;
	X509_ALGOR *alg;
	X509_SIG *info;
	ASN1_OBJECT *oid = OBJ_nid2obj(EVP_MD_get_type(md));
	unsigned char *der = NULL;

	if (oid == NULL || OBJ_length(oid) == 0) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_DIGEST);
		return NULL;
	}
	if ((info = X509_SIG_new()) == NULL)
		return NULL;
	X509_SIG_getm(info, &alg, &value);
	if (!X509_ALGOR_set0(alg, oid, V_ASN1_NULL, NULL) ||
	    !ASN1_OCTET_STRING_set(value, digest, (int)len) ||
	    (*n = i2d_X509_SIG(info, &der)) <= 0)
		der = NULL;
	X509_SIG_free(info);
	return der;
}

static int
sign_pkcs1(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS, NULL, 0 };
	unsigned char *der = NULL;
	int n = 0, rc;

	if (c->md == NULL)
		return prov_do(c->key, P11_SIGN, &mech, tbs, tbs_len, sig, len,
			   PROV_R_FAILED_TO_SIGN) == CKR_OK;
	if ((der = digest_info(c->md, tbs, tbs_len, &n)) == NULL)
		return 0;
	rc = prov_do(c->key, P11_SIGN, &mech, der, (size_t)n, sig, len,
		 PROV_R_FAILED_TO_SIGN) == CKR_OK;
	OPENSSL_free(der);
	return rc;
}

static int
salt_length(const struct sig_ctx *c, size_t *salt)
{
	int digest = EVP_MD_get_size(c->md);
	int max = (EVP_PKEY_get_bits(c->key->pub) + 6) / 8 - digest - 2;
	int n = c->saltlen;

	if (n == RSA_PSS_SALTLEN_DIGEST)
		n = digest;
	else if (n == RSA_PSS_SALTLEN_MAX || n == RSA_PSS_SALTLEN_AUTO)
		n = max;
	if (digest <= 0 || n < 0 || n > max) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_SALT_LENGTH);
		return 0;
	}
	*salt = (size_t)n;
	return 1;
}

/* The padding made here, the power on the token. */
static int
sign_pss_raw(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len, size_t salt)
{
	CK_MECHANISM mech = { CKM_RSA_X_509, NULL, 0 };
	unsigned char em[PROV_MAX_RSA];
	size_t size = (size_t)EVP_PKEY_get_size(c->key->pub);

	if (size > sizeof(em)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_UNSUPPORTED_KEY_SIZE);
		return 0;
	}
	return prov_pss_encode(em, size, EVP_PKEY_get_bits(c->key->pub), tbs,
		   tbs_len, c->md, c->mgf1_md != NULL ? c->mgf1_md : c->md,
		   salt) &&
	    prov_do(c->key, P11_SIGN, &mech, em, size, sig, len,
		PROV_R_FAILED_TO_SIGN) == CKR_OK;
}

static int
sign_pss(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len)
{
	const EVP_MD *mgf1 = c->mgf1_md != NULL ? c->mgf1_md : c->md;
	CK_RSA_PKCS_PSS_PARAMS params;
	CK_MECHANISM mech = { CKM_RSA_PKCS_PSS, &params, sizeof(params) };
	CK_MECHANISM_TYPE unused;
	CK_RSA_PKCS_MGF_TYPE mgf;
	size_t salt, room = *len;
	int lacks = 1;

	if (c->md == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_MESSAGE_DIGEST);
		return 0;
	}
	if (!salt_length(c, &salt))
		return 0;
	if (!atomic_load(&c->key->no_pss) &&
	    prov_rsa_hash(c->md, &params.hashAlg, &mgf) &&
	    prov_rsa_hash(mgf1, &unused, &params.mgf)) {
		params.sLen = salt;
		if (prov_try(c->key, P11_SIGN, &mech, tbs, tbs_len, sig, len,
			PROV_R_FAILED_TO_SIGN, &lacks) == CKR_OK)
			return 1;
		if (!lacks)
			return 0;
		/* Other parameters may do: a TPM knows one salt length. */
		if (params.mgf == mgf && salt == tbs_len)
			atomic_store(&c->key->no_pss, 1);
	}
	*len = room;
	return sign_pss_raw(c, sig, len, tbs, tbs_len, salt);
}

static int
sign(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len)
{
	size_t size = (size_t)EVP_PKEY_get_size(c->key->pub);

	if (*len < size) {
		ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
		return 0;
	}
	*len = size;
	if (!(c->padding == RSA_PKCS1_PSS_PADDING
		    ? sign_pss(c, sig, len, tbs, tbs_len)
		    : sign_pkcs1(c, sig, len, tbs, tbs_len)))
		return 0;
	if (*len == size)
		return 1;
	ERR_raise_data(ERR_LIB_PROV, PROV_R_INVALID_SIGNATURE_SIZE,
	    "the token gave %zu bytes for a modulus of %zu", *len, size);
	return 0;
}

static int
configure(const struct sig_ctx *c, EVP_PKEY_CTX *software)
{
	if (EVP_PKEY_CTX_set_rsa_padding(software, c->padding) != 1)
		return 0;
	if (c->padding != RSA_PKCS1_PSS_PADDING)
		return 1;
	return EVP_PKEY_CTX_set_rsa_pss_saltlen(software, c->saltlen) == 1 &&
	    (c->mgf1_md == NULL ||
		EVP_PKEY_CTX_set_rsa_mgf1_md(software, c->mgf1_md) == 1);
}

const struct sig_alg prov_alg_rsa = { sign, configure, 0 };
