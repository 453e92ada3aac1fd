/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Signatures of requests by their own key: RFC 2986 section 4.2, RFC 4211
 * section 4.1.
 */

#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "sign.h"

#define MIN_DIGEST 32 /* bytes: SHA-1 and MD5 collide */

/* RFC 5758 and FIPS 186-5: a hash as strong as the curve. */
static const char *
digest_for(EVP_PKEY *pub)
{
	int bits = EVP_PKEY_get_bits(pub);

	if (!EVP_PKEY_is_a(pub, "EC"))
		return "SHA256";
	return bits > 384 ? "SHA512" : bits > 256 ? "SHA384" : "SHA256";
}

/* RFC 8410: the signature hashes by itself. */
static int
hashes_itself(EVP_PKEY *pub)
{
	return EVP_PKEY_is_a(pub, "ED25519") || EVP_PKEY_is_a(pub, "ED448");
}

int
csr_check_signer(EVP_PKEY *pub, const char *rule, struct burin_error *e)
{
	if (EVP_PKEY_is_a(pub, "RSA") || EVP_PKEY_is_a(pub, "RSA-PSS") ||
	    EVP_PKEY_is_a(pub, "EC") || hashes_itself(pub))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-sign",
	    "a key of type %s cannot sign, and the request is to be signed by "
	    "its own key",
	    EVP_PKEY_get0_type_name(pub) != NULL ? EVP_PKEY_get0_type_name(pub)
						 : "unknown");
	(void)burin_error_rule(e, "%s", rule);
	return burin_error_advice(e,
	    "ask for a certificate of a signing key (RSA, EC, Ed25519), or "
	    "use a request format with another proof of possession");
}

int
csr_pick_digest(
    EVP_PKEY *pub, const char *name, const EVP_MD **md, struct burin_error *e)
{
	*md = NULL;
	if (hashes_itself(pub)) {
		if (name == NULL)
			return 0;
		(void)burin_fail(e, BURIN_EUSAGE, "digest-not-taken",
		    "a key of type %s takes no digest",
		    EVP_PKEY_get0_type_name(pub));
		return burin_error_rule(e, "RFC 8410 section 3");
	}
	if (name == NULL)
		name = digest_for(pub);
	*md = EVP_get_digestbyname(name);
	if (*md == NULL || EVP_MD_get_size(*md) < MIN_DIGEST) {
		(void)burin_fail(e, BURIN_EUSAGE, "digest-unusable",
		    "the digest \"%.40s\" is unknown or too weak", name);
		return burin_error_advice(e, "use SHA256, SHA384 or SHA512");
	}
	return 0;
}

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

int
csr_is_strong(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;
	const EVP_MD *md;
	int nid, digest;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	nid = OBJ_obj2nid(oid);
	if (nid == NID_ED25519 || nid == NID_ED448)
		return 1;
	if (nid == NID_rsassaPss)
		digest = pss_digest(alg);
	else if (OBJ_find_sigid_algs(nid, &digest, NULL) != 1)
		return 0;
	md = EVP_get_digestbynid(digest);
	return md != NULL && EVP_MD_get_size(md) >= MIN_DIGEST;
}

int
csr_fail_signature(const char *rule, struct burin_error *e)
{
	(void)burin_fail_openssl(e, BURIN_EREFUSED, "signature-wrong",
	    "the key's signature does not verify with the public key of the "
	    "request");
	(void)burin_error_rule(e, "%s", rule);
	return burin_error_advice(e,
	    "is this the public key of that private key? Do not use the "
	    "request");
}
