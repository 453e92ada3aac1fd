/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * HTTPS by libcurl: TLS 1.2 and later (RFC 8951 asks for no less than
 * RFC 7030's 1.1), server certificate against the given anchors and the
 * host name (RFC 7030 section 3.6.1), client certificate with a key that
 * stays on its token.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "http.h"

struct exchange {
	CURL *h;
	const struct http_request *q;
	struct http_response *r;
	struct curl_slist *headers;
	char *anchors; /* PEM */
	size_t anchors_len;
	int too_large;
	char message[CURL_ERROR_SIZE];
};

void
http_response_clear(struct http_response *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
	r->retry_after = -1;
}

static long
total_seconds(const struct transport_config *c)
{
	return c->timeout > 0 ? c->timeout : TRANSPORT_TOTAL_SECONDS;
}

/*
 * Who thinks long has the whole time; who has begun to answer has not, or a
 * byte a second would hold us for as long as the user is patient.
 */
static int
limit_dawdling(struct exchange *x)
{
	long seconds = total_seconds(x->q->c) / TRANSPORT_SLOW_PART;

	return curl_easy_setopt(x->h, CURLOPT_LOW_SPEED_LIMIT,
		   (long)TRANSPORT_SLOW_BYTES) == CURLE_OK &&
	    curl_easy_setopt(x->h, CURLOPT_LOW_SPEED_TIME,
		seconds > 0 ? seconds : 1L) == CURLE_OK;
}

void
http_disconnect(void **keep)
{
	curl_easy_cleanup(*keep);
	*keep = NULL;
}

/* A body callback: keeps what comes, up to TRANSPORT_MAX_BODY. */
static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct http_response *r = x->r;
	size_t add = size * n;
	unsigned char *grown;

	if (r->len == 0 && !limit_dawdling(x))
		return 0;
	if (add > TRANSPORT_MAX_BODY - r->len) {
		x->too_large = 1;
		return 0;
	}
	if ((grown = realloc(r->body, r->len + add + 1)) == NULL)
		return 0;
	memcpy(grown + r->len, data, add);
	r->body = grown;
	r->len += add;
	r->body[r->len] = '\0';
	return add;
}

/* The client identity: certificate, chain, and a key on a token. */
static CURLcode
use_token_key(CURL *h, void *ssl, void *arg)
{
	const struct transport_config *c = arg;
	SSL_CTX *ctx = ssl;
	int i;

	(void)h;
	if (SSL_CTX_use_certificate(ctx, c->client_cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, c->client_key) != 1)
		return CURLE_SSL_CERTPROBLEM;
	for (i = 0; i < sk_X509_num(c->client_chain); i++)
		if (SSL_CTX_add1_chain_cert(
			ctx, sk_X509_value(c->client_chain, i)) != 1)
			return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

/* The anchors as PEM, which is how libcurl takes them from memory. */
static int
anchors_pem(struct exchange *x, struct burin_error *e)
{
	const struct transport_config *c = x->q->c;
	BIO *out = NULL;
	char *text;
	long len;
	int i, rc = -1;

	if ((out = BIO_new(BIO_s_mem())) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < sk_X509_num(c->tls_anchors); i++)
		if (!PEM_write_bio_X509(
			out, sk_X509_value(c->tls_anchors, i))) {
			burin_fail_openssl(e, BURIN_EINTERNAL, "anchor-encode",
			    "cannot encode a trust anchor");
			goto out;
		}
	if ((len = BIO_get_mem_data(out, &text)) <= 0) {
		burin_fail(e, BURIN_EUSAGE, "trust-missing",
		    "no trust anchor to authenticate the server with");
		burin_error_advice(e,
		    "give --trust FILE, or --ca-fingerprint "
		    "for the first contact");
		goto out;
	}
	if ((x->anchors = malloc((size_t)len)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	memcpy(x->anchors, text, (size_t)len);
	x->anchors_len = (size_t)len;
	rc = 0;
out:
	BIO_free(out);
	return rc;
}

static int
set_trust(CURL *h, struct exchange *x)
{
	struct curl_blob blob;

	if (!x->q->authenticate_server)
		return curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L) ==
		    CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
	blob.data = x->anchors;
	blob.len = x->anchors_len;
	blob.flags = CURL_BLOB_NOCOPY;
	return curl_easy_setopt(h, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
}

static int
add_accept(struct exchange *x)
{
	char line[HTTP_MAX_TYPE + 16];
	struct curl_slist *more;

	(void)snprintf(line, sizeof(line), "Accept: %s", x->q->accept);
	if ((more = curl_slist_append(x->headers, line)) == NULL)
		return 0;
	x->headers = more;
	return 1;
}

static int
set_request(CURL *h, struct exchange *x)
{
	const struct http_request *q = x->q;
	char type[HTTP_MAX_TYPE + 16];
	struct curl_slist *more;

	if (q->content_type == NULL)
		return curl_easy_setopt(h, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	(void)snprintf(type, sizeof(type), "Content-Type: %s", q->content_type);
	if ((more = curl_slist_append(x->headers, type)) == NULL)
		return 0;
	x->headers = more;
	/* Servers of RFC 7030's age want it; RFC 8951 says to ignore it. */
	if (!q->raw) {
		if ((more = curl_slist_append(x->headers,
			 "Content-Transfer-Encoding: base64")) == NULL)
			return 0;
		x->headers = more;
	}
	if (q->accept != NULL && !add_accept(x))
		return 0;
	if ((more = curl_slist_append(x->headers, "Expect:")) == NULL)
		return 0;
	x->headers = more;
	return curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->headers) ==
	    CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)q->body_len) ==
	    CURLE_OK;
}

static int
set_all(CURL *h, struct exchange *x)
{
	const struct transport_config *c = x->q->c;
	long total = total_seconds(c);
	long connect = total < TRANSPORT_CONNECT_SECONDS
	    ? total
	    : TRANSPORT_CONNECT_SECONDS;

	if (curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->message) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_URL, x->q->url) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR,
		x->q->raw ? "https,http" : "https") != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_USERAGENT, "burin") != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, connect) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_TIMEOUT, total) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_SSLVERSION,
		(long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_WRITEDATA, x) != CURLE_OK)
		return 0;
	if (c->proxy != NULL &&
	    curl_easy_setopt(h, CURLOPT_PROXY, c->proxy) != CURLE_OK)
		return 0;
	if (c->client_key != NULL && c->client_cert != NULL &&
	    x->q->authenticate_server &&
	    (curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, use_token_key) !=
		    CURLE_OK ||
		/* libcurl wants a plain pointer and gives it back as it is */
		curl_easy_setopt(
		    h, CURLOPT_SSL_CTX_DATA, (void *)(uintptr_t)c) != CURLE_OK))
		return 0;
	return set_trust(h, x) && set_request(h, x);
}

