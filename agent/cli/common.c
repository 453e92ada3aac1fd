/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the common options ask for: modules, the login policy with its PIN,
 * the journal.
 */

#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "progress.h"
#include "worker.h"

#define MAX_MODULES 64

int
cli_journal(struct cli *c, struct burin_error *e)
{
	if (c->journal != NULL)
		return 0;
	if (journal_open(arg_value(c->args, "state"), &c->journal, e) != 0)
		return burin_error_step(e, "journal");
	c->pins.j = c->journal;
	return 0;
}

static void
log_call(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "pkcs11: %s\n", line);
}

/* "PIN of label 'r7' serial 349fc192aa04739c (SoftHSM v2)" */
static void
pin_words(
    const struct burin_token *t, enum burin_login who, char *buf, size_t size)
{
	const char *so = burin_token_so_name(t), *name = burin_token_name(t);

	switch (who) {
	case BURIN_LOGIN_SO:
		(void)snprintf(buf, size, "%s of %s", so, name);
		break;
	case BURIN_LOGIN_NEW_USER:
		(void)snprintf(buf, size, "new PIN for %s", name);
		break;
	case BURIN_LOGIN_NEW_SO:
		(void)snprintf(buf, size, "new %s for %s", so, name);
		break;
	case BURIN_LOGIN_PUK:
		(void)snprintf(buf, size, "PUK of %s", name);
		break;
	case BURIN_LOGIN_NEW_PUK:
		(void)snprintf(buf, size, "new PUK for %s", name);
		break;
	case BURIN_LOGIN_CONTEXT:
		(void)snprintf(
		    buf, size, "PIN for one use of the key on %s", name);
		break;
	default:
		(void)snprintf(buf, size, "PIN of %s", name);
		break;
	}
}

static void
cli_pin_clear(struct cli_pin *p)
{
	burin_secret_free(&p->pin);
	free(p->token);
	p->token = NULL;
}

/* A second copy: the callback's caller frees the one it gets. */
static int
copy_pin(const struct burin_secret *pin, struct burin_secret **out,
    struct burin_error *e)
{
	return burin_secret_new(
	    out, burin_secret_bytes(pin), burin_secret_len(pin), e);
}

/*
 * A PIN is asked for once per run: a descriptor can be read once only, and
 * nobody likes typing it twice. One from a source that names no token is for
 * any token; a typed one is for the token it was typed for.
 */
static int
kept_pin(struct cli *c, struct cli_pin *kept, const char *src, int typed,
    const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	const char *name = burin_token_name(t);
	char what[256];

	if (kept->pin != NULL &&
	    (kept->token == NULL || strcmp(kept->token, name) == 0))
		return copy_pin(kept->pin, out, e);
	pin_words(t, who, what, sizeof(what));
	cli_pin_clear(kept);
	progress_clear(c);
	if (source_read(src != NULL ? src : "prompt", what, 0, &kept->pin, e) !=
	    0)
		return -1;
	if (typed && (kept->token = strdup(name)) == NULL) {
		burin_secret_free(&kept->pin);
		return burin_fail_memory(e);
	}
	return copy_pin(kept->pin, out, e);
}

static int
is_typed(const char *src)
{
	return src == NULL || strcmp(src, "prompt") == 0 ||
	    strcmp(src, "askpass") == 0;
}

static int
user_pin(struct cli *c, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	const char *src = arg_value(c->args, "pin-source");

	/* A URI's pin-source is for the token that the URI names. */
	if (src == NULL && c->pin_uri_source != NULL &&
	    burin_token_matches(t, c->pin_uri))
		return kept_pin(
		    c, &c->pin, c->pin_uri_source, 1, t, who, out, e);
	return kept_pin(c, &c->pin, src, is_typed(src), t, who, out, e);
}

/* Where a PIN to be set is kept, NULL for the others. */
static struct burin_secret **
new_place(struct cli *c, enum burin_login who)
{
	switch (who) {
	case BURIN_LOGIN_NEW_USER:
		return &c->new_pin;
	case BURIN_LOGIN_NEW_SO:
		return &c->new_so_pin;
	case BURIN_LOGIN_NEW_PUK:
		return &c->new_puk;
	default:
		return NULL;
	}
}

/* init sets what the others are given: its options have one name only. */
static const char *
option_of(struct cli *c, enum burin_login who)
{
	if (new_place(c, who) != NULL && strcmp(c->verb->name, "pin") == 0)
		return "new-pin-source";
	switch (who) {
	case BURIN_LOGIN_NEW_USER:
		return "pin-source";
	case BURIN_LOGIN_PUK:
		return "puk-source";
	default:
		return "so-pin-source";
	}
}

