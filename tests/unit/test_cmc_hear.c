/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a server refuses to hear, each with what the peer is told.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "hearing.h"

#define MALFORMED BURIN_CMC_BAD_REQUEST

/* A control of this OID with NULL as its value. */
static uint32_t
put_null(struct said *s, const char *oid)
{
	ASN1_TYPE *any = ASN1_TYPE_new();
	uint32_t id;

	ASN1_TYPE_set(any, V_ASN1_NULL, NULL);
	id = said_any(s, oid, any);
	ASN1_TYPE_free(any);
	return id;
}

static STACK_OF(ASN1_INTEGER) * ids_of(uint32_t a, uint32_t b)
{
	STACK_OF(ASN1_INTEGER) *list = sk_ASN1_INTEGER_new_null();
	uint32_t all[2] = { a, b };
	int i;

	for (i = 0; i < 2 && (i == 0 || b != 0); i++) {
		ASN1_INTEGER *one = ASN1_INTEGER_new();

		assert_int_equal(ASN1_INTEGER_set_uint64(one, all[i]), 1);
		assert_true(sk_ASN1_INTEGER_push(list, one) > 0);
	}
	return list;
}

/* --- no message ----------------------------------------------------------- */

static void
test_no_message(void **state)
{
	static const char *const list[] = { "", "0", "nothing at all",
		"\x30\x03\x02\x01\x00" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct der m = { OPENSSL_memdup(list[i], strlen(list[i]) + 1),
			i == 3 ? 5 : strlen(list[i]) };

		refused(m, MALFORMED, 0, "cmc-no-message");
	}
}

static void
test_other_content(void **state)
{
	struct said s;
	struct der m, inside;
	size_t len;

	(void)state;
	said_begin(&s);
	inside.data = said_response(&s, &len);
	said_free(&s);
	must(burin_cms_sign(&by_cert, BURIN_CMC_PKI_RESPONSE, inside.data, len,
	    &m.data, &m.len, &e));
	OPENSSL_free(inside.data);
	refused(m, MALFORMED, 0, "cmc-malformed");
	must(burin_cms_sign(
	    &by_nobody, BURIN_CMC_PKI_DATA, NULL, 0, &m.data, &m.len, &e));
	refused(m, MALFORMED, 0, "cmc-malformed");
}

/* --- body parts ----------------------------------------------------------- */

static void
test_ids(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct said s;

	(void)state;
	said_begin(&s);
	s.next = 7;
	(void)said_octets(&s, CMC_DATA_RETURN, "a", 1);
	s.next = 7;
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, 7, "cmc-malformed");
	/* that of a request */
	said_begin(&s);
	s.next = 1;
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	refused(message(&s, &reqs, &by_key), MALFORMED, 1, "cmc-malformed");
	said_begin(&s);
	s.next = 0;
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, 0, "cmc-malformed");
	OPENSSL_free(reqs.data);
}

/* A refusal says what it answers. */
static void
test_thread_of_refused(void **state)
{
	struct said s;
	struct der m;

	(void)state;
	said_begin(&s);
	s.next = 7;
	(void)put_null(&s, "1.2.3.4");
	s.next = 7;
	(void)said_integer(&s, CMC_TRANSACTION_ID, "\x11\x22", 2);
	(void)said_octets(&s, CMC_SENDER_NONCE, "nonce", 5);
	(void)said_octets(&s, CMC_DATA_RETURN, "back", 4);
	m = message(&s, NULL, &by_cert);
	burin_error_clear(&e);
	assert_int_equal(
	    burin_cmc_hear(m.data, m.len, &plain, &heard, &why, &e), -1);
	assert_int_equal(heard.has_transaction, 1);
	assert_int_equal(heard.transaction.len, 2);
	assert_memory_equal(heard.transaction.data, "\x11\x22", 2);
	assert_int_equal(heard.sender_nonce.len, 5);
	assert_memory_equal(heard.data_return.data, "back", 4);
	OPENSSL_free(m.data);
	forget();
}

/* Not said at all, what is said twice or is negative. */
static void
test_thread_unclear(void **state)
{
	struct said s;
	uint32_t first, second;
	struct der m;

	(void)state;
	said_begin(&s);
	first = said_octets(&s, CMC_SENDER_NONCE, "nonce", 5);
	second = said_octets(&s, CMC_SENDER_NONCE, "other", 5);
	m = message(&s, NULL, &by_cert);
	burin_error_clear(&e);
	told(burin_cmc_hear(m.data, m.len, &plain, &heard, &why, &e), MALFORMED,
	    (uint32_t[]) { first, second }, 2, "cmc-malformed");
	assert_int_equal(heard.sender_nonce.len, 0);
	OPENSSL_free(m.data);
	forget();
	said_begin(&s);
	first = said_integer(&s, CMC_TRANSACTION_ID, "\x01", 1);
	{
		ASN1_TYPE *v = sk_ASN1_TYPE_value(
		    sk_CMC_ATTR_value(s.body->controls, 0)->attrValues, 0);

		v->value.integer->type = V_ASN1_NEG_INTEGER;
	}
	refused(message(&s, NULL, &by_cert), MALFORMED, first, "cmc-malformed");
}