/* libcurl's failures in our words: what the helpdesk can do differs. */
int
http_fail(int code, const char *message, const char *url, struct burin_error *e)
{
	CURLcode rv = (CURLcode)code;
	const char *why = *message != '\0' ? message : curl_easy_strerror(rv);

	switch (rv) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		burin_fail(e, BURIN_EINTERRUPTED, "server-untrusted",
		    "%s is not authenticated by the given trust anchor: %s",
		    url, why);
		burin_error_rule(e, "RFC 9110 section 4.3.4");
		burin_error_advice(e,
		    "check --trust or --tls-trust and the "
		    "host name in --ca; nothing was sent");
		return -1;
	case CURLE_SSL_CERTPROBLEM:
		burin_fail_openssl(e, BURIN_EINTERRUPTED, "client-certificate",
		    "the token's key could not be used for TLS with %s: %s",
		    url, why);
		return -1;
	case CURLE_OPERATION_TIMEDOUT:
		burin_fail(e, BURIN_EINTERRUPTED, "network-timeout",
		    "%s did not answer in time: %s", url, why);
		burin_error_advice(e,
		    "try again later, or give a longer "
		    "--timeout");
		return -1;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		burin_fail(e, BURIN_EINTERRUPTED, "network-unreachable",
		    "cannot reach %s: %s", url, why);
		burin_error_advice(e,
		    "check the address in --ca and the "
		    "network");
		return -1;
	default:
		burin_fail(e, BURIN_EINTERRUPTED, "network-failed",
		    "the exchange with %s failed: %s", url, why);
		return -1;
	}
}

static int
fail_network(CURLcode rv, const struct exchange *x, struct burin_error *e)
{
	if (!x->too_large)
		return http_fail((int)rv, x->message, x->q->url, e);
	return burin_fail(e, BURIN_EAUTHORITY, "answer-too-large",
	    "the answer of %s is longer than %d bytes", x->q->url,
	    TRANSPORT_MAX_BODY);
}

/* Media type without parameters, in lower case. */
static void
take_type(CURL *h, struct http_response *r)
{
	char *type = NULL;
	size_t i;

	r->type[0] = '\0';
	if (curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK ||
	    type == NULL)
		return;
	for (i = 0; i + 1 < sizeof(r->type) && type[i] != '\0' &&
	     type[i] != ';' && !isspace((unsigned char)type[i]);
	     i++)
		r->type[i] = (char)tolower((unsigned char)type[i]);
	r->type[i] = '\0';
}

static void
take_answer(CURL *h, struct http_response *r)
{
	curl_off_t after = 0;

	(void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &r->status);
	take_type(h, r);
	if (curl_easy_getinfo(h, CURLINFO_RETRY_AFTER, &after) == CURLE_OK &&
	    after > 0)
		r->retry_after = after > TRANSPORT_MAX_RETRY_AFTER
		    ? TRANSPORT_MAX_RETRY_AFTER
		    : (long)after;
}

static int
perform(CURL *h, struct exchange *x, struct burin_error *e)
{
	CURLcode rv;

	http_response_clear(x->r);
	x->message[0] = '\0';
	(void)curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, 0L);
	if ((rv = curl_easy_perform(h)) != CURLE_OK)
		return fail_network(rv, x, e);
	take_answer(h, x->r);
	return 0;
}

