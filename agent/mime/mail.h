/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One message of CMC in a mail (RFC 5273 section 3, RFC 10003) with GMime:
 * what burin-mime does between its standard input and output.
 */

#ifndef BURIN_MAIL_H
#define BURIN_MAIL_H

#include <stddef.h>

#define MAIL_MAX (2 * 1024 * 1024) /* bytes of a mail, and of what is in it */
#define MAIL_MAX_DEPTH 8	   /* multiparts and messages in each other */
#define MAIL_MAX_PARTS 64	   /* that are looked at */
#define MAIL_MAX_FIELD 998 /* bytes of one field (RFC 5322 section 2.1.1) */
#define MAIL_MAX_SENDERS 16
#define MAIL_MAX_REFERENCES 16 /* the newest, of a mail that is answered */

/* Whose message is looked for in a mail; a bit mask. */
enum mail_side {
	MAIL_REQUEST = 1,
	MAIL_RESPONSE = 2
};

/*
 * What a mail says of itself, decoded; NULL where it says nothing, more than
 * a field may hold, or has control characters in it.
 */
struct mail {
	/* addresses without names, ", " between them, domains in A-labels */
	char *from;
	char *sender; /* as well; whose the mail is if it is from several */
	char *subject;
	char *message_id; /* without the brackets */
	/*
	 * Message IDs in their brackets, a space between: what it answers, and
	 * so what an answer to it refers to, before it refers to itself.
	 */
	char *references;
	/* what says that it wants no answer (RFC 3834 section 2) */
	char *return_path;    /* "<>": nobody's */
	char *auto_submitted; /* a word that is not "no" */
	char *precedence;     /* "bulk" */
	char *list_id;
	/* its message: the transfer encoding undone, no more */
	unsigned char *body;
	size_t body_len;
};
void mail_clear(struct mail *m);

/*
 * NULL, or why there is not one message of this side in it. A mail without
 * one has its fields all the same: mail_clear.
 */
const char *mail_read(const unsigned char *text, size_t len,
    enum mail_side side, struct mail *out);

/* The fields of a new mail; each may be NULL. */
struct mail_head {
	const char *from, *to; /* one address each */
	const char *subject;
	const char *in_reply_to; /* a message ID without brackets */
	const char *references;	 /* of the mail that is answered */
	int auto_replied;	 /* no person wrote it */
};

/*
 * A mail with body as its only part. kind: "simple-request", "full-request",
 * "simple-response" or "full-response". NULL, or what is wrong with its words.
 * *text is to be freed.
 */
const char *mail_write(const char *kind, const struct mail_head *head,
    const unsigned char *body, size_t len, char **text, size_t *text_len);

#endif
