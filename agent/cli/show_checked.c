/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What can be said of a message with nothing but the message: its structure,
 * its signatures, the proofs of possession. What needs a secret, a key or
 * somebody's trust is said not to be checked.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "../../csr/cms/internal.h"
#include "cli.h"
#include "show_cmc.h"

#define RULE_IDS "RFC 10002 section 3.2.2"

int
show_add_check(json_t *list, const char *what, const char *result,
    const struct burin_error *e, const char *fmt, ...)
{
	json_t *o = json_object();
	char *detail;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		detail = NULL;
	va_end(ap);
	rc = show_put(o, "what", json_text(what));
	rc |= show_put(o, "result", json_string(result));
	rc |= show_put(o, "detail", show_take(detail));
	if (e != NULL && e->rule[0] != '\0')
		rc |= show_put(o, "rule", json_text(e->rule));
	if (rc != 0) {
		json_decref(o);
		return -1;
	}
	return json_array_append_new(list, o);
}

/* --- possession ------------------------------------------------------------
 */

int
show_add_pop(json_t *list, const json_t *request)
{
	const char *verified =
	    json_string_value(json_object_get(request, "pop_verified"));
	const json_t *id = json_object_get(request, "id");
	char what[64] = "possession";
	const char *why;

	if (verified == NULL)
		return 0;
	if (json_is_integer(id))
		(void)snprintf(what, sizeof(what),
		    "possession, request %" JSON_INTEGER_FORMAT,
		    json_integer_value(id));
	if (strcmp(verified, "yes") == 0)
		return show_add_check(list, what, "pass", NULL, "by %s",
		    json_string_value(json_object_get(request, "pop_kind")));
	/* Behind "failed: " or "later: ". */
	why = strchr(json_string_value(json_object_get(request, "pop")), ':');
	return show_add_check(list, what,
	    strcmp(verified, "later") == 0 ? "unchecked" : "fail", NULL, "%s",
	    why != NULL ? why + 2 : "");
}

/* What CMC forbids of CRMF: RFC 10002 section 3.2.1.2.2. */
static int
add_crmf(json_t *list, const CRMF_MSG *msg)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_crmf *m = NULL;
	unsigned char *der = NULL;
	int len = i2d_CRMF_MSG(msg, &der), rc = 0;

	if (len <= 0)
		return -1;
	if (burin_crmf_parse(der, (size_t)len, 1, BURIN_ECHECK, &m, &e) == -1)
		rc = show_add_check(
		    list, "CRMF in CMC", "fail", &e, "%s", e.reason);
	burin_crmf_free(&m);
	OPENSSL_free(der);
	return rc;
}

static int
add_requests(json_t *list, const struct shown *m)
{
	size_t i;
	int k, rc = 0;

	for (i = 0; i < json_array_size(m->requests); i++)
		rc |= show_add_pop(list, json_array_get(m->requests, i));
	for (k = 0; k < sk_CMC_REQ_num(m->reqs) && k < SHOW_MAX_PARTS; k++) {
		const CMC_REQ *req = sk_CMC_REQ_value(m->reqs, k);

		if (req->type == CMC_REQ_CRM)
			rc |= add_crmf(list, req->d.crm);
	}
	return rc;
}

/* --- signatures ------------------------------------------------------------
 */

/* Key and SKI that a request asks for; *ski may be NULL. */
static X509_PUBKEY *
asked_of(const CMC_REQ *req, X509_REQ **own, ASN1_OCTET_STRING **ski)
{
	STACK_OF(X509_EXTENSION) * exts;
	X509_PUBKEY *pub = NULL;

	*own = NULL;
	*ski = NULL;
	if (req->type == CMC_REQ_CRM) {
		CRMF_TEMPLATE *t = req->d.crm->certReq->certTemplate;

		*ski = X509V3_get_d2i(
		    t->extensions, NID_subject_key_identifier, NULL, NULL);
		return t->publicKey;
	}
	if (req->type != CMC_REQ_TCR)
		return NULL;
	*own = show_decode_any(
	    ASN1_ITEM_rptr(X509_REQ), req->d.tcr->certificationRequest);
	if (*own == NULL)
		return NULL;
	exts = X509_REQ_get_extensions(*own);
	*ski = X509V3_get_d2i(exts, NID_subject_key_identifier, NULL, NULL);
	pub = X509_REQ_get_X509_PUBKEY(*own);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return pub;
}

