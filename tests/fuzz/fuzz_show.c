/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Any file given to "burin show", for people and as JSON.
 */

#include "agent/cli/show.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	json_t *json = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int as_text_rc, as_json_rc;

	DEMAND(out != NULL);
	as_text_rc = show_text(out, data, len, &e);
	demand_clean(as_text_rc, &e);
	DEMAND(fclose(out) == 0);
	free(text);
	burin_error_clear(&e);
	as_json_rc = show_json(&json, data, len, &e);
	demand_clean(as_json_rc, &e);
	DEMAND(as_text_rc == as_json_rc);
	DEMAND((json != NULL) == (as_json_rc == 0));
	json_decref(json);
	return 0;
}
