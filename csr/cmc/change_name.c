/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * changeSubjectName: RFC 6402 section 2.8, with the tag of RFC 10002.
 */

#include <stdio.h>

#include <openssl/crypto.h>

#include <burin/cmc.h>

#include "../internal.h"
#include "controls.h"

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
		return burin_error_rule(e, "RFC 6402 section 2.8");
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
