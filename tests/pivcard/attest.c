/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Yubico's ATTEST: a certificate over a key that the card made, signed by
 * the card's attestation key F9, whose certificate a root signed when the
 * card was made. Form and extensions as in Yubico's "PIV attestation": the
 * values of firmware, policies and form factor are bare bytes, the serial
 * number is an INTEGER.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "state.h"

#define OID_FIRMWARE "1.3.6.1.4.1.41482.3.3"
#define OID_SERIAL "1.3.6.1.4.1.41482.3.7"
#define OID_POLICY "1.3.6.1.4.1.41482.3.8"
#define OID_FORM_FACTOR "1.3.6.1.4.1.41482.3.9"
#define TAG_ATTEST_CERT 0x5fff01
/* The card has no clock: all its certificates live as long as Yubico's. */
#define NOT_BEFORE "20160314000000Z"
#define NOT_AFTER "20520417000000Z"

static int
name_is(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		   (const unsigned char *)cn, -1, -1, 0) == 1;
}

static int
random_serial(struct card *c, X509 *x)
{
	uint8_t bytes[16];
	BIGNUM *n;
	int rc;

	if (RAND_bytes_ex(c->lib, bytes, sizeof(bytes), 0) != 1)
		return 0;
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	rc = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return rc;
}

/* A certificate that lacks its extensions and its signature. */
static X509 *
start(struct card *c, const char *cn, EVP_PKEY *key, X509 *issuer)
{
	X509 *x = X509_new_ex(c->lib, NULL);

	if (x == NULL || X509_set_version(x, X509_VERSION_3) != 1 ||
	    !random_serial(c, x) || !name_is(X509_get_subject_name(x), cn) ||
	    X509_set_issuer_name(
		x, X509_get_subject_name(issuer == NULL ? x : issuer)) != 1 ||
	    ASN1_TIME_set_string(X509_getm_notBefore(x), NOT_BEFORE) != 1 ||
	    ASN1_TIME_set_string(X509_getm_notAfter(x), NOT_AFTER) != 1 ||
	    X509_set_pubkey(x, key) != 1) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static int
sign(struct card *c, X509 *x, EVP_PKEY *key)
{
	EVP_MD *md = EVP_MD_fetch(c->lib, "SHA256", NULL);
	int rc = md != NULL && X509_sign(x, key, md) > 0;

	EVP_MD_free(md);
	return rc;
}

static int
add_ca(X509 *x, long pathlen)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	int rc = 0;

	if (bc == NULL)
		return 0;
	bc->ca = 1;
	bc->pathlen = ASN1_INTEGER_new();
	rc = bc->pathlen != NULL && ASN1_INTEGER_set(bc->pathlen, pathlen) &&
	    X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1, 0) == 1;
	BASIC_CONSTRAINTS_free(bc);
	return rc;
}

static int
add_bytes(X509 *x, const char *oid, const uint8_t *p, size_t len)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	int rc = 0;

	if (obj != NULL && value != NULL &&
	    ASN1_OCTET_STRING_set(value, p, (int)len) == 1)
		ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, value);
	if (ext != NULL)
		rc = X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(obj);
	return rc;
}

static int
add_serial(X509 *x, uint32_t serial)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	unsigned char *der = NULL;
	int len, rc = 0;

	if (n != NULL && ASN1_INTEGER_set_uint64(n, serial) == 1) {
		len = i2d_ASN1_INTEGER(n, &der);
		if (len > 0)
			rc = add_bytes(x, OID_SERIAL, der, (size_t)len);
	}
	OPENSSL_free(der);
	ASN1_INTEGER_free(n);
	return rc;
}

/* The certificate in the attestation slot's object. */
static X509 *
own_cert(struct card *c)
{
	const struct object *o = object_find(c, TAG_ATTEST_CERT);
	const unsigned char *p;
	struct span v;
	X509 *x;

	if (o == NULL || !tlv_find((struct span) { o->data, o->len }, 0x70, &v))
		return NULL;
	p = v.p;
	x = X509_new_ex(c->lib, NULL);
	if (x != NULL && d2i_X509(&x, &p, (long)v.len) == NULL)
		x = NULL; /* it was freed */
	return x;
}

static X509 *
statement(struct card *c, const struct key *k, EVP_PKEY *signer, X509 *issuer)
{
	const uint8_t policy[2] = { k->pin_policy, k->touch_policy };
	char cn[64];
	X509 *x;

	(void)snprintf(cn, sizeof(cn), "YubiKey PIV Attestation %02x", k->ref);
	x = start(c, cn, k->pkey, issuer);
	if (x != NULL && add_bytes(x, OID_FIRMWARE, c->firmware, 3) &&
	    add_serial(x, c->serial) &&
	    add_bytes(x, OID_POLICY, policy, sizeof(policy)) &&
	    add_bytes(x, OID_FORM_FACTOR, &c->form_factor, 1) &&
	    sign(c, x, signer))
		return x;
	X509_free(x);
	return NULL;
}

