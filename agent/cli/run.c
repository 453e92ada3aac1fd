/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One run of the program: find the verb, parse its options, run it, say how
 * it went. The exit status is the status of the error (burin(1)).
 */

#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "config.h"
#include "help.h"
#include "progress.h"
#include "wait.h"
#include "worker.h"

static const struct opt *const common_only[] = { opts_common, opts_dry_run,
	NULL };

/* Looked for before parsing: a usage error is JSON too. */
static int
asked_json(int argc, char *const *argv)
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return 1;
	return 0;
}

static int
unknown_verb(const char *word, struct burin_error *e)
{
	const struct verb *best = NULL;
	size_t i, d, best_d = (size_t)-1;

	for (i = 0; cli_verbs[i] != NULL; i++) {
		if (!args_near(word, cli_verbs[i]->name))
			continue;
		if ((d = args_distance(word, cli_verbs[i]->name)) < best_d) {
			best_d = d;
			best = cli_verbs[i];
		}
	}
	(void)burin_fail(
	    e, BURIN_EUSAGE, "verb-unknown", "there is no verb \"%s\"", word);
	if (best != NULL)
		return burin_error_advice(
		    e, "did you mean burin %s?", best->name);
	return burin_error_advice(e, "burin --help lists the verbs");
}

static int
unknown_sub(const char *name, const char *word, struct burin_error *e)
{
	char list[BURIN_ERROR_TEXT] = "";
	size_t i, n = 0;

	for (i = 0; cli_verbs[i] != NULL && n < sizeof(list); i++)
		if (strcmp(cli_verbs[i]->name, name) == 0)
			n += (size_t)snprintf(list + n, sizeof(list) - n,
			    "%s%s", n > 0 ? ", " : "", cli_verbs[i]->sub);
	if (word == NULL)
		(void)burin_fail(e, BURIN_EUSAGE, "verb-incomplete",
		    "burin %s needs one word more", name);
	else
		(void)burin_fail(e, BURIN_EUSAGE, "verb-unknown",
		    "there is no burin %s %s", name, word);
	return burin_error_advice(e, "it is one of: %s", list);
}

/*
 * The verb in argv, its words taken out. *v is NULL, with 0 returned, when
 * only --help or --version was asked for.
 */
static int
take_verb(int *argc, char **argv, const struct verb **v, struct burin_error *e)
{
	int i = args_first_word(common_only, *argc, argv), n = 1;
	const char *sub;
	size_t j;

	*v = NULL;
	if (i >= *argc)
		return 0;
	for (j = 0; cli_verbs[j] != NULL; j++)
		if (strcmp(cli_verbs[j]->name, argv[i]) == 0)
			break;
	if (cli_verbs[j] == NULL)
		return unknown_verb(argv[i], e);
	if (cli_verbs[j]->sub != NULL) {
		sub =
		    i + 1 < *argc && argv[i + 1][0] != '-' ? argv[i + 1] : NULL;
		for (; cli_verbs[j] != NULL; j++)
			if (strcmp(cli_verbs[j]->name, argv[i]) == 0 &&
			    sub != NULL && strcmp(cli_verbs[j]->sub, sub) == 0)
				break;
		if (cli_verbs[j] == NULL)
			return unknown_sub(argv[i], sub, e);
		n = 2;
	}
	*v = cli_verbs[j];
	memmove(
	    argv + i, argv + i + n, (size_t)(*argc - i - n) * sizeof(*argv));
	*argc -= n;
	return 0;
}

static int
check_words(const struct verb *v, const struct args *a, struct burin_error *e)
{
	const char *const *words;
	size_t n = arg_words(a, &words);
	char name[64];

	if (n > v->max_words) {
		(void)burin_fail(e, BURIN_EUSAGE, "word-unexpected",
		    "\"%s\" is one word too many", words[v->max_words]);
	} else if (n < v->min_words) {
		(void)burin_fail(e, BURIN_EUSAGE, "word-missing", "%s",
		    n == 0 ? "a word is missing" : "one word more is needed");
	} else {
		return 0;
	}
	return burin_error_advice(
	    e, "burin %s %s", help_name(v, name, sizeof(name)), v->usage);
}

