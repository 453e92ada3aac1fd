/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The audit log: lines are only ever added, and each one's hash covers the
 * hash of the line before, so that a change in the middle shows. Where the log
 * ends is kept in a row of its own under a MAC, so that a cut shows too.
 */

#include <stdio.h>
#include <string.h>

#include "store.h"

#define MAX_DETAIL 1024 /* bytes of one line's text */

/* What one line's hash covers, in order; lengths make it unambiguous. */
struct line {
	const unsigned char *before; /* hash of the line before */
	long long seq, time;
	const char *event, *detail;
};

static int
hash_line(const struct line *l, unsigned char out[CA_SHA256])
{
	char head[128];
	EVP_MD_CTX *ctx;
	int n, ok;

	n = snprintf(head, sizeof(head), "%lld %lld %zu %zu ", l->seq, l->time,
	    strlen(l->event), strlen(l->detail));
	if (n < 0 || (size_t)n >= sizeof(head) ||
	    (ctx = EVP_MD_CTX_new()) == NULL)
		return -1;
	ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(ctx, l->before, CA_SHA256) &&
	    EVP_DigestUpdate(ctx, head, (size_t)n) &&
	    EVP_DigestUpdate(ctx, l->event, strlen(l->event)) &&
	    EVP_DigestUpdate(ctx, l->detail, strlen(l->detail)) &&
	    EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* Hash and number of the last line; zeroes and 0 when there is none. */
static int
last_line(struct store *st, long long *seq, unsigned char hash[CA_SHA256],
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	*seq = 0;
	memset(hash, 0, CA_SHA256);
	if (store_query(st, &q, e,
		"SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
		"") != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row) {
		*seq = sqlite3_column_int64(q, 0);
		if (store_bytes(q, 1, hash, CA_SHA256, e) != 0)
			goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

/* One printable line: the log is read by people and by scripts. */
static void
one_line(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

/* The MAC of the end of the log. */
static int
head_mac(struct store *st, long long seq, const unsigned char hash[CA_SHA256],
    unsigned char mac[CA_SHA256], struct burin_error *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", seq);

	return seal_mac(st, "audit", text, (size_t)n, hash, CA_SHA256, mac, e);
}

static int
add_line(struct store *st, const struct line *l, struct burin_error *e)
{
	unsigned char hash[CA_SHA256], mac[CA_SHA256];

	if (hash_line(l, hash) != 0)
		return burin_fail_memory(e);
	if (head_mac(st, l->seq, hash, mac, e) != 0 ||
	    store_exec(st, e,
		"INSERT INTO audit (seq, time, event, detail, hash)"
		" VALUES (?, ?, ?, ?, ?)",
		"iittb", l->seq, l->time, l->event, l->detail, hash,
		sizeof(hash)) != 0)
		return -1;
	return store_exec(st, e,
	    "INSERT OR REPLACE INTO audit_head (id, seq, mac) VALUES (1, ?, ?)",
	    "ib", l->seq, mac, sizeof(mac));
}

static int vaudit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, va_list ap) BURIN_PRINTF(4, 0);

static int
vaudit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, va_list ap)
{
	unsigned char before[CA_SHA256];
	char detail[MAX_DETAIL];
	struct line l;

	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	one_line(detail);
	if (last_line(st, &l.seq, before, e) != 0)
		return -1;
	l.seq++;
	l.before = before;
	l.time = (long long)time(NULL);
	l.event = event;
	l.detail = detail;
	return add_line(st, &l, e);
}

int
store_audit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = vaudit(st, e, event, fmt, ap);
	va_end(ap);
	return rc;
}

int
store_note(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...)
{
	va_list ap;
	int rc;

	if (store_begin(st, e) != 0)
		return -1;
	va_start(ap, fmt);
	rc = vaudit(st, e, event, fmt, ap);
	va_end(ap);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

static int
check_line(sqlite3_stmt *q, long long seq, unsigned char before[CA_SHA256])
{
	unsigned char hash[CA_SHA256], stored[CA_SHA256];
	struct line l;

	l.before = before;
	l.seq = sqlite3_column_int64(q, 0);
	l.time = sqlite3_column_int64(q, 1);
	l.event = (const char *)sqlite3_column_text(q, 2);
	l.detail = (const char *)sqlite3_column_text(q, 3);
	if (l.seq != seq || l.event == NULL || l.detail == NULL ||
	    store_bytes(q, 4, stored, sizeof(stored), NULL) != 0 ||
	    hash_line(&l, hash) != 0 ||
	    CRYPTO_memcmp(hash, stored, sizeof(hash)) != 0)
		return -1;
	memcpy(before, stored, sizeof(stored));
	return 0;
}

static int
changed(const char *code, struct burin_error *e, long long seq, const char *how)
{
	(void)burin_fail(e, BURIN_EINTERNAL, code,
	    "line %lld of the audit log %s", seq, how);
	return burin_error_advice(
	    e, "somebody changed authority.db: compare with a backup");
}

/* The log ends where its head says. */
static int
check_head(struct store *st, long long seq, const unsigned char hash[CA_SHA256],
    struct burin_error *e)
{
	unsigned char mac[CA_SHA256], kept[CA_SHA256];
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	if (head_mac(st, seq, hash, mac, e) != 0 ||
	    store_query(st, &q, e, "SELECT mac FROM audit_head", "") != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row && store_bytes(q, 0, kept, sizeof(kept), e) != 0)
		goto out;
	if (row == (seq > 0) &&
	    (!row || CRYPTO_memcmp(kept, mac, sizeof(mac)) == 0))
		rc = 0;
	else
		(void)changed("audit-cut", e, seq, "is not its end");
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_audit_verify(
    struct store *st, struct audit_head *head, struct burin_error *e)
{
	unsigned char before[CA_SHA256] = { 0 };
	sqlite3_stmt *q = NULL;
	long long seq = 0;
	int row, rc = -1;

	if (store_query(st, &q, e,
		"SELECT seq, time, event, detail, hash FROM audit ORDER BY seq",
		"") != 0)
		goto out;
	while ((row = store_step(st, q, e)) > 0) {
		if (check_line(q, ++seq, before) == 0)
			continue;
		(void)changed(
		    "audit-broken", e, seq, "does not fit the one before");
		goto out;
	}
	if (row < 0 || check_head(st, seq, before, e) != 0)
		goto out;
	if (head != NULL) {
		head->lines = seq;
		memcpy(head->hash, before, sizeof(before));
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_audit_each(struct store *st,
    void (*each)(void *arg, const struct authority_line *l), void *arg,
    struct burin_error *e)
{
	struct authority_line l;
	sqlite3_stmt *q;
	int row;

	if (store_query(st, &q, e,
		"SELECT seq, time, event, detail FROM audit ORDER BY seq",
		"") != 0)
		return -1;
	while ((row = store_step(st, q, e)) > 0) {
		l.seq = sqlite3_column_int64(q, 0);
		l.time = (time_t)sqlite3_column_int64(q, 1);
		l.event = (const char *)sqlite3_column_text(q, 2);
		l.detail = (const char *)sqlite3_column_text(q, 3);
		each(arg, &l);
	}
	(void)sqlite3_finalize(q);
	return row;
}
