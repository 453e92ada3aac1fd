/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From what is asked to a certificate (RFC 5280 section 4.1, RFC 7030 section
 * 4.2). Knows no token, no HTTP and no format of requests.
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

static int
not_signed(struct burin_error *e)
{
	return burin_fail_openssl(
	    e, BURIN_EINTERNAL, "sign-failed", "the CA key did not sign");
}

static int
sign_cert(void *key, X509 *cert, struct burin_error *e)
{
	return X509_sign(cert, key, digest_for(key)) > 0 ? 0 : not_signed(e);
}

static int
sign_crl(void *key, X509_CRL *crl, struct burin_error *e)
{
	return X509_CRL_sign(crl, key, digest_for(key)) > 0 ? 0 : not_signed(e);
}

void
issuer_of_key(struct issuer *ca, EVP_PKEY *key, X509 *cert)
{
	ca->cert = cert;
	ca->sign_cert = sign_cert;
	ca->sign_crl = sign_crl;
	ca->arg = key;
}

/* The same request of the same principal: the same answer. 1 found. */
static int
find_again(struct work *w, struct burin_error *e)
{
	struct issued old;
	int found, rc;

	if (store_cert_of_request(
		w->st, w->in->principal, w->in->request, &old, &found, e) != 0)
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

int
policy_profile(const char *dir, const char *name, struct burin_profile **out,
    struct burin_error *e)
{
	char *text = NULL;
	size_t len;
	int rc = -1;

	if (profile_load_from(dir, name, &text, &len, NULL) != 0) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "profile-unknown",
		    "this authority has no profile '%s'", name);
		goto out;
	}
	rc = burin_profile_parse(text, len, out, e);
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
	const struct issue_input *in = w->in;

	if (policy_key(in->asked, w->profile, e) != 0)
		return -1;
	if (EVP_PKEY_eq(in->asked->pub, X509_get0_pubkey(w->ca->cert)) == 1)
		return burin_fail(e, BURIN_EAUTHORITY, "key-of-authority",
		    "this public key is the authority's own");
	if (in->renews != NULL)
		return in->renamed ? 0
				   : policy_renewal(in->asked, in->renews, e);
	return in->invite != NULL
	    ? policy_invite(in->asked, w->profile, in->invite, e)
	    : 0;
}

static const unsigned char *
use_of(const struct issue_input *in)
{
	return in->use != NULL ? in->use : in->request;
}

