/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A token and its objects, told.
 */

#ifndef BURIN_INVENTORY_H
#define BURIN_INVENTORY_H

#include "cli.h"

/* One token with what it can do and its objects. */
json_t *inventory_json(
    struct burin_token *t, const struct burin_object *objects, size_t n);
/* The same in lines: keys with their certificates, then the rest. */
void inventory_text(struct cli *c, struct burin_token *t,
    const struct burin_object *objects, size_t n);

#endif
