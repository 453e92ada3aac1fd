/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Static ECDH proof of possession: RFC 6955 section 6.
 */

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/x509v3.h>

#include <burin/secret.h>

#include "agree.h"

#define RULE "RFC 6955 section 6"
#define ID_ALG "1.3.6.1.5.5.7.6."
#define MAX_ZZ 66      /* bytes of a coordinate of P-521 */
#define MAX_VALUE 4096 /* bytes of a DhSigStatic */

typedef struct {
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
} ISSUER_SERIAL;
typedef struct {
	ISSUER_SERIAL *issuerAndSerial;
	ASN1_OCTET_STRING *hashValue;
} DH_SIG_STATIC;

ASN1_SEQUENCE(ISSUER_SERIAL) = {
	ASN1_SIMPLE(ISSUER_SERIAL, issuer, X509_NAME),
	ASN1_SIMPLE(ISSUER_SERIAL, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(ISSUER_SERIAL)

ASN1_SEQUENCE(DH_SIG_STATIC) = {
	ASN1_OPT(DH_SIG_STATIC, issuerAndSerial, ISSUER_SERIAL),
	ASN1_SIMPLE(DH_SIG_STATIC, hashValue, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(DH_SIG_STATIC)
#define NEW(type) ((type *)ASN1_item_new(ASN1_ITEM_rptr(type)))
#define FREE(p, type) ASN1_item_free((ASN1_VALUE *)(p), ASN1_ITEM_rptr(type))

/* id-alg-ecdhPop-static-shaN-hmac-shaN, the ones we use: section 6. */
static const struct hash {
	const char *oid;
	const char *md_name;
} hashes[] = {
	{ ID_ALG "26", "SHA256" },
	{ ID_ALG "27", "SHA384" },
	{ ID_ALG "28", "SHA512" },
};
/* The others: DH of section 4, and SHA-224, which is weaker than any curve. */
static const char *const others[] = { ID_ALG "3", ID_ALG "15", ID_ALG "16",
	ID_ALG "17", ID_ALG "18", ID_ALG "25" };

static int
oid_is(const X509_ALGOR *alg, const char *want)
{
	const ASN1_OBJECT *oid;
	char text[sizeof(ID_ALG) + 8];
	int n;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	n = OBJ_obj2txt(text, sizeof(text), oid, 1);
	return n > 0 && (size_t)n < sizeof(text) && strcmp(text, want) == 0;
}

/* NULL when it is none of ours. The parameters are absent: section 6.1. */
static const struct hash *
hash_of(const X509_ALGOR *alg)
{
	size_t i;
	int type;

	X509_ALGOR_get0(NULL, &type, NULL, alg);
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (oid_is(alg, hashes[i].oid))
			return type == V_ASN1_UNDEF ? &hashes[i] : NULL;
	}
	return NULL;
}

static const struct hash *
hash_for(EVP_PKEY *pub)
{
	int bits = EVP_PKEY_get_bits(pub);

	return &hashes[bits > 384 ? 2 : bits > 256 ? 1 : 0];
}

int
csr_is_agreement(const X509_ALGOR *alg)
{
	size_t i;

	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (oid_is(alg, hashes[i].oid))
			return 1;
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (oid_is(alg, others[i]))
			return 1;
	}
	return 0;
}

int
csr_set_bits(ASN1_BIT_STRING *bits, const unsigned char *data, size_t len,
    struct burin_error *e)
{
	if (ASN1_STRING_set(bits, data, (int)len) != 1)
		return burin_fail_memory(e);
	/* Else OpenSSL would drop zero bits at the end. */
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return 0;
}

/* --- what both keys must be ---------------------------------------------- */

/* On its curve, not at infinity, and of the order of the curve. */
static int
point_is_sound(EVP_PKEY *pub)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	int ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int
refuse(struct burin_error *e, enum burin_status status, const char *code,
    const char *why)
{
	(void)burin_fail_openssl(e, status, code, "%s", why);
	return burin_error_rule(e, RULE);
}

static int
check_authority(EVP_PKEY *pub, X509 *authority, enum burin_status status,
    const char *code, struct burin_error *e)
{
	EVP_PKEY *theirs = X509_get0_pubkey(authority);

	if (theirs == NULL || !EVP_PKEY_is_a(theirs, "EC"))
		return refuse(e, status, code,
		    "the authority's certificate for key agreement has no EC "
		    "key that can be decoded");
	if ((X509_get_key_usage(authority) & KU_KEY_AGREEMENT) == 0)
		return refuse(e, status, code,
		    "the authority's certificate is not for key agreement "
		    "(keyUsage)");
	if (EVP_PKEY_parameters_eq(pub, theirs) != 1)
		return refuse(e, status, code,
		    "the key of the request and the authority's key for key "
		    "agreement are on different curves");
	if (!point_is_sound(theirs))
		return refuse(e, status, code,
		    "the public key in the authority's certificate is no "
		    "point of its curve");
	return 0;
}

static int
check_key(EVP_PKEY *pub, enum burin_status status, const char *code,
    struct burin_error *e)
{
	if (!EVP_PKEY_is_a(pub, "EC")) {
		(void)refuse(e, status, code,
		    "static key agreement proves possession of EC keys only");
		return burin_error_advice(
		    e, "let the authority encrypt a challenge to the key");
	}
	if (EVP_PKEY_get_bits(pub) < 256)
		return refuse(e, status, code,
		    "the curve of the request's key has less than 256 bits");
	if (!point_is_sound(pub))
		return refuse(e, status, code,
		    "the public key of the request is no point of its curve");
	return 0;
}

/* --- the computation ----------------------------------------------------- */

/* ZZ. The private key may be a token's. */
static int
agree(EVP_PKEY *key, EVP_PKEY *peer, struct burin_secret **out,
    struct burin_error *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t len = MAX_ZZ, want = (size_t)(EVP_PKEY_get_bits(peer) + 7) / 8;
	int rc = -1;

	if (burin_secret_new(out, NULL, MAX_ZZ, e) == -1)
		goto out;
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_derive(ctx, burin_secret_data(*out), &len) != 1 ||
	    len != want) {
		(void)burin_fail_openssl(e, BURIN_EREFUSED, "agreement-failed",
		    "the key did not agree with the other public key");
		burin_secret_free(out);
		goto out;
	}
	burin_secret_truncate(*out, len);
	rc = 0;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* DER of a name of the certificate, or of what stands for an empty one. */
static int
name_der(X509 *cert, int subject, unsigned char **der)
{
	const X509_NAME *name =
	    subject ? X509_get_subject_name(cert) : X509_get_issuer_name(cert);
	int nid = subject ? NID_subject_alt_name : NID_issuer_alt_name, i;
	const ASN1_OCTET_STRING *value;

	*der = NULL;
	if (X509_NAME_entry_count(name) > 0)
		return i2d_X509_NAME(name, der);
	if ((i = X509_get_ext_by_NID(cert, nid, -1)) < 0)
		return -1;
	value = X509_EXTENSION_get_data(X509_get_ext(cert, i));
	*der = OPENSSL_memdup(
	    ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return *der != NULL ? ASN1_STRING_length(value) : -1;
}

/* K of the two names and ZZ. */
static int
derive_mac_key(X509 *authority, const struct burin_secret *zz, const EVP_MD *md,
    struct burin_secret **k, struct burin_error *e)
{
	unsigned char *lead = NULL, *trail = NULL;
	int n = name_der(authority, 1, &lead), m, rc = -1;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	*k = NULL;
	m = name_der(authority, 0, &trail);
	if (n <= 0 || m <= 0) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "authority-nameless",
		    "the authority's certificate has an empty name and no "
		    "alternative one");
		(void)burin_error_rule(e, "RFC 4211 section 4.3");
		goto out;
	}
	if (burin_secret_new(k, NULL, (size_t)EVP_MD_get_size(md), e) == -1)
		goto out;
	if (ctx == NULL || EVP_DigestInit_ex(ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, lead, (size_t)n) != 1 ||
	    EVP_DigestUpdate(
		ctx, burin_secret_bytes(zz), burin_secret_len(zz)) != 1 ||
	    EVP_DigestUpdate(ctx, trail, (size_t)m) != 1 ||
	    EVP_DigestFinal_ex(ctx, burin_secret_data(*k), NULL) != 1) {
		burin_secret_free(k);
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "agreement-failed",
		    "the key of the MAC cannot be derived");
		goto out;
	}
	rc = 0;
out:
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(lead);
	OPENSSL_free(trail);
	return rc;
}

