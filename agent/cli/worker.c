/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Forking the worker, and what the worker tells through the pipe. All of its
 * other doings are those of any program: it reads the terminal, writes
 * standard output, and its exit status is the program's.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "worker.h"

_Static_assert(sizeof(struct worker_record) <= 512,
    "POSIX promises that a pipe takes 512 bytes whole");

#define MAX_TIMEOUT 86400

/* --- the worker's side -----------------------------------------------------
 */

static void
tell(struct cli *c, struct worker_record *r, const char *word, const char *text)
{
	int saved = errno;

	if (c->worker == -1)
		return;
	if (word != NULL)
		(void)snprintf(r->word, sizeof(r->word), "%s", word);
	if (text != NULL)
		(void)snprintf(r->text, sizeof(r->text), "%s", text);
	/* Who cannot be told is gone, and takes this process along. */
	while (write(c->worker, r, sizeof(*r)) == -1 && errno == EINTR)
		continue;
	errno = saved;
}

void
worker_event(void *arg, const struct burin_p11_event *ev)
{
	struct worker_record r = { .kind =
				       ev->begins ? WORKER_CALL : WORKER_BACK };

	r.pad = ev->pad != 0;
	r.touch = ev->touch != 0;
	tell(arg, &r, ev->function, ev->module);
}

void
worker_token(struct cli *c, const char *name)
{
	struct worker_record r = { .kind = WORKER_TOKEN };

	tell(c, &r, NULL, name);
}

void
worker_job(struct cli *c, const char *id, const char *state)
{
	struct worker_record r = { .kind = WORKER_JOB };

	tell(c, &r, state, id);
}

void
worker_answers(struct cli *c)
{
	struct worker_record r = { .kind = WORKER_ANSWERS };

	tell(c, &r, NULL, NULL);
}

void
worker_ends(struct cli *c, int status)
{
	struct worker_record r = { .kind = WORKER_ENDS, .status = status };

	tell(c, &r, NULL, NULL);
}

/* --- forking ---------------------------------------------------------------
 */

/* BURIN_CALL_TIMEOUT, seconds for every call; 0: no deadlines. */
static int
read_timeout(int *seconds, struct burin_error *e)
{
	const char *text = getenv("BURIN_CALL_TIMEOUT");
	char *end;
	long n;

	*seconds = -1;
	if (text == NULL || *text == '\0')
		return 0;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || n < 0 || n > MAX_TIMEOUT)
		return burin_fail(e, BURIN_EUSAGE, "call-timeout",
		    "BURIN_CALL_TIMEOUT is a number of seconds from 0 to %d, "
		    "not \"%s\"",
		    MAX_TIMEOUT, text);
	*seconds = (int)n;
	return 0;
}

/*
 * What the program passes on or acts on. Those it was started to ignore are
 * still the worker's to decide about.
 */
static void
signals_of(sigset_t *set, unsigned *ignored)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP, SIGCONT, SIGCHLD };
	struct sigaction act;
	size_t i;

	*ignored = 0;
	(void)sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		(void)sigaddset(set, signals[i]);
		if (sigaction(signals[i], NULL, &act) == 0 &&
		    act.sa_handler == SIG_IGN)
			*ignored |= 1U << signals[i];
	}
}

/* In the worker: it does not outlive who looks after it. */
static void
become_worker(struct cli *c, pid_t parent, int fd, const sigset_t *mask)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		(void)raise(SIGKILL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	c->worker = fd;
}

static int
cannot(const char *what, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "no-worker",
	    "cannot %s for the worker: %s", what, strerror(errno));
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/* Before the fork: a prompt of the worker's must not come first. */
static void
remember_terminal(struct worker_watch *w)
{
	w->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (w->tty != -1 && tcgetattr(w->tty, &w->termios) != 0)
		close_fd(&w->tty);
}

static int
fork_worker(struct worker_watch *w, int *pipe_in, const sigset_t *set,
    struct burin_error *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return cannot("make a pipe", e);
	w->pipe = fds[0];
	*pipe_in = fds[1];
	if (fcntl(w->pipe, F_SETFL, O_NONBLOCK) != 0)
		return cannot("make a pipe", e);
	w->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals == -1)
		return cannot("listen to signals", e);
	remember_terminal(w);
	if ((w->pid = fork()) == -1)
		return cannot("fork", e);
	return 0;
}

int
worker_start(struct cli *c, int *status, struct burin_error *e)
{
	struct worker_watch w;
	pid_t parent = getpid();
	sigset_t set, before;
	int pipe_in = -1, rc;

	if (c->verb->alone)
		return 1;
	memset(&w, 0, sizeof(w));
	w.c = c;
	w.pipe = w.signals = w.tty = -1;
	if (read_timeout(&w.timeout, e) != 0)
		return -1;
	/* A child that nobody waits for cannot be asked how it ended. */
	(void)signal(SIGCHLD, SIG_DFL);
	signals_of(&set, &w.ignored);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	rc = fork_worker(&w, &pipe_in, &set, e);
	if (rc == 0 && w.pid == 0) {
		become_worker(c, parent, pipe_in, &before);
		rc = 1;
	} else {
		close_fd(&pipe_in);
	}
	if (rc == 0) {
		worker_look_on(&w);
		rc = worker_judge(&w, status, e);
	}
	close_fd(&w.pipe);
	close_fd(&w.signals);
	close_fd(&w.tty);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}
