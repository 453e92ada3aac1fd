/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking a secret on the terminal.
 */

#ifndef BURIN_PROMPT_H
#define BURIN_PROMPT_H

#include <burin/error.h>
#include <burin/secret.h>

/*
 * Asks on /dev/tty without echo; confirm: asks twice. BURIN_EPIN
 * "no-terminal" when there is none, BURIN_EINTERRUPTED when a signal came;
 * the terminal is as before in every case.
 */
int prompt_secret(const char *what, int confirm, struct burin_secret **out,
    struct burin_error *e);

#endif
