/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vpcd's protocol: the card connects over TCP; each message is two bytes of
 * length, most significant first, and the message. One byte of 00, 01, 02 or
 * 04 means power off, power on, reset and "your ATR"; only the last is
 * answered. All longer messages are command APDUs and are answered.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reader.h"

#define RETRY_MS 50
#define VPCD_OFF 0
#define VPCD_ON 1
#define VPCD_RESET 2
#define VPCD_ATR 4

int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
reader_init(struct reader *r, struct card *card, uint16_t port)
{
	memset(r, 0, sizeof(*r));
	r->card = card;
	r->port = port;
	r->fd = -1;
	r->presence = ABSENT;
}

static void
disconnect(struct reader *r)
{
	if (r->fd != -1)
		(void)close(r->fd);
	r->fd = -1;
	r->in_len = r->out_len = r->out_sent = 0;
	card_reset(r->card);
}

void
reader_insert(struct reader *r)
{
	if (r->presence == ABSENT) {
		r->presence = WAITING;
		r->retry_at = 0;
	}
}

void
reader_remove(struct reader *r)
{
	disconnect(r);
	r->presence = ABSENT;
	r->unseen = 1;
}

/* vpcd is gone, or not there yet: try again in a while. */
static void
wait_for_vpcd(struct reader *r)
{
	disconnect(r);
	r->presence = WAITING;
	r->retry_at = now_ms() + RETRY_MS;
}

