/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The emulated card without a reader: selection, PINs, the management key,
 * objects, pieces of commands, what stays.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

static struct host host;
static struct host *const h = &host;

static int
start(void **state)
{
	(void)state;
	host_start(h, NULL);
	host_select(h);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	host_end(h);
	return 0;
}

static unsigned
ins(uint8_t code)
{
	return host_send(h, code, 0, 0, NULL, 0);
}

static void
selection(void **state)
{
	static const uint8_t full[] = { 0xa0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0 };
	static const uint8_t otp[] = { 0xa0, 0, 0, 5, 0x27, 0x20, 1 };
	static const uint8_t mgmt[] = { 0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17 };
	static const uint8_t cla[] = { 0x80, 0xfd, 0, 0, 0 };

	(void)state;
	card_reset(h->card);
	assert_int_equal(ins(0xfd), SW_INS);
	assert_int_equal(
	    host_send(h, 0xa4, 4, 0, "\xa0\0\0\3\x09", 5), SW_NOT_FOUND);
	assert_int_equal(host_send(h, 0xa4, 4, 0, full, sizeof(full)), SW_OK);
	assert_int_equal(h->answer.data[0], 0x61);
	assert_int_equal(ins(0xfd), SW_OK);
	assert_int_equal(h->answer.len, 3);
	assert_memory_equal(h->answer.data, "\5\4\3", 3);
	assert_int_equal(ins(0xf8), SW_OK);
	assert_int_equal(h->answer.len, 4);
	assert_memory_equal(h->answer.data, "\x00\xbc\x61\x4e", 4);
	assert_int_equal(host_raw(h, cla, sizeof(cla)), SW_CLA);

	/* Selected again, a login stays; another application ends it. */
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	host_select(h);
	assert_int_equal(host_verify(h, ""), SW_DATA);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_OK);
	assert_int_equal(host_send(h, 0xa4, 4, 0, otp, sizeof(otp)), SW_OK);
	assert_int_equal(host_send(h, 0x01, 0x10, 0, NULL, 0), SW_OK);
	assert_memory_equal(h->answer.data, "\x00\xbc\x61\x4e", 4);
	assert_int_equal(host_send(h, 0xa4, 4, 0, mgmt, sizeof(mgmt)), SW_OK);
	assert_int_equal(ins(0x1d), SW_OK);
	assert_int_equal(h->answer.data[0], h->answer.len - 1);
	host_select(h);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_TRIES | 3);
}

static void
pin_counts_and_locks(void **state)
{
	(void)state;
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_TRIES | 3);
	assert_int_equal(host_verify(h, "654321"), SW_TRIES | 2);
	host_again(h); /* counted for good */
	host_select(h);
	assert_int_equal(host_verify(h, "654321"), SW_TRIES | 1);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_OK);
	assert_int_equal(host_send(h, 0x20, 0xff, 0x80, NULL, 0), SW_OK);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_TRIES | 3);
	/* A PIN of no PIN's form, and another reference, cost no try. */
	assert_int_equal(host_verify(h, "12345"), SW_DATA);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, "123456", 6), SW_DATA);
	assert_int_equal(
	    host_send(h, 0x20, 0, 0x81, "12345678", 8), SW_REFERENCE);
	assert_int_equal(host_verify(h, "654321"), SW_TRIES | 2);
	assert_int_equal(host_verify(h, "654321"), SW_TRIES | 1);
	assert_int_equal(host_verify(h, "654321"), SW_TRIES | 0);
	assert_int_equal(host_verify(h, "123456"), SW_BLOCKED);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_BLOCKED);
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PIN, "123456", "111111"), SW_BLOCKED);
}

static void
puk_unblocks(void **state)
{
	int i;

	(void)state;
	for (i = 2; i >= 0; i--)
		assert_int_equal(host_verify(h, "654321"), SW_TRIES | i);
	assert_int_equal(host_two_pins(h, 0x2c, REF_PIN, "87654321", "222222"),
	    SW_TRIES | 2);
	assert_int_equal(host_verify(h, "123456"), SW_BLOCKED);
	assert_int_equal(
	    host_two_pins(h, 0x2c, REF_PIN, "12345678", "222222"), SW_OK);
	assert_int_equal(host_verify(h, "222222"), SW_OK);
	/* Metadata: not the factory's PIN, 3 tries of 3; the PUK's too. */
	assert_int_equal(host_send(h, 0xf7, 0, 0x80, NULL, 0), SW_OK);
	assert_int_equal(h->answer.len, 10);
	assert_memory_equal(
	    h->answer.data, "\x01\x01\xff\x05\x01\x00\x06\x02\x03\x03", 10);
	assert_int_equal(host_send(h, 0xf7, 0, 0x81, NULL, 0), SW_OK);
	assert_memory_equal(
	    h->answer.data, "\x01\x01\xff\x05\x01\x01\x06\x02\x03\x03", 10);
}

