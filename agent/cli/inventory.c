/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A token and its objects, told to people and as JSON.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <burin/names.h>

#include "inventory.h"

#define SOON 30 /* days */

static const char *
class_name(enum burin_object_class cls)
{
	switch (cls) {
	case BURIN_OBJECT_PRIVATE:
		return "private";
	case BURIN_OBJECT_PUBLIC:
		return "public";
	case BURIN_OBJECT_CERT:
		return "certificate";
	default:
		return "other";
	}
}

/* As json_text, and frees text. */
static json_t *
take(char *text)
{
	json_t *s = json_text(text);

	free(text);
	return s;
}

static const char *
cert_kind_name(X509 *cert)
{
	static const char *const names[] = {
		[BURIN_CERT_ORDINARY] = "ordinary",
		[BURIN_CERT_SELF_SIGNED] = "self-signed",
		[BURIN_CERT_PLACEHOLDER] = "placeholder",
		[BURIN_CERT_ATTESTATION] = "attestation",
	};

	return names[burin_cert_kind(cert)];
}

static json_t *
object_json(struct burin_token *t, const struct burin_object *o)
{
	const struct burin_place *place =
	    burin_token_place_of(t, o->id, o->id_len);
	json_t *j = json_object();

	if (j == NULL)
		return NULL;
	(void)json_object_set_new(j, "class", json_text(class_name(o->cls)));
	(void)json_object_set_new(j, "uri", take(burin_object_uri(t, o)));
	(void)json_object_set_new(j, "id", take(burin_hex(o->id, o->id_len)));
	if (place != NULL)
		(void)json_object_set_new(j, "slot", json_text(place->name));
	(void)json_object_set_new(j, "label", json_text(o->label));
	if (o->cls == BURIN_OBJECT_PRIVATE || o->cls == BURIN_OBJECT_PUBLIC)
		(void)json_object_set_new(
		    j, "type", json_text(burin_key_type_name(o->key_type)));
	if (o->cls == BURIN_OBJECT_PRIVATE) {
		(void)json_object_set_new(j, "usage", json_usage(o->usage));
		(void)json_object_set_new(
		    j, "protected", json_boolean(o->protected_key));
		(void)json_object_set_new(j, "always_authenticate",
		    json_boolean(o->always_authenticate));
	}
	if (o->cert != NULL) {
		(void)json_object_set_new(
		    j, "kind", json_text(cert_kind_name(o->cert)));
		(void)json_object_set_new(j, "certificate", json_cert(o->cert));
	}
	return j;
}

static json_t *
can_generate(struct burin_token *t)
{
	json_t *list = json_array();
	int k;

	for (k = BURIN_KEY_UNKNOWN + 1; k < BURIN_KEY_TYPES; k++)
		if (burin_token_can_generate(t, (enum burin_key_type)k))
			(void)json_array_append_new(list,
			    json_text(
				burin_key_type_name((enum burin_key_type)k)));
	return list;
}

json_t *
inventory_json(
    struct burin_token *t, const struct burin_object *objects, size_t n)
{
	const struct burin_token_info *i = burin_token_info(t);
	json_t *o = json_token(t), *list = json_array();
	size_t k;

	if (o == NULL || list == NULL) {
		json_decref(o);
		json_decref(list);
		return NULL;
	}
	(void)json_object_set_new(o, "slot", json_integer((json_int_t)i->slot));
	(void)json_object_set_new(
	    o, "initialized", json_boolean(i->initialized));
	(void)json_object_set_new(o, "pin_set", json_boolean(i->pin_set));
	(void)json_object_set_new(o, "pin_pad", json_boolean(i->pin_pad));
	(void)json_object_set_new(
	    o, "login_required", json_boolean(i->login_required));
	(void)json_object_set_new(
	    o, "write_protected", json_boolean(i->write_protected));
	(void)json_object_set_new(
	    o, "pin_count_low", json_boolean(i->pin_count_low));
	(void)json_object_set_new(
	    o, "pin_final_try", json_boolean(i->pin_final_try));
	(void)json_object_set_new(o, "pin_locked", json_boolean(i->pin_locked));
	(void)json_object_set_new(
	    o, "family", json_text(burin_token_family(t)));
	(void)json_object_set_new(o, "can_write",
	    json_boolean(burin_token_check_write(t, NULL) == 0));
	(void)json_object_set_new(o, "can_generate", can_generate(t));
	for (k = 0; k < n; k++)
		(void)json_array_append_new(list, object_json(t, &objects[k]));
	(void)json_object_set_new(o, "objects", list);
	return o;
}

static void
state_words(const struct burin_token_info *i, char *buf, size_t size)
{
	if (!i->initialized) {
		(void)snprintf(buf, size, "blank: burin init");
		return;
	}
	(void)snprintf(buf, size, "%s%s%s%s%s",
	    i->pin_set ? "ready" : "no user PIN yet",
	    i->pin_pad ? ", PIN pad" : "",
	    i->write_protected ? ", write-protected" : "",
	    i->pin_locked	   ? ", PIN LOCKED"
		: i->pin_final_try ? ", ONE PIN TRY LEFT"
		: i->pin_count_low ? ", a wrong PIN was given"
				   : "",
	    i->so_pin_locked ? ", SO PIN LOCKED" : "");
}

