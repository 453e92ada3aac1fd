/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys and certificates on a token that refuses, forgets, lies, has one
 * session only, or is pulled at any call: the mock module.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkcs11/object.h"
#include "softhsm.h"
#include "tests/pki.h"

#define MOCK BUILD_DIR "/mock/burin-mock.so"

static struct softhsm h;
static const unsigned char made[] = "made under this one";

/* The token as before, told to do what orders say. */
static void
reopen(const char *orders)
{
	struct burin_module_spec module = { MOCK, NULL };
	struct burin_p11_config config = { .modules = &module, .n_modules = 1 };
	struct burin_login_policy policy = { softhsm_pin, NULL, NULL, NULL, &h,
		0 };
	struct burin_error e = BURIN_ERROR_INIT;
	char path[128];
	FILE *f;

	burin_p11_free(&h.p11);
	(void)snprintf(path, sizeof(path), "%s/mock.conf", h.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "dir=%s/state\n%s\n", h.dir, orders) > 0);
	assert_int_equal(fclose(f), 0);
	must(burin_p11_new(&h.p11, &config, &e), &e);
	burin_p11_set_policy(h.p11, &policy);
	/* A pulled token is not found: that is for the caller to see. */
	h.t = NULL;
	(void)burin_token_find(h.p11, "mock", 0, &h.t, &e);
}

static void
start(const char *orders)
{
	char path[128];

	if (access(MOCK, R_OK) != 0) {
		print_message("SKIPPED: the mock module is not built\n");
		exit(77);
	}
	memset(&h, 0, sizeof(h));
	h.pin = "123456";
	(void)snprintf(h.dir, sizeof(h.dir), "/tmp/burin-test-XXXXXX");
	assert_non_null(mkdtemp(h.dir));
	(void)snprintf(path, sizeof(path), "%s/mock.conf", h.dir);
	assert_int_equal(setenv("BURIN_MOCK", path, 1), 0);
	reopen(orders);
}

static struct burin_key_spec
spec_of(enum burin_key_type type)
{
	struct burin_key_spec spec;

	memset(&spec, 0, sizeof(spec));
	spec.type = type;
	spec.label = "refused";
	spec.id = made;
	spec.id_len = sizeof(made);
	return spec;
}

static size_t
count(enum burin_object_class cls)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_object *objects;
	size_t i, n, found = 0;

	must(burin_token_login(h.t, &e), &e);
	must(burin_token_objects(h.t, &objects, &n, &e), &e);
	for (i = 0; i < n; i++)
		found += objects[i].cls == cls;
	burin_objects_free(&objects, n);
	return found;
}

static void
refused(int rc, struct burin_error *e, const char *code)
{
	assert_int_equal(rc, -1);
	assert_string_equal(e->code, code);
	assert_int_equal(e->status, BURIN_EREFUSED);
	assert_true(e->token[0] != '\0');
	assert_true(e->advice[0] != '\0');
}

static void
nothing_left(void)
{
	reopen("");
	assert_int_equal(count(BURIN_OBJECT_PRIVATE), 0);
	assert_int_equal(count(BURIN_OBJECT_PUBLIC), 0);
	softhsm_stop(&h);
}

/* --- templates ------------------------------------------------------------ */

static void
test_fewer_attributes(void **state)
{
	static const char *const orders[] = {
		"refuse_template=0x162",		 /* EXTRACTABLE */
		"refuse_template=0x3",			 /* LABEL */
		"refuse_template=0x162,0x105,0x108,0x3", /* DECRYPT, SIGN */
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		start(orders[i]);
		must(burin_keygen(h.t, &spec, &k, &e), &e);
		assert_int_equal(
		    burin_key_usage(k) & BURIN_USE_SIGN, BURIN_USE_SIGN);
		assert_int_equal(count(BURIN_OBJECT_PRIVATE), 1);
		must(burin_key_destroy(k, &e), &e);
		burin_key_free(&k);
		nothing_left();
	}
}

static void
test_not_protected(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_RSA_2048);
	struct burin_key *k;

	(void)state;
	start("extractable=1");
	refused(burin_keygen(h.t, &spec, &k, &e), &e, "key-not-protected");
	assert_null(k);
	nothing_left();
	/* What cannot be removed is told. */
	burin_error_clear(&e);
	start("extractable=1\nfail=C_DestroyObject:*:CKR_GENERAL_ERROR");
	refused(burin_keygen(h.t, &spec, &k, &e), &e, "key-not-protected");
	assert_non_null(strstr(e.cause, "could not be removed"));
	assert_non_null(strstr(e.cause, "6d616465"));
	softhsm_stop(&h);
}

