/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the authority keeps: revocations and their lists, secrets that are
 * sealed, conversations, and a log that shows what was done to it.
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
#include <unistd.h>

#include "authority/cmc_work.h"
#include "authority/crl.h"
#include "authority/store.h"
#include "pki.h"

struct bench {
	char dir[64];
	struct store *st;
	struct issuer ca;
	EVP_PKEY *ca_key;
	struct burin_error e;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/burin-unit-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(store_open(b->dir, 1, &b->st, &b->e), 0);
	b->ca_key = pki_key("P-256");
	issuer_of_key(&b->ca, b->ca_key, pki_ca("Unit CA", b->ca_key));
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
	X509_free(b->ca.cert);
	EVP_PKEY_free(b->ca_key);
	(void)nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

static void
begin(struct bench *b)
{
	burin_error_clear(&b->e);
	assert_int_equal(store_begin(b->st, &b->e), 0);
}

static void
end(struct bench *b)
{
	assert_int_equal(store_end(b->st, 1, &b->e), 0);
}

static struct burin_secret *
secret(struct bench *b, const char *text)
{
	struct burin_secret *s = NULL;

	assert_int_equal(burin_secret_new(&s, text, strlen(text), &b->e), 0);
	return s;
}

/* A certificate that was issued; *serial is its number in the store. */
static X509 *
issued(struct bench *b, const char *cn, time_t until, const char *revocation,
    char serial[64])
{
	static const char *const exts[] = { "subjectKeyIdentifier=hash",
		"authorityKeyIdentifier=keyid:always", NULL };
	EVP_PKEY *key = pki_key("P-256");
	struct pki_spec spec = { .cn = cn,
		.exts = exts,
		.key = key,
		.issuer = b->ca.cert,
		.issuer_key = b->ca_key,
		.until = until };
	unsigned char sha256[CA_SHA256] = { 0 };
	struct issued_new in = { .principal = "invite:1",
		.profile = "unit",
		.via = "unit",
		.request = sha256,
		.now = PKI_NOW };
	struct burin_secret *s = NULL;
	BIGNUM *n;
	char *hex;

	(void)snprintf((char *)sha256, sizeof(sha256), "%s", cn);
	in.cert = pki_cert(&spec);
	if (revocation != NULL)
		in.revocation = s = secret(b, revocation);
	begin(b);
	assert_int_equal(store_cert_put(b->st, &in, &b->e), 0);
	end(b);
	n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(in.cert), NULL);
	hex = BN_bn2hex(n);
	(void)snprintf(serial, 64, "%s", hex);
	for (size_t i = 0; serial[i] != '\0'; i++)
		serial[i] |= serial[i] >= 'A' ? 0x20 : 0;
	OPENSSL_free(hex);
	BN_free(n);
	burin_secret_free(&s);
	EVP_PKEY_free(key);
	return in.cert;
}

static int
take_back(struct bench *b, const char *serial, int reason, time_t now)
{
	struct revocation in = { .serial = serial,
		.reason = reason,
		.invalidity = reason == REASON_KEY_COMPROMISE ? now - 60 : 0,
		.by = "unit",
		.via = "unit",
		.now = now };
	int rc;

	begin(b);
	rc = store_revoke(b->st, &in, &b->e);
	if (store_end(b->st, rc == 0, &b->e) != 0)
		rc = -1;
	return rc;
}

/* X509_verify_cert with everything on: X509_V_OK or what is wrong. */
static int
verify(struct bench *b, X509 *cert, X509_CRL *crl, time_t now)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc;

	assert_true(X509_STORE_add_cert(store, b->ca.cert) &&
	    X509_STORE_add_crl(store, crl));
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set_flags(ctx,
	    X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK |
		X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_CTX_set_time(ctx, 0, now);
	(void)X509_verify_cert(ctx);
	rc = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc;
}

static X509_CRL *
current(struct bench *b, time_t now)
{
	X509_CRL *crl = NULL;

	burin_error_clear(&b->e);
	assert_int_equal(crl_current(b->st, &b->ca, NULL, now, &crl, &b->e), 0);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
	assert_int_equal(X509_CRL_verify(crl, b->ca_key), 1);
	assert_true(X509_CRL_get_ext_by_NID(
			crl, NID_authority_key_identifier, -1) >= 0);
	return crl;
}

