/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A plan as JSON and back. What is not set is not written.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "plan_fields.h"

#define MAX_PLAN_JSON (1024 * 1024) /* bytes */
#define MAX_TEXTS 256		    /* strings in one list */

static int
not_utf8(const char *name, struct burin_error *e)
{
	return burin_fail(e, BURIN_EUSAGE, "plan-text",
	    "what was given for '%s' is not UTF-8 text", name);
}

static int
put(json_t *o, const char *name, json_t *value, struct burin_error *e)
{
	if (value == NULL || json_object_set_new(o, name, value) != 0)
		return burin_fail_memory(e);
	return 0;
}

static int
put_text(json_t *o, const char *name, const char *text, struct burin_error *e)
{
	json_t *value;

	if (text == NULL)
		return 0;
	if ((value = json_string(text)) == NULL)
		return not_utf8(name, e);
	return put(o, name, value, e);
}

static int
put_list(
    json_t *o, const char *name, const struct texts *t, struct burin_error *e)
{
	json_t *list, *value;
	size_t i;

	if (t->n == 0)
		return 0;
	if (t->n > MAX_TEXTS)
		return burin_fail(e, BURIN_EUSAGE, "plan-text",
		    "'%s' was given %zu times, more than %d", name, t->n,
		    MAX_TEXTS);
	list = json_array();
	for (i = 0; i < t->n; i++) {
		if ((value = json_string(t->list[i])) == NULL) {
			json_decref(list);
			return not_utf8(name, e);
		}
		(void)json_array_append_new(list, value);
	}
	return put(o, name, list, e);
}

static int
put_field(json_t *o, const struct plan_field *f, const void *field,
    struct burin_error *e)
{
	switch (f->kind) {
	case PLAN_TEXT:
		return put_text(o, f->name, *(char *const *)field, e);
	case PLAN_LIST:
		return put_list(o, f->name, field, e);
	case PLAN_FLAG:
		return *(const int *)field == 0
		    ? 0
		    : put(o, f->name, json_true(), e);
	case PLAN_BITS:
		return *(const unsigned *)field == 0
		    ? 0
		    : put(o, f->name, json_integer(*(const unsigned *)field),
			  e);
	case PLAN_SECONDS:
		return *(const long *)field == 0
		    ? 0
		    : put(o, f->name, json_integer(*(const long *)field), e);
	}
	return burin_fail_memory(e);
}

int
plan_format(const struct plan *p, char **json, struct burin_error *e)
{
	json_t *o = json_object();
	size_t i;
	int rc = -1;

	*json = NULL;
	for (i = 0; i < n_plan_fields; i++)
		if (put_field(o, &plan_fields[i],
			(const char *)p + plan_fields[i].offset, e) != 0)
			goto out;
	if ((*json = json_dumps(o, JSON_COMPACT)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (strlen(*json) > MAX_PLAN_JSON) {
		free(*json);
		*json = NULL;
		burin_fail(e, BURIN_EUSAGE, "plan-large",
		    "the plan is longer than %d bytes", MAX_PLAN_JSON);
		goto out;
	}
	rc = 0;
out:
	json_decref(o);
	return rc;
}

static int
malformed(const char *what, const char *name, struct burin_error *e)
{
	burin_fail(e, BURIN_EINTERNAL, "plan-malformed", "%s '%s'", what, name);
	return burin_error_advice(
	    e, "the plan was written by another version of burin; start anew");
}

static int
get_text(const char *name, const json_t *v, char **field, struct burin_error *e)
{
	if (!json_is_string(v))
		return malformed("the plan has no text in", name, e);
	if ((*field = strdup(json_string_value(v))) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
get_list(const char *name, const json_t *v, struct texts *field,
    struct burin_error *e)
{
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > MAX_TEXTS)
		return malformed("the plan has no list in", name, e);
	for (i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);

		if (!json_is_string(item))
			return malformed("the plan has no texts in", name, e);
		if (texts_add(field, json_string_value(item), e) != 0)
			return -1;
	}
	return 0;
}

static int
get_field(const struct plan_field *f, const json_t *v, void *field,
    struct burin_error *e)
{
	json_int_t n = json_integer_value(v);

	switch (f->kind) {
	case PLAN_TEXT:
		return get_text(f->name, v, field, e);
	case PLAN_LIST:
		return get_list(f->name, v, field, e);
	case PLAN_FLAG:
		if (!json_is_boolean(v))
			break;
		*(int *)field = json_is_true(v);
		return 0;
	case PLAN_BITS:
		if (!json_is_integer(v) || n < 0 || n > UINT_MAX)
			break;
		*(unsigned *)field = (unsigned)n;
		return 0;
	case PLAN_SECONDS:
		if (!json_is_integer(v) || n < 0 || n > LONG_MAX)
			break;
		*(long *)field = (long)n;
		return 0;
	}
	return malformed("the plan has no sound value for", f->name, e);
}

static const struct plan_field *
find_field(const char *name)
{
	size_t i;

	for (i = 0; i < n_plan_fields; i++)
		if (strcmp(plan_fields[i].name, name) == 0)
			return &plan_fields[i];
	return NULL;
}

int
plan_parse(const char *json, struct plan *p, struct burin_error *e)
{
	const struct plan_field *f;
	json_error_t why;
	const char *name;
	json_t *o, *v;
	int rc = -1;

	memset(p, 0, sizeof(*p));
	if (json == NULL || strlen(json) > MAX_PLAN_JSON)
		return malformed("there is no sound plan in", "plan", e);
	if ((o = json_loads(json, JSON_REJECT_DUPLICATES, &why)) == NULL ||
	    !json_is_object(o)) {
		(void)malformed("the plan is no JSON object:",
		    o == NULL ? why.text : "", e);
		goto out;
	}
	json_object_foreach(o, name, v)
	{
		if ((f = find_field(name)) == NULL) {
			(void)malformed("the plan has an unknown", name, e);
			goto out;
		}
		if (get_field(f, v, (char *)p + f->offset, e) != 0)
			goto out;
	}
	rc = 0;
out:
	json_decref(o);
	if (rc != 0)
		plan_clear(p);
	return rc;
}
