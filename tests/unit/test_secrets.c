/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PINs that burin makes: every digit as likely as any other, whole JSON, and
 * sealed so that openssl's CMS opens it with the right key and no other.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>

#include "cli/secrets.h"
#include "pki.h"

static struct burin_error e;
static struct cli c;

static int
setup(void **state)
{
	(void)state;
	burin_error_clear(&e);
	memset(&c, 0, sizeof(c));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	burin_secret_free(&c.new_pin);
	burin_secret_free(&c.new_so_pin);
	burin_secret_free(&c.new_puk);
	return 0;
}

/*
 * 4000 draws of one digit in ten: 400 +- 19. Taking bytes modulo 10 without
 * rejection would give 0 to 5 one part in 25 more, which is within reason
 * here; what is found is a digit that never comes, or one beyond nine.
 */
static void
count(int hex, size_t kinds)
{
	struct burin_secret *s = NULL;
	size_t counts[256], i;

	memset(counts, 0, sizeof(counts));
	assert_int_equal(generate_digits(4000, hex, &s, &e), 0);
	assert_int_equal(burin_secret_len(s), 4000);
	for (i = 0; i < 4000; i++)
		counts[burin_secret_bytes(s)[i]]++;
	for (i = 0; i < kinds; i++) {
		size_t n = counts[(unsigned char)"0123456789abcdef"[i]];

		assert_in_range(n, 4000 / kinds * 2 / 3, 4000 / kinds * 4 / 3);
		counts[(unsigned char)"0123456789abcdef"[i]] = 0;
	}
	for (i = 0; i < 256; i++)
		assert_int_equal(counts[i], 0);
	burin_secret_free(&s);
}

static void
test_digits(void **state)
{
	struct burin_secret *a = NULL, *b = NULL;

	(void)state;
	count(0, 10);
	count(1, 16);
	assert_int_equal(generate_digits(GENERATED_SO_PIN, 0, &a, &e), 0);
	assert_int_equal(generate_digits(GENERATED_SO_PIN, 0, &b, &e), 0);
	assert_false(burin_secret_eq(a, b));
	burin_secret_free(&a);
	burin_secret_free(&b);
}

static void
give(struct burin_secret **s, const char *text)
{
	assert_int_equal(burin_secret_new(s, text, strlen(text), &e), 0);
}

static struct burin_secret *
text(const char *label, int is_yubikey)
{
	struct burin_token_info info;
	struct burin_secret *s = NULL;

	memset(&info, 0, sizeof(info));
	info.serial = "s1";
	info.label = "old";
	assert_int_equal(secrets_text(&c, &info, is_yubikey, label, &s, &e), 0);
	return s;
}

static void
member(json_t *o, const char *name, const char *want)
{
	json_t *v = json_object_get(o, name);

	if (want == NULL)
		assert_null(v);
	else
		assert_string_equal(json_string_value(v), want);
}

static void
test_text(void **state)
{
	struct burin_secret *s;
	json_t *o;

	(void)state;
	give(&c.new_pin, "12345670");
	give(&c.new_so_pin, "0123456789abcdef");
	s = text("a \"quoted\" \xc3\xa4", 0);
	o = json_loadb(
	    (const char *)burin_secret_bytes(s), burin_secret_len(s), 0, NULL);
	assert_non_null(o);
	member(o, "serial", "s1");
	member(o, "label", "a \"quoted\" \xc3\xa4");
	member(o, "pin", "12345670");
	member(o, "so_pin", "0123456789abcdef");
	member(o, "puk", NULL);
	assert_int_equal(
	    strlen(json_string_value(json_object_get(o, "time"))), 20);
	json_decref(o);
	burin_secret_free(&s);

	give(&c.new_puk, "87654321");
	s = text(NULL, 1);
	o = json_loadb(
	    (const char *)burin_secret_bytes(s), burin_secret_len(s), 0, NULL);
	assert_non_null(o);
	member(o, "label", "old");
	member(o, "management_key", "0123456789abcdef");
	member(o, "so_pin", NULL);
	member(o, "puk", "87654321");
	json_decref(o);
	burin_secret_free(&s);
}

static int
opens(const unsigned char *der, size_t len, EVP_PKEY *key, X509 *cert,
    const struct burin_secret *want)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	char *got;
	long n;
	int rc;

	assert_non_null(cms);
	assert_ptr_equal(p, der + len);
	rc = CMS_decrypt(cms, key, cert, NULL, out, 0) == 1 &&
	    (n = BIO_get_mem_data(out, &got)) == (long)burin_secret_len(want) &&
	    memcmp(got, burin_secret_bytes(want), (size_t)n) == 0;
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	return rc;
}

static void
sealed(const char *curve)
{
	EVP_PKEY *key = pki_key(curve), *other = pki_key(curve);
	struct pki_spec spec = { .cn = "keeper", .key = key };
	X509 *cert = pki_cert(&spec);
	unsigned char *der;
	struct burin_secret *s;
	size_t len = 0;

	give(&c.new_pin, "12345670");
	s = text(NULL, 0);
	assert_int_equal(secrets_seal(s, cert, &der, &len, &e), 0);
	assert_true(opens(der, len, key, cert, s));
	assert_false(opens(der, len, other, NULL, s));
	assert_null(memmem(der, len, "12345670", 8));
	/* Authenticated: a bit of the content that changed is seen. */
	der[len - 20] ^= 1;
	assert_false(opens(der, len, key, cert, s));
	free(der);
	burin_secret_free(&s);
	burin_secret_free(&c.new_pin);
	X509_free(cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void
test_seal(void **state)
{
	EVP_PKEY *key = pki_key("ED25519");
	struct pki_spec spec = { .cn = "signer", .key = key };
	X509 *cert = pki_cert(&spec);
	unsigned char *der;
	struct burin_secret *s;
	size_t len;

	(void)state;
	sealed("RSA");
	sealed("P-256");
	/* A key that can only sign opens nothing. */
	s = text(NULL, 0);
	assert_int_equal(secrets_seal(s, cert, &der, &len, &e), -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, "seal-failed");
	assert_null(der);
	burin_secret_free(&s);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_digits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seal, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
