/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A job and its columns. One list of them; freeing, binding, reading and
 * the text of statements are made from it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "journal_db.h"

static const char *const state_names[] = {
	[JOB_PLANNED] = "planned",
	[JOB_KEY_MADE] = "key-made",
	[JOB_REQUESTED] = "requested",
	[JOB_SENT] = "sent",
	[JOB_PENDING] = "pending",
	[JOB_RECEIVED] = "received",
	[JOB_CHECKED] = "checked",
	[JOB_WRITTEN] = "written",
	[JOB_CONFIRMED] = "confirmed",
	[JOB_DONE] = "done",
	[JOB_FAILED] = "failed",
	[JOB_REFUSED] = "refused",
};
#define N_STATES (sizeof(state_names) / sizeof(state_names[0]))

enum column_kind {
	C_ID,
	C_STATE,
	C_TEXT,
	C_BLOB,
	C_TIME,
	C_INT,
	C_ERROR,
	C_CALLS,
	C_SECONDS
};

#define C(kind, name)                                   \
	{                                               \
#name, kind, offsetof(struct job, name) \
	}
static const struct column {
	const char *name;
	enum column_kind kind;
	size_t offset;
} columns[] = {
	C(C_ID, id),
	C(C_STATE, state),
	C(C_TIME, created),
	C(C_TIME, updated),
	C(C_TEXT, verb),
	C(C_TEXT, plan),
	C(C_TEXT, token_uri),
	C(C_TEXT, token_label),
	C(C_TEXT, token_serial),
	C(C_BLOB, made_id),
	C(C_BLOB, key_id),
	C(C_BLOB, public_key),
	C(C_TEXT, key_uri),
	C(C_INT, key_made_by_us),
	C(C_BLOB, request),
	C(C_BLOB, response),
	C(C_BLOB, certificate),
	C(C_BLOB, chain),
	C(C_BLOB, cert_replaced),
	C(C_TEXT, server),
	C(C_TEXT, pend_token),
	C(C_TIME, retry_at),
	C(C_BLOB, transaction_id),
	C(C_BLOB, sender_nonce),
	C(C_BLOB, recipient_nonce),
	C(C_ERROR, error),
	C(C_CALLS, calls),
	C(C_SECONDS, seconds),
	C(C_BLOB, key_before),
	C(C_BLOB, message),
	C(C_BLOB, pop_random),
	C(C_INT, confirm),
};
#undef C
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

const char *
job_state_name(enum job_state s)
{
	return (size_t)s < N_STATES ? state_names[s] : "unknown";
}

int
job_state_final(enum job_state s)
{
	return s == JOB_DONE || s == JOB_FAILED || s == JOB_REFUSED;
}

int
blob_set(struct blob *b, const void *data, size_t len, struct burin_error *e)
{
	unsigned char *copy = NULL;

	if (len > 0) {
		if ((copy = malloc(len)) == NULL)
			return burin_fail_memory(e);
		memcpy(copy, data, len);
	}
	free(b->data);
	b->data = copy;
	b->len = len;
	return 0;
}

void
blob_clear(struct blob *b)
{
	free(b->data);
	b->data = NULL;
	b->len = 0;
}

void
job_clear(struct job *job)
{
	size_t i;

	for (i = 0; i < N_COLUMNS; i++) {
		char *field = (char *)job + columns[i].offset;

		if (columns[i].kind == C_TEXT)
			free(*(char **)(void *)field);
		else if (columns[i].kind == C_BLOB)
			blob_clear((struct blob *)(void *)field);
	}
	memset(job, 0, sizeof(*job));
}

/* --- the error column ----------------------------------------------------- */

