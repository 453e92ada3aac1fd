/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is remembered of wrong PINs (docs/decisions/0005): a scrypt verifier
 * (RFC 7914) of each, so that no process sends one a second time, and how
 * many tries went wrong since the last success. Never anything of a right
 * PIN. A row without verifier counts the tries that were begun and not told
 * of (docs/decisions/0010).
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "journal_db.h"
#include "pin_memory.h"

/* RFC 7914 section 2: 16 MiB and some 40 ms for each guess. */
#define SCRYPT_N (1 << 14)
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SALT_LEN 16
#define VERIFIER_LEN 32
#define MAX_WRONG 2	 /* tries before the next may be the last */
#define MAX_REMEMBERED 8 /* wrong PINs kept of one token and login */

/* What is stored of one wrong PIN. */
struct wrong {
	unsigned char salt[SALT_LEN], verifier[VERIFIER_LEN];
	int count;
};

/*
 * A login for one use has its own memory: there are tokens with a PIN of
 * their own for it, and the user PIN was right just before.
 */
static const char *
login_word(enum burin_login who)
{
	switch (who) {
	case BURIN_LOGIN_SO:
	case BURIN_LOGIN_NEW_SO:
		return "so";
	case BURIN_LOGIN_CONTEXT:
		return "context";
	case BURIN_LOGIN_PUK:
	case BURIN_LOGIN_NEW_PUK:
		return "puk";
	default:
		return "user";
	}
}

static int
verifier(const struct burin_secret *pin, const unsigned char salt[SALT_LEN],
    unsigned char out[VERIFIER_LEN], struct burin_error *e)
{
	if (EVP_PBE_scrypt((const char *)burin_secret_bytes(pin),
		burin_secret_len(pin), salt, SALT_LEN, SCRYPT_N, SCRYPT_R,
		SCRYPT_P, 0, out, VERIFIER_LEN) == 1)
		return 0;
	return burin_fail_openssl(
	    e, BURIN_EINTERNAL, "scrypt", "cannot compute scrypt");
}

