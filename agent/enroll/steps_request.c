/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * key-made -> requested: the request, in the words of the dialect.
 */

#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "dialect.h"

/* --- renewals ---------------------------------------------------------- */

static int
pick_old_cert(struct walk *w, STACK_OF(X509) * certs, struct burin_error *e)
{
	X509 *x = burin_certs_for_key(certs, burin_key_public(w->old_key));

	if (x == NULL) {
		burin_fail(e, BURIN_ETOKEN, "certificate-missing",
		    "the key to be renewed has no certificate on its token");
		return burin_error_advice(
		    e, "enrol without --reenroll, with --user and --secret");
	}
	if (!X509_up_ref(x))
		return burin_fail_memory(e);
	w->old_cert = x;
	return 0;
}

int
walk_old(struct walk *w, struct burin_error *e)
{
	struct burin_id_use use = { 0, NULL };
	int rc;

	if (w->old_cert != NULL)
		return 0;
	if (w->plan.key != NULL &&
	    strcmp(w->plan.key, w->plan.reenroll_key) == 0) {
		if (walk_key(w, e) != 0 || walk_present(w, e) != 0)
			return -1;
		w->old_key = burin_key_ref(w->r->key);
		return pick_old_cert(w, w->present, e);
	}
	if (burin_key_find(w->en->p11, w->plan.reenroll_key, &w->old_key, e) !=
		0 ||
	    burin_key_id_use(w->old_key, &use, e) != 0)
		return -1;
	rc = pick_old_cert(w, use.certs, e);
	sk_X509_pop_free(use.certs, X509_free);
	return rc;
}

/*
 * Subject and names of a renewal are those of the certificate renewed (RFC
 * 7030 section 4.2.2), unless the plan has its own.
 */
static int
add_old_names(struct walk *w, struct burin_subject *s, struct burin_error *e)
{
	char **sans = NULL, *dn = NULL;
	size_t i;
	int rc = -1;

	if (walk_old(w, e) != 0)
		return -1;
	if ((dn = burin_dn_text(X509_get_subject_name(w->old_cert))) == NULL ||
	    (sans = burin_cert_sans(w->old_cert)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (burin_subject_set_dn(s, dn, e) != 0)
		goto out;
	for (i = 0; sans[i] != NULL; i++)
		if (burin_subject_add_san(s, sans[i], e) != 0) {
			burin_error_advice(e,
			    "this name of the old certificate cannot be asked "
			    "for again; give the names with --subject and "
			    "--san");
			goto out;
		}
	rc = 0;
out:
	free(dn);
	burin_texts_free(&sans);
	return rc;
}

/*
 * Other names than those of the old certificate: it vouches for the request
 * by its names, so these stay, and the new ones go beside them.
 */
static int
change_names(struct walk *w, struct burin_subject *s, struct burin_error *e)
{
	if (walk_old(w, e) != 0)
		return -1;
	return burin_cmc_rename(s, w->old_cert, w->plan.legacy, &w->renamed, e);
}

static int
settle_names(struct walk *w, struct burin_subject *s, struct burin_error *e)
{
	const struct plan *p = &w->plan;

	if (p->reenroll_key == NULL)
		return 0;
	if (plan_names_nobody(p))
		return add_old_names(w, s, e);
	if (!plan_speaks_cmc(p) && !transport_keeps_names(p->protocol))
		return 0;
	/* Prefixes are no name: they go with those that are there. */
	return (p->dn == NULL || p->dn[0] == '\0') && p->identity == NULL &&
		p->sans.n == 0
	    ? add_old_names(w, s, e)
	    : change_names(w, s, e);
}

/* --- the request ------------------------------------------------------- */

int
step_request(struct walk *w, enum job_state *next, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	if (walk_key(w, e) != 0 || plan_subject(&w->plan, &s, e) != 0 ||
	    settle_names(w, s, e) != 0 ||
	    plan_attest(&w->plan, w->r->key, s, e) != 0 ||
	    walk_dialect(w)->request(w, s, e) != 0)
		goto out;
	if (w->text[0] == '\0')
		(void)snprintf(w->text, sizeof(w->text),
		    "request of %zu bytes signed on the token and verified%s",
		    w->job->request.len,
		    w->renamed ? ", for other names (changeSubjectName)" : "");
	*next = JOB_REQUESTED;
	rc = 0;
out:
	burin_subject_free(&s);
	return rc;
}
