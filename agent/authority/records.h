/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the authority keeps: invites, requests, certificates, lists of
 * revoked ones, conversations, and the log of it all. Part of ca.h.
 */

#ifndef BURIN_AUTHORITY_RECORDS_H
#define BURIN_AUTHORITY_RECORDS_H

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>

#include "authority.h"

#define CA_SHA256 32	      /* bytes */
#define CA_SALT 16	      /* bytes */
#define CA_TOKEN 16	      /* bytes of a pendToken */
#define CA_MAX_TRANSACTION 64 /* bytes of a transactionId's content */
#define CA_GRACE 3600	      /* seconds a used secret is kept */

/* Principal of the authority's own certificates. */
#define CA_PRINCIPAL "authority"
#define REASON_KEY_COMPROMISE 1 /* RFC 5280 section 5.3.1 */
#define REASON_HOLD 6
#define REASON_REMOVE 8

struct store;

/*
 * DIR/authority.db and DIR/secrets.key, mode 0600; create 1: must not be
 * there yet.
 */
int store_open(
    const char *dir, int create, struct store **out, struct burin_error *e);
void store_close(struct store **st);
/*
 * Every other function needs an open transaction, but those that say "by
 * itself". begin takes the one writer's lock, end commits (or takes back,
 * commit 0) and lets it go; after a failed commit nothing happened.
 */
int store_begin(struct store *st, struct burin_error *e);
int store_end(struct store *st, int commit, struct burin_error *e);

/* --- store_invite.c, store_secret.c -------------------------------------- */

/* A one-time enrolment secret as it is kept: what checks it, not itself. */
struct invite {
	long long id; /* filled by store_invite_put */
	char *name;
	unsigned char salt[CA_SALT];
	unsigned char verifier[CA_SHA256]; /* SHA-256(salt, secret) */
	unsigned char ha1[CA_SHA256];	   /* RFC 7616 section 3.4.2 */
	char *profile, *identity;	   /* NULL: free */
	char *subject; /* DN that a request must have (RFC 6402 section 2.3
			  (c)); NULL: free */
	time_t created, expires;
	int used;
	unsigned char used_by[CA_SHA256]; /* SHA-256 of that request */
};
void invite_clear(struct invite *in);
/*
 * An older invite of the same name is forgotten. secret is sealed with
 * DIR/secrets.key beside the row.
 */
int store_invite_put(struct store *st, struct invite *in,
    const struct burin_secret *secret, struct burin_error *e);
/* *found 0: no such name, or id. */
int store_invite_get(struct store *st, const char *name, struct invite *out,
    int *found, struct burin_error *e);
int store_invite_of_id(struct store *st, long long id, struct invite *out,
    int *found, struct burin_error *e);
/*
 * The secret itself, for the HMACs of CMC. Dropped an hour after its use
 * when no talk and no challenge needs it, and when it has expired: then
 * *out is NULL and 0 is returned.
 */
int store_invite_secret(struct store *st, long long id,
    struct burin_secret **out, struct burin_error *e);
int store_invite_use(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e);
/*
 * An RA's, which hears from others how it went. reserve: it is used, and who
 * joins a use that is there already spends it, for nobody can tell how each of
 * both goes. release: nothing was issued for this use, and it may be used
 * again, unless it was spent. spend: something was, or will be.
 */
int store_invite_reserve(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e);
int store_invite_release(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e);
int store_invite_spend(
    struct store *st, long long id, time_t now, struct burin_error *e);

/*
 * A key for something that the authority has to recognise as its own, made
 * of DIR/secrets.key. Needs no transaction.
 */
int store_subkey(const struct store *st, const char *purpose,
    unsigned char out[CA_SHA256], struct burin_error *e);

/* --- store_cert.c -------------------------------------------------------- */

