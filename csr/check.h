/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the certificate checks: one function per group, each judges and
 * writes down what it saw.
 */

#ifndef CSR_CHECK_H
#define CSR_CHECK_H

#include <stdint.h>

#include <openssl/x509v3.h>

#include <burin/response.h>

#define CSR_USAGES 9 /* bits of keyUsage */

/* keyUsage bits by name, and what a key must be able to do for each. */
extern const struct csr_usage {
	uint32_t bit; /* KU_ */
	const char *name;
	unsigned use; /* BURIN_USE_, 0: any */
} csr_usages[CSR_USAGES];
/* The keyUsage among exts as KU_ bits, 0 when there is none. */
uint32_t csr_usage_bits(const STACK_OF(X509_EXTENSION) * exts);
/* Their names, with commas between. */
void csr_list_usages(uint32_t bits, char *text, size_t size);
/* 1 when basicConstraints among exts says cA. */
int csr_says_ca(const STACK_OF(X509_EXTENSION) * exts);
/* 1 when oid is among ekus (NULL: none). */
int csr_has_purpose(const EXTENDED_KEY_USAGE *ekus, const ASN1_OBJECT *oid);

/* Level and detail of one check; a worse level said before stays. */
void csr_check_set(struct burin_check *c, enum burin_check_level level,
    const char *fmt, ...) BURIN_PRINTF(3, 4);

/*
 * Each returns 0 with c judged, or -1 with e set when judging itself failed.
 * chain may be NULL; it is given only for a valid path.
 */
int csr_check_path(const struct burin_check_input *in, struct burin_check *c,
    STACK_OF(X509) * *chain, struct burin_error *e);
int csr_check_identity(const struct burin_check_input *in,
    struct burin_check *c, struct burin_error *e);
int csr_check_usages(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e);
int csr_check_key_usage(const struct burin_check_input *in,
    struct burin_check *c, struct burin_error *e);

/*
 * The anchors as OpenSSL wants them; NULL when memory ran out. *partial: a
 * path may end at one that is not self-signed.
 */
X509_STORE *csr_anchor_store(STACK_OF(X509) * anchors, int *partial);

/*
 * RFC 3779 section 2.3: what X509_verify_cert leaves open. *why is static
 * and *depth the certificate (0: leaf) when 0 is returned; 1 when all
 * inherited resources have an owner above.
 */
int csr_resources_inherited(
    STACK_OF(X509) * chain, int *depth, const char **why);

#endif
