/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * --config FILE: defaults for options.
 */

#ifndef BURIN_CONFIG_H
#define BURIN_CONFIG_H

#include "args.h"

/*
 * Reads path (OpenSSL's configuration syntax) and gives a the defaults of
 * its section [burin], then of the section named as v ("enroll",
 * "authority serve"). A key is an option's name; "1.san", "2.san" for a
 * repeatable one; flags take "yes" or "no". Unknown keys are refused.
 */
int config_apply(const char *path, const struct verb *v, struct args *a,
    struct burin_error *e);

#endif
