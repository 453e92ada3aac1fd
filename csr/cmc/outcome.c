/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the statuses of an answer come to: RFC 10002 section 6.1. Every status
 * of every layer is about a part of our message; the worst one counts.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "../internal.h"
#include "read.h"

#define RULE_STATUS "RFC 10002 section 6.1"

/* CMCFailInfo that decide something here: section 6.1.4. */
#define FAIL_POP_REQUIRED 8
#define FAIL_INTERNAL 11

/* From good to bad. */
enum rank {
	RANK_SUCCESS,
	RANK_CONFIRM,
	RANK_PARTIAL,
	RANK_PENDING,
	RANK_CHALLENGE,
	RANK_POP, /* a proof is wanted that we cannot give now */
	RANK_NO_SUPPORT,
	RANK_FAILED
};

struct verdict {
	enum rank rank;
	struct cmc_state worst;
	size_t n; /* statuses */
};

/* What to do about a failInfo, by its number. */
static const char *const advice[] = {
	"ask with another type of key, or have another hash signed",
	"the authority could not verify the message: is the signing "
	"certificate one that it knows, is the secret right?",
	"the authority does not do what was asked: compare the request "
	"(burin show) with what it offers",
	"compare the clocks: the authority finds the time of the message too "
	"far from its own",
	"the authority knows no such certificate: issuer and serial number "
	"must be those of one it issued",
	"ask without the extension that the authority does not take",
	"this authority wants a copy of the private key; a key on a token is "
	"never given away",
	"identification or secret are wrong or used up: ask the authority for "
	"new ones",
	NULL, /* popRequired: by what was asked */
	"the proof of possession failed: is it the right key?",
	"this authority renews only with a new key",
	"the authority has trouble of its own: its operator knows more",
	"ask again later",
	"the authority could not verify authData: is the secret right?",
};

static const char pop_advice[] =
    "give another proof of possession: a signature by a key that can sign; "
    "for one that cannot, key agreement with the authority's certificate, or "
    "the challenge";

/* --- text ----------------------------------------------------------------- */

/* statusStrings, each once: version 1 and 2 often say the same. */
static int
add_text(const struct cmc_reader *rd, const struct cmc_state *s)
{
	struct csr_text all = { 0 };
	char *clean = NULL, *joined = NULL;
	char *out = rd->r->text;
	int rc = -1;

	if (s->text == NULL || ASN1_STRING_length(s->text) == 0)
		return 0;
	if ((clean = cmc_state_text(s)) == NULL)
		goto out;
	csr_text_puts(&all, out);
	if (strstr(out, clean) == NULL) {
		csr_text_puts(&all, out[0] != '\0' ? "; " : "");
		csr_text_puts(&all, clean);
	}
	if ((joined = csr_text_take(&all)) == NULL)
		goto out;
	cmc_text_cut(out, sizeof(rd->r->text), joined);
	rc = 0;
out:
	free(clean);
	free(joined);
	return rc == 0 ? 0 : burin_fail_memory(rd->e);
}

/* --- judging -------------------------------------------------------------- */

static int
has_challenge(const struct cmc_reader *rd, uint32_t id)
{
	size_t i;

	for (i = 0; i < rd->r->n_challenges; i++) {
		if (rd->r->challenges[i].id == id)
			return 1;
	}
	return 0;
}

/* A status about the whole message is about each of its requests. */
static int
is_challenged(const struct cmc_reader *rd, uint32_t id)
{
	const struct cmc_body *sent = rd->kept->sent.body;
	size_t i;

	if (id != 0)
		return has_challenge(rd, id);
	for (i = 0; sent != NULL && i < sent->n_requests; i++) {
		if (!has_challenge(rd, sent->requests[i].id))
			return 0;
	}
	return rd->r->n_challenges > 0;
}

static enum rank
rank_of(const struct cmc_reader *rd, const struct cmc_state *s, uint32_t id)
{
	switch (s->status) {
	case BURIN_CMC_SUCCESS:
		return RANK_SUCCESS;
	case BURIN_CMC_CONFIRM_REQUIRED:
		return RANK_CONFIRM;
	case BURIN_CMC_PARTIAL:
		return RANK_PARTIAL;
	case BURIN_CMC_PENDING:
		return RANK_PENDING;
	case BURIN_CMC_NO_SUPPORT:
		return RANK_NO_SUPPORT;
	case BURIN_CMC_FAILED:
		if (s->fail != FAIL_POP_REQUIRED)
			return RANK_FAILED;
		break;
	default:
		break;
	}
	return is_challenged(rd, id) ? RANK_CHALLENGE : RANK_POP;
}

