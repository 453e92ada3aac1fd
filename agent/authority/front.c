/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The front's life: a process without token, PIN, module or privilege to
 * gain, forked before there is any of that, with the door as its only way to
 * the keys.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca.h"
#include "door.h"

#define FIRST_FD 3	/* after the standard streams: SD_LISTEN_FDS_START */
#define MAX_LISTEN 1024 /* descriptors that a service manager hands over */

static int
cannot(const char *what, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "no-front",
	    "cannot %s for the process that answers requests: %s", what,
	    strerror(errno));
}

/*
 * How many sockets a service manager has opened for this program
 * (sd_listen_fds(3)): they are the front's.
 */
static int
listen_fds(pid_t program)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long n;

	if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != program)
		return 0;
	n = strtol(fds, NULL, 10);
	return n > 0 && n <= MAX_LISTEN ? (int)n : 0;
}

/* In the keeper: modules and the programs they start do not get them. */
static void
drop_listen_fds(int n)
{
	if (n > 0)
		(void)close_range(FIRST_FD, (unsigned)(FIRST_FD + n - 1), 0);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

/* The door right behind the sockets, and nothing after it. */
static int
keep_fds(int *fd, int n)
{
	int to = FIRST_FD + n;

	if (*fd != to && dup3(*fd, to, O_CLOEXEC) == -1)
		return -1;
	*fd = to;
	return close_range((unsigned)to + 1, ~0U, 0);
}

static int
become_front(pid_t keeper, int *fd, int n, struct burin_error *e)
{
	static const struct rlimit none = { 0, 0 };
	char pid[24];

	/* Not at once: what is under way may still be answered. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != keeper)
		return cannot("stay with the keeper", e);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return cannot("give privileges up", e);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (n > 0 && setenv("LISTEN_PID", pid, 1) != 0)
		return cannot("set the environment", e);
	if (keep_fds(fd, n) != 0)
		return cannot("close descriptors", e);
	return 0;
}

int
authority_fork(pid_t program, struct authority_front *f, struct burin_error *e)
{
	pid_t keeper = getpid();
	int fds[2], n = listen_fds(program);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return cannot("make a door", e);
	(void)fflush(NULL);
	if ((f->pid = fork()) == -1) {
		(void)cannot("fork", e);
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	if (f->pid == 0) {
		f->fd = fds[1];
		if (become_front(keeper, &f->fd, n, e) == 0)
			return 0;
		/* The keeper sees the door closed, and says that it is. */
		_exit(BURIN_EINTERNAL);
	}
	(void)close(fds[1]);
	f->fd = fds[0];
	drop_listen_fds(n);
	return 0;
}

void
authority_front_stop(struct authority_front *f)
{
	(void)close(f->fd);
	(void)kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

/* --- its life ----------------------------------------------------------------
 */

/* Who is told that it answers: the keeper, then the user. */
struct telling {
	struct door *d;
	const struct authority_serving *in;
};

static void
tell(void *arg, const struct authority_ready *r)
{
	struct telling *t = arg;

	/* A door that is shut is noticed with the first signature. */
	(void)door_ready(t->d, NULL);
	t->in->ready(t->in->arg, r);
}

int
authority_front(const char *dir, int fd, const struct authority_serving *in)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct telling t = { .in = in };
	struct authority_serving mine = *in;
	struct authority *a = NULL;
	int rc = -1;

	mine.ready = tell;
	mine.arg = &t;
	/* Without one the keeper has ended, and has said why. */
	if (door_new(fd, &t.d, &e) != 0)
		return -1;
	if (authority_open_front(dir, t.d, &a, &e) == 0)
		rc = authority_serve(a, &mine, &e);
	authority_close(&a);
	door_end(t.d, &e);
	door_free(&t.d);
	return rc;
}
