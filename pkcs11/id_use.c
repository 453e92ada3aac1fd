/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has a CKA_ID: it binds key and certificate (PKCS#11 2.40 section 4.6),
 * so nothing else may have it.
 */

#include <stdlib.h>
#include <string.h>

#include "object.h"

void
p11_id_certs_clear(struct id_certs *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		X509_free(c->list[i].cert);
	free(c->list);
	memset(c, 0, sizeof(*c));
}

int
p11_fail_id_taken(const struct burin_token *t, struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "id-taken",
	    "another key on the token has the CKA_ID of this one");
	burin_error_token(e, "%s", t->name);
	burin_error_rule(e, "PKCS#11 2.40 section 4.8, CKA_ID");
	return burin_error_advice(e,
	    "nobody could tell the two apart: give one of them another CKA_ID");
}

int
p11_id_alone(const struct burin_key *k)
{
	return k->alone && k->generation == k->t->generation;
}

/* VALUE is asked of certificates only: of a key it is the secret. */
static int
add_cert(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct id_certs *out, struct burin_error *e)
{
	struct id_cert *c = &out->list[out->n];
	struct attrs a = { 0 };
	EVP_PKEY *pub;
	int rc;

	attrs_room(&a, CKA_VALUE, BURIN_MAX_CERT);
	rc = p11_read(k->t, s, o, &a, e);
	if (rc == 0) {
		c->handle = o;
		c->cert = p11_cert_from(&a);
		pub = c->cert != NULL ? X509_get0_pubkey(c->cert) : NULL;
		c->ours = pub != NULL && k->public_key != NULL &&
		    EVP_PKEY_eq(pub, k->public_key) == 1;
		c->by_token =
		    c->ours && burin_cert_is_by_token(burin_cert_kind(c->cert));
		out->n++;
	}
	attrs_clear(&a);
	return rc;
}

/* Some modules show a certificate's public key as one more object. */
static int
add_public(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct id_certs *out, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	EVP_PKEY *pub = NULL;

	if (p11_public_read(
		k->t, s, o, CK_UNAVAILABLE_INFORMATION, &pub, &why) == -1 &&
	    why.ckr != 0) {
		if (e != NULL && e->status == BURIN_OK)
			*e = why;
		return -1;
	}
	if (pub == NULL || k->public_key == NULL ||
	    EVP_PKEY_eq(pub, k->public_key) != 1)
		out->id_taken = 1;
	EVP_PKEY_free(pub);
	return 0;
}

static int
add_object(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct id_certs *out, struct burin_error *e)
{
	struct attrs a = { 0 };
	CK_OBJECT_CLASS cls;
	int rc;

	attrs_room_number(&a, CKA_CLASS);
	rc = p11_read(k->t, s, o, &a, e);
	cls = attrs_number(&a, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
	attrs_clear(&a);
	if (rc == -1)
		return -1;
	switch (cls) {
	case CKO_CERTIFICATE:
		return add_cert(k, s, o, out, e);
	case CKO_PUBLIC_KEY:
		return add_public(k, s, o, out, e);
	case CKO_PRIVATE_KEY:
	case CKO_SECRET_KEY:
		out->id_taken = 1;
		return 0;
	default:
		return 0;
	}
}

static int
collect(struct burin_key *k, CK_SESSION_HANDLE s, int certs_only,
    const CK_OBJECT_HANDLE *list, size_t n, struct id_certs *out,
    struct burin_error *e)
{
	size_t i;

	if (n > 0 && (out->list = calloc(n, sizeof(*out->list))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		if (list[i] == k->priv || list[i] == k->pub)
			continue;
		if ((certs_only ? add_cert(k, s, list[i], out, e)
				: add_object(k, s, list[i], out, e)) == -1)
			return -1;
	}
	return 0;
}

static int
search(struct burin_key *k, CK_SESSION_HANDLE s, int certs_only,
    struct id_certs *out, struct burin_error *e)
{
	struct attrs match = { 0 };
	CK_OBJECT_HANDLE *list = NULL;
	size_t n;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	/* Nothing is bound by an empty one. */
	if (k->id_len == 0)
		return 0;
	/* ykcs11 shows attestation certificates as objects off the token. */
	if (certs_only)
		attrs_add_class(&match, CKO_CERTIFICATE);
	else
		attrs_add_bool(&match, CKA_TOKEN, 1);
	attrs_add(&match, CKA_ID, k->id, k->id_len);
	if (attrs_ok(&match, e) == 0 &&
	    p11_find(
		k->t, s, match.a, match.n, P11_MAX_SAME_ID, &list, &n, e) == 0)
		rc = collect(k, s, certs_only, list, n, out, e);
	free(list);
	attrs_clear(&match);
	if (rc == -1)
		p11_id_certs_clear(out);
	return rc;
}

int
p11_id_search(struct burin_key *k, CK_SESSION_HANDLE s, struct id_certs *out,
    struct burin_error *e)
{
	int rc = search(k, s, 0, out, e);

	k->alone = rc == 0 && k->id_len > 0 && out->n == 0 && !out->id_taken;
	return rc;
}

int
p11_id_search_certs(struct burin_key *k, CK_SESSION_HANDLE s,
    struct id_certs *out, struct burin_error *e)
{
	return search(k, s, 1, out, e);
}

/* Moves the certificates that are any from c to a stack. */
static STACK_OF(X509) * take_certs(struct id_certs *c)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	size_t i;

	for (i = 0; certs != NULL && i < c->n; i++) {
		if (c->list[i].cert == NULL || c->list[i].by_token)
			continue;
		if (sk_X509_push(certs, c->list[i].cert) <= 0) {
			sk_X509_pop_free(certs, X509_free);
			return NULL;
		}
		c->list[i].cert = NULL;
	}
	return certs;
}

int
burin_key_id_use(
    struct burin_key *k, struct burin_id_use *use, struct burin_error *e)
{
	struct id_certs c = { 0 };
	CK_SESSION_HANDLE s;
	int rc = -1;

	use->id_taken = 0;
	use->certs = NULL;
	p11_lock(k->t->m);
	if (p11_key_ready(k, e) == -1 || p11_work_session(k->t, &s, e) == -1 ||
	    p11_id_search(k, s, &c, e) == -1)
		goto out;
	use->id_taken = c.id_taken;
	if ((use->certs = take_certs(&c)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	p11_id_certs_clear(&c);
	p11_unlock(k->t->m);
	return rc == 0 ? 0 : burin_error_step(e, "find");
}

int
burin_cert_read(
    struct burin_key *k, STACK_OF(X509) * *out, struct burin_error *e)
{
	struct id_certs c = { 0 };
	CK_SESSION_HANDLE s;
	int rc = -1;

	*out = NULL;
	p11_lock(k->t->m);
	if (p11_key_ready(k, e) == -1 || p11_fresh_session(k->t, &s, e) == -1 ||
	    p11_id_search_certs(k, s, &c, e) == -1)
		goto out;
	if ((*out = take_certs(&c)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	p11_id_certs_clear(&c);
	p11_unlock(k->t->m);
	return rc == 0 ? 0 : burin_error_step(e, "read");
}
