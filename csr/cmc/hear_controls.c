/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a request says in its controls: RFC 10002 section 6.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "../internal.h"
#include "hear.h"

void
cmc_path_take(const struct cmc_path *path, struct burin_cmc_path *out)
{
	out->n = path->n == 1 && path->ids[0] == 0 ? 0 : path->n;
	memcpy(out->ids, path->ids, out->n * sizeof(out->ids[0]));
}

size_t
cmc_body_count(const struct cmc_body *b, enum cmc_control number)
{
	size_t at = 0, n = 0;

	while (cmc_body_next(b, number, &at) != NULL)
		n++;
	return n;
}

void *
cmc_hear_room(const struct cmc_hearing *hg, size_t n, size_t size)
{
	void *room = calloc(n, size);

	if (room == NULL)
		(void)burin_fail_memory(hg->e);
	return room;
}

/* The only control of this kind; NULL: none. */
static const struct cmc_control_part *
only(const struct cmc_hearing *hg, enum cmc_control number)
{
	size_t at = 0;

	return cmc_body_next(hg->kept->body, number, &at);
}

/* --- what nobody here knows ----------------------------------------------- */

static int
is_processed(const struct burin_cmc_listen *l, uint32_t id)
{
	size_t i;

	for (i = 0; i < l->n_processed; i++) {
		if (l->processed[i] == id)
			return 1;
	}
	return 0;
}

/*
 * Section 3.2.1.1: who forwards to nobody must know them all, or be told by
 * an RA that it has dealt with them.
 */
static int
check_known(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	struct burin_cmc_refusal why = { .status = BURIN_CMC_FAILED,
		.fail = BURIN_CMC_BAD_REQUEST };
	size_t i;

	for (i = 0; hg->l->final && i < b->n_controls; i++) {
		if (b->controls[i].row == NULL &&
		    !is_processed(hg->l, b->controls[i].id))
			cmc_why_add(&why, b->controls[i].id);
	}
	if (why.n == 0)
		return 0;
	(void)cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0, "cmc-control-unknown",
	    "RFC 10002 section 3.2.1.1", "holds a control that is not known");
	*hg->why = why;
	return -1;
}

/* --- texts and octets ----------------------------------------------------- */

static int
check_transaction(const struct cmc_hearing *hg)
{
	const struct cmc_control_part *part = only(hg, CMC_TRANSACTION_ID);

	if (part == NULL || hg->h->has_transaction)
		return 0;
	return cmc_refuse_control(
	    hg, BURIN_CMC_BAD_REQUEST, part, "is negative");
}

/* It goes into keys, and before the eyes of people. */
static int
hear_identification(const struct cmc_hearing *hg)
{
	const struct cmc_control_part *part = only(hg, CMC_IDENTIFICATION);
	const char *text;
	size_t len;

	if (part == NULL)
		return 0;
	text = (const char *)ASN1_STRING_get0_data(part->value);
	len = (size_t)ASN1_STRING_length(part->value);
	if (len == 0 || !csr_is_clean(text, len))
		return cmc_refuse_control(hg, BURIN_CMC_BAD_IDENTITY, part,
		    "is empty, has control characters or is no UTF-8");
	/* d2i puts a NUL behind it. */
	hg->h->identification = text;
	return 0;
}

static void
copy(const struct cmc_control_part *part, struct burin_cmc_octets *out)
{
	/* The parser holds it below the size of out. */
	out->len = (size_t)ASN1_STRING_length(part->value);
	memcpy(out->data, ASN1_STRING_get0_data(part->value), out->len);
}

/* A poll asks for what an earlier message asked, and nothing else. */
static int
hear_poll(const struct cmc_hearing *hg)
{
	const struct cmc_control_part *part, *more;
	size_t at = 0;

	part = cmc_body_next(hg->kept->body, CMC_QUERY_PENDING, &at);
	if (part == NULL)
		return 0;
	copy(part, &hg->h->pend_token);
	if (hg->h->pend_token.len == 0)
		return cmc_refuse_control(
		    hg, BURIN_CMC_BAD_REQUEST, part, "is empty");
	if (hg->kept->body->n_requests > 0)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "comes with certification requests: they would be new "
		    "ones");
	more = cmc_body_next(hg->kept->body, CMC_QUERY_PENDING, &at);
	if (more == NULL)
		return 0;
	return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, more,
	    "asks for a second answer: one message, one answer");
}

static int
hear_random(const struct cmc_hearing *hg)
{
	const struct cmc_control_part *part = only(hg, CMC_POP_LINK_RANDOM);

	if (part == NULL)
		return 0;
	if (ASN1_STRING_length(part->value) == 0)
		return cmc_refuse_control(
		    hg, BURIN_CMC_BAD_REQUEST, part, "is empty");
	hg->h->has_random = 1;
	return 0;
}

static int
hear_strings(const struct cmc_hearing *hg)
{
	const struct cmc_control_part *part;

	if (check_transaction(hg) == -1 || hear_identification(hg) == -1 ||
	    hear_random(hg) == -1 || hear_poll(hg) == -1)
		return -1;
	if ((part = only(hg, CMC_REG_INFO)) != NULL)
		copy(part, &hg->h->reg_info);
	if ((part = only(hg, CMC_AUTH_DATA)) != NULL)
		hg->h->auth_data = part->id;
	hg->h->has_proof = only(hg, CMC_IDENTITY_PROOF) != NULL ||
	    only(hg, CMC_IDENTITY_PROOF_V2) != NULL;
	return 0;
}

