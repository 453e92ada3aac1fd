/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The certification requests of a message: what an RA or changeSubjectName
 * changes of them, and the certificates (RFC 10002 sections 3.2.1.2, 6.5,
 * 6.21).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "cmc_issue.h"

int
cmc_tally_new(struct cmc_tally *t, size_t n, struct burin_error *e)
{
	memset(t, 0, sizeof(*t));
	if ((t->done = calloc(3 * n, sizeof(*t->done))) == NULL)
		return burin_fail_memory(e);
	t->wait = t->done + n;
	t->confirm = t->wait + n;
	return 0;
}

/* --- what is asked, in the end -----------------------------------------------
 */

static int
apply(struct cmc_work *w, const struct burin_cmc_heard *by,
    const struct cmc_around *from, struct burin_cmc_item *item,
    struct burin_error *e)
{
	const struct burin_cmc_statement *s;
	size_t i;
	int here;

	for (i = 0; i < by->n_statements; i++) {
		s = &by->statements[i];
		if (s->kind != BURIN_CMC_STATES_TEMPLATE &&
		    s->kind != BURIN_CMC_STATES_EXTENSIONS)
			continue;
		here = from == NULL ? (int)s->path.n
				    : cmc_leads_here(&s->path, from, w);
		if (here == 0 && cmc_names_request(s, item->id) &&
		    burin_cmc_item_modify(item, s, &w->why, e) != 0)
			return -1;
	}
	return 0;
}

/* The innermost layer first, so that the outermost has the last word. */
static int
modify(struct cmc_work *w, struct burin_cmc_item *item, struct burin_error *e)
{
	const struct cmc_around *a;

	if (w->is_ra && apply(w, &w->h, NULL, item, e) != 0)
		return -1;
	for (a = w->around; a != NULL; a = a->outer)
		if (apply(w, a->heard, a, item, e) != 0)
			return -1;
	return 0;
}

/* --- issuing ------------------------------------------------------------- */

static int
choose_profile(
    const struct cmc_work *w, const char **out, struct burin_error *e)
{
	const struct invite *invite = cmc_invite(w);
	const struct issued *cert = cmc_cert(w);
	const char *bound = NULL;

	if (invite != NULL)
		bound = invite->profile;
	else if (cert != NULL && !w->is_ra)
		bound = cert->profile;
	if (bound != NULL && w->t->profile != NULL &&
	    strcmp(bound, w->t->profile) != 0)
		return burin_fail(e, BURIN_EAUTHORITY, "profile-refused",
		    "profile %s was agreed, not %s", bound, w->t->profile);
	*out = bound != NULL	      ? bound
	    : w->t->profile != NULL   ? w->t->profile
	    : w->t->otherwise != NULL ? w->t->otherwise
				      : w->s->cnf->profile;
	if (*out != NULL)
		return 0;
	return burin_fail(e, BURIN_EAUTHORITY, "profile-unknown",
	    "neither the invite nor the path names a profile");
}

/* What is the same for all requests of a message. */
static int
begin(const struct cmc_work *w, struct issue_input *in, struct burin_error *e)
{
	const struct issued *cert = cmc_cert(w);

	memset(in, 0, sizeof(*in));
	in->profiles = w->s->profiles;
	in->cnf = w->s->cnf;
	in->principal = w->principal;
	in->invite = cmc_invite(w);
	in->renews = cert != NULL ? cert->cert : NULL;
	in->manual = w->s->cnf->manual || w->waits;
	in->now = w->t->now;
	in->via = w->around != NULL ? w->around->principal : w->t->via;
	in->confirm = w->s->cnf->confirm;
	return choose_profile(w, &in->profile, e);
}

static int
took(struct cmc_work *w, uint32_t id, X509 *cert, int confirm,
    struct cmc_tally *t, struct burin_error *e)
{
	if (confirm) {
		t->confirm[t->n_confirm++] = id;
		if (!X509_add_cert(w->confirm, cert, X509_ADD_FLAG_UP_REF)) {
			X509_free(cert);
			return burin_fail_memory(e);
		}
	} else {
		t->done[t->n_done++] = id;
	}
	if (sk_X509_push(w->certs, cert))
		return 0;
	X509_free(cert);
	return burin_fail_memory(e);
}

int
cmc_issue_one(struct cmc_work *w, const struct issue_input *in, uint32_t id,
    struct cmc_tally *t, struct burin_error *e)
{
	enum issue_outcome outcome;
	X509 *cert = NULL;

	if (issue(w->s->store, w->s->ca, in, &outcome, &cert, e) != 0)
		return cmc_deny(w, &id, 1, NULL, e);
	if (outcome == ISSUE_PENDING) {
		t->wait[t->n_wait++] = id;
		return 0;
	}
	return took(w, id, cert, in->confirm, t, e);
}

