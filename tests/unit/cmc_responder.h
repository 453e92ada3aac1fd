/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small authority for tests: says anything in a PKIResponse, also what no
 * authority should. Made with the ASN.1 types; failure aborts the test.
 */

#ifndef TESTS_UNIT_CMC_RESPONDER_H
#define TESTS_UNIT_CMC_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include <burin/cmc.h>

#include "csr/cmc/controls.h"

/* A PKIResponse, or PKIData, that is being written. */
struct said {
	CMC_PKI_RESPONSE *body;
	uint32_t next; /* body part id of what comes */
};
void said_begin(struct said *s);
void said_free(struct said *s);

/* Each returns the id of the part. value is copied. */
uint32_t said_any(struct said *s, const char *oid, const ASN1_TYPE *value);
uint32_t said_value(struct said *s, enum cmc_control number, const void *value);
uint32_t said_octets(
    struct said *s, enum cmc_control number, const void *data, size_t len);
uint32_t said_integer(
    struct said *s, enum cmc_control number, const void *bytes, size_t len);
uint32_t said_message(struct said *s, const unsigned char *der, size_t len);
/* A list of part ids: responseBody, batchResponses. */
uint32_t said_ids(
    struct said *s, enum cmc_control number, const uint32_t *ids, size_t n);

/* What a status can say. */
struct said_status {
	int v1;
	long status;
	const uint32_t *ids; /* bodyList, NULL: {1} */
	size_t n_ids;
	int path; /* bodyList is one path of ids */
	const char *text;
	long fail; /* failInfo, -1 none */
	const char *token;
	const char *time;    /* GeneralizedTime, with token */
	const char *ext;     /* OID of extendedFailInfo */
	int ext_untagged;    /* as RFC 5272 writes it */
	const char *garbage; /* otherInfo: this OCTET STRING in a SEQUENCE */
};
uint32_t said_status(struct said *s, const struct said_status *what);
/* statusInfoV2 about request 1, with failInfo (-1 none). */
uint32_t said_plain(struct said *s, long status, long fail);

/* encryptedPOP of y for pub: SKI key_id, or, NULL, serial. */
struct said_pop {
	const unsigned char *request; /* TaggedRequest */
	size_t request_len;
	EVP_PKEY *pub;
	const unsigned char *key_id;
	size_t key_id_len;
	unsigned long serial;
	enum burin_cms_cipher cipher;
	const unsigned char *y;
	size_t y_len;
	int wrong_witness;
	const char *inner; /* type inside, NULL: id-data */
	int sha1;
};
uint32_t said_pop(struct said *s, const struct said_pop *p);

/* trustedAnchors with hashes of certs by md. */
uint32_t said_anchors(struct said *s, long number, const EVP_MD *md,
    X509 *const *certs, size_t n);

/* DER; OPENSSL_free. */
unsigned char *said_response(const struct said *s, size_t *len);
unsigned char *said_data(const struct said *s, size_t *len); /* PKIData */

/* The same in BER: indefinite lengths down to this depth. OPENSSL_free. */
unsigned char *said_ber(
    const unsigned char *der, size_t len, int depth, size_t *out_len);

#endif
