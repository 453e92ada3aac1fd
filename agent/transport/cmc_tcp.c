/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC over bare TCP (RFC 5273 section 5, port of RFC 6402 section 3): the
 * message, and nothing else. libcurl connects, so that names and proxies are
 * its business here as they are over HTTP.
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "cmc_tcp.h"
#include "http.h"
#include "message.h"

#define PKIX_CMC_PORT "5318"
#define FIRST_ROOM 4096

struct line {
	CURL *h;
	curl_socket_t fd;
	const char *url; /* as the user gave it */
	struct timespec until;
	unsigned char *body;
	size_t len, room;
	char message[CURL_ERROR_SIZE];
};

static int
refuse_url(const char *url, struct burin_error *e)
{
	burin_fail(e, BURIN_EUSAGE, "ca-url",
	    "'%s' is not an address of CMC over TCP", url);
	burin_error_rule(e, "RFC 5273 section 5");
	return burin_error_advice(
	    e, "give --ca tcp://HOST[:PORT], without a path");
}

/* Nothing but host and port. */
static int
is_bare(CURLU *u)
{
	static const struct {
		CURLUPart part;
		const char *bare; /* what may stand there */
	} parts[] = { { CURLUPART_PATH, "/" }, { CURLUPART_QUERY, "" },
		{ CURLUPART_FRAGMENT, "" } };
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *text = NULL;
		int bare =
		    curl_url_get(u, parts[i].part, &text, 0) != CURLUE_OK ||
		    strcmp(text, parts[i].bare) == 0;

		curl_free(text);
		if (!bare)
			return 0;
	}
	return 1;
}

