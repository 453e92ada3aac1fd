/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules that every reader of a PKIData or PKIResponse applies.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "cmc_responder.h"
#include "csr/cmc/parse.h"
#include "mutate.h"
#include "pki.h"

static struct burin_error e;
static struct cmc_body *body;

static void
taken_as(enum cmc_kind kind, const unsigned char *der, size_t len)
{
	if (cmc_body_parse(kind, der, len, BURIN_ECHECK, &body, &e) == -1)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
refused_as(
    enum cmc_kind kind, const unsigned char *der, size_t len, const char *words)
{
	assert_int_equal(
	    cmc_body_parse(kind, der, len, BURIN_EAUTHORITY, &body, &e), -1);
	print_message("  %s [%s]\n", e.reason, e.rule);
	assert_null(body);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_string_equal(e.code, "cmc-malformed");
	assert_string_not_equal(e.rule, "");
	if (strstr(e.reason, words) == NULL)
		fail_msg("not about \"%s\"", words);
	burin_error_clear(&e);
	assert_int_equal(ERR_peek_error(), 0);
}

/* Ends s. */
static void
response(struct said *s, const char *words)
{
	size_t len;
	unsigned char *der = said_response(s, &len);

	if (words == NULL)
		taken_as(CMC_RESPONSE, der, len);
	else
		refused_as(CMC_RESPONSE, der, len, words);
	OPENSSL_free(der);
	said_free(s);
}

/* --- the table ------------------------------------------------------------ */

static void
test_table(void **state)
{
	const struct cmc_control_row *row;
	ASN1_OBJECT *oid;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; (row = cmc_control_at(i)) != NULL; i++) {
		assert_ptr_equal(cmc_control_row(row->number), row);
		(void)snprintf(
		    text, sizeof(text), CMC_OID_ARC "%d", (int)row->number);
		assert_non_null(oid = OBJ_txt2obj(text, 1));
		assert_ptr_equal(cmc_control_find(oid), row);
		ASN1_OBJECT_free(oid);
		assert_non_null(row->name);
		assert_non_null(ASN1_ITEM_ptr(row->item));
		assert_int_not_equal(row->where &
			(CMC_IN_REQUEST | CMC_IN_RESPONSE |
			    CMC_IN_CERT_REQUEST),
		    0);
	}
	assert_int_equal(i, 33);
	/* The trap: 33 is in requests, 34 among the controls. */
	assert_string_equal(
	    cmc_control_row(CMC_POP_LINK_WITNESS_V2)->name, "popLinkWitnessV2");
	assert_int_equal(CMC_POP_LINK_WITNESS_V2, 33);
	assert_non_null(oid = OBJ_txt2obj(CMC_OID_ARC "12", 1));
	assert_null(cmc_control_find(oid));
	ASN1_OBJECT_free(oid);
	assert_non_null(oid = OBJ_txt2obj("1.3.6.1.5.5.7.7", 1));
	assert_null(cmc_control_find(oid));
	ASN1_OBJECT_free(oid);
	assert_non_null(oid = OBJ_txt2obj(CMC_OID_ARC "5.1", 1));
	assert_null(cmc_control_find(oid));
	ASN1_OBJECT_free(oid);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(burin_cmc_status_name(0), "success");
	assert_null(burin_cmc_status_name(1));
	assert_string_equal(burin_cmc_status_name(7), "partial");
	assert_null(burin_cmc_status_name(8));
	assert_null(burin_cmc_status_name(-1));
	assert_string_equal(burin_cmc_fail_name(13), "authDataFail");
	assert_null(burin_cmc_fail_name(14));
	assert_null(burin_cmc_fail_name(1000));
	assert_null(burin_cmc_fail_name(-1));
}

/* --- controls ------------------------------------------------------------- */

