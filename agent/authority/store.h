/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the authority's store: the database and two helpers over SQLite.
 */

#ifndef BURIN_AUTHORITY_STORE_H
#define BURIN_AUTHORITY_STORE_H

#include <pthread.h>
#include <stdarg.h>

#include <sqlite3.h>

#include "ca.h"

struct store {
	sqlite3 *db;
	pthread_mutex_t lock; /* held from store_begin to store_end */
};

/* "store-failed" with SQLite's reason. */
int store_fail(struct store *st, const char *what, struct burin_error *e);
/*
 * Prepares sql and binds its parameters in order: 't' const char * (NULL
 * is NULL), 'i' long long, 'b' const void * and size_t.
 */
int store_query(struct store *st, sqlite3_stmt **out, struct burin_error *e,
    const char *sql, const char *types, ...);
/* The same, run to its end; for statements that give no rows. */
int store_exec(struct store *st, struct burin_error *e, const char *sql,
    const char *types, ...);
/* 1 a row, 0 no more, -1 with e set. */
int store_step(struct store *st, sqlite3_stmt *q, struct burin_error *e);
/* A copy of a text column, NULL for NULL; -1 when out of memory. */
int store_text(sqlite3_stmt *q, int column, char **out, struct burin_error *e);
/* A blob column of exactly len bytes; "store-damaged" otherwise. */
int store_bytes(sqlite3_stmt *q, int column, unsigned char *out, size_t len,
    struct burin_error *e);

#endif
