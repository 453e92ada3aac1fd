/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files that make requests and responses share.
 */

#ifndef CSR_CMC_MAKE_H
#define CSR_CMC_MAKE_H

#include <burin/cmc.h>

#include "requests.h"

/* What the RFCs do not let a message say: RFC 10002 sections 3.2 and 6. */
int cmc_check_ask(const struct burin_cmc_ask *ask,
    const struct cmc_requests *reqs, struct burin_error *e);
/* Of what goes into a message: "octets-too-long", "text-malformed". */
int cmc_check_octets(const struct burin_cmc_octets *o, const char *what,
    const char *section, struct burin_error *e);
/* UTF-8, without control characters; text NULL is none. */
int cmc_check_text(const char *text, const char *what, const char *section,
    struct burin_error *e);
/*
 * DER of PKIData. The order of the controls is fixed, so that equal wishes
 * give equal octets; their body part ids follow those of the requests.
 */
int cmc_data_make(const struct burin_cmc_ask *ask,
    const struct cmc_requests *reqs, unsigned char **der, size_t *len,
    struct burin_error *e);

#endif
