/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: the extensions of a certificate that is issued. First what is
 * copied from the request, then the lines of [certificate] in their order; a
 * line whose extension was copied is the fallback and not used.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "internal.h"
#include "profile.h"

/* What makes an authority of somebody is never a requester's to choose. */
static const int never_copied[] = { NID_basic_constraints, NID_name_constraints,
	NID_policy_constraints, NID_inhibit_any_policy, NID_policy_mappings,
	NID_authority_key_identifier, NID_proxyCertInfo, NID_undef };

ASN1_OBJECT *
csr_profile_type(const char *name)
{
	ASN1_OBJECT *oid;

	(void)ERR_set_mark();
	oid = OBJ_txt2obj(name, 0);
	(void)ERR_pop_to_mark();
	return oid;
}

static int
is_never_copied(int nid)
{
	size_t i;

	for (i = 0; never_copied[i] != NID_undef; i++) {
		if (never_copied[i] == nid)
			return 1;
	}
	return 0;
}

static int
check_copy(const struct burin_profile *p, struct burin_error *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && p->copy[i] != NULL; i++) {
		ASN1_OBJECT *oid = csr_profile_type(p->copy[i]);
		int nid = oid != NULL ? OBJ_obj2nid(oid) : NID_undef;

		if (oid == NULL)
			rc = csr_profile_flaw(p, e, CERTIFICATE_SECTION, "copy",
			    "copies an unknown extension \"%.60s\"",
			    p->copy[i]);
		else if (is_never_copied(nid))
			rc = csr_profile_flaw(p, e, CERTIFICATE_SECTION, "copy",
			    "copies %s, which is the authority's to decide",
			    p->copy[i]);
		ASN1_OBJECT_free(oid);
	}
	return rc;
}

int
csr_profile_is_own_key(const char *name)
{
	return strcmp(name, "days") == 0 || strcmp(name, "copy") == 0;
}

/* Stands for the URL while a profile is looked at. */
#define SAMPLE_BASE "https://base.invalid"

/*
 * What of a URL does not end it, or begin something else, in a line of
 * x509v3_config(5).
 */
int
burin_url_check(const char *base, struct burin_error *e)
{
	if ((strncmp(base, "http://", 7) == 0 ||
		strncmp(base, "https://", 8) == 0) &&
	    strlen(base) <= BURIN_MAX_TEXT &&
	    strspn(base,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789:/.-_~%[]") == strlen(base))
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "url-malformed",
	    "'%.200s' is no URL of an authority: http or https, host, path",
	    base);
}

/*
 * value with base for every {base}: free(). *out NULL when the line has to be
 * left out.
 */
static int
put_base(const char *value, const char *base, char **out, struct burin_error *e)
{
	struct csr_text t = { 0 };
	const char *at;

	*out = NULL;
	if (base == NULL && strstr(value, CSR_BASE) != NULL)
		return 0;
	if (base != NULL && burin_url_check(base, e) == -1)
		return -1;
	for (; (at = strstr(value, CSR_BASE)) != NULL;
	     value = at + strlen(CSR_BASE)) {
		csr_text_add(&t, value, (size_t)(at - value));
		csr_text_puts(&t, base);
	}
	csr_text_puts(&t, value);
	return (*out = csr_text_take(&t)) != NULL ? 0 : burin_fail_memory(e);
}

/* One line as an extension; *ext NULL: left out. */
static int
make_line(const struct burin_profile *p, X509V3_CTX *ctx,
    const CONF_VALUE *line, const char *base, X509_EXTENSION **ext,
    struct burin_error *e)
{
	char *value;
	int rc = 0;

	*ext = NULL;
	if (put_base(line->value, base, &value, e) == -1)
		return -1;
	if (value != NULL)
		rc = csr_ext_make(p->conf, ctx, line->name, value, ext, e);
	free(value);
	if (rc == -1)
		return burin_error_cause(e,
		    "in [certificate] of the profile %s",
		    p->name != NULL ? p->name : "");
	return 0;
}

/* Takes ext over. */
static int
push_given(STACK_OF(X509_EXTENSION) * given, X509_EXTENSION *ext,
    struct burin_error *e)
{
	if (sk_X509_EXTENSION_push(given, ext) > 0)
		return 0;
	X509_EXTENSION_free(ext);
	return burin_fail_memory(e);
}

int
csr_profile_check_issue(const struct burin_profile *p,
    STACK_OF(X509_EXTENSION) * given, struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, CERTIFICATE_SECTION);
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int i, rc;

	/* Without an issuer and a key: "hash" and "keyid" are taken. */
	X509V3_set_ctx_test(&ctx);
	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const CONF_VALUE *line = sk_CONF_VALUE_value(lines, i);

		if (csr_profile_is_own_key(line->name))
			continue;
		if (make_line(p, &ctx, line, SAMPLE_BASE, &ext, e) == 0)
			rc = push_given(given, ext, e);
		else
			rc = csr_profile_note(
			    p, e, CERTIFICATE_SECTION, line->name);
		if (rc == -1)
			return -1;
	}
	return check_copy(p, e);
}

static int
refuse_request(const struct burin_profile *p, struct burin_error *e,
    const char *code, const char *why, const char *rule)
{
	(void)burin_fail_openssl(e, BURIN_EAUTHORITY, code,
	    "profile %s: the request %s", p->name, why);
	return burin_error_rule(e, "%s", rule);
}

