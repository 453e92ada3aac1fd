/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The walk of an enrolment on SoftHSM: the whole way, its cost, and going on
 * from every state.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tokens/enrol.h"

#define BUDGET 24 /* PKCS#11 calls of one enrolment, without further slots */

static void
test_files(void **state)
{
	struct enrol *n = *state;
	struct job job;
	struct stat st;

	n->answer = 0;
	enrol_plan(n, &job, NULL, 0);
	expect(n, enrol_run(n, &job), BURIN_EPENDING, "pending");
	assert_int_equal(job.state, JOB_PENDING);
	assert_int_equal(stat(n->request, &st), 0);
	assert_int_equal((size_t)st.st_size, job.request.len);
	/* Asked again it is still so, and needs no token. */
	expect(n, enrol_run(n, &job), BURIN_EPENDING, "pending");
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Login"), 0);
	assert_int_equal(job.error.status, BURIN_OK);
	/* A time to come back that only a wrong clock can have noted. */
	job.retry_at = time(NULL) + 400L * 86400;
	must(journal_save(n->journal, &job, &n->e), &n->e);
	enrol_answer(n, &job);
	n->answer = 1;
	must(enrol_run(n, &job), &n->e);
	assert_int_equal(job.state, JOB_DONE);
	assert_non_null(n->r.key);
	assert_non_null(n->r.cert);
	assert_int_equal(sk_X509_num(n->r.chain), 2);
	assert_true(n->r.checks.n >= 8);
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Login"), 1);
	enrol_one_pair(n);
	/* Done again to no effect. */
	must(enrol_run(n, &job), &n->e);
	assert_non_null(n->r.cert);
	assert_int_equal(n->r.n_steps, 0);
	job_clear(&job);
}

static void
test_budget(void **state)
{
	struct enrol *n = *state;
	struct burin_token *const *tokens;
	unsigned slots;
	struct job job;
	size_t i, n_tokens;

	enrol_plan(n, &job, NULL, 0);
	must(enrol_run(n, &job), &n->e);
	assert_int_equal(job.state, JOB_DONE);
	for (i = 0; i < n->r.n_steps; i++)
		print_message("%-10s %2lu calls %6.1f ms  %s\n",
		    n->r.steps[i].state, n->r.steps[i].calls,
		    1000 * n->r.steps[i].seconds, n->r.steps[i].text);
	assert_int_equal(n->r.n_steps, 8);
	must(burin_tokens(n->hsm.p11, &tokens, &n_tokens, &n->e), &n->e);
	slots = (unsigned)burin_p11_calls_of(n->en.p11, "C_GetTokenInfo");
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Initialize"), 1);
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Login"), 1);
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Sign"), 1);
	engine_report_clear(&n->r);
	burin_p11_free(&n->hsm.p11);
	print_message("one enrolment: %u PKCS#11 calls, %u of them "
		      "C_GetTokenInfo\n",
	    n->calls, slots);
	assert_int_equal(n->failed, 0);
	assert_true(n->calls - (slots - 1) <= BUDGET);
	enrol_one_pair(n);
	job_clear(&job);
}

