/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin show of messages of CMC: every envelope, what was checked, what is
 * refused, golden texts, damage. With BURIN_GOLDEN_WRITE set to a folder the
 * golden texts are written there instead: tests/golden/regenerate does that.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "showing.h"

#define DATA TEST_DIR "/golden/data/"
/* trustedAnchors, as in test_show_control.c */
#define ANCHORS                                                            \
	"303402010c300b06096086480165030402013022042000010203040506070809" \
	"0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* --- golden texts -----------------------------------------------------------
 */

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

/* The same as the file, or written to it. */
static void
assert_golden(const char *name, const char *suffix, const char *s)
{
	const char *folder = getenv("BURIN_GOLDEN_WRITE");
	static char old[MAX_FILE];
	char path[512];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s.%s",
	    folder != NULL ? folder : DATA "show", name, suffix);
	if ((f = fopen(path, folder != NULL ? "w" : "r")) == NULL)
		fail_msg("cannot open %s", path);
	if (folder != NULL) {
		assert_true(fputs(s, f) >= 0);
		assert_int_equal(fclose(f), 0);
		return;
	}
	n = fread(old, 1, sizeof(old) - 1, f);
	old[n] = '\0';
	(void)fclose(f);
	assert_string_equal(s, old);
}

static void
assert_shown(const char *name)
{
	char *s = text();
	json_t *o = json();
	char *dump = json_dumps(o, JSON_INDENT(1));

	assert_golden(name, "txt", s);
	assert_golden(name, "json", dump);
	free(dump);
	json_decref(o);
	free(s);
}

static void
test_golden(void **state)
{
	static const char *const names[] = { "pair", "auth", "encrypted",
		"revoke-secret", "rename-crmf", "rename-6402", "nosignature",
		"legacy" };
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "cmc-%s.der", names[i]);
		read_file(path);
		assert_shown(names[i]);
	}
}

/* --- envelopes ----------------------------------------------------------- */

static void
test_signatures(void **state)
{
	unsigned char id[] = { 1, 2, 3, 4 };
	struct burin_cms_signer signer = by_cert();
	json_t *o;

	(void)state;
	sign_small();
	o = json();
	assert_check(first(o), "signature", 0, "pass", "certificate");
	assert_string_equal(
	    string_of(json_array_get(json_object_get(first(o), "signers"), 0),
		"signing_time"),
	    "2030-03-17T17:46:40Z");
	json_decref(o);
	data[len - 1] ^= 1;
	o = json();
	assert_check(first(o), "signature", 0, "fail", "does not verify");
	json_decref(o);
	assert_says("WRONG: signature: the signature does not verify");

	signer.by = BURIN_CMS_BY_KEY;
	signer.key_id = id;
	signer.key_id_len = sizeof(id);
	sign(ASN1_ITEM_rptr(CMC_PKI_DATA), new_data(), CMC_OID_PKI_DATA,
	    &signer);
	o = json();
	assert_check(first(o), "signature", 0, "unchecked", "not in the");
	json_decref(o);
	assert_says("Key id:       01020304\n");

	signer.by = BURIN_CMS_BY_NOBODY;
	sign(ASN1_ITEM_rptr(CMC_PKI_DATA), new_data(), CMC_OID_PKI_DATA,
	    &signer);
	o = json();
	assert_check(first(o), "signature", 0, "unchecked", "nobody");
	json_decref(o);
}

/* A response without content, as RFC 10002 lets a server in distress send. */
static void
test_empty_response(void **state)
{
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_NOBODY };
	unsigned char *der;
	json_t *o;

	(void)state;
	burin_error_clear(&e);
	assert_int_equal(burin_cms_sign(&signer, CMC_OID_PKI_RESPONSE, NULL, 0,
			     &der, &len, &e),
	    0);
	memcpy(data, der, len);
	OPENSSL_free(der);
	o = json();
	assert_string_equal(string_of(o, "type"), "cmc-response");
	assert_check(first(o), "structure", 0, "unchecked", "no content");
	json_decref(o);
}

