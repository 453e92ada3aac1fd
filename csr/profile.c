/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: reading one (burin-profile(5)), and what it makes of a request.
 */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"
#include "profile.h"

#define MAX_NAME 64		  /* characters of a profile's name */
#define MAX_LIST 32		  /* words in one list */
#define MAX_DAYS 7320		  /* twenty years */
#define DEFAULT_SECTION "default" /* of lines before any section */

static const char *const profile_keys[] = { "name", "description", "key_types",
	"usage", "identity", "identity_schemes", "identity_cn", "prefix",
	NULL };
static const char *const sections[] = { DEFAULT_SECTION, PROFILE_SECTION,
	REQUEST_SECTION, CERTIFICATE_SECTION, NULL };

static int refuse(const struct burin_profile *p, struct burin_error *e,
    const char *fmt, va_list ap) BURIN_PRINTF(3, 0);

static int
refuse(const struct burin_profile *p, struct burin_error *e, const char *fmt,
    va_list ap)
{
	char why[BURIN_ERROR_TEXT];

	(void)vsnprintf(why, sizeof(why), fmt, ap);
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "profile-malformed",
	    "the profile %s%s%s", p->name != NULL ? p->name : "",
	    p->name != NULL ? " " : "", why);
	return burin_error_advice(e, "burin-profile(5) tells what it may hold");
}

int
csr_profile_refuse(
    const struct burin_profile *p, struct burin_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)refuse(p, e, fmt, ap);
	va_end(ap);
	return -1;
}

int
csr_profile_flaw(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)refuse(p, e, fmt, ap);
	va_end(ap);
	return csr_profile_note(p, e, section, key);
}

STACK_OF(CONF_VALUE) *
    csr_profile_lines(const struct burin_profile *p, const char *section)
{
	STACK_OF(CONF_VALUE) * lines;

	(void)ERR_set_mark();
	lines = NCONF_get_section(p->conf, section);
	(void)ERR_pop_to_mark();
	return lines;
}

static const char *
get(const struct burin_profile *p, const char *section, const char *key)
{
	const char *value;

	(void)ERR_set_mark();
	value = NCONF_get_string(p->conf, section, key);
	(void)ERR_pop_to_mark();
	return value;
}

static int
is_among(const char *const *list, const char *word)
{
	for (; *list != NULL; list++) {
		if (strcmp(*list, word) == 0)
			return 1;
	}
	return 0;
}

static void
free_list(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		OPENSSL_free(list[i]);
	OPENSSL_free(list);
}

/* The words of a key between any of separators; absent is the empty list. */
static int
split(const struct burin_profile *p, const char *section, const char *key,
    const char *separators, char ***out, struct burin_error *e)
{
	const char *text = get(p, section, key);
	char **list;
	size_t n = 0, len;

	*out = list = OPENSSL_zalloc((MAX_LIST + 1) * sizeof(*list));
	if (list == NULL)
		return burin_fail_memory(e);
	for (; text != NULL; text += len) {
		text += strspn(text, separators);
		if ((len = strcspn(text, separators)) == 0)
			break;
		if (n == MAX_LIST)
			return csr_profile_flaw(p, e, section, key,
			    "has a list of more than %d words", MAX_LIST);
		if ((list[n++] = OPENSSL_strndup(text, len)) == NULL)
			return burin_fail_memory(e);
	}
	return 0;
}

/* "yes" or "no"; absent is no. */
static int
read_switch(const struct burin_profile *p, const char *key, int *on,
    struct burin_error *e)
{
	const char *value = get(p, PROFILE_SECTION, key);

	*on = value != NULL && strcmp(value, "yes") == 0;
	if (value != NULL && !*on && strcmp(value, "no") != 0)
		return csr_profile_flaw(p, e, PROFILE_SECTION, key,
		    "says neither yes nor no for %s", key);
	return 0;
}

static int
check_sections(const struct burin_profile *p, struct burin_error *e)
{
	STACK_OF(OPENSSL_CSTRING) *names = NCONF_get_section_names(p->conf);
	STACK_OF(CONF_VALUE) * lines;
	int i, rc = -1;

	if (names == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < sk_OPENSSL_CSTRING_num(names); i++) {
		const char *name = sk_OPENSSL_CSTRING_value(names, i);

		if (!is_among(sections, name) &&
		    csr_profile_flaw(p, e, name, NULL,
			"has an unknown section [%.40s]", name) == -1)
			goto out;
	}
	lines = csr_profile_lines(p, DEFAULT_SECTION);
	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const char *key = sk_CONF_VALUE_value(lines, i)->name;

		if (csr_profile_flaw(p, e, DEFAULT_SECTION, key,
			"has \"%.40s\" outside of a section", key) == -1)
			goto out;
	}
	rc = 0;
