/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making an RA's layer around the requests of others: RFC 10002 section 7.
 * What it passes on stays as it came, but for its unsigned data.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../cms/unsigned.h"
#include "layer.h"
#include "put.h"
#include "unsigned.h"

struct maker {
	struct cmc_put put;
	CMC_PKI_DATA *data;
	const struct burin_cmc_layer *l;
	STACK_OF(ASN1_TYPE) * lifted; /* for our own unsigned attributes */
};

/* --- what is passed on ---------------------------------------------------- */

static int
put_message(struct maker *m, size_t i, struct burin_error *e)
{
	const struct burin_cmc_bytes *b = &m->l->messages[i];
	uint32_t id = (uint32_t)i + 1;
	unsigned char *bare = NULL;
	size_t bare_len;
	int rc;

	if (cmc_unsigned_lift(
		b->der, b->len, id, m->lifted, &bare, &bare_len, e) == -1)
		return burin_error_cause(e, "message number %zu", i + 1);
	rc = bare != NULL ? cmc_put_message(&m->put, id, bare, bare_len, e)
			  : cmc_put_message(&m->put, id, b->der, b->len, e);
	OPENSSL_free(bare);
	return rc;
}

static int
put_messages(struct maker *m, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < m->l->n_messages; i++) {
		if (put_message(m, i, e) == -1)
			return -1;
	}
	return 0;
}

static int
put_simple(CMC_REQS *reqs, uint32_t id, const struct burin_cmc_bytes *b,
    struct burin_error *e)
{
	const unsigned char *p = b->der;
	CMC_REQ *req = CMC_REQ_new();
	X509_REQ *parsed = NULL;

	if (req == NULL || sk_CMC_REQ_push(reqs, req) <= 0) {
		CMC_REQ_free(req);
		return burin_fail_memory(e);
	}
	if (burin_pkcs10_parse(b->der, b->len, BURIN_EUSAGE, &parsed, e) == -1)
		return -1;
	X509_REQ_free(parsed);
	req->type = CMC_REQ_TCR;
	if ((req->d.tcr = CMC_TCR_new()) == NULL ||
	    ASN1_INTEGER_set_uint64(req->d.tcr->bodyPartID, id) != 1)
		return burin_fail_memory(e);
	/* As it came: the signature in it is over these octets. */
	if (d2i_ASN1_TYPE(
		&req->d.tcr->certificationRequest, &p, (long)b->len) == NULL)
		return cmc_encode_failed("a request", e);
	return 0;
}

static int
put_simples(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_layer *l = m->l;
	CMC_REQS *reqs = sk_CMC_REQ_new_null();
	unsigned char *der = NULL;
	size_t i;
	int len, rc = reqs != NULL ? 0 : burin_fail_memory(e);

	for (i = 0; i < l->n_simple && rc == 0; i++)
		rc = put_simple(
		    reqs, (uint32_t)(l->n_messages + i) + 1, &l->simple[i], e);
	if (rc == 0 && (len = i2d_CMC_REQS(reqs, &der)) > 0)
		ASN1_STRING_set0(m->data->reqs, der, len);
	else if (rc == 0)
		rc = cmc_encode_failed("the requests", e);
	sk_CMC_REQ_pop_free(reqs, CMC_REQ_free);
	return rc;
}

static int
put_batch(struct maker *m, struct burin_error *e)
{
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	size_t i, n = m->l->n_messages;

	if (!m->l->batch)
		return 0;
	for (i = 0; i < n; i++)
		ids[i] = (uint32_t)i + 1;
	return cmc_put_ids(&m->put, CMC_BATCH_REQUESTS, ids, n, e);
}

/* --- what is stated about it ---------------------------------------------- */

/* Section 6.8. */
static int
put_pop(
    struct cmc_put *p, const struct burin_cmc_vouch *v, struct burin_error *e)
{
	CMC_POP_WITNESS *w = CMC_POP_WITNESS_new();
	STACK_OF(ASN1_INTEGER) *ids = cmc_ids_new(v->ids, v->n_ids);
	int rc = -1;

	if (w == NULL || ids == NULL ||
	    ASN1_INTEGER_set_uint64(
		w->pkiDataBodyid, v->path.n > 0 ? v->path.ids[0] : 0) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	sk_ASN1_INTEGER_pop_free(w->bodyIds, ASN1_INTEGER_free);
	w->bodyIds = ids;
	ids = NULL;
	rc = cmc_put_item(
	    p, CMC_LRA_POP_WITNESS, ASN1_ITEM_rptr(CMC_POP_WITNESS), w, e);
out:
	sk_ASN1_INTEGER_pop_free(ids, ASN1_INTEGER_free);
	CMC_POP_WITNESS_free(w);
	return rc;
}

static int
template_der(const struct burin_cmc_vouch *v, unsigned char **der)
{
	CRMF_TEMPLATE *t = CRMF_TEMPLATE_new();
	int i, len = -1, n = sk_X509_EXTENSION_num(v->extensions);
	int ok = t != NULL;

	if (ok && v->subject != NULL)
		ok = X509_NAME_set(&t->subject, v->subject) == 1;
	for (i = 0; ok && i < n; i++)
		ok = X509v3_add_ext(&t->extensions,
			 sk_X509_EXTENSION_value(v->extensions, i), -1) != NULL;
	if (ok)
		len = i2d_CRMF_TEMPLATE(t, der);
	CRMF_TEMPLATE_free(t);
	return len;
}

/* Section 6.5.1. */
static int
put_template(
    struct cmc_put *p, const struct burin_cmc_vouch *v, struct burin_error *e)
{
	static const uint32_t here[] = { 0 };
	CMC_MOD_TEMPLATE *mod = CMC_MOD_TEMPLATE_new();
	unsigned char *der = NULL;
	int len = template_der(v, &der), rc = -1;

