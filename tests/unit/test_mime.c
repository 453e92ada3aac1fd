/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC in mail: what we write is read by another program, what it writes is
 * read by us, and what is wrong is refused.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/cmc_peer.h"
#include "transport/mime.h"
#include "unit/scratch.h"

#define PYTHON "python3 " TEST_DIR "/unit/mail.py"
#define MANY 15000

static struct cmc_parts parts;
static char dir[32], mail[64], bytes[64];

static int
start(void **state)
{
	(void)state;
	if (system("python3 -c 'import email'") != 0)
		exit(77);
	cmc_parts_make(&parts);
	scratch_make(dir);
	(void)snprintf(mail, sizeof(mail), "%s/mail", dir);
	(void)snprintf(bytes, sizeof(bytes), "%s/bytes", dir);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	scratch_remove(dir);
	cmc_parts_free(&parts);
	return 0;
}

static void
put(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static unsigned char *
get(const char *path, size_t *len)
{
	unsigned char *data = malloc(TRANSPORT_MAX_BODY);
	FILE *f = fopen(path, "rb");

	assert_non_null(data);
	assert_non_null(f);
	*len = fread(data, 1, TRANSPORT_MAX_BODY, f);
	assert_int_equal(fclose(f), 0);
	return data;
}

static int
python(const char *verb, const char *a, const char *b, const char *c)
{
	char command[512];

	(void)snprintf(
	    command, sizeof(command), PYTHON " %s %s %s %s", verb, a, b, c);
	return system(command);
}

/* Through the protocol "file", as it is used. */
static void
written(void **state)
{
	struct transport_config c = { .protocol = "file", .mime = 1 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	unsigned char *text;
	size_t len;

	(void)state;
	c.request_file = mail;
	put(bytes, parts.full, parts.full_len);
	assert_int_equal(
	    transport_submit(&c, parts.full, parts.full_len, 0, &reply, &e), 0);
	assert_int_equal(reply.outcome, TRANSPORT_PENDING);
	assert_int_equal(python("check", mail, bytes, "full"), 0);
	put(bytes, parts.pkcs10, parts.pkcs10_len);
	assert_int_equal(
	    transport_submit(&c, parts.pkcs10, parts.pkcs10_len, 0, &reply, &e),
	    0);
	assert_int_equal(python("check", mail, bytes, "simple"), 0);
	assert_int_equal(transport_submit(&c, (const unsigned char *)"0\0", 2,
			     0, &reply, &e),
	    -1);
	assert_string_equal(e.code, "request-kind");
	/* without mime the bytes themselves */
	c.mime = 0;
	assert_int_equal(
	    transport_submit(&c, parts.full, parts.full_len, 0, &reply, &e), 0);
	text = get(mail, &len);
	assert_int_equal(len, parts.full_len);
	assert_memory_equal(text, parts.full, len);
	free(text);
}

static void
read_back(void **state)
{
	static const char *const shapes[] = { "only", "text", "quoted",
		"forwarded" };
	struct transport_config c = { .protocol = "file" };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;
	size_t i;

	(void)state;
	c.response_file = mail;
	put(bytes, parts.full, parts.full_len);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(python("make", shapes[i], bytes, mail), 0);
		assert_int_equal(transport_submit(&c, parts.full,
				     parts.full_len, 0, &reply, &e),
		    0);
		assert_int_equal(reply.outcome, TRANSPORT_ISSUED);
		assert_int_equal(reply.len, parts.full_len);
		assert_memory_equal(reply.body, parts.full, reply.len);
		transport_reply_clear(&reply);
	}
}

static void
expect_refusal(const char *why)
{
	struct transport_config c = { .protocol = "file" };
	struct burin_error e = BURIN_ERROR_INIT;
	struct transport_reply reply;

	c.response_file = mail;
	assert_int_equal(
	    transport_submit(&c, parts.full, parts.full_len, 0, &reply, &e),
	    -1);
	assert_string_equal(e.code, "mail-malformed");
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_non_null(strstr(e.reason, why));
	assert_null(reply.body);
}

static void
refused(void **state)
{
	static const struct {
		const char *shape, *why;
	} cases[] = {
		{ "two", "more than one answer" },
		{ "none", "no part" },
		{ "signed", "no part" },
		{ "octets", "no part" },
		{ "damaged", "no whole CMC message" },
		{ "deep", "too many" },
	};
	static const char torn[] =
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nnothing";
	static const char empty[] =
	    "Content-Type: application/pkcs7-mime\n"
	    "Content-Transfer-Encoding: base64\n\n====\n";
	size_t i;

	(void)state;
	put(bytes, parts.full, parts.full_len);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    python("make", cases[i].shape, bytes, mail), 0);
		expect_refusal(cases[i].why);
	}
	put(mail, torn, strlen(torn));
	expect_refusal("no part");
	put(mail, empty, strlen(empty));
	expect_refusal("no whole CMC message");
}

