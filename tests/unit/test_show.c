/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin show: what people and programs are told of a file.
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

#include "agent/cli/show.h"
#include "pki.h"

#define DATA TEST_DIR "/golden/data/"
#define MAX_FILE 65536

static unsigned char data[MAX_FILE];
static size_t len;

static void
read_file(const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	len = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
}

/* Text of what is in data; free(). */
static char *
text(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char *s = NULL;
	size_t size;
	FILE *out = open_memstream(&s, &size);

	assert_non_null(out);
	if (show_text(out, data, len, &e) == -1)
		fail_msg("%s", e.reason);
	(void)fclose(out);
	assert_int_equal(ERR_peek_error(), 0);
	return s;
}

static json_t *
json(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	json_t *o = NULL;

	if (show_json(&o, data, len, &e) == -1)
		fail_msg("%s", e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	return o;
}

/* The object number i of o, which is of this type. */
static json_t *
object(json_t *o, size_t i, const char *type)
{
	json_t *one = json_array_get(json_object_get(o, "objects"), i);

	assert_non_null(one);
	assert_string_equal(
	    json_string_value(json_object_get(one, "type")), type);
	return one;
}

static const char *
member(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (s == NULL)
		fail_msg("no string %s", key);
	return s;
}

static void
assert_holds(const char *s, const char *piece)
{
	if (strstr(s, piece) == NULL)
		fail_msg("\"%s\" is not in:\n%s", piece, s);
}

static void
test_certificate(void **state)
{
	json_t *o, *cert;
	char *s;

	(void)state;
	read_file("certs-only/alice.der");
	o = json();
	assert_string_equal(member(o, "type"), "certificate");
	cert = object(o, 0, "certificate");
	assert_string_equal(member(cert, "subject"), "CN=Alice");
	assert_string_equal(member(cert, "issuer"), "CN=Golden Sub");
	assert_string_equal(member(cert, "serial"), "31");
	assert_string_equal(member(cert, "key"), "ed25519");
	assert_int_equal(json_array_size(json_object_get(cert, "sans")), 2);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(cert, "ekus"), 0)),
	    "imUri");
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(cert, "key_usage"), 0)),
	    "digitalSignature");
	json_decref(o);
	s = text();
	assert_holds(s, "CN=Alice\n");
	assert_holds(s, "uri:im:alice@example.com\n");
	assert_holds(s, "xmpp:alice@example.com\n");
	assert_holds(s, "imUri\n");
	assert_holds(s, "X509v3 Subject Key Identifier: ");
	free(s);
}

static void
test_request(void **state)
{
	json_t *o, *req;

	(void)state;
	read_file("malformed/router.der");
	o = json();
	req = object(o, 0, "request");
	assert_string_equal(member(req, "pop"), "verified");
	assert_string_equal(member(req, "key"), "rsa:2048");
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(req, "attributes"), 0)),
	    "challengePassword");
	json_decref(o);
	/* The challenge is a secret: its value is not shown. */
	{
		char *s = text();

		assert_null(strstr(s, "not a secret"));
		assert_holds(s, "IPv6");
		assert_holds(s, "2001:db8:7::/48");
		free(s);
	}
	data[len - 1] ^= 1;
	o = json();
	assert_memory_equal(
	    member(object(o, 0, "request"), "pop"), "failed", 6);
	json_decref(o);
}

static void
assert_shown(const char *name, const char *piece)
{
	char *s;

	read_file(name);
	s = text();
	assert_holds(s, piece);
	free(s);
}

