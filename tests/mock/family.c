/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The mock as one of a family of tokens: who may write, what a card refuses
 * in its own way, keys that have places.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "mock.h"

static int
is_cert(const struct object *o)
{
	return object_ulong(o, CKA_CLASS, ~0UL) == CKO_CERTIFICATE;
}

static int
same_id(const struct object *a, const struct object *b)
{
	const CK_ATTRIBUTE *x = object_get(a, CKA_ID);
	const CK_ATTRIBUTE *y = object_get(b, CKA_ID);

	return x != NULL && y != NULL && x->ulValueLen > 0 &&
	    x->ulValueLen == y->ulValueLen &&
	    memcmp(x->pValue, y->pValue, x->ulValueLen) == 0;
}

typedef int match_fn(const struct object *o, const struct object *like);

static int
is_auth_key(const struct object *o, const struct object *like)
{
	(void)like;
	return object_bool(o, CKA_ALWAYS_AUTHENTICATE, 0);
}

static int
is_same(const struct object *o, const struct object *like)
{
	return same_id(o, like) &&
	    object_ulong(o, CKA_CLASS, ~0UL) ==
	    object_ulong(like, CKA_CLASS, ~0UL);
}

static int
is_key_of(const struct object *o, const struct object *like)
{
	return same_id(o, like) &&
	    object_ulong(o, CKA_CLASS, ~0UL) == CKO_PRIVATE_KEY;
}

/* The first object of the token that matches; free it. 1, or 0: none. */
static int
first(CK_SLOT_ID slot, match_fn *match, const struct object *like,
    struct object *o)
{
	CK_OBJECT_HANDLE *list = calloc(MAX_OBJECTS, sizeof(*list));
	size_t i, n;
	int found = 0;

	if (list == NULL)
		return 0;
	n = store_list(slot, list, MAX_OBJECTS);
	for (i = 0; i < n && !found; i++) {
		if (!(list[i] & IN_MEMORY) && store_load(slot, list[i], o))
			found = match(o, like);
		if (!found)
			object_free(o);
	}
	free(list);
	return found;
}

static int
has(CK_SLOT_ID slot, match_fn *match, const struct object *like)
{
	struct object o;

	memset(&o, 0, sizeof(o));
	if (!first(slot, match, like, &o))
		return 0;
	object_free(&o);
	return 1;
}

/* --- who may write ----------------------------------------------------- */

int
family_officer_writes(void)
{
	return mock_conf->writer == WRITES_SO;
}

/* Before anything on the token is made, changed or destroyed. */
CK_RV
family_may_write(const struct session *s)
{
	if (mock_conf->writer == WRITES_NOBODY)
		return CKR_FUNCTION_NOT_SUPPORTED;
	if (family_officer_writes() && session_user(s->slot) != OFFICER)
		return CKR_USER_TYPE_INVALID;
	return CKR_OK;
}

CK_RV
family_may_generate(const struct session *s, const struct object *pub)
{
	const CK_ATTRIBUTE *id = object_get(pub, CKA_ID);
	CK_RV rv = family_may_write(s);

	if (rv != CKR_OK)
		return rv;
	if (mock_conf->auth_key_blocks && has(s->slot, is_auth_key, NULL))
		return CKR_FUNCTION_NOT_SUPPORTED;
	if (mock_conf->full)
		return CKR_GENERAL_ERROR;
	/* A place is one byte, and no key goes without one. */
	if (mock_conf->places && (id == NULL || id->ulValueLen == 0))
		return CKR_TEMPLATE_INCOMPLETE;
	if (mock_conf->places && id->ulValueLen != 1)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return CKR_OK;
}

CK_RV
family_may_create(const struct session *s, const struct object *o)
{
	CK_RV rv = family_may_write(s);

	if (rv != CKR_OK || !is_cert(o))
		return rv;
	if (mock_conf->auth_key_blocks && has(s->slot, is_auth_key, NULL))
		return CKR_PIN_LEN_RANGE;
	if (mock_conf->full ||
	    (mock_conf->one_cert && has(s->slot, is_same, o)))
		return CKR_GENERAL_ERROR;
	return CKR_OK;
}

