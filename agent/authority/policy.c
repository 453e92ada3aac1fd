/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's policy: keys, identities, renewals, resources.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/request.h>
#include <burin/token.h>

#include "ca.h"

#define MIN_RSA_BITS 2048      /* NIST SP 800-57 part 1, 112 bits */
#define MIN_RSA_EXPONENT 65537 /* FIPS 186-5 section A.1.1 */

static int
weak_rsa(EVP_PKEY *key, struct burin_error *e)
{
	BIGNUM *exponent = NULL;
	int bits = EVP_PKEY_get_bits(key), rc = -1;

	if (bits < MIN_RSA_BITS || bits > CA_MAX_RSA_BITS) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key",
		    "an RSA key of %d bits is refused; %d to %d are taken",
		    bits, MIN_RSA_BITS, CA_MAX_RSA_BITS);
		goto out;
	}
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent)) {
		(void)burin_fail_openssl(e, BURIN_EAUTHORITY, "weak-key",
		    "the RSA key has no public exponent");
		goto out;
	}
	if (!BN_is_odd(exponent) || BN_num_bits(exponent) < 17) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "weak-key",
		    "the RSA key's public exponent is even or below %d",
		    MIN_RSA_EXPONENT);
		(void)burin_error_rule(e, "FIPS 186-5 section A.1.1");
		goto out;
	}
	rc = 0;
out:
	BN_free(exponent);
	return rc;
}

int
policy_key(X509_REQ *req, const struct burin_profile *p, struct burin_error *e)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);
	const char *const *types;
	enum burin_key_type type;

	if (key == NULL)
		return burin_fail_openssl(e, BURIN_EAUTHORITY, "key-unknown",
		    "the request's public key is of no known kind");
	if (EVP_PKEY_is_a(key, "RSA") && weak_rsa(key, e) != 0)
		return -1;
	type = burin_key_type_of(key);
	for (types = burin_profile_key_types(p); *types != NULL; types++)
		if (type != BURIN_KEY_UNKNOWN &&
		    burin_key_type_parse(*types) == type)
			return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "key-type-refused",
	    "profile %s takes no %s key", burin_profile_name(p),
	    type == BURIN_KEY_UNKNOWN ? "such" : burin_key_type_name(type));
	return burin_error_advice(e, "its first choice is %s",
	    burin_profile_key_types(p)[0] != NULL
		? burin_profile_key_types(p)[0]
		: "none");
}

static int
in_list(char *const *list, const char *text)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return 1;
	return 0;
}

/*
 * What a requester with this profile would send for the identity: a request
 * with the names that the profile makes of it, for a throw-away key.
 */
static X509_REQ *
expected_request(
    const struct burin_profile *p, const char *identity, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	unsigned char *der = NULL;
	X509_REQ *req = NULL;
	EVP_PKEY *key = NULL;
	size_t len;

	if (burin_subject_new(&s, e) != 0 ||
	    burin_profile_identity(p, s, identity, e) != 0)
		goto out;
	if ((key = EVP_EC_gen("P-256")) == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a key to compare names with");
		goto out;
	}
	if (burin_pkcs10_make(s, key, key, NULL, &der, &len, e) == 0)
		(void)burin_pkcs10_parse(der, len, BURIN_EINTERNAL, &req, e);
out:
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	burin_subject_free(&s);
	return req;
}

static int
check_sans(X509_REQ *req, X509_REQ *expected, const char *identity,
    struct burin_error *e)
{
	char **allowed = burin_req_sans(expected), **names;
	size_t i = 0;
	int rc = -1;

	if ((names = burin_req_sans(req)) == NULL || allowed == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	while (names[i] != NULL && in_list(allowed, names[i]))
		i++;
	if (names[i] != NULL) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "identity-refused",
		    "the request names %s; the invite is for %s and nothing "
		    "else",
		    names[i], identity);
		(void)burin_error_advice(
		    e, "ask for exactly the identity of the invite");
	} else if (i == 0) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "identity-missing",
		    "the request has no subjectAltName; the invite is for %s",
		    identity);
		(void)burin_error_rule(e, "RFC 5280 section 4.2.1.6");
	} else {
		rc = 0;
	}
