/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * checked -> written -> confirmed -> done: the certificate goes next to its
 * key and is read back from a new session.
 */

#include <stdio.h>

#include "dialect.h"

/*
 * That it was to be written is committed (state checked): a certificate that
 * is there already is the one of a process that died, and is compared only.
 */
int
step_write(struct walk *w, enum job_state *next, struct burin_error *e)
{
	if (walk_key(w, e) != 0 ||
	    burin_cert_write(w->r->key, w->r->cert, NULL,
		w->plan.replace ? BURIN_OTHERS_REPLACE : BURIN_OTHERS_REFUSE,
		e) != 0)
		return -1;
	(void)snprintf(
	    w->text, sizeof(w->text), "certificate written to the token");
	*next = JOB_WRITTEN;
	return 0;
}

/*
 * The message is committed before it leaves: the authority may hear it, and
 * say so to nobody. Then the same one gets the same answer, where a new one
 * would be about a certificate that waits no longer.
 */
static int
say_taken(struct walk *w, enum job_state *next, struct burin_error *e)
{
	if (walk_dialect(w)->accept(w, w->r->cert, e) != 0)
		return -1;
	w->job->confirm = CONFIRM_SAID;
	/* Nobody has answered yet what was not said before. */
	w->en->response_file = NULL;
	(void)snprintf(
	    w->text, sizeof(w->text), "the authority is to hear of it");
	*next = JOB_WRITTEN;
	return 0;
}

int
step_confirm(struct walk *w, enum job_state *next, struct burin_error *e)
{
	const struct dialect *d = walk_dialect(w);
	int wanted = d->accept != NULL && w->job->confirm != CONFIRM_NOT;

	if (wanted && w->job->confirm == CONFIRM_WANTED)
		return say_taken(w, next, e);
	if (wanted && d->confirm(w, e) != 0)
		return -1;
	(void)snprintf(w->text, sizeof(w->text),
	    "read back from a new session and compared%s",
	    wanted ? "; the authority was told" : "");
	*next = JOB_CONFIRMED;
	return 0;
}

int
step_finish(struct walk *w, enum job_state *next, struct burin_error *e)
{
	if (w->plan.consumer_check) {
		if (w->en->consumer_check == NULL)
			return burin_fail(e, BURIN_EINTERNAL,
			    "consumer-check-missing",
			    "the check by a consumer is not available here");
		if (w->en->consumer_check(w->en->arg, w->job->key_uri, e) != 0)
			return -1;
	}
	(void)snprintf(w->text, sizeof(w->text), "%s",
	    w->plan.consumer_check ? "used by a consumer"
				   : "the identity is installed");
	*next = JOB_DONE;
	return 0;
}
