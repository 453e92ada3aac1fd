/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Spoils good input in repeatable ways: the same seed gives the same bytes.
 */

#ifndef TESTS_MUTATE_H
#define TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#define MUTATE_ROOM 4096 /* bytes a mutation may add */

struct mutator {
	uint64_t state; /* of the generator; not 0 */
	size_t cut;	/* where the next truncation is */
};

/* Names a kind of damage for messages. */
const char *mutate_kind(unsigned number);

/*
 * Copies in to out, which has room for in_len + MUTATE_ROOM bytes, and
 * damages it in the way that number (counting up) says; other is a second
 * good input to take pieces from. Returns the length.
 */
size_t mutate(struct mutator *m, unsigned number, const unsigned char *in,
    size_t in_len, const unsigned char *other, size_t other_len,
    unsigned char *out);

#endif
