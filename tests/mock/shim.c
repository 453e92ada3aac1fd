/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Behind wrap.c a real module: the one that BURIN_SHIM_MODULE names.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "wrap.h"

CK_FUNCTION_LIST *
target_functions(void)
{
	const char *path = getenv("BURIN_SHIM_MODULE");
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *list = NULL;
	void *module;

	if (path == NULL) {
		(void)fprintf(stderr, "BURIN_SHIM_MODULE is not set\n");
		return NULL;
	}
	/* Never closed: the module's own threads may outlive us. */
	if ((module = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return NULL;
	}
	/* POSIX: a pointer to void converts to one to a function. */
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	if (get == NULL || get(&list) != CKR_OK)
		return NULL;
	return list;
}

void
target_configure(const struct conf *c)
{
	(void)c;
}

/* Real modules lock for themselves, or their callers do. */
void
target_enter(void)
{
}

void
target_leave(void)
{
}
