/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The types of CSR attributes (RFC 8951 section 3.5, RFC 9908 section 3.4), as
 * OpenSSL's templates. The modules have IMPLICIT TAGS.
 */

#ifndef CSR_CSRATTRS_H
#define CSR_CSRATTRS_H

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/x509.h>

#define CSRATTR_OID 0
#define CSRATTR_ATTRIBUTE 1
typedef struct {
	int type;
	union {
		ASN1_OBJECT *oid;
		X509_ATTRIBUTE *attribute;
	} d;
} CSRATTR; /* AttrOrOID */
DECLARE_ASN1_FUNCTIONS(CSRATTR)
DEFINE_STACK_OF(CSRATTR)

typedef STACK_OF(CSRATTR) CSRATTRS;
DECLARE_ASN1_FUNCTIONS(CSRATTRS)

typedef struct {
	ASN1_OBJECT *id;
	ASN1_BOOLEAN critical;
	ASN1_OCTET_STRING *value; /* NULL: the client fills it in */
} CSREXT;			  /* ExtensionTemplate */
DECLARE_ASN1_FUNCTIONS(CSREXT)
DEFINE_STACK_OF(CSREXT)

typedef STACK_OF(CSREXT) CSREXTS;
DECLARE_ASN1_FUNCTIONS(CSREXTS)

typedef struct {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *key; /* a placeholder; NULL: none */
} CSRKEY;		      /* SubjectPublicKeyInfoTemplate */
DECLARE_ASN1_FUNCTIONS(CSRKEY)

typedef struct {
	ASN1_INTEGER *n, *e;
} CSRRSA; /* RSAPublicKey */
DECLARE_ASN1_FUNCTIONS(CSRRSA)

typedef struct {
	ASN1_INTEGER *version;
	CSRKEY *key; /* before it stands the subject: the client chooses it */
	STACK_OF(X509_ATTRIBUTE) * attributes;
} CSRTEMPLATE; /* CertificationRequestInfoTemplate */
DECLARE_ASN1_FUNCTIONS(CSRTEMPLATE)

#endif
