/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What must hold between the parts of a message: RFC 10002 sections 3.2.2
 * and 6.
 */

#include <stdlib.h>

#include "parse.h"

static int
compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static const char *
ids_flaw(const struct cmc_body *b, uint32_t *id)
{
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	size_t i, n = 0;

	if (b->n_controls + b->n_requests + b->n_messages + b->n_others >
	    BURIN_CMC_MAX_PARTS)
		return "has more than 256 parts";
	for (i = 0; i < b->n_controls; i++)
		ids[n++] = b->controls[i].id;
	for (i = 0; i < b->n_requests; i++)
		ids[n++] = b->requests[i].id;
	for (i = 0; i < b->n_messages; i++)
		ids[n++] = b->messages[i].id;
	for (i = 0; i < b->n_others; i++)
		ids[n++] = b->others[i].id;
	qsort(ids, n, sizeof(ids[0]), compare_ids);
	for (i = 1; i < n; i++) {
		if (ids[i] != ids[i - 1])
			continue;
		*id = ids[i];
		return "has two parts with one bodyPartID";
	}
	return NULL;
}

/* Each of these must be a message of cmsSequence. */
static int
are_messages(const struct cmc_body *b, const STACK_OF(ASN1_INTEGER) * ids)
{
	int i, n = sk_ASN1_INTEGER_num(ids);
	uint32_t id;

	if (n > BURIN_CMC_MAX_PARTS)
		return 0;
	for (i = 0; i < n; i++) {
		if (cmc_id_read(sk_ASN1_INTEGER_value(ids, i), 0, &id) == -1 ||
		    cmc_body_message(b, id) == NULL)
			return 0;
	}
	return n > 0;
}

static int
names_request(const struct cmc_body *b, const CMC_DECRYPTED_POP *pop)
{
	uint32_t id;

	return cmc_id_read(pop->bodyPartID, 0, &id) == 0 &&
	    cmc_body_request(b, id) != NULL;
}

/* Lists and paths hold one at least; what else they name is the reader's. */
static const char *
list_flaw(const struct cmc_control_part *part)
{
	const CMC_MOD_TEMPLATE *mod;
	struct cmc_path path;
	int whole = 1;

	switch (part->row->number) {
	case CMC_MOD_CERT_TEMPLATE:
		mod = part->value;
		whole = cmc_path_read(mod->pkiDataReference, &path) == 0 &&
		    sk_ASN1_INTEGER_num(mod->certReferences) > 0;
		break;
	case CMC_CONTROL_PROCESSED:
		whole = sk_CMC_REF_num(
			    ((const CMC_PROCESSED *)part->value)->bodyList) > 0;
		break;
	case CMC_RA_IDENTITY_WITNESS:
		whole = cmc_path_read(part->value, &path) == 0;
		break;
	default:
		break;
	}
	return whole ? NULL : "has a list or path that is empty or too long";
}

/* What one control says of the others: NULL, or what is wrong. */
static const char *
reference_flaw(const struct cmc_body *b, const struct cmc_control_part *part)
{
	struct cmc_state state;
	struct cmc_path path;
	uint32_t id;
	int there;

	switch (part->row->number) {
	case CMC_STATUS_INFO:
	case CMC_STATUS_INFO_V2:
		return cmc_state_read(part, &state);
	case CMC_AUTH_DATA:
		there = cmc_id_read(part->value, 0, &id) == 0 &&
		    cmc_body_message(b, id) != NULL;
		break;
	case CMC_RESPONSE_BODY:
		there = cmc_path_read(part->value, &path) == 0 &&
		    cmc_body_message(b, path.ids[0]) != NULL;
		break;
	case CMC_BATCH_REQUESTS:
	case CMC_BATCH_RESPONSES:
		there = are_messages(b, part->value);
		break;
	case CMC_DECRYPTED_POP_CONTROL:
		there = names_request(b, part->value);
		break;
	default:
		return list_flaw(part);
	}
	return there ? NULL : "names nothing, or a part that is not there";
}

const char *
cmc_rules_flaw(const struct cmc_body *b, const struct cmc_control_part **part,
    uint32_t *id)
{
	const char *why;
	size_t i;

	*part = NULL;
	*id = 0;
	why = ids_flaw(b, id);
	for (i = 0; i < b->n_controls && why == NULL; i++) {
		if (b->controls[i].row == NULL)
			continue;
		*part = &b->controls[i];
		why = reference_flaw(b, &b->controls[i]);
	}
	return why;
}
