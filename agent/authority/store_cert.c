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
	memset(c, 0, sizeof(*c));
}

/* SHA-256 of the DER SubjectPublicKeyInfo. */
static int
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
	    " principal, request_sha256, profile, issued, not_after)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "ttbbtbtii", serial, subject, key, sizeof(key), der, (size_t)len,
	    in->principal, in->request, (size_t)CA_SHA256, in->profile,
	    (long long)in->now, until);
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

static int
find_cert(struct store *st, sqlite3_stmt *q, struct issued *out, int *found,
    struct burin_error *e)
{
	const char *status;

	if ((*found = store_step(st, q, e)) <= 0)
		return *found;
	status = (const char *)sqlite3_column_text(q, 3);
	out->revoked = status == NULL || strcmp(status, "good") != 0;
	if (read_cert(q, 0, &out->cert, e) != 0 ||
	    store_text(q, 1, &out->serial, e) != 0 ||
	    store_text(q, 2, &out->profile, e) != 0) {
		issued_clear(out);
		return -1;
	}
	return 0;
}

int
store_cert_of_request(struct store *st, const char *principal,
    const unsigned char request[CA_SHA256], struct issued *out, int *found,
    struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	*found = 0;
	rc = store_query(st, &q, e,
	    "SELECT der, serial, profile, status FROM certificates"
	    " WHERE principal = ? AND request_sha256 = ?",
	    "tb", principal, request, (size_t)CA_SHA256);
	if (rc == 0)
		rc = find_cert(st, q, out, found, e);
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_cert_of_serial(struct store *st, const char *serial, struct issued *out,
    int *found, struct burin_error *e)
{
	sqlite3_stmt *q = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	*found = 0;
	rc = store_query(st, &q, e,
	    "SELECT der, serial, profile, status FROM certificates"
	    " WHERE serial = ?",
	    "t", serial);
	if (rc == 0)
		rc = find_cert(st, q, out, found, e);
	(void)sqlite3_finalize(q);
	return rc;
}

int
store_cert_of_key(struct store *st, EVP_PKEY *key,
    int (*each)(void *arg, X509 *cert, struct burin_error *e), void *arg,
    struct burin_error *e)
{
	unsigned char hash[CA_SHA256];
	sqlite3_stmt *q = NULL;
	X509 *cert = NULL;
	int row = 0, rc = -1;

	if (key_sha256(key, hash, e) != 0 ||
	    store_query(st, &q, e,
		"SELECT der FROM certificates WHERE key_sha256 = ?", "b", hash,
		sizeof(hash)) != 0)
		goto out;
	while ((row = store_step(st, q, e)) > 0) {
		if (read_cert(q, 0, &cert, e) != 0 || each(arg, cert, e) != 0)
			goto out;
		X509_free(cert);
		cert = NULL;
	}
	rc = row < 0 ? -1 : 0;
out:
	X509_free(cert);
	(void)sqlite3_finalize(q);
	return rc;
}