/* A keyUsage that signs certificates or lists makes an authority. */
static int
asks_to_be_ca(X509_EXTENSION *ext)
{
	ASN1_BIT_STRING *ku = X509V3_EXT_d2i(ext);
	int asks;

	asks = ku == NULL || ASN1_BIT_STRING_get_bit(ku, 5) ||
	    ASN1_BIT_STRING_get_bit(ku, 6);
	ASN1_BIT_STRING_free(ku);
	return asks;
}

/* Purposes that others trust on the authority's behalf. */
static int
asks_to_vouch(X509_EXTENSION *ext)
{
	EXTENDED_KEY_USAGE *ekus = X509V3_EXT_d2i(ext);
	int i, asks = ekus == NULL;

	for (i = 0; i < sk_ASN1_OBJECT_num(ekus) && !asks; i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(ekus, i));

		asks = nid == NID_OCSP_sign || nid == NID_time_stamp ||
		    nid == NID_cmcCA || nid == NID_cmcRA ||
		    nid == NID_cmcArchive || nid == NID_anyExtendedKeyUsage;
	}
	EXTENDED_KEY_USAGE_free(ekus);
	return asks;
}

static int
check_copied(
    const struct burin_profile *p, X509_EXTENSION *ext, struct burin_error *e)
{
	switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
	case NID_key_usage:
		if (asks_to_be_ca(ext))
			return refuse_request(p, e, "usage-refused",
			    "asks for the key usage of an authority",
			    "RFC 5280 section 4.2.1.3");
		break;
	case NID_ext_key_usage:
		if (asks_to_vouch(ext))
			return refuse_request(p, e, "usage-refused",
			    "asks for a purpose that only the authority "
			    "gives (OCSP, time stamps, CMC, any)",
			    "RFC 5280 section 4.2.1.12");
		break;
	default:
		break;
	}
	if (csr_ext_is_whole(ext))
		return 0;
	return refuse_request(p, e, "request-malformed",
	    "has an extension that is not well formed", "RFC 5280 section 4.2");
}

/* RFC 5280 section 4.2.1.6, RFC 6487 section 4.8.10. */
static int
must_be_critical(X509_EXTENSION *ext, const X509 *cert)
{
	switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
	case NID_subject_alt_name:
		return X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;
	case NID_sbgp_ipAddrBlock:
	case NID_sbgp_autonomousSysNum:
		return 1;
	default:
		return 0;
	}
}

/*
 * Adds a copy of ext unless cert has one of its type.
 */
static int
add_ext(X509 *cert, X509_EXTENSION *ext, struct burin_error *e)
{
	const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
	X509_EXTENSION *copy;
	int rc = -1;

	if (X509_get_ext_by_OBJ(cert, oid, -1) >= 0)
		return 0;
	if ((copy = X509_EXTENSION_dup(ext)) == NULL)
		return burin_fail_memory(e);
	if (must_be_critical(copy, cert))
		(void)X509_EXTENSION_set_critical(copy, 1);
	if (X509_add_ext(cert, copy, -1) == 1)
		rc = 0;
	else
		(void)burin_fail_memory(e);
	X509_EXTENSION_free(copy);
	return rc;
}

static int
copy_from(const struct burin_profile *p, const STACK_OF(X509_EXTENSION) * asked,
    X509 *cert, struct burin_error *e)
{
	size_t i;
	int at, rc;

	for (i = 0; p->copy[i] != NULL; i++) {
		ASN1_OBJECT *oid = csr_profile_type(p->copy[i]);
		X509_EXTENSION *ext;

		if (oid == NULL)
			return burin_fail_memory(e);
		at = csr_ext_find(asked, oid);
		ASN1_OBJECT_free(oid);
		if (at < 0)
			continue;
		ext = sk_X509_EXTENSION_value(asked, at);
		rc = check_copied(p, ext, e);
		if (rc == 0)
			rc = add_ext(cert, ext, e);
		if (rc == -1)
			return -1;
	}
	return 0;
}

static int
add_lines(const struct burin_profile *p, X509V3_CTX *ctx, const char *base,
    X509 *cert, struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, CERTIFICATE_SECTION);
	X509_EXTENSION *ext;
	int i, rc;

	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const CONF_VALUE *line = sk_CONF_VALUE_value(lines, i);

		if (csr_profile_is_own_key(line->name))
			continue;
		if (make_line(p, ctx, line, base, &ext, e) == -1)
			return -1;
		rc = ext != NULL ? add_ext(cert, ext, e) : 0;
		X509_EXTENSION_free(ext);
		if (rc == -1)
			return -1;
	}
	return 0;
}

int
burin_profile_extensions(const struct burin_profile *p,
    const struct burin_asked *asked, X509 *issuer, const char *base, X509 *cert,
    struct burin_error *e)
{
	X509V3_CTX ctx;

	if (!p->has_certificate)
		return csr_profile_refuse(p, e,
		    "has no section [certificate]: nothing is issued with it");
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (copy_from(p, asked->extensions, cert, e) == -1 ||
	    add_lines(p, &ctx, base, cert, e) == -1)
		return -1;
	if (X509_NAME_entry_count(X509_get_subject_name(cert)) == 0 &&
	    X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) < 0)
		return refuse_request(p, e, "identity-missing",
		    "has neither a subject nor an alternative name that the "
		    "certificate could bear",
		    "RFC 5280 sections 4.1.2.6 and 4.2.1.6");
	return 0;
}
