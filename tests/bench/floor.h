/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between floor.c, which talks to the token, and the way of its request to
 * an authority and back: floor_file.c or floor_est.c.
 */

#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stddef.h>

#define FLOOR_MAX 8192

struct bytes {
	unsigned char p[FLOOR_MAX];
	size_t n;
};

/* Writes the reason to stderr and ends the program. */
void floor_die(const char *what);
/* A whole file. */
void floor_read(const char *path, struct bytes *b);

/* The request goes out, the certificate (DER) comes back; args of main. */
void floor_exchange(
    char **args, const struct bytes *request, struct bytes *cert);

#endif
