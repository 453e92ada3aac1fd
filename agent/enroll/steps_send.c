/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * requested -> sent -> pending or received. The same bytes are sent however
 * often it takes: the authority answers the same request with the same
 * certificate (RFC 7030 section 4.2.3; docs/decisions/0006).
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dialect.h"

static int
ask_secret(void *arg, struct burin_secret **out, struct burin_error *e)
{
	struct walk *w = arg;

	return w->en->secret(w->en->arg, w->plan.secret_source, out, e);
}

int
walk_anchors(
    struct walk *w, int server, STACK_OF(X509) * *out, struct burin_error *e)
{
	int own = server && w->plan.tls_trust != NULL;
	const char *pem = own ? w->plan.tls_trust : w->plan.trust;
	STACK_OF(X509) **kept = &w->anchors[own];

	*out = NULL;
	if (pem == NULL)
		return 0;
	if (*kept == NULL &&
	    burin_certs_parse(pem, strlen(pem), BURIN_EUSAGE, kept, e) != 0)
		return -1;
	*out = X509_chain_up_ref(*kept);
	return *out != NULL ? 0 : burin_fail_memory(e);
}

int
walk_transport(
    struct walk *w, struct transport_config *c, struct burin_error *e)
{
	const struct plan *p = &w->plan;

	memset(c, 0, sizeof(*c));
	c->protocol = p->protocol;
	c->command = p->cmp_command;
	c->reenroll = p->reenroll_key != NULL;
	c->attributes = plan_has_attributes(p);
	c->url = p->url;
	c->proxy = p->proxy;
	c->timeout = p->timeout;
	c->user = p->user;
	if (w->en->secret != NULL && p->secret_source != NULL)
		c->secret = ask_secret;
	c->arg = w;
	c->request_file = p->request_file;
	c->mime = p->mime;
	c->tls_only = !plan_speaks_cmc(p);
	c->response_file = w->en->response_file;
	c->stop = w->en->stop;
	return walk_anchors(w, 1, &c->tls_anchors, e);
}

void
walk_transport_clear(struct transport_config *c)
{
	sk_X509_pop_free(c->tls_anchors, X509_free);
	c->tls_anchors = NULL;
}

int
step_ready(struct walk *w, enum job_state *next, struct burin_error *e)
{
	const char *server =
	    w->plan.url != NULL ? w->plan.url : w->plan.request_file;

	if (server != NULL && w->job->server == NULL &&
	    (w->job->server = strdup(server)) == NULL)
		return burin_fail_memory(e);
	/* A message that has not left has no answer yet, by its nonce. */
	if (w->job->message.len > 0)
		w->en->response_file = NULL;
	(void)snprintf(w->text, sizeof(w->text), "on its way to %s",
	    server != NULL ? server : "the authority");
	*next = JOB_SENT;
	return 0;
}

static int
take_pending(
    struct walk *w, const struct transport_reply *reply, enum job_state *next)
{
	time_t latest = time(NULL) + TRANSPORT_MAX_RETRY_AFTER;

	w->job->retry_at = reply->retry_at < latest ? reply->retry_at : latest;
	(void)snprintf(w->text, sizeof(w->text), "no certificate yet%s%.120s",
	    reply->detail[0] != '\0' ? ": " : "", reply->detail);
	*next = JOB_PENDING;
	return 0;
}

static int
take_answer(struct walk *w, const struct transport_reply *reply,
    enum job_state *next, struct burin_error *e)
{
	if (blob_set(&w->job->response, reply->body, reply->len, e) != 0)
		return -1;
	w->job->retry_at = 0;
	/* The answer to another message is another file. */
	w->en->response_file = NULL;
	(void)snprintf(
	    w->text, sizeof(w->text), "answer of %zu bytes", reply->len);
	*next = JOB_RECEIVED;
	return 0;
}

/* A renewal: the old key vouches for the new certificate. */
static int
use_old(struct walk *w, struct transport_config *c, struct burin_error *e)
{
	if (w->plan.reenroll_key == NULL)
		return 0;
	if (walk_old(w, e) != 0 ||
	    (c->client_key = burin_key_evp(w->old_key, e)) == NULL)
		return -1;
	c->client_cert = w->old_cert;
	return 0;
}

/* Some protocols have the new key sign more than the PKCS#10. */
static int
use_new(struct walk *w, struct transport_config *c, struct burin_error *e)
{
	if (!transport_needs_key(c, w->plan.reenroll_key != NULL))
		return 0;
	if (walk_key(w, e) != 0 ||
	    (c->key = burin_key_evp(w->r->key, e)) == NULL)
		return -1;
	return 0;
}

/*
 * RFC 10002 section 5: the journal keeps the message as it was, the wire sees
 * it encrypted for the authority.
 */
