/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A request that waits is kept as a PKCS#10 without signature: names, key and
 * extensions as they are to be certified, whatever form they came in and
 * whatever an RA or changeSubjectName made of them.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>

#include <burin/cmc.h>

#include "cmc_waiting.h"

typedef struct {
	ASN1_INTEGER *id;
	ASN1_OCTET_STRING *sha256;
	ASN1_BOOLEAN renamed;
	X509_REQ *req;
} WAIT_ITEM;
typedef struct {
	ASN1_OCTET_STRING *use;
	STACK_OF(WAIT_ITEM) * items;
} WAIT_LIST;
DEFINE_STACK_OF(WAIT_ITEM)

DECLARE_ASN1_FUNCTIONS(WAIT_ITEM)
DECLARE_ASN1_FUNCTIONS(WAIT_LIST)

/* clang-format off */
ASN1_SEQUENCE(WAIT_ITEM) = {
	ASN1_SIMPLE(WAIT_ITEM, id, ASN1_INTEGER),
	ASN1_SIMPLE(WAIT_ITEM, sha256, ASN1_OCTET_STRING),
	ASN1_SIMPLE(WAIT_ITEM, renamed, ASN1_BOOLEAN),
	ASN1_SIMPLE(WAIT_ITEM, req, X509_REQ),
} ASN1_SEQUENCE_END(WAIT_ITEM)
IMPLEMENT_ASN1_FUNCTIONS(WAIT_ITEM)

ASN1_SEQUENCE(WAIT_LIST) = {
	ASN1_SIMPLE(WAIT_LIST, use, ASN1_OCTET_STRING),
	ASN1_SEQUENCE_OF(WAIT_LIST, items, WAIT_ITEM),
} ASN1_SEQUENCE_END(WAIT_LIST)
IMPLEMENT_ASN1_FUNCTIONS(WAIT_LIST)
/* clang-format on */

void
waiting_clear(struct waiting_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		burin_asked_clear(&l->items[i].asked);
		burin_secret_free(&l->items[i].revocation);
	}
	free(l->items);
	memset(l, 0, sizeof(*l));
}

/* Not signed: the proof was verified, and says nothing any more. */
static int
no_signature(X509_REQ *req)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	int ok;

	ok = alg != NULL && bits != NULL &&
	    X509_ALGOR_set0(
		alg, OBJ_nid2obj(NID_id_alg_noSignature), V_ASN1_NULL, NULL) &&
	    X509_REQ_set1_signature_algo(req, alg);
	if (ok) {
		X509_REQ_set0_signature(req, bits);
		bits = NULL;
	}
	ASN1_BIT_STRING_free(bits);
	X509_ALGOR_free(alg);
	return ok;
}

static int
put_revocation(X509_REQ *req, const struct burin_secret *secret)
{
	if (secret == NULL)
		return 1;
	return X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
	    V_ASN1_UTF8STRING, burin_secret_bytes(secret),
	    (int)burin_secret_len(secret));
}

static int
pack_item(const struct waiting_item *in, WAIT_ITEM *out)
{
	const struct burin_asked *a = &in->asked;

	out->renamed = in->renamed ? 0xff : 0;
	return ASN1_INTEGER_set_uint64(out->id, in->id) &&
	    ASN1_OCTET_STRING_set(out->sha256, in->sha256, CA_SHA256) &&
	    X509_REQ_set_subject_name(out->req, a->subject) &&
	    X509_REQ_set_pubkey(out->req, a->pub) &&
	    (sk_X509_EXTENSION_num(a->extensions) <= 0 ||
		X509_REQ_add_extensions(out->req, a->extensions)) &&
	    put_revocation(out->req, in->revocation) && no_signature(out->req);
}

int
waiting_pack(const struct waiting_list *l, unsigned char **der, size_t *len,
    struct burin_error *e)
{
	WAIT_LIST *list = WAIT_LIST_new();
	WAIT_ITEM *item;
	size_t i;
	int n = -1;

	*der = NULL;
	if (list == NULL ||
	    !ASN1_OCTET_STRING_set(list->use, l->use, CA_SHA256))
		goto out;
	for (i = 0; i < l->n; i++) {
		if ((item = WAIT_ITEM_new()) == NULL)
			goto out;
		if (!sk_WAIT_ITEM_push(list->items, item)) {
			WAIT_ITEM_free(item);
			goto out;
		}
		if (!pack_item(&l->items[i], item))
			goto out;
	}
	n = i2d_WAIT_LIST(list, der);
out:
	WAIT_LIST_free(list);
	if (n <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "cannot keep the requests that wait");
	*len = (size_t)n;
	return 0;
}

static int
damaged(struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "store-damaged",
	    "the requests of a conversation that waits are damaged");
}

static int
unpack_item(
    const WAIT_ITEM *in, struct waiting_item *out, struct burin_error *e)
{
	uint64_t id;

	if (!ASN1_INTEGER_get_uint64(&id, in->id) || id > UINT32_MAX ||
	    ASN1_STRING_length(in->sha256) != CA_SHA256)
		return damaged(e);
	out->id = (uint32_t)id;
	memcpy(out->sha256, ASN1_STRING_get0_data(in->sha256), CA_SHA256);
	out->renamed = in->renamed != 0;
	out->asked.subject = X509_NAME_dup(X509_REQ_get_subject_name(in->req));
	out->asked.pub = X509_REQ_get_pubkey(in->req);
	out->asked.extensions = X509_REQ_get_extensions(in->req);
	if (out->asked.subject == NULL || out->asked.pub == NULL)
		return damaged(e);
	return request_revocation(in->req, 1, &out->revocation, e);
}

int
waiting_unpack(const unsigned char *der, size_t len, struct waiting_list *l,
    struct burin_error *e)
{
	const unsigned char *p = der;
	WAIT_LIST *list;
	int i, n, rc = -1;

	memset(l, 0, sizeof(*l));
	list = d2i_WAIT_LIST(NULL, &p, (long)len);
	if (list == NULL || p != der + len ||
	    ASN1_STRING_length(list->use) != CA_SHA256) {
		(void)damaged(e);
		goto out;
	}
	memcpy(l->use, ASN1_STRING_get0_data(list->use), CA_SHA256);
	n = sk_WAIT_ITEM_num(list->items);
	if (n > 0 &&
	    (l->items = calloc((size_t)n, sizeof(*l->items))) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < n; i++) {
		l->n++;
		if (unpack_item(sk_WAIT_ITEM_value(list->items, i),
			&l->items[i], e) != 0)
			goto out;
	}
	rc = 0;
out:
	WAIT_LIST_free(list);
	if (rc != 0)
		waiting_clear(l);
	return rc;
}