/* --- decryptedPOP: section 6.7 -------------------------------------------- */

static int
hear_pop(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    struct burin_cmc_pop *out)
{
	const CMC_DECRYPTED_POP *pop = part->value;
	size_t len = (size_t)ASN1_STRING_length(pop->thePOP);
	int n;

	/* The parser knows that it is that of a request here. */
	(void)cmc_id_read(pop->bodyPartID, 0, &out->id);
	n = OBJ_obj2txt(out->algorithm, sizeof(out->algorithm),
	    pop->thePOPAlgID->algorithm, 1);
	if (n <= 0 || (size_t)n >= sizeof(out->algorithm))
		return cmc_refuse_control(hg, BURIN_CMC_BAD_ALG, part,
		    "is made with an algorithm whose OID is too long");
	if (len == 0 || len > sizeof(out->value))
		return cmc_refuse_control(hg, BURIN_CMC_POP_FAILED, part,
		    "is empty or longer than any MAC");
	memcpy(out->value, ASN1_STRING_get0_data(pop->thePOP), len);
	out->value_len = len;
	return 0;
}

static int
hear_pops(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	size_t n = cmc_body_count(b, CMC_DECRYPTED_POP_CONTROL), at = 0, i;
	const struct cmc_control_part *part;
	struct burin_cmc_heard *h = hg->h;

	if (n == 0)
		return 0;
	if ((h->pops = cmc_hear_room(hg, n, sizeof(*h->pops))) == NULL)
		return -1;
	while (
	    (part = cmc_body_next(b, CMC_DECRYPTED_POP_CONTROL, &at)) != NULL) {
		struct burin_cmc_pop *pop = &h->pops[h->n_pops];

		if (hear_pop(hg, part, pop) == -1)
			return -1;
		for (i = 0; i < h->n_pops; i++) {
			if (h->pops[i].id == pop->id)
				return cmc_refuse_control(hg,
				    BURIN_CMC_BAD_REQUEST, part,
				    "is there twice for one request");
		}
		h->n_pops++;
	}
	return 0;
}

/* --- what it says of our last message ------------------------------------- */

static enum burin_cmc_fail
fail_of(const struct cmc_state *s)
{
	return s->has_fail && burin_cmc_fail_name(s->fail) != NULL
	    ? (enum burin_cmc_fail)s->fail
	    : BURIN_CMC_FAIL_NONE;
}

static int
is_status(const struct cmc_control_part *part)
{
	return part->row != NULL &&
	    (part->row->number == CMC_STATUS_INFO ||
		part->row->number == CMC_STATUS_INFO_V2);
}

static int
hear_status(const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	struct burin_cmc_heard *h = hg->h;
	struct burin_cmc_said *said;
	struct cmc_state s;
	struct cmc_path path;
	size_t i;

	/* The parser has read it before. */
	(void)cmc_state_read(part, &s);
	if (s.n_parts > BURIN_CMC_MAX_PARTS - h->n_said)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "and those before it are about more than 256 parts");
	for (i = 0; i < s.n_parts; i++) {
		said = &h->said[h->n_said++];
		said->status = (enum burin_cmc_status)s.status;
		said->fail = fail_of(&s);
		cmc_state_part(&s, i, &path);
		cmc_path_take(&path, &said->part);
	}
	return 0;
}

static int
hear_said(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	struct burin_cmc_heard *h = hg->h;
	size_t i;

	if (cmc_body_count(b, CMC_STATUS_INFO) +
		cmc_body_count(b, CMC_STATUS_INFO_V2) ==
	    0)
		return 0;
	h->said = cmc_hear_room(hg, BURIN_CMC_MAX_PARTS, sizeof(*h->said));
	if (h->said == NULL)
		return -1;
	for (i = 0; i < b->n_controls; i++) {
		if (is_status(&b->controls[i]) &&
		    hear_status(hg, &b->controls[i]) == -1)
			return -1;
	}
	return 0;
}

/* --- messages inside: section 6.17 ---------------------------------------- */

static int
hear_inside(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	const STACK_OF(ASN1_INTEGER) *batch =
	    cmc_body_value(b, CMC_BATCH_REQUESTS);
	struct burin_cmc_heard *h = hg->h;
	uint32_t id;
	size_t i;
	int k;

	if (b->n_messages == 0)
		return 0;
	h->inside = cmc_hear_room(hg, b->n_messages, sizeof(*h->inside));
	if (h->inside == NULL)
		return -1;
	h->n_inside = b->n_messages;
	for (i = 0; i < b->n_messages; i++) {
		struct burin_cmc_inside *in = &h->inside[i];

		in->id = b->messages[i].id;
		in->der = b->messages[i].der;
		in->len = b->messages[i].len;
		for (k = 0; k < sk_ASN1_INTEGER_num(batch); k++)
			in->batched |=
			    cmc_id_read(
				sk_ASN1_INTEGER_value(batch, k), 0, &id) == 0 &&
			    id == in->id;
	}
	return 0;
}

int
cmc_hear_controls(const struct cmc_hearing *hg)
{
	if (check_known(hg) == -1 || hear_strings(hg) == -1 ||
	    hear_pops(hg) == -1 || hear_said(hg) == -1)
		return -1;
	return hear_inside(hg);
}
