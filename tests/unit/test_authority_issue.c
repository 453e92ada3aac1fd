/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's issuing with software keys: what a request gets, what is
 * refused, that the same request gets the same answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rsa.h>

#include <burin/names.h>

#include "authority/cmc_work.h"
#include "pki.h"

static const char profile_text[] = "[profile]\n"
				   "name = unit\n"
				   "description = Unit test\n"
				   "key_types = ec:P-256, rsa:2048\n"
				   "usage = sign\n"
				   "identity = uri:{address}\n"
				   "identity_schemes = im, xmpp\n"
				   "[request]\n"
				   "keyUsage = critical,digitalSignature\n"
				   "[certificate]\n"
				   "days = 30\n"
				   "copy = subjectAltName\n"
				   "keyUsage = critical,digitalSignature\n"
				   "subjectKeyIdentifier = hash\n"
				   "authorityKeyIdentifier = keyid:always\n";

static const char ra_text[] =
    "[profile]\nname = ra\ndescription = Unit test of an RA\n"
    "key_types = ec:P-256\nusage = sign\n"
    "[certificate]\ndays = 1\nkeyUsage = critical,digitalSignature\n"
    "extendedKeyUsage = cmcRA\n"
    "subjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always\n";

#define SETTINGS(role)                                       \
	"[authority]\nname = x\ntoken = t\nhosts = h\n" role \
	"cmc_key = b\ntls_key = c\npop_key = d\n"
static const char settings_text[] = SETTINGS("ca_key = a\n");
static const char ra_settings_text[] =
    SETTINGS("role = ra\nupstream = https://ca.example/cmc\n");

struct bench {
	char dir[64], profiles[96];
	struct store *st;
	struct issuer ca;
	EVP_PKEY *ca_key, *key;
	const struct settings *cnf;
	struct invite invite;
	struct burin_error e;
	enum issue_outcome outcome;
	X509 *cert;
};

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "w"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
write_files(struct bench *b)
{
	(void)snprintf(b->profiles, sizeof(b->profiles), "%s/profiles", b->dir);
	assert_int_equal(mkdir(b->profiles, 0700), 0);
	write_file(b->profiles, "unit.cnf", profile_text);
	write_file(b->profiles, "ra.cnf", ra_text);
	/* The operator's functions look what init has made. */
	write_file(b->dir, "authority.cnf", settings_text);
}

static void
put_invite(struct bench *b)
{
	struct burin_secret *secret = NULL;

	assert_int_equal(burin_secret_new(&secret, "secret", 6, &b->e), 0);
	assert_int_equal(store_begin(b->st, &b->e), 0);
	assert_int_equal(store_invite_put(b->st, &b->invite, secret, &b->e), 0);
	assert_int_equal(store_end(b->st, 1, &b->e), 0);
	burin_secret_free(&secret);
}

