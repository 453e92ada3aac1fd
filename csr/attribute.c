/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PKCS#9 attributes of a request: RFC 2985 section 5.4 and what else people
 * put beside them. Each type has its own string types and size.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"

#define UB_STRING 255	   /* RFC 2985 appendix A: pkcs-9-ub-... */
#define MAX_POSTAL_LINES 6 /* X.520: ub-postal-line */
#define UB_POSTAL_LINE 30  /* X.520: ub-postal-string */

/*
 * "SHOULD use PrintableString (IA5String) whenever possible": OpenSSL takes
 * the smallest of the string types in mask that holds the text.
 */
static const struct kind {
	int nid;
	unsigned long mask;
	long max; /* characters */
} kinds[] = {
	{ NID_pkcs9_unstructuredName, B_ASN1_IA5STRING | B_ASN1_UTF8STRING,
	    UB_STRING },
	{ NID_pkcs9_unstructuredAddress,
	    B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING, UB_STRING },
	{ NID_pkcs9_emailAddress, B_ASN1_IA5STRING, UB_STRING },
};

static int
refuse(struct burin_error *e, const char *line, const char *why,
    const char *advice)
{
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "attribute-malformed",
	    "the attribute \"%.100s\" %s", line, why);
	(void)burin_error_rule(e, "RFC 2985 section 5.4");
	return burin_error_advice(e, "%s", advice);
}

static ASN1_STRING *
make_string(const char *text, size_t len, unsigned long mask, long max)
{
	ASN1_STRING *s = NULL;

	if (ASN1_mbstring_ncopy(&s, (const unsigned char *)text, (int)len,
		MBSTRING_UTF8, mask, 1, max) == -1)
		return NULL;
	return s;
}

static int
make_attribute(const ASN1_OBJECT *oid, int type, const ASN1_STRING *value,
    X509_ATTRIBUTE **out, struct burin_error *e)
{
	*out = X509_ATTRIBUTE_create_by_OBJ(NULL, oid, type,
	    ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
	return *out != NULL ? 0 : burin_fail_memory(e);
}

/* RFC 4517 section 3.3.28: lines are separated by '$'. */
static ASN1_SEQUENCE_ANY *
split_postal(const char *text)
{
	ASN1_SEQUENCE_ANY *lines = sk_ASN1_TYPE_new_null();
	const char *p = text;

	while (lines != NULL) {
		size_t n = strcspn(p, "$");
		ASN1_STRING *line = make_string(p, n,
		    B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING, UB_POSTAL_LINE);
		ASN1_TYPE *any = ASN1_TYPE_new();

		if (line == NULL || any == NULL ||
		    sk_ASN1_TYPE_num(lines) == MAX_POSTAL_LINES ||
		    sk_ASN1_TYPE_push(lines, any) <= 0) {
			ASN1_STRING_free(line);
			ASN1_TYPE_free(any);
			sk_ASN1_TYPE_pop_free(lines, ASN1_TYPE_free);
			return NULL;
		}
		ASN1_TYPE_set(any, ASN1_STRING_type(line), line);
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	return lines;
}

static int
make_postal(const char *line, const char *text, X509_ATTRIBUTE **out,
    struct burin_error *e)
{
	ASN1_SEQUENCE_ANY *lines = split_postal(text);
	unsigned char *der = NULL;
	int len, rc = -1;

	if (lines == NULL)
		return refuse(e, line, "is no postal address",
		    "one to six lines of at most 30 characters, '$' between "
		    "them");
	len = i2d_ASN1_SEQUENCE_ANY(lines, &der);
	if (len > 0)
		*out = X509_ATTRIBUTE_create_by_NID(
		    NULL, NID_postalAddress, V_ASN1_SEQUENCE, der, len);
	if (*out == NULL)
		(void)burin_fail_memory(e);
	else
		rc = 0;
	OPENSSL_free(der);
	sk_ASN1_TYPE_pop_free(lines, ASN1_TYPE_free);
	return rc;
}

static int
make_text(const ASN1_OBJECT *oid, const char *line, const char *text,
    X509_ATTRIBUTE **out, struct burin_error *e)
{
	unsigned long mask = B_ASN1_UTF8STRING;
	long max = BURIN_MAX_TEXT;
	ASN1_STRING *value;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].nid != OBJ_obj2nid(oid))
			continue;
		mask = kinds[i].mask;
		max = kinds[i].max;
	}
	value = make_string(text, strlen(text), mask, max);
	if (value == NULL)
		return refuse(e, line,
		    "has an empty or too long value, or characters its type "
		    "does not have",
		    "at most 255 characters; a mail address is ASCII");
	rc = make_attribute(oid, ASN1_STRING_type(value), value, out, e);
	ASN1_STRING_free(value);
	return rc;
}

