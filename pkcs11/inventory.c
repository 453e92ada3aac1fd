/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything on a token: one search, then one C_GetAttributeValue for each
 * object, whatever it is (PKCS#11 2.40 section 5.7: attributes that an object
 * does not have are marked, the others are filled).
 */

#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "uri.h"

static void
rooms(struct attrs *a)
{
	attrs_room_number(a, CKA_CLASS);
	p11_private_rooms(a);
	attrs_room(a, CKA_MODULUS, P11_MAX_MODULUS + 1);
	attrs_room(a, CKA_PUBLIC_EXPONENT, P11_MAX_EXPONENT);
	attrs_room(a, CKA_EC_PARAMS, P11_MAX_PARAMS);
	attrs_room(a, CKA_EC_POINT, P11_MAX_POINT);
	attrs_room(a, CKA_PUBLIC_KEY_INFO, P11_MAX_SPKI);
	attrs_room(a, CKA_VALUE, BURIN_MAX_CERT);
}

static enum burin_object_class
class_of(const struct attrs *a)
{
	switch (attrs_number(a, CKA_CLASS, CK_UNAVAILABLE_INFORMATION)) {
	case CKO_PRIVATE_KEY:
		return BURIN_OBJECT_PRIVATE;
	case CKO_PUBLIC_KEY:
		return BURIN_OBJECT_PUBLIC;
	case CKO_CERTIFICATE:
		return BURIN_OBJECT_CERT;
	default:
		return BURIN_OBJECT_OTHER;
	}
}