/* An invite called "alice"; the one before is forgotten. */
static void
invite(struct bench *b, const char *identity)
{
	invite_clear(&b->invite);
	b->invite.name = strdup("alice");
	b->invite.profile = strdup("unit");
	b->invite.identity = identity != NULL ? strdup(identity) : NULL;
	b->invite.created = PKI_NOW;
	b->invite.expires = PKI_NOW + 60;
	assert_int_equal(secret_keep(&b->invite, "secret", 6, &b->e), 0);
	put_invite(b);
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/burin-unit-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	write_files(b);
	assert_int_equal(store_open(b->dir, 1, &b->st, &b->e), 0);
	b->ca_key = pki_key("P-256");
	issuer_of_key(&b->ca, b->ca_key, pki_ca("Unit CA", b->ca_key));
	b->key = pki_key("P-256");
	invite(b, NULL);
	*state = b;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	store_close(&b->st);
	invite_clear(&b->invite);
	X509_free(b->cert);
	X509_free(b->ca.cert);
	EVP_PKEY_free(b->ca_key);
	EVP_PKEY_free(b->key);
	(void)nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

static unsigned char *
request(const char *cn, EVP_PKEY *key, const char *const *exts, size_t *len)
{
	X509_REQ *req = pki_req(cn, key, exts);
	unsigned char *der = NULL;
	int n = i2d_X509_REQ(req, &der);

	assert_true(n > 0);
	*len = (size_t)n;
	X509_REQ_free(req);
	return der;
}

/* One call of issue() with the bench's invite. */
static int
run(struct bench *b, const unsigned char *der, size_t len, int manual,
    time_t now)
{
	char principal[64];
	struct issue_input in = { .profiles = b->profiles,
		.principal = principal,
		.profile = "unit",
		.invite = &b->invite,
		.manual = manual,
		.cnf = b->cnf,
		.via = "unit",
		.now = now };

	(void)snprintf(
	    principal, sizeof(principal), "invite:%lld", b->invite.id);
	burin_error_clear(&b->e);
	X509_free(b->cert);
	b->cert = NULL;
	return issue_pkcs10(
	    b->st, &b->ca, &in, der, len, &b->outcome, &b->cert, &b->e);
}

static void
refused(struct bench *b, const unsigned char *der, size_t len,
    enum burin_status status, const char *code)
{
	assert_int_equal(run(b, der, len, 0, PKI_NOW), -1);
	assert_string_equal(b->e.code, code);
	assert_int_equal(b->e.status, status);
	assert_null(b->cert);
}

static void
issues_what_the_profile_says(void **state)
{
	struct bench *b = *state;
	time_t end = PKI_NOW + 30 * PKI_DAY + 1;
	unsigned char *der;
	BIGNUM *serial;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	assert_int_equal(b->outcome, ISSUE_DONE);
	assert_int_equal(X509_verify(b->cert, b->ca_key), 1);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(b->cert), b->key), 1);
	assert_int_equal(X509_get_key_usage(b->cert), KU_DIGITAL_SIGNATURE);
	assert_non_null(X509_get0_subject_key_id(b->cert));
	/* 20 octets, positive. */
	serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(b->cert), NULL);
	assert_int_equal(BN_num_bytes(serial), CA_SERIAL);
	assert_false(BN_is_negative(serial));
	BN_free(serial);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(b->cert), &end), -1);
	end -= 2;
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(b->cert), &end), 1);
	OPENSSL_free(der);
}

static void
never_outlives_the_ca(void **state)
{
	struct bench *b = *state;
	unsigned char *der;
	size_t len;

	/* pki_ca lives until PKI_NOW and 100 days. */
	der = request("alice", b->key, NULL, &len);
	b->invite.expires = PKI_NOW + 200 * PKI_DAY;
	put_invite(b);
	assert_int_equal(run(b, der, len, 0, PKI_NOW + 101 * PKI_DAY), -1);
	assert_string_equal(b->e.code, "ca-expired");
	assert_int_equal(run(b, der, len, 0, PKI_NOW + 90 * PKI_DAY), 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(b->cert),
			     X509_get0_notAfter(b->ca.cert)),
	    0);
	OPENSSL_free(der);
}

static void
same_request_same_certificate(void **state)
{
	struct bench *b = *state;
	unsigned char *der, *other;
	size_t len, other_len;
	X509 *first;

	der = request("alice", b->key, NULL, &len);
	other = request("alice2", b->key, NULL, &other_len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	first = X509_dup(b->cert);
	/* Long after the invite's end as well. */
	assert_int_equal(run(b, der, len, 0, PKI_NOW + 3600), 0);
	assert_int_equal(b->outcome, ISSUE_AGAIN);
	assert_int_equal(X509_cmp(first, b->cert), 0);
	refused(b, other, other_len, BURIN_EAUTHORITY, "invite-used");
	X509_free(first);
	OPENSSL_free(der);
	OPENSSL_free(other);
}

static void
refuses_expired_and_replaced_invites(void **state)
{
	struct bench *b = *state;
	unsigned char *der;
	long long id;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW + 60), -1);
	assert_string_equal(b->e.code, "invite-expired");
	id = b->invite.id;
	invite(b, NULL);
	assert_true(b->invite.id > id);
	b->invite.id = id;
	refused(b, der, len, BURIN_EAUTHORITY, "invite-gone");
	OPENSSL_free(der);
}

static void
refuses_bad_requests(void **state)
{
	struct bench *b = *state;
	EVP_PKEY *p384 = pki_key("P-384"), *small = EVP_RSA_gen(1024);
	unsigned char *der;
	size_t len;

	assert_non_null(small);
	der = request("alice", b->key, NULL, &len);
	der[len - 1] ^= 1;
	refused(b, der, len, BURIN_EUSAGE, "pop-failed");
	assert_int_equal(run(b, der, len - 1, 0, PKI_NOW), -1);
	assert_int_equal(b->e.status, BURIN_EUSAGE);
	OPENSSL_free(der);
	der = request("alice", p384, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "key-type-refused");
	OPENSSL_free(der);
	der = request("alice", small, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "weak-key-size");
	OPENSSL_free(der);
	der = request("alice", b->ca_key, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "key-of-authority");
	OPENSSL_free(der);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(small);
	/* None of it used the secret up. */
	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
}

