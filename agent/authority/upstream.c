/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The line of an RA to the authority that it passes requests on to: CMC over
 * HTTPS, with the transport that end entities use. Its messages are signed, so
 * that no other name is given.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "../transport/transport.h"
#include "http.h"
#include "ra.h"

#define MAX_URL 2048 /* bytes */

/* The profile is the label of the path, as we take it ourselves. */
static int
url_of(const char *upstream, const char *profile, char out[MAX_URL],
    struct burin_error *e)
{
	int n = snprintf(out, MAX_URL, "%s%s%s", upstream,
	    profile != NULL ? "/" : "", profile != NULL ? profile : "");

	if (n > 0 && n < MAX_URL)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "upstream-malformed",
	    "upstream in authority.cnf is longer than %d bytes", MAX_URL);
}

static int
submit(void *arg, const char *profile, const unsigned char *der, size_t len,
    unsigned char **answer, size_t *answer_len, struct burin_error *e)
{
	const struct authority *a = arg;
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct transport_config c = {
		.protocol = "cmc", .tls_anchors = anchors, .anchors = anchors
	};
	struct transport_reply reply = { 0 };
	char url[MAX_URL];
	int rc = -1;

	if (anchors == NULL || !sk_X509_push(anchors, a->ca.cert)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	c.url = url;
	if (url_of(a->cnf.upstream, profile, url, e) != 0 ||
	    transport_submit(&c, der, len, 0, &reply, e) != 0)
		goto out;
	if ((*answer = OPENSSL_memdup(reply.body, reply.len)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	*answer_len = reply.len;
	rc = 0;
out:
	/* Our settings are not the fault of who asks. */
	if (rc != 0 && e != NULL && e->status == BURIN_EUSAGE)
		e->status = BURIN_EINTERRUPTED;
	transport_reply_clear(&reply);
	sk_X509_free(anchors);
	return rc;
}

int
upstream_new(struct authority *a, struct ra **out, struct burin_error *e)
{
	struct ra_next next = { .submit = submit,
		.arg = a,
		.cert = a->cmc_cert,
		.anchor = a->ca.cert };

	*out = NULL;
	if (!a->cnf.ra)
		return 0;
	if ((next.key = burin_key_evp(a->cmc_key, e)) == NULL)
		return -1;
	return ra_new(&next, out, e);
}
