/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Enrolment over Secure Transport: cacerts, simpleenroll, simplereenroll
 * (RFC 7030 sections 4.1 and 4.2, with the corrections of RFC 8951).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <burin/response.h>

#include "http.h"
#include "protocol.h"

#define EST_PATH "/.well-known/est"
#define EST_RETRY_SECONDS 60 /* a 202 without Retry-After */

/*
 * "https://HOST", or with /.well-known/est and at most one label behind it
 * (RFC 7030 section 3.2.2), plus the operation. curl_free'd by the caller.
 */
static int
est_url(
    const char *base, const char *operation, char **out, struct burin_error *e)
{
	CURLU *u = curl_url();
	char *path = NULL, *joined = NULL;
	size_t n;
	int rc = -1;

	*out = NULL;
	if (u == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (http_refuse_userinfo("--ca", base, e) != 0)
		goto out;
	if (base == NULL ||
	    curl_url_set(u, CURLUPART_URL, base, CURLU_DISALLOW_USER) !=
		CURLUE_OK ||
	    strncasecmp(base, "https://", 8) != 0) {
		burin_fail(e, BURIN_EUSAGE, "ca-url",
		    "'%s' is not an https:// address",
		    base != NULL ? base : "");
		burin_error_rule(e, "RFC 7030 section 3.3");
		burin_error_advice(e, "give --ca https://HOST[:PORT]");
		goto out;
	}
	if (curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		burin_fail_memory(e);
		goto out;
	}
	for (n = strlen(path); n > 0 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	if (n != 0 &&
	    (strncmp(path, EST_PATH, strlen(EST_PATH)) != 0 ||
		strchr("/", path[strlen(EST_PATH)]) == NULL)) {
		burin_fail(e, BURIN_EUSAGE, "ca-url",
		    "the path '%s' does not begin with %s", path, EST_PATH);
		burin_error_rule(e, "RFC 7030 section 3.2.2");
		burin_error_advice(e, "give --ca https://HOST[:PORT]");
		goto out;
	}
	if (asprintf(&joined, "%s/%s", n != 0 ? path : EST_PATH, operation) <
	    0) {
		joined = NULL;
		burin_fail_memory(e);
		goto out;
	}
	if (curl_url_set(u, CURLUPART_PATH, joined, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_URL, out, 0) != CURLUE_OK) {
		burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	curl_free(path);
	free(joined);
	curl_url_cleanup(u);
	return rc;
}

static int
est_check(const struct transport_config *c, struct burin_error *e)
{
	char *url = NULL;
	int rc;

	if (http_refuse_userinfo("--proxy", c->proxy, e) != 0)
		return -1;
	rc = est_url(c->url, "cacerts", &url, e);
	curl_free(url);
	return rc;
}

/* DER to one line of base64: RFC 8951 section 3 wants no line breaks. */
static int
encode_body(
    const unsigned char *der, size_t len, char **out, struct burin_error *e)
{
	if (len > TRANSPORT_MAX_BODY)
		return burin_fail(e, BURIN_EINTERNAL, "request-too-large",
		    "the request is longer than %d bytes", TRANSPORT_MAX_BODY);
	if ((*out = malloc(4 * ((len + 2) / 3) + 1)) == NULL)
		return burin_fail_memory(e);
	(void)EVP_EncodeBlock((unsigned char *)*out, der, (int)len);
	return 0;
}

/* The authority's own words: the start of a text body, in one line. */
static void
take_words(const struct http_response *r, char *words, size_t size)
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

/* Every status but 200 and 202 is a refusal, or a reason to come back. */
static int
refuse(const struct http_response *r, const char *url, struct burin_error *e)
{
	char words[256], code[BURIN_ERROR_WORD];

	take_words(r, words, sizeof(words));
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
	switch (r->status) {
	case 401:
		burin_error_rule(e, "RFC 7030 section 3.2.3");
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
		burin_error_rule(e, "RFC 7030 section 3.2.2");
		burin_error_advice(e,
		    "the authority does not offer this "
		    "operation or label; check --ca");
		break;
	default:
		break;
	}
	return -1;
}

static int
take_reply(const char *url, struct http_response *r,
    struct transport_reply *reply, struct burin_error *e)
{
	take_words(r, reply->detail, sizeof(reply->detail));
	if (r->status == 202) {
		reply->outcome = TRANSPORT_PENDING;
		reply->retry_at = time(NULL) +
		    (r->retry_after > 0 ? r->retry_after : EST_RETRY_SECONDS);
		return 0;
	}
	if (r->status != 200)
		return refuse(r, url, e);
	if (strcmp(r->type, "application/pkcs7-mime") != 0 &&
	    strcmp(r->type, "application/x-pkcs7-mime") != 0) {
		burin_fail(e, BURIN_EAUTHORITY, "answer-type",
		    "the answer of %s is '%s', not application/pkcs7-mime", url,
		    r->type);
		return burin_error_rule(e, "RFC 7030 section 4.2.3");
	}
	reply->outcome = TRANSPORT_ISSUED;
	reply->body = r->body;
	reply->len = r->len;
	r->body = NULL;
	return 0;
}

static int
est_exchange(const struct transport_config *c, const char *operation,
    const char *body, struct transport_reply *reply, struct burin_error *e)
{
	struct http_request q = { .c = c };
	struct http_response r = { .retry_after = -1 };
	char *url = NULL;
	int rc = -1;

	memset(reply, 0, sizeof(*reply));
	if (est_url(c->url, operation, &url, e) != 0)
		goto out;
	q.url = url;
	q.authenticate_server = body != NULL || c->tls_anchors != NULL;
	if (body != NULL) {
		q.content_type = "application/pkcs10";
		q.body = body;
		q.body_len = strlen(body);
	}
	if (http_exchange(&q, &r, e) != 0)
		goto out;
	rc = take_reply(url, &r, reply, e);
out:
	http_response_clear(&r);
	curl_free(url);
	return rc;
}

static int
est_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	char *body = NULL;
	int rc;

	memset(reply, 0, sizeof(*reply));
	if (encode_body(request, len, &body, e) != 0)
		return -1;
	rc = est_exchange(
	    c, reenroll ? "simplereenroll" : "simpleenroll", body, reply, e);
	free(body);
	return rc;
}

static int
est_cacerts(const struct transport_config *c, struct transport_reply *reply,
    struct burin_error *e)
{
	return est_exchange(c, "cacerts", NULL, reply, e);
}

const struct transport_protocol transport_est = {
	.name = "est",
	.check = est_check,
	.submit = est_submit,
	.cacerts = est_cacerts,
};