/* Stopped after each commit, gone on in a new process. */
static void
test_resume(void **state)
{
	struct enrol *n = *state;
	struct job job;
	int s, steps = 0;

	enrol_plan(n, &job, NULL, 0);
	for (s = JOB_KEY_MADE; s < JOB_DONE; s++) {
		if (s == JOB_PENDING)
			continue;
		n->stop_at = (enum job_state)s;
		expect(
		    n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
		assert_int_equal(job.state, s);
		assert_non_null(strstr(job.error.advice, "burin resume"));
		steps++;
	}
	n->stop_at = JOB_PLANNED;
	must(enrol_run(n, &job), &n->e);
	assert_int_equal(job.state, JOB_DONE);
	assert_int_equal(job.error.status, BURIN_OK);
	assert_int_equal(steps, 7);
	enrol_one_pair(n);
	job_clear(&job);
}

/* The action of each state was done and its commit was lost. */
static void
test_again(void **state)
{
	struct enrol *n = *state;
	struct job job, before;
	int s;

	enrol_plan(n, &job, NULL, 0);
	for (s = JOB_KEY_MADE; s < JOB_CONFIRMED; s++) {
		if (s == JOB_PENDING)
			continue;
		n->stop_at = (enum job_state)s;
		expect(
		    n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
		assert_int_equal(job.state, s);
		must(journal_load(n->journal, job.id, &before, &n->e), &n->e);
		n->stop_at = s + 1 == JOB_PENDING ? JOB_RECEIVED
						  : (enum job_state)(s + 1);
		expect(
		    n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
		must(journal_save(n->journal, &before, &n->e), &n->e);
		job_clear(&before);
	}
	n->stop_at = JOB_PLANNED;
	must(enrol_run(n, &job), &n->e);
	assert_int_equal(job.state, JOB_DONE);
	enrol_one_pair(n);
	job_clear(&job);
}

/* Died after the key was made: with its final CKA_ID, and with the first. */
static void
test_key_made_twice(void **state)
{
	struct enrol *n = *state;
	struct burin_key_spec spec;
	struct burin_key *k;
	struct burin_token *t;
	struct job job;

	enrol_plan(n, &job, NULL, 0);
	n->stop_at = JOB_KEY_MADE;
	expect(n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
	job.state = JOB_PLANNED;
	must(journal_save(n->journal, &job, &n->e), &n->e);
	n->stop_at = JOB_PLANNED;
	must(enrol_run(n, &job), &n->e);
	enrol_one_pair(n);
	assert_int_equal(job.made_id.len, 20);
	job_clear(&job);

	/* Only the first CKA_ID is written down, and the key has it. */
	enrol_plan(n, &job, NULL, 0);
	assert_int_equal(
	    blob_set(&job.made_id, "twenty random bytes.", 20, &n->e), 0);
	job.key_made_by_us = 1;
	enrol_process(n);
	must(burin_token_find(n->hsm.p11, "test", 0, &t, &n->e), &n->e);
	job.token_uri = burin_token_uri(t);
	must(journal_save(n->journal, &job, &n->e), &n->e);
	memset(&spec, 0, sizeof(spec));
	spec.type = BURIN_EC_P256;
	spec.id = job.made_id.data;
	spec.id_len = job.made_id.len;
	spec.keep_id = 1;
	must(burin_keygen(t, &spec, &k, &n->e), &n->e);
	burin_key_free(&k);
	must(enrol_run(n, &job), &n->e);
	assert_int_equal(job.state, JOB_DONE);
	assert_int_equal(job.key_id.len, 20);
	assert_memory_not_equal(job.key_id.data, job.made_id.data, 20);
	job_clear(&job);
}

/* A key that was there: used, not made; its certificate replaced on demand. */
static void
test_own_key(void **state)
{
	struct enrol *n = *state;
	struct job job, again;
	struct seen s;

	enrol_plan(n, &job, NULL, 0);
	must(enrol_run(n, &job), &n->e);
	(void)remove(n->request);
	enrol_plan(n, &again, job.key_uri, 0);
	expect(n, enrol_run(n, &again), BURIN_EREFUSED, "certificate-present");
	/* Known before anything was begun: there is nothing to resume. */
	assert_int_equal(again.state, JOB_FAILED);
	assert_int_equal(again.request.len, 0);
	job_clear(&again);
	enrol_plan(n, &again, job.key_uri, 1);
	must(enrol_run(n, &again), &n->e);
	print_message("with a key that was there: %lu calls\n", n->r.calls);
	assert_int_equal(again.key_made_by_us, 0);
	assert_int_equal(again.cert_replaced.len, job.certificate.len);
	assert_memory_equal(again.cert_replaced.data, job.certificate.data,
	    job.certificate.len);
	enrol_look(n, &s);
	assert_int_equal(s.certs, 1);
	assert_int_equal(s.private, 1);
	job_clear(&job);
	job_clear(&again);
}

static void
test_busy(void **state)
{
	struct enrol *n = *state;
	struct job job;
	int fd;

	enrol_plan(n, &job, NULL, 0);
	must(journal_lock(n->journal, job.id, &fd, &n->e), &n->e);
	expect(n, enrol_run(n, &job), BURIN_EINTERRUPTED, "job-busy");
	journal_unlock(n->journal, job.id, fd);
	must(enrol_run(n, &job), &n->e);
	job_clear(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_files, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_budget, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_resume, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_again, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_key_made_twice, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_own_key, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_busy, enrol_start, enrol_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
