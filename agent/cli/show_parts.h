/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside "burin show": a file becomes JSON objects, which are printed or
 * turned into text. Every maker returns a new reference, NULL when memory
 * ran out.
 */

#ifndef BURIN_SHOW_PARTS_H
#define BURIN_SHOW_PARTS_H

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

/* A string and frees it; an array of strings and frees it. */
json_t *show_take(char *text);
json_t *show_take_list(char **texts);

/* Puts value (taken over); 0, or -1 when it is NULL or memory ran out. */
int show_put(json_t *o, const char *key, json_t *value);

#endif
