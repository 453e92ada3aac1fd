/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys whose token is somewhere else: every operation carried to a token key
 * and back, and what happens when the other end refuses or lies.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "one_softhsm.h"

#define MAX 512

static const unsigned char text[] = "what is signed";

/* The other end, as it is told to be. */
struct other {
	struct burin_key *k;
	unsigned runs[BURIN_KEY_MECHS];
	int no_pss;	 /* as a token that lacks it */
	int too_long;	 /* lies about its answer */
	const char *why; /* refuses, with this code */
};

static int
run(void *arg, struct burin_key_operation *o, struct burin_error *e)
{
	struct other *other = arg;

	other->runs[o->mech]++;
	if (other->no_pss && o->mech == BURIN_SIGN_RSA_PSS) {
		burin_fail(e, BURIN_EREFUSED, "lacks-it", "no PSS");
		e->ckr = 0x70; /* CKR_MECHANISM_INVALID */
		return -1;
	}
	if (other->why != NULL)
		return burin_fail(e, BURIN_ETOKEN, other->why, "not now");
	if (burin_key_run(other->k, o, e) != 0)
		return -1;
	if (other->too_long)
		o->out_len = o->room + 1;
	return 0;
}

static struct burin_key *
distant(struct other *other, enum burin_key_type type, unsigned usage)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k;

	memset(other, 0, sizeof(*other));
	other->k = softhsm_key(&h, type, usage, 0);
	must(burin_key_distant_new(
		 burin_key_public(other->k), usage, run, other, &k, &e),
	    &e);
	assert_int_equal(burin_key_get_type(k), type);
	assert_int_equal(burin_key_usage(k), usage);
	assert_null(burin_key_token(k));
	assert_null(burin_key_uri(k));
	return k;
}

static void
done(struct burin_key *k, struct other *other)
{
	burin_key_free(&k);
	burin_key_free(&other->k);
	ERR_clear_error();
}

static int
signs(struct burin_key *k, const char *md, int pss)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new(), *v = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	unsigned char sig[MAX];
	size_t n = sizeof(sig);
	int rc;

	rc = EVP_DigestSignInit_ex(m, &p, md, NULL, NULL, softhsm_evp(k), NULL);
	assert_int_equal(rc, 1);
	if (pss)
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 1);
	rc = EVP_DigestSign(m, sig, &n, text, sizeof(text)) == 1;
	if (rc) {
		assert_int_equal(EVP_DigestVerifyInit_ex(v, &p, md, NULL, NULL,
				     burin_key_public(k), NULL),
		    1);
		if (pss)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
					     p, RSA_PKCS1_PSS_PADDING),
			    1);
		assert_int_equal(
		    EVP_DigestVerify(v, sig, n, text, sizeof(text)), 1);
	}
	EVP_MD_CTX_free(m);
	EVP_MD_CTX_free(v);
	return rc;
}

static void
signatures(void **state)
{
	static const struct {
		enum burin_key_type type;
		const char *md;
		int pss;
		enum burin_key_mech mech;
	} rows[] = {
		{ BURIN_EC_P256, "SHA256", 0, BURIN_SIGN_ECDSA },
		{ BURIN_EC_P521, "SHA512", 0, BURIN_SIGN_ECDSA },
		{ BURIN_ED25519, NULL, 0, BURIN_SIGN_EDDSA },
		{ BURIN_ED448, NULL, 0, BURIN_SIGN_EDDSA },
		{ BURIN_RSA_2048, "SHA256", 0, BURIN_SIGN_RSA_PKCS1 },
		{ BURIN_RSA_2048, "SHA384", 1, BURIN_SIGN_RSA_PSS },
	};
	struct other other;
	struct burin_key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		k = distant(&other, rows[i].type, BURIN_USE_SIGN);
		assert_true(signs(k, rows[i].md, rows[i].pss));
		assert_int_equal(other.runs[rows[i].mech], 1);
		/* Where there is no PSS it is made here, and asked for once. */
		other.no_pss = 1;
		assert_true(signs(k, rows[i].md, rows[i].pss));
		assert_true(signs(k, rows[i].md, rows[i].pss));
		assert_int_equal(
		    other.runs[BURIN_SIGN_RSA_RAW], rows[i].pss ? 2 : 0);
		if (rows[i].pss)
			assert_int_equal(other.runs[BURIN_SIGN_RSA_PSS], 2);
		done(k, &other);
	}
}

