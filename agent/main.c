/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The program. Its memory holds PINs: no core dump, no debugger.
 */

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"

/*
 * What is opened next must not become a standard stream that was closed.
 * Writing to this fails as it would without.
 */
static void
hold_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const struct rlimit none = { 0, 0 };

	(void)setlocale(LC_CTYPE, "");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* A peer that hangs up is an error of write(2), not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	hold_streams();
	return cli_main(argc, argv);
}
