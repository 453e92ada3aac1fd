/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Full PKI Response of ours may not say: RFC 10002 sections 4.2 and 6,
 * RFC 6402 section 2.6.
 */

#include <string.h>

#include <openssl/err.h>

#include <burin/response.h>

#include "answer.h"
#include "asn1.h"
#include "make.h"
#include "read.h"

/* transactionId, nonces, dataReturn, responseInfo, anchors, lists inside */
#define MAX_OTHER_CONTROLS 9

static int
refuse(const char *code, const char *section, const char *why,
    struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, code, "%s", why);
	return burin_error_rule(e, "RFC 10002 section %s", section);
}

/* --- statuses ------------------------------------------------------------- */

/* 0 alone is the message itself, and nothing has it inside: 3.2.2. */
static int
is_path(const struct burin_cmc_path *p)
{
	size_t i;

	if (p->n > sizeof(p->ids) / sizeof(p->ids[0]))
		return 0;
	for (i = 0; i < p->n; i++) {
		if (p->ids[i] == 0 && p->n > 1)
			return 0;
	}
	return 1;
}

static int
is_status_of(const struct burin_cmc_state_of *s, enum burin_cmc_fail fail)
{
	return s->status == BURIN_CMC_FAILED && s->fail == fail;
}

static int
may_pend(const struct burin_cmc_state_of *s)
{
	return s->status == BURIN_CMC_PENDING || s->status == BURIN_CMC_PARTIAL;
}

/* Section 6.13: only the answer to a poll may leave it out. */
static int
check_pend(const struct burin_cmc_answer *a, const struct burin_cmc_state_of *s,
    struct burin_error *e)
{
	const struct burin_cmc_octets *t = s->pend_token;

	if (t == NULL) {
		if (!may_pend(s) || (a->to != NULL && a->to->pend_token.len))
			return 0;
		return refuse("pend-info-missing", "6.1.1",
		    "a status that is pending or partial says how to ask for "
		    "the rest (pendInfo)",
		    e);
	}
	if (!may_pend(s))
		return refuse("status-malformed", "6.1.1",
		    "pendInfo goes with pending and partial, and with no other "
		    "status",
		    e);
	if (t->len == 0 || s->pend_time <= 0)
		return refuse("pend-info-missing", "6.1.1",
		    "pendInfo needs a token and a time", e);
	return cmc_check_octets(t, "pendToken", "6.1.1", e);
}

static int
check_state(const struct burin_cmc_answer *a,
    const struct burin_cmc_state_of *s, struct burin_error *e)
{
	size_t i;

	if (burin_cmc_status_name(s->status) == NULL)
		return refuse("status-malformed", "6.1.3",
		    "a status is none that is defined (cMCStatus)", e);
	if (s->status == BURIN_CMC_FAILED && s->fail != BURIN_CMC_FAIL_NONE &&
	    burin_cmc_fail_name(s->fail) == NULL)
		return refuse("status-malformed", "6.1.4",
		    "a failure is none that is defined (failInfo)", e);
	if (s->n > BURIN_CMC_MAX_PARTS)
		return refuse("status-malformed", "6.1.1",
		    "a status is about more than 256 parts", e);
	for (i = 0; i < s->n; i++) {
		if (!is_path(&s->parts[i]))
			return refuse("body-part", "3.2.2",
			    "a status is about a part with a path that is too "
			    "long, or has a 0 in it",
			    e);
	}
	if (cmc_check_text(s->text, "statusString", "6.1.1", e) == -1)
		return -1;
	return check_pend(a, s, e);
}

static int
check_states(const struct burin_cmc_answer *a, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < a->n_states; i++) {
		if (check_state(a, &a->states[i], e) == -1)
			return -1;
	}
	return 0;
}

/* --- encryptedPOP, confirmCertAcceptance ---------------------------------- */

