/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PSS and OAEP padding (RFC 8017) for tokens that only know the raw power.
 * OpenSSL has both, but only behind its deprecated RSA type.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/proverr.h>
#include <openssl/rand.h>

#include "provider.h"

int
prov_rsa_hash(
    const EVP_MD *md, CK_MECHANISM_TYPE *hash, CK_RSA_PKCS_MGF_TYPE *mgf)
{
	static const struct {
		int nid;
		CK_MECHANISM_TYPE hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
	} known[] = {
		{ NID_sha1, CKM_SHA_1, CKG_MGF1_SHA1 },
		{ NID_sha224, CKM_SHA224, CKG_MGF1_SHA224 },
		{ NID_sha256, CKM_SHA256, CKG_MGF1_SHA256 },
		{ NID_sha384, CKM_SHA384, CKG_MGF1_SHA384 },
		{ NID_sha512, CKM_SHA512, CKG_MGF1_SHA512 },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (EVP_MD_get_type(md) == known[i].nid) {
			*hash = known[i].hash;
			*mgf = known[i].mgf;
			return 1;
		}
	return 0;
}

/* buf ^= MGF1(seed), RFC 8017 appendix B.2.1. */
static int
mgf1_xor(unsigned char *buf, size_t len, const unsigned char *seed,
    size_t seed_len, const EVP_MD *md)
{
	unsigned char mask[EVP_MAX_MD_SIZE], count[4];
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	size_t at, i;
	unsigned n = 0;
	unsigned long round;
	int rc = 0;

	for (at = 0, round = 0; at < len; at += n, round++) {
		count[0] = (unsigned char)(round >> 24);
		count[1] = (unsigned char)(round >> 16);
		count[2] = (unsigned char)(round >> 8);
		count[3] = (unsigned char)round;
		if (m == NULL || !EVP_DigestInit_ex2(m, md, NULL) ||
		    !EVP_DigestUpdate(m, seed, seed_len) ||
		    !EVP_DigestUpdate(m, count, sizeof(count)) ||
		    !EVP_DigestFinal_ex(m, mask, &n) || n == 0)
			goto out;
		for (i = 0; i < n && at + i < len; i++)
			buf[at + i] ^= mask[i];
	}
	rc = 1;
out:
	OPENSSL_cleanse(mask, sizeof(mask));
	EVP_MD_CTX_free(m);
	return rc;
}

/* Hash(eight zero bytes, digest, salt), section 9.1.1 steps 5 and 6. */
static int
pss_hash(unsigned char *h, const unsigned char *digest, size_t digest_len,
    const unsigned char *salt, size_t salt_len, const EVP_MD *md)
{
	static const unsigned char zero[8];
	EVP_MD_CTX *m;
	int rc;

	if ((m = EVP_MD_CTX_new()) == NULL)
		return 0;
	rc = EVP_DigestInit_ex2(m, md, NULL) &&
	    EVP_DigestUpdate(m, zero, sizeof(zero)) &&
	    EVP_DigestUpdate(m, digest, digest_len) &&
	    EVP_DigestUpdate(m, salt, salt_len) &&
	    EVP_DigestFinal_ex(m, h, NULL);
	EVP_MD_CTX_free(m);
	return rc;
}

int
prov_pss_encode(unsigned char *em, size_t em_len, int bits,
    const unsigned char *digest, size_t digest_len, const EVP_MD *md,
    const EVP_MD *mgf1_md, size_t salt_len)
{
	size_t h_len = (size_t)EVP_MD_get_size(md), db_len;
	int top = (bits - 1) % 8; /* bits in use of the first byte, 0: all */
	unsigned char *salt, *h;

	memset(em, 0, em_len);
	if (top == 0) {
		/* A modulus of 8n + 1 bits: its first byte stays zero. */
		em++;
		em_len--;
	}
	if (digest_len != h_len || em_len < h_len + 2 ||
	    em_len - h_len - 2 < salt_len) {
		ERR_raise(ERR_LIB_PROV, PROV_R_KEY_SIZE_TOO_SMALL);
		return 0;
	}
	db_len = em_len - h_len - 1;
	h = em + db_len;
	salt = h - salt_len;
	salt[-1] = 1;
	if (salt_len > 0 && RAND_bytes(salt, (int)salt_len) != 1)
		return 0;
	if (!pss_hash(h, digest, digest_len, salt, salt_len, md) ||
	    !mgf1_xor(em, db_len, h, h_len, mgf1_md))
		return 0;
	if (top != 0)
		em[0] &= (unsigned char)(0xff >> (8 - top));
	em[em_len - 1] = 0xbc;
	return 1;
}

/* All ones when a equals b, else zero, without a branch. */
static size_t
equal(size_t a, size_t b)
{
	size_t x = a ^ b;

	return (size_t)0 - (((x - 1) & ~x) >> (8 * sizeof(x) - 1));
}

int
prov_oaep_decode(unsigned char *em, size_t em_len, const EVP_MD *md,
    const EVP_MD *mgf1_md, const unsigned char *label, size_t label_len,
    unsigned char *out, size_t *out_len)
{
	unsigned char label_hash[EVP_MAX_MD_SIZE];
	size_t h_len = (size_t)EVP_MD_get_size(md), db_len, i, one, zero;
	size_t found = 0, bad, start = 0;
	unsigned char *seed, *db;

	if (em_len < 2 * h_len + 2) {
		ERR_raise(ERR_LIB_PROV, PROV_R_KEY_SIZE_TOO_SMALL);
		return 0;
	}
	seed = em + 1;
	db = seed + h_len;
	db_len = em_len - h_len - 1;
	if (!EVP_Digest(label != NULL ? label : (const unsigned char *)"",
		label_len, label_hash, NULL, md, NULL) ||
	    !mgf1_xor(seed, h_len, db, db_len, mgf1_md) ||
	    !mgf1_xor(db, db_len, seed, h_len, mgf1_md))
		return 0;
	bad = ~equal(em[0], 0);
	bad |=
	    ~equal((size_t)(unsigned)CRYPTO_memcmp(db, label_hash, h_len), 0);
	for (i = h_len; i < db_len; i++) {
		one = equal(db[i], 1);
		zero = equal(db[i], 0);
		start |= ~found & one & (i + 1);
		bad |= ~found & ~one & ~zero;
		found |= one;
	}
	bad |= ~found;
	if (bad != 0 || db_len - start > *out_len) {
		ERR_raise(ERR_LIB_PROV, PROV_R_BAD_DECRYPT);
		return 0;
	}
	*out_len = db_len - start;
	memcpy(out, db + start, *out_len);
	return 1;
}
