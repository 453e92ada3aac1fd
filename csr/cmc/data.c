/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making PKIData: RFC 10002 section 3.2.1, controls of section 6.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "controls.h"
#include "make.h"
#include "proofs.h"

/* RFC 4211 section 6.3 */
#define DONT_PUBLISH 0
#define PLEASE_PUBLISH 1
#define POP_FAILED 9 /* CMCFailInfo */

struct maker {
	CMC_PKI_DATA *data;
	uint32_t next; /* body part id */
};

static int
fail_encode(const char *what, struct burin_error *e)
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

/* Takes any over, also when it fails. */
static int
put_any(struct maker *m, enum cmc_control number, ASN1_TYPE *any,
    struct burin_error *e)
{
	CMC_ATTR *attr = CMC_ATTR_new();

	if (attr == NULL || any == NULL ||
	    ASN1_INTEGER_set_uint64(attr->bodyPartID, m->next) != 1 ||
	    !set_type(attr, number) ||
	    sk_ASN1_TYPE_push(attr->attrValues, any) <= 0) {
		ASN1_TYPE_free(any);
		CMC_ATTR_free(attr);
		return fail_encode("a control", e);
	}
	if (sk_CMC_ATTR_push(m->data->controls, attr) <= 0) {
		CMC_ATTR_free(attr);
		return burin_fail_memory(e);
	}
	m->next++;
	return 0;
}

static int
put_item(struct maker *m, enum cmc_control number, const ASN1_ITEM *it,
    void *value, struct burin_error *e)
{
	return put_any(m, number, ASN1_TYPE_pack_sequence(it, value, NULL), e);
}

static int
put_string(struct maker *m, enum cmc_control number, int type, const void *data,
    size_t len, struct burin_error *e)
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
	return put_any(m, number, any, e);
}

static int
put_octets(struct maker *m, enum cmc_control number,
    const struct burin_cmc_octets *o, struct burin_error *e)
{
	if (o->len == 0)
		return 0;
	return put_string(m, number, V_ASN1_OCTET_STRING, o->data, o->len, e);
}

/* --- the transaction: section 6.6 ----------------------------------------- */

/* A positive INTEGER. */
static int
put_transaction(
    struct maker *m, const struct burin_cmc_octets *o, struct burin_error *e)
{
	BIGNUM *bn;
	ASN1_INTEGER *n;
	ASN1_TYPE *any = ASN1_TYPE_new();

	if (o->len == 0) {
		ASN1_TYPE_free(any);
		return 0;
	}
	bn = BN_bin2bn(o->data, (int)o->len, NULL);
	n = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	BN_free(bn);
	if (n == NULL || any == NULL) {
		ASN1_INTEGER_free(n);
		ASN1_TYPE_free(any);
		return burin_fail_memory(e);
	}
	ASN1_TYPE_set(any, V_ASN1_INTEGER, n);
	return put_any(m, CMC_TRANSACTION_ID, any, e);
}

static int
put_thread(
    struct maker *m, const struct burin_cmc_thread *t, struct burin_error *e)
{
	if (t == NULL)
		return 0;
	if (put_transaction(m, &t->transaction, e) == -1 ||
	    put_octets(m, CMC_SENDER_NONCE, &t->sent, e) == -1)
		return -1;
	return put_octets(m, CMC_RECIPIENT_NONCE, &t->received, e);
}

/* --- identity: sections 6.2, 6.3 ------------------------------------------ */

static int
put_identity(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	const struct burin_cmc_identity *id = ask->identity;
	const ASN1_STRING *reqs = m->data->reqs;
	ASN1_TYPE *proof;

	if (id != NULL && id->identification != NULL &&
	    put_string(m, CMC_IDENTIFICATION, V_ASN1_UTF8STRING,
		id->identification, strlen(id->identification), e) == -1)
		return -1;
	if (ask->link &&
	    put_octets(m, CMC_POP_LINK_RANDOM, &ask->thread->pop_random, e) ==
		-1)
		return -1;
	if (id == NULL)
		return 0;
	if (cmc_identity_prove(
		id, reqs->data, (size_t)reqs->length, &proof, e) == -1)
		return -1;
	return put_any(m,
	    id->legacy ? CMC_IDENTITY_PROOF : CMC_IDENTITY_PROOF_V2, proof, e);
}