out:
	sk_OPENSSL_CSTRING_free(names);
	return rc;
}

static int
check_keys(const struct burin_profile *p, struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, PROFILE_SECTION);
	int i;

	if (lines == NULL)
		return csr_profile_flaw(
		    p, e, NULL, NULL, "has no section [profile]");
	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const char *key = sk_CONF_VALUE_value(lines, i)->name;

		if (!is_among(profile_keys, key) &&
		    csr_profile_flaw(p, e, PROFILE_SECTION, key,
			"has an unknown key \"%.40s\" in [profile]", key) == -1)
			return -1;
	}
	return 0;
}

static int
read_name(struct burin_profile *p, struct burin_error *e)
{
	const char *name = get(p, PROFILE_SECTION, "name"), *c;

	if (name == NULL || name[0] == '\0' || strlen(name) > MAX_NAME)
		return csr_profile_flaw(p, e, PROFILE_SECTION, "name",
		    "has no name, or one longer than %d characters", MAX_NAME);
	for (c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return csr_profile_flaw(p, e, PROFILE_SECTION, "name",
			    "has a name of other characters than letters, "
			    "digits, '-' and '_'");
	}
	p->name = name;
	return 0;
}

static int
read_description(struct burin_profile *p, struct burin_error *e)
{
	p->description = get(p, PROFILE_SECTION, "description");
	if (p->description == NULL)
		p->description = "";
	if (!csr_is_clean(p->description, strlen(p->description)))
		return csr_profile_flaw(p, e, PROFILE_SECTION, "description",
		    "has control characters in its description");
	return 0;
}

/* RFC 5280 section 4.2.1.3: what the uses of a key are called there. */
static int
read_usage(struct burin_profile *p, struct burin_error *e)
{
	static const char *const uses[] = { "sign", "decrypt", "derive", NULL };
	static const char *const bits[] = { "digitalSignature",
		"keyEncipherment", "keyAgreement" };
	char **list = NULL;
	size_t i;
	int rc = -1;

	p->usage = get(p, PROFILE_SECTION, "usage");
	if (p->usage == NULL)
		p->usage = "";
	if (split(p, PROFILE_SECTION, "usage", ", \t", &list, e) == -1)
		goto out;
	for (i = 0; list[i] != NULL; i++) {
		if (!is_among(uses, list[i]) &&
		    csr_profile_flaw(p, e, PROFILE_SECTION, "usage",
			"names an unknown usage \"%.40s\": sign, decrypt, "
			"derive",
			list[i]) == -1)
			goto out;
	}
	for (i = 0; uses[i] != NULL; i++) {
		if (!is_among((const char *const *)list, uses[i]))
			continue;
		if (p->key_usage[0] != '\0')
			(void)OPENSSL_strlcat(
			    p->key_usage, ",", sizeof(p->key_usage));
		(void)OPENSSL_strlcat(
		    p->key_usage, bits[i], sizeof(p->key_usage));
	}
	rc = 0;
out:
	free_list(list);
	return rc;
}

static int
read_days(struct burin_profile *p, struct burin_error *e)
{
	const char *text = get(p, CERTIFICATE_SECTION, "days");
	long days;
	char *end;

	p->has_certificate = csr_profile_lines(p, CERTIFICATE_SECTION) != NULL;
	if (!p->has_certificate)
		return 0;
	if (text == NULL)
		return csr_profile_flaw(p, e, CERTIFICATE_SECTION, NULL,
		    "has no days in [certificate]");
	days = strtol(text, &end, 10);
	if (end == text || *end != '\0' || days < 1 || days > MAX_DAYS)
		return csr_profile_flaw(p, e, CERTIFICATE_SECTION, "days",
		    "has a number of days that is not 1 to %d", MAX_DAYS);
	p->days = (unsigned)days;
	return 0;
}

static int
read_all(struct burin_profile *p, struct burin_error *e)
{
	if (check_sections(p, e) == -1 || check_keys(p, e) == -1 ||
	    read_name(p, e) == -1 || read_description(p, e) == -1 ||
	    read_usage(p, e) == -1 ||
	    split(p, PROFILE_SECTION, "key_types", ", \t", &p->key_types, e) ==
		-1 ||
	    split(p, PROFILE_SECTION, "identity", " \t", &p->names, e) == -1 ||
	    split(p, PROFILE_SECTION, "identity_schemes", ", \t", &p->schemes,
		e) == -1 ||
	    read_switch(p, "identity_cn", &p->identity_cn, e) == -1 ||
	    read_switch(p, "prefix", &p->prefix, e) == -1 ||
	    read_days(p, e) == -1 ||
	    split(p, CERTIFICATE_SECTION, "copy", ", \t", &p->copy, e) == -1)
		return -1;
	if (p->key_types[0] == NULL &&
	    csr_profile_flaw(
		p, e, PROFILE_SECTION, "key_types", "has no key_types") == -1)
		return -1;
	return csr_profile_check_names(p, e);
}

