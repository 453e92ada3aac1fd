/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKIData from a stranger: what is accepted keeps to the rules, and its
 * requests are pieces of what came.
 */

#include "csr/cmc/parse.h"
#include "fuzz.h"

static int
has_id(const uint32_t *ids, size_t n, uint32_t id)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (ids[i] == id)
			return 1;
	}
	return 0;
}

static void
demand_id(uint32_t *ids, size_t *n, uint32_t id)
{
	DEMAND(*n < BURIN_CMC_MAX_PARTS && id != 0 && !has_id(ids, *n, id));
	ids[(*n)++] = id;
}

/* Section 3.2.2: over all parts. */
static void
demand_ids(const struct cmc_body *b)
{
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	size_t i, n = 0;

	for (i = 0; i < b->n_controls; i++) {
		demand_id(ids, &n, b->controls[i].id);
		DEMAND((b->controls[i].row == NULL) ==
		    (b->controls[i].value == NULL));
	}
	for (i = 0; i < b->n_requests; i++)
		demand_id(ids, &n, b->requests[i].id);
	for (i = 0; i < b->n_messages; i++)
		demand_id(ids, &n, b->messages[i].id);
	for (i = 0; i < b->n_others; i++)
		demand_id(ids, &n, b->others[i].id);
	for (i = 0; i < n; i++)
		DEMAND(cmc_body_has(b, ids[i]));
}

static void
open_messages(const struct cmc_body *b)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_opened opened;
	size_t i;
	int rc;

	for (i = 0; i < b->n_messages; i++) {
		burin_error_clear(&e);
		rc = cmc_message_open(b->messages[i].der, b->messages[i].len, 0,
		    BURIN_EAUTHORITY, &opened, &e);
		demand_clean(rc, &e);
		if (rc == 0)
			cmc_opened_clear(&opened);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_body *b;
	size_t i;
	int rc;

	rc = cmc_body_parse(CMC_DATA, data, len, BURIN_EAUTHORITY, &b, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return 0;
	demand_ids(b);
	for (i = 0; i < b->n_requests; i++) {
		const struct cmc_request_part *part = &b->requests[i];

		DEMAND(cmc_body_request(b, part->id) == part);
		DEMAND(
		    memmem(b->reqs, b->reqs_len, part->der, part->len) != NULL);
	}
	open_messages(b);
	cmc_body_free(&b);
	return 0;
}
