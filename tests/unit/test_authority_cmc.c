/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC between the end entity and the authority, both ours, with software
 * keys: every proof, waiting, acceptance, revocation. tests/cmc shows each of
 * them to somebody else's code.
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
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "cmc_bench.h"

/* --- enrolments ---------------------------------------------------------- */

static void
enrols_in_every_form(void **state)
{
	static const struct {
		enum burin_cmc_form form;
		enum burin_pop pop;
		const char *key;
	} kinds[] = {
		{ BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, "P-256" },
		{ BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, "P-256" },
		{ BURIN_CMC_PKCS10, BURIN_POP_AGREEMENT, "P-256" },
		{ BURIN_CMC_CRMF, BURIN_POP_AGREEMENT, "P-256" },
	};
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct client c;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		(void)snprintf(name, sizeof(name), "r%zu", i);
		client_new(b, &c, name, kinds[i].key, "unit");
		make_requests(&c, kinds[i].form, kinds[i].pop, &c.id);
		s = by_key(&c);
		if (kinds[i].pop == BURIN_POP_AGREEMENT) {
			s.by = BURIN_CMS_UNSIGNED;
			s.key = NULL;
		}
		must(&b->e, enrol(&c, &s));
		assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
		(void)got(&c);
		client_clear(&c);
	}
	assert_int_equal(lines_of(b, "issued"), 4);
	assert_int_equal(lines_of(b, "refused"), 0);
}

static void
enrols_with_a_mac(void **state)
{
	struct bench *b = *state;
	struct client c;
	struct burin_cmc_ask ask = { 0 };

	client_new(b, &c, "mac", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	ask.thread = &c.thread;
	ask.requests = c.reqs;
	ask.requests_len = c.reqs_len;
	ask.identity = &c.id;
	ask.link = 1;
	ask.protect = BURIN_CMC_AUTHENTICATED;
	must(&b->e, say(&c, &ask));
	(void)got(&c);
	client_clear(&c);
}

static void
enrols_encrypted(void **state)
{
	struct bench *b = *state;
	struct burin_cms_recipient to = { .pub = b->s.pop_key,
		.cert = b->s.pop_cert };
	struct burin_cms_signer s;
	struct client c;
	unsigned char *der;
	size_t len;
	struct burin_cmc_ask ask = { 0 };

	client_new(b, &c, "secretive", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	ask.thread = &c.thread;
	ask.requests = c.reqs;
	ask.requests_len = c.reqs_len;
	ask.identity = &c.id;
	ask.link = 1;
	ask.signer = &s;
	must(&b->e, burin_cmc_make(&ask, &c.sent, &c.sent_len, &b->e));
	must(&b->e,
	    burin_cmc_encrypt(c.sent, c.sent_len, &to, &der, &len, &b->e));
	{
		unsigned char *plain = c.sent;
		size_t plain_len = c.sent_len;

		c.sent = der;
		c.sent_len = len;
		turn(&c);
		c.sent = plain;
		c.sent_len = plain_len;
		OPENSSL_free(der);
	}
	must(&b->e, hears(&c, 0));
	(void)got(&c);
	client_clear(&c);
}

/* RFC 10002 section 6.7, both keys that cannot sign. */
static void
challenges_keys_that_cannot_sign(void **state)
{
	static const char *const keys[] = { "RSA", "X25519" };
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_pop pop;
	struct burin_cmc_ask ask;
	struct client c;
	size_t i;

	for (i = 0; i < 2; i++) {
		client_new(b, &c, keys[i], keys[i], "unit");
		make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_CHALLENGE, &c.id);
		s = by_key(&c);
		s.by = BURIN_CMS_UNSIGNED;
		s.key = NULL;
		must(&b->e, enrol(&c, &s));
		assert_int_equal(c.reply.outcome, BURIN_CMC_CHALLENGE);
		assert_int_equal(c.reply.n_challenges, 1);
		must(&b->e,
		    burin_cmc_solve(&c.reply.challenges[0], c.key, c.key,
			c.key_id, sizeof(c.key_id), 0, 0, &pop, &b->e));
		next_nonce(&c);
		ask = (struct burin_cmc_ask) { .thread = &c.thread,
			.requests = c.reqs,
			.requests_len = c.reqs_len,
			.identity = &c.id,
			.link = 1,
			.signer = &s,
			.pops = &pop,
			.n_pops = 1 };
		must(&b->e, say(&c, &ask));
		assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
		/* The answer was lost: the same message again. */
		turn(&c);
		must(&b->e, hears(&c, 0));
		assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
		(void)got(&c);
		client_clear(&c);
	}
	assert_int_equal(lines_of(b, "issued"), 2);
}

static void
refuses_a_challenge_twice_or_wrong(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_pop pop;
	struct burin_cmc_ask ask;
	struct client c;

	client_new(b, &c, "replay", "RSA", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_CHALLENGE, &c.id);
	s = by_key(&c);
	s.by = BURIN_CMS_UNSIGNED;
	s.key = NULL;
	must(&b->e, enrol(&c, &s));
	must(&b->e,
	    burin_cmc_solve(&c.reply.challenges[0], c.key, c.key, c.key_id,
		sizeof(c.key_id), 0, 0, &pop, &b->e));
	next_nonce(&c);
	pop.value[0] ^= 1;
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.requests = c.reqs,
		.requests_len = c.reqs_len,
		.identity = &c.id,
		.link = 1,
		.signer = &s,
		.pops = &pop,
		.n_pops = 1 };
	assert_int_equal(say(&c, &ask), -1);
	refused(&c, "cmc-popFailed");
	/* The right one comes too late: a challenge has one answer. */
	pop.value[0] ^= 1;
	assert_int_equal(say(&c, &ask), -1);
	refused(&c, "cmc-popFailed");
	assert_int_equal(lines_of(b, "issued"), 0);
	client_clear(&c);
}

