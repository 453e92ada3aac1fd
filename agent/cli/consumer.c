/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The second pair of eyes: burin-consumer-check uses the key as any user of
 * OpenSSL would, in a process of its own, because libp11 finalizes the
 * module of the process it runs in.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "work.h"

#define SECONDS 30
#define MAX_ANSWER 4096 /* bytes of its JSON line */
#define CANNOT 77	/* its exit status: libp11 is not able to look */

extern char **environ;

/* Beside this program, else where it is installed. */
static void
find_program(char *path, size_t size)
{
	static const char name[] = "burin-consumer-check";
	const char *named = getenv("BURIN_CONSUMER_CHECK");
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
			    size - (size_t)(slash + 1 - path), "%s", name);
			if (access(path, X_OK) == 0)
				return;
		}
	}
	(void)snprintf(path, size, "%s/%s", BURIN_LIBEXECDIR, name);
}

/* The string that --module-init gave the module at path, or NULL. */
static const char *
init_of(const struct args *a, const char *path)
{
	const struct opt *o;
	const char *value;
	int ours = 0;
	size_t i;

	for (i = 0; (o = args_at(a, i, &value)) != NULL; i++) {
		if (strcmp(o->name, "module") == 0)
			ours = strcmp(value, path) == 0;
		else if (ours && strcmp(o->name, "module-init") == 0)
			return value;
	}
	return NULL;
}

static const char *
use_word(const struct burin_key *key)
{
	unsigned usage = burin_key_usage(key);

	if (usage & BURIN_USE_SIGN)
		return "sign";
	return usage & BURIN_USE_DECRYPT ? "decrypt" : "derive";
}

/* A pipe that holds the PIN; its reading end, or -1. A PIN fits a pipe. */
static int
pin_pipe(const struct burin_secret *pin)
{
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	n = write(fds[1], burin_secret_bytes(pin), burin_secret_len(pin));
	(void)close(fds[1]);
	if (n == (ssize_t)burin_secret_len(pin))
		return fds[0];
	(void)close(fds[0]);
	return -1;
}

