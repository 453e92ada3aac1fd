/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden PKCS#10 requests: the same wishes and the same key give the same
 * bytes (of an ECDSA request the signed part, its signature is random), and
 * what is read in them is what the .txt beside says. With BURIN_GOLDEN_WRITE
 * set to a folder the files are written there instead: tests/golden/
 * regenerate does that.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/attest.h>
#include <burin/names.h>
#include <burin/request.h>

#define DATA TEST_DIR "/golden/data/pkcs10"
#define ATTEST TEST_DIR "/golden/data/attest"
#define MAX_FILE 65536
#define MAX_WISHES 16

/* A wish is its kind, a blank, and what the adder of that kind takes. */
static const struct golden {
	const char *name;
	const char *key;
	int is_random; /* the signature */
	const char *wishes[MAX_WISHES];
} goldens[] = {
	{ "im", "ed25519", 0,
	    { "ext keyUsage = critical,digitalSignature", "eku imUri",
		"san uri:im:alice@example.com",
		"san xmpp:alice@example.com" } },
	{ "send", "rsa", 0,
	    { "dn CN=r7", "ext keyUsage = critical,digitalSignature",
		"eku sendRouter", "prefix 2001:db8:7::/48",
		"prefix 2001:db8:9::/48" } },
	{ "send-inherit", "rsa", 0,
	    { "dn CN=r7+serialNumber=7", "eku sendRouter", "eku sendOwner",
		"prefix inherit" } },
	/* RFC 6487 section 6: no subject, these extensions and no other. */
	{ "send-strict", "rsa", 0,
	    { "ski off", "ext keyUsage = critical,digitalSignature",
		"eku sendRouter",
		"ext subjectInfoAccess = "
		"1.3.6.1.5.5.7.48.11;URI:rsync://example.com/r7.roa" } },
	{ "tls", "p256", 1,
	    { "dn CN=Alice Example,O=Example\\, Ltd,C=GB", "eku clientAuth",
		"ext keyUsage = critical,digitalSignature",
		"san email:alice@example.com", "san dns:*.alice.example" } },
	{ "names", "ed25519", 0,
	    { "dn CN=all names", "san email:alice@example.com",
		"san email:zo\xc3\xab@example.com", "san dns:host.example",
		"san uri:https://example.com/alice",
		"san xmpp:zo\xc3\xab@b\xc3\xbc"
		"cher.example",
		"san ip:192.0.2.1", "san ip:2001:db8::1",
		"san dirname:CN=Alice,O=Example", "san rid:1.2.3.4" } },
	{ "dn", "ed25519", 0,
	    { "dn C=DE,DC=example,O=Z\xc3\xbcri\\+Co,OU=a\\,b,"
	      "1.2.3.4=own,UID=alice+CN=Alice,emailAddress=a@b.example",
		"ski off" } },
	{ "attributes", "rsa", 0,
	    { "dn CN=a", "challenge let me in", "attr unstructuredName=r7",
		"attr unstructuredAddress=Zo\xc3\xab",
		"attr postalAddress=1 Main St$Town", "attr 1.2.3.4=text" } },
	{ "extensions", "ed25519", 0,
	    { "dn CN=a", "ext 1.2.3.4 = critical,ASN1:UTF8String:text",
		"ext nsComment = a comment",
		"ext extendedKeyUsage = critical,imUri,1.2.3.5",
		"ext subjectAltName = critical,DNS:a.example",
		"ext certificatePolicies = 1.2.3.6" } },
	{ "attest-yubico", "ed25519", 0,
	    { "dn CN=attested", "attestation yubico" } },
	{ "attest-draft", "ed25519", 0,
	    { "dn CN=attested", "attestation draft" } },
	{ "bare", "p384", 1, { "dn CN=bare", "ski off" } },
};

#define N_GOLDENS (sizeof(goldens) / sizeof(goldens[0]))

static struct burin_error e;

