/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Full PKI Request of ours does not say, and which section of RFC 10002
 * it names then.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmcing.h"

/* Refused with this code and section. */
static void
refused(const struct burin_cmc_ask *ask, const char *code, const char *section)
{
	struct der d;

	burin_error_clear(&e);
	assert_int_equal(burin_cmc_make(ask, &d.data, &d.len, &e), -1);
	assert_null(d.data);
	assert_string_equal(e.code, code);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.rule, section);
	assert_null(strstr(e.reason, "horse"));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_signer_rules(void **state)
{
	struct der ed_req = one(signed_by(BURIN_CMC_PKCS10, ed)),
		   rsa_p10 = one(challenged(BURIN_CMC_PKCS10, rsa)),
		   rsa_crmf = one(challenged(BURIN_CMC_CRMF, rsa)), no_ski;
	struct burin_cms_signer s = by_key;
	struct burin_cmc_ask ask = ask_for(&ed_req, &s);
	struct message m;

	(void)state;
	m = make(&ask);
	drop(&m);
	/* a key whose request is not here, or is of another key */
	s.key = s.pub = other;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	s = by_key;
	s.key_id = rsa_id;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	assert_non_null(strstr(e.advice, "subjectKeyIdentifier"));
	s = by_key;
	burin_subject_set_ski(subject, 0);
	no_ski = one(signed_by(BURIN_CMC_PKCS10, ed));
	burin_subject_set_ski(subject, 1);
	ask = ask_for(&no_ski, &s);
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	/* a certificate signs what has no SKI: RFC 6487's requests */
	ask.signer = &by_cert;
	m = make(&ask);
	drop(&m);
	/* a key that is to be challenged has signed nothing */
	s.key = s.pub = rsa;
	s.key_id = rsa_id;
	ask = ask_for(&rsa_p10, &s);
	refused(&ask, "signer-without-signature", "RFC 10002 section 3.2");
	ask = ask_for(&rsa_crmf, &s);
	refused(&ask, "signer-without-signature", "RFC 10002 section 3.2");
	ask.signer = &unsigned_rsa;
	m = make(&ask);
	drop(&m);
	ask = ask_for(&ed_req, &unsigned_rsa);
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	/* nobody */
	ask.signer = &by_nobody;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask.signer = NULL;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	/* a key alone only goes on with what its request began */
	ask = ask_for(NULL, &by_key);
	ask.publish = certs;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	OPENSSL_free(ed_req.data);
	OPENSSL_free(rsa_p10.data);
	OPENSSL_free(rsa_crmf.data);
	OPENSSL_free(no_ski.data);
}

static void
test_secret_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_identity id = identity;
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);

	(void)state;
	ask.protect = BURIN_CMC_AUTHENTICATED;
	refused(&ask, "secret-missing", "RFC 10002 section 3.2");
	ask.identity = &id;
	id.secret = NULL;
	refused(&ask, "secret-missing", "RFC 10002 section 6.2");
	id = identity;
	id.identification = "two\nlines";
	refused(&ask, "text-malformed", "RFC 10002 section 6.2.3");
	id.identification = "";
	refused(&ask, "text-malformed", "RFC 10002 section 6.2.3");
	id = identity;
	ask = ask_for(&reqs, &by_key);
	ask.thread = NULL;
	ask.link = 1;
	refused(&ask, "random-missing", "RFC 10002 section 6.3.1.3");
	ask = ask_for(NULL, &by_cert);
	ask.publish = certs;
	ask.link = 1;
	refused(&ask, "random-missing", "RFC 10002 section 6.3.1.3");
	OPENSSL_free(reqs.data);
}

static void
test_revocation_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_revocation r = revocation;
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	struct message m;

	(void)state;
	ask.revoke = &r;
	m = make(&ask);
	drop(&m);
	r.secret = secret;
	refused(&ask, "revocation-signed", "RFC 10002 section 6.11");
	ask.protect = BURIN_CMC_AUTHENTICATED;
	ask.identity = &identity;
	refused(&ask, "revocation-signed", "RFC 10002 section 6.11");
	ask = ask_for(NULL, &by_nobody);
	ask.revoke = &r;
	m = make(&ask);
	drop(&m);
	ask.publish = certs;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask = ask_for(&reqs, NULL);
	ask.revoke = &r;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	r.secret = NULL;
	ask = ask_for(NULL, &by_nobody);
	ask.revoke = &r;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask.signer = &by_cert;
	for (r.reason = -1; r.reason < 12; r.reason++) {
		if (r.reason >= 0 && r.reason <= 10 && r.reason != 7) {
			m = make(&ask);
			drop(&m);
		} else {
			refused(&ask, "revocation-malformed",
			    "RFC 10002 section 6.11");
			burin_error_clear(&e);
		}
	}
	r = revocation;
	r.comment = "\x1b[31m";
	refused(&ask, "text-malformed", "RFC 10002 section 6.11");
	r = revocation;
	r.serial = NULL;
	refused(&ask, "revocation-malformed", "RFC 10002 section 6.11");
	OPENSSL_free(reqs.data);
}

