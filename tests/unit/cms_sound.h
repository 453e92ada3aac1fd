/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sound messages of every kind, to be spoiled; included once by each test
 * that does so, behind cmocka.
 */

#ifndef TESTS_CMS_SOUND_H
#define TESTS_CMS_SOUND_H

#include <burin/cms.h>

#include "csr/cms/internal.h"
#include "pki.h"

#define PKI_DATA "1.3.6.1.5.5.7.12.2"

static const char text[] = "what is signed, authenticated or encrypted";
static const unsigned char ski[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static EVP_PKEY *rsa, *ec, *other;
static struct burin_secret *shared;

static inline void
sound_must(int rc, const struct burin_error *e)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e->code, e->reason, e->cause);
}

static inline void
make_signed(EVP_PKEY *key, unsigned char **der, size_t *len)
{
	struct burin_cms_signer s = { .by = BURIN_CMS_BY_KEY,
		.key = key,
		.pub = key,
		.key_id = ski,
		.key_id_len = sizeof(ski) };
	struct burin_error e = BURIN_ERROR_INIT;

	sound_must(
	    burin_cms_sign(&s, PKI_DATA, text, sizeof(text), der, len, &e), &e);
}

static inline void
make_mac(unsigned char **der, size_t *len)
{
	struct burin_error e = BURIN_ERROR_INIT;

	sound_must(burin_cms_authenticate("id", shared, 0, 10, PKI_DATA, text,
		       sizeof(text), der, len, &e),
	    &e);
}

static inline void
make_sealed(EVP_PKEY *key, enum burin_cms_cipher cipher, const char *type,
    unsigned char **der, size_t *len)
{
	struct burin_cms_recipient to = { .pub = key, .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;

	sound_must(burin_cms_encrypt(
		       &to, 1, cipher, type, text, sizeof(text), der, len, &e),
	    &e);
}

static inline void
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

static inline void
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
static inline void
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
	sound_must(rc, &e);
	CSR_SIGNED_free(o->sd);
	CSR_AUTHENTICATED_free(o->ad);
	CSR_ENVELOPED_free(o->env);
	CSR_AUTH_ENVELOPED_free(o->auth);
}

static inline CSR_SIGNER *
signer(struct open *o)
{
	return sk_CSR_SIGNER_value(o->sd->signers, 0);
}

static inline int
sound_setup(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	rsa = pki_key("RSA");
	ec = pki_key("P-256");
	other = pki_key("P-256");
	return burin_secret_new(&shared, "secret", 6, &e);
}

static inline int
sound_teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(other);
	burin_secret_free(&shared);
	return 0;
}

#endif
