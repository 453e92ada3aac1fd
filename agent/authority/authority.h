/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The embedded authority: a CA whose keys are on a token, answering EST over
 * HTTPS. DIR holds ca.pem (the anchor), authority.cnf, profiles/ and
 * authority.db. The door of this folder.
 */

#ifndef BURIN_AUTHORITY_H
#define BURIN_AUTHORITY_H

#include <sys/types.h>
#include <time.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>
#include <burin/token.h>

/* An RA: its keys and their certificates are there before it is made. */
struct authority_init_ra {
	struct burin_p11 *p11;
	const char *upstream; /* where the CA, or the next RA, answers CMC */
	X509 *anchor;	      /* the CA's certificate */
	const char *cmc_key, *tls_key, *pop_key; /* URIs */
};
struct authority_init {
	const char *dir; /* made, mode 0700; must not hold one yet */
	struct burin_token *token;
	const char *name;	      /* CN of the CA, or a whole DN with '=' */
	enum burin_key_type key_type; /* RSA or EC */
	enum burin_key_type cmc_key_type; /* the same, of who signs CMC */
	unsigned days;			  /* life of the CA certificate */
	const char *const *resources;	  /* NULL-ended "IPv6:::/0" or NULL */
	const char *const *hosts;	  /* names of the server, NULL-ended */
	const char *url;		  /* where others reach it, or NULL */
	/* Then dir, token, name and hosts count beside it; NULL: a CA. */
	const struct authority_init_ra *ra;
};
/* Makes the keys of a CA on the token, and the files of DIR. */
int authority_init(const struct authority_init *in, struct burin_error *e);

struct authority;
/* Opens DIR; logs in to the token named in authority.cnf. */
int authority_open(const char *dir, struct burin_p11 *p11,
    struct authority **out, struct burin_error *e);
void authority_close(struct authority **a);

/* What is told once, when the sockets are open. */
struct authority_ready {
	const char *url;
	const char *http_url; /* NULL: no plain HTTP */
	int landlock;	      /* version; 0: this kernel has none */
};
struct authority_serving {
	const char *listen;	 /* "HOST:PORT", port 0: any */
	const char *http_listen; /* the same for plain HTTP, or NULL */
	void (*ready)(void *arg, const struct authority_ready *r);
	void *arg;
};
/*
 * Serves until SIGINT or SIGTERM. This process has no other files and opens no
 * TCP connections from then on, where the kernel has Landlock.
 */
int authority_serve(struct authority *a, const struct authority_serving *in,
    struct burin_error *e);

/*
 * The same in two processes: the keeper has the token and parses nothing,
 * its child the front answers requests and has no token
 * (docs/decisions/0014-keeper-and-front.md).
 */
struct authority_front {
	pid_t pid; /* 0: this is the front */
	int fd;	   /* to the other one */
	/* for authority_keep */
	struct burin_p11 *p11;
	void (*ready)(void *arg); /* the front answers; told once; or NULL */
	void *arg;
};
/*
 * Forks the front, which keeps of its descriptors the standard ones, fd, and
 * what a service manager handed over to program (LISTEN_FDS). Call it before
 * there is a module, a PIN or a thread.
 */
int authority_fork(
    pid_t program, struct authority_front *f, struct burin_error *e);
/* Serves, as authority_serve; how it went is told to the keeper. */
int authority_front(
    const char *dir, int fd, const struct authority_serving *in);
/*
 * Does what the front may ask for until it ends; SIGINT and SIGTERM stop the
 * front first. A front that ends otherwise is BURIN_EINTERRUPTED "front-died".
 */
int authority_keep(struct authority *a, const struct authority_front *f,
    struct burin_error *e);
/* Instead, when there is nothing to keep. */
void authority_front_stop(struct authority_front *f);