int
cmc_tcp_url(const char *url, char **out, struct burin_error *e)
{
	CURLU *u = curl_url();
	char *port = NULL;
	int rc = -1;

	*out = NULL;
	if (u == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (curl_url_set(u, CURLUPART_URL, url,
		CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER) != CURLUE_OK ||
	    !is_bare(u)) {
		(void)refuse_url(url, e);
		goto out;
	}
	/* libcurl knows no tcp: whatever it does not begin to speak will do. */
	if ((curl_url_get(u, CURLUPART_PORT, &port, 0) != CURLUE_OK &&
		curl_url_set(u, CURLUPART_PORT, PKIX_CMC_PORT, 0) !=
		    CURLUE_OK) ||
	    curl_url_set(u, CURLUPART_SCHEME, "http", 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_URL, out, 0) != CURLUE_OK) {
		burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	curl_free(port);
	curl_url_cleanup(u);
	return rc;
}

/* --- waiting ------------------------------------------------------------- */

static void
start_clock(struct line *l, long seconds)
{
	(void)clock_gettime(CLOCK_MONOTONIC, &l->until);
	l->until.tv_sec += seconds;
}

static int
milliseconds_left(const struct line *l)
{
	struct timespec now;
	long long left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left = (long long)(l->until.tv_sec - now.tv_sec) * 1000 +
	    (l->until.tv_nsec - now.tv_nsec) / 1000000;
	if (left <= 0)
		return 0;
	return left > 1000000 ? 1000000 : (int)left;
}

static int
wait_for(const struct line *l, short events, struct burin_error *e)
{
	struct pollfd p = { .fd = l->fd, .events = events };
	int left, n;

	while ((left = milliseconds_left(l)) > 0) {
		n = poll(&p, 1, left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return burin_fail(e, BURIN_EINTERRUPTED,
			    "network-failed", "cannot wait for %s: %s", l->url,
			    strerror(errno));
	}
	return http_fail(
	    (int)CURLE_OPERATION_TIMEDOUT, "no whole message came", l->url, e);
}

/* --- sending and receiving ----------------------------------------------- */

static int
send_all(struct line *l, const unsigned char *data, size_t len,
    struct burin_error *e)
{
	while (len > 0) {
		size_t n = 0;
		CURLcode rv = curl_easy_send(l->h, data, len, &n);

		if (rv == CURLE_AGAIN) {
			if (wait_for(l, POLLOUT, e) != 0)
				return -1;
			continue;
		}
		if (rv != CURLE_OK)
			return http_fail((int)rv, l->message, l->url, e);
		data += n;
		len -= n;
	}
	return 0;
}

static int
make_room(struct line *l, struct burin_error *e)
{
	size_t room = l->room == 0 ? FIRST_ROOM : 2 * l->room;
	unsigned char *grown;

	if (l->len < l->room)
		return 0;
	if ((grown = realloc(l->body, room)) == NULL)
		return burin_fail_memory(e);
	l->body = grown;
	l->room = room;
	return 0;
}

/* What has come, without waiting; *open is cleared when nothing more will. */
static int
receive_some(struct line *l, int *open, struct burin_error *e)
{
	size_t n = 0;
	CURLcode rv;

	if (make_room(l, e) != 0)
		return -1;
	rv = curl_easy_recv(l->h, l->body + l->len, l->room - l->len, &n);
	if (rv != CURLE_OK && rv != CURLE_AGAIN)
		return http_fail((int)rv, l->message, l->url, e);
	if (rv == CURLE_OK && n == 0)
		*open = 0;
	l->len += n;
	return 0;
}

/* Not much more than TRANSPORT_MAX_BODY is read: then the end is too far. */
static int
receive(struct line *l, const char *where, struct burin_error *e)
{
	enum message_end end = MESSAGE_MORE;
	int open = 1;

	while (end == MESSAGE_MORE && open) {
		if (wait_for(l, POLLIN, e) != 0 ||
		    receive_some(l, &open, e) != 0)
			return -1;
		end = message_end(l->body, l->len);
	}
	return message_must_be_cmc(l->body, l->len, where, e);
}

static int
call(struct line *l, const struct transport_config *c, const char *url,
    struct burin_error *e)
{
	long total = c->timeout > 0 ? c->timeout : TRANSPORT_TOTAL_SECONDS;
	long connect = total < TRANSPORT_CONNECT_SECONDS
	    ? total
	    : TRANSPORT_CONNECT_SECONDS;
	CURLcode rv;

	start_clock(l, total);
	if ((l->h = curl_easy_init()) == NULL ||
	    curl_easy_setopt(l->h, CURLOPT_ERRORBUFFER, l->message) !=
		CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_PROTOCOLS_STR, "http") != CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
	    /* through an HTTP proxy by CONNECT, not by asking it */
	    curl_easy_setopt(l->h, CURLOPT_HTTPPROXYTUNNEL, 1L) != CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_USERAGENT, "burin") != CURLE_OK ||
	    curl_easy_setopt(l->h, CURLOPT_CONNECTTIMEOUT, connect) !=
		CURLE_OK ||
	    (c->proxy != NULL &&
		curl_easy_setopt(l->h, CURLOPT_PROXY, c->proxy) != CURLE_OK))
		return burin_fail(e, BURIN_EINTERNAL, "http-setup",
		    "libcurl does not take the settings for %s", l->url);
	if ((rv = curl_easy_perform(l->h)) != CURLE_OK ||
	    (rv = curl_easy_getinfo(l->h, CURLINFO_ACTIVESOCKET, &l->fd)) !=
		CURLE_OK)
		return http_fail((int)rv, l->message, l->url, e);
	return 0;
}

int
cmc_tcp_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, struct transport_reply *reply, struct burin_error *e)
{
	struct line l = { .fd = CURL_SOCKET_BAD, .url = c->url };
	char *url = NULL, *where = NULL;
	int rc = -1;

	if (cmc_tcp_url(c->url, &url, e) != 0)
		goto out;
	if (asprintf(&where, "the answer of %s", c->url) < 0) {
		where = NULL;
		burin_fail_memory(e);
		goto out;
	}
	if (call(&l, c, url, e) != 0 || send_all(&l, request, len, e) != 0 ||
	    receive(&l, where, e) != 0)
		goto out;
	reply->outcome = TRANSPORT_ISSUED;
	reply->body = l.body;
	reply->len = l.len;
	l.body = NULL;
	rc = 0;
out:
	curl_easy_cleanup(l.h);
	curl_free(url);
	free(where);
	free(l.body);
	return rc;
}
