/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The second pair of eyes: burin-consumer-check uses the key as any user of
 * OpenSSL would, in a process of its own, because libp11 finalizes the
 * module of the process it runs in.
 */

#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "helper/helper.h"
#include "work.h"

#define SECONDS 30
#define MAX_ANSWER 4096 /* bytes of its JSON line */
#define CANNOT 77	/* its exit status: libp11 is not able to look */

/* The string that --module-init gave the module at path, or NULL. */
static const char *
init_of(const struct args *a, const char *path)
{
	const struct opt *o;
	const char *value;
	int ours = 0;
	size_t i;

	for (i = 0; (o = args_at(a, i, &value)) != NULL; i++) {
		if (strcmp(o->name, "module") == 0)
			ours = strcmp(value, path) == 0;
		else if (ours && strcmp(o->name, "module-init") == 0)
			return value;
	}
	return NULL;
}

static const char *
use_word(const struct burin_key *key)
{
	unsigned usage = burin_key_usage(key);

	if (usage & BURIN_USE_SIGN)
		return "sign";
	return usage & BURIN_USE_DECRYPT ? "decrypt" : "derive";
}

static int
run(struct cli *c, struct burin_key *key, const char *uri,
    struct helper_answer *a, struct burin_error *e)
{
	const char *module = burin_token_info(burin_key_token(key))->module;
	const char *init = init_of(c->args, module);
	const char *argv[14] = { NULL };
	struct helper h = {
		.name = "burin-consumer-check",
		.env = "BURIN_CONSUMER_CHECK",
		.argv = argv,
		.secret = c->pin.pin,
		.max_answer = MAX_ANSWER,
		.seconds = SECONDS,
	};
	size_t n = 1;

	argv[n++] = "--module";
	/* A module of the registry is reached as its other users reach it. */
	argv[n++] = strchr(module, '/') != NULL ? module : "p11-kit-proxy.so";
	if (init != NULL) {
		argv[n++] = "--module-init";
		argv[n++] = init;
	}
	argv[n++] = "--uri";
	argv[n++] = uri;
	argv[n++] = "--use";
	argv[n++] = use_word(key);
	if (h.secret != NULL) {
		argv[n++] = "--pin-fd";
		argv[n++] = "3";
	}
	argv[n] = NULL;
	return helper_run(&h, a, e);
}

static void
judge(const struct helper_answer *a, struct consumer_result *out)
{
	json_t *o = json_loadb(
	    (const char *)a->bytes, a->len, JSON_DISABLE_EOF_CHECK, NULL);
	const char *text = json_string_value(json_object_get(o, "text"));

	out->level = BURIN_FAIL;
	if (a->end == HELPER_LATE) {
		(void)snprintf(out->text, sizeof(out->text),
		    "libp11 did not answer within %d seconds", SECONDS);
	} else if (a->end == HELPER_CRASHED) {
		(void)snprintf(out->text, sizeof(out->text),
		    "libp11 crashed (signal %d) while using the key", a->value);
	} else {
		if (a->end == HELPER_EXITED && a->value == 0)
			out->level = BURIN_PASS;
		else if (a->end == HELPER_EXITED && a->value == CANNOT)
			out->level = BURIN_WARN;
		(void)snprintf(out->text, sizeof(out->text), "%s",
		    text != NULL ? text : "the consumer check gave no answer");
	}
	json_decref(o);
}

/* libp11 0.4.12 knows neither EdDSA nor X25519 keys. */
static int
libp11_is_blind(const struct burin_key *key, struct consumer_result *out)
{
	enum burin_key_type type = burin_key_get_type(key);

	if (type != BURIN_ED25519 && type != BURIN_ED448 &&
	    type != BURIN_X25519)
		return 0;
	out->level = BURIN_WARN;
	(void)snprintf(out->text, sizeof(out->text),
	    "libp11 0.4.12 cannot see %s keys, nor anything else on a token "
	    "that holds one: programs that use OpenSSL through it will not "
	    "find this identity",
	    burin_key_type_name(type));
	return 1;
}

/* Another token's PIN (--reenroll) would cost this one a try. */
static int
pin_of_another(const struct cli *c, const struct burin_key *key,
    struct consumer_result *out)
{
	if (c->pin.pin == NULL || c->pin.token == NULL ||
	    strcmp(c->pin.token, burin_token_name(burin_key_token(key))) == 0)
		return 0;
	out->level = BURIN_WARN;
	(void)snprintf(out->text, sizeof(out->text),
	    "not tried: the PIN at hand is the one of %s; burin verify tries "
	    "it",
	    c->pin.token);
	return 1;
}

int
consumer_run(struct cli *c, struct burin_key *key, struct consumer_result *out,
    struct burin_error *e)
{
	struct helper_answer answer;
	char *uri;
	int rc;

	memset(out, 0, sizeof(*out));
	if (libp11_is_blind(key, out) || pin_of_another(c, key, out))
		return 0;
	if ((uri = burin_key_uri(key)) == NULL)
		return burin_fail_memory(e);
	rc = run(c, key, uri, &answer, e);
	free(uri);
	if (rc != 0)
		return burin_error_step(e, "consumer-check");
	judge(&answer, out);
	helper_answer_clear(&answer);
	return 0;
}

int
consumer_check(void *arg, const char *key_uri, struct burin_error *e)
{
	struct consumer_result result;
	struct burin_key *key = NULL;
	struct cli *c = arg;
	int rc = -1;

	if (burin_key_find(c->p11, key_uri, &key, e) != 0)
		goto out;
	if (consumer_run(c, key, &result, e) != 0)
		goto out;
	if (result.level == BURIN_FAIL) {
		(void)burin_fail(e, BURIN_EVERIFY, "consumer-check",
		    "another program cannot use the key: %s", result.text);
		(void)burin_error_step(e, "consumer-check");
		goto out;
	}
	if (result.level == BURIN_WARN)
		out_note(c, "warning: %s", result.text);
	rc = 0;
out:
	burin_key_free(&key);
	return rc;
}