static EVP_PKEY *
load_key(const char *name)
{
	char path[512];
	EVP_PKEY *key;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/%s.pem", name);
	assert_non_null(f = fopen(path, "r"));
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static int
set_challenge(struct burin_subject *s, const char *text)
{
	struct burin_secret *secret;
	int rc;

	assert_int_equal(burin_secret_new(&secret, text, strlen(text), &e), 0);
	rc = burin_subject_set_challenge(s, secret, &e);
	burin_secret_free(&secret);
	return rc;
}

static X509 *
load_cert(const char *name)
{
	char path[512];
	X509 *cert;
	FILE *f;

	(void)snprintf(path, sizeof(path), ATTEST "/%s.der", name);
	assert_non_null(f = fopen(path, "rb"));
	cert = d2i_X509_fp(f, NULL);
	(void)fclose(f);
	assert_non_null(cert);
	return cert;
}

static int
set_attestation(
    struct burin_subject *s, const char *form, struct burin_error *why)
{
	STACK_OF(X509) *above = sk_X509_new_null();
	X509 *leaf = load_cert("leaf");
	int rc;

	assert_true(sk_X509_push(above, load_cert("f9")) > 0);
	rc = burin_subject_set_attestation(
	    s, burin_attest_form_parse(form), leaf, above, why);
	X509_free(leaf);
	sk_X509_pop_free(above, X509_free);
	return rc;
}

static int
add(struct burin_subject *s, const char *wish)
{
	static const struct {
		const char *kind;
		int (*add)(
		    struct burin_subject *, const char *, struct burin_error *);
	} adders[] = {
		{ "dn ", burin_subject_set_dn },
		{ "san ", burin_subject_add_san },
		{ "eku ", burin_subject_add_eku },
		{ "ext ", burin_subject_add_ext },
		{ "prefix ", burin_subject_add_prefix },
		{ "attr ", burin_subject_add_attribute },
		{ "attestation ", set_attestation },
	};
	size_t i, n;

	for (i = 0; i < sizeof(adders) / sizeof(adders[0]); i++) {
		n = strlen(adders[i].kind);
		if (strncmp(wish, adders[i].kind, n) == 0)
			return adders[i].add(s, wish + n, &e);
	}
	if (strcmp(wish, "ski off") == 0) {
		burin_subject_set_ski(s, 0);
		return 0;
	}
	assert_true(strncmp(wish, "challenge ", 10) == 0);
	return set_challenge(s, wish + 10);
}

static void
make(const struct golden *g, unsigned char **der, size_t *len)
{
	struct burin_subject *s;
	EVP_PKEY *key = load_key(g->key);
	size_t i;

	burin_error_clear(&e);
	assert_int_equal(burin_subject_new(&s, &e), 0);
	for (i = 0; i < MAX_WISHES && g->wishes[i] != NULL; i++) {
		if (add(s, g->wishes[i]) == -1)
			fail_msg("%s: %s", g->wishes[i], e.reason);
	}
	if (burin_pkcs10_make(s, key, key, NULL, der, len, &e) == -1)
		fail_msg("%s: %s (%s)", g->name, e.reason, e.cause);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
put_hex(BIO *out, const unsigned char *bytes, int len)
{
	char *hex = burin_hex(bytes, (size_t)len);

	(void)BIO_printf(out, " %s\n", hex);
	free(hex);
}

static void
put_oid(BIO *out, const char *what, const ASN1_OBJECT *oid)
{
	char text[128];

	assert_true(OBJ_obj2txt(text, sizeof(text), oid, 1) > 0);
	(void)BIO_printf(out, "%s %s", what, text);
}

static void
dump_subject(BIO *out, const X509_NAME *name)
{
	int i, last = -1;

	for (i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(entry);
		int set = X509_NAME_ENTRY_set(entry);

		put_oid(out, set == last ? "and" : "rdn",
		    X509_NAME_ENTRY_get_object(entry));
		put_hex(out, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
		last = set;
	}
}

static void
dump_attributes(BIO *out, const X509_REQ *req)
{
	unsigned char *der;
	int i, n;

	for (i = 0; i < X509_REQ_get_attr_count(req); i++) {
		X509_ATTRIBUTE *attr = X509_REQ_get_attr(req, i);

		der = NULL;
		n = i2d_ASN1_TYPE(X509_ATTRIBUTE_get0_type(attr, 0), &der);
		assert_true(n > 0);
		put_oid(out, "attribute", X509_ATTRIBUTE_get0_object(attr));
		put_hex(out, der, n);
		OPENSSL_free(der);
	}
}

static void
dump_extensions(BIO *out, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);
		const ASN1_OCTET_STRING *s = X509_EXTENSION_get_data(ext);

		put_oid(out,
		    X509_EXTENSION_get_critical(ext) ? "critical" : "extension",
		    X509_EXTENSION_get_object(ext));
		put_hex(out, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

static void
dump_names(BIO *out, X509_REQ *req)
{
	char **names = burin_req_sans(req);
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		(void)BIO_printf(out, "name %s\n", names[i]);
	burin_texts_free(&names);
}

static void
put_sha256(BIO *out, X509 *cert)
{
	char hex[65];

	assert_int_equal(burin_cert_sha256(cert, hex, &e), 0);
	(void)BIO_printf(out, "certificate %s\n", hex);
}

static void
dump_attestation(BIO *out, X509_REQ *req)
{
	enum burin_attest_form form;
	STACK_OF(X509) * above;
	X509 *cert;
	int i;

	assert_int_equal(
	    burin_attest_from_req(req, BURIN_ECHECK, &form, &cert, &above, &e),
	    0);
	if (cert == NULL)
		return;
	(void)BIO_printf(out, "attestation %s\n", burin_attest_form_name(form));
	put_sha256(out, cert);
	for (i = 0; i < sk_X509_num(above); i++)
		put_sha256(out, sk_X509_value(above, i));
	X509_free(cert);
	sk_X509_pop_free(above, X509_free);
}

/* What pkcs10_dump.py prints of the same file. */
static BIO *
dump(X509_REQ *req)
{
	BIO *out = BIO_new(BIO_s_mem());
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;

	(void)BIO_printf(out, "version %ld\n", X509_REQ_get_version(req));
	dump_subject(out, X509_REQ_get_subject_name(req));
	dump_attributes(out, req);
	dump_extensions(out, req);
	dump_names(out, req);
	dump_attestation(out, req);
	X509_REQ_get0_signature(req, NULL, &alg);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	put_oid(out, "signature", oid);
	(void)BIO_printf(out, "\n");
	return out;
}

static void
write_file(const char *name, const char *suffix, const void *data, size_t len)
{
	const char *dir = getenv("BURIN_GOLDEN_WRITE");
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t
read_file(const char *name, const char *suffix, unsigned char *data)
{
	char path[512];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/%s%s", name, suffix);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	len = fread(data, 1, MAX_FILE, f);
	(void)fclose(f);
	return len;
}

static X509_REQ *
parse(const unsigned char *der, size_t len)
{
	X509_REQ *req;

	if (burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e) == -1)
		fail_msg("%s", e.reason);
	assert_int_equal(burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e), 0);
	assert_int_equal(ERR_peek_error(), 0);
	return req;
}

/* Encoded anew from its fields, not from what OpenSSL kept. */
static void
same_again(X509_REQ *req, const unsigned char *der, size_t len)
{
	unsigned char *again = NULL;
	X509_REQ *copy = X509_REQ_dup(req);
	int n;

	assert_true(i2d_re_X509_REQ_tbs(copy, NULL) > 0);
	n = i2d_X509_REQ(copy, &again);
	assert_int_equal(n, len);
	assert_memory_equal(again, der, len);
	OPENSSL_free(again);
	X509_REQ_free(copy);
}

static void
same_tbs(X509_REQ *one, X509_REQ *two)
{
	unsigned char *a = NULL, *b = NULL;
	int n = i2d_re_X509_REQ_tbs(one, &a);

	assert_true(n > 0);
	assert_int_equal(i2d_re_X509_REQ_tbs(two, &b), n);
	assert_memory_equal(a, b, (size_t)n);
	OPENSSL_free(a);
	OPENSSL_free(b);
}

static void
compare(const struct golden *g, const unsigned char *der, size_t len)
{
	static unsigned char want[MAX_FILE];
	X509_REQ *made = parse(der, len), *kept;
	size_t n = read_file(g->name, ".der", want);
	char *text;
	BIO *out;
	long m;

	kept = parse(want, n);
	same_again(kept, want, n);
	if (g->is_random)
		same_tbs(made, kept);
	else {
		assert_int_equal(len, n);
		assert_memory_equal(der, want, n);
	}
	out = dump(kept);
	m = BIO_get_mem_data(out, &text);
	n = read_file(g->name, ".txt", want);
	assert_int_equal(m, n);
	assert_memory_equal(text, want, n);
	BIO_free(out);
	X509_REQ_free(made);
	X509_REQ_free(kept);
}

static void
write_golden(const struct golden *g, const unsigned char *der, size_t len)
{
	X509_REQ *req = parse(der, len);
	BIO *out = dump(req);
	char *text;
	long n = BIO_get_mem_data(out, &text);

	write_file(g->name, ".der", der, len);
	write_file(g->name, ".txt", text, (size_t)n);
	BIO_free(out);
	X509_REQ_free(req);
}

static void
test_goldens(void **state)
{
	unsigned char *der;
	size_t i, len;

	(void)state;
	for (i = 0; i < N_GOLDENS; i++) {
		make(&goldens[i], &der, &len);
		if (getenv("BURIN_GOLDEN_WRITE") != NULL)
			write_golden(&goldens[i], der, len);
		else
			compare(&goldens[i], der, len);
		OPENSSL_free(der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_goldens) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
