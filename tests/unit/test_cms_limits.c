/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is refused before anything is believed: messages that are malformed or
 * too much, and what cannot be made.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "cms_sound.h"

static void
parse_refused(const void *data, size_t len, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;

	assert_refused(burin_cms_parse(data, len, BURIN_ECHECK, &cms, &e), &e,
	    BURIN_ECHECK, code);
	assert_null(cms);
}

static void
signers(struct open *o)
{
	while (sk_CSR_SIGNER_num(o->sd->signers) <= BURIN_MAX_SIGNERS)
		assert_true(sk_CSR_SIGNER_push(o->sd->signers,
				ASN1_item_dup(ASN1_ITEM_rptr(CSR_SIGNER),
				    signer(o))) > 0);
}

static void
key_id_long(struct open *o)
{
	static const unsigned char id[BURIN_MAX_KEY_ID + 1];

	assert_int_equal(
	    ASN1_OCTET_STRING_set(signer(o)->sid->d.key_id, id, sizeof(id)), 1);
}

static void
key_id_empty(struct open *o)
{
	signer(o)->sid->d.key_id->length = 0;
}

static void
many(STACK_OF(ASN1_TYPE) * *all, const ASN1_ITEM *it, void *val, int n)
{
	*all = sk_ASN1_TYPE_new_null();
	while (n-- > 0) {
		ASN1_TYPE *any = NULL;

		assert_non_null(ASN1_TYPE_pack_sequence(it, val, &any));
		assert_true(sk_ASN1_TYPE_push(*all, any) > 0);
	}
}

static void
certs(struct open *o)
{
	X509 *cert = pki_ca("many", ec);

	many(&o->sd->certs, ASN1_ITEM_rptr(X509), cert, CSR_CMS_MAX_CERTS + 1);
	X509_free(cert);
}

/* A revocation list is no certificate, nor the other way round. */
static void
bad_cert(struct open *o)
{
	many(&o->sd->certs, ASN1_ITEM_rptr(X509_ALGOR), signer(o)->digest_alg,
	    1);
}

static void
bad_crl(struct open *o)
{
	many(
	    &o->sd->crls, ASN1_ITEM_rptr(X509_ALGOR), signer(o)->digest_alg, 1);
}

static void
crls(struct open *o)
{
	many(&o->sd->crls, ASN1_ITEM_rptr(X509_ALGOR), signer(o)->digest_alg,
	    CSR_CMS_MAX_CRLS + 1);
}

static void
recipients(struct open *o)
{
	CSR_RECIPIENT *first = sk_CSR_RECIPIENT_value(o->env->recipients, 0);

	while (sk_CSR_RECIPIENT_num(o->env->recipients) <= BURIN_MAX_RECIPIENTS)
		assert_true(sk_CSR_RECIPIENT_push(o->env->recipients,
				ASN1_item_dup(
				    ASN1_ITEM_rptr(CSR_RECIPIENT), first)) > 0);
}

static void
nobody(struct open *o)
{
	CSR_RECIPIENT_free(sk_CSR_RECIPIENT_pop(o->env->recipients));
}

static void
test_parse(void **state)
{
	static const struct {
		void (*spoil)(struct open *);
		int is_sealed;
		const char *code;
	} cases[] = {
		{ signers, 0, "message-too-much" },
		{ certs, 0, "message-too-much" },
		{ crls, 0, "message-too-much" },
		{ recipients, 1, "message-too-much" },
		{ nobody, 1, "message-malformed" },
		{ key_id_long, 0, "message-malformed" },
		{ key_id_empty, 0, "message-malformed" },
		{ bad_crl, 0, "message-malformed" },
		{ bad_cert, 0, "response-malformed" },
	};
	static const unsigned char digested[] = { 0x30, 0x0d, 6, 9, 0x2a, 0x86,
		0x48, 0x86, 0xf7, 0x0d, 1, 7, 5, 5, 0 };
	static unsigned char big[BURIN_MAX_MESSAGE + 1];
	unsigned char *der;
	struct open o;
	size_t i, len;

	(void)state;
	parse_refused(NULL, 0, "message-malformed");
	parse_refused("x", 1, "message-malformed");
	parse_refused(digested, sizeof(digested), "message-malformed");
	parse_refused(big, sizeof(big), "message-malformed");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].is_sealed)
			make_sealed(
			    rsa, BURIN_CMS_AES256_CBC, OID_DATA, &der, &len);
		else
			make_signed(ec, &der, &len);
		take_apart(der, len, &o);
		OPENSSL_free(der);
		cases[i].spoil(&o);
		put_together(&o, &der, &len);
		parse_refused(der, len, cases[i].code);
		OPENSSL_free(der);
	}
	make_signed(ec, &der, &len);
	memcpy(big, der, len);
	big[len] = 0;
	parse_refused(big, len + 1, "message-malformed");
	OPENSSL_free(der);
}

