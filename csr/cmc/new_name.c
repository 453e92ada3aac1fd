/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading changeSubjectName: RFC 6402 section 2.8, with the tag of RFC 10002
 * and without; and what it makes of the names asked for.
 */

#include <openssl/err.h>

#include "../internal.h"
#include "hear.h"
#include "requests.h"

/* All of it, or NULL. */
static void *
decode(const ASN1_ITEM *it, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)len, it);

	if (value != NULL && p == der + len)
		return value;
	ASN1_item_free(value, it);
	ERR_clear_error();
	return NULL;
}

static void *
decode_string(const ASN1_ITEM *it, const ASN1_STRING *s)
{
	return decode(
	    it, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* Takes alt over. */
static const char *
take(const ASN1_STRING *subject, GENERAL_NAMES **alt, X509_NAME **name,
    GENERAL_NAMES **names)
{
	if (subject == NULL && *alt == NULL)
		return "names nobody";
	if (subject != NULL &&
	    (*name = decode_string(ASN1_ITEM_rptr(X509_NAME), subject)) == NULL)
		return "has a subject that cannot be decoded";
	*names = *alt;
	*alt = NULL;
	return NULL;
}

/*
 * Without tags, one SEQUENCE alone is the subject, or else subjectAlt: the
 * elements of a Name are SETs, those of GeneralNames are tagged. An empty one
 * is the empty subject.
 */
static const char *
take_6402(CMC_NEW_NAME_6402 *n, X509_NAME **name, GENERAL_NAMES **names)
{
	if (n->subjectAlt == NULL && n->subject != NULL &&
	    (*names = decode_string(
		 ASN1_ITEM_rptr(GENERAL_NAMES), n->subject)) != NULL) {
		if (sk_GENERAL_NAME_num(*names) > 0)
			return NULL;
		GENERAL_NAMES_free(*names);
		*names = NULL;
	}
	return take(n->subject, &n->subjectAlt, name, names);
}

static const char *
read_either(const unsigned char *der, size_t len, X509_NAME **name,
    GENERAL_NAMES **names)
{
	CMC_NEW_NAME *n = decode(ASN1_ITEM_rptr(CMC_NEW_NAME), der, len);
	CMC_NEW_NAME_6402 *old;
	const char *why = "cannot be decoded";

	/* A tag tells the new one; one SEQUENCE alone may be either. */
	if (n != NULL && n->subjectAlt != NULL) {
		why = take(n->subject, &n->subjectAlt, name, names);
	} else {
		old = decode(ASN1_ITEM_rptr(CMC_NEW_NAME_6402), der, len);
		if (old != NULL)
			why = take_6402(old, name, names);
		CMC_NEW_NAME_6402_free(old);
	}
	CMC_NEW_NAME_free(n);
	return why;
}

static const char *
check(const X509_NAME *name, const GENERAL_NAMES *names)
{
	int i, n = sk_GENERAL_NAME_num(names);

	if (name != NULL && csr_dn_flaw(name) != NULL)
		return "has a subject that is no sound name";
	if (names != NULL && (n == 0 || n > BURIN_MAX_SANS))
		return "has no alternative names, or more than 64";
	for (i = 0; i < n; i++) {
		if (csr_name_flaw(sk_GENERAL_NAME_value(names, i)) != NULL)
			return "has an alternative name that is not sound";
	}
	if (X509_NAME_entry_count(name) <= 0 && names == NULL)
		return "names nobody";
	return NULL;
}

const char *
cmc_new_name_read(const unsigned char *der, size_t len, X509_NAME **subject,
    GENERAL_NAMES **names)
{
	const char *why;

	*subject = NULL;
	*names = NULL;
	why = read_either(der, len, subject, names);
	if (why == NULL)
		why = check(*subject, *names);
	if (why == NULL)
		return NULL;
	X509_NAME_free(*subject);
	GENERAL_NAMES_free(*names);
	*subject = NULL;
	*names = NULL;
	return why;
}

int
cmc_new_name_put(struct burin_asked *asked, const X509_NAME *subject,
    GENERAL_NAMES *names, struct burin_error *e)
{
	X509_NAME *dn =
	    subject != NULL ? X509_NAME_dup(subject) : X509_NAME_new();
	int at;

	if (dn == NULL)
		return burin_fail_memory(e);
	X509_NAME_free(asked->subject);
	asked->subject = dn;
	if (asked->extensions == NULL &&
	    (asked->extensions = sk_X509_EXTENSION_new_null()) == NULL)
		return burin_fail_memory(e);
	at = csr_ext_find(asked->extensions, OBJ_nid2obj(NID_subject_alt_name));
	if (at >= 0)
		X509_EXTENSION_free(
		    sk_X509_EXTENSION_delete(asked->extensions, at));
	if (names == NULL)
		return 0;
	/* RFC 5280 section 4.2.1.6: critical beside an empty subject. */
	return csr_ext_push(asked->extensions, NID_subject_alt_name,
	    X509_NAME_entry_count(dn) == 0, names, e);
}

int
burin_cmc_item_rename(struct burin_cmc_item *item, struct burin_error *e)
{
	return cmc_new_name_put(
	    &item->asked, item->new_subject, item->new_names, e);
}
