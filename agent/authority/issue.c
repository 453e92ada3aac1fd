/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From a PKCS#10 request to a certificate (RFC 5280 section 4.1, RFC 7030
 * section 4.2). Knows no token and no HTTP: the CA's key is an EVP_PKEY.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/request.h>

#include "../enroll/profile_dir.h"
#include "ca.h"

#define DAY (24 * 60 * 60)

/* One request on its way through issue(). */
struct work {
	struct store *st;
	const struct issuer *ca;
	const struct issue_input *in;
	unsigned char sha256[CA_SHA256];
	X509_REQ *req;
	struct burin_profile *profile;
	X509 *cert;
	enum issue_outcome outcome;
};

/* 20 octets, positive: 158 random bits (RFC 5280 section 4.1.2.2). */
static int
set_serial(X509 *cert, struct burin_error *e)
{
	unsigned char bytes[CA_SERIAL];
	BIGNUM *n = NULL;
	int rc = -1;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		goto out;
	bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
	if ((n = BN_bin2bn(bytes, sizeof(bytes), NULL)) != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL)
		rc = 0;
out:
	BN_free(n);
	if (rc != 0)
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a serial number");
	return rc;
}

X509 *
issue_blank(const X509_NAME *subject, const X509_NAME *issuer, EVP_PKEY *pub,
    time_t not_before, time_t not_after, struct burin_error *e)
{
	X509 *cert;

	if ((cert = X509_new()) == NULL) {
		(void)burin_fail_memory(e);
		return NULL;
	}
	if (!X509_set_version(cert, X509_VERSION_3) ||
	    !X509_set_subject_name(cert, subject) ||
	    !X509_set_issuer_name(cert, issuer) ||
	    !X509_set_pubkey(cert, pub) ||
	    ASN1_TIME_set(X509_getm_notBefore(cert), not_before) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(cert), not_after) == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "certificate-make",
		    "cannot put the certificate together");
		X509_free(cert);
		return NULL;
	}
	if (set_serial(cert, e) != 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

/* The hash that fits the strength of the key; EdDSA has its own. */
static const EVP_MD *
digest_for(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) < 384)
		return EVP_sha256();
	return EVP_PKEY_get_bits(key) < 512 ? EVP_sha384() : EVP_sha512();
}

int
issue_sign(X509 *cert, EVP_PKEY *key, struct burin_error *e)
{
	if (X509_sign(cert, key, digest_for(key)) <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "sign-failed",
		    "the CA key did not sign");
	return 0;
}

/* The same request of the same principal: the same answer. 1 found. */
static int
find_again(struct work *w, struct burin_error *e)
{
	struct issued old;
	int found, rc;

	if (store_cert_of_request(
		w->st, w->in->principal, w->sha256, &old, &found, e) != 0)
		return -1;
	if (!found)
		return 0;
	if (old.revoked) {
		rc = burin_fail(e, BURIN_EAUTHORITY, "certificate-revoked",
		    "the certificate of this request was revoked");
	} else {
		w->cert = old.cert;
		old.cert = NULL;
		w->outcome = ISSUE_AGAIN;
		rc = 1;
	}
	issued_clear(&old);
	return rc;
}

static int
find_again_alone(struct work *w, struct burin_error *e)
{
	int rc;

	if (store_begin(w->st, e) != 0)
		return -1;
	rc = find_again(w, e);
	(void)store_end(w->st, 0, e);
	return rc;
}

static int
load_profile(struct work *w, struct burin_error *e)
{
	char *text = NULL;
	size_t len;
	int rc = -1;

	if (profile_load_from(
		w->in->profiles, w->in->profile, &text, &len, NULL) != 0) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "profile-unknown",
		    "this authority has no profile '%s'", w->in->profile);
		goto out;
	}
	rc = burin_profile_parse(text, len, &w->profile, e);
	if (rc != 0 && e != NULL)
		e->status = BURIN_EINTERNAL; /* our file, not the request */
out:
	free(text);
	return rc;
}

