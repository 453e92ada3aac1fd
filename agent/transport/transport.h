/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The way to an authority and back: EST (RFC 7030, RFC 8951) over HTTPS with
 * libcurl, CMC (RFC 10003) over HTTP, TCP and EST, CMP (RFC 9810) with
 * OpenSSL's client, and files or mail. A row per protocol in one table; the
 * engine knows no protocol by name.
 */

#ifndef BURIN_TRANSPORT_H
#define BURIN_TRANSPORT_H

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/cmc.h>
#include <burin/error.h>
#include <burin/secret.h>

#define TRANSPORT_MAX_BODY (1024 * 1024)      /* bytes of one answer */
#define TRANSPORT_MAX_RETRY_AFTER (24 * 3600) /* seconds, clamped */
#define TRANSPORT_CONNECT_SECONDS 15
#define TRANSPORT_TOTAL_SECONDS 60
#define TRANSPORT_MAX_REDIRECTS 3
#define TRANSPORT_SLOW_BYTES 16 /* a second, of an answer that has begun */
#define TRANSPORT_SLOW_PART 4	/* of the time in all may be so slow */

struct transport_config {
	const char *protocol; /* "est", "cmc", "est-cmc", "cmp", "file" */
	const char *command;  /* "ir": which request, NULL: as is usual */
	/*
	 * https://HOST[:PORT][/.well-known/est[/LABEL]]; for cmc and cmp any
	 * path (cmp: without one /.well-known/cmp), and http://; for cmc
	 * tcp://HOST[:PORT] as well; unless tls_only
	 */
	const char *url;
	/* cmc: the message does not protect itself, as a bare PKCS#10 */
	int tls_only;
	STACK_OF(X509) * tls_anchors; /* never NULL for est */
	/* who signs answers to the services below; NULL: as tls_anchors */
	STACK_OF(X509) * anchors;
	const char *proxy; /* URL, "" none, NULL environment */
	long timeout;	   /* seconds in all, 0: default */
	const char *user;  /* HTTP user, CMP reference value; "" or NULL */
	/*
	 * HTTP: asked only when the authenticated server challenges. CMP: the
	 * shared secret that protects messages, never sent
	 */
	int (*secret)(
	    void *arg, struct burin_secret **out, struct burin_error *e);
	void *arg;
	/*
	 * The key that vouches for us, on a token: TLS client authentication,
	 * the protection of CMP messages; NULL: none
	 */
	EVP_PKEY *client_key;
	X509 *client_cert;
	STACK_OF(X509) * client_chain;
	/*
	 * For transport_check, which is asked before there is a client_key or
	 * a request: there will be one, and it will have attributes.
	 */
	int reenroll, attributes;
	/*
	 * The private key that the request is for, on its token: where
	 * transport_needs_key says so, for a proof of possession that the
	 * PKCS#10 does not carry (RFC 4211 section 4.1). Its public half is
	 * the request's.
	 */
	EVP_PKEY *key;
	/* not NULL and not 0: stop waiting, BURIN_EINTERRUPTED */
	const volatile sig_atomic_t *stop;
	/* files */
	const char *request_file;  /* to write the request to */
	int mime;		   /* ... as a mail message (RFC 10003) */
	const char *response_file; /* to read the answer from, or NULL */
};

enum transport_outcome {
	TRANSPORT_ISSUED, /* body holds certificates, or a CMC message */
	TRANSPORT_PENDING /* come back at retry_at with the same request */
};
struct transport_reply {
	enum transport_outcome outcome;
	/* malloc'd; as received, transfer undone (MIME, EST's of CMC) */
	unsigned char *body;
	size_t len;
	time_t retry_at;
	char detail[256]; /* what the authority said, for people */
};
void transport_reply_clear(struct transport_reply *r);

/* What transport_submit takes; a bit mask. */
enum transport_kind {
	TRANSPORT_NOTHING = 0, /* there is no such protocol */
	TRANSPORT_PKCS10 = 1,
	TRANSPORT_CMC = 2, /* a Full request; what comes back may be one */
	TRANSPORT_EITHER = TRANSPORT_PKCS10 | TRANSPORT_CMC
};
enum transport_kind transport_carries(const char *protocol);

/* What a protocol needs from the user; for checks before anything is done. */
int transport_check(const struct transport_config *c, struct burin_error *e);

/* 1 when transport_submit wants c->key, which may cost a login. */
int transport_needs_key(const struct transport_config *c, int reenroll);

/*
 * 1: a renewal's PKCS#10 repeats the names of the old certificate, and wants
 * others by changeSubjectName (RFC 7030 section 4.2.2).
 */
int transport_keeps_names(const char *protocol);

/*
 * Sends the request: DER PKCS#10 or a CMC message, as the protocol carries;
 * reenroll: it renews client_cert (EST only). A refusal is BURIN_EAUTHORITY
 * with the status and the authority's own words; a network failure
 * BURIN_EINTERRUPTED "network-..." (resumable). A CMC message that comes with
 * a status of failure is an answer: what it says is inside.
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

/* --- services beside enrolment ------------------------------------------- */

enum transport_service {
	TRANSPORT_REVOCATION,
	TRANSPORT_RETRIEVAL,
	TRANSPORT_PUBLICATION
};
/* Whether the protocol has it: BURIN_EUSAGE "no-retrieval". */
int transport_offers(const struct transport_config *c, enum transport_service s,
    struct burin_error *e);

/*
 * Asks the authority to revoke cert, one of its own. reason is a CRLReason
 * (RFC 5280 section 5.3.1). Authenticated with client_key, else with user and
 * secret. 0 when it says that it did; errors as transport_submit.
 */
int transport_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e);

/* A certificate of an issuer by its serial number, or the issuer's CRL. */
struct transport_wanted {
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial; /* NULL: the newest CRL */
};
/* All that came; nothing of it is checked. Cleared by the caller. */
struct transport_found {
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
	char signer[256]; /* who answered, for people; "": nobody signed */
};
void transport_found_clear(struct transport_found *f);
/*
 * Looks it up, as client_key, as user with secret, or as nobody in
 * particular. By files BURIN_EPENDING "pending" when the request was written.
 */
int transport_fetch(const struct transport_config *c,
    const struct transport_wanted *wanted, struct transport_found *found,
    struct burin_error *e);

/* What others are to find, or are to find no longer. Borrowed. */
struct transport_publication {
	STACK_OF(X509) * certs;
	int unpublish;
	enum burin_cmc_place place; /* where; what unpublishes has no place */
	const char *uri;	    /* NULL: the authority knows */
};
/* As client_key, or as user with secret. 0 when the authority says it did. */
int transport_publish(const struct transport_config *c,
    const struct transport_publication *what, struct burin_error *e);

/*
 * First contact: fetches cacerts without trust and gives the anchor whose
 * SHA-256 is the fingerprint (hex, colons allowed), checked self-signed.
 * Anything else is BURIN_ECHECK "fingerprint-mismatch" naming what was seen.
 */
int transport_bootstrap(const struct transport_config *c,
    const char *fingerprint, X509 **anchor, struct burin_error *e);

#endif
