/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The other side of the card, for its tests: sends commands in pieces,
 * collects answers, logs in. Asserts with cmocka.
 */

#ifndef PIVCARD_HOST_H
#define PIVCARD_HOST_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "state.h"

struct host {
	char dir[64];
	struct card_conf conf;
	struct card *card;
	struct buf answer; /* of the last command, without status */
};

/* A new card in a folder of its own; its own root unless root is given. */
void host_start(struct host *h, const char *root);
/* The process of the card ends and another one begins. */
void host_again(struct host *h);
void host_end(struct host *h);

/* One APDU as it is; the status word. */
unsigned host_raw(struct host *h, const uint8_t *apdu, size_t len);
/* A command with pieces of 255 bytes and GET RESPONSE. */
unsigned host_send(struct host *h, uint8_t ins, uint8_t p1, uint8_t p2,
    const void *data, size_t len);

void host_select(struct host *h);
unsigned host_verify(struct host *h, const char *pin);
unsigned host_two_pins(
    struct host *h, uint8_t ins, uint8_t ref, const char *a, const char *b);
/* Mutual authentication with this key; the status word of the last step. */
unsigned host_mgm(struct host *h, uint8_t alg, const uint8_t *key);
void host_mgm_factory(struct host *h);

/* Makes a key in the slot; with policies unless they are 0. */
unsigned host_generate(
    struct host *h, uint8_t ref, uint8_t alg, uint8_t pin, uint8_t touch);
/* GENERAL AUTHENTICATE with an element (81 or 85); the result in value. */
unsigned host_use(struct host *h, uint8_t ref, uint8_t alg, unsigned tag,
    const void *data, size_t len, struct span *value);
/* The attestation of a slot, or the certificate in F9's object. */
X509 *host_attest(struct host *h, uint8_t ref);
X509 *host_attestation_cert(struct host *h);
unsigned host_get(struct host *h, unsigned tag, struct span *value);
unsigned host_put(struct host *h, unsigned tag, const void *data, size_t len);

#endif
