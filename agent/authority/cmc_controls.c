/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message asks for beside certificates: RFC 10002 sections 6.9
 * (getCert), 6.10 (getCRL), 6.11 (revokeRequest), 6.14
 * (confirmCertAcceptance), 6.18 (publishCert).
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "cmc_work.h"

#define MAX_LOOKED_UP 16 /* getCert, and getCRL, in one message */

/* --- certificates by their names ----------------------------------------- */

static int
missing(struct burin_error *e)
{
	return burin_fail(e, BURIN_EAUTHORITY, "certificate-missing",
	    "this authority issued no such certificate");
}

static int
find_issued(struct cmc_work *w, const X509_NAME *issuer,
    const ASN1_INTEGER *number, struct issued *out, struct burin_error *e)
{
	int found;

	memset(out, 0, sizeof(*out));
	if (X509_NAME_cmp(issuer, X509_get_subject_name(w->s->ca->cert)) != 0)
		return missing(e);
	if (store_cert_look_up(w->s->store, number, out, &found, e) != 0)
		return -1;
	return found ? 0 : missing(e);
}

/* The CA's own serial number is asked for as well. */
static int
is_ca(const struct cmc_work *w, const struct burin_cmc_named *n)
{
	X509 *ca = w->s->ca->cert;

	return X509_NAME_cmp(n->issuer, X509_get_issuer_name(ca)) == 0 &&
	    ASN1_INTEGER_cmp(n->serial, X509_get0_serialNumber(ca)) == 0;
}

static int
push_cert(struct cmc_work *w, X509 *cert, struct burin_error *e)
{
	return X509_add_cert(w->certs, cert, X509_ADD_FLAG_UP_REF)
	    ? 0
	    : burin_fail_memory(e);
}

static int
get_cert(
    struct cmc_work *w, const struct burin_cmc_named *n, struct burin_error *e)
{
	struct issued c;
	int rc;

	if (is_ca(w, n))
		return push_cert(w, w->s->ca->cert, e);
	if (find_issued(w, n->issuer, n->serial, &c, e) != 0)
		return -1;
	rc = push_cert(w, c.cert, e);
	issued_clear(&c);
	return rc;
}

static int
get_crl(
    struct cmc_work *w, const struct burin_cmc_named *n, struct burin_error *e)
{
	X509_CRL *crl = NULL;
	int rc;

	if (X509_NAME_cmp(n->issuer, X509_get_subject_name(w->s->ca->cert)) !=
	    0)
		return burin_fail(e, BURIN_EAUTHORITY, "certificate-missing",
		    "this authority makes no revocation list of that issuer");
	if (n->time == 0 || n->time >= w->t->now) {
		rc = crl_current(
		    w->s->store, w->s->ca, w->s->cnf, w->t->now, &crl, e);
	} else if ((rc = store_begin(w->s->store, e)) == 0) {
		rc = store_crl_at(w->s->store, n->time, &crl, e);
		(void)store_end(w->s->store, 0, NULL);
	}
	if (rc != 0)
		return -1;
	if (crl == NULL)
		return burin_fail(e, BURIN_EAUTHORITY, "certificate-missing",
		    "there is no revocation list of that time");
	if (sk_X509_CRL_push(w->crls, crl))
		return 0;
	X509_CRL_free(crl);
	return burin_fail_memory(e);
}

/* --- revocation ---------------------------------------------------------- */

static int
same_ext(X509 *a, X509 *b, int nid)
{
	int i = X509_get_ext_by_NID(a, nid, -1);
	int j = X509_get_ext_by_NID(b, nid, -1);

	if (i < 0 || j < 0)
		return i < 0 && j < 0;
	return ASN1_OCTET_STRING_cmp(
		   X509_EXTENSION_get_data(X509_get_ext(a, i)),
		   X509_EXTENSION_get_data(X509_get_ext(b, j))) == 0;
}

