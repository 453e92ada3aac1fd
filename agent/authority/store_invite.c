/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Invites and waiting requests in the authority's store.
 */

#include <stdlib.h>
#include <string.h>

#include "store.h"

void
invite_clear(struct invite *in)
{
	if (in == NULL)
		return;
	free(in->name);
	free(in->profile);
	free(in->identity);
	OPENSSL_cleanse(in, sizeof(*in));
}

int
store_invite_put(struct store *st, struct invite *in, struct burin_error *e)
{
	if (store_exec(st, e, "DELETE FROM invites WHERE name = ?", "t",
		in->name) != 0 ||
	    store_exec(st, e,
		"INSERT INTO invites (name, salt, verifier, ha1, profile,"
		" identity, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"tbbbttii", in->name, in->salt, sizeof(in->salt), in->verifier,
		sizeof(in->verifier), in->ha1, sizeof(in->ha1), in->profile,
		in->identity, (long long)in->created,
		(long long)in->expires) != 0)
		return -1;
	in->id = sqlite3_last_insert_rowid(st->db);
	return 0;
}

static int
read_invite(sqlite3_stmt *q, struct invite *out, struct burin_error *e)
{
	out->id = sqlite3_column_int64(q, 0);
	out->created = (time_t)sqlite3_column_int64(q, 7);
	out->expires = (time_t)sqlite3_column_int64(q, 8);
	out->used = sqlite3_column_type(q, 9) != SQLITE_NULL;
	if (store_text(q, 1, &out->name, e) != 0 ||
	    store_bytes(q, 2, out->salt, sizeof(out->salt), e) != 0 ||
	    store_bytes(q, 3, out->verifier, sizeof(out->verifier), e) != 0 ||
	    store_bytes(q, 4, out->ha1, sizeof(out->ha1), e) != 0 ||
	    store_text(q, 5, &out->profile, e) != 0 ||
	    store_text(q, 6, &out->identity, e) != 0)
		return -1;
	return out->used
	    ? store_bytes(q, 9, out->used_by, sizeof(out->used_by), e)
	    : 0;
}

int
store_invite_get(struct store *st, const char *name, struct invite *out,
    int *found, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	*found = 0;
	if (store_query(st, &q, e,
		"SELECT id, name, salt, verifier, ha1, profile, identity,"
		" created, expires, used_by FROM invites WHERE name = ?",
		"t", name) != 0 ||
	    (*found = store_step(st, q, e)) < 0)
		goto out;
	if (*found && read_invite(q, out, e) != 0) {
		invite_clear(out);
		*found = 0;
		goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_invite_use(struct store *st, long long id,
    const unsigned char request[CA_SHA256], struct burin_error *e)
{
	return store_exec(st, e, "UPDATE invites SET used_by = ? WHERE id = ?",
	    "bi", request, (size_t)CA_SHA256, id);
}

int
store_request_state(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], enum waiting *state,
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	*state = WAITING_NEW;
	if (store_query(st, &q, e,
		"SELECT approved FROM requests"
		" WHERE principal = ? AND sha256 = ?",
		"tb", principal, request, (size_t)CA_SHA256) != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row)
		*state = sqlite3_column_type(q, 0) == SQLITE_NULL
		    ? WAITING_PENDING
		    : WAITING_APPROVED;
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_request_put(
    struct store *st, const struct waiting_new *in, struct burin_error *e)
{
	return store_exec(st, e,
	    "INSERT INTO requests (principal, sha256, profile, subject,"
	    " created) VALUES (?, ?, ?, ?, ?)",
	    "tbtti", in->principal, in->request, (size_t)CA_SHA256, in->profile,
	    in->subject, (long long)in->now);
}

int
store_request_approve(
    struct store *st, long long id, time_t now, struct burin_error *e)
{
	if (store_exec(st, e,
		"UPDATE requests SET approved = ?"
		" WHERE id = ? AND approved IS NULL",
		"ii", (long long)now, id) != 0)
		return -1;
	if (sqlite3_changes(st->db) == 1)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "request-missing",
	    "no request %lld waits for approval", id);
	return burin_error_advice(
	    e, "\"burin authority pending\" lists those that wait");
}

int
store_request_each(struct store *st,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e)
{
	struct authority_waiting w;
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	if (store_query(st, &q, e,
		"SELECT id, created, principal, profile, subject,"
		" lower(hex(sha256)) FROM requests WHERE approved IS NULL"
		" ORDER BY id",
		"") != 0)
		goto out;
	while ((row = store_step(st, q, e)) > 0) {
		w.id = sqlite3_column_int64(q, 0);
		w.since = (time_t)sqlite3_column_int64(q, 1);
		w.who = (const char *)sqlite3_column_text(q, 2);
		w.profile = (const char *)sqlite3_column_text(q, 3);
		w.subject = (const char *)sqlite3_column_text(q, 4);
		w.sha256 = (const char *)sqlite3_column_text(q, 5);
		each(arg, &w);
	}
	rc = row < 0 ? -1 : 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}
