/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A subject as the extensions of a request, in one fixed order, so that the
 * same wishes give the same bytes.
 */

#include <openssl/err.h>

#include "internal.h"

/* The asked extension of a type, else the profile's, else NULL. */
static X509_EXTENSION *
find(const struct burin_subject *s, const ASN1_OBJECT *oid)
{
	int i;

	if ((i = csr_ext_find(s->asked, oid)) >= 0)
		return sk_X509_EXTENSION_value(s->asked, i);
	if ((i = csr_ext_find(s->defaults, oid)) >= 0)
		return sk_X509_EXTENSION_value(s->defaults, i);
	return NULL;
}

static int
push_copy(STACK_OF(X509_EXTENSION) * exts, const X509_EXTENSION *ext,
    struct burin_error *e)
{
	X509_EXTENSION *copy = X509_EXTENSION_dup(ext);

	if (copy == NULL || sk_X509_EXTENSION_push(exts, copy) <= 0) {
		X509_EXTENSION_free(copy);
		return burin_fail_memory(e);
	}
	return 0;
}

static int
push_given(STACK_OF(X509_EXTENSION) * exts, const struct burin_subject *s,
    int nid, struct burin_error *e)
{
	X509_EXTENSION *ext = find(s, OBJ_nid2obj(nid));

	return ext != NULL ? push_copy(exts, ext, e) : 0;
}

/* Without a DN the names are the subject: RFC 5280 section 4.2.1.6. */
static int
push_names(STACK_OF(X509_EXTENSION) * exts, const struct burin_subject *s,
    struct burin_error *e)
{
	int critical = s->san_critical || X509_NAME_entry_count(s->dn) == 0;

	if (sk_GENERAL_NAME_num(s->sans) == 0)
		return 0;
	return csr_ext_push(exts, NID_subject_alt_name, critical, s->sans, e);
}

/* Critical: RFC 6487 section 4.8.10. */
static int
push_resources(STACK_OF(X509_EXTENSION) * exts, const struct burin_subject *s,
    struct burin_error *e)
{
	if (s->prefixes == NULL)
		return push_given(exts, s, NID_sbgp_ipAddrBlock, e);
	/* False only after an adder was refused and the caller went on. */
	if (X509v3_addr_is_canonical(s->prefixes) != 1)
		return burin_fail_openssl(e, BURIN_EUSAGE, "prefix-malformed",
		    "the prefixes asked for overlap");
	return csr_ext_push(exts, NID_sbgp_ipAddrBlock, 1, s->prefixes, e);
}

/* RFC 5280 section 4.2.1.2 (1): SHA-1 of the public key's bits. */
static int
identifier(const X509_PUBKEY *spki, unsigned char id[BURIN_KEY_IDENTIFIER],
    struct burin_error *e)
{
	const unsigned char *bits;
	int n;

	if (X509_PUBKEY_get0_param(NULL, &bits, &n, NULL, spki) != 1 ||
	    EVP_Digest(bits, (size_t)n, id, NULL, EVP_sha1(), NULL) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "ski",
		    "the subject key identifier cannot be made");
	return 0;
}

int
burin_key_identifier(EVP_PKEY *pub, unsigned char id[BURIN_KEY_IDENTIFIER],
    struct burin_error *e)
{
	X509_PUBKEY *spki = NULL;
	int rc = -1;

	if (X509_PUBKEY_set(&spki, pub) != 1)
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "key-encode",
		    "the public key cannot be encoded");
	else
		rc = identifier(spki, id, e);
	X509_PUBKEY_free(spki);
	return rc;
}

static int
push_ski(STACK_OF(X509_EXTENSION) * exts, const struct burin_subject *s,
    const X509_PUBKEY *spki, struct burin_error *e)
{
	unsigned char id[BURIN_KEY_IDENTIFIER];
	ASN1_OCTET_STRING *ski = NULL;
	int rc = -1;

	if (find(s, OBJ_nid2obj(NID_subject_key_identifier)) != NULL)
		return push_given(exts, s, NID_subject_key_identifier, e);
	if (!s->ski)
		return 0;
	if (identifier(spki, id, e) == -1)
		return -1;
	if ((ski = ASN1_OCTET_STRING_new()) == NULL ||
	    ASN1_OCTET_STRING_set(ski, id, (int)sizeof(id)) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = csr_ext_push(exts, NID_subject_key_identifier, 0, ski, e);
out:
	ASN1_OCTET_STRING_free(ski);
	return rc;
}

/* What no fixed place is for; a default only when nobody asked. */
static int
push_others(STACK_OF(X509_EXTENSION) * exts,
    const STACK_OF(X509_EXTENSION) * given, struct burin_error *e)
{
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(given); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(given, i);

		if (csr_ext_find(exts, X509_EXTENSION_get_object(ext)) < 0 &&
		    push_copy(exts, ext, e) == -1)
			return -1;
	}
	return 0;
}

int
csr_subject_extensions(const struct burin_subject *s, const X509_PUBKEY *spki,
    STACK_OF(X509_EXTENSION) * *out, struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) * exts;

	*out = NULL;
	if ((exts = sk_X509_EXTENSION_new_null()) == NULL)
		return burin_fail_memory(e);
	if (push_given(exts, s, NID_key_usage, e) == -1 ||
	    (sk_ASN1_OBJECT_num(s->ekus) > 0 &&
		csr_ext_push(exts, NID_ext_key_usage, s->eku_critical, s->ekus,
		    e) == -1) ||
	    push_names(exts, s, e) == -1 || push_resources(exts, s, e) == -1 ||
	    push_ski(exts, s, spki, e) == -1 ||
	    push_others(exts, s->asked, e) == -1 ||
	    push_others(exts, s->defaults, e) == -1)
		goto fail;
	if (sk_X509_EXTENSION_num(exts) > BURIN_MAX_EXTENSIONS) {
		(void)burin_fail(e, BURIN_EUSAGE, "too-many-extensions",
		    "more than %d extensions are asked for",
		    BURIN_MAX_EXTENSIONS);
		goto fail;
	}
	*out = exts;
	return 0;
fail:
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return -1;
}
