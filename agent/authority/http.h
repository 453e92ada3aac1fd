/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the authority's HTTPS side: one exchange, its route and its answer,
 * who asks.
 */

#ifndef BURIN_AUTHORITY_HTTP_H
#define BURIN_AUTHORITY_HTTP_H

#include <stdatomic.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <microhttpd.h>

#include "ca.h"

#define HTTP_MAX_DRAIN 1048576	   /* bytes read of a body too long */
#define HTTP_MAX_HELD (64UL << 20) /* bytes of all bodies at once */
#define HTTP_MAX_LABEL 64	   /* characters */

#define EST_BASE "/.well-known/est/" /* RFC 7030 section 3.2.2 */

struct watch;
struct metrics;
struct ra;

struct server {
	struct authority *a;
	struct peers *peers;
	struct watch *watch;
	struct metrics *metrics;
	struct ra *ra;	 /* what requests are passed on through; NULL: a CA */
	atomic_int busy; /* exchanges that are not over */
	atomic_int stopping; /* nothing new is begun */
	atomic_size_t held;  /* bytes of bodies */
};

/* --- one request ------------------------------------------------------- */

struct call;

#define ROUTES 11
#define ROUTE_CA 8    /* needs the CA's key: not there on an RA */
#define ROUTE_LABEL 4 /* path [/LABEL] */
#define ROUTE_PLAIN 2 /* without TLS, too: what is signed and for anybody */
#define ROUTE_EST 1   /* EST_BASE [LABEL/] path; bodies are base64 */
struct route {
	const char *method; /* a GET is a HEAD, too */
	const char *path;   /* whole; ROUTE_EST: the operation */
	unsigned flags;
	const char *const *types; /* of a body, NULL-ended; NULL: no body */
	size_t max;		  /* bytes of a body */
	void (*run)(struct call *k);
};

/* One request as it comes in. */
struct exchange {
	const struct route *route;	/* NULL: nothing is there */
	char label[HTTP_MAX_LABEL + 1]; /* "" none */
	unsigned char *body;
	size_t len, room; /* bytes kept, and allocated */
	size_t seen;	  /* bytes that came */
	unsigned refused; /* status that is settled before the end, 0 none */
	char who[64];	  /* principal, for the log */
	struct timespec begun;
};

/* What a handler gets. */
struct call {
	struct server *s;
	int plain; /* no TLS */
	struct MHD_Connection *c;
	struct exchange *x;
	struct answer *r;
	const char *method, *url;
};

/* --- route.c: what is where -------------------------------------------- */

/*
 * The route of a path, whatever its method; x gets the label in it. plain 1:
 * of those that need no TLS.
 */
void route_find(const char *url, int plain, struct exchange *x);
/*
 * Its number, below ROUTES; ROUTES of no route. And its name for metrics:
 * the path without its folder, "other" for ROUTES.
 */
size_t route_number(const struct route *route);
const char *route_name(size_t number);
/* Refuses what does not fit the route, or runs its handler. */
void route_run(struct call *k);
/*
 * The body is of a kind that the route takes, not empty, and DER now
 * whatever it came in: 1; 0 when r holds the refusal. After authentication:
 * a client that was not asked yet may send an empty one first.
 */
int route_body(struct call *k);

/* --- answer.c ---------------------------------------------------------- */

#define ANSWER_TEXT 1536
/* What goes back. Zero it, then fill it. */
struct answer {
	unsigned status;     /* HTTP */
	unsigned char *body; /* or NULL: text. OPENSSL_free */
	size_t body_len;
	const char *type;	  /* of body; static */
	int base64;		  /* body goes in base64 (RFC 8951 section 3) */
	char text[ANSWER_TEXT];	  /* for people; the log has it too */
	char detail[ANSWER_TEXT]; /* for the log only */
	unsigned retry_after;	  /* seconds, 0 none */
	unsigned max_age;	  /* seconds it may be kept, 0 not at all */
	const char *allow;	  /* with 405 */
	const char *policy;	  /* Content-Security-Policy, or NULL */
	int challenge;		  /* with 401: 1, or 2 for a stale nonce */
	int digest;		  /* a challenge offers Digest as well */
	int close;		  /* the connection ends with it */
};

/* "burin: ...": one line, control bytes taken out. */
void http_log(const char *fmt, ...) BURIN_PRINTF(1, 2);

/* Forgets what is over; that it could not is a line in the log. */
void http_sweep(struct store *st);
/* Text of an error for the peer: status by class, details kept back. */
void answer_error(struct answer *r, const struct burin_error *e);
void answer_text(struct answer *r, unsigned status, const char *fmt, ...)
    BURIN_PRINTF(3, 4);
/* Takes body (OPENSSL_malloc'd) over; in base64 where the route is EST. */
void answer_body(struct call *k, unsigned status, const char *type,
    unsigned char *body, size_t len);
