/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The proof of possession of each request: in it, by an RA's word (RFC 10002
 * section 6.8), or by encryptedPOP and decryptedPOP (section 6.7).
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "cmc_issue.h"

#define Y_LEN 32	      /* bytes of a challenge: section 6.7 */
#define Y_LIFE (24 * 60 * 60) /* seconds */

enum pop {
	POP_GOOD,
	POP_CHALLENGE,
	POP_PASSED, /* an RA leaves it to the CA */
	POP_REFUSED
};

static const struct burin_cmc_pop *
answer_to(const struct cmc_work *w, uint32_t id)
{
	size_t i;

	for (i = 0; i < w->h.n_pops; i++)
		if (w->h.pops[i].id == id)
			return &w->h.pops[i];
	return NULL;
}

static void
challenge_of(const struct cmc_work *w, const struct burin_cmc_item *item,
    struct challenge *c)
{
	memset(c, 0, sizeof(*c));
	c->request = item->sha256;
	c->transaction = w->h.transaction.data;
	c->transaction_len = w->h.transaction.len;
	c->invite = cmc_invite(w) != NULL ? cmc_invite(w)->id : 0;
	c->expires = w->t->now + Y_LIFE;
}

/* A challenge is answered once, right or wrong, and that again as it was. */
static int
check_answer(struct cmc_work *w, const struct burin_cmc_item *item,
    const struct burin_cmc_pop *pop, struct burin_error *e)
{
	unsigned char message[CA_SHA256];
	struct burin_secret *y = NULL;
	struct challenge c;
	int rc;

	if (cmc_sha256(w->t->data, w->t->len, message, e) != 0)
		return -1;
	challenge_of(w, item, &c);
	c.answer = message;
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = store_challenge_take(w->s->store, &c, w->t->now, &y, e);
	if (store_end(w->s->store, rc == 0, e) != 0)
		rc = -1;
	if (rc == 0 && y == NULL) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "pop-failed",
		    "there is no challenge that this decryptedPOP answers: "
		    "it was answered by another message, or is too old");
		rc = burin_error_rule(e, "RFC 10002 section 6.7");
	} else if (rc == 0) {
		rc = burin_cmc_challenge_check(item, pop, y, 0, &w->why, e);
	}
	burin_secret_free(&y);
	return rc;
}

int
cmc_pop_is_for_ca(const struct cmc_work *w, const struct burin_cmc_item *item)
{
	/* Of a Simple request nothing is left open: others go with it. */
	if (w->s->ra == NULL || w->h.simple)
		return 0;
	if (item->proved == BURIN_CMC_POP_UNKNOWN)
		return 1;
	return item->proved == BURIN_CMC_POP_TO_CHALLENGE &&
	    (w->speaker != CMC_SPEAKER_INVITE ||
		(w->h.recipient_nonce.len > 0 && !w->nonce_ours));
}

/* POP_REFUSED: e says why. */
static enum pop
judge(struct cmc_work *w, const struct burin_cmc_item *item,
    struct burin_error *e)
{
	const struct burin_cmc_pop *pop;

	if (item->proved == BURIN_CMC_POP_PROVED)
		return POP_GOOD;
	if (cmc_pop_is_for_ca(w, item))
		return POP_PASSED;
	if (item->proved != BURIN_CMC_POP_WRONG &&
	    cmc_states(w, BURIN_CMC_STATES_POP, item->id))
		return POP_GOOD;
	switch (item->proved) {
	case BURIN_CMC_POP_TO_CHALLENGE:
		if (w->h.simple) {
			(void)burin_fail(e, BURIN_EAUTHORITY, "pop-required",
			    "a Simple request is signed with its key; what "
			    "cannot sign is asked for in a Full request");
			break;
		}
		if ((pop = answer_to(w, item->id)) == NULL)
			return POP_CHALLENGE;
		return check_answer(w, item, pop, e) == 0 ? POP_GOOD
							  : POP_REFUSED;
	case BURIN_CMC_POP_SAYS_RA:
		(void)burin_fail(e, BURIN_EAUTHORITY, "pop-failed",
		    "raVerified is an RA's word, and no RA stands for it");
		break;
	case BURIN_CMC_POP_NOT_YET:
		(void)burin_fail(e, BURIN_EAUTHORITY, "pop-required",
		    "the request has no proof of possession");
		break;
	default:
		(void)burin_fail(e, BURIN_EAUTHORITY, "pop-failed", "%s",
		    item->why[0] != '\0' ? item->why
					 : "the proof of possession fails");
		break;
	}
	(void)burin_error_rule(e, "RFC 10002 section 6.8");
	return POP_REFUSED;
}

