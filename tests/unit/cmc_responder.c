/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PKIResponses made to order.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "cmc_responder.h"

#define MUST(x)                                                             \
	do {                                                                \
		if (!(x)) {                                                 \
			(void)fprintf(                                      \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                            \
		}                                                           \
	} while (0)

void
said_begin(struct said *s)
{
	MUST((s->body = CMC_PKI_RESPONSE_new()) != NULL);
	/* Far from the ids of requests, and needing five octets. */
	s->next = 0xffffff00u;
}

void
said_free(struct said *s)
{
	CMC_PKI_RESPONSE_free(s->body);
	s->body = NULL;
}

static void
set_id(ASN1_INTEGER *to, uint32_t id)
{
	MUST(ASN1_INTEGER_set_uint64(to, id) == 1);
}

static STACK_OF(ASN1_INTEGER) * id_list(const uint32_t *ids, size_t n)
{
	STACK_OF(ASN1_INTEGER) *list = sk_ASN1_INTEGER_new_null();
	size_t i;

	MUST(list != NULL);
	for (i = 0; i < n; i++) {
		ASN1_INTEGER *one = ASN1_INTEGER_new();

		MUST(one != NULL);
		set_id(one, ids[i]);
		MUST(sk_ASN1_INTEGER_push(list, one) > 0);
	}
	return list;
}

/* --- controls ------------------------------------------------------------- */

uint32_t
said_any(struct said *s, const char *oid, const ASN1_TYPE *value)
{
	CMC_ATTR *attr = CMC_ATTR_new();
	ASN1_TYPE *copy = ASN1_TYPE_new();

	MUST(attr != NULL && copy != NULL);
	set_id(attr->bodyPartID, s->next);
	ASN1_OBJECT_free(attr->attrType);
	MUST((attr->attrType = OBJ_txt2obj(oid, 1)) != NULL);
	MUST(ASN1_TYPE_set1(copy, value->type, value->value.ptr) == 1);
	MUST(sk_ASN1_TYPE_push(attr->attrValues, copy) > 0);
	MUST(sk_CMC_ATTR_push(s->body->controls, attr) > 0);
	return s->next++;
}

static uint32_t
put(struct said *s, enum cmc_control number, int type, void *string)
{
	char oid[32];
	ASN1_TYPE any;

	memset(&any, 0, sizeof(any));
	any.type = type;
	any.value.ptr = string;
	(void)snprintf(oid, sizeof(oid), CMC_OID_ARC "%d", (int)number);
	return said_any(s, oid, &any);
}

uint32_t
said_value(struct said *s, enum cmc_control number, const void *value)
{
	const ASN1_ITEM *it = ASN1_ITEM_ptr(cmc_control_row(number)->item);
	ASN1_STRING *der = ASN1_item_pack((void *)(uintptr_t)value, it, NULL);
	uint32_t id;

	MUST(der != NULL);
	id = put(s, number, V_ASN1_SEQUENCE, der);
	ASN1_STRING_free(der);
	return id;
}

static uint32_t
put_bytes(struct said *s, enum cmc_control number, int type, const void *data,
    size_t len)
{
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	uint32_t id;

	MUST(string != NULL && ASN1_STRING_set(string, data, (int)len) == 1);
	id = put(s, number, type, string);
	ASN1_STRING_free(string);
	return id;
}

uint32_t
said_octets(
    struct said *s, enum cmc_control number, const void *data, size_t len)
{
	return put_bytes(s, number, V_ASN1_OCTET_STRING, data, len);
}

uint32_t
said_integer(
    struct said *s, enum cmc_control number, const void *bytes, size_t len)
{
	return put_bytes(s, number, V_ASN1_INTEGER, bytes, len);
}

uint32_t
said_ids(struct said *s, enum cmc_control number, const uint32_t *ids, size_t n)
{
	STACK_OF(ASN1_INTEGER) *list = id_list(ids, n);
	uint32_t id = said_value(s, number, list);

	sk_ASN1_INTEGER_pop_free(list, ASN1_INTEGER_free);
	return id;
}

uint32_t
said_message(struct said *s, const unsigned char *der, size_t len)
{
	CMC_CONTENT *part = CMC_CONTENT_new();
	const unsigned char *p = der;

	MUST(part != NULL);
	set_id(part->bodyPartID, s->next);
	ASN1_TYPE_free(part->contentInfo);
	part->contentInfo = d2i_ASN1_TYPE(NULL, &p, (long)len);
	MUST(part->contentInfo != NULL);
	MUST(sk_CMC_CONTENT_push(s->body->cms, part) > 0);
	return s->next++;
}

/* --- statuses ------------------------------------------------------------- */

static CMC_EXT_FAIL *
ext_fail(const char *oid)
{
	CMC_EXT_FAIL *ext = CMC_EXT_FAIL_new();

	MUST(ext != NULL);
	ASN1_OBJECT_free(ext->oid);
	MUST((ext->oid = OBJ_txt2obj(oid, 1)) != NULL);
	ASN1_TYPE_set(ext->value, V_ASN1_NULL, NULL);
	return ext;
}

static ASN1_STRING *
pend_info(const struct said_status *w)
{
	CMC_PEND_INFO *pend = CMC_PEND_INFO_new();
	ASN1_STRING *der;

	MUST(pend != NULL);
	MUST(ASN1_STRING_set(pend->token, w->token, -1) == 1);
	/* Not checked: tests write times that are none. */
	MUST(ASN1_STRING_set(pend->time, w->time, -1) == 1);
	der = ASN1_item_pack(pend, ASN1_ITEM_rptr(CMC_PEND_INFO), NULL);
	CMC_PEND_INFO_free(pend);
	MUST(der != NULL);
	return der;
}

static ASN1_STRING *
garbage_info(const char *text)
{
	ASN1_SEQUENCE_ANY *list = sk_ASN1_TYPE_new_null();
	ASN1_TYPE *one = ASN1_TYPE_new();
	ASN1_STRING *der = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	unsigned char *out = NULL;
	int len;

	MUST(list && one && der && octets);
	MUST(ASN1_STRING_set(octets, text, -1) == 1);
	ASN1_TYPE_set(one, V_ASN1_OCTET_STRING, octets);
	MUST(sk_ASN1_TYPE_push(list, one) > 0);
	MUST((len = i2d_ASN1_SEQUENCE_ANY(list, &out)) > 0);
	ASN1_STRING_set0(der, out, len);
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	return der;
}

static CMC_INFO *
make_info(const struct said_status *w)
{
	CMC_INFO *info = CMC_INFO_new();

	MUST(info != NULL);
	if (w->token != NULL || w->garbage != NULL) {
		info->type = CMC_INFO_SEQUENCE;
		info->d.sequence =
		    w->token != NULL ? pend_info(w) : garbage_info(w->garbage);
	} else if (w->ext != NULL && w->ext_untagged) {
		CMC_EXT_FAIL *ext = ext_fail(w->ext);

		info->type = CMC_INFO_SEQUENCE;
		info->d.sequence =
		    ASN1_item_pack(ext, ASN1_ITEM_rptr(CMC_EXT_FAIL), NULL);
		MUST(info->d.sequence != NULL);
		CMC_EXT_FAIL_free(ext);
	} else if (w->ext != NULL) {
		info->type = CMC_INFO_EXT_FAIL;
		info->d.ext = ext_fail(w->ext);
	} else if (w->fail >= 0) {
		info->type = CMC_INFO_FAIL;
		MUST((info->d.fail = ASN1_INTEGER_new()) != NULL);
		MUST(ASN1_INTEGER_set(info->d.fail, w->fail) == 1);
	} else {
		CMC_INFO_free(info);
		return NULL;
	}
	return info;
}

static ASN1_UTF8STRING *
make_text(const char *text)
{
	ASN1_UTF8STRING *s = NULL;

	if (text == NULL)
		return NULL;
	MUST((s = ASN1_UTF8STRING_new()) != NULL);
	MUST(ASN1_STRING_set(s, text, -1) == 1);
	return s;
}

static void
push_ref(CMC_STATUS_V2 *v2, const uint32_t *ids, size_t n, int path)
{
	CMC_REF *ref = CMC_REF_new();

	MUST(ref != NULL);
	ref->type = path ? CMC_REF_PATH : CMC_REF_ID;
	if (path) {
		ref->d.path = id_list(ids, n);
	} else {
		MUST((ref->d.id = ASN1_INTEGER_new()) != NULL);
		set_id(ref->d.id, ids[0]);
	}
	MUST(sk_CMC_REF_push(v2->bodyList, ref) > 0);
}

static uint32_t
status_v2(
    struct said *s, const struct said_status *w, const uint32_t *ids, size_t n)
{
	CMC_STATUS_V2 *v2 = CMC_STATUS_V2_new();
	uint32_t id;
	size_t i;

	MUST(v2 != NULL && ASN1_INTEGER_set(v2->status, w->status) == 1);
	if (w->path)
		push_ref(v2, ids, n, 1);
	for (i = 0; i < n && !w->path; i++)
		push_ref(v2, &ids[i], 1, 0);
	v2->text = make_text(w->text);
	v2->info = make_info(w);
	id = said_value(s, CMC_STATUS_INFO_V2, v2);
	CMC_STATUS_V2_free(v2);
	return id;
}

uint32_t
said_status(struct said *s, const struct said_status *w)
{
	static const uint32_t first = 1;
	const uint32_t *ids = w->ids != NULL ? w->ids : &first;
	size_t n = w->ids != NULL ? w->n_ids : 1;
	CMC_STATUS *v1;
	uint32_t id;

	if (!w->v1)
		return status_v2(s, w, ids, n);
	MUST((v1 = CMC_STATUS_new()) != NULL);
	MUST(ASN1_INTEGER_set(v1->status, w->status) == 1);
	sk_ASN1_INTEGER_pop_free(v1->bodyList, ASN1_INTEGER_free);
	v1->bodyList = id_list(ids, n);
	v1->text = make_text(w->text);
	v1->info = make_info(w);
	id = said_value(s, CMC_STATUS_INFO, v1);
	CMC_STATUS_free(v1);
	return id;
}

uint32_t
said_plain(struct said *s, long status, long fail)
{
	struct said_status w = { 0 };

	w.status = status;
	w.fail = fail;
	return said_status(s, &w);
}

/* --- challenges and anchors ----------------------------------------------- */

static void
set_alg(X509_ALGOR *alg, const char *oid)
{
	MUST(
	    X509_ALGOR_set0(alg, OBJ_txt2obj(oid, 1), V_ASN1_UNDEF, NULL) == 1);
}

static ASN1_TYPE *
as_any(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	ASN1_TYPE *any = d2i_ASN1_TYPE(NULL, &p, (long)len);

	MUST(any != NULL && p == der + len);
	return any;
}

uint32_t
said_pop(struct said *s, const struct said_pop *p)
{
	CMC_ENCRYPTED_POP *pop = CMC_ENCRYPTED_POP_new();
	struct burin_cms_recipient to = { 0 };
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char hash[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned n;
	size_t len;
	uint32_t id;

	to.pub = p->pub;
	to.key_id = p->key_id;
	to.key_id_len = p->key_id_len;
	to.serial = p->serial;
	if (burin_cms_encrypt(&to, 1, p->cipher,
		p->inner != NULL ? p->inner : "1.2.840.113549.1.7.1", p->y,
		p->y_len, &der, &len, &e) == -1) {
		(void)fprintf(stderr, "%s: %s\n", e.code, e.reason);
		abort();
	}
	MUST(pop != NULL);
	ASN1_TYPE_free(pop->request);
	ASN1_TYPE_free(pop->cms);
	pop->request = as_any(p->request, p->request_len);
	pop->cms = as_any(der, len);
	set_alg(pop->thePOPAlgID, "1.2.840.113549.2.9");
	set_alg(pop->witnessAlgID,
	    p->sha1 ? "1.3.14.3.2.26" : "2.16.840.1.101.3.4.2.1");
	MUST(EVP_Digest(p->y, p->y_len, hash, &n,
		 p->sha1 ? EVP_sha1() : EVP_sha256(), NULL) == 1);
	hash[0] ^= p->wrong_witness ? 1 : 0;
	MUST(ASN1_STRING_set(pop->witness, hash, (int)n) == 1);
	id = said_value(s, CMC_ENCRYPTED_POP_CONTROL, pop);
	CMC_ENCRYPTED_POP_free(pop);
	OPENSSL_free(der);
	return id;
}

uint32_t
said_anchors(
    struct said *s, long number, const EVP_MD *md, X509 *const *certs, size_t n)
{
	CMC_ANCHORS *list = CMC_ANCHORS_new();
	uint32_t id;
	size_t i;

	MUST(list != NULL && ASN1_INTEGER_set(list->seqNumber, number) == 1);
	X509_ALGOR_set_md(list->hash, md);
	for (i = 0; i < n; i++) {
		unsigned char hash[EVP_MAX_MD_SIZE];
		ASN1_OCTET_STRING *one = ASN1_OCTET_STRING_new();
		unsigned len;

		MUST(one != NULL &&
		    X509_digest(certs[i], md, hash, &len) == 1 &&
		    ASN1_STRING_set(one, hash, (int)len) == 1);
		MUST(sk_ASN1_OCTET_STRING_push(list->anchorHashes, one) > 0);
	}
	id = said_value(s, CMC_TRUSTED_ANCHORS, list);
	CMC_ANCHORS_free(list);
	return id;
}

/* --- encoding ------------------------------------------------------------- */

unsigned char *
said_response(const struct said *s, size_t *len)
{
	unsigned char *der = NULL;
	int n = i2d_CMC_PKI_RESPONSE(s->body, &der);

	MUST(n > 0);
	*len = (size_t)n;
	return der;
}

unsigned char *
said_data(const struct said *s, size_t *len)
{
	CMC_PKI_DATA *data = CMC_PKI_DATA_new();
	unsigned char *der = NULL;
	int i, n;

	MUST(data != NULL);
	for (i = 0; i < sk_CMC_ATTR_num(s->body->controls); i++)
		MUST(sk_CMC_ATTR_push(data->controls,
			 ASN1_item_dup(ASN1_ITEM_rptr(CMC_ATTR),
			     sk_CMC_ATTR_value(s->body->controls, i))) > 0);
	for (i = 0; i < sk_CMC_CONTENT_num(s->body->cms); i++)
		MUST(sk_CMC_CONTENT_push(data->cms,
			 ASN1_item_dup(ASN1_ITEM_rptr(CMC_CONTENT),
			     sk_CMC_CONTENT_value(s->body->cms, i))) > 0);
	MUST(ASN1_STRING_set(data->reqs, "\x30\x00", 2) == 1);
	MUST((n = i2d_CMC_PKI_DATA(data, &der)) > 0);
	CMC_PKI_DATA_free(data);
	*len = (size_t)n;
	return der;
}

static void
put_ber(const unsigned char *p, long len, int depth, unsigned char **out)
{
	const unsigned char *end = p + len;

	while (p < end) {
		const unsigned char *begin = p;
		long inner;
		int tag, class, flags;

		flags = ASN1_get_object(&p, &inner, &tag, &class, end - p);
		MUST((flags & 0x80) == 0);
		if (depth == 0 || (flags & V_ASN1_CONSTRUCTED) == 0) {
			memcpy(*out, begin, (size_t)(p + inner - begin));
			*out += p + inner - begin;
		} else {
			ASN1_put_object(out, 2, 0, tag, class);
			put_ber(p, inner, depth - 1, out);
			ASN1_put_eoc(out);
		}
		p += inner;
	}
}

unsigned char *
said_ber(const unsigned char *der, size_t len, int depth, size_t *out_len)
{
	unsigned char *out = OPENSSL_malloc(2 * len + 64), *p = out;

	MUST(out != NULL);
	put_ber(der, (long)len, depth, &p);
	*out_len = (size_t)(p - out);
	return out;
}