/* --- who asks ------------------------------------------------------------ */

static void
refuses_a_wrong_secret(void **state)
{
	struct bench *b = *state;
	struct burin_secret *right, *wrong = NULL;
	struct burin_cms_signer s;
	struct client c;

	client_new(b, &c, "alice", "P-256", "unit");
	must(&b->e, burin_secret_new(&wrong, "wrong", 5, &b->e));
	right = c.secret;
	c.id.secret = wrong;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	assert_int_equal(enrol(&c, &s), -1);
	refused(&c, "cmc-badIdentity");
	assert_int_equal(c.said.fail, BURIN_CMC_BAD_IDENTITY);
	c.id.secret = right;
	c.id.identification = "mallory";
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	assert_int_equal(enrol(&c, &s), -1);
	refused(&c, "cmc-badIdentity");
	assert_int_equal(lines_of(b, "refused"), 2);
	assert_int_equal(lines_of(b, "issued"), 0);
	burin_secret_free(&wrong);
	client_clear(&c);
}

static void
refuses_nobody(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { 0 };
	struct client c;

	client_new(b, &c, "nobody", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, NULL);
	s = by_key(&c);
	ask.thread = &c.thread;
	ask.requests = c.reqs;
	ask.requests_len = c.reqs_len;
	ask.signer = &s;
	assert_int_equal(say(&c, &ask), -1);
	refused(&c, "cmc-badIdentity");
	client_clear(&c);
}

