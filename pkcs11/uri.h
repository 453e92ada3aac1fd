/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the token layer: what an RFC 7512 URI or a bare word names.
 */

#ifndef BURIN_P11_URI_H
#define BURIN_P11_URI_H

#include <stddef.h>

#include "p11.h"

#define P11_MAX_URI 4096 /* characters of one URI or bare word */

/*
 * Strings are percent-decoded and without trailing blanks. NULL: the
 * attribute is absent and anything matches; "": the field must be empty.
 */
struct p11_uri {
	char *word; /* a bare word (all else is absent), or NULL */
	/* token */
	char *token, *manufacturer, *serial, *model;
	/* slot */
	int has_slot_id;
	CK_SLOT_ID slot_id;
	char *slot_description, *slot_manufacturer;
	/* module */
	char *lib_manufacturer, *lib_description;
	int has_lib_version;
	CK_VERSION lib_version;
	char *module_path, *module_name;
	/* object */
	int has_id;
	unsigned char id[BURIN_MAX_ID];
	size_t id_len;
	char *object;  /* CKA_LABEL */
	int has_class; /* type= */
	CK_OBJECT_CLASS cls;
	/* PIN: never a value, never a command */
	char *pin_source;
};

/*
 * text is an RFC 7512 URI ("pkcs11:...") or else a bare word. Malformed,
 * unknown path attributes, an attribute twice, a PIN in the URI, a pin-source
 * command: BURIN_EUSAGE. Errors never quote the query part of a URI. NULL
 * text: everything absent. Free with p11_uri_free.
 */
int p11_uri_parse(
    struct p11_uri **out, const char *text, struct burin_error *e);
/* Frees, sets *u to NULL; accepts NULL and a pointer to NULL. */
void p11_uri_free(struct p11_uri **u);

/* 1 when u says nothing of token, slot or module: every token matches. */
int p11_uri_any_token(const struct p11_uri *u);
/*
 * 1 when t is what u names by token, slot and module attributes, or when the
 * bare word is its whole label or serial number; 0 when not. Object
 * attributes are left aside. Takes the module's lock when it must ask the
 * module for slot-description or library attributes.
 */
int p11_uri_match_token(const struct p11_uri *u, const struct burin_token *t);
/*
 * 1 when an object with this CKA_ID and CKA_LABEL is what u names by id and
 * object; absent attributes and bare words match every object. type= is not
 * looked at (the caller knows the class it wants; see has_class).
 */
int p11_uri_match_object(const struct p11_uri *u, const unsigned char *id,
    size_t id_len, const char *label);

/*
 * What a message may show of text: the path part of a URI without its query,
 * at most BURIN_ERROR_TEXT / 2 characters. buf is returned.
 */
const char *p11_uri_show(const char *text, char *buf, size_t size);

/*
 * The RFC 7512 URI of token t and, when id or label are not NULL, of an
 * object on it; type is "private", "public", "cert" or NULL. free() it; NULL
 * when out of memory.
 */
char *p11_uri_make(const struct burin_token *t, const unsigned char *id,
    size_t id_len, const char *label, const char *type);

#endif
