/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the authority: its store, its policy, its HTTP side. Nothing outside
 * this folder includes this file.
 */

#ifndef BURIN_CA_H
#define BURIN_CA_H

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/profile.h>
#include <burin/secret.h>

#include "authority.h"

#define CA_REALM "burin authority" /* of HTTP Basic and Digest */
#define CA_SHA256 32		   /* bytes */
#define CA_SALT 16		   /* bytes */
#define CA_SERIAL 20		   /* bytes, RFC 5280 section 4.1.2.2 */
#define CA_MAX_NAME 128		   /* bytes of an invited name */
#define CA_MAX_HOSTS 32		   /* names of the server */
#define CA_MAX_RSA_BITS 16384	   /* larger keys cost too much to check */
#define CA_RETRY_AFTER 30	   /* seconds, unless authority.cnf says */
#define CA_MAX_RETRY_AFTER 86400   /* seconds */
#define CA_RATE 600		   /* requests, unless authority.cnf says */
#define CA_MAX_RATE 100000

/* --- store.c, store_invite.c, store_cert.c, store_audit.c -------------- */

struct store;

/* DIR/authority.db, mode 0600; create 1: must not be there yet. */
int store_open(
    const char *dir, int create, struct store **out, struct burin_error *e);
void store_close(struct store **st);
/*
 * Every other function needs an open transaction. begin takes the one
 * writer's lock, end commits (or takes back, commit 0) and lets it go;
 * after a failed commit nothing happened.
 */
int store_begin(struct store *st, struct burin_error *e);
int store_end(struct store *st, int commit, struct burin_error *e);

/* A one-time enrolment secret as it is kept: what checks it, not itself. */
struct invite {
	long long id; /* filled by store_invite_put */
	char *name;
	unsigned char salt[CA_SALT];
	unsigned char verifier[CA_SHA256]; /* SHA-256(salt, secret) */
	unsigned char ha1[CA_SHA256];	   /* RFC 7616 section 3.4.2 */
	char *profile, *identity;	   /* NULL: free */
	time_t created, expires;
	int used;
	unsigned char used_by[CA_SHA256]; /* SHA-256 of that request */
};
void invite_clear(struct invite *in);
/* An older invite of the same name is forgotten. */
int store_invite_put(
    struct store *st, struct invite *in, struct burin_error *e);
/* *found 0: no such name. */
int store_invite_get(struct store *st, const char *name, struct invite *out,
    int *found, struct burin_error *e);
int store_invite_use(struct store *st, long long id,
    const unsigned char request[CA_SHA256], struct burin_error *e);

/* A certificate that was issued. */
struct issued {
	X509 *cert;
	char *serial; /* hex */
	char *profile;
	int revoked;
};
void issued_clear(struct issued *c);
/* What is written with a new certificate. Borrowed. */
struct issued_new {
	X509 *cert;
	const char *principal, *profile;
	const unsigned char *request; /* SHA-256 */
	time_t now;
};
int store_cert_put(
    struct store *st, const struct issued_new *in, struct burin_error *e);
/* The one that principal got for exactly this request; *found 0: none. */
int store_cert_of_request(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], struct issued *out, int *found,
    struct burin_error *e);
int store_cert_of_serial(struct store *st, const char *serial,
    struct issued *out, int *found, struct burin_error *e);
/* Calls each for every certificate of this public key until it returns -1. */
int store_cert_of_key(struct store *st, EVP_PKEY *key,
    int (*each)(void *arg, X509 *cert, struct burin_error *e), void *arg,
    struct burin_error *e);

/* Requests that wait for the operator (approve = manual). */
enum waiting {
	WAITING_NEW,
	WAITING_PENDING,
	WAITING_APPROVED
};
int store_request_state(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], enum waiting *state,
    struct burin_error *e);
struct waiting_new {
	const char *principal, *profile, *subject;
	const unsigned char *request; /* SHA-256 */
	time_t now;
};
int store_request_put(
    struct store *st, const struct waiting_new *in, struct burin_error *e);
int store_request_approve(
    struct store *st, long long id, time_t now, struct burin_error *e);
int store_request_each(struct store *st,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e);

/* One line of the audit log, chained to the one before by its hash. */
int store_audit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...) BURIN_PRINTF(4, 5);
/* BURIN_EINTERNAL "audit-broken" names the first line that does not fit. */
int store_audit_verify(struct store *st, struct burin_error *e);

/* --- policy.c: what a request may get ---------------------------------- */

/* Key type in the profile, no weak key (BURIN_EAUTHORITY "weak-key"). */
int policy_key(
    X509_REQ *req, const struct burin_profile *p, struct burin_error *e);
/*
 * Every alternative name of the request is one that the profile makes of the
 * invite's identity, and its subject says nobody else.
 */
int policy_identity(X509_REQ *req, const struct burin_profile *p,
    const struct invite *in, struct burin_error *e);
/* Subject, SAN and IP resources as in old (RFC 7030 section 4.2.2). */
int policy_renewal(X509_REQ *req, X509 *old, struct burin_error *e);
/* No certificate of this key has another subject. */
int policy_key_owner(struct store *st, X509_REQ *req, struct burin_error *e);

/* RFC 3779: what cert has must be inside what the CA has, inherit too. */
int policy_resources(X509 *cert, X509 *ca, struct burin_error *e);

/* --- issue.c ------------------------------------------------------------ */

/* What signs; the key may be on a token. Borrowed. */
struct issuer {
	EVP_PKEY *key;
	X509 *cert;
};
/* A new certificate: serial, validity, names of subject; not yet signed. */
X509 *issue_blank(const X509_NAME *subject, const X509_NAME *issuer,
    EVP_PKEY *pub, time_t not_before, time_t not_after, struct burin_error *e);
