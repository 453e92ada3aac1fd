/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Static ECDH proof of possession: RFC 6955 section 6. The key of the request
 * and the one in the authority's certificate agree on a secret, and a MAC
 * under it over the request takes the place of a signature:
 *
 *   ZZ   = x coordinate of the shared point, as long as the field
 *   K    = Hash(DER subject of the certificate || ZZ || DER issuer of it)
 *   MAC  = HMAC with Hash, key K, over the octets that would be signed
 *   DhSigStatic ::= SEQUENCE {
 *      issuerAndSerial IssuerAndSerialNumber OPTIONAL, -- the certificate
 *      hashValue       MessageDigest }		-- OCTET STRING: MAC
 *
 * with SHA-256, SHA-384 or SHA-512 as the curve has 256, 384 or more bits. An
 * empty name of the certificate gives way to its alternative name extension
 * (RFC 4211 section 4.3). Keys of X25519 and X448 have no such proof: section
 * 6 is about pk-ec only.
 */

#ifndef CSR_AGREE_H
#define CSR_AGREE_H

#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>

/* 1 when alg is one of the static (EC)DH algorithms of RFC 6955. */
int csr_is_agreement(const X509_ALGOR *alg);

/*
 * pub is key's public half, which is made sure of with a second agreement.
 * Fills alg and value, which holds the DER of DhSigStatic.
 */
int csr_agree_make(EVP_PKEY *pub, EVP_PKEY *key, X509 *authority,
    const unsigned char *text, size_t len, X509_ALGOR *alg,
    ASN1_BIT_STRING *value, struct burin_error *e);
/* authority and its key may be NULL: refused as "pop-unsupported". */
int csr_agree_verify(EVP_PKEY *pub, const X509_ALGOR *alg,
    const ASN1_BIT_STRING *value, const unsigned char *text, size_t len,
    EVP_PKEY *authority_key, X509 *authority, enum burin_status status,
    struct burin_error *e);

/* A BIT STRING of whole octets. */
int csr_set_bits(ASN1_BIT_STRING *bits, const unsigned char *data, size_t len,
    struct burin_error *e);

#endif
