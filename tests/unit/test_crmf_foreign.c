/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CRMF that others made: what is refused and why, and a thousand damages.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "crmfing.h"

#define MAX_DER 65536
#define ROUNDS 1000

/* --- what others send ---------------------------------------------------- */

static CRMF_ATTR *
attr_new(const char *oid)
{
	CRMF_ATTR *attr = CRMF_ATTR_new();

	ASN1_OBJECT_free(attr->type);
	attr->type = OBJ_txt2obj(oid, 1);
	ASN1_TYPE_set(attr->value, V_ASN1_NULL, NULL);
	return attr;
}

static void
put_control(CRMF_MSG *msg, const char *oid)
{
	if (msg->certReq->controls == NULL)
		msg->certReq->controls = sk_CRMF_ATTR_new_null();
	assert_true(
	    sk_CRMF_ATTR_push(msg->certReq->controls, attr_new(oid)) > 0);
}

static void
reg_token(CRMF_MSG *m)
{
	put_control(m, "1.3.6.1.5.5.7.5.1.1");
}

static void
authenticator(CRMF_MSG *m)
{
	put_control(m, "1.3.6.1.5.5.7.5.1.2");
}

static void
id_zero(CRMF_MSG *m)
{
	assert_int_equal(ASN1_INTEGER_set(m->certReq->certReqId, 0), 1);
}

static void
no_subject(CRMF_MSG *m)
{
	X509_NAME_free(m->certReq->certTemplate->subject);
	m->certReq->certTemplate->subject = NULL;
}

static void
no_key(CRMF_MSG *m)
{
	X509_PUBKEY_free(m->certReq->certTemplate->publicKey);
	m->certReq->certTemplate->publicKey = NULL;
}

static void
serial(CRMF_MSG *m)
{
	m->certReq->certTemplate->serialNumber = ASN1_INTEGER_new();
	assert_int_equal(
	    ASN1_INTEGER_set(m->certReq->certTemplate->serialNumber, 5), 1);
}

static void
signing_alg(CRMF_MSG *m)
{
	m->certReq->certTemplate->signingAlg = X509_ALGOR_new();
	assert_int_equal(X509_ALGOR_set0(m->certReq->certTemplate->signingAlg,
			     OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL),
	    1);
}

static ASN1_BIT_STRING *
one_bit(void)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	assert_int_equal(ASN1_BIT_STRING_set_bit(bits, 0, 1), 1);
	return bits;
}

static void
issuer_uid(CRMF_MSG *m)
{
	m->certReq->certTemplate->issuerUID = one_bit();
}

static void
subject_uid(CRMF_MSG *m)
{
	m->certReq->certTemplate->subjectUID = one_bit();
}

static void
reg_info(CRMF_MSG *m)
{
	m->regInfo = sk_CRMF_ATTR_new_null();
	assert_true(
	    sk_CRMF_ATTR_push(m->regInfo, attr_new("1.3.6.1.5.5.7.5.2.1")) > 0);
}

static CRMF_SIGNING_INPUT *
input_new(CRMF_MSG *m)
{
	CRMF_SIGNING_INPUT *in = CRMF_SIGNING_INPUT_new();
	GENERAL_NAME *name = GENERAL_NAME_new();

	name->type = GEN_DIRNAME;
	name->d.directoryName = X509_NAME_new();
	in->authInfo->type = CRMF_AUTH_SENDER;
	in->authInfo->value.sender = name;
	m->popo->value.signature->poposkInput = in;
	X509_PUBKEY_free(in->publicKey);
	in->publicKey = X509_PUBKEY_dup(m->certReq->certTemplate->publicKey);
	return in;
}

static void
input(CRMF_MSG *m)
{
	assert_non_null(input_new(m)->publicKey);
}

static void
input_only(CRMF_MSG *m)
{
	input(m);
	no_subject(m);
}

/* Refused whoever asks. */
static void
id_negative(CRMF_MSG *m)
{
	assert_int_equal(ASN1_INTEGER_set(m->certReq->certReqId, -1), 1);
}

static void
id_large(CRMF_MSG *m)
{
	assert_int_equal(ASN1_INTEGER_set_uint64(
			     m->certReq->certReqId, (uint64_t)UINT32_MAX + 1),
	    1);
}

