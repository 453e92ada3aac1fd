/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking after the worker: what it tells, the deadlines of its calls,
 * signals that are passed on, job control, its end. Nothing here waits for
 * anything but the next of these.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

#define TOUCH_MS 1000  /* a call that takes longer may wait for a finger */
#define ASKED_MS 1000  /* from the second signal to the end */
#define END_MS 30000   /* from the last word to the end */
#define KILLED_MS 5000 /* a process in the kernel's hands may not die */

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what the worker tells -------------------------------------------------
 */

static void
call_begins(struct worker_watch *w, const struct worker_record *r)
{
	struct worker_call *call;

	if (w->n_calls == WORKER_CALLS)
		return;
	call = &w->calls[w->n_calls++];
	memcpy(call->function, r->word, sizeof(call->function));
	memcpy(call->module, r->text, sizeof(call->module));
	call->since = now_ms();
	call->limit = worker_limit(w, r->word, r->pad);
	call->touch = r->touch;
}

static void
call_is_back(struct worker_watch *w, const struct worker_record *r)
{
	size_t i;

	for (i = 0; i < w->n_calls; i++)
		if (strcmp(w->calls[i].function, r->word) == 0 &&
		    strcmp(w->calls[i].module, r->text) == 0) {
			w->calls[i] = w->calls[--w->n_calls];
			return;
		}
}

static void
take(struct worker_watch *w, struct worker_record *r)
{
	/* A module shares the worker's memory, and may write anything. */
	r->word[sizeof(r->word) - 1] = '\0';
	r->text[sizeof(r->text) - 1] = '\0';
	switch (r->kind) {
	case WORKER_CALL:
		call_begins(w, r);
		break;
	case WORKER_BACK:
		call_is_back(w, r);
		break;
	case WORKER_TOKEN:
		memcpy(w->token, r->text, sizeof(w->token));
		break;
	case WORKER_JOB:
		memcpy(w->job, r->text, sizeof(w->job));
		memcpy(w->state, r->word, sizeof(w->state));
		break;
	case WORKER_ANSWERS:
		w->answers = 1;
		break;
	case WORKER_ENDS:
		w->ends = 1;
		w->status = r->status;
		if (w->timeout != 0)
			w->ends_at = now_ms() + END_MS;
		break;
	}
}

static void
read_records(struct worker_watch *w)
{
	struct worker_record r;
	ssize_t n;

	while ((n = read(w->pipe, &r, sizeof(r))) != 0) {
		if (n == (ssize_t)sizeof(r))
			take(w, &r);
		else if (n == -1 && errno == EINTR)
			continue;
		else if (n == -1 && errno == EAGAIN)
			return;
		else
			break; /* no record: nothing more is to be had */
	}
	(void)close(w->pipe);
	w->pipe = -1;
}

/* --- job control -----------------------------------------------------------
 */

/* Time that was spent stopped is nobody's. */
static void
restart_clocks(struct worker_watch *w)
{
	int64_t now = now_ms();
	size_t i;

	w->stopped = 0;
	for (i = 0; i < w->n_calls; i++)
		w->calls[i].since = now;
	if (w->ends_at != 0)
		w->ends_at = now + END_MS;
}

/*
 * The worker first, then the program: the shell that waits for the program
 * takes the terminal only when the worker has given it back as it was.
 */
static void
stop_as_well(struct worker_watch *w, int signo)
{
	sigset_t one, before;

	w->stopped = 1;
	if (signo == SIGSTOP)
		return; /* somebody meant the worker alone */
	/* Both were stopped and go on: the worker is about to. */
	if (sigpending(&before) == 0 && sigismember(&before, SIGCONT) == 1)
		return;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, signo);
	(void)raise(signo);
	(void)sigprocmask(SIG_UNBLOCK, &one, &before); /* stops here */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)kill(w->pid, SIGCONT);
	restart_clocks(w);
}

/* --- signals ---------------------------------------------------------------
 */

static void
end_worker(struct worker_watch *w, enum worker_kill why)
{
	w->kill = why;
	w->killed_at = now_ms();
	(void)kill(w->pid, SIGKILL);
}

