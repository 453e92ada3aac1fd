/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the operations of EST (RFC 7030) have in common.
 */

#ifndef BURIN_EST_H
#define BURIN_EST_H

#include "http.h"

/*
 * "https://HOST", or with /.well-known/est and at most one label behind it
 * (RFC 7030 section 3.2.2), plus the operation. curl_free'd by the caller.
 */
int est_url(
    const char *base, const char *operation, char **out, struct burin_error *e);
/* DER to one line of base64: RFC 8951 section 3 wants no line breaks. */
int est_encode(
    const unsigned char *der, size_t len, char **out, struct burin_error *e);
/* Status 202 (RFC 7030 section 4.2.3): when to come back. */
void est_pending(const struct http_response *r, struct transport_reply *reply);

/* As in struct transport_protocol. */
int est_check(const struct transport_config *c, struct burin_error *e);
int est_cacerts(const struct transport_config *c, struct transport_reply *reply,
    struct burin_error *e);

#endif
