/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A job of the journal, for JSON and for people.
 */

#ifndef BURIN_JSON_JOB_H
#define BURIN_JSON_JOB_H

#include "cli.h"

json_t *json_job(const struct job *job);
/* What is on the token in this state, in words (docs/enrolment.md). */
const char *job_on_token(const struct job *job);
/* What the user can do next: "burin resume ID", "nothing"; in buf. */
const char *job_next(const struct job *job, char *buf, size_t size);

#endif
