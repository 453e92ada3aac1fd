/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Full PKI Requests as they are made: what is in them. Their bytes are held
 * to golden files in tests/golden/test_cmc.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "csr/internal.h"

#include "cmcing.h"

/* --- a conversation ------------------------------------------------------- */

static void
test_thread(void **state)
{
	struct burin_cmc_thread a, b;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		must(burin_cmc_begin(&a, &e));
		assert_int_equal(a.transaction.len, BURIN_CMC_TRANSACTION);
		/* as long as an INTEGER, and positive */
		assert_true(a.transaction.data[0] >= 0x40 &&
		    a.transaction.data[0] < 0x80);
		assert_int_equal(a.sent.len, BURIN_CMC_NONCE);
		assert_int_equal(a.pop_random.len, BURIN_CMC_RANDOM);
		assert_int_equal(a.received.len, 0);
	}
	b = a;
	must(burin_cmc_next(&b, &e));
	assert_memory_equal(
	    &a.transaction, &b.transaction, sizeof(a.transaction));
	assert_memory_not_equal(a.sent.data, b.sent.data, BURIN_CMC_NONCE);
	must(burin_cmc_begin(&b, &e));
	assert_memory_not_equal(
	    a.pop_random.data, b.pop_random.data, BURIN_CMC_RANDOM);
}

/* --- what is in a message ------------------------------------------------- */

static void
test_enrol(void **state)
{
	static const enum cmc_control want[] = { CMC_TRANSACTION_ID,
		CMC_SENDER_NONCE, CMC_IDENTIFICATION, CMC_POP_LINK_RANDOM,
		CMC_IDENTITY_PROOF_V2, CMC_DATA_RETURN, CMC_REG_INFO, 0 };
	struct der reqs = pair(&identity);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct burin_cms_signer_info who;
	struct message m;
	const ASN1_TYPE *v;

	(void)state;
	ask.identity = &identity;
	ask.link = 1;
	memcpy(ask.data_return.data, "abc", ask.data_return.len = 3);
	memcpy(ask.reg_info.data, "de", ask.reg_info.len = 2);
	m = make(&ask);
	controls_are(&m, want);
	ids_are_unique(&m, 2);
	/* the very octets that were made */
	assert_int_equal(m.data->reqs->length, reqs.len);
	assert_memory_equal(m.data->reqs->data, reqs.data, reqs.len);
	must(cmc_identity_verify(&identity, 1,
	    value_of(&m, CMC_IDENTITY_PROOF_V2), reqs.data, reqs.len, 0,
	    BURIN_ECHECK, &e));
	octets_are(&m, CMC_POP_LINK_RANDOM, thread.pop_random.data, 64);
	octets_are(&m, CMC_SENDER_NONCE, thread.sent.data, 32);
	octets_are(&m, CMC_DATA_RETURN, "abc", 3);
	v = value_of(&m, CMC_TRANSACTION_ID);
	assert_int_equal(v->type, V_ASN1_INTEGER);
	assert_int_equal(v->value.integer->length, BURIN_CMC_TRANSACTION);
	assert_memory_equal(v->value.integer->data, thread.transaction.data,
	    BURIN_CMC_TRANSACTION);
	assert_int_equal(burin_cms_n_signers(m.cms), 1);
	burin_cms_signer(m.cms, 0, &who);
	assert_int_equal(who.key_id_len, 20);
	assert_memory_equal(who.key_id, ed_id, 20);
	must(burin_cms_verify(m.cms, 0, ed, 0, &e));
	drop(&m);
	OPENSSL_free(reqs.data);
}

/* Octets of the i-th request's witness, V1 or V2. */
static ASN1_TYPE *
witness(const CMC_REQ *req, const char *oid)
{
	const unsigned char *p;
	const CRMF_REQUEST *crmf;
	X509_REQ *p10;
	ASN1_TYPE *v = NULL;
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	int i;

	if (req->type == CMC_REQ_CRM) {
		crmf = req->d.crm->certReq;
		for (i = 0; i < sk_CRMF_ATTR_num(crmf->controls); i++) {
			CRMF_ATTR *a = sk_CRMF_ATTR_value(crmf->controls, i);

			if (OBJ_cmp(a->type, type) == 0)
				v = ASN1_item_dup(
				    ASN1_ITEM_rptr(ASN1_ANY), a->value);
		}
	} else {
		p = req->d.tcr->certificationRequest->value.sequence->data;
		p10 = d2i_X509_REQ(NULL, &p,
		    req->d.tcr->certificationRequest->value.sequence->length);
		assert_non_null(p10);
		i = X509_REQ_get_attr_by_OBJ(p10, type, -1);
		assert_true(i >= 0);
		v = ASN1_item_dup(ASN1_ITEM_rptr(ASN1_ANY),
		    X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(p10, i), 0));
		X509_REQ_free(p10);
	}
	ASN1_OBJECT_free(type);
	assert_non_null(v);
	return v;
}

