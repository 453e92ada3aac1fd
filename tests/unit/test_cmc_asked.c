/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was asked, read out of PKCS#10, CRMF, lists and messages, and out of
 * damaged ones.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmcing.h"
#include "csr/internal.h"
#include "mutate.h"

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

/* changeSubjectName that is none, and alternative names alone (RFC 6402). */
static void
test_asked_names(void **state)
{
	static const char *const wrong[] = { "DER:3000", "DER:30020500",
		"DER:30043000a201", "UTF8:CN=r8", "DER:3006300030003000" };
	static const char alone[] = "DER:3010300e820c72382e6578616d706c652e6f";
	struct burin_asked a;
	ASN1_TYPE *value;
	X509_ATTRIBUTE *attr;
	struct burin_subject *s;
	struct der d;
	size_t i;

	(void)state;
	for (i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *text =
		    i < sizeof(wrong) / sizeof(wrong[0]) ? wrong[i] : alone;
		long len = 0;
		unsigned char *der;
		const unsigned char *p;

		burin_error_clear(&e);
		if (strncmp(text, "DER:", 4) == 0) {
			p = der = OPENSSL_hexstr2buf(text + 4, &len);
			value = d2i_ASN1_TYPE(NULL, &p, len);
			OPENSSL_free(der);
		} else {
			value = ASN1_generate_nconf(text, NULL);
		}
		assert_non_null(value);
		must(burin_subject_new(&s, &e));
		must(burin_subject_set_dn(s, "CN=r7", &e));
		must(
		    csr_attribute_make("1.3.6.1.5.5.7.7.36", value, &attr, &e));
		must(csr_subject_put_attribute(s, attr, "test", &e));
		must(burin_pkcs10_make(s, ed, ed, NULL, &d.data, &d.len, &e));
		if (text == alone) {
			must(burin_asked_parse(
			    d.data, d.len, ed, BURIN_ECHECK, &a, &e));
			assert_int_equal(X509_NAME_entry_count(a.subject), 0);
			burin_asked_clear(&a);
		} else {
			asks_not(d, ed, "request-malformed");
		}
		ASN1_TYPE_free(value);
		burin_subject_free(&s);
		OPENSSL_free(d.data);
	}
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
	ask.publish = certs;
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
		cmocka_unit_test(test_asked_names),
		cmocka_unit_test(test_asked_single),
		cmocka_unit_test(test_asked_message),
		cmocka_unit_test(test_asked_nonsense),
		cmocka_unit_test(test_asked_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
