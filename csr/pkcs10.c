/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a PKCS#10 request: RFC 2986 section 4. A key that cannot sign puts
 * something else in the place of the signature.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#include <burin/crmf.h>

#include "agree.h"
#include "internal.h"
#include "pop.h"
#include "sign.h"

#define RULE_SIGNATURE "RFC 2986 section 4.2"

static int
push_attribute(X509_REQ *req, X509_ATTRIBUTE *attr, struct burin_error *e)
{
	return X509_REQ_add1_attr(req, attr) == 1 ? 0 : burin_fail_memory(e);
}

/* The SET OF attributes is sorted by OpenSSL when it is encoded. */
static int
put_attributes(
    X509_REQ *req, const struct burin_subject *s, struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_ATTRIBUTE *challenge = NULL;
	int i, rc = -1;

	for (i = 0; i < sk_X509_ATTRIBUTE_num(s->attributes); i++) {
		if (push_attribute(req,
			sk_X509_ATTRIBUTE_value(s->attributes, i), e) == -1)
			goto out;
	}
	if (s->challenge != NULL &&
	    (csr_challenge_make(s->challenge, &challenge, e) == -1 ||
		push_attribute(req, challenge, e) == -1))
		goto out;
	if (csr_subject_extensions(
		s, X509_REQ_get_X509_PUBKEY(req), &exts, e) == -1)
		goto out;
	/* extensionRequest: RFC 2985 section 5.4.2; never an empty list. */
	if (sk_X509_EXTENSION_num(exts) > 0 &&
	    X509_REQ_add_extensions(req, exts) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the extensions cannot be put into the request");
		goto out;
	}
	rc = 0;
out:
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	csr_attribute_wipe(challenge);
	return rc;
}

static int
fill(X509_REQ *req, const struct burin_subject *s, EVP_PKEY *pub,
    struct burin_error *e)
{
	if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_subject_name(req, s->dn) != 1 ||
	    X509_REQ_set_pubkey(req, pub) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the request cannot be put together");
	return put_attributes(req, s, e);
}

/*
 * The token layer may have said why it did not sign, in the OpenSSL queue;
 * that becomes the cause.
 */
static int
sign(X509_REQ *req, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	const EVP_MD *md;

	if (csr_pick_digest(pub, how->md_name, &md, e) == -1)
		return -1;
	if (X509_REQ_sign(req, how->key, md) <= 0)
		return burin_fail_openssl(e, BURIN_EREFUSED, "sign-failed",
		    "the key did not sign the request");
	if (X509_REQ_verify(req, pub) != 1)
		return csr_fail_signature(RULE_SIGNATURE, e);
	return 0;
}

/*
 * RFC 10002 appendix C.1: parameters NULL, and the signature wraps an OCTET
 * STRING, the SHA-1 of what would be signed, which nobody trusts.
 */
static int
put_no_signature(const unsigned char *tbs, size_t len, X509_ALGOR *alg,
    ASN1_BIT_STRING *value, struct burin_error *e)
{
	unsigned char md[SHA_DIGEST_LENGTH], *der = NULL;
	ASN1_OCTET_STRING *hash = ASN1_OCTET_STRING_new();
	int n = -1, rc = -1;

	if (hash != NULL &&
	    EVP_Digest(tbs, len, md, NULL, EVP_sha1(), NULL) == 1 &&
	    ASN1_OCTET_STRING_set(hash, md, sizeof(md)) == 1 &&
	    X509_ALGOR_set0(alg, OBJ_nid2obj(NID_id_alg_noSignature),
		V_ASN1_NULL, NULL) == 1)
		n = i2d_ASN1_OCTET_STRING(hash, &der);
	if (n <= 0)
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the value without a signature cannot be made");
	else
		rc = csr_set_bits(value, der, (size_t)n, e);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(hash);
	return rc;
}

/* What is no signature and stands in its place. */
static int
put_other(X509_REQ *req, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
	unsigned char *tbs = NULL;
	int len = i2d_re_X509_REQ_tbs(req, &tbs), rc = -1;

	if (alg == NULL || value == NULL || len <= 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (how->pop == BURIN_POP_AGREEMENT)
		rc = csr_agree_make(pub, how->key, how->authority, tbs,
		    (size_t)len, alg, value, e);
	else
		rc = put_no_signature(tbs, (size_t)len, alg, value, e);
	if (rc == -1)
		goto out;
	if (X509_REQ_set1_signature_algo(req, alg) != 1) {
		rc = burin_fail_memory(e);
		goto out;
	}
	X509_REQ_set0_signature(req, value);
	value = NULL;
out:
	OPENSSL_free(tbs);
	X509_ALGOR_free(alg);
	ASN1_BIT_STRING_free(value);
	return rc;
}

static int
prove(X509_REQ *req, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	if (how->pop == BURIN_POP_SIGNATURE)
		return sign(req, pub, how, e);
	return put_other(req, pub, how, e);
}

static int
check_how(EVP_PKEY *pub, const struct burin_pop_how *how, struct burin_error *e)
{
	if (how->pop != BURIN_POP_BY_RA)
		return csr_check_how(pub, how, RULE_SIGNATURE, e);
	(void)burin_fail(e, BURIN_EUSAGE, "pop-not-in-pkcs10",
	    "PKCS#10 cannot say that an RA proved possession");
	(void)burin_error_rule(e, "RFC 4211 section 4");
	return burin_error_advice(e, "use CRMF");
}

int
burin_pkcs10_make_with(const struct burin_subject *s, EVP_PKEY *pub,
    const struct burin_pop_how *how, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	X509_REQ *req = NULL;
	unsigned char *bytes = NULL;
	int len, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (check_how(pub, how, e) == -1)
		return -1;
	if ((req = X509_REQ_new()) == NULL)
		return burin_fail_memory(e);
	if (fill(req, s, pub, e) == -1 || prove(req, pub, how, e) == -1)
		goto out;
	if ((len = i2d_X509_REQ(req, &bytes)) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the request cannot be encoded");
		goto out;
	}
	if (csr_check_length((size_t)len, e) == -1)
		goto out;
	*der = bytes;
	*der_len = (size_t)len;
	bytes = NULL;
	rc = 0;
out:
	OPENSSL_free(bytes);
	X509_REQ_free(req);
	return rc;
}

int
burin_pkcs10_make(const struct burin_subject *s, EVP_PKEY *pub, EVP_PKEY *key,
    const char *md_name, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, key, md_name, NULL,
		-1 };

	return burin_pkcs10_make_with(s, pub, &how, der, der_len, e);
}
