/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between wrap.c, which counts and injects faults, and what it wraps: the
 * mock (mock.c) or a real module (shim.c).
 */

#ifndef MOCK_WRAP_H
#define MOCK_WRAP_H

#include "conf.h"

/* The functions that do the work; NULL when there are none. */
CK_FUNCTION_LIST *target_functions(void);
/* Before C_Initialize: c lives until after C_Finalize. */
void target_configure(const struct conf *c);
/* Around every call. */
void target_enter(void);
void target_leave(void);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

#endif
