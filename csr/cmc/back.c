/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an answer must bring back of what we sent: RFC 10002 sections 6.4 and
 * 6.6.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "read.h"

#define RULE_THREAD "RFC 10002 section 6.6"

/* --- what we sent --------------------------------------------------------- */

static int
bad_request(const struct cmc_reader *rd, const char *why)
{
	return burin_fail(rd->e, BURIN_EUSAGE, "cmc-request",
	    "the request that was sent %s", why);
}

/* An answer by itself, out of a file: of the request nothing is left. */
int
cmc_is_unknown(const struct burin_cmc_expect *x)
{
	return x->request == NULL && x->thread == NULL;
}

static int
open_sent(const struct cmc_reader *rd, const unsigned char *der, size_t len,
    struct cmc_opened *sent)
{
	enum burin_cms_type type;

	if (cmc_message_open(der, len, 0, BURIN_EUSAGE, sent, rd->e) == -1)
		return -1;
	type = burin_cms_get_type(sent->cms);
	if (type == BURIN_CMS_ENVELOPED || type == BURIN_CMS_AUTH_ENVELOPED)
		return bad_request(rd, "is given as it was encrypted");
	if (sent->body == NULL || sent->body->kind != CMC_DATA)
		return bad_request(rd, "holds no PKIData");
	return 0;
}

int
cmc_sent_read(const struct cmc_reader *rd)
{
	const struct burin_cmc_expect *x = rd->x;

	if (x->layer != NULL &&
	    open_sent(rd, x->layer, x->layer_len, &rd->kept->layer) == -1)
		return -1;
	if (cmc_is_unknown(x))
		return 0;
	if (x->request == NULL || x->request_len == 0)
		return bad_request(rd, "is not there to hold the answer to");
	/* PKCS#10: the one part of a Simple request. */
	if (!cmc_is_content_info(x->request, x->request_len))
		return 0;
	return open_sent(rd, x->request, x->request_len, &rd->kept->sent);
}

int
cmc_is_others(const struct cmc_reader *rd, uint32_t id)
{
	const struct cmc_body *layer = rd->kept->layer.body;

	return layer != NULL &&
	    (cmc_body_message(layer, id) != NULL ||
		cmc_body_request(layer, id) != NULL);
}

int
cmc_sent_has(const struct cmc_reader *rd, uint32_t id)
{
	const struct cmc_body *body = rd->kept->sent.body;

	if (cmc_is_unknown(rd->x) || cmc_is_others(rd, id))
		return 1;
	/* RFC 10002 section 6.1.1: 1 is the request of a Simple request. */
	return body != NULL ? cmc_body_has(body, id) : id == 1;
}

/* --- what came back ------------------------------------------------------- */

static int
mismatch(const struct cmc_reader *rd, const char *code, const char *what,
    const char *how, const char *rule)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, code,
	    "the answer is none to this request: its %s %s", what, how);
	return burin_error_rule(rd->e, "%s", rule);
}

static int
is_equal(const ASN1_STRING *value, const struct burin_cmc_octets *sent)
{
	return (size_t)ASN1_STRING_length(value) == sent->len &&
	    CRYPTO_memcmp(
		ASN1_STRING_get0_data(value), sent->data, sent->len) == 0;
}

/*
 * Every layer that brings it back must have it right, and one must; an RA's
 * answer around that of the CA may bring back what the other does not.
 */
static int
check_back(const struct cmc_reader *rd, enum cmc_control number,
    const struct burin_cmc_octets *sent, const char *code)
{
	const struct cmc_control_row *row = cmc_control_row(number);
	const ASN1_STRING *value;
	size_t i, found = 0;

	for (i = 0; i < rd->kept->n; i++) {
		value = cmc_body_value(rd->kept->layers[i].in.body, number);
		if (value == NULL)
			continue;
		if (ASN1_STRING_type(value) == V_ASN1_NEG_INTEGER ||
		    !is_equal(value, sent))
			return mismatch(
			    rd, code, row->name, "is another", row->rule);
		found++;
	}
	return found > 0
	    ? 0
	    : mismatch(rd, code, row->name, "is missing", row->rule);
}

static int
check_data_return(const struct cmc_reader *rd)
{
	const struct cmc_body *body = rd->kept->sent.body;
	const ASN1_OCTET_STRING *value =
	    body != NULL ? cmc_body_value(body, CMC_DATA_RETURN) : NULL;
	struct burin_cmc_octets *out = &rd->r->data_return;

	if (value == NULL)
		return 0;
	/* The parser holds it below the size of out. */
	out->len = (size_t)ASN1_STRING_length(value);
	memcpy(out->data, ASN1_STRING_get0_data(value), out->len);
	return check_back(rd, CMC_DATA_RETURN, out, "data-return-mismatch");
}

/* The outermost layer that says it: we talk with who made that. */
static void
take_first(const struct cmc_reader *rd, enum cmc_control number,
    struct burin_cmc_octets *out)
{
	const ASN1_OCTET_STRING *value;
	size_t i;

	for (i = 0; i < rd->kept->n; i++) {
		value = cmc_body_value(rd->kept->layers[i].in.body, number);
		if (value == NULL)
			continue;
		out->len = (size_t)ASN1_STRING_length(value);
		memcpy(out->data, ASN1_STRING_get0_data(value), out->len);
		return;
	}
}

int
cmc_thread_check(const struct cmc_reader *rd)
{
	const struct burin_cmc_thread *t = rd->x->thread;

	if (t != NULL && t->transaction.len > 0 &&
	    check_back(rd, CMC_TRANSACTION_ID, &t->transaction,
		"transaction-mismatch") == -1)
		return -1;
	if (t != NULL && t->sent.len > 0 &&
	    check_back(rd, CMC_RECIPIENT_NONCE, &t->sent, "nonce-mismatch") ==
		-1)
		return -1;
	if (check_data_return(rd) == -1)
		return -1;
	take_first(rd, CMC_SENDER_NONCE, &rd->r->server_nonce);
	take_first(rd, CMC_RESPONSE_INFO, &rd->r->response_info);
	return 0;
}
