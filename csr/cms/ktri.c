/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key for an RSA key: RFC 5652 section 6.2.1, PKCS#1 v1.5 (RFC 3370 section
 * 4.2.1) or OAEP (RFC 3560).
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "internal.h"

#define MAX_RSA 2048 /* bytes of a modulus: 16384 bits */
#define OID_MGF1 "1.2.840.113549.1.1.8"

static ASN1_STRING *
oaep_parameters(void)
{
	RSA_OAEP_PARAMS *p = RSA_OAEP_PARAMS_new();
	X509_ALGOR *hash = X509_ALGOR_new();
	ASN1_STRING *out = NULL, *inner = NULL;

	if (p == NULL || hash == NULL ||
	    (p->hashFunc = X509_ALGOR_new()) == NULL ||
	    (p->maskGenFunc = X509_ALGOR_new()) == NULL ||
	    !csr_alg_set(p->hashFunc, OID_SHA256, V_ASN1_NULL, NULL) ||
	    !csr_alg_set(hash, OID_SHA256, V_ASN1_NULL, NULL) ||
	    (inner = ASN1_item_pack(hash, ASN1_ITEM_rptr(X509_ALGOR), NULL)) ==
		NULL)
		goto out;
	if (!csr_alg_set(p->maskGenFunc, OID_MGF1, V_ASN1_SEQUENCE, inner)) {
		ASN1_STRING_free(inner);
		goto out;
	}
	out = ASN1_item_pack(p, ASN1_ITEM_rptr(RSA_OAEP_PARAMS), NULL);
out:
	X509_ALGOR_free(hash);
	RSA_OAEP_PARAMS_free(p);
	return out;
}

static int
set_alg(X509_ALGOR *alg, int oaep)
{
	ASN1_STRING *p;

	if (!oaep)
		return csr_alg_set(alg, OID_RSA, V_ASN1_NULL, NULL);
	if ((p = oaep_parameters()) == NULL)
		return 0;
	if (csr_alg_set(alg, OID_RSA_OAEP, V_ASN1_SEQUENCE, p))
		return 1;
	ASN1_STRING_free(p);
	return 0;
}

static int
set_padding(EVP_PKEY_CTX *ctx, const EVP_MD *oaep, const EVP_MD *mgf)
{
	if (oaep == NULL)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) ==
		    1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, oaep) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) == 1;
}

static int
encrypt(EVP_PKEY *pub, int oaep, const unsigned char *key, size_t key_len,
    ASN1_OCTET_STRING *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	const EVP_MD *md = oaep ? EVP_sha256() : NULL;
	unsigned char buf[MAX_RSA];
	size_t n = sizeof(buf);
	int ok;

	ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    set_padding(ctx, md, md) &&
	    EVP_PKEY_encrypt(ctx, buf, &n, key, key_len) == 1 &&
	    ASN1_OCTET_STRING_set(out, buf, (int)n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

int
csr_ktri_make(const struct burin_cms_recipient *to, const unsigned char *key,
    size_t key_len, CSR_RECIPIENT **out, struct burin_error *e)
{
	CSR_RECIPIENT *ri = CSR_RECIPIENT_new();
	CSR_KTRI *k = CSR_KTRI_new();
	int rc = -1;

	*out = NULL;
	if (ri == NULL || k == NULL || !set_alg(k->alg, to->oaep) ||
	    !csr_key_name_set(
		k->rid, to->cert, to->key_id, to->key_id_len, to->serial) ||
	    ASN1_INTEGER_set(k->version, k->rid->type == CSR_ID_KEY ? 2 : 0) !=
		1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (!encrypt(to->pub, to->oaep, key, key_len, k->encrypted_key)) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "encrypt-failed",
		    "nothing could be encrypted for the recipient's key");
		goto out;
	}
	ri->type = CSR_RI_KTRI;
	ri->d.ktri = k;
	k = NULL;
	*out = ri;
	ri = NULL;
	rc = 0;
out:
	CSR_KTRI_free(k);
	CSR_RECIPIENT_free(ri);
	return rc;
}

/* A digest of OAEP; SHA-1 when it is not said (RFC 3560 section 3). */
static const EVP_MD *
oaep_md(const X509_ALGOR *alg)
{
	const struct csr_md *md;

	if (alg == NULL)
		return EVP_sha1();
	md = csr_md_of_alg(alg);
	return md != NULL ? EVP_get_digestbyname(md->name) : NULL;
}

static int
read_oaep(const X509_ALGOR *alg, const EVP_MD **oaep, const EVP_MD **mgf)
{
	RSA_OAEP_PARAMS *p = NULL;
	X509_ALGOR *inner = NULL;
	int ok = 0;

	if (alg->parameter != NULL)
		p = ASN1_TYPE_unpack_sequence(
		    ASN1_ITEM_rptr(RSA_OAEP_PARAMS), alg->parameter);
	/* A label is never used in CMS (RFC 3560 section 3): empty. */
	if (p == NULL || p->pSourceFunc != NULL)
		goto out;
	*oaep = oaep_md(p->hashFunc);
	*mgf = EVP_sha1();
	if (p->maskGenFunc != NULL) {
		inner = csr_oid_is(p->maskGenFunc->algorithm, OID_MGF1)
		    ? csr_alg_inner(p->maskGenFunc)
		    : NULL;
		*mgf = inner != NULL ? oaep_md(inner) : NULL;
	}
	ok = *oaep != NULL && *mgf != NULL;
out:
	X509_ALGOR_free(inner);
	RSA_OAEP_PARAMS_free(p);
	return ok;
}

/*
 * What comes out must not tell whether the padding was right (RFC 3218): then
 * a random key takes the place, and the content does not decrypt.
 */
int
csr_ktri_open(const CSR_KTRI *ktri, EVP_PKEY *priv, enum burin_status status,
    unsigned char *key, size_t key_len, struct burin_error *e)
{
	const EVP_MD *oaep = NULL, *mgf = NULL;
	unsigned char buf[MAX_RSA];
	size_t i, n = sizeof(buf);
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char mask;
	int ok, rc = -1;

	if (csr_oid_is(ktri->alg->algorithm, OID_RSA_OAEP)
		? !read_oaep(ktri->alg, &oaep, &mgf)
		: !csr_oid_is(ktri->alg->algorithm, OID_RSA))
		return csr_cms_alg_refused(e, status, "the key encryption",
		    ktri->alg->algorithm, "RFC 3370 section 4.2, RFC 3560");
	memset(buf, 0, sizeof(buf));
	if (RAND_priv_bytes(key, (int)key_len) != 1 ||
	    (ctx = EVP_PKEY_CTX_new(priv, NULL)) == NULL ||
	    EVP_PKEY_decrypt_init(ctx) != 1 || !set_padding(ctx, oaep, mgf)) {
		(void)burin_fail_openssl(e, BURIN_EREFUSED,
		    "key-cannot-decrypt",
		    "the key does not decrypt as the message wants it");
		goto out;
	}
	ok = EVP_PKEY_decrypt(ctx, buf, &n, ktri->encrypted_key->data,
		 (size_t)ktri->encrypted_key->length) == 1;
	mask = (unsigned char)-(ok & (n == key_len));
	for (i = 0; i < key_len; i++)
		key[i] = (unsigned char)((buf[i] & mask) | (key[i] & ~mask));
	ERR_clear_error();
	rc = 0;
out:
	OPENSSL_cleanse(buf, sizeof(buf));
	EVP_PKEY_CTX_free(ctx);
	return rc;
}
