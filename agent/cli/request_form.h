/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside "burin request": from keys to a request in one of its forms.
 */

#ifndef BURIN_REQUEST_FORM_H
#define BURIN_REQUEST_FORM_H

#include <burin/request.h>
#include <burin/token.h>

#include "../enroll/plan.h"

#define REQUEST_MAX_KEYS 8 /* as many as burin_cmc_requests_make takes */

struct request_input {
	const struct plan *plan;	/* what is asked, and in which form */
	struct burin_secret *challenge; /* challengePassword, or NULL */
	struct burin_key *keys[REQUEST_MAX_KEYS];
	size_t n;
	struct burin_key *signer; /* CMC: a key with a certificate, or NULL */
	struct burin_secret *secret; /* CMC: the shared one, or NULL */
};
/* *der is OPENSSL_free'd. */
int request_make(const struct request_input *in, unsigned char **der,
    size_t *len, struct burin_error *e);

#endif
