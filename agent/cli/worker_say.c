/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the program says of its worker: how long a call may take, that a
 * token may be waiting for a finger, and how the worker came to its end.
 */

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

#define MINUTE 60

/*
 * Seconds that a call may take. Slow is not hung: an RSA key takes a card
 * minutes, a person looks for the YubiKey that blinks, types on a PIN pad.
 * Nothing is lost by waiting longer but time.
 */
static const struct {
	const char *function;
	int seconds, pad; /* pad: while a PIN is typed on the reader */
} limits[] = {
	{ "C_GenerateKeyPair", 10 * MINUTE, 0 },
	{ "C_InitToken", 3 * MINUTE, 5 * MINUTE },
	{ "C_InitPIN", MINUTE, 5 * MINUTE },
	{ "C_SetPIN", MINUTE, 5 * MINUTE },
	{ "C_Login", MINUTE, 5 * MINUTE },
	{ "C_Sign", 3 * MINUTE, 0 },
	{ "C_Decrypt", 3 * MINUTE, 0 },
	{ "C_DeriveKey", 3 * MINUTE, 0 },
	{ "C_Finalize", 15, 0 },
};
#define OTHERS MINUTE

int64_t
worker_limit(const struct worker_watch *w, const char *function, int pad)
{
	int seconds = OTHERS;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(limits[i].function, function) == 0)
			seconds = pad && limits[i].pad != 0 ? limits[i].pad
							    : limits[i].seconds;
	if (w->timeout != -1)
		seconds = w->timeout;
	return (int64_t)seconds * 1000;
}

/* --- touch -----------------------------------------------------------------
 */

/* The worker's progress bar may stand there. */
static void
clear_bar(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
}

void
worker_say_touch(struct worker_watch *w, const struct worker_call *call)
{
	json_t *o;

	clear_bar();
	if (w->c->progress_json) {
		o = json_pack("{s:s, s:o?, s:o?, s:o?, s:o?}", "event", "touch",
		    "job", json_text(w->job[0] != '\0' ? w->job : NULL),
		    "token", json_text(w->token[0] != '\0' ? w->token : NULL),
		    "module", json_text(call->module), "function",
		    json_text(call->function));
		if (o != NULL) {
			(void)json_dumpf(o, stderr, JSON_COMPACT);
			(void)fputc('\n', stderr);
		}
		json_decref(o);
	} else {
		out_note(w->c, "touch the token if it blinks (%s)",
		    w->token[0] != '\0' ? w->token : call->function);
	}
	(void)fflush(stderr);
}

/* --- the end ---------------------------------------------------------------
 */

/*
 * A prompt may have left the echo off. What was typed meanwhile is thrown
 * away, as it may be a part of a PIN. Not from the background: the terminal
 * is somebody else's then.
 */
static void
restore_terminal(struct worker_watch *w)
{
	struct termios now;

	if (w->tty == -1 || tcgetpgrp(w->tty) != getpgrp() ||
	    tcgetattr(w->tty, &now) != 0)
		return;
	if (now.c_lflag != w->termios.c_lflag)
		(void)tcsetattr(w->tty, TCSAFLUSH, &w->termios);
}

/* The end that a program without a worker would come to. */
static int
end_by(int signo)
{
	sigset_t one;

	(void)fflush(NULL);
	(void)signal(signo, SIG_DFL);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, signo);
	(void)raise(signo);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	return 128 + signo;
}

/* The signal by which a user ends programs, 0: another end. */
static int
signal_of_user(const struct worker_watch *w)
{
	int signo = w->over == 1 && WIFSIGNALED(w->how) ? WTERMSIG(w->how) : 0;

	if (w->kill == KILLED_ASKED)
		return w->asked_signal;
	if (signo == SIGINT || signo == SIGTERM || signo == SIGHUP ||
	    signo == SIGQUIT)
		return signo;
	return 0;
}

