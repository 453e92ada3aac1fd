/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC over bare TCP (RFC 5273 section 5, RFC 10003).
 */

#ifndef BURIN_CMC_TCP_H
#define BURIN_CMC_TCP_H

#include "transport.h"

#define CMC_TCP_SCHEME "tcp://"

/* tcp://HOST[:PORT] as libcurl takes it, curl_free'd by the caller. */
int cmc_tcp_url(const char *url, char **out, struct burin_error *e);
/* One message there, one back, on one connection. */
int cmc_tcp_submit(const struct transport_config *c,
    const unsigned char *request, size_t len, struct transport_reply *reply,
    struct burin_error *e);

#endif
