/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The door of a serving authority: what goes through it, every order that the
 * keeper refuses, messages that are none, a keeper that dies, many threads.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "agent/authority/keeper.h"
#include "pki.h"

#define THREADS 16
#define ROUNDS 24

/* A key of the authority: "on a token" that is a few lines below. */
struct token_key {
	EVP_PKEY *key;
	enum burin_status fails; /* BURIN_OK: does it */
};

struct bench {
	struct token_key ca, keys[DOOR_KEYS];
	struct authority a;
	EVP_PKEY *user;
	struct keeper k;
	int front; /* the front's end */
	pthread_t thread;
	struct burin_error e, end; /* end: how the keeper's thread ended */
	int rc;
};

/* --- a token in software ----------------------------------------------------
 */

static int
ecdsa(EVP_PKEY *key, struct burin_key_operation *o)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char der[160];
	const unsigned char *p = der;
	size_t n = sizeof(der);
	ECDSA_SIG *sig = NULL;
	int rc = -1;

	if (EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, der, &n, o->in, o->in_len) == 1 &&
	    (sig = d2i_ECDSA_SIG(NULL, &p, (long)n)) != NULL && o->room >= 64 &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), o->out, 32) == 32 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), o->out + 32, 32) == 32) {
		o->out_len = 64;
		rc = 0;
	}
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
agree(EVP_PKEY *key, struct burin_key_operation *o)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	EVP_PKEY *peer = EVP_PKEY_new();
	size_t n = o->room;
	int rc = -1;

	if (EVP_PKEY_copy_parameters(peer, key) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(peer, o->in, o->in_len) == 1 &&
	    EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, o->out, &n) == 1) {
		o->out_len = n;
		rc = 0;
	}
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
token(void *arg, struct burin_key_operation *o, struct burin_error *e)
{
	struct token_key *k = arg;
	int rc;

	if (k->fails != BURIN_OK) {
		(void)burin_fail(e, k->fails, "token-says-no", "the reason");
		e->ckr = 0x30;
		(void)burin_error_token(e, "the token");
		return burin_error_advice(e, "the advice");
	}
	rc = o->mech == BURIN_SIGN_ECDSA ? ecdsa(k->key, o) : agree(k->key, o);
	return rc == 0 ? 0
		       : burin_fail_openssl(e, BURIN_EREFUSED, "token-failed",
			     "the token in software failed");
}

/* --- both sides --------------------------------------------------------------
 */

static X509 *
own_cert(struct bench *b, const char *cn, EVP_PKEY *key)
{
	const struct pki_spec spec = { .cn = cn,
		.key = key,
		.issuer = b->a.ca.cert,
		.issuer_key = b->ca.key };

	return pki_cert(&spec);
}

static struct burin_key *
token_key(struct token_key *k, unsigned usage)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *out;

	assert_int_equal(
	    burin_key_distant_new(k->key, usage, token, k, &out, &e), 0);
	return out;
}

/* Keys and certificates; a pair of sockets, nobody at it. */
static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int i, fds[2];

	assert_non_null(b);
	b->ca.key = pki_key("P-256");
	for (i = 0; i < DOOR_KEYS; i++)
		b->keys[i].key = pki_key("P-256");
	b->user = pki_key("P-256");
	b->a.ca_key = token_key(&b->ca, BURIN_USE_SIGN);
	b->a.cmc_key = token_key(&b->keys[DOOR_CMC], BURIN_USE_SIGN);
	b->a.tls_key = token_key(&b->keys[DOOR_TLS], BURIN_USE_SIGN);
	b->a.pop_key = token_key(&b->keys[DOOR_POP], BURIN_USE_DERIVE);
	issuer_of_key(&b->a.ca, burin_key_evp(b->a.ca_key, &b->e),
	    pki_ca("Door CA", b->ca.key));
	b->a.cmc_cert = own_cert(b, "cmc", b->keys[DOOR_CMC].key);
	b->a.tls_cert = own_cert(b, "tls", b->keys[DOOR_TLS].key);
	b->a.pop_cert = own_cert(b, "pop", b->keys[DOOR_POP].key);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	b->k.a = &b->a;
	b->k.line.fd = fds[0];
	b->front = fds[1];
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;
	int i;

	if (b->front != -1)
		(void)close(b->front);
	if (b->k.line.fd != -1)
		(void)close(b->k.line.fd);
	X509_free(b->a.ca.cert);
	X509_free(b->a.cmc_cert);
	X509_free(b->a.tls_cert);
	X509_free(b->a.pop_cert);
	authority_keys_close(&b->a);
	EVP_PKEY_free(b->ca.key);
	for (i = 0; i < DOOR_KEYS; i++)
		EVP_PKEY_free(b->keys[i].key);
	EVP_PKEY_free(b->user);
	ERR_clear_error();
	free(b);
	return 0;
}

