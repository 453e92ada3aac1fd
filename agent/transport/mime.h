/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC in MIME (RFC 5273 section 3, RFC 10003): for the mail program to send
 * what is in a file, and for what a mail program has saved or hands over. A
 * program of its own, burin-mime, puts mails together and takes them apart.
 */

#ifndef BURIN_MIME_H
#define BURIN_MIME_H

#include "transport.h"

enum mime_kind {
	MIME_SIMPLE_REQUEST,  /* PKCS#10 */
	MIME_FULL_REQUEST,    /* of CMC */
	MIME_SIMPLE_RESPONSE, /* certs-only */
	MIME_FULL_RESPONSE
};

/* The fields of a mail to write; each may be NULL. */
struct mime_head {
	const char *from, *to; /* one address each */
	const char *subject;
	const char *in_reply_to; /* the message ID of a mail that was read */
	const char *references;	 /* its references */
	int auto_replied;	 /* says that no person wrote it (RFC 3834) */
};

/*
 * A mail with the message as its only part. Words that no field can hold are
 * BURIN_EUSAGE "mail-field". free *text.
 */
int mime_write(enum mime_kind kind, const struct mime_head *head,
    const unsigned char *der, size_t len, char **text, size_t *text_len,
    struct burin_error *e);

/* Whether the header of a message begins here. */
int mime_is(const unsigned char *data, size_t len);

/*
 * A mail that was read. Its fields are what its sender wrote, decoded; NULL
 * where there is none, or none that a field of ours could hold.
 */
struct mime_mail {
	char *from;   /* addresses without names, ", " between several */
	char *sender; /* as well */
	char *subject;
	char *message_id; /* without brackets */
	char *references; /* message IDs for who answers it */
	/* what says that it wants no answer (RFC 3834 section 2) */
	char *return_path;    /* "<>": nobody's */
	char *auto_submitted; /* a word that is not "no" */
	char *precedence;
	char *list_id;
	unsigned char *der;
	size_t len;
	enum transport_kind kind; /* what der is; never NOTHING */
};
void mime_mail_clear(struct mime_mail *m);

/* Whose message a mail is to have in it. */
enum mime_side {
	MIME_REQUEST,
	MIME_RESPONSE
};
/*
 * The one request (PKCS#10 or CMC) or response (CMC or certs-only) in a mail,
 * its transfer encoding undone. No such part, two of them, or one that holds
 * no whole message is BURIN_EAUTHORITY "mail-malformed", as is a mail on which
 * the program crashes. When it was ended, or stays, that is BURIN_EINTERRUPTED
 * "mail-stopped". Of a mail that is refused there are the fields
 * that could be read: mime_mail_clear in any case.
 */
int mime_read(const unsigned char *text, size_t text_len, enum mime_side side,
    struct mime_mail *out, struct burin_error *e);

#endif