/* Encrypted, and signed around that: RFC 10002 section 5. */
static void
test_encrypted(void **state)
{
	EVP_PKEY *rsa = pki_key("RSA"), *ec = pki_key("P-256");
	unsigned char id[] = { 9, 8, 7 };
	struct burin_cms_recipient to[2] = {
		{ .pub = rsa, .key_id = id, .key_id_len = sizeof(id) },
		{ .pub = ec, .serial = 5 },
	};
	struct burin_cms_signer signer = by_cert();
	unsigned char *der, *inner;
	const unsigned char *p;
	size_t n;
	long inner_len;
	json_t *o, *in;
	int tag, class;

	(void)state;
	sign_small();
	burin_error_clear(&e);
	assert_int_equal(burin_cms_encrypt(to, 2, BURIN_CMS_AES256_GCM,
			     "1.2.840.113549.1.7.2", data, len, &der, &n, &e),
	    0);
	memcpy(data, der, len = n);
	o = json();
	assert_string_equal(string_of(o, "type"), "envelope");
	assert_string_equal(string_of(first(o), "envelope"), "auth-enveloped");
	assert_check(first(o), "content", 0, "unchecked", "encrypted");
	json_decref(o);
	assert_says("Recipient:    key transport\n    Key id:       090807\n");
	assert_says("Recipient:    key agreement\n    Issuer:       (empty)\n"
		    "    Serial:       05\n");
	/* What is in the [0] of the ContentInfo. */
	p = der;
	(void)ASN1_get_object(&p, &inner_len, &tag, &class, (long)n);
	(void)ASN1_get_object(&p, &inner_len, &tag, &class, (long)n);
	p += inner_len;
	(void)ASN1_get_object(&p, &inner_len, &tag, &class, (long)n);
	assert_int_equal(burin_cms_sign(&signer, "1.2.840.113549.1.9.16.1.23",
			     p, (size_t)inner_len, &inner, &len, &e),
	    0);
	memcpy(data, inner, len);
	o = json();
	assert_string_equal(string_of(first(o), "envelope"), "signed");
	assert_check(first(o), "signature", 0, "pass", "certificate");
	in = json_array_get(json_object_get(first(o), "messages"), 0);
	assert_string_equal(string_of(in, "envelope"), "auth-enveloped");
	json_decref(o);
	OPENSSL_free(der);
	OPENSSL_free(inner);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

/* encryptedPOP holds a request and a message. */
static void
test_challenge(void **state)
{
	CMC_PKI_RESPONSE *r = CMC_PKI_RESPONSE_new();
	EVP_PKEY *rsa = pki_key("RSA");
	struct burin_cms_recipient to = { .pub = rsa, .serial = 1 };
	CMC_ENCRYPTED_POP *pop = CMC_ENCRYPTED_POP_new();
	X509_REQ *req = pki_req("challenged", key, NULL);
	CMC_REQ tagged = { CMC_REQ_TCR, { NULL } };
	unsigned char *der = NULL, *value = NULL;
	size_t n;
	int m;
	json_t *o;

	(void)state;
	tagged.d.tcr = CMC_TCR_new();
	assert_int_equal(ASN1_INTEGER_set(tagged.d.tcr->bodyPartID, 1), 1);
	assert_true((m = i2d_X509_REQ(req, &der)) > 0);
	ASN1_TYPE_free(tagged.d.tcr->certificationRequest);
	tagged.d.tcr->certificationRequest = any_of(der, (size_t)m);
	OPENSSL_free(der);
	der = NULL;
	assert_true((m = i2d_CMC_REQ(&tagged, &der)) > 0);
	ASN1_TYPE_free(pop->request);
	pop->request = any_of(der, (size_t)m);
	OPENSSL_free(der);
	burin_error_clear(&e);
	assert_int_equal(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC,
			     "1.2.840.113549.1.7.1", "y", 1, &der, &n, &e),
	    0);
	ASN1_TYPE_free(pop->cms);
	pop->cms = any_of(der, n);
	OPENSSL_free(der);
	(void)X509_ALGOR_set0(
	    pop->witnessAlgID, OBJ_nid2obj(NID_sha256), V_ASN1_UNDEF, NULL);
	(void)X509_ALGOR_set0(pop->thePOPAlgID, OBJ_nid2obj(NID_hmacWithSHA256),
	    V_ASN1_NULL, NULL);
	(void)ASN1_OCTET_STRING_set(
	    pop->witness, (const unsigned char *)"witness", 7);
	assert_true((m = i2d_CMC_ENCRYPTED_POP(pop, &value)) > 0);
	add_control(r->controls, 3, CMC_OID_ARC "9", value, (size_t)m);
	sign_response(r);
	assert_says("encryptedPOP (1.3.6.1.5.5.7.7.9)\n"
		    "    Request 1:    PKCS#10\n"
		    "      Subject:      CN=challenged\n");
	assert_says("    Message:      Message (CMS)\n"
		    "      Envelope:     enveloped\n");
	assert_says("    Hash:         sha256\n");
	o = json();
	assert_check(first(o), "challenge", 0, "unchecked", "private key");
	json_decref(o);
	OPENSSL_free(value);
	CMC_ENCRYPTED_POP_free(pop);
	CMC_TCR_free(tagged.d.tcr);
	X509_REQ_free(req);
	EVP_PKEY_free(rsa);
}

