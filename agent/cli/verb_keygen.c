/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin keygen: a key pair, made on the token.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <burin/names.h>

#include "../enroll/place.h"
#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "token", 0, OPT_VALUE, "URI", "the token" },
	{ "type", 0, OPT_VALUE, "TYPE", "rsa:2048, ec:P-256, ed25519, …" },
	{ "slot", 0, OPT_VALUE, "SLOT",
	    "its place on a PIV token: 9a, 9c, 9d, 9e, 82 to 95" },
	{ "replace", 0, OPT_FLAG, NULL, "the key in that slot may go" },
	{ "label", 0, OPT_VALUE, "LABEL", "name of the key" },
	{ "id", 0, OPT_VALUE, "HEX",
	    "its CKA_ID (default: SHA-1 of the public key)" },
	{ "usage", 0, OPT_VALUE, "USES", "sign, decrypt, derive" },
	{ "always-authenticate", 0, OPT_FLAG, NULL,
	    "the PIN is asked for each use" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_wait, opts_dry_run,
	opts_common, NULL };

static int
make_spec(struct cli *c, struct burin_key_spec *spec, unsigned char *id,
    struct burin_error *e)
{
	const char *value;

	memset(spec, 0, sizeof(*spec));
	if (work_required(c, "type", &value, e) != 0 ||
	    work_key_type(value, &spec->type, e) != 0)
		return -1;
	if ((value = arg_value(c->args, "usage")) != NULL &&
	    work_usage(value, &spec->usage, e) != 0)
		return -1;
	if ((value = arg_value(c->args, "id")) != NULL) {
		if (burin_unhex(value, id, BURIN_MAX_ID, &spec->id_len) != 0 ||
		    spec->id_len == 0)
			return burin_fail(e, BURIN_EUSAGE, "id-malformed",
			    "--id takes 1 to %d bytes in hex, not \"%s\"",
			    BURIN_MAX_ID, value);
		spec->id = id;
		spec->keep_id = 1;
	}
	spec->label = arg_value(c->args, "label");
	spec->always_authenticate =
	    arg_flag(c->args, "always-authenticate") > 0;
	return 0;
}

/* On a token whose keys have places: --slot, or the usual one. */
static int
take_place(struct cli *c, struct burin_token *t, struct burin_key_spec *spec,
    unsigned char *id, struct burin_error *e)
{
	const char *slot = arg_value(c->args, "slot");
	const struct burin_place *place;
	struct place_use use;
	int rc;

	spec->overwrite = arg_flag(c->args, "replace") > 0;
	if (slot != NULL && spec->id != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--slot and --id both say where the key goes");
	if (spec->id != NULL)
		place = burin_token_place_of(t, spec->id, spec->id_len);
	else if (burin_token_place(t, slot, plan_usage(spec), &place, e) != 0)
		return burin_error_step(e, "slot");
	if (place == NULL || c->dry_run)
		return 0;
	if (place_look(t, place, &use, e) != 0)
		return -1;
	rc = place_check(t, &use, spec->overwrite, e);
	if (rc == 0 && use.occupied)
		out_note(c, "%s", use.text);
	place_use_clear(&use);
	id[0] = place->id;
	spec->id = id;
	spec->id_len = 1;
	return rc;
}

static int
run(struct cli *c, struct burin_error *e)
{
	unsigned char id[BURIN_MAX_ID];
	struct burin_key_spec spec;
	struct burin_key *key = NULL;
	struct burin_token *t;
	struct timespec start;
	const char *type;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (make_spec(c, &spec, id, e) != 0)
		return burin_error_step(e, "options");
	if (work_token(c, 0, &t, e) != 0)
		return -1;
	type = burin_key_type_name(spec.type);
	if (burin_token_check_write(t, e) != 0 ||
	    burin_token_check_generate(t, spec.type, e) != 0 ||
	    take_place(c, t, &spec, id, e) != 0)
		return -1;
	if (c->dry_run) {
		if (work_say_place(c, t, arg_value(c->args, "slot"),
			plan_usage(&spec), spec.overwrite, e) != 0)
			return -1;
		out_text(c, "would make a key (%s) on %s", type,
		    burin_token_name(t));
		return 0;
	}
	if (burin_keygen(t, &spec, &key, e) != 0)
		return burin_error_step(e, "keygen");
	out_json(c, "key", json_key(key));
	work_say_identity(c, key, NULL);
	out_text(c, "type         %s", type);
	burin_key_free(&key);
	work_cost(c, &start);
	return 0;
}

const struct verb verb_keygen = {
	.name = "keygen",
	.usage = "--token URI --type TYPE",
	.help = "make a key pair on a token",
	.opts = groups,
	.run = run,
};
