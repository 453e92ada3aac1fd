/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of csr/cms/ share. Algorithms are told apart by their dotted
 * OIDs: OpenSSL has no number for some of them.
 */

#ifndef CSR_CMS_INTERNAL_H
#define CSR_CMS_INTERNAL_H

#include <stddef.h>

#include <openssl/evp.h>

#include <burin/cms.h>

#include "asn1.h"

#define CSR_OID_TEXT 128	 /* a dotted OID, with the NUL */
#define CSR_CMS_MAX_CERTS 64	 /* certificates in one message */
#define CSR_CMS_MAX_CRLS 16	 /* revocation lists in one message */
#define CSR_CMS_MAX_KEY 64	 /* bytes of a symmetric key we handle */
#define CSR_CMS_MAX_WRAPPED 1024 /* bytes of an encrypted key, of salt */

#define OID_DATA "1.2.840.113549.1.7.1"
#define OID_SIGNED "1.2.840.113549.1.7.2"
#define OID_ENVELOPED "1.2.840.113549.1.7.3"
#define OID_AUTHENTICATED "1.2.840.113549.1.9.16.1.2"
#define OID_AUTH_ENVELOPED "1.2.840.113549.1.9.16.1.23"
#define OID_NO_SIGNATURE "1.3.6.1.5.5.7.6.2"
#define OID_SHA256 "2.16.840.1.101.3.4.2.1"
#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_RSA_OAEP "1.2.840.113549.1.1.7"
#define OID_RSA_PSS "1.2.840.113549.1.1.10"
#define OID_EC_KEY "1.2.840.10045.2.1"
#define OID_X25519 "1.3.101.110"
#define OID_PBKDF2 "1.2.840.113549.1.5.12"
#define OID_PWRI_KEK "1.2.840.113549.1.9.16.3.9"

struct burin_cms {
	enum burin_cms_type type;
	enum burin_status status; /* of every refusal of this message */
	char content_type[CSR_OID_TEXT];
	CSR_SIGNED *sd; /* one of these four, or data */
	CSR_AUTHENTICATED *ad;
	CSR_ENVELOPED *env;
	CSR_AUTH_ENVELOPED *auth_env;
	ASN1_OCTET_STRING *data;
	const ASN1_OCTET_STRING *content; /* borrowed of them; NULL: none */
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
};

/* --- algs.c -------------------------------------------------------------- */

void csr_oid_text(const ASN1_OBJECT *oid, char out[CSR_OID_TEXT]);
int csr_oid_is(const ASN1_OBJECT *oid, const char *dotted);
/* val is taken over on success. 1, or 0 when memory ran out. */
int csr_alg_set(X509_ALGOR *alg, const char *oid, int type, void *val);
/* Parameters are absent or NULL. */
int csr_alg_bare(const X509_ALGOR *alg);
/* The AlgorithmIdentifier in the parameters of alg; NULL: none. */
X509_ALGOR *csr_alg_inner(const X509_ALGOR *alg);

struct csr_md {
	const char *oid;
	const char *name; /* of OpenSSL */
	size_t len;
	int weak; /* only with legacy */
};
/* NULL when the digest is not known. */
const struct csr_md *csr_md_of_alg(const X509_ALGOR *alg);
const struct csr_md *csr_md_of_name(const char *name);
/* As the digestAlgorithm of RFC 5754 and RFC 8419. */
int csr_md_set_alg(const struct csr_md *md, X509_ALGOR *alg);
/* 1, or 0 when OpenSSL cannot. */
int csr_md_hash(const struct csr_md *md, const void *data, size_t len,
    unsigned char out[EVP_MAX_MD_SIZE]);

/* --- attrs.c ------------------------------------------------------------- */

/* content-type, message-digest and, time not 0, signing-time. */
int csr_attrs_make(const ASN1_OBJECT *type, const unsigned char *digest,
    size_t digest_len, time_t time, STACK_OF(X509_ATTRIBUTE) * *out);
/* The DER SET OF that is signed or MACed; OPENSSL_free. -1: memory. */
int csr_attrs_der(const STACK_OF(X509_ATTRIBUTE) * attrs, unsigned char **der);
/* The value of the only attribute of this kind; NULL when it is not so. */
const ASN1_TYPE *csr_attrs_one(
    const STACK_OF(X509_ATTRIBUTE) * attrs, int nid, int type);
/* RFC 5652 sections 11.1, 11.2: they name this type and this content. */
int csr_attrs_check(const STACK_OF(X509_ATTRIBUTE) * attrs,
    const ASN1_OBJECT *type, const struct csr_md *md,
    const ASN1_OCTET_STRING *content, enum burin_status status,
    struct burin_error *e);

/* --- names.c: who is meant ------------------------------------------------ */

/* 1, or 0 when memory ran out. */
int csr_key_name_set(CSR_KEY_NAME *name, X509 *cert,
    const unsigned char *key_id, size_t key_id_len, unsigned long serial);
int csr_agree_name_set(
    CSR_AGREE_NAME *name, const struct burin_cms_recipient *to);
int csr_key_name_is(
    const CSR_KEY_NAME *name, const struct burin_cms_recipient *to);
