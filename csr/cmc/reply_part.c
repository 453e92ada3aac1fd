/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an answer says of one part of an RA's layer: RFC 10002 section 6.1.
 */

#include <stdlib.h>
#include <string.h>

#include <burin/cmc_server.h>

#include "read.h"

/* From good to bad. */
static int
rank_of(long status)
{
	static const long order[] = { BURIN_CMC_SUCCESS,
		BURIN_CMC_CONFIRM_REQUIRED, BURIN_CMC_PARTIAL,
		BURIN_CMC_PENDING, BURIN_CMC_POP_REQUIRED, BURIN_CMC_NO_SUPPORT,
		BURIN_CMC_FAILED };
	int i, n = (int)(sizeof(order) / sizeof(order[0]));

	for (i = 0; i < n && order[i] != status; i++)
		;
	return i;
}

static int
is_about(const struct cmc_state *s, uint32_t id)
{
	struct cmc_path path;
	size_t i;

	for (i = 0; i < s->n_parts; i++) {
		cmc_state_part(s, i, &path);
		if (path.n == 1 && path.ids[0] == id)
			return 1;
	}
	return 0;
}

static void
take(const struct cmc_state *s, struct burin_cmc_part_state *out)
{
	char *text = cmc_state_text(s);

	memset(out, 0, sizeof(*out));
	out->status = (enum burin_cmc_status)s->status;
	out->fail = BURIN_CMC_FAIL_NONE;
	/* What nobody knows counts as internalCAError: RFC 10002 6.1.4. */
	if (s->status == BURIN_CMC_FAILED && (s->has_fail || s->ext[0] != '\0'))
		out->fail = s->has_fail && burin_cmc_fail_name(s->fail) != NULL
		    ? (enum burin_cmc_fail)s->fail
		    : BURIN_CMC_INTERNAL_CA_ERROR;
	if (s->has_pend) {
		out->pend_token = s->token;
		out->pend_time = s->time;
	}
	cmc_text_cut(out->text, sizeof(out->text), text != NULL ? text : "");
	free(text);
}

int
burin_cmc_reply_part(const struct burin_cmc_reply *r, uint32_t id,
    struct burin_cmc_part_state *out)
{
	const struct cmc_body *b;
	struct cmc_state state;
	size_t i, k;
	int found = -1;

	memset(out, 0, sizeof(*out));
	for (i = 0; r->kept != NULL && i < r->kept->n; i++) {
		b = r->kept->layers[i].in.body;
		for (k = 0; b != NULL && k < b->n_controls; k++) {
			if (!cmc_is_state(&b->controls[k]))
				continue;
			/* The parser took it before: no flaw. */
			(void)cmc_state_read(&b->controls[k], &state);
			if (!is_about(&state, id) ||
			    (found == 0 &&
				rank_of(state.status) <= rank_of(out->status)))
				continue;
			take(&state, out);
			found = 0;
		}
	}
	return found;
}
