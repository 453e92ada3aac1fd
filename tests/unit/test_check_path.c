/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks of path and time (G2, G3): what they let pass and refuse.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "checking.h"

#define CA_EXTS                                      \
	"basicConstraints=critical,CA:TRUE",         \
	    "keyUsage=critical,keyCertSign,cRLSign", \
	    "subjectKeyIdentifier=hash"

static EVP_PKEY *ca_key, *sub_key, *leaf_key, *other_key;
static X509 *ca;

static int
setup(void **state)
{
	(void)state;
	ca_key = pki_key("P-256");
	sub_key = pki_key("P-256");
	leaf_key = pki_key("P-256");
	other_key = pki_key("P-256");
	ca = pki_ca("Anchor", ca_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(other_key);
	return 0;
}

/* A leaf under a CA under the anchor; frees nothing of its arguments. */
struct family {
	X509 *sub, *leaf;
	STACK_OF(X509) * bag, *anchors;
	struct burin_check_input in;
};

static void
family_make(struct family *f, X509 *anchor, const char *const *sub_exts,
    const char *const *leaf_exts)
{
	struct pki_spec spec = { 0 };

	spec.cn = "Sub";
	spec.key = sub_key;
	spec.issuer = anchor;
	spec.issuer_key = ca_key;
	spec.exts = sub_exts;
	f->sub = pki_cert(&spec);
	spec.cn = "Alice";
	spec.key = leaf_key;
	spec.issuer = f->sub;
	spec.issuer_key = sub_key;
	spec.exts = leaf_exts;
	f->leaf = pki_cert(&spec);
	f->bag = sk_X509_new_null();
	f->anchors = sk_X509_new_null();
	assert_true(sk_X509_push(f->bag, f->sub) > 0);
	assert_true(sk_X509_push(f->anchors, anchor) > 0);
	f->in = input(f->leaf);
	f->in.bag = f->bag;
	f->in.anchors = f->anchors;
}

static void
family_free(struct family *f)
{
	X509_free(f->sub);
	X509_free(f->leaf);
	sk_X509_free(f->bag);
	sk_X509_free(f->anchors);
}

static void
test_g2_path(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *chain = NULL;
	struct burin_checks checks;
	struct family f;

	(void)state;
	family_make(&f, ca, EXTS(CA_EXTS), NULL);
	assert_int_equal(burin_check_cert(&f.in, &checks, &chain, &e), 0);
	assert_int_equal(checks.list[1].level, BURIN_PASS);
	assert_int_equal(sk_X509_num(chain), 3);
	assert_int_equal(X509_cmp(sk_X509_value(chain, 0), f.leaf), 0);
	assert_int_equal(X509_cmp(sk_X509_value(chain, 2), ca), 0);
	sk_X509_pop_free(chain, X509_free);

	/* Without the certificate between there is no path, no chain. */
	f.in.bag = NULL;
	assert_int_equal(burin_check_cert(&f.in, &checks, &chain, &e), 0);
	assert_int_equal(checks.list[1].level, BURIN_FAIL);
	assert_null(chain);
	family_free(&f);

	/* An issuer that is no CA. */
	family_make(&f, ca, EXTS("basicConstraints=critical,CA:FALSE"), NULL);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_FAIL);
	family_free(&f);
}

/* An anchor in the middle of a path is trusted as it stands. */
static void
test_g2_intermediate_anchor(void **state)
{
	struct family f;

	(void)state;
	family_make(&f, ca, EXTS(CA_EXTS), NULL);
	(void)sk_X509_set(f.anchors, 0, f.sub);
	f.in.bag = NULL;
	assert_int_equal(level_of(&f.in, "G2"), BURIN_PASS);
	family_free(&f);
}

static void
test_g2_bag_is_not_trusted(void **state)
{
	X509 *stranger = pki_ca("Stranger", other_key);
	struct family f;

	(void)state;
	family_make(&f, ca, EXTS(CA_EXTS), NULL);
	/* The real root only in the bag; another is the anchor. */
	(void)sk_X509_set(f.anchors, 0, stranger);
	assert_true(sk_X509_push(f.bag, ca) > 0);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_FAIL);
	(void)sk_X509_zero(f.anchors);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_FAIL);
	family_free(&f);
	X509_free(stranger);
}