static int
bind_owner(sqlite3_stmt *s, const struct pin_owner *o)
{
	if (sqlite3_bind_text(s, 1, o->serial, -1, SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_bind_text(s, 2, o->label, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_text(s, 3, login_word(o->who), -1, SQLITE_STATIC) ==
		SQLITE_OK)
		return 0;
	return -1;
}

/* Newest first, at most MAX_REMEMBERED; *unknown: tries not told of. */
static int
load(struct journal *j, const struct pin_owner *o,
    struct wrong list[MAX_REMEMBERED], size_t *n, int *unknown,
    struct burin_error *e)
{
	sqlite3_stmt *s;
	int step = SQLITE_ERROR;

	*n = 0;
	*unknown = 0;
	s = journal_sql(j, SQL_PIN_LIST,
	    "SELECT salt, verifier, count FROM wrong_pins"
	    " WHERE serial = ?1 AND label = ?2 AND login = ?3"
	    " ORDER BY length(verifier) > 0, last DESC, rowid DESC"
	    " LIMIT ?4 + 1",
	    e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, o) == 0 &&
	    sqlite3_bind_int(s, 4, MAX_REMEMBERED) == SQLITE_OK)
		while ((step = sqlite3_step(s)) == SQLITE_ROW &&
		    *n < MAX_REMEMBERED) {
			struct wrong *w = &list[*n];

			if (sqlite3_column_bytes(s, 1) == 0)
				*unknown += sqlite3_column_int(s, 2);
			if (sqlite3_column_bytes(s, 0) != SALT_LEN ||
			    sqlite3_column_bytes(s, 1) != VERIFIER_LEN)
				continue;
			memcpy(w->salt, sqlite3_column_blob(s, 0), SALT_LEN);
			memcpy(w->verifier, sqlite3_column_blob(s, 1),
			    VERIFIER_LEN);
			w->count = sqlite3_column_int(s, 2);
			(*n)++;
		}
	journal_sql_done(s);
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		return journal_fail(j, "read the memory of wrong PINs", e);
	return 0;
}

/* The remembered one that pin is, or NULL in *hit. */
static int
match(const struct wrong *list, size_t n, const struct burin_secret *pin,
    const struct wrong **hit, struct burin_error *e)
{
	unsigned char v[VERIFIER_LEN];
	size_t i;

	*hit = NULL;
	for (i = 0; i < n && *hit == NULL; i++) {
		if (verifier(pin, list[i].salt, v, e) != 0)
			return -1;
		if (CRYPTO_memcmp(v, list[i].verifier, sizeof(v)) == 0)
			*hit = &list[i];
	}
	OPENSSL_cleanse(v, sizeof(v));
	return 0;
}

static const char *
pin_word(const struct pin_owner *o)
{
	return o->who == BURIN_LOGIN_SO ? "SO PIN"
	    : o->who == BURIN_LOGIN_PUK ? "PUK"
					: "PIN";
}

static int
refuse_known(const struct pin_owner *o, struct burin_error *e)
{
	burin_fail(e, BURIN_EPIN, "pin-known-wrong",
	    "the token refused this %s before; it was not sent again",
	    pin_word(o));
	return burin_error_advice(e,
	    "give the right one; if it was set to this one since, add "
	    "--retry-pin");
}

static int
refuse_last(const struct pin_owner *o, int tries, struct burin_error *e)
{
	burin_fail(e, BURIN_EPIN, "pin-final-try",
	    "%d tries of the %s went wrong since the last success: the next "
	    "may lock the token, and was not made",
	    tries, pin_word(o));
	return burin_error_advice(e,
	    "make sure of the PIN, then allow it with --last-try; a wrong one "
	    "may lock the token");
}

int
pin_memory_check(const struct pin_memory *m, const struct pin_owner *o,
    const struct burin_secret *pin, struct burin_error *e)
{
	struct wrong list[MAX_REMEMBERED];
	const struct wrong *hit;
	size_t i, n;
	int tries;

	if (load(m->j, o, list, &n, &tries, e) != 0)
		return -1;
	if (!m->retry_pin && n > 0) {
		if (match(list, n, pin, &hit, e) != 0)
			return -1;
		if (hit != NULL)
			return refuse_known(o, e);
	}
	for (i = 0; i < n; i++)
		tries += list[i].count;
	if (tries >= MAX_WRONG && !m->last_try)
		return refuse_last(o, tries, e);
	return 0;
}

static int
run(struct journal *j, sqlite3_stmt *s, struct burin_error *e)
{
	int step = sqlite3_step(s);

	journal_sql_done(s);
	return step == SQLITE_DONE
	    ? 0
	    : journal_fail(j, "write the memory of wrong PINs", e);
}

static void
forget_sent(struct pin_memory *m)
{
	free(m->sent_serial);
	free(m->sent_label);
	m->sent_serial = m->sent_label = NULL;
}

/*
 * Not flushed to the disk: what a process wrote survives its own death
 * without that, and a good login is not to wait for the disk twice.
 */
static int
run_unflushed(struct journal *j, sqlite3_stmt *s, struct burin_error *e)
{
	int rc, before = sqlite3_total_changes(j->db);

	(void)sqlite3_exec(
	    j->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	rc = run(j, s, e);
	j->unflushed += sqlite3_total_changes(j->db) - before;
	if (sqlite3_exec(j->db, "PRAGMA synchronous = FULL", NULL, NULL,
		NULL) != SQLITE_OK)
		return journal_fail(j, "make the journal safe again", e);
	return rc;
}

int
pin_memory_right(const struct pin_memory *m, const struct pin_owner *o,
    struct burin_error *e)
{
	struct wrong list[MAX_REMEMBERED];
	sqlite3_stmt *s;
	size_t n;
	int unknown;

	/* A good login writes nothing when there is nothing to forget. */
	if (load(m->j, o, list, &n, &unknown, e) != 0)
		return -1;
	if (n == 0 && unknown == 0)
		return 0;
	s = journal_sql(m->j, SQL_PIN_FORGET,
	    "DELETE FROM wrong_pins"
	    " WHERE serial = ?1 AND label = ?2 AND login = ?3",
	    e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, o) != 0)
		return burin_fail_memory(e);
	/* Nothing but the try that was this login: not worth the disk. */
	return n == 0 ? run_unflushed(m->j, s, e) : run(m->j, s, e);
}

#define KEEP                                                   \
	"INSERT INTO wrong_pins"                               \
	" (serial, label, login, salt, verifier, count, last)" \
	" VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)"                  \
	" ON CONFLICT DO UPDATE SET count = count + 1, last = ?6"

static int
keep(struct journal *j, const struct pin_owner *o, const struct wrong *w,
    struct burin_error *e)
{
	sqlite3_stmt *s;

	s = journal_sql(j, SQL_PIN_WRONG, KEEP, e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, o) != 0 ||
	    sqlite3_bind_blob(s, 4, w->salt, SALT_LEN, SQLITE_STATIC) !=
		SQLITE_OK ||
	    sqlite3_bind_blob(s, 5, w->verifier, VERIFIER_LEN, SQLITE_STATIC) !=
		SQLITE_OK ||
	    sqlite3_bind_int64(s, 6, time(NULL)) != SQLITE_OK)
		return burin_fail_memory(e);
	return run(j, s, e);
}

