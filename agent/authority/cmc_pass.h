/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the parts of what an RA does with a message.
 */

#ifndef BURIN_AUTHORITY_CMC_PASS_H
#define BURIN_AUTHORITY_CMC_PASS_H

#include "cmc_issue.h"
#include "ra.h"

#define NO_PROFILE "-" /* of what is kept: the CA chose */

/* --- cmc_pass.c ----------------------------------------------------------- */

/* What the next server is asked for: as agreed, or by the path; or NULL. */
const char *cmc_pass_profile(const struct cmc_work *w);
/* --- cmc_passed.c --------------------------------------------------------- */

/*
 * Before anything leaves: of two messages with one secret only one is passed
 * on. And that one again, when its answer was lost.
 */
int cmc_pass_reserve(struct cmc_work *w, struct burin_error *e);
int cmc_pass_full(
    struct cmc_work *w, struct ra_item *item, struct burin_error *e);
/*
 * How it went, with what follows from that: certificates of certs that the CA
 * issued for this message are kept, and lines in the audit log.
 */
int cmc_pass_note(struct cmc_work *w, enum burin_cmc_status status,
    const char *what, const STACK_OF(X509) * certs, struct burin_error *e);
/*
 * What the next server does not stand is the sender's to know; that it cannot
 * be asked, or does not take us for an RA, is ours. -1.
 */
int cmc_not_passed(struct cmc_work *w, struct burin_error *e);

/* --- cmc_simple.c --------------------------------------------------------- */

int cmc_pass_simple(
    struct cmc_work *w, struct ra_item *item, struct burin_error *e);
/* 1: it polls for a Simple request that we passed on, and is answered. */
int cmc_poll_simple(struct cmc_work *w, struct burin_error *e);

#endif
