/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of csr/ share about subjects, names, extensions and
 * profiles.
 */

#ifndef CSR_INTERNAL_H
#define CSR_INTERNAL_H

#include <stddef.h>

#include <openssl/conf.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <burin/request.h>

/* Printed for a byte that is no clean text: U+FFFD and two hex digits. */
#define CSR_BAD_BYTE "\xef\xbf\xbd"

#define CSR_MAX_CONF 65536 /* bytes of a configuration */
#define CSR_MAX_EKUS 32	   /* purposes in one extendedKeyUsage */

/* Types of string in a DN, as a mask of OpenSSL's B_ASN1_ bits. */
#define CSR_DN_STRINGS                                                        \
	((B_ASN1_DIRECTORYSTRING) | B_ASN1_IA5STRING | B_ASN1_NUMERICSTRING | \
	    B_ASN1_VISIBLESTRING | B_ASN1_GENERALSTRING)

/*
 * An identity as it is asked for. asked holds the extensions somebody named;
 * defaults those of a profile, each of which gives way to an asked one of its
 * type, whatever came first.
 */
struct burin_subject {
	X509_NAME *dn;
	GENERAL_NAMES *sans;
	int san_critical;
	EXTENDED_KEY_USAGE *ekus;
	int eku_critical;
	IPAddrBlocks *prefixes;
	STACK_OF(X509_EXTENSION) * asked;
	STACK_OF(X509_EXTENSION) * defaults;
	STACK_OF(X509_ATTRIBUTE) * attributes;
	struct burin_secret *challenge;
	int ski;
};

/* --- text: a growing NUL-terminated string that remembers failure ------- */

struct csr_text {
	char *s;
	size_t len;
	size_t size;
	int failed;
};

void csr_text_add(struct csr_text *t, const char *s, size_t len);
void csr_text_puts(struct csr_text *t, const char *s);
/* One byte as two lower-case hex digits. */
void csr_text_hex(struct csr_text *t, unsigned char byte);
/*
 * Somebody else's text: what is not safe to show (in ascii, not ASCII) is
 * CSR_BAD_BYTE and its two hex digits.
 */
void csr_text_clean(struct csr_text *t, const char *s, size_t len, int ascii);
/* Hands the string over, to be free()d; NULL when memory ran out. */
char *csr_text_take(struct csr_text *t);

/*
 * Length of the UTF-8 character at s that may be shown to people, 0 when it
 * is a control, changes the direction of writing, or is no UTF-8.
 */
size_t csr_clean_char(const unsigned char *s, size_t len);
/* 1 when all of s is such characters. */
int csr_is_clean(const char *s, size_t len);
/* 1 when all of s is UTF-8, safe to show or not. */
int csr_is_utf8(const char *s, size_t len);
/* 1 when all of s is ASCII. */
int csr_is_ascii(const char *s, size_t len);

/* --- names -------------------------------------------------------------- */

int csr_dn_parse(const char *text, X509_NAME **out, struct burin_error *e);
/* One attribute of UTF-8 text; NULL when OpenSSL does not take it. */
X509_NAME_ENTRY *csr_dn_entry(
    const ASN1_OBJECT *oid, const unsigned char *value, int len);
/* "email:a@b" to a GeneralName; GENERAL_NAME_free. */
int csr_san_parse(const char *text, GENERAL_NAME **out, struct burin_error *e);
/*
 * Why a name is not to be taken, from whomever; NULL when it is sound. Goes
 * behind "the name".
 */
const char *csr_dn_flaw(const X509_NAME *dn);
const char *csr_name_flaw(const GENERAL_NAME *name);
/* 1 when s is a DNS host name of ASCII labels (RFC 1034 section 3.5). */
int csr_is_host(const char *s, size_t len);
/* The value of the EKU text; ASN1_OBJECT_free. */
int csr_eku_parse(const char *text, ASN1_OBJECT **out, struct burin_error *e);

/* --- extensions --------------------------------------------------------- */

