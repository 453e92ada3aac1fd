/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An identity as it is asked for. Names and purposes from every source join
 * one list; of any other extension there is one, and what the user asks for
 * goes before what a profile proposes.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"

#define SECTION "ext"

int
burin_subject_new(struct burin_subject **out, struct burin_error *e)
{
	struct burin_subject *s;

	*out = NULL;
	if ((s = OPENSSL_zalloc(sizeof(*s))) == NULL)
		return burin_fail_memory(e);
	s->ski = 1;
	if ((s->dn = X509_NAME_new()) == NULL ||
	    (s->sans = GENERAL_NAMES_new()) == NULL ||
	    (s->ekus = EXTENDED_KEY_USAGE_new()) == NULL ||
	    (s->asked = sk_X509_EXTENSION_new_null()) == NULL ||
	    (s->defaults = sk_X509_EXTENSION_new_null()) == NULL ||
	    (s->attributes = sk_X509_ATTRIBUTE_new_null()) == NULL) {
		burin_subject_free(&s);
		return burin_fail_memory(e);
	}
	*out = s;
	return 0;
}

void
burin_subject_free(struct burin_subject **sp)
{
	struct burin_subject *s;

	if (sp == NULL || (s = *sp) == NULL)
		return;
	X509_NAME_free(s->dn);
	GENERAL_NAMES_free(s->sans);
	EXTENDED_KEY_USAGE_free(s->ekus);
	sk_IPAddressFamily_pop_free(s->prefixes, IPAddressFamily_free);
	sk_X509_EXTENSION_pop_free(s->asked, X509_EXTENSION_free);
	sk_X509_EXTENSION_pop_free(s->defaults, X509_EXTENSION_free);
	sk_X509_ATTRIBUTE_pop_free(s->attributes, X509_ATTRIBUTE_free);
	burin_secret_free(&s->challenge);
	OPENSSL_free(s);
	*sp = NULL;
}

int
burin_subject_set_dn(
    struct burin_subject *s, const char *dn, struct burin_error *e)
{
	X509_NAME *name;

	if (csr_dn_parse(dn, &name, e) == -1)
		return -1;
	X509_NAME_free(s->dn);
	s->dn = name;
	return 0;
}

int
csr_subject_put_name(
    struct burin_subject *s, GENERAL_NAME *name, struct burin_error *e)
{
	const char *why = csr_name_flaw(name);
	int i, n = sk_GENERAL_NAME_num(s->sans);

	if (why != NULL) {
		GENERAL_NAME_free(name);
		(void)burin_fail(e, BURIN_EUSAGE, "san-malformed",
		    "an alternative name %s", why);
		return burin_error_rule(e, "RFC 5280 section 4.2.1.6");
	}
	for (i = 0; i < n; i++) {
		if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(s->sans, i), name) ==
		    0) {
			GENERAL_NAME_free(name);
			return 0;
		}
	}
	if (n == BURIN_MAX_SANS) {
		GENERAL_NAME_free(name);
		return burin_fail(e, BURIN_EUSAGE, "too-many-names",
		    "more than %d alternative names are asked for",
		    BURIN_MAX_SANS);
	}
	if (sk_GENERAL_NAME_push(s->sans, name) <= 0) {
		GENERAL_NAME_free(name);
		return burin_fail_memory(e);
	}
	return 0;
}

int
burin_subject_add_san(
    struct burin_subject *s, const char *san, struct burin_error *e)
{
	GENERAL_NAME *name;

	if (csr_san_parse(san, &name, e) == -1)
		return -1;
	return csr_subject_put_name(s, name, e);
}

/* Takes oid over, also when it fails. */
static int
put_purpose(struct burin_subject *s, ASN1_OBJECT *oid, struct burin_error *e)
{
	int i, n = sk_ASN1_OBJECT_num(s->ekus);

	for (i = 0; i < n; i++) {
		if (OBJ_cmp(sk_ASN1_OBJECT_value(s->ekus, i), oid) == 0) {
			ASN1_OBJECT_free(oid);
			return 0;
		}
	}
	if (n == CSR_MAX_EKUS) {
		ASN1_OBJECT_free(oid);
		return burin_fail(e, BURIN_EUSAGE, "too-many-ekus",
		    "more than %d extended key usages are asked for",
		    CSR_MAX_EKUS);
	}
	if (sk_ASN1_OBJECT_push(s->ekus, oid) <= 0) {
		ASN1_OBJECT_free(oid);
		return burin_fail_memory(e);
	}
	return 0;
}

int
burin_subject_add_eku(
    struct burin_subject *s, const char *eku, struct burin_error *e)
{
	ASN1_OBJECT *oid;