/* The attestation in data/attest, in the request of another key. */
static void
request_of_another(void)
{
	char line[2 * 4096 + 64] = "1.3.6.1.4.1.41482.3.11=DER:";
	const char *const exts[] = { line, NULL };
	EVP_PKEY *key = pki_key("P-256");
	unsigned char *p = data;
	X509_REQ *req;
	size_t i, n = strlen(line);

	read_file("attest/leaf.der");
	assert_true(len < 4096);
	for (i = 0; i < len; i++)
		n += (size_t)snprintf(
		    line + n, sizeof(line) - n, "%02x", data[i]);
	req = pki_req("a", key, exts);
	len = (size_t)i2d_X509_REQ(req, &p);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void
test_attestation(void **state)
{
	static const char said[] =
	    "slot 9a, firmware 5.7.0, serial 12345678, PIN always, touch never";
	json_t *o, *a;
	char *s;

	(void)state;
	assert_shown("attest/leaf.der", said);
	assert_shown("attest/leaf.der", "1.3.6.1.4.1.41482.3.3: 050700\n");
	assert_shown("pkcs10/attest-yubico.der", said);
	assert_shown("pkcs10/attest-yubico.der", "in the form yubico\n");
	assert_shown("pkcs10/attest-draft.der", said);
	assert_shown("pkcs10/attest-draft.der", "in the form draft\n");
	read_file("pkcs10/im.der");
	o = json();
	assert_true(json_is_null(
	    json_object_get(object(o, 0, "request"), "attestation")));
	json_decref(o);

	request_of_another();
	s = text();
	assert_holds(s, said);
	assert_holds(s, "of ANOTHER key than the request's\n");
	free(s);
	o = json();
	a = json_object_get(object(o, 0, "request"), "attestation");
	assert_true(json_is_false(json_object_get(a, "key_matches")));
	json_decref(o);
}

static void
test_bundle(void **state)
{
	static const char *const types[] = { "certificate", "crl", "certs-only",
		"certificate", "certificate", "certificate" };
	json_t *o;
	size_t i;

	(void)state;
	read_file("certs-only/bundle.pem");
	o = json();
	assert_string_equal(member(o, "type"), "bundle");
	assert_int_equal(json_array_size(json_object_get(o, "objects")), 6);
	for (i = 0; i < 6; i++)
		(void)object(o, i, types[i]);
	json_decref(o);
	read_file("certs-only/est.b64");
	o = json();
	assert_string_equal(member(o, "type"), "certs-only");
	assert_int_equal(json_array_size(json_object_get(o, "objects")), 4);
	json_decref(o);
}

/* What burin refuses to install can still be looked at. */
static void
test_signed_message(void **state)
{
	json_t *o;

	(void)state;
	read_file("certs-only/signed.p7c");
	o = json();
	assert_int_equal(json_integer_value(json_object_get(
			     object(o, 0, "message"), "signers")),
	    1);
	(void)object(o, 1, "certificate");
	json_decref(o);
}

static void
test_crl(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	X509 *ca = pki_ca("CA", key);
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, PKI_NOW);
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();
	unsigned char *p = data;
	json_t *o, *entry_json;
	char *s;

	(void)state;
	assert_int_equal(ASN1_INTEGER_set(serial, 0x1234), 1);
	assert_int_equal(ASN1_ENUMERATED_set(why, 1), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(entry, serial), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(entry, when), 1);
	assert_int_equal(
	    X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, why, 0, 0), 1);
	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, when), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, when), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	len = (size_t)i2d_X509_CRL(crl, &p);
	o = json();
	entry_json =
	    json_array_get(json_object_get(object(o, 0, "crl"), "revoked"), 0);
	assert_string_equal(member(entry_json, "serial"), "1234");
	assert_string_equal(member(entry_json, "reason"), "keyCompromise");
	json_decref(o);
	s = text();
	assert_holds(s, "1234 on 2030-03-17T17:46:40Z, keyCompromise\n");
	free(s);
	ASN1_ENUMERATED_free(why);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	X509_CRL_free(crl);
	X509_free(ca);
	EVP_PKEY_free(key);
}

/* Nothing in a certificate moves the cursor of a terminal. */
static void
test_control_bytes(void **state)
{
	static const char *const exts[] = {
		"nsComment=a\033[2Jb\r\nSubject: CN=Mallory",
		"subjectAltName=DNS:a\033[31mb", NULL
	};
	struct pki_spec spec = { 0 };
	unsigned char *p = data;
	X509 *cert;
	char *s, *c;

	(void)state;
	spec.cn = "Alice\033[1m";
	spec.key = pki_key("P-256");
	spec.exts = exts;
	cert = pki_cert(&spec);
	len = (size_t)i2d_X509(cert, &p);
	s = text();
	for (c = s; *c != '\0'; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
	assert_null(strstr(s, "\nSubject"));
	free(s);
	X509_free(cert);
	EVP_PKEY_free(spec.key);
}

static void
assert_refused(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	json_t *o = NULL;

	assert_int_equal(show_json(&o, data, len, &e), -1);
	assert_null(o);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, "file-malformed");
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
	assert_int_equal(show_text(stdout, data, len, &e), -1);
	assert_string_equal(e.code, "file-malformed");
}

static void
test_refused(void **state)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMAAA\n"
				  "-----END PRIVATE KEY-----\n";

	(void)state;
	read_file("certs-only/trailing.p7c");
	assert_refused();
	read_file("malformed/im.cnf");
	assert_refused();
	len = sizeof(key) - 1;
	memcpy(data, key, len);
	assert_refused();
	len = 0;
	assert_refused();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_attestation),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_signed_message),
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_control_bytes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
