/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CRMF: what is made, what is read in it, and what OpenSSL makes of it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crmf.h>

#include "csr/internal.h"
#include "crmfing.h"

/* What OpenSSL's own reader says of it. */
static int
openssl_accepts(const struct der *d, int by_ra)
{
	const unsigned char *const one = d->data;
	const unsigned char *p;
	OSSL_CRMF_MSGS *msgs;
	unsigned char *list;
	size_t len;
	int ok;

	must(burin_crmf_list(&one, &d->len, 1, &list, &len, &e));
	p = list;
	msgs = d2i_OSSL_CRMF_MSGS(NULL, &p, (long)len);
	assert_non_null(msgs);
	/* Its rid is the index. */
	ok = OSSL_CRMF_MSGS_verify_popo(msgs, 0, by_ra, NULL, NULL);
	ERR_clear_error();
	OSSL_CRMF_MSGS_free(msgs);
	OPENSSL_free(list);
	return ok;
}

/* --- signatures ---------------------------------------------------------- */

static void
test_signatures(void **state)
{
	static const char *const types[] = { "RSA", "P-256", "P-384", "P-521",
		"ED25519", "ED448" };
	struct burin_crmf *m;
	EVP_PKEY *key, *other;
	CRMF_MSG *msg;
	struct der d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		key = pki_key(types[i]);
		other = pki_key(types[i]);
		d = make_signed(key, UINT32_MAX);
		m = parse(&d, 1);
		look_at(m, key, UINT32_MAX);
		assert_int_equal(burin_crmf_get_popo(m), BURIN_POPO_SIGNATURE);
		must(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e));
		burin_crmf_free(&m);
		assert_null(m);
		assert_int_equal(openssl_accepts(&d, 0), 1);
		/* Another key in it, which did not sign. */
		msg = open_der(&d);
		assert_int_equal(
		    X509_PUBKEY_set(
			&msg->certReq->certTemplate->publicKey, other),
		    1);
		OPENSSL_free(d.data);
		d = close_der(msg, NULL);
		m = parse(&d, 1);
		refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
		    "pop-failed");
		burin_crmf_free(&m);
		OPENSSL_free(d.data);
		EVP_PKEY_free(key);
		EVP_PKEY_free(other);
	}
}

static void
test_wrong_signers(void **state)
{
	struct burin_subject *s = subject("");
	EVP_PKEY *key = pki_key("P-256"), *x = pki_key("X25519");
	EVP_PKEY *other = pki_key("P-256");
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, other, NULL, NULL,
		-1 };
	struct burin_crmf *m;
	struct der d;
	CRMF_MSG *msg;

	(void)state;
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "signature-wrong");
	assert_null(d.data);
	how.key = key;
	how.md_name = "SHA1";
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "digest-unusable");
	refused(burin_crmf_make(s, x, 1, &how, &d.data, &d.len, &e),
	    "key-cannot-sign");
	/* A weak digest, as somebody else might sign. */
	d = make_signed(key, 1);
	msg = open_der(&d);
	OPENSSL_free(d.data);
	assert_true(ASN1_item_sign(ASN1_ITEM_rptr(CRMF_REQUEST),
			msg->popo->value.signature->algorithmIdentifier, NULL,
			msg->popo->value.signature->signature, msg->certReq,
			key, EVP_sha1()) > 0);
	d = close_der(msg, NULL);
	m = parse(&d, 1);
	refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_EAUTHORITY, &e),
	    "pop-failed");
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	/* The empty subject is a subject. */
	how.md_name = NULL;
	must(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e));
	m = parse(&d, 1);
	assert_int_equal(X509_NAME_entry_count(burin_crmf_subject(m)), 0);
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(x);
}

/* --- messages of OpenSSL ------------------------------------------------- */

static struct der
openssl_message(EVP_PKEY *key, int popo)
{
	OSSL_CRMF_MSG *msg = OSSL_CRMF_MSG_new();
	X509_NAME *name = X509_NAME_new();
	struct der d = { NULL, 0 };
	int n;

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)"openssl", -1, -1, 0),
	    1);
	assert_int_equal(OSSL_CRMF_MSG_set_certReqId(msg, 7), 1);
	assert_int_equal(
	    OSSL_CRMF_CERTTEMPLATE_fill(
		OSSL_CRMF_MSG_get0_tmpl(msg), key, name, NULL, NULL),
	    1);
	assert_int_equal(
	    OSSL_CRMF_MSG_create_popo(popo, msg, key, EVP_sha256(), NULL, NULL),
	    1);
	n = i2d_OSSL_CRMF_MSG(msg, &d.data);
	assert_true(n > 0);
	d.len = (size_t)n;
	OSSL_CRMF_MSG_free(msg);
	X509_NAME_free(name);
	return d;
}

