/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin resume: an enrolment goes on from where it stands.
 */

#include <string.h>

#include "verbs.h"
#include "wait.h"
#include "work.h"

static const struct opt opts[] = {
	{ "response-file", 0, OPT_VALUE, "FILE", "the authority's answer" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_wait, opts_dry_run,
	opts_common, NULL };

/* The name the user gave the token or key then, for its pin-source. */
static int
remember_uri(struct cli *c, const struct job *job, struct burin_error *e)
{
	struct plan plan;
	int rc = -1;

	memset(&plan, 0, sizeof(plan));
	if (job->plan == NULL)
		return 0;
	if (plan_parse(job->plan, &plan, e) == 0)
		rc =
		    cli_pin_uri(c, plan.key != NULL ? plan.key : plan.token, e);
	plan_clear(&plan);
	return rc;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct engine en;
	struct job job;
	int rc = -1;

	if (work_job(c, &job, e) != 0)
		goto out;
	out_json(c, "state", json_text(job_state_name(job.state)));
	if (c->dry_run) {
		out_text(c,
		    job_state_final(job.state)
			? "job %s has ended (%s): nothing to go on with"
			: "would go on with job %s from state %s",
		    job.id, job_state_name(job.state));
		rc = 0;
		goto out;
	}
	if (remember_uri(c, &job, e) != 0 || work_engine(c, &en, e) != 0)
		goto out;
	if (wait_is_for(c, &job, e) == 0)
		rc = work_run(c, &en, &job, e);
out:
	job_clear(&job);
	return rc;
}

const struct verb verb_resume = {
	.name = "resume",
	.usage = "JOB",
	.help = "go on with an enrolment to its end",
	.opts = groups,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};
