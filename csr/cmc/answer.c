/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a Full PKI Response: RFC 10002 section 4.2. The order of its parts
 * is fixed, so that equal answers are equal octets.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "../internal.h"
#include "answer.h"
#include "proofs.h"
#include "put.h"

#define HASH "SHA256" /* RFC 10004 section 4.2 */

struct maker {
	struct cmc_put put;
	CMC_PKI_RESPONSE *body;
	const struct burin_cmc_answer *a;
	/* of the responses inside */
	uint32_t ids[BURIN_CMC_MAX_PARTS];
};

/* --- what comes back: sections 6.4, 6.6, 6.12 ----------------------------- */

static int
put_back(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_heard *to = m->a->to;
	struct cmc_put *p = &m->put;

	if (to == NULL)
		return 0;
	if ((to->has_transaction || to->transaction.len > 0) &&
	    cmc_put_transaction(p, &to->transaction, e) == -1)
		return -1;
	if (to->sender_nonce.len > 0 &&
	    cmc_put_string(p, CMC_SENDER_NONCE, V_ASN1_OCTET_STRING,
		m->a->nonce, m->a->nonce_len, e) == -1)
		return -1;
	if (cmc_put_octets(p, CMC_RECIPIENT_NONCE, &to->sender_nonce, e) == -1)
		return -1;
	return cmc_put_octets(p, CMC_DATA_RETURN, &to->data_return, e);
}

/* --- what is said --------------------------------------------------------- */

