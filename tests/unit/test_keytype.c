/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Key types: names, recognition of any EVP_PKEY, and the parameters that
 * tokens are asked with.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/objects.h>

#include "pkcs11/object.h"

static const char *const names[BURIN_KEY_TYPES] = { "unknown", "rsa:2048",
	"rsa:3072", "rsa:4096", "ec:P-256", "ec:P-384", "ec:P-521", "ed25519",
	"ed448", "x25519" };

static EVP_PKEY *
make(enum burin_key_type type)
{
	switch (type) {
	case BURIN_RSA_2048:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	case BURIN_EC_P256:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case BURIN_EC_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp384r1");
	case BURIN_EC_P521:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	case BURIN_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case BURIN_ED448:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	case BURIN_X25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	default:
		return NULL;
	}
}

static void
test_names(void **state)
{
	int i;

	(void)state;
	for (i = 1; i < BURIN_KEY_TYPES; i++) {
		assert_string_equal(
		    burin_key_type_name((enum burin_key_type)i), names[i]);
		assert_int_equal(burin_key_type_parse(names[i]), i);
	}
	assert_string_equal(burin_key_type_name(BURIN_KEY_UNKNOWN), "unknown");
	assert_string_equal(burin_key_type_name(BURIN_KEY_TYPES), "unknown");
	assert_int_equal(burin_key_type_parse("RSA:2048"), BURIN_RSA_2048);
	assert_int_equal(burin_key_type_parse("Ec:p-256"), BURIN_EC_P256);
	assert_int_equal(burin_key_type_parse(NULL), BURIN_KEY_UNKNOWN);
	assert_int_equal(burin_key_type_parse(""), BURIN_KEY_UNKNOWN);
	assert_int_equal(burin_key_type_parse("unknown"), BURIN_KEY_UNKNOWN);
	assert_int_equal(burin_key_type_parse("rsa"), BURIN_KEY_UNKNOWN);
	assert_int_equal(burin_key_type_parse("rsa:1024"), BURIN_KEY_UNKNOWN);
	assert_int_equal(burin_key_type_parse("rsa:20480"), BURIN_KEY_UNKNOWN);
}

static void
test_recognition(void **state)
{
	EVP_PKEY *pkey;
	int i;

	(void)state;
	for (i = 1; i < BURIN_KEY_TYPES; i++) {
		if ((pkey = make((enum burin_key_type)i)) == NULL)
			continue;
		assert_int_equal(burin_key_type_of(pkey), i);
		EVP_PKEY_free(pkey);
	}
	assert_int_equal(burin_key_type_of(NULL), BURIN_KEY_UNKNOWN);
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	assert_int_equal(burin_key_type_of(pkey), BURIN_KEY_UNKNOWN);
	EVP_PKEY_free(pkey);
	/* As many bits as P-256, and another curve. */
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	assert_int_equal(burin_key_type_of(pkey), BURIN_KEY_UNKNOWN);
	EVP_PKEY_free(pkey);
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "X448");
	assert_int_equal(burin_key_type_of(pkey), BURIN_KEY_UNKNOWN);
	EVP_PKEY_free(pkey);
}

/* Every way of a type leads to a key of that type. */
static void
test_params(void **state)
{
	const struct key_type *kt;
	struct p11_pubkey p;
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *spki;
	EVP_PKEY *pkey, *again;
	size_t w, n;
	int i;

	(void)state;
	for (i = BURIN_EC_P256; i < BURIN_KEY_TYPES; i++) {
		kt = p11_key_type((enum burin_key_type)i);
		assert_non_null(kt);
		assert_int_equal(kt->usage & ~kt->can, 0);
		pkey = make((enum burin_key_type)i);
		n = EVP_PKEY_get1_encoded_public_key(pkey, &spki);
		if (n == 0) {
			n = 57;
			spki = OPENSSL_malloc(n);
			assert_int_equal(
			    EVP_PKEY_get_raw_public_key(pkey, spki, &n), 1);
		}
		for (w = 0; w < P11_MAX_WAYS && kt->ways[w].params != NULL;
		     w++) {
			memset(&p, 0, sizeof(p));
			p.kt = kt->curve != 0 ? CKK_EC : CKK_EC_EDWARDS;
			p.params = kt->ways[w].params;
			p.params_len = kt->ways[w].params_len;
			p.point = spki;
			p.point_len = n;
			again = p11_pubkey_make(&p, &e);
			assert_non_null(again);
			assert_int_equal(burin_key_type_of(again), i);
			assert_int_equal(EVP_PKEY_eq(again, pkey), 1);
			EVP_PKEY_free(again);
		}
		assert_true(w > 0);
		OPENSSL_free(spki);
		EVP_PKEY_free(pkey);
	}
	assert_null(p11_key_type(BURIN_KEY_UNKNOWN));
	assert_null(p11_key_type(BURIN_KEY_TYPES));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_recognition),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