static void
test_too_many(void **state)
{
	/* a request of another kind: id 1, OID 1.2.3, NULL */
	static const unsigned char orm[] = { 0xa2, 0x08, 0x02, 0x01, 0x01, 0x06,
		0x01, 0x2a, 0x05, 0x00 };
	const size_t n = 100000, inner = n * sizeof(orm);
	struct der reqs = { OPENSSL_malloc(inner + 5), inner + 5 };
	struct said s;
	struct der m;
	clock_t begin;
	size_t i;

	(void)state;
	reqs.data[0] = 0x30;
	reqs.data[1] = 0x83;
	reqs.data[2] = (unsigned char)(inner >> 16);
	reqs.data[3] = (unsigned char)(inner >> 8);
	reqs.data[4] = (unsigned char)inner;
	for (i = 0; i < n; i++)
		memcpy(reqs.data + 5 + i * sizeof(orm), orm, sizeof(orm));
	said_begin(&s);
	m = message(&s, &reqs, &by_cert);
	begin = clock();
	refused(m, MALFORMED, 0, "cmc-malformed");
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
	OPENSSL_free(reqs.data);
	/* parts of several kinds together */
	said_begin(&s);
	for (i = 0; i < 257; i++)
		(void)said_octets(&s, CMC_QUERY_PENDING, "a", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, 0, "cmc-malformed");
}

/* --- controls ------------------------------------------------------------- */

static void
test_unknown_control(void **state)
{
	struct burin_cmc_listen ra = { .final = 0 }, told_some = plain;
	struct said s;
	uint32_t ids[2];
	struct der m;

	(void)state;
	said_begin(&s);
	ids[0] = put_null(&s, "1.2.3.4");
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	ids[1] = put_null(&s, CMC_OID_ARC "99");
	m = message(&s, NULL, &by_cert);
	burin_error_clear(&e);
	told(burin_cmc_hear(m.data, m.len, &plain, &heard, &why, &e), MALFORMED,
	    ids, 2, "cmc-control-unknown");
	forget();
	told_some.processed = ids;
	told_some.n_processed = 1;
	told(burin_cmc_hear(m.data, m.len, &told_some, &heard, &why, &e),
	    MALFORMED, ids + 1, 1, "cmc-control-unknown");
	forget();
	told_some.n_processed = 2;
	must(burin_cmc_hear(m.data, m.len, &told_some, &heard, &why, &e));
	forget();
	/* who forwards it does not need to know */
	hear_with(m, &ra);
	forget();
}

static void
test_misplaced_control(void **state)
{
	struct said s;
	uint32_t id;

	(void)state;
	said_begin(&s);
	id = said_octets(&s, CMC_RESPONSE_INFO, "a", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	said_begin(&s);
	id = said_ids(&s, CMC_BATCH_RESPONSES, (uint32_t[]) { 1 }, 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	/* what belongs into a certification request */
	said_begin(&s);
	id = said_octets(&s, CMC_POP_LINK_WITNESS, "a", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
}

static void
test_control_values(void **state)
{
	unsigned char *long_text = OPENSSL_zalloc(2000);
	struct said s;
	uint32_t id;

	(void)state;
	said_begin(&s);
	id = put_null(&s, CMC_OID_ARC "6");
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	said_begin(&s);
	id = said_octets(&s, CMC_REG_INFO, long_text, 2000);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	OPENSSL_free(long_text);
	said_begin(&s);
	id = said_octets(&s, CMC_REG_INFO, "a", 1);
	{
		CMC_ATTR *attr = sk_CMC_ATTR_value(s.body->controls, 0);

		ASN1_TYPE_free(sk_ASN1_TYPE_pop(attr->attrValues));
	}
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
}

static void
put_text(struct said *s, const char *text, size_t len, uint32_t *id)
{
	ASN1_UTF8STRING *utf8 = ASN1_UTF8STRING_new();
	ASN1_TYPE any = { V_ASN1_UTF8STRING, { NULL } };

	assert_int_equal(ASN1_STRING_set(utf8, text, (int)len), 1);
	any.value.utf8string = utf8;
	*id = said_any(s, CMC_OID_ARC "2", &any);
	ASN1_UTF8STRING_free(utf8);
}

static void
test_identification(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "", 0 }, { "a\0b", 3 }, { "\xff", 1 }, { "a\nb", 3 } };
	struct said s;
	uint32_t id;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		said_begin(&s);
		put_text(&s, bad[i].text, bad[i].len, &id);
		refused(message(&s, NULL, &by_cert), BURIN_CMC_BAD_IDENTITY, id,
		    "cmc-malformed");
	}
	said_begin(&s);
	put_text(&s, "J\xc3\xbcrgen", 7, &id);
	hear(message(&s, NULL, &by_cert));
	assert_string_equal(heard.identification, "J\xc3\xbcrgen");
	forget();
}

