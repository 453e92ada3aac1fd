/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How an authority is spoken to: in bare PKCS#10 requests, or in messages of
 * CMC. A row each; the walk over the states knows no other difference.
 */

#ifndef BURIN_DIALECT_H
#define BURIN_DIALECT_H

#include "steps.h"

/* What an answer came to. */
enum answer {
	ANSWER_CERTS, /* certificates are in the bag */
	ANSWER_LATER, /* job->retry_at says when to ask again */
	ANSWER_MORE   /* job->message has the next thing to say */
};

struct dialect {
	/* key-made -> requested: job->request, and job->message if any */
	int (*request)(
	    struct walk *w, struct burin_subject *s, struct burin_error *e);
	/* received: what job->response comes to. *bag is the caller's */
	int (*answer)(struct walk *w, STACK_OF(X509) * *bag,
	    enum answer *answer, struct burin_error *e);
	/* pending: makes job->message for asking again; NULL: the same
	 * bytes are sent once more */
	int (*again)(struct walk *w, struct burin_error *e);
	/*
	 * written, and job->confirm is CONFIRM_WANTED: makes the job->message
	 * that says so. NULL: none ever wants it
	 */
	int (*accept)(struct walk *w, X509 *cert, struct burin_error *e);
	/* CONFIRM_SAID: sends it, and reads what comes back */
	int (*confirm)(struct walk *w, struct burin_error *e);
	/*
	 * CONFIRM_WANTED, and the checks refuse the certificate: says so, as
	 * well as it goes. The verdict stands, whatever comes of telling it
	 */
	void (*reject)(struct walk *w, X509 *cert);
};
/* The row for the plan. */
const struct dialect *walk_dialect(const struct walk *w);

/* --- cmc.c --------------------------------------------------------------- */

int cmc_request(struct walk *w, struct burin_subject *s, struct burin_error *e);
int cmc_answer(struct walk *w, STACK_OF(X509) * *bag, enum answer *answer,
    struct burin_error *e);
int cmc_again(struct walk *w, struct burin_error *e);
int cmc_accept(struct walk *w, X509 *cert, struct burin_error *e);
int cmc_confirm(struct walk *w, struct burin_error *e);
void cmc_reject(struct walk *w, X509 *cert);

#endif
