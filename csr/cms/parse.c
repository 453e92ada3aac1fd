/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a message: bounded, whole, BER as RFC 5652 section 3 allows. What
 * it claims is not checked here.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/response.h>

#include "internal.h"

static const struct {
	const char *oid;
	enum burin_cms_type type;
} types[] = {
	{ OID_DATA, BURIN_CMS_DATA },
	{ OID_SIGNED, BURIN_CMS_SIGNED },
	{ OID_AUTHENTICATED, BURIN_CMS_AUTHENTICATED },
	{ OID_ENVELOPED, BURIN_CMS_ENVELOPED },
	{ OID_AUTH_ENVELOPED, BURIN_CMS_AUTH_ENVELOPED },
};

static int
too_many(
    struct burin_cms *cms, const char *what, int limit, struct burin_error *e)
{
	(void)burin_fail(e, cms->status, "message-too-much",
	    "the message holds more than %d %s", limit, what);
	return -1;
}

/* The bytes of content are one value of this kind and nothing more. */
static void *
inner(struct burin_cms *cms, const ASN1_TYPE *content, const ASN1_ITEM *it,
    const char *rule, struct burin_error *e)
{
	const unsigned char *p;
	ASN1_VALUE *val = NULL;

	if (content == NULL || content->type != V_ASN1_SEQUENCE) {
		(void)csr_cms_malformed(e, cms->status,
		    "the message has no content of its type", rule);
		return NULL;
	}
	p = content->value.sequence->data;
	val = ASN1_item_d2i(NULL, &p, content->value.sequence->length, it);
	if (val != NULL &&
	    p ==
		content->value.sequence->data + content->value.sequence->length)
		return val;
	ASN1_item_free(val, it);
	(void)csr_cms_malformed(
	    e, cms->status, "the message cannot be decoded", rule);
	return NULL;
}

/* Other choices than a certificate (RFC 5652 section 10.2.2) are let be. */
static int
take_certs(struct burin_cms *cms, const STACK_OF(ASN1_TYPE) * certs,
    struct burin_error *e)
{
	int i;

	if (sk_ASN1_TYPE_num(certs) > CSR_CMS_MAX_CERTS)
		return too_many(cms, "certificates", CSR_CMS_MAX_CERTS, e);
	for (i = 0; i < sk_ASN1_TYPE_num(certs); i++) {
		const ASN1_TYPE *any = sk_ASN1_TYPE_value(certs, i);
		X509 *cert;

		if (any->type != V_ASN1_SEQUENCE)
			continue;
		if (burin_cert_parse(any->value.sequence->data,
			(size_t)any->value.sequence->length, cms->status, &cert,
			e) == -1)
			return -1;
		if (sk_X509_push(cms->certs, cert) == 0) {
			X509_free(cert);
			return burin_fail_memory(e);
		}
	}
	return 0;
}

static int
take_crls(struct burin_cms *cms, const STACK_OF(ASN1_TYPE) * crls,
    struct burin_error *e)
{
	int i;

	if (sk_ASN1_TYPE_num(crls) > CSR_CMS_MAX_CRLS)
		return too_many(cms, "revocation lists", CSR_CMS_MAX_CRLS, e);
	for (i = 0; i < sk_ASN1_TYPE_num(crls); i++) {
		const ASN1_TYPE *any = sk_ASN1_TYPE_value(crls, i);
		X509_CRL *crl;

		if (any->type != V_ASN1_SEQUENCE)
			continue;
		crl = inner(cms, any, ASN1_ITEM_rptr(X509_CRL),
		    "RFC 5652 section 10.2.1", e);
		if (crl == NULL)
			return -1;
		if (sk_X509_CRL_push(cms->crls, crl) == 0) {
			X509_CRL_free(crl);
			return burin_fail_memory(e);
		}
	}
	return 0;
}

static int
take_signed(struct burin_cms *cms, struct burin_error *e)
{
	int i;

	if (sk_CSR_SIGNER_num(cms->sd->signers) > BURIN_MAX_SIGNERS)
		return too_many(cms, "signers", BURIN_MAX_SIGNERS, e);
	for (i = 0; i < sk_CSR_SIGNER_num(cms->sd->signers); i++) {
		const CSR_KEY_NAME *sid =
		    sk_CSR_SIGNER_value(cms->sd->signers, i)->sid;

		if (sid->type == CSR_ID_KEY &&
		    (sid->d.key_id->length == 0 ||
			sid->d.key_id->length > BURIN_MAX_KEY_ID))
			return csr_cms_malformed(e, cms->status,
			    "the identifier of a signer's key is empty or "
			    "longer than 64 bytes",
			    "RFC 5652 section 5.3");
	}
	if (take_certs(cms, cms->sd->certs, e) == -1 ||
	    take_crls(cms, cms->sd->crls, e) == -1)
		return -1;
	csr_oid_text(cms->sd->encap->type, cms->content_type);
	cms->content = cms->sd->encap->content;
	return 0;
}

static int
check_recipients(struct burin_cms *cms, const STACK_OF(CSR_RECIPIENT) * all,
    struct burin_error *e)
{
	int i, n = 0;

	/* Each recipient of a key agreement is one. */
	for (i = 0; i < sk_CSR_RECIPIENT_num(all); i++) {
		const CSR_RECIPIENT *ri = sk_CSR_RECIPIENT_value(all, i);
		int here = 1;

		if (ri->type == CSR_RI_KARI)
			here = sk_CSR_AGREE_KEY_num(ri->d.kari->keys);
		if (here > BURIN_MAX_RECIPIENTS - n)
			return too_many(
			    cms, "recipients", BURIN_MAX_RECIPIENTS, e);
		n += here;
	}
	if (n == 0)
		return csr_cms_malformed(e, cms->status,
		    "the message is for nobody", "RFC 5652 section 6.1");
	return 0;
}

