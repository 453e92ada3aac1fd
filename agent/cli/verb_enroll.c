/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin enroll: the whole way, from key to certificate on the token.
 */

#include <stdlib.h>
#include <string.h>

#include "../transport/transport.h"
#include "verbs.h"
#include "wait.h"
#include "work.h"
#include "worker.h"

static const struct opt opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "make a new key on this token" },
	{ "key", 0, OPT_VALUE, "URI", "or use this key" },
	{ "type", 0, OPT_VALUE, "TYPE",
	    "of the new key (default: the profile's first)" },
	{ "slot", 0, OPT_VALUE, "SLOT",
	    "place of the new key on a PIV token: 9a, 9c, 9d, 9e, 82 to 95" },
	{ "label", 0, OPT_VALUE, "LABEL", "of the new key" },
	{ "usage", 0, OPT_VALUE, "USES", "sign, decrypt, derive" },
	{ "always-authenticate", 0, OPT_FLAG, NULL,
	    "the PIN is asked for each use" },
	{ "replace", 0, OPT_FLAG, NULL,
	    "another certificate of the key may go, or the key in its slot" },
	{ "reenroll", 0, OPT_VALUE, "=URI",
	    "authenticate with the certificate of --key, or of this key" },
	{ "consumer-check", 0, OPT_FLAG, NULL,
	    "at the end, use the key through libp11" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_subject, opts_form,
	opts_authority, opts_transport, opts_wait, opts_dry_run, opts_common,
	NULL };

/* What transport_check may judge before anything is made. */
static int
check_transport(struct cli *c, const struct plan *p, struct burin_error *e)
{
	struct transport_config config;
	STACK_OF(X509) *anchors = NULL;
	int rc = -1;

	memset(&config, 0, sizeof(config));
	if (strcmp(p->protocol, "file") != 0 &&
	    work_required(c, "ca", &config.url, e) != 0)
		goto out;
	/*
	 * That there are some is enough here, and a fingerprint brings its
	 * anchor with the first contact: the plan's were decoded when it was
	 * made, and are again where they are used.
	 */
	if ((p->tls_trust != NULL || p->trust != NULL ||
		p->ca_fingerprint != NULL) &&
	    (anchors = sk_X509_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	config.protocol = p->protocol;
	config.command = p->cmp_command;
	config.reenroll = p->reenroll_key != NULL;
	config.attributes = plan_has_attributes(p);
	config.url = p->url;
	config.tls_anchors = anchors;
	config.proxy = p->proxy;
	config.timeout = p->timeout;
	config.user = p->user;
	config.request_file = p->request_file;
	config.mime = p->mime;
	config.tls_only = !plan_speaks_cmc(p);
	config.response_file = arg_value(c->args, "response-file");
	rc = transport_check(&config, e);
out:
	sk_X509_pop_free(anchors, X509_free);
	return rc == 0 ? 0 : burin_error_step(e, "transport");
}

/* What can be said without the token. */
static int
check_plan(struct cli *c, const struct plan *p, struct burin_key_spec *spec,
    struct burin_error *e)
{
	struct burin_subject *s = NULL;

	if (check_transport(c, p, e) != 0)
		return -1;
	if (p->trust == NULL && !plan_finds_anchors(p)) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "nothing says which authority is believed");
		(void)burin_error_rule(e, "RFC 7030 section 4.1.1");
		(void)burin_error_advice(e,
		    "--trust FILE, or --ca-fingerprint HEX for the first "
		    "contact; by CMC --user and --secret, where the authority "
		    "publishes its anchors");
		return burin_error_step(e, "plan");
	}
	if (plan_subject(p, &s, e) != 0)
		return burin_error_step(e, "subject");
	burin_subject_free(&s);
	memset(spec, 0, sizeof(*spec));
	if (p->key == NULL &&
	    (plan_key_spec(p, spec, e) != 0 ||
		plan_can_prove(p, spec->type, spec->usage, e) != 0))
		return burin_error_step(e, "plan");
	return 0;
}

/* Finds the token and asks what it can do; needs no PIN. */
static int
check_token(struct cli *c, const struct plan *p,
    const struct burin_key_spec *spec, struct burin_error *e)
{
	struct burin_token *t;

	if (cli_p11(c, e) != 0)
		return -1;
	if (wait_token(c, p->key != NULL ? p->key : p->token, 0, &t, e) != 0)
		return burin_error_step(e, "find-token");
	worker_token(c, burin_token_name(t));
	out_json(c, "token", json_token(t));
	if (burin_token_check_write(t, e) != 0 ||
	    (p->key == NULL &&
		burin_token_check_generate(t, spec->type, e) != 0))
		return -1;
	if (!c->dry_run)
		return 0;
	if (p->key == NULL &&
	    work_say_place(c, t, p->slot, plan_usage(spec), p->replace, e) != 0)
		return -1;
	if (p->key == NULL)
		out_text(c, "would make a key (%s) on %s",
		    burin_key_type_name(spec->type), burin_token_name(t));
	else
		out_text(c, "would use the key %s", p->key);
	out_text(c, "would ask %s (%s)",
	    p->url != NULL ? p->url : p->request_file, p->protocol);
	out_text(c,
	    "would check the answer, write the certificate to the "
	    "token and read it back");
	return 0;
}

/* Nothing has begun yet: a token that goes is looked at once more. */
static int
check_until(struct cli *c, const struct plan *p,
    const struct burin_key_spec *spec, struct burin_error *e)
{
	const char *name = p->key != NULL ? p->key : p->token;
	int times = 0;

	while (check_token(c, p, spec, e) != 0)
		if (!wait_would_help(c, times, e) ||
		    wait_back(c, name, NULL, &times, e) != 0)
			return -1;
	return 0;
}

int
enroll_plan(struct cli *c, const struct plan *plan, const char *verb,
    struct burin_error *e)
{
	struct burin_key_spec spec;
	struct engine en;
	struct job job;
	int rc = -1;

	memset(&job, 0, sizeof(job));
	if (check_plan(c, plan, &spec, e) != 0 ||
	    cli_pin_uri(c, plan->key != NULL ? plan->key : plan->token, e) !=
		0 ||
	    check_until(c, plan, &spec, e) != 0)
		goto out;
	if (c->dry_run) {
		out_json(c, "state", json_string("planned"));
		rc = 0;
		goto out;
	}
	if (work_engine(c, &en, e) != 0 || plan_format(plan, &job.plan, e) != 0)
		goto out;
	if ((job.verb = strdup(verb)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (journal_create(c->journal, &job, e) != 0) {
		(void)burin_error_step(e, "journal");
		goto out;
	}
	rc = work_run(c, &en, &job, e);
out:
	job_clear(&job);
	return rc;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct plan plan;
	int rc = -1;

	memset(&plan, 0, sizeof(plan));
	if (work_plan(c, &plan, e) == 0)
		rc = enroll_plan(c, &plan, "enroll", e);
	plan_clear(&plan);
	return rc;
}

const struct verb verb_enroll = {
	.name = "enroll",
	.usage = "--token URI | --key URI --profile PROFILE --ca URL",
	.help = "the whole way: key, request, certificate, on the token",
	.opts = groups,
	.run = run,
};
