/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKIResponse from a stranger, and its statuses, as the end entity reads
 * them; and the same bytes as a whole message. Nobody signs, so nothing of it
 * may be a success.
 */

#include <burin/cmc.h>

#include "csr/cmc/parse.h"
#include "fuzz.h"

/* A Simple request is enough to be answered: its part is 1. */
static const unsigned char request[] = { 0x30, 0x02, 0x30, 0x00 };

static void
demand_states(const struct cmc_body *b)
{
	struct cmc_state state;
	struct cmc_path path;
	size_t i, j;

	for (i = 0; i < b->n_controls; i++) {
		const struct cmc_control_part *part = &b->controls[i];

		if (part->row == NULL ||
		    (part->row->number != CMC_STATUS_INFO &&
			part->row->number != CMC_STATUS_INFO_V2))
			continue;
		DEMAND(cmc_state_read(part, &state) == NULL);
		DEMAND(burin_cmc_status_name(state.status) != NULL);
		DEMAND(state.n_parts > 0);
		for (j = 0; j < state.n_parts; j++) {
			cmc_state_part(&state, j, &path);
			DEMAND(path.n > 0 && path.n <= BURIN_CMC_MAX_DEPTH + 1);
		}
	}
}

/* simple 1: only certificates without any content are taken. */
static void
read_whole(const void *data, size_t len, int simple)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cmc_expect x = { 0 };
	struct burin_cmc_reply reply;
	int rc;

	x.status = BURIN_EAUTHORITY;
	x.request = request;
	x.request_len = sizeof(request);
	x.now = 1900000000;
	x.skew = 300;
	x.simple = simple;
	rc = burin_cmc_read(data, len, &x, &reply, &e);
	demand_clean(rc, &e);
	DEMAND(rc == -1 || (simple && reply.outcome == BURIN_CMC_DONE));
	burin_cmc_reply_clear(&reply);
}

static void
read_unsigned(const void *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms_signer nobody = { 0 };
	unsigned char *der = NULL;
	size_t der_len;

	nobody.by = BURIN_CMS_BY_NOBODY;
	DEMAND(burin_cms_sign(&nobody, CMC_OID_PKI_RESPONSE, data, len, &der,
		   &der_len, &e) == 0);
	read_whole(der, der_len, 0);
	OPENSSL_free(der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_body *b;
	int rc;

	read_whole(data, len, 1);
	rc = cmc_body_parse(CMC_RESPONSE, data, len, BURIN_ECHECK, &b, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return 0;
	demand_states(b);
	cmc_body_free(&b);
	read_unsigned(data, len);
	return 0;
}
