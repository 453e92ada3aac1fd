/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * MIME by GMime. Which part is meant says its media type; what it is, its
 * content, which is judged by whoever asked.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "mail.h"

/* The types of RFC 10003; smime: the parameter smime-type. */
static const struct kind {
	const char *word, *subtype, *smime, *name;
	enum mail_side side;
} kinds[] = {
	{ "simple-request", "pkcs10", NULL, "smime.p10", MAIL_REQUEST },
	{ "full-request", "pkcs7-mime", "CMC-request", "smime.p7m",
	    MAIL_REQUEST },
	{ "simple-response", "pkcs7-mime", "certs-only", "smime.p7c",
	    MAIL_RESPONSE },
	{ "full-response", "pkcs7-mime", "CMC-response", "smime.p7m",
	    MAIL_RESPONSE },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct search {
	enum mail_side side;
	GMimePart *found;
	int n_found;
	int n_parts;
	int too_deep;
};

/* Once and for good: GMime cannot be started again. */
static void
start_gmime(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, g_mime_init);
}

/* What can stand in a field, or in a message of ours, as it is. */
static int
is_plain(const char *s)
{
	size_t n = strlen(s), i;

	if (n == 0 || n > MAIL_MAX_FIELD || !g_utf8_validate(s, -1, NULL))
		return 0;
	for (i = 0; i < n; i++)
		if (g_ascii_iscntrl(s[i]))
			return 0;
	return 1;
}

static int
is_message_id(const char *s)
{
	return is_plain(s) && strpbrk(s, "<> ") == NULL;
}

/* --- writing ---------------------------------------------------------------
 */

