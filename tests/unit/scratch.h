/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A scratch directory for one test program.
 */

#ifndef BURIN_TEST_SCRATCH_H
#define BURIN_TEST_SCRATCH_H

/* Needs cmocka's headers before it. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
scratch_unlink(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline void
scratch_make(char dir[32])
{
	(void)snprintf(dir, 32, "/tmp/burin-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static inline void
scratch_remove(const char *dir)
{
	(void)nftw(dir, scratch_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
