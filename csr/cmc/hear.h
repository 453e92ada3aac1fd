/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the hearing of a request: what is kept of it, how it is refused, and
 * who reads which part of it.
 */

#ifndef CSR_CMC_HEAR_H
#define CSR_CMC_HEAR_H

#include <burin/cmc_server.h>

#include "read.h"

/* PBKDF2 in one message, over all that it holds: somebody else pays. */
#define CMC_MAX_HEARD_ROUNDS 2000000

/* Beside an item: what its proofs are verified with. */
struct cmc_own {
	X509_REQ *pkcs10; /* one of these two */
	struct burin_crmf *crmf;
	unsigned char *der;    /* crmf as a SEQUENCE of its own */
	ASN1_TYPE *witness[2]; /* popLinkWitness, V2 of it; NULL: none */
};

/* What struct burin_cmc_heard borrows from. */
struct cmc_heard_kept {
	struct burin_cms *cms; /* around the PKIData; NULL: Simple request */
	/* the signatures around its encryption (section 5), outermost first */
	struct burin_cms *around[CMC_MAX_PULLED];
	size_t n_around;
	unsigned char *plain; /* what was encrypted, as a ContentInfo */
	struct cmc_body *body;
	struct cmc_own *own; /* of each item */
	/* DER of the extensions in each addExtensions */
	unsigned char *extensions[BURIN_CMC_MAX_PARTS];
	size_t n_extensions;
	const struct burin_cmc_item *by_item; /* BY_REQUEST: whose key */
};

/* One request being heard. */
struct cmc_hearing {
	const struct burin_cmc_listen *l;
	struct burin_cmc_heard *h;
	struct cmc_heard_kept *kept;
	struct burin_cmc_refusal *why;
	struct burin_error *e; /* not NULL */
};

/* --- refusals ------------------------------------------------------------- */

/* Until something else is said: internalCAError. */
void cmc_why_begin(struct burin_cmc_refusal *why);
/* id 0: the whole message. */
void cmc_why_set(
    struct burin_cmc_refusal *why, enum burin_cmc_fail fail, uint32_t id);
/* One part more; what has no room is not said. */
void cmc_why_add(struct burin_cmc_refusal *why, uint32_t id);
/* The error says what the message does wrong: that is what the peer learns.
 * Nothing else is its business. -1. */
int cmc_why_take(
    const struct cmc_hearing *hg, enum burin_cmc_fail fail, uint32_t id);
/* "the request" and why. -1. */
int cmc_refuse(const struct cmc_hearing *hg, enum burin_cmc_fail fail,
    uint32_t id, const char *code, const char *rule, const char *text);
/* "the control NAME in the request" and why, about this control. -1. */
int cmc_refuse_control(const struct cmc_hearing *hg, enum burin_cmc_fail fail,
    const struct cmc_control_part *part, const char *text);

/* --- parts ---------------------------------------------------------------- */

/* {0} is the whole message: n 0. */
void cmc_path_take(const struct cmc_path *path, struct burin_cmc_path *out);
size_t cmc_body_count(const struct cmc_body *b, enum cmc_control number);
/* Bytes for n things, zeroed; NULL with e set. n is not 0. */
void *cmc_hear_room(const struct cmc_hearing *hg, size_t n, size_t size);

/* hear_controls.c: what is asked beside certificates: section 6. */
int cmc_hear_controls(const struct cmc_hearing *hg);
/* hear_named.c: sections 6.9 to 6.11, 6.14, 6.18. */
int cmc_hear_named(const struct cmc_hearing *hg);
/* hear_statements.c: what an RA says of parts of its message. */
int cmc_hear_statements(const struct cmc_hearing *hg);
/* hear_items.c: the certification requests: section 3.2.1.2. */
int cmc_hear_items(const struct cmc_hearing *hg);
int cmc_hear_simple(
    const struct cmc_hearing *hg, const unsigned char *der, size_t len);
void cmc_items_clear(struct burin_cmc_heard *h);
/* hear_signer.c: who protected it; nothing is verified. */
int cmc_hear_voice(const struct cmc_hearing *hg);
/* What somebody else derives a key with is work of ours; id: of the part. */
int cmc_check_rounds(
    const struct cmc_hearing *hg, const struct burin_cms *cms, uint32_t id);

#endif
