/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making SignedData: RFC 5652 section 5, RFC 8419 for EdDSA, noSignature of
 * RFC 10002 appendix C. By hand, for the key may be a token's, and OpenSSL 3.0
 * signs no CMS with EdDSA.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"

#define MAX_SIGNATURE 4096 /* bytes: RSA of 32768 bits */

static int
is_eddsa(EVP_PKEY *pub)
{
	return EVP_PKEY_is_a(pub, "ED25519") || EVP_PKEY_is_a(pub, "ED448");
}

/* As burin_pkcs10_make: a hash as strong as the curve. */
static const char *
digest_for(EVP_PKEY *pub)
{
	int bits = pub != NULL ? EVP_PKEY_get_bits(pub) : 0;

	if (pub == NULL || !EVP_PKEY_is_a(pub, "EC"))
		return "SHA256";
	return bits > 384 ? "SHA512" : bits > 256 ? "SHA384" : "SHA256";
}

static const struct csr_md *
pick_digest(const struct burin_cms_signer *s, struct burin_error *e)
{
	const char *name = s->md_name;
	const struct csr_md *md;

	if (s->pub != NULL && is_eddsa(s->pub)) {
		/* RFC 8419 section 3.1. */
		if (name == NULL)
			return csr_md_of_name(EVP_PKEY_is_a(s->pub, "ED25519")
				? "SHA512"
				: "SHAKE256");
		(void)burin_fail(e, BURIN_EUSAGE, "digest-not-taken",
		    "a key of type %s takes no digest",
		    EVP_PKEY_get0_type_name(s->pub));
		(void)burin_error_rule(e, "RFC 8419 section 3.1");
		return NULL;
	}
	md = csr_md_of_name(name != NULL ? name : digest_for(s->pub));
	if (md == NULL || md->weak || md->len < 32) {
		(void)burin_fail(e, BURIN_EUSAGE, "digest-unusable",
		    "the digest \"%.40s\" is unknown or too weak",
		    name != NULL ? name : "");
		(void)burin_error_advice(e, "use SHA256, SHA384 or SHA512");
		return NULL;
	}
	return md;
}

static int
cannot_sign(const struct burin_cms_signer *s, struct burin_error *e)
{
	const char *type = EVP_PKEY_get0_type_name(s->pub);

	(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-sign",
	    "a key of type %s cannot sign a message",
	    type != NULL ? type : "unknown");
	return burin_error_advice(e,
	    "sign with a key of type RSA, EC, Ed25519 or Ed448, or "
	    "authenticate the message with a shared secret");
}

/* rsaEncryption, which every reader has to know: RFC 3370 section 3.2. */
static int
set_signature_alg(const struct burin_cms_signer *s, const struct csr_md *md,
    X509_ALGOR *alg, struct burin_error *e)
{
	int nid, ok;

	if (s->by == BURIN_CMS_UNSIGNED) {
		ok = csr_alg_set(alg, OID_NO_SIGNATURE, V_ASN1_NULL, NULL);
		return ok ? 0 : burin_fail_memory(e);
	}
	if (EVP_PKEY_is_a(s->pub, "RSA")) {
		ok = csr_alg_set(alg, OID_RSA, V_ASN1_NULL, NULL);
		return ok ? 0 : burin_fail_memory(e);
	}
	if (is_eddsa(s->pub)) {
		nid =
		    EVP_PKEY_is_a(s->pub, "ED25519") ? NID_ED25519 : NID_ED448;
	} else if (!EVP_PKEY_is_a(s->pub, "EC") ||
	    OBJ_find_sigid_by_algs(&nid,
		EVP_MD_get_type(EVP_get_digestbyname(md->name)),
		NID_X9_62_id_ecPublicKey) != 1) {
		return cannot_sign(s, e);
	}
	ok = X509_ALGOR_set0(alg, OBJ_nid2obj(nid), V_ASN1_UNDEF, NULL);
	return ok ? 0 : burin_fail_memory(e);
}

/*
 * RFC 10002 appendix C: the DER of NoSignatureValue, an OCTET STRING with a
 * SHA-1 that its readers ignore.
 */
static int
no_signature(const unsigned char *tbs, size_t len, ASN1_OCTET_STRING *out,
    struct burin_error *e)
{
	const struct csr_md *md = csr_md_of_name("SHA1");
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	int n, rc = -1;