static int
compute(EVP_PKEY *key, EVP_PKEY *peer, X509 *authority, const struct hash *hash,
    const unsigned char *text, size_t len, unsigned char mac[EVP_MAX_MD_SIZE],
    unsigned int *mac_len, struct burin_error *e)
{
	const EVP_MD *md = EVP_get_digestbyname(hash->md_name);
	struct burin_secret *zz = NULL, *k = NULL;
	int rc = -1;

	if (agree(key, peer, &zz, e) == -1 ||
	    derive_mac_key(authority, zz, md, &k, e) == -1)
		goto out;
	*mac_len = EVP_MAX_MD_SIZE;
	if (HMAC(md, burin_secret_bytes(k), (int)burin_secret_len(k), text, len,
		mac, mac_len) == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "agreement-failed",
		    "the MAC cannot be computed");
		goto out;
	}
	rc = 0;
out:
	burin_secret_free(&zz);
	burin_secret_free(&k);
	return rc;
}

/* --- making -------------------------------------------------------------- */

/*
 * Nobody but the authority can verify the MAC, so the request's key shows by
 * agreeing with one of ours that it is the private half of pub.
 */
static int
check_pair(EVP_PKEY *pub, EVP_PKEY *key, struct burin_error *e)
{
	char group[80];
	EVP_PKEY *once = NULL;
	struct burin_secret *one = NULL, *two = NULL;
	int rc = -1;

	if (EVP_PKEY_get_group_name(pub, group, sizeof(group), NULL) == 1)
		once = EVP_EC_gen(group);
	if (once == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "agreement-failed",
		    "no key can be made to try the request's key with");
		goto out;
	}
	if (agree(key, once, &one, e) == -1 || agree(once, pub, &two, e) == -1)
		goto out;
	if (!burin_secret_eq(one, two)) {
		(void)burin_fail(e, BURIN_EREFUSED, "agreement-wrong",
		    "the private key does not belong to the public key of the "
		    "request");
		(void)burin_error_rule(e, RULE);
		goto out;
	}
	rc = 0;
