/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds and reads profile files.
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <burin/profile.h>

#include "profile_dir.h"

#define NAME_MAX_LEN 64 /* characters of a profile name */
#define SUFFIX ".cnf"

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static int
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Replaces *dir by base/rest when that is a directory. */
static int
try_dir(const char *base, const char *rest, char **dir)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s", base, rest) < 0)
		return 0;
	if (!is_dir(path)) {
		free(path);
		return 0;
	}
	*dir = path;
	return 1;
}

/* Tries the places that are relative to the running program. */
static int
beside_program(char **dir)
{
	static const char *const places[] = { "/../share/burin/profiles",
		"/../docs/profiles", "/../../docs/profiles",
		"/../../../docs/profiles" };
	char exe[PATH_MAX], *slash;
	ssize_t n;
	size_t i;

	if ((n = readlink("/proc/self/exe", exe, sizeof(exe) - 1)) <= 0)
		return 0;
	exe[n] = '\0';
	if ((slash = strrchr(exe, '/')) == NULL)
		return 0;
	*slash = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (try_dir(exe, places[i], dir))
			return 1;
	return 0;
}

int
profile_dir_is_users(void)
{
	const char *env = getenv("BURIN_PROFILE_DIR");

	return env != NULL && *env != '\0';
}

int
profile_dir(char **dir, struct burin_error *e)
{
	const char *env = getenv("BURIN_PROFILE_DIR");

	*dir = NULL;
	if (profile_dir_is_users()) {
		if (try_dir(env, "", dir))
			return 0;
		(void)burin_fail(e, BURIN_EUSAGE, "profile-dir-missing",
		    "BURIN_PROFILE_DIR names '%s', which is no directory", env);
		return burin_error_advice(
		    e, "set it to the folder that holds the profiles");
	}
	if (try_dir(BURIN_PROFILEDIR, "", dir) || beside_program(dir))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "profile-dir-missing",
	    "the profiles of burin were not found on this machine");
	return burin_error_advice(e,
	    "install burin, or set BURIN_PROFILE_DIR to the folder that holds "
	    "the profiles");
}

int
profile_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_LEN && strspn(name, name_chars) == n;
}

/* NAME.cnf, where NAME is one that --profile takes. */
static int
is_profile(const struct dirent *entry)
{
	char name[NAME_MAX_LEN + sizeof(SUFFIX)];
	size_t n = strlen(entry->d_name), end = strlen(SUFFIX);

	if (n <= end || n >= sizeof(name) ||
	    strcmp(entry->d_name + n - end, SUFFIX) != 0)
		return 0;
	memcpy(name, entry->d_name, n - end);
	name[n - end] = '\0';
	return profile_name_ok(name);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
profile_names(const char *dir, char ***names, struct burin_error *e)
{
	struct dirent **found;
	char **list;
	int i, n;

	*names = NULL;
	if ((n = scandir(dir, &found, is_profile, by_name)) < 0)
		return burin_fail(e, BURIN_EUSAGE, "profile-unreadable",
		    "cannot read the folder %s: %s", dir, strerror(errno));
	list = calloc((size_t)n + 1, sizeof(*list));
	for (i = 0; i < n; i++) {
		if (list != NULL)
			list[i] = strndup(found[i]->d_name,
			    strlen(found[i]->d_name) - strlen(SUFFIX));
		free(found[i]);
	}
	free(found);
	*names = list;
	return list != NULL ? 0 : burin_fail_memory(e);
}

static int
read_text(const char *path, char **text, size_t *len, struct burin_error *e)
{
	char *buf = NULL;
	FILE *f = NULL;
	size_t n;
	int rc = -1;

	*text = NULL;
	*len = 0;
	if ((f = fopen(path, "re")) == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-missing",
		    "cannot open the profile %s: %s", path, strerror(errno));
		goto out;
	}
	if ((buf = malloc(BURIN_MAX_PROFILE + 1)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	n = fread(buf, 1, BURIN_MAX_PROFILE + 1, f);
	if (ferror(f)) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-unreadable",
		    "cannot read the profile %s: %s", path, strerror(errno));
		goto out;
	}
	if (n > BURIN_MAX_PROFILE) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-too-long",
		    "the profile %s is longer than %d bytes", path,
		    BURIN_MAX_PROFILE);
		goto out;
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	buf = NULL;
	rc = 0;
out:
	free(buf);
	if (f != NULL)
		(void)fclose(f);
	return rc;
}

int
profile_load_from(const char *dir, const char *name, char **text, size_t *len,
    struct burin_error *e)
{
	char *path = NULL;
	int rc;

	*text = NULL;
	*len = 0;
	if (!profile_name_ok(name)) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-name",
		    "'%s' is no profile name", name);
		return burin_error_advice(e,
		    "a name is letters, digits, '-' and '_'; a path has a '/' "
		    "or ends in .cnf");
	}
	if (asprintf(&path, "%s/%s" SUFFIX, dir, name) < 0)
		return burin_fail_memory(e);
	rc = read_text(path, text, len, e);
	free(path);
	return rc;
}

int
profile_is_path(const char *name_or_path)
{
	size_t n = strlen(name_or_path), end = strlen(SUFFIX);

	return strchr(name_or_path, '/') != NULL ||
	    (n > end && strcmp(name_or_path + n - end, SUFFIX) == 0);
}

int
profile_load(
    const char *name_or_path, char **text, size_t *len, struct burin_error *e)
{
	char *dir = NULL;
	int rc;

	*text = NULL;
	*len = 0;
	if (profile_is_path(name_or_path))
		return read_text(name_or_path, text, len, e);
	if (profile_dir(&dir, e) != 0)
		return -1;
	rc = profile_load_from(dir, name_or_path, text, len, e);
	free(dir);
	return rc;
}
