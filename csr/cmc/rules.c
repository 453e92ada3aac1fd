/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Full PKI Request of ours may not say: RFC 10002 sections 3.2 and 6.
 * A server would refuse it later and with fewer words.
 */

#include <string.h>

#include "../internal.h"
#include "make.h"
#include "proofs.h"

static int
refuse(const char *code, const char *section, const char *why,
    struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, code, "%s", why);
	return burin_error_rule(e, "RFC 10002 section %s", section);
}

/* --- texts and octets ----------------------------------------------------- */

static int
check_octets(const struct burin_cmc_octets *o, const char *what,
    const char *section, struct burin_error *e)
{
	if (o->len <= BURIN_CMC_MAX_OCTETS)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "octets-too-long",
	    "%s is longer than %d bytes", what, BURIN_CMC_MAX_OCTETS);
	return burin_error_rule(e, "RFC 10002 section %s", section);
}

static int
check_text(const char *text, const char *what, const char *section,
    struct burin_error *e)
{
	size_t len = text != NULL ? strlen(text) : 1;

	if (text == NULL ||
	    (len > 0 && len <= BURIN_MAX_TEXT && csr_is_clean(text, len)))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "text-malformed",
	    "%s is empty, longer than %d bytes, has control characters or is "
	    "no UTF-8",
	    what, BURIN_MAX_TEXT);
	return burin_error_rule(e, "RFC 10002 section %s", section);
}

static int
check_all_octets(const struct burin_cmc_ask *ask, struct burin_error *e)
{
	const struct burin_cmc_thread *t = ask->thread;

	if (check_octets(&ask->data_return, "dataReturn", "6.4", e) == -1 ||
	    check_octets(&ask->reg_info, "regInfo", "6.12", e) == -1 ||
	    check_octets(&ask->pend_token, "pendToken", "6.13", e) == -1)
		return -1;
	if (t == NULL)
		return 0;
	if (check_octets(&t->transaction, "transactionId", "6.6", e) == -1 ||
	    check_octets(&t->sent, "senderNonce", "6.6", e) == -1 ||
	    check_octets(&t->received, "recipientNonce", "6.6", e) == -1)
		return -1;
	return check_octets(&t->pop_random, "popLinkRandom", "6.3.1.3", e);
}

/* --- who speaks ----------------------------------------------------------- */

static int
has_secret(const struct burin_secret *s)
{
	return s != NULL && burin_secret_len(s) > 0;
}

static int
check_identity(const struct burin_cmc_ask *ask, struct burin_error *e)
{
	const struct burin_cmc_identity *id = ask->identity;

	if (id == NULL) {
		if (ask->protect != BURIN_CMC_AUTHENTICATED)
			return 0;
		return refuse("secret-missing", "3.2",
		    "a message that is authenticated needs the secret that is "
		    "shared with the authority",
		    e);
	}
	if (!has_secret(id->secret))
		return refuse("secret-missing", "6.2",
		    "identity is proved with a secret, and there is none", e);
	return check_text(id->identification, "identification", "6.2.3", e);
}

static enum burin_cms_by
signed_by(const struct burin_cmc_ask *ask)
{
	return ask->signer != NULL ? ask->signer->by : BURIN_CMS_BY_NOBODY;
}

/*
 * A poll, a confirmation or the end of a challenge goes on where an earlier
 * message began; the key's request was in that one.
 */
static int
goes_on(const struct burin_cmc_ask *ask)
{
	return ask->pend_token.len > 0 || ask->confirm != NULL ||
	    ask->abort_pop != 0;
}