out:
	burin_texts_free(&allowed);
	burin_texts_free(&names);
	return rc;
}

/* 1 when dn is one common name, and that is text (RFC 5280 section 7.1). */
static int
is_only_cn(const X509_NAME *dn, const char *text)
{
	X509_NAME *name = X509_NAME_new();
	int same;

	(void)ERR_set_mark();
	same = name != NULL &&
	    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)text, -1, -1, 0) == 1 &&
	    X509_NAME_cmp(name, dn) == 0;
	(void)ERR_pop_to_mark();
	X509_NAME_free(name);
	return same;
}

/*
 * People read the distinguished name first, and some programs only that: it
 * must not say somebody else. So it is empty, or what the profile makes of
 * the identity, or one common name that the operator has typed himself.
 */
static int
check_subject(X509_REQ *req, X509_REQ *expected, const struct invite *in,
    struct burin_error *e)
{
	const X509_NAME *dn = X509_REQ_get_subject_name(req);
	char *text;

	if (X509_NAME_entry_count(dn) == 0 ||
	    X509_NAME_cmp(dn, X509_REQ_get_subject_name(expected)) == 0 ||
	    is_only_cn(dn, in->name) || is_only_cn(dn, in->identity))
		return 0;
	text = burin_dn_text(dn);
	(void)burin_fail(e, BURIN_EAUTHORITY, "subject-refused",
	    "the request's subject is %s; the invite is for %s, %s",
	    text != NULL ? text : "another", in->name, in->identity);
	free(text);
	return burin_error_advice(
	    e, "leave the subject out, or ask for CN=%s", in->name);
}

int
policy_identity(X509_REQ *req, const struct burin_profile *p,
    const struct invite *in, struct burin_error *e)
{
	X509_REQ *expected;
	int rc = -1;

	if ((expected = expected_request(p, in->identity, e)) == NULL)
		return -1;
	if (check_sans(req, expected, in->identity, e) == 0)
		rc = check_subject(req, expected, in, e);
	X509_REQ_free(expected);
	return rc;
}

static int
has_name(const GENERAL_NAMES *names, GENERAL_NAME *wanted)
{
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), wanted) ==
		    0)
			return 1;
	return 0;
}

/* The same names in any order; NULL is none. */
static int
same_names(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
	int i, n = a != NULL ? sk_GENERAL_NAME_num(a) : 0;

	if (n != (b != NULL ? sk_GENERAL_NAME_num(b) : 0))
		return 0;
	for (i = 0; i < n; i++)
		if (!has_name(b, sk_GENERAL_NAME_value(a, i)) ||
		    !has_name(a, sk_GENERAL_NAME_value(b, i)))
			return 0;
	return 1;
}

static GENERAL_NAMES *
req_names(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	GENERAL_NAMES *names;

	names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return names;
}

static int
same_sans(X509_REQ *req, X509 *cert)
{
	GENERAL_NAMES *a = req_names(req), *b;
	int same;

	b = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	same = same_names(a, b);
	GENERAL_NAMES_free(a);
	GENERAL_NAMES_free(b);
	return same;
}

static int
same_dn(X509_REQ *req, X509 *cert)
{
	return X509_NAME_cmp(X509_REQ_get_subject_name(req),
		   X509_get_subject_name(cert)) == 0;
}

/* The value of an extension among exts, NULL when there is none. */
static const ASN1_OCTET_STRING *
ext_value(const STACK_OF(X509_EXTENSION) * exts, int nid)
{
	int i = X509v3_get_ext_by_NID(exts, nid, -1);

	return i < 0 ? NULL : X509_EXTENSION_get_data(X509v3_get_ext(exts, i));
}

/*
 * Addresses and AS numbers are what such a certificate is about: a renewal
 * has those of the old one or none.
 */
