/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * MIME by burin-mime (agent/mime/burin_mime.c): what goes to it and what comes
 * back. What a part holds is judged here, by its content.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "helper/helper.h"
#include "message.h"
#include "mime/mail.h"
#include "mime.h"

#define SECONDS 30
#define MAX_LINE 32768 /* of JSON before a message */

static int
fail_mail(const char *why, struct burin_error *e)
{
	burin_fail(
	    e, BURIN_EAUTHORITY, "mail-malformed", "the mail message %s", why);
	return burin_error_rule(e, "RFC 5273 section 3");
}

/* The line of JSON that begins an answer; *n: how long it is. */
static json_t *
first_line(const struct helper_answer *a, size_t *n)
{
	const unsigned char *end = memchr(a->bytes, '\n', a->len);

	*n = end != NULL ? (size_t)(end - a->bytes) + 1 : 0;
	return json_loadb((const char *)a->bytes, *n, 0, NULL);
}

/* Why it did not do it, in words that go on after "the mail message". */
static void
reason(const struct helper_answer *a, char *why, size_t size)
{
	size_t n;
	json_t *o;
	const char *said;

	switch (a->end) {
	case HELPER_LATE:
		(void)snprintf(why, size,
		    "keeps burin-mime busy for longer than %d seconds",
		    SECONDS);
		return;
	case HELPER_TALKS:
		(void)snprintf(why, size, "is longer than one may be");
		return;
	case HELPER_CRASHED:
		(void)snprintf(why, size,
		    "cannot be read: burin-mime crashed (signal %d)", a->value);
		return;
	case HELPER_EXITED:
		break;
	}
	o = first_line(a, &n);
	said = json_string_value(json_object_get(o, "error"));
	(void)snprintf(why, size, "%s",
	    said != NULL ? said : "cannot be read: burin-mime failed");
	json_decref(o);
}

/*
 * Who ended it, the kernel or somebody, meant more than this mail; and the next
 * time there may be time enough.
 */
static int
was_stopped(const struct helper_answer *a)
{
	return a->end == HELPER_LATE ||
	    (a->end == HELPER_CRASHED &&
		(a->value == SIGKILL || a->value == SIGTERM));
}

static int
fail_stopped(const char *why, struct burin_error *e)
{
	return burin_fail(
	    e, BURIN_EINTERRUPTED, "mail-stopped", "the mail message %s", why);
}

static int
run(const char **argv, const void *input, size_t len, struct helper_answer *a,
    struct burin_error *e)
{
	struct helper h = {
		.name = "burin-mime",
		.argv = argv,
		.input = input,
		.input_len = len,
		.bare = 1,
		.max_answer = MAX_LINE + MAIL_MAX,
		.seconds = SECONDS,
	};

	return helper_run(&h, a, e);
}

static int
did(const struct helper_answer *a)
{
	return a->end == HELPER_EXITED && a->value == 0;
}

int
mime_write(enum mime_kind kind, const struct mime_head *head,
    const unsigned char *der, size_t len, char **text, size_t *text_len,
    struct burin_error *e)
{
	static const char *const words[] = {
		[MIME_SIMPLE_REQUEST] = "simple-request",
		[MIME_FULL_REQUEST] = "full-request",
		[MIME_SIMPLE_RESPONSE] = "simple-response",
		[MIME_FULL_RESPONSE] = "full-response",
	};
	const char *const fields[][2] = {
		{ "--from", head->from },
		{ "--to", head->to },
		{ "--subject", head->subject },
		{ "--in-reply-to", head->in_reply_to },
		{ "--references", head->references },
		{ "--auto-replied", head->auto_replied ? "yes" : NULL },
	};
	const char *argv[16] = { NULL, "write", words[kind] };
	struct helper_answer a;
	char why[256];
	size_t i, n = 3;
	int stopped;

