/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The way to an authority and back: EST (RFC 7030, RFC 8951) over HTTPS with
 * libcurl, and files. A row per protocol in one table; the engine knows no
 * protocol by name.
 */

#ifndef BURIN_TRANSPORT_H
#define BURIN_TRANSPORT_H

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>

#define TRANSPORT_MAX_BODY (1024 * 1024)      /* bytes of one answer */
#define TRANSPORT_MAX_RETRY_AFTER (24 * 3600) /* seconds, clamped */
#define TRANSPORT_CONNECT_SECONDS 15
#define TRANSPORT_TOTAL_SECONDS 60
#define TRANSPORT_MAX_REDIRECTS 3

struct transport_config {
	const char *protocol; /* "est", "file" */
	const char *url; /* https://HOST[:PORT][/.well-known/est[/LABEL]] */
	STACK_OF(X509) * tls_anchors; /* never NULL for est */
	const char *proxy;	      /* URL, "" none, NULL environment */
	long timeout;		      /* seconds in all, 0: default */
	const char *user;	      /* HTTP user, may be "" or NULL */
	/* asked only when the authenticated server challenges */
	int (*secret)(
	    void *arg, struct burin_secret **out, struct burin_error *e);
	void *arg;
	/* TLS client authentication by a token key; NULL: none */
	EVP_PKEY *client_key;
	X509 *client_cert;
	STACK_OF(X509) * client_chain;
	/* files */
	const char *request_file;  /* to write the request to */
	const char *response_file; /* to read the answer from, or NULL */
};

enum transport_outcome {
	TRANSPORT_ISSUED, /* body holds certificates */
	TRANSPORT_PENDING /* come back at retry_at with the same request */
};
struct transport_reply {
	enum transport_outcome outcome;
	unsigned char *body; /* malloc'd; as received, transfer undone */
	size_t len;
	time_t retry_at;
	char detail[256]; /* what the authority said, for people */
};
void transport_reply_clear(struct transport_reply *r);

/* What a protocol needs from the user; for checks before anything is done. */
int transport_check(const struct transport_config *c, struct burin_error *e);

/*
 * Sends the DER PKCS#10 request; reenroll: it renews client_cert. A refusal
 * is BURIN_EAUTHORITY with the status and the authority's own words; a
 * network failure BURIN_EINTERRUPTED "network-..." (resumable).
 */
int transport_submit(const struct transport_config *c,
    const unsigned char *request, size_t len, int reenroll,
    struct transport_reply *reply, struct burin_error *e);

/*
 * The authority's CA certificates (EST cacerts). With tls_anchors NULL the
 * server is not authenticated and the answer must be judged by the caller
 * with a fingerprint before it is believed (RFC 7030 section 4.1.1).
 */
int transport_cacerts(const struct transport_config *c,
    struct transport_reply *reply, struct burin_error *e);

/*
 * First contact: fetches cacerts without trust and gives the anchor whose
 * SHA-256 is the fingerprint (hex, colons allowed), checked self-signed.
 * Anything else is BURIN_ECHECK "fingerprint-mismatch" naming what was seen.
 */
int transport_bootstrap(const struct transport_config *c,
    const char *fingerprint, X509 **anchor, struct burin_error *e);

#endif
