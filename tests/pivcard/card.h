/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An emulated PIV card: NIST SP 800-73-4 part 2 and Yubico's extensions, in
 * one process and without a reader. The door of the emulator.
 */

#ifndef PIVCARD_CARD_H
#define PIVCARD_CARD_H

#include <stddef.h>
#include <stdint.h>

struct card;

/* How a card is made; a card that is in dir already keeps what it has. */
struct card_conf {
	const char *dir;  /* the state's folder, which must exist */
	const char *root; /* attestation root: PREFIX.pem, PREFIX.key */
	uint32_t serial;
	uint8_t firmware[3];
	uint8_t form_factor; /* Yubico: 1 is a USB-A keychain */
	char pin[9], puk[9]; /* six to eight characters */
	uint8_t pin_tries, puk_tries;
	uint8_t mgm_alg; /* ALG_3DES, ALG_AES128.. */
	uint8_t mgm[32];
	size_t mgm_len;
};

/* Factory values: PIN 123456, PUK 12345678, key 0102..08 thrice, 5.4.3. */
void card_defaults(struct card_conf *conf);

/* Opens or makes the card; NULL with the reason in why. */
struct card *card_open(const struct card_conf *conf, char *why, size_t size);
void card_free(struct card *c);

/* Power and reset: logins, selection, half done commands are gone. */
void card_reset(struct card *c);
const uint8_t *card_atr(size_t *len);

/* One command; out has room for ANSWER_MAX bytes. Always an answer. */
size_t card_transmit(
    struct card *c, const uint8_t *in, size_t len, uint8_t *out);

/* Whether the last command used a key that wants a touch. */
int card_touched(const struct card *c);

#endif
