/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an RA does with a message: holds it against what it knows, says of it
 * what it verified, passes it on as it is, and gives back the answer of the
 * CA as it came (RFC 10002 section 7). What it cannot judge it says nothing
 * of: the CA has the last word.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "cmc_pass.h"

/* What is said about a message. */
struct saying {
	struct burin_cmc_vouch list[RA_MAX_VOUCHES];
	size_t n;
	uint32_t *pops; /* of the requests whose proof only we can see */
	size_t n_pops;
	/* what the invite says and the request leaves out, of each request */
	X509_NAME **subjects;
	STACK_OF(X509_EXTENSION) * *extensions;
};

static void
saying_clear(const struct cmc_work *w, struct saying *s)
{
	size_t i;

	for (i = 0; i < w->h.n_items; i++) {
		if (s->subjects != NULL)
			X509_NAME_free(s->subjects[i]);
		if (s->extensions != NULL)
			sk_X509_EXTENSION_pop_free(
			    s->extensions[i], X509_EXTENSION_free);
	}
	free(s->subjects);
	free(s->extensions);
	free(s->pops);
}

static int
saying_new(const struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	size_t n = w->h.n_items + 1;

	memset(s, 0, sizeof(*s));
	s->pops = calloc(n, sizeof(*s->pops));
	s->subjects = calloc(n, sizeof(*s->subjects));
	s->extensions = calloc(n, sizeof(*s->extensions));
	if (s->pops != NULL && s->subjects != NULL && s->extensions != NULL)
		return 0;
	return burin_fail_memory(e);
}

static struct burin_cmc_vouch *
say(struct saying *s, enum burin_cmc_statement_kind kind, struct burin_error *e)
{
	if (s->n == RA_MAX_VOUCHES) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "message-too-much",
		    "more would have to be said about the requests of one "
		    "message than an RA says");
		(void)burin_error_rule(e, "RFC 10002 section 7");
		return NULL;
	}
	s->list[s->n].kind = kind;
	return &s->list[s->n++];
}

/* --- who asks ------------------------------------------------------------- */

/* By a secret of ours, or by what HTTP and TLS say: the CA cannot see that. */
static int
is_known_here(const struct cmc_work *w)
{
	return w->speaker == CMC_SPEAKER_INVITE ||
	    (w->speaker == CMC_SPEAKER_CERT && w->cert.cert == NULL);
}

/* What goes on to other RAs, or to the CA, without anything about it. */
static int
is_unjudged(const struct cmc_work *w)
{
	return w->is_ra || w->speaker == CMC_SPEAKER_NONE;
}

static int
somebody(const struct cmc_work *w, struct burin_error *e)
{
	const struct burin_cmc_heard *h = &w->h;

	if (w->speaker != CMC_SPEAKER_NONE || h->n_items == 0 || h->has_proof ||
	    h->has_random || h->by == BURIN_CMC_BY_SECRET ||
	    h->by == BURIN_CMC_BY_CERT)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "identity-missing",
	    "nothing says who asks: no certificate, no proof of a shared "
	    "secret");
	return burin_error_rule(e, "RFC 10002 section 6.2");
}

static int
say_identity(const struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	if (!is_known_here(w))
		return 0;
	return say(s, BURIN_CMC_STATES_IDENTITY, e) != NULL ? 0 : -1;
}

/* --- proofs --------------------------------------------------------------- */

static int
say_pops(const struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	struct burin_cmc_vouch *v;
	size_t i;

	for (i = 0; i < w->h.n_items; i++) {
		const struct burin_cmc_item *item = &w->h.items[i];

		/* All of them are proved, or the CA's to judge. */
		if (item->anybody || cmc_pop_is_for_ca(w, item))
			continue;
		s->pops[s->n_pops++] = item->id;
	}
	if (s->n_pops == 0)
		return 0;
	if ((v = say(s, BURIN_CMC_STATES_POP, e)) == NULL)
		return -1;
	v->ids = s->pops;
	v->n_ids = s->n_pops;
	return 0;
}

