/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rows of CMC share for services that need no job: one message, one
 * answer.
 */

#ifndef BURIN_CMC_ASK_H
#define BURIN_CMC_ASK_H

#include "transport.h"

/*
 * Contracts of transport_revoke, transport_fetch and transport_publish; they
 * go the way that c->protocol names.
 */
int cmc_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e);
int cmc_fetch(const struct transport_config *c,
    const struct transport_wanted *wanted, struct transport_found *found,
    struct burin_error *e);
int cmc_publish(const struct transport_config *c,
    const struct transport_publication *what, struct burin_error *e);

#endif