static void
sign_refused(const struct burin_cms_signer *s, const char *type,
    const void *content, size_t len, enum burin_status status, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der;
	size_t der_len;

	assert_refused(
	    burin_cms_sign(s, type, content, len, &der, &der_len, &e), &e,
	    status, code);
	assert_null(der);
}

static void
test_make_signed(void **state)
{
	struct burin_cms_signer good = { .by = BURIN_CMS_BY_KEY,
		.key = ec,
		.pub = ec,
		.key_id = ski,
		.key_id_len = sizeof(ski) };
	static unsigned char big[BURIN_MAX_MESSAGE + 1];
	EVP_PKEY *ed = pki_key("ED25519"), *x = pki_key("X25519");
	struct burin_cms_signer s;

	(void)state;
	s = good;
	s.key_id_len = 0;
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "key-id-bad");
	s.key_id_len = BURIN_MAX_KEY_ID + 1;
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "key-id-bad");
	s = good;
	s.key = NULL;
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "key-missing");
	s = good;
	s.by = BURIN_CMS_BY_CERT;
	sign_refused(
	    &s, PKI_DATA, text, 4, BURIN_EUSAGE, "certificate-missing");
	s = good;
	s.md_name = "SHA1";
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "digest-unusable");
	s.key = s.pub = ed;
	s.md_name = "SHA256";
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "digest-not-taken");
	s.key = s.pub = x;
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EUSAGE, "key-cannot-sign");
	sign_refused(&good, PKI_DATA, NULL, 0, BURIN_EUSAGE, "content-missing");
	sign_refused(&good, "no", text, 4, BURIN_EUSAGE, "content-type-bad");
	sign_refused(&good, PKI_DATA, big, sizeof(big), BURIN_EUSAGE,
	    "message-too-long");
	/* A key that signs what its public half does not verify. */
	s = good;
	s.pub = other;
	sign_refused(&s, PKI_DATA, text, 4, BURIN_EREFUSED, "signature-wrong");
	EVP_PKEY_free(ed);
	EVP_PKEY_free(x);
}

static void
seal_refused(const struct burin_cms_recipient *to, size_t n, const char *code)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der;
	size_t len;

	assert_refused(burin_cms_encrypt(to, n, BURIN_CMS_AES256_CBC, OID_DATA,
			   text, sizeof(text), &der, &len, &e),
	    &e, BURIN_EUSAGE, code);
	assert_null(der);
}

static void
test_make_sealed(void **state)
{
	struct burin_cms_recipient to = { .pub = rsa };
	EVP_PKEY *ed = pki_key("ED25519");
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der;
	size_t len;

	(void)state;
	seal_refused(&to, 0, "recipients-bad");
	seal_refused(&to, BURIN_MAX_RECIPIENTS + 1, "recipients-bad");
	to.pub = NULL;
	seal_refused(&to, 1, "key-missing");
	to.pub = ed;
	seal_refused(&to, 1, "key-cannot-decrypt");
	to.pub = rsa;
	to.key_id_len = BURIN_MAX_KEY_ID + 1;
	seal_refused(&to, 1, "key-id-bad");
	assert_refused(burin_cms_authenticate("id", shared, 0,
			   BURIN_MAX_PBKDF2_ROUNDS + 1UL, PKI_DATA, text, 4,
			   &der, &len, &e),
	    &e, BURIN_EUSAGE, "rounds-refused");
	burin_error_clear(&e);
	assert_refused(burin_cms_authenticate(
			   "id", NULL, 0, 1, PKI_DATA, text, 4, &der, &len, &e),
	    &e, BURIN_EUSAGE, "content-missing");
	EVP_PKEY_free(ed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_make_signed),
		cmocka_unit_test(test_make_sealed),
	};

	return cmocka_run_group_tests(tests, sound_setup, sound_teardown);
}
