/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys, requests and certificates made to order for the tests, with
 * OpenSSL only: none of the code under test. Failure aborts the test.
 */

#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include <time.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PKI_NOW ((time_t)1900000000) /* 2030-03-17: no test asks the clock */
#define PKI_DAY ((time_t)86400)

/* What to make; zero is a sensible leaf. Strings of openssl.cnf syntax. */
struct pki_spec {
	const char *cn;		 /* NULL: the empty name */
	const char *org;	 /* O, NULL: none */
	const char *const *exts; /* "name=value", NULL-ended, or NULL */
	EVP_PKEY *key;		 /* subject's */
	X509 *issuer;		 /* NULL: self-signed */
	EVP_PKEY *issuer_key;	 /* NULL with issuer NULL */
	time_t from, until;	 /* 0: PKI_NOW -/+ a day */
	long serial;		 /* 0: counted */
	const EVP_MD *md;	 /* NULL: SHA-256 (none for EdDSA) */
};

EVP_PKEY *pki_key(const char *curve); /* "P-256", "ED25519" or "RSA" */
X509 *pki_cert(const struct pki_spec *spec);
X509_REQ *pki_req(const char *cn, EVP_PKEY *key, const char *const *exts);
/* A self-signed CA with basicConstraints, keyUsage and SKI. */
X509 *pki_ca(const char *cn, EVP_PKEY *key);

/* Adds one "name=value" extension line. */
void pki_add_ext(X509 *cert, X509 *issuer, const char *line);

#endif
