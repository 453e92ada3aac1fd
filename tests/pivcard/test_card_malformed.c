/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Damaged commands, four thousand of them, to a card that is logged in: each
 * gets an answer, and the card still works (under the sanitizers).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "mutate.h"

#define ROUNDS 4000

/* Good ones: each command, each form. */
static const struct {
	size_t len;
	uint8_t p[40];
} seeds[] = {
	{ 11, { 0, 0xa4, 4, 0, 5, 0xa0, 0, 0, 3, 8, 0 } },
	{ 13,
	    { 0, 0x20, 0, 0x80, 8, '1', '2', '3', '4', '5', '6', 0xff, 0xff } },
	{ 10, { 0, 0x47, 0, 0x9a, 5, 0xac, 3, 0x80, 1, 0x11 } },
	{ 16,
	    { 0, 0x47, 0, 0x9c, 11, 0xac, 9, 0x80, 1, 0x11, 0xaa, 1, 1, 0xab, 1,
		2 } },
	{ 10, { 0, 0xcb, 0x3f, 0xff, 5, 0x5c, 3, 0x5f, 0xc1, 5 } },
	{ 14, { 0, 0xcb, 0x3f, 0xff, 0, 0, 5, 0x5c, 3, 0x5f, 0xff, 1, 0, 0 } },
	{ 15,
	    { 0, 0xdb, 0x3f, 0xff, 10, 0x5c, 3, 0x5f, 0xc1, 5, 0x53, 3, 1, 2,
		3 } },
	{ 9, { 0, 0x87, 3, 0x9b, 4, 0x7c, 2, 0x80, 0 } },
	{ 27,
	    { 0, 0x87, 3, 0x9b, 22, 0x7c, 20, 0x80, 8, 1, 2, 3, 4, 5, 6, 7, 8,
		0x81, 8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ 19,
	    { 0, 0x87, 0x11, 0x9e, 14, 0x7c, 12, 0x82, 0, 0x81, 8, 1, 2, 3, 4,
		5, 6, 7, 8 } },
	{ 19,
	    { 0, 0x87, 0x11, 0x9d, 14, 0x7c, 12, 0x82, 0, 0x85, 8, 4, 2, 3, 4,
		5, 6, 7, 8 } },
	{ 15, { 0, 0xfe, 0x11, 0x83, 10, 6, 8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ 20,
	    { 0, 0xfe, 7, 0x84, 15, 1, 1, 3, 2, 1, 5, 3, 1, 1, 4, 1, 1, 5, 1,
		1 } },
	{ 32,
	    { 0, 0xff, 0xff, 0xff, 27, 3, 0x9b, 24, 1, 2, 3, 4, 5, 6, 7, 8, 1,
		2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ 21,
	    { 0, 0x24, 0, 0x80, 16, '1', '2', '3', '4', '5', '6', 0xff, 0xff,
		'1', '2', '3', '4', '5', '6', 0xff, 0xff } },
	{ 5, { 0, 0xf9, 0x9a, 0, 0 } },
	{ 5, { 0, 0xf7, 0, 0x9a, 0 } },
	{ 5, { 0, 0xc0, 0, 0, 0 } },
	{ 7, { 0x10, 0xdb, 0x3f, 0xff, 2, 0x5c, 3 } },
};

#define N_SEEDS (sizeof(seeds) / sizeof(seeds[0]))

/* A copy of exactly the length, so that a byte too far is noticed. */
static unsigned
send_exactly(struct host *h, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	unsigned sw;

	assert_non_null(copy);
	memcpy(copy, p, len);
	h->answer.len = 0;
	sw = host_raw(h, copy, len);
	free(copy);
	return sw;
}

static void
damaged(void **state)
{
	struct mutator m = { .state = 20260101 };
	uint8_t out[40 + MUTATE_ROOM];
	unsigned i, sw, answered = 0;
	struct host h;
	size_t n;

	(void)state;
	host_start(&h, NULL);
	for (i = 0; i < ROUNDS; i++) {
		size_t a = i % N_SEEDS, b = (i / N_SEEDS) % N_SEEDS;

		if (i % 16 == 0) { /* damage to a card that is open */
			h.card->pin.left = h.card->pin.max;
			host_select(&h);
			h.card->mgm_ok = h.card->pin_ok = 1;
		}
		n = mutate(&m, i / N_SEEDS, seeds[a].p, seeds[a].len,
		    seeds[b].p, seeds[b].len, out);
		sw = send_exactly(&h, out, n);
		assert_true((sw >= 0x6100 && sw <= 0x6fff) || sw == SW_OK);
		answered += sw == SW_OK;
	}
	/* Some of it was whole enough to be done. */
	assert_true(answered > 100);
	host_again(&h);
	host_select(&h);
	assert_int_equal(host_send(&h, 0xfd, 0, 0, NULL, 0), SW_OK);
	host_end(&h);
}

/* A chain that never ends, and lengths that point past the end. */
static void
too_much(void **state)
{
	uint8_t piece[260] = { 0x10, 0xdb, 0x3f, 0xff, 255 };
	struct host h;
	unsigned sw = SW_OK;
	int i;

	(void)state;
	host_start(&h, NULL);
	host_select(&h);
	for (i = 0; i < 100 && sw == SW_OK; i++)
		sw = send_exactly(&h, piece, sizeof(piece));
	assert_int_equal(sw, SW_LENGTH);
	assert_int_equal(i, BUF_MAX / 255 + 1);
	host_select(&h);
	assert_int_equal(send_exactly(&h, piece, 0), SW_LENGTH);
	assert_int_equal(send_exactly(&h, piece, 3), SW_LENGTH);
	assert_int_equal(send_exactly(&h, piece, 100), SW_LENGTH);
	host_end(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