static void
version(CRMF_MSG *m)
{
	m->certReq->certTemplate->version = ASN1_INTEGER_new();
	assert_int_equal(
	    ASN1_INTEGER_set(m->certReq->certTemplate->version, 1), 1);
}

static void
validity(CRMF_MSG *m)
{
	m->certReq->certTemplate->validity = CRMF_VALIDITY_new();
	assert_non_null(m->certReq->certTemplate->validity);
}

static void
no_extensions(CRMF_MSG *m)
{
	sk_X509_EXTENSION_pop_free(
	    m->certReq->certTemplate->extensions, X509_EXTENSION_free);
	m->certReq->certTemplate->extensions = sk_X509_EXTENSION_new_null();
}

static void
extension_twice(CRMF_MSG *m)
{
	STACK_OF(X509_EXTENSION) *exts = m->certReq->certTemplate->extensions;

	assert_true(
	    sk_X509_EXTENSION_push(exts,
		X509_EXTENSION_dup(sk_X509_EXTENSION_value(exts, 0))) > 0);
}

static void
no_controls(CRMF_MSG *m)
{
	m->certReq->controls = sk_CRMF_ATTR_new_null();
}

static void
many_controls(CRMF_MSG *m)
{
	char oid[32];
	int i;

	for (i = 0; i <= BURIN_MAX_ATTRIBUTES; i++) {
		(void)snprintf(oid, sizeof(oid), "1.2.3.%d", i);
		put_control(m, oid);
	}
}

static void
control_twice(CRMF_MSG *m)
{
	put_control(m, "1.2.3");
	put_control(m, "1.2.3");
}

static void
long_control(CRMF_MSG *m)
{
	char oid[200] = "1.2";
	size_t i;

	for (i = 3; i + 20 < sizeof(oid); i += 11)
		(void)snprintf(oid + i, sizeof(oid) - i, ".1234567890");
	put_control(m, oid);
}

static void
empty_reg_info(CRMF_MSG *m)
{
	m->regInfo = sk_CRMF_ATTR_new_null();
}

static void
long_name(CRMF_MSG *m)
{
	static unsigned char text[BURIN_MAX_TEXT + 1];
	X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(
	    NULL, NID_dnQualifier, V_ASN1_PRINTABLESTRING, text, sizeof(text));

	assert_int_equal(X509_NAME_add_entry(
			     m->certReq->certTemplate->subject, entry, -1, 0),
	    1);
	X509_NAME_ENTRY_free(entry);
}

static void
long_issuer(CRMF_MSG *m)
{
	long_name(m);
	m->certReq->certTemplate->issuer =
	    X509_NAME_dup(m->certReq->certTemplate->subject);
	no_subject(m);
}

static const struct spoil {
	void (*spoil)(CRMF_MSG *);
	int in_cmc; /* 1: refused there and not elsewhere */
	const char *word;
} spoils[] = {
	{ reg_token, 1, "regToken" },
	{ authenticator, 1, "authenticator" },
	{ id_zero, 1, "certReqId 0" },
	{ no_subject, 1, "no subject" },
	{ no_key, 1, "no public key" },
	{ serial, 1, "serialNumber" },
	{ signing_alg, 1, "signingAlg" },
	{ issuer_uid, 1, "unique id" },
	{ subject_uid, 1, "unique id" },
	{ reg_info, 1, "regInfo" },
	{ input_only, 1, "no subject" },
	{ input, 0, "poposkInput" },
	{ id_negative, 0, "certReqId" },
	{ id_large, 0, "certReqId" },
	{ version, 0, "version" },
	{ validity, 0, "validity" },
	{ no_extensions, 0, "empty list of extensions" },
	{ extension_twice, 0, "extension twice" },
	{ no_controls, 0, "empty list of controls" },
	{ many_controls, 0, "more than 16" },
	{ control_twice, 0, "control twice" },
	{ long_control, 0, "longer than a type" },
	{ empty_reg_info, 0, "empty list of regInfo" },
	{ long_name, 0, "subject has an attribute longer" },
	{ long_issuer, 0, "issuer has an attribute longer" },
};

