/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin abandon: gives an enrolment up and takes its traces off the token.
 */

#include <stdlib.h>
#include <string.h>

#include "verbs.h"
#include "work.h"

static const struct opt *const groups[] = { opts_dry_run, opts_common, NULL };

static int
run(struct cli *c, struct burin_error *e)
{
	char *removed = NULL;
	struct engine en;
	struct job job;
	int rc = -1;

	if (work_job(c, &job, e) != 0)
		goto out;
	if (work_engine(c, &en, e) != 0)
		goto out;
	rc = engine_abandon(&en, &job, c->dry_run, &removed, e);
	out_json(c, "state", json_text(job_state_name(job.state)));
	if (rc != 0) {
		(void)burin_error_step(e, "abandon");
		goto out;
	}
	out_json(
	    c, c->dry_run ? "would_remove" : "removed", json_text(removed));
	out_text(c, "%s: %s", c->dry_run ? "would remove" : "removed", removed);
	if (!c->dry_run)
		out_text(c, "job %s is abandoned", job.id);
out:
	free(removed);
	job_clear(&job);
	return rc;
}

const struct verb verb_abandon = {
	.name = "abandon",
	.usage = "JOB",
	.help = "give an enrolment up and remove what it made",
	.opts = groups,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};