static void
pin_changes(void **state)
{
	(void)state;
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PIN, "654321", "333333"), SW_TRIES | 2);
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PIN, "123456", "333"), SW_DATA);
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PIN, "123456", "333333"), SW_OK);
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PUK, "12345678", "444444"), SW_OK);
	assert_int_equal(host_two_pins(h, 0x24, REF_MGM, "12345678", "444444"),
	    SW_REFERENCE);
	host_again(h);
	host_select(h);
	assert_int_equal(host_verify(h, "123456"), SW_TRIES | 2);
	assert_int_equal(host_verify(h, "333333"), SW_OK);
	assert_int_equal(
	    host_two_pins(h, 0x2c, REF_PIN, "444444", "555555"), SW_OK);
}

static void
retries_are_set(void **state)
{
	(void)state;
	assert_int_equal(
	    host_two_pins(h, 0x24, REF_PIN, "123456", "333333"), SW_OK);
	host_mgm_factory(h);
	assert_int_equal(host_verify(h, "333333"), SW_OK);
	assert_int_equal(host_send(h, 0xfa, 0, 4, NULL, 0), SW_P1P2);
	assert_int_equal(host_send(h, 0xfa, 5, 4, NULL, 0), SW_OK);
	assert_int_equal(host_send(h, 0x20, 0, 0x80, NULL, 0), SW_TRIES | 5);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	card_reset(h->card);
	host_select(h);
	assert_int_equal(host_send(h, 0xfa, 5, 4, NULL, 0), SW_SECURITY);
}

static void
factory_reset(void **state)
{
	struct span v;
	int i;

	(void)state;
	host_mgm_factory(h);
	assert_int_equal(host_generate(h, REF_9A, ALG_P256, 0, 0), SW_OK);
	assert_int_equal(host_put(h, 0x5fc102, "chuid", 5), SW_OK);
	assert_int_equal(ins(0xfb), SW_CONDITIONS);
	for (i = 0; i < 3; i++) {
		(void)host_verify(h, "654321");
		(void)host_two_pins(h, 0x2c, REF_PIN, "87654321", "222222");
	}
	assert_int_equal(
	    host_two_pins(h, 0x2c, REF_PIN, "12345678", "222222"), SW_BLOCKED);
	assert_int_equal(ins(0xfb), SW_OK);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(host_send(h, 0xf7, 0, REF_9A, NULL, 0), SW_REFERENCE);
	assert_int_equal(host_get(h, 0x5fc102, &v), SW_NOT_FOUND);
	X509_free(host_attestation_cert(h)); /* stays */
}

static void
management_key(void **state)
{
	static const struct {
		uint8_t alg, len;
	} rows[] = { { ALG_AES128, 16 }, { ALG_AES192, 24 }, { ALG_AES256, 32 },
		{ ALG_3DES, 24 } };
	uint8_t key[3 + 32], old = ALG_3DES;
	size_t i;

	(void)state;
	host_mgm_factory(h);
	for (i = 0; i < 4; i++) {
		memset(key, (int)(0x31 + i), sizeof(key));
		key[0] = rows[i].alg;
		key[1] = REF_MGM;
		key[2] = rows[i].len;
		assert_int_equal(host_send(h, 0xff, 0xff, 0xff, key,
				     3 + (size_t)rows[i].len),
		    SW_OK);
		host_again(h);
		host_select(h);
		/* The old algorithm, a wrong key, the right one. */
		assert_int_equal(host_mgm(h, old, key + 3), SW_P1P2);
		key[3] ^= 0xf0;
		assert_int_equal(
		    host_mgm(h, rows[i].alg, key + 3), SW_SECURITY);
		assert_int_equal(host_put(h, 0x5fc102, "a", 1), SW_SECURITY);
		key[3] ^= 0xf0;
		assert_int_equal(host_mgm(h, rows[i].alg, key + 3), SW_OK);
		assert_int_equal(host_put(h, 0x5fc102, "a", 1), SW_OK);
		old = rows[i].alg;
	}
	key[2] = 16; /* not this algorithm's length */
	assert_int_equal(host_send(h, 0xff, 0xff, 0xff, key, 3 + 16), SW_DATA);
}

