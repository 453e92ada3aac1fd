/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The walk over the states of a job. The table says which function takes a
 * job from where it stands; each new state is committed before the next
 * action begins (docs/enrolment.md).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "steps.h"

static const struct {
	enum job_state state;
	const char *action;
	step_fn *step;
} table[] = {
	{ JOB_PLANNED, "make or find the key", step_key },
	{ JOB_KEY_MADE, "make the request", step_request },
	{ JOB_REQUESTED, "make ready to send", step_ready },
	{ JOB_SENT, "send the request", step_send },
	{ JOB_PENDING, "ask again", step_poll },
	{ JOB_RECEIVED, "check the answer", step_check },
	{ JOB_CHECKED, "write the certificate", step_write },
	{ JOB_WRITTEN, "record that it was read back", step_confirm },
	{ JOB_CONFIRMED, "finish", step_finish },
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

/* What a step costs: taken before and after. */
struct meter {
	struct timespec at;
	unsigned long calls;
};

static void
meter_read(const struct engine *en, struct meter *m)
{
	struct burin_p11_calls calls;

	burin_p11_calls(en->p11, &calls);
	m->calls = calls.total;
	(void)clock_gettime(CLOCK_MONOTONIC, &m->at);
}

static double
seconds_between(const struct meter *a, const struct meter *b)
{
	return (double)(b->at.tv_sec - a->at.tv_sec) +
	    (double)(b->at.tv_nsec - a->at.tv_nsec) / 1e9;
}

/* Counts the step into job and report; *s is what it was. */
static void
account(struct walk *w, const struct meter *start, struct engine_step *s)
{
	struct meter now;

	meter_read(w->en, &now);
	s->seconds = seconds_between(start, &now);
	s->calls = now.calls - start->calls;
	w->r->seconds += s->seconds;
	w->r->calls += s->calls;
	w->job->seconds += s->seconds;
	w->job->calls += s->calls;
}

static void
tell(struct walk *w, struct engine_step *s)
{
	struct engine_event ev;

	(void)snprintf(
	    s->state, sizeof(s->state), "%s", job_state_name(w->job->state));
	(void)snprintf(s->text, sizeof(s->text), "%s", w->text);
	/* Long waiting fills the list: the last place shows the latest. */
	if (w->r->n_steps == ENGINE_MAX_STEPS)
		w->r->n_steps--;
	w->r->steps[w->r->n_steps++] = *s;
	if (w->en->progress == NULL)
		return;
	ev.job = w->job->id;
	ev.state = s->state;
	ev.text = s->text;
	ev.seconds = s->seconds;
	ev.calls = s->calls;
	w->en->progress(w->en->arg, &ev);
}

/* --- failures ---------------------------------------------------------- */

static int
is_among(const char *code, const char *const *codes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(code, codes[i]) == 0)
			return 1;
	return 0;
}

/*
 * Answers that the same request will get again, whoever asks. Others (wrong
 * password, busy, not found) may be put right and the job resumed.
 */
static int
refusal_is_final(const char *code)
{
	static const char *const codes[] = { "http-400", "http-403", "http-409",
		"http-410", "http-413", "http-415", "http-422" };

	return is_among(code, codes, sizeof(codes) / sizeof(codes[0])) ||
	    strncmp(code, "cmc-", 4) == 0;
}

/* Answers that another message may get another answer to than this one. */
static int
refusal_wants_new_message(const char *code)
{
	static const char *const codes[] = { "cmc-badIdentity", "cmc-badTime",
		"cmc-internalCAError", "cmc-tryLater" };

	return is_among(code, codes, sizeof(codes) / sizeof(codes[0]));
}

/*
 * The certificate is on the token and only its confirmation failed: another
 * request would be for nothing, and what is no answer to it settles nothing.
 */
static int
confirms_again(struct job *job, const struct burin_error *e)
{
	if (job->state != JOB_WRITTEN)
		return 0;
	if (e->status == BURIN_ECHECK)
		return 1;
	if (e->status != BURIN_EAUTHORITY ||
	    !refusal_wants_new_message(e->code))
		return 0;
	job->confirm = CONFIRM_WANTED;
	return 1;
}

static enum job_state
state_after(struct job *job, const struct burin_error *e)
{
	if (confirms_again(job, e))
		return job->state;
	if (e->status == BURIN_EAUTHORITY && refusal_wants_new_message(e->code))
		return JOB_KEY_MADE;
	if (e->status == BURIN_ECHECK ||
	    (e->status == BURIN_EAUTHORITY && refusal_is_final(e->code)))
		return JOB_REFUSED;
	/* A plan that cannot be carried out, and nothing was begun. */
	if ((e->status == BURIN_EUSAGE || e->status == BURIN_EREFUSED) &&
	    job->state == JOB_PLANNED && job->made_id.len == 0)
		return JOB_FAILED;
	return job->state;
}

static void
add_advice(struct burin_error *e, const char *verb, const char *id)
{
	size_t n = strlen(e->advice);
	char text[64];

	(void)snprintf(text, sizeof(text), "%sburin %s %s",
	    n > 0 ? "; then: " : "", verb, id);
	if (n + strlen(text) < sizeof(e->advice))
		memcpy(e->advice + n, text, strlen(text) + 1);
}

