/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Objects of the mock (PKCS#11 2.40 sections 4 and 5.7).
 */

#include <stdlib.h>
#include <string.h>

#include "mock.h"

void
object_free(struct object *o)
{
	CK_ULONG i;

	if (o == NULL)
		return;
	for (i = 0; i < o->n; i++)
		free(o->a[i].pValue);
	o->n = 0;
}

const CK_ATTRIBUTE *
object_get(const struct object *o, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG i;

	for (i = 0; i < o->n; i++)
		if (o->a[i].type == type)
			return &o->a[i];
	return NULL;
}

CK_ULONG
object_ulong(const struct object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise)
{
	const CK_ATTRIBUTE *a = object_get(o, type);
	CK_ULONG value;

	if (a == NULL || a->ulValueLen != sizeof(value))
		return otherwise;
	memcpy(&value, a->pValue, sizeof(value));
	return value;
}

int
object_bool(const struct object *o, CK_ATTRIBUTE_TYPE type, int otherwise)
{
	const CK_ATTRIBUTE *a = object_get(o, type);

	if (a == NULL || a->ulValueLen != 1)
		return otherwise;
	return *(const unsigned char *)a->pValue != 0;
}

int
object_set(
    struct object *o, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	CK_ULONG i;
	void *copy;

	for (i = 0; i < o->n; i++)
		if (o->a[i].type == type)
			break;
	if (i == MAX_ATTRIBUTES || len > MAX_VALUE ||
	    (copy = malloc(len + 1)) == NULL)
		return 0;
	if (len > 0)
		memcpy(copy, value, len);
	if (i == o->n)
		o->n++;
	else
		free(o->a[i].pValue);
	o->a[i].type = type;
	o->a[i].pValue = copy;
	o->a[i].ulValueLen = len;
	return 1;
}

int
object_set_bool(struct object *o, CK_ATTRIBUTE_TYPE type, int value)
{
	CK_BBOOL b = value ? CK_TRUE : CK_FALSE;

	return object_set(o, type, &b, sizeof(b));
}

int
object_set_ulong(struct object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	return object_set(o, type, &value, sizeof(value));
}

int
object_fill(struct object *o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	CK_ULONG i;

	for (i = 0; i < n; i++)
		if (!object_set(o, a[i].type, a[i].pValue, a[i].ulValueLen))
			return 0;
	return 1;
}

static int
is_private(const struct object *o)
{
	CK_OBJECT_CLASS cls = object_ulong(o, CKA_CLASS, CKO_DATA);

	return object_bool(o, CKA_PRIVATE, cls == CKO_PRIVATE_KEY);
}

static int
is_key(const struct object *o)
{
	CK_OBJECT_CLASS cls = object_ulong(o, CKA_CLASS, CKO_DATA);

	return cls == CKO_PRIVATE_KEY || cls == CKO_SECRET_KEY;
}

CK_RV
object_find(const struct session *s, CK_OBJECT_HANDLE h, struct object *o)
{
	if (store_load(s->slot, h, o) &&
	    (!is_private(o) || session_user(s->slot) == USER))
		return CKR_OK;
	object_free(o);
	return CKR_OBJECT_HANDLE_INVALID;
}

CK_RV
object_may_write(const struct session *s, const struct object *o)
{
	if (object_bool(o, CKA_TOKEN, 0) && !s->rw)
		return CKR_SESSION_READ_ONLY;
	if (is_private(o) && session_user(s->slot) != USER &&
	    !family_officer_writes())
		return CKR_USER_NOT_LOGGED_IN;
	return CKR_OK;
}

static CK_RV
check_new(const struct object *o)
{
	static const CK_ATTRIBUTE_TYPE of_certificate[] = {
		CKA_CERTIFICATE_TYPE, CKA_VALUE, CKA_SUBJECT
	};
	size_t i;

	switch (object_ulong(o, CKA_CLASS, ~0UL)) {
	case CKO_CERTIFICATE:
		for (i = 0; i < 3; i++)
			if (object_get(o, of_certificate[i]) == NULL)
				return CKR_TEMPLATE_INCOMPLETE;
		return CKR_OK;
	case CKO_PUBLIC_KEY:
	case CKO_DATA:
		return CKR_OK;
	case ~0UL:
		return CKR_TEMPLATE_INCOMPLETE;
	default:
		/* Keys are born on this token or not at all. */
		return CKR_TEMPLATE_INCONSISTENT;
	}
}

/* What becomes of a certificate that the token says it took. */
static int
keep(CK_SLOT_ID slot, struct object *o)
{
	const CK_ATTRIBUTE *value = object_get(o, CKA_VALUE);

	if (object_ulong(o, CKA_CLASS, ~0UL) != CKO_CERTIFICATE ||
	    mock_conf->cert_fate == CERT_KEPT || value->ulValueLen == 0)
		return store_save(slot, o);
	if (mock_conf->cert_fate == CERT_DAMAGED) {
		((unsigned char *)value->pValue)[value->ulValueLen - 1] ^= 1;
		return store_save(slot, o);
	}
	if (!store_save(slot, o))
		return 0;
	store_remove(slot, o->handle);
	return 1;
}

CK_RV
mock_CreateObject(
    CK_SESSION_HANDLE h, CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
	struct session *s = session_of(h);
	struct object o;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	memset(&o, 0, sizeof(o));
	if (!object_fill(&o, a, n))
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
	else if ((rv = check_new(&o)) == CKR_OK &&
	    (rv = object_may_write(s, &o)) == CKR_OK &&
	    (rv = family_may_create(s, &o)) == CKR_OK) {
		family_take_place(s->slot, &o);
		if (keep(s->slot, &o) && family_created(s->slot, &o))
			*out = o.handle;
		else
			rv = CKR_DEVICE_MEMORY;
	}
	object_free(&o);
	return rv;
}

CK_RV
mock_DestroyObject(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object)
{
	struct session *s = session_of(h);
	struct object o;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if ((rv = object_find(s, object, &o)) != CKR_OK)
		return rv;
	if ((rv = object_may_write(s, &o)) == CKR_OK &&
	    (rv = family_may_write(s)) == CKR_OK && !family_keeps(&o))
		store_remove(s->slot, object);
	object_free(&o);
	return rv;
}

/* One value, with the lengths of section 5.7.5. */
static CK_RV
give(const struct object *o, CK_ATTRIBUTE *want)
{
	const CK_ATTRIBUTE *a = object_get(o, want->type);
	CK_RV rv = CKR_OK;

	if (want->type == CKA_MOCK_PKCS8)
		a = NULL;
	if (is_key(o) &&
	    (object_bool(o, CKA_SENSITIVE, 0) ||
		!object_bool(o, CKA_EXTRACTABLE, 1))) {
		if (want->type == CKA_VALUE ||
		    (want->type >= CKA_PRIVATE_EXPONENT &&
			want->type <= CKA_COEFFICIENT)) {
			want->ulValueLen = (CK_ULONG)-1;
			return CKR_ATTRIBUTE_SENSITIVE;
		}
	}
	if (a == NULL) {
		want->ulValueLen = (CK_ULONG)-1;
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	if (want->pValue == NULL) {
		want->ulValueLen = a->ulValueLen;
		return CKR_OK;
	}
	if (want->ulValueLen < a->ulValueLen) {
		want->ulValueLen = (CK_ULONG)-1;
		rv = CKR_BUFFER_TOO_SMALL;
	} else {
		memcpy(want->pValue, a->pValue, a->ulValueLen);
		want->ulValueLen = a->ulValueLen;
		if (family_mute(o, want->type))
			memset(want->pValue, 0, a->ulValueLen);
	}
	return rv;
}

CK_RV
mock_GetAttributeValue(
    CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct session *s = session_of(h);
	struct object o;
	CK_ULONG i;
	CK_RV rv, one;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if ((rv = object_find(s, object, &o)) != CKR_OK)
		return rv;
	for (i = 0; i < n; i++)
		if ((one = give(&o, &a[i])) != CKR_OK)
			rv = one;
	object_free(&o);
	return rv;
}

CK_RV
mock_SetAttributeValue(
    CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct session *s = session_of(h);
	struct object o;
	CK_ULONG i;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if ((rv = object_find(s, object, &o)) != CKR_OK)
		return rv;
	rv = object_may_write(s, &o);
	if (rv == CKR_OK)
		rv = mock_conf->places ? CKR_FUNCTION_NOT_SUPPORTED
				       : family_may_write(s);
	for (i = 0; rv == CKR_OK && i < n; i++)
		if (a[i].type != CKA_ID && a[i].type != CKA_LABEL &&
		    a[i].type != CKA_SUBJECT)
			rv = CKR_ATTRIBUTE_READ_ONLY;
	if (rv == CKR_OK &&
	    (!object_fill(&o, a, n) || !store_save(s->slot, &o)))
		rv = CKR_DEVICE_MEMORY;
	object_free(&o);
	return rv;
}

static int
matches(const struct object *o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	const CK_ATTRIBUTE *have;
	CK_ULONG i;

	for (i = 0; i < n; i++) {
		have = object_get(o, a[i].type);
		if (have == NULL || have->ulValueLen != a[i].ulValueLen ||
		    memcmp(have->pValue, a[i].pValue, a[i].ulValueLen) != 0)
			return 0;
	}
	return 1;
}

CK_RV
mock_FindObjectsInit(CK_SESSION_HANDLE h, CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct session *s = session_of(h);
	struct object o;
	size_t i, all;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (s->finding)
		return CKR_OPERATION_ACTIVE;
	if ((s->found = calloc(MAX_OBJECTS, sizeof(*s->found))) == NULL)
		return CKR_HOST_MEMORY;
	all = store_list(s->slot, s->found, MAX_OBJECTS);
	s->finding = 1;
	s->n_found = s->next = 0;
	for (i = 0; i < all; i++) {
		if (object_find(s, s->found[i], &o) != CKR_OK)
			continue;
		if (matches(&o, a, n))
			s->found[s->n_found++] = s->found[i];
		object_free(&o);
	}
	return CKR_OK;
}

CK_RV
mock_FindObjects(
    CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *n)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (!s->finding)
		return CKR_OPERATION_NOT_INITIALIZED;
	for (*n = 0; *n < max && s->next < s->n_found; ++*n)
		out[*n] = s->found[s->next++];
	return CKR_OK;
}

CK_RV
mock_FindObjectsFinal(CK_SESSION_HANDLE h)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (!s->finding)
		return CKR_OPERATION_NOT_INITIALIZED;
	free(s->found);
	s->found = NULL;
	s->finding = 0;
	return CKR_OK;
}