/* RFC 6402 section 2.8: the outer names are those of the certificate. */
static int
take_new_name(const struct issue_input *in, struct burin_cmc_item *item,
    struct burin_error *e)
{
	if (!item->renames)
		return 0;
	if (in->renews == NULL) {
		(void)burin_fail(e, BURIN_EAUTHORITY, "name-not-yours",
		    "changeSubjectName changes the names of a certificate, "
		    "and none signs the message");
		return burin_error_rule(e, "RFC 10002 section 6.21");
	}
	if (policy_renewal(&item->asked, in->renews, e) != 0)
		return -1;
	return burin_cmc_item_rename(item, e);
}

/* A request of somebody whom an RA knows is in the RA's own layer. */
static void
whose(const struct cmc_work *w, const struct burin_cmc_item *item,
    struct issue_input *in, char *principal, size_t size)
{
	char hash[CMC_HASH_TEXT];

	if (!w->is_ra || !cmc_states(w, BURIN_CMC_STATES_IDENTITY, item->id))
		return;
	in->renews = NULL;
	in->confirm = 0; /* who asks simply cannot accept it */
	cmc_hash_text(item->sha256, hash);
	(void)snprintf(principal, size, "%s for %s", w->ra_name, hash);
	in->principal = principal;
}

static int
issue_item(struct cmc_work *w, struct issue_input in,
    struct burin_cmc_item *item, struct cmc_tally *t, struct burin_error *e)
{
	char principal[CMC_PRINCIPAL];

	whose(w, item, &in, principal, sizeof(principal));
	if (take_new_name(&in, item, e) != 0)
		return cmc_deny(w, &item->id, 1, item->sha256, e);
	in.asked = &item->asked;
	in.request = item->sha256;
	in.der = item->der;
	in.der_len = item->der_len;
	in.form = item->form == BURIN_CMC_PKCS10 ? "pkcs10" : "crmf";
	in.renamed = item->renames;
	in.revocation = item->revocation;
	return cmc_issue_one(w, &in, item->id, t, e);
}

int
cmc_tell(struct cmc_work *w, const struct cmc_tally *t, struct burin_error *e)
{
	if (t->n_done > 0 &&
	    cmc_tell_of(w, BURIN_CMC_SUCCESS, BURIN_CMC_FAIL_NONE, t->done,
		t->n_done, e, NULL) != 0)
		return -1;
	if (t->n_confirm == 0)
		return 0;
	return cmc_tell_of(w, BURIN_CMC_CONFIRM_REQUIRED, BURIN_CMC_FAIL_NONE,
	    t->confirm, t->n_confirm, e, NULL);
}

/* --- all of it ----------------------------------------------------------- */

static int
issue_all(struct cmc_work *w, struct burin_error *e)
{
	unsigned char use[CA_SHA256];
	struct issue_input in;
	struct cmc_tally t;
	size_t i;
	int rc = -1;

	if (begin(w, &in, e) != 0)
		return cmc_deny(w, NULL, 0, NULL, e);
	if (cmc_sha256(w->h.reqs, w->h.reqs_len, use, e) != 0)
		return -1;
	in.use = w->h.simple ? NULL : use;
	if (cmc_tally_new(&t, w->h.n_items, e) != 0)
		return -1;
	for (i = 0; i < w->h.n_items; i++)
		if (issue_item(w, in, &w->h.items[i], &t, e) != 0)
			goto out;
	if (cmc_wait(w, &in, use, &t, e) == 0 && cmc_tell(w, &t, e) == 0)
		rc = 0;
out:
	free(t.done);
	return rc;
}

static int
nobody(struct cmc_work *w, struct burin_error *e)
{
	size_t i;

	if (w->speaker != CMC_SPEAKER_NONE)
		return 0;
	for (i = 0; i < w->h.n_items; i++)
		if (!cmc_states(w, BURIN_CMC_STATES_IDENTITY, w->h.items[i].id))
			break;
	if (i == w->h.n_items)
		return 0;
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_IDENTITY;
	w->why.n = 1;
	w->why.parts[0] = w->h.items[i].id;
	(void)burin_fail(e, BURIN_EAUTHORITY, "identity-missing",
	    "nothing says who asks: no certificate of this authority, no "
	    "proof of a shared secret");
	return burin_error_rule(e, "RFC 10002 section 6.2");
}

int
cmc_requests(struct cmc_work *w, struct burin_error *e)
{
	size_t i;
	int r;

	if (w->h.n_items == 0)
		return 0;
	if (nobody(w, e) != 0)
		return -1;
	for (i = 0; i < w->h.n_items; i++)
		if (modify(w, &w->h.items[i], e) != 0)
			return -1;
	if (cmc_mail_check(w, e) != 0)
		return -1;
	if (burin_cmc_hear_pops(&w->h, w->s->pop_key, w->s->pop_cert, e) != 0)
		return -1;
	if ((r = cmc_pops(w, e)) <= 0)
		return r;
	return issue_all(w, e);
}
