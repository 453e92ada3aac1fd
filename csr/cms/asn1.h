/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The structures of CMS as ASN.1 templates: RFC 5652 sections 3 to 10 and RFC
 * 5083 section 2.1. OpenSSL 3.0's own are closed, cannot read
 * AuthenticatedData, and know no EdDSA (RFC 8419).
 */

#ifndef CSR_CMS_ASN1_H
#define CSR_CMS_ASN1_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>

/* clang-format off */

typedef struct {
	ASN1_OBJECT *type;
	ASN1_TYPE *content; /* NULL: none */
} CSR_CONTENT_INFO;
DECLARE_ASN1_FUNCTIONS(CSR_CONTENT_INFO)

typedef struct {
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
} CSR_ISSUER_SERIAL;
DECLARE_ASN1_FUNCTIONS(CSR_ISSUER_SERIAL)

/* SignerIdentifier and RecipientIdentifier (RFC 5652 5.3, 6.2.1). */
#define CSR_ID_ISSUER 0
#define CSR_ID_KEY 1
typedef struct {
	int type;
	union {
		CSR_ISSUER_SERIAL *issuer;
		ASN1_OCTET_STRING *key_id;
	} d;
} CSR_KEY_NAME;
DECLARE_ASN1_FUNCTIONS(CSR_KEY_NAME)

typedef STACK_OF(X509_ATTRIBUTE) CSR_ATTRS;
/* SET OF Attribute with its universal tag: what is signed or MACed. */
DECLARE_ASN1_ITEM(CSR_ATTRS)

typedef struct {
	ASN1_INTEGER *version;
	CSR_KEY_NAME *sid;
	X509_ALGOR *digest_alg;
	STACK_OF(X509_ATTRIBUTE) *signed_attrs;	  /* NULL: none */
	X509_ALGOR *signature_alg;
	ASN1_OCTET_STRING *signature;
	STACK_OF(X509_ATTRIBUTE) *unsigned_attrs; /* NULL: none */
} CSR_SIGNER;
DECLARE_ASN1_FUNCTIONS(CSR_SIGNER)
DEFINE_STACK_OF(CSR_SIGNER)

typedef struct {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *content; /* NULL: none */
} CSR_ENCAP;
DECLARE_ASN1_FUNCTIONS(CSR_ENCAP)

/* Certificates and CRLs: ANY, because there are choices we do not read. */
typedef struct {
	ASN1_INTEGER *version;
	STACK_OF(X509_ALGOR) *digest_algs;
	CSR_ENCAP *encap;
	STACK_OF(ASN1_TYPE) *certs; /* NULL: none */
	STACK_OF(ASN1_TYPE) *crls;  /* NULL: none */
	STACK_OF(CSR_SIGNER) *signers;
} CSR_SIGNED;
DECLARE_ASN1_FUNCTIONS(CSR_SIGNED)

typedef struct {
	ASN1_INTEGER *version;
	CSR_KEY_NAME *rid;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *encrypted_key;
} CSR_KTRI;
DECLARE_ASN1_FUNCTIONS(CSR_KTRI)

typedef struct {
	ASN1_OCTET_STRING *key_id;
	ASN1_GENERALIZEDTIME *date;
	ASN1_TYPE *other;
} CSR_RKEY_ID;
DECLARE_ASN1_FUNCTIONS(CSR_RKEY_ID)

typedef struct {
	int type; /* CSR_ID_ISSUER, CSR_ID_KEY */
	union {
		CSR_ISSUER_SERIAL *issuer;
		CSR_RKEY_ID *key;
	} d;
} CSR_AGREE_NAME;
DECLARE_ASN1_FUNCTIONS(CSR_AGREE_NAME)

typedef struct {
	CSR_AGREE_NAME *rid;
	ASN1_OCTET_STRING *encrypted_key;
} CSR_AGREE_KEY;
DECLARE_ASN1_FUNCTIONS(CSR_AGREE_KEY)
DEFINE_STACK_OF(CSR_AGREE_KEY)

typedef struct {
	X509_ALGOR *alg;
	ASN1_BIT_STRING *key;
} CSR_ORIGINATOR_KEY;
DECLARE_ASN1_FUNCTIONS(CSR_ORIGINATOR_KEY)

