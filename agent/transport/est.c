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

#include "est.h"
#include "http_answer.h"
#include "protocol.h"

#define EST_PATH "/.well-known/est"
#define EST_RETRY_SECONDS 60 /* a 202 without Retry-After */

int
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

int
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

int
est_encode(
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

/* Every status but 200 and 202 is a refusal, or a reason to come back. */
static int
refuse(const struct http_response *r, const char *url, struct burin_error *e)
{
	(void)http_refuse(r, url, e);
	if (r->status == 401)
		(void)burin_error_rule(e, "RFC 7030 section 3.2.3");
	if (r->status == 404 || r->status == 501)
		(void)burin_error_rule(e, "RFC 7030 section 3.2.2");
	return -1;
}

void
est_pending(const struct http_response *r, struct transport_reply *reply)
{
	reply->outcome = TRANSPORT_PENDING;
	reply->retry_at = time(NULL) +
	    (r->retry_after > 0 ? r->retry_after : EST_RETRY_SECONDS);
}

static int
take_reply(const char *url, struct http_response *r,
    struct transport_reply *reply, struct burin_error *e)
{
	http_words(r, reply->detail, sizeof(reply->detail));
	if (r->status == 202) {
		est_pending(r, reply);
		return 0;
	}
	if (r->status != 200)
		return refuse(r, url, e);
	if (!http_is_pkcs7(r)) {
		(void)http_refuse_type(r, url, e);
		return burin_error_rule(e, "RFC 7030 section 4.2.3");
	}
	http_take_body(r, reply);
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
	if (est_encode(request, len, &body, e) != 0)
		return -1;
	rc = est_exchange(
	    c, reenroll ? "simplereenroll" : "simpleenroll", body, reply, e);
	free(body);
	return rc;
}

int
est_cacerts(const struct transport_config *c, struct transport_reply *reply,
    struct burin_error *e)
{
	return est_exchange(c, "cacerts", NULL, reply, e);
}

const struct transport_protocol transport_est = {
	.name = "est",
	.carries = TRANSPORT_PKCS10,
	.check = est_check,
	.submit = est_submit,
	.cacerts = est_cacerts,
	.keeps_names = 1,
};
