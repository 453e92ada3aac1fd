/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What comes back: certificates, PEM bundles, PKCS#7 certs-only (RFC 5652
 * section 5, degenerate SignedData), and the checks a certificate must pass
 * before anything is written to a token. Pure functions: no I/O, no token;
 * the time is an argument.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_RESPONSE_H
#define BURIN_RESPONSE_H

#include <stddef.h>
#include <time.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/request.h>
#include <burin/usage.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_MAX_RESPONSE (1024 * 1024) /* bytes of one response */
#define BURIN_MAX_CERTS 64		 /* certificates in it */
#define BURIN_MAX_CHAIN 10		 /* certificates in a path */

/*
 * Every certificate in data: one DER certificate, DER certs-only PKCS#7,
 * PEM (CERTIFICATE, PKCS7, CMS blocks, any number and order, text between),
 * or base64 of DER as EST sends it (RFC 8951 section 3). Limits above, no
 * trailing bytes, a certs-only must carry no signer. An unknown form is
 * "response-malformed". status is used for every refusal. The same
 * certificate twice is given once. Freed with sk_X509_pop_free(…, X509_free).
 */
int burin_certs_parse(const void *data, size_t len, enum burin_status status,
    STACK_OF(X509) * *out, struct burin_error *e);
/* One DER certificate, nothing behind it. X509_free. */
int burin_cert_parse(const void *der, size_t len, enum burin_status status,
    X509 **out, struct burin_error *e);
/* DER certs-only with these certificates, in their order. OPENSSL_free. */
int burin_certs_only_make(STACK_OF(X509) * certs, unsigned char **der,
    size_t *der_len, struct burin_error *e);

/* The certificates in bag whose public key is pub, "first" being the one
 * with the latest notBefore. NULL when there is none; borrowed from bag. */
X509 *burin_certs_for_key(STACK_OF(X509) * bag, EVP_PKEY *pub);

/* --- checks ------------------------------------------------------------ */

enum burin_check_level {
	BURIN_PASS,
	BURIN_WARN,
	BURIN_FAIL,
	BURIN_SKIP
};

/*
 * One check's outcome. id is stable ("G1"): the ids of the check tables in
 * docs/checks.md.
 */
struct burin_check {
	const char *id;	   /* "G1", static */
	const char *title; /* "public key is the token's", static */
	const char *rule;  /* "RFC 5280 section 6.1", static */
	enum burin_check_level level;
	char detail[256]; /* what was seen */
};
#define BURIN_MAX_CHECKS 64

struct burin_checks {
	size_t n;
	struct burin_check list[BURIN_MAX_CHECKS];
};

/* What the certificate is held against; NULL fields are not checked (SKIP). */
struct burin_check_input {
	X509 *cert;
	EVP_PKEY *pub;			 /* G1 the token key's public half */
	STACK_OF(X509) * bag;		 /* G2 untrusted help for the path */
	STACK_OF(X509) * anchors;	 /* G2 */
	time_t now;			 /* G3 */
	time_t skew;			 /* G3 seconds allowed, usually 300 */
	const struct burin_asked *asked; /* G4, G5 */
	unsigned key_usage;	     /* G7 BURIN_USE_* of the key, 0 unknown */
	const unsigned char *key_id; /* G8 CKA_ID, NULL unknown */
	size_t key_id_len;
};

/*
 * Runs G1 to G8 (docs/checks.md): key equality, signature and path, time,
 * identity as asked, usages as asked, no unknown critical extension, key
 * usage fits the key, CKA_ID is the SKI (a warning). *chain, when asked for
 * (chain not NULL), is the verified path leaf first, anchor last, or NULL.
 * The return value is -1 only when checking itself failed (memory); look at
 * the levels otherwise.
 */
int burin_check_cert(const struct burin_check_input *in,
    struct burin_checks *out, STACK_OF(X509) * *chain, struct burin_error *e);
/*
 * -1 with the first FAIL as an error (status, code "check-G1", rule,
 * advice) when there is one, 0 otherwise.
 */
int burin_checks_verdict(const struct burin_checks *c, enum burin_status status,
    struct burin_error *e);
/* "pass", "warn", "fail", "skip" */
const char *burin_check_level_name(enum burin_check_level level);

/* A revocation list, and what it is held against. */
struct burin_crl_input {
	X509_CRL *crl;
	const X509_NAME *issuer; /* whose list it is to be */
	STACK_OF(X509) * bag;	 /* untrusted help for the path, or NULL */
	STACK_OF(X509) * anchors;
	time_t now, skew; /* seconds */
};
/*
 * RFC 5280 section 6.3.3, as far as it is about the list alone: by this
 * issuer, whose certificate leads to an anchor and may sign lists; the
 * signature; begun, and not over. BURIN_ECHECK "crl-issuer", "crl-signer",
 * "crl-signature", "crl-times", "crl-stale".
 */
int burin_check_crl(const struct burin_crl_input *in, struct burin_error *e);

/* SHA-256 of the DER certificate or key, as 64 lower-case hex digits. */
/* 1 when its extendedKeyUsage names this purpose (NID_cmcRA). */
int burin_cert_has_purpose(X509 *cert, int nid);
int burin_cert_sha256(X509 *cert, char hex[65], struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
