/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A plan written down and read again is the same plan; what it resolves to.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enroll/plan.h"

static struct burin_error e;

static const char profile[] = "[profile]\n"
			      "name = router\n"
			      "description = A router\n"
			      "key_types = ec:P-384, rsa:3072\n"
			      "usage = sign\n"
			      "[request]\n"
			      "keyUsage = critical,digitalSignature\n"
			      "[certificate]\n"
			      "days = 30\n"
			      "keyUsage = critical,digitalSignature\n";

static int
setup(void **state)
{
	(void)state;
	burin_error_clear(&e);
	return 0;
}

static void
expect(enum burin_status status, const char *code)
{
	assert_int_equal(e.status, status);
	assert_string_equal(e.code, code);
	burin_error_clear(&e);
}

static void
fill(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->token = strdup("r7");
	p->key = strdup("pkcs11:id=%01");
	p->key_type = strdup("ec:P-256");
	p->label = strdup("Zo\xc3\xab");
	p->usage = BURIN_USE_SIGN | BURIN_USE_DERIVE;
	p->always_authenticate = 1;
	p->profile_name = strdup("router");
	p->profile_text = strdup(profile);
	p->identity = strdup("im:a@example.com");
	p->dn = strdup("CN=a \"quoted\" name");
	assert_int_equal(texts_add(&p->sans, "dns:a.example", &e), 0);
	assert_int_equal(texts_add(&p->sans, "dns:b.example", &e), 0);
	assert_int_equal(texts_add(&p->ekus, "clientAuth", &e), 0);
	assert_int_equal(texts_add(&p->exts, "1.2.3=DER:0500", &e), 0);
	assert_int_equal(texts_add(&p->prefixes, "2001:db8::/32", &e), 0);
	assert_int_equal(texts_add(&p->attributes, "1.2.3=x", &e), 0);
	p->attestation = strdup("draft");
	p->protocol = strdup("est");
	p->url = strdup("https://ca.example");
	p->trust = strdup("-----BEGIN CERTIFICATE-----\n");
	p->tls_trust = strdup("tls");
	p->ca_fingerprint = strdup("00:11");
	p->user = strdup("");
	p->secret_source = strdup("env:X");
	p->proxy = strdup("");
	p->timeout = 30;
	p->reenroll_key = strdup("pkcs11:id=%02");
	p->request_file = strdup("/r");
	p->replace = 1;
	p->consumer_check = 1;
}

static void
test_round(void **state)
{
	struct plan p, q;
	char *a, *b;

	(void)state;
	fill(&p);
	assert_int_equal(plan_format(&p, &a, &e), 0);
	assert_int_equal(plan_parse(a, &q, &e), 0);
	assert_string_equal(q.token, "r7");
	assert_string_equal(q.label, p.label);
	assert_int_equal(q.usage, p.usage);
	assert_int_equal(q.sans.n, 2);
	assert_string_equal(q.sans.list[1], "dns:b.example");
	assert_string_equal(q.profile_text, profile);
	assert_string_equal(q.user, "");
	assert_int_equal(q.timeout, 30);
	assert_int_equal(q.replace, 1);
	/* Nothing was forgotten: written again it is the same text. */
	assert_int_equal(plan_format(&q, &b, &e), 0);
	assert_string_equal(a, b);
	free(a);
	free(b);
	plan_clear(&p);
	plan_clear(&q);

	memset(&p, 0, sizeof(p));
	assert_int_equal(plan_format(&p, &a, &e), 0);
	assert_string_equal(a, "{}");
	free(a);
}

static void
test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"tokn\":\"r7\"}",
		"{\"token\":7}",
		"{\"token\":\"a\",\"token\":\"b\"}",
		"{\"sans\":\"dns:a\"}",
		"{\"sans\":[1]}",
		"{\"usage\":-1}",
		"{\"usage\":1e3}",
		"{\"usage\":99999999999}",
		"{\"timeout\":-5}",
		"{\"replace\":1}",
		"{} x",
	};
	struct plan p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(plan_parse(texts[i], &p, &e), -1);
		expect(BURIN_EINTERNAL, "plan-malformed");
		assert_null(p.token);
	}
	assert_int_equal(plan_parse(NULL, &p, &e), -1);
	expect(BURIN_EINTERNAL, "plan-malformed");
}

static void
test_not_utf8(void **state)
{
	struct plan p;
	char *json;

	(void)state;
	memset(&p, 0, sizeof(p));
	p.dn = strdup("CN=\xff");
	assert_int_equal(plan_format(&p, &json, &e), -1);
	assert_null(json);
	assert_non_null(strstr(e.reason, "dn"));
	expect(BURIN_EUSAGE, "plan-text");
	plan_clear(&p);
}

