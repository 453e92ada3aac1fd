/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates next to their keys (PKCS#11 2.40 section 4.6): written, read
 * back from a new session, replaced, destroyed.
 */

#include <string.h>

#include "object.h"
#include "quirk.h"

/* --- what is there before ---------------------------------------------- */

static int
fail_present(const struct burin_key *k, struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "certificate-present",
	    "the key has a certificate on the token already");
	burin_error_token(e, "%s", k->t->name);
	return burin_error_advice(e, "add --replace to put it out of use");
}

static int
fail_foreign(const struct burin_key *k, struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "id-taken",
	    "a certificate of another key has the CKA_ID of this key");
	burin_error_token(e, "%s", k->t->name);
	burin_error_rule(e, "PKCS#11 2.40 section 4.6, CKA_ID");
	return burin_error_advice(
	    e, "remove that certificate, or give it another CKA_ID");
}

static int
is_cert(const struct id_cert *c, const X509 *cert)
{
	return c->cert != NULL && X509_cmp(c->cert, cert) == 0;
}

/* What was under the CKA_ID before. */
struct before {
	int present; /* the certificate to be written */
	int any;     /* some certificate */
	X509 *gone;  /* had to go first, or NULL */
};

static int
check_there(const struct burin_key *k, const struct id_certs *there,
    const X509 *cert, enum burin_others others, struct before *before,
    struct burin_error *e)
{
	int over = others == BURIN_OTHERS_REPLACE &&
	    p11_quirk(k->t)->renewal == RENEWAL_OVER;
	size_t i, n = 0;

	before->any = there->n > 0;
	if (there->id_taken)
		return p11_fail_id_taken(k->t, e);
	for (i = 0; i < there->n; i++) {
		/*
		 * In a place that holds one key and one certificate it is what
		 * the key before left there, when the token was pulled
		 * between making the new key and clearing up.
		 */
		if (!there->list[i].ours && over)
			continue;
		if (!there->list[i].ours)
			return fail_foreign(k, e);
		/* Written over or removed, as its kind of token has it. */
		if (there->list[i].by_token)
			continue;
		if (is_cert(&there->list[i], cert))
			before->present = 1;
		else
			n++;
	}
	return n > 0 && others == BURIN_OTHERS_REFUSE ? fail_present(k, e) : 0;
}

/*
 * Where a CKA_ID has room for one certificate, what is there goes first: its
 * caller has it written down (struct job, cert_replaced).
 */
static int
make_room(struct burin_key *k, const struct id_certs *there,
    struct before *before, struct burin_error *e)
{
	size_t i;

	if (before->present || p11_quirk(k->t)->renewal != RENEWAL_AFTER)
		return 0;
	for (i = 0; i < there->n; i++) {
		if (p11_destroy(k->t, there->list[i].handle, e) == -1)
			return -1;
		if (before->gone == NULL && !there->list[i].by_token &&
		    X509_up_ref(there->list[i].cert))
			before->gone = there->list[i].cert;
	}
	return 0;
}

/*
 * Nothing is searched for again that was just found out. On success there is
 * room for the certificate.
 */
static int
check_before(struct burin_key *k, X509 *cert, enum burin_others others,
    struct before *before, struct burin_error *e)
{
	struct id_certs there = { 0 };
	CK_SESSION_HANDLE s;
	EVP_PKEY *pub = X509_get0_pubkey(cert);
	int rc;

	memset(before, 0, sizeof(*before));
	if (pub == NULL || k->public_key == NULL ||
	    EVP_PKEY_eq(pub, k->public_key) != 1) {
		burin_fail(e, BURIN_ECHECK, "key-mismatch",
		    "the certificate is for another key than the token's");
		burin_error_token(e, "%s", k->t->name);
		return burin_error_advice(e, "nothing was written");
	}
	if (k->id_len == 0) {
		burin_fail(e, BURIN_EREFUSED, "id-missing",
		    "the key has no CKA_ID that a certificate could share");
		burin_error_token(e, "%s", k->t->name);
		return burin_error_advice(e, "give the key a CKA_ID");
	}
	if (p11_check_place(k->t, k->id, k->id_len, e) == -1 ||
	    burin_token_check_write(k->t, e) == -1)
		return -1;
	if (p11_id_alone(k))
		return 0;
	if (p11_work_session(k->t, &s, e) == -1 ||
	    p11_id_search(k, s, &there, e) == -1)
		return -1;
	rc = check_there(k, &there, cert, others, before, e);
	if (rc == 0)
		rc = make_room(k, &there, before, e);
	p11_id_certs_clear(&there);
	return rc;
}

