/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What proves something inside a CMC message: identity (RFC 10002 section
 * 6.2), its link to the proof of possession (6.3), and the answer to a
 * challenge (6.7). Made by an end entity, verified by an authority.
 */

#ifndef CSR_CMC_PROOFS_H
#define CSR_CMC_PROOFS_H

#include <stddef.h>
#include <stdint.h>

#include <burin/cmc.h>

#include "asn1.h"

#define CMC_MAX_DIGEST 64  /* bytes of any hash or MAC here */
#define CMC_MAX_POP_KEY 64 /* section 6.7: of y, what keys the MAC */

/* --- algorithms ----------------------------------------------------------- */

/*
 * OpenSSL's name of a hash, or of the hash inside an HMAC ("SHA256"), by any
 * of its OIDs; NULL when it is not known, too weak (SHA-1 without legacy) or,
 * in an AlgorithmIdentifier, has parameters that are neither absent nor NULL.
 */
const char *cmc_hash_by_oid(const char *oid, int legacy);
const char *cmc_hmac_by_oid(const char *oid, int legacy);
const char *cmc_hash_name(const X509_ALGOR *alg, int legacy);
const char *cmc_hmac_name(const X509_ALGOR *alg, int legacy);
/* name is of a hash: "SHA1", "SHA256"…; X509_ALGOR_free, NULL no memory. */
X509_ALGOR *cmc_hash_algor(const char *name);
X509_ALGOR *cmc_hmac_algor(const char *name);
X509_ALGOR *cmc_hmac_algor_by_oid(const char *oid);

/* HASH(a || b); name as above. b may be NULL with 0. */
int cmc_hash(const char *name, const void *a, size_t a_len, const void *b,
    size_t b_len, unsigned char out[CMC_MAX_DIGEST], size_t *out_len,
    struct burin_error *e);
int cmc_hmac(const char *name, const void *key, size_t key_len,
    const void *data, size_t len, unsigned char out[CMC_MAX_DIGEST],
    size_t *out_len, struct burin_error *e);

/* --- identity: section 6.2 ------------------------------------------------ */

/*
 * The value of identityProofV2, or of identityProof with id->legacy, over the
 * octets of reqSequence with tag and length. ASN1_TYPE_free.
 */
int cmc_identity_prove(const struct burin_cmc_identity *id, const void *reqs,
    size_t len, ASN1_TYPE **value, struct burin_error *e);
/*
 * v2: which of the two controls value is of. SHA-1, and with it the first of
 * them, only with legacy. A failure is of this status: "identity-proof".
 */
int cmc_identity_verify(const struct burin_cmc_identity *id, int v2,
    const ASN1_TYPE *value, const void *reqs, size_t len, int legacy,
    enum burin_status status, struct burin_error *e);

/* --- its link to the proof of possession: section 6.3 --------------------- */

/* The value of popLinkWitnessV2, or of popLinkWitness with id->legacy. */
int cmc_link_prove(const struct burin_cmc_identity *id, const void *random,
    size_t len, ASN1_TYPE **value, struct burin_error *e);
/*
 * As cmc_identity_verify: "pop-link". The key may be of the secret alone or
 * of secret and identification, whatever id->link_with_name says; a hash or
 * PBKDF2 makes it.
 */
int cmc_link_verify(const struct burin_cmc_identity *id, int v2,
    const ASN1_TYPE *value, const void *random, size_t len, int legacy,
    enum burin_status status, struct burin_error *e);

/* Rounds of PBKDF2 that popLinkWitnessV2 takes; 0: none, or no number. */
uint64_t cmc_link_rounds(const ASN1_TYPE *value);

/* --- decryptedPOP: section 6.7 -------------------------------------------- */

/*
 * thePOP: the HMAC with this hash, keyed with y (its first 64 octets), over
 * request, the DER of a TaggedRequest as it stands in encryptedPOP. untagged:
 * over the same as an untagged SEQUENCE.
 */
int cmc_pop_make(const char *name, const struct burin_secret *y,
    const unsigned char *request, size_t len, int untagged,
    unsigned char out[CMC_MAX_DIGEST], size_t *out_len, struct burin_error *e);

#endif
