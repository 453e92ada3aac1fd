/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The server's TLS identity. GnuTLS, which libmicrohttpd speaks TLS with,
 * asks us for each signature; the private key stays on the token.
 */

#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "http.h"

#define MAX_SIGNATURE 256 /* bytes; DER of P-256 takes 72 */

/*
 * gnutls_certificate_retrieve_function2 has no argument of ours, and
 * libmicrohttpd keeps the session's pointer for itself: one server per
 * process, set before the daemon starts and cleared after it stopped.
 */
static struct {
	gnutls_pcert_st cert;
	gnutls_privkey_t key;
	int cert_made;
} identity;

/* GnuTLS hashes ECDSA itself, in TLS 1.2 and in TLS 1.3. */
static int
sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *arg,
    unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *sig)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char buf[MAX_SIGNATURE];
	size_t len = sizeof(buf);
	EVP_PKEY_CTX *ctx;
	int ok;

	(void)key;
	(void)flags;
	if (algo != GNUTLS_SIGN_ECDSA_SHA256 &&
	    algo != GNUTLS_SIGN_ECDSA_SECP256R1_SHA256)
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	ctx = EVP_PKEY_CTX_new(arg, NULL);
	ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, buf, &len, hash->data, hash->size) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok) {
		(void)burin_fail_openssl(&e, BURIN_EINTERNAL, "sign-failed",
		    "the server's key did not sign");
		http_log("tls: %s: %s", e.reason, e.cause);
		return GNUTLS_E_PK_SIGN_FAILED;
	}
	if ((sig->data = gnutls_malloc(len)) == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(sig->data, buf, len);
	sig->size = (unsigned)len;
	return 0;
}

static int
key_info(gnutls_privkey_t key, unsigned flags, void *arg)
{
	gnutls_sign_algorithm_t algo;

	(void)key;
	(void)arg;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_ECDSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 256;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		algo = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);
		return algo == GNUTLS_SIGN_ECDSA_SHA256 ||
		    algo == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256;
	}
	return -1;
}

static int
retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca, int n_ca,
    const gnutls_pk_algorithm_t *algos, int n_algos, gnutls_pcert_st **certs,
    unsigned *n_certs, gnutls_privkey_t *key)
{
	(void)session;
	(void)req_ca;
	(void)n_ca;
	(void)algos;
	(void)n_algos;
	*certs = &identity.cert;
	*n_certs = 1;
	*key = identity.key;
	return 0;
}

gnutls_certificate_retrieve_function2 *
tls_callback(void)
{
	return retrieve;
}

static int
set_identity(EVP_PKEY *key, const gnutls_datum_t *der, struct burin_error *e)
{
	int rv;

	if ((rv = gnutls_pcert_import_x509_raw(
		 &identity.cert, der, GNUTLS_X509_FMT_DER, 0)) == 0)
		identity.cert_made = 1;
	if (rv == 0)
		rv = gnutls_privkey_init(&identity.key);
	if (rv == 0)
		rv = gnutls_privkey_import_ext4(identity.key, key, NULL,
		    sign_hash, NULL, NULL, key_info, 0);
	if (rv == 0)
		return 0;
	return burin_fail(e, BURIN_EINTERNAL, "tls-start",
	    "GnuTLS does not take the server's key: %s", gnutls_strerror(rv));
}

int
tls_start(struct authority *a, struct burin_error *e)
{
	unsigned char *der = NULL;
	gnutls_datum_t datum;
	EVP_PKEY *key;
	int len, rc;

	if ((key = burin_key_evp(a->tls_key, e)) == NULL)
		return -1;
	if ((len = i2d_X509(a->tls_cert, &der)) <= 0)
		return burin_fail_memory(e);
	datum.data = der;
	datum.size = (unsigned)len;
	rc = set_identity(key, &datum, e);
	OPENSSL_free(der);
	if (rc != 0)
		tls_stop();
	return rc;
}

void
tls_stop(void)
{
	if (identity.cert_made)
		gnutls_pcert_deinit(&identity.cert);
	gnutls_privkey_deinit(identity.key);
	memset(&identity, 0, sizeof(identity));
}
