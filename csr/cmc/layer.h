/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files that make an RA's layer share.
 */

#ifndef CSR_CMC_LAYER_H
#define CSR_CMC_LAYER_H

#include <burin/cmc_server.h>

/* What the RFCs do not let an RA send on: RFC 10002 section 7. */
int cmc_check_layer(const struct burin_cmc_layer *l, struct burin_error *e);

#endif
