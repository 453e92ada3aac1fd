/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Full PKI Requests as they are made: what is in them, what they refuse to
 * say, and what is read out of them again. Their bytes are held to golden
 * files in tests/golden/test_cmc.c.
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

#include "csr/cmc/controls.h"
#include "csr/cmc/proofs.h"

#include "mutate.h"
#include "pki.h"

static struct burin_error e;
static EVP_PKEY *ed, *other, *rsa, *x25519;
static X509 *cert;
static unsigned char ed_id[20], rsa_id[20];
static struct burin_subject *subject;
static struct burin_secret *secret;
static struct burin_cmc_identity identity;
static struct burin_cmc_thread thread;
static struct burin_cms_signer by_key, by_cert, unsigned_rsa, by_nobody;
static struct burin_cmc_revocation revocation;

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
key_id(EVP_PKEY *key, unsigned char id[20])
{
	struct pki_spec spec = {
		.cn = "a", .key = key, .issuer = cert, .issuer_key = ed
	};
	X509 *holder = pki_cert(&spec);
	unsigned int len = 20;

	assert_int_equal(X509_pubkey_digest(holder, EVP_sha1(), id, &len), 1);
	X509_free(holder);
}

static int
setup(void **state)
{
	(void)state;
	ed = pki_key("ED25519");
	other = pki_key("ED25519");
	rsa = pki_key("RSA");
	x25519 = pki_key("X25519");
	cert = pki_ca("Example CA", ed);
	key_id(ed, ed_id);
	key_id(rsa, rsa_id);
	must(burin_subject_new(&subject, &e));
	must(burin_subject_set_dn(subject, "CN=r7", &e));
	must(burin_secret_new(&secret, "correct horse", 13, &e));
	identity = (struct burin_cmc_identity) { "r7", secret, 0, 0 };
	must(burin_cmc_begin(&thread, &e));
	by_key = (struct burin_cms_signer) { .by = BURIN_CMS_BY_KEY,
		.key = ed,
		.pub = ed,
		.key_id = ed_id,
		.key_id_len = 20 };
	by_cert = (struct burin_cms_signer) {
		.by = BURIN_CMS_BY_CERT, .key = ed, .pub = ed, .cert = cert
	};
	unsigned_rsa = (struct burin_cms_signer) {
		.by = BURIN_CMS_UNSIGNED, .key_id = rsa_id, .key_id_len = 20
	};
	by_nobody = (struct burin_cms_signer) { .by = BURIN_CMS_BY_NOBODY };
	revocation =
	    (struct burin_cmc_revocation) { .issuer =
						X509_get_issuer_name(cert),
		    .serial = X509_get0_serialNumber(cert) };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	burin_secret_free(&secret);
	burin_subject_free(&subject);
	X509_free(cert);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(other);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(x25519);
	return 0;
}

/* --- requests ------------------------------------------------------------- */

static struct burin_cmc_request
signed_by(enum burin_cmc_form form, EVP_PKEY *key)
{
	return (struct burin_cmc_request) { form, subject, key,
		{ .pop = BURIN_POP_SIGNATURE, .key = key, .agree = -1 } };
}

static struct burin_cmc_request
challenged(enum burin_cmc_form form, EVP_PKEY *key)
{
	return (struct burin_cmc_request) { form, subject, key,
		{ .pop = BURIN_POP_CHALLENGE, .agree = -1 } };
}

struct der {
	unsigned char *data;
	size_t len;
};

static struct der
requests(const struct burin_cmc_request *list, size_t n,
    const struct burin_cmc_identity *id)
{
	struct der d;

	burin_error_clear(&e);
	must(
	    burin_cmc_requests_make(list, n, &thread, id, &d.data, &d.len, &e));
	return d;
}

/* ed signs its own as PKCS#10, rsa waits for its challenge as CRMF. */
static struct der
pair(const struct burin_cmc_identity *id)
{
	struct burin_cmc_request list[2] = { signed_by(BURIN_CMC_PKCS10, ed),
		challenged(BURIN_CMC_CRMF, rsa) };

	return requests(list, 2, id);
}

