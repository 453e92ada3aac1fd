/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks G1 and G4 to G8: what each lets pass, warns of and refuses.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "checking.h"

static EVP_PKEY *ca_key, *leaf_key, *other_key;
static X509 *ca;

static int
setup(void **state)
{
	(void)state;
	ca_key = pki_key("P-256");
	leaf_key = pki_key("P-256");
	other_key = pki_key("P-256");
	ca = pki_ca("Anchor", ca_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(other_key);
	return 0;
}

static X509 *
leaf_with(const char *cn, const char *const *exts)
{
	struct pki_spec spec = { 0 };

	spec.cn = cn;
	spec.exts = exts;
	spec.key = leaf_key;
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	return pki_cert(&spec);
}

static void
test_nothing_to_compare(void **state)
{
	X509 *cert = leaf_with("Alice", NULL);
	struct burin_check_input in = input(cert);
	static const char *const skipped[] = { "G1", "G2", "G4", "G5", "G7",
		"G8" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		assert_int_equal(level_of(&in, skipped[i]), BURIN_SKIP);
	assert_int_equal(level_of(&in, "G3"), BURIN_PASS);
	assert_int_equal(level_of(&in, "G6"), BURIN_PASS);
	X509_free(cert);
}

static void
test_g1_key(void **state)
{
	X509 *cert = leaf_with("Alice", NULL);
	struct burin_check_input in = input(cert);
	EVP_PKEY *rsa = pki_key("RSA");

	(void)state;
	in.pub = leaf_key;
	assert_int_equal(level_of(&in, "G1"), BURIN_PASS);
	in.pub = other_key;
	assert_int_equal(level_of(&in, "G1"), BURIN_FAIL);
	in.pub = rsa;
	assert_int_equal(level_of(&in, "G1"), BURIN_FAIL);
	EVP_PKEY_free(rsa);
	X509_free(cert);
}

static struct burin_asked
asked_for(const char *cn, const char *const *exts)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509_REQ *req = pki_req(cn, leaf_key, exts);
	struct burin_asked asked;
	unsigned char *der = NULL;
	int len = i2d_X509_REQ(req, &der);

	assert_true(len > 0);
	assert_int_equal(burin_asked_parse(der, (size_t)len, leaf_key,
			     BURIN_EINTERNAL, &asked, &e),
	    0);
	OPENSSL_free(der);
	X509_REQ_free(req);
	return asked;
}

/* A check of a request (cn, ext) against a certificate. */
static enum burin_check_level
asked_and_got(const char *id, const char *asked_cn, const char *asked,
    const char *got_cn, const char *got)
{
	struct burin_asked what = asked_for(asked_cn, EXTS(asked));
	X509 *cert = leaf_with(got_cn, EXTS(got));
	struct burin_check_input in = input(cert);
	enum burin_check_level level;

	in.asked = &what;
	level = level_of(&in, id);
	X509_free(cert);
	burin_asked_clear(&what);
	return level;
}

static enum burin_check_level
names(const char *asked_cn, const char *asked, const char *got_cn,
    const char *got)
{
	return asked_and_got("G4", asked_cn, asked, got_cn, got);
}

static void
test_g4_names(void **state)
{
	static const char im[] = "subjectAltName=URI:im:alice@example.com";
	static const char mallory[] =
	    "subjectAltName=URI:im:mallory@example.com";
	static const char both[] = "subjectAltName=URI:im:alice@example.com,"
				   "URI:im:mallory@example.com";
	static const char more[] = "subjectAltName=URI:im:alice@example.com,"
				   "DNS:example.com";
	static const char jid[] = "subjectAltName=otherName:1.3.6.1.5.5.7.8.5;"
				  "UTF8:alice@example.com";
	static const char bad_jid[] =
	    "subjectAltName=otherName:1.3.6.1.5.5.7.8.5;"
	    "UTF8:mallory@example.com";

	(void)state;
	assert_int_equal(names("Alice", im, "Alice", im), BURIN_PASS);
	assert_int_equal(names("Alice", jid, "Alice", jid), BURIN_PASS);
	assert_int_equal(names("Alice", im, "Alice", NULL), BURIN_FAIL);
	assert_int_equal(names("Alice", im, "Alice", mallory), BURIN_FAIL);
	assert_int_equal(names("Alice", im, "Alice", both), BURIN_FAIL);
	assert_int_equal(names("Alice", jid, "Alice", bad_jid), BURIN_FAIL);
	assert_int_equal(names("Alice", im, "Alice", jid), BURIN_FAIL);
	assert_int_equal(names("Alice", im, "Alice", more), BURIN_WARN);
	assert_int_equal(names("Alice", im, "Alice B", im), BURIN_WARN);
	assert_int_equal(names("Alice", im, NULL, im), BURIN_WARN);
	assert_int_equal(names("Alice", NULL, "Alice", im), BURIN_WARN);
	/* Compared as RFC 5280 section 7 says. */
	assert_int_equal(names("r7", "subjectAltName=DNS:R7.example.com", "r7",
			     "subjectAltName=DNS:r7.EXAMPLE.com"),
	    BURIN_PASS);
	assert_int_equal(names("A", "subjectAltName=email:a@Example.com", "A",
			     "subjectAltName=email:a@example.com"),
	    BURIN_PASS);
	assert_int_equal(names("A", "subjectAltName=email:A@example.com", "A",
			     "subjectAltName=email:a@example.com"),
	    BURIN_FAIL);
}

static void
test_g4_subject(void **state)
{
	struct pki_spec spec = { 0 };
	struct burin_check_input in;
	struct burin_asked asked = asked_for("Alice", NULL);

	(void)state;
	assert_int_equal(names("Alice", NULL, "Alice", NULL), BURIN_PASS);
	assert_int_equal(names("Alice", NULL, "ALICE ", NULL), BURIN_PASS);
	assert_int_equal(names("Alice", NULL, "Mallory", NULL), BURIN_FAIL);
	assert_int_equal(names("Alice", NULL, NULL, NULL), BURIN_FAIL);
	/* RFC 6487 section 6.1.1: the authority names the subject. */
	assert_int_equal(names(NULL, NULL, "router-7", NULL), BURIN_WARN);
	/* The authority added its organisation. */
	spec.cn = "Alice";
	spec.org = "Example";
	spec.key = leaf_key;
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	in = input(pki_cert(&spec));
	in.asked = &asked;
	assert_int_equal(level_of(&in, "G4"), BURIN_WARN);
	X509_free(in.cert);
	burin_asked_clear(&asked);
}

static enum burin_check_level
uses(const char *asked, const char *got)
{
	return asked_and_got("G5", "Alice", asked, "Alice", got);
}

static void
test_g5_usages(void **state)
{
	static const char sign[] = "keyUsage=critical,digitalSignature";
	static const char more[] =
	    "keyUsage=critical,digitalSignature,keyEncipherment";
	static const char cert_sign[] =
	    "keyUsage=critical,digitalSignature,keyCertSign";
	static const char im[] = "extendedKeyUsage=1.3.6.1.5.5.7.3.40";
	static const char im_tls[] =
	    "extendedKeyUsage=1.3.6.1.5.5.7.3.40,serverAuth";
	static const char any[] = "extendedKeyUsage=2.5.29.37.0";

	(void)state;
	assert_int_equal(uses(NULL, NULL), BURIN_PASS);
	assert_int_equal(uses(NULL, sign), BURIN_PASS);
	assert_int_equal(uses(sign, sign), BURIN_PASS);
	assert_int_equal(uses(sign, NULL), BURIN_WARN);
	assert_int_equal(uses(sign, more), BURIN_WARN);
	assert_int_equal(uses(more, sign), BURIN_FAIL);
	assert_int_equal(uses(sign, cert_sign), BURIN_FAIL);
	assert_int_equal(uses(NULL, cert_sign), BURIN_FAIL);
	assert_int_equal(uses(cert_sign, cert_sign), BURIN_PASS);
	assert_int_equal(
	    uses(NULL, "basicConstraints=critical,CA:TRUE"), BURIN_FAIL);
	assert_int_equal(uses("basicConstraints=critical,CA:TRUE",
			     "basicConstraints=critical,CA:TRUE"),
	    BURIN_PASS);
	assert_int_equal(uses(im, im), BURIN_PASS);
	assert_int_equal(uses(NULL, im), BURIN_PASS);
	assert_int_equal(uses(im, im_tls), BURIN_WARN);
	assert_int_equal(uses(im_tls, im), BURIN_FAIL);
	assert_int_equal(uses(im, NULL), BURIN_FAIL);
	/* RFC 6494 section 7: any purpose is not the purpose asked for. */
	assert_int_equal(uses(im, any), BURIN_FAIL);
}

static enum burin_check_level
extension(const char *const *exts)
{
	X509 *cert = leaf_with("Alice", exts);
	struct burin_check_input in = input(cert);
	enum burin_check_level level = level_of(&in, "G6");

	X509_free(cert);
	return level;
}

static void
test_g6_extensions(void **state)
{
	static const char ku[] = "keyUsage=critical,digitalSignature";

	(void)state;
	assert_int_equal(extension(EXTS(ku)), BURIN_PASS);
	assert_int_equal(extension(EXTS(ku, "1.2.3.4=DER:0500")), BURIN_PASS);
	assert_int_equal(
	    extension(EXTS(ku, "1.2.3.4=critical,DER:0500")), BURIN_FAIL);
	assert_int_equal(extension(EXTS(ku, ku)), BURIN_FAIL);
	assert_int_equal(
	    extension(EXTS("keyUsage=critical,DER:0500")), BURIN_FAIL);
}

static enum burin_check_level
fits(const char *ext, unsigned key_usage)
{
	X509 *cert = leaf_with("Alice", EXTS(ext));
	struct burin_check_input in = input(cert);
	enum burin_check_level level;

	in.key_usage = key_usage;
	level = level_of(&in, "G7");
	X509_free(cert);
	return level;
}

static void
test_g7_key_usage(void **state)
{
	static const char sign[] = "keyUsage=critical,digitalSignature";
	static const char encrypt[] = "keyUsage=critical,keyEncipherment";
	static const char both[] =
	    "keyUsage=critical,digitalSignature,keyEncipherment";
	static const char agree[] = "keyUsage=critical,keyAgreement";

	(void)state;
	assert_int_equal(fits(sign, 0), BURIN_SKIP);
	assert_int_equal(fits(NULL, BURIN_USE_SIGN), BURIN_PASS);
	assert_int_equal(fits(sign, BURIN_USE_SIGN), BURIN_PASS);
	assert_int_equal(
	    fits(sign, BURIN_USE_SIGN | BURIN_USE_DECRYPT), BURIN_PASS);
	assert_int_equal(fits(sign, BURIN_USE_DECRYPT), BURIN_FAIL);
	assert_int_equal(fits(encrypt, BURIN_USE_DECRYPT), BURIN_PASS);
	assert_int_equal(fits(encrypt, BURIN_USE_SIGN), BURIN_FAIL);
	assert_int_equal(fits(both, BURIN_USE_SIGN), BURIN_WARN);
	assert_int_equal(fits(agree, BURIN_USE_DERIVE), BURIN_PASS);
	assert_int_equal(fits(agree, BURIN_USE_SIGN), BURIN_FAIL);
}

static void
test_g8_id(void **state)
{
	X509 *cert = leaf_with("Alice", EXTS("subjectKeyIdentifier=hash"));
	X509 *bare = leaf_with("Alice", NULL);
	X509 *own = leaf_with("Alice", EXTS("subjectKeyIdentifier=0102"));
	struct burin_check_input in = input(cert);
	unsigned char id[EVP_MAX_MD_SIZE];
	unsigned int len;

	(void)state;
	assert_int_equal(X509_pubkey_digest(cert, EVP_sha1(), id, &len), 1);
	in.key_id = id;
	in.key_id_len = len;
	assert_int_equal(level_of(&in, "G8"), BURIN_PASS);
	in.cert = bare;
	assert_int_equal(level_of(&in, "G8"), BURIN_PASS);
	in.cert = own;
	assert_int_equal(level_of(&in, "G8"), BURIN_WARN);
	in.cert = cert;
	in.key_id_len--;
	assert_int_equal(level_of(&in, "G8"), BURIN_WARN);
	in.cert = bare;
	assert_int_equal(level_of(&in, "G8"), BURIN_WARN);
	X509_free(cert);
	X509_free(bare);
	X509_free(own);
}

static void
test_verdict(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_checks checks;
	X509 *cert = leaf_with("Alice", EXTS("1.2.3.4=critical,DER:0500"));
	struct burin_check_input in = input(cert);

	(void)state;
	in.pub = leaf_key;
	assert_int_equal(burin_check_cert(&in, &checks, NULL, &e), 0);
	assert_int_equal(burin_checks_verdict(&checks, BURIN_ECHECK, &e), -1);
	assert_int_equal(e.status, BURIN_ECHECK);
	assert_string_equal(e.code, "check-G6");
	assert_non_null(strstr(e.reason, "1.2.3.4"));
	assert_string_not_equal(e.rule, "");
	assert_string_not_equal(e.advice, "");
	/* Two fail: the first one speaks. */
	burin_error_clear(&e);
	in.pub = other_key;
	assert_int_equal(burin_check_cert(&in, &checks, NULL, &e), 0);
	assert_int_equal(burin_checks_verdict(&checks, BURIN_EVERIFY, &e), -1);
	assert_int_equal(e.status, BURIN_EVERIFY);
	assert_string_equal(e.code, "check-G1");
	X509_free(cert);
	/* Warnings do not refuse. */
	burin_error_clear(&e);
	cert = leaf_with("Alice", NULL);
	in = input(cert);
	in.key_id = (const unsigned char *)"\001";
	in.key_id_len = 1;
	assert_int_equal(burin_check_cert(&in, &checks, NULL, &e), 0);
	assert_int_equal(checks.list[7].level, BURIN_WARN);
	assert_int_equal(burin_checks_verdict(&checks, BURIN_ECHECK, &e), 0);
	assert_int_equal(e.status, BURIN_OK);
	X509_free(cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_compare),
		cmocka_unit_test(test_g1_key),
		cmocka_unit_test(test_g4_names),
		cmocka_unit_test(test_g4_subject),
		cmocka_unit_test(test_g5_usages),
		cmocka_unit_test(test_g6_extensions),
		cmocka_unit_test(test_g7_key_usage),
		cmocka_unit_test(test_g8_id),
		cmocka_unit_test(test_verdict),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
