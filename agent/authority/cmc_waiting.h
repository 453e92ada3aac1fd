/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The requests of a conversation that waits: what a poll goes on with.
 */

#ifndef BURIN_AUTHORITY_CMC_WAITING_H
#define BURIN_AUTHORITY_CMC_WAITING_H

#include <stdint.h>

#include "ca.h"

/* One request, proved and changed as it is to be certified. */
struct waiting_item {
	uint32_t id; /* its bodyPartID */
	unsigned char sha256[CA_SHA256];
	struct burin_asked asked;
	int renamed;
	struct burin_secret *revocation; /* or NULL */
};
struct waiting_list {
	unsigned char use[CA_SHA256]; /* of struct issue_input */
	struct waiting_item *items;
	size_t n;
};
void waiting_clear(struct waiting_list *l);
/* To bytes that a talk keeps, and back. OPENSSL_free *der. */
int waiting_pack(const struct waiting_list *l, unsigned char **der, size_t *len,
    struct burin_error *e);
int waiting_unpack(const unsigned char *der, size_t len, struct waiting_list *l,
    struct burin_error *e);

#endif