static long
number(X509_CRL *crl)
{
	ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	long value = ASN1_INTEGER_get(n);

	ASN1_INTEGER_free(n);
	X509_CRL_free(crl);
	return value;
}

static void
revoked_is_on_the_list(void **state)
{
	struct bench *b = *state;
	char good[64], bad[64], held[64];
	X509 *a = issued(b, "a", PKI_NOW + 30 * PKI_DAY, NULL, good);
	X509 *c = issued(b, "c", PKI_NOW + 30 * PKI_DAY, NULL, bad);
	X509 *h = issued(b, "h", PKI_NOW + 30 * PKI_DAY, NULL, held);
	X509_REVOKED *entry;
	ASN1_ENUMERATED *reason;
	X509_CRL *crl;

	crl = current(b, PKI_NOW);
	assert_int_equal(verify(b, a, crl, PKI_NOW), X509_V_OK);
	assert_int_equal(verify(b, c, crl, PKI_NOW), X509_V_OK);
	X509_CRL_free(crl);
	assert_int_equal(take_back(b, bad, REASON_KEY_COMPROMISE, PKI_NOW), 0);
	assert_int_equal(take_back(b, held, REASON_HOLD, PKI_NOW), 0);
	crl = current(b, PKI_NOW + 1);
	assert_int_equal(verify(b, a, crl, PKI_NOW + 1), X509_V_OK);
	assert_int_equal(
	    verify(b, c, crl, PKI_NOW + 1), X509_V_ERR_CERT_REVOKED);
	assert_int_equal(
	    verify(b, h, crl, PKI_NOW + 1), X509_V_ERR_CERT_REVOKED);
	assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, c), 1);
	reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	assert_int_equal(ASN1_ENUMERATED_get(reason), REASON_KEY_COMPROMISE);
	ASN1_ENUMERATED_free(reason);
	assert_true(
	    X509_REVOKED_get_ext_by_NID(entry, NID_invalidity_date, -1) >= 0);
	X509_CRL_free(crl);
	/* Let go, and then revoked for good. */
	assert_int_equal(take_back(b, held, REASON_REMOVE, PKI_NOW + 2), 0);
	crl = current(b, PKI_NOW + 2);
	assert_int_equal(verify(b, h, crl, PKI_NOW + 2), X509_V_OK);
	X509_CRL_free(crl);
	assert_int_equal(take_back(b, held, REASON_HOLD, PKI_NOW + 3), 0);
	assert_int_equal(take_back(b, held, 4, PKI_NOW + 4), 0);
	assert_int_equal(take_back(b, held, REASON_REMOVE, PKI_NOW + 5), -1);
	assert_string_equal(b->e.code, "not-held");
	X509_free(a);
	X509_free(c);
	X509_free(h);
}

static void
revoking_is_refused_kindly(void **state)
{
	struct bench *b = *state;
	char serial[64];
	X509 *a = issued(b, "a", 0, NULL, serial);

	assert_int_equal(take_back(b, "0102", 0, PKI_NOW), -1);
	assert_string_equal(b->e.code, "certificate-missing");
	assert_int_equal(take_back(b, serial, 7, PKI_NOW), -1);
	assert_string_equal(b->e.code, "reason-refused");
	assert_int_equal(take_back(b, serial, 2, PKI_NOW), -1);
	assert_string_equal(b->e.code, "reason-refused");
	assert_int_equal(take_back(b, serial, REASON_REMOVE, PKI_NOW), -1);
	assert_string_equal(b->e.code, "not-held");
	assert_int_equal(take_back(b, serial, 0, PKI_NOW), 0);
	assert_int_equal(take_back(b, serial, 1, PKI_NOW), -1);
	assert_string_equal(b->e.code, "certificate-revoked");
	assert_int_equal(reason_number("superseded"), 4);
	assert_int_equal(reason_number("nothing"), -1);
	X509_free(a);
}

