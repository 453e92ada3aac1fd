/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers that the library makes, read by the library: every outcome, every
 * failInfo, trust anchors both ways; and what it does not let an answer say.
 * Golden ones lie in tests/golden, where pyasn1 reads them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/cmc_server.h>

#include "csr/cmc/parse.h"

#include "cmc_reading.h"

static EVP_PKEY *cmc_key; /* id-kp-cmcCA, with the name of the CA */
static X509 *cmc_cert;
static const unsigned char nonce[] = "a nonce of the server";

static struct burin_cmc_heard heard;
static struct burin_cmc_item item;
static struct cmc_opened opened;
static struct burin_cms_signer signer;
static struct burin_cmc_answer say;

/* --- what was heard ------------------------------------------------------- */

/* The request of the message that was sent, as a server reads it. */
static void
hear(void)
{
	const struct cmc_request_part *part;

	must(cmc_message_open(
	    request, request_len, 0, BURIN_ECHECK, &opened, &e));
	memset(&heard, 0, sizeof(heard));
	memset(&item, 0, sizeof(item));
	heard.transaction = thread.transaction;
	heard.has_transaction = 1;
	heard.sender_nonce = thread.sent;
	heard.data_return.len = 7;
	memcpy(heard.data_return.data, "token-7", 7);
	if (opened.body->n_requests == 0)
		return;
	part = &opened.body->requests[0];
	item.id = part->id;
	item.tagged = part->der;
	item.tagged_len = part->len;
}

static int
begin_answer(void **state)
{
	if (fresh(state) != 0)
		return -1;
	hear();
	signer = (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = cmc_key,
		.pub = cmc_key,
		.cert = cmc_cert,
		.signing_time = PKI_NOW };
	say = (struct burin_cmc_answer) { .to = &heard,
		.nonce = nonce,
		.nonce_len = sizeof(nonce) - 1,
		.signer = &signer };
	return 0;
}

static int
end_answer(void **state)
{
	sk_X509_free(signer.certs);
	signer.certs = NULL;
	cmc_opened_clear(&opened);
	return done(state);
}

static void
answered(void)
{
	unsigned char *der;
	size_t len;

	must(burin_cmc_answer_make(&say, &der, &len, &e));
	assert_int_equal(ERR_peek_error(), 0);
	set_answer(der, len);
}

static void
not_made(const char *code, const char *rule)
{
	unsigned char *der = (unsigned char *)1;
	size_t len = 1;

	burin_error_clear(&e);
	assert_int_equal(burin_cmc_answer_make(&say, &der, &len, &e), -1);
	print_message("  %s: %s [%s]\n", e.code, e.reason, e.rule);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, code);
	assert_string_equal(e.rule, rule);
	assert_null(der);
	assert_int_equal(len, 0);
	burin_error_clear(&e);
}

static const struct burin_cmc_path first = { { 1 }, 1 };

static struct burin_cmc_state_of
state_of(enum burin_cmc_status status, enum burin_cmc_fail fail)
{
	return (struct burin_cmc_state_of) {
		.status = status, .fail = fail, .parts = &first, .n = 1
	};
}

static void
add_cert(X509 *cert)
{
	if (signer.certs == NULL)
		signer.certs = sk_X509_new_null();
	assert_true(sk_X509_push(signer.certs, cert) > 0);
}

/* --- outcomes ------------------------------------------------------------- */

static void
test_done(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);

	(void)state;
	ok.text = "welcome, r\xc3\xa4tin";
	say.states = &ok;
	say.n_states = 1;
	say.old_states = 1;
	say.response_info.len = 2;
	memcpy(say.response_info.data, "17", 2);
	add_cert(ee);
	answered();
	taken(BURIN_CMC_DONE);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	assert_string_equal(reply.signer, "CN=Test CA");
	assert_string_equal(reply.text, ok.text);
	assert_int_equal(reply.server_nonce.len, sizeof(nonce) - 1);
	assert_memory_equal(reply.server_nonce.data, nonce, sizeof(nonce) - 1);
	assert_memory_equal(reply.data_return.data, "token-7", 7);
	assert_memory_equal(reply.response_info.data, "17", 2);
	burin_cmc_reply_clear(&reply);
	/* The certificate alone is success as well. */
	say.n_states = 0;
	answered();
	taken(BURIN_CMC_DONE);
}