static void *
keep(void *arg)
{
	struct bench *b = arg;
	struct door_head h;
	unsigned char *body;

	if ((b->rc = keeper_hello(&b->k, &b->end)) != 0)
		return NULL;
	while ((b->rc = door_receive(&b->k.line, &h, &body, &b->end)) == 0) {
		b->rc = keeper_order(&b->k, &h, body, &b->end);
		OPENSSL_free(body);
		if (b->rc != 0)
			break;
	}
	(void)shutdown(b->k.line.fd, SHUT_RDWR);
	return NULL;
}

static struct door *
opened(struct bench *b)
{
	struct door *d;
	int rc;

	assert_int_equal(pthread_create(&b->thread, NULL, keep, b), 0);
	rc = door_new(b->front, &d, &b->e);
	b->front = -1;
	if (rc != 0)
		fail_msg("%s", b->e.reason);
	return d;
}

static void
closed(struct bench *b, struct door **d)
{
	door_free(d);
	assert_int_equal(pthread_join(b->thread, NULL), 0);
}

/* --- what it is for ------------------------------------------------------ */

static const char *const leaf_exts[] = {
	"keyUsage=critical,digitalSignature",
	"subjectKeyIdentifier=hash",
	"authorityKeyIdentifier=keyid:always",
	"subjectAltName=DNS:door.example",
	NULL,
};

static X509 *
leaf(struct bench *b)
{
	const struct pki_spec spec = { .cn = "door.example",
		.exts = leaf_exts,
		.key = b->user,
		.issuer = b->a.ca.cert,
		/* Signed by somebody: what is there does not count. */
		.issuer_key = b->user };

	return pki_cert(&spec);
}

static X509_CRL *
list(struct bench *b)
{
	time_t now = time(NULL);
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, now);
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	X509_REVOKED *r = X509_REVOKED_new();

	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_true(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(b->a.ca.cert)));
	assert_true(X509_CRL_set1_lastUpdate(crl, t));
	assert_non_null(ASN1_TIME_set(t, now + 7 * PKI_DAY));
	assert_true(X509_CRL_set1_nextUpdate(crl, t));
	assert_true(ASN1_INTEGER_set(n, 7));
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0), 1);
	aki->keyid =
	    ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(b->a.ca.cert));
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0),
	    1);
	assert_true(X509_REVOKED_set_serialNumber(r, n));
	assert_non_null(ASN1_TIME_set(t, now));
	assert_true(X509_REVOKED_set_revocationDate(r, t));
	assert_true(X509_CRL_add0_revoked(crl, r));
	AUTHORITY_KEYID_free(aki);
	ASN1_INTEGER_free(n);
	ASN1_TIME_free(t);
	return crl;
}

static void
signs_certificates(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	X509 *cert = leaf(b), *before = X509_dup(cert);
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(door_sign_cert(d, cert, &b->e), 0);
		assert_int_equal(X509_verify(cert, b->ca.key), 1);
	}
	/* Nothing else has changed, and it is read as the new one. */
	assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(cert),
			     X509_get0_serialNumber(before)),
	    0);
	assert_int_equal(X509_check_host(cert, "door.example", 0, 0, NULL), 1);
	assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_verify(before, b->ca.key), 0);
	X509_free(cert);
	X509_free(before);
	closed(b, &d);
	assert_int_equal(b->rc, 1);
}

static void
signs_lists(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	X509_CRL *crl = list(b);
	X509_REVOKED *r;
	X509 *cert = leaf(b);

	assert_int_equal(door_sign_crl(d, crl, &b->e), 0);
	assert_int_equal(X509_CRL_verify(crl, b->ca.key), 1);
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7));
	assert_int_equal(X509_CRL_get0_by_cert(crl, &r, cert), 1);
	X509_free(cert);
	X509_CRL_free(crl);
	closed(b, &d);
}

/* More than a socket's buffer holds, each way. */
static void
signs_long_lists(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	X509_CRL *crl = list(b);
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509_REVOKED *r;
	long i;

	for (i = 0; i < 40000; i++) {
		r = X509_REVOKED_dup(
		    sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0));
		assert_true(ASN1_INTEGER_set(n, 1000 + i));
		assert_true(X509_REVOKED_set_serialNumber(r, n));
		assert_true(X509_CRL_add0_revoked(crl, r));
	}
	assert_int_equal(door_sign_crl(d, crl, &b->e), 0);
	assert_int_equal(X509_CRL_verify(crl, b->ca.key), 1);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 40001);
	ASN1_INTEGER_free(n);
	X509_CRL_free(crl);
	closed(b, &d);
}

static int
signs_with(struct burin_key *k, struct burin_error *e)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new(), *v = EVP_MD_CTX_new();
	EVP_PKEY *key = burin_key_evp(k, e);
	unsigned char sig[160];
	size_t n = sizeof(sig);
	int ok;

	ok = key != NULL &&
	    EVP_DigestSignInit_ex(m, NULL, "SHA256", NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestSign(m, sig, &n, (const unsigned char *)"x", 1) == 1 &&
	    EVP_DigestVerifyInit_ex(v, NULL, "SHA256", NULL, NULL,
		burin_key_public(k), NULL) == 1 &&
	    EVP_DigestVerify(v, sig, n, (const unsigned char *)"x", 1) == 1;
	EVP_MD_CTX_free(m);
	EVP_MD_CTX_free(v);
	return ok;
}

