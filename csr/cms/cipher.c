/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How the content itself is encrypted: AES-CBC (RFC 3565) in EnvelopedData,
 * AES-GCM (RFC 5084) in AuthEnvelopedData. Nothing older.
 */

#include <string.h>

#include <openssl/rand.h>

#include "internal.h"

#define AES256_CBC "2.16.840.1.101.3.4.1.42"
#define AES256_GCM "2.16.840.1.101.3.4.1.46"
#define GCM_NONCE 12 /* RFC 10004 section 4.2 */
#define GCM_ICV 12
#define GCM_MAX_ICV 16
#define BLOCK 16

static const struct {
	const char *oid;
	const char *name;
	size_t key_len;
	int aead;
} ciphers[] = {
	{ "2.16.840.1.101.3.4.1.2", "AES-128-CBC", 16, 0 },
	{ "2.16.840.1.101.3.4.1.22", "AES-192-CBC", 24, 0 },
	{ AES256_CBC, "AES-256-CBC", 32, 0 },
	{ "2.16.840.1.101.3.4.1.6", "AES-128-GCM", 16, 1 },
	{ "2.16.840.1.101.3.4.1.26", "AES-192-GCM", 24, 1 },
	{ AES256_GCM, "AES-256-GCM", 32, 1 },
};

static int
read_iv(const X509_ALGOR *alg, struct csr_cipher *c)
{
	const ASN1_TYPE *p = alg->parameter;

	if (p == NULL || p->type != V_ASN1_OCTET_STRING ||
	    p->value.octet_string->length != BLOCK)
		return 0;
	memcpy(c->iv, p->value.octet_string->data, BLOCK);
	c->iv_len = BLOCK;
	c->icv_len = 0;
	return 1;
}

/* A nonce of another length is legal and never met: RFC 5084 section 3.2. */
static int
read_gcm(const X509_ALGOR *alg, struct csr_cipher *c)
{
	CSR_GCM_PARAMS *p = NULL;
	uint64_t icv = GCM_ICV;
	int ok = 0;

	if (alg->parameter != NULL)
		p = ASN1_TYPE_unpack_sequence(
		    ASN1_ITEM_rptr(CSR_GCM_PARAMS), alg->parameter);
	if (p != NULL && p->nonce->length == GCM_NONCE &&
	    (p->icv_len == NULL ||
		ASN1_INTEGER_get_uint64(&icv, p->icv_len) == 1) &&
	    icv >= GCM_ICV && icv <= GCM_MAX_ICV) {
		memcpy(c->iv, p->nonce->data, GCM_NONCE);
		c->iv_len = GCM_NONCE;
		c->icv_len = (size_t)icv;
		ok = 1;
	}
	CSR_GCM_PARAMS_free(p);
	return ok;
}

int
csr_cipher_read(const X509_ALGOR *alg, int aead, enum burin_status status,
    struct csr_cipher *c, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		if (ciphers[i].aead != aead ||
		    !csr_oid_is(alg->algorithm, ciphers[i].oid))
			continue;
		c->name = ciphers[i].name;
		c->key_len = ciphers[i].key_len;
		c->aead = aead;
		if (aead ? read_gcm(alg, c) : read_iv(alg, c))
			return 0;
	}
	return csr_cms_alg_refused(e, status, "the content encryption",
	    alg->algorithm, aead ? "RFC 5084 section 3.2" : "RFC 3565");
}

/*
 * The length of the ICV is said although it is the default: CMS need not be
 * DER, and OpenSSL 3.0 does not read parameters without it.
 */
static ASN1_STRING *
gcm_parameters(const struct csr_cipher *c)
{
	CSR_GCM_PARAMS *p = CSR_GCM_PARAMS_new();
	ASN1_STRING *out = NULL;

	if (p != NULL && (p->icv_len = ASN1_INTEGER_new()) != NULL &&
	    ASN1_INTEGER_set(p->icv_len, (long)c->icv_len) == 1 &&
	    ASN1_OCTET_STRING_set(p->nonce, c->iv, (int)c->iv_len) == 1)
		out = ASN1_item_pack(p, ASN1_ITEM_rptr(CSR_GCM_PARAMS), NULL);
	CSR_GCM_PARAMS_free(p);
	return out;
}

int
csr_cipher_make(
    int aead, struct csr_cipher *c, X509_ALGOR *alg, struct burin_error *e)
{
	ASN1_STRING *p = NULL;

	c->name = aead ? "AES-256-GCM" : "AES-256-CBC";
	c->key_len = 32;
	c->aead = aead;
	c->iv_len = aead ? GCM_NONCE : BLOCK;
	c->icv_len = aead ? GCM_ICV : 0;
	if (RAND_bytes(c->iv, (int)c->iv_len) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "random", "no random bytes");
	if (aead) {
		p = gcm_parameters(c);
	} else if ((p = ASN1_OCTET_STRING_new()) != NULL &&
	    ASN1_OCTET_STRING_set(p, c->iv, (int)c->iv_len) != 1) {
		ASN1_STRING_free(p);
		p = NULL;
	}
	if (p != NULL &&
	    csr_alg_set(alg, aead ? AES256_GCM : AES256_CBC,
		aead ? V_ASN1_SEQUENCE : V_ASN1_OCTET_STRING, p))
		return 0;
	ASN1_STRING_free(p);
	return burin_fail_memory(e);
}

static EVP_CIPHER_CTX *
start(const struct csr_cipher *c, const unsigned char *key, int enc,
    const unsigned char *aad, size_t aad_len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	/* The length of the nonce is OpenSSL's default. */
	if (ctx != NULL &&
	    EVP_CipherInit_ex2(ctx, EVP_get_cipherbyname(c->name), key, c->iv,
		enc, NULL) == 1 &&
	    (aad_len == 0 ||
		EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int
csr_cipher_seal(const struct csr_cipher *c, const unsigned char *key,
    const unsigned char *aad, size_t aad_len, const void *in, size_t in_len,
    unsigned char *out, size_t *out_len, unsigned char *icv)
{
	EVP_CIPHER_CTX *ctx = start(c, key, 1, aad, aad_len);
	int n = 0, more = 0, ok = 0;

	if (ctx != NULL &&
	    EVP_CipherUpdate(ctx, out, &n, in, (int)in_len) == 1 &&
	    EVP_CipherFinal_ex(ctx, out + n, &more) == 1)
		ok = !c->aead ||
		    EVP_CIPHER_CTX_ctrl(
			ctx, EVP_CTRL_AEAD_GET_TAG, (int)c->icv_len, icv) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*out_len = (size_t)(n + more);
	return ok;
}

int
csr_cipher_open(const struct csr_cipher *c, const unsigned char *key,
    const unsigned char *aad, size_t aad_len, const unsigned char *in,
    size_t in_len, const unsigned char *icv, unsigned char *out,
    size_t *out_len)
{
	EVP_CIPHER_CTX *ctx = start(c, key, 0, aad, aad_len);
	int n = 0, more = 0, ok;

	ok = ctx != NULL &&
	    (!c->aead ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)c->icv_len,
		    (void *)(uintptr_t)icv) == 1) &&
	    EVP_CipherUpdate(ctx, out, &n, in, (int)in_len) == 1 &&
	    EVP_CipherFinal_ex(ctx, out + n, &more) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*out_len = ok ? (size_t)(n + more) : 0;
	return ok;
}
