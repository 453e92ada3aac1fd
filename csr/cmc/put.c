/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts that requests and responses have in common: RFC 10002 sections
 * 3.2.1 and 6.
 */

#include <stdio.h>

#include <openssl/err.h>

#include "put.h"

int
cmc_encode_failed(const char *what, struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "message-encode",
	    "%s cannot be put together", what);
}

/* --- one control ---------------------------------------------------------- */

static int
set_type(CMC_ATTR *attr, enum cmc_control number)
{
	char oid[sizeof(CMC_OID_ARC) + 8];

	(void)snprintf(oid, sizeof(oid), CMC_OID_ARC "%d", number);
	ASN1_OBJECT_free(attr->attrType);
	attr->attrType = OBJ_txt2obj(oid, 1);
	return attr->attrType != NULL;
}

int
cmc_put_any(struct cmc_put *p, enum cmc_control number, ASN1_TYPE *any,
    struct burin_error *e)
{
	CMC_ATTR *attr = CMC_ATTR_new();

	if (attr == NULL || any == NULL ||
	    ASN1_INTEGER_set_uint64(attr->bodyPartID, p->next) != 1 ||
	    !set_type(attr, number) ||
	    sk_ASN1_TYPE_push(attr->attrValues, any) <= 0) {
		ASN1_TYPE_free(any);
		CMC_ATTR_free(attr);
		return cmc_encode_failed("a control", e);
	}
	if (sk_CMC_ATTR_push(p->controls, attr) <= 0) {
		CMC_ATTR_free(attr);
		return burin_fail_memory(e);
	}
	p->next++;
	return 0;
}

int
cmc_put_item(struct cmc_put *p, enum cmc_control number, const ASN1_ITEM *it,
    void *value, struct burin_error *e)
{
	return cmc_put_any(
	    p, number, ASN1_TYPE_pack_sequence(it, value, NULL), e);
}

int
cmc_put_string(struct cmc_put *p, enum cmc_control number, int type,
    const void *data, size_t len, struct burin_error *e)
{
	ASN1_STRING *s = ASN1_STRING_type_new(type);
	ASN1_TYPE *any = ASN1_TYPE_new();

	if (s == NULL || any == NULL ||
	    ASN1_STRING_set(s, data, (int)len) != 1) {
		ASN1_STRING_free(s);
		ASN1_TYPE_free(any);
		return burin_fail_memory(e);
	}
	ASN1_TYPE_set(any, type, s);
	return cmc_put_any(p, number, any, e);
}

int
cmc_put_octets(struct cmc_put *p, enum cmc_control number,
    const struct burin_cmc_octets *o, struct burin_error *e)
{
	if (o->len == 0)
		return 0;
	return cmc_put_string(
	    p, number, V_ASN1_OCTET_STRING, o->data, o->len, e);
}

/* --- the transaction: section 6.6 ----------------------------------------- */

int
cmc_put_transaction(
    struct cmc_put *p, const struct burin_cmc_octets *o, struct burin_error *e)
{
	BIGNUM *bn = BN_bin2bn(o->data, (int)o->len, NULL);
	ASN1_INTEGER *n = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	ASN1_TYPE *any = ASN1_TYPE_new();

	BN_free(bn);
	if (n == NULL || any == NULL) {
		ASN1_INTEGER_free(n);
		ASN1_TYPE_free(any);
		return burin_fail_memory(e);
	}
	ASN1_TYPE_set(any, V_ASN1_INTEGER, n);
	return cmc_put_any(p, CMC_TRANSACTION_ID, any, e);
}

int
cmc_put_thread(
    struct cmc_put *p, const struct burin_cmc_thread *t, struct burin_error *e)
{
	if (t == NULL)
		return 0;
	if ((t->transaction.len > 0 &&
		cmc_put_transaction(p, &t->transaction, e) == -1) ||
	    cmc_put_octets(p, CMC_SENDER_NONCE, &t->sent, e) == -1)
		return -1;
	return cmc_put_octets(p, CMC_RECIPIENT_NONCE, &t->received, e);
}

