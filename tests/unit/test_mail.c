/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Mails as strangers may send them, thousands, in the code that burin-mime
 * is made of: taken apart or refused.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mime/mail.h"
#include "mutate.h"

#define BODY "0123456789abcdef0123456789abcdef0123456789abcdef"

/* In parts, with an encoded word, several senders and a quoted name. */
static const char whole[] =
    "From: \"Alice, of course\" <alice@example.org>, bob@example.org\r\n"
    "Sender: bob@example.org\r\n"
    "Subject: =?utf-8?q?B=C3=B6hm?= asks\r\n"
    "Message-ID: <1.2@example.org>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nhere it is\r\n"
    "--b\r\nContent-Type: application/x-pkcs7-mime; "
    "smime-type=CMC-Request; name=\"smime.p7m\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n"
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm\r\n"
    "--b--\r\n";
/* One field of several, and what a mail server has put before it. */
static const char loop[] =
    "Return-Path: <>\n"
    "Auto-Submitted: NO\nauto-submitted: Auto-Replied ; by=a-program\n"
    "Precedence: bulk\nList-Id: A list <l.example.org>\n"
    "References: <1@example.org> nonsense\n <2@example.org>\n"
    "Content-Type: text/plain\n\nI am on holiday.\n";
static const char other[] =
    "Content-Type: message/rfc822\n\nContent-Type: application/pkcs10\n"
    "Content-Transfer-Encoding: quoted-printable\n\n=30=31\n";

static const char *
take(const char *text, enum mail_side side, struct mail *m)
{
	return mail_read((const unsigned char *)text, strlen(text), side, m);
}

static void
fields(void **state)
{
	struct mail m;

	(void)state;
	assert_null(take(whole, MAIL_REQUEST, &m));
	assert_string_equal(m.from, "alice@example.org, bob@example.org");
	assert_string_equal(m.sender, "bob@example.org");
	assert_string_equal(m.subject, "B\303\266hm asks");
	assert_string_equal(m.message_id, "1.2@example.org");
	assert_int_equal(m.body_len, strlen(BODY));
	assert_memory_equal(m.body, BODY, m.body_len);
	mail_clear(&m);
	assert_null(take(other, MAIL_REQUEST, &m));
	assert_null(m.from);
	assert_null(m.subject);
	assert_int_equal(m.body_len, 3);
	mail_clear(&m);
	/* without a message: the fields are there all the same */
	assert_non_null(take(whole, MAIL_RESPONSE, &m));
	assert_null(m.body);
	assert_string_equal(m.message_id, "1.2@example.org");
	assert_null(m.return_path);
	assert_null(m.auto_submitted);
	assert_null(m.references);
	mail_clear(&m);
}

static void
wants_no_answer(void **state)
{
	char text[128];
	struct mail m;

	(void)state;
	assert_non_null(take(loop, MAIL_REQUEST, &m));
	assert_string_equal(m.return_path, "<>");
	assert_string_equal(m.auto_submitted, "Auto-Replied");
	assert_string_equal(m.precedence, "bulk");
	assert_string_equal(m.list_id, "A list <l.example.org>");
	assert_string_equal(m.references, "<1@example.org> <2@example.org>");
	mail_clear(&m);
	(void)take("Auto-Submitted: no (honestly)\n\n", MAIL_REQUEST, &m);
	assert_null(m.auto_submitted);
	mail_clear(&m);
	/* What cannot be understood is not "no". */
	(void)snprintf(text, sizeof(text), "Auto-Submitted: %0100d\n\n", 0);
	(void)take(text, MAIL_REQUEST, &m);
	assert_non_null(m.auto_submitted);
	mail_clear(&m);
}

static void
froms(void **state)
{
	static const struct {
		const char *from, *want;
	} cases[] = {
		{ "a@b\303\274cher.example", "a@xn--bcher-kva.example" },
		{ "A <a@xn--bcher-kva.example>", "a@xn--bcher-kva.example" },
		{ "\303\266@b.example", "\303\266@b.example" },
		/* not cut to what is an address */
		{ "a@b.example, friends: c@b.example;", NULL },
		{ "friends: a@b.example;", NULL },
		{ "nobody:;, a@b.example", NULL },
	};
	char text[256];
	struct mail m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "From: %s\nContent-Type: application/pkcs10\n\nx\n",
		    cases[i].from);
		assert_null(take(text, MAIL_REQUEST, &m));
		if (cases[i].want == NULL)
			assert_null(m.from);
		else
			assert_string_equal(m.from, cases[i].want);
		mail_clear(&m);
	}
}