static struct der
one(struct burin_cmc_request r)
{
	return requests(&r, 1, NULL);
}

static struct burin_cmc_ask
ask_for(const struct der *reqs, const struct burin_cms_signer *signer)
{
	struct burin_cmc_ask ask = { .thread = &thread, .signer = signer };

	if (reqs != NULL) {
		ask.requests = reqs->data;
		ask.requests_len = reqs->len;
	}
	burin_error_clear(&e);
	return ask;
}

/* --- messages ------------------------------------------------------------- */

struct message {
	struct der der;
	struct burin_cms *cms;
	CMC_PKI_DATA *data;
};

static struct message
make(const struct burin_cmc_ask *ask)
{
	struct message m;
	const unsigned char *p, *start;
	size_t len;

	must(burin_cmc_make(ask, &m.der.data, &m.der.len, &e));
	must(burin_cms_parse(m.der.data, m.der.len, BURIN_ECHECK, &m.cms, &e));
	assert_string_equal(
	    burin_cms_content_type(m.cms), "1.3.6.1.5.5.7.12.2");
	start = p = burin_cms_content(m.cms, &len);
	assert_non_null(m.data = d2i_CMC_PKI_DATA(NULL, &p, (long)len));
	assert_ptr_equal(p, start + len);
	assert_int_equal(sk_CMC_CONTENT_num(m.data->cms), 0);
	assert_int_equal(sk_CMC_OTHER_num(m.data->others), 0);
	return m;
}

static void
drop(struct message *m)
{
	CMC_PKI_DATA_free(m->data);
	burin_cms_free(&m->cms);
	OPENSSL_free(m->der.data);
}

static CMC_ATTR *
attr_of(const struct message *m, enum cmc_control number, int nth)
{
	char oid[64], want[64];
	int i;

	(void)snprintf(want, sizeof(want), CMC_OID_ARC "%d", number);
	for (i = 0; i < sk_CMC_ATTR_num(m->data->controls); i++) {
		CMC_ATTR *a = sk_CMC_ATTR_value(m->data->controls, i);

		assert_int_equal(sk_ASN1_TYPE_num(a->attrValues), 1);
		assert_true(OBJ_obj2txt(oid, sizeof(oid), a->attrType, 1) > 0);
		if (strcmp(oid, want) == 0 && nth-- == 0)
			return a;
	}
	return NULL;
}

/* The value of a control that is there once. */
static ASN1_TYPE *
value_of(const struct message *m, enum cmc_control number)
{
	CMC_ATTR *a = attr_of(m, number, 0);

	assert_null(attr_of(m, number, 1));
	return a != NULL ? sk_ASN1_TYPE_value(a->attrValues, 0) : NULL;
}

static void
octets_are(const struct message *m, enum cmc_control number, const void *data,
    size_t len)
{
	const ASN1_TYPE *v = value_of(m, number);

	assert_non_null(v);
	assert_int_equal(v->type, V_ASN1_OCTET_STRING);
	assert_int_equal(v->value.octet_string->length, len);
	assert_memory_equal(v->value.octet_string->data, data, len);
}

static void
controls_are(const struct message *m, const enum cmc_control *list)
{
	char oid[64], want[64];
	int i, n = sk_CMC_ATTR_num(m->data->controls);

	for (i = 0; i < n; i++) {
		(void)OBJ_obj2txt(oid, sizeof(oid),
		    sk_CMC_ATTR_value(m->data->controls, i)->attrType, 1);
		(void)snprintf(want, sizeof(want), CMC_OID_ARC "%d", list[i]);
		assert_string_equal(oid, want);
	}
	assert_int_equal(list[n], 0);
}

