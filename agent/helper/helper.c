/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a program beside burin: its input through a socket, which unlike a
 * pipe tells of a reader that is gone without a signal, its answer through a
 * pipe, both with one deadline.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"

#define SECRET_FD 3

extern char **environ;

struct child {
	pid_t pid;
	int in, out; /* our ends; in: -1 when all was said */
	const unsigned char *input;
	size_t left; /* of the input */
	struct timespec deadline;
};

/* Beside this program, else where it is installed. */
static void
find_program(const struct helper *h, char *path, size_t size)
{
	const char *named = h->env != NULL ? getenv(h->env) : NULL;
	char *slash;
	ssize_t n;

	if (named != NULL && *named != '\0') {
		(void)snprintf(path, size, "%s", named);
		return;
	}
	n = readlink("/proc/self/exe", path, size - 1);
	if (n > 0) {
		path[n] = '\0';
		if ((slash = strrchr(path, '/')) != NULL) {
			(void)snprintf(slash + 1,
			    size - (size_t)(slash + 1 - path), "%s", h->name);
			if (access(path, X_OK) == 0)
				return;
		}
	}
	(void)snprintf(path, size, "%s/%s", BURIN_LIBEXECDIR, h->name);
}

/* A pipe that holds the secret; its reading end, or -1. It fits a pipe. */
static int
secret_pipe(const struct burin_secret *secret)
{
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	n = write(fds[1], burin_secret_bytes(secret), burin_secret_len(secret));
	(void)close(fds[1]);
	if (n == (ssize_t)burin_secret_len(secret))
		return fds[0];
	(void)close(fds[0]);
	return -1;
}

static void
shut(int fd)
{
	if (fd != -1)
		(void)close(fd);
}

static int
spawn(const char *program, const struct helper *h, const int fds[3], pid_t *pid)
{
	static char *const nothing[] = { NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	if (fds[0] != -1)
		(void)posix_spawn_file_actions_adddup2(
		    &actions, fds[0], STDIN_FILENO);
	else
		(void)posix_spawn_file_actions_addopen(
		    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	if (fds[2] != -1)
		(void)posix_spawn_file_actions_adddup2(
		    &actions, fds[2], SECRET_FD);
	/* posix_spawn(3) does not change the words it is given. */
	rc = posix_spawn(pid, program, &actions, NULL,
	    (char *const *)(uintptr_t)h->argv, h->bare ? nothing : environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int
start(const struct helper *h, struct child *c, struct burin_error *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, theirs[3];
	char program[PATH_MAX];
	int rc, secret = -1;

	find_program(h, program, sizeof(program));
	h->argv[0] = program;
	if ((h->input != NULL &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) ||
	    pipe2(out, O_CLOEXEC) != 0 ||
	    (h->secret != NULL && (secret = secret_pipe(h->secret)) == -1)) {
		rc = burin_fail(e, BURIN_EINTERNAL, "helper-failed",
		    "cannot make what connects to %s: %s", h->name,
		    strerror(errno));
		shut(in[0]);
		shut(out[0]);
	} else {
		theirs[0] = in[1];
		theirs[1] = out[1];
		theirs[2] = secret;
		rc = spawn(program, h, theirs, &c->pid);
		c->in = in[0];
		c->out = out[0];
		if (rc != 0) {
			rc = burin_fail(e, BURIN_EINTERNAL, "helper-missing",
			    "cannot run %s: %s", program, strerror(rc));
			shut(c->in);
			shut(c->out);
		}
	}
	shut(in[1]);
	shut(out[1]);
	shut(secret);
	h->argv[0] = h->name;
	return rc;
}

static int
left_ms(const struct child *c)
{
	struct timespec now;
	long ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (c->deadline.tv_sec - now.tv_sec) * 1000 +
	    (c->deadline.tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

/* As much as it takes. One that has gone away says why by its end. */
static void
tell(struct child *c)
{
	ssize_t n = send(c->in, c->input, c->left, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->input += n;
		c->left -= (size_t)n;
		if (c->left > 0)
			return;
	}
	(void)close(c->in);
	c->in = -1;
}

/* 1: there may be more, 0: that was all. */
static int
hear(const struct child *c, struct helper_answer *a, size_t max)
{
	ssize_t n = read(c->out, a->bytes + a->len, max + 1 - a->len);

	if (n < 0)
		return errno == EINTR;
	a->len += (size_t)n;
	return n > 0;
}

/* Both ways at once, until it closes its end. */
static enum helper_end
converse(struct child *c, struct helper_answer *a, size_t max)
{
	struct pollfd p[2];
	int ms;

	for (;;) {
		if ((ms = left_ms(c)) == 0)
			return HELPER_LATE;
		p[0] = (struct pollfd) { .fd = c->out, .events = POLLIN };
		p[1] = (struct pollfd) { .fd = c->in, .events = POLLOUT };
		if (poll(p, 2, ms) <= 0)
			continue;
		if (p[1].revents != 0)
			tell(c);
		if (p[0].revents != 0 && !hear(c, a, max))
			return HELPER_EXITED;
		if (a->len > max)
			return HELPER_TALKS;
	}
}

/* One may close its end and stay. */
static enum helper_end
await(const struct child *c)
{
	struct pollfd p = { .fd = pidfd_open(c->pid, 0), .events = POLLIN };
	int ms = 0;

	if (p.fd == -1)
		return HELPER_EXITED; /* an old kernel: waited for below */
	while ((ms = left_ms(c)) > 0 && poll(&p, 1, ms) <= 0)
		continue;
	(void)close(p.fd);
	return ms > 0 ? HELPER_EXITED : HELPER_LATE;
}

void
helper_answer_clear(struct helper_answer *a)
{
	free(a->bytes);
	memset(a, 0, sizeof(*a));
}

int
helper_run(
    const struct helper *h, struct helper_answer *a, struct burin_error *e)
{
	struct child c = { .input = h->input, .left = h->input_len };
	int status = 0;

	memset(a, 0, sizeof(*a));
	if ((a->bytes = malloc(h->max_answer + 1)) == NULL)
		return burin_fail_memory(e);
	if (start(h, &c, e) != 0) {
		helper_answer_clear(a);
		return -1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &c.deadline);
	c.deadline.tv_sec += h->seconds;
	a->end = converse(&c, a, h->max_answer);
	if (a->end == HELPER_EXITED)
		a->end = await(&c);
	if (a->end != HELPER_EXITED)
		(void)kill(c.pid, SIGKILL);
	shut(c.in);
	shut(c.out);
	while (waitpid(c.pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (a->end == HELPER_EXITED && WIFSIGNALED(status))
		a->end = HELPER_CRASHED;
	a->value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (a->len > h->max_answer)
		a->len = h->max_answer;
	a->bytes[a->len] = '\0';
	return 0;
}
