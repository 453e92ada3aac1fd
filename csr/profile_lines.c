/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: what one says, for those that show it.
 */

#include <ctype.h>
#include <string.h>

#include "internal.h"
#include "profile.h"

#define CRITICAL "critical"

const char *const *
burin_profile_names(const struct burin_profile *p)
{
	return (const char *const *)p->names;
}

const char *const *
burin_profile_schemes(const struct burin_profile *p)
{
	return (const char *const *)p->schemes;
}

const char *const *
burin_profile_copied(const struct burin_profile *p)
{
	return (const char *const *)p->copy;
}

int
burin_profile_copies(const struct burin_profile *p, const char *name)
{
	ASN1_OBJECT *oid = csr_profile_type(name), *copied;
	size_t i;
	int is = 0;

	for (i = 0; oid != NULL && !is && p->copy[i] != NULL; i++) {
		copied = csr_profile_type(p->copy[i]);
		is = copied != NULL && OBJ_cmp(oid, copied) == 0;
		ASN1_OBJECT_free(copied);
	}
	ASN1_OBJECT_free(oid);
	return is;
}

int
burin_profile_names_cn(const struct burin_profile *p)
{
	return p->identity_cn;
}

int
burin_profile_takes_prefix(const struct burin_profile *p)
{
	return p->prefix;
}

int
burin_profile_issues(const struct burin_profile *p)
{
	return p->has_certificate;
}

static void
read_value(const char *value, struct burin_profile_line *out)
{
	size_t n = strlen(CRITICAL);

	out->needs_base = strstr(value, CSR_BASE) != NULL;
	out->critical = strncmp(value, CRITICAL, n) == 0 &&
	    (value[n] == ',' || value[n] == '\0');
	if (out->critical)
		value += value[n] == ',' ? n + 1 : n;
	while (isspace((unsigned char)*value))
		value++;
	out->value = value;
}

/* burin_profile_apply: when nothing else is asked for. */
static int
default_line(const struct burin_profile *p, struct burin_profile_line *out)
{
	if (p->key_usage[0] == '\0' ||
	    csr_profile_spelled(p, REQUEST_SECTION, NID_key_usage) != NULL)
		return 0;
	out->name = SN_key_usage;
	out->value = p->key_usage;
	out->critical = 1;
	out->needs_base = 0;
	return 1;
}

int
burin_profile_line(const struct burin_profile *p, enum burin_profile_part part,
    size_t i, struct burin_profile_line *out)
{
	int asks = part == BURIN_PROFILE_REQUEST, j;
	STACK_OF(CONF_VALUE) *lines =
	    csr_profile_lines(p, asks ? REQUEST_SECTION : CERTIFICATE_SECTION);

	for (j = 0; j < sk_CONF_VALUE_num(lines); j++) {
		const CONF_VALUE *line = sk_CONF_VALUE_value(lines, j);

		if (!asks && csr_profile_is_own_key(line->name))
			continue;
		if (i-- > 0)
			continue;
		out->name = line->name;
		read_value(line->value, out);
		return 1;
	}
	return asks && i == 0 && default_line(p, out);
}

const char *
csr_profile_spelled(const struct burin_profile *p, const char *section, int nid)
{
	STACK_OF(CONF_VALUE) *lines = csr_profile_lines(p, section);
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(lines); i++) {
		const char *name = sk_CONF_VALUE_value(lines, i)->name;
		ASN1_OBJECT *oid = csr_profile_type(name);
		int is = oid != NULL && OBJ_obj2nid(oid) == nid;

		ASN1_OBJECT_free(oid);
		if (is)
			return name;
	}
	return NULL;
}