static int
encrypt(struct walk *w, const void *message, size_t len, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	struct burin_cms_recipient to;
	STACK_OF(X509) * certs;
	int rc;

	if (plan_recipient(&w->plan, &certs, &to, e) != 0)
		return -1;
	rc = burin_cmc_encrypt(message, len, &to, der, der_len, e);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

int
walk_submit(struct walk *w, struct transport_config *c,
    const unsigned char *message, size_t len, struct transport_reply *reply,
    struct burin_error *e)
{
	unsigned char *der = NULL;
	size_t der_len;
	int rc;

	if (use_old(w, c, e) != 0)
		return -1;
	if (w->plan.encrypt_to == NULL)
		return transport_submit(
		    c, message, len, w->plan.reenroll_key != NULL, reply, e);
	if (encrypt(w, message, len, &der, &der_len, e) != 0)
		return -1;
	rc = transport_submit(
	    c, der, der_len, w->plan.reenroll_key != NULL, reply, e);
	OPENSSL_free(der);
	return rc;
}

int
step_send(struct walk *w, enum job_state *next, struct burin_error *e)
{
	const struct blob *out =
	    w->job->message.len > 0 ? &w->job->message : &w->job->request;
	struct transport_reply reply = { .len = 0 };
	struct transport_config c;
	int rc = -1;

	if (walk_transport(w, &c, e) != 0 || use_new(w, &c, e) != 0)
		goto out;
	w->asked = 1;
	if (walk_submit(w, &c, out->data, out->len, &reply, e) != 0) {
		if (w->old_key != NULL)
			(void)burin_key_last_error(w->old_key, e);
		if (c.key != NULL)
			(void)burin_key_last_error(w->r->key, e);
		goto out;
	}
	rc = reply.outcome == TRANSPORT_PENDING
	    ? take_pending(w, &reply, next)
	    : take_answer(w, &reply, next, e);
out:
	transport_reply_clear(&reply);
	walk_transport_clear(&c);
	return rc;
}

/* --- pending ----------------------------------------------------------- */

int
walk_by_file(const struct walk *w)
{
	return w->plan.url == NULL && w->plan.request_file != NULL;
}

int
walk_come_back(struct walk *w, struct burin_error *e)
{
	if (walk_by_file(w))
		return burin_error_advice(e,
		    "carry %s to the authority, then: burin resume %s "
		    "--response-file FILE",
		    w->plan.request_file, w->job->id);
	return burin_error_advice(e, "burin resume %s", w->job->id);
}

/*
 * The authority said "pending" in a message, which wants to be asked with
 * another one. Without an answer to the last one that is what is asked again.
 */
static int
asks_anew(const struct walk *w)
{
	return walk_dialect(w)->again != NULL && w->job->pend_token != NULL &&
	    w->job->response.len > 0 && w->en->response_file == NULL;
}

static int
still_pending(struct walk *w, struct burin_error *e)
{
	char when[32] = "";
	struct tm tm;

	if (w->job->retry_at != 0 && gmtime_r(&w->job->retry_at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	burin_fail(e, BURIN_EPENDING, "pending",
	    when[0] != '\0' ? "there is no certificate yet; the authority asks "
			      "to come back at %s"
			    : "there is no certificate yet%s",
	    when);
	if (!walk_by_file(w))
		burin_error_rule(e, "RFC 7030 section 4.2.3");
	/* The next message is made when it is time, and carried then. */
	if (asks_anew(w))
		return burin_error_advice(e, "burin resume %s", w->job->id);
	return walk_come_back(w, e);
}

/* In slices of a second: a signal may come between look and sleep. */
static int
wait_until(struct walk *w, time_t at, struct burin_error *e)
{
	const struct timespec slice = { .tv_sec = 1 };

	while (time(NULL) < at) {
		if (walk_stopped(w->en))
			return burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
			    "stopped while waiting");
		(void)nanosleep(&slice, NULL);
	}
	return 0;
}

int
step_poll(struct walk *w, enum job_state *next, struct burin_error *e)
{
	time_t at = w->job->retry_at, now = time(NULL);

	/* Nobody asks for so long: the clock was wrong when it was noted. */
	if (at > now + TRANSPORT_MAX_RETRY_AFTER)
		at = w->job->retry_at = now;
	if (w->asked || now < at) {
		/* Who gives no time is not polled. */
		if (!w->en->wait || at == 0)
			return still_pending(w, e);
		if (wait_until(w, at, e) != 0)
			return -1;
	}
	if (!asks_anew(w))
		return step_send(w, next, e);
	if (walk_dialect(w)->again(w, e) != 0)
		return -1;
	(void)snprintf(w->text, sizeof(w->text), "asks again");
	*next = JOB_REQUESTED;
	return 0;
}