/* --- decryptedPOP: section 6.7 -------------------------------------------- */

static int
put_pop(struct maker *m, const struct burin_cmc_pop *pop, struct burin_error *e)
{
	CMC_DECRYPTED_POP *p = CMC_DECRYPTED_POP_new();
	X509_ALGOR *alg = cmc_hmac_algor_by_oid(pop->algorithm);
	int rc = -1;

	if (p == NULL || alg == NULL ||
	    ASN1_INTEGER_set_uint64(p->bodyPartID, pop->id) != 1 ||
	    ASN1_OCTET_STRING_set(p->thePOP, pop->value, (int)pop->value_len) !=
		1) {
		X509_ALGOR_free(alg);
		(void)burin_fail_memory(e);
		goto out;
	}
	X509_ALGOR_free(p->thePOPAlgID);
	p->thePOPAlgID = alg;
	rc = put_item(m, CMC_DECRYPTED_POP_CONTROL,
	    ASN1_ITEM_rptr(CMC_DECRYPTED_POP), p, e);
out:
	CMC_DECRYPTED_POP_free(p);
	return rc;
}

static int
put_pops(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < ask->n_pops; i++) {
		if (put_pop(m, &ask->pops[i], e) == -1)
			return -1;
	}
	return 0;
}

/* --- statuses of ours: sections 6.1.1, 6.7, 6.14 -------------------------- */

static int
push_reference(CMC_STATUS_V2 *s, uint32_t id)
{
	CMC_REF *ref = CMC_REF_new();

	if (ref != NULL) {
		ref->type = CMC_REF_ID;
		ref->d.id = ASN1_INTEGER_new();
		if (ref->d.id != NULL &&
		    ASN1_INTEGER_set_uint64(ref->d.id, id) == 1 &&
		    sk_CMC_REF_push(s->bodyList, ref) > 0)
			return 1;
	}
	CMC_REF_free(ref);
	return 0;
}

static int
set_fail_info(CMC_STATUS_V2 *s, long fail)
{
	if ((s->info = CMC_INFO_new()) == NULL)
		return 0;
	s->info->type = CMC_INFO_FAIL;
	s->info->d.fail = ASN1_INTEGER_new();
	return s->info->d.fail != NULL &&
	    ASN1_INTEGER_set(s->info->d.fail, fail) == 1;
}

/* fail: -1 none */
static int
put_status(struct maker *m, enum burin_cmc_status status, uint32_t id,
    long fail, struct burin_error *e)
{
	CMC_STATUS_V2 *s = CMC_STATUS_V2_new();
	int rc = -1;

	if (s == NULL || ASN1_INTEGER_set(s->status, status) != 1 ||
	    !push_reference(s, id) || (fail >= 0 && !set_fail_info(s, fail)))
		(void)burin_fail_memory(e);
	else
		rc = put_item(
		    m, CMC_STATUS_INFO_V2, ASN1_ITEM_rptr(CMC_STATUS_V2), s, e);
	CMC_STATUS_V2_free(s);
	return rc;
}

/* The status is about the control beside it. */
static int
put_confirmation(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	uint32_t id = m->next;
	CMC_CERT_ID *cert;
	int rc = -1;

	if (ask->confirm == NULL)
		return 0;
	if ((cert = CMC_CERT_ID_new()) == NULL ||
	    X509_NAME_set(&cert->issuer, X509_get_issuer_name(ask->confirm)) !=
		1 ||
	    ASN1_STRING_copy(
		cert->serial, X509_get0_serialNumber(ask->confirm)) != 1)
		(void)burin_fail_memory(e);
	else
		rc = put_item(m, CMC_CONFIRM_CERT_ACCEPTANCE,
		    ASN1_ITEM_rptr(CMC_CERT_ID), cert, e);
	CMC_CERT_ID_free(cert);
	if (rc == -1)
		return -1;
	return put_status(
	    m, ask->reject ? BURIN_CMC_FAILED : BURIN_CMC_SUCCESS, id, -1, e);
}

static int
put_abort(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	if (ask->abort_pop == 0)
		return 0;
	return put_status(m, BURIN_CMC_FAILED, ask->abort_pop, POP_FAILED, e);
}

/* --- revocation: section 6.11 --------------------------------------------- */