static int
new_y(struct burin_secret **y, struct burin_error *e)
{
	unsigned char bytes[Y_LEN];
	int rc;

	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "no-random", "cannot make a challenge");
	rc = burin_secret_new(y, bytes, sizeof(bytes), e);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return rc;
}

static int
challenge(struct cmc_work *w, const struct burin_cmc_item *item,
    struct burin_error *e)
{
	struct burin_cmc_bytes *out = &w->challenges[w->n_challenges];
	struct burin_secret *y = NULL;
	unsigned char *der = NULL;
	struct challenge c;
	int rc = -1;

	challenge_of(w, item, &c);
	if (new_y(&y, e) != 0 ||
	    burin_cmc_challenge_make(item, y, 0, &der, &out->len, e) != 0)
		goto out;
	if (store_begin(w->s->store, e) != 0)
		goto out;
	rc = store_challenge_put(w->s->store, &c, y, e);
	if (store_end(w->s->store, rc == 0, e) != 0)
		rc = -1;
	if (rc != 0)
		goto out;
	out->der = der;
	der = NULL;
	w->n_challenges++;
	rc = cmc_tell_of(w, BURIN_CMC_FAILED, BURIN_CMC_FAIL_POP_REQUIRED,
	    &item->id, 1, e, NULL);
out:
	OPENSSL_free(der);
	burin_secret_free(&y);
	return rc;
}

static int
challenge_all(struct cmc_work *w, const enum pop *pops, struct burin_error *e)
{
	size_t i;

	w->challenges = calloc(w->h.n_items, sizeof(*w->challenges));
	if (w->challenges == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < w->h.n_items; i++)
		if (pops[i] == POP_CHALLENGE &&
		    challenge(w, &w->h.items[i], e) != 0 &&
		    cmc_deny(
			w, &w->h.items[i].id, 1, w->h.items[i].sha256, e) != 0)
			return -1;
	return 0;
}

/*
 * Section 6.7: one request without proof holds up all of its message.
 */
int
cmc_pops(struct cmc_work *w, struct burin_error *e)
{
	size_t i, refused = 0, open = 0;
	enum pop *pops;
	int rc = -1;

	if ((pops = calloc(w->h.n_items, sizeof(*pops))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < w->h.n_items; i++) {
		pops[i] = judge(w, &w->h.items[i], e);
		open += pops[i] == POP_CHALLENGE;
		if (pops[i] != POP_REFUSED)
			continue;
		refused++;
		if (cmc_deny(
			w, &w->h.items[i].id, 1, w->h.items[i].sha256, e) != 0)
			goto out;
	}
	if (refused == 0 && open == 0) {
		rc = 1;
		goto out;
	}
	if (refused == 0) {
		rc = challenge_all(w, pops, e);
		goto out;
	}
	for (i = 0; i < w->h.n_items; i++)
		if (pops[i] != POP_REFUSED &&
		    cmc_tell_of(w, BURIN_CMC_FAILED, BURIN_CMC_BAD_REQUEST,
			&w->h.items[i].id, 1, e,
			"another request of this message lacks its proof of "
			"possession") != 0)
			goto out;
	rc = 0;
out:
	free(pops);
	return rc;
}
