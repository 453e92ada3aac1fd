/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority: an authority of one's own, and its operator's side.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../authority/authority.h"
#include "verbs.h"
#include "work.h"

#define MAX_DAYS 36500
#define CA_DAYS 3650
#define MAX_TTL (366L * 24 * 3600)
#define TTL (24L * 3600)

/* --- init ---------------------------------------------------------------- */

static const struct opt init_opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "the token for the keys" },
	{ "name", 0, OPT_VALUE, "NAME", "of the CA: its CN, or a whole DN" },
	{ "key-type", 0, OPT_VALUE, "TYPE", "rsa:… or ec:… (ec:P-256)" },
	{ "cmc-key-type", 0, OPT_VALUE, "TYPE",
	    "of the key that signs CMC: the same (ec:P-256)" },
	{ "days", 0, OPT_VALUE, "N", "life of the CA certificate (3650)" },
	{ "resource", 0, OPT_LIST, "BLOCK",
	    "IP resources of the CA: IPv6:2001:db8::/32" },
	{ "host", 0, OPT_LIST, "NAME",
	    "name or address of the server (localhost)" },
	{ "url", 0, OPT_VALUE, "URL",
	    "where others reach it, for CRLs in certificates" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const init_groups[] = { init_opts, opts_dry_run,
	opts_common, NULL };

/* A NULL-ended copy of a list option; free(). NULL when not given. */
static int
ended_list(
    struct cli *c, const char *name, const char ***out, struct burin_error *e)
{
	const char *const *list;
	size_t n = arg_list(c->args, name, &list);

	*out = NULL;
	if (n == 0)
		return 0;
	if ((*out = calloc(n + 1, sizeof(**out))) == NULL)
		return burin_fail_memory(e);
	memcpy(*out, list, n * sizeof(**out));
	return 0;
}

static int
init_options(struct cli *c, struct authority_init *in, struct burin_error *e)
{
	const char *const *words, *value;
	long days = CA_DAYS;

	(void)arg_words(c->args, &words);
	in->dir = words[0];
	if (work_required(c, "name", &in->name, e) != 0)
		return -1;
	value = arg_value(c->args, "key-type");
	if (work_key_type(
		value != NULL ? value : "ec:P-256", &in->key_type, e) != 0)
		return -1;
	value = arg_value(c->args, "cmc-key-type");
	if (work_key_type(
		value != NULL ? value : "ec:P-256", &in->cmc_key_type, e) != 0)
		return -1;
	if ((value = arg_value(c->args, "days")) != NULL &&
	    work_number("days", value, 1, MAX_DAYS, &days, e) != 0)
		return -1;
	in->days = (unsigned)days;
	in->url = arg_value(c->args, "url");
	return 0;
}

static int
run_init(struct cli *c, struct burin_error *e)
{
	const char **resources = NULL, **hosts = NULL;
	struct authority_init in;
	int rc = -1;

	memset(&in, 0, sizeof(in));
	if (init_options(c, &in, e) != 0 ||
	    ended_list(c, "resource", &resources, e) != 0 ||
	    ended_list(c, "host", &hosts, e) != 0 ||
	    work_token(c, 0, &in.token, e) != 0)
		goto out;
	in.resources = resources;
	in.hosts = hosts;
	out_json(c, "dir", json_text(in.dir));
	if (c->dry_run) {
		out_text(c,
		    "would make the keys of CA '%s' (%s) on %s, and "
		    "its files in %s",
		    in.name, burin_key_type_name(in.key_type),
		    burin_token_name(in.token), in.dir);
		rc = 0;
		goto out;
	}
	rc = authority_init(&in, e);
	if (rc == 0)
		out_text(c, "authority '%s' in %s; its anchor is %s/ca.pem",
		    in.name, in.dir, in.dir);
out:
	free(resources);
	free(hosts);
	return rc;
}

const struct verb verb_authority_init = {
	.name = "authority",
	.sub = "init",
	.usage = "DIR --token URI --name NAME",
	.help = "make an authority whose keys are on a token",
	.opts = init_groups,
	.min_words = 1,
	.max_words = 1,
	.run = run_init,
};

/* --- invite -------------------------------------------------------------- */

static const struct opt invite_opts[] = {
	{ "profile", 0, OPT_VALUE, "PROFILE", "only for this profile" },
	{ "identity", 0, OPT_VALUE, "ADDRESS", "only for this identity" },
	{ "subject", 0, OPT_VALUE, "DN", "only for this subject" },
	{ "ttl", 0, OPT_VALUE, "SECONDS", "how long it is good (a day)" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const invite_groups[] = { invite_opts, opts_dry_run,
	opts_common, NULL };

/*
 * The secret is what this verb is for: it is printed, once, and is worth
 * nothing after its first use.
 */
static int
run_invite(struct cli *c, struct burin_error *e)
{
	const char *const *words, *value = arg_value(c->args, "ttl");
	struct authority_invite in = {
		.profile = arg_value(c->args, "profile"),
		.identity = arg_value(c->args, "identity"),
		.subject = arg_value(c->args, "subject"),
		.ttl = TTL,
	};
	struct burin_secret *secret = NULL;
	const char *text;

	(void)arg_words(c->args, &words);
	if (value != NULL &&
	    work_number("ttl", value, 1, MAX_TTL, &in.ttl, e) != 0)
		return -1;
	if (c->dry_run) {
		out_text(c, "would invite %s for %ld s", words[1], in.ttl);
		return 0;
	}
	if (authority_invite(words[0], words[1], &in, &secret, e) != 0)
		return -1;
	text = (const char *)burin_secret_bytes(secret);
	out_json(c, "name", json_text(words[1]));
	out_json(c, "secret", json_text(text));
	out_json(c, "seconds", json_integer(in.ttl));
	if (c->json == NULL)
		(void)printf("%s\n", text);
	burin_secret_free(&secret);
	return 0;
}

const struct verb verb_authority_invite = {
	.name = "authority",
	.sub = "invite",
	.usage = "DIR NAME",
	.help = "print a one-time enrolment secret for NAME",
	.opts = invite_groups,
	.min_words = 2,
	.max_words = 2,
	.alone = 1,
	.run = run_invite,
};
