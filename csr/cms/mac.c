/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * AuthenticatedData with a shared secret: RFC 5652 section 9, RFC 10002
 * section 3.2. OpenSSL 3.0 has nothing of it.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "internal.h"

static const struct mac {
	const char *oid;
	const char *md;
	size_t len;
	int weak;
} macs[] = {
	{ "1.2.840.113549.2.9", "SHA256", 32, 0 },
	{ "1.2.840.113549.2.8", "SHA224", 28, 0 },
	{ "1.2.840.113549.2.10", "SHA384", 48, 0 },
	{ "1.2.840.113549.2.11", "SHA512", 64, 0 },
	{ "1.3.6.1.5.5.8.1.2", "SHA1", 20, 1 },	 /* RFC 3370 section 3.1 */
	{ "1.2.840.113549.2.7", "SHA1", 20, 1 }, /* the same, of PKCS#5 */
};
#define N_MACS (sizeof(macs) / sizeof(macs[0]))
#define MAC_SHA256 (&macs[0])
#define MAC_SHA1 (&macs[4])

static const struct mac *
mac_of(const X509_ALGOR *alg, int legacy)
{
	size_t i;

	for (i = 0; i < N_MACS; i++) {
		if (csr_oid_is(alg->algorithm, macs[i].oid) &&
		    csr_alg_bare(alg) && (!macs[i].weak || legacy))
			return &macs[i];
	}
	return NULL;
}

/* Over the DER SET OF, not the [2] of the message (RFC 5652 section 9.2). */
static int
compute(const struct mac *mac, const unsigned char *key, size_t key_len,
    const STACK_OF(X509_ATTRIBUTE) * attrs, unsigned char *out)
{
	unsigned char *der = NULL;
	size_t n = 0;
	int len, ok;

	if ((len = csr_attrs_der(attrs, &der)) <= 0)
		return 0;
	ok = EVP_Q_mac(NULL, "HMAC", NULL, mac->md, NULL, key, key_len, der,
		 (size_t)len, out, EVP_MAX_MD_SIZE, &n) != NULL &&
	    n == mac->len;
	OPENSSL_free(der);
	return ok;
}

static int
fill(CSR_AUTHENTICATED *ad, const struct mac *mac, const unsigned char *key,
    size_t key_len, struct burin_error *e)
{
	const struct csr_md *md = csr_md_of_name(mac->md);
	unsigned char digest[EVP_MAX_MD_SIZE], value[EVP_MAX_MD_SIZE];

	ad->digest_alg = X509_ALGOR_new();
	if (ad->digest_alg != NULL && ASN1_INTEGER_set(ad->version, 0) == 1 &&
	    csr_md_set_alg(md, ad->digest_alg) &&
	    csr_alg_set(ad->mac_alg, mac->oid, V_ASN1_UNDEF, NULL) &&
	    csr_md_hash(md, ad->encap->content->data,
		(size_t)ad->encap->content->length, digest) &&
	    csr_attrs_make(
		ad->encap->type, digest, md->len, 0, &ad->auth_attrs) &&
	    compute(mac, key, key_len, ad->auth_attrs, value) &&
	    ASN1_OCTET_STRING_set(ad->mac, value, (int)mac->len) == 1)
		return 0;
	return burin_fail_openssl(e, BURIN_EINTERNAL, "message-encode",
	    "the message could not be authenticated");
}