static void
test_key_spec(void **state)
{
	struct burin_key_spec spec;
	struct plan p;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(plan_key_spec(&p, &spec, &e), 0);
	assert_int_equal(spec.type, BURIN_EC_P256);
	p.profile_text = strdup(profile);
	assert_int_equal(plan_key_spec(&p, &spec, &e), 0);
	assert_int_equal(spec.type, BURIN_EC_P384);
	assert_int_equal(spec.usage, BURIN_USE_SIGN);
	p.key_type = strdup("rsa:3072");
	p.usage = BURIN_USE_DECRYPT;
	p.label = strdup("mine");
	assert_int_equal(plan_key_spec(&p, &spec, &e), 0);
	assert_int_equal(spec.type, BURIN_RSA_3072);
	assert_int_equal(spec.usage, BURIN_USE_DECRYPT);
	assert_ptr_equal(spec.label, p.label);
	free(p.key_type);
	p.key_type = strdup("rsa:2048");
	assert_int_equal(plan_key_spec(&p, &spec, &e), -1);
	assert_non_null(strstr(e.advice, "rsa:3072"));
	expect(BURIN_EUSAGE, "key-type-profile");
	free(p.key_type);
	p.key_type = strdup("rsa:1024");
	assert_int_equal(plan_key_spec(&p, &spec, &e), -1);
	expect(BURIN_EUSAGE, "key-type-unknown");
	plan_clear(&p);
}

static void
test_subject(void **state)
{
	struct burin_subject *s;
	struct plan p;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(plan_subject(&p, &s, &e), -1);
	expect(BURIN_EUSAGE, "subject-missing");
	p.identity = strdup("im:a@example.com");
	assert_int_equal(plan_subject(&p, &s, &e), -1);
	expect(BURIN_EUSAGE, "identity-without-profile");
	free(p.identity);
	p.identity = NULL;
	p.dn = strdup("CN=r7");
	p.profile_text = strdup(profile);
	assert_int_equal(texts_add(&p.sans, "dns:r7.example", &e), 0);
	if (plan_subject(&p, &s, &e) != 0)
		fail_msg("%s: %s", e.reason, e.cause);
	burin_subject_free(&s);
	/* This profile is for no address block. */
	assert_int_equal(texts_add(&p.prefixes, "2001:db8::/32", &e), 0);
	assert_int_equal(plan_subject(&p, &s, &e), -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	plan_clear(&p);
}

static void
label_of(struct plan *p, const char *label)
{
	assert_int_equal(plan_settle_label(p, &e), 0);
	assert_string_equal(p->label, label);
	free(p->label);
	p->label = NULL;
}

static void
test_label(void **state)
{
	struct plan p;

	(void)state;
	memset(&p, 0, sizeof(p));
	label_of(&p, "burin");
	assert_int_equal(texts_add(&p.sans, "dns:r7.example", &e), 0);
	label_of(&p, "r7.example");
	/* 63 bytes, then one character of two. */
	p.dn = strdup("O=34567890123456789012345678901234567890123456789012345"
		      "67890123\xc3\xab");
	label_of(&p,
	    "O=34567890123456789012345678901234567890123456789012345"
	    "67890123");
	free(p.dn);
	p.dn = strdup("cn=Alice Example,O=Example");
	label_of(&p, "Alice Example");
	free(p.dn);
	p.dn = strdup("CN=Smith\\, John,O=Example");
	label_of(&p, "CN=Smith\\, John,O=Example");
	free(p.dn);
	p.dn = strdup("CN=");
	label_of(&p, "CN=");
	p.identity = strdup("im:a@example.com");
	label_of(&p, "im:a@example.com");
	p.label = strdup("mine");
	assert_int_equal(plan_settle_label(&p, &e), 0);
	assert_string_equal(p.label, "mine");
	plan_clear(&p);
}

static void
test_attestation(void **state)
{
	enum burin_attest_form form;
	struct plan p;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(plan_attestation_form(&p, &form, &e), 0);
	assert_int_equal(form, BURIN_ATTEST_NONE);
	p.attestation = strdup("yubico");
	assert_int_equal(plan_attestation_form(&p, &form, &e), 0);
	assert_int_equal(form, BURIN_ATTEST_YUBICO);
	plan_clear(&p);
	p.attestation = strdup("none");
	assert_int_equal(plan_attestation_form(&p, &form, &e), -1);
	expect(BURIN_EUSAGE, "attestation-form");
	plan_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round, setup),
		cmocka_unit_test_setup(test_malformed, setup),
		cmocka_unit_test_setup(test_not_utf8, setup),
		cmocka_unit_test_setup(test_key_spec, setup),
		cmocka_unit_test_setup(test_subject, setup),
		cmocka_unit_test_setup(test_label, setup),
		cmocka_unit_test_setup(test_attestation, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
