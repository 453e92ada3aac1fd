/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Algorithms between an end entity and the authority: RFC 10004 section 4
 * asks for RSA with SHA-256, and allows others. Who signs a renewal here is
 * OpenSSL's CMS, which takes any of them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "cmc_bench.h"

/* --- a new key signs message and request ---------------------------------- */

static void
takes_every_kind_of_key(void **state)
{
	static const char *const kinds[] = { "RSA", "P-256", "P-384", "P-521",
		"ED25519", "ED448" };
	static const enum burin_cmc_form forms[] = { BURIN_CMC_PKCS10,
		BURIN_CMC_CRMF };
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct client c;
	char name[16];
	size_t i, k;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (k = 0; k < 2; k++) {
			(void)snprintf(name, sizeof(name), "k%zu%zu", i, k);
			client_new(b, &c, name, kinds[i], "unit");
			make_requests(&c, forms[k], BURIN_POP_SIGNATURE, &c.id);
			s = by_key(&c);
			must(&b->e, enrol(&c, &s));
			(void)got(&c);
			client_clear(&c);
		}
	}
}

/* --- what others sign with ------------------------------------------------ */

/* The content of c->sent, signed anew by OpenSSL. */
static void
sign_theirs(struct client *c, X509 *cert, const EVP_MD *md, int pss)
{
	unsigned flags = CMS_BINARY | CMS_PARTIAL;
	struct burin_error *e = &c->b->e;
	struct burin_cms *ours;
	const unsigned char *content;
	ASN1_OBJECT *type = OBJ_txt2obj(BURIN_CMC_PKI_DATA, 1);
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	unsigned char *der = NULL;
	size_t len;
	BIO *in;
	int n;

	must(e, burin_cms_parse(c->sent, c->sent_len, BURIN_ECHECK, &ours, e));
	content = burin_cms_content(ours, &len);
	assert_non_null(in = BIO_new_mem_buf(content, (int)len));
	assert_non_null(cms = CMS_sign(NULL, NULL, NULL, NULL, flags));
	assert_int_equal(CMS_set1_eContentType(cms, type), 1);
	si = CMS_add1_signer(
	    cms, cert, c->key, md, flags | (pss ? (unsigned)CMS_KEY_PARAM : 0));
	assert_non_null(si);
	if (pss)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				     CMS_SignerInfo_get0_pkey_ctx(si),
				     RSA_PKCS1_PSS_PADDING),
		    1);
	assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	assert_true((n = i2d_CMS_ContentInfo(cms, &der)) > 0);
	OPENSSL_free(c->sent);
	c->sent = der;
	c->sent_len = (size_t)n;
	ERR_clear_error();
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	burin_cms_free(&ours);
}

static void
takes_every_signature(void **state)
{
	static const struct {
		const char *kind, *md;
		int pss;
		const char *refusal; /* NULL: it is taken */
	} all[] = {
		{ "RSA", "SHA256", 0, NULL }, /* MUST */
		{ "RSA", "SHA384", 0, NULL },
		{ "RSA", "SHA512", 0, NULL },
		{ "RSA", "SHA256", 1, NULL },
		{ "RSA", "SHA384", 1, NULL },
		{ "RSA", "SHA512", 1, NULL },
		{ "P-256", "SHA256", 0, NULL },
		{ "P-256", "SHA384", 0, NULL },
		{ "P-384", "SHA384", 0, NULL },
		{ "P-384", "SHA256", 0, NULL },
		{ "P-521", "SHA512", 0, NULL },
		{ "RSA", "SHA1", 0, "cmc-badAlg" },
		{ "RSA", "SHA1", 1, "cmc-badAlg" },
		{ "P-256", "SHA1", 0, "cmc-badAlg" },
	};
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { 0 };
	struct client c;
	char name[16];
	X509 *cert;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		client_new(b, &c, name, all[i].kind, "unit");
		cert = enrolled(&c);
		make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, NULL);
		must(&b->e, burin_cmc_begin(&c.thread, &b->e));
		s = by_cert(&c, cert);
		ask.thread = &c.thread;
		ask.requests = c.reqs;
		ask.requests_len = c.reqs_len;
		ask.signer = &s;
		OPENSSL_free(c.sent);
		must(&b->e, burin_cmc_make(&ask, &c.sent, &c.sent_len, &b->e));
		sign_theirs(
		    &c, cert, EVP_get_digestbyname(all[i].md), all[i].pss);
		turn(&c);
		if (all[i].refusal != NULL) {
			assert_int_equal(hears(&c, 0), -1);
			refused(&c, all[i].refusal);
		} else {
			must(&b->e, hears(&c, 0));
			(void)got(&c);
		}
		X509_free(cert);
		client_clear(&c);
	}
}

