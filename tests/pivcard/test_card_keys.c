/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The emulated card's keys: made or imported, used and checked with OpenSSL,
 * attested.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "host.h"

static struct host host;
static struct host *const h = &host;

static int
start(void **state)
{
	(void)state;
	host_start(h, NULL);
	host_select(h);
	host_mgm_factory(h);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	host_end(h);
	return 0;
}

/* The slot's public key, as its attestation has it. */
static EVP_PKEY *
public_key(uint8_t ref)
{
	X509 *x = host_attest(h, ref);
	EVP_PKEY *key = X509_get_pubkey(x);

	X509_free(x);
	assert_non_null(key);
	return key;
}

static int
verified(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, struct span sig)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int rc;

	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	if (EVP_PKEY_is_a(key, "RSA"))
		assert_int_equal(
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
	rc = EVP_PKEY_verify(ctx, sig.p, sig.len, hash, hash_len);
	EVP_PKEY_CTX_free(ctx);
	return rc == 1;
}

/* EMSA-PKCS1-v1_5 of a SHA-256 (RFC 8017 section 9.2): the host's work. */
static void
pad(const uint8_t hash[32], uint8_t out[256])
{
	static const uint8_t info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
		0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
		0x00, 0x04, 0x20 };

	memset(out, 0xff, 256);
	out[0] = 0;
	out[1] = 1;
	out[256 - 32 - sizeof(info) - 1] = 0;
	memcpy(out + 256 - 32 - sizeof(info), info, sizeof(info));
	memcpy(out + 256 - 32, hash, 32);
}

static void
rsa_signs_and_deciphers(void **state)
{
	uint8_t hash[32], block[256];
	size_t len = sizeof(block);
	EVP_PKEY_CTX *ctx;
	struct span v;
	EVP_PKEY *key;

	(void)state;
	memset(hash, 0x42, sizeof(hash));
	pad(hash, block);
	assert_int_equal(host_generate(h, REF_9A, ALG_RSA2048, 0, 0), SW_OK);
	assert_memory_equal(h->answer.data, "\x7f\x49\x82\x01\x09\x81\x82", 7);
	key = public_key(REF_9A);
	assert_int_equal(host_use(h, REF_9A, ALG_RSA2048, 0x81, block, 256, &v),
	    SW_SECURITY);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(
	    host_use(h, REF_9A, ALG_RSA2048, 0x81, block, 256, &v), SW_OK);
	assert_true(verified(key, hash, sizeof(hash), v));
	assert_int_equal(
	    host_use(h, REF_9A, ALG_RSA2048, 0x81, block, 255, &v), SW_DATA);
	assert_int_equal(
	    host_use(h, REF_9A, ALG_P256, 0x81, hash, 32, &v), SW_P1P2);

	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, block, &len, hash, 32), 1);
	assert_int_equal(
	    host_use(h, REF_9A, ALG_RSA2048, 0x81, block, len, &v), SW_OK);
	assert_int_equal(v.len, 256);
	assert_memory_equal(v.p + 256 - 32, hash, 32);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void
ec_signs(void **state)
{
	static const struct {
		uint8_t ref, alg;
		size_t len;
	} rows[] = { { 0x82, ALG_P256, 32 }, { 0x95, ALG_P384, 48 } };
	uint8_t hash[64], *point;
	struct span v, public;
	EVP_PKEY *key;
	size_t i, n;

	(void)state;
	memset(hash, 0x24, sizeof(hash));
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    host_generate(h, rows[i].ref, rows[i].alg, 0, 0), SW_OK);
		v = (struct span) { h->answer.data, h->answer.len };
		assert_int_equal(tlv_find(v, 0x7f49, &public), 1);
		assert_int_equal(tlv_find(public, 0x86, &v), 1);
		struct buf made = { .len = 0 };
		buf_put(&made, v.p, v.len);
		key = public_key(rows[i].ref);
		n = EVP_PKEY_get1_encoded_public_key(key, &point);
		assert_int_equal(n, made.len);
		assert_memory_equal(point, made.data, n);
		OPENSSL_free(point);
		assert_int_equal(host_use(h, rows[i].ref, rows[i].alg, 0x81,
				     hash, rows[i].len, &v),
		    SW_OK);
		assert_true(verified(key, hash, rows[i].len, v));
		/* A longer hash is for the host to cut. */
		assert_int_equal(host_use(h, rows[i].ref, rows[i].alg, 0x81,
				     hash, rows[i].len + 16, &v),
		    SW_DATA);
		EVP_PKEY_free(key);
	}
}

