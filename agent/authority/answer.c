/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the authority (RFC 7030 section 4.2.3, RFC 8951 section 3) and
 * the log: one line per answer on stderr, never with a secret.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <netdb.h>
#include <sys/socket.h>

#include <burin/names.h>
#include <burin/response.h>

#include "http.h"

#define MAX_LOG_LINE 2048 /* bytes */
#define MAX_LOG_URL 200	  /* characters of a path */

void
http_log(const char *fmt, ...)
{
	char line[MAX_LOG_LINE], when[32], *c;
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (c = line; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		when[0] = '\0';
	(void)fprintf(stderr, "%s %s\n", when, line);
}

void
answer_text(struct answer *r, unsigned status, const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	va_start(ap, fmt);
	(void)vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

/* reason, rule and advice as one paragraph */
static void
sentences(char *out, size_t size, const struct burin_error *e)
{
	/* A text that is cut short still says what matters. */
	if (snprintf(out, size, "%s: %s%s%s%s%s%s", e->code, e->reason,
		e->rule[0] != '\0' ? " (" : "", e->rule,
		e->rule[0] != '\0' ? ")" : "", e->advice[0] != '\0' ? "; " : "",
		e->advice) < 0)
		out[0] = '\0';
}

void
answer_error(struct answer *r, const struct burin_error *e)
{
	if (e->status == BURIN_EUSAGE || e->status == BURIN_EAUTHORITY) {
		r->status = e->status == BURIN_EUSAGE ? MHD_HTTP_BAD_REQUEST
						      : MHD_HTTP_FORBIDDEN;
		if (strcmp(e->code, "too-many-waiting") == 0)
			r->status = MHD_HTTP_TOO_MANY_REQUESTS;
		if (strcmp(e->code, "waiting-full") == 0)
			r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		sentences(r->text, sizeof(r->text), e);
		return;
	}
	/* The token, its keeper, or who an RA asks: it may be done later. */
	if (e->status == BURIN_ETOKEN || e->status == BURIN_EPIN ||
	    e->status == BURIN_EREFUSED || e->status == BURIN_EINTERRUPTED) {
		answer_text(r, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "the authority cannot answer this now; try again later");
		r->retry_after = CA_RETRY_AFTER;
	} else {
		answer_text(r, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    "the authority failed; its operator finds the reason in "
		    "its log");
	}
	sentences(r->detail, sizeof(r->detail), e);
	if (e->cause[0] != '\0') {
		size_t n = strlen(r->detail);

		(void)snprintf(
		    r->detail + n, sizeof(r->detail) - n, " [%s]", e->cause);
	}
}

void
answer_body(struct call *k, unsigned status, const char *type,
    unsigned char *body, size_t len)
{
	OPENSSL_free(k->r->body);
	k->r->status = status;
	k->r->type = type;
	k->r->body = body;
	k->r->body_len = len;
	k->r->base64 = (k->x->route->flags & ROUTE_EST) != 0;
}

void
answer_cert(struct call *k, X509 *cert, struct burin_error *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	unsigned char *der;
	size_t len;
	char *serial;

	if (certs == NULL || !sk_X509_push(certs, cert)) {
		(void)burin_fail_memory(e);
		answer_error(k->r, e);
	} else if (burin_certs_only_make(certs, &der, &len, e) != 0) {
		answer_error(k->r, e);
	} else {
		answer_body(k, MHD_HTTP_OK,
		    "application/pkcs7-mime; smime-type=certs-only", der, len);
		serial = burin_serial_text(X509_get0_serialNumber(cert));
		(void)snprintf(k->r->detail, sizeof(k->r->detail),
		    "certificate %s", serial != NULL ? serial : "");
		free(serial);
	}
	sk_X509_free(certs);
}

static int
add_header(struct MHD_Response *resp, const char *name, const char *value)
{
	return MHD_add_response_header(resp, name, value) == MHD_YES;
}

static struct MHD_Response *
base64_response(const struct answer *r)
{
	size_t size = (r->body_len + 2) / 3 * 4 + 1;
	struct MHD_Response *resp;
	unsigned char *text;
	int n;

	if ((text = malloc(size)) == NULL)
		return NULL;
	n = EVP_EncodeBlock(text, r->body, (int)r->body_len);
	resp = MHD_create_response_from_buffer(
	    (size_t)n, text, MHD_RESPMEM_MUST_FREE);
	if (resp == NULL)
		free(text);
	return resp;
}

static struct MHD_Response *
body_response(const struct answer *r)
{
	struct MHD_Response *resp;

	resp = r->base64 ? base64_response(r)
			 : MHD_create_response_from_buffer(
			       r->body_len, r->body, MHD_RESPMEM_MUST_COPY);
	if (resp == NULL)
		return NULL;
	if (add_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE, r->type) &&
	    (!r->base64 ||
		add_header(resp, "Content-Transfer-Encoding", "base64")))
		return resp;
	MHD_destroy_response(resp);
	return NULL;
}

static struct MHD_Response *
text_response(const struct answer *r)
{
	char text[ANSWER_TEXT + 2];
	struct MHD_Response *resp;
	int n;

	n = snprintf(text, sizeof(text), "%s\n", r->text);
	resp = MHD_create_response_from_buffer(
	    (size_t)n, text, MHD_RESPMEM_MUST_COPY);
	if (resp != NULL &&
	    !add_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE,
		"text/plain; charset=utf-8")) {
		MHD_destroy_response(resp);
		return NULL;
	}
	return resp;
}

