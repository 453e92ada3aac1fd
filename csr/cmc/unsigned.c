/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lifting unsignedData: RFC 10002 section 3.2.3.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../cms/unsigned.h"
#include "unsigned.h"

static int
refuse(const char *why, struct burin_error *e)
{
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "unsigned-data",
	    "the unsigned data of a message %s", why);
	return burin_error_rule(e, "RFC 10002 section 3.2.3");
}

/* id before the path; *any is one value. */
static int
prepend(
    ASN1_TYPE **any, CMC_UNSIGNED_DATA *u, uint32_t id, struct burin_error *e)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	if (n == NULL || ASN1_INTEGER_set_uint64(n, id) != 1 ||
	    sk_ASN1_INTEGER_insert(u->path, n, 0) <= 0) {
		ASN1_INTEGER_free(n);
		return burin_fail_memory(e);
	}
	*any =
	    ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(CMC_UNSIGNED_DATA), u, NULL);
	return *any != NULL ? 0 : burin_fail_memory(e);
}

static int
lift_one(const ASN1_TYPE *value, uint32_t id, STACK_OF(ASN1_TYPE) * all,
    struct burin_error *e)
{
	const unsigned char *begin =
	    ASN1_STRING_get0_data(value->value.sequence);
	const unsigned char *p = begin;
	long len = ASN1_STRING_length(value->value.sequence);
	CMC_UNSIGNED_DATA *u = d2i_CMC_UNSIGNED_DATA(NULL, &p, len);
	ASN1_TYPE *any = NULL;
	int rc = -1;

	if (u == NULL || p != begin + len || sk_ASN1_INTEGER_num(u->path) < 1)
		(void)refuse("cannot be decoded", e);
	else if (sk_ASN1_INTEGER_num(u->path) > BURIN_CMC_MAX_DEPTH)
		(void)refuse("lies in too many messages", e);
	else if (sk_ASN1_TYPE_num(all) >= BURIN_CMC_MAX_UNSIGNED)
		(void)refuse("is more than 16 values, with the others'", e);
	else
		rc = prepend(&any, u, id, e);
	CMC_UNSIGNED_DATA_free(u);
	if (rc == 0 && sk_ASN1_TYPE_push(all, any) <= 0)
		rc = burin_fail_memory(e);
	if (rc == -1)
		ASN1_TYPE_free(any);
	return rc;
}

int
cmc_unsigned_lift(const unsigned char *der, size_t len, uint32_t id,
    STACK_OF(ASN1_TYPE) * all, unsigned char **out, size_t *out_len,
    struct burin_error *e)
{
	STACK_OF(ASN1_TYPE) * values;
	int i, rc = 0;

	if (csr_unsigned_take(der, len, CMC_OID_UNSIGNED_DATA, BURIN_EUSAGE,
		&values, out, out_len, e) == -1)
		return -1;
	for (i = 0; i < sk_ASN1_TYPE_num(values) && rc == 0; i++)
		rc = lift_one(sk_ASN1_TYPE_value(values, i), id, all, e);
	sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
	if (rc == -1) {
		OPENSSL_free(*out);
		*out = NULL;
		*out_len = 0;
	}
	return rc;
}
