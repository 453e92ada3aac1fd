/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC between an RA and the authority, both ours, with software keys: what an
 * RA passes on, what it states, and who is none.
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
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "cmc_bench.h"
#include "cmc_responder.h"

#define BATCH 20

static void
serves_an_ra(void **state)
{
	char unit[] = "unit";
	struct bench *b = *state;
	struct burin_cmc_vouch vouches[BATCH] = { 0 };
	struct burin_cmc_bytes list[BATCH];
	struct client c[BATCH];
	char names[BATCH][16];
	struct relay ra;
	size_t i;

	relay_new(b, &ra, "ra");
	for (i = 0; i < BATCH; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "far%zu", i);
		client_new(b, &c[i], names[i], "P-256", "unit");
		/* A secret that the CA does not have. */
		burin_secret_free(&c[i].secret);
		must(&b->e,
		    burin_secret_new(&c[i].secret, "station's own", 13, &b->e));
		c[i].id.secret = c[i].secret;
		make_requests(&c[i], i % 2 ? BURIN_CMC_CRMF : BURIN_CMC_PKCS10,
		    BURIN_POP_SIGNATURE, &c[i].id);
		stranger(&c[i], BURIN_CMS_BY_KEY);
		list[i].der = c[i].sent;
		list[i].len = c[i].sent_len;
		/* All but the last: the RA knows who they are. */
		vouches[i].kind = BURIN_CMC_STATES_IDENTITY;
		vouches[i].path.ids[0] = (uint32_t)(i + 1);
		vouches[i].path.n = 1;
	}
	b->cnf.profile = unit;
	must(&b->e, pass_on(&ra, list, BATCH, vouches, BATCH - 1));
	for (i = 0; i < BATCH - 1; i++) {
		must(&b->e, unpack(&ra, i + 1, &c[i]));
		assert_int_equal(c[i].reply.outcome, BURIN_CMC_DONE);
		(void)got(&c[i]);
	}
	assert_int_equal(unpack(&ra, BATCH, &c[BATCH - 1]), -1);
	refused(&c[BATCH - 1], "cmc-badIdentity");
	assert_int_equal(lines_of(b, "issued"), BATCH); /* and the RA's */
	for (i = 0; i < BATCH; i++)
		client_clear(&c[i]);
	relay_clear(&ra);
	b->cnf.profile = NULL;
}

/* lraPOPWitness for raVerified, and modCertTemplate: sections 6.8 and 6.5. */
static void
does_what_an_ra_states(void **state)
{
	static const uint32_t ids[] = { 1 };
	X509_NAME *name = name_of("as the station has it");
	struct burin_cmc_vouch v[] = {
		{ .kind = BURIN_CMC_STATES_IDENTITY, .path = { { 1 }, 1 } },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 1,
		    .subject = name },
		{ .kind = BURIN_CMC_STATES_POP,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 1 },
	};
	struct bench *b = *state;
	struct burin_cmc_bytes m;
	char unit[] = "unit";
	struct client c;
	struct relay ra;

	relay_new(b, &ra, "ra");
	b->cnf.profile = unit;
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_BY_RA, &c.id);
	stranger(&c, BURIN_CMS_UNSIGNED);
	m.der = c.sent;
	m.len = c.sent_len;
	/* Without its word for the proof there is none. */
	must(&b->e, pass_on(&ra, &m, 1, v, 2));
	assert_int_equal(unpack(&ra, 1, &c), -1);
	refused(&c, "cmc-popFailed");
	must(&b->e, burin_cmc_begin(&ra.c.thread, &b->e));
	must(&b->e, pass_on(&ra, &m, 1, v, 3));
	must(&b->e, unpack(&ra, 1, &c));
	assert_int_equal(
	    X509_NAME_cmp(X509_get_subject_name(got(&c)), name), 0);
	X509_NAME_free(name);
	client_clear(&c);
	relay_clear(&ra);
	b->cnf.profile = NULL;
}

/* --- what our own RA does not say ---------------------------------------- */

/* PKIData of what is said, with these requests. Ends s. */
static unsigned char *
data_of(struct said *s, const unsigned char *reqs, size_t reqs_len, size_t *len)
{
	unsigned char *der = said_data(s, len), *out = NULL;
	const unsigned char *p = der;
	CMC_PKI_DATA *data = d2i_CMC_PKI_DATA(NULL, &p, (long)*len);
	int n;

	assert_non_null(data);
	if (reqs != NULL)
		assert_int_equal(
		    ASN1_STRING_set(data->reqs, reqs, (int)reqs_len), 1);
	assert_true((n = i2d_CMC_PKI_DATA(data, &out)) > 0);
	*len = (size_t)n;
	CMC_PKI_DATA_free(data);
	OPENSSL_free(der);
	said_free(s);
	return out;
}

static void
say_thread(struct said *s, const struct burin_cmc_thread *t)
{
	(void)said_integer(
	    s, CMC_TRANSACTION_ID, t->transaction.data, t->transaction.len);
	(void)said_octets(s, CMC_SENDER_NONCE, t->sent.data, t->sent.len);
}

/* The message in c->sent, signed, of what s says. */
static void
sign_said(struct client *c, struct said *s, const unsigned char *reqs,
    size_t reqs_len, const struct burin_cms_signer *signer)
{
	unsigned char *der;
	size_t len;

	der = data_of(s, reqs, reqs_len, &len);
	OPENSSL_free(c->sent);
	must(&c->b->e,
	    burin_cms_sign(signer, BURIN_CMC_PKI_DATA, der, len, &c->sent,
		&c->sent_len, &c->b->e));
	OPENSSL_free(der);
}

