/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Command APDUs, ISO/IEC 7816-3 section 12.1.3: the seven forms.
 */

#ifndef PIVCARD_APDU_H
#define PIVCARD_APDU_H

#include "tlv.h"

#define APDU_MAX 65546	/* extended: header, lengths, 65535 of data */
#define ANSWER_MAX 4098 /* the most that the card answers at once */

#define CLA_CHAIN 0x10

struct apdu {
	uint8_t cla, ins, p1, p2;
	struct span data;
	size_t le; /* wanted; 256 where the command does not say */
};

/* 1, or 0 when the bytes are none of the seven forms. */
int apdu_parse(struct apdu *a, const uint8_t *in, size_t len);

#endif
