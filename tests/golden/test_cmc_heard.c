/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The golden requests of CMC as a server hears them: each is understood, and
 * believed when there is reason to.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/cmc_server.h>

#define DATA TEST_DIR "/golden/data"
#define MAX_FILE 65536
#define NAME "r7"
#define SECRET "correct horse battery staple"

static struct burin_error e;
static struct burin_cmc_refusal why;
static EVP_PKEY *rsa, *ed;
static X509 *cert;
static unsigned char rsa_id[BURIN_KEY_IDENTIFIER];
static struct burin_cms_recipient us;
static struct burin_secret *secret;
static struct burin_cmc_identity identity;

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(e.status, BURIN_OK);
}

static FILE *
open_file(const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/%s", name);
	assert_non_null(f = fopen(path, "r"));
	return f;
}

static EVP_PKEY *
load_key(const char *name)
{
	FILE *f = open_file(name);
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static int
setup(void **state)
{
	FILE *f = open_file("cmc-signer.pem");

	(void)state;
	assert_non_null(cert = PEM_read_X509(f, NULL, NULL, NULL));
	(void)fclose(f);
	rsa = load_key("pkcs10/rsa.pem");
	ed = load_key("pkcs10/ed25519.pem");
	must(burin_key_identifier(rsa, rsa_id, &e));
	us = (struct burin_cms_recipient) {
		.pub = rsa, .key_id = rsa_id, .key_id_len = sizeof(rsa_id)
	};
	must(burin_secret_new(&secret, SECRET, strlen(SECRET), &e));
	identity = (struct burin_cmc_identity) { NAME, secret, 0, 0 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	burin_secret_free(&secret);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
	X509_free(cert);
	return 0;
}

/* One golden message, and what is in it. */
struct heard {
	const char *name;
	enum burin_cmc_by by;
	size_t n;	    /* requests */
	const char *proved; /* of each: P proved, C to be challenged */
	int secret;	    /* 1: shows it, 0: not */
	int encrypted, legacy, renames;
	size_t pops, said, revokes, certs, crls, publishes;
	int poll, confirm;
};

static const struct heard list[] = {
	{ .name = "pkcs10",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 1,
	    .proved = "P",
	    .secret = 1 },
	{ .name = "crmf",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 1,
	    .proved = "P",
	    .secret = 1 },
	{ .name = "pair",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 2,
	    .proved = "PC",
	    .secret = 1 },
	{ .name = "legacy",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 1,
	    .proved = "P",
	    .secret = 1,
	    .legacy = 1 },
	{ .name = "renew", .by = BURIN_CMC_BY_CERT, .n = 1, .proved = "P" },
	{ .name = "nosignature",
	    .by = BURIN_CMC_NO_SIGNATURE,
	    .n = 1,
	    .proved = "C" },
	{ .name = "auth",
	    .by = BURIN_CMC_BY_SECRET,
	    .n = 1,
	    .proved = "C",
	    .secret = 1 },
	{ .name = "encrypted",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 1,
	    .proved = "P",
	    .secret = 1,
	    .encrypted = 1 },
	{ .name = "poll", .by = BURIN_CMC_BY_KEY, .poll = 1 },
	{ .name = "decryptedpop",
	    .by = BURIN_CMC_BY_REQUEST,
	    .n = 2,
	    .proved = "PC",
	    .secret = 1,
	    .pops = 1 },
	{ .name = "abort", .by = BURIN_CMC_BY_KEY, .secret = 1, .said = 1 },
	{ .name = "confirm", .by = BURIN_CMC_BY_KEY, .said = 1, .confirm = 1 },
	{ .name = "reject", .by = BURIN_CMC_BY_KEY, .said = 1, .confirm = 1 },
	{ .name = "revoke", .by = BURIN_CMC_BY_CERT, .revokes = 1 },
	{ .name = "revoke-secret", .by = BURIN_CMC_BY_NOBODY, .revokes = 1 },
	{ .name = "getcert", .by = BURIN_CMC_BY_CERT, .certs = 1 },
	{ .name = "getcrl", .by = BURIN_CMC_BY_CERT, .crls = 1 },
	{ .name = "publish", .by = BURIN_CMC_BY_CERT, .publishes = 1 },
	{ .name = "unpublish", .by = BURIN_CMC_BY_CERT, .publishes = 1 },
	{ .name = "rename",
	    .by = BURIN_CMC_BY_CERT,
	    .n = 1,
	    .proved = "P",
	    .renames = 1 },
	{ .name = "rename-crmf",
	    .by = BURIN_CMC_BY_CERT,
	    .n = 1,
	    .proved = "P",
	    .renames = 1 },
	{ .name = "rename-6402",
	    .by = BURIN_CMC_BY_CERT,
	    .n = 1,
	    .proved = "P",
	    .renames = 1 },
};

static void
check_item(
    const struct heard *want, const struct burin_cmc_item *item, size_t i)
{
	char text[64];

	assert_int_equal(item->id, i + 1);
	assert_int_equal(item->proved,
	    want->proved[i] == 'P' ? BURIN_CMC_POP_PROVED
				   : BURIN_CMC_POP_TO_CHALLENGE);
	assert_string_equal(item->why, "");
	assert_int_equal(item->key_id_len, BURIN_KEY_IDENTIFIER);
	assert_int_equal(item->renames, want->renames);
	if (!want->renames)
		return;
	assert_non_null(
	    X509_NAME_oneline(item->asked.subject, text, sizeof(text)));
	assert_string_equal(text, "/CN=r7/O=Example");
	assert_non_null(
	    X509_NAME_oneline(item->new_subject, text, sizeof(text)));
	assert_string_equal(text, "/CN=r8/O=Example");
	assert_int_equal(sk_GENERAL_NAME_num(item->new_names), 1);
	assert_string_equal(
	    (const char *)ASN1_STRING_get0_data(
		sk_GENERAL_NAME_value(item->new_names, 0)->d.dNSName),
	    "r8.example");
}

static void
believe(const struct heard *want, struct burin_cmc_heard *h)
{
	size_t i;

	if (want->by == BURIN_CMC_BY_CERT) {
		assert_non_null(h->signer);
		assert_int_equal(X509_cmp(h->signer, cert), 0);
		must(burin_cmc_hear_signer(
		    h, h->signer, NULL, want->legacy, &why, &e));
	} else if (want->by == BURIN_CMC_BY_REQUEST) {
		must(burin_cmc_hear_signer(
		    h, NULL, NULL, want->legacy, &why, &e));
	} else if (want->by == BURIN_CMC_BY_KEY) {
		must(
		    burin_cmc_hear_signer(h, NULL, ed, want->legacy, &why, &e));
	}
	if (want->secret)
		must(burin_cmc_hear_secret(
		    h, &identity, 0, want->legacy, &why, &e));
	must(burin_cmc_hear_pops(h, NULL, NULL, &e));
	for (i = 0; i < want->n; i++)
		check_item(want, &h->items[i], i);
}

static void
hear(const struct heard *want)
{
	static unsigned char data[MAX_FILE];
	struct burin_cmc_listen l = { .key = rsa,
		.pub = rsa,
		.us = &us,
		.legacy = want->legacy,
		.final = 1 };
	struct burin_cmc_heard h;
	char name[64];
	size_t len;
	FILE *f;

	(void)snprintf(name, sizeof(name), "cmc-%s.der", want->name);
	f = open_file(name);
	len = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
	burin_error_clear(&e);
	must(burin_cmc_hear(data, len, &l, &h, &why, &e));
	assert_int_equal(why.n, 0);
	assert_int_equal(h.by, want->by);
	assert_int_equal(h.n_items, want->n);
	assert_int_equal(h.encrypted, want->encrypted);
	assert_int_equal(h.n_pops, want->pops);
	assert_int_equal(h.n_said, want->said);
	assert_int_equal(h.n_revokes, want->revokes);
	assert_int_equal(h.n_certs, want->certs);
	assert_int_equal(h.n_crls, want->crls);
	assert_int_equal(h.n_publishes, want->publishes);
	assert_int_equal(h.pend_token.len > 0, want->poll);
	assert_int_equal(h.confirm.serial != NULL, want->confirm);
	assert_int_equal(h.n_statements + h.n_inside, 0);
	assert_int_equal(h.has_transaction, 1);
	assert_int_equal(h.transaction.len, BURIN_CMC_TRANSACTION);
	assert_int_equal(h.sender_nonce.len, BURIN_CMC_NONCE);
	believe(want, &h);
	burin_cmc_heard_clear(&h);
	burin_cmc_heard_clear(&h);
}

static void
test_golden(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		print_message("%s\n", list[i].name);
		hear(&list[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
