/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One exchange over HTTPS (or HTTP) with libcurl: the server authenticated by
 * given anchors only, the client by a token key or a password, everything
 * bounded.
 */

#ifndef BURIN_HTTP_H
#define BURIN_HTTP_H

#include "transport.h"

#define HTTP_MAX_TYPE 128 /* bytes of Content-Type that are kept */

struct http_request {
	const struct transport_config *c;
	const char *url;
	int authenticate_server;  /* 0 only for the first contact */
	const char *content_type; /* of body; NULL: GET */
	const char *body;	  /* text; with raw: bytes */
	int raw; /* no EST: no base64, and an http:// address is taken */
	/* a connection that the next exchange may use again; NULL: none */
	void **keep;
	size_t body_len;
	const char *accept; /* media types, NULL: any */
};

struct http_response {
	long status;
	char type[HTTP_MAX_TYPE]; /* media type, lower case, no parameters */
	unsigned char *body;	  /* malloc'd, NUL behind it */
	size_t len;
	long retry_after; /* seconds, -1: not given */
};

/*
 * Answers challenges (Basic or Digest) once, when the server is
 * authenticated and a user is configured; follows redirects within the same
 * origin. Network and TLS failures are BURIN_EINTERRUPTED; any HTTP status
 * is an answer, not a failure.
 */
int http_exchange(const struct http_request *q, struct http_response *r,
    struct burin_error *e);
void http_response_clear(struct http_response *r);
/* Ends what http_request.keep has kept, and sets it to NULL. */
void http_disconnect(void **keep);

/*
 * An address is stored, shown and seen by everybody in the list of processes:
 * no place for a password. The address is not quoted.
 */
int http_refuse_userinfo(
    const char *option, const char *url, struct burin_error *e);

/* A failure of libcurl (a CURLcode) in our words; message "": its own. */
int http_fail(
    int code, const char *message, const char *url, struct burin_error *e);

#endif
