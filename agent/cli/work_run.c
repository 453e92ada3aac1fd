/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving the engine: what it needs from the program, and telling how a
 * walk went.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_job.h"
#include "progress.h"
#include "wait.h"
#include "work.h"
#include "worker.h"

volatile sig_atomic_t cli_stop;

/*
 * One signal may come twice: to the group of both processes, and passed on
 * by the program that looks after this one. The second of either is another.
 */
static void
on_stop(int signo, siginfo_t *info, void *context)
{
	static volatile sig_atomic_t direct, passed_on;

	(void)context;
	if (info->si_code <= 0 && info->si_pid == getppid())
		passed_on++;
	else
		direct++;
	cli_stop = 1;
	if (direct > 1 || passed_on > 1) {
		(void)signal(signo, SIG_DFL);
		(void)raise(signo);
	}
}

/*
 * The first Ctrl-C ends the job after the step at hand, the second one ends
 * the program. No SA_RESTART: waiting ends at once.
 */
void
work_catch_signals(void)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_stop;
	act.sa_flags = SA_SIGINFO;
	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}

static int
secret(void *arg, const char *source, struct burin_secret **out,
    struct burin_error *e)
{
	progress_clear(arg);
	if (source_read(source != NULL ? source : "prompt", "enrolment secret",
		0, out, e) != 0)
		return burin_error_step(e, "secret");
	return 0;
}

static void
note(void *arg, const char *text)
{
	progress_clear(arg);
	out_note(arg, "%s", text);
}

int
work_engine(struct cli *c, struct engine *en, struct burin_error *e)
{
	memset(en, 0, sizeof(*en));
	if (cli_journal(c, e) != 0 || cli_p11(c, e) != 0)
		return -1;
	en->p11 = c->p11;
	en->journal = c->journal;
	en->secret = secret;
	en->progress = progress_event;
	en->note = note;
	en->consumer_check = consumer_check;
	en->arg = c;
	en->wait = c->wait.asked;
	en->response_file = arg_value(c->args, "response-file");
	en->stop = &cli_stop;
	return 0;
}

/* What of a job the walk did not touch: a failure names its token too. */
static void
json_rest(struct cli *c, const struct job *job)
{
	json_t *o;

	if (c->json == NULL ||
	    (json_object_get(c->json, "token") != NULL &&
		json_object_get(c->json, "key") != NULL) ||
	    (o = json_job(job)) == NULL)
		return;
	if (json_object_get(c->json, "token") == NULL)
		out_json(c, "token", json_incref(json_object_get(o, "token")));
	if (json_object_get(c->json, "key") == NULL)
		out_json(c, "key", json_incref(json_object_get(o, "key")));
	json_decref(o);
}

static void
say_how_it_went(struct cli *c, const struct job *job,
    const struct engine_report *r, int rc, struct burin_error *e)
{
	struct burin_p11_calls calls;
	char next[96];

	burin_p11_calls(c->p11, &calls);
	out_json(c, "id", json_text(job->id));
	out_json(c, "state", json_text(job_state_name(job->state)));
	if (c->json != NULL) {
		json_t *report = json_report(r);

		(void)json_object_update(c->json, report);
		json_decref(report);
		/* The module was started and the token found before. */
		out_json(c, "calls", json_integer((json_int_t)calls.total));
		json_rest(c, job);
	}
	progress_clear(c);
	if (rc == 0) {
		work_say_identity(c, r->key, r->cert);
		out_text(c, "done         job %s, %.2f s, %lu PKCS#11 calls",
		    job->id, r->seconds, calls.total);
		return;
	}
	if (job_state_final(job->state)) {
		out_note(
		    c, "job %s ended: %s", job->id, job_state_name(job->state));
		return;
	}
	if (e->status != BURIN_EPENDING)
		out_note(c, "on the token: %s", job_on_token(job));
	out_json(c, "on_token", json_text(job_on_token(job)));
	/* The engine tells it too, where it knows something better. */
	if (strstr(e->advice, job->id) == NULL)
		out_note(c, "job %s stands at %s: %s", job->id,
		    job_state_name(job->state),
		    job_next(job, next, sizeof(next)));
	(void)burin_error_advice(e, "%s", job_next(job, next, sizeof(next)));
}

/* The steps before the token went belong to the same run. */
static void
keep_steps(struct engine_report *all, const struct engine_report *r)
{
	size_t i;

	for (i = 0; i < r->n_steps; i++) {
		if (all->n_steps == ENGINE_MAX_STEPS)
			all->n_steps--;
		all->steps[all->n_steps++] = r->steps[i];
	}
	all->seconds += r->seconds;
	all->calls += r->calls;
}

/* r becomes the report of everything, with the key of the last walk. */
static void
put_steps(struct engine_report *r, struct engine_report *before)
{
	keep_steps(before, r);
	memcpy(r->steps, before->steps, sizeof(r->steps));
	r->n_steps = before->n_steps;
	r->seconds = before->seconds;
	r->calls = before->calls;
}

int
work_run(
    struct cli *c, struct engine *en, struct job *job, struct burin_error *e)
{
	struct engine_report r, before;
	int rc, back = 0;

	memset(&before, 0, sizeof(before));
	worker_job(c, job->id, job_state_name(job->state));
	work_catch_signals();
	while ((rc = engine_run(en, job, &r, e)) != 0 &&
	    !job_state_final(job->state) && wait_would_help(c, back, e)) {
		keep_steps(&before, &r);
		engine_report_clear(&r);
		if (wait_back(c, c->pin_uri, job, &back, e) != 0)
			break;
	}
	put_steps(&r, &before);
	say_how_it_went(c, job, &r, rc, e);
	engine_report_clear(&r);
	return rc;
}
