/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin completion: scripts for shells, made from the tables.
 */

#include <string.h>

#include "completion.h"
#include "help.h"
#include "verbs.h"

static const struct opt *const groups[] = { opts_common, NULL };

static void
verbs(FILE *f)
{
	char name[64];
	size_t i;

	for (i = 0; cli_verbs[i] != NULL; i++)
		(void)fprintf(
		    f, "%s\n", help_name(cli_verbs[i], name, sizeof(name)));
}

static int
run(struct cli *c, struct burin_error *e)
{
	const char *const *words;

	(void)arg_words(c->args, &words);
	if (c->json != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "a completion script is no JSON");
	if (strcmp(words[0], "bash") == 0)
		completion_bash(stdout);
	else if (strcmp(words[0], "zsh") == 0)
		completion_zsh(stdout);
	else if (strcmp(words[0], "verbs") == 0)
		verbs(stdout);
	else
		return burin_fail(e, BURIN_EUSAGE, "shell-unknown",
		    "completion is for bash or zsh, not \"%s\"", words[0]);
	return 0;
}

const struct verb verb_completion = {
	.name = "completion",
	.usage = "bash|zsh|verbs",
	.help = "print a completion script for a shell",
	.opts = groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run,
};
