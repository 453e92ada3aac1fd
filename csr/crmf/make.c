/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a CertReqMsg: RFC 4211 section 3, as CMC wants it (RFC 10002 section
 * 3.2.1.2.2).
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "../agree.h"
#include "../internal.h"
#include "../pop.h"
#include "../sign.h"
#include "crmf.h"

#define RULE_SIGNATURE "RFC 4211 section 4.1"

static int
fail_encode(struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
	    "the request cannot be put together");
}

/* --- template and controls ----------------------------------------------- */

static int
fill_template(CRMF_TEMPLATE *t, const struct burin_subject *s, EVP_PKEY *pub,
    struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;

	if ((t->subject = X509_NAME_dup(s->dn)) == NULL ||
	    X509_PUBKEY_set(&t->publicKey, pub) != 1)
		return fail_encode(e);
	if (csr_subject_extensions(s, t->publicKey, &exts, e) == -1)
		return -1;
	/* Extensions has at least one: RFC 5280 section 4.1.2.9. */
	if (sk_X509_EXTENSION_num(exts) > 0)
		t->extensions = exts;
	else
		sk_X509_EXTENSION_free(exts);
	return 0;
}

static int
refuse_attribute(const char *what, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, "attribute-not-in-crmf",
	    "CRMF has no place for the attribute %s", what);
	(void)burin_error_rule(e, "RFC 4211 section 6");
	return burin_error_advice(
	    e, "leave the attribute out, or make a PKCS#10 request");
}

static int
is_control(const char *oid)
{
	static const char *const controls[] = { OID_POP_LINK_WITNESS,
		OID_POP_LINK_WITNESS_V2, OID_CHANGE_SUBJECT_NAME,
		OID_ATTESTATION };
	size_t i;

	for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (strcmp(oid, controls[i]) == 0)
			return 1;
	}
	return 0;
}

/* An attribute has a SET of values, a control one value: section 3. */
static int
push_control(CRMF_REQUEST *req, X509_ATTRIBUTE *attr, struct burin_error *e)
{
	const ASN1_OBJECT *type = X509_ATTRIBUTE_get0_object(attr);
	char oid[CRMF_MAX_OID] = "";
	CRMF_ATTR *control;

	(void)OBJ_obj2txt(oid, sizeof(oid), type, 1);
	if (!is_control(oid) || X509_ATTRIBUTE_count(attr) != 1)
		return refuse_attribute(oid, e);
	if (req->controls == NULL &&
	    (req->controls = sk_CRMF_ATTR_new_null()) == NULL)
		return burin_fail_memory(e);
	if ((control = CRMF_ATTR_new()) == NULL)
		return burin_fail_memory(e);
	ASN1_OBJECT_free(control->type);
	ASN1_TYPE_free(control->value);
	control->type = OBJ_dup(type);
	control->value = ASN1_item_dup(
	    ASN1_ITEM_rptr(ASN1_ANY), X509_ATTRIBUTE_get0_type(attr, 0));
	if (control->type == NULL || control->value == NULL ||
	    sk_CRMF_ATTR_push(req->controls, control) <= 0) {
		CRMF_ATTR_free(control);
		return burin_fail_memory(e);
	}
	return 0;
}

static int
fill(CRMF_REQUEST *req, const struct burin_subject *s, EVP_PKEY *pub,
    uint32_t id, struct burin_error *e)
{
	int i;

	if (ASN1_INTEGER_set_uint64(req->certReqId, id) != 1)
		return fail_encode(e);
	if (s->challenge != NULL)
		return refuse_attribute("challengePassword", e);
	for (i = 0; i < sk_X509_ATTRIBUTE_num(s->attributes); i++) {
		if (push_control(req, sk_X509_ATTRIBUTE_value(s->attributes, i),
			e) == -1)
			return -1;
	}
	return fill_template(req->certTemplate, s, pub, e);
}

/* --- the proof ----------------------------------------------------------- */

static CRMF_POPO *
new_popo(CRMF_MSG *msg, int type)
{
	if ((msg->popo = CRMF_POPO_new()) != NULL)
		msg->popo->type = type;
	return msg->popo;
}

static CRMF_PRIV_KEY *
new_priv(CRMF_MSG *msg, int agreeing, int type)
{
	CRMF_PRIV_KEY *priv = CRMF_PRIV_KEY_new();
	CRMF_POPO *popo = new_popo(
	    msg, agreeing ? CRMF_POPO_AGREEMENT : CRMF_POPO_ENCIPHERMENT);

	if (priv == NULL || popo == NULL) {
		CRMF_PRIV_KEY_free(priv);
		return NULL;
	}
	priv->type = type;
	if (agreeing)
		popo->value.keyAgreement = priv;
	else
		popo->value.keyEncipherment = priv;
	return priv;
}

/*
 * Section 4.1, case 3: subject and key are in the template, so there is no
 * POPOSigningKeyInput and the signature is over the whole CertRequest, as
 * everybody reads it, although the prose says template.
 */
