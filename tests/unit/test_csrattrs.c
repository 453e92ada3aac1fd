/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CSR attributes of EST made of profiles: what OpenSSL's generic parser finds
 * in them, byte for byte where a standard prints the bytes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>

#include <burin/csrattrs.h>

#define BASE                         \
	"[profile]\n"                \
	"name = unit\n"              \
	"description = A test\n"     \
	"usage = sign\n"             \
	"identity = uri:{address}\n" \
	"identity_schemes = im\n"
#define REQUEST                                  \
	"[request]\n"                            \
	"keyUsage = critical,digitalSignature\n" \
	"extendedKeyUsage = clientAuth\n"
#define CERTIFICATE               \
	"[certificate]\n"         \
	"days = 30\n"             \
	"copy = subjectAltName\n" \
	"keyUsage = critical,digitalSignature\n"

/* The attributes of a profile as asn1parse prints them; free(). */
static char *
dump(const char *text, int link, size_t *size)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_profile *p = NULL;
	BIO *mem = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	char *data, *copy;
	size_t len;
	long n;

	assert_non_null(mem);
	if (burin_profile_parse(text, strlen(text), &p, &e) != 0)
		fail_msg("%s", e.reason);
	if (burin_csrattrs_make(p, link, &der, &len, &e) != 0)
		fail_msg("%s", e.reason);
	burin_profile_free(&p);
	assert_int_equal(ASN1_parse_dump(mem, der, (long)len, 0, 0), 1);
	n = BIO_get_mem_data(mem, &data);
	assert_non_null(copy = strndup(data, (size_t)n));
	BIO_free(mem);
	OPENSSL_free(der);
	if (size != NULL)
		*size = len;
	return copy;
}

/* The line that has text behind from; fails when there is none. */
static const char *
find(const char *from, const char *text)
{
	const char *at = strstr(from, text);

	if (at == NULL)
		fail_msg("no '%s' in\n%s", text, from);
	return at;
}

static void
test_list_and_template(void **state)
{
	char *text =
	    dump(BASE "key_types = ec:P-384, rsa:2048\n" REQUEST CERTIFICATE, 1,
		NULL);
	const char *at = text;

	(void)state;
	/* In this order: the list of RFC 8951 ... */
	at = find(at, ":challengePassword");
	at = find(at, ":id-ecPublicKey");
	at = find(at, ":secp384r1");
	at = find(at, ":Extension Request");
	at = find(at, ":X509v3 Key Usage");
	at = find(at, ":X509v3 Extended Key Usage");
	/* ... then the template, version 0 and the key under [0] ... */
	at = find(at, ":1.2.840.113549.1.9.16.2.61");
	at = find(at, "INTEGER           :00");
	at = find(at, "cont [ 0 ]");
	at = find(at, ":id-ecPublicKey");
	at = find(at, ":secp384r1");
	/* ... and attributes under [1]: DER sorts a SET OF. */
	at = find(at, "cont [ 1 ]");
	(void)find(at, ":challengePassword");
	at = find(at, ":1.2.840.113549.1.9.16.2.62");
	at = find(at, ":X509v3 Key Usage");
	at = find(at, ":X509v3 Extended Key Usage");
	at = find(at, ":X509v3 Subject Alternative Name");
	/* Its value is the client's: nothing of it follows. */
	assert_null(strstr(at, "OCTET STRING"));
	free(text);
}

static void
test_no_link(void **state)
{
	char *text =
	    dump(BASE "key_types = ec:P-256\n" REQUEST CERTIFICATE, 0, NULL);

	(void)state;
	(void)find(text, ":prime256v1");
	assert_null(strstr(text, "challengePassword"));
	free(text);
}

/* A key of the wanted size stands for that size. */
static void
test_rsa(void **state)
{
	char *text = dump(BASE "key_types = rsa:3072\n" CERTIFICATE, 0, NULL);
	const char *at = text;

	(void)state;
	at = find(at, ":rsaEncryption");
	at = find(at, "INTEGER           :0C00"); /* 3072 */
	at = find(at, "cont [ 0 ]");
	at = find(at, ":rsaEncryption");
	at = find(at, "NULL");
	/* 2 + 3 + 1 + 384 of the modulus, 5 of the exponent, 1 and 4. */
	(void)find(at, "l= 399 prim: BIT STRING");
	free(text);
}

static void
test_edwards(void **state)
{
	char *text = dump(BASE "key_types = ed25519\n" CERTIFICATE, 0, NULL);

	(void)state;
	assert_non_null(strstr(find(text, ":ED25519") + 1, ":ED25519"));
	free(text);
}

/* Nothing to say of extensions: nothing is said. */
static void
test_bare(void **state)
{
	size_t len;
	char *text = dump("[profile]\nname = bare\ndescription = Bare\n"
			  "key_types = ec:P-256\n",
	    0, &len);

	(void)state;
	assert_null(strstr(text, "Extension Request"));
	assert_null(strstr(text, "113549.1.9.16.2.62"));
	/* CsrAttrs: 23 of the key, 47 of a template without attributes. */
	assert_int_equal(len, 72);
	free(text);
}

static void
test_no_word(void **state)
{
	static const char text[] = BASE "key_types = ec:P-1\n";
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_profile *p = NULL;
	unsigned char *der = NULL;
	size_t len = 1;

	(void)state;
	assert_int_equal(burin_profile_parse(text, strlen(text), &p, &e), 0);
	assert_int_equal(burin_csrattrs_make(p, 0, &der, &len, &e), -1);
	assert_string_equal(e.code, "profile-malformed");
	assert_null(der);
	assert_int_equal(len, 0);
	burin_profile_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_and_template),
		cmocka_unit_test(test_no_link),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_edwards),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_no_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
