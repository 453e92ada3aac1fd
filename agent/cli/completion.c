/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Completion scripts, written from the tables of verbs and options.
 */

#include <string.h>

#include "args.h"
#include "completion.h"
#include "help.h"

/* Profiles are looked up when completing: they come and go. */
static const char profiles_sh[] =
    "_burin_profiles()\n"
    "{\n"
    "\tlocal f\n"
    "\tfor f in \"${BURIN_PROFILE_DIR:-" BURIN_PROFILEDIR "}\"/*.cnf; do\n"
    "\t\t[ -e \"$f\" ] || continue\n"
    "\t\tf=${f##*/}\n"
    "\t\tprintf '%s\\n' \"${f%.cnf}\"\n"
    "\tdone\n"
    "}\n";

static void
key_types(FILE *f)
{
	int k;

	for (k = BURIN_KEY_UNKNOWN + 1; k < BURIN_KEY_TYPES; k++)
		(void)fprintf(f, "%s%s", k > 1 ? " " : "",
		    burin_key_type_name((enum burin_key_type)k));
}

/* Words that an option takes. */
static const struct {
	const char *option, *words;
} choices[] = {
	{ "protocol", "est cmc est-cmc cmp file" },
	{ "format", "pkcs10 crmf cmc" },
	{ "inner", "pkcs10 crmf" },
	{ "pop", "signature challenge challenge-untagged agreement" },
	{ "cmp-command", "ir cr kur p10cr" },
	{ "method", "dontCare x500 web ldap" },
	{ "reason",
	    "keyCompromise superseded cessationOfOperation "
	    "affiliationChanged certificateHold removeFromCRL unspecified" },
};
#define N_CHOICES (sizeof(choices) / sizeof(choices[0]))

/* First of the verbs with this name: "authority" is listed once. */
static int
is_first(size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strcmp(cli_verbs[j]->name, cli_verbs[i]->name) == 0)
			return 0;
	return 1;
}

static void
names(FILE *f)
{
	size_t i, n = 0;

	for (i = 0; cli_verbs[i] != NULL; i++)
		if (is_first(i))
			(void)fprintf(
			    f, "%s%s", n++ > 0 ? " " : "", cli_verbs[i]->name);
}

static void
subs(FILE *f, const char *name)
{
	size_t i, n = 0;

	for (i = 0; cli_verbs[i] != NULL; i++)
		if (cli_verbs[i]->sub != NULL &&
		    strcmp(cli_verbs[i]->name, name) == 0)
			(void)fprintf(
			    f, "%s%s", n++ > 0 ? " " : "", cli_verbs[i]->sub);
}

static void
option_names(FILE *f, const struct verb *v)
{
	const struct opt *o;
	size_t i, n = 0;

	for (i = 0; v->opts[i] != NULL; i++)
		for (o = v->opts[i]; o->name != NULL; o++)
			(void)fprintf(f, "%s--%s", n++ > 0 ? " " : "", o->name);
}

/* "--a|--b" of every option of any verb whose argument is called arg. */
static size_t
pattern(FILE *f, const char *arg)
{
	const struct opt *o;
	const struct opt *const *g;
	size_t i, n = 0;

	for (i = 0; cli_verbs[i] != NULL; i++)
		for (g = cli_verbs[i]->opts; *g != NULL; g++)
			for (o = *g; o->name != NULL; o++) {
				size_t j;

				if (o->arg == NULL || strcmp(o->arg, arg) != 0)
					continue;
				for (j = 0; j < i; j++)
					if (args_option(cli_verbs[j]->opts,
						o->name) != NULL)
						break;
				if (j == i)
					(void)fprintf(f, "%s--%s",
					    n++ > 0 ? "|" : "", o->name);
			}
	return n;
}

