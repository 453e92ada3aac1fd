/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's side of the store: requests that wait, certificates, the
 * log. Works while the server runs; only a CRL needs the token.
 */

#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "ca.h"

/* A transaction on the store of DIR. */
static int
begin_work(const char *dir, struct store **st, struct burin_error *e)
{
	*st = NULL;
	if (ca_dir_check(dir, e) != 0 || store_open(dir, 0, st, e) != 0)
		return -1;
	if (store_begin(*st, e) == 0)
		return 0;
	store_close(st);
	return -1;
}

/* The same for what only a CA has; what: "revoke a certificate". */
static int
begin_ca_work(
    const char *dir, const char *what, struct store **st, struct burin_error *e)
{
	struct settings cnf = { 0 };
	int rc = -1;

	*st = NULL;
	if (ca_dir_check(dir, e) == 0 && settings_read(dir, &cnf, e) == 0)
		rc = cnf.ra ? role_not_ca(what, cnf.upstream, e)
			    : begin_work(dir, st, e);
	settings_clear(&cnf);
	return rc;
}

static int
end_work(struct store **st, int rc, int commit, struct burin_error *e)
{
	if (store_end(*st, commit && rc == 0, e) != 0)
		rc = -1;
	store_close(st);
	return rc;
}

int
authority_pending(const char *dir,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e)
{
	struct store *st;

	if (begin_ca_work(dir, "list requests that wait", &st, e) != 0)
		return -1;
	return end_work(&st, store_request_each(st, each, arg, e), 0, e);
}

int
authority_approve(const char *dir, long long id, struct burin_error *e)
{
	struct store *st;

	if (begin_ca_work(dir, "approve a request", &st, e) != 0)
		return -1;
	return end_work(
	    &st, store_request_approve(st, id, time(NULL), e), 1, e);
}

int
authority_deny(
    const char *dir, long long id, const char *why, struct burin_error *e)
{
	struct store *st;

	if (begin_ca_work(dir, "deny a request", &st, e) != 0)
		return -1;
	return end_work(
	    &st, store_request_deny(st, id, why, time(NULL), e), 1, e);
}

/* As certificates show it, to how the store has it: free(). */
static char *
plain_serial(const char *text, struct burin_error *e)
{
	unsigned char bytes[CA_SERIAL];
	char *serial;
	size_t len;

	if (burin_unhex(text, bytes, sizeof(bytes), &len) != 0 || len == 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "serial-malformed",
		    "'%.60s' is no serial number in hex", text);
		return NULL;
	}
	if ((serial = burin_hex(bytes, len)) == NULL)
		(void)burin_fail_memory(e);
	return serial;
}

int
authority_revoke(const char *dir, const char *serial, const char *reason,
    struct burin_error *e)
{
	struct revocation in = {
		.by = "operator", .via = "operator", .now = time(NULL)
	};
	struct store *st;
	char *plain;
	int rc = -1;

	if (reason != NULL && (in.reason = reason_number(reason)) < 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "reason-refused",
		    "'%.40s' is no reason to revoke", reason);
		(void)burin_error_rule(e, "RFC 5280 section 5.3.1");
		return burin_error_advice(e,
		    "keyCompromise, superseded, cessationOfOperation, "
		    "affiliationChanged, privilegeWithdrawn, certificateHold, "
		    "removeFromCRL");
	}
	if ((plain = plain_serial(serial, e)) == NULL)
		return -1;
	in.serial = plain;
	if (begin_ca_work(dir, "revoke a certificate", &st, e) == 0)
		rc = end_work(&st, store_revoke(st, &in, e), 1, e);
	free(plain);
	return rc;
}

/* --- what there is -------------------------------------------------------- */

struct listing {
	void (*each)(void *arg, const struct authority_cert *c);
	void *arg;
	time_t now;
};

static time_t
end_of(X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) ? timegm(&tm) : 0;
}

static int
list_one(void *arg, const struct issued *c, struct burin_error *e)
{
	const struct listing *l = arg;
	struct authority_cert out = { .serial = c->serial,
		.profile = c->profile,
		.principal = c->principal,
		.issued = c->issued_at,
		.until = end_of(c->cert),
		.revoked = c->revoked_at,
		.confirmed = c->confirmed };
	char *subject = burin_dn_text(X509_get_subject_name(c->cert));

	if (subject == NULL)
		return burin_fail_memory(e);
	out.subject = subject;
	out.reason = c->revoked ? reason_name(c->reason) : NULL;
	out.state = c->state == CERT_REVOKED ? "revoked"
	    : out.until <= l->now	     ? "expired"
	    : c->state == CERT_HELD	     ? "held"
					     : "good";
	l->each(l->arg, &out);
	free(subject);
	return 0;
}

int
authority_list(const char *dir,
    void (*each)(void *arg, const struct authority_cert *c), void *arg,
    struct burin_error *e)
{
	struct listing l = { each, arg, time(NULL) };
	struct store *st;

	if (begin_ca_work(dir, "list certificates", &st, e) != 0)
		return -1;
	return end_work(&st, store_cert_each(st, list_one, &l, e), 0, e);
}

int
authority_log(const char *dir,
    void (*each)(void *arg, const struct authority_line *l), void *arg,
    struct burin_error *e)
{
	struct store *st;

	if (begin_work(dir, &st, e) != 0)
		return -1;
	return end_work(&st, store_audit_each(st, each, arg, e), 0, e);
}

int
authority_log_verify(
    const char *dir, long long *lines, char **hash, struct burin_error *e)
{
	struct audit_head head;
	struct store *st;

	*hash = NULL;
	if (begin_work(dir, &st, e) != 0 ||
	    end_work(&st, store_audit_verify(st, &head, e), 0, e) != 0)
		return -1;
	*lines = head.lines;
	*hash = burin_hex(head.hash, sizeof(head.hash));
	return *hash != NULL ? 0 : burin_fail_memory(e);
}

/* --- CRL ------------------------------------------------------------------ */

int
authority_crl(const char *dir, struct burin_p11 *p11, X509_CRL **out,
    struct burin_error *e)
{
	struct burin_key *key = NULL;
	struct settings cnf = { 0 };
	struct store *st = NULL;
	struct issuer ca;
	X509 *cert = NULL;
	EVP_PKEY *evp;
	int rc = -1;

	*out = NULL;
	if (ca_dir_check(dir, e) != 0 || settings_read(dir, &cnf, e) != 0 ||
	    (cnf.ra && role_not_ca("make a CRL", cnf.upstream, e) != 0) ||
	    store_open(dir, 0, &st, e) != 0 ||
	    ca_cert_read(dir, "ca.pem", &cert, e) != 0 ||
	    burin_key_find(p11, cnf.ca_key, &key, e) != 0)
		goto out;
	if (EVP_PKEY_eq(burin_key_public(key), X509_get0_pubkey(cert)) != 1) {
		(void)burin_fail(e, BURIN_ETOKEN, "key-not-ours",
		    "the key %s is not the one of ca.pem", cnf.ca_key);
		goto out;
	}
	if ((evp = burin_key_evp(key, e)) == NULL)
		goto out;
	issuer_of_key(&ca, evp, cert);
	rc = crl_make(st, &ca, &cnf, time(NULL), out, e);
out:
	store_close(&st);
	burin_key_free(&key);
	X509_free(cert);
	settings_clear(&cnf);
	if (rc != 0)
		(void)burin_error_step(e, "crl");
	return rc;
}
