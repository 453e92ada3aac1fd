/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * encryptedPOP, the challenge to a key that cannot sign: RFC 10002 section
 * 6.7. It is taken only for a request that we sent, octet by octet.
 */

#include <string.h>

#include <openssl/objects.h>

#include "read.h"

#define RULE_POP "RFC 10002 section 6.7"

static int
refuse(const struct cmc_reader *rd, const char *why)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, "pop-challenge",
	    "the answer has a challenge (encryptedPOP) %s", why);
	return burin_error_rule(rd->e, RULE_POP);
}

static const struct cmc_request_part *
find_sent(const struct cmc_reader *rd, const ASN1_TYPE *request)
{
	const struct cmc_body *body = rd->kept->sent.body;
	size_t i;

	if (body == NULL || request->type != V_ASN1_OTHER)
		return NULL;
	for (i = 0; i < body->n_requests; i++) {
		const struct cmc_request_part *part = &body->requests[i];

		if ((size_t)ASN1_STRING_length(request->value.asn1_string) ==
			part->len &&
		    memcmp(ASN1_STRING_get0_data(request->value.asn1_string),
			part->der, part->len) == 0)
			return part;
	}
	return NULL;
}

static int
is_oid_text(const X509_ALGOR *alg, char out[64])
{
	int n = OBJ_obj2txt(out, 64, alg->algorithm, 1);

	return n > 0 && n < 64;
}

static int
add_challenge(const struct cmc_reader *rd, const CMC_ENCRYPTED_POP *pop)
{
	struct burin_cmc_reply *r = rd->r;
	const struct cmc_request_part *part = find_sent(rd, pop->request);
	struct burin_cmc_challenge *c;
	size_t i;

	if (part == NULL)
		return refuse(rd, "about a request that was not sent");
	for (i = 0; i < r->n_challenges; i++) {
		if (r->challenges[i].id == part->id)
			return refuse(rd, "twice about one request");
	}
	if (r->n_challenges == BURIN_CMC_MAX_REQUESTS)
		return refuse(rd, "about each of more than 8 requests");
	c = &r->challenges[r->n_challenges];
	if (pop->cms->type != V_ASN1_SEQUENCE ||
	    !is_oid_text(pop->thePOPAlgID, c->pop_algorithm) ||
	    !is_oid_text(pop->witnessAlgID, c->witness_algorithm))
		return refuse(rd, "that cannot be read");
	c->id = part->id;
	c->request = part->der;
	c->request_len = part->len;
	c->cms = ASN1_STRING_get0_data(pop->cms->value.sequence);
	c->cms_len = (size_t)ASN1_STRING_length(pop->cms->value.sequence);
	c->witness = ASN1_STRING_get0_data(pop->witness);
	c->witness_len = (size_t)ASN1_STRING_length(pop->witness);
	r->n_challenges++;
	return 0;
}

int
cmc_challenges_read(const struct cmc_reader *rd)
{
	const struct cmc_control_part *part;
	const struct cmc_body *body;
	size_t i, at;

	for (i = 0; i < rd->kept->n; i++) {
		body = rd->kept->layers[i].in.body;
		at = 0;
		while ((part = cmc_body_next(
			    body, CMC_ENCRYPTED_POP_CONTROL, &at)) != NULL) {
			if (add_challenge(rd, part->value) == -1)
				return -1;
		}
	}
	return 0;
}
