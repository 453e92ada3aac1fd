/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden CRMF, and PKCS#10 of keys that cannot sign: the same wishes and the
 * same key give the same bytes (of an ECDSA request the signed part), and
 * what is read in them is what the .txt beside says. With BURIN_GOLDEN_WRITE
 * set to a folder the files are written there: tests/golden/regenerate.
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

#include <burin/crmf.h>
#include <burin/names.h>

#include "csr/crmf/asn1.h"
#include "csr/internal.h"

#define DATA TEST_DIR "/golden/data/"
#define MAX_FILE 65536
#define MAX_WISHES 8

static const struct golden {
	const char *name;
	const char *key;
	enum burin_pop pop;
	int is_pkcs10;
	int is_random; /* the signature */
	uint32_t id;
	const char *dn;
	const char *san;
	const char *controls[MAX_WISHES];
} goldens[] = {
	{ "ed25519", "pkcs10/ed25519", BURIN_POP_SIGNATURE, 0, 0, 1,
	    "CN=Alice,O=Example", "uri:im:alice@example.com", { NULL } },
	{ "rsa", "pkcs10/rsa", BURIN_POP_SIGNATURE, 0, 0, 4294967295, "CN=r7",
	    "ip:2001:db8:7::1", { NULL } },
	{ "p256", "pkcs10/p256", BURIN_POP_SIGNATURE, 0, 1, 128, "",
	    "dns:host.example", { NULL } },
	{ "p384", "pkcs10/p384", BURIN_POP_SIGNATURE, 0, 1, 3, "CN=Zo\xc3\xab",
	    NULL, { NULL } },
	{ "controls", "pkcs10/ed25519", BURIN_POP_SIGNATURE, 0, 0, 2, "", NULL,
	    { "1.3.6.1.5.5.7.7.33", "1.3.6.1.5.5.7.7.23",
		"1.3.6.1.5.5.7.7.36" } },
	{ "encipher", "pkcs10/rsa", BURIN_POP_CHALLENGE, 0, 0, 5, "CN=a", NULL,
	    { NULL } },
	{ "agree", "crmf/x25519", BURIN_POP_CHALLENGE, 0, 0, 6, "CN=a", NULL,
	    { NULL } },
	{ "mac", "pkcs10/p256", BURIN_POP_AGREEMENT, 0, 0, 7, "CN=a",
	    "dns:a.example", { "1.3.6.1.5.5.7.7.33" } },
	{ "by-ra", "crmf/x25519", BURIN_POP_BY_RA, 0, 0, 8, "CN=a", NULL,
	    { NULL } },
	{ "p10-challenge", "crmf/x25519", BURIN_POP_CHALLENGE, 1, 0, 0, "CN=a",
	    NULL, { NULL } },
	{ "p10-mac", "pkcs10/p256", BURIN_POP_AGREEMENT, 1, 0, 0, "CN=a",
	    "dns:a.example", { NULL } },
};

#define N_GOLDENS (sizeof(goldens) / sizeof(goldens[0]))

static const char *const popos[] = {
	[BURIN_POPO_NONE] = "none",
	[BURIN_POPO_RA_VERIFIED] = "ra-verified",
	[BURIN_POPO_SIGNATURE] = "signature",
	[BURIN_POPO_ENCRYPT_CHALLENGE] = "encrypt-challenge",
	[BURIN_POPO_AGREE_CHALLENGE] = "agree-challenge",
	[BURIN_POPO_AGREE_MAC] = "agree-mac",
};

static struct burin_error e;

static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static FILE *
open_data(const char *name, const char *suffix)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "%s%s", name, suffix);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	return f;
}

static EVP_PKEY *
load_key(const char *name)
{
	FILE *f = open_data(name, ".pem");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static X509 *
load_authority(void)
{
	FILE *f = open_data("crmf/authority", ".der");
	X509 *cert = d2i_X509_fp(f, NULL);

	(void)fclose(f);
	assert_non_null(cert);
	return cert;
}

/* No adder of the library takes these: CMC puts them in. */
static void
put_control(struct burin_subject *s, const char *oid)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	X509_ATTRIBUTE *attr = X509_ATTRIBUTE_create_by_OBJ(
	    NULL, type, V_ASN1_SEQUENCE, "\x30\x03\x02\x01\x07", 5);

	assert_non_null(attr);
	assert_true(sk_X509_ATTRIBUTE_push(s->attributes, attr) > 0);
	ASN1_OBJECT_free(type);
}