static void
test_random_twice(void **state)
{
	struct said s;
	uint32_t ids[2];
	struct der m;

	(void)state;
	said_begin(&s);
	ids[0] = said_octets(&s, CMC_POP_LINK_RANDOM, "abc", 3);
	ids[1] = said_octets(&s, CMC_POP_LINK_RANDOM, "abc", 3);
	m = message(&s, NULL, &by_cert);
	burin_error_clear(&e);
	told(burin_cmc_hear(m.data, m.len, &plain, &heard, &why, &e), MALFORMED,
	    ids, 2, "cmc-malformed");
	forget();
	OPENSSL_free(m.data);
	said_begin(&s);
	ids[0] = said_octets(&s, CMC_POP_LINK_RANDOM, "", 0);
	refused(
	    message(&s, NULL, &by_cert), MALFORMED, ids[0], "cmc-malformed");
}

static void
test_poll(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct said s;
	uint32_t id;

	(void)state;
	said_begin(&s);
	id = said_octets(&s, CMC_QUERY_PENDING, "a", 1);
	refused(message(&s, &reqs, &by_key), MALFORMED, id, "cmc-malformed");
	said_begin(&s);
	(void)said_octets(&s, CMC_QUERY_PENDING, "a", 1);
	id = said_octets(&s, CMC_QUERY_PENDING, "b", 1);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	said_begin(&s);
	id = said_octets(&s, CMC_QUERY_PENDING, "", 0);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	OPENSSL_free(reqs.data);
}

/* --- references ----------------------------------------------------------- */

static void
refused_value(
    enum cmc_control number, const void *value, const struct der *reqs)
{
	struct said s;
	uint32_t id;

	said_begin(&s);
	id = said_value(&s, number, value);
	refused(message(&s, reqs, &by_key), MALFORMED, id, "cmc-malformed");
}

static void
test_dangling(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	CMC_DECRYPTED_POP *pop = CMC_DECRYPTED_POP_new();
	CMC_POP_WITNESS *w = CMC_POP_WITNESS_new();
	CMC_MOD_TEMPLATE *m = CMC_MOD_TEMPLATE_new();
	CMC_ADD_EXTENSIONS *x = CMC_ADD_EXTENSIONS_new();
	STACK_OF(ASN1_INTEGER) *path = ids_of(9, 0);
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113549.2.9", 1);
	struct said s;
	uint32_t id;

	(void)state;
	assert_int_equal(ASN1_INTEGER_set(pop->bodyPartID, 9), 1);
	assert_int_equal(
	    X509_ALGOR_set0(pop->thePOPAlgID, oid, V_ASN1_UNDEF, NULL), 1);
	refused_value(CMC_DECRYPTED_POP_CONTROL, pop, &reqs);
	said_begin(&s);
	id = said_integer(&s, CMC_AUTH_DATA, "\x09", 1);
	refused(message(&s, &reqs, &by_key), MALFORMED, id, "cmc-malformed");
	refused_value(CMC_BATCH_REQUESTS, path, &reqs);
	/* requests of this message, one of which is not there */
	sk_ASN1_INTEGER_pop_free(w->bodyIds, ASN1_INTEGER_free);
	w->bodyIds = ids_of(1, 9);
	refused_value(CMC_LRA_POP_WITNESS, w, &reqs);
	/* a message that is not there */
	assert_int_equal(ASN1_INTEGER_set(w->pkiDataBodyid, 9), 1);
	refused_value(CMC_LRA_POP_WITNESS, w, &reqs);
	sk_ASN1_INTEGER_pop_free(m->pkiDataReference, ASN1_INTEGER_free);
	sk_ASN1_INTEGER_pop_free(m->certReferences, ASN1_INTEGER_free);
	m->pkiDataReference = ids_of(9, 0);
	m->certReferences = ids_of(1, 0);
	assert_int_equal(ASN1_STRING_set(m->certTemplate, "\x30\x00", 2), 1);
	refused_value(CMC_MOD_CERT_TEMPLATE, m, &reqs);
	sk_ASN1_INTEGER_pop_free(x->certReferences, ASN1_INTEGER_free);
	x->certReferences = ids_of(9, 0);
	refused_value(CMC_ADD_EXTENSION, x, &reqs);
	refused_value(CMC_RA_IDENTITY_WITNESS, path, &reqs);
	CMC_DECRYPTED_POP_free(pop);
	CMC_POP_WITNESS_free(w);
	CMC_MOD_TEMPLATE_free(m);
	CMC_ADD_EXTENSIONS_free(x);
	sk_ASN1_INTEGER_pop_free(path, ASN1_INTEGER_free);
	OPENSSL_free(reqs.data);
}

