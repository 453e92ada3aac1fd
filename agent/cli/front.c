/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the front of an authority gives up, and how it ends.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "front.h"

/* A PIN in the environment is for the keeper; here it is wiped. */
static void
forget_pins(struct cli *c)
{
	static const char *const options[] = { "pin-source", "so-pin-source" };
	const char *src;
	char *value;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		src = arg_value(c->args, options[i]);
		if (src == NULL || strncmp(src, "env:", 4) != 0)
			continue;
		if ((value = getenv(src + 4)) != NULL)
			OPENSSL_cleanse(value, strlen(value));
		(void)unsetenv(src + 4);
	}
}

void
front_begins(struct cli *c)
{
	/* The pipe to the program is closed: nothing is told there. */
	c->worker = -1;
	forget_pins(c);
}

int
front_keep(struct cli *c, const char *dir, struct authority_front *f,
    struct burin_error *e)
{
	struct authority *a = NULL;
	int rc = -1;

	if (cli_p11(c, e) == 0 && authority_open(dir, c->p11, &a, e) == 0) {
		f->p11 = c->p11;
		rc = authority_keep(a, f, e);
	} else {
		authority_front_stop(f);
	}
	authority_close(&a);
	return rc;
}

void
front_ends(struct cli *c, int rc)
{
	json_decref(c->json);
	c->json = NULL;
	exit(rc == 0 ? BURIN_OK : BURIN_EINTERNAL);
}
