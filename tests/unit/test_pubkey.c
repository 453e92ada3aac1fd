/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Public keys from what tokens say of them: right, incomplete and wrong.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "pkcs11/object.h"

static const unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x03, 0x01, 0x07 };
static const unsigned char ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
static const unsigned char x25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x6e };

/* 0: the values do not say enough. */
static void
refused(const struct p11_pubkey *p, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;

	assert_null(p11_pubkey_make(p, &e));
	assert_string_equal(e.code, code != NULL ? code : "");
	assert_int_equal(ERR_peek_error(), 0);
	assert_null(p11_pubkey_make(p, NULL));
	ERR_clear_error();
}

static void
accepted(const struct p11_pubkey *p, const EVP_PKEY *pkey)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char ski[20], expected[EVP_MAX_MD_SIZE];
	X509 *cert = X509_new();
	EVP_PKEY *made;
	unsigned len;

	made = p11_pubkey_make(p, &e);
	assert_non_null(made);
	assert_int_equal(EVP_PKEY_eq(made, pkey), 1);
	assert_int_equal(p11_pubkey_ski(made, ski), 0);
	assert_int_equal(X509_set_pubkey(cert, made), 1);
	assert_int_equal(
	    X509_pubkey_digest(cert, EVP_sha1(), expected, &len), 1);
	assert_int_equal(len, sizeof(ski));
	assert_memory_equal(ski, expected, sizeof(ski));
	EVP_PKEY_free(made);
	X509_free(cert);
}

/* --- RSA ---------------------------------------------------------------- */

struct rsa {
	unsigned char n[P11_MAX_MODULUS + 2], e[64];
};

static void
rsa_values(
    struct p11_pubkey *p, struct rsa *r, const BIGNUM *n, const BIGNUM *x)
{
	memset(p, 0, sizeof(*p));
	p->kt = CKK_RSA;
	assert_true((size_t)BN_num_bytes(n) <= sizeof(r->n));
	assert_true((size_t)BN_num_bytes(x) <= sizeof(r->e));
	p->modulus = r->n;
	p->modulus_len = (size_t)BN_bn2bin(n, r->n);
	p->exponent = r->e;
	p->exponent_len = (size_t)BN_bn2bin(x, r->e);
}

static void
test_rsa(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	BIGNUM *n = NULL, *x = NULL;
	struct p11_pubkey p;
	struct rsa r;
	unsigned char padded[257], *spki = NULL;
	int len;

	(void)state;
	assert_int_equal(
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &x), 1);
	rsa_values(&p, &r, n, x);
	accepted(&p, pkey);
	/* With the zero that keeps a DER INTEGER positive. */
	padded[0] = 0;
	memcpy(padded + 1, r.n, 256);
	p.modulus = padded;
	p.modulus_len = sizeof(padded);
	accepted(&p, pkey);
	p.exponent_len = 0;
	refused(&p, NULL);
	len = i2d_PUBKEY(pkey, &spki);
	p.spki = spki;
	p.spki_len = (size_t)len;
	accepted(&p, pkey);
	p.spki_len--;
	refused(&p, "public-key-wrong");
	BN_free(n);
	BN_free(x);
	OPENSSL_free(spki);
	EVP_PKEY_free(pkey);
}

static void
refused_rsa(int bits, BN_ULONG low, BN_ULONG x)
{
	BIGNUM *n = BN_new(), *bx = BN_new();
	struct p11_pubkey p;
	struct rsa r;

	assert_true(BN_set_bit(n, bits - 1) && BN_add_word(n, low));
	assert_true(BN_set_word(bx, x));
	rsa_values(&p, &r, n, bx);
	refused(&p, "public-key-wrong");
	BN_free(n);
	BN_free(bx);
}

