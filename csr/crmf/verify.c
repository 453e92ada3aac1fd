/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The proof of possession in a CertReqMsg: RFC 4211 section 4. It is over the
 * octets of certReq as they were received.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../agree.h"
#include "../pop.h"
#include "../sign.h"
#include "crmf.h"

#define RULE "RFC 4211 section 4"

static int
refuse(struct burin_error *e, enum burin_status status, const char *code,
    const char *why)
{
	(void)burin_fail_openssl(e, status, code, "%s", why);
	return burin_error_rule(e, RULE);
}

/* Case 3 of section 4.1; the others need what no request of CMC has. */
static int
verify_signature(
    const struct burin_crmf *m, enum burin_status status, struct burin_error *e)
{
	const CRMF_SIGNING_KEY *sk = m->msg->popo->value.signature;

	if (sk->poposkInput != NULL)
		return refuse(e, status, "pop-unsupported",
		    "the request is signed by way of a POPOSigningKeyInput, "
		    "which is not supported");
	if (!csr_is_strong(sk->algorithmIdentifier))
		return refuse(e, status, "pop-failed",
		    "the request is signed with an unknown algorithm or a "
		    "weak digest");
	if (ASN1_item_verify(ASN1_ITEM_rptr(CRMF_REQUEST),
		sk->algorithmIdentifier, sk->signature, m->msg->certReq,
		m->pub) == 1)
		return 0;
	(void)refuse(e, status, "pop-failed",
	    "the request's signature does not verify: it does not prove "
	    "possession of the private key");
	return burin_error_advice(e,
	    "make the request again with the key it is for, SHA-256 or "
	    "better");
}

static int
verify_agreement(const struct burin_crmf *m, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e)
{
	const CRMF_PKMAC *mac =
	    m->msg->popo->value.keyAgreement->value.agreeMAC;
	unsigned char *der = NULL;
	int len = i2d_CRMF_REQUEST(m->msg->certReq, &der), rc;

	if (len <= 0)
		return burin_fail_memory(e);
	rc = csr_agree_verify(m->pub, mac->algId, mac->value, der, (size_t)len,
	    authority_key, authority, status, e);
	OPENSSL_free(der);
	return rc;
}

/* Both kinds that can be verified here are about this key and this name. */
static int
check_whole(
    const struct burin_crmf *m, enum burin_status status, struct burin_error *e)
{
	if (!crmf_is_whole(m->msg))
		return refuse(e, status, "pop-unsupported",
		    "the request has no subject or no public key, so its "
		    "proof of possession is about nothing");
	if (m->pub == NULL)
		return refuse(e, status, "pop-failed",
		    "the request's public key cannot be decoded, so its proof "
		    "of possession is worth nothing");
	return 0;
}

int
burin_crmf_verify_pop(const struct burin_crmf *m, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e)
{
	switch (burin_crmf_get_popo(m)) {
	case BURIN_POPO_SIGNATURE:
		if (check_whole(m, status, e) == -1)
			return -1;
		return verify_signature(m, status, e);
	case BURIN_POPO_AGREE_MAC:
		if (check_whole(m, status, e) == -1)
			return -1;
		return verify_agreement(m, authority_key, authority, status, e);
	case BURIN_POPO_NONE:
		return refuse(e, status, "pop-required",
		    "the request has no proof of possession");
	case BURIN_POPO_ENCRYPT_CHALLENGE:
	case BURIN_POPO_AGREE_CHALLENGE:
		return csr_fail_unproved(status, e);
	case BURIN_POPO_RA_VERIFIED:
		(void)refuse(e, status, "pop-by-ra",
		    "the request only says that an RA proved possession "
		    "(raVerified)");
		return burin_error_advice(
		    e, "only an RA may say so, and only to its own authority");
	case BURIN_POPO_ENCRYPT_CERT:
	case BURIN_POPO_ENCRYPT_OTHER:
	case BURIN_POPO_AGREE_OTHER:
	default:
		return refuse(e, status, "pop-unsupported",
		    "the request's kind of proof of possession is not "
		    "supported");
	}
}
