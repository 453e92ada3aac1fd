/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the requests of a message, their proofs, and those that wait.
 */

#ifndef BURIN_AUTHORITY_CMC_ISSUE_H
#define BURIN_AUTHORITY_CMC_ISSUE_H

#include "cmc_work.h"

/* What of the requests came to what. */
struct cmc_tally {
	uint32_t *done, *wait, *confirm;
	size_t n_done, n_wait, n_confirm;
};
int cmc_tally_new(struct cmc_tally *t, size_t n, struct burin_error *e);

/* --- cmc_pop.c ----------------------------------------------------------- */

/*
 * The proof of possession of every request, or a challenge for it. 1: all
 * are proved; 0: the answer says what is missing.
 */
int cmc_pops(struct cmc_work *w, struct burin_error *e);
/*
 * What the CA began goes on with the CA, and so does what an RA cannot see:
 * a proof made for the CA's own key. Others it challenges itself when it is
 * who knows them.
 */
int cmc_pop_is_for_ca(
    const struct cmc_work *w, const struct burin_cmc_item *item);

/* --- cmc_requests.c --------------------------------------------------------
 */

/* One certificate, or that it waits, or its refusal in the answer. */
int cmc_issue_one(struct cmc_work *w, const struct issue_input *in, uint32_t id,
    struct cmc_tally *t, struct burin_error *e);
/* What went well; refusals have their statuses already. */
int cmc_tell(
    struct cmc_work *w, const struct cmc_tally *t, struct burin_error *e);

/* --- cmc_poll.c ------------------------------------------------------------
 */

/* Keeps the requests of a message of which some wait, and says so. */
int cmc_wait(struct cmc_work *w, const struct issue_input *in,
    const unsigned char *use, const struct cmc_tally *t, struct burin_error *e);

#endif