/* originatorInfo has what a signature would have beside it: section 6.1. */
static int
take_authenticated(struct burin_cms *cms, struct burin_error *e)
{
	const CSR_ORIGINATOR_INFO *from = cms->ad->originator;

	if (from != NULL &&
	    (take_certs(cms, from->certs, e) == -1 ||
		take_crls(cms, from->crls, e) == -1))
		return -1;
	csr_oid_text(cms->ad->encap->type, cms->content_type);
	cms->content = cms->ad->encap->content;
	return check_recipients(cms, cms->ad->recipients, e);
}

static int
take_kind(
    struct burin_cms *cms, const ASN1_TYPE *content, struct burin_error *e)
{
	switch (cms->type) {
	case BURIN_CMS_DATA:
		break;
	case BURIN_CMS_SIGNED:
		cms->sd = inner(cms, content, ASN1_ITEM_rptr(CSR_SIGNED),
		    "RFC 5652 section 5.1", e);
		return cms->sd != NULL ? take_signed(cms, e) : -1;
	case BURIN_CMS_AUTHENTICATED:
		cms->ad = inner(cms, content, ASN1_ITEM_rptr(CSR_AUTHENTICATED),
		    "RFC 5652 section 9.1", e);
		return cms->ad != NULL ? take_authenticated(cms, e) : -1;
	case BURIN_CMS_ENVELOPED:
		cms->env = inner(cms, content, ASN1_ITEM_rptr(CSR_ENVELOPED),
		    "RFC 5652 section 6.1", e);
		if (cms->env == NULL)
			return -1;
		csr_oid_text(cms->env->encrypted->type, cms->content_type);
		return check_recipients(cms, cms->env->recipients, e);
	case BURIN_CMS_AUTH_ENVELOPED:
		cms->auth_env =
		    inner(cms, content, ASN1_ITEM_rptr(CSR_AUTH_ENVELOPED),
			"RFC 5083 section 2.1", e);
		if (cms->auth_env == NULL)
			return -1;
		csr_oid_text(cms->auth_env->encrypted->type, cms->content_type);
		return check_recipients(cms, cms->auth_env->recipients, e);
	}
	if (content == NULL || content->type != V_ASN1_OCTET_STRING)
		return csr_cms_malformed(e, cms->status,
		    "the message has no content of its type",
		    "RFC 5652 section 4");
	cms->data = ASN1_OCTET_STRING_dup(content->value.octet_string);
	if (cms->data == NULL)
		return burin_fail_memory(e);
	cms->content = cms->data;
	csr_oid_text(OBJ_nid2obj(NID_pkcs7_data), cms->content_type);
	return 0;
}

static int
take_type(
    struct burin_cms *cms, const CSR_CONTENT_INFO *info, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!csr_oid_is(info->type, types[i].oid))
			continue;
		cms->type = types[i].type;
		if (take_kind(cms, info->content, e) == -1)
			return -1;
		/* No type of content that we know has so long a name. */
		if (cms->content_type[0] == '\0')
			return csr_cms_malformed(e, cms->status,
			    "the type of the content is too long",
			    "RFC 5652 section 5.2");
		return 0;
	}
	return csr_cms_malformed(e, cms->status,
	    "the message is neither signed, authenticated, encrypted nor "
	    "plain data",
	    "RFC 5652 section 3");
}

int
burin_cms_parse(const void *data, size_t len, enum burin_status status,
    struct burin_cms **out, struct burin_error *e)
{
	const unsigned char *p = data;
	CSR_CONTENT_INFO *info = NULL;
	struct burin_cms *cms = NULL;
	int rc = -1;

	*out = NULL;
	if (data == NULL || len == 0 || len > BURIN_MAX_MESSAGE)
		return csr_cms_malformed(e, status,
		    "the message is empty or longer than 1048576 bytes",
		    "RFC 5652 section 3");
	if ((cms = OPENSSL_zalloc(sizeof(*cms))) == NULL ||
	    (cms->certs = sk_X509_new_null()) == NULL ||
	    (cms->crls = sk_X509_CRL_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	cms->status = status;
	if ((info = d2i_CSR_CONTENT_INFO(NULL, &p, (long)len)) == NULL) {
		(void)csr_cms_malformed(e, status,
		    "the message cannot be decoded", "RFC 5652 section 3");
		goto out;
	}
	if (p != (const unsigned char *)data + len) {
		(void)csr_cms_malformed(e, status,
		    "the message is followed by other bytes",
		    "RFC 5652 section 3");
		goto out;
	}
	if (take_type(cms, info, e) == -1)
		goto out;
	ERR_clear_error();
	*out = cms;
	cms = NULL;
	rc = 0;
out:
	CSR_CONTENT_INFO_free(info);
	burin_cms_free(&cms);
	return rc;
}

void
burin_cms_free(struct burin_cms **cp)
{
	struct burin_cms *cms;

	if (cp == NULL || (cms = *cp) == NULL)
		return;
	CSR_SIGNED_free(cms->sd);
	CSR_AUTHENTICATED_free(cms->ad);
	CSR_ENVELOPED_free(cms->env);
	CSR_AUTH_ENVELOPED_free(cms->auth_env);
	ASN1_OCTET_STRING_free(cms->data);
	sk_X509_pop_free(cms->certs, X509_free);
	sk_X509_CRL_pop_free(cms->crls, X509_CRL_free);
	OPENSSL_free(cms);
	*cp = NULL;
}