/* authData points to PKIData with what else is in responses only. */
static void
test_auth_data(void **state)
{
	CMC_PKI_RESPONSE *r = CMC_PKI_RESPONSE_new();
	CMC_PKI_DATA *d = new_data();
	struct burin_secret *secret;
	unsigned char *der = NULL, *message;
	json_t *o, *in;
	size_t n;
	int m;

	(void)state;
	burin_error_clear(&e);
	assert_int_equal(burin_secret_new(&secret, "secret", 6, &e), 0);
	add(d->controls, 1, 26, ANCHORS);
	assert_true((m = i2d_CMC_PKI_DATA(d, &der)) > 0);
	CMC_PKI_DATA_free(d);
	assert_int_equal(
	    burin_cms_authenticate("id", secret, 0, 1000, CMC_OID_PKI_DATA, der,
		(size_t)m, &message, &n, &e),
	    0);
	add(r->controls, 2, 27, "020107");
	add_message(r->cms, 7, message, n);
	sign_response(r);
	o = json();
	assert_check(first(o), "structure", 0, "pass", "");
	in = json_array_get(json_object_get(first(o), "messages"), 0);
	assert_string_equal(string_of(in, "envelope"), "authenticated");
	assert_check(in, "structure", 0, "pass", "");
	assert_check(in, "MAC", 0, "unchecked", "shared secret");
	assert_int_equal(json_integer_value(json_object_get(in, "id")), 7);
	json_decref(o);
	assert_says(
	    "    Recipient:    password\n"
	    "      Derivation:   PBKDF2, 1000 rounds, hmacWithSHA256\n");
	OPENSSL_free(der);
	OPENSSL_free(message);
	burin_secret_free(&secret);
}

/* --- what is refused ----------------------------------------------------- */

static void
test_refused_body(void **state)
{
	CMC_PKI_DATA *d = new_data();
	struct burin_cms_signer signer = by_cert();
	unsigned char *der;
	json_t *o;

	(void)state;
	/* One number twice, and a part that nobody may have. */
	add(d->controls, 4, 6, "040101");
	add(d->controls, 4, 7, "040102");
	add_other(d->others, 0, "1.2.3.4");
	sign_data(d);
	o = json();
	assert_int_equal(
	    json_array_size(json_object_get(first(o), "controls")), 2);
	assert_check(first(o), "structure", 0, "fail", "");
	assert_check(first(o), "body part ids", 0, "fail", "4 is there twice");
	json_decref(o);
	assert_says("  Other 0:      1.2.3.4 (1.2.3.4)\n");

	/* No PKIData at all. */
	burin_error_clear(&e);
	assert_int_equal(
	    burin_cms_sign(&signer, CMC_OID_PKI_DATA, "no", 2, &der, &len, &e),
	    0);
	memcpy(data, der, len);
	OPENSSL_free(der);
	o = json();
	assert_string_equal(string_of(o, "type"), "cmc-request");
	assert_check(
	    first(o), "structure", 0, "fail", "cannot be decoded as PKIData");
	assert_check(first(o), "signature", 0, "pass", "certificate");
	json_decref(o);
}

/* Refused as a message: its kind and the reason are shown. */
static void
test_refused_envelope(void **state)
{
	/* AuthenticatedData that holds nothing */
	static const unsigned char none[] = { 0x30, 0x11, 0x06, 0x0b, 0x2a,
		0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x02,
		0xa0, 0x02, 0x30, 0x00 };
	json_t *o;

	(void)state;
	memcpy(data, none, len = sizeof(none));
	o = json();
	assert_string_equal(string_of(first(o), "envelope"), "authenticated");
	assert_holds(string_of(first(o), "refused"), "cannot be decoded");
	assert_holds(string_of(first(o), "rule"), "RFC 5652");
	json_decref(o);
	assert_says("Refused:      the message cannot be decoded\n");
}