/* "died of signal 11 (Segmentation fault) in C_Sign", where there is one. */
static void
cause_of_death(const struct worker_watch *w, char *buf, size_t size)
{
	const char *in = w->n_calls > 0 ? w->calls[0].function : "";
	const char *sep = w->n_calls > 0 ? " in " : "";

	if (w->kill == KILLED_HUNG || w->kill == KILLED_LATE)
		(void)snprintf(buf, size, "hung%s%s and was ended", sep, in);
	else if (WIFSIGNALED(w->how))
		(void)snprintf(buf, size, "died of signal %d (%s)%s%s",
		    WTERMSIG(w->how), strsignal(WTERMSIG(w->how)), sep, in);
	else
		(void)snprintf(buf, size, "ended the process (exit %d)%s%s",
		    WEXITSTATUS(w->how), sep, in);
}

/* All was said and done: that stands, whatever the modules do at the end. */
static void
note_late_end(struct worker_watch *w)
{
	char how[128];

	cause_of_death(w, how, sizeof(how));
	if (w->n_calls > 0)
		out_note(w->c, "note: after everything was done, module %s %s",
		    w->calls[0].module, how);
	else
		out_note(w->c, "note: after everything was done, the worker %s",
		    how);
}

static int
add_advice(const struct worker_watch *w, const struct worker_call *call,
    struct burin_error *e)
{
	static const char again[] =
	    "pull the token out and put it in again, or restart the service "
	    "behind the module";

	if (w->token[0] != '\0')
		(void)burin_error_token(e, "%s", w->token);
	if (strcmp(w->state, "done") == 0)
		return burin_error_advice(e,
		    "job %s is done, nothing is missing: burin status %s",
		    w->job, w->job);
	if (w->job[0] != '\0')
		return burin_error_advice(
		    e, "%s; then: burin resume %s", again, w->job);
	if (call != NULL && strcmp(call->function, "C_GenerateKeyPair") == 0)
		return burin_error_advice(e,
		    "%s; then look with burin tokens whether there is a key",
		    again);
	return burin_error_advice(e,
	    "%s, then try again; --module names the only module that is "
	    "used",
	    again);
}

static int
report_hung(struct worker_watch *w, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EINTERRUPTED, "module-hung",
	    "module %s did not come back from %s within %lld s and was ended",
	    w->hung.module, w->hung.function,
	    (long long)(w->hung.limit / 1000));
	if (w->over != 1)
		(void)burin_error_cause(e,
		    "process %ld waits in the kernel and is still there",
		    (long)w->pid);
	return add_advice(w, &w->hung, e);
}

static int
report_died(struct worker_watch *w, struct burin_error *e)
{
	const struct worker_call *call = w->n_calls > 0 ? &w->calls[0] : NULL;
	char how[128];

	cause_of_death(w, how, sizeof(how));
	if (call != NULL)
		(void)burin_fail(e, BURIN_EINTERRUPTED, "module-died",
		    "module %s %s", call->module, how);
	else
		(void)burin_fail(e, BURIN_EINTERRUPTED, "worker-died",
		    "the worker %s, in no call of a module", how);
	return add_advice(w, call, e);
}

int
worker_judge(struct worker_watch *w, int *status, struct burin_error *e)
{
	int rc, signo;

	if (w->over == 1 && WIFEXITED(w->how) && w->n_calls == 0) {
		*status = WEXITSTATUS(w->how);
		return 0;
	}
	restore_terminal(w);
	clear_bar();
	if (w->ends) {
		note_late_end(w);
		*status = w->status;
		return 0;
	}
	if ((signo = signal_of_user(w)) != 0) {
		*status = end_by(signo);
		return 0;
	}
	rc = w->kill == KILLED_HUNG ? report_hung(w, e) : report_died(w, e);
	/* It has an object already, or a part of one. */
	if (w->answers) {
		json_decref(w->c->json);
		w->c->json = NULL;
	} else if (w->job[0] != '\0') {
		out_json(w->c, "id", json_text(w->job));
		out_json(w->c, "state", json_text(w->state));
	}
	/* As the engine words it. */
	if (w->state[0] != '\0')
		(void)burin_error_step(e, w->state);
	return rc;
}
