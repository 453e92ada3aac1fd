/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Mails to an authority: whom a request may be about, and what is answered.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/objects.h>

#include "authority/authority.h"
#include "authority/intake.h"

/* --- one mailbox ------------------------------------------------------------
 */

/* Strings with their NUL inside, as a certificate may hold them. */
#define BOX(s) (s), sizeof(s) - 1

static void
mailboxes(void **state)
{
	(void)state;
	assert_true(
	    intake_same_mailbox(BOX("a@b.example"), BOX("a@b.example")));
	/* RFC 5280 section 7.5: the domain has no case, what is before has. */
	assert_true(
	    intake_same_mailbox(BOX("a@b.example"), BOX("a@B.Example")));
	assert_false(
	    intake_same_mailbox(BOX("a@b.example"), BOX("A@b.example")));
	assert_false(
	    intake_same_mailbox(BOX("a@b.example"), BOX("b@b.example")));
	assert_false(
	    intake_same_mailbox(BOX("a@b.example"), BOX("a@c.example")));
	assert_false(
	    intake_same_mailbox(BOX("a@b.example"), BOX("a@b.example.org")));
	/* Whatever stands behind the last at sign is the domain. */
	assert_false(intake_same_mailbox(BOX("a@b@c"), BOX("a@B@c")));
	assert_true(intake_same_mailbox(BOX("a@b@c"), BOX("a@b@C")));
	/* No case but that of ASCII. */
	assert_false(intake_same_mailbox(
	    BOX("a@\303\266.example"), BOX("a@\303\226.example")));
	assert_false(intake_same_mailbox(
	    BOX("a@b.example\0@c"), BOX("a@b.example\0@c")));
	assert_false(
	    intake_same_mailbox(BOX("a@b\0example"), BOX("a@b\0exampLE")));
	assert_false(intake_same_mailbox(BOX("b.example"), BOX("b.example")));
	assert_false(intake_same_mailbox(BOX(""), BOX("")));
}

/* --- whom a request is about ------------------------------------------------
 */

static void
add_dn(X509_NAME *dn, const char *type, int form, const char *value)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(dn, type, form,
			     (const unsigned char *)value, -1, -1, 0),
	    1);
}

/* names: "email:a@b, DNS:c" of openssl.cnf, or NULL. */
static int
are(const char *from, const char *in_dn, const char *names)
{
	X509_NAME *dn = X509_NAME_new();
	X509_EXTENSION *ext = NULL;
	GENERAL_NAMES *list = NULL;
	int same;

	assert_non_null(dn);
	add_dn(dn, "CN", MBSTRING_UTF8, "a@b.example");
	if (in_dn != NULL)
		add_dn(dn, "emailAddress", MBSTRING_ASC, in_dn);
	if (names != NULL) {
		ext = X509V3_EXT_conf_nid(
		    NULL, NULL, NID_subject_alt_name, names);
		assert_non_null(ext);
		list = X509V3_EXT_d2i(ext);
		assert_non_null(list);
	}
	same = intake_names_are(from, dn, list);
	GENERAL_NAMES_free(list);
	X509_EXTENSION_free(ext);
	X509_NAME_free(dn);
	return same;
}

/* Whether name, as a SmtpUTF8Mailbox, is from. */
static int
is_utf8(const char *from, const char *name)
{
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_STRING *text = ASN1_STRING_type_new(V_ASN1_UTF8STRING);
	int same;

	assert_non_null(list);
	assert_non_null(one);
	assert_non_null(value);
	assert_non_null(text);
	assert_int_equal(ASN1_STRING_set(text, name, -1), 1);
	ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
	assert_int_equal(GENERAL_NAME_set0_othername(one,
			     OBJ_nid2obj(NID_id_on_SmtpUTF8Mailbox), value),
	    1);
	assert_true(sk_GENERAL_NAME_push(list, one) > 0);
	same = intake_names_are(from, NULL, list);
	GENERAL_NAMES_free(list);
	return same;
}

static void
whom(void **state)
{
	static const char a[] = "a@b.example";

	(void)state;
	assert_true(are(a, NULL, "email:a@b.example"));
	assert_true(are(a, "a@b.example", NULL));
	assert_true(are(a, "a@B.example", "email:a@b.EXAMPLE,DNS:b.example"));
	/* a common name is none, and what has no address is for nobody */
	assert_false(are(a, NULL, NULL));
	assert_false(are(a, NULL, "URI:mailto:a@b.example,DNS:b.example"));
	assert_false(are(a, NULL, "email:c@b.example"));
	assert_false(are(a, "c@b.example", NULL));
	assert_false(are(a, NULL, "email:A@b.example"));
	/* all of them, wherever they stand */
	assert_false(are(a, NULL, "email:a@b.example,email:c@b.example"));
	assert_false(are(a, "c@b.example", "email:a@b.example"));
	assert_false(are(a, "a@b.example", "email:c@b.example"));
	/* RFC 8398, in a UTF8String and in nothing else */
	assert_true(is_utf8("\303\266@b.example", "\303\266@B.example"));
	assert_false(is_utf8("\303\266@b.example", "o@b.example"));
	assert_false(are(a, NULL,
	    "email:a@b.example,otherName:1.3.6.1.5.5.7.8.9;UTF8:c@b.example"));
	assert_false(are(a, NULL,
	    "email:a@b.example,otherName:1.3.6.1.5.5.7.8.9;IA5:a@b.example"));
	assert_true(are(a, NULL,
	    "email:a@b.example,otherName:1.3.6.1.5.5.7.8.5;UTF8:c@b.example"));
	assert_false(intake_names_are(a, NULL, NULL));
}

