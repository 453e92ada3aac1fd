/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One enrolment of many: made before the clock starts, sent again as it is
 * until it is answered.
 */

#ifndef TESTS_LOAD_H
#define TESTS_LOAD_H

#include <openssl/x509.h>

#include <burin/cmc.h>

enum kind {
	LOAD_EST,    /* simpleenroll, base64 */
	LOAD_SIMPLE, /* PKCS#10 at /cmc */
	LOAD_FULL,   /* PKIData with identity proof at /cmc */
	LOAD_KINDS
};

struct job {
	char *name, *secret;
	enum kind kind;
	int fresh; /* a connection of its own */
	EVP_PKEY *key;
	struct burin_cmc_thread thread; /* LOAD_FULL */
	unsigned char *body;
	size_t len;
	/* how it went */
	unsigned tries;
	double ms;
	X509 *cert; /* NULL: none */
	char *serial, why[200];
};

struct load {
	const char *url, *ca_path;
	STACK_OF(X509) * anchors; /* one */
	struct job *jobs;
	size_t n;
};

/* Jobs of a file of "NAME SECRET" lines; exits when it cannot. */
void load_prepare(struct load *l, const char *secrets);
void load_clear(struct load *l);

/* Sends it until there is an answer, from this address, on curl's handle. */
void load_enrol(
    const struct load *l, struct job *j, const char *address, void *curl);
const char *load_kind(enum kind kind);
double load_now(void); /* milliseconds */

/* Prints and exits. */
_Noreturn void load_die(const char *fmt, ...) BURIN_PRINTF(1, 2);

#endif