static void
one_key_one_subject(void **state)
{
	struct bench *b = *state;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	invite(b, NULL);
	der = request("mallory", b->key, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "key-of-another");
	OPENSSL_free(der);
}

static void
holds_the_bound_identity(void **state)
{
	static const char *const good[] = {
		"subjectAltName=URI:im:alice@example.com", NULL
	};
	static const char *const more[] = { "subjectAltName=URI:im:alice@"
					    "example.com,URI:im:bob@"
					    "example.com",
		NULL };
	struct bench *b = *state;
	unsigned char *der;
	size_t len;

	invite(b, "im:alice@example.com");
	der = request("alice", b->key, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "identity-missing");
	OPENSSL_free(der);
	der = request("alice", b->key, more, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "identity-refused");
	OPENSSL_free(der);
	/* The right address under somebody else's name. */
	der = request("bob", b->key, good, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "subject-refused");
	OPENSSL_free(der);
	der = request("im:alice@example.com", b->key, good, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	invite(b, "im:alice@example.com");
	EVP_PKEY_free(b->key);
	b->key = pki_key("P-256");
	der = request("alice", b->key, good, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	assert_true(
	    X509_get_ext_by_NID(b->cert, NID_subject_alt_name, -1) >= 0);
	OPENSSL_free(der);
}

static void
renewal_keeps_the_name(void **state)
{
	static const char *const san[] = {
		"subjectAltName=URI:im:alice@example.com", NULL
	};
	static const char *const other[] = {
		"subjectAltName=URI:im:bob@example.com", NULL
	};
	struct bench *b = *state;
	struct issue_input in = {
		.principal = "certificate:1", .profile = "unit", .now = PKI_NOW
	};
	EVP_PKEY *fresh = pki_key("P-256");
	unsigned char *der, *bad;
	X509 *cert = NULL;
	size_t len, bad_len;

	der = request("alice", b->key, san, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	in.profiles = b->profiles;
	in.renews = b->cert;
	bad = request("alice", fresh, other, &bad_len);
	assert_int_equal(issue_pkcs10(b->st, &b->ca, &in, bad, bad_len,
			     &b->outcome, &cert, &b->e),
	    -1);
	assert_string_equal(b->e.code, "renewal-changes-name");
	burin_error_clear(&b->e);
	OPENSSL_free(bad);
	der = request("alice", fresh, san, &len);
	assert_int_equal(issue_pkcs10(b->st, &b->ca, &in, der, len, &b->outcome,
			     &cert, &b->e),
	    0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), fresh), 1);
	X509_free(cert);
	OPENSSL_free(der);
	EVP_PKEY_free(fresh);
}

/* By an invite that names the profile, by its own renewal, and no other way. */
static void
makes_an_ra_only_by_name(void **state)
{
	struct bench *b = *state;
	struct issue_input in = { .principal = "invite:1",
		.profile = "ra",
		.profiles = b->profiles,
		.invite = &b->invite,
		.now = PKI_NOW };
	EVP_PKEY *fresh = pki_key("P-256");
	X509 *ordinary, *ra = NULL, *next = NULL;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	ordinary = X509_dup(b->cert);
	OPENSSL_free(der);
	der = request("alice", fresh, NULL, &len);
	invite(b, NULL);
	free(b->invite.profile);
	b->invite.profile = NULL;
	put_invite(b);
#define RUN(out) \
	issue_pkcs10(b->st, &b->ca, &in, der, len, &b->outcome, out, &b->e)
	assert_int_equal(RUN(&ra), -1);
	assert_string_equal(b->e.code, "profile-refused");
	burin_error_clear(&b->e);
	in.invite = NULL;
	assert_int_equal(RUN(&ra), -1);
	assert_string_equal(b->e.code, "profile-refused");
	burin_error_clear(&b->e);
	in.renews = ordinary;
	assert_int_equal(RUN(&ra), -1);
	assert_string_equal(b->e.code, "profile-refused");
	burin_error_clear(&b->e);
	in.renews = NULL;
	in.invite = &b->invite;
	b->invite.profile = strdup("ra");
	put_invite(b);
	assert_int_equal(RUN(&ra), 0);
	assert_true(burin_cert_has_purpose(ra, NID_cmcRA));
	in.principal = "certificate:1";
	in.invite = NULL;
	in.renews = ra;
	assert_int_equal(RUN(&next), 0);
	assert_true(burin_cert_has_purpose(next, NID_cmcRA));
#undef RUN
	X509_free(ordinary);
	X509_free(ra);
	X509_free(next);
	OPENSSL_free(der);
	EVP_PKEY_free(fresh);
}

static int
renewal(struct bench *b, X509 *old, const char *const *exts)
{
	struct burin_asked asked;
	unsigned char *der;
	size_t len;
	int rc;

	der = request("r7", b->key, exts, &len);
	assert_int_equal(
	    burin_asked_parse(der, len, NULL, BURIN_EUSAGE, &asked, &b->e), 0);
	rc = policy_renewal(&asked, old, NULL);
	burin_asked_clear(&asked);
	OPENSSL_free(der);
	return rc;
}

static void
renewal_keeps_the_resources(void **state)
{
	static const char *const had[] = {
		"sbgp-ipAddrBlock=critical,IPv6:2001:db8:7::/48", NULL
	};
	static const char *const wider[] = {
		"sbgp-ipAddrBlock=critical,IPv6:2001:db8::/32", NULL
	};
	static const char *const added[] = {
		"sbgp-ipAddrBlock=critical,IPv6:2001:db8:7::/48",
		"sbgp-autonomousSysNum=critical,AS:64496", NULL
	};
	struct bench *b = *state;
	struct pki_spec spec = { .cn = "r7",
		.exts = had,
		.key = b->key,
		.issuer = b->ca.cert,
		.issuer_key = b->ca_key };
	X509 *old = pki_cert(&spec);

	assert_int_equal(renewal(b, old, had), 0);
	assert_int_equal(renewal(b, old, wider), -1);
	assert_int_equal(renewal(b, old, added), -1);
	X509_free(old);
}

static void
remember_id(void *arg, const struct authority_waiting *w)
{
	*(long long *)arg = w->id;
}

static void
waits_for_the_operator(void **state)
{
	struct bench *b = *state;
	long long id = 0;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 1, PKI_NOW), 0);
	assert_int_equal(b->outcome, ISSUE_PENDING);
	assert_int_equal(run(b, der, len, 1, PKI_NOW), 0);
	assert_int_equal(b->outcome, ISSUE_PENDING);
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_approve(b->dir, id, &b->e), 0);
	assert_int_equal(authority_approve(b->dir, id, &b->e), -1);
	assert_string_equal(b->e.code, "request-missing");
	/* Approval may take longer than the invite lives. */
	assert_int_equal(run(b, der, len, 1, PKI_NOW + 3600), 0);
	assert_int_equal(b->outcome, ISSUE_DONE);
	OPENSSL_free(der);
}