/* --- writing ----------------------------------------------------------- */

static int
add_der(struct attrs *a, CK_ATTRIBUTE_TYPE type, int len, unsigned char *der)
{
	if (len > 0)
		attrs_add(a, type, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0 ? 0 : -1;
}

static int
add_names(struct attrs *a, X509 *cert)
{
	unsigned char *subject = NULL, *issuer = NULL, *serial = NULL;
	int n_subject, n_issuer, n_serial, bad;

	n_subject = i2d_X509_NAME(X509_get_subject_name(cert), &subject);
	n_issuer = i2d_X509_NAME(X509_get_issuer_name(cert), &issuer);
	n_serial = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);
	bad = add_der(a, CKA_SUBJECT, n_subject, subject);
	bad |= add_der(a, CKA_ISSUER, n_issuer, issuer);
	bad |= add_der(a, CKA_SERIAL_NUMBER, n_serial, serial);
	return bad ? -1 : 0;
}

static int
cert_template(struct attrs *a, const struct burin_key *k, X509 *cert,
    const char *label, int full, struct burin_error *e)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len > BURIN_MAX_CERT) {
		OPENSSL_free(der);
		return burin_fail(e, BURIN_ECHECK, "certificate-too-long",
		    "the certificate has more than %d bytes", BURIN_MAX_CERT);
	}
	attrs_add_class(a, CKO_CERTIFICATE);
	attrs_add_number(a, CKA_CERTIFICATE_TYPE, CKC_X_509);
	if (full)
		attrs_add_bool(a, CKA_PRIVATE, 0);
	attrs_add(a, CKA_ID, k->id, k->id_len);
	if (full && label[0] != '\0')
		attrs_add(a, CKA_LABEL, label, strlen(label));
	if (add_der(a, CKA_VALUE, len, der) == -1 || add_names(a, cert) == -1)
		return burin_fail_openssl(e, BURIN_EINTERNAL,
		    "certificate-encoding", "the certificate does not encode");
	return attrs_ok(a, e);
}

static int
create_once(struct burin_key *k, X509 *cert, const char *label, int full,
    CK_RV *rv, struct burin_error *e)
{
	struct attrs a = { 0 };
	CK_OBJECT_HANDLE o;
	CK_SESSION_HANDLE s;
	int rc = -1;

	if (cert_template(&a, k, cert, label, full, e) == -1 ||
	    p11_write_session(k->t, &s, e) == -1)
		goto out;
	k->alone = 0;
	*rv = p11_CreateObject(k->t->m, s, a.a, a.n, &o);
	rc = 0;
out:
	attrs_clear(&a);
	return rc;
}

/* A full token seldom says so: GENERAL_ERROR, FUNCTION_FAILED. */
static int
say_size(const struct burin_key *k, X509 *cert, struct burin_error *e)
{
	unsigned room = p11_quirk(k->t)->max_cert;
	int len = i2d_X509(cert, NULL);

	if (room == 0 || len <= 0 || (unsigned)len <= room)
		return -1;
	burin_error_cause(e,
	    "the certificate has %d bytes, and such a token has room for "
	    "about %u",
	    len, room);
	return -1;
}

/* There are tokens that know no private certificates, or no labels. */
static int
create(
    struct burin_key *k, X509 *cert, const char *label, struct burin_error *e)
{
	CK_RV rv;

	if (create_once(k, cert, label, 1, &rv, e) == -1)
		return -1;
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    rv == CKR_ATTRIBUTE_VALUE_INVALID ||
	    rv == CKR_TEMPLATE_INCONSISTENT) {
		p11_note(k->t->m->owner,
		    "writing the certificate: %s, again with fewer attributes",
		    p11_ckr_name(rv));
		p11_drop_work(k->t);
		if (create_once(k, cert, label, 0, &rv, e) == -1)
			return -1;
	}
	if (rv == CKR_OK)
		return 0;
	p11_failed(k->t, "C_CreateObject", rv, e);
	return say_size(k, cert, e);
}

