/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding private keys and the public half that belongs to each (PKCS#11
 * 2.40 sections 4.8 and 4.9; RFC 7512).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "object.h"
#include "quirk.h"
#include "uri.h"

#define MAX_KEYS 4096 /* private keys that one search may give */
#define MAX_NAMED 8   /* of them in a message */

int
p11_find_id(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_CLASS cls,
    const unsigned char *id, size_t id_len, CK_OBJECT_HANDLE **out, size_t *n,
    struct burin_error *e)
{
	struct attrs match = { 0 };
	int rc = -1;

	*out = NULL;
	*n = 0;
	attrs_add_class(&match, cls);
	attrs_add(&match, CKA_ID, id, id_len);
	if (attrs_ok(&match, e) == 0)
		rc = p11_find(
		    t, s, match.a, match.n, P11_MAX_SAME_ID, out, n, e);
	attrs_clear(&match);
	return rc;
}

/* --- the public half ------------------------------------------------------ */

static void
public_rooms(struct attrs *a, CK_KEY_TYPE kt)
{
	attrs_room_number(a, CKA_KEY_TYPE);
	/* Only what exists: asking for more is an error to most modules. */
	if (kt == CKK_RSA || kt == CK_UNAVAILABLE_INFORMATION) {
		attrs_room(a, CKA_MODULUS, P11_MAX_MODULUS + 1);
		attrs_room(a, CKA_PUBLIC_EXPONENT, P11_MAX_EXPONENT);
	}
	if (kt != CKK_RSA) {
		attrs_room(a, CKA_EC_PARAMS, P11_MAX_PARAMS);
		attrs_room(a, CKA_EC_POINT, P11_MAX_POINT);
	}
}

int
p11_public_read(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    CK_KEY_TYPE kt, EVP_PKEY **out, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct p11_pubkey values;
	struct attrs a = { 0 };
	int rc = -1;

	*out = NULL;
	public_rooms(&a, kt);
	if (kt == CK_UNAVAILABLE_INFORMATION)
		attrs_room(&a, CKA_PUBLIC_KEY_INFO, P11_MAX_SPKI);
	if (p11_read(t, s, o, &a, e) == 0) {
		p11_pubkey_from(&a, &values);
		*out = p11_pubkey_make(&values, &why);
		rc = 0;
	}
	attrs_clear(&a);
	if (rc == 0 && why.status != BURIN_OK) {
		rc = -1;
		burin_error_token(&why, "%s", t->name);
		if (e != NULL && e->status == BURIN_OK)
			*e = why;
	}
	return rc;
}

/* Public key objects with k's CKA_ID: one, or several of the same key. */
static int
public_from_objects(struct burin_key *k, CK_SESSION_HANDLE s, CK_KEY_TYPE kt,
    struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	EVP_PKEY *pub = NULL;
	size_t i, n;
	int rc = -1;

	if (k->id_len == 0)
		return 0;
	if (p11_find_id(
		k->t, s, CKO_PUBLIC_KEY, k->id, k->id_len, &list, &n, e) == -1)
		goto out;
	for (i = 0; i < n; i++) {
		if (p11_public_read(k->t, s, list[i], kt, &pub, e) == -1)
			goto out;
		if (pub == NULL)
			continue;
		if (k->public_key == NULL) {
			k->pub = list[i];
			p11_key_set_public(k, pub);
			pub = NULL;
		} else if (EVP_PKEY_eq(k->public_key, pub) != 1) {
			burin_fail(e, BURIN_ETOKEN, "key-ambiguous",
			    "several public keys have the CKA_ID of the key");
			burin_error_token(e, "%s", k->t->name);
			burin_error_advice(
			    e, "give one of the pairs another CKA_ID");
			goto out;
		}
		EVP_PKEY_free(pub);
		pub = NULL;
	}
	rc = 0;
out:
	EVP_PKEY_free(pub);
	free(list);
	return rc;
}

/* All certificates under the CKA_ID must be of one key to speak for it. */
static int
public_from_certs(
    struct burin_key *k, CK_SESSION_HANDLE s, struct burin_error *e)
{
	struct id_certs certs = { 0 };
	EVP_PKEY *pub = NULL, *other;
	size_t i;

	if (k->id_len == 0)
		return 0;
	if (p11_id_search_certs(k, s, &certs, e) == -1)
		return -1;
	for (i = 0; i < certs.n; i++) {
		other = X509_get0_pubkey(certs.list[i].cert);
		if (pub != NULL && other != NULL &&
		    EVP_PKEY_eq(pub, other) != 1)
			break;
		if (pub == NULL)
			pub = other;
	}
	if (i == certs.n && pub != NULL && EVP_PKEY_up_ref(pub))
		p11_key_set_public(k, pub);
	p11_id_certs_clear(&certs);
	return 0;
}