static GMimePart *
part_of(const struct kind *k, const unsigned char *body, size_t len)
{
	GMimeDataWrapper *content;
	GMimeStream *bytes;
	GMimePart *part;

	part = g_mime_part_new_with_type("application", k->subtype);
	if (k->smime != NULL)
		g_mime_object_set_content_type_parameter(
		    GMIME_OBJECT(part), "smime-type", k->smime);
	g_mime_object_set_content_type_parameter(
	    GMIME_OBJECT(part), "name", k->name);
	g_mime_object_set_disposition(
	    GMIME_OBJECT(part), GMIME_DISPOSITION_ATTACHMENT);
	g_mime_object_set_content_disposition_parameter(
	    GMIME_OBJECT(part), "filename", k->name);
	bytes = g_mime_stream_mem_new_with_buffer((const char *)body, len);
	content = g_mime_data_wrapper_new_with_stream(
	    bytes, GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	g_object_unref(content);
	g_object_unref(bytes);
	return part;
}

static const char *
set_address(GMimeMessage *message, GMimeAddressType type, const char *address)
{
	InternetAddressList *list;
	InternetAddress *one;
	const char *why = NULL;

	list = is_plain(address) ? internet_address_list_parse(NULL, address)
				 : NULL;
	one = list != NULL && internet_address_list_length(list) == 1
	    ? internet_address_list_get_address(list, 0)
	    : NULL;
	if (one != NULL && INTERNET_ADDRESS_IS_MAILBOX(one))
		g_mime_message_add_mailbox(message, type,
		    internet_address_get_name(one),
		    internet_address_mailbox_get_addr(
			INTERNET_ADDRESS_MAILBOX(one)));
	else
		why = type == GMIME_ADDRESS_TYPE_TO
		    ? "goes to what is not one address"
		    : "comes from what is not one address";
	if (list != NULL)
		g_object_unref(list);
	return why;
}

/* RFC 5322 section 3.6.4 */
static const char *
set_answered(GMimeMessage *message, const struct mail_head *head)
{
	const char *before = head->references;
	char *id, *all;

	if (!is_message_id(head->in_reply_to))
		return "answers what is not a message ID";
	if (before != NULL && !is_plain(before))
		return "refers to what no field can hold";
	id = g_strdup_printf("<%s>", head->in_reply_to);
	all = g_strdup_printf("%s%s%s", before != NULL ? before : "",
	    before != NULL ? " " : "", id);
	g_mime_object_set_header(
	    GMIME_OBJECT(message), "In-Reply-To", id, NULL);
	g_mime_object_set_header(
	    GMIME_OBJECT(message), "References", all, NULL);
	g_free(all);
	g_free(id);
	return NULL;
}

static const char *
set_head(GMimeMessage *message, const struct mail_head *head)
{
	const char *why;

	if (head->from != NULL &&
	    (why = set_address(message, GMIME_ADDRESS_TYPE_FROM, head->from)) !=
		NULL)
		return why;
	if (head->to != NULL &&
	    (why = set_address(message, GMIME_ADDRESS_TYPE_TO, head->to)) !=
		NULL)
		return why;
	/* RFC 3834 section 5 */
	if (head->auto_replied)
		g_mime_object_set_header(GMIME_OBJECT(message),
		    "Auto-Submitted", "auto-replied", NULL);
	if (head->subject != NULL) {
		if (!is_plain(head->subject))
			return "has a subject that no field can hold";
		g_mime_message_set_subject(message, head->subject, "UTF-8");
	}
	return head->in_reply_to != NULL ? set_answered(message, head) : NULL;
}

const char *
mail_write(const char *kind, const struct mail_head *head,
    const unsigned char *body, size_t len, char **text, size_t *text_len)
{
	GMimeMessage *message;
	GMimePart *part;
	const char *why;
	size_t i;
	char *made;

	*text = NULL;
	for (i = 0; i < N_KINDS && strcmp(kinds[i].word, kind) != 0; i++)
		continue;
	if (i == N_KINDS)
		return "is of no kind that is known";
	start_gmime();
	message = g_mime_message_new(FALSE);
	if ((why = set_head(message, head)) == NULL) {
		part = part_of(&kinds[i], body, len);
		g_mime_message_set_mime_part(message, GMIME_OBJECT(part));
		made = g_mime_object_to_string(GMIME_OBJECT(message), NULL);
		if ((*text = strdup(made)) == NULL)
			why = "needs more memory than there is";
		else
			*text_len = strlen(*text);
		g_free(made);
		g_object_unref(part);
	}
	g_object_unref(message);
	return why;
}

/* --- reading ---------------------------------------------------------------
 */

/*
 * The spelling of smime-type differs (RFC 5273 section 4, RFC 7030), and some
 * leave it out; what is signed or encrypted mail is another thing. An x- is
 * older than the types.
 */
static int
is_meant(GMimePart *part, enum mail_side side)
{
	GMimeContentType *type =
	    g_mime_object_get_content_type(GMIME_OBJECT(part));
	const char *subtype = g_mime_content_type_get_media_subtype(type);
	const char *smime;
	size_t i;

	if (subtype == NULL ||
	    !g_mime_content_type_is_type(type, "application", "*"))
		return 0;
	if (strncasecmp(subtype, "x-", 2) == 0)
		subtype += 2;
	smime = g_mime_content_type_get_parameter(type, "smime-type");
	for (i = 0; i < N_KINDS; i++)
		if (kinds[i].side == side &&
		    strcasecmp(subtype, kinds[i].subtype) == 0 &&
		    (smime == NULL || kinds[i].smime == NULL ||
			strcasecmp(smime, kinds[i].smime) == 0))
			return 1;
	return 0;
}

static void
walk(GMimeObject *object, int depth, struct search *s)
{
	GMimeMessage *inner;
	int i, n;

	if (object == NULL)
		return;
	if (depth > MAIL_MAX_DEPTH || ++s->n_parts > MAIL_MAX_PARTS) {
		s->too_deep = 1;
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		n = g_mime_multipart_get_count(GMIME_MULTIPART(object));
		for (i = 0; i < n && !s->too_deep; i++)
			walk(g_mime_multipart_get_part(
				 GMIME_MULTIPART(object), i),
			    depth + 1, s);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		inner =
		    g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		if (inner != NULL)
			walk(g_mime_message_get_mime_part(inner), depth + 1, s);
	} else if (GMIME_IS_PART(object) &&
	    is_meant(GMIME_PART(object), s->side)) {
		s->n_found++;
		s->found = GMIME_PART(object);
	}
}

static const char *
take_body(GMimePart *part, struct mail *out)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *bytes;
	GByteArray *array;
	const char *why = NULL;

	if (content == NULL)
		return "has an empty part for its message";
	bytes = g_mime_stream_mem_new();
	if (g_mime_data_wrapper_write_to_stream(content, bytes) < 0) {
		why = "has a part that cannot be decoded";
		goto out;
	}
	/* GMime passes over what is no base64: the content shows the damage. */
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(bytes));
	if ((out->body = malloc(array->len + 1)) == NULL) {
		why = "needs more memory than there is";
		goto out;
	}
	if (array->len > 0)
		memcpy(out->body, array->data, array->len);
	out->body_len = array->len;
out:
	g_object_unref(bytes);
	return why;
}

static const char *
take_part(GMimeMessage *message, enum mail_side side, struct mail *out)
{
	struct search s = { .side = side };

	walk(g_mime_message_get_mime_part(message), 1, &s);
	if (s.too_deep)
		return "has too many parts, or too many in each other";
	if (s.n_found == 0)
		return side == MAIL_REQUEST
		    ? "has no part of type application/pkcs10 or "
		      "application/pkcs7-mime with a request"
		    : "has no part of type application/pkcs7-mime with an "
		      "answer";
	if (s.n_found > 1)
		return side == MAIL_REQUEST ? "has more than one request in it"
					    : "has more than one answer in it";
	return take_body(s.found, out);
}

