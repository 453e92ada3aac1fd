/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Conversations of CMC that are not over: what waits, what was challenged,
 * how far the publication of anchors has come.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include <burin/cmc.h>

#include "store.h"

void
talk_clear(struct talk *t)
{
	if (t == NULL)
		return;
	free(t->kind);
	free(t->principal);
	free(t->profile);
	free(t->renews);
	free(t->data);
	free(t->via);
	memset(t, 0, sizeof(*t));
}

int
talk_token(unsigned char token[CA_TOKEN], struct burin_error *e)
{
	if (RAND_bytes(token, CA_TOKEN) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "no-random", "cannot make a token");
	return 0;
}

static int
forget_oldest(struct store *st, const char *principal, struct burin_error *e)
{
	if (store_exec(st, e,
		"DELETE FROM talks WHERE principal = ? AND rowid NOT IN"
		" (SELECT rowid FROM talks WHERE principal = ?"
		" ORDER BY rowid DESC LIMIT ?)",
		"tti", principal, principal, (long long)CA_TALKS) != 0)
		return -1;
	return store_exec(st, e,
	    "DELETE FROM talks WHERE rowid <="
	    " (SELECT rowid FROM talks ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
	    "i", (long long)CA_MAX_TALKS);
}

int
store_talk_put(struct store *st, const struct talk *t, struct burin_error *e)
{
	if (t->transaction_len > sizeof(t->transaction) ||
	    t->nonce_len > sizeof(t->nonce))
		return burin_fail(e, BURIN_EINTERNAL, "store-failed",
		    "a transaction or nonce that is too long");
	if (store_exec(st, e,
		"INSERT OR REPLACE INTO talks (token, kind, transaction_id,"
		" principal, profile, invite, renews, data, signer, nonce, via,"
		" created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"btbttztbbbti", t->token, sizeof(t->token), t->kind,
		t->transaction_len > 0 ? t->transaction : NULL,
		t->transaction_len, t->principal, t->profile, t->invite,
		t->renews, t->data, t->data_len, t->signer, sizeof(t->signer),
		t->nonce_len > 0 ? t->nonce : NULL, t->nonce_len, t->via,
		(long long)t->created) != 0)
		return -1;
	return forget_oldest(st, t->principal, e);
}

/* A blob of at most size bytes into a field; NULL is empty. */
static int
field(sqlite3_stmt *q, int column, unsigned char *out, size_t size, size_t *len,
    struct burin_error *e)
{
	unsigned char *bytes;

	if (store_blob(q, column, &bytes, len, size, e) != 0)
		return -1;
	if (bytes != NULL)
		memcpy(out, bytes, *len);
	free(bytes);
	return 0;
}

#define TALK_COLUMNS                                                      \
	"SELECT token, kind, transaction_id, principal, profile, invite," \
	" renews, data, signer, nonce, via, created FROM talks "

/* Ends q. */
static int
find_talk(struct store *st, sqlite3_stmt *q, struct talk *out, int *found,
    struct burin_error *e)
{
	int row = store_step(st, q, e), rc = row < 0 ? -1 : 0;

	if (row > 0) {
		out->invite = sqlite3_column_int64(q, 5);
		out->created = (time_t)sqlite3_column_int64(q, 11);
		if (store_bytes(q, 0, out->token, CA_TOKEN, e) != 0 ||
		    store_text(q, 1, &out->kind, e) != 0 ||
		    field(q, 2, out->transaction, sizeof(out->transaction),
			&out->transaction_len, e) != 0 ||
		    store_text(q, 3, &out->principal, e) != 0 ||
		    store_text(q, 4, &out->profile, e) != 0 ||
		    store_text(q, 6, &out->renews, e) != 0 ||
		    store_blob(q, 7, &out->data, &out->data_len,
			BURIN_MAX_MESSAGE, e) != 0 ||
		    store_bytes(q, 8, out->signer, CA_SHA256, e) != 0 ||
		    field(q, 9, out->nonce, sizeof(out->nonce), &out->nonce_len,
			e) != 0 ||
		    store_text(q, 10, &out->via, e) != 0) {
			talk_clear(out);
			rc = -1;
		}
	}
	*found = row > 0 && rc == 0;
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_talk_get(struct store *st, const unsigned char token[CA_TOKEN],
    struct talk *out, int *found, struct burin_error *e)
{
	sqlite3_stmt *q;

