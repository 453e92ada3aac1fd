/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The card in a reader: the connection to vpcd, what is to go wrong, and the
 * clock. One thread; nothing here blocks.
 */

#ifndef PIVCARD_READER_H
#define PIVCARD_READER_H

#include <stdint.h>
#include <stdio.h>

#include "apdu.h"
#include "card.h"

/* From vpcd: two bytes of length, then a command of one byte or an APDU. */
#define FRAME_MAX (2 + APDU_MAX)

enum presence {
	ABSENT,
	WAITING,
	CONNECTED,
	POWERED
};

struct fault {
	unsigned long left; /* for so many more commands */
	unsigned sw;
	int ins; /* -1: any */
};

struct reader {
	struct card *card;
	uint16_t port;
	enum presence presence;
	int fd;		  /* to vpcd, -1 */
	int64_t retry_at; /* when WAITING */

	uint8_t in[FRAME_MAX];
	size_t in_len;
	uint8_t out[2 + ANSWER_MAX];
	size_t out_len, out_sent;
	int64_t out_at; /* not before */

	unsigned long delay, touch; /* ms */
	struct fault fault;
	unsigned long drop_in; /* 0: not; 1: the next command */
	int drop_ins;	       /* of this kind, or -1 */
	int drop_after;
	int unseen; /* pcscd has to see that the card was away */
	unsigned long count, count_base;
	FILE *log; /* NULL: off */
};

int64_t now_ms(void);

void reader_init(struct reader *r, struct card *card, uint16_t port);
void reader_insert(struct reader *r);
void reader_remove(struct reader *r);

/* For poll: which events, and in how many ms at most (-1: any time). */
short reader_events(const struct reader *r);
int reader_timeout(const struct reader *r);
void reader_work(struct reader *r, short events);

#endif