static void
test_rsa_wrong(void **state)
{
	unsigned char long_one[P11_MAX_MODULUS * 2];
	struct p11_pubkey p;
	struct rsa r;
	BIGNUM *n = BN_new();

	(void)state;
	refused_rsa(1023, 1, 65537);
	refused_rsa(16385, 1, 65537);
	refused_rsa(2048, 0, 65537);
	refused_rsa(2048, 1, 1);
	refused_rsa(2048, 1, 65536);
	/* A number of no end. */
	assert_true(BN_set_bit(n, 2047) && BN_add_word(n, 1));
	rsa_values(&p, &r, n, BN_value_one());
	memset(long_one, 0xff, sizeof(long_one));
	p.exponent = long_one;
	p.exponent_len = 33;
	refused(&p, "public-key-wrong");
	p.exponent_len = 3;
	p.modulus = long_one;
	p.modulus_len = sizeof(long_one);
	refused(&p, "public-key-wrong");
	/* Largest and smallest that are let in. */
	BN_free(n);
	n = BN_new();
	assert_true(BN_set_bit(n, 16383) && BN_add_word(n, 1));
	rsa_values(&p, &r, n, BN_value_one());
	p.exponent = (const unsigned char *)"\x03";
	p.exponent_len = 1;
	EVP_PKEY_free(p11_pubkey_make(&p, NULL));
	BN_free(n);
}

/* --- curves ------------------------------------------------------------- */

static void
point_values(struct p11_pubkey *p, CK_KEY_TYPE kt, const unsigned char *params,
    size_t params_len, const unsigned char *point, size_t point_len)
{
	memset(p, 0, sizeof(*p));
	p->kt = kt;
	p->params = params;
	p->params_len = params_len;
	p->point = point;
	p->point_len = point_len;
}

static void
test_ec(void **state)
{
	static const unsigned char name[] = "\x13\x0aprime256v1";
	static const unsigned char nist[] = "\x13\x05P-256";
	static const unsigned char k1[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
		0x0a };
	static const unsigned char nonsense[] = "\x13\x05P-999";
	static const unsigned char null[] = { 0x05, 0x00 };
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char der[2 + 65 + 1], *point = NULL, compressed[33];
	struct p11_pubkey p;

	(void)state;
	assert_int_equal(EVP_PKEY_get1_encoded_public_key(pkey, &point), 65);
	der[0] = 0x04;
	der[1] = 65;
	memcpy(der + 2, point, 65);
	point_values(&p, CKK_EC, p256, sizeof(p256), der, 67);
	accepted(&p, pkey);
	p.params = name;
	p.params_len = sizeof(name) - 1;
	accepted(&p, pkey);
	p.params = nist;
	p.params_len = sizeof(nist) - 1;
	accepted(&p, pkey);
	point_values(&p, CKK_EC, p256, sizeof(p256), point, 65);
	accepted(&p, pkey);
	compressed[0] = (point[64] & 1) ? 3 : 2;
	memcpy(compressed + 1, point + 1, 32);
	p.point = compressed;
	p.point_len = sizeof(compressed);
	accepted(&p, pkey);
	/* Trailing bytes, in both. */
	der[67] = 0;
	point_values(&p, CKK_EC, p256, sizeof(p256), der, 68);
	refused(&p, "public-key-wrong");
	point_values(&p, CKK_EC, p256, sizeof(p256) - 1, der, 67);
	refused(&p, "curve-unknown");
	/* Another curve with points of that length. */
	point_values(&p, CKK_EC, k1, sizeof(k1), der, 67);
	refused(&p, "public-key-wrong");
	point_values(&p, CKK_EC, nonsense, sizeof(nonsense) - 1, der, 67);
	refused(&p, "curve-unknown");
	point_values(&p, CKK_EC, null, sizeof(null), der, 67);
	refused(&p, "curve-unknown");
	point_values(&p, CKK_EC, ed25519, sizeof(ed25519), der, 67);
	refused(&p, "public-key-wrong");
	/* Off the curve. */
	der[66] ^= 1;
	point_values(&p, CKK_EC, p256, sizeof(p256), der, 67);
	refused(&p, "public-key-wrong");
	/* Half of what is needed. */
	p.params_len = 0;
	refused(&p, NULL);
	point_values(&p, CKK_EC, p256, sizeof(p256), NULL, 0);
	refused(&p, NULL);
	point_values(&p, CKK_GENERIC_SECRET, p256, sizeof(p256), der, 67);
	refused(&p, NULL);
	OPENSSL_free(point);
	EVP_PKEY_free(pkey);
}

