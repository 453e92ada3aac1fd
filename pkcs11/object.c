/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One object on a token: reading its attributes, what they mean, destroying
 * it (PKCS#11 2.40 sections 4 and 5.7).
 */

#include <string.h>

#include <openssl/err.h>

#include "object.h"
#include "quirk.h"

/* Codes that mean five things, one of them a token that was pulled. */
static int
is_vague(CK_RV rv)
{
	return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED ||
	    rv == CKR_DEVICE_ERROR;
}

int
p11_failed(struct burin_token *t, const char *function, CK_RV rv,
    struct burin_error *e)
{
	CK_RV seen = rv;

	if (is_vague(rv) && !p11_token_is_there(t))
		seen = CKR_DEVICE_REMOVED;
	p11_fail(e, t, function, seen);
	if (seen != rv)
		burin_error_cause(e, "%s said %s, and the token is gone",
		    function, p11_ckr_name(rv));
	p11_note_rv(t, seen);
	p11_drop_work(t);
	return -1;
}

/* Some attribute was not given, and says so in its length; the rest is. */
static int
is_partial(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL;
}

/* The object or the token is gone: nothing more is to be had by asking. */
static int
is_gone(CK_RV rv)
{
	switch (rv) {
	case CKR_OBJECT_HANDLE_INVALID:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_DEVICE_REMOVED:
	case CKR_DEVICE_ERROR:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_TOKEN_NOT_RECOGNIZED:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
	case CKR_USER_NOT_LOGGED_IN:
	case CKR_HOST_MEMORY:
		return 1;
	default:
		return 0;
	}
}

int
p11_read(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct attrs *a, struct burin_error *e)
{
	CK_ULONG i, given = 0;
	CK_RV rv, all;

	if (attrs_ok(a, e) == -1)
		return -1;
	all = p11_GetAttributeValue(t->m, s, o, a->a, a->n);
	if (is_partial(all))
		return 0;
	if (is_gone(all))
		return p11_failed(t, "C_GetAttributeValue", all, e);
	attrs_reset(a);
	for (i = 0; i < a->n; i++) {
		rv = p11_GetAttributeValue(t->m, s, o, &a->a[i], 1);
		if (is_gone(rv))
			return p11_failed(t, "C_GetAttributeValue", rv, e);
		if (rv == CKR_OK)
			given++;
		else
			a->a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
	}
	if (given == 0)
		return p11_failed(t, "C_GetAttributeValue", all, e);
	return 0;
}

int
p11_destroy(struct burin_token *t, CK_OBJECT_HANDLE o, struct burin_error *e)
{
	CK_SESSION_HANDLE s;
	CK_RV rv;

	if (p11_write_session(t, &s, e) == -1)
		return -1;
	rv = p11_DestroyObject(t->m, s, o);
	return rv == CKR_OK ? 0 : p11_failed(t, "C_DestroyObject", rv, e);
}

void
p11_pubkey_from(const struct attrs *a, struct p11_pubkey *p)
{
	memset(p, 0, sizeof(*p));
	p->kt = attrs_number(a, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
	p->modulus = attrs_bytes(a, CKA_MODULUS, &p->modulus_len);
	p->exponent = attrs_bytes(a, CKA_PUBLIC_EXPONENT, &p->exponent_len);
	p->params = attrs_bytes(a, CKA_EC_PARAMS, &p->params_len);
	p->point = attrs_bytes(a, CKA_EC_POINT, &p->point_len);
	p->spki = attrs_bytes(a, CKA_PUBLIC_KEY_INFO, &p->spki_len);
}

X509 *
p11_cert_from(const struct attrs *a)
{
	const unsigned char *der, *p;
	X509 *cert;
	size_t len;

	der = p = attrs_bytes(a, CKA_VALUE, &len);
	if (der == NULL || len > BURIN_MAX_CERT)
		return NULL;
	(void)ERR_set_mark();
	cert = d2i_X509(NULL, &p, (long)len);
	(void)ERR_pop_to_mark();
	if (cert != NULL && p != der + len) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

int
p11_is_protected(struct burin_token *t, const struct attrs *a)
{
	int never = attrs_bool(a, CKA_NEVER_EXTRACTABLE, 0);

	if (attrs_bool(a, CKA_EXTRACTABLE, !never))
		return 0;
	return attrs_bool(a, CKA_SENSITIVE, 0) || p11_quirk(t)->protection_mute;
}

unsigned
p11_usage_from(const struct attrs *a, unsigned otherwise)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		unsigned use;
	} map[] = { { CKA_SIGN, BURIN_USE_SIGN },
		{ CKA_DECRYPT, BURIN_USE_DECRYPT },
		{ CKA_DERIVE, BURIN_USE_DERIVE } };
	unsigned usage = 0;
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (attrs_bool(a, map[i].type, (otherwise & map[i].use) != 0))
			usage |= map[i].use;
	return usage;
}

void
p11_names_from(const struct attrs *a, unsigned char id[BURIN_MAX_ID],
    size_t *id_len, char label[BURIN_MAX_LABEL + 1])
{
	const unsigned char *p;
	size_t len;

	p = attrs_bytes(a, CKA_ID, &len);
	*id_len = len <= BURIN_MAX_ID ? len : 0;
	if (*id_len > 0)
		memcpy(id, p, *id_len);
	p = attrs_bytes(a, CKA_LABEL, &len);
	label[0] = '\0';
	if (p != NULL)
		p11_text(label, BURIN_MAX_LABEL + 1, p, len);
}
