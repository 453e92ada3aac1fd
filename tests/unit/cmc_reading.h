/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The world of test_cmc_read.c and test_cmc_said.c.
 */

#ifndef UNIT_CMC_READING_H
#define UNIT_CMC_READING_H

#include <time.h>

#include <burin/cmc.h>
#include <burin/response.h>

#include "cmc_responder.h"
#include "pki.h"

/* With its issuer's name and no key ids it would pass for self-signed. */
#define KEY_IDS "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"

extern struct burin_error e;
extern EVP_PKEY *ca_key, *ee_key, *rsa_key, *ra_key, *other_key;
extern X509 *ca, *ee, *ra, *stranger;
extern STACK_OF(X509) * anchors;
extern struct burin_secret *secret, *wrong;
extern struct burin_cmc_identity identity;
extern const char *const ca_eku[], *const ra_eku[];

/* What was sent, and what it must come back with. */
extern struct burin_cmc_thread thread;
extern unsigned char *request, *reqs;
extern size_t request_len, reqs_len;
extern struct burin_cmc_expect x;

/* The answer, what was read in it, and the last refusal of it. */
extern unsigned char *answer;
extern size_t answer_len;
extern struct burin_cmc_reply reply;
extern struct burin_error last;

/* How it is sealed; zero: by the CA, now, with the certificate for ee. */
struct seal {
	EVP_PKEY *key;
	X509 *cert;
	enum burin_cms_by by;
	const unsigned char *key_id;
	int no_time;
	time_t time;
	X509 *extra;
};

X509 *issue(const char *cn, EVP_PKEY *key, const char *const *exts);
void key_id_of(EVP_PKEY *key, unsigned char id[20]);
void must(int rc);
/* A message with one request for key, which cannot sign when challenge. */
void send_for(EVP_PKEY *key, int crmf, int challenge, const char *pend);
int fresh(void **state);
void set_answer(unsigned char *der, size_t len);
/* What an answer brings back. */
void begin(struct said *s);
unsigned char *sign(const struct seal *how, const char *type,
    const unsigned char *data, size_t data_len, size_t *len);
/* Ends s. */
void seal(struct said *s, const struct seal *how);
void by_ca(struct said *s);
void by_nobody(struct said *s);
void by_secret(struct said *s, const struct burin_secret *with);
void taken(enum burin_cmc_outcome outcome);
void refused(enum burin_status status, const char *code);
int done(void **state);
int setup(void **state);
int teardown(void **state);

#define ONE(test) cmocka_unit_test_setup_teardown(test, fresh, done)

#endif
