/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an answer says: statuses, waiting, confirming, challenges; and one lie
 * for every rule.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/hmac.h>

#include "cmc_reading.h"

#define SIGNED_OID "1.2.840.113549.1.7.2"

/* --- what it says --------------------------------------------------------- */

static void
answer_status(const struct said_status *w)
{
	struct said s;

	begin(&s);
	(void)said_status(&s, w);
	by_ca(&s);
}

static void
test_fails(void **state)
{
	struct said_status w = { .status = BURIN_CMC_FAILED };
	char code[64];
	long i;

	(void)state;
	for (i = 0; burin_cmc_fail_name(i) != NULL; i++) {
		if (i == 8)
			continue;
		w.fail = i;
		w.v1 = (i & 1) != 0;
		answer_status(&w);
		(void)snprintf(
		    code, sizeof(code), "cmc-%s", burin_cmc_fail_name(i));
		refused(BURIN_EAUTHORITY, code);
		assert_string_not_equal(last.advice, "");
	}
	assert_int_equal(i, 14);
	/* What nobody knows: section 6.1.4. */
	w.fail = 1234;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1234"));
	w.fail = -1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	w.ext = "1.2.3.4.5";
	w.ext_untagged = 1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1.2.3.4.5"));
	w.v1 = 0;
	w.ext_untagged = 0;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1.2.3.4.5"));
	w.ext = NULL;
	w.status = BURIN_CMC_NO_SUPPORT;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-noSupport");
	w.status = BURIN_CMC_POP_REQUIRED;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-popRequired");
	assert_non_null(strstr(last.advice, "key agreement"));
	w.status = BURIN_CMC_FAILED;
	w.fail = 8;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-popRequired");
}

static void
test_texts(void **state)
{
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 7 };
	struct said s;
	char much[1024];

	(void)state;
	w.text = "who\x1b[2J are \xe2\x80\xaeyou?";
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
	assert_null(strchr(last.reason, '\x1b'));
	assert_null(strstr(last.reason, "\xe2\x80\xae"));
	assert_non_null(strstr(last.reason, "you?"));
	/* Said twice, it is kept once. */
	w.status = BURIN_CMC_SUCCESS;
	w.fail = -1;
	w.text = "welcome";
	begin(&s);
	(void)said_status(&s, &w);
	w.v1 = 1;
	(void)said_status(&s, &w);
	w.text = "Alice";
	(void)said_status(&s, &w);
	by_ca(&s);
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.text, "welcome; Alice");
	burin_cmc_reply_clear(&reply);
	/* Longer than is kept: cut between characters. */
	memset(much, 'x', sizeof(much));
	memcpy(much + 510, "\xc3\xbc", 2);
	much[1023] = '\0';
	w.text = much;
	answer_status(&w);
	taken(BURIN_CMC_DONE);
	assert_int_equal(strlen(reply.text), 510);
}

static void
test_status_parts(void **state)
{
	static const uint32_t none[] = { 77 }, whole[] = { 0 };
	static const uint32_t deep[] = { 1, 2 }, first[] = { 1 };
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 2 };
	struct said s;
	int i;

	(void)state;
	w.ids = none;
	w.n_ids = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	w.v1 = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	w.v1 = 0;
	w.ids = whole;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = first;
	w.path = 1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = deep;
	w.n_ids = 2;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	/* An empty list, a status that is none, an otherInfo that is none. */
	w.path = 0;
	w.n_ids = 0;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.ids = NULL;
	w.status = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.status = 8;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.status = BURIN_CMC_PENDING;
	w.garbage = "only a token";
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	/* The worst of several counts, wherever it stands. */
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	(void)said_plain(&s, BURIN_CMC_FAILED, 4);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_ca(&s);
	refused(BURIN_EAUTHORITY, "cmc-badCertId");
	begin(&s);
	for (i = 0; i <= BURIN_CMC_MAX_STATUS; i++)
		(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	by_ca(&s);
	refused(BURIN_ECHECK, "cmc-malformed");
}

/* A Simple request has one part, whose number is 1. */
static void
test_simple_request(void **state)
{
	static const uint32_t two[] = { 2 };
	X509_REQ *req = pki_req("Alice", ee_key, NULL);
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 2 };
	unsigned char *der = NULL;
	struct said s;
	int len = i2d_X509_REQ(req, &der);

	(void)state;
	x.request = der;
	x.request_len = (size_t)len;
	x.thread = NULL;
	said_begin(&s);
	(void)said_status(&s, &w);
	by_ca(&s);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = two;
	w.n_ids = 1;
	said_begin(&s);
	(void)said_status(&s, &w);
	by_ca(&s);
	refused(BURIN_ECHECK, "status-unknown-part");
	OPENSSL_free(der);
	X509_REQ_free(req);
}

static void
test_pending(void **state)
{
	struct said_status w = { .status = BURIN_CMC_PENDING,
		.fail = -1,
		.token = "ticket 5",
		.time = "20300318120000Z" };

	(void)state;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_int_equal(reply.pend_token.len, 8);
	assert_memory_equal(reply.pend_token.data, "ticket 5", 8);
	assert_int_equal(reply.pend_time, 1900065600);
	burin_cmc_reply_clear(&reply);
	w.status = BURIN_CMC_PARTIAL;
	w.v1 = 1;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	w.time = "tomorrow";
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.token = NULL;
	answer_status(&w);
	refused(BURIN_ECHECK, "pend-info-missing");
	/* Asked again, the old token holds: section 6.13. */
	send_for(ee_key, 0, 0, "ticket 5");
	w.status = BURIN_CMC_PENDING;
	w.ids = (const uint32_t[]) { 0 };
	w.n_ids = 1;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_memory_equal(reply.pend_token.data, "ticket 5", 8);
	assert_int_equal(reply.pend_time, 0);
}

