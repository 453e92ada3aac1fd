/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin pin: the life of a PIN after the token was initialised.
 */

#include <string.h>

#include "pin_status.h"
#include "secrets.h"
#include "verbs.h"
#include "work.h"

/* --- status --------------------------------------------------------------- */

static const struct opt status_opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "the token" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const status_groups[] = { status_opts, opts_wait,
	opts_common, NULL };

static int
run_status(struct cli *c, struct burin_error *e)
{
	struct burin_token *t;

	if (work_token(c, 0, &t, e) != 0 || cli_journal(c, e) != 0)
		return -1;
	return pin_status(c, t, e);
}

const struct verb verb_pin_status = {
	.name = "pin",
	.sub = "status",
	.usage = "--token URI",
	.help = "how it stands with the PINs of a token; nothing is tried",
	.opts = status_groups,
	.run = run_status,
};

/* --- change --------------------------------------------------------------- */

static const struct opt change_opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "the token" },
	{ "so", 0, OPT_FLAG, NULL,
	    "the SO PIN (of a YubiKey: the management key)" },
	{ "puk", 0, OPT_FLAG, NULL, "the PUK of a YubiKey" },
	{ "new-pin-source", 0, OPT_VALUE, "SRC",
	    "where the new one comes from" },
	{ "puk-source", 0, OPT_VALUE, "SRC",
	    "where the present PUK comes from" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const change_groups[] = { change_opts, opts_secrets,
	opts_wait, opts_dry_run, opts_common, NULL };

/* What is changed. */
enum kind {
	KIND_PIN,
	KIND_SO,
	KIND_PUK
};
static const struct {
	const char *word, *name;
	enum burin_login new_who;
} kinds[] = {
	[KIND_PIN] = { "pin", "PIN", BURIN_LOGIN_NEW_USER },
	[KIND_SO] = { "so-pin", "SO PIN", BURIN_LOGIN_NEW_SO },
	[KIND_PUK] = { "puk", "PUK", BURIN_LOGIN_NEW_PUK },
};

static int
check_sources(struct cli *c, struct burin_error *e)
{
	static const char *const names[] = { "new-pin-source", "puk-source" };
	const char *src;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((src = arg_value(c->args, names[i])) != NULL &&
		    source_check(src, e) != 0)
			return burin_error_step(e, names[i]);
	return 0;
}

/* The new one: made and written down, or read with the present one. */
static int
prepare_new(struct cli *c, struct burin_token *t, enum burin_login new_who,
    struct secrets_out *out, struct burin_error *e)
{
	c->reads_new = new_who;
	if (out->path == NULL)
		return 0;
	if (burin_token_info(t)->pin_pad && new_who != BURIN_LOGIN_NEW_PUK) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "the new PIN is typed on the reader: --generate makes "
		    "none");
		return burin_error_token(e, "%s", burin_token_name(t));
	}
	if (secrets_make(c, t, new_who, e) != 0)
		return -1;
	return secrets_out_write(c, out, t, NULL, e);
}

static void
told(struct cli *c, struct burin_token *t, const struct secrets_out *out,
    const char *done, const char *name)
{
	if (out->path != NULL && strcmp(out->path, "-") != 0) {
		out_json(c, "secrets_out", json_text(out->path));
		out_json(c, "sealed", json_boolean(out->cert != NULL));
		out_text(c, "%s %s of %s; the new one is in %s", done, name,
		    burin_token_name(t), out->path);
		return;
	}
	out_text(c, "%s %s of %s", done, name, burin_token_name(t));
}

/* Of a YubiKey through libykpiv, which knows every type of key. */
static int
change_so(struct burin_token *t, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	if (!burin_piv_is(t))
		return burin_pin_change(t, BURIN_LOGIN_SO, e);
	if (burin_piv_change_key(t, &why) == 0)
		return 0;
	if (strcmp(why.code, "built-without-ykpiv") == 0)
		return burin_pin_change(t, BURIN_LOGIN_SO, e);
	if (e != NULL)
		*e = why;
	return -1;
}

