/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Invites in the authority's store, each with its sealed secret.
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
	free(in->subject);
	OPENSSL_cleanse(in, sizeof(*in));
}

/* What the sealed secret is bound to: the salt is of this row only. */
static int
seal(struct store *st, const struct invite *in,
    const struct burin_secret *secret, unsigned char **out, size_t *len,
    struct burin_error *e)
{
	return seal_close(st, in->salt, sizeof(in->salt), secret, out, len, e);
}

int
store_invite_put(struct store *st, struct invite *in,
    const struct burin_secret *secret, struct burin_error *e)
{
	unsigned char *sealed = NULL;
	size_t len;
	int rc = -1;

	if (seal(st, in, secret, &sealed, &len, e) != 0)
		return -1;
	if (store_exec(st, e, "DELETE FROM invites WHERE name = ?", "t",
		in->name) != 0 ||
	    store_exec(st, e,
		"INSERT INTO invites (name, salt, verifier, ha1, profile,"
		" identity, subject, created, expires, secret)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"tbbbtttiib", in->name, in->salt, sizeof(in->salt),
		in->verifier, sizeof(in->verifier), in->ha1, sizeof(in->ha1),
		in->profile, in->identity, in->subject, (long long)in->created,
		(long long)in->expires, sealed, len) != 0)
		goto out;
	in->id = sqlite3_last_insert_rowid(st->db);
	rc = 0;
out:
	free(sealed);
	return rc;
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
	    store_text(q, 6, &out->identity, e) != 0 ||
	    store_text(q, 10, &out->subject, e) != 0)
		return -1;
	return out->used
	    ? store_bytes(q, 9, out->used_by, sizeof(out->used_by), e)
	    : 0;
}

#define INVITE_COLUMNS                                             \
	"SELECT id, name, salt, verifier, ha1, profile, identity," \
	" created, expires, used_by, subject FROM invites "

static int
find_invite(struct store *st, sqlite3_stmt *q, struct invite *out, int *found,
    struct burin_error *e)
{
	int rc = -1;

	if ((*found = store_step(st, q, e)) < 0)
		goto out;
	if (*found && read_invite(q, out, e) != 0) {
		invite_clear(out);
		goto out;
	}
	rc = 0;
out:
	if (rc != 0)
		*found = 0;
	return rc;
}

int
store_invite_get(struct store *st, const char *name, struct invite *out,
    int *found, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	*found = 0;
	rc = store_query(st, &q, e, INVITE_COLUMNS "WHERE name = ?", "t", name);
	if (rc == 0)
		rc = find_invite(st, q, out, found, e);
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_invite_of_id(struct store *st, long long id, struct invite *out,
    int *found, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	*found = 0;
	rc = store_query(st, &q, e, INVITE_COLUMNS "WHERE id = ?", "i", id);
	if (rc == 0)
		rc = find_invite(st, q, out, found, e);
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_invite_secret(struct store *st, long long id, struct burin_secret **out,
    struct burin_error *e)
{
	unsigned char salt[CA_SALT], *sealed = NULL;
	sqlite3_stmt *q = NULL;
	size_t len = 0;
	int row, rc = -1;

	*out = NULL;
	if (store_query(st, &q, e,
		"SELECT salt, secret FROM invites WHERE id = ?", "i",
		id) != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row &&
	    (store_bytes(q, 0, salt, sizeof(salt), e) != 0 ||
		store_blob(q, 1, &sealed, &len, SEAL_EXTRA + BURIN_SECRET_MAX,
		    e) != 0))
		goto out;
	rc = 0;
	if (sealed != NULL)
		rc = seal_break(st, salt, sizeof(salt), sealed, len, out, e);
out:
	free(sealed);
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_invite_use(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e)
{
	return store_exec(st, e,
	    "UPDATE invites SET used_by = ?, used_at = coalesce(used_at, ?)"
	    " WHERE id = ?",
	    "bii", use, (size_t)CA_SHA256, (long long)now, id);
}

int
store_invite_spend(
    struct store *st, long long id, time_t now, struct burin_error *e)
{
	return store_exec(st, e,
	    "UPDATE invites SET expires = min(expires, ?) WHERE id = ?", "ii",
	    (long long)now, id);
}

int
store_invite_reserve(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e)
{
	return store_exec(st, e,
	    "UPDATE invites SET expires = CASE WHEN used_by IS NULL"
	    " THEN expires ELSE min(expires, ?) END, used_by = ?,"
	    " used_at = coalesce(used_at, ?) WHERE id = ?",
	    "ibii", (long long)now, use, (size_t)CA_SHA256, (long long)now, id);
}

int
store_invite_release(struct store *st, long long id,
    const unsigned char use[CA_SHA256], time_t now, struct burin_error *e)
{
	return store_exec(st, e,
	    "UPDATE invites SET used_by = NULL, used_at = NULL"
	    " WHERE id = ? AND used_by = ? AND expires > ?",
	    "ibi", id, use, (size_t)CA_SHA256, (long long)now);
}
