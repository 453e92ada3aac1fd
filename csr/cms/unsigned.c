/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Unsigned attributes: RFC 5652 sections 5.3, 9.1 and 11.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"
#include "unsigned.h"

/* One place for them in every signer, or the one of AuthenticatedData. */
static size_t
n_places(const struct burin_cms *cms)
{
	if (cms->sd != NULL)
		return (size_t)sk_CSR_SIGNER_num(cms->sd->signers);
	return cms->ad != NULL ? 1 : 0;
}

static STACK_OF(X509_ATTRIBUTE) * *place(struct burin_cms *cms, size_t i)
{
	if (cms->ad != NULL)
		return &cms->ad->unauth_attrs;
	return &sk_CSR_SIGNER_value(cms->sd->signers, (int)i)->unsigned_attrs;
}

static int
encode(struct burin_cms *cms, unsigned char **out, size_t *len,
    struct burin_error *e)
{
	if (cms->ad != NULL)
		return csr_content_encode(OID_AUTHENTICATED,
		    ASN1_ITEM_rptr(CSR_AUTHENTICATED), cms->ad, out, len, e);
	return csr_content_encode(
	    OID_SIGNED, ASN1_ITEM_rptr(CSR_SIGNED), cms->sd, out, len, e);
}

/* --- taking --------------------------------------------------------------- */

static int
refuse(struct burin_cms *cms, const char *why, struct burin_error *e)
{
	return csr_cms_malformed(e, cms->status, why, "RFC 5652 section 11");
}

/* Out of one place; *attr NULL: it is not there. */
static int
take_one(struct burin_cms *cms, size_t i, const ASN1_OBJECT *oid,
    X509_ATTRIBUTE **attr, struct burin_error *e)
{
	STACK_OF(X509_ATTRIBUTE) *all = *place(cms, i);
	int at = X509at_get_attr_by_OBJ(all, oid, -1);

	*attr = NULL;
	if (at < 0)
		return 0;
	if (X509at_get_attr_by_OBJ(all, oid, at) >= 0)
		return refuse(
		    cms, "a signer has an unsigned attribute twice", e);
	*attr = X509at_delete_attr(all, at);
	if (sk_X509_ATTRIBUTE_num(all) == 0) {
		sk_X509_ATTRIBUTE_free(all);
		*place(cms, i) = NULL;
	}
	return 0;
}

/* 1 when both are there and equal, or both are not. */
static int
is_same(X509_ATTRIBUTE *a, X509_ATTRIBUTE *b)
{
	unsigned char *x = NULL, *y = NULL;
	int n = 0, m = 0, same;

	if (a != NULL)
		n = i2d_X509_ATTRIBUTE(a, &x);
	if (b != NULL)
		m = i2d_X509_ATTRIBUTE(b, &y);
	same = n >= 0 && n == m && (n == 0 || memcmp(x, y, (size_t)n) == 0);
	OPENSSL_free(x);
	OPENSSL_free(y);
	return same;
}

static int
take_all(struct burin_cms *cms, const ASN1_OBJECT *oid, X509_ATTRIBUTE **attr,
    struct burin_error *e)
{
	X509_ATTRIBUTE *other;
	size_t i;
	int same;

	if (n_places(cms) == 0 || take_one(cms, 0, oid, attr, e) == -1)
		return n_places(cms) == 0 ? 0 : -1;
	for (i = 1; i < n_places(cms); i++) {
		if (take_one(cms, i, oid, &other, e) == -1)
			return -1;
		same = is_same(*attr, other);
		X509_ATTRIBUTE_free(other);
		if (!same)
			return refuse(cms,
			    "the signers differ in an unsigned attribute", e);
	}
	return 0;
}

