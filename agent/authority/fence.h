/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the front may still reach when it has begun to answer: Landlock
 * (landlock(7)), which it cannot take off again.
 */

#ifndef BURIN_AUTHORITY_FENCE_H
#define BURIN_AUTHORITY_FENCE_H

#include "ca.h"

struct fence {
	const char *const *read;  /* files, or folders with all in them */
	const char *const *write; /* files that are there */
	int connect;		  /* it opens TCP connections of its own */
};
/*
 * For this thread and what it starts, for good. What is open stays open. *abi:
 * the kernel's version of Landlock, 0: it has none, or a filter of
 * system calls hides it, and nothing is closed.
 */
int fence_close(const struct fence *f, int *abi, struct burin_error *e);

/*
 * That of the front: the store's files, the profiles, nothing else; upstream
 * 1: what looks up and connects to another server, as an RA does, too. The
 * store has to be open, and no thread started yet. No Landlock: a line in the
 * log.
 */
int fence_front(
    struct authority *a, int upstream, int *abi, struct burin_error *e);

#endif
