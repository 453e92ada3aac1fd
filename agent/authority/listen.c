/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket to listen on: an address, or what a service manager hands over.
 */

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef BURIN_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "http.h"

/* "HOST:PORT" or "[ADDRESS]:PORT" apart; both are malloc'd. */
static int
split_listen(
    const char *listen, char **host, char **port, struct burin_error *e)
{
	const char *colon = strrchr(listen, ':');
	size_t n;

	*host = *port = NULL;
	if (colon == NULL || colon == listen || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
		(void)burin_fail(e, BURIN_EUSAGE, "listen-malformed",
		    "'%s' is no HOST:PORT", listen);
		return burin_error_advice(
		    e, "write localhost:8443, 0.0.0.0:443 or [::]:443");
	}
	n = (size_t)(colon - listen);
	if (listen[0] == '[' && n > 2 && listen[n - 1] == ']')
		*host = strndup(listen + 1, n - 2);
	else
		*host = strndup(listen, n);
	*port = strdup(colon + 1);
	if (*host != NULL && *port != NULL)
		return 0;
	free(*host);
	free(*port);
	*host = *port = NULL;
	return burin_fail_memory(e);
}

static int
try_listen(const struct addrinfo *ai)
{
	int fd, on = 1;

	fd = socket(
	    ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
open_socket(const char *host, const char *port, struct burin_error *e)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL, *ai;
	int rv, fd = -1;

	if ((rv = getaddrinfo(host, port, &hints, &list)) != 0)
		return burin_fail(e, BURIN_EUSAGE, "listen-failed",
		    "cannot find the address %s: %s", host, gai_strerror(rv));
	for (ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = try_listen(ai);
	if (fd < 0)
		(void)burin_fail(e, BURIN_EINTERNAL, "listen-failed",
		    "cannot listen on %s port %s: %s", host, port,
		    strerror(errno));
	freeaddrinfo(list);
	return fd;
}

/* scheme://HOST:PORT as a client on this machine reaches it. */
static int
make_url(const struct settings *cnf, int fd, const char *scheme,
    const char *host, char **url, struct burin_error *e)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char port[16];
	int v6;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&ss, len, NULL, 0, port,
		sizeof(port), NI_NUMERICSERV) != 0)
		return burin_fail(e, BURIN_EINTERNAL, "listen-failed",
		    "the system does not say which port is open");
	if (host == NULL || strcmp(host, "0.0.0.0") == 0 ||
	    strcmp(host, "::") == 0)
		host = cnf->hosts[0];
	v6 = strchr(host, ':') != NULL;
	if (asprintf(url, "%s://%s%s%s:%s", scheme, v6 ? "[" : "", host,
		v6 ? "]" : "", port) < 0) {
		*url = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

#ifdef BURIN_HAVE_SYSTEMD
/* One that is named "http" is for that. */
static int
take(struct listening l[LISTEN_KINDS], int fd, const char *name)
{
	struct listening *of = name != NULL && strcmp(name, "http") == 0
	    ? &l[LISTEN_HTTP]
	    : &l[LISTEN_HTTPS];

	if (of->fd != -1 || sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return -1;
	of->fd = fd;
	return 0;
}
#endif

/* Sockets that were opened for us. */
static int
inherited(struct listening l[LISTEN_KINDS], struct burin_error *e)
{
#ifdef BURIN_HAVE_SYSTEMD
	char **names = NULL;
	int i, n = sd_listen_fds_with_names(1, &names), rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = take(l, SD_LISTEN_FDS_START + i,
		    names != NULL ? names[i] : NULL);
	for (i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
	if (n >= 0 && rc == 0)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "listen-failed",
	    "the service manager does not hand over one listening stream "
	    "socket, and perhaps one with the name http, but something else");
	return burin_error_advice(e,
	    "give each socket unit one line ListenStream, and that for plain "
	    "HTTP FileDescriptorName=http");
#else
	(void)l;
	(void)e;
	return 0;
#endif
}

static int
open_one(const struct settings *cnf, const char *listen, const char *scheme,
    struct listening *l, struct burin_error *e)
{
	char *host = NULL, *port = NULL;
	int rc = -1;

	if (l->fd == -1 && listen == NULL)
		return 0;
	if (l->fd == -1 &&
	    (split_listen(listen, &host, &port, e) != 0 ||
		(l->fd = open_socket(host, port, e)) < 0))
		goto out;
	rc = make_url(cnf, l->fd, scheme, host, &l->url, e);
out:
	free(host);
	free(port);
	return rc;
}

int
listen_open(const struct settings *cnf, const char *https, const char *http,
    struct listening l[LISTEN_KINDS], struct burin_error *e)
{
	int i;

	for (i = 0; i < LISTEN_KINDS; i++)
		l[i] = (struct listening) { -1, NULL };
	if (inherited(l, e) != 0 ||
	    open_one(cnf, https, "https", &l[LISTEN_HTTPS], e) != 0)
		return -1;
	return open_one(cnf, http, "http", &l[LISTEN_HTTP], e);
}

void
listen_close(struct listening l[LISTEN_KINDS])
{
	int i;

	for (i = 0; i < LISTEN_KINDS; i++) {
		if (l[i].fd != -1)
			(void)close(l[i].fd);
		free(l[i].url);
		l[i] = (struct listening) { -1, NULL };
	}
}