static void
test_requirements(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k;

	(void)state;
	/* Left out of the template, but not forgotten. */
	start("refuse_template=0x202");
	spec.always_authenticate = 1;
	refused(burin_keygen(h.t, &spec, &k, &e), &e,
	    "always-authenticate-refused");
	nothing_left();
	burin_error_clear(&e);
	spec.always_authenticate = 0;
	start("fail=C_GenerateKeyPair:*:CKR_DEVICE_MEMORY");
	refused(burin_keygen(h.t, &spec, &k, &e), &e, "token-full");
	assert_int_equal(burin_p11_calls_of(h.p11, "C_GenerateKeyPair"), 1);
	nothing_left();
	burin_error_clear(&e);
	spec.type = BURIN_ED25519;
	start("");
	assert_false(burin_token_can_generate(h.t, BURIN_ED25519));
	assert_true(burin_token_can_generate(h.t, BURIN_EC_P256));
	refused(burin_keygen(h.t, &spec, &k, &e), &e, "type-not-offered");
	assert_int_equal(burin_p11_calls_of(h.p11, "C_GenerateKeyPair"), 0);
	nothing_left();
}

/* --- attributes ----------------------------------------------------------- */

static void
test_id_refused(void **state)
{
	static const char *const orders[] = {
		"fail=C_SetAttributeValue:*:CKR_ATTRIBUTE_READ_ONLY",
		/* The public half only: the private one goes back. */
		"fail=C_SetAttributeValue:2:CKR_ATTRIBUTE_READ_ONLY",
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k, *found;
	const unsigned char *id;
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		start(orders[i]);
		must(burin_keygen(h.t, &spec, &k, &e), &e);
		id = burin_key_id(k, &len);
		assert_int_equal(len, sizeof(made));
		assert_memory_equal(id, made, sizeof(made));
		must(
		    burin_key_find_id(h.t, made, sizeof(made), &found, &e), &e);
		assert_int_equal(
		    EVP_PKEY_eq(found->public_key, k->public_key), 1);
		burin_key_free(&found);
		must(burin_key_destroy(k, &e), &e);
		burin_key_free(&k);
		nothing_left();
	}
	start("fail=C_SetAttributeValue:2:CKR_ATTRIBUTE_READ_ONLY\n"
	      "fail=C_SetAttributeValue:3:CKR_ATTRIBUTE_READ_ONLY");
	assert_int_equal(burin_keygen(h.t, &spec, &k, &e), -1);
	assert_string_equal(e.code, "id-split");
	burin_error_clear(&e);
	/* Tried again with a token that is in a better mood. */
	reopen("");
	must(burin_key_find_made(h.t, &spec, &k, &e), &e);
	assert_non_null(k);
	must(burin_key_destroy(k, &e), &e);
	burin_key_free(&k);
	nothing_left();
}

static void
test_reading(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k;

	(void)state;
	/* Fails as a whole: asked for one by one. */
	start("fail=C_GetAttributeValue:1:CKR_FUNCTION_FAILED");
	must(burin_keygen(h.t, &spec, &k, &e), &e);
	must(burin_key_destroy(k, &e), &e);
	burin_key_free(&k);
	nothing_left();
	start("fail=C_FindObjects:1:CKR_GENERAL_ERROR");
	assert_int_equal(
	    burin_key_find_id(h.t, made, sizeof(made), &k, &e), -1);
	assert_string_equal(e.code, "general-error");
	burin_error_clear(&e);
	/* The search that failed is not in the way of the next. */
	assert_int_equal(
	    burin_key_find_id(h.t, made, sizeof(made), &k, &e), -1);
	assert_string_equal(e.code, "key-missing");
	nothing_left();
}

/* --- certificates --------------------------------------------------------- */

static X509 *
certify(EVP_PKEY *pub)
{
	EVP_PKEY *key = pki_key("P-256");
	X509 *ca = pki_ca("CA", key), *cert;
	struct pki_spec spec = {
		.cn = "leaf", .key = pub, .issuer = ca, .issuer_key = key
	};

	cert = pki_cert(&spec);
	X509_free(ca);
	EVP_PKEY_free(key);
	return cert;
}

static void
test_certificate(void **state)
{
	static const char *const orders[] = { "certificate=damaged",
		"certificate=lost" };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k;
	X509 *cert;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start(orders[i]);
		must(burin_keygen(h.t, &spec, &k, &e), &e);
		cert = certify(k->public_key);
		refused(burin_cert_write(k, cert, NULL, 0, &e), &e,
		    "certificate-not-kept");
		burin_error_clear(&e);
		X509_free(cert);
		burin_key_free(&k);
		softhsm_stop(&h);
	}
}