/* The oldest go; their tries with them, which the newer ones outweigh. */
static int
trim(struct journal *j, const struct pin_owner *o, struct burin_error *e)
{
	sqlite3_stmt *s;

	s = journal_sql(j, SQL_PIN_TRIM,
	    "DELETE FROM wrong_pins WHERE rowid IN (SELECT rowid FROM"
	    " wrong_pins WHERE serial = ?1 AND label = ?2 AND login = ?3"
	    " AND length(verifier) > 0"
	    " ORDER BY last DESC, rowid DESC LIMIT -1 OFFSET ?4)",
	    e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, o) != 0 ||
	    sqlite3_bind_int(s, 4, MAX_REMEMBERED) != SQLITE_OK)
		return burin_fail_memory(e);
	return run(j, s, e);
}

int
pin_memory_wrong(const struct pin_memory *m, const struct pin_owner *o,
    const struct burin_secret *pin, struct burin_error *e)
{
	struct wrong list[MAX_REMEMBERED], fresh;
	const struct wrong *hit;
	size_t n;
	int unknown;

	if (load(m->j, o, list, &n, &unknown, e) != 0 ||
	    match(list, n, pin, &hit, e) != 0)
		return -1;
	if (hit != NULL)
		return keep(m->j, o, hit, e);
	if (RAND_bytes(fresh.salt, sizeof(fresh.salt)) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
		    "no random numbers to be had");
	fresh.count = 1;
	if (verifier(pin, fresh.salt, fresh.verifier, e) != 0 ||
	    keep(m->j, o, &fresh, e) != 0)
		return -1;
	return n < MAX_REMEMBERED ? 0 : trim(m->j, o, e);
}

int
pin_memory_send(
    struct pin_memory *m, const struct pin_owner *o, struct burin_error *e)
{
	sqlite3_stmt *s;

	m->sent_serial = strdup(o->serial);
	m->sent_label = strdup(o->label);
	m->sent_who = o->who;
	if (m->sent_serial == NULL || m->sent_label == NULL) {
		(void)burin_fail_memory(e);
		goto fail;
	}
	s = journal_sql(m->j, SQL_PIN_WRONG, KEEP, e);
	if (s == NULL)
		goto fail;
	if (bind_owner(s, o) != 0 ||
	    sqlite3_bind_zeroblob(s, 4, 0) != SQLITE_OK ||
	    sqlite3_bind_zeroblob(s, 5, 0) != SQLITE_OK ||
	    sqlite3_bind_int64(s, 6, time(NULL)) != SQLITE_OK) {
		(void)burin_fail_memory(e);
		goto fail;
	}
	if (run_unflushed(m->j, s, e) == 0)
		return 0;
fail:
	forget_sent(m);
	return -1;
}