/* What the request did not have does not come back. */
static void
test_echo(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct cmc_opened o;

	(void)state;
	say.states = &ok;
	say.n_states = 1;
	heard.has_transaction = 0;
	heard.transaction.len = 0;
	heard.sender_nonce.len = 0;
	heard.data_return.len = 0;
	answered();
	must(cmc_message_open(answer, answer_len, 0, BURIN_ECHECK, &o, &e));
	assert_int_equal(o.body->n_controls, 1);
	assert_int_equal(o.body->controls[0].row->number, CMC_STATUS_INFO_V2);
	cmc_opened_clear(&o);
	/* Of 0 is one all the same. */
	heard.has_transaction = 1;
	answered();
	must(cmc_message_open(answer, answer_len, 0, BURIN_ECHECK, &o, &e));
	assert_int_equal(o.body->n_controls, 2);
	assert_int_equal(
	    ASN1_INTEGER_get(cmc_body_value(o.body, CMC_TRANSACTION_ID)), 0);
	cmc_opened_clear(&o);
	/* Nothing of what was asked could be read. */
	say.to = NULL;
	answered();
	must(cmc_message_open(answer, answer_len, 0, BURIN_ECHECK, &o, &e));
	assert_int_equal(o.body->n_controls, 1);
	cmc_opened_clear(&o);
}

static void
wait_with(enum burin_cmc_status status)
{
	struct burin_cmc_octets token = { "ask again", 9 };
	struct burin_cmc_state_of wait = state_of(status, BURIN_CMC_FAIL_NONE);

	wait.pend_token = &token;
	wait.pend_time = PKI_NOW + 60;
	say.states = &wait;
	say.n_states = 1;
	for (say.old_states = 0; say.old_states < 2; say.old_states++) {
		answered();
		taken(BURIN_CMC_WAIT);
		assert_int_equal(reply.pend_token.len, 9);
		assert_memory_equal(reply.pend_token.data, "ask again", 9);
		assert_int_equal(reply.pend_time, PKI_NOW + 60);
		burin_cmc_reply_clear(&reply);
	}
}

static void
test_wait(void **state)
{
	struct burin_cmc_state_of wait =
	    state_of(BURIN_CMC_PENDING, BURIN_CMC_FAIL_NONE);

	(void)state;
	wait_with(BURIN_CMC_PENDING);
	wait_with(BURIN_CMC_PARTIAL);
	/* The answer to a poll may say just that. */
	send_for(ee_key, 0, 0, "ask again");
	cmc_opened_clear(&opened);
	hear();
	wait.parts = NULL;
	wait.n = 0;
	say.states = &wait;
	say.n_states = 1;
	not_made("pend-info-missing", "RFC 10002 section 6.1.1");
	heard.pend_token.len = 9;
	memcpy(heard.pend_token.data, "ask again", 9);
	answered();
	taken(BURIN_CMC_WAIT);
	assert_memory_equal(reply.pend_token.data, "ask again", 9);
}

static void
test_confirm(void **state)
{
	struct burin_cmc_state_of must_confirm =
	    state_of(BURIN_CMC_CONFIRM_REQUIRED, BURIN_CMC_FAIL_NONE);

	(void)state;
	say.states = &must_confirm;
	say.n_states = 1;
	say.confirm = &ee;
	say.n_confirm = 1;
	add_cert(ee);
	answered();
	taken(BURIN_CMC_CONFIRM);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
}

static void
test_refusals(void **state)
{
	struct burin_cmc_state_of no;
	char code[64];
	int fail;

	(void)state;
	say.states = &no;
	say.n_states = 1;
	say.old_states = 1;
	for (fail = BURIN_CMC_BAD_ALG; fail <= BURIN_CMC_AUTH_DATA_FAIL;
	     fail++) {
		no = state_of(BURIN_CMC_FAILED, (enum burin_cmc_fail)fail);
		no.text = "not today";
		answered();
		(void)snprintf(
		    code, sizeof(code), "cmc-%s", burin_cmc_fail_name(fail));
		refused(BURIN_EAUTHORITY, code);
		assert_non_null(strstr(last.reason, "not today"));
	}
	/* Of the whole; by no reason; by what is not done here. */
	no = state_of(BURIN_CMC_FAILED, BURIN_CMC_BAD_REQUEST);
	no.parts = NULL;
	no.n = 0;
	answered();
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	no = state_of(BURIN_CMC_FAILED, BURIN_CMC_FAIL_NONE);
	answered();
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	no = state_of(BURIN_CMC_NO_SUPPORT, BURIN_CMC_FAIL_NONE);
	answered();
	refused(BURIN_EAUTHORITY, "cmc-noSupport");
	no = state_of(BURIN_CMC_POP_REQUIRED, BURIN_CMC_FAIL_NONE);
	answered();
	refused(BURIN_EAUTHORITY, "cmc-popRequired");
}