/* A new one when something was revoked or half its life is over. */
static void
lists_are_kept_while_they_are_good(void **state)
{
	struct bench *b = *state;
	char serial[64];
	X509 *a = issued(b, "a", PKI_NOW + 2 * PKI_DAY, NULL, serial);
	X509_CRL *crl;

	assert_int_equal(number(current(b, PKI_NOW)), 1);
	assert_int_equal(number(current(b, PKI_NOW + 3 * PKI_DAY)), 1);
	assert_int_equal(number(current(b, PKI_NOW + 4 * PKI_DAY)), 2);
	assert_int_equal(take_back(b, serial, 0, PKI_NOW + PKI_DAY), 0);
	/*
	 * It had ended when list 2 was made, which did not have it: then it
	 * does not get in.
	 */
	crl = current(b, PKI_NOW + 4 * PKI_DAY);
	assert_true(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) <= 0);
	assert_int_equal(number(crl), 3);
	begin(b);
	assert_int_equal(
	    store_crl_at(b->st, PKI_NOW + PKI_DAY, &crl, &b->e), 0);
	end(b);
	assert_int_equal(number(crl), 1);
	X509_free(a);
}

/* RFC 5280 section 3.3: until it was on a list made after its end. */
static void
entries_outlive_the_certificate_once(void **state)
{
	struct bench *b = *state;
	char serial[64];
	X509 *a = issued(b, "a", PKI_NOW + 2 * PKI_DAY, NULL, serial);
	X509_CRL *crl = NULL;
	int i;

	assert_int_equal(take_back(b, serial, 0, PKI_NOW), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    crl_make(b->st, &b->ca, NULL,
			PKI_NOW + (1 + 2 * i) * PKI_DAY, &crl, &b->e),
		    0);
		assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)),
		    i < 2 ? 1 : -1);
		X509_CRL_free(crl);
	}
	X509_free(a);
}

/* 1 right, 0 wrong, -1 not looked at. */
static int
try_secret(struct bench *b, const char *serial, const char *text, time_t now)
{
	struct revocation_try in = { serial, text, strlen(text), now };
	int ok;

	burin_error_clear(&b->e);
	if (store_revocation_check(b->st, &in, &ok, &b->e) == 0)
		return ok;
	assert_int_equal(b->e.status, BURIN_EAUTHORITY);
	assert_string_equal(b->e.code, "revocation-locked");
	assert_int_equal(cmc_fail_of(b->e.code), BURIN_CMC_TRY_LATER);
	return -1;
}

static void
revocation_secrets_are_not_guessed(void **state)
{
	struct bench *b = *state;
	char one[64], two[64], longer[BURIN_SECRET_MAX + 2];
	X509 *a = issued(b, "a", 0, "open sesame", one);
	X509 *c = issued(b, "c", 0, "open sesame", two);
	time_t later = PKI_NOW + CA_REVOKE_WAIT;
	int i;

	begin(b);
	assert_int_equal(try_secret(b, one, "wrong", PKI_NOW), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(try_secret(b, one, longer, PKI_NOW + 1), 0);
	/* The right one does not begin the count again: two may try. */
	assert_int_equal(try_secret(b, one, "open sesame", PKI_NOW + 1), 1);
	for (i = 2; i < CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, one, "wrong", PKI_NOW + i), 0);
	assert_int_equal(try_secret(b, one, "wrong", PKI_NOW + 9), -1);
	assert_int_equal(try_secret(b, one, "open sesame", PKI_NOW + 9), -1);
	assert_int_equal(try_secret(b, one, "open sesame", later - 1), -1);
	/* Of one certificate. */
	assert_int_equal(try_secret(b, two, "open sesame", PKI_NOW + 9), 1);
	end(b);
	/* And through a restart. */
	store_close(&b->st);
	assert_int_equal(store_open(b->dir, 0, &b->st, &b->e), 0);
	begin(b);
	assert_int_equal(try_secret(b, one, "open sesame", later - 1), -1);
	assert_int_equal(try_secret(b, one, "open sesame", later), 1);
	for (i = 0; i < CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, one, "wrong", later), 0);
	assert_int_equal(try_secret(b, one, "open sesame", later), -1);
	end(b);
	X509_free(a);
	X509_free(c);
}