/* Without an SKI of its own: RFC 5280 section 4.2.1.2, method (1). */
static int
is_key_id(const X509_PUBKEY *pub, const ASN1_OCTET_STRING *ski,
    const struct burin_cms_signer_info *who)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	const unsigned char *bits = md;
	unsigned int n = 0;
	int len;

	if (ski != NULL) {
		bits = ASN1_STRING_get0_data(ski);
		n = (unsigned int)ASN1_STRING_length(ski);
	} else if (X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, pub) != 1 ||
	    EVP_Digest(bits, (size_t)len, md, &n, EVP_sha1(), NULL) != 1) {
		return 0;
	} else {
		bits = md;
	}
	return n == who->key_id_len && memcmp(bits, who->key_id, n) == 0;
}

/* The key of a request in this message that a signer names; or NULL. */
static EVP_PKEY *
asked_key(const struct shown *m, const struct burin_cms_signer_info *who)
{
	EVP_PKEY *key = NULL;
	int i;

	for (i = 0; who->key_id != NULL && key == NULL &&
	     i < sk_CMC_REQ_num(m->reqs) && i < SHOW_MAX_PARTS;
	     i++) {
		ASN1_OCTET_STRING *ski;
		X509_PUBKEY *pub;
		X509_REQ *own;

		pub = asked_of(sk_CMC_REQ_value(m->reqs, i), &own, &ski);
		if (pub != NULL && is_key_id(pub, ski, who))
			key = X509_PUBKEY_get(pub);
		ASN1_OCTET_STRING_free(ski);
		X509_REQ_free(own);
	}
	ERR_clear_error();
	return key;
}

static int
add_verified(json_t *list, const struct shown *m, size_t i, EVP_PKEY *key,
    const char *whose)
{
	struct burin_error e = BURIN_ERROR_INIT;

	if (burin_cms_verify(m->cms, i, key, 0, &e) == 0)
		return show_add_check(list, "signature", "pass", NULL,
		    "with the key of %s", whose);
	if (burin_cms_verify(m->cms, i, key, 1, NULL) == 0)
		return show_add_check(list, "signature", "pass", &e,
		    "with the key of %s, but %s", whose, e.reason);
	return show_add_check(list, "signature", "fail", &e, "%s", e.reason);
}

static int
add_signer(json_t *list, const struct shown *m, size_t i)
{
	struct burin_cms_signer_info who;
	X509 *cert = burin_cms_signer_cert(m->cms, i);
	EVP_PKEY *key;
	int rc;

	burin_cms_signer(m->cms, i, &who);
	if (who.no_signature)
		return show_add_check(list, "signature", "unchecked", NULL,
		    "there is none: noSignature proves nothing");
	if (cert != NULL && X509_get0_pubkey(cert) != NULL)
		return add_verified(list, m, i, X509_get0_pubkey(cert),
		    "a certificate in the message, which nobody vouches for "
		    "here");
	if ((key = asked_key(m, &who)) == NULL)
		return show_add_check(list, "signature", "unchecked", NULL,
		    "the signer's key is not in the message");
	rc = add_verified(list, m, i, key, "a request in the message");
	EVP_PKEY_free(key);
	return rc;
}