static int
put_signature(CRMF_MSG *msg, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(CRMF_REQUEST);
	CRMF_SIGNING_KEY *sk = CRMF_SIGNING_KEY_new();
	const EVP_MD *md;

	if (sk == NULL || new_popo(msg, CRMF_POPO_SIGNATURE) == NULL) {
		CRMF_SIGNING_KEY_free(sk);
		return burin_fail_memory(e);
	}
	msg->popo->value.signature = sk;
	if (csr_pick_digest(pub, how->md_name, &md, e) == -1)
		return -1;
	if (ASN1_item_sign(it, sk->algorithmIdentifier, NULL, sk->signature,
		msg->certReq, how->key, md) <= 0)
		return burin_fail_openssl(e, BURIN_EREFUSED, "sign-failed",
		    "the key did not sign the request");
	if (ASN1_item_verify(it, sk->algorithmIdentifier, sk->signature,
		msg->certReq, pub) != 1)
		return csr_fail_signature(RULE_SIGNATURE, e);
	return 0;
}

/* subsequentMessage challengeResp: section 4.2, RFC 10002 section 6.7. */
static int
put_challenge(CRMF_MSG *msg, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	const char *type = EVP_PKEY_get0_type_name(pub);
	int agreeing = csr_is_agreeing(pub);
	CRMF_PRIV_KEY *priv;
	ASN1_INTEGER *n;

	if (how->agree >= 0 && how->agree != agreeing) {
		(void)burin_fail(e, BURIN_EUSAGE, "pop-not-of-key",
		    "a key of type %s is not for key %s",
		    type != NULL ? type : "unknown",
		    how->agree ? "agreement" : "encipherment");
		return burin_error_rule(e, "RFC 4211 section 4");
	}
	priv = new_priv(msg, agreeing, CRMF_PRIV_SUBSEQUENT);
	if (priv == NULL || (n = ASN1_INTEGER_new()) == NULL)
		return burin_fail_memory(e);
	priv->value.subsequentMessage = n;
	return ASN1_INTEGER_set(n, CRMF_CHALLENGE_RESP) == 1
	    ? 0
	    : burin_fail_memory(e);
}

/*
 * Section 4.3 has the MAC over the DER of certReq and its key as RFC 2875,
 * now RFC 6955, says, but registers no algorithm for it; so algId is the one
 * of RFC 6955 section 6, and the value what that algorithm has for a value.
 */
static int
put_agreement(CRMF_MSG *msg, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	CRMF_PRIV_KEY *priv = new_priv(msg, 1, CRMF_PRIV_AGREE_MAC);
	unsigned char *der = NULL;
	CRMF_PKMAC *mac;
	int len, rc;

	if (priv == NULL || (mac = CRMF_PKMAC_new()) == NULL)
		return burin_fail_memory(e);
	priv->value.agreeMAC = mac;
	if ((len = i2d_CRMF_REQUEST(msg->certReq, &der)) <= 0)
		return fail_encode(e);
	rc = csr_agree_make(pub, how->key, how->authority, der, (size_t)len,
	    mac->algId, mac->value, e);
	OPENSSL_free(der);
	return rc;
}

static int
put_ra_verified(CRMF_MSG *msg, struct burin_error *e)
{
	if (new_popo(msg, CRMF_POPO_RA_VERIFIED) == NULL ||
	    (msg->popo->value.raVerified = ASN1_NULL_new()) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
prove(CRMF_MSG *msg, EVP_PKEY *pub, const struct burin_pop_how *how,
    struct burin_error *e)
{
	switch (how->pop) {
	case BURIN_POP_CHALLENGE:
		return put_challenge(msg, pub, how, e);
	case BURIN_POP_AGREEMENT:
		return put_agreement(msg, pub, how, e);
	case BURIN_POP_BY_RA:
		return put_ra_verified(msg, e);
	case BURIN_POP_SIGNATURE:
	default:
		return put_signature(msg, pub, how, e);
	}
}

int
burin_crmf_make(const struct burin_subject *s, EVP_PKEY *pub, uint32_t id,
    const struct burin_pop_how *how, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	CRMF_MSG *msg;
	unsigned char *bytes = NULL;
	int len, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (csr_check_how(pub, how, RULE_SIGNATURE, e) == -1)
		return -1;
	if ((msg = CRMF_MSG_new()) == NULL)
		return burin_fail_memory(e);
	if (fill(msg->certReq, s, pub, id, e) == -1 ||
	    prove(msg, pub, how, e) == -1)
		goto out;
	if ((len = i2d_CRMF_MSG(msg, &bytes)) <= 0) {
		(void)fail_encode(e);
		goto out;
	}
	if (csr_check_length((size_t)len, e) == -1)
		goto out;
	*der = bytes;
	*der_len = (size_t)len;
	bytes = NULL;
	rc = 0;
out:
	OPENSSL_free(bytes);
	CRMF_MSG_free(msg);
	return rc;
}
