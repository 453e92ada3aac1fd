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

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/profile.h>
#include <burin/request.h>
#include <burin/response.h>
#include <burin/secret.h>

#include "authority.h"
#include "records.h"

#define CA_REALM "burin authority" /* of HTTP Basic and Digest */
#define CA_SERIAL 20		   /* bytes, RFC 5280 section 4.1.2.2 */
#define CA_MAX_NAME 128		   /* bytes of an invited name */
#define CA_MAX_HOSTS 32		   /* names of the server */
#define CA_MAX_RSA_BITS 16384	   /* larger keys cost too much to check */
#define CA_RETRY_AFTER 30	   /* seconds, unless authority.cnf says */
#define CA_MAX_RETRY_AFTER 86400   /* seconds */
#define CA_RATE 600		   /* requests, unless authority.cnf says */
#define CA_MAX_RATE 100000
#define CA_WAITING 20	     /* requests of one principal, unless it says */
#define CA_MAX_WAITING 10000 /* requests of all that wait, */
#define CA_MAX_MAILED 1000   /* and beside them of senders of mail */
#define CA_MAX_CRL_DAYS 3650
#define CA_CRL_DAYS 7 /* unless authority.cnf says */

struct settings;

/* --- key.c, roca.c: keys that nobody should have -------------------------- */

/*
 * Weak or known bad, whoever has it (seed section 8): BURIN_EAUTHORITY
 * "weak-key-size", "-exponent", "-factor", "-fermat", "-roca" (RSA),
 * "-curve", "-explicit", "-point" (EC), "-order" (X25519, Ed25519, and their
 * like).
 */
int policy_sound_key(EVP_PKEY *key, struct burin_error *e);
/* CVE-2017-15361: 1 when the modulus has the fingerprint, -1 on failure. */
int policy_is_roca(const BIGNUM *n, struct burin_error *e);

/* --- policy.c: what a request may get ---------------------------------- */

/* Key type in the profile ("key-type-refused"), and policy_sound_key. */
int policy_key(const struct burin_asked *asked, const struct burin_profile *p,
    struct burin_error *e);
/*
 * What the invite is for, and nobody else: its subject (RFC 6402 section 2.3
 * (c)), and with an identity every alternative name that the profile makes of
 * it.
 */
int policy_invite(const struct burin_asked *asked,
    const struct burin_profile *p, const struct invite *in,
    struct burin_error *e);
/*
 * What the invite says and the request leaves out, for modCertTemplate:
 * subject, and subjectAltName; NULL: nothing. The caller frees them.
 */
int policy_fill(const struct burin_asked *asked, const struct burin_profile *p,
    const struct invite *in, X509_NAME **subject,
    STACK_OF(X509_EXTENSION) * *extensions, struct burin_error *e);
/* One of the authority's own, parsed: "profile-unknown". */
int policy_profile(const char *dir, const char *name,
    struct burin_profile **out, struct burin_error *e);
/* Subject, SAN and IP resources as in old (RFC 7030 section 4.2.2). */
int policy_renewal(
    const struct burin_asked *asked, X509 *old, struct burin_error *e);
/*
 * The key is the authority's ("key-of-authority"), was given away
 * ("key-compromised"), or is certified already ("key-of-another",
 * "key-reused", "key-renewed"): as the settings say, NULL as they are made.
 */
int policy_key_owner(struct store *st, const struct burin_asked *asked,
    const struct settings *cnf, X509 *renews, time_t now,
    struct burin_error *e);

/* RFC 3779: what cert has must be inside what the CA has, inherit too. */
int policy_resources(X509 *cert, X509 *ca, struct burin_error *e);

/* --- issue.c ------------------------------------------------------------ */

/*
 * The CA: its certificate, and who signs with its key, which may be in
 * another process. Borrowed.
 */
struct issuer {
	X509 *cert;
	/* Completes it with the CA's signature; the algorithm is chosen
	 * there. */
	int (*sign_cert)(void *arg, X509 *cert, struct burin_error *e);
	int (*sign_crl)(void *arg, X509_CRL *crl, struct burin_error *e);
	void *arg;
};
/* With a key in this process, which may be on a token. Borrows both. */
void issuer_of_key(struct issuer *ca, EVP_PKEY *key, X509 *cert);

/* A new certificate: serial, validity, names of subject; not yet signed. */
X509 *issue_blank(const X509_NAME *subject, const X509_NAME *issuer,
    EVP_PKEY *pub, time_t not_before, time_t not_after, struct burin_error *e);

