/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: those that come with the program, what they make of addresses
 * and requests, and what is refused in a profile.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include <burin/names.h>
#include <burin/profile.h>

#include "pki.h"

#define PROFILES TEST_DIR "/../docs/profiles/"

static struct burin_error e;

static const char head[] = "[profile]\nname = x\nkey_types = ec:P-256\n";

static struct burin_profile *
load(const char *name)
{
	static char text[BURIN_MAX_PROFILE];
	struct burin_profile *p;
	char path[512];
	size_t len;
	FILE *f;

	burin_error_clear(&e);
	(void)snprintf(path, sizeof(path), PROFILES "%s.cnf", name);
	assert_non_null(f = fopen(path, "r"));
	len = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	if (burin_profile_parse(text, len, &p, &e) == -1)
		fail_msg("%s: %s (%s)", name, e.reason, e.cause);
	assert_string_equal(burin_profile_name(p), name);
	assert_int_equal(ERR_peek_error(), 0);
	return p;
}

/* The shared head and text. */
static int
parse(const char *text, struct burin_profile **p)
{
	char whole[4096];
	int n = snprintf(whole, sizeof(whole), "%s%s", head, text);

	burin_error_clear(&e);
	return burin_profile_parse(whole, (size_t)n, p, &e);
}

static struct burin_profile *
taken(const char *text)
{
	struct burin_profile *p;

	if (parse(text, &p) == -1)
		fail_msg("%s (%s)", e.reason, e.cause);
	return p;
}

static void
refused(int rc, const char *code)
{
	assert_int_equal(rc, -1);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s: %s", e.code, e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
}

static struct burin_subject *
subject(const char *dn)
{
	struct burin_subject *s;

	assert_int_equal(burin_subject_new(&s, &e), 0);
	assert_int_equal(burin_subject_set_dn(s, dn, &e), 0);
	return s;
}

static X509_REQ *
request(struct burin_subject *s, EVP_PKEY *key)
{
	unsigned char *der;
	X509_REQ *req = NULL;
	size_t len;

	if (burin_pkcs10_make(s, key, key, NULL, &der, &len, &e) == -1 ||
	    burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e) == -1)
		fail_msg("%s (%s)", e.reason, e.cause);
	OPENSSL_free(der);
	return req;
}

/* The names that profile makes of address, "DN;name;name". */
static void
makes(const char *profile, const char *address, const char *want)
{
	struct burin_profile *p = load(profile);
	struct burin_subject *s = subject("");
	EVP_PKEY *key = pki_key("P-256");
	char got[512] = "", *dn, **names;
	X509_REQ *req;
	size_t i;

	if (burin_profile_identity(p, s, address, &e) == -1)
		fail_msg("%s (%s)", e.reason, e.cause);
	req = request(s, key);
	dn = burin_dn_text(X509_REQ_get_subject_name(req));
	names = burin_req_sans(req);
	strcat(got, dn);
	for (i = 0; names[i] != NULL; i++) {
		strcat(got, ";");
		strcat(got, names[i]);
	}
	assert_string_equal(got, want);
	assert_int_equal(ERR_peek_error(), 0);
	free(dn);
	burin_texts_free(&names);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	burin_subject_free(&s);
	burin_profile_free(&p);
}

static void
makes_nothing(const char *profile, const char *address, const char *code)
{
	struct burin_profile *p = load(profile);
	struct burin_subject *s = subject("");

	refused(burin_profile_identity(p, s, address, &e), code);
	burin_subject_free(&s);
	burin_profile_free(&p);
}

static void
test_identity(void **state)
{
	(void)state;
	makes("im", "im:alice@example.com",
	    ";uri:im:alice@example.com;xmpp:alice@example.com");
	makes("im", "alice@example.com",
	    ";uri:im:alice@example.com;xmpp:alice@example.com");
	makes("im", "xmpp:zo\xc3\xab@example.com",
	    ";uri:xmpp:zo%C3%AB@example.com;xmpp:zo\xc3\xab@example.com");
	makes("xmpp", "xmpp:alice@example.com", ";xmpp:alice@example.com");
	makes("sip-user", "alice@example.com", ";uri:sip:alice@example.com");
	makes(
	    "sip-user", "SIP:alice@example.com", ";uri:sip:alice@example.com");
	makes("smime-sign", "mailto:alice@example.com",
	    ";email:alice@example.com");
	makes("default", "alice@example.com",
	    "CN=alice@example.com;email:alice@example.com");
	makes("default", "a=b@example.com",
	    "CN=a=b@example.com;email:a=b@example.com");
}

