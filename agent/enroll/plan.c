/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan and its lists of strings: memory only.
 */

#include <stdlib.h>
#include <string.h>

#include "plan_fields.h"

#define P(kind, name)                                    \
	{                                                \
#name, kind, offsetof(struct plan, name) \
	}
const struct plan_field plan_fields[] = {
	P(PLAN_TEXT, token),
	P(PLAN_TEXT, key),
	P(PLAN_TEXT, slot),
	P(PLAN_TEXT, key_type),
	P(PLAN_TEXT, label),
	P(PLAN_BITS, usage),
	P(PLAN_FLAG, always_authenticate),
	P(PLAN_TEXT, profile_name),
	P(PLAN_TEXT, profile_text),
	P(PLAN_TEXT, identity),
	P(PLAN_TEXT, dn),
	P(PLAN_LIST, sans),
	P(PLAN_LIST, ekus),
	P(PLAN_LIST, exts),
	P(PLAN_LIST, prefixes),
	P(PLAN_LIST, attributes),
	P(PLAN_TEXT, attestation),
	P(PLAN_TEXT, format),
	P(PLAN_TEXT, inner),
	P(PLAN_TEXT, pop),
	P(PLAN_TEXT, pop_cert),
	P(PLAN_TEXT, reg_info),
	P(PLAN_FLAG, legacy),
	P(PLAN_TEXT, encrypt_to),
	P(PLAN_TEXT, protocol),
	P(PLAN_TEXT, cmp_command),
	P(PLAN_TEXT, url),
	P(PLAN_TEXT, trust),
	P(PLAN_TEXT, tls_trust),
	P(PLAN_TEXT, ca_fingerprint),
	P(PLAN_TEXT, user),
	P(PLAN_TEXT, secret_source),
	P(PLAN_TEXT, proxy),
	P(PLAN_SECONDS, timeout),
	P(PLAN_TEXT, reenroll_key),
	P(PLAN_TEXT, request_file),
	P(PLAN_FLAG, mime),
	P(PLAN_FLAG, replace),
	P(PLAN_FLAG, consumer_check),
};
#undef P
const size_t n_plan_fields = sizeof(plan_fields) / sizeof(plan_fields[0]);

int
texts_add(struct texts *t, const char *text, struct burin_error *e)
{
	char **grown;

	if ((grown = reallocarray(t->list, t->n + 1, sizeof(*grown))) == NULL)
		return burin_fail_memory(e);
	t->list = grown;
	if ((t->list[t->n] = strdup(text)) == NULL)
		return burin_fail_memory(e);
	t->n++;
	return 0;
}

void
texts_clear(struct texts *t)
{
	while (t->n > 0)
		free(t->list[--t->n]);
	free(t->list);
	t->list = NULL;
}

void
plan_clear(struct plan *p)
{
	size_t i;

	for (i = 0; i < n_plan_fields; i++) {
		char *field = (char *)p + plan_fields[i].offset;

		if (plan_fields[i].kind == PLAN_TEXT)
			free(*(char **)(void *)field);
		else if (plan_fields[i].kind == PLAN_LIST)
			texts_clear((struct texts *)(void *)field);
	}
	memset(p, 0, sizeof(*p));
}
