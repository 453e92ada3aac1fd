/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names and times of certificates and requests as people read them. Every
 * string is malloc'd UTF-8 without control bytes: free() it; NULL when out
 * of memory.
 */

#ifndef BURIN_NAMES_H
#define BURIN_NAMES_H

#include <stddef.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "CN=Alice,O=Example" in encoding order, escaped so that
 * burin_subject_set_dn reads it back; "" for the empty name. */
char *burin_dn_text(const X509_NAME *name);
/* "email:a@b", "dns:", "uri:", "xmpp:", "ip:", "dirname:DN",
 * "rid:OID", "other:OID": the forms of burin_subject_add_san, which takes
 * all but the last. A byte that is not safe to show is U+FFFD and its two
 * hex digits. */
char *burin_san_text(const GENERAL_NAME *name);
/* 1 when both have the same names, in any order; NULL is none. */
int burin_same_names(const GENERAL_NAMES *a, const GENERAL_NAMES *b);
/* All names of the SAN extension of a certificate or a request: a
 * NULL-terminated array, each and the array to be freed
 * (burin_texts_free). Empty array when there is none. */
char **burin_cert_sans(const X509 *cert);
char **burin_req_sans(X509_REQ *req);
/* Of a list of extensions, which may be NULL. */
char **burin_exts_sans(const STACK_OF(X509_EXTENSION) * exts);
/* EKUs by name as burin_subject_add_eku takes them. */
char **burin_cert_ekus(const X509 *cert);
char **burin_req_ekus(X509_REQ *req);
void burin_texts_free(char ***texts);
/* "serverAuth", "imUri" or a dotted OID. */
char *burin_eku_text(const ASN1_OBJECT *oid);
/* RFC 3339 "2026-11-23T20:15:00Z"; out of range: "". */
char *burin_time_text(const ASN1_TIME *t);
/* Serial number in lower-case hex, even number of digits. */
char *burin_serial_text(const ASN1_INTEGER *serial);
/* Bytes in lower-case hex. */
char *burin_hex(const unsigned char *bytes, size_t len);
/* Hex (colons and spaces allowed) to bytes; -1 when malformed or longer
 * than max. */
int burin_unhex(const char *hex, unsigned char *out, size_t max, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
