/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages that must not be believed: each refusal by its code, and more than
 * a thousand damaged messages of every kind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include <burin/cms.h>

#include "csr/cms/internal.h"
#include "mutate.h"
#include "pki.h"

#define PKI_DATA "1.3.6.1.5.5.7.12.2"
#define ROUNDS 400 /* damaged inputs per message, beside the truncations */

static const char text[] = "what is signed, authenticated or encrypted";
static const unsigned char ski[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static EVP_PKEY *rsa, *ec, *other;
static struct burin_secret *shared;

static void
must(int rc, const struct burin_error *e)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e->code, e->reason, e->cause);
}

static void
assert_refused(int rc, const struct burin_error *e, enum burin_status status,
    const char *code)
{
	assert_int_equal(rc, -1);
	assert_string_equal(e->code, code);
	assert_int_equal(e->status, status);
	assert_string_not_equal(e->reason, "");
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- messages taken apart and put together again ------------------------- */

/* The message as its templates; exactly one is not NULL. */
struct open {
	CSR_SIGNED *sd;
	CSR_AUTHENTICATED *ad;
	CSR_ENVELOPED *env;
	CSR_AUTH_ENVELOPED *auth;
};

static void
take_apart(const unsigned char *der, size_t len, struct open *o)
{
	CSR_CONTENT_INFO *info = d2i_CSR_CONTENT_INFO(NULL, &der, (long)len);
	const ASN1_TYPE *t;

	memset(o, 0, sizeof(*o));
	assert_non_null(info);
	t = info->content;
	if (csr_oid_is(info->type, OID_SIGNED))
		o->sd =
		    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CSR_SIGNED), t);
	else if (csr_oid_is(info->type, OID_AUTHENTICATED))
		o->ad = ASN1_TYPE_unpack_sequence(
		    ASN1_ITEM_rptr(CSR_AUTHENTICATED), t);
	else if (csr_oid_is(info->type, OID_ENVELOPED))
		o->env =
		    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CSR_ENVELOPED), t);
	else
		o->auth = ASN1_TYPE_unpack_sequence(
		    ASN1_ITEM_rptr(CSR_AUTH_ENVELOPED), t);
	CSR_CONTENT_INFO_free(info);
}

/* Frees o. */
static void
put_together(struct open *o, unsigned char **der, size_t *len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	int rc;

	if (o->sd != NULL)
		rc = csr_content_encode(OID_SIGNED, ASN1_ITEM_rptr(CSR_SIGNED),
		    o->sd, der, len, &e);
	else if (o->ad != NULL)
		rc = csr_content_encode(OID_AUTHENTICATED,
		    ASN1_ITEM_rptr(CSR_AUTHENTICATED), o->ad, der, len, &e);
	else if (o->env != NULL)
		rc = csr_content_encode(OID_ENVELOPED,
		    ASN1_ITEM_rptr(CSR_ENVELOPED), o->env, der, len, &e);
	else
		rc = csr_content_encode(OID_AUTH_ENVELOPED,
		    ASN1_ITEM_rptr(CSR_AUTH_ENVELOPED), o->auth, der, len, &e);
	must(rc, &e);
	CSR_SIGNED_free(o->sd);
	CSR_AUTHENTICATED_free(o->ad);
	CSR_ENVELOPED_free(o->env);
	CSR_AUTH_ENVELOPED_free(o->auth);
}

/* --- the sound messages --------------------------------------------------- */

static void
make_signed(EVP_PKEY *key, unsigned char **der, size_t *len)
{
	struct burin_cms_signer s = { .by = BURIN_CMS_BY_KEY,
		.key = key,
		.pub = key,
		.key_id = ski,
		.key_id_len = sizeof(ski) };
	struct burin_error e = BURIN_ERROR_INIT;

	must(
	    burin_cms_sign(&s, PKI_DATA, text, sizeof(text), der, len, &e), &e);
}

static void
make_mac(unsigned char **der, size_t *len)
{
	struct burin_error e = BURIN_ERROR_INIT;

	must(burin_cms_authenticate("id", shared, 0, 10, PKI_DATA, text,
		 sizeof(text), der, len, &e),
	    &e);
}

