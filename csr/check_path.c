/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * G2: signature and path to a configured anchor, RFC 5280 section 6.1 by
 * X509_verify_cert, at the caller's time.
 */

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "check.h"

/*
 * Keys and signatures of at least 112 bits (NIST SP 800-57 part 1, table 2),
 * OpenSSL's security level 2: no SHA-1, no RSA below 2048. It is what Debian
 * asks of every TLS peer.
 */
#define AUTH_LEVEL 2

/*
 * Time and critical extensions of the leaf are judged, in their own words,
 * by G3 and G6. A clock slightly behind the authority's must not refuse a
 * CA certificate made a minute ago either.
 */
static int
verify_step(int ok, X509_STORE_CTX *ctx)
{
	const struct burin_check_input *in = X509_STORE_CTX_get_app_data(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	time_t limit = in->now + in->skew;

	if (ok)
		return 1;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
		ok = depth == 0 ||
		    X509_cmp_time(X509_get0_notBefore(cert), &limit) < 0;
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		ok = depth == 0;
		break;
	default:
		break;
	}
	if (ok)
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return ok;
}

X509_STORE *
csr_anchor_store(STACK_OF(X509) * anchors, int *partial)
{
	X509_STORE *store;
	int i;

	*partial = 0;
	if ((store = X509_STORE_new()) == NULL)
		return NULL;
	for (i = 0; i < sk_X509_num(anchors); i++) {
		X509 *anchor = sk_X509_value(anchors, i);

		if (X509_STORE_add_cert(store, anchor) != 1) {
			X509_STORE_free(store);
			return NULL;
		}
		if (X509_self_signed(anchor, 0) != 1)
			*partial = 1;
	}
	return store;
}

static void
set_rules(X509_STORE_CTX *ctx, const struct burin_check_input *in, int partial)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(param, in->now);
	/* OpenSSL counts neither the leaf nor the anchor. */
	X509_VERIFY_PARAM_set_depth(param, BURIN_MAX_CHAIN - 2);
	(void)X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	if (partial)
		(void)X509_VERIFY_PARAM_set_flags(
		    param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_app_data(
	    ctx, (struct burin_check_input *)(uintptr_t)in);
	X509_STORE_CTX_set_verify_cb(ctx, verify_step);
}

/* The certificate the trouble is with, by its subject. */
static void
say_refused(struct burin_check *c, X509 *cert, int depth, const char *why)
{
	char *name =
	    cert != NULL ? burin_dn_text(X509_get_subject_name(cert)) : NULL;

	if (depth <= 0 || name == NULL)
		csr_check_set(c, BURIN_FAIL, "%s", why);
	else
		csr_check_set(
		    c, BURIN_FAIL, "%s (at %.120s, %d up)", why, name, depth);
	free(name);
}

static void
judge_chain(struct burin_check *c, STACK_OF(X509) * chain)
{
	int depth, n = sk_X509_num(chain);
	const char *why;
	char *name;

	if (!csr_resources_inherited(chain, &depth, &why)) {
		say_refused(c, sk_X509_value(chain, depth), depth, why);
		return;
	}
	name =
	    burin_dn_text(X509_get_subject_name(sk_X509_value(chain, n - 1)));
	csr_check_set(c, BURIN_PASS, "%d certificate%s, anchor %.160s", n,
	    n == 1 ? "" : "s", name != NULL ? name : "");
	free(name);
}

static int
verify(X509_STORE_CTX *ctx, struct burin_check *c, STACK_OF(X509) * *chain,
    struct burin_error *e)
{
	STACK_OF(X509) * path;
	int ok = X509_verify_cert(ctx);
	int why = X509_STORE_CTX_get_error(ctx);

	if (why == X509_V_ERR_OUT_OF_MEM)
		return burin_fail_memory(e);
	if (ok != 1) {
		if (why == X509_V_OK)
			why = X509_V_ERR_UNSPECIFIED;
		say_refused(c, X509_STORE_CTX_get_current_cert(ctx),
		    X509_STORE_CTX_get_error_depth(ctx),
		    X509_verify_cert_error_string(why));
		return 0;
	}
	if ((path = X509_STORE_CTX_get1_chain(ctx)) == NULL)
		return burin_fail_memory(e);
	judge_chain(c, path);
	if (c->level == BURIN_PASS && chain != NULL)
		*chain = path;
	else
		sk_X509_pop_free(path, X509_free);
	return 0;
}

int
csr_check_path(const struct burin_check_input *in, struct burin_check *c,
    STACK_OF(X509) * *chain, struct burin_error *e)
{
	X509_STORE_CTX *ctx = NULL;
	X509_STORE *store = NULL;
	int partial, rc = -1;

	if (in->anchors == NULL) {
		csr_check_set(c, BURIN_SKIP, "no anchor given");
		return 0;
	}
	if (sk_X509_num(in->anchors) == 0) {
		csr_check_set(c, BURIN_FAIL, "the list of anchors is empty");
		return 0;
	}
	if ((store = csr_anchor_store(in->anchors, &partial)) == NULL ||
	    (ctx = X509_STORE_CTX_new()) == NULL ||
	    X509_STORE_CTX_init(ctx, store, in->cert, in->bag) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "path-setup",
		    "the path check could not be set up");
		goto out;
	}
	set_rules(ctx, in, partial);
	rc = verify(ctx, c, chain, e);
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc;
}
