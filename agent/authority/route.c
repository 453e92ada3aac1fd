/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is where: one table of paths, with what each takes. EST has a folder
 * of its own, where a label between it and the operation is the name of a
 * profile (RFC 7030 section 3.2.2).
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "../enroll/profile_dir.h"
#include "http.h"

#define KIB 1024

/* RFC 8951 section 3.2: whatever parameters it has. */
static const char *const pkcs10[] = { "application/pkcs10", NULL };

static const char *const messages[] = { "application/pkcs7-mime",
	"application/x-pkcs7-mime", "application/pkcs10", NULL };

#define GET MHD_HTTP_METHOD_GET
#define POST MHD_HTTP_METHOD_POST
static const struct route routes[ROUTES] = {
	{ GET, "cacerts", ROUTE_EST, NULL, 0, serve_cacerts },
	{ GET, "csrattrs", ROUTE_EST, NULL, 0, serve_csrattrs },
	{ POST, "simpleenroll", ROUTE_EST, pkcs10, 64 * KIB, serve_enroll },
	{ POST, "simplereenroll", ROUTE_EST, pkcs10, 64 * KIB, serve_reenroll },
	{ POST, "fullcmc", ROUTE_EST, messages, 1024 * KIB, serve_cmc },
	{ POST, "/cmc", ROUTE_LABEL, messages, 1024 * KIB, serve_cmc },
	{ GET, "/ca.cer", ROUTE_PLAIN, NULL, 0, serve_ca },
	{ GET, "/ca.crl", ROUTE_PLAIN | ROUTE_CA, NULL, 0, serve_crl },
	{ GET, "/", 0, NULL, 0, serve_page },
	{ GET, "/metrics", 0, NULL, 0, serve_metrics },
	{ GET, "/healthz", 0, NULL, 0, serve_health },
};

size_t
route_number(const struct route *route)
{
	return route != NULL ? (size_t)(route - routes) : ROUTES;
}

const char *
route_name(size_t number)
{
	const char *path, *slash;

	if (number >= ROUTES)
		return "other";
	path = routes[number].path;
	slash = strrchr(path, '/');
	if (slash == NULL)
		return path;
	return slash[1] != '\0' ? slash + 1 : "page";
}