/* controlProcessed: {n} or {message, n}; of the whole message there is none. */
static void
test_processed(void **state)
{
	CMC_PROCESSED *p = CMC_PROCESSED_new();
	CMC_REF *ref = CMC_REF_new();
	struct said s;
	uint32_t id;

	(void)state;
	ref->type = CMC_REF_ID;
	ref->d.id = ASN1_INTEGER_new();
	assert_true(sk_CMC_REF_push(p->bodyList, ref) > 0);
	refused_value(CMC_CONTROL_PROCESSED, p, NULL);
	assert_int_equal(ASN1_INTEGER_set(ref->d.id, 9), 1);
	refused_value(CMC_CONTROL_PROCESSED, p, NULL);
	said_begin(&s);
	s.next = 9;
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	id = said_value(&s, CMC_CONTROL_PROCESSED, p);
	hear(message(&s, NULL, &by_cert));
	assert_int_equal(heard.n_statements, 1);
	assert_int_equal(heard.statements[0].kind, BURIN_CMC_STATES_PROCESSED);
	assert_int_equal(heard.statements[0].control, id);
	assert_int_equal(heard.statements[0].path.n, 1);
	assert_int_equal(heard.statements[0].path.ids[0], 9);
	forget();
	CMC_PROCESSED_free(p);
}

/* --- certificates that are named ------------------------------------------ */

static void
refused_named(
    enum cmc_control number, const void *value, enum burin_cmc_fail fail)
{
	struct said s;
	uint32_t id;

	said_begin(&s);
	id = said_value(&s, number, value);
	refused(message(&s, NULL, &by_cert), fail, id, "cmc-malformed");
}

static void
test_get(void **state)
{
	CMC_GET_CERT *g = CMC_GET_CERT_new();
	CMC_GET_CRL *l = CMC_GET_CRL_new();
	ASN1_IA5STRING *host = ASN1_IA5STRING_new();
	unsigned char big[65];

	(void)state;
	assert_int_equal(ASN1_STRING_set(host, "a.example", -1), 1);
	GENERAL_NAME_set0_value(g->issuer, GEN_DNS, host);
	refused_named(CMC_GET_CERT_CONTROL, g, MALFORMED);
	ASN1_IA5STRING_free(host);
	GENERAL_NAME_set0_value(
	    g->issuer, GEN_DIRNAME, X509_NAME_dup(X509_get_issuer_name(cert)));
	memset(big, 1, sizeof(big));
	assert_int_equal(ASN1_STRING_set(g->serial, big, sizeof(big)), 1);
	refused_named(CMC_GET_CERT_CONTROL, g, BURIN_CMC_BAD_CERT_ID);
	CMC_GET_CERT_free(g);
	assert_int_equal(
	    X509_NAME_set(&l->issuer, X509_get_issuer_name(cert)), 1);
	l->crl = GENERAL_NAME_new();
	GENERAL_NAME_set0_value(
	    l->crl, GEN_DIRNAME, X509_NAME_dup(X509_get_issuer_name(cert)));
	refused_named(CMC_GET_CRL_CONTROL, l, MALFORMED);
	CMC_GET_CRL_free(l);
}

static void
test_revoke(void **state)
{
	CMC_REVOKE *r = CMC_REVOKE_new();

	(void)state;
	assert_int_equal(
	    X509_NAME_set(&r->issuer, X509_get_issuer_name(cert)), 1);
	assert_int_equal(ASN1_INTEGER_set(r->serial, 5), 1);
	assert_int_equal(ASN1_ENUMERATED_set(r->reason, 11), 1);
	refused_named(CMC_REVOKE_REQUEST, r, MALFORMED);
	assert_int_equal(ASN1_ENUMERATED_set(r->reason, 7), 1);
	refused_named(CMC_REVOKE_REQUEST, r, MALFORMED);
	assert_int_equal(ASN1_ENUMERATED_set(r->reason, 1), 1);
	r->secret = ASN1_OCTET_STRING_new();
	refused_named(CMC_REVOKE_REQUEST, r, MALFORMED);
	assert_int_equal(
	    ASN1_OCTET_STRING_set(r->secret, (const unsigned char *)"a", 1), 1);
	r->invalidityDate = ASN1_GENERALIZEDTIME_new();
	assert_int_equal(
	    ASN1_STRING_set(r->invalidityDate, "yesterday", -1), 1);
	refused_named(CMC_REVOKE_REQUEST, r, MALFORMED);
	CMC_REVOKE_free(r);
}

