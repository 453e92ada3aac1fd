/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the reqSequence of a message of ours again: RFC 10002 section
 * 3.2.1.2.
 */

#include <string.h>

#include <openssl/err.h>

#include "requests.h"

#define RULE "RFC 10002 section 3.2.1.2"
#define OID_CHANGE_NAME "1.3.6.1.5.5.7.7.36"

static int
malformed(enum burin_status status, const char *why, struct burin_error *e)
{
	(void)burin_fail_openssl(e, status, "request-malformed",
	    "the list of requests (reqSequence) %s", why);
	return burin_error_rule(e, RULE);
}

/* --- what is asked -------------------------------------------------------- */

/* Takes exts over. */
static int
fill_asked(struct burin_asked *out, const X509_NAME *subject, EVP_PKEY *pub,
    STACK_OF(X509_EXTENSION) * exts, struct burin_error *e)
{
	out->extensions = exts;
	if ((out->subject = X509_NAME_dup(subject)) == NULL)
		return burin_fail_memory(e);
	if (pub != NULL && EVP_PKEY_up_ref(pub) == 1)
		out->pub = pub;
	return 0;
}

/* RFC 2986: a SET of values; of this attribute there is one. */
static int
rename_pkcs10(X509_REQ *req, enum burin_status status, struct burin_asked *out,
    struct burin_error *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_CHANGE_NAME, 1);
	int at = X509_REQ_get_attr_by_OBJ(req, oid, -1);
	const ASN1_TYPE *value;

	ASN1_OBJECT_free(oid);
	if (at < 0)
		return 0;
	value = X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(req, at), 0);
	if (value == NULL || value->type != V_ASN1_SEQUENCE)
		return cmc_asked_rename(NULL, 0, status, out, e);
	return cmc_asked_rename(value->value.sequence->data,
	    (size_t)value->value.sequence->length, status, out, e);
}

int
cmc_asked_of_pkcs10(X509_REQ *req, enum burin_status status,
    struct burin_asked *out, struct burin_error *e)
{
	memset(out, 0, sizeof(*out));
	if (fill_asked(out, X509_REQ_get_subject_name(req),
		X509_REQ_get0_pubkey(req), X509_REQ_get_extensions(req),
		e) == -1)
		return -1;
	return rename_pkcs10(req, status, out, e);
}

int
cmc_asked_of_crmf(const struct burin_crmf *m, enum burin_status status,
    struct burin_asked *out, struct burin_error *e)
{
	const STACK_OF(X509_EXTENSION) *exts = burin_crmf_extensions(m);
	const X509_NAME *subject = burin_crmf_subject(m);
	STACK_OF(X509_EXTENSION) *copy = NULL;
	const unsigned char *names;
	X509_NAME *none = NULL;
	size_t len;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (exts != NULL &&
	    (copy = sk_X509_EXTENSION_deep_copy(
		 exts, X509_EXTENSION_dup, X509_EXTENSION_free)) == NULL)
		return burin_fail_memory(e);
	/* A subject that is not there is one without attributes. */
	if (subject == NULL && (subject = none = X509_NAME_new()) == NULL) {
		sk_X509_EXTENSION_pop_free(copy, X509_EXTENSION_free);
		return burin_fail_memory(e);
	}
	rc = fill_asked(out, subject, burin_crmf_public_key(m), copy, e);
	X509_NAME_free(none);
	names = burin_crmf_control(m, OID_CHANGE_NAME, &len);
	if (rc == 0 && names != NULL)
		rc = cmc_asked_rename(names, len, status, out, e);
	return rc;
}

int
cmc_asks_for_key_id(
    const struct burin_asked *a, const unsigned char *key_id, size_t len)
{
	ASN1_OCTET_STRING *ski;
	int same;

	if (a->extensions == NULL)
		return 0;
	ski = X509V3_get_d2i(
	    a->extensions, NID_subject_key_identifier, NULL, NULL);
	same = ski != NULL && (size_t)ASN1_STRING_length(ski) == len &&
	    memcmp(ASN1_STRING_get0_data(ski), key_id, len) == 0;
	ASN1_OCTET_STRING_free(ski);
	return same;
}

int
cmc_asks_for_key(const struct burin_asked *a, EVP_PKEY *pub)
{
	int same;

	if (a->pub == NULL || pub == NULL)
		return 0;
	/* Keys of two types are an error to OpenSSL, which is none here. */
	(void)ERR_set_mark();
	same = EVP_PKEY_eq(a->pub, pub) == 1;
	(void)ERR_pop_to_mark();
	return same;
}

/* --- one request ---------------------------------------------------------- */

static int
take_id(const ASN1_INTEGER *id, enum burin_status status, uint32_t *out,
    struct burin_error *e)
{
	uint64_t n = 0;

