/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal: where it is, what it keeps, who may hold a job.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "enroll/journal.h"
#include "pki.h"
#include "unit/scratch.h"

static char dir[32];
static struct burin_error e;

static int
setup(void **state)
{
	(void)state;
	burin_error_clear(&e);
	scratch_make(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static struct journal *
open_it(void)
{
	struct journal *j;

	if (journal_open(dir, &j, &e) != 0)
		fail_msg("%s: %s", e.reason, e.cause);
	return j;
}

static void
expect(enum burin_status status, const char *code)
{
	assert_int_equal(e.status, status);
	assert_string_equal(e.code, code);
	assert_string_not_equal(e.reason, "");
	burin_error_clear(&e);
}

/* Every column with a value of its own. */
static void
fill(struct job *job)
{
	memset(job, 0, sizeof(*job));
	job->verb = strdup("enroll");
	job->plan = strdup("{\"token\":\"r7\"}");
	job->token_uri = strdup("pkcs11:serial=1");
	job->token_label = strdup("r7");
	job->token_serial = strdup("1");
	assert_int_equal(blob_set(&job->made_id, "made", 4, &e), 0);
	assert_int_equal(blob_set(&job->key_id, "id\0x", 4, &e), 0);
	assert_int_equal(blob_set(&job->public_key, "public", 6, &e), 0);
	job->key_uri = strdup("pkcs11:id=x");
	job->key_made_by_us = 1;
	assert_int_equal(blob_set(&job->request, "request", 7, &e), 0);
	assert_int_equal(blob_set(&job->response, "response", 8, &e), 0);
	assert_int_equal(blob_set(&job->certificate, "cert", 4, &e), 0);
	assert_int_equal(blob_set(&job->chain, "chain", 5, &e), 0);
	assert_int_equal(blob_set(&job->cert_replaced, "old", 3, &e), 0);
	assert_int_equal(blob_set(&job->key_before, "key", 3, &e), 0);
	job->server = strdup("https://ca");
	job->pend_token = strdup("later");
	job->retry_at = 1900000000;
	assert_int_equal(blob_set(&job->transaction_id, "tid", 3, &e), 0);
	assert_int_equal(blob_set(&job->sender_nonce, "sn", 2, &e), 0);
	assert_int_equal(blob_set(&job->recipient_nonce, "rn", 2, &e), 0);
	job->confirm = CONFIRM_SAID;
	burin_fail(
	    &job->error, BURIN_ETOKEN, "token-missing", "gone \xff away");
	burin_error_advice(&job->error, "plug it in");
	job->error.ckr = 0xe1;
	job->calls = 23;
	job->seconds = 1.5;
}

static void
same_blob(const struct blob *a, const struct blob *b)
{
	assert_int_equal(a->len, b->len);
	if (a->len > 0)
		assert_memory_equal(a->data, b->data, a->len);
}

static void
same_job(const struct job *a, const struct job *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->created, b->created);
	assert_string_equal(a->verb, b->verb);
	assert_string_equal(a->plan, b->plan);
	assert_string_equal(a->token_uri, b->token_uri);
	assert_string_equal(a->token_label, b->token_label);
	assert_string_equal(a->token_serial, b->token_serial);
	same_blob(&a->made_id, &b->made_id);
	same_blob(&a->key_id, &b->key_id);
	same_blob(&a->public_key, &b->public_key);
	assert_string_equal(a->key_uri, b->key_uri);
	assert_int_equal(a->key_made_by_us, b->key_made_by_us);
	same_blob(&a->request, &b->request);
	same_blob(&a->response, &b->response);
	same_blob(&a->certificate, &b->certificate);
	same_blob(&a->chain, &b->chain);
	same_blob(&a->cert_replaced, &b->cert_replaced);
	same_blob(&a->key_before, &b->key_before);
	assert_string_equal(a->server, b->server);
	assert_string_equal(a->pend_token, b->pend_token);
	assert_int_equal(a->retry_at, b->retry_at);
	same_blob(&a->transaction_id, &b->transaction_id);
	same_blob(&a->sender_nonce, &b->sender_nonce);
	same_blob(&a->recipient_nonce, &b->recipient_nonce);
	assert_int_equal(a->confirm, b->confirm);
	assert_int_equal(a->error.status, b->error.status);
	assert_int_equal(a->error.ckr, b->error.ckr);
	assert_string_equal(a->error.code, b->error.code);
	assert_string_equal(a->error.advice, b->error.advice);
	assert_int_equal(a->calls, b->calls);
	assert_true(a->seconds == b->seconds);
}

static void
test_round(void **state)
{
	struct journal *j = open_it();
	struct job job, back;
	size_t i;

	(void)state;
	fill(&job);
	assert_int_equal(journal_create(j, &job, &e), 0);
	assert_int_equal(strlen(job.id), JOB_ID_LEN);
	assert_int_equal(job.state, JOB_PLANNED);
	for (i = 0; i <= JOB_REFUSED; i++) {
		job.state = (enum job_state)i;
		assert_int_equal(journal_save(j, &job, &e), 0);
		assert_int_equal(journal_load(j, job.id, &back, &e), 0);
		same_job(&job, &back);
		/* Not UTF-8, yet kept. */
		assert_string_equal(back.error.reason, "gone ? away");
		job_clear(&back);
	}
	/* What is empty again is empty in the row. */
	blob_clear(&job.response);
	free(job.pend_token);
	job.pend_token = NULL;
	burin_error_clear(&job.error);
	assert_int_equal(journal_save(j, &job, &e), 0);
	journal_close(&j);
	assert_null(j);
	j = open_it();
	assert_int_equal(journal_load(j, job.id, &back, &e), 0);
	assert_int_equal(back.response.len, 0);
	assert_null(back.pend_token);
	assert_int_equal(back.error.status, BURIN_OK);
	job_clear(&back);
	job_clear(&job);
	journal_close(&j);
}

static void
test_find(void **state)
{
	struct journal *j = open_it();
	struct job job[3], *list;
	char prefix[2];
	size_t i, n;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(&job[i], 0, sizeof(job[i]));
		assert_int_equal(journal_create(j, &job[i], &e), 0);
	}
	job[1].state = JOB_DONE;
	assert_int_equal(journal_save(j, &job[1], &e), 0);
	assert_int_equal(journal_list(j, 0, &list, &n, &e), 0);
	assert_int_equal(n, 3);
	/* Newest first. */
	assert_string_equal(list[0].id, job[2].id);
	for (i = 0; i < n; i++)
		job_clear(&list[i]);
	free(list);
	assert_int_equal(journal_list(j, 1, &list, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[1].id, job[0].id);
	for (i = 0; i < n; i++)
		job_clear(&list[i]);
	free(list);

	assert_int_equal(journal_load(j, "nosuchjob", &job[1], &e), -1);
	expect(BURIN_ETOKEN, "job-missing");
	assert_int_equal(journal_load(j, "", &job[1], &e), -1);
	expect(BURIN_ETOKEN, "job-missing");
	assert_int_equal(journal_load(j, "%", &job[1], &e), -1);
	expect(BURIN_ETOKEN, "job-missing");
	/* 60 more jobs: some two begin alike. */
	for (i = 0; i < 60; i++) {
		struct job more;

		memset(&more, 0, sizeof(more));
		assert_int_equal(journal_create(j, &more, &e), 0);
		(void)snprintf(prefix, sizeof(prefix), "%c", more.id[0]);
		if (journal_load(j, prefix, &job[1], &e) != 0)
			break;
		job_clear(&job[1]);
	}
	expect(BURIN_ETOKEN, "job-ambiguous");
	assert_int_equal(journal_load(j, job[2].id, &job[1], &e), 0);
	job_clear(&job[1]);
	journal_close(&j);
}

static void
test_lock(void **state)
{
	struct journal *j = open_it();
	struct job job;
	int fd, other, status;
	pid_t child;

	(void)state;
	memset(&job, 0, sizeof(job));
	assert_int_equal(journal_create(j, &job, &e), 0);
	assert_int_equal(journal_lock(j, job.id, &fd, &e), 0);
	assert_int_equal(journal_lock(j, job.id, &other, &e), -1);
	expect(BURIN_EINTERRUPTED, "job-busy");
	journal_unlock(j, job.id, fd);
	assert_int_equal(journal_lock(j, job.id, &fd, &e), 0);
	journal_unlock(j, job.id, fd);
	/* Whoever dies lets go. */
	if ((child = fork()) == 0)
		_exit(journal_lock(j, job.id, &fd, NULL) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(journal_lock(j, job.id, &fd, &e), 0);
	journal_unlock(j, job.id, fd);
	assert_int_equal(journal_lock(j, "../../etc/pa", &fd, &e), -1);
	expect(BURIN_ETOKEN, "job-missing");
	journal_close(&j);
}

static void
test_unsafe(void **state)
{
	struct journal *j;
	struct stat st;
	char path[64];

	(void)state;
	j = open_it();
	journal_close(&j);
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(journal_open(dir, &j, &e), -1);
	assert_null(j);
	expect(BURIN_EINTERNAL, "journal-unsafe");
	assert_int_equal(chmod(dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 1, (gid_t)-1), 0);
		assert_int_equal(journal_open(dir, &j, &e), -1);
		expect(BURIN_EINTERNAL, "journal-unsafe");
		assert_int_equal(chown(dir, 0, (gid_t)-1), 0);
	}
	/* Not a database. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(journal_open(dir, &j, &e), -1);
	assert_int_equal(e.status, BURIN_EINTERNAL);
	burin_error_clear(&e);
}

static void
test_made(void **state)
{
	struct journal *j;
	struct stat st;
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/deep/er", dir);
	assert_int_equal(setenv("BURIN_STATE_DIR", path, 1), 0);
	assert_int_equal(journal_open(NULL, &j, &e), 0);
	assert_string_equal(journal_dir(j), path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	journal_close(&j);
	assert_int_equal(unsetenv("BURIN_STATE_DIR"), 0);
}

static void
test_too_new(void **state)
{
	struct journal *j = open_it();
	char path[64];
	sqlite3 *db;

	(void)state;
	journal_close(&j);
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA user_version = 9999", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(journal_open(dir, &j, &e), -1);
	expect(BURIN_EINTERNAL, "journal-too-new");
}

/* A row that somebody else has written nonsense into. */
static void
test_bad_row(void **state)
{
	struct journal *j = open_it();
	struct job job;
	char path[64];
	sqlite3 *db;

	(void)state;
	memset(&job, 0, sizeof(job));
	assert_int_equal(journal_create(j, &job, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE jobs SET state = 'flying'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(journal_load(j, job.id, &job, &e), -1);
	expect(BURIN_EINTERNAL, "journal-row");
	assert_int_equal(
	    sqlite3_exec(db, "DELETE FROM jobs", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(journal_save(j, &job, &e), -1);
	expect(BURIN_EINTERNAL, "job-gone");
	journal_close(&j);
}

/* An older number is a replay, but for the job that reads on. */
static void
test_published(void **state)
{
	struct journal *j = open_it();
	EVP_PKEY *key = pki_key("P-256");
	X509 *ca = pki_ca("ca", key);
	STACK_OF(X509) *anchors = sk_X509_new_null();
	long n;

	(void)state;
	assert_true(sk_X509_push(anchors, ca) > 0);
	assert_int_equal(journal_anchors_seen(j, "s", &n, &e), 0);
	assert_int_equal(n, -1);
	assert_int_equal(journal_anchors_keep(j, "s", "a", 5, anchors, &e), 0);
	assert_int_equal(journal_anchors_seen(j, "s", &n, &e), 0);
	assert_int_equal(n, 5); /* also for the job that brought them */
	assert_int_equal(journal_anchors_seen(j, "other", &n, &e), 0);
	assert_int_equal(n, -1);
	/* The same one once more takes nothing back; a newer one counts. */
	assert_int_equal(journal_anchors_keep(j, "s", "b", 5, anchors, &e), 0);
	assert_int_equal(journal_anchors_seen(j, "s", &n, &e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(journal_anchors_keep(j, "s", "b", 6, anchors, &e), 0);
	assert_int_equal(journal_anchors_seen(j, "s", &n, &e), 0);
	assert_int_equal(n, 6);
	sk_X509_pop_free(anchors, X509_free);
	EVP_PKEY_free(key);
	journal_close(&j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsafe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_row, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_published, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
