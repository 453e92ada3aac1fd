/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From a token's public values to a checked software key (PKCS#11 2.40
 * section 2, 3.0 section 2.3; RFC 5280 section 4.2.1.2 for its name).
 */

#include <stdint.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "object.h"

#define MIN_RSA 1024  /* bits; what is made today is 2048 and more */
#define MAX_RSA 16384 /* bits: OPENSSL_RSA_MAX_MODULUS_BITS */

/* Names and identifiers that modules use beside those of OpenSSL. */
static const struct curve_name {
	const char *text;
	int nid;
} curve_names[] = {
	{ "edwards25519", NID_ED25519 },
	{ "edwards448", NID_ED448 },
	{ "curve25519", NID_X25519 },
	{ "curve448", NID_X448 },
	{ "1.3.6.1.4.1.11591.15.1", NID_ED25519 },
	{ "1.3.6.1.4.1.3029.1.5.1", NID_X25519 },
};

static const struct raw_curve {
	int nid;
	const char *evp;
	size_t len;
} raw_curves[] = {
	{ NID_ED25519, "ED25519", 32 },
	{ NID_ED448, "ED448", 57 },
	{ NID_X25519, "X25519", 32 },
	{ NID_X448, "X448", 56 },
};

static int
fail_curve(struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "curve-unknown",
	    "the token's key is on a curve that burin does not know");
	burin_error_rule(e, "PKCS#11 2.40 section 2.3.3, CKA_EC_PARAMS");
	return burin_error_advice(
	    e, "use a key of one of the types in burin-keygen(1)");
}

static int
fail_point(struct burin_error *e, const char *what)
{
	burin_fail_openssl(e, BURIN_EREFUSED, "public-key-wrong",
	    "the public key that the token gives is wrong: %s", what);
	burin_error_rule(e, "PKCS#11 2.40 section 2.3.3, CKA_EC_POINT");
	return burin_error_advice(e,
	    "do not use this key: make another one, on another token if it "
	    "comes back");
}

static int
fail_rsa(struct burin_error *e, const char *what)
{
	burin_fail_openssl(e, BURIN_EREFUSED, "public-key-wrong",
	    "the RSA public key that the token gives is wrong: %s", what);
	burin_error_rule(e, "RFC 8017 section 3.1");
	return burin_error_advice(e, "do not use this key: make another one");
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* --- RSA ---------------------------------------------------------------- */

static int
check_rsa(const BIGNUM *n, const BIGNUM *x, struct burin_error *e)
{
	int bits = BN_num_bits(n);

	if (bits < MIN_RSA || bits > MAX_RSA)
		return fail_rsa(e, "its modulus has not 1024 to 16384 bits");
	if (!BN_is_odd(n))
		return fail_rsa(e, "its modulus is even");
	if (!BN_is_odd(x) || BN_is_one(x))
		return fail_rsa(e, "its exponent is not odd or under 3");
	if (BN_num_bits(x) > P11_MAX_EXPONENT * 8)
		return fail_rsa(e, "its exponent has more than 256 bits");
	return 0;
}

static EVP_PKEY *
make_rsa(const struct p11_pubkey *p, struct burin_error *e)
{
	OSSL_PARAM_BLD *bld = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *n = NULL, *x = NULL;
	EVP_PKEY *pkey = NULL;

	if (p->modulus_len > P11_MAX_MODULUS + 1) {
		fail_rsa(e, "its modulus has not 1024 to 16384 bits");
		goto out;
	}
	n = BN_bin2bn(p->modulus, (int)p->modulus_len, NULL);
	if (p->exponent_len <= P11_MAX_MODULUS)
		x = BN_bin2bn(p->exponent, (int)p->exponent_len, NULL);
	if (n == NULL || x == NULL) {
		fail_rsa(e, "its numbers cannot be read");
		goto out;
	}
	if (check_rsa(n, x, e) == -1)
		goto out;
	if ((bld = OSSL_PARAM_BLD_new()) == NULL ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x) ||
	    (params = OSSL_PARAM_BLD_to_param(bld)) == NULL ||
	    (pkey = from_params("RSA", params)) == NULL)
		fail_rsa(e, "OpenSSL does not take it");
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(x);
	return pkey;
}

/* --- curves ------------------------------------------------------------- */

static int
nid_by_text(const char *text)
{
	size_t i;
	int nid;

	for (i = 0; i < sizeof(curve_names) / sizeof(curve_names[0]); i++)
		if (strcmp(text, curve_names[i].text) == 0)
			return curve_names[i].nid;
	nid = OBJ_txt2nid(text);
	return nid != NID_undef ? nid : EC_curve_nist2nid(text);
}

