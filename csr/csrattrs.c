/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CSR attributes of EST out of a profile: RFC 8951 section 3.5 has the list,
 * RFC 9908 sections 3.2 and 3.4 say what stands in it.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>

#include <burin/csrattrs.h>

#include "csrattrs.h"
#include "internal.h"
#include "profile.h"

#define OID_TEMPLATE "1.2.840.113549.1.9.16.2.61"   /* RFC 9908 */
#define OID_EXTENSIONS "1.2.840.113549.1.9.16.2.62" /* section 3.4 */
#define RSA_EXPONENT 65537
#define MAX_RSA_BITS 16384

/* --- the key -------------------------------------------------------------- */

/* The algorithm of a key type of a profile; EC: its curve, RSA: its bits. */
struct kind {
	int algorithm; /* NID */
	int curve;     /* NID, 0 none */
	long bits;     /* 0 none */
};

static int
key_kind(const struct burin_profile *p, struct kind *out, struct burin_error *e)
{
	static const struct {
		const char *name;
		int nid;
	} plain[] = { { "ed25519", NID_ED25519 }, { "ed448", NID_ED448 },
		{ "x25519", NID_X25519 } };
	const char *name = p->key_types[0];
	size_t i;

	memset(out, 0, sizeof(*out));
	if (strncmp(name, "ec:", 3) == 0) {
		out->algorithm = NID_X9_62_id_ecPublicKey;
		if ((out->curve = EC_curve_nist2nid(name + 3)) == NID_undef)
			out->curve = OBJ_txt2nid(name + 3);
		if (out->curve != NID_undef)
			return 0;
	} else if (strncmp(name, "rsa:", 4) == 0) {
		out->algorithm = NID_rsaEncryption;
		out->bits = strtol(name + 4, NULL, 10);
		if (out->bits > 0 && out->bits <= MAX_RSA_BITS)
			return 0;
	} else {
		for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
			if (strcmp(name, plain[i].name) == 0)
				out->algorithm = plain[i].nid;
		if (out->algorithm != NID_undef)
			return 0;
	}
	return csr_profile_refuse(
	    p, e, "names a key type that EST has no word for: %.40s", name);
}

/*
 * RSA says its size by a key of that size, which is nobody's: the modulus is
 * 2^(bits - 1) (RFC 9908 section 3.4).
 */
static int
placeholder(CSRKEY *key, long bits)
{
	CSRRSA *rsa = CSRRSA_new();
	unsigned char *der = NULL;
	BIGNUM *n = BN_new();
	int len, ok = 0;

	if (rsa == NULL || n == NULL || !BN_set_bit(n, (int)bits - 1) ||
	    BN_to_ASN1_INTEGER(n, rsa->n) == NULL ||
	    !ASN1_INTEGER_set(rsa->e, RSA_EXPONENT))
		goto out;
	len = i2d_CSRRSA(rsa, &der);
	if (len <= 0 || (key->key = ASN1_BIT_STRING_new()) == NULL ||
	    !ASN1_BIT_STRING_set(key->key, der, len))
		goto out;
	key->key->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	key->key->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* no bit is unused */
	ok = 1;
out:
	OPENSSL_free(der);
	BN_free(n);
	CSRRSA_free(rsa);
	return ok;
}

static int
set_key(CSRTEMPLATE *t, const struct kind *kind)
{
	int type = V_ASN1_UNDEF;
	void *value = NULL;

	if (kind->curve != 0) {
		type = V_ASN1_OBJECT;
		value = OBJ_nid2obj(kind->curve);
	} else if (kind->bits != 0) {
		type = V_ASN1_NULL;
	}
	return (t->key = CSRKEY_new()) != NULL &&
	    X509_ALGOR_set0(
		t->key->algorithm, OBJ_nid2obj(kind->algorithm), type, value) &&
	    (kind->bits == 0 || placeholder(t->key, kind->bits));
}

/* --- attributes -------------------------------------------------------------
 */

