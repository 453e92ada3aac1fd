/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parser of the command line: one table row per option, nothing known
 * of any verb.
 */

#include <stdlib.h>
#include <string.h>

#include "args.h"

struct given {
	const struct opt *opt;
	const char *value; /* NULL for flags */
	int is_default;	   /* from a configuration file */
};

struct args {
	struct given *given;
	size_t n_given;
	const char **words;
	size_t n_words;
	/* Every value, those of one option together: arg_list's answers. */
	const char **list;
	const struct opt **list_opt;
	char **owned; /* values of args_default */
	size_t n_owned;
};

#define MAX_WORD 48 /* letters that count in args_distance */

const struct opt *
args_option(const struct opt *const *groups, const char *name)
{
	const struct opt *o;

	for (; *groups != NULL; groups++)
		for (o = *groups; o->name != NULL; o++)
			if (strcmp(o->name, name) == 0)
				return o;
	return NULL;
}

static const struct opt *
find_len(const struct opt *const *groups, const char *name, size_t len)
{
	const struct opt *o;

	for (; *groups != NULL; groups++)
		for (o = *groups; o->name != NULL; o++)
			if (strlen(o->name) == len &&
			    memcmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

static const struct opt *
find_letter(const struct opt *const *groups, char letter)
{
	const struct opt *o;

	for (; *groups != NULL; groups++)
		for (o = *groups; o->name != NULL; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

size_t
args_distance(const char *a, const char *b)
{
	size_t row[MAX_WORD + 1], la = strlen(a), lb = strlen(b), i, j;
	size_t diagonal, above, best;

	la = la > MAX_WORD ? MAX_WORD : la;
	lb = lb > MAX_WORD ? MAX_WORD : lb;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[lb];
}

int
args_near(const char *typed, const char *meant)
{
	size_t n = strlen(typed);

	/* A prefix is an abbreviation that we do not take. */
	if (n >= 2 && strncmp(typed, meant, n) == 0)
		return 1;
	return args_distance(typed, meant) <= (strlen(meant) > 5 ? 2u : 1u);
}

static int
unknown(
    const struct opt *const *groups, const char *word, struct burin_error *e)
{
	const struct opt *o, *best = NULL;
	char name[MAX_WORD + 1];
	size_t n, d, best_d = (size_t)-1;

	while (*word == '-')
		word++;
	n = strcspn(word, "=");
	n = n > MAX_WORD ? MAX_WORD : n;
	memcpy(name, word, n);
	name[n] = '\0';
	for (; *groups != NULL; groups++)
		for (o = *groups; o->name != NULL; o++) {
			if (!args_near(name, o->name))
				continue;
			if ((d = args_distance(name, o->name)) < best_d) {
				best_d = d;
				best = o;
			}
		}
	(void)burin_fail(e, BURIN_EUSAGE, "option-unknown",
	    "there is no option %s%s here", n == 1 ? "-" : "--", name);
	if (best != NULL)
		return burin_error_advice(e, "did you mean --%s?", best->name);
	return burin_error_advice(e, "--help lists the options");
}

static void
add(struct args *a, const struct opt *o, const char *value)
{
	a->given[a->n_given].opt = o;
	a->given[a->n_given++].value = value;
}

/* Values grouped by option, in the order typed. */
static int
make_lists(struct args *a, struct burin_error *e)
{
	size_t i, j, n = 0;

	free(a->list);
	free(a->list_opt);
	a->list = calloc(a->n_given + 1, sizeof(*a->list));
	a->list_opt = calloc(a->n_given + 1, sizeof(*a->list_opt));
	if (a->list == NULL || a->list_opt == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < a->n_given; i++) {
		for (j = 0; j < i; j++)
			if (a->given[j].opt == a->given[i].opt)
				break;
		if (j < i)
			continue;
		for (j = i; j < a->n_given; j++)
			if (a->given[j].opt == a->given[i].opt) {
				a->list_opt[n] = a->given[j].opt;
				a->list[n++] = a->given[j].value;
			}
	}
	return 0;
}

/* --name, --name=value, --name value. *i is left on the last word taken. */
static int
long_option(struct args *a, const struct opt *const *groups, int argc,
    char *const *argv, int *i, struct burin_error *e)
{
	const char *word = argv[*i] + 2, *value = strchr(word, '=');
	const struct opt *o;

	o = find_len(groups, word,
	    value != NULL ? (size_t)(value - word) : strlen(word));
	if (o == NULL)
		return unknown(groups, argv[*i], e);
	if (value != NULL)
		value++;
	if (o->kind == OPT_FLAG) {
		if (value != NULL)
			return burin_fail(e, BURIN_EUSAGE, "option-value",
			    "--%s takes no value", o->name);
		add(a, o, NULL);
		return 0;
	}
	if (value == NULL && o->arg[0] == '=') {
		add(a, o, "");
		return 0;
	}
	if (value == NULL) {
		if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0) {
			(void)burin_fail(e, BURIN_EUSAGE, "option-value",
			    "--%s needs a value: %s", o->name, o->arg);
			if (*i + 1 >= argc)
				return -1;
			return burin_error_advice(e,
			    "if \"%s\" is the value, write --%s=%s",
			    argv[*i + 1], o->name, argv[*i + 1]);
		}
		value = argv[++*i];
	}
	add(a, o, value);
	return 0;
}

static int
letters(struct args *a, const struct opt *const *groups, const char *word,
    struct burin_error *e)
{
	const struct opt *o;
	const char *p;

	for (p = word + 1; *p != '\0'; p++) {
		o = find_letter(groups, *p);
		if (o == NULL || o->kind != OPT_FLAG)
			return unknown(groups, word, e);
		add(a, o, NULL);
	}
	return 0;
}

/* Room for every letter of every word: more options there cannot be. */
static struct args *
new_args(int argc, char *const *argv)
{
	struct args *a;
	size_t n = 1;
	int i;

	for (i = 0; i < argc; i++)
		n += argv[i][0] == '-' ? strlen(argv[i]) : 1;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->given = calloc(n, sizeof(*a->given));
	a->words = calloc((size_t)argc + 1, sizeof(*a->words));
	if (a->given == NULL || a->words == NULL)
		args_free(&a);
	return a;
}

int
args_parse(const struct opt *const *groups, int argc, char *const *argv,
    struct args **out, struct burin_error *e)
{
	struct args *a;
	int i, ended = 0, rc = -1;

	*out = NULL;
	if ((a = new_args(argc, argv)) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < argc; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			a->words[a->n_words++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			ended = 1;
		} else if (argv[i][1] == '-') {
			if (long_option(a, groups, argc, argv, &i, e) != 0)
				goto out;
		} else if (letters(a, groups, argv[i], e) != 0) {
			goto out;
		}
	}
	if (make_lists(a, e) != 0)
		goto out;
	*out = a;
	a = NULL;
	rc = 0;
out:
	args_free(&a);
	return rc;
}

void
args_free(struct args **ap)
{
	struct args *a;
	size_t i;

	if (ap == NULL || (a = *ap) == NULL)
		return;
	for (i = 0; i < a->n_owned; i++)
		free(a->owned[i]);
	free(a->owned);
	free(a->given);
	free(a->words);
	free(a->list);
	free(a->list_opt);
	free(a);
	*ap = NULL;
}

int
args_first_word(const struct opt *const *groups, int argc, char *const *argv)
{
	const struct opt *o;
	int i;

	for (i = 0; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			return i;
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		if (argv[i][1] != '-' || strchr(argv[i], '=') != NULL)
			continue;
		o = args_option(groups, argv[i] + 2);
		if (o != NULL && o->kind != OPT_FLAG && o->arg[0] != '=')
			i++;
	}
	return argc;
}

int
args_default(struct args *a, const struct opt *o, const char *value,
    struct burin_error *e)
{
	struct given *given;
	char **owned, *copy;
	size_t i;

	for (i = 0; i < a->n_given; i++)
		if (a->given[i].opt == o && !a->given[i].is_default)
			return 0;
	given = realloc(a->given, (a->n_given + 1) * sizeof(*given));
	if (given == NULL)
		return burin_fail_memory(e);
	a->given = given;
	owned = realloc(a->owned, (a->n_owned + 1) * sizeof(*owned));
	if (owned == NULL)
		return burin_fail_memory(e);
	a->owned = owned;
	if ((copy = strdup(value)) == NULL)
		return burin_fail_memory(e);
	a->owned[a->n_owned++] = copy;
	memset(&given[a->n_given], 0, sizeof(*given));
	given[a->n_given].is_default = 1;
	add(a, o, o->kind == OPT_FLAG ? NULL : copy);
	return make_lists(a, e);
}

const struct opt *
args_at(const struct args *a, size_t i, const char **value)
{
	if (i >= a->n_given)
		return NULL;
	*value = a->given[i].value;
	return a->given[i].opt;
}

int
arg_flag(const struct args *a, const char *name)
{
	size_t i;
	int n = 0;

	for (i = 0; i < a->n_given; i++)
		n += strcmp(a->given[i].opt->name, name) == 0;
	return n;
}

const char *
arg_value(const struct args *a, const char *name)
{
	size_t i;

	for (i = a->n_given; i > 0; i--)
		if (strcmp(a->given[i - 1].opt->name, name) == 0)
			return a->given[i - 1].value;
	return NULL;
}

size_t
arg_list(const struct args *a, const char *name, const char *const **list)
{
	size_t i, n = 0;

	*list = NULL;
	for (i = 0; i < a->n_given; i++) {
		if (strcmp(a->list_opt[i]->name, name) != 0)
			continue;
		if (n++ == 0)
			*list = &a->list[i];
	}
	return n;
}

size_t
arg_words(const struct args *a, const char *const **words)
{
	*words = a->words;
	return a->n_words;
}
