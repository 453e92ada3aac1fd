/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * More than a thousand damaged inputs for each decoder, made of golden files
 * in a repeatable way. Each is refused with a whole error, or it is accepted
 * and then encodes to itself and no signature vouches for what was changed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/attest.h>
#include <burin/profile.h>
#include <burin/request.h>
#include <burin/response.h>
#include <burin/token.h>

#include "mutate.h"

#define DATA TEST_DIR "/golden/data/"
#define MAX_FILE 65536
#define ROUNDS 1000 /* damaged inputs per file, beside the truncations */

struct file {
	unsigned char data[MAX_FILE];
	size_t len;
};

/* The certificates that are whole, and who signed them. */
static X509 *whole[4];

static void
read_file(const char *name, struct file *f)
{
	char path[512];
	FILE *in;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	if ((in = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	f->len = fread(f->data, 1, sizeof(f->data), in);
	(void)fclose(in);
	assert_true(f->len > 0 && f->len < sizeof(f->data));
}

static void
assert_whole_error(const struct burin_error *e, enum burin_status status)
{
	assert_int_equal(e->status, status);
	assert_string_not_equal(e->code, "");
	assert_string_not_equal(e->reason, "");
}

/* A certificate that is accepted is one of the whole ones, or nobody's. */
static void
assert_honest(X509 *cert)
{
	size_t i;

	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (X509_cmp(cert, whole[i]) == 0)
			return;
	}
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_int_not_equal(
		    X509_verify(cert, X509_get0_pubkey(whole[i])), 1);
	ERR_clear_error();
}

/* Each of these returns 1 when data was accepted, 0 when refused. */
typedef int (*decoder)(const unsigned char *data, size_t len);

static int
decode_cert(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL;
	X509 *cert = NULL;

	if (burin_cert_parse(data, len, BURIN_ECHECK, &cert, &e) == -1) {
		assert_null(cert);
		assert_whole_error(&e, BURIN_ECHECK);
		return 0;
	}
	assert_int_equal(i2d_X509(cert, &der), len);
	assert_memory_equal(der, data, len);
	OPENSSL_free(der);
	assert_honest(cert);
	X509_free(cert);
	return 1;
}

static int
decode_certs(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = NULL, *again = NULL;
	unsigned char *der = NULL;
	size_t der_len;
	int i;

	if (burin_certs_parse(data, len, BURIN_ECHECK, &certs, &e) == -1) {
		assert_null(certs);
		assert_whole_error(&e, BURIN_ECHECK);
		return 0;
	}
	assert_in_range(sk_X509_num(certs), 1, BURIN_MAX_CERTS);
	assert_int_equal(burin_certs_only_make(certs, &der, &der_len, &e), 0);
	assert_int_equal(
	    burin_certs_parse(der, der_len, BURIN_ECHECK, &again, &e), 0);
	assert_int_equal(sk_X509_num(again), sk_X509_num(certs));
	for (i = 0; i < sk_X509_num(certs); i++) {
		assert_int_equal(
		    X509_cmp(sk_X509_value(certs, i), sk_X509_value(again, i)),
		    0);
		assert_honest(sk_X509_value(certs, i));
	}
	OPENSSL_free(der);
	sk_X509_pop_free(certs, X509_free);
	sk_X509_pop_free(again, X509_free);
	return 1;
}

/* The request that is whole, in DER. */
static const unsigned char *whole_req;
static size_t whole_req_len;

static int
decode_req(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL;
	X509_REQ *req = NULL;
	int der_len, pop;

	if (burin_pkcs10_parse(data, len, BURIN_ECHECK, &req, &e) == -1) {
		assert_null(req);
		assert_whole_error(&e, BURIN_ECHECK);
		return 0;
	}
	der_len = i2d_X509_REQ(req, &der);
	assert_true(der_len > 0);
	pop = burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, &e);
	if ((size_t)der_len == whole_req_len &&
	    memcmp(der, whole_req, whole_req_len) == 0) {
		assert_int_equal(pop, 0);
	} else {
		assert_int_equal(pop, -1);
		assert_whole_error(&e, BURIN_EAUTHORITY);
	}
	OPENSSL_free(der);
	X509_REQ_free(req);
	return 1;
}