static void
answers_the_same_again(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct client c, d;
	X509 *first;

	client_new(b, &c, "again", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	first = X509_dup(got(&c));
	turn(&c);
	must(&b->e, hears(&c, 0));
	assert_int_equal(X509_cmp(first, got(&c)), 0);
	assert_int_equal(lines_of(b, "issued"), 1);
	X509_free(first);
	/* The secret is used up for anything else. */
	client_new(b, &d, "other", "P-256", "unit");
	burin_secret_free(&d.secret);
	d.secret = NULL;
	d.id = c.id;
	make_requests(&d, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &d.id);
	s = by_key(&d);
	assert_int_equal(enrol(&d, &s), -1);
	refused(&d, "cmc-badIdentity");
	client_clear(&d);
	client_clear(&c);
}

/* --- what takes several messages ----------------------------------------- */

static void
waits_for_the_operator(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	struct client c;

	b->cnf.manual = 1;
	client_new(b, &c, "patient", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	assert_true(c.reply.pend_time > PKI_NOW);
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.pend_token = c.reply.pend_token,
		.signer = &s };
	next_nonce(&c);
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	assert_int_equal(authority_approve(b->dir, 1, &b->e), 0);
	next_nonce(&c);
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	(void)got(&c);
	client_clear(&c);
	b->cnf.manual = 0;
}

/* A poll with another key, or in another transaction, learns nothing. */
static void
a_poll_is_by_its_own(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	struct client c, d;

	b->cnf.manual = 1;
	client_new(b, &c, "mine", "P-256", "unit");
	client_new(b, &d, "thief", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(authority_approve(b->dir, 1, &b->e), 0);
	ask = (struct burin_cmc_ask) { .thread = &d.thread,
		.pend_token = c.reply.pend_token,
		.signer = &s };
	assert_int_equal(say(&d, &ask), -1);
	refused(&d, "cmc-badRequest");
	d.thread = c.thread;
	next_nonce(&d);
	s = by_key(&d);
	assert_int_equal(say(&d, &ask), -1);
	refused(&d, "cmc-badMessageCheck");
	assert_int_equal(lines_of(b, "issued"), 0);
	client_clear(&d);
	client_clear(&c);
	b->cnf.manual = 0;
}

static void
wants_acceptance(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { 0 };
	struct client c;
	struct issued i;
	char *serial;
	X509 *cert;
	int found, reject;

	b->cnf.confirm = 1;
	for (reject = 0; reject < 2; reject++) {
		client_new(b, &c, reject ? "no" : "yes", "P-256", "unit");
		make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
		s = by_key(&c);
		must(&b->e, enrol(&c, &s));
		assert_int_equal(c.reply.outcome, BURIN_CMC_CONFIRM);
		cert = X509_dup(got(&c));
		s = by_cert(&c, cert);
		ask.thread = &c.thread;
		ask.confirm = cert;
		ask.reject = reject;
		ask.signer = &s;
		next_nonce(&c);
		must(&b->e, say(&c, &ask));
		assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
		must(&b->e, store_begin(b->s.store, &b->e));
		assert_non_null(
		    serial = burin_serial_text(X509_get0_serialNumber(cert)));
		must(&b->e,
		    store_cert_of_serial(
			b->s.store, serial, &i, &found, &b->e));
		must(&b->e, store_end(b->s.store, 0, &b->e));
		assert_int_equal(found, 1);
		assert_int_equal(i.confirmed, !reject);
		assert_int_equal(i.revoked, reject);
		issued_clear(&i);
		free(serial);
		X509_free(cert);
		client_clear(&c);
	}
	b->cnf.confirm = 0;
}

/* --- with a certificate -------------------------------------------------- */

static void
renews_and_revokes(void **state)
{
	struct bench *b = *state;
	struct burin_cmc_revocation r = { 0 };
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	struct client c, d;
	EVP_PKEY *old;
	X509 *cert;

	client_new(b, &c, "renewer", "P-256", "unit");
	cert = enrolled(&c);
	s = by_cert(&c, cert);
	old = c.key;
	c.key = pki_key("P-256");
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_SIGNATURE, NULL);
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.requests = c.reqs,
		.requests_len = c.reqs_len,
		.signer = &s };
	s.key = s.pub = old;
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.reply.outcome, BURIN_CMC_DONE);
	(void)got(&c);
	/* Somebody else may not revoke it; who has it may. */
	client_new(b, &d, "stranger", "P-256", "unit");
	{
		X509 *other = enrolled(&d);
		struct burin_cms_signer t = by_cert(&d, other);

		r.issuer = X509_get_issuer_name(cert);
		r.serial = X509_get0_serialNumber(cert);
		r.reason = CRL_REASON_SUPERSEDED;
		must(&b->e, burin_cmc_begin(&d.thread, &b->e));
		ask = (struct burin_cmc_ask) {
			.thread = &d.thread, .revoke = &r, .signer = &t
		};
		assert_int_equal(say(&d, &ask), -1);
		refused(&d, "cmc-badIdentity");
		X509_free(other);
	}
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	ask.thread = &c.thread;
	ask.signer = &s;
	must(&b->e, say(&c, &ask));
	assert_int_equal(lines_of(b, "revoked"), 1);
	/* It is good for nothing now. */
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	assert_int_equal(say(&c, &ask), -1);
	refused(&c, "cmc-badMessageCheck");
	EVP_PKEY_free(old);
	X509_free(cert);
	client_clear(&d);
	client_clear(&c);
}