/* Of the same names: a signing certificate speaks for the one to encrypt. */
static int
same_holder(X509 *a, X509 *b)
{
	if (X509_cmp(a, b) == 0)
		return 1;
	return X509_NAME_cmp(
		   X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	    same_ext(a, b, NID_subject_alt_name) &&
	    (X509_NAME_entry_count(X509_get_subject_name(a)) > 0 ||
		X509_get_ext_by_NID(a, NID_subject_alt_name, -1) >= 0);
}

static int
may_revoke(struct cmc_work *w, const struct burin_cmc_revoke_part *r,
    const struct issued *c, struct burin_error *e)
{
	const struct issued *by = cmc_cert(w);
	int ok = 0, rc = 0;

	if (by != NULL && (w->is_ra || same_holder(by->cert, c->cert)))
		return 0;
	if (r->secret != NULL && (rc = store_begin(w->s->store, e)) == 0) {
		const struct revocation_try in = { c->serial,
			burin_secret_bytes(r->secret),
			burin_secret_len(r->secret), w->t->now };

		rc = store_revocation_check(w->s->store, &in, &ok, e);
		if (store_end(w->s->store, rc == 0, e) != 0)
			rc = -1;
	}
	if (rc != 0 || ok)
		return rc;
	(void)burin_fail(e, BURIN_EAUTHORITY, "not-yours",
	    "neither the signature nor a secret allows to revoke this "
	    "certificate");
	return burin_error_rule(e, "RFC 10002 section 6.11");
}

static int
revoke_one(struct cmc_work *w, const struct burin_cmc_revoke_part *r,
    struct burin_error *e)
{
	struct revocation in = { 0 };
	struct issued c;
	int rc = -1;

	if (find_issued(w, r->issuer, r->serial, &c, e) != 0)
		return -1;
	if (may_revoke(w, r, &c, e) != 0)
		goto out;
	in.serial = c.serial;
	in.reason = r->reason;
	in.invalidity = r->invalid;
	in.by = w->principal[0] != '\0' ? w->principal : "its secret";
	in.via = w->t->via;
	in.now = w->t->now;
	if (store_begin(w->s->store, e) != 0)
		goto out;
	/* Who asks again, because the answer was lost, is answered again. */
	rc = c.state == CERT_REVOKED ? 0 : store_revoke(w->s->store, &in, e);
	if (store_end(w->s->store, rc == 0, e) != 0)
		rc = -1;
	if (rc != 0 && e->status == BURIN_EUSAGE)
		e->status = BURIN_EAUTHORITY;
out:
	issued_clear(&c);
	return rc;
}

/* --- acceptance ---------------------------------------------------------- */

static int
is_rejected(const struct cmc_work *w)
{
	size_t i;

	for (i = 0; i < w->h.n_said; i++)
		if (w->h.said[i].status == BURIN_CMC_FAILED)
			return 1;
	return 0;
}

/* By who got it: in the same name, or with its key. */
static int
may_confirm(struct cmc_work *w, const struct issued *c, struct burin_error *e)
{
	const struct issued *by = cmc_cert(w);

	if (w->h.by == BURIN_CMC_BY_KEY)
		return burin_cmc_hear_signer(
		    &w->h, NULL, X509_get0_pubkey(c->cert), 0, &w->why, e);
	if ((by != NULL && X509_cmp(by->cert, c->cert) == 0) ||
	    (w->principal[0] != '\0' &&
		strcmp(w->principal, c->principal) == 0))
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "not-yours",
	    "the certificate that is accepted is of somebody else");
	return burin_error_rule(e, "RFC 10002 section 6.14");
}

/* What is not accepted is not to be used by anybody. */
static int
confirm(struct cmc_work *w, struct burin_error *e)
{
	struct revocation in = { 0 };
	struct issued c;
	int rc = -1;

	if (find_issued(w, w->h.confirm.issuer, w->h.confirm.serial, &c, e) !=
	    0)
		return -1;
	if (may_confirm(w, &c, e) != 0 || store_begin(w->s->store, e) != 0)
		goto out;
	if (!is_rejected(w)) {
		rc = c.confirmed ? 0
				 : store_cert_confirm(w->s->store, c.serial, e);
	} else {
		in.serial = c.serial;
		in.reason = CRL_REASON_CESSATION_OF_OPERATION;
		in.by = w->principal[0] != '\0' ? w->principal : c.principal;
		in.via = w->t->via;
		in.now = w->t->now;
		rc = c.revoked ? 0 : store_revoke(w->s->store, &in, e);
	}
	if (store_end(w->s->store, rc == 0, e) != 0)
		rc = -1;
out:
	issued_clear(&c);
	return rc;
}

/* --- all of them --------------------------------------------------------- */

static int
done_or_refused(
    struct cmc_work *w, int rc, uint32_t id, int say, struct burin_error *e)
{
	if (rc != 0)
		return cmc_deny(w, &id, 1, NULL, e);
	if (!say)
		return 0;
	return cmc_tell_of(
	    w, BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE, &id, 1, e, NULL);
}

/* What is looked up comes in one answer, beside what is issued. */
static int
check_room(const struct cmc_work *w, struct burin_error *e)
{
	if (w->h.n_certs <= MAX_LOOKED_UP && w->h.n_crls <= MAX_LOOKED_UP)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "too-much-asked",
	    "more than %d certificates or lists are asked for at once",
	    MAX_LOOKED_UP);
	return burin_error_rule(e, "RFC 10002 section 6.9");
}

int
cmc_controls(struct cmc_work *w, struct burin_error *e)
{
	struct burin_cmc_heard *h = &w->h;
	size_t i;
	int rc;

	if (check_room(w, e) != 0)
		return -1;
	for (i = 0; i < h->n_certs; i++) {
		rc = get_cert(w, &h->get_certs[i], e);
		if (done_or_refused(w, rc, h->get_certs[i].id, 0, e) != 0)
			return -1;
	}
	for (i = 0; i < h->n_crls; i++) {
		rc = get_crl(w, &h->get_crls[i], e);
		if (done_or_refused(w, rc, h->get_crls[i].id, 0, e) != 0)
			return -1;
	}
	for (i = 0; i < h->n_revokes; i++) {
		rc = revoke_one(w, &h->revokes[i], e);
		if (done_or_refused(w, rc, h->revokes[i].id, 1, e) != 0)
			return -1;
	}
	if (h->confirm.serial != NULL) {
		rc = confirm(w, e);
		if (done_or_refused(w, rc, h->confirm.id, 1, e) != 0)
			return -1;
	}
	for (i = 0; i < h->n_publishes; i++)
		if (cmc_tell_of(w, BURIN_CMC_NO_SUPPORT, BURIN_CMC_FAIL_NONE,
			&h->publishes[i].id, 1, e,
			"this authority publishes nothing") != 0)
			return -1;
	return 0;
}
