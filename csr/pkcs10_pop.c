/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Proof of possession of a PKCS#10 request: its own signature, RFC 2986
 * section 4.2, or what stands in its place.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <burin/crmf.h>
#include <burin/request.h>

#include "agree.h"
#include "pop.h"
#include "sign.h"

enum burin_pop
burin_pkcs10_pop(const X509_REQ *req)
{
	const X509_ALGOR *alg;

	if (X509_REQ_get_signature_nid(req) == NID_id_alg_noSignature)
		return BURIN_POP_CHALLENGE;
	X509_REQ_get0_signature(req, NULL, &alg);
	return csr_is_agreement(alg) ? BURIN_POP_AGREEMENT
				     : BURIN_POP_SIGNATURE;
}

static int
is_strong(const X509_REQ *req)
{
	const X509_ALGOR *alg;

	X509_REQ_get0_signature(req, NULL, &alg);
	return csr_is_strong(alg);
}

/* Says what the request has instead of a signature. */
static int
fail_other(const X509_REQ *req, enum burin_status status, struct burin_error *e)
{
	if (burin_pkcs10_pop(req) == BURIN_POP_CHALLENGE)
		return csr_fail_unproved(status, e);
	(void)burin_fail(e, status, "pop-unsupported",
	    "the request proves possession by key agreement and is not "
	    "signed");
	return burin_error_rule(e, "RFC 6955 section 6");
}

int
burin_pkcs10_verify_pop(
    X509_REQ *req, enum burin_status status, struct burin_error *e)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);

	if (burin_pkcs10_pop(req) != BURIN_POP_SIGNATURE) {
		ERR_clear_error();
		return fail_other(req, status, e);
	}
	if (key == NULL)
		(void)burin_fail_openssl(e, status, "pop-failed",
		    "the request's public key cannot be decoded, so its "
		    "signature proves nothing");
	else if (!is_strong(req))
		(void)burin_fail(e, status, "pop-failed",
		    "the request is signed with an unknown algorithm or a "
		    "weak digest");
	else if (X509_REQ_verify(req, key) != 1)
		(void)burin_fail_openssl(e, status, "pop-failed",
		    "the request's signature does not verify: it does not "
		    "prove possession of the private key");
	else
		return 0;
	(void)burin_error_rule(e, "RFC 2986 section 4.2");
	return burin_error_advice(e,
	    "make the request again with the key it is for, SHA-256 or "
	    "better");
}

/* burin_pkcs10_parse saw to it that encoding gives the bytes received. */
int
burin_pkcs10_verify_agreement(X509_REQ *req, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e)
{
	EVP_PKEY *pub = X509_REQ_get0_pubkey(req);
	const ASN1_BIT_STRING *value;
	const X509_ALGOR *alg;
	unsigned char *tbs = NULL;
	int len, rc;

	if (pub == NULL)
		return burin_fail_openssl(e, status, "pop-failed",
		    "the request's public key cannot be decoded");
	if ((len = i2d_re_X509_REQ_tbs(req, &tbs)) <= 0)
		return burin_fail_memory(e);
	X509_REQ_get0_signature(req, &value, &alg);
	rc = csr_agree_verify(pub, alg, value, tbs, (size_t)len, authority_key,
	    authority, status, e);
	OPENSSL_free(tbs);
	return rc;
}
