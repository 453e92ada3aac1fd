/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys that a process began to make before it died, taken up by the next.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "objects.h"

/* --- a process that died -------------------------------------------------- */

struct crash {
	unsigned char made[20], final[20];
	struct burin_key_spec spec;
	int told, die;
};

static int
on_made(void *arg, EVP_PKEY *pub, const unsigned char *final_id, size_t len,
    struct burin_error *e)
{
	struct crash *c = arg;

	assert_non_null(pub);
	assert_int_equal(len, sizeof(c->final));
	memcpy(c->final, final_id, len);
	c->told++;
	return c->die ? burin_fail(e, BURIN_EINTERRUPTED, "died", "died") : 0;
}

/* A pair under its first CKA_ID, and a key object for its handles. */
static struct burin_key *
crashed(struct crash *c, enum burin_key_type type)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k;

	memset(c, 0, sizeof(*c));
	memset(c->made, 0xd1 + (int)type, sizeof(c->made));
	c->spec.type = type;
	c->spec.label = "crashed";
	c->spec.id = c->made;
	c->spec.id_len = sizeof(c->made);
	c->spec.made = on_made;
	c->spec.made_arg = c;
	c->die = 1;
	assert_int_equal(burin_keygen(h.t, &c->spec, &k, &e), -1);
	assert_string_equal(e.code, "died");
	assert_non_null(strstr(e.cause, "stays on the token"));
	assert_int_equal(c->told, 1);
	c->die = 0;
	burin_error_clear(&e);
	must(burin_key_find_id(h.t, c->made, sizeof(c->made), &k, &e), &e);
	return k;
}

static void
destroy(CK_OBJECT_HANDLE o)
{
	struct burin_error e = BURIN_ERROR_INIT;

	must(p11_destroy(h.t, o, &e), &e);
}

/* Taken up again, it is whole under its final CKA_ID and nowhere else. */
static void
completed(struct crash *c, struct burin_key *dead)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k, *none;

	burin_token_logout(h.t);
	must(burin_key_find_made(h.t, &c->spec, &k, &e), &e);
	assert_non_null(k);
	assert_int_equal(c->told, 2);
	assert_memory_equal(k->id, c->final, sizeof(c->final));
	assert_id_is_ski(k);
	assert_string_equal(burin_key_label(k), "crashed");
	assert_int_equal(EVP_PKEY_eq(k->public_key, dead->public_key), 1);
	assert_int_equal(count(k, BURIN_OBJECT_PRIVATE), 1);
	assert_int_equal(count(dead, BURIN_OBJECT_PRIVATE), 0);
	assert_int_equal(count(dead, BURIN_OBJECT_PUBLIC), 0);
	must(burin_key_find_made(h.t, &c->spec, &none, &e), &e);
	assert_null(none);
	remove_key(&k);
	burin_key_free(&dead);
}

/* What is left is of no use: removed, and nothing is found. */
static void
cleared(struct crash *c, struct burin_key *dead)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k;

	burin_token_logout(h.t);
	must(burin_key_find_made(h.t, &c->spec, &k, &e), &e);
	assert_null(k);
	assert_int_equal(count(dead, BURIN_OBJECT_PRIVATE), 0);
	assert_int_equal(count(dead, BURIN_OBJECT_PUBLIC), 0);
	burin_key_free(&dead);
}

static void
test_crash(void **state)
{
	struct burin_key *k;
	struct crash c;

	(void)state;
	k = crashed(&c, BURIN_EC_P256);
	completed(&c, k);
	/* Died between the two halves getting their final CKA_ID. */
	k = crashed(&c, BURIN_EC_P256);
	set_id(k->priv, c.final, sizeof(c.final));
	completed(&c, k);
	k = crashed(&c, BURIN_RSA_2048);
	set_id(k->priv, c.final, sizeof(c.final));
	completed(&c, k);
	/* The other way round, by another tool. */
	k = crashed(&c, BURIN_RSA_2048);
	set_id(k->pub, c.final, sizeof(c.final));
	completed(&c, k);
}

static void
test_crash_half(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k, *found;
	struct crash c;

	(void)state;
	/* The module made one half only, or destroyed one. */
	k = crashed(&c, BURIN_EC_P256);
	destroy(k->priv);
	cleared(&c, k);
	k = crashed(&c, BURIN_EC_P256);
	destroy(k->pub);
	cleared(&c, k);
	/* An RSA private key knows its public half. */
	k = crashed(&c, BURIN_RSA_2048);
	destroy(k->pub);
	must(burin_key_find_made(h.t, &c.spec, &found, &e), &e);
	assert_non_null(found);
	assert_id_is_ski(found);
	assert_int_equal(EVP_PKEY_eq(found->public_key, k->public_key), 1);
	remove_key(&found);
	burin_key_free(&k);
	/* Nothing was made at all. */
	memset(c.made, 0x11, sizeof(c.made));
	must(burin_key_find_made(h.t, &c.spec, &found, &e), &e);
	assert_null(found);
	c.spec.id = NULL;
	refused(burin_key_find_made(h.t, &c.spec, &found, &e), &e, BURIN_EUSAGE,
	    "id-missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_crash_half),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
