/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The time a peer takes: libmicrohttpd closes a connection on which nothing
 * happens, but one that says a byte now and then (a "slow loris") would hold
 * it for ever. A request, with the handshake before it, has to be there in
 * REQUEST_SECONDS; so has an answer to be fetched.
 */

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http.h"

#define REQUEST_SECONDS 30

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	struct conn *list;
	int stop;
};

static time_t
monotonic(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * The connection's own thread finds its end and tidies up. The descriptor is
 * still this connection's: it is closed after watch_remove.
 */
static void
end_late(struct watch *w)
{
	time_t now = monotonic();
	struct conn *conn;

	for (conn = w->list; conn != NULL; conn = conn->next) {
		if (conn->until == 0 || now < conn->until)
			continue;
		(void)shutdown(conn->fd, SHUT_RDWR);
		conn->until = 0;
	}
}

static void *
run(void *arg)
{
	struct watch *w = arg;
	struct timespec tick;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		(void)clock_gettime(CLOCK_MONOTONIC, &tick);
		tick.tv_sec++;
		(void)pthread_cond_timedwait(&w->wake, &w->lock, &tick);
		end_late(w);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int
set_up(struct watch *w)
{
	pthread_condattr_t attr;
	int ok;

	if (pthread_mutex_init(&w->lock, NULL) != 0)
		return -1;
	if (pthread_condattr_init(&attr) != 0)
		goto fail;
	ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&w->wake, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	if (!ok)
		goto fail;
	if (pthread_create(&w->thread, NULL, run, w) == 0)
		return 0;
	(void)pthread_cond_destroy(&w->wake);
fail:
	(void)pthread_mutex_destroy(&w->lock);
	return -1;
}

int
watch_new(struct watch **out, struct burin_error *e)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return burin_fail_memory(e);
	if (set_up(*out) == 0)
		return 0;
	free(*out);
	*out = NULL;
	return burin_fail(e, BURIN_EINTERNAL, "serve-failed",
	    "cannot start the thread that watches connections");
}

void
watch_free(struct watch **wp)
{
	struct watch *w;

	if (wp == NULL || (w = *wp) == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = 1;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	*wp = NULL;
}

struct conn *
watch_add(struct watch *w, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->fd = fd;
	conn->until = monotonic() + REQUEST_SECONDS;
	(void)pthread_mutex_lock(&w->lock);
	conn->next = w->list;
	conn->at = &w->list;
	if (conn->next != NULL)
		conn->next->at = &conn->next;
	w->list = conn;
	(void)pthread_mutex_unlock(&w->lock);
	return conn;
}

void
watch_remove(struct watch *w, struct conn *conn)
{
	if (conn == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	*conn->at = conn->next;
	if (conn->next != NULL)
		conn->next->at = conn->at;
	(void)pthread_mutex_unlock(&w->lock);
	free(conn);
}

void
watch_limit(struct watch *w, struct conn *conn, int on)
{
	if (conn == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	conn->until = on ? monotonic() + REQUEST_SECONDS : 0;
	(void)pthread_mutex_unlock(&w->lock);
}

struct conn *
http_conn(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info != NULL ? info->socket_context : NULL;
}
