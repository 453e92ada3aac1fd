/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps as they happen.
 */

#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "worker.h"

#define BAR 20 /* characters */

/* How far a state is, 0 to BAR; final ones are the end. */
static int
filled(const char *state)
{
	int s;

	for (s = JOB_PLANNED; s < JOB_DONE; s++)
		if (strcmp(job_state_name((enum job_state)s), state) == 0)
			return s * BAR / JOB_DONE;
	return BAR;
}

static void
bar(struct cli *c, const struct engine_event *ev)
{
	static const char full[] = "####################";
	int n = filled(ev->state);

	(void)fprintf(
	    stderr, "\r\033[K[%.*s%*s] %s", n, full, BAR - n, "", ev->text);
	(void)fflush(stderr);
	c->on_bar = 1;
	if (n == BAR)
		progress_clear(c);
}

static void
json_line(const struct engine_event *ev)
{
	json_t *o =
	    json_pack("{s:o?, s:o?, s:o?, s:f, s:I}", "job", json_text(ev->job),
		"state", json_text(ev->state), "text", json_text(ev->text),
		"seconds", ev->seconds, "calls", (json_int_t)ev->calls);

	if (o == NULL)
		return;
	(void)json_dumpf(o, stderr, JSON_COMPACT | JSON_REAL_PRECISION(6));
	(void)fputc('\n', stderr);
	(void)fflush(stderr);
	json_decref(o);
}

void
progress_event(void *arg, const struct engine_event *ev)
{
	struct cli *c = arg;

	worker_job(c, ev->job, ev->state);
	if (c->progress_json) {
		json_line(ev);
		if (c->want_json)
			return;
	}
	if (c->quiet)
		return;
	out_text(c, "%-10s %-56s %6.2f s %4lu calls", ev->state, ev->text,
	    ev->seconds, ev->calls);
	if (!c->progress_json && isatty(STDERR_FILENO) &&
	    (c->want_json || !isatty(STDOUT_FILENO)))
		bar(c, ev);
}

void
progress_clear(struct cli *c)
{
	if (!c->on_bar)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	c->on_bar = 0;
}