static int
derive(EVP_PKEY *mine, EVP_PKEY *peer, unsigned char out[32])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	size_t n = 32;
	int ok;

	ok = EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, out, &n) == 1 && n == 32;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int
agrees_with(struct burin_key *k, EVP_PKEY *user, struct burin_error *e)
{
	unsigned char ours[32], theirs[32];
	EVP_PKEY *key = burin_key_evp(k, e);

	return key != NULL && derive(key, user, ours) &&
	    derive(user, burin_key_public(k), theirs) &&
	    memcmp(ours, theirs, sizeof(ours)) == 0;
}

static void
uses_keys(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	struct burin_key *k[DOOR_KEYS];
	int i;

	for (i = 0; i < DOOR_KEYS; i++)
		assert_int_equal(
		    door_key(d, (enum door_key)i, &k[i], &b->e), 0);
	assert_true(signs_with(k[DOOR_CMC], &b->e));
	assert_true(signs_with(k[DOOR_TLS], &b->e));
	assert_true(agrees_with(k[DOOR_POP], b->user, &b->e));
	/* None of them can more than it is for. */
	assert_false(signs_with(k[DOOR_POP], &b->e));
	assert_false(agrees_with(k[DOOR_TLS], b->user, &b->e));
	ERR_clear_error();
	assert_int_equal(burin_key_last_error(k[DOOR_TLS], &b->e), -1);
	assert_string_equal(b->e.code, "order-refused");
	for (i = 0; i < DOOR_KEYS; i++)
		burin_key_free(&k[i]);
	closed(b, &d);
}

/* The token's words come out on the other side. */
static void
carries_errors(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	struct burin_key *k;
	X509 *cert = leaf(b);

	b->ca.fails = BURIN_EREFUSED;
	assert_int_equal(door_sign_cert(d, cert, &b->e), -1);
	assert_int_equal(b->e.status, BURIN_EREFUSED);
	assert_int_equal(b->e.ckr, 0x30);
	assert_string_equal(b->e.code, "token-says-no");
	assert_string_equal(b->e.reason, "the reason");
	assert_string_equal(b->e.token, "the token");
	assert_string_equal(b->e.advice, "the advice");
	assert_non_null(strstr(b->e.cause, "the CA key did not sign"));
	burin_error_clear(&b->e);
	assert_int_equal(door_key(d, DOOR_TLS, &k, &b->e), 0);
	b->keys[DOOR_TLS].fails = BURIN_EREFUSED;
	assert_false(signs_with(k, &b->e));
	ERR_clear_error();
	assert_int_equal(burin_key_last_error(k, &b->e), -1);
	assert_string_equal(b->e.code, "token-says-no");
	burin_error_clear(&b->e);
	/* And the next order is carried out. */
	b->ca.fails = b->keys[DOOR_TLS].fails = BURIN_OK;
	assert_int_equal(door_sign_cert(d, cert, &b->e), 0);
	assert_true(signs_with(k, &b->e));
	burin_key_free(&k);
	X509_free(cert);
	closed(b, &d);
}

/* --- certificates that the keeper does not sign -------------------------- */

static void
replace_ext(X509 *cert, struct bench *b, int nid, const char *line)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	if (line != NULL)
		pki_add_ext(cert, b->a.ca.cert, line);
}

static void
old_version(struct bench *b, X509 *cert)
{
	(void)b;
	assert_true(X509_set_version(cert, X509_VERSION_2));
}

static void
other_issuer(struct bench *b, X509 *cert)
{
	(void)b;
	assert_true(
	    X509_set_issuer_name(cert, X509_get_subject_name(b->a.tls_cert)));
}

static void
no_aki(struct bench *b, X509 *cert)
{
	replace_ext(cert, b, NID_authority_key_identifier, NULL);
}

static void
other_aki(struct bench *b, X509 *cert)
{
	X509 *other = pki_ca("Door CA", b->user);

	replace_ext(cert, b, NID_authority_key_identifier, NULL);
	pki_add_ext(cert, other, "authorityKeyIdentifier=keyid:always");
	X509_free(other);
}

static void
serial_zero(struct bench *b, X509 *cert)
{
	(void)b;
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), 0));
}

static void
serial_negative(struct bench *b, X509 *cert)
{
	(void)b;
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), -5));
}

static void
serial_long(struct bench *b, X509 *cert)
{
	BIGNUM *n = BN_new();

	(void)b;
	/* 160 bits: a 21st octet says that it is positive. */
	assert_true(BN_set_bit(n, 159));
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)));
	BN_free(n);
}

static void
name_of_ca(struct bench *b, X509 *cert)
{
	assert_true(
	    X509_set_subject_name(cert, X509_get_subject_name(b->a.ca.cert)));
}

static void
outlives_ca(struct bench *b, X509 *cert)
{
	(void)b;
	assert_non_null(ASN1_TIME_set(
	    X509_getm_notAfter(cert), PKI_NOW + 400 * 365 * PKI_DAY));
}