/* From the public object; else the private one; else a certificate. */
static int
load_public(struct burin_key *k, CK_SESSION_HANDLE s, CK_KEY_TYPE kt,
    struct burin_error *e)
{
	EVP_PKEY *pub;

	if (public_from_objects(k, s, kt, e) == -1)
		return -1;
	if (k->public_key != NULL)
		return 0;
	if (p11_public_read(
		k->t, s, k->priv, CK_UNAVAILABLE_INFORMATION, &pub, e) == -1)
		return -1;
	p11_key_set_public(k, pub);
	return pub != NULL ? 0 : public_from_certs(k, s, e);
}

/* --- the private half ----------------------------------------------------- */

void
p11_private_rooms(struct attrs *a)
{
	attrs_room_number(a, CKA_KEY_TYPE);
	attrs_room(a, CKA_ID, BURIN_MAX_ID);
	attrs_room(a, CKA_LABEL, BURIN_MAX_LABEL);
	attrs_room_bool(a, CKA_SENSITIVE);
	attrs_room_bool(a, CKA_EXTRACTABLE);
	attrs_room_bool(a, CKA_NEVER_EXTRACTABLE);
	attrs_room_bool(a, CKA_ALWAYS_AUTHENTICATE);
	attrs_room_bool(a, CKA_SIGN);
	attrs_room_bool(a, CKA_DECRYPT);
	attrs_room_bool(a, CKA_DERIVE);
}

void
p11_private_take(struct burin_key *k, const struct attrs *a)
{
	p11_names_from(a, k->id, &k->id_len, k->label);
	k->usage = p11_usage_from(a, k->usage);
	k->always_auth = attrs_bool(a, CKA_ALWAYS_AUTHENTICATE, 0);
}

int
p11_key_load(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct burin_error *e)
{
	struct attrs a = { 0 };
	CK_KEY_TYPE kt;
	int rc = -1;

	p11_private_rooms(&a);
	if (p11_read(k->t, s, o, &a, e) == -1)
		goto out;
	k->priv = o;
	k->generation = k->t->generation;
	p11_private_take(k, &a);
	kt = attrs_number(&a, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
	rc = load_public(k, s, kt, e);
out:
	attrs_clear(&a);
	return rc;
}

static int
load_one(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct burin_key **out, struct burin_error *e)
{
	struct burin_key *k;

	if ((k = p11_key_new(t, e)) == NULL || p11_key_load(k, s, o, e) == -1) {
		burin_key_free(&k);
		return -1;
	}
	*out = k;
	return 0;
}

/* --- by name -------------------------------------------------------------- */

static int
fail_missing(const struct burin_token *t, struct burin_error *e)
{
	burin_fail(e, BURIN_ETOKEN, "key-missing",
	    "the token has no such private key");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(
	    e, "burin tokens shows the keys that are there and their names");
}

/* Keys as they are told from each other: 'label' id 0a1b. */
static int
fail_ambiguous(struct burin_token *t, CK_SESSION_HANDLE s,
    const CK_OBJECT_HANDLE *list, size_t n, struct burin_error *e)
{
	char text[BURIN_ERROR_TEXT / 2], label[BURIN_MAX_LABEL + 1], *hex;
	unsigned char id[BURIN_MAX_ID];
	struct attrs a = { 0 };
	size_t i, len, used = 0;

	text[0] = '\0';
	attrs_room(&a, CKA_ID, BURIN_MAX_ID);
	attrs_room(&a, CKA_LABEL, BURIN_MAX_LABEL);
	for (i = 0; i < n && i < MAX_NAMED && used < sizeof(text) - 1; i++) {
		attrs_reset(&a);
		if (p11_read(t, s, list[i], &a, NULL) == -1)
			break;
		p11_names_from(&a, id, &len, label);
		hex = burin_hex(id, len);
		(void)snprintf(text + used, sizeof(text) - used,
		    "%s'%.40s' id %.40s", i > 0 ? ", " : "", label,
		    hex != NULL ? hex : "?");
		used = strlen(text);
		free(hex);
	}
	attrs_clear(&a);
	burin_fail(e, BURIN_ETOKEN, "key-ambiguous",
	    "%zu private keys have that name: %s%s", n, text,
	    i < n ? " and others" : "");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(
	    e, "name one of them by its id, as in pkcs11:...;id=%%0a%%1b");
}

static int
one_of(struct burin_token *t, CK_SESSION_HANDLE s, const CK_OBJECT_HANDLE *list,
    size_t n, struct burin_key **out, struct burin_error *e)
{
	if (n == 0)
		return fail_missing(t, e);
	if (n > 1)
		return fail_ambiguous(t, s, list, n, e);
	return load_one(t, s, list[0], out, e);
}

int
burin_key_find_id(struct burin_token *t, const unsigned char *id, size_t id_len,
    struct burin_key **out, struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	CK_SESSION_HANDLE s;
	size_t n;
	int rc = -1;

	*out = NULL;
	p11_lock(t->m);
	if (burin_token_login(t, e) == -1 || p11_work_session(t, &s, e) == -1)
		goto out;
	if (p11_find_id(t, s, CKO_PRIVATE_KEY, id, id_len, &list, &n, e) == -1)
		goto out;
	rc = one_of(t, s, list, n, out, e);
out:
	free(list);
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "find");
}

