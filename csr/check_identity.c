/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * G4: the certificate names whom the request named, RFC 5280 sections
 * 4.1.2.6 and 4.2.1.6. An authority may change a name; the user must hear of
 * it, and another identity is never accepted.
 *
 * Names asked for that are missing, and other names of a kind that was asked
 * for: somebody else, FAIL. Names of further kinds, and another DN beside
 * the names asked for: WARN. Without names, the DN is the identity: WARN
 * when attributes of further types were added to it, else FAIL.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include <burin/names.h>

#include "check.h"

static int
same_text(const ASN1_IA5STRING *a, const ASN1_IA5STRING *b, int from)
{
	int n = ASN1_STRING_length(a);

	return n == ASN1_STRING_length(b) && from <= n &&
	    memcmp(ASN1_STRING_get0_data(a), ASN1_STRING_get0_data(b),
		(size_t)from) == 0 &&
	    OPENSSL_strncasecmp((const char *)ASN1_STRING_get0_data(a) + from,
		(const char *)ASN1_STRING_get0_data(b) + from,
		(size_t)(n - from)) == 0;
}

/* Bytes before the domain of a mailbox: the local part keeps its case. */
static int
local_part(const ASN1_IA5STRING *mailbox)
{
	const unsigned char *s = ASN1_STRING_get0_data(mailbox);
	int n = ASN1_STRING_length(mailbox);

	while (n > 0 && s[n - 1] != '@')
		n--;
	return n;
}

/* As RFC 5280 section 7 compares them: domains without case. */
static int
same_name(const GENERAL_NAME *a, const GENERAL_NAME *b)
{
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case GEN_DNS:
		return same_text(a->d.dNSName, b->d.dNSName, 0);
	case GEN_EMAIL:
		return same_text(a->d.rfc822Name, b->d.rfc822Name,
		    local_part(a->d.rfc822Name));
	default:
		return GENERAL_NAME_cmp((GENERAL_NAME *)(uintptr_t)a,
			   (GENERAL_NAME *)(uintptr_t)b) == 0;
	}
}

static int
same_kind(const GENERAL_NAME *a, const GENERAL_NAME *b)
{
	if (a->type != b->type)
		return 0;
	return a->type != GEN_OTHERNAME ||
	    OBJ_cmp(a->d.otherName->type_id, b->d.otherName->type_id) == 0;
}

typedef int (*name_test)(const GENERAL_NAME *, const GENERAL_NAME *);

static int
is_among(const GENERAL_NAMES *names, const GENERAL_NAME *name, name_test test)
{
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (test(sk_GENERAL_NAME_value(names, i), name))
			return 1;
	}
	return 0;
}

static void
say_name(struct burin_check *c, enum burin_check_level level, const char *what,
    const GENERAL_NAME *name)
{
	char *text = burin_san_text(name);

	csr_check_set(
	    c, level, "%s%.160s", what, text != NULL ? text : "a name");
	free(text);
}

static void
judge_names(
    struct burin_check *c, const GENERAL_NAMES *asked, const GENERAL_NAMES *got)
{
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(asked); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(asked, i);

		if (!is_among(got, name, same_name))
			say_name(c, BURIN_FAIL, "asked for, not there: ", name);
	}
	for (i = 0; i < sk_GENERAL_NAME_num(got); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(got, i);

		if (is_among(asked, name, same_name))
			continue;
		say_name(c,
		    is_among(asked, name, same_kind) ? BURIN_FAIL : BURIN_WARN,
		    "there, not asked for: ", name);
	}
}

static int
same_value(const X509_NAME_ENTRY *a, const X509_NAME_ENTRY *b)
{
	X509_NAME *one = X509_NAME_new(), *two = X509_NAME_new();
	int same;

	/* One-entry names: X509_NAME_cmp knows case and blanks (7.1). */
	same = one != NULL && two != NULL &&
	    X509_NAME_add_entry(one, a, -1, 0) == 1 &&
	    X509_NAME_add_entry(two, b, -1, 0) == 1 &&
	    X509_NAME_cmp(one, two) == 0;
	X509_NAME_free(one);
	X509_NAME_free(two);
	return same;
}

/* 1 same value, 0 only others of its type, -1 none of its type. */
static int
find_entry(const X509_NAME *name, const X509_NAME_ENTRY *entry)
{
	const ASN1_OBJECT *oid = X509_NAME_ENTRY_get_object(entry);
	int i = -1, found = -1;

	while ((i = X509_NAME_get_index_by_OBJ(name, oid, i)) >= 0) {
		if (same_value(X509_NAME_get_entry(name, i), entry))
			return 1;
		found = 0;
	}
	return found;
}

/* 1 when got is asked with attributes of further types. */
static int
is_extended(const X509_NAME *asked, const X509_NAME *got)
{
	int i;

	for (i = 0; i < X509_NAME_entry_count(asked); i++) {
		if (find_entry(got, X509_NAME_get_entry(asked, i)) != 1)
			return 0;
	}
	for (i = 0; i < X509_NAME_entry_count(got); i++) {
		if (find_entry(asked, X509_NAME_get_entry(got, i)) == 0)
			return 0;
	}
	return 1;
}

static void
judge_dn(struct burin_check *c, const X509_NAME *asked, const X509_NAME *got,
    int has_names)
{
	char *was, *is;
	enum burin_check_level level = BURIN_FAIL;

	if (X509_NAME_cmp(asked, got) == 0)
		return;
	/* A request that names nobody leaves the choice to the authority. */
	if (has_names || X509_NAME_entry_count(asked) == 0 ||
	    is_extended(asked, got))
		level = BURIN_WARN;
	was = burin_dn_text(asked);
	is = burin_dn_text(got);
	csr_check_set(c, level, "subject is \"%.100s\", \"%.100s\" was asked",
	    is != NULL ? is : "", was != NULL ? was : "");
	free(was);
	free(is);
}

/*
 * The subjectAltName among exts, NULL when there is none. -1 when there are
 * two or it cannot be decoded.
 */
static int
get_names(const STACK_OF(X509_EXTENSION) * exts, GENERAL_NAMES **names)
{
	int critical;

	*names = X509V3_get_d2i(exts, NID_subject_alt_name, &critical, NULL);
	return *names == NULL && critical != -1 ? -1 : 0;
}

int
csr_check_identity(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	GENERAL_NAMES *asked = NULL, *got = NULL;

	(void)e;
	if (in->asked == NULL) {
		csr_check_set(c, BURIN_SKIP, "no request to compare with");
		return 0;
	}
	if (get_names(in->asked->extensions, &asked) == -1) {
		csr_check_set(c, BURIN_FAIL,
		    "the request's subjectAltName is not well formed");
		goto out;
	}
	if (get_names(X509_get0_extensions(in->cert), &got) == -1) {
		csr_check_set(c, BURIN_FAIL,
		    "the certificate's subjectAltName is not well formed");
		goto out;
	}
	judge_names(c, asked, got);
	judge_dn(c, in->asked->subject, X509_get_subject_name(in->cert),
	    sk_GENERAL_NAME_num(asked) > 0);
	if (c->detail[0] == '\0')
		csr_check_set(c, BURIN_PASS, "as asked");
out:
	GENERAL_NAMES_free(asked);
	GENERAL_NAMES_free(got);
	return 0;
}
