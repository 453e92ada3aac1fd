/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Trust anchors that authorities published (trustedAnchors of RFC 10002
 * section 6.15), and the number of the last such message: an older one is a
 * replay.
 */

#include <limits.h>

#include <burin/response.h>

#include "journal_db.h"

int
journal_anchors_seen(
    struct journal *j, const char *server, long *number, struct burin_error *e)
{
	sqlite3_stmt *s;
	int rc, sql;

	*number = -1;
	if (server == NULL)
		return 0;
	if ((s = journal_sql(j, SQL_ANCHORS_SEEN,
		 "SELECT number FROM published WHERE server = ?1;", e)) == NULL)
		return -1;
	(void)sqlite3_bind_text(s, 1, server, -1, SQLITE_STATIC);
	sql = sqlite3_step(s);
	rc = sql == SQLITE_ROW || sql == SQLITE_DONE
	    ? 0
	    : journal_fail(j, "read the published anchors", e);
	if (sql == SQLITE_ROW)
		*number = (long)sqlite3_column_int64(s, 0);
	journal_sql_done(s);
	return rc;
}

int
journal_anchors_keep(struct journal *j, const char *server, const char *job,
    long number, STACK_OF(X509) * anchors, struct burin_error *e)
{
	unsigned char *der = NULL;
	sqlite3_stmt *s;
	size_t len;
	int rc = -1;

	if (server == NULL)
		return 0;
	if (burin_certs_only_make(anchors, &der, &len, e) != 0)
		return -1;
	if (len > INT_MAX ||
	    (s = journal_sql(j, SQL_ANCHORS_KEEP,
		 "INSERT INTO published (server, number, anchors, job) "
		 "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (server) DO UPDATE SET "
		 "number = excluded.number, anchors = excluded.anchors, "
		 "job = excluded.job "
		 "WHERE excluded.number > published.number;",
		 e)) == NULL)
		goto out;
	(void)sqlite3_bind_text(s, 1, server, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(s, 2, number);
	(void)sqlite3_bind_blob(s, 3, der, (int)len, SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 4, job, -1, SQLITE_STATIC);
	rc = sqlite3_step(s) == SQLITE_DONE
	    ? 0
	    : journal_fail(j, "keep the published anchors", e);
	journal_sql_done(s);
out:
	OPENSSL_free(der);
	return rc;
}