static void
decryption(void **state)
{
	static const char *const mds[] = { "SHA1", "SHA256" };
	unsigned char box[MAX], plain[MAX];
	struct other other;
	struct burin_key *k;
	EVP_PKEY_CTX *p;
	size_t i, j, n, m;

	(void)state;
	k = distant(&other, BURIN_RSA_2048, BURIN_USE_DECRYPT);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 2; j++) {
			p = EVP_PKEY_CTX_new_from_pkey(NULL,
			    j ? softhsm_evp(k) : burin_key_public(k), NULL);
			assert_int_equal(j ? EVP_PKEY_decrypt_init(p)
					   : EVP_PKEY_encrypt_init(p),
			    1);
			if (i > 0) {
				assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
						     p, RSA_PKCS1_OAEP_PADDING),
				    1);
				assert_int_equal(
				    EVP_PKEY_CTX_set_rsa_oaep_md_name(
					p, mds[i - 1], NULL),
				    1);
			}
			n = m = MAX;
			if (j == 0)
				assert_int_equal(EVP_PKEY_encrypt(p, box, &n,
						     text, sizeof(text)),
				    1);
			else
				assert_int_equal(
				    EVP_PKEY_decrypt(p, plain, &m, box, 256),
				    1);
			EVP_PKEY_CTX_free(p);
		}
		assert_int_equal(m, sizeof(text));
		assert_memory_equal(plain, text, m);
	}
	assert_int_equal(other.runs[BURIN_DECRYPT_RSA_PKCS1], 1);
	assert_true(other.runs[BURIN_DECRYPT_RSA_OAEP] >= 1);
	done(k, &other);
}

static size_t
derive(EVP_PKEY *mine, EVP_PKEY *peer, unsigned char *out)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	size_t n = MAX;

	if (EVP_PKEY_derive_init(p) != 1 ||
	    EVP_PKEY_derive_set_peer(p, peer) != 1 ||
	    EVP_PKEY_derive(p, out, &n) != 1)
		n = 0;
	EVP_PKEY_CTX_free(p);
	return n;
}

static void
agreement(void **state)
{
	unsigned char ours[MAX], theirs[MAX];
	struct other other;
	struct burin_key *k;
	EVP_PKEY *peer;
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		k = distant(
		    &other, i ? BURIN_X25519 : BURIN_EC_P256, BURIN_USE_DERIVE);
		peer = i ? EVP_PKEY_Q_keygen(NULL, NULL, "X25519")
			 : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		n = derive(softhsm_evp(k), peer, ours);
		assert_true(n > 0);
		assert_int_equal(derive(peer, burin_key_public(k), theirs), n);
		assert_memory_equal(ours, theirs, n);
		EVP_PKEY_free(peer);
		done(k, &other);
	}
}

/* The words of the other end are the key's words here. */
static void
refusals(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct other other;
	struct burin_key *k;

	(void)state;
	k = distant(&other, BURIN_EC_P256, BURIN_USE_SIGN);
	other.why = "token-missing";
	assert_false(signs(k, "SHA256", 0));
	assert_int_equal(burin_key_last_error(k, &e), -1);
	assert_int_equal(e.status, BURIN_ETOKEN);
	assert_string_equal(e.code, "token-missing");
	burin_error_clear(&e);
	other.why = NULL;
	other.too_long = 1;
	assert_false(signs(k, "SHA256", 0));
	assert_int_equal(burin_key_last_error(k, &e), -1);
	assert_string_equal(e.code, "answer-length");
	burin_error_clear(&e);
	other.too_long = 0;
	assert_true(signs(k, "SHA256", 0));
	assert_int_equal(burin_key_last_error(k, &e), 0);
	done(k, &other);
}

/* What the other end is asked for that its key has no use for. */
static void
unfit(void **state)
{
	static const struct {
		enum burin_key_mech mech;
		size_t in_len;
		const char *code;
	} rows[] = {
		{ BURIN_SIGN_RSA_PKCS1, 32, "operation-unfit" },
		{ BURIN_SIGN_EDDSA, 32, "operation-unfit" },
		{ BURIN_DECRYPT_RSA_RAW, 32, "operation-unfit" },
		{ BURIN_KEY_MECHS, 32, "operation-unfit" },
		{ BURIN_SIGN_ECDSA, BURIN_MAX_OPERATION + 1,
		    "operation-length" },
		{ BURIN_DERIVE_ECDH, 511, "operation-length" },
	};
	static unsigned char in[BURIN_MAX_OPERATION + 1];
	unsigned char out[MAX];
	struct burin_key *k = softhsm_key(&h, BURIN_EC_P256, BURIN_USE_SIGN, 0);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key_operation o;
	unsigned long before;
	struct burin_p11_calls calls;
	size_t i;

	(void)state;
	burin_p11_calls(h.p11, &calls);
	before = calls.total;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&o, 0, sizeof(o));
		o.mech = rows[i].mech;
		o.in = in;
		o.in_len = rows[i].in_len;
		o.out = out;
		o.room = sizeof(out);
		assert_int_equal(burin_key_run(k, &o, &e), -1);
		assert_string_equal(e.code, rows[i].code);
		burin_error_clear(&e);
	}
	/* None of them came to the token. */
	burin_p11_calls(h.p11, &calls);
	assert_int_equal(calls.total, before);
	/* This does, and the token's answer comes back. */
	memset(&o, 0, sizeof(o));
	o.mech = BURIN_DERIVE_ECDH;
	o.in = in;
	o.in_len = 65;
	o.out = out;
	o.room = sizeof(out);
	assert_int_equal(burin_key_run(k, &o, &e), -1);
	assert_true(e.ckr != 0);
	assert_true(e.reason[0] != '\0');
	burin_key_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures),
		cmocka_unit_test(decryption),
		cmocka_unit_test(agreement),
		cmocka_unit_test(refusals),
		cmocka_unit_test(unfit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
