/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libraries that most runs do not need are loaded when they are needed:
 * libcurl and libmicrohttpd bring thirty others, and linking those costs more
 * than all the rest of an enrolment by files (docs/bench.md).
 */

#ifndef BURIN_LATE_H
#define BURIN_LATE_H

#include <stddef.h>

#include <burin/error.h>

struct late_symbol {
	const char *name;
	void *to; /* a pointer to the function, filled in */
};

/*
 * Fills in all n symbols out of the library or one that it needs. Once is
 * enough; the library stays until the process ends. Before other threads
 * use it.
 */
int late_load(const char *library, const struct late_symbol *symbols, size_t n,
    struct burin_error *e);

#endif