/* --- ids ------------------------------------------------------------------ */

static ASN1_INTEGER *
id_new(uint32_t id)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	if (n != NULL && ASN1_INTEGER_set_uint64(n, id) == 1)
		return n;
	ASN1_INTEGER_free(n);
	return NULL;
}

STACK_OF(ASN1_INTEGER) * cmc_ids_new(const uint32_t *ids, size_t n)
{
	STACK_OF(ASN1_INTEGER) *list = sk_ASN1_INTEGER_new_null();
	ASN1_INTEGER *id = NULL;
	size_t i;

	for (i = 0; list != NULL && i < n; i++) {
		id = id_new(ids[i]);
		if (id == NULL || sk_ASN1_INTEGER_push(list, id) <= 0)
			break;
	}
	if (list != NULL && i == n)
		return list;
	ASN1_INTEGER_free(id);
	sk_ASN1_INTEGER_pop_free(list, ASN1_INTEGER_free);
	return NULL;
}

CMC_REF *
cmc_ref_new(const struct burin_cmc_path *path)
{
	CMC_REF *ref = CMC_REF_new();
	int ok = 0;

	if (ref == NULL)
		return NULL;
	if (path->n > 1) {
		ref->type = CMC_REF_PATH;
		ref->d.path = cmc_ids_new(path->ids, path->n);
		ok = ref->d.path != NULL;
	} else {
		ref->type = CMC_REF_ID;
		ref->d.id = id_new(path->n == 1 ? path->ids[0] : 0);
		ok = ref->d.id != NULL;
	}
	if (ok)
		return ref;
	CMC_REF_free(ref);
	return NULL;
}

int
cmc_put_ids(struct cmc_put *p, enum cmc_control number, const uint32_t *ids,
    size_t n, struct burin_error *e)
{
	STACK_OF(ASN1_INTEGER) *list = cmc_ids_new(ids, n);
	int rc;

	if (list == NULL)
		return burin_fail_memory(e);
	rc = cmc_put_item(p, number, ASN1_ITEM_rptr(CMC_IDS), list, e);
	sk_ASN1_INTEGER_pop_free(list, ASN1_INTEGER_free);
	return rc;
}

int
cmc_put_cert_id(struct cmc_put *p, X509 *cert, struct burin_error *e)
{
	CMC_CERT_ID *id = CMC_CERT_ID_new();
	int rc = -1;

	if (id == NULL ||
	    X509_NAME_set(&id->issuer, X509_get_issuer_name(cert)) != 1 ||
	    ASN1_STRING_copy(id->serial, X509_get0_serialNumber(cert)) != 1)
		(void)burin_fail_memory(e);
	else
		rc = cmc_put_item(p, CMC_CONFIRM_CERT_ACCEPTANCE,
		    ASN1_ITEM_rptr(CMC_CERT_ID), id, e);
	CMC_CERT_ID_free(id);
	return rc;
}

/* --- messages ------------------------------------------------------------- */

int
cmc_put_message(struct cmc_put *p, uint32_t id, const unsigned char *der,
    size_t len, struct burin_error *e)
{
	CMC_CONTENT *part = CMC_CONTENT_new();
	ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

	if (part == NULL || s == NULL ||
	    ASN1_STRING_set(s, der, (int)len) != 1 ||
	    ASN1_INTEGER_set_uint64(part->bodyPartID, id) != 1) {
		ASN1_STRING_free(s);
		CMC_CONTENT_free(part);
		return burin_fail_memory(e);
	}
	ASN1_TYPE_set(part->contentInfo, V_ASN1_SEQUENCE, s);
	if (sk_CMC_CONTENT_push(p->cms, part) > 0)
		return 0;
	CMC_CONTENT_free(part);
	return burin_fail_memory(e);
}
