/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Per address: who gives too many wrong secrets in a minute has to wait, and
 * so has who asks too often. The tables have a fixed size; the entry that was
 * quiet longest makes room.
 */

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ca.h"

#define PEERS 1024  /* addresses that are remembered */
#define FAILURES 20 /* wrong secrets in one window */
#define WINDOW 60   /* seconds */

struct peer {
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned failures;
	time_t since, last;
};

/* A bucket that fills with time and is emptied by requests. */
struct asker {
	unsigned char address[16];
	double room; /* requests it may send now */
	time_t last; /* 0: unused */
};

struct peers {
	pthread_mutex_t lock;
	struct peer list[PEERS];
	struct asker askers[PEERS];
};

static void
address_of(const struct sockaddr *sa, unsigned char out[16])
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff };
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memset(out, 0, 16);
	if (sa == NULL)
		return;
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		/* Whoever has one address of a /64 has all: RFC 6177. */
		memcpy(out, &in6.sin6_addr,
		    IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 16 : 8);
	} else if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &in.sin_addr, 4);
	}
}

int
peers_new(struct peers **out, struct burin_error *e)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return burin_fail_memory(e);
	if (pthread_mutex_init(&(*out)->lock, NULL) != 0) {
		free(*out);
		*out = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

void
peers_free(struct peers **p)
{
	if (p == NULL || *p == NULL)
		return;
	(void)pthread_mutex_destroy(&(*p)->lock);
	free(*p);
	*p = NULL;
}

/* The entry of an address; make 1: a new one when there is none. */
static struct peer *
find(struct peers *p, const unsigned char address[16], int make, time_t now)
{
	struct peer *oldest = &p->list[0];
	size_t i;

	for (i = 0; i < PEERS; i++) {
		if (p->list[i].failures > 0 &&
		    memcmp(p->list[i].address, address, 16) == 0)
			return &p->list[i];
		if (p->list[i].last < oldest->last)
			oldest = &p->list[i];
	}
	if (!make)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	memcpy(oldest->address, address, 16);
	oldest->since = now;
	return oldest;
}

int
peers_blocked(struct peers *p, const struct sockaddr *sa, time_t now)
{
	unsigned char address[16];
	struct peer *peer;
	int blocked;

	address_of(sa, address);
	(void)pthread_mutex_lock(&p->lock);
	peer = find(p, address, 0, now);
	blocked = peer != NULL && peer->failures >= FAILURES &&
	    now - peer->since < WINDOW;
	(void)pthread_mutex_unlock(&p->lock);
	return blocked;
}

void
peers_failed(struct peers *p, const struct sockaddr *sa, time_t now)
{
	unsigned char address[16];
	struct peer *peer;

	address_of(sa, address);
	(void)pthread_mutex_lock(&p->lock);
	peer = find(p, address, 1, now);
	if (now - peer->since >= WINDOW) {
		peer->since = now;
		peer->failures = 0;
	}
	peer->failures++;
	peer->last = now;
	(void)pthread_mutex_unlock(&p->lock);
}

/* The bucket of an address, a full one when it is new. */
static struct asker *
find_asker(
    struct peers *p, const unsigned char address[16], unsigned rate, time_t now)
{
	struct asker *oldest = &p->askers[0];
	size_t i;

	for (i = 0; i < PEERS; i++) {
		if (p->askers[i].last != 0 &&
		    memcmp(p->askers[i].address, address, 16) == 0)
			return &p->askers[i];
		if (p->askers[i].last < oldest->last)
			oldest = &p->askers[i];
	}
	memcpy(oldest->address, address, 16);
	oldest->room = rate;
	oldest->last = now;
	return oldest;
}

int
peers_too_fast(
    struct peers *p, const struct sockaddr *sa, unsigned rate, time_t now)
{
	unsigned char address[16];
	struct asker *asker;
	int slow_down;

	if (rate == 0)
		return 0;
	address_of(sa, address);
	(void)pthread_mutex_lock(&p->lock);
	asker = find_asker(p, address, rate, now);
	if (now > asker->last)
		asker->room += (double)(now - asker->last) * rate / WINDOW;
	if (asker->room > rate)
		asker->room = rate;
	asker->last = now;
	slow_down = asker->room < 1;
	if (!slow_down)
		asker->room -= 1;
	(void)pthread_mutex_unlock(&p->lock);
	return slow_down;
}
