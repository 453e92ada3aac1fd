/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an RA sends on, and the answers it gets for that: layers made and taken
 * apart again, batches of 100, partial answers, and whose answer is whose.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/cmc_server.h>

#include "csr/cmc/parse.h"
#include "csr/cmc/unsigned.h"
#include "csr/cms/internal.h"
#include "csr/cms/unsigned.h"

#include "cmc_reading.h"

#define MANY 100
#define MAX 128

struct der {
	unsigned char *data;
	size_t len;
};

/* One client: its message, its conversation, the answer of the CA. */
struct client {
	struct burin_cmc_thread thread;
	struct der message, answer;
	EVP_PKEY *key;
};

static EVP_PKEY *cmc_key, *keys[2];
static X509 *cmc_cert, *certs[2];
static struct client clients[MAX];
static struct burin_cmc_bytes messages[MAX], answers[MAX];
static struct burin_cms_signer by_ra, by_ca_key;
static struct burin_cmc_thread ra_thread;
static struct burin_cmc_layer layer;
static struct der made;
static struct cmc_opened opened;

/* --- clients -------------------------------------------------------------- */

static struct der
simple_request(EVP_PKEY *key)
{
	struct burin_subject *s = NULL;
	struct der d;

	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=Alice", &e));
	must(burin_pkcs10_make(s, key, key, NULL, &d.data, &d.len, &e));
	burin_subject_free(&s);
	return d;
}

/* A Full request; without a thread nothing in it tells its answer. */
static void
ask(struct client *c, EVP_PKEY *key, int threaded)
{
	struct burin_cmc_request one = { .form = BURIN_CMC_PKCS10, .pub = key };
	struct burin_cms_signer signer = {
		.by = BURIN_CMS_BY_KEY, .key = key, .pub = key, .key_id_len = 20
	};
	struct burin_cmc_ask a = { .signer = &signer };
	struct burin_subject *s = NULL;
	unsigned char id[20], *reqs_der;

	must(burin_cmc_begin(&c->thread, &e));
	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=Alice", &e));
	one.subject = s;
	one.how.key = key;
	one.how.agree = -1;
	must(burin_cmc_requests_make(
	    &one, 1, NULL, NULL, &reqs_der, &a.requests_len, &e));
	a.requests = reqs_der;
	a.thread = threaded ? &c->thread : NULL;
	key_id_of(key, id);
	signer.key_id = id;
	must(burin_cmc_make(&a, &c->message.data, &c->message.len, &e));
	OPENSSL_free(reqs_der);
	burin_subject_free(&s);
	c->key = key;
}

/* Of the CA to one of them; issued NULL: refused. */
static void
answer_one(struct client *c, int threaded, X509 *issued)
{
	static const struct burin_cmc_path first = { { 1 }, 1 };
	struct burin_cmc_state_of state = {
		.status = issued != NULL ? BURIN_CMC_SUCCESS : BURIN_CMC_FAILED,
		.fail = BURIN_CMC_BAD_IDENTITY,
		.parts = &first,
		.n = 1
	};
	struct burin_cmc_heard to = { 0 };
	struct burin_cms_signer signer = by_ca_key;
	struct burin_cmc_answer a = { .to = &to,
		.nonce = (const unsigned char *)"of the CA",
		.nonce_len = 9,
		.states = &state,
		.n_states = 1,
		.signer = &signer };

	if (threaded) {
		to.transaction = c->thread.transaction;
		to.sender_nonce = c->thread.sent;
	}
	signer.certs = sk_X509_new_null();
	if (issued != NULL)
		assert_true(sk_X509_push(signer.certs, issued) > 0);
	must(burin_cmc_answer_make(&a, &c->answer.data, &c->answer.len, &e));
	sk_X509_free(signer.certs);
}

/* Certificates and nothing else. */
static void
answer_simply(struct client *c, X509 *issued)
{
	struct burin_cms_signer nobody = { .by = BURIN_CMS_BY_NOBODY };

	nobody.certs = sk_X509_new_null();
	assert_true(sk_X509_push(nobody.certs, issued) > 0);
	must(burin_cms_sign(&nobody, "1.2.840.113549.1.7.1", NULL, 0,
	    &c->answer.data, &c->answer.len, &e));
	sk_X509_free(nobody.certs);
}

static void
forget(struct client *c)
{
	OPENSSL_free(c->message.data);
	OPENSSL_free(c->answer.data);
	memset(c, 0, sizeof(*c));
}

/* --- the layer ------------------------------------------------------------ */

static void
set_messages(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		messages[i] =
		    (struct burin_cmc_bytes) { clients[i].message.data,
			    clients[i].message.len };
	layer.messages = messages;
	layer.n_messages = n;
	layer.batch = n > 0;
}

/* Made, taken apart, and expected to be answered. */
static void
send_layer(void)
{
	OPENSSL_free(made.data);
	cmc_opened_clear(&opened);
	must(burin_cmc_layer_make(&layer, &made.data, &made.len, &e));
	assert_int_equal(ERR_peek_error(), 0);
	must(cmc_message_open(
	    made.data, made.len, 0, BURIN_ECHECK, &opened, &e));
	must(burin_cms_verify(opened.cms, 0, ra_key, 0, &e));
	x.request = x.layer = made.data;
	x.request_len = x.layer_len = made.len;
	x.thread = &ra_thread;
}

static void
not_sent(const char *code, const char *rule)
{
	unsigned char *der = (unsigned char *)1;
	size_t len = 1;

	burin_error_clear(&e);
	assert_int_equal(burin_cmc_layer_make(&layer, &der, &len, &e), -1);
	print_message("  %s: %s [%s] %s\n", e.code, e.reason, e.rule, e.cause);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, code);
	assert_string_equal(e.rule, rule);
	assert_null(der);
	assert_int_equal(len, 0);
	burin_error_clear(&e);
}

