/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading PKIData and PKIResponse: RFC 10002 sections 3.2.1, 3.2.2 and 4.2.
 * What two readers could understand differently is refused.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "parse.h"

#define RULE_BODY "RFC 10002 section 3.2.1"
#define RULE_IDS "RFC 10002 section 3.2.2"
#define RULE_CONTROL "RFC 10002 section 3.2.1.1"
#define RULE_REQUEST "RFC 10002 section 3.2.1.2"

/* What a reader of one body knows while it reads. */
struct reading {
	struct cmc_body *b;
	enum burin_status status;
	struct burin_error *e;
	const char *what; /* "the request" */
	struct cmc_blame *blame;
};

static int
malformed(const struct reading *r, const char *rule, const char *why)
{
	(void)burin_fail_openssl(
	    r->e, r->status, "cmc-malformed", "%s %s", r->what, why);
	return burin_error_rule(r->e, "%s", rule);
}

static int
bad_control(const struct reading *r, const struct cmc_control_part *part,
    const struct cmc_control_row *row, const char *why)
{
	if (r->blame->n == 0)
		r->blame->ids[r->blame->n++] = part->id;
	(void)burin_fail_openssl(r->e, r->status, "cmc-malformed",
	    "the control %s in %s %s", row->name, r->what, why);
	return burin_error_rule(r->e, "%s", row->rule);
}

/* --- controls ------------------------------------------------------------- */

static unsigned
places_of(enum cmc_kind kind)
{
	switch (kind) {
	case CMC_DATA:
		return CMC_IN_REQUEST;
	case CMC_RESPONSE:
		return CMC_IN_RESPONSE;
	default:
		return CMC_IN_REQUEST | CMC_IN_RESPONSE;
	}
}

const struct cmc_control_row *
cmc_control_in(const ASN1_OBJECT *oid, unsigned place, int *swapped)
{
	const struct cmc_control_row *row = cmc_control_find(oid);

	*swapped = 0;
	if (row == NULL || (row->where & place) != 0)
		return row;
	/*
	 * RFC 5912 and the module of RFC 6402 have these two exchanged; their
	 * values look the same.
	 */
	if (row->number == CMC_POP_LINK_WITNESS_V2)
		row = cmc_control_row(CMC_IDENTITY_PROOF_V2);
	else if (row->number == CMC_IDENTITY_PROOF_V2)
		row = cmc_control_row(CMC_POP_LINK_WITNESS_V2);
	*swapped = (row->where & place) != 0;
	return *swapped ? row : NULL;
}

/* Decodes the one value of a control, all of it. */
static int
read_value(const struct reading *r, const ASN1_TYPE *any,
    struct cmc_control_part *part)
{
	const ASN1_ITEM *it = ASN1_ITEM_ptr(part->row->item);
	const unsigned char *p;
	unsigned char *der = NULL;
	int len, whole;

	if ((len = i2d_ASN1_TYPE(any, &der)) <= 0)
		return burin_fail_memory(r->e);
	p = der;
	part->value = ASN1_item_d2i(NULL, &p, len, it);
	whole = part->value != NULL && p == der + len;
	OPENSSL_free(der);
	if (!whole)
		return bad_control(
		    r, part, part->row, "has a value of another type");
	if ((it == ASN1_ITEM_rptr(ASN1_OCTET_STRING) ||
		it == ASN1_ITEM_rptr(ASN1_INTEGER) ||
		it == ASN1_ITEM_rptr(ASN1_UTF8STRING)) &&
	    ASN1_STRING_length(part->value) > BURIN_CMC_MAX_OCTETS)
		return bad_control(
		    r, part, part->row, "is longer than 1024 bytes");
	return 0;
}

/* Both are to blame: neither is the right one. */
static int
is_repeated(const struct reading *r, const struct cmc_control_part *part)
{
	const struct cmc_control_part *before = r->b->controls;

	if ((part->row->where & CMC_MANY) != 0)
		return 0;
	for (; before < part; before++) {
		if (before->row != part->row)
			continue;
		r->blame->n = 2;
		r->blame->ids[0] = before->id;
		r->blame->ids[1] = part->id;
		return 1;
	}
	return 0;
}

/*
 * A control that is not known is kept by its OID: what it means to a reader
 * is for that reader to say.
 */
static int
read_control(
    const struct reading *r, CMC_ATTR *attr, struct cmc_control_part *part)
{
	struct cmc_body *b = r->b;
	int swapped;

	if (cmc_id_read(attr->bodyPartID, 0, &part->id) == -1)
		return malformed(r, RULE_IDS,
		    "has a control whose bodyPartID is not 1 to 4294967295");
	part->oid = attr->attrType;
	part->row =
	    cmc_control_in(attr->attrType, places_of(b->kind), &swapped);
	b->swapped |= swapped;
	if (part->row == NULL) {
		const struct cmc_control_row *row =
		    cmc_control_find(attr->attrType);

		return row != NULL
		    ? bad_control(r, part, row, "has no place there")
		    : 0;
	}
	if (sk_ASN1_TYPE_num(attr->attrValues) != 1)
		return bad_control(
		    r, part, part->row, "has not exactly one value");
	if (is_repeated(r, part))
		return bad_control(r, part, part->row, "is there twice");
	return read_value(r, sk_ASN1_TYPE_value(attr->attrValues, 0), part);
}