/* Serial numbers are public: nobody is kept from revoking by others' tries. */
static void
long_revocation_secrets_are_not_locked(void **state)
{
	static const char text[] = "sixteen octets..";
	struct burin_secret *s;
	struct bench *b = *state;
	char one[64], two[64];
	X509 *a = issued(b, "a", 0, text, one);
	X509 *c = issued(b, "c", 0, "fifteen octets.", two);
	int i;

	assert_int_equal(strlen(text), CA_REVOKE_SHORT);
	begin(b);
	for (i = 0; i < 3 * CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, one, "wrong", PKI_NOW), 0);
	assert_int_equal(try_secret(b, one, text, PKI_NOW), 1);
	for (i = 0; i < CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, two, "wrong", PKI_NOW), 0);
	assert_int_equal(try_secret(b, two, "fifteen octets.", PKI_NOW), -1);
	/* A new one has its own count. */
	s = secret(b, text);
	assert_int_equal(store_revocation_set(b->st, two, s, &b->e), 0);
	burin_secret_free(&s);
	assert_int_equal(try_secret(b, two, "wrong", PKI_NOW), 0);
	assert_int_equal(try_secret(b, two, text, PKI_NOW), 1);
	s = secret(b, "short");
	assert_int_equal(store_revocation_set(b->st, two, s, &b->e), 0);
	burin_secret_free(&s);
	for (i = 0; i < CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, two, "wrong", PKI_NOW), 0);
	assert_int_equal(try_secret(b, two, "short", PKI_NOW), -1);
	end(b);
	X509_free(a);
	X509_free(c);
}

static void
revocation_secrets(void **state)
{
	struct bench *b = *state;
	char with[64], without[64];
	X509 *a = issued(b, "a", 0, "open sesame", with);
	X509 *c = issued(b, "c", 0, NULL, without);
	int i;

	begin(b);
	assert_int_equal(try_secret(b, with, "open sesame", PKI_NOW), 1);
	assert_int_equal(try_secret(b, with, "open sesamE", PKI_NOW), 0);
	for (i = 0; i < 2 * CA_REVOKE_TRIES; i++)
		assert_int_equal(try_secret(b, without, "", PKI_NOW), 0);
	end(b);
	X509_free(a);
	X509_free(c);
}

static void
invites_keep_their_secret_sealed(void **state)
{
	struct bench *b = *state;
	struct invite in = { .name = strdup("alice"),
		.created = PKI_NOW,
		.expires = PKI_NOW + 60 };
	struct burin_secret *s = secret(b, "very secret"), *got = NULL;
	unsigned char use[CA_SHA256] = { 1 };
	struct talk t = { .kind = strdup("pending"),
		.principal = strdup("invite:1"),
		.created = PKI_NOW };
	struct waiting_new w = { .principal = "invite:1",
		.profile = "unit",
		.subject = "CN=a",
		.request = use,
		.der = use,
		.der_len = 1,
		.form = "pkcs10",
		.limit = 1,
		.now = PKI_NOW };
	sqlite3_stmt *q = NULL;

	assert_int_equal(secret_keep(&in, "very secret", 11, &b->e), 0);
	begin(b);
	assert_int_equal(store_invite_put(b->st, &in, s, &b->e), 0);
	assert_int_equal(store_invite_secret(b->st, in.id, &got, &b->e), 0);
	assert_true(burin_secret_eq(s, got));
	burin_secret_free(&got);
	/* The database does not show it. */
	assert_int_equal(store_query(b->st, &q, &b->e,
			     "SELECT instr(secret, CAST(? AS BLOB))"
			     " FROM invites",
			     "t", "very secret"),
	    0);
	assert_int_equal(store_step(b->st, q, &b->e), 1);
	assert_int_equal(sqlite3_column_int(q, 0), 0);
	(void)sqlite3_finalize(q);
	/* Used, but a talk goes on; then the hour. */
	t.invite = in.id;
	assert_int_equal(talk_token(t.token, &b->e), 0);
	assert_int_equal(store_talk_put(b->st, &t, &b->e), 0);
	assert_int_equal(
	    store_invite_use(b->st, in.id, use, PKI_NOW, &b->e), 0);
	assert_int_equal(store_sweep(b->st, PKI_NOW + 7200, 100000, &b->e), 0);
	assert_int_equal(store_invite_secret(b->st, in.id, &got, &b->e), 0);
	assert_non_null(got);
	burin_secret_free(&got);
	assert_int_equal(store_talk_drop(b->st, t.token, &b->e), 0);
	/* A request that waits may be denied, and its invite be free again. */
	w.invite = in.id;
	assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	assert_int_equal(store_sweep(b->st, PKI_NOW + 7200, 100000, &b->e), 0);
	assert_int_equal(store_invite_secret(b->st, in.id, &got, &b->e), 0);
	assert_non_null(got);
	burin_secret_free(&got);
	assert_int_equal(
	    store_request_approve(b->st, 1, PKI_NOW + 7200, &b->e), 0);
	assert_int_equal(store_sweep(b->st, PKI_NOW + 600, 100000, &b->e), 0);
	assert_int_equal(store_invite_secret(b->st, in.id, &got, &b->e), 0);
	assert_non_null(got);
	burin_secret_free(&got);
	assert_int_equal(
	    store_sweep(b->st, PKI_NOW + CA_GRACE, 100000, &b->e), 0);
	assert_int_equal(store_invite_secret(b->st, in.id, &got, &b->e), 0);
	assert_null(got);
	end(b);
	burin_secret_free(&s);
	invite_clear(&in);
	talk_clear(&t);
}