static int
put_states(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_answer *a = m->a;
	size_t i;

	for (i = 0; i < a->n_states; i++) {
		if (cmc_put_state(&m->put, &a->states[i], a->old_states, e) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
put_challenges(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_answer *a = m->a;
	size_t i;

	for (i = 0; i < a->n_challenges; i++) {
		/* It was decoded before: all of it is one SEQUENCE. */
		if (cmc_put_string(&m->put, CMC_ENCRYPTED_POP_CONTROL,
			V_ASN1_SEQUENCE, a->challenges[i].der,
			a->challenges[i].len, e) == -1)
			return -1;
	}
	return 0;
}

static int
put_confirm(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_answer *a = m->a;
	size_t i;

	for (i = 0; i < a->n_confirm; i++) {
		if (cmc_put_cert_id(&m->put, a->confirm[i], e) == -1)
			return -1;
	}
	return 0;
}

/* --- trustedAnchors: sections 6.15 and 6.16 ------------------------------- */

static int
push_hash(STACK_OF(ASN1_OCTET_STRING) * list, X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len;
	ASN1_OCTET_STRING *hash = ASN1_OCTET_STRING_new();

	if (hash != NULL && X509_digest(cert, EVP_sha256(), md, &len) == 1 &&
	    ASN1_OCTET_STRING_set(hash, md, (int)len) == 1 &&
	    sk_ASN1_OCTET_STRING_push(list, hash) > 0)
		return 1;
	ASN1_OCTET_STRING_free(hash);
	return 0;
}

static int
put_list(struct cmc_put *p, const struct burin_cmc_publication *pub,
    struct burin_error *e)
{
	CMC_ANCHORS *list = CMC_ANCHORS_new();
	int i, ok, rc = -1;

	ok =
	    list != NULL && ASN1_INTEGER_set(list->seqNumber, pub->number) == 1;
	if (ok) {
		X509_ALGOR_free(list->hash);
		list->hash = cmc_hash_algor(HASH);
		ok = list->hash != NULL;
	}
	for (i = 0; ok && i < sk_X509_num(pub->anchors); i++)
		ok = push_hash(
		    list->anchorHashes, sk_X509_value(pub->anchors, i));
	if (!ok)
		(void)cmc_encode_failed("trustedAnchors", e);
	else
		rc = cmc_put_item(p, CMC_TRUSTED_ANCHORS,
		    ASN1_ITEM_rptr(CMC_ANCHORS), list, e);
	CMC_ANCHORS_free(list);
	return rc;
}

/* A PKIData with that control alone, also in a response. */
static int
auth_make(const struct burin_cmc_publication *pub, unsigned char **der,
    size_t *len, struct burin_error *e)
{
	const struct burin_cmc_identity *id = pub->identity;
	CMC_PKI_DATA *data = CMC_PKI_DATA_new();
	struct cmc_put p = { .next = 1 };
	unsigned char *content = NULL;
	int n, rc = -1;

	if (data == NULL || ASN1_STRING_set(data->reqs, "\x30\0", 2) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	p.controls = data->controls;
	if (put_list(&p, pub, e) == -1)
		goto out;
	if ((n = i2d_CMC_PKI_DATA(data, &content)) <= 0) {
		(void)cmc_encode_failed("authData", e);
		goto out;
	}
	rc = burin_cms_authenticate(id->identification, id->secret, id->legacy,
	    pub->rounds, CMC_OID_PKI_DATA, content, (size_t)n, der, len, e);
out:
	OPENSSL_free(content);
	CMC_PKI_DATA_free(data);
	return rc;
}

static int
put_auth(struct maker *m, struct burin_error *e)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TYPE *any = ASN1_TYPE_new();
	uint32_t id = m->put.next++;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	if (number == NULL || any == NULL ||
	    ASN1_INTEGER_set_uint64(number, id) != 1) {
		(void)burin_fail_memory(e);
	} else if (auth_make(m->a->publication, &der, &len, e) == 0 &&
	    cmc_put_message(&m->put, id, der, len, e) == 0) {
		ASN1_TYPE_set(any, V_ASN1_INTEGER, number);
		rc = cmc_put_any(&m->put, CMC_AUTH_DATA, any, e);
		number = NULL;
		any = NULL;
	}
	ASN1_INTEGER_free(number);
	ASN1_TYPE_free(any);
	OPENSSL_free(der);
	return rc;
}

static int
put_publication(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_publication *pub = m->a->publication;

	if (pub == NULL)
		return 0;
	return pub->identity != NULL ? put_auth(m, e)
				     : put_list(&m->put, pub, e);
}

/* --- answers inside: section 6.17, RFC 6402 section 2.6 ------------------- */

static int
put_inside(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_answer *a = m->a;
	size_t i;

	m->put.next = 1;
	for (i = 0; i < a->n_inside; i++) {
		m->ids[i] =
		    a->inside_ids != NULL ? a->inside_ids[i] : (uint32_t)i + 1;
		if (m->ids[i] >= m->put.next)
			m->put.next = m->ids[i] + 1;
		if (cmc_put_message(&m->put, m->ids[i], a->inside[i].der,
			a->inside[i].len, e) == -1)
			return -1;
	}
	return 0;
}

static int
put_lists(struct maker *m, struct burin_error *e)
{
	const struct burin_cmc_answer *a = m->a;

	if (a->batch &&
	    cmc_put_ids(&m->put, CMC_BATCH_RESPONSES, m->ids, a->n_inside, e) ==
		-1)
		return -1;
	if (a->body == 0)
		return 0;
	return cmc_put_ids(
	    &m->put, CMC_RESPONSE_BODY, &m->ids[a->body - 1], 1, e);
}

/* --- all of it ------------------------------------------------------------ */

static int
body_make(
    struct maker *m, unsigned char **der, size_t *len, struct burin_error *e)
{
	int n;

	if (put_inside(m, e) == -1 || put_back(m, e) == -1 ||
	    cmc_put_octets(
		&m->put, CMC_RESPONSE_INFO, &m->a->response_info, e) == -1 ||
	    put_states(m, e) == -1 || put_challenges(m, e) == -1 ||
	    put_confirm(m, e) == -1 || put_publication(m, e) == -1 ||
	    put_lists(m, e) == -1)
		return -1;
	if ((n = i2d_CMC_PKI_RESPONSE(m->body, der)) <= 0)
		return cmc_encode_failed("the response", e);
	*len = (size_t)n;
	return 0;
}

/* The anchors lie beside their hashes: section 6.15. */
static int
add_anchors(STACK_OF(X509) * all, const struct burin_cmc_publication *pub)
{
	int i;

	for (i = 0; i < sk_X509_num(pub->anchors); i++) {
		X509 *cert = sk_X509_value(pub->anchors, i);

		if (!csr_certs_have(all, cert) && sk_X509_push(all, cert) <= 0)
			return 0;
	}
	return 1;
}

static int
sign(const struct burin_cmc_answer *a, const unsigned char *body, size_t len,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	struct burin_cms_signer signer = *a->signer;
	STACK_OF(X509) *all = NULL;
	int rc;

	if (a->publication != NULL) {
		all = signer.certs != NULL ? sk_X509_dup(signer.certs)
					   : sk_X509_new_null();
		if (all == NULL || !add_anchors(all, a->publication)) {
			sk_X509_free(all);
			return burin_fail_memory(e);
		}
		signer.certs = all;
	}
	rc = burin_cms_sign(
	    &signer, CMC_OID_PKI_RESPONSE, body, len, der, der_len, e);
	sk_X509_free(all);
	return rc;
}

static int
protect(const struct burin_cmc_answer *a, const unsigned char *body, size_t len,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	const struct burin_cmc_identity *id = a->identity;

	if (a->signer != NULL)
		return sign(a, body, len, der, der_len, e);
	return burin_cms_authenticate(id->identification, id->secret,
	    id->legacy, 0, CMC_OID_PKI_RESPONSE, body, len, der, der_len, e);
}

static int
protect_and_encrypt(const struct burin_cmc_answer *a, const unsigned char *body,
    size_t len, unsigned char **der, size_t *der_len, struct burin_error *e)
{
	unsigned char *message = NULL;
	size_t n = 0;
	int rc = -1;

	if (a->encrypt == NULL)
		return protect(a, body, len, der, der_len, e);
	if (protect(a, body, len, &message, &n, e) == 0)
		rc = burin_cmc_encrypt(message, n, a->encrypt, der, der_len, e);
	OPENSSL_free(message);
	return rc;
}

int
burin_cmc_answer_make(const struct burin_cmc_answer *a, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	struct maker m = { .a = a };
	unsigned char *body = NULL;
	size_t len = 0;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (cmc_check_answer(a, e) == -1)
		return -1;
	if ((m.body = CMC_PKI_RESPONSE_new()) == NULL)
		return burin_fail_memory(e);
	m.put.controls = m.body->controls;
	m.put.cms = m.body->cms;
	if (body_make(&m, &body, &len, e) == 0)
		rc = protect_and_encrypt(a, body, len, der, der_len, e);
	OPENSSL_free(body);
	CMC_PKI_RESPONSE_free(m.body);
	return rc;
}
