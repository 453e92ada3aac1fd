/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What every harness demands of a decoder beside not crashing.
 */

#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include <burin/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DEMAND(x)                                                           \
	do {                                                                \
		if (!(x)) {                                                 \
			(void)fprintf(                                      \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                            \
		}                                                           \
	} while (0)

/* rc is 0 or -1, -1 with a whole error; nothing lies in OpenSSL's queue. */
static inline void
demand_clean(int rc, const struct burin_error *e)
{
	DEMAND(rc == 0 || rc == -1);
	if (rc == -1)
		DEMAND(e->status != BURIN_OK && e->code[0] != '\0' &&
		    e->reason[0] != '\0');
	else
		DEMAND(e->status == BURIN_OK);
	DEMAND(ERR_peek_error() == 0);
}

/* The input as a string: up to its first NUL. free(). */
static inline char *
as_text(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	DEMAND(text != NULL);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

#endif