static int
nid_by_oid(const struct p11_pubkey *p)
{
	const unsigned char *q = p->params;
	ASN1_OBJECT *oid;
	char text[80];
	int n, nid = NID_undef;

	if ((oid = d2i_ASN1_OBJECT(NULL, &q, (long)p->params_len)) == NULL)
		return NID_undef;
	n = OBJ_obj2txt(text, sizeof(text), oid, 1);
	if (q == p->params + p->params_len && n > 0 && n < (int)sizeof(text))
		nid = nid_by_text(text);
	ASN1_OBJECT_free(oid);
	return nid;
}

static int
nid_by_name(const struct p11_pubkey *p)
{
	const unsigned char *q = p->params;
	ASN1_PRINTABLESTRING *name;
	char text[80];
	int n, nid = NID_undef;

	name = d2i_ASN1_PRINTABLESTRING(NULL, &q, (long)p->params_len);
	if (name == NULL)
		return NID_undef;
	n = ASN1_STRING_length(name);
	if (q == p->params + p->params_len && n > 0 && n < (int)sizeof(text)) {
		memcpy(text, ASN1_STRING_get0_data(name), (size_t)n);
		text[n] = '\0';
		if (strlen(text) == (size_t)n)
			nid = nid_by_text(text);
	}
	ASN1_STRING_free(name);
	return nid;
}

/* The curve of CKA_EC_PARAMS: named, never by explicit parameters. */
static int
curve_nid(const struct p11_pubkey *p)
{
	if (p->params_len == 0 || p->params_len > P11_MAX_PARAMS)
		return NID_undef;
	switch (p->params[0]) {
	case V_ASN1_OBJECT:
		return nid_by_oid(p);
	case V_ASN1_PRINTABLESTRING:
		return nid_by_name(p);
	default:
		return NID_undef;
	}
}

static int
is_length(size_t n, const size_t lens[2])
{
	return n != 0 && (n == lens[0] || n == lens[1]);
}

/*
 * The point without the OCTET STRING that PKCS#11 2.40 wants around it and
 * some modules leave out; its length, one of two, tells which it is. The
 * caller frees *octets, into which *point may show.
 */
static int
unwrap(const struct p11_pubkey *p, const size_t lens[2],
    ASN1_OCTET_STRING **octets, const unsigned char **point, size_t *len)
{
	const unsigned char *q = p->point;

	*octets = NULL;
	*point = p->point;
	*len = p->point_len;
	if (p->point_len > P11_MAX_POINT)
		return -1;
	if (p->point[0] == V_ASN1_OCTET_STRING &&
	    (*octets = d2i_ASN1_OCTET_STRING(NULL, &q, (long)p->point_len)) !=
		NULL &&
	    q == p->point + p->point_len &&
	    is_length((size_t)ASN1_STRING_length(*octets), lens)) {
		*point = ASN1_STRING_get0_data(*octets);
		*len = (size_t)ASN1_STRING_length(*octets);
		return 0;
	}
	return is_length(p->point_len, lens) ? 0 : -1;
}

static EVP_PKEY *
make_point(const struct p11_pubkey *p, const char *type, const char *group,
    const size_t lens[2], struct burin_error *e)
{
	OSSL_PARAM_BLD *bld = NULL;
	OSSL_PARAM *params = NULL;
	ASN1_OCTET_STRING *octets = NULL;
	const unsigned char *point;
	EVP_PKEY *pkey = NULL;
	size_t len;

	if (unwrap(p, lens, &octets, &point, &len) == -1) {
		fail_point(e, "it has the wrong length for its curve");
		goto out;
	}
	if ((bld = OSSL_PARAM_BLD_new()) == NULL ||
	    (group != NULL &&
		!OSSL_PARAM_BLD_push_utf8_string(
		    bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0)) ||
	    !OSSL_PARAM_BLD_push_octet_string(
		bld, OSSL_PKEY_PARAM_PUB_KEY, point, len) ||
	    (params = OSSL_PARAM_BLD_to_param(bld)) == NULL ||
	    (pkey = from_params(type, params)) == NULL)
		fail_point(e, "it is no point of its curve");
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	ASN1_OCTET_STRING_free(octets);
	return pkey;
}

static EVP_PKEY *
make_ec(const struct p11_pubkey *p, int nid, struct burin_error *e)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	size_t lens[2], field;

	if (group == NULL) {
		fail_curve(e);
		return NULL;
	}
	field = ((size_t)EC_GROUP_get_degree(group) + 7) / 8;
	EC_GROUP_free(group);
	lens[0] = 1 + 2 * field; /* SEC 1 section 2.3.3: uncompressed */
	lens[1] = 1 + field;
	return make_point(p, "EC", OBJ_nid2sn(nid), lens, e);
}