/* Who asks, for what, and what was agreed with them. Borrowed. */
struct issue_input {
	const char *profiles;	     /* directory */
	const struct settings *cnf;  /* policy; NULL: as they are made */
	const char *principal;	     /* "invite:7" or "certificate:SERIAL" */
	const char *profile;	     /* name, never NULL */
	const struct invite *invite; /* or NULL */
	X509 *renews;		     /* or NULL */
	int manual;		     /* the operator approves */
	time_t now;
	/* Proof of possession was verified by who read it. */
	const struct burin_asked *asked;
	/* SHA-256 of the request's DER: the same again gives the same. */
	const unsigned char *request;
	/* SHA-256 that uses the invite up, NULL: request. CMC: of the whole
	 * reqSequence, so that its requests share one secret. */
	const unsigned char *use;
	const unsigned char *der; /* kept with a request that waits */
	size_t der_len;
	const char *form; /* "pkcs10" or "crmf" */
	/* changeSubjectName: asked has the new names. Waits for approval
	 * unless the settings say "rename = yes". */
	int renamed;
	const struct burin_secret *revocation; /* it can be revoked with, or
						  NULL */
	int confirm;	 /* must be confirmed (confirmCertAcceptance) */
	const char *via; /* "est", "cmc", "mail", "ra:SERIAL": for the log */
};
enum issue_outcome {
	ISSUE_DONE,
	ISSUE_AGAIN,
	ISSUE_PENDING
};
/*
 * The certificate for a request, or that it waits, by itself. The same
 * request of the same principal gives the same certificate (ISSUE_AGAIN). A
 * refusal is BURIN_EAUTHORITY, with its line in the audit log; codes beside
 * those of policy_*: "certificate-revoked", "invite-gone", "invite-used",
 * "invite-expired", "profile-unknown", "request-denied", and those of
 * burin_profile_extensions.
 */
int issue(struct store *st, const struct issuer *ca,
    const struct issue_input *in, enum issue_outcome *outcome, X509 **out,
    struct burin_error *e);
/*
 * This use of the invite is its first, or the same again. Needs an open
 * transaction. "invite-gone", "invite-used", "invite-expired".
 */
int invite_check(struct store *st, const struct invite *in,
    const unsigned char use[CA_SHA256], time_t at, struct burin_error *e);
/*
 * The same for a PKCS#10 over EST: reads der and its proof of possession
 * (BURIN_EUSAGE), fills in asked, der, form, revocation, and request unless
 * that is set: a request that is linked to a session is known by the rest.
 */
int issue_pkcs10(struct store *st, const struct issuer *ca,
    struct issue_input *in, const unsigned char *der, size_t len,
    enum issue_outcome *outcome, X509 **out, struct burin_error *e);
/*
 * The secret to revoke with that a PKCS#10 brings: revocationChallenge
 * (RFC 7894 section 3.3), or with challenge 1 challengePassword, where that
 * is not used for linking. *out NULL: none.
 */
int request_revocation(X509_REQ *req, int challenge, struct burin_secret **out,
    struct burin_error *e);

/* --- crl.c: lists of what was revoked ------------------------------------ */

/* A new one, with its line in the audit log; by itself. */
int crl_make(struct store *st, const struct issuer *ca,
    const struct settings *cnf, time_t now, X509_CRL **out,
    struct burin_error *e);
/*
 * The newest one, or a new one when that is past half its life or something
 * was revoked since; by itself.
 */
