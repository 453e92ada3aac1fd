/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC in the authority: one message of a peer, and what goes back (RFC 10002,
 * the columns RA and CA of docs/conformance.md). Knows no HTTP and no token:
 * keys are EVP_PKEYs, wherever they live.
 */

#ifndef BURIN_AUTHORITY_CMC_H
#define BURIN_AUTHORITY_CMC_H

#include <burin/cmc_server.h>

#include "ca.h"

struct ra;
/*
 * What answers. Borrowed; the same for every turn. Of an RA, ca is the one it
 * passes requests on to, and signs nothing; cert has id-kp-cmcRA.
 */
struct cmc_server {
	struct store *store;
	const struct issuer *ca;
	const struct settings *cnf;
	const char *profiles; /* directory */
	EVP_PKEY *key;	      /* signs answers, never the CA's own */
	X509 *cert;	      /* of key; a CA: its name, id-kp-cmcCA */
	EVP_PKEY *pop_key;    /* static ECDH, and encrypted messages */
	X509 *pop_cert;
	unsigned char nonce_key[CA_SHA256]; /* store_subkey */
	struct ra *ra; /* an RA: what it passes on through; NULL: a CA */
	const struct anchors *anchors; /* published, NULL: none */
};

/* One message. Borrowed. */
struct cmc_turn {
	const unsigned char *data;
	size_t len;
	const char *via;       /* "cmc", "est", "mail" */
	const char *profile;   /* by the label of the path, or NULL */
	const char *otherwise; /* where nothing names one, or NULL */
	/* who it is by the transport, both NULL: nobody */
	const struct invite *invite;
	const struct issued *cert;
	const char *from; /* by mail: whose; NULL: it came another way */
	time_t now;
};

struct cmc_reply {
	unsigned char *der; /* OPENSSL_free */
	size_t len;
	int full; /* 0: certs-only */
	/* of the whole message, or of its worst part */
	enum burin_cmc_status status;
	enum burin_cmc_fail fail;
	char who[64];		     /* principal, "" nobody */
	char said[BURIN_ERROR_TEXT]; /* for the log: what was refused */
};

/*
 * Whatever the peer did wrong is in the reply, which is there; -1: not even a
 * refusal could be made, or an RA cannot pass the message on now
 * (BURIN_EINTERRUPTED).
 */
int cmc_serve(const struct cmc_server *s, const struct cmc_turn *t,
    struct cmc_reply *out, struct burin_error *e);
void cmc_reply_clear(struct cmc_reply *r);

/* --- cmc_http.c ----------------------------------------------------------- */

/* Borrows all of a. */
int cmc_server_of(
    const struct authority *a, struct cmc_server *s, struct burin_error *e);

#endif