static void
count_line(void *arg, const struct authority_line *l)
{
	(void)l;
	++*(int *)arg;
}

static void
no_waiting(void *arg, const struct authority_waiting *w)
{
	(void)arg;
	(void)w;
	fail();
}

static void
no_cert(void *arg, const struct authority_cert *c)
{
	(void)arg;
	(void)c;
	fail();
}

/* What needs the CA is refused on an RA, and says who does it. */
static void
an_ra_has_no_operator_of_a_ca(void **state)
{
	struct authority_invite in = {
		.name = "bob", .profile = "unit", .ttl = 60
	};
	struct bench *b = *state;
	X509_CRL *crl;
	int i, rc, lines = 0;

	write_file(b->dir, "authority.cnf", ra_settings_text);
	for (i = 0; i < 6; i++) {
		burin_error_clear(&b->e);
		rc = i == 0 ? authority_pending(b->dir, no_waiting, NULL, &b->e)
		    : i == 1 ? authority_approve(b->dir, 1, &b->e)
		    : i == 2 ? authority_deny(b->dir, 1, NULL, &b->e)
		    : i == 3 ? authority_revoke(b->dir, "01", NULL, &b->e)
		    : i == 4 ? authority_list(b->dir, no_cert, NULL, &b->e)
			     : authority_crl(b->dir, NULL, &crl, &b->e);
		assert_int_equal(rc, -1);
		assert_int_equal(b->e.status, BURIN_EUSAGE);
		assert_string_equal(b->e.code, "not-a-ca");
		assert_non_null(strstr(b->e.advice, "https://ca.example/cmc"));
	}
	burin_error_clear(&b->e);
	assert_int_equal(authority_invite(b->dir, &in, 1, &b->e), 0);
	burin_secret_free(&in.secret);
	assert_int_equal(authority_log(b->dir, count_line, &lines, &b->e), 0);
	assert_true(lines > 0);
}

