/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How many: what a status page shows.
 */

#include <string.h>

#include "store.h"

#define DAY (24 * 60 * 60)

/* One number each; the parameter is the time. */
static const struct number {
	size_t at; /* in struct counts */
	const char *sql;
} numbers[] = {
#define CERTS "SELECT count(*) FROM certificates WHERE "
	{ offsetof(struct counts, good),
	    CERTS "status = 'good' AND not_after > ?" },
	{ offsetof(struct counts, held),
	    CERTS "status = 'held' AND not_after > ?" },
	{ offsetof(struct counts, revoked),
	    CERTS "status = 'revoked' AND not_after > ?" },
	{ offsetof(struct counts, expired), CERTS "not_after <= ?" },
	{ offsetof(struct counts, expiring),
	    CERTS "status = 'good' AND not_after > ?1"
		  " AND not_after <= ?1 + 30 * 86400" },
	{ offsetof(struct counts, unconfirmed),
	    CERTS "status = 'good' AND not_after > ? AND confirmed = 0" },
#undef CERTS
	{ offsetof(struct counts, waiting),
	    "SELECT count(*) FROM requests WHERE state = 'waiting'" },
	{ offsetof(struct counts, approved),
	    "SELECT count(*) FROM requests WHERE state = 'approved'" },
	{ offsetof(struct counts, denied),
	    "SELECT count(*) FROM requests WHERE state = 'denied'" },
	{ offsetof(struct counts, invites),
	    "SELECT count(*) FROM invites"
	    " WHERE used_by IS NULL AND expires > ?" },
	{ offsetof(struct counts, talks), "SELECT count(*) FROM talks" },
	{ offsetof(struct counts, challenges),
	    "SELECT count(*) FROM challenges WHERE expires > ?" },
	{ offsetof(struct counts, issued),
	    "SELECT count(*) FROM audit WHERE event = 'issued'" },
	{ offsetof(struct counts, refused),
	    "SELECT count(*) FROM audit WHERE event = 'refused'" },
	{ offsetof(struct counts, revocations),
	    "SELECT count(*) FROM audit WHERE event IN ('revoked', 'held')" },
	{ offsetof(struct counts, failed),
	    "SELECT count(*) FROM audit WHERE event = 'proof-failed'" },
	{ offsetof(struct counts, crl_made),
	    "SELECT coalesce(max(this_update), 0) FROM crls" },
	{ offsetof(struct counts, crl_next),
	    "SELECT coalesce(max(next_update), 0) FROM crls" },
};

static int
count_one(struct store *st, const struct number *n, time_t now,
    struct counts *out, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	long long value;
	int rc = -1;

	if (store_query(st, &q, e, n->sql,
		strchr(n->sql, '?') != NULL ? "i" : "", (long long)now) != 0 ||
	    store_step(st, q, e) <= 0)
		goto out;
	value = sqlite3_column_int64(q, 0);
	memcpy((char *)out + n->at, &value, sizeof(value));
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

/* sql gives a time as its first parameter wants it, and a number. */
static int
per_day(struct store *st, const char *sql, time_t now,
    long long days[COUNT_DAYS], struct burin_error *e)
{
	long long first = (long long)now / DAY - (COUNT_DAYS - 1), day;
	sqlite3_stmt *q;
	int row;

	if (store_query(st, &q, e, sql, "i", first * DAY) != 0)
		return -1;
	while ((row = store_step(st, q, e)) > 0) {
		day = sqlite3_column_int64(q, 0) - first;
		if (day >= 0 && day < COUNT_DAYS)
			days[day] = sqlite3_column_int64(q, 1);
	}
	(void)sqlite3_finalize(q);
	return row;
}

int
store_counts(
    struct store *st, time_t now, struct counts *out, struct burin_error *e)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (count_one(st, &numbers[i], now, out, e) != 0)
			return -1;
	if (per_day(st,
		"SELECT issued / 86400, count(*) FROM certificates"
		" WHERE issued >= ? GROUP BY 1",
		now, out->issued_on, e) != 0)
		return -1;
	return per_day(st,
	    "SELECT time / 86400, count(*) FROM audit"
	    " WHERE event = 'refused' AND time >= ? GROUP BY 1",
	    now, out->refused_on, e);
}
