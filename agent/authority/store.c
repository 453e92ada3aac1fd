/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's database: SQLite in WAL mode, every commit on the disk
 * before it is answered, one writer at a time in this process; other
 * processes (the operator's verbs) wait their turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

#define BUSY_MS 10000	 /* how long one process waits for another */
#define SCHEMA_VERSION 3 /* PRAGMA user_version */

static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA foreign_keys = ON;"
			      "PRAGMA trusted_schema = OFF;"
			      /* Else files for sorting, wherever TMPDIR is. */
			      "PRAGMA temp_store = MEMORY;";

static const char schema[] =
    /* secret: sealed, NULL when it is not needed any more. */
    "CREATE TABLE invites ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " salt BLOB NOT NULL, verifier BLOB NOT NULL, ha1 BLOB NOT NULL,"
    " profile TEXT, identity TEXT, subject TEXT,"
    " created INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " used_by BLOB, used_at INTEGER, secret BLOB) STRICT;"
    "CREATE TABLE requests ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " principal TEXT NOT NULL, sha256 BLOB NOT NULL,"
    " profile TEXT NOT NULL, subject TEXT NOT NULL,"
    " der BLOB NOT NULL, form TEXT NOT NULL,"
    " invite INTEGER, renews TEXT, via TEXT,"
    " created INTEGER NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'waiting'"
    "  CHECK (state IN ('waiting', 'approved', 'denied')),"
    " decided INTEGER, why TEXT,"
    " UNIQUE (principal, sha256)) STRICT;"
    "CREATE INDEX requests_state ON requests (state);"
    "CREATE TABLE certificates ("
    " serial TEXT PRIMARY KEY, subject TEXT NOT NULL,"
    " key_sha256 BLOB NOT NULL, der BLOB NOT NULL,"
    " principal TEXT NOT NULL, request_sha256 BLOB NOT NULL,"
    " profile TEXT NOT NULL, via TEXT,"
    " issued INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    " status TEXT NOT NULL DEFAULT 'good'"
    "  CHECK (status IN ('good', 'held', 'revoked')),"
    " revoked_at INTEGER, reason INTEGER, invalidity INTEGER,"
    " revoke_salt BLOB, revoke_verifier BLOB,"
    /* Wrong secrets to revoke with, and when they began. */
    " revoke_tries INTEGER NOT NULL DEFAULT 0, revoke_since INTEGER,"
    " confirmed INTEGER NOT NULL DEFAULT 1,"
    " UNIQUE (principal, request_sha256)) STRICT;"
    "CREATE INDEX certificates_key ON certificates (key_sha256);"
    "CREATE INDEX certificates_issued ON certificates (issued);"
    "CREATE INDEX certificates_status ON certificates (status, not_after);"
    "CREATE TABLE talks ("
    " token BLOB PRIMARY KEY, kind TEXT NOT NULL, transaction_id BLOB,"
    " principal TEXT NOT NULL, profile TEXT, invite INTEGER, renews TEXT,"
    " data BLOB, signer BLOB NOT NULL, nonce BLOB, via TEXT,"
    " created INTEGER NOT NULL) STRICT;"
    "CREATE INDEX talks_transaction ON talks (transaction_id);"
    "CREATE INDEX talks_principal ON talks (principal);"
    "CREATE TABLE challenges ("
    " request BLOB NOT NULL, transaction_id BLOB NOT NULL,"
    " y BLOB NOT NULL, invite INTEGER, expires INTEGER NOT NULL,"
    " answered_by BLOB,"
    " PRIMARY KEY (request, transaction_id)) STRICT;"
    /* stale: something was revoked since. */
    "CREATE TABLE crls ("
    " number INTEGER PRIMARY KEY, this_update INTEGER NOT NULL,"
    " next_update INTEGER NOT NULL, der BLOB NOT NULL,"
    " stale INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE anchors (number INTEGER NOT NULL, hash BLOB) STRICT;"
    "INSERT INTO anchors VALUES (0, NULL);"
    "CREATE TABLE audit ("
    " seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " event TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE INDEX audit_event ON audit (event, time);"
    /* Where the log ends, so that a cut shows. */
    "CREATE TABLE audit_head ("
    " id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL,"
    " mac BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
    "PRAGMA user_version = 3;";