/* The answer of the CA to the layer, in this order, with these numbers. */
static void
reply_with(const struct burin_cmc_state_of *states, size_t n_states,
    const size_t *order, size_t n, const uint32_t *ids)
{
	struct burin_cmc_heard to = { .transaction = ra_thread.transaction,
		.sender_nonce = ra_thread.sent };
	struct burin_cms_signer signer = by_ca_key;
	struct burin_cmc_answer a = { .to = &to,
		.nonce = (const unsigned char *)"of the CA",
		.nonce_len = 9,
		.states = states,
		.n_states = n_states,
		.inside = answers,
		.n_inside = n,
		.inside_ids = ids,
		.batch = n > 0,
		.signer = &signer };
	unsigned char *der;
	size_t i, len;

	for (i = 0; i < n; i++)
		answers[i] =
		    (struct burin_cmc_bytes) { clients[order[i]].answer.data,
			    clients[order[i]].answer.len };
	signer.certs = sk_X509_new_null();
	assert_true(sk_X509_push(signer.certs, certs[0]) > 0);
	must(burin_cmc_answer_make(&a, &der, &len, &e));
	sk_X509_free(signer.certs);
	set_answer(der, len);
}

/* Message number i has the answer for client c, octet by octet. */
static void
answer_is(size_t i, size_t c)
{
	const unsigned char *der;
	size_t len;

	assert_int_equal(burin_cmc_reply_inside(&reply, i, &der, &len), 0);
	assert_int_equal(len, clients[c].answer.len);
	assert_memory_equal(der, clients[c].answer.data, len);
}

static void
no_answer(size_t i)
{
	const unsigned char *der = (const unsigned char *)"";
	size_t len = 1;

	assert_int_equal(burin_cmc_reply_inside(&reply, i, &der, &len), -1);
	assert_null(der);
	assert_int_equal(len, 0);
}

static const struct burin_cmc_state_of all_done = { .status =
							BURIN_CMC_SUCCESS };

/* --- what is in it -------------------------------------------------------- */

static void
ids_are(const STACK_OF(ASN1_INTEGER) * list, const uint32_t *ids, int n)
{
	int i;

	assert_int_equal(sk_ASN1_INTEGER_num(list), n);
	for (i = 0; i < n; i++)
		assert_int_equal(
		    ASN1_INTEGER_get(sk_ASN1_INTEGER_value(list, i)), ids[i]);
}

static void
test_contents(void **state)
{
	struct der simple = simple_request(keys[0]);
	struct burin_cmc_bytes one = { simple.data, simple.len };
	const struct cmc_body *b;
	const CMC_REQ *req;
	unsigned char *again;
	size_t i, len;

	(void)state;
	ask(&clients[0], keys[0], 1);
	ask(&clients[1], keys[1], 0);
	set_messages(2);
	layer.simple = &one;
	layer.n_simple = 1;
	send_layer();
	/* Each as it came, with the numbers that were said. */
	b = opened.body;
	assert_int_equal(b->n_messages, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(b->messages[i].id, i + 1);
		assert_int_equal(b->messages[i].len, messages[i].len);
		assert_memory_equal(
		    b->messages[i].der, messages[i].der, messages[i].len);
	}
	assert_int_equal(b->n_requests, 1);
	assert_int_equal(b->requests[0].id, 3);
	req = b->requests[0].req;
	assert_int_equal(req->type, CMC_REQ_TCR);
	assert_int_equal(ASN1_STRING_length(
			     req->d.tcr->certificationRequest->value.sequence),
	    simple.len);
	assert_memory_equal(
	    ASN1_STRING_get0_data(
		req->d.tcr->certificationRequest->value.sequence),
	    simple.data, simple.len);
	ids_are(cmc_body_value(b, CMC_BATCH_REQUESTS),
	    (const uint32_t[]) { 1, 2 }, 2);
	assert_int_equal(b->n_controls, 3);
	/* The same again, as far as a signature is not random. */
	by_ra.key = by_ra.pub = keys[0];
	by_ra.cert = certs[0];
	OPENSSL_free(made.data);
	must(burin_cmc_layer_make(&layer, &made.data, &made.len, &e));
	must(burin_cmc_layer_make(&layer, &again, &len, &e));
	assert_int_equal(len, made.len);
	assert_memory_equal(again, made.data, len);
	OPENSSL_free(again);
	OPENSSL_free(simple.data);
}