static void
test_confirm_twice(void **state)
{
	CMC_CERT_ID *c = CMC_CERT_ID_new();
	struct said s;
	uint32_t id;

	(void)state;
	assert_int_equal(
	    X509_NAME_set(&c->issuer, X509_get_issuer_name(cert)), 1);
	assert_int_equal(ASN1_INTEGER_set(c->serial, 5), 1);
	said_begin(&s);
	(void)said_value(&s, CMC_CONFIRM_CERT_ACCEPTANCE, c);
	id = said_value(&s, CMC_CONFIRM_CERT_ACCEPTANCE, c);
	refused(message(&s, NULL, &by_cert), MALFORMED, id, "cmc-malformed");
	CMC_CERT_ID_free(c);
}

static void
test_publish(void **state)
{
	CMC_PUBLISH *p = CMC_PUBLISH_new();
	ASN1_OCTET_STRING *hash = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *md5 = OBJ_txt2obj("1.2.840.113549.2.5", 1);

	(void)state;
	assert_int_equal(X509_ALGOR_set0(p->hash, md5, V_ASN1_UNDEF, NULL), 1);
	assert_int_equal(ASN1_INTEGER_set(p->info->action, 1), 1);
	refused_named(CMC_PUBLISH_CERT, p, BURIN_CMC_BAD_ALG);
	X509_ALGOR_free(p->hash);
	p->hash = cmc_hash_algor("SHA256");
	refused_named(CMC_PUBLISH_CERT, p, MALFORMED);
	assert_int_equal(
	    ASN1_OCTET_STRING_set(hash, (const unsigned char *)"short", 5), 1);
	assert_true(sk_ASN1_OCTET_STRING_push(p->certHashes, hash) > 0);
	refused_named(CMC_PUBLISH_CERT, p, MALFORMED);
	assert_int_equal(ASN1_OCTET_STRING_set(hash, ed_id, 20), 1);
	X509_ALGOR_free(p->hash);
	p->hash = cmc_hash_algor("SHA1");
	assert_int_equal(ASN1_INTEGER_set(p->info->action, 2), 1);
	refused_named(CMC_PUBLISH_CERT, p, MALFORMED);
	/* nowhere, and where */
	assert_int_equal(ASN1_INTEGER_set(p->info->action, 0), 1);
	p->info->places = sk_CMC_PUB_PLACE_new_null();
	refused_named(CMC_PUBLISH_CERT, p, MALFORMED);
	CMC_PUBLISH_free(p);
}

/* Of two answers to one challenge, one is a guess. */
static void
test_pops(void **state)
{
	struct der reqs = one(challenged(BURIN_CMC_CRMF, rsa));
	CMC_DECRYPTED_POP *pop = CMC_DECRYPTED_POP_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113549.2.9", 1);
	unsigned char value[65] = { 0 };
	struct said s;
	uint32_t id;

	(void)state;
	assert_int_equal(ASN1_INTEGER_set(pop->bodyPartID, 1), 1);
	assert_int_equal(
	    X509_ALGOR_set0(pop->thePOPAlgID, oid, V_ASN1_UNDEF, NULL), 1);
	said_begin(&s);
	id = said_value(&s, CMC_DECRYPTED_POP_CONTROL, pop);
	refused(message(&s, &reqs, &by_cert), BURIN_CMC_POP_FAILED, id,
	    "cmc-malformed");
	assert_int_equal(
	    ASN1_OCTET_STRING_set(pop->thePOP, value, sizeof(value)), 1);
	said_begin(&s);
	id = said_value(&s, CMC_DECRYPTED_POP_CONTROL, pop);
	refused(message(&s, &reqs, &by_cert), BURIN_CMC_POP_FAILED, id,
	    "cmc-malformed");
	assert_int_equal(ASN1_OCTET_STRING_set(pop->thePOP, value, 32), 1);
	said_begin(&s);
	(void)said_value(&s, CMC_DECRYPTED_POP_CONTROL, pop);
	id = said_value(&s, CMC_DECRYPTED_POP_CONTROL, pop);
	refused(message(&s, &reqs, &by_cert), MALFORMED, id, "cmc-malformed");
	said_begin(&s);
	(void)said_value(&s, CMC_DECRYPTED_POP_CONTROL, pop);
	hear(message(&s, &reqs, &by_cert));
	assert_int_equal(heard.n_pops, 1);
	assert_int_equal(heard.pops[0].id, 1);
	assert_int_equal(heard.pops[0].value_len, 32);
	assert_string_equal(heard.pops[0].algorithm, "1.2.840.113549.2.9");
	forget();
	CMC_DECRYPTED_POP_free(pop);
	OPENSSL_free(reqs.data);
}

