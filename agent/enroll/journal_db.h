/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the journal: the database handle, for journal.c, job.c and
 * pin_memory.c.
 */

#ifndef BURIN_JOURNAL_DB_H
#define BURIN_JOURNAL_DB_H

#include <sqlite3.h>

#include "journal.h"

#define JOURNAL_BUSY_MS 10000 /* how long to wait for other processes */

/* Statements of job.c, prepared once, NULL until used. */
enum journal_sql {
	SQL_JOB_INSERT,
	SQL_JOB_UPDATE,
	SQL_JOB_LOAD,
	SQL_JOB_LIST,
	SQL_PIN_LIST,
	SQL_PIN_WRONG,
	SQL_PIN_FORGET,
	SQL_PIN_TRIM,
	SQL_PIN_UNSEND,
	SQL_PIN_TRIES,
	SQL_ANCHORS_SEEN,
	SQL_ANCHORS_KEEP,
	N_JOURNAL_SQL
};

struct journal {
	sqlite3 *db;
	char *dir;
	int unflushed; /* rows changed that need not reach the disk now */
	sqlite3_stmt *sql[N_JOURNAL_SQL];
};

/* The statement, prepared from text when first used; NULL with e set. */
sqlite3_stmt *journal_sql(struct journal *j, enum journal_sql which,
    const char *text, struct burin_error *e);
/* Resets and unbinds, so that no value stays behind. */
void journal_sql_done(sqlite3_stmt *s);
/* BURIN_EINTERNAL (busy: BURIN_EINTERRUPTED) with SQLite's words. -1. */
int journal_fail(struct journal *j, const char *doing, struct burin_error *e);

/* --- job_row.c ---------------------------------------------------------- */

/* Column by column, in the order of the parameters ?1, ?2, ... */
enum job_sql_form {
	JOB_SQL_NAMES,	/* id, state, ... */
	JOB_SQL_VALUES, /* ?1, ?2, ... */
	JOB_SQL_ASSIGN	/* id = ?1, state = ?2, ... */
};
/* BEFORE, all columns in that form, AFTER. -1 when it does not fit. */
int job_sql(char *out, size_t size, const char *before, enum job_sql_form form,
    const char *after);
/* -1 only when out of memory. job must live until the statement ran. */
int job_bind(sqlite3_stmt *s, const struct job *job);
/* A row that has all columns; job is overwritten, and zero on failure. */
int job_read(sqlite3_stmt *s, struct job *job, struct burin_error *e);

#endif
