/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC in MIME (RFC 5273 section 3, RFC 10003): for the mail program to send
 * what is in a file, and for what a mail program has saved.
 */

#ifndef BURIN_MIME_H
#define BURIN_MIME_H

#include "transport.h"

#define MIME_MAX_DEPTH 8  /* multiparts and messages in each other */
#define MIME_MAX_PARTS 64 /* that are looked at */

/* A message with the request as its only part. free *text. */
int mime_write(const unsigned char *der, size_t len, char **text,
    size_t *text_len, struct burin_error *e);

/* Whether the header of a message begins here. */
int mime_is(const unsigned char *data, size_t len);

/*
 * The one CMC or certs-only part, its transfer encoding undone. No such part,
 * two of them, or one that holds no whole message is BURIN_EAUTHORITY
 * "mail-malformed". free *der.
 */
int mime_read(const unsigned char *text, size_t text_len, unsigned char **der,
    size_t *len, struct burin_error *e);

#endif