static void
test_controls(void **state)
{
	ASN1_TYPE any = { .type = V_ASN1_NULL };
	unsigned char much[BURIN_CMC_MAX_OCTETS + 1] = { 1 };
	struct said s;
	size_t at = 0;

	(void)state;
	said_begin(&s);
	(void)said_octets(&s, CMC_SENDER_NONCE, "n", 1);
	(void)said_plain(&s, 0, -1);
	(void)said_plain(&s, 5, -1);
	(void)said_any(&s, "1.2.3.4", &any);
	response(&s, NULL);
	assert_int_equal(body->n_controls, 4);
	assert_int_equal(body->controls[0].id, 0xffffff00u);
	assert_non_null(cmc_body_value(body, CMC_SENDER_NONCE));
	assert_null(cmc_body_value(body, CMC_RECIPIENT_NONCE));
	assert_non_null(cmc_body_next(body, CMC_STATUS_INFO_V2, &at));
	assert_non_null(cmc_body_next(body, CMC_STATUS_INFO_V2, &at));
	assert_null(cmc_body_next(body, CMC_STATUS_INFO_V2, &at));
	/* What is not known is kept by its OID. */
	assert_null(body->controls[3].row);
	assert_non_null(body->controls[3].oid);
	assert_true(cmc_body_has(body, 0xffffff03u));
	assert_false(cmc_body_has(body, 1));
	cmc_body_free(&body);

	said_begin(&s);
	(void)said_octets(&s, CMC_SENDER_NONCE, "n", 1);
	(void)said_octets(&s, CMC_SENDER_NONCE, "m", 1);
	response(&s, "senderNonce in the response is there twice");
	said_begin(&s);
	(void)said_integer(&s, CMC_SENDER_NONCE, "n", 1);
	response(&s, "value of another type");
	said_begin(&s);
	(void)said_octets(&s, CMC_TRANSACTION_ID, "n", 1);
	response(&s, "value of another type");
	said_begin(&s);
	(void)said_octets(&s, CMC_DATA_RETURN, much, sizeof(much));
	response(&s, "longer than 1024");
	said_begin(&s);
	(void)said_octets(&s, CMC_QUERY_PENDING, "n", 1);
	response(&s, "queryPending in the response has no place");
	said_begin(&s);
	(void)said_octets(&s, CMC_POP_LINK_WITNESS, "n", 1);
	response(&s, "popLinkWitness in the response has no place");
	/* Two values, and none. */
	said_begin(&s);
	(void)said_octets(&s, CMC_SENDER_NONCE, "n", 1);
	ASN1_TYPE_free(sk_ASN1_TYPE_pop(
	    sk_CMC_ATTR_value(s.body->controls, 0)->attrValues));
	response(&s, "not exactly one value");
	said_begin(&s);
	(void)said_octets(&s, CMC_SENDER_NONCE, "n", 1);
	{
		ASN1_TYPE *two = ASN1_TYPE_new();

		ASN1_TYPE_set(two, V_ASN1_NULL, NULL);
		assert_true(
		    sk_ASN1_TYPE_push(
			sk_CMC_ATTR_value(s.body->controls, 0)->attrValues,
			two) > 0);
	}
	response(&s, "not exactly one value");
}

static void
test_ids(void **state)
{
	struct said s;
	int i;

	(void)state;
	said_begin(&s);
	(void)said_plain(&s, 0, -1);
	s.next--;
	(void)said_plain(&s, 0, -1);
	response(&s, "two parts with one bodyPartID");
	said_begin(&s);
	s.next = 0;
	(void)said_plain(&s, 0, -1);
	response(&s, "not 1 to 4294967295");
	/* 2^32 and -1. */
	said_begin(&s);
	(void)said_plain(&s, 0, -1);
	assert_int_equal(ASN1_INTEGER_set_uint64(
			     sk_CMC_ATTR_value(s.body->controls, 0)->bodyPartID,
			     UINT64_C(1) << 32),
	    1);
	response(&s, "not 1 to 4294967295");
	said_begin(&s);
	(void)said_plain(&s, 0, -1);
	assert_int_equal(
	    ASN1_INTEGER_set(
		sk_CMC_ATTR_value(s.body->controls, 0)->bodyPartID, -1),
	    1);
	response(&s, "not 1 to 4294967295");
	said_begin(&s);
	for (i = 0; i <= BURIN_CMC_MAX_PARTS; i++) {
		s.next = (uint32_t)i + 1;
		(void)said_plain(&s, 0, -1);
	}
	response(&s, "more than 256");
}

