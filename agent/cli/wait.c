/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * --wait: looks for the token twice a second until it is there, the time is
 * over, or somebody has enough of it. Between calls: no deadline runs.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wait.h"
#include "work.h"
#include "worker.h"

#define DEFAULT_LIMIT 300 /* seconds */
#define MAX_LIMIT (365L * 24 * 3600)
#define LOOK_MS 500
#define MAX_BACK 5 /* times that one job may lose its token */

/* "pkcs11:serial=...", with what RFC 7512 has no room for as %xx. */
static char *
serial_uri(const char *serial)
{
	static const char begin[] = "pkcs11:serial=";
	size_t n = sizeof(begin) - 1, size = sizeof(begin) + 3 * strlen(serial);
	char *uri = malloc(size);

	if (uri == NULL)
		return NULL;
	memcpy(uri, begin, sizeof(begin));
	for (; *serial != '\0'; serial++)
		n += (size_t)snprintf(uri + n, size - n,
		    isalnum((unsigned char)*serial) ? "%c" : "%%%02x",
		    (unsigned char)*serial);
	return uri;
}

int
wait_options(struct cli *c, struct burin_error *e)
{
	const char *serial = arg_value(c->args, "wait");
	const char *limit = arg_value(c->args, "wait-limit");

	c->wait.limit = DEFAULT_LIMIT;
	if (limit != NULL &&
	    work_number("wait-limit", limit, 0, MAX_LIMIT, &c->wait.limit, e) !=
		0)
		return -1;
	if (serial == NULL)
		return 0;
	c->wait.asked = 1;
	if (serial[0] == '\0')
		return 0;
	c->wait.serial = serial;
	if ((c->wait.uri = serial_uri(serial)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

/* What may be put right by putting a token in, or starting pcscd again. */
static int
is_absence(const struct burin_error *e)
{
	static const char *const codes[] = { "token-missing", "token-removed",
		"slot-missing", "device-error", "token-not-recognized" };
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(e->code, codes[i]) == 0)
			return 1;
	return 0;
}

static void
event(struct cli *c, const char *what, const char *token, const char *job)
{
	json_t *o = json_pack("{s:s, s:o*, s:o*}", "event", what, "job",
	    json_text(job), "token", json_text(token));

	if (o == NULL)
		return;
	if (c->wait.limit > 0)
		(void)json_object_set_new(
		    o, "limit", json_integer(c->wait.limit));
	(void)json_dumpf(o, stderr, JSON_COMPACT);
	(void)fputc('\n', stderr);
	(void)fflush(stderr);
	json_decref(o);
}

/* "with serial 12345678", "'r7'", and what a URI says in its own words. */
static void
wanted(struct cli *c, const char *name, const struct job *job, char *buf,
    size_t size)
{
	if (job != NULL && job->token_serial != NULL &&
	    job->token_serial[0] != '\0')
		(void)snprintf(
		    buf, size, "the token with serial %s", job->token_serial);
	else if (c->wait.serial != NULL)
		(void)snprintf(
		    buf, size, "the token with serial %s", c->wait.serial);
	else if (name == NULL)
		(void)snprintf(buf, size, "a blank token");
	else
		(void)snprintf(buf, size, "the token %s", name);
}

static void
ask(struct cli *c, const char *name, const struct job *job)
{
	char token[256];

	wanted(c, name, job, token, sizeof(token));
	if (c->quiet)
		return;
	if (c->progress_json) {
		event(c, "wait", token, job != NULL ? job->id : NULL);
		return;
	}
	if (c->wait.limit > 0)
		out_note(c, "insert %s (waiting %ld seconds, Ctrl-C ends it)",
		    token, c->wait.limit);
	else
		out_note(c, "insert %s (waiting, Ctrl-C ends it)", token);
}

static void
found(struct cli *c, const struct burin_token *t)
{
	if (c->quiet)
		return;
	if (c->progress_json)
		event(c, "found", burin_token_name(t), NULL);
	else
		out_note(c, "found %s", burin_token_name(t));
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
pause_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static int
stopped(struct burin_error *e)
{
	burin_error_clear(e);
	return burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
	    "stopped while waiting for the token");
}

/* e is of the look before, and of the last one. */
static int
look_until(struct cli *c, const char *name, int want_blank,
    struct burin_token **t, struct burin_error *e)
{
	double end = seconds() + (double)c->wait.limit;
	char seen[sizeof(e->reason)];

	(void)snprintf(seen, sizeof(seen), "%s", e->reason);
	for (;;) {
		if (cli_stop)
			return stopped(e);
		if (c->wait.limit > 0 && seconds() >= end)
			break;
		pause_ms(LOOK_MS);
		if (cli_stop)
			return stopped(e);
		burin_p11_look_again(c->p11);
		burin_error_clear(e);
		if (burin_token_find(c->p11, name, want_blank, t, e) == 0)
			return 0;
		if (!is_absence(e))
			return -1;
		/* Another token than the one: worth a line. */
		if (strcmp(seen, e->reason) != 0 && !c->progress_json)
			out_note(c, "%s", e->reason);
		(void)snprintf(seen, sizeof(seen), "%s", e->reason);
	}
	c->wait.over = 1;
	e->status = BURIN_ETOKEN;
	(void)burin_error_cause(e, "waited %ld seconds", c->wait.limit);
	return -1;
}

/* With handlers of our own: outside, the first Ctrl-C ends the verb. */
static int
wait_for(struct cli *c, const char *name, int want_blank, const struct job *job,
    struct burin_token **t, struct burin_error *e)
{
	struct sigaction sigint, sigterm;
	int rc;

	ask(c, name, job);
	(void)sigaction(SIGINT, NULL, &sigint);
	(void)sigaction(SIGTERM, NULL, &sigterm);
	work_catch_signals();
	rc = look_until(c, name, want_blank, t, e);
	(void)sigaction(SIGINT, &sigint, NULL);
	(void)sigaction(SIGTERM, &sigterm, NULL);
	if (rc == 0 && cli_stop)
		rc = stopped(e);
	if (rc == 0)
		found(c, *t);
	return rc;
}

static int
other_token(const char *what, const struct cli *c, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_ETOKEN, "token-other",
	    "%s is not the one with serial %s", what, c->wait.serial);
	return burin_error_advice(e, "say --wait without a serial number");
}

int
wait_token(struct cli *c, const char *name, int want_blank,
    struct burin_token **t, struct burin_error *e)
{
	const char *by = c->wait.uri != NULL ? c->wait.uri : name;
	int rc = burin_token_find(c->p11, by, want_blank, t, e);

	if (rc != 0 && c->wait.asked && is_absence(e))
		rc = wait_for(c, by, want_blank, NULL, t, e);
	if (rc == 0 && c->wait.uri != NULL && name != NULL &&
	    !burin_token_matches(*t, name))
		rc = other_token("the token that is named", c, e);
	return rc;
}

int
wait_is_for(struct cli *c, const struct job *job, struct burin_error *e)
{
	if (c->wait.serial == NULL || job->token_serial == NULL ||
	    strcmp(c->wait.serial, job->token_serial) == 0)
		return 0;
	return other_token("the token of the job", c, e);
}

int
wait_would_help(struct cli *c, int times, const struct burin_error *e)
{
	if (!c->wait.asked || c->wait.over || times >= MAX_BACK)
		return 0;
	/* OpenSC, when another program has reset the card. */
	return is_absence(e) || strcmp(e->code, "login-needed") == 0;
}

int
wait_back(struct cli *c, const char *name, const struct job *job, int *times,
    struct burin_error *e)
{
	struct burin_token *t;
	int rc;

	if (job != NULL && job->token_uri != NULL)
		name = job->token_uri;
	(*times)++;
	out_note(c, "%s", e->reason);
	/* A card that was only reset needs a moment as well. */
	pause_ms(LOOK_MS);
	if (cli_stop)
		return stopped(e);
	burin_p11_look_again(c->p11);
	burin_error_clear(e);
	rc = burin_token_find(c->p11, name, 0, &t, e);
	if (rc != 0 && is_absence(e))
		rc = wait_for(c, name, 0, job, &t, e);
	if (rc == 0)
		worker_token(c, burin_token_name(t));
	return rc == 0 ? 0 : burin_error_step(e, "wait");
}
