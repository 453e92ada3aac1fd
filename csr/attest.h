/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files about attestation share: Yubico's numbers, and how one of
 * them is found among extensions.
 */

#ifndef CSR_ATTEST_H
#define CSR_ATTEST_H

#include <burin/attest.h>

/* Yubico's arc for PIV attestation. */
#define YUBICO_PIV "1.3.6.1.4.1.41482.3."
/* In an attestation, or in the certificate of the attestation key. */
#define OID_FIRMWARE YUBICO_PIV "3"
#define OID_SERIAL YUBICO_PIV "7"
#define OID_POLICY YUBICO_PIV "8"
#define OID_FORM_FACTOR YUBICO_PIV "9"
#define OID_FIPS YUBICO_PIV "10"
#define OID_CSPN YUBICO_PIV "11"

/*
 * The one extension of this type; *ext NULL when there is none. -1 when it
 * is there twice.
 */
int csr_attest_ext(const STACK_OF(X509_EXTENSION) * exts, const char *oid,
    X509_EXTENSION **ext);
/* "9a" of the subject of an attestation; 0 when it is of another kind. */
int csr_attest_slot(const X509 *cert, char slot[3]);
/* 1 when the subject is that of the maker's attestation keys. */
int csr_attest_is_key(const X509 *cert);
/* What to do when a check of this id fails; "" for none of ours. */
const char *csr_attest_advice(const char *id);

#endif
