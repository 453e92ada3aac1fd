/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files that make a Full PKI Response share.
 */

#ifndef CSR_CMC_ANSWER_H
#define CSR_CMC_ANSWER_H

#include <burin/cmc_server.h>

/* What the RFCs do not let a response say: RFC 10002 sections 4.2 and 6. */
int cmc_check_answer(const struct burin_cmc_answer *a, struct burin_error *e);

#endif
