/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certification requests inside messages: RFC 10002 section 3.2.1.2, and
 * CRMF (RFC 4211) wherever it comes.
 */

#include <stdlib.h>

#include <openssl/err.h>

#include <burin/crmf.h>

#include "show_cmc.h"

/* --- what CRMF asks for: RFC 4211 section 5 --------------------------------
 */

static json_t *
template_key(X509_PUBKEY *pub)
{
	json_t *key = show_key(X509_PUBKEY_get0(pub));

	ERR_clear_error();
	return key;
}

static int
put_validity(json_t *o, const CRMF_VALIDITY *v)
{
	int rc = 0;

	if (v != NULL && v->notBefore != NULL)
		rc |= show_put(o, "not_before", show_time(v->notBefore));
	if (v != NULL && v->notAfter != NULL)
		rc |= show_put(o, "not_after", show_time(v->notAfter));
	return rc;
}

int
show_put_template(json_t *o, const CRMF_TEMPLATE *t)
{
	int rc;

	rc = show_put(o, "subject", SHOW_OPT(t->subject, show_dn(t->subject)));
	rc |= show_put(
	    o, "key", SHOW_OPT(t->publicKey, template_key(t->publicKey)));
	if (t->version != NULL)
		rc |= show_put(o, "version", show_serial(t->version));
	if (t->serialNumber != NULL)
		rc |= show_put(o, "serial", show_serial(t->serialNumber));
	if (t->signingAlg != NULL)
		rc |= show_put(
		    o, "signing_algorithm", show_algorithm(t->signingAlg));
	if (t->issuer != NULL)
		rc |= show_put(o, "issuer", show_dn(t->issuer));
	rc |= put_validity(o, t->validity);
	if (t->issuerUID != NULL)
		rc |= show_put(o, "issuer_uid", show_octets(t->issuerUID));
	if (t->subjectUID != NULL)
		rc |= show_put(o, "subject_uid", show_octets(t->subjectUID));
	rc |= show_put(o, "sans", show_sans(t->extensions));
	rc |= show_put(o, "ekus", show_ekus(t->extensions));
	rc |= show_put(o, "key_usage", show_key_usage(t->extensions));
	rc |= show_put(o, "extensions", show_extensions(t->extensions));
	return rc;
}

/* --- controls of CRMF: RFC 4211 section 6 ----------------------------------
 */

static json_t *
show_key_of(const ASN1_TYPE *any)
{
	X509_PUBKEY *pub = show_decode_any(ASN1_ITEM_rptr(X509_PUBKEY), any);
	json_t *key = pub != NULL ? template_key(pub) : show_any(any);

	X509_PUBKEY_free(pub);
	return key;
}

/* oldCertID has the fields of getCert. */
static json_t *
show_old_cert(const ASN1_TYPE *any)
{
	CMC_GET_CERT *id = show_decode_any(ASN1_ITEM_rptr(CMC_GET_CERT), any);
	json_t *o = id != NULL
	    ? show_control_value(cmc_control_row(CMC_GET_CERT_CONTROL), id, 0)
	    : show_any(any);

	CMC_GET_CERT_free(id);
	return o;
}

static json_t *
show_publication_of(const ASN1_TYPE *any)
{
	CMC_PUB_INFO *info = show_decode_any(ASN1_ITEM_rptr(CMC_PUB_INFO), any);
	json_t *o = info != NULL ? show_publication(info) : show_any(any);

	CMC_PUB_INFO_free(info);
	return o;
}

/* NULL: not one of RFC 4211. */
static json_t *
own_value(const CRMF_ATTR *attr)
{
	switch (OBJ_obj2nid(attr->type)) {
	case NID_id_regCtrl_regToken:
	case NID_id_regCtrl_authenticator:
	case NID_id_regCtrl_pkiArchiveOptions:
		/* Passwords and a private key. */
		return json_string("present");
	case NID_id_regCtrl_pkiPublicationInfo:
		return show_publication_of(attr->value);
	case NID_id_regCtrl_oldCertID:
		return show_old_cert(attr->value);
	case NID_id_regCtrl_protocolEncrKey:
		return show_key_of(attr->value);
	default:
		return NULL;
	}
}

/* One of CMC's is shown as in PKCS#10, where a set is around the value. */
static json_t *
show_crmf_control(const CRMF_ATTR *attr)
{
	STACK_OF(ASN1_TYPE) * one;
	json_t *o = NULL, *value = own_value(attr);

	if (value != NULL)
		return show_control_as(attr->type, value);
	one = sk_ASN1_TYPE_new_null();
	if (one != NULL && sk_ASN1_TYPE_push(one, attr->value) > 0)
		o = show_control(attr->type, one, CMC_IN_CERT_REQUEST, 0);
	sk_ASN1_TYPE_free(one);
	return o;
}

