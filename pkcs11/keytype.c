/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The key types: one row says how each is named, asked for and recognised
 * (PKCS#11 2.40 sections 2.1 and 2.3; 3.0 section 2.3 for Edwards and
 * Montgomery curves).
 */

#include <string.h>
#include <strings.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "object.h"

#define SIGN BURIN_USE_SIGN
#define DECRYPT BURIN_USE_DECRYPT
#define DERIVE BURIN_USE_DERIVE

/* CKA_EC_PARAMS: an OBJECT IDENTIFIER, or the curve's name as
 * PrintableString (PKCS#11 3.0 section 2.3.3). */
#define DER(...)                \
	(const unsigned char[]) \
	{                       \
		__VA_ARGS__     \
	}
#define OID(len, ...) DER(0x06, len, __VA_ARGS__), 2 + len

#define P256 OID(8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07)
#define P384 OID(5, 0x2b, 0x81, 0x04, 0x00, 0x22)
#define P521 OID(5, 0x2b, 0x81, 0x04, 0x00, 0x23)
#define ED25519 OID(3, 0x2b, 0x65, 0x70)
#define ED448 OID(3, 0x2b, 0x65, 0x71)
#define X25519 OID(3, 0x2b, 0x65, 0x6e)
#define ED25519_NAME                           \
	(const unsigned char *)"\x13\x0c"      \
			       "edwards25519", \
	    14
#define ED448_NAME                           \
	(const unsigned char *)"\x13\x0a"    \
			       "edwards448", \
	    12
#define X25519_NAME                          \
	(const unsigned char *)"\x13\x0a"    \
			       "curve25519", \
	    12

#define RSA_WAY                                            \
	{                                                  \
		{                                          \
			CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 \
		}                                          \
	}
#define EC_WAY(params)                              \
	{                                           \
		{                                   \
			CKM_EC_KEY_PAIR_GEN, params \
		}                                   \
	}

/* clang-format off */
static const struct key_type types[BURIN_KEY_TYPES] = {
	[BURIN_RSA_2048] = { "rsa:2048", "RSA", 2048, 0, 2048, 2048,
	    SIGN | DECRYPT, SIGN, RSA_WAY },
	[BURIN_RSA_3072] = { "rsa:3072", "RSA", 3072, 0, 3072, 3072,
	    SIGN | DECRYPT, SIGN, RSA_WAY },
	[BURIN_RSA_4096] = { "rsa:4096", "RSA", 4096, 0, 4096, 4096,
	    SIGN | DECRYPT, SIGN, RSA_WAY },
	[BURIN_EC_P256] = { "ec:P-256", "EC", 256, NID_X9_62_prime256v1, 256,
	    256, SIGN | DERIVE, SIGN, EC_WAY(P256) },
	[BURIN_EC_P384] = { "ec:P-384", "EC", 384, NID_secp384r1, 384, 384,
	    SIGN | DERIVE, SIGN, EC_WAY(P384) },
	[BURIN_EC_P521] = { "ec:P-521", "EC", 521, NID_secp521r1, 521, 521,
	    SIGN | DERIVE, SIGN, EC_WAY(P521) },
	/* Modules count 255 or 256 bits, 448 or 456. */
	[BURIN_ED25519] = { "ed25519", "ED25519", 256, 0, 255, 256,
	    SIGN, SIGN, {
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519 },
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519_NAME } } },
	[BURIN_ED448] = { "ed448", "ED448", 456, 0, 448, 456,
	    SIGN, SIGN, {
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, ED448 },
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, ED448_NAME } } },
	/* SoftHSM 2.6.1 makes them under the name of Edwards curves. */
	[BURIN_X25519] = { "x25519", "X25519", 253, 0, 255, 256,
	    DERIVE, DERIVE, {
		{ CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519 },
		{ CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519_NAME },
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, X25519 } } },
};
/* clang-format on */

const struct key_type *
p11_key_type(enum burin_key_type type)
{
	if ((size_t)type >= BURIN_KEY_TYPES || types[type].name == NULL)
		return NULL;
	return &types[type];
}

const char *
burin_key_type_name(enum burin_key_type type)
{
	const struct key_type *kt = p11_key_type(type);

	return kt != NULL ? kt->name : "unknown";
}

enum burin_key_type
burin_key_type_parse(const char *name)
{
	int i;

	for (i = BURIN_KEY_UNKNOWN + 1; name != NULL && i < BURIN_KEY_TYPES;
	     i++)
		if (strcasecmp(name, types[i].name) == 0)
			return (enum burin_key_type)i;
	return BURIN_KEY_UNKNOWN;
}

static int
curve_of(const EVP_PKEY *pkey)
{
	char name[80];
	int nid;

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
		name, sizeof(name), NULL) != 1)
		return NID_undef;
	nid = OBJ_txt2nid(name);
	return nid != NID_undef ? nid : EC_curve_nist2nid(name);
}

enum burin_key_type
burin_key_type_of(const EVP_PKEY *pkey)
{
	const struct key_type *kt;
	int i;

	for (i = BURIN_KEY_UNKNOWN + 1; pkey != NULL && i < BURIN_KEY_TYPES;
	     i++) {
		kt = &types[i];
		if (!EVP_PKEY_is_a(pkey, kt->evp))
			continue;
		if (kt->curve != 0 ? curve_of(pkey) == kt->curve
				   : EVP_PKEY_get_bits(pkey) == kt->bits)
			return (enum burin_key_type)i;
	}
	return BURIN_KEY_UNKNOWN;
}
