/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin profile list, show, check: what kinds of identity there are, what one
 * says, and what is wrong with one.
 */

#include <stdlib.h>
#include <string.h>

#include <burin/names.h>
#include <burin/profile.h>

#include "../enroll/profile_dir.h"
#include "profile_words.h"
#include "verbs.h"

#define MAX_FILES 1000 /* of one check */
#define LIST 512       /* bytes of a list of key types */

/* A profile as it was found. */
struct source {
	char *path;
	const char *origin; /* "installed", "user" or "file" */
	char *text;
	size_t len;
};

static const char *
dir_origin(void)
{
	return profile_dir_is_users() ? "user" : "installed";
}

static void
source_clear(struct source *s)
{
	free(s->path);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

/* Where what a user typed is; "-" is standard input. */
static int
find(const char *word, struct source *s, struct burin_error *e)
{
	char *dir = NULL;
	int n;

	memset(s, 0, sizeof(*s));
	s->origin = "file";
	if (strcmp(word, "-") == 0 || profile_is_path(word)) {
		s->path = strdup(word);
		return s->path != NULL ? 0 : burin_fail_memory(e);
	}
	s->origin = dir_origin();
	if (profile_dir(&dir, e) != 0)
		return -1;
	n = asprintf(&s->path, "%s/%s.cnf", dir, word);
	free(dir);
	if (n >= 0)
		return 0;
	s->path = NULL;
	return burin_fail_memory(e);
}

static int
load(const char *word, struct source *s, struct burin_error *e)
{
	unsigned char *data;
	int rc;

	if (find(word, s, e) != 0)
		return -1;
	if (strcmp(word, "-") != 0)
		return profile_load(word, &s->text, &s->len, e);
	rc = file_read("-", BURIN_MAX_PROFILE, &data, &s->len, e);
	s->text = (char *)data;
	return rc;
}

static json_t *
json_source(const struct source *s)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "path", json_text(s->path));
	(void)json_object_set_new(o, "origin", json_string(s->origin));
	return o;
}

/* --- list ------------------------------------------------------------------
 */

static void
list_good(
    struct cli *c, const char *name, const struct burin_profile *p, json_t *o)
{
	char types[LIST];

	out_text(c, "%-16s %-10s %-44s %s", name, dir_origin(),
	    burin_profile_description(p),
	    profile_join(
		burin_profile_key_types(p), ",", types, sizeof(types)));
	(void)json_object_set_new(
	    o, "description", json_text(burin_profile_description(p)));
	(void)json_object_set_new(
	    o, "key_types", profile_json_list(burin_profile_key_types(p)));
}

/* One that is refused where it is used is listed, and why. */
static void
list_one(struct cli *c, const char *name, json_t *list)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_profile *p = NULL;
	struct source s;
	json_t *o;
	int rc = load(name, &s, &e);

	if (rc == 0)
		rc = burin_profile_parse(s.text, s.len, &p, &e);
	o = json_source(&s);
	(void)json_object_set_new(o, "name", json_text(name));
	if (rc == 0) {
		list_good(c, name, p, o);
	} else {
		out_text(c, "%-16s %-10s cannot be used: %s", name,
		    dir_origin(), e.reason);
		(void)json_object_set_new(o, "error", json_error(&e));
	}
	(void)json_array_append_new(list, o);
	burin_profile_free(&p);
	source_clear(&s);
}

static int
run_list(struct cli *c, struct burin_error *e)
{
	char *dir = NULL, **names = NULL;
	json_t *list;
	size_t i;
	int rc = -1;

	if (profile_dir(&dir, e) != 0 || profile_names(dir, &names, e) != 0)
		goto out;
	if (names[0] == NULL)
		out_text(c, "no profiles in %s", dir);
	else
		out_text(c, "%-16s %-10s %-44s %s", "NAME", "FROM",
		    "DESCRIPTION", "KEY TYPES");
	list = json_array();
	for (i = 0; names[i] != NULL; i++)
		list_one(c, names[i], list);
	out_json(c, "directory", json_text(dir));
	out_json(c, "profiles", list);
	rc = 0;
out:
	burin_texts_free(&names);
	free(dir);
	return rc == 0 ? 0 : burin_error_step(e, "profile");
}

