/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * changeSubjectName: RFC 6402 section 2.8, with the tag of RFC 10002. Names
 * that a request wants beside those of the certificate that vouches for it.
 */

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/cmc.h>
#include <burin/names.h>

#include "../internal.h"
#include "controls.h"
#include "requests.h"

#define RULE "RFC 6402 section 2.8"

/* --- made ----------------------------------------------------------------- */

/*
 * Both names go in: one that is not there is taken out of the certificate.
 * The subject does so even when it is empty, for without it nobody could tell
 * the two untagged SEQUENCEs of RFC 6402 apart.
 */
static ASN1_TYPE *
pack(const struct burin_subject *to, int old)
{
	GENERAL_NAMES *sans =
	    sk_GENERAL_NAME_num(to->sans) > 0 ? to->sans : NULL;
	ASN1_STRING *dn = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	CMC_NEW_NAME name = { dn, sans };
	CMC_NEW_NAME_6402 name_6402 = { dn, sans };
	unsigned char *der = NULL;
	ASN1_TYPE *value = NULL;
	int len = i2d_X509_NAME(to->dn, &der);

	if (dn != NULL && len > 0) {
		ASN1_STRING_set0(dn, der, len);
		der = NULL;
		value = old
		    ? ASN1_TYPE_pack_sequence(
			  ASN1_ITEM_rptr(CMC_NEW_NAME_6402), &name_6402, NULL)
		    : ASN1_TYPE_pack_sequence(
			  ASN1_ITEM_rptr(CMC_NEW_NAME), &name, NULL);
	}
	OPENSSL_free(der);
	ASN1_STRING_free(dn);
	return value;
}

int
burin_cmc_change_name(struct burin_subject *s, const struct burin_subject *to,
    int old, struct burin_error *e)
{
	char oid[sizeof(CMC_OID_ARC) + 8];
	X509_ATTRIBUTE *attr = NULL;
	ASN1_TYPE *value;
	int rc = -1;

	if (X509_NAME_entry_count(to->dn) == 0 &&
	    sk_GENERAL_NAME_num(to->sans) <= 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "name-empty",
		    "the new name has neither subject nor alternative names");
		return burin_error_rule(e, RULE);
	}
	if ((value = pack(to, old)) == NULL)
		return burin_fail_memory(e);
	(void)snprintf(
	    oid, sizeof(oid), CMC_OID_ARC "%d", CMC_CHANGE_SUBJECT_NAME);
	if (csr_attribute_make(oid, value, &attr, e) == 0)
		rc = csr_subject_put_attribute(s, attr, "changeSubjectName", e);
	ASN1_TYPE_free(value);
	return rc;
}

/* --- a request with the names of its certificate ---------------------------
 */

/* Each name goes from names into s. */
static int
take_names(struct burin_subject *s, GENERAL_NAMES *names, struct burin_error *e)
{
	GENERAL_NAME *name;

	while ((name = sk_GENERAL_NAME_shift(names)) != NULL) {
		if (csr_subject_put_name(s, name, e) == -1)
			return -1;
	}
	return 0;
}

/* As they are encoded there: an authority may compare octets. */
static int
swap_names(struct burin_subject *s, X509 *cert, GENERAL_NAMES *sans, int old,
    struct burin_error *e)
{
	struct burin_subject to = { .dn = s->dn, .sans = s->sans };
	int rc = -1;

	s->dn = X509_NAME_dup(X509_get_subject_name(cert));
	s->sans = GENERAL_NAMES_new();
	if (s->dn == NULL || s->sans == NULL)
		(void)burin_fail_memory(e);
	else if (burin_cmc_change_name(s, &to, old, e) == 0)
		rc = take_names(s, sans, e);
	X509_NAME_free(to.dn);
	GENERAL_NAMES_free(to.sans);
	return rc;
}

int
burin_cmc_rename(struct burin_subject *s, X509 *cert, int old, int *changed,
    struct burin_error *e)
{
	GENERAL_NAMES *sans;
	int critical, rc = 0;

	*changed = 0;
	sans = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	if (sans == NULL && critical != -1)
		return burin_fail_openssl(e, BURIN_ETOKEN, "certificate-names",
		    "the alternative names of the old certificate cannot be "
		    "decoded");
	if (X509_NAME_cmp(s->dn, X509_get_subject_name(cert)) != 0 ||
	    !burin_same_names(s->sans, sans)) {
		rc = swap_names(s, cert, sans, old, e);
		*changed = rc == 0;
	}
	GENERAL_NAMES_free(sans);
	return rc;
}

/* --- read ------------------------------------------------------------------
 */

int
cmc_asked_rename(const unsigned char *der, size_t len, enum burin_status status,
    struct burin_asked *out, struct burin_error *e)
{
	GENERAL_NAMES *names = NULL;
	X509_NAME *subject = NULL;
	const char *why;
	int rc;

	(void)ERR_set_mark();
	why = der != NULL ? cmc_new_name_read(der, len, &subject, &names)
			  : "cannot be decoded";
	if (why != NULL) {
		(void)burin_fail(e, status, "request-malformed",
		    "changeSubjectName of the request %s", why);
		rc = burin_error_rule(e, RULE);
	} else {
		rc = cmc_new_name_put(out, subject, names, e);
	}
	(void)ERR_pop_to_mark();
	X509_NAME_free(subject);
	GENERAL_NAMES_free(names);
	return rc;
}