/* Of controls and requests; none 0, none twice. */
static void
ids_are_unique(const struct message *m, size_t n_reqs)
{
	int i, j, n = sk_CMC_ATTR_num(m->data->controls);

	for (i = 0; i < n; i++) {
		long id = ASN1_INTEGER_get(
		    sk_CMC_ATTR_value(m->data->controls, i)->bodyPartID);

		assert_true(id > (long)n_reqs);
		for (j = 0; j < i; j++)
			assert_int_not_equal(id,
			    ASN1_INTEGER_get(
				sk_CMC_ATTR_value(m->data->controls, j)
				    ->bodyPartID));
	}
}

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
		attr_of(&m, CMC_CONFIRM_CERT_ACCEPTANCE, 0)->bodyPartID));
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
			attr_of(&m, CMC_DECRYPTED_POP_CONTROL, i)->attrValues,
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
	ask.publish = cert;
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

/* --- what is refused ------------------------------------------------------ */

/* Refused with this code and section. */
static void
refused(const struct burin_cmc_ask *ask, const char *code, const char *section)
{
	struct der d;

	burin_error_clear(&e);
	assert_int_equal(burin_cmc_make(ask, &d.data, &d.len, &e), -1);
	assert_null(d.data);
	assert_string_equal(e.code, code);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.rule, section);
	assert_null(strstr(e.reason, "horse"));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_signer_rules(void **state)
{
	struct der ed_req = one(signed_by(BURIN_CMC_PKCS10, ed)),
		   rsa_p10 = one(challenged(BURIN_CMC_PKCS10, rsa)),
		   rsa_crmf = one(challenged(BURIN_CMC_CRMF, rsa)), no_ski;
	struct burin_cms_signer s = by_key;
	struct burin_cmc_ask ask = ask_for(&ed_req, &s);
	struct message m;

	(void)state;
	m = make(&ask);
	drop(&m);
	/* a key whose request is not here, or is of another key */
	s.key = s.pub = other;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	s = by_key;
	s.key_id = rsa_id;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	assert_non_null(strstr(e.advice, "subjectKeyIdentifier"));
	s = by_key;
	burin_subject_set_ski(subject, 0);
	no_ski = one(signed_by(BURIN_CMC_PKCS10, ed));
	burin_subject_set_ski(subject, 1);
	ask = ask_for(&no_ski, &s);
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	/* a certificate signs what has no SKI: RFC 6487's requests */
	ask.signer = &by_cert;
	m = make(&ask);
	drop(&m);
	/* a key that is to be challenged has signed nothing */
	s.key = s.pub = rsa;
	s.key_id = rsa_id;
	ask = ask_for(&rsa_p10, &s);
	refused(&ask, "signer-without-signature", "RFC 10002 section 3.2");
	ask = ask_for(&rsa_crmf, &s);
	refused(&ask, "signer-without-signature", "RFC 10002 section 3.2");
	ask.signer = &unsigned_rsa;
	m = make(&ask);
	drop(&m);
	ask = ask_for(&ed_req, &unsigned_rsa);
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	/* nobody */
	ask.signer = &by_nobody;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask.signer = NULL;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	/* a key alone only goes on with what its request began */
	ask = ask_for(NULL, &by_key);
	ask.publish = cert;
	refused(&ask, "signer-not-in-request", "RFC 10002 section 3.2");
	OPENSSL_free(ed_req.data);
	OPENSSL_free(rsa_p10.data);
	OPENSSL_free(rsa_crmf.data);
	OPENSSL_free(no_ski.data);
}

static void
test_secret_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_identity id = identity;
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);

	(void)state;
	ask.protect = BURIN_CMC_AUTHENTICATED;
	refused(&ask, "secret-missing", "RFC 10002 section 3.2");
	ask.identity = &id;
	id.secret = NULL;
	refused(&ask, "secret-missing", "RFC 10002 section 6.2");
	id = identity;
	id.identification = "two\nlines";
	refused(&ask, "text-malformed", "RFC 10002 section 6.2.3");
	id.identification = "";
	refused(&ask, "text-malformed", "RFC 10002 section 6.2.3");
	id = identity;
	ask = ask_for(&reqs, &by_key);
	ask.thread = NULL;
	ask.link = 1;
	refused(&ask, "random-missing", "RFC 10002 section 6.3.1.3");
	ask = ask_for(NULL, &by_cert);
	ask.publish = cert;
	ask.link = 1;
	refused(&ask, "random-missing", "RFC 10002 section 6.3.1.3");
	OPENSSL_free(reqs.data);
}

