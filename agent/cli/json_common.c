/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON of errors, tokens and keys: the stable keys of burin(1).
 */

#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "cli.h"

json_t *
json_text(const char *text)
{
	json_t *s;
	char *copy, *p;

	if (text == NULL)
		return json_null();
	if ((s = json_string(text)) != NULL)
		return s;
	if ((copy = strdup(text)) == NULL)
		return NULL;
	for (p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

/* As json_text, and frees text. */
static json_t *
take(char *text)
{
	json_t *s = json_text(text);

	free(text);
	return s;
}

json_t *
json_error(const struct burin_error *e)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(o, "step", json_text(e->step));
	(void)json_object_set_new(o, "code", json_text(e->code));
	(void)json_object_set_new(o, "reason", json_text(e->reason));
	(void)json_object_set_new(o, "token", json_text(e->token));
	(void)json_object_set_new(o, "rule", json_text(e->rule));
	(void)json_object_set_new(o, "advice", json_text(e->advice));
	(void)json_object_set_new(o, "cause", json_text(e->cause));
	(void)json_object_set_new(o, "exit", json_integer(e->status));
	return o;
}

json_t *
json_token(const struct burin_token *t)
{
	const struct burin_token_info *i = burin_token_info(t);
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(o, "label", json_text(i->label));
	(void)json_object_set_new(o, "serial", json_text(i->serial));
	(void)json_object_set_new(o, "model", json_text(i->model));
	(void)json_object_set_new(
	    o, "manufacturer", json_text(i->manufacturer));
	(void)json_object_set_new(o, "module", json_text(i->module));
	(void)json_object_set_new(o, "uri", take(burin_token_uri(t)));
	return o;
}

json_t *
json_key(const struct burin_key *k)
{
	const unsigned char *id;
	size_t len;
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	id = burin_key_id(k, &len);
	(void)json_object_set_new(o, "uri", take(burin_key_uri(k)));
	(void)json_object_set_new(
	    o, "type", json_text(burin_key_type_name(burin_key_get_type(k))));
	(void)json_object_set_new(o, "id", take(burin_hex(id, len)));
	(void)json_object_set_new(o, "label", json_text(burin_key_label(k)));
	(void)json_object_set_new(o, "usage", json_usage(burin_key_usage(k)));
	(void)json_object_set_new(o, "always_authenticate",
	    json_boolean(burin_key_always_authenticate(k)));
	return o;
}

json_t *
json_usage(unsigned usage)
{
	json_t *list = json_array();

	if (list == NULL)
		return NULL;
	if (usage & BURIN_USE_SIGN)
		(void)json_array_append_new(list, json_string("sign"));
	if (usage & BURIN_USE_DECRYPT)
		(void)json_array_append_new(list, json_string("decrypt"));
	if (usage & BURIN_USE_DERIVE)
		(void)json_array_append_new(list, json_string("derive"));
	return list;
}