/* Section 3.2: the key is found by the SKI a request asks for. */
static int
check_key_signer(const struct burin_cmc_ask *ask,
    const struct cmc_requests *reqs, struct burin_error *e)
{
	const struct burin_cms_signer *s = ask->signer;
	const struct cmc_request *r = NULL;
	size_t i;

	if (reqs->n == 0 && goes_on(ask))
		return 0;
	for (i = 0; i < reqs->n && r == NULL && s->key_id != NULL; i++) {
		if (cmc_asks_for_key_id(
			&reqs->list[i].asked, s->key_id, s->key_id_len))
			r = &reqs->list[i];
	}
	if (r == NULL) {
		(void)refuse("signer-not-in-request", "3.2",
		    "a message that is signed by a key without a certificate "
		    "holds a request with that key's subjectKeyIdentifier, and "
		    "this one does not",
		    e);
		return burin_error_advice(e,
		    "ask for the extension subjectKeyIdentifier, or sign with "
		    "a certificate");
	}
	if (s->pub != NULL && !cmc_asks_for_key(&r->asked, s->pub))
		return refuse("signer-not-in-request", "3.2",
		    "the request with the signer's subjectKeyIdentifier is for "
		    "another key",
		    e);
	if (s->by == BURIN_CMS_BY_KEY && r->pop != BURIN_POP_SIGNATURE)
		return refuse("signer-without-signature", "3.2",
		    "the message cannot be signed by a key whose own request "
		    "is not signed: another key, a shared secret or "
		    "id-alg-noSignature has to protect it",
		    e);
	return 0;
}

static int
has_other_parts(const struct burin_cmc_ask *ask, size_t n_reqs)
{
	return n_reqs > 0 || goes_on(ask) || ask->n_pops > 0 ||
	    ask->publish != NULL;
}

/*
 * What needs no signature: a revocation with its own secret (section 6.11),
 * and looking up what is public anyway (6.9, 6.10).
 */
static int
may_be_unsigned(const struct burin_cmc_ask *ask, size_t n_reqs)
{
	if (ask->revoke != NULL)
		return has_secret(ask->revoke->secret);
	return ask->get_issuer != NULL && !has_other_parts(ask, n_reqs);
}

/* Of a key that only decrypts, nothing is signed: appendix C. */
static int
check_signer(const struct burin_cmc_ask *ask, const struct cmc_requests *reqs,
    struct burin_error *e)
{
	if (ask->protect == BURIN_CMC_AUTHENTICATED)
		return 0;
	switch (signed_by(ask)) {
	case BURIN_CMS_BY_KEY:
	case BURIN_CMS_UNSIGNED:
		return check_key_signer(ask, reqs, e);
	case BURIN_CMS_BY_NOBODY:
		if (!may_be_unsigned(ask, reqs->n))
			return refuse("signer-missing", "3.2",
			    "nobody signs the message: only a revocation with "
			    "its own secret, getCert and getCRL go without",
			    e);
		break;
	case BURIN_CMS_BY_CERT:
		break;
	}
	return 0;
}

/* --- what is asked -------------------------------------------------------- */

static int
check_revocation(
    const struct burin_cmc_ask *ask, size_t n_reqs, struct burin_error *e)
{
	const struct burin_cmc_revocation *r = ask->revoke;
	int by_nobody = ask->protect == BURIN_CMC_SIGNED &&
	    signed_by(ask) == BURIN_CMS_BY_NOBODY;

	if (r == NULL)
		return 0;
	/* RFC 5280 section 5.3.1: 7 is not used. */
	if (r->issuer == NULL || r->serial == NULL || r->reason < 0 ||
	    r->reason > 10 || r->reason == 7)
		return refuse("revocation-malformed", "6.11",
		    "a revocation names an issuer, a serial number and a "
		    "reason of RFC 5280 section 5.3.1",
		    e);
	if (check_text(r->comment, "the comment", "6.11", e) == -1)
		return -1;
	if (r->secret == NULL)
		return 0;
	if (!by_nobody)
		return refuse("revocation-signed", "6.11",
		    "a revocation with its own secret is not signed: the "
		    "secret stands for the signature",
		    e);
	if (ask->get_issuer != NULL || has_other_parts(ask, n_reqs))
		return refuse("signer-missing", "3.2",
		    "nobody signs a revocation with its own secret, so "
		    "nothing else can go with it",
		    e);
	return 0;
}

static int
check_retrieval(const struct burin_cmc_ask *ask, struct burin_error *e)
{
	if (ask->get_crl && ask->get_serial != NULL)
		return refuse("retrieval-both", "6.9",
		    "a message asks for a certificate or for a revocation "
		    "list, not for both",
		    e);
	if (ask->get_issuer == NULL && (ask->get_crl || ask->get_serial))
		return refuse("retrieval-malformed",
		    ask->get_crl ? "6.10" : "6.9",
		    "what is asked for is named by its issuer, and there is "
		    "none",
		    e);
	if (ask->get_issuer != NULL && !ask->get_crl && !ask->get_serial)
		return refuse("retrieval-malformed", "6.9",
		    "a certificate is named by issuer and serial number, and "
		    "there is no serial number",
		    e);
	return 0;
}

