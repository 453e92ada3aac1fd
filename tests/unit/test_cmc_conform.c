/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of docs/conformance.md that no other test shows: what is read of old
 * peers and of RAs, and what this end entity does not do.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/dsa.h>
#include <openssl/err.h>

#include "cmc_responder.h"
#include "csr/cmc/parse.h"
#include "csr/internal.h"
#include "pki.h"

#define REG_CTRL "1.3.6.1.5.5.7.5.1."
#define DH_POP "1.3.6.1.5.5.7.6.4" /* id-alg-dh-pop, RFC 6955 section 5 */

static struct burin_error e;

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
}

static void
refused(int rc, const char *code)
{
	assert_int_equal(rc, -1);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s instead of %s: %s", e.code, code, e.reason);
	assert_string_not_equal(e.reason, "");
	burin_error_clear(&e);
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- old algorithms --------------------------------------------------------
 */

static EVP_PKEY *
dsa_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *params = NULL, *key = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, 160), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &params), 1);
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(params);
	return key;
}

/* OpenSSL signs; legacy is what it takes to be believed. */
static void
dsa_verified(X509 *cert, EVP_PKEY *key, const EVP_MD *md, int legacy)
{
	BIO *in = BIO_new_mem_buf("text", 4);
	CMS_ContentInfo *theirs = CMS_sign(
	    NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP);
	struct burin_cms *cms;
	unsigned char *der = NULL;
	int len;

	assert_non_null(
	    CMS_add1_signer(theirs, cert, key, md, CMS_BINARY | CMS_PARTIAL));
	assert_int_equal(CMS_final(theirs, in, NULL, CMS_BINARY), 1);
	len = i2d_CMS_ContentInfo(theirs, &der);
	assert_true(len > 0);
	must(burin_cms_parse(der, (size_t)len, BURIN_ECHECK, &cms, &e));
	must(burin_cms_verify(cms, 0, key, legacy, &e));
	if (legacy)
		refused(
		    burin_cms_verify(cms, 0, key, 0, &e), "algorithm-refused");
	burin_cms_free(&cms);
	OPENSSL_free(der);
	CMS_ContentInfo_free(theirs);
	BIO_free(in);
}

/* DSA is read, with SHA-1 only from a legacy peer; nothing signs with it. */
static void
test_dsa(void **state)
{
	EVP_PKEY *key = dsa_key();
	struct pki_spec spec = { .cn = "dsa", .key = key };
	X509 *cert = pki_cert(&spec);
	struct burin_cms_signer s = {
		.by = BURIN_CMS_BY_CERT, .key = key, .pub = key, .cert = cert
	};
	unsigned char *der;
	size_t len;

	(void)state;
	dsa_verified(cert, key, EVP_sha1(), 1);
	dsa_verified(cert, key, EVP_sha256(), 0);
	refused(
	    burin_cms_sign(&s, BURIN_CMC_PKI_DATA, "text", 4, &der, &len, &e),
	    "key-cannot-sign");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* --- Diffie-Hellman --------------------------------------------------------
 */

static void
no_request(EVP_PKEY *pub, enum burin_pop pop, X509 *authority, const char *code)
{
	struct burin_pop_how how = { pop, pub, NULL, authority, -1 };
	struct burin_subject *s;
	unsigned char *der;
	size_t len;

	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=dh", &e));
	refused(burin_crmf_make(s, pub, 1, &how, &der, &len, &e), code);
	refused(burin_pkcs10_make_with(s, pub, &how, &der, &len, &e), code);
	burin_subject_free(&s);
}

/* No token makes DH keys: they get no request, and nothing sealed for them. */
static void
test_dh(void **state)
{
	static const char *const exts[] = { "keyUsage=keyAgreement", NULL };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM group[] = { OSSL_PARAM_utf8_string(
				   "group", (char[]) { "ffdhe2048" }, 9),
		OSSL_PARAM_END };
	EVP_PKEY *ec = pki_key("P-256"), *dh = NULL;
	struct pki_spec spec = { .cn = "authority", .key = ec, .exts = exts };
	X509 *authority = pki_cert(&spec);
	struct burin_cms_recipient to = { .serial = 1 };
	unsigned char *der;
	size_t len;

	(void)state;
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_params(ctx, group), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &dh), 1);
	no_request(dh, BURIN_POP_SIGNATURE, NULL, "key-cannot-sign");
	no_request(dh, BURIN_POP_CHALLENGE, NULL, "key-cannot-decrypt");
	no_request(dh, BURIN_POP_AGREEMENT, authority, "key-cannot-agree");
	to.pub = dh;
	refused(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC,
		    "1.2.840.113549.1.7.1", "text", 4, &der, &len, &e),
	    "key-cannot-decrypt");
	X509_free(authority);
	EVP_PKEY_free(dh);
	EVP_PKEY_free(ec);
	EVP_PKEY_CTX_free(ctx);
}

