/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin show of every control of CMC and of CRMF, and that no secret in them
 * is shown. Their values are written as octets here, so that what is shown
 * does not hang on the templates that it is read with.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <burin/crmf.h>

#include "showing.h"

#define SECRET_HEX "6f6e652d74696d6520736563726574" /* "one-time secret" */

/* --- every control ----------------------------------------------------------
 */

static const struct sample {
	int number;
	const char *hex;
	const char *says[4];
} in_requests[] = {
	{ 2, "0c037261c3", { "Value:        ra?" } },
	{ 3, "0402abcd", { "identityProof (1.3.6.1.5.5.7.7.3)", "abcd\n" } },
	{ 4, "0403010203", { "dataReturn", "010203\n" } },
	{ 5, "02020102", { "transactionId", "0102\n" } },
	{ 6, "0403040506", { "senderNonce", "040506\n" } },
	{ 7, "0403070809", { "recipientNonce", "070809\n" } },
	{ 8,
	    "30210201003003020101301730150603551d11040e300c820a72612e6578616d70"
	    "6c65",
	    { "addExtensions", "Request:      1\n", "dns:ra.example\n" } },
	{ 10,
	    "3033020101300c06082a864886f70d0209050004205a5a5a5a5a5a5a5a5a5a5a5a"
	    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
	    { "decryptedPOP", "Request:      1\n",
		"MAC:          hmacWithSHA256\n", "Proof:        5a5a5a" } },
	{ 11, "300b02011e3006020101020102",
	    { "lraPOPWitness", "Message:      30\n", "Request:      1\n" } },
	{ 15, "301da41730153113301106035504030c0a49737375696e6720434102021234",
	    { "getCert", "dirname:CN=Issuing CA\n", "1234\n" } },
	{ 16,
	    "304730153113301106035504030c0a49737375696e672043418619687474703a2f"
	    "2f63726c2e6578616d706c652f63612e63726c180f323033303031303130303030"
	    "30"
	    "305a03020560",
	    { "CRL:          uri:http://crl.example/ca.crl\n",
		"Time:         2030-01-01T00:00:00Z\n",
		"Reasons:      keyCompromise\n", "cACompromise\n" } },
	{ 17,
	    "305130153113301106035504030c0a49737375696e67204341020212340a010118"
	    "0f32303330303130323030303030305a040f" SECRET_HEX
	    "0c0f6c6f7374206f6e206120747261696e",
	    { "Reason:       keyCompromise\n", "Secret:       present\n",
		"Invalid since: 2030-01-02T00:00:00Z\n",
		"Comment:      lost on a train\n" } },
	{ 18, "04020a0b", { "regInfo", "0a0b\n" } },
	{ 21, "04020c0d", { "queryPending", "0c0d\n" } },
	{ 22, "04020e0f", { "popLinkRandom", "0e0f\n" } },
	{ 24, "301a30153113301106035504030c0a49737375696e67204341020177",
	    { "confirmCertAcceptance", "Serial:       77\n" } },
	{ 27, "02011e", { "authData", "Value:        30\n" } },
	{ 28, "300302011e", { "batchRequests", "Value:        30\n" } },
	{ 30,
	    "3056300b06096086480165030402013022042000010203040506070809 0a0b0c"
	    "0d0e0f101112131415161718191a1b1c1d1e1f3023020101301e30170201038612"
	    "6c6461703a2f2f6469722e6578616d706c653003020100",
	    { "Action:       pleasePublish\n", "Method:       ldap\n",
		"Location:     uri:ldap://dir.example\n",
		"Method:       dontCare\n" } },
	{ 31,
	    "302a300602011e020101300302010101010030 18a5163014311230100603 5504"
	    "030c09427920746865205241",
	    { "modCertTemplate", "Path:         30/1\n", "Replace:      no\n",
		"Subject:      CN=By the RA\n" } },
	{ 32, "300d300b020107300602011e020102",
	    { "controlProcessed", "Value:        7\n", " 30/2\n" } },
	{ 34,
	    "303c302906092a864886f70d01050c301c040873616c7473616c7402022710300c"
	    "06082a864886f70d02090500300c06082a864886f70d02090500040101",
	    { "identityProofV2",
		"Hash:         PBKDF2, 10000 rounds, hmacWithSHA256\n" } },
	{ 35, "300602011e020102",
	    { "raIdentityWitness", "Value:        30/2\n" } },
};

