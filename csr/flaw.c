/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names that two readers could understand differently, or that are larger
 * than a name is: what is refused in a request, whoever made it.
 */

#include "internal.h"

#define TEXT_OF(number) #number
#define NUMBER(name) TEXT_OF(name)

const char *
csr_dn_flaw(const X509_NAME *dn)
{
	int i, n = X509_NAME_entry_count(dn);

	if (n > BURIN_MAX_NAME_ENTRIES)
		return "has more than " NUMBER(
		    BURIN_MAX_NAME_ENTRIES) " attributes";
	for (i = 0; i < n; i++) {
		const ASN1_STRING *value =
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(dn, i));

		if (ASN1_STRING_length(value) > BURIN_MAX_TEXT)
			return "has an attribute longer than " NUMBER(
			    BURIN_MAX_TEXT) " bytes";
	}
	return NULL;
}

/* RFC 5280 section 4.2.1.6: IA5 text. A NUL would end it for some. */
static const char *
text_flaw(const ASN1_STRING *s, int is_ascii)
{
	const char *text = (const char *)ASN1_STRING_get0_data(s);
	size_t len = (size_t)ASN1_STRING_length(s);

	if (len == 0)
		return "is empty";
	if (len > BURIN_MAX_TEXT)
		return "is longer than " NUMBER(BURIN_MAX_TEXT) " bytes";
	if (!csr_is_clean(text, len) || (is_ascii && !csr_is_ascii(text, len)))
		return "has characters that do not belong there";
	return NULL;
}

const char *
csr_name_flaw(const GENERAL_NAME *name)
{
	const ASN1_TYPE *any;

	switch (name->type) {
	case GEN_EMAIL:
	case GEN_DNS:
	case GEN_URI:
		return text_flaw(name->d.ia5, 1);
	case GEN_OTHERNAME:
		any = name->d.otherName->value;
		return any->type == V_ASN1_UTF8STRING
		    ? text_flaw(any->value.utf8string, 0)
		    : NULL;
	case GEN_DIRNAME:
		return csr_dn_flaw(name->d.directoryName);
	default:
		return NULL;
	}
}
