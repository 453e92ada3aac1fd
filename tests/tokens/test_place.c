/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What lies in a place before a key is made there: said in words, refused
 * without leave, and known again afterwards. On the mock as ykcs11.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enroll/place.h"
#include "tokens/mock.h"

static void
look(struct mock *m, struct place_use *use, const char *text)
{
	const struct burin_place *p;

	must(burin_token_place(m->t, "9a", 0, &p, &m->e), &m->e);
	must(place_look(m->t, p, use, &m->e), &m->e);
	print_message("  %s\n", use->text);
	if (strstr(use->text, text) == NULL)
		fail_msg("'%s' says nothing of '%s'", use->text, text);
}

static void
refused(struct mock *m, const struct place_use *use)
{
	assert_int_equal(place_check(m->t, use, 0, &m->e), -1);
	assert_int_equal(m->e.status, BURIN_EREFUSED);
	assert_string_equal(m->e.code, "slot-occupied");
	assert_non_null(strstr(m->e.reason, "slot 9a"));
	assert_non_null(strstr(m->e.advice, "--replace"));
	burin_error_clear(&m->e);
	assert_int_equal(place_check(m->t, use, 1, &m->e), 0);
}

static void
test_empty(void **state)
{
	struct place_use use;
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	look(&m, &use, "slot 9a (PIV authentication) is empty");
	assert_int_equal(use.occupied, 0);
	assert_null(use.pub);
	assert_null(use.cert);
	assert_int_equal(place_check(m.t, &use, 0, &m.e), 0);
	/* Nobody had to log in to see that. */
	assert_string_equal(m.trace, "");
	place_use_clear(&use);
	mock_stop(&m);
}

static void
test_placeholder(void **state)
{
	struct burin_key *k;
	struct place_use use;
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	k = mock_key_in(&m, 1);
	look(&m, &use, "nothing but the placeholder certificate");
	assert_int_equal(use.occupied, 1);
	assert_null(use.cert);
	assert_int_equal(EVP_PKEY_eq(use.pub, burin_key_public(k)), 1);
	refused(&m, &use);
	place_use_clear(&use);
	burin_key_free(&k);
	/* Its neighbour is no matter. */
	k = mock_key_in(&m, 2);
	look(&m, &use, "placeholder");
	assert_int_equal(EVP_PKEY_eq(use.pub, burin_key_public(k)), 0);
	place_use_clear(&use);
	burin_key_free(&k);
	mock_stop(&m);
}

static void
test_certificate(void **state)
{
	EVP_PKEY *ca = EVP_EC_gen("P-256"), *pub;
	struct burin_key *k, *next;
	struct place_use use;
	struct mock m;
	X509 *cert;

	(void)state;
	assert_non_null(ca);
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	k = mock_key_in(&m, 1);
	pub = burin_key_public(k);
	cert = mock_cert(pub, ca, "router 7", "Paper CA", 7, 86400);
	must(burin_cert_write(k, cert, NULL, BURIN_OTHERS_REFUSE, &m.e), &m.e);
	look(&m, &use, "with the certificate of CN=router 7, valid until 20");
	assert_non_null(strstr(use.text, "(ec:P-256)"));
	assert_int_equal(X509_cmp(use.cert, cert), 0);
	assert_int_equal(EVP_PKEY_eq(use.pub, pub), 1);
	refused(&m, &use);
	place_use_clear(&use);
	/* A new key takes certificate and key with it. */
	next = mock_key_in(&m, 1);
	look(&m, &use, "placeholder");
	assert_int_equal(EVP_PKEY_eq(use.pub, pub), 0);
	assert_int_equal(EVP_PKEY_eq(use.pub, burin_key_public(next)), 1);
	place_use_clear(&use);
	burin_key_free(&next);
	burin_key_free(&k);
	X509_free(cert);
	EVP_PKEY_free(ca);
	mock_stop(&m);
}

/* Writes cert into 9a, which no key of the token needs to be for. */
static void
force(struct mock *m, X509 *cert)
{
	char der[96], command[512];
	FILE *f;

	(void)snprintf(der, sizeof(der), "%s/cert.der", m->dir);
	f = fopen(der, "wb");
	assert_non_null(f);
	assert_int_equal(i2d_X509_fp(f, cert), 1);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(command, sizeof(command),
	    "ASAN_OPTIONS= pkcs11-tool --module %s --token-label mock --login "
	    "--login-type so --so-pin " MOCK_MGM
	    " --write-object %s --type cert --id 01 >/dev/null 2>&1",
	    MOCK, der);
	assert_int_equal(system(command), 0);
}

/*
 * A certificate of another key, seen before the key itself: "before" must be
 * the key, or a process that dies before C_GenerateKeyPair would take the
 * old key for its own.
 */
static void
test_foreign_certificate(void **state)
{
	EVP_PKEY *ca = EVP_EC_gen("P-256");
	struct burin_key_spec spec = { .type = BURIN_EC_P256 };
	const unsigned char id = 1;
	struct burin_key *k, *found;
	struct place_use use;
	struct mock m;
	X509 *cert;

	(void)state;
	if (system("command -v pkcs11-tool >/dev/null") != 0)
		skip();
	assert_non_null(ca);
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	cert = mock_cert(ca, ca, "somebody", "Paper CA", 7, 86400);
	force(&m, cert);
	mock_be(&m, LIKE_YKCS11);
	k = mock_key_in(&m, 1);
	force(&m, cert);
	mock_be(&m, LIKE_YKCS11);
	look(&m, &use, "CN=somebody");
	must(burin_key_find_id(m.t, &id, 1, &found, &m.e), &m.e);
	assert_int_equal(EVP_PKEY_eq(use.pub, burin_key_public(found)), 1);
	assert_int_equal(EVP_PKEY_eq(use.pub, ca), 0);
	burin_key_free(&found);
	spec.id = &id;
	spec.id_len = 1;
	spec.before = use.pub;
	must(burin_key_find_made(m.t, &spec, &found, &m.e), &m.e);
	assert_null(found);
	/* With nothing before, what is there is what was made. */
	spec.before = NULL;
	must(burin_key_find_made(m.t, &spec, &found, &m.e), &m.e);
	assert_non_null(found);
	burin_key_free(&found);
	place_use_clear(&use);
	burin_key_free(&k);
	X509_free(cert);
	EVP_PKEY_free(ca);
	mock_stop(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_placeholder),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_foreign_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
