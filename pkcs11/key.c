/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A private key on a token and what is known of it.
 */

#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "quirk.h"
#include "uri.h"

struct burin_key *
p11_key_new(struct burin_token *t, struct burin_error *e)
{
	struct burin_key *k;

	if ((k = calloc(1, sizeof(*k))) == NULL) {
		burin_fail_memory(e);
		return NULL;
	}
	atomic_init(&k->refs, 1);
	k->t = t;
	k->generation = t->generation;
	return k;
}

struct burin_key *
burin_key_ref(struct burin_key *k)
{
	if (k != NULL)
		(void)atomic_fetch_add(&k->refs, 1);
	return k;
}

void
burin_key_free(struct burin_key **kp)
{
	struct burin_key *k;

	if (kp == NULL || (k = *kp) == NULL)
		return;
	*kp = NULL;
	if (atomic_fetch_sub(&k->refs, 1) > 1)
		return;
	p11_provider_forget(k);
	p11_distant_free(k->distant);
	EVP_PKEY_free(k->public_key);
	free(k);
}

void
p11_key_set_public(struct burin_key *k, EVP_PKEY *pub)
{
	EVP_PKEY_free(k->public_key);
	k->public_key = pub;
	k->type = burin_key_type_of(pub);
}

enum burin_key_type
burin_key_get_type(const struct burin_key *k)
{
	return k->type;
}

struct burin_token *
burin_key_token(const struct burin_key *k)
{
	return k->t;
}

const unsigned char *
burin_key_id(const struct burin_key *k, size_t *len)
{
	*len = k->id_len;
	return k->id;
}

const char *
burin_key_label(const struct burin_key *k)
{
	return k->label;
}

unsigned
burin_key_usage(const struct burin_key *k)
{
	return k->usage;
}

int
burin_key_always_authenticate(const struct burin_key *k)
{
	return k->always_auth;
}

char *
burin_key_uri(const struct burin_key *k)
{
	if (k->t == NULL)
		return NULL;
	return p11_uri_make(k->t, k->id_len > 0 ? k->id : NULL, k->id_len,
	    k->label[0] != '\0' ? k->label : NULL, "private");
}

EVP_PKEY *
burin_key_public(const struct burin_key *k)
{
	return k->public_key;
}

/* The same key is what has the same public half, not the same CKA_ID. */
static int
is_same(const struct burin_key *a, const struct burin_key *b)
{
	if (a->public_key == NULL || b->public_key == NULL)
		return a->public_key == b->public_key;
	return EVP_PKEY_eq(a->public_key, b->public_key) == 1;
}

static int
find_again(struct burin_key *k, struct burin_error *e)
{
	struct burin_key *now = NULL;
	int rc = -1;

	if (burin_key_find_id(k->t, k->id, k->id_len, &now, e) == -1)
		goto out;
	if (!is_same(k, now)) {
		burin_fail(e, BURIN_ETOKEN, "key-changed",
		    "another key is now where the key was");
		burin_error_token(e, "%s", k->t->name);
		burin_error_advice(
		    e, "put in the token that holds the key, then try again");
		goto out;
	}
	k->priv = now->priv;
	k->pub = now->pub;
	k->always_auth = now->always_auth;
	k->generation = now->generation;
	k->alone = 0;
	rc = 0;
out:
	burin_key_free(&now);
	return rc;
}

int
p11_key_ready(struct burin_key *k, struct burin_error *e)
{
	return k->generation == k->t->generation ? 0 : find_again(k, e);
}

/*
 * The private half first: what a crash may leave behind is then of no use to
 * anybody.
 */
int
burin_key_destroy(struct burin_key *k, struct burin_error *e)
{
	int rc = -1;

	p11_lock(k->t->m);
	if (p11_quirk(k->t)->keeps_keys) {
		burin_fail(e, BURIN_EREFUSED, "key-stays",
		    "this kind of token cannot delete a key");
		burin_error_token(e, "%s", k->t->name);
		burin_error_advice(
		    e, "another key in its slot takes its place: --replace");
		goto out;
	}
	if (p11_key_ready(k, e) == -1 || p11_destroy(k->t, k->priv, e) == -1)
		goto out;
	/* From here on nobody finds it under this handle. */
	k->priv = CK_INVALID_HANDLE;
	k->generation = k->t->generation - 1;
	if (k->pub != CK_INVALID_HANDLE && p11_destroy(k->t, k->pub, e) == -1)
		goto out;
	rc = 0;
out:
	p11_write_done(k->t);
	p11_unlock(k->t->m);
	return rc == 0 ? 0 : burin_error_step(e, "destroy");
}

int
burin_token_keeps_keys(struct burin_token *t)
{
	int keeps;

	p11_lock(t->m);
	keeps = p11_quirk(t)->keeps_keys;
	p11_unlock(t->m);
	return keeps;
}

int
burin_public_destroy(struct burin_token *t, const unsigned char *id,
    size_t id_len, const EVP_PKEY *pub, struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	CK_SESSION_HANDLE s;
	EVP_PKEY *there;
	size_t i, n = 0;
	int rc = -1, same;

	p11_lock(t->m);
	if (burin_token_login(t, e) == -1 || p11_work_session(t, &s, e) == -1 ||
	    p11_find_id(t, s, CKO_PUBLIC_KEY, id, id_len, &list, &n, e) == -1)
		goto out;
	for (i = 0; i < n; i++) {
		if (p11_public_read(t, s, list[i], CK_UNAVAILABLE_INFORMATION,
			&there, e) == -1)
			goto out;
		same = there != NULL && EVP_PKEY_eq(there, pub) == 1;
		EVP_PKEY_free(there);
		if (same && p11_destroy(t, list[i], e) == -1)
			goto out;
	}
	rc = 0;
out:
	free(list);
	p11_write_done(t);
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "destroy");
}