/* --- whom a mail is from ----------------------------------------------------
 */

static void
senders(void **state)
{
	static char good[][64] = { "a@b.example", "first.last+tag@x-y.example",
		"\303\266@\303\266.example" };
	static char bad[][64] = { "a", "@b.example", "a@", "a@b, c@d",
		"a b@c.example", "\"a b\"@c.example", "a@b@c", "a@[192.0.2.1]",
		"a;b@c.example", "a@b_c.example" };
	struct burin_error e = BURIN_ERROR_INIT;
	struct mime_mail m = { .from = NULL };
	char text[INTAKE_MAX_ADDRESS + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		m.from = good[i];
		assert_int_equal(intake_sender(&m, &e), 0);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m.from = bad[i];
		assert_int_equal(intake_sender(&m, &e), -1);
		assert_string_equal(e.code, "mail-sender");
		assert_int_equal(e.status, BURIN_EAUTHORITY);
		burin_error_clear(&e);
	}
	m.from = NULL;
	assert_int_equal(intake_sender(&m, &e), -1);
	burin_error_clear(&e);
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 3, "@b", 3);
	m.from = text;
	assert_int_equal(intake_sender(&m, &e), -1);
	burin_error_clear(&e);
	m.from = text + 1;
	assert_int_equal(strlen(m.from), INTAKE_MAX_ADDRESS);
	assert_int_equal(intake_sender(&m, &e), 0);
}

/* --- RFC 3834 ---------------------------------------------------------------
 */

static void
loops(void **state)
{
	static char a[] = "a@b.example", daemon[] = "mailer-daemon@b.example",
		    nobody[] = "<>", path[] = "<a@b.example>",
		    named[] = "<MAILER-DAEMON>", bulk[] = "Bulk",
		    junk[] = "junk", list[] = "list", first[] = "first-class",
		    id[] = "<l.example>", replied[] = "auto-replied",
		    close[] = "MAILER-DAEMONS@b";
	const struct mime_mail no[] = {
		{ .from = a, .auto_submitted = replied },
		{ .from = a, .return_path = nobody },
		{ .from = a, .return_path = named },
		{ .from = daemon },
		{ .from = a, .precedence = bulk },
		{ .from = a, .precedence = junk },
		{ .from = a, .precedence = list },
		{ .from = a, .list_id = id },
	};
	const struct mime_mail yes[] = {
		{ .from = a },
		{ .from = a, .return_path = path },
		{ .from = a, .precedence = first },
		{ .from = close },
		{ .from = NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_non_null(intake_unanswered(&no[i], NULL));
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_null(intake_unanswered(&yes[i], NULL));
		assert_null(intake_unanswered(&yes[i],
		    yes[i].from != NULL ? yes[i].from : "a@b.example"));
		assert_non_null(intake_unanswered(&yes[i], ""));
		assert_non_null(intake_unanswered(&yes[i], "<>"));
		assert_non_null(intake_unanswered(&yes[i], "MAILER-DAEMON"));
	}
	assert_null(intake_unanswered(&yes[0], "<a@B.example>"));
	assert_non_null(intake_unanswered(&yes[0], "c@b.example"));
	assert_non_null(intake_unanswered(&yes[0], "A@b.example"));
	assert_non_null(intake_unanswered(&yes[0], "a@b.example>"));
}

/* --- what the front answered ------------------------------------------------
 */

/* Changes the answer once it has been looked at, as a hijacked front may. */
static void
change(struct authority_mail_reply *r, int go, int done)
{
	char c = 0;

	if (read(go, &c, 1) == 1) {
		r->len = sizeof(r->der) + 1;
		memset(r->status, 'x', sizeof(r->status));
		if (write(done, &c, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void
own_answer(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct authority_mail_reply *r = authority_mail_reply_new(&e);
	int go[2], done[2], how;
	pid_t child;
	char c = 1;

	(void)state;
	assert_non_null(r);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		change(r, go[0], done[1]);
	r->answered = 1;
	r->len = 5;
	memset(r->who, 'w', sizeof(r->who));
	memcpy(r->status, "success", sizeof("success"));
	memcpy(r->der, "12345", 5);
	assert_int_equal(authority_mail_reply_check(&r, &e), 0);
	assert_int_equal(write(go[1], &c, 1), 1);
	assert_int_equal(read(done[0], &c, 1), 1);
	assert_int_equal(r->len, 5);
	assert_string_equal(r->status, "success");
	assert_int_equal(strlen(r->who), sizeof(r->who) - 1);
	assert_memory_equal(r->der, "12345", 5);
	assert_int_equal(waitpid(child, &how, 0), child);
	(void)close(go[0]);
	(void)close(go[1]);
	(void)close(done[0]);
	(void)close(done[1]);
	authority_mail_reply_free(&r);
}

static void
no_answer(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct authority_mail_reply *r = authority_mail_reply_new(&e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(authority_mail_reply_check(&r, &e), -1);
	assert_string_equal(e.code, "intake-stopped");
	burin_error_clear(&e);
	r->answered = 1;
	assert_int_equal(authority_mail_reply_check(&r, &e), -1);
	assert_string_equal(e.code, "door-broken");
	burin_error_clear(&e);
	r->len = sizeof(r->der) + 1;
	assert_int_equal(authority_mail_reply_check(&r, &e), -1);
	assert_string_equal(e.code, "door-broken");
	burin_error_clear(&e);
	authority_mail_reply_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes),
		cmocka_unit_test(whom),
		cmocka_unit_test(senders),
		cmocka_unit_test(loops),
		cmocka_unit_test(own_answer),
		cmocka_unit_test(no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
