/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's policy: keys, identities, renewals, resources.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/request.h>
#include <burin/token.h>

#include "ca.h"

int
policy_key(const struct burin_asked *asked, const struct burin_profile *p,
    struct burin_error *e)
{
	const char *const *types;
	enum burin_key_type type;

	if (asked->pub == NULL)
		return burin_fail_openssl(e, BURIN_EAUTHORITY, "key-unknown",
		    "the request's public key is of no known kind");
	if (policy_sound_key(asked->pub, e) != 0)
		return -1;
	type = burin_key_type_of(asked->pub);
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
 * What a requester would send for s, or with this profile for the identity:
 * a request for a throw-away key.
 */
static int
asked_of_subject(const struct burin_subject *s, struct burin_asked *out,
    struct burin_error *e)
{
	unsigned char *der = NULL;
	EVP_PKEY *key;
	size_t len;
	int rc = -1;

	if ((key = EVP_EC_gen("P-256")) == NULL)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a key to compare names with");
	if (burin_pkcs10_make(s, key, key, NULL, &der, &len, e) == 0)
		rc = burin_asked_parse(der, len, NULL, BURIN_EINTERNAL, out, e);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	return rc;
}

static int
expected_of(const struct burin_profile *p, const char *identity,
    struct burin_asked *out, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	if (burin_subject_new(&s, e) == 0 &&
	    burin_profile_identity(p, s, identity, e) == 0)
		rc = asked_of_subject(s, out, e);
	burin_subject_free(&s);
	return rc;
}

static int
check_sans(const struct burin_asked *asked, const struct burin_asked *expected,
    const char *identity, struct burin_error *e)
{
	char **allowed = burin_exts_sans(expected->extensions), **names;
	size_t i = 0;
	int rc = -1;

	if ((names = burin_exts_sans(asked->extensions)) == NULL ||
	    allowed == NULL) {
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
check_subject(const struct burin_asked *asked,
    const struct burin_asked *expected, const struct invite *in,
    struct burin_error *e)
{
	const X509_NAME *dn = asked->subject;
	char *text;

	if (X509_NAME_entry_count(dn) == 0 ||
	    X509_NAME_cmp(dn, expected->subject) == 0 ||
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

static int
check_identity(const struct burin_asked *asked, const struct burin_profile *p,
    const struct invite *in, struct burin_error *e)
{
	struct burin_asked expected;
	int rc = -1;

	if (expected_of(p, in->identity, &expected, e) != 0)
		return -1;
	if (check_sans(asked, &expected, in->identity, e) == 0)
		rc = check_subject(asked, &expected, in, e);
	burin_asked_clear(&expected);
	return rc;
}

static int
subject_of(
    const struct invite *in, struct burin_asked *out, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (burin_subject_new(&s, e) == 0 &&
	    burin_subject_set_dn(s, in->subject, e) == 0)
		rc = asked_of_subject(s, out, e);
	burin_subject_free(&s);
	return rc;
}

static int
check_whole_subject(const struct burin_asked *asked, const struct invite *in,
    struct burin_error *e)
{
	struct burin_asked expected;
	int rc = -1;

	if (subject_of(in, &expected, e) != 0)
		goto out;
	if (X509_NAME_cmp(asked->subject, expected.subject) != 0) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "subject-refused",
		    "the invite is for the subject %s and nobody else",
		    in->subject);
		(void)burin_error_rule(e, "RFC 6402 section 2.3");
		goto out;
	}
	rc = 0;
out:
	burin_asked_clear(&expected);
	return rc;
}

int
policy_invite(const struct burin_asked *asked, const struct burin_profile *p,
    const struct invite *in, struct burin_error *e)
{
	if (in->subject != NULL && check_whole_subject(asked, in, e) != 0)
		return -1;
	if (in->identity == NULL)
		return 0;
	if (p == NULL)
		return burin_fail(e, BURIN_EAUTHORITY, "profile-unknown",
		    "the invite is for %s, and no profile says how a "
		    "certificate names it",
		    in->identity);
	return check_identity(asked, p, in, e);
}

/* The names of the invite, as a request would have them. */
static int
names_of(const struct invite *in, const struct burin_profile *p,
    struct burin_asked *out, struct burin_error *e)
{
	struct burin_asked whole;

	memset(out, 0, sizeof(*out));
	if (in->identity != NULL && p != NULL &&
	    expected_of(p, in->identity, out, e) != 0)
		return -1;
	if (in->subject == NULL)
		return 0;
	if (subject_of(in, &whole, e) != 0)
		return -1;
	X509_NAME_free(out->subject);
	out->subject = whole.subject;
	whole.subject = NULL;
	burin_asked_clear(&whole);
	return 0;
}

int
policy_fill(const struct burin_asked *asked, const struct burin_profile *p,
    const struct invite *in, X509_NAME **subject,
    STACK_OF(X509_EXTENSION) * *extensions, struct burin_error *e)
{
	struct burin_asked names;
	X509_EXTENSION *ext;
	int at, rc = -1;

	*subject = NULL;
	*extensions = NULL;
	if (names_of(in, p, &names, e) != 0)
		goto out;
	rc = 0;
	if (X509_NAME_entry_count(asked->subject) == 0 &&
	    names.subject != NULL && X509_NAME_entry_count(names.subject) > 0 &&
	    (*subject = X509_NAME_dup(names.subject)) == NULL)
		rc = burin_fail_memory(e);
	if (X509v3_get_ext_by_NID(
		asked->extensions, NID_subject_alt_name, -1) >= 0 ||
	    (at = X509v3_get_ext_by_NID(
		 names.extensions, NID_subject_alt_name, -1)) < 0)
		goto out;
	ext = X509v3_get_ext(names.extensions, at);
	if (X509v3_add_ext(extensions, ext, -1) == NULL)
		rc = burin_fail_memory(e);
out:
	burin_asked_clear(&names);
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

static int
same_sans(const struct burin_asked *asked, X509 *cert)
{
	GENERAL_NAMES *a, *b;
	int same;

	a = X509V3_get_d2i(asked->extensions, NID_subject_alt_name, NULL, NULL);
	b = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	same = same_names(a, b);
	GENERAL_NAMES_free(a);
	GENERAL_NAMES_free(b);
	return same;
}

static int
same_dn(const struct burin_asked *asked, X509 *cert)
{
	return X509_NAME_cmp(asked->subject, X509_get_subject_name(cert)) == 0;
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
same_resources(const struct burin_asked *asks, X509 *old)
{
	static const int nids[] = { NID_sbgp_ipAddrBlock,
		NID_sbgp_autonomousSysNum };
	const ASN1_OCTET_STRING *asked, *had;
	size_t i;
	int same = 1;

	for (i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		asked = ext_value(asks->extensions, nids[i]);
		had = ext_value(X509_get0_extensions(old), nids[i]);
		if (asked != NULL &&
		    (had == NULL || ASN1_OCTET_STRING_cmp(asked, had) != 0))
			same = 0;
	}
	return same;
}

int
policy_renewal(
    const struct burin_asked *asked, X509 *old, struct burin_error *e)
{
	const char *what = !same_dn(asked, old) ? "subject"
	    : !same_sans(asked, old)		? "subjectAltName"
	    : !same_resources(asked, old)	? "IP resources"
						: NULL;

	if (what == NULL)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "renewal-changes-name",
	    "a renewal keeps the %s of the certificate that is renewed", what);
	(void)burin_error_rule(e, "RFC 7030 section 4.2.2");
	return burin_error_advice(e, "for another name enrol anew");
}

/* What the certificates that a key has are held against. */
struct owner {
	const struct burin_asked *asked;
	enum key_reuse reuse;
	X509 *renews;
	time_t now;
};

/* An empty DN says nothing: then the names are the subject. */
static int
same_subject(const struct burin_asked *asked, X509 *cert)
{
	return same_dn(asked, cert) &&
	    (X509_NAME_entry_count(asked->subject) > 0 ||
		same_sans(asked, cert));
}

static int
check_owner(void *arg, const struct issued *c, struct burin_error *e)
{
	const struct owner *o = arg;
	time_t now = o->now;

	if (strcmp(c->principal, CA_PRINCIPAL) == 0)
		return burin_fail(e, BURIN_EAUTHORITY, "key-of-authority",
		    "this public key is the authority's own");
	if (c->state == CERT_REVOKED && c->reason == REASON_KEY_COMPROMISE) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "key-compromised",
		    "this key was given away: its certificate %s was revoked "
		    "for that",
		    c->serial);
		return burin_error_advice(e, "make a new key");
	}
	if (o->reuse == REUSE_ALLOW || c->state == CERT_REVOKED ||
	    X509_cmp_time(X509_get0_notAfter(c->cert), &now) < 0 ||
	    (o->renews != NULL && X509_cmp(o->renews, c->cert) == 0))
		return 0;
	if (!same_subject(o->asked, c->cert)) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "key-of-another",
		    "this public key is certified for another subject already");
		return burin_error_advice(e,
		    "make a new key for this identity, or have certificate %s "
		    "revoked first",
		    c->serial);
	}
	if (o->reuse != REUSE_REFUSE)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "key-reused",
	    "this public key has a certificate already: %s", c->serial);
	return burin_error_advice(e, "make a new key");
}

int
policy_key_owner(struct store *st, const struct burin_asked *asked,
    const struct settings *cnf, X509 *renews, time_t now, struct burin_error *e)
{
	struct owner o = { asked, REUSE_SAME_NAME, renews, now };

	if (cnf != NULL)
		o.reuse = cnf->key_reuse;
	if (cnf != NULL && cnf->no_renew_same_key && renews != NULL &&
	    EVP_PKEY_eq(asked->pub, X509_get0_pubkey(renews)) == 1) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "key-renewed",
		    "a renewal needs a new key here");
		return burin_error_advice(
		    e, "make a new key and renew with it");
	}
	return store_cert_of_key(st, asked->pub, check_owner, &o, e);
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
