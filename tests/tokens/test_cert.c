/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates on SoftHSM: written, read back, replaced, destroyed, and what
 * others have put under the same CKA_ID.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "objects.h"

/* --- certificates --------------------------------------------------------- */

static void
assert_certs(struct burin_key *k, X509 *a, X509 *b)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) * certs;

	must(burin_cert_read(k, &certs, &e), &e);
	assert_int_equal(sk_X509_num(certs), (a != NULL) + (b != NULL));
	if (a != NULL)
		assert_int_equal(X509_cmp(sk_X509_value(certs, 0), a), 0);
	if (b != NULL)
		assert_int_equal(X509_cmp(sk_X509_value(certs, 1), b), 0);
	sk_X509_pop_free(certs, X509_free);
}

static void
test_cert(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	EVP_PKEY *strange = pki_key("P-256");
	X509 *first, *second, *foreign;
	struct burin_id_use use;
	unsigned long created;

	(void)state;
	first = certify(k->public_key, "first");
	second = certify(k->public_key, "second");
	foreign = certify(strange, "foreign");
	assert_certs(k, NULL, NULL);
	refused(burin_cert_write(k, foreign, NULL, 1, &e), &e, BURIN_ECHECK,
	    "key-mismatch");
	assert_certs(k, NULL, NULL);
	must(burin_cert_write(k, first, "its label", 0, &e), &e);
	assert_certs(k, first, NULL);
	created = burin_p11_calls_of(h.p11, "C_CreateObject");
	must(burin_cert_write(k, first, NULL, 0, &e), &e);
	must(burin_cert_write(k, first, NULL, 1, &e), &e);
	refused(burin_cert_write(k, second, NULL, 0, &e), &e, BURIN_EREFUSED,
	    "certificate-present");
	assert_int_equal(burin_p11_calls_of(h.p11, "C_CreateObject"), created);
	must(burin_key_id_use(k, &use, &e), &e);
	assert_false(use.id_taken);
	assert_int_equal(sk_X509_num(use.certs), 1);
	sk_X509_pop_free(use.certs, X509_free);
	must(burin_cert_write(k, second, NULL, 1, &e), &e);
	assert_certs(k, second, NULL);
	must(burin_cert_destroy(k, first, &e), &e);
	assert_certs(k, second, NULL);
	must(burin_cert_destroy(k, second, &e), &e);
	assert_certs(k, NULL, NULL);
	X509_free(first);
	X509_free(second);
	X509_free(foreign);
	EVP_PKEY_free(strange);
	remove_key(&k);
}

/* What others have put under the CKA_ID. */
static void
test_foreign(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0),
			 *other = softhsm_key(&h, BURIN_EC_P384, 0, 0);
	X509 *cert = certify(k->public_key, "mine"),
	     *others = certify(other->public_key, "another");
	unsigned char id[BURIN_MAX_ID];
	struct burin_id_use use;
	STACK_OF(X509) * certs;

	(void)state;
	must(burin_cert_write(other, others, NULL, 0, &e), &e);
	/* The other certificate gets our CKA_ID. */
	memcpy(id, other->id, other->id_len);
	must(burin_cert_destroy(other, others, &e), &e);
	memcpy(other->id, k->id, k->id_len);
	other->alone = 1;
	must(burin_cert_write(other, others, NULL, 0, &e), &e);
	memcpy(other->id, id, other->id_len);
	must(burin_cert_read(k, &certs, &e), &e);
	assert_int_equal(sk_X509_num(certs), 1);
	sk_X509_pop_free(certs, X509_free);
	k->alone = 0;
	refused(burin_cert_write(k, cert, NULL, 0, &e), &e, BURIN_EREFUSED,
	    "id-taken");
	refused(burin_cert_write(k, cert, NULL, 1, &e), &e, BURIN_EREFUSED,
	    "id-taken");
	must(burin_cert_destroy(k, others, &e), &e);
	/* The other pair gets it. */
	set_id(other->pub, k->id, k->id_len);
	set_id(other->priv, k->id, k->id_len);
	must(burin_key_id_use(k, &use, &e), &e);
	assert_true(use.id_taken);
	sk_X509_pop_free(use.certs, X509_free);
	refused(burin_cert_write(k, cert, NULL, 0, &e), &e, BURIN_EREFUSED,
	    "id-taken");
	assert_int_equal(count(k, BURIN_OBJECT_CERT), 0);
	set_id(other->pub, id, other->id_len);
	set_id(other->priv, id, other->id_len);
	remove_key(&other);
	must(burin_cert_write(k, cert, NULL, 0, &e), &e);
	assert_certs(k, cert, NULL);
	/* The key goes, its certificate stays. */
	must(burin_key_destroy(k, &e), &e);
	assert_int_equal(count(k, BURIN_OBJECT_CERT), 1);
	burin_key_free(&k);
	X509_free(cert);
	X509_free(others);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cert),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