static void
test_g2_forged(void **state)
{
	X509 *twin = pki_ca("Anchor", other_key);
	struct pki_spec spec = { 0 };
	struct burin_check_input in;
	STACK_OF(X509) *anchors = sk_X509_new_null();

	(void)state;
	assert_true(sk_X509_push(anchors, ca) > 0);
	spec.cn = "Alice";
	spec.key = leaf_key;
	spec.issuer = twin;
	spec.issuer_key = other_key;
	in = input(pki_cert(&spec));
	in.anchors = anchors;
	assert_int_equal(level_of(&in, "G2"), BURIN_FAIL);
	X509_free(in.cert);
	/* SHA-1 signatures are out, the rest being right. */
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	spec.md = EVP_sha1();
	in.cert = pki_cert(&spec);
	assert_int_equal(level_of(&in, "G2"), BURIN_FAIL);
	X509_free(in.cert);
	X509_free(twin);
	sk_X509_free(anchors);
}

/* CA certificates in a row under ca, issuing a leaf: its G2. */
static enum burin_check_level
level_at_length(int cas)
{
	STACK_OF(X509) *bag = sk_X509_new_null(), *anchors;
	struct pki_spec spec = { 0 };
	struct burin_check_input in;
	enum burin_check_level level;
	char cn[16];
	int i;

	anchors = sk_X509_new_null();
	assert_true(sk_X509_push(anchors, ca) > 0);
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	for (i = 0; i < cas; i++) {
		(void)snprintf(cn, sizeof(cn), "Sub %d", i);
		spec.cn = cn;
		spec.key = sub_key;
		spec.exts = EXTS(CA_EXTS);
		spec.issuer = pki_cert(&spec);
		spec.issuer_key = sub_key;
		assert_true(sk_X509_push(bag, spec.issuer) > 0);
	}
	spec.cn = "Alice";
	spec.key = leaf_key;
	spec.exts = NULL;
	in = input(pki_cert(&spec));
	in.bag = bag;
	in.anchors = anchors;
	level = level_of(&in, "G2");
	X509_free(in.cert);
	sk_X509_pop_free(bag, X509_free);
	sk_X509_free(anchors);
	return level;
}

static void
test_g2_length(void **state)
{
	(void)state;
	assert_int_equal(level_at_length(BURIN_MAX_CHAIN - 2), BURIN_PASS);
	assert_int_equal(level_at_length(BURIN_MAX_CHAIN - 1), BURIN_FAIL);
}

/* G2 of a path with these resources at anchor, CA and leaf; NULL: none. */
static enum burin_check_level
level_of_resources(
    const char *anchor_ext, const char *sub_ext, const char *leaf_ext)
{
	struct pki_spec spec = { 0 };
	enum burin_check_level level;
	struct family f;

	spec.cn = "Anchor";
	spec.key = ca_key;
	spec.exts = EXTS(CA_EXTS, anchor_ext);
	spec.issuer = pki_cert(&spec);
	family_make(&f, spec.issuer, EXTS(CA_EXTS, sub_ext), EXTS(leaf_ext));
	level = level_of(&f.in, "G2");
	family_free(&f);
	X509_free(spec.issuer);
	return level;
}