/* --- the challenge -------------------------------------------------------- */

static void
challenge(EVP_PKEY *key, int by_ski, int legacy)
{
	struct burin_cmc_state_of wanted =
	    state_of(BURIN_CMC_FAILED, BURIN_CMC_FAIL_POP_REQUIRED);
	struct burin_cmc_bytes one;
	struct burin_cmc_pop pop, right = { 0 };
	struct burin_secret *y;
	unsigned char value[64], *der;
	size_t i;

	for (i = 0; i < sizeof(value); i++)
		value[i] = (unsigned char)(i * 7);
	must(burin_secret_new(&y, value, sizeof(value), &e));
	send_for(key, 1, 1, NULL);
	cmc_opened_clear(&opened);
	hear();
	item.asked.pub = key;
	if (by_ski) {
		key_id_of(key, item.key_id);
		item.key_id_len = 20;
	}
	must(burin_cmc_challenge_make(&item, y, legacy, &der, &one.len, &e));
	one.der = der;
	say.states = &wanted;
	say.n_states = 1;
	say.challenges = &one;
	say.n_challenges = 1;
	answered();
	taken(BURIN_CMC_CHALLENGE);
	assert_int_equal(reply.n_challenges, 1);
	must(burin_cmc_solve(&reply.challenges[0], key, key,
	    by_ski ? item.key_id : NULL, item.key_id_len, legacy, 0, &pop, &e));
	assert_int_equal(
	    EVP_Q_mac(NULL, "HMAC", NULL, legacy ? "SHA1" : "SHA256", NULL,
		value, sizeof(value), item.tagged, item.tagged_len, right.value,
		sizeof(right.value), &right.value_len) != NULL,
	    1);
	assert_int_equal(pop.id, item.id);
	assert_int_equal(pop.value_len, right.value_len);
	assert_memory_equal(pop.value, right.value, right.value_len);
	burin_cmc_reply_clear(&reply);
	OPENSSL_free(der);
	burin_secret_free(&y);
}

static void
test_challenge(void **state)
{
	(void)state;
	challenge(rsa_key, 1, 0);
	challenge(rsa_key, 0, 0);
	challenge(ee_key, 1, 0);
	challenge(ee_key, 0, 1);
}

static void
no_challenge(const struct burin_cmc_item *of, const void *value, size_t len,
    const char *code)
{
	struct burin_secret *y;
	unsigned char *der;
	size_t n;

	must(burin_secret_new(&y, value, len, &e));
	assert_int_equal(burin_cmc_challenge_make(of, y, 0, &der, &n, &e), -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, code);
	assert_null(der);
	burin_error_clear(&e);
	burin_secret_free(&y);
}

static void
test_no_challenge(void **state)
{
	struct burin_cmc_item of = item;
	EVP_PKEY *ed = pki_key("ED25519");
	static const char value[65] = "of a length that is enough";

	(void)state;
	no_challenge(&of, value, 32, "pop-challenge");
	of.asked.pub = ed;
	no_challenge(&of, value, 32, "key-cannot-decrypt");
	of.asked.pub = rsa_key;
	no_challenge(&of, value, 15, "pop-challenge");
	no_challenge(&of, value, 65, "pop-challenge");
	of.tagged_len = 0;
	no_challenge(&of, value, 32, "pop-challenge");
	EVP_PKEY_free(ed);
}

/* --- trust anchors -------------------------------------------------------- */

static void
publish(const struct burin_cmc_identity *with)
{
	struct burin_cmc_publication pub = { .number = 7, .identity = with };
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);

	pub.anchors = sk_X509_new_null();
	assert_true(sk_X509_push(pub.anchors, stranger) > 0);
	assert_true(sk_X509_push(pub.anchors, ca) > 0);
	say.states = &ok;
	say.n_states = 1;
	say.publication = &pub;
	answered();
	sk_X509_free(pub.anchors);
	taken(BURIN_CMC_DONE);
	assert_int_equal(reply.anchors_number, 7);
	assert_int_equal(sk_X509_num(reply.anchors), 2);
	assert_int_equal(
	    X509_cmp(sk_X509_value(reply.anchors, 0), stranger), 0);
	burin_cmc_reply_clear(&reply);
	x.anchors_seen = 8;
	refused(BURIN_ECHECK, "anchors-replayed");
	x.anchors_seen = 0;
}