/* A sealed secret moved to another row, or another key, opens nothing. */
static void
seals_hold(void **state)
{
	struct bench *b = *state;
	struct burin_secret *s = secret(b, "y"), *got = NULL;
	unsigned char *sealed;
	size_t len;

	assert_int_equal(
	    seal_close(b->st, "row 1", 5, s, &sealed, &len, &b->e), 0);
	assert_int_equal(
	    seal_break(b->st, "row 1", 5, sealed, len, &got, &b->e), 0);
	assert_true(burin_secret_eq(s, got));
	burin_secret_free(&got);
	assert_int_equal(
	    seal_break(b->st, "row 2", 5, sealed, len, &got, &b->e), -1);
	assert_string_equal(b->e.code, "store-damaged");
	assert_null(got);
	sealed[0] ^= 1;
	assert_int_equal(
	    seal_break(b->st, "row 1", 5, sealed, len, &got, NULL), -1);
	free(sealed);
	burin_secret_free(&s);
}

static void
challenges_are_taken_once(void **state)
{
	static const unsigned char request[CA_SHA256] = { 7 };
	static const unsigned char one[CA_SHA256] = { 1 }, other[CA_SHA256];
	struct challenge c = { .request = request,
		.transaction = (const unsigned char *)"tid",
		.transaction_len = 3,
		.expires = PKI_NOW + 60,
		.answer = one };
	struct bench *b = *state;
	struct burin_secret *y = secret(b, "why"), *got = NULL;

	begin(b);
	assert_int_equal(store_challenge_put(b->st, &c, y, &b->e), 0);
	c.transaction_len = 2;
	assert_int_equal(
	    store_challenge_take(b->st, &c, PKI_NOW, &got, &b->e), 0);
	assert_null(got);
	c.transaction_len = 3;
	assert_int_equal(
	    store_challenge_take(b->st, &c, PKI_NOW, &got, &b->e), 0);
	assert_true(burin_secret_eq(y, got));
	burin_secret_free(&got);
	/* For the same message again, and for no other. */
	assert_int_equal(
	    store_challenge_take(b->st, &c, PKI_NOW, &got, &b->e), 0);
	assert_true(burin_secret_eq(y, got));
	burin_secret_free(&got);
	c.answer = other;
	assert_int_equal(
	    store_challenge_take(b->st, &c, PKI_NOW, &got, &b->e), 0);
	assert_null(got);
	assert_int_equal(store_challenge_put(b->st, &c, y, &b->e), 0);
	assert_int_equal(
	    store_challenge_take(b->st, &c, PKI_NOW + 60, &got, &b->e), 0);
	assert_null(got);
	end(b);
	burin_secret_free(&y);
}

