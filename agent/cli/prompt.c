/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The prompt for a secret: termios(3) with echo off on /dev/tty. A signal
 * that would end or stop the program first gives the terminal back.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "prompt.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Handlers cannot be given an argument. */
static volatile sig_atomic_t caught;

static void
on_signal(int signo)
{
	caught = signo;
}

static void
say(int tty, const char *text)
{
	size_t n = strlen(text);
	ssize_t done;

	while (n > 0 && (done = write(tty, text, n)) > 0) {
		text += done;
		n -= (size_t)done;
	}
}

/* One line without its newline. -1 with errno, EINTR when caught. */
static int
read_line(int tty, struct burin_secret *s, size_t *len)
{
	unsigned char c;
	ssize_t got;

	*len = 0;
	for (;;) {
		if (caught != 0) {
			errno = EINTR;
			return -1;
		}
		got = read(tty, &c, 1);
		if (got < 0)
			return -1;
		if (got == 0 || c == '\n' || c == '\r')
			return 0;
		if (*len + 1 >= BURIN_SECRET_MAX) {
			errno = E2BIG;
			return -1;
		}
		burin_secret_data(s)[(*len)++] = c;
	}
}

/* With echo off and signals held: 0, or -1 with errno. */
static int
ask_quietly(int tty, const char *what, struct burin_secret *s, size_t *len)
{
	struct termios before, quiet;
	struct sigaction act, old[N_SIGNALS];
	size_t i;
	int rc, saved;

	memset(&act, 0, sizeof(act));
	act.sa_handler = on_signal; /* no SA_RESTART: read(2) must return */
	(void)sigemptyset(&act.sa_mask);
	caught = 0;
	for (i = 0; i < N_SIGNALS; i++)
		(void)sigaction(signals[i], &act, &old[i]);
	if (tcgetattr(tty, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		(void)tcsetattr(tty, TCSAFLUSH, &quiet);
		say(tty, what);
		say(tty, ": ");
		rc = read_line(tty, s, len);
		saved = errno;
		(void)tcsetattr(tty, TCSAFLUSH, &before);
		say(tty, "\n");
	} else {
		rc = -1;
		saved = errno;
	}
	for (i = 0; i < N_SIGNALS; i++)
		(void)sigaction(signals[i], &old[i], NULL);
	if (caught != 0)
		(void)raise(caught);
	errno = saved;
	return rc;
}

static int
ask_once(
    int tty, const char *what, struct burin_secret **out, struct burin_error *e)
{
	struct burin_secret *s = NULL;
	size_t len;
	int rc = -1;

	if (burin_secret_new(&s, NULL, BURIN_SECRET_MAX, e) != 0)
		return -1;
	do {
		rc = ask_quietly(tty, what, s, &len);
	} while (rc != 0 && caught == SIGTSTP);
	if (rc != 0 && caught != 0)
		(void)burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
		    "interrupted while asking for the %s", what);
	else if (rc != 0)
		(void)burin_fail(e, BURIN_EINTERNAL, "prompt-failed",
		    "cannot read from the terminal: %s", strerror(errno));
	else if (len == 0)
		rc = burin_fail(
		    e, BURIN_EPIN, "secret-empty", "no %s was typed", what);
	else
		rc = burin_secret_new(out, burin_secret_bytes(s), len, e);
	burin_secret_free(&s);
	return rc;
}

int
prompt_secret(const char *what, int confirm, struct burin_secret **out,
    struct burin_error *e)
{
	struct burin_secret *again = NULL;
	int tty, rc = -1;

	*out = NULL;
	if ((tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) == -1) {
		(void)burin_fail(e, BURIN_EPIN, "no-terminal",
		    "the %s is needed and there is no terminal to ask on",
		    what);
		return burin_error_advice(e,
		    "--pin-source (of a PIN), --so-pin-source or --secret say "
		    "where it comes from: file:PATH, fd:N, env:NAME, askpass, "
		    "credential:NAME");
	}
	if (ask_once(tty, what, out, e) != 0)
		goto out;
	if (confirm) {
		say(tty, "Once more. ");
		if (ask_once(tty, what, &again, e) != 0)
			goto out;
		if (!burin_secret_eq(*out, again)) {
			(void)burin_fail(e, BURIN_EPIN, "secret-differs",
			    "the two entries of the %s differ", what);
			goto out;
		}
	}
	rc = 0;
out:
	if (rc != 0)
		burin_secret_free(out);
	burin_secret_free(&again);
	(void)close(tty);
	return rc;
}
