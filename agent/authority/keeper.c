/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The keeper's life: it serves the front until the front ends, tells it to
 * end when it is told so itself, and says what became of it.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"

/* For what is under way when it is to stop; the front takes less. */
#define GRACE_MS 15000
#define GONE_MS 5000 /* from the closed door to the front's end */

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- signals ---------------------------------------------------------------
 */

/* The front first: what it has begun still needs the token. */
static void
ask_front(struct keeper *k)
{
	if (k->asked)
		return;
	k->asked = 1;
	k->kill_at = now_ms() + GRACE_MS;
	(void)kill(k->front, SIGTERM);
}

static void
read_signals(struct keeper *k)
{
	struct signalfd_siginfo s;

	while (read(k->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		if (s.ssi_signo != SIGCHLD)
			ask_front(k);
}

static int
check_time(struct keeper *k, int64_t *left, struct burin_error *e)
{
	*left = -1;
	if (!k->asked)
		return 0;
	*left = k->kill_at - now_ms();
	if (*left > 0)
		return 0;
	return burin_fail(e, BURIN_EINTERNAL, "front-hung",
	    "the process that answers requests did not stop within %d s and "
	    "was ended",
	    GRACE_MS / 1000);
}

static int
wait_at_door(void *arg, int fd, short events, struct burin_error *e)
{
	struct keeper *k = arg;
	struct pollfd p[2] = { { .fd = fd, .events = events },
		{ .fd = k->signals, .events = POLLIN } };
	int64_t left;

	if (check_time(k, &left, e) != 0)
		return -1;
	if (poll(p, 2, (int)left) == -1 && errno != EINTR)
		return burin_fail(e, BURIN_EINTERNAL, "door-closed",
		    "cannot wait at the door: %s", strerror(errno));
	if (p[1].revents != 0)
		read_signals(k);
	return 0;
}

/* --- orders ------------------------------------------------------------------
 */

/* 0: the front has closed the door. */
static int
serve(struct keeper *k, void (*ready)(void *arg), void *arg,
    struct burin_error *e)
{
	unsigned char *body;
	struct door_head h;
	int64_t left;
	int rc, was_ready = 0;

	for (;;) {
		/* A front that never rests keeps no signal away. */
		read_signals(k);
		if (check_time(k, &left, e) != 0)
			return -1;
		memset(&h, 0, sizeof(h));
		if ((rc = door_receive(&k->line, &h, &body, e)) != 0)
			return rc == 1 ? 0 : -1;
		rc = keeper_order(k, &h, body, e);
		OPENSSL_clear_free(body, h.len);
		if (rc != 0)
			return -1;
		if (k->ready && !was_ready && ready != NULL)
			ready(arg);
		was_ready = k->ready;
	}
}

/* --- the end ------------------------------------------------------------- */

/* How the front ended; -1: it has not. */
static int
reap(struct keeper *k)
{
	int status;

	while (waitpid(k->front, &status, WNOHANG) == k->front)
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return status;
	return -1;
}

static int
wait_for_front(struct keeper *k)
{
	struct pollfd p = { .fd = k->signals, .events = POLLIN };
	int64_t end = now_ms() + GONE_MS, left;
	int how, status;

	while ((how = reap(k)) == -1 && (left = end - now_ms()) > 0) {
		(void)poll(&p, 1, (int)left);
		read_signals(k);
	}
	if (how != -1)
		return how;
	(void)kill(k->front, SIGKILL);
	while (waitpid(k->front, &status, 0) == -1 && errno == EINTR)
		continue;
	return status;
}

static int
judge(struct keeper *k, int how, struct burin_error *e)
{
	if (k->ended && k->last.status == BURIN_OK)
		return 0;
	if (k->ended) {
		*e = k->last;
		return -1;
	}
	/* Told to stop before it was ready. */
	if (k->asked && WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM)
		return 0;
	if (WIFSIGNALED(how))
		(void)burin_fail(e, BURIN_EINTERRUPTED, "front-died",
		    "the process that answers requests died of signal %d (%s)",
		    WTERMSIG(how), strsignal(WTERMSIG(how)));
	else
		(void)burin_fail(e, BURIN_EINTERRUPTED, "front-died",
		    "the process that answers requests ended (exit %d)",
		    WEXITSTATUS(how));
	return burin_error_advice(
	    e, "start the authority again; what it issued is in its store");
}

int
authority_keep(
    struct authority *a, const struct authority_front *f, struct burin_error *e)
{
	struct keeper k = { .a = a,
		.p11 = f->p11,
		.line = { f->fd, wait_at_door, &k },
		.front = f->pid };
	sigset_t set, before;
	int rc = -1, how;

	/* The front is the one writer. */
	store_close(&a->store);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	k.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k.signals == -1)
		(void)burin_fail(e, BURIN_EINTERNAL, "no-signals",
		    "cannot listen to signals: %s", strerror(errno));
	else if (keeper_hello(&k, e) == 0)
		rc = serve(&k, f->ready, f->arg, e);
	if (rc != 0)
		(void)kill(k.front, SIGKILL);
	(void)close(f->fd);
	how = wait_for_front(&k);
	if (rc == 0)
		rc = judge(&k, how, e);
	if (k.signals != -1)
		(void)close(k.signals);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? 0 : burin_error_step(e, "authority-serve");
}
