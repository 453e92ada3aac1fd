/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening EnvelopedData (RFC 5652 section 6) and AuthEnvelopedData (RFC
 * 5083): the RecipientInfo is found by what it names, and the key is used
 * once. Whatever is wrong inside, one answer (RFC 3218).
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "internal.h"

#define ROOM 32 /* OpenSSL may write a block more while it decrypts */

/* The RecipientInfo for to, of the kind that its key can open. */
struct found {
	const CSR_KTRI *ktri;
	const CSR_KARI *kari;
	const CSR_AGREE_KEY *mine; /* of kari */
};

static const CSR_AGREE_KEY *
in_kari(const CSR_KARI *kari, const struct burin_cms_recipient *to)
{
	int i;

	for (i = 0; i < sk_CSR_AGREE_KEY_num(kari->keys); i++) {
		const CSR_AGREE_KEY *one =
		    sk_CSR_AGREE_KEY_value(kari->keys, i);

		if (csr_agree_name_is(one->rid, to))
			return one;
	}
	return NULL;
}

static int
find(const STACK_OF(CSR_RECIPIENT) * all, const struct burin_cms_recipient *to,
    EVP_PKEY *pub, struct found *f)
{
	int i, rsa = EVP_PKEY_is_a(pub, "RSA");

	for (i = 0; i < sk_CSR_RECIPIENT_num(all); i++) {
		const CSR_RECIPIENT *ri = sk_CSR_RECIPIENT_value(all, i);

		if (rsa && ri->type == CSR_RI_KTRI &&
		    csr_key_name_is(ri->d.ktri->rid, to)) {
			f->ktri = ri->d.ktri;
			return 1;
		}
		if (rsa || ri->type != CSR_RI_KARI)
			continue;
		if ((f->mine = in_kari(ri->d.kari, to)) != NULL) {
			f->kari = ri->d.kari;
			return 1;
		}
	}
	return 0;
}

static int
failed(const struct burin_cms *cms, struct burin_error *e)
{
	ERR_clear_error();
	(void)burin_fail(e, cms->status, "decrypt-failed",
	    "the message could not be decrypted");
	(void)burin_error_rule(e, "RFC 5652 section 6");
	return burin_error_advice(e,
	    "it was encrypted for another key, or changed on its way, or the "
	    "token did not decrypt");
}

/* What is authenticated beside the content: RFC 5083 section 2.2. */
static int
authenticated(
    const struct burin_cms *cms, unsigned char **aad, struct burin_error *e)
{
	const CSR_AUTH_ENVELOPED *a = cms->auth_env;
	const ASN1_TYPE *type;
	int n;

	*aad = NULL;
	if (a == NULL)
		return 0;
	if (a->auth_attrs == NULL) {
		if (csr_oid_is(a->encrypted->type, OID_DATA))
			return 0;
		return csr_cms_malformed(e, cms->status,
		    "the message has no authenticated attributes, and the "
		    "content is not plain data",
		    "RFC 5083 section 2.1");
	}
	type =
	    csr_attrs_one(a->auth_attrs, NID_pkcs9_contentType, V_ASN1_OBJECT);
	if (type == NULL ||
	    OBJ_cmp(type->value.object, a->encrypted->type) != 0)
		return csr_cms_malformed(e, cms->status,
		    "the content type attribute is not there exactly once, or "
		    "differs from the content's type",
		    "RFC 5083 section 2.1");
	if ((n = csr_attrs_der(a->auth_attrs, aad)) <= 0)
		return burin_fail_memory(e);
	return n;
}

static int
open_content(const struct burin_cms *cms, const CSR_ENCRYPTED *enc,
    const struct csr_cipher *c, const unsigned char *key,
    struct burin_secret **out, struct burin_error *e)
{
	const ASN1_OCTET_STRING *in = enc->content;
	size_t room = (size_t)in->length + ROOM, n = 0;
	unsigned char *aad = NULL, *buf = NULL;
	const unsigned char *icv = NULL;
	int aad_len, rc = -1;

	if ((aad_len = authenticated(cms, &aad, e)) == -1)
		return -1;
	if ((buf = OPENSSL_malloc(room)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (cms->auth_env != NULL)
		icv = cms->auth_env->mac->data;
	if (!csr_cipher_open(c, key, aad, (size_t)aad_len, in->data,
		(size_t)in->length, icv, buf, &n)) {
		(void)failed(cms, e);
		goto out;
	}
	rc = burin_secret_new_large(out, buf, n, e);
out:
	OPENSSL_clear_free(buf, room);
	OPENSSL_free(aad);
	return rc;
}

/* Everything that can be judged before the key is used. */
static int
check_shape(const struct burin_cms *cms, const CSR_ENCRYPTED **enc,
    const STACK_OF(CSR_RECIPIENT) * *all, struct csr_cipher *c,
    struct burin_error *e)
{
	int aead = cms->auth_env != NULL;

	if (cms->env == NULL && cms->auth_env == NULL) {
		(void)burin_fail(e, cms->status, "not-encrypted",
		    "the message is not encrypted");
		return burin_error_rule(e, "RFC 5652 section 6");
	}
	*enc = aead ? cms->auth_env->encrypted : cms->env->encrypted;
	*all = aead ? cms->auth_env->recipients : cms->env->recipients;
	if ((*enc)->content == NULL) {
		(void)burin_fail(e, cms->status, "content-missing",
		    "the encrypted content is not in the message");
		return burin_error_rule(e, "RFC 5652 section 6.1");
	}
	if (csr_cipher_read((*enc)->alg, aead, cms->status, c, e) == -1)
		return -1;
	if (aead && (size_t)cms->auth_env->mac->length != c->icv_len)
		return csr_cms_malformed(e, cms->status,
		    "the message's MAC is not as long as it says",
		    "RFC 5084 section 3.2");
	return 0;
}

int
burin_cms_decrypt(struct burin_cms *cms, const struct burin_cms_recipient *to,
    EVP_PKEY *key, EVP_PKEY *pub, struct burin_secret **out,
    struct burin_error *e)
{
	const STACK_OF(CSR_RECIPIENT) *all = NULL;
	const CSR_ENCRYPTED *enc = NULL;
	struct found f = { NULL, NULL, NULL };
	unsigned char cek[32];
	struct csr_cipher c;
	int rc = -1;

	*out = NULL;
	if (check_shape(cms, &enc, &all, &c, e) == -1)
		return -1;
	if (!find(all, to, pub, &f)) {
		ERR_clear_error();
		(void)burin_fail(e, cms->status, "recipient-missing",
		    "the message is not encrypted for this key");
		return burin_error_rule(e, "RFC 5652 section 6.2");
	}
	if (RAND_priv_bytes(cek, sizeof(cek)) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "random", "no random bytes");
	if (f.ktri != NULL)
		rc = csr_ktri_open(f.ktri, key, cms->status, cek, c.key_len, e);
	else
		rc = csr_kari_open(
		    f.kari, f.mine, key, pub, cms->status, cek, c.key_len, e);
	if (rc == 0)
		rc = open_content(cms, enc, &c, cek, out, e);
	if (rc == 0)
		ERR_clear_error();
	OPENSSL_cleanse(cek, sizeof(cek));
	return rc;
}
