/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * REQUEST CERTIFICATE: the request is written to a file and a line says so;
 * after a line of standard input the certificate is in the other file.
 */

#include <stdio.h>

#include "floor.h"

void
floor_exchange(char **args, const struct bytes *request, struct bytes *cert)
{
	FILE *out = fopen(args[0], "w");

	if (out == NULL || fwrite(request->p, 1, request->n, out) != request->n)
		floor_die(args[0]);
	(void)fclose(out);
	(void)puts("ready");
	(void)fflush(stdout);
	(void)getchar();
	floor_read(args[1], cert);
}
