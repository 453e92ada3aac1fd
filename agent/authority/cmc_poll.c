/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that wait for the operator, and the poll: RFC 10002 section 6.13.
 */

#include <stdlib.h>
#include <string.h>

#include "cmc_issue.h"
#include "cmc_waiting.h"

/* --- those that wait ----------------------------------------------------- */

/* All requests of the message: the poll brings what was issued again. */
static int
list_items(const struct cmc_work *w, const unsigned char *use,
    struct waiting_list *l, struct burin_error *e)
{
	size_t i;

	memset(l, 0, sizeof(*l));
	memcpy(l->use, use, CA_SHA256);
	if ((l->items = calloc(w->h.n_items, sizeof(*l->items))) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < w->h.n_items; i++) {
		const struct burin_cmc_item *item = &w->h.items[i];

		l->items[i].id = item->id;
		memcpy(l->items[i].sha256, item->sha256, CA_SHA256);
		l->items[i].asked = item->asked;
		l->items[i].renamed = item->renames;
		l->items[i].revocation = item->revocation;
	}
	l->n = w->h.n_items;
	return 0;
}

/* SHA-256 of the key that a poll will be signed with. */
static int
signer_sha256(const struct cmc_work *w, unsigned char out[CA_SHA256],
    struct burin_error *e)
{
	EVP_PKEY *key = NULL;
	size_t i;

	memset(out, 0, CA_SHA256);
	if (w->cert.cert != NULL)
		key = X509_get0_pubkey(w->cert.cert);
	for (i = 0;
	     key == NULL && w->h.by == BURIN_CMC_BY_REQUEST && i < w->h.n_items;
	     i++)
		if (w->h.items[i].key_id_len == w->h.signer_key_id_len &&
		    memcmp(w->h.items[i].key_id, w->h.signer_key_id,
			w->h.signer_key_id_len) == 0)
			key = w->h.items[i].asked.pub;
	return key == NULL ? 0 : key_sha256(key, out, e);
}

static int
talk_make(struct cmc_work *w, const struct issue_input *in,
    const unsigned char *use, struct talk *talk, struct burin_error *e)
{
	struct waiting_list l;
	int rc = -1;

	memset(talk, 0, sizeof(*talk));
	if (w->h.transaction.len > CA_MAX_TRANSACTION)
		return burin_fail(e, BURIN_EAUTHORITY, "transaction-too-long",
		    "a transactionId of more than %d bytes is not kept while "
		    "a request waits",
		    CA_MAX_TRANSACTION);
	if (list_items(w, use, &l, e) != 0 ||
	    waiting_pack(&l, &talk->data, &talk->data_len, e) != 0 ||
	    talk_token(talk->token, e) != 0 ||
	    signer_sha256(w, talk->signer, e) != 0)
		goto out;
	talk->kind = strdup("pending");
	talk->principal = strdup(in->principal);
	talk->profile = strdup(in->profile);
	talk->via = strdup(in->via);
	talk->renews = cmc_cert(w) != NULL && in->renews != NULL
	    ? strdup(cmc_cert(w)->serial)
	    : NULL;
	if (talk->kind == NULL || talk->principal == NULL ||
	    talk->profile == NULL || talk->via == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	memcpy(talk->transaction, w->h.transaction.data, w->h.transaction.len);
	talk->transaction_len = w->h.transaction.len;
	talk->invite = in->invite != NULL ? in->invite->id : 0;
	talk->created = w->t->now;
	rc = 0;
out:
	free(l.items); /* what is in them is borrowed */
	return rc;
}

static int
tell_wait(struct cmc_work *w, const struct talk *talk, const uint32_t *ids,
    size_t n, struct burin_error *e)
{
	struct cmc_told *s;

	if (cmc_tell_of(w, BURIN_CMC_PENDING, BURIN_CMC_FAIL_NONE, ids, n, e,
		"the request waits for the authority's operator") != 0)
		return -1;
	s = &w->states[w->n_states - 1];
	memcpy(s->token.data, talk->token, CA_TOKEN);
	s->token.len = CA_TOKEN;
	return 0;
}

/*
 * A bare PKCS#10 by mail: nobody could poll for it, whose message would have to
 * be signed by who asked. It is sent again. pendInfo has to be there.
 */
static int
wait_unasked(
    struct cmc_work *w, const struct cmc_tally *t, struct burin_error *e)
{
	struct talk talk = { 0 };

	if (talk_token(talk.token, e) != 0)
		return -1;
	return tell_wait(w, &talk, t->wait, t->n_wait, e);
}

int
cmc_wait(struct cmc_work *w, const struct issue_input *in,
    const unsigned char *use, const struct cmc_tally *t, struct burin_error *e)
{
	struct talk talk;
	int rc;

	if (t->n_wait == 0)
		return 0;
	if (w->speaker == CMC_SPEAKER_MAIL)
		return wait_unasked(w, t, e);
	rc = talk_make(w, in, use, &talk, e);
	if (rc == 0 && (rc = store_begin(w->s->store, e)) == 0) {
		rc = store_talk_put(w->s->store, &talk, e);
		if (store_end(w->s->store, rc == 0, e) != 0)
			rc = -1;
	}
	if (rc == 0)
		rc = tell_wait(w, &talk, t->wait, t->n_wait, e);
	OPENSSL_free(talk.data);
	talk.data = NULL;
	talk_clear(&talk);
	return rc;
}

/* --- the poll: section 6.13 --------------------------------------------------
 */

static int
no_talk(struct cmc_work *w, const char *why, struct burin_error *e)
{
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_REQUEST;
	w->why.n = 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "poll-unknown", "%s", why);
	return burin_error_rule(e, "RFC 10002 section 6.13");
}