static void
ecdh_agrees(void **state)
{
	EVP_PKEY *peer = EVP_EC_gen("P-256"), *key;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(peer, NULL);
	uint8_t *point, ours[32];
	size_t len = sizeof(ours), n;
	struct span v;

	(void)state;
	assert_int_equal(host_generate(h, REF_9D, ALG_P256, 0, 0), SW_OK);
	key = public_key(REF_9D);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, key), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, ours, &len), 1);
	n = EVP_PKEY_get1_encoded_public_key(peer, &point);
	assert_int_equal(n, 65);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(
	    host_use(h, REF_9D, ALG_P256, 0x85, point, n, &v), SW_OK);
	assert_int_equal(v.len, len);
	assert_memory_equal(v.p, ours, len);
	point[64] ^= 1; /* not on the curve */
	assert_int_equal(
	    host_use(h, REF_9D, ALG_P256, 0x85, point, n, &v), SW_DATA);
	OPENSSL_free(point);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	EVP_PKEY_free(peer);
}

static unsigned
use(uint8_t ref)
{
	static const uint8_t hash[32] = { 1 };
	struct span v;

	return host_use(h, ref, ALG_P256, 0x81, hash, sizeof(hash), &v);
}

static void
policies(void **state)
{
	(void)state;
	assert_int_equal(use(REF_9E), SW_REFERENCE);
	assert_int_equal(host_generate(h, REF_9A, ALG_P256, 0, 0), SW_OK);
	assert_int_equal(host_generate(h, REF_9C, ALG_P256, 0, 0), SW_OK);
	assert_int_equal(host_generate(h, REF_9E, ALG_P256, 0, 0), SW_OK);
	assert_int_equal(use(REF_9A), SW_SECURITY);
	assert_int_equal(use(REF_9E), SW_OK); /* never */
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(use(REF_9A), SW_OK); /* once */
	assert_int_equal(use(REF_9A), SW_OK);
	assert_int_equal(use(REF_9C), SW_SECURITY); /* always */
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_OK);
	assert_int_equal(use(REF_9C), SW_OK);
	assert_int_equal(use(REF_9C), SW_SECURITY);
	assert_int_equal(use(REF_9A), SW_OK);
	card_reset(h->card);
	host_select(h);
	assert_int_equal(use(REF_9A), SW_SECURITY);
	assert_int_equal(host_generate(h, REF_9A, ALG_P256, 0, 0), SW_SECURITY);

	/* Asked for: kept, reported, and a touch is told to the reader. */
	host_mgm_factory(h);
	assert_int_equal(
	    host_generate(h, REF_9A, ALG_P256, PIN_NEVER, TOUCH_ALWAYS), SW_OK);
	host_again(h);
	host_select(h);
	assert_int_equal(host_send(h, 0xf7, 0, REF_9A, NULL, 0), SW_OK);
	assert_memory_equal(h->answer.data,
	    "\x01\x01\x11\x02\x02\x01\x02\x03\x01\x01\x04\x43\x86\x41\x04", 15);
	assert_int_equal(use(REF_9A), SW_OK);
	assert_true(card_touched(h->card));
	assert_int_equal(use(REF_9E), SW_OK);
	assert_false(card_touched(h->card));
}

static void
put_param(struct buf *out, unsigned tag, EVP_PKEY *key, const char *name)
{
	uint8_t bytes[512];
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	buf_tlv(out, tag, bytes, (size_t)BN_bn2bin(n, bytes));
	BN_clear_free(n);
}

