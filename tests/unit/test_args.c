/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parser of the command line, and what the tables promise.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/args.h"
#include "cli/config.h"

static const struct opt opts[] = {
	{ "json", 0, OPT_FLAG, NULL, "a flag" },
	{ "verbose", 'v', OPT_FLAG, NULL, "a letter" },
	{ "token", 0, OPT_VALUE, "URI", "a value" },
	{ "san", 0, OPT_LIST, "NAME", "a list" },
	{ "eku", 0, OPT_LIST, "NAME", "another" },
	{ "progress", 0, OPT_VALUE, "=json", "an optional value" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, NULL };

static const struct opt *const config_groups[] = { opts_subject, opts_authority,
	opts_transport, opts_wait, opts_common, NULL };

static struct burin_error e;

/* Parses words ended by NULL; NULL with e set when they are refused. */
static struct args *
parse(char **words)
{
	struct args *a = NULL;
	int n = 0;

	burin_error_clear(&e);
	while (words[n] != NULL)
		n++;
	if (args_parse(groups, n, words, &a, &e) != 0) {
		assert_null(a);
		assert_int_equal(e.status, BURIN_EUSAGE);
	}
	return a;
}

#define WORDS(...) ((char *[]) { __VA_ARGS__, NULL })
/* String literals as the writable words that main() gets. */
#define W(text) ((char[]) { text })

static void
test_forms(void **state)
{
	struct args *a;
	const char *const *list;

	(void)state;
	a = parse(WORDS(W("--token"), W("r7"), W("one"), W("-vv"),
	    W("--san=a=b"), W("--json"), W("-v"), W("--san"), W("c"),
	    W("--eku"), W("x"), W("--"), W("--json"), W("-")));
	assert_non_null(a);
	assert_string_equal(arg_value(a, "token"), "r7");
	assert_int_equal(arg_flag(a, "verbose"), 3);
	assert_int_equal(arg_flag(a, "json"), 1);
	assert_int_equal(arg_list(a, "san", &list), 2);
	assert_string_equal(list[0], "a=b");
	assert_string_equal(list[1], "c");
	assert_int_equal(arg_list(a, "eku", &list), 1);
	assert_int_equal(arg_words(a, &list), 3);
	assert_string_equal(list[0], "one");
	assert_string_equal(list[1], "--json");
	assert_string_equal(list[2], "-");
	assert_null(arg_value(a, "progress"));
	args_free(&a);
	assert_null(a);
}

static void
test_last_value_counts(void **state)
{
	struct args *a;

	(void)state;
	a = parse(WORDS(W("--token=a"), W("--token="), W("--progress")));
	assert_non_null(a);
	assert_string_equal(arg_value(a, "token"), "");
	assert_string_equal(arg_value(a, "progress"), "");
	args_free(&a);
	a = parse(WORDS(W("--progress=json"), W("x")));
	assert_string_equal(arg_value(a, "progress"), "json");
	args_free(&a);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_null(parse(WORDS(W("--tokn"), W("r7"))));
	assert_string_equal(e.code, "option-unknown");
	assert_non_null(strstr(e.advice, "--token"));
	assert_null(parse(WORDS(W("--tok=r7"))));
	assert_non_null(strstr(e.advice, "--token"));
	assert_null(parse(WORDS(W("--frobnicate"))));
	assert_null(strstr(e.advice, "did you mean"));
	assert_null(parse(WORDS(W("-x"))));
	assert_null(parse(WORDS(W("--json=yes"))));
	assert_null(parse(WORDS(W("--token"))));
	assert_null(parse(WORDS(W("--token"), W("--json"))));
	assert_non_null(strstr(e.advice, "--token=--json"));
}

/* An unknown option may be a mistyped secret: its value is not repeated. */
static void
test_value_not_repeated(void **state)
{
	(void)state;
	assert_null(parse(WORDS(W("--pni=123456"))));
	assert_null(strstr(e.reason, "123456"));
	assert_null(strstr(e.advice, "123456"));
}

static void
test_first_word(void **state)
{
	char **w = WORDS(W("-v"), W("--token"), W("r7"), W("--json"),
	    W("--san=x"), W("verb"), W("word"));

	(void)state;
	assert_int_equal(args_first_word(groups, 7, w), 5);
	assert_int_equal(args_first_word(groups, 5, w), 5);
}

static void
test_defaults(void **state)
{
	struct args *a;
	const char *const *list;

	(void)state;
	a = parse(WORDS(W("--token"), W("typed"), W("--eku=x")));
	assert_int_equal(
	    args_default(a, args_option(groups, "token"), "file", &e), 0);
	assert_int_equal(
	    args_default(a, args_option(groups, "san"), "one", &e), 0);
	assert_int_equal(
	    args_default(a, args_option(groups, "san"), "two", &e), 0);
	assert_int_equal(
	    args_default(a, args_option(groups, "json"), "", &e), 0);
	assert_string_equal(arg_value(a, "token"), "typed");
	assert_int_equal(arg_list(a, "san", &list), 2);
	assert_string_equal(list[0], "one");
	assert_string_equal(list[1], "two");
	assert_int_equal(arg_list(a, "eku", &list), 1);
	assert_int_equal(arg_flag(a, "json"), 1);
	args_free(&a);
}

static void
test_distance(void **state)
{
	(void)state;
	assert_int_equal(args_distance("", "abc"), 3);
	assert_int_equal(args_distance("kitten", "sitting"), 3);
	assert_int_equal(args_distance("same", "same"), 0);
	assert_true(args_near("enrol", "enroll"));
	assert_true(args_near("vrify", "verify"));
	assert_false(args_near("frobnicate", "verify"));
}

/* Every row of every verb is fit for help, completion and the man pages. */
static void
test_tables(void **state)
{
	const struct opt *const *g;
	const struct opt *o;
	size_t i, j;

	(void)state;
	for (i = 0; cli_verbs[i] != NULL; i++) {
		assert_non_null(cli_verbs[i]->run);
		assert_non_null(cli_verbs[i]->usage);
		assert_true(cli_verbs[i]->min_words <= cli_verbs[i]->max_words);
		for (g = cli_verbs[i]->opts; *g != NULL; g++)
			for (o = *g; o->name != NULL; o++) {
				assert_true(o->help[0] != '\0');
				assert_true(
				    (o->arg == NULL) == (o->kind == OPT_FLAG));
				/* no name twice in one verb */
				assert_ptr_equal(o,
				    args_option(cli_verbs[i]->opts, o->name));
			}
		for (j = 0; j < i; j++)
			assert_false(strcmp(cli_verbs[i]->name,
					 cli_verbs[j]->name) == 0 &&
			    (cli_verbs[i]->sub == NULL ||
				cli_verbs[j]->sub == NULL ||
				strcmp(cli_verbs[i]->sub, cli_verbs[j]->sub) ==
				    0));
	}
}

/* A verb's section beats [burin], and "no" is an answer as well. */
static void
test_config(void **state)
{
	static const char text[] =
	    "[burin]\nwait = yes\ntimeout = 9\njson = yes\n"
	    "1.san = dns:all\nlisten = ignored:1\nattestation = yes\n"
	    "[enroll]\nwait = no\ntimeout = 5\n2.san = dns:own\n";
	static const struct verb verb = { .name = "enroll",
		.opts = config_groups };
	char path[] = "/tmp/burin-unit-XXXXXX";
	const char *const *list;
	struct args *a = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	(void)close(fd);
	assert_int_equal(args_parse(config_groups, 0, NULL, &a, &e), 0);
	assert_int_equal(config_apply(path, &verb, a, &e), 0);
	assert_string_equal(arg_value(a, "timeout"), "5");
	assert_int_equal(arg_flag(a, "wait"), 0);
	assert_string_equal(arg_value(a, "attestation"), "");
	assert_int_equal(arg_flag(a, "json"), 1);
	assert_int_equal(arg_list(a, "san", &list), 1);
	assert_string_equal(list[0], "dns:own");
	args_free(&a);
	(void)unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_last_value_counts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_value_not_repeated),
		cmocka_unit_test(test_first_word),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
