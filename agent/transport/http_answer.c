/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers over HTTP: refusals in words, media types.
 */

#include <stdio.h>
#include <string.h>

#include "http_answer.h"

void
http_words(const struct http_response *r, char *words, size_t size)
{
	size_t i, n = 0;

	words[0] = '\0';
	if (r->body == NULL ||
	    (strncmp(r->type, "text/plain", 10) != 0 && r->type[0] != '\0'))
		return;
	for (i = 0; i < r->len && n + 1 < size; i++) {
		unsigned char b = r->body[i];

		if (b == '\n' || b == '\r' || b == '\t')
			b = ' ';
		if (b == ' ' && (n == 0 || words[n - 1] == ' '))
			continue;
		words[n++] = (char)b;
	}
	while (n > 0 && words[n - 1] == ' ')
		n--;
	words[n] = '\0';
}

static void
advise(long status, struct burin_error *e)
{
	switch (status) {
	case 401:
		burin_error_advice(e,
		    "check --user and --secret, or the "
		    "client certificate");
		break;
	case 403:
		burin_error_advice(e,
		    "the authority knows the user but does "
		    "not allow this request; ask its operator");
		break;
	case 404:
	case 501:
		burin_error_advice(e,
		    "the authority does not offer this "
		    "operation or label; check --ca");
		break;
	default:
		break;
	}
}

int
http_refuse(
    const struct http_response *r, const char *url, struct burin_error *e)
{
	char words[256], code[BURIN_ERROR_WORD];

	http_words(r, words, sizeof(words));
	(void)snprintf(code, sizeof(code), "http-%ld", r->status);
	if (r->status == 502 || r->status == 503 || r->status == 504) {
		burin_fail(e, BURIN_EINTERRUPTED, "authority-unavailable",
		    "%s cannot answer now (HTTP status %ld)%s%s", url,
		    r->status, words[0] != '\0' ? ": " : "", words);
		return burin_error_advice(e, "try again later");
	}
	burin_fail(e, BURIN_EAUTHORITY, code,
	    "%s refused with HTTP status %ld%s%s", url, r->status,
	    words[0] != '\0' ? ": " : "", words);
	advise(r->status, e);
	return -1;
}

int
http_is_pkcs7(const struct http_response *r)
{
	return strcmp(r->type, "application/pkcs7-mime") == 0 ||
	    strcmp(r->type, "application/x-pkcs7-mime") == 0;
}

int
http_refuse_type(
    const struct http_response *r, const char *url, struct burin_error *e)
{
	return burin_fail(e, BURIN_EAUTHORITY, "answer-type",
	    "the answer of %s is '%s', not application/pkcs7-mime", url,
	    r->type);
}

void
http_take_body(struct http_response *r, struct transport_reply *reply)
{
	reply->outcome = TRANSPORT_ISSUED;
	reply->body = r->body;
	reply->len = r->len;
	r->body = NULL;
	r->len = 0;
}