/* --- PKIData -------------------------------------------------------------- */

/* A PKIData with these controls and n PKCS#10 of which ids are given. */
static unsigned char *
data_with(const struct said *s, const uint32_t *ids, size_t n, size_t *len)
{
	EVP_PKEY *key = pki_key("P-256");
	X509_REQ *req = pki_req("Alice", key, NULL);
	CMC_PKI_DATA *data;
	CMC_REQS *reqs = sk_CMC_REQ_new_null();
	unsigned char *der = NULL, *p10 = NULL, *list = NULL;
	const unsigned char *p;
	size_t i;
	int p10_len = i2d_X509_REQ(req, &p10), n_der;

	for (i = 0; i < n; i++) {
		CMC_REQ *one = CMC_REQ_new();

		one->type = CMC_REQ_TCR;
		one->d.tcr = CMC_TCR_new();
		assert_int_equal(
		    ASN1_INTEGER_set_uint64(one->d.tcr->bodyPartID, ids[i]), 1);
		p = p10;
		assert_non_null(d2i_ASN1_TYPE(
		    &one->d.tcr->certificationRequest, &p, p10_len));
		assert_true(sk_CMC_REQ_push(reqs, one) > 0);
	}
	der = said_data(s, len);
	p = der;
	assert_non_null(data = d2i_CMC_PKI_DATA(NULL, &p, (long)*len));
	n_der = i2d_CMC_REQS(reqs, &list);
	assert_true(n_der > 0);
	ASN1_STRING_set0(data->reqs, list, n_der);
	OPENSSL_free(der);
	der = NULL;
	assert_true((n_der = i2d_CMC_PKI_DATA(data, &der)) > 0);
	*len = (size_t)n_der;
	CMC_PKI_DATA_free(data);
	CMC_REQS_free(reqs);
	OPENSSL_free(p10);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return der;
}

static void
test_requests(void **state)
{
	static const uint32_t ids[] = { 1, 0x80000000u }, same[] = { 7, 7 };
	unsigned char *der;
	struct said s;
	size_t len;

	(void)state;
	said_begin(&s);
	(void)said_octets(&s, CMC_REG_INFO, "x", 1);
	der = data_with(&s, ids, 2, &len);
	taken_as(CMC_DATA, der, len);
	assert_int_equal(body->n_requests, 2);
	assert_ptr_equal(cmc_body_request(body, ids[1]), &body->requests[1]);
	assert_int_equal(body->requests[0].der[0], 0xa0);
	assert_int_equal(body->reqs[0], 0x30);
	assert_int_equal(
	    body->requests[0].len + body->requests[1].len + 4, body->reqs_len);
	cmc_body_free(&body);
	/* A trailing byte; a response's reader; a control of responses. */
	refused_as(CMC_RESPONSE, der, len, "cannot be decoded");
	refused_as(CMC_DATA, der, len - 1, "cannot be decoded");
	OPENSSL_free(der);
	der = data_with(&s, same, 2, &len);
	refused_as(CMC_DATA, der, len, "two parts with one");
	OPENSSL_free(der);
	der = data_with(&s, (const uint32_t[]) { s.next - 1 }, 1, &len);
	refused_as(CMC_DATA, der, len, "two parts with one");
	OPENSSL_free(der);
	der = data_with(&s, (const uint32_t[]) { 0 }, 1, &len);
	refused_as(CMC_DATA, der, len, "bodyPartID or certReqId");
	OPENSSL_free(der);
	said_free(&s);
	said_begin(&s);
	(void)said_octets(&s, CMC_RESPONSE_INFO, "x", 1);
	der = said_data(&s, &len);
	refused_as(CMC_DATA, der, len, "responseInfo in the request");
	taken_as(CMC_AUTH, der, len);
	cmc_body_free(&body);
	OPENSSL_free(der);
	said_free(&s);
}