static void
test_vouches(void **state)
{
	static const uint32_t ids[] = { 1, 2 };
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth");
	struct der simple = simple_request(keys[0]);
	struct burin_cmc_bytes one = { simple.data, simple.len };
	struct burin_cmc_vouch v[] = {
		{ .kind = BURIN_CMC_STATES_POP,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 2 },
		{ .kind = BURIN_CMC_STATES_PROCESSED, .path = { { 1, 9 }, 2 } },
		{ .kind = BURIN_CMC_STATES_IDENTITY, .path = { { 1, 4 }, 2 } },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 1,
		    .subject = X509_get_subject_name(ca) },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .ids = (const uint32_t[]) { 2 },
		    .n_ids = 1,
		    .remove = 1 },
		{ .kind = BURIN_CMC_STATES_POP,
		    .ids = (const uint32_t[]) { 2 },
		    .n_ids = 1 },
		{ .kind = BURIN_CMC_STATES_PROCESSED,
		    .path = { { 1, 2, 3 }, 3 } },
		{ .kind = BURIN_CMC_STATES_IDENTITY, .path = { { 2 }, 1 } },
	};
	const CMC_POP_WITNESS *pop;
	const CMC_MOD_TEMPLATE *mod;
	const CMC_PROCESSED *done_list;
	CRMF_TEMPLATE *t;
	const unsigned char *p;
	size_t at = 0;

	(void)state;
	assert_non_null(X509v3_add_ext(&exts, ext, -1));
	v[4].extensions = exts;
	ask(&clients[0], keys[0], 1);
	set_messages(1);
	layer.simple = &one;
	layer.n_simple = 1;
	layer.vouches = v;
	layer.n_vouches = sizeof(v) / sizeof(v[0]);
	send_layer();
	pop = cmc_body_next(opened.body, CMC_LRA_POP_WITNESS, &at)->value;
	assert_int_equal(ASN1_INTEGER_get(pop->pkiDataBodyid), 1);
	ids_are(pop->bodyIds, ids, 2);
	pop = cmc_body_next(opened.body, CMC_LRA_POP_WITNESS, &at)->value;
	assert_int_equal(ASN1_INTEGER_get(pop->pkiDataBodyid), 0);
	ids_are(pop->bodyIds, &ids[1], 1);
	at = 0;
	ids_are(cmc_body_next(opened.body, CMC_RA_IDENTITY_WITNESS, &at)->value,
	    (const uint32_t[]) { 1, 4 }, 2);
	ids_are(cmc_body_next(opened.body, CMC_RA_IDENTITY_WITNESS, &at)->value,
	    &ids[1], 1);
	at = 0;
	mod = cmc_body_next(opened.body, CMC_MOD_CERT_TEMPLATE, &at)->value;
	assert_int_equal(mod->replace != 0, 1);
	ids_are(mod->pkiDataReference, ids, 1);
	ids_are(mod->certReferences, ids, 1);
	p = ASN1_STRING_get0_data(mod->certTemplate);
	t = d2i_CRMF_TEMPLATE(NULL, &p, ASN1_STRING_length(mod->certTemplate));
	assert_non_null(t);
	assert_int_equal(X509_NAME_cmp(t->subject, v[3].subject), 0);
	assert_null(t->extensions);
	assert_null(t->publicKey);
	CRMF_TEMPLATE_free(t);
	mod = cmc_body_next(opened.body, CMC_MOD_CERT_TEMPLATE, &at)->value;
	assert_int_equal(mod->replace, 0);
	ids_are(mod->pkiDataReference, (const uint32_t[]) { 0 }, 1);
	p = ASN1_STRING_get0_data(mod->certTemplate);
	t = d2i_CRMF_TEMPLATE(NULL, &p, ASN1_STRING_length(mod->certTemplate));
	assert_non_null(t);
	assert_null(t->subject);
	assert_int_equal(sk_X509_EXTENSION_num(t->extensions), 1);
	CRMF_TEMPLATE_free(t);
	done_list = cmc_body_value(opened.body, CMC_CONTROL_PROCESSED);
	assert_int_equal(sk_CMC_REF_num(done_list->bodyList), 2);
	ids_are(sk_CMC_REF_value(done_list->bodyList, 0)->d.path,
	    (const uint32_t[]) { 1, 9 }, 2);
	ids_are(sk_CMC_REF_value(done_list->bodyList, 1)->d.path,
	    (const uint32_t[]) { 1, 2, 3 }, 3);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_EXTENSION_free(ext);
	OPENSSL_free(simple.data);
}

/* --- unsigned data -------------------------------------------------------- */

/* The DER of one value, about a path. */
static ASN1_TYPE *
unsigned_value(const uint32_t *path, size_t n, const char *word)
{
	CMC_UNSIGNED_DATA *u = CMC_UNSIGNED_DATA_new();
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_TYPE *any;
	size_t i;

	assert_int_equal(ASN1_OCTET_STRING_set(octets,
			     (const unsigned char *)word, (int)strlen(word)),
	    1);
	ASN1_TYPE_set(u->content, V_ASN1_OCTET_STRING, octets);
	ASN1_OBJECT_free(u->identifier);
	u->identifier = OBJ_txt2obj("1.2.3.4", 1);
	for (i = 0; i < n; i++) {
		ASN1_INTEGER *id = ASN1_INTEGER_new();

		assert_int_equal(ASN1_INTEGER_set(id, (long)path[i]), 1);
		assert_true(sk_ASN1_INTEGER_push(u->path, id) > 0);
	}
	any =
	    ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(CMC_UNSIGNED_DATA), u, NULL);
	assert_non_null(any);
	CMC_UNSIGNED_DATA_free(u);
	return any;
}

/* Into a message; it takes value over. */
static void
put_unsigned(struct der *message, ASN1_TYPE *value, int times)
{
	STACK_OF(ASN1_TYPE) *values = sk_ASN1_TYPE_new_null();
	struct der with;
	int i;

	for (i = 0; i < times; i++)
		assert_true(sk_ASN1_TYPE_push(values, value) > 0);
	must(csr_unsigned_put(message->data, message->len,
	    CMC_OID_UNSIGNED_DATA, values, &with.data, &with.len, &e));
	sk_ASN1_TYPE_free(values);
	ASN1_TYPE_free(value);
	OPENSSL_free(message->data);
	*message = with;
}

/* The attribute twice in one signer, as no maker of ours has it. */
static void
double_unsigned(struct der *message)
{
	STACK_OF(X509_ATTRIBUTE) * all;
	struct burin_cms *cms;
	X509_ATTRIBUTE *copy;

	must(burin_cms_parse(
	    message->data, message->len, BURIN_ECHECK, &cms, &e));
	all = sk_CSR_SIGNER_value(cms->sd->signers, 0)->unsigned_attrs;
	copy = X509_ATTRIBUTE_dup(sk_X509_ATTRIBUTE_value(all, 0));
	assert_true(sk_X509_ATTRIBUTE_push(all, copy) > 0);
	OPENSSL_free(message->data);
	must(csr_content_encode(OID_SIGNED, ASN1_ITEM_rptr(CSR_SIGNED), cms->sd,
	    &message->data, &message->len, &e));
	burin_cms_free(&cms);
}

static int
is_same_type(const ASN1_TYPE *a, const ASN1_TYPE *b)
{
	const ASN1_STRING *p = a->value.sequence, *q = b->value.sequence;

	return a->type == b->type && p->length == q->length &&
	    memcmp(p->data, q->data, (size_t)p->length) == 0;
}