static void
test_no_identity(void **state)
{
	(void)state;
	makes_nothing("im", "mailto:a@b.example", "identity-scheme");
	makes_nothing("sip-user", "sips:a@b.example", "identity-scheme");
	makes_nothing("im", "", "identity-malformed");
	makes_nothing("im", "im:a\x1b@b.example", "identity-malformed");
	makes_nothing("im", "im:a b@example.com", "san-malformed");
	makes_nothing("default", "alice", "san-malformed");
	makes_nothing("default", "a@b@example.com", "san-malformed");
	makes_nothing("default",
	    "a23456789012345678901234567890@"
	    "a23456789012345678901234567890.a2345678.example",
	    "dn-value");
	makes_nothing("send-router", "im:a@b.example", "profile-no-identity");
}

static void
test_user_and_domain(void **state)
{
	struct burin_profile *p =
	    taken("identity = dns:{domain} uri:acct:{user}@{domain}\n");
	struct burin_subject *s = subject("");

	(void)state;
	assert_int_equal(
	    burin_profile_identity(p, s, "alice@example.com", &e), 0);
	refused(burin_profile_identity(p, s, "example.com", &e),
	    "identity-malformed");
	burin_subject_free(&s);
	burin_profile_free(&p);
}

static const char *base; /* the authority's URL */

static int
extensions_of(
    const struct burin_profile *p, X509_REQ *req, X509 *ca, X509 *cert)
{
	struct burin_asked asked = { X509_REQ_get_subject_name(req),
		X509_REQ_get0_pubkey(req), X509_REQ_get_extensions(req) };
	int rc = burin_profile_extensions(p, &asked, ca, base, cert, &e);

	sk_X509_EXTENSION_pop_free(asked.extensions, X509_EXTENSION_free);
	return rc;
}

