/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Issued certificates in the authority's store.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>
#include <openssl/x509.h>

#include <burin/names.h>
#include <burin/response.h>

#include "store.h"

void
issued_clear(struct issued *c)
{
	if (c == NULL)
		return;
	X509_free(c->cert);
	free(c->serial);
	free(c->profile);
	free(c->principal);
	free(c->via);
	memset(c, 0, sizeof(*c));
}

int
key_sha256(EVP_PKEY *key, unsigned char out[CA_SHA256], struct burin_error *e)
{
	unsigned char *der = NULL;
	int len, rc = -1;

	if ((len = i2d_PUBKEY(key, &der)) <= 0 ||
	    !EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)len, out, NULL)) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "key-encode",
		    "cannot encode a public key");
		goto out;
	}
	rc = 0;
out:
	OPENSSL_free(der);
	return rc;
}

static int
not_after(X509 *cert, long long *out, struct burin_error *e)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
		return burin_fail_openssl(e, BURIN_EINTERNAL, "time-invalid",
		    "a certificate without a valid notAfter");
	*out = (long long)timegm(&tm);
	return 0;
}

int
store_cert_put(
    struct store *st, const struct issued_new *in, struct burin_error *e)
{
	unsigned char key[CA_SHA256], *der = NULL;
	char *serial = NULL, *subject = NULL;
	long long until = 0;
	int len, rc = -1;

	serial = burin_serial_text(X509_get0_serialNumber(in->cert));
	subject = burin_dn_text(X509_get_subject_name(in->cert));
	len = i2d_X509(in->cert, &der);
	if (serial == NULL || subject == NULL || len <= 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (key_sha256(X509_get0_pubkey(in->cert), key, e) != 0 ||
	    not_after(in->cert, &until, e) != 0)
		goto out;
	rc = store_exec(st, e,
	    "INSERT INTO certificates (serial, subject, key_sha256, der,"
	    " principal, request_sha256, profile, via, issued, not_after,"
	    " confirmed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "ttbbtbttiii", serial, subject, key, sizeof(key), der, (size_t)len,
	    in->principal, in->request, (size_t)CA_SHA256, in->profile, in->via,
	    (long long)in->now, until, (long long)!in->confirm);
	if (rc == 0 && in->revocation != NULL)
		rc = store_revocation_set(st, serial, in->revocation, e);
out:
	OPENSSL_free(der);
	free(serial);
	free(subject);
	return rc;
}

static int
read_cert(sqlite3_stmt *q, int column, X509 **out, struct burin_error *e)
{
	const unsigned char *der = sqlite3_column_blob(q, column);
	size_t len = (size_t)sqlite3_column_bytes(q, column);

	return burin_cert_parse(der, len, BURIN_EINTERNAL, out, e);
}

#define CERT_COLUMNS                                                       \
	"SELECT der, serial, profile, status, principal, via, reason,"     \
	" revoked_at, invalidity, issued, confirmed, revoke_salt NOT NULL" \
	" FROM certificates "

/* The row that q stands on. */
static int
read_issued(sqlite3_stmt *q, struct issued *out, struct burin_error *e)
{
	const char *status = (const char *)sqlite3_column_text(q, 3);

	memset(out, 0, sizeof(*out));
	out->state = CERT_REVOKED;
	if (status != NULL && strcmp(status, "good") == 0)
		out->state = CERT_GOOD;
	else if (status != NULL && strcmp(status, "held") == 0)
		out->state = CERT_HELD;
	out->revoked = out->state != CERT_GOOD;
	out->reason = sqlite3_column_int(q, 6);
	out->revoked_at = (time_t)sqlite3_column_int64(q, 7);
	out->invalidity = (time_t)sqlite3_column_int64(q, 8);
	out->issued_at = (time_t)sqlite3_column_int64(q, 9);
	out->confirmed = sqlite3_column_int(q, 10);
	out->has_secret = sqlite3_column_int(q, 11);
	if (read_cert(q, 0, &out->cert, e) == 0 &&
	    store_text(q, 1, &out->serial, e) == 0 &&
	    store_text(q, 2, &out->profile, e) == 0 &&
	    store_text(q, 4, &out->principal, e) == 0 &&
	    store_text(q, 5, &out->via, e) == 0)
		return 0;
	issued_clear(out);
	return -1;
}

/* Ends q. */
static int
find_cert(struct store *st, sqlite3_stmt *q, struct issued *out, int *found,
    struct burin_error *e)
{
	int row = store_step(st, q, e), rc = row < 0 ? -1 : 0;