	memset(out, 0, sizeof(*out));
	*found = 0;
	if (store_query(st, &q, e, TALK_COLUMNS "WHERE token = ?", "b", token,
		(size_t)CA_TOKEN) != 0)
		return -1;
	return find_talk(st, q, out, found, e);
}

int
store_talk_of_transaction(struct store *st, const unsigned char *id, size_t len,
    const char *kind, struct talk *out, int *found, struct burin_error *e)
{
	sqlite3_stmt *q;

	memset(out, 0, sizeof(*out));
	*found = 0;
	if (store_query(st, &q, e,
		TALK_COLUMNS "WHERE transaction_id = ?"
			     " AND kind = coalesce(?, kind)"
			     " ORDER BY rowid DESC LIMIT 1",
		"bt", id, len, kind) != 0)
		return -1;
	return find_talk(st, q, out, found, e);
}

int
store_talk_drop(struct store *st, const unsigned char token[CA_TOKEN],
    struct burin_error *e)
{
	return store_exec(st, e, "DELETE FROM talks WHERE token = ?", "b",
	    token, (size_t)CA_TOKEN);
}

int
store_challenge_put(struct store *st, const struct challenge *c,
    const struct burin_secret *y, struct burin_error *e)
{
	unsigned char *sealed;
	size_t len;
	int rc;

	if (seal_close(st, c->request, CA_SHA256, y, &sealed, &len, e) != 0)
		return -1;
	rc = store_exec(st, e,
	    "INSERT OR REPLACE INTO challenges"
	    " (request, transaction_id, y, invite, expires)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "bbbzi", c->request, (size_t)CA_SHA256,
	    c->transaction_len > 0 ? (const void *)c->transaction : "",
	    c->transaction_len, sealed, len, c->invite, (long long)c->expires);
	free(sealed);
	return rc;
}

int
store_challenge_take(struct store *st, const struct challenge *c, time_t now,
    struct burin_secret **y, struct burin_error *e)
{
	const void *id =
	    c->transaction_len > 0 ? (const void *)c->transaction : "";
	unsigned char *sealed = NULL;
	sqlite3_stmt *q = NULL;
	size_t len = 0;
	int row, rc = -1;

	*y = NULL;
	if (store_query(st, &q, e,
		"SELECT y FROM challenges WHERE request = ?"
		" AND transaction_id = ? AND expires > ?"
		" AND (answered_by IS NULL OR answered_by = ?)",
		"bbib", c->request, (size_t)CA_SHA256, id, c->transaction_len,
		(long long)now, c->answer, (size_t)CA_SHA256) != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row &&
	    store_blob(q, 0, &sealed, &len, SEAL_EXTRA + BURIN_SECRET_MAX, e) !=
		0)
		goto out;
	/* Another message with the same y would be a replay. */
	if (store_exec(st, e,
		"UPDATE challenges SET answered_by = ? WHERE request = ?"
		" AND transaction_id = ? AND answered_by IS NULL",
		"bbb", c->answer, (size_t)CA_SHA256, c->request,
		(size_t)CA_SHA256, id, c->transaction_len) != 0)
		goto out;
	rc = 0;
	if (sealed != NULL)
		rc = seal_break(st, c->request, CA_SHA256, sealed, len, y, e);
out:
	free(sealed);
	(void)sqlite3_finalize(q);
	return rc;
}

/*
 * Minutes since 1970 where that is more: the numbers of an authority that was
 * made anew in the place of another one go on from there.
 */
int
store_anchors_number(struct store *st, const unsigned char set[CA_SHA256],
    time_t now, long long *number, int *fresh, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	*number = 0;
	*fresh = 0;
	if (store_exec(st, e,
		"UPDATE anchors SET hash = ?, number = max(number + 1, ?)"
		" WHERE hash IS NOT ?",
		"bib", set, (size_t)CA_SHA256, (long long)now / 60, set,
		(size_t)CA_SHA256) != 0)
		return -1;
	*fresh = sqlite3_changes(st->db) > 0;
	if (store_query(st, &q, e, "SELECT number FROM anchors", "") == 0 &&
	    store_step(st, q, e) > 0) {
		*number = sqlite3_column_int64(q, 0);
		rc = 0;
	}
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_sweep(struct store *st, time_t now, time_t keep, struct burin_error *e)
{
	if (store_exec(st, e, "DELETE FROM talks WHERE created <= ?", "i",
		(long long)(now - keep)) != 0 ||
	    store_exec(st, e, "DELETE FROM challenges WHERE expires <= ?", "i",
		(long long)now) != 0)
		return -1;
	/* Anybody may have written it, and nothing hangs on it. */
	if (store_exec(st, e,
		"DELETE FROM requests WHERE principal GLOB '" STORE_MAIL "*'"
		" AND ((state = 'waiting' AND created <= ?1)"
		"  OR (state = 'denied' AND coalesce(decided, created) <= ?1))",
		"i", (long long)(now - keep)) != 0)
		return -1;
	/*
	 * A client that died before it read the answer comes again with the
	 * same message, and proves itself with the same secret.
	 */
	return store_exec(st, e,
	    "UPDATE invites SET secret = NULL WHERE secret IS NOT NULL"
	    " AND NOT EXISTS (SELECT 1 FROM talks WHERE invite = invites.id)"
	    /* Denied, it would be free again. */
	    " AND NOT EXISTS (SELECT 1 FROM requests"
	    "  WHERE invite = invites.id AND state = 'waiting')"
	    " AND NOT EXISTS"
	    "  (SELECT 1 FROM challenges WHERE invite = invites.id)"
	    " AND ((used_by IS NULL AND expires <= ?)"
	    "  OR (used_by IS NOT NULL AND used_at <= ?))",
	    "ii", (long long)now, (long long)(now - CA_GRACE));
}
