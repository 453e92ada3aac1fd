/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Services by CMC that need no job: revokeRequest, getCert, getCRL,
 * publishCert (RFC 10002 sections 6.9 to 6.11, 6.18). Signed by the key that
 * vouches for us, MACed with the secret, or, where nothing but public things
 * are looked up, by nobody.
 */

#include <string.h>
#include <time.h>

#include <burin/cmc.h>

#include "cmc_ask.h"

#define ASK_SKEW 300 /* seconds that clocks may differ */

/* One exchange; what borrows is not freed. ask says what is wanted. */
struct asking {
	const struct transport_config *c;
	const char *pending; /* code of the error when there is no answer yet */
	int tls_only;	     /* 1: it holds a secret as it is */
	int simple;	     /* 1: a Simple response will do */
	int alone; /* 1: nothing of it is left when the answer is read */
	struct burin_cmc_ask ask;
	struct burin_cmc_thread thread;
	struct burin_cms_signer signer;
	struct burin_cmc_identity identity;
	struct burin_cmc_revocation revocation;
	struct burin_secret *secret;
};

/* --- who asks ------------------------------------------------------------- */

/* A revocation holds it as it is, and nobody signs; all else is MACed. */
static int
use_secret(struct asking *a, struct burin_error *e)
{
	if (a->c->secret(a->c->arg, &a->secret, e) != 0)
		return -1;
	if (a->ask.revoke != NULL) {
		a->revocation.secret = a->secret;
		return 0;
	}
	a->identity.identification = a->c->user;
	a->identity.secret = a->secret;
	a->ask.identity = &a->identity;
	a->ask.protect = BURIN_CMC_AUTHENTICATED;
	return 0;
}

static int
set_voice(struct asking *a, struct burin_error *e)
{
	const struct transport_config *c = a->c;

	a->ask.signer = &a->signer;
	a->signer.by = BURIN_CMS_BY_NOBODY;
	if (c->client_key != NULL) {
		a->signer.by = BURIN_CMS_BY_CERT;
		a->signer.key = c->client_key;
		a->signer.pub = X509_get0_pubkey(c->client_cert);
		a->signer.cert = c->client_cert;
		a->signer.signing_time = time(NULL);
		return 0;
	}
	return c->secret != NULL ? use_secret(a, e) : 0;
}

/* --- there and back ------------------------------------------------------- */

static int
make(struct asking *a, unsigned char **der, size_t *len, struct burin_error *e)
{
	if (set_voice(a, e) != 0)
		return -1;
	/* Out of a file an answer is read without its request. */
	if (a->alone && a->c->response_file != NULL)
		return 0;
	if (!a->alone) {
		if (burin_cmc_begin(&a->thread, e) != 0)
			return -1;
		a->ask.thread = &a->thread;
	}
	return burin_cmc_make(&a->ask, der, len, e);
}

static int
fail_pending(const struct asking *a, const char *detail, struct burin_error *e)
{
	if (a->c->request_file != NULL) {
		(void)burin_fail(e, BURIN_EPENDING, a->pending, "%s", detail);
		return burin_error_advice(e,
		    "carry it to the authority, and give its answer with "
		    "--response-file FILE");
	}
	(void)burin_fail(e, BURIN_EPENDING, a->pending,
	    "the authority has not yet decided on it");
	return burin_error_advice(e, "ask again later");
}

static int
hear(const struct asking *a, const unsigned char *sent, size_t sent_len,
    const struct transport_reply *reply, struct burin_cmc_reply *answer,
    struct burin_error *e)
{
	const struct transport_config *c = a->c;
	struct burin_cmc_expect x;

	memset(&x, 0, sizeof(x));
	x.status = BURIN_ECHECK;
	if (!a->alone) {
		x.thread = &a->thread;
		x.request = sent;
		x.request_len = sent_len;
	}
	x.anchors = c->anchors != NULL ? c->anchors : c->tls_anchors;
	x.now = time(NULL);
	x.skew = ASK_SKEW;
	x.identity = a->ask.identity;
	x.anchors_seen = -1;
	x.simple = a->simple;
	if (burin_cmc_read(reply->body, reply->len, &x, answer, e) != 0)
		return -1;
	return answer->outcome == BURIN_CMC_DONE
	    ? 0
	    : fail_pending(a, reply->detail, e);
}

/* answer: burin_cmc_reply_clear, also when it fails. */
static int
exchange(
    struct asking *a, struct burin_cmc_reply *answer, struct burin_error *e)
{
	struct transport_reply reply = { .len = 0 };
	struct transport_config way = *a->c;
	unsigned char *der = NULL;
	size_t len = 0;
	int rc = -1;

	memset(answer, 0, sizeof(*answer));
	way.tls_only = a->tls_only;
	/* It is in the message; HTTP is to be asked nothing. */
	way.secret = NULL;
	if (transport_check(&way, e) != 0 || make(a, &der, &len, e) != 0 ||
	    transport_submit(&way, der, len, 0, &reply, e) != 0)
		goto out;
	rc = reply.outcome == TRANSPORT_ISSUED
	    ? hear(a, der, len, &reply, answer, e)
	    : fail_pending(a, reply.detail, e);
out:
	burin_secret_free(&a->secret);
	transport_reply_clear(&reply);
	OPENSSL_clear_free(der, der != NULL ? len : 0);
	return rc;
}

/* --- what is asked -------------------------------------------------------- */

int
cmc_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e)
{
	struct asking a = { .c = c, .pending = "revocation-pending" };
	struct burin_cmc_reply answer;
	int rc;

	a.revocation.issuer = X509_get_issuer_name(cert);
	a.revocation.serial = X509_get0_serialNumber(cert);
	a.revocation.reason = reason;
	a.ask.revoke = &a.revocation;
	/* A secret is never sent for everybody on the way to read. */
	a.tls_only = c->client_key == NULL;
	rc = exchange(&a, &answer, e);
	burin_cmc_reply_clear(&answer);
	return rc;
}

int
cmc_fetch(const struct transport_config *c,
    const struct transport_wanted *wanted, struct transport_found *found,
    struct burin_error *e)
{
	struct asking a = { .c = c, .pending = "pending", .simple = 1 };
	struct burin_cmc_reply answer;
	int rc;

	a.alone = c->request_file != NULL || c->response_file != NULL;
	a.ask.get_issuer = wanted->issuer;
	a.ask.get_serial = wanted->serial;
	a.ask.get_crl = wanted->serial == NULL;
	if ((rc = exchange(&a, &answer, e)) == 0) {
		found->certs = answer.certs;
		found->crls = answer.crls;
		answer.certs = NULL;
		answer.crls = NULL;
		(void)strcpy(found->signer, answer.signer);
	}
	burin_cmc_reply_clear(&answer);
	return rc;
}

int
cmc_publish(const struct transport_config *c,
    const struct transport_publication *what, struct burin_error *e)
{
	struct asking a = { .c = c, .pending = "publication-pending" };
	struct burin_cmc_reply answer;
	int rc;

	a.ask.publish = what->certs;
	a.ask.unpublish = what->unpublish;
	a.ask.publish_place = what->place;
	a.ask.publish_uri = what->uri;
	rc = exchange(&a, &answer, e);
	burin_cmc_reply_clear(&answer);
	return rc;
}
