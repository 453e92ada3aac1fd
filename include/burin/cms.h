/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The envelopes of CMC messages: SignedData, AuthenticatedData,
 * EnvelopedData (RFC 5652) and AuthEnvelopedData (RFC 5083), as CMC makes use
 * of them (RFC 10002 sections 3.2 and 5). Pure functions: no I/O, no token,
 * no clock. A private key is an EVP_PKEY, wherever it lives.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_CMS_H
#define BURIN_CMS_H

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_MAX_MESSAGE (1024 * 1024) /* bytes of one message */
#define BURIN_MAX_SIGNERS 4		/* SignerInfos in one SignedData */
#define BURIN_MAX_RECIPIENTS 8		/* RecipientInfos in one message */
#define BURIN_MAX_KEY_ID 64		/* bytes of a subjectKeyIdentifier */
/* PBKDF2 of a peer: more rounds than this are refused (denial of service). */
#define BURIN_MAX_PBKDF2_ROUNDS 10000000

/* --- making ------------------------------------------------------------ */

enum burin_cms_by {
	BURIN_CMS_BY_NOBODY, /* SignedData without SignerInfo */
	BURIN_CMS_BY_CERT,   /* sid is issuerAndSerialNumber of cert */
	BURIN_CMS_BY_KEY,    /* sid is key_id: a key without certificate */
	BURIN_CMS_UNSIGNED   /* sid is key_id, id-alg-noSignature */
};

/* Who signs. Everything is borrowed. */
struct burin_cms_signer {
	enum burin_cms_by by;
	EVP_PKEY *key;		     /* signs; may live on a token */
	EVP_PKEY *pub;		     /* its public half, in software */
	X509 *cert;		     /* BY_CERT */
	const unsigned char *key_id; /* BY_KEY, UNSIGNED: the SKI octets */
	size_t key_id_len;
	const char *md_name;	   /* NULL: as burin_pkcs10_make chooses */
	time_t signing_time;	   /* signedAttrs; 0: none */
	STACK_OF(X509) * certs;	   /* into certificates; cert joins by itself */
	STACK_OF(X509_CRL) * crls; /* into crls */
};

/*
 * SignedData version 3 (1 for id-data) around content of type OID
 * ("1.3.6.1.5.5.7.12.2"): signedAttrs content-type, message-digest and, when
 * given, signing-time; the signature verified in software before it is
 * returned. EdDSA as RFC 8419 says. content NULL: no eContent (certs-only).
 * *der is OPENSSL_free'd by the caller.
 */
int burin_cms_sign(const struct burin_cms_signer *s, const char *type,
    const void *content, size_t len, unsigned char **der, size_t *der_len,
    struct burin_error *e);

/*
 * AuthenticatedData for one PasswordRecipientInfo (RFC 5652 section 9, RFC
 * 10002 section 3.2): PBKDF2, AES-256 key wrap, HMAC-SHA256 (legacy: AES-128
 * key wrap, HMAC-SHA1). The password is identification (UTF-8, NULL: "")
 * and, behind it, secret. rounds 0: a sound number.
 */
int burin_cms_authenticate(const char *identification,
    const struct burin_secret *secret, int legacy, unsigned long rounds,
    const char *type, const void *content, size_t len, unsigned char **der,
    size_t *der_len, struct burin_error *e);

/* For whom something is encrypted. Borrowed. */
struct burin_cms_recipient {
	EVP_PKEY *pub; /* RSA, EC, X25519; in software */
	X509 *cert;    /* not NULL: named by issuerAndSerialNumber */
	/* cert NULL: named by key_id, or, with key_id_len 0, by an empty
	 * issuer and this serial (RFC 10002 section 6.7). */
	const unsigned char *key_id;
	size_t key_id_len;
	unsigned long serial;
	int oaep; /* RSA: OAEP with SHA-256; 0: PKCS#1 v1.5 */
};
enum burin_cms_cipher {
	BURIN_CMS_AES256_CBC, /* EnvelopedData */
	BURIN_CMS_AES256_GCM  /* AuthEnvelopedData, 12 octet nonce and ICV */
};
/* type is of what is inside ("1.2.840.113549.1.7.1" id-data, or signed). */
int burin_cms_encrypt(const struct burin_cms_recipient *to, size_t n,
    enum burin_cms_cipher cipher, const char *type, const void *content,
    size_t len, unsigned char **der, size_t *der_len, struct burin_error *e);

/* --- reading ----------------------------------------------------------- */

enum burin_cms_type {
	BURIN_CMS_DATA,
	BURIN_CMS_SIGNED,
	BURIN_CMS_AUTHENTICATED,
	BURIN_CMS_ENVELOPED,
	BURIN_CMS_AUTH_ENVELOPED
};

struct burin_cms;

/*
 * Reads one ContentInfo: BER (indefinite lengths, constructed strings) where
 * CMS allows it, whole, nothing behind it, limits above. status is used for
 * every refusal of this message, here and below. data is not kept.
 */
int burin_cms_parse(const void *data, size_t len, enum burin_status status,
    struct burin_cms **out, struct burin_error *e);
void burin_cms_free(struct burin_cms **cms);

enum burin_cms_type burin_cms_get_type(const struct burin_cms *cms);
/* Dotted OID of the (encapsulated) content; borrowed. */
const char *burin_cms_content_type(const struct burin_cms *cms);
/*
 * The content octets exactly as received, constructed strings joined; NULL
 * and 0 when there is none, or it is still encrypted. Borrowed.
 */
const unsigned char *burin_cms_content(
    const struct burin_cms *cms, size_t *len);
/* Borrowed; never NULL, may be empty. */
STACK_OF(X509) * burin_cms_certs(const struct burin_cms *cms);
STACK_OF(X509_CRL) * burin_cms_crls(const struct burin_cms *cms);

struct burin_cms_signer_info {
	const X509_NAME *issuer;     /* NULL: named by key_id */
	const ASN1_INTEGER *serial;  /* with issuer */
	const unsigned char *key_id; /* NULL: named by issuer, serial */
	size_t key_id_len;
	int no_signature;    /* id-alg-noSignature: proves nothing */
	time_t signing_time; /* 0: not said */
	char signature[64];  /* name of the algorithm, for people */
};
size_t burin_cms_n_signers(const struct burin_cms *cms);
void burin_cms_signer(
    const struct burin_cms *cms, size_t i, struct burin_cms_signer_info *out);
/* The certificate in the message that signer i names; NULL none, borrowed. */
X509 *burin_cms_signer_cert(const struct burin_cms *cms, size_t i);

/*
 * Signature of signer i with this public key, message digest and content
 * type attributes included; no path is built. noSignature is refused. SHA-1
 * and weaker only with legacy.
 */
int burin_cms_verify(struct burin_cms *cms, size_t i, EVP_PKEY *pub, int legacy,
    struct burin_error *e);
/* The MAC of AuthenticatedData; password as above. Failure: "mac-wrong". */
int burin_cms_verify_mac(struct burin_cms *cms, const char *identification,
    const struct burin_secret *secret, int legacy, struct burin_error *e);
/*
 * Decrypts for key (which may live on a token; pub is its public half): the
 * RecipientInfo that names key_id, an empty issuer with serial, or cert (any
 * of them, as given in to; to->pub is not used), one operation of the key.
 * *out are the octets inside (they may be more than BURIN_SECRET_MAX),
 * burin_cms_content_type their type. Wrong key, damage: "decrypt-failed".
 */
int burin_cms_decrypt(struct burin_cms *cms,
    const struct burin_cms_recipient *to, EVP_PKEY *key, EVP_PKEY *pub,
    struct burin_secret **out, struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
