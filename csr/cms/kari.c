/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key by agreement with an EC or X25519 key, ephemeral-static: RFC 5652
 * section 6.2.2, RFC 5753 section 3.1, RFC 8418. The token only multiplies;
 * the derivation follows in software.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include "internal.h"

#define STD_SHA256 "1.3.132.1.11.1"
#define MAX_SHARED 128 /* bytes of a shared secret: P-521 has 66 */
#define MAX_POINT 256  /* bytes of a public key */
#define KEK_LEN 32

/*
 * X9.63 with the standard and the cofactor primitive, which are the same on
 * curves of cofactor 1, the only ones that we have.
 */
static const struct {
	const char *oid;
	const char *md;
} schemes[] = {
	{ STD_SHA256, "SHA256" },
	{ "1.3.132.1.11.0", "SHA224" },
	{ "1.3.132.1.11.2", "SHA384" },
	{ "1.3.132.1.11.3", "SHA512" },
	{ "1.3.132.1.14.0", "SHA224" },
	{ "1.3.132.1.14.1", "SHA256" },
	{ "1.3.132.1.14.2", "SHA384" },
	{ "1.3.132.1.14.3", "SHA512" },
	{ "1.3.133.16.840.63.0.2", "SHA1" },
	{ "1.3.133.16.840.63.0.3", "SHA1" },
};

static const char *
scheme_of(const X509_ALGOR *alg)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (csr_oid_is(alg->algorithm, schemes[i].oid))
			return schemes[i].md;
	}
	return NULL;
}

/* RFC 5753 section 7.2: bits is the length of the KEK, four octets. */
static int
shared_info(const X509_ALGOR *wrap, const ASN1_OCTET_STRING *ukm,
    size_t kek_len, unsigned char **der)
{
	unsigned char bits[4] = { 0, 0, 0, 0 };
	CSR_SHARED_INFO *info = CSR_SHARED_INFO_new();
	int n = -1;

	bits[2] = (unsigned char)(kek_len * 8 >> 8);
	bits[3] = (unsigned char)(kek_len * 8);
	*der = NULL;
	if (info == NULL)
		return -1;
	X509_ALGOR_free(info->wrap);
	info->wrap = X509_ALGOR_dup(wrap);
	if (ukm != NULL)
		info->ukm = ASN1_OCTET_STRING_dup(ukm);
	if (info->wrap != NULL && (ukm == NULL || info->ukm != NULL) &&
	    ASN1_OCTET_STRING_set(info->bits, bits, sizeof(bits)) == 1)
		n = i2d_CSR_SHARED_INFO(info, der);
	CSR_SHARED_INFO_free(info);
	return n;
}

static int
kdf(const char *md, unsigned char *shared, size_t len, unsigned char *info,
    size_t info_len, unsigned char *kek, size_t kek_len)
{
	EVP_KDF *how = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_X963KDF, NULL);
	EVP_KDF_CTX *ctx = how != NULL ? EVP_KDF_CTX_new(how) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)md, 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_KEY, shared, len),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_construct_end(),
	};
	int ok;

	ok = ctx != NULL && EVP_KDF_derive(ctx, kek, kek_len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(how);
	return ok;
}

