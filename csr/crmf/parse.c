/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading CRMF from somebody else: RFC 4211 sections 3 to 6. What two readers
 * could understand differently is refused.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "../internal.h"
#include "crmf.h"

#define RULE_MESSAGE "RFC 4211 section 3"
#define RULE_REQUEST "RFC 4211 section 5"
#define RULE_CONTROLS "RFC 4211 section 6"

/*
 * 1 when msg encodes to exactly these bytes; certReq anew, for its template
 * keeps the bytes as they came, which stay for those who verify.
 */
static int
encodes_to(CRMF_MSG *msg, const unsigned char *der, size_t len)
{
	unsigned char *again = NULL;
	int n, same;

	msg->certReq->enc.modified = 1;
	n = i2d_CRMF_MSG(msg, &again);
	msg->certReq->enc.modified = 0;
	same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;
	OPENSSL_free(again);
	return same;
}

static int
decode(const unsigned char *der, size_t len, enum burin_status status,
    CRMF_MSG **msg, struct burin_error *e)
{
	const unsigned char *p = der;

	if (len > BURIN_MAX_REQUEST)
		return csr_request_malformed(
		    e, status, RULE_MESSAGE, "is longer than 65536 bytes");
	if ((*msg = d2i_CRMF_MSG(NULL, &p, (long)len)) == NULL)
		return csr_request_malformed(
		    e, status, RULE_MESSAGE, "cannot be decoded as CertReqMsg");
	if (p != der + len)
		return csr_request_malformed(
		    e, status, RULE_MESSAGE, "is followed by other bytes");
	if (!encodes_to(*msg, der, len))
		return csr_request_malformed(
		    e, status, RULE_MESSAGE, "is not in DER");
	return 0;
}

static int
check_id(struct burin_crmf *m, enum burin_status status, struct burin_error *e)
{
	uint64_t id;

	if (ASN1_INTEGER_get_uint64(&id, m->msg->certReq->certReqId) != 1 ||
	    id > UINT32_MAX)
		return csr_request_malformed(e, status, RULE_MESSAGE,
		    "has a certReqId that is negative or over 4294967295");
	m->id = (uint32_t)id;
	return 0;
}

static int
check_template(
    const CRMF_TEMPLATE *t, enum burin_status status, struct burin_error *e)
{
	if (t->version != NULL && ASN1_INTEGER_get(t->version) != 2)
		return csr_request_malformed(e, status, RULE_REQUEST,
		    "asks for another version than 2 (version field)");
	if (t->validity != NULL && t->validity->notBefore == NULL &&
	    t->validity->notAfter == NULL)
		return csr_request_malformed(e, status, RULE_REQUEST,
		    "has an empty validity (validity field)");
	if (t->issuer != NULL &&
	    csr_check_dn(t->issuer, "issuer", status, e) == -1)
		return -1;
	if (t->subject != NULL &&
	    csr_check_dn(t->subject, "subject", status, e) == -1)
		return -1;
	return t->extensions != NULL ? csr_check_asked(t->extensions, status, e)
				     : 0;
}

static int
check_attrs(const STACK_OF(CRMF_ATTR) * attrs, const char *field,
    enum burin_status status, struct burin_error *e)
{
	int n = sk_CRMF_ATTR_num(attrs);

	if (attrs == NULL || (n > 0 && n <= BURIN_MAX_ATTRIBUTES))
		return 0;
	(void)burin_fail(e, status, "request-malformed",
	    "the request has an empty list of %s or more than %d", field,
	    BURIN_MAX_ATTRIBUTES);
	return burin_error_rule(e, RULE_MESSAGE);
}

static int
take_control(struct burin_crmf *m, const CRMF_ATTR *attr,
    enum burin_status status, struct burin_error *e)
{
	struct crmf_control *c = &m->controls[m->n_controls];
	int n = OBJ_obj2txt(c->oid, sizeof(c->oid), attr->type, 1), len;
	size_t ignored;

