/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One login at a time with a token, whatever process makes it: what one of
 * them learns about a PIN the next must know. A byte of one file stands for
 * a token; the kernel lets go of it when its holder dies.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "journal_db.h"
#include "pin_memory.h"

#define WAIT_S 60 /* a reader may be slow, a module may hang */

/* Two tokens on one byte wait for each other, no more. */
static off_t
byte_of(const struct pin_owner *o)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[160];
	off_t at = 0;
	size_t i;

	(void)snprintf(text, sizeof(text), "%s/%s", o->serial, o->label);
	(void)SHA256((const unsigned char *)text, strlen(text), hash);
	for (i = 0; i < 7; i++)
		at = at << 8 | hash[i];
	return at;
}

/* A lock of the descriptor, not of the process: threads exclude each other. */
static int
wait_for(int fd, off_t at)
{
	static const struct timespec pause = { 0, 50 * 1000 * 1000 };
	struct flock lock;
	int i;

	memset(&lock, 0, sizeof(lock));
	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = at;
	lock.l_len = 1;
	for (i = 0; i < WAIT_S * 20; i++) {
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	errno = EAGAIN;
	return -1;
}

int
login_lock(struct journal *j, const struct pin_owner *o, int *fd,
    struct burin_error *e)
{
	char path[PATH_MAX];
	int f, n;

	*fd = -1;
	n = snprintf(path, sizeof(path), "%s/logins.lock", j->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return burin_fail(e, BURIN_EINTERNAL, "journal-path",
		    "the path of the journal is too long");
	f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f != -1 && wait_for(f, byte_of(o)) == 0) {
		*fd = f;
		return 0;
	}
	if (f != -1 && (errno == EAGAIN || errno == EACCES)) {
		burin_fail(e, BURIN_EINTERRUPTED, "login-busy",
		    "another process has been logging in to the token for %d "
		    "seconds",
		    WAIT_S);
		burin_error_advice(
		    e, "end the process that hangs; the PIN was not sent");
	} else {
		burin_fail(e, BURIN_EINTERNAL, "login-lock",
		    "cannot lock %s: %s", path, strerror(errno));
	}
	if (f != -1)
		(void)close(f);
	return -1;
}