static void
check_witnesses(int legacy)
{
	struct burin_cmc_identity id = identity;
	struct der reqs;
	const unsigned char *p;
	CMC_REQS *list;
	ASN1_TYPE *v;
	int i;

	id.legacy = legacy;
	reqs = pair(&id);
	p = reqs.data;
	assert_non_null(list = d2i_CMC_REQS(NULL, &p, (long)reqs.len));
	assert_int_equal(sk_CMC_REQ_num(list), 2);
	assert_int_equal(sk_CMC_REQ_value(list, 0)->type, CMC_REQ_TCR);
	assert_int_equal(sk_CMC_REQ_value(list, 1)->type, CMC_REQ_CRM);
	assert_int_equal(
	    ASN1_INTEGER_get(
		sk_CMC_REQ_value(list, 1)->d.crm->certReq->certReqId),
	    2);
	for (i = 0; i < 2; i++) {
		v = witness(sk_CMC_REQ_value(list, i),
		    legacy ? "1.3.6.1.5.5.7.7.23" : "1.3.6.1.5.5.7.7.33");
		must(cmc_link_verify(&identity, !legacy, v,
		    thread.pop_random.data, thread.pop_random.len, legacy,
		    BURIN_ECHECK, &e));
		ASN1_TYPE_free(v);
	}
	sk_CMC_REQ_pop_free(list, CMC_REQ_free);
	OPENSSL_free(reqs.data);
}

static void
test_witnesses(void **state)
{
	(void)state;
	check_witnesses(0);
	check_witnesses(1);
	/* the subject is as it was */
	check_witnesses(0);
}

static void
test_authenticated(void **state)
{
	struct der reqs = one(challenged(BURIN_CMC_CRMF, rsa));
	struct burin_cmc_ask ask = ask_for(&reqs, NULL);
	struct message m;

	(void)state;
	ask.protect = BURIN_CMC_AUTHENTICATED;
	ask.identity = &identity;
	m = make(&ask);
	assert_int_equal(burin_cms_get_type(m.cms), BURIN_CMS_AUTHENTICATED);
	must(burin_cms_verify_mac(m.cms, "r7", secret, 0, &e));
	drop(&m);
	OPENSSL_free(reqs.data);
}

static void
test_encrypted(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed)), again;
	struct burin_cms_recipient to = {
		.pub = rsa, .key_id = rsa_id, .key_id_len = 20
	};
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct burin_secret *inside;
	struct burin_asked asked;
	struct burin_cms *cms;
	struct message m = make(&ask);

	(void)state;
	/* what stands inside is the message, without its ContentInfo */
	must(burin_cmc_encrypt(
	    m.der.data, m.der.len, &to, &again.data, &again.len, &e));
	must(burin_cms_parse(again.data, again.len, BURIN_ECHECK, &cms, &e));
	must(burin_cms_decrypt(cms, &to, rsa, rsa, &inside, &e));
	assert_string_equal(
	    burin_cms_content_type(cms), "1.2.840.113549.1.7.2");
	assert_memory_equal(burin_secret_bytes(inside),
	    m.der.data + m.der.len - burin_secret_len(inside),
	    burin_secret_len(inside));
	burin_secret_free(&inside);
	burin_cms_free(&cms);
	assert_int_equal(burin_asked_parse(again.data, again.len, ed,
			     BURIN_EUSAGE, &asked, &e),
	    -1);
	assert_non_null(strstr(e.reason, "encrypted"));
	OPENSSL_free(again.data);

	burin_error_clear(&e);
	ask.encrypt = &to;
	must(burin_cmc_make(&ask, &again.data, &again.len, &e));
	must(burin_cms_parse(again.data, again.len, BURIN_ECHECK, &cms, &e));
	assert_int_equal(burin_cms_get_type(cms), BURIN_CMS_ENVELOPED);
	burin_cms_free(&cms);
	OPENSSL_free(again.data);

	burin_error_clear(&e);
	assert_int_equal(burin_cmc_encrypt(reqs.data, reqs.len, &to,
			     &again.data, &again.len, &e),
	    -1);
	assert_string_equal(e.code, "message-malformed");
	drop(&m);
	OPENSSL_free(reqs.data);
}

