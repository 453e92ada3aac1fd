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

#define MAX_NAME 64   /* characters of a profile's name */
#define MAX_LIST 32   /* words in one list */
#define MAX_DAYS 7320 /* twenty years */

static const char *const profile_keys[] = { "name", "description", "key_types",
	"usage", "identity", "identity_schemes", "identity_cn", "prefix",
	NULL };
static const char *const sections[] = { "default", PROFILE_SECTION,
	REQUEST_SECTION, CERTIFICATE_SECTION, NULL };

int
csr_profile_refuse(
    const struct burin_profile *p, struct burin_error *e, const char *fmt, ...)
{
	char why[BURIN_ERROR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "profile-malformed",
	    "the profile %s%s%s", p->name != NULL ? p->name : "",
	    p->name != NULL ? " " : "", why);
	return burin_error_advice(e, "burin-profile(5) tells what it may hold");
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

/* Words between any of separators. text NULL is the empty list. */
static int
split(const struct burin_profile *p, const char *text, const char *separators,
    char ***out, struct burin_error *e)
{
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
			return csr_profile_refuse(
			    p, e, "has a list of more than %d words", MAX_LIST);
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
		return csr_profile_refuse(
		    p, e, "says neither yes nor no for %s", key);
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

		if (is_among(sections, name))
			continue;
		(void)csr_profile_refuse(
		    p, e, "has an unknown section [%.40s]", name);
		goto out;
	}
	lines = csr_profile_lines(p, "default");
	if (sk_CONF_VALUE_num(lines) > 0) {
		(void)csr_profile_refuse(p, e,
		    "has \"%.40s\" outside of a section",
		    sk_CONF_VALUE_value(lines, 0)->name);
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
		return csr_profile_refuse(p, e, "has no section [profile]");
	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const char *key = sk_CONF_VALUE_value(lines, i)->name;

		if (!is_among(profile_keys, key))
			return csr_profile_refuse(p, e,
			    "has an unknown key \"%.40s\" in [profile]", key);
	}
	return 0;
}

static int
read_name(struct burin_profile *p, struct burin_error *e)
{
	const char *name = get(p, PROFILE_SECTION, "name"), *c;

	if (name == NULL || name[0] == '\0' || strlen(name) > MAX_NAME)
		return csr_profile_refuse(p, e,
		    "has no name, or one longer than %d characters", MAX_NAME);
	for (c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return csr_profile_refuse(p, e,
			    "has a name of other characters than letters, "
			    "digits, '-' and '_'");
	}
	p->name = name;
	p->description = get(p, PROFILE_SECTION, "description");
	if (p->description == NULL)
		p->description = "";
	if (!csr_is_clean(p->description, strlen(p->description)))
		return csr_profile_refuse(
		    p, e, "has control characters in its description");
	return 0;
}

static int
read_usage(struct burin_profile *p, struct burin_error *e)
{
	static const char *const uses[] = { "sign", "decrypt", "derive", NULL };
	char **list = NULL;
	size_t i;
	int rc = -1;

	p->usage = get(p, PROFILE_SECTION, "usage");
	if (p->usage == NULL)
		p->usage = "";
	if (split(p, p->usage, ", \t", &list, e) == -1)
		goto out;
	for (i = 0; list[i] != NULL; i++) {
		if (is_among(uses, list[i]))
			continue;
		(void)csr_profile_refuse(p, e,
		    "names an unknown usage \"%.40s\": sign, decrypt, derive",
		    list[i]);
		goto out;
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
		return csr_profile_refuse(p, e, "has no days in [certificate]");
	days = strtol(text, &end, 10);
	if (end == text || *end != '\0' || days < 1 || days > MAX_DAYS)
		return csr_profile_refuse(
		    p, e, "has a number of days that is not 1 to %d", MAX_DAYS);
	p->days = (unsigned)days;
	return 0;
}

static int
read_all(struct burin_profile *p, struct burin_error *e)
{
	if (check_sections(p, e) == -1 || check_keys(p, e) == -1 ||
	    read_name(p, e) == -1 || read_usage(p, e) == -1 ||
	    split(p, get(p, PROFILE_SECTION, "key_types"), ", \t",
		&p->key_types, e) == -1 ||
	    split(p, get(p, PROFILE_SECTION, "identity"), " \t", &p->names,
		e) == -1 ||
	    split(p, get(p, PROFILE_SECTION, "identity_schemes"), ", \t",
		&p->schemes, e) == -1 ||
	    read_switch(p, "identity_cn", &p->identity_cn, e) == -1 ||
	    read_switch(p, "prefix", &p->prefix, e) == -1 ||
	    read_days(p, e) == -1 ||
	    split(p, get(p, CERTIFICATE_SECTION, "copy"), ", \t", &p->copy,
		e) == -1)
		return -1;
	if (p->key_types[0] == NULL)
		return csr_profile_refuse(p, e, "has no key_types");
	return csr_profile_check_names(p, e);
}

/* What cannot be asked for is found when the profile is read. */
static int
try_request(const struct burin_profile *p, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	if (burin_subject_new(&s, e) == 0)
		rc = burin_profile_apply(p, s, e);
	burin_subject_free(&s);
	return rc;
}

int
burin_profile_parse(const char *text, size_t len, struct burin_profile **out,
    struct burin_error *e)
{
	struct burin_profile *p;

	*out = NULL;
	if (len > BURIN_MAX_PROFILE)
		return burin_fail(e, BURIN_EUSAGE, "profile-malformed",
		    "the profile is longer than %d bytes", BURIN_MAX_PROFILE);
	if ((p = OPENSSL_zalloc(sizeof(*p))) == NULL)
		return burin_fail_memory(e);
	if (csr_conf_parse(text, len, "the profile", "profile-malformed",
		&p->conf, e) == -1 ||
	    read_all(p, e) == -1 || try_request(p, e) == -1 ||
	    csr_profile_check_issue(p, e) == -1) {
		burin_profile_free(&p);
		return -1;
	}
	*out = p;
	return 0;
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

/* RFC 5280 section 4.2.1.3: what the uses of a key are called there. */
static int
apply_usage(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e)
{
	char value[128] = "";
	static const struct {
		const char *use;
		const char *bit;
	} bits[] = {
		{ "sign", "digitalSignature," },
		{ "decrypt", "keyEncipherment," },
		{ "derive", "keyAgreement," },
	};
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (strstr(p->usage, bits[i].use) != NULL)
			(void)OPENSSL_strlcat(
			    value, bits[i].bit, sizeof(value));
	}
	if (value[0] == '\0')
		return 0;
	value[strlen(value) - 1] = '\0';
	return burin_subject_default_key_usage(s, value, e);
}

int
burin_profile_apply(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, REQUEST_SECTION);
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const CONF_VALUE *line = sk_CONF_VALUE_value(lines, i);

		if (csr_subject_put_ext(
			s, p->conf, line->name, line->value, 1, e) == -1)
			return burin_error_cause(
			    e, "in [request] of the profile %s", p->name);
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
