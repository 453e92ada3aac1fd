/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Revocation in the authority's store (RFC 5280 section 5.3, RFC 10002
 * section 6.11): what is revoked stays revoked, but for a hold.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "store.h"

/* RFC 5280 section 5.3.1; 7 is not used. */
static const char *const reasons[] = { "unspecified", "keyCompromise",
	"cACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", NULL, "removeFromCRL",
	"privilegeWithdrawn", "aACompromise" };
#define N_REASONS ((int)(sizeof(reasons) / sizeof(reasons[0])))

#define NOT_COUNTED (-1) /* revoke_tries of a secret that is long enough */

int
reason_number(const char *name)
{
	int i;

	for (i = 0; i < N_REASONS; i++)
		if (reasons[i] != NULL && strcmp(reasons[i], name) == 0)
			return i;
	return -1;
}

const char *
reason_name(int reason)
{
	return reason >= 0 && reason < N_REASONS ? reasons[reason] : NULL;
}

static int
already(const struct issued *c, struct burin_error *e)
{
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&c->revoked_at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return burin_fail(e, BURIN_EUSAGE, "certificate-revoked",
	    "certificate %s is %s already, since %s: %s", c->serial,
	    c->state == CERT_HELD ? "held" : "revoked", when,
	    reason_name(c->reason));
}

/* What in leads to from where c is; event for the log. */
static int
check(const struct issued *c, const struct revocation *in,
    enum cert_state *state, const char **event, struct burin_error *e)
{
	if (reason_name(in->reason) == NULL)
		return burin_fail(e, BURIN_EUSAGE, "reason-refused",
		    "%d is no reason to revoke", in->reason);
	if (strcmp(c->principal, CA_PRINCIPAL) != 0 &&
	    (strcmp(reason_name(in->reason), "cACompromise") == 0 ||
		strcmp(reason_name(in->reason), "aACompromise") == 0)) {
		(void)burin_fail(e, BURIN_EUSAGE, "reason-refused",
		    "%s is said of an authority's certificate only",
		    reason_name(in->reason));
		return burin_error_advice(e, "say keyCompromise");
	}
	if (in->reason == REASON_REMOVE) {
		if (c->state != CERT_HELD)
			return burin_fail(e, BURIN_EUSAGE, "not-held",
			    "certificate %s is not held; only a hold can be "
			    "taken back",
			    c->serial);
		*state = CERT_GOOD;
		*event = "released";
		return 0;
	}
	if (c->state == CERT_REVOKED ||
	    (c->state == CERT_HELD && in->reason == REASON_HOLD))
		return already(c, e);
	*state = in->reason == REASON_HOLD ? CERT_HELD : CERT_REVOKED;
	*event = *state == CERT_HELD ? "held" : "revoked";
	return 0;
}

static int
write_state(struct store *st, const struct issued *c,
    const struct revocation *in, enum cert_state state, struct burin_error *e)
{
	/* What was held is not good since then. */
	long long since = c->state == CERT_HELD ? (long long)c->revoked_at
						: (long long)in->now;

	if (state == CERT_GOOD)
		return store_exec(st, e,
		    "UPDATE certificates SET status = 'good',"
		    " revoked_at = NULL, reason = NULL, invalidity = NULL"
		    " WHERE serial = ?",
		    "t", c->serial);
	return store_exec(st, e,
	    "UPDATE certificates SET status = ?, revoked_at = ?, reason = ?,"
	    " invalidity = ? WHERE serial = ?",
	    "tiizt", state == CERT_HELD ? "held" : "revoked", since,
	    (long long)in->reason, (long long)in->invalidity, c->serial);
}

int
store_revoke(
    struct store *st, const struct revocation *in, struct burin_error *e)
{
	enum cert_state state = CERT_REVOKED;
	struct issued c;
	const char *event = "revoked";
	int found, rc = -1;

	if (store_cert_of_serial(st, in->serial, &c, &found, e) != 0)
		return -1;
	if (!found)
		return burin_fail(e, BURIN_EUSAGE, "certificate-missing",
		    "there is no certificate %.60s here", in->serial);
	if (check(&c, in, &state, &event, e) != 0 ||
	    write_state(st, &c, in, state, e) != 0 ||
	    store_exec(
		st, e, "UPDATE crls SET stale = 1 WHERE stale = 0", "") != 0)
		goto out;
	rc = store_audit(st, e, event, "%s: %s, by %s via %s", c.serial,
	    reason_name(in->reason), in->by, in->via);
out:
	issued_clear(&c);
	return rc;
}

