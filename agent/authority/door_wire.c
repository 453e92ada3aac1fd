/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What goes through the door: a head of fixed length, then as many octets as
 * it says and its kind allows.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "door.h"

#define MAGIC 0x62646f72U /* "bdor" */

static int
gone(struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERRUPTED, "door-closed",
	    "the other process of the authority is gone");
}

static int
broken(const char *what, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "door-broken",
	    "what came through the door is no message: %s", what);
}

static int
wait_for(const struct door_line *l, short events, struct burin_error *e)
{
	struct pollfd p = { .fd = l->fd, .events = events };

	if (l->wait != NULL)
		return l->wait(l->arg, l->fd, events, e);
	if (poll(&p, 1, -1) == -1 && errno != EINTR)
		return burin_fail(e, BURIN_EINTERNAL, "door-closed",
		    "cannot wait at the door: %s", strerror(errno));
	return 0;
}

/* 1: the other side closed before the first octet. */
static int
read_all(
    const struct door_line *l, void *buf, size_t len, struct burin_error *e)
{
	unsigned char *p = buf;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(l->fd, p + done, len - done, MSG_DONTWAIT);
		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno == ECONNRESET) {
			return done == 0 ? 1 : gone(e);
		} else if (errno == EAGAIN) {
			if (wait_for(l, POLLIN, e) != 0)
				return -1;
		} else if (errno != EINTR) {
			return gone(e);
		}
	}
	return 0;
}

static int
write_all(const struct door_line *l, const void *buf, size_t len,
    struct burin_error *e)
{
	const unsigned char *p = buf;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(
		    l->fd, p + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			if (wait_for(l, POLLOUT, e) != 0)
				return -1;
		} else if (errno != EINTR) {
			return gone(e);
		}
	}
	return 0;
}

/* The longest body of a kind; -1: there is no such kind. */
static int64_t
limit(uint32_t kind)
{
	switch (kind) {
	case DOOR_SIGN_CERT:
		return BURIN_MAX_CERT;
	case DOOR_SIGN_CRL:
		return DOOR_MAX_CRL;
	case DOOR_DONE:
		return DOOR_MAX_CRL + DOOR_MAX_OUT;
	case DOOR_USE_KEY:
		return DOOR_MAX_RAW;
	case DOOR_READY:
		return 0;
	case DOOR_END:
	case DOOR_FAILED:
		return sizeof(struct burin_error);
	case DOOR_HELLO:
		return (int64_t)(1 + DOOR_KEYS) * BURIN_MAX_CERT;
	default:
		return -1;
	}
}

int
door_send(const struct door_line *l, struct door_head *h, const void *body,
    struct burin_error *e)
{
	h->magic = MAGIC;
	if ((int64_t)h->len > limit(h->kind))
		return burin_fail(e, BURIN_EINTERNAL, "door-limit",
		    "%llu bytes are more than go through the door",
		    (unsigned long long)h->len);
	if (write_all(l, h, sizeof(*h), e) != 0)
		return -1;
	return write_all(l, body, h->len, e);
}

int
door_receive(const struct door_line *l, struct door_head *h,
    unsigned char **body, struct burin_error *e)
{
	int64_t max;
	int rc;

	*body = NULL;
	if ((rc = read_all(l, h, sizeof(*h), e)) != 0)
		return rc;
	if (h->magic != MAGIC || (max = limit(h->kind)) == -1)
		return broken("it begins otherwise", e);
	if (h->len > (uint64_t)max)
		return broken("it is too long", e);
	if (h->kind != DOOR_USE_KEY &&
	    (h->key != 0 || h->mech != 0 || h->salt != 0 || h->room != 0 ||
		h->hash != 0 || h->mgf != 0))
		return broken("it says what its kind has no use for", e);
	if (h->len == 0)
		return 0;
	if ((*body = OPENSSL_malloc(h->len)) == NULL)
		return burin_fail_memory(e);
	if ((rc = read_all(l, *body, h->len, e)) == 0)
		return 0;
	OPENSSL_clear_free(*body, h->len);
	*body = NULL;
	return rc == 1 ? gone(e) : -1;
}

/* The text and zeros: nothing of this process's memory goes along. */
static void
copy_text(char *dst, const char *src, size_t size)
{
	memcpy(dst, src, strnlen(src, size - 1));
}

int
door_send_error(const struct door_line *l, enum door_kind kind,
    const struct burin_error *failure, struct burin_error *e)
{
	struct door_head h = { .kind = kind, .len = sizeof(*failure) };
	struct burin_error copy;

	memset(&copy, 0, sizeof(copy));
	copy.status = failure->status;
	copy.ckr = failure->ckr;
	copy_text(copy.code, failure->code, sizeof(copy.code));
	copy_text(copy.step, failure->step, sizeof(copy.step));
	copy_text(copy.reason, failure->reason, sizeof(copy.reason));
	copy_text(copy.token, failure->token, sizeof(copy.token));
	copy_text(copy.rule, failure->rule, sizeof(copy.rule));
	copy_text(copy.advice, failure->advice, sizeof(copy.advice));
	copy_text(copy.cause, failure->cause, sizeof(copy.cause));
	return door_send(l, &h, &copy, e);
}

static int
ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int
door_take_error(const unsigned char *body, size_t len, struct burin_error *e)
{
	struct burin_error got;

	if (len != sizeof(got))
		return broken("an error of another length", e);
	memcpy(&got, body, sizeof(got));
	if ((int)got.status <= BURIN_OK || got.status > BURIN_EVERIFY ||
	    !ended(got.code, sizeof(got.code)) ||
	    !ended(got.step, sizeof(got.step)) ||
	    !ended(got.reason, sizeof(got.reason)) ||
	    !ended(got.token, sizeof(got.token)) ||
	    !ended(got.rule, sizeof(got.rule)) ||
	    !ended(got.advice, sizeof(got.advice)) ||
	    !ended(got.cause, sizeof(got.cause)))
		return broken("an error that says nothing", e);
	(void)burin_fail(e, got.status, got.code, "%s", got.reason);
	if (e != NULL)
		e->ckr = got.ckr;
	if (got.step[0] != '\0')
		(void)burin_error_step(e, got.step);
	if (got.token[0] != '\0')
		(void)burin_error_token(e, "%s", got.token);
	if (got.rule[0] != '\0')
		(void)burin_error_rule(e, "%s", got.rule);
	if (got.advice[0] != '\0')
		(void)burin_error_advice(e, "%s", got.advice);
	if (got.cause[0] != '\0')
		(void)burin_error_cause(e, "%s", got.cause);
	return -1;
}