	if (mod == NULL || len <= 0) {
		OPENSSL_free(der);
		(void)cmc_encode_failed("modCertTemplate", e);
		goto out;
	}
	ASN1_STRING_set0(mod->certTemplate, der, len);
	sk_ASN1_INTEGER_pop_free(mod->pkiDataReference, ASN1_INTEGER_free);
	sk_ASN1_INTEGER_pop_free(mod->certReferences, ASN1_INTEGER_free);
	mod->pkiDataReference = v->path.n > 0
	    ? cmc_ids_new(v->path.ids, v->path.n)
	    : cmc_ids_new(here, 1);
	mod->certReferences = cmc_ids_new(v->ids, v->n_ids);
	mod->replace = v->remove ? 0 : 0xff;
	if (mod->pkiDataReference == NULL || mod->certReferences == NULL)
		(void)burin_fail_memory(e);
	else
		rc = cmc_put_item(p, CMC_MOD_CERT_TEMPLATE,
		    ASN1_ITEM_rptr(CMC_MOD_TEMPLATE), mod, e);
out:
	CMC_MOD_TEMPLATE_free(mod);
	return rc;
}

/* Section 6.19: one list of all of them. */
static int
put_processed(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_layer *l = m->l;
	CMC_PROCESSED *list = CMC_PROCESSED_new();
	int ok = list != NULL, rc = 0;
	CMC_REF *ref;
	size_t i;

	for (i = 0; ok && i < l->n_vouches; i++) {
		if (l->vouches[i].kind != BURIN_CMC_STATES_PROCESSED)
			continue;
		ref = cmc_ref_new(&l->vouches[i].path);
		ok = ref != NULL && sk_CMC_REF_push(list->bodyList, ref) > 0;
		if (!ok)
			CMC_REF_free(ref);
	}
	if (!ok)
		rc = burin_fail_memory(e);
	else if (sk_CMC_REF_num(list->bodyList) > 0)
		rc = cmc_put_item(&m->put, CMC_CONTROL_PROCESSED,
		    ASN1_ITEM_rptr(CMC_PROCESSED), list, e);
	CMC_PROCESSED_free(list);
	return rc;
}

static int
put_vouches(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_layer *l = m->l;
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n_vouches && rc == 0; i++) {
		const struct burin_cmc_vouch *v = &l->vouches[i];

		if (v->kind == BURIN_CMC_STATES_POP)
			rc = put_pop(&m->put, v, e);
		else if (v->kind == BURIN_CMC_STATES_TEMPLATE)
			rc = put_template(&m->put, v, e);
		else if (v->kind == BURIN_CMC_STATES_IDENTITY)
			rc = cmc_put_ids(&m->put, CMC_RA_IDENTITY_WITNESS,
			    v->path.ids, v->path.n, e);
	}
	return rc == 0 ? put_processed(m, e) : -1;
}

/* --- all of it ------------------------------------------------------------ */

static int
data_make(
    struct maker *m, unsigned char **der, size_t *len, struct burin_error *e)
{
	const struct burin_cmc_layer *l = m->l;
	int n;

	m->put.controls = m->data->controls;
	m->put.cms = m->data->cms;
	m->put.next = (uint32_t)(l->n_messages + l->n_simple) + 1;
	if (put_messages(m, e) == -1 || put_simples(m, e) == -1 ||
	    cmc_put_thread(&m->put, l->thread, e) == -1 ||
	    cmc_put_octets(&m->put, CMC_QUERY_PENDING, &l->pend_token, e) ==
		-1 ||
	    put_batch(m, e) == -1 || put_vouches(m, e) == -1)
		return -1;
	if ((n = i2d_CMC_PKI_DATA(m->data, der)) <= 0)
		return cmc_encode_failed("the message", e);
	*len = (size_t)n;
	return 0;
}

static int
sign(const struct maker *m, const unsigned char *data, size_t len,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	const struct burin_cms_signer *s = m->l->signer;
	unsigned char *bare;
	size_t n;
	int rc;

	if (sk_ASN1_TYPE_num(m->lifted) == 0)
		return burin_cms_sign(
		    s, CMC_OID_PKI_DATA, data, len, der, der_len, e);
	if (burin_cms_sign(s, CMC_OID_PKI_DATA, data, len, &bare, &n, e) == -1)
		return -1;
	rc = csr_unsigned_put(
	    bare, n, CMC_OID_UNSIGNED_DATA, m->lifted, der, der_len, e);
	OPENSSL_free(bare);
	return rc;
}

int
burin_cmc_layer_make(const struct burin_cmc_layer *l, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	struct maker m = { .l = l };
	unsigned char *data = NULL;
	size_t len = 0;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (cmc_check_layer(l, e) == -1)
		return -1;
	m.data = CMC_PKI_DATA_new();
	m.lifted = sk_ASN1_TYPE_new_null();
	if (m.data == NULL || m.lifted == NULL)
		(void)burin_fail_memory(e);
	else if (data_make(&m, &data, &len, e) == 0)
		rc = sign(&m, data, len, der, der_len, e);
	OPENSSL_free(data);
	sk_ASN1_TYPE_pop_free(m.lifted, ASN1_TYPE_free);
	CMC_PKI_DATA_free(m.data);
	return rc;
}