/* 33 and 34 are exchanged in the module of RFC 6402: read by place. */
static void
test_swapped(void **state)
{
	CMC_WITNESS *witness = CMC_WITNESS_new();
	const struct cmc_control_row *row;
	ASN1_OBJECT *oid;
	unsigned char *der;
	struct said s;
	size_t len;
	int swapped;

	(void)state;
	X509_ALGOR_set_md(witness->hash, EVP_sha256());
	X509_ALGOR_set_md(witness->mac, EVP_sha256());
	said_begin(&s);
	(void)said_value(&s, CMC_POP_LINK_WITNESS_V2, witness);
	der = said_data(&s, &len);
	taken_as(CMC_DATA, der, len);
	assert_int_equal(body->swapped, 1);
	assert_non_null(cmc_body_value(body, CMC_IDENTITY_PROOF_V2));
	cmc_body_free(&body);
	OPENSSL_free(der);
	/* Both are then one twice. */
	(void)said_value(&s, CMC_IDENTITY_PROOF_V2, witness);
	der = said_data(&s, &len);
	refused_as(CMC_DATA, der, len, "there twice");
	OPENSSL_free(der);
	said_free(&s);
	said_begin(&s);
	(void)said_value(&s, CMC_IDENTITY_PROOF_V2, witness);
	der = said_data(&s, &len);
	taken_as(CMC_DATA, der, len);
	assert_int_equal(body->swapped, 0);
	cmc_body_free(&body);
	OPENSSL_free(der);
	said_free(&s);
	assert_non_null(oid = OBJ_txt2obj(CMC_OID_ARC "34", 1));
	row = cmc_control_in(oid, CMC_IN_CERT_REQUEST, &swapped);
	assert_ptr_equal(row, cmc_control_row(CMC_POP_LINK_WITNESS_V2));
	assert_int_equal(swapped, 1);
	assert_null(cmc_control_in(oid, CMC_IN_RESPONSE, &swapped));
	assert_int_equal(swapped, 0);
	ASN1_OBJECT_free(oid);
	CMC_WITNESS_free(witness);
}

/* --- references and messages in messages -----------------------------------
 */

static unsigned char *
signed_by_nobody(struct said *s, size_t *len)
{
	struct burin_cms_signer nobody = { 0 };
	unsigned char *content, *der = NULL;
	size_t n;

	content = said_response(s, &n);
	nobody.by = BURIN_CMS_BY_NOBODY;
	assert_int_equal(burin_cms_sign(&nobody, CMC_OID_PKI_RESPONSE, content,
			     n, &der, len, &e),
	    0);
	OPENSSL_free(content);
	said_free(s);
	return der;
}

static void
test_nested(void **state)
{
	struct cmc_path path = { .n = 2 };
	struct cmc_opened opened;
	unsigned char *der, *outer;
	struct said s;
	size_t len, outer_len;

	(void)state;
	said_begin(&s);
	(void)said_octets(&s, CMC_SENDER_NONCE, "innermost", 9);
	der = signed_by_nobody(&s, &len);
	said_begin(&s);
	path.ids[1] = said_message(&s, der, len);
	outer = signed_by_nobody(&s, &outer_len);
	said_begin(&s);
	s.next = 3;
	path.ids[0] = said_message(&s, outer, outer_len);
	(void)said_ids(&s, CMC_RESPONSE_BODY, path.ids, 2);
	(void)said_ids(&s, CMC_BATCH_RESPONSES, path.ids, 1);
	response(&s, NULL);
	assert_int_equal(
	    cmc_path_open(body, &path, 0, BURIN_ECHECK, &opened, &e), 0);
	assert_non_null(opened.body);
	assert_non_null(cmc_body_value(opened.body, CMC_SENDER_NONCE));
	cmc_opened_clear(&opened);
	assert_int_equal(cmc_path_open(body, &path, BURIN_CMC_MAX_DEPTH - 1,
			     BURIN_ECHECK, &opened, &e),
	    -1);
	assert_string_equal(e.code, "cmc-too-deep");
	burin_error_clear(&e);
	path.ids[1] = 99;
	assert_int_equal(
	    cmc_path_open(body, &path, 0, BURIN_ECHECK, &opened, &e), -1);
	assert_string_equal(e.code, "cmc-malformed");
	burin_error_clear(&e);
	cmc_body_free(&body);
	said_begin(&s);
	(void)said_ids(&s, CMC_BATCH_RESPONSES, path.ids, 1);
	response(&s, "batchResponses in the response names nothing, or");
	said_begin(&s);
	(void)said_ids(&s, CMC_BATCH_RESPONSES, NULL, 0);
	response(&s, "batchResponses in the response names nothing, or");
	said_begin(&s);
	(void)said_integer(&s, CMC_AUTH_DATA, "\x09", 1);
	response(&s, "authData in the response names nothing, or");
	OPENSSL_free(der);
	OPENSSL_free(outer);
}

