/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The orders that the keeper carries out, with a token that may come and go.
 */

#include <string.h>

#include "keeper.h"

#define LOOK_MS 1000 /* between two looks for a token that was lost */

#define BIT(mech) (1U << (mech))

/* What each key is for, and nothing else. */
static const unsigned roles[DOOR_KEYS] = {
	[DOOR_CMC] = BIT(BURIN_SIGN_ECDSA) | BIT(BURIN_SIGN_RSA_PKCS1) |
	    BIT(BURIN_SIGN_RSA_PSS),
	[DOOR_TLS] = BIT(BURIN_SIGN_ECDSA),
	[DOOR_POP] = BIT(BURIN_DERIVE_ECDH),
};

/* What comes of an order. */
struct result {
	unsigned char out[DOOR_MAX_OUT];
	unsigned char *der; /* instead; OPENSSL_free */
	size_t len;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the first word --------------------------------------------------------
 */

int
keeper_hello(struct keeper *k, struct burin_error *e)
{
	X509 *const certs[] = { k->a->ca.cert, k->a->cmc_cert, k->a->tls_cert,
		k->a->pop_cert };
	struct door_head h = { .kind = DOOR_HELLO };
	unsigned char *body = NULL, *p;
	size_t i;
	int rc, n;

	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		if ((n = i2d_X509(certs[i], NULL)) <= 0)
			return burin_fail_memory(e);
		h.len += (size_t)n;
	}
	if ((p = body = OPENSSL_malloc(h.len)) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		(void)i2d_X509(certs[i], &p);
	rc = door_send(&k->line, &h, body, e);
	OPENSSL_free(body);
	return rc;
}

/* --- the CA's signature ----------------------------------------------------
 */

static int
malformed(const char *what, struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "order-refused",
	    "what is to be signed is no %s", what);
}

static int
signed_der(struct result *r, int len, struct burin_error *e)
{
	if (len <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "sign-failed",
		    "what was signed cannot be encoded");
	r->len = (size_t)len;
	return 0;
}

static int
sign_cert(struct keeper *k, const unsigned char *body, size_t len,
    struct result *r, struct burin_error *e)
{
	const unsigned char *p = body;
	X509 *cert = d2i_X509(NULL, &p, (long)len);
	int rc = -1;

	if (cert == NULL || p != body + len)
		(void)malformed("certificate", e);
	else if (keeper_check_cert(k->a, cert, e) == 0 &&
	    k->a->ca.sign_cert(k->a->ca.arg, cert, e) == 0)
		rc = signed_der(r, i2d_X509(cert, &r->der), e);
	X509_free(cert);
	return rc;
}

static int
sign_crl(struct keeper *k, const unsigned char *body, size_t len,
    struct result *r, struct burin_error *e)
{
	const unsigned char *p = body;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)len);
	int rc = -1;

	if (crl == NULL || p != body + len)
		(void)malformed("CRL", e);
	else if (keeper_check_crl(k->a, crl, time(NULL), e) == 0 &&
	    k->a->ca.sign_crl(k->a->ca.arg, crl, e) == 0)
		rc = signed_der(r, i2d_X509_CRL(crl, &r->der), e);
	X509_CRL_free(crl);
	return rc;
}

/* --- the other keys ---------------------------------------------------------
 */

static int
use_key(struct keeper *k, const struct door_head *h, const unsigned char *body,
    struct result *r, struct burin_error *e)
{
	struct burin_key *const keys[DOOR_KEYS] = {
		[DOOR_CMC] = k->a->cmc_key,
		[DOOR_TLS] = k->a->tls_key,
		[DOOR_POP] = k->a->pop_key,
	};
	struct burin_key_operation o = { .hash = (unsigned long)h->hash,
		.mgf = (unsigned long)h->mgf,
		.salt = h->salt,
		.in = body,
		.in_len = h->len,
		.out = r->out,
		.room = h->room };

