/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks G1 to G8 of docs/checks.md: what must hold before a
 * certificate is written to a token. Here the table, the verdict and the
 * short ones; path, identity and usages have files of their own.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "attest.h"
#include "check.h"

/* One row of the table: what is checked, by which rule, what to do. */
struct row {
	const char *id;
	const char *title;
	const char *rule;
	const char *advice;
	int (*judge)(const struct burin_check_input *in, struct burin_check *c,
	    struct burin_error *e);
};

static int
check_key(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	EVP_PKEY *key;

	(void)e;
	if (in->pub == NULL) {
		csr_check_set(c, BURIN_SKIP, "no key to compare with");
		return 0;
	}
	if ((key = X509_get0_pubkey(in->cert)) == NULL)
		csr_check_set(c, BURIN_FAIL,
		    "the certificate's public key cannot be decoded");
	else if (EVP_PKEY_eq(key, in->pub) != 1)
		csr_check_set(
		    c, BURIN_FAIL, "the certificate is for another key");
	else
		csr_check_set(c, BURIN_PASS, "same key");
	return 0;
}

static int
check_time(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	const ASN1_TIME *before = X509_get0_notBefore(in->cert);
	const ASN1_TIME *after = X509_get0_notAfter(in->cert);
	time_t now = in->now, limit = in->now + in->skew;
	int begun, left;

	(void)e;
	begun = X509_cmp_time(before, &limit);
	left = X509_cmp_time(after, &now);
	if (begun == 0 || left == 0)
		csr_check_set(
		    c, BURIN_FAIL, "the validity times are not well formed");
	else if (left < 0)
		csr_check_set(c, BURIN_FAIL, "the certificate has expired");
	else if (begun > 0)
		csr_check_set(
		    c, BURIN_FAIL, "the certificate is not yet valid");
	else if (ASN1_TIME_compare(before, after) >= 0)
		csr_check_set(c, BURIN_FAIL, "it ends before it begins");
	else
		csr_check_set(c, BURIN_PASS, "valid now");
	return 0;
}

/* 1 when an extension of the same type stands before number i. */
static int
is_repeated(const X509 *cert, int i)
{
	const ASN1_OBJECT *oid =
	    X509_EXTENSION_get_object(X509_get_ext(cert, i));

	return X509_get_ext_by_OBJ(cert, oid, -1) < i;
}

static int
check_critical(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	int i, n = X509_get_ext_count(in->cert);
	char oid[80];

	(void)e;
	for (i = 0; i < n && c->level != BURIN_FAIL; i++) {
		X509_EXTENSION *ext = X509_get_ext(in->cert, i);

		(void)OBJ_obj2txt(
		    oid, sizeof(oid), X509_EXTENSION_get_object(ext), 0);
		if (is_repeated(in->cert, i))
			csr_check_set(c, BURIN_FAIL,
			    "the extension %s is there twice", oid);
		else if (X509_EXTENSION_get_critical(ext) &&
		    !X509_supported_extension(ext))
			csr_check_set(c, BURIN_FAIL,
			    "the extension %s is critical and unknown", oid);
	}
	if ((X509_get_extension_flags(in->cert) & EXFLAG_INVALID) != 0)
		csr_check_set(c, BURIN_FAIL, "an extension is not well formed");
	csr_check_set(c, BURIN_PASS, "none unknown");
	return 0;
}

/* RFC 5280 section 4.2.1.2 (1). */
static int
is_sha1_of_key(const X509 *cert, const unsigned char *id, size_t len)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	return X509_pubkey_digest(cert, EVP_sha1(), md, &n) == 1 && n == len &&
	    memcmp(md, id, len) == 0;
}

static int
check_id(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	const ASN1_OCTET_STRING *ski;

	(void)e;
	if (in->key_id == NULL) {
		csr_check_set(c, BURIN_SKIP, "no CKA_ID to compare with");
		return 0;
	}
	ski = X509_get0_subject_key_id(in->cert);
	if (ski != NULL) {
		if ((size_t)ASN1_STRING_length(ski) == in->key_id_len &&
		    memcmp(ASN1_STRING_get0_data(ski), in->key_id,
			in->key_id_len) == 0)
			csr_check_set(c, BURIN_PASS,
			    "CKA_ID is the subject key identifier");
		else
			csr_check_set(c, BURIN_WARN,
			    "CKA_ID is not the subject key identifier");
	} else if (is_sha1_of_key(in->cert, in->key_id, in->key_id_len)) {
		csr_check_set(c, BURIN_PASS,
		    "CKA_ID is the hash of the key; the certificate has no "
		    "subject key identifier");
	} else {
		csr_check_set(c, BURIN_WARN,
		    "the certificate has no subject key identifier and "
		    "CKA_ID is not the hash of the key");
	}
	return 0;
}

