/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The world of test_authority_cmc*.c: an authority, who enrols with it, and
 * an RA between them, all with software keys.
 */

#ifndef UNIT_CMC_BENCH_H
#define UNIT_CMC_BENCH_H

#include <burin/cmc_server.h>

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
	unsigned char *sent;
	size_t sent_len;
	struct burin_cmc_reply reply;
	struct cmc_reply said; /* as the authority has it */
	int no_anchor;	       /* knows the secret and nothing else */
	long anchors_seen;
	int simply; /* it sent neither transactionId nor nonces */
};

struct relay {
	struct client c;
	X509 *cert;
	struct burin_cms_signer signer;
};

void must(struct burin_error *e, int rc);
void write_file(const char *dir, const char *name, const char *text);
int setup(void **state);
int teardown(void **state);
X509 *own_cert(
    struct bench *b, EVP_PKEY *key, const char *usage, const char *eku);
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
/* The authority's answer to what is in c->sent. */
void turn(struct client *c);
/* What the end entity, or an RA that sent a layer, makes of it. */
int hears(struct client *c, int layer);
int say(struct client *c, const struct burin_cmc_ask *ask);
/* A first message: requests, proof of identity, link. */
int enrol(struct client *c, const struct burin_cms_signer *signer);
void next_nonce(struct client *c);
/* The certificate for key in the reply; borrowed. */
X509 *got(struct client *c);
void refused(struct client *c, const char *code);
/* Lines of the audit log: "issued", "refused" or revocations. */
long long lines_of(struct bench *b, const char *event);
/* Enrols c and gives its certificate. */
X509 *enrolled(struct client *c);
void relay_new(struct bench *b, struct relay *ra, const char *profile);
void relay_clear(struct relay *ra);
/* Passes on n messages in one batch. */
int pass_on(struct relay *ra, const struct burin_cmc_bytes *list, size_t n,
    const struct burin_cmc_vouch *vouches, size_t n_vouches);
/* A message of somebody whose secret only the RA knows. */
void stranger(struct client *c, enum burin_cms_by by);
/* The answer to message number i of the batch, as its sender reads it. */
int unpack(struct relay *ra, size_t i, struct client *c);
X509_NAME *name_of(const char *cn);

#endif