	if (value == NULL || !csr_md_hash(md, tbs, len, digest) ||
	    ASN1_OCTET_STRING_set(value, digest, (int)md->len) != 1 ||
	    (n = i2d_ASN1_OCTET_STRING(value, &der)) <= 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	ASN1_STRING_set0(out, der, n);
	rc = 0;
out:
	ASN1_OCTET_STRING_free(value);
	return rc;
}

static int
sign_bytes(const struct burin_cms_signer *s, const struct csr_md *md,
    const unsigned char *tbs, size_t len, ASN1_OCTET_STRING *out,
    struct burin_error *e)
{
	const EVP_MD *how =
	    is_eddsa(s->pub) ? NULL : EVP_get_digestbyname(md->name);
	unsigned char signature[MAX_SIGNATURE];
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	if (ctx == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	/* Why a token did not sign is in OpenSSL's queue. */
	if (EVP_DigestSignInit(ctx, NULL, how, NULL, s->key) != 1 ||
	    EVP_DigestSign(ctx, signature, &n, tbs, len) != 1) {
		(void)burin_fail_openssl(e, BURIN_EREFUSED, "sign-failed",
		    "the key did not sign the message");
		goto out;
	}
	if (ASN1_OCTET_STRING_set(out, signature, (int)n) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	EVP_MD_CTX_free(ctx);
	return rc;
}

static int
fill_signer(const struct burin_cms_signer *s, const struct csr_md *md,
    const CSR_ENCAP *encap, CSR_SIGNER *si, struct burin_error *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *tbs = NULL;
	X509 *cert = s->by == BURIN_CMS_BY_CERT ? s->cert : NULL;
	int n, rc = -1;

	if (set_signature_alg(s, md, si->signature_alg, e) == -1)
		return -1;
	if (ASN1_INTEGER_set(si->version, cert != NULL ? 1 : 3) != 1 ||
	    !csr_key_name_set(si->sid, cert, s->key_id, s->key_id_len, 0) ||
	    !csr_md_set_alg(md, si->digest_alg) ||
	    !csr_md_hash(md, encap->content->data,
		(size_t)encap->content->length, digest) ||
	    !csr_attrs_make(encap->type, digest, md->len, s->signing_time,
		&si->signed_attrs) ||
	    (n = csr_attrs_der(si->signed_attrs, &tbs)) <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "message-encode",
		    "the signer could not be put together");
	rc = s->by == BURIN_CMS_UNSIGNED
	    ? no_signature(tbs, (size_t)n, si->signature, e)
	    : sign_bytes(s, md, tbs, (size_t)n, si->signature, e);
	OPENSSL_free(tbs);
	return rc;
}

static int
add_signer(
    const struct burin_cms_signer *s, CSR_SIGNED *sd, struct burin_error *e)
{
	const struct csr_md *md = pick_digest(s, e);
	X509_ALGOR *alg = NULL;
	CSR_SIGNER *si;

	if (md == NULL)
		return -1;
	if ((si = CSR_SIGNER_new()) == NULL ||
	    sk_CSR_SIGNER_push(sd->signers, si) == 0) {
		CSR_SIGNER_free(si);
		return burin_fail_memory(e);
	}
	if (fill_signer(s, md, sd->encap, si, e) == -1)
		return -1;
	if ((alg = X509_ALGOR_dup(si->digest_alg)) == NULL ||
	    sk_X509_ALGOR_push(sd->digest_algs, alg) == 0) {
		X509_ALGOR_free(alg);
		return burin_fail_memory(e);
	}
	return 0;
}

/* One certificate or revocation list behind the others. */
static int
push(STACK_OF(ASN1_TYPE) * *all, const ASN1_ITEM *it, void *val,
    struct burin_error *e)
{
	ASN1_TYPE *any = NULL;

	if (*all == NULL && (*all = sk_ASN1_TYPE_new_null()) == NULL)
		return burin_fail_memory(e);
	if (ASN1_TYPE_pack_sequence(it, val, &any) != NULL &&
	    sk_ASN1_TYPE_push(*all, any) != 0)
		return 0;
	ASN1_TYPE_free(any);
	return burin_fail_memory(e);
}

static int
put_certs(
    const struct burin_cms_signer *s, CSR_SIGNED *sd, struct burin_error *e)
{
	X509 *own = s->by == BURIN_CMS_BY_CERT ? s->cert : NULL;
	int i;

	if (sk_X509_num(s->certs) >= CSR_CMS_MAX_CERTS ||
	    sk_X509_CRL_num(s->crls) > CSR_CMS_MAX_CRLS)
		return burin_fail(e, BURIN_EUSAGE, "message-too-much",
		    "a message takes up to %d certificates and %d revocation "
		    "lists",
		    CSR_CMS_MAX_CERTS - 1, CSR_CMS_MAX_CRLS);
	if (own != NULL && push(&sd->certs, ASN1_ITEM_rptr(X509), own, e) == -1)
		return -1;
	for (i = 0; i < sk_X509_num(s->certs); i++) {
		X509 *cert = sk_X509_value(s->certs, i);

		if (own != NULL && X509_cmp(cert, own) == 0)
			continue;
		if (push(&sd->certs, ASN1_ITEM_rptr(X509), cert, e) == -1)
			return -1;
	}
	for (i = 0; i < sk_X509_CRL_num(s->crls); i++) {
		if (push(&sd->crls, ASN1_ITEM_rptr(X509_CRL),
			sk_X509_CRL_value(s->crls, i), e) == -1)
			return -1;
	}
	return 0;
}

static int
check_args(const struct burin_cms_signer *s, const void *content,
    struct burin_error *e)
{
	int by_key = s->by == BURIN_CMS_BY_KEY || s->by == BURIN_CMS_UNSIGNED;

	if (s->by == BURIN_CMS_BY_NOBODY)
		return 0;
	if (content == NULL)
		return burin_fail(e, BURIN_EUSAGE, "content-missing",
		    "there is nothing to sign");
	if (s->by != BURIN_CMS_UNSIGNED && (s->key == NULL || s->pub == NULL))
		return burin_fail(
		    e, BURIN_EUSAGE, "key-missing", "there is no key to sign");
	if (s->by == BURIN_CMS_BY_CERT && s->cert == NULL)
		return burin_fail(e, BURIN_EUSAGE, "certificate-missing",
		    "there is no certificate that names the signer");
	if (by_key &&
	    (s->key_id == NULL || s->key_id_len == 0 ||
		s->key_id_len > BURIN_MAX_KEY_ID)) {
		(void)burin_fail(e, BURIN_EUSAGE, "key-id-bad",
		    "the identifier of the signer's key is empty or longer "
		    "than %d bytes",
		    BURIN_MAX_KEY_ID);
		return burin_error_rule(e, "RFC 10002 section 3.2");
	}
	return 0;
}

/* Whether what came out would be believed: a token may sign nonsense. */
static int
believe(const struct burin_cms_signer *s, const unsigned char *der, size_t len,
    struct burin_error *e)
{
	struct burin_cms *cms = NULL;
	int rc = -1;

	if (burin_cms_parse(der, len, BURIN_EREFUSED, &cms, e) == 0 &&
	    burin_cms_verify(cms, 0, s->pub, 0, e) == 0)
		rc = 0;
	burin_cms_free(&cms);
	return rc;
}

int
burin_cms_sign(const struct burin_cms_signer *s, const char *type,
    const void *content, size_t len, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	CSR_SIGNED *sd = NULL;
	int version, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (check_args(s, content, e) == -1)
		return -1;
	if ((sd = CSR_SIGNED_new()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (csr_encap_set(sd->encap, type, content, len, e) == -1)
		goto out;
	/* RFC 5652 section 5.1. */
	version = s->by == BURIN_CMS_BY_KEY || s->by == BURIN_CMS_UNSIGNED ||
		!csr_oid_is(sd->encap->type, OID_DATA)
	    ? 3
	    : 1;
	if (ASN1_INTEGER_set(sd->version, version) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (put_certs(s, sd, e) == -1 ||
	    (s->by != BURIN_CMS_BY_NOBODY && add_signer(s, sd, e) == -1) ||
	    csr_content_encode(OID_SIGNED, ASN1_ITEM_rptr(CSR_SIGNED), sd, der,
		der_len, e) == -1)
		goto out;
	if (*der_len > BURIN_MAX_MESSAGE) {
		(void)burin_fail(e, BURIN_EUSAGE, "message-too-long",
		    "the message is longer than %d bytes", BURIN_MAX_MESSAGE);
		goto out;
	}
	if (s->by != BURIN_CMS_BY_NOBODY && s->by != BURIN_CMS_UNSIGNED &&
	    believe(s, *der, *der_len, e) == -1)
		goto out;
	rc = 0;
out:
	if (rc == -1) {
		OPENSSL_free(*der);
		*der = NULL;
		*der_len = 0;
	}
	CSR_SIGNED_free(sd);
	return rc;
}