/* The nonce is one that we gave with a challenge: no other server knows it. */
static int
say_nonce(const struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	struct burin_cmc_vouch *v;

	if (!w->nonce_ours || w->h.nonce_part == 0)
		return 0;
	if ((v = say(s, BURIN_CMC_STATES_PROCESSED, e)) == NULL)
		return -1;
	v->path.ids[0] = w->h.nonce_part;
	v->path.n = 1;
	return 0;
}

/* --- policy --------------------------------------------------------------- */

const char *
cmc_pass_profile(const struct cmc_work *w)
{
	const struct invite *invite = cmc_invite(w);
	const struct issued *cert = cmc_cert(w);

	if (cert != NULL && cert->profile != NULL)
		return strcmp(cert->profile, NO_PROFILE) != 0 ? cert->profile
							      : NULL;
	return invite != NULL && invite->profile != NULL ? invite->profile
							 : w->t->profile;
}

/* What the invite says is put where the request says nothing. */
static int
fill(struct saying *s, size_t i, struct burin_cmc_item *item,
    const struct burin_profile *p, const struct invite *invite,
    struct burin_error *e)
{
	struct burin_cmc_vouch *v;
	int k;

	if (policy_fill(&item->asked, p, invite, &s->subjects[i],
		&s->extensions[i], e) != 0)
		return -1;
	if (s->subjects[i] == NULL && s->extensions[i] == NULL)
		return 0;
	if (sk_X509_EXTENSION_num(item->asked.extensions) +
		sk_X509_EXTENSION_num(s->extensions[i]) >
	    BURIN_MAX_EXTENSIONS)
		return burin_fail(e, BURIN_EAUTHORITY, "extension-refused",
		    "with its names the request has more than %d extensions",
		    BURIN_MAX_EXTENSIONS);
	if ((v = say(s, BURIN_CMC_STATES_TEMPLATE, e)) == NULL)
		return -1;
	v->ids = &item->id;
	v->n_ids = 1;
	v->subject = s->subjects[i];
	v->extensions = s->extensions[i];
	if (s->subjects[i] != NULL) {
		X509_NAME_free(item->asked.subject);
		item->asked.subject = X509_NAME_dup(s->subjects[i]);
	}
	for (k = 0; k < sk_X509_EXTENSION_num(s->extensions[i]); k++)
		if (X509v3_add_ext(&item->asked.extensions,
			sk_X509_EXTENSION_value(s->extensions[i], k),
			-1) == NULL)
			return burin_fail_memory(e);
	return item->asked.subject != NULL ? 0 : burin_fail_memory(e);
}

/*
 * Whom TLS names the CA does not see: that the certificate still stands is
 * ours to know.
 */
static int
check_shown(struct cmc_work *w, struct burin_error *e)
{
	X509 *cert = cmc_cert(w)->cert;
	X509_REVOKED *entry = NULL;
	X509_CRL *crl;
	int found;

	if (ra_crl(w->s->ra, w->t->now, &crl, e) != 0) {
		e->status = BURIN_EINTERRUPTED;
		w->later = 1;
		return -1;
	}
	found = X509_CRL_get0_by_cert(crl, &entry, cert);
	X509_CRL_free(crl);
	/* 2: removeFromCRL. */
	return found != 1
	    ? 0
	    : burin_fail(e, BURIN_EAUTHORITY, "certificate-revoked",
		  "the client certificate was revoked");
}

/* What was agreed holds, whatever the path says. */
static int
check_profile(const struct cmc_work *w, const char *name, struct burin_error *e)
{
	if (w->t->profile == NULL ||
	    (name != NULL && strcmp(name, w->t->profile) == 0))
		return 0;
	return burin_fail(e, BURIN_EAUTHORITY, "profile-refused",
	    "profile %s was agreed, not %s", name != NULL ? name : "of the CA",
	    w->t->profile);
}