/* The device's own key (F9 of a PIV token) is meant only when it is named. */
static int
is_for_use(struct burin_token *t, const struct p11_uri *u,
    const unsigned char *id, size_t len)
{
	return u->has_id || p11_quirk(t)->places == NULL ||
	    burin_token_place_of(t, id, len) != NULL;
}

/* Handles whose CKA_ID and CKA_LABEL are both what u says. */
static int
keep_matching(struct burin_token *t, CK_SESSION_HANDLE s,
    const struct p11_uri *u, CK_OBJECT_HANDLE *list, size_t *n,
    struct burin_error *e)
{
	unsigned char id[BURIN_MAX_ID];
	char label[BURIN_MAX_LABEL + 1];
	size_t i, len, kept = 0;
	struct attrs a = { 0 };
	int rc = -1;

	attrs_room(&a, CKA_ID, BURIN_MAX_ID);
	attrs_room(&a, CKA_LABEL, BURIN_MAX_LABEL);
	for (i = 0; i < *n; i++) {
		attrs_reset(&a);
		if (p11_read(t, s, list[i], &a, e) == -1)
			goto out;
		p11_names_from(&a, id, &len, label);
		if (p11_uri_match_object(u, id, len, label) &&
		    is_for_use(t, u, id, len))
			list[kept++] = list[i];
	}
	*n = kept;
	rc = 0;
out:
	attrs_clear(&a);
	return rc;
}

/* Searched for by what u has, so that other keys cost nothing. */
static int
find_named(struct burin_token *t, CK_SESSION_HANDLE s, const struct p11_uri *u,
    CK_OBJECT_HANDLE **list, size_t *n, struct burin_error *e)
{
	struct attrs match = { 0 };
	int rc = -1;

	attrs_add_class(&match, CKO_PRIVATE_KEY);
	if (u->has_id)
		attrs_add(&match, CKA_ID, u->id, u->id_len);
	else if (u->object != NULL)
		attrs_add(&match, CKA_LABEL, u->object, strlen(u->object));
	if (attrs_ok(&match, e) == -1 ||
	    p11_find(t, s, match.a, match.n, MAX_KEYS, list, n, e) == -1)
		goto out;
	if ((u->has_id && u->object != NULL) ||
	    (*n > 1 && p11_quirk(t)->places != NULL))
		rc = keep_matching(t, s, u, *list, n, e);
	else
		rc = 0;
out:
	attrs_clear(&match);
	return rc;
}

int
burin_key_find(struct burin_p11 *p11, const char *uri, struct burin_key **out,
    struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	struct p11_uri *u = NULL;
	struct burin_token *t;
	CK_SESSION_HANDLE s;
	size_t n = 0;
	int rc = -1;

	*out = NULL;
	if (p11_uri_parse(&u, uri, e) == -1)
		return burin_error_step(e, "find");
	if (u->has_class && u->cls != CKO_PRIVATE_KEY) {
		burin_fail(e, BURIN_EUSAGE, "not-a-private-key",
		    "the URI names an object that is no private key");
		burin_error_rule(e, "RFC 7512 section 2.3, type");
		burin_error_advice(e, "leave type= out, or say type=private");
		goto out;
	}
	if (burin_token_find(p11, uri, 0, &t, e) == -1)
		goto out;
	p11_lock(t->m);
	if (burin_token_login(t, e) == 0 && p11_work_session(t, &s, e) == 0 &&
	    find_named(t, s, u, &list, &n, e) == 0)
		rc = one_of(t, s, list, n, out, e);
	p11_unlock(t->m);
out:
	free(list);
	p11_uri_free(&u);
	return rc == 0 ? 0 : burin_error_step(e, "find");
}
