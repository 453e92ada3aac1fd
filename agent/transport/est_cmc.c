/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Full CMC in EST (RFC 7030 section 4.3). Unlike over plain HTTP a refusal
 * has a status of failure, and it must hold a CMC message (section 4.3.2).
 * Base64 both ways, whatever a header says (RFC 8951 section 3).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "../../csr/unarmor.h"
#include "cmc_ask.h"
#include "est.h"
#include "http_answer.h"
#include "message.h"
#include "protocol.h"

#define FULL "application/pkcs7-mime; smime-type=CMC-request"
#define ACCEPT "application/pkcs7-mime, application/x-pkcs7-mime"

static const struct csr_armor answer_armor = {
	.what = "the answer",
	.code = "answer-malformed",
	.max_len = TRANSPORT_MAX_BODY,
	.max_blobs = 1,
};

/* Also of a server that sends DER as it is. -1: no whole message. */
static int
decode(const char *url, const struct http_response *r,
    struct transport_reply *reply, struct burin_error *e)
{
	struct csr_blob *blobs = NULL;
	char where[300];
	size_t n = 0;
	int rc = -1;

	if (csr_unarmor(r->body, r->len, &answer_armor, BURIN_EAUTHORITY,
		&blobs, &n, e) != 0)
		return -1;
	(void)snprintf(where, sizeof(where), "the answer of %s", url);
	if (message_must_be_cmc(blobs[0].der, blobs[0].len, where, e) != 0)
		goto out;
	if ((reply->body = malloc(blobs[0].len)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	memcpy(reply->body, blobs[0].der, blobs[0].len);
	reply->len = blobs[0].len;
	reply->outcome = TRANSPORT_ISSUED;
	rc = 0;
out:
	csr_blobs_free(blobs, n);
	return rc;
}

static int
refuse(const struct http_response *r, const char *url, struct burin_error *e)
{
	(void)http_refuse(r, url, e);
	return burin_error_rule(e, "RFC 7030 section 4.3.2");
}

/*
 * A CMC message is the answer whatever the status is, also with 202: its
 * pendInfo says more than Retry-After.
 */
static int
take_reply(const char *url, struct http_response *r,
    struct transport_reply *reply, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	http_words(r, reply->detail, sizeof(reply->detail));
	if (r->status / 100 == 2 && http_is_pkcs7(r) &&
	    (r->status != 202 || r->len > 0))
		return decode(url, r, reply, e);
	if (r->status == 202) {
		est_pending(r, reply);
		return 0;
	}
	if (r->status != 200) {
		if (!http_is_pkcs7(r))
			return refuse(r, url, e);
		if (decode(url, r, reply, &why) == 0)
			return 0;
		(void)refuse(r, url, e);
		return burin_error_cause(e, "%s", why.reason);
	}
	(void)http_refuse_type(r, url, e);
	return burin_error_rule(e, "RFC 7030 section 4.3.2");
}

static int
est_cmc_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	struct http_request q = { .c = c, .authenticate_server = 1 };
	struct http_response r = { .retry_after = -1 };
	char *url = NULL, *body = NULL;
	int rc = -1;

	(void)reenroll;
	memset(reply, 0, sizeof(*reply));
	if (message_kind(request, len) != TRANSPORT_CMC) {
		burin_fail(e, BURIN_EINTERNAL, "request-kind",
		    "the request is no CMC message");
		burin_error_rule(e, "RFC 7030 section 4.3.1");
		goto out;
	}
	if (est_url(c->url, "fullcmc", &url, e) != 0 ||
	    est_encode(request, len, &body, e) != 0)
		goto out;
	q.url = url;
	q.content_type = FULL;
	q.accept = ACCEPT;
	q.body = body;
	q.body_len = strlen(body);
	if (http_exchange(&q, &r, e) == 0)
		rc = take_reply(url, &r, reply, e);
out:
	http_response_clear(&r);
	free(body);
	curl_free(url);
	return rc;
}

const struct transport_protocol transport_est_cmc = {
	.name = "est-cmc",
	.carries = TRANSPORT_CMC,
	.check = est_check,
	.submit = est_cmc_submit,
	.revoke = cmc_revoke,
	.fetch = cmc_fetch,
	.publish = cmc_publish,
	.cacerts = est_cacerts,
};
