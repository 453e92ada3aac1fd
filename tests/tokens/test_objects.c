/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys and the inventory on SoftHSM: what is made, found, used, refused, and
 * what it costs.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "objects.h"

#define PAIRS 500 /* that must not cost a call */

/* --- every type ----------------------------------------------------------- */

static void
check_object(const struct burin_key *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	const struct burin_object *o;
	struct burin_object *objects;
	struct burin_key *found;
	size_t i, n;
	char *uri, *again;

	uri = burin_key_uri(k);
	must(burin_token_objects(h.t, &objects, &n, &e), &e);
	for (i = 0; i < n; i++) {
		o = &objects[i];
		if (o->cls != BURIN_OBJECT_PRIVATE || o->id_len != k->id_len ||
		    memcmp(o->id, k->id, o->id_len) != 0)
			continue;
		assert_int_equal(o->key_type, k->type);
		assert_int_equal(o->usage, k->usage);
		assert_true(o->protected_key);
		assert_false(o->always_authenticate);
		assert_string_equal(o->label, "a key");
		assert_int_equal(EVP_PKEY_eq(o->public_key, k->public_key), 1);
		again = burin_object_uri(h.t, o);
		assert_string_equal(again, uri);
		free(again);
		break;
	}
	assert_true(i < n);
	burin_objects_free(&objects, n);

	must(burin_key_find(h.p11, uri, &found, &e), &e);
	assert_int_equal(found->type, k->type);
	assert_int_equal(found->usage, k->usage);
	assert_int_equal(EVP_PKEY_eq(found->public_key, k->public_key), 1);
	assert_string_equal(burin_key_label(found), "a key");
	assert_ptr_equal(burin_key_token(found), h.t);
	burin_key_free(&found);
	must(burin_key_find_id(h.t, k->id, k->id_len, &found, &e), &e);
	assert_int_equal(EVP_PKEY_eq(found->public_key, k->public_key), 1);
	burin_key_free(&found);
	free(uri);
}

static void
test_types(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_RSA_4096, BURIN_EC_P256, BURIN_EC_P384, BURIN_EC_P521,
		BURIN_ED25519, BURIN_ED448, BURIN_X25519 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_p11_calls before, after;
	struct burin_key_spec spec;
	struct burin_key *k, *same;
	size_t i;

	(void)state;
	must(burin_token_login(h.t, &e), &e);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_true(burin_token_can_generate(h.t, types[i]));
		before = calls_now();
		assert_true(burin_token_can_generate(h.t, types[i]));
		memset(&spec, 0, sizeof(spec));
		spec.type = types[i];
		spec.label = "a key";
		must(burin_keygen(h.t, &spec, &k, &e), &e);
		after = calls_now();
		/* The first one opens the work session. */
		assert_int_equal(after.total - before.total, i == 0 ? 9 : 8);
		assert_int_equal(after.failed, before.failed);
		assert_int_equal(burin_key_get_type(k), types[i]);
		assert_int_equal(burin_key_usage(k),
		    types[i] == BURIN_X25519 ? BURIN_USE_DERIVE
					     : BURIN_USE_SIGN);
		assert_id_is_ski(k);
		assert_int_equal(count(k, BURIN_OBJECT_PUBLIC), 1);
		check_object(k);
		same = burin_key_ref(k);
		burin_key_free(&k);
		assert_null(k);
		assert_int_equal(burin_key_get_type(same), types[i]);
		burin_key_free(&same);
	}
	assert_false(burin_token_can_generate(h.t, BURIN_KEY_UNKNOWN));
}

static void
test_usage(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec;
	struct burin_key *k;

	(void)state;
	memset(&spec, 0, sizeof(spec));
	refused(burin_keygen(h.t, &spec, &k, &e), &e, BURIN_EUSAGE,
	    "key-type-unknown");
	spec.type = BURIN_ED25519;
	spec.usage = BURIN_USE_DECRYPT;
	refused(burin_keygen(h.t, &spec, &k, &e), &e, BURIN_EUSAGE,
	    "usage-impossible");
	spec.type = BURIN_RSA_2048;
	spec.usage = BURIN_USE_SIGN | BURIN_USE_DECRYPT;
	spec.always_authenticate = 1;
	must(burin_keygen(h.t, &spec, &k, &e), &e);
	assert_int_equal(burin_key_usage(k), spec.usage);
	assert_true(burin_key_always_authenticate(k));
	assert_string_equal(burin_key_label(k), "");
	remove_key(&k);
}

