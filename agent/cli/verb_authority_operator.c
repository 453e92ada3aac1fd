/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority pending, approve and deny: the operator's say.
 */

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "../authority/authority.h"
#include "verbs.h"
#include "work.h"

static const struct opt *const pending_groups[] = { opts_common, NULL };
static const struct opt *const approve_groups[] = { opts_dry_run, opts_common,
	NULL };

struct listing {
	struct cli *c;
	json_t *list;
	size_t n;
};

static void
each(void *arg, const struct authority_waiting *w)
{
	struct listing *l = arg;
	char since[32] = "";
	struct tm tm;
	json_t *o;

	l->n++;
	if (gmtime_r(&w->since, &tm) != NULL)
		(void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	out_text(l->c, "%-6lld %s  %-24s %-16s %s", w->id, since, w->who,
	    w->profile, w->subject);
	if (l->c->json == NULL || (o = json_object()) == NULL)
		return;
	(void)json_object_set_new(o, "id", json_integer(w->id));
	(void)json_object_set_new(o, "since", json_text(since));
	(void)json_object_set_new(o, "who", json_text(w->who));
	(void)json_object_set_new(o, "profile", json_text(w->profile));
	(void)json_object_set_new(o, "subject", json_text(w->subject));
	(void)json_object_set_new(o, "sha256", json_text(w->sha256));
	(void)json_object_set_new(o, "form", json_text(w->form));
	(void)json_object_set_new(o, "via", json_text(w->via));
	(void)json_array_append_new(l->list, o);
}

static int
run_pending(struct cli *c, struct burin_error *e)
{
	struct listing l = { c, json_array(), 0 };
	const char *const *words;
	int rc;

	(void)arg_words(c->args, &words);
	rc = authority_pending(words[0], each, &l, e);
	if (rc == 0 && l.n == 0)
		out_text(c, "no requests wait");
	out_json(c, "requests", l.list);
	return rc;
}

const struct verb verb_authority_pending = {
	.name = "authority",
	.sub = "pending",
	.usage = "DIR",
	.help = "requests that wait for the operator",
	.opts = pending_groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run_pending,
};

static int
decide(struct cli *c, int deny, struct burin_error *e)
{
	const char *const *words;
	long id;
	int rc;

	(void)arg_words(c->args, &words);
	if (work_number("request", words[1], 1, LONG_MAX, &id, e) != 0)
		return -1;
	out_json(c, "request", json_integer(id));
	if (c->dry_run) {
		out_text(
		    c, "would %s request %ld", deny ? "deny" : "approve", id);
		return 0;
	}
	rc = deny ? authority_deny(words[0], id, arg_value(c->args, "why"), e)
		  : authority_approve(words[0], id, e);
	if (rc == 0)
		out_text(
		    c, "request %ld is %s", id, deny ? "denied" : "approved");
	return rc;
}

static int
run_approve(struct cli *c, struct burin_error *e)
{
	return decide(c, 0, e);
}

const struct verb verb_authority_approve = {
	.name = "authority",
	.sub = "approve",
	.usage = "DIR REQUEST",
	.help = "let a request that waits be answered",
	.opts = approve_groups,
	.min_words = 2,
	.max_words = 2,
	.alone = 1,
	.run = run_approve,
};

static const struct opt deny_opts[] = {
	{ "why", 0, OPT_VALUE, "TEXT", "told to who asked" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const deny_groups[] = { deny_opts, opts_dry_run,
	opts_common, NULL };

static int
run_deny(struct cli *c, struct burin_error *e)
{
	return decide(c, 1, e);
}

const struct verb verb_authority_deny = {
	.name = "authority",
	.sub = "deny",
	.usage = "DIR REQUEST",
	.help = "refuse a request that waits",
	.opts = deny_groups,
	.min_words = 2,
	.max_words = 2,
	.alone = 1,
	.run = run_deny,
};