/* Everything that can be said without the store. */
static int
check_request(struct work *w, struct burin_error *e)
{
	if (policy_key(w->req, w->profile, e) != 0 ||
	    burin_pkcs10_verify_pop(w->req, BURIN_EUSAGE, e) != 0)
		return -1;
	if (EVP_PKEY_eq(X509_REQ_get0_pubkey(w->req),
		X509_get0_pubkey(w->ca->cert)) == 1)
		return burin_fail(e, BURIN_EAUTHORITY, "key-of-another",
		    "this public key is the authority's own");
	if (w->in->renews != NULL)
		return policy_renewal(w->req, w->in->renews, e);
	if (w->in->invite != NULL && w->in->invite->identity != NULL)
		return policy_identity(w->req, w->profile, w->in->invite, e);
	return 0;
}

/* Read again: another request may have used the secret meanwhile. */
static int
check_invite(struct work *w, struct burin_error *e)
{
	struct invite now;
	int found, rc = -1;

	if (w->in->invite == NULL)
		return 0;
	if (store_invite_get(w->st, w->in->invite->name, &now, &found, e) != 0)
		return -1;
	if (!found || now.id != w->in->invite->id)
		(void)burin_fail(e, BURIN_EAUTHORITY, "invite-gone",
		    "this invite was replaced by a newer one");
	else if (now.used &&
	    memcmp(now.used_by, w->sha256, sizeof(w->sha256)) != 0)
		(void)burin_fail(e, BURIN_EAUTHORITY, "invite-used",
		    "this enrolment secret was used by another request");
	else if (!now.used && w->in->now >= now.expires)
		(void)burin_fail(e, BURIN_EAUTHORITY, "invite-expired",
		    "this enrolment secret has expired");
	else
		rc = 0;
	if (rc != 0)
		(void)burin_error_advice(
		    e, "ask the authority's operator for a new invite");
	invite_clear(&now);
	return rc;
}

static int
subject_text(struct work *w, char **out, struct burin_error *e)
{
	char *dn = NULL, **sans = NULL;
	BIO *mem = NULL;
	size_t i;
	int rc = -1;

	*out = NULL;
	dn = burin_dn_text(X509_REQ_get_subject_name(w->req));
	sans = burin_req_sans(w->req);
	mem = BIO_new(BIO_s_mem());
	if (dn == NULL || sans == NULL || mem == NULL)
		goto out;
	(void)BIO_printf(mem, "%s", dn);
	for (i = 0; sans[i] != NULL; i++)
		(void)BIO_printf(mem, " %s", sans[i]);
	if (BIO_write(mem, "", 1) == 1) {
		char *text;

		(void)BIO_get_mem_data(mem, &text);
		*out = strdup(text);
	}
	rc = *out != NULL ? 0 : -1;
out:
	BIO_free(mem);
	free(dn);
	burin_texts_free(&sans);
	return rc == 0 ? 0 : burin_fail_memory(e);
}

/* With "approve = manual": 1 when it may be issued now. */
static int
check_approved(struct work *w, struct burin_error *e)
{
	struct waiting_new in = { .principal = w->in->principal,
		.profile = w->in->profile,
		.request = w->sha256,
		.now = w->in->now };
	enum waiting state;
	char *subject = NULL;
	int rc = -1;

	if (!w->in->manual)
		return 1;
	if (store_request_state(
		w->st, w->in->principal, w->sha256, &state, e) != 0)
		return -1;
	if (state == WAITING_APPROVED)
		return 1;
	w->outcome = ISSUE_PENDING;
	if (state == WAITING_PENDING)
		return 0;
	if (subject_text(w, &subject, e) != 0)
		goto out;
	in.subject = subject;
	if (store_request_put(w->st, &in, e) != 0 ||
	    (w->in->invite != NULL &&
		store_invite_use(w->st, w->in->invite->id, w->sha256, e) !=
		    0) ||
	    store_audit(w->st, e, "pending", "%s profile %s: %s",
		w->in->principal, w->in->profile, subject) != 0)
		goto out;
	rc = 0;
out:
	free(subject);
	return rc;
}

