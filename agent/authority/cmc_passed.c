/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message on its way through an RA and back: the invite is reserved before
 * it leaves; what came for it decides about the invite, is kept, and is said
 * in the audit log.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include <burin/names.h>

#include "cmc_pass.h"

/* --- the invite ----------------------------------------------------------- */

static int
use_of(const struct cmc_work *w, unsigned char use[CA_SHA256],
    struct burin_error *e)
{
	const struct burin_cmc_heard *h = &w->h;

	if (h->simple) {
		memcpy(use, h->items[0].sha256, CA_SHA256);
		return 0;
	}
	return cmc_sha256(h->reqs, h->reqs_len, use, e);
}

int
cmc_pass_reserve(struct cmc_work *w, struct burin_error *e)
{
	const struct invite *invite = cmc_invite(w);
	unsigned char use[CA_SHA256];
	int rc;

	if (invite == NULL || w->h.n_items == 0)
		return 0;
	if (use_of(w, use, e) != 0 || store_begin(w->s->store, e) != 0)
		return -1;
	rc = invite_check(w->s->store, invite, use, w->t->now, e);
	if (rc == 0)
		rc = store_invite_reserve(
		    w->s->store, invite->id, use, w->t->now, e);
	return store_end(w->s->store, rc == 0, e) != 0 ? -1 : rc;
}

/* "failed" may be about another part, while a certificate was issued. */
static int
is_all_refused(const struct cmc_work *w, enum burin_cmc_status status)
{
	const struct burin_cmc_heard *h = &w->h;

	return (status == BURIN_CMC_FAILED || status == BURIN_CMC_NO_SUPPORT) &&
	    h->n_items == 1 && h->confirm.serial == NULL &&
	    h->n_certs + h->n_crls + h->n_revokes + h->n_publishes == 0;
}

/*
 * What was refused for good has used nothing up. The secret of what goes on
 * is kept for its next message: a conversation holds it.
 */
static int
settle(struct cmc_work *w, enum burin_cmc_status status, struct burin_error *e)
{
	struct store *st = w->s->store;
	const struct invite *invite = cmc_invite(w);
	struct talk t = { .kind = (char *)(uintptr_t) "passed",
		.principal = w->principal,
		.profile = (char *)(uintptr_t)NO_PROFILE,
		.via = (char *)(uintptr_t)w->t->via,
		.created = w->t->now };
	unsigned char use[CA_SHA256];

	if (invite == NULL || w->h.n_items == 0)
		return 0;
	if (is_all_refused(w, status))
		return use_of(w, use, e) != 0
		    ? -1
		    : store_invite_release(st, invite->id, use, w->t->now, e);
	if (status == BURIN_CMC_FAILED || status == BURIN_CMC_NO_SUPPORT)
		return 0; /* it stays this message's */
	if (status != BURIN_CMC_POP_REQUIRED &&
	    store_invite_spend(st, invite->id, w->t->now, e) != 0)
		return -1;
	if (status == BURIN_CMC_SUCCESS || w->h.simple)
		return 0;
	if (w->h.transaction.len > CA_MAX_TRANSACTION)
		return 0;
	if (talk_token(t.token, e) != 0)
		return -1;
	memcpy(t.transaction, w->h.transaction.data, w->h.transaction.len);
	t.transaction_len = w->h.transaction.len;
	t.invite = invite->id;
	return store_talk_put(st, &t, e);
}

/* --- the answer ----------------------------------------------------------- */

/* "cmc-badIdentity" as the reader of an answer has it. */
static enum burin_cmc_fail
fail_named(const char *code)
{
	const char *name;
	int i;

	for (i = BURIN_CMC_BAD_ALG; i <= BURIN_CMC_AUTH_DATA_FAIL; i++) {
		name = burin_cmc_fail_name(i);
		if (strncmp(code, "cmc-", 4) == 0 &&
		    strcmp(code + 4, name) == 0)
			return (enum burin_cmc_fail)i;
	}
	return BURIN_CMC_FAIL_NONE;
}

static enum burin_cmc_status
status_of(const struct burin_cmc_reply *r)
{
	switch (r->outcome) {
	case BURIN_CMC_WAIT:
		return BURIN_CMC_PENDING;
	case BURIN_CMC_CHALLENGE:
		return BURIN_CMC_POP_REQUIRED;
	case BURIN_CMC_CONFIRM:
		return BURIN_CMC_CONFIRM_REQUIRED;
	case BURIN_CMC_DONE:
	default:
		return BURIN_CMC_SUCCESS;
	}
}

/* The request that a certificate is for, when the CA issued it; or NULL. */
static const struct burin_cmc_item *
item_of(const struct cmc_work *w, X509 *cert)
{
	const struct burin_cmc_item *found = NULL;
	size_t i;

	for (i = 0; i < w->h.n_items && found == NULL; i++)
		if (EVP_PKEY_eq(
			X509_get0_pubkey(cert), w->h.items[i].asked.pub) == 1 &&
		    own_check(w->s->ca, cert, w->t->now + RA_SKEW, NULL) == 0)
			found = &w->h.items[i];
	/* Keys of two types are not equal, which OpenSSL calls an error. */
	ERR_clear_error();
	return found;
}