static void
before_ca(struct bench *b, X509 *cert)
{
	(void)b;
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), 1));
}

static void
ends_before_it_begins(struct bench *b, X509 *cert)
{
	assert_true(
	    X509_set1_notBefore(cert, X509_get0_notAfter(b->a.ca.cert)));
	assert_true(
	    X509_set1_notAfter(cert, X509_get0_notBefore(b->a.ca.cert)));
}

static void
is_ca(struct bench *b, X509 *cert)
{
	pki_add_ext(cert, b->a.ca.cert, "basicConstraints=critical,CA:TRUE");
}

static void
signs_certs(struct bench *b, X509 *cert)
{
	replace_ext(
	    cert, b, NID_key_usage, "keyUsage=digitalSignature,keyCertSign");
}

static void
signs_crls(struct bench *b, X509 *cert)
{
	replace_ext(cert, b, NID_key_usage, "keyUsage=cRLSign");
}

static void
is_cmc_ca(struct bench *b, X509 *cert)
{
	pki_add_ext(cert, b->a.ca.cert, "extendedKeyUsage=clientAuth,cmcCA");
}

static void
is_ocsp(struct bench *b, X509 *cert)
{
	pki_add_ext(cert, b->a.ca.cert, "extendedKeyUsage=OCSPSigning");
}

static void
key_of_ca(struct bench *b, X509 *cert)
{
	assert_true(X509_set_pubkey(cert, b->ca.key));
}

static void
key_of_cmc(struct bench *b, X509 *cert)
{
	assert_true(X509_set_pubkey(cert, b->keys[DOOR_CMC].key));
}

static void
key_of_tls(struct bench *b, X509 *cert)
{
	assert_true(X509_set_pubkey(cert, b->keys[DOOR_TLS].key));
}

static void
key_of_pop(struct bench *b, X509 *cert)
{
	assert_true(X509_set_pubkey(cert, b->keys[DOOR_POP].key));
}

/* No bit of the point is right. */
static void
no_key(struct bench *b, X509 *cert)
{
	static const unsigned char none[65] = { 4 };
	X509_PUBKEY *pub = X509_get_X509_PUBKEY(cert);

	(void)b;
	assert_true(
	    X509_PUBKEY_set0_param(pub, OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
		V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1),
		OPENSSL_memdup(none, sizeof(none)), sizeof(none)));
}

static void
malformed_ext(struct bench *b, X509 *cert)
{
	pki_add_ext(cert, b->a.ca.cert, "basicConstraints=DER:04:00");
}

static void
twice(struct bench *b, X509 *cert)
{
	X509_EXTENSION *ext =
	    X509_get_ext(cert, X509_get_ext_by_NID(cert, NID_key_usage, -1));

	(void)b;
	assert_true(X509_add_ext(cert, ext, -1));
}

static void
resources(struct bench *b, X509 *cert)
{
	pki_add_ext(
	    cert, b->a.ca.cert, "sbgp-ipAddrBlock=critical,IPv6:2001:db8::/32");
}

static void
refuses_certificates(void **state)
{
	static const struct {
		void (*change)(struct bench *b, X509 *cert);
		const char *says;
	} rows[] = {
		{ old_version, "version 3" },
		{ other_issuer, "issuer" },
		{ no_aki, "authorityKeyIdentifier" },
		{ other_aki, "authorityKeyIdentifier" },
		{ serial_zero, "serial number" },
		{ serial_negative, "serial number" },
		{ serial_long, "serial number" },
		{ name_of_ca, "subject is the CA" },
		{ outlives_ca, "own time" },
		{ before_ca, "own time" },
		{ ends_before_it_begins, "own time" },
		{ is_ca, "would be a CA" },
		{ signs_certs, "would sign" },
		{ signs_crls, "would sign" },
		{ is_cmc_ca, "in the CA's name" },
		{ is_ocsp, "in the CA's name" },
		{ key_of_ca, "authority's own" },
		{ key_of_cmc, "authority's own" },
		{ key_of_tls, "authority's own" },
		{ key_of_pop, "authority's own" },
		{ no_key, "public key" },
		{ malformed_ext, "malformed" },
		{ twice, "malformed" },
		{ resources, "IP resources" },
	};
	struct bench *b = *state;
	struct door *d = opened(b);
	X509 *cert;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cert = leaf(b);
		rows[i].change(b, cert);
		if (door_sign_cert(d, cert, &b->e) == 0)
			fail_msg("row %zu (%s) was signed", i, rows[i].says);
		assert_string_equal(b->e.code, "order-refused");
		if (strstr(b->e.reason, rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, b->e.reason);
		burin_error_clear(&b->e);
		X509_free(cert);
	}
	/* None of them got as far as the token, and the next one does. */
	cert = leaf(b);
	assert_int_equal(door_sign_cert(d, cert, &b->e), 0);
	X509_free(cert);
	closed(b, &d);
}

/* --- and CRLs ------------------------------------------------------------ */