static const struct sample in_responses[] = {
	{ 1, "3019020102300a020101020500ffffffff0c05736f727279020107",
	    { "Status:       failed\n", "4294967295\n", "Text:         sorry\n",
		"Fail:         badIdentity\n" } },
	{ 1,
	    "30200201033003020101301604030102 03180f32303330303430313030303030"
	    "305a",
	    { "Status:       pending\n", "Pend token:   010203\n",
		"Pend time:    2030-04-01T00:00:00Z\n" } },
	{ 25, "3017020102300b02010130060201050201010c026e6f020108",
	    { "statusInfoV2 (1.3.6.1.5.5.7.7.25)", "Parts:        1\n",
		" 5/1\n", "Fail:         popRequired\n" } },
	/* extendedFailInfo, as RFC 6402 and as RFC 10002 write it */
	{ 25, "30120201023003020101300806032a0304020109",
	    { "Extended fail: 1.2.3.4\n", "Extended value: 020109\n" } },
	{ 25, "30120201023003020101a10806032a0304020109",
	    { "Extended fail: 1.2.3.4\n", "Extended value: 020109\n" } },
	{ 19, "04020a0b", { "responseInfo", "0a0b\n" } },
	{ 26,
	    "303402010c300b060960864801650304020130220420000102030405060708090a"
	    "0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    { "Number:       0c\n", "Hash:         sha256\n",
		"Hashes:       000102030405" } },
	{ 29, "300302011e", { "batchResponses", "Value:        30\n" } },
	{ 37, "300302011e", { "responseBody", "Value:        30\n" } },
};

/* Holds a message 30, for what refers to one. */
static void
make_sample(const struct sample *s, int is_response)
{
	CMC_PKI_RESPONSE *r = CMC_PKI_RESPONSE_new();
	CMC_PKI_DATA *d = new_data();

	sign_small();
	if (is_response) {
		add(r->controls, 1, s->number, s->hex);
		add_message(r->cms, 30, data, len);
		CMC_PKI_DATA_free(d);
		sign_response(r);
	} else {
		add(d->controls, 2, s->number, s->hex);
		add_message(d->cms, 30, data, len);
		CMC_PKI_RESPONSE_free(r);
		sign_data(d);
	}
}

static void
assert_sample(const struct sample *s, int is_response)
{
	size_t i;
	char *shown;

	make_sample(s, is_response);
	shown = text();
	for (i = 0; i < N(s->says) && s->says[i] != NULL; i++)
		assert_holds(shown, s->says[i]);
	assert_null(strstr(shown, SECRET_HEX));
	assert_null(strstr(shown, "one-time secret"));
	free(shown);
}

static void
test_controls(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N(in_requests); i++)
		assert_sample(&in_requests[i], 0);
	for (i = 0; i < N(in_responses); i++)
		assert_sample(&in_responses[i], 1);
}

/* What cannot be decoded is shown as it is, but for what may be a secret. */
static void
test_odd_controls(void **state)
{
	CMC_PKI_DATA *d = new_data();
	json_t *o, *list;
	char *s;

	(void)state;
	add(d->controls, 1, 5, "0c0161");
	add(d->controls, 2, 17, "040f" SECRET_HEX);
	add(d->controls, 3, 19, "04020a0b");
	add(d->controls, 4, 99, "0500");
	add(d->controls, 5, 33,
	    "3020300b0609608648016503040201300c06082a864886f7"
	    "0d020905000403616263");
	add(d->controls, 6, 2, "0c0a61071b5b324a0ae280ae");
	sign_data(d);
	o = json();
	list = json_object_get(first(o), "controls");
	assert_int_equal(json_array_size(list), 6);
	assert_string_equal(
	    json_string_value(json_array_get(
		json_object_get(json_array_get(list, 0), "values"), 0)),
	    "0c0161");
	assert_true(json_is_true(
	    json_object_get(json_array_get(list, 2), "misplaced")));
	assert_string_equal(
	    string_of(json_array_get(list, 3), "oid"), "1.3.6.1.5.5.7.7.99");
	/* 33 where only 34 may be: exchanged, as in RFC 5912. */
	assert_string_equal(
	    string_of(json_array_get(list, 4), "name"), "identityProofV2");
	assert_true(
	    json_is_true(json_object_get(json_array_get(list, 4), "swapped")));
	assert_string_equal(
	    string_of(json_array_get(list, 5), "value"), "a??[2J, ???");
	assert_check(first(o), "structure", 0, "fail", "transactionId");
	json_decref(o);
	s = text();
	assert_null(strstr(s, SECRET_HEX));
	assert_holds(s, "cannot be decoded; may hold a secret\n");
	free(s);
}