/* All points of a raw key that begins like an OCTET STRING are read right. */
static void
test_ambiguous(void **state)
{
	unsigned char raw[32], der[34];
	struct p11_pubkey p;
	EVP_PKEY *pkey;

	(void)state;
	memset(raw, 7, sizeof(raw));
	raw[0] = 0x04;
	raw[1] = 30;
	pkey = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "X25519", NULL, raw, sizeof(raw));
	point_values(&p, CKK_EC_MONTGOMERY, x25519, sizeof(x25519), raw, 32);
	accepted(&p, pkey);
	der[0] = 0x04;
	der[1] = 32;
	memcpy(der + 2, raw, 32);
	/* SoftHSM calls it an Edwards key. */
	point_values(&p, CKK_EC_EDWARDS, x25519, sizeof(x25519), der, 34);
	accepted(&p, pkey);
	p.point_len = 33;
	refused(&p, "public-key-wrong");
	EVP_PKEY_free(pkey);
}

static void
test_edwards(void **state)
{
	static const unsigned char gnu[] = { 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04,
		0x01, 0xda, 0x47, 0x0f, 0x01 };
	static const unsigned char name[] = "\x13\x0a"
					    "edwards448";
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char raw[57];
	struct p11_pubkey p;
	size_t len = sizeof(raw);

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &len), 1);
	point_values(&p, CKK_EC_EDWARDS, ed25519, sizeof(ed25519), raw, len);
	accepted(&p, pkey);
	point_values(&p, CKK_EC_EDWARDS, gnu, sizeof(gnu), raw, len);
	accepted(&p, pkey);
	EVP_PKEY_free(pkey);
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	len = sizeof(raw);
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &len), 1);
	point_values(&p, CKK_EC_EDWARDS, name, sizeof(name) - 1, raw, len);
	accepted(&p, pkey);
	EVP_PKEY_free(pkey);
}

/* Whatever a module says: a key or a clean refusal. */
static void
test_noise(void **state)
{
	unsigned char bytes[5][200], kind;
	struct p11_pubkey p;
	EVP_PKEY *pkey;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		assert_int_equal(
		    RAND_bytes((unsigned char *)bytes, sizeof(bytes)), 1);
		kind = bytes[4][0];
		memset(&p, 0, sizeof(p));
		p.kt = kind & 1 ? CKK_EC : CKK_EC_EDWARDS;
		p.params = kind & 2 ? p256 : bytes[0];
		p.params_len = kind & 2 ? sizeof(p256) : bytes[4][1] % 140;
		if (kind & 4)
			bytes[0][0] = 0x06;
		if (kind & 8)
			bytes[0][1] = (unsigned char)(p.params_len - 2);
		p.point = bytes[1];
		p.point_len = bytes[4][2] % 180;
		if (kind & 16)
			bytes[1][0] = 0x04;
		if (kind & 32)
			p.kt = CKK_RSA;
		p.modulus = bytes[2];
		p.modulus_len = bytes[4][3] % 200;
		p.exponent = bytes[3];
		p.exponent_len = bytes[4][4] % 40;
		p.spki = bytes[3];
		p.spki_len = bytes[4][5] % 200;
		pkey = p11_pubkey_make(&p, NULL);
		EVP_PKEY_free(pkey);
		ERR_clear_error();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_rsa_wrong),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_edwards),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
