/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The lists of revoked certificates that were made.
 */

#include <stdlib.h>

#include "store.h"
#include "crl.h"

#define MAX_CRL (64 * 1024 * 1024) /* bytes */

static int
read_crl(sqlite3_stmt *q, X509_CRL **out, struct burin_error *e)
{
	const unsigned char *der = sqlite3_column_blob(q, 0), *p = der;
	int len = sqlite3_column_bytes(q, 0);

	if (der != NULL && len <= MAX_CRL &&
	    (*out = d2i_X509_CRL(NULL, &p, len)) != NULL && p == der + len)
		return 0;
	X509_CRL_free(*out);
	*out = NULL;
	return burin_fail_openssl(e, BURIN_EINTERNAL, "store-damaged",
	    "the authority's database: a CRL cannot be read");
}

int
store_crl_newest(
    struct store *st, X509_CRL **out, int *fresh, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	*out = NULL;
	*fresh = 0;
	if (store_query(st, &q, e,
		"SELECT der, stale FROM crls ORDER BY number DESC LIMIT 1",
		"") != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row) {
		*fresh = sqlite3_column_int(q, 1) == 0;
		if (read_crl(q, out, e) != 0)
			goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_crl_at(struct store *st, time_t at, X509_CRL **out, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	*out = NULL;
	if (store_query(st, &q, e,
		"SELECT der FROM crls WHERE this_update <= ?"
		" ORDER BY number DESC LIMIT 1",
		"i", (long long)at) != 0 ||
	    (row = store_step(st, q, e)) < 0 ||
	    (row && read_crl(q, out, e) != 0))
		goto out;
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_crl_last(struct store *st, struct crl_last *out, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int row, rc = -1;

	out->number = 0;
	out->this_update = 0;
	if (store_query(st, &q, e,
		"SELECT number, this_update FROM crls"
		" ORDER BY number DESC LIMIT 1",
		"") != 0 ||
	    (row = store_step(st, q, e)) < 0)
		goto out;
	if (row) {
		out->number = sqlite3_column_int64(q, 0);
		out->this_update = (time_t)sqlite3_column_int64(q, 1);
	}
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_crl_put(struct store *st, long long number, time_t from, time_t until,
    X509_CRL *crl, struct burin_error *e)
{
	unsigned char *der = NULL;
	int len, rc;

	if ((len = i2d_X509_CRL(crl, &der)) <= 0)
		return burin_fail_memory(e);
	rc = store_exec(st, e,
	    "INSERT INTO crls (number, this_update, next_update, der)"
	    " VALUES (?, ?, ?, ?)",
	    "iiib", number, (long long)from, (long long)until, der,
	    (size_t)len);
	OPENSSL_free(der);
	return rc;
}

int
store_crl_entries(struct store *st, time_t since,
    int (*each)(void *arg, const struct crl_entry *c, struct burin_error *e),
    void *arg, struct burin_error *e)
{
	struct crl_entry c;
	sqlite3_stmt *q = NULL;
	int row = 0, rc = -1;

	if (store_query(st, &q, e,
		"SELECT serial, revoked_at, reason, invalidity"
		" FROM certificates WHERE status IN ('held', 'revoked')"
		" AND not_after >= ? ORDER BY revoked_at, serial",
		"i", (long long)since) != 0)
		goto out;
	while ((row = store_step(st, q, e)) > 0) {
		c.serial = (const char *)sqlite3_column_text(q, 0);
		c.when = (time_t)sqlite3_column_int64(q, 1);
		c.reason = sqlite3_column_int(q, 2);
		c.invalidity = (time_t)sqlite3_column_int64(q, 3);
		if (each(arg, &c, e) != 0)
			goto out;
	}
	rc = row;
out:
	(void)sqlite3_finalize(q);
	return rc;
}
