/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden files of what authorities send: decoded they are what the .txt
 * beside them says, encoded again they are the same bytes, and openssl,
 * GnuTLS and pyasn1 read what we make.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/names.h>
#include <burin/response.h>

#define DATA TEST_DIR "/golden/data/certs-only/"
#define MAX_FILE 65536

static size_t
read_file(const char *name, unsigned char *data)
{
	char path[512];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	len = fread(data, 1, MAX_FILE - 1, f);
	(void)fclose(f);
	data[len] = '\0';
	return len;
}

/* One line per certificate: SHA-256, two blanks, subject. */
static void
dump(STACK_OF(X509) * certs, char *text, size_t size)
{
	char hex[65];
	size_t n = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);
		char *dn = burin_dn_text(X509_get_subject_name(cert));

		assert_non_null(dn);
		assert_int_equal(burin_cert_sha256(cert, hex, NULL), 0);
		n += (size_t)snprintf(text + n, size - n, "%s  %s\n", hex, dn);
		assert_true(n < size);
		free(dn);
	}
}

/* The golden file, decoded and held against its dump. */
static STACK_OF(X509) * decode(const char *name, const char *dump_name)
{
	static unsigned char data[MAX_FILE], want[MAX_FILE];
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = NULL;
	char got[4096];
	size_t len = read_file(name, data);

	if (burin_certs_parse(data, len, BURIN_ECHECK, &certs, &e) == -1)
		fail_msg("%s: %s (%s)", name, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
	(void)read_file(dump_name, want);
	dump(certs, got, sizeof(got));
	assert_string_equal(got, (char *)want);
	return certs;
}

static void
test_dumps(void **state)
{
	static const char *const files[][2] = {
		{ "chain.p7c", "chain.txt" },
		{ "unordered.p7c", "unordered.txt" },
		{ "with-crl.p7c", "with-crl.txt" },
		{ "indefinite.p7c", "indefinite.txt" },
		{ "est.b64", "est.txt" },
		{ "bundle.pem", "bundle.txt" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		sk_X509_pop_free(decode(files[i][0], files[i][1]), X509_free);
}

/* What openssl crl2pkcs7 made, we make: to the last byte. */
static void
test_same_bytes(void **state)
{
	static const char *const files[][2] = {
		{ "chain.p7c", "chain.txt" },
		{ "unordered.p7c", "unordered.txt" },
	};
	static unsigned char data[MAX_FILE];
	unsigned char *der;
	size_t i, len, der_len;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		STACK_OF(X509) *certs = decode(files[i][0], files[i][1]);

		len = read_file(files[i][0], data);
		assert_int_equal(
		    burin_certs_only_make(certs, &der, &der_len, NULL), 0);
		assert_int_equal(der_len, len);
		assert_memory_equal(der, data, len);
		OPENSSL_free(der);
		sk_X509_pop_free(certs, X509_free);
	}
}

static void
test_single_certificates(void **state)
{
	static const char *const files[] = { "root.der", "sub.der", "alice.der",
		"other.der" };
	static unsigned char data[MAX_FILE];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		unsigned char *der = NULL;
		X509 *cert = NULL;

		len = read_file(files[i], data);
		assert_int_equal(
		    burin_cert_parse(data, len, BURIN_ECHECK, &cert, NULL), 0);
		assert_int_equal(i2d_X509(cert, &der), len);
		assert_memory_equal(der, data, len);
		OPENSSL_free(der);
		X509_free(cert);
	}
}

static void
test_refused(void **state)
{
	static const char *const files[] = { "trailing.p7c", "signed.p7c",
		"data.p7c" };
	static unsigned char data[MAX_FILE];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;
		STACK_OF(X509) *certs = NULL;

		len = read_file(files[i], data);
		assert_int_equal(
		    burin_certs_parse(data, len, BURIN_ECHECK, &certs, &e), -1);
		assert_string_equal(e.code, "response-malformed");
		assert_string_not_equal(e.rule, "");
	}
}

/* A message of ours in a file of its own, in an order that is not by size. */
static void
write_ours(char *path)
{
	STACK_OF(X509) *certs = decode("unordered.p7c", "unordered.txt");
	unsigned char *der;
	size_t len;
	int fd;

	assert_int_equal(burin_certs_only_make(certs, &der, &len, NULL), 0);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, der, len), len);
	assert_int_equal(close(fd), 0);
	OPENSSL_free(der);
	sk_X509_pop_free(certs, X509_free);
}

/* Runs "COMMAND PATH"; how many lines of its output hold word. */
static int
count_lines(const char *command, const char *path, const char *word)
{
	char line[1024];
	int n = 0, rc;
	FILE *f;

	(void)snprintf(line, sizeof(line), "%s %s", command, path);
	assert_non_null(f = popen(line, "r"));
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, word) != NULL)
			n++;
	}
	rc = pclose(f);
	if (rc != 0)
		fail_msg("%s: status %d", command, rc);
	return n;
}

static void
need(const char *program)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "command -v %s >/dev/null", program);
	if (system(line) != 0) {
		print_message("skipped: no %s\n", program);
		skip();
	}
}

static void
test_openssl_reads_ours(void **state)
{
	char path[] = "/tmp/burin-golden-XXXXXX";

	(void)state;
	need("openssl");
	write_ours(path);
	assert_int_equal(
	    count_lines("openssl pkcs7 -inform DER -print_certs -noout -in",
		path, "subject="),
	    4);
	(void)unlink(path);
}

static void
test_gnutls_reads_ours(void **state)
{
	char path[] = "/tmp/burin-golden-XXXXXX";

	(void)state;
	need("certtool");
	write_ours(path);
	assert_int_equal(count_lines("certtool --p7-info --inder --infile",
			     path, "Number of certificates: 4"),
	    1);
	(void)unlink(path);
}

static void
test_pyasn1_reads_ours(void **state)
{
	char path[] = "/tmp/burin-golden-XXXXXX";
	static unsigned char want[MAX_FILE];
	char hex[65];
	const char *line;

	(void)state;
	if (system("/usr/bin/python3 -c 'import pyasn1_modules' "
		   "2>/dev/null") != 0) {
		print_message("skipped: no python3-pyasn1-modules\n");
		skip();
	}
	write_ours(path);
	(void)read_file("unordered.txt", want);
	for (line = (char *)want; *line != '\0';
	     line = strchr(line, '\n') + 1) {
		memcpy(hex, line, 64);
		hex[64] = '\0';
		assert_int_equal(count_lines("/usr/bin/python3 " TEST_DIR
					     "/golden/certs_only_dump.py",
				     path, hex),
		    1);
	}
	(void)unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dumps),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_single_certificates),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_openssl_reads_ours),
		cmocka_unit_test(test_gnutls_reads_ours),
		cmocka_unit_test(test_pyasn1_reads_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
