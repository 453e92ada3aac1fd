/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Our programs beside burin, run once for one answer: each has libraries that
 * shall not be in this process, for what they do to it or what they cost.
 */

#ifndef BURIN_HELPER_H
#define BURIN_HELPER_H

#include <stddef.h>

#include <burin/error.h>
#include <burin/secret.h>

struct helper {
	const char *name; /* burin-NAME, beside this program or installed */
	const char *env;  /* the variable that names another, or NULL */
	/* argv[0] is filled in; NULL ends it */
	const char **argv;
	/* its standard input; NULL: there is none */
	const void *input;
	size_t input_len;
	/* what it finds at its descriptor 3; NULL: nothing */
	const struct burin_secret *secret;
	/* 1: it has no environment, in which there may be a PIN */
	int bare;
	size_t max_answer; /* bytes of its standard output */
	int seconds;	   /* in all */
};

enum helper_end {
	HELPER_EXITED,	/* value: its exit status */
	HELPER_CRASHED, /* value: the signal */
	HELPER_LATE,	/* was ended when its time was up */
	HELPER_TALKS	/* was ended when it wrote too much */
};
struct helper_answer {
	enum helper_end end;
	int value;
	unsigned char *bytes; /* malloc'd, and a 0 behind them; or NULL */
	size_t len;
};
void helper_answer_clear(struct helper_answer *a);

/*
 * Runs it and waits for its end, which is its own affair: -1 only when it
 * cannot be run, BURIN_EINTERNAL "helper-missing" or "helper-failed".
 */
int helper_run(
    const struct helper *h, struct helper_answer *a, struct burin_error *e);

#endif
