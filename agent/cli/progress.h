/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps as they happen: lines for people, a bar on a terminal, JSON events
 * on stderr with --progress=json.
 */

#ifndef BURIN_PROGRESS_H
#define BURIN_PROGRESS_H

#include "cli.h"

/* The progress callback of struct engine; arg is a struct cli. */
void progress_event(void *arg, const struct engine_event *ev);
/* Takes the bar off the terminal before something else is written. */
void progress_clear(struct cli *c);

#endif
