/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing the body of a message, PKIData or PKIResponse: one part behind the
 * other, each with the next free id (RFC 10002 section 3.2.2).
 */

#ifndef CSR_CMC_PUT_H
#define CSR_CMC_PUT_H

#include <burin/cmc_server.h>

#include "controls.h"

struct cmc_put {
	STACK_OF(CMC_ATTR) * controls; /* both borrowed of the body */
	STACK_OF(CMC_CONTENT) * cms;
	uint32_t next; /* body part id of what comes */
};

/* "message-encode". */
int cmc_encode_failed(const char *what, struct burin_error *e);

/* Takes any over, also when it fails. */
int cmc_put_any(struct cmc_put *p, enum cmc_control number, ASN1_TYPE *any,
    struct burin_error *e);
int cmc_put_item(struct cmc_put *p, enum cmc_control number,
    const ASN1_ITEM *it, void *value, struct burin_error *e);
int cmc_put_string(struct cmc_put *p, enum cmc_control number, int type,
    const void *data, size_t len, struct burin_error *e);
/* Nothing when there are none. */
int cmc_put_octets(struct cmc_put *p, enum cmc_control number,
    const struct burin_cmc_octets *o, struct burin_error *e);
/* The magnitude of a positive INTEGER, or, empty, 0. */
int cmc_put_transaction(
    struct cmc_put *p, const struct burin_cmc_octets *o, struct burin_error *e);
/* transactionId and nonces of section 6.6; t NULL: none. */
int cmc_put_thread(
    struct cmc_put *p, const struct burin_cmc_thread *t, struct burin_error *e);
/* A list of body part ids: batchRequests, responseBody. */
int cmc_put_ids(struct cmc_put *p, enum cmc_control number, const uint32_t *ids,
    size_t n, struct burin_error *e);
/* confirmCertAcceptance: section 6.14. */
int cmc_put_cert_id(struct cmc_put *p, X509 *cert, struct burin_error *e);
/* A ContentInfo, as it is, into cmsSequence, with an id of its own. */
int cmc_put_message(struct cmc_put *p, uint32_t id, const unsigned char *der,
    size_t len, struct burin_error *e);

/* statusInfoV2; old: statusInfo behind it, of what that can name. */
int cmc_put_state(struct cmc_put *p, const struct burin_cmc_state_of *s,
    int old, struct burin_error *e);

/* NULL: no memory. sk_ASN1_INTEGER_pop_free. */
STACK_OF(ASN1_INTEGER) * cmc_ids_new(const uint32_t *ids, size_t n);
/* A path; one of a single id is that id. CMC_REF_free. */
CMC_REF *cmc_ref_new(const struct burin_cmc_path *path);

#endif
