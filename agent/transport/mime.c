/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * MIME by GMime. Which part is meant says its media type; what it is, its
 * content.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "message.h"
#include "mime.h"

#define PKCS7 "pkcs7-mime"
#define X_PKCS7 "x-pkcs7-mime"

struct search {
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

static int
fail_mail(const char *why, struct burin_error *e)
{
	burin_fail(
	    e, BURIN_EAUTHORITY, "mail-malformed", "the mail message %s", why);
	return burin_error_rule(e, "RFC 5273 section 3");
}

/* --- writing ---------------------------------------------------------------
 */

static GMimePart *
request_part(const unsigned char *der, size_t len, enum transport_kind kind)
{
	const char *name = kind == TRANSPORT_CMC ? "smime.p7m" : "smime.p10";
	GMimeDataWrapper *content;
	GMimeStream *bytes;
	GMimePart *part;

	part = g_mime_part_new_with_type(
	    "application", kind == TRANSPORT_CMC ? PKCS7 : "pkcs10");
	if (kind == TRANSPORT_CMC)
		g_mime_object_set_content_type_parameter(
		    GMIME_OBJECT(part), "smime-type", "CMC-request");
	g_mime_object_set_content_type_parameter(
	    GMIME_OBJECT(part), "name", name);
	g_mime_object_set_disposition(
	    GMIME_OBJECT(part), GMIME_DISPOSITION_ATTACHMENT);
	g_mime_object_set_content_disposition_parameter(
	    GMIME_OBJECT(part), "filename", name);
	bytes = g_mime_stream_mem_new_with_buffer((const char *)der, len);
	content = g_mime_data_wrapper_new_with_stream(
	    bytes, GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	g_object_unref(content);
	g_object_unref(bytes);
	return part;
}

int
mime_write(const unsigned char *der, size_t len, char **text, size_t *text_len,
    struct burin_error *e)
{
	enum transport_kind kind = message_kind(der, len);
	GMimeMessage *message;
	GMimePart *part;
	char *made;
	int rc = -1;

	*text = NULL;
	if (kind == TRANSPORT_NOTHING)
		return burin_fail(e, BURIN_EINTERNAL, "request-kind",
		    "the request is neither a CMC message nor a PKCS#10");
	start_gmime();
	message = g_mime_message_new(FALSE);
	g_mime_message_set_subject(message, "certificate request", NULL);
	part = request_part(der, len, kind);
	g_mime_message_set_mime_part(message, GMIME_OBJECT(part));
	made = g_mime_object_to_string(GMIME_OBJECT(message), NULL);
	if (made == NULL || (*text = strdup(made)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	*text_len = strlen(*text);
	rc = 0;
out:
	g_free(made);
	g_object_unref(part);
	g_object_unref(message);
	return rc;
}

/* --- reading ---------------------------------------------------------------
 */

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

/*
 * The spelling of smime-type differs (RFC 5273 section 4, RFC 7030), and some
 * leave it out; what is signed or encrypted mail is another thing.
 */
static int
is_meant(GMimePart *part)
{
	GMimeContentType *type =
	    g_mime_object_get_content_type(GMIME_OBJECT(part));
	const char *smime;

	if (!g_mime_content_type_is_type(type, "application", PKCS7) &&
	    !g_mime_content_type_is_type(type, "application", X_PKCS7))
		return 0;
	smime = g_mime_content_type_get_parameter(type, "smime-type");
	return smime == NULL || strcasecmp(smime, "CMC-response") == 0 ||
	    strcasecmp(smime, "certs-only") == 0;
}

static void
walk(GMimeObject *object, int depth, struct search *s)
{
	GMimeMessage *inner;
	int i, n;

	if (object == NULL)
		return;
	if (depth > MIME_MAX_DEPTH || ++s->n_parts > MIME_MAX_PARTS) {
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
	} else if (GMIME_IS_PART(object) && is_meant(GMIME_PART(object))) {
		s->n_found++;
		s->found = GMIME_PART(object);
	}
}

static int
take_content(
    GMimePart *part, unsigned char **der, size_t *len, struct burin_error *e)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *bytes;
	GByteArray *array;
	int rc = -1;

	if (content == NULL)
		return fail_mail("has an empty part for the answer", e);
	bytes = g_mime_stream_mem_new();
	if (g_mime_data_wrapper_write_to_stream(content, bytes) < 0) {
		(void)fail_mail("has a part that cannot be decoded", e);
		goto out;
	}
	/* GMime passes over what is no base64: the content shows the damage. */
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(bytes));
	if (message_kind(array->data, array->len) != TRANSPORT_CMC) {
		(void)fail_mail("holds no whole CMC message", e);
		goto out;
	}
	if ((*der = malloc(array->len)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	memcpy(*der, array->data, array->len);
	*len = array->len;
	rc = 0;
out:
	g_object_unref(bytes);
	return rc;
}

static int
take_part(GMimeMessage *message, unsigned char **der, size_t *len,
    struct burin_error *e)
{
	struct search s = { .n_found = 0 };

	walk(g_mime_message_get_mime_part(message), 1, &s);
	if (s.too_deep)
		return fail_mail("has too many parts, or too many in each "
				 "other",
		    e);
	if (s.n_found == 0)
		return fail_mail("has no part of type application/pkcs7-mime "
				 "with an answer",
		    e);
	if (s.n_found > 1)
		return fail_mail("has more than one answer in it", e);
	return take_content(s.found, der, len, e);
}

int
mime_read(const unsigned char *text, size_t text_len, unsigned char **der,
    size_t *len, struct burin_error *e)
{
	GMimeMessage *message;
	GMimeParser *parser;
	GMimeStream *bytes;
	int rc = -1;

	*der = NULL;
	*len = 0;
	start_gmime();
	bytes = g_mime_stream_mem_new_with_buffer((const char *)text, text_len);
	parser = g_mime_parser_new_with_stream(bytes);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message == NULL)
		(void)fail_mail("cannot be read", e);
	else
		rc = take_part(message, der, len, e);
	if (message != NULL)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(bytes);
	return rc;
}