static void
talks_are_found_again(void **state)
{
	struct bench *b = *state;
	struct talk t = { .kind = strdup("pending"),
		.transaction = "tid",
		.transaction_len = 3,
		.principal = strdup("invite:1"),
		.data = (unsigned char *)strdup("body"),
		.data_len = 4,
		.nonce = "nonce",
		.nonce_len = 5,
		.created = PKI_NOW };
	struct talk got;
	int found;

	assert_int_equal(talk_token(t.token, &b->e), 0);
	begin(b);
	assert_int_equal(store_talk_put(b->st, &t, &b->e), 0);
	assert_int_equal(
	    store_talk_get(b->st, t.token, &got, &found, &b->e), 0);
	assert_int_equal(found, 1);
	assert_int_equal(got.data_len, 4);
	assert_memory_equal(got.data, "body", 4);
	assert_int_equal(got.nonce_len, 5);
	assert_null(got.renews);
	talk_clear(&got);
	assert_int_equal(
	    store_talk_of_transaction(b->st, (const unsigned char *)"tid", 3,
		NULL, &got, &found, &b->e),
	    0);
	assert_int_equal(found, 1);
	talk_clear(&got);
	assert_int_equal(
	    store_talk_of_transaction(b->st, (const unsigned char *)"tid", 3,
		"confirm", &got, &found, &b->e),
	    0);
	assert_int_equal(found, 0);
	assert_int_equal(store_sweep(b->st, PKI_NOW + 10, 10, &b->e), 0);
	assert_int_equal(
	    store_talk_get(b->st, t.token, &got, &found, &b->e), 0);
	assert_int_equal(found, 0);
	end(b);
	talk_clear(&t);
}

static long long
talks_of(struct bench *b, const char *principal)
{
	sqlite3_stmt *q;
	long long n;

	assert_int_equal(store_query(b->st, &q, &b->e,
			     "SELECT count(*) FROM talks WHERE principal = ?",
			     "t", principal),
	    0);
	assert_int_equal(store_step(b->st, q, &b->e), 1);
	n = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return n;
}

static void
old_talks_make_room(void **state)
{
	struct bench *b = *state;
	struct talk t = { .kind = strdup("pending"), .created = PKI_NOW };
	unsigned char first[CA_TOKEN], newest[CA_TOKEN];
	struct talk got;
	int i, found;

	begin(b);
	t.principal = strdup("certificate:2");
	assert_int_equal(talk_token(t.token, &b->e), 0);
	assert_int_equal(store_talk_put(b->st, &t, &b->e), 0);
	free(t.principal);
	t.principal = strdup("certificate:1");
	for (i = 0; i < CA_TALKS + 1; i++) {
		assert_int_equal(talk_token(t.token, &b->e), 0);
		memcpy(i == 0 ? first : newest, t.token, CA_TOKEN);
		assert_int_equal(store_talk_put(b->st, &t, &b->e), 0);
	}
	assert_int_equal(talks_of(b, "certificate:1"), CA_TALKS);
	assert_int_equal(store_talk_get(b->st, first, &got, &found, &b->e), 0);
	assert_int_equal(found, 0);
	assert_int_equal(store_talk_get(b->st, newest, &got, &found, &b->e), 0);
	assert_int_equal(found, 1);
	talk_clear(&got);
	/* Others have lost nothing by it. */
	assert_int_equal(talks_of(b, "certificate:2"), 1);
	/* Those of all. */
	assert_int_equal(
	    store_exec(b->st, &b->e,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < ?) INSERT INTO talks (token, kind, principal,"
		" signer, created) SELECT randomblob(16), 'pending',"
		" 'invite:' || i, zeroblob(32), 1 FROM n",
		"i", (long long)CA_MAX_TALKS),
	    0);
	assert_int_equal(talk_token(t.token, &b->e), 0);
	assert_int_equal(store_talk_put(b->st, &t, &b->e), 0);
	assert_int_equal(talks_of(b, "certificate:2"), 0);
	assert_int_equal(talks_of(b, "invite:10000"), 1);
	assert_int_equal(talks_of(b, "certificate:1"), 1);
	end(b);
	talk_clear(&t);
}

static void
many_wait(struct bench *b, const char *whose, int n)
{
	assert_int_equal(
	    store_exec(b->st, &b->e,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < ?) INSERT INTO requests (principal, sha256,"
		" profile, subject, der, form, created) SELECT ? || i,"
		" zeroblob(32), 'unit', 'CN=b', x'30', 'pkcs10', 1 FROM n",
		"it", (long long)n, whose),
	    0);
}