/* As many in each other as fit into a file: neither stack nor time gives. */
static void
bottomless(void **state)
{
	FILE *f = fopen(mail, "wb");
	int i;

	(void)state;
	assert_non_null(f);
	assert_true(fprintf(f, "MIME-Version: 1.0\n") > 0);
	for (i = 0; i < MANY; i++)
		assert_true(fprintf(f,
				"Content-Type: multipart/mixed; "
				"boundary=%d\n\n--%d\n",
				i, i) > 0);
	assert_int_equal(fclose(f), 0);
	expect_refusal("too many");
	f = fopen(mail, "wb");
	assert_non_null(f);
	assert_true(
	    fprintf(f, "Content-Type: multipart/mixed; boundary=x\n\n") > 0);
	for (i = 0; i < MANY; i++)
		assert_true(fprintf(f, "--x\n\nhello\n") > 0);
	assert_int_equal(fclose(f), 0);
	expect_refusal("too many");
}

/* Text that is no mail, and stays what it was. */
static void
no_mail(void **state)
{
	static const char *const texts[] = {
		"Certificate:\n    Data:\n\n-----BEGIN CERTIFICATE-----\n",
		"subject=CN = x\n\nContent-Type: text/plain\n", "MIIB", "",
		"\n\n", "0\x82"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(
		    mime_is((const unsigned char *)texts[i], strlen(texts[i])));
	assert_false(mime_is(parts.full, parts.full_len));
	assert_true(mime_is(
	    (const unsigned char *)"Subject: x\r\nmime-version: 1.0\r\n", 31));
}

/* What an authority gets, and what it answers. */
static void
asked(void **state)
{
	static const char *const shapes[] = { "request", "simple" };
	struct burin_error e = BURIN_ERROR_INIT;
	struct mime_mail m;
	unsigned char *text, *der;
	size_t len, der_len, i;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		der = i == 0 ? parts.full : parts.pkcs10;
		der_len = i == 0 ? parts.full_len : parts.pkcs10_len;
		put(bytes, der, der_len);
		assert_int_equal(python("make", shapes[i], bytes, mail), 0);
		text = get(mail, &len);
		assert_int_equal(mime_read(text, len, MIME_REQUEST, &m, &e), 0);
		assert_int_equal(
		    m.kind, i == 0 ? TRANSPORT_CMC : TRANSPORT_PKCS10);
		assert_int_equal(m.len, der_len);
		assert_memory_equal(m.der, der, der_len);
		assert_string_equal(m.from, "alice@example.org, b@example.org");
		assert_string_equal(m.sender, "alice@example.org");
		assert_string_equal(m.subject, "B\303\266hm asks");
		assert_string_equal(m.message_id, "one.two@example.org");
		mime_mail_clear(&m);
		/* it is no answer */
		assert_int_equal(
		    mime_read(text, len, MIME_RESPONSE, &m, &e), -1);
		assert_string_equal(e.code, "mail-malformed");
		assert_non_null(strstr(e.reason, "no part"));
		assert_null(m.der);
		assert_string_equal(m.message_id, "one.two@example.org");
		mime_mail_clear(&m);
		burin_error_clear(&e);
		free(text);
	}
}

static void
answered(void **state)
{
	static const struct mime_head head = { .to = "Alice <a@example.org>",
		.subject = "Re: B\303\266hm asks",
		.in_reply_to = "one.two@example.org" };
	static const struct mime_head bad[] = {
		{ .to = "a@example.org, b@example.org" },
		{ .to = "a@example.org\nBcc: b@example.org" },
		{ .to = "" },
		{ .subject = "one\r\nBcc: b@example.org" },
		{ .in_reply_to = "one> <two" },
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct mime_mail m;
	char *text;
	size_t len, i;

	(void)state;
	put(bytes, parts.full, parts.full_len);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    mime_write(
			i == 0 ? MIME_FULL_RESPONSE : MIME_SIMPLE_RESPONSE,
			&head, parts.full, parts.full_len, &text, &len, &e),
		    0);
		put(mail, text, len);
		assert_int_equal(
		    python("reply", mail, bytes, i == 0 ? "response" : "certs"),
		    0);
		assert_int_equal(mime_read((const unsigned char *)text, len,
				     MIME_RESPONSE, &m, &e),
		    0);
		assert_string_equal(m.subject, head.subject);
		assert_null(m.from);
		assert_int_equal(m.len, parts.full_len);
		mime_mail_clear(&m);
		free(text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    mime_write(MIME_FULL_RESPONSE, &bad[i], parts.full,
			parts.full_len, &text, &len, &e),
		    -1);
		assert_string_equal(e.code, "mail-field");
		assert_int_equal(e.status, BURIN_EUSAGE);
		burin_error_clear(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
		cmocka_unit_test(read_back),
		cmocka_unit_test(refused),
		cmocka_unit_test(bottomless),
		cmocka_unit_test(no_mail),
		cmocka_unit_test(asked),
		cmocka_unit_test(answered),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