static int
apply_line(const struct burin_profile *p, const CONF_VALUE *line,
    struct burin_subject *s, struct burin_error *e)
{
	if (csr_subject_put_ext(s, p->conf, line->name, line->value, 1, e) == 0)
		return 0;
	return burin_error_cause(e, "in [request] of the profile %s",
	    p->name != NULL ? p->name : "");
}

static int
apply_usage(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e)
{
	return p->key_usage[0] != '\0'
	    ? burin_subject_default_key_usage(s, p->key_usage, e)
	    : 0;
}

/* What cannot be asked for is found when the profile is read. */
static int
try_request(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, REQUEST_SECTION);
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const CONF_VALUE *line = sk_CONF_VALUE_value(lines, i);

		if (apply_line(p, line, s, e) == -1 &&
		    csr_profile_note(p, e, REQUEST_SECTION, line->name) == -1)
			return -1;
	}
	return apply_usage(p, s, e);
}

/* A text without sense as a whole has nothing in it to go on with. */
static int
read_text(struct burin_profile *p, struct burin_error *e)
{
	long at = 0;

	if (p->len > BURIN_MAX_PROFILE)
		(void)burin_fail(e, BURIN_EUSAGE, "profile-malformed",
		    "the profile is longer than %d bytes", BURIN_MAX_PROFILE);
	else if (csr_conf_parse(p->text, p->len, "the profile",
		     "profile-malformed", &p->conf, &at, e) == 0)
		return 0;
	return csr_profile_note_at(p, e, NULL, NULL, at);
}

int
csr_profile_read(struct burin_profile *p, struct csr_profile_made *made,
    struct burin_error *e)
{
	memset(made, 0, sizeof(*made));
	if (read_text(p, e) == -1)
		return -1;
	if (p->conf == NULL)
		return 0;
	if ((made->given = sk_X509_EXTENSION_new_null()) == NULL)
		return burin_fail_memory(e);
	if (read_all(p, e) == -1 || burin_subject_new(&made->asked, e) == -1 ||
	    try_request(p, made->asked, e) == -1)
		return -1;
	return csr_profile_check_issue(p, made->given, e);
}

void
csr_profile_made_clear(struct csr_profile_made *made)
{
	burin_subject_free(&made->asked);
	sk_X509_EXTENSION_pop_free(made->given, X509_EXTENSION_free);
	made->given = NULL;
}

int
burin_profile_parse(const char *text, size_t len, struct burin_profile **out,
    struct burin_error *e)
{
	struct csr_profile_made made;
	struct burin_profile *p;
	int rc;

	*out = NULL;
	if ((p = OPENSSL_zalloc(sizeof(*p))) == NULL)
		return burin_fail_memory(e);
	p->text = text;
	p->len = len;
	rc = csr_profile_read(p, &made, e);
	csr_profile_made_clear(&made);
	p->text = NULL; /* the caller's */
	if (rc == -1)
		burin_profile_free(&p);
	*out = p;
	return rc;
}

void
burin_profile_free(struct burin_profile **pp)
{
	struct burin_profile *p;

	if (pp == NULL || (p = *pp) == NULL)
		return;
	free_list(p->key_types);
	free_list(p->names);
	free_list(p->schemes);
	free_list(p->copy);
	NCONF_free(p->conf);
	OPENSSL_free(p);
	*pp = NULL;
}

const char *
burin_profile_name(const struct burin_profile *p)
{
	return p->name;
}

const char *
burin_profile_description(const struct burin_profile *p)
{
	return p->description;
}

const char *const *
burin_profile_key_types(const struct burin_profile *p)
{
	return (const char *const *)p->key_types;
}

const char *
burin_profile_usage(const struct burin_profile *p)
{
	return p->usage;
}

unsigned
burin_profile_days(const struct burin_profile *p)
{
	return p->days;
}

int
burin_profile_apply(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, REQUEST_SECTION);
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		if (apply_line(p, sk_CONF_VALUE_value(lines, i), s, e) == -1)
			return -1;
	}
	return apply_usage(p, s, e);
}

int
burin_profile_prefix(const struct burin_profile *p, struct burin_subject *s,
    const char *prefix, struct burin_error *e)
{
	if (p->prefix)
		return burin_subject_add_prefix(s, prefix, e);
	(void)burin_fail(e, BURIN_EUSAGE, "profile-no-prefix",
	    "the profile %s is for no address block", p->name);
	(void)burin_error_rule(e, "RFC 3779, RFC 6494");
	return burin_error_advice(e,
	    "leave --prefix out, or use a profile with \"prefix = yes\" "
	    "(send-router)");
}