/* One request that came by mail: "mail" in the log. Borrowed. */
struct authority_mail {
	const unsigned char *der; /* PKCS#10, or a message of CMC */
	size_t len;
	const char *from;    /* the address it is from */
	const char *profile; /* where the request names none, or NULL */
};
#define AUTHORITY_MAX_REPLY (1024 * 1024) /* bytes */
struct authority_mail_reply {
	int answered, full;	     /* full 0: certs-only */
	char status[32], fail[32];   /* CMCStatus, and CMCFailInfo or "" */
	char who[64];		     /* principal, "" nobody */
	char said[BURIN_ERROR_TEXT]; /* what was refused, for the operator */
	size_t len;
	unsigned char der[AUTHORITY_MAX_REPLY];
};
/* In memory that is there for both processes: made before authority_fork. */
struct authority_mail_reply *authority_mail_reply_new(struct burin_error *e);
/*
 * When the front has ended: makes of *r a copy that nobody else can change,
 * and looks at that. 0 when there is an answer, and its texts end. What it says
 * is the front's word.
 */
int authority_mail_reply_check(
    struct authority_mail_reply **r, struct burin_error *e);
void authority_mail_reply_free(struct authority_mail_reply **r);
/*
 * In place of authority_front: answers the one, into *out, and ends. What the
 * request did wrong is in the answer.
 */
int authority_front_mail(const char *dir, int fd,
    const struct authority_mail *m, struct authority_mail_reply *out);

/* Who is invited, and what the invite is bound to; NULL: free. */
struct authority_invite {
	const char *name;
	const char *profile;
	const char *identity;	     /* needs a profile */
	const char *subject;	     /* DN (RFC 6402 section 2.3) */
	long ttl;		     /* seconds */
	struct burin_secret *secret; /* made here: burin_secret_free */
};
/*
 * Makes a one-time enrolment secret for each of them, 128 random bits in
 * base32: for all of them or, when one cannot be invited, for none. Needs no
 * token (dir only), as what follows but authority_crl.
 */
#define AUTHORITY_INVITES 5000 /* at once; fits the locked memory */
int authority_invite(const char *dir, struct authority_invite *list, size_t n,
    struct burin_error *e);

/*
 * With "approve = manual" in authority.cnf a request waits here, and its
 * sender is told to come back, until the operator approves it. Need no token.
 */
struct authority_waiting {
	long long id;
	time_t since;
	const char *who; /* "invite:7", "certificate:SERIAL" */
	const char *profile;
	const char *subject; /* DN and names, for people */
	const char *sha256;  /* of the request, hex */
	const char *form;    /* "pkcs10" or "crmf" */
	const char *via;     /* "est", "cmc", ... */
};
/* each gets every waiting request, oldest first; borrowed for the call. */
int authority_pending(const char *dir,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e);
/* None with this id that waits: BURIN_EUSAGE "request-missing". */
int authority_approve(const char *dir, long long id, struct burin_error *e);
/* why, or NULL, is told to who asked. */
int authority_deny(
    const char *dir, long long id, const char *why, struct burin_error *e);

/*
 * Revokes certificate SERIAL (hex, colons allowed) for a reason by its name
 * in RFC 5280 section 5.3.1, NULL: unspecified. certificateHold holds it,
 * removeFromCRL lets it go again.
 */
int authority_revoke(const char *dir, const char *serial, const char *reason,
    struct burin_error *e);
/* A new CRL, signed with the CA's key. X509_CRL_free. */
int authority_crl(const char *dir, struct burin_p11 *p11, X509_CRL **out,
    struct burin_error *e);

struct authority_cert {
	const char *serial, *subject, *profile, *principal;
	const char *state;  /* "good", "held", "revoked", "expired" */
	const char *reason; /* NULL: good */
	time_t issued, until, revoked;
	int confirmed;
};
int authority_list(const char *dir,
    void (*each)(void *arg, const struct authority_cert *c), void *arg,
    struct burin_error *e);

struct authority_line {
	long long seq;
	time_t time;
	const char *event, *detail;
};
/* Every line of the audit log. */
int authority_log(const char *dir,
    void (*each)(void *arg, const struct authority_line *l), void *arg,
    struct burin_error *e);
/* Number of lines, and hash of the last one in hex: free(). */
int authority_log_verify(
    const char *dir, long long *lines, char **hash, struct burin_error *e);

#endif
