/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * First contact with an authority that nothing is known of but the
 * fingerprint of its CA certificate (RFC 7030 section 4.1.1): what an
 * unauthenticated server says is believed only as far as the fingerprint
 * covers it.
 */

#include <stdlib.h>
#include <string.h>

#include <burin/names.h>
#include <burin/response.h>

#include "transport.h"

#define SHA256_BYTES 32

/* The fingerprints that were seen, for the message. */
static void
list_seen(STACK_OF(X509) * certs, struct burin_error *e)
{
	char hex[65];
	int i;

	for (i = 0; i < sk_X509_num(certs); i++)
		if (burin_cert_sha256(sk_X509_value(certs, i), hex, NULL) == 0)
			burin_error_cause(e, "seen: %s", hex);
}

static int
pick(STACK_OF(X509) * certs, const char *wanted, X509 **anchor,
    struct burin_error *e)
{
	char hex[65];
	X509 *x;
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		x = sk_X509_value(certs, i);
		if (burin_cert_sha256(x, hex, e) != 0)
			return -1;
		if (strcmp(hex, wanted) != 0)
			continue;
		if (X509_self_signed(x, 1) != 1) {
			burin_fail_openssl(e, BURIN_ECHECK, "anchor-not-root",
			    "the certificate with that fingerprint is not "
			    "self-signed");
			return burin_error_rule(e, "RFC 7030 section 4.1.3");
		}
		if (!X509_up_ref(x))
			return burin_fail_memory(e);
		*anchor = x;
		return 0;
	}
	burin_fail(e, BURIN_ECHECK, "fingerprint-mismatch",
	    "no CA certificate of the authority has the SHA-256 fingerprint "
	    "%s",
	    wanted);
	list_seen(certs, e);
	burin_error_rule(e, "RFC 7030 section 4.1.1");
	return burin_error_advice(e,
	    "compare the fingerprint with the "
	    "authority's operator; somebody may be answering in its place");
}

int
transport_bootstrap(const struct transport_config *c, const char *fingerprint,
    X509 **anchor, struct burin_error *e)
{
	struct transport_config open = *c;
	struct transport_reply reply = { .len = 0 };
	unsigned char digest[SHA256_BYTES];
	STACK_OF(X509) *certs = NULL;
	char *wanted = NULL;
	size_t len;
	int rc = -1;

	*anchor = NULL;
	if (burin_unhex(fingerprint, digest, sizeof(digest), &len) != 0 ||
	    len != sizeof(digest)) {
		burin_fail(e, BURIN_EUSAGE, "fingerprint-malformed",
		    "'%s' is not a SHA-256 fingerprint", fingerprint);
		burin_error_advice(e,
		    "give 64 hexadecimal digits; colons may "
		    "stand between");
		goto out;
	}
	if ((wanted = burin_hex(digest, sizeof(digest))) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	open.tls_anchors = NULL;
	open.client_key = NULL;
	open.secret = NULL;
	if (transport_cacerts(&open, &reply, e) != 0 ||
	    burin_certs_parse(reply.body, reply.len, BURIN_ECHECK, &certs, e) !=
		0 ||
	    pick(certs, wanted, anchor, e) != 0)
		goto out;
	rc = 0;
out:
	free(wanted);
	sk_X509_pop_free(certs, X509_free);
	transport_reply_clear(&reply);
	return rc;
}