	if (csr_eku_parse(eku, &oid, e) == -1)
		return -1;
	return put_purpose(s, oid, e);
}

static int
join_names(struct burin_subject *s, X509_EXTENSION *ext, struct burin_error *e)
{
	GENERAL_NAMES *names = X509V3_EXT_d2i(ext);
	GENERAL_NAME *name;
	int rc = -1;

	if (names == NULL)
		return burin_fail_openssl(e, BURIN_EUSAGE, "ext-malformed",
		    "the extension subjectAltName cannot be decoded");
	s->san_critical |= X509_EXTENSION_get_critical(ext);
	while ((name = sk_GENERAL_NAME_shift(names)) != NULL) {
		if (csr_subject_put_name(s, name, e) == -1)
			goto out;
	}
	rc = 0;
out:
	GENERAL_NAMES_free(names);
	return rc;
}

static int
join_purposes(
    struct burin_subject *s, X509_EXTENSION *ext, struct burin_error *e)
{
	EXTENDED_KEY_USAGE *ekus = X509V3_EXT_d2i(ext);
	ASN1_OBJECT *oid;
	int rc = -1;

	if (ekus == NULL)
		return burin_fail_openssl(e, BURIN_EUSAGE, "ext-malformed",
		    "the extension extendedKeyUsage cannot be decoded");
	s->eku_critical |= X509_EXTENSION_get_critical(ext);
	while ((oid = sk_ASN1_OBJECT_shift(ekus)) != NULL) {
		if (put_purpose(s, oid, e) == -1)
			goto out;
	}
	rc = 0;
out:
	EXTENDED_KEY_USAGE_free(ekus);
	return rc;
}

/* Takes ext over, also when it fails. */
static int
put_one(STACK_OF(X509_EXTENSION) * exts, X509_EXTENSION *ext, const char *name,
    struct burin_error *e)
{
	if (csr_ext_find(exts, X509_EXTENSION_get_object(ext)) >= 0) {
		X509_EXTENSION_free(ext);
		(void)burin_fail(e, BURIN_EUSAGE, "ext-twice",
		    "the extension %.100s is asked for twice", name);
		return burin_error_rule(e, "RFC 5280 section 4.2");
	}
	if (sk_X509_EXTENSION_num(exts) == BURIN_MAX_EXTENSIONS) {
		X509_EXTENSION_free(ext);
		return burin_fail(e, BURIN_EUSAGE, "too-many-extensions",
		    "more than %d extensions are asked for",
		    BURIN_MAX_EXTENSIONS);
	}
	if (sk_X509_EXTENSION_push(exts, ext) <= 0) {
		X509_EXTENSION_free(ext);
		return burin_fail_memory(e);
	}
	return 0;
}

/* "hash" and "none" speak of a key that is not known yet. */
static int
is_ski_switch(struct burin_subject *s, const char *name, const char *value)
{
	if (strcmp(name, SN_subject_key_identifier) != 0 ||
	    (strcmp(value, "hash") != 0 && strcmp(value, "none") != 0))
		return 0;
	s->ski = strcmp(value, "hash") == 0;
	return 1;
}

int
csr_subject_put_ext(struct burin_subject *s, CONF *conf, const char *name,
    const char *value, int is_default, struct burin_error *e)
{
	X509_EXTENSION *ext;
	int rc;

	if (is_ski_switch(s, name, value))
		return 0;
	if (csr_ext_make(conf, NULL, name, value, &ext, e) == -1)
		return -1;
	switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
	case NID_subject_alt_name:
		rc = join_names(s, ext, e);
		break;
	case NID_ext_key_usage:
		rc = join_purposes(s, ext, e);
		break;
	case NID_sbgp_ipAddrBlock:
		if (s->prefixes != NULL && !is_default) {
			rc = burin_fail(e, BURIN_EUSAGE, "ext-twice",
			    "prefixes are asked for already");
			break;
		}
		__attribute__((fallthrough));
	default:
		return put_one(
		    is_default ? s->defaults : s->asked, ext, name, e);
	}
	X509_EXTENSION_free(ext);
	return rc;
}

int
burin_subject_add_ext(
    struct burin_subject *s, const char *line, struct burin_error *e)
{
	char text[BURIN_MAX_TEXT + 16];
	STACK_OF(CONF_VALUE) * values;
	CONF *conf = NULL;
	int n, rc = -1;

