/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A profile for people, and for programs.
 */

#ifndef BURIN_PROFILE_WORDS_H
#define BURIN_PROFILE_WORDS_H

#include <burin/profile.h>

#include "cli.h"

/* What it is, what it asks for, what the certificate must and may have. */
void profile_words(struct cli *c, const struct burin_profile *p);
/* The same as an object. */
json_t *profile_json(const struct burin_profile *p);
/* Words with separator between; in buf. */
const char *profile_join(
    const char *const *words, const char *separator, char *buf, size_t size);
/* Words as a JSON list. */
json_t *profile_json_list(const char *const *words);

#endif