out:
	burin_secret_free(&one);
	burin_secret_free(&two);
	EVP_PKEY_free(once);
	return rc;
}

static int
fill_value(DH_SIG_STATIC *sig, X509 *authority, const unsigned char *mac,
    unsigned int mac_len)
{
	ISSUER_SERIAL *is = NEW(ISSUER_SERIAL);

	if ((sig->issuerAndSerial = is) == NULL)
		return -1;
	return X509_NAME_set(&is->issuer, X509_get_issuer_name(authority)) ==
		    1 &&
		ASN1_STRING_copy(
		    is->serial, X509_get0_serialNumber(authority)) == 1 &&
		ASN1_OCTET_STRING_set(sig->hashValue, mac, (int)mac_len) == 1
	    ? 0
	    : -1;
}

static int
put_value(X509 *authority, const unsigned char *mac, unsigned int mac_len,
    ASN1_BIT_STRING *value, struct burin_error *e)
{
	DH_SIG_STATIC *sig = NEW(DH_SIG_STATIC);
	unsigned char *der = NULL;
	int len = -1, rc = -1;

	if (sig != NULL && fill_value(sig, authority, mac, mac_len) == 0)
		len = ASN1_item_i2d(
		    (ASN1_VALUE *)sig, &der, ASN1_ITEM_rptr(DH_SIG_STATIC));
	if (len <= 0)
		(void)burin_fail_memory(e);
	else
		rc = csr_set_bits(value, der, (size_t)len, e);
	OPENSSL_free(der);
	FREE(sig, DH_SIG_STATIC);
	return rc;
}