	if (h->key >= DOOR_KEYS || h->mech >= BURIN_KEY_MECHS ||
	    (roles[h->key] & BIT(h->mech)) == 0 || h->len == 0 ||
	    h->room == 0 || h->room > sizeof(r->out))
		return burin_fail(e, BURIN_EINTERNAL, "order-refused",
		    "the keeper has no such key for such an operation");
	o.mech = (enum burin_key_mech)h->mech;
	if (burin_key_run(keys[h->key], &o, e) != 0)
		return -1;
	r->len = o.out_len;
	return 0;
}

/* --- a token that comes and goes --------------------------------------------
 */

static int
is_lost(const struct burin_error *e)
{
	return e->status == BURIN_ETOKEN || e->status == BURIN_EINTERRUPTED ||
	    e->status == BURIN_EPIN;
}

/*
 * Looks for the token anew by its URI, which names its serial number: the PIN
 * goes to no other. The login is the usual one; a PIN that was refused before
 * is not sent again (docs/decisions/0005-wrong-pins.md).
 */
static int
look_again(struct keeper *k, struct burin_error *e)
{
	int64_t now = now_ms();

	if (k->looked_at != 0 && now - k->looked_at < LOOK_MS) {
		*e = k->why;
		return -1;
	}
	k->looked_at = now;
	authority_keys_close(k->a);
	burin_p11_look_again(k->p11);
	if (authority_keys_open(k->a, k->p11, e) != 0) {
		k->why = *e;
		return -1;
	}
	k->lost = 0;
	return 0;
}

static int
once(struct keeper *k, const struct door_head *h, const unsigned char *body,
    struct result *r, struct burin_error *e)
{
	if (h->kind == DOOR_USE_KEY)
		return use_key(k, h, body, r, e);
	if (k->a->cnf.ra)
		return burin_fail(e, BURIN_EINTERNAL, "order-refused",
		    "the keeper of an RA signs no certificate and no CRL");
	if ((h->kind == DOOR_SIGN_CERT ? sign_cert(k, body, h->len, r, e)
				       : sign_crl(k, body, h->len, r, e)) == 0)
		return 0;
	/* OpenSSL asked for the signature: what the token said is here. */
	if (strcmp(e->code, "order-refused") != 0)
		(void)burin_key_last_error(k->a->ca_key, e);
	return -1;
}

static int
carry_out(struct keeper *k, const struct door_head *h,
    const unsigned char *body, struct result *r, struct burin_error *e)
{
	if (k->lost && look_again(k, e) != 0)
		return -1;
	if (once(k, h, body, r, e) == 0)
		return 0;
	if (!is_lost(e))
		return -1;
	/* It may be back already: pulled and put in between two orders. */
	k->lost = 1;
	k->why = *e;
	burin_error_clear(e);
	if (look_again(k, e) != 0)
		return -1;
	return once(k, h, body, r, e);
}

static int
answer(struct keeper *k, const struct door_head *h, const unsigned char *body,
    struct burin_error *e)
{
	struct burin_error failure = BURIN_ERROR_INIT;
	struct door_head back = { .kind = DOOR_DONE };
	struct result r = { .der = NULL };
	int rc;

	if (carry_out(k, h, body, &r, &failure) != 0) {
		rc = door_send_error(&k->line, DOOR_FAILED, &failure, e);
	} else {
		back.len = r.len;
		rc = door_send(
		    &k->line, &back, r.der != NULL ? r.der : r.out, e);
	}
	OPENSSL_free(r.der);
	OPENSSL_cleanse(r.out, sizeof(r.out));
	return rc;
}

int
keeper_order(struct keeper *k, const struct door_head *h,
    const unsigned char *body, struct burin_error *e)
{
	switch (h->kind) {
	case DOOR_SIGN_CERT:
	case DOOR_SIGN_CRL:
	case DOOR_USE_KEY:
		return answer(k, h, body, e);
	case DOOR_READY:
		k->ready = 1;
		return 0;
	case DOOR_END:
		k->ended = 1;
		if (h->len > 0)
			(void)door_take_error(body, h->len, &k->last);
		return 0;
	default:
		return burin_fail(e, BURIN_EINTERNAL, "door-broken",
		    "the front gives an order that there is not");
	}
}
