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
	struct burin_secret *seal; /* what DIR/secrets.key holds */
	pthread_mutex_t lock;	   /* held from store_begin to store_end */
};

/*
 * From now on it opens, makes and removes no file: its log is open, and is
 * emptied at the end. By itself.
 */
int store_hold_files(struct store *st, struct burin_error *e);
/* "store-failed" with SQLite's reason. */
int store_fail(struct store *st, const char *what, struct burin_error *e);
/*
 * Prepares sql and binds its parameters in order: 't' const char * (NULL
 * is NULL), 'i' long long, 'z' the same but 0 is NULL, 'b' const void * and
 * size_t (a NULL pointer is NULL).
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
/* A blob column of at most max bytes, NULL for NULL; free() it. */
int store_blob(sqlite3_stmt *q, int column, unsigned char **out, size_t *len,
    size_t max, struct burin_error *e);

/* --- seal.c: what is worth nothing without DIR/secrets.key ---------------- */

int seal_open(struct burin_secret **seal, const char *dir, int create,
    struct burin_error *e);
#define SEAL_EXTRA 28 /* bytes: nonce before, tag behind */
/*
 * AES-256-GCM. context is authenticated with it: a sealed value is good in
 * its own row only. free() *out.
 */
int seal_close(const struct store *st, const void *context, size_t context_len,
    const struct burin_secret *value, unsigned char **out, size_t *len,
    struct burin_error *e);
/* "store-damaged" when it is not what was sealed. */
int seal_break(const struct store *st, const void *context, size_t context_len,
    const unsigned char *sealed, size_t len, struct burin_secret **out,
    struct burin_error *e);
/* HMAC-SHA256 of the parts with a key of this purpose. */
int seal_mac(const struct store *st, const char *purpose, const void *a,
    size_t a_len, const void *b, size_t b_len, unsigned char out[CA_SHA256],
    struct burin_error *e);

#endif
