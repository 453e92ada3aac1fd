/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * AES key wrap: RFC 3394, its identifiers RFC 3565 section 2.3.2.
 */

#include <string.h>

#include "internal.h"

static const struct {
	const char *oid;
	size_t kek_len;
} wraps[] = {
	{ "2.16.840.1.101.3.4.1.5", 16 },
	{ "2.16.840.1.101.3.4.1.25", 24 },
	{ "2.16.840.1.101.3.4.1.45", 32 },
};

size_t
csr_wrap_kek_len(const X509_ALGOR *alg)
{
	size_t i;

	for (i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (csr_oid_is(alg->algorithm, wraps[i].oid))
			return csr_alg_bare(alg) ? wraps[i].kek_len : 0;
	}
	return 0;
}

int
csr_wrap_set_alg(X509_ALGOR *alg, size_t kek_len)
{
	size_t i;

	for (i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (wraps[i].kek_len == kek_len)
			return csr_alg_set(
			    alg, wraps[i].oid, V_ASN1_UNDEF, NULL);
	}
	return 0;
}

static const EVP_CIPHER *
cipher_of(size_t kek_len)
{
	return kek_len == 32 ? EVP_aes_256_wrap()
	    : kek_len == 24  ? EVP_aes_192_wrap()
			     : EVP_aes_128_wrap();
}

static int
run(const unsigned char *kek, size_t kek_len, const unsigned char *in,
    size_t in_len, unsigned char *out, size_t *out_len, int enc)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, ok = 0;

	if (ctx != NULL) {
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		ok = EVP_CipherInit_ex2(
			 ctx, cipher_of(kek_len), kek, NULL, enc, NULL) == 1 &&
		    EVP_CipherUpdate(ctx, out, &n, in, (int)in_len) == 1 &&
		    n > 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	*out_len = ok ? (size_t)n : 0;
	return ok;
}

int
csr_wrap(const unsigned char *kek, size_t kek_len, const unsigned char *in,
    size_t in_len, unsigned char *out, size_t *out_len)
{
	return run(kek, kek_len, in, in_len, out, out_len, 1);
}

int
csr_unwrap(const unsigned char *kek, size_t kek_len, const unsigned char *in,
    size_t in_len, unsigned char *out, size_t *out_len)
{
	*out_len = 0;
	/* RFC 3394 section 2.2: at least two blocks beside the check. */
	if (in_len < 24 || in_len % 8 != 0 || in_len > CSR_CMS_MAX_WRAPPED)
		return 0;
	return run(kek, kek_len, in, in_len, out, out_len, 0);
}
