/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small authority with keys in software, and those who enrol with it
 * message by message: for tests of what they say to each other.
 */

#ifndef TESTS_UNIT_ENROLLING_H
#define TESTS_UNIT_ENROLLING_H

#include "authority/cmc.h"
#include "pki.h"

/* The authority. */
struct bench {
	char dir[64], profiles[96];
	struct settings cnf;
	struct issuer ca;
	EVP_PKEY *ca_key;
	struct cmc_server s;
	STACK_OF(X509) * anchors;
	struct burin_error e;
};

/* Somebody who enrols, message by message. */
struct client {
	struct bench *b;
	const struct cmc_server *to; /* whom it asks */
	const char *name;
	struct burin_secret *secret;
	struct burin_cmc_identity id;
	struct burin_subject *subject;
	EVP_PKEY *key;
	unsigned char key_id[BURIN_KEY_IDENTIFIER];
	struct burin_cmc_thread thread;
	unsigned char *reqs;
	size_t reqs_len;
	int simply; /* what it sent has neither transactionId nor nonces */
	unsigned char *sent;
	size_t sent_len;
	struct burin_cmc_reply reply;
	struct cmc_reply said; /* as the authority has it */
};

void must(struct burin_error *e, int rc);
X509 *own_cert(
    struct bench *b, EVP_PKEY *key, const char *usage, const char *eku);
int bench_setup(void **state);
int bench_teardown(void **state);
/* With a one-time secret of its own, known to at; profile NULL: any. */
void client_at(struct bench *b, const struct cmc_server *at, struct client *c,
    const char *name, const char *key_type, const char *profile);
void client_new(struct bench *b, struct client *c, const char *name,
    const char *key_type, const char *profile);
void client_clear(struct client *c);
struct burin_cms_signer by_key(const struct client *c);
struct burin_cms_signer by_cert(const struct client *c, X509 *cert);
void make_requests(struct client *c, enum burin_cmc_form form,
    enum burin_pop pop, const struct burin_cmc_identity *id);
void turn(struct client *c);
int reads(struct client *c, int layer);
int say(struct client *c, const struct burin_cmc_ask *ask);
int enrol(struct client *c, const struct burin_cms_signer *signer);
void next_nonce(struct client *c);
X509 *got(struct client *c);
void refused(struct client *c, const char *code);
long long lines_of(struct bench *b, const char *event);
X509 *enrolled(struct client *c);

#endif