static void
crl_time(X509_CRL *crl, long from, long to)
{
	time_t now = time(NULL);
	ASN1_TIME *t = ASN1_TIME_set(NULL, now + from);

	assert_true(X509_CRL_set1_lastUpdate(crl, t));
	assert_non_null(ASN1_TIME_set(t, now + to));
	assert_true(X509_CRL_set1_nextUpdate(crl, t));
	ASN1_TIME_free(t);
}

static void
crl_version(struct bench *b, X509_CRL *crl)
{
	(void)b;
	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_1));
}

static void
crl_issuer(struct bench *b, X509_CRL *crl)
{
	assert_true(X509_CRL_set_issuer_name(
	    crl, X509_get_subject_name(b->a.tls_cert)));
}

static void
crl_old(struct bench *b, X509_CRL *crl)
{
	(void)b;
	crl_time(crl, -2 * PKI_DAY, PKI_DAY);
}

static void
crl_early(struct bench *b, X509_CRL *crl)
{
	(void)b;
	crl_time(crl, 3600, PKI_DAY);
}

static void
crl_ended(struct bench *b, X509_CRL *crl)
{
	(void)b;
	crl_time(crl, -60, -60);
}

static void
crl_for_ever(struct bench *b, X509_CRL *crl)
{
	(void)b;
	crl_time(crl, 0, 400 * PKI_DAY);
}

static void
crl_no_aki(struct bench *b, X509_CRL *crl)
{
	(void)b;
	X509_EXTENSION_free(X509_CRL_delete_ext(crl,
	    X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1)));
}

static void
crl_no_number(struct bench *b, X509_CRL *crl)
{
	(void)b;
	X509_EXTENSION_free(X509_CRL_delete_ext(
	    crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)));
}

static void
crl_delta(struct bench *b, X509_CRL *crl)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	(void)b;
	assert_true(ASN1_INTEGER_set(n, 1));
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
	ASN1_INTEGER_free(n);
}

static void
refuses_lists(void **state)
{
	static const struct {
		void (*change)(struct bench *b, X509_CRL *crl);
		const char *says;
	} rows[] = {
		{ crl_version, "version 2" },
		{ crl_issuer, "issuer" },
		{ crl_old, "thisUpdate" },
		{ crl_early, "thisUpdate" },
		{ crl_ended, "nextUpdate" },
		{ crl_for_ever, "nextUpdate" },
		{ crl_no_aki, "authorityKeyIdentifier" },
		{ crl_no_number, "CRL number" },
		{ crl_delta, "critical" },
	};
	struct bench *b = *state;
	struct door *d = opened(b);
	X509_CRL *crl;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		crl = list(b);
		rows[i].change(b, crl);
		if (door_sign_crl(d, crl, &b->e) == 0)
			fail_msg("row %zu (%s) was signed", i, rows[i].says);
		assert_string_equal(b->e.code, "order-refused");
		if (strstr(b->e.reason, rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, b->e.reason);
		burin_error_clear(&b->e);
		X509_CRL_free(crl);
	}
	closed(b, &d);
}

/* --- orders by hand ------------------------------------------------------ */

/* One order as it is, and the answer in b->e; its length when there is none. */
static long
raw(struct bench *b, struct door_head *h, const void *body)
{
	struct door_line front = { b->front, NULL, NULL };
	unsigned char *in, *out;
	struct door_head got;
	long n;

	burin_error_clear(&b->e);
	assert_int_equal(door_send(&front, h, body, &b->e), 0);
	assert_int_equal(door_receive(&b->k.line, &got, &in, &b->e), 0);
	assert_int_equal(keeper_order(&b->k, &got, in, &b->e), 0);
	OPENSSL_free(in);
	assert_int_equal(door_receive(&front, &got, &out, &b->e), 0);
	n = (long)got.len;
	if (got.kind == DOOR_FAILED) {
		assert_int_equal(door_take_error(out, got.len, &b->e), -1);
		n = -1;
	} else {
		assert_int_equal(got.kind, DOOR_DONE);
	}
	OPENSSL_free(out);
	return n;
}

