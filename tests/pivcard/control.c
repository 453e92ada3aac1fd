/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands to the card's process.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define WAIT_MS 15000
#define MAX_WORDS 4

int
control_open(struct control *ctl, const char *path, const char *log_path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t i;

	memset(ctl, 0, sizeof(*ctl));
	ctl->log_path = log_path;
	for (i = 0; i < N_CLIENTS; i++)
		ctl->clients[i].fd = -1;
	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return 0;
	}
	memcpy(at.sun_path, path, strlen(path));
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ctl->fd == -1)
		return 0;
	(void)unlink(path); /* of a process that was killed */
	return bind(ctl->fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(ctl->fd, N_CLIENTS) == 0;
}

static void
drop_client(struct client *cl)
{
	(void)close(cl->fd);
	cl->fd = -1;
}

void
control_close(struct control *ctl)
{
	size_t i;

	for (i = 0; i < N_CLIENTS; i++)
		if (ctl->clients[i].fd != -1)
			drop_client(&ctl->clients[i]);
	(void)close(ctl->fd);
}

static void __attribute__((format(printf, 2, 3)))
reply(struct client *cl, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(line) ||
	    send(cl->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		drop_client(cl);
}

static int
number(const char *text, int base, unsigned long max, unsigned long *n)
{
	char *end;

	if (text == NULL || *text == '\0' || *text == '-')
		return 0;
	errno = 0;
	*n = strtoul(text, &end, base);
	return *end == '\0' && errno == 0 && *n <= max;
}

/* fail SW [N], fail-ins INS SW [N], fail off. */
static int
set_fault(struct reader *r, char **w, int with_ins)
{
	unsigned long ins = 0, sw, n = 1;

	if (!with_ins && w[0] != NULL && strcmp(w[0], "off") == 0) {
		r->fault.left = 0;
		return 1;
	}
	if (with_ins && !number(*w++, 16, 0xff, &ins))
		return 0;
	if (!number(w[0], 16, 0xffff, &sw) ||
	    (w[1] != NULL && !number(w[1], 10, 1000000, &n)))
		return 0;
	r->fault.ins = with_ins ? (int)ins : -1;
	r->fault.sw = (unsigned)sw;
	r->fault.left = n;
	return 1;
}

/* drop N before|after, drop-ins INS before|after, drop off. */
static int
set_drop(struct reader *r, char **w, int with_ins)
{
	unsigned long ins = 0, n = 1;

	if (!with_ins && w[0] != NULL && strcmp(w[0], "off") == 0) {
		r->drop_in = 0;
		return 1;
	}
	if (with_ins ? !number(w[0], 16, 0xff, &ins)
		     : !number(w[0], 10, 1000000, &n))
		return 0;
	if (n == 0 || w[1] == NULL ||
	    (strcmp(w[1], "before") != 0 && strcmp(w[1], "after") != 0))
		return 0;
	r->drop_after = strcmp(w[1], "after") == 0;
	r->drop_ins = with_ins ? (int)ins : -1;
	r->drop_in = n;
	return 1;
}

static int
set_log(struct control *ctl, struct reader *r, const char *word)
{
	if (word == NULL)
		return 0;
	if (strcmp(word, "on") == 0) {
		if (r->log == NULL)
			r->log = fopen(ctl->log_path, "ae");
		return r->log != NULL;
	}
	if (strcmp(word, "off") != 0)
		return 0;
	if (r->log != NULL)
		(void)fclose(r->log);
	r->log = NULL;
	return 1;
}

static void
wait_for_power(struct client *cl)
{
	cl->waits = 1;
	cl->waits_to = now_ms() + WAIT_MS;
}

/* A command that has something to say; 0 when it is none of these. */
static int
ask(struct client *cl, struct reader *r, const char *word)
{
	static const char *const names[] = { "absent", "waiting", "connected",
		"powered" };

	if (strcmp(word, "apdus") == 0) {
		reply(cl, "ok %lu\n", r->count - r->count_base);
	} else if (strcmp(word, "state") == 0) {
		reply(cl, "ok %s\n", names[r->presence]);
	} else if (strcmp(word, "insert") == 0) {
		reader_insert(r);
		wait_for_power(cl);
	} else if (strcmp(word, "wait") == 0) {
		wait_for_power(cl);
	} else {
		return 0;
	}
	return 1;
}

/* A command that says ok or not: -1 when there is none of this name. */
static int
tell(struct control *ctl, struct reader *r, const char *word, char **args)
{
	if (strcmp(word, "remove") == 0) {
		reader_remove(r);
		return 1;
	}
	if (strcmp(word, "reset-count") == 0) {
		r->count_base = r->count;
		return 1;
	}
	if (strcmp(word, "quit") == 0) {
		ctl->quit = 1;
		return 1;
	}
	if (strcmp(word, "delay") == 0)
		return number(args[0], 10, 600000, &r->delay);
	if (strcmp(word, "touch") == 0)
		return number(args[0], 10, 600000, &r->touch);
	if (strcmp(word, "fail") == 0)
		return set_fault(r, args, 0);
	if (strcmp(word, "fail-ins") == 0)
		return set_fault(r, args, 1);
	if (strcmp(word, "drop") == 0)
		return set_drop(r, args, 0);
	if (strcmp(word, "drop-ins") == 0)
		return set_drop(r, args, 1);
	if (strcmp(word, "log") == 0)
		return set_log(ctl, r, args[0]);
	return -1;
}

static void
obey(struct control *ctl, struct client *cl, struct reader *r, char *line)
{
	char *words[MAX_WORDS + 2] = { NULL }, *save = NULL, *word;
	size_t n = 0;
	int done;

	for (word = strtok_r(line, " \t\r", &save);
	     word != NULL && n <= MAX_WORDS;
	     word = strtok_r(NULL, " \t\r", &save))
		words[n++] = word;
	if (n == 0 || n > MAX_WORDS) {
		reply(cl, "error no command\n");
		return;
	}
	if (n == 1 && ask(cl, r, words[0]))
		return;
	done = tell(ctl, r, words[0], words + 1);
	if (done == -1)
		reply(cl, "error unknown command\n");
	else if (done == 0)
		reply(cl, "error wrong arguments for %s\n", words[0]);
	else
		reply(cl, "ok\n");
}

/* The commands that have arrived whole. */
static void
lines(struct control *ctl, struct client *cl, struct reader *r)
{
	char *end;
	size_t n;

	while (cl->fd != -1 && !cl->waits &&
	    (end = memchr(cl->line, '\n', cl->len)) != NULL) {
		char line[LINE_MAX_LEN];

		n = (size_t)(end - cl->line);
		memcpy(line, cl->line, n);
		line[n] = '\0';
		cl->len -= n + 1;
		memmove(cl->line, end + 1, cl->len);
		obey(ctl, cl, r, line);
	}
}

static void
read_client(struct client *cl)
{
	ssize_t n;

	n = read(cl->fd, cl->line + cl->len, sizeof(cl->line) - cl->len);
	if (n <= 0) /* gone, or a line that is too long */
		drop_client(cl);
	else
		cl->len += (size_t)n;
}

static void
accept_client(struct control *ctl)
{
	int fd = accept4(ctl->fd, NULL, NULL, SOCK_CLOEXEC);
	size_t i;

	if (fd == -1)
		return;
	for (i = 0; i < N_CLIENTS; i++) {
		if (ctl->clients[i].fd != -1)
			continue;
		memset(&ctl->clients[i], 0, sizeof(ctl->clients[i]));
		ctl->clients[i].fd = fd;
		return;
	}
	(void)close(fd);
}

void
control_poll(const struct control *ctl, struct pollfd *fds)
{
	size_t i;

	fds[0] = (struct pollfd) { .fd = ctl->fd, .events = POLLIN };
	for (i = 0; i < N_CLIENTS; i++)
		fds[i + 1] = (struct pollfd) { .fd = ctl->clients[i].fd,
			.events = POLLIN };
}

int
control_timeout(const struct control *ctl)
{
	int64_t left, least = -1;
	size_t i;

	for (i = 0; i < N_CLIENTS; i++) {
		const struct client *cl = &ctl->clients[i];

		if (cl->fd == -1 || !cl->waits)
			continue;
		left = cl->waits_to - now_ms();
		if (left < 0)
			left = 0;
		if (least == -1 || left < least)
			least = left;
	}
	return (int)least;
}

static void
end_wait(struct client *cl, const struct reader *r)
{
	if (r->presence == POWERED)
		reply(cl, "ok\n");
	else if (now_ms() >= cl->waits_to)
		reply(cl, "error no reader gave the card power\n");
	else
		return;
	cl->waits = 0;
}

void
control_work(struct control *ctl, struct reader *r, const struct pollfd *fds)
{
	size_t i;

	for (i = 0; i < N_CLIENTS; i++) {
		struct client *cl = &ctl->clients[i];

		if (cl->fd == -1)
			continue;
		if (fds[i + 1].fd == cl->fd && fds[i + 1].revents != 0)
			read_client(cl);
		if (cl->fd != -1 && cl->waits)
			end_wait(cl, r);
		lines(ctl, cl, r);
	}
	if (fds[0].revents != 0)
		accept_client(ctl);
}
