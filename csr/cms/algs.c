/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Algorithm identifiers, and the digests: RFC 3370, RFC 5754, RFC 8419.
 */

#include <string.h>

#include <openssl/err.h>

#include "internal.h"

/* id-shake256-len says its length in bits: RFC 8419 section 2.3. */
#define SHAKE256_LEN "2.16.840.1.101.3.4.2.18"
#define SHAKE256_BITS 512

static const struct csr_md digests[] = {
	{ OID_SHA256, "SHA256", 32, 0 },
	{ "2.16.840.1.101.3.4.2.2", "SHA384", 48, 0 },
	{ "2.16.840.1.101.3.4.2.3", "SHA512", 64, 0 },
	{ "2.16.840.1.101.3.4.2.4", "SHA224", 28, 0 },
	{ "2.16.840.1.101.3.4.2.8", "SHA3-256", 32, 0 },
	{ "2.16.840.1.101.3.4.2.9", "SHA3-384", 48, 0 },
	{ "2.16.840.1.101.3.4.2.10", "SHA3-512", 64, 0 },
	{ SHAKE256_LEN, "SHAKE256", 64, 0 },
	{ "2.16.840.1.101.3.4.2.12", "SHAKE256", 64, 0 }, /* RFC 8702 */
	{ "1.3.14.3.2.26", "SHA1", 20, 1 },
	{ "1.2.840.113549.2.5", "MD5", 16, 1 },
};
#define N_DIGESTS (sizeof(digests) / sizeof(digests[0]))

void
csr_oid_text(const ASN1_OBJECT *oid, char out[CSR_OID_TEXT])
{
	int n;

	(void)ERR_set_mark();
	n = OBJ_obj2txt(out, CSR_OID_TEXT, oid, 1);
	(void)ERR_pop_to_mark();
	/* Longer than any that we know: it is none of them. */
	if (n <= 0 || n >= CSR_OID_TEXT)
		out[0] = '\0';
}

int
csr_oid_is(const ASN1_OBJECT *oid, const char *dotted)
{
	char text[CSR_OID_TEXT];

	csr_oid_text(oid, text);
	return strcmp(text, dotted) == 0;
}

int
csr_alg_set(X509_ALGOR *alg, const char *oid, int type, void *val)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

	if (object == NULL)
		return 0;
	if (X509_ALGOR_set0(alg, object, type, val) == 1)
		return 1;
	ASN1_OBJECT_free(object);
	return 0;
}

int
csr_alg_bare(const X509_ALGOR *alg)
{
	return alg->parameter == NULL || alg->parameter->type == V_ASN1_NULL;
}

X509_ALGOR *
csr_alg_inner(const X509_ALGOR *alg)
{
	if (alg == NULL || alg->parameter == NULL)
		return NULL;
	return ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(X509_ALGOR), alg->parameter);
}

const struct csr_md *
csr_md_of_alg(const X509_ALGOR *alg)
{
	const ASN1_TYPE *p = alg->parameter;
	char text[CSR_OID_TEXT];
	size_t i;

	csr_oid_text(alg->algorithm, text);
	if (strcmp(text, SHAKE256_LEN) == 0) {
		if (p == NULL || p->type != V_ASN1_INTEGER ||
		    ASN1_INTEGER_get(p->value.integer) != SHAKE256_BITS)
			return NULL;
	} else if (!csr_alg_bare(alg)) {
		return NULL;
	}
	for (i = 0; i < N_DIGESTS; i++) {
		if (strcmp(text, digests[i].oid) == 0)
			return &digests[i];
	}
	return NULL;
}

const struct csr_md *
csr_md_of_name(const char *name)
{
	const EVP_MD *md = EVP_get_digestbyname(name);
	size_t i;

	for (i = 0; md != NULL && i < N_DIGESTS; i++) {
		if (EVP_MD_is_a(md, digests[i].name))
			return &digests[i];
	}
	return NULL;
}

int
csr_md_set_alg(const struct csr_md *md, X509_ALGOR *alg)
{
	ASN1_INTEGER *bits;

	if (strcmp(md->oid, SHAKE256_LEN) != 0)
		return csr_alg_set(alg, md->oid, V_ASN1_UNDEF, NULL);
	if ((bits = ASN1_INTEGER_new()) != NULL &&
	    ASN1_INTEGER_set(bits, SHAKE256_BITS) == 1 &&
	    csr_alg_set(alg, md->oid, V_ASN1_INTEGER, bits) == 1)
		return 1;
	ASN1_INTEGER_free(bits);
	return 0;
}

int
csr_md_hash(const struct csr_md *md, const void *data, size_t len,
    unsigned char out[EVP_MAX_MD_SIZE])
{
	EVP_MD *how = EVP_MD_fetch(NULL, md->name, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = 0;

	if (how == NULL || ctx == NULL ||
	    EVP_DigestInit_ex2(ctx, how, NULL) != 1 ||
	    (len > 0 && EVP_DigestUpdate(ctx, data, len) != 1))
		goto out;
	if ((EVP_MD_get_flags(how) & EVP_MD_FLAG_XOF) != 0)
		ok = EVP_DigestFinalXOF(ctx, out, md->len) == 1;
	else
		ok = EVP_DigestFinal_ex(ctx, out, NULL) == 1;
out:
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(how);
	return ok;
}