static X509 *
read_cert(const char *name)
{
	static struct file f;
	const unsigned char *p = f.data;
	X509 *cert;

	read_file(name, &f);
	assert_non_null(cert = d2i_X509(NULL, &p, (long)f.len));
	return cert;
}

/* Nobody vouches for an attestation but for the whole one. */
static void
assert_attest_honest(X509 *cert)
{
	X509 *leaf = read_cert("attest/leaf.der");
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_attest_input in = { 0 };
	struct burin_checks checks;
	struct burin_attest said;
	int same = X509_cmp(cert, leaf) == 0;

	in.cert = cert;
	in.above = sk_X509_new_null();
	in.anchors = sk_X509_new_null();
	in.now = 1900000000;
	assert_true(sk_X509_push(in.above, read_cert("attest/f9.der")) > 0);
	assert_true(sk_X509_push(in.anchors, read_cert("attest/root.der")) > 0);
	assert_int_equal(burin_attest_check(&in, &checks, &said, &e), 0);
	assert_int_equal(checks.list[1].level == BURIN_PASS, same);
	assert_int_not_equal(checks.list[3].level, BURIN_PASS);
	sk_X509_pop_free(in.above, X509_free);
	sk_X509_pop_free(in.anchors, X509_free);
	X509_free(leaf);
}

static int
decode_attest(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_attest said;
	X509 *cert = NULL;
	int rc;

	if (burin_cert_parse(data, len, BURIN_ECHECK, &cert, &e) == -1) {
		assert_whole_error(&e, BURIN_ECHECK);
		return 0;
	}
	rc = burin_attest_parse(cert, NULL, BURIN_ECHECK, &said, &e);
	if (rc == -1)
		assert_whole_error(&e, BURIN_ECHECK);
	assert_attest_honest(cert);
	X509_free(cert);
	return rc == 0;
}

static int
decode_attest_req(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum burin_attest_form form;
	STACK_OF(X509) *above = NULL;
	X509_REQ *req = NULL;
	X509 *cert = NULL;
	int rc;

	if (burin_pkcs10_parse(data, len, BURIN_ECHECK, &req, &e) == -1) {
		assert_whole_error(&e, BURIN_ECHECK);
		return 0;
	}
	rc = burin_attest_from_req(req, BURIN_ECHECK, &form, &cert, &above, &e);
	if (rc == -1)
		assert_whole_error(&e, BURIN_ECHECK);
	assert_int_equal(form == BURIN_ATTEST_NONE, cert == NULL);
	assert_int_equal(above == NULL, cert == NULL);
	assert_true(cert == NULL || rc == 0);
	X509_free(cert);
	sk_X509_pop_free(above, X509_free);
	X509_REQ_free(req);
	return rc == 0;
}

static int
decode_profile(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_profile *p = NULL;

	if (burin_profile_parse((const char *)data, len, &p, &e) == -1) {
		assert_null(p);
		assert_whole_error(&e, BURIN_EUSAGE);
		return 0;
	}
	assert_non_null(burin_profile_name(p));
	assert_non_null(burin_profile_key_types(p));
	assert_non_null(burin_profile_key_types(p)[0]);
	burin_profile_free(&p);
	assert_null(p);
	return 1;
}

/* A URI is a string: what stands behind a NUL is not of it. */
static int
decode_uri(const unsigned char *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char *uri = strndup((const char *)data, len), *source = NULL;
	int rc;

	assert_non_null(uri);
	rc = burin_uri_pin_source(uri, &source, &e);
	if (rc == -1) {
		assert_null(source);
		assert_whole_error(&e, BURIN_EUSAGE);
	}
	/* Never a command, whatever the damage. */
	assert_true(source == NULL || source[0] != '|');
	free(source);
	free(uri);
	return rc == 0;
}

/* One damaged input: exactly its bytes, so that a read beyond is seen. */
static int
try_one(decoder decode, const unsigned char *data, size_t len)
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	int accepted;

	assert_non_null(exact);
	memcpy(exact, data, len);
	ERR_clear_error();
	accepted = decode(exact, len);
	assert_int_equal(ERR_peek_error(), 0);
	free(exact);
	return accepted;
}

/*
 * ROUNDS damages of every kind, then one truncation at each length. Returns
 * how many in a hundred were refused.
 */