/* Same scheme, host and port: a redirect may not lead to a stranger. */
static int
same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST,
		CURLUPART_PORT };
	CURLU *ua = curl_url(), *ub = curl_url();
	size_t i;
	int same = 0;

	if (ua == NULL || ub == NULL ||
	    curl_url_set(ua, CURLUPART_URL, a, 0) != CURLUE_OK ||
	    curl_url_set(ub, CURLUPART_URL, b, 0) != CURLUE_OK)
		goto out;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *pa = NULL, *pb = NULL;
		int equal = curl_url_get(ua, parts[i], &pa,
				CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(ub, parts[i], &pb, CURLU_DEFAULT_PORT) ==
			CURLUE_OK &&
		    strcasecmp(pa, pb) == 0;

		curl_free(pa);
		curl_free(pb);
		if (!equal)
			goto out;
	}
	same = 1;
out:
	curl_url_cleanup(ua);
	curl_url_cleanup(ub);
	return same;
}

static int
follow_redirects(CURL *h, struct exchange *x, struct burin_error *e)
{
	int hops;

	for (hops = 0; x->r->status / 100 == 3; hops++) {
		char *to = NULL;

		if (curl_easy_getinfo(h, CURLINFO_REDIRECT_URL, &to) !=
			CURLE_OK ||
		    to == NULL)
			return 0;
		if (hops == TRANSPORT_MAX_REDIRECTS ||
		    !same_origin(x->q->url, to)) {
			burin_fail(e, BURIN_EAUTHORITY, "redirect-refused",
			    "%s redirects to %s", x->q->url, to);
			burin_error_rule(e, "RFC 7030 section 3.2.1");
			return burin_error_advice(e,
			    "if that is the right "
			    "authority, give its address with --ca");
		}
		if (curl_easy_setopt(h, CURLOPT_URL, to) != CURLE_OK)
			return burin_fail_memory(e);
		if (perform(h, x, e) != 0)
			return -1;
	}
	return 0;
}

/* The server asked who we are: Digest when it offers that, else Basic. */
static int
answer_challenge(CURL *h, struct exchange *x, struct burin_error *e)
{
	const struct transport_config *c = x->q->c;
	struct burin_secret *secret = NULL;
	long offered = 0;
	int rc = -1;

	if (curl_easy_getinfo(h, CURLINFO_HTTPAUTH_AVAIL, &offered) !=
		CURLE_OK ||
	    (offered & (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST)) == 0)
		return 0;
	if (c->secret(c->arg, &secret, e) != 0)
		goto out;
	if (curl_easy_setopt(h, CURLOPT_HTTPAUTH,
		(offered & (long)CURLAUTH_DIGEST) != 0
		    ? (long)CURLAUTH_DIGEST
		    : (long)CURLAUTH_BASIC) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_USERNAME,
		c->user != NULL ? c->user : "") != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_PASSWORD,
		(const char *)burin_secret_bytes(secret)) != CURLE_OK) {
		burin_fail_memory(e);
		goto out;
	}
	rc = perform(h, x, e);
out:
	burin_secret_free(&secret);
	return rc;
}

int
http_refuse_userinfo(const char *option, const char *url, struct burin_error *e)
{
	if (url == NULL || strchr(url, '@') == NULL)
		return 0;
	burin_fail(e, BURIN_EUSAGE, "url-userinfo",
	    "the address of %s has a user or a password in it", option);
	burin_error_rule(e, "RFC 3986 section 3.2.1");
	return burin_error_advice(e,
	    "leave what is before the '@' out: --user and --secret are for "
	    "the authority, https_proxy in the environment for a proxy");
}

int
http_exchange(const struct http_request *q, struct http_response *r,
    struct burin_error *e)
{
	struct exchange x = { .q = q, .r = r };
	CURL *h = NULL;
	int rc = -1;

	memset(r, 0, sizeof(*r));
	r->retry_after = -1;
	if (q->authenticate_server && anchors_pem(&x, e) != 0)
		goto out;
	if (q->keep != NULL && (h = *q->keep) != NULL) {
		*q->keep = NULL;
		curl_easy_reset(h);
	}
	if ((h == NULL && (h = curl_easy_init()) == NULL) ||
	    (x.h = h, !set_all(h, &x))) {
		burin_fail(e, BURIN_EINTERNAL, "http-setup",
		    "libcurl does not take the settings for %s", q->url);
		goto out;
	}
	if (perform(h, &x, e) != 0 || follow_redirects(h, &x, e) != 0)
		goto out;
	if (r->status == 401 && q->authenticate_server &&
	    q->c->secret != NULL && answer_challenge(h, &x, e) != 0)
		goto out;
	rc = 0;
out:
	/* What the handle borrows is let go by the next curl_easy_reset. */
	if (rc == 0 && q->keep != NULL)
		*q->keep = h;
	else
		curl_easy_cleanup(h);
	curl_slist_free_all(x.headers);
	free(x.anchors);
	if (rc != 0)
		http_response_clear(r);
	return rc;
}