static int
is_known_fail(const struct cmc_state *s)
{
	return s->has_fail && burin_cmc_fail_name(s->fail) != NULL;
}

static void
judge(struct verdict *v, enum rank rank, const struct cmc_state *s)
{
	/* What an extendedFailInfo says, a second status says in words. */
	if (rank > v->rank || v->n == 0 ||
	    (rank == v->rank &&
		((!is_known_fail(&v->worst) && is_known_fail(s)) ||
		    (!v->worst.has_pend && s->has_pend)))) {
		v->rank = rank;
		v->worst = *s;
	}
	v->n++;
}

static int
unknown_part(const struct cmc_reader *rd, uint32_t id)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, "status-unknown-part",
	    "the answer has a status about part %lu, which our message does "
	    "not have",
	    (unsigned long)id);
	return burin_error_rule(rd->e, RULE_STATUS);
}

/*
 * Of what an RA passed on, only what keeps it waiting is for the RA, and what
 * it has to confirm; the rest goes to who asked.
 */
static int
is_for_us(const struct cmc_reader *rd, const struct cmc_state *s,
    const struct cmc_path *path)
{
	if (rd->x->layer == NULL || path->ids[0] == 0)
		return 1;
	if (path->n > 1)
		return 0;
	return !cmc_is_others(rd, path->ids[0]) ||
	    s->status == BURIN_CMC_PENDING || s->status == BURIN_CMC_PARTIAL ||
	    s->status == BURIN_CMC_CONFIRM_REQUIRED;
}

/* Into messages of others a path may lead, of which we have none ourselves. */
static int
is_part(const struct cmc_reader *rd, const struct cmc_path *path)
{
	if (path->n > 1)
		return rd->kept->layer.body != NULL &&
		    cmc_body_message(rd->kept->layer.body, path->ids[0]) !=
		    NULL;
	return path->ids[0] == 0 || cmc_sent_has(rd, path->ids[0]);
}

static int
judge_state(
    const struct cmc_reader *rd, const struct cmc_state *s, struct verdict *v)
{
	struct cmc_path path;
	size_t i, n = 0;

	for (i = 0; i < s->n_parts; i++) {
		cmc_state_part(s, i, &path);
		if (!is_part(rd, &path))
			return unknown_part(rd, path.ids[0]);
		if (!is_for_us(rd, s, &path))
			continue;
		judge(v, rank_of(rd, s, path.ids[0]), s);
		n++;
	}
	return n > 0 ? add_text(rd, s) : 0;
}

static int
judge_layer(
    const struct cmc_reader *rd, const struct cmc_body *b, struct verdict *v)
{
	size_t i, n = 0, most = BURIN_CMC_MAX_STATUS;
	struct cmc_state state;

	if (rd->x->layer != NULL)
		most = BURIN_CMC_MAX_PARTS;
	for (i = 0; i < b->n_controls; i++) {
		const struct cmc_control_part *part = &b->controls[i];

		if (!cmc_is_state(part))
			continue;
		if (++n > most) {
			(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-malformed",
			    "the answer has more than %zu statuses", most);
			return burin_error_rule(rd->e, RULE_STATUS);
		}
		/* The parser took it before: no flaw. */
		(void)cmc_state_read(part, &state);
		if (judge_state(rd, &state, v) == -1)
			return -1;
	}
	return 0;
}

/* --- what it comes to ----------------------------------------------------- */

/* failInfo by name; what nobody knows counts as internalCAError. */
static const char *
fail_word(const struct verdict *v)
{
	const char *name;

	if (v->rank == RANK_NO_SUPPORT || v->rank == RANK_POP)
		return burin_cmc_status_name(v->rank == RANK_POP
			? BURIN_CMC_POP_REQUIRED
			: BURIN_CMC_NO_SUPPORT);
	name = v->worst.has_fail ? burin_cmc_fail_name(v->worst.fail) : NULL;
	return name != NULL ? name : burin_cmc_fail_name(FAIL_INTERNAL);
}

static void
advise(const struct cmc_reader *rd, const struct verdict *v)
{
	size_t fail = FAIL_INTERNAL;
	const char *text = NULL;

	if (v->rank == RANK_POP)
		text = pop_advice;
	else if (v->rank == RANK_NO_SUPPORT)
		text = advice[2];
	else if (is_known_fail(&v->worst))
		fail = (size_t)v->worst.fail;
	if (text == NULL)
		text = advice[fail];
	(void)burin_error_advice(rd->e, "%s", text);
}

