/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Ed25519 and Ed448 (RFC 8032): the token gets the message itself
 * (PKCS#11 3.0 section 2.3.14).
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/proverr.h>

#include "provider.h"

/* CK_EDDSA_PARAMS of PKCS#11 3.0 section 2.3.14. */
struct eddsa_params {
	CK_BBOOL prehash;
	CK_ULONG context_len;
	CK_BYTE *context;
};

static int
sign(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len)
{
	struct eddsa_params pure = { CK_FALSE, 0, NULL };
	CK_MECHANISM mech = { CKM_EDDSA, NULL, 0 };
	size_t size = (size_t)EVP_PKEY_get_size(c->key->pub);

	if (*len < size) {
		ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
		return 0;
	}
	/* Ed25519 without parameter is pure; Ed448 must say so. */
	if (strcmp(c->key->type, "ED448") == 0) {
		mech.pParameter = &pure;
		mech.ulParameterLen = sizeof(pure);
	}
	*len = size;
	if (prov_do(c->key, P11_SIGN, &mech, tbs, tbs_len, sig, len,
		PROV_R_FAILED_TO_SIGN) != CKR_OK)
		return 0;
	if (*len == size)
		return 1;
	ERR_raise_data(ERR_LIB_PROV, PROV_R_INVALID_SIGNATURE_SIZE,
	    "the token gave an EdDSA signature of %zu bytes, not %zu", *len,
	    size);
	return 0;
}

const struct sig_alg prov_alg_eddsa = { sign, NULL, 1 };