static void
test_revocation_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_revocation r = revocation;
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	struct message m;

	(void)state;
	ask.revoke = &r;
	m = make(&ask);
	drop(&m);
	r.secret = secret;
	refused(&ask, "revocation-signed", "RFC 10002 section 6.11");
	ask.protect = BURIN_CMC_AUTHENTICATED;
	ask.identity = &identity;
	refused(&ask, "revocation-signed", "RFC 10002 section 6.11");
	ask = ask_for(NULL, &by_nobody);
	ask.revoke = &r;
	m = make(&ask);
	drop(&m);
	ask.publish = cert;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask = ask_for(&reqs, NULL);
	ask.revoke = &r;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	r.secret = NULL;
	ask = ask_for(NULL, &by_nobody);
	ask.revoke = &r;
	refused(&ask, "signer-missing", "RFC 10002 section 3.2");
	ask.signer = &by_cert;
	for (r.reason = -1; r.reason < 12; r.reason++) {
		if (r.reason >= 0 && r.reason <= 10 && r.reason != 7) {
			m = make(&ask);
			drop(&m);
		} else {
			refused(&ask, "revocation-malformed",
			    "RFC 10002 section 6.11");
			burin_error_clear(&e);
		}
	}
	r = revocation;
	r.comment = "\x1b[31m";
	refused(&ask, "text-malformed", "RFC 10002 section 6.11");
	r = revocation;
	r.serial = NULL;
	refused(&ask, "revocation-malformed", "RFC 10002 section 6.11");
	OPENSSL_free(reqs.data);
}

static void
test_other_rules(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct burin_cmc_pop pop = { 2, "1.2.840.113549.2.9", { 1 }, 32 };
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	const struct burin_cmc_ask plain = ask;

	(void)state;
	ask.pend_token.len = 4;
	refused(&ask, "poll-with-requests", "RFC 10002 section 6.13");
	ask.pend_token.len = BURIN_CMC_MAX_OCTETS + 1;
	refused(&ask, "octets-too-long", "RFC 10002 section 6.13");
	ask = plain;
	ask.pops = &pop;
	ask.n_pops = 1;
	refused(&ask, "pop-request", "RFC 10002 section 6.7");
	pop.id = 1;
	pop.value_len = 0;
	refused(&ask, "pop-malformed", "RFC 10002 section 6.7");
	pop.value_len = 32;
	(void)strcpy(pop.algorithm, "1.2.3");
	refused(&ask, "pop-malformed", "RFC 10002 section 6.7");
	ask.n_pops = 9;
	refused(&ask, "pop-count", "RFC 10002 section 6.7");
	ask = ask_for(NULL, &by_cert);
	refused(&ask, "nothing-asked", "RFC 10002 section 3.2");
	ask.get_issuer = X509_get_issuer_name(cert);
	refused(&ask, "retrieval-malformed", "RFC 10002 section 6.9");
	ask.get_serial = X509_get0_serialNumber(cert);
	ask.get_crl = 1;
	refused(&ask, "retrieval-both", "RFC 10002 section 6.9");
	ask.get_serial = NULL;
	ask.get_issuer = NULL;
	refused(&ask, "retrieval-malformed", "RFC 10002 section 6.10");
	ask = ask_for(NULL, &by_key);
	ask.abort_pop = UINT32_MAX;
	refused(&ask, "body-part", "RFC 10002 section 3.2.2");
	/* what we made was changed since */
	ask = plain;
	ask.requests_len--;
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_make(&ask, &(unsigned char *) { NULL },
			     &(size_t) { 0 }, &e),
	    -1);
	assert_string_equal(e.code, "request-malformed");
	OPENSSL_free(reqs.data);
}

