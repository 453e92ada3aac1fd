/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the card is made of; for the sources of the card only.
 */

#ifndef PIVCARD_STATE_H
#define PIVCARD_STATE_H

#include <openssl/evp.h>

#include "apdu.h"
#include "card.h"

/* SP 800-78-4 table 6-2, and Yubico's. */
enum alg {
	ALG_3DES = 0x03,
	ALG_RSA1024 = 0x06,
	ALG_RSA2048 = 0x07,
	ALG_AES128 = 0x08,
	ALG_AES192 = 0x0a,
	ALG_AES256 = 0x0c,
	ALG_P256 = 0x11,
	ALG_P384 = 0x14
};

/* SP 800-73-4 part 1 table 4b; F9 is Yubico's attestation key. */
enum ref {
	REF_PIN = 0x80,
	REF_PUK = 0x81,
	REF_RETIRED1 = 0x82,
	REF_RETIRED20 = 0x95,
	REF_9A = 0x9a,
	REF_MGM = 0x9b,
	REF_9C = 0x9c,
	REF_9D = 0x9d,
	REF_9E = 0x9e,
	REF_ATTEST = 0xf9
};

/* Status words, ISO/IEC 7816-4 table 5. */
enum sw {
	SW_OK = 0x9000,
	SW_MORE = 0x6100,
	SW_TRIES = 0x63c0,
	SW_LENGTH = 0x6700,
	SW_LAST_EXPECTED = 0x6883,
	SW_SECURITY = 0x6982,
	SW_BLOCKED = 0x6983,
	SW_CONDITIONS = 0x6985,
	SW_DATA = 0x6a80,
	SW_NOT_FOUND = 0x6a82,
	SW_MEMORY = 0x6a84,
	SW_P1P2 = 0x6a86,
	SW_REFERENCE = 0x6a88,
	SW_INS = 0x6d00,
	SW_CLA = 0x6e00,
	SW_ERROR = 0x6f00
};

enum pin_policy {
	PIN_DEFAULT,
	PIN_NEVER,
	PIN_ONCE,
	PIN_ALWAYS
};
enum touch_policy {
	TOUCH_DEFAULT,
	TOUCH_NEVER,
	TOUCH_ALWAYS,
	TOUCH_CACHED
};
enum origin {
	ORIGIN_NONE,
	ORIGIN_GENERATED,
	ORIGIN_IMPORTED
};

#define PIN_LEN 8
#define PIN_MIN 6
#define MGM_MAX 32
#define N_KEYS 25
#define N_OBJECTS 64
#define OBJECT_MAX 3072 /* a YubiKey's room for one object */
#define FACTORY_PIN "123456"
#define FACTORY_PUK "12345678"
#define FACTORY_TRIES 3

struct pin {
	uint8_t value[PIN_LEN]; /* padded with FF */
	uint8_t left, max;
};

struct key {
	uint8_t ref, alg, pin_policy, touch_policy;
	uint8_t origin; /* ORIGIN_NONE: an empty slot */
	EVP_PKEY *pkey;
};

struct object {
	unsigned tag;
	uint8_t *data;
	size_t len;
};

struct mgm {
	uint8_t alg, touch_policy;
	uint8_t key[MGM_MAX];
	size_t len;
};

enum app {
	APP_NONE,
	APP_PIV,
	APP_MGMT,
	APP_OTP
};
enum challenge {
	CHALLENGE_NONE,
	CHALLENGE_WITNESS,
	CHALLENGE_PLAIN
};

struct card {
	char *dir;
	OSSL_LIB_CTX *lib; /* ours alone */

	/* Kept. */
	uint32_t serial;
	uint8_t firmware[3], form_factor;
	struct pin pin, puk;
	struct mgm mgm;
	struct key keys[N_KEYS];
	struct object objects[N_OBJECTS];
	int changed;

	/* Gone with the power. */
	enum app app;
	int pin_ok, mgm_ok;
	int pin_fresh; /* the PIN was the command before this one */
	enum challenge challenge;
	uint8_t expected[16]; /* what the host has to send back */
	int touched;

	struct apdu first; /* of a chain, for its header */
	int chaining;
	struct buf command;
	struct buf answer;
	size_t sent; /* of the answer */
};

/* Commands: data in c->command, answer into c->answer. */
enum sw piv_verify(struct card *c, const struct apdu *a);
enum sw piv_change_reference(struct card *c, const struct apdu *a);
enum sw piv_reset_retry(struct card *c, const struct apdu *a);
enum sw piv_set_retries(struct card *c, const struct apdu *a);
enum sw piv_get_data(struct card *c, const struct apdu *a);
enum sw piv_put_data(struct card *c, const struct apdu *a);
enum sw piv_authenticate(struct card *c, const struct apdu *a);
enum sw piv_generate(struct card *c, const struct apdu *a);
enum sw piv_import(struct card *c, const struct apdu *a);
enum sw piv_attest(struct card *c, const struct apdu *a);
enum sw piv_metadata(struct card *c, const struct apdu *a);
enum sw piv_set_mgm(struct card *c, const struct apdu *a);
enum sw piv_factory_reset(struct card *c, const struct apdu *a);

struct span card_data(const struct card *c);
int firmware_since(const struct card *c, uint8_t major, uint8_t minor);

/* pin.c */
void pin_set(struct pin *p, const char *text);
int pin_is(const struct pin *p, const char *text);

/* mgm.c */
enum sw mgm_authenticate(struct card *c, const struct apdu *a);
size_t mgm_key_len(uint8_t alg); /* 0: no such algorithm */
void mgm_factory(struct mgm *m);
int mgm_is_factory(const struct mgm *m);

/* keys.c */
struct key *key_find(struct card *c, uint8_t ref);
void key_clear(struct key *k);
uint8_t key_alg(EVP_PKEY *pkey); /* 0: not one of ours */
EVP_PKEY *key_generate(struct card *c, uint8_t alg);
void key_public(struct buf *out, const struct key *k);
void keys_init(struct card *c);

/* objects.c */
struct object *object_find(struct card *c, unsigned tag);
int object_put(struct card *c, unsigned tag, const uint8_t *p, size_t len);

/* attest.c: the attestation key and its certificate of a new card. */
int attest_make(struct card *c, const char *root);

/* store.c */
int store_load(struct card *c, const char *path);
int store_save(struct card *c, const char *path);

#endif
