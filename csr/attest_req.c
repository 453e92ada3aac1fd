/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Attestations in a PKCS#10 request, in two forms.
 *
 * Yubico's: two extensions that are asked for, whose values are bare
 * certificates. yubico-piv-tool (2.2.0 of Debian 12) puts the attestation
 * under 1.3.6.1.4.1.41482.3.11, which the documentation has for something
 * else, and authorities came to read that. The documented number is .3.1; the
 * tool was corrected later (yubico-piv-tool issue 526). Written here is .3.11,
 * read are both.
 *
 * The draft's: one attribute, see below. Experimental, as it is a draft.
 */

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "attest.h"
#include "internal.h"

#define OID_CERT_TOOL YUBICO_PIV "11" /* the attestation */
#define OID_CERT YUBICO_PIV "1"	      /* the same, as documented */
#define OID_ISSUER YUBICO_PIV "2"     /* of the attestation key */

/*
 * draft-ietf-lamps-csr-attestation-29 section 4.1 (IMPLICIT tags):
 *
 *   AttestationStatement ::= SEQUENCE {
 *      type   ATTESTATION-STATEMENT.&id({AttestationStatementSet}),
 *      stmt   ATTESTATION-STATEMENT.&Type(...{@type}) }
 *
 *   LimitedCertChoices ::= CertificateChoices
 *      (WITH COMPONENTS {certificate, other})
 *   CertificateChoices ::= CHOICE {
 *      certificate Certificate, ...
 *      other      [3] IMPLICIT OtherCertificateFormat }
 *   OtherCertificateFormat ::= SEQUENCE {
 *      otherCertFormat OBJECT IDENTIFIER, otherCert ANY }
 *
 *   AttestationBundle ::= SEQUENCE {
 *      attestations SEQUENCE SIZE (1..MAX) OF AttestationStatement,
 *      certs SEQUENCE SIZE (1..MAX) OF LimitedCertChoices OPTIONAL }
 *
 * Section 4.3: the attribute id-aa-attestation, { id-aa 59 }, once, with one
 * value. No statement is defined there; a YubiKey's is the certificate, under
 * Yubico's documented number for it.
 */
#define OID_AA_ATTESTATION "1.2.840.113549.1.9.16.2.59"
#define RULE_DRAFT "draft-ietf-lamps-csr-attestation-29 section 4"
#define RULE_YUBICO "Yubico PIV attestation, yubico-piv-tool --attestation"

typedef struct {
	ASN1_OBJECT *type;
	ASN1_TYPE *stmt;
} STATEMENT;
typedef struct {
	ASN1_OBJECT *format;
	ASN1_TYPE *cert;
} OTHER_CERT;
typedef struct {
	int type;
	union {
		X509 *certificate;
		OTHER_CERT *other;
	} d;
} CERT_CHOICE;
DEFINE_STACK_OF(STATEMENT)
DEFINE_STACK_OF(CERT_CHOICE)
typedef struct {
	STACK_OF(STATEMENT) * attestations;
	STACK_OF(CERT_CHOICE) * certs;
} BUNDLE;

ASN1_SEQUENCE(STATEMENT) = {
	ASN1_SIMPLE(STATEMENT, type, ASN1_OBJECT),
	ASN1_SIMPLE(STATEMENT, stmt, ASN1_ANY),
} static_ASN1_SEQUENCE_END(STATEMENT)

ASN1_SEQUENCE(OTHER_CERT) = {
	ASN1_SIMPLE(OTHER_CERT, format, ASN1_OBJECT),
	ASN1_SIMPLE(OTHER_CERT, cert, ASN1_ANY),
} static_ASN1_SEQUENCE_END(OTHER_CERT)

ASN1_CHOICE(CERT_CHOICE) = {
	ASN1_SIMPLE(CERT_CHOICE, d.certificate, X509),
	ASN1_IMP(CERT_CHOICE, d.other, OTHER_CERT, 3),
} static_ASN1_CHOICE_END(CERT_CHOICE)

ASN1_SEQUENCE(BUNDLE) = {
	ASN1_SEQUENCE_OF(BUNDLE, attestations, STATEMENT),
	ASN1_SEQUENCE_OF_OPT(BUNDLE, certs, CERT_CHOICE),
} static_ASN1_SEQUENCE_END(BUNDLE)

#define CHOICE_CERTIFICATE 0 /* place in the CHOICE above */

static const char *const forms[] = {
	[BURIN_ATTEST_NONE] = "none",
	[BURIN_ATTEST_YUBICO] = "yubico",
	[BURIN_ATTEST_DRAFT] = "draft",
};