/* SIZE (1..MAX), and a path that no message is deep enough for. */
static void
test_lists(void **state)
{
	static const uint32_t deep[] = { 1, 2, 3, 4, 5, 6 };
	CMC_PROCESSED *processed = CMC_PROCESSED_new();
	struct said s;
	unsigned char *der;
	size_t len;

	(void)state;
	said_begin(&s);
	(void)said_value(&s, CMC_CONTROL_PROCESSED, processed);
	der = said_data(&s, &len);
	refused_as(CMC_DATA, der, len, "list or path that is empty");
	OPENSSL_free(der);
	said_free(&s);
	said_begin(&s);
	(void)said_ids(&s, CMC_RA_IDENTITY_WITNESS, deep, 6);
	der = said_data(&s, &len);
	refused_as(CMC_DATA, der, len, "list or path that is empty");
	OPENSSL_free(der);
	said_free(&s);
	said_begin(&s);
	(void)said_ids(&s, CMC_RA_IDENTITY_WITNESS, deep, 2);
	der = said_data(&s, &len);
	taken_as(CMC_DATA, der, len);
	cmc_body_free(&body);
	OPENSSL_free(der);
	said_free(&s);
	CMC_PROCESSED_free(processed);
}

/* --- damage ----------------------------------------------------------------
 */

static void
damage(enum cmc_kind kind, const unsigned char *der, size_t len)
{
	struct mutator m = { UINT64_C(0x706172), 0 };
	unsigned char *out = malloc(len + MUTATE_ROOM), *exact;
	unsigned i, accepted = 0;
	size_t n;

	assert_non_null(out);
	for (i = 0; i < 1000; i++) {
		n = mutate(&m, i, der, len, der, len, out);
		exact = malloc(n > 0 ? n : 1);
		assert_non_null(exact);
		memcpy(exact, out, n);
		if (cmc_body_parse(kind, exact, n, BURIN_ECHECK, &body, &e) ==
		    0) {
			accepted++;
			cmc_body_free(&body);
		} else {
			assert_string_not_equal(e.reason, "");
			assert_null(body);
		}
		burin_error_clear(&e);
		assert_int_equal(ERR_peek_error(), 0);
		free(exact);
	}
	print_message("  1000 damaged, %u accepted\n", accepted);
	assert_true(accepted < 600);
	free(out);
}

static void
test_damaged(void **state)
{
	static const uint32_t ids[] = { 1, 2 };
	struct said_status w = { .status = 3,
		.fail = -1,
		.token = "t",
		.time = "20300318120000Z",
		.text = "wait" };
	X509 *cert;
	EVP_PKEY *key = pki_key("P-256");
	unsigned char *der;
	struct said s;
	size_t len;

	(void)state;
	cert = pki_ca("CA", key);
	said_begin(&s);
	(void)said_status(&s, &w);
	w.v1 = 1;
	(void)said_status(&s, &w);
	(void)said_octets(&s, CMC_SENDER_NONCE, "nonce", 5);
	(void)said_anchors(&s, 3, EVP_sha256(), &cert, 1);
	der = said_response(&s, &len);
	damage(CMC_RESPONSE, der, len);
	OPENSSL_free(der);
	said_free(&s);
	said_begin(&s);
	(void)said_octets(&s, CMC_REG_INFO, "x", 1);
	(void)said_octets(&s, CMC_SENDER_NONCE, "nonce", 5);
	der = data_with(&s, ids, 2, &len);
	damage(CMC_DATA, der, len);
	OPENSSL_free(der);
	said_free(&s);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
