/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of controls: RFC 10002 table 1 and section 6.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "controls.h"

#define MAX_OID_TEXT 64
#define IN_BOTH (CMC_IN_REQUEST | CMC_IN_RESPONSE)
#define FROM_RA (CMC_IN_REQUEST | CMC_BY_RA)

#define ROW_OF(number, name, rule, type, where)      \
	{                                            \
		number, name, rule, type##_it, where \
	}
#define ROW(number, name, section, type, where) \
	ROW_OF(number, name, "RFC 10002 section " section, type, where)

/* clang-format off */
static const struct cmc_control_row rows[] = {
	/* An end entity sends a status to abort a challenge: section 6.7. */
	ROW(CMC_STATUS_INFO, "statusInfo", "6.1.2", CMC_STATUS,
	    IN_BOTH | CMC_MANY),
	ROW(CMC_IDENTIFICATION, "identification", "6.2.3", ASN1_UTF8STRING,
	    CMC_IN_REQUEST),
	ROW(CMC_IDENTITY_PROOF, "identityProof", "6.2.2", ASN1_OCTET_STRING,
	    CMC_IN_REQUEST),
	ROW(CMC_DATA_RETURN, "dataReturn", "6.4", ASN1_OCTET_STRING, IN_BOTH),
	ROW(CMC_TRANSACTION_ID, "transactionId", "6.6", ASN1_INTEGER, IN_BOTH),
	ROW(CMC_SENDER_NONCE, "senderNonce", "6.6", ASN1_OCTET_STRING,
	    IN_BOTH),
	ROW(CMC_RECIPIENT_NONCE, "recipientNonce", "6.6", ASN1_OCTET_STRING,
	    IN_BOTH),
	ROW(CMC_ADD_EXTENSION, "addExtensions", "6.5.2", CMC_ADD_EXTENSIONS,
	    FROM_RA | CMC_MANY),
	ROW(CMC_ENCRYPTED_POP_CONTROL, "encryptedPOP", "6.7",
	    CMC_ENCRYPTED_POP, CMC_IN_RESPONSE | CMC_MANY),
	ROW(CMC_DECRYPTED_POP_CONTROL, "decryptedPOP", "6.7",
	    CMC_DECRYPTED_POP, CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_LRA_POP_WITNESS, "lraPOPWitness", "6.8", CMC_POP_WITNESS,
	    FROM_RA | CMC_MANY),
	ROW(CMC_GET_CERT_CONTROL, "getCert", "6.9", CMC_GET_CERT,
	    CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_GET_CRL_CONTROL, "getCRL", "6.10", CMC_GET_CRL,
	    CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_REVOKE_REQUEST, "revokeRequest", "6.11", CMC_REVOKE,
	    CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_REG_INFO, "regInfo", "6.12", ASN1_OCTET_STRING,
	    CMC_IN_REQUEST),
	ROW(CMC_RESPONSE_INFO, "responseInfo", "6.12", ASN1_OCTET_STRING,
	    CMC_IN_RESPONSE),
	ROW(CMC_QUERY_PENDING, "queryPending", "6.13", ASN1_OCTET_STRING,
	    CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_POP_LINK_RANDOM, "popLinkRandom", "6.3.1.3",
	    ASN1_OCTET_STRING, CMC_IN_REQUEST),
	ROW(CMC_POP_LINK_WITNESS, "popLinkWitness", "6.3.1.2",
	    ASN1_OCTET_STRING, CMC_IN_CERT_REQUEST),
	/* A server may name in it what it wants confirmed. */
	ROW(CMC_CONFIRM_CERT_ACCEPTANCE, "confirmCertAcceptance", "6.14",
	    CMC_CERT_ID, IN_BOTH | CMC_MANY),
	ROW(CMC_STATUS_INFO_V2, "statusInfoV2", "6.1.1", CMC_STATUS_V2,
	    IN_BOTH | CMC_MANY),
	ROW(CMC_TRUSTED_ANCHORS, "trustedAnchors", "6.15", CMC_ANCHORS,
	    CMC_IN_RESPONSE),
	ROW(CMC_AUTH_DATA, "authData", "6.16", ASN1_INTEGER, IN_BOTH),
	ROW(CMC_BATCH_REQUESTS, "batchRequests", "6.17", CMC_IDS, FROM_RA),
	ROW(CMC_BATCH_RESPONSES, "batchResponses", "6.17", CMC_IDS,
	    CMC_IN_RESPONSE | CMC_BY_RA),
	ROW(CMC_PUBLISH_CERT, "publishCert", "6.18", CMC_PUBLISH,
	    CMC_IN_REQUEST | CMC_MANY),
	ROW(CMC_MOD_CERT_TEMPLATE, "modCertTemplate", "6.5.1",
	    CMC_MOD_TEMPLATE, FROM_RA | CMC_MANY),
	ROW(CMC_CONTROL_PROCESSED, "controlProcessed", "6.19", CMC_PROCESSED,
	    FROM_RA | CMC_MANY),
	ROW(CMC_POP_LINK_WITNESS_V2, "popLinkWitnessV2", "6.3.1.1",
	    CMC_WITNESS, CMC_IN_CERT_REQUEST),
	ROW(CMC_IDENTITY_PROOF_V2, "identityProofV2", "6.2.1", CMC_WITNESS,
	    CMC_IN_REQUEST),
	ROW_OF(CMC_RA_IDENTITY_WITNESS, "raIdentityWitness", "RFC 6402 section 2.5", CMC_IDS,
	    FROM_RA | CMC_MANY),
	ROW_OF(CMC_CHANGE_SUBJECT_NAME, "changeSubjectName", "RFC 6402 section 2.8",
	    CMC_NEW_NAME, CMC_IN_CERT_REQUEST),
	ROW_OF(CMC_RESPONSE_BODY, "responseBody", "RFC 6402 section 2.6", CMC_IDS,
	    CMC_IN_RESPONSE | CMC_BY_RA),
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct cmc_control_row *
cmc_control_at(size_t i)
{
	return i < N_ROWS ? &rows[i] : NULL;
}

const struct cmc_control_row *
cmc_control_row(enum cmc_control number)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++) {
		if (rows[i].number == number)
			return &rows[i];
	}
	return NULL;
}

const struct cmc_control_row *
cmc_control_find(const ASN1_OBJECT *oid)
{
	static const size_t arc = sizeof(CMC_OID_ARC) - 1;
	char text[MAX_OID_TEXT];
	unsigned long number;
	char *end;
	int n = OBJ_obj2txt(text, sizeof(text), oid, 1);

	if (n <= 0 || (size_t)n >= sizeof(text) ||
	    strncmp(text, CMC_OID_ARC, arc) != 0)
		return NULL;
	number = strtoul(text + arc, &end, 10);
	return *end == '\0' && number <= CMC_RESPONSE_BODY
	    ? cmc_control_row((enum cmc_control)number)
	    : NULL;
}
