/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the protocols over HTTP make of an answer.
 */

#ifndef BURIN_HTTP_ANSWER_H
#define BURIN_HTTP_ANSWER_H

#include "http.h"

/* The authority's own words: the start of a text body, in one line. */
void http_words(const struct http_response *r, char *words, size_t size);
/* A status that is a refusal, or a reason to come back. Returns -1. */
int http_refuse(
    const struct http_response *r, const char *url, struct burin_error *e);
/* The media type that certificates and CMC messages come as. */
int http_is_pkcs7(const struct http_response *r);
/* Another one came: BURIN_EAUTHORITY "answer-type". Returns -1. */
int http_refuse_type(
    const struct http_response *r, const char *url, struct burin_error *e);
/* The body becomes the reply's. */
void http_take_body(struct http_response *r, struct transport_reply *reply);

#endif
