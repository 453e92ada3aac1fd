/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the dialect of CMC: what its messages have in common.
 */

#ifndef BURIN_CMC_VOICE_H
#define BURIN_CMC_VOICE_H

#include <burin/cmc.h>

#include "steps.h"

/* Who speaks, and where the conversation stands. Borrows from the walk. */
struct cmc_voice {
	struct burin_cmc_thread thread;
	enum burin_cmc_protect protect;
	struct burin_cms_signer signer;
	struct burin_key *signer_key; /* NULL: nobody signs */
	struct burin_cmc_identity identity;
	struct burin_cmc_identity *speaks_for; /* &identity, or NULL: none */
	unsigned char key_id[BURIN_KEY_IDENTIFIER]; /* SKI of the new key */
};
/* What is told to nobody but who listens: where the conversation stands. */
void cmc_thread_of(const struct job *job, struct burin_cmc_thread *t);
/* The secret and its name, asked for once; *out NULL: there is none. */
int cmc_identity(struct walk *w, struct burin_cmc_identity *id,
    struct burin_cmc_identity **out, struct burin_error *e);
/*
 * cert: the new certificate, once there is one; its key signs then. proves:
 * requests are in the message, whose sender shows who that is.
 */
int cmc_voice_open(struct walk *w, X509 *cert, int proves, struct cmc_voice *v,
    struct burin_error *e);
/* Fills in what is the same in all messages, and makes one. */
int cmc_say(struct cmc_voice *v, struct burin_cmc_ask *ask, unsigned char **der,
    size_t *len, struct burin_error *e);
/* What is said, and must be answered, from here on. */
int cmc_keep(struct walk *w, struct cmc_voice *v, struct burin_cmc_ask *ask,
    struct burin_error *e);
/* The requests once more, with the answers to the challenges in r. */
int cmc_say_pops(struct walk *w, const struct burin_cmc_reply *r,
    const struct burin_cmc_pop *pops, size_t n, struct burin_error *e);

#endif
