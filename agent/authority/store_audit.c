/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The audit log: lines are only ever added, and each one's hash covers the
 * hash of the line before, so that a change in the middle shows.
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

int
store_audit(struct store *st, struct burin_error *e, const char *event,
    const char *fmt, ...)
{
	unsigned char before[CA_SHA256], hash[CA_SHA256];
	char detail[MAX_DETAIL];
	struct line l;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	one_line(detail);
	if (last_line(st, &l.seq, before, e) != 0)
		return -1;
	l.seq++;
	l.before = before;
	l.time = (long long)time(NULL);
	l.event = event;
	l.detail = detail;
	if (hash_line(&l, hash) != 0)
		return burin_fail_memory(e);
	return store_exec(st, e,
	    "INSERT INTO audit (seq, time, event, detail, hash)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "iittb", l.seq, l.time, event, detail, hash, sizeof(hash));
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

int
store_audit_verify(struct store *st, struct burin_error *e)
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
		(void)burin_fail(e, BURIN_EINTERNAL, "audit-broken",
		    "line %lld of the audit log does not fit the one before",
		    seq);
		(void)burin_error_advice(
		    e, "somebody changed authority.db: compare with a backup");
		goto out;
	}
	rc = row < 0 ? -1 : 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}
