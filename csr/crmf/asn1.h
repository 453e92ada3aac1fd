/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The ASN.1 of RFC 4211 appendix B as OpenSSL templates. OpenSSL's own
 * OSSL_CRMF_MSG is opaque and knows but a few proofs of possession.
 *
 * The module has IMPLICIT TAGS; a tagged CHOICE is EXPLICIT all the same.
 * CRMF_MSG may stand in another structure under an implicit tag.
 */

#ifndef CSR_CRMF_ASN1_H
#define CSR_CRMF_ASN1_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Values of SubsequentMessage: RFC 4211 section 4.2. */
#define CRMF_ENCR_CERT 0
#define CRMF_CHALLENGE_RESP 1

/* AttributeTypeAndValue: one value, unlike the attributes of PKCS#10. */
typedef struct crmf_attr_st {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} CRMF_ATTR;
DECLARE_ASN1_FUNCTIONS(CRMF_ATTR)
DEFINE_STACK_OF(CRMF_ATTR)

/* OptionalValidity */
typedef struct crmf_validity_st {
	ASN1_TIME *notBefore;
	ASN1_TIME *notAfter;
} CRMF_VALIDITY;
DECLARE_ASN1_FUNCTIONS(CRMF_VALIDITY)

/* CertTemplate; every field may be NULL. */
typedef struct crmf_template_st {
	ASN1_INTEGER *version;
	ASN1_INTEGER *serialNumber;
	X509_ALGOR *signingAlg;
	X509_NAME *issuer;
	CRMF_VALIDITY *validity;
	X509_NAME *subject;
	X509_PUBKEY *publicKey;
	ASN1_BIT_STRING *issuerUID;
	ASN1_BIT_STRING *subjectUID;
	STACK_OF(X509_EXTENSION) * extensions;
} CRMF_TEMPLATE;
DECLARE_ASN1_FUNCTIONS(CRMF_TEMPLATE)

/*
 * CertRequest. enc keeps the octets as they came: signatures and MACs are
 * over these. Who changes a field sets enc.modified to 1.
 */
typedef struct crmf_request_st {
	ASN1_ENCODING enc;
	ASN1_INTEGER *certReqId;
	CRMF_TEMPLATE *certTemplate;
	STACK_OF(CRMF_ATTR) * controls; /* NULL: none */
} CRMF_REQUEST;
DECLARE_ASN1_FUNCTIONS(CRMF_REQUEST)

typedef struct crmf_pkmac_st {
	X509_ALGOR *algId;
	ASN1_BIT_STRING *value;
} CRMF_PKMAC;
DECLARE_ASN1_FUNCTIONS(CRMF_PKMAC)

/* The authInfo of POPOSigningKeyInput */
#define CRMF_AUTH_SENDER 0
#define CRMF_AUTH_MAC 1
typedef struct crmf_auth_info_st {
	int type;
	union {
		GENERAL_NAME *sender;
		CRMF_PKMAC *publicKeyMAC;
	} value;
} CRMF_AUTH_INFO;
DECLARE_ASN1_FUNCTIONS(CRMF_AUTH_INFO)

typedef struct crmf_signing_input_st {
	CRMF_AUTH_INFO *authInfo;
	X509_PUBKEY *publicKey;
} CRMF_SIGNING_INPUT;
DECLARE_ASN1_FUNCTIONS(CRMF_SIGNING_INPUT)

/* POPOSigningKey */
typedef struct crmf_signing_key_st {
	CRMF_SIGNING_INPUT *poposkInput; /* NULL: as CMC wants it */
	X509_ALGOR *algorithmIdentifier;
	ASN1_BIT_STRING *signature;
} CRMF_SIGNING_KEY;
DECLARE_ASN1_FUNCTIONS(CRMF_SIGNING_KEY)

/* POPOPrivKey */
#define CRMF_PRIV_THIS_MESSAGE 0
#define CRMF_PRIV_SUBSEQUENT 1
#define CRMF_PRIV_DH_MAC 2
#define CRMF_PRIV_AGREE_MAC 3
#define CRMF_PRIV_ENCRYPTED_KEY 4
typedef struct crmf_priv_key_st {
	int type;
	union {
		ASN1_BIT_STRING *thisMessage;
		ASN1_INTEGER *subsequentMessage;
		ASN1_BIT_STRING *dhMAC;
		CRMF_PKMAC *agreeMAC;
		ASN1_STRING *encryptedKey; /* EnvelopedData, not decoded */
	} value;
} CRMF_PRIV_KEY;
DECLARE_ASN1_FUNCTIONS(CRMF_PRIV_KEY)

/* ProofOfPossession */
#define CRMF_POPO_RA_VERIFIED 0
#define CRMF_POPO_SIGNATURE 1
#define CRMF_POPO_ENCIPHERMENT 2
#define CRMF_POPO_AGREEMENT 3
typedef struct crmf_popo_st {
	int type;
	union {
		ASN1_NULL *raVerified;
		CRMF_SIGNING_KEY *signature;
		CRMF_PRIV_KEY *keyEncipherment;
		CRMF_PRIV_KEY *keyAgreement;
	} value;
} CRMF_POPO;
DECLARE_ASN1_FUNCTIONS(CRMF_POPO)

/* CertReqMsg */
typedef struct crmf_msg_st {
	CRMF_REQUEST *certReq;
	CRMF_POPO *popo;	       /* NULL: none */
	STACK_OF(CRMF_ATTR) * regInfo; /* NULL: none */
} CRMF_MSG;
DECLARE_ASN1_FUNCTIONS(CRMF_MSG)
DEFINE_STACK_OF(CRMF_MSG)

/* CertReqMessages */
typedef STACK_OF(CRMF_MSG) CRMF_MSGS;
DECLARE_ASN1_FUNCTIONS(CRMF_MSGS)

#endif
