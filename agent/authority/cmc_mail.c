/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is different for a message that came by mail: the address it is from
 * is held against those of its requests (RFC 2312 section 5.2).
 */

#include "cmc_work.h"
#include "intake.h"

/* The addresses that would be certified are those of whom it is from. */
static int
is_of(const char *from, const struct burin_cmc_item *item)
{
	GENERAL_NAMES *names;
	int critical = 0, same;

	/* changeSubjectName: all of the new names take the place of all. */
	if (item->renames)
		return intake_names_are(
		    from, item->new_subject, item->new_names);
	names = X509V3_get_d2i(
	    item->asked.extensions, NID_subject_alt_name, &critical, NULL);
	/* -1: there is none; else it cannot be read. */
	same = (names != NULL || critical == -1) &&
	    intake_names_are(from, item->asked.subject, names);
	GENERAL_NAMES_free(names);
	return same;
}

static int
refuse(struct cmc_work *w, uint32_t id, struct burin_error *e)
{
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_IDENTITY;
	w->why.n = 1;
	w->why.parts[0] = id;
	(void)burin_fail(e, BURIN_EAUTHORITY, "mail-from",
	    "the mail is from %s, and the request is not for this address "
	    "alone",
	    w->t->from);
	(void)burin_error_rule(e, "RFC 2312 section 5.2");
	return burin_error_advice(
	    e, "ask for the address that the mail is sent from");
}

/* An RA speaks for others: by it they are known, not by this mail. */
int
cmc_mail_check(struct cmc_work *w, struct burin_error *e)
{
	size_t i;

	if (w->t->from == NULL || w->is_ra || w->around != NULL ||
	    w->s->cnf->mail_from == MAIL_FROM_ACCEPT)
		return 0;
	for (i = 0; i < w->h.n_items; i++) {
		if (is_of(w->t->from, &w->h.items[i]))
			continue;
		if (w->s->cnf->mail_from == MAIL_FROM_REFUSE)
			return refuse(w, w->h.items[i].id, e);
		w->waits = 1;
	}
	return 0;
}
