/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The controls of CMC: RFC 10002 table 1. One row each; what a message may
 * hold, and how its value reads, is looked up here and nowhere else.
 */

#ifndef CSR_CMC_CONTROLS_H
#define CSR_CMC_CONTROLS_H

#include "asn1.h"

/* The last number of the OID, below CMC_OID_ARC. */
enum cmc_control {
	CMC_STATUS_INFO = 1,
	CMC_IDENTIFICATION = 2,
	CMC_IDENTITY_PROOF = 3,
	CMC_DATA_RETURN = 4,
	CMC_TRANSACTION_ID = 5,
	CMC_SENDER_NONCE = 6,
	CMC_RECIPIENT_NONCE = 7,
	CMC_ADD_EXTENSION = 8,
	CMC_ENCRYPTED_POP_CONTROL = 9,
	CMC_DECRYPTED_POP_CONTROL = 10,
	CMC_LRA_POP_WITNESS = 11,
	CMC_GET_CERT_CONTROL = 15,
	CMC_GET_CRL_CONTROL = 16,
	CMC_REVOKE_REQUEST = 17,
	CMC_REG_INFO = 18,
	CMC_RESPONSE_INFO = 19,
	CMC_QUERY_PENDING = 21,
	CMC_POP_LINK_RANDOM = 22,
	CMC_POP_LINK_WITNESS = 23,
	CMC_CONFIRM_CERT_ACCEPTANCE = 24,
	CMC_STATUS_INFO_V2 = 25,
	CMC_TRUSTED_ANCHORS = 26,
	CMC_AUTH_DATA = 27,
	CMC_BATCH_REQUESTS = 28,
	CMC_BATCH_RESPONSES = 29,
	CMC_PUBLISH_CERT = 30,
	CMC_MOD_CERT_TEMPLATE = 31,
	CMC_CONTROL_PROCESSED = 32,
	CMC_POP_LINK_WITNESS_V2 = 33,
	CMC_IDENTITY_PROOF_V2 = 34,
	CMC_RA_IDENTITY_WITNESS = 35,
	CMC_CHANGE_SUBJECT_NAME = 36,
	CMC_RESPONSE_BODY = 37
};

/* Where a control may be. */
#define CMC_IN_REQUEST 1u      /* PKIData */
#define CMC_IN_RESPONSE 2u     /* PKIResponse */
#define CMC_IN_CERT_REQUEST 4u /* attribute of PKCS#10, control of CRMF */
#define CMC_BY_RA 8u	       /* an RA's; an end entity only shows it */
#define CMC_MANY 16u	       /* may be there more than once */

struct cmc_control_row {
	enum cmc_control number;
	const char *name;		/* "identityProofV2", as in RFC 10002 */
	const char *rule;		/* "RFC 10002 section 6.2.1" */
	const ASN1_ITEM *(*item)(void); /* of its one value */
	unsigned where;			/* CMC_IN_*, CMC_BY_RA, CMC_MANY */
};
/* The row of an OID; NULL for what is not of this arc or not known. */
const struct cmc_control_row *cmc_control_find(const ASN1_OBJECT *oid);
const struct cmc_control_row *cmc_control_row(enum cmc_control number);
/* i counts from 0; NULL behind the last. */
const struct cmc_control_row *cmc_control_at(size_t i);

#endif