int issue_sign(X509 *cert, EVP_PKEY *key, struct burin_error *e);

/* Who asks, and what was agreed with them. Borrowed. */
struct issue_input {
	const char *profiles;	     /* directory */
	const char *principal;	     /* "invite:7" or "certificate:SERIAL" */
	const char *profile;	     /* name, never NULL */
	const struct invite *invite; /* or NULL */
	X509 *renews;		     /* or NULL */
	int manual;		     /* the operator approves */
	time_t now;
	const unsigned char *request; /* DER */
	size_t request_len;
};
enum issue_outcome {
	ISSUE_DONE,
	ISSUE_AGAIN,
	ISSUE_PENDING
};
/*
 * The certificate for a request, or that it waits. The same request of the
 * same principal gives the same certificate (ISSUE_AGAIN). A malformed
 * request or a failed proof of possession is BURIN_EUSAGE, a refusal by
 * policy BURIN_EAUTHORITY.
 */
int issue(struct store *st, const struct issuer *ca,
    const struct issue_input *in, enum issue_outcome *outcome, X509 **out,
    struct burin_error *e);

/* --- settings.c: authority.cnf ------------------------------------------ */

enum link_wish {
	LINK_NO, /* not asked for; what is there has to fit all the same */
	LINK_ASK,
	LINK_REQUIRE
};
enum page_for {
	PAGE_LOCAL, /* clients on this machine */
	PAGE_ALL,
	PAGE_OFF
};
struct settings {
	char *name, *token, *ca_key, *tls_key, *profile;
	int manual;
	int digest;	      /* HTTP Digest is offered beside Basic */
	unsigned retry_after; /* seconds until a pending one asks again */
	unsigned rate;	      /* requests of an address in a minute; 0: any */
	enum link_wish link;  /* of requests to their TLS session */
	enum page_for page;   /* who sees the status page and the metrics */
	char *hosts[CA_MAX_HOSTS + 1]; /* NULL-ended */
};
void settings_clear(struct settings *s);
int settings_read(const char *dir, struct settings *s, struct burin_error *e);
int settings_write(
    const char *dir, const struct settings *s, struct burin_error *e);
/* settings_http.c: those of the HTTPS side. read: 1 known, 0 not one. */
int settings_http_read(struct settings *s, const char *name, const char *value,
    struct burin_error *e);
void settings_http_write(BIO *out, const struct settings *s);

/* --- files.c ------------------------------------------------------------ */

/* What init has finished holds authority.cnf; else "authority-missing". */
int ca_dir_check(const char *dir, struct burin_error *e);
/* DIR/NAME, free() it. */
int ca_path(
    const char *dir, const char *name, char **path, struct burin_error *e);
int ca_cert_read(
    const char *dir, const char *name, X509 **out, struct burin_error *e);
/* Written beside and renamed over, so that no reader sees half of it. */
int ca_cert_write(
    const char *dir, const char *name, X509 *cert, struct burin_error *e);
int ca_text_write(const char *dir, const char *name, const char *text,
    size_t len, struct burin_error *e);

/* --- certs.c: the authority's own two certificates ----------------------- */

struct own_ca {
	const char *name; /* CN, or a whole DN */
	EVP_PKEY *pub, *key;
	const char *const *resources; /* or NULL */
	unsigned days;
	time_t now;
};
int own_ca_make(const struct own_ca *in, X509 **out, struct burin_error *e);
/* For the server; signed by ca. */
int own_tls_make(const struct issuer *ca, EVP_PKEY *pub,
    const char *const *hosts, time_t now, X509 **out, struct burin_error *e);
/* X509_verify_cert against the CA: path and time. 0 or -1 with e. */
int own_check(
    const struct issuer *ca, X509 *cert, time_t now, struct burin_error *e);

/* --- open.c -------------------------------------------------------------- */

/* The HTTPS server's certificate, with a line in the audit log. */
int own_tls_issue(struct store *st, const struct issuer *ca, EVP_PKEY *pub,
    const char *const *hosts, time_t now, X509 **out, struct burin_error *e);

struct authority {
	char *dir, *profiles;
	struct settings cnf;
	struct store *store;
	struct burin_key *ca_key, *tls_key;
	struct issuer ca; /* the key borrowed, the certificate owned */
	X509 *tls_cert;
};

/* --- secret.c: what is kept of an enrolment secret ------------------------ */

int secret_name_ok(const char *name, struct burin_error *e);
/* 128 random bits in base32 (RFC 4648 section 6), no padding. */
int secret_make(struct burin_secret **out, struct burin_error *e);
int secret_keep(
    struct invite *in, const void *secret, size_t len, struct burin_error *e);
/* 1 when it is the secret of in; constant time. */
int secret_check(const struct invite *in, const void *secret, size_t len);

/* --- peers.c: too many wrong secrets from one address --------------------- */

struct peers;
struct sockaddr;
int peers_new(struct peers **out, struct burin_error *e);
void peers_free(struct peers **p);
/* 1 when this address has to wait. */
int peers_blocked(struct peers *p, const struct sockaddr *sa, time_t now);
void peers_failed(struct peers *p, const struct sockaddr *sa, time_t now);
/*
 * Counts a request; 1 when this address sends more than rate in a minute,
 * after as many at once. rate 0: never.
 */
int peers_too_fast(
    struct peers *p, const struct sockaddr *sa, unsigned rate, time_t now);

#endif