static void
test_request_rules(void **state)
{
	struct burin_cmc_request list[9];
	struct burin_cmc_thread none = { 0 };
	struct burin_subject *full;
	struct der d;
	char line[32];
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		list[i] = signed_by(BURIN_CMC_PKCS10, ed);
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 9, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "request-count");
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 0, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	burin_error_clear(&e);
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &none, &identity, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "random-missing");
	/* a subject that has no room for one attribute more */
	burin_error_clear(&e);
	must(burin_subject_new(&full, &e));
	for (i = 0; i < BURIN_MAX_ATTRIBUTES - 2; i++) {
		(void)snprintf(line, sizeof(line), "1.2.3.%zu=x", i);
		must(burin_subject_add_attribute(full, line, &e));
	}
	list[0].subject = full;
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &thread, &identity, &d.data, &d.len, &e),
	    -1);
	assert_string_equal(e.code, "too-many-attributes");
	burin_error_clear(&e);
	must(burin_cmc_requests_make(
	    list, 1, &thread, NULL, &d.data, &d.len, &e));
	OPENSSL_free(d.data);
	burin_subject_free(&full);
	/* X25519 cannot sign, and can be challenged */
	list[0] = signed_by(BURIN_CMC_PKCS10, x25519);
	assert_int_equal(burin_cmc_requests_make(
			     list, 1, &thread, NULL, &d.data, &d.len, &e),
	    -1);
	d = one(challenged(BURIN_CMC_CRMF, x25519));
	OPENSSL_free(d.data);
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

/* --- what was asked ------------------------------------------------------- */

static void
asks(struct der d, EVP_PKEY *pub, EVP_PKEY *found)
{
	struct burin_asked a;
	char *cn;

	burin_error_clear(&e);
	must(burin_asked_parse(d.data, d.len, pub, BURIN_ECHECK, &a, &e));
	assert_int_equal(EVP_PKEY_eq(a.pub, found), 1);
	cn = X509_NAME_oneline(a.subject, NULL, 0);
	assert_string_equal(cn, "/CN=r7");
	OPENSSL_free(cn);
	assert_int_equal(sk_X509_EXTENSION_num(a.extensions), 1);
	burin_asked_clear(&a);
	assert_null(a.pub);
}