/* Asks with profile, then issues with it; the extensions as OpenSSL text. */
static char *
issue(const char *profile, const char *type, const char *dn,
    const char *address, const char *prefix)
{
	struct burin_profile *p = load(profile);
	struct burin_subject *s = subject(dn);
	EVP_PKEY *key = pki_key(type), *ca_key = pki_key("P-256");
	X509 *ca = pki_ca("CA", ca_key), *cert = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	X509_REQ *req;
	char *text, *copy;
	long n;

	if ((address != NULL &&
		burin_profile_identity(p, s, address, &e) == -1) ||
	    (prefix != NULL && burin_profile_prefix(p, s, prefix, &e) == -1) ||
	    burin_profile_apply(p, s, &e) == -1)
		fail_msg("%s (%s)", e.reason, e.cause);
	req = request(s, key);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(
	    X509_set_subject_name(cert, X509_REQ_get_subject_name(req)), 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	if (extensions_of(p, req, ca, cert) == -1)
		fail_msg("%s: %s (%s)", profile, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(X509V3_extensions_print(
			     out, NULL, X509_get0_extensions(cert), 0, 0),
	    1);
	n = BIO_get_mem_data(out, &text);
	copy = strndup(text, (size_t)n);
	BIO_free(out);
	X509_REQ_free(req);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	burin_subject_free(&s);
	burin_profile_free(&p);
	return copy;
}

static void
holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void
test_issue_im(void **state)
{
	char *text = issue("im", "P-256", "", "im:a@example.com", NULL);

	(void)state;
	holds(text,
	    "X509v3 Subject Alternative Name: critical\n"
	    "    URI:im:a@example.com, othername: XmppAddr::a@example.com\n");
	holds(text, "X509v3 Key Usage: critical\n    Digital Signature\n");
	holds(text, "X509v3 Extended Key Usage: \n    1.3.6.1.5.5.7.3.40\n");
	holds(text, "X509v3 Subject Key Identifier");
	holds(text, "X509v3 Authority Key Identifier");
	free(text);
	text = issue("im", "P-256", "CN=Alice", "im:a@example.com", NULL);
	holds(text, "X509v3 Subject Alternative Name: \n");
	free(text);
}

static void
test_issue_send(void **state)
{
	char *text =
	    issue("send-router", "RSA", "CN=r7", NULL, "2001:db8:7::/48");

	(void)state;
	holds(text,
	    "sbgp-ipAddrBlock: critical\n    IPv6:\n      "
	    "2001:db8:7::/48\n");
	holds(text, "X509v3 Extended Key Usage: \n    Send Router\n");
	holds(text, "X509v3 Key Usage: critical\n    Digital Signature\n");
	assert_null(strstr(text, "Basic Constraints"));
	assert_null(strstr(text, "Alternative Name"));
	free(text);
}

/* {base}: the authority's URL, or the line is left out. */
static void
test_issue_base(void **state)
{
	char *text;

	(void)state;
	base = "https://ca.example.org:8443";
	text = issue("default", "P-256", "CN=a", "a@example.com", NULL);
	holds(text, "CA Issuers - URI:https://ca.example.org:8443/ca.cer");
	holds(text, "URI:https://ca.example.org:8443/ca.crl");
	free(text);
	base = NULL;
	text = issue("default", "P-256", "CN=a", "a@example.com", NULL);
	assert_null(strstr(text, "CRL Distribution"));
	assert_null(strstr(text, "Authority Information Access"));
	free(text);
	refused(burin_url_check("https://a,URI:b", &e), "url-malformed");
	refused(burin_url_check("ldap://a", &e), "url-malformed");
}

static void
test_issue_others(void **state)
{
	static const char *const names[] = { "default", "tls-client", "xmpp",
		"sip-user", "smime-sign" };
	struct burin_profile *p;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p = load(names[i]);
		assert_true(burin_profile_days(p) > 0);
		assert_string_equal(burin_profile_usage(p), "sign");
		assert_true(burin_profile_description(p)[0] != '\0');
		assert_non_null(burin_profile_key_types(p)[0]);
		burin_profile_free(&p);
		text = issue(names[i], "P-256", "CN=a", "a@example.com", NULL);
		holds(text, "a@example.com");
		holds(text, "CA:FALSE");
		free(text);
	}
}

/* What an RA needs: each is for one thing. */
static void
test_issue_for_ra(void **state)
{
	static const struct {
		const char *name, *address, *usage, *has, *has_not;
	} rows[] = {
		{ "cmc-ra", NULL, "sign", "CMC Registration Authority",
		    "TLS Web" },
		{ "tls-server", "ra.example.org", "sign",
		    "TLS Web Server Authentication", "CMC" },
		{ "key-agreement", NULL, "derive", "Key Agreement",
		    "Digital Signature" },
	};
	struct burin_profile *p;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = load(rows[i].name);
		assert_string_equal(burin_profile_usage(p), rows[i].usage);
		assert_string_equal(burin_profile_key_types(p)[0], "ec:P-256");
		burin_profile_free(&p);
		text =
		    issue(rows[i].name, "P-256", "CN=a", rows[i].address, NULL);
		holds(text, rows[i].has);
		holds(text, "CA:FALSE");
		assert_null(strstr(text, rows[i].has_not));
		free(text);
	}
	text = issue("tls-server", "P-256", "", "ra.example.org", NULL);
	holds(text, "DNS:ra.example.org");
	free(text);
}

