/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PIN attributes of a URI (RFC 7512 section 2.4): a file is read, a command
 * is never run, and a PIN in the URI itself is refused.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "cli.h"

/*
 * "file:PATH" made of the pin-source of uri (RFC 7512 section 2.4), *src
 * NULL when it has none. A command or a PIN in a URI is refused.
 */
static int
uri_source(const char *uri, char **src, struct burin_error *e)
{
	P11KitUri *u = NULL;
	const char *pin_source;
	int rc = -1;

	*src = NULL;
	if (strncmp(uri, "pkcs11:", 7) != 0)
		return 0;
	if ((u = p11_kit_uri_new()) == NULL)
		return burin_fail_memory(e);
	if (p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, u) != P11_KIT_URI_OK) {
		rc = 0; /* whoever uses it says what is wrong */
		goto out;
	}
	if (p11_kit_uri_get_pin_value(u) != NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "pin-in-uri",
		    "the URI holds the PIN itself, where every user of the "
		    "machine can read it");
		(void)burin_error_advice(
		    e, "use --pin-source or the URI's pin-source=file:PATH");
		goto out;
	}
	if ((pin_source = p11_kit_uri_get_pin_source(u)) == NULL) {
		rc = 0;
		goto out;
	}
	if (strncmp(pin_source, "file:///", 8) == 0)
		pin_source += 7;
	else if (strncmp(pin_source, "file:", 5) == 0)
		pin_source += 5;
	if (pin_source[0] != '/') {
		(void)burin_fail(e, BURIN_EUSAGE, "pin-source-refused",
		    "the URI's pin-source is not the absolute path of a file");
		(void)burin_error_rule(e, "RFC 7512 section 2.4");
		(void)burin_error_advice(
		    e, "only files are read; a |command is never run");
		goto out;
	}
	if (asprintf(src, "file:%s", pin_source) < 0) {
		*src = NULL;
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	p11_kit_uri_free(u);
	return rc;
}

int
cli_pin_uri(struct cli *c, const char *uri, struct burin_error *e)
{
	free(c->pin_uri);
	free(c->pin_uri_source);
	c->pin_uri = c->pin_uri_source = NULL;
	if (uri == NULL)
		return 0;
	if (uri_source(uri, &c->pin_uri_source, e) != 0)
		return burin_error_step(e, "pin-source");
	if ((c->pin_uri = strdup(uri)) == NULL)
		return burin_fail_memory(e);
	return 0;
}