int
burin_cms_authenticate(const char *identification,
    const struct burin_secret *secret, int legacy, unsigned long rounds,
    const char *type, const void *content, size_t len, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	const struct csr_password pw = { identification, secret };
	const struct mac *mac = legacy ? MAC_SHA1 : MAC_SHA256;
	unsigned char key[32];
	/* AES key wrap takes whole blocks of 8: 24 for a MAC of 20. */
	size_t key_len = (mac->len + 7) / 8 * 8;
	CSR_AUTHENTICATED *ad = NULL;
	CSR_RECIPIENT *ri = NULL;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (secret == NULL || content == NULL)
		return burin_fail(e, BURIN_EUSAGE, "content-missing",
		    "there is no content, or no secret, to authenticate with");
	if ((ad = CSR_AUTHENTICATED_new()) == NULL ||
	    RAND_priv_bytes(key, sizeof(key)) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (csr_encap_set(ad->encap, type, content, len, e) == -1 ||
	    csr_pwri_make(&pw, legacy, rounds, key, key_len, &ri, e) == -1)
		goto out;
	if (sk_CSR_RECIPIENT_push(ad->recipients, ri) == 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	ri = NULL;
	if (fill(ad, mac, key, key_len, e) == -1)
		goto out;
	rc = csr_content_encode(OID_AUTHENTICATED,
	    ASN1_ITEM_rptr(CSR_AUTHENTICATED), ad, der, der_len, e);
out:
	OPENSSL_cleanse(key, sizeof(key));
	CSR_RECIPIENT_free(ri);
	CSR_AUTHENTICATED_free(ad);
	return rc;
}

static int
refuse(struct burin_cms *cms, const char *code, const char *why,
    const char *rule, struct burin_error *e)
{
	(void)burin_fail(e, cms->status, code, "%s", why);
	return burin_error_rule(e, "%s", rule);
}

/* Everything that can be judged before the secret is needed. */
static int
check_shape(struct burin_cms *cms, int legacy, const struct mac **mac,
    const struct csr_md **md, struct burin_error *e)
{
	const CSR_AUTHENTICATED *ad = cms->ad;

	if (ad == NULL)
		return refuse(cms, "not-authenticated",
		    "the message is not authenticated with a secret",
		    "RFC 5652 section 9", e);
	if (cms->content == NULL)
		return refuse(cms, "content-missing",
		    "the authenticated content is not in the message",
		    "RFC 5652 section 9.1", e);
	if ((*mac = mac_of(ad->mac_alg, legacy)) == NULL)
		return csr_cms_alg_refused(e, cms->status, "the MAC algorithm",
		    ad->mac_alg->algorithm, "RFC 10004 section 4.2");
	if (ad->auth_attrs == NULL || ad->digest_alg == NULL)
		return refuse(cms, "message-malformed",
		    "the message has no authenticated attributes, or no "
		    "digest algorithm for them",
		    "RFC 5652 section 9.1", e);
	*md = csr_md_of_alg(ad->digest_alg);
	if (*md == NULL || ((*md)->weak && !legacy))
		return csr_cms_alg_refused(e, cms->status,
		    "the digest algorithm", ad->digest_alg->algorithm,
		    "RFC 5652 section 9.1");
	if (csr_pwri_of(ad) == NULL)
		return refuse(cms, "recipient-missing",
		    "the message is not for exactly one shared secret",
		    "RFC 10002 section 3.2", e);
	return 0;
}

int
burin_cms_verify_mac(struct burin_cms *cms, const char *identification,
    const struct burin_secret *secret, int legacy, struct burin_error *e)
{
	const struct csr_password pw = { identification, secret };
	unsigned char key[CSR_CMS_MAX_WRAPPED], value[EVP_MAX_MD_SIZE];
	const struct mac *mac = NULL;
	const struct csr_md *md = NULL;
	size_t key_len;
	int opened, rc = -1;

	if (check_shape(cms, legacy, &mac, &md, e) == -1)
		return -1;
	opened = csr_pwri_open(
	    csr_pwri_of(cms->ad), &pw, cms->status, key, &key_len, e);
	if (opened == -1)
		goto out;
	/* The wrong secret shows itself already where the key is unwrapped. */
	if (!opened ||
	    !compute(mac, key, key_len, cms->ad->auth_attrs, value) ||
	    (size_t)cms->ad->mac->length != mac->len ||
	    CRYPTO_memcmp(cms->ad->mac->data, value, mac->len) != 0) {
		ERR_clear_error();
		(void)refuse(cms, "mac-wrong",
		    "the message is not authenticated by this secret and "
		    "identification",
		    "RFC 5652 section 9.3", e);
		goto out;
	}
	if (csr_attrs_check(cms->ad->auth_attrs, cms->ad->encap->type, md,
		cms->content, cms->status, e) == -1)
		goto out;
	ERR_clear_error();
	rc = 0;
out:
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(value, sizeof(value));
	return rc;
}