/* By the curve, not by the key type: SoftHSM calls X25519 an Edwards key. */
static EVP_PKEY *
make_curve(const struct p11_pubkey *p, struct burin_error *e)
{
	size_t i, lens[2] = { 0, 0 };
	int nid = curve_nid(p);

	for (i = 0; i < sizeof(raw_curves) / sizeof(raw_curves[0]); i++)
		if (raw_curves[i].nid == nid) {
			lens[0] = raw_curves[i].len;
			return make_point(p, raw_curves[i].evp, NULL, lens, e);
		}
	return make_ec(p, nid, e);
}

/* --- both --------------------------------------------------------------- */

static int
check_spki(EVP_PKEY *pkey, struct burin_error *e)
{
	BIGNUM *n = NULL, *x = NULL;
	int rc = -1;

	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return 0;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &x) != 1)
		fail_rsa(e, "its numbers cannot be read");
	else
		rc = check_rsa(n, x, e);
	BN_free(n);
	BN_free(x);
	return rc;
}

static EVP_PKEY *
make_spki(const struct p11_pubkey *p, struct burin_error *e)
{
	const unsigned char *q = p->spki;
	EVP_PKEY *pkey = NULL;

	if (p->spki_len <= P11_MAX_SPKI)
		pkey = d2i_PUBKEY(NULL, &q, (long)p->spki_len);
	if (pkey != NULL && q == p->spki + p->spki_len &&
	    check_spki(pkey, e) == 0)
		return pkey;
	EVP_PKEY_free(pkey);
	burin_fail_openssl(e, BURIN_EREFUSED, "public-key-wrong",
	    "the public key information that the token gives is malformed");
	burin_error_rule(e, "PKCS#11 2.40 section 4.9, CKA_PUBLIC_KEY_INFO");
	return NULL;
}

/* A point that is not on its curve gives the private key away to who asks. */
static int
check_curve(EVP_PKEY *pkey, struct burin_error *e)
{
	EVP_PKEY_CTX *ctx;
	int ok;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		return 0;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : fail_point(e, "it is no point of its curve");
}

EVP_PKEY *
p11_pubkey_make(const struct p11_pubkey *p, struct burin_error *e)
{
	int curve = p->kt == CKK_EC || p->kt == CKK_EC_EDWARDS ||
	    p->kt == CKK_EC_MONTGOMERY;
	EVP_PKEY *pkey = NULL;

	(void)ERR_set_mark();
	if (p->kt == CKK_RSA && p->modulus_len > 0 && p->exponent_len > 0) {
		pkey = make_rsa(p, e);
	} else if (curve && p->params_len > 0 && p->point_len > 0) {
		pkey = make_curve(p, e);
	} else if (p->spki_len > 0 && (curve || p->kt == CKK_RSA)) {
		pkey = make_spki(p, e);
	}
	if (pkey != NULL && check_curve(pkey, e) == -1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	(void)ERR_pop_to_mark();
	return pkey;
}

/*
 * The bits of subjectPublicKey, without the detour through X509_PUBKEY or,
 * where there is another way, an encoder: either costs OpenSSL 3.0 more than
 * a whole signature.
 */
static size_t
key_bits(const EVP_PKEY *pkey, unsigned char **bits)
{
	unsigned char raw[64];
	size_t len = sizeof(raw);
	int n;

	*bits = NULL;
	if (EVP_PKEY_is_a(pkey, "RSA")) {
		n = i2d_PublicKey(pkey, bits);
		return n > 0 ? (size_t)n : 0;
	}
	/* The cast: the function came before const did, and only reads. */
	if (EVP_PKEY_is_a(pkey, "EC"))
		return EVP_PKEY_get1_encoded_public_key(
		    (EVP_PKEY *)(uintptr_t)pkey, bits);
	if (EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1 ||
	    (*bits = OPENSSL_memdup(raw, len)) == NULL)
		return 0;
	return len;
}

int
p11_pubkey_ski(const EVP_PKEY *pkey, unsigned char ski[20])
{
	unsigned char *bits = NULL;
	size_t len;
	int ok;

	len = key_bits(pkey, &bits);
	ok = len > 0 && EVP_Digest(bits, len, ski, NULL, EVP_sha1(), NULL) == 1;
	OPENSSL_free(bits);
	return ok ? 0 : -1;
}