static int
fail(struct walk *w, struct burin_error *e)
{
	struct burin_error saving = BURIN_ERROR_INIT;
	struct job *job = w->job;

	burin_error_step(e, job_state_name(job->state));
	if (job->token_label != NULL)
		burin_error_token(e, "label '%s' serial %s", job->token_label,
		    job->token_serial != NULL ? job->token_serial : "unknown");
	if (e->status == BURIN_EPENDING) {
		burin_error_clear(&job->error);
	} else {
		job->state = state_after(job, e);
		if (!job_state_final(job->state))
			add_advice(e, "resume", job->id);
		else if (job->key_made_by_us)
			add_advice(e, "abandon", job->id);
		job->error = *e;
	}
	if (journal_save(w->en->journal, job, &saving) != 0)
		burin_error_cause(e, "%s", saving.reason);
	return -1;
}

/* A final state is an answer as well; nothing is done again. */
static int
already(struct walk *w, struct burin_error *e)
{
	const struct job *job = w->job;

	if (job->state == JOB_DONE)
		return 0;
	if (job->error.status != BURIN_OK)
		*e = job->error;
	else
		burin_fail(e, BURIN_EUSAGE, "job-final", "job %s is %s",
		    job->id, job_state_name(job->state));
	return -1;
}

/* --- the walk ---------------------------------------------------------- */

int
walk_stopped(const struct engine *en)
{
	return en->stop != NULL && *en->stop != 0;
}

int
walk_save_plan(struct walk *w, struct burin_error *e)
{
	char *json;

	if (plan_format(&w->plan, &json, e) != 0)
		return -1;
	free(w->job->plan);
	w->job->plan = json;
	return journal_save(w->en->journal, w->job, e);
}

static int
one_step(struct walk *w, struct burin_error *e)
{
	struct engine_step s = { .calls = 0 };
	enum job_state next;
	struct meter start;
	size_t i;
	int rc;

	for (i = 0; i < N_TABLE && table[i].state != w->job->state; i++)
		continue;
	if (i == N_TABLE)
		return burin_fail(e, BURIN_EINTERNAL, "job-state",
		    "no way leads on from state %s",
		    job_state_name(w->job->state));
	w->text[0] = '\0';
	meter_read(w->en, &start);
	rc = table[i].step(w, &next, e);
	account(w, &start, &s);
	if (rc != 0) {
		if (e->status != BURIN_EPENDING)
			burin_error_cause(e, "trying to %s", table[i].action);
		return -1;
	}
	w->job->state = next;
	burin_error_clear(&w->job->error);
	if (journal_save(w->en->journal, w->job, e) != 0)
		return -1;
	tell(w, &s);
	return 0;
}

/* What a job that went far already knows without the token. */
static int
report_known(struct walk *w, struct burin_error *e)
{
	struct engine_report *r = w->r;
	const struct job *job = w->job;

	if (job->certificate.len > 0 &&
	    burin_cert_parse(job->certificate.data, job->certificate.len,
		BURIN_EINTERNAL, &r->cert, e) != 0)
		return -1;
	if (job->chain.len > 0 &&
	    burin_certs_parse(job->chain.data, job->chain.len, BURIN_EINTERNAL,
		&r->chain, e) != 0)
		return -1;
	return 0;
}

int
walk_open(struct walk *w, struct engine *en, struct job *job,
    struct engine_report *r, int *lock, struct burin_error *e)
{
	struct job now;

	memset(w, 0, sizeof(*w));
	w->en = en;
	w->job = job;
	w->r = r;
	if (journal_lock(en->journal, job->id, lock, e) != 0)
		return -1;
	if (journal_load(en->journal, job->id, &now, e) != 0)
		return -1;
	job_clear(job);
	*job = now;
	return plan_parse(job->plan, &w->plan, e);
}

void
walk_close(struct walk *w, int lock)
{
	sk_X509_pop_free(w->present, X509_free);
	X509_free(w->old_cert);
	sk_X509_pop_free(w->anchors[0], X509_free);
	sk_X509_pop_free(w->anchors[1], X509_free);
	burin_key_free(&w->old_key);
	burin_secret_free(&w->secret);
	plan_clear(&w->plan);
	journal_unlock(w->en->journal, w->job->id, lock);
}

int
engine_run(struct engine *en, struct job *job, struct engine_report *r,
    struct burin_error *e)
{
	struct burin_error own = BURIN_ERROR_INIT;
	struct walk w;
	int lock = -1, rc = -1;

	if (e == NULL)
		e = &own;
	memset(r, 0, sizeof(*r));
	if (walk_open(&w, en, job, r, &lock, e) != 0 ||
	    report_known(&w, e) != 0)
		goto out;
	if (job_state_final(job->state)) {
		rc = already(&w, e);
		goto out;
	}
	for (;;) {
		if (walk_stopped(en)) {
			burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
			    "stopped in state %s", job_state_name(job->state));
			rc = fail(&w, e);
			goto out;
		}
		if (one_step(&w, e) != 0) {
			rc = fail(&w, e);
			goto out;
		}
		if (job_state_final(job->state))
			break;
	}
	rc = 0;
out:
	walk_close(&w, lock);
	return rc;
}

void
engine_report_clear(struct engine_report *r)
{
	burin_key_free(&r->key);
	X509_free(r->cert);
	sk_X509_pop_free(r->chain, X509_free);
	memset(r, 0, sizeof(*r));
}
