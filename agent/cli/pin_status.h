/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How it stands with the PINs of a token.
 */

#ifndef BURIN_PIN_STATUS_H
#define BURIN_PIN_STATUS_H

#include "cli.h"

/* Tells the user and c->json. c->journal must be open. */
int pin_status(struct cli *c, struct burin_token *t, struct burin_error *e);

#endif
