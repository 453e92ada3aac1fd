/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMP messages over HTTP (RFC 9811). OpenSSL's client asks us to carry them,
 * so that they go the way of everything else: the same TLS, proxy, deadlines
 * and limits. Its own HTTP client tries a port where nothing listens again
 * and again until the time is over.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "cmp.h"
#include "http.h"

#define CMP_TYPE "application/pkixcmp"
#define CMP_PATH "/.well-known/cmp"
/* Tags of PKIBody (RFC 9810 section 5.1.2) that cmp.h has no names for. */
#define BODY_PKICONF 19
#define BODY_ERROR 23

static int
is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

static int
not_url(const char *base, struct burin_error *e)
{
	burin_fail(e, BURIN_EUSAGE, "ca-url",
	    "'%s' is not an http:// or https:// address",
	    base != NULL ? base : "");
	burin_error_rule(e, "RFC 9811 section 3.4");
	return burin_error_advice(e, "give --ca https://HOST[:PORT][/PATH]");
}

int
cmp_url(const char *base, char **url, struct burin_error *e)
{
	CURLU *u = curl_url();
	char *path = NULL, *text = NULL;
	int rc = -1;

	*url = NULL;
	if (u == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (http_refuse_userinfo("--ca", base, e) != 0)
		goto out;
	if (base == NULL ||
	    (!is_https(base) && strncasecmp(base, "http://", 7) != 0) ||
	    curl_url_set(u, CURLUPART_URL, base, CURLU_DISALLOW_USER) !=
		CURLUE_OK) {
		(void)not_url(base, e);
		goto out;
	}
	if (curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
	    (strcmp(path, "/") == 0 &&
		curl_url_set(u, CURLUPART_PATH, CMP_PATH, 0) != CURLUE_OK) ||
	    curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK ||
	    (*url = strdup(text)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	curl_free(path);
	curl_free(text);
	curl_url_cleanup(u);
	return rc;
}

/* What is no CMP message: an error of the server or of one on the way. */
static int
not_cmp(const char *url, const struct http_response *r, struct burin_error *e)
{
	char code[BURIN_ERROR_WORD];

	if (r->status / 100 == 2) {
		burin_fail(e, BURIN_EAUTHORITY, "answer-type",
		    "the answer of %s is '%s', not " CMP_TYPE, url, r->type);
		return burin_error_rule(e, "RFC 9811 section 3.3");
	}
	if (r->status == 502 || r->status == 503 || r->status == 504) {
		burin_fail(e, BURIN_EINTERRUPTED, "authority-unavailable",
		    "%s cannot answer now (HTTP status %ld)", url, r->status);
		return burin_error_advice(e, "try again later");
	}
	(void)snprintf(code, sizeof(code), "http-%ld", r->status);
	burin_fail(e, BURIN_EAUTHORITY, code, "%s refused with HTTP status %ld",
	    url, r->status);
	burin_error_rule(e, "RFC 9811 section 3.3");
	return burin_error_advice(
	    e, "check the path of --ca: it is where the authority speaks CMP");
}

/* An error message may come with any HTTP status (RFC 9811 section 3.3). */
static OSSL_CMP_MSG *
decode(const char *url, const struct http_response *r, struct burin_error *e)
{
	const unsigned char *p = r->body;
	OSSL_CMP_MSG *msg;

	if (strcmp(r->type, CMP_TYPE) != 0) {
		(void)not_cmp(url, r, e);
		return NULL;
	}
	msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)r->len);
	if (msg != NULL && p == r->body + r->len)
		return msg;
	OSSL_CMP_MSG_free(msg);
	burin_fail_openssl(e, BURIN_EAUTHORITY, "answer-malformed",
	    "the answer of %s is no CMP message", url);
	burin_error_rule(e, "RFC 9810 section 5.1");
	return NULL;
}

OSSL_CMP_MSG *
cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
	struct cmp *s = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
	struct burin_error ignored = BURIN_ERROR_INIT, *e = &s->http;
	/* Neither password nor client key is for HTTP here: for messages. */
	struct transport_config c = { .tls_anchors = s->c->tls_anchors,
		.proxy = s->c->proxy };
	struct http_request q = {
		.c = &c, .url = s->url, .raw = 1, .keep = &s->connection
	};
	struct http_response r = { .retry_after = -1 };
	long left = (long)(s->deadline - time(NULL));
	OSSL_CMP_MSG *answer = NULL;
	unsigned char *der = NULL;
	int len;

	/* That our complaint could not be delivered is not what went wrong. */
	if (OSSL_CMP_MSG_get_bodytype(request) == BODY_ERROR)
		e = &ignored;
	c.timeout = left < 1		     ? 1
	    : left < TRANSPORT_TOTAL_SECONDS ? left
					     : TRANSPORT_TOTAL_SECONDS;
	if ((len = i2d_OSSL_CMP_MSG(request, &der)) <= 0) {
		burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-encode",
		    "cannot encode a CMP message");
		goto out;
	}
	q.authenticate_server = is_https(s->url);
	q.content_type = CMP_TYPE;
	q.body = (const char *)der;
	q.body_len = (size_t)len;
	if (http_exchange(&q, &r, e) != 0 ||
	    (answer = decode(s->url, &r, e)) == NULL)
		goto out;
	s->answers++;
	/*
	 * A refusal need not be protected, for it gives nothing away. With
	 * the same option OpenSSL would take a pkiConf without protection,
	 * which ends a transaction well: not that.
	 */
	(void)OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_UNPROTECTED_ERRORS,
	    OSSL_CMP_MSG_get_bodytype(answer) != BODY_PKICONF);
out:
	OPENSSL_free(der);
	http_response_clear(&r);
	return answer;
}