/* --- later messages ------------------------------------------------------- */

static CMC_STATUS_V2 *
status_of(const struct message *m)
{
	const ASN1_TYPE *v = value_of(m, CMC_STATUS_INFO_V2);
	CMC_STATUS_V2 *s;

	assert_non_null(v);
	s = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CMC_STATUS_V2), v);
	assert_non_null(s);
	assert_int_equal(sk_CMC_REF_num(s->bodyList), 1);
	assert_int_equal(sk_CMC_REF_value(s->bodyList, 0)->type, CMC_REF_ID);
	return s;
}

static long
reference(const CMC_STATUS_V2 *s)
{
	return ASN1_INTEGER_get(sk_CMC_REF_value(s->bodyList, 0)->d.id);
}

static void
test_poll(void **state)
{
	struct burin_cmc_thread later = thread;
	struct burin_cmc_ask ask = ask_for(NULL, &by_key);
	struct message m;

	(void)state;
	must(burin_cmc_next(&later, &e));
	memcpy(later.received.data, "server", later.received.len = 6);
	ask.thread = &later;
	memcpy(ask.pend_token.data, "token", ask.pend_token.len = 5);
	m = make(&ask);
	assert_int_equal(m.data->reqs->length, 2);
	octets_are(&m, CMC_QUERY_PENDING, "token", 5);
	octets_are(&m, CMC_RECIPIENT_NONCE, "server", 6);
	octets_are(&m, CMC_SENDER_NONCE, later.sent.data, later.sent.len);
	assert_null(value_of(&m, CMC_IDENTITY_PROOF_V2));
	ids_are_unique(&m, 0);
	drop(&m);
}

static void
check_confirm(int reject)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	struct message m;
	CMC_STATUS_V2 *s;

	ask.confirm = cert;
	ask.reject = reject;
	m = make(&ask);
	s = status_of(&m);
	assert_int_equal(ASN1_INTEGER_get(s->status),
	    reject ? BURIN_CMC_FAILED : BURIN_CMC_SUCCESS);
	assert_int_equal(reference(s),
	    ASN1_INTEGER_get(
		the_attr(&m, CMC_CONFIRM_CERT_ACCEPTANCE, 0)->bodyPartID));
	assert_null(s->info);
	CMC_STATUS_V2_free(s);
	ids_are_unique(&m, 0);
	drop(&m);
}

static void
test_confirm(void **state)
{
	(void)state;
	check_confirm(0);
	check_confirm(1);
}

static void
test_abort(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_key);
	struct message m;
	CMC_STATUS_V2 *s;

	(void)state;
	ask.abort_pop = 4294967039; /* over 2^31: five octets, unsigned */
	m = make(&ask);
	s = status_of(&m);
	assert_int_equal(ASN1_INTEGER_get(s->status), BURIN_CMC_FAILED);
	assert_int_equal(reference(s), 4294967039);
	assert_int_equal(s->info->type, CMC_INFO_FAIL);
	assert_int_equal(ASN1_INTEGER_get(s->info->d.fail), 9);
	CMC_STATUS_V2_free(s);
	/* no control may be taken for the request that is meant */
	ids_are_unique(&m, 4294967039);
	drop(&m);
}