static void
refuses_operations(void **state)
{
	struct bench *b = *state;
	static const unsigned char in[DOOR_MAX_RAW];
	const struct door_head good = { .kind = DOOR_USE_KEY,
		.key = DOOR_CMC,
		.mech = BURIN_SIGN_ECDSA,
		.room = 64,
		.len = 32 };
	struct door_head h;
	unsigned key, mech;
	int may;

	h = good;
	assert_int_equal(raw(b, &h, in), 64);
	for (key = 0; key < DOOR_KEYS + 2; key++)
		for (mech = 0; mech < BURIN_KEY_MECHS + 2; mech++) {
			may = key == DOOR_CMC
			    ? mech == BURIN_SIGN_ECDSA ||
				mech == BURIN_SIGN_RSA_PKCS1 ||
				mech == BURIN_SIGN_RSA_PSS
			    : (key == DOOR_TLS && mech == BURIN_SIGN_ECDSA) ||
				(key == DOOR_POP && mech == BURIN_DERIVE_ECDH);
			h = good;
			h.key = key;
			h.mech = mech;
			if (may)
				continue;
			assert_int_equal(raw(b, &h, in), -1);
			assert_string_equal(b->e.code, "order-refused");
		}
	/* In its role, and not of its type. */
	h = good;
	h.mech = BURIN_SIGN_RSA_PSS;
	assert_int_equal(raw(b, &h, in), -1);
	assert_string_equal(b->e.code, "operation-unfit");
	h = good;
	h.len = 0;
	assert_int_equal(raw(b, &h, in), -1);
	h = good;
	h.room = 0;
	assert_int_equal(raw(b, &h, in), -1);
	h = good;
	h.room = DOOR_MAX_OUT + 1;
	assert_int_equal(raw(b, &h, in), -1);
	assert_string_equal(b->e.code, "order-refused");
	/* What is to be signed is what it says, and ends where it ends. */
	h = (struct door_head) { .kind = DOOR_SIGN_CERT, .len = 32 };
	assert_int_equal(raw(b, &h, in), -1);
	assert_string_equal(b->e.code, "order-refused");
	h = (struct door_head) { .kind = DOOR_SIGN_CRL, .len = 32 };
	assert_int_equal(raw(b, &h, in), -1);
	h = (struct door_head) { .kind = DOOR_SIGN_CERT };
	assert_int_equal(raw(b, &h, in), -1);
}

static void
refuses_what_follows(void **state)
{
	struct bench *b = *state;
	struct door_head h = { .kind = DOOR_SIGN_CERT };
	X509_CRL *crl = list(b);
	X509 *cert = leaf(b);
	unsigned char buf[4096], *p = buf;

	memset(buf, 0, sizeof(buf));
	h.len = (uint64_t)i2d_X509(cert, &p) + 1;
	assert_int_equal(raw(b, &h, buf), -1);
	assert_string_equal(b->e.code, "order-refused");
	assert_true(X509_CRL_sign(crl, b->user, EVP_sha256()) > 0);
	memset(buf, 0, sizeof(buf));
	p = buf;
	h = (struct door_head) { .kind = DOOR_SIGN_CRL };
	h.len = (uint64_t)i2d_X509_CRL(crl, &p) + 1;
	assert_int_equal(raw(b, &h, buf), -1);
	assert_string_equal(b->e.code, "order-refused");
	X509_CRL_free(crl);
	X509_free(cert);
}

/* The keeper of an RA signs what its own keys are for, and nothing else. */
static void
ra_signs_no_certificates(void **state)
{
	struct bench *b = *state;
	X509_CRL *crl = list(b);
	X509 *cert = leaf(b);
	struct burin_key *k;
	struct door *d;

	burin_key_free(&b->a.ca_key);
	b->a.cnf.ra = 1;
	issuer_of_nobody(&b->a.ca, b->a.ca.cert);
	d = opened(b);
	assert_int_equal(door_sign_cert(d, cert, &b->e), -1);
	assert_string_equal(b->e.code, "order-refused");
	assert_non_null(strstr(b->e.reason, "keeper of an RA"));
	burin_error_clear(&b->e);
	assert_int_equal(door_sign_crl(d, crl, &b->e), -1);
	assert_string_equal(b->e.code, "order-refused");
	burin_error_clear(&b->e);
	assert_int_equal(door_key(d, DOOR_CMC, &k, &b->e), 0);
	assert_true(signs_with(k, &b->e));
	burin_key_free(&k);
	/* Nor does it in one process. */
	assert_int_equal(b->a.ca.sign_cert(b->a.ca.arg, cert, &b->e), -1);
	assert_string_equal(b->e.code, "not-a-ca");
	burin_error_clear(&b->e);
	assert_int_equal(b->a.ca.sign_crl(b->a.ca.arg, crl, &b->e), -1);
	assert_string_equal(b->e.code, "not-a-ca");
	X509_CRL_free(crl);
	X509_free(cert);
	closed(b, &d);
}

/* --- messages that are none ---------------------------------------------- */

/* What the keeper makes of octets and a closed door: -1 with e, 1 the end. */
static int
keeper_reads(struct bench *b, const void *octets, size_t len)
{
	struct door_head h;
	unsigned char *body = NULL;
	int rc;

	burin_error_clear(&b->e);
	assert_int_equal(send(b->front, octets, len, 0), len);
	(void)close(b->front);
	b->front = -1;
	while ((rc = door_receive(&b->k.line, &h, &body, &b->e)) == 0 &&
	    (rc = keeper_order(&b->k, &h, body, &b->e)) == 0)
		OPENSSL_free(body);
	OPENSSL_free(body);
	return rc;
}

static void
again(struct bench *b)
{
	int fds[2];

	(void)close(b->k.line.fd);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	b->k.line.fd = fds[0];
	b->front = fds[1];
}