static void
test_openssl_messages(void **state)
{
	static const char *const types[] = { "RSA", "P-384", "ED25519" };
	struct burin_crmf *m;
	EVP_PKEY *key;
	struct der d;
	size_t i;

	(void)state;
	burin_error_clear(&e);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		key = pki_key(types[i]);
		d = openssl_message(key, OSSL_CRMF_POPO_SIGNATURE);
		m = parse(&d, 1);
		assert_int_equal(burin_crmf_id(m), 7);
		assert_int_equal(EVP_PKEY_eq(burin_crmf_public_key(m), key), 1);
		assert_null(burin_crmf_extensions(m));
		must(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e));
		burin_crmf_free(&m);
		OPENSSL_free(d.data);
		if (i > 0) {
			EVP_PKEY_free(key);
			continue;
		}
		/* Its KEYENC is encrCert. */
		d = openssl_message(key, OSSL_CRMF_POPO_KEYENC);
		refused(
		    burin_crmf_parse(d.data, d.len, 1, BURIN_ECHECK, &m, &e),
		    "not-in-cmc");
		m = parse(&d, 0);
		assert_int_equal(
		    burin_crmf_get_popo(m), BURIN_POPO_ENCRYPT_CERT);
		refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
		    "pop-unsupported");
		burin_crmf_free(&m);
		OPENSSL_free(d.data);
		EVP_PKEY_free(key);
	}
}

/* --- raVerified, challenge ----------------------------------------------- */

static void
ends_with(const struct der *d, const char *bytes, size_t n)
{
	assert_true(d->len > n);
	assert_memory_equal(d->data + d->len - n, bytes, n);
}

static void
test_by_ra(void **state)
{
	EVP_PKEY *key = pki_key("X25519");
	struct burin_pop_how how = { BURIN_POP_BY_RA, NULL, NULL, NULL, -1 };
	struct burin_subject *s = subject("CN=a");
	struct der d = make(key, 1, &how);
	struct burin_crmf *m = parse(&d, 1);

	(void)state;
	ends_with(&d, "\x80\x00", 2);
	assert_int_equal(burin_crmf_get_popo(m), BURIN_POPO_RA_VERIFIED);
	refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
	    "pop-by-ra");
	assert_int_equal(openssl_accepts(&d, 1), 1);
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	refused(burin_pkcs10_make_with(s, key, &how, &d.data, &d.len, &e),
	    "pop-not-in-pkcs10");
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

static void
test_challenge(void **state)
{
	static const struct {
		const char *type;
		const char *bytes;
		enum burin_crmf_popo popo;
	} kinds[] = {
		{ "RSA", "\xa2\x03\x81\x01\x01", BURIN_POPO_ENCRYPT_CHALLENGE },
		{ "P-256", "\xa3\x03\x81\x01\x01", BURIN_POPO_AGREE_CHALLENGE },
		{ "X25519", "\xa3\x03\x81\x01\x01",
		    BURIN_POPO_AGREE_CHALLENGE },
	};
	struct burin_pop_how how = { BURIN_POP_CHALLENGE, NULL, NULL, NULL,
		-1 };
	struct burin_subject *s = subject("CN=a");
	struct burin_crmf *m;
	EVP_PKEY *key;
	struct der d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		key = pki_key(kinds[i].type);
		how.agree = -1;
		d = make(key, 1, &how);
		ends_with(&d, kinds[i].bytes, 5);
		m = parse(&d, 1);
		assert_int_equal(burin_crmf_get_popo(m), kinds[i].popo);
		look_at(m, key, 1);
		refused(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e),
		    "pop-required");
		burin_crmf_free(&m);
		OPENSSL_free(d.data);
		how.agree = i > 0;
		d = make(key, 1, &how);
		ends_with(&d, kinds[i].bytes, 5);
		OPENSSL_free(d.data);
		how.agree = i == 0;
		refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
		    "pop-not-of-key");
		EVP_PKEY_free(key);
	}
	key = pki_key("ED25519");
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "key-cannot-decrypt");
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

