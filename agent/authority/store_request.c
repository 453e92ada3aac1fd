/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that the operator decides about.
 */

#include <string.h>

#include "store.h"

static enum waiting
state_of(const char *text)
{
	if (text != NULL && strcmp(text, "approved") == 0)
		return WAITING_APPROVED;
	if (text != NULL && strcmp(text, "waiting") == 0)
		return WAITING_PENDING;
	return WAITING_DENIED;
}

int
store_request_state(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], enum waiting *state, char **why,
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	*state = WAITING_NEW;
	*why = NULL;
	if (store_query(st, &q, e,
		"SELECT state, why FROM requests"
		" WHERE principal = ? AND sha256 = ?",
		"tb", principal, request, (size_t)CA_SHA256) != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row) {
		*state = state_of((const char *)sqlite3_column_text(q, 0));
		if (store_text(q, 1, why, e) != 0)
			goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

/* The number that sql asks for, of this principal unless NULL. */
static int
count(struct store *st, const char *sql, const char *principal, long long *n,
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	if (store_query(
		st, &q, e, sql, principal != NULL ? "t" : "", principal) == 0 &&
	    store_step(st, q, e) > 0) {
		*n = sqlite3_column_int64(q, 0);
		rc = 0;
	}
	(void)sqlite3_finalize(q);
	return rc;
}

#define WAITING "SELECT count(*) FROM requests WHERE state = 'waiting' AND "

/* A mail is from anybody, who takes the room of nobody else so. */
static int
all_have_room(
    struct store *st, const struct waiting_new *in, struct burin_error *e)
{
	int mailed =
	    strncmp(in->principal, STORE_MAIL, strlen(STORE_MAIL)) == 0;
	long long all;

	if (count(st,
		mailed ? WAITING "principal GLOB '" STORE_MAIL "*'"
		       : WAITING "principal NOT GLOB '" STORE_MAIL "*'",
		NULL, &all, e) != 0)
		return -1;
	if (all < (mailed ? CA_MAX_MAILED : CA_MAX_WAITING))
		return 0;
	return burin_fail(e, BURIN_EAUTHORITY, "waiting-full",
	    "%lld requests%s wait for the authority's operator, and no more "
	    "may",
	    all, mailed ? " that came by mail" : "");
}

static int
has_room(struct store *st, const struct waiting_new *in, struct burin_error *e)
{
	long long own;

	if (count(st, WAITING "principal = ?", in->principal, &own, e) != 0)
		return -1;
	if (own >= in->limit) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "too-many-waiting",
		    "%lld requests of yours wait for the authority's operator, "
		    "and no more may",
		    own);
		return burin_error_advice(
		    e, "come again when some of them are decided");
	}
	return all_have_room(st, in, e);
}

int
store_request_put(
    struct store *st, const struct waiting_new *in, struct burin_error *e)
{
	if (has_room(st, in, e) != 0)
		return -1;
	return store_exec(st, e,
	    "INSERT INTO requests (principal, sha256, profile, subject, der,"
	    " form, invite, renews, via, created)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "tbttbtztti", in->principal, in->request, (size_t)CA_SHA256,
	    in->profile, in->subject, in->der, in->der_len, in->form,
	    in->invite, in->renews, in->via, (long long)in->now);
}

/*
 * The invite of a request that was denied, when nothing else came of it: no
 * certificate, and no other request that waits or is approved.
 */
static int
free_invite(struct store *st, long long id, int *freed, struct burin_error *e)
{
	if (store_exec(st, e,
		"UPDATE invites SET used_by = NULL, used_at = NULL WHERE id ="
		" (SELECT invite FROM requests WHERE id = ?)"
		" AND NOT EXISTS (SELECT 1 FROM requests"
		"  WHERE invite = invites.id AND state <> 'denied')"
		" AND NOT EXISTS (SELECT 1 FROM certificates"
		"  WHERE principal = 'invite:' || invites.id"
		"  OR principal IN (SELECT principal FROM requests"
		"   WHERE invite = invites.id))",
		"i", id) != 0)
		return -1;
	*freed = sqlite3_changes(st->db) == 1;
	return 0;
}

static int
decide(struct store *st, long long id, const char *state, const char *why,
    time_t now, struct burin_error *e)
{
	if (store_exec(st, e,
		"UPDATE requests SET state = ?, why = ?, decided = ?"
		" WHERE id = ? AND state = 'waiting'",
		"ttii", state, why, (long long)now, id) != 0)
		return -1;
	if (sqlite3_changes(st->db) != 1) {
		(void)burin_fail(e, BURIN_EUSAGE, "request-missing",
		    "no request %lld waits for approval", id);
		return burin_error_advice(
		    e, "\"burin authority pending\" lists those that wait");
	}
	return 0;
}

int
store_request_approve(
    struct store *st, long long id, time_t now, struct burin_error *e)
{
	if (decide(st, id, "approved", NULL, now, e) != 0)
		return -1;
	return store_audit(st, e, "approved", "request %lld", id);
}

int
store_request_deny(struct store *st, long long id, const char *why, time_t now,
    struct burin_error *e)
{
	int freed;

	if (decide(st, id, "denied", why, now, e) != 0 ||
	    free_invite(st, id, &freed, e) != 0)
		return -1;
	return store_audit(st, e, "denied", "request %lld%s%s%s", id,
	    freed ? " (its invite is free again)" : "", why != NULL ? ": " : "",
	    why != NULL ? why : "");
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
		" lower(hex(sha256)), form, coalesce(via, '-') FROM requests"
		" WHERE state = 'waiting' ORDER BY id",
		"") != 0)
		goto out;
	while ((row = store_step(st, q, e)) > 0) {
		w.id = sqlite3_column_int64(q, 0);
		w.since = (time_t)sqlite3_column_int64(q, 1);
		w.who = (const char *)sqlite3_column_text(q, 2);
		w.profile = (const char *)sqlite3_column_text(q, 3);
		w.subject = (const char *)sqlite3_column_text(q, 4);
		w.sha256 = (const char *)sqlite3_column_text(q, 5);
		w.form = (const char *)sqlite3_column_text(q, 6);
		w.via = (const char *)sqlite3_column_text(q, 7);
		each(arg, &w);
	}
	rc = row < 0 ? -1 : 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}