int
pin_memory_unsend(
    struct pin_memory *m, const struct pin_owner *o, struct burin_error *e)
{
	sqlite3_stmt *s;

	forget_sent(m);
	/* Those of others, who died, stay. A row of none is as good as none. */
	s = journal_sql(m->j, SQL_PIN_UNSEND,
	    "UPDATE wrong_pins SET count = count - 1"
	    " WHERE serial = ?1 AND label = ?2 AND login = ?3"
	    " AND length(verifier) = 0 AND count > 0",
	    e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, o) != 0)
		return burin_fail_memory(e);
	return run_unflushed(m->j, s, e);
}

/* --- the callbacks -------------------------------------------------------- */

static void
owner_of(const struct burin_token *t, enum burin_login who, struct pin_owner *o)
{
	const struct burin_token_info *info = burin_token_info(t);

	o->serial = info->serial;
	o->label = info->label;
	o->who = who;
	if (info->serial[0] != '\0')
		return;
	/* No serial number has a tab in it. */
	(void)snprintf(o->place, sizeof(o->place), "\tslot %lu of %s",
	    info->slot, info->module);
	o->serial = o->place;
}

int
pin_memory_before(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, struct burin_error *e)
{
	struct pin_memory *m = arg;
	struct pin_owner o;
	int rc;

	owner_of(t, who, &o);
	pin_memory_release(m);
	if (login_lock(m->j, &o, &m->lock, e) != 0)
		return -1;
	m->locked = 1;
	rc = pin_memory_check(m, &o, pin, e);
	if (rc == 0)
		rc = pin_memory_send(m, &o, e);
	if (rc != 0)
		pin_memory_release(m);
	return rc;
}

/* What was about to be sent and was not costs no try. */
void
pin_memory_release(struct pin_memory *m)
{
	struct pin_owner o;

	if (m->sent_serial != NULL) {
		char *serial = m->sent_serial, *label = m->sent_label;

		memset(&o, 0, sizeof(o));
		o.serial = serial;
		o.label = label;
		o.who = m->sent_who;
		m->sent_serial = m->sent_label = NULL;
		(void)pin_memory_unsend(m, &o, NULL);
		free(serial);
		free(label);
	}
	if (m->locked)
		(void)close(m->lock);
	m->locked = 0;
}

int
pin_memory_after(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, int right, struct burin_error *e)
{
	struct pin_memory *m = arg;
	struct pin_owner o;
	int rc = 0;

	owner_of(t, who, &o);
	/* A success forgets the one under way with the others. */
	if (right == 1 && (rc = pin_memory_right(m, &o, e)) == 0)
		forget_sent(m);
	else if (right == 0 && (rc = pin_memory_wrong(m, &o, pin, e)) != 0)
		forget_sent(m); /* then as one of which nobody told */
	pin_memory_release(m);
	return rc;
}

int
pin_memory_tries(struct journal *j, const struct burin_token *t,
    enum burin_login who, struct pin_tries *out, struct burin_error *e)
{
	struct pin_owner o;
	sqlite3_stmt *s;
	int step = SQLITE_ERROR;

	memset(out, 0, sizeof(*out));
	out->limit = MAX_WRONG;
	owner_of(t, who, &o);
	s = journal_sql(j, SQL_PIN_TRIES,
	    "SELECT sum(count * (length(verifier) > 0)),"
	    " sum(count * (length(verifier) = 0)), max(last) FROM wrong_pins"
	    " WHERE serial = ?1 AND label = ?2 AND login = ?3 AND count > 0",
	    e);
	if (s == NULL)
		return -1;
	if (bind_owner(s, &o) == 0 && (step = sqlite3_step(s)) == SQLITE_ROW) {
		out->wrong = sqlite3_column_int(s, 0);
		out->unknown = sqlite3_column_int(s, 1);
		out->last = sqlite3_column_int64(s, 2);
	}
	journal_sql_done(s);
	return step == SQLITE_ROW
	    ? 0
	    : journal_fail(j, "read the memory of wrong PINs", e);
}