int
csr_agree_make(EVP_PKEY *pub, EVP_PKEY *key, X509 *authority,
    const unsigned char *text, size_t len, X509_ALGOR *alg,
    ASN1_BIT_STRING *value, struct burin_error *e)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len;
	const struct hash *hash;
	ASN1_OBJECT *oid;

	if (key == NULL || authority == NULL)
		return refuse(e, BURIN_EUSAGE, "agreement-needs-authority",
		    "this proof of possession needs the private key and the "
		    "authority's certificate for key agreement");
	if (check_key(pub, BURIN_EUSAGE, "key-cannot-agree", e) == -1 ||
	    check_authority(
		pub, authority, BURIN_EUSAGE, "authority-unusable", e) == -1 ||
	    check_pair(pub, key, e) == -1)
		return -1;
	hash = hash_for(pub);
	if (compute(key, X509_get0_pubkey(authority), authority, hash, text,
		len, mac, &mac_len, e) == -1)
		return -1;
	oid = OBJ_txt2obj(hash->oid, 1);
	if (oid == NULL || X509_ALGOR_set0(alg, oid, V_ASN1_UNDEF, NULL) != 1) {
		ASN1_OBJECT_free(oid);
		return burin_fail_memory(e);
	}
	return put_value(authority, mac, mac_len, value, e);
}

/* --- verifying ----------------------------------------------------------- */

static DH_SIG_STATIC *
get_value(const ASN1_BIT_STRING *value)
{
	const unsigned char *der = ASN1_STRING_get0_data(value), *p = der;
	int len = ASN1_STRING_length(value), n = 0;
	unsigned char *again = NULL;
	DH_SIG_STATIC *sig;

	if (len > MAX_VALUE || (value->flags & 0x07) != 0)
		return NULL;
	sig = (DH_SIG_STATIC *)ASN1_item_d2i(
	    NULL, &p, len, ASN1_ITEM_rptr(DH_SIG_STATIC));
	if (sig != NULL)
		n = ASN1_item_i2d(
		    (ASN1_VALUE *)sig, &again, ASN1_ITEM_rptr(DH_SIG_STATIC));
	if (sig != NULL &&
	    (p != der + len || n != len ||
		memcmp(again, der, (size_t)n) != 0)) {
		FREE(sig, DH_SIG_STATIC);
		sig = NULL;
	}
	OPENSSL_free(again);
	return sig;
}

static int
names(const ISSUER_SERIAL *is, const X509 *cert)
{
	return is == NULL ||
	    (X509_NAME_cmp(is->issuer, X509_get_issuer_name(cert)) == 0 &&
		ASN1_INTEGER_cmp(is->serial, X509_get0_serialNumber(cert)) ==
		    0);
}

static int
verify_mac(EVP_PKEY *pub, const struct hash *hash, const DH_SIG_STATIC *sig,
    const unsigned char *text, size_t len, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len;
	int same;

	/* Right or wrong: who has that certificate's key can tell. */
	if (!names(sig->issuerAndSerial, authority))
		return refuse(e, status, "pop-unsupported",
		    "the request's proof of possession was made for another "
		    "certificate of an authority (issuerAndSerial)");
	if (compute(authority_key, pub, authority, hash, text, len, mac,
		&mac_len, e) == -1)
		return -1;
	same = ASN1_STRING_length(sig->hashValue) == (int)mac_len &&
	    CRYPTO_memcmp(
		ASN1_STRING_get0_data(sig->hashValue), mac, mac_len) == 0;
	if (same)
		return 0;
	return refuse(e, status, "pop-failed",
	    "the MAC of the request is wrong: it does not prove possession of "
	    "the private key (hashValue)");
}

int
csr_agree_verify(EVP_PKEY *pub, const X509_ALGOR *alg,
    const ASN1_BIT_STRING *value, const unsigned char *text, size_t len,
    EVP_PKEY *authority_key, X509 *authority, enum burin_status status,
    struct burin_error *e)
{
	const struct hash *hash = hash_of(alg);
	DH_SIG_STATIC *sig;
	int rc;

	if (hash == NULL)
		return refuse(e, status, "pop-unsupported",
		    "the request's proof of possession is of an algorithm "
		    "that is not supported");
	if (authority_key == NULL || authority == NULL)
		return refuse(e, status, "pop-unsupported",
		    "the request proves possession by key agreement, and here "
		    "is no key for that");
	if (check_key(pub, status, "pop-failed", e) == -1 ||
	    check_authority(pub, authority, status, "pop-unsupported", e) == -1)
		return -1;
	if ((sig = get_value(value)) == NULL)
		return refuse(e, status, "pop-failed",
		    "the request's proof of possession is no DhSigStatic in "
		    "DER");
	rc = verify_mac(
	    pub, hash, sig, text, len, authority_key, authority, status, e);
	FREE(sig, DH_SIG_STATIC);
	return rc;
}