const char *
burin_attest_form_name(enum burin_attest_form form)
{
	return forms[form];
}

enum burin_attest_form
burin_attest_form_parse(const char *name)
{
	if (strcmp(name, forms[BURIN_ATTEST_YUBICO]) == 0)
		return BURIN_ATTEST_YUBICO;
	if (strcmp(name, forms[BURIN_ATTEST_DRAFT]) == 0)
		return BURIN_ATTEST_DRAFT;
	return BURIN_ATTEST_NONE;
}

/* --- writing: Yubico's form ---------------------------------------------- */

static int
ask_for(
    struct burin_subject *s, const char *oid, X509 *cert, struct burin_error *e)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der), rc = -1;

	if (type != NULL && csr_ext_find(s->asked, type) >= 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "ext-twice",
		    "the extension %s is asked for already", oid);
		goto out;
	}
	if (sk_X509_EXTENSION_num(s->asked) == BURIN_MAX_EXTENSIONS) {
		(void)burin_fail(e, BURIN_EUSAGE, "too-many-extensions",
		    "more than %d extensions are asked for",
		    BURIN_MAX_EXTENSIONS);
		goto out;
	}
	if (type == NULL || value == NULL || len <= 0 ||
	    ASN1_OCTET_STRING_set(value, der, len) != 1 ||
	    (ext = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value)) ==
		NULL ||
	    sk_X509_EXTENSION_push(s->asked, ext) <= 0) {
		X509_EXTENSION_free(ext);
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	ASN1_OBJECT_free(type);
	ASN1_OCTET_STRING_free(value);
	OPENSSL_free(der);
	return rc;
}

static int
set_yubico(struct burin_subject *s, X509 *cert, STACK_OF(X509) * above,
    struct burin_error *e)
{
	int i, n = sk_X509_num(above);

	for (i = 0; i < n; i++)
		if (X509_check_issued(sk_X509_value(above, i), cert) ==
		    X509_V_OK)
			break;
	ERR_clear_error();
	if (i >= n) {
		(void)burin_fail(e, BURIN_ETOKEN, "attestation-issuer",
		    "the certificate of the attestation key is not there, and "
		    "the request needs it");
		return burin_error_rule(e, RULE_YUBICO);
	}
	if (ask_for(s, OID_CERT_TOOL, cert, e) == -1)
		return -1;
	return ask_for(s, OID_ISSUER, sk_X509_value(above, i), e);
}

/* --- writing: the draft's form ------------------------------------------- */

static int
put_statement(BUNDLE *b, X509 *cert)
{
	STATEMENT *st = (STATEMENT *)ASN1_item_new(ASN1_ITEM_rptr(STATEMENT));

	if (st == NULL)
		return 0;
	ASN1_OBJECT_free(st->type);
	st->type = OBJ_txt2obj(OID_CERT, 1);
	if (st->type == NULL ||
	    ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(X509), cert, &st->stmt) ==
		NULL ||
	    sk_STATEMENT_push(b->attestations, st) <= 0) {
		ASN1_item_free((ASN1_VALUE *)st, ASN1_ITEM_rptr(STATEMENT));
		return 0;
	}
	return 1;
}

static int
put_cert(BUNDLE *b, X509 *cert)
{
	CERT_CHOICE *choice;

	if (b->certs == NULL && (b->certs = sk_CERT_CHOICE_new_null()) == NULL)
		return 0;
	choice = (CERT_CHOICE *)ASN1_item_new(ASN1_ITEM_rptr(CERT_CHOICE));
	if (choice == NULL)
		return 0;
	choice->type = CHOICE_CERTIFICATE;
	if ((choice->d.certificate = X509_dup(cert)) == NULL ||
	    sk_CERT_CHOICE_push(b->certs, choice) <= 0) {
		ASN1_item_free(
		    (ASN1_VALUE *)choice, ASN1_ITEM_rptr(CERT_CHOICE));
		return 0;
	}
	return 1;
}

/* DER of the bundle; 0 when memory ran out. */
static int
make_bundle(X509 *cert, STACK_OF(X509) * above, unsigned char **der)
{
	BUNDLE *b = (BUNDLE *)ASN1_item_new(ASN1_ITEM_rptr(BUNDLE));
	int i, len = 0;

	*der = NULL;
	if (b == NULL || !put_statement(b, cert))
		goto out;
	for (i = 0; i < sk_X509_num(above); i++)
		if (!put_cert(b, sk_X509_value(above, i)))
			goto out;
	len = ASN1_item_i2d((ASN1_VALUE *)b, der, ASN1_ITEM_rptr(BUNDLE));
out:
	ASN1_item_free((ASN1_VALUE *)b, ASN1_ITEM_rptr(BUNDLE));
	return len > 0 ? len : 0;
}