/* signed_by 0: nobody vouches for it. */
static int
refusal(const struct cmc_reader *rd, const struct verdict *v, int is_signed)
{
	const struct cmc_state *s = &v->worst;
	const char *word = fail_word(v), *text = rd->r->text;
	char code[BURIN_ERROR_WORD], other[96] = "";

	(void)snprintf(code, sizeof(code), "cmc-%s", word);
	if (s->has_fail && !is_known_fail(s))
		(void)snprintf(other, sizeof(other),
		    " (by a failInfo of its own, %ld)", s->fail);
	else if (s->ext[0] != '\0')
		(void)snprintf(
		    other, sizeof(other), " (by its own %.64s)", s->ext);
	(void)burin_fail(rd->e, BURIN_EAUTHORITY, code,
	    is_signed ? "the authority refused: %s%s%s%s%s"
		      : "an answer that is not authenticated says that the "
			"authority refused: %s%s%s%s%s",
	    word, other, text[0] != '\0' ? ", \"" : "", text,
	    text[0] != '\0' ? "\"" : "");
	(void)burin_error_rule(rd->e, RULE_STATUS);
	if (is_signed)
		advise(rd, v);
	else
		(void)burin_error_advice(rd->e,
		    "nobody signed it, so anybody on the way may have made "
		    "it: ask again, or ask the operator of the authority");
	return -1;
}

/* Section 6.13: only an answer to a query may leave pendInfo out. */
static int
take_pend(const struct cmc_reader *rd, const struct cmc_state *s)
{
	const struct cmc_body *sent = rd->kept->sent.body;
	const ASN1_OCTET_STRING *asked =
	    sent != NULL ? cmc_body_value(sent, CMC_QUERY_PENDING) : NULL;
	struct burin_cmc_octets *out = &rd->r->pend_token;

	rd->r->outcome = BURIN_CMC_WAIT;
	if (s->has_pend) {
		*out = s->token;
		rd->r->pend_time = s->time;
		return 0;
	}
	if (asked == NULL) {
		(void)burin_fail(rd->e, BURIN_ECHECK, "pend-info-missing",
		    "the answer says %s but not how to ask for the rest "
		    "(pendInfo)",
		    burin_cmc_status_name(s->status));
		return burin_error_rule(rd->e, RULE_STATUS);
	}
	out->len = (size_t)ASN1_STRING_length(asked);
	memcpy(out->data, ASN1_STRING_get0_data(asked), out->len);
	return 0;
}

static int
conclude(const struct cmc_reader *rd, const struct verdict *v)
{
	switch (v->rank) {
	case RANK_SUCCESS:
		rd->r->outcome = BURIN_CMC_DONE;
		break;
	case RANK_CONFIRM:
		rd->r->outcome = BURIN_CMC_CONFIRM;
		break;
	case RANK_PARTIAL:
	case RANK_PENDING:
		return take_pend(rd, &v->worst);
	case RANK_CHALLENGE:
		rd->r->outcome = BURIN_CMC_CHALLENGE;
		return 0;
	default:
		return refusal(rd, v, 1);
	}
	if (rd->r->n_challenges == 0)
		return 0;
	(void)burin_fail(rd->e, BURIN_ECHECK, "pop-challenge",
	    "the answer has a challenge (encryptedPOP) and no status that "
	    "wants a proof");
	return burin_error_rule(rd->e, "RFC 10002 section 6.7");
}

int
cmc_hint_read(const struct cmc_reader *rd)
{
	struct verdict v;

	memset(&v, 0, sizeof(v));
	if (judge_layer(rd, rd->kept->layers[0].in.body, &v) == -1)
		return -1;
	if (v.rank >= RANK_POP) {
		(void)refusal(rd, &v, 0);
		/* Others depend on an RA: it does not act on hearsay. */
		if (rd->x->layer != NULL && rd->e != NULL)
			rd->e->status = BURIN_ECHECK;
		return -1;
	}
	(void)burin_fail(rd->e, BURIN_ECHECK, "unsigned-success",
	    "the answer does not say that it failed, and nobody signed it");
	(void)burin_error_rule(rd->e, "RFC 10002 section 4.2");
	return burin_error_advice(
	    rd->e, "an answer without a signature is never believed");
}

int
cmc_outcome_read(const struct cmc_reader *rd)
{
	struct verdict v;
	size_t i;

	memset(&v, 0, sizeof(v));
	for (i = 0; i < rd->kept->n; i++) {
		if (judge_layer(rd, rd->kept->layers[i].in.body, &v) == -1)
			return -1;
	}
	return conclude(rd, &v);
}