static int
other_pin(struct cli *c, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	const char *src = arg_value(c->args, option_of(c, who));
	struct burin_secret **new = new_place(c, who);
	char what[256];

	if (new != NULL &&*new != NULL)
		return copy_pin(*new, out, e);
	pin_words(t, who, what, sizeof(what));
	return source_read(
	    src != NULL ? src : "prompt", what, new != NULL, out, e);
}

static int
pin(void *arg, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	struct cli *c = arg;
	const char *so = arg_value(c->args, "so-pin-source");
	struct burin_secret **new;
	int rc;

	progress_clear(c);
	if (who == BURIN_LOGIN_USER || who == BURIN_LOGIN_CONTEXT)
		rc = user_pin(c, t, who, out, e);
	else if (who == BURIN_LOGIN_SO)
		rc = kept_pin(c, &c->so_pin, so, is_typed(so), t, who, out, e);
	else
		rc = other_pin(c, t, who, out, e);
	new = new_place(c, c->reads_new);
	if (rc == 0 && new != NULL &&*new == NULL && c->reads_new != who &&
	    (rc = other_pin(c, t, c->reads_new, new, e)) != 0)
		burin_secret_free(out);
	if (rc != 0) {
		(void)burin_error_step(e, "login");
		(void)burin_error_token(e, "%s", burin_token_name(t));
	}
	return rc;
}

/* The journal is opened by the first login, not by a look around. */
static int
before(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin_given, struct burin_error *e)
{
	struct cli *c = arg;

	worker_token(c, burin_token_name(t));
	if (cli_journal(c, e) != 0)
		return -1;
	return pin_memory_before(&c->pins, t, who, pin_given, e);
}

static int
after(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin_given, int right, struct burin_error *e)
{
	struct cli *c = arg;

	if (cli_journal(c, e) != 0)
		return -1;
	return pin_memory_after(&c->pins, t, who, pin_given, right, e);
}

static void
use_pad(void *arg, const struct burin_token *t, enum burin_login who)
{
	char what[256];

	pin_words(t, who, what, sizeof(what));
	out_note(arg, "type the %s on the reader", what);
}

/* --module PATH [--module-init STRING] …: the init is the one before's. */
static int
module_specs(const struct args *a, struct burin_module_spec *specs, size_t *n,
    struct burin_error *e)
{
	const struct opt *o;
	const char *value;
	size_t i;

	*n = 0;
	for (i = 0; (o = args_at(a, i, &value)) != NULL; i++) {
		if (strcmp(o->name, "module") == 0) {
			if (*n == MAX_MODULES)
				return burin_fail(e, BURIN_EUSAGE,
				    "modules-too-many", "more than %d modules",
				    MAX_MODULES);
			specs[*n].path = value;
			specs[(*n)++].init = NULL;
		} else if (strcmp(o->name, "module-init") == 0) {
			if (*n == 0)
				return burin_fail(e, BURIN_EUSAGE,
				    "module-init-first",
				    "--module-init comes after the --module "
				    "it is for");
			specs[*n - 1].init = value;
		}
	}
	return 0;
}

int
cli_p11(struct cli *c, struct burin_error *e)
{
	struct burin_module_spec specs[MAX_MODULES];
	struct burin_p11_config config;
	struct burin_login_policy policy;

	if (c->p11 != NULL)
		return 0;
	memset(&config, 0, sizeof(config));
	memset(&policy, 0, sizeof(policy));
	if (module_specs(c->args, specs, &config.n_modules, e) != 0)
		return -1;
	config.modules = specs;
	if (c->verbose >= 2)
		config.log = log_call;
	config.watch = worker_event;
	config.watch_arg = c;
	if (burin_p11_new(&c->p11, &config, e) != 0)
		return burin_error_step(e, "modules");
	c->pins.retry_pin = arg_flag(c->args, "retry-pin");
	c->pins.last_try = arg_flag(c->args, "last-try");
	policy.pin = pin;
	policy.before = before;
	policy.after = after;
	policy.use_pad = use_pad;
	policy.arg = c;
	policy.last_try = c->pins.last_try;
	burin_p11_set_policy(c->p11, &policy);
	return 0;
}

void
cli_clear(struct cli *c)
{
	burin_p11_free(&c->p11);
	cli_pin_clear(&c->pin);
	cli_pin_clear(&c->so_pin);
	burin_secret_free(&c->new_pin);
	burin_secret_free(&c->new_so_pin);
	burin_secret_free(&c->new_puk);
	(void)cli_pin_uri(c, NULL, NULL);
	free(c->wait.uri);
	c->wait.uri = NULL;
	pin_memory_release(&c->pins);
	journal_close(&c->journal);
	json_decref(c->json);
	c->json = NULL;
}