static void
bash_values(FILE *f)
{
	size_t i;

	(void)fputs("\tcase $prev in\n\t", f);
	(void)pattern(f, "FILE");
	(void)fputs(")\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
		    "\t\treturn\n\t\t;;\n\t",
	    f);
	(void)pattern(f, "DIR");
	(void)fputs(")\n\t\tCOMPREPLY=($(compgen -d -- \"$cur\"))\n"
		    "\t\treturn\n\t\t;;\n\t",
	    f);
	(void)pattern(f, "TYPE");
	(void)fputs(")\n\t\t_burin_words \"", f);
	key_types(f);
	(void)fputs("\"\n\t\treturn\n\t\t;;\n\t", f);
	(void)pattern(f, "PROFILE");
	(void)fputs(")\n\t\t_burin_words \"$(_burin_profiles)\"\n"
		    "\t\treturn\n\t\t;;\n\t",
	    f);
	(void)pattern(f, "SRC");
	(void)fputs(")\n\t\t_burin_words \"prompt file: fd: env: askpass "
		    "credential:\"\n\t\treturn\n\t\t;;\n",
	    f);
	for (i = 0; i < N_CHOICES; i++)
		(void)fprintf(f,
		    "\t--%s)\n\t\t_burin_words \"%s\"\n"
		    "\t\treturn\n\t\t;;\n",
		    choices[i].option, choices[i].words);
	(void)fputs("\tesac\n", f);
}

void
completion_bash(FILE *f)
{
	char name[64];
	size_t i;

	(void)fputs("# bash completion for burin\n", f);
	(void)fputs(profiles_sh, f);
	/* bash splits words at colons: bash-completion joins them again. */
	(void)fputs("_burin_words()\n{\n"
		    "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
		    "\tif declare -F __ltrim_colon_completions >/dev/null; "
		    "then\n"
		    "\t\t__ltrim_colon_completions \"$cur\"\n\tfi\n}\n"
		    "_burin()\n{\n"
		    "\tlocal cur prev words cword verb\n"
		    "\tCOMPREPLY=()\n"
		    "\tif declare -F _get_comp_words_by_ref >/dev/null; then\n"
		    "\t\t_get_comp_words_by_ref -n := cur prev words cword\n"
		    "\telse\n"
		    "\t\tcur=${COMP_WORDS[COMP_CWORD]}\n"
		    "\t\tprev=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\t\twords=(\"${COMP_WORDS[@]}\") cword=$COMP_CWORD\n"
		    "\tfi\n"
		    "\tif ((cword == 1)); then\n\t\t_burin_words \"",
	    f);
	names(f);
	(void)fputs(" --help --version\"\n\t\treturn\n\tfi\n"
		    "\tverb=${words[1]}\n"
		    "\tcase $verb in\n",
	    f);
	for (i = 0; cli_verbs[i] != NULL; i++) {
		if (cli_verbs[i]->sub == NULL || !is_first(i))
			continue;
		(void)fprintf(f,
		    "\t%s)\n"
		    "\t\tif ((cword == 2)); then\n\t\t\t_burin_words \"",
		    cli_verbs[i]->name);
		subs(f, cli_verbs[i]->name);
		(void)fprintf(f,
		    "\"\n\t\t\treturn\n\t\tfi\n"
		    "\t\tverb=\"%s ${words[2]}\"\n\t\t;;\n",
		    cli_verbs[i]->name);
	}
	(void)fputs("\tesac\n"
		    "\tif [[ $verb == completion && $cur != -* ]]; then\n"
		    "\t\t_burin_words \"bash zsh\"\n\t\treturn\n\tfi\n",
	    f);
	bash_values(f);
	(void)fputs("\tif [[ $cur != -* && $verb == profile\\ * ]]; then\n"
		    "\t\t_burin_words \"$(_burin_profiles)\"\n"
		    "\t\tCOMPREPLY+=($(compgen -f -- \"$cur\"))\n"
		    "\t\treturn\n\tfi\n"
		    "\tif [[ $cur != -* ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
		    "\t\treturn\n\tfi\n"
		    "\tcase $verb in\n",
	    f);
	for (i = 0; cli_verbs[i] != NULL; i++) {
		(void)fprintf(f, "\t\"%s\")\n\t\t_burin_words \"",
		    help_name(cli_verbs[i], name, sizeof(name)));
		option_names(f, cli_verbs[i]);
		(void)fputs("\"\n\t\t;;\n", f);
	}
	(void)fputs("\tesac\n}\ncomplete -o filenames -F _burin burin\n", f);
}

/* Text inside a zsh spec: brackets, colons and quotes mean something. */
static void
zsh_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			(void)fputs("'\\''", f);
		else if (strchr("[]:\\", *s) != NULL)
			(void)fprintf(f, "\\%c", *s);
		else
			(void)fputc(*s, f);
	}
}