/* Who got it, and under which profile: for who comes back with it. */
static int
keep(struct cmc_work *w, X509 *cert, const struct burin_cmc_item *item,
    struct burin_error *e)
{
	const char *profile = cmc_pass_profile(w);
	struct issued_new in = { .cert = cert,
		.principal = w->principal[0] != '\0' ? w->principal : "nobody",
		.profile = profile != NULL ? profile : NO_PROFILE,
		.via = w->t->via,
		.request = item->sha256,
		.now = w->t->now };
	struct store *st = w->s->store;
	struct issued old = { 0 };
	char *serial;
	int found = 0, rc;

	serial = burin_serial_text(X509_get0_serialNumber(cert));
	if (serial == NULL)
		return burin_fail_memory(e);
	rc = store_cert_of_serial(st, serial, &old, &found, e);
	/* One that cannot be kept was issued all the same. */
	if (rc == 0 && !found && store_cert_put(st, &in, NULL) != 0)
		ERR_clear_error();
	if (rc == 0)
		rc = store_audit(st, e, "passed", "%s of %s via %s profile %s",
		    serial, in.principal, in.via, in.profile);
	issued_clear(&old);
	free(serial);
	return rc;
}

static int
keep_all(
    struct cmc_work *w, const STACK_OF(X509) * certs, struct burin_error *e)
{
	const struct burin_cmc_item *item;
	int i, rc = 0;

	for (i = 0; i < sk_X509_num(certs) && rc == 0; i++)
		if ((item = item_of(w, sk_X509_value(certs, i))) != NULL)
			rc = keep(w, sk_X509_value(certs, i), item, e);
	return rc;
}

int
cmc_pass_note(struct cmc_work *w, enum burin_cmc_status status,
    const char *what, const STACK_OF(X509) * certs, struct burin_error *e)
{
	struct store *st = w->s->store;
	int rc;

	if (store_begin(st, e) != 0)
		return -1;
	rc = keep_all(w, certs, e);
	if (rc == 0)
		rc = store_audit(st, e, "passed", "%s of %s: %s%s%s", w->t->via,
		    w->principal[0] != '\0' ? w->principal : "nobody",
		    burin_cmc_status_name(status), what[0] != '\0' ? " " : "",
		    what);
	if (rc == 0)
		rc = settle(w, status, e);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

/*
 * Reads the answer as its receiver will, to know how it went; it goes back as
 * it came whatever it says, for the receiver judges it by himself.
 */
static int
look_at(struct cmc_work *w, const struct ra_item *item, struct burin_error *e)
{
	struct burin_cmc_thread thread = { .transaction = w->h.transaction,
		.sent = w->h.sender_nonce };
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct burin_cmc_expect x = { .status = BURIN_ECHECK,
		.thread = &thread,
		.request = item->der,
		.request_len = item->len,
		.anchors = anchors,
		.now = w->t->now,
		.skew = RA_SKEW,
		.simple = 1 };
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_cmc_reply r;
	char what[BURIN_ERROR_TEXT] = "";
	int rc;

	if (anchors == NULL || !sk_X509_push(anchors, w->s->ca->cert)) {
		sk_X509_free(anchors);
		return burin_fail_memory(e);
	}
	if (w->is_ra) {
		x.layer = item->der;
		x.layer_len = item->len;
	}
	if (burin_cmc_read(item->answer, item->answer_len, &x, &r, &why) == 0) {
		w->status = status_of(&r);
		w->passed_full = r.signer[0] != '\0';
	} else if (why.status == BURIN_EAUTHORITY) {
		w->status = strcmp(why.code, "cmc-noSupport") == 0
		    ? BURIN_CMC_NO_SUPPORT
		    : BURIN_CMC_FAILED;
		w->fail = fail_named(why.code);
		w->passed_full = 1;
		(void)snprintf(
		    what, sizeof(what), "%s: %.400s", why.code, why.reason);
		(void)snprintf(w->trouble, sizeof(w->trouble), "%s", what);
	} else {
		/* Encrypted, or not believed here: who knows what it says? */
		w->passed_full = 1;
		(void)snprintf(what, sizeof(what), "unread, %s: %.400s",
		    why.code, why.reason);
	}
	rc = cmc_pass_note(w, w->status, what, r.certs, e);
	burin_cmc_reply_clear(&r);
	sk_X509_free(anchors);
	return rc;
}

/* --- passing on ----------------------------------------------------------- */

int
cmc_not_passed(struct cmc_work *w, struct burin_error *e)
{
	struct burin_error own = BURIN_ERROR_INIT;

	if (e->status == BURIN_EUSAGE ||
	    (e->status == BURIN_EAUTHORITY &&
		strcmp(e->code, "cmc-badRequest") == 0)) {
		/* What fails here is less than what is told. */
		(void)cmc_pass_note(w, BURIN_CMC_FAILED, e->code, NULL, &own);
		e->status = BURIN_EAUTHORITY;
		w->why.status = BURIN_CMC_FAILED;
		w->why.fail = BURIN_CMC_BAD_REQUEST;
		w->why.n = 0;
		return -1;
	}
	(void)burin_error_advice(e,
	    "look at upstream in authority.cnf, and whether this RA's "
	    "certificate still stands");
	e->status = BURIN_EINTERRUPTED;
	w->later = 1;
	return -1;
}

int
cmc_pass_full(struct cmc_work *w, struct ra_item *item, struct burin_error *e)
{
	if (ra_pass(w->s->ra, item, w->t->now, e) != 0)
		return cmc_not_passed(w, e);
	if (look_at(w, item, e) != 0)
		return -1;
	w->passed = item->answer;
	w->passed_len = item->answer_len;
	item->answer = NULL;
	return 0;
}
