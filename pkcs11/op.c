/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The one primitive: sign, decrypt or derive with a private key on its token
 * (PKCS#11 2.40 sections 5.9, 5.11 and 5.13).
 */

#include <string.h>

#include "object.h"

/* One operation under way. */
struct op {
	struct burin_key *k;
	CK_SESSION_HANDLE s;
	enum p11_op op;
	CK_MECHANISM *mech;
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t *out_len;
	struct burin_secret *pin; /* of the context login */
};

/* Returns rv, kept in words and with its session closed. */
static CK_RV
failed(struct op *o, const char *function, CK_RV rv)
{
	p11_failed(o->k->t, function, rv, &o->k->last);
	return rv;
}

/* A failure that has its words already. */
static CK_RV
failed_before(const struct op *o)
{
	p11_drop_work(o->k->t);
	return o->k->last.ckr != 0 ? o->k->last.ckr : CKR_FUNCTION_FAILED;
}

/*
 * CKA_ALWAYS_AUTHENTICATE: the login belongs between Init and the operation
 * itself; the PIN was asked for before, so that no operation is open while
 * somebody types.
 */
static CK_RV
context_login(struct op *o)
{
	struct burin_key *k = o->k;

	if (!k->always_auth ||
	    p11_login_send(k->t, o->s, BURIN_LOGIN_CONTEXT, o->pin, &k->last) ==
		0)
		return CKR_OK;
	return failed_before(o);
}

static CK_RV
sign(struct op *o)
{
	struct p11_module *m = o->k->t->m;
	CK_RV rv;

	rv = p11_SignInit(m, o->s, o->mech, o->k->priv);
	if (rv != CKR_OK)
		return failed(o, "C_SignInit", rv);
	if ((rv = context_login(o)) != CKR_OK)
		return rv;
	rv = p11_Sign(m, o->s, o->in, o->in_len, o->out, o->out_len);
	return rv == CKR_OK ? rv : failed(o, "C_Sign", rv);
}

static CK_RV
decrypt(struct op *o)
{
	struct p11_module *m = o->k->t->m;
	CK_RV rv;

	rv = p11_DecryptInit(m, o->s, o->mech, o->k->priv);
	if (rv != CKR_OK)
		return failed(o, "C_DecryptInit", rv);
	if ((rv = context_login(o)) != CKR_OK)
		return rv;
	rv = p11_Decrypt(m, o->s, o->in, o->in_len, o->out, o->out_len);
	return rv == CKR_OK ? rv : failed(o, "C_Decrypt", rv);
}

/*
 * The shared secret in its full length. As a number it may lack leading
 * zeros (RFC 5903 section 7, SEC 1 section 3.3.1 want them); the little-endian
 * string of RFC 7748 may lack nothing.
 */
static CK_RV
take_secret(struct op *o, size_t size, const struct attrs *value)
{
	const unsigned char *p;
	size_t len;

	p = attrs_bytes(value, CKA_VALUE, &len);
	if (len == 0 || len > size ||
	    (len < size && o->k->type == BURIN_X25519)) {
		burin_fail(&o->k->last, BURIN_EREFUSED, "secret-missing",
		    "the token does not give the shared secret it derived");
		burin_error_token(&o->k->last, "%s", o->k->t->name);
		(void)failed_before(o);
		return CKR_ATTRIBUTE_SENSITIVE;
	}
	memset(o->out, 0, size - len);
	memcpy(o->out + size - len, p, len);
	*o->out_len = size;
	return CKR_OK;
}

/* The secret is an object of the session for as long as it takes to read. */
static CK_RV
derive_into(
    struct op *o, size_t size, const struct attrs *want, struct attrs *value)
{
	struct burin_token *t = o->k->t;
	CK_OBJECT_HANDLE h;
	CK_RV rv;

	rv = p11_DeriveKey(
	    t->m, o->s, o->mech, o->k->priv, want->a, want->n, &h);
	if (rv != CKR_OK)
		return failed(o, "C_DeriveKey", rv);
	rv = p11_GetAttributeValue(t->m, o->s, h, value->a, value->n);
	if (rv != CKR_OK)
		/* Closing the session destroys its objects. */
		return failed(o, "C_GetAttributeValue", rv);
	rv = p11_DestroyObject(t->m, o->s, h);
	if (rv != CKR_OK)
		return failed(o, "C_DestroyObject", rv);
	return take_secret(o, size, value);
}

static CK_RV
derive(struct op *o)
{
	int bits = EVP_PKEY_get_bits(o->k->public_key);
	struct attrs want = { 0 }, value = { 0 };
	size_t size;
	CK_RV rv;

	/* OpenSSL counts 253 bits of X25519, 521 of P-521. */
	size = bits > 0 ? ((size_t)bits + 7) / 8 : 0;
	if (size == 0 || *o->out_len < size) {
		burin_fail(&o->k->last, BURIN_EINTERNAL, "secret-room",
		    "no room for the shared secret");
		return CKR_BUFFER_TOO_SMALL;
	}
	attrs_add_number(&want, CKA_CLASS, CKO_SECRET_KEY);
	attrs_add_number(&want, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
	attrs_add_bool(&want, CKA_TOKEN, 0);
	attrs_add_bool(&want, CKA_SENSITIVE, 0);
	attrs_add_bool(&want, CKA_EXTRACTABLE, 1);
	attrs_add_number(&want, CKA_VALUE_LEN, size);
	attrs_room(&value, CKA_VALUE, size);
	if (attrs_ok(&want, &o->k->last) == -1 ||
	    attrs_ok(&value, &o->k->last) == -1)
		rv = CKR_HOST_MEMORY;
	else
		rv = derive_into(o, size, &want, &value);
	attrs_clear(&want);
	attrs_clear(&value);
	return rv;
}

static int
prepare(struct op *o)
{
	struct burin_key *k = o->k;

	if (p11_key_ready(k, &k->last) == -1)
		return -1;
	/* C_DeriveKey has no moment for a login of its own. */
	if (k->always_auth && o->op != P11_DERIVE &&
	    p11_login_pin(k->t, BURIN_LOGIN_CONTEXT, &o->pin, &k->last) == -1)
		return -1;
	return p11_work_session(k->t, &o->s, &k->last);
}

CK_RV
p11_do(struct burin_key *k, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len)
{
	struct op o = { k, P11_NO_SESSION, op, mech, in, in_len, out, out_len,
		NULL };
	size_t room = *out_len;
	CK_RV rv;

	if (k->distant != NULL)
		return p11_distant_do(k, mech, op, in, in_len, out, out_len);
	p11_lock(k->t->m);
	burin_error_clear(&k->last);
	if (prepare(&o) == -1)
		rv = failed_before(&o);
	else if (op == P11_SIGN)
		rv = sign(&o);
	else if (op == P11_DECRYPT)
		rv = decrypt(&o);
	else
		rv = derive(&o);
	/* A length that is no answer to what was asked is believed nowhere. */
	if (rv == CKR_OK && *out_len > room)
		rv = failed(&o, "C_Sign or C_Decrypt", CKR_BUFFER_TOO_SMALL);
	/* A PIN may have been asked for and not sent. */
	if (rv != CKR_OK && o.pin != NULL)
		(void)p11_login_told(
		    k->t, BURIN_LOGIN_CONTEXT, o.pin, -1, NULL);
	burin_secret_free(&o.pin);
	p11_unlock(k->t->m);
	return rv;
}