static void
denied_stays_denied(void **state)
{
	struct bench *b = *state;
	long long id = 0;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 1, PKI_NOW), 0);
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_deny(b->dir, id, "no such badge", &b->e), 0);
	assert_int_equal(run(b, der, len, 1, PKI_NOW), -1);
	assert_string_equal(b->e.code, "request-denied");
	assert_non_null(strstr(b->e.reason, "no such badge"));
	OPENSSL_free(der);
}

/* As the store has it now. */
static void
look_at_invite(struct bench *b)
{
	long long id = b->invite.id;
	int found;

	invite_clear(&b->invite);
	assert_int_equal(store_begin(b->st, &b->e), 0);
	assert_int_equal(
	    store_invite_of_id(b->st, id, &b->invite, &found, &b->e), 0);
	assert_int_equal(store_end(b->st, 0, &b->e), 0);
	assert_int_equal(found, 1);
}

static void
count_freed(void *arg, const struct authority_line *l)
{
	if (strcmp(l->event, "denied") == 0 &&
	    strstr(l->detail, "its invite is free again") != NULL)
		(*(int *)arg)++;
}

static int
freed(struct bench *b)
{
	int n = 0;

	assert_int_equal(authority_log(b->dir, count_freed, &n, &b->e), 0);
	return n;
}

/* Three requests with one invite, one after the other. */
static void
denial_gives_the_invite_back(void **state)
{
	struct bench *b = *state;
	long long id = 0;
	unsigned char *first, *second;
	size_t first_len, second_len;

	first = request("mallory", b->key, NULL, &first_len);
	second = request("alice", b->key, NULL, &second_len);
	assert_int_equal(run(b, first, first_len, 1, PKI_NOW), 0);
	look_at_invite(b);
	assert_int_equal(b->invite.used, 1);
	assert_int_equal(run(b, second, second_len, 1, PKI_NOW), -1);
	assert_string_equal(b->e.code, "invite-used");
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_deny(b->dir, id, "no such badge", &b->e), 0);
	look_at_invite(b);
	assert_int_equal(b->invite.used, 0);
	assert_int_equal(freed(b), 1);
	/* The denied one stays so, and uses nothing up. */
	assert_int_equal(run(b, first, first_len, 1, PKI_NOW), -1);
	assert_string_equal(b->e.code, "request-denied");
	look_at_invite(b);
	assert_int_equal(b->invite.used, 0);
	/* The next one waits, with the invite. */
	assert_int_equal(run(b, second, second_len, 1, PKI_NOW), 0);
	assert_int_equal(b->outcome, ISSUE_PENDING);
	look_at_invite(b);
	assert_int_equal(b->invite.used, 1);
	/* The denied one hears the operator's word, not who used it since. */
	assert_int_equal(run(b, first, first_len, 1, PKI_NOW), -1);
	assert_string_equal(b->e.code, "request-denied");
	assert_non_null(strstr(b->e.reason, "no such badge"));
	look_at_invite(b);
	assert_int_equal(b->invite.used, 1);
	/* Not past its end. */
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_deny(b->dir, id, NULL, &b->e), 0);
	look_at_invite(b);
	OPENSSL_free(first);
	first = request("third", b->key, NULL, &first_len);
	assert_int_equal(run(b, first, first_len, 1, PKI_NOW + 3600), -1);
	assert_string_equal(b->e.code, "invite-expired");
	OPENSSL_free(first);
	OPENSSL_free(second);
}

