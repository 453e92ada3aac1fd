/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages that must not be believed: each refusal by its code.
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
/* --- what is done to them --------------------------------------------------
 */

static void
resign(CSR_SIGNED *sd)
{
	CSR_SIGNER *si = sk_CSR_SIGNER_value(sd->signers, 0);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL, sig[512];
	size_t n = sizeof(sig);
	int len = csr_attrs_der(si->signed_attrs, &der);

	assert_true(len > 0);
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, ec), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, der, (size_t)len), 1);
	assert_int_equal(ASN1_OCTET_STRING_set(si->signature, sig, (int)n), 1);
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
}

static void
drop_attr(STACK_OF(X509_ATTRIBUTE) * attrs, int nid)
{
	int at = X509at_get_attr_by_NID(attrs, nid, -1);

	assert_true(at >= 0);
	X509_ATTRIBUTE_free(X509at_delete_attr(attrs, at));
}

static void
double_attr(STACK_OF(X509_ATTRIBUTE) * attrs, int nid)
{
	int at = X509at_get_attr_by_NID(attrs, nid, -1);
	X509_ATTRIBUTE *copy;

	assert_true(at >= 0);
	copy = X509_ATTRIBUTE_dup(sk_X509_ATTRIBUTE_value(attrs, at));
	assert_true(sk_X509_ATTRIBUTE_push(attrs, copy) > 0);
}

static void
no_type(struct open *o)
{
	drop_attr(signer(o)->signed_attrs, NID_pkcs9_contentType);
	resign(o->sd);
}

static void
two_types(struct open *o)
{
	double_attr(signer(o)->signed_attrs, NID_pkcs9_contentType);
	resign(o->sd);
}

static void
other_type(struct open *o)
{
	ASN1_OBJECT_free(o->sd->encap->type);
	o->sd->encap->type = OBJ_txt2obj("1.3.6.1.5.5.7.12.3", 1);
}

static void
no_digest(struct open *o)
{
	drop_attr(signer(o)->signed_attrs, NID_pkcs9_messageDigest);
	resign(o->sd);
}

static void
two_digests(struct open *o)
{
	double_attr(signer(o)->signed_attrs, NID_pkcs9_messageDigest);
	resign(o->sd);
}

static void
other_content(struct open *o)
{
	o->sd->encap->content->data[0] ^= 1;
}

static void
no_content(struct open *o)
{
	ASN1_OCTET_STRING_free(o->sd->encap->content);
	o->sd->encap->content = NULL;
}

/* A signature over the content itself, which holds for plain data only. */
static void
no_attrs(struct open *o)
{
	sk_X509_ATTRIBUTE_pop_free(
	    signer(o)->signed_attrs, X509_ATTRIBUTE_free);
	signer(o)->signed_attrs = NULL;
}

