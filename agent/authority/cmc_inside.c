/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages in a message: what an RA passes on (RFC 10002 sections 6.17 and
 * 7). Each is answered by itself; the answers go back together.
 */

#include <stdlib.h>
#include <string.h>

#include "cmc_work.h"

/* batchRequests names it, or the RA says something about what is in it. */
static int
is_meant(const struct burin_cmc_heard *h, const struct burin_cmc_inside *part)
{
	size_t i;

	if (part->batched)
		return 1;
	for (i = 0; i < h->n_statements; i++)
		if (h->statements[i].path.n > 0 &&
		    h->statements[i].path.ids[0] == part->id)
			return 1;
	return 0;
}

static int
answer_one(struct cmc_work *w, const struct burin_cmc_inside *part,
    struct burin_error *e)
{
	struct cmc_around around = { w->around, &w->h, part->id, w->principal,
		w->ra_name };
	struct cmc_turn turn = *w->t;
	struct cmc_work inner = { 0 };
	struct cmc_reply reply = { 0 };
	int rc;

	turn.data = part->der;
	turn.len = part->len;
	turn.invite = NULL;
	turn.cert = NULL;
	inner.s = w->s;
	inner.t = &turn;
	inner.around = &around;
	inner.depth = w->depth + 1;
	rc = cmc_work_run(&inner, &reply, e);
	if (rc == 0) {
		w->inside_ids[w->n_inside] = part->id;
		w->inside[w->n_inside].der = reply.der;
		w->inside[w->n_inside++].len = reply.len;
	}
	cmc_work_clear(&inner);
	return rc;
}

int
cmc_insides(struct cmc_work *w, struct burin_error *e)
{
	size_t i, n = w->h.n_inside;

	if (n == 0 || !w->is_ra)
		return 0;
	if ((w->inside = calloc(n, sizeof(*w->inside))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		if (!is_meant(&w->h, &w->h.inside[i]) ||
		    answer_one(w, &w->h.inside[i], e) == 0)
			continue;
		/* One without an answer leaves the others theirs. */
		(void)store_note(w->s->store, NULL, "refused",
		    "%s by %s: message %u has no answer: %s", w->t->via,
		    w->principal, (unsigned)w->h.inside[i].id, e->code);
		burin_error_clear(e);
	}
	return 0;
}