/*
 * A configuration out of memory. Variables, directives and NUL bytes are
 * refused: the text is data. what and code word the refusal, *at (may be
 * NULL) is the line of it, 0: none. NCONF_free.
 */
int csr_conf_parse(const char *text, size_t len, const char *what,
    const char *code, CONF **out, long *at, struct burin_error *e);
/*
 * One extension from openssl.cnf syntax; extendedKeyUsage knows our names
 * too. ctx may be NULL: then nothing of an issuer or a key can be used.
 * X509_EXTENSION_free.
 */
int csr_ext_make(CONF *conf, X509V3_CTX *ctx, const char *name,
    const char *value, X509_EXTENSION **out, struct burin_error *e);
/* 1 when the value of ext is one well-formed object of its type. */
int csr_ext_is_whole(X509_EXTENSION *ext);
/* Index in exts of an extension of type oid, -1 when there is none. */
int csr_ext_find(const STACK_OF(X509_EXTENSION) * exts, const ASN1_OBJECT *oid);
/* Encodes value and pushes it. */
int csr_ext_push(STACK_OF(X509_EXTENSION) * exts, int nid, int critical,
    void *value, struct burin_error *e);

/* As burin_subject_add_ext, out of a configuration; is_default: a profile's. */
int csr_subject_put_ext(struct burin_subject *s, CONF *conf, const char *name,
    const char *value, int is_default, struct burin_error *e);
/* Takes name over, also when it fails. */
int csr_subject_put_name(
    struct burin_subject *s, GENERAL_NAME *name, struct burin_error *e);
/* Takes attr over, also when it fails; what names it in errors. */
int csr_subject_put_attribute(struct burin_subject *s, X509_ATTRIBUTE *attr,
    const char *what, struct burin_error *e);
/*
 * A subject like s with one attribute more (NULL: none) for a moment: all in
 * it is borrowed but the list, which sk_X509_ATTRIBUTE_free frees.
 */
int csr_subject_with(const struct burin_subject *s, X509_ATTRIBUTE *attr,
    struct burin_subject *out, struct burin_error *e);
/*
 * Everything asked for as extensions, in a fixed order: keyUsage,
 * extendedKeyUsage, subjectAltName, ipAddrBlocks, subjectKeyIdentifier of
 * spki, then the others as they were given. May be an empty list.
 */
int csr_subject_extensions(const struct burin_subject *s,
    const X509_PUBKEY *spki, STACK_OF(X509_EXTENSION) * *out,
    struct burin_error *e);

/* --- certificates -------------------------------------------------------- */

/* 1 when cert is among certs; leaves OpenSSL's error queue as it was. */
int csr_certs_have(STACK_OF(X509) * certs, X509 *cert);

/* --- what others ask for ------------------------------------------------ */

/* "request-malformed": "the request" and why, with its rule. -1. */
int csr_request_malformed(struct burin_error *e, enum burin_status status,
    const char *rule, const char *why);
/* "request-malformed" when the name (field: "subject") has a flaw. */
int csr_check_dn(const X509_NAME *dn, const char *field,
    enum burin_status status, struct burin_error *e);
/*
 * Extensions that are asked for: some and not too many, none twice, each
 * well formed, the names sound; else "request-malformed".
 */
int csr_check_asked(const STACK_OF(X509_EXTENSION) * exts,
    enum burin_status status, struct burin_error *e);

/* --- attributes --------------------------------------------------------- */

int csr_attribute_parse(
    const char *line, X509_ATTRIBUTE **out, struct burin_error *e);
/* Of this dotted type; value is a string or a SEQUENCE. */
int csr_attribute_make(const char *oid, const ASN1_TYPE *value,
    X509_ATTRIBUTE **out, struct burin_error *e);
int csr_challenge_make(const struct burin_secret *challenge,
    X509_ATTRIBUTE **out, struct burin_error *e);
/* Frees attr and zeroes its value. */
void csr_attribute_wipe(X509_ATTRIBUTE *attr);

#endif