/* What lies there; none: n 0. */
static void
unsigned_are(
    const unsigned char *der, size_t len, ASN1_TYPE *const *want, int n)
{
	STACK_OF(ASN1_TYPE) * values;
	unsigned char *bare;
	size_t bare_len;
	int i, k, found;

	must(csr_unsigned_take(der, len, CMC_OID_UNSIGNED_DATA, BURIN_ECHECK,
	    &values, &bare, &bare_len, &e));
	if (n == 0) {
		assert_null(values);
		assert_null(bare);
		return;
	}
	assert_int_equal(sk_ASN1_TYPE_num(values), n);
	/* In a SET they stand in the order of their encoding. */
	for (i = 0; i < n; i++) {
		for (k = 0, found = 0; k < n; k++)
			found += is_same_type(
			    want[i], sk_ASN1_TYPE_value(values, k));
		assert_int_equal(found, 1);
	}
	sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
	OPENSSL_free(bare);
}

static void
test_unsigned(void **state)
{
	struct burin_cms *inner;
	ASN1_TYPE *want[2];
	struct der mac;
	size_t len;
	const unsigned char *content;

	(void)state;
	ask(&clients[0], keys[0], 1);
	ask(&clients[1], keys[1], 1);
	put_unsigned(&clients[0].message,
	    unsigned_value((const uint32_t[]) { 5 }, 1, "a"), 1);
	/* The second is authenticated with a secret, not signed. */
	must(burin_cms_parse(clients[1].message.data, clients[1].message.len,
	    BURIN_ECHECK, &inner, &e));
	content = burin_cms_content(inner, &len);
	must(burin_cms_authenticate("alice", secret, 0, 1000, CMC_OID_PKI_DATA,
	    content, len, &mac.data, &mac.len, &e));
	burin_cms_free(&inner);
	OPENSSL_free(clients[1].message.data);
	clients[1].message = mac;
	put_unsigned(&clients[1].message,
	    unsigned_value((const uint32_t[]) { 7, 5 }, 2, "b"), 1);
	set_messages(2);
	send_layer();
	/* Ours has both, a step further out. */
	want[0] = unsigned_value((const uint32_t[]) { 1, 5 }, 2, "a");
	want[1] = unsigned_value((const uint32_t[]) { 2, 7, 5 }, 3, "b");
	unsigned_are(made.data, made.len, want, 2);
	ASN1_TYPE_free(want[0]);
	ASN1_TYPE_free(want[1]);
	/* Theirs are gone, and nothing that is signed has changed. */
	unsigned_are(opened.body->messages[0].der, opened.body->messages[0].len,
	    NULL, 0);
	unsigned_are(opened.body->messages[1].der, opened.body->messages[1].len,
	    NULL, 0);
	must(burin_cms_parse(opened.body->messages[0].der,
	    opened.body->messages[0].len, BURIN_ECHECK, &inner, &e));
	must(burin_cms_verify(inner, 0, keys[0], 0, &e));
	burin_cms_free(&inner);
	must(burin_cms_parse(opened.body->messages[1].der,
	    opened.body->messages[1].len, BURIN_ECHECK, &inner, &e));
	must(burin_cms_verify_mac(inner, "alice", secret, 0, &e));
	burin_cms_free(&inner);
	/* Another RA around it lifts them again. */
	OPENSSL_free(clients[0].message.data);
	clients[0].message = made;
	made.data = NULL;
	set_messages(1);
	send_layer();
	want[0] = unsigned_value((const uint32_t[]) { 1, 1, 5 }, 3, "a");
	want[1] = unsigned_value((const uint32_t[]) { 1, 2, 7, 5 }, 4, "b");
	unsigned_are(made.data, made.len, want, 2);
	ASN1_TYPE_free(want[0]);
	ASN1_TYPE_free(want[1]);
}

static void
bad_unsigned(ASN1_TYPE *value, int times, const char *code, const char *rule)
{
	forget(&clients[0]);
	ask(&clients[0], keys[0], 1);
	put_unsigned(&clients[0].message, value, times);
	set_messages(1);
	not_sent(code, rule);
}

static void
test_bad_unsigned(void **state)
{
	static const uint32_t deep[] = { 1, 2, 3, 4, 5 };
	ASN1_TYPE *any = ASN1_TYPE_new(), *null = ASN1_TYPE_new();
	ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

	(void)state;
	bad_unsigned(unsigned_value(deep, 5, "a"), 1, "unsigned-data",
	    "RFC 10002 section 3.2.3");
	bad_unsigned(unsigned_value(deep, 0, "a"), 1, "unsigned-data",
	    "RFC 10002 section 3.2.3");
	bad_unsigned(unsigned_value(deep, 1, "a"), BURIN_CMC_MAX_UNSIGNED + 1,
	    "unsigned-data", "RFC 10002 section 3.2.3");
	assert_int_equal(ASN1_STRING_set(s, "\x30\0", 2), 1);
	ASN1_TYPE_set(any, V_ASN1_SEQUENCE, s);
	bad_unsigned(any, 1, "unsigned-data", "RFC 10002 section 3.2.3");
	s = ASN1_STRING_type_new(V_ASN1_OCTET_STRING);
	assert_int_equal(ASN1_STRING_set(s, "a", 1), 1);
	ASN1_TYPE_set(null, V_ASN1_OCTET_STRING, s);
	bad_unsigned(null, 1, "message-malformed", "RFC 5652 section 11");
	/* Twice the same attribute. */
	forget(&clients[0]);
	ask(&clients[0], keys[0], 1);
	put_unsigned(&clients[0].message, unsigned_value(deep, 1, "a"), 1);
	double_unsigned(&clients[0].message);
	set_messages(1);
	not_sent("message-malformed", "RFC 5652 section 11");
	/* All that fits is taken. */
	forget(&clients[0]);
	ask(&clients[0], keys[0], 1);
	put_unsigned(&clients[0].message, unsigned_value(deep, 4, "a"),
	    BURIN_CMC_MAX_UNSIGNED);
	set_messages(1);
	send_layer();
}