static void
test_anchors(void **state)
{
	struct burin_cmc_identity other = identity;

	(void)state;
	publish(NULL);
	x.identity = &identity;
	publish(&identity);
	other.secret = wrong;
	x.identity = &other;
	refused(BURIN_ECHECK, "mac-wrong");
}

/* --- around it ------------------------------------------------------------ */

static void
test_around(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct burin_cms_recipient us = { .pub = rsa_key, .serial = 1 };

	(void)state;
	say.states = &ok;
	say.n_states = 1;
	say.encrypt = &us;
	add_cert(ee);
	answered();
	refused(BURIN_ECHECK, "cmc-encrypted");
	x.key = x.pub = rsa_key;
	x.us = &us;
	taken(BURIN_CMC_DONE);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	/* Under a MAC. */
	say.encrypt = NULL;
	say.signer = NULL;
	say.identity = &identity;
	answered();
	refused(BURIN_ECHECK, "cmc-signer");
	x.identity = &identity;
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.signer, "shared secret");
	burin_cmc_reply_clear(&reply);
	/* By who has no key at all. */
	sk_X509_free(signer.certs);
	signer = (struct burin_cms_signer) { .by = BURIN_CMS_BY_NOBODY };
	say.signer = &signer;
	say.identity = NULL;
	not_made("signer-missing", "RFC 10002 section 4.2");
	ok = state_of(BURIN_CMC_FAILED, BURIN_CMC_INTERNAL_CA_ERROR);
	ok.parts = NULL;
	ok.n = 0;
	answered();
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "not authenticated"));
}

/* The answer of the CA in one of the RA. */
static void
test_body(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct burin_cmc_bytes inside[2];
	unsigned char *mine, *other;

	(void)state;
	say.states = &ok;
	say.n_states = 1;
	must(burin_cmc_answer_make(&say, &other, &inside[0].len, &e));
	inside[0].der = other;
	add_cert(ee);
	must(burin_cmc_answer_make(&say, &mine, &inside[1].len, &e));
	inside[1].der = mine;
	sk_X509_free(signer.certs);
	signer.certs = NULL;
	signer.key = signer.pub = ra_key;
	signer.cert = ra;
	say.inside = inside;
	say.n_inside = 2;
	say.body = 2;
	answered();
	taken(BURIN_CMC_DONE);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	say.body = 1;
	answered();
	taken(BURIN_CMC_DONE);
	assert_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	/* With numbers of its own. */
	say.inside_ids = (const uint32_t[]) { 400, 17 };
	say.body = 2;
	say.batch = 1;
	answered();
	taken(BURIN_CMC_DONE);
	OPENSSL_free(mine);
	OPENSSL_free(other);
}

/* --- what is not said ----------------------------------------------------- */

#define STATUS "RFC 10002 section 6.1.1"

static void
test_bad_states(void **state)
{
	struct burin_cmc_state_of s =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct burin_cmc_octets token = { "t", 1 };
	struct burin_cmc_path path = { { 1, 0 }, 2 };
	static char text[1026];

	(void)state;
	not_made("nothing-said", STATUS);
	say.states = &s;
	say.n_states = 1;
	s.status = (enum burin_cmc_status)1;
	not_made("status-malformed", "RFC 10002 section 6.1.3");
	s = state_of(BURIN_CMC_FAILED, (enum burin_cmc_fail)14);
	not_made("status-malformed", "RFC 10002 section 6.1.4");
	s = state_of(BURIN_CMC_PENDING, BURIN_CMC_FAIL_NONE);
	not_made("pend-info-missing", STATUS);
	s.pend_token = &token;
	not_made("pend-info-missing", STATUS);
	s.pend_time = PKI_NOW;
	token.len = 0;
	not_made("pend-info-missing", STATUS);
	token.len = BURIN_CMC_MAX_OCTETS + 1;
	not_made("octets-too-long", STATUS);
	token.len = 1;
	s.status = BURIN_CMC_FAILED;
	not_made("status-malformed", STATUS);
	s = state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	s.text = "";
	not_made("text-malformed", STATUS);
	s.text = "two\nlines";
	not_made("text-malformed", STATUS);
	s.text = "\xff";
	not_made("text-malformed", STATUS);
	memset(text, 'a', sizeof(text) - 1);
	s.text = text;
	not_made("text-malformed", STATUS);
	s.text = NULL;
	s.n = BURIN_CMC_MAX_PARTS + 1;
	not_made("status-malformed", STATUS);
	s.n = 1;
	s.parts = &path;
	not_made("body-part", "RFC 10002 section 3.2.2");
	path.n = BURIN_CMC_MAX_DEPTH + 2;
	not_made("body-part", "RFC 10002 section 3.2.2");
	say.n_states = BURIN_CMC_MAX_PARTS;
	not_made("answer-too-much", "RFC 10002 section 4.2");
}

