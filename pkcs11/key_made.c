/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of making a key: what the token made is checked, its
 * CKA_ID becomes the hash of the public key (RFC 5280 section 4.2.1.2), and
 * all of this is taken up again where a process died.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "object.h"
#include "quirk.h"

struct id {
	unsigned char bytes[BURIN_MAX_ID];
	size_t len;
};

static void
id_of(const struct burin_key *k, struct id *id)
{
	memcpy(id->bytes, k->id, k->id_len);
	id->len = k->id_len;
}

static void
id_set(struct burin_key *k, const struct id *id)
{
	memcpy(k->id, id->bytes, id->len);
	k->id_len = id->len;
}

static int
id_eq(const struct id *a, const struct id *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static int
ski_of(const EVP_PKEY *pub, struct id *id, struct burin_error *e)
{
	id->len = SHA_DIGEST_LENGTH;
	if (p11_pubkey_ski(pub, id->bytes) == 0)
		return 0;
	return burin_fail_openssl(e, BURIN_EINTERNAL, "key-identifier",
	    "the public key could not be hashed");
}

/* --- undoing ----------------------------------------------------------- */

void
p11_key_undo(struct burin_key *k, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	if (p11_destroy(k->t, k->priv, &why) == 0) {
		k->priv = CK_INVALID_HANDLE;
		if (k->pub != CK_INVALID_HANDLE)
			(void)p11_destroy(k->t, k->pub, &why);
	}
	p11_write_done(k->t);
	if (why.status != BURIN_OK)
		burin_error_cause(
		    e, "the pair could not be removed: %s", why.reason);
}

/* --- what the token made ----------------------------------------------- */

static int
fail_made(const struct burin_key *k, const char *code, const char *what,
    const char *advice, struct burin_error *e)
{
	burin_fail(
	    e, BURIN_EREFUSED, code, "%s; the new key pair was not kept", what);
	burin_error_token(e, "%s", k->t->name);
	burin_error_rule(e, "PKCS#11 2.40 section 4.9");
	return burin_error_advice(e, "%s", advice);
}

/* An attribute that the token does not give proves nothing. */
static int
check_made(const struct burin_key *k, const struct attrs *a, unsigned usage,
    int always_auth, struct burin_error *e)
{
	if (!p11_is_protected(k->t, a))
		return fail_made(k, "key-not-protected",
		    "the token does not say that the private key can never "
		    "leave it (SENSITIVE, not EXTRACTABLE)",
		    "use a token that protects its keys", e);
	if ((usage & ~k->usage) != 0)
		return fail_made(k, "usage-refused",
		    "the token made a key that may not be used as asked",
		    "ask for another --usage, or use another token", e);
	if (always_auth && !k->always_auth)
		return fail_made(k, "always-authenticate-refused",
		    "the token made a key that does not ask for a login at "
		    "each use",
		    "leave --always-authenticate out, or use another token", e);
	return 0;
}

static int
read_made(struct burin_key *k, const struct burin_key_spec *spec,
    struct burin_error *e)
{
	unsigned usage = spec->usage != 0 ? spec->usage : k->usage;
	struct attrs a = { 0 };
	CK_SESSION_HANDLE s;
	struct id asked;
	int rc = -1;

	id_of(k, &asked);
	p11_private_rooms(&a);
	if (p11_work_session(k->t, &s, e) == -1 ||
	    p11_read(k->t, s, k->priv, &a, e) == -1)
		goto out;
	p11_private_take(k, &a);
	if (k->id_len == 0)
		id_set(k, &asked);
	rc = check_made(k, &a, usage, spec->always_authenticate, e);
	if (rc == -1)
		p11_key_undo(k, e);
out:
	attrs_clear(&a);
	return rc;
}

/* --- the final CKA_ID -------------------------------------------------- */

/* The token does not let this be changed; anything else is a failure. */
static int
is_refusal(CK_RV rv)
{
	switch (rv) {
	case CKR_ATTRIBUTE_READ_ONLY:
	case CKR_ATTRIBUTE_TYPE_INVALID:
	case CKR_ATTRIBUTE_VALUE_INVALID:
	case CKR_ACTION_PROHIBITED:
	case CKR_TEMPLATE_INCONSISTENT:
	case CKR_FUNCTION_NOT_SUPPORTED:
	case CKR_FUNCTION_REJECTED:
	case CKR_FUNCTION_FAILED:
	case CKR_GENERAL_ERROR:
		return 1;
	default:
		return 0;
	}
}

/* 1: set; 0: the token refuses; -1. */
static int
set_id(struct burin_key *k, CK_OBJECT_HANDLE o, const struct id *id,
    struct burin_error *e)
{
	struct attrs a = { 0 };
	CK_SESSION_HANDLE s;
	CK_RV rv;
	int rc = -1;

	attrs_add(&a, CKA_ID, id->bytes, id->len);
	if (attrs_ok(&a, e) == -1 || p11_write_session(k->t, &s, e) == -1)
		goto out;
	rv = p11_SetAttributeValue(k->t->m, s, o, a.a, a.n);
	if (rv == CKR_OK) {
		rc = 1;
	} else if (is_refusal(rv)) {
		p11_drop_work(k->t);
		rc = 0;
	} else {
		p11_failed(k->t, "C_SetAttributeValue", rv, e);
	}
out:
	attrs_clear(&a);
	return rc;
}

/*
 * Private half first: a process that dies in between leaves the public one
 * under the first CKA_ID, which leads to the other. A token that refuses
 * keeps the first one, for both.
 */
static int
change_id(struct burin_key *k, const struct id *first, const struct id *final,
    struct burin_error *e)
{
	struct id now;
	int set = 1;

	id_of(k, &now);
	if (!id_eq(&now, final))
		set = set_id(k, k->priv, final, e);
	if (set == 1 && k->pub != CK_INVALID_HANDLE) {
		set = set_id(k, k->pub, final, e);
		if (set == 0 && set_id(k, k->priv, first, e) != 1) {
			burin_fail(e, BURIN_EREFUSED, "id-split",
			    "the token changed the CKA_ID of the private key "
			    "and refuses it for the public one");
			return burin_error_token(e, "%s", k->t->name);
		}
	}
	if (set == -1)
		return -1;
	if (set == 0)
		p11_note(k->t->m->owner, "the token keeps the first CKA_ID");
	if (set == 0)
		k->alone = 0;
	id_set(k, set == 1 ? final : first);
	return 0;
}

/* No other key may have the CKA_ID that k is about to get. */
static int
claim(struct burin_key *k, const struct id *final, struct burin_error *e)
{
	struct id_certs c = { 0 };
	CK_SESSION_HANDLE s;
	struct id now;
	size_t i;
	int rc = -1, taken;

	id_of(k, &now);
	id_set(k, final);
	if (p11_work_session(k->t, &s, e) == 0 &&
	    p11_id_search(k, s, &c, e) == 0)
		rc = 0;
	id_set(k, &now);
	taken = c.id_taken;
	/* A certificate there is of another key: this one is new. */
	for (i = 0; i < c.n; i++)
		taken |= !c.list[i].ours;
	p11_id_certs_clear(&c);
	if (rc == 0 && taken) {
		rc = p11_fail_id_taken(k->t, e);
		p11_key_undo(k, e);
	}
	return rc;
}

int
p11_keeps_id(struct burin_token *t, const struct burin_key_spec *spec)
{
	return spec->keep_id || p11_quirk(t)->places != NULL;
}

int
p11_key_finish(struct burin_key *k, const struct burin_key_spec *spec,
    struct burin_error *e)
{
	struct id first, now, final;
	int rc;

	id_of(k, &first);
	if (read_made(k, spec, e) == -1)
		return -1;
	id_of(k, &now);
	if (ski_of(k->public_key, &final, e) == -1)
		return -1;
	/* A token that has its own idea of a CKA_ID keeps it. */
	if (p11_keeps_id(k->t, spec) ||
	    (!id_eq(&now, &first) && !id_eq(&now, &final))) {
		k->alone = k->alone && id_eq(&now, &first);
		final = first = now;
	} else if (claim(k, &final, e) == -1) {
		return -1;
	}
	if (spec->made != NULL &&
	    spec->made(
		spec->made_arg, k->public_key, final.bytes, final.len, e) == -1)
		return -1;
	if (id_eq(&first, &final))
		return 0;
	rc = change_id(k, &first, &final, e);
	p11_write_done(k->t);
	return rc;
}

/* --- taken up again ---------------------------------------------------- */

/* What an interrupted generation has left under its first CKA_ID. */
struct rest {
	CK_OBJECT_HANDLE *pub, *priv;
	size_t n_pub, n_priv;
};

static int
look(struct burin_key *k, CK_SESSION_HANDLE s, struct rest *r,
    struct burin_error *e)
{
	if (p11_find_id(k->t, s, CKO_PUBLIC_KEY, k->id, k->id_len, &r->pub,
		&r->n_pub, e) == -1 ||
	    p11_find_id(k->t, s, CKO_PRIVATE_KEY, k->id, k->id_len, &r->priv,
		&r->n_priv, e) == -1)
		return -1;
	if (r->n_pub <= 1 && r->n_priv <= 1)
		return 0;
	burin_fail(e, BURIN_ETOKEN, "key-ambiguous",
	    "several keys have the CKA_ID that one key was made with");
	burin_error_token(e, "%s", k->t->name);
	return burin_error_advice(
	    e, "burin tokens shows them; give all but one another CKA_ID");
}

/* The other half may have the final CKA_ID already. */
static int
find_final(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_CLASS cls,
    CK_OBJECT_HANDLE *o, struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	struct id final;
	size_t n;

	*o = CK_INVALID_HANDLE;
	if (ski_of(k->public_key, &final, e) == -1 ||
	    p11_find_id(k->t, s, cls, final.bytes, final.len, &list, &n, e) ==
		-1)
		return -1;
	if (n == 1)
		*o = list[0];
	free(list);
	return 0;
}

/* With the public half there: the private one has either CKA_ID. */
static int
from_public(struct burin_key *k, CK_SESSION_HANDLE s, const struct rest *r,
    struct burin_error *e)
{
	EVP_PKEY *pub;

	k->pub = r->pub[0];
	if (p11_public_read(
		k->t, s, k->pub, CK_UNAVAILABLE_INFORMATION, &pub, e) == -1)
		return -1;
	p11_key_set_public(k, pub);
	if (r->n_priv == 1) {
		k->priv = r->priv[0];
		return 0;
	}
	return pub != NULL ? find_final(k, s, CKO_PRIVATE_KEY, &k->priv, e) : 0;
}

/* Without: it may be under the final CKA_ID, or follow from the private. */
static int
from_private(struct burin_key *k, CK_SESSION_HANDLE s, const struct rest *r,
    struct burin_error *e)
{
	struct id first;

	id_of(k, &first);
	if (p11_key_load(k, s, r->priv[0], e) == -1)
		return -1;
	id_set(k, &first);
	if (k->public_key == NULL)
		return 0;
	return find_final(k, s, CKO_PUBLIC_KEY, &k->pub, e);
}

/* Half a pair is of no use to anybody, and only the dead process knew it. */
static int
clear_half(struct burin_key *k, struct burin_error *e)
{
	p11_note(k->t->m->owner, "removing half of an unfinished key pair");
	if (k->priv != CK_INVALID_HANDLE && p11_destroy(k->t, k->priv, e) == -1)
		return -1;
	if (k->pub != CK_INVALID_HANDLE && p11_destroy(k->t, k->pub, e) == -1)
		return -1;
	return 0;
}

/* *whole: k is a pair that can be finished. */
static int
find_made(struct burin_key *k, const struct burin_key_spec *spec, int *whole,
    struct burin_error *e)
{
	struct rest r = { NULL, NULL, 0, 0 };
	CK_SESSION_HANDLE s;
	int rc = -1;

	*whole = 0;
	if (p11_work_session(k->t, &s, e) == -1 || look(k, s, &r, e) == -1)
		goto out;
	if (r.n_pub == 1)
		rc = from_public(k, s, &r, e);
	else if (r.n_priv == 1)
		rc = from_private(k, s, &r, e);
	else
		rc = 0;
	if (rc == -1 || (r.n_pub == 0 && r.n_priv == 0))
		goto out;
	/* The one that was to be replaced, and was not. */
	if (spec->before != NULL && k->public_key != NULL &&
	    EVP_PKEY_eq(k->public_key, spec->before) == 1)
		goto out;
	*whole = k->priv != CK_INVALID_HANDLE && k->public_key != NULL;
	if (!*whole && !p11_keeps_id(k->t, spec))
		rc = clear_half(k, e);
out:
	free(r.pub);
	free(r.priv);
	return rc;
}

int
burin_key_find_made(struct burin_token *t, const struct burin_key_spec *spec,
    struct burin_key **out, struct burin_error *e)
{
	const struct key_type *kt = p11_key_type(spec->type);
	struct burin_key *k = NULL;
	int rc = -1, whole;

	*out = NULL;
	if (spec->id == NULL || spec->id_len == 0 ||
	    spec->id_len > BURIN_MAX_ID || kt == NULL) {
		burin_fail(e, BURIN_EUSAGE, "id-missing",
		    "the type and CKA_ID that the key was made with are "
		    "needed");
		return burin_error_step(e, "keygen");
	}
	p11_lock(t->m);
	if (burin_token_login(t, e) == -1 || (k = p11_key_new(t, e)) == NULL)
		goto out;
	memcpy(k->id, spec->id, spec->id_len);
	k->id_len = spec->id_len;
	k->usage = kt->usage;
	if (find_made(k, spec, &whole, e) == -1)
		goto out;
	if (whole) {
		if (p11_key_finish(k, spec, e) == -1)
			goto out;
		*out = k;
		k = NULL;
	}
	rc = 0;
out:
	p11_write_done(t);
	p11_unlock(t->m);
	burin_key_free(&k);
	return rc == 0 ? 0 : burin_error_step(e, "keygen");
}
