/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who else talks to pcscd: when a reader shows no card, one of them may have
 * it for itself. The kernel tells the other ends of pcscd's socket
 * (sock_diag(7)), /proc whose they are, as far as this user may see.
 */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "p11.h"

#define MAX_PEERS 64
#define MAX_PROCESSES 4096
#define SOCKET_NAME "/pcscd.comm"

struct peers {
	unsigned inode[MAX_PEERS];
	size_t n;
};

/* One socket: *peer is its other end when it is one of pcscd's. */
static int
is_pcscd(struct nlmsghdr *h, unsigned *peer)
{
	struct unix_diag_msg *m = NLMSG_DATA(h);
	long left = (long)h->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*m));
	const size_t want = sizeof(SOCKET_NAME) - 1;
	struct rtattr *a = (struct rtattr *)(m + 1);
	int named = 0, joined = 0;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		const char *data = RTA_DATA(a);
		size_t len = RTA_PAYLOAD(a);

		if (a->rta_type == UNIX_DIAG_NAME) {
			len = strnlen(data, len);
			named = len >= want &&
			    memcmp(data + len - want, SOCKET_NAME, want) == 0;
		} else if (a->rta_type == UNIX_DIAG_PEER &&
		    len >= sizeof(*peer)) {
			memcpy(peer, data, sizeof(*peer));
			joined = 1;
		}
	}
	return named && joined;
}

static void
find_peers(struct peers *p)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} q;
	union {
		struct nlmsghdr h;
		char bytes[16384];
	} in;
	const struct timeval patience = { .tv_sec = 1 };
	struct nlmsghdr *h;
	ssize_t n;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	memset(&q, 0, sizeof(q));
	q.h.nlmsg_len = sizeof(q);
	q.h.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	q.r.sdiag_family = AF_UNIX;
	q.r.udiag_states = ~0U;
	q.r.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
	if (fd == -1)
		return;
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &q, sizeof(q), 0) != (ssize_t)sizeof(q))
		goto out;
	while ((n = recv(fd, &in, sizeof(in), 0)) > 0)
		for (h = &in.h; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
				goto out; /* the end, or an error */
			if (p->n < MAX_PEERS && is_pcscd(h, &p->inode[p->n]))
				p->n++;
		}
out:
	(void)close(fd);
}

static int
has_one(const char *pid, const struct peers *p)
{
	char path[300], link[64];
	struct dirent *d;
	unsigned inode;
	ssize_t n;
	size_t i;
	DIR *dir;
	int has = 0;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while (!has && (d = readdir(dir)) != NULL) {
		n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) != 1)
			continue;
		for (i = 0; i < p->n; i++)
			has |= p->inode[i] == inode;
	}
	(void)closedir(dir);
	return has;
}

static void
add_name(const char *pid, char *buf, size_t size)
{
	char path[64], line[32] = "";
	unsigned char name[32];
	size_t n = strlen(buf), len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if ((f = fopen(path, "re")) == NULL)
		return;
	len = fread(name, 1, sizeof(name), f);
	(void)fclose(f);
	if (len > 0 && name[len - 1] == '\n')
		len--;
	p11_text(line, sizeof(line), name, len);
	(void)snprintf(buf + n, size - n, "%s%s (process %.20s)",
	    n > 0 ? ", " : "", line, pid);
}

void
p11_rivals(char *buf, size_t size)
{
	struct peers p = { .n = 0 };
	struct dirent *d;
	int left = MAX_PROCESSES;
	DIR *dir;

	buf[0] = '\0';
	find_peers(&p);
	if (p.n == 0 || (dir = opendir("/proc")) == NULL)
		return;
	while (left > 0 && (d = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		left--;
		if (strtol(d->d_name, NULL, 10) != (long)getpid() &&
		    has_one(d->d_name, &p))
			add_name(d->d_name, buf, size);
	}
	(void)closedir(dir);
}