static int
copy_values(struct burin_cms *cms, X509_ATTRIBUTE *attr,
    STACK_OF(ASN1_TYPE) * values, struct burin_error *e)
{
	int i, n = X509_ATTRIBUTE_count(attr);

	if (n < 1)
		return refuse(cms, "an unsigned attribute has no value", e);
	for (i = 0; i < n; i++) {
		const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attr, i);
		ASN1_TYPE *copy = ASN1_TYPE_new();

		if (value->type != V_ASN1_SEQUENCE) {
			ASN1_TYPE_free(copy);
			return refuse(cms,
			    "an unsigned attribute has a value of another type",
			    e);
		}
		if (copy == NULL ||
		    ASN1_TYPE_set1(copy, value->type, value->value.sequence) !=
			1 ||
		    sk_ASN1_TYPE_push(values, copy) <= 0) {
			ASN1_TYPE_free(copy);
			return burin_fail_memory(e);
		}
	}
	return 0;
}

int
csr_unsigned_take(const void *der, size_t len, const char *oid,
    enum burin_status status, STACK_OF(ASN1_TYPE) * *values,
    unsigned char **out, size_t *out_len, struct burin_error *e)
{
	ASN1_OBJECT *object = csr_oid_parse(oid, e);
	struct burin_cms *cms = NULL;
	X509_ATTRIBUTE *attr = NULL;
	int rc = -1;

	*values = NULL;
	*out = NULL;
	*out_len = 0;
	if (object == NULL ||
	    burin_cms_parse(der, len, status, &cms, e) == -1 ||
	    take_all(cms, object, &attr, e) == -1)
		goto out;
	if (attr == NULL) {
		rc = 0;
		goto out;
	}
	if ((*values = sk_ASN1_TYPE_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (copy_values(cms, attr, *values, e) == 0)
		rc = encode(cms, out, out_len, e);
out:
	if (rc == -1) {
		sk_ASN1_TYPE_pop_free(*values, ASN1_TYPE_free);
		*values = NULL;
	}
	X509_ATTRIBUTE_free(attr);
	ASN1_OBJECT_free(object);
	burin_cms_free(&cms);
	return rc;
}

/* --- putting -------------------------------------------------------------- */

static X509_ATTRIBUTE *
make_attr(const char *oid, const STACK_OF(ASN1_TYPE) * values)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	X509_ATTRIBUTE *attr = X509_ATTRIBUTE_new();
	int i, ok;

	ok = attr != NULL && object != NULL &&
	    X509_ATTRIBUTE_set1_object(attr, object) == 1;
	for (i = 0; ok && i < sk_ASN1_TYPE_num(values); i++) {
		const ASN1_TYPE *v = sk_ASN1_TYPE_value(values, i);

		ok = X509_ATTRIBUTE_set1_data(attr, v->type,
			 ASN1_STRING_get0_data(v->value.sequence),
			 ASN1_STRING_length(v->value.sequence)) == 1;
	}
	ASN1_OBJECT_free(object);
	if (ok)
		return attr;
	X509_ATTRIBUTE_free(attr);
	return NULL;
}

int
csr_unsigned_put(const void *der, size_t len, const char *oid,
    const STACK_OF(ASN1_TYPE) * values, unsigned char **out, size_t *out_len,
    struct burin_error *e)
{
	X509_ATTRIBUTE *attr = make_attr(oid, values);
	struct burin_cms *cms = NULL;
	size_t i;
	int rc = -1;

	*out = NULL;
	*out_len = 0;
	if (attr == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (burin_cms_parse(der, len, BURIN_EUSAGE, &cms, e) == -1)
		goto out;
	if (n_places(cms) == 0) {
		(void)refuse(cms, "the message has no unsigned attributes", e);
		goto out;
	}
	for (i = 0; i < n_places(cms); i++) {
		if (X509at_add1_attr(place(cms, i), attr) == NULL) {
			(void)burin_fail_openssl(e, BURIN_EUSAGE,
			    "message-encode",
			    "an unsigned attribute cannot be added to the "
			    "message");
			goto out;
		}
	}
	rc = encode(cms, out, out_len, e);
	if (rc == 0 && *out_len > BURIN_MAX_MESSAGE) {
		OPENSSL_free(*out);
		*out = NULL;
		*out_len = 0;
		rc = burin_fail(e, BURIN_EUSAGE, "message-too-long",
		    "the message is longer than %d bytes", BURIN_MAX_MESSAGE);
	}
out:
	X509_ATTRIBUTE_free(attr);
	burin_cms_free(&cms);
	return rc;
}