static void
reap(struct worker_watch *w)
{
	int status;

	while (waitpid(w->pid, &status, WNOHANG | WUNTRACED | WCONTINUED) > 0) {
		if (WIFSTOPPED(status)) {
			stop_as_well(w, WSTOPSIG(status));
		} else if (WIFCONTINUED(status)) {
			restart_clocks(w);
		} else {
			w->over = 1;
			w->how = status;
			return;
		}
	}
}

/*
 * The terminal's signals come to the whole group, the worker too; others
 * come to the program alone and are passed on. The second one ends at once,
 * unless the worker was started to ignore it.
 */
static void
take_signal(struct worker_watch *w, const struct signalfd_siginfo *s)
{
	int signo = (int)s->ssi_signo;

	if (signo == SIGCHLD) {
		reap(w);
		return;
	}
	if (signo == SIGCONT)
		restart_clocks(w);
	if (s->ssi_code <= 0 || signo == SIGCONT)
		(void)kill(w->pid, signo);
	if ((signo == SIGINT || signo == SIGTERM) &&
	    (w->ignored & 1U << signo) == 0 && ++w->n_asked == 2) {
		w->asked_at = now_ms();
		w->asked_signal = signo;
	}
}

static void
read_signals(struct worker_watch *w)
{
	struct signalfd_siginfo s;

	while (w->over == 0 &&
	    read(w->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		take_signal(w, &s);
}

/* --- time ------------------------------------------------------------------
 */

static void
check_call(struct worker_watch *w, struct worker_call *call, int64_t now)
{
	if (call->touch && now - call->since >= TOUCH_MS) {
		call->touch = 0;
		worker_say_touch(w, call);
	}
	if (call->limit != 0 && now - call->since >= call->limit) {
		w->hung = *call;
		end_worker(w, KILLED_HUNG);
	}
}

static void
check_time(struct worker_watch *w)
{
	int64_t now = now_ms();
	size_t i;

	if (w->kill != KILLED_NOT) {
		if (now - w->killed_at >= KILLED_MS)
			w->over = -1;
		return;
	}
	if (w->asked_at != 0 && now - w->asked_at >= ASKED_MS)
		end_worker(w, KILLED_ASKED);
	if (w->stopped)
		return;
	if (w->ends_at != 0 && now >= w->ends_at)
		end_worker(w, KILLED_LATE);
	for (i = 0; i < w->n_calls && w->kill == KILLED_NOT; i++)
		check_call(w, &w->calls[i], now);
}

static void
sooner(int64_t *at, int64_t other)
{
	if (*at == -1 || other < *at)
		*at = other;
}

/* Milliseconds until check_time has something to do, -1: never. */
static int
next_time(const struct worker_watch *w)
{
	int64_t at = -1, now = now_ms();
	size_t i;

	if (w->kill != KILLED_NOT)
		at = w->killed_at + KILLED_MS;
	else if (w->asked_at != 0)
		at = w->asked_at + ASKED_MS;
	else if (!w->stopped && w->ends_at != 0)
		at = w->ends_at;
	for (i = 0; i < w->n_calls && w->kill == KILLED_NOT && !w->stopped;
	     i++) {
		if (w->calls[i].touch)
			sooner(&at, w->calls[i].since + TOUCH_MS);
		if (w->calls[i].limit != 0)
			sooner(&at, w->calls[i].since + w->calls[i].limit);
	}
	if (at == -1)
		return -1;
	return at > now ? (int)(at - now) : 0;
}

void
worker_look_on(struct worker_watch *w)
{
	struct pollfd p[2];

	while (w->over == 0) {
		p[0].fd = w->signals;
		p[1].fd = w->pipe;
		p[0].events = p[1].events = POLLIN;
		p[0].revents = p[1].revents = 0;
		(void)poll(p, 2, next_time(w));
		if (p[0].revents != 0)
			read_signals(w);
		/* Also after its end: the last words are still in there. */
		if (w->pipe != -1 && (p[1].revents != 0 || w->over != 0))
			read_records(w);
		if (w->over == 0)
			check_time(w);
	}
}