static int
is_challenge(const struct burin_cmc_bytes *b)
{
	const unsigned char *p = b->der;
	CMC_ENCRYPTED_POP *pop = NULL;
	int is = 0;

	if (p != NULL && b->len > 0 && b->len <= BURIN_MAX_MESSAGE) {
		pop = d2i_CMC_ENCRYPTED_POP(NULL, &p, (long)b->len);
		is = pop != NULL && p == b->der + b->len;
	}
	CMC_ENCRYPTED_POP_free(pop);
	ERR_clear_error();
	return is;
}

static int
check_challenges(const struct burin_cmc_answer *a, struct burin_error *e)
{
	size_t i, wanted = 0;

	for (i = 0; i < a->n_challenges; i++) {
		if (!is_challenge(&a->challenges[i]))
			return refuse("pop-challenge", "6.7",
			    "a challenge cannot be decoded (encryptedPOP)", e);
	}
	for (i = 0; i < a->n_states; i++) {
		wanted += a->states[i].status == BURIN_CMC_POP_REQUIRED ||
		    is_status_of(&a->states[i], BURIN_CMC_FAIL_POP_REQUIRED);
	}
	if (a->n_challenges == 0 || wanted > 0)
		return 0;
	return refuse("pop-challenge", "6.7",
	    "a challenge (encryptedPOP) comes with a status that wants the "
	    "proof (popRequired)",
	    e);
}

static int
check_confirm(const struct burin_cmc_answer *a, struct burin_error *e)
{
	size_t i;

	if (a->n_confirm == 0)
		return 0;
	for (i = 0; i < a->n_states; i++) {
		if (a->states[i].status == BURIN_CMC_CONFIRM_REQUIRED)
			return 0;
	}
	return refuse("confirm-without-status", "6.14",
	    "a certificate that is to be confirmed comes with the status "
	    "confirmRequired",
	    e);
}

/* --- trustedAnchors ------------------------------------------------------- */

/* Section 6.15: the list is believed with the time of a signature only. */
static int
check_publication(const struct burin_cmc_answer *a, struct burin_error *e)
{
	const struct burin_cmc_publication *p = a->publication;

	if (p == NULL)
		return 0;
	if (p->number < 0 || p->number > INT32_MAX)
		return refuse("anchors-number", "6.15",
		    "trust anchors are published with a number from 0 to "
		    "2147483647 (seqNumber)",
		    e);
	if (sk_X509_num(p->anchors) < 1 ||
	    sk_X509_num(p->anchors) > BURIN_MAX_CERTS)
		return refuse("anchors-missing", "6.15",
		    "trust anchors are published one at least, and 64 at most",
		    e);
	if (a->signer == NULL || a->signer->signing_time == 0)
		return refuse("anchors-time", "6.15",
		    "trust anchors are published with a signature and its time",
		    e);
	return 0;
}

/* --- answers inside ------------------------------------------------------- */

static int
is_repeated(const struct burin_cmc_answer *a, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (a->inside_ids[i] == a->inside_ids[n])
			return 1;
	}
	return 0;
}

static int
check_inside(const struct burin_cmc_answer *a, struct burin_error *e)
{
	size_t i;

	if (a->batch && a->n_inside == 0)
		return refuse("batch-empty", "6.17",
		    "batchResponses names one response at least", e);
	if (a->body > a->n_inside) {
		(void)burin_fail(e, BURIN_EUSAGE, "body-missing",
		    "responseBody names a response inside that is not there");
		return burin_error_rule(e, "RFC 6402 section 2.6");
	}
	for (i = 0; i < a->n_inside; i++) {
		if (!cmc_is_content_info(a->inside[i].der, a->inside[i].len))
			return refuse("inside-malformed", "4.2",
			    "a response inside is no message", e);
		if (a->inside_ids != NULL &&
		    (a->inside_ids[i] == 0 ||
			a->inside_ids[i] > UINT32_MAX - BURIN_CMC_MAX_PARTS ||
			is_repeated(a, i)))
			return refuse("body-part", "3.2.2",
			    "the number of a response inside is 0, too large "
			    "or there twice",
			    e);
	}
	return 0;
}