static void
test_bad_parts(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct burin_cmc_bytes bytes = { (const unsigned char *)"\x30\x03", 2 };

	(void)state;
	say.states = &ok;
	say.n_states = 1;
	say.nonce_len = 0;
	not_made("nonce-missing", "RFC 10002 section 6.6");
	say.nonce_len = BURIN_CMC_MAX_OCTETS + 1;
	not_made("nonce-missing", "RFC 10002 section 6.6");
	say.nonce_len = 8;
	say.response_info.len = BURIN_CMC_MAX_OCTETS + 1;
	not_made("octets-too-long", "RFC 10002 section 6.12");
	say.response_info.len = 0;
	say.challenges = &bytes;
	say.n_challenges = 1;
	not_made("pop-challenge", "RFC 10002 section 6.7");
	say.n_challenges = 0;
	say.confirm = &ee;
	say.n_confirm = 1;
	not_made("confirm-without-status", "RFC 10002 section 6.14");
	say.n_confirm = 0;
	say.batch = 1;
	not_made("batch-empty", "RFC 10002 section 6.17");
	say.batch = 0;
	say.body = 1;
	not_made("body-missing", "RFC 6402 section 2.6");
	say.inside = &bytes;
	say.n_inside = 1;
	not_made("inside-malformed", "RFC 10002 section 4.2");
	bytes.der = answer;
	bytes.len = answer_len;
	say.inside_ids = (const uint32_t[]) { 0 };
	not_made("body-part", "RFC 10002 section 3.2.2");
	say.inside_ids = (const uint32_t[]) { UINT32_MAX };
	not_made("body-part", "RFC 10002 section 3.2.2");
}

static void
test_bad_voice(void **state)
{
	struct burin_cmc_state_of ok =
	    state_of(BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE);
	struct burin_cmc_identity nobody = { .identification = "alice" };
	struct burin_cmc_publication pub = { .number = -1 };

	(void)state;
	say.states = &ok;
	say.n_states = 1;
	say.signer = NULL;
	not_made("signer-missing", "RFC 10002 section 4.2");
	say.identity = &nobody;
	not_made("secret-missing", "RFC 10002 section 3.2");
	say.identity = NULL;
	say.signer = &signer;
	signer.by = BURIN_CMS_BY_KEY;
	not_made("signer-missing", "RFC 10002 section 4.2");
	signer.by = BURIN_CMS_BY_CERT;
	say.publication = &pub;
	not_made("anchors-number", "RFC 10002 section 6.15");
	pub.number = 1;
	not_made("anchors-missing", "RFC 10002 section 6.15");
	pub.anchors = anchors;
	signer.signing_time = 0;
	not_made("anchors-time", "RFC 10002 section 6.15");
	signer.signing_time = PKI_NOW;
	pub.identity = &nobody;
	not_made("secret-missing", "RFC 10002 section 3.2");
}

static int
set_up(void **state)
{
	if (setup(state) != 0)
		return -1;
	cmc_key = pki_key("P-256");
	cmc_cert = issue("Test CA", cmc_key, ca_eku);
	return 0;
}

static int
tear_down(void **state)
{
	X509_free(cmc_cert);
	EVP_PKEY_free(cmc_key);
	return teardown(state);
}

#define ANSWER(test) \
	cmocka_unit_test_setup_teardown(test, begin_answer, end_answer)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ANSWER(test_done),
		ANSWER(test_echo),
		ANSWER(test_wait),
		ANSWER(test_confirm),
		ANSWER(test_refusals),
		ANSWER(test_challenge),
		ANSWER(test_no_challenge),
		ANSWER(test_anchors),
		ANSWER(test_around),
		ANSWER(test_body),
		ANSWER(test_bad_states),
		ANSWER(test_bad_parts),
		ANSWER(test_bad_voice),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
