/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One process per job: a locked file beside the database. The kernel lets
 * go of the lock when its holder dies, however it dies.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

static int
lock_path(struct journal *j, const char *id, char path[PATH_MAX],
    struct burin_error *e)
{
	int n;

	/* An id becomes part of a file name: nothing but what we make. */
	if (strlen(id) != JOB_ID_LEN ||
	    strspn(id, "0123456789bcdfghjkmnpqrstvwxyz") != JOB_ID_LEN)
		return burin_fail(e, BURIN_ETOKEN, "job-missing",
		    "'%s' is not the id of a job", id);
	n = snprintf(path, PATH_MAX, "%s/job-%s.lock", journal_dir(j), id);
	if (n < 0 || n >= PATH_MAX)
		return burin_fail(e, BURIN_EINTERNAL, "journal-path",
		    "the path of the journal is too long");
	return 0;
}

/* 1 when fd is still the file that path names, 0 when it was removed. */
static int
still_there(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 &&
	    held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

int
journal_lock(struct journal *j, const char *id, int *fd, struct burin_error *e)
{
	char path[PATH_MAX];
	int f;

	*fd = -1;
	if (lock_path(j, id, path, e) != 0)
		return -1;
	for (;;) {
		f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (f == -1)
			return burin_fail(e, BURIN_EINTERNAL, "job-lock",
			    "cannot open %s: %s", path, strerror(errno));
		if (flock(f, LOCK_EX | LOCK_NB) != 0)
			break;
		if (still_there(f, path)) {
			*fd = f;
			return 0;
		}
		/* The last holder removed it between open and flock. */
		(void)close(f);
	}
	if (errno == EWOULDBLOCK) {
		burin_fail(e, BURIN_EINTERRUPTED, "job-busy",
		    "another process works on job %s", id);
		burin_error_advice(e, "wait for it, then: burin status %s", id);
	} else {
		burin_fail(e, BURIN_EINTERNAL, "job-lock", "cannot lock %s: %s",
		    path, strerror(errno));
	}
	(void)close(f);
	return -1;
}

void
journal_unlock(struct journal *j, const char *id, int fd)
{
	char path[PATH_MAX];

	if (fd == -1)
		return;
	if (lock_path(j, id, path, NULL) == 0)
		(void)unlink(path);
	(void)close(fd);
}