#define CSR_ORIGINATOR_PUBLIC 2
typedef struct {
	int type;
	union {
		CSR_ISSUER_SERIAL *issuer;
		ASN1_OCTET_STRING *key_id;
		CSR_ORIGINATOR_KEY *key;
	} d;
} CSR_ORIGINATOR;
DECLARE_ASN1_FUNCTIONS(CSR_ORIGINATOR)

typedef struct {
	ASN1_INTEGER *version;
	CSR_ORIGINATOR *originator;
	ASN1_OCTET_STRING *ukm; /* NULL: none */
	X509_ALGOR *alg;
	STACK_OF(CSR_AGREE_KEY) *keys;
} CSR_KARI;
DECLARE_ASN1_FUNCTIONS(CSR_KARI)

typedef struct {
	ASN1_INTEGER *version;
	X509_ALGOR *derivation; /* NULL: none */
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *encrypted_key;
} CSR_PWRI;
DECLARE_ASN1_FUNCTIONS(CSR_PWRI)

#define CSR_RI_KTRI 0
#define CSR_RI_KARI 1
#define CSR_RI_KEK 2
#define CSR_RI_PWRI 3
#define CSR_RI_OTHER 4
typedef struct {
	int type;
	union {
		CSR_KTRI *ktri;
		CSR_KARI *kari;
		ASN1_STRING *raw;
		CSR_PWRI *pwri;
	} d;
} CSR_RECIPIENT;
DECLARE_ASN1_FUNCTIONS(CSR_RECIPIENT)
DEFINE_STACK_OF(CSR_RECIPIENT)

typedef struct {
	ASN1_OBJECT *type;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *content; /* NULL: none */
} CSR_ENCRYPTED;
DECLARE_ASN1_FUNCTIONS(CSR_ENCRYPTED)

typedef struct {
	ASN1_INTEGER *version;
	ASN1_STRING *originator; /* NULL: none */
	STACK_OF(CSR_RECIPIENT) *recipients;
	CSR_ENCRYPTED *encrypted;
	STACK_OF(X509_ATTRIBUTE) *unprotected; /* NULL: none */
} CSR_ENVELOPED;
DECLARE_ASN1_FUNCTIONS(CSR_ENVELOPED)

typedef struct {
	ASN1_INTEGER *version;
	ASN1_STRING *originator; /* NULL: none */
	STACK_OF(CSR_RECIPIENT) *recipients;
	CSR_ENCRYPTED *encrypted;
	STACK_OF(X509_ATTRIBUTE) *auth_attrs;   /* NULL: none */
	ASN1_OCTET_STRING *mac;
	STACK_OF(X509_ATTRIBUTE) *unauth_attrs; /* NULL: none */
} CSR_AUTH_ENVELOPED;
DECLARE_ASN1_FUNCTIONS(CSR_AUTH_ENVELOPED)

/* As in SignedData. */
typedef struct {
	STACK_OF(ASN1_TYPE) *certs; /* NULL: none */
	STACK_OF(ASN1_TYPE) *crls;  /* NULL: none */
} CSR_ORIGINATOR_INFO;
DECLARE_ASN1_FUNCTIONS(CSR_ORIGINATOR_INFO)

typedef struct {
	ASN1_INTEGER *version;
	CSR_ORIGINATOR_INFO *originator; /* NULL: none */
	STACK_OF(CSR_RECIPIENT) *recipients;
	X509_ALGOR *mac_alg;
	X509_ALGOR *digest_alg; /* NULL: none */
	CSR_ENCAP *encap;
	STACK_OF(X509_ATTRIBUTE) *auth_attrs;   /* NULL: none */
	ASN1_OCTET_STRING *mac;
	STACK_OF(X509_ATTRIBUTE) *unauth_attrs; /* NULL: none */
} CSR_AUTHENTICATED;
DECLARE_ASN1_FUNCTIONS(CSR_AUTHENTICATED)

/* RFC 5753 section 7.2: what the key derivation is bound to. */
typedef struct {
	X509_ALGOR *wrap;
	ASN1_OCTET_STRING *ukm; /* NULL: none */
	ASN1_OCTET_STRING *bits;
} CSR_SHARED_INFO;
DECLARE_ASN1_FUNCTIONS(CSR_SHARED_INFO)

/* RFC 5084 section 3.2. */
typedef struct {
	ASN1_OCTET_STRING *nonce;
	ASN1_INTEGER *icv_len; /* NULL: 12 */
} CSR_GCM_PARAMS;
DECLARE_ASN1_FUNCTIONS(CSR_GCM_PARAMS)

/* clang-format on */

#endif