	if (strlen(line) > BURIN_MAX_TEXT)
		return burin_fail(e, BURIN_EUSAGE, "ext-malformed",
		    "an extension is longer than %d bytes", BURIN_MAX_TEXT);
	if (!csr_is_clean(line, strlen(line)))
		return burin_fail(e, BURIN_EUSAGE, "ext-malformed",
		    "an extension holds control characters or no UTF-8");
	n = snprintf(text, sizeof(text), "[" SECTION "]\n%s\n", line);
	if (csr_conf_parse(text, (size_t)n, "the extension", "ext-malformed",
		&conf, NULL, e) == -1)
		return -1;
	values = NCONF_get_section(conf, SECTION);
	if (sk_CONF_VALUE_num(values) != 1) {
		(void)burin_fail(e, BURIN_EUSAGE, "ext-malformed",
		    "\"%.100s\" is no extension", line);
		(void)burin_error_advice(e,
		    "write it as in openssl.cnf: "
		    "keyUsage = critical,digitalSignature");
		goto out;
	}
	rc = csr_subject_put_ext(s, conf, sk_CONF_VALUE_value(values, 0)->name,
	    sk_CONF_VALUE_value(values, 0)->value, 0, e);
out:
	NCONF_free(conf);
	return rc;
}

int
burin_subject_default_key_usage(
    struct burin_subject *s, const char *usage, struct burin_error *e)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_key_usage);
	char value[BURIN_MAX_TEXT];

	if (csr_ext_find(s->asked, oid) >= 0 ||
	    csr_ext_find(s->defaults, oid) >= 0)
		return 0;
	if (snprintf(value, sizeof(value), "critical,%s", usage) >=
	    (int)sizeof(value))
		return burin_fail(e, BURIN_EUSAGE, "ext-malformed",
		    "a key usage is longer than %d bytes", BURIN_MAX_TEXT);
	return csr_subject_put_ext(s, NULL, SN_key_usage, value, 1, e);
}

void
burin_subject_set_ski(struct burin_subject *s, int on)
{
	s->ski = on != 0;
}

int
burin_subject_set_challenge(struct burin_subject *s,
    const struct burin_secret *challenge, struct burin_error *e)
{
	struct burin_secret *copy = NULL;
	X509_ATTRIBUTE *attr = NULL;

	if (challenge != NULL) {
		/* Made once now, so that a bad one is refused here. */
		if (csr_challenge_make(challenge, &attr, e) == -1)
			return -1;
		csr_attribute_wipe(attr);
		if (burin_secret_new(&copy, burin_secret_bytes(challenge),
			burin_secret_len(challenge), e) == -1)
			return -1;
	}
	burin_secret_free(&s->challenge);
	s->challenge = copy;
	return 0;
}

/* An attribute may be added to s: none of its type is there, and room. */
static int
check_room(const struct burin_subject *s, X509_ATTRIBUTE *attr,
    const char *what, struct burin_error *e)
{
	const ASN1_OBJECT *oid = X509_ATTRIBUTE_get0_object(attr);

	if (X509at_get_attr_by_OBJ(s->attributes, oid, -1) >= 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "attribute-twice",
		    "the attribute \"%.100s\" is given twice", what);
		return burin_error_rule(e, "RFC 2986 section 4.1");
	}
	/* Room for the challenge and the extensions. */
	if (sk_X509_ATTRIBUTE_num(s->attributes) >= BURIN_MAX_ATTRIBUTES - 2)
		return burin_fail(e, BURIN_EUSAGE, "too-many-attributes",
		    "more than %d attributes are given",
		    BURIN_MAX_ATTRIBUTES - 2);
	return 0;
}

int
csr_subject_put_attribute(struct burin_subject *s, X509_ATTRIBUTE *attr,
    const char *what, struct burin_error *e)
{
	if (check_room(s, attr, what, e) == -1) {
		X509_ATTRIBUTE_free(attr);
		return -1;
	}
	if (sk_X509_ATTRIBUTE_push(s->attributes, attr) <= 0) {
		X509_ATTRIBUTE_free(attr);
		return burin_fail_memory(e);
	}
	return 0;
}

int
csr_subject_with(const struct burin_subject *s, X509_ATTRIBUTE *attr,
    struct burin_subject *out, struct burin_error *e)
{
	*out = *s;
	out->attributes = NULL;
	if (attr != NULL && check_room(s, attr, "popLinkWitness", e) == -1)
		return -1;
	if ((out->attributes = sk_X509_ATTRIBUTE_dup(s->attributes)) == NULL)
		return burin_fail_memory(e);
	if (attr != NULL &&
	    sk_X509_ATTRIBUTE_push(out->attributes, attr) <= 0) {
		sk_X509_ATTRIBUTE_free(out->attributes);
		return burin_fail_memory(e);
	}
	return 0;
}

int
burin_subject_add_attribute(
    struct burin_subject *s, const char *line, struct burin_error *e)
{
	X509_ATTRIBUTE *attr;

	if (csr_attribute_parse(line, &attr, e) == -1)
		return -1;
	return csr_subject_put_attribute(s, attr, line, e);
}
