/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC by its own transports: HTTP and HTTPS (RFC 10003, RFC 5273 section 4),
 * bare TCP (cmc_tcp.c). The messages protect themselves, so that TLS is not
 * needed; where there is TLS it is 1.2 or later, and early data is never
 * sent: libcurl does not unless it is told to.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cmc_ask.h"
#include "cmc_tcp.h"
#include "http_answer.h"
#include "message.h"
#include "protocol.h"

#define FULL "application/pkcs7-mime; smime-type=CMC-request; name=request.p7m"
#define SIMPLE "application/pkcs10; name=request.p10"
#define ACCEPT "application/pkcs7-mime, application/x-pkcs7-mime"

static int
begins(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* Any path: RFC 10003 leaves it to the authority. */
static int
check_http(const char *url, struct burin_error *e)
{
	CURLU *u = curl_url();
	CURLUcode rv;

	if (u == NULL)
		return burin_fail_memory(e);
	rv = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	curl_url_cleanup(u);
	if (rv == CURLUE_OK &&
	    (begins(url, "https://") || begins(url, "http://")))
		return 0;
	burin_fail(e, BURIN_EUSAGE, "ca-url",
	    "'%s' is not an https://, http:// or tcp:// address", url);
	burin_error_rule(e, "RFC 10003");
	return burin_error_advice(e,
	    "give --ca https://HOST[:PORT]/PATH, with the path that the "
	    "authority's operator names");
}

static int
check_tcp(const char *url, struct burin_error *e)
{
	char *as_http = NULL;
	int rc = cmc_tcp_url(url, &as_http, e);

	curl_free(as_http);
	return rc;
}

static int
cmc_check(const struct transport_config *c, struct burin_error *e)
{
	const char *url = c->url != NULL ? c->url : "";

	if (http_refuse_userinfo("--proxy", c->proxy, e) != 0 ||
	    http_refuse_userinfo("--ca", url, e) != 0)
		return -1;
	if ((begins(url, CMC_TCP_SCHEME) ? check_tcp(url, e)
					 : check_http(url, e)) != 0)
		return -1;
	if (!c->tls_only || begins(url, "https://"))
		return 0;
	burin_fail(e, BURIN_EUSAGE, "ca-url",
	    "what is to be sent to %s needs TLS: it does not protect itself",
	    url);
	burin_error_rule(e, "RFC 10003");
	return burin_error_advice(e, "give --ca https://HOST[:PORT]/PATH");
}

/*
 * A refusal within CMC comes with 2xx as a success does (RFC 5273 section 4);
 * whoever gives it another status still means the message.
 */
static int
take_reply(const char *url, struct http_response *r,
    struct transport_reply *reply, struct burin_error *e)
{
	char where[300];

	http_words(r, reply->detail, sizeof(reply->detail));
	if (r->status / 100 != 2 &&
	    (!http_is_pkcs7(r) ||
		message_kind(r->body, r->len) != TRANSPORT_CMC)) {
		if (r->status == 401 && !begins(url, "https://")) {
			(void)burin_fail(e, BURIN_EAUTHORITY, "http-401",
			    "%s asks for a password", url);
			return burin_error_advice(e,
			    "a password is never sent in clear: give --ca "
			    "https://HOST[:PORT]/PATH");
		}
		return http_refuse(r, url, e);
	}
	if (!http_is_pkcs7(r)) {
		(void)http_refuse_type(r, url, e);
		return burin_error_rule(e, "RFC 10003");
	}
	(void)snprintf(where, sizeof(where), "the answer of %s", url);
	if (message_must_be_cmc(r->body, r->len, where, e) != 0)
		return -1;
	http_take_body(r, reply);
	return 0;
}

static int
http_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, enum transport_kind kind, struct transport_reply *reply,
    struct burin_error *e)
{
	struct http_request q = { .c = c, .url = c->url, .raw = 1 };
	struct http_response r = { .retry_after = -1 };
	int rc = -1;

	/* Without: no password, no certificate either. */
	q.authenticate_server = begins(c->url, "https://");
	q.content_type = kind == TRANSPORT_CMC ? FULL : SIMPLE;
	q.accept = ACCEPT;
	q.body = (const char *)request;
	q.body_len = len;
	if (http_exchange(&q, &r, e) == 0)
		rc = take_reply(c->url, &r, reply, e);
	http_response_clear(&r);
	return rc;
}

static int
cmc_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	enum transport_kind kind = message_kind(request, len);

	(void)reenroll;
	memset(reply, 0, sizeof(*reply));
	if (cmc_check(c, e) != 0)
		return -1;
	if (kind == TRANSPORT_NOTHING)
		return burin_fail(e, BURIN_EINTERNAL, "request-kind",
		    "the request is neither a CMC message nor a PKCS#10");
	return begins(c->url, CMC_TCP_SCHEME)
	    ? cmc_tcp_submit(c, request, len, reply, e)
	    : http_submit(c, request, len, kind, reply, e);
}

const struct transport_protocol transport_cmc = {
	.name = "cmc",
	.carries = TRANSPORT_CMC,
	.check = cmc_check,
	.submit = cmc_submit,
	.revoke = cmc_revoke,
	.fetch = cmc_fetch,
	.publish = cmc_publish,
	.cacerts = NULL,
};
