/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Attestation: a certificate by which a device says that it made a key
 * itself and how it guards it. Read here is the one of Yubico's PIV
 * application; it is put into requests in Yubico's own form and in that of
 * draft-ietf-lamps-csr-attestation. Pure functions: no I/O, no token; the
 * time is an argument.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_ATTEST_H
#define BURIN_ATTEST_H

#include <stdint.h>

#include <openssl/x509.h>

#include <burin/request.h>
#include <burin/response.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_MAX_ATTEST_CERTS 8 /* certificates above an attestation */

/* What an attestation says; -1 where it does not say. */
struct burin_attest {
	int firmware[3]; /* major, minor, patch */
	int64_t serial;	 /* of the device */
	int pin_policy;
	int touch_policy;
	int form_factor; /* without the bit for FIPS */
	int fips;	 /* 1: FIPS certified device; else 0 */
	int cspn;	 /* 1: CSPN certified device; else 0 */
	char slot[3];	 /* "9a", "" */
};

/* 1 when cert carries an extension of Yubico's PIV attestation. */
int burin_attest_is(const X509 *cert);
/*
 * Reads the extensions and the slot of cert. What a device says of its
 * certification stands in the certificate of its attestation key, which is
 * looked for in above (may be NULL). An extension that is there twice, is of
 * another length, or has bytes behind it is "attestation-malformed", status
 * as given; values without a name are kept.
 */
int burin_attest_parse(X509 *cert, STACK_OF(X509) * above,
    enum burin_status status, struct burin_attest *out, struct burin_error *e);

#define BURIN_ATTEST_WORD 24
/* In words; a number without a name as a number; "" for -1. Each fills buf. */
const char *burin_attest_firmware(
    const struct burin_attest *a, char buf[BURIN_ATTEST_WORD]);
const char *burin_attest_pin(
    const struct burin_attest *a, char buf[BURIN_ATTEST_WORD]);
const char *burin_attest_touch(
    const struct burin_attest *a, char buf[BURIN_ATTEST_WORD]);
const char *burin_attest_form_factor(
    const struct burin_attest *a, char buf[BURIN_ATTEST_WORD]);

struct burin_attest_input {
	X509 *cert;		  /* the attestation */
	STACK_OF(X509) * above;	  /* untrusted help for the path, or NULL */
	STACK_OF(X509) * anchors; /* the maker's roots; NULL: none given */
	EVP_PKEY *pub;		  /* the key's public half; NULL: unknown */
	time_t now;
};

/*
 * Runs A1 to A4 (docs/checks.md): key equality, path to the maker's root,
 * what is said can be read, the key was made on the device. *attest is what
 * is said, whether or not it is to be believed; only when no check is FAIL
 * is it. -1 only when checking itself failed.
 */
int burin_attest_check(const struct burin_attest_input *in,
    struct burin_checks *out, struct burin_attest *attest,
    struct burin_error *e);

/* --- in requests ------------------------------------------------------- */

enum burin_attest_form {
	BURIN_ATTEST_NONE,
	BURIN_ATTEST_YUBICO, /* extensions, as yubico-piv-tool makes them */
	BURIN_ATTEST_DRAFT   /* attribute of csr-attestation; experimental */
};
/* "yubico", "draft"; "none". */
const char *burin_attest_form_name(enum burin_attest_form form);
/* BURIN_ATTEST_NONE for an unknown name. */
enum burin_attest_form burin_attest_form_parse(const char *name);

/*
 * Puts an attestation and what is above it into the request. Yubico's form
 * has room for one certificate above: the issuer, which must be there.
 */
int burin_subject_set_attestation(struct burin_subject *s,
    enum burin_attest_form form, X509 *cert, STACK_OF(X509) * above,
    struct burin_error *e);
/*
 * The attestation in a request, whichever form it has; both extensions that
 * are in use for Yubico's are read. *cert NULL and BURIN_ATTEST_NONE when
 * there is none. X509_free, sk_X509_pop_free. A malformed one is
 * "attestation-malformed", status as given. Nothing is believed by it.
 */
int burin_attest_from_req(X509_REQ *req, enum burin_status status,
    enum burin_attest_form *form, X509 **cert, STACK_OF(X509) * *above,
    struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