static void
test_depth(void **state)
{
	json_t *o, *in;
	int i;

	(void)state;
	sign_small();
	for (i = 0; i <= BURIN_CMC_MAX_DEPTH; i++)
		sign_data(around(3));
	o = json();
	in = first(o);
	for (i = 0; i <= BURIN_CMC_MAX_DEPTH; i++) {
		assert_null(json_object_get(in, "refused"));
		in = json_array_get(json_object_get(in, "messages"), 0);
	}
	assert_holds(string_of(in, "refused"), "more than 4 others");
	json_decref(o);
	free(text());
}

/* A link that is not closed: RFC 10002 section 6.3.1. */
static void
test_link(void **state)
{
	CMC_PKI_DATA *d = new_data();
	X509_REQ *req = pki_req("a", key, NULL);
	CMC_REQS *reqs = sk_CMC_REQ_new_null();
	CMC_REQ *one = CMC_REQ_new();
	unsigned char *der = NULL;
	json_t *o;
	int n;

	(void)state;
	one->type = CMC_REQ_TCR;
	one->d.tcr = CMC_TCR_new();
	assert_int_equal(ASN1_INTEGER_set(one->d.tcr->bodyPartID, 1), 1);
	assert_true((n = i2d_X509_REQ(req, &der)) > 0);
	ASN1_TYPE_free(one->d.tcr->certificationRequest);
	one->d.tcr->certificationRequest = any_of(der, (size_t)n);
	OPENSSL_free(der);
	der = NULL;
	assert_true(sk_CMC_REQ_push(reqs, one) > 0);
	assert_true((n = i2d_CMC_REQS(reqs, &der)) > 0);
	assert_int_equal(ASN1_STRING_set(d->reqs, der, n), 1);
	add(d->controls, 2, 22, "04020e0f");
	sign_data(d);
	o = json();
	assert_check(first(o), "POP link", 0, "fail", "0 of 1 requests");
	json_decref(o);
	OPENSSL_free(der);
	CMC_REQS_free(reqs);
	X509_REQ_free(req);
}

/* --- damage -------------------------------------------------------------- */

#define ROUNDS 400 /* for each file */

/* Text and JSON agree; there is a result, or a whole error. */
static int
try_both(void)
{
	char *s = NULL;
	size_t size;
	FILE *out = open_memstream(&s, &size);
	json_t *o = NULL;
	int as_text, as_json;

	burin_error_clear(&e);
	as_text = show_text(out, data, len, &e);
	(void)fclose(out);
	assert_int_equal(as_text == -1, e.status != BURIN_OK);
	burin_error_clear(&e);
	as_json = show_json(&o, data, len, &e);
	assert_int_equal(as_json == -1, e.code[0] != '\0');
	assert_int_equal(as_json, as_text);
	assert_int_equal(ERR_peek_error(), 0);
	json_decref(o);
	free(s);
	return as_text == 0;
}

static void
test_damaged(void **state)
{
	static const char *const files[] = { "cmc-pair.der", "cmc-auth.der",
		"cmc-encrypted.der", "cmc-revoke-secret.der",
		"cmc-rename-crmf.der", "cms/mac.der", "crmf/mac.der",
		"../../fuzz/corpus/show/response-challenge.der",
		"../../fuzz/corpus/show/response-nested.der" };
	static unsigned char whole[MAX_FILE], other[MAX_FILE];
	struct mutator m = { 4, 0 };
	size_t i, whole_len, other_len;
	unsigned k, shown = 0;

	(void)state;
	read_file("cmc-publish.der");
	memcpy(other, data, other_len = len);
	for (i = 0; i < N(files); i++) {
		read_file(files[i]);
		memcpy(whole, data, whole_len = len);
		for (k = 0; k < ROUNDS; k++) {
			len = mutate(
			    &m, k, whole, whole_len, other, other_len, data);
			shown += (unsigned)try_both();
		}
	}
	/* Much of the damage is inside: it is shown, and refused there. */
	assert_in_range(shown, 1, N(files) * ROUNDS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_empty_response),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_auth_data),
		cmocka_unit_test(test_refused_body),
		cmocka_unit_test(test_refused_envelope),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
