/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin show: a request, response, message, CRL or certificate for people.
 */

#include <stdlib.h>

#include "show.h"
#include "verbs.h"

#include <burin/response.h>

static const struct opt *const groups[] = { opts_common, NULL };

static int
run(struct cli *c, struct burin_error *e)
{
	const char *const *words;
	unsigned char *data = NULL;
	json_t *shown = NULL;
	size_t len;
	int rc;

	(void)arg_words(c->args, &words);
	if (file_read(words[0], BURIN_MAX_RESPONSE, &data, &len, e) != 0)
		return burin_error_step(e, "read-file");
	if (c->json == NULL) {
		rc = show_text(stdout, data, len, e);
	} else if ((rc = show_json(&shown, data, len, e)) == 0) {
		(void)json_object_update(c->json, shown);
		json_decref(shown);
	}
	free(data);
	return rc == 0 ? 0 : burin_error_step(e, "decode");
}

const struct verb verb_show = {
	.name = "show",
	.usage = "FILE",
	.help = "a request, response, message, CRL or certificate in words",
	.opts = groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run,
};