int
store_fail(struct store *st, const char *what, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "store-failed",
	    "the authority's database: %s: %s", what, sqlite3_errmsg(st->db));
}

static int
bind(sqlite3_stmt *q, const char *types, va_list ap)
{
	const void *bytes;
	long long number;
	size_t len;
	int i, rv = SQLITE_OK;

	for (i = 1; *types != '\0' && rv == SQLITE_OK; i++, types++) {
		switch (*types) {
		case 't':
			rv = sqlite3_bind_text(q, i, va_arg(ap, const char *),
			    -1, SQLITE_TRANSIENT);
			break;
		case 'i':
			rv = sqlite3_bind_int64(q, i, va_arg(ap, long long));
			break;
		case 'z': /* an id, where 0 is none */
			number = va_arg(ap, long long);
			rv = number != 0 ? sqlite3_bind_int64(q, i, number)
					 : sqlite3_bind_null(q, i);
			break;
		case 'b':
			bytes = va_arg(ap, const void *);
			len = va_arg(ap, size_t);
			rv = sqlite3_bind_blob64(
			    q, i, bytes, len, SQLITE_TRANSIENT);
			break;
		default:
			rv = SQLITE_MISUSE;
		}
	}
	return rv;
}

static int
vquery(struct store *st, sqlite3_stmt **out, struct burin_error *e,
    const char *sql, const char *types, va_list ap)
{
	*out = NULL;
	if (sqlite3_prepare_v2(st->db, sql, -1, out, NULL) != SQLITE_OK)
		return store_fail(st, "prepare", e);
	if (bind(*out, types, ap) != SQLITE_OK) {
		(void)store_fail(st, "bind", e);
		(void)sqlite3_finalize(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

int
store_query(struct store *st, sqlite3_stmt **out, struct burin_error *e,
    const char *sql, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = vquery(st, out, e, sql, types, ap);
	va_end(ap);
	return rc;
}

int
store_exec(struct store *st, struct burin_error *e, const char *sql,
    const char *types, ...)
{
	sqlite3_stmt *q = NULL;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = vquery(st, &q, e, sql, types, ap);
	va_end(ap);
	if (rc == 0 && store_step(st, q, e) < 0)
		rc = -1;
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_step(struct store *st, sqlite3_stmt *q, struct burin_error *e)
{
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return store_fail(st, "step", e);
	}
}

int
store_text(sqlite3_stmt *q, int column, char **out, struct burin_error *e)
{
	const unsigned char *text = sqlite3_column_text(q, column);
	size_t len = (size_t)sqlite3_column_bytes(q, column);

	*out = NULL;
	if (text == NULL)
		return 0;
	if ((*out = malloc(len + 1)) == NULL)
		return burin_fail_memory(e);
	memcpy(*out, text, len);
	(*out)[len] = '\0';
	return 0;
}

int
store_bytes(sqlite3_stmt *q, int column, unsigned char *out, size_t len,
    struct burin_error *e)
{
	const void *bytes = sqlite3_column_blob(q, column);

	if (bytes == NULL || (size_t)sqlite3_column_bytes(q, column) != len)
		return burin_fail(e, BURIN_EINTERNAL, "store-damaged",
		    "the authority's database: %s has a wrong length",
		    sqlite3_column_name(q, column));
	memcpy(out, bytes, len);
	return 0;
}

int
store_blob(sqlite3_stmt *q, int column, unsigned char **out, size_t *len,
    size_t max, struct burin_error *e)
{
	const void *bytes = sqlite3_column_blob(q, column);

	*out = NULL;
	*len = (size_t)sqlite3_column_bytes(q, column);
	if (bytes == NULL)
		return 0;
	if (*len > max)
		return burin_fail(e, BURIN_EINTERNAL, "store-damaged",
		    "the authority's database: %s is too long",
		    sqlite3_column_name(q, column));
	if ((*out = malloc(*len)) == NULL)
		return burin_fail_memory(e);
	memcpy(*out, bytes, *len);
	return 0;
}

/* Makes the file first: SQLite would give it the umask's mode. */
static int
create_file(const char *path, struct burin_error *e)
{
	int fd;

	if ((fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600)) < 0)
		return burin_fail(e, BURIN_EINTERNAL, "store-create",
		    "cannot make %s: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

static int
check_version(struct store *st, const char *path, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	long long version = -1;
	int rc = -1;

	if (store_query(st, &q, e, "PRAGMA user_version", "") != 0 ||
	    store_step(st, q, e) < 0)
		goto out;
	version = sqlite3_column_int64(q, 0);
	if (version != SCHEMA_VERSION) {
		(void)burin_fail(e, BURIN_EINTERNAL, "store-version",
		    "%s has version %lld, this program reads %d", path, version,
		    SCHEMA_VERSION);
		goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

static int
prepare_db(
    struct store *st, const char *path, int create, struct burin_error *e)
{
	if (sqlite3_open_v2(path, &st->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
		NULL) != SQLITE_OK) {
		(void)store_fail(st, path, e);
		return burin_error_advice(
		    e, "name a directory that \"burin authority init\" made");
	}
	if (sqlite3_busy_timeout(st->db, BUSY_MS) != SQLITE_OK ||
	    sqlite3_exec(st->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(st, "settings", e);
	if (create &&
	    sqlite3_exec(st->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(st, "schema", e);
	return check_version(st, path, e);
}

int
store_open(
    const char *dir, int create, struct store **out, struct burin_error *e)
{
	struct store *st = NULL;
	char *path = NULL;
	int rc = -1;

	*out = NULL;
	if (ca_path(dir, "authority.db", &path, e) != 0)
		goto out;
	if (create && create_file(path, e) != 0)
		goto out;
	if ((st = calloc(1, sizeof(*st))) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (pthread_mutex_init(&st->lock, NULL) != 0) {
		(void)burin_fail_memory(e);
		free(st);
		st = NULL;
		goto out;
	}
	if (seal_open(&st->seal, dir, create, e) != 0 ||
	    prepare_db(st, path, create, e) != 0)
		goto out;
	*out = st;
	st = NULL;
	rc = 0;
out:
	store_close(&st);
	free(path);
	return rc;
}

void
store_close(struct store **stp)
{
	struct store *st;

	if (stp == NULL || (st = *stp) == NULL)
		return;
	(void)sqlite3_close(st->db);
	burin_secret_free(&st->seal);
	(void)pthread_mutex_destroy(&st->lock);
	free(st);
	*stp = NULL;
}

int
store_hold_files(struct store *st, struct burin_error *e)
{
	int on = 1;

	/* A transaction opens those of the log. */
	if (store_begin(st, e) != 0 || store_end(st, 0, e) != 0)
		return -1;
	if (sqlite3_file_control(st->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &on) !=
		SQLITE_OK ||
	    sqlite3_exec(st->db, "PRAGMA journal_size_limit = 0", NULL, NULL,
		NULL) != SQLITE_OK)
		return store_fail(st, "settings", e);
	return 0;
}

int
store_begin(struct store *st, struct burin_error *e)
{
	(void)pthread_mutex_lock(&st->lock);
	if (store_exec(st, e, "BEGIN IMMEDIATE", "") == 0)
		return 0;
	(void)pthread_mutex_unlock(&st->lock);
	return -1;
}

int
store_end(struct store *st, int commit, struct burin_error *e)
{
	int rc = 0;

	if (commit)
		rc = store_exec(st, e, "COMMIT", "");
	if ((!commit || rc != 0) && !sqlite3_get_autocommit(st->db))
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	(void)pthread_mutex_unlock(&st->lock);
	return rc;
}