enum cert_state {
	CERT_GOOD,
	CERT_HELD, /* certificateHold: may become good again */
	CERT_REVOKED
};
/* A certificate that was issued. */
struct issued {
	X509 *cert;
	char *serial; /* hex */
	char *profile, *principal, *via;
	int revoked; /* revoked or held */
	enum cert_state state;
	int reason;	   /* CRLReason, 0 unspecified */
	time_t revoked_at; /* 0: good */
	time_t invalidity; /* 0: not said */
	time_t issued_at;
	int confirmed;	/* 0: waits for confirmCertAcceptance */
	int has_secret; /* can be revoked with a secret */
};
void issued_clear(struct issued *c);
/* What is written with a new certificate. Borrowed. */
struct issued_new {
	X509 *cert;
	const char *principal, *profile, *via;
	const unsigned char *request;	       /* SHA-256 */
	const struct burin_secret *revocation; /* or NULL */
	int confirm; /* counts as accepted only when confirmed */
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
/* The same by its number, and by itself. */
int store_cert_look_up(struct store *st, const ASN1_INTEGER *number,
    struct issued *out, int *found, struct burin_error *e);
/* Calls each for every certificate of this public key until it returns -1. */
int store_cert_of_key(struct store *st, EVP_PKEY *key,
    int (*each)(void *arg, const struct issued *c, struct burin_error *e),
    void *arg, struct burin_error *e);
/* SHA-256 of the DER SubjectPublicKeyInfo. */
int key_sha256(
    EVP_PKEY *key, unsigned char out[CA_SHA256], struct burin_error *e);
/* Every certificate, oldest first, until it returns -1. */
int store_cert_each(struct store *st,
    int (*each)(void *arg, const struct issued *c, struct burin_error *e),
    void *arg, struct burin_error *e);
/* RFC 10002 section 6.14. No such certificate: "certificate-missing". */
int store_cert_confirm(
    struct store *st, const char *serial, struct burin_error *e);

/* --- store_revoke.c ------------------------------------------------------ */

struct revocation {
	const char *serial; /* hex */
	int reason;	    /* CRLReason: RFC 5280 section 5.3.1 */
	time_t invalidity;  /* 0: not said */
	const char *by;	    /* principal, for the log: "operator" */
	const char *via;    /* "operator", "cmc", "ra:SERIAL" */
	time_t now;
};
/*
 * Revokes, with its line in the audit log. certificateHold holds;
 * removeFromCRL lets a held one go. BURIN_EUSAGE "certificate-missing",
 * "certificate-revoked" (already), "not-held", "reason-refused".
 */
int store_revoke(
    struct store *st, const struct revocation *in, struct burin_error *e);
#define CA_REVOKE_SHORT 16  /* octets; a shorter secret could be guessed */
#define CA_REVOKE_TRIES 5   /* wrong secrets for a certificate */
#define CA_REVOKE_WAIT 3600 /* seconds in which they count */
struct revocation_try {
	const char *serial;
	const void *secret;
	size_t len;
	time_t now;
};
/*
 * *ok 1: this is the secret that the certificate can be revoked with. A wrong
 * one is counted: commit it. After CA_REVOKE_TRIES none is looked at until
 * CA_REVOKE_WAIT is over: BURIN_EAUTHORITY "revocation-locked". So it is with
 * those that are shorter than CA_REVOKE_SHORT; others are not counted.
 */
int store_revocation_check(struct store *st, const struct revocation_try *in,
    int *ok, struct burin_error *e);
/* Another one than it had, or the first one. */
int store_revocation_set(struct store *st, const char *serial,
    const struct burin_secret *secret, struct burin_error *e);
/* "keyCompromise" to its number; -1: unknown. And back; NULL: unknown. */
int reason_number(const char *name);
const char *reason_name(int reason);

/* --- store_request.c: requests that the operator decides about ----------- */

enum waiting {
	WAITING_NEW,
	WAITING_PENDING,
	WAITING_APPROVED,
	WAITING_DENIED
};
/* *why of a denied one, or NULL: free() it. */
int store_request_state(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], enum waiting *state, char **why,
    struct burin_error *e);
struct waiting_new {
	const char *principal, *profile, *subject;
	const unsigned char *request; /* SHA-256 */
	const unsigned char *der;     /* of the request */
	size_t der_len;
	const char *form;   /* "pkcs10" or "crmf" */
	long long invite;   /* 0: none */
	const char *renews; /* serial, or NULL */
	const char *via;
	time_t now;
	unsigned limit; /* of those of this principal that wait */
};
/* Begins the principal of who is known by the address of a mail alone. */
#define STORE_MAIL "mail:"
/*
 * BURIN_EAUTHORITY "too-many-waiting": of this principal; "waiting-full": of
 * all, those by mail and the others each for themselves.
 */
int store_request_put(
    struct store *st, const struct waiting_new *in, struct burin_error *e);
/*
 * Both say what they did in the audit log. An invite that was used for nothing
 * but a denied request is free again.
 */
int store_request_approve(
    struct store *st, long long id, time_t now, struct burin_error *e);
int store_request_deny(struct store *st, long long id, const char *why,
    time_t now, struct burin_error *e);
int store_request_each(struct store *st,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e);

/* --- store_talk.c: conversations of CMC that are not over ---------------- */

/*
 * What the next message of a conversation needs. kind is the glue's own:
 * "pending", "partial", "confirm", ... Owned strings when read, borrowed
 * when put.
 */