static json_t *
show_crmf_controls(const STACK_OF(CRMF_ATTR) * attrs)
{
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0;
	     i < sk_CRMF_ATTR_num(attrs) && i < SHOW_MAX_PARTS && rc == 0; i++)
		rc = json_array_append_new(
		    list, show_crmf_control(sk_CRMF_ATTR_value(attrs, i)));
	return show_done(list, rc);
}

/* --- one CertReqMsg --------------------------------------------------------
 */

static const char *
popo_name(enum burin_crmf_popo popo)
{
	switch (popo) {
	case BURIN_POPO_SIGNATURE:
		return burin_pop_name(BURIN_POP_SIGNATURE);
	case BURIN_POPO_ENCRYPT_CHALLENGE:
	case BURIN_POPO_AGREE_CHALLENGE:
		return burin_pop_name(BURIN_POP_CHALLENGE);
	case BURIN_POPO_AGREE_MAC:
		return burin_pop_name(BURIN_POP_AGREEMENT);
	case BURIN_POPO_RA_VERIFIED:
		return burin_pop_name(BURIN_POP_BY_RA);
	case BURIN_POPO_NONE:
		return "none";
	case BURIN_POPO_ENCRYPT_CERT:
		return "encrypted-certificate";
	case BURIN_POPO_ENCRYPT_OTHER:
	case BURIN_POPO_AGREE_OTHER:
	default:
		return "other";
	}
}

static int
is_later(enum burin_crmf_popo popo)
{
	return popo == BURIN_POPO_ENCRYPT_CHALLENGE ||
	    popo == BURIN_POPO_AGREE_CHALLENGE || popo == BURIN_POPO_AGREE_MAC;
}

int
show_put_pop(
    json_t *o, const char *kind, int later, const struct burin_error *e)
{
	int rc = show_put(o, "pop_kind", json_string(kind));

	if (e->status == BURIN_OK) {
		rc |= show_put(o, "pop_verified", json_string("yes"));
		return rc | show_put(o, "pop", json_string("verified"));
	}
	rc |= show_put(o, "pop_verified", json_string(later ? "later" : "no"));
	return rc |
	    show_put(o, "pop",
		json_sprintf("%s: %s", later ? "later" : "failed", e->reason));
}

/* What the rules of RFC 4211 refuse has no proof that could be verified. */
static int
put_popo(json_t *o, const CRMF_MSG *msg)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_crmf *m = NULL;
	enum burin_crmf_popo popo;
	unsigned char *der = NULL;
	int len = i2d_CRMF_MSG(msg, &der), rc;

	if (len <= 0)
		return -1;
	if (burin_crmf_parse(der, (size_t)len, 0, BURIN_ECHECK, &m, &e) == -1) {
		rc = show_put_error(o, &e);
		rc |= show_put_pop(o, "other", 0, &e);
	} else {
		popo = burin_crmf_get_popo(m);
		(void)burin_crmf_verify_pop(m, NULL, NULL, BURIN_ECHECK, &e);
		rc = show_put_pop(o, popo_name(popo), is_later(popo), &e);
	}
	burin_crmf_free(&m);
	OPENSSL_free(der);
	ERR_clear_error();
	return rc;
}

json_t *
show_crmf_request(const CRMF_MSG *msg)
{
	const CRMF_POPO *popo = msg->popo;
	json_t *o = json_object();
	int rc;

	rc = show_put(o, "type", json_string("request"));
	rc |= show_put(o, "form", json_string("crmf"));
	rc |= show_put(o, "id", show_id(msg->certReq->certReqId));
	rc |= show_put_template(o, msg->certReq->certTemplate);
	if (popo != NULL && popo->type == CRMF_POPO_SIGNATURE)
		rc |= show_put(o, "signature",
		    show_algorithm(popo->value.signature->algorithmIdentifier));
	rc |= put_popo(o, msg);
	rc |=
	    show_put(o, "controls", show_crmf_controls(msg->certReq->controls));
	if (msg->regInfo != NULL)
		rc |= show_put(o, "reg_info", show_crmf_controls(msg->regInfo));
	ERR_clear_error();
	return show_done(o, rc);
}

/* --- requests of every form ------------------------------------------------
 */

json_t *
show_req_controls(X509_REQ *req)
{
	json_t *list = json_array();
	int i, k, rc = list != NULL ? 0 : -1;

	for (i = 0; i < X509_REQ_get_attr_count(req) && rc == 0; i++) {
		X509_ATTRIBUTE *attr = X509_REQ_get_attr(req, i);
		const ASN1_OBJECT *oid = X509_ATTRIBUTE_get0_object(attr);
		STACK_OF(ASN1_TYPE) * values;

		if (cmc_control_find(oid) == NULL)
			continue;
		if ((values = sk_ASN1_TYPE_new_null()) == NULL)
			rc = -1;
		for (k = 0; k < X509_ATTRIBUTE_count(attr) && rc == 0; k++) {
			if (sk_ASN1_TYPE_push(
				values, X509_ATTRIBUTE_get0_type(attr, k)) <= 0)
				rc = -1;
		}
		if (rc == 0)
			rc = json_array_append_new(list,
			    show_control(oid, values, CMC_IN_CERT_REQUEST, 0));
		sk_ASN1_TYPE_free(values);
	}
	return show_done(list, rc);
}

