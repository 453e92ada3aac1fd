/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an RA knows of revoked certificates: the CA's CRL, by getCRL (RFC 10002
 * section 6.10), over the same line as all it passes on.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "ra.h"

#define KEEP_SECONDS 60 /* before the CA is asked again */

static int
missing(const char *why, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EINTERRUPTED, "crl-missing",
	    "whether a certificate was revoked cannot be known: the CA's CRL "
	    "%s",
	    why);
	return burin_error_rule(e, "RFC 5280 section 6.3");
}

/* The CRL in an answer that nobody has to have signed: it signs itself. */
static int
take(const struct ra_next *next, const struct burin_cmc_reply *r, time_t now,
    X509_CRL **out, struct burin_error *e)
{
	const ASN1_TIME *end;
	X509_CRL *crl;

	if (sk_X509_CRL_num(r->crls) != 1)
		return missing("did not come", e);
	crl = sk_X509_CRL_value(r->crls, 0);
	end = X509_CRL_get0_nextUpdate(crl);
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
		X509_get_subject_name(next->anchor)) != 0 ||
	    X509_CRL_verify(crl, X509_get0_pubkey(next->anchor)) != 1) {
		ERR_clear_error();
		return missing("is not signed by the CA", e);
	}
	if (end == NULL || X509_cmp_time(end, &now) <= 0)
		return missing("is out of date", e);
	if (!X509_CRL_up_ref(crl))
		return burin_fail_memory(e);
	*out = crl;
	return 0;
}

static int
ask(struct ra *ra, time_t now, X509_CRL **out, struct burin_error *e)
{
	const struct ra_next *next = ra_asks(ra);
	struct burin_cms_signer signer = ra_signer(next, now);
	struct burin_cmc_thread thread;
	struct burin_cmc_ask ask = { .thread = &thread,
		.get_issuer = X509_get_subject_name(next->anchor),
		.get_crl = 1,
		.signer = &signer };
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct burin_cmc_expect x = { .status = BURIN_EINTERRUPTED,
		.thread = &thread,
		.anchors = anchors,
		.now = now,
		.skew = RA_SKEW,
		.simple = 1 };
	struct ra_item item = { 0 };
	struct burin_cmc_reply r;
	unsigned char *der = NULL;
	int rc = -1;

	if (anchors == NULL || !sk_X509_push(anchors, next->anchor)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (burin_cmc_begin(&thread, e) != 0 ||
	    burin_cmc_make(&ask, &der, &item.len, e) != 0)
		goto out;
	item.der = x.request = der;
	x.request_len = item.len;
	if (ra_pass(ra, &item, now, e) != 0 ||
	    burin_cmc_read(item.answer, item.answer_len, &x, &r, e) != 0)
		goto out;
	rc = take(next, &r, now, out, e);
	burin_cmc_reply_clear(&r);
out:
	ra_item_clear(&item);
	OPENSSL_free(der);
	sk_X509_free(anchors);
	return rc;
}

int
ra_crl(struct ra *ra, time_t now, X509_CRL **out, struct burin_error *e)
{
	struct ra_kept *kept = ra_keeps(ra);
	X509_CRL *crl;
	int rc = 0;

	*out = NULL;
	/* One asks, the others wait for what it brings. */
	(void)pthread_mutex_lock(&kept->lock);
	if ((kept->crl == NULL || now >= kept->until) &&
	    (rc = ask(ra, now, &crl, e)) == 0) {
		X509_CRL_free(kept->crl);
		kept->crl = crl;
		kept->until = now + KEEP_SECONDS;
	}
	if (rc == 0 && X509_CRL_up_ref(kept->crl))
		*out = kept->crl;
	else if (rc == 0)
		rc = burin_fail_memory(e);
	(void)pthread_mutex_unlock(&kept->lock);
	return rc;
}