static int
find_talk(struct cmc_work *w, struct talk *talk, struct burin_error *e)
{
	const struct burin_cmc_octets *token = &w->h.pend_token;
	int found = 0, rc;

	memset(talk, 0, sizeof(*talk));
	if (token->len != CA_TOKEN)
		return no_talk(w, "no request waits with this token", e);
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = store_talk_get(w->s->store, token->data, talk, &found, e);
	(void)store_end(w->s->store, 0, NULL);
	if (rc != 0)
		return -1;
	if (!found)
		return no_talk(w, "no request waits with this token", e);
	if (talk->transaction_len != w->h.transaction.len ||
	    memcmp(talk->transaction, w->h.transaction.data,
		talk->transaction_len) != 0)
		return no_talk(w, "the token is of another transaction", e);
	return 0;
}

/* Signed with a key that has no certificate yet: that of a request. */
static int
check_key(struct cmc_work *w, const struct talk *talk,
    const struct waiting_list *l, struct burin_error *e)
{
	unsigned char sha256[CA_SHA256];
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (key_sha256(l->items[i].asked.pub, sha256, e) != 0)
			return -1;
		if (memcmp(sha256, talk->signer, CA_SHA256) == 0)
			return burin_cmc_hear_signer(
			    &w->h, NULL, l->items[i].asked.pub, 0, &w->why, e);
	}
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_MESSAGE_CHECK;
	w->why.n = 0;
	return burin_fail(e, BURIN_EAUTHORITY, "cmc-signer",
	    "the request that waits was not signed with this key");
}

/* By the same one as the request: by key, or in the same name. */
static int
check_poller(struct cmc_work *w, const struct talk *talk,
    const struct waiting_list *l, struct burin_error *e)
{
	if (w->h.by == BURIN_CMC_BY_KEY)
		return check_key(w, talk, l, e);
	if (w->principal[0] != '\0' &&
	    strcmp(w->principal, talk->principal) == 0)
		return 0;
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_IDENTITY;
	w->why.n = 0;
	return burin_fail(e, BURIN_EAUTHORITY, "not-yours",
	    "the request that waits is of somebody else");
}

/* What the talk was agreed with; owned by the caller. */
struct agreed {
	struct invite invite;
	struct issued renews;
};

static int
recall(struct cmc_work *w, const struct talk *talk, struct agreed *with,
    struct burin_error *e)
{
	int found = 1, rc;

	memset(with, 0, sizeof(*with));
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = 0;
	if (talk->invite != 0)
		rc = store_invite_of_id(
		    w->s->store, talk->invite, &with->invite, &found, e);
	if (rc == 0 && found && talk->renews != NULL)
		rc = store_cert_of_serial(
		    w->s->store, talk->renews, &with->renews, &found, e);
	(void)store_end(w->s->store, 0, NULL);
	if (rc == 0 && !found)
		return no_talk(w, "the invite of the request is gone", e);
	return rc;
}

static int
go_on(struct cmc_work *w, const struct talk *talk, const struct agreed *with,
    const struct waiting_list *l, struct cmc_tally *t, struct burin_error *e)
{
	struct issue_input in = { 0 };
	size_t i;

	in.profiles = w->s->profiles;
	in.cnf = w->s->cnf;
	in.principal = talk->principal;
	in.profile = talk->profile;
	in.invite = talk->invite != 0 ? &with->invite : NULL;
	in.renews = with->renews.cert;
	/* What of a mail that waits the operator has not seen yet, too. */
	in.manual = w->s->cnf->manual || strcmp(talk->via, "mail") == 0;
	in.now = w->t->now;
	in.via = talk->via;
	in.confirm = w->s->cnf->confirm;
	in.use = l->use;
	for (i = 0; i < l->n; i++) {
		in.asked = &l->items[i].asked;
		in.request = l->items[i].sha256;
		in.renamed = l->items[i].renamed;
		in.revocation = l->items[i].revocation;
		if (cmc_issue_one(w, &in, l->items[i].id, t, e) != 0)
			return -1;
	}
	return 0;
}

static int
poll(struct cmc_work *w, const struct talk *talk, struct waiting_list *l,
    struct burin_error *e)
{
	struct agreed with;
	struct cmc_tally t;
	int rc = -1;

	if (check_poller(w, talk, l, e) != 0 || recall(w, talk, &with, e) != 0)
		return -1;
	if (cmc_tally_new(&t, l->n, e) != 0)
		goto out;
	if (go_on(w, talk, &with, l, &t, e) == 0 && cmc_tell(w, &t, e) == 0)
		rc = t.n_wait > 0 ? tell_wait(w, talk, t.wait, t.n_wait, e) : 0;
	free(t.done);
out:
	invite_clear(&with.invite);
	issued_clear(&with.renews);
	return rc;
}

int
cmc_poll(struct cmc_work *w, struct burin_error *e)
{
	struct waiting_list l = { 0 };
	struct talk talk;
	int rc = -1;

	if (w->h.pend_token.len == 0)
		return 0;
	if (find_talk(w, &talk, e) == 0 &&
	    waiting_unpack(talk.data, talk.data_len, &l, e) == 0)
		rc = poll(w, &talk, &l, e);
	waiting_clear(&l);
	talk_clear(&talk);
	return rc;
}
