/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the engine refuses and what it takes back, on SoftHSM; certificates
 * given by hand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tokens/enrol.h"

static void
same_objects(struct enrol *n, const struct seen *before)
{
	struct seen now;

	enrol_look(n, &now);
	assert_string_equal(now.text, before->text);
}

static void
test_abandon(void **state)
{
	struct enrol *n = *state;
	struct seen before, now;
	struct job job;
	char *removed;
	int s;

	enrol_look(n, &before);
	for (s = JOB_KEY_MADE; s < JOB_DONE; s++) {
		if (s == JOB_PENDING)
			continue;
		enrol_plan(n, &job, NULL, 0);
		n->stop_at = (enum job_state)s;
		expect(
		    n, enrol_run(n, &job), BURIN_EINTERRUPTED, "interrupted");
		assert_int_equal(job.state, s);
		n->stop_at = JOB_PLANNED;
		enrol_look(n, &now);
		assert_int_equal(now.private, 1);
		enrol_process(n);
		must(engine_abandon(&n->en, &job, 1, &removed, &n->e), &n->e);
		assert_non_null(strstr(removed, "key pair"));
		assert_int_equal(
		    strstr(removed, "certificate") != NULL, s >= JOB_WRITTEN);
		free(removed);
		assert_int_equal(job.state, s);
		same_objects(n, &now);
		enrol_process(n);
		must(engine_abandon(&n->en, &job, 0, &removed, &n->e), &n->e);
		free(removed);
		assert_int_equal(job.state, JOB_FAILED);
		same_objects(n, &before);
		/* It is over, and says so; once more is no error. */
		expect(n, enrol_run(n, &job), BURIN_EUSAGE, "abandoned");
		must(engine_abandon(&n->en, &job, 0, &removed, &n->e), &n->e);
		assert_non_null(strstr(removed, "nothing"));
		free(removed);
		job_clear(&job);
	}
}

/* Nothing was begun, a key that is not ours, a job that is done. */
static void
test_abandon_nothing(void **state)
{
	struct enrol *n = *state;
	struct job job, again;
	struct seen before;
	char *removed;

	enrol_plan(n, &job, NULL, 0);
	enrol_process(n);
	must(engine_abandon(&n->en, &job, 0, &removed, &n->e), &n->e);
	assert_int_equal(burin_p11_calls_of(n->en.p11, "C_Login"), 0);
	free(removed);
	job_clear(&job);

	enrol_plan(n, &job, NULL, 0);
	must(enrol_run(n, &job), &n->e);
	enrol_look(n, &before);
	enrol_process(n);
	removed = NULL;
	expect(n, engine_abandon(&n->en, &job, 0, &removed, &n->e),
	    BURIN_EUSAGE, "job-done");
	assert_null(removed);
	same_objects(n, &before);

	/* The certificate that was replaced comes back; the key stays. */
	enrol_plan(n, &again, job.key_uri, 1);
	n->stop_at = JOB_WRITTEN;
	expect(n, enrol_run(n, &again), BURIN_EINTERRUPTED, "interrupted");
	n->stop_at = JOB_PLANNED;
	enrol_process(n);
	must(engine_abandon(&n->en, &again, 0, &removed, &n->e), &n->e);
	assert_non_null(strstr(removed, "comes back"));
	free(removed);
	same_objects(n, &before);
	job_clear(&job);
	job_clear(&again);
}

/* What somebody else wrote next to the job's own certificate stays. */
static void
test_abandon_others(void **state)
{
	struct enrol *n = *state;
	struct job job, again;
	struct burin_key *k;
	X509_REQ *req;
	const unsigned char *der;
	struct seen s;
	char *removed;
	X509 *third;

	enrol_plan(n, &job, NULL, 0);
	must(enrol_run(n, &job), &n->e);
	enrol_plan(n, &again, job.key_uri, 1);
	n->stop_at = JOB_WRITTEN;
	expect(n, enrol_run(n, &again), BURIN_EINTERRUPTED, "interrupted");
	n->stop_at = JOB_PLANNED;
	enrol_process(n);
	der = again.request.data;
	req = d2i_X509_REQ(NULL, &der, (long)again.request.len);
	assert_non_null(req);
	third = enrol_issue(n, req);
	must(burin_key_find(n->en.p11, job.key_uri, &k, &n->e), &n->e);
	must(burin_cert_write(k, third, NULL, BURIN_OTHERS_KEEP, &n->e), &n->e);
	burin_key_free(&k);
	enrol_process(n);
	must(engine_abandon(&n->en, &again, 0, &removed, &n->e), &n->e);
	free(removed);
	enrol_look(n, &s);
	assert_int_equal(s.certs, 2);
	enrol_process(n);
	must(burin_key_find(n->en.p11, job.key_uri, &k, &n->e), &n->e);
	must(burin_cert_destroy(k, third, &n->e), &n->e);
	burin_key_free(&k);
	enrol_one_pair(n);
	X509_free(third);
	X509_REQ_free(req);
	job_clear(&job);
	job_clear(&again);
}

