/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Proofs with a shared secret: RFC 10002 sections 6.2.1 and 6.2.2 (identity)
 * and 6.3.1 (its link to each request); thePOP of section 6.7.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "proofs.h"

#define HASH "SHA256"	     /* RFC 10004 section 4.2 */
#define LEGACY_HASH "SHA1"   /* RFC 2797 */
#define MAX_PBKDF2_KEY 128   /* bytes; none asks for more */
#define MAX_PBKDF2_SALT 1024 /* bytes */

/* What is proved, in the words of errors. */
struct kind {
	const char *code;
	const char *what;
	const char *rule[2]; /* of V1 and V2 */
};
static const struct kind identity_kind = { "identity-proof",
	"the proof of identity",
	{ "RFC 10002 section 6.2.2", "RFC 10002 section 6.2.1" } };
static const struct kind link_kind = { "pop-link",
	"the witness that links identity and proof of possession",
	{ "RFC 10002 section 6.3.1.2", "RFC 10002 section 6.3.1.1" } };

static int
refuse(const struct kind *kind, int v2, enum burin_status status,
    const char *why, struct burin_error *e)
{
	(void)burin_fail(e, status, kind->code, "%s %s", kind->what, why);
	return burin_error_rule(e, "%s", kind->rule[v2 != 0]);
}

/* --- the key -------------------------------------------------------------- */

static int
check_secret(const struct burin_cmc_identity *id, struct burin_error *e)
{
	if (id->secret != NULL && burin_secret_len(id->secret) > 0)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "secret-empty",
	    "there is no secret to prove identity with");
	return burin_error_rule(e, "RFC 10002 section 6.2");
}

/* H(secret), or H(secret || identification): the value octets only. */
static int
hash_key(const struct burin_cmc_identity *id, int with_name, const char *hash,
    struct burin_secret **key, struct burin_error *e)
{
	const char *name = with_name ? id->identification : NULL;
	size_t len;

	if (burin_secret_new(key, NULL, CMC_MAX_DIGEST, e) == -1)
		return -1;
	if (cmc_hash(hash, burin_secret_bytes(id->secret),
		burin_secret_len(id->secret), name,
		name != NULL ? strlen(name) : 0, burin_secret_data(*key), &len,
		e) == -1) {
		burin_secret_free(key);
		return -1;
	}
	burin_secret_truncate(*key, len);
	return 0;
}

static int
mac_with(const struct burin_secret *key, const char *hash, const void *data,
    size_t len, unsigned char out[CMC_MAX_DIGEST], size_t *out_len,
    struct burin_error *e)
{
	return cmc_hmac(hash, burin_secret_bytes(key), burin_secret_len(key),
	    data, len, out, out_len, e);
}

/* --- making --------------------------------------------------------------- */

/* Takes octets over when it succeeds. */
static int
put_octets(ASN1_OCTET_STRING **octets, ASN1_TYPE **value, struct burin_error *e)
{
	if ((*value = ASN1_TYPE_new()) == NULL)
		return burin_fail_memory(e);
	ASN1_TYPE_set(*value, V_ASN1_OCTET_STRING, *octets);
	*octets = NULL;
	return 0;
}

static int
put_witness(ASN1_OCTET_STRING *octets, ASN1_TYPE **value, struct burin_error *e)
{
	CMC_WITNESS w = { cmc_hash_algor(HASH), cmc_hmac_algor(HASH), octets };

	if (w.hash != NULL && w.mac != NULL)
		*value = ASN1_TYPE_pack_sequence(
		    ASN1_ITEM_rptr(CMC_WITNESS), &w, NULL);
	X509_ALGOR_free(w.hash);
	X509_ALGOR_free(w.mac);
	return *value != NULL ? 0 : burin_fail_memory(e);
}

