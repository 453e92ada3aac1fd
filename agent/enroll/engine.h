/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The enrolment engine: a walk over the states of a job, one function per
 * state in one table. Each function does its action and names the next
 * state; the engine commits that before it goes on. Resuming is the same
 * walk from wherever the job stands.
 */

#ifndef BURIN_ENGINE_H
#define BURIN_ENGINE_H

#include <signal.h>
#include <stddef.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/response.h>
#include <burin/token.h>

#include "journal.h"
#include "plan.h"

/* One step of a job as it happened, for people and for JSON. */
struct engine_event {
	const char *job;     /* id */
	const char *state;   /* the state reached */
	const char *text;    /* "key pair made on the token" */
	double seconds;	     /* of this step */
	unsigned long calls; /* PKCS#11 calls of this step */
};
#define ENGINE_MAX_STEPS 32
struct engine_step {
	char state[16];
	char text[160];
	double seconds;
	unsigned long calls;
};

/* What the program gives the engine. Borrowed; must outlive it. */
struct engine {
	struct burin_p11 *p11;
	struct journal *journal;
	/* Gives the enrolment secret (HTTP password). May be NULL. */
	int (*secret)(void *arg, const char *source, struct burin_secret **out,
	    struct burin_error *e);
	void (*progress)(void *arg, const struct engine_event *ev);
	/* Tells what a person should know before it happens. May be NULL. */
	void (*note)(void *arg, const char *text);
	/* Runs burin-consumer-check on a key URI. May be NULL. */
	int (*consumer_check)(
	    void *arg, const char *key_uri, struct burin_error *e);
	void *arg;
	int wait;		   /* 1: sleep through Retry-After and poll */
	const char *response_file; /* protocol file: the answer, or NULL */
	/* Not NULL and not 0: stop after the step at hand with
	 * BURIN_EINTERRUPTED "interrupted". */
	const volatile sig_atomic_t *stop;
};

/* What came of one walk. Everything borrowed from it lives until clear. */
struct engine_report {
	struct burin_key *key; /* NULL when not reached */
	X509 *cert;	       /* NULL when not reached */
	STACK_OF(X509) * chain;
	struct burin_checks checks;
	struct engine_step steps[ENGINE_MAX_STEPS];
	size_t n_steps;
	unsigned long calls;
	double seconds;
};
void engine_report_clear(struct engine_report *r);

/*
 * Walks job (locked here) to a final state, to pending (-1,
 * BURIN_EPENDING) or to a failure; job holds the reached state, which is
 * committed. r is filled as far as the walk went.
 */
int engine_run(struct engine *en, struct job *job, struct engine_report *r,
    struct burin_error *e);

/*
 * Gives a job up: destroys on the token what it made and nobody uses (the
 * key when key_made_by_us and no certificate of it is there but the job's
 * own; the certificate it wrote), then state failed "abandoned". dry_run:
 * only says in *removed what would go. *removed is malloc'd text.
 */
int engine_abandon(struct engine *en, struct job *job, int dry_run,
    char **removed, struct burin_error *e);

/*
 * The install verb without a journalled request: checks certs against key,
 * writes, reads back. Uses the same steps as engine_run.
 */
struct install_input {
	struct burin_key *key;
	STACK_OF(X509) * bag;		 /* what was given */
	STACK_OF(X509) * anchors;	 /* NULL only with force_untrusted */
	const struct burin_asked *asked; /* what was asked for, or NULL */
	int replace, force_untrusted, force_expired, dry_run;
};
int engine_install(struct engine *en, const struct install_input *in,
    struct engine_report *r, struct burin_error *e);

#endif