static void
test_pop(void **state)
{
	struct burin_cmc_pop pops[2] = {
		{ 2, "1.2.840.113549.2.9", { 1, 2, 3 }, 32 },
		{ 1, "1.3.6.1.5.5.8.1.2", { 4, 5, 6 }, 20 },
	};
	struct der reqs = pair(NULL);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	CMC_DECRYPTED_POP *p;
	struct message m;
	int i;

	(void)state;
	ask.pops = pops;
	ask.n_pops = 2;
	m = make(&ask);
	for (i = 0; i < 2; i++) {
		p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CMC_DECRYPTED_POP),
		    sk_ASN1_TYPE_value(
			the_attr(&m, CMC_DECRYPTED_POP_CONTROL, i)->attrValues,
			0));
		assert_non_null(p);
		assert_int_equal(ASN1_INTEGER_get(p->bodyPartID), pops[i].id);
		assert_string_equal(cmc_hmac_name(p->thePOPAlgID, 1),
		    i == 0 ? "SHA256" : "SHA1");
		assert_int_equal(p->thePOP->length, pops[i].value_len);
		assert_memory_equal(
		    p->thePOP->data, pops[i].value, pops[i].value_len);
		CMC_DECRYPTED_POP_free(p);
	}
	ids_are_unique(&m, 2);
	drop(&m);
	OPENSSL_free(reqs.data);
}

/* --- services ------------------------------------------------------------- */

static void
test_revoke(void **state)
{
	struct burin_cmc_revocation r = revocation;
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	struct message m;
	CMC_REVOKE *v;

	(void)state;
	r.reason = 4;
	ask.revoke = &r;
	m = make(&ask);
	assert_int_equal(burin_cms_n_signers(m.cms), 1);
	v = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(CMC_REVOKE), value_of(&m, CMC_REVOKE_REQUEST));
	assert_int_equal(ASN1_ENUMERATED_get(v->reason), 4);
	assert_null(v->secret);
	assert_null(v->comment);
	assert_null(v->invalidityDate);
	CMC_REVOKE_free(v);
	drop(&m);

	r.secret = secret;
	ask.signer = NULL;
	m = make(&ask);
	assert_int_equal(burin_cms_n_signers(m.cms), 0);
	v = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(CMC_REVOKE), value_of(&m, CMC_REVOKE_REQUEST));
	assert_int_equal(v->secret->length, 13);
	CMC_REVOKE_free(v);
	drop(&m);
}

static void
test_retrieval(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	const ASN1_STRING *s;
	struct message m;

	(void)state;
	ask.get_issuer = X509_get_issuer_name(cert);
	ask.get_serial = X509_get0_serialNumber(cert);
	m = make(&ask);
	s = value_of(&m, CMC_GET_CERT_CONTROL)->value.sequence;
	assert_int_equal(s->data[2], 0xa4); /* directoryName */
	drop(&m);
	ask.get_serial = NULL;
	ask.get_crl = 1;
	m = make(&ask);
	s = value_of(&m, CMC_GET_CRL_CONTROL)->value.sequence;
	assert_int_equal(s->data[2], 0x30); /* Name */
	drop(&m);
	/* anybody may ask */
	ask.signer = NULL;
	m = make(&ask);
	assert_int_equal(burin_cms_n_signers(m.cms), 0);
	drop(&m);
}

static void
test_publish(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	unsigned char md[32];
	unsigned int len = 32;
	CMC_PUBLISH *p;
	struct message m;

	(void)state;
	assert_int_equal(X509_digest(cert, EVP_sha256(), md, &len), 1);
	ask.publish = certs;
	for (; ask.unpublish < 2; ask.unpublish++) {
		m = make(&ask);
		p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CMC_PUBLISH),
		    value_of(&m, CMC_PUBLISH_CERT));
		assert_int_equal(
		    ASN1_INTEGER_get(p->info->action), !ask.unpublish);
		assert_null(p->info->places);
		assert_memory_equal(
		    sk_ASN1_OCTET_STRING_value(p->certHashes, 0)->data, md, 32);
		CMC_PUBLISH_free(p);
		drop(&m);
	}
}

static void
test_publish_place(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	const CMC_PUB_PLACE *place;
	CMC_PUBLISH *p;
	struct message m;

	(void)state;
	ask.publish = sk_X509_dup(certs);
	assert_true(sk_X509_push(ask.publish, cert) > 0);
	ask.publish_place = BURIN_CMC_WEB;
	ask.publish_uri = "http://certs.example.org/";
	m = make(&ask);
	p = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(CMC_PUBLISH), value_of(&m, CMC_PUBLISH_CERT));
	assert_int_equal(sk_ASN1_OCTET_STRING_num(p->certHashes), 2);
	assert_int_equal(sk_CMC_PUB_PLACE_num(p->info->places), 1);
	place = sk_CMC_PUB_PLACE_value(p->info->places, 0);
	assert_int_equal(ASN1_INTEGER_get(place->method), 2);
	assert_int_equal(place->location->type, GEN_URI);
	assert_int_equal(
	    ASN1_STRING_length(place->location->d.uniformResourceIdentifier),
	    strlen(ask.publish_uri));
	CMC_PUBLISH_free(p);
	drop(&m);
	sk_X509_free(ask.publish);
}