static int
prove(const struct burin_cmc_identity *id, int with_name, const void *data,
    size_t len, ASN1_TYPE **value, struct burin_error *e)
{
	const char *hash = id->legacy ? LEGACY_HASH : HASH;
	unsigned char mac[CMC_MAX_DIGEST];
	struct burin_secret *key = NULL;
	ASN1_OCTET_STRING *octets = NULL;
	size_t mac_len;
	int rc = -1;

	*value = NULL;
	if (check_secret(id, e) == -1 ||
	    hash_key(id, with_name, hash, &key, e) == -1)
		return -1;
	if (mac_with(key, hash, data, len, mac, &mac_len, e) == -1)
		goto out;
	if ((octets = ASN1_OCTET_STRING_new()) == NULL ||
	    ASN1_OCTET_STRING_set(octets, mac, (int)mac_len) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = id->legacy ? put_octets(&octets, value, e)
			: put_witness(octets, value, e);
out:
	ASN1_OCTET_STRING_free(octets);
	burin_secret_free(&key);
	return rc;
}

int
cmc_identity_prove(const struct burin_cmc_identity *id, const void *reqs,
    size_t len, ASN1_TYPE **value, struct burin_error *e)
{
	return prove(id, 1, reqs, len, value, e);
}

int
cmc_link_prove(const struct burin_cmc_identity *id, const void *random,
    size_t len, ASN1_TYPE **value, struct burin_error *e)
{
	return prove(id, id->link_with_name, random, len, value, e);
}

/* --- verifying ------------------------------------------------------------ */

/* One proof as it came: how its key is made, its MAC, the MAC's value. */
struct claim {
	const struct kind *kind;
	int v2;
	int legacy;
	enum burin_status status;
	CMC_WITNESS *w;	     /* V2 */
	PBKDF2PARAM *pbkdf2; /* NULL: hash makes the key */
	const char *hash;
	const char *mac;
	const ASN1_OCTET_STRING *witness; /* borrowed */
};

static int
claim_refuse(const struct claim *c, const char *why, struct burin_error *e)
{
	return refuse(c->kind, c->v2, c->status, why, e);
}

/* Not that the proof is wrong: nobody has looked (section 6.1.4, badAlg). */
static int
claim_refuse_algorithm(
    const struct claim *c, const char *why, struct burin_error *e)
{
	(void)burin_fail(
	    e, c->status, "algorithm-refused", "%s %s", c->kind->what, why);
	return burin_error_rule(e, "%s", c->kind->rule[c->v2 != 0]);
}

/* RFC 8018 section 5.2, with bounds: a peer chose these. */
static int
read_pbkdf2(struct claim *c, struct burin_error *e)
{
	const ASN1_TYPE *p = c->w->hash->parameter;
	const PBKDF2PARAM *k;
	int64_t rounds, len = 1;

	c->pbkdf2 = p == NULL
	    ? NULL
	    : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), p);
	if ((k = c->pbkdf2) == NULL || k->salt->type != V_ASN1_OCTET_STRING ||
	    ASN1_STRING_length(k->salt->value.octet_string) > MAX_PBKDF2_SALT ||
	    ASN1_INTEGER_get_int64(&rounds, k->iter) != 1 || rounds < 1 ||
	    rounds > BURIN_MAX_PBKDF2_ROUNDS ||
	    (k->keylength != NULL &&
		ASN1_INTEGER_get_int64(&len, k->keylength) != 1) ||
	    len < 1 || len > MAX_PBKDF2_KEY) {
		ERR_clear_error();
		return claim_refuse(c,
		    "has parameters of PBKDF2 that are malformed or too large "
		    "(keyGenAlgorithm)",
		    e);
	}
	/* The PRF's DEFAULT is HMAC-SHA1, which is no weakness of it. */
	c->hash = k->prf != NULL ? cmc_hmac_name(k->prf, 1) : LEGACY_HASH;
	return 0;
}