struct talk {
	unsigned char token[CA_TOKEN]; /* pendToken; random, by talk_token */
	char *kind;
	unsigned char transaction[CA_MAX_TRANSACTION];
	size_t transaction_len; /* 0: none */
	char *principal, *profile;
	long long invite;    /* 0: none */
	char *renews;	     /* serial, or NULL */
	unsigned char *data; /* reqSequence DER, or what kind says */
	size_t data_len;
	unsigned char signer[CA_SHA256];	 /* of the key that signed */
	unsigned char nonce[CA_MAX_TRANSACTION]; /* our last senderNonce */
	size_t nonce_len;
	char *via;
	time_t created;
};
void talk_clear(struct talk *t);
int talk_token(unsigned char token[CA_TOKEN], struct burin_error *e);
/*
 * Takes the place of one with this token. When there are too many, of this
 * principal or of all, the oldest ones are forgotten: whoever needs one begins
 * again with the same request.
 */
#define CA_TALKS 64
#define CA_MAX_TALKS 10000
int store_talk_put(
    struct store *st, const struct talk *t, struct burin_error *e);
int store_talk_get(struct store *st, const unsigned char token[CA_TOKEN],
    struct talk *out, int *found, struct burin_error *e);
/* The newest one of this transaction and kind (NULL: any). */
int store_talk_of_transaction(struct store *st, const unsigned char *id,
    size_t len, const char *kind, struct talk *out, int *found,
    struct burin_error *e);
int store_talk_drop(struct store *st, const unsigned char token[CA_TOKEN],
    struct burin_error *e);

/* y of an encryptedPOP (RFC 10002 section 6.7), sealed. */
struct challenge {
	const unsigned char *request;	  /* SHA-256 of the TaggedRequest */
	const unsigned char *transaction; /* content of transactionId */
	size_t transaction_len;
	long long invite; /* 0: none */
	time_t expires;
	/* to take it: SHA-256 of the message that answers it */
	const unsigned char *answer;
};
/* Takes the place of an earlier one of the same request and transaction. */
int store_challenge_put(struct store *st, const struct challenge *c,
    const struct burin_secret *y, struct burin_error *e);
/*
 * For one message only, however often that comes, as it does when its answer
 * was lost. *y NULL: none, expired, or answered by another message.
 */
int store_challenge_take(struct store *st, const struct challenge *c,
    time_t now, struct burin_secret **y, struct burin_error *e);

/*
 * seqNumber of trustedAnchors (RFC 10002 section 6.15) for a set of anchors:
 * a new one (*fresh 1) only when the last one was for another set.
 */
int store_anchors_number(struct store *st, const unsigned char set[CA_SHA256],
    time_t now, long long *number, int *fresh, struct burin_error *e);
/*
 * Forgets what is over: talks older than keep seconds, as are requests by mail
 * that wait or were denied, challenges that have expired, secrets that nobody
 * needs any more.
 */
int store_sweep(
    struct store *st, time_t now, time_t keep, struct burin_error *e);

/* --- store_crl.c --------------------------------------------------------- */

/* *out NULL: none yet. *fresh 0: something was revoked since it was made. */
int store_crl_newest(
    struct store *st, X509_CRL **out, int *fresh, struct burin_error *e);
/* The newest one whose thisUpdate is not after at (getCRL with a time). */
int store_crl_at(
    struct store *st, time_t at, X509_CRL **out, struct burin_error *e);

/* --- store_count.c: numbers for people ----------------------------------- */

#define COUNT_DAYS 30
struct counts {
	long long good, held, revoked, expired; /* certificates */
	long long expiring;    /* good ones that end within 30 days */
	long long unconfirmed; /* wait for their acceptance */
	long long waiting, approved, denied; /* requests */
	long long invites;		     /* not used, not expired */
	long long talks, challenges;
	long long issued, refused, revocations, failed; /* lines of the log */
	/* per day, [COUNT_DAYS - 1] is the day of now (UTC) */
	long long issued_on[COUNT_DAYS], refused_on[COUNT_DAYS];
	long long crl_made, crl_next; /* times, 0: no CRL */
};
int store_counts(
    struct store *st, time_t now, struct counts *out, struct burin_error *e);

/* --- store_audit.c ------------------------------------------------------- */

/*
 * One line of the audit log, chained to the one before by its hash. Events:
 * "issued", "refused", "pending", "approved", "denied", "revoked", "held",
 * "released", "crl", "confirmed", "proof-failed", "invited", "initialized",
 * "passed" (by an RA), "anchors", "told".
 */
int store_audit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...) BURIN_PRINTF(4, 5);
/* The same by itself. */
int store_note(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...) BURIN_PRINTF(4, 5);
/* Number and hash of the last line; 0 and zeroes when there is none. */
struct audit_head {
	long long lines;
	unsigned char hash[CA_SHA256];
};
/*
 * BURIN_EINTERNAL "audit-broken" names the first line that does not fit;
 * "audit-cut" when lines are missing at the end. head may be NULL.
 */
int store_audit_verify(
    struct store *st, struct audit_head *head, struct burin_error *e);
int store_audit_each(struct store *st,
    void (*each)(void *arg, const struct authority_line *l), void *arg,
    struct burin_error *e);

#endif
