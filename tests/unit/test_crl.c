/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Revocation lists as they are handed out: whose, by whom, from when to when.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/response.h>

#include "pki.h"

#define HOUR ((time_t)3600)

static struct burin_error e;
static EVP_PKEY *key, *other;
static X509 *ca, *sub, *namesake, *mute;
static STACK_OF(X509) * anchors, *bag;

static X509 *
make_sub(const char *cn, EVP_PKEY *k, const char *usage)
{
	const char *const exts[] = { "basicConstraints=critical,CA:TRUE", usage,
		NULL };
	const struct pki_spec spec = { .cn = cn,
		.exts = exts,
		.key = k,
		.issuer = ca,
		.issuer_key = key };

	return pki_cert(&spec);
}

static int
setup(void **state)
{
	(void)state;
	key = pki_key("ED25519");
	other = pki_key("ED25519");
	ca = pki_ca("CA", key);
	namesake = pki_ca("Sub", key);
	sub = make_sub("Sub", other, "keyUsage=critical,keyCertSign,cRLSign");
	mute = make_sub("Mute", other, "keyUsage=critical,keyCertSign");
	anchors = sk_X509_new_null();
	bag = sk_X509_new_null();
	return sk_X509_push(anchors, ca) > 0 &&
		sk_X509_push(bag, namesake) > 0 && sk_X509_push(bag, sub) > 0 &&
		sk_X509_push(bag, mute) > 0
	    ? 0
	    : -1;
}

static int
teardown(void **state)
{
	(void)state;
	sk_X509_free(anchors);
	sk_X509_free(bag);
	X509_free(ca);
	X509_free(sub);
	X509_free(namesake);
	X509_free(mute);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

/* until 0: no nextUpdate */
static X509_CRL *
make_crl(X509 *issuer, EVP_PKEY *by, time_t from, time_t until)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, PKI_NOW + from);

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
	if (until != 0) {
		assert_non_null(ASN1_TIME_set(t, PKI_NOW + until));
		assert_int_equal(X509_CRL_set1_nextUpdate(crl, t), 1);
	}
	ASN1_TIME_free(t);
	assert_true(X509_CRL_sign(crl, by, NULL) > 0);
	return crl;
}

/* Takes crl over. code NULL: it is good. */
static void
judged(X509_CRL *crl, X509 *issuer, const char *code)
{
	const struct burin_crl_input in = { crl, X509_get_subject_name(issuer),
		bag, anchors, PKI_NOW, 300 };

	burin_error_clear(&e);
	if (code == NULL) {
		assert_int_equal(burin_check_crl(&in, &e), 0);
	} else {
		assert_int_equal(burin_check_crl(&in, &e), -1);
		assert_int_equal(e.status, BURIN_ECHECK);
		assert_string_equal(e.code, code);
	}
	assert_int_equal(ERR_peek_error(), 0);
	X509_CRL_free(crl);
}

static void
test_signed(void **state)
{
	(void)state;
	judged(make_crl(ca, key, -HOUR, HOUR), ca, NULL);
	/* by an authority below, whose certificate came along */
	judged(make_crl(sub, other, -HOUR, HOUR), sub, NULL);
	judged(make_crl(ca, other, -HOUR, HOUR), ca, "crl-signature");
	/* of the right name only: it leads to no anchor */
	judged(make_crl(namesake, key, -HOUR, HOUR), sub, "crl-signature");
	judged(make_crl(mute, other, -HOUR, HOUR), mute, "crl-signer");
	judged(make_crl(ca, key, -HOUR, HOUR), sub, "crl-issuer");
}

static void
test_times(void **state)
{
	(void)state;
	judged(make_crl(ca, key, -HOUR, 0), ca, NULL);
	judged(make_crl(ca, key, 200, HOUR), ca, NULL);
	judged(make_crl(ca, key, -HOUR, -200), ca, NULL);
	judged(make_crl(ca, key, 400, HOUR), ca, "crl-times");
	judged(make_crl(ca, key, -HOUR, -2 * HOUR), ca, "crl-times");
	judged(make_crl(ca, key, -2 * HOUR, -HOUR), ca, "crl-stale");
	assert_string_not_equal(e.advice, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