static void
expiry_words(X509 *cert, char *buf, size_t size)
{
	const ASN1_TIME *to = X509_get0_notAfter(cert);
	char *text = burin_time_text(to);
	int days = 0, seconds = 0;

	(void)ASN1_TIME_diff(&days, &seconds, NULL, to);
	if (days < 0 || seconds < 0)
		(void)snprintf(buf, size, "EXPIRED %s", text);
	else if (days < SOON)
		(void)snprintf(buf, size, "expires %s, in %d days", text, days);
	else
		(void)snprintf(buf, size, "until %s", text);
	free(text);
}

static int
same_id(const struct burin_object *a, const struct burin_object *b)
{
	return a->id_len > 0 && a->id_len == b->id_len &&
	    memcmp(a->id, b->id, a->id_len) == 0;
}

static void
cert_line(struct cli *c, const struct burin_object *o, int lone)
{
	char *dn, *id, expiry[96];

	if (o->cert == NULL) {
		out_text(c, "    certificate  does not parse");
		return;
	}
	dn = burin_dn_text(X509_get_subject_name(o->cert));
	expiry_words(o->cert, expiry, sizeof(expiry));
	if (burin_cert_kind(o->cert) == BURIN_CERT_PLACEHOLDER)
		out_text(c,
		    "    certificate  none: a placeholder that the token made "
		    "(%s)",
		    dn != NULL ? dn : "?");
	else
		out_text(c, "    certificate  %s  %s",
		    dn != NULL && dn[0] != '\0' ? dn : "(no subject)", expiry);
	if (lone) {
		id = burin_hex(o->id, o->id_len);
		out_text(c, "                 id %s, no key to be seen",
		    id != NULL ? id : "?");
		free(id);
	}
	free(dn);
}

/* The public half stands for the pair while the private one is hidden. */
static int
stands_for_pair(const struct burin_object *objects, size_t n, size_t k)
{
	size_t i;

	if (objects[k].cls == BURIN_OBJECT_PRIVATE)
		return 1;
	if (objects[k].cls != BURIN_OBJECT_PUBLIC)
		return 0;
	for (i = 0; i < n; i++)
		if (objects[i].cls == BURIN_OBJECT_PRIVATE &&
		    same_id(&objects[i], &objects[k]))
			return 0;
	return 1;
}

static void
key_lines(struct cli *c, struct burin_token *t,
    const struct burin_object *objects, size_t n, size_t k)
{
	const struct burin_object *o = &objects[k];
	const struct burin_place *place =
	    burin_token_place_of(t, o->id, o->id_len);
	char *id = burin_hex(o->id, o->id_len);
	size_t i;

	out_text(c, "    key          %-10s %s %s%s%s%s%s",
	    burin_key_type_name(o->key_type), place != NULL ? "slot" : "id",
	    place != NULL		      ? place->name
		: id != NULL && id[0] != '\0' ? id
					      : "(none)",
	    o->label[0] != '\0' ? "  " : "", o->label,
	    o->cls == BURIN_OBJECT_PUBLIC ? "  (public half)" : "",
	    o->cls == BURIN_OBJECT_PRIVATE && !o->protected_key
		? "  NOT PROTECTED"
		: "");
	free(id);
	for (i = 0; i < n; i++)
		if (objects[i].cls == BURIN_OBJECT_CERT &&
		    same_id(&objects[i], o))
			cert_line(c, &objects[i], 0);
}

/* -v: what this token can do, and what not and why. */
static void
abilities(struct cli *c, struct burin_token *t)
{
	const char *const *r;
	char types[128] = "";
	size_t n = 0;
	int k;

	out_text(c, "    kind         %s", burin_token_family(t));
	for (k = BURIN_KEY_UNKNOWN + 1; k < BURIN_KEY_TYPES; k++)
		if (burin_token_check_write(t, NULL) == 0 &&
		    burin_token_can_generate(t, (enum burin_key_type)k) &&
		    n < sizeof(types))
			n += (size_t)snprintf(types + n, sizeof(types) - n,
			    "%s%s", n > 0 ? ", " : "",
			    burin_key_type_name((enum burin_key_type)k));
	out_text(c, "    makes        %s", n > 0 ? types : "no keys");
	for (r = burin_token_remarks(t); *r != NULL; r++)
		out_text(c, "    note         %s", *r);
}

void
inventory_text(struct cli *c, struct burin_token *t,
    const struct burin_object *objects, size_t n)
{
	const struct burin_token_info *info = burin_token_info(t);
	char state[128];
	size_t i, k;

	state_words(info, state, sizeof(state));
	out_text(c, "%s", burin_token_name(t));
	out_text(c, "    state        %s", state);
	if (c->verbose > 0) {
		out_text(c, "    module       %s, slot %lu", info->module,
		    info->slot);
		abilities(c, t);
	}
	for (k = 0; k < n; k++)
		if (stands_for_pair(objects, n, k))
			key_lines(c, t, objects, n, k);
	for (k = 0; k < n; k++) {
		if (objects[k].cls != BURIN_OBJECT_CERT)
			continue;
		for (i = 0; i < n; i++)
			if ((objects[i].cls == BURIN_OBJECT_PRIVATE ||
				objects[i].cls == BURIN_OBJECT_PUBLIC) &&
			    same_id(&objects[i], &objects[k]))
				break;
		if (i == n)
			cert_line(c, &objects[k], 1);
	}
}
