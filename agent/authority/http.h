/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the authority's HTTPS side: one exchange, its answer, who asks.
 */

#ifndef BURIN_AUTHORITY_HTTP_H
#define BURIN_AUTHORITY_HTTP_H

#include <stdatomic.h>

#include <gnutls/abstract.h>
#include <microhttpd.h>

#include "ca.h"

#define HTTP_MAX_BODY 65536    /* bytes of one request */
#define HTTP_MAX_DRAIN 1048576 /* bytes read of one that is too long */

struct server {
	struct authority *a;
	struct peers *peers;
	atomic_int busy; /* exchanges that are not over */
};

/* What is remembered of one connection: MHD's socket context. */
struct link {
	unsigned stale; /* Digest answers that met a used nonce */
};

/* One request as it comes in. */
struct exchange {
	unsigned char *body;
	size_t len;   /* bytes kept */
	size_t seen;  /* bytes that came */
	char who[64]; /* principal, for the log */
};

#define ANSWER_TEXT 1536
/* What goes back. Zero it, then fill it. */
struct answer {
	unsigned status;    /* HTTP */
	unsigned char *der; /* certs-only, or NULL: text. OPENSSL_free */
	size_t der_len;
	char text[ANSWER_TEXT];	  /* for people; the log has it too */
	char detail[ANSWER_TEXT]; /* for the log only */
	unsigned retry_after;	  /* seconds, 0 none */
	const char *allow;	  /* with 405 */
	int challenge;		  /* with 401: 1, or 2 for a stale nonce */
	int digest;		  /* a challenge offers Digest as well */
};

/* "burin: ...": one line, control bytes taken out. */
void http_log(const char *fmt, ...) BURIN_PRINTF(1, 2);
/* Text of an error for the peer: status by class, details kept back. */
void answer_error(struct answer *r, const struct burin_error *e);
void answer_text(struct answer *r, unsigned status, const char *fmt, ...)
    BURIN_PRINTF(3, 4);
void answer_cert(struct answer *r, X509 *cert, struct burin_error *e);
/* Queues r, logs it, frees what it holds. */
enum MHD_Result answer_send(struct MHD_Connection *c, const char *method,
    const char *url, const struct exchange *x, struct answer *r);

/* est.c */
void est_answer(struct server *s, struct MHD_Connection *c, const char *method,
    const char *url, struct exchange *x, struct answer *r);

/* auth.c */
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

/* tls.c: the server's key, which stays on the token */

int tls_start(struct authority *a, struct burin_error *e);
void tls_stop(void);
/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
gnutls_certificate_retrieve_function2 *tls_callback(void);

#endif