/* An authority's words may be anything; a journal must take them. */
static json_t *
any_text(const char *text)
{
	char copy[BURIN_ERROR_TEXT];
	json_t *o = json_string(text);
	size_t i;

	if (o != NULL)
		return o;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (i = 0; copy[i] != '\0'; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	return json_string(copy);
}

static char *
error_format(const struct burin_error *x)
{
	char *text;
	json_t *o;

	o = json_pack("{s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "status",
	    (int)x->status, "ckr", (json_int_t)x->ckr, "code",
	    any_text(x->code), "step", any_text(x->step), "reason",
	    any_text(x->reason), "token", any_text(x->token), "rule",
	    any_text(x->rule), "advice", any_text(x->advice), "cause",
	    any_text(x->cause));
	if (o == NULL)
		return NULL;
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

static void
error_text(char *dst, size_t size, const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	(void)snprintf(dst, size, "%s", text != NULL ? text : "");
}

static int
error_parse(const char *text, struct burin_error *x)
{
	json_t *o = json_loads(text, 0, NULL);
	json_int_t status;

	memset(x, 0, sizeof(*x));
	if (o == NULL)
		return -1;
	status = json_integer_value(json_object_get(o, "status"));
	if (status > BURIN_OK && status <= BURIN_EVERIFY)
		x->status = (enum burin_status)status;
	x->ckr = (unsigned long)json_integer_value(json_object_get(o, "ckr"));
	error_text(x->code, sizeof(x->code), o, "code");
	error_text(x->step, sizeof(x->step), o, "step");
	error_text(x->reason, sizeof(x->reason), o, "reason");
	error_text(x->token, sizeof(x->token), o, "token");
	error_text(x->rule, sizeof(x->rule), o, "rule");
	error_text(x->advice, sizeof(x->advice), o, "advice");
	error_text(x->cause, sizeof(x->cause), o, "cause");
	json_decref(o);
	return 0;
}

/* --- binding and reading ----------------------------------------------- */

static int
bind_text(sqlite3_stmt *s, int n, const char *text)
{
	return text == NULL ? sqlite3_bind_null(s, n)
			    : sqlite3_bind_text(s, n, text, -1, SQLITE_STATIC);
}

static int
bind_error(sqlite3_stmt *s, int n, const struct burin_error *x)
{
	char *text;

	if (x->status == BURIN_OK)
		return sqlite3_bind_null(s, n);
	if ((text = error_format(x)) == NULL)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(s, n, text, -1, free);
}

static int
bind_column(sqlite3_stmt *s, int n, const struct column *c, const void *field)
{
	const struct blob *b = field;

	switch (c->kind) {
	case C_ID:
		return bind_text(s, n, field);
	case C_STATE:
		return bind_text(
		    s, n, job_state_name(*(const enum job_state *)field));
	case C_TEXT:
		return bind_text(s, n, *(char *const *)field);
	case C_BLOB:
		return b->len == 0
		    ? sqlite3_bind_null(s, n)
		    : sqlite3_bind_blob64(s, n, b->data, b->len, SQLITE_STATIC);
	case C_TIME:
		return sqlite3_bind_int64(s, n, *(const time_t *)field);
	case C_INT:
		return sqlite3_bind_int(s, n, *(const int *)field);
	case C_ERROR:
		return bind_error(s, n, field);
	case C_CALLS:
		return sqlite3_bind_int64(
		    s, n, (sqlite3_int64) * (const unsigned long *)field);
	case C_SECONDS:
		return sqlite3_bind_double(s, n, *(const double *)field);
	}
	return SQLITE_MISUSE;
}

int
job_bind(sqlite3_stmt *s, const struct job *job)
{
	size_t i;

	for (i = 0; i < N_COLUMNS; i++)
		if (bind_column(s, (int)i + 1, &columns[i],
			(const char *)job + columns[i].offset) != SQLITE_OK)
			return -1;
	return 0;
}

static int
read_state(const char *name, enum job_state *state)
{
	size_t i;

	for (i = 0; name != NULL && i < N_STATES; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*state = (enum job_state)i;
			return 0;
		}
	return -1;
}

static int
read_column(sqlite3_stmt *s, int n, const struct column *c, void *field)
{
	const char *text = NULL;
	const void *data;

	if (c->kind == C_ID || c->kind == C_STATE || c->kind == C_TEXT ||
	    c->kind == C_ERROR)
		text = (const char *)sqlite3_column_text(s, n);
	switch (c->kind) {
	case C_ID:
		if (text == NULL || strlen(text) != JOB_ID_LEN)
			return -1;
		memcpy(field, text, JOB_ID_LEN + 1);
		return 0;
	case C_STATE:
		return read_state(text, field);
	case C_TEXT:
		if (text != NULL && (*(char **)field = strdup(text)) == NULL)
			return -1;
		return 0;
	case C_BLOB:
		data = sqlite3_column_blob(s, n);
		return blob_set(
		    field, data, (size_t)sqlite3_column_bytes(s, n), NULL);
	case C_TIME:
		*(time_t *)field = (time_t)sqlite3_column_int64(s, n);
		return 0;
	case C_INT:
		*(int *)field = sqlite3_column_int(s, n);
		return 0;
	case C_ERROR:
		return text == NULL ? 0 : error_parse(text, field);
	case C_CALLS:
		*(unsigned long *)field =
		    (unsigned long)sqlite3_column_int64(s, n);
		return 0;
	case C_SECONDS:
		*(double *)field = sqlite3_column_double(s, n);
		return 0;
	}
	return -1;
}

int
job_read(sqlite3_stmt *s, struct job *job, struct burin_error *e)
{
	size_t i;

	memset(job, 0, sizeof(*job));
	for (i = 0; i < N_COLUMNS; i++)
		if (read_column(s, (int)i, &columns[i],
			(char *)job + columns[i].offset) != 0) {
			job_clear(job);
			burin_fail(e, BURIN_EINTERNAL, "journal-row",
			    "a job in the journal has no sound '%s'",
			    columns[i].name);
			return burin_error_advice(e,
			    "the journal was changed by something else, or "
			    "memory is short");
		}
	return 0;
}

int
job_sql(char *out, size_t size, const char *before, enum job_sql_form form,
    const char *after)
{
	size_t i, n;

	n = (size_t)snprintf(out, size, "%s", before);
	for (i = 0; i < N_COLUMNS && n < size; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s%s%s",
		    i > 0 ? ", " : "",
		    form == JOB_SQL_VALUES ? "" : columns[i].name,
		    form == JOB_SQL_ASSIGN ? " = " : "");
		if (form != JOB_SQL_NAMES && n < size)
			n += (size_t)snprintf(out + n, size - n, "?%zu", i + 1);
	}
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, "%s", after);
	return n < size ? 0 : -1;
}