static int
read_key_maker(struct claim *c, struct burin_error *e)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, c->w->hash);
	if (c->kind == &link_kind && OBJ_obj2nid(oid) == NID_id_pbkdf2)
		return read_pbkdf2(c, e);
	c->hash = cmc_hash_name(c->w->hash, c->legacy);
	return 0;
}

static int
read_v1(struct claim *c, const ASN1_TYPE *value, struct burin_error *e)
{
	if (!c->legacy)
		return claim_refuse_algorithm(
		    c, "is of RFC 2797, with SHA-1, which is too weak", e);
	if (value->type != V_ASN1_OCTET_STRING)
		return claim_refuse(c, "is no OCTET STRING", e);
	c->hash = c->mac = LEGACY_HASH;
	c->witness = value->value.octet_string;
	return 0;
}

static int
read_claim(struct claim *c, const ASN1_TYPE *value, struct burin_error *e)
{
	if (!c->v2)
		return read_v1(c, value, e);
	c->w = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CMC_WITNESS), value);
	if (c->w == NULL) {
		ERR_clear_error();
		return claim_refuse(c, "cannot be decoded", e);
	}
	c->witness = c->w->witness;
	c->mac = cmc_hmac_name(c->w->mac, c->legacy);
	if (read_key_maker(c, e) == -1)
		return -1;
	if (c->hash == NULL || c->mac == NULL)
		return claim_refuse_algorithm(c,
		    "is made with an algorithm that is unknown or too weak", e);
	return 0;
}

static int
derive_key(const struct claim *c, const struct burin_cmc_identity *id,
    struct burin_secret **key, struct burin_error *e)
{
	const PBKDF2PARAM *k = c->pbkdf2;
	const ASN1_OCTET_STRING *salt = k->salt->value.octet_string;
	EVP_MD *prf = EVP_MD_fetch(NULL, c->hash, NULL);
	EVP_MD *mac = EVP_MD_fetch(NULL, c->mac, NULL);
	size_t len;
	int rc = -1;

	if (prf == NULL || mac == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	/* Without keyLength: as long as the MAC. */
	len = k->keylength != NULL ? (size_t)ASN1_INTEGER_get(k->keylength)
				   : (size_t)EVP_MD_get_size(mac);
	if (burin_secret_new(key, NULL, len, e) == -1)
		goto out;
	rc = PKCS5_PBKDF2_HMAC((const char *)burin_secret_bytes(id->secret),
		 (int)burin_secret_len(id->secret), ASN1_STRING_get0_data(salt),
		 ASN1_STRING_length(salt), (int)ASN1_INTEGER_get(k->iter), prf,
		 (int)len, burin_secret_data(*key)) == 1
	    ? 0
	    : burin_fail_openssl(e, BURIN_EINTERNAL, "derive",
		  "a key could not be derived from the secret");
out:
	EVP_MD_free(mac);
	EVP_MD_free(prf);
	return rc;
}

/* *fits: the witness is that of this secret. */
static int
try_key(const struct claim *c, const struct burin_cmc_identity *id,
    int with_name, const void *data, size_t len, int *fits,
    struct burin_error *e)
{
	unsigned char mac[CMC_MAX_DIGEST];
	struct burin_secret *key = NULL;
	size_t mac_len = 0;
	int rc;

