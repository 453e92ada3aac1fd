/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin-mime: a mail from or to its standard streams, for agent/transport/
 * mime.c. A program by itself because GMime and its libraries would be loaded
 * at each start of burin, and because what strangers send is taken apart here.
 *
 *	burin-mime write KIND [--from ADDRESS] [--to ADDRESS]
 *	    [--subject TEXT] [--in-reply-to ID [--references IDS]]
 *	    [--auto-replied yes]	a message in, a mail out
 *	burin-mime read request|response
 *	    a mail in; out a line of JSON with its fields (head_of) as far as
 *	    they are there, then the message's bytes
 *
 * Exit status 0; 1: no, and a line of JSON with the reason in "error", and of a
 * mail its fields; 2: not called like this.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <jansson.h>

#include "mail.h"

#define REFUSED 1
#define USAGE 2

static int
line(json_t *o)
{
	int rc = o != NULL && json_dumpf(o, stdout, JSON_COMPACT) == 0 &&
	    putchar('\n') != EOF;

	json_decref(o);
	return rc ? 0 : -1;
}

static int
refuse_with(json_t *o, const char *why)
{
	if (o != NULL && json_object_set_new(o, "error", json_string(why)) != 0)
		(void)fputs("burin-mime: no memory\n", stderr);
	(void)line(o);
	(void)fflush(stdout);
	return REFUSED;
}

static int
refuse(const char *why)
{
	return refuse_with(json_object(), why);
}

/* All of standard input, or NULL and why not. */
static unsigned char *
take_all(size_t *len, const char **why)
{
	unsigned char *data = malloc(MAIL_MAX + 1);
	ssize_t n;

	*len = 0;
	*why = "needs more memory than there is";
	while (data != NULL && *len <= MAIL_MAX) {
		n = read(STDIN_FILENO, data + *len, MAIL_MAX + 1 - *len);
		if (n == 0)
			return data;
		if (n > 0)
			*len += (size_t)n;
		else if (errno != EINTR)
			break;
		*why =
		    n > 0 ? "is longer than a mail may be" : "cannot be read";
	}
	free(data);
	return NULL;
}

static int
give(const void *bytes, size_t len)
{
	return fwrite(bytes, 1, len, stdout) == len && fflush(stdout) == 0
	    ? 0
	    : REFUSED;
}

static json_t *
head_of(const struct mail *m)
{
	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, "
			 "s:s*}",
	    "from", m->from, "sender", m->sender, "subject", m->subject,
	    "message-id", m->message_id, "references", m->references,
	    "return-path", m->return_path, "auto-submitted", m->auto_submitted,
	    "precedence", m->precedence, "list-id", m->list_id);
}

static int
do_read(const unsigned char *text, size_t len, enum mail_side side)
{
	struct mail m;
	const char *why = mail_read(text, len, side, &m);
	int rc;

	if (why != NULL)
		rc = refuse_with(head_of(&m), why);
	else if (line(head_of(&m)) != 0)
		rc = REFUSED;
	else
		rc = give(m.body, m.body_len);
	mail_clear(&m);
	return rc;
}

static int
do_write(const char *kind, const struct mail_head *head,
    const unsigned char *body, size_t len)
{
	size_t text_len = 0;
	char *text;
	const char *why = mail_write(kind, head, body, len, &text, &text_len);
	int rc = why != NULL ? refuse(why) : give(text, text_len);

	free(text);
	return rc;
}

static int
usage(void)
{
	(void)fputs("usage: burin-mime write KIND [--from ADDRESS] "
		    "[--to ADDRESS] [--subject TEXT] [--in-reply-to ID] "
		    "[--references IDS] [--auto-replied yes]\n"
		    "       burin-mime read request|response\n",
	    stderr);
	return USAGE;
}

static int
options(struct mail_head *head, int argc, char **argv)
{
	int i;

	for (i = 0; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--from") == 0)
			head->from = argv[i + 1];
		else if (strcmp(argv[i], "--references") == 0)
			head->references = argv[i + 1];
		else if (strcmp(argv[i], "--auto-replied") == 0)
			head->auto_replied = 1;
		else if (strcmp(argv[i], "--to") == 0)
			head->to = argv[i + 1];
		else if (strcmp(argv[i], "--subject") == 0)
			head->subject = argv[i + 1];
		else if (strcmp(argv[i], "--in-reply-to") == 0)
			head->in_reply_to = argv[i + 1];
		else
			return -1;
	}
	return i == argc ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct mail_head head = { .to = NULL };
	enum mail_side side = MAIL_RESPONSE;
	unsigned char *data;
	const char *why;
	size_t len;
	int rc, reads;

	/* Who asked is gone: nobody limits the time of this any more. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc < 3)
		return usage();
	reads = strcmp(argv[1], "read") == 0;
	if (reads && argc == 3 && strcmp(argv[2], "request") == 0)
		side = MAIL_REQUEST;
	else if (reads && (argc != 3 || strcmp(argv[2], "response") != 0))
		return usage();
	if (!reads &&
	    (strcmp(argv[1], "write") != 0 ||
		options(&head, argc - 3, argv + 3) != 0))
		return usage();
	if ((data = take_all(&len, &why)) == NULL)
		return refuse(why);
	rc = reads ? do_read(data, len, side)
		   : do_write(argv[2], &head, data, len);
	free(data);
	return rc;
}
