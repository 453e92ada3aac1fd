/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Help, printed from the tables of verbs and options.
 */

#ifndef BURIN_HELP_H
#define BURIN_HELP_H

#include "cli.h"

/* Every verb in one line each. */
void help_program(FILE *f);
/* One verb with its options. */
void help_verb(FILE *f, const struct verb *v);
/* "enroll" or "authority init"; in buf. */
const char *help_name(const struct verb *v, char *buf, size_t size);

#endif