/* What goes into a certificate when req asks with these lines. */
static int
extensions(const struct burin_profile *p, const char *const *lines)
{
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req = pki_req("a", key, lines);
	X509 *ca = pki_ca("CA", key), *cert = X509_new();
	int rc;

	assert_int_equal(
	    X509_set_subject_name(cert, X509_REQ_get_subject_name(req)), 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	burin_error_clear(&e);
	rc = extensions_of(p, req, ca, cert);
	if (rc == 0)
		rc = X509_get_ext_count(cert);
	X509_free(cert);
	X509_free(ca);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return rc;
}

/* What else an authority says: policies and where things are. */
static void
test_issue_places(void **state)
{
	static const char *const none[] = { NULL };
	struct burin_profile *p = taken(
	    "[certificate]\ndays = 1\n"
	    "certificatePolicies = critical,1.3.6.1.5.5.7.14.2\n"
	    "subjectInfoAccess = caRepository;URI:rsync://a.example/r/\n"
	    "authorityInfoAccess = caIssuers;URI:rsync://a.example/ca.cer\n"
	    "crlDistributionPoints = URI:rsync://a.example/ca.crl\n");

	(void)state;
	assert_int_equal(extensions(p, none), 4);
	burin_profile_free(&p);
}

static void
test_copy(void **state)
{
	static const char *const ca[] = { "keyUsage=keyCertSign", NULL };
	static const char *const ocsp[] = { "extendedKeyUsage=OCSPSigning",
		NULL };
	static const char *const many[] = { "basicConstraints=CA:TRUE",
		"keyUsage=keyAgreement", "nsComment=hello", NULL };
	static const char *const none[] = { NULL };
	struct burin_profile *p =
	    taken("[certificate]\ndays = 1\n"
		  "copy = keyUsage, extendedKeyUsage, subjectAltName\n"
		  "keyUsage = critical,digitalSignature\n");

	(void)state;
	assert_int_equal(extensions(p, many), 1);
	assert_int_equal(extensions(p, none), 1);
	refused(extensions(p, ca), "usage-refused");
	refused(extensions(p, ocsp), "usage-refused");
	burin_profile_free(&p);
	p = taken("[request]\n");
	assert_int_equal(burin_profile_days(p), 0);
	refused(extensions(p, none), "profile-malformed");
	burin_profile_free(&p);
}

/* A certificate that names nobody is not made. */
static void
test_nobody(void **state)
{
	struct burin_profile *p = taken("[certificate]\ndays = 1\n");
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req = pki_req(NULL, key, NULL);
	X509 *ca = pki_ca("CA", key), *cert = X509_new();

	(void)state;
	refused(extensions_of(p, req, ca, cert), "identity-missing");
	X509_free(cert);
	X509_free(ca);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	burin_profile_free(&p);
}

static void
test_user_first(void **state)
{
	struct burin_profile *p =
	    taken("usage = derive\n[request]\nkeyUsage = digitalSignature\n"
		  "extendedKeyUsage = imUri\nsubjectKeyIdentifier = none\n");
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("P-256");
	STACK_OF(X509_EXTENSION) * exts;
	ASN1_BIT_STRING *ku;
	X509_REQ *req;
	char **ekus;

	(void)state;
	assert_int_equal(burin_profile_apply(p, s, &e), 0);
	assert_int_equal(burin_subject_add_eku(s, "sendOwner", &e), 0);
	assert_int_equal(
	    burin_subject_add_ext(s, "keyUsage = nonRepudiation", &e), 0);
	req = request(s, key);
	ekus = burin_req_ekus(req);
	assert_string_equal(ekus[0], "imUri");
	assert_string_equal(ekus[1], "sendOwner");
	burin_texts_free(&ekus);
	exts = X509_REQ_get_extensions(req);
	assert_int_equal(sk_X509_EXTENSION_num(exts), 2);
	ku = X509V3_get_d2i(exts, NID_key_usage, NULL, NULL);
	assert_int_equal(ASN1_BIT_STRING_get_bit(ku, 0), 0);
	assert_int_equal(ASN1_BIT_STRING_get_bit(ku, 1), 1);
	ASN1_BIT_STRING_free(ku);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	burin_subject_free(&s);
	burin_profile_free(&p);
}

static void
test_default_usage(void **state)
{
	struct burin_profile *p = taken("usage = sign, decrypt\n");
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("RSA");
	STACK_OF(X509_EXTENSION) * exts;
	ASN1_BIT_STRING *ku;
	int critical;
	X509_REQ *req;

	(void)state;
	assert_int_equal(burin_profile_apply(p, s, &e), 0);
	req = request(s, key);
	exts = X509_REQ_get_extensions(req);
	ku = X509V3_get_d2i(exts, NID_key_usage, &critical, NULL);
	assert_int_equal(critical, 1);
	assert_int_equal(ASN1_BIT_STRING_get_bit(ku, 0), 1);
	assert_int_equal(ASN1_BIT_STRING_get_bit(ku, 2), 1);
	ASN1_BIT_STRING_free(ku);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	burin_subject_free(&s);
	burin_profile_free(&p);
}

static void
test_prefix(void **state)
{
	struct burin_profile *p = load("im");
	struct burin_subject *s = subject("CN=a");

	(void)state;
	refused(burin_profile_prefix(p, s, "2001:db8::/32", &e),
	    "profile-no-prefix");
	burin_profile_free(&p);
	p = load("send-router");
	assert_int_equal(burin_profile_prefix(p, s, "inherit", &e), 0);
	burin_profile_free(&p);
	burin_subject_free(&s);
}

/* Behind the shared head: each is refused, the word says why. */
static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *word;
	} rows[] = {
		{ "colour = red\n", "colour" },
		{ "[other]\na = b\n", "other" },
		{ "identity_cn = maybe\n", "identity_cn" },
		{ "prefix = 1\n", "prefix" },
		{ "usage = sing\n", "sing" },
		{ "identity = {bare}\n", "kind of name" },
		{ "identity = uri:{adress}\n", "{adress}" },
		{ "identity = uri:{\n", "uri:{" },
		{ "identity_cn = yes\n", "identity_cn" },
		{ ".include /etc/passwd\n", "directive" },
		{ "\t.include=/etc/passwd\n", "directive" },
		{ ".pragma dollarid:true\n", "directive" },
		{ "description = $ENV::HOME\n", "variable" },
		{ "description = \"x\\\n# $ENV::HOME\"\n", "variable" },
		{ "description = ${HOME}\n", "variable" },
		{ "name = a b\n", "name" },
		{ "name =\n", "name" },
		{ "key_types =\n", "key_types" },
		{ "[certificate]\n", "days" },
		{ "[certificate]\ndays = 0\n", "days" },
		{ "[certificate]\ndays = 9999\n", "days" },
		{ "[certificate]\ndays = 1x\n", "days" },
		{ "[certificate]\ndays = 1\ncopy = nosuch\n", "nosuch" },
		{ "[certificate]\ndays = 1\ncopy = basicConstraints\n",
		    "basicConstraints" },
		{ "[certificate]\ndays = 1\ncopy = 2.5.29.19\n", "2.5.29.19" },
		{ "oops\n", "line" },
	};
	struct burin_profile *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, &p) == 0)
			fail_msg("taken: %s", rows[i].text);
		assert_null(p);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_string_equal(e.code, "profile-malformed");
		if (strstr(e.reason, rows[i].word) == NULL)
			fail_msg("%s: %s", rows[i].text, e.reason);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* Extensions that cannot be are found when the profile is read. */
