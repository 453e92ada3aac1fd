/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets: PINs, enrolment secrets, decrypted proof-of-possession values.
 * Memory is locked, kept out of core dumps where the system can, and zeroed
 * when freed. Nothing in burin formats or logs one.
 */

#ifndef BURIN_SECRET_H
#define BURIN_SECRET_H

#include <stddef.h>

#include <burin/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_SECRET_MAX 4096		     /* bytes in one secret */
#define BURIN_SECRET_MAX_LARGE (1024 * 1024) /* of a decrypted message */

struct burin_secret;

/*
 * A copy of len bytes (data may be NULL: len zero bytes to be filled in
 * through burin_secret_data). The bytes are followed by a NUL that is not
 * counted. Returns 0, or -1 with e set. Free with burin_secret_free.
 */
int burin_secret_new(struct burin_secret **out, const void *data, size_t len,
    struct burin_error *e);
/*
 * As above, for a whole decrypted message: beyond BURIN_SECRET_MAX bytes in
 * ordinary memory, for there is little that can be locked; zeroed as well.
 */
int burin_secret_new_large(struct burin_secret **out, const void *data,
    size_t len, struct burin_error *e);
/* Zeroes, frees, sets *s to NULL; accepts NULL and a pointer to NULL. */
void burin_secret_free(struct burin_secret **s);

/* The bytes, owned by s; valid until it is freed. s must not be NULL. */
unsigned char *burin_secret_data(struct burin_secret *s);
const unsigned char *burin_secret_bytes(const struct burin_secret *s);
size_t burin_secret_len(const struct burin_secret *s);
/* Shorten to len bytes, zeroing the rest. No effect when len is not less. */
void burin_secret_truncate(struct burin_secret *s, size_t len);
/* Constant-time comparison: 1 equal, 0 not. Either may be NULL (0). */
int burin_secret_eq(const struct burin_secret *a, const struct burin_secret *b);

#ifdef __cplusplus
}
#endif

#endif
