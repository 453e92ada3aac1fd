/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: where in the text something is wrong. OpenSSL's reader keeps no
 * lines and forgets a key that comes again; so the text is looked through
 * once more, for places only: values are always those that OpenSSL read.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "internal.h"
#include "profile.h"

/* A section's head (key_len 0) or a key; the strings are in the text. */
struct spot {
	long line;
	const char *section, *key;
	size_t section_len, key_len;
};

struct scan {
	const char *at, *end;
	long line; /* of at, from 0 */
	const char *section;
	size_t section_len;
};

static void
scan_begin(const struct burin_profile *p, struct scan *s)
{
	static const char first[] = "default";

	s->at = p->text;
	s->end = p->text + p->len;
	s->line = 0;
	s->section = first;
	s->section_len = strlen(first);
}

/* An odd number of backslashes before the end of the line. */
static int
goes_on(const char *line, const char *end)
{
	size_t n = 0;

	while (end > line && end[-1] == '\r')
		end--;
	for (; end > line && end[-1] == '\\'; end--)
		n++;
	return n % 2 == 1;
}

/* The next line with those that it goes on in, without blanks before it. */
static int
next_text(struct scan *s, const char **line, const char **end, long *number)
{
	const char *nl;

	if (s->at == s->end)
		return 0;
	*line = s->at;
	*number = s->line + 1;
	do {
		nl = memchr(s->at, '\n', (size_t)(s->end - s->at));
		*end = nl != NULL ? nl : s->end;
		s->at = nl != NULL ? nl + 1 : s->end;
		s->line++;
	} while (s->at < s->end && goes_on(*line, *end));
	while (*line < *end && isspace((unsigned char)**line))
		(*line)++;
	return 1;
}

static void
trim(const char **word, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)**word)) {
		(*word)++;
		(*len)--;
	}
	while (*len > 0 && isspace((unsigned char)(*word)[*len - 1]))
		(*len)--;
}

static void
read_head(struct scan *s, const char *line, const char *end)
{
	const char *close = memchr(line, ']', (size_t)(end - line));

	s->section = line + 1;
	s->section_len = (size_t)((close != NULL ? close : end) - s->section);
	trim(&s->section, &s->section_len);
}

/* "key = value", or "section::key = value". */
static void
read_key(
    const struct scan *s, const char *line, const char *end, struct spot *out)
{
	const char *equal = memchr(line, '=', (size_t)(end - line)), *colons;

	out->section = s->section;
	out->section_len = s->section_len;
	out->key = line;
	out->key_len = (size_t)((equal != NULL ? equal : end) - line);
	trim(&out->key, &out->key_len);
	colons = memmem(out->key, out->key_len, "::", 2);
	if (colons == NULL)
		return;
	out->section = out->key;
	out->section_len = (size_t)(colons - out->key);
	out->key_len -= out->section_len + 2;
	out->key = colons + 2;
}

static int
next_spot(struct scan *s, struct spot *out)
{
	const char *line, *end;

	memset(out, 0, sizeof(*out));
	while (next_text(s, &line, &end, &out->line)) {
		if (line == end || *line == '#')
			continue;
		if (*line != '[') {
			read_key(s, line, end, out);
			return 1;
		}
		read_head(s, line, end);
		out->section = s->section;
		out->section_len = s->section_len;
		return 1;
	}
	return 0;
}

static int
is_word(const char *word, const char *s, size_t len)
{
	return strlen(word) == len && memcmp(word, s, len) == 0;
}

/* The last one counts: OpenSSL takes that. Without it, the section's head. */
static long
find_line(const struct burin_profile *p, const char *section, const char *key)
{
	struct scan s;
	struct spot spot;
	long line = 0, head = 0;

	if (section == NULL)
		return 0;
	scan_begin(p, &s);
	while (next_spot(&s, &spot)) {
		if (!is_word(section, spot.section, spot.section_len))
			continue;
		if (spot.key_len == 0)
			head = spot.line;
		else if (key != NULL && is_word(key, spot.key, spot.key_len))
			line = spot.line;
	}
	return line > 0 ? line : head;
}