static void
test_g2_resources(void **state)
{
	static const char all[] =
	    "sbgp-ipAddrBlock=critical,IPv6:2001:db8::/32";
	static const char part[] =
	    "sbgp-ipAddrBlock=critical,IPv6:2001:db8:7::/48";
	static const char foreign[] =
	    "sbgp-ipAddrBlock=critical,IPv6:2001:dead::/48";
	static const char inherit[] = "sbgp-ipAddrBlock=critical,IPv6:inherit";
	static const char v4[] = "sbgp-ipAddrBlock=critical,IPv4:10.0.0.0/8";
	static const char numbers[] =
	    "sbgp-autonomousSysNum=critical,AS:64496-64511";
	static const char number[] = "sbgp-autonomousSysNum=critical,AS:64500";
	static const char inherit_as[] =
	    "sbgp-autonomousSysNum=critical,AS:inherit";

	(void)state;
	assert_int_equal(level_of_resources(all, all, part), BURIN_PASS);
	assert_int_equal(level_of_resources(all, part, inherit), BURIN_PASS);
	assert_int_equal(level_of_resources(all, inherit, inherit), BURIN_PASS);
	assert_int_equal(level_of_resources(all, inherit, part), BURIN_PASS);
	assert_int_equal(level_of_resources(all, all, NULL), BURIN_PASS);
	assert_int_equal(level_of_resources(all, all, foreign), BURIN_FAIL);
	assert_int_equal(level_of_resources(all, NULL, part), BURIN_FAIL);
	/* What OpenSSL 3.0 lets through. */
	assert_int_equal(level_of_resources(v4, v4, inherit), BURIN_FAIL);
	assert_int_equal(level_of_resources(v4, inherit, NULL), BURIN_FAIL);
	assert_int_equal(level_of_resources(NULL, NULL, inherit), BURIN_FAIL);
	assert_int_equal(level_of_resources(all, NULL, inherit), BURIN_FAIL);
	assert_int_equal(
	    level_of_resources(inherit, inherit, inherit), BURIN_FAIL);
	assert_int_equal(
	    level_of_resources(numbers, numbers, number), BURIN_PASS);
	assert_int_equal(
	    level_of_resources(numbers, numbers, inherit_as), BURIN_PASS);
	assert_int_equal(
	    level_of_resources(NULL, NULL, inherit_as), BURIN_FAIL);
	assert_int_equal(level_of_resources(all, all, inherit_as), BURIN_FAIL);
}

static enum burin_check_level
level_at(const char *id, time_t from, time_t until)
{
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct pki_spec spec = { 0 };
	enum burin_check_level level;
	struct burin_check_input in;

	assert_true(sk_X509_push(anchors, ca) > 0);
	spec.cn = "Alice";
	spec.key = leaf_key;
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	spec.from = from;
	spec.until = until;
	in = input(pki_cert(&spec));
	in.anchors = anchors;
	level = level_of(&in, id);
	X509_free(in.cert);
	sk_X509_free(anchors);
	return level;
}

static void
test_g3_time(void **state)
{
	const time_t now = PKI_NOW;

	(void)state;
	assert_int_equal(level_at("G3", now - 1, now + 1), BURIN_PASS);
	assert_int_equal(level_at("G3", now + 299, now + 900), BURIN_PASS);
	assert_int_equal(level_at("G3", now + 301, now + 900), BURIN_FAIL);
	assert_int_equal(level_at("G3", now - 900, now), BURIN_FAIL);
	assert_int_equal(level_at("G3", now - 900, now - 1), BURIN_FAIL);
	assert_int_equal(level_at("G3", now + 200, now + 100), BURIN_FAIL);
	/* The path is judged apart from the leaf's own time. */
	assert_int_equal(level_at("G2", now + 299, now + 900), BURIN_PASS);
	assert_int_equal(level_at("G2", now - 900, now - 1), BURIN_PASS);
}

static void
test_g2_issuer_time(void **state)
{
	struct family f;
	X509 *old;
	struct pki_spec spec = { 0 };

	(void)state;
	family_make(&f, ca, EXTS(CA_EXTS), NULL);
	spec.cn = "Sub";
	spec.key = sub_key;
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	spec.exts = EXTS(CA_EXTS);
	spec.until = PKI_NOW - 1;
	old = pki_cert(&spec);
	(void)sk_X509_set(f.bag, 0, old);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_FAIL);
	X509_free(old);
	/* Made a minute ago by a clock a little ahead of ours. */
	spec.from = PKI_NOW + 60;
	spec.until = PKI_NOW + PKI_DAY;
	old = pki_cert(&spec);
	(void)sk_X509_set(f.bag, 0, old);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_PASS);
	X509_free(old);
	spec.from = PKI_NOW + 3600;
	old = pki_cert(&spec);
	(void)sk_X509_set(f.bag, 0, old);
	assert_int_equal(level_of(&f.in, "G2"), BURIN_FAIL);
	X509_free(old);
	family_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_g2_path),
		cmocka_unit_test(test_g2_intermediate_anchor),
		cmocka_unit_test(test_g2_bag_is_not_trusted),
		cmocka_unit_test(test_g2_forged),
		cmocka_unit_test(test_g2_length),
		cmocka_unit_test(test_g2_resources),
		cmocka_unit_test(test_g3_time),
		cmocka_unit_test(test_g2_issuer_time),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
