/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets from where the user says: prompt, file, descriptor, environment,
 * askpass program, systemd credential. Never from the command line.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "prompt.h"

extern char **environ;

/* Reads to the end, takes one newline off. what names the source. */
static int
read_fd(
    int fd, const char *what, struct burin_secret **out, struct burin_error *e)
{
	struct burin_secret *s = NULL;
	size_t n = 0;
	ssize_t got;
	int rc = -1;

	if (burin_secret_new(&s, NULL, BURIN_SECRET_MAX, e) != 0)
		return -1;
	for (;;) {
		if (n == BURIN_SECRET_MAX) {
			(void)burin_fail(e, BURIN_EUSAGE, "secret-too-long",
			    "%s holds more than %d bytes", what,
			    BURIN_SECRET_MAX - 1);
			goto out;
		}
		got = read(fd, burin_secret_data(s) + n, BURIN_SECRET_MAX - n);
		if (got < 0 && errno == EINTR && !cli_stop)
			continue;
		if (got < 0) {
			(void)burin_fail(e, BURIN_EINTERNAL, "secret-read",
			    "cannot read %s: %s", what, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > 0 && burin_secret_data(s)[n - 1] == '\n')
		n--;
	if (n > 0 && burin_secret_data(s)[n - 1] == '\r')
		n--;
	if (n == 0) {
		(void)burin_fail(
		    e, BURIN_EUSAGE, "secret-empty", "%s is empty", what);
		goto out;
	}
	/* An exact copy: the length of a buffer must not outlive it. */
	rc = burin_secret_new(out, burin_secret_bytes(s), n, e);
out:
	burin_secret_free(&s);
	return rc;
}

static int
from_file(const char *path, struct burin_secret **out, struct burin_error *e)
{
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return burin_fail(e, BURIN_EUSAGE, "secret-open",
		    "cannot open %s: %s", path, strerror(errno));
	rc = read_fd(fd, path, out, e);
	(void)close(fd);
	return rc;
}

static int
from_env(const char *name, struct burin_secret **out, struct burin_error *e)
{
	const char *value = getenv(name);

	if (value == NULL || *value == '\0')
		return burin_fail(e, BURIN_EUSAGE, "secret-empty",
		    "the environment variable %s is not set", name);
	return burin_secret_new(out, value, strlen(value), e);
}

static int
fd_number(const char *text)
{
	char *end;
	long n;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || n > INT_MAX)
		return -1;
	return (int)n;
}

static int
from_fd(const char *number, struct burin_secret **out, struct burin_error *e)
{
	char what[40];
	int fd = fd_number(number);

	(void)snprintf(what, sizeof(what), "file descriptor %d", fd);
	return read_fd(fd, what, out, e);
}

static int
from_credential(
    const char *name, struct burin_secret **out, struct burin_error *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (dir == NULL || *dir == '\0') {
		(void)burin_fail(e, BURIN_EUSAGE, "secret-open",
		    "there is no CREDENTIALS_DIRECTORY for credential %s",
		    name);
		return burin_error_advice(e,
		    "run as a systemd service with LoadCredential=%s:…", name);
	}
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return burin_fail(e, BURIN_EUSAGE, "file-name",
		    "the name of the credential is too long");
	return from_file(path, out, e);
}

/* The helper gets the prompt as its only argument (as ssh-askpass does). */
static int
from_askpass(const char *what, struct burin_secret **out, struct burin_error *e)
{
	posix_spawn_file_actions_t actions;
	const char *program = getenv("BURIN_ASKPASS");
	char arg0[PATH_MAX], prompt[512];
	char *argv[] = { arg0, prompt, NULL };
	int fds[2], status, rc;
	pid_t pid;

	if (program == NULL || *program == '\0')
		program = getenv("SSH_ASKPASS");
	if (program == NULL || *program == '\0') {
		(void)burin_fail(e, BURIN_EUSAGE, "askpass-missing",
		    "askpass was asked for, but no program is named");
		return burin_error_advice(
		    e, "set BURIN_ASKPASS or SSH_ASKPASS to its path");
	}
	(void)snprintf(arg0, sizeof(arg0), "%s", program);
	(void)snprintf(prompt, sizeof(prompt), "%s: ", what);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return burin_fail(e, BURIN_EINTERNAL, "askpass-failed",
		    "cannot make a pipe: %s", strerror(errno));
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	rc = posix_spawn(&pid, arg0, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(fds[1]);
	if (rc != 0) {
		(void)close(fds[0]);
		return burin_fail(e, BURIN_EUSAGE, "askpass-failed",
		    "cannot run %s: %s", arg0, strerror(rc));
	}
	rc = read_fd(fds[0], arg0, out, e);
	(void)close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		burin_secret_free(out);
		burin_error_clear(e);
		return burin_fail(e, BURIN_EPIN, "askpass-cancelled",
		    "%s gave no secret", arg0);
	}
	return rc;
}

static int
is_source(const char *src, const char *kind, const char **rest)
{
	size_t n = strlen(kind);

	if (strncmp(src, kind, n) != 0 || src[n] == '\0')
		return 0;
	*rest = src + n;
	return 1;
}

int
source_check(const char *src, struct burin_error *e)
{
	const char *rest;

	if (strcmp(src, "prompt") == 0 || strcmp(src, "askpass") == 0 ||
	    is_source(src, "file:", &rest))
		return 0;
	if (is_source(src, "fd:", &rest) && fd_number(rest) != -1)
		return 0;
	if (is_source(src, "env:", &rest) && strchr(rest, '=') == NULL)
		return 0;
	if (is_source(src, "credential:", &rest) && strchr(rest, '/') == NULL &&
	    rest[0] != '.')
		return 0;
	/* Not repeated in the message: it may be the secret itself. */
	(void)burin_fail(e, BURIN_EUSAGE, "source-unknown",
	    "a secret comes from a source, and this is none");
	return burin_error_advice(e,
	    "prompt, file:PATH, fd:N, env:NAME, askpass or credential:NAME; "
	    "never the secret itself, never a command");
}

int
source_read(const char *src, const char *what, int confirm,
    struct burin_secret **out, struct burin_error *e)
{
	const char *rest;

	*out = NULL;
	if (source_check(src, e) != 0)
		return -1;
	if (is_source(src, "file:", &rest))
		return from_file(rest, out, e);
	if (is_source(src, "fd:", &rest))
		return from_fd(rest, out, e);
	if (is_source(src, "env:", &rest))
		return from_env(rest, out, e);
	if (is_source(src, "credential:", &rest))
		return from_credential(rest, out, e);
	if (strcmp(src, "askpass") == 0)
		return from_askpass(what, out, e);
	return prompt_secret(what, confirm, out, e);
}