static struct burin_subject *
subject_of(const struct golden *g)
{
	struct burin_subject *s;
	size_t i;

	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, g->dn, &e));
	must(burin_subject_default_key_usage(s,
	    g->pop == BURIN_POP_SIGNATURE ? "digitalSignature" : "keyAgreement",
	    &e));
	if (g->san != NULL) {
		must(burin_subject_add_san(s, g->san, &e));
	}
	for (i = 0; i < MAX_WISHES && g->controls[i] != NULL; i++)
		put_control(s, g->controls[i]);
	return s;
}

static void
make(const struct golden *g, unsigned char **der, size_t *len)
{
	struct burin_subject *s = subject_of(g);
	EVP_PKEY *key = load_key(g->key);
	struct burin_pop_how how = { g->pop, key, NULL, load_authority(), -1 };

	if (g->is_pkcs10)
		must(burin_pkcs10_make_with(s, key, &how, der, len, &e));
	else
		must(burin_crmf_make(s, key, g->id, &how, der, len, &e));
	X509_free(how.authority);
	EVP_PKEY_free(key);
	burin_subject_free(&s);
}

/* --- the text ------------------------------------------------------------ */

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
	int i;

	for (i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(entry);

		put_oid(out, "rdn", X509_NAME_ENTRY_get_object(entry));
		put_hex(out, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
	}
}

static void
dump_key(BIO *out, EVP_PKEY *pub)
{
	unsigned char md[32], *der = NULL;
	int n = i2d_PUBKEY(pub, &der);

	assert_true(n > 0);
	assert_int_equal(
	    EVP_Digest(der, (size_t)n, md, NULL, EVP_sha256(), NULL), 1);
	(void)BIO_puts(out, "key");
	put_hex(out, md, sizeof(md));
	OPENSSL_free(der);
}

static void
dump_extensions(BIO *out, const STACK_OF(X509_EXTENSION) * exts)
{
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);
		const ASN1_OCTET_STRING *s = X509_EXTENSION_get_data(ext);

		put_oid(out,
		    X509_EXTENSION_get_critical(ext) ? "critical" : "extension",
		    X509_EXTENSION_get_object(ext));
		put_hex(out, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
	}
}

static void
dump_controls(BIO *out, const struct burin_crmf *m)
{
	const unsigned char *value;
	const char *oid;
	size_t i, len;

	for (i = 0; (oid = burin_crmf_control_oid(m, i)) != NULL; i++) {
		value = burin_crmf_control(m, oid, &len);
		(void)BIO_printf(out, "control %s", oid);
		put_hex(out, value, (int)len);
	}
}