static void
gives_certificates_and_lists(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	struct client c;
	X509 *cert;

	client_new(b, &c, "reader", "P-256", "unit");
	cert = enrolled(&c);
	s = by_cert(&c, cert);
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.get_issuer = X509_get_issuer_name(cert),
		.get_serial = X509_get0_serialNumber(cert),
		.signer = &s };
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.said.full, 0);
	assert_int_equal(X509_cmp(got(&c), cert), 0);
	ask.get_serial = NULL;
	ask.get_crl = 1;
	must(&b->e, say(&c, &ask));
	assert_int_equal(sk_X509_CRL_num(c.reply.crls), 1);
	assert_int_equal(
	    X509_CRL_verify(sk_X509_CRL_value(c.reply.crls, 0), b->ca_key), 1);
	X509_free(cert);
	client_clear(&c);
}

static void
gives_back_what_it_got(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask;
	STACK_OF(X509) *list = sk_X509_new_null();
	struct client c;
	X509 *cert;

	client_new(b, &c, "reader", "P-256", "unit");
	cert = enrolled(&c);
	s = by_cert(&c, cert);
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	ask = (struct burin_cmc_ask) { .thread = &c.thread,
		.get_issuer = X509_get_issuer_name(cert),
		.get_serial = X509_get0_serialNumber(cert),
		.data_return = { "slot 9a", 7 },
		.signer = &s };
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.said.full, 1);
	assert_int_equal(c.reply.data_return.len, 7);
	assert_memory_equal(c.reply.data_return.data, "slot 9a", 7);
	assert_int_equal(X509_cmp(got(&c), cert), 0);
	/* publishCert: there is nowhere to publish it. */
	assert_true(sk_X509_push(list, cert) > 0);
	ask = (struct burin_cmc_ask) {
		.thread = &c.thread, .publish = list, .signer = &s
	};
	must(&b->e, burin_cmc_begin(&c.thread, &b->e));
	assert_int_equal(say(&c, &ask), -1);
	refused(&c, "cmc-noSupport");
	sk_X509_free(list);
	X509_free(cert);
	client_clear(&c);
}

static void
last_line(void *arg, const struct authority_line *l)
{
	char *text = arg;

	if (strcmp(l->event, "told") == 0)
		(void)snprintf(text, 256, "%s", l->detail);
}