/* --- answers -------------------------------------------------------------- */

/* 100 people, each with a conversation of his own; half of them refused. */
static void
test_batch(void **state)
{
	size_t order[MANY], i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		ask(&clients[i], keys[i % 2], 1);
		answer_one(&clients[i], 1, i % 3 ? certs[i % 2] : NULL);
		order[i] = (i * 37) % MANY; /* 37 and 100 share no factor */
	}
	set_messages(MANY);
	send_layer();
	reply_with(&all_done, 1, order, MANY, NULL);
	taken(BURIN_CMC_DONE);
	for (i = 0; i < MANY; i++)
		answer_is(i + 1, i);
	no_answer(0);
	no_answer(MANY + 1);
	burin_cmc_reply_clear(&reply);
	no_answer(1);
}

/* The inner answer is the client's, as it is. */
static void
test_handed_on(void **state)
{
	const unsigned char *der;
	struct burin_cmc_reply mine;
	size_t len;

	(void)state;
	ask(&clients[0], keys[0], 1);
	ask(&clients[1], keys[1], 1);
	answer_one(&clients[0], 1, certs[0]);
	answer_one(&clients[1], 1, NULL);
	set_messages(2);
	send_layer();
	reply_with(&all_done, 1, (const size_t[]) { 1, 0 }, 2, NULL);
	taken(BURIN_CMC_DONE);
	x.layer = NULL;
	x.thread = &clients[0].thread;
	x.request = clients[0].message.data;
	x.request_len = clients[0].message.len;
	assert_int_equal(burin_cmc_reply_inside(&reply, 1, &der, &len), 0);
	must(burin_cmc_read(der, len, &x, &mine, &e));
	assert_int_equal(mine.outcome, BURIN_CMC_DONE);
	assert_non_null(burin_certs_for_key(mine.certs, keys[0]));
	burin_cmc_reply_clear(&mine);
	/* The other's is none for him, and a refusal for whom it is. */
	assert_int_equal(burin_cmc_reply_inside(&reply, 2, &der, &len), 0);
	assert_int_equal(burin_cmc_read(der, len, &x, &mine, &e), -1);
	assert_string_equal(e.code, "transaction-mismatch");
	burin_error_clear(&e);
	x.thread = &clients[1].thread;
	x.request = clients[1].message.data;
	x.request_len = clients[1].message.len;
	assert_int_equal(burin_cmc_read(der, len, &x, &mine, &e), -1);
	assert_string_equal(e.code, "cmc-badIdentity");
	burin_error_clear(&e);
}

/* Some now, the others by a poll. */
static void
test_partial(void **state)
{
	struct burin_cmc_octets token = { "the rest", 8 };
	struct burin_cmc_state_of partial = { .status = BURIN_CMC_PARTIAL,
		.pend_token = &token,
		.pend_time = PKI_NOW + 10 };
	struct burin_cmc_bytes none = { 0 };
	struct der first;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ask(&clients[i], keys[0], 1);
		answer_one(&clients[i], 1, certs[0]);
	}
	set_messages(3);
	send_layer();
	reply_with(&partial, 1, (const size_t[]) { 1 }, 1, NULL);
	taken(BURIN_CMC_WAIT);
	assert_memory_equal(reply.pend_token.data, "the rest", 8);
	no_answer(1);
	answer_is(2, 1);
	no_answer(3);
	burin_cmc_reply_clear(&reply);
	/* The poll: nothing but the token. */
	first = made;
	made.data = NULL;
	must(burin_cmc_next(&ra_thread, &e));
	layer.messages = &none;
	layer.n_messages = 0;
	layer.batch = 0;
	layer.pend_token = token;
	send_layer();
	assert_int_equal(opened.body->n_messages, 0);
	x.layer = first.data;
	x.layer_len = first.len;
	reply_with(&all_done, 1, (const size_t[]) { 2, 0 }, 2, NULL);
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	no_answer(2);
	answer_is(3, 2);
	OPENSSL_free(first.data);
}

