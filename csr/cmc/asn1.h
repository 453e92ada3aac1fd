/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The types of CMC (RFC 10002 sections 3 to 6), as OpenSSL's templates. The
 * module has IMPLICIT TAGS. What is signed, MACed or hashed somewhere is kept
 * as it came: reqSequence and everything in cmsSequence. What is ASN1_SEQUENCE
 * in a template is an ASN1_STRING of the whole DER, ASN1_ANY an ASN1_TYPE.
 */

#ifndef CSR_CMC_ASN1_H
#define CSR_CMC_ASN1_H

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../crmf/asn1.h"

/* Everything here is of the arc id-cmc; its number is what is told apart. */
#define CMC_OID_ARC "1.3.6.1.5.5.7.7."
#define CMC_OID_PKI_DATA "1.3.6.1.5.5.7.12.2"
#define CMC_OID_PKI_RESPONSE "1.3.6.1.5.5.7.12.3"

/* --- section 3.2.1: what a message is made of ---------------------------- */

typedef struct {
	ASN1_INTEGER *bodyPartID;
	ASN1_OBJECT *attrType;
	STACK_OF(ASN1_TYPE) * attrValues;
} CMC_ATTR; /* TaggedAttribute: a control */
DECLARE_ASN1_FUNCTIONS(CMC_ATTR)
DEFINE_STACK_OF(CMC_ATTR)

typedef struct {
	ASN1_INTEGER *bodyPartID;
	ASN1_TYPE *certificationRequest; /* PKCS#10 */
} CMC_TCR;				 /* TaggedCertificationRequest */
DECLARE_ASN1_FUNCTIONS(CMC_TCR)

typedef struct {
	ASN1_INTEGER *bodyPartID;
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} CMC_OTHER; /* OtherMsg; the third kind of TaggedRequest, too */
DECLARE_ASN1_FUNCTIONS(CMC_OTHER)
DEFINE_STACK_OF(CMC_OTHER)

#define CMC_REQ_TCR 0
#define CMC_REQ_CRM 1
#define CMC_REQ_ORM 2
typedef struct {
	int type;
	union {
		CMC_TCR *tcr;
		CRMF_MSG *crm;
		CMC_OTHER *orm;
	} d;
} CMC_REQ; /* TaggedRequest */
DECLARE_ASN1_FUNCTIONS(CMC_REQ)
DEFINE_STACK_OF(CMC_REQ)

typedef struct {
	ASN1_INTEGER *bodyPartID;
	ASN1_TYPE *contentInfo;
} CMC_CONTENT; /* TaggedContentInfo */
DECLARE_ASN1_FUNCTIONS(CMC_CONTENT)
DEFINE_STACK_OF(CMC_CONTENT)

typedef struct {
	STACK_OF(CMC_ATTR) * controls;
	ASN1_STRING *reqs; /* SEQUENCE OF TaggedRequest, as it came */
	STACK_OF(CMC_CONTENT) * cms;
	STACK_OF(CMC_OTHER) * others;
} CMC_PKI_DATA;
DECLARE_ASN1_FUNCTIONS(CMC_PKI_DATA)

/* SEQUENCE OF TaggedRequest, and the same with each as it came. */
typedef STACK_OF(CMC_REQ) CMC_REQS;
DECLARE_ASN1_FUNCTIONS(CMC_REQS)

typedef struct {
	STACK_OF(CMC_ATTR) * controls;
	STACK_OF(CMC_CONTENT) * cms;
	STACK_OF(CMC_OTHER) * others;
} CMC_PKI_RESPONSE;
DECLARE_ASN1_FUNCTIONS(CMC_PKI_RESPONSE)

typedef STACK_OF(ASN1_INTEGER) CMC_IDS; /* BodyPartList, BodyPartPath */
DECLARE_ASN1_FUNCTIONS(CMC_IDS)

#define CMC_REF_ID 0
#define CMC_REF_PATH 1
typedef struct {
	int type;
	union {
		ASN1_INTEGER *id;
		STACK_OF(ASN1_INTEGER) * path;
	} d;
} CMC_REF; /* BodyPartReference */
DECLARE_ASN1_FUNCTIONS(CMC_REF)
DEFINE_STACK_OF(CMC_REF)