static void
imports(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-384");
	struct buf in = { .len = 0 };
	uint8_t hash[48], block[256];
	struct span v;

	(void)state;
	memset(hash, 0x11, sizeof(hash));
	put_param(&in, 1, rsa, OSSL_PKEY_PARAM_RSA_FACTOR1);
	put_param(&in, 2, rsa, OSSL_PKEY_PARAM_RSA_FACTOR2);
	put_param(&in, 3, rsa, OSSL_PKEY_PARAM_RSA_EXPONENT1);
	put_param(&in, 4, rsa, OSSL_PKEY_PARAM_RSA_EXPONENT2);
	assert_int_equal(
	    host_send(h, 0xfe, ALG_RSA2048, REF_9A, in.data, in.len), SW_DATA);
	put_param(&in, 5, rsa, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
	assert_int_equal(
	    host_send(h, 0xfe, ALG_RSA2048, REF_9A, in.data, in.len), SW_OK);
	in.data[40] ^= 1; /* a factor that is none */
	assert_int_equal(
	    host_send(h, 0xfe, ALG_RSA2048, REF_9E, in.data, in.len), SW_DATA);
	in.len = 0;
	put_param(&in, 6, ec, OSSL_PKEY_PARAM_PRIV_KEY);
	assert_int_equal(
	    host_send(h, 0xfe, ALG_P384, REF_9E, in.data, in.len), SW_OK);
	host_again(h);
	host_select(h);
	pad(hash, block);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(
	    host_use(h, REF_9A, ALG_RSA2048, 0x81, block, 256, &v), SW_OK);
	assert_true(verified(rsa, hash, 32, v));
	assert_int_equal(
	    host_use(h, REF_9E, ALG_P384, 0x81, hash, 48, &v), SW_OK);
	assert_true(verified(ec, hash, 48, v));
	/* The card cannot say that it made them. */
	assert_int_equal(host_send(h, 0xf9, REF_9A, 0, NULL, 0), SW_DATA);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void
extension_is(X509 *x, const char *oid, const void *value, size_t len)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(x, obj, -1);
	const ASN1_OCTET_STRING *s;

	ASN1_OBJECT_free(obj);
	assert_true(at >= 0);
	s = X509_EXTENSION_get_data(X509_get_ext(x, at));
	assert_int_equal(ASN1_STRING_length(s), (int)len);
	assert_memory_equal(ASN1_STRING_get0_data(s), value, len);
}

static X509 *
root_cert(void)
{
	char path[128];
	FILE *f;
	X509 *x;

	(void)snprintf(path, sizeof(path), "%s/attestation-root.pem", h->dir);
	f = fopen(path, "r");
	assert_non_null(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(x);
	return x;
}

static int
chain_verifies(X509 *leaf, X509 *middle, X509 *root)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	int rc;

	assert_int_equal(X509_STORE_add_cert(store, root), 1);
	assert_true(sk_X509_push(between, middle) > 0);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, between), 1);
	rc = X509_verify_cert(ctx);
	sk_X509_free(between);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc == 1;
}

static void
attestation(void **state)
{
	X509 *root = root_cert(), *middle = host_attestation_cert(h), *leaf;
	struct host other;
	X509 *stranger;

	(void)state;
	assert_int_equal(
	    host_generate(h, REF_9C, ALG_P384, PIN_ONCE, TOUCH_CACHED), SW_OK);
	leaf = host_attest(h, REF_9C);
	assert_true(chain_verifies(leaf, middle, root));
	extension_is(leaf, "1.3.6.1.4.1.41482.3.3", "\5\4\3", 3);
	extension_is(leaf, "1.3.6.1.4.1.41482.3.7", "\2\4\x00\xbc\x61\x4e", 6);
	extension_is(leaf, "1.3.6.1.4.1.41482.3.8", "\2\3", 2);
	extension_is(leaf, "1.3.6.1.4.1.41482.3.9", "\1", 1);
	assert_int_equal(host_send(h, 0xf9, REF_9A, 0, NULL, 0), SW_REFERENCE);

	/* Another card's root does not speak for this one. */
	host_start(&other, NULL);
	host_select(&other);
	stranger = host_attestation_cert(&other);
	assert_false(chain_verifies(leaf, stranger, root));
	X509_free(stranger);
	host_end(&other);
	X509_free(leaf);
	X509_free(middle);
	X509_free(root);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rsa_signs_and_deciphers),
		TEST(ec_signs),
		TEST(ecdh_agrees),
		TEST(policies),
		TEST(imports),
		TEST(attestation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
