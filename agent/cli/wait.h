/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * --wait: a token that is not there is waited for, and one that was lost in
 * the middle of a job as well.
 */

#ifndef BURIN_WAIT_H
#define BURIN_WAIT_H

#include "cli.h"

/* Fills c->wait from the options. */
int wait_options(struct cli *c, struct burin_error *e);
/*
 * burin_token_find, and with --wait until it finds one. With --wait=SERIAL
 * the token has that serial number; name, if not NULL, must mean it too.
 */
int wait_token(struct cli *c, const char *name, int want_blank,
    struct burin_token **t, struct burin_error *e);
/* Whether --wait=SERIAL, if given, names the token that job began with. */
int wait_is_for(struct cli *c, const struct job *job, struct burin_error *e);
/*
 * Whether what ended with e may go on once the token is (back) there: not
 * more often than a few times, and never after a PIN was refused.
 */
int wait_would_help(struct cli *c, int times, const struct burin_error *e);
/*
 * Waits for the token of job or, without one, for that which name means, and
 * counts in *times. No key may be in use. -1: e says why it does not go on.
 */
int wait_back(struct cli *c, const char *name, const struct job *job,
    int *times, struct burin_error *e);

#endif