/* What the words make of c; *done: help or version was printed. */
static int
prepare(struct cli *c, int argc, char **argv, struct args **args, int *done,
    struct burin_error *e)
{
	const char *value;

	if (take_verb(&argc, argv, &c->verb, e) != 0)
		return -1;
	if (args_parse(c->verb != NULL ? c->verb->opts : common_only, argc,
		argv, args, e) != 0)
		return -1;
	*done = 1;
	if (arg_flag(*args, "version")) {
		(void)printf("burin %s\n", BURIN_VERSION);
		return 0;
	}
	if (arg_flag(*args, "help")) {
		if (c->verb == NULL)
			help_program(stdout);
		else
			help_verb(stdout, c->verb);
		return 0;
	}
	*done = 0;
	if (c->verb == NULL) {
		if (!c->want_json)
			help_program(stderr);
		return burin_fail(
		    e, BURIN_EUSAGE, "verb-missing", "a verb is missing");
	}
	if ((value = arg_value(*args, "config")) != NULL &&
	    config_apply(value, c->verb, *args, e) != 0)
		return -1;
	c->args = *args;
	c->want_json = arg_flag(*args, "json");
	c->dry_run = arg_flag(*args, "dry-run");
	c->verbose = arg_flag(*args, "verbose");
	c->quiet = arg_flag(*args, "quiet");
	if (check_words(c->verb, *args, e) != 0)
		return -1;
	if ((value = arg_value(*args, "progress")) != NULL) {
		if (strcmp(value, "json") != 0 && value[0] != '\0')
			return burin_fail(e, BURIN_EUSAGE, "option-value",
			    "--progress is =json or nothing");
		c->progress_json = strcmp(value, "json") == 0;
	}
	if (wait_options(c, e) != 0)
		return burin_error_step(e, "wait");
	if ((value = arg_value(*args, "pin-source")) != NULL &&
	    source_check(value, e) != 0)
		return burin_error_step(e, "pin-source");
	if ((value = arg_value(*args, "so-pin-source")) != NULL &&
	    source_check(value, e) != 0)
		return burin_error_step(e, "so-pin-source");
	return 0;
}

static void
finish(struct cli *c, int rc, const struct burin_error *e)
{
	progress_clear(c);
	if (c->json != NULL) {
		if (rc != 0)
			out_json(c, "error", json_error(e));
		if (json_object_get(c->json, "status") == NULL)
			out_json(c, "status",
			    json_string(burin_status_name(e->status)));
		worker_answers(c);
		(void)json_dumpf(
		    c->json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
		(void)fputc('\n', stdout);
		(void)fflush(stdout);
	}
	if (rc != 0)
		out_error(c, e);
}

/* Runs the verb, here or in a worker, and says how it went: the status. */
static int
run_verb(struct cli *c, int rc, struct burin_error *e)
{
	int status = BURIN_OK;

	if (c->want_json)
		c->json = json_object();
	if (rc != 0) {
		(void)burin_error_step(e, "usage");
	} else if ((rc = worker_start(c, &status, e)) == 0) {
		return status;
	} else if (rc == -1 || (rc = c->verb->run(c, e)) != 0) {
		(void)burin_error_step(e, c->verb->name);
	}
	finish(c, rc, e);
	if (rc != 0)
		status =
		    e->status != BURIN_OK ? (int)e->status : BURIN_EINTERNAL;
	else if (fflush(stdout) != 0 || ferror(stdout))
		status = BURIN_EINTERNAL;
	worker_ends(c, status);
	return status;
}

int
cli_main(int argc, char **argv)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct args *args = NULL;
	struct cli c;
	int done = 0, rc, status = BURIN_OK;

	memset(&c, 0, sizeof(c));
	c.worker = -1;
	c.want_json = asked_json(argc - 1, argv + 1);
	rc = prepare(&c, argc - 1, argv + 1, &args, &done, &e);
	if (!done)
		status = run_verb(&c, rc, &e);
	cli_clear(&c);
	args_free(&args);
	if (status == BURIN_OK && (fflush(stdout) != 0 || ferror(stdout)))
		status = BURIN_EINTERNAL;
	/* cli_clear leaves the verb be */
	return c.verb != NULL && c.verb->exit_status != NULL
	    ? c.verb->exit_status(status)
	    : status;
}
