/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority intake: one mail on standard input, its answer on standard
 * output, for the pipe of a mail server. The mail is read before there is a
 * token, the request by a front that never has one.
 */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "../authority/authority.h"
#include "../authority/intake.h"
#include "../mime/mail.h"
#include "front.h"
#include "verbs.h"

#define READ_SECONDS 60 /* for all of the mail */

static const struct opt intake_opts[] = {
	{ "sender", 0, OPT_VALUE, "ADDRESS",
	    "of the envelope; empty or \"<>\" is nobody" },
	{ "reply-from", 0, OPT_VALUE, "ADDRESS", "whom the answer is from" },
	{ "profile", 0, OPT_VALUE, "PROFILE",
	    "of requests that no invite has a profile for" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const intake_groups[] = { intake_opts, opts_dry_run,
	opts_common, NULL };

/*
 * A mail server knows sysexits(3), and returns a mail to its sender unless it
 * is told to try again. Whoever is written there as the sender may have sent
 * nothing, so that none is returned for what is wrong with it.
 */
static int
intake_status(int status)
{
	return status == BURIN_OK ? BURIN_OK : EX_TEMPFAIL;
}

/* --- the mail ------------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
not_read(const char *why, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "mail-unreadable",
	    "cannot read the mail from standard input: %s", why);
}

/* What is too long is read to its end all the same: who writes it waits. */
static int
read_all(unsigned char *text, size_t *len, struct burin_error *e)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t end = now_ms() + READ_SECONDS * 1000, left;
	unsigned char *at;
	ssize_t n;

	*len = 0;
	while ((left = end - now_ms()) > 0) {
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		at = *len <= MAIL_MAX ? text + *len : text;
		n = read(STDIN_FILENO, at,
		    *len <= MAIL_MAX ? MAIL_MAX + 1 - *len : MAIL_MAX);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return not_read(strerror(errno), e);
		if (n > 0 && *len <= MAIL_MAX)
			*len += (size_t)n;
	}
	return not_read("it did not come to its end", e);
}

static int
read_mail(struct mime_mail *m, struct burin_error *e)
{
	unsigned char *text = malloc(MAIL_MAX + 1);
	size_t len;
	int rc = -1;

	memset(m, 0, sizeof(*m));
	if (text == NULL)
		return burin_fail_memory(e);
	if (read_all(text, &len, e) != 0)
		goto out;
	if (len > MAIL_MAX)
		(void)burin_fail(e, BURIN_EAUTHORITY, "mail-too-long",
		    "the mail message is longer than %d bytes", MAIL_MAX);
	else
		rc = mime_read(text, len, MIME_REQUEST, m, e);
out:
	free(text);
	return rc;
}

/* --- the answer ----------------------------------------------------------- */

static int
print_reply(struct cli *c, const struct mime_mail *m,
    const struct authority_mail_reply *r, struct burin_error *e)
{
	char subject[96];
	const struct mime_head head = {
		.from = arg_value(c->args, "reply-from"),
		.to = m->from,
		.subject = subject,
		.in_reply_to = m->message_id,
		.references = m->references,
		.auto_replied = 1,
	};
	size_t len;
	char *text;
	int rc = 0;

	(void)snprintf(subject, sizeof(subject),
	    "Answer of the authority: %s%s%s", r->status,
	    r->fail[0] != '\0' ? ", " : "", r->fail);
	if (mime_write(r->full ? MIME_FULL_RESPONSE : MIME_SIMPLE_RESPONSE,
		&head, r->der, r->len, &text, &len, e) != 0)
		return -1;
	out_json(c, "cmc", json_text(r->status));
	if (r->fail[0] != '\0')
		out_json(c, "failInfo", json_text(r->fail));
	out_json(c, "who", json_text(r->who));
	out_json(c, "mail", json_text(text));
	if (c->json == NULL &&
	    (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0))
		rc = burin_fail(e, BURIN_EINTERNAL, "mail-unwritten",
		    "cannot write the answer to standard output");
	free(text);
	return rc;
}

/*
 * Standard output is a mail that goes out as it is: the front, which has read
 * what a stranger wrote, does not have it.
 */
static void
be_front(struct cli *c, int fd, const struct authority_mail *in,
    struct authority_mail_reply *r)
{
	const char *const *words;

	if (dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		front_ends(c, -1);
	front_begins(c);
	(void)arg_words(c->args, &words);
	front_ends(c, authority_front_mail(words[0], fd, in, r));
}

/* In two processes, as "serve"; *r is there for both, until one has ended. */
static int
answer(struct cli *c, const struct authority_mail *in,
    struct authority_mail_reply **r, struct burin_error *e)
{
	struct authority_front f = { .fd = -1 };
	const char *const *words;

	(void)arg_words(c->args, &words);
	if (authority_fork(getppid(), &f, e) != 0)
		return -1;
	if (f.pid == 0)
		be_front(c, f.fd, in, *r);
	if (front_keep(c, words[0], &f, e) != 0)
		return -1;
	return authority_mail_reply_check(r, e);
}

/* --- all of it ------------------------------------------------------------ */

static int
take(struct cli *c, const struct mime_mail *m, struct burin_error *e)
{
	struct authority_mail in = { .der = m->der,
		.len = m->len,
		.from = m->from,
		.profile = arg_value(c->args, "profile") };
	struct authority_mail_reply *r;
	int rc = -1;

	out_json(c, "from", json_text(m->from));
	out_json(c, "answered", json_boolean(!c->dry_run));
	if (c->dry_run) {
		out_text(c, "would answer %s from %s",
		    m->kind == TRANSPORT_CMC ? "a message of CMC"
					     : "a PKCS#10 request",
		    m->from);
		return 0;
	}
	if ((r = authority_mail_reply_new(e)) == NULL)
		return -1;
	if (answer(c, &in, &r, e) == 0)
		rc = print_reply(c, m, r, e);
	authority_mail_reply_free(&r);
	return rc;
}

static void
leave(struct cli *c, const char *why)
{
	out_json(c, "answered", json_boolean(0));
	out_json(c, "why", json_text(why));
	out_note(c, "the mail is not answered: %s", why);
}

static int
run_intake(struct cli *c, struct burin_error *e)
{
	struct mime_mail m;
	const char *why;
	int rc = read_mail(&m, e);

	/* Nobody gets an answer to this one, whatever is in it. */
	why = intake_unanswered(&m, arg_value(c->args, "sender"));
	if (why == NULL && rc == 0)
		rc = intake_sender(&m, e);
	if (why == NULL && rc != 0 && e->status == BURIN_EAUTHORITY)
		why = e->reason;
	if (why != NULL) {
		leave(c, why);
		burin_error_clear(e);
		rc = 0;
	} else if (rc == 0) {
		rc = take(c, &m, e);
	}
	mime_mail_clear(&m);
	return rc;
}

const struct verb verb_authority_intake = {
	.name = "authority",
	.sub = "intake",
	.usage = "DIR",
	.help = "answer the request in a mail, for a mail server's pipe",
	.opts = intake_groups,
	.min_words = 1,
	.max_words = 1,
	.exit_status = intake_status,
	.run = run_intake,
};