/* RFC 4211 section 6.3: places are for what is to be published. */
static int
check_publication(const struct burin_cmc_ask *ask, struct burin_error *e)
{
	int n = sk_X509_num(ask->publish);

	if (ask->publish != NULL && (n < 1 || n > BURIN_CMC_MAX_PARTS))
		return refuse("publication-malformed", "6.18",
		    "no certificate is named that is to be published, or too "
		    "many are",
		    e);
	if ((ask->publish == NULL || ask->unpublish) &&
	    (ask->publish_place != BURIN_CMC_ANYWHERE ||
		ask->publish_uri != NULL))
		return refuse("publication-malformed", "6.18",
		    "a place is named, and nothing is to be published there",
		    e);
	/* An IA5String. */
	if (ask->publish_uri != NULL &&
	    !csr_is_ascii(ask->publish_uri, strlen(ask->publish_uri)))
		return refuse("publication-malformed", "6.18",
		    "the address of a place to publish at is ASCII", e);
	return check_text(
	    ask->publish_uri, "the place to publish at", "6.18", e);
}

static int
is_request(const struct cmc_requests *reqs, uint32_t id)
{
	size_t i;

	for (i = 0; i < reqs->n; i++) {
		if (reqs->list[i].id == id)
			return 1;
	}
	return 0;
}

static int
check_pops(const struct burin_cmc_ask *ask, const struct cmc_requests *reqs,
    struct burin_error *e)
{
	const struct burin_cmc_pop *p;
	size_t i;

	if (ask->n_pops > BURIN_CMC_MAX_REQUESTS)
		return refuse("pop-count", "6.7",
		    "there are more proofs of possession than requests", e);
	for (i = 0; i < ask->n_pops; i++) {
		p = &ask->pops[i];
		if (!is_request(reqs, p->id))
			return refuse("pop-request", "6.7",
			    "a proof of possession names a request that is "
			    "not in the message (bodyPartID)",
			    e);
		if (p->value_len == 0 || p->value_len > sizeof(p->value) ||
		    cmc_hmac_by_oid(p->algorithm, 1) == NULL)
			return refuse("pop-malformed", "6.7",
			    "a proof of possession is empty, too long or of "
			    "an unknown algorithm (thePOPAlgID)",
			    e);
	}
	return 0;
}

static int
check_link(
    const struct burin_cmc_ask *ask, size_t n_reqs, struct burin_error *e)
{
	if (!ask->link ||
	    (n_reqs > 0 && ask->thread != NULL &&
		ask->thread->pop_random.len > 0))
		return 0;
	return refuse("random-missing", "6.3.1.3",
	    "popLinkRandom belongs to the requests of a message, and one of "
	    "both is missing",
	    e);
}

static int
check_something(
    const struct burin_cmc_ask *ask, size_t n_reqs, struct burin_error *e)
{
	if (n_reqs > 0 || goes_on(ask) || ask->revoke != NULL ||
	    ask->get_issuer != NULL || ask->publish != NULL ||
	    ask->reg_info.len > 0 || ask->data_return.len > 0)
		return 0;
	return refuse("nothing-asked", "3.2", "the message asks nothing", e);
}

int
cmc_check_ask(const struct burin_cmc_ask *ask, const struct cmc_requests *reqs,
    struct burin_error *e)
{
	if (check_all_octets(ask, e) == -1 || check_identity(ask, e) == -1 ||
	    check_pops(ask, reqs, e) == -1 ||
	    check_link(ask, reqs->n, e) == -1 ||
	    check_retrieval(ask, e) == -1 || check_publication(ask, e) == -1 ||
	    check_something(ask, reqs->n, e) == -1 ||
	    check_revocation(ask, reqs->n, e) == -1)
		return -1;
	if (ask->pend_token.len > 0 && reqs->n > 0)
		return refuse("poll-with-requests", "6.13",
		    "a poll (queryPending) holds no certification requests: "
		    "they would be new ones",
		    e);
	/* Ids of controls begin behind it. */
	if (ask->abort_pop > UINT32_MAX - BURIN_CMC_MAX_PARTS)
		return refuse("body-part", "3.2.2",
		    "the number of a body part is too large", e);
	return check_signer(ask, reqs, e);
}