/* An attribute whose one value is the DER of an item. */
static X509_ATTRIBUTE *
attribute_of(ASN1_OBJECT *oid, const void *value, const ASN1_ITEM *it)
{
	X509_ATTRIBUTE *attr = NULL;
	unsigned char *der = NULL;
	int len = ASN1_item_i2d(value, &der, it);

	if (oid != NULL && len > 0)
		attr = X509_ATTRIBUTE_create_by_OBJ(
		    NULL, oid, V_ASN1_SEQUENCE, der, len);
	OPENSSL_free(der);
	return attr;
}

/* Takes attr over, also when it fails. */
static int
push_attribute(STACK_OF(X509_ATTRIBUTE) * list, X509_ATTRIBUTE *attr)
{
	if (attr != NULL && sk_X509_ATTRIBUTE_push(list, attr) > 0)
		return 1;
	X509_ATTRIBUTE_free(attr);
	return 0;
}

/* Takes value over, also when it fails. */
static int
push_item(CSRATTRS *list, int type, void *value)
{
	CSRATTR *a = CSRATTR_new();

	if (value == NULL || a == NULL) {
		CSRATTR_free(a);
		goto fail;
	}
	a->type = type;
	if (type == CSRATTR_OID)
		a->d.oid = value;
	else
		a->d.attribute = value;
	if (sk_CSRATTR_push(list, a) > 0)
		return 1;
	CSRATTR_free(a);
	return 0;
fail:
	if (type == CSRATTR_OID)
		ASN1_OBJECT_free(value);
	else
		X509_ATTRIBUTE_free(value);
	return 0;
}

static int
push_extension(CSREXTS *list, const ASN1_OBJECT *oid, int critical,
    const ASN1_OCTET_STRING *value)
{
	CSREXT *ext = CSREXT_new();

	if (ext == NULL || (ext->id = OBJ_dup(oid)) == NULL ||
	    (value != NULL &&
		(ext->value = ASN1_OCTET_STRING_dup(value)) == NULL)) {
		CSREXT_free(ext);
		return 0;
	}
	ext->critical = critical ? 0xff : -1; /* DEFAULT FALSE is left out */
	if (sk_CSREXT_push(list, ext) > 0)
		return 1;
	CSREXT_free(ext);
	return 0;
}

/* What is copied from a request and not in exts is the client's to say. */
static int
push_open(CSREXTS *list, const struct burin_profile *p,
    const STACK_OF(X509_EXTENSION) * exts)
{
	ASN1_OBJECT *oid;
	size_t i;
	int ok = 1;

	for (i = 0; ok && p->copy[i] != NULL; i++) {
		if ((oid = OBJ_txt2obj(p->copy[i], 0)) == NULL)
			return 0;
		/* RFC 6487 section 4.8.10: resources are critical. */
		if (csr_ext_find(exts, oid) < 0)
			ok = push_extension(list, oid,
			    OBJ_obj2nid(oid) == NID_sbgp_ipAddrBlock, NULL);
		ASN1_OBJECT_free(oid);
	}
	return ok;
}

static X509_ATTRIBUTE *
extension_template(
    const struct burin_profile *p, const STACK_OF(X509_EXTENSION) * exts)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_EXTENSIONS, 1);
	CSREXTS *list = sk_CSREXT_new_null();
	X509_ATTRIBUTE *attr = NULL;
	int i, ok = list != NULL && oid != NULL;

	for (i = 0; ok && i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);

		ok = push_extension(list, X509_EXTENSION_get_object(ext),
		    X509_EXTENSION_get_critical(ext),
		    X509_EXTENSION_get_data(ext));
	}
	if (ok && push_open(list, p, exts))
		attr = attribute_of(oid, list, ASN1_ITEM_rptr(CSREXTS));
	CSREXTS_free(list);
	ASN1_OBJECT_free(oid);
	return attr;
}

/* --- the whole -------------------------------------------------------------
 */

/* What goes in, for both forms. */
struct wanted {
	const struct burin_profile *p;
	STACK_OF(X509_EXTENSION) * exts; /* of [request] */
	struct kind kind;
	int link;
};