	if (row > 0 && (rc = read_issued(q, out, e)) == 0)
		*found = 1;
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_cert_of_request(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], struct issued *out, int *found,
    struct burin_error *e)
{
	sqlite3_stmt *q;

	memset(out, 0, sizeof(*out));
	*found = 0;
	if (store_query(st, &q, e,
		CERT_COLUMNS "WHERE principal = ? AND request_sha256 = ?", "tb",
		principal, request, (size_t)CA_SHA256) != 0)
		return -1;
	return find_cert(st, q, out, found, e);
}

int
store_cert_of_serial(struct store *st, const char *serial, struct issued *out,
    int *found, struct burin_error *e)
{
	sqlite3_stmt *q;

	memset(out, 0, sizeof(*out));
	*found = 0;
	if (store_query(
		st, &q, e, CERT_COLUMNS "WHERE serial = ?", "t", serial) != 0)
		return -1;
	return find_cert(st, q, out, found, e);
}

/* Ends q. */
static int
walk(struct store *st, sqlite3_stmt *q,
    int (*each)(void *arg, const struct issued *c, struct burin_error *e),
    void *arg, struct burin_error *e)
{
	struct issued c = { 0 };
	int row, rc = 0;

	while (rc == 0 && (row = store_step(st, q, e)) != 0) {
		rc = row < 0 ? -1 : read_issued(q, &c, e);
		if (rc == 0)
			rc = each(arg, &c, e);
		issued_clear(&c);
	}
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_cert_look_up(struct store *st, const ASN1_INTEGER *number,
    struct issued *out, int *found, struct burin_error *e)
{
	char *serial = burin_serial_text(number);
	int rc;

	*found = 0;
	if (serial == NULL)
		return burin_fail_memory(e);
	if ((rc = store_begin(st, e)) == 0) {
		rc = store_cert_of_serial(st, serial, out, found, e);
		(void)store_end(st, 0, NULL);
	}
	free(serial);
	return rc;
}

int
store_cert_of_key(struct store *st, EVP_PKEY *key,
    int (*each)(void *arg, const struct issued *c, struct burin_error *e),
    void *arg, struct burin_error *e)
{
	unsigned char hash[CA_SHA256];
	sqlite3_stmt *q;

	if (key_sha256(key, hash, e) != 0 ||
	    store_query(st, &q, e, CERT_COLUMNS "WHERE key_sha256 = ?", "b",
		hash, sizeof(hash)) != 0)
		return -1;
	return walk(st, q, each, arg, e);
}

int
store_cert_each(struct store *st,
    int (*each)(void *arg, const struct issued *c, struct burin_error *e),
    void *arg, struct burin_error *e)
{
	sqlite3_stmt *q;

	if (store_query(st, &q, e, CERT_COLUMNS "ORDER BY issued, rowid", "") !=
	    0)
		return -1;
	return walk(st, q, each, arg, e);
}

int
store_cert_confirm(struct store *st, const char *serial, struct burin_error *e)
{
	if (store_exec(st, e,
		"UPDATE certificates SET confirmed = 1 WHERE serial = ?", "t",
		serial) != 0)
		return -1;
	if (sqlite3_changes(st->db) != 1)
		return burin_fail(e, BURIN_EUSAGE, "certificate-missing",
		    "there is no certificate %.60s here", serial);
	return store_audit(st, e, "confirmed", "%s", serial);
}