static int
add_headers(struct MHD_Response *resp, const struct answer *r)
{
	char seconds[16], keep[40] = "no-store";

	if (r->max_age > 0)
		(void)snprintf(
		    keep, sizeof(keep), "public, max-age=%u", r->max_age);
	if (!add_header(resp, MHD_HTTP_HEADER_CACHE_CONTROL, keep) ||
	    !add_header(resp, "X-Content-Type-Options", "nosniff"))
		return 0;
	if (r->close && !add_header(resp, MHD_HTTP_HEADER_CONNECTION, "close"))
		return 0;
	if (r->policy != NULL &&
	    !add_header(resp, "Content-Security-Policy", r->policy))
		return 0;
	if (r->retry_after > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%u", r->retry_after);
		if (!add_header(resp, MHD_HTTP_HEADER_RETRY_AFTER, seconds))
			return 0;
	}
	if (r->allow != NULL &&
	    !add_header(resp, MHD_HTTP_HEADER_ALLOW, r->allow))
		return 0;
	return !r->challenge ||
	    add_header(resp, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
		"Basic realm=\"" CA_REALM "\", charset=\"UTF-8\"");
}

static void
log_answer(const struct call *k)
{
	const struct sockaddr *sa = http_peer(k->c);
	const struct answer *r = k->r;
	char host[64] = "?";
	socklen_t len;

	if (sa != NULL) {
		len = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						: sizeof(struct sockaddr_in);
		(void)getnameinfo(
		    sa, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	}
	http_log("%s %.16s %.*s %u %s %s%s%s", host, k->method, MAX_LOG_URL,
	    k->url, r->status, k->x->who[0] != '\0' ? k->x->who : "-", r->text,
	    r->text[0] != '\0' && r->detail[0] != '\0' ? "; " : "", r->detail);
}

/* Seconds since the head of the request was there. */
static double
seconds_since(const struct timespec *begun)
{
	struct timespec now = *begun;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begun->tv_sec) +
	    (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

enum MHD_Result
answer_send(struct call *k)
{
	enum MHD_Result rv = MHD_NO;
	struct MHD_Response *resp;
	struct answer *r = k->r;

	if (atomic_load(&k->s->stopping))
		r->close = 1;
	log_answer(k);
	metrics_answer(
	    k->s->metrics, k->x->route, r->status, seconds_since(&k->x->begun));
	resp = r->body != NULL ? body_response(r) : text_response(r);
	if (resp != NULL && add_headers(resp, r)) {
		if (r->challenge && r->digest)
			rv = MHD_queue_auth_fail_response2(k->c, CA_REALM,
			    "burin", resp, r->challenge > 1 ? MHD_YES : MHD_NO,
			    MHD_DIGEST_ALG_SHA256);
		else
			rv = MHD_queue_response(k->c, r->status, resp);
	}
	if (resp != NULL)
		MHD_destroy_response(resp);
	OPENSSL_free(r->body);
	r->body = NULL;
	return rv;
}