/* Everything but a signature needs what we do not have. */
static int
add_protection(json_t *list, const struct shown *m)
{
	size_t i, n = burin_cms_n_signers(m->cms);
	int rc = 0;

	switch (m->cms->type) {
	case BURIN_CMS_AUTHENTICATED:
		return show_add_check(
		    list, "MAC", "unchecked", NULL, "needs the shared secret");
	case BURIN_CMS_ENVELOPED:
	case BURIN_CMS_AUTH_ENVELOPED:
		return show_add_check(list, "content", "unchecked", NULL,
		    "encrypted: only a recipient's key opens it");
	case BURIN_CMS_SIGNED:
		if (n == 0)
			return show_add_check(list, "signature", "unchecked",
			    NULL, "nobody signed");
		break;
	case BURIN_CMS_DATA:
	default:
		break;
	}
	for (i = 0; i < n; i++)
		rc |= add_signer(list, m, i);
	return rc;
}

/* --- the body --------------------------------------------------------------
 */

static int
add_structure(json_t *list, const struct shown *m)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_body *body = NULL;
	const unsigned char *content;
	size_t len;
	int rc;

	if ((content = burin_cms_content(m->cms, &len)) == NULL)
		return show_add_check(list, "structure", "unchecked", NULL,
		    "there is no content");
	rc = cmc_body_parse(m->kind, content, len, BURIN_ECHECK, &body, &e);
	cmc_body_free(&body);
	ERR_clear_error();
	if (rc == 0)
		return show_add_check(
		    list, "structure", "pass", NULL, "as RFC 10002 wants it");
	return show_add_check(list, "structure", "fail", &e, "%s%s%s", e.reason,
	    e.cause[0] != '\0' ? ": " : "", e.cause);
}

static void
take_id(const ASN1_INTEGER *id, uint32_t *ids, size_t *n)
{
	if (*n < SHOW_MAX_PARTS && cmc_id_read(id, 1, &ids[*n]) == 0)
		(*n)++;
}

static const ASN1_INTEGER *
id_of(const CMC_REQ *req)
{
	switch (req->type) {
	case CMC_REQ_TCR:
		return req->d.tcr->bodyPartID;
	case CMC_REQ_CRM:
		return req->d.crm->certReq->certReqId;
	default:
		return req->d.orm->bodyPartID;
	}
}

static size_t
all_ids(const struct shown *m, uint32_t *ids)
{
	const STACK_OF(CMC_ATTR) *controls =
	    m->data != NULL ? m->data->controls : m->response->controls;
	const STACK_OF(CMC_CONTENT) *cms =
	    m->data != NULL ? m->data->cms : m->response->cms;
	const STACK_OF(CMC_OTHER) *others =
	    m->data != NULL ? m->data->others : m->response->others;
	size_t n = 0;
	int i;

	for (i = 0; i < sk_CMC_ATTR_num(controls); i++)
		take_id(sk_CMC_ATTR_value(controls, i)->bodyPartID, ids, &n);
	for (i = 0; i < sk_CMC_REQ_num(m->reqs); i++)
		take_id(id_of(sk_CMC_REQ_value(m->reqs, i)), ids, &n);
	for (i = 0; i < sk_CMC_CONTENT_num(cms); i++)
		take_id(sk_CMC_CONTENT_value(cms, i)->bodyPartID, ids, &n);
	for (i = 0; i < sk_CMC_OTHER_num(others); i++)
		take_id(sk_CMC_OTHER_value(others, i)->bodyPartID, ids, &n);
	return n;
}

static int
add_ids(json_t *list, const struct shown *m)
{
	struct burin_error e = BURIN_ERROR_INIT;
	uint32_t ids[SHOW_MAX_PARTS];
	size_t i, k, n = all_ids(m, ids);

	for (i = 0; i < n; i++) {
		for (k = 0; k < i && ids[i] != 0; k++) {
			if (ids[i] != ids[k])
				continue;
			(void)burin_fail(&e, BURIN_ECHECK, "cmc-malformed",
			    "%lu is there twice", (unsigned long)ids[i]);
			(void)burin_error_rule(&e, RULE_IDS);
			return show_add_check(
			    list, "body part ids", "fail", &e, "%s", e.reason);
		}
	}
	return show_add_check(
	    list, "body part ids", "pass", NULL, "each is there once");
}

/* --- what needs a secret ---------------------------------------------------
 */

