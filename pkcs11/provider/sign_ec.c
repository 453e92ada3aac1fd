/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * ECDSA: the token gives r and s side by side (PKCS#11 2.40 mechanisms
 * section 2.3.1), the world wants them in DER (RFC 3279 section 2.2.3).
 */

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/proverr.h>

#include "provider.h"

static int
encode(const unsigned char *rs, size_t half, unsigned char *sig, size_t *len)
{
	BIGNUM *r = BN_bin2bn(rs, (int)half, NULL);
	BIGNUM *s = BN_bin2bn(rs + half, (int)half, NULL);
	ECDSA_SIG *value = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int n, rc = 0;

	if (r == NULL || s == NULL || value == NULL ||
	    !ECDSA_SIG_set0(value, r, s))
		goto out;
	r = s = NULL;
	if ((n = i2d_ECDSA_SIG(value, &der)) <= 0)
		goto out;
	if ((size_t)n > *len) {
		ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
		goto out;
	}
	memcpy(sig, der, (size_t)n);
	*len = (size_t)n;
	rc = 1;
out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(value);
	OPENSSL_free(der);
	return rc;
}

static int
sign(struct sig_ctx *c, unsigned char *sig, size_t *len,
    const unsigned char *tbs, size_t tbs_len)
{
	CK_MECHANISM mech = { CKM_ECDSA, NULL, 0 };
	unsigned char rs[2 * PROV_MAX_COORDINATE];
	size_t order = (size_t)(EVP_PKEY_get_bits(c->key->pub) + 7) / 8;
	size_t n = 2 * order;

	if (order == 0 || n > sizeof(rs)) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_CURVE);
		return 0;
	}
	/*
	 * The leftmost bits of a digest longer than the order (FIPS 186-4
	 * section 6.4). Whole bytes: P-256 and P-384 have orders of whole
	 * bytes, and no digest is longer than P-521's. Cards want it short.
	 */
	if (tbs_len > order)
		tbs_len = order;
	if (prov_do(c->key, P11_SIGN, &mech, tbs, tbs_len, rs, &n,
		PROV_R_FAILED_TO_SIGN) != CKR_OK)
		return 0;
	if (n == 0 || n % 2 != 0 || n > 2 * order) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_INVALID_SIGNATURE_SIZE,
		    "the token gave an ECDSA signature of %zu bytes", n);
		return 0;
	}
	return encode(rs, n / 2, sig, len);
}

const struct sig_alg prov_alg_ecdsa = { sign, NULL, 0 };