static unsigned
torture(decoder decode, const char *name, const char *other_name)
{
	static struct file in, other;
	static unsigned char out[MAX_FILE + MUTATE_ROOM];
	struct mutator m = { UINT64_C(0x62757269), 0 };
	unsigned i, tried = 0, accepted = 0, percent;
	size_t len;

	read_file(name, &in);
	read_file(other_name, &other);
	/* Undamaged it is accepted, or nothing is proved. */
	assert_int_equal(try_one(decode, in.data, in.len), 1);
	for (i = 0; i < ROUNDS; i++) {
		len =
		    mutate(&m, i, in.data, in.len, other.data, other.len, out);
		tried++;
		accepted += (unsigned)try_one(decode, out, len);
	}
	for (len = 0; len < in.len; len++) {
		tried++;
		accepted += (unsigned)try_one(decode, in.data, len);
	}
	percent = 100 * (tried - accepted) / tried;
	print_message("  %s: %u damaged, %u accepted, %u%% refused\n", name,
	    tried, accepted, percent);
	return percent;
}

static void
torture_req(const char *name, const char *der_name, const char *other)
{
	static struct file der;

	read_file(der_name, &der);
	whole_req = der.data;
	whole_req_len = der.len;
	assert_true(torture(decode_req, name, other) > 50);
}

static void
test_pkcs10(void **state)
{
	(void)state;
	torture_req(
	    "malformed/im.der", "malformed/im.der", "malformed/router.der");
	torture_req(
	    "malformed/router.der", "malformed/router.der", "malformed/im.der");
}

static void
test_pkcs10_pem(void **state)
{
	(void)state;
	torture_req("malformed/im.pem", "malformed/im.der", "malformed/im.cnf");
}

static void
test_cert(void **state)
{
	(void)state;
	assert_true(torture(decode_cert, "certs-only/alice.der",
			"certs-only/sub.der") > 50);
	assert_true(torture(decode_cert, "certs-only/root.der",
			"certs-only/other.der") > 50);
}

static void
test_attest(void **state)
{
	(void)state;
	assert_true(
	    torture(decode_attest, "attest/leaf.der", "attest/f9.der") > 50);
	assert_true(torture(decode_attest_req, "pkcs10/attest-draft.der",
			"pkcs10/attest-yubico.der") > 40);
	assert_true(torture(decode_attest_req, "pkcs10/attest-yubico.der",
			"pkcs10/attest-draft.der") > 40);
}

static void
test_certs_der(void **state)
{
	(void)state;
	assert_true(torture(decode_certs, "certs-only/chain.p7c",
			"certs-only/with-crl.p7c") > 50);
	assert_true(torture(decode_certs, "certs-only/indefinite.p7c",
			"certs-only/chain.p7c") > 50);
}

/* Text outside the blocks may change, and a cut may fall between two. */
static void
test_certs_pem(void **state)
{
	(void)state;
	assert_true(torture(decode_certs, "certs-only/bundle.pem",
			"certs-only/est.b64") > 20);
}

static void
test_certs_base64(void **state)
{
	(void)state;
	assert_true(torture(decode_certs, "certs-only/est.b64",
			"certs-only/bundle.pem") > 50);
}

/* Much of a profile is free text: any of it may change. */
static void
test_profile(void **state)
{
	(void)state;
	assert_true(torture(decode_profile, "malformed/im.cnf",
			"certs-only/est.b64") > 20);
}

/* What no longer begins with pkcs11: is a bare word, and that is no error. */
static void
test_uri(void **state)
{
	(void)state;
	assert_true(torture(decode_uri, "malformed/key.uri",
			"malformed/other.uri") > 20);
}

static int
setup(void **state)
{
	static const char *const names[] = { "certs-only/root.der",
		"certs-only/sub.der", "certs-only/alice.der",
		"certs-only/other.der" };
	static struct file f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const unsigned char *p = f.data;

		read_file(names[i], &f);
		if ((whole[i] = d2i_X509(NULL, &p, (long)f.len)) == NULL)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		X509_free(whole[i]);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pkcs10),
		cmocka_unit_test(test_pkcs10_pem),
		cmocka_unit_test(test_cert),
		cmocka_unit_test(test_attest),
		cmocka_unit_test(test_certs_der),
		cmocka_unit_test(test_certs_pem),
		cmocka_unit_test(test_certs_base64),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_uri),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
