/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The control channel: a Unix socket, one command a line, one answer a line
 * ("ok", "ok VALUE" or "error TEXT").
 */

#ifndef PIVCARD_CONTROL_H
#define PIVCARD_CONTROL_H

#include <poll.h>

#include "reader.h"

#define N_CLIENTS 8
#define LINE_MAX_LEN 256

struct client {
	int fd; /* -1: free */
	char line[LINE_MAX_LEN];
	size_t len;
	int waits;	  /* for the card to have power */
	int64_t waits_to; /* until then */
};

struct control {
	int fd;
	const char *log_path;
	struct client clients[N_CLIENTS];
	int quit;
};

/* Listens on path; 0 with errno. */
int control_open(struct control *ctl, const char *path, const char *log_path);
void control_close(struct control *ctl);

/* Fills in N_CLIENTS + 1 entries. */
void control_poll(const struct control *ctl, struct pollfd *fds);
int control_timeout(const struct control *ctl);
void control_work(
    struct control *ctl, struct reader *r, const struct pollfd *fds);

#endif
