/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The front of a verb that forks one (agent/authority/authority.h).
 */

#ifndef BURIN_FRONT_H
#define BURIN_FRONT_H

#include "cli.h"

/*
 * First thing in the front: what only the keeper is to have is given up. It
 * tells the keeper how it went, which tells the user.
 */
void front_begins(struct cli *c);
/* exit(3) */
void front_ends(struct cli *c, int rc);

#endif
