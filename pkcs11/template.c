/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Attribute templates that own their memory (PKCS#11 2.40 section 4).
 */

#include <string.h>

#include <openssl/crypto.h>

#include "template.h"

static void *
append(struct attrs *t, CK_ATTRIBUTE_TYPE type, size_t len)
{
	CK_ATTRIBUTE *a = &t->a[t->n];

	if (t->n == P11_MAX_ATTRS ||
	    (a->pValue = OPENSSL_zalloc(len > 0 ? len : 1)) == NULL) {
		t->failed = 1;
		return NULL;
	}
	a->type = type;
	t->own[t->n] = a->pValue;
	a->ulValueLen = t->room[t->n] = len;
	t->n++;
	return a->pValue;
}

void
attrs_add(
    struct attrs *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	void *p = append(t, type, len);

	if (p != NULL && len > 0)
		memcpy(p, value, len);
}

void
attrs_add_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type, int value)
{
	CK_BBOOL b = value ? CK_TRUE : CK_FALSE;

	attrs_add(t, type, &b, sizeof(b));
}

void
attrs_add_number(struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	attrs_add(t, type, &value, sizeof(value));
}

void
attrs_add_class(struct attrs *t, CK_OBJECT_CLASS cls)
{
	attrs_add_number(t, CKA_CLASS, cls);
	attrs_add_bool(t, CKA_TOKEN, 1);
}

void
attrs_room(struct attrs *t, CK_ATTRIBUTE_TYPE type, size_t size)
{
	(void)append(t, type, size);
}

void
attrs_room_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type)
{
	attrs_room(t, type, sizeof(CK_BBOOL));
}

void
attrs_room_number(struct attrs *t, CK_ATTRIBUTE_TYPE type)
{
	attrs_room(t, type, sizeof(CK_ULONG));
}

void
attrs_reset(struct attrs *t)
{
	CK_ULONG i;

	/* tpm2-pkcs11 1.9 sets pValue of what an object lacks to NULL. */
	for (i = 0; i < t->n; i++) {
		t->a[i].pValue = t->own[i];
		t->a[i].ulValueLen = t->room[i];
	}
}

const CK_ATTRIBUTE *
attrs_get(const struct attrs *t, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG i;

	for (i = 0; i < t->n; i++)
		/* Absent is (CK_ULONG)-1, which no room can hold. */
		if (t->a[i].type == type && t->a[i].pValue == t->own[i] &&
		    t->a[i].ulValueLen <= t->room[i])
			return &t->a[i];
	return NULL;
}

const unsigned char *
attrs_bytes(const struct attrs *t, CK_ATTRIBUTE_TYPE type, size_t *len)
{
	const CK_ATTRIBUTE *a = attrs_get(t, type);

	*len = a != NULL ? a->ulValueLen : 0;
	return *len > 0 ? a->pValue : NULL;
}

int
attrs_bool(const struct attrs *t, CK_ATTRIBUTE_TYPE type, int otherwise)
{
	const CK_ATTRIBUTE *a = attrs_get(t, type);
	CK_BBOOL b;

	if (a == NULL || a->ulValueLen != sizeof(b))
		return otherwise;
	memcpy(&b, a->pValue, sizeof(b));
	return b != CK_FALSE;
}

CK_ULONG
attrs_number(const struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise)
{
	const CK_ATTRIBUTE *a = attrs_get(t, type);
	CK_ULONG v;

	if (a == NULL || a->ulValueLen != sizeof(v))
		return otherwise;
	memcpy(&v, a->pValue, sizeof(v));
	return v;
}

int
attrs_ok(const struct attrs *t, struct burin_error *e)
{
	return t->failed ? burin_fail_memory(e) : 0;
}

void
attrs_clear(struct attrs *t)
{
	CK_ULONG i;

	for (i = 0; i < t->n; i++)
		OPENSSL_clear_free(t->own[i], t->room[i]);
	memset(t, 0, sizeof(*t));
}