static void
connect_vpcd(struct reader *r)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(r->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int one = 1;

	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd == -1 ||
	    connect(r->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		wait_for_vpcd(r);
		return;
	}
	(void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r->presence = CONNECTED;
}

static void
answer(struct reader *r, const uint8_t *p, size_t len, int64_t at)
{
	r->out[0] = (uint8_t)(len >> 8);
	r->out[1] = (uint8_t)len;
	if (p != NULL)
		memcpy(r->out + 2, p, len);
	r->out_len = len + 2;
	r->out_sent = 0;
	r->out_at = at;
}

/* What carries a secret is logged without its data. */
static int
secret(uint8_t ins)
{
	return ins == 0x20 || ins == 0x24 || ins == 0x2c || ins == 0xfe ||
	    ins == 0xff;
}

static void
log_command(struct reader *r, const uint8_t *p, size_t len)
{
	size_t i, shown = len > 1 && secret(p[1]) && len > 4 ? 4 : len;

	if (r->log == NULL)
		return;
	(void)fprintf(r->log, "%lu >", r->count);
	for (i = 0; i < shown; i++)
		(void)fprintf(r->log, " %02x", p[i]);
	if (shown != len)
		(void)fprintf(r->log, " (%zu bytes hidden)", len - shown);
	(void)fputc('\n', r->log);
	(void)fflush(r->log);
}

static void
log_answer(struct reader *r, const uint8_t *p, size_t len)
{
	if (r->log == NULL)
		return;
	(void)fprintf(r->log, "%lu < %zu bytes, %02x%02x\n", r->count, len - 2,
	    p[len - 2], p[len - 1]);
	(void)fflush(r->log);
}

static int
faulty(struct reader *r, const uint8_t *p, size_t len)
{
	struct fault *f = &r->fault;

	if (f->left == 0 || (f->ins != -1 && (len < 2 || p[1] != f->ins)))
		return 0;
	f->left--;
	return 1;
}

/* Counts down to the command at which the card goes. */
static int
goes_now(struct reader *r, const uint8_t *p, size_t len)
{
	if (r->drop_ins != -1 && (len < 2 || p[1] != r->drop_ins))
		return 0;
	return r->drop_in != 0 && --r->drop_in == 0;
}

static void
command(struct reader *r, const uint8_t *p, size_t len)
{
	uint8_t *out = r->out + 2;
	int64_t at = now_ms();
	int goes = goes_now(r, p, len);
	size_t n;

	r->count++;
	log_command(r, p, len);
	if (goes && !r->drop_after) {
		reader_remove(r);
		return;
	}
	at += (int64_t)r->delay;
	if (faulty(r, p, len)) {
		out[0] = (uint8_t)(r->fault.sw >> 8);
		out[1] = (uint8_t)r->fault.sw;
		n = 2;
	} else {
		n = card_transmit(r->card, p, len, out);
		if (card_touched(r->card))
			at += (int64_t)r->touch;
	}
	log_answer(r, out, n);
	if (goes)
		reader_remove(r);
	else
		answer(r, NULL, n, at);
}

/*
 * pcscd looks for the card every 400 ms, by asking vpcd for the ATR. A card
 * that vanished in a command and is back before pcscd looked was never away
 * for it, and gets no power again. So the first question after that is
 * answered as an empty reader does, and the next one by the card.
 */
static void
show_absence(struct reader *r)
{
	r->unseen = 0;
	wait_for_vpcd(r);
}

static void
message(struct reader *r, const uint8_t *p, size_t len)
{
	const uint8_t *atr;

	if (len != 1) {
		command(r, p, len);
		return;
	}
	switch (p[0]) {
	case VPCD_OFF:
		card_reset(r->card);
		break;
	case VPCD_ON:
	case VPCD_RESET:
		card_reset(r->card);
		r->presence = POWERED;
		break;
	case VPCD_ATR:
		if (r->unseen) {
			show_absence(r);
			break;
		}
		atr = card_atr(&len);
		answer(r, atr, len, 0);
		break;
	}
}

/* One message, when a whole one is there and the last one is answered. */
static int
next_message(struct reader *r)
{
	size_t len, whole;

	if (r->out_len != 0 || r->in_len < 2)
		return 0;
	len = (size_t)r->in[0] << 8 | r->in[1];
	whole = 2 + len;
	if (r->in_len < whole)
		return 0;
	if (len != 0)
		message(r, r->in + 2, len);
	if (r->fd == -1) /* the card has gone: in[] too */
		return 0;
	r->in_len -= whole;
	memmove(r->in, r->in + whole, r->in_len);
	return 1;
}

/*
 * vpcd sends the length and the message apart: without an acknowledgement
 * at once the second waits for our delayed one, 40 ms for each command.
 * Linux forgets the option, so it is said again each time.
 */
static void
acknowledge(int fd)
{
	const int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

static void
receive(struct reader *r)
{
	ssize_t n;

	n = recv(r->fd, r->in + r->in_len, sizeof(r->in) - r->in_len, 0);
	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			wait_for_vpcd(r);
		return;
	}
	r->in_len += (size_t)n;
	acknowledge(r->fd);
}

static void
send_answer(struct reader *r)
{
	ssize_t n;

	n = send(r->fd, r->out + r->out_sent, r->out_len - r->out_sent,
	    MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EINTR)
			wait_for_vpcd(r);
		return;
	}
	r->out_sent += (size_t)n;
	if (r->out_sent == r->out_len)
		r->out_len = 0;
}

/* While an answer is being kept back, a closed connection is still seen. */
short
reader_events(const struct reader *r)
{
	if (r->fd == -1)
		return 0;
	if (r->out_len == 0)
		return POLLIN;
	return now_ms() >= r->out_at ? POLLOUT : 0;
}

int
reader_timeout(const struct reader *r)
{
	int64_t at = r->presence == WAITING ? r->retry_at
	    : r->out_len != 0		    ? r->out_at
					    : -1;
	int64_t left = at - now_ms();

	if (at == -1)
		return -1;
	return left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

void
reader_work(struct reader *r, short events)
{
	if (r->presence == WAITING && now_ms() >= r->retry_at) {
		connect_vpcd(r);
		return;
	}
	if (r->fd == -1)
		return;
	if ((events & POLLOUT) != 0)
		send_answer(r);
	else if ((events & POLLIN) != 0)
		receive(r);
	else if ((events & (POLLHUP | POLLERR)) != 0)
		wait_for_vpcd(r);
	while (r->fd != -1 && next_message(r))
		continue;
}
