/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which mails are answered, and whether a request is about whom its mail is
 * from. What a mail says of itself anybody may have written: the comparison
 * keeps people from asking by mistake or in passing for the address of
 * somebody else, and proves nothing.
 */

#include <string.h>
#include <strings.h>

#include "intake.h"

/* --- mails that nobody answers: RFC 3834 section 2 -------------------------
 */

static int
is_word(const char *value, const char *word)
{
	return value != NULL && strcasecmp(value, word) == 0;
}

/* Some mail systems write nobody as their own name. */
static int
is_nobody(const char *address)
{
	static const char daemon[] = "MAILER-DAEMON";
	size_t n = strcspn(address, "@>");

	if (address[0] == '<') {
		address++;
		n--;
	}
	return n == 0 ||
	    (n == sizeof(daemon) - 1 && strncasecmp(address, daemon, n) == 0);
}

/* The answer goes to From: what came from elsewhere may be forged there. */
static int
is_from(const char *from, const char *sender)
{
	size_t n = strlen(sender);

	if (n > 1 && sender[0] == '<' && sender[n - 1] == '>') {
		sender++;
		n -= 2;
	}
	return intake_same_mailbox(from, strlen(from), sender, n);
}

const char *
intake_unanswered(const struct mime_mail *m, const char *sender)
{
	if (m->auto_submitted != NULL)
		return "a program wrote it (Auto-Submitted)";
	if ((sender != NULL && is_nobody(sender)) ||
	    (m->return_path != NULL && is_nobody(m->return_path)) ||
	    (m->from != NULL && is_nobody(m->from)))
		return "it comes from nobody";
	if (is_word(m->precedence, "bulk") || is_word(m->precedence, "list") ||
	    is_word(m->precedence, "junk"))
		return "it went to many (Precedence)";
	if (m->list_id != NULL)
		return "it went to a mailing list (List-Id)";
	if (sender != NULL && m->from != NULL && !is_from(m->from, sender))
		return "its sender is not whom it is from (From)";
	return NULL;
}

/* --- whom it is from ------------------------------------------------------ */

static int
not_one(const char *why, struct burin_error *e)
{
	(void)burin_fail(
	    e, BURIN_EAUTHORITY, "mail-sender", "the mail message %s", why);
	return burin_error_rule(e, "RFC 5322 section 3.6.2");
}

/*
 * An address goes into the audit log and a mail of ours: letters, digits and
 * the signs of a dot-atom (RFC 5322 section 3.2.3), and UTF-8.
 */
static int
is_plain(const char *s, size_t n, const char *signs)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x80 &&
		    memchr(alnum, s[i], sizeof(alnum) - 1) == NULL &&
		    memchr(signs, s[i], strlen(signs)) == NULL)
			return 0;
	return n > 0;
}

int
intake_sender(const struct mime_mail *m, struct burin_error *e)
{
	const char *at;

	if (m->from == NULL)
		return not_one("does not say who it is from", e);
	if (strchr(m->from, ',') != NULL)
		return not_one("is from more than one", e);
	at = strrchr(m->from, '@');
	if (at == NULL || strlen(m->from) > INTAKE_MAX_ADDRESS ||
	    !is_plain(
		m->from, (size_t)(at - m->from), ".!#$%&'*+/=?^_`{|}~-") ||
	    !is_plain(at + 1, strlen(at + 1), ".-"))
		return not_one(
		    "is from an address that is none, or too long", e);
	return 0;
}

/* --- whom the request is about -------------------------------------------- */

/* Without case in the domain, with it before: RFC 5280 section 7.5. */
int
intake_same_mailbox(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i, at = a_len;

	if (a_len != b_len || a_len == 0)
		return 0;
	for (i = 0; i < a_len; i++)
		if (a[i] == '@')
			at = i;
	if (at == a_len || memcmp(a, b, at + 1) != 0 ||
	    memchr(a, '\0', a_len) != NULL || memchr(b, '\0', b_len) != NULL)
		return 0;
	return strncasecmp(a + at, b + at, a_len - at) == 0;
}

/* What of a list was an address, and what of these the wanted one. */
struct seen {
	const char *address;
	size_t n, right;
};

static void
see(struct seen *s, const void *text, int len)
{
	s->n++;
	if (len > 0 &&
	    intake_same_mailbox(
		s->address, strlen(s->address), text, (size_t)len))
		s->right++;
}

/* emailAddress (RFC 2985 section 5.2.1), in whatever string type. */
static void
see_subject(struct seen *s, const X509_NAME *subject)
{
	const X509_NAME_ENTRY *entry;
	unsigned char *text;
	int i = -1, len;

	while ((i = X509_NAME_get_index_by_NID(
		    subject, NID_pkcs9_emailAddress, i)) >= 0) {
		entry = X509_NAME_get_entry(subject, i);
		text = NULL;
		len =
		    ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
		see(s, text, len);
		OPENSSL_free(text);
	}
}

/* rfc822Name, and SmtpUTF8Mailbox where it is not ASCII (RFC 9598). */
static void
see_name(struct seen *s, const GENERAL_NAME *name)
{
	const ASN1_TYPE *value;

	if (name->type == GEN_EMAIL) {
		see(s, ASN1_STRING_get0_data(name->d.rfc822Name),
		    ASN1_STRING_length(name->d.rfc822Name));
		return;
	}
	if (name->type != GEN_OTHERNAME ||
	    OBJ_obj2nid(name->d.otherName->type_id) !=
		NID_id_on_SmtpUTF8Mailbox)
		return;
	value = name->d.otherName->value;
	if (value != NULL && value->type == V_ASN1_UTF8STRING)
		see(s, ASN1_STRING_get0_data(value->value.utf8string),
		    ASN1_STRING_length(value->value.utf8string));
	else
		s->n++;
}

int
intake_names_are(
    const char *address, const X509_NAME *subject, const GENERAL_NAMES *names)
{
	struct seen s = { .address = address };
	int i;

	if (subject != NULL)
		see_subject(&s, subject);
	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
		see_name(&s, sk_GENERAL_NAME_value(names, i));
	return s.n > 0 && s.right == s.n;
}
