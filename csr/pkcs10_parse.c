/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a PKCS#10 request from somebody else: RFC 2986 section 4. What two
 * readers could understand differently is refused.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "internal.h"
#include "unarmor.h"

#define RULE_REQUEST "RFC 2986 section 4"
#define RULE_ATTRIBUTES "RFC 2986 section 4.1"
#define RULE_EXTENSIONS "RFC 2985 section 5.4.2, RFC 5280 section 4.2"

static const struct csr_armor request_armor = {
	"the request",
	"request-malformed",
	2 * BURIN_MAX_REQUEST, /* PEM is longer than DER by a third */
	1,
};

static int
is_request_label(const char *name)
{
	return name[0] == '\0' || strcmp(name, PEM_STRING_X509_REQ) == 0 ||
	    strcmp(name, PEM_STRING_X509_REQ_OLD) == 0;
}

/*
 * 1 when req encodes to exactly these bytes; anew, for OpenSSL keeps the
 * bytes of what is signed and would give them back as they came.
 */
static int
encodes_to(X509_REQ *req, const unsigned char *der, size_t len)
{
	unsigned char *again = NULL;
	int n, same;

	(void)i2d_re_X509_REQ_tbs(req, NULL);
	n = i2d_X509_REQ(req, &again);
	same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;
	OPENSSL_free(again);
	return same;
}

static int
decode(const unsigned char *der, size_t len, enum burin_status status,
    X509_REQ **req, struct burin_error *e)
{
	const unsigned char *p = der;

	if (len > BURIN_MAX_REQUEST)
		return csr_request_malformed(
		    e, status, RULE_REQUEST, "is longer than 65536 bytes");
	if ((*req = d2i_X509_REQ(NULL, &p, (long)len)) == NULL)
		return csr_request_malformed(
		    e, status, RULE_REQUEST, "cannot be decoded as PKCS#10");
	if (p != der + len)
		return csr_request_malformed(
		    e, status, RULE_REQUEST, "is followed by other bytes");
	if (!encodes_to(*req, der, len))
		return csr_request_malformed(
		    e, status, RULE_REQUEST, "is not in DER");
	if (X509_REQ_get_version(*req) != X509_REQ_VERSION_1)
		return csr_request_malformed(e, status, RULE_ATTRIBUTES,
		    "has another version than 0 (version field)");
	return 0;
}

/*
 * An attribute type stands once; the two spellings of extensionRequest are
 * one. Each holds a value, and these two exactly one (RFC 2985 sections
 * 5.4.1 and 5.4.2).
 */
static int
check_attributes(
    const X509_REQ *req, enum burin_status status, struct burin_error *e)
{
	int i, n = X509_REQ_get_attr_count(req), requests = 0;

	if (n > BURIN_MAX_ATTRIBUTES)
		return csr_request_malformed(
		    e, status, RULE_ATTRIBUTES, "has more than 16 attributes");
	for (i = 0; i < n; i++) {
		X509_ATTRIBUTE *attr = X509_REQ_get_attr(req, i);
		const ASN1_OBJECT *oid = X509_ATTRIBUTE_get0_object(attr);
		int nid = OBJ_obj2nid(oid), values;

		if (X509_REQ_get_attr_by_OBJ(req, oid, -1) < i)
			return csr_request_malformed(e, status, RULE_ATTRIBUTES,
			    "has an attribute twice");
		values = X509_ATTRIBUTE_count(attr);
		if (values == 0)
			return csr_request_malformed(e, status, RULE_ATTRIBUTES,
			    "has an attribute without a value");
		if (X509_REQ_extension_nid(nid))
			requests++;
		if (values != 1 &&
		    (X509_REQ_extension_nid(nid) ||
			nid == NID_pkcs9_challengePassword))
			return csr_request_malformed(e, status,
			    "RFC 2985 section 5.4",
			    "has an attribute with several values that takes "
			    "one");
	}
	if (requests > 1)
		return csr_request_malformed(e, status, RULE_EXTENSIONS,
		    "has two lists of extensions (extensionRequest)");
	return 0;
}

static int
check_extensions(X509_REQ *req, enum burin_status status, struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) * exts;
	int rc;

	if (X509_REQ_get_attr_by_NID(req, NID_ext_req, -1) < 0 &&
	    X509_REQ_get_attr_by_NID(req, NID_ms_ext_req, -1) < 0)
		return 0;
	if ((exts = X509_REQ_get_extensions(req)) == NULL)
		return csr_request_malformed(e, status, RULE_EXTENSIONS,
		    "has a list of extensions that cannot be decoded");
	rc = csr_check_asked(exts, status, e);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return rc;
}

int
burin_pkcs10_parse(const void *data, size_t len, enum burin_status status,
    X509_REQ **out, struct burin_error *e)
{
	struct csr_blob *blobs = NULL;
	X509_REQ *req = NULL;
	size_t n = 0;
	int rc = -1;

	*out = NULL;
	if (csr_unarmor(data, len, &request_armor, status, &blobs, &n, e) == -1)
		return -1;
	if (!is_request_label(blobs[0].name)) {
		(void)csr_request_malformed(e, status, RULE_REQUEST,
		    "is a PEM block of something else");
		(void)burin_error_advice(
		    e, "a request begins \"-----BEGIN CERTIFICATE REQUEST\"");
		goto out;
	}
	if (decode(blobs[0].der, blobs[0].len, status, &req, e) == -1 ||
	    csr_check_dn(
		X509_REQ_get_subject_name(req), "subject", status, e) == -1 ||
	    check_attributes(req, status, e) == -1 ||
	    check_extensions(req, status, e) == -1)
		goto out;
	ERR_clear_error();
	*out = req;
	req = NULL;
	rc = 0;
out:
	csr_blobs_free(blobs, n);
	X509_REQ_free(req);
	return rc;
}