static int
find_extensions(struct wanted *w, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	if (burin_subject_new(&s, e) != 0)
		return -1;
	burin_subject_set_ski(s, 0); /* of a key that is not there yet */
	if (burin_profile_apply(w->p, s, e) == 0)
		rc = csr_subject_extensions(s, NULL, &w->exts, e);
	burin_subject_free(&s);
	return rc;
}

/* The list of RFC 8951, for clients that know no template. */
static int
push_list(CSRATTRS *list, const struct wanted *w)
{
	X509_ATTRIBUTE *key = NULL;
	ASN1_INTEGER *bits = NULL;

	if (w->link &&
	    !push_item(list, CSRATTR_OID,
		OBJ_dup(OBJ_nid2obj(NID_pkcs9_challengePassword))))
		return 0;
	if (w->kind.curve != 0)
		key = X509_ATTRIBUTE_create(w->kind.algorithm, V_ASN1_OBJECT,
		    OBJ_nid2obj(w->kind.curve));
	else if (w->kind.bits != 0 && (bits = ASN1_INTEGER_new()) != NULL &&
	    ASN1_INTEGER_set(bits, w->kind.bits))
		key = X509_ATTRIBUTE_create(
		    w->kind.algorithm, V_ASN1_INTEGER, bits);
	/* An Edwards curve is an algorithm without parameters: RFC 8410. */
	if (w->kind.curve == 0 && w->kind.bits == 0) {
		if (!push_item(list, CSRATTR_OID,
			OBJ_dup(OBJ_nid2obj(w->kind.algorithm))))
			return 0;
	} else if (key == NULL) {
		ASN1_INTEGER_free(bits);
		return 0;
	} else if (!push_item(list, CSRATTR_ATTRIBUTE, key)) {
		return 0;
	}
	return sk_X509_EXTENSION_num(w->exts) == 0 ||
	    push_item(list, CSRATTR_ATTRIBUTE,
		attribute_of(OBJ_nid2obj(NID_ext_req), w->exts,
		    ASN1_ITEM_rptr(X509_EXTENSIONS)));
}

/* A template has no bare OIDs: an empty value is what the client fills in. */
static int
push_link(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	return push_attribute(attributes,
	    X509_ATTRIBUTE_create_by_NID(NULL, NID_pkcs9_challengePassword,
		V_ASN1_UTF8STRING, (const unsigned char *)"", 0));
}

static int
push_template(CSRATTRS *list, const struct wanted *w)
{
	CSRTEMPLATE *t = CSRTEMPLATE_new();
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_TEMPLATE, 1);
	int has_exts =
	    sk_X509_EXTENSION_num(w->exts) > 0 || w->p->copy[0] != NULL;
	int ok;

	ok = t != NULL && oid != NULL && ASN1_INTEGER_set(t->version, 0) &&
	    set_key(t, &w->kind) &&
	    (!has_exts ||
		push_attribute(
		    t->attributes, extension_template(w->p, w->exts))) &&
	    (!w->link || push_link(t->attributes)) &&
	    push_item(list, CSRATTR_ATTRIBUTE,
		attribute_of(oid, t, ASN1_ITEM_rptr(CSRTEMPLATE)));
	CSRTEMPLATE_free(t);
	ASN1_OBJECT_free(oid);
	return ok;
}

int
burin_csrattrs_make(const struct burin_profile *p, int link,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	struct wanted w = { .p = p, .link = link };
	CSRATTRS *list = sk_CSRATTR_new_null();
	int len, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (list == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (key_kind(p, &w.kind, e) != 0 || find_extensions(&w, e) != 0)
		goto out;
	if (!push_list(list, &w) || !push_template(list, &w) ||
	    (len = i2d_CSRATTRS(list, der)) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "csrattrs-make",
		    "the CSR attributes cannot be put together");
		goto out;
	}
	*der_len = (size_t)len;
	rc = 0;
out:
	sk_X509_EXTENSION_pop_free(w.exts, X509_EXTENSION_free);
	CSRATTRS_free(list);
	return rc;
}
