/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What PKCS#10 and CRMF have in common when a request is signed by its own
 * key: which keys can, with which digest, and which signatures are believed.
 */

#ifndef CSR_SIGN_H
#define CSR_SIGN_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>

/* A key type that can sign, else BURIN_EUSAGE "key-cannot-sign". */
int csr_check_signer(EVP_PKEY *pub, const char *rule, struct burin_error *e);
/* name NULL: by key type. *md is NULL for EdDSA. */
int csr_pick_digest(
    EVP_PKEY *pub, const char *name, const EVP_MD **md, struct burin_error *e);
/* 1 when alg is a known signature algorithm with SHA-256 or better. */
int csr_is_strong(const X509_ALGOR *alg);
/* Fails with what to do when a fresh signature is not of the public key. */
int csr_fail_signature(const char *rule, struct burin_error *e);

#endif
