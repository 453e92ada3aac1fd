/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rows of CMC share for revocation.
 */

#ifndef BURIN_CMC_REVOKE_H
#define BURIN_CMC_REVOKE_H

#include "transport.h"

/* Contract of transport_revoke; goes the way that c->protocol names. */
int cmc_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e);

#endif
