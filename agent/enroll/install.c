/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates given by hand: the same checks, the same writing and reading
 * back as in an enrolment, in one go.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "steps.h"

static void
add_step(struct engine *en, struct engine_report *r, enum job_state state,
    const char *text, struct timespec *at, unsigned long *calls)
{
	struct engine_step *s = &r->steps[r->n_steps++];
	struct burin_p11_calls now;
	struct timespec t;
	struct engine_event ev;

	burin_p11_calls(en->p11, &now);
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	(void)snprintf(s->state, sizeof(s->state), "%s", job_state_name(state));
	(void)snprintf(s->text, sizeof(s->text), "%s", text);
	s->seconds = (double)(t.tv_sec - at->tv_sec) +
	    (double)(t.tv_nsec - at->tv_nsec) / 1e9;
	s->calls = now.total - *calls;
	r->seconds += s->seconds;
	r->calls += s->calls;
	*at = t;
	*calls = now.total;
	if (en->progress == NULL)
		return;
	memset(&ev, 0, sizeof(ev));
	ev.job = "";
	ev.state = s->state;
	ev.text = s->text;
	ev.seconds = s->seconds;
	ev.calls = s->calls;
	en->progress(en->arg, &ev);
}

/* What the user takes upon himself stays visible, as a warning. */
static void
forgive(struct burin_checks *c, const char *id)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->list[i].id, id) == 0 &&
		    c->list[i].level == BURIN_FAIL)
			c->list[i].level = BURIN_WARN;
}

static int
check(const struct install_input *in, X509 *cert, struct engine_report *r,
    struct burin_error *e)
{
	struct burin_check_input ci;

	if (in->anchors == NULL && !in->force_untrusted) {
		burin_fail(e, BURIN_EUSAGE, "trust-missing",
		    "no trust anchor to check the certificate with");
		return burin_error_advice(e, "give --trust FILE");
	}
	memset(&ci, 0, sizeof(ci));
	ci.cert = cert;
	ci.pub = burin_key_public(in->key);
	ci.bag = in->bag;
	ci.anchors = in->anchors;
	ci.now = time(NULL);
	ci.skew = CHECK_SKEW;
	ci.asked = in->asked;
	ci.key_usage = burin_key_usage(in->key);
	ci.key_id = burin_key_id(in->key, &ci.key_id_len);
	if (burin_check_cert(&ci, &r->checks, &r->chain, e) != 0)
		return -1;
	if (in->force_untrusted)
		forgive(&r->checks, "G2");
	if (in->force_expired)
		forgive(&r->checks, "G3");
	return burin_checks_verdict(&r->checks, BURIN_ECHECK, e);
}

/* What writing would refuse; writing itself asks again. */
static int
try_only(const struct install_input *in, X509 *cert, struct burin_error *e)
{
	struct burin_id_use use = { 0, NULL };
	int rc;

	if (burin_key_id_use(in->key, &use, e) != 0)
		return -1;
	rc = refuse_present(&use, cert, in->replace, in->key, e);
	sk_X509_pop_free(use.certs, X509_free);
	return rc;
}

int
engine_install(struct engine *en, const struct install_input *in,
    struct engine_report *r, struct burin_error *e)
{
	struct burin_p11_calls calls;
	unsigned long made;
	struct timespec at;
	X509 *cert;

	memset(r, 0, sizeof(*r));
	burin_p11_calls(en->p11, &calls);
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	cert = burin_certs_for_key(in->bag, burin_key_public(in->key));
	/* None is the key's: the checks say so of the first. */
	if (cert == NULL)
		cert = sk_X509_value(in->bag, 0);
	if (cert == NULL)
		return burin_fail(e, BURIN_ECHECK, "no-certificate",
		    "there is no certificate in what was given");
	r->key = burin_key_ref(in->key);
	if (!X509_up_ref(cert))
		return burin_fail_memory(e);
	r->cert = cert;
	if (check(in, cert, r, e) != 0)
		return burin_error_step(e, "check");
	add_step(en, r, JOB_CHECKED, "certificate passed its checks", &at,
	    &calls.total);
	if (in->dry_run)
		return try_only(in, cert, e) == 0
		    ? 0
		    : burin_error_step(e, "write");
	if (walk_stopped(en))
		return burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
		    "stopped before anything was written");
	made = burin_p11_calls_of(en->p11, "C_CreateObject");
	if (burin_cert_write(in->key, cert, NULL,
		in->replace ? BURIN_OTHERS_REPLACE : BURIN_OTHERS_REFUSE,
		e) != 0)
		return burin_error_step(e, "write");
	add_step(en, r, JOB_CONFIRMED,
	    burin_p11_calls_of(en->p11, "C_CreateObject") > made
		? "certificate written, read back from a new session and "
		  "compared"
		: "the certificate is on the token already; nothing was "
		  "written",
	    &at, &calls.total);
	return 0;
}