/* --- changeSubjectName ---------------------------------------------------- */

static void
test_change_name(void **state)
{
	struct burin_subject *s, *to;
	struct der d;

	(void)state;
	burin_error_clear(&e);
	must(burin_subject_new(&s, &e));
	must(burin_subject_new(&to, &e));
	assert_int_equal(burin_cmc_change_name(s, to, 0, &e), -1);
	assert_string_equal(e.code, "name-empty");
	burin_error_clear(&e);
	must(burin_subject_add_san(to, "dns:r8.example", &e));
	must(burin_cmc_change_name(s, to, 0, &e));
	assert_int_equal(burin_cmc_change_name(s, to, 1, &e), -1);
	assert_string_equal(e.code, "attribute-twice");
	burin_error_clear(&e);
	must(burin_pkcs10_make(s, ed, ed, NULL, &d.data, &d.len, &e));
	OPENSSL_free(d.data);
	burin_subject_free(&s);
	burin_subject_free(&to);
}

/* The first (and only) changeSubjectName asks for CN=r8, dns:r8.example. */
static void
asks_for_r8(const struct burin_subject *s, int crmf)
{
	struct burin_cmc_request r = { .form = crmf ? BURIN_CMC_CRMF
						    : BURIN_CMC_PKCS10,
		.subject = s,
		.pub = ed,
		.how = { .pop = BURIN_POP_SIGNATURE, .key = ed, .agree = -1 } };
	struct burin_asked a;
	GENERAL_NAMES *names;
	struct der d;
	char *cn;

	must(burin_cmc_requests_make(
	    &r, 1, &thread, &identity, &d.data, &d.len, &e));
	must(burin_asked_parse(d.data, d.len, ed, BURIN_ECHECK, &a, &e));
	cn = X509_NAME_oneline(a.subject, NULL, 0);
	assert_string_equal(cn, "/CN=r8");
	OPENSSL_free(cn);
	names = X509V3_get_d2i(a.extensions, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	GENERAL_NAMES_free(names);
	burin_asked_clear(&a);
	OPENSSL_free(d.data);
}

/* The names of the certificate outside, those that are wanted inside. */
static void
test_rename(void **state)
{
	struct burin_subject *s;
	int i, changed;

	(void)state;
	for (i = 0; i < 4; i++) {
		burin_error_clear(&e);
		must(burin_subject_new(&s, &e));
		must(burin_subject_set_dn(s, "CN=r8", &e));
		must(burin_subject_add_san(s, "dns:r8.example", &e));
		must(burin_cmc_rename(s, cert, i & 1, &changed, &e));
		assert_int_equal(changed, 1);
		assert_int_equal(
		    X509_NAME_cmp(s->dn, X509_get_subject_name(cert)), 0);
		assert_int_equal(sk_GENERAL_NAME_num(s->sans), 0);
		asks_for_r8(s, i & 2);
		burin_subject_free(&s);
	}
	/* the same names: nothing is changed */
	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=Example CA", &e));
	must(burin_cmc_rename(s, cert, 0, &changed, &e));
	assert_int_equal(changed, 0);
	assert_int_equal(sk_X509_ATTRIBUTE_num(s->attributes), 0);
	burin_subject_free(&s);
	/* none at all cannot be wished for */
	must(burin_subject_new(&s, &e));
	assert_int_equal(burin_cmc_rename(s, cert, 0, &changed, &e), -1);
	assert_string_equal(e.code, "name-empty");
	assert_int_equal(changed, 0);
	burin_subject_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_enrol),
		cmocka_unit_test(test_witnesses),
		cmocka_unit_test(test_authenticated),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_confirm),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_pop),
		cmocka_unit_test(test_revoke),
		cmocka_unit_test(test_retrieval),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_publish_place),
		cmocka_unit_test(test_change_name),
		cmocka_unit_test(test_rename),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
