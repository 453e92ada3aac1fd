/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The door between the two processes of a serving authority: the front reads
 * requests and has no token; the keeper has the token and reads nothing but
 * the orders below, one at a time (docs/decisions/0014-keeper-and-front.md).
 */

#ifndef BURIN_AUTHORITY_DOOR_H
#define BURIN_AUTHORITY_DOOR_H

#include <stdint.h>
#include <sys/types.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/token.h>

/* Keys of the authority that the front may ask for; never the CA's. */
enum door_key {
	DOOR_CMC, /* signs answers of CMC */
	DOOR_TLS, /* signs for TLS */
	DOOR_POP, /* agrees on secrets */
	DOOR_KEYS /* how many */
};

/* --- the front's side: door.c ------------------------------------------- */

struct door;

/* Waits for what the keeper says first. fd becomes the door's. */
int door_new(int fd, struct door **out, struct burin_error *e);
/* Its keys are free before; nobody holds an EVP_PKEY of theirs any more. */
void door_free(struct door **d);
/* Borrowed. */
X509 *door_ca(const struct door *d);
X509 *door_cert(const struct door *d, enum door_key which);
/* The key as if its token were here; the caller frees it. */
int door_key(struct door *d, enum door_key which, struct burin_key **out,
    struct burin_error *e);
/*
 * Members of struct issuer; d is a struct door. The keeper refuses what the
 * authority may never sign: BURIN_EINTERNAL "order-refused".
 */
int door_sign_cert(void *d, X509 *cert, struct burin_error *e);
int door_sign_crl(void *d, X509_CRL *crl, struct burin_error *e);
/* The front answers requests now. */
int door_ready(struct door *d, struct burin_error *e);
/* The last word: how it went. e without a failure: well. */
void door_end(struct door *d, const struct burin_error *e);

/* --- what goes through: door_wire.c -------------------------------------- */

/*
 * Both ends are the same program, so that numbers are as they are in memory.
 * What the keeper reads it believes in no way all the same.
 */
enum door_kind {
	/* the front's */
	DOOR_SIGN_CERT = 1, /* a DER certificate */
	DOOR_SIGN_CRL,	    /* a DER CRL */
	DOOR_USE_KEY,	    /* what goes in */
	DOOR_READY,	    /* nothing; no answer comes */
	DOOR_END,	    /* nothing, or a struct burin_error; no answer */
	/* the keeper's */
	DOOR_HELLO, /* certificates: the CA's, then one for each key */
	DOOR_DONE,  /* what was signed, or what came out */
	DOOR_FAILED /* a struct burin_error */
};

#define DOOR_MAX_RAW 160  /* bytes in; a point of P-521 takes 133 */
#define DOOR_MAX_OUT 2048 /* bytes out; a signature */
#define DOOR_MAX_CRL (16 * 1024 * 1024) /* bytes */

struct door_head {
	uint32_t magic, kind;
	uint32_t key, mech; /* DOOR_USE_KEY; else 0, as the rest */
	uint32_t salt, room;
	uint64_t hash, mgf;
	uint64_t len; /* of what follows */
};

/* One end. wait NULL: it just blocks. */
struct door_line {
	int fd;
	/* Until fd can do events (poll(2)); -1 with e: no more. */
	int (*wait)(void *arg, int fd, short events, struct burin_error *e);
	void *arg;
};

int door_send(const struct door_line *l, struct door_head *h, const void *body,
    struct burin_error *e);
/*
 * *body is OPENSSL_malloc'd, NULL when empty; 1 when the other side has
 * closed. What no kind may be so long is refused before it is read.
 */
int door_receive(const struct door_line *l, struct door_head *h,
    unsigned char **body, struct burin_error *e);
int door_send_error(const struct door_line *l, enum door_kind kind,
    const struct burin_error *failure, struct burin_error *e);
/* The struct burin_error in a body, as an error of this process: -1. */
int door_take_error(
    const unsigned char *body, size_t len, struct burin_error *e);

#endif
