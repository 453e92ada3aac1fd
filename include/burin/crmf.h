/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certification requests in the Certificate Request Message Format (RFC
 * 4211), and the proofs of possession that keys give which cannot sign:
 * static (EC)DH (RFC 6955), challenge and response (RFC 10002 section 6.7),
 * id-alg-noSignature (RFC 10002 appendix C). Pure functions: no I/O, no
 * token, no clock.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_CRMF_H
#define BURIN_CRMF_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/request.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_MAX_CRMF 64 /* CertReqMsg in one CertReqMessages */

/* --- how possession is proved ------------------------------------------- */

enum burin_pop {
	/* RFC 2986 section 4.2; RFC 4211 section 4.1, case 3 */
	BURIN_POP_SIGNATURE,
	/*
	 * Later, by encryptedPOP and decryptedPOP: PKCS#10 with
	 * id-alg-noSignature, CRMF with challengeResp
	 */
	BURIN_POP_CHALLENGE,
	/*
	 * Static ECDH, RFC 6955 section 6, with the authority's key agreement
	 * certificate: the "signature" of PKCS#10, agreeMAC in CRMF. EC keys
	 * of 256 bits and more, no DH, no X25519.
	 *
	 * What is MACed: DER of CertificationRequestInfo, or of certReq. With
	 * what: HMAC, key Hash(DER subject of the certificate || ZZ || DER
	 * issuer of it), ZZ the x coordinate, Hash SHA-256, -384 or -512 as
	 * the curve has 256, 384 or more bits. Algorithm: of PKCS#10 or
	 * algId, id-alg-ecdhPop-static-shaN-hmac-shaN, 1.3.6.1.5.5.7.6.26,
	 * .27 or .28, no parameters. The BIT STRING holds DER DhSigStatic
	 * {issuerAndSerial of the certificate, hashValue} in both: RFC 4211
	 * has no algorithm of its own for agreeMAC. An empty name of the
	 * certificate gives way to its alternative name extension.
	 */
	BURIN_POP_AGREEMENT,
	/* raVerified: by an RA towards its CA only, CRMF only */
	BURIN_POP_BY_RA
};
const char *burin_pop_name(enum burin_pop pop); /* "signature" */

/* Borrowed. */
struct burin_pop_how {
	enum burin_pop pop;
	EVP_PKEY *key;	     /* SIGNATURE, AGREEMENT: may live on a token */
	const char *md_name; /* NULL: by key type */
	X509 *authority;     /* AGREEMENT: its certificate, same curve */
	/* CHALLENGE in CRMF: 1 keyAgreement, 0 keyEncipherment, by type -1 */
	int agree;
};

/*
 * As burin_pkcs10_make, with any proof but BY_RA. CHALLENGE and AGREEMENT
 * take keys that cannot sign as well. CHALLENGE needs no private key.
 * AGREEMENT makes the key agree twice: once with a key of ours, to see that
 * it belongs to pub, for only the authority can verify the MAC.
 */
int burin_pkcs10_make_with(const struct burin_subject *s, EVP_PKEY *pub,
    const struct burin_pop_how *how, unsigned char **der, size_t *der_len,
    struct burin_error *e);

/* --- CRMF --------------------------------------------------------------- */

/*
 * One CertReqMsg (not the list): certReqId id, subject (maybe empty), public
 * key, extensions of s in the template; popLinkWitness (V2), changeSubjectName
 * and the attestation among the attributes of s become controls, each with
 * its one value; other attributes have no place in CRMF and are BURIN_EUSAGE
 * "attribute-not-in-crmf". No regInfo, no encrCert, no POPOSigningKeyInput
 * (RFC 10002 section 3.2.1.2.2). The proof is checked before it is returned.
 * *der is OPENSSL_free'd by the caller.
 */
int burin_crmf_make(const struct burin_subject *s, EVP_PKEY *pub, uint32_t id,
    const struct burin_pop_how *how, unsigned char **der, size_t *der_len,
    struct burin_error *e);
/* CertReqMessages of n CertReqMsg, as they are. */
int burin_crmf_list(const unsigned char *const *der, const size_t *len,
    size_t n, unsigned char **out, size_t *out_len, struct burin_error *e);

struct burin_crmf; /* one CertReqMsg */

/*
 * Reads one CertReqMsg, strictly: limits, no trailing bytes, DER. cmc 1
 * applies what CMC forbids as well: regInfo, encrCert, POPOSigningKeyInput,
 * a missing subject or public key, serialNumber, signingAlg, unique ids,
 * regToken and authenticator controls, certReqId 0; refused as "not-in-cmc".
 * The rest is "request-malformed", a certReqId over 2^32-1 among it.
 */
int burin_crmf_parse(const void *data, size_t len, int cmc,
    enum burin_status status, struct burin_crmf **out, struct burin_error *e);
/* CertReqMessages, no certReqId twice; free each, then the array: free(). */
int burin_crmf_parse_list(const void *data, size_t len, int cmc,
    enum burin_status status, struct burin_crmf ***out, size_t *n,
    struct burin_error *e);
void burin_crmf_free(struct burin_crmf **m);

uint32_t burin_crmf_id(const struct burin_crmf *m);
/* Borrowed; NULL when the template has none. */
const X509_NAME *burin_crmf_subject(const struct burin_crmf *m);
EVP_PKEY *burin_crmf_public_key(const struct burin_crmf *m);
STACK_OF(X509_EXTENSION) * burin_crmf_extensions(const struct burin_crmf *m);
/* The value (DER) of the control with this dotted OID; NULL none. */
const unsigned char *burin_crmf_control(
    const struct burin_crmf *m, const char *oid, size_t *len);
/* Controls in their order, for people: dotted OID of the i-th, or NULL. */
const char *burin_crmf_control_oid(const struct burin_crmf *m, size_t i);

/* What its popo field says. */
enum burin_crmf_popo {
	BURIN_POPO_NONE,
	BURIN_POPO_RA_VERIFIED,
	BURIN_POPO_SIGNATURE,
	BURIN_POPO_ENCRYPT_CHALLENGE, /* keyEncipherment, challengeResp */
	BURIN_POPO_ENCRYPT_CERT,      /* encrCert: not in CMC */
	BURIN_POPO_ENCRYPT_OTHER,     /* thisMessage, encryptedKey */
	BURIN_POPO_AGREE_CHALLENGE,
	BURIN_POPO_AGREE_MAC,  /* agreeMAC */
	BURIN_POPO_AGREE_OTHER /* dhMAC and the rest */
};
enum burin_crmf_popo burin_crmf_get_popo(const struct burin_crmf *m);

/*
 * The proof in the request: a signature, or agreeMAC with the authority's
 * key and certificate (NULL: refused with the reason). What proves nothing
 * yet (challengeResp, or nothing) is "pop-required"; raVerified is refused
 * here, "pop-by-ra": whom to believe it is the caller's to know. "pop-failed"
 * is a wrong proof, "pop-unsupported" one that cannot be judged here.
 */
int burin_crmf_verify_pop(const struct burin_crmf *m, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e);

/* --- PKCS#10 whose key cannot sign -------------------------------------- */

/* What the signature of a parsed PKCS#10 claims to be. */
enum burin_pop burin_pkcs10_pop(const X509_REQ *req);
/* AGREEMENT: recomputes it with the authority's key (RFC 6955 section 6). */
int burin_pkcs10_verify_agreement(X509_REQ *req, EVP_PKEY *authority_key,
    X509 *authority, enum burin_status status, struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
