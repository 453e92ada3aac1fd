/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority init: an authority of one's own.
 */

#include <stdlib.h>
#include <string.h>

#include "../authority/authority.h"
#include "verbs.h"
#include "work.h"

#define MAX_DAYS 36500
#define CA_DAYS 3650

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
	{ "role", 0, OPT_VALUE, "ROLE", "ca, or ra: a registration authority" },
	{ "upstream", 0, OPT_VALUE, "URL", "ra: where the CA answers CMC" },
	{ "anchor", 0, OPT_VALUE, "FILE", "ra: the CA's certificate" },
	{ "cmc-key", 0, OPT_VALUE, "URI", "ra: its key to sign CMC" },
	{ "tls-key", 0, OPT_VALUE, "URI", "ra: the key of its server" },
	{ "pop-key", 0, OPT_VALUE, "URI", "ra: its key to agree on keys" },
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

/* Options that the other role has. */
static int
refuse_options(struct cli *c, const char *role, const char *const *names,
    struct burin_error *e)
{
	const char *const *list;

	for (; *names != NULL; names++) {
		if (arg_value(c->args, *names) == NULL &&
		    arg_list(c->args, *names, &list) == 0)
			continue;
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--%s is not for --role %s", *names, role);
		return burin_error_advice(e, "leave it out");
	}
	return 0;
}

static int
init_ra_options(struct cli *c, struct authority_init_ra *ra,
    STACK_OF(X509) * *anchors, struct burin_error *e)
{
	static const char *const not_ra[] = { "key-type", "days", "resource",
		"url", NULL };
	const char *path;

	if (refuse_options(c, "ra", not_ra, e) != 0 ||
	    work_required(c, "upstream", &ra->upstream, e) != 0 ||
	    work_required(c, "anchor", &path, e) != 0 ||
	    work_required(c, "cmc-key", &ra->cmc_key, e) != 0 ||
	    work_required(c, "tls-key", &ra->tls_key, e) != 0 ||
	    work_required(c, "pop-key", &ra->pop_key, e) != 0 ||
	    work_certs(path, anchors, e) != 0)
		return -1;
	if (sk_X509_num(*anchors) != 1)
		return burin_fail(e, BURIN_EUSAGE, "anchor-unfit",
		    "%.200s holds %d certificates; the anchor is one", path,
		    sk_X509_num(*anchors));
	ra->anchor = sk_X509_value(*anchors, 0);
	return 0;
}

static int
init_ca_options(struct cli *c, struct authority_init *in, struct burin_error *e)
{
	static const char *const not_ca[] = { "upstream", "anchor", "cmc-key",
		"tls-key", "pop-key", NULL };
	const char *value;
	long days = CA_DAYS;

	if (refuse_options(c, "ca", not_ca, e) != 0)
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
init_options(struct cli *c, struct authority_init *in,
    struct authority_init_ra *ra, STACK_OF(X509) * *anchors,
    struct burin_error *e)
{
	const char *const *words, *role = arg_value(c->args, "role");

	(void)arg_words(c->args, &words);
	in->dir = words[0];
	if (work_required(c, "name", &in->name, e) != 0)
		return -1;
	if (role == NULL || strcmp(role, "ca") == 0)
		return init_ca_options(c, in, e);
	if (strcmp(role, "ra") != 0)
		return burin_fail(e, BURIN_EUSAGE, "role-unknown",
		    "'%.40s' is no role of an authority: ca or ra", role);
	in->ra = ra;
	return init_ra_options(c, ra, anchors, e);
}

static void
say_init(struct cli *c, const struct authority_init *in)
{
	const char *token = burin_token_name(in->token);

	if (c->dry_run && in->ra != NULL)
		out_text(c,
		    "would take the keys of RA '%s' on %s, and make its files "
		    "in %s",
		    in->name, token, in->dir);
	else if (c->dry_run)
		out_text(c,
		    "would make the keys of CA '%s' (%s) on %s, and "
		    "its files in %s",
		    in->name, burin_key_type_name(in->key_type), token,
		    in->dir);
	else if (in->ra != NULL)
		out_text(c, "registration authority '%s' in %s, for %s",
		    in->name, in->dir, in->ra->upstream);
	else
		out_text(c, "authority '%s' in %s; its anchor is %s/ca.pem",
		    in->name, in->dir, in->dir);
}

static int
run_init(struct cli *c, struct burin_error *e)
{
	const char **resources = NULL, **hosts = NULL;
	STACK_OF(X509) *anchors = NULL;
	struct authority_init_ra ra;
	struct authority_init in;
	int rc = -1;

	memset(&in, 0, sizeof(in));
	memset(&ra, 0, sizeof(ra));
	if (init_options(c, &in, &ra, &anchors, e) != 0 ||
	    ended_list(c, "resource", &resources, e) != 0 ||
	    ended_list(c, "host", &hosts, e) != 0 ||
	    work_token(c, 0, &in.token, e) != 0)
		goto out;
	in.resources = resources;
	in.hosts = hosts;
	ra.p11 = c->p11;
	out_json(c, "dir", json_text(in.dir));
	rc = c->dry_run ? 0 : authority_init(&in, e);
	if (rc == 0)
		say_init(c, &in);
out:
	sk_X509_pop_free(anchors, X509_free);
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
