/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Comparing tokens and objects with what a URI names, and making the URI of
 * one (RFC 7512 section 2.5: an absent attribute matches everything, an empty
 * one an empty field; text is compared byte by byte, numbers as numbers).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "uri.h"

static int
same(const char *want, const char *have)
{
	return want == NULL || strcmp(want, have) == 0;
}

static int
same_field(const char *want, const unsigned char *field, size_t len)
{
	char have[65]; /* CK_SLOT_INFO.slotDescription is the longest */

	p11_text(have, sizeof(have), field, len);
	return same(want, have);
}

/* Section 2.4: the library's name without "lib" and suffix, any case. */
static int
is_module_name(const char *want, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t n = strlen(want);

	if (strcasecmp(want, path) == 0)
		return 1;
	base = base != NULL ? base + 1 : path;
	if (strncmp(base, "lib", 3) == 0 && strncasecmp(want, "lib", 3) != 0)
		base += 3;
	return strncasecmp(want, base, n) == 0 &&
	    (base[n] == '\0' || base[n] == '.');
}

static int
match_module(const struct p11_uri *u, struct p11_module *m)
{
	char *file;
	int r;

	if (u->module_name == NULL && u->module_path == NULL)
		return 1;
	file = p11_kit_module_get_filename(m->f);
	r = (u->module_name == NULL ||
		is_module_name(u->module_name, m->name) ||
		(file != NULL && is_module_name(u->module_name, file))) &&
	    (u->module_path == NULL || same(u->module_path, m->name) ||
		(file != NULL && same(u->module_path, file)));
	free(file);
	return r;
}

static int
match_library(const struct p11_uri *u, struct p11_module *m)
{
	CK_INFO info;
	CK_RV rv;

	if (u->lib_manufacturer == NULL && u->lib_description == NULL &&
	    !u->has_lib_version)
		return 1;
	memset(&info, 0, sizeof(info));
	p11_lock(m);
	rv = p11_GetInfo(m, &info);
	p11_unlock(m);
	return rv == CKR_OK &&
	    same_field(u->lib_manufacturer, info.manufacturerID,
		sizeof(info.manufacturerID)) &&
	    same_field(u->lib_description, info.libraryDescription,
		sizeof(info.libraryDescription)) &&
	    (!u->has_lib_version ||
		(info.libraryVersion.major == u->lib_version.major &&
		    info.libraryVersion.minor == u->lib_version.minor));
}

static int
match_slot(const struct p11_uri *u, const struct burin_token *t)
{
	CK_SLOT_INFO info;
	CK_RV rv;

	if (u->has_slot_id && u->slot_id != t->slot)
		return 0;
	if (u->slot_description == NULL && u->slot_manufacturer == NULL)
		return 1;
	memset(&info, 0, sizeof(info));
	p11_lock(t->m);
	rv = p11_GetSlotInfo(t->m, t->slot, &info);
	p11_unlock(t->m);
	return rv == CKR_OK &&
	    same_field(u->slot_description, info.slotDescription,
		sizeof(info.slotDescription)) &&
	    same_field(u->slot_manufacturer, info.manufacturerID,
		sizeof(info.manufacturerID));
}

int
p11_uri_any_token(const struct p11_uri *u)
{
	return u->word == NULL && u->token == NULL && u->manufacturer == NULL &&
	    u->serial == NULL && u->model == NULL && !u->has_slot_id &&
	    u->slot_description == NULL && u->slot_manufacturer == NULL &&
	    u->lib_manufacturer == NULL && u->lib_description == NULL &&
	    !u->has_lib_version && u->module_path == NULL &&
	    u->module_name == NULL;
}

int
p11_uri_match_token(const struct p11_uri *u, const struct burin_token *t)
{
	if (u->word != NULL)
		return strcmp(u->word, t->label) == 0 ||
		    strcmp(u->word, t->serial) == 0;
	return same(u->token, t->label) &&
	    same(u->manufacturer, t->manufacturer) &&
	    same(u->serial, t->serial) && same(u->model, t->model) &&
	    match_module(u, t->m) && match_slot(u, t) && match_library(u, t->m);
}

int
p11_uri_match_object(const struct p11_uri *u, const unsigned char *id,
    size_t id_len, const char *label)
{
	if (u->has_id &&
	    (u->id_len != id_len ||
		(id_len > 0 && memcmp(u->id, id, id_len) != 0)))
		return 0;
	return same(u->object, label);
}

static void
pad(unsigned char *field, size_t size, const char *s)
{
	memset(field, ' ', size);
	memcpy(field, s, strnlen(s, size));
}

static int
add_attribute(
    P11KitUri *k, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	union {
		const void *in;
		void *out;
	} v = { value };
	CK_ATTRIBUTE a = { type, v.out, len };

	return p11_kit_uri_set_attribute(k, &a) == P11_KIT_URI_OK ? 0 : -1;
}

static int
add_object(P11KitUri *k, const unsigned char *id, size_t id_len,
    const char *label, const char *type)
{
	CK_OBJECT_CLASS cls;

	if (id != NULL && add_attribute(k, CKA_ID, id, id_len) == -1)
		return -1;
	if (label != NULL &&
	    add_attribute(k, CKA_LABEL, label, strlen(label)) == -1)
		return -1;
	if (type == NULL)
		return 0;
	cls = strcmp(type, "cert") == 0	  ? CKO_CERTIFICATE
	    : strcmp(type, "public") == 0 ? CKO_PUBLIC_KEY
					  : CKO_PRIVATE_KEY;
	return add_attribute(k, CKA_CLASS, &cls, sizeof(cls));
}

char *
p11_uri_make(const struct burin_token *t, const unsigned char *id,
    size_t id_len, const char *label, const char *type)
{
	P11KitUri *k = p11_kit_uri_new();
	CK_TOKEN_INFO *ti;
	char *uri = NULL;

	if (k == NULL)
		return NULL;
	ti = p11_kit_uri_get_token_info(k);
	pad(ti->label, sizeof(ti->label), t->label);
	pad(ti->serialNumber, sizeof(ti->serialNumber), t->serial);
	pad(ti->model, sizeof(ti->model), t->model);
	pad(ti->manufacturerID, sizeof(ti->manufacturerID), t->manufacturer);
	/* A blank token is nothing but its slot. */
	if (!t->info.initialized)
		p11_kit_uri_set_slot_id(k, t->slot);
	if (add_object(k, id, id_len, label, type) == -1 ||
	    p11_kit_uri_format(k, P11_KIT_URI_FOR_ANY, &uri) != P11_KIT_URI_OK)
		uri = NULL;
	p11_kit_uri_free(k);
	return uri;
}