/* The signature made of a DH key (RFC 6955 section 5) is not believed. */
static void
test_dl_signature(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req = pki_req("Alice", key, NULL);
	const X509_ALGOR *alg;

	(void)state;
	must(burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e));
	X509_REQ_get0_signature(req, NULL, &alg);
	assert_int_equal(X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)alg,
			     OBJ_txt2obj(DH_POP, 1), V_ASN1_UNDEF, NULL),
	    1);
	refused(burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e), "pop-failed");
	refused(
	    burin_pkcs10_verify_agreement(req, NULL, NULL, BURIN_ECHECK, &e),
	    "pop-unsupported");
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

/* --- controls of CRMF ------------------------------------------------------
 */

/* regToken, authenticator, pkiPublicationInfo, pkiArchiveOptions, oldCertID,
 * protocolEncrKey: none is ever sent. */
static void
test_reg_controls(void **state)
{
	EVP_PKEY *key = pki_key("ED25519");
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, key, NULL, NULL, -1 };
	struct burin_subject *s;
	char line[64];
	unsigned char *der;
	size_t len;
	int i;

	(void)state;
	for (i = 1; i <= 6; i++) {
		must(burin_subject_new(&s, &e));
		must(burin_subject_set_dn(s, "CN=a", &e));
		must(burin_crmf_make(s, key, 1, &how, &der, &len, &e));
		OPENSSL_free(der);
		(void)snprintf(line, sizeof(line), REG_CTRL "%d=x", i);
		must(burin_subject_add_attribute(s, line, &e));
		refused(burin_crmf_make(s, key, 1, &how, &der, &len, &e),
		    "attribute-not-in-crmf");
		burin_subject_free(&s);
	}
	EVP_PKEY_free(key);
}

/* --- controls of RAs -------------------------------------------------------
 */

static ASN1_INTEGER *
number(long n)
{
	ASN1_INTEGER *i = ASN1_INTEGER_new();

	assert_int_equal(ASN1_INTEGER_set(i, n), 1);
	return i;
}

static uint32_t
put_add_extensions(struct said *s)
{
	CMC_ADD_EXTENSIONS *v = CMC_ADD_EXTENSIONS_new();
	uint32_t id;

	assert_int_equal(ASN1_INTEGER_set(v->pkiDataReference, 0), 1);
	assert_true(sk_ASN1_INTEGER_push(v->certReferences, number(1)) > 0);
	assert_true(sk_X509_EXTENSION_push(v->extensions,
			X509V3_EXT_nconf(
			    NULL, NULL, "keyUsage", "digitalSignature")) > 0);
	id = said_value(s, CMC_ADD_EXTENSION, v);
	CMC_ADD_EXTENSIONS_free(v);
	return id;
}

static uint32_t
put_mod_template(struct said *s)
{
	static const unsigned char empty[] = { 0x30, 0x00 };
	CMC_MOD_TEMPLATE *v = CMC_MOD_TEMPLATE_new();
	uint32_t id;

	assert_true(sk_ASN1_INTEGER_push(v->pkiDataReference, number(0)) > 0);
	assert_true(sk_ASN1_INTEGER_push(v->certReferences, number(1)) > 0);
	assert_int_equal(
	    ASN1_STRING_set(v->certTemplate, empty, sizeof(empty)), 1);
	id = said_value(s, CMC_MOD_CERT_TEMPLATE, v);
	CMC_MOD_TEMPLATE_free(v);
	return id;
}

static uint32_t
put_pop_witness(struct said *s)
{
	CMC_POP_WITNESS *v = CMC_POP_WITNESS_new();
	uint32_t id;

	assert_int_equal(ASN1_INTEGER_set(v->pkiDataBodyid, 0), 1);
	assert_true(sk_ASN1_INTEGER_push(v->bodyIds, number(1)) > 0);
	id = said_value(s, CMC_LRA_POP_WITNESS, v);
	CMC_POP_WITNESS_free(v);
	return id;
}

static uint32_t
put_processed(struct said *s)
{
	CMC_PROCESSED *v = CMC_PROCESSED_new();
	CMC_REF *ref = CMC_REF_new();
	uint32_t id;

	ref->type = CMC_REF_ID;
	ref->d.id = number(1);
	assert_true(sk_CMC_REF_push(v->bodyList, ref) > 0);
	id = said_value(s, CMC_CONTROL_PROCESSED, v);
	CMC_PROCESSED_free(v);
	return id;
}