static const struct {
	enum cmc_control number;
	const char *what, *detail;
} secrets[] = {
	{ CMC_IDENTITY_PROOF, "identity proof", "needs the shared secret" },
	{ CMC_IDENTITY_PROOF_V2, "identity proof", "needs the shared secret" },
	{ CMC_ENCRYPTED_POP_CONTROL, "challenge",
	    "needs the private key of its request" },
	{ CMC_DECRYPTED_POP_CONTROL, "answer to a challenge",
	    "needs the challenge" },
	{ CMC_TRUSTED_ANCHORS, "trust anchors",
	    "whom to believe is not known here" },
};

static int
add_secrets(json_t *list, const struct shown *m)
{
	const STACK_OF(CMC_ATTR) *controls =
	    m->data != NULL ? m->data->controls : m->response->controls;
	size_t k;
	int i, rc = 0, ignored;

	for (i = 0; i < sk_CMC_ATTR_num(controls) && i < SHOW_MAX_PARTS; i++) {
		const struct cmc_control_row *row = cmc_control_in(
		    sk_CMC_ATTR_value(controls, i)->attrType,
		    m->kind == CMC_RESPONSE ? CMC_IN_RESPONSE : CMC_IN_REQUEST,
		    &ignored);

		for (k = 0; k < sizeof(secrets) / sizeof(secrets[0]); k++) {
			if (row != NULL && row->number == secrets[k].number)
				rc |= show_add_check(list, secrets[k].what,
				    "unchecked", NULL, "%s", secrets[k].detail);
		}
	}
	return rc;
}

/* 1 when a request that is shown has a POP link witness. */
static int
has_witness(const json_t *request)
{
	const json_t *controls = json_object_get(request, "controls");
	const char *name;
	size_t i;

	for (i = 0; i < json_array_size(controls); i++) {
		name = json_string_value(
		    json_object_get(json_array_get(controls, i), "name"));
		if (name != NULL && strncmp(name, "popLinkWitness", 14) == 0)
			return 1;
	}
	return 0;
}

/* popLinkRandom wants a witness in each request: RFC 10002 section 6.3.1. */
static int
add_link(json_t *list, const struct shown *m)
{
	struct burin_error e = BURIN_ERROR_INIT;
	const struct cmc_control_row *row;
	size_t k, n = json_array_size(m->requests), with = 0;
	int i, random = 0;

	for (i = 0; m->data != NULL && i < sk_CMC_ATTR_num(m->data->controls);
	     i++) {
		row = cmc_control_find(
		    sk_CMC_ATTR_value(m->data->controls, i)->attrType);
		random |= row != NULL && row->number == CMC_POP_LINK_RANDOM;
	}
	for (k = 0; k < n; k++)
		with += (size_t)has_witness(json_array_get(m->requests, k));
	if (!random && with == 0)
		return 0;
	if (random && with == n)
		return show_add_check(list, "POP link", "unchecked", NULL,
		    "each request has a witness, which needs the shared "
		    "secret");
	(void)burin_fail(&e, BURIN_ECHECK, "cmc-malformed",
	    "%zu of %zu requests have a witness, popLinkRandom is %s", with, n,
	    random ? "there" : "missing");
	(void)burin_error_rule(&e, "RFC 10002 section 6.3.1");
	return show_add_check(list, "POP link", "fail", &e, "%s", e.reason);
}

json_t *
show_checked(const struct shown *m)
{
	json_t *list = json_array();
	int rc = list != NULL ? 0 : -1;

	if (strcmp(m->cms->content_type, CMC_OID_PKI_DATA) == 0 ||
	    strcmp(m->cms->content_type, CMC_OID_PKI_RESPONSE) == 0)
		rc |= add_structure(list, m);
	if (m->data != NULL || m->response != NULL)
		rc |= add_ids(list, m);
	rc |= add_protection(list, m);
	if (m->data != NULL || m->response != NULL) {
		rc |= add_requests(list, m);
		rc |= add_link(list, m);
		rc |= add_secrets(list, m);
	}
	ERR_clear_error();
	return show_done(list, rc);
}