/* RFC 10002 appendix C.1, octet by octet. */
static void
test_pkcs10_challenge(void **state)
{
	static const unsigned char alg[] = { 0x30, 0x0c, 0x06, 0x08, 0x2b, 0x06,
		0x01, 0x05, 0x05, 0x07, 0x06, 0x02, 0x05, 0x00, 0x03, 0x17,
		0x00, 0x04, 0x14 };
	static const char *const types[] = { "RSA", "P-256", "X25519" };
	struct burin_pop_how how = { BURIN_POP_CHALLENGE, NULL, NULL, NULL, 0 };
	struct burin_subject *s = subject("CN=a");
	unsigned char md[20], *tbs;
	EVP_PKEY *key;
	X509_REQ *req;
	struct der d;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		key = pki_key(types[i]);
		must(burin_pkcs10_make_with(s, key, &how, &d.data, &d.len, &e));
		must(burin_pkcs10_parse(d.data, d.len, BURIN_ECHECK, &req, &e));
		assert_int_equal(burin_pkcs10_pop(req), BURIN_POP_CHALLENGE);
		tbs = NULL;
		n = i2d_re_X509_REQ_tbs(req, &tbs);
		assert_true(n > 0);
		assert_int_equal(
		    EVP_Digest(tbs, (size_t)n, md, NULL, EVP_sha1(), NULL), 1);
		ends_with(&d, (const char *)md, sizeof(md));
		d.len -= sizeof(md);
		ends_with(&d, (const char *)alg, sizeof(alg));
		refused(burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e),
		    "pop-required");
		refused(burin_pkcs10_verify_agreement(
			    req, NULL, NULL, BURIN_ECHECK, &e),
		    "pop-unsupported");
		OPENSSL_free(tbs);
		OPENSSL_free(d.data);
		X509_REQ_free(req);
		EVP_PKEY_free(key);
	}
	key = pki_key("ED448");
	refused(burin_pkcs10_make_with(s, key, &how, &d.data, &d.len, &e),
	    "key-cannot-decrypt");
	EVP_PKEY_free(key);
	burin_subject_free(&s);
}

/* --- controls ------------------------------------------------------------ */

static void
push_attribute(struct burin_subject *s, const char *oid, int values)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	X509_ATTRIBUTE *attr = X509_ATTRIBUTE_create_by_OBJ(
	    NULL, type, V_ASN1_OCTET_STRING, "1234", 4);

	assert_non_null(attr);
	if (values > 1)
		assert_int_equal(X509_ATTRIBUTE_set1_data(
				     attr, V_ASN1_OCTET_STRING, "5678", 4),
		    1);
	assert_true(sk_X509_ATTRIBUTE_push(s->attributes, attr) > 0);
	ASN1_OBJECT_free(type);
}

static void
test_controls(void **state)
{
	static const char *const oids[] = { "1.3.6.1.5.5.7.7.33",
		"1.3.6.1.5.5.7.7.23", "1.3.6.1.5.5.7.7.36",
		"1.2.840.113549.1.9.16.2.59" };
	struct burin_subject *s = subject("CN=a");
	EVP_PKEY *key = pki_key("ED25519");
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, key, NULL, NULL, -1 };
	const unsigned char *value;
	struct burin_secret *secret;
	struct burin_crmf *m;
	struct der d;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++)
		push_attribute(s, oids[i], 1);
	must(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e));
	m = parse(&d, 1);
	must(burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e));
	for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		assert_string_equal(burin_crmf_control_oid(m, i), oids[i]);
		value = burin_crmf_control(m, oids[i], &len);
		assert_int_equal(len, 6);
		assert_memory_equal(value,
		    "\x04\x04"
		    "1234",
		    6);
	}
	assert_null(burin_crmf_control_oid(m, i));
	assert_null(burin_crmf_control(m, "1.2.3", &len));
	assert_int_equal(len, 0);
	burin_crmf_free(&m);
	OPENSSL_free(d.data);
	push_attribute(s, "1.2.3", 1);
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "attribute-not-in-crmf");
	X509_ATTRIBUTE_free(sk_X509_ATTRIBUTE_pop(s->attributes));
	X509_ATTRIBUTE_free(sk_X509_ATTRIBUTE_pop(s->attributes));
	push_attribute(s, oids[3], 2);
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "attribute-not-in-crmf");
	X509_ATTRIBUTE_free(sk_X509_ATTRIBUTE_pop(s->attributes));
	must(burin_secret_new(&secret, "secret", 6, &e));
	must(burin_subject_set_challenge(s, secret, &e));
	refused(burin_crmf_make(s, key, 1, &how, &d.data, &d.len, &e),
	    "attribute-not-in-crmf");
	burin_secret_free(&secret);
	burin_subject_free(&s);
	EVP_PKEY_free(key);
}