static const struct route *
find(const char *path, unsigned est)
{
	size_t i;

	for (i = 0; i < ROUTES; i++)
		if ((routes[i].flags & ROUTE_EST) == est &&
		    strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

/* "/cmc/LABEL" */
static const struct route *
find_labelled(const char *url, struct exchange *x)
{
	const char *slash = strrchr(url, '/');
	size_t i, n = (size_t)(slash - url);

	if (!profile_name_ok(slash + 1) || strlen(slash + 1) > HTTP_MAX_LABEL)
		return NULL;
	for (i = 0; i < ROUTES; i++) {
		if (!(routes[i].flags & ROUTE_LABEL) ||
		    strlen(routes[i].path) != n ||
		    strncmp(url, routes[i].path, n) != 0)
			continue;
		(void)strcpy(x->label, slash + 1);
		return &routes[i];
	}
	return NULL;
}

/* A label is never the name of an operation. */
static void
find_any(const char *url, struct exchange *x)
{
	const char *path, *slash;
	size_t n;

	if (strncmp(url, EST_BASE, sizeof(EST_BASE) - 1) != 0) {
		if ((x->route = find(url, 0)) == NULL && *url == '/')
			x->route = find_labelled(url, x);
		return;
	}
	path = url + sizeof(EST_BASE) - 1;
	if ((slash = strchr(path, '/')) == NULL) {
		x->route = find(path, ROUTE_EST);
		return;
	}
	if ((n = (size_t)(slash - path)) > HTTP_MAX_LABEL)
		return;
	memcpy(x->label, path, n);
	x->label[n] = '\0';
	if (profile_name_ok(x->label) && find(x->label, ROUTE_EST) == NULL)
		x->route = find(slash + 1, ROUTE_EST);
}

void
route_find(const char *url, int plain, struct exchange *x)
{
	find_any(url, x);
	if (plain && x->route != NULL && !(x->route->flags & ROUTE_PLAIN))
		x->route = NULL;
}

static int
method_fits(const struct route *route, const char *method)
{
	return strcmp(method, route->method) == 0 ||
	    (strcmp(route->method, GET) == 0 &&
		strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
}

/* The profile that a label names has to be there. */
static int
label_known(struct call *k)
{
	char *text = NULL;
	size_t len;
	int rc;

	if (k->x->label[0] == '\0')
		return 1;
	rc = profile_load_from(
	    k->s->a->profiles, k->x->label, &text, &len, NULL);
	free(text);
	return rc == 0;
}

void
route_run(struct call *k)
{
	const struct route *route = k->x->route;

	if (route == NULL && k->plain) {
		answer_text(k->r, MHD_HTTP_NOT_FOUND,
		    "without TLS there are /ca.crl and /ca.cer only");
	} else if (route == NULL) {
		answer_text(k->r, MHD_HTTP_NOT_FOUND,
		    "nothing is here; EST is under " EST_BASE
		    " with cacerts, csrattrs, simpleenroll, simplereenroll and "
		    "fullcmc, CMC at /cmc");
	} else if ((route->flags & ROUTE_CA) && k->s->a->cnf.ra) {
		answer_text(k->r, MHD_HTTP_NOT_FOUND,
		    "this is a registration authority; the CA has %s",
		    route->path);
	} else if (!method_fits(route, k->method)) {
		answer_text(k->r, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is a %s",
		    route_name(route_number(route)), route->method);
		k->r->allow = route->method;
	} else if (!label_known(k)) {
		answer_text(k->r, MHD_HTTP_NOT_FOUND,
		    "this authority has no profile %s", k->x->label);
	} else if (route->types != NULL && k->x->seen > route->max) {
		answer_text(k->r, MHD_HTTP_CONTENT_TOO_LARGE,
		    "the request is longer than %zu bytes", route->max);
	} else {
		route->run(k);
	}
}

/* --- bodies ------------------------------------------------------------------
 */

/* One of the kinds of a route, with or without parameters. */
static int
type_fits(const struct route *route, const char *type)
{
	size_t i, n;

	for (i = 0; type != NULL && route->types[i] != NULL; i++) {
		n = strlen(route->types[i]);
		if (strncasecmp(type, route->types[i], n) == 0 &&
		    strchr("; \t", type[n]) != NULL)
			return 1;
	}
	return 0;
}

/*
 * Base64 of DER, blanks and line ends allowed (RFC 8951 section 3.1), in
 * place. A body of DER itself, which starts with 0x30, is taken as it is:
 * base64 of DER starts with 'M'.
 */
static int
decode(struct exchange *x)
{
	size_t i, n = 0, pad = 0;
	int len;

	if (x->body[0] == 0x30)
		return 0;
	for (i = 0; i < x->len; i++)
		if (memchr(" \t\r\n", x->body[i], 4) == NULL)
			x->body[n++] = x->body[i];
	if (n == 0 || n % 4 != 0)
		return -1;
	while (pad < 2 && x->body[n - 1 - pad] == '=')
		pad++;
	if (memchr(x->body, '=', n - pad) != NULL)
		return -1;
	if ((len = EVP_DecodeBlock(x->body, x->body, (int)n)) < 0)
		return -1;
	x->len = (size_t)len - pad;
	return 0;
}

int
route_body(struct call *k)
{
	const struct route *route = k->x->route;
	const char *type;

	type = MHD_lookup_connection_value(
	    k->c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	if (!type_fits(route, type)) {
		answer_text(k->r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
		    "the body of this operation is %s (RFC 7030 section 4)",
		    route->types[0]);
		return 0;
	}
	if (k->x->len == 0) {
		answer_text(k->r, MHD_HTTP_BAD_REQUEST, "the request is empty");
		return 0;
	}
	if ((route->flags & ROUTE_EST) && decode(k->x) != 0) {
		answer_text(k->r, MHD_HTTP_BAD_REQUEST,
		    "the body is no base64 of a DER request (RFC 8951 section "
		    "3)");
		return 0;
	}
	return 1;
}