static int
read_controls(const struct reading *r, STACK_OF(CMC_ATTR) * attrs)
{
	struct cmc_body *b = r->b;
	int i, n = sk_CMC_ATTR_num(attrs);

	if (n > BURIN_CMC_MAX_PARTS)
		return malformed(r, RULE_BODY, "has more than 256 controls");
	if (n > 0 &&
	    (b->controls = calloc((size_t)n, sizeof(*b->controls))) == NULL)
		return burin_fail_memory(r->e);
	for (i = 0; i < n; i++) {
		/* Counted first: what was decoded is freed by the count. */
		b->n_controls++;
		if (read_control(
			r, sk_CMC_ATTR_value(attrs, i), &b->controls[i]) == -1)
			return -1;
	}
	return 0;
}

/* --- requests ------------------------------------------------------------- */

static int
read_request(const struct reading *r, const CMC_REQ *req, const ASN1_TYPE *raw,
    struct cmc_request_part *part)
{
	const ASN1_INTEGER *id;

	if (raw->type != V_ASN1_OTHER)
		return malformed(r, RULE_REQUEST,
		    "has a TaggedRequest that cannot be decoded");
	part->req = req;
	part->der = ASN1_STRING_get0_data(raw->value.asn1_string);
	part->len = (size_t)ASN1_STRING_length(raw->value.asn1_string);
	switch (req->type) {
	case CMC_REQ_TCR:
		id = req->d.tcr->bodyPartID;
		break;
	case CMC_REQ_CRM:
		id = req->d.crm->certReq->certReqId;
		break;
	default:
		id = req->d.orm->bodyPartID;
		break;
	}
	if (cmc_id_read(id, 0, &part->id) == 0)
		return 0;
	return malformed(r, RULE_IDS,
	    "has a request whose bodyPartID or certReqId is not 1 to "
	    "4294967295");
}

/*
 * Read twice: once as what they are, once as the octets that came, over which
 * proofs are made.
 */
static int
read_requests(const struct reading *r)
{
	struct cmc_body *b = r->b;
	const unsigned char *p;
	int i, n;

	b->reqs = ASN1_STRING_get0_data(b->data->reqs);
	b->reqs_len = (size_t)ASN1_STRING_length(b->data->reqs);
	p = b->reqs;
	b->raw = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)b->reqs_len);
	if (b->raw == NULL)
		return malformed(r, RULE_REQUEST,
		    "has a reqSequence that cannot be decoded");
	/* Counted before each is taken apart. */
	if ((n = sk_ASN1_TYPE_num(b->raw)) > BURIN_CMC_MAX_PARTS)
		return malformed(r, RULE_BODY, "has more than 256 requests");
	p = b->reqs;
	b->typed = d2i_CMC_REQS(NULL, &p, (long)b->reqs_len);
	if (b->typed == NULL || p != b->reqs + b->reqs_len ||
	    sk_CMC_REQ_num(b->typed) != n)
		return malformed(r, RULE_REQUEST,
		    "has a reqSequence that cannot be decoded");
	if (n > 0 &&
	    (b->requests = calloc((size_t)n, sizeof(*b->requests))) == NULL)
		return burin_fail_memory(r->e);
	b->n_requests = (size_t)n;
	for (i = 0; i < n; i++) {
		if (read_request(r, sk_CMC_REQ_value(b->typed, i),
			sk_ASN1_TYPE_value(b->raw, i), &b->requests[i]) == -1)
			return -1;
	}
	return 0;
}

/* --- messages and others -------------------------------------------------- */

static int
read_messages(const struct reading *r, STACK_OF(CMC_CONTENT) * list)
{
	struct cmc_body *b = r->b;
	int i, n = sk_CMC_CONTENT_num(list);

	if (n > BURIN_CMC_MAX_PARTS)
		return malformed(r, RULE_BODY, "has more than 256 messages");
	if (n > 0 &&
	    (b->messages = calloc((size_t)n, sizeof(*b->messages))) == NULL)
		return burin_fail_memory(r->e);
	b->n_messages = (size_t)n;
	for (i = 0; i < n; i++) {
		const CMC_CONTENT *in = sk_CMC_CONTENT_value(list, i);
		struct cmc_message_part *part = &b->messages[i];

		if (in->contentInfo->type != V_ASN1_SEQUENCE)
			return malformed(r, "RFC 10002 section 3.2.1.3",
			    "has something in cmsSequence that is no "
			    "ContentInfo");
		part->der =
		    ASN1_STRING_get0_data(in->contentInfo->value.sequence);
		part->len =
		    (size_t)ASN1_STRING_length(in->contentInfo->value.sequence);
		if (cmc_id_read(in->bodyPartID, 0, &part->id) == -1)
			return malformed(r, RULE_IDS,
			    "has a message whose bodyPartID is not 1 to "
			    "4294967295");
	}
	return 0;
}

