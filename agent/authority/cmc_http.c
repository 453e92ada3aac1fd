/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC over HTTPS (RFC 10003 section 4) and in EST (RFC 7030 section 4.3). A
 * refusal in CMC is a message like any other, and goes with 200; in EST
 * it goes with a status of HTTP as well.
 */

#include <stdio.h>
#include <string.h>

#include "cmc.h"
#include "http.h"

#define FULL "application/pkcs7-mime; smime-type=CMC-response; name=x.p7m"
#define SIMPLE "application/pkcs7-mime; smime-type=certs-only; name=x.p7c"

/* Who came, by HTTP or TLS; a message may say it better. */
struct caller {
	struct invite invite;
	struct issued cert;
	int has_invite, has_cert;
};

static void
caller_clear(struct caller *c)
{
	invite_clear(&c->invite);
	issued_clear(&c->cert);
}

/*
 * RFC 5273 section 4: a client need not know Basic or Digest, so that nobody
 * is asked for them; who gives them has to be right.
 */
static int
who_calls(struct call *k, struct caller *c)
{
	memset(c, 0, sizeof(*c));
	if (MHD_lookup_connection_value(
		k->c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION) != NULL) {
		c->has_invite = auth_invite(k->s, k->c, &c->invite, k->r);
		return c->has_invite;
	}
	if (auth_shown(k->c)) {
		c->has_cert = auth_cert(k->s, k->c, &c->cert, k->r);
		if (c->has_cert || k->s->ra == NULL)
			return c->has_cert;
		/* An RA leaves to the CA whom it does not know. */
		memset(k->r, 0, sizeof(*k->r));
	}
	if (!peers_blocked(k->s->peers, http_peer(k->c), time(NULL)))
		return 1;
	answer_text(k->r, MHD_HTTP_TOO_MANY_REQUESTS,
	    "too many wrong secrets from this address; wait a minute");
	k->r->retry_after = 60;
	return 0;
}

int
cmc_server_of(
    const struct authority *a, struct cmc_server *s, struct burin_error *e)
{
	memset(s, 0, sizeof(*s));
	s->store = a->store;
	s->ca = &a->ca;
	s->cnf = &a->cnf;
	s->profiles = a->profiles;
	s->cert = a->cmc_cert;
	s->pop_cert = a->pop_cert;
	s->anchors = a->anchors.certs != NULL ? &a->anchors : NULL;
	if ((s->key = burin_key_evp(a->cmc_key, e)) == NULL ||
	    (s->pop_key = burin_key_evp(a->pop_key, e)) == NULL)
		return -1;
	return store_subkey(a->store, "cmc nonce", s->nonce_key, e);
}

static int
server_of(const struct call *k, struct cmc_server *s, struct burin_error *e)
{
	if (cmc_server_of(k->s->a, s, e) != 0)
		return -1;
	s->ra = k->s->ra;
	return 0;
}

/* RFC 7030 section 4.3.2: in EST a refusal has a status of HTTP, too. */
static unsigned
status_of(const struct call *k, const struct cmc_reply *reply)
{
	int refused = reply->status == BURIN_CMC_FAILED ||
	    reply->status == BURIN_CMC_NO_SUPPORT;

	if (!refused || !(k->x->route->flags & ROUTE_EST))
		return MHD_HTTP_OK;
	if (reply->fail == BURIN_CMC_INTERNAL_CA_ERROR)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (reply->fail == BURIN_CMC_TRY_LATER)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	return reply->fail == BURIN_CMC_BAD_IDENTITY ? MHD_HTTP_FORBIDDEN
						     : MHD_HTTP_BAD_REQUEST;
}

static void
answer_reply(struct call *k, struct cmc_reply *reply)
{
	(void)snprintf(k->x->who, sizeof(k->x->who), "%s", reply->who);
	if (reply->fail == BURIN_CMC_BAD_IDENTITY ||
	    reply->fail == BURIN_CMC_BAD_MESSAGE_CHECK)
		peers_failed(k->s->peers, http_peer(k->c), time(NULL));
	answer_body(k, status_of(k, reply), reply->full ? FULL : SIMPLE,
	    reply->der, reply->len);
	reply->der = NULL;
	if (k->r->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		k->r->retry_after = k->s->a->cnf.retry_after;
	(void)snprintf(k->r->detail, sizeof(k->r->detail), "%s", reply->said);
}

static struct cmc_turn
turn_of(const struct call *k)
{
	return (struct cmc_turn) { .data = k->x->body,
		.len = k->x->len,
		.via = k->x->route->flags & ROUTE_EST ? "est" : "cmc",
		.profile = k->x->label[0] != '\0' ? k->x->label : NULL,
		.now = time(NULL) };
}

static void
answer_message(struct call *k, const struct caller *c)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_turn turn = turn_of(k);
	struct cmc_reply reply = { 0 };
	struct cmc_server s;

	turn.invite = c->has_invite ? &c->invite : NULL;
	turn.cert = c->has_cert ? &c->cert : NULL;
	if (server_of(k, &s, &e) == 0 && cmc_serve(&s, &turn, &reply, &e) == 0)
		answer_reply(k, &reply);
	else
		answer_error(k->r, &e);
	cmc_reply_clear(&reply);
}

void
serve_cmc(struct call *k)
{
	struct caller c;

	if (who_calls(k, &c) && route_body(k))
		answer_message(k, &c);
	caller_clear(&c);
}

/* --- EST at an RA ----------------------------------------------------------
 */

/* What CMC says, in the words of RFC 7030 section 4.2.3. */
static void
answer_passed(struct call *k, struct cmc_reply *reply)
{
	(void)snprintf(k->x->who, sizeof(k->x->who), "%s", reply->who);
	switch (reply->status) {
	case BURIN_CMC_SUCCESS:
		answer_body(k, MHD_HTTP_OK, SIMPLE, reply->der, reply->len);
		reply->der = NULL;
		break;
	case BURIN_CMC_PENDING:
	case BURIN_CMC_PARTIAL:
		answer_text(k->r, MHD_HTTP_ACCEPTED,
		    "the request waits for the authority's operator; send the "
		    "same request again later");
		k->r->retry_after = k->s->a->cnf.retry_after;
		break;
	case BURIN_CMC_FAILED:
	case BURIN_CMC_NO_SUPPORT:
	case BURIN_CMC_CONFIRM_REQUIRED:
	case BURIN_CMC_POP_REQUIRED:
	default:
		if (reply->fail == BURIN_CMC_INTERNAL_CA_ERROR) {
			answer_text(k->r, status_of(k, reply),
			    "the authority failed; its operator finds the "
			    "reason in its log");
			(void)snprintf(k->r->detail, sizeof(k->r->detail), "%s",
			    reply->said);
			break;
		}
		if (reply->fail == BURIN_CMC_TRY_LATER)
			k->r->retry_after = k->s->a->cnf.retry_after;
		answer_text(k->r, status_of(k, reply), "%s",
		    reply->said[0] != '\0'
			? reply->said
			: "the authority wants more than a Simple request can "
			  "say");
	}
}

void
serve_passed(
    struct call *k, const struct invite *invite, const struct issued *cert)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_turn turn = turn_of(k);
	struct cmc_reply reply = { 0 };
	struct cmc_server s;

	turn.invite = invite;
	turn.cert = cert;
	if (server_of(k, &s, &e) == 0 && cmc_serve(&s, &turn, &reply, &e) == 0)
		answer_passed(k, &reply);
	else
		answer_error(k->r, &e);
	cmc_reply_clear(&reply);
}
