/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making EnvelopedData (RFC 5652 section 6) and AuthEnvelopedData (RFC 5083).
 */

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "internal.h"

#define ROOM 16 /* padding of CBC */

static int
add_recipient(const struct burin_cms_recipient *to, const unsigned char *key,
    size_t key_len, STACK_OF(CSR_RECIPIENT) * all, struct burin_error *e)
{
	CSR_RECIPIENT *ri = NULL;
	const char *type;
	int rc;

	if (to->pub == NULL)
		return burin_fail(e, BURIN_EUSAGE, "key-missing",
		    "a recipient has no public key");
	if (to->key_id_len > BURIN_MAX_KEY_ID)
		return burin_fail(e, BURIN_EUSAGE, "key-id-bad",
		    "the identifier of a recipient's key is longer than %d "
		    "bytes",
		    BURIN_MAX_KEY_ID);
	if (EVP_PKEY_is_a(to->pub, "RSA")) {
		rc = csr_ktri_make(to, key, key_len, &ri, e);
	} else if (EVP_PKEY_is_a(to->pub, "EC") ||
	    EVP_PKEY_is_a(to->pub, "X25519")) {
		rc = csr_kari_make(to, key, key_len, &ri, e);
	} else {
		type = EVP_PKEY_get0_type_name(to->pub);
		(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-decrypt",
		    "nothing can be encrypted for a key of type %s",
		    type != NULL ? type : "unknown");
		return burin_error_advice(
		    e, "encrypt for a key of type RSA, EC or X25519");
	}
	if (rc == 0 && sk_CSR_RECIPIENT_push(all, ri) == 0) {
		CSR_RECIPIENT_free(ri);
		return burin_fail_memory(e);
	}
	return rc;
}

/* What encryption leaves behind, whichever structure it goes into. */
struct sealed {
	STACK_OF(CSR_RECIPIENT) * recipients;
	CSR_ENCRYPTED *encrypted;
	STACK_OF(X509_ATTRIBUTE) * attrs; /* NULL: none */
	unsigned char icv[16];
	size_t icv_len;
};

/* RFC 5083 section 2.1: attributes when the content is not plain data. */
static int
seal_content(struct sealed *s, const struct csr_cipher *c,
    const unsigned char *key, const void *content, size_t len,
    struct burin_error *e)
{
	unsigned char *aad = NULL, *out = NULL;
	int aad_len = 0, rc = -1;
	size_t n;