/* --- show ------------------------------------------------------------------
 */

static const struct opt show_opts[] = {
	{ "text", 0, OPT_FLAG, NULL, "with the text of the file" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

static void
show(struct cli *c, const struct burin_profile *p, const struct source *s)
{
	int with_text = arg_flag(c->args, "text") > 0;
	json_t *o;

	out_text(
	    c, "%s: %s", burin_profile_name(p), burin_profile_description(p));
	out_text(c, "from         %s (%s)", s->path, s->origin);
	profile_words(c, p);
	if (with_text)
		out_text(c, "\n%.*s", (int)s->len, s->text);
	if (c->json == NULL)
		return;
	o = profile_json(p);
	(void)json_object_set_new(o, "path", json_text(s->path));
	(void)json_object_set_new(o, "origin", json_string(s->origin));
	if (with_text)
		(void)json_object_set_new(
		    o, "text", json_stringn(s->text, s->len));
	out_json(c, "profile", o);
}

static int
run_show(struct cli *c, struct burin_error *e)
{
	struct burin_profile *p = NULL;
	const char *const *words;
	struct source s;
	int rc;

	(void)arg_words(c->args, &words);
	rc = load(words[0], &s, e);
	if (rc == 0)
		rc = burin_profile_parse(s.text, s.len, &p, e);
	if (rc == 0)
		show(c, p, &s);
	burin_profile_free(&p);
	source_clear(&s);
	return rc == 0 ? 0 : burin_error_step(e, "profile");
}

/* --- check -----------------------------------------------------------------
 */

/* "NAME" of DIR/NAME.cnf: what the profile in it is to be called. */
static char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *end;

	path = slash != NULL ? slash + 1 : path;
	end = strrchr(path, '.');
	if (end == NULL || strcmp(end, ".cnf") != 0)
		return NULL;
	return strndup(path, (size_t)(end - path));
}

static void
say_flaw(struct cli *c, const char *path, const struct burin_profile_flaw *flaw)
{
	const struct burin_error *e = &flaw->error;
	char line[32] = "";

	if (flaw->line > 0)
		(void)snprintf(line, sizeof(line), "%ld:", flaw->line);
	out_text(c, "%s:%s%s%s%s%s%s%s %s", path, line,
	    flaw->section[0] != '\0' ? " [" : "", flaw->section,
	    flaw->section[0] != '\0' ? "]" : "",
	    flaw->key[0] != '\0' ? " " : "", flaw->key,
	    flaw->section[0] != '\0' ? ":" : "", e->reason);
	if (e->rule[0] != '\0')
		out_text(c, "  rule:  %s", e->rule);
	if (e->cause[0] != '\0')
		out_text(c, "  cause: %s", e->cause);
	if (e->advice[0] != '\0' && c->verbose > 0)
		out_text(c, "  try:   %s", e->advice);
}

static json_t *
json_flaw(const struct burin_profile_flaw *flaw)
{
	json_t *o = json_object();

	(void)json_object_set_new(
	    o, "line", flaw->line > 0 ? json_integer(flaw->line) : json_null());
	(void)json_object_set_new(o, "section", json_text(flaw->section));
	(void)json_object_set_new(o, "key", json_text(flaw->key));
	(void)json_object_set_new(o, "code", json_text(flaw->error.code));
	(void)json_object_set_new(o, "reason", json_text(flaw->error.reason));
	(void)json_object_set_new(o, "rule", json_text(flaw->error.rule));
	(void)json_object_set_new(o, "cause", json_text(flaw->error.cause));
	(void)json_object_set_new(o, "advice", json_text(flaw->error.advice));
	return o;
}

static void
report(struct cli *c, const struct source *s,
    const struct burin_profile_flaws *flaws, json_t *list)
{
	json_t *o = json_source(s), *all = json_array();
	size_t i;

	if (flaws->n == 0)
		out_text(c, "%s: ok", s->path);
	for (i = 0; i < flaws->n; i++) {
		say_flaw(c, s->path, &flaws->list[i]);
		(void)json_array_append_new(all, json_flaw(&flaws->list[i]));
	}
	if (flaws->more > 0)
		out_text(c, "%s: and %zu more", s->path, flaws->more);
	(void)json_object_set_new(o, "ok", json_boolean(flaws->n == 0));
	(void)json_object_set_new(o, "flaws", all);
	(void)json_object_set_new(
	    o, "more", json_integer((json_int_t)flaws->more));
	(void)json_array_append_new(list, o);
}

/* A file that cannot be read is a flaw of its own: the others are judged. */
static int
unread(const char *word, struct source *s, struct burin_profile_flaw *flaw,
    const struct burin_error *why, struct burin_error *e)
{
	memset(flaw, 0, sizeof(*flaw));
	flaw->error = *why;
	if (s->path == NULL && (s->path = strdup(word)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

/* *good tells whether it is sound. -1 when judging failed. */
static int
check_one(struct cli *c, const char *word, json_t *list, int *good,
    struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_profile_flaws flaws = { 0, 0, NULL };
	struct burin_profile_flaw flaw;
	struct source s;
	char *name = NULL;
	int rc;

	if (load(word, &s, &why) != 0) {
		flaws.n = 1;
		flaws.list = &flaw;
		if ((rc = unread(word, &s, &flaw, &why, e)) == 0)
			report(c, &s, &flaws, list);
	} else {
		name = name_of(s.path);
		rc = burin_profile_judge(s.text, s.len, name, &flaws, e);
		if (rc == 0)
			report(c, &s, &flaws, list);
	}
	*good = flaws.n == 0;
	if (flaws.list != &flaw)
		burin_profile_flaws_clear(&flaws);
	free(name);
	source_clear(&s);
	return rc;
}

static int
run_check(struct cli *c, struct burin_error *e)
{
	const char *const *words;
	json_t *list = json_array();
	size_t i, n = arg_words(c->args, &words), bad = 0;
	int good, rc = 0;

	for (i = 0; rc == 0 && i < n; i++) {
		rc = check_one(c, words[i], list, &good, e);
		bad += rc == 0 && !good;
	}
	out_json(c, "profiles", list);
	if (rc == 0 && bad > 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-flawed",
		    "%zu of %zu profiles cannot be used as they are", bad, n);
		rc = burin_error_advice(
		    e, "burin-profile(5) tells what a profile may hold");
	}
	return rc == 0 ? 0 : burin_error_step(e, "check");
}

/* --- verbs -----------------------------------------------------------------
 */

static const struct opt *const groups[] = { opts_common, NULL };
static const struct opt *const show_groups[] = { show_opts, opts_common, NULL };

const struct verb verb_profile_list = {
	.name = "profile",
	.sub = "list",
	.usage = "",
	.help = "the kinds of identity that --profile finds",
	.opts = groups,
	.alone = 1,
	.run = run_list,
};

const struct verb verb_profile_show = {
	.name = "profile",
	.sub = "show",
	.usage = "NAME|FILE",
	.help = "what a profile asks for, and what the certificate must have",
	.opts = show_groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run_show,
};

const struct verb verb_profile_check = {
	.name = "profile",
	.sub = "check",
	.usage = "NAME|FILE…",
	.help = "everything that is wrong with profiles",
	.opts = groups,
	.min_words = 1,
	.max_words = MAX_FILES,
	.alone = 1,
	.run = run_check,
};
