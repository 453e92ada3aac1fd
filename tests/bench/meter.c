/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * meter [-x] FILE COMMAND...: runs it and writes to FILE one line:
 * microseconds of CPU, microseconds of wall, KiB of peak RSS, all of the
 * command and the children it waited for, and how many programs they started
 * by exec (counted with -x only, which costs time). A program of its own,
 * because the peak RSS of who starts a command is counted as the command's.
 */

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS                                                          \
	(PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

/* All stops of all children looked at, all signals passed on. */
static int
follow(pid_t first, unsigned *execs)
{
	int status, end = 1, signal;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (pid == first)
				end = status;
			continue;
		}
		signal = WSTOPSIG(status);
		if (status >> 16 == PTRACE_EVENT_EXEC)
			++*execs;
		if (status >> 16 != 0 || signal == SIGSTOP)
			signal = 0;
		(void)ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal);
	}
	return end;
}

static pid_t
start(char **command, int traced)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (traced) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(126);
		(void)raise(SIGSTOP);
	}
	(void)execvp(command[0], command);
	_exit(127);
}

static int
trace(pid_t pid, unsigned *execs)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(long)OPTIONS) != 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
		return 1;
	status = follow(pid, execs);
	/* the command itself is one */
	*execs -= *execs > 0;
	return status;
}

static long long
microseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long long
cpu(const struct rusage *u)
{
	return (long long)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 +
	    u->ru_utime.tv_usec + u->ru_stime.tv_usec;
}

int
main(int argc, char **argv)
{
	int traced = argc > 1 && strcmp(argv[1], "-x") == 0, status = 1;
	struct rusage usage;
	unsigned execs = 0;
	long long begun;
	FILE *out;
	pid_t pid;

	argv += traced;
	argc -= traced;
	if (argc < 3)
		return 2;
	begun = microseconds();
	if ((pid = start(argv + 2, traced)) < 0)
		return 1;
	if (traced)
		status = trace(pid, &execs);
	else
		(void)waitpid(pid, &status, 0);
	begun = microseconds() - begun;
	(void)getrusage(RUSAGE_CHILDREN, &usage);
	if ((out = fopen(argv[1], "w")) == NULL)
		return 1;
	(void)fprintf(out, "%lld %lld %ld %u\n", cpu(&usage), begun,
	    usage.ru_maxrss, execs);
	if (fclose(out) != 0 || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}