static int
same_resources(X509_REQ *req, X509 *old)
{
	static const int nids[] = { NID_sbgp_ipAddrBlock,
		NID_sbgp_autonomousSysNum };
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	const ASN1_OCTET_STRING *asked, *had;
	size_t i;
	int same = 1;

	for (i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		asked = ext_value(exts, nids[i]);
		had = ext_value(X509_get0_extensions(old), nids[i]);
		if (asked != NULL &&
		    (had == NULL || ASN1_OCTET_STRING_cmp(asked, had) != 0))
			same = 0;
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return same;
}

int
policy_renewal(X509_REQ *req, X509 *old, struct burin_error *e)
{
	const char *what = !same_dn(req, old) ? "subject"
	    : !same_sans(req, old)	      ? "subjectAltName"
	    : !same_resources(req, old)	      ? "IP resources"
					      : NULL;

	if (what == NULL)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "renewal-changes-name",
	    "a renewal keeps the %s of the certificate that is renewed", what);
	(void)burin_error_rule(e, "RFC 7030 section 4.2.2");
	return burin_error_advice(e, "for another name enrol anew");
}

static int
check_owner(void *arg, X509 *cert, struct burin_error *e)
{
	X509_REQ *req = arg;
	int same = same_dn(req, cert);

	/* An empty DN says nothing: then the names are the subject. */
	if (same && X509_NAME_entry_count(X509_get_subject_name(cert)) == 0)
		same = same_sans(req, cert);
	if (same)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "key-of-another",
	    "this public key is certified for another subject already");
	return burin_error_advice(e, "make a new key for this identity");
}

int
policy_key_owner(struct store *st, X509_REQ *req, struct burin_error *e)
{
	return store_cert_of_key(
	    st, X509_REQ_get0_pubkey(req), check_owner, req, e);
}

/* 1 when ca has addresses of the family that f inherits. */
static int
ca_has_family(const IPAddrBlocks *ca, const IPAddressFamily *f)
{
	int i;

	for (i = 0; i < sk_IPAddressFamily_num(ca); i++)
		if (ASN1_OCTET_STRING_cmp(
			sk_IPAddressFamily_value(ca, i)->addressFamily,
			f->addressFamily) == 0)
			return 1;
	return 0;
}

/* OpenSSL 3.0 takes "inherit" of a family that no issuer has. */
static int
inherits_nothing(const IPAddrBlocks *addrs, const IPAddrBlocks *ca)
{
	const IPAddressFamily *f;
	int i;

	for (i = 0; i < sk_IPAddressFamily_num(addrs); i++) {
		f = sk_IPAddressFamily_value(addrs, i);
		if (f->ipAddressChoice->type == IPAddressChoice_inherit &&
		    (ca == NULL || !ca_has_family(ca, f)))
			return 1;
	}
	return 0;
}

int
policy_resources(X509 *cert, X509 *ca, struct burin_error *e)
{
	IPAddrBlocks *addrs, *ca_addrs;
	int bad;

	addrs = X509_get_ext_d2i(cert, NID_sbgp_ipAddrBlock, NULL, NULL);
	ca_addrs = X509_get_ext_d2i(ca, NID_sbgp_ipAddrBlock, NULL, NULL);
	bad = addrs != NULL &&
	    (ca_addrs == NULL || inherits_nothing(addrs, ca_addrs));
	sk_IPAddressFamily_pop_free(addrs, IPAddressFamily_free);
	sk_IPAddressFamily_pop_free(ca_addrs, IPAddressFamily_free);
	if (!bad &&
	    X509_get_ext_by_NID(cert, NID_sbgp_autonomousSysNum, -1) >= 0)
		bad =
		    X509_get_ext_by_NID(ca, NID_sbgp_autonomousSysNum, -1) < 0;
	if (!bad)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "resources-refused",
	    "this authority has no IP resources to give");
	(void)burin_error_rule(e, "RFC 3779 section 2.3");
	return burin_error_advice(
	    e, "make an authority with --resource, or use another profile");
}