static void
malformed_frames(void **state)
{
	struct bench *b = *state;
	struct door_line front = { b->front, NULL, NULL };
	struct door_head good = { .kind = DOOR_READY }, h;
	unsigned char buf[sizeof(h) + 64];
	size_t i;

	/* A good one first: its magic is nobody else's to know. */
	assert_int_equal(door_send(&front, &good, NULL, &b->e), 0);
	assert_int_equal(keeper_reads(b, "", 0), 1);
	assert_int_equal(b->k.ready, 1);
	/* Cut short anywhere. */
	for (i = 1; i < sizeof(h); i++) {
		again(b);
		assert_int_equal(keeper_reads(b, &good, i), -1);
		assert_string_equal(b->e.code, "door-closed");
	}
	/* Every kind that is none of the front's, and what is too long. */
	for (i = 0; i < 64; i++) {
		h = good;
		h.kind = (uint32_t)i;
		h.len = i == DOOR_READY	  ? 1
		    : i == DOOR_SIGN_CERT ? BURIN_MAX_CERT + 1
		    : i == DOOR_SIGN_CRL  ? DOOR_MAX_CRL + 1
		    : i == DOOR_USE_KEY	  ? DOOR_MAX_RAW + 1
		    : i == DOOR_END	  ? sizeof(struct burin_error) + 1
					  : 0;
		again(b);
		assert_int_equal(keeper_reads(b, &h, sizeof(h)), -1);
		assert_string_equal(b->e.code, "door-broken");
	}
	h = good;
	h.len = UINT64_MAX;
	again(b);
	assert_int_equal(keeper_reads(b, &h, sizeof(h)), -1);
	h = good;
	h.magic ^= 1;
	again(b);
	assert_int_equal(keeper_reads(b, &h, sizeof(h)), -1);
	/* Words that its kind has no use for. */
	for (i = offsetof(struct door_head, key);
	     i < offsetof(struct door_head, len); i++) {
		memcpy(buf, &good, sizeof(good));
		buf[i] = 1;
		again(b);
		assert_int_equal(keeper_reads(b, buf, sizeof(h)), -1);
		assert_string_equal(b->e.code, "door-broken");
	}
	/* A body that does not come. */
	memset(buf, 0, sizeof(buf));
	h = good;
	h.kind = DOOR_SIGN_CERT;
	h.len = 1000;
	memcpy(buf, &h, sizeof(h));
	for (i = 0; i < 64; i += 21) {
		again(b);
		assert_int_equal(keeper_reads(b, buf, sizeof(h) + i), -1);
		assert_string_equal(b->e.code, "door-closed");
	}
}

static void
last_words(void **state)
{
	struct bench *b = *state;
	struct burin_error e = BURIN_ERROR_INIT, lie;
	struct door *d = opened(b);
	struct door_head h = { .kind = DOOR_END, .len = sizeof(lie) };
	struct door_line front;

	(void)burin_fail(&e, BURIN_EUSAGE, "listen-failed", "no such port");
	assert_int_equal(door_ready(d, &b->e), 0);
	door_end(d, &e);
	closed(b, &d);
	assert_true(b->k.ready && b->k.ended);
	assert_int_equal(b->k.last.status, BURIN_EUSAGE);
	assert_string_equal(b->k.last.code, "listen-failed");
	/* An error whose text has no end is none. */
	burin_error_clear(&b->k.last);
	again(b);
	memset(&lie, 'x', sizeof(lie));
	lie.status = BURIN_EUSAGE;
	front.fd = b->front;
	front.wait = NULL;
	assert_int_equal(door_send(&front, &h, &lie, &b->e), 0);
	assert_int_equal(keeper_reads(b, "", 0), 1);
	assert_string_equal(b->k.last.code, "door-broken");
}

/* --- what the front reads ------------------------------------------------ */

static void
hello_is_none(void **state)
{
	struct bench *b = *state;
	struct door_head h = { .kind = DOOR_DONE, .len = 1 };
	struct door *d;

	/* Another message. */
	assert_int_equal(door_send(&b->k.line, &h, "x", &b->e), 0);
	assert_int_equal(door_new(b->front, &d, &b->e), -1);
	assert_string_equal(b->e.code, "door-broken");
	/* No certificates. */
	burin_error_clear(&b->e);
	again(b);
	h = (struct door_head) { .kind = DOOR_HELLO, .len = 1 };
	assert_int_equal(door_send(&b->k.line, &h, "x", &b->e), 0);
	assert_int_equal(door_new(b->front, &d, &b->e), -1);
	assert_string_equal(b->e.code, "door-broken");
	/* Nothing at all. */
	burin_error_clear(&b->e);
	again(b);
	(void)close(b->k.line.fd);
	b->k.line.fd = -1;
	assert_int_equal(door_new(b->front, &d, &b->e), -1);
	assert_string_equal(b->e.code, "door-closed");
	b->front = -1;
}

/* A keeper that answers each order with what lies[] says. */
enum lie {
	LIE_DIES,
	LIE_HALF,
	LIE_KIND,
	LIE_EMPTY,
	LIE_LONG,
	LIE_NOISE,
	LIE_TAIL,
	LIE_ERROR,
	LIES
};
struct liar {
	struct bench *b;
	enum lie lie;
};