static int
read_others(const struct reading *r, STACK_OF(CMC_OTHER) * list)
{
	struct cmc_body *b = r->b;
	int i, n = sk_CMC_OTHER_num(list);

	if (n > BURIN_CMC_MAX_PARTS)
		return malformed(
		    r, RULE_BODY, "has more than 256 other messages");
	if (n > 0 &&
	    (b->others = calloc((size_t)n, sizeof(*b->others))) == NULL)
		return burin_fail_memory(r->e);
	b->n_others = (size_t)n;
	for (i = 0; i < n; i++) {
		b->others[i].other = sk_CMC_OTHER_value(list, i);
		if (cmc_id_read(b->others[i].other->bodyPartID, 0,
			&b->others[i].id) == -1)
			return malformed(r, RULE_IDS,
			    "has an other message whose bodyPartID is not 1 "
			    "to 4294967295");
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

static int
check_rules(const struct reading *r)
{
	const struct cmc_control_part *part;
	uint32_t id;
	const char *why = cmc_rules_flaw(r->b, &part, &id);

	if (why == NULL)
		return 0;
	if (part != NULL)
		return bad_control(r, part, part->row, why);
	if (id != 0)
		r->blame->ids[r->blame->n++] = id;
	return malformed(r, RULE_IDS, why);
}

static int
read_data(const struct reading *r, const unsigned char *data, size_t len)
{
	struct cmc_body *b = r->b;
	const unsigned char *p = data;

	b->data = d2i_CMC_PKI_DATA(NULL, &p, (long)len);
	if (b->data == NULL)
		return malformed(r, RULE_BODY, "cannot be decoded as PKIData");
	if (p != data + len)
		return malformed(r, RULE_BODY, "is followed by other bytes");
	if (read_controls(r, b->data->controls) == -1 ||
	    read_requests(r) == -1 || read_messages(r, b->data->cms) == -1)
		return -1;
	return read_others(r, b->data->others);
}

static int
read_response(const struct reading *r, const unsigned char *data, size_t len)
{
	struct cmc_body *b = r->b;
	const unsigned char *p = data;

	b->response = d2i_CMC_PKI_RESPONSE(NULL, &p, (long)len);
	if (b->response == NULL)
		return malformed(r, "RFC 10002 section 4.2",
		    "cannot be decoded as PKIResponse");
	if (p != data + len)
		return malformed(
		    r, "RFC 10002 section 4.2", "is followed by other bytes");
	if (read_controls(r, b->response->controls) == -1 ||
	    read_messages(r, b->response->cms) == -1)
		return -1;
	return read_others(r, b->response->others);
}

int
cmc_body_judge(enum cmc_kind kind, const void *data, size_t len,
    enum burin_status status, struct cmc_body **out, struct cmc_blame *blame,
    struct burin_error *e)
{
	struct reading r = { NULL, status, e,
		kind == CMC_RESPONSE ? "the response" : "the request", blame };

	*out = NULL;
	memset(blame, 0, sizeof(*blame));
	if (data == NULL || len == 0 || len > BURIN_MAX_MESSAGE)
		return malformed(
		    &r, RULE_BODY, "is empty or longer than 1 MiB");
	if ((r.b = calloc(1, sizeof(*r.b))) == NULL)
		return burin_fail_memory(e);
	*out = r.b;
	r.b->kind = kind;
	if ((kind == CMC_RESPONSE ? read_response(&r, data, len)
				  : read_data(&r, data, len)) == -1 ||
	    check_rules(&r) == -1)
		return -1;
	ERR_clear_error();
	return 0;
}

int
cmc_body_parse(enum cmc_kind kind, const void *data, size_t len,
    enum burin_status status, struct cmc_body **out, struct burin_error *e)
{
	struct cmc_blame blame;

	if (cmc_body_judge(kind, data, len, status, out, &blame, e) == 0)
		return 0;
	cmc_body_free(out);
	return -1;
}

void
cmc_body_free(struct cmc_body **body)
{
	struct cmc_body *b;
	size_t i;

	if (body == NULL || (b = *body) == NULL)
		return;
	for (i = 0; i < b->n_controls; i++) {
		if (b->controls[i].row != NULL)
			ASN1_item_free(b->controls[i].value,
			    ASN1_ITEM_ptr(b->controls[i].row->item));
	}
	free(b->controls);
	free(b->requests);
	free(b->messages);
	free(b->others);
	CMC_PKI_DATA_free(b->data);
	CMC_PKI_RESPONSE_free(b->response);
	CMC_REQS_free(b->typed);
	sk_ASN1_TYPE_pop_free(b->raw, ASN1_TYPE_free);
	free(b);
	*body = NULL;
}