static void
fill(struct burin_token *t, struct burin_object *o, const struct attrs *a)
{
	struct p11_pubkey values;

	o->cls = class_of(a);
	p11_names_from(a, o->id, &o->id_len, o->label);
	if (o->cls == BURIN_OBJECT_CERT)
		o->cert = p11_cert_from(a);
	if (o->cls == BURIN_OBJECT_PRIVATE || o->cls == BURIN_OBJECT_PUBLIC) {
		p11_pubkey_from(a, &values);
		/* A key that is wrong is shown without its public half. */
		o->public_key = p11_pubkey_make(&values, NULL);
		o->key_type = burin_key_type_of(o->public_key);
	}
	if (o->cls == BURIN_OBJECT_PRIVATE) {
		o->usage = p11_usage_from(a, 0);
		o->always_authenticate =
		    attrs_bool(a, CKA_ALWAYS_AUTHENTICATE, 0);
		o->protected_key = p11_is_protected(t, a);
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct burin_object *const *x = a, *const *y = b;

	if ((*x)->id_len != (*y)->id_len)
		return (*x)->id_len < (*y)->id_len ? -1 : 1;
	return memcmp((*x)->id, (*y)->id, (*x)->id_len);
}

/* Several keys under one CKA_ID: which is whose, nobody can tell. */
static int
only_one(const struct burin_object *const *pub,
    const struct burin_object *const *first,
    const struct burin_object *const *end)
{
	const struct burin_object *const *p;

	for (p = pub; p > first && by_id(p - 1, pub) == 0; p--)
		continue;
	for (; p < end && by_id(p, pub) == 0; p++)
		if (EVP_PKEY_eq((*p)->public_key, (*pub)->public_key) != 1)
			return 0;
	return 1;
}

/* A private key often does not know its public values: its other half does. */
static int
lend_public(struct burin_object *objects, size_t n, struct burin_error *e)
{
	const struct burin_object **pubs, **pub, *key;
	size_t i, n_pubs = 0;
	int rc = -1;

	if ((pubs = calloc(n + 1, sizeof(*pubs))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++)
		if (objects[i].cls == BURIN_OBJECT_PUBLIC &&
		    objects[i].public_key != NULL && objects[i].id_len > 0)
			pubs[n_pubs++] = &objects[i];
	qsort(pubs, n_pubs, sizeof(*pubs), by_id);
	for (i = 0; i < n; i++) {
		key = &objects[i];
		if (key->cls != BURIN_OBJECT_PRIVATE || key->public_key != NULL)
			continue;
		pub = bsearch(&key, pubs, n_pubs, sizeof(*pubs), by_id);
		if (pub == NULL || !only_one(pub, pubs, pubs + n_pubs))
			continue;
		if (!EVP_PKEY_up_ref((*pub)->public_key)) {
			burin_fail_memory(e);
			goto out;
		}
		objects[i].public_key = (*pub)->public_key;
		objects[i].key_type = (*pub)->key_type;
	}
	rc = 0;
out:
	free(pubs);
	return rc;
}

static int
read_all(struct burin_token *t, CK_SESSION_HANDLE s,
    const CK_OBJECT_HANDLE *list, size_t n, struct burin_object *objects,
    struct burin_error *e)
{
	struct attrs a = { 0 };
	size_t i;
	int rc = -1;

	rooms(&a);
	for (i = 0; i < n; i++) {
		attrs_reset(&a);
		if (p11_read(t, s, list[i], &a, e) == -1)
			goto out;
		fill(t, &objects[i], &a);
	}
	rc = lend_public(objects, n, e);
out:
	/* Of a key that is not sensitive, VALUE was the secret. */
	attrs_clear(&a);
	return rc;
}

/* match goes. */
static int
objects_matching(struct burin_token *t, struct attrs *match,
    struct burin_object **out, size_t *n, struct burin_error *e)
{
	struct burin_object *objects = NULL;
	CK_OBJECT_HANDLE *list = NULL;
	CK_SESSION_HANDLE s;
	size_t count = 0;
	int rc = -1;

	*out = NULL;
	*n = 0;
	p11_lock(t->m);
	if (attrs_ok(match, e) == -1 || p11_work_session(t, &s, e) == -1 ||
	    p11_find(t, s, match->a, match->n, BURIN_MAX_OBJECTS, &list, &count,
		e) == -1)
		goto out;
	objects = calloc(count + 1, sizeof(*objects));
	if (objects == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (read_all(t, s, list, count, objects, e) == -1)
		goto out;
	*out = objects;
	*n = count;
	objects = NULL;
	rc = 0;
out:
	p11_unlock(t->m);
	burin_objects_free(&objects, count);
	free(list);
	attrs_clear(match);
	return rc == 0 ? 0 : burin_error_step(e, "inventory");
}

int
burin_token_objects(struct burin_token *t, struct burin_object **out, size_t *n,
    struct burin_error *e)
{
	struct attrs match = { 0 };

	attrs_add_bool(&match, CKA_TOKEN, 1);
	return objects_matching(t, &match, out, n, e);
}

int
burin_token_objects_id(struct burin_token *t, const unsigned char *id,
    size_t id_len, struct burin_object **out, size_t *n, struct burin_error *e)
{
	struct attrs match = { 0 };

	attrs_add_bool(&match, CKA_TOKEN, 1);
	attrs_add(&match, CKA_ID, id, id_len);
	return objects_matching(t, &match, out, n, e);
}

void
burin_objects_free(struct burin_object **objects, size_t n)
{
	size_t i;

	if (objects == NULL || *objects == NULL)
		return;
	for (i = 0; i < n; i++) {
		EVP_PKEY_free((*objects)[i].public_key);
		X509_free((*objects)[i].cert);
	}
	free(*objects);
	*objects = NULL;
}

char *
burin_object_uri(const struct burin_token *t, const struct burin_object *o)
{
	static const char *const types[] = {
		[BURIN_OBJECT_PRIVATE] = "private",
		[BURIN_OBJECT_PUBLIC] = "public",
		[BURIN_OBJECT_CERT] = "cert",
		[BURIN_OBJECT_OTHER] = NULL,
	};

	return p11_uri_make(t, o->id_len > 0 ? o->id : NULL, o->id_len,
	    o->label[0] != '\0' ? o->label : NULL, types[o->cls]);
}