/* --- requests ------------------------------------------------------------- */

static void
test_other_kind(void **state)
{
	static const unsigned char orm[] = { 0x30, 0x0a, 0xa2, 0x08, 0x02, 0x01,
		0x05, 0x06, 0x01, 0x2a, 0x05, 0x00 };
	struct der reqs = { OPENSSL_memdup(orm, sizeof(orm)), sizeof(orm) };
	struct said s;

	(void)state;
	said_begin(&s);
	refused(message(&s, &reqs, &by_cert), BURIN_CMC_FAIL_NONE, 5,
	    "cmc-request-kind");
	OPENSSL_free(reqs.data);
}

/* One PKCS#10 with id 3 as a reqSequence. Frees req. */
static struct der
tagged(X509_REQ *req)
{
	CMC_REQS *list = sk_CMC_REQ_new_null();
	CMC_REQ *one = CMC_REQ_new();
	struct der out = { NULL, 0 };
	unsigned char *der = NULL;
	const unsigned char *p;
	int len = i2d_X509_REQ(req, &der), n;

	assert_true(len > 0);
	p = der;
	one->type = CMC_REQ_TCR;
	assert_non_null(one->d.tcr = CMC_TCR_new());
	assert_int_equal(ASN1_INTEGER_set(one->d.tcr->bodyPartID, 3), 1);
	assert_non_null(
	    d2i_ASN1_TYPE(&one->d.tcr->certificationRequest, &p, len));
	assert_true(sk_CMC_REQ_push(list, one) > 0);
	n = i2d_CMC_REQS(list, &out.data);
	assert_true(n > 0);
	out.len = (size_t)n;
	sk_CMC_REQ_pop_free(list, CMC_REQ_free);
	OPENSSL_free(der);
	X509_REQ_free(req);
	return out;
}

static void
refused_req(X509_REQ *req, enum burin_cmc_fail fail)
{
	struct der reqs = tagged(req);
	struct said s;

	said_begin(&s);
	refused(message(&s, &reqs, &by_cert), fail, 3, "request-malformed");
	OPENSSL_free(reqs.data);
}

static void
test_bad_request(void **state)
{
	static const char *const long_ski[] = {
		"subjectKeyIdentifier=DER:0441"
		"00000000000000000000000000000000"
		"00000000000000000000000000000000"
		"00000000000000000000000000000000"
		"00000000000000000000000000000000"
		"00",
		NULL
	};
	static const char *const bad_usage[] = { "keyUsage=DER:0000", NULL };
	X509_REQ *req;
	X509_PUBKEY *pub;

	(void)state;
	refused_req(pki_req("a", ed, bad_usage), MALFORMED);
	refused_req(pki_req("a", ed, long_ski), MALFORMED);
	/* a control where none belongs */
	req = pki_req("a", ed, NULL);
	assert_int_equal(
	    X509_REQ_add1_attr_by_txt(req, CMC_OID_ARC "6", V_ASN1_OCTET_STRING,
		(const unsigned char *)"a", 1),
	    1);
	refused_req(req, MALFORMED);
	req = pki_req("a", ed, NULL);
	assert_int_equal(
	    X509_REQ_add1_attr_by_txt(req, CMC_OID_ARC "36", V_ASN1_SEQUENCE,
		(const unsigned char *)"\x30\x00", 2),
	    1);
	refused_req(req, MALFORMED);
	/* a key of a kind that nobody knows */
	req = pki_req("a", ed, NULL);
	pub = X509_REQ_get_X509_PUBKEY(req);
	assert_int_equal(X509_PUBKEY_set0_param(pub, OBJ_txt2obj("1.2.3.4", 1),
			     V_ASN1_UNDEF, NULL, OPENSSL_zalloc(4), 4),
	    1);
	refused_req(req, BURIN_CMC_BAD_ALG);
}

static void
test_simple(void **state)
{
	static const char *const bad[] = { "keyUsage=DER:0000", NULL };
	struct der m = { NULL, 0 };
	X509_REQ *req = pki_req("a", ed, NULL);

	(void)state;
	m.len = (size_t)i2d_X509_REQ(req, &m.data);
	X509_REQ_free(req);
	hear(m);
	assert_int_equal(heard.simple, 1);
	assert_int_equal(heard.n_items, 1);
	assert_int_equal(heard.items[0].id, 1);
	assert_int_equal(heard.items[0].form, BURIN_CMC_PKCS10);
	must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
	assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_PROVED);
	told(burin_cmc_hear_signer(&heard, cert, ed, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, (uint32_t[]) { 1 }, 1, "identity-proof");
	forget();
	req = pki_req("a", ed, bad);
	m.data = NULL;
	m.len = (size_t)i2d_X509_REQ(req, &m.data);
	X509_REQ_free(req);
	refused(m, MALFORMED, 1, "request-malformed");
}