static void
copy_word(char *out, const char *word)
{
	(void)snprintf(out, BURIN_PROFILE_WORD, "%s", word != NULL ? word : "");
	for (; *out != '\0'; out++) {
		if ((unsigned char)*out < 0x20 || *out == 0x7f)
			*out = '?';
	}
}

int
csr_profile_note_at(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key, long line)
{
	struct burin_profile_flaws *f = p->flaws;
	struct burin_profile_flaw *flaw;
	size_t i;

	if (f == NULL || e == NULL || e->status == BURIN_EINTERNAL)
		return -1;
	if (f->n == BURIN_MAX_FLAWS) {
		f->more++;
		burin_error_clear(e);
		return 0;
	}
	if (line == 0)
		line = find_line(p, section, key);
	for (i = f->n; i > 0 && f->list[i - 1].line > line; i--)
		continue;
	flaw = &f->list[i];
	memmove(flaw + 1, flaw, (f->n - i) * sizeof(*flaw));
	f->n++;
	memset(flaw, 0, sizeof(*flaw));
	flaw->line = line;
	copy_word(flaw->section, section);
	copy_word(flaw->key, key);
	flaw->error = *e;
	burin_error_clear(e);
	return 0;
}

int
csr_profile_note(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key)
{
	return csr_profile_note_at(p, e, section, key, 0);
}

static int
compare_word(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int rc = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return rc != 0 ? rc : (a_len > b_len) - (a_len < b_len);
}

static int
compare_key(const struct spot *a, const struct spot *b)
{
	int rc = compare_word(
	    a->section, a->section_len, b->section, b->section_len);

	return rc != 0 ? rc
		       : compare_word(a->key, a->key_len, b->key, b->key_len);
}

/* By section and key, then by line. */
static int
compare_spot(const void *left, const void *right)
{
	const struct spot *a = left, *b = right;
	int rc = compare_key(a, b);

	return rc != 0 ? rc : (a->line > b->line) - (a->line < b->line);
}

/* Every key of the text. *out NULL when there is none; OPENSSL_free. */
static int
collect(const struct burin_profile *p, struct spot **out, size_t *n,
    struct burin_error *e)
{
	struct scan s;
	struct spot spot;

	*out = NULL;
	*n = 0;
	scan_begin(p, &s);
	while (next_spot(&s, &spot))
		*n += spot.key_len > 0;
	if (*n == 0)
		return 0;
	if ((*out = OPENSSL_malloc(*n * sizeof(**out))) == NULL)
		return burin_fail_memory(e);
	*n = 0;
	scan_begin(p, &s);
	while (next_spot(&s, &spot)) {
		if (spot.key_len > 0)
			(*out)[(*n)++] = spot;
	}
	return 0;
}

int
csr_profile_check_twice(const struct burin_profile *p, struct burin_error *e)
{
	struct spot *spots;
	char section[BURIN_PROFILE_WORD], key[BURIN_PROFILE_WORD];
	size_t i, n;
	int rc = 0;

	if (collect(p, &spots, &n, e) == -1)
		return -1;
	if (n > 0)
		qsort(spots, n, sizeof(*spots), compare_spot);
	for (i = 1; rc == 0 && i < n; i++) {
		const struct spot *s = &spots[i];

		if (compare_key(s - 1, s) != 0)
			continue;
		(void)snprintf(section, sizeof(section), "%.*s",
		    (int)s->section_len, s->section);
		(void)snprintf(
		    key, sizeof(key), "%.*s", (int)s->key_len, s->key);
		(void)csr_profile_refuse(p, e,
		    "has the key %.60s a second time: what line %ld says does "
		    "not count",
		    key, s[-1].line);
		rc = csr_profile_note_at(p, e, section, key, s->line);
	}
	OPENSSL_free(spots);
	return rc;
}

void
burin_profile_flaws_clear(struct burin_profile_flaws *flaws)
{
	OPENSSL_free(flaws->list);
	memset(flaws, 0, sizeof(*flaws));
}
