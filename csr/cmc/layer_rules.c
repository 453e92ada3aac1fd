/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a layer of ours around the requests of others may not say: RFC 10002
 * sections 6.5, 6.8, 6.17, 6.19 and 7, RFC 6402 section 2.5.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "layer.h"
#include "make.h"
#include "read.h"

#define MAX_OTHER_CONTROLS 6 /* the thread, batch, poll, controlProcessed */

static int
refuse(const char *code, const char *section, const char *why,
    struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, code, "%s", why);
	return burin_error_rule(e, "RFC 10002 section %s", section);
}

/* --- what is meant -------------------------------------------------------- */

static int
is_message(const struct burin_cmc_layer *l, uint32_t id)
{
	return id >= 1 && id <= l->n_messages;
}

static int
is_simple(const struct burin_cmc_layer *l, uint32_t id)
{
	return id > l->n_messages && id <= l->n_messages + l->n_simple;
}

/* Of a length that is read, without a 0, and it begins in a message of ours. */
static int
is_inside(const struct burin_cmc_layer *l, const struct burin_cmc_path *p)
{
	size_t i;

	if (p->n < 1 || p->n > sizeof(p->ids) / sizeof(p->ids[0]) ||
	    !is_message(l, p->ids[0]))
		return 0;
	for (i = 1; i < p->n; i++) {
		if (p->ids[i] == 0)
			return 0;
	}
	return 1;
}

static int
not_there(enum cmc_control number, struct burin_error *e)
{
	const struct cmc_control_row *row = cmc_control_row(number);

	(void)burin_fail(e, BURIN_EUSAGE, "body-part",
	    "%s names a message or request that is not in this layer",
	    row->name);
	return burin_error_rule(e, "%s", row->rule);
}

/* Requests in a message inside, or the Simple ones in this. */
static int
check_requests(const struct burin_cmc_layer *l, const struct burin_cmc_vouch *v,
    enum cmc_control number, struct burin_error *e)
{
	size_t i;

	if (v->n_ids < 1 || v->n_ids > BURIN_CMC_MAX_PARTS ||
	    (v->path.n > 0 && !is_inside(l, &v->path)))
		return not_there(number, e);
	for (i = 0; i < v->n_ids; i++) {
		if (v->ids[i] == 0 ||
		    (v->path.n == 0 && !is_simple(l, v->ids[i])))
			return not_there(number, e);
	}
	return 0;
}

/* --- modCertTemplate: section 6.5.1 --------------------------------------- */

static int
is_about(const struct burin_cmc_vouch *v, const struct burin_cmc_path *path,
    uint32_t id)
{
	size_t i;

	if (v->kind != BURIN_CMC_STATES_TEMPLATE || v->path.n != path->n ||
	    memcmp(v->path.ids, path->ids, path->n * sizeof(path->ids[0])) != 0)
		return 0;
	for (i = 0; i < v->n_ids; i++) {
		if (v->ids[i] == id)
			return 1;
	}
	return 0;
}

/* Which of two were applied first is not defined. */
static int
is_changed_twice(const struct burin_cmc_layer *l, size_t n)
{
	const struct burin_cmc_vouch *v = &l->vouches[n];
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < v->n_ids; k++) {
			if (is_about(&l->vouches[i], &v->path, v->ids[k]))
				return 1;
		}
	}
	return 0;
}

static int
check_extensions(const struct burin_cmc_vouch *v, struct burin_error *e)
{
	int i, n = sk_X509_EXTENSION_num(v->extensions);

	if (n > BURIN_MAX_EXTENSIONS)
		return refuse("template-malformed", "6.5.1",
		    "modCertTemplate changes more than 32 extensions", e);
	for (i = 0; i < n; i++) {
		ASN1_OBJECT *oid = X509_EXTENSION_get_object(
		    sk_X509_EXTENSION_value(v->extensions, i));

		if (OBJ_obj2nid(oid) == NID_key_usage)
			return refuse("template-key-usage", "6.5.1",
			    "modCertTemplate does not change what the key is "
			    "for (keyUsage)",
			    e);
		if (X509v3_get_ext_by_OBJ(v->extensions, oid, i) >= 0)
			return refuse("template-malformed", "6.5.1",
			    "modCertTemplate has an extension twice", e);
	}
	return 0;
}

static int
check_template(const struct burin_cmc_layer *l, size_t n, struct burin_error *e)
{
	const struct burin_cmc_vouch *v = &l->vouches[n];

	if (check_requests(l, v, CMC_MOD_CERT_TEMPLATE, e) == -1)
		return -1;
	if (v->subject == NULL && sk_X509_EXTENSION_num(v->extensions) < 1)
		return refuse("template-malformed", "6.5.1",
		    "modCertTemplate changes nothing", e);
	if (is_changed_twice(l, n))
		return refuse("template-twice", "6.5.1",
		    "two modCertTemplates of one layer change the same "
		    "request",
		    e);
	return check_extensions(v, e);
}