static void
make_sealed(EVP_PKEY *key, enum burin_cms_cipher cipher, const char *type,
    unsigned char **der, size_t *len)
{
	struct burin_cms_recipient to = { .pub = key, .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;

	must(burin_cms_encrypt(
		 &to, 1, cipher, type, text, sizeof(text), der, len, &e),
	    &e);
}

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

static CSR_SIGNER *
signer(struct open *o)
{
	return sk_CSR_SIGNER_value(o->sd->signers, 0);
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
		must(burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
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
		must(burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
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
	must(burin_cms_parse(der, len, BURIN_EAUTHORITY, &cms, &e), &e);
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
	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	assert_refused(burin_cms_verify(cms, 0, ec, 0, &e), &e, BURIN_ECHECK,
	    "signer-missing");
	burin_error_clear(&e);
	assert_refused(burin_cms_decrypt(cms, &to, ec, ec, &out, &e), &e,
	    BURIN_ECHECK, "not-encrypted");
	burin_error_clear(&e);
	burin_cms_free(&cms);
	OPENSSL_free(der);
	make_signed(ec, &der, &len);
	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e), &e);
	assert_refused(burin_cms_verify_mac(cms, "id", shared, 0, &e), &e,
	    BURIN_ECHECK, "not-authenticated");
	burin_cms_free(&cms);
	OPENSSL_free(der);
}

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

/* --- damage ----------------------------------------------------------------
 */

/* 1 when a claim of the message held: then it is the claim as it was made. */
static int
try(const unsigned char *data, size_t len)
{
	struct burin_cms_recipient to = { .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out = NULL;
	struct burin_cms *cms;
	const unsigned char *p = NULL;
	EVP_PKEY *key = rsa;
	size_t n = 0;
	int rc = -1;

	if (burin_cms_parse(data, len, BURIN_ECHECK, &cms, &e) == -1) {
		assert_string_not_equal(e.code, "");
		assert_int_equal(ERR_peek_error(), 0);
		return 0;
	}
	switch (burin_cms_get_type(cms)) {
	case BURIN_CMS_SIGNED:
		rc = burin_cms_verify(cms, 0, ec, 1, &e);
		p = burin_cms_content(cms, &n);
		break;
	case BURIN_CMS_AUTHENTICATED:
		/* Damaged rounds may be many: hours of them prove nothing. */
		if (csr_pwri_of(cms->ad) != NULL &&
		    csr_pwri_rounds(csr_pwri_of(cms->ad)) < 10000)
			rc = burin_cms_verify_mac(cms, "id", shared, 1, &e);
		p = burin_cms_content(cms, &n);
		break;
	case BURIN_CMS_AUTH_ENVELOPED:
		key = ec;
		/* fall through */
	case BURIN_CMS_ENVELOPED:
		rc = burin_cms_decrypt(cms, &to, key, key, &out, &e);
		if (rc == 0 && key == ec) {
			p = burin_secret_bytes(out);
			n = burin_secret_len(out);
		}
		break;
	case BURIN_CMS_DATA:
		break;
	}
	assert_int_equal(ERR_peek_error(), 0);
	/* CBC authenticates nothing: what comes out may be anything. */
	if (rc == 0 && p != NULL) {
		assert_int_equal(n, sizeof(text));
		assert_memory_equal(p, text, n);
	}
	burin_secret_free(&out);
	burin_cms_free(&cms);
	return rc == 0;
}

static void
torture(
    unsigned char *der, size_t len, unsigned char *other_der, size_t other_len)
{
	struct mutator m = { UINT64_C(0x62757269), 0 };
	unsigned char *out = malloc(len + MUTATE_ROOM);
	unsigned i, held = 0, tried = 0;
	size_t n;

	assert_non_null(out);
	/* Undamaged it holds, or nothing is proved. */
	assert_int_equal(try(der, len), 1);
	for (i = 0; i < ROUNDS; i++) {
		unsigned char *exact;

		n = mutate(&m, i, der, len, other_der, other_len, out);
		assert_non_null(exact = malloc(n > 0 ? n : 1));
		memcpy(exact, out, n);
		held += (unsigned)try(exact, n);
		tried++;
		free(exact);
	}
	for (n = 0; n < len; n++)
		assert_int_equal(try(der, n), 0);
	print_message("  %u damaged, %u hold, %zu cut\n", tried, held, len);
	assert_true(held * 2 < tried);
	free(out);
}

static void
test_damage(void **state)
{
	unsigned char *der[4];
	size_t len[4], i;

	(void)state;
	make_signed(ec, &der[0], &len[0]);
	make_mac(&der[1], &len[1]);
	make_sealed(rsa, BURIN_CMS_AES256_CBC, OID_DATA, &der[2], &len[2]);
	make_sealed(ec, BURIN_CMS_AES256_GCM, OID_SIGNED, &der[3], &len[3]);
	for (i = 0; i < 4; i++)
		torture(der[i], len[i], der[(i + 1) % 4], len[(i + 1) % 4]);
	for (i = 0; i < 4; i++)
		OPENSSL_free(der[i]);
}

static int
setup(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	rsa = pki_key("RSA");
	ec = pki_key("P-256");
	other = pki_key("P-256");
	return burin_secret_new(&shared, "secret", 6, &e);
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(other);
	burin_secret_free(&shared);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_make_signed),
		cmocka_unit_test(test_make_sealed),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
