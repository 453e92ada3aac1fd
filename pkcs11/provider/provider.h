/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the provider: its keys, its signature context, what its files offer
 * each other. OpenSSL's provider-*(7) pages are the contract.
 */

#ifndef BURIN_P11_PROVIDER_H
#define BURIN_P11_PROVIDER_H

#include <stdatomic.h>
#include <stddef.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include "../p11.h"

#define PROV_NAME "burin"
#define PROV_QUERY "provider=" PROV_NAME
/* The EVP_PKEY_fromdata and EVP_PKEY_set_params name of a struct burin_key. */
#define PROV_KEY_PARAM "burin-key"

#define PROV_MAX_RSA 2048      /* bytes of a modulus: 16384 bits */
#define PROV_MAX_COORDINATE 66 /* bytes of a P-521 coordinate */
#define PROV_MAX_LABEL 1024    /* bytes of an OAEP label or of KDF ukm */

/*
 * A key of this provider. k is borrowed: whoever holds the EVP_PKEY longer
 * than k lives has the public half (p11_provider_forget). Public operations
 * are done in software with pub, in the default library context.
 */
struct prov_key {
	atomic_int refs;
	const char *type;    /* "RSA", "EC", "ED25519", "ED448", "X25519" */
	struct burin_key *k; /* NULL: the public half, or parameters */
	EVP_PKEY *pub;
	/* The token said that it lacks the mechanism: asked once per key. */
	atomic_int no_pss, no_oaep;
};

/* --- keymgmt.c --------------------------------------------------------- */

struct prov_key *prov_key_ref(struct prov_key *key);
void prov_key_free(struct prov_key *key); /* accepts NULL */
/*
 * What an operation begins with: *held becomes key (NULL: stays what it is).
 * 1 when it can do a public, or with private a private, operation; else 0
 * with OpenSSL's error raised.
 */
int prov_key_use(struct prov_key **held, struct prov_key *key, int private);

extern const OSSL_DISPATCH prov_keymgmt_rsa[], prov_keymgmt_ec[],
    prov_keymgmt_ed25519[], prov_keymgmt_ed448[], prov_keymgmt_x25519[];

/* --- provider.c -------------------------------------------------------- */

/*
 * p11_do on key. A failure is raised as reason (PROV_R_*) with "CKR_X: what
 * happened", unless lacks_mechanism tells the caller to go another way.
 */
CK_RV prov_do(struct prov_key *key, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len,
    int reason);
/* As prov_do, for a mechanism that may be missing: *lacks 1, not raised. */
CK_RV prov_try(struct prov_key *key, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len,
    int reason, int *lacks);

/* --- param.c: OSSL_PARAM values, with their limits --------------------- */

/* Fetches the digest named by parameter p into *md, freeing the old one. */
int prov_get_md(const OSSL_PARAM *p, EVP_MD **md);
/* Replaces *buf by the bytes of p, at most PROV_MAX_LABEL. */
int prov_get_bytes(const OSSL_PARAM *p, unsigned char **buf, size_t *len);
/* RSA padding by number or by name; refuses what is in neither form. */
int prov_get_padding(const OSSL_PARAM *p, int *padding);
int prov_set_padding(OSSL_PARAM *p, int padding);
/* PSS salt length by number or by name (RSA_PSS_SALTLEN_*). */
int prov_get_saltlen(const OSSL_PARAM *p, int *saltlen);
int prov_set_saltlen(OSSL_PARAM *p, int saltlen);
/* The name of md, "" for NULL. */
int prov_set_md(OSSL_PARAM *p, const EVP_MD *md);

/* --- signatures -------------------------------------------------------- */

struct sig_ctx;

/* What differs between the signature algorithms. */
struct sig_alg {
	/* tbs is a digest, but the message for EdDSA; *len: room, length */
	int (*sign)(struct sig_ctx *c, unsigned char *sig, size_t *len,
	    const unsigned char *tbs, size_t tbs_len);
	/* Tells a software operation on the public key what c is set to. */
	int (*configure)(const struct sig_ctx *c, EVP_PKEY_CTX *software);
	int whole_message; /* 1: no digest, one call (EdDSA) */
};

struct sig_ctx {
	const struct sig_alg *alg;
	struct prov_key *key;
	EVP_MD *md;	      /* NULL: tbs as it is */
	EVP_MD *mgf1_md;      /* NULL: md */
	EVP_MD_CTX *hash;     /* of a digest_sign or digest_verify */
	int padding, saltlen; /* RSA */
};

extern const struct sig_alg prov_alg_rsa;   /* sign_rsa.c */
extern const struct sig_alg prov_alg_ecdsa; /* sign_ec.c */
extern const struct sig_alg prov_alg_eddsa; /* sign_ed.c */

extern const OSSL_DISPATCH prov_sig_rsa[], prov_sig_ecdsa[], prov_sig_eddsa[];

/* --- rsa_pad.c: RFC 8017 in software ----------------------------------- */

/* CK_MECHANISM_TYPE and MGF of a digest; 0 when PKCS#11 2.40 has none. */
int prov_rsa_hash(
    const EVP_MD *md, CK_MECHANISM_TYPE *hash, CK_RSA_PKCS_MGF_TYPE *mgf);
/*
 * EMSA-PSS-ENCODE (section 9.1.1) of a digest with a random salt into em of
 * em_len bytes, the modulus' length; bits is the modulus' bit length. 1 or 0.
 */
int prov_pss_encode(unsigned char *em, size_t em_len, int bits,
    const unsigned char *digest, size_t digest_len, const EVP_MD *md,
    const EVP_MD *mgf1_md, size_t salt_len);
/*
 * EME-OAEP decoding (section 7.1.2 step 3) of em, which is overwritten. One
 * answer for whatever is wrong, and no branch on secret bytes before it.
 * *out_len: room, length. 1 or 0.
 */
int prov_oaep_decode(unsigned char *em, size_t em_len, const EVP_MD *md,
    const EVP_MD *mgf1_md, const unsigned char *label, size_t label_len,
    unsigned char *out, size_t *out_len);

/* --- cipher_rsa.c, exchange.c ------------------------------------------ */

extern const OSSL_DISPATCH prov_cipher_rsa[];
extern const OSSL_DISPATCH prov_exchange[];

#endif
