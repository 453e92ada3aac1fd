/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Our PSS and OAEP padding (RFC 8017) against OpenSSL's: what we encode it
 * verifies, what it encrypts we decode, and nothing else.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "pkcs11/provider/provider.h"

#define MAX 512

/* The bare power with the private key: what CKM_RSA_X_509 does. */
static void
power(EVP_PKEY *key, const unsigned char *in, unsigned char *out, size_t len)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t n = len;

	assert_int_equal(EVP_PKEY_decrypt_init(p), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(p, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_decrypt(p, out, &n, in, len), 1);
	assert_int_equal(n, len);
	EVP_PKEY_CTX_free(p);
}

static int
verifies(EVP_PKEY *key, const unsigned char *sig, size_t sig_len,
    const unsigned char *digest, const EVP_MD *md, const EVP_MD *mgf1, int salt)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int rc;

	assert_int_equal(EVP_PKEY_verify_init(p), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(p, md), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(p, mgf1), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, salt), 1);
	rc = EVP_PKEY_verify(
	    p, sig, sig_len, digest, (size_t)EVP_MD_get_size(md));
	EVP_PKEY_CTX_free(p);
	ERR_clear_error();
	return rc == 1;
}

/* Lengths of every residue: the top byte's bits and the 8n + 1 case. */
static void
pss(void **state)
{
	static const int bits[] = { 1024, 1025, 1026, 1029, 1031, 2048 };
	const EVP_MD *mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha512() };
	unsigned char em[MAX], sig[MAX], digest[64];
	size_t i, j, len, h, salts[3], s;
	EVP_PKEY *key;

	(void)state;
	assert_int_equal(RAND_bytes(digest, sizeof(digest)), 1);
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits[i]);
		assert_non_null(key);
		len = (size_t)EVP_PKEY_get_size(key);
		for (j = 0; j < 3; j++) {
			h = (size_t)EVP_MD_get_size(mds[j]);
			if (len < 2 * h + 2)
				continue;
			salts[0] = 0;
			salts[1] = h;
			salts[2] = (size_t)(bits[i] + 6) / 8 - h - 2;
			for (s = 0; s < 3; s++) {
				assert_int_equal(
				    prov_pss_encode(em, len, bits[i], digest, h,
					mds[j], mds[0], salts[s]),
				    1);
				power(key, em, sig, len);
				assert_true(verifies(key, sig, len, digest,
				    mds[j], mds[0], (int)salts[s]));
			}
			assert_int_equal(
			    prov_pss_encode(em, len, bits[i], digest, h, mds[j],
				mds[0], salts[2] + 1),
			    0);
			assert_int_equal(prov_pss_encode(em, len, bits[i],
					     digest, h - 1, mds[j], mds[0], h),
			    0);
			ERR_clear_error();
		}
		EVP_PKEY_free(key);
	}
}

static void
encrypt(EVP_PKEY *key, const EVP_MD *md, const EVP_MD *mgf1, const char *label,
    const unsigned char *in, size_t in_len, unsigned char *out)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t n = (size_t)EVP_PKEY_get_size(key);
	char *copy;

	assert_int_equal(EVP_PKEY_encrypt_init(p), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(p, md), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(p, mgf1), 1);
	if (*label != '\0') {
		copy = OPENSSL_strdup(label);
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(
				     p, copy, (int)strlen(label)),
		    1);
	}
	assert_int_equal(EVP_PKEY_encrypt(p, out, &n, in, in_len), 1);
	EVP_PKEY_CTX_free(p);
}

static int
decode(const unsigned char *em, size_t len, const EVP_MD *md,
    const EVP_MD *mgf1, const char *label, unsigned char *out, size_t *n)
{
	unsigned char copy[MAX];
	int rc;

	memcpy(copy, em, len);
	rc = prov_oaep_decode(copy, len, md, mgf1, (const unsigned char *)label,
	    strlen(label), out, n);
	ERR_clear_error();
	return rc;
}

static void
oaep(void **state)
{
	const EVP_MD *mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha512() };
	unsigned char in[MAX], box[MAX], em[MAX], out[MAX];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	size_t i, j, k, max, n, len = 256, lens[3];

	(void)state;
	assert_int_equal(RAND_bytes(in, sizeof(in)), 1);
	for (i = 0; i < 9; i++) {
		const EVP_MD *md = mds[i / 3], *mgf1 = mds[i % 3];
		const char *label = i % 2 ? "label" : "";

		max = len - 2 * (size_t)EVP_MD_get_size(md) - 2;
		lens[0] = 0;
		lens[1] = 16;
		lens[2] = max;
		for (j = 0; j < 3; j++) {
			encrypt(key, md, mgf1, label, in, lens[j], box);
			power(key, box, em, len);
			n = sizeof(out);
			assert_int_equal(
			    decode(em, len, md, mgf1, label, out, &n), 1);
			assert_int_equal(n, lens[j]);
			assert_memory_equal(out, in, n);
			n = sizeof(out);
			assert_int_equal(
			    decode(em, len, md, mgf1, "other", out, &n), 0);
			if (lens[j] > 0) {
				n = lens[j] - 1;
				assert_int_equal(
				    decode(em, len, md, mgf1, label, out, &n),
				    0);
			}
			/* Any changed byte: of Y, of the seed, of lHash, of PS.
			 */
			for (k = 0; k < len - lens[j]; k++) {
				em[k] ^= 1;
				n = sizeof(out);
				assert_int_equal(
				    decode(em, len, md, mgf1, label, out, &n),
				    0);
				em[k] ^= 1;
			}
		}
	}
	n = sizeof(out);
	assert_int_equal(decode(em, 130, mds[2], mds[2], "", out, &n), 0);
	assert_int_equal(decode(em, 129, mds[2], mds[2], "", out, &n), 0);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pss),
		cmocka_unit_test(oaep),
	};

	return cmocka_run_group_tests_name("rsa-pad", tests, NULL, NULL);
}
