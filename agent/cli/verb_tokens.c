/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin tokens: every token, what it can do, its keys and certificates.
 */

#include "inventory.h"
#include "verbs.h"
#include "work.h"
#include "worker.h"

static const struct opt opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "only this one" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_common, NULL };

/*
 * One PIN is for one token: trying it on all of them would burn a try on
 * each of the others.
 */
static int
may_log_in(struct cli *c, size_t n, struct burin_error *e)
{
	if (arg_value(c->args, "pin-source") == NULL || n <= 1)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "pin-for-which",
	    "there are %zu tokens, and one PIN is not tried on all", n);
	return burin_error_advice(
	    e, "name the token with --token, or leave --pin-source out");
}

static int
tell(struct cli *c, struct burin_token *t, json_t *list, struct burin_error *e)
{
	struct burin_object *objects = NULL;
	size_t n = 0;

	worker_token(c, burin_token_name(t));
	if (burin_token_info(t)->initialized) {
		if ((arg_value(c->args, "pin-source") != NULL ||
			c->pin_uri_source != NULL) &&
		    burin_token_login(t, e) != 0)
			return burin_error_step(e, "login");
		if (burin_token_objects(t, &objects, &n, e) != 0)
			return burin_error_step(e, "inventory");
	}
	if (c->json != NULL)
		(void)json_array_append_new(
		    list, inventory_json(t, objects, n));
	inventory_text(c, t, objects, n);
	burin_objects_free(&objects, n);
	return 0;
}

/* How many tokens could be logged in to. */
static size_t
usable(struct burin_token *const *tokens, size_t n)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		count += burin_token_info(tokens[i])->initialized != 0;
	return count;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct burin_token *const *tokens, *one;
	const char *name = arg_value(c->args, "token");
	json_t *list = json_array();
	size_t i, n = 1;
	int rc = -1;

	if (cli_pin_uri(c, name, e) != 0 || cli_p11(c, e) != 0)
		goto out;
	tokens = &one;
	if (name != NULL) {
		if (burin_token_find(c->p11, name, 0, &one, e) != 0) {
			(void)burin_error_step(e, "find-token");
			goto out;
		}
	} else if (burin_tokens(c->p11, &tokens, &n, e) != 0) {
		(void)burin_error_step(e, "find-token");
		goto out;
	}
	if (may_log_in(c, usable(tokens, n), e) != 0)
		goto out;
	if (n == 0)
		out_text(c, "no tokens");
	for (i = 0; i < n; i++)
		if (tell(c, tokens[i], list, e) != 0)
			goto out;
	rc = 0;
out:
	out_json(c, "tokens", list);
	return rc;
}

const struct verb verb_tokens = {
	.name = "tokens",
	.usage = "",
	.help = "every token, what it can do, its keys and certificates",
	.opts = groups,
	.run = run,
};
