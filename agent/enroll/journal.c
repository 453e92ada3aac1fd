/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal's database: where it is, who may see it, its schema, and
 * statements. WAL with synchronous=FULL: what is committed survives a power
 * cut (https://sqlite.org/pragma.html#pragma_synchronous).
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_db.h"

/* user_version n is the schema after the first n of these. Only added to. */
static const char *const migrations[] = {
	"CREATE TABLE jobs ("
	" id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL,"
	" created INTEGER NOT NULL, updated INTEGER NOT NULL,"
	" verb TEXT, plan TEXT,"
	" token_uri TEXT, token_label TEXT, token_serial TEXT,"
	" made_id BLOB, key_id BLOB, public_key BLOB, key_uri TEXT,"
	" key_made_by_us INTEGER NOT NULL,"
	" request BLOB, response BLOB, certificate BLOB, chain BLOB,"
	" cert_replaced BLOB, server TEXT, pend_token TEXT,"
	" retry_at INTEGER NOT NULL, transaction_id BLOB,"
	" sender_nonce BLOB, recipient_nonce BLOB, error TEXT,"
	" calls INTEGER NOT NULL, seconds REAL NOT NULL);"
	"CREATE TABLE wrong_pins ("
	" serial TEXT NOT NULL, label TEXT NOT NULL, login TEXT NOT NULL,"
	" salt BLOB NOT NULL, verifier BLOB NOT NULL,"
	" count INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY (serial, label, login, salt));",
	"ALTER TABLE jobs ADD COLUMN key_before BLOB;",
	"ALTER TABLE jobs ADD COLUMN message BLOB;"
	"ALTER TABLE jobs ADD COLUMN pop_random BLOB;"
	"CREATE TABLE published ("
	" server TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL,"
	" job TEXT NOT NULL, anchors BLOB NOT NULL);",
	"ALTER TABLE jobs ADD COLUMN confirm INTEGER NOT NULL DEFAULT 0;",
};
#define SCHEMA ((int)(sizeof(migrations) / sizeof(migrations[0])))

int
journal_fail(struct journal *j, const char *doing, struct burin_error *e)
{
	int code = sqlite3_errcode(j->db) & 0xff;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
		burin_fail(e, BURIN_EINTERRUPTED, "journal-busy",
		    "cannot %s: another process holds the journal in %s", doing,
		    j->dir);
		return burin_error_advice(e, "try again");
	}
	burin_fail(e, BURIN_EINTERNAL, "journal", "cannot %s in %s: %s", doing,
	    j->dir, sqlite3_errmsg(j->db));
	return burin_error_advice(
	    e, "check the directory, its file system and its free space");
}

sqlite3_stmt *
journal_sql(struct journal *j, enum journal_sql which, const char *text,
    struct burin_error *e)
{
	if (j->sql[which] == NULL &&
	    sqlite3_prepare_v3(j->db, text, -1, SQLITE_PREPARE_PERSISTENT,
		&j->sql[which], NULL) != SQLITE_OK) {
		(void)journal_fail(j, "use the journal", e);
		return NULL;
	}
	return j->sql[which];
}

void
journal_sql_done(sqlite3_stmt *s)
{
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
}

/* --- the directory ------------------------------------------------------ */