/* Neither do they of mail take the room of the others, nor these theirs. */
static void
mail_has_its_own_room(void **state)
{
	struct bench *b = *state;
	unsigned char sha256[CA_SHA256] = { 1 };
	struct waiting_new w = { .principal = "mail:a@b.example",
		.profile = "unit",
		.subject = "CN=a",
		.request = sha256,
		.der = sha256,
		.der_len = 1,
		.form = "pkcs10",
		.now = PKI_NOW,
		.limit = 5 };

	begin(b);
	many_wait(b, "mail:", CA_MAX_MAILED);
	assert_int_equal(store_request_put(b->st, &w, &b->e), -1);
	assert_string_equal(b->e.code, "waiting-full");
	burin_error_clear(&b->e);
	many_wait(b, "invite:", CA_MAX_WAITING - 1);
	w.principal = "invite:x";
	assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	sha256[0] = 2;
	assert_int_equal(store_request_put(b->st, &w, &b->e), -1);
	assert_string_equal(b->e.code, "waiting-full");
	burin_error_clear(&b->e);
	assert_int_equal(store_request_deny(b->st, 1, NULL, PKI_NOW, &b->e), 0);
	w.principal = "mail:a@b.example";
	assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	end(b);
}

static int
is_there(struct bench *b, const char *principal, unsigned char first)
{
	unsigned char sha256[CA_SHA256] = { first };
	enum waiting how;
	char *why;

	assert_int_equal(
	    store_request_state(b->st, principal, sha256, &how, &why, &b->e),
	    0);
	free(why);
	return how != WAITING_NEW;
}

/* Nobody looks for it any more, and the next one needs the room. */
static void
mail_is_forgotten(void **state)
{
	static const char mail[] = "mail:a@b.example", known[] = "invite:1";
	struct bench *b = *state;
	unsigned char sha256[CA_SHA256] = { 0 };
	struct waiting_new w = { .profile = "unit",
		.subject = "CN=a",
		.request = sha256,
		.der = sha256,
		.der_len = 1,
		.form = "pkcs10",
		.limit = 9 };
	int i;

	begin(b);
	for (i = 1; i <= 5; i++) {
		w.principal = i < 5 ? mail : known;
		w.now = PKI_NOW + (i == 4 ? 1000 : 0);
		sha256[0] = (unsigned char)i;
		assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	}
	assert_int_equal(store_request_deny(b->st, 2, NULL, PKI_NOW, &b->e), 0);
	assert_int_equal(store_request_approve(b->st, 3, PKI_NOW, &b->e), 0);
	assert_int_equal(store_sweep(b->st, PKI_NOW + 99, 100, &b->e), 0);
	assert_true(is_there(b, mail, 1));
	assert_true(is_there(b, mail, 2));
	assert_int_equal(store_sweep(b->st, PKI_NOW + 100, 100, &b->e), 0);
	assert_false(is_there(b, mail, 1));
	assert_false(is_there(b, mail, 2));
	assert_true(is_there(b, mail, 3));
	assert_true(is_there(b, mail, 4));
	assert_true(is_there(b, known, 5));
	end(b);
}

/* Of all senders together. */
static void
not_all_may_wait(void **state)
{
	struct bench *b = *state;
	unsigned char sha256[CA_SHA256] = { 1 };
	struct waiting_new w = { .principal = "invite:1",
		.profile = "unit",
		.subject = "CN=a",
		.request = sha256,
		.der = sha256,
		.der_len = 1,
		.form = "pkcs10",
		.now = PKI_NOW,
		.limit = 1 };

	begin(b);
	many_wait(b, "x", CA_MAX_WAITING);
	assert_int_equal(store_request_put(b->st, &w, &b->e), -1);
	assert_string_equal(b->e.code, "waiting-full");
	burin_error_clear(&b->e);
	assert_int_equal(store_request_deny(b->st, 1, NULL, PKI_NOW, &b->e), 0);
	assert_int_equal(store_request_put(b->st, &w, &b->e), 0);
	sha256[0] = 2;
	assert_int_equal(store_request_put(b->st, &w, &b->e), -1);
	assert_string_equal(b->e.code, "too-many-waiting");
	burin_error_clear(&b->e);
	end(b);
}

