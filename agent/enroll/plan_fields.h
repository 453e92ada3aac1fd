/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the plan: every field once, for freeing, writing and reading.
 */

#ifndef BURIN_PLAN_FIELDS_H
#define BURIN_PLAN_FIELDS_H

#include "plan.h"

enum plan_kind {
	PLAN_TEXT,    /* char * */
	PLAN_LIST,    /* struct texts */
	PLAN_FLAG,    /* int, 0 or 1 */
	PLAN_BITS,    /* unsigned, BURIN_USE_* */
	PLAN_SECONDS, /* long */
};

struct plan_field {
	const char *name; /* as in struct plan and in JSON */
	enum plan_kind kind;
	size_t offset;
};

extern const struct plan_field plan_fields[];
extern const size_t n_plan_fields;

#endif
