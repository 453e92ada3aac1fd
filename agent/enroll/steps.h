/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the engine: one walk, and the function of each state.
 */

#ifndef BURIN_STEPS_H
#define BURIN_STEPS_H

#include "../transport/transport.h"
#include "engine.h"

#define MADE_ID_LEN 20 /* random bytes of a first CKA_ID */
#define CHECK_SKEW 300 /* seconds that clocks may differ */

/* What one process knows of a job. The key found is r->key. */
struct walk {
	struct engine *en;
	struct job *job;
	struct engine_report *r;
	struct plan plan;
	struct burin_token *token; /* NULL until found; borrowed */
	int key_fresh;		   /* r->key was made by this process */
	STACK_OF(X509) * present;  /* under r->key's CKA_ID; NULL: not asked */
	struct burin_key *old_key; /* of a renewal */
	X509 *old_cert;
	STACK_OF(X509) * anchors[2]; /* walk_anchors keeps them here */
	struct burin_secret *secret; /* shared with the authority; asked once */
	int asked;		     /* the authority was asked in this run */
	int renamed; /* the request asks for other names than it repeats */
	char text[sizeof(((struct engine_step *)0)->text)]; /* of the step */
};

/* Sets *next and w->text; the engine commits. */
typedef int step_fn(
    struct walk *w, enum job_state *next, struct burin_error *e);
step_fn step_key, step_request, step_ready, step_send, step_poll, step_check,
    step_write, step_confirm, step_finish;

/* --- engine.c ------------------------------------------------------------ */

/* Locks job and reads it again: another process may have gone on with it. */
int walk_open(struct walk *w, struct engine *en, struct job *job,
    struct engine_report *r, int *lock, struct burin_error *e);
void walk_close(struct walk *w, int lock);
/* Commits the plan as it is now. */
int walk_save_plan(struct walk *w, struct burin_error *e);
int walk_stopped(const struct engine *en);

/* --- steps_key.c ------------------------------------------------------- */

/* The anchors of a first contact become part of the plan, and of the job. */
int walk_trust(struct walk *w, STACK_OF(X509) * anchors, struct burin_error *e);

/* Finds the token of the job and logs in, once. */
int walk_token(struct walk *w, struct burin_error *e);
/* Finds the job's key again, once, and makes sure it is the same key. */
int walk_key(struct walk *w, struct burin_error *e);
/*
 * The job's key by what the journal knows; *out NULL when it is not there.
 * complete: an interrupted generation is brought to its end.
 */
int walk_find_made(struct walk *w, int complete, struct burin_key **out,
    struct burin_error *e);
/* Fills w->present, once; refuses a CKA_ID that another key has, and other
 * certificates that may not be replaced. */
int walk_present(struct walk *w, struct burin_error *e);
/* The key and certificate that a renewal authenticates with, once. */
int walk_old(struct walk *w, struct burin_error *e);

/* --- steps_send.c ------------------------------------------------------ */

/*
 * The plan's anchors, of the certificate or of the server; NULL when it names
 * none. Decoded once, for that costs more than most steps (docs/bench.md); the
 * caller's reference.
 */
int walk_anchors(
    struct walk *w, int server, STACK_OF(X509) * *out, struct burin_error *e);
/* Borrows from w; only tls_anchors is to be freed. */
int walk_transport(
    struct walk *w, struct transport_config *c, struct burin_error *e);
void walk_transport_clear(struct transport_config *c);
/*
 * transport_submit, in the name of the old key in a renewal, with the message
 * encrypted when the plan says so.
 */
int walk_submit(struct walk *w, struct transport_config *c,
    const unsigned char *message, size_t len, struct transport_reply *reply,
    struct burin_error *e);
/* 1: somebody carries the messages in files. */
int walk_by_file(const struct walk *w);
/* How to go on when the answer is not there yet. */
int walk_come_back(struct walk *w, struct burin_error *e);

/* --- steps_check.c ----------------------------------------------------- */

/* Refuses what step_check would, once it is known what is there already. */
int refuse_present(const struct burin_id_use *use, X509 *cert, int replace,
    const struct burin_key *k, struct burin_error *e);
int same_cert_in(STACK_OF(X509) * certs, X509 *cert);

#endif
