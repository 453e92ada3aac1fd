/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A certificate revocation list as it was handed out: whose it is, who signed
 * it, from when to when it holds. RFC 5280 sections 5.1 and 6.3.3.
 */

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/response.h>

#include "check.h"

#define RULE_SIGNER "RFC 5280 section 6.3.3"
#define RULE_TIMES "RFC 5280 sections 5.1.2.4 and 5.1.2.5"

static int
refuse(
    const char *code, const char *rule, const char *why, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_ECHECK, code, "%s", why);
	return burin_error_rule(e, "%s", rule);
}

/* --- times ---------------------------------------------------------------- */

static int
check_times(const struct burin_crl_input *in, struct burin_error *e)
{
	const ASN1_TIME *this = X509_CRL_get0_lastUpdate(in->crl);
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(in->crl);
	time_t now = in->now - in->skew, limit = in->now + in->skew;
	int begun = X509_cmp_time(this, &limit);
	int left = next != NULL ? X509_cmp_time(next, &now) : 1;

	if (begun == 0 || left == 0)
		return refuse("crl-times", RULE_TIMES,
		    "the times of the list are not well formed", e);
	if (begun > 0)
		return refuse("crl-times", RULE_TIMES,
		    "the list is of a time to come (thisUpdate)", e);
	if (next != NULL && ASN1_TIME_compare(this, next) >= 0)
		return refuse("crl-times", RULE_TIMES,
		    "the list ends before it begins (nextUpdate)", e);
	if (left > 0)
		return 0;
	(void)refuse("crl-stale", RULE_TIMES,
	    "the list is out of date: there should be a newer one "
	    "(nextUpdate)",
	    e);
	return burin_error_advice(e,
	    "ask again; when it stays so, the authority hands out an old "
	    "list, or somebody on the way does");
}

/* --- the signature -------------------------------------------------------- */

/* A path to the anchors; an anchor is one by itself. */
static int
is_trusted(const struct burin_crl_input *in, X509 *cert, int *trusted,
    struct burin_error *e)
{
	struct burin_check_input check = { 0 };
	struct burin_check path = { 0 };

	check.cert = cert;
	check.bag = in->bag;
	check.anchors = in->anchors;
	check.now = in->now;
	check.skew = in->skew;
	if (csr_check_path(&check, &path, NULL, e) == -1)
		return -1;
	*trusted = path.level == BURIN_PASS;
	return 0;
}

static int
may_sign(const struct burin_crl_input *in, X509 *cert)
{
	return X509_NAME_cmp(X509_get_subject_name(cert), in->issuer) == 0 &&
	    (X509_get_key_usage(cert) & KU_CRL_SIGN) != 0;
}

/* *signer NULL: none of certs; *named: one of them bears the name. */
static int
find_signer(const struct burin_crl_input *in, STACK_OF(X509) * certs,
    X509 **signer, int *named, struct burin_error *e)
{
	EVP_PKEY *pub;
	X509 *cert;
	int i, trusted;

	for (i = 0; i < sk_X509_num(certs) && *signer == NULL; i++) {
		cert = sk_X509_value(certs, i);
		if (!may_sign(in, cert))
			continue;
		if (is_trusted(in, cert, &trusted, e) == -1)
			return -1;
		if (!trusted)
			continue;
		*named = 1;
		pub = X509_get0_pubkey(cert);
		if (pub != NULL && X509_CRL_verify(in->crl, pub) == 1)
			*signer = cert;
	}
	return 0;
}

static int
check_signature(const struct burin_crl_input *in, struct burin_error *e)
{
	X509 *signer = NULL;
	int named = 0;

	(void)ERR_set_mark();
	if (find_signer(in, in->anchors, &signer, &named, e) == -1 ||
	    find_signer(in, in->bag, &signer, &named, e) == -1)
		return -1;
	(void)ERR_pop_to_mark();
	if (signer != NULL)
		return 0;
	if (named)
		return refuse("crl-signature", RULE_SIGNER,
		    "the signature of the list is not its issuer's", e);
	(void)refuse("crl-signer", RULE_SIGNER,
	    "no certificate of the list's issuer leads to an anchor and may "
	    "sign lists (cRLSign)",
	    e);
	return burin_error_advice(
	    e, "give the issuer's certificate with --trust");
}

int
burin_check_crl(const struct burin_crl_input *in, struct burin_error *e)
{
	if (X509_NAME_cmp(X509_CRL_get_issuer(in->crl), in->issuer) != 0)
		return refuse("crl-issuer", "RFC 5280 section 5.1.2.3",
		    "the list is by another issuer", e);
	if (check_signature(in, e) == -1)
		return -1;
	return check_times(in, e);
}
