/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was typed, parsed by the option tables of a verb. Nothing is copied:
 * the words must outlive the struct args.
 */

#ifndef BURIN_ARGS_H
#define BURIN_ARGS_H

#include <stddef.h>

#include "cli.h"

/*
 * Parses argc words by groups, a NULL-ended list of tables. --opt value,
 * --opt=value, -v, -vv; "--" ends the options. BURIN_EUSAGE with the nearest
 * option named when one is unknown.
 */
int args_parse(const struct opt *const *groups, int argc, char *const *argv,
    struct args **out, struct burin_error *e);
void args_free(struct args **a);

/* Index of the first word that is no option nor its value, argc if none. */
int args_first_word(
    const struct opt *const *groups, int argc, char *const *argv);
/*
 * A value from a configuration file: counts only when the option was not
 * typed. Copied.
 */
int args_default(struct args *a, const struct opt *o, const char *value,
    struct burin_error *e);
/* The option called name in groups, or NULL. */
const struct opt *args_option(
    const struct opt *const *groups, const char *name);
/* The i-th option as typed, NULL at the end. */
const struct opt *args_at(const struct args *a, size_t i, const char **value);

/* How many letters differ (Levenshtein), capped for long words. */
size_t args_distance(const char *a, const char *b);
/* 1 when near enough to be a slip of the pen. */
int args_near(const char *typed, const char *meant);

#endif