static void
test_confirm(void **state)
{
	struct said s;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_ca(&s);
	taken(BURIN_CMC_CONFIRM);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
}

/* --- challenges ----------------------------------------------------------- */

static const unsigned char y[48] = "not a random number, but nobody knows it";

/* The TaggedRequest that was sent. */
static void
sent_request(const unsigned char **der, size_t *len)
{
	const unsigned char *p = reqs;
	long inner;
	int tag, class;

	(void)ASN1_get_object(&p, &inner, &tag, &class, (long)reqs_len);
	*der = p;
	*len = (size_t)inner;
}

static void
challenge(struct said_pop *pop, long status, long fail)
{
	struct said s;

	begin(&s);
	(void)said_plain(&s, status, fail);
	(void)said_pop(&s, pop);
	by_ca(&s);
}

static void
solved(EVP_PKEY *key, int tag)
{
	struct burin_cmc_pop out;
	unsigned char mac[EVP_MAX_MD_SIZE], id[20];
	unsigned char *copy;
	const unsigned char *der;
	unsigned n;
	size_t len;

	sent_request(&der, &len);
	taken(BURIN_CMC_CHALLENGE);
	assert_int_equal(reply.n_challenges, 1);
	assert_int_equal(reply.challenges[0].id, 1);
	assert_int_equal(reply.challenges[0].request_len, len);
	assert_memory_equal(reply.challenges[0].request, der, len);
	key_id_of(key, id);
	must(burin_cmc_solve(
	    &reply.challenges[0], key, key, id, 20, 0, 0, &out, &e));
	assert_int_equal(out.id, 1);
	assert_string_equal(out.algorithm, "1.2.840.113549.2.9");
	assert_non_null(HMAC(EVP_sha256(), y, sizeof(y), der, len, mac, &n));
	assert_int_equal(out.value_len, n);
	assert_memory_equal(out.value, mac, n);
	/* The other reading of "the request": without its tag. */
	assert_int_equal(der[0], tag);
	copy = OPENSSL_memdup(der, len);
	copy[0] = 0x30;
	must(burin_cmc_solve(
	    &reply.challenges[0], key, key, id, 20, 0, 1, &out, &e));
	assert_non_null(HMAC(EVP_sha256(), y, sizeof(y), copy, len, mac, &n));
	assert_memory_equal(out.value, mac, n);
	OPENSSL_free(copy);
	burin_cmc_reply_clear(&reply);
}

static void
test_challenge(void **state)
{
	struct said_pop pop = { .y = y, .y_len = sizeof(y) };
	unsigned char id[20];

	(void)state;
	/* RSA in CRMF, by its SKI; the two ways to say that it is wanted. */
	send_for(rsa_key, 1, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	key_id_of(rsa_key, id);
	pop.pub = rsa_key;
	pop.key_id = id;
	pop.key_id_len = 20;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	solved(rsa_key, 0xa1);
	challenge(&pop, BURIN_CMC_POP_REQUIRED, -1);
	solved(rsa_key, 0xa1);
	/* ECDH in PKCS#10, by an empty name and the id of the request. */
	send_for(other_key, 0, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	pop.pub = other_key;
	pop.key_id = NULL;
	pop.key_id_len = 0;
	pop.serial = 1;
	pop.cipher = BURIN_CMS_AES256_GCM;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	solved(other_key, 0xa0);
}

static void
unsolved(EVP_PKEY *key, int legacy, int rc)
{
	struct burin_cmc_pop out;
	unsigned char id[20];

	taken(BURIN_CMC_CHALLENGE);
	key_id_of(key, id);
	assert_int_equal(burin_cmc_solve(&reply.challenges[0], key, key, id,
			     sizeof(id), legacy, 0, &out, &e),
	    rc);
	if (rc == -1) {
		print_message("  %s\n", e.reason);
		assert_int_equal(e.status, BURIN_ECHECK);
		assert_string_equal(e.code, "pop-challenge");
		assert_string_not_equal(e.rule, "");
		assert_string_not_equal(e.advice, "");
	}
	burin_error_clear(&e);
	assert_int_equal(ERR_peek_error(), 0);
	burin_cmc_reply_clear(&reply);
}

static void
test_bad_challenge(void **state)
{
	struct said_pop pop = { .y = y, .y_len = sizeof(y), .serial = 1 };
	struct said_pop good;
	unsigned char *copy;
	struct said s;

	(void)state;
	send_for(rsa_key, 1, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	pop.pub = rsa_key;
	good = pop;
	pop.wrong_witness = 1;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.inner = SIGNED_OID;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.serial = 2; /* for another request */
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.pub = other_key; /* for another key */
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.sha1 = 1;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	unsolved(rsa_key, 1, 0);
	/* About something else than we sent; without being wanted; twice. */
	pop = good;
	copy = OPENSSL_memdup(pop.request, pop.request_len);
	copy[pop.request_len - 1] ^= 1;
	pop.request = copy;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	refused(BURIN_ECHECK, "pop-challenge");
	OPENSSL_free(copy);
	challenge(&good, BURIN_CMC_SUCCESS, -1);
	refused(BURIN_ECHECK, "pop-challenge");
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_FAILED, 8);
	(void)said_pop(&s, &good);
	(void)said_pop(&s, &good);
	by_ca(&s);
	refused(BURIN_ECHECK, "pop-challenge");
	/* A failure for another reason is no challenge. */
	challenge(&good, BURIN_CMC_FAILED, 7);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_fails),
		ONE(test_texts),
		ONE(test_status_parts),
		ONE(test_simple_request),
		ONE(test_pending),
		ONE(test_confirm),
		ONE(test_challenge),
		ONE(test_bad_challenge),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