/* A witness answers one attempt: sent again it is worth nothing. */
static void
challenges_are_used_once(void **state)
{
	static const uint8_t ask[] = { 0x7c, 0x02, 0x81, 0x00 };
	static const uint8_t again[] = { 0x7c, 0x0a, 0x82, 0x08, 0, 0, 0, 0, 0,
		0, 0, 0 };
	static const uint8_t both[] = { 0x7c, 0x14, 0x80, 0x08, 0, 0, 0, 0, 0,
		0, 0, 0, 0x81, 0x08, 0, 0, 0, 0, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(
	    host_send(h, 0x87, 3, REF_MGM, again, sizeof(again)), SW_SECURITY);
	assert_int_equal(
	    host_send(h, 0x87, 3, REF_MGM, both, sizeof(both)), SW_SECURITY);
	assert_int_equal(
	    host_send(h, 0x87, 3, REF_MGM, ask, sizeof(ask)), SW_OK);
	assert_int_equal(
	    host_send(h, 0x87, 3, REF_MGM, both, sizeof(both)), SW_SECURITY);
	assert_int_equal(
	    host_send(h, 0x87, 3, REF_MGM, again, sizeof(again)), SW_SECURITY);
	assert_int_equal(host_put(h, 0x5fc102, "a", 1), SW_SECURITY);
}

static void
objects(void **state)
{
	uint8_t big[3072 + 1];
	struct span v;

	(void)state;
	memset(big, 0x5a, sizeof(big));
	assert_int_equal(host_put(h, 0x5fc105, "x", 1), SW_SECURITY);
	host_mgm_factory(h);
	assert_int_equal(host_get(h, 0x5fc105, &v), SW_NOT_FOUND);
	assert_int_equal(host_put(h, 0x5fc105, "cert", 4), SW_OK);
	assert_int_equal(host_put(h, 0x5fc120, big, 3072), SW_OK);
	assert_int_equal(host_put(h, 0x5fc120, big, 3073), SW_MEMORY);
	assert_int_equal(host_put(h, 0x5fd000, "x", 1), SW_NOT_FOUND);
	host_again(h);
	host_select(h);
	assert_int_equal(host_get(h, 0x5fc105, &v), SW_OK);
	assert_int_equal(v.len, 4);
	assert_memory_equal(v.p, "cert", 4);
	assert_int_equal(host_get(h, 0x5fc120, &v), SW_OK);
	assert_int_equal(v.len, 3072);
	assert_memory_equal(v.p, big, 3072);

	/* Printed information is read with the PIN only. */
	host_mgm_factory(h);
	assert_int_equal(host_put(h, 0x5fc109, "Alice", 5), SW_OK);
	assert_int_equal(host_get(h, 0x5fc109, &v), SW_SECURITY);
	assert_int_equal(host_verify(h, "123456"), SW_OK);
	assert_int_equal(host_get(h, 0x5fc109, &v), SW_OK);
	assert_int_equal(host_put(h, 0x5fc105, NULL, 0), SW_OK);
	assert_int_equal(host_get(h, 0x5fc105, &v), SW_NOT_FOUND);
	assert_int_equal(
	    host_send(h, 0xcb, 0x3f, 0xff, "\x5c\x01\x7e", 3), SW_OK);
	assert_int_equal(h->answer.data[0], 0x7e);
}

static void
pieces(void **state)
{
	static const uint8_t more[] = { 0, 0xc0, 0, 0, 0x10 };
	static const uint8_t extended[] = { 0, 0xcb, 0x3f, 0xff, 0, 0, 5, 0x5c,
		3, 0x5f, 0xc1, 0x05, 0, 0 };
	static const uint8_t half[] = { 0x10, 0xdb, 0x3f, 0xff, 2, 0x5c, 3 };
	uint8_t value[600];
	struct span v;

	(void)state;
	memset(value, 7, sizeof(value));
	assert_int_equal(host_raw(h, more, sizeof(more)), SW_CONDITIONS);
	host_mgm_factory(h);
	assert_int_equal(host_put(h, 0x5fc105, value, sizeof(value)), SW_OK);
	/* All at once when the length is extended. */
	h->answer.len = 0;
	assert_int_equal(host_raw(h, extended, sizeof(extended)), SW_OK);
	assert_int_equal(h->answer.len, 604);
	/* In short form there is more, and how much: 348 is "00". */
	h->answer.len = 0;
	assert_int_equal(host_raw(h,
			     (const uint8_t *)"\0\xcb\x3f\xff\5\x5c\3"
					      "\x5f\xc1\5\0",
			     11),
	    SW_MORE);
	assert_int_equal(h->answer.len, 256);
	assert_int_equal(host_raw(h, more, sizeof(more)), SW_MORE);
	assert_int_equal(h->answer.len, 272);
	/* A chain that another command breaks is forgotten. */
	assert_int_equal(host_raw(h, half, sizeof(half)), SW_OK);
	assert_int_equal(host_get(h, 0x5fc105, &v), SW_OK);
	assert_int_equal(v.len, sizeof(value));
	assert_int_equal(host_put(h, 0x5fc105, "ab", 2), SW_OK);
}

static void
damaged_state_is_refused(void **state)
{
	char path[128], why[256] = "";

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/card", h->dir);
	assert_int_equal(truncate(path, 300), 0);
	assert_null(card_open(&h->conf, why, sizeof(why)));
	assert_non_null(strstr(why, "damaged"));
}

static void
old_firmware_knows_less(void **state)
{
	(void)state;
	h->card->firmware[0] = 4;
	h->card->firmware[1] = 2;
	assert_int_equal(host_send(h, 0xf7, 0, 0x80, NULL, 0), SW_INS);
	assert_int_equal(host_send(h, 0xf9, 0x9a, 0, NULL, 0), SW_INS);
	assert_int_equal(ins(0xf8), SW_INS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(selection),
		TEST(pin_counts_and_locks),
		TEST(puk_unblocks),
		TEST(pin_changes),
		TEST(retries_are_set),
		TEST(factory_reset),
		TEST(management_key),
		TEST(challenges_are_used_once),
		TEST(objects),
		TEST(pieces),
		TEST(damaged_state_is_refused),
		TEST(old_firmware_knows_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
