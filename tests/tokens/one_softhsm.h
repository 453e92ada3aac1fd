/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One SoftHSM token for a whole program that tries keys of every type on it,
 * those that it leaks with as well; included once.
 */

#ifndef TESTS_ONE_SOFTHSM_H
#define TESTS_ONE_SOFTHSM_H

#define SOFTHSM_LEAKS
#include "softhsm.h"

static struct softhsm h;

static inline int
setup(void **state)
{
	(void)state;
	softhsm_start(&h);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	softhsm_stop(&h);
	return 0;
}

#endif