int crl_current(struct store *st, const struct issuer *ca,
    const struct settings *cnf, time_t now, X509_CRL **out,
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
enum key_reuse {
	REUSE_SAME_NAME, /* a key has certificates of one name only */
	REUSE_REFUSE,	 /* a key has one certificate */
	REUSE_ALLOW
};
enum mail_from { /* a mail that is not from whom its request is about */
	MAIL_FROM_REFUSE,
	MAIL_FROM_PENDING, /* the operator decides */
	MAIL_FROM_ACCEPT
};
struct settings {
	char *name, *token, *profile;
	int ra;		/* role = ra */
	char *upstream; /* an RA's: where it passes requests on, CMC */
	/* URIs; an RA has no ca_key */
	char *ca_key, *cmc_key, *tls_key, *pop_key;
	char *url; /* where others reach it, no slash at the end; or NULL */
	char *http_url; /* the same for what is there over plain HTTP */
	int manual;
	int digest;	      /* HTTP Digest is offered beside Basic */
	unsigned retry_after; /* seconds until a pending one asks again */
	unsigned rate;	      /* requests of an address in a minute; 0: any */
	enum link_wish link;  /* of requests to their TLS session */
	enum page_for page;   /* who sees the status page and the metrics */
	unsigned waiting;     /* requests of one principal; 0: CA_WAITING */
	unsigned crl_days;    /* from thisUpdate to nextUpdate */
	enum key_reuse key_reuse;
	int no_renew_same_key; /* renew_same_key = no */
	int rename;	       /* changeSubjectName needs no approval */
	int confirm;	       /* CMC: certificates are to be accepted */
	enum mail_from mail_from;
	int publish_anchors; /* CMC: answers bring the trust anchors */
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
void settings_put(BIO *out, const char *key, const char *value);

/* --- role.c: CA or RA ----------------------------------------------------- */

/* As settings_http_read and _write. check: what is there fits the role. */
int settings_role_read(struct settings *s, const char *name, const char *value,
    struct burin_error *e);
void settings_role_write(BIO *out, const struct settings *s);
int settings_role_check(const struct settings *s, struct burin_error *e);
int settings_upstream_check(const char *url, struct burin_error *e);
/*
 * BURIN_EUSAGE "not-a-ca": an RA cannot do what; upstream, or NULL, says whose
 * operator can.
 */
int role_not_ca(const char *what, const char *upstream, struct burin_error *e);
/* Under cert, and refuses to sign: the issuer of an RA. Borrows cert. */
void issuer_of_nobody(struct issuer *ca, X509 *cert);

/* --- enrolled.c: the certificates of an RA, which its CA issued ----------- */

enum enrolled {
	ENROLLED_CMC, /* cmc.pem, id-kp-cmcRA */
	ENROLLED_TLS, /* tls.pem */
	ENROLLED_POP  /* pop.pem */
};
/*
 * The newest certificate of key on its token that is for this, stands under
 * ca now and, for the server, has the hosts (NULL: whatever it has). None:
 * BURIN_EUSAGE "enrolment-missing", "-expired", "-unfit", "key-unfit" or
 * "certificate-invalid", with how to enrol one. X509_free.
 */
int enrolled_find(const struct issuer *ca, struct burin_key *key,
    enum enrolled which, const char *const *hosts, time_t now, X509 **out,
    struct burin_error *e);
/* A line in the audit log; by itself. */
int enrolled_record(
    struct store *st, enum enrolled which, X509 *cert, struct burin_error *e);
struct authority;
/*
 * Those of an RA that opens. One that is newer than what DIR has takes its
 * place, with a line in the audit log.
 */
int enrolled_open(struct authority *a, time_t now, struct burin_error *e);

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

/* --- anchors.c: trust anchors that answers of CMC bring ---------------------
 */

struct anchors {
	STACK_OF(X509) * certs; /* NULL: none are published */
	long long number;	/* seqNumber: rises when they change */
};
/*
 * The CA's certificate and what of DIR/anchors.pem is not over; anchors_clear
 * in any case.
 */
int anchors_open(const char *dir, struct store *st, X509 *ca, time_t now,
    struct anchors *out, struct burin_error *e);
void anchors_clear(struct anchors *a);

/* --- certs.c: the authority's own certificates ---------------------------- */

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
/* Signs CMC: the name of the CA, id-kp-cmcCA (RFC 6402 section 2.10). */
int own_cmc_make(const struct issuer *ca, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e);
/* Agrees on keys: static ECDH proofs, messages encrypted to us. */
int own_pop_make(const struct issuer *ca, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e);
/*
 * Writes it to the store as the authority's, what: "for this server". Needs
 * an open transaction.
 */
int own_record(struct store *st, X509 *cert, const char *what, time_t now,
    struct burin_error *e);
/* 1 when its alternative names have the host, a name or an address. */
int cert_has_host(X509 *cert, const char *host);
/* X509_verify_cert against the CA: path and time. 0 or -1 with e. */
int own_check(
    const struct issuer *ca, X509 *cert, time_t now, struct burin_error *e);

/* The HTTPS server's certificate, with a line in the audit log. */
int own_tls_issue(struct store *st, const struct issuer *ca, EVP_PKEY *pub,
    const char *const *hosts, time_t now, X509 **out, struct burin_error *e);

/* --- open.c -------------------------------------------------------------- */

struct authority {
	char *dir, *profiles;
	struct settings cnf;
	struct store *store;
	/*
	 * On the token in this process, or behind the door: then the CA's is
	 * NULL, and ca signs through the door. An RA (cnf.ra) has none, and ca
	 * refuses; its certificate is the anchor.
	 */
	struct burin_key *ca_key, *cmc_key, *tls_key, *pop_key;
	struct issuer ca; /* the key's side borrowed, the certificate owned */
	X509 *cmc_cert, *tls_cert, *pop_cert;
	struct anchors anchors;
};

struct door;
/* authority_open with its keys behind d (door.h), which it borrows. */
int authority_open_front(const char *dir, struct door *d,
    struct authority **out, struct burin_error *e);
/*
 * The keys on the token alone, after authority_keys_close and
 * burin_p11_look_again: they must be those of the certificates.
 */
int authority_keys_open(
    struct authority *a, struct burin_p11 *p11, struct burin_error *e);
void authority_keys_close(struct authority *a);

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