	if (n <= 0 || (size_t)n >= sizeof(c->oid))
		return csr_request_malformed(e, status, RULE_CONTROLS,
		    "has a control of a type that is longer than a type is");
	if (burin_crmf_control(m, c->oid, &ignored) != NULL) {
		(void)csr_request_malformed(
		    e, status, RULE_CONTROLS, "has a control twice");
		return burin_error_cause(e, "%s", c->oid);
	}
	if ((len = i2d_ASN1_TYPE(attr->value, &c->der)) <= 0)
		return csr_request_malformed(e, status, RULE_CONTROLS,
		    "has a control whose value cannot be encoded");
	c->len = (size_t)len;
	m->n_controls++;
	return 0;
}

static int
take_controls(
    struct burin_crmf *m, enum burin_status status, struct burin_error *e)
{
	const STACK_OF(CRMF_ATTR) *attrs = m->msg->certReq->controls;
	int i, n = sk_CRMF_ATTR_num(attrs);

	if (check_attrs(attrs, "controls", status, e) == -1)
		return -1;
	if (n <= 0)
		return 0;
	if ((m->controls = calloc((size_t)n, sizeof(*m->controls))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		if (take_control(m, sk_CRMF_ATTR_value(attrs, i), status, e) ==
		    -1)
			return -1;
	}
	return 0;
}

/* SubsequentMessage knows two values: section 4.2. */
static int
check_popo(const CRMF_MSG *msg, enum burin_status status, struct burin_error *e)
{
	const CRMF_POPO *popo = msg->popo;
	const CRMF_PRIV_KEY *priv;
	long n;

	if (popo == NULL || popo->type == CRMF_POPO_RA_VERIFIED)
		return 0;
	if (popo->type == CRMF_POPO_SIGNATURE) {
		if (popo->value.signature->poposkInput == NULL ||
		    !crmf_is_whole(msg))
			return 0;
		return csr_request_malformed(e, status, "RFC 4211 section 4.1",
		    "has subject and public key twice (poposkInput)");
	}
	priv = popo->type == CRMF_POPO_AGREEMENT ? popo->value.keyAgreement
						 : popo->value.keyEncipherment;
	if (priv->type != CRMF_PRIV_SUBSEQUENT)
		return 0;
	n = ASN1_INTEGER_get(priv->value.subsequentMessage);
	if (n == CRMF_ENCR_CERT || n == CRMF_CHALLENGE_RESP)
		return 0;
	return csr_request_malformed(e, status, "RFC 4211 section 4.2",
	    "wants an unknown later proof of possession (subsequentMessage)");
}

int
burin_crmf_parse(const void *data, size_t len, int cmc,
    enum burin_status status, struct burin_crmf **out, struct burin_error *e)
{
	struct burin_crmf *m;

	*out = NULL;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return burin_fail_memory(e);
	if (decode(data, len, status, &m->msg, e) == -1 ||
	    check_id(m, status, e) == -1 ||
	    check_template(m->msg->certReq->certTemplate, status, e) == -1 ||
	    take_controls(m, status, e) == -1 ||
	    check_attrs(m->msg->regInfo, "regInfo", status, e) == -1 ||
	    check_popo(m->msg, status, e) == -1 ||
	    (cmc && crmf_check_cmc(m, status, e) == -1)) {
		burin_crmf_free(&m);
		return -1;
	}
	if (m->msg->certReq->certTemplate->publicKey != NULL)
		m->pub =
		    X509_PUBKEY_get0(m->msg->certReq->certTemplate->publicKey);
	ERR_clear_error();
	*out = m;
	return 0;
}

/* --- lists --------------------------------------------------------------- */

/* The elements, each as it came. */
static ASN1_SEQUENCE_ANY *
split(const unsigned char *der, size_t len, enum burin_status status,
    struct burin_error *e)
{
	const unsigned char *p = der;
	unsigned char *again = NULL;
	ASN1_SEQUENCE_ANY *list;
	const char *why = NULL;
	int n;

	if (len > CRMF_MAX_LIST) {
		(void)csr_request_malformed(
		    e, status, RULE_MESSAGE, "is longer than 1048576 bytes");
		return NULL;
	}
	list = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len);
	n = i2d_ASN1_SEQUENCE_ANY(list, &again);
	if (list == NULL)
		why = "cannot be decoded as CertReqMessages";
	else if (p != der + len)
		why = "is followed by other bytes";
	else if (n < 0 || (size_t)n != len || memcmp(again, der, len) != 0)
		why = "is not in DER";
	else if (sk_ASN1_TYPE_num(list) == 0 ||
	    sk_ASN1_TYPE_num(list) > BURIN_MAX_CRMF)
		why = "is an empty list of CertReqMsg or has more than 64";
	OPENSSL_free(again);
	if (why == NULL)
		return list;
	(void)csr_request_malformed(e, status, RULE_MESSAGE, why);
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	return NULL;
}