	*fits = 0;
	rc = c->pbkdf2 != NULL ? derive_key(c, id, &key, e)
			       : hash_key(id, with_name, c->hash, &key, e);
	if (rc == 0)
		rc = mac_with(key, c->mac, data, len, mac, &mac_len, e);
	if (rc == 0)
		*fits = (size_t)ASN1_STRING_length(c->witness) == mac_len &&
		    CRYPTO_memcmp(
			ASN1_STRING_get0_data(c->witness), mac, mac_len) == 0;
	OPENSSL_cleanse(mac, sizeof(mac));
	burin_secret_free(&key);
	return rc;
}

static int
verify(struct claim *c, const struct burin_cmc_identity *id,
    const ASN1_TYPE *value, const void *data, size_t len, struct burin_error *e)
{
	int fits = 0, rc = -1;

	if (check_secret(id, e) == -1)
		return -1;
	if (read_claim(c, value, e) == -1)
		goto out;
	/* Of a link, both forms are in use: section 6.3.1.1, and Dogtag's. */
	if (try_key(c, id, c->kind == &identity_kind, data, len, &fits, e) ==
		-1 ||
	    (!fits && c->kind == &link_kind && c->pbkdf2 == NULL &&
		try_key(c, id, 1, data, len, &fits, e) == -1))
		goto out;
	rc = fits ? 0
		  : claim_refuse(c,
			"is not made with the secret, or not over "
			"what came",
			e);
out:
	PBKDF2PARAM_free(c->pbkdf2);
	CMC_WITNESS_free(c->w);
	return rc;
}

int
cmc_identity_verify(const struct burin_cmc_identity *id, int v2,
    const ASN1_TYPE *value, const void *reqs, size_t len, int legacy,
    enum burin_status status, struct burin_error *e)
{
	struct claim c = { .kind = &identity_kind,
		.v2 = v2,
		.legacy = legacy,
		.status = status };

	return verify(&c, id, value, reqs, len, e);
}

int
cmc_link_verify(const struct burin_cmc_identity *id, int v2,
    const ASN1_TYPE *value, const void *random, size_t len, int legacy,
    enum burin_status status, struct burin_error *e)
{
	struct claim c = {
		.kind = &link_kind, .v2 = v2, .legacy = legacy, .status = status
	};

	return verify(&c, id, value, random, len, e);
}

uint64_t
cmc_link_rounds(const ASN1_TYPE *value)
{
	CMC_WITNESS *w =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(CMC_WITNESS), value);
	PBKDF2PARAM *k = NULL;
	uint64_t rounds = 0;

	if (w != NULL && w->hash->parameter != NULL &&
	    OBJ_obj2nid(w->hash->algorithm) == NID_id_pbkdf2)
		k = ASN1_TYPE_unpack_sequence(
		    ASN1_ITEM_rptr(PBKDF2PARAM), w->hash->parameter);
	if (k != NULL && ASN1_INTEGER_get_uint64(&rounds, k->iter) != 1)
		rounds = 0;
	PBKDF2PARAM_free(k);
	CMC_WITNESS_free(w);
	ERR_clear_error();
	return rounds;
}

/* --- decryptedPOP --------------------------------------------------------- */

int
cmc_pop_make(const char *name, const struct burin_secret *y,
    const unsigned char *request, size_t len, int untagged,
    unsigned char out[CMC_MAX_DIGEST], size_t *out_len, struct burin_error *e)
{
	size_t key_len = burin_secret_len(y);
	unsigned char *copy;
	int rc;

	*out_len = 0;
	/* Longer keys would be hashed by HMAC: the text cuts them instead. */
	if (key_len > CMC_MAX_POP_KEY)
		key_len = CMC_MAX_POP_KEY;
	if (key_len == 0 || len == 0 || (request[0] & 0xe0) != 0xa0) {
		(void)burin_fail(e, BURIN_ECHECK, "pop-challenge",
		    "the challenge is empty or names no request");
		return burin_error_rule(e, "RFC 10002 section 6.7");
	}
	if (!untagged)
		return cmc_hmac(name, burin_secret_bytes(y), key_len, request,
		    len, out, out_len, e);
	if ((copy = OPENSSL_memdup(request, len)) == NULL)
		return burin_fail_memory(e);
	/* IMPLICIT TAGS: [0], [1], [2] stand where SEQUENCE would. */
	copy[0] = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
	rc = cmc_hmac(
	    name, burin_secret_bytes(y), key_len, copy, len, out, out_len, e);
	OPENSSL_free(copy);
	return rc;
}
