/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Hashes and MACs of CMC: RFC 10004 section 4.2, with the other names peers
 * give them.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "proofs.h"

/* An OID text at its longest: 20 octets of content. */
#define MAX_OID_TEXT 64
#define OID_HMAC_SHA1 "1.3.6.1.5.5.8.1.2" /* hMAC-SHA1: RFC 3370 */

struct algorithm {
	const char *oid;
	const char *name; /* of the hash */
};

/* The first of a name is the one that is written. */
static const struct algorithm hashes[] = {
	{ "2.16.840.1.101.3.4.2.1", "SHA256" },
	{ "2.16.840.1.101.3.4.2.2", "SHA384" },
	{ "2.16.840.1.101.3.4.2.3", "SHA512" },
	{ "1.3.14.3.2.26", "SHA1" },
};
static const struct algorithm hmacs[] = {
	{ "1.2.840.113549.2.9", "SHA256" }, { "1.2.840.113549.2.10", "SHA384" },
	{ "1.2.840.113549.2.11", "SHA512" }, { "1.2.840.113549.2.8", "SHA224" },
	{ "1.2.840.113549.2.12", "SHA512-224" },
	{ "1.2.840.113549.2.13", "SHA512-256" }, { OID_HMAC_SHA1, "SHA1" },
	{ "1.2.840.113549.2.7", "SHA1" }, /* id-hmacWithSHA1: PKCS#5 */
};
#define N(table) (sizeof(table) / sizeof((table)[0]))

static const char *
find(const struct algorithm *table, size_t n, const char *oid, int legacy)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(table[i].oid, oid) != 0)
			continue;
		if (strcmp(table[i].name, "SHA1") == 0 && !legacy)
			return NULL;
		return table[i].name;
	}
	return NULL;
}

static const char *
find_algor(
    const struct algorithm *table, size_t n, const X509_ALGOR *alg, int legacy)
{
	char oid[MAX_OID_TEXT];
	const ASN1_OBJECT *object;
	int type, len;

	X509_ALGOR_get0(&object, &type, NULL, alg);
	if (type != V_ASN1_UNDEF && type != V_ASN1_NULL)
		return NULL;
	len = OBJ_obj2txt(oid, sizeof(oid), object, 1);
	if (len <= 0 || (size_t)len >= sizeof(oid))
		return NULL;
	return find(table, n, oid, legacy);
}

const char *
cmc_hash_by_oid(const char *oid, int legacy)
{
	return find(hashes, N(hashes), oid, legacy);
}

const char *
cmc_hmac_by_oid(const char *oid, int legacy)
{
	return find(hmacs, N(hmacs), oid, legacy);
}

const char *
cmc_hash_name(const X509_ALGOR *alg, int legacy)
{
	return find_algor(hashes, N(hashes), alg, legacy);
}

const char *
cmc_hmac_name(const X509_ALGOR *alg, int legacy)
{
	return find_algor(hmacs, N(hmacs), alg, legacy);
}

static X509_ALGOR *
make_algor(const char *dotted, int parameters)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);

	if (alg != NULL && oid != NULL &&
	    X509_ALGOR_set0(alg, oid, parameters, NULL) == 1)
		return alg;
	ASN1_OBJECT_free(oid);
	X509_ALGOR_free(alg);
	return NULL;
}

/* The first OID of a name; "" when there is none. */
static const char *
oid_of(const struct algorithm *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(table[i].name, name) == 0)
			return table[i].oid;
	}
	return "";
}

/* RFC 5754 section 2: without parameters. */
X509_ALGOR *
cmc_hash_algor(const char *name)
{
	return make_algor(oid_of(hashes, N(hashes), name), V_ASN1_UNDEF);
}

X509_ALGOR *
cmc_hmac_algor(const char *name)
{
	return cmc_hmac_algor_by_oid(oid_of(hmacs, N(hmacs), name));
}

/* RFC 4231 section 3.1: with NULL; hMAC-SHA1 of RFC 3370 section 3.1: not. */
X509_ALGOR *
cmc_hmac_algor_by_oid(const char *oid)
{
	return make_algor(
	    oid, strcmp(oid, OID_HMAC_SHA1) == 0 ? V_ASN1_UNDEF : V_ASN1_NULL);
}

int
cmc_hash(const char *name, const void *a, size_t a_len, const void *b,
    size_t b_len, unsigned char out[CMC_MAX_DIGEST], size_t *out_len,
    struct burin_error *e)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;
	int rc = -1;

	*out_len = 0;
	if (md == NULL || ctx == NULL || EVP_MD_get_size(md) > CMC_MAX_DIGEST ||
	    EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, a, a_len) != 1 ||
	    (b_len > 0 && EVP_DigestUpdate(ctx, b, b_len) != 1) ||
	    EVP_DigestFinal_ex(ctx, out, &len) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "digest",
		    "a part of the message could not be hashed");
		goto out;
	}
	*out_len = len;
	rc = 0;
out:
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return rc;
}

int
cmc_hmac(const char *name, const void *key, size_t key_len, const void *data,
    size_t len, unsigned char out[CMC_MAX_DIGEST], size_t *out_len,
    struct burin_error *e)
{
	*out_len = 0;
	if (EVP_Q_mac(NULL, "HMAC", NULL, name, NULL, key, key_len, data, len,
		out, CMC_MAX_DIGEST, out_len) == NULL)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "mac",
		    "a MAC over a part of the message could not be computed");
	return 0;
}
