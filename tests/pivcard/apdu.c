/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Command APDUs, ISO/IEC 7816-3 section 12.1.3.
 */

#include "apdu.h"

static size_t
be16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* in: what follows the header and is not empty. */
static int
short_form(struct apdu *a, const uint8_t *in, size_t len)
{
	size_t lc = in[0];

	if (len == 1) {
		a->le = lc == 0 ? 256 : lc;
		return 1;
	}
	if (lc == 0 || len < 1 + lc || len > 2 + lc)
		return 0;
	a->data.p = in + 1;
	a->data.len = lc;
	if (len == 2 + lc && in[1 + lc] != 0)
		a->le = in[1 + lc];
	return 1;
}

static int
extended_form(struct apdu *a, const uint8_t *in, size_t len)
{
	size_t n;

	if (len < 3)
		return 0;
	n = be16(in + 1);
	if (len == 3) {
		a->le = n == 0 ? 65536 : n;
		return 1;
	}
	if (n == 0 || (len != 3 + n && len != 5 + n))
		return 0;
	a->data.p = in + 3;
	a->data.len = n;
	if (len == 5 + n) {
		a->le = be16(in + 3 + n);
		if (a->le == 0)
			a->le = 65536;
	}
	return 1;
}

int
apdu_parse(struct apdu *a, const uint8_t *in, size_t len)
{
	if (len < 4)
		return 0;
	a->cla = in[0];
	a->ins = in[1];
	a->p1 = in[2];
	a->p2 = in[3];
	a->data.p = in + 4;
	a->data.len = 0;
	a->le = 256;
	if (len == 4)
		return 1;
	if (in[4] == 0 && len > 5)
		return extended_form(a, in + 4, len - 4);
	return short_form(a, in + 4, len - 4);
}