enum sw
piv_attest(struct card *c, const struct apdu *a)
{
	const struct key *k = key_find(c, a->p1);
	const struct key *signer = key_find(c, REF_ATTEST);
	unsigned char *der = NULL;
	X509 *issuer, *x = NULL;
	int len = -1;

	if (!firmware_since(c, 4, 3))
		return SW_INS;
	if (k == NULL || a->p2 != 0)
		return SW_P1P2;
	if (k->origin == ORIGIN_NONE)
		return SW_REFERENCE;
	if (k->origin != ORIGIN_GENERATED)
		return SW_DATA;
	issuer = own_cert(c);
	if (issuer != NULL && signer->pkey != NULL)
		x = statement(c, k, signer->pkey, issuer);
	if (x != NULL)
		len = i2d_X509(x, &der);
	if (len > 0)
		buf_put(&c->answer, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(x);
	X509_free(issuer);
	return len > 0 ? SW_OK : SW_CONDITIONS;
}

/* PREFIX.pem and PREFIX.key; made when they are not there. */
static int
read_root(struct card *c, const char *prefix, X509 **cert, EVP_PKEY **key)
{
	char path[4096];
	FILE *f;

	*cert = NULL;
	*key = NULL;
	(void)snprintf(path, sizeof(path), "%s.key", prefix);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	*key = PEM_read_PrivateKey_ex(f, NULL, NULL, NULL, c->lib, NULL);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s.pem", prefix);
	f = fopen(path, "r");
	if (f != NULL) {
		*cert = X509_new_ex(c->lib, NULL);
		if (PEM_read_X509(f, cert, NULL, NULL) == NULL)
			*cert = NULL;
		(void)fclose(f);
	}
	return *cert != NULL && *key != NULL;
}

static int
write_root(const char *prefix, X509 *cert, EVP_PKEY *key)
{
	char path[4096];
	FILE *f;
	int rc;

	(void)snprintf(path, sizeof(path), "%s.key", prefix);
	f = fopen(path, "w");
	if (f == NULL)
		return 0;
	rc = fchmod(fileno(f), 0600) == 0 &&
	    PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (fclose(f) != 0 || !rc)
		return 0;
	(void)snprintf(path, sizeof(path), "%s.pem", prefix);
	f = fopen(path, "w");
	if (f == NULL)
		return 0;
	rc = PEM_write_X509(f, cert) == 1;
	return fclose(f) == 0 && rc;
}

static int
make_root(struct card *c, const char *prefix, X509 **cert, EVP_PKEY **key)
{
	*key = key_generate(c, ALG_P256);
	if (*key == NULL)
		return 0;
	*cert = start(c, "Test PIV Attestation Root", *key, NULL);
	return *cert != NULL && add_ca(*cert, 1) && sign(c, *cert, *key) &&
	    write_root(prefix, *cert, *key);
}

/* 70 certificate, 71 not compressed, FE nothing: part 1 section 3.2.1. */
static int
keep_cert(struct card *c, X509 *x)
{
	static const uint8_t plain = 0;
	struct buf value = { .len = 0 };
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len <= 0)
		return 0;
	buf_tlv(&value, 0x70, der, (size_t)len);
	buf_tlv(&value, 0x71, &plain, 1);
	buf_tlv(&value, 0xfe, NULL, 0);
	OPENSSL_free(der);
	return !value.overflow &&
	    object_put(c, TAG_ATTEST_CERT, value.data, value.len);
}

int
attest_make(struct card *c, const char *root)
{
	struct key *k = key_find(c, REF_ATTEST);
	EVP_PKEY *root_key = NULL;
	X509 *root_cert = NULL, *x = NULL;
	int rc = 0;

	if (!read_root(c, root, &root_cert, &root_key)) {
		X509_free(root_cert);
		EVP_PKEY_free(root_key);
		root_key = NULL;
		root_cert = NULL;
		if (!make_root(c, root, &root_cert, &root_key))
			goto out;
	}
	k->pkey = key_generate(c, ALG_RSA2048);
	if (k->pkey == NULL)
		goto out;
	k->alg = ALG_RSA2048;
	k->origin = ORIGIN_GENERATED;
	k->pin_policy = PIN_ONCE;
	k->touch_policy = TOUCH_NEVER;
	x = start(c, "Yubico PIV Attestation", k->pkey, root_cert);
	rc = x != NULL && add_ca(x, 0) &&
	    add_bytes(x, OID_FIRMWARE, c->firmware, 3) &&
	    sign(c, x, root_key) && keep_cert(c, x);
out:
	X509_free(x);
	X509_free(root_cert);
	EVP_PKEY_free(root_key);
	return rc;
}