int csr_agree_name_is(
    const CSR_AGREE_NAME *name, const struct burin_cms_recipient *to);
int csr_names_cert(const CSR_KEY_NAME *name, X509 *cert);

/* --- content.c ------------------------------------------------------------ */

/* A ContentInfo of type oid around val; *der is OPENSSL_free'd. */
int csr_content_encode(const char *oid, const ASN1_ITEM *it, void *val,
    unsigned char **der, size_t *der_len, struct burin_error *e);
/* An encapContentInfo; content NULL: none. */
int csr_encap_set(CSR_ENCAP *encap, const char *type, const void *content,
    size_t len, struct burin_error *e);
/* OPENSSL object of a dotted OID; NULL with e set. ASN1_OBJECT_free. */
ASN1_OBJECT *csr_oid_parse(const char *dotted, struct burin_error *e);
/* "message-malformed" with what OpenSSL says as cause. */
int csr_cms_malformed(struct burin_error *e, enum burin_status status,
    const char *why, const char *rule);
/* Sentence and rule of an algorithm that is not taken. */
int csr_cms_alg_refused(struct burin_error *e, enum burin_status status,
    const char *what, const ASN1_OBJECT *oid, const char *rule);

/* --- wrap.c: AES key wrap (RFC 3394) -------------------------------------- */

/* Bytes of the key that wraps; 0 when alg is not AES key wrap. */
size_t csr_wrap_kek_len(const X509_ALGOR *alg);
int csr_wrap_set_alg(X509_ALGOR *alg, size_t kek_len);
/* out has room for in_len + 8. Both 1, or 0: not with this key. */
int csr_wrap(const unsigned char *kek, size_t kek_len, const unsigned char *in,
    size_t in_len, unsigned char *out, size_t *out_len);
int csr_unwrap(const unsigned char *kek, size_t kek_len,
    const unsigned char *in, size_t in_len, unsigned char *out,
    size_t *out_len);

/* --- pwri.c: PasswordRecipientInfo (RFC 5652 section 6.2.4) ----------------
 */

struct csr_password {
	const char *identification; /* NULL: "" */
	const struct burin_secret *secret;
};
int csr_pwri_make(const struct csr_password *pw, int legacy,
    unsigned long rounds, const unsigned char *key, size_t key_len,
    CSR_RECIPIENT **out, struct burin_error *e);
/*
 * What pwri wraps, for this password. key has CSR_CMS_MAX_WRAPPED bytes. 1;
 * 0: not with this password; -1 with e set.
 */
int csr_pwri_open(const CSR_PWRI *pwri, const struct csr_password *pw,
    enum burin_status status, unsigned char *key, size_t *key_len,
    struct burin_error *e);
/* The only PasswordRecipientInfo of ad; NULL: none, or more. */
const CSR_PWRI *csr_pwri_of(const CSR_AUTHENTICATED *ad);
/* The rounds pwri asks for; 0: none that we do. */
unsigned long csr_pwri_rounds(const CSR_PWRI *pwri);

/* --- cipher.c: the content ------------------------------------------------ */

struct csr_cipher {
	const char *name; /* of OpenSSL */
	size_t key_len;
	int aead;
	unsigned char iv[16];
	size_t iv_len;
	size_t icv_len;
};
/* What alg says; status and e as usual. */
int csr_cipher_read(const X509_ALGOR *alg, int aead, enum burin_status status,
    struct csr_cipher *c, struct burin_error *e);
/* A new AES-256 with a random IV, and its alg. */
int csr_cipher_make(
    int aead, struct csr_cipher *c, X509_ALGOR *alg, struct burin_error *e);
/* in to out, which has room for in_len + 16; icv of icv_len is written. */
int csr_cipher_seal(const struct csr_cipher *c, const unsigned char *key,
    const unsigned char *aad, size_t aad_len, const void *in, size_t in_len,
    unsigned char *out, size_t *out_len, unsigned char *icv);
/* As above; 0 when the content is not what was sealed. */
int csr_cipher_open(const struct csr_cipher *c, const unsigned char *key,
    const unsigned char *aad, size_t aad_len, const unsigned char *in,
    size_t in_len, const unsigned char *icv, unsigned char *out,
    size_t *out_len);

/* --- ktri.c, kari.c: one key for one recipient -----------------------------
 */

int csr_ktri_make(const struct burin_cms_recipient *to,
    const unsigned char *key, size_t key_len, CSR_RECIPIENT **out,
    struct burin_error *e);
/* key becomes what ktri holds, or random: nobody learns which. */
int csr_ktri_open(const CSR_KTRI *ktri, EVP_PKEY *priv,
    enum burin_status status, unsigned char *key, size_t key_len,
    struct burin_error *e);
int csr_kari_make(const struct burin_cms_recipient *to,
    const unsigned char *key, size_t key_len, CSR_RECIPIENT **out,
    struct burin_error *e);
int csr_kari_open(const CSR_KARI *kari, const CSR_AGREE_KEY *mine,
    EVP_PKEY *priv, EVP_PKEY *pub, enum burin_status status, unsigned char *key,
    size_t key_len, struct burin_error *e);

#endif
