/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal: one SQLite database (WAL, synchronous=FULL) with a row per
 * enrolment and what is remembered of wrong PINs. Every change of state is
 * committed before the next action, so that an enrolment that dies between
 * any two lines can be resumed from what is written here.
 */

#ifndef BURIN_JOURNAL_H
#define BURIN_JOURNAL_H

#include <stddef.h>
#include <time.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>
#include <burin/token.h>

struct journal;

/* design: planned -> ... -> done, or failed / refused. Order matters. */
enum job_state {
	JOB_PLANNED,   /* what is wanted is written down */
	JOB_KEY_MADE,  /* the key pair is on the token */
	JOB_REQUESTED, /* the signed request is stored */
	JOB_SENT,      /* it is being sent, maybe arrived */
	JOB_PENDING,   /* the authority asks us to come back */
	JOB_RECEIVED,  /* the answer is stored */
	JOB_CHECKED,   /* it passed every check */
	JOB_WRITTEN,   /* the certificate is on the token */
	JOB_CONFIRMED, /* it was read back and compared */
	JOB_DONE,
	JOB_FAILED, /* abandoned by the user, or cannot go on */
	JOB_REFUSED /* refused by the authority or by our checks */
};
const char *job_state_name(enum job_state s); /* "key-made" */
int job_state_final(enum job_state s);	      /* done, failed, refused */

/* CMC: whether the authority wants to hear that the certificate is taken. */
enum job_confirm {
	CONFIRM_NOT,
	CONFIRM_WANTED, /* it said so */
	CONFIRM_SAID	/* job->message says it, and may have arrived */
};

struct blob {
	unsigned char *data; /* malloc'd, NULL when len is 0 */
	size_t len;
};
int blob_set(
    struct blob *b, const void *data, size_t len, struct burin_error *e);
void blob_clear(struct blob *b);

#define JOB_ID_LEN 12 /* characters, lower-case base32 without vowels */

/*
 * One enrolment as it is stored. Strings are malloc'd, NULL when unknown.
 * key_made_by_us says that abandon may destroy the key.
 */
struct job {
	char id[JOB_ID_LEN + 1];
	enum job_state state;
	time_t created, updated; /* set by the journal */
	char *verb;		 /* "enroll", "install" */
	char *plan;		 /* JSON of struct plan */
	char *token_uri;	 /* RFC 7512, of the token */
	char *token_label, *token_serial;
	struct blob made_id;	/* random CKA_ID the key is made with */
	struct blob key_before; /* DER SubjectPublicKeyInfo of the key that
				 * has the place until ours is made */
	struct blob key_id;	/* final CKA_ID */
	struct blob public_key; /* DER SubjectPublicKeyInfo */
	char *key_uri;
	int key_made_by_us;
	struct blob request;	   /* what is asked: PKCS#10, reqSequence */
	struct blob message;	   /* CMC: what goes out with, or after, it */
	struct blob response;	   /* as received */
	struct blob certificate;   /* DER, chosen and checked */
	struct blob chain;	   /* certs-only of the verified path */
	struct blob cert_replaced; /* DER of what was there before */
	char *server;		   /* URL or file */
	char *pend_token;	   /* CMC: to show the authority again, hex */
	time_t retry_at;	   /* earliest next try, 0 at once */
	/* CMC: RFC 10002 sections 6.6 and 6.3.1.3 */
	struct blob transaction_id, sender_nonce, recipient_nonce, pop_random;
	int confirm;		  /* enum job_confirm */
	struct burin_error error; /* of the last attempt */
	unsigned long calls;	  /* PKCS#11 calls of all attempts */
	double seconds;		  /* of all attempts */
};
void job_clear(struct job *job);

/*
 * Opens (and makes) DIR/state.db, mode 0600 in a 0700 directory. dir NULL:
 * $BURIN_STATE_DIR, else /var/lib/burin as root, else
 * $XDG_STATE_HOME/burin or ~/.local/state/burin.
 */
int journal_open(const char *dir, struct journal **out, struct burin_error *e);
void journal_close(struct journal **j);
const char *journal_dir(const struct journal *j);

/* Makes a row in state planned; fills job->id, created, updated. */
int journal_create(struct journal *j, struct job *job, struct burin_error *e);
/* Commits the whole row durably. */
int journal_save(struct journal *j, struct job *job, struct burin_error *e);
/* id may be a unique prefix. None: BURIN_ETOKEN "job-missing". */
int journal_load(
    struct journal *j, const char *id, struct job *job, struct burin_error *e);
/* Newest first; only unfinished ones when open_only. Caller clears each and
 * frees the array. */
int journal_list(struct journal *j, int open_only, struct job **out, size_t *n,
    struct burin_error *e);

/*
 * At most one process works on a job: an flock'ed file beside the database,
 * let go by the kernel when the holder dies. Busy: BURIN_EINTERRUPTED
 * "job-busy". *fd is to be given to journal_unlock.
 */
int journal_lock(
    struct journal *j, const char *id, int *fd, struct burin_error *e);
void journal_unlock(struct journal *j, const char *id, int fd);

/* --- trust anchors that an authority published (published.c) ------------ */

/*
 * The seqNumber of the last trustedAnchors believed of this server (RFC 10002
 * section 6.15), -1 when there was none. server may be NULL.
 */
int journal_anchors_seen(
    struct journal *j, const char *server, long *number, struct burin_error *e);
int journal_anchors_keep(struct journal *j, const char *server, const char *job,
    long number, STACK_OF(X509) * anchors, struct burin_error *e);

/* --- wrong PINs (pin_memory.c) ----------------------------------------- */

/*
 * The before/after callbacks of burin_login_policy over the journal: a PIN
 * that a token refused is kept as a scrypt verifier with its own salt, by
 * token serial, label and login, and never sent again unless retry_pin; two
 * wrong tries since the last success count as "the next may be the last".
 * A success forgets both. A login that was begun and whose end nobody told
 * (the process died) counts as a wrong try, too. From before to after no
 * other process logs in to the token; pin_memory_release ends that when
 * after was never called.
 */
struct pin_memory {
	struct journal *j;
	int retry_pin; /* --retry-pin: send it again all the same */
	int last_try;  /* --last-try */
	int locked;    /* a login is under way: close(lock) ends it */
	int lock;
	char *sent_serial, *sent_label; /* whose try is under way, or NULL */
	enum burin_login sent_who;
};
void pin_memory_release(struct pin_memory *m);
int pin_memory_before(void *arg, const struct burin_token *t,
    enum burin_login who, const struct burin_secret *pin,
    struct burin_error *e);
int pin_memory_after(void *arg, const struct burin_token *t,
    enum burin_login who, const struct burin_secret *pin, int right,
    struct burin_error *e);

/* What is remembered of the tries since the last success. */
struct pin_tries {
	int wrong;   /* the token refused them */
	int unknown; /* begun, and nobody told how it ended */
	int limit;   /* with this many, no PIN is sent but with --last-try */
	time_t last; /* of the last of them; 0: there was none */
};
int pin_memory_tries(struct journal *j, const struct burin_token *t,
    enum burin_login who, struct pin_tries *out, struct burin_error *e);

#endif