/* certs-only with one certificate, named in the log. */
void answer_cert(struct call *k, X509 *cert, struct burin_error *e);
/* Queues k->r, logs and counts it, frees what it holds. */
enum MHD_Result answer_send(struct call *k);

/* --- est.c ------------------------------------------------------------- */

void serve_cacerts(struct call *k);
void serve_csrattrs(struct call *k);
void serve_enroll(struct call *k);
void serve_reenroll(struct call *k);

/* --- link.c: is the request of this TLS session? ----------------------- */

/*
 * What links a request to its session (RFC 7030 section 3.5, RFC 7894
 * section 3.4) fits; *linked 1: it is there. BURIN_EUSAGE "link-wrong",
 * "link-missing", "link-unsafe".
 */
int link_check(
    struct call *k, X509_REQ *req, int *linked, struct burin_error *e);
/*
 * SHA-256 of what a linked request says without its link: a client that was
 * told to come back links the same request to another session.
 */
int link_hash(
    X509_REQ *req, unsigned char sha256[CA_SHA256], struct burin_error *e);

/* --- cmc_http.c --------------------------------------------------------------
 */

void serve_cmc(struct call *k);
/*
 * EST's simpleenroll and simplereenroll at an RA: the PKCS#10 of whom HTTP or
 * TLS names is passed on in CMC. One of both is NULL.
 */
void serve_passed(
    struct call *k, const struct invite *invite, const struct issued *cert);

/* --- upstream.c --------------------------------------------------------- */

/* *out NULL: a is a CA. */
int upstream_new(struct authority *a, struct ra **out, struct burin_error *e);

/* --- download.c: what anybody may fetch -------------------------------- */

void serve_ca(struct call *k);
void serve_crl(struct call *k);
void serve_health(struct call *k);

/* --- status.c: what the operator looks at ------------------------------ */

void serve_page(struct call *k);
void serve_metrics(struct call *k);

/* --- auth.c ------------------------------------------------------------ */

const struct sockaddr *http_peer(struct MHD_Connection *c);
/*
 * 1 when the peer proved to know the secret of an invite; 0 when r holds
 * the refusal.
 */
int auth_invite(struct server *s, struct MHD_Connection *c, struct invite *in,
    struct answer *r);
/* 1 when the TLS client showed a good certificate of ours; 0 as above. */
int auth_cert(struct server *s, struct MHD_Connection *c, struct issued *cert,
    struct answer *r);
/* 1 when the TLS client showed any certificate. */
int auth_shown(struct MHD_Connection *c);
/* 1 when the TLS client is an RA of ours (RFC 7030 section 3.7). */
int auth_ra(struct call *k);
/* 1 when the setting "page" lets the peer see; 0 as above. */
int auth_page(struct call *k);

/* --- listen.c ---------------------------------------------------------- */

enum {
	LISTEN_HTTPS,
	LISTEN_HTTP,
	LISTEN_KINDS
};
struct listening {
	int fd;	   /* -1: none */
	char *url; /* as a client on this machine reaches it */
};
/*
 * The listening sockets: those of a service manager (sd_listen_fds(3)), by
 * their names, else HOST:PORT, where http may be NULL.
 */
int listen_open(const struct settings *cnf, const char *https, const char *http,
    struct listening l[LISTEN_KINDS], struct burin_error *e);
/* Those that are not in use yet. */
void listen_close(struct listening l[LISTEN_KINDS]);

/* --- watch.c: connections and their time ------------------------------- */

/* What is remembered of one connection: MHD's socket context. */
struct conn {
	unsigned stale; /* Digest answers that met a used nonce */
	int fd;
	time_t until; /* monotonic seconds; 0: not limited now */
	struct conn *next, **at;
};
int watch_new(struct watch **out, struct burin_error *e);
void watch_free(struct watch **w);
struct conn *watch_add(struct watch *w, int fd);
void watch_remove(struct watch *w, struct conn *conn);
/* on 1: the peer has REQUEST_SECONDS from now on; 0: it waits for us. */
void watch_limit(struct watch *w, struct conn *conn, int on);
struct conn *http_conn(struct MHD_Connection *c);

/* --- metrics.c --------------------------------------------------------- */

int metrics_new(struct metrics **out, struct burin_error *e);
void metrics_free(struct metrics **m);
/* The counters of answers, for GET /metrics. */
void metrics_print(struct server *s, BIO *out);
void metrics_answer(struct metrics *m, const struct route *route,
    unsigned status, double seconds);

/* --- tls.c: the server's key, which stays on the token ----------------- */

int tls_start(struct authority *a, struct burin_error *e);
void tls_stop(void);
/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
gnutls_certificate_retrieve_function2 *tls_callback(void);

#endif