/* section 3.2.3 */
typedef struct {
	STACK_OF(ASN1_INTEGER) * path;
	ASN1_OBJECT *identifier;
	ASN1_TYPE *content;
} CMC_UNSIGNED_DATA;
DECLARE_ASN1_FUNCTIONS(CMC_UNSIGNED_DATA)

/* --- section 6.1: status -------------------------------------------------- */

typedef struct {
	ASN1_OCTET_STRING *token;
	ASN1_GENERALIZEDTIME *time;
} CMC_PEND_INFO;
DECLARE_ASN1_FUNCTIONS(CMC_PEND_INFO)

typedef struct {
	ASN1_OBJECT *oid;
	ASN1_TYPE *value;
} CMC_EXT_FAIL;
DECLARE_ASN1_FUNCTIONS(CMC_EXT_FAIL)

/*
 * otherInfo of both generations: pendInfo and, before RFC 10002,
 * extendedFailInfo are SEQUENCEs without a tag, told apart by what is inside.
 */
#define CMC_INFO_FAIL 0
#define CMC_INFO_SEQUENCE 1
#define CMC_INFO_EXT_FAIL 2
typedef struct {
	int type;
	union {
		ASN1_INTEGER *fail;
		ASN1_STRING *sequence; /* CMC_PEND_INFO or CMC_EXT_FAIL */
		CMC_EXT_FAIL *ext;     /* [1] */
	} d;
} CMC_INFO;
DECLARE_ASN1_FUNCTIONS(CMC_INFO)

typedef struct {
	ASN1_INTEGER *status;
	STACK_OF(CMC_REF) * bodyList;
	ASN1_UTF8STRING *text;
	CMC_INFO *info;
} CMC_STATUS_V2;
DECLARE_ASN1_FUNCTIONS(CMC_STATUS_V2)

typedef struct {
	ASN1_INTEGER *status;
	STACK_OF(ASN1_INTEGER) * bodyList;
	ASN1_UTF8STRING *text;
	CMC_INFO *info;
} CMC_STATUS;
DECLARE_ASN1_FUNCTIONS(CMC_STATUS)

/* --- sections 6.2 and 6.3: identity, and its link to the proof ------------ */

/* identityProofV2: hash and MAC; popLinkWitnessV2: key generation and MAC */
typedef struct {
	X509_ALGOR *hash;
	X509_ALGOR *mac;
	ASN1_OCTET_STRING *witness;
} CMC_WITNESS;
DECLARE_ASN1_FUNCTIONS(CMC_WITNESS)

/* --- section 6.5 ---------------------------------------------------------- */

typedef struct {
	ASN1_INTEGER *pkiDataReference;
	STACK_OF(ASN1_INTEGER) * certReferences;
	STACK_OF(X509_EXTENSION) * extensions;
} CMC_ADD_EXTENSIONS;
DECLARE_ASN1_FUNCTIONS(CMC_ADD_EXTENSIONS)

typedef struct {
	STACK_OF(ASN1_INTEGER) * pkiDataReference;
	STACK_OF(ASN1_INTEGER) * certReferences;
	ASN1_BOOLEAN replace;	   /* DEFAULT TRUE */
	ASN1_STRING *certTemplate; /* CertTemplate of RFC 4211 */
} CMC_MOD_TEMPLATE;
DECLARE_ASN1_FUNCTIONS(CMC_MOD_TEMPLATE)

/* --- section 6.7: encrypted and decrypted POP ----------------------------- */

typedef struct {
	ASN1_TYPE *request; /* TaggedRequest */
	ASN1_TYPE *cms;	    /* ContentInfo */
	X509_ALGOR *thePOPAlgID;
	X509_ALGOR *witnessAlgID;
	ASN1_OCTET_STRING *witness;
} CMC_ENCRYPTED_POP;
DECLARE_ASN1_FUNCTIONS(CMC_ENCRYPTED_POP)