/* --- who signed ----------------------------------------------------------- */

static void
test_no_signer(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	CMC_REVOKE *r = CMC_REVOKE_new();
	struct said s;

	(void)state;
	said_begin(&s);
	refused(message(&s, &reqs, &by_nobody), BURIN_CMC_BAD_MESSAGE_CHECK, 0,
	    "cmc-signer");
	said_begin(&s);
	(void)said_octets(&s, CMC_QUERY_PENDING, "a", 1);
	refused(message(&s, NULL, &by_nobody), BURIN_CMC_BAD_MESSAGE_CHECK, 0,
	    "cmc-signer");
	/* a revocation without a secret */
	assert_int_equal(
	    X509_NAME_set(&r->issuer, X509_get_issuer_name(cert)), 1);
	assert_int_equal(ASN1_INTEGER_set(r->serial, 5), 1);
	assert_int_equal(ASN1_ENUMERATED_set(r->reason, 1), 1);
	said_begin(&s);
	(void)said_value(&s, CMC_REVOKE_REQUEST, r);
	refused(message(&s, NULL, &by_nobody), BURIN_CMC_BAD_MESSAGE_CHECK, 0,
	    "cmc-signer");
	refused_value(
	    CMC_REVOKE_REQUEST, (ASN1_ENUMERATED_set(r->reason, 7), r), NULL);
	CMC_REVOKE_free(r);
	OPENSSL_free(reqs.data);
}

static void
test_key_ids(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cms_signer wrong = by_key, waiting = by_key;
	struct said s;

	(void)state;
	/* one that nobody has */
	wrong.key_id = rsa_id;
	said_begin(&s);
	refused(message(&s, &reqs, &wrong), BURIN_CMC_BAD_MESSAGE_CHECK, 0,
	    "cmc-signer");
	OPENSSL_free(reqs.data);
	/* a request that does not name its key */
	burin_subject_set_ski(subject, 0);
	reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	burin_subject_set_ski(subject, 1);
	said_begin(&s);
	refused(message(&s, &reqs, &by_key), BURIN_CMC_BAD_MESSAGE_CHECK, 0,
	    "cmc-signer");
	OPENSSL_free(reqs.data);
	/* a request that is not signed itself */
	reqs = one(challenged(BURIN_CMC_PKCS10, rsa));
	waiting.key = waiting.pub = rsa;
	waiting.key_id = rsa_id;
	said_begin(&s);
	refused(message(&s, &reqs, &waiting), MALFORMED, 1, "cmc-signer");
	OPENSSL_free(reqs.data);
}

/* The same signer again. */
static struct der
with_second_signer(struct der m)
{
	struct burin_cms *cms;
	struct der out;

	must(burin_cms_parse(m.data, m.len, BURIN_ECHECK, &cms, &e));
	assert_true(sk_CSR_SIGNER_push(cms->sd->signers,
			ASN1_item_dup(ASN1_ITEM_rptr(CSR_SIGNER),
			    sk_CSR_SIGNER_value(cms->sd->signers, 0))) > 0);
	must(csr_content_encode(OID_SIGNED, ASN1_ITEM_rptr(CSR_SIGNED), cms->sd,
	    &out.data, &out.len, &e));
	burin_cms_free(&cms);
	OPENSSL_free(m.data);
	return out;
}

static void
test_two_signers(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct said s;

	(void)state;
	said_begin(&s);
	refused(with_second_signer(message(&s, &reqs, &by_key)),
	    BURIN_CMC_BAD_MESSAGE_CHECK, 0, "cmc-signer");
	/* holders of certificates may be several, if all of them are right */
	said_begin(&s);
	hear(with_second_signer(message(&s, &reqs, &by_cert)));
	assert_int_equal(heard.by, BURIN_CMC_BY_CERT);
	must(burin_cmc_hear_signer(&heard, cert, NULL, 0, &why, &e));
	forget();
	OPENSSL_free(reqs.data);
}

static void
test_same_id_two_keys(void **state)
{
	struct burin_cmc_request list[2] = { signed_by(BURIN_CMC_PKCS10, ed),
		signed_by(BURIN_CMC_CRMF, other) };
	struct burin_subject *named;
	struct der reqs, m;
	struct said s;
	char line[128] = "subjectKeyIdentifier=";
	size_t i, at = strlen(line);

	(void)state;
	for (i = 0; i < 20; i++, at += 2)
		(void)snprintf(line + at, sizeof(line) - at, "%02X", ed_id[i]);
	must(burin_subject_new(&named, &e));
	must(burin_subject_set_dn(named, "CN=r8", &e));
	burin_subject_set_ski(named, 0);
	must(burin_subject_add_ext(named, line, &e));
	list[1].subject = named;
	reqs = requests(list, 2, NULL);
	said_begin(&s);
	m = message(&s, &reqs, &by_key);
	burin_error_clear(&e);
	told(burin_cmc_hear(m.data, m.len, &plain, &heard, &why, &e), MALFORMED,
	    (uint32_t[]) { 1, 2 }, 2, "cmc-signer");
	forget();
	OPENSSL_free(m.data);
	OPENSSL_free(reqs.data);
	burin_subject_free(&named);
}