static void
test_other_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_pop pop = { 2, "1.2.840.113549.2.9", { 1 }, 32 };
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	const struct burin_cmc_ask plain = ask;

	(void)state;
	ask.pend_token.len = 4;
	refused(&ask, "poll-with-requests", "RFC 10002 section 6.13");
	ask.pend_token.len = BURIN_CMC_MAX_OCTETS + 1;
	refused(&ask, "octets-too-long", "RFC 10002 section 6.13");
	ask = plain;
	ask.pops = &pop;
	ask.n_pops = 1;
	refused(&ask, "pop-request", "RFC 10002 section 6.7");
	pop.id = 1;
	pop.value_len = 0;
	refused(&ask, "pop-malformed", "RFC 10002 section 6.7");
	pop.value_len = 32;
	(void)strcpy(pop.algorithm, "1.2.3");
	refused(&ask, "pop-malformed", "RFC 10002 section 6.7");
	ask.n_pops = 9;
	refused(&ask, "pop-count", "RFC 10002 section 6.7");
	ask = ask_for(NULL, &by_cert);
	refused(&ask, "nothing-asked", "RFC 10002 section 3.2");
	ask.get_issuer = X509_get_issuer_name(cert);
	refused(&ask, "retrieval-malformed", "RFC 10002 section 6.9");
	ask.get_serial = X509_get0_serialNumber(cert);
	ask.get_crl = 1;
	refused(&ask, "retrieval-both", "RFC 10002 section 6.9");
	ask.get_serial = NULL;
	ask.get_issuer = NULL;
	refused(&ask, "retrieval-malformed", "RFC 10002 section 6.10");
	/* looking up is for everybody, but not what goes with it */
	ask = ask_for(NULL, &by_nobody);
	ask.get_issuer = X509_get_issuer_name(cert);
	ask.get_crl = 1;
	ask.publish = certs;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask = ask_for(NULL, &by_cert);
	ask.publish = certs;
	ask.unpublish = 1;
	ask.publish_place = BURIN_CMC_LDAP;
	refused(&ask, "publication-malformed", "RFC 10002 section 6.18");
	ask.unpublish = 0;
	ask.publish_uri = "ldap://\xc3\xa4";
	refused(&ask, "publication-malformed", "RFC 10002 section 6.18");
	ask.publish = sk_X509_new_null();
	ask.publish_uri = NULL;
	refused(&ask, "publication-malformed", "RFC 10002 section 6.18");
	sk_X509_free(ask.publish);
	ask = ask_for(NULL, &by_key);
	ask.abort_pop = UINT32_MAX;
	refused(&ask, "body-part", "RFC 10002 section 3.2.2");
	/* what we made was changed since */
	ask = plain;
	ask.requests_len--;
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_make(&ask, &(unsigned char *) { NULL },
			     &(size_t) { 0 }, &e),
	    -1);
	assert_string_equal(e.code, "request-malformed");
	OPENSSL_free(reqs.data);
}

static void
test_request_rules(void **state)
{
	struct burin_cmc_request list[9];
	struct burin_cmc_thread none = { 0 };
	struct burin_subject *full;
	struct der d;
	char line[32];
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		list[i] = signed_by(BURIN_CMC_PKCS10, ed);
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 9, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "request-count");
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 0, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &none, &identity, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "random-missing");
	/* a subject that has no room for one attribute more */
	burin_error_clear(&e);
	must(burin_subject_new(&full, &e));
	for (i = 0; i < BURIN_MAX_ATTRIBUTES - 2; i++) {
		(void)snprintf(line, sizeof(line), "1.2.3.%zu=x", i);
		must(burin_subject_add_attribute(full, line, &e));
	}
	list[0].subject = full;
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &thread, &identity, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "too-many-attributes");
	burin_error_clear(&e);
	must(burin_cmc_requests_make(
	    list, 1, &thread, NULL, &d.data, &d.len, &e));
	OPENSSL_free(d.data);
	burin_subject_free(&full);
	/* X25519 cannot sign, and can be challenged */
	list[0] = signed_by(BURIN_CMC_PKCS10, x25519);
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	d = one(challenged(BURIN_CMC_CRMF, x25519));
	OPENSSL_free(d.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signer_rules),
		cmocka_unit_test(test_secret_rules),
		cmocka_unit_test(test_revocation_rules),
		cmocka_unit_test(test_other_rules),
		cmocka_unit_test(test_request_rules),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
