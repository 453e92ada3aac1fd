/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin renew: another certificate for an identity that has one. The old
 * certificate says who asks (RFC 7030 section 4.2.2, RFC 10002 section
 * 6.3.2); the old pair stays until the new one is there.
 */

#include <stdlib.h>
#include <string.h>

#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key whose certificate is renewed" },
	{ "rekey", 0, OPT_FLAG, NULL, "for a new key, on the same token" },
	{ "type", 0, OPT_VALUE, "TYPE",
	    "of the new key (default: as the old one)" },
	{ "slot", 0, OPT_VALUE, "SLOT",
	    "place of the new key on a PIV token: 9a, 9c, 9d, 9e, 82 to 95" },
	{ "label", 0, OPT_VALUE, "LABEL",
	    "of the new key (default: as the old one)" },
	{ "replace", 0, OPT_FLAG, NULL,
	    "the key in the new one's slot may go" },
	{ "consumer-check", 0, OPT_FLAG, NULL,
	    "at the end, use the key through libp11" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_subject, opts_form,
	opts_authority, opts_transport, opts_wait, opts_dry_run, opts_common,
	NULL };

/* A new key like the old one, beside it. */
static int
like_old(const struct burin_key *k, struct plan *p, struct burin_error *e)
{
	char *token = burin_token_uri(burin_key_token(k));
	const char *type = burin_key_type_name(burin_key_get_type(k));

	if (token == NULL)
		return burin_fail_memory(e);
	p->token = token;
	p->usage = burin_key_usage(k);
	p->always_authenticate = burin_key_always_authenticate(k);
	if (p->key_type == NULL && (p->key_type = strdup(type)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct burin_key *k = NULL;
	struct plan plan;
	char *uri = NULL;
	int rc = -1;

	memset(&plan, 0, sizeof(plan));
	if (work_key(c, &k, e) != 0)
		goto out;
	if ((uri = burin_key_uri(k)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (work_plan_renew(c, uri, &plan, e) != 0 ||
	    (plan.key == NULL && like_old(k, &plan, e) != 0))
		goto out;
	burin_key_free(&k);
	rc = enroll_plan(c, &plan, "renew", e);
out:
	free(uri);
	burin_key_free(&k);
	plan_clear(&plan);
	return rc;
}

const struct verb verb_renew = {
	.name = "renew",
	.usage = "--key URI [--rekey] --ca URL",
	.help = "another certificate for an identity that has one",
	.opts = groups,
	.run = run,
};
