/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What lies in the place that a new key is to have, on tokens whose keys
 * have places (struct burin_place).
 */

#ifndef BURIN_PLACE_H
#define BURIN_PLACE_H

#include <burin/error.h>
#include <burin/token.h>

struct place_use {
	int occupied;
	EVP_PKEY *pub;	/* of the key there; NULL: none, or not to be seen */
	X509 *cert;	/* NULL: none but what the token wrote itself */
	char text[256]; /* "slot 9a holds an ec:P-256 key with …" */
};

/* Reads what is there; needs no login. */
int place_look(struct burin_token *t, const struct burin_place *p,
    struct place_use *use, struct burin_error *e);
void place_use_clear(struct place_use *use);
/* BURIN_EREFUSED "slot-occupied" unless it is empty or replace is 1. */
int place_check(struct burin_token *t, const struct place_use *use, int replace,
    struct burin_error *e);

#endif
