/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of CMC's transports send and are answered: real messages,
 * though nobody here reads them.
 */

#ifndef TESTS_CMC_PEER_H
#define TESTS_CMC_PEER_H

/* Needs cmocka's headers before it. */
#include <string.h>
#include <time.h>

#include <openssl/x509.h>

#include <burin/response.h>
#include <transport/transport.h>

#include "pki.h"

struct cmc_parts {
	EVP_PKEY *key;
	X509 *cert; /* self-signed, of localhost */
	unsigned char *pkcs10, *full;
	size_t pkcs10_len, full_len;
};

static inline void
cmc_parts_make(struct cmc_parts *p)
{
	static const char *const exts[] = { "basicConstraints=critical,CA:TRUE",
		"subjectAltName=DNS:localhost", NULL };
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct pki_spec spec = { .cn = "CMC test server", .exts = exts };
	X509_REQ *req;
	int len;

	p->key = pki_key("P-256");
	spec.key = p->key;
	spec.from = time(NULL) - 60;
	spec.until = spec.from + 3600;
	p->cert = pki_cert(&spec);
	req = pki_req("alice", p->key, NULL);
	p->pkcs10 = NULL;
	len = i2d_X509_REQ(req, &p->pkcs10);
	assert_true(len > 0);
	p->pkcs10_len = (size_t)len;
	X509_REQ_free(req);
	assert_non_null(certs);
	assert_true(sk_X509_push(certs, p->cert) > 0);
	assert_int_equal(
	    burin_certs_only_make(certs, &p->full, &p->full_len, &e), 0);
	sk_X509_free(certs);
}

static inline void
cmc_parts_free(struct cmc_parts *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	OPENSSL_free(p->pkcs10);
	OPENSSL_free(p->full);
}

#endif
