/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin init: a blank token gets its label and its PINs; a YubiKey gets new
 * secrets.
 */

#include <string.h>

#include "secrets.h"
#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "token", 0, OPT_VALUE, "URI",
	    "the blank token, when there are several (pkcs11:slot-id=N)" },
	{ "label", 0, OPT_VALUE, "LABEL", "its new name, at most 32 bytes" },
	{ "puk-source", 0, OPT_VALUE, "SRC",
	    "where the present PUK of a YubiKey comes from" },
	{ "reinit", 0, OPT_FLAG, NULL,
	    "wipe a token that is in use, keys and all" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_secrets, opts_dry_run,
	opts_common, NULL };

static int
check_options(struct cli *c, int reinit, struct burin_error *e)
{
	const char *src = arg_value(c->args, "puk-source");

	if (src != NULL && source_check(src, e) != 0)
		return burin_error_step(e, "puk-source");
	if (reinit && arg_value(c->args, "token") == NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "--reinit wipes a token: name it with --token");
	return 0;
}

static void
say_where(struct cli *c, const struct secrets_out *out)
{
	if (out->path == NULL || strcmp(out->path, "-") == 0)
		return;
	out_json(c, "secrets_out", json_text(out->path));
	out_json(c, "sealed", json_boolean(out->cert != NULL));
	out_text(c, "its PINs are in %s", out->path);
}

/* --- a YubiKey: its own PIN, PUK and management key ------------------------
 */

/* In this order: what has no counter first. */
static const struct yubikey_step {
	enum burin_login new_who;
	const char *name;
} yubikey_steps[] = {
	{ BURIN_LOGIN_NEW_SO, "management key" },
	{ BURIN_LOGIN_NEW_PUK, "PUK" },
	{ BURIN_LOGIN_NEW_USER, "PIN" },
};
#define N_YUBIKEY_STEPS (sizeof(yubikey_steps) / sizeof(yubikey_steps[0]))

static int
yubikey_step(struct burin_token *t, enum burin_login who, struct burin_error *e)
{
	switch (who) {
	case BURIN_LOGIN_NEW_SO:
		return burin_piv_change_key(t, e);
	case BURIN_LOGIN_NEW_PUK:
		return burin_piv_change_puk(t, e);
	default:
		return burin_pin_change(t, BURIN_LOGIN_USER, e);
	}
}

/*
 * A YubiKey is never blank: it gets new secrets in place of those it has,
 * which the user names. Those of the factory are not tried unasked.
 */
static int
init_yubikey(struct cli *c, struct burin_token *t, struct secrets_out *out,
    struct burin_error *e)
{
	const struct yubikey_step *s = yubikey_steps;
	struct burin_piv_info info;
	size_t i;

	if (c->dry_run) {
		out_text(c, "would give %s a new PIN, PUK and management key",
		    burin_token_name(t));
		return 0;
	}
	/* Before anything is made: can it be reached that way at all? */
	if (burin_piv_info(t, &info, e) != 0)
		return -1;
	for (i = 0; i < N_YUBIKEY_STEPS; i++)
		if (secrets_make(c, t, s[i].new_who, e) != 0)
			return -1;
	if (secrets_out_write(c, out, t, NULL, e) != 0)
		return -1;
	for (i = 0; i < N_YUBIKEY_STEPS; i++) {
		if (yubikey_step(t, s[i].new_who, e) == 0)
			continue;
		if (i > 0)
			(void)burin_error_cause(e, "set already: %s%s%s",
			    s[0].name, i > 1 ? ", " : "",
			    i > 1 ? s[1].name : "");
		(void)burin_error_cause(e, "the %s was not set", s[i].name);
		secrets_out_failed(c, out, i > 0, e);
		return -1;
	}
	out_text(
	    c, "new PIN, PUK and management key on %s", burin_token_name(t));
	say_where(c, out);
	return 0;
}

/* --- any other token ---------------------------------------------------------
 */

static int
make_pins(struct cli *c, struct burin_token *t, int reinit,
    struct secrets_out *out, const char *label, struct burin_error *e)
{
	if (out->path == NULL)
		return 0;
	if (burin_token_info(t)->pin_pad) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "the PINs are typed on the reader: --generate makes none");
		return burin_error_token(e, "%s", burin_token_name(t));
	}
	/* The SO PIN of a token that is wiped stays what it is. */
	if (!reinit && secrets_make(c, t, BURIN_LOGIN_NEW_SO, e) != 0)
		return -1;
	if (secrets_make(c, t, BURIN_LOGIN_NEW_USER, e) != 0)
		return -1;
	return secrets_out_write(c, out, t, label, e);
}

static int
init_token(struct cli *c, struct burin_token *t, int reinit,
    struct secrets_out *out, struct burin_error *e)
{
	const struct burin_token_info *info = burin_token_info(t);
	struct burin_token *made = NULL;
	const char *label;

	if (work_required(c, "label", &label, e) != 0)
		return -1;
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
	if (make_pins(c, t, info->initialized, out, label, e) != 0)
		return -1;
	if (burin_token_init(c->p11, t, label, reinit, &made, e) != 0) {
		secrets_out_failed(c, out, 1, e);
		return burin_error_step(e, "init");
	}
	out_json(c, "token", json_token(made));
	out_text(c, "initialised %s", burin_token_name(made));
	say_where(c, out);
	/* Only now some tokens have a serial number. */
	return secrets_out_write(c, out, made, NULL, e);
}

static int
run(struct cli *c, struct burin_error *e)
{
	int reinit = arg_flag(c->args, "reinit") > 0, rc = -1;
	const char *name = arg_value(c->args, "token"), *label;
	struct secrets_out out;
	struct burin_token *t;

	/* Only a YubiKey, which must be named, can do without. */
	if (check_options(c, reinit, e) != 0 ||
	    ((name == NULL || !arg_flag(c->args, "generate")) &&
		work_required(c, "label", &label, e) != 0) ||
	    secrets_out_open(c, &out, e) != 0)
		return -1;
	if (work_token(c, !reinit, &t, e) == 0)
		rc = out.path != NULL && !reinit && burin_piv_is(t)
		    ? init_yubikey(c, t, &out, e)
		    : init_token(c, t, reinit, &out, e);
	secrets_out_clear(&out);
	return rc;
}

const struct verb verb_init = {
	.name = "init",
	.usage = "[--token URI] --label LABEL",
	.help = "initialise a blank token, set SO PIN and user PIN",
	.opts = groups,
	.run = run,
};
