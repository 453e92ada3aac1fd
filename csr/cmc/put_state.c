/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing statuses: RFC 10002 sections 6.1.1 and 6.1.2.
 */

#include <string.h>

#include <openssl/err.h>

#include "put.h"

/* --- what both versions share --------------------------------------------- */

static int
set_fail(CMC_INFO *info, enum burin_cmc_fail fail)
{
	info->type = CMC_INFO_FAIL;
	info->d.fail = ASN1_INTEGER_new();
	return info->d.fail != NULL &&
	    ASN1_INTEGER_set(info->d.fail, fail) == 1;
}

static int
set_pend(CMC_INFO *info, const struct burin_cmc_octets *token, time_t when)
{
	CMC_PEND_INFO *pend = CMC_PEND_INFO_new();
	unsigned char *der = NULL;
	int len = 0;

	info->type = CMC_INFO_SEQUENCE;
	info->d.sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	if (pend != NULL && info->d.sequence != NULL &&
	    ASN1_OCTET_STRING_set(pend->token, token->data, (int)token->len) ==
		1 &&
	    ASN1_GENERALIZEDTIME_set(pend->time, when) != NULL)
		len = i2d_CMC_PEND_INFO(pend, &der);
	CMC_PEND_INFO_free(pend);
	if (len <= 0)
		return 0;
	ASN1_STRING_set0(info->d.sequence, der, len);
	return 1;
}

/* 1, or 0 when memory ran out. */
static int
set_details(
    const struct burin_cmc_state_of *s, ASN1_UTF8STRING **text, CMC_INFO **info)
{
	if (s->text != NULL &&
	    ((*text = ASN1_UTF8STRING_new()) == NULL ||
		ASN1_STRING_set(*text, s->text, -1) != 1))
		return 0;
	if (s->pend_token == NULL &&
	    (s->status != BURIN_CMC_FAILED || s->fail == BURIN_CMC_FAIL_NONE))
		return 1;
	if ((*info = CMC_INFO_new()) == NULL)
		return 0;
	return s->pend_token != NULL
	    ? set_pend(*info, s->pend_token, s->pend_time)
	    : set_fail(*info, s->fail);
}

/* --- one of each ---------------------------------------------------------- */

static int
push_ref(CMC_STATUS_V2 *v2, const struct burin_cmc_path *path)
{
	CMC_REF *ref = cmc_ref_new(path);

	if (ref != NULL && sk_CMC_REF_push(v2->bodyList, ref) > 0)
		return 1;
	CMC_REF_free(ref);
	return 0;
}

static int
put_v2(struct cmc_put *p, const struct burin_cmc_state_of *s,
    struct burin_error *e)
{
	static const struct burin_cmc_path whole = { { 0 }, 0 };
	CMC_STATUS_V2 *v2 = CMC_STATUS_V2_new();
	int ok, rc = -1;
	size_t i;

	ok = v2 != NULL && ASN1_INTEGER_set(v2->status, s->status) == 1 &&
	    set_details(s, &v2->text, &v2->info);
	if (ok && s->n == 0)
		ok = push_ref(v2, &whole);
	for (i = 0; ok && i < s->n; i++)
		ok = push_ref(v2, &s->parts[i]);
	if (!ok)
		(void)burin_fail_memory(e);
	else
		rc = cmc_put_item(p, CMC_STATUS_INFO_V2,
		    ASN1_ITEM_rptr(CMC_STATUS_V2), v2, e);
	CMC_STATUS_V2_free(v2);
	return rc;
}

/* The parts that have an id and no longer path: the old one knows no other. */
static STACK_OF(ASN1_INTEGER) * old_parts(const struct burin_cmc_state_of *s)
{
	uint32_t ids[BURIN_CMC_MAX_PARTS] = { 0 };
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		if (s->parts[i].n <= 1)
			ids[n++] = s->parts[i].n == 1 ? s->parts[i].ids[0] : 0;
	}
	return cmc_ids_new(ids, s->n == 0 ? 1 : n);
}

static int
put_v1(struct cmc_put *p, const struct burin_cmc_state_of *s,
    struct burin_error *e)
{
	STACK_OF(ASN1_INTEGER) *parts = old_parts(s);
	CMC_STATUS *v1 = CMC_STATUS_new();
	int rc = -1;

	if (v1 == NULL || parts == NULL ||
	    ASN1_INTEGER_set(v1->status, s->status) != 1 ||
	    !set_details(s, &v1->text, &v1->info)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (sk_ASN1_INTEGER_num(parts) == 0) {
		rc = 0;
		goto out;
	}
	sk_ASN1_INTEGER_pop_free(v1->bodyList, ASN1_INTEGER_free);
	v1->bodyList = parts;
	parts = NULL;
	rc =
	    cmc_put_item(p, CMC_STATUS_INFO, ASN1_ITEM_rptr(CMC_STATUS), v1, e);
out:
	sk_ASN1_INTEGER_pop_free(parts, ASN1_INTEGER_free);
	CMC_STATUS_free(v1);
	return rc;
}

int
cmc_put_state(struct cmc_put *p, const struct burin_cmc_state_of *s, int old,
    struct burin_error *e)
{
	if (put_v2(p, s, e) == -1)
		return -1;
	return old ? put_v1(p, s, e) : 0;
}
