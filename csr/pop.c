/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Proofs of possession by name, and which key can give which.
 */

#include "pop.h"
#include "sign.h"

#define RULE_CHALLENGE "RFC 10002 section 6.7"

const char *
burin_pop_name(enum burin_pop pop)
{
	static const char *const names[] = {
		[BURIN_POP_SIGNATURE] = "signature",
		[BURIN_POP_CHALLENGE] = "challenge",
		[BURIN_POP_AGREEMENT] = "agreement",
		[BURIN_POP_BY_RA] = "by-ra",
	};

	return names[pop];
}

int
csr_is_agreeing(EVP_PKEY *pub)
{
	return EVP_PKEY_is_a(pub, "EC") || EVP_PKEY_is_a(pub, "X25519") ||
	    EVP_PKEY_is_a(pub, "X448");
}

static int
check_challenge(EVP_PKEY *pub, struct burin_error *e)
{
	const char *type = EVP_PKEY_get0_type_name(pub);

	if (EVP_PKEY_is_a(pub, "RSA") || csr_is_agreeing(pub))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-decrypt",
	    "nothing can be encrypted to a key of type %s, so no challenge "
	    "proves its possession",
	    type != NULL ? type : "unknown");
	(void)burin_error_rule(e, RULE_CHALLENGE);
	return burin_error_advice(e, "let the key sign the request");
}

int
csr_check_how(EVP_PKEY *pub, const struct burin_pop_how *how, const char *rule,
    struct burin_error *e)
{
	switch (how->pop) {
	case BURIN_POP_SIGNATURE:
		return csr_check_signer(pub, rule, e);
	case BURIN_POP_CHALLENGE:
		return check_challenge(pub, e);
	case BURIN_POP_AGREEMENT: /* csr_agree_make looks closer */
	case BURIN_POP_BY_RA:
	default:
		return 0;
	}
}

int
csr_fail_unproved(enum burin_status status, struct burin_error *e)
{
	(void)burin_fail(e, status, "pop-required",
	    "the request proves nothing yet: its key is to answer a "
	    "challenge");
	(void)burin_error_rule(e, RULE_CHALLENGE);
	return burin_error_advice(e,
	    "use CMC, where the authority can send a challenge, or prove "
	    "possession in the request");
}

int
csr_check_length(size_t len, struct burin_error *e)
{
	if (len <= BURIN_MAX_REQUEST)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "request-too-long",
	    "the request is longer than %d bytes", BURIN_MAX_REQUEST);
}
