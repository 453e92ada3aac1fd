/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PKIData and PKIResponse (RFC 10002 sections 3.2.1 and 4.2): their controls,
 * requests, messages and other messages.
 */

#include <openssl/crypto.h>

#include "show_cmc.h"

/* --- PKIData and PKIResponse -----------------------------------------------
 */

static unsigned
place_of(enum cmc_kind kind)
{
	return kind == CMC_DATA	   ? CMC_IN_REQUEST
	    : kind == CMC_RESPONSE ? CMC_IN_RESPONSE
				   : CMC_IN_REQUEST | CMC_IN_RESPONSE;
}

static int
put_controls(json_t *o, const STACK_OF(CMC_ATTR) * attrs, enum cmc_kind kind,
    unsigned depth)
{
	json_t *list = json_array(), *one;
	int i, rc = 0;

	for (i = 0; i < sk_CMC_ATTR_num(attrs) && i < SHOW_MAX_PARTS && rc == 0;
	     i++) {
		const CMC_ATTR *attr = sk_CMC_ATTR_value(attrs, i);

		one = show_control(
		    attr->attrType, attr->attrValues, place_of(kind), depth);
		rc = show_put(one, "id", show_id(attr->bodyPartID));
		rc |= json_array_append_new(list, one);
	}
	return rc | show_put(o, "controls", list);
}

static int
put_requests(json_t *o, struct shown *m)
{
	json_t *list = json_array();
	int i, rc = 0;

	for (i = 0;
	     i < sk_CMC_REQ_num(m->reqs) && i < SHOW_MAX_PARTS && rc == 0; i++)
		rc = json_array_append_new(
		    list, show_request(sk_CMC_REQ_value(m->reqs, i)));
	m->requests = list;
	return rc | show_put(o, "requests", list);
}

/* What authData points to has controls of requests and responses. */
static int
is_auth_data(const STACK_OF(CMC_ATTR) * attrs, const ASN1_INTEGER *id)
{
	int i;

	for (i = 0; i < sk_CMC_ATTR_num(attrs); i++) {
		const CMC_ATTR *attr = sk_CMC_ATTR_value(attrs, i);
		const struct cmc_control_row *row =
		    cmc_control_find(attr->attrType);
		ASN1_TYPE *value = sk_ASN1_TYPE_value(attr->attrValues, 0);

		if (row != NULL && row->number == CMC_AUTH_DATA &&
		    value != NULL && value->type == V_ASN1_INTEGER &&
		    ASN1_INTEGER_cmp(value->value.integer, id) == 0)
			return 1;
	}
	return 0;
}

static int
put_messages(json_t *o, const STACK_OF(CMC_CONTENT) * parts,
    const STACK_OF(CMC_ATTR) * attrs, unsigned depth)
{
	json_t *list = json_array(), *one;
	unsigned char *der;
	int i, len, rc = 0;

	for (i = 0;
	     i < sk_CMC_CONTENT_num(parts) && i < SHOW_MAX_PARTS && rc == 0;
	     i++) {
		const CMC_CONTENT *part = sk_CMC_CONTENT_value(parts, i);

		der = NULL;
		if ((len = i2d_ASN1_TYPE(part->contentInfo, &der)) <= 0)
			rc = -1;
		one = show_envelope(der, len > 0 ? (size_t)len : 0, depth + 1,
		    is_auth_data(attrs, part->bodyPartID));
		rc |= show_put(one, "id", show_id(part->bodyPartID));
		rc |= json_array_append_new(list, one);
		OPENSSL_free(der);
	}
	return rc | show_put(o, "messages", list);
}

static int
put_others(json_t *o, const STACK_OF(CMC_OTHER) * parts)
{
	json_t *list = json_array(), *one;
	int i, rc = 0;

	for (i = 0;
	     i < sk_CMC_OTHER_num(parts) && i < SHOW_MAX_PARTS && rc == 0;
	     i++) {
		const CMC_OTHER *part = sk_CMC_OTHER_value(parts, i);

		one = show_control_as(part->type, show_any(part->value));
		rc = show_put(one, "id", show_id(part->bodyPartID));
		rc |= json_array_append_new(list, one);
	}
	return rc | show_put(o, "others", list);
}

int
show_put_body(json_t *o, struct shown *m, unsigned depth)
{
	const STACK_OF(CMC_ATTR) * attrs;
	int rc;

	if (m->data == NULL && m->response == NULL)
		return 0;
	attrs = m->data != NULL ? m->data->controls : m->response->controls;
	rc = put_controls(o, attrs, m->kind, depth);
	if (m->data != NULL) {
		rc |= put_requests(o, m);
		rc |= put_messages(o, m->data->cms, attrs, depth);
		return rc | put_others(o, m->data->others);
	}
	rc |= put_messages(o, m->response->cms, attrs, depth);
	return rc | put_others(o, m->response->others);
}

void
show_decode_body(struct shown *m)
{
	const unsigned char *content;
	size_t len;

	content = burin_cms_content(m->cms, &len);
	if (content == NULL)
		return;
	if (m->kind == CMC_RESPONSE) {
		m->response =
		    show_decode(ASN1_ITEM_rptr(CMC_PKI_RESPONSE), content, len);
		return;
	}
	m->data = show_decode(ASN1_ITEM_rptr(CMC_PKI_DATA), content, len);
	if (m->data != NULL)
		m->reqs = show_decode_sequence(
		    ASN1_ITEM_rptr(CMC_REQS), m->data->reqs);
}

void
show_clear_body(struct shown *m)
{
	CMC_PKI_DATA_free(m->data);
	CMC_PKI_RESPONSE_free(m->response);
	CMC_REQS_free(m->reqs);
}
