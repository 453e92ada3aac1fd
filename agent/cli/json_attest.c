/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an attestation says, as JSON and in a line for people.
 */

#include <stdio.h>
#include <string.h>

#include "attest_out.h"

static void
put(json_t *o, const char *key, const char *text)
{
	(void)json_object_set_new(
	    o, key, text[0] != '\0' ? json_text(text) : json_null());
}

json_t *
json_attest(const struct burin_attest *a)
{
	char buf[BURIN_ATTEST_WORD];
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	put(o, "slot", a->slot);
	put(o, "firmware", burin_attest_firmware(a, buf));
	(void)json_object_set_new(o, "serial",
	    a->serial >= 0 ? json_integer((json_int_t)a->serial) : json_null());
	put(o, "pin_policy", burin_attest_pin(a, buf));
	put(o, "touch_policy", burin_attest_touch(a, buf));
	put(o, "form_factor", burin_attest_form_factor(a, buf));
	(void)json_object_set_new(o, "fips", json_boolean(a->fips));
	(void)json_object_set_new(o, "cspn", json_boolean(a->cspn));
	return o;
}

/* " word value" to the end of buf, when there is a value. */
static void
add(char *buf, size_t size, const char *name, const json_t *value)
{
	size_t n = strlen(buf);
	const char *comma = n > 0 ? ", " : "";

	if (json_is_string(value))
		(void)snprintf(buf + n, size - n, "%s%s%s", comma, name,
		    json_string_value(value));
	else if (json_is_integer(value))
		(void)snprintf(buf + n, size - n, "%s%s%" JSON_INTEGER_FORMAT,
		    comma, name, json_integer_value(value));
	else if (json_is_true(value))
		(void)snprintf(buf + n, size - n, "%s%s", comma, name);
}

void
attest_line(const json_t *o, char *buf, size_t size)
{
	static const struct {
		const char *key, *name;
	} parts[] = {
		{ "slot", "slot " },
		{ "firmware", "firmware " },
		{ "serial", "serial " },
		{ "pin_policy", "PIN " },
		{ "touch_policy", "touch " },
		{ "form_factor", "" },
		{ "fips", "FIPS" },
		{ "cspn", "CSPN" },
		{ "form", "in the form " },
		{ "error", "" },
	};
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		add(buf, size, parts[i].name, json_object_get(o, parts[i].key));
	if (json_is_false(json_object_get(o, "key_matches")))
		add(buf, size, "of ANOTHER key than the request's",
		    json_true());
}
