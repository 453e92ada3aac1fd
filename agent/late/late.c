/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * dlopen and dlsym of a list.
 */

#include <dlfcn.h>
#include <string.h>

#include "late.h"

static int
fail_library(const char *library, struct burin_error *e)
{
	const char *why = dlerror();

	(void)burin_fail(e, BURIN_EINTERNAL, "library-missing",
	    "cannot use the library %s: %s", library,
	    why != NULL ? why : "unknown");
	return burin_error_advice(e, "install the package that has it");
}

int
late_load(const char *library, const struct late_symbol *symbols, size_t n,
    struct burin_error *e)
{
	void *so, *symbol;
	size_t i;

	/* Never closed: its threads and exit handlers outlive our use. */
	if ((so = dlopen(library, RTLD_LAZY | RTLD_LOCAL)) == NULL)
		return fail_library(library, e);
	for (i = 0; i < n; i++) {
		if ((symbol = dlsym(so, symbols[i].name)) == NULL)
			return fail_library(library, e);
		/* POSIX: a pointer to void converts to one to a function. */
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return 0;
}
