/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * unsignedData, which an RA lifts out of the messages it passes on: RFC 10002
 * section 3.2.3.
 */

#ifndef CSR_CMC_UNSIGNED_H
#define CSR_CMC_UNSIGNED_H

#include <burin/cmc_server.h>

#include "asn1.h"

#define CMC_OID_UNSIGNED_DATA "1.2.840.113549.1.9.16.2.34"

/*
 * Takes it out of a message that gets this id in ours: its values, with id
 * before their paths, go behind those in all. *out is the message without
 * it; NULL: there was none.
 */
int cmc_unsigned_lift(const unsigned char *der, size_t len, uint32_t id,
    STACK_OF(ASN1_TYPE) * all, unsigned char **out, size_t *out_len,
    struct burin_error *e);

#endif
