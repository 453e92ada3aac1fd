/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKCS#10 on its way to issue(): read, its proof of possession verified
 * (RFC 2986 section 4.2), its secret for a later revocation taken out.
 */

#include <string.h>

#include <openssl/x509.h>

#include "ca.h"

/* RFC 7894 section 3.3: id-aa-revocationChallenge, a DirectoryString. */
#define OID_REVOCATION_CHALLENGE "1.2.840.113549.1.9.16.2.57"

/* The text of a single-valued attribute of a string type. */
static int
attribute_secret(const X509_REQ *req, int at, struct burin_secret **out,
    struct burin_error *e)
{
	X509_ATTRIBUTE *a = X509_REQ_get_attr(req, at);
	const ASN1_TYPE *value;

	value = X509_ATTRIBUTE_count(a) == 1 ? X509_ATTRIBUTE_get0_type(a, 0)
					     : NULL;
	if (value == NULL ||
	    (value->type != V_ASN1_UTF8STRING &&
		value->type != V_ASN1_PRINTABLESTRING &&
		value->type != V_ASN1_T61STRING) ||
	    value->value.asn1_string->length <= 0 ||
	    value->value.asn1_string->length > BURIN_MAX_TEXT) {
		(void)burin_fail(e, BURIN_EUSAGE, "request-malformed",
		    "the request's challenge is no text of 1 to %d bytes",
		    BURIN_MAX_TEXT);
		return burin_error_rule(e, "RFC 7894 section 3.3");
	}
	return burin_secret_new(out, value->value.asn1_string->data,
	    (size_t)value->value.asn1_string->length, e);
}

int
request_revocation(X509_REQ *req, int challenge, struct burin_secret **out,
    struct burin_error *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_REVOCATION_CHALLENGE, 1);
	int at;

	*out = NULL;
	if (oid == NULL)
		return burin_fail_memory(e);
	at = X509_REQ_get_attr_by_OBJ(req, oid, -1);
	ASN1_OBJECT_free(oid);
	if (at < 0 && challenge)
		at = X509_REQ_get_attr_by_NID(
		    req, NID_pkcs9_challengePassword, -1);
	return at < 0 ? 0 : attribute_secret(req, at, out, e);
}

int
issue_pkcs10(struct store *st, const struct issuer *ca, struct issue_input *in,
    const unsigned char *der, size_t len, enum issue_outcome *outcome,
    X509 **out, struct burin_error *e)
{
	struct burin_asked asked = { 0 };
	struct burin_secret *secret = NULL;
	unsigned char sha256[CA_SHA256];
	X509_REQ *req = NULL;
	int rc = -1;

	*out = NULL;
	if (burin_pkcs10_parse(der, len, BURIN_EUSAGE, &req, e) != 0)
		goto out;
	if (burin_pkcs10_verify_pop(req, BURIN_EUSAGE, e) != 0) {
		(void)store_note(st, NULL, "proof-failed",
		    "proof of possession of %s via %s", in->principal,
		    in->via != NULL ? in->via : "-");
		goto out;
	}
	if (burin_asked_parse(der, len, NULL, BURIN_EUSAGE, &asked, e) != 0 ||
	    request_revocation(req, 0, &secret, e) != 0)
		goto out;
	if (in->request == NULL) {
		if (!EVP_Q_digest(
			NULL, "SHA256", NULL, der, len, sha256, NULL)) {
			(void)burin_fail_openssl(e, BURIN_EINTERNAL,
			    "digest-failed", "SHA-256 failed");
			goto out;
		}
		in->request = sha256;
	}
	in->asked = &asked;
	in->der = der;
	in->der_len = len;
	in->form = "pkcs10";
	in->revocation = secret;
	rc = issue(st, ca, in, outcome, out, e);
	in->asked = NULL;
	in->request = in->der = NULL;
	in->revocation = NULL;
out:
	burin_asked_clear(&asked);
	burin_secret_free(&secret);
	X509_REQ_free(req);
	return rc;
}
