/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * authority.cnf: what the HTTPS side is told.
 */

#include <stdlib.h>
#include <string.h>

#include "ca.h"

/* Words of a setting, by the number of its enum; NULL-ended. */
static const char *const link_words[] = { "no", "ask", "require", NULL };
static const char *const page_words[] = { "local", "all", "off", NULL };

void
settings_http_write(BIO *out, const struct settings *s)
{
	(void)BIO_printf(out,
	    "# Requests of one address in a minute; 0: any number.\n"
	    "rate = %u\n",
	    s->rate);
	(void)BIO_printf(out,
	    "# Whether clients link their requests to the TLS session: no, "
	    "ask, require.\nlink = %s\n",
	    link_words[s->link]);
	(void)BIO_printf(out,
	    "# Who sees the status page and the metrics: local (clients on "
	    "this machine),\n# all, off.\npage = %s\n",
	    page_words[s->page]);
}

static int
refuse(const char *name, const char *values, struct burin_error *e)
{
	return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
	    "authority.cnf: %s is %s", name, values);
}

static int
read_rate(unsigned *out, const char *value, struct burin_error *e)
{
	unsigned long n;

	if (*value == '\0' || strlen(value) > 6 ||
	    strspn(value, "0123456789") != strlen(value) ||
	    (n = strtoul(value, NULL, 10)) > CA_MAX_RATE)
		return refuse("rate", "0 to 100000 requests in a minute", e);
	*out = (unsigned)n;
	return 1;
}

/* The number of a word, -1: unknown. */
static int
find_word(const char *const *words, const char *value)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

int
settings_http_read(struct settings *s, const char *name, const char *value,
    struct burin_error *e)
{
	int n;

	if (strcmp(name, "rate") == 0)
		return read_rate(&s->rate, value, e);
	if (strcmp(name, "link") == 0) {
		if ((n = find_word(link_words, value)) < 0)
			return refuse(name, "no, ask or require", e);
		s->link = (enum link_wish)n;
		return 1;
	}
	if (strcmp(name, "page") == 0) {
		if ((n = find_word(page_words, value)) < 0)
			return refuse(name, "local, all or off", e);
		s->page = (enum page_for)n;
		return 1;
	}
	return 0;
}