typedef struct {
	ASN1_INTEGER *bodyPartID;
	X509_ALGOR *thePOPAlgID;
	ASN1_OCTET_STRING *thePOP;
} CMC_DECRYPTED_POP;
DECLARE_ASN1_FUNCTIONS(CMC_DECRYPTED_POP)

/* section 6.8 */
typedef struct {
	ASN1_INTEGER *pkiDataBodyid;
	STACK_OF(ASN1_INTEGER) * bodyIds;
} CMC_POP_WITNESS;
DECLARE_ASN1_FUNCTIONS(CMC_POP_WITNESS)

/* --- sections 6.9 to 6.11 ------------------------------------------------- */

typedef struct {
	GENERAL_NAME *issuer;
	ASN1_INTEGER *serial;
} CMC_GET_CERT;
DECLARE_ASN1_FUNCTIONS(CMC_GET_CERT)

typedef struct {
	X509_NAME *issuer;
	GENERAL_NAME *crl; /* OPTIONAL */
	ASN1_GENERALIZEDTIME *time;
	ASN1_BIT_STRING *reasons;
} CMC_GET_CRL;
DECLARE_ASN1_FUNCTIONS(CMC_GET_CRL)

typedef struct {
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
	ASN1_ENUMERATED *reason;
	ASN1_GENERALIZEDTIME *invalidityDate;
	ASN1_OCTET_STRING *secret;
	ASN1_UTF8STRING *comment;
} CMC_REVOKE;
DECLARE_ASN1_FUNCTIONS(CMC_REVOKE)

/* section 6.14: CMCCertId is IssuerAndSerialNumber */
typedef struct {
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
} CMC_CERT_ID;
DECLARE_ASN1_FUNCTIONS(CMC_CERT_ID)

/* section 6.15 */
DEFINE_STACK_OF(ASN1_OCTET_STRING)
typedef struct {
	ASN1_INTEGER *seqNumber;
	X509_ALGOR *hash;
	STACK_OF(ASN1_OCTET_STRING) * anchorHashes;
} CMC_ANCHORS;
DECLARE_ASN1_FUNCTIONS(CMC_ANCHORS)

/* section 6.18; PKIPublicationInfo is of RFC 4211 section 6.3 */
typedef struct {
	ASN1_INTEGER *method;
	GENERAL_NAME *location; /* OPTIONAL */
} CMC_PUB_PLACE;
DECLARE_ASN1_FUNCTIONS(CMC_PUB_PLACE)
DEFINE_STACK_OF(CMC_PUB_PLACE)

typedef struct {
	ASN1_INTEGER *action;
	STACK_OF(CMC_PUB_PLACE) * places; /* OPTIONAL */
} CMC_PUB_INFO;
DECLARE_ASN1_FUNCTIONS(CMC_PUB_INFO)

typedef struct {
	X509_ALGOR *hash;
	STACK_OF(ASN1_OCTET_STRING) * certHashes;
	CMC_PUB_INFO *info;
} CMC_PUBLISH;
DECLARE_ASN1_FUNCTIONS(CMC_PUBLISH)

/* section 6.19: controlProcessed */
typedef struct {
	STACK_OF(CMC_REF) * bodyList;
} CMC_PROCESSED;
DECLARE_ASN1_FUNCTIONS(CMC_PROCESSED)

/*
 * changeSubjectName. RFC 10002 tags subjectAlt [1]; in RFC 6402 both fields
 * are untagged SEQUENCEs, told apart by what is inside. OpenSSL cannot decode
 * a Name that is OPTIONAL and has no tag, so it stays DER.
 */
typedef struct {
	ASN1_STRING *subject;	   /* OPTIONAL */
	GENERAL_NAMES *subjectAlt; /* [1] OPTIONAL */
} CMC_NEW_NAME;
DECLARE_ASN1_FUNCTIONS(CMC_NEW_NAME)
typedef struct {
	ASN1_STRING *subject; /* subjectAlt, when it alone is there */
	GENERAL_NAMES *subjectAlt;
} CMC_NEW_NAME_6402;
DECLARE_ASN1_FUNCTIONS(CMC_NEW_NAME_6402)

#endif
