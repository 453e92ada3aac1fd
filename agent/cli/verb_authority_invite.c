/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority invite: a one-time secret, or one for each of a list.
 */

#include <stdlib.h>
#include <string.h>

#include "../authority/authority.h"
#include "verbs.h"
#include "work.h"

#define MAX_TTL (366L * 24 * 3600)
#define TTL (24L * 3600)
#define MAX_FILE (1024 * 1024)
#define BLANKS " \t\r"

static const struct opt invite_opts[] = {
	{ "from", 0, OPT_VALUE, "FILE", "everybody in this list, not NAME" },
	{ "profile", 0, OPT_VALUE, "PROFILE", "only for this profile" },
	{ "identity", 0, OPT_VALUE, "ADDRESS", "only for this identity" },
	{ "subject", 0, OPT_VALUE, "DN", "only for this subject" },
	{ "ttl", 0, OPT_VALUE, "SECONDS", "how long it is good (a day)" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const invite_groups[] = { invite_opts, opts_dry_run,
	opts_common, NULL };

struct invites {
	struct authority_invite *list;
	size_t n;
	char *text; /* of the file; the list points into it */
};

static void
invites_clear(struct invites *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		burin_secret_free(&v->list[i].secret);
	free(v->list);
	free(v->text);
}

/* What the options say, for everybody. */
static int
invite_options(
    struct cli *c, struct authority_invite *in, struct burin_error *e)
{
	const char *value = arg_value(c->args, "ttl");

	memset(in, 0, sizeof(*in));
	in->profile = arg_value(c->args, "profile");
	in->identity = arg_value(c->args, "identity");
	in->subject = arg_value(c->args, "subject");
	in->ttl = TTL;
	if (value != NULL &&
	    work_number("ttl", value, 1, MAX_TTL, &in->ttl, e) != 0)
		return -1;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct authority_invite *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The second invite of a name would take the place of the first. */
static int
check_twice(const struct invites *v, struct burin_error *e)
{
	struct authority_invite *sorted;
	size_t i;
	int rc = 0;

	if ((sorted = calloc(v->n, sizeof(*sorted))) == NULL)
		return burin_fail_memory(e);
	memcpy(sorted, v->list, v->n * sizeof(*sorted));
	qsort(sorted, v->n, sizeof(*sorted), by_name);
	for (i = 1; i < v->n && rc == 0; i++)
		if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
			rc = burin_fail(e, BURIN_EUSAGE, "name-twice",
			    "'%.128s' is in the list twice", sorted[i].name);
	free(sorted);
	return rc;
}

/* A # within a word is a part of it: without the rest it is another word. */
static void
cut_comment(char *line)
{
	char *c;

	for (c = line; *c != '\0'; c++) {
		if (*c == '#' && (c == line || strchr(BLANKS, c[-1]) != NULL)) {
			*c = '\0';
			return;
		}
	}
}

/* An address that was forgotten would be an invite for any name. */
static int
check_mixed(const struct invites *v, size_t number, const char *identity,
    struct burin_error *e)
{
	if (v->n == 0 || (v->list[0].identity != NULL) == (identity != NULL))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "list-mixed",
	    "line %zu of the list has %s address, and those before it have %s",
	    number, identity != NULL ? "an" : "no",
	    identity != NULL ? "none" : "one");
	return burin_error_advice(e, "make two lists of it");
}

/* "NAME" or "NAME ADDRESS", or neither. */
static int
read_line(struct invites *v, char *line, size_t number,
    const struct authority_invite *all, struct burin_error *e)
{
	char *rest = NULL, *name, *identity;
	struct authority_invite *in;

	cut_comment(line);
	if ((name = strtok_r(line, BLANKS, &rest)) == NULL)
		return 0;
	identity = strtok_r(NULL, BLANKS, &rest);
	if (strtok_r(NULL, BLANKS, &rest) != NULL)
		return burin_fail(e, BURIN_EUSAGE, "line-malformed",
		    "line %zu of the list is not NAME or NAME ADDRESS", number);
	if (check_mixed(v, number, identity, e) != 0)
		return -1;
	if (v->n == AUTHORITY_INVITES)
		return burin_fail(e, BURIN_EUSAGE, "invites-too-many",
		    "the list has more than %d names", AUTHORITY_INVITES);
	in = &v->list[v->n++];
	*in = *all;
	in->name = name;
	in->identity = identity;
	return 0;
}

static int
read_lines(struct invites *v, const struct authority_invite *all,
    struct burin_error *e)
{
	char *line = v->text, *next;
	size_t number;

	for (number = 1; line != NULL; number++, line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (read_line(v, line, number, all, e) != 0)
			return -1;
	}
	if (v->n == 0)
		return burin_fail(e, BURIN_EUSAGE, "list-empty",
		    "there is no name in the list");
	return check_twice(v, e);
}

static int
read_list(struct cli *c, const char *path, const struct authority_invite *all,
    struct invites *v, struct burin_error *e)
{
	const char *const *words;
	unsigned char *data = NULL;
	size_t len;
	int rc = -1;

	if (arg_words(c->args, &words) > 1 || all->identity != NULL ||
	    all->subject != NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--from says who is invited: NAME, --identity and "
		    "--subject do not go with it");
		return burin_error_advice(
		    e, "write NAME ADDRESS into a line of the list");
	}
	if (file_read(path, MAX_FILE, &data, &len, e) != 0)
		return -1;
	if (memchr(data, '\0', len) != NULL) {
		(void)burin_fail(
		    e, BURIN_EUSAGE, "line-malformed", "%s is no text", path);
		goto out;
	}
	if ((v->text = strndup((const char *)data, len)) == NULL ||
	    (v->list = calloc(AUTHORITY_INVITES, sizeof(*v->list))) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = read_lines(v, all, e);
out:
	free(data);
	return rc;
}

/* The one that was typed. */
static int
read_name(struct cli *c, const struct authority_invite *all, struct invites *v,
    struct burin_error *e)
{
	const char *const *words;

	if (arg_words(c->args, &words) < 2) {
		(void)burin_fail(e, BURIN_EUSAGE, "word-missing",
		    "who is invited? Give NAME or --from FILE");
		return -1;
	}
	if ((v->list = calloc(1, sizeof(*v->list))) == NULL)
		return burin_fail_memory(e);
	v->list[0] = *all;
	v->list[0].name = words[1];
	v->n = 1;
	return 0;
}

/*
 * The secret is what this verb is for: it is printed, once, and is worth
 * nothing after its first use. A list has its names before them.
 */
static void
say(struct cli *c, const struct invites *v, int is_list, json_t *array)
{
	const char *secret;
	json_t *o;
	size_t i;

	for (i = 0; i < v->n; i++) {
		secret = (const char *)burin_secret_bytes(v->list[i].secret);
		if (c->json == NULL) {
			(void)printf("%s%s%s\n", is_list ? v->list[i].name : "",
			    is_list ? " " : "", secret);
		} else if (!is_list) {
			out_json(c, "name", json_text(v->list[i].name));
			out_json(c, "secret", json_text(secret));
		} else if ((o = json_object()) != NULL) {
			(void)json_object_set_new(
			    o, "name", json_text(v->list[i].name));
			(void)json_object_set_new(
			    o, "secret", json_text(secret));
			(void)json_array_append_new(array, o);
		}
	}
	out_json(c, "seconds", json_integer(v->list[0].ttl));
}

static int
run_invite(struct cli *c, struct burin_error *e)
{
	const char *path = arg_value(c->args, "from");
	const char *const *words;
	struct authority_invite all;
	struct invites v = { 0 };
	json_t *array = NULL;
	int rc = -1;

	(void)arg_words(c->args, &words);
	if (invite_options(c, &all, e) != 0 ||
	    (path != NULL ? read_list(c, path, &all, &v, e)
			  : read_name(c, &all, &v, e)) != 0)
		goto out;
	if (c->dry_run) {
		if (path != NULL)
			out_text(c, "would invite %zu names for %ld s", v.n,
			    all.ttl);
		else
			out_text(c, "would invite %s for %ld s", v.list[0].name,
			    all.ttl);
		rc = 0;
		goto out;
	}
	if ((rc = authority_invite(words[0], v.list, v.n, e)) != 0)
		goto out;
	if (path != NULL && c->json != NULL) {
		array = json_array();
		out_json(c, "invites", array);
	}
	say(c, &v, path != NULL, array);
	/* Nobody sees them again. */
	if (fflush(stdout) != 0 || ferror(stdout))
		rc = burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot write the secrets to standard output");
out:
	invites_clear(&v);
	return rc;
}

const struct verb verb_authority_invite = {
	.name = "authority",
	.sub = "invite",
	.usage = "DIR NAME | --from FILE DIR",
	.help = "print one-time enrolment secrets",
	.opts = invite_groups,
	.min_words = 1,
	.max_words = 2,
	.alone = 1,
	.run = run_invite,
};
