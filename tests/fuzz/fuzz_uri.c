/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An RFC 7512 URI as a user or a file gives it.
 */

#include <burin/token.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char *uri = as_text(data, len), *source = NULL;
	int rc;

	rc = burin_uri_pin_source(uri, &source, &e);
	demand_clean(rc, &e);
	DEMAND(rc == 0 || source == NULL);
	DEMAND(source == NULL || source[0] != '|');
	free(source);
	free(uri);
	return 0;
}
