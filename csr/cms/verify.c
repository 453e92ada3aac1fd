/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Verifying a signature: RFC 5652 sections 5.4 and 5.6, RFC 3370, RFC 4056
 * (PSS), RFC 5753 (ECDSA), RFC 8419 (EdDSA).
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "internal.h"

static int
bad_alg(const struct burin_cms *cms, const X509_ALGOR *alg, const char *rule,
    struct burin_error *e)
{
	return csr_cms_alg_refused(
	    e, cms->status, "the signature algorithm", alg->algorithm, rule);
}

static const struct csr_md *
digest_of(struct burin_cms *cms, const CSR_SIGNER *si, int legacy,
    struct burin_error *e)
{
	const struct csr_md *md = csr_md_of_alg(si->digest_alg);

	if (md != NULL && (!md->weak || legacy))
		return md;
	(void)csr_cms_alg_refused(e, cms->status, "the digest algorithm",
	    si->digest_alg->algorithm, "RFC 5754 section 2");
	return NULL;
}

/* The digest of RSASSA-PSS-params; SHA-1 when they are silent (RFC 4055). */
static const struct csr_md *
pss_digest(const X509_ALGOR *alg)
{
	const struct csr_md *md = csr_md_of_name("SHA1");
	RSA_PSS_PARAMS *p;

	if (alg->parameter == NULL ||
	    (p = ASN1_TYPE_unpack_sequence(
		 ASN1_ITEM_rptr(RSA_PSS_PARAMS), alg->parameter)) == NULL)
		return NULL;
	if (p->hashAlgorithm != NULL)
		md = csr_md_of_alg(p->hashAlgorithm);
	RSA_PSS_PARAMS_free(p);
	return md;
}

/*
 * The algorithm as OpenSSL verifies it: rsaEncryption leaves the digest to
 * digestAlgorithm (RFC 3370 section 3.2), all others name or imply it, and it
 * has to be the same.
 */
static int
signature_alg(struct burin_cms *cms, const CSR_SIGNER *si,
    const struct csr_md *md, X509_ALGOR **out, struct burin_error *e)
{
	int nid = OBJ_obj2nid(si->signature_alg->algorithm), md_nid, want;

	*out = NULL;
	want = EVP_MD_get_type(EVP_get_digestbyname(md->name));
	if (nid == NID_rsaEncryption) {
		if (OBJ_find_sigid_by_algs(&nid, want, nid) != 1)
			return bad_alg(
			    cms, si->signature_alg, "RFC 5754 section 3.2", e);
		if ((*out = X509_ALGOR_new()) == NULL ||
		    X509_ALGOR_set0(
			*out, OBJ_nid2obj(nid), V_ASN1_NULL, NULL) != 1)
			return burin_fail_memory(e);
		return 0;
	}
	if (nid == NID_rsassaPss) {
		if (pss_digest(si->signature_alg) != md)
			return bad_alg(
			    cms, si->signature_alg, "RFC 4056 section 3", e);
	} else if (nid == NID_ED25519 || nid == NID_ED448) {
		if (strcmp(md->name,
			nid == NID_ED25519 ? "SHA512" : "SHAKE256") != 0 &&
		    si->signed_attrs != NULL)
			return bad_alg(
			    cms, si->signature_alg, "RFC 8419 section 3.1", e);
	} else if (OBJ_find_sigid_algs(nid, &md_nid, NULL) != 1 ||
	    md_nid != want) {
		return bad_alg(
		    cms, si->signature_alg, "RFC 5652 section 5.3", e);
	}
	*out = X509_ALGOR_dup(si->signature_alg);
	return *out != NULL ? 0 : burin_fail_memory(e);
}

/*
 * ASN1_item_verify, because it knows what every AlgorithmIdentifier means.
 * Bytes that are no ASN.1 travel as V_ASN1_OTHER, which is encoded as it is.
 */
static int
verify_bytes(X509_ALGOR *alg, const unsigned char *data, size_t len,
    const ASN1_OCTET_STRING *signature, EVP_PKEY *pub)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	ASN1_STRING *raw = ASN1_STRING_type_new(V_ASN1_OTHER);
	ASN1_TYPE any = { V_ASN1_OTHER, { NULL } };
	int ok = 0;

	any.value.asn1_string = raw;
	if (bits != NULL && raw != NULL &&
	    ASN1_STRING_set(raw, data, (int)len) == 1 &&
	    ASN1_BIT_STRING_set(bits, signature->data, signature->length) ==
		1) {
		bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 7);
		bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
		ok = ASN1_item_verify(
			 ASN1_ITEM_rptr(ASN1_ANY), alg, bits, &any, pub) == 1;
	}
	ASN1_STRING_free(raw);
	ASN1_BIT_STRING_free(bits);
	return ok;
}

static int
wrong(const struct burin_cms *cms, struct burin_error *e)
{
	ERR_clear_error();
	(void)burin_fail(e, cms->status, "signature-wrong",
	    "the signature does not verify with the signer's public key");
	return burin_error_rule(e, "RFC 5652 section 5.6");
}

/* Without attributes the signature is over the content itself. */
static int
check(struct burin_cms *cms, const CSR_SIGNER *si, X509_ALGOR *alg,
    const struct csr_md *md, EVP_PKEY *pub, struct burin_error *e)
{
	unsigned char *der = NULL;
	int n, ok;

	if (si->signed_attrs == NULL) {
		if (!csr_oid_is(cms->sd->encap->type, OID_DATA))
			return csr_cms_malformed(e, cms->status,
			    "the signer signed no attributes, and the content "
			    "is not plain data",
			    "RFC 5652 section 5.3");
		ok = verify_bytes(alg, cms->content->data,
		    (size_t)cms->content->length, si->signature, pub);
		return ok ? 0 : wrong(cms, e);
	}
	if ((n = csr_attrs_der(si->signed_attrs, &der)) <= 0)
		return burin_fail_memory(e);
	ok = verify_bytes(alg, der, (size_t)n, si->signature, pub);
	OPENSSL_free(der);
	if (!ok)
		return wrong(cms, e);
	return csr_attrs_check(si->signed_attrs, cms->sd->encap->type, md,
	    cms->content, cms->status, e);
}

int
burin_cms_verify(struct burin_cms *cms, size_t i, EVP_PKEY *pub, int legacy,
    struct burin_error *e)
{
	const struct csr_md *md;
	X509_ALGOR *alg = NULL;
	const CSR_SIGNER *si;
	int rc = -1;

	if (i >= burin_cms_n_signers(cms)) {
		(void)burin_fail(e, cms->status, "signer-missing",
		    "the message has no signer %zu", i + 1);
		return burin_error_rule(e, "RFC 5652 section 5.1");
	}
	si = sk_CSR_SIGNER_value(cms->sd->signers, (int)i);
	if (csr_oid_is(si->signature_alg->algorithm, OID_NO_SIGNATURE)) {
		(void)burin_fail(e, cms->status, "not-signed",
		    "the signer is named with the algorithm noSignature, "
		    "which proves nothing");
		return burin_error_rule(e, "RFC 10002 appendix C");
	}
	if (cms->content == NULL) {
		(void)burin_fail(e, cms->status, "content-missing",
		    "the signed content is not in the message");
		return burin_error_rule(e, "RFC 5652 section 5.2");
	}
	if ((md = digest_of(cms, si, legacy, e)) == NULL ||
	    signature_alg(cms, si, md, &alg, e) == -1 ||
	    check(cms, si, alg, md, pub, e) == -1)
		goto out;
	ERR_clear_error();
	rc = 0;
out:
	X509_ALGOR_free(alg);
	return rc;
}
