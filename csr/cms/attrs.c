/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Signed and authenticated attributes: RFC 5652 section 11.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "internal.h"

/* RFC 5652 section 11.3: UTCTime until 2049, which ASN1_TIME_set knows. */
static int
add_time(STACK_OF(X509_ATTRIBUTE) * *attrs, time_t when)
{
	ASN1_TIME *t = ASN1_TIME_set(NULL, when);
	int ok;

	ok = t != NULL &&
	    X509at_add1_attr_by_NID(attrs, NID_pkcs9_signingTime, t->type,
		t->data, t->length) != NULL;
	ASN1_TIME_free(t);
	return ok;
}

int
csr_attrs_make(const ASN1_OBJECT *type, const unsigned char *digest,
    size_t digest_len, time_t time, STACK_OF(X509_ATTRIBUTE) * *out)
{
	STACK_OF(X509_ATTRIBUTE) *attrs = NULL;

	*out = NULL;
	if (X509at_add1_attr_by_NID(&attrs, NID_pkcs9_contentType,
		V_ASN1_OBJECT, (const unsigned char *)type, -1) != NULL &&
	    (digest == NULL ||
		X509at_add1_attr_by_NID(&attrs, NID_pkcs9_messageDigest,
		    V_ASN1_OCTET_STRING, digest, (int)digest_len) != NULL) &&
	    (time == 0 || add_time(&attrs, time))) {
		*out = attrs;
		return 1;
	}
	sk_X509_ATTRIBUTE_pop_free(attrs, X509_ATTRIBUTE_free);
	return 0;
}

int
csr_attrs_der(const STACK_OF(X509_ATTRIBUTE) * attrs, unsigned char **der)
{
	*der = NULL;
	return ASN1_item_i2d(
	    (const ASN1_VALUE *)attrs, der, ASN1_ITEM_rptr(CSR_ATTRS));
}

const ASN1_TYPE *
csr_attrs_one(const STACK_OF(X509_ATTRIBUTE) * attrs, int nid, int type)
{
	X509_ATTRIBUTE *attr;
	ASN1_TYPE *value;
	int at;

	if ((at = X509at_get_attr_by_NID(attrs, nid, -1)) < 0 ||
	    X509at_get_attr_by_NID(attrs, nid, at) >= 0)
		return NULL;
	attr = sk_X509_ATTRIBUTE_value(attrs, at);
	if (X509_ATTRIBUTE_count(attr) != 1)
		return NULL;
	value = X509_ATTRIBUTE_get0_type(attr, 0);
	return value != NULL && value->type == type ? value : NULL;
}

static int
refuse(struct burin_error *e, enum burin_status status, const char *code,
    const char *why, const char *rule)
{
	(void)burin_fail(e, status, code, "%s", why);
	return burin_error_rule(e, "%s", rule);
}

int
csr_attrs_check(const STACK_OF(X509_ATTRIBUTE) * attrs, const ASN1_OBJECT *type,
    const struct csr_md *md, const ASN1_OCTET_STRING *content,
    enum burin_status status, struct burin_error *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const ASN1_TYPE *value;

	value = csr_attrs_one(attrs, NID_pkcs9_contentType, V_ASN1_OBJECT);
	if (value == NULL || OBJ_cmp(value->value.object, type) != 0)
		return refuse(e, status, "content-type-wrong",
		    "the content type attribute is not there exactly once, or "
		    "differs from the content's type",
		    "RFC 5652 section 11.1");
	value =
	    csr_attrs_one(attrs, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING);
	if (value == NULL)
		return refuse(e, status, "message-digest-missing",
		    "the message digest attribute is not there exactly once",
		    "RFC 5652 section 11.2");
	if (!csr_md_hash(md, content->data, (size_t)content->length, digest))
		return burin_fail_openssl(e, BURIN_EINTERNAL, "digest",
		    "the content could not be hashed");
	if ((size_t)value->value.octet_string->length != md->len ||
	    CRYPTO_memcmp(value->value.octet_string->data, digest, md->len) !=
		0)
		return refuse(e, status, "message-digest-wrong",
		    "the message digest attribute is not the digest of the "
		    "content: the content was changed",
		    "RFC 5652 section 5.4");
	return 0;
}