static void *
lie(void *arg)
{
	struct liar *l = arg;
	struct door_line *line = &l->b->k.line;
	struct door_head h, back = { .kind = DOOR_DONE };
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *body = NULL, big[4096], *p = big;
	X509 *cert = leaf(l->b);

	memset(big, 0x30, sizeof(big));
	if (keeper_hello(&l->b->k, &e) != 0 ||
	    door_receive(line, &h, &body, &e) != 0)
		goto out;
	switch (l->lie) {
	case LIE_HALF:
		back.magic = h.magic;
		back.len = 100;
		(void)send(line->fd, &back, sizeof(back), MSG_NOSIGNAL);
		(void)send(line->fd, big, 50, MSG_NOSIGNAL);
		break;
	case LIE_KIND:
		back.kind = DOOR_READY;
		(void)door_send(line, &back, NULL, &e);
		break;
	case LIE_EMPTY:
		(void)door_send(line, &back, NULL, &e);
		break;
	case LIE_LONG:
		back.len = sizeof(big);
		(void)door_send(line, &back, big, &e);
		break;
	case LIE_NOISE:
		back.len = 64;
		(void)door_send(line, &back, big, &e);
		break;
	case LIE_TAIL:
		back.len = (uint64_t)i2d_X509(cert, &p) + 1;
		(void)door_send(line, &back, big, &e);
		break;
	case LIE_ERROR:
		back.kind = DOOR_FAILED;
		back.len = 10;
		(void)door_send(line, &back, big, &e);
		break;
	default:
		break;
	}
out:
	(void)shutdown(line->fd, SHUT_RDWR);
	OPENSSL_free(body);
	X509_free(cert);
	return NULL;
}

static void
keeper_dies_or_lies(void **state)
{
	static const char *const codes[LIES] = { "door-closed", "door-closed",
		"door-broken", "door-broken", "door-broken", "door-broken",
		"door-broken", "door-broken" };
	struct bench *b = *state;
	struct liar l = { .b = b };
	struct door *d;
	X509 *cert;
	int i;

	for (i = 0; i < LIES; i++) {
		l.lie = (enum lie)i;
		again(b);
		assert_int_equal(pthread_create(&b->thread, NULL, lie, &l), 0);
		assert_int_equal(door_new(b->front, &d, &b->e), 0);
		b->front = -1;
		cert = leaf(b);
		burin_error_clear(&b->e);
		assert_int_equal(door_sign_cert(d, cert, &b->e), -1);
		if (strcmp(b->e.code, codes[i]) != 0)
			fail_msg("lie %d: %s: %s", i, b->e.code, b->e.reason);
		/* It is not what the CA signed, and still what it was. */
		assert_int_equal(X509_verify(cert, b->ca.key), 0);
		assert_int_equal(
		    X509_check_host(cert, "door.example", 0, 0, NULL), 1);
		burin_error_clear(&b->e);
		assert_int_equal(door_sign_cert(d, cert, &b->e), -1);
		X509_free(cert);
		door_free(&d);
		assert_int_equal(pthread_join(b->thread, NULL), 0);
		ERR_clear_error();
		burin_error_clear(&b->e);
	}
}

/* --- many at once -------------------------------------------------------- */

struct many {
	struct bench *b;
	struct door *d;
	struct burin_key *const *k;
	int failed;
};

static void *
work(void *arg)
{
	struct many *m = arg;
	struct burin_error e = BURIN_ERROR_INIT;
	X509 *cert = leaf(m->b);
	int i;

	for (i = 0; i < ROUNDS && !m->failed; i++) {
		if (i % 3 == 0)
			m->failed = door_sign_cert(m->d, cert, &e) != 0 ||
			    X509_verify(cert, m->b->ca.key) != 1;
		else if (i % 3 == 1)
			m->failed = !signs_with(m->k[DOOR_TLS], &e);
		else
			m->failed =
			    !agrees_with(m->k[DOOR_POP], m->b->user, &e);
	}
	X509_free(cert);
	return NULL;
}

static void
many_threads(void **state)
{
	struct bench *b = *state;
	struct door *d = opened(b);
	struct burin_key *k[DOOR_KEYS];
	struct many m[THREADS];
	pthread_t t[THREADS];
	int i;

	for (i = 0; i < DOOR_KEYS; i++)
		assert_int_equal(
		    door_key(d, (enum door_key)i, &k[i], &b->e), 0);
	for (i = 0; i < THREADS; i++) {
		m[i] = (struct many) { b, d, k, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, work, &m[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(m[i].failed, 0);
	}
	for (i = 0; i < DOOR_KEYS; i++)
		burin_key_free(&k[i]);
	closed(b, &d);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(signs_certificates),
		TEST(signs_lists),
		TEST(signs_long_lists),
		TEST(uses_keys),
		TEST(carries_errors),
		TEST(refuses_certificates),
		TEST(refuses_lists),
		TEST(refuses_operations),
		TEST(refuses_what_follows),
		TEST(ra_signs_no_certificates),
		TEST(malformed_frames),
		TEST(last_words),
		TEST(hello_is_none),
		TEST(keeper_dies_or_lies),
		TEST(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
