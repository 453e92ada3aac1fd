/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys, requests and certificates made to order for the tests.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "pki.h"

/* Tests rely on these calls: a failure here is a broken test machine. */
#define MUST(x)                                                             \
	do {                                                                \
		if (!(x)) {                                                 \
			(void)fprintf(                                      \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                            \
		}                                                           \
	} while (0)

EVP_PKEY *
pki_key(const char *curve)
{
	EVP_PKEY *key;

	if (strcmp(curve, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (strncmp(curve, "ED", 2) == 0 || curve[0] == 'X')
		key = EVP_PKEY_Q_keygen(NULL, NULL, curve);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
	MUST(key != NULL);
	return key;
}

static X509_EXTENSION *
make_ext(X509V3_CTX *ctx, const char *line)
{
	char name[64];
	const char *eq = strchr(line, '=');
	X509_EXTENSION *ext;

	MUST(eq != NULL && (size_t)(eq - line) < sizeof(name));
	memcpy(name, line, (size_t)(eq - line));
	name[eq - line] = '\0';
	ext = X509V3_EXT_nconf(NULL, ctx, name, eq + 1);
	MUST(ext != NULL);
	return ext;
}

void
pki_add_ext(X509 *cert, X509 *issuer, const char *line)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = make_ext(&ctx, line);
	MUST(X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void
add_rdn(X509_NAME *name, const char *type, const char *value)
{
	if (value != NULL)
		MUST(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
			 (const unsigned char *)value, -1, -1, 0) == 1);
}

static const EVP_MD *
md_for(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	return EVP_sha256();
}

/* Decoded again, as it would come from a peer: no cached state. */
static X509 *
reread(X509 *cert)
{
	unsigned char *der = NULL;
	const unsigned char *p;
	int len = i2d_X509(cert, &der);
	X509 *again;

	MUST(len > 0);
	p = der;
	again = d2i_X509(NULL, &p, len);
	MUST(again != NULL);
	OPENSSL_free(der);
	X509_free(cert);
	return again;
}

X509 *
pki_cert(const struct pki_spec *spec)
{
	static long counter = 1;
	X509 *cert = X509_new(), *issuer;
	X509_NAME *name = X509_NAME_new();
	EVP_PKEY *signer;
	const EVP_MD *md;
	time_t from = spec->from != 0 ? spec->from : PKI_NOW - PKI_DAY;
	time_t until = spec->until != 0 ? spec->until : PKI_NOW + PKI_DAY;
	size_t i;

	MUST(cert != NULL && name != NULL);
	issuer = spec->issuer != NULL ? spec->issuer : cert;
	signer = spec->issuer_key != NULL ? spec->issuer_key : spec->key;
	add_rdn(name, "CN", spec->cn);
	add_rdn(name, "O", spec->org);
	MUST(X509_set_version(cert, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert),
		 spec->serial != 0 ? spec->serial : counter++) == 1);
	MUST(ASN1_TIME_set(X509_getm_notBefore(cert), from) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(cert), until) != NULL);
	MUST(X509_set_subject_name(cert, name) == 1);
	MUST(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1);
	MUST(X509_set_pubkey(cert, spec->key) == 1);
	for (i = 0; spec->exts != NULL && spec->exts[i] != NULL; i++)
		pki_add_ext(cert, issuer, spec->exts[i]);
	md = spec->md != NULL ? spec->md : md_for(signer);
	MUST(X509_sign(cert, signer, md) > 0);
	X509_NAME_free(name);
	return reread(cert);
}

X509 *
pki_ca(const char *cn, EVP_PKEY *key)
{
	static const char *const exts[] = { "basicConstraints=critical,CA:TRUE",
		"keyUsage=critical,keyCertSign,cRLSign",
		"subjectKeyIdentifier=hash", NULL };
	struct pki_spec spec = { 0 };

	spec.cn = cn;
	spec.key = key;
	spec.exts = exts;
	spec.from = PKI_NOW - 10 * PKI_DAY;
	spec.until = PKI_NOW + 100 * PKI_DAY;
	return pki_cert(&spec);
}

X509_REQ *
pki_req(const char *cn, EVP_PKEY *key, const char *const *lines)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	X509V3_CTX ctx;
	size_t i;

	MUST(exts != NULL && req != NULL && name != NULL);
	add_rdn(name, "CN", cn);
	MUST(X509_REQ_set_subject_name(req, name) == 1);
	MUST(X509_REQ_set_pubkey(req, key) == 1);
	X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
	for (i = 0; lines != NULL && lines[i] != NULL; i++)
		MUST(
		    sk_X509_EXTENSION_push(exts, make_ext(&ctx, lines[i])) > 0);
	if (i > 0)
		MUST(X509_REQ_add_extensions(req, exts) == 1);
	MUST(X509_REQ_sign(req, key, md_for(key)) > 0);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_NAME_free(name);
	return req;
}