static int
check_size(const struct burin_cmc_answer *a, struct burin_error *e)
{
	size_t most = BURIN_CMC_MAX_PARTS;

	if (a->n_states <= most && a->n_challenges <= most &&
	    a->n_confirm <= most && a->n_inside <= most &&
	    a->n_states * (a->old_states ? 2 : 1) + a->n_challenges +
		    a->n_confirm + a->n_inside + MAX_OTHER_CONTROLS <=
		most)
		return 0;
	return refuse(
	    "answer-too-much", "4.2", "a response has up to 256 parts", e);
}

/* --- who speaks ----------------------------------------------------------- */

static int
has_certs(const struct burin_cmc_answer *a)
{
	return a->signer != NULL &&
	    (sk_X509_num(a->signer->certs) > 0 ||
		sk_X509_CRL_num(a->signer->crls) > 0);
}

static int
says_something(const struct burin_cmc_answer *a)
{
	return a->n_states > 0 || a->n_inside > 0 || has_certs(a) ||
	    a->publication != NULL;
}

/*
 * Section 4.2: who has neither a key nor a secret may say that it has
 * trouble, and that alone.
 */
static int
is_negative(const struct burin_cmc_answer *a)
{
	return a->n_states == 1 && a->states[0].n == 0 &&
	    is_status_of(&a->states[0], BURIN_CMC_INTERNAL_CA_ERROR) &&
	    a->n_challenges + a->n_confirm + a->n_inside == 0 &&
	    a->publication == NULL && !has_certs(a);
}

static int
check_identity(const struct burin_cmc_identity *id, struct burin_error *e)
{
	if (id->secret != NULL && burin_secret_len(id->secret) > 0)
		return cmc_check_text(
		    id->identification, "identification", "6.2.3", e);
	return refuse("secret-missing", "3.2",
	    "there is no secret to authenticate with", e);
}

static int
check_voice(const struct burin_cmc_answer *a, struct burin_error *e)
{
	if (a->publication != NULL && a->publication->identity != NULL &&
	    check_identity(a->publication->identity, e) == -1)
		return -1;
	if (a->signer == NULL) {
		if (a->identity != NULL)
			return check_identity(a->identity, e);
	} else if (a->signer->by == BURIN_CMS_BY_CERT || is_negative(a)) {
		return 0;
	}
	return refuse("signer-missing", "4.2",
	    "a response is signed with a certificate or authenticated with a "
	    "shared secret",
	    e);
}

static int
check_thread(const struct burin_cmc_answer *a, struct burin_error *e)
{
	const struct burin_cmc_heard *to = a->to;

	if (to == NULL)
		return 0;
	if (to->sender_nonce.len > 0 &&
	    (a->nonce == NULL || a->nonce_len == 0 ||
		a->nonce_len > BURIN_CMC_MAX_OCTETS))
		return refuse("nonce-missing", "6.6",
		    "a request with a nonce is answered with a nonce of the "
		    "server (senderNonce)",
		    e);
	if (cmc_check_octets(&to->transaction, "transactionId", "6.6", e) ==
		-1 ||
	    cmc_check_octets(&to->sender_nonce, "recipientNonce", "6.6", e) ==
		-1)
		return -1;
	return cmc_check_octets(&to->data_return, "dataReturn", "6.4", e);
}

int
cmc_check_answer(const struct burin_cmc_answer *a, struct burin_error *e)
{
	if (check_size(a, e) == -1 || check_thread(a, e) == -1 ||
	    cmc_check_octets(&a->response_info, "responseInfo", "6.12", e) ==
		-1 ||
	    check_states(a, e) == -1 || check_challenges(a, e) == -1 ||
	    check_confirm(a, e) == -1 || check_inside(a, e) == -1 ||
	    check_voice(a, e) == -1 || check_publication(a, e) == -1)
		return -1;
	if (says_something(a))
		return 0;
	return refuse("nothing-said", "6.1.1",
	    "the response says nothing: success is left out only when "
	    "something else is there",
	    e);
}