static const struct row rows[] = {
	{ "G1", "public key is the token's", "RFC 5280 section 4.1.2.7",
	    "this certificate belongs to another key or request: ask the "
	    "authority for the right one",
	    check_key },
	{ "G2", "signature and path to the anchor",
	    "RFC 5280 section 6.1, RFC 3779 section 2.3",
	    "give the anchor and the intermediate certificates of the "
	    "authority that was meant (--trust), or ask it what went wrong",
	    NULL },
	{ "G3", "valid now", "RFC 5280 section 4.1.2.5",
	    "look at this machine's clock, then at the authority's",
	    check_time },
	{ "G4", "identity as asked", "RFC 5280 sections 4.1.2.6 and 4.2.1.6",
	    "do not hand this token out: the authority certified somebody "
	    "else. Ask it, or make the request as its policy wants it",
	    csr_check_identity },
	{ "G5", "usages as asked",
	    "RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12",
	    "the authority's profile differs from the one asked for: agree "
	    "on one with it",
	    csr_check_usages },
	{ "G6", "every critical extension is known", "RFC 5280 section 4.2",
	    "software must refuse this certificate: ask the authority for "
	    "one without that extension",
	    check_critical },
	{ "G7", "key usage fits the token key", "RFC 5280 section 4.2.1.3",
	    "make a key with the usage that the certificate is for",
	    csr_check_key_usage },
	{ "G8", "CKA_ID is the subject key identifier",
	    "RFC 5280 section 4.2.1.2",
	    "some programs will not find the pair by itself: name it by URI",
	    check_id },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(N_ROWS <= BURIN_MAX_CHECKS, "more checks than fit");

/* How bad a level is; BURIN_SKIP stands last in the enum. */
static int
badness(enum burin_check_level level)
{
	return level == BURIN_SKIP ? -1 : (int)level;
}

void
csr_check_set(
    struct burin_check *c, enum burin_check_level level, const char *fmt, ...)
{
	va_list ap;

	if (c->detail[0] != '\0' && badness(level) <= badness(c->level))
		return;
	c->level = level;
	va_start(ap, fmt);
	(void)vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
}

int
burin_check_cert(const struct burin_check_input *in, struct burin_checks *out,
    STACK_OF(X509) * *chain, struct burin_error *e)
{
	size_t i;
	int rc;

	memset(out, 0, sizeof(*out));
	if (chain != NULL)
		*chain = NULL;
	/* Reads the extensions once: every later look is at the result. */
	(void)X509_check_purpose(in->cert, -1, 0);
	for (i = 0; i < N_ROWS; i++) {
		struct burin_check *c = &out->list[out->n++];

		c->id = rows[i].id;
		c->title = rows[i].title;
		c->rule = rows[i].rule;
		rc = rows[i].judge != NULL ? rows[i].judge(in, c, e)
					   : csr_check_path(in, c, chain, e);
		/* What OpenSSL said on the way is in the detail. */
		ERR_clear_error();
		if (rc == -1) {
			if (chain != NULL) {
				sk_X509_pop_free(*chain, X509_free);
				*chain = NULL;
			}
			return -1;
		}
	}
	return 0;
}

static const char *
advice_for(const char *id)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].id, id) == 0)
			return rows[i].advice;
	}
	return csr_attest_advice(id);
}

int
burin_checks_verdict(const struct burin_checks *checks,
    enum burin_status status, struct burin_error *e)
{
	char code[BURIN_ERROR_WORD];
	size_t i;

	for (i = 0; i < checks->n; i++) {
		const struct burin_check *c = &checks->list[i];

		if (c->level != BURIN_FAIL)
			continue;
		(void)snprintf(code, sizeof(code), "check-%s", c->id);
		(void)burin_fail(
		    e, status, code, "%s (%s): %s", c->title, c->id, c->detail);
		(void)burin_error_rule(e, "%s", c->rule);
		return burin_error_advice(e, "%s", advice_for(c->id));
	}
	return 0;
}

const char *
burin_check_level_name(enum burin_check_level level)
{
	switch (level) {
	case BURIN_PASS:
		return "pass";
	case BURIN_WARN:
		return "warn";
	case BURIN_FAIL:
		return "fail";
	case BURIN_SKIP:
		return "skip";
	}
	return "unknown";
}