/*
 * The addresses alone: a name says whatever its sender likes. Their domains are
 * A-labels, as in a certificate (RFC 5280 section 7.5). A group, or what is no
 * mailbox, is not passed over: the rest would not say who it is.
 */
static char *
addresses(InternetAddressList *list)
{
	GString *all;
	InternetAddress *one;
	const char *addr;
	char *copy = NULL;
	int i, n = list != NULL ? internet_address_list_length(list) : 0;

	if (n == 0 || n > MAIL_MAX_SENDERS)
		return NULL;
	all = g_string_new(NULL);
	for (i = 0; i < n; i++) {
		one = internet_address_list_get_address(list, i);
		addr = INTERNET_ADDRESS_IS_MAILBOX(one)
		    ? internet_address_mailbox_get_idn_addr(
			  INTERNET_ADDRESS_MAILBOX(one))
		    : NULL;
		if (addr == NULL)
			goto out;
		g_string_append_printf(
		    all, "%s%s", all->len > 0 ? ", " : "", addr);
	}
	if (is_plain(all->str))
		copy = strdup(all->str);
out:
	(void)g_string_free(all, TRUE);
	return copy;
}

static char *
plain_copy(const char *s)
{
	return s != NULL && is_plain(s) ? strdup(s) : NULL;
}

/* The first word of a field: "auto-replied; and=more" is one. */
static char *
first_word(const char *s)
{
	char word[64] = "";
	size_t n;

	s += strspn(s, " \t");
	n = strcspn(s, " \t;(");
	if (n > 0 && n < sizeof(word))
		memcpy(word, s, n);
	return plain_copy(word);
}

/* RFC 3834 section 5.1: "no" is a person's; of several fields one counts. */
static char *
auto_submitted(GMimeMessage *message)
{
	GMimeHeaderList *list =
	    g_mime_object_get_header_list(GMIME_OBJECT(message));
	int i, n = g_mime_header_list_get_count(list);
	GMimeHeader *field;
	char *word;

	for (i = 0; i < n; i++) {
		field = g_mime_header_list_get_header_at(list, i);
		if (g_ascii_strcasecmp(
			g_mime_header_get_name(field), "Auto-Submitted") != 0)
			continue;
		word = first_word(g_mime_header_get_value(field));
		if (word == NULL || g_ascii_strcasecmp(word, "no") != 0)
			return word != NULL ? word : strdup("unreadable");
		free(word);
	}
	return NULL;
}

/* The newest ones, as many as a field holds. */
static char *
references(GMimeMessage *message)
{
	const char *text =
	    g_mime_object_get_header(GMIME_OBJECT(message), "References");
	GMimeReferences *refs;
	GString *all = g_string_new(NULL);
	const char *id;
	char *copy;
	int i, n, from;

	refs = g_mime_references_parse(NULL, text != NULL ? text : "");
	n = g_mime_references_length(refs);
	from = n > MAIL_MAX_REFERENCES ? n - MAIL_MAX_REFERENCES : 0;
	for (i = from; i < n; i++) {
		id = g_mime_references_get_message_id(refs, i);
		if (id != NULL && is_message_id(id))
			g_string_append_printf(
			    all, "%s<%s>", all->len > 0 ? " " : "", id);
	}
	copy = plain_copy(all->str);
	(void)g_string_free(all, TRUE);
	g_mime_references_free(refs);
	return copy;
}

/* Of the first of this name, decoded. */
static char *
field(GMimeMessage *message, const char *name)
{
	return plain_copy(
	    g_mime_object_get_header(GMIME_OBJECT(message), name));
}

static void
take_head(GMimeMessage *message, struct mail *out)
{
	const char *subject = g_mime_message_get_subject(message);
	const char *id = g_mime_message_get_message_id(message);

	out->from = addresses(g_mime_message_get_from(message));
	out->sender = addresses(g_mime_message_get_sender(message));
	if (subject != NULL && is_plain(subject))
		out->subject = strdup(subject);
	if (id != NULL && is_message_id(id))
		out->message_id = strdup(id);
	out->references = references(message);
	out->return_path = field(message, "Return-Path");
	out->auto_submitted = auto_submitted(message);
	out->precedence = field(message, "Precedence");
	out->list_id = field(message, "List-Id");
}

void
mail_clear(struct mail *m)
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
	free(m->body);
	memset(m, 0, sizeof(*m));
}

const char *
mail_read(const unsigned char *text, size_t len, enum mail_side side,
    struct mail *out)
{
	GMimeMessage *message;
	GMimeParser *parser;
	GMimeStream *bytes;
	const char *why;

	memset(out, 0, sizeof(*out));
	start_gmime();
	bytes = g_mime_stream_mem_new_with_buffer((const char *)text, len);
	parser = g_mime_parser_new_with_stream(bytes);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message == NULL) {
		why = "cannot be read";
	} else {
		why = take_part(message, side, out);
		take_head(message, out);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(bytes);
	return why;
}
