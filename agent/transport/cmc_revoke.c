/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Revocation by CMC: revokeRequest (RFC 10002 section 6.11), signed by the key
 * of the certificate, or with the secret that was agreed on for it.
 */

#include <string.h>
#include <time.h>

#include <burin/cmc.h>

#include "cmc_revoke.h"

#define REVOKE_SKEW 300 /* seconds that clocks may differ */

/* One exchange; what borrows is not freed. */
struct revoking {
	struct burin_cmc_thread thread;
	struct burin_cmc_revocation revocation;
	struct burin_cms_signer signer;
	struct burin_cmc_ask ask;
	struct burin_secret *secret;
};

/* The secret goes along as it is, and nobody signs. */
static int
use_secret(
    const struct transport_config *c, struct revoking *r, struct burin_error *e)
{
	if (c->secret(c->arg, &r->secret, e) != 0)
		return -1;
	r->revocation.secret = r->secret;
	r->signer.by = BURIN_CMS_BY_NOBODY;
	return 0;
}

static int
make(const struct transport_config *c, X509 *cert, int reason,
    struct revoking *r, unsigned char **der, size_t *len, struct burin_error *e)
{
	if (burin_cmc_begin(&r->thread, e) != 0)
		return -1;
	r->revocation.issuer = X509_get_issuer_name(cert);
	r->revocation.serial = X509_get0_serialNumber(cert);
	r->revocation.reason = reason;
	if (c->client_key != NULL) {
		r->signer.by = BURIN_CMS_BY_CERT;
		r->signer.key = c->client_key;
		r->signer.pub = X509_get0_pubkey(cert);
		r->signer.cert = c->client_cert;
		r->signer.signing_time = time(NULL);
	} else if (use_secret(c, r, e) != 0) {
		return -1;
	}
	r->ask.thread = &r->thread;
	r->ask.revoke = &r->revocation;
	r->ask.signer = &r->signer;
	return burin_cmc_make(&r->ask, der, len, e);
}

static int
hear(const struct transport_config *c, const struct revoking *r,
    const unsigned char *sent, size_t sent_len,
    const struct transport_reply *reply, struct burin_error *e)
{
	struct burin_cmc_expect x;
	struct burin_cmc_reply answer;
	int rc;

	memset(&x, 0, sizeof(x));
	memset(&answer, 0, sizeof(answer));
	x.status = BURIN_ECHECK;
	x.thread = &r->thread;
	x.request = sent;
	x.request_len = sent_len;
	x.anchors = c->anchors != NULL ? c->anchors : c->tls_anchors;
	x.now = time(NULL);
	x.skew = REVOKE_SKEW;
	x.anchors_seen = -1;
	rc = burin_cmc_read(reply->body, reply->len, &x, &answer, e);
	if (rc == 0 && answer.outcome != BURIN_CMC_DONE)
		rc = burin_fail(e, BURIN_EPENDING, "revocation-pending",
		    "the authority has not yet decided on the revocation");
	burin_cmc_reply_clear(&answer);
	return rc;
}

int
cmc_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e)
{
	struct transport_reply reply = { .len = 0 };
	struct transport_config way = *c;
	struct revoking r;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	memset(&r, 0, sizeof(r));
	/* A secret is never sent for everybody on the way to read. */
	way.tls_only = c->client_key == NULL;
	/* It is in the message; HTTP is to be asked nothing. */
	way.secret = NULL;
	if (transport_check(&way, e) != 0 ||
	    make(c, cert, reason, &r, &der, &len, e) != 0 ||
	    transport_submit(&way, der, len, 0, &reply, e) != 0)
		goto out;
	if (reply.outcome != TRANSPORT_ISSUED) {
		(void)burin_fail(e, BURIN_EPENDING, "revocation-pending",
		    "the authority has not yet answered the revocation");
		(void)burin_error_advice(e, "ask again later");
		goto out;
	}
	rc = hear(c, &r, der, len, &reply, e);
out:
	burin_secret_free(&r.secret);
	transport_reply_clear(&reply);
	OPENSSL_clear_free(der, der != NULL ? len : 0);
	return rc;
}