/* 0 when the proof is one, or none is expected. */
static int
verify_crmf(const struct golden *g, const struct burin_crmf *m)
{
	EVP_PKEY *key = load_key("crmf/authority");
	X509 *cert = load_authority();
	int rc = burin_crmf_verify_pop(m, key, cert, BURIN_ECHECK, &e);

	if (g->pop == BURIN_POP_CHALLENGE || g->pop == BURIN_POP_BY_RA) {
		assert_int_equal(rc, -1);
		burin_error_clear(&e);
		rc = 0;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

static void
dump_crmf(
    BIO *out, const struct golden *g, const unsigned char *der, size_t len)
{
	struct burin_crmf *m;

	must(burin_crmf_parse(der, len, 1, BURIN_ECHECK, &m, &e));
	must(verify_crmf(g, m));
	(void)BIO_printf(out, "id %lu\n", (unsigned long)burin_crmf_id(m));
	dump_subject(out, burin_crmf_subject(m));
	dump_key(out, burin_crmf_public_key(m));
	dump_extensions(out, burin_crmf_extensions(m));
	dump_controls(out, m);
	(void)BIO_printf(out, "pop %s\n", popos[burin_crmf_get_popo(m)]);
	burin_crmf_free(&m);
}

static void
dump_pkcs10(BIO *out, const unsigned char *der, size_t len)
{
	EVP_PKEY *key = load_key("crmf/authority");
	X509 *cert = load_authority();
	STACK_OF(X509_EXTENSION) * exts;
	X509_REQ *req;

	must(burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e));
	if (burin_pkcs10_pop(req) == BURIN_POP_AGREEMENT)
		must(burin_pkcs10_verify_agreement(
		    req, key, cert, BURIN_ECHECK, &e));
	exts = X509_REQ_get_extensions(req);
	dump_subject(out, X509_REQ_get_subject_name(req));
	dump_key(out, X509_REQ_get0_pubkey(req));
	dump_extensions(out, exts);
	(void)BIO_printf(
	    out, "pop %s\n", burin_pop_name(burin_pkcs10_pop(req)));
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* What crmf_dump.py prints of the same file. */
static BIO *
dump(const struct golden *g, const unsigned char *der, size_t len)
{
	BIO *out = BIO_new(BIO_s_mem());

	if (g->is_pkcs10)
		dump_pkcs10(out, der, len);
	else
		dump_crmf(out, g, der, len);
	return out;
}

/* --- comparing ----------------------------------------------------------- */

static size_t
read_file(const char *name, const char *suffix, unsigned char *data)
{
	char path[128];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "crmf/%s", name);
	f = open_data(path, suffix);
	len = fread(data, 1, MAX_FILE, f);
	(void)fclose(f);
	return len;
}

static void
write_file(const char *name, const char *suffix, const void *data, size_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s%s",
	    getenv("BURIN_GOLDEN_WRITE"), name, suffix);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static CRMF_MSG *
decode(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	CRMF_MSG *msg = d2i_CRMF_MSG(NULL, &p, (long)len);

	assert_non_null(msg);
	assert_ptr_equal(p, der + len);
	return msg;
}

/* Encoded anew from its fields, not from what was kept. */
static void
same_again(const unsigned char *der, size_t len)
{
	CRMF_MSG *msg = decode(der, len);
	unsigned char *again = NULL;

	msg->certReq->enc.modified = 1;
	assert_int_equal(i2d_CRMF_MSG(msg, &again), len);
	assert_memory_equal(again, der, len);
	OPENSSL_free(again);
	CRMF_MSG_free(msg);
}

static void
same_request(
    const unsigned char *one, size_t n, const unsigned char *two, size_t m)
{
	CRMF_MSG *a = decode(one, n), *b = decode(two, m);
	unsigned char *x = NULL, *y = NULL;
	int len = i2d_CRMF_REQUEST(a->certReq, &x);

	assert_true(len > 0);
	assert_int_equal(i2d_CRMF_REQUEST(b->certReq, &y), len);
	assert_memory_equal(x, y, (size_t)len);
	OPENSSL_free(x);
	OPENSSL_free(y);
	CRMF_MSG_free(a);
	CRMF_MSG_free(b);
}

static void
compare(const struct golden *g, const unsigned char *der, size_t len)
{
	static unsigned char want[MAX_FILE];
	size_t n = read_file(g->name, ".der", want);
	char *text;
	BIO *out;
	long m;

	if (!g->is_pkcs10)
		same_again(want, n);
	if (g->is_random) {
		same_request(der, len, want, n);
	} else {
		assert_int_equal(len, n);
		assert_memory_equal(der, want, n);
	}
	out = dump(g, want, n);
	m = BIO_get_mem_data(out, &text);
	n = read_file(g->name, ".txt", want);
	assert_int_equal(m, n);
	assert_memory_equal(text, want, n);
	BIO_free(out);
}

static void
write_golden(const struct golden *g, const unsigned char *der, size_t len)
{
	BIO *out = dump(g, der, len);
	char *text;
	long n = BIO_get_mem_data(out, &text);

	write_file(g->name, ".der", der, len);
	write_file(g->name, ".txt", text, (size_t)n);
	BIO_free(out);
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
