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
		sentences(r->text, sizeof(r->text), e);
		return;
	}
	/* The token, or its keeper: what is asked for may be done later. */
	if (e->status == BURIN_ETOKEN || e->status == BURIN_EPIN ||
	    e->status == BURIN_EREFUSED || e->status == BURIN_EINTERRUPTED) {
		answer_text(r, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "the authority cannot use its keys now; try again later");
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
answer_cert(struct answer *r, X509 *cert, struct burin_error *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	char *serial;

	if (certs == NULL || !sk_X509_push(certs, cert)) {
		(void)burin_fail_memory(e);
		answer_error(r, e);
	} else if (burin_certs_only_make(certs, &r->der, &r->der_len, e) != 0) {
		answer_error(r, e);
	} else {
		r->status = MHD_HTTP_OK;
		serial = burin_serial_text(X509_get0_serialNumber(cert));
		(void)snprintf(r->detail, sizeof(r->detail), "certificate %s",
		    serial != NULL ? serial : "");
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
cert_response(const struct answer *r)
{
	size_t size = (r->der_len + 2) / 3 * 4 + 1;
	struct MHD_Response *resp;
	unsigned char *text;
	int n;

	if ((text = malloc(size)) == NULL)
		return NULL;
	n = EVP_EncodeBlock(text, r->der, (int)r->der_len);
	resp = MHD_create_response_from_buffer(
	    (size_t)n, text, MHD_RESPMEM_MUST_FREE);
	if (resp == NULL) {
		free(text);
		return NULL;
	}
	if (add_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE,
		"application/pkcs7-mime; smime-type=certs-only") &&
	    add_header(resp, "Content-Transfer-Encoding", "base64"))
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
	char seconds[16];

	if (!add_header(resp, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"))
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
log_answer(struct MHD_Connection *c, const char *method, const char *url,
    const struct exchange *x, const struct answer *r)
{
	const struct sockaddr *sa = http_peer(c);
	char host[64] = "?";
	socklen_t len;

	if (sa != NULL) {
		len = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						: sizeof(struct sockaddr_in);
		(void)getnameinfo(
		    sa, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	}
	http_log("%s %.16s %.*s %u %s %s%s%s", host, method, MAX_LOG_URL, url,
	    r->status, x->who[0] != '\0' ? x->who : "-", r->text,
	    r->text[0] != '\0' && r->detail[0] != '\0' ? "; " : "", r->detail);
}

enum MHD_Result
answer_send(struct MHD_Connection *c, const char *method, const char *url,
    const struct exchange *x, struct answer *r)
{
	enum MHD_Result rv = MHD_NO;
	struct MHD_Response *resp;

	log_answer(c, method, url, x, r);
	resp = r->der != NULL ? cert_response(r) : text_response(r);
	if (resp != NULL && add_headers(resp, r)) {
		if (r->challenge && r->digest)
			rv = MHD_queue_auth_fail_response2(c, CA_REALM, "burin",
			    resp, r->challenge > 1 ? MHD_YES : MHD_NO,
			    MHD_DIGEST_ALG_SHA256);
		else
			rv = MHD_queue_response(c, r->status, resp);
	}
	if (resp != NULL)
		MHD_destroy_response(resp);
	OPENSSL_free(r->der);
	r->der = NULL;
	return rv;
}