/* 1 when the type has another way in, which error says. */
static int
has_other_way(int nid, const char *line, struct burin_error *e)
{
	if (nid == NID_pkcs9_challengePassword) {
		/* Not the line: it may hold the password. */
		(void)burin_fail(e, BURIN_EUSAGE, "attribute-secret",
		    "a challengePassword is a secret and no plain attribute");
		(void)burin_error_rule(e, "RFC 2985 section 5.4.1");
		(void)burin_error_advice(e,
		    "give it from a file or a prompt (--challenge SRC), and "
		    "choose another one now that it was typed in the open");
		return 1;
	}
	if (nid == NID_ext_req || nid == NID_ms_ext_req) {
		(void)refuse(e, line, "is the list of extensions",
		    "ask for an extension with --ext 'NAME = VALUE'");
		return 1;
	}
	return 0;
}

int
csr_attribute_parse(
    const char *line, X509_ATTRIBUTE **out, struct burin_error *e)
{
	static const char advice[] =
	    "write unstructuredName=TEXT, unstructuredAddress=TEXT, "
	    "postalAddress=LINE$LINE or 1.2.3=TEXT";
	const char *equals = strchr(line, '=');
	ASN1_OBJECT *oid = NULL;
	char *type = NULL;
	int nid, rc = -1;

	*out = NULL;
	if (equals == NULL || strlen(line) > BURIN_MAX_TEXT)
		return refuse(
		    e, line, "has no '=' or is longer than 1024 bytes", advice);
	type = OPENSSL_strndup(line, (size_t)(equals - line));
	if (type == NULL)
		return burin_fail_memory(e);
	if ((oid = OBJ_txt2obj(type, 0)) == NULL) {
		(void)refuse(e, line, "is of no known type", advice);
		goto out;
	}
	nid = OBJ_obj2nid(oid);
	if (has_other_way(nid, line, e))
		goto out;
	if (!csr_is_clean(equals + 1, strlen(equals + 1))) {
		(void)refuse(
		    e, line, "holds control characters or no UTF-8", advice);
		goto out;
	}
	if (nid == NID_postalAddress)
		rc = make_postal(line, equals + 1, out, e);
	else
		rc = make_text(oid, line, equals + 1, out, e);
out:
	OPENSSL_free(type);
	ASN1_OBJECT_free(oid);
	return rc;
}

int
csr_attribute_make(const char *oid, const ASN1_TYPE *value,
    X509_ATTRIBUTE **out, struct burin_error *e)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	int rc;

	*out = NULL;
	rc = type != NULL ? make_attribute(type, value->type,
				value->value.asn1_string, out, e)
			  : burin_fail_memory(e);
	ASN1_OBJECT_free(type);
	return rc;
}

int
csr_challenge_make(const struct burin_secret *challenge, X509_ATTRIBUTE **out,
    struct burin_error *e)
{
	ASN1_STRING *value;
	int rc;

	*out = NULL;
	value = make_string((const char *)burin_secret_bytes(challenge),
	    burin_secret_len(challenge),
	    B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING, UB_STRING);
	if (value == NULL) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "challenge-malformed",
		    "the challengePassword is empty, longer than %d "
		    "characters, or no UTF-8",
		    UB_STRING);
		return burin_error_rule(e, "RFC 2985 section 5.4.1");
	}
	rc = make_attribute(OBJ_nid2obj(NID_pkcs9_challengePassword),
	    ASN1_STRING_type(value), value, out, e);
	OPENSSL_cleanse(value->data, (size_t)value->length);
	ASN1_STRING_free(value);
	return rc;
}

void
csr_attribute_wipe(X509_ATTRIBUTE *attr)
{
	ASN1_TYPE *any;

	if (attr == NULL)
		return;
	any = X509_ATTRIBUTE_get0_type(attr, 0);
	if (any != NULL && any->type != V_ASN1_BOOLEAN)
		OPENSSL_cleanse(any->value.asn1_string->data,
		    (size_t)any->value.asn1_string->length);
	X509_ATTRIBUTE_free(attr);
}
