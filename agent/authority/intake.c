/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One request that came by mail, answered in a front of its own: a process
 * that has no token, as for requests over HTTPS
 * (docs/decisions/0014-keeper-and-front.md).
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmc.h"
#include "door.h"
#include "fence.h"
#include "http.h"

/* For all of it: mails wait in a queue, a token may be slow. */
#define TURN_SECONDS 300

static struct authority_mail_reply *
new_reply(int flag, struct burin_error *e)
{
	void *at = mmap(NULL, sizeof(struct authority_mail_reply),
	    PROT_READ | PROT_WRITE, flag | MAP_ANONYMOUS, -1, 0);

	if (at != MAP_FAILED)
		return at;
	(void)burin_fail_memory(e);
	return NULL;
}

struct authority_mail_reply *
authority_mail_reply_new(struct burin_error *e)
{
	return new_reply(MAP_SHARED, e);
}

void
authority_mail_reply_free(struct authority_mail_reply **r)
{
	if (*r != NULL)
		(void)munmap(*r, sizeof(**r));
	*r = NULL;
}

/* That the front has ended says nothing of what it has forked. */
static int
make_own(struct authority_mail_reply **r, struct burin_error *e)
{
	struct authority_mail_reply *own = new_reply(MAP_PRIVATE, e);

	if (own == NULL)
		return -1;
	memcpy(own, *r, sizeof(*own));
	authority_mail_reply_free(r);
	*r = own;
	return 0;
}

int
authority_mail_reply_check(
    struct authority_mail_reply **shared, struct burin_error *e)
{
	struct authority_mail_reply *r;

	if (make_own(shared, e) != 0)
		return -1;
	r = *shared;
	if (!r->answered)
		return burin_fail(e, BURIN_EINTERRUPTED, "intake-stopped",
		    "it was stopped before there was an answer");
	if (r->len == 0 || r->len > sizeof(r->der))
		return burin_fail(e, BURIN_EINTERNAL, "door-broken",
		    "the answer is longer than there is room for one");
	r->status[sizeof(r->status) - 1] = '\0';
	r->fail[sizeof(r->fail) - 1] = '\0';
	r->who[sizeof(r->who) - 1] = '\0';
	r->said[sizeof(r->said) - 1] = '\0';
	return 0;
}

static int
take_reply(const struct cmc_reply *reply, struct authority_mail_reply *out,
    struct burin_error *e)
{
	/* Nothing is lost in a queue, and may go better later. */
	if (reply->fail == BURIN_CMC_INTERNAL_CA_ERROR)
		return burin_fail(e, BURIN_EINTERNAL, "authority-failed",
		    "the authority failed: %.*s", BURIN_ERROR_TEXT / 2,
		    reply->said);
	if (reply->len > sizeof(out->der))
		return burin_fail(e, BURIN_EAUTHORITY, "reply-too-long",
		    "the answer is longer than a mail may be");
	memcpy(out->der, reply->der, reply->len);
	out->len = reply->len;
	out->full = reply->full;
	(void)snprintf(out->status, sizeof(out->status), "%s",
	    burin_cmc_status_name(reply->status));
	if (reply->fail != BURIN_CMC_FAIL_NONE)
		(void)snprintf(out->fail, sizeof(out->fail), "%s",
		    burin_cmc_fail_name(reply->fail));
	(void)snprintf(out->who, sizeof(out->who), "%s", reply->who);
	(void)snprintf(out->said, sizeof(out->said), "%s", reply->said);
	out->answered = 1;
	return 0;
}

static int
answer(const struct authority *a, const struct authority_mail *m,
    struct authority_mail_reply *out, struct burin_error *e)
{
	struct cmc_turn turn = { .data = m->der,
		.len = m->len,
		.via = "mail",
		.otherwise = m->profile,
		.from = m->from,
		.now = time(NULL) };
	struct cmc_reply reply = { 0 };
	struct cmc_server s;
	int rc = -1;

	if (cmc_server_of(a, &s, e) == 0 &&
	    cmc_serve(&s, &turn, &reply, e) == 0)
		rc = take_reply(&reply, out, e);
	cmc_reply_clear(&reply);
	if (rc == 0)
		http_log("mail %s %s%s%s %s%s%s", m->from, out->status,
		    out->fail[0] != '\0' ? " " : "", out->fail,
		    out->who[0] != '\0' ? out->who : "-",
		    out->said[0] != '\0' ? " " : "", out->said);
	return rc;
}

/* An RA's answers come from elsewhere, and may take days. */
static int
begin(struct authority *a, struct burin_error *e)
{
	int abi;

	if (a->cnf.ra)
		return role_not_ca("answer mails", a->cnf.upstream, e);
	if (fence_front(a, 0, &abi, e) != 0)
		return -1;
	/* There may be no server that does it. */
	http_sweep(a->store);
	return 0;
}

int
authority_front_mail(const char *dir, int fd, const struct authority_mail *m,
    struct authority_mail_reply *out)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct authority *a = NULL;
	struct door *d = NULL;
	int rc = -1;

	(void)alarm(TURN_SECONDS);
	/* Without one the keeper has ended, and has said why. */
	if (door_new(fd, &d, &e) != 0)
		return -1;
	if (authority_open_front(dir, d, &a, &e) == 0 && begin(a, &e) == 0)
		rc = answer(a, m, out, &e);
	authority_close(&a);
	door_end(d, &e);
	door_free(&d);
	return rc;
}
