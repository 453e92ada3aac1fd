/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an authority says of the parts of a message: RFC 10002 section 6.1,
 * and the same as RFC 5272 and RFC 6402 write it.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "../internal.h"
#include "parse.h"

/* --- extendedFailInfo and pendInfo ---------------------------------------- */

static const char *
take_ext(const CMC_EXT_FAIL *ext, struct cmc_state *out)
{
	int n = OBJ_obj2txt(out->ext, sizeof(out->ext), ext->oid, 1);

	if (n > 0 && (size_t)n < sizeof(out->ext))
		return NULL;
	return "has an extendedFailInfo whose OID is too long";
}

int
cmc_time_read(const ASN1_GENERALIZEDTIME *t, time_t *out)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds, ok;

	ok = epoch != NULL && ASN1_GENERALIZEDTIME_check(t) == 1 &&
	    ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;
	ASN1_TIME_free(epoch);
	if (!ok) {
		ERR_clear_error();
		return -1;
	}
	*out = (time_t)days * 86400 + seconds;
	return 0;
}

static const char *
take_pend(const CMC_PEND_INFO *pend, struct cmc_state *out)
{
	size_t len = (size_t)ASN1_STRING_length(pend->token);

	if (len == 0 || len > sizeof(out->token.data))
		return "has a pendToken that is empty or longer than 1024 "
		       "bytes";
	memcpy(out->token.data, ASN1_STRING_get0_data(pend->token), len);
	out->token.len = len;
	out->has_pend = 1;
	return cmc_time_read(pend->time, &out->time) == 0
	    ? NULL
	    : "has a pendTime that is no time";
}

/*
 * pendInfo begins with an OCTET STRING, extendedFailInfo of RFC 5272 with an
 * OBJECT IDENTIFIER: only one of the two decodes.
 */
static const char *
take_sequence(const ASN1_STRING *der, struct cmc_state *out)
{
	const unsigned char *begin = ASN1_STRING_get0_data(der), *p = begin;
	long len = ASN1_STRING_length(der);
	const char *why = "has an otherInfo that cannot be decoded";
	CMC_PEND_INFO *pend;
	CMC_EXT_FAIL *ext = NULL;

	pend = d2i_CMC_PEND_INFO(NULL, &p, len);
	if (pend != NULL && p == begin + len) {
		why = take_pend(pend, out);
	} else if (pend == NULL) {
		p = begin;
		ext = d2i_CMC_EXT_FAIL(NULL, &p, len);
		if (ext != NULL && p == begin + len)
			why = take_ext(ext, out);
	}
	ERR_clear_error();
	CMC_PEND_INFO_free(pend);
	CMC_EXT_FAIL_free(ext);
	return why;
}

static const char *
take_info(const CMC_INFO *info, struct cmc_state *out)
{
	int64_t fail;

	if (info == NULL)
		return NULL;
	switch (info->type) {
	case CMC_INFO_FAIL:
		out->has_fail = 1;
		out->fail = -1;
		if (ASN1_INTEGER_get_int64(&fail, info->d.fail) == 1 &&
		    fail >= 0 && fail <= INT32_MAX)
			out->fail = (long)fail;
		ERR_clear_error();
		return NULL;
	case CMC_INFO_SEQUENCE:
		return take_sequence(info->d.sequence, out);
	default:
		return take_ext(info->d.ext, out);
	}
}

/* --- text ----------------------------------------------------------------- */

char *
cmc_state_text(const struct cmc_state *s)
{
	struct csr_text text = { 0 };

	if (s->text != NULL)
		csr_text_clean(&text,
		    (const char *)ASN1_STRING_get0_data(s->text),
		    (size_t)ASN1_STRING_length(s->text), 0);
	return csr_text_take(&text);
}

void
cmc_text_cut(char *out, size_t size, const char *s)
{
	size_t len = strlen(s);

	if (len >= size)
		len = size - 1;
	while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, s, len);
	out[len] = '\0';
}

/* --- one status ----------------------------------------------------------- */

static const char *
take_status(const ASN1_INTEGER *number, struct cmc_state *out)
{
	int64_t status;

	if (ASN1_INTEGER_get_int64(&status, number) == 1 &&
	    burin_cmc_status_name((long)status) != NULL) {
		out->status = (long)status;
		return NULL;
	}
	ERR_clear_error();
	return "has a cMCStatus that is not defined";
}

int
cmc_ref_read(const CMC_REF *ref, struct cmc_path *path)
{
	if (ref->type == CMC_REF_PATH)
		return cmc_path_read(ref->d.path, path);
	path->n = 1;
	return cmc_id_read(ref->d.id, 1, &path->ids[0]);
}

static const char *
check_parts(struct cmc_state *out)
{
	struct cmc_path path;
	int i, n, rc = 0;

	n = out->ids != NULL ? sk_ASN1_INTEGER_num(out->ids)
			     : sk_CMC_REF_num(out->refs);
	if (n < 1 || n > BURIN_CMC_MAX_PARTS)
		return "has a bodyList that is empty or longer than 256";
	for (i = 0; i < n && rc == 0; i++)
		rc = out->ids != NULL
		    ? cmc_id_read(
			  sk_ASN1_INTEGER_value(out->ids, i), 1, &path.ids[0])
		    : cmc_ref_read(sk_CMC_REF_value(out->refs, i), &path);
	if (rc == -1)
		return "has a bodyList with something that is no bodyPartID";
	out->n_parts = (size_t)n;
	return NULL;
}

int
cmc_is_state(const struct cmc_control_part *part)
{
	return part->row != NULL &&
	    (part->row->number == CMC_STATUS_INFO ||
		part->row->number == CMC_STATUS_INFO_V2);
}

const char *
cmc_state_read(const struct cmc_control_part *part, struct cmc_state *out)
{
	const ASN1_INTEGER *status;
	const CMC_INFO *info;
	const char *why;

	memset(out, 0, sizeof(*out));
	if (part->row->number == CMC_STATUS_INFO) {
		const CMC_STATUS *v1 = part->value;

		status = v1->status;
		info = v1->info;
		out->text = v1->text;
		out->ids = v1->bodyList;
	} else {
		const CMC_STATUS_V2 *v2 = part->value;

		status = v2->status;
		info = v2->info;
		out->text = v2->text;
		out->refs = v2->bodyList;
	}
	if ((why = take_status(status, out)) != NULL ||
	    (why = check_parts(out)) != NULL)
		return why;
	return take_info(info, out);
}

void
cmc_state_part(const struct cmc_state *s, size_t i, struct cmc_path *path)
{
	path->n = 1;
	path->ids[0] = 0;
	if (s->ids != NULL)
		(void)cmc_id_read(
		    sk_ASN1_INTEGER_value(s->ids, (int)i), 1, &path->ids[0]);
	else
		(void)cmc_ref_read(sk_CMC_REF_value(s->refs, (int)i), path);
}