/* --- what the authority signs with ---------------------------------------- */

static void
assert_signed(const struct cmc_reply *said, int digest, int signature)
{
	const unsigned char *p = said->der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)said->len);
	X509_ALGOR *md, *alg;
	CMS_SignerInfo *si;

	assert_non_null(cms);
	assert_non_null(
	    si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0));
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &md, &alg);
	assert_int_equal(OBJ_obj2nid(md->algorithm), digest);
	assert_int_equal(OBJ_obj2nid(alg->algorithm), signature);
	CMS_ContentInfo_free(cms);
}

/* Those of "authority init --cmc-key-type". */
static void
answers_with_every_key(void **state)
{
	static const struct {
		const char *kind;
		int md, signature;
	} all[] = {
		/* With the digest beside it: RFC 5754 section 3.2. */
		{ "RSA", NID_sha256, NID_rsaEncryption },
		{ "P-256", NID_sha256, NID_ecdsa_with_SHA256 },
		{ "P-384", NID_sha384, NID_ecdsa_with_SHA384 },
		{ "P-521", NID_sha512, NID_ecdsa_with_SHA512 },
	};
	struct bench *b = *state;
	struct client c;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		X509_free(b->s.cert);
		EVP_PKEY_free(b->s.key);
		b->s.key = pki_key(all[i].kind);
		must(&b->e,
		    own_cmc_make(&b->ca, b->s.key, PKI_NOW, &b->s.cert, &b->e));
		(void)snprintf(name, sizeof(name), "a%zu", i);
		client_new(b, &c, name, "P-256", "unit");
		X509_free(enrolled(&c));
		assert_signed(&c.said, all[i].md, all[i].signature);
		client_clear(&c);
	}
}

/* --- messages to the authority -------------------------------------------- */

static void
opens_every_envelope(void **state)
{
	static const enum burin_cms_cipher ciphers[] = { BURIN_CMS_AES256_CBC,
		BURIN_CMS_AES256_GCM };
	struct bench *b = *state;
	struct burin_cms_recipient to = { .pub = b->s.pop_key,
		.cert = b->s.pop_cert };
	struct burin_cms_signer s;
	struct client c;
	unsigned char *plain;
	size_t plain_len, i;
	char name[16];

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		(void)snprintf(name, sizeof(name), "e%zu", i);
		client_new(b, &c, name, "P-256", "unit");
		make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
		s = by_key(&c);
		must(&b->e, enrol(&c, &s));
		plain = c.sent;
		plain_len = c.sent_len;
		must(&b->e,
		    burin_cms_encrypt(&to, 1, ciphers[i],
			"1.2.840.113549.1.7.2", plain, plain_len, &c.sent,
			&c.sent_len, &b->e));
		turn(&c);
		OPENSSL_free(c.sent);
		c.sent = plain;
		c.sent_len = plain_len;
		must(&b->e, hears(&c, 0));
		(void)got(&c);
		client_clear(&c);
	}
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(takes_every_kind_of_key),
		EACH(takes_every_signature),
		EACH(answers_with_every_key),
		EACH(opens_every_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
