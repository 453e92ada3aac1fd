/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that come by mail: which mails are answered, and whom they are
 * from (RFC 3834; RFC 2312 section 5.2). Their MIME is agent/mime's.
 */

#ifndef BURIN_AUTHORITY_INTAKE_H
#define BURIN_AUTHORITY_INTAKE_H

#include <openssl/x509v3.h>

#include <burin/error.h>

#include "../transport/mime.h"

/* Bytes of an address: names its owner in the store. */
#define INTAKE_MAX_ADDRESS 128

/*
 * Why nobody answers this mail, NULL: it may be answered. sender: of the
 * envelope, "" and "<>" nobody, NULL unknown; the one address it is from if
 * any is.
 */
const char *intake_unanswered(const struct mime_mail *m, const char *sender);
/*
 * The one address that it is from, and of a plain form. Else BURIN_EAUTHORITY
 * "mail-sender".
 */
int intake_sender(const struct mime_mail *m, struct burin_error *e);
/* 1: a and b are one mailbox (RFC 5280 section 7.5). */
int intake_same_mailbox(
    const char *a, size_t a_len, const char *b, size_t b_len);
/*
 * 1: there are mail addresses in the subject or the names, and all of them are
 * this one.
 */
int intake_names_are(
    const char *address, const X509_NAME *subject, const GENERAL_NAMES *names);

#endif