static int
default_dir(char **out, struct burin_error *e)
{
	const char *base;
	int n;

	if ((base = getenv("BURIN_STATE_DIR")) != NULL && *base != '\0')
		n = asprintf(out, "%s", base);
	else if (geteuid() == 0)
		n = asprintf(out, "/var/lib/burin");
	else if ((base = getenv("XDG_STATE_HOME")) != NULL && *base == '/')
		n = asprintf(out, "%s/burin", base);
	else if ((base = getenv("HOME")) != NULL && *base == '/')
		n = asprintf(out, "%s/.local/state/burin", base);
	else {
		*out = NULL;
		burin_fail(e, BURIN_EUSAGE, "journal-dir",
		    "no place for the journal: neither BURIN_STATE_DIR nor "
		    "HOME is set");
		return burin_error_advice(e, "set BURIN_STATE_DIR");
	}
	if (n < 0) {
		*out = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

static int
make_dirs(const char *dir, struct burin_error *e)
{
	char path[PATH_MAX];
	size_t i, n = strlen(dir);

	if (n >= sizeof(path))
		return burin_fail(e, BURIN_EUSAGE, "journal-dir",
		    "the path of the journal is too long");
	for (i = 1; i <= n; i++) {
		if (dir[i] != '/' && dir[i] != '\0')
			continue;
		memcpy(path, dir, i);
		path[i] = '\0';
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			continue;
		burin_fail(e, BURIN_EINTERNAL, "journal-dir",
		    "cannot make %s: %s", path, strerror(errno));
		return burin_error_advice(
		    e, "set BURIN_STATE_DIR to a directory of your own");
	}
	return 0;
}

/* What others may write would decide which key and server are ours. */
static int
check_owner(
    const char *path, const struct stat *st, mode_t type, struct burin_error *e)
{
	if ((st->st_mode & S_IFMT) != type)
		burin_fail(e, BURIN_EINTERNAL, "journal-unsafe",
		    "%s is not a %s", path,
		    type == S_IFDIR ? "directory" : "file");
	else if (st->st_uid != geteuid())
		burin_fail(e, BURIN_EINTERNAL, "journal-unsafe",
		    "%s belongs to user %lu", path, (unsigned long)st->st_uid);
	else if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		burin_fail(e, BURIN_EINTERNAL, "journal-unsafe",
		    "%s may be written by others (mode %04o)", path,
		    (unsigned)(st->st_mode & 07777));
	else
		return 0;
	return burin_error_advice(e,
	    "the journal must be a directory of yours with mode 0700: chown "
	    "and chmod it, or set BURIN_STATE_DIR to another");
}

/* The file is made by us, so that SQLite's files beside it get its mode. */
static int
prepare_file(const char *dir, const char *path, struct burin_error *e)
{
	struct stat st;
	int fd, rc = -1;

	if (stat(dir, &st) != 0)
		return burin_fail(e, BURIN_EINTERNAL, "journal-dir",
		    "cannot look at %s: %s", dir, strerror(errno));
	if (check_owner(dir, &st, S_IFDIR, e) != 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return burin_fail(e, BURIN_EINTERNAL, "journal",
		    "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || fchmod(fd, 0600) != 0)
		burin_fail(
		    e, BURIN_EINTERNAL, "journal", "cannot protect %s", path);
	else
		rc = check_owner(path, &st, S_IFREG, e);
	(void)close(fd);
	return rc;
}

/* --- the database --------------------------------------------------------- */

static int
user_version(struct journal *j, int *version, struct burin_error *e)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(j->db, "PRAGMA user_version", -1, &s, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		*version = sqlite3_column_int(s, 0);
		rc = 0;
	} else {
		(void)journal_fail(j, "read the journal's version", e);
	}
	(void)sqlite3_finalize(s);
	return rc;
}

static int
too_new(struct journal *j, int version, struct burin_error *e)
{
	burin_fail(e, BURIN_EINTERNAL, "journal-too-new",
	    "the journal in %s has version %d, this program knows %d", j->dir,
	    version, SCHEMA);
	return burin_error_advice(
	    e, "use the newer burin that wrote it, or another BURIN_STATE_DIR");
}

/* All missing migrations in one transaction, asked again under its lock. */
static int
migrate(struct journal *j, struct burin_error *e)
{
	char set[40];
	int version;

	if (user_version(j, &version, e) != 0)
		return -1;
	if (version > SCHEMA)
		return too_new(j, version, e);
	if (version == SCHEMA)
		return 0;
	if (sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return journal_fail(j, "write to the journal", e);
	if (user_version(j, &version, e) != 0)
		goto rollback;
	for (; version < SCHEMA; version++)
		if (sqlite3_exec(j->db, migrations[version], NULL, NULL,
			NULL) != SQLITE_OK) {
			(void)journal_fail(j, "make the journal's tables", e);
			goto rollback;
		}
	(void)snprintf(set, sizeof(set), "PRAGMA user_version = %d", SCHEMA);
	if (sqlite3_exec(j->db, set, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	(void)journal_fail(j, "make the journal's tables", e);
rollback:
	(void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int
open_db(struct journal *j, const char *path, struct burin_error *e)
{
	if (sqlite3_open_v2(path, &j->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK) {
		if (j->db == NULL)
			return burin_fail_memory(e);
		return journal_fail(j, "open the journal", e);
	}
	(void)sqlite3_busy_timeout(j->db, JOURNAL_BUSY_MS);
	if (sqlite3_exec(j->db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL,
		NULL, NULL) != SQLITE_OK)
		return journal_fail(j, "open the journal", e);
	return migrate(j, e);
}

int
journal_open(const char *dir, struct journal **out, struct burin_error *e)
{
	struct journal *j;
	char *path = NULL;
	int rc = -1;

	*out = NULL;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return burin_fail_memory(e);
	if (dir == NULL) {
		if (default_dir(&j->dir, e) != 0)
			goto out;
	} else if ((j->dir = strdup(dir)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (make_dirs(j->dir, e) != 0)
		goto out;
	/* SQLite refuses links in a path, and a directory may be one. */
	if ((path = realpath(j->dir, NULL)) == NULL) {
		burin_fail(e, BURIN_EINTERNAL, "journal-dir",
		    "cannot follow %s: %s", j->dir, strerror(errno));
		goto out;
	}
	free(j->dir);
	j->dir = path;
	if (asprintf(&path, "%s/state.db", j->dir) < 0) {
		path = NULL;
		burin_fail_memory(e);
		goto out;
	}
	if (prepare_file(j->dir, path, e) != 0 || open_db(j, path, e) != 0)
		goto out;
	*out = j;
	j = NULL;
	rc = 0;
out:
	free(path);
	journal_close(&j);
	return rc;
}

void
journal_close(struct journal **j)
{
	int i;

	if (j == NULL || *j == NULL)
		return;
	for (i = 0; i < N_JOURNAL_SQL; i++)
		(void)sqlite3_finalize((*j)->sql[i]);
	/* Whoever writes for good will take the rest along to the disk. */
	if ((*j)->unflushed > 0 &&
	    sqlite3_total_changes((*j)->db) == (*j)->unflushed)
		(void)sqlite3_db_config(
		    (*j)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close((*j)->db);
	free((*j)->dir);
	free(*j);
	*j = NULL;
}

const char *
journal_dir(const struct journal *j)
{
	return j->dir;
}
