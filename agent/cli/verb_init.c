/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin init: a blank token gets its label and its PINs.
 */

#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "token", 0, OPT_VALUE, "URI",
	    "the blank token, when there are several (pkcs11:slot-id=N)" },
	{ "label", 0, OPT_VALUE, "LABEL", "its new name, at most 32 bytes" },
	{ "reinit", 0, OPT_FLAG, NULL,
	    "wipe a token that is in use, keys and all" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_dry_run, opts_common,
	NULL };

static int
run(struct cli *c, struct burin_error *e)
{
	const struct burin_token_info *info;
	const char *label;
	struct burin_token *t, *made = NULL;
	int reinit = arg_flag(c->args, "reinit") > 0;

	if (work_required(c, "label", &label, e) != 0)
		return -1;
	if (reinit && arg_value(c->args, "token") == NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "--reinit wipes a token: name it with --token");
	if (work_token(c, !reinit, &t, e) != 0)
		return -1;
	info = burin_token_info(t);
	if (info->initialized && !reinit) {
		(void)burin_fail(e, BURIN_EREFUSED, "token-not-blank",
		    "the token is initialised already");
		(void)burin_error_token(e, "%s", burin_token_name(t));
		return burin_error_advice(
		    e, "--reinit wipes it; everything on it is lost");
	}
	if (c->dry_run) {
		out_text(c, "would %s %s, label '%s', and set its PINs",
		    info->initialized ? "WIPE and initialise" : "initialise",
		    burin_token_name(t), label);
		return 0;
	}
	if (burin_token_init(c->p11, t, label, reinit, &made, e) != 0)
		return burin_error_step(e, "init");
	out_json(c, "token", json_token(made));
	out_text(c, "initialised %s", burin_token_name(made));
	return 0;
}

const struct verb verb_init = {
	.name = "init",
	.usage = "[--token URI] --label LABEL",
	.help = "initialise a blank token, set SO PIN and user PIN",
	.opts = groups,
	.run = run,
};