/* Without transactionId and nonce: keys, numbers, places. */
static void
test_without_thread(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		ask(&clients[i], keys[i % 2], i < 1);
	answer_one(&clients[0], 1, certs[0]);
	answer_simply(&clients[1], certs[1]);
	answer_one(&clients[2], 0, certs[0]);
	answer_one(&clients[3], 0, NULL);
	set_messages(3);
	send_layer();
	/* By the key that is certified. */
	reply_with(&all_done, 1, (const size_t[]) { 2, 1, 0 }, 3, NULL);
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	answer_is(2, 1);
	answer_is(3, 2);
	burin_cmc_reply_clear(&reply);
	/* Two that say nothing of themselves: by their numbers, ... */
	for (i = 1; i < 4; i++) {
		OPENSSL_free(clients[i].answer.data);
		answer_one(&clients[i], 0, NULL);
	}
	reply_with(&all_done, 1, (const size_t[]) { 2, 1, 0 }, 3,
	    (const uint32_t[]) { 3, 2, 9 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	answer_is(2, 1);
	answer_is(3, 2);
	burin_cmc_reply_clear(&reply);
	/* ... else by their places, ... */
	reply_with(&all_done, 1, (const size_t[]) { 1, 0, 2 }, 3,
	    (const uint32_t[]) { 31, 32, 33 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	answer_is(2, 1);
	answer_is(3, 2);
	burin_cmc_reply_clear(&reply);
	/* ... of which there must be as many. */
	reply_with(&all_done, 1, (const size_t[]) { 0, 2 }, 2,
	    (const uint32_t[]) { 31, 32 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	no_answer(2);
	no_answer(3);
	burin_cmc_reply_clear(&reply);
	/* One of them too many is for nobody. */
	reply_with(&all_done, 1, (const size_t[]) { 0, 1, 2, 3 }, 4,
	    (const uint32_t[]) { 31, 32, 33, 34 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	no_answer(2);
	no_answer(3);
}

/* An answer to another conversation is never given to anybody. */
static void
test_strange_answers(void **state)
{
	(void)state;
	ask(&clients[0], keys[0], 1);
	ask(&clients[1], keys[1], 1);
	ask(&clients[2], keys[1], 1); /* is not in the layer */
	answer_one(&clients[0], 1, NULL);
	answer_one(&clients[1], 0, NULL); /* brings back nothing */
	answer_one(&clients[2], 1, certs[1]);
	set_messages(2);
	send_layer();
	reply_with(&all_done, 1, (const size_t[]) { 2, 0 }, 2,
	    (const uint32_t[]) { 1, 2 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	no_answer(2);
	burin_cmc_reply_clear(&reply);
	reply_with(&all_done, 1, (const size_t[]) { 1, 0 }, 2,
	    (const uint32_t[]) { 2, 1 });
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	no_answer(2);
	burin_cmc_reply_clear(&reply);
	/* Whoever takes over another's nonce does not get his certificate. */
	clients[1].thread = clients[0].thread;
	OPENSSL_free(clients[1].message.data);
	ask(&clients[3], keys[1], 1);
	clients[1].message.data = NULL;
	{
		struct burin_cmc_thread stolen = clients[0].thread;
		struct client *c = &clients[1];
		struct burin_cmc_ask a = { .thread = &stolen };
		struct burin_cms_signer s = { .by = BURIN_CMS_BY_CERT,
			.key = keys[1],
			.pub = keys[1],
			.cert = certs[1] };
		struct cmc_opened o;

		must(cmc_message_open(clients[3].message.data,
		    clients[3].message.len, 0, BURIN_ECHECK, &o, &e));
		a.requests = o.body->reqs;
		a.requests_len = o.body->reqs_len;
		a.signer = &s;
		must(burin_cmc_make(&a, &c->message.data, &c->message.len, &e));
		cmc_opened_clear(&o);
	}
	OPENSSL_free(clients[0].answer.data);
	OPENSSL_free(clients[1].answer.data);
	answer_one(&clients[0], 1, certs[0]);
	answer_one(&clients[1], 1, certs[1]);
	set_messages(2);
	send_layer();
	reply_with(&all_done, 1, (const size_t[]) { 1, 0 }, 2, NULL);
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	answer_is(2, 1);
}

/* What is said of the others is theirs; of the whole, the RA's. */
static void
test_states(void **state)
{
	static const struct burin_cmc_path deep = { { 1, 1 }, 2 },
					   message = { { 1 }, 1 },
					   simple = { { 2 }, 1 },
					   nothing = { { 99, 1 }, 2 };
	struct burin_cmc_octets token = { "later", 5 };
	struct burin_cmc_state_of s[3] = {
		{ .status = BURIN_CMC_FAILED,
		    .fail = BURIN_CMC_BAD_IDENTITY,
		    .parts = &deep,
		    .n = 1 },
		{ .status = BURIN_CMC_FAILED,
		    .fail = BURIN_CMC_BAD_MESSAGE_CHECK,
		    .parts = &message,
		    .n = 1,
		    .text = "who is that?" },
		{ .status = BURIN_CMC_FAILED,
		    .fail = BURIN_CMC_POP_FAILED,
		    .parts = &simple,
		    .n = 1 },
	};
	struct der pkcs10 = simple_request(keys[0]);
	struct burin_cmc_bytes one = { pkcs10.data, pkcs10.len };
	struct burin_cmc_part_state part;

	(void)state;
	ask(&clients[0], keys[0], 1);
	set_messages(1);
	layer.simple = &one;
	layer.n_simple = 1;
	send_layer();
	reply_with(s, 3, NULL, 0, NULL);
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.text, "");
	no_answer(1);
	assert_int_equal(burin_cmc_reply_part(&reply, 1, &part), 0);
	assert_int_equal(part.status, BURIN_CMC_FAILED);
	assert_int_equal(part.fail, BURIN_CMC_BAD_MESSAGE_CHECK);
	assert_string_equal(part.text, "who is that?");
	assert_int_equal(burin_cmc_reply_part(&reply, 2, &part), 0);
	assert_int_equal(part.fail, BURIN_CMC_POP_FAILED);
	assert_int_equal(burin_cmc_reply_part(&reply, 3, &part), -1);
	burin_cmc_reply_clear(&reply);
	/* The Simple request waits, so the RA does. */
	s[2].status = BURIN_CMC_PENDING;
	s[2].pend_token = &token;
	s[2].pend_time = PKI_NOW + 5;
	reply_with(s, 3, NULL, 0, NULL);
	taken(BURIN_CMC_WAIT);
	assert_int_equal(burin_cmc_reply_part(&reply, 2, &part), 0);
	assert_int_equal(part.status, BURIN_CMC_PENDING);
	assert_int_equal(part.fail, BURIN_CMC_FAIL_NONE);
	assert_int_equal(part.pend_time, PKI_NOW + 5);
	assert_memory_equal(part.pend_token.data, "later", 5);
	burin_cmc_reply_clear(&reply);
	/* The worst that is said of a part is what counts. */
	s[0] = s[2];
	s[1].parts = &simple;
	reply_with(s, 3, NULL, 0, NULL);
	taken(BURIN_CMC_WAIT);
	assert_int_equal(burin_cmc_reply_part(&reply, 2, &part), 0);
	assert_int_equal(part.status, BURIN_CMC_FAILED);
	burin_cmc_reply_clear(&reply);
	/* All of it is refused; a control of the RA's own is. */
	s[0] = (struct burin_cmc_state_of) { .status = BURIN_CMC_FAILED,
		.fail = BURIN_CMC_BAD_REQUEST };
	reply_with(s, 1, NULL, 0, NULL);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	{
		struct burin_cmc_path own = { { opened.body->controls[0].id },
			1 };

		s[0].parts = &own;
		s[0].n = 1;
		reply_with(s, 1, NULL, 0, NULL);
		refused(BURIN_EAUTHORITY, "cmc-badRequest");
	}
	s[0].parts = &nothing;
	reply_with(s, 1, NULL, 0, NULL);
	refused(BURIN_ECHECK, "status-unknown-part");
	OPENSSL_free(pkcs10.data);
}

/* A client's answer has no more statuses than 32, a layer's has. */
static void
test_many_states(void **state)
{
	static struct burin_cmc_state_of s[MANY];
	static struct burin_cmc_path paths[MANY];
	size_t i;

	(void)state;
	ask(&clients[0], keys[0], 1);
	set_messages(1);
	send_layer();
	for (i = 0; i < MANY; i++) {
		paths[i] =
		    (struct burin_cmc_path) { { 1, (uint32_t)i + 1 }, 2 };
		s[i] = (struct burin_cmc_state_of) {
			.status = BURIN_CMC_SUCCESS, .parts = &paths[i], .n = 1
		};
	}
	reply_with(s, MANY, NULL, 0, NULL);
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	x.layer = NULL;
	refused(BURIN_ECHECK, "status-unknown-part");
	for (i = 0; i < MANY; i++)
		s[i].n = 0;
	reply_with(s, MANY, NULL, 0, NULL);
	refused(BURIN_ECHECK, "cmc-malformed");
}

/* An RA answers an RA; and what one may say to a client by itself. */
static void
test_ra_says(void **state)
{
	static const struct burin_cmc_path first = { { 1 }, 1 };
	struct burin_cmc_octets token = { "later", 5 };
	struct burin_cmc_state_of s = { .status = BURIN_CMC_FAILED,
		.fail = BURIN_CMC_BAD_IDENTITY,
		.parts = &first,
		.n = 1 };
	struct burin_cmc_publication pub = { .number = 3, .anchors = anchors };
	struct burin_cmc_heard to = { 0 };
	struct burin_cms_signer signer = by_ra;
	struct burin_cmc_answer a = { .to = &to,
		.nonce = (const unsigned char *)"of the RA",
		.nonce_len = 9,
		.states = &s,
		.n_states = 1,
		.signer = &signer };
	unsigned char *der;
	size_t len;

	(void)state;
	/* fresh() sent a request of a client. */
	to.transaction = thread.transaction;
	to.sender_nonce = thread.sent;
	to.data_return.len = 7;
	memcpy(to.data_return.data, "token-7", 7);
	must(burin_cmc_answer_make(&a, &der, &len, &e));
	set_answer(der, len);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
	s.status = BURIN_CMC_PENDING;
	s.pend_token = &token;
	s.pend_time = PKI_NOW;
	must(burin_cmc_answer_make(&a, &der, &len, &e));
	set_answer(der, len);
	taken(BURIN_CMC_WAIT);
	burin_cmc_reply_clear(&reply);
	s = (struct burin_cmc_state_of) { .status = BURIN_CMC_SUCCESS };
	must(burin_cmc_answer_make(&a, &der, &len, &e));
	set_answer(der, len);
	refused(BURIN_ECHECK, "cmc-signer");
	/* To another RA it hands on answers, and no anchors. */
	ask(&clients[0], keys[0], 1);
	answer_one(&clients[0], 1, certs[0]);
	set_messages(1);
	send_layer();
	to.transaction = ra_thread.transaction;
	to.sender_nonce = ra_thread.sent;
	to.data_return.len = 0;
	answers[0] = (struct burin_cmc_bytes) { clients[0].answer.data,
		clients[0].answer.len };
	a.inside = answers;
	a.n_inside = 1;
	a.batch = 1;
	a.publication = &pub;
	must(burin_cmc_answer_make(&a, &der, &len, &e));
	set_answer(der, len);
	taken(BURIN_CMC_DONE);
	answer_is(1, 0);
	assert_null(reply.anchors);
}

/* --- what is not sent on -------------------------------------------------- */

static void
test_bad_layers(void **state)
{
	struct der pkcs10 = simple_request(keys[0]);
	struct burin_cmc_bytes one = { pkcs10.data, pkcs10.len };
	struct burin_cmc_thread empty = { 0 };

	(void)state;
	not_sent("nothing-asked", "RFC 10002 section 7");
	layer.batch = 1;
	layer.simple = &one;
	layer.n_simple = 1;
	not_sent("batch-empty", "RFC 10002 section 6.17");
	layer.batch = 0;
	layer.n_simple = BURIN_CMC_MAX_SIMPLE + 1;
	not_sent("layer-too-much", "RFC 10002 section 7");
	layer.n_simple = 1;
	one.len--;
	burin_error_clear(&e);
	{
		unsigned char *der;
		size_t len;

		assert_int_equal(
		    burin_cmc_layer_make(&layer, &der, &len, &e), -1);
		assert_int_equal(e.status, BURIN_EUSAGE);
		burin_error_clear(&e);
	}
	one.len++;
	layer.messages = &one;
	layer.n_messages = 1;
	not_sent("message-malformed", "RFC 10002 section 7");
	layer.n_messages = BURIN_CMC_MAX_PARTS;
	not_sent("layer-too-much", "RFC 10002 section 7");
	layer.n_messages = 0;
	layer.pend_token.len = 1;
	not_sent("poll-with-requests", "RFC 10002 section 6.13");
	layer.n_simple = 0;
	layer.pend_token.len = BURIN_CMC_MAX_OCTETS + 1;
	not_sent("octets-too-long", "RFC 10002 section 6.13");
	layer.pend_token.len = 1;
	layer.thread = &empty;
	not_sent("nonce-missing", "RFC 10002 section 6.6");
	layer.thread = NULL;
	not_sent("nonce-missing", "RFC 10002 section 6.6");
	layer.thread = &ra_thread;
	by_ra.by = BURIN_CMS_BY_NOBODY;
	not_sent("signer-missing", "RFC 10002 section 7");
	layer.signer = NULL;
	not_sent("signer-missing", "RFC 10002 section 7");
	OPENSSL_free(pkcs10.data);
}

static void
bad_vouch(struct burin_cmc_vouch v, const char *code, const char *rule)
{
	layer.vouches = &v;
	layer.n_vouches = 1;
	not_sent(code, rule);
	layer.n_vouches = 0;
}

static void
test_bad_vouches(void **state)
{
	static const uint32_t ids[] = { 1, 0 };
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "cRLSign");
	struct burin_cmc_vouch v = { .kind = BURIN_CMC_STATES_POP,
		.path = { { 1 }, 1 },
		.ids = ids,
		.n_ids = 1 };
	struct burin_cmc_vouch two[2];

	(void)state;
	ask(&clients[0], keys[0], 1);
	set_messages(1);
	v.path.ids[0] = 2;
	bad_vouch(v, "body-part", "RFC 10002 section 6.8");
	v.path.ids[0] = 1;
	v.n_ids = 2;
	bad_vouch(v, "body-part", "RFC 10002 section 6.8");
	v.n_ids = 0;
	bad_vouch(v, "body-part", "RFC 10002 section 6.8");
	v.n_ids = 1;
	v.path.n = 2;
	bad_vouch(v, "body-part", "RFC 10002 section 6.8");
	v.path.n = 0; /* 1 is no Simple request */
	bad_vouch(v, "body-part", "RFC 10002 section 6.8");
	v.kind = BURIN_CMC_STATES_IDENTITY;
	bad_vouch(v, "body-part", "RFC 6402 section 2.5");
	v.path = (struct burin_cmc_path) { { 1, 0 }, 2 };
	bad_vouch(v, "body-part", "RFC 6402 section 2.5");
	v.kind = BURIN_CMC_STATES_PROCESSED;
	bad_vouch(v, "body-part", "RFC 10002 section 6.19");
	v.path.n = 1;
	bad_vouch(v, "body-part", "RFC 10002 section 6.19");
	v.kind = BURIN_CMC_STATES_EXTENSIONS;
	bad_vouch(v, "extensions-deprecated", "RFC 10002 section 6.5.2");
	v.kind = BURIN_CMC_STATES_TEMPLATE;
	bad_vouch(v, "template-malformed", "RFC 10002 section 6.5.1");
	v.path.n = BURIN_CMC_MAX_DEPTH + 2;
	bad_vouch(v, "body-part", "RFC 10002 section 6.5.1");
	v.path.n = 1;
	assert_non_null(X509v3_add_ext(&exts, ext, -1));
	v.extensions = exts;
	bad_vouch(v, "template-key-usage", "RFC 10002 section 6.5.1");
	v.remove = 1;
	bad_vouch(v, "template-key-usage", "RFC 10002 section 6.5.1");
	X509_EXTENSION_free(sk_X509_EXTENSION_pop(exts));
	X509_EXTENSION_free(ext);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth");
	assert_non_null(X509v3_add_ext(&exts, ext, -1));
	assert_non_null(X509v3_add_ext(&exts, ext, -1));
	bad_vouch(v, "template-malformed", "RFC 10002 section 6.5.1");
	v.extensions = NULL;
	v.subject = X509_get_subject_name(ca);
	two[0] = two[1] = v;
	layer.vouches = two;
	layer.n_vouches = 2;
	not_sent("template-twice", "RFC 10002 section 6.5.1");
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_EXTENSION_free(ext);
}

/* --- the world ------------------------------------------------------------ */

static int
begin_layer(void **state)
{
	if (fresh(state) != 0)
		return -1;
	by_ra = (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = ra_key,
		.pub = ra_key,
		.cert = ra,
		.signing_time = PKI_NOW };
	by_ca_key = (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = cmc_key,
		.pub = cmc_key,
		.cert = cmc_cert,
		.signing_time = PKI_NOW };
	must(burin_cmc_begin(&ra_thread, &e));
	memset(&layer, 0, sizeof(layer));
	layer.thread = &ra_thread;
	layer.signer = &by_ra;
	return 0;
}

static int
end_layer(void **state)
{
	size_t i;

	for (i = 0; i < MAX; i++)
		forget(&clients[i]);
	OPENSSL_free(made.data);
	made.data = NULL;
	cmc_opened_clear(&opened);
	return done(state);
}

static int
set_up(void **state)
{
	size_t i;

	if (setup(state) != 0)
		return -1;
	cmc_key = pki_key("P-256");
	cmc_cert = issue("Test CA", cmc_key, ca_eku);
	for (i = 0; i < 2; i++) {
		keys[i] = pki_key("ED25519");
		certs[i] = issue("Alice", keys[i], NULL);
	}
	return 0;
}

static int
tear_down(void **state)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		X509_free(certs[i]);
		EVP_PKEY_free(keys[i]);
	}
	X509_free(cmc_cert);
	EVP_PKEY_free(cmc_key);
	return teardown(state);
}

#define LAYER(test) \
	cmocka_unit_test_setup_teardown(test, begin_layer, end_layer)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAYER(test_contents),
		LAYER(test_vouches),
		LAYER(test_unsigned),
		LAYER(test_bad_unsigned),
		LAYER(test_batch),
		LAYER(test_handed_on),
		LAYER(test_partial),
		LAYER(test_without_thread),
		LAYER(test_strange_answers),
		LAYER(test_states),
		LAYER(test_many_states),
		LAYER(test_ra_says),
		LAYER(test_bad_layers),
		LAYER(test_bad_vouches),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
