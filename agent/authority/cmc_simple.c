/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Simple requests at an RA: they go into the layer itself, and what comes
 * back is about all of them, so that we answer each (RFC 10002 sections 3.1
 * and 7). Those that wait are asked for again as they were.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "cmc_pass.h"

static const uint32_t one = 1; /* a status about it says so: 6.1.1 */

/* --- those that wait ------------------------------------------------------ */

static int
put_talk(struct cmc_work *w, const struct ra_item *item, struct burin_error *e)
{
	struct talk t = { .kind = (char *)(uintptr_t) "simple",
		.principal = w->principal,
		.profile =
		    (char *)(uintptr_t)(item->profile != NULL ? item->profile
							      : NO_PROFILE),
		.via = (char *)(uintptr_t)w->t->via,
		.data = (unsigned char *)(uintptr_t)item->der,
		.data_len = item->len,
		.invite = cmc_invite(w) != NULL ? cmc_invite(w)->id : 0,
		.created = w->t->now };
	int rc;

	if (w->asked_again != NULL)
		memcpy(t.token, w->asked_again, CA_TOKEN);
	else if (talk_token(t.token, e) != 0)
		return -1;
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = store_talk_put(w->s->store, &t, e);
	if (store_end(w->s->store, rc == 0, e) != 0 || rc != 0)
		return -1;
	if (cmc_tell_of(w, BURIN_CMC_PENDING, BURIN_CMC_FAIL_NONE, &one, 1, e,
		"the request waits for the authority's operator") != 0)
		return -1;
	memcpy(w->states[w->n_states - 1].token.data, t.token, CA_TOKEN);
	w->states[w->n_states - 1].token.len = CA_TOKEN;
	return 0;
}

/* --- the answer ----------------------------------------------------------- */

/* What came beside a signed answer is signed by nobody but the CA. */
static int
take_cert(struct cmc_work *w, const struct ra_item *item, struct burin_error *e)
{
	/* It is newer than its request, and of another clock. */
	if (own_check(w->s->ca, item->cert, w->t->now + RA_SKEW, e) != 0)
		return -1;
	return X509_add_cert(w->certs, item->cert, X509_ADD_FLAG_UP_REF)
	    ? 0
	    : burin_fail_memory(e);
}

/*
 * Success is the CA's to say: its certificate says it, alone. An end entity
 * believes an RA that something waits, or was refused.
 */
static int
answer(struct cmc_work *w, const struct ra_item *item, struct burin_error *e)
{
	const struct burin_cmc_part_state *s = &item->state;

	switch (s->status) {
	case BURIN_CMC_SUCCESS:
		return take_cert(w, item, e);
	case BURIN_CMC_PENDING:
	case BURIN_CMC_PARTIAL:
		return put_talk(w, item, e);
	case BURIN_CMC_CONFIRM_REQUIRED:
		return cmc_tell_of(w, BURIN_CMC_FAILED, BURIN_CMC_BAD_REQUEST,
		    &one, 1, e,
		    "the authority wants its certificate to be accepted, "
		    "which takes a Full request");
	case BURIN_CMC_POP_REQUIRED:
		return cmc_tell_of(w, BURIN_CMC_FAILED,
		    BURIN_CMC_FAIL_POP_REQUIRED, &one, 1, e, "%s", s->text);
	case BURIN_CMC_FAILED:
	case BURIN_CMC_NO_SUPPORT:
	default:
		return cmc_tell_of(
		    w, s->status, s->fail, &one, 1, e, "%s", s->text);
	}
}

int
cmc_pass_simple(struct cmc_work *w, struct ra_item *item, struct burin_error *e)
{
	item->simple = 1;
	if (ra_pass(w->s->ra, item, w->t->now, e) != 0)
		return cmc_not_passed(w, e);
	if (answer(w, item, e) != 0)
		return -1;
	return cmc_pass_note(
	    w, item->state.status, item->state.text, w->certs, e);
}

/* --- the poll: section 6.13 ----------------------------------------------- */

static int
find_talk(struct cmc_work *w, struct talk *t, struct invite *invite, int *found,
    struct burin_error *e)
{
	const struct burin_cmc_octets *token = &w->h.pend_token;
	int rc;

	*found = 0;
	if (token->len != CA_TOKEN)
		return 0;
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = store_talk_get(w->s->store, token->data, t, found, e);
	if (rc == 0 && *found && t->invite != 0)
		rc = store_invite_of_id(
		    w->s->store, t->invite, invite, found, e);
	(void)store_end(w->s->store, 0, NULL);
	*found = *found && strcmp(t->kind, "simple") == 0;
	return rc;
}

/* With the key that the certificate is for; who it is by TLS, again. */
static int
check_poller(struct cmc_work *w, const struct talk *t, struct burin_error *e)
{
	X509_REQ *req = NULL;
	int rc;

	if (w->h.by == BURIN_CMC_BY_KEY) {
		if (burin_pkcs10_parse(
			t->data, t->data_len, BURIN_EINTERNAL, &req, e) != 0)
			return -1;
		rc = burin_cmc_hear_signer(
		    &w->h, NULL, X509_REQ_get0_pubkey(req), 0, &w->why, e);
		X509_REQ_free(req);
		return rc;
	}
	if (strcmp(w->principal, t->principal) == 0)
		return 0;
	return burin_fail(e, BURIN_EAUTHORITY, "not-yours",
	    "the request that waits is of somebody else");
}

/* What was said of the request is said of the poll for it. */
static int
take_over(struct cmc_work *w, struct cmc_work *inner, struct burin_error *e)
{
	int i;

	w->states = inner->states;
	w->n_states = inner->n_states;
	inner->states = NULL;
	inner->n_states = 0;
	w->only_certs = w->n_states == 0;
	w->status = inner->status;
	w->fail = inner->fail;
	for (i = 0; i < sk_X509_num(inner->certs); i++)
		if (!X509_add_cert(w->certs, sk_X509_value(inner->certs, i),
			X509_ADD_FLAG_UP_REF))
			return burin_fail_memory(e);
	return 0;
}

/* The same request once more: the CA knows it, and says how it stands. */
static int
ask_again(struct cmc_work *w, const struct talk *t, const struct invite *invite,
    struct burin_error *e)
{
	struct cmc_turn turn = *w->t;
	struct cmc_work inner = { 0 };
	int rc;

	turn.data = t->data;
	turn.len = t->data_len;
	turn.profile = strcmp(t->profile, NO_PROFILE) != 0 ? t->profile : NULL;
	turn.invite = t->invite != 0 ? invite : NULL;
	inner.s = w->s;
	inner.t = &turn;
	inner.depth = w->depth;
	inner.asked_again = w->h.pend_token.data;
	rc = cmc_work_do(&inner, e);
	if (rc == 0)
		rc = take_over(w, &inner, e);
	w->later = inner.later;
	cmc_work_clear(&inner);
	return rc;
}

int
cmc_poll_simple(struct cmc_work *w, struct burin_error *e)
{
	struct invite invite = { 0 };
	struct talk t = { 0 };
	int found, rc;

	if ((rc = find_talk(w, &t, &invite, &found, e)) == 0 && found)
		rc = check_poller(w, &t, e) == 0 &&
			ask_again(w, &t, &invite, e) == 0
		    ? 1
		    : -1;
	invite_clear(&invite);
	talk_clear(&t);
	return rc;
}