static void
refused_parse(const struct der *d, int cmc, const char *code, const char *word)
{
	struct burin_crmf *m;
	int rc =
	    burin_crmf_parse(d->data, d->len, cmc, BURIN_EAUTHORITY, &m, &e);

	if (rc == 0)
		fail_msg("taken: %s", word);
	assert_null(m);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_string_not_equal(e.rule, "");
	if (strstr(e.reason, word) == NULL)
		fail_msg("\"%s\" without \"%s\"", e.reason, word);
	refused(rc, code);
}

static void
test_foreign(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	struct der good = make_signed(key, 1), d;
	struct burin_crmf *m;
	CRMF_MSG *msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		msg = open_der(&good);
		spoils[i].spoil(msg);
		d = close_der(msg, key);
		if (spoils[i].in_cmc) {
			refused_parse(&d, 1, "not-in-cmc", spoils[i].word);
			m = parse(&d, 0);
			burin_crmf_free(&m);
		} else {
			refused_parse(
			    &d, 0, "request-malformed", spoils[i].word);
			refused_parse(
			    &d, 1, "request-malformed", spoils[i].word);
		}
		OPENSSL_free(d.data);
	}
	OPENSSL_free(good.data);
	EVP_PKEY_free(key);
}

/* Proofs that CMC does not use are told apart, and none is believed. */
static void
test_other_proofs(void **state)
{
	static const struct {
		const char *popo;
		size_t len;
		enum burin_crmf_popo want;
		const char *code;
	} kinds[] = {
		{ "", 0, BURIN_POPO_NONE, "pop-required" },
		{ "\xa2\x05\x80\x03\x00\x61\x62", 7, BURIN_POPO_ENCRYPT_OTHER,
		    "pop-unsupported" },
		{ "\xa2\x02\xa4\x00", 4, BURIN_POPO_ENCRYPT_OTHER,
		    "pop-unsupported" },
		{ "\xa2\x0a\xa3\x08\x30\x03\x06\x01\x2a\x03\x01\x00", 12,
		    BURIN_POPO_ENCRYPT_OTHER, "pop-unsupported" },
		{ "\xa3\x05\x82\x03\x00\x61\x62", 7, BURIN_POPO_AGREE_OTHER,
		    "pop-unsupported" },
		{ "\xa3\x0a\xa3\x08\x30\x03\x06\x01\x2a\x03\x01\x00", 12,
		    BURIN_POPO_AGREE_MAC, "pop-unsupported" },
		{ "\xa3\x03\x81\x01\x00", 5, BURIN_POPO_ENCRYPT_CERT,
		    "pop-unsupported" },
	};
	EVP_PKEY *key = pki_key("P-256");
	struct der good = make_signed(key, 1), d;
	struct burin_crmf *m;
	CRMF_MSG *msg;
	const unsigned char *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		msg = open_der(&good);
		CRMF_POPO_free(msg->popo);
		p = (const unsigned char *)kinds[i].popo;
		msg->popo = d2i_CRMF_POPO(NULL, &p, (long)kinds[i].len);
		assert_true(kinds[i].len == 0 || msg->popo != NULL);
		ERR_clear_error();
		d = close_der(msg, NULL);
		m = parse(&d, 0);
		assert_int_equal(burin_crmf_get_popo(m), kinds[i].want);
		refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
		    kinds[i].code);
		burin_crmf_free(&m);
		OPENSSL_free(d.data);
	}
	msg = open_der(&good);
	CRMF_POPO_free(msg->popo);
	p = (const unsigned char *)"\xa2\x03\x81\x01\x02";
	msg->popo = d2i_CRMF_POPO(NULL, &p, 5);
	d = close_der(msg, NULL);
	refused_parse(&d, 0, "request-malformed", "subsequentMessage");
	OPENSSL_free(d.data);
	/* Case 2 of section 4.1, which no request of CMC is. */
	msg = open_der(&good);
	input_only(msg);
	d = close_der(msg, key);
	m = parse(&d, 0);
	refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
	    "pop-unsupported");
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	OPENSSL_free(good.data);
	EVP_PKEY_free(key);
}