/* --- depth and encryption ------------------------------------------------- */

static void
test_depth(void **state)
{
	struct burin_cmc_listen deep = plain;
	struct said s;

	(void)state;
	said_begin(&s);
	(void)said_octets(&s, CMC_REG_INFO, "a", 1);
	deep.depth = BURIN_CMC_MAX_DEPTH - 1;
	hear_with(message(&s, NULL, &by_cert), &deep);
	forget();
	deep.depth++;
	said_begin(&s);
	refused_with(
	    message(&s, NULL, &by_cert), &deep, MALFORMED, 0, "cmc-too-deep");
}

static struct der
encrypted(struct der m, enum burin_cms_cipher cipher)
{
	struct burin_cms_recipient to = {
		.pub = rsa, .key_id = rsa_id, .key_id_len = 20
	};
	struct der out;

	burin_error_clear(&e);
	/* what is inside is the content of a ContentInfo, by its type */
	must(burin_cms_encrypt(&to, 1, cipher, OID_SIGNED, m.data, m.len,
	    &out.data, &out.len, &e));
	OPENSSL_free(m.data);
	return out;
}

/* Frees m: its ContentInfo as content that somebody signs. */
static struct der
signed_around(struct der m, const char *type, const struct burin_cms_signer *by)
{
	struct der out;

	must(burin_cms_sign(by, type, m.data, m.len, &out.data, &out.len, &e));
	OPENSSL_free(m.data);
	return out;
}

static struct der
poll_by(const struct burin_cms_signer *signer)
{
	struct said s;

	said_begin(&s);
	(void)said_octets(&s, CMC_QUERY_PENDING, "token", 5);
	return message(&s, NULL, signer);
}

static void
test_encrypted(void **state)
{
	struct burin_cms_recipient us = {
		.pub = rsa, .key_id = rsa_id, .key_id_len = 20
	};
	struct burin_cmc_listen l = plain;
	struct burin_cms_signer by_other = by_key;

	(void)state;
	refused(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM),
	    BURIN_CMC_BAD_MESSAGE_CHECK, 0, "cmc-encrypted");
	l.key = l.pub = rsa;
	l.us = &us;
	hear_with(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM), &l);
	assert_int_equal(heard.encrypted, 1);
	assert_int_equal(heard.pend_token.len, 5);
	forget();
	hear_with(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_CBC), &l);
	must(burin_cmc_hear_signer(&heard, cert, NULL, 0, &why, &e));
	forget();
	/* the second option of section 5 */
	hear_with(
	    signed_around(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM),
		OID_AUTH_ENVELOPED, &by_cert),
	    &l);
	assert_int_equal(heard.encrypted, 1);
	must(burin_cmc_hear_signer(&heard, cert, NULL, 0, &why, &e));
	forget();
	/* by another than who signed inside */
	by_other.key = by_other.pub = other;
	hear_with(
	    signed_around(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM),
		OID_AUTH_ENVELOPED, &by_other),
	    &l);
	told(burin_cmc_hear_signer(&heard, cert, NULL, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "signature-wrong");
	forget();
	/* by nobody */
	refused_with(
	    signed_around(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM),
		OID_AUTH_ENVELOPED, &by_nobody),
	    &l, BURIN_CMC_BAD_MESSAGE_CHECK, 0, "cmc-signer");
	us.key_id = ed_id;
	refused_with(encrypted(poll_by(&by_cert), BURIN_CMS_AES256_GCM), &l,
	    BURIN_CMC_BAD_MESSAGE_CHECK, 0, "recipient-missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_other_content),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_thread_of_refused),
		cmocka_unit_test(test_thread_unclear),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_unknown_control),
		cmocka_unit_test(test_misplaced_control),
		cmocka_unit_test(test_control_values),
		cmocka_unit_test(test_identification),
		cmocka_unit_test(test_random_twice),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_dangling),
		cmocka_unit_test(test_processed),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_revoke),
		cmocka_unit_test(test_confirm_twice),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_pops),
		cmocka_unit_test(test_other_kind),
		cmocka_unit_test(test_bad_request),
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_no_signer),
		cmocka_unit_test(test_key_ids),
		cmocka_unit_test(test_two_signers),
		cmocka_unit_test(test_same_id_two_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_encrypted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