/* Of one message: one request was granted, the other is denied. */
static void
what_was_granted_keeps_the_invite(void **state)
{
	struct bench *b = *state;
	unsigned char use[CA_SHA256] = { 7 }, sha256[CA_SHA256] = { 8 };
	struct waiting_new w = { .profile = "unit",
		.subject = "CN=other",
		.request = sha256,
		.der = sha256,
		.der_len = 1,
		.form = "pkcs10",
		.invite = b->invite.id,
		.limit = 9,
		.now = PKI_NOW };
	char principal[64];
	long long id = 0;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	assert_int_equal(b->outcome, ISSUE_DONE);
	(void)snprintf(
	    principal, sizeof(principal), "invite:%lld", b->invite.id);
	w.principal = principal;
	assert_int_equal(store_begin(b->st, &b->e), 0);
	assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	assert_int_equal(
	    store_invite_use(b->st, b->invite.id, use, PKI_NOW, &b->e), 0);
	assert_int_equal(store_end(b->st, 1, &b->e), 0);
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_deny(b->dir, id, NULL, &b->e), 0);
	look_at_invite(b);
	assert_int_equal(b->invite.used, 1);
	assert_int_equal(freed(b), 0);
	OPENSSL_free(der);
}

/* RFC 6402 section 2.3 (c). */
static void
holds_the_bound_subject(void **state)
{
	struct bench *b = *state;
	unsigned char *der;
	size_t len;

	b->invite.subject = strdup("CN=bob");
	der = request("alice", b->key, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "subject-refused");
	OPENSSL_free(der);
	der = request("bob", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
}

/* One renewal of the bench's certificate as the settings say. */
static int
renew(struct bench *b, const struct settings *cnf, X509 *old, EVP_PKEY *key,
    const char *cn, int renamed)
{
	struct issue_input in = { .profiles = b->profiles,
		.cnf = cnf,
		.principal = "certificate:2",
		.profile = "unit",
		.renews = old,
		.renamed = renamed,
		.now = PKI_NOW };
	X509 *cert = NULL;
	unsigned char *der;
	size_t len;
	int rc;

	burin_error_clear(&b->e);
	der = request(cn, key, NULL, &len);
	rc = issue_pkcs10(
	    b->st, &b->ca, &in, der, len, &b->outcome, &cert, &b->e);
	X509_free(cert);
	OPENSSL_free(der);
	return rc;
}

/* Of one sender, who has a certificate. */
static void
waits_with_few_others(void **state)
{
	static const char *const names[] = { "ann", "ben", "cyd" };
	struct settings cnf = { .waiting = 2 };
	struct bench *b = *state;
	long long id = 0;
	EVP_PKEY *key;
	unsigned char *der;
	X509 *old;
	size_t i, len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	old = b->cert;
	b->cert = NULL;
	for (i = 0; i < 2; i++) {
		key = pki_key("P-256");
		assert_int_equal(renew(b, &cnf, old, key, names[i], 1), 0);
		assert_int_equal(b->outcome, ISSUE_PENDING);
		EVP_PKEY_free(key);
	}
	key = pki_key("P-256");
	assert_int_equal(renew(b, &cnf, old, key, names[i], 1), -1);
	assert_string_equal(b->e.code, "too-many-waiting");
	assert_int_equal(b->e.status, BURIN_EAUTHORITY);
	assert_int_equal(cmc_fail_of(b->e.code), BURIN_CMC_TRY_LATER);
	/* One that is decided makes room. */
	assert_int_equal(authority_pending(b->dir, remember_id, &id, &b->e), 0);
	assert_int_equal(authority_approve(b->dir, id, &b->e), 0);
	assert_int_equal(renew(b, &cnf, old, key, names[i], 1), 0);
	assert_int_equal(b->outcome, ISSUE_PENDING);
	EVP_PKEY_free(key);
	X509_free(old);
}

static void
switches_for_keys_and_names(void **state)
{
	struct settings cnf = { .no_renew_same_key = 1 };
	struct bench *b = *state;
	EVP_PKEY *fresh = pki_key("P-256");
	unsigned char *der;
	X509 *old;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	old = b->cert;
	b->cert = NULL;
	assert_int_equal(renew(b, &cnf, old, b->key, "alice", 0), -1);
	assert_string_equal(b->e.code, "key-renewed");
	/* Another name: by the operator, or at once. */
	assert_int_equal(renew(b, &cnf, old, fresh, "eve", 1), 0);
	assert_int_equal(b->outcome, ISSUE_PENDING);
	cnf.rename = 1;
	assert_int_equal(renew(b, &cnf, old, fresh, "eve", 1), 0);
	assert_int_equal(b->outcome, ISSUE_DONE);
	cnf.no_renew_same_key = 0;
	assert_int_equal(renew(b, &cnf, old, b->key, "alice", 0), 0);
	cnf.key_reuse = REUSE_REFUSE;
	invite(b, NULL);
	der = request("eve", fresh, NULL, &len);
	b->cnf = &cnf;
	refused(b, der, len, BURIN_EAUTHORITY, "key-reused");
	OPENSSL_free(der);
	cnf.key_reuse = REUSE_ALLOW;
	der = request("mallory", fresh, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	X509_free(old);
	EVP_PKEY_free(fresh);
}

/* What was revoked for its key gets no other name, nor the same again. */
static void
compromised_keys_stay_out(void **state)
{
	struct bench *b = *state;
	char *serial;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	OPENSSL_free(der);
	serial = burin_serial_text(X509_get0_serialNumber(b->cert));
	assert_int_equal(
	    authority_revoke(b->dir, serial, "keyCompromise", &b->e), 0);
	invite(b, NULL);
	der = request("alice2", b->key, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "key-compromised");
	OPENSSL_free(der);
	free(serial);
}

static void
find_refusal(void *arg, const struct authority_line *l)
{
	if (strcmp(l->event, "refused") == 0 &&
	    strstr(l->detail, "weak-key-size") != NULL &&
	    strstr(l->detail, "invite:") != NULL &&
	    strstr(l->detail, "via unit") != NULL)
		(*(int *)arg)++;
	if (strcmp(l->event, "proof-failed") == 0)
		(*(int *)arg) += 100;
}

static void
refusals_are_in_the_log(void **state)
{
	struct bench *b = *state;
	EVP_PKEY *small = EVP_RSA_gen(1024);
	unsigned char *der;
	size_t len;
	int n = 0;

	der = request("alice", small, NULL, &len);
	refused(b, der, len, BURIN_EAUTHORITY, "weak-key-size");
	der[len - 1] ^= 1;
	refused(b, der, len, BURIN_EUSAGE, "pop-failed");
	OPENSSL_free(der);
	EVP_PKEY_free(small);
	assert_int_equal(authority_log(b->dir, find_refusal, &n, &b->e), 0);
	assert_int_equal(n, 101);
}

static void
audit_log_shows_changes(void **state)
{
	struct bench *b = *state;
	unsigned char *der;
	size_t len;

	der = request("alice", b->key, NULL, &len);
	assert_int_equal(run(b, der, len, 0, PKI_NOW), 0);
	assert_int_equal(store_begin(b->st, &b->e), 0);
	assert_int_equal(store_audit(b->st, &b->e, "test", "a line"), 0);
	assert_int_equal(store_audit_verify(b->st, NULL, &b->e), 0);
	assert_int_equal(store_end(b->st, 1, &b->e), 0);
	OPENSSL_free(der);
}

static void
secrets_are_checked_whole(void **state)
{
	struct burin_secret *s = NULL;
	struct bench *b = *state;

	assert_true(secret_check(&b->invite, "secret", 6));
	assert_false(secret_check(&b->invite, "secret", 5));
	assert_false(secret_check(&b->invite, "secreT", 6));
	assert_int_equal(secret_make(&s, &b->e), 0);
	assert_int_equal(burin_secret_len(s), 26);
	assert_int_equal(strspn((const char *)burin_secret_bytes(s),
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
	    26);
	burin_secret_free(&s);
	assert_int_equal(secret_name_ok("a:b", &b->e), -1);
	burin_error_clear(&b->e);
	assert_int_equal(secret_name_ok("alice@example.com", &b->e), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(issues_what_the_profile_says),
		TEST(never_outlives_the_ca),
		TEST(same_request_same_certificate),
		TEST(refuses_expired_and_replaced_invites),
		TEST(refuses_bad_requests),
		TEST(one_key_one_subject),
		TEST(holds_the_bound_identity),
		TEST(renewal_keeps_the_name),
		TEST(renewal_keeps_the_resources),
		TEST(makes_an_ra_only_by_name),
		TEST(waits_for_the_operator),
		TEST(waits_with_few_others),
		TEST(denied_stays_denied),
		TEST(an_ra_has_no_operator_of_a_ca),
		TEST(denial_gives_the_invite_back),
		TEST(what_was_granted_keeps_the_invite),
		TEST(holds_the_bound_subject),
		TEST(switches_for_keys_and_names),
		TEST(compromised_keys_stay_out),
		TEST(refusals_are_in_the_log),
		TEST(audit_log_shows_changes),
		TEST(secrets_are_checked_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