/* A message of nobody, for a list of messages to point at. */
static uint32_t
put_batch(struct said *s, enum cmc_control which)
{
	struct burin_cms_signer nobody = { .by = BURIN_CMS_BY_NOBODY };
	unsigned char *der;
	uint32_t id;
	size_t len;

	must(burin_cms_sign(
	    &nobody, BURIN_CMC_PKI_DATA, "0\0" /* 30 00 */, 2, &der, &len, &e));
	id = said_message(s, der, len);
	OPENSSL_free(der);
	return said_ids(s, which, &id, 1);
}

static uint32_t
put_batch_requests(struct said *s)
{
	return put_batch(s, CMC_BATCH_REQUESTS);
}

static uint32_t
put_batch_responses(struct said *s)
{
	return put_batch(s, CMC_BATCH_RESPONSES);
}

static uint32_t
put_identity_witness(struct said *s)
{
	static const uint32_t path[] = { 1 };

	return said_ids(s, CMC_RA_IDENTITY_WITNESS, path, 1);
}

static void
read_as(enum cmc_kind kind, const struct said *s, uint32_t id,
    enum cmc_control which)
{
	struct cmc_body *body;
	unsigned char *der;
	size_t len, at = 0;
	const struct cmc_control_part *part;

	der = kind == CMC_DATA ? said_data(s, &len) : said_response(s, &len);
	must(cmc_body_parse(kind, der, len, BURIN_ECHECK, &body, &e));
	part = cmc_body_next(body, which, &at);
	assert_non_null(part);
	assert_int_equal(part->id, id);
	assert_non_null(part->value);
	assert_true((part->row->where & CMC_BY_RA) != 0);
	cmc_body_free(&body);
	OPENSSL_free(der);
}

static void
no_place(enum cmc_kind kind, const struct said *s)
{
	struct cmc_body *body;
	unsigned char *der;
	size_t len;

	der = kind == CMC_DATA ? said_data(s, &len) : said_response(s, &len);
	assert_int_equal(
	    cmc_body_parse(kind, der, len, BURIN_ECHECK, &body, &e), -1);
	assert_non_null(strstr(e.reason, "has no place"));
	refused(-1, "cmc-malformed");
	OPENSSL_free(der);
}

/* Read where an RA puts them, refused where it must not. */
static void
test_ra_controls(void **state)
{
	static const struct {
		enum cmc_control which;
		enum cmc_kind place;
		uint32_t (*put)(struct said *);
	} kinds[] = {
		{ CMC_ADD_EXTENSION, CMC_DATA, put_add_extensions },
		{ CMC_MOD_CERT_TEMPLATE, CMC_DATA, put_mod_template },
		{ CMC_LRA_POP_WITNESS, CMC_DATA, put_pop_witness },
		{ CMC_CONTROL_PROCESSED, CMC_DATA, put_processed },
		{ CMC_BATCH_REQUESTS, CMC_DATA, put_batch_requests },
		{ CMC_RA_IDENTITY_WITNESS, CMC_DATA, put_identity_witness },
		{ CMC_BATCH_RESPONSES, CMC_RESPONSE, put_batch_responses },
	};
	struct said s;
	uint32_t id;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		said_begin(&s);
		id = kinds[i].put(&s);
		read_as(kinds[i].place, &s, id, kinds[i].which);
		no_place(
		    kinds[i].place == CMC_DATA ? CMC_RESPONSE : CMC_DATA, &s);
		said_free(&s);
	}
}

/* --- what getCert and getCRL bring -----------------------------------------
 */

struct asked {
	EVP_PKEY *key;
	X509 *ca;
	X509_CRL *crl;
	struct burin_cmc_thread thread;
	unsigned char *der;
	struct burin_cmc_expect x;
};

