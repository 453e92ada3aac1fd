/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the reading of an answer: the envelopes around it, who answers for
 * it, and what it says.
 */

#ifndef CSR_CMC_READ_H
#define CSR_CMC_READ_H

#include "parse.h"

#define CMC_MAX_PULLED 4 /* envelopes around one response */

/* Who answers for a response. */
enum cmc_voice {
	CMC_NOBODY, /* nobody signed */
	CMC_RA,	    /* id-kp-cmcRA: only around an answer of the CA */
	CMC_SECRET, /* who knows the shared secret */
	CMC_CA	    /* the CA, or its namesake with id-kp-cmcCA */
};

/* One PKIResponse; cms->body NULL: a Simple response. */
struct cmc_layer {
	struct cmc_opened in;
	enum cmc_voice voice;
	time_t signing_time; /* signed; 0: not said */
};

/* What a reply borrows from. layers[0] is the outermost. */
struct cmc_kept {
	size_t n;
	struct cmc_layer layers[BURIN_CMC_MAX_DEPTH];
	struct cmc_opened sent; /* our own message; body NULL: PKCS#10 */
	/* of an RA: its layer, and for each message in it the answer inside */
	struct cmc_opened layer;
	size_t n_answers;
	const struct cmc_message_part **answers; /* NULL: none */
	/* those of expect, or what bootstrap gave; NULL: none. Borrowed */
	STACK_OF(X509) * anchors;
	STACK_OF(X509) * given; /* by bootstrap */
};

/* One answer being read. */
struct cmc_reader {
	const struct burin_cmc_expect *x;
	struct burin_cmc_reply *r;
	struct cmc_kept *kept;
	struct burin_error *e;
};

/* 1 when der opens as ContentInfo does: SEQUENCE { OBJECT IDENTIFIER. */
int cmc_is_content_info(const unsigned char *der, size_t len);
/*
 * A message inside an envelope: content of this type, or, as some peers
 * have it, a ContentInfo of its own. As a ContentInfo: OPENSSL_free *der.
 */
int cmc_content_info(const char *type, const unsigned char *data, size_t len,
    enum burin_status status, unsigned char **der, size_t *der_len,
    struct burin_error *e);
int cmc_content_parse(const char *type, const unsigned char *data, size_t len,
    enum burin_status status, struct burin_cms **out, struct burin_error *e);

/* --- layers.c ------------------------------------------------------------- */

/* Takes off the envelopes and fills kept->layers, each of them verified. */
int cmc_layers_read(
    const struct cmc_reader *rd, const unsigned char *data, size_t len);

/* --- signer.c ------------------------------------------------------------- */

/*
 * Signatures or MAC of one envelope and who made them; what is not believed
 * is BURIN_ECHECK. Without any signer the voice is nobody's and nothing is
 * an error. name: for people.
 */
int cmc_voice_find(const struct cmc_reader *rd, struct burin_cms *cms,
    struct cmc_layer *layer);
/* Who shares a secret with the authority; *out NULL: nobody. */
int cmc_identity_find(
    const struct cmc_reader *rd, const struct burin_cmc_identity **out);

/* --- back.c --------------------------------------------------------------- */

/* 1: it answers we know not what. */
int cmc_is_unknown(const struct burin_cmc_expect *x);
/* Our own message; the answer is held against it. An RA's layer as well. */
int cmc_sent_read(const struct cmc_reader *rd);
/* 1 when a part of our message, or of our layer, has this id. */
int cmc_sent_has(const struct cmc_reader *rd, uint32_t id);
/* 1 when this is a message of others in our layer, or their request. */
int cmc_is_others(const struct cmc_reader *rd, uint32_t id);
/* transactionId, nonces, dataReturn, responseInfo: sections 6.4, 6.6, 6.12. */
int cmc_thread_check(const struct cmc_reader *rd);

/* --- challenge.c ---------------------------------------------------------- */

/* encryptedPOP: each about a request of ours. */
int cmc_challenges_read(const struct cmc_reader *rd);

/* --- outcome.c ------------------------------------------------------------ */

/* What all statuses come to. The refusal of the authority is the error. */
int cmc_outcome_read(const struct cmc_reader *rd);
/* The same of an answer that nobody signed: always an error. */
int cmc_hint_read(const struct cmc_reader *rd);

/* --- inside.c ------------------------------------------------------------- */

/* The answers to the messages in an RA's layer: kept->answers. */
int cmc_answers_find(const struct cmc_reader *rd);

/* --- anchors.c ------------------------------------------------------------ */

/* trustedAnchors and authData: sections 6.15 and 6.16. */
int cmc_anchors_read(const struct cmc_reader *rd);
/*
 * Of a body that nobody answers for yet: the anchors in its authData, which
 * the shared secret authenticates, into kept->anchors. Without authData it
 * leaves NULL there.
 */
int cmc_anchors_bootstrap(
    const struct cmc_reader *rd, const struct cmc_body *b);

#endif