/* Read again: another request may have used the secret meanwhile. */
int
invite_check(struct store *st, const struct invite *in,
    const unsigned char use[CA_SHA256], time_t at, struct burin_error *e)
{
	struct invite now;
	int found, rc = -1;

	if (store_invite_get(st, in->name, &now, &found, e) != 0)
		return -1;
	if (!found || now.id != in->id)
		(void)burin_fail(e, BURIN_EAUTHORITY, "invite-gone",
		    "this invite was replaced by a newer one");
	else if (now.used && memcmp(now.used_by, use, sizeof(now.used_by)) != 0)
		(void)burin_fail(e, BURIN_EAUTHORITY, "invite-used",
		    "this enrolment secret was used by another request");
	else if (!now.used && at >= now.expires)
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

static const char *
via_of(const struct issue_input *in)
{
	return in->via != NULL ? in->via : "-";
}

/* "SERIAL: request HASH of PRINCIPAL via VIA profile NAME: SUBJECT". */
static int
log_line(struct work *w, const char *event, const char *serial,
    const char *subject, struct burin_error *e)
{
	char *hash = burin_hex(w->in->request, CA_SHA256);
	int rc;

	if (hash == NULL)
		return burin_fail_memory(e);
	rc = store_audit(w->st, e, event,
	    "%s%srequest %s of %s via %s profile %s: %s",
	    serial != NULL ? serial : "", serial != NULL ? ": " : "", hash,
	    w->in->principal, via_of(w->in), w->in->profile, subject);
	free(hash);
	return rc;
}

static int
subject_text(const struct burin_asked *asked, char **out, struct burin_error *e)
{
	char *dn = NULL, **sans = NULL;
	BIO *mem = NULL;
	size_t i;
	int rc = -1;

	*out = NULL;
	dn = burin_dn_text(asked->subject);
	sans = burin_exts_sans(asked->extensions);
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

/* One more that waits. */
static int
put_waiting(struct work *w, struct burin_error *e)
{
	const struct issue_input *in = w->in;
	struct waiting_new new = { .principal = in->principal,
		.profile = in->profile,
		.request = in->request,
		.der = in->der,
		.der_len = in->der_len,
		.form = in->form,
		.invite = in->invite != NULL ? in->invite->id : 0,
		.via = in->via,
		.now = in->now,
		.limit = CA_WAITING };
	char *subject = NULL, *renews = NULL;
	int rc = -1;

	if (in->cnf != NULL && in->cnf->waiting > 0)
		new.limit = in->cnf->waiting;
	if (subject_text(in->asked, &subject, e) != 0)
		goto out;
	if (in->renews != NULL &&
	    (renews = burin_serial_text(X509_get0_serialNumber(in->renews))) ==
		NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	new.subject = subject;
	new.renews = renews;
	if (store_request_put(w->st, &new, e) != 0 ||
	    (in->invite != NULL &&
		store_invite_use(
		    w->st, in->invite->id, use_of(in), in->now, e) != 0))
		goto out;
	rc = log_line(w, "pending", NULL, subject, e);
out:
	free(subject);
	free(renews);
	return rc;
}

/*
 * What became of this request before; that it was denied, the operator's word
 * and not what its invite has been used for since.
 */
static int
read_state(struct work *w, enum waiting *state, struct burin_error *e)
{
	char *why = NULL;

	if (store_request_state(
		w->st, w->in->principal, w->in->request, state, &why, e) != 0)
		return -1;
	if (*state == WAITING_DENIED)
		(void)burin_fail(e, BURIN_EAUTHORITY, "request-denied",
		    "the authority's operator denied this request%s%s",
		    why != NULL ? ": " : "", why != NULL ? why : "");
	free(why);
	return *state == WAITING_DENIED ? -1 : 0;
}

/* 1 when it may be issued now, 0 when it waits. */
static int
check_approved(struct work *w, enum waiting state, struct burin_error *e)
{
	const struct issue_input *in = w->in;
	int asks = in->manual ||
	    (in->renamed && (in->cnf == NULL || !in->cnf->rename));

	/* What was put before the operator once he decides, also when the
	 * settings, or the way it comes, would have it issued now. */
	w->outcome = ISSUE_PENDING;
	if (state == WAITING_NEW)
		return asks ? put_waiting(w, e) : 1;
	return state == WAITING_APPROVED;
}

static time_t
end_of(X509 *cert)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
		return 0;
	return timegm(&tm);
}

/*
 * An RA is believed about others (RFC 6402 section 2.10): nobody becomes one
 * by an invite that does not say so, or by the word of another RA.
 */
static int
check_purpose(const struct work *w, X509 *cert, struct burin_error *e)
{
	const struct invite *invite = w->in->invite;

	if (!burin_cert_has_purpose(cert, NID_cmcRA) ||
	    (w->in->renews != NULL &&
		burin_cert_has_purpose(w->in->renews, NID_cmcRA) &&
		EVP_PKEY_eq(X509_get0_pubkey(w->in->renews),
		    X509_get0_pubkey(cert)) == 1) ||
	    (invite != NULL && invite->profile != NULL &&
		strcmp(invite->profile, w->in->profile) == 0))
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "profile-refused",
	    "profile %s makes a registration authority and needs an invite "
	    "that names it",
	    w->in->profile);
	return burin_error_rule(e, "RFC 6402 section 2.10");
}

/* What {base} is in a profile. */
static const char *
base_of(const struct settings *cnf)
{
	if (cnf == NULL)
		return NULL;
	return cnf->http_url != NULL ? cnf->http_url : cnf->url;
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
	cert = issue_blank(w->in->asked->subject,
	    X509_get_subject_name(w->ca->cert), w->in->asked->pub, now, until,
	    e);
	if (cert == NULL ||
	    burin_profile_extensions(w->profile, w->in->asked, w->ca->cert,
		base_of(w->in->cnf), cert, e) != 0 ||
	    check_purpose(w, cert, e) != 0 ||
	    policy_resources(cert, w->ca->cert, e) != 0 ||
	    w->ca->sign_cert(w->ca->arg, cert, e) != 0 ||
	    own_check(w->ca, cert, now, e) != 0)
		goto out;
	w->cert = cert;
	cert = NULL;
	rc = 0;
out:
	X509_free(cert);
	return rc;
}

/* Writes the certificate with everything that follows from it. */
static int
record(struct work *w, struct burin_error *e)
{
	const struct issue_input *in = w->in;
	struct issued_new new = { .cert = w->cert,
		.principal = in->principal,
		.profile = in->profile,
		.via = in->via,
		.request = in->request,
		.revocation = in->revocation,
		.confirm = in->confirm,
		.now = in->now };
	char *serial = NULL, *subject = NULL;
	int rc = -1;

	if (store_cert_put(w->st, &new, e) != 0)
		goto out;
	if (in->invite != NULL &&
	    store_invite_use(w->st, in->invite->id, use_of(in), in->now, e) !=
		0)
		goto out;
	serial = burin_serial_text(X509_get0_serialNumber(w->cert));
	if (serial == NULL || subject_text(in->asked, &subject, e) != 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = log_line(w, "issued", serial, subject, e);
out:
	free(serial);
	free(subject);
	return rc;
}

/* The part under the writer's lock; 0: commit. */
static int
decide(struct work *w, struct burin_error *e)
{
	enum waiting state;
	int r;

	if ((r = find_again(w, e)) != 0)
		return r < 0 ? -1 : 0;
	if (read_state(w, &state, e) != 0)
		return -1;
	if ((w->in->invite != NULL &&
		invite_check(
		    w->st, w->in->invite, use_of(w->in), w->in->now, e) != 0) ||
	    policy_key_owner(w->st, w->in->asked, w->in->cnf, w->in->renews,
		w->in->now, e) != 0)
		return -1;
	if ((r = check_approved(w, state, e)) <= 0)
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

	if ((r = find_again_alone(w, e)) != 0)
		return r < 0 ? -1 : 0;
	if (policy_profile(w->in->profiles, w->in->profile, &w->profile, e) !=
		0 ||
	    check_request(w, e) != 0)
		return -1;
	if (store_begin(w->st, e) != 0)
		return -1;
	r = decide(w, e);
	if (store_end(w->st, r == 0, e) != 0)
		r = -1;
	return r;
}

/* A refusal is written down; what the authority itself failed at is not. */
static void
note_refusal(struct work *w, const struct burin_error *why)
{
	char *hash;

	if (why->status != BURIN_EAUTHORITY ||
	    (hash = burin_hex(w->in->request, CA_SHA256)) == NULL)
		return;
	(void)store_note(w->st, NULL, "refused",
	    "%s: request %s of %s via %s profile %s: %s", why->code, hash,
	    w->in->principal, via_of(w->in), w->in->profile, why->reason);
	free(hash);
}

int
issue(struct store *st, const struct issuer *ca, const struct issue_input *in,
    enum issue_outcome *outcome, X509 **out, struct burin_error *e)
{
	struct burin_error own = BURIN_ERROR_INIT;
	struct work w = { .st = st, .ca = ca, .in = in };
	int rc;

	*out = NULL;
	if (e == NULL)
		e = &own;
	rc = run(&w, e);
	if (rc == 0) {
		*outcome = w.outcome;
		*out = w.cert;
		w.cert = NULL;
	} else {
		note_refusal(&w, e);
	}
	X509_free(w.cert);
	burin_profile_free(&w.profile);
	return rc;
}
