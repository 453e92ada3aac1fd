/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * pcsc-hold: has the first reader for itself until it is killed, as scdaemon
 * and others do. Says "held", or the error.
 */

#include <stdio.h>
#include <unistd.h>

#include <winscard.h>

int
main(void)
{
	DWORD len, protocol;
	SCARDCONTEXT context;
	char readers[1024];
	SCARDHANDLE card;
	LONG rv;

	len = sizeof(readers);
	rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
	if (rv == SCARD_S_SUCCESS)
		rv = SCardListReaders(context, NULL, readers, &len);
	if (rv == SCARD_S_SUCCESS)
		rv = SCardConnect(context, readers, SCARD_SHARE_EXCLUSIVE,
		    SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
	if (rv != SCARD_S_SUCCESS) {
		(void)printf("error 0x%lx\n", (unsigned long)rv);
		return 1;
	}
	(void)puts("held");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