/* The authority gave a certificate again that was installed before. */
static void
test_abandon_same(void **state)
{
	struct enrol *n = *state;
	struct job job, again;
	struct seen before;
	char *removed;
	FILE *f;

	enrol_plan(n, &job, NULL, 0);
	must(enrol_run(n, &job), &n->e);
	enrol_look(n, &before);
	enrol_plan(n, &again, job.key_uri, 1);
	n->stop_at = JOB_REQUESTED;
	expect(n, enrol_run(n, &again), BURIN_EINTERRUPTED, "interrupted");
	f = fopen(n->response, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(job.response.data, 1, job.response.len, f),
	    job.response.len);
	assert_int_equal(fclose(f), 0);
	n->stop_at = JOB_WRITTEN;
	expect(n, enrol_run(n, &again), BURIN_EINTERRUPTED, "interrupted");
	n->stop_at = JOB_PLANNED;
	enrol_process(n);
	must(engine_abandon(&n->en, &again, 0, &removed, &n->e), &n->e);
	free(removed);
	same_objects(n, &before);
	job_clear(&job);
	job_clear(&again);
}

static void
test_foreign(void **state)
{
	struct enrol *n = *state;
	struct seen before;
	struct job job;
	char *removed;

	n->answer = 0;
	enrol_plan(n, &job, NULL, 0);
	expect(n, enrol_run(n, &job), BURIN_EPENDING, "pending");
	enrol_look(n, &before);
	n->foreign = 1;
	enrol_answer(n, &job);
	n->answer = 1;
	expect(n, enrol_run(n, &job), BURIN_ECHECK, "check-G1");
	assert_int_equal(job.state, JOB_REFUSED);
	assert_string_equal(job.error.code, "check-G1");
	assert_non_null(strstr(job.error.advice, "burin abandon"));
	assert_int_equal(job.certificate.len, 0);
	same_objects(n, &before);
	/* Refused is refused. */
	n->foreign = 0;
	enrol_answer(n, &job);
	expect(n, enrol_run(n, &job), BURIN_ECHECK, "check-G1");
	same_objects(n, &before);
	enrol_process(n);
	must(engine_abandon(&n->en, &job, 0, &removed, &n->e), &n->e);
	free(removed);
	enrol_look(n, &before);
	assert_string_equal(before.text, "");
	job_clear(&job);
}

static void
test_nonsense(void **state)
{
	struct enrol *n = *state;
	struct job job;
	FILE *f;

	n->answer = 0;
	enrol_plan(n, &job, NULL, 0);
	expect(n, enrol_run(n, &job), BURIN_EPENDING, "pending");
	f = fopen(n->response, "wb");
	assert_non_null(f);
	assert_true(fputs("<html>sorry</html>", f) >= 0);
	assert_int_equal(fclose(f), 0);
	n->answer = 1;
	assert_int_equal(enrol_run(n, &job), -1);
	assert_int_equal(n->e.status, BURIN_ECHECK);
	assert_int_equal(job.state, JOB_REFUSED);
	job_clear(&job);
}

/* What can be known to be wrong is known before there is a key. */
static void
test_bad_plans(void **state)
{
	static const struct {
		const char *json, *code;
	} plans[] = {
		{ "{\"token\":\"test\"}", "ca-url" },
		{ "{\"token\":\"test\",\"protocol\":\"pigeon\"}",
		    "protocol-unknown" },
		{ "{\"token\":\"test\",\"protocol\":\"file\"}",
		    "request-file-missing" },
		{ "{\"token\":\"test\",\"protocol\":\"file\","
		  "\"request_file\":\"/nonexistent/x\"}",
		    "subject-missing" },
		{ "{\"token\":\"test\",\"protocol\":\"file\","
		  "\"request_file\":\"/nonexistent/x\",\"dn\":\"CN=a\"}",
		    "trust-missing" },
		{ "{\"token\":\"test\",\"protocol\":\"file\",\"key_type\":"
		  "\"rsa:1\",\"request_file\":\"/x\",\"dn\":\"CN=a\"}",
		    "key-type-unknown" },
	};
	struct enrol *n = *state;
	struct job job;
	struct seen s;
	size_t i;

	n->answer = 0;
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		memset(&job, 0, sizeof(job));
		job.plan = strdup(plans[i].json);
		must(journal_create(n->journal, &job, &n->e), &n->e);
		expect(n, enrol_run(n, &job), BURIN_EUSAGE, plans[i].code);
		assert_int_equal(job.state, JOB_FAILED);
		job_clear(&job);
	}
	enrol_look(n, &s);
	assert_string_equal(s.text, "");
}