static void
test_chosen_id(void **state)
{
	static const unsigned char id[] = { 0x07 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec;
	struct burin_key *k, *other;
	size_t len;

	(void)state;
	memset(&spec, 0, sizeof(spec));
	spec.type = BURIN_EC_P256;
	spec.id = id;
	spec.keep_id = 1;
	refused(
	    burin_keygen(h.t, &spec, &k, &e), &e, BURIN_EUSAGE, "id-length");
	spec.id_len = sizeof(id);
	must(burin_keygen(h.t, &spec, &k, &e), &e);
	assert_memory_equal(burin_key_id(k, &len), id, sizeof(id));
	assert_int_equal(len, sizeof(id));
	refused(burin_keygen(h.t, &spec, &other, &e), &e, BURIN_EREFUSED,
	    "id-taken");
	assert_null(other);
	assert_int_equal(count(k, BURIN_OBJECT_PRIVATE), 1);
	assert_int_equal(count(k, BURIN_OBJECT_PUBLIC), 1);
	remove_key(&k);
}

/* --- names ---------------------------------------------------------------- */

static void
test_find(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec;
	struct burin_key *a, *b, *k;

	(void)state;
	memset(&spec, 0, sizeof(spec));
	spec.type = BURIN_EC_P256;
	spec.label = "twin";
	must(burin_keygen(h.t, &spec, &a, &e), &e);
	must(
	    burin_key_find(h.p11, "pkcs11:token=test;object=twin", &k, &e), &e);
	assert_int_equal(EVP_PKEY_eq(k->public_key, a->public_key), 1);
	burin_key_free(&k);
	must(burin_keygen(h.t, &spec, &b, &e), &e);
	assert_int_equal(
	    burin_key_find(h.p11, "pkcs11:object=twin", &k, &e), -1);
	assert_non_null(strstr(e.reason, "2 private keys"));
	assert_non_null(strstr(e.reason, "'twin' id "));
	refused(-1, &e, BURIN_ETOKEN, "key-ambiguous");
	refused(burin_key_find(h.p11, "test", &k, &e), &e, BURIN_ETOKEN,
	    "key-ambiguous");
	refused(burin_key_find(h.p11, "pkcs11:object=nobody", &k, &e), &e,
	    BURIN_ETOKEN, "key-missing");
	refused(burin_key_find(h.p11, "pkcs11:id=%01%02", &k, &e), &e,
	    BURIN_ETOKEN, "key-missing");
	refused(burin_key_find(h.p11, "pkcs11:token=nowhere", &k, &e), &e,
	    BURIN_ETOKEN, "token-missing");
	refused(burin_key_find(h.p11, "pkcs11:object=twin;type=cert", &k, &e),
	    &e, BURIN_EUSAGE, "not-a-private-key");
	refused(burin_key_find_id(h.t, (const unsigned char *)"?", 1, &k, &e),
	    &e, BURIN_ETOKEN, "key-missing");
	remove_key(&a);
	remove_key(&b);
}

/* After a logout every handle is found again, and the PIN asked for once. */
static void
test_again(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k = softhsm_key(&h, BURIN_ED25519, 0, 0), *same;
	CK_MECHANISM mech = { CKM_EDDSA, NULL, 0 };
	unsigned char sig[64];
	size_t len = sizeof(sig);
	unsigned asked;

	(void)state;
	burin_token_logout(h.t);
	asked = h.asked;
	assert_int_equal(p11_do(k, P11_SIGN, &mech, (const unsigned char *)"x",
			     1, sig, &len),
	    CKR_OK);
	assert_int_equal(h.asked, asked + 1);
	/* Gone for good: said in words, not by an old handle. */
	must(burin_key_find_id(h.t, k->id, k->id_len, &same, &e), &e);
	remove_key(&same);
	burin_token_logout(h.t);
	len = sizeof(sig);
	assert_int_not_equal(p11_do(k, P11_SIGN, &mech,
				 (const unsigned char *)"x", 1, sig, &len),
	    CKR_OK);
	refused(burin_key_last_error(k, &e), &e, BURIN_ETOKEN, "key-missing");
	refused(burin_key_destroy(k, &e), &e, BURIN_ETOKEN, "key-missing");
	burin_key_free(&k);
}

static void
test_wrong_operation(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	CK_MECHANISM wrong = { CKM_RSA_PKCS, NULL, 0 },
		     mech = { CKM_ECDSA, NULL, 0 };
	unsigned char digest[32] = { 1 }, sig[72];
	size_t len = 8;

	(void)state;
	assert_int_not_equal(
	    p11_do(k, P11_SIGN, &wrong, digest, sizeof(digest), sig, &len),
	    CKR_OK);
	assert_int_equal(burin_key_last_error(k, &e), -1);
	assert_true(e.ckr != 0);
	burin_error_clear(&e);
	/* Too little room leaves no operation behind. */
	len = 8;
	assert_int_equal(
	    p11_do(k, P11_SIGN, &mech, digest, sizeof(digest), sig, &len),
	    CKR_BUFFER_TOO_SMALL);
	len = sizeof(sig);
	assert_int_equal(
	    p11_do(k, P11_SIGN, &mech, digest, sizeof(digest), sig, &len),
	    CKR_OK);
	assert_int_equal(len, 64);
	assert_int_equal(burin_key_last_error(k, &e), 0);
	remove_key(&k);
}

/* --- cost ----------------------------------------------------------------- */

/* Calls of making a key and writing its certificate. */
static unsigned long
cost(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_p11_calls before = calls_now(), after;
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	X509 *cert = certify(k->public_key, "counted");

	must(burin_cert_write(k, cert, NULL, 0, &e), &e);
	after = calls_now();
	assert_int_equal(after.failed, before.failed);
	X509_free(cert);
	burin_key_free(&k);
	return after.total - before.total;
}

static void
fill(void)
{
	static const unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48,
		0xce, 0x3d, 0x03, 0x01, 0x07 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct attrs pub = { 0 }, priv = { 0 };
	CK_MECHANISM mech = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_OBJECT_HANDLE a, b;
	CK_SESSION_HANDLE s;
	int i;

	attrs_add_bool(&pub, CKA_TOKEN, 1);
	attrs_add(&pub, CKA_EC_PARAMS, p256, sizeof(p256));
	attrs_add_bool(&priv, CKA_TOKEN, 1);
	must(p11_work_session(h.t, &s, &e), &e);
	for (i = 0; i < PAIRS; i++)
		assert_int_equal(p11_GenerateKeyPair(h.t->m, s, &mech, pub.a,
				     pub.n, priv.a, priv.n, &a, &b),
		    CKR_OK);
	attrs_clear(&pub);
	attrs_clear(&priv);
}

static void
test_cost(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_object *objects;
	unsigned long few, many, reads, searches;
	size_t n;
	int i;

	(void)state;
	few = cost();
	print_message("key and certificate: %lu calls\n", few);
	assert_int_equal(few, 8 + 6);
	/* Sessions that were read back from are kept, up to a few: then each
	 * new one costs the close of an old one. */
	for (i = 0; i < 4; i++)
		few = cost();
	assert_int_equal(few, 8 + 7);
	fill();
	many = cost();
	assert_int_equal(many, few);
	/* The inventory: one search, one call for each object. */
	reads = burin_p11_calls_of(h.p11, "C_GetAttributeValue");
	searches = burin_p11_calls_of(h.p11, "C_FindObjectsInit");
	must(burin_token_objects(h.t, &objects, &n, &e), &e);
	assert_true(n >= 2 * PAIRS);
	assert_int_equal(
	    burin_p11_calls_of(h.p11, "C_GetAttributeValue") - reads, n);
	assert_int_equal(
	    burin_p11_calls_of(h.p11, "C_FindObjectsInit") - searches, 1);
	burin_objects_free(&objects, n);
	burin_objects_free(&objects, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_chosen_id),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_wrong_operation),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
