/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What PKCS#10 and CRMF have in common about proofs of possession.
 */

#ifndef CSR_POP_H
#define CSR_POP_H

#include <openssl/evp.h>

#include <burin/crmf.h>
#include <burin/error.h>

/*
 * The key can give this proof; rule is cited for signatures. Challenges go
 * to keys that decrypt or agree.
 */
int csr_check_how(EVP_PKEY *pub, const struct burin_pop_how *how,
    const char *rule, struct burin_error *e);
/* 1 when a challenge to pub is by key agreement, 0 when by encryption. */
int csr_is_agreeing(EVP_PKEY *pub);
/* "pop-required": a challenge must follow. */
int csr_fail_unproved(enum burin_status status, struct burin_error *e);
/* A request of ours is not longer than BURIN_MAX_REQUEST. */
int csr_check_length(size_t len, struct burin_error *e);

#endif