	if (ASN1_INTEGER_get_uint64(&n, id) != 1 || n == 0 || n > UINT32_MAX)
		return malformed(
		    status, "has a bodyPartID that is 0 or too large", e);
	*out = (uint32_t)n;
	return 0;
}

static int
take_pkcs10(const CMC_TCR *tcr, enum burin_status status,
    struct cmc_request *out, struct burin_error *e)
{
	const ASN1_TYPE *any = tcr->certificationRequest;
	X509_REQ *req;
	int rc;

	if (any->type != V_ASN1_SEQUENCE)
		return malformed(status, "has a request that is no PKCS#10", e);
	if (take_id(tcr->bodyPartID, status, &out->id, e) == -1 ||
	    burin_pkcs10_parse(any->value.sequence->data,
		(size_t)any->value.sequence->length, status, &req, e) == -1)
		return -1;
	out->pop = burin_pkcs10_pop(req);
	rc = cmc_asked_of_pkcs10(req, status, &out->asked, e);
	X509_REQ_free(req);
	return rc;
}

static enum burin_pop
crmf_pop(const struct burin_crmf *m)
{
	switch (burin_crmf_get_popo(m)) {
	case BURIN_POPO_SIGNATURE:
		return BURIN_POP_SIGNATURE;
	case BURIN_POPO_AGREE_MAC:
	case BURIN_POPO_AGREE_OTHER:
		return BURIN_POP_AGREEMENT;
	case BURIN_POPO_RA_VERIFIED:
		return BURIN_POP_BY_RA;
	case BURIN_POPO_NONE:
	case BURIN_POPO_ENCRYPT_CHALLENGE:
	case BURIN_POPO_ENCRYPT_CERT:
	case BURIN_POPO_ENCRYPT_OTHER:
	case BURIN_POPO_AGREE_CHALLENGE:
		break;
	}
	return BURIN_POP_CHALLENGE;
}

static int
take_crmf(const CRMF_MSG *crm, enum burin_status status,
    struct cmc_request *out, struct burin_error *e)
{
	struct burin_crmf *m = NULL;
	unsigned char *der = NULL;
	int len, rc = -1;

	if ((len = i2d_CRMF_MSG(crm, &der)) <= 0)
		return burin_fail_memory(e);
	if (burin_crmf_parse(der, (size_t)len, 1, status, &m, e) == -1)
		goto out;
	out->id = burin_crmf_id(m);
	out->pop = crmf_pop(m);
	rc = cmc_asked_of_crmf(m, status, &out->asked, e);
out:
	burin_crmf_free(&m);
	OPENSSL_free(der);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

static int
take(const CMC_REQ *req, enum burin_status status, struct cmc_requests *r,
    struct burin_error *e)
{
	struct cmc_request *out = &r->list[r->n];
	size_t i;
	int rc;

	if (req->type == CMC_REQ_ORM)
		return malformed(status,
		    "has a request that is neither PKCS#10 nor CRMF", e);
	r->n++;
	rc = req->type == CMC_REQ_TCR ? take_pkcs10(req->d.tcr, status, out, e)
				      : take_crmf(req->d.crm, status, out, e);
	for (i = 0; rc == 0 && i + 1 < r->n; i++) {
		if (r->list[i].id == out->id)
			rc = malformed(
			    status, "has two requests with one bodyPartID", e);
	}
	return rc;
}

int
cmc_requests_parse(const unsigned char *der, size_t len,
    enum burin_status status, struct cmc_requests *out, struct burin_error *e)
{
	const unsigned char *p = der;
	CMC_REQS *reqs = NULL;
	int i, n, rc = -1;

	memset(out, 0, sizeof(*out));
	if (len > BURIN_MAX_MESSAGE)
		return malformed(status, "is longer than 1048576 bytes", e);
	if ((reqs = d2i_CMC_REQS(NULL, &p, (long)len)) == NULL)
		return malformed(status, "cannot be decoded", e);
	n = sk_CMC_REQ_num(reqs);
	if (p != der + len) {
		(void)malformed(status, "is followed by other bytes", e);
		goto out;
	}
	if (n > BURIN_CMC_MAX_REQUESTS) {
		(void)malformed(status, "has more than 8 requests", e);
		goto out;
	}
	for (i = 0; i < n; i++) {
		if (take(sk_CMC_REQ_value(reqs, i), status, out, e) == -1)
			goto out;
	}
	rc = 0;
out:
	sk_CMC_REQ_pop_free(reqs, CMC_REQ_free);
	if (rc == -1)
		cmc_requests_clear(out);
	return rc;
}

void
cmc_requests_clear(struct cmc_requests *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		burin_asked_clear(&r->list[i].asked);
	r->n = 0;
}
