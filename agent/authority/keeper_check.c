/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the keeper looks at before the CA's key signs. Not the policy, which
 * is the front's: these are the bounds of what a front that is somebody
 * else's could have signed. RFC 5280 section 4.1 and 5.1, RFC 6402 section
 * 2.10.
 */

#include <openssl/x509v3.h>

#include "keeper.h"

#define MAX_SERIAL (2 + CA_SERIAL) /* bytes of its DER */
#define CLOCK_ROOM 300		   /* seconds between two clocks */
#define CRL_DAYS 366		   /* from thisUpdate to nextUpdate, at most */

static int
refuse(const char *what, const char *rule, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EINTERNAL, "order-refused",
	    "the keeper of the CA's key does not sign this: %s", what);
	return rule == NULL ? -1 : burin_error_rule(e, "%s", rule);
}

/* Positive and no longer than 20 octets (RFC 5280 section 4.1.2.2). */
static int
number_ok(const ASN1_INTEGER *n, int zero)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(n, NULL);
	int ok;

	ok = bn != NULL && !BN_is_negative(bn) && (zero || !BN_is_zero(bn)) &&
	    i2d_ASN1_INTEGER(n, NULL) <= MAX_SERIAL;
	BN_free(bn);
	return ok;
}

static int
names_ok(const struct authority *a, X509 *cert, struct burin_error *e)
{
	const ASN1_OCTET_STRING *ours, *aki;
	const X509_NAME *ca = X509_get_subject_name(a->ca.cert);

	ours = X509_get0_subject_key_id(a->ca.cert);
	aki = X509_get0_authority_key_id(cert);
	if (X509_NAME_cmp(X509_get_issuer_name(cert), ca) != 0)
		return refuse(
		    "its issuer is another", "RFC 5280 section 4.1.2.4", e);
	if (ours == NULL || aki == NULL ||
	    ASN1_OCTET_STRING_cmp(ours, aki) != 0)
		return refuse("its authorityKeyIdentifier is not the CA's",
		    "RFC 5280 section 4.2.1.1", e);
	if (X509_NAME_cmp(X509_get_subject_name(cert), ca) == 0)
		return refuse(
		    "its subject is the CA itself", "RFC 6402 section 2.10", e);
	return 0;
}

static int
times_ok(const struct authority *a, X509 *cert, struct burin_error *e)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert);
	const ASN1_TIME *to = X509_get0_notAfter(cert);
	int first, last, order;

	first = ASN1_TIME_compare(X509_get0_notBefore(a->ca.cert), from);
	last = ASN1_TIME_compare(to, X509_get0_notAfter(a->ca.cert));
	order = ASN1_TIME_compare(from, to);
	/* -2: no time at all. */
	if ((first == -1 || first == 0) && (last == -1 || last == 0) &&
	    (order == -1 || order == 0))
		return 0;
	return refuse("it is not valid within the CA's own time",
	    "RFC 5280 section 4.1.2.5", e);
}