static void
zsh_action(FILE *f, const struct opt *o)
{
	size_t i;

	for (i = 0; i < N_CHOICES; i++)
		if (strcmp(o->name, choices[i].option) == 0)
			(void)fprintf(f, "(%s)", choices[i].words);
	if (strcmp(o->arg, "FILE") == 0) {
		(void)fputs("_files", f);
	} else if (strcmp(o->arg, "DIR") == 0) {
		(void)fputs("_files -/", f);
	} else if (strcmp(o->arg, "PROFILE") == 0) {
		(void)fputs("($(_burin_profiles))", f);
	} else if (strcmp(o->arg, "SRC") == 0) {
		(void)fputs("(prompt file\\: fd\\: env\\: askpass "
			    "credential\\:)",
		    f);
	} else if (strcmp(o->arg, "TYPE") == 0) {
		int k;

		(void)fputc('(', f);
		for (k = BURIN_KEY_UNKNOWN + 1; k < BURIN_KEY_TYPES; k++) {
			if (k > 1)
				(void)fputc(' ', f);
			zsh_text(
			    f, burin_key_type_name((enum burin_key_type)k));
		}
		(void)fputc(')', f);
	}
}

static void
zsh_option(FILE *f, const struct opt *o)
{
	int optional = o->kind != OPT_FLAG && o->arg[0] == '=';

	(void)fprintf(f, " \\\n\t\t\t'%s--%s%s[",
	    o->kind == OPT_LIST ? "*" : "", o->name,
	    o->kind == OPT_FLAG ? ""
		: optional	? "=-"
				: "=");
	zsh_text(f, o->help);
	(void)fputc(']', f);
	if (o->kind != OPT_FLAG) {
		(void)fputs(optional ? "::" : ":", f);
		zsh_text(f, optional ? o->arg + 1 : o->arg);
		(void)fputc(':', f);
		zsh_action(f, o);
	}
	(void)fputc('\'', f);
}

void
completion_zsh(FILE *f)
{
	const struct opt *o;
	char name[64];
	size_t i, g;

	(void)fputs("#compdef burin\n", f);
	(void)fputs(profiles_sh, f);
	(void)fputs("_burin()\n{\n"
		    "\tlocal verb=${words[2]}\n"
		    "\tif ((CURRENT == 2)); then\n\t\tcompadd -- ",
	    f);
	names(f);
	(void)fputs(" --help --version\n\t\treturn\n\tfi\n"
		    "\tcase $verb in\n",
	    f);
	for (i = 0; cli_verbs[i] != NULL; i++) {
		if (cli_verbs[i]->sub == NULL || !is_first(i))
			continue;
		(void)fprintf(f,
		    "\t%s)\n"
		    "\t\tif ((CURRENT == 3)); then\n\t\t\tcompadd -- ",
		    cli_verbs[i]->name);
		subs(f, cli_verbs[i]->name);
		(void)fprintf(f,
		    "\n\t\t\treturn\n\t\tfi\n"
		    "\t\tverb=\"%s ${words[3]}\"\n\t\t;;\n",
		    cli_verbs[i]->name);
	}
	(void)fputs("\tesac\n\tcase $verb in\n", f);
	for (i = 0; cli_verbs[i] != NULL; i++) {
		(void)fprintf(f, "\t\"%s\")\n\t\t_arguments",
		    help_name(cli_verbs[i], name, sizeof(name)));
		for (g = 0; cli_verbs[i]->opts[g] != NULL; g++)
			for (o = cli_verbs[i]->opts[g]; o->name != NULL; o++)
				zsh_option(f, o);
		if (strcmp(cli_verbs[i]->name, "completion") == 0)
			(void)fputs(" \\\n\t\t\t'*:shell:(bash zsh)'", f);
		else if (strcmp(cli_verbs[i]->name, "profile") == 0)
			(void)fputs(" \\\n\t\t\t'*:profile:{_files; compadd "
				    "-- $(_burin_profiles)}'",
			    f);
		else
			(void)fputs(" \\\n\t\t\t'*:file:_files'", f);
		(void)fputs("\n\t\t;;\n", f);
	}
	(void)fputs("\tesac\n}\n_burin \"$@\"\n", f);
}