	if (c->aead && !csr_oid_is(s->encrypted->type, OID_DATA) &&
	    (!csr_attrs_make(s->encrypted->type, NULL, 0, 0, &s->attrs) ||
		(aad_len = csr_attrs_der(s->attrs, &aad)) <= 0)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if ((out = OPENSSL_malloc(len + ROOM)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (!csr_cipher_seal(
		c, key, aad, (size_t)aad_len, content, len, out, &n, s->icv) ||
	    (s->encrypted->content = ASN1_OCTET_STRING_new()) == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "encrypt-failed",
		    "the content could not be encrypted");
		goto out;
	}
	ASN1_STRING_set0(s->encrypted->content, out, (int)n);
	out = NULL;
	s->icv_len = c->icv_len;
	rc = 0;
out:
	OPENSSL_free(aad);
	OPENSSL_free(out);
	return rc;
}

static int
seal(struct sealed *s, const struct burin_cms_recipient *to, size_t n, int aead,
    const char *type, const void *content, size_t len, struct burin_error *e)
{
	unsigned char key[32];
	struct csr_cipher c;
	size_t i;
	int rc = -1;

	s->recipients = sk_CSR_RECIPIENT_new_null();
	s->encrypted = CSR_ENCRYPTED_new();
	if (s->recipients == NULL || s->encrypted == NULL)
		return burin_fail_memory(e);
	if ((s->encrypted->type = csr_oid_parse(type, e)) == NULL ||
	    csr_cipher_make(aead, &c, s->encrypted->alg, e) == -1)
		return -1;
	if (RAND_priv_bytes(key, sizeof(key)) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "random", "no random bytes");
	for (i = 0; i < n; i++) {
		if (add_recipient(&to[i], key, sizeof(key), s->recipients, e) ==
		    -1)
			goto out;
	}
	rc = seal_content(s, &c, key, content, len, e);
out:
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* RFC 5652 section 6.1: 0 when every RecipientInfo is of version 0. */
static int
version_of(const STACK_OF(CSR_RECIPIENT) * all)
{
	int i;

	for (i = 0; i < sk_CSR_RECIPIENT_num(all); i++) {
		const CSR_RECIPIENT *ri = sk_CSR_RECIPIENT_value(all, i);

		if (ri->type != CSR_RI_KTRI ||
		    ri->d.ktri->rid->type != CSR_ID_ISSUER)
			return 2;
	}
	return 0;
}

static int
enveloped(struct sealed *s, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	CSR_ENVELOPED *env = CSR_ENVELOPED_new();
	int rc = -1;

	if (env == NULL ||
	    ASN1_INTEGER_set(env->version, version_of(s->recipients)) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	sk_CSR_RECIPIENT_free(env->recipients);
	env->recipients = s->recipients;
	s->recipients = NULL;
	CSR_ENCRYPTED_free(env->encrypted);
	env->encrypted = s->encrypted;
	s->encrypted = NULL;
	rc = csr_content_encode(
	    OID_ENVELOPED, ASN1_ITEM_rptr(CSR_ENVELOPED), env, der, der_len, e);
out:
	CSR_ENVELOPED_free(env);
	return rc;
}

static int
auth_enveloped(struct sealed *s, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	CSR_AUTH_ENVELOPED *env = CSR_AUTH_ENVELOPED_new();
	int rc = -1;

	if (env == NULL || ASN1_INTEGER_set(env->version, 0) != 1 ||
	    ASN1_OCTET_STRING_set(env->mac, s->icv, (int)s->icv_len) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	sk_CSR_RECIPIENT_free(env->recipients);
	env->recipients = s->recipients;
	s->recipients = NULL;
	CSR_ENCRYPTED_free(env->encrypted);
	env->encrypted = s->encrypted;
	s->encrypted = NULL;
	env->auth_attrs = s->attrs;
	s->attrs = NULL;
	rc = csr_content_encode(OID_AUTH_ENVELOPED,
	    ASN1_ITEM_rptr(CSR_AUTH_ENVELOPED), env, der, der_len, e);
out:
	CSR_AUTH_ENVELOPED_free(env);
	return rc;
}

int
burin_cms_encrypt(const struct burin_cms_recipient *to, size_t n,
    enum burin_cms_cipher cipher, const char *type, const void *content,
    size_t len, unsigned char **der, size_t *der_len, struct burin_error *e)
{
	struct sealed s = { .recipients = NULL };
	int aead = cipher == BURIN_CMS_AES256_GCM, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (n == 0 || n > BURIN_MAX_RECIPIENTS)
		return burin_fail(e, BURIN_EUSAGE, "recipients-bad",
		    "a message is encrypted for 1 to %d recipients",
		    BURIN_MAX_RECIPIENTS);
	if (content == NULL || len > BURIN_MAX_MESSAGE)
		return burin_fail(e, BURIN_EUSAGE, "message-too-long",
		    "there is no content, or it is longer than %d bytes",
		    BURIN_MAX_MESSAGE);
	if (seal(&s, to, n, aead, type, content, len, e) == -1)
		goto out;
	rc = aead ? auth_enveloped(&s, der, der_len, e)
		  : enveloped(&s, der, der_len, e);
out:
	sk_CSR_RECIPIENT_pop_free(s.recipients, CSR_RECIPIENT_free);
	CSR_ENCRYPTED_free(s.encrypted);
	sk_X509_ATTRIBUTE_pop_free(s.attrs, X509_ATTRIBUTE_free);
	return rc;
}