static int
fill_revocation(CMC_REVOKE *v, const struct burin_cmc_revocation *r)
{
	if (X509_NAME_set(&v->issuer, r->issuer) != 1 ||
	    ASN1_STRING_copy(v->serial, r->serial) != 1 ||
	    ASN1_ENUMERATED_set(v->reason, r->reason) != 1)
		return 0;
	if (r->invalid != 0 &&
	    (v->invalidityDate = ASN1_GENERALIZEDTIME_set(NULL, r->invalid)) ==
		NULL)
		return 0;
	if (r->secret != NULL &&
	    ((v->secret = ASN1_OCTET_STRING_new()) == NULL ||
		ASN1_OCTET_STRING_set(v->secret, burin_secret_bytes(r->secret),
		    (int)burin_secret_len(r->secret)) != 1))
		return 0;
	if (r->comment == NULL)
		return 1;
	return (v->comment = ASN1_UTF8STRING_new()) != NULL &&
	    ASN1_STRING_set(v->comment, r->comment, -1) == 1;
}

static int
put_revocation(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	CMC_REVOKE *v;
	int rc = -1;

	if (ask->revoke == NULL)
		return 0;
	if ((v = CMC_REVOKE_new()) == NULL || !fill_revocation(v, ask->revoke))
		(void)burin_fail_memory(e);
	else
		rc = put_item(
		    m, CMC_REVOKE_REQUEST, ASN1_ITEM_rptr(CMC_REVOKE), v, e);
	if (v != NULL && v->secret != NULL)
		OPENSSL_cleanse(v->secret->data, (size_t)v->secret->length);
	CMC_REVOKE_free(v);
	return rc;
}

/* --- getCert, getCRL: sections 6.9, 6.10 ---------------------------------- */

static int
put_get_cert(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	CMC_GET_CERT *g = CMC_GET_CERT_new();
	X509_NAME *name = X509_NAME_dup(ask->get_issuer);
	int rc = -1;

	if (g == NULL || name == NULL ||
	    ASN1_STRING_copy(g->serial, ask->get_serial) != 1) {
		X509_NAME_free(name);
		(void)burin_fail_memory(e);
		goto out;
	}
	GENERAL_NAME_set0_value(g->issuer, GEN_DIRNAME, name);
	rc = put_item(
	    m, CMC_GET_CERT_CONTROL, ASN1_ITEM_rptr(CMC_GET_CERT), g, e);
out:
	CMC_GET_CERT_free(g);
	return rc;
}

static int
put_get_crl(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	CMC_GET_CRL *g = CMC_GET_CRL_new();
	int rc = -1;

	if (g == NULL || X509_NAME_set(&g->issuer, ask->get_issuer) != 1)
		(void)burin_fail_memory(e);
	else
		rc = put_item(
		    m, CMC_GET_CRL_CONTROL, ASN1_ITEM_rptr(CMC_GET_CRL), g, e);
	CMC_GET_CRL_free(g);
	return rc;
}

static int
put_retrieval(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	if (ask->get_issuer == NULL)
		return 0;
	return ask->get_crl ? put_get_crl(m, ask, e) : put_get_cert(m, ask, e);
}

/* --- publishCert: section 6.18 -------------------------------------------- */

static int
push_hash(CMC_PUBLISH *p, X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len;
	ASN1_OCTET_STRING *hash = ASN1_OCTET_STRING_new();

	if (hash == NULL || X509_digest(cert, EVP_sha256(), md, &len) != 1 ||
	    ASN1_OCTET_STRING_set(hash, md, (int)len) != 1 ||
	    sk_ASN1_OCTET_STRING_push(p->certHashes, hash) <= 0) {
		ASN1_OCTET_STRING_free(hash);
		return 0;
	}
	return 1;
}

static int
set_location(CMC_PUB_PLACE *place, const char *uri)
{
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	if (s == NULL || ASN1_STRING_set(s, uri, -1) != 1 ||
	    (place->location = GENERAL_NAME_new()) == NULL) {
		ASN1_IA5STRING_free(s);
		return 0;
	}
	GENERAL_NAME_set0_value(place->location, GEN_URI, s);
	return 1;
}

