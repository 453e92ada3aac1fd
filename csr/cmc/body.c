/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of a message that was read, by their ids: RFC 10002 section
 * 3.2.2.
 */

#include <openssl/err.h>

#include "parse.h"

int
cmc_id_read(const ASN1_INTEGER *number, int zero, uint32_t *id)
{
	uint64_t value;

	if (ASN1_INTEGER_get_uint64(&value, number) != 1 ||
	    value > UINT32_MAX || (value == 0 && !zero)) {
		ERR_clear_error();
		return -1;
	}
	*id = (uint32_t)value;
	return 0;
}

int
cmc_path_read(const STACK_OF(ASN1_INTEGER) * ids, struct cmc_path *path)
{
	int i, n = sk_ASN1_INTEGER_num(ids);

	path->n = 0;
	if (n < 1 || n > BURIN_CMC_MAX_DEPTH + 1)
		return -1;
	for (i = 0; i < n; i++) {
		/* 0, the message itself, has nothing in it but itself. */
		if (cmc_id_read(sk_ASN1_INTEGER_value(ids, i), n == 1,
			&path->ids[i]) == -1)
			return -1;
	}
	path->n = (size_t)n;
	return 0;
}

const struct cmc_control_part *
cmc_body_next(const struct cmc_body *b, enum cmc_control number, size_t *at)
{
	for (; *at < b->n_controls; (*at)++) {
		const struct cmc_control_part *part = &b->controls[*at];

		if (part->row != NULL && part->row->number == number) {
			(*at)++;
			return part;
		}
	}
	return NULL;
}

const void *
cmc_body_value(const struct cmc_body *b, enum cmc_control number)
{
	const struct cmc_control_part *part;
	size_t at = 0;

	part = cmc_body_next(b, number, &at);
	return part != NULL ? part->value : NULL;
}

const ASN1_STRING *
cmc_body_early(const struct cmc_body *b, enum cmc_control number, int type)
{
	const STACK_OF(CMC_ATTR) *attrs =
	    b->data != NULL ? b->data->controls : NULL;
	const struct cmc_control_row *row = cmc_control_row(number);
	const ASN1_TYPE *found = NULL;
	int i, n = sk_CMC_ATTR_num(attrs);

	for (i = 0; i < n && i < BURIN_CMC_MAX_PARTS; i++) {
		const CMC_ATTR *attr = sk_CMC_ATTR_value(attrs, i);

		if (cmc_control_find(attr->attrType) != row)
			continue;
		if (found != NULL || sk_ASN1_TYPE_num(attr->attrValues) != 1)
			return NULL;
		found = sk_ASN1_TYPE_value(attr->attrValues, 0);
	}
	if (found == NULL || found->type != type ||
	    ASN1_STRING_length(found->value.asn1_string) > BURIN_CMC_MAX_OCTETS)
		return NULL;
	return found->value.asn1_string;
}

const struct cmc_request_part *
cmc_body_request(const struct cmc_body *b, uint32_t id)
{
	size_t i;

	for (i = 0; i < b->n_requests; i++) {
		if (b->requests[i].id == id)
			return &b->requests[i];
	}
	return NULL;
}

const struct cmc_message_part *
cmc_body_message(const struct cmc_body *b, uint32_t id)
{
	size_t i;

	for (i = 0; i < b->n_messages; i++) {
		if (b->messages[i].id == id)
			return &b->messages[i];
	}
	return NULL;
}

int
cmc_body_has(const struct cmc_body *b, uint32_t id)
{
	size_t i;

	for (i = 0; i < b->n_controls; i++) {
		if (b->controls[i].id == id)
			return 1;
	}
	for (i = 0; i < b->n_others; i++) {
		if (b->others[i].id == id)
			return 1;
	}
	return cmc_body_request(b, id) != NULL ||
	    cmc_body_message(b, id) != NULL;
}
