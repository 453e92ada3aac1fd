/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of the table jobs: made, saved, loaded, listed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "journal_db.h"

#define MAX_JOBS 1000000 /* rows that a list may have */
#define SQL_SIZE 2048	 /* a statement that names every column twice */

/* Digits and consonants, so that no id is a word; no l, which looks like 1. */
static const char id_letters[] = "0123456789bcdfghjkmnpqrstvwxyz";

static int
write_row(struct journal *j, enum journal_sql which, const char *sql,
    struct job *job, struct burin_error *e)
{
	sqlite3_stmt *s;
	int rc = -1;

	if ((s = journal_sql(j, which, sql, e)) == NULL)
		return -1;
	if (job_bind(s, job) != 0)
		burin_fail_memory(e);
	else if (sqlite3_step(s) != SQLITE_DONE)
		(void)journal_fail(j, "write to the journal", e);
	else
		rc = 0;
	journal_sql_done(s);
	return rc;
}

static int
new_id(char id[JOB_ID_LEN + 1], struct burin_error *e)
{
	const size_t letters = sizeof(id_letters) - 1;
	unsigned char r;
	size_t n = 0;

	while (n < JOB_ID_LEN) {
		if (RAND_bytes(&r, 1) != 1)
			return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
			    "no random numbers to be had");
		/* Without modulo bias: too high is drawn again. */
		if ((r & 31) < letters)
			id[n++] = id_letters[r & 31];
	}
	id[n] = '\0';
	return 0;
}

int
journal_create(struct journal *j, struct job *job, struct burin_error *e)
{
	char sql[SQL_SIZE];

	if (job_sql(sql, sizeof(sql), "INSERT INTO jobs (", JOB_SQL_NAMES,
		")") != 0 ||
	    job_sql(sql + strlen(sql), sizeof(sql) - strlen(sql), " VALUES (",
		JOB_SQL_VALUES, ")") != 0)
		return burin_fail_memory(e);
	if (new_id(job->id, e) != 0)
		return -1;
	job->state = JOB_PLANNED;
	job->created = job->updated = time(NULL);
	return write_row(j, SQL_JOB_INSERT, sql, job, e);
}

int
journal_save(struct journal *j, struct job *job, struct burin_error *e)
{
	char sql[SQL_SIZE];

	if (job_sql(sql, sizeof(sql), "UPDATE jobs SET ", JOB_SQL_ASSIGN,
		" WHERE id = ?1") != 0)
		return burin_fail_memory(e);
	job->updated = time(NULL);
	if (write_row(j, SQL_JOB_UPDATE, sql, job, e) != 0)
		return -1;
	if (sqlite3_changes(j->db) == 1)
		return 0;
	return burin_fail(e, BURIN_EINTERNAL, "job-gone",
	    "job %s is no longer in the journal in %s", job->id, j->dir);
}

static int
no_job(struct journal *j, const char *id, struct burin_error *e)
{
	burin_fail(e, BURIN_ETOKEN, "job-missing",
	    "there is no job '%s' in the journal in %s", id, j->dir);
	return burin_error_advice(e, "burin status lists them");
}

int
journal_load(
    struct journal *j, const char *id, struct job *job, struct burin_error *e)
{
	char sql[SQL_SIZE], wanted[JOB_ID_LEN + 1];
	sqlite3_stmt *s;
	int step, rc = -1;

	if (id == NULL || *id == '\0' || strlen(id) > JOB_ID_LEN)
		return no_job(j, id != NULL ? id : "", e);
	/* id may be the one in job. */
	(void)strcpy(wanted, id);
	memset(job, 0, sizeof(*job));
	if (job_sql(sql, sizeof(sql), "SELECT ", JOB_SQL_NAMES,
		" FROM jobs WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2") != 0)
		return burin_fail_memory(e);
	if ((s = journal_sql(j, SQL_JOB_LOAD, sql, e)) == NULL)
		return -1;
	if (sqlite3_bind_text(s, 1, wanted, -1, SQLITE_STATIC) != SQLITE_OK) {
		burin_fail_memory(e);
		goto out;
	}
	step = sqlite3_step(s);
	if (step == SQLITE_DONE) {
		(void)no_job(j, wanted, e);
		goto out;
	}
	if (step != SQLITE_ROW) {
		(void)journal_fail(j, "read the journal", e);
		goto out;
	}
	if (job_read(s, job, e) != 0)
		goto out;
	if (sqlite3_step(s) == SQLITE_ROW) {
		job_clear(job);
		burin_fail(e, BURIN_ETOKEN, "job-ambiguous",
		    "more than one job begins with '%s'", wanted);
		burin_error_advice(e, "give more of the id");
		goto out;
	}
	rc = 0;
out:
	journal_sql_done(s);
	return rc;
}

static int
add_row(sqlite3_stmt *s, struct job **list, size_t *n, size_t *room,
    struct burin_error *e)
{
	struct job *grown;

	if (*n == MAX_JOBS)
		return burin_fail(e, BURIN_EINTERNAL, "journal-large",
		    "the journal has more than %d jobs", MAX_JOBS);
	if (*n == *room) {
		*room = *room == 0 ? 16 : *room * 2;
		if ((grown = reallocarray(*list, *room, sizeof(**list))) ==
		    NULL)
			return burin_fail_memory(e);
		*list = grown;
	}
	if (job_read(s, &(*list)[*n], e) != 0)
		return -1;
	(*n)++;
	return 0;
}

int
journal_list(struct journal *j, int open_only, struct job **out, size_t *n,
    struct burin_error *e)
{
	struct job *list = NULL;
	size_t count = 0, room = 0;
	char sql[SQL_SIZE];
	sqlite3_stmt *s;
	int step, rc = -1;

	*out = NULL;
	*n = 0;
	if (job_sql(sql, sizeof(sql), "SELECT ", JOB_SQL_NAMES,
		" FROM jobs WHERE ?1 = 0 OR state NOT IN"
		" ('done', 'failed', 'refused')"
		" ORDER BY created DESC, rowid DESC") != 0)
		return burin_fail_memory(e);
	if ((s = journal_sql(j, SQL_JOB_LIST, sql, e)) == NULL)
		return -1;
	(void)sqlite3_bind_int(s, 1, open_only != 0);
	while ((step = sqlite3_step(s)) == SQLITE_ROW)
		if (add_row(s, &list, &count, &room, e) != 0)
			goto out;
	if (step != SQLITE_DONE) {
		(void)journal_fail(j, "read the journal", e);
		goto out;
	}
	*out = list;
	*n = count;
	list = NULL;
	count = 0;
	rc = 0;
out:
	journal_sql_done(s);
	while (count > 0)
		job_clear(&list[--count]);
	free(list);
	return rc;
}
