/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Repeatable damage: bit flips, truncation at every length, length bytes,
 * insertion, duplication, removal, pieces of another file.
 */

#include <string.h>

#include "mutate.h"

static uint64_t
next(struct mutator *m)
{
	/* xorshift64*, Marsaglia 2003 and Vigna 2016. */
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return m->state * UINT64_C(2685821657736338717);
}

static size_t
below(struct mutator *m, size_t n)
{
	return n == 0 ? 0 : (size_t)(next(m) % n);
}

/* Opens a gap of n bytes at position at. */
static size_t
gap(unsigned char *out, size_t len, size_t at, size_t n)
{
	memmove(out + at + n, out + at, len - at);
	return len + n;
}

static size_t
flip_bit(struct mutator *m, unsigned char *out, size_t len)
{
	out[below(m, len)] ^= (unsigned char)(1u << below(m, 8));
	return len;
}

/* Every length once before any comes again. */
static size_t
truncate_at(struct mutator *m, size_t len)
{
	size_t n = m->cut % len;

	m->cut++;
	return n;
}

/*
 * A byte that DER reads as a length, or as one that is too long, changed to
 * what decoders trip over. In a DER file of a few hundred bytes most bytes
 * below 0x80 after a tag are lengths.
 */
static size_t
change_length(struct mutator *m, unsigned char *out, size_t len)
{
	static const unsigned char odd[] = { 0x00, 0x01, 0x7f, 0x80, 0x81, 0x82,
		0x83, 0x84, 0x88, 0xfe, 0xff };
	static const unsigned char tags[] = { 0x02, 0x03, 0x04, 0x05, 0x06,
		0x0c, 0x13, 0x17, 0x30, 0x31, 0xa0, 0xa3 };
	size_t i, at = below(m, len);

	for (i = 0; i + 1 < len; i++, at = (at + 1) % (len - 1)) {
		if (at + 1 < len && memchr(tags, out[at], sizeof(tags)) != NULL)
			break;
	}
	if (at + 1 < len)
		out[at + 1] = odd[below(m, sizeof(odd))];
	return len;
}

static size_t
insert_bytes(struct mutator *m, unsigned char *out, size_t len)
{
	size_t i, n = 1 + below(m, 8), at = below(m, len + 1);

	len = gap(out, len, at, n);
	for (i = 0; i < n; i++)
		out[at + i] = (unsigned char)next(m);
	return len;
}

static size_t
duplicate(struct mutator *m, unsigned char *out, size_t len)
{
	size_t at = below(m, len), n = 1 + below(m, len - at);

	if (n > MUTATE_ROOM)
		n = MUTATE_ROOM;
	len = gap(out, len, at, n);
	memcpy(out + at, out + at + n, n);
	return len;
}

static size_t
remove_bytes(struct mutator *m, unsigned char *out, size_t len)
{
	size_t at = below(m, len), n = 1 + below(m, len - at);

	memmove(out + at, out + at + n, len - at - n);
	return len - n;
}

static size_t
splice(struct mutator *m, unsigned char *out, size_t len,
    const unsigned char *other, size_t other_len)
{
	size_t from = below(m, other_len), at = below(m, len);
	size_t n = 1 + below(m, other_len - from);

	if (n > len - at)
		n = len - at;
	memcpy(out + at, other + from, n);
	return len;
}

static const char *const kinds[] = { "bit flip", "truncation", "length byte",
	"insertion", "duplication", "removal", "splice", "two at once" };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
mutate_kind(unsigned number)
{
	return kinds[number % N_KINDS];
}

size_t
mutate(struct mutator *m, unsigned number, const unsigned char *in,
    size_t in_len, const unsigned char *other, size_t other_len,
    unsigned char *out)
{
	memcpy(out, in, in_len);
	switch (number % N_KINDS) {
	case 0:
		return flip_bit(m, out, in_len);
	case 1:
		return truncate_at(m, in_len);
	case 2:
		return change_length(m, out, in_len);
	case 3:
		return insert_bytes(m, out, in_len);
	case 4:
		return duplicate(m, out, in_len);
	case 5:
		return remove_bytes(m, out, in_len);
	case 6:
		return splice(m, out, in_len, other, other_len);
	default:
		in_len = change_length(m, out, in_len);
		return flip_bit(m, out, in_len);
	}
}