/*
 * What nobody guesses needs no count of tries, which would let anybody who
 * knows the serial number keep its holder from revoking.
 */
static long long
first_count(const struct burin_secret *secret)
{
	return burin_secret_len(secret) < CA_REVOKE_SHORT ? 0 : NOT_COUNTED;
}

int
store_revocation_set(struct store *st, const char *serial,
    const struct burin_secret *secret, struct burin_error *e)
{
	unsigned char salt[CA_SALT], mac[CA_SHA256];

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "no-random", "cannot make a salt");
	/* People choose some of these: a hash alone could be guessed at. */
	if (seal_mac(st, "revoke", salt, sizeof(salt),
		burin_secret_bytes(secret), burin_secret_len(secret), mac,
		e) != 0 ||
	    store_exec(st, e,
		"UPDATE certificates SET revoke_salt = ?, revoke_verifier = ?,"
		" revoke_tries = ? WHERE serial = ?",
		"bbit", salt, sizeof(salt), mac, sizeof(mac),
		first_count(secret), serial) != 0)
		return -1;
	if (sqlite3_changes(st->db) != 1)
		return burin_fail(e, BURIN_EUSAGE, "certificate-missing",
		    "there is no certificate %.60s here", serial);
	return 0;
}

/* What is kept of a certificate's secret; *found 0: it has none. */
struct kept {
	unsigned char salt[CA_SALT], verifier[CA_SHA256];
	long long tries;
	time_t since;
};

static int
read_kept(struct store *st, const char *serial, struct kept *k, int *found,
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	*found = 0;
	if (store_query(st, &q, e,
		"SELECT revoke_salt, revoke_verifier, revoke_tries,"
		" coalesce(revoke_since, 0) FROM certificates"
		" WHERE serial = ? AND revoke_salt IS NOT NULL",
		"t", serial) != 0 ||
	    (*found = store_step(st, q, e)) < 0)
		goto out;
	if (*found &&
	    (store_bytes(q, 0, k->salt, sizeof(k->salt), e) != 0 ||
		store_bytes(q, 1, k->verifier, sizeof(k->verifier), e) != 0))
		goto out;
	k->tries = *found ? sqlite3_column_int64(q, 2) : 0;
	k->since = *found ? (time_t)sqlite3_column_int64(q, 3) : 0;
	rc = 0;
out:
	(void)sqlite3_finalize(q);
	return rc;
}

/* A clock that was set back locks nobody out for longer. */
static int
is_over(const struct kept *k, time_t now)
{
	return now < k->since || now - k->since >= CA_REVOKE_WAIT;
}

static int
count_try(struct store *st, const struct revocation_try *in, struct kept *k,
    struct burin_error *e)
{
	if (k->tries == NOT_COUNTED)
		return 0;
	if (k->tries == 0 || is_over(k, in->now)) {
		k->tries = 0;
		k->since = in->now;
	}
	return store_exec(st, e,
	    "UPDATE certificates SET revoke_tries = ?, revoke_since = ?"
	    " WHERE serial = ?",
	    "iit", k->tries + 1, (long long)k->since, in->serial);
}

int
store_revocation_check(struct store *st, const struct revocation_try *in,
    int *ok, struct burin_error *e)
{
	unsigned char mac[CA_SHA256];
	struct kept k;
	int found;

	*ok = 0;
	if (read_kept(st, in->serial, &k, &found, e) != 0)
		return -1;
	if (!found)
		return 0;
	/* The right one neither: it would be found out by its answer. */
	if (k.tries >= CA_REVOKE_TRIES && !is_over(&k, in->now)) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "revocation-locked",
		    "%lld wrong secrets came for this certificate; none is "
		    "looked at within an hour from the first",
		    k.tries);
		return burin_error_advice(e,
		    "sign the request with the certificate's key, or ask the "
		    "authority's operator");
	}
	if (in->len <= BURIN_SECRET_MAX) {
		if (seal_mac(st, "revoke", k.salt, sizeof(k.salt), in->secret,
			in->len, mac, e) != 0)
			return -1;
		*ok = CRYPTO_memcmp(k.verifier, mac, sizeof(mac)) == 0;
	}
	return *ok ? 0 : count_try(st, in, &k, e);
}