/* A batch of one message, whose sender the RA knows; the rest is to be said. */
static void
batch_of(struct relay *ra, struct said *s, const struct client *c)
{
	static const uint32_t one[] = { 1 };

	must(&c->b->e, burin_cmc_begin(&ra->c.thread, &c->b->e));
	said_begin(s);
	s->next = 1;
	assert_int_equal(said_message(s, c->sent, c->sent_len), 1);
	say_thread(s, &ra->c.thread);
	(void)said_ids(s, CMC_BATCH_REQUESTS, one, 1);
	(void)said_ids(s, CMC_RA_IDENTITY_WITNESS, one, 1);
}

static void
pass_on_said(struct relay *ra, struct said *s)
{
	sign_said(&ra->c, s, NULL, 0, &ra->signer);
	turn(&ra->c);
	must(&ra->c.b->e, hears(&ra->c, 1));
}

/* Section 6.5.2: deprecated, so that only others say it. */
static void
adds_extensions_of_an_ra(void **state)
{
	struct bench *b = *state;
	CMC_ADD_EXTENSIONS *add = CMC_ADD_EXTENSIONS_new();
	X509_EXTENSION *san;
	ASN1_INTEGER *request = ASN1_INTEGER_new();
	char unit[] = "unit";
	struct client c;
	struct said s;
	struct relay ra;

	san = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:added.example");
	assert_non_null(san);
	assert_true(sk_X509_EXTENSION_push(add->extensions, san) > 0);
	assert_int_equal(ASN1_INTEGER_set(request, 1), 1);
	assert_true(sk_ASN1_INTEGER_push(add->certReferences, request) > 0);
	assert_int_equal(ASN1_INTEGER_set(add->pkiDataReference, 1), 1);
	relay_new(b, &ra, "ra");
	b->cnf.profile = unit;
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	stranger(&c, BURIN_CMS_BY_KEY);
	batch_of(&ra, &s, &c);
	(void)said_value(&s, CMC_ADD_EXTENSION, add);
	pass_on_said(&ra, &s);
	must(&b->e, unpack(&ra, 1, &c));
	assert_int_equal(
	    X509_check_host(got(&c), "added.example", 0, 0, NULL), 1);
	CMC_ADD_EXTENSIONS_free(add);
	client_clear(&c);
	relay_clear(&ra);
	b->cnf.profile = NULL;
}

/* Section 6.19: a control that only the RA knows. */
static void
leaves_alone_what_an_ra_did(void **state)
{
	struct bench *b = *state;
	CMC_PROCESSED *list = CMC_PROCESSED_new();
	CMC_REF *ref = CMC_REF_new();
	ASN1_TYPE null = { .type = V_ASN1_NULL };
	ASN1_INTEGER *step[2] = { ASN1_INTEGER_new(), ASN1_INTEGER_new() };
	char unit[] = "unit";
	struct burin_cms_signer signer;
	struct client c;
	struct said s;
	uint32_t id;
	struct relay ra;

	relay_new(b, &ra, "ra");
	b->cnf.profile = unit;
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, NULL);
	said_begin(&s);
	s.next = 2; /* 1 is the request */
	say_thread(&s, &c.thread);
	id = said_any(&s, "1.2.3.4", &null);
	signer = by_key(&c);
	sign_said(&c, &s, c.reqs, c.reqs_len, &signer);
	batch_of(&ra, &s, &c);
	pass_on_said(&ra, &s);
	assert_int_equal(unpack(&ra, 1, &c), -1);
	refused(&c, "cmc-badRequest");
	ref->type = CMC_REF_PATH;
	assert_non_null(ref->d.path = sk_ASN1_INTEGER_new_null());
	assert_int_equal(ASN1_INTEGER_set(step[0], 1), 1);
	assert_int_equal(ASN1_INTEGER_set(step[1], (long)id), 1);
	assert_true(sk_ASN1_INTEGER_push(ref->d.path, step[0]) > 0);
	assert_true(sk_ASN1_INTEGER_push(ref->d.path, step[1]) > 0);
	assert_true(sk_CMC_REF_push(list->bodyList, ref) > 0);
	batch_of(&ra, &s, &c);
	(void)said_value(&s, CMC_CONTROL_PROCESSED, list);
	pass_on_said(&ra, &s);
	must(&b->e, unpack(&ra, 1, &c));
	(void)got(&c);
	CMC_PROCESSED_free(list);
	client_clear(&c);
	relay_clear(&ra);
	b->cnf.profile = NULL;
}

static void
believes_only_an_ra(void **state)
{
	struct bench *b = *state;
	struct burin_cmc_vouch v = { .kind = BURIN_CMC_STATES_IDENTITY,
		.path = { { 1 }, 1 } };
	struct burin_cmc_bytes m;
	struct client c;
	struct relay ra;

	relay_new(b, &ra, "unit"); /* no id-kp-cmcRA */
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	c.id.identification = "unknown";
	stranger(&c, BURIN_CMS_BY_KEY);
	m.der = c.sent;
	m.len = c.sent_len;
	assert_int_equal(pass_on(&ra, &m, 1, &v, 1), -1);
	refused(&ra.c, "cmc-badIdentity");
	assert_int_equal(lines_of(b, "issued"), 1); /* the station's */
	client_clear(&c);
	relay_clear(&ra);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(serves_an_ra),
		EACH(does_what_an_ra_states),
		EACH(adds_extensions_of_an_ra),
		EACH(leaves_alone_what_an_ra_did),
		EACH(believes_only_an_ra),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