static void
unknown_digest(struct open *o)
{
	assert_true(
	    csr_alg_set(signer(o)->digest_alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

/* SHA-384 is said, ecdsa-with-SHA256 signs. */
static void
another_digest(struct open *o)
{
	assert_true(csr_alg_set(signer(o)->digest_alg, "2.16.840.1.101.3.4.2.2",
	    V_ASN1_UNDEF, NULL));
}

static void
unknown_signature(struct open *o)
{
	assert_true(csr_alg_set(
	    signer(o)->signature_alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

static void
pss_without_parameters(struct open *o)
{
	assert_true(csr_alg_set(
	    signer(o)->signature_alg, OID_RSA_PSS, V_ASN1_UNDEF, NULL));
}

static void
changed_attr(struct open *o)
{
	double_attr(signer(o)->signed_attrs, NID_pkcs9_contentType);
}

static void
test_signed(void **state)
{
	static const struct {
		void (*spoil)(struct open *);
		const char *code;
	} cases[] = {
		{ no_type, "content-type-wrong" },
		{ two_types, "content-type-wrong" },
		{ other_type, "content-type-wrong" },
		{ no_digest, "message-digest-missing" },
		{ two_digests, "message-digest-missing" },
		{ other_content, "message-digest-wrong" },
		{ no_content, "content-missing" },
		{ no_attrs, "message-malformed" },
		{ unknown_digest, "algorithm-refused" },
		{ another_digest, "algorithm-refused" },
		{ unknown_signature, "algorithm-refused" },
		{ pss_without_parameters, "algorithm-refused" },
		{ changed_attr, "signature-wrong" },
	};
	struct burin_cms *cms;
	unsigned char *der;
	struct open o;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		make_signed(ec, &der, &len);
		take_apart(der, len, &o);
		OPENSSL_free(der);
		cases[i].spoil(&o);
		put_together(&o, &der, &len);
		sound_must(
		    burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
		assert_refused(burin_cms_verify(cms, 0, ec, 1, &e), &e,
		    BURIN_EAUTHORITY, cases[i].code);
		burin_cms_free(&cms);
		OPENSSL_free(der);
	}
}

static void
mac_alg(struct open *o)
{
	assert_true(csr_alg_set(o->ad->mac_alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

static void
mac_no_attrs(struct open *o)
{
	sk_X509_ATTRIBUTE_pop_free(o->ad->auth_attrs, X509_ATTRIBUTE_free);
	o->ad->auth_attrs = NULL;
}

static void
mac_no_digest(struct open *o)
{
	X509_ALGOR_free(o->ad->digest_alg);
	o->ad->digest_alg = NULL;
}

static void
mac_weak_digest(struct open *o)
{
	assert_true(csr_alg_set(
	    o->ad->digest_alg, "1.2.840.113549.2.5", V_ASN1_UNDEF, NULL));
}

static void
mac_no_content(struct open *o)
{
	ASN1_OCTET_STRING_free(o->ad->encap->content);
	o->ad->encap->content = NULL;
}

static void
mac_content(struct open *o)
{
	o->ad->encap->content->data[0] ^= 1;
}

static void
mac_value(struct open *o)
{
	o->ad->mac->data[5] ^= 1;
}

static void
mac_short(struct open *o)
{
	o->ad->mac->length = 0;
}

static CSR_PWRI *
pwri(struct open *o)
{
	return sk_CSR_RECIPIENT_value(o->ad->recipients, 0)->d.pwri;
}

static void
mac_two(struct open *o)
{
	CSR_RECIPIENT *ri = CSR_RECIPIENT_new();

	ri->type = CSR_RI_PWRI;
	ri->d.pwri = ASN1_item_dup(ASN1_ITEM_rptr(CSR_PWRI), pwri(o));
	assert_true(sk_CSR_RECIPIENT_push(o->ad->recipients, ri) > 0);
}

static void
mac_no_derivation(struct open *o)
{
	X509_ALGOR_free(pwri(o)->derivation);
	pwri(o)->derivation = NULL;
}

static void
mac_wrap(struct open *o)
{
	assert_true(csr_alg_set(pwri(o)->alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

static void
mac_wrapped(struct open *o)
{
	pwri(o)->encrypted_key->data[0] ^= 1;
}

/* rounds, salt and length of a new PBKDF2. */
static void
derivation(struct open *o, long rounds, int salt_len, int key_len)
{
	static unsigned char salt[2048];
	PBKDF2PARAM *p;
	X509_ALGOR *alg =
	    PKCS5_pbkdf2_set(1, salt, salt_len, NID_hmacWithSHA256, key_len);

	assert_non_null(alg);
	p = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(PBKDF2PARAM), alg->parameter);
	assert_int_equal(ASN1_INTEGER_set(p->iter, rounds), 1);
	assert_non_null(ASN1_TYPE_pack_sequence(
	    ASN1_ITEM_rptr(PBKDF2PARAM), p, &alg->parameter));
	PBKDF2PARAM_free(p);
	X509_ALGOR_free(pwri(o)->derivation);
	pwri(o)->derivation = alg;
}

static void
mac_rounds(struct open *o)
{
	derivation(o, BURIN_MAX_PBKDF2_ROUNDS + 1L, 16, -1);
}

static void
mac_no_rounds(struct open *o)
{
	derivation(o, 0, 16, -1);
}

static void
mac_negative_rounds(struct open *o)
{
	derivation(o, -5, 16, -1);
}

static void
mac_salt(struct open *o)
{
	derivation(o, 1, 2048, -1);
}

static void
mac_key_len(struct open *o)
{
	derivation(o, 1, 16, 16);
}

static void
test_mac(void **state)
{
	static const struct {
		void (*spoil)(struct open *);
		const char *code;
	} cases[] = {
		{ mac_alg, "algorithm-refused" },
		{ mac_no_attrs, "message-malformed" },
		{ mac_no_digest, "message-malformed" },
		{ mac_weak_digest, "algorithm-refused" },
		{ mac_no_content, "content-missing" },
		{ mac_content, "message-digest-wrong" },
		{ mac_value, "mac-wrong" },
		{ mac_short, "mac-wrong" },
		{ mac_two, "recipient-missing" },
		{ mac_no_derivation, "algorithm-refused" },
		{ mac_wrap, "algorithm-refused" },
		{ mac_wrapped, "mac-wrong" },
		{ mac_rounds, "rounds-refused" },
		{ mac_no_rounds, "rounds-refused" },
		{ mac_negative_rounds, "rounds-refused" },
		{ mac_salt, "message-malformed" },
		{ mac_key_len, "message-malformed" },
	};
	struct burin_cms *cms;
	unsigned char *der;
	struct open o;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		make_mac(&der, &len);
		take_apart(der, len, &o);
		OPENSSL_free(der);
		cases[i].spoil(&o);
		put_together(&o, &der, &len);
		sound_must(
		    burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
		assert_refused(burin_cms_verify_mac(cms, "id", shared, 0, &e),
		    &e, BURIN_EAUTHORITY, cases[i].code);
		burin_cms_free(&cms);
		OPENSSL_free(der);
	}
}

static void
env_content(struct open *o)
{
	o->env->encrypted->content->data[0] ^= 1;
	o->env->encrypted->content->length -= 3;
}

static void
env_no_content(struct open *o)
{
	ASN1_OCTET_STRING_free(o->env->encrypted->content);
	o->env->encrypted->content = NULL;
}

static void
env_cipher(struct open *o)
{
	assert_true(csr_alg_set(
	    o->env->encrypted->alg, "1.2.840.113549.3.7", V_ASN1_UNDEF, NULL));
}

static CSR_KTRI *
ktri(struct open *o)
{
	return sk_CSR_RECIPIENT_value(o->env->recipients, 0)->d.ktri;
}

static void
env_key(struct open *o)
{
	ktri(o)->encrypted_key->data[9] ^= 1;
}

static void
env_key_alg(struct open *o)
{
	assert_true(csr_alg_set(ktri(o)->alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

static void
env_oaep(struct open *o)
{
	assert_true(
	    csr_alg_set(ktri(o)->alg, OID_RSA_OAEP, V_ASN1_UNDEF, NULL));
}

static void
env_name(struct open *o)
{
	assert_int_equal(
	    ASN1_INTEGER_set(ktri(o)->rid->d.issuer->serial, 8), 1);
}

static CSR_KARI *
kari(struct open *o)
{
	return sk_CSR_RECIPIENT_value(o->auth->recipients, 0)->d.kari;
}

static void
auth_scheme(struct open *o)
{
	assert_true(csr_alg_set(kari(o)->alg, "1.2.3.4", V_ASN1_UNDEF, NULL));
}

static void
auth_point(struct open *o)
{
	kari(o)->originator->d.key->key->data[7] ^= 1;
}

static void
auth_wrapped(struct open *o)
{
	CSR_AGREE_KEY *k = sk_CSR_AGREE_KEY_value(kari(o)->keys, 0);

	k->encrypted_key->data[0] ^= 1;
}

static void
auth_mac(struct open *o)
{
	o->auth->mac->data[0] ^= 1;
}

static void
auth_mac_len(struct open *o)
{
	o->auth->mac->length = 4;
}

static void
auth_no_attrs(struct open *o)
{
	sk_X509_ATTRIBUTE_pop_free(o->auth->auth_attrs, X509_ATTRIBUTE_free);
	o->auth->auth_attrs = NULL;
}

static void
auth_type(struct open *o)
{
	ASN1_OBJECT_free(o->auth->encrypted->type);
	o->auth->encrypted->type = OBJ_txt2obj(PKI_DATA, 1);
}

static void
auth_attrs(struct open *o)
{
	static const unsigned char digest[32];

	assert_non_null(X509at_add1_attr_by_NID(&o->auth->auth_attrs,
	    NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, digest, 32));
}

static void
sealed(EVP_PKEY *key, enum burin_cms_cipher cipher,
    void (*spoil)(struct open *), const char *code)
{
	struct burin_cms_recipient to = { .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	struct open o;
	size_t len;

	make_sealed(key, cipher, OID_SIGNED, &der, &len);
	take_apart(der, len, &o);
	OPENSSL_free(der);
	spoil(&o);
	put_together(&o, &der, &len);
	sound_must(burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
	assert_refused(burin_cms_decrypt(cms, &to, key, key, &out, &e), &e,
	    BURIN_EAUTHORITY, code);
	assert_null(out);
	/* RFC 3218: what went wrong inside is not told. */
	if (strcmp(code, "decrypt-failed") == 0) {
		assert_string_equal(
		    e.reason, "the message could not be decrypted");
		assert_string_equal(e.cause, "");
	}
	burin_cms_free(&cms);
	OPENSSL_free(der);
}

static void
test_sealed(void **state)
{
	(void)state;
	sealed(rsa, BURIN_CMS_AES256_CBC, env_content, "decrypt-failed");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_key, "decrypt-failed");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_no_content, "content-missing");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_cipher, "algorithm-refused");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_key_alg, "algorithm-refused");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_oaep, "algorithm-refused");
	sealed(rsa, BURIN_CMS_AES256_CBC, env_name, "recipient-missing");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_scheme, "algorithm-refused");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_point, "message-malformed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_wrapped, "decrypt-failed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_mac, "decrypt-failed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_attrs, "decrypt-failed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_mac_len, "message-malformed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_no_attrs, "message-malformed");
	sealed(ec, BURIN_CMS_AES256_GCM, auth_type, "message-malformed");
}

/* Each function refuses a message of another kind. */
static void
test_kinds(void **state)
{
	struct burin_cms_recipient to = { .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	struct burin_cms *cms;
	unsigned char *der;
	size_t len;

	(void)state;
	make_mac(&der, &len);
	sound_must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	assert_refused(burin_cms_verify(cms, 0, ec, 0, &e), &e, BURIN_ECHECK,
	    "signer-missing");
	burin_error_clear(&e);
	assert_refused(burin_cms_decrypt(cms, &to, ec, ec, &out, &e), &e,
	    BURIN_ECHECK, "not-encrypted");
	burin_error_clear(&e);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	make_signed(ec, &der, &len);
	sound_must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	assert_refused(burin_cms_verify_mac(cms, "id", shared, 0, &e), &e,
	    BURIN_ECHECK, "not-authenticated");
	burin_cms_free(&cms);
	OPENSSL_free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, sound_setup, sound_teardown);
}
