/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Preloaded into burin: kills the process at the n-th time it makes data
 * durable, before (KILL_SYNC=n) or after (KILL_SYNC=n+) the system call. A
 * journal commit is such a time, so every state is hit from both sides. With
 * KILL_SYNC=np its parent is killed before, and it waits for what comes.
 */

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int seen;

static int
at(char side)
{
	const char *spec = getenv("KILL_SYNC");
	char *end;
	long n;

	if (spec == NULL)
		return 0;
	n = strtol(spec, &end, 10);
	return atomic_load(&seen) == n && *end == side;
}

static int
sync_with(const char *name, int fd)
{
	int (*real)(int);
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	atomic_fetch_add(&seen, 1);
	if (at('\0'))
		(void)raise(SIGKILL);
	if (at('p')) {
		(void)kill(getppid(), SIGKILL);
		for (;;)
			(void)pause();
	}
	rc = real(fd);
	if (at('+'))
		(void)raise(SIGKILL);
	return rc;
}

int fdatasync(int fd);
int fsync(int fd);

int
fdatasync(int fd)
{
	return sync_with("fdatasync", fd);
}

int
fsync(int fd)
{
	return sync_with("fsync", fd);
}