/* --- the whole way, disturbed --------------------------------------------- */

static int
whole(struct burin_error *e)
{
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	CK_MECHANISM mech = { CKM_ECDSA, NULL, 0 };
	unsigned char digest[32] = { 7 }, sig[72];
	struct burin_key *k = NULL;
	size_t len = sizeof(sig);
	X509 *cert = NULL;
	int rc = -1;

	if (burin_key_find_made(h.t, &spec, &k, e) == -1 ||
	    (k == NULL && burin_keygen(h.t, &spec, &k, e) == -1))
		goto out;
	cert = certify(k->public_key);
	if (p11_do(k, P11_SIGN, &mech, digest, sizeof(digest), sig, &len) !=
	    CKR_OK) {
		(void)burin_key_last_error(k, e);
		goto out;
	}
	rc = burin_cert_write(k, cert, NULL, 0, e);
out:
	X509_free(cert);
	burin_key_free(&k);
	return rc;
}

static void
test_one_session(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	start("max_sessions=1");
	must(whole(&e), &e);
	assert_int_equal(count(BURIN_OBJECT_PRIVATE), 1);
	assert_int_equal(count(BURIN_OBJECT_PUBLIC), 1);
	assert_int_equal(count(BURIN_OBJECT_CERT), 1);
	softhsm_stop(&h);
}

/* Half-done work of an earlier run: one pair, whatever its CKA_ID is. */
static void
tidy(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_spec spec = spec_of(BURIN_EC_P256);
	struct burin_key *k = NULL;
	size_t n;

	must(burin_key_find_made(h.t, &spec, &k, &e), &e);
	if (k == NULL && count(BURIN_OBJECT_PRIVATE) > 0)
		must(burin_key_find(h.p11, "mock", &k, &e), &e);
	n = count(BURIN_OBJECT_PRIVATE);
	assert_true(n <= 1);
	assert_int_equal(count(BURIN_OBJECT_PUBLIC), n);
	assert_true(count(BURIN_OBJECT_CERT) <= n);
	assert_int_equal(k != NULL, n);
	if (k != NULL)
		assert_int_equal(burin_key_get_type(k), BURIN_EC_P256);
	burin_key_free(&k);
}

/* Pulled at each call in turn: an error each time, and never a mess. */
static void
test_pulled(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char orders[32];
	int i, done = 0;

	(void)state;
	for (i = 1; !done && i < 100; i++) {
		start("");
		(void)snprintf(orders, sizeof(orders), "remove_at=%d", i);
		reopen(orders);
		burin_error_clear(&e);
		if (h.t != NULL) {
			done = whole(&e) == 0;
			if (!done) {
				assert_true(e.code[0] != '\0');
				assert_true(e.reason[0] != '\0');
			}
		}
		reopen("");
		tidy();
		softhsm_stop(&h);
	}
	assert_true(done);
	print_message("pulled at each of %d calls\n", i - 2);
	assert_true(i > 25);
}

/* Each function fails once, at its first calls, in each of two ways. */
static void
test_faults(void **state)
{
	static const char *const functions[] = { "C_FindObjectsInit",
		"C_FindObjects", "C_FindObjectsFinal", "C_GenerateKeyPair",
		"C_GetAttributeValue", "C_SetAttributeValue", "C_SignInit",
		"C_Sign", "C_CreateObject", "C_OpenSession", "C_CloseSession",
		"C_GetMechanismInfo" };
	static const char *const answers[] = { "CKR_GENERAL_ERROR",
		"CKR_USER_NOT_LOGGED_IN" };
	struct burin_error e = BURIN_ERROR_INIT;
	char orders[96];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < 2 * sizeof(functions) / sizeof(functions[0]); i++)
		for (n = 1; n <= 3; n++) {
			(void)snprintf(orders, sizeof(orders), "fail=%s:%d:%s",
			    functions[i / 2], n, answers[i % 2]);
			start(orders);
			burin_error_clear(&e);
			if (whole(&e) == -1)
				assert_true(e.reason[0] != '\0');
			reopen("");
			tidy();
			softhsm_stop(&h);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewer_attributes),
		cmocka_unit_test(test_not_protected),
		cmocka_unit_test(test_requirements),
		cmocka_unit_test(test_id_refused),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_one_session),
		cmocka_unit_test(test_pulled),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
