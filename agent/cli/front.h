/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The front of a verb that forks one (agent/authority/authority.h).
 */

#ifndef BURIN_FRONT_H
#define BURIN_FRONT_H

#include "../authority/authority.h"
#include "cli.h"

/*
 * First thing in the front: what only the keeper is to have is given up. It
 * tells the keeper how it went, which tells the user.
 */
void front_begins(struct cli *c);
/* The other side: opens DIR and keeps its keys until the front has ended. */
int front_keep(struct cli *c, const char *dir, struct authority_front *f,
    struct burin_error *e);
/* exit(3) */
void front_ends(struct cli *c, int rc);

#endif
