/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside CMP: what is asked (cmp.c), one transaction of OpenSSL's client
 * (cmp_open.c), the way of its messages over HTTP (cmp_http.c), and what it
 * ended with (cmp_why.c).
 */

#ifndef BURIN_CMP_H
#define BURIN_CMP_H

#include <time.h>

#include <openssl/cmp.h>

#include "transport.h"

/* One transaction. All zero, then cmp_url and cmp_open. */
struct cmp {
	const struct transport_config *c;
	OSSL_CMP_CTX *ctx;
	char *url;
	void *connection;	 /* of http.h: one for all messages */
	time_t deadline;	 /* of the whole transaction */
	EVP_PKEY *pub;		 /* the certificate must be for it; borrowed */
	int answers;		 /* messages that came back */
	int wrong_key;		 /* the certificate is for another key */
	struct burin_error http; /* why a message did not arrive */
};

/* The client with its protection and anchors; cmp_close, also on failure. */
int cmp_open(
    struct cmp *s, const struct transport_config *c, struct burin_error *e);
void cmp_close(struct cmp *s);
/* NID of a hash as strong as the curve (RFC 5758), for POP and protection. */
int cmp_digest(EVP_PKEY *pub);

/* The address that is posted to; "" as path is /.well-known/cmp. free(). */
int cmp_url(const char *base, char **url, struct burin_error *e);
/* OSSL_CMP_transfer_cb_t; its argument is a struct cmp. */
OSSL_CMP_MSG *cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request);

/* Why OpenSSL's client gave up, or what the authority said. Returns -1. */
int cmp_fail(struct cmp *s, struct burin_error *e);
/* The texts of the last PKIStatusInfo, in one line; "" when there is none. */
void cmp_words(const struct cmp *s, char *words, size_t size);

#endif