static int
check_item(struct cmc_work *w, struct saying *s, size_t i,
    const struct burin_profile *p, struct burin_error *e)
{
	struct burin_cmc_item *item = &w->h.items[i];
	const struct invite *invite = cmc_invite(w);

	if (p != NULL ? policy_key(&item->asked, p, e) != 0
		      : policy_sound_key(item->asked.pub, e) != 0)
		return -1;
	if (invite == NULL)
		return policy_renewal(&item->asked, cmc_cert(w)->cert, e);
	if (fill(s, i, item, p, invite, e) != 0)
		return -1;
	return policy_invite(&item->asked, p, invite, e);
}

static int
check_items(struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	const char *name = cmc_pass_profile(w);
	struct burin_profile *p = NULL;
	size_t i;
	int rc = 0;

	if (check_profile(w, name, e) != 0)
		return -1;
	if (name != NULL && policy_profile(w->s->profiles, name, &p, e) != 0)
		return -1;
	for (i = 0; i < w->h.n_items && rc == 0; i++)
		rc = check_item(w, s, i, p, e);
	burin_profile_free(&p);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int
other_name(struct burin_error *e, const char *why)
{
	(void)burin_fail(e, BURIN_EAUTHORITY, "identity-refused", "%s", why);
	return burin_error_rule(e, "RFC 10002 section 6.2.3");
}

/* The CA knows by the name in the message whom we mean. */
static int
check_name(const struct cmc_work *w, struct burin_error *e)
{
	const struct invite *invite = cmc_invite(w);
	const char *name = w->h.identification;

	if (!is_known_here(w))
		return 0;
	if (w->cert.cert != NULL)
		return other_name(e,
		    "a message that a certificate signs is its holder's: it "
		    "needs no secret of this registration authority");
	if (name == NULL || (invite != NULL && strcmp(name, invite->name) == 0))
		return 0;
	return other_name(e,
	    "identification names somebody else than who asks by HTTP or TLS");
}

static int
judge(struct cmc_work *w, struct saying *s, struct burin_error *e)
{
	int r;

	if (is_unjudged(w))
		return 1;
	if (check_name(w, e) != 0 ||
	    (is_known_here(w) && cmc_invite(w) == NULL &&
		check_shown(w, e) != 0))
		return -1;
	if (w->h.n_items > 0) {
		if (burin_cmc_hear_pops(
			&w->h, w->s->pop_key, w->s->pop_cert, e) != 0)
			return -1;
		if ((r = cmc_pops(w, e)) <= 0)
			return r;
		if (is_known_here(w) && check_items(w, s, e) != 0)
			return -1;
	}
	if (say_identity(w, s, e) != 0 || say_pops(w, s, e) != 0 ||
	    say_nonce(w, s, e) != 0 || cmc_pass_reserve(w, e) != 0)
		return -1;
	return 1;
}

int
cmc_pass_on(struct cmc_work *w, struct burin_error *e)
{
	struct ra_item item = { .der = w->h.message,
		.len = w->h.message_len,
		.profile = cmc_pass_profile(w) };
	struct saying s;
	int r, rc = -1;

	if (w->h.message_len > RA_MAX_MESSAGE) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "message-too-long",
		    "a message of more than %d bytes is not passed on",
		    RA_MAX_MESSAGE);
		return burin_error_rule(e, "RFC 10002 section 7");
	}
	if ((r = cmc_poll_simple(w, e)) != 0)
		return r < 0 ? -1 : 0;
	if (saying_new(w, &s, e) != 0)
		goto out;
	if (somebody(w, e) != 0 || (r = judge(w, &s, e)) < 0)
		goto out;
	rc = 0;
	if (r == 0)
		goto out; /* the answer is a challenge, or says what is wrong */
	item.vouches = s.list;
	item.n_vouches = s.n;
	rc = w->h.simple ? cmc_pass_simple(w, &item, e)
			 : cmc_pass_full(w, &item, e);
out:
	saying_clear(w, &s);
	ra_item_clear(&item);
	return rc;
}
