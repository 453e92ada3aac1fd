/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The certification requests of a message of ours: RFC 10002 section 3.2.1.2.
 */

#ifndef CSR_CMC_REQUESTS_H
#define CSR_CMC_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include <burin/cmc.h>

#include "asn1.h"

struct cmc_request {
	uint32_t id; /* its body part id */
	enum burin_pop pop;
	struct burin_asked asked;
};
struct cmc_requests {
	struct cmc_request list[BURIN_CMC_MAX_REQUESTS];
	size_t n;
};

/* Reads a reqSequence as burin_cmc_requests_make makes one. */
int cmc_requests_parse(const unsigned char *der, size_t len,
    enum burin_status status, struct cmc_requests *out, struct burin_error *e);
void cmc_requests_clear(struct cmc_requests *r);

/*
 * What one request says outside, with copies of everything: with a
 * changeSubjectName these are the names that the holder has.
 */
int cmc_outer_of_pkcs10(
    X509_REQ *req, struct burin_asked *out, struct burin_error *e);
int cmc_outer_of_crmf(
    const struct burin_crmf *m, struct burin_asked *out, struct burin_error *e);
/*
 * What it asks for in the end; a changeSubjectName
 * that is no such thing is refused with status.
 */
int cmc_asked_of_pkcs10(X509_REQ *req, enum burin_status status,
    struct burin_asked *out, struct burin_error *e);
int cmc_asked_of_crmf(const struct burin_crmf *m, enum burin_status status,
    struct burin_asked *out, struct burin_error *e);
/*
 * change_name.c: the value (DER) of changeSubjectName, of either generation,
 * takes the place of the names in out, as it does at the authority.
 */
int cmc_asked_rename(const unsigned char *der, size_t len,
    enum burin_status status, struct burin_asked *out, struct burin_error *e);
/*
 * The names in its value, as either generation encodes them. NULL, or what is
 * wrong: goes behind "has a changeSubjectName that".
 */
const char *cmc_new_name_read(const unsigned char *der, size_t len,
    X509_NAME **subject, GENERAL_NAMES **names);
/* What such names make of asked; subject NULL: the empty one. */
int cmc_new_name_put(struct burin_asked *asked, const X509_NAME *subject,
    GENERAL_NAMES *names, struct burin_error *e);
/* 1 when it asks for this subjectKeyIdentifier. */
int cmc_asks_for_key_id(
    const struct burin_asked *a, const unsigned char *key_id, size_t len);
/* 1 when it is for this key. */
int cmc_asks_for_key(const struct burin_asked *a, EVP_PKEY *pub);

#endif
