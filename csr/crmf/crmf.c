/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in a CertReqMsg that was read, and what CMC does not want to see in
 * one: RFC 10002 section 3.2.1.2.2.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "crmf.h"

#define RULE_CMC "RFC 10002 section 3.2.1.2.2"
#define RULE_TEMPLATE "RFC 4211 section 5"

void
burin_crmf_free(struct burin_crmf **m)
{
	size_t i;

	if (m == NULL || *m == NULL)
		return;
	CRMF_MSG_free((*m)->msg);
	for (i = 0; i < (*m)->n_controls; i++)
		OPENSSL_free((*m)->controls[i].der);
	free((*m)->controls);
	free(*m);
	*m = NULL;
}

uint32_t
burin_crmf_id(const struct burin_crmf *m)
{
	return m->id;
}

const X509_NAME *
burin_crmf_subject(const struct burin_crmf *m)
{
	return m->msg->certReq->certTemplate->subject;
}

EVP_PKEY *
burin_crmf_public_key(const struct burin_crmf *m)
{
	return m->pub;
}

STACK_OF(X509_EXTENSION) * burin_crmf_extensions(const struct burin_crmf *m)
{
	return m->msg->certReq->certTemplate->extensions;
}

const unsigned char *
burin_crmf_control(const struct burin_crmf *m, const char *oid, size_t *len)
{
	size_t i;

	*len = 0;
	for (i = 0; i < m->n_controls; i++) {
		if (strcmp(m->controls[i].oid, oid) != 0)
			continue;
		*len = m->controls[i].len;
		return m->controls[i].der;
	}
	return NULL;
}

const char *
burin_crmf_control_oid(const struct burin_crmf *m, size_t i)
{
	return i < m->n_controls ? m->controls[i].oid : NULL;
}

static enum burin_crmf_popo
priv_popo(const CRMF_PRIV_KEY *priv, int agreeing)
{
	switch (priv->type) {
	case CRMF_PRIV_SUBSEQUENT:
		if (ASN1_INTEGER_get(priv->value.subsequentMessage) ==
		    CRMF_ENCR_CERT)
			return BURIN_POPO_ENCRYPT_CERT;
		return agreeing ? BURIN_POPO_AGREE_CHALLENGE
				: BURIN_POPO_ENCRYPT_CHALLENGE;
	case CRMF_PRIV_AGREE_MAC:
		/* Of a key that encrypts it would make no sense. */
		return agreeing ? BURIN_POPO_AGREE_MAC
				: BURIN_POPO_ENCRYPT_OTHER;
	default:
		return agreeing ? BURIN_POPO_AGREE_OTHER
				: BURIN_POPO_ENCRYPT_OTHER;
	}
}

enum burin_crmf_popo
burin_crmf_get_popo(const struct burin_crmf *m)
{
	const CRMF_POPO *popo = m->msg->popo;

	if (popo == NULL)
		return BURIN_POPO_NONE;
	switch (popo->type) {
	case CRMF_POPO_RA_VERIFIED:
		return BURIN_POPO_RA_VERIFIED;
	case CRMF_POPO_SIGNATURE:
		return BURIN_POPO_SIGNATURE;
	case CRMF_POPO_AGREEMENT:
		return priv_popo(popo->value.keyAgreement, 1);
	case CRMF_POPO_ENCIPHERMENT:
	default:
		return priv_popo(popo->value.keyEncipherment, 0);
	}
}

int
crmf_is_whole(const CRMF_MSG *msg)
{
	const CRMF_TEMPLATE *t = msg->certReq->certTemplate;

	return t->subject != NULL && t->publicKey != NULL;
}

/* --- in CMC -------------------------------------------------------------- */

static int
refuse(struct burin_error *e, enum burin_status status, const char *rule,
    const char *why)
{
	(void)burin_fail(
	    e, status, "not-in-cmc", "the request %s, which CMC forbids", why);
	return burin_error_rule(e, "%s", rule);
}

static int
check_template(
    const CRMF_TEMPLATE *t, enum burin_status status, struct burin_error *e)
{
	if (t->subject == NULL)
		return refuse(
		    e, status, RULE_CMC, "has no subject, not even an empty");
	if (t->publicKey == NULL)
		return refuse(e, status, RULE_CMC, "has no public key");
	if (t->serialNumber != NULL)
		return refuse(e, status, RULE_TEMPLATE, "has a serialNumber");
	if (t->signingAlg != NULL)
		return refuse(e, status, RULE_TEMPLATE, "has a signingAlg");
	if (t->issuerUID != NULL || t->subjectUID != NULL)
		return refuse(e, status, RULE_TEMPLATE,
		    "has a unique id (issuerUID, subjectUID)");
	return 0;
}

int
crmf_check_cmc(
    const struct burin_crmf *m, enum burin_status status, struct burin_error *e)
{
	const CRMF_POPO *popo = m->msg->popo;
	size_t len;

	if (m->id == 0)
		return refuse(e, status, RULE_CMC, "has the certReqId 0");
	if (check_template(m->msg->certReq->certTemplate, status, e) == -1)
		return -1;
	if (m->msg->regInfo != NULL)
		return refuse(e, status, RULE_CMC, "has a regInfo");
	if (burin_crmf_control(m, "1.3.6.1.5.5.7.5.1.1", &len) != NULL)
		return refuse(e, status, RULE_CMC, "has a regToken control");
	if (burin_crmf_control(m, "1.3.6.1.5.5.7.5.1.2", &len) != NULL)
		return refuse(
		    e, status, RULE_CMC, "has an authenticator control");
	if (burin_crmf_get_popo(m) == BURIN_POPO_ENCRYPT_CERT)
		return refuse(e, status, RULE_CMC,
		    "wants its certificate encrypted (encrCert)");
	if (popo != NULL && popo->type == CRMF_POPO_SIGNATURE &&
	    popo->value.signature->poposkInput != NULL)
		return refuse(e, status, RULE_CMC, "has a POPOSigningKeyInput");
	return 0;
}
