/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kill -9 after every PKCS#11 call of an enrolment on SoftHSM; another
 * process then ends it with one key pair and one certificate, or takes it
 * back without a trace.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tokens/enrol.h"

#define MAX_CALLS 60

/* 1 when the child was killed, 0 when it came to the end. */
static int
run_killed(struct enrol *n, struct job *job, unsigned at,
    int (*run)(struct enrol *n, struct job *job))
{
	int status;
	pid_t child;

	/* Neither modules nor databases go through a fork. */
	engine_report_clear(&n->r);
	burin_p11_free(&n->hsm.p11);
	journal_close(&n->journal);
	if ((child = fork()) == 0) {
		if (journal_open(n->state, &n->journal, NULL) != 0)
			_exit(1);
		n->kill_at = at;
		_exit(run(n, job) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	must(journal_open(n->state, &n->journal, &n->e), &n->e);
	if (WIFSIGNALED(status))
		return 1;
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static void
each_call(int (*after)(struct enrol *n, struct job *job))
{
	struct enrol *n;
	struct job job;
	void *state;
	unsigned at;
	int killed;

	for (at = 1; at < MAX_CALLS; at++) {
		assert_int_equal(enrol_start(&state), 0);
		n = state;
		enrol_plan(n, &job, NULL, 0);
		if ((killed = run_killed(n, &job, at, enrol_run)) != 0 &&
		    after(n, &job) != 0)
			fail_msg("after call %u: %s: %s", at, n->e.code,
			    n->e.reason);
		job_clear(&job);
		assert_int_equal(enrol_stop(&state), 0);
		if (!killed)
			break;
	}
	print_message("killed after each of %u calls\n", at - 1);
	assert_in_range(at, 15, MAX_CALLS - 1);
}

static int
resume(struct enrol *n, struct job *job)
{
	if (enrol_run(n, job) != 0)
		return -1;
	assert_int_equal(job->state, JOB_DONE);
	enrol_one_pair(n);
	return 0;
}

static void
test_resume(void **state)
{
	(void)state;
	each_call(resume);
}

static int
give_up(struct enrol *n, struct job *job)
{
	struct seen s;
	char *removed;

	enrol_process(n);
	if (engine_abandon(&n->en, job, 0, &removed, &n->e) != 0)
		return job->state == JOB_DONE ? 0 : -1;
	free(removed);
	enrol_look(n, &s);
	assert_string_equal(s.text, "");
	return 0;
}

static void
test_abandon(void **state)
{
	(void)state;
	each_call(give_up);
}

/* An abandon that dies is one more process whose rest the next one clears. */
static void
test_abandon_killed(void **state)
{
	struct enrol *n;
	struct job job;
	unsigned at;
	int killed = 1;

	for (at = 1; killed && at < MAX_CALLS; at++) {
		assert_int_equal(enrol_start(state), 0);
		n = *state;
		enrol_plan(n, &job, NULL, 0);
		n->stop_at = JOB_WRITTEN;
		expect(
		    n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
		n->stop_at = JOB_PLANNED;
		killed = run_killed(n, &job, at, give_up);
		if (killed && give_up(n, &job) != 0)
			fail_msg("after call %u: %s: %s", at, n->e.code,
			    n->e.reason);
		job_clear(&job);
		assert_int_equal(enrol_stop(state), 0);
	}
	assert_in_range(at, 15, MAX_CALLS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_abandon_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