/* The new one was refused: better the old one than none. */
static void
put_back(
    struct burin_key *k, X509 *cert, const char *label, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	if (create(k, cert, label, &why) == 0)
		burin_error_cause(e, "the certificate before it is back");
	else
		burin_error_cause(e,
		    "the certificate before it had to go first and could not "
		    "be put back: %s",
		    why.reason);
}

/* --- reading back ------------------------------------------------------ */

static int
remove_others(struct burin_key *k, const struct id_certs *there,
    const X509 *cert, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < there->n; i++)
		if (there->list[i].ours && !is_cert(&there->list[i], cert) &&
		    p11_destroy(k->t, there->list[i].handle, e) == -1)
			return -1;
	return 0;
}

/* Whatever is there now was made of what was written. */
static void
remove_spoilt(
    struct burin_key *k, const struct id_certs *there, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	size_t i;

	for (i = 0; i < there->n; i++)
		if (p11_destroy(k->t, there->list[i].handle, &why) == -1) {
			burin_error_cause(
			    e, "it could not be removed: %s", why.reason);
			return;
		}
}

static int
fail_not_kept(const struct burin_key *k, struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "certificate-not-kept",
	    "the token took the certificate, but a new session does not find "
	    "it as it was written");
	burin_error_token(e, "%s", k->t->name);
	return burin_error_advice(e,
	    "burin tokens shows what is there; the token may be full or "
	    "faulty");
}

/* What a session sees of its own writing is the module's memory. */
static int
read_back(struct burin_key *k, const X509 *cert, enum burin_others others,
    const struct before *before, struct burin_error *e)
{
	struct id_certs there = { 0 };
	CK_SESSION_HANDLE s;
	size_t i;
	int rc = -1;

	if (p11_fresh_session(k->t, &s, e) == -1 ||
	    p11_id_search_certs(k, s, &there, e) == -1)
		goto out;
	for (i = 0; i < there.n && !is_cert(&there.list[i], cert); i++)
		continue;
	if (i == there.n) {
		fail_not_kept(k, e);
		if (!before->any)
			remove_spoilt(k, &there, e);
		goto out;
	}
	rc = others == BURIN_OTHERS_REPLACE ? remove_others(k, &there, cert, e)
					    : 0;
out:
	p11_id_certs_clear(&there);
	return rc;
}

int
burin_cert_write(struct burin_key *k, X509 *cert, const char *label,
    enum burin_others others, struct burin_error *e)
{
	struct before before = { 0, 0, NULL };
	int rc = -1;

	if (label == NULL)
		label = k->label;
	p11_lock(k->t->m);
	if (p11_key_ready(k, e) == -1 ||
	    check_before(k, cert, others, &before, e) == -1)
		goto out;
	if (!before.present && create(k, cert, label, e) == -1) {
		if (before.gone != NULL)
			put_back(k, before.gone, label, e);
		goto out;
	}
	/* Read back without the login that wrote it. */
	p11_write_done(k->t);
	rc = read_back(k, cert, others, &before, e);
out:
	p11_write_done(k->t);
	p11_unlock(k->t->m);
	X509_free(before.gone);
	return rc == 0 ? 0 : burin_error_step(e, "write");
}

int
burin_cert_destroy(struct burin_key *k, X509 *cert, struct burin_error *e)
{
	struct id_certs there = { 0 };
	CK_SESSION_HANDLE s;
	size_t i;
	int rc = -1;

	p11_lock(k->t->m);
	if (p11_key_ready(k, e) == -1 || p11_work_session(k->t, &s, e) == -1 ||
	    p11_id_search_certs(k, s, &there, e) == -1)
		goto out;
	for (i = 0; i < there.n; i++)
		if (is_cert(&there.list[i], cert) &&
		    p11_destroy(k->t, there.list[i].handle, e) == -1)
			goto out;
	rc = 0;
out:
	p11_id_certs_clear(&there);
	p11_write_done(k->t);
	p11_unlock(k->t->m);
	return rc == 0 ? 0 : burin_error_step(e, "destroy");
}
