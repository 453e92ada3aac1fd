/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What people and peers hand us, down to DER: DER itself, PEM (RFC 7468)
 * with any text between the blocks, or base64 of one DER object (RFC 8951
 * section 3). Says nothing about what the DER holds.
 */

#ifndef CSR_UNARMOR_H
#define CSR_UNARMOR_H

#include <stddef.h>

#include <burin/error.h>

/* One object. name is the PEM label ("CERTIFICATE"), "" without PEM. */
struct csr_blob {
	char *name;
	unsigned char *der;
	size_t len;
};

/* What may come, and how a refusal is worded. */
struct csr_armor {
	const char *what; /* "the request": begins the sentence */
	const char *code; /* "request-malformed" */
	size_t max_len;	  /* bytes of all the data */
	size_t max_blobs; /* objects in it */
};

/*
 * At least one object on success: *out is an array of *n. Returns 0, or -1
 * with e set, status as given. An encrypted PEM block, a block that does not
 * end, and text without any object are refused. Leaves nothing in OpenSSL's
 * error queue. Free with csr_blobs_free.
 */
int csr_unarmor(const void *data, size_t len, const struct csr_armor *armor,
    enum burin_status status, struct csr_blob **out, size_t *n,
    struct burin_error *e);
/* Accepts NULL; zeroes the bytes, which may be a misplaced private key. */
void csr_blobs_free(struct csr_blob *blobs, size_t n);

#endif