	*text = NULL;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i][1] != NULL) {
			argv[n++] = fields[i][0];
			argv[n++] = fields[i][1];
		}
	if (run(argv, der, len, &a, e) != 0)
		return -1;
	if (!did(&a)) {
		reason(&a, why, sizeof(why));
		stopped = was_stopped(&a);
		helper_answer_clear(&a);
		if (stopped)
			return fail_stopped(why, e);
		return burin_fail(
		    e, BURIN_EUSAGE, "mail-field", "the mail message %s", why);
	}
	*text = (char *)a.bytes;
	*text_len = a.len;
	return 0;
}

static int
line_begins(const unsigned char *p, const unsigned char *end, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(end - p) >= n &&
	    strncasecmp((const char *)p, name, n) == 0;
}

int
mime_is(const unsigned char *data, size_t len)
{
	const unsigned char *p = data, *end = data + len;

	/* Text before a PEM block may have colons too, but not these. */
	while (p != NULL && p < end && *p != '\n' && *p != '\r') {
		if (line_begins(p, end, "MIME-Version:") ||
		    line_begins(p, end, "Content-Type:"))
			return 1;
		p = memchr(p, '\n', (size_t)(end - p));
		if (p != NULL)
			p++;
	}
	return 0;
}

void
mime_mail_clear(struct mime_mail *m)
{
	free(m->from);
	free(m->sender);
	free(m->subject);
	free(m->message_id);
	free(m->references);
	free(m->return_path);
	free(m->auto_submitted);
	free(m->precedence);
	free(m->list_id);
	free(m->der);
	memset(m, 0, sizeof(*m));
}

static int
take_fields(const json_t *o, struct mime_mail *out, struct burin_error *e)
{
	const struct {
		const char *name;
		char **at;
	} fields[] = {
		{ "from", &out->from },
		{ "sender", &out->sender },
		{ "subject", &out->subject },
		{ "message-id", &out->message_id },
		{ "references", &out->references },
		{ "return-path", &out->return_path },
		{ "auto-submitted", &out->auto_submitted },
		{ "precedence", &out->precedence },
		{ "list-id", &out->list_id },
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		value = json_string_value(json_object_get(o, fields[i].name));
		if (value != NULL && (*fields[i].at = strdup(value)) == NULL)
			return burin_fail_memory(e);
	}
	return 0;
}

/* The bytes behind the first line. */
static int
take_message(const unsigned char *der, size_t len, enum mime_side side,
    struct mime_mail *out, struct burin_error *e)
{
	out->kind = message_kind(der, len);
	if (out->kind == TRANSPORT_NOTHING ||
	    (side == MIME_RESPONSE && out->kind != TRANSPORT_CMC))
		return fail_mail(side == MIME_REQUEST
			? "holds no whole request"
			: "holds no whole CMC message",
		    e);
	if ((out->der = malloc(len)) == NULL)
		return burin_fail_memory(e);
	memcpy(out->der, der, len);
	out->len = len;
	return 0;
}

/* The first line and what is behind it. */
static int
take(const struct helper_answer *a, enum mime_side side, struct mime_mail *out,
    struct burin_error *e)
{
	char why[256];
	size_t n;
	json_t *o = first_line(a, &n);
	int rc = -1;

	if (o != NULL && take_fields(o, out, e) != 0)
		goto out;
	if (!did(a)) {
		reason(a, why, sizeof(why));
		(void)(was_stopped(a) ? fail_stopped(why, e)
				      : fail_mail(why, e));
	} else if (o == NULL) {
		(void)fail_mail("cannot be read: burin-mime failed", e);
	} else {
		rc = take_message(a->bytes + n, a->len - n, side, out, e);
	}
out:
	json_decref(o);
	return rc;
}

int
mime_read(const unsigned char *text, size_t text_len, enum mime_side side,
    struct mime_mail *out, struct burin_error *e)
{
	const char *argv[4] = { NULL, "read",
		side == MIME_REQUEST ? "request" : "response" };
	struct helper_answer a;
	int rc;

	memset(out, 0, sizeof(*out));
	if (run(argv, text, text_len, &a, e) != 0)
		return -1;
	rc = take(&a, side, out, e);
	helper_answer_clear(&a);
	return rc;
}
