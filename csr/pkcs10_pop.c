/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Proof of possession of a PKCS#10 request: its own signature, RFC 2986
 * section 4.2.
 */

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include <burin/request.h>

#define MIN_DIGEST 32 /* bytes: SHA-1 and MD5 collide */

/* The digest of RSASSA-PSS is a parameter; absent is SHA-1: RFC 4055. */
static int
pss_digest(const X509_ALGOR *alg)
{
	RSA_PSS_PARAMS *params;
	const void *value;
	const ASN1_OBJECT *oid;
	int type, nid = NID_sha1;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_SEQUENCE)
		return nid;
	params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (params != NULL && params->hashAlgorithm != NULL) {
		X509_ALGOR_get0(&oid, NULL, NULL, params->hashAlgorithm);
		nid = OBJ_obj2nid(oid);
	}
	RSA_PSS_PARAMS_free(params);
	return nid;
}

static int
is_strong(const X509_REQ *req)
{
	const X509_ALGOR *alg;
	const EVP_MD *md;
	int nid = X509_REQ_get_signature_nid(req), digest;

	if (nid == NID_ED25519 || nid == NID_ED448)
		return 1;
	if (nid == NID_rsassaPss) {
		X509_REQ_get0_signature(req, NULL, &alg);
		digest = pss_digest(alg);
	} else if (OBJ_find_sigid_algs(nid, &digest, NULL) != 1)
		return 0;
	md = EVP_get_digestbynid(digest);
	return md != NULL && EVP_MD_get_size(md) >= MIN_DIGEST;
}

int
burin_pkcs10_verify_pop(
    X509_REQ *req, enum burin_status status, struct burin_error *e)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);

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
