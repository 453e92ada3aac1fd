/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The certificates of an RA on SoftHSM: which one it takes of several, and
 * what it says of one that does not do.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/authority/ca.h"
#include "objects.h"

static const char *const ra_exts[] = { "keyUsage=critical,digitalSignature",
	"extendedKeyUsage=cmcRA", NULL };
static const char *const server_exts[] = { "keyUsage=critical,digitalSignature",
	"extendedKeyUsage=serverAuth",
	"subjectAltName=DNS:ra.example,IP:192.0.2.1,IP:2001:db8::1", NULL };
static const char *const pop_exts[] = { "keyUsage=critical,keyAgreement",
	NULL };
static const char *const plain_exts[] = { "keyUsage=critical,digitalSignature",
	NULL };
static const char *const sealing_exts[] = { "keyUsage=critical,keyEncipherment",
	"extendedKeyUsage=cmcRA", NULL };

/* On the token beside k, and here. */
static X509 *
enrol(struct burin_key *k, const char *const *exts, int from, int until)
{
	const struct pki_spec spec = { .cn = "ra",
		.exts = exts,
		.key = burin_key_public(k),
		.issuer = ca,
		.issuer_key = ca_key,
		.from = PKI_NOW + from * PKI_DAY,
		.until = PKI_NOW + until * PKI_DAY };
	struct burin_error e = BURIN_ERROR_INIT;
	X509 *cert = pki_cert(&spec);

	must(burin_cert_write(k, cert, NULL, BURIN_OTHERS_KEEP, &e), &e);
	return cert;
}

static void
takes(struct burin_key *k, enum enrolled which, const char *const *hosts,
    X509 *want)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct issuer anchor;
	X509 *got;

	issuer_of_nobody(&anchor, ca);
	must(enrolled_find(&anchor, k, which, hosts, PKI_NOW, &got, &e), &e);
	assert_int_equal(X509_cmp(got, want), 0);
	assert_int_equal(e.status, BURIN_OK);
	X509_free(got);
}

static void
takes_none(X509 *under, struct burin_key *k, enum enrolled which,
    const char *const *hosts, const char *code, const char *advice)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct issuer anchor;
	X509 *got;

	issuer_of_nobody(&anchor, under);
	assert_int_equal(
	    enrolled_find(&anchor, k, which, hosts, PKI_NOW, &got, &e), -1);
	assert_null(got);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, code);
	if (strstr(e.advice, advice) == NULL)
		fail_msg("%s", e.advice);
}

/* Not the one that ends last, or was written last: the newest that is good. */
static void
takes_the_newest_good_one(void **state)
{
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	X509 *old, *good, *over, *early, *plain;

	(void)state;
	takes_none(
	    ca, k, ENROLLED_CMC, NULL, "enrolment-missing", "--profile cmc-ra");
	over = enrol(k, ra_exts, -20, -1);
	takes_none(
	    ca, k, ENROLLED_CMC, NULL, "enrolment-expired", "--key 'pkcs11:");
	good = enrol(k, ra_exts, -5, 30);
	takes(k, ENROLLED_CMC, NULL, good);
	old = enrol(k, ra_exts, -10, 90);
	takes(k, ENROLLED_CMC, NULL, good);
	early = enrol(k, ra_exts, 2, 90);
	plain = enrol(k, plain_exts, -1, 30);
	takes(k, ENROLLED_CMC, NULL, good);
	X509_free(old);
	X509_free(good);
	X509_free(over);
	X509_free(early);
	X509_free(plain);
	burin_key_free(&k);
}

static void
is_under_the_anchor(void **state)
{
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	EVP_PKEY *key = pki_key("P-256");
	/* Of the same name. */
	X509 *other = pki_ca("Test CA", key), *cert;

	(void)state;
	cert = enrol(k, ra_exts, -1, 30);
	takes(k, ENROLLED_CMC, NULL, cert);
	takes_none(other, k, ENROLLED_CMC, NULL, "certificate-invalid",
	    "--profile cmc-ra");
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(key);
	burin_key_free(&k);
}

static void
is_for_what_it_is_used_for(void **state)
{
	static const char *const hosts[] = { "ra.example", "192.0.2.1",
		"2001:db8::1", NULL };
	static const char *const more[] = { "ra.example", "other.example",
		NULL };
	struct burin_key *sign = softhsm_key(&h, BURIN_EC_P256, 0, 0);
	struct burin_key *derive =
	    softhsm_key(&h, BURIN_EC_P256, BURIN_USE_DERIVE, 0);
	X509 *cert;

	(void)state;
	cert = enrol(sign, sealing_exts, -9, 30);
	takes_none(ca, sign, ENROLLED_CMC, NULL, "enrolment-unfit",
	    "--profile cmc-ra");
	X509_free(cert);
	cert = enrol(sign, server_exts, -1, 30);
	takes_none(ca, sign, ENROLLED_CMC, NULL, "enrolment-unfit",
	    "--profile cmc-ra");
	takes(sign, ENROLLED_TLS, NULL, cert);
	takes(sign, ENROLLED_TLS, hosts, cert);
	takes_none(ca, sign, ENROLLED_TLS, more, "enrolment-unfit",
	    "--profile tls-server");
	X509_free(cert);
	cert = enrol(derive, plain_exts, -9, 30);
	takes_none(ca, derive, ENROLLED_POP, NULL, "enrolment-unfit",
	    "--profile key-agreement");
	X509_free(cert);
	cert = enrol(derive, pop_exts, -1, 30);
	/* Hosts are the server's alone. */
	takes(derive, ENROLLED_POP, more, cert);
	X509_free(cert);
	burin_key_free(&sign);
	burin_key_free(&derive);
}

/* What the door, GnuTLS and CMC can use. */
static void
keys_that_do_not_fit(void **state)
{
	static const struct {
		enum burin_key_type type;
		unsigned usage;
		enum enrolled which;
	} rows[] = {
		{ BURIN_EC_P256, BURIN_USE_DERIVE, ENROLLED_CMC },
		{ BURIN_ED25519, BURIN_USE_SIGN, ENROLLED_CMC },
		{ BURIN_EC_P384, BURIN_USE_SIGN, ENROLLED_TLS },
		{ BURIN_RSA_2048, BURIN_USE_SIGN, ENROLLED_TLS },
		{ BURIN_EC_P256, BURIN_USE_SIGN, ENROLLED_POP },
		{ BURIN_EC_P384, BURIN_USE_DERIVE, ENROLLED_POP },
	};
	struct burin_key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		k = softhsm_key(&h, rows[i].type, rows[i].usage, 0);
		takes_none(ca, k, rows[i].which, NULL, "key-unfit",
		    "burin enroll --token");
		burin_key_free(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_newest_good_one),
		cmocka_unit_test(is_under_the_anchor),
		cmocka_unit_test(is_for_what_it_is_used_for),
		cmocka_unit_test(keys_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
