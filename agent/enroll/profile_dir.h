/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the profiles of burin-profile(5) lie on this machine.
 */

#ifndef BURIN_PROFILE_DIR_H
#define BURIN_PROFILE_DIR_H

#include <stddef.h>

#include <burin/error.h>

/*
 * The directory of the profiles that came with the program, free() it:
 * $BURIN_PROFILE_DIR, else the one of the installation, else
 * ../share/burin/profiles beside the program, else docs/profiles of the
 * source tree above a build directory.
 */
int profile_dir(char **dir, struct burin_error *e);
/* 1 when that is a directory of the user's choice: $BURIN_PROFILE_DIR. */
int profile_dir_is_users(void);
/*
 * The names of the profiles in dir, in order, NULL-terminated: free each and
 * the list.
 */
int profile_names(const char *dir, char ***names, struct burin_error *e);
/* 1 when name is a bare profile name: letters, digits, '-' and '_'. */
int profile_name_ok(const char *name);
/* 1 when a user means a file by it: it holds a '/' or ends in ".cnf". */
int profile_is_path(const char *name_or_path);
/*
 * The text of a profile (free() it): NAME is NAME.cnf in profile_dir(),
 * unless it is a path. At most BURIN_MAX_PROFILE bytes.
 */
int profile_load(
    const char *name_or_path, char **text, size_t *len, struct burin_error *e);
/* The same with a bare name in a directory that is known. */
int profile_load_from(const char *dir, const char *name, char **text,
    size_t *len, struct burin_error *e);

#endif
