/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Unsigned attributes of a message that is made already: they lie outside the
 * signature or MAC (RFC 5652 sections 5.3 and 9.1), which holds as before.
 */

#ifndef CSR_CMS_UNSIGNED_H
#define CSR_CMS_UNSIGNED_H

#include <stddef.h>

#include <openssl/asn1.h>

#include <burin/cms.h>

/*
 * Takes the attribute with this OID out of every signer, or of
 * AuthenticatedData: *values are its values, each a SEQUENCE, and *out is the
 * message without it. Both are NULL when it is not there. Refused with status:
 * signers that differ in it, the attribute twice or without value.
 */
int csr_unsigned_take(const void *der, size_t len, const char *oid,
    enum burin_status status, STACK_OF(ASN1_TYPE) * *values,
    unsigned char **out, size_t *out_len, struct burin_error *e);
/* The same message with the attribute, in every signer. */
int csr_unsigned_put(const void *der, size_t len, const char *oid,
    const STACK_OF(ASN1_TYPE) * values, unsigned char **out, size_t *out_len,
    struct burin_error *e);

#endif
