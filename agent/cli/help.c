/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Help, printed from the tables of verbs and options.
 */

#include <string.h>

#include "help.h"

#define COLUMN 28 /* where explanations start */

const char *
help_name(const struct verb *v, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s%s%s", v->name, v->sub != NULL ? " " : "",
	    v->sub != NULL ? v->sub : "");
	return buf;
}

static void
option(FILE *f, const struct opt *o)
{
	char left[64];
	size_t n;

	if (o->letter != 0)
		n = (size_t)snprintf(
		    left, sizeof(left), "  -%c, --%s", o->letter, o->name);
	else
		n = (size_t)snprintf(left, sizeof(left), "  --%s", o->name);
	if (o->kind != OPT_FLAG && n < sizeof(left)) {
		if (o->arg[0] == '=')
			n += (size_t)snprintf(
			    left + n, sizeof(left) - n, "[%s]", o->arg);
		else
			n += (size_t)snprintf(
			    left + n, sizeof(left) - n, " %s", o->arg);
	}
	if (n >= COLUMN)
		(void)fprintf(f, "%s\n%*s%s", left, COLUMN, "", o->help);
	else
		(void)fprintf(f, "%-*s%s", COLUMN, left, o->help);
	(void)fputs(o->kind == OPT_LIST ? " (repeatable)\n" : "\n", f);
}

static void
options(FILE *f, const struct opt *o)
{
	for (; o->name != NULL; o++)
		option(f, o);
}

void
help_program(FILE *f)
{
	char name[64];
	size_t i;

	(void)fputs("usage: burin VERB [OPTION]…\n\n"
		    "burin gives hardware tokens their certificates.\n\n",
	    f);
	for (i = 0; cli_verbs[i] != NULL; i++)
		(void)fprintf(f, "  %-20s%s\n",
		    help_name(cli_verbs[i], name, sizeof(name)),
		    cli_verbs[i]->help);
	(void)fputs("\nOptions of every verb (burin VERB --help lists its "
		    "own):\n\n",
	    f);
	options(f, opts_common);
}

void
help_verb(FILE *f, const struct verb *v)
{
	char name[64];
	size_t i;

	(void)fprintf(f, "usage: burin %s %s%s[OPTION]…\n\n%s\n\n",
	    help_name(v, name, sizeof(name)), v->usage,
	    v->usage[0] != '\0' ? " " : "", v->help);
	for (i = 0; v->opts[i] != NULL; i++)
		options(f, v->opts[i]);
}