/* --- what else happens ------------------------------------------------- */

/* In a place, what comes has the handle of what was there, and replaces it. */
void
family_take_place(CK_SLOT_ID slot, struct object *o)
{
	struct object old;

	memset(&old, 0, sizeof(old));
	if (!mock_conf->places || !first(slot, is_same, o, &old))
		return;
	o->handle = old.handle;
	object_free(&old);
}

/* The private key is called like its certificate from now on. */
int
family_created(CK_SLOT_ID slot, const struct object *cert)
{
	const CK_ATTRIBUTE *label = object_get(cert, CKA_LABEL);
	struct object key;
	int rc;

	memset(&key, 0, sizeof(key));
	if (!mock_conf->cert_renames_key || !is_cert(cert) ||
	    !first(slot, is_key_of, cert, &key))
		return 1;
	rc = label != NULL && label->ulValueLen > 0
	    ? object_set(&key, CKA_LABEL, label->pValue, label->ulValueLen)
	    : object_set(&key, CKA_LABEL, "Certificate", 11);
	rc = rc && store_save(slot, &key);
	object_free(&key);
	return rc;
}

/* Issuer and subject the same, serial number 0, valid for no time at all. */
static X509 *
placeholder(EVP_PKEY *key)
{
	X509 *x = X509_new_ex(mock_libctx, NULL);
	static const unsigned char name[] = "Mock Slot";

	if (x != NULL && X509_set_version(x, X509_VERSION_3) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 0) &&
	    ASN1_TIME_set(X509_getm_notBefore(x), 0) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(x), 0) != NULL &&
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
		MBSTRING_ASC, name, -1, -1, 0) &&
	    X509_set_issuer_name(x, X509_get_subject_name(x)) &&
	    X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static int
fill_placeholder(struct object *o, X509 *x, const struct object *pub)
{
	const CK_ATTRIBUTE *id = object_get(pub, CKA_ID);
	unsigned char *der = NULL, *name = NULL;
	int len = i2d_X509(x, &der);
	int name_len = i2d_X509_NAME(X509_get_subject_name(x), &name);
	int rc;

	rc = len > 0 && name_len > 0 &&
	    object_set_ulong(o, CKA_CLASS, CKO_CERTIFICATE) &&
	    object_set_ulong(o, CKA_CERTIFICATE_TYPE, CKC_X_509) &&
	    object_set_bool(o, CKA_TOKEN, 1) &&
	    object_set(o, CKA_ID, id->pValue, id->ulValueLen) &&
	    object_set(o, CKA_LABEL, "placeholder", 11) &&
	    object_set(o, CKA_VALUE, der, (size_t)len) &&
	    object_set(o, CKA_SUBJECT, name, (size_t)name_len);
	OPENSSL_free(der);
	OPENSSL_free(name);
	return rc;
}

int
family_generated(CK_SLOT_ID slot, const struct object *pub, EVP_PKEY *key)
{
	struct object o;
	X509 *x;
	int rc;

	if (!mock_conf->places)
		return 1;
	if ((x = placeholder(key)) == NULL)
		return 0;
	memset(&o, 0, sizeof(o));
	rc = fill_placeholder(&o, x, pub);
	if (rc) {
		family_take_place(slot, &o);
		rc = store_save(slot, &o);
	}
	object_free(&o);
	X509_free(x);
	return rc;
}

/* What stays when it is destroyed: CKR_OK, and the key is there as before. */
int
family_keeps(const struct object *o)
{
	return mock_conf->places && !is_cert(o);
}

/* A card that does not tell how its keys are protected. */
int
family_mute(const struct object *o, CK_ATTRIBUTE_TYPE type)
{
	if (!mock_conf->mute ||
	    object_ulong(o, CKA_CLASS, ~0UL) != CKO_PRIVATE_KEY)
		return 0;
	return type == CKA_SENSITIVE || type == CKA_LOCAL ||
	    type == CKA_ALWAYS_SENSITIVE || type == CKA_NEVER_EXTRACTABLE ||
	    type == CKA_EXTRACTABLE;
}