/* Section 6.12: people read it; it may not pretend to be another line. */
static void
writes_down_what_it_is_told(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { 0 };
	struct client c;
	char text[256] = "";

	client_new(b, &c, "talker", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	ask.thread = &c.thread;
	ask.requests = c.reqs;
	ask.requests_len = c.reqs_len;
	ask.identity = &c.id;
	ask.link = 1;
	ask.signer = &s;
	ask.reg_info.len = 15;
	memcpy(ask.reg_info.data, "desk \"7\"\n\\x \xc3\xbc%", 15);
	must(&b->e, say(&c, &ask));
	must(&b->e, store_begin(b->s.store, &b->e));
	must(&b->e, store_audit_each(b->s.store, last_line, text, &b->e));
	must(&b->e, store_end(b->s.store, 0, &b->e));
	assert_string_equal(text,
	    "cmc by invite:1: regInfo "
	    "\"desk \\x227\\x22\\x0a\\x5cx \\xc3\\xbc%\"");
	client_clear(&c);
}

/* The authority's certificate and another one, as serve has them. */
static void
publishes(struct bench *b, X509 *other, struct anchors *out)
{
	must(&b->e,
	    anchors_open(b->dir, b->s.store, b->ca.cert, PKI_NOW, out, &b->e));
	if (other == NULL)
		return;
	must(&b->e, ca_cert_write(b->dir, "anchors.pem", other, &b->e));
	anchors_clear(out);
	must(&b->e,
	    anchors_open(b->dir, b->s.store, b->ca.cert, PKI_NOW, out, &b->e));
}

/* Sections 6.15 and 6.16: who knows the secret needs nothing else. */
static void
publishes_anchors(void **state)
{
	struct bench *b = *state;
	struct burin_cms_signer s;
	struct burin_cmc_ask ask = { 0 };
	struct anchors published;
	struct client c;
	EVP_PKEY *key = pki_key("P-256");
	X509 *other = pki_ca("Other CA", key), *cert;

	publishes(b, other, &published);
	assert_int_equal(sk_X509_num(published.certs), 2);
	assert_int_equal(published.number, PKI_NOW / 60 + 1);
	b->s.anchors = &published;
	client_new(b, &c, "newcomer", "P-256", "unit");
	c.no_anchor = 1;
	cert = enrolled(&c);
	assert_int_equal(c.reply.anchors_number, PKI_NOW / 60 + 1);
	assert_int_equal(sk_X509_num(c.reply.anchors), 2);
	assert_int_equal(
	    X509_cmp(sk_X509_value(c.reply.anchors, 0), b->ca.cert), 0);
	assert_int_equal(X509_cmp(sk_X509_value(c.reply.anchors, 1), other), 0);
	/* A challenge and "pending" have to be believed, too: here the poll
	 * is by somebody who has anchors now, and brings no secret. */
	b->cnf.manual = 1;
	client_clear(&c);
	client_new(b, &c, "patient", "P-256", "unit");
	c.no_anchor = 1;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	must(&b->e, enrol(&c, &s));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	assert_int_equal(sk_X509_num(c.reply.anchors), 2);
	c.no_anchor = 0;
	next_nonce(&c);
	ask.thread = &c.thread;
	ask.pend_token = c.reply.pend_token;
	ask.signer = &s;
	must(&b->e, say(&c, &ask));
	assert_int_equal(c.reply.outcome, BURIN_CMC_WAIT);
	assert_int_equal(sk_X509_num(c.reply.anchors), 2);
	b->cnf.manual = 0;
	/* A refusal brings none. */
	client_clear(&c);
	client_new(b, &c, "unlucky", "P-384", "ra");
	c.no_anchor = 1;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	assert_int_equal(enrol(&c, &s), -1);
	assert_string_equal(b->e.code, "cmc-badAlg");
	client_clear(&c);
	/* The same set again has the number it had. */
	anchors_clear(&published);
	publishes(b, NULL, &published);
	assert_int_equal(published.number, PKI_NOW / 60 + 1);
	anchors_clear(&published);
	write_file(b->dir, "anchors.pem", "no certificate\n");
	assert_int_equal(anchors_open(b->dir, b->s.store, b->ca.cert, PKI_NOW,
			     &published, &b->e),
	    -1);
	assert_string_equal(b->e.code, "anchors-malformed");
	anchors_clear(&published);
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(key);
}

/* now: when the authority starts. */
static int
opens_anchors(struct bench *b, time_t now, struct anchors *out)
{
	burin_error_clear(&b->e);
	anchors_clear(out);
	return anchors_open(b->dir, b->s.store, b->ca.cert, now, out, &b->e);
}

static void
publishes_nothing_but_anchors(void **state)
{
	struct bench *b = *state;
	struct anchors published = { NULL, 0 };
	char path[128];
	EVP_PKEY *key = pki_key("P-256");
	X509 *other = pki_ca("Other CA", key);
	long long number;
	FILE *f;

	publishes(b, other, &published);
	assert_int_equal(sk_X509_num(published.certs), 2);
	number = published.number;
	/* One that is over: the set is another one. */
	assert_int_equal(
	    opens_anchors(b, PKI_NOW + 101 * PKI_DAY, &published), 0);
	assert_int_equal(sk_X509_num(published.certs), 1);
	assert_int_equal(
	    X509_cmp(sk_X509_value(published.certs, 0), b->ca.cert), 0);
	assert_true(published.number > number);
	/* The key of the next CA lies with its certificate. */
	(void)snprintf(path, sizeof(path), "%s/anchors.pem", b->dir);
	assert_non_null(f = fopen(path, "ae"));
	assert_int_equal(
	    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(opens_anchors(b, PKI_NOW, &published), -1);
	assert_string_equal(b->e.code, "anchors-malformed");
	anchors_clear(&published);
	X509_free(other);
	EVP_PKEY_free(key);
}

/* Somebody between who knows no secret publishes an anchor of his own. */
static void
forged_anchors_are_not_believed(void **state)
{
	struct bench *b = *state;
	struct anchors published, forged = { 0 };
	struct burin_cms_signer s;
	struct client c;
	EVP_PKEY *key = pki_key("P-256");
	X509 *liar = pki_ca("Unit CA", key), *cert = b->s.cert;
	EVP_PKEY *own = b->s.key;

	client_new(b, &c, "newcomer", "P-256", "unit");
	c.no_anchor = 1;
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	s = by_key(&c);
	publishes(b, NULL, &published);
	b->s.anchors = &published;
	must(&b->e, enrol(&c, &s));
	/* The right list, and the answer signed by another of that name. */
	b->s.cert = liar;
	b->s.key = key;
	turn(&c);
	assert_int_equal(hears(&c, 0), -1);
	assert_string_equal(b->e.code, "cmc-signer");
	/* His own list, and a secret of his own. */
	assert_non_null(forged.certs = sk_X509_new_null());
	assert_true(sk_X509_push(forged.certs, liar) > 0);
	forged.number = published.number + 1;
	b->s.anchors = &forged;
	turn(&c);
	must(&b->e, hears(&c, 0));
	c.id.secret = NULL;
	burin_secret_free(&c.secret);
	must(&b->e, burin_secret_new(&c.secret, "another", 7, &b->e));
	c.id.secret = c.secret;
	assert_int_equal(hears(&c, 0), -1);
	assert_string_equal(b->e.code, "mac-wrong");
	b->s.cert = cert;
	b->s.key = own;
	sk_X509_free(forged.certs);
	anchors_clear(&published);
	client_clear(&c);
	X509_free(liar);
	EVP_PKEY_free(key);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(enrols_in_every_form),
		EACH(enrols_with_a_mac),
		EACH(enrols_encrypted),
		EACH(challenges_keys_that_cannot_sign),
		EACH(refuses_a_challenge_twice_or_wrong),
		EACH(refuses_a_wrong_secret),
		EACH(refuses_nobody),
		EACH(answers_the_same_again),
		EACH(waits_for_the_operator),
		EACH(a_poll_is_by_its_own),
		EACH(wants_acceptance),
		EACH(renews_and_revokes),
		EACH(gives_certificates_and_lists),
		EACH(gives_back_what_it_got),
		EACH(writes_down_what_it_is_told),
		EACH(publishes_anchors),
		EACH(publishes_nothing_but_anchors),
		EACH(forged_anchors_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