static time_t
end_of(X509 *cert)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
		return 0;
	return timegm(&tm);
}

static int
make_cert(struct work *w, struct burin_error *e)
{
	time_t now = w->in->now, until, ca_until = end_of(w->ca->cert);
	X509 *cert = NULL;
	int rc = -1;

	if (now >= ca_until)
		return burin_fail(e, BURIN_EINTERNAL, "ca-expired",
		    "the CA's own certificate has expired");
	until = now + (time_t)burin_profile_days(w->profile) * DAY;
	if (until > ca_until)
		until = ca_until;
	cert = issue_blank(X509_REQ_get_subject_name(w->req),
	    X509_get_subject_name(w->ca->cert), X509_REQ_get0_pubkey(w->req),
	    now, until, e);
	if (cert == NULL ||
	    burin_profile_extensions(
		w->profile, w->req, w->ca->cert, cert, e) != 0 ||
	    policy_resources(cert, w->ca->cert, e) != 0 ||
	    issue_sign(cert, w->ca->key, e) != 0 ||
	    own_check(w->ca, cert, now, e) != 0)
		goto out;
	w->cert = cert;
	cert = NULL;
	rc = 0;
out:
	X509_free(cert);
	return rc;
}

/* Commits the certificate with everything that follows from it. */
static int
record(struct work *w, struct burin_error *e)
{
	struct issued_new in = { .cert = w->cert,
		.principal = w->in->principal,
		.profile = w->in->profile,
		.request = w->sha256,
		.now = w->in->now };
	char *serial = NULL, *subject = NULL;
	int rc = -1;

	if (store_cert_put(w->st, &in, e) != 0)
		goto out;
	if (w->in->invite != NULL &&
	    store_invite_use(w->st, w->in->invite->id, w->sha256, e) != 0)
		goto out;
	serial = burin_serial_text(X509_get0_serialNumber(w->cert));
	if (serial == NULL || subject_text(w, &subject, e) != 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = store_audit(w->st, e, "issued", "%s for %s profile %s: %s", serial,
	    w->in->principal, w->in->profile, subject);
out:
	free(serial);
	free(subject);
	return rc;
}

/* The part under the writer's lock; 0: commit. */
static int
decide(struct work *w, struct burin_error *e)
{
	int r;

	if ((r = find_again(w, e)) != 0)
		return r < 0 ? -1 : 0;
	if (check_invite(w, e) != 0 || policy_key_owner(w->st, w->req, e) != 0)
		return -1;
	if ((r = check_approved(w, e)) <= 0)
		return r;
	if (make_cert(w, e) != 0 || record(w, e) != 0)
		return -1;
	w->outcome = ISSUE_DONE;
	return 0;
}

static int
run(struct work *w, struct burin_error *e)
{
	int r;

	if (!EVP_Q_digest(NULL, "SHA256", NULL, w->in->request,
		w->in->request_len, w->sha256, NULL))
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "digest-failed", "SHA-256 failed");
	if ((r = find_again_alone(w, e)) != 0)
		return r < 0 ? -1 : 0;
	if (burin_pkcs10_parse(w->in->request, w->in->request_len, BURIN_EUSAGE,
		&w->req, e) != 0 ||
	    load_profile(w, e) != 0 || check_request(w, e) != 0)
		return -1;
	if (store_begin(w->st, e) != 0)
		return -1;
	r = decide(w, e);
	if (store_end(w->st, r == 0, e) != 0)
		r = -1;
	return r;
}

int
issue(struct store *st, const struct issuer *ca, const struct issue_input *in,
    enum issue_outcome *outcome, X509 **out, struct burin_error *e)
{
	struct work w = { .st = st, .ca = ca, .in = in };
	int rc;

	*out = NULL;
	rc = run(&w, e);
	if (rc == 0) {
		*outcome = w.outcome;
		*out = w.cert;
		w.cert = NULL;
	}
	X509_free(w.cert);
	X509_REQ_free(w.req);
	burin_profile_free(&w.profile);
	return rc;
}
