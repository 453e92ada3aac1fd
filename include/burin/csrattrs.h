/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an EST server says it wants to find in requests: CSR attributes
 * (RFC 7030 section 4.5.2, RFC 8951 section 3.5, RFC 9908).
 */

#ifndef BURIN_CSRATTRS_H
#define BURIN_CSRATTRS_H

#include <stddef.h>

#include <burin/error.h>
#include <burin/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * CsrAttrs of a profile, once as the list that every client knows and once as
 * the template of RFC 9908 section 3.4, which a client that knows it takes
 * alone: the first key type, the extensions of [request], in the template
 * also, without a value, those the authority copies and the client fills in.
 * link 1: requests are linked to their TLS session (RFC 7030 section 3.5).
 * *der is OPENSSL_free'd by the caller.
 */
int burin_csrattrs_make(const struct burin_profile *p, int link,
    unsigned char **der, size_t *der_len, struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