/* --- each statement ------------------------------------------------------- */

static int
check_vouch(const struct burin_cmc_layer *l, size_t n, struct burin_error *e)
{
	const struct burin_cmc_vouch *v = &l->vouches[n];

	switch (v->kind) {
	case BURIN_CMC_STATES_POP:
		/* pkiDataBodyid is an id, no path. */
		if (v->path.n > 1)
			return not_there(CMC_LRA_POP_WITNESS, e);
		return check_requests(l, v, CMC_LRA_POP_WITNESS, e);
	case BURIN_CMC_STATES_IDENTITY:
		if (is_inside(l, &v->path) ||
		    (v->path.n == 1 && is_simple(l, v->path.ids[0])))
			return 0;
		return not_there(CMC_RA_IDENTITY_WITNESS, e);
	case BURIN_CMC_STATES_PROCESSED:
		if (v->path.n > 1 && is_inside(l, &v->path))
			return 0;
		return not_there(CMC_CONTROL_PROCESSED, e);
	case BURIN_CMC_STATES_TEMPLATE:
		return check_template(l, n, e);
	case BURIN_CMC_STATES_EXTENSIONS:
		return refuse("extensions-deprecated", "6.5.2",
		    "addExtensions is deprecated: modCertTemplate says the "
		    "same",
		    e);
	}
	return -1;
}

/* --- all of it ------------------------------------------------------------ */

static int
check_messages(const struct burin_cmc_layer *l, struct burin_error *e)
{
	size_t i;

	if (l->batch && l->n_messages == 0)
		return refuse("batch-empty", "6.17",
		    "batchRequests names one message at least", e);
	if (l->n_simple > BURIN_CMC_MAX_SIMPLE)
		return refuse("layer-too-much", "7",
		    "a layer takes up to 48 Simple requests: their "
		    "certificates come in one message",
		    e);
	if (l->n_messages > BURIN_CMC_MAX_PARTS ||
	    l->n_vouches > BURIN_CMC_MAX_PARTS ||
	    l->n_messages + l->n_simple + l->n_vouches + MAX_OTHER_CONTROLS >
		BURIN_CMC_MAX_PARTS)
		return refuse(
		    "layer-too-much", "7", "a layer has up to 256 parts", e);
	for (i = 0; i < l->n_messages; i++) {
		if (!cmc_is_content_info(
			l->messages[i].der, l->messages[i].len))
			return refuse("message-malformed", "7",
			    "what is to be passed on is no message", e);
	}
	return 0;
}

static int
check_poll(const struct burin_cmc_layer *l, struct burin_error *e)
{
	if (l->pend_token.len == 0) {
		if (l->n_messages + l->n_simple > 0)
			return 0;
		return refuse("nothing-asked", "7",
		    "there is nothing to be passed on", e);
	}
	if (l->n_messages + l->n_simple + l->n_vouches > 0 || l->batch)
		return refuse("poll-with-requests", "6.13",
		    "a poll (queryPending) holds nothing else: it would be "
		    "new",
		    e);
	return cmc_check_octets(&l->pend_token, "pendToken", "6.13", e);
}

/* RFC 6403: what finds the answer again, and who speaks. */
static int
check_voice(const struct burin_cmc_layer *l, struct burin_error *e)
{
	const struct burin_cmc_thread *t = l->thread;

	if (l->signer == NULL || l->signer->by != BURIN_CMS_BY_CERT)
		return refuse("signer-missing", "7",
		    "a layer is signed with the certificate of an RA", e);
	if (t == NULL || t->transaction.len == 0 || t->sent.len == 0)
		return refuse("nonce-missing", "6.6",
		    "a layer has a transactionId and a senderNonce: its answer "
		    "is known by them",
		    e);
	if (cmc_check_octets(&t->transaction, "transactionId", "6.6", e) ==
		-1 ||
	    cmc_check_octets(&t->sent, "senderNonce", "6.6", e) == -1)
		return -1;
	return cmc_check_octets(&t->received, "recipientNonce", "6.6", e);
}

int
cmc_check_layer(const struct burin_cmc_layer *l, struct burin_error *e)
{
	size_t i;

	if (check_voice(l, e) == -1 || check_poll(l, e) == -1 ||
	    check_messages(l, e) == -1)
		return -1;
	for (i = 0; i < l->n_vouches; i++) {
		if (check_vouch(l, i, e) == -1)
			return -1;
	}
	return 0;
}
