/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message of CMC costs a token: two signatures with a key of its own
 * (the proof of possession, the message), one where a certificate that is
 * there already signs for a request that somebody else vouches for.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <burin/cmc.h>

#include "one_softhsm.h"
#include "pki.h"

static struct burin_subject *
subject(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s;

	must(burin_subject_new(&s, &e), &e);
	must(burin_subject_set_dn(s, "CN=token", &e), &e);
	return s;
}

/* A whole Full request; gives back how often the token signed for it. */
static unsigned long
ask(enum burin_cmc_form form, EVP_PKEY *pub, enum burin_pop pop, EVP_PKEY *key,
    const struct burin_cms_signer *signer)
{
	unsigned long before = burin_p11_calls_of(h.p11, "C_Sign");
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s = subject();
	struct burin_cmc_request q = { .form = form,
		.subject = s,
		.pub = pub,
		.how = { .pop = pop, .key = key, .agree = -1 } };
	struct burin_cmc_thread thread = { .sent = { .len = 0 } };
	struct burin_cmc_ask a = { .thread = &thread, .signer = signer };
	unsigned char *list, *der;
	size_t list_len, len;

	must(burin_cmc_begin(&thread, &e), &e);
	must(
	    burin_cmc_requests_make(&q, 1, &thread, NULL, &list, &list_len, &e),
	    &e);
	a.requests = list;
	a.requests_len = list_len;
	must(burin_cmc_make(&a, &der, &len, &e), &e);
	OPENSSL_free(list);
	OPENSSL_free(der);
	burin_subject_free(&s);
	return burin_p11_calls_of(h.p11, "C_Sign") - before;
}

static void
test_own_key(void **state)
{
	static const enum burin_key_type types[] = { BURIN_RSA_2048,
		BURIN_EC_P256, BURIN_ED25519 };
	unsigned char id[BURIN_KEY_IDENTIFIER];
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_KEY,
		.signing_time = PKI_NOW };
	struct burin_key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		k = softhsm_key(&h, types[i], BURIN_USE_SIGN, 0);
		signer.key = softhsm_evp(k);
		signer.pub = burin_key_public(k);
		must(burin_key_identifier(signer.pub, id, &e), &e);
		signer.key_id = id;
		signer.key_id_len = sizeof(id);
		assert_int_equal(ask(BURIN_CMC_PKCS10, signer.pub,
				     BURIN_POP_SIGNATURE, signer.key, &signer),
		    2);
		assert_int_equal(ask(BURIN_CMC_CRMF, signer.pub,
				     BURIN_POP_SIGNATURE, signer.key, &signer),
		    2);
		burin_key_free(&k);
	}
}

/* RFC 4211 section 4: raVerified, by an RA towards its CA. */
static void
test_vouched_for(void **state)
{
	struct burin_key *ra =
	    softhsm_key(&h, BURIN_EC_P256, BURIN_USE_SIGN, 0);
	EVP_PKEY *ca_key = pki_key("P-256"), *other = pki_key("P-256");
	X509 *ca = pki_ca("ca", ca_key);
	struct pki_spec spec = { .cn = "ra",
		.key = burin_key_public(ra),
		.issuer = ca,
		.issuer_key = ca_key };
	X509 *cert = pki_cert(&spec);
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_CERT,
		.key = softhsm_evp(ra),
		.pub = burin_key_public(ra),
		.cert = cert,
		.signing_time = PKI_NOW };

	(void)state;
	assert_int_equal(
	    ask(BURIN_CMC_CRMF, other, BURIN_POP_BY_RA, NULL, &signer), 1);
	/* A key that decrypts only proves itself later. */
	assert_int_equal(
	    ask(BURIN_CMC_CRMF, other, BURIN_POP_CHALLENGE, NULL, &signer), 1);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(other);
	EVP_PKEY_free(ca_key);
	burin_key_free(&ra);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_key),
		cmocka_unit_test(test_vouched_for),
	};

	return cmocka_run_group_tests_name("cmc-token", tests, setup, teardown);
}
