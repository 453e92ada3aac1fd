/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * OpenSSL configuration syntax (config(5)) out of memory, as data: what would
 * look at files or the environment is refused before OpenSSL sees it.
 */

#include <ctype.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "internal.h"

/* The first thing that OpenSSL would carry out, in words; NULL: none. */
static const char *
find_instruction(const char *text, size_t len, long *line)
{
	size_t i = 0, end;
	int goes_on = 0; /* the line before ended in a backslash */

	for (*line = 1; i < len; i = end + 1, (*line)++) {
		const char *nl = memchr(text + i, '\n', len - i);

		end = nl != NULL ? (size_t)(nl - text) : len;
		while (i < end && isspace((unsigned char)text[i]))
			i++;
		if (i < end && text[i] == '.')
			return "a directive (.include, .pragma)";
		if ((i == end || text[i] != '#' || goes_on) &&
		    memchr(text + i, '$', end - i) != NULL)
			return "a variable ($)";
		while (end > i && text[end - 1] == '\r')
			end--;
		goes_on = end > i && text[end - 1] == '\\';
		end = nl != NULL ? (size_t)(nl - text) : len;
	}
	return NULL;
}

static int
refuse(struct burin_error *e, const char *code, const char *what,
    const char *why, long line)
{
	(void)burin_fail(
	    e, BURIN_EUSAGE, code, "%s holds %s in line %ld", what, why, line);
	return burin_error_advice(
	    e, "it is data: write every value out, without .include and $");
}

int
csr_conf_parse(const char *text, size_t len, const char *what, const char *code,
    CONF **out, long *at, struct burin_error *e)
{
	const char *why;
	CONF *conf = NULL;
	BIO *in = NULL;
	long line = 0;
	int rc = -1;

	*out = NULL;
	if (at != NULL)
		*at = 0;
	if (len > CSR_MAX_CONF)
		return burin_fail(e, BURIN_EUSAGE, code,
		    "%s is longer than %d bytes", what, CSR_MAX_CONF);
	if (!csr_is_utf8(text, len) || memchr(text, '\0', len) != NULL ||
	    memmem(text, len, "\xef\xbb\xbf", 3) != NULL)
		return burin_fail(e, BURIN_EUSAGE, code,
		    "%s is not plain UTF-8 text (NUL or byte order mark)",
		    what);
	if ((why = find_instruction(text, len, &line)) != NULL) {
		if (at != NULL)
			*at = line;
		return refuse(e, code, what, why, line);
	}
	if ((in = BIO_new_mem_buf(text, (int)len)) == NULL ||
	    (conf = NCONF_new(NULL)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (NCONF_load_bio(conf, in, &line) <= 0) {
		if (at != NULL)
			*at = line;
		(void)burin_fail_openssl(e, BURIN_EUSAGE, code,
		    "%s cannot be read, line %ld", what, line);
		(void)burin_error_advice(
		    e, "it is written as openssl.cnf: NAME = VALUE");
		goto out;
	}
	*out = conf;
	conf = NULL;
	rc = 0;
out:
	BIO_free(in);
	NCONF_free(conf);
	return rc;
}
