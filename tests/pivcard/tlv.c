/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * BER-TLV, ISO/IEC 7816-4 section 5.2.2. PIV uses tags of one to three
 * bytes and lengths up to 65535.
 */

#include <string.h>

#include "tlv.h"

static int
take(struct span *in, uint8_t *byte)
{
	if (in->len == 0)
		return 0;
	*byte = *in->p++;
	in->len--;
	return 1;
}

static int
take_tag(struct span *in, unsigned *tag)
{
	uint8_t b;
	int i;

	if (!take(in, &b))
		return 0;
	*tag = b;
	if ((b & 0x1f) != 0x1f)
		return 1;
	for (i = 0; i < 2; i++) {
		if (!take(in, &b))
			return 0;
		*tag = *tag << 8 | b;
		if ((b & 0x80) == 0)
			return 1;
	}
	return 0;
}

static int
take_length(struct span *in, size_t *len)
{
	uint8_t b, n;

	if (!take(in, &b))
		return 0;
	*len = b;
	if (b < 0x80)
		return 1;
	if (b != 0x81 && b != 0x82)
		return 0;
	*len = 0;
	for (n = b & 0x0f; n > 0; n--) {
		if (!take(in, &b))
			return 0;
		*len = *len << 8 | b;
	}
	return 1;
}

int
tlv_next(struct span *in, unsigned *tag, struct span *value)
{
	if (in->len == 0)
		return 0;
	if (!take_tag(in, tag) || !take_length(in, &value->len) ||
	    value->len > in->len)
		return -1;
	value->p = in->p;
	in->p += value->len;
	in->len -= value->len;
	return 1;
}

int
tlv_find(struct span in, unsigned tag, struct span *value)
{
	unsigned got;

	while (tlv_next(&in, &got, value) == 1)
		if (got == tag)
			return 1;
	value->p = NULL;
	value->len = 0;
	return 0;
}

void
buf_put(struct buf *b, const void *p, size_t len)
{
	if (len > sizeof(b->data) - b->len) {
		b->overflow = 1;
		return;
	}
	if (len != 0)
		memcpy(b->data + b->len, p, len);
	b->len += len;
}

void
buf_byte(struct buf *b, uint8_t byte)
{
	buf_put(b, &byte, 1);
}

void
buf_tlv(struct buf *b, unsigned tag, const void *p, size_t len)
{
	if (tag > 0xffff)
		buf_byte(b, (uint8_t)(tag >> 16));
	if (tag > 0xff)
		buf_byte(b, (uint8_t)(tag >> 8));
	buf_byte(b, (uint8_t)tag);
	if (len > 0xff) {
		buf_byte(b, 0x82);
		buf_byte(b, (uint8_t)(len >> 8));
	} else if (len > 0x7f) {
		buf_byte(b, 0x81);
	}
	buf_byte(b, (uint8_t)len);
	buf_put(b, p, len);
}