static int
change(struct burin_token *t, enum kind kind, struct burin_error *e)
{
	switch (kind) {
	case KIND_SO:
		return change_so(t, e);
	case KIND_PUK:
		return burin_piv_change_puk(t, e);
	default:
		return burin_pin_change(t, BURIN_LOGIN_USER, e);
	}
}

static int
run_change(struct cli *c, struct burin_error *e)
{
	struct secrets_out out;
	struct burin_token *t;
	enum kind kind = KIND_PIN;
	int rc = -1;

	if (arg_flag(c->args, "so") && arg_flag(c->args, "puk"))
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--so and --puk: one at a time");
	if (arg_flag(c->args, "so"))
		kind = KIND_SO;
	else if (arg_flag(c->args, "puk"))
		kind = KIND_PUK;
	if (check_sources(c, e) != 0 || secrets_out_open(c, &out, e) != 0)
		return -1;
	if (work_token(c, 0, &t, e) != 0)
		goto out;
	out_json(c, "changed", json_text(kinds[kind].word));
	if (c->dry_run) {
		out_text(c, "would change the %s of %s", kinds[kind].name,
		    burin_token_name(t));
		rc = 0;
		goto out;
	}
	if (prepare_new(c, t, kinds[kind].new_who, &out, e) != 0)
		goto out;
	if (change(t, kind, e) != 0) {
		secrets_out_failed(c, &out, 0, e);
		goto out;
	}
	told(c, t, &out, "changed the", kinds[kind].name);
	rc = 0;
out:
	secrets_out_clear(&out);
	return rc;
}

const struct verb verb_pin_change = {
	.name = "pin",
	.sub = "change",
	.usage = "--token URI",
	.help = "give a token another PIN, SO PIN or PUK",
	.opts = change_groups,
	.run = run_change,
};

/* --- unblock -------------------------------------------------------------- */

static const struct opt unblock_opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "the token" },
	{ "new-pin-source", 0, OPT_VALUE, "SRC",
	    "where the new PIN comes from" },
	{ "puk-source", 0, OPT_VALUE, "SRC",
	    "where the PUK of a YubiKey comes from" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const unblock_groups[] = { unblock_opts, opts_secrets,
	opts_wait, opts_dry_run, opts_common, NULL };

/* The SO PIN of a YubiKey does not unblock: its PUK does. */
static int
by_puk(struct cli *c, struct burin_token *t)
{
	return arg_value(c->args, "puk-source") != NULL ||
	    (burin_piv_is(t) && arg_value(c->args, "so-pin-source") == NULL);
}

static int
run_unblock(struct cli *c, struct burin_error *e)
{
	struct secrets_out out;
	struct burin_token *t;
	int puk, rc = -1;

	if (check_sources(c, e) != 0 || secrets_out_open(c, &out, e) != 0)
		return -1;
	if (work_token(c, 0, &t, e) != 0)
		goto out;
	puk = by_puk(c, t);
	out_json(c, "by", json_text(puk ? "puk" : "so-pin"));
	if (c->dry_run) {
		out_text(c, "would set a new PIN on %s, by its %s",
		    burin_token_name(t), puk ? "PUK" : "SO PIN");
		rc = 0;
		goto out;
	}
	if (prepare_new(c, t, BURIN_LOGIN_NEW_USER, &out, e) != 0)
		goto out;
	if ((puk ? burin_piv_unblock : burin_pin_unblock)(t, e) != 0) {
		secrets_out_failed(c, &out, 0, e);
		goto out;
	}
	told(c, t, &out, "set a new", "PIN");
	rc = 0;
out:
	secrets_out_clear(&out);
	return rc;
}

const struct verb verb_pin_unblock = {
	.name = "pin",
	.sub = "unblock",
	.usage = "--token URI",
	.help = "set a new PIN by the SO PIN or the PUK",
	.opts = unblock_groups,
	.run = run_unblock,
};
