/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What people read: text on stdout, notes and errors on stderr.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "progress.h"

/* A peer's words must not steer the terminal. */
static void put_line(FILE *f, const char *fmt, va_list ap) BURIN_PRINTF(2, 0);

static void
put_line(FILE *f, const char *fmt, va_list ap)
{
	va_list again;
	char small[1024], *text = small, *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= (int)sizeof(small) && vasprintf(&text, fmt, again) < 0)
		text = small;
	va_end(again);
	for (p = text; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') ||
		    *p == 0x7f)
			*p = '?';
		else if ((unsigned char)*p == 0xc2 &&
		    (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
			*p = p[1] = '?'; /* U+0080 to U+009F: controls too */
	(void)fputs(text, f);
	(void)fputc('\n', f);
	(void)fflush(f);
	if (text != small)
		free(text);
}

void
out_text(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->want_json || c->quiet)
		return;
	progress_clear(c);
	va_start(ap, fmt);
	put_line(stdout, fmt, ap);
	va_end(ap);
}

void
out_note(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	progress_clear(c);
	va_start(ap, fmt);
	put_line(stderr, fmt, ap);
	va_end(ap);
}

static void
detail(const char *name, const char *text)
{
	if (text[0] != '\0')
		(void)fprintf(stderr, "  %-7s%s\n", name, text);
}

void
out_error(struct cli *c, const struct burin_error *e)
{
	progress_clear(c);
	(void)fprintf(stderr, "burin: %s%s%s\n", e->step,
	    e->step[0] != '\0' ? ": " : "", e->reason);
	detail("token:", e->token);
	detail("rule:", e->rule);
	detail("cause:", e->cause);
	detail("try:", e->advice);
	if (c->verbose > 0)
		(void)fprintf(stderr, "  %-7s%s (%s)\n", "code:", e->code,
		    e->func != NULL ? e->func : "?");
}

void
out_json(struct cli *c, const char *key, json_t *value)
{
	if (c->json == NULL || value == NULL) {
		json_decref(value);
		return;
	}
	(void)json_object_set_new(c->json, key, value);
}