/* A PIN that is wrong leaves a job that can be resumed, and no key. */
static void
test_wrong_pin(void **state)
{
	struct enrol *n = *state;
	struct job job;
	struct seen s;

	enrol_plan(n, &job, NULL, 0);
	n->hsm.pin = "654321";
	expect(n, enrol_run(n, &job), BURIN_EPIN, "pin-incorrect");
	assert_int_equal(job.state, JOB_PLANNED);
	assert_int_equal(job.made_id.len, 0);
	assert_int_equal(job.error.status, BURIN_EPIN);
	n->hsm.pin = "123456";
	enrol_look(n, &s);
	assert_string_equal(s.text, "");
	must(enrol_run(n, &job), &n->e);
	enrol_one_pair(n);
	job_clear(&job);
}

/* --- install ----------------------------------------------------------- */

static void
test_install(void **state)
{
	struct enrol *n = *state;
	struct burin_token *t;
	struct install_input in;
	struct burin_asked asked;
	struct seen before;
	X509_REQ *req = NULL;
	struct job job;

	/* A pending job gives a key and a request. */
	n->answer = 0;
	enrol_plan(n, &job, NULL, 0);
	expect(n, enrol_run(n, &job), BURIN_EPENDING, "pending");
	enrol_look(n, &before);
	enrol_process(n);
	must(burin_token_find(n->hsm.p11, "test", 0, &t, &n->e), &n->e);
	memset(&in, 0, sizeof(in));
	must(burin_key_find_id(
		 t, job.key_id.data, job.key_id.len, &in.key, &n->e),
	    &n->e);
	must(burin_pkcs10_parse(
		 job.request.data, job.request.len, BURIN_EUSAGE, &req, &n->e),
	    &n->e);
	must(burin_asked_parse(job.request.data, job.request.len, NULL,
		 BURIN_EUSAGE, &asked, &n->e),
	    &n->e);
	in.asked = &asked;
	in.bag = sk_X509_new_null();
	in.anchors = sk_X509_new_null();
	assert_true(sk_X509_push(in.anchors, n->ca) > 0);
	expect(n, engine_install(&n->en, &in, &n->r, &n->e), BURIN_ECHECK,
	    "no-certificate");
	engine_report_clear(&n->r);
	n->foreign = 1;
	assert_true(sk_X509_push(in.bag, enrol_issue(n, req)) > 0);
	expect(n, engine_install(&n->en, &in, &n->r, &n->e), BURIN_ECHECK,
	    "check-G1");
	engine_report_clear(&n->r);
	n->foreign = 0;
	assert_true(sk_X509_push(in.bag, enrol_issue(n, req)) > 0);
	in.dry_run = 1;
	must(engine_install(&n->en, &in, &n->r, &n->e), &n->e);
	engine_report_clear(&n->r);
	in.dry_run = 0;
	/* Without an anchor only if one says so. */
	{
		STACK_OF(X509) *anchors = in.anchors;

		in.anchors = NULL;
		expect(n, engine_install(&n->en, &in, &n->r, &n->e),
		    BURIN_EUSAGE, "trust-missing");
		engine_report_clear(&n->r);
		in.force_untrusted = in.dry_run = 1;
		must(engine_install(&n->en, &in, &n->r, &n->e), &n->e);
		engine_report_clear(&n->r);
		in.force_untrusted = in.dry_run = 0;
		in.anchors = anchors;
	}
	must(engine_install(&n->en, &in, &n->r, &n->e), &n->e);
	assert_int_equal(n->r.n_steps, 2);
	print_message(
	    "install: %lu calls after the key was found\n", n->r.calls);
	engine_report_clear(&n->r);
	/* Twice is no error; another one wants leave. */
	must(engine_install(&n->en, &in, &n->r, &n->e), &n->e);
	engine_report_clear(&n->r);
	X509_free(sk_X509_pop(in.bag));
	assert_true(sk_X509_push(in.bag, enrol_issue(n, req)) > 0);
	in.dry_run = 1;
	expect(n, engine_install(&n->en, &in, &n->r, &n->e), BURIN_EREFUSED,
	    "certificate-present");
	engine_report_clear(&n->r);
	in.dry_run = 0;
	expect(n, engine_install(&n->en, &in, &n->r, &n->e), BURIN_EREFUSED,
	    "certificate-present");
	engine_report_clear(&n->r);
	in.replace = 1;
	must(engine_install(&n->en, &in, &n->r, &n->e), &n->e);
	engine_report_clear(&n->r);
	burin_key_free(&in.key);
	enrol_one_pair(n);
	sk_X509_pop_free(in.bag, X509_free);
	sk_X509_free(in.anchors);
	X509_REQ_free(req);
	burin_asked_clear(&asked);
	job_clear(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_abandon, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_abandon_nothing, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_abandon_others, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_abandon_same, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_foreign, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_nonsense, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_bad_plans, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_wrong_pin, enrol_start, enrol_stop),
		cmocka_unit_test_setup_teardown(
		    test_install, enrol_start, enrol_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