static void
ask_crl(struct asked *a)
{
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_CERT };
	struct burin_cmc_ask ask = { .signer = &signer };
	ASN1_TIME *now = ASN1_TIME_set(NULL, PKI_NOW);

	memset(a, 0, sizeof(*a));
	a->key = pki_key("P-256");
	a->ca = pki_ca("Test CA", a->key);
	a->crl = X509_CRL_new();
	assert_int_equal(X509_CRL_set_version(a->crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(a->crl, X509_get_subject_name(a->ca)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(a->crl, now), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(a->crl, now), 1);
	assert_true(X509_CRL_sign(a->crl, a->key, EVP_sha256()) > 0);
	ASN1_TIME_free(now);
	must(burin_cmc_begin(&a->thread, &e));
	signer.key = signer.pub = a->key;
	signer.cert = a->ca;
	ask.thread = &a->thread;
	ask.get_crl = 1;
	ask.get_issuer = X509_get_subject_name(a->ca);
	must(burin_cmc_make(&ask, &a->der, &a->x.request_len, &e));
	a->x.request = a->der;
	a->x.thread = &a->thread;
	a->x.status = BURIN_EAUTHORITY;
	a->x.anchors = sk_X509_new_null();
	assert_true(sk_X509_push(a->x.anchors, a->ca) > 0);
	a->x.now = PKI_NOW;
	a->x.skew = 300;
}

static void
asked_clear(struct asked *a)
{
	sk_X509_free(a->x.anchors);
	OPENSSL_free(a->der);
	X509_CRL_free(a->crl);
	X509_free(a->ca);
	EVP_PKEY_free(a->key);
}

/* by nobody: a Simple response. */
static void
answer_crl(const struct asked *a, enum burin_cms_by by)
{
	struct burin_cms_signer signer = {
		.by = by, .key = a->key, .pub = a->key, .cert = a->ca
	};
	struct burin_cmc_reply reply;
	unsigned char *body = NULL, *der;
	size_t body_len = 0, len;
	struct said s;

	signer.crls = sk_X509_CRL_new_null();
	assert_true(sk_X509_CRL_push(signer.crls, a->crl) > 0);
	said_begin(&s);
	(void)said_integer(&s, CMC_TRANSACTION_ID, a->thread.transaction.data,
	    a->thread.transaction.len);
	(void)said_octets(
	    &s, CMC_RECIPIENT_NONCE, a->thread.sent.data, a->thread.sent.len);
	if (by != BURIN_CMS_BY_NOBODY)
		body = said_response(&s, &body_len);
	must(burin_cms_sign(&signer,
	    body != NULL ? BURIN_CMC_PKI_RESPONSE : "1.2.840.113549.1.7.1",
	    body, body_len, &der, &len, &e));
	must(burin_cmc_read(der, len, &a->x, &reply, &e));
	assert_int_equal(reply.outcome, BURIN_CMC_DONE);
	assert_int_equal(sk_X509_CRL_num(reply.crls), 1);
	assert_int_equal(
	    X509_CRL_cmp(sk_X509_CRL_value(reply.crls, 0), a->crl), 0);
	burin_cmc_reply_clear(&reply);
	sk_X509_CRL_free(signer.crls);
	said_free(&s);
	OPENSSL_free(body);
	OPENSSL_free(der);
}

static void
test_retrieved(void **state)
{
	struct asked a;

	(void)state;
	ask_crl(&a);
	answer_crl(&a, BURIN_CMS_BY_CERT);
	a.x.simple = 1;
	answer_crl(&a, BURIN_CMS_BY_NOBODY);
	asked_clear(&a);
}

/* --- one reason in two statuses --------------------------------------------
 */

/* extendedFailInfo, and for old readers a failInfo about the same part. */
static void
test_two_reasons(void **state)
{
	static const uint32_t whole[] = { 0 };
	struct said_status w = {
		.status = BURIN_CMC_FAILED, .ids = whole, .n_ids = 1, .fail = -1
	};
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_CERT };
	struct burin_cmc_reply reply;
	unsigned char *body, *der;
	size_t body_len, len;
	struct asked a;
	struct said s;
	int first;

	(void)state;
	ask_crl(&a);
	signer.key = signer.pub = a.key;
	signer.cert = a.ca;
	for (first = 0; first < 2; first++) {
		said_begin(&s);
		(void)said_integer(&s, CMC_TRANSACTION_ID,
		    a.thread.transaction.data, a.thread.transaction.len);
		(void)said_octets(&s, CMC_RECIPIENT_NONCE, a.thread.sent.data,
		    a.thread.sent.len);
		w.ext = first == 0 ? "1.2.3.4.5" : NULL;
		w.fail = first == 0 ? -1 : 4;
		(void)said_status(&s, &w);
		w.ext = first == 0 ? NULL : "1.2.3.4.5";
		w.fail = first == 0 ? 4 : -1;
		(void)said_status(&s, &w);
		body = said_response(&s, &body_len);
		must(burin_cms_sign(&signer, BURIN_CMC_PKI_RESPONSE, body,
		    body_len, &der, &len, &e));
		refused(burin_cmc_read(der, len, &a.x, &reply, &e),
		    "cmc-badCertId");
		said_free(&s);
		OPENSSL_free(body);
		OPENSSL_free(der);
	}
	asked_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dsa),
		cmocka_unit_test(test_dh),
		cmocka_unit_test(test_dl_signature),
		cmocka_unit_test(test_reg_controls),
		cmocka_unit_test(test_ra_controls),
		cmocka_unit_test(test_retrieved),
		cmocka_unit_test(test_two_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