static int
parse_one(const ASN1_TYPE *any, int cmc, enum burin_status status,
    struct burin_crmf **out, struct burin_error *e)
{
	if (any->type != V_ASN1_SEQUENCE)
		return csr_request_malformed(e, status, RULE_MESSAGE,
		    "has something else than a CertReqMsg in its list");
	return burin_crmf_parse(any->value.sequence->data,
	    (size_t)any->value.sequence->length, cmc, status, out, e);
}

/* An answer names its request by certReqId. */
static int
has_id(struct burin_crmf *const *list, int n, uint32_t id)
{
	int i;

	for (i = 0; i < n; i++) {
		if (list[i]->id == id)
			return 1;
	}
	return 0;
}

int
burin_crmf_parse_list(const void *data, size_t len, int cmc,
    enum burin_status status, struct burin_crmf ***out, size_t *n,
    struct burin_error *e)
{
	ASN1_SEQUENCE_ANY *anys;
	struct burin_crmf **list;
	int i, count, rc = -1;

	*out = NULL;
	*n = 0;
	if ((anys = split(data, len, status, e)) == NULL)
		return -1;
	count = sk_ASN1_TYPE_num(anys);
	if ((list = calloc((size_t)count, sizeof(struct burin_crmf *))) ==
	    NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < count; i++) {
		if (parse_one(sk_ASN1_TYPE_value(anys, i), cmc, status,
			&list[i], e) == -1)
			goto out;
		if (has_id(list, i, list[i]->id)) {
			(void)csr_request_malformed(
			    e, status, RULE_MESSAGE, "has a certReqId twice");
			goto out;
		}
	}
	*out = list;
	*n = (size_t)count;
	list = NULL;
	rc = 0;
out:
	for (i = 0; list != NULL && i < count; i++)
		burin_crmf_free(&list[i]);
	free(list);
	sk_ASN1_TYPE_pop_free(anys, ASN1_TYPE_free);
	return rc;
}

static int
push_one(ASN1_SEQUENCE_ANY *list, const unsigned char *der, size_t len,
    struct burin_error *e)
{
	const unsigned char *p = der;
	ASN1_TYPE *any;

	if (len > BURIN_MAX_REQUEST ||
	    (any = d2i_ASN1_TYPE(NULL, &p, (long)len)) == NULL)
		return burin_fail_openssl(e, BURIN_EUSAGE, "request-malformed",
		    "what is to go into the list is no CertReqMsg");
	if (p == der + len && any->type == V_ASN1_SEQUENCE &&
	    sk_ASN1_TYPE_push(list, any) > 0)
		return 0;
	ASN1_TYPE_free(any);
	return burin_fail(e, BURIN_EUSAGE, "request-malformed",
	    "what is to go into the list is no CertReqMsg");
}

int
burin_crmf_list(const unsigned char *const *der, const size_t *len, size_t n,
    unsigned char **out, size_t *out_len, struct burin_error *e)
{
	ASN1_SEQUENCE_ANY *list;
	unsigned char *bytes = NULL;
	size_t i;
	int m, rc = -1;

	*out = NULL;
	*out_len = 0;
	if (n == 0 || n > BURIN_MAX_CRMF)
		return burin_fail(e, BURIN_EUSAGE, "crmf-count",
		    "a list holds 1 to %d CertReqMsg", BURIN_MAX_CRMF);
	if ((list = sk_ASN1_TYPE_new_null()) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		if (push_one(list, der[i], len[i], e) == -1)
			goto out;
	}
	if ((m = i2d_ASN1_SEQUENCE_ANY(list, &bytes)) <= 0) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if ((size_t)m > CRMF_MAX_LIST) {
		(void)burin_fail(e, BURIN_EUSAGE, "request-too-long",
		    "the list is longer than %zu bytes", CRMF_MAX_LIST);
		goto out;
	}
	*out = bytes;
	*out_len = (size_t)m;
	bytes = NULL;
	rc = 0;
out:
	OPENSSL_free(bytes);
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	return rc;
}
