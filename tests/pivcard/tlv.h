/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * BER-TLV as in ISO/IEC 7816-4 section 5.2.2: a bounded reader and a
 * bounded writer.
 */

#ifndef PIVCARD_TLV_H
#define PIVCARD_TLV_H

#include <stddef.h>
#include <stdint.h>

/* A command's data with all its chained pieces, or an answer. */
#define BUF_MAX 4096

struct span {
	const uint8_t *p;
	size_t len;
};

struct buf {
	uint8_t data[BUF_MAX];
	size_t len;
	int overflow; /* something did not fit: data is not to be used */
};

/* Takes one element off in: 1, at the end 0, damaged -1. */
int tlv_next(struct span *in, unsigned *tag, struct span *value);

/* The first element with this tag: 1; not there or damaged: 0. */
int tlv_find(struct span in, unsigned tag, struct span *value);

void buf_put(struct buf *b, const void *p, size_t len);
void buf_byte(struct buf *b, uint8_t byte);
void buf_tlv(struct buf *b, unsigned tag, const void *p, size_t len);

#endif
