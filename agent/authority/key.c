/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys that nobody should have.
 */

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "ca.h"

#define MIN_RSA_BITS 2048      /* NIST SP 800-57 part 1, 112 bits */
#define MIN_RSA_EXPONENT 65537 /* FIPS 186-5 section A.1.1 */

static int
weak_rsa(EVP_PKEY *key, struct burin_error *e)
{
	BIGNUM *exponent = NULL;
	int bits = EVP_PKEY_get_bits(key), rc = -1;

	if (bits < MIN_RSA_BITS || bits > CA_MAX_RSA_BITS) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key-size",
		    "an RSA key of %d bits is refused; %d to %d are taken",
		    bits, MIN_RSA_BITS, CA_MAX_RSA_BITS);
		goto out;
	}
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent)) {
		(void)burin_fail_openssl(e, BURIN_EAUTHORITY,
		    "weak-key-exponent", "the RSA key has no public exponent");
		goto out;
	}
	if (!BN_is_odd(exponent) || BN_num_bits(exponent) < 17) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key-exponent",
		    "the RSA key's public exponent is even or below %d",
		    MIN_RSA_EXPONENT);
		(void)burin_error_rule(e, "FIPS 186-5 section A.1.1");
		goto out;
	}
	rc = 0;
out:
	BN_free(exponent);
	return rc;
}

int
policy_sound_key(EVP_PKEY *key, struct burin_error *e)
{
	return EVP_PKEY_is_a(key, "RSA") ? weak_rsa(key, e) : 0;
}
