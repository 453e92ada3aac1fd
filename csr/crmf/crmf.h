/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of csr/crmf/ share.
 */

#ifndef CSR_CRMF_CRMF_H
#define CSR_CRMF_CRMF_H

#include <stddef.h>
#include <stdint.h>

#include <burin/crmf.h>

#include "asn1.h"

#define CRMF_MAX_OID 128		    /* dotted, with the NUL */
#define CRMF_MAX_LIST ((size_t)1024 * 1024) /* bytes of CertReqMessages */

/* RFC 10002 section 6.3.1, 6.3.2 and 7; draft-ietf-lamps-csr-attestation. */
#define OID_POP_LINK_WITNESS "1.3.6.1.5.5.7.7.23"
#define OID_POP_LINK_WITNESS_V2 "1.3.6.1.5.5.7.7.33"
#define OID_CHANGE_SUBJECT_NAME "1.3.6.1.5.5.7.7.36"
#define OID_ATTESTATION "1.2.840.113549.1.9.16.2.59"

struct crmf_control {
	char oid[CRMF_MAX_OID];
	unsigned char *der; /* OPENSSL_free */
	size_t len;
};

struct burin_crmf {
	CRMF_MSG *msg;
	uint32_t id;
	EVP_PKEY *pub; /* of the template; NULL none, or not to be decoded */
	struct crmf_control *controls;
	size_t n_controls;
};

/* 1 when the request has both subject and public key: RFC 4211 section 4. */
int crmf_is_whole(const CRMF_MSG *msg);
/* What CMC forbids: RFC 10002 section 3.2.1.2.2. "not-in-cmc" */
int crmf_check_cmc(const struct burin_crmf *m, enum burin_status status,
    struct burin_error *e);

#endif
