/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole files in and out, bounded and atomic.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define CHUNK 16384

static int
read_all(int fd, const char *path, size_t max, unsigned char **data,
    size_t *len, struct burin_error *e)
{
	unsigned char *buf = NULL, *grown;
	size_t size = 0, n = 0;
	ssize_t got;

	for (;;) {
		if (n == size) {
			size = size == 0 ? CHUNK : size * 2;
			if ((grown = realloc(buf, size)) == NULL) {
				free(buf);
				return burin_fail_memory(e);
			}
			buf = grown;
		}
		got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR && !cli_stop)
			continue;
		if (got < 0) {
			free(buf);
			return burin_fail(e, BURIN_EINTERNAL, "file-read",
			    "cannot read %s: %s", path, strerror(errno));
		}
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > max) {
			free(buf);
			return burin_fail(e, BURIN_EUSAGE, "file-too-large",
			    "%s is larger than %zu bytes", path, max);
		}
	}
	*data = buf;
	*len = n;
	return 0;
}

int
file_read(const char *path, size_t max, unsigned char **data, size_t *len,
    struct burin_error *e)
{
	int fd, rc;

	*data = NULL;
	*len = 0;
	if (strcmp(path, "-") == 0)
		return read_all(
		    STDIN_FILENO, "standard input", max, data, len, e);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return burin_fail(e,
		    errno == ENOENT ? BURIN_EUSAGE : BURIN_EINTERNAL,
		    "file-open", "cannot open %s: %s", path, strerror(errno));
	rc = read_all(fd, path, max, data, len, e);
	(void)close(fd);
	return rc;
}

static int
write_all(int fd, const void *data, size_t len)
{
	const unsigned char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder of path, so that the new name survives a power cut. */
static void
sync_folder(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	int fd;

	if (n >= sizeof(dir))
		return;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd = open(slash == NULL ? "."
		: n == 0	? "/"
				: dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int
replace_file(const char *path, const void *data, size_t len, int mode,
    struct burin_error *e)
{
	char temp[PATH_MAX];
	int fd = -1, rc = -1;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    (int)sizeof(temp))
		return burin_fail(e, BURIN_EUSAGE, "file-name",
		    "the file name is longer than %d bytes", PATH_MAX);
	if ((fd = mkostemp(temp, O_CLOEXEC)) == -1)
		return burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot make a file beside %s: %s", path, strerror(errno));
	if (fchmod(fd, (mode_t)mode) != 0 || write_all(fd, data, len) != 0 ||
	    fsync(fd) != 0) {
		(void)burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot write %s: %s", path, strerror(errno));
		goto out;
	}
	if (rename(temp, path) != 0) {
		(void)burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot rename to %s: %s", path, strerror(errno));
		goto out;
	}
	sync_folder(path);
	rc = 0;
out:
	(void)close(fd);
	if (rc != 0)
		(void)unlink(temp);
	return rc;
}

int
file_write(const char *path, const void *data, size_t len, int mode,
    struct burin_error *e)
{
	struct stat st;
	int fd, rc;

	if (strcmp(path, "-") == 0) {
		if (write_all(STDOUT_FILENO, data, len) != 0)
			return burin_fail(e, BURIN_EINTERNAL, "file-write",
			    "cannot write to standard output: %s",
			    strerror(errno));
		return 0;
	}
	/* A device or a pipe (/dev/stdout) is written, not replaced. */
	if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
		return replace_file(path, data, len, mode, e);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot open %s: %s", path, strerror(errno));
	rc = write_all(fd, data, len);
	if (rc != 0)
		(void)burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot write %s: %s", path, strerror(errno));
	(void)close(fd);
	return rc;
}