static json_t *
show_pkcs10(const CMC_TCR *tcr)
{
	X509_REQ *req = show_decode_any(
	    ASN1_ITEM_rptr(X509_REQ), tcr->certificationRequest);
	json_t *o = req != NULL ? show_req(req) : json_object();
	int rc = 0;

	if (req == NULL)
		rc = show_put(o, "refused",
		    json_string("the request cannot be decoded as PKCS#10"));
	rc |= show_put(o, "form", json_string("pkcs10"));
	rc |= show_put(o, "id", show_id(tcr->bodyPartID));
	X509_REQ_free(req);
	return show_done(o, rc);
}

static json_t *
show_other_request(const CMC_OTHER *orm)
{
	json_t *o = json_object();
	int rc;

	rc = show_put(o, "form", json_string("other"));
	rc |= show_put(o, "id", show_id(orm->bodyPartID));
	rc |= show_put(o, "name", show_oid(orm->type));
	rc |= show_put(o, "value", show_any(orm->value));
	return show_done(o, rc);
}

json_t *
show_request(const CMC_REQ *req)
{
	switch (req->type) {
	case CMC_REQ_TCR:
		return show_pkcs10(req->d.tcr);
	case CMC_REQ_CRM:
		return show_crmf_request(req->d.crm);
	default:
		return show_other_request(req->d.orm);
	}
}

/* --- a file of CRMF --------------------------------------------------------
 */

/* What the strict reader says. */
static int
add_structure(
    json_t *checked, int is_list, const unsigned char *der, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_crmf **list = NULL, *one = NULL;
	size_t i, n = 0;
	int rc;

	rc = is_list
	    ? burin_crmf_parse_list(der, len, 0, BURIN_ECHECK, &list, &n, &e)
	    : burin_crmf_parse(der, len, 0, BURIN_ECHECK, &one, &e);
	for (i = 0; i < n; i++)
		burin_crmf_free(&list[i]);
	free(list);
	burin_crmf_free(&one);
	ERR_clear_error();
	return show_add_check(checked, "structure", rc == 0 ? "pass" : "fail",
	    &e, "%s", rc == 0 ? "as RFC 4211 wants it" : e.reason);
}

static int
put_requests(json_t *o, json_t *checked, const STACK_OF(CRMF_MSG) * msgs)
{
	json_t *requests = json_array(), *one;
	int i, rc = requests != NULL ? 0 : -1;

	for (i = 0; i < sk_CRMF_MSG_num(msgs) && i < SHOW_MAX_PARTS && rc == 0;
	     i++) {
		one = show_crmf_request(sk_CRMF_MSG_value(msgs, i));
		rc = show_add_pop(checked, one);
		rc |= json_array_append_new(requests, one);
	}
	return rc | show_put(o, "requests", requests);
}

static json_t *
show_msgs(const STACK_OF(CRMF_MSG) * msgs, int is_list,
    const unsigned char *der, size_t len)
{
	json_t *o = json_object(), *checked = json_array();
	int rc;

	rc = show_put(o, "type", json_string("crmf"));
	rc |= show_put(
	    o, "form", json_string(is_list ? "CertReqMessages" : "CertReqMsg"));
	rc |= add_structure(checked, is_list, der, len);
	rc |= put_requests(o, checked, msgs);
	rc |= show_put(o, "checked", checked);
	ERR_clear_error();
	return show_done(o, rc);
}

int
show_crmf(json_t **out, const unsigned char *der, size_t len)
{
	STACK_OF(CRMF_MSG) *msgs =
	    show_decode(ASN1_ITEM_rptr(CRMF_MSGS), der, len);
	CRMF_MSG *one;
	int is_list = sk_CRMF_MSG_num(msgs) > 0, found = is_list;

	*out = NULL;
	if (!is_list) {
		one = show_decode(ASN1_ITEM_rptr(CRMF_MSG), der, len);
		found = one != NULL;
		if (msgs == NULL)
			msgs = sk_CRMF_MSG_new_null();
		if (found && sk_CRMF_MSG_push(msgs, one) <= 0) {
			CRMF_MSG_free(one);
			sk_CRMF_MSG_free(msgs);
			return 1;
		}
	}
	if (found)
		*out = show_msgs(msgs, is_list, der, len);
	sk_CRMF_MSG_pop_free(msgs, CRMF_MSG_free);
	return found;
}
