/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the token layer: attribute templates that own their memory, to be
 * sent (PKCS#11 2.40 section 4) or to be filled by C_GetAttributeValue.
 */

#ifndef BURIN_TEMPLATE_H
#define BURIN_TEMPLATE_H

#include <stddef.h>

#include "p11.h"

#define P11_MAX_ATTRS 24 /* attributes in one template */

/* All bytes zero is an empty template. Free its contents with attrs_clear. */
struct attrs {
	CK_ATTRIBUTE a[P11_MAX_ATTRS];
	void *own[P11_MAX_ATTRS];   /* pValue, whatever a module makes of it */
	size_t room[P11_MAX_ATTRS]; /* bytes there */
	CK_ULONG n;
	int failed; /* an attribute could not be added */
};

/* --- to be sent: values are copied; failures show in attrs_ok ---------- */

void attrs_add(
    struct attrs *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len);
void attrs_add_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type, int value);
void attrs_add_number(struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
/* A class on the token: what nearly every search begins with. */
void attrs_add_class(struct attrs *t, CK_OBJECT_CLASS cls);

/* --- to be filled ------------------------------------------------------ */

void attrs_room(struct attrs *t, CK_ATTRIBUTE_TYPE type, size_t size);
void attrs_room_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type);
void attrs_room_number(struct attrs *t, CK_ATTRIBUTE_TYPE type);
/* The full rooms again, for the next object. */
void attrs_reset(struct attrs *t);

/* The attribute, or NULL when the token did not give it. */
const CK_ATTRIBUTE *attrs_get(const struct attrs *t, CK_ATTRIBUTE_TYPE type);
/* Its bytes; *len 0 (and NULL) when the token did not give it. */
const unsigned char *attrs_bytes(
    const struct attrs *t, CK_ATTRIBUTE_TYPE type, size_t *len);
/* 1, 0, or otherwise when the token did not give it or it is malformed. */
int attrs_bool(const struct attrs *t, CK_ATTRIBUTE_TYPE type, int otherwise);
CK_ULONG
attrs_number(const struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);

/* -1 with e set when memory or P11_MAX_ATTRS was not enough. */
int attrs_ok(const struct attrs *t, struct burin_error *e);
/* Zeroes and frees the values; t is empty again. */
void attrs_clear(struct attrs *t);

#endif