static void
asks_not(struct der d, EVP_PKEY *pub, const char *code)
{
	struct burin_asked a;

	burin_error_clear(&e);
	assert_int_equal(
	    burin_asked_parse(d.data, d.len, pub, BURIN_ECHECK, &a, &e), -1);
	assert_string_equal(e.code, code);
	assert_int_equal(e.status, BURIN_ECHECK);
	assert_null(a.subject);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_asked_single(void **state)
{
	struct burin_pop_how how = { .pop = BURIN_POP_CHALLENGE, .agree = -1 };
	struct der p10, crm[2], list;

	(void)state;
	burin_error_clear(&e);
	must(burin_pkcs10_make(subject, ed, ed, NULL, &p10.data, &p10.len, &e));
	asks(p10, ed, ed);
	asks(p10, NULL, ed);
	asks_not(p10, rsa, "request-not-there");
	must(burin_crmf_make(
	    subject, rsa, 1, &how, &crm[0].data, &crm[0].len, &e));
	asks(crm[0], rsa, rsa);
	asks(crm[0], NULL, rsa);
	asks_not(crm[0], ed, "request-not-there");
	must(burin_crmf_make(
	    subject, x25519, 2, &how, &crm[1].data, &crm[1].len, &e));
	must(burin_crmf_list(
	    (const unsigned char *const[]) { crm[0].data, crm[1].data },
	    (const size_t[]) { crm[0].len, crm[1].len }, 2, &list.data,
	    &list.len, &e));
	asks(list, rsa, rsa);
	asks(list, x25519, x25519);
	asks_not(list, ed, "request-not-there");
	asks_not(list, NULL, "request-not-there");
	OPENSSL_free(p10.data);
	OPENSSL_free(crm[0].data);
	OPENSSL_free(crm[1].data);
	OPENSSL_free(list.data);
}

static void
test_asked_message(void **state)
{
	struct der reqs = pair(&identity);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct message m;

	(void)state;
	asks(reqs, ed, ed);
	asks(reqs, rsa, rsa);
	asks_not(reqs, NULL, "request-not-there");
	m = make(&ask);
	asks(m.der, ed, ed);
	asks(m.der, rsa, rsa);
	asks_not(m.der, other, "request-not-there");
	drop(&m);
	ask.protect = BURIN_CMC_AUTHENTICATED;
	ask.identity = &identity;
	m = make(&ask);
	asks(m.der, rsa, rsa);
	drop(&m);
	/* a message without requests */
	ask = ask_for(NULL, &by_cert);
	ask.publish = cert;
	m = make(&ask);
	asks_not(m.der, ed, "request-not-there");
	drop(&m);
	OPENSSL_free(reqs.data);
}

static void
test_asked_nonsense(void **state)
{
	static unsigned char nothing[] = "nothing of the kind",
			     empty[] = { 0x30, 0x00 },
			     tagged[] = { 0x30, 0x02, 0xa0, 0x00 };
	struct der none = { NULL, 0 }, ca;

	(void)state;
	asks_not((struct der) { nothing, sizeof(nothing) - 1 }, ed,
	    "request-malformed");
	asks_not(
	    (struct der) { empty, sizeof(empty) }, ed, "request-malformed");
	asks_not(
	    (struct der) { tagged, sizeof(tagged) }, ed, "request-malformed");
	asks_not(none, ed, "request-malformed");
	/* certificates only */
	must(burin_cms_sign(&(struct burin_cms_signer) { .certs = NULL },
	    "1.2.840.113549.1.7.1", NULL, 0, &ca.data, &ca.len, &e));
	asks_not(ca, ed, "request-malformed");
	OPENSSL_free(ca.data);
}

/* 1 when it is taken; exactly its bytes, so that a read beyond is seen. */
static int
taken(const unsigned char *data, size_t len)
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	struct burin_asked a;
	int rc;

	assert_non_null(exact);
	memcpy(exact, data, len);
	burin_error_clear(&e);
	rc = burin_asked_parse(exact, len, ed, BURIN_ECHECK, &a, &e);
	assert_int_equal(ERR_peek_error(), 0);
	assert_true(rc == 0 || (e.code[0] != '\0' && a.subject == NULL));
	burin_asked_clear(&a);
	free(exact);
	return rc == 0;
}

#define ROUNDS 1000
static void
damage(const struct der *good, const struct der *piece)
{
	unsigned char *out = malloc(good->len + MUTATE_ROOM);
	struct mutator m = { UINT64_C(0x636d63), 0 };
	unsigned i, n = 0;
	size_t len;

	assert_non_null(out);
	assert_int_equal(taken(good->data, good->len), 1);
	for (i = 0; i < ROUNDS; i++) {
		len = mutate(
		    &m, i, good->data, good->len, piece->data, piece->len, out);
		n += (unsigned)taken(out, len);
	}
	for (len = 0; len < good->len; len++)
		assert_int_equal(taken(good->data, len), 0);
	print_message("  %u of %d damaged taken\n", n, ROUNDS);
	/* Nothing is verified: a changed signature or nonce is all right. */
	assert_true(n < ROUNDS);
	free(out);
}

static void
test_asked_damaged(void **state)
{
	struct der reqs = pair(&identity);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct message m = make(&ask);

	(void)state;
	damage(&m.der, &reqs);
	damage(&reqs, &m.der);
	drop(&m);
	OPENSSL_free(reqs.data);
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
		cmocka_unit_test(test_signer_rules),
		cmocka_unit_test(test_secret_rules),
		cmocka_unit_test(test_revocation_rules),
		cmocka_unit_test(test_other_rules),
		cmocka_unit_test(test_request_rules),
		cmocka_unit_test(test_change_name),
		cmocka_unit_test(test_asked_single),
		cmocka_unit_test(test_asked_message),
		cmocka_unit_test(test_asked_nonsense),
		cmocka_unit_test(test_asked_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
