/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Completion scripts, written from the tables of verbs and options.
 */

#ifndef BURIN_COMPLETION_H
#define BURIN_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *f);
void completion_zsh(FILE *f);

#endif