static void
test_bad_lines(void **state)
{
	static const char *const rows[] = {
		"[request]\nkeyUsage = nosuch\n",
		"[request]\nnosuch = x\n",
		"[request]\nextendedKeyUsage = nosuch\n",
		"[request]\nsubjectAltName = @names\n",
		"[certificate]\ndays = 1\nkeyUsage = nosuch\n",
		("[certificate]\ndays = 1\nproxyCertInfo = "
		 "language:id-ppl-anyLanguage,policy:file:/etc/passwd\n"),
	};
	struct burin_profile *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i], &p) == 0)
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_non_null(strstr(e.cause, "profile x"));
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void
test_raw_bytes(void **state)
{
	struct burin_profile *p;

	(void)state;
	burin_error_clear(&e);
	refused(burin_profile_parse("", 0, &p, &e), "profile-malformed");
	refused(burin_profile_parse("a\0b", 3, &p, &e), "profile-malformed");
	refused(
	    burin_profile_parse("\xff\xfe", 2, &p, &e), "profile-malformed");
	refused(burin_profile_parse("\xef\xbb\xbf.include x\n", 14, &p, &e),
	    "profile-malformed");
	refused(burin_profile_parse("a = b\n", 6, &p, &e), "profile-malformed");
	/* A comment may say anything. */
	p = taken("# costs $5, .include\n");
	burin_profile_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_no_identity),
		cmocka_unit_test(test_user_and_domain),
		cmocka_unit_test(test_issue_im),
		cmocka_unit_test(test_issue_send),
		cmocka_unit_test(test_issue_others),
		cmocka_unit_test(test_issue_for_ra),
		cmocka_unit_test(test_issue_base),
		cmocka_unit_test(test_issue_places),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_user_first),
		cmocka_unit_test(test_default_usage),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_raw_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
