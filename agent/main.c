/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The program. Its memory holds PINs: no core dump, no debugger.
 */

#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/cli.h"

int
main(int argc, char **argv)
{
	static const struct rlimit none = { 0, 0 };

	(void)setlocale(LC_CTYPE, "");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* A peer that hangs up is an error of write(2), not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cli_main(argc, argv);
}
