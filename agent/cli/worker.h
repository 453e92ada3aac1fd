/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The worker: a verb that loads modules runs in a child of the program. The
 * program itself only looks on: at the child's calls, which have deadlines,
 * and at its end, which it explains (docs/decisions/0009-worker.md).
 */

#ifndef BURIN_WORKER_H
#define BURIN_WORKER_H

#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#include "cli.h"

/*
 * Forks. 1: go on, this is the worker, or the verb needs none. 0: the worker
 * has run and said everything; *status is the exit status. -1: e is to be
 * told by the caller. Call before modules, journal, threads.
 */
int worker_start(struct cli *c, int *status, struct burin_error *e);

/* --- told by the worker; nothing happens where there is none ------------- */

/* The watch of struct burin_p11_config; arg is a struct cli. */
void worker_event(void *arg, const struct burin_p11_event *ev);
/* The token that the next calls are about, in words. */
void worker_token(struct cli *c, const char *name);
/* The job that is under way and the state it has reached. */
void worker_job(struct cli *c, const char *id, const char *state);
/* Standard output gets its one JSON object now: nobody else may write one. */
void worker_answers(struct cli *c);
/* All is said; only the end of the modules is left. */
void worker_ends(struct cli *c, int status);

/* --- between worker.c, worker_watch.c and worker_say.c ------------------- */

enum worker_kind {
	WORKER_CALL, /* word: function, text: module */
	WORKER_BACK,
	WORKER_TOKEN, /* text */
	WORKER_JOB,   /* text: id, word: state */
	WORKER_ANSWERS,
	WORKER_ENDS /* status */
};

#define WORKER_WORD 32
#define WORKER_TEXT 216

/* What goes through the pipe, whole or not at all (PIPE_BUF). */
struct worker_record {
	enum worker_kind kind;
	short pad, touch; /* of struct burin_p11_event */
	int status;
	char word[WORKER_WORD];
	char text[WORKER_TEXT];
};

/* A call under way. Times in milliseconds of CLOCK_MONOTONIC. */
struct worker_call {
	char function[WORKER_WORD];
	char module[WORKER_TEXT];
	int64_t since, limit; /* limit 0: none */
	int touch;
};
#define WORKER_CALLS 64 /* one per module that is busy at a time */

enum worker_kill {
	KILLED_NOT,  /* not by us */
	KILLED_HUNG, /* a call passed its deadline */
	KILLED_LATE, /* would not end when all was done */
	KILLED_ASKED /* two signals, and it was still there */
};

struct worker_watch {
	struct cli *c;
	pid_t pid;
	int pipe, signals; /* what is read from */
	int timeout;	   /* seconds instead of the table's, -1: the table */
	int tty;	   /* -1: no terminal */
	struct termios termios; /* as it was */
	unsigned ignored;	/* bits of signals that were ignored */
	struct worker_call calls[WORKER_CALLS];
	size_t n_calls;
	char token[WORKER_TEXT], job[WORKER_TEXT], state[WORKER_WORD];
	int answers, ends, status;
	int64_t ends_at, asked_at; /* when it must be gone, was asked; 0 */
	int n_asked, asked_signal;
	int stopped; /* by job control */
	enum worker_kill kill;
	int64_t killed_at;
	struct worker_call hung; /* when KILLED_HUNG */
	int over;		 /* 1: ended, how is in how; -1: will not */
	int how;		 /* of waitpid(2) */
};

/* Looks on until the worker is no more: worker_watch.c. */
void worker_look_on(struct worker_watch *w);
/* What becomes of its end, as worker_start: worker_say.c. */
int worker_judge(struct worker_watch *w, int *status, struct burin_error *e);
void worker_say_touch(struct worker_watch *w, const struct worker_call *call);
/* Milliseconds that a call may take, 0: as long as it wants. */
int64_t worker_limit(
    const struct worker_watch *w, const char *function, int pad);

#endif