/* Who may sign certificates, CRLs or answers in the CA's place: nobody. */
static int
powers_ok(X509 *cert, struct burin_error *e)
{
	uint32_t flags = X509_get_extension_flags(cert);

	if (flags & (EXFLAG_INVALID | EXFLAG_INVALID_POLICY))
		return refuse("one of its extensions is malformed",
		    "RFC 5280 section 4.2", e);
	if (flags & EXFLAG_CA)
		return refuse(
		    "it would be a CA", "RFC 5280 section 4.2.1.9", e);
	if ((flags & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(cert) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0)
		return refuse("it would sign certificates or CRLs",
		    "RFC 5280 section 4.2.1.3", e);
	if (burin_cert_has_purpose(cert, NID_cmcCA) ||
	    burin_cert_has_purpose(cert, NID_OCSP_sign))
		return refuse("it would answer in the CA's name",
		    "RFC 6402 section 2.10", e);
	return 0;
}

static int
key_ok(const struct authority *a, X509 *cert, struct burin_error *e)
{
	X509 *const own[] = { a->ca.cert, a->cmc_cert, a->tls_cert,
		a->pop_cert };
	EVP_PKEY *pub = X509_get0_pubkey(cert);
	size_t i;

	if (pub == NULL)
		return refuse("its public key cannot be read",
		    "RFC 5280 section 4.1.2.7", e);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (EVP_PKEY_eq(pub, X509_get0_pubkey(own[i])) == 1)
			return refuse(
			    "its key is one of the authority's own", NULL, e);
	return 0;
}

int
keeper_check_cert(const struct authority *a, X509 *cert, struct burin_error *e)
{
	if (X509_get_version(cert) != X509_VERSION_3)
		return refuse(
		    "it is not of version 3", "RFC 5280 section 4.1.2.1", e);
	if (!number_ok(X509_get0_serialNumber(cert), 0))
		return refuse("its serial number is no positive number of at "
			      "most 20 octets",
		    "RFC 5280 section 4.1.2.2", e);
	if (powers_ok(cert, e) != 0 || names_ok(a, cert, e) != 0 ||
	    times_ok(a, cert, e) != 0 || key_ok(a, cert, e) != 0)
		return -1;
	if (policy_resources(cert, a->ca.cert, NULL) != 0)
		return refuse("it has IP resources that the CA has not",
		    "RFC 3779 section 2.3", e);
	return 0;
}

/* --- CRLs ----------------------------------------------------------------- */

static int
crl_times_ok(X509_CRL *crl, time_t now, struct burin_error *e)
{
	const ASN1_TIME *this = X509_CRL_get0_lastUpdate(crl);
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	ASN1_TIME *ours = ASN1_TIME_set(NULL, now);
	int days = 0, seconds = 0, ok;

	/* Less than a day old. */
	ok = ours != NULL && ASN1_TIME_diff(&days, &seconds, ours, this) &&
	    days == 0 && seconds <= CLOCK_ROOM;
	ASN1_TIME_free(ours);
	if (!ok)
		return refuse(
		    "its thisUpdate is not now", "RFC 5280 section 5.1.2.4", e);
	if (next == NULL || !ASN1_TIME_diff(&days, &seconds, this, next) ||
	    days < 0 || seconds < 0 || (days == 0 && seconds == 0) ||
	    days > CRL_DAYS)
		return refuse("its nextUpdate is missing or far away",
		    "RFC 5280 section 5.1.2.5", e);
	return 0;
}

/* A delta, or a CRL of a part, is none of ours: both are critical. */
static int
crl_exts_ok(const struct authority *a, X509_CRL *crl, struct burin_error *e)
{
	const ASN1_OCTET_STRING *ours = X509_get0_subject_key_id(a->ca.cert);
	AUTHORITY_KEYID *aki;
	ASN1_INTEGER *number;
	int i, ok;

	for (i = 0; i < X509_CRL_get_ext_count(crl); i++)
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)))
			return refuse("it has a critical extension",
			    "RFC 5280 section 5.2", e);
	aki =
	    X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	ok = aki != NULL && aki->keyid != NULL && ours != NULL &&
	    ASN1_OCTET_STRING_cmp(aki->keyid, ours) == 0;
	AUTHORITY_KEYID_free(aki);
	if (!ok)
		return refuse("its authorityKeyIdentifier is not the CA's",
		    "RFC 5280 section 5.2.1", e);
	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	ok = number != NULL && number_ok(number, 1);
	ASN1_INTEGER_free(number);
	if (!ok)
		return refuse("it has no CRL number of at most 20 octets",
		    "RFC 5280 section 5.2.3", e);
	return 0;
}

int
keeper_check_crl(
    const struct authority *a, X509_CRL *crl, time_t now, struct burin_error *e)
{
	if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
		return refuse(
		    "it is not of version 2", "RFC 5280 section 5.1.2.1", e);
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
		X509_get_subject_name(a->ca.cert)) != 0)
		return refuse(
		    "its issuer is another", "RFC 5280 section 5.1.2.3", e);
	if (crl_times_ok(crl, now, e) != 0)
		return -1;
	return crl_exts_ok(a, crl, e);
}
