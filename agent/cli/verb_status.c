/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin status: the enrolments of the journal, and what can be done next.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_job.h"
#include "verbs.h"

static const struct opt opts[] = {
	{ "open", 0, OPT_FLAG, NULL, "only those that are not finished" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_common, NULL };

static const char *
age(time_t since, char *buf, size_t size)
{
	long s = (long)(time(NULL) - since);

	if (s < 0)
		s = 0;
	if (s < 120)
		(void)snprintf(buf, size, "%ld s", s);
	else if (s < 2 * 3600)
		(void)snprintf(buf, size, "%ld min", s / 60);
	else if (s < 2 * 86400)
		(void)snprintf(buf, size, "%ld h", s / 3600);
	else
		(void)snprintf(buf, size, "%ld days", s / 86400);
	return buf;
}

static const char *
token_of(const struct job *job)
{
	if (job->token_label != NULL && job->token_label[0] != '\0')
		return job->token_label;
	return job->token_serial != NULL ? job->token_serial : "-";
}

static void
line(struct cli *c, const struct job *job)
{
	char old[32], next[96];

	out_text(c, "%-13s %-10s %-8s %-20s %s", job->id,
	    job_state_name(job->state), age(job->updated, old, sizeof(old)),
	    token_of(job), job_next(job, next, sizeof(next)));
}

static void
in_full(struct cli *c, const struct job *job)
{
	char old[32], next[96];

	out_text(c, "job          %s (%s)", job->id,
	    job->verb != NULL ? job->verb : "?");
	out_text(c, "state        %s, since %s", job_state_name(job->state),
	    age(job->updated, old, sizeof(old)));
	out_text(c, "token        %s, serial %s", token_of(job),
	    job->token_serial != NULL ? job->token_serial : "-");
	if (job->key_uri != NULL)
		out_text(c, "key          %s%s", job->key_uri,
		    job->key_made_by_us ? " (made by this job)" : "");
	if (job->server != NULL)
		out_text(c, "authority    %s", job->server);
	if (job->error.status != BURIN_OK)
		out_text(c, "last error   %s%s%s", job->error.step,
		    job->error.step[0] != '\0' ? ": " : "", job->error.reason);
	out_text(c, "so far       %.2f s, %lu PKCS#11 calls", job->seconds,
	    job->calls);
	out_text(c, "next         %s", job_next(job, next, sizeof(next)));
}

static void
clear_jobs(struct job *jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		job_clear(&jobs[i]);
	free(jobs);
}

static int
run(struct cli *c, struct burin_error *e)
{
	const char *const *words;
	struct job *jobs = NULL;
	json_t *list;
	size_t i, n = 0;
	int one = arg_words(c->args, &words) == 1;

	if (cli_journal(c, e) != 0)
		return -1;
	if (one) {
		if ((jobs = calloc(1, sizeof(*jobs))) == NULL)
			return burin_fail_memory(e);
		n = 1;
		if (journal_load(c->journal, words[0], jobs, e) != 0) {
			clear_jobs(jobs, n);
			return burin_error_step(e, "journal");
		}
	} else if (journal_list(c->journal, arg_flag(c->args, "open"), &jobs,
		       &n, e) != 0) {
		return burin_error_step(e, "journal");
	}
	if (!one && n > 0)
		out_text(c, "%-13s %-10s %-8s %-20s %s", "JOB", "STATE", "AGE",
		    "TOKEN", "NEXT");
	if (!one && n == 0)
		out_text(c, "no enrolments");
	list = json_array();
	for (i = 0; i < n; i++) {
		if (one)
			in_full(c, &jobs[i]);
		else
			line(c, &jobs[i]);
		if (c->json != NULL)
			(void)json_array_append_new(list, json_job(&jobs[i]));
	}
	out_json(c, "jobs", list);
	clear_jobs(jobs, n);
	return 0;
}

const struct verb verb_status = {
	.name = "status",
	.usage = "[JOB]",
	.help = "enrolments: how far they are and what comes next",
	.opts = groups,
	.max_words = 1,
	.alone = 1,
	.run = run,
};
