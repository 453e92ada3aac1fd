/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside "burin show": a file becomes JSON objects, which are printed or
 * turned into text. Every maker returns a new reference, NULL when memory
 * ran out.
 */

#ifndef BURIN_SHOW_PARTS_H
#define BURIN_SHOW_PARTS_H

#include <stdio.h>

#include <jansson.h>

#include <openssl/x509.h>

#include <burin/error.h>

/* All objects of a file, in their order, in *out: a JSON array. */
int show_read(
    json_t **out, const unsigned char *data, size_t len, struct burin_error *e);

json_t *show_cert(X509 *cert);
json_t *show_req(X509_REQ *req);
json_t *show_crl(X509_CRL *crl);

/* What the attestation in cert, or in req, says; JSON null for none. */
json_t *show_attest_cert(X509 *cert);
json_t *show_attest_req(X509_REQ *req);

/* Names of the keyUsage bits among exts. */
json_t *show_key_usage(const STACK_OF(X509_EXTENSION) * exts);
/* The extensions without a place of their own: name, critical, text. */
json_t *show_extensions(const STACK_OF(X509_EXTENSION) * exts);

/* The names and purposes among exts, as burin_cert_sans and _ekus. */
json_t *show_sans(const STACK_OF(X509_EXTENSION) * exts);
json_t *show_ekus(const STACK_OF(X509_EXTENSION) * exts);

/* "ec:P-256" where we have a name for it, "RSA, 1024 bits" where not. */
json_t *show_key(EVP_PKEY *key);
/* By the name that its RFC gives it; dotted when nobody here knows it. */
json_t *show_oid(const ASN1_OBJECT *oid);
/* CRLReason (RFC 5280 section 5.3.1); "" when it is not defined. */
const char *show_reason(const ASN1_ENUMERATED *code);
/* Text of a stranger: one line, line ends become commas, nothing unsafe. */
json_t *show_line(const char *s, size_t len);

/*
 * pop, pop_kind and pop_verified of a request: e is what the verification of
 * its proof came to. later: it is somebody else's to verify, or not yet.
 */
int show_put_pop(
    json_t *o, const char *kind, int later, const struct burin_error *e);
/* The controls of CMC among the attributes of a request. */
json_t *show_req_controls(X509_REQ *req);

/*
 * 1 when this is CertReqMessages or one CertReqMsg (RFC 4211), with *out NULL
 * when memory ran out; else 0.
 */
int show_crmf(json_t **out, const unsigned char *der, size_t len);
/*
 * 1 when this is a ContentInfo around a message of CMC, or around what cannot
 * be read without a secret or a key. depth: messages around it; is_auth: it
 * is what an authData points to.
 */
int show_is_envelope(const unsigned char *der, size_t len);
json_t *show_envelope(
    const unsigned char *der, size_t len, unsigned depth, int is_auth);

/* "CMC request (PKIData)", of the type of an object; "" when it has none. */
const char *show_title(const char *type);
/* A message for people, as a tree; the controls of a request likewise. */
void show_tree(FILE *out, json_t *o);
void show_tree_controls(FILE *out, json_t *o);

/* A string and frees it; an array of strings and frees it. */
json_t *show_take(char *text);
json_t *show_take_list(char **texts);

/* Puts value (taken over); 0, or -1 when it is NULL or memory ran out. */
int show_put(json_t *o, const char *key, json_t *value);

#endif