/* --- requests ----------------------------------------------------------------
 */

/* A control in CRMF; the password of a regToken stays where it is. */
static void
test_crmf(void **state)
{
	struct burin_pop_how how = {
		.pop = BURIN_POP_SIGNATURE, .key = key, .agree = -1
	};
	struct burin_subject *subject;
	unsigned char *der, *list;
	size_t n, list_len;
	json_t *o;

	(void)state;
	burin_error_clear(&e);
	assert_int_equal(burin_subject_new(&subject, &e), 0);
	assert_int_equal(burin_subject_set_dn(subject, "CN=crmf", &e), 0);
	assert_int_equal(
	    burin_crmf_make(subject, key, 9, &how, &der, &n, &e), 0);
	assert_int_equal(burin_crmf_list((const unsigned char *const *)&der, &n,
			     1, &list, &list_len, &e),
	    0);
	memcpy(data, der, len = n);
	o = json();
	assert_string_equal(string_of(o, "type"), "crmf");
	assert_string_equal(string_of(first(o), "form"), "CertReqMsg");
	assert_check(first(o), "structure", 0, "pass", "RFC 4211");
	assert_check(
	    first(o), "possession, request 9", 0, "pass", "by signature");
	json_decref(o);
	assert_says("Request 9:    CRMF\n    Subject:      CN=crmf\n");
	/* The last byte is of the signature. */
	data[len - 1] ^= 1;
	o = json();
	assert_check(
	    first(o), "possession, request 9", 0, "fail", "does not verify");
	json_decref(o);
	memcpy(data, list, len = list_len);
	o = json();
	assert_string_equal(string_of(first(o), "form"), "CertReqMessages");
	json_decref(o);
	OPENSSL_free(der);
	OPENSSL_free(list);
	burin_subject_free(&subject);
}

/* CertReqMsg without a proof, of RFC 4211 section 6's controls. */
static void
test_crmf_controls(void **state)
{
	unsigned char *p = data;
	CRMF_MSG *msg = CRMF_MSG_new();
	static const struct {
		const char *oid, *hex;
	} controls[] = {
		{ "1.3.6.1.5.5.7.5.1.1", "0c0f" SECRET_HEX },
		{ "1.3.6.1.5.5.7.5.1.2", "0c0f" SECRET_HEX },
		{ "1.3.6.1.5.5.7.5.1.3", "3003020100" },
		{ "1.3.6.1.5.5.7.5.1.5", "300682016102 0107" },
		{ "1.3.6.1.5.5.7.7.36", "300f300d820b6e65772e6578616d706c65" },
		{ "1.2.3.4", "0500" },
	};
	CRMF_REQUEST *req = msg->certReq;
	unsigned char value[256];
	size_t i, n;
	char *s;
	json_t *o;

	(void)state;
	assert_int_equal(ASN1_INTEGER_set(req->certReqId, 5), 1);
	assert_non_null(req->certTemplate->subject = X509_NAME_new());
	assert_non_null(req->controls = sk_CRMF_ATTR_new_null());
	for (i = 0; i < N(controls); i++) {
		CRMF_ATTR *attr = CRMF_ATTR_new();

		assert_int_equal(
		    burin_unhex(controls[i].hex, value, sizeof(value), &n), 0);
		ASN1_OBJECT_free(attr->type);
		attr->type = OBJ_txt2obj(controls[i].oid, 1);
		ASN1_TYPE_free(attr->value);
		attr->value = any_of(value, n);
		assert_true(sk_CRMF_ATTR_push(req->controls, attr) > 0);
	}
	req->enc.modified = 1;
	len = (size_t)i2d_CRMF_MSG(msg, &p);
	CRMF_MSG_free(msg);
	s = text();
	assert_null(strstr(s, SECRET_HEX));
	assert_null(strstr(s, "one-time secret"));
	assert_holds(s, "Value:        present\n");
	assert_holds(s, "Action:       dontPublish\n");
	assert_holds(s, "Issuer:       dns:a\n");
	assert_holds(s, "Generation:   RFC 6402\n");
	assert_holds(s, "Names:        dns:new.example\n");
	assert_holds(s, "Values:       0500\n");
	assert_holds(s, "Subject:      (empty)\n");
	free(s);
	o = json();
	assert_check(first(o), "possession, request 5", 0, "fail",
	    "no proof of possession");
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_odd_controls),
		cmocka_unit_test(test_crmf),
		cmocka_unit_test(test_crmf_controls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