static int
start(struct cli *c, struct burin_key *key, const char *uri, pid_t *pid,
    int *out_fd, struct burin_error *e)
{
	const char *module = burin_token_info(burin_key_token(key))->module;
	const char *init = init_of(c->args, module);
	char program[PATH_MAX];
	const char *argv[14];
	posix_spawn_file_actions_t actions;
	int fds[2], pin_fd = -1, rc;
	size_t n = 0;

	find_program(program, sizeof(program));
	argv[n++] = program;
	argv[n++] = "--module";
	/* A module of the registry is reached as its other users reach it. */
	argv[n++] = strchr(module, '/') != NULL ? module : "p11-kit-proxy.so";
	if (init != NULL) {
		argv[n++] = "--module-init";
		argv[n++] = init;
	}
	argv[n++] = "--uri";
	argv[n++] = uri;
	argv[n++] = "--use";
	argv[n++] = use_word(key);
	if (c->pin.pin != NULL && (pin_fd = pin_pipe(c->pin.pin)) == -1)
		return burin_fail(e, BURIN_EINTERNAL, "consumer-check-failed",
		    "cannot hand the PIN over: %s", strerror(errno));
	if (pin_fd != -1) {
		argv[n++] = "--pin-fd";
		argv[n++] = "3";
	}
	argv[n] = NULL;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		if (pin_fd != -1)
			(void)close(pin_fd);
		return burin_fail(e, BURIN_EINTERNAL, "consumer-check-failed",
		    "cannot make a pipe: %s", strerror(errno));
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	if (pin_fd != -1)
		(void)posix_spawn_file_actions_adddup2(&actions, pin_fd, 3);
	/* posix_spawn(3) does not change the words it is given. */
	rc = posix_spawn(pid, program, &actions, NULL,
	    (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(fds[1]);
	if (pin_fd != -1)
		(void)close(pin_fd);
	*out_fd = fds[0];
	if (rc == 0)
		return 0;
	(void)close(fds[0]);
	return burin_fail(e, BURIN_EINTERNAL, "consumer-check-missing",
	    "cannot run %s: %s", program, strerror(rc));
}

static long
left_ms(const struct timespec *deadline)
{
	struct timespec now;
	long ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (deadline->tv_sec - now.tv_sec) * 1000 +
	    (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? ms : 0;
}

/* Reads until the child closes its end: 0, or -1 when time is up. */
static int
listen_to(int fd, char *answer, size_t size)
{
	struct timespec deadline;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;
	long ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += SECONDS;
	for (;;) {
		answer[n] = '\0';
		if ((ms = left_ms(&deadline)) == 0)
			return -1;
		if (poll(&p, 1, (int)ms) <= 0)
			continue;
		if (n + 1 == size)
			return 0;
		got = read(fd, answer + n, size - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		n += (size_t)got;
	}
}

static void
judge(int status, const char *answer, struct consumer_result *out)
{
	json_t *o = json_loads(answer, JSON_DISABLE_EOF_CHECK, NULL);
	const char *text = json_string_value(json_object_get(o, "text"));

	out->level = BURIN_FAIL;
	if (WIFSIGNALED(status)) {
		(void)snprintf(out->text, sizeof(out->text),
		    "libp11 crashed (signal %d) while using the key",
		    WTERMSIG(status));
	} else {
		if (WEXITSTATUS(status) == 0)
			out->level = BURIN_PASS;
		else if (WEXITSTATUS(status) == CANNOT)
			out->level = BURIN_WARN;
		(void)snprintf(out->text, sizeof(out->text), "%s",
		    text != NULL ? text : "the consumer check gave no answer");
	}
	json_decref(o);
}

/* libp11 0.4.12 knows neither EdDSA nor X25519 keys. */
static int
libp11_is_blind(const struct burin_key *key, struct consumer_result *out)
{
	enum burin_key_type type = burin_key_get_type(key);

	if (type != BURIN_ED25519 && type != BURIN_ED448 &&
	    type != BURIN_X25519)
		return 0;
	out->level = BURIN_WARN;
	(void)snprintf(out->text, sizeof(out->text),
	    "libp11 0.4.12 cannot see %s keys, nor anything else on a token "
	    "that holds one: programs that use OpenSSL through it will not "
	    "find this identity",
	    burin_key_type_name(type));
	return 1;
}

/* Another token's PIN (--reenroll) would cost this one a try. */
static int
pin_of_another(const struct cli *c, const struct burin_key *key,
    struct consumer_result *out)
{
	if (c->pin.pin == NULL || c->pin.token == NULL ||
	    strcmp(c->pin.token, burin_token_name(burin_key_token(key))) == 0)
		return 0;
	out->level = BURIN_WARN;
	(void)snprintf(out->text, sizeof(out->text),
	    "not tried: the PIN at hand is the one of %s; burin verify tries "
	    "it",
	    c->pin.token);
	return 1;
}

int
consumer_run(struct cli *c, struct burin_key *key, struct consumer_result *out,
    struct burin_error *e)
{
	char answer[MAX_ANSWER], *uri = NULL;
	int fd, status, late;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	if (libp11_is_blind(key, out) || pin_of_another(c, key, out))
		return 0;
	if ((uri = burin_key_uri(key)) == NULL)
		return burin_fail_memory(e);
	if (start(c, key, uri, &pid, &fd, e) != 0) {
		free(uri);
		return burin_error_step(e, "consumer-check");
	}
	late = listen_to(fd, answer, sizeof(answer)) != 0;
	if (late)
		(void)kill(pid, SIGKILL);
	(void)close(fd);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	free(uri);
	if (late) {
		out->level = BURIN_FAIL;
		(void)snprintf(out->text, sizeof(out->text),
		    "libp11 did not answer within %d seconds", SECONDS);
		return 0;
	}
	judge(status, answer, out);
	return 0;
}

int
consumer_check(void *arg, const char *key_uri, struct burin_error *e)
{
	struct consumer_result result;
	struct burin_key *key = NULL;
	struct cli *c = arg;
	int rc = -1;

	if (burin_key_find(c->p11, key_uri, &key, e) != 0)
		goto out;
	if (consumer_run(c, key, &result, e) != 0)
		goto out;
	if (result.level == BURIN_FAIL) {
		(void)burin_fail(e, BURIN_EVERIFY, "consumer-check",
		    "another program cannot use the key: %s", result.text);
		(void)burin_error_step(e, "consumer-check");
		goto out;
	}
	if (result.level == BURIN_WARN)
		out_note(c, "warning: %s", result.text);
	rc = 0;
out:
	burin_key_free(&key);
	return rc;
}