static void
test_armour(void **state)
{
	static unsigned char big[BURIN_MAX_REQUEST + 1];
	EVP_PKEY *key = pki_key("ED25519");
	struct der good = make_signed(key, 1), d;
	unsigned char *longer = malloc(good.len + 1);

	(void)state;
	assert_non_null(longer);
	memcpy(longer, good.data, good.len);
	longer[good.len] = 0;
	d.data = longer;
	d.len = good.len + 1;
	refused_parse(&d, 0, "request-malformed", "followed by");
	/* The length in more octets than it needs: BER. */
	assert_int_equal(good.data[0], 0x30);
	assert_int_equal(good.data[1], 0x81);
	longer[1] = 0x82;
	longer[2] = 0;
	memcpy(longer + 3, good.data + 2, good.len - 2);
	refused_parse(&d, 0, "request-malformed", "DER");
	d.len = 0;
	refused_parse(&d, 0, "request-malformed", "decoded");
	d.data = big;
	d.len = sizeof(big);
	refused_parse(&d, 0, "request-malformed", "65536");
	free(longer);
	OPENSSL_free(good.data);
	EVP_PKEY_free(key);
}

/* --- damage -------------------------------------------------------------- */

static EVP_PKEY *mac_key;
static X509 *mac_cert;

/* 1 when taken. What is taken encodes to itself and proves nothing. */
static int
try_one(const unsigned char *data, size_t len, const struct der *whole)
{
	unsigned char *exact = malloc(len > 0 ? len : 1), *again = NULL;
	int same = len == whole->len && memcmp(data, whole->data, len) == 0;
	struct burin_crmf *m = NULL;
	CRMF_MSG *msg;
	struct der d;
	int rc;

	assert_non_null(exact);
	memcpy(exact, data, len);
	burin_error_clear(&e);
	rc = burin_crmf_parse(exact, len, 1, BURIN_ECHECK, &m, &e);
	assert_int_equal(ERR_peek_error(), 0);
	if (rc == -1) {
		assert_null(m);
		assert_int_equal(e.status, BURIN_ECHECK);
		assert_string_not_equal(e.code, "");
		free(exact);
		return 0;
	}
	d.data = exact;
	d.len = len;
	msg = open_der(&d);
	assert_int_equal(i2d_CRMF_MSG(msg, &again), len);
	assert_memory_equal(again, exact, len);
	rc = burin_crmf_verify_pop(m, mac_key, mac_cert, BURIN_ECHECK, &e);
	assert_int_equal(rc, same ? 0 : -1);
	assert_int_equal(ERR_peek_error(), 0);
	OPENSSL_free(again);
	CRMF_MSG_free(msg);
	burin_crmf_free(&m);
	free(exact);
	return 1;
}

static void
torture(const struct der *good, const struct der *other)
{
	static unsigned char out[MAX_DER + MUTATE_ROOM];
	struct mutator mut = { UINT64_C(0x63726d66), 0 };
	unsigned i, taken = 0;
	size_t len;

	assert_int_equal(try_one(good->data, good->len, good), 1);
	for (i = 0; i < ROUNDS; i++) {
		len = mutate(&mut, i, good->data, good->len, other->data,
		    other->len, out);
		taken += (unsigned)try_one(out, len, good);
	}
	for (len = 0; len < good->len; len++)
		assert_int_equal(try_one(good->data, len, good), 0);
	print_message("  %u of %d damaged taken\n", taken, ROUNDS);
	assert_true(taken < ROUNDS / 2);
}

static void
test_damage(void **state)
{
	EVP_PKEY *key = pki_key("P-256"), *ed = pki_key("ED25519");
	struct burin_pop_how how = { BURIN_POP_AGREEMENT, key, NULL, NULL, -1 };
	struct der signature = make_signed(ed, 1), agreement;

	(void)state;
	mac_key = pki_key("P-256");
	mac_cert = authority_cert(mac_key, "ca", agreement_exts);
	how.authority = mac_cert;
	agreement = make(key, 2, &how);
	torture(&signature, &agreement);
	torture(&agreement, &signature);
	OPENSSL_free(signature.data);
	OPENSSL_free(agreement.data);
	X509_free(mac_cert);
	EVP_PKEY_free(mac_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_other_proofs),
		cmocka_unit_test(test_armour),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