static int
set_draft(struct burin_subject *s, X509 *cert, STACK_OF(X509) * above,
    struct burin_error *e)
{
	ASN1_OBJECT *type = OBJ_txt2obj(OID_AA_ATTESTATION, 1);
	X509_ATTRIBUTE *attr = NULL;
	unsigned char *der;
	int len = make_bundle(cert, above, &der), rc = -1;

	if (type != NULL && len > 0)
		attr = X509_ATTRIBUTE_create_by_OBJ(
		    NULL, type, V_ASN1_SEQUENCE, der, len);
	if (attr == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (X509at_get_attr_by_OBJ(s->attributes, type, -1) >= 0 ||
	    sk_X509_ATTRIBUTE_num(s->attributes) >= BURIN_MAX_ATTRIBUTES - 2) {
		(void)burin_fail(e, BURIN_EUSAGE, "attribute-twice",
		    "the request has an attestation or too many attributes");
		(void)burin_error_rule(e, RULE_DRAFT);
		goto out;
	}
	if (sk_X509_ATTRIBUTE_push(s->attributes, attr) <= 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	attr = NULL;
	rc = 0;
out:
	X509_ATTRIBUTE_free(attr);
	ASN1_OBJECT_free(type);
	OPENSSL_free(der);
	return rc;
}

int
burin_subject_set_attestation(struct burin_subject *s,
    enum burin_attest_form form, X509 *cert, STACK_OF(X509) * above,
    struct burin_error *e)
{
	if (sk_X509_num(above) > BURIN_MAX_ATTEST_CERTS)
		return burin_fail(e, BURIN_EUSAGE, "too-many-certificates",
		    "more than %d certificates are above the attestation",
		    BURIN_MAX_ATTEST_CERTS);
	switch (form) {
	case BURIN_ATTEST_YUBICO:
		return set_yubico(s, cert, above, e);
	case BURIN_ATTEST_DRAFT:
		return set_draft(s, cert, above, e);
	case BURIN_ATTEST_NONE:
		break;
	}
	return 0;
}

/* --- reading ------------------------------------------------------------- */

static int
malformed(struct burin_error *e, enum burin_status status, const char *rule,
    const char *why)
{
	ERR_clear_error();
	(void)burin_fail(e, status, "attestation-malformed",
	    "the attestation in the request %s", why);
	return burin_error_rule(e, "%s", rule);
}

/* The certificate that is all of value; NULL when it is not one. */
static X509 *
take_cert(const ASN1_STRING *value)
{
	X509 *cert;

	if (burin_cert_parse(ASN1_STRING_get0_data(value),
		(size_t)ASN1_STRING_length(value), BURIN_EVERIFY, &cert,
		NULL) == -1)
		return NULL;
	return cert;
}

static int
push(STACK_OF(X509) * list, X509 *cert, struct burin_error *e)
{
	if (sk_X509_push(list, cert) > 0)
		return 0;
	X509_free(cert);
	return burin_fail_memory(e);
}

static int
read_yubico(const STACK_OF(X509_EXTENSION) * exts, enum burin_status status,
    X509 **cert, STACK_OF(X509) * above, struct burin_error *e)
{
	X509_EXTENSION *tool, *documented, *issuer;
	X509 *up;

	if (csr_attest_ext(exts, OID_CERT_TOOL, &tool) == -1 ||
	    csr_attest_ext(exts, OID_CERT, &documented) == -1 ||
	    csr_attest_ext(exts, OID_ISSUER, &issuer) == -1)
		return malformed(e, status, RULE_YUBICO, "is there twice");
	if (tool == NULL)
		tool = documented;
	if (tool == NULL)
		return 0;
	if ((*cert = take_cert(X509_EXTENSION_get_data(tool))) == NULL)
		return malformed(e, status, RULE_YUBICO, "is no certificate");
	if (issuer == NULL)
		return 0;
	if ((up = take_cert(X509_EXTENSION_get_data(issuer))) == NULL)
		return malformed(e, status, RULE_YUBICO,
		    "has no certificate where its issuer is to be");
	return push(above, up, e);
}

static int
read_certs(const BUNDLE *b, enum burin_status status, STACK_OF(X509) * above,
    struct burin_error *e)
{
	int i, n = sk_CERT_CHOICE_num(b->certs);

	if (b->certs != NULL && (n == 0 || n > BURIN_MAX_ATTEST_CERTS))
		return malformed(e, status, RULE_DRAFT,
		    "has an empty list of certificates or more than 8");
	for (i = 0; i < n; i++) {
		const CERT_CHOICE *choice = sk_CERT_CHOICE_value(b->certs, i);

		if (choice->type != CHOICE_CERTIFICATE)
			continue;
		if (X509_up_ref(choice->d.certificate) != 1)
			return burin_fail_memory(e);
		if (push(above, choice->d.certificate, e) == -1)
			return -1;
	}
	return 0;
}

/* The first statement of our kind; those of others are left alone. */
static int
read_statements(const BUNDLE *b, enum burin_status status, X509 **cert,
    struct burin_error *e)
{
	ASN1_OBJECT *ours = OBJ_txt2obj(OID_CERT, 1);
	int i, n = sk_STATEMENT_num(b->attestations), rc = 0;

	if (ours == NULL)
		return burin_fail_memory(e);
	if (n == 0 || n > BURIN_MAX_ATTEST_CERTS)
		rc = malformed(
		    e, status, RULE_DRAFT, "has no statement or more than 8");
	for (i = 0; rc == 0 && *cert == NULL && i < n; i++) {
		const STATEMENT *st = sk_STATEMENT_value(b->attestations, i);

		if (OBJ_cmp(st->type, ours) != 0)
			continue;
		if (st->stmt->type == V_ASN1_SEQUENCE)
			*cert = take_cert(st->stmt->value.sequence);
		if (*cert == NULL)
			rc = malformed(
			    e, status, RULE_DRAFT, "is no certificate");
	}
	ASN1_OBJECT_free(ours);
	return rc;
}

/* 1 when b encodes to exactly these bytes (X.690 section 10). */
static int
encodes_to(const BUNDLE *b, const ASN1_STRING *der)
{
	unsigned char *again = NULL;
	int n = ASN1_item_i2d(
	    (const ASN1_VALUE *)b, &again, ASN1_ITEM_rptr(BUNDLE));
	int same = n == ASN1_STRING_length(der) &&
	    memcmp(again, ASN1_STRING_get0_data(der), (size_t)n) == 0;

	OPENSSL_free(again);
	return same;
}

static int
read_draft(X509_ATTRIBUTE *attr, enum burin_status status, X509 **cert,
    STACK_OF(X509) * above, struct burin_error *e)
{
	const ASN1_TYPE *any = X509_ATTRIBUTE_get0_type(attr, 0);
	const unsigned char *p, *end;
	BUNDLE *b = NULL;
	int rc = -1;

	if (X509_ATTRIBUTE_count(attr) != 1 || any == NULL ||
	    any->type != V_ASN1_SEQUENCE)
		return malformed(
		    e, status, RULE_DRAFT, "is not one AttestationBundle");
	p = ASN1_STRING_get0_data(any->value.sequence);
	end = p + ASN1_STRING_length(any->value.sequence);
	b = (BUNDLE *)ASN1_item_d2i(
	    NULL, &p, (long)(end - p), ASN1_ITEM_rptr(BUNDLE));
	if (b == NULL || p != end || !encodes_to(b, any->value.sequence))
		(void)malformed(e, status, RULE_DRAFT,
		    "cannot be decoded as AttestationBundle");
	else if (read_statements(b, status, cert, e) == 0 &&
	    read_certs(b, status, above, e) == 0)
		rc = 0;
	ASN1_item_free((ASN1_VALUE *)b, ASN1_ITEM_rptr(BUNDLE));
	return rc;
}

static int
find_attribute(X509_REQ *req)
{
	ASN1_OBJECT *type = OBJ_txt2obj(OID_AA_ATTESTATION, 1);
	int i = type != NULL ? X509_REQ_get_attr_by_OBJ(req, type, -1) : -1;

	ASN1_OBJECT_free(type);
	return i;
}

int
burin_attest_from_req(X509_REQ *req, enum burin_status status,
    enum burin_attest_form *form, X509 **cert, STACK_OF(X509) * *above,
    struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	int i = find_attribute(req), rc;

	*form = BURIN_ATTEST_NONE;
	*cert = NULL;
	if ((*above = sk_X509_new_null()) == NULL) {
		rc = burin_fail_memory(e);
	} else if (i >= 0) {
		*form = BURIN_ATTEST_DRAFT;
		rc = read_draft(
		    X509_REQ_get_attr(req, i), status, cert, *above, e);
	} else {
		*form = BURIN_ATTEST_YUBICO;
		rc = read_yubico(exts, status, cert, *above, e);
	}
	if (rc == -1 || *cert == NULL) {
		X509_free(*cert);
		*cert = NULL;
		sk_X509_pop_free(*above, X509_free);
		*above = NULL;
		*form = BURIN_ATTEST_NONE;
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	ERR_clear_error();
	return rc;
}
