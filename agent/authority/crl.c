/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of revoked certificates (RFC 5280 section 5): one complete list for
 * all certificates of the CA, neither indirect nor delta.
 */

#include <stdlib.h>

#include <openssl/x509v3.h>

#include "crl.h"

#define DAY (24 * 60 * 60)

/* A list in the making. */
struct list {
	X509_CRL *crl;
	int plain; /* nothing in an entry but serial and date */
};

static int
not_made(struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "crl-make",
	    "cannot put the list of revoked certificates together");
}

static int
set_reason(X509_REVOKED *r, int reason)
{
	ASN1_ENUMERATED *code;
	int ok;

	/* RFC 5280 section 5.3.1: unspecified is said by saying nothing. */
	if (reason == 0)
		return 1;
	ok = (code = ASN1_ENUMERATED_new()) != NULL &&
	    ASN1_ENUMERATED_set(code, reason) &&
	    X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, code, 0, 0) == 1;
	ASN1_ENUMERATED_free(code);
	return ok;
}

static int
set_invalidity(X509_REVOKED *r, time_t when)
{
	ASN1_GENERALIZEDTIME *t;
	int ok;

	if (when == 0)
		return 1;
	ok = (t = ASN1_GENERALIZEDTIME_set(NULL, when)) != NULL &&
	    X509_REVOKED_add1_ext_i2d(r, NID_invalidity_date, t, 0, 0) == 1;
	ASN1_GENERALIZEDTIME_free(t);
	return ok;
}

static int
set_serial(X509_REVOKED *r, const char *hex)
{
	ASN1_INTEGER *serial = NULL;
	BIGNUM *n = NULL;
	int ok;

	ok = hex != NULL && BN_hex2bn(&n, hex) > 0 &&
	    (serial = BN_to_ASN1_INTEGER(n, NULL)) != NULL &&
	    X509_REVOKED_set_serialNumber(r, serial);
	ASN1_INTEGER_free(serial);
	BN_free(n);
	return ok;
}

static int
add_entry(void *arg, const struct crl_entry *c, struct burin_error *e)
{
	struct list *l = arg;
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, c->when);

	if (r != NULL && when != NULL && set_serial(r, c->serial) &&
	    X509_REVOKED_set_revocationDate(r, when) &&
	    (l->plain ||
		(set_reason(r, c->reason) &&
		    set_invalidity(r, c->invalidity))) &&
	    X509_CRL_add0_revoked(l->crl, r)) {
		ASN1_TIME_free(when);
		return 0;
	}
	ASN1_TIME_free(when);
	X509_REVOKED_free(r);
	return not_made(e);
}

static int
set_times(X509_CRL *crl, time_t from, time_t until)
{
	ASN1_TIME *a = ASN1_TIME_set(NULL, from);
	ASN1_TIME *b = ASN1_TIME_set(NULL, until);
	int ok;

	ok = a != NULL && b != NULL && X509_CRL_set1_lastUpdate(crl, a) &&
	    X509_CRL_set1_nextUpdate(crl, b);
	ASN1_TIME_free(a);
	ASN1_TIME_free(b);
	return ok;
}

/* RFC 5280 sections 5.2.1 and 5.2.3. */
static int
set_exts(X509_CRL *crl, X509 *ca, long long number)
{
	X509_EXTENSION *aki;
	ASN1_INTEGER *n;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
	aki = X509V3_EXT_nconf_nid(
	    NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	n = ASN1_INTEGER_new();
	ok = aki != NULL && n != NULL && ASN1_INTEGER_set_int64(n, number) &&
	    X509_CRL_add_ext(crl, aki, -1) &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;
	X509_EXTENSION_free(aki);
	ASN1_INTEGER_free(n);
	return ok;
}

static int
fill(struct store *st, const struct issuer *ca, const struct crl_last *last,
    time_t now, time_t until, struct list *l, struct burin_error *e)
{
	if ((l->crl = X509_CRL_new()) == NULL ||
	    !X509_CRL_set_version(l->crl, X509_CRL_VERSION_2) ||
	    !X509_CRL_set_issuer_name(
		l->crl, X509_get_subject_name(ca->cert)) ||
	    !set_times(l->crl, now, until) ||
	    !set_exts(l->crl, ca->cert, last->number + 1))
		return not_made(e);
	/*
	 * RFC 5280 section 3.3: an entry stays until it was on a list made
	 * after the certificate's end. Lists before the last one are enough
	 * to know.
	 */
	if (store_crl_entries(st, last->this_update, add_entry, l, e) != 0)
		return -1;
	(void)X509_CRL_sort(l->crl);
	return ca->sign_crl(ca->arg, l->crl, e);
}

/* Under the writer's lock: two lists must not have one number. */
static int
make(struct store *st, const struct issuer *ca, const struct settings *cnf,
    time_t now, X509_CRL **out, struct burin_error *e)
{
	unsigned days = cnf != NULL ? cnf->crl_days : CA_CRL_DAYS;
	time_t until = now + (time_t)days * DAY;
	struct list l = { .plain = 0 };
	struct crl_last last;
	int n, rc = -1;

	/* RFC 6487 section 5: entries of serial number and date only. */
	l.plain = X509_get_ext_by_NID(ca->cert, NID_sbgp_ipAddrBlock, -1) >= 0;
	if (store_crl_last(st, &last, e) != 0 ||
	    fill(st, ca, &last, now, until, &l, e) != 0 ||
	    store_crl_put(st, last.number + 1, now, until, l.crl, e) != 0)
		goto out;
	n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(l.crl));
	if (store_audit(st, e, "crl", "number %lld: %d certificates",
		last.number + 1, n > 0 ? n : 0) != 0)
		goto out;
	*out = l.crl;
	l.crl = NULL;
	rc = 0;
out:
	X509_CRL_free(l.crl);
	return rc;
}

int
crl_make(struct store *st, const struct issuer *ca, const struct settings *cnf,
    time_t now, X509_CRL **out, struct burin_error *e)
{
	int rc;

	*out = NULL;
	if (store_begin(st, e) != 0)
		return -1;
	rc = make(st, ca, cnf, now, out, e);
	if (store_end(st, rc == 0, e) != 0)
		rc = -1;
	if (rc != 0) {
		X509_CRL_free(*out);
		*out = NULL;
	}
	return rc;
}

/* 1 when more than half of its life is left. */
static int
is_young(const X509_CRL *crl, time_t now)
{
	const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl);
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl);
	ASN1_TIME *t = ASN1_TIME_set(NULL, now);
	int d, s, left_d, left_s, young;

	young = t != NULL && ASN1_TIME_diff(&d, &s, from, t) &&
	    ASN1_TIME_diff(&left_d, &left_s, t, until) &&
	    (long long)left_d * DAY + left_s > (long long)d * DAY + s;
	ASN1_TIME_free(t);
	return young;
}

int
crl_current(struct store *st, const struct issuer *ca,
    const struct settings *cnf, time_t now, X509_CRL **out,
    struct burin_error *e)
{
	int fresh, rc;

	*out = NULL;
	if (store_begin(st, e) != 0)
		return -1;
	rc = store_crl_newest(st, out, &fresh, e);
	if (rc == 0 && (*out == NULL || !fresh || !is_young(*out, now))) {
		X509_CRL_free(*out);
		*out = NULL;
		rc = make(st, ca, cnf, now, out, e);
	}
	if (store_end(st, rc == 0, e) != 0)
		rc = -1;
	if (rc != 0) {
		X509_CRL_free(*out);
		*out = NULL;
	}
	return rc;
}
