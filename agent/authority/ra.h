/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An RA: what it asks of the next server, the CA or another RA, for those who
 * ask it (RFC 10002 section 7). What comes in while one message is under way
 * goes together in the next, so that a batch is as large as it has to be.
 */

#ifndef BURIN_AUTHORITY_RA_H
#define BURIN_AUTHORITY_RA_H

#include <pthread.h>

#include <burin/cmc_server.h>

#define RA_SKEW 300	  /* seconds between the clocks of two servers */
#define RA_MAX_BATCH 100  /* messages in one layer */
#define RA_MAX_VOUCHES 64 /* statements about one message */
/* Bytes of one message that is passed on, with room for a layer around. */
#define RA_MAX_MESSAGE (700 * 1024)

/* Who is asked. Borrowed. */
struct ra_next {
	/*
	 * Brings a message there and back; profile (a label of the address)
	 * or NULL. *answer is OPENSSL_free'd by the caller.
	 */
	int (*submit)(void *arg, const char *profile, const unsigned char *der,
	    size_t len, unsigned char **answer, size_t *answer_len,
	    struct burin_error *e);
	void *arg;
	/* with a certificate with id-kp-cmcRA */
	EVP_PKEY *key;
	X509 *cert;
	X509 *anchor; /* who signs answers stands under it */
};

struct ra;
int ra_new(const struct ra_next *next, struct ra **out, struct burin_error *e);
/* Nobody waits for an answer any more. */
void ra_free(struct ra **ra);

/* One message, or one Simple request, and what comes back. Zero it. */
struct ra_item {
	const unsigned char *der; /* as it came */
	size_t len;
	int simple;	     /* a PKCS#10 */
	const char *profile; /* or NULL */
	/*
	 * What is stated about it, with paths as if it were said in the
	 * message itself: n 0 for the message. Of a Simple request, the id
	 * is 1. Borrowed.
	 */
	const struct burin_cmc_vouch *vouches;
	size_t n_vouches;
	/* the answer of a message: OPENSSL_free; NULL: e says why not */
	unsigned char *answer;
	size_t answer_len;
	/* of a Simple request: */
	int answered;			   /* 0: e says why not */
	struct burin_cmc_part_state state; /* status success: ... */
	X509 *cert;			   /* ... this certificate */
	struct burin_error e;
	/* ra_batch.c's own */
	struct ra_item *after;
	int done;
};
void ra_item_clear(struct ra_item *item);
/*
 * Passes it on, and waits for what comes back: 0 and the answer, which is
 * believed as far as who made it. -1 with e: BURIN_EAUTHORITY when the next
 * server refuses, BURIN_EUSAGE when the message cannot be passed on; of others
 * another try may help. Any thread.
 */
int ra_pass(
    struct ra *ra, struct ra_item *item, time_t now, struct burin_error *e);

/*
 * The CA's newest CRL, asked for with getCRL when the one that is kept is too
 * old. X509_CRL_free. Errors as ra_pass, BURIN_EINTERRUPTED "crl-missing" too.
 */
int ra_crl(struct ra *ra, time_t now, X509_CRL **out, struct burin_error *e);

/* --- ra_batch.c, for ra_crl.c --------------------------------------------- */

/* The CA's CRL as it came last; who holds the lock may ask for another. */
struct ra_kept {
	pthread_mutex_t lock;
	X509_CRL *crl; /* or NULL */
	time_t until;
};
struct ra_kept *ra_keeps(struct ra *ra);
const struct ra_next *ra_asks(const struct ra *ra);
/* Us. */
struct burin_cms_signer ra_signer(const struct ra_next *next, time_t now);

#endif