/* The number of the anchors after setting this one at that minute. */
static long long
anchors_are(struct bench *b, unsigned char set, long long minute, int changed)
{
	unsigned char hash[CA_SHA256] = { set };
	long long n;
	int fresh;

	assert_int_equal(store_anchors_number(b->st, hash,
			     (time_t)(minute * 60 + 59), &n, &fresh, &b->e),
	    0);
	assert_int_equal(fresh, changed);
	return n;
}

static void
anchors_are_numbered(void **state)
{
	struct bench *b = *state;

	begin(b);
	assert_int_equal(anchors_are(b, 1, 1000, 1), 1000);
	assert_int_equal(anchors_are(b, 1, 2000, 0), 1000);
	assert_int_equal(anchors_are(b, 2, 1000, 1), 1001);
	assert_int_equal(anchors_are(b, 1, 10, 1), 1002);
	assert_int_equal(anchors_are(b, 2, 2000, 1), 2000);
	end(b);
}

static void
numbers_are_counted(void **state)
{
	struct bench *b = *state;
	struct counts n;
	char one[64], two[64];
	X509 *a = issued(b, "a", PKI_NOW + 10 * PKI_DAY, NULL, one);
	X509 *c = issued(b, "c", PKI_NOW + 90 * PKI_DAY, NULL, two);

	assert_int_equal(take_back(b, two, 0, PKI_NOW), 0);
	begin(b);
	assert_int_equal(store_counts(b->st, PKI_NOW, &n, &b->e), 0);
	assert_int_equal(n.good, 1);
	assert_int_equal(n.revoked, 1);
	assert_int_equal(n.expiring, 1);
	assert_int_equal(n.revocations, 1);
	assert_int_equal(n.issued_on[COUNT_DAYS - 1], 2);
	assert_int_equal(store_cert_confirm(b->st, one, &b->e), 0);
	assert_int_equal(store_cert_confirm(b->st, "00", &b->e), -1);
	end(b);
	X509_free(a);
	X509_free(c);
}

static void
run_sql(struct bench *b, const char *sql)
{
	assert_int_equal(
	    sqlite3_exec(b->st->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void
log_shows_changes_and_cuts(void **state)
{
	struct bench *b = *state;
	struct audit_head head;
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(
		    store_note(b->st, &b->e, "test", "line %d", i), 0);
	begin(b);
	assert_int_equal(store_audit_verify(b->st, &head, &b->e), 0);
	assert_int_equal(head.lines, 3);
	run_sql(b, "DROP TRIGGER audit_no_delete");
	run_sql(b, "DELETE FROM audit WHERE seq = 3");
	assert_int_equal(store_audit_verify(b->st, NULL, &b->e), -1);
	assert_string_equal(b->e.code, "audit-cut");
	burin_error_clear(&b->e);
	run_sql(b, "UPDATE audit_head SET seq = 2");
	assert_int_equal(store_audit_verify(b->st, NULL, &b->e), -1);
	assert_string_equal(b->e.code, "audit-cut");
	burin_error_clear(&b->e);
	run_sql(b, "DELETE FROM audit WHERE seq = 1");
	assert_int_equal(store_audit_verify(b->st, NULL, &b->e), -1);
	assert_string_equal(b->e.code, "audit-broken");
	assert_int_equal(store_end(b->st, 0, &b->e), 0);
}

/* Without its key the store is not opened. */
static void
key_belongs_to_the_store(void **state)
{
	struct bench *b = *state;
	struct store *again = NULL;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/secrets.key", b->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_open(b->dir, 0, &again, &b->e), -1);
	assert_string_equal(b->e.code, "secrets-key-missing");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(revoked_is_on_the_list),
		TEST(revoking_is_refused_kindly),
		TEST(lists_are_kept_while_they_are_good),
		TEST(entries_outlive_the_certificate_once),
		TEST(revocation_secrets),
		TEST(revocation_secrets_are_not_guessed),
		TEST(long_revocation_secrets_are_not_locked),
		TEST(invites_keep_their_secret_sealed),
		TEST(seals_hold),
		TEST(challenges_are_taken_once),
		TEST(talks_are_found_again),
		TEST(old_talks_make_room),
		TEST(not_all_may_wait),
		TEST(mail_has_its_own_room),
		TEST(mail_is_forgotten),
		TEST(anchors_are_numbered),
		TEST(numbers_are_counted),
		TEST(log_shows_changes_and_cuts),
		TEST(key_belongs_to_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