/* --- lists --------------------------------------------------------------- */

static void
refused_list(const unsigned char *der, size_t len, const char *word)
{
	struct burin_crmf **list;
	size_t n;
	int rc =
	    burin_crmf_parse_list(der, len, 0, BURIN_EAUTHORITY, &list, &n, &e);

	assert_int_equal(rc, -1);
	assert_null(list);
	assert_int_equal(n, 0);
	if (strstr(e.reason, word) == NULL)
		fail_msg("\"%s\" without \"%s\"", e.reason, word);
	refused(rc, "request-malformed");
}

static void
test_lists(void **state)
{
	EVP_PKEY *key = pki_key("ED25519");
	struct der one = make_signed(key, 1), two = make_signed(key, 2);
	const unsigned char *ders[BURIN_MAX_CRMF + 1];
	size_t lens[BURIN_MAX_CRMF + 1], len, n, i;
	struct burin_crmf **list;
	unsigned char *der;

	(void)state;
	for (i = 0; i <= BURIN_MAX_CRMF; i++) {
		ders[i] = i == 1 ? two.data : one.data;
		lens[i] = i == 1 ? two.len : one.len;
	}
	must(burin_crmf_list(ders, lens, 2, &der, &len, &e));
	assert_memory_equal(der + len - two.len, two.data, two.len);
	must(burin_crmf_parse_list(der, len, 1, BURIN_ECHECK, &list, &n, &e));
	assert_int_equal(n, 2);
	for (i = 0; i < n; i++) {
		assert_int_equal(burin_crmf_id(list[i]), i + 1);
		must(burin_crmf_verify_pop(
		    list[i], NULL, NULL, BURIN_ECHECK, &e));
		burin_crmf_free(&list[i]);
	}
	free(list);
	refused_list(der, len - 1, "decoded");
	OPENSSL_free(der);
	must(burin_crmf_list(ders, lens, 3, &der, &len, &e));
	refused_list(der, len, "twice");
	OPENSSL_free(der);
	refused_list((const unsigned char *)"\x30\x00", 2, "empty list");
	refused_list((const unsigned char *)"\x30\x02\x05\x00", 4, "something");
	refused_list((const unsigned char *)"\x30\x00\x00", 3, "followed by");
	refused_list((const unsigned char *)"\x30\x80\x00\x00", 4, "DER");
	refused(burin_crmf_list(ders, lens, 0, &der, &len, &e), "crmf-count");
	refused(burin_crmf_list(ders, lens, BURIN_MAX_CRMF + 1, &der, &len, &e),
	    "crmf-count");
	lens[0]--;
	refused(burin_crmf_list(ders, lens, 1, &der, &len, &e),
	    "request-malformed");
	ders[0] = (const unsigned char *)"\x05\x00";
	lens[0] = 2;
	refused(burin_crmf_list(ders, lens, 1, &der, &len, &e),
	    "request-malformed");
	OPENSSL_free(one.data);
	OPENSSL_free(two.data);
	EVP_PKEY_free(key);
}

/* 65 elements: found before any is read. */
static void
test_long_list(void **state)
{
	static unsigned char der[3 + 2 * (BURIN_MAX_CRMF + 1)];
	size_t i;

	(void)state;
	burin_error_clear(&e);
	der[0] = 0x30;
	der[1] = 0x81;
	der[2] = sizeof(der) - 3;
	for (i = 3; i < sizeof(der); i += 2)
		der[i] = 0x30;
	refused_list(der, sizeof(der), "more than 64");
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(burin_pop_name(BURIN_POP_SIGNATURE), "signature");
	assert_string_equal(burin_pop_name(BURIN_POP_CHALLENGE), "challenge");
	assert_string_equal(burin_pop_name(BURIN_POP_AGREEMENT), "agreement");
	assert_string_equal(burin_pop_name(BURIN_POP_BY_RA), "by-ra");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_wrong_signers),
		cmocka_unit_test(test_openssl_messages),
		cmocka_unit_test(test_by_ra),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_pkcs10_challenge),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