/* A field that would be two in a mail of ours, or none at all. */
static void
not_a_field(void **state)
{
	static const char tail[] = "Content-Type: application/pkcs10\n\nx\n";
	static const char head[] =
	    "Subject: =?utf-8?q?a=0D=0ABcc=3A_b=40example=2Eorg?=\n"
	    "Message-ID: <a b@example.org>\nFrom: nobody:;\n";
	char *text = malloc(2 * MAIL_MAX_FIELD + sizeof(head) + sizeof(tail));
	struct mail m;

	(void)state;
	assert_non_null(text);
	(void)strcpy(stpcpy(text, head), tail);
	assert_null(take(text, MAIL_REQUEST, &m));
	assert_null(m.subject);
	assert_null(m.from);
	if (m.message_id != NULL)
		assert_null(strpbrk(m.message_id, "<> "));
	mail_clear(&m);
	(void)strcpy(text, "Subject: ");
	memset(text + 9, 'a', MAIL_MAX_FIELD + 1);
	text[9 + MAIL_MAX_FIELD + 1] = '\n';
	(void)strcpy(text + 9 + MAIL_MAX_FIELD + 2, tail);
	assert_null(take(text, MAIL_REQUEST, &m));
	assert_null(m.subject);
	mail_clear(&m);
	free(text);
}

/* Whatever is damaged: read as the message it was, or refused. */
static void
damaged(void **state)
{
	struct mutator mu = { .state = 4 };
	unsigned char *out = malloc(sizeof(whole) + MUTATE_ROOM);
	const char *why;
	struct mail m;
	unsigned i, right = 0;
	size_t n;

	(void)state;
	assert_non_null(out);
	for (i = 0; i < 3000; i++) {
		n = mutate(&mu, i, (const unsigned char *)whole,
		    sizeof(whole) - 1, (const unsigned char *)other,
		    sizeof(other) - 1, out);
		why = mail_read(out, n, MAIL_REQUEST, &m);
		if (why == NULL) {
			right++;
			assert_non_null(m.body);
			assert_true(m.body_len <= n);
		} else {
			assert_null(m.body);
		}
		mail_clear(&m);
	}
	print_message("%u of 3000 damaged mails still hold a part\n", right);
	assert_in_range(right, 1, 2900);
	free(out);
}

static void
no_kind(void **state)
{
	static const struct mail_head head = { .to = NULL };
	size_t len;
	char *text;

	(void)state;
	assert_non_null(mail_write(
	    "letter", &head, (const unsigned char *)"x", 1, &text, &len));
	assert_null(text);
}

static void
answers(void **state)
{
	static const struct mail_head head = { .from = "ca@example.org",
		.to = "alice@example.org",
		.in_reply_to = "3@example.org",
		.references = "<1@example.org> <2@example.org>",
		.auto_replied = 1 };
	static const struct mail_head bad[] = {
		{ .from = "a@example.org, b@example.org" },
		{ .in_reply_to = "1", .references = "<2>\nBcc: <3>" },
	};
	static const unsigned char x[] = "x";
	size_t len, i;
	char *text;

	(void)state;
	assert_null(mail_write("full-response", &head, x, 1, &text, &len));
	assert_non_null(strstr(text, "From: ca@example.org\n"));
	assert_non_null(strstr(text, "\nTo: alice@example.org\n"));
	assert_non_null(strstr(text, "\nAuto-Submitted: auto-replied\n"));
	assert_non_null(strstr(text, "\nIn-Reply-To: <3@example.org>\n"));
	assert_non_null(strstr(text,
	    "\nReferences: <1@example.org> <2@example.org> "
	    "<3@example.org>\n"));
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_non_null(
		    mail_write("full-response", &bad[i], x, 1, &text, &len));
		assert_null(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(wants_no_answer),
		cmocka_unit_test(froms),
		cmocka_unit_test(not_a_field),
		cmocka_unit_test(damaged),
		cmocka_unit_test(no_kind),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
