/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is asked of an authority, and the request that says it: PKCS#10
 * (RFC 2986) with PKCS#9 attributes (RFC 2985). Pure functions: no I/O, no
 * token, no clock. A key is an EVP_PKEY, wherever it lives.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_REQUEST_H
#define BURIN_REQUEST_H

#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <burin/error.h>
#include <burin/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits; what exceeds one is refused with its name. */
#define BURIN_MAX_REQUEST 65536	  /* bytes of one DER request */
#define BURIN_MAX_SANS 64	  /* names in one subjectAltName */
#define BURIN_MAX_EXTENSIONS 32	  /* extensions in one request */
#define BURIN_MAX_ATTRIBUTES 16	  /* attributes in one PKCS#10 */
#define BURIN_MAX_NAME_ENTRIES 32 /* attributes in one DN */
#define BURIN_MAX_TEXT 1024	  /* bytes of one name or address */

/* --- what is asked ----------------------------------------------------- */

/*
 * An identity as it is asked for: DN, subject alternative names, extensions,
 * attributes. Built from what a user types; every adder checks its argument
 * and names what is wrong (BURIN_EUSAGE).
 */
struct burin_subject;

int burin_subject_new(struct burin_subject **out, struct burin_error *e);
void burin_subject_free(struct burin_subject **s);

/*
 * DN as "CN=Alice,O=Example" (RFC 4514 order of writing is kept as typed,
 * first RDN first in the encoding; "+" joins a multi-valued RDN; backslash
 * escapes) or "/CN=Alice/O=Example". Short names, long names or OIDs. UTF-8.
 * "" is the empty DN. Replaces an earlier one.
 */
int burin_subject_set_dn(
    struct burin_subject *s, const char *dn, struct burin_error *e);
/*
 * "email:a@b" rfc822Name, or SmtpUTF8Mailbox (RFC 8398) when the local part
 * is not ASCII; "dns:host"; "uri:URI" (IA5, absolute, RFC 5280 4.2.1.6);
 * "xmpp:user@host" otherName id-on-xmppAddr (RFC 6120 13.7.1.4); "ip:ADDR".
 * Twice the same name is one.
 */
int burin_subject_add_san(
    struct burin_subject *s, const char *san, struct burin_error *e);
/* EKU by OpenSSL name ("clientAuth"), our names ("imUri", "sendRouter",
 * "sendProxiedRouter", "sendOwner", "sendProxiedOwner", "sipDomain",
 * "bgpsecRouter") or dotted OID. */
int burin_subject_add_eku(
    struct burin_subject *s, const char *eku, struct burin_error *e);
/*
 * "keyUsage = critical,digitalSignature": openssl.cnf syntax. One of each;
 * subjectAltName and extendedKeyUsage join what the adders above gave. Goes
 * before what a profile asks for, whichever comes first.
 */
int burin_subject_add_ext(
    struct burin_subject *s, const char *line, struct burin_error *e);
/* IPv6 "2001:db8:7::/48" or "inherit", into ipAddrBlocks (RFC 3779). */
int burin_subject_add_prefix(
    struct burin_subject *s, const char *prefix, struct burin_error *e);
/* keyUsage, critical: comma list as in openssl.cnf; unless one was given. */
int burin_subject_default_key_usage(
    struct burin_subject *s, const char *usage, struct burin_error *e);
/* subjectKeyIdentifier in the request (RFC 5280 method 1). Default on. */
void burin_subject_set_ski(struct burin_subject *s, int on);
/*
 * PKCS#9 attributes (RFC 2985 section 5.4): challengePassword, and
 * unstructuredName "unstructuredName=TEXT", unstructuredAddress,
 * postalAddress, "1.2.3=TEXT" (UTF8String) in the form NAME=TEXT.
 */
int burin_subject_set_challenge(struct burin_subject *s,
    const struct burin_secret *challenge, struct burin_error *e);
int burin_subject_add_attribute(
    struct burin_subject *s, const char *line, struct burin_error *e);

/* --- PKCS#10 ----------------------------------------------------------- */

/*
 * Builds and signs: version 0, DN, public key pub (software), attributes,
 * extensionRequest in a fixed order (so that equal input gives equal
 * to-be-signed bytes), signature by key. md_name NULL: by key type (SHA-256;
 * SHA-384 for P-384, SHA-512 for P-521; none for EdDSA). The signature is
 * verified in software before it is returned. A key type that cannot sign
 * is BURIN_EUSAGE "key-cannot-sign" with the way out. *der is
 * OPENSSL_free'd by the caller.
 */
int burin_pkcs10_make(const struct burin_subject *s, EVP_PKEY *pub,
    EVP_PKEY *key, const char *md_name, unsigned char **der, size_t *der_len,
    struct burin_error *e);

/*
 * Reads a request from a peer or a file: DER, or one PEM block. Strict:
 * limits above, no trailing bytes, version 0, one extensionRequest with one
 * value, no extension twice, no attribute twice. status is used for every
 * refusal (BURIN_EAUTHORITY's peer, BURIN_ECHECK...). Free with
 * X509_REQ_free.
 */
int burin_pkcs10_parse(const void *data, size_t len, enum burin_status status,
    X509_REQ **out, struct burin_error *e);
/* Proof of possession: the self signature (RFC 2986 section 4.2). */
int burin_pkcs10_verify_pop(
    X509_REQ *req, enum burin_status status, struct burin_error *e);

/* --- what was asked, out of any kind of request -------------------------- */

/*
 * What a request asks for; a certificate is held against it
 * (burin_check_cert). burin_asked_clear frees what is in it.
 */
struct burin_asked {
	X509_NAME *subject;
	EVP_PKEY *pub;
	STACK_OF(X509_EXTENSION) * extensions; /* NULL: none */
};
/*
 * From DER: a PKCS#10, a CertReqMsg or CertReqMessages (RFC 4211), a
 * reqSequence of CMC (RFC 10002 section 3.2.1), or a whole Full request that
 * we made (before it was encrypted); of several, the one for pub (NULL: there
 * is but one). Names that it wants by changeSubjectName (RFC 6402 section 2.8)
 * are the ones asked for. Its protection is not looked at: it is our own.
 */
int burin_asked_parse(const void *data, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e);
void burin_asked_clear(struct burin_asked *a);

#define BURIN_KEY_IDENTIFIER 20 /* bytes */
/* RFC 5280 section 4.2.1.2 (1): SHA-1 of the public key's bits. */
int burin_key_identifier(EVP_PKEY *pub, unsigned char id[BURIN_KEY_IDENTIFIER],
    struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