static int
agree(EVP_PKEY *priv, EVP_PKEY *peer, unsigned char *shared, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(priv, NULL);
	int ok;

	ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, shared, len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* The KEK between priv and peer: one operation of priv. */
static int
derive(EVP_PKEY *priv, EVP_PKEY *peer, const char *md, const X509_ALGOR *wrap,
    const ASN1_OCTET_STRING *ukm, unsigned char *kek, size_t kek_len)
{
	unsigned char shared[MAX_SHARED], *info = NULL;
	size_t len = sizeof(shared);
	int n, ok = 0;

	if ((n = shared_info(wrap, ukm, kek_len, &info)) > 0)
		ok = agree(priv, peer, shared, &len) &&
		    kdf(md, shared, len, info, (size_t)n, kek, kek_len);
	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_free(info);
	return ok;
}

static EVP_PKEY *
ephemeral(EVP_PKEY *pub)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_keygen(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* RFC 5753 section 3.1.1: the curve is said; X25519 has no parameters. */
static int
set_originator_alg(X509_ALGOR *alg, EVP_PKEY *pub)
{
	char group[80];
	ASN1_OBJECT *curve;
	int nid;

	if (EVP_PKEY_is_a(pub, "X25519"))
		return csr_alg_set(alg, OID_X25519, V_ASN1_UNDEF, NULL);
	if (EVP_PKEY_get_group_name(pub, group, sizeof(group), NULL) != 1 ||
	    (nid = OBJ_txt2nid(group)) == NID_undef)
		return 0;
	curve = OBJ_nid2obj(nid);
	return csr_alg_set(alg, OID_EC_KEY, V_ASN1_OBJECT, curve);
}

static int
set_originator(CSR_ORIGINATOR *o, EVP_PKEY *eph)
{
	unsigned char *point = NULL;
	size_t n;
	int ok;

	if ((o->d.key = CSR_ORIGINATOR_KEY_new()) == NULL)
		return 0;
	o->type = CSR_ORIGINATOR_PUBLIC;
	n = EVP_PKEY_get1_encoded_public_key(eph, &point);
	ok = n > 0 && n <= MAX_POINT &&
	    set_originator_alg(o->d.key->alg, eph) &&
	    ASN1_BIT_STRING_set(o->d.key->key, point, (int)n) == 1;
	if (ok) {
		o->d.key->key->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 7);
		o->d.key->key->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	}
	OPENSSL_free(point);
	return ok;
}

/* The scheme, and in its parameters how the key is wrapped. */
static int
set_scheme(X509_ALGOR *alg, const X509_ALGOR *wrap)
{
	ASN1_STRING *p = ASN1_item_pack(
	    (void *)(uintptr_t)wrap, ASN1_ITEM_rptr(X509_ALGOR), NULL);

	if (p == NULL)
		return 0;
	if (csr_alg_set(alg, STD_SHA256, V_ASN1_SEQUENCE, p))
		return 1;
	ASN1_STRING_free(p);
	return 0;
}

static int
fill(CSR_KARI *k, const struct burin_cms_recipient *to,
    const unsigned char *key, size_t key_len)
{
	unsigned char kek[KEK_LEN], wrapped[CSR_CMS_MAX_KEY + 8];
	EVP_PKEY *eph = ephemeral(to->pub);
	CSR_AGREE_KEY *one = CSR_AGREE_KEY_new();
	X509_ALGOR *wrap = X509_ALGOR_new();
	size_t n;
	int ok = 0;

	if (one == NULL || wrap == NULL ||
	    sk_CSR_AGREE_KEY_push(k->keys, one) == 0) {
		CSR_AGREE_KEY_free(one);
		goto out;
	}
	ok = eph != NULL && csr_wrap_set_alg(wrap, KEK_LEN) &&
	    set_scheme(k->alg, wrap) && set_originator(k->originator, eph) &&
	    ASN1_INTEGER_set(k->version, 3) == 1 &&
	    csr_agree_name_set(one->rid, to) &&
	    derive(eph, to->pub, "SHA256", wrap, NULL, kek, KEK_LEN) &&
	    csr_wrap(kek, KEK_LEN, key, key_len, wrapped, &n) &&
	    ASN1_OCTET_STRING_set(one->encrypted_key, wrapped, (int)n) == 1;
out:
	OPENSSL_cleanse(kek, sizeof(kek));
	X509_ALGOR_free(wrap);
	EVP_PKEY_free(eph);
	return ok;
}

int
csr_kari_make(const struct burin_cms_recipient *to, const unsigned char *key,
    size_t key_len, CSR_RECIPIENT **out, struct burin_error *e)
{
	CSR_RECIPIENT *ri = CSR_RECIPIENT_new();
	CSR_KARI *k = CSR_KARI_new();

	*out = NULL;
	if (ri == NULL || k == NULL || !fill(k, to, key, key_len)) {
		CSR_KARI_free(k);
		CSR_RECIPIENT_free(ri);
		return burin_fail_openssl(e, BURIN_EUSAGE, "encrypt-failed",
		    "nothing could be encrypted for the recipient's key");
	}
	ri->type = CSR_RI_KARI;
	ri->d.kari = k;
	*out = ri;
	return 0;
}

/*
 * The sender's key on our curve, whatever parameters came with it: a point
 * of another curve is none of ours and is refused here.
 */
static EVP_PKEY *
peer_of(const CSR_ORIGINATOR *o, EVP_PKEY *pub)
{
	EVP_PKEY *peer;
	int known, ok;

	if (o->type != CSR_ORIGINATOR_PUBLIC || o->d.key->key->length <= 0 ||
	    o->d.key->key->length > MAX_POINT)
		return NULL;
	if (EVP_PKEY_is_a(pub, "X25519"))
		return csr_oid_is(o->d.key->alg->algorithm, OID_X25519)
		    ? EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
			  o->d.key->key->data, (size_t)o->d.key->key->length)
		    : NULL;
	known = csr_oid_is(o->d.key->alg->algorithm, OID_EC_KEY);
	if (!known || (peer = EVP_PKEY_new()) == NULL)
		return NULL;
	ok = EVP_PKEY_copy_parameters(peer, pub) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(
		peer, o->d.key->key->data, (size_t)o->d.key->key->length) == 1;
	if (ok)
		return peer;
	EVP_PKEY_free(peer);
	return NULL;
}

int
csr_kari_open(const CSR_KARI *kari, const CSR_AGREE_KEY *mine, EVP_PKEY *priv,
    EVP_PKEY *pub, enum burin_status status, unsigned char *key, size_t key_len,
    struct burin_error *e)
{
	const ASN1_OCTET_STRING *in = mine->encrypted_key;
	unsigned char kek[KEK_LEN], buf[CSR_CMS_MAX_WRAPPED];
	X509_ALGOR *wrap = csr_alg_inner(kari->alg);
	const char *md = scheme_of(kari->alg);
	size_t kek_len = wrap != NULL ? csr_wrap_kek_len(wrap) : 0, n = 0;
	EVP_PKEY *peer = NULL;
	int rc = -1;

	if (md == NULL || kek_len == 0) {
		(void)csr_cms_alg_refused(e, status, "the key agreement",
		    kari->alg->algorithm, "RFC 5753 section 7.1");
		goto out;
	}
	if ((peer = peer_of(kari->originator, pub)) == NULL) {
		(void)csr_cms_malformed(e, status,
		    "the sender's key is not one of the recipient's curve",
		    "RFC 5753 section 3.1.1");
		goto out;
	}
	/* Why a token did not agree is in OpenSSL's queue. */
	if (!derive(priv, peer, md, wrap, kari->ukm, kek, kek_len)) {
		(void)burin_fail_openssl(e, BURIN_EREFUSED,
		    "key-cannot-decrypt",
		    "the key did not agree on a key with the sender's");
		goto out;
	}
	/* A key that does not unwrap leaves the random one in its place. */
	if (csr_unwrap(kek, kek_len, in->data, (size_t)in->length, buf, &n) &&
	    n == key_len)
		memcpy(key, buf, key_len);
	ERR_clear_error();
	rc = 0;
out:
	OPENSSL_cleanse(kek, sizeof(kek));
	OPENSSL_cleanse(buf, sizeof(buf));
	EVP_PKEY_free(peer);
	X509_ALGOR_free(wrap);
	return rc;
}
