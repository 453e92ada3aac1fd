/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One transaction of OpenSSL's CMP client: how its messages are protected,
 * and whom it believes (RFC 9810 section 5.1.3).
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "cmp.h"
#include "http.h"

/* What OpenSSL's client would print is in the error, or of no interest. */
static int
say_nothing(const char *func, const char *file, int line,
    OSSL_CMP_severity level, const char *msg)
{
	(void)func;
	(void)file;
	(void)line;
	(void)level;
	(void)msg;
	return 1;
}

/*
 * Before the certificate is confirmed, or thrown away: is it for the key?
 * The other checks come when the answer is on disk (docs/checks.md).
 */
static int
confirm(OSSL_CMP_CTX *ctx, X509 *cert, int fail_info, const char **text)
{
	struct cmp *s = OSSL_CMP_CTX_get_certConf_cb_arg(ctx);
	EVP_PKEY *pub = X509_get0_pubkey(cert);

	if (pub != NULL && EVP_PKEY_eq(pub, s->pub) == 1)
		return fail_info;
	s->wrong_key = 1;
	*text = "the certificate is for another key";
	return fail_info | (1 << OSSL_CMP_PKIFAILUREINFO_incorrectData);
}

/* Shared secret: PasswordBasedMac, and no SHA-1 in it. */
static int
protect_secret(struct cmp *s, struct burin_error *e)
{
	const struct transport_config *c = s->c;
	struct burin_secret *secret = NULL;
	int rc = -1;

	if (c->user == NULL || c->user[0] == '\0' || c->secret == NULL) {
		burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "CMP needs --user and --secret, or --reenroll");
		goto out;
	}
	if (c->secret(c->arg, &secret, e) != 0)
		goto out;
	if (OSSL_CMP_CTX_set1_referenceValue(s->ctx,
		(const unsigned char *)c->user, (int)strlen(c->user)) != 1 ||
	    OSSL_CMP_CTX_set1_secretValue(s->ctx, burin_secret_bytes(secret),
		(int)burin_secret_len(secret)) != 1 ||
	    OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_OWF_ALGNID, NID_sha256) != 1 ||
	    OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithSHA256) != 1) {
		burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the secret");
		goto out;
	}
	rc = 0;
out:
	burin_secret_free(&secret);
	return rc;
}

static int
protect_signature(struct cmp *s, struct burin_error *e)
{
	const struct transport_config *c = s->c;

	if (EVP_PKEY_is_a(c->client_key, "ED25519") ||
	    EVP_PKEY_is_a(c->client_key, "ED448")) {
		burin_fail(e, BURIN_EUSAGE, "cmp-eddsa",
		    "a key of type %s cannot protect CMP messages with this "
		    "OpenSSL; nothing was sent",
		    EVP_PKEY_get0_type_name(c->client_key));
		burin_error_rule(e, "RFC 9481 section 3.3");
		return burin_error_advice(e,
		    "give --user and --secret instead of the key, or ask over "
		    "another protocol");
	}
	if (OSSL_CMP_CTX_set1_pkey(s->ctx, c->client_key) != 1 ||
	    OSSL_CMP_CTX_set1_cert(s->ctx, c->client_cert) != 1 ||
	    (c->client_chain != NULL &&
		OSSL_CMP_CTX_set1_untrusted(s->ctx, c->client_chain) != 1))
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the certificate that "
		    "signs");
	return 0;
}

/* An anchor need not be self-signed, as in check G2. */
static int
trust(struct cmp *s, struct burin_error *e)
{
	STACK_OF(X509) *anchors = s->c->tls_anchors;
	X509_STORE *store = X509_STORE_new();
	int i, good;

	good = store != NULL &&
	    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
	for (i = 0; good && i < sk_X509_num(anchors); i++)
		good = X509_STORE_add_cert(store, sk_X509_value(anchors, i));
	if (good && OSSL_CMP_CTX_set0_trustedStore(s->ctx, store) == 1)
		return 0;
	X509_STORE_free(store);
	return burin_fail_memory(e);
}

int
cmp_open(struct cmp *s, const struct transport_config *c, struct burin_error *e)
{
	s->c = c;
	s->deadline = time(NULL) +
	    (c->timeout > 0 ? c->timeout : TRANSPORT_TOTAL_SECONDS);
	if (cmp_url(c->url, &s->url, e) != 0)
		return -1;
	if ((s->ctx = OSSL_CMP_CTX_new(NULL, NULL)) == NULL ||
	    OSSL_CMP_CTX_set_log_cb(s->ctx, say_nothing) != 1 ||
	    OSSL_CMP_CTX_set_transfer_cb(s->ctx, cmp_transfer) != 1 ||
	    OSSL_CMP_CTX_set_transfer_cb_arg(s->ctx, s) != 1 ||
	    OSSL_CMP_CTX_set_certConf_cb(s->ctx, confirm) != 1 ||
	    OSSL_CMP_CTX_set_certConf_cb_arg(s->ctx, s) != 1 ||
	    OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1) !=
		1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not start");
	if (trust(s, e) != 0)
		return -1;
	return c->client_key != NULL ? protect_signature(s, e)
				     : protect_secret(s, e);
}

void
cmp_close(struct cmp *s)
{
	OSSL_CMP_CTX_free(s->ctx);
	ERR_clear_error(); /* what it tried and did without */
	http_disconnect(&s->connection);
	free(s->url);
}

int
cmp_digest(EVP_PKEY *pub)
{
	int bits = EVP_PKEY_get_bits(pub);

	if (!EVP_PKEY_is_a(pub, "EC"))
		return NID_sha256;
	return bits > 384 ? NID_sha512 : bits > 256 ? NID_sha384 : NID_sha256;
}
