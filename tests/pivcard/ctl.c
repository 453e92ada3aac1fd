/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * pivcard-ctl DIR COMMAND...: says a command to the card that DIR keeps and
 * prints what it has to say. Waits a while for a card that is starting.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TRIES 200 /* of 50 ms */

static int
connect_card(const char *dir)
{
	static const struct timespec pause = { .tv_nsec = 50000000 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, n, i;

	n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/control", dir);
	if (n < 0 || n >= (int)sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (i = 0; fd != -1 && i < TRIES; i++) {
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			return fd;
		if (errno != ENOENT && errno != ECONNREFUSED)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (fd != -1)
		(void)close(fd);
	return -1;
}

static int
say(FILE *f, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++)
		if (fprintf(f, "%s%s", argv[i], i + 1 < argc ? " " : "\n") < 0)
			return 0;
	return fflush(f) == 0;
}

int
main(int argc, char **argv)
{
	char line[512];
	FILE *f;
	int fd, rc = 1;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: pivcard-ctl DIR COMMAND...\n");
		return 2;
	}
	fd = connect_card(argv[1]);
	f = fd == -1 ? NULL : fdopen(fd, "r+");
	if (f == NULL) {
		(void)fprintf(
		    stderr, "pivcard-ctl: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	if (!say(f, argc, argv) || fgets(line, sizeof(line), f) == NULL)
		(void)fprintf(stderr, "pivcard-ctl: no answer\n");
	else if (strncmp(line, "ok", 2) != 0)
		(void)fprintf(stderr, "pivcard-ctl: %s", line);
	else
		rc = 0;
	if (rc == 0 && strncmp(line, "ok ", 3) == 0)
		(void)fputs(line + 3, stdout);
	(void)fclose(f);
	return rc;
}