/* None at all is dontCare as well: RFC 4211 section 6.3. */
static int
push_place(CMC_PUB_INFO *info, const struct burin_cmc_ask *ask)
{
	CMC_PUB_PLACE *place;

	if (ask->publish_place == BURIN_CMC_ANYWHERE &&
	    ask->publish_uri == NULL)
		return 1;
	place = CMC_PUB_PLACE_new();
	if (place != NULL &&
	    ASN1_INTEGER_set(place->method, ask->publish_place) == 1 &&
	    (ask->publish_uri == NULL ||
		set_location(place, ask->publish_uri)) &&
	    (info->places = sk_CMC_PUB_PLACE_new_null()) != NULL &&
	    sk_CMC_PUB_PLACE_push(info->places, place) > 0)
		return 1;
	CMC_PUB_PLACE_free(place);
	return 0;
}

static int
fill_publication(CMC_PUBLISH *p, const struct burin_cmc_ask *ask)
{
	int i;

	for (i = 0; i < sk_X509_num(ask->publish); i++) {
		if (!push_hash(p, sk_X509_value(ask->publish, i)))
			return 0;
	}
	X509_ALGOR_free(p->hash);
	p->hash = cmc_hash_algor("SHA256");
	return p->hash != NULL &&
	    ASN1_INTEGER_set(p->info->action,
		ask->unpublish ? DONT_PUBLISH : PLEASE_PUBLISH) == 1 &&
	    push_place(p->info, ask);
}

static int
put_publication(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	CMC_PUBLISH *p;
	int rc = -1;

	if (ask->publish == NULL)
		return 0;
	if ((p = CMC_PUBLISH_new()) == NULL || !fill_publication(p, ask))
		(void)fail_encode("a control", e);
	else
		rc = put_item(
		    m, CMC_PUBLISH_CERT, ASN1_ITEM_rptr(CMC_PUBLISH), p, e);
	CMC_PUBLISH_free(p);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int
put_reqs(
    struct maker *m, const struct burin_cmc_ask *ask, struct burin_error *e)
{
	static const unsigned char none[] = { 0x30, 0x00 };
	const void *der = ask->requests != NULL ? ask->requests : none;
	size_t len = ask->requests != NULL ? ask->requests_len : sizeof(none);

	return ASN1_STRING_set(m->data->reqs, der, (int)len) == 1
	    ? 0
	    : burin_fail_memory(e);
}

/* In a response, ids mean parts of the request: none of ours twice. */
static uint32_t
first_free(const struct burin_cmc_ask *ask, const struct cmc_requests *reqs)
{
	uint32_t last = ask->abort_pop;
	size_t i;

	for (i = 0; i < reqs->n; i++) {
		if (reqs->list[i].id > last)
			last = reqs->list[i].id;
	}
	return last + 1;
}

static int
encode(const CMC_PKI_DATA *data, unsigned char **der, size_t *len,
    struct burin_error *e)
{
	int n = i2d_CMC_PKI_DATA(data, der);

	if (n <= 0)
		return fail_encode("the message", e);
	*len = (size_t)n;
	return 0;
}

int
cmc_data_make(const struct burin_cmc_ask *ask, const struct cmc_requests *reqs,
    unsigned char **der, size_t *len, struct burin_error *e)
{
	struct maker m = { CMC_PKI_DATA_new(), first_free(ask, reqs) };
	int rc = -1;

	*der = NULL;
	*len = 0;
	if (m.data == NULL)
		return burin_fail_memory(e);
	if (put_reqs(&m, ask, e) == -1 ||
	    put_thread(&m, ask->thread, e) == -1 ||
	    put_identity(&m, ask, e) == -1 ||
	    put_octets(&m, CMC_DATA_RETURN, &ask->data_return, e) == -1 ||
	    put_octets(&m, CMC_REG_INFO, &ask->reg_info, e) == -1 ||
	    put_octets(&m, CMC_QUERY_PENDING, &ask->pend_token, e) == -1 ||
	    put_pops(&m, ask, e) == -1 || put_confirmation(&m, ask, e) == -1 ||
	    put_abort(&m, ask, e) == -1 || put_revocation(&m, ask, e) == -1 ||
	    put_retrieval(&m, ask, e) == -1 ||
	    put_publication(&m, ask, e) == -1)
		goto out;
	rc = encode(m.data, der, len, e);
out:
	CMC_PKI_DATA_free(m.data);
	return rc;
}
