/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * statusInfo and statusInfoV2: RFC 10002 section 6.1, and the same as RFC
 * 5272 and RFC 6402 write it.
 */

#include <openssl/err.h>

#include "show_cmc.h"

/* A number and its word; the word is null when it is not defined. */
static int
put_coded(json_t *o, const char *key, const char *code_key,
    const ASN1_INTEGER *n, const char *(*name)(long))
{
	int64_t value;
	const char *word = NULL;
	int rc;

	if (ASN1_INTEGER_get_int64(&value, n) != 1) {
		ERR_clear_error();
		return show_put(o, code_key, show_serial(n));
	}
	if (value >= 0 && value <= INT32_MAX)
		word = name((long)value);
	rc = show_put(o, key, word != NULL ? json_string(word) : json_null());
	rc |= show_put(o, code_key, json_integer((json_int_t)value));
	return rc;
}

static int
put_ext_fail(json_t *o, const CMC_EXT_FAIL *ext)
{
	int rc = show_put(o, "extended_fail", show_oid(ext->oid));

	rc |= show_put(o, "extended_value", show_any(ext->value));
	return rc;
}

/* Before RFC 10002 these two have no tag; what is inside tells. */
static int
put_sequence(json_t *o, const ASN1_STRING *der)
{
	CMC_PEND_INFO *pend =
	    show_decode_sequence(ASN1_ITEM_rptr(CMC_PEND_INFO), der);
	CMC_EXT_FAIL *ext =
	    show_decode_sequence(ASN1_ITEM_rptr(CMC_EXT_FAIL), der);
	int rc;

	if (pend != NULL) {
		rc = show_put(o, "pend_token", show_octets(pend->token));
		rc |= show_put(o, "pend_time", show_time(pend->time));
	} else if (ext != NULL) {
		rc = put_ext_fail(o, ext);
	} else {
		rc = show_put(o, "other_info", show_octets(der));
	}
	CMC_PEND_INFO_free(pend);
	CMC_EXT_FAIL_free(ext);
	return rc;
}

static int
put_info(json_t *o, const CMC_INFO *info)
{
	if (info == NULL)
		return 0;
	switch (info->type) {
	case CMC_INFO_FAIL:
		return put_coded(
		    o, "fail", "fail_code", info->d.fail, burin_cmc_fail_name);
	case CMC_INFO_SEQUENCE:
		return put_sequence(o, info->d.sequence);
	default:
		return put_ext_fail(o, info->d.ext);
	}
}

static json_t *
show_any_status(const ASN1_INTEGER *status, json_t *parts,
    const ASN1_UTF8STRING *text, const CMC_INFO *info)
{
	json_t *o = json_object();
	int rc;

	rc = put_coded(
	    o, "status", "status_code", status, burin_cmc_status_name);
	rc |= show_put(o, "parts", parts);
	if (text != NULL)
		rc |= show_put(o, "text", show_utf8(text));
	rc |= put_info(o, info);
	return show_done(o, rc);
}

json_t *
show_status(const CMC_STATUS *s)
{
	return show_any_status(
	    s->status, show_ids(s->bodyList), s->text, s->info);
}

json_t *
show_status_v2(const CMC_STATUS_V2 *s)
{
	return show_any_status(
	    s->status, show_refs(s->bodyList), s->text, s->info);
}
