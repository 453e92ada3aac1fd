/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The front's side of the door: keys and an issuer that are somewhere else.
 * One order at a time, whatever thread it comes from.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "door.h"

/* What a distant key is told about itself. */
struct role {
	struct door *d;
	enum door_key key;
};

struct door {
	struct door_line line;
	pthread_mutex_t lock; /* from an order to its answer */
	int broken;	      /* no answer came, so that none will fit */
	X509 *ca, *certs[DOOR_KEYS];
	struct role roles[DOOR_KEYS];
	EVP_PKEY *nobody; /* signs what the keeper is to sign: see fill */
};

static const unsigned usages[DOOR_KEYS] = {
	[DOOR_CMC] = BURIN_USE_SIGN,
	[DOOR_TLS] = BURIN_USE_SIGN,
	[DOOR_POP] = BURIN_USE_DERIVE,
};

/* --- the first word ------------------------------------------------------ */

static int
take_hello(struct door *d, const unsigned char *body, size_t len,
    struct burin_error *e)
{
	const unsigned char *p = body, *end = body + len;
	X509 **out;
	int i;

	for (i = -1; i < DOOR_KEYS; i++) {
		out = i < 0 ? &d->ca : &d->certs[i];
		if ((*out = d2i_X509(NULL, &p, end - p)) == NULL ||
		    X509_get0_pubkey(*out) == NULL)
			return burin_fail_openssl(e, BURIN_EINTERNAL,
			    "door-broken",
			    "the keeper's certificate %d cannot be read", i);
	}
	if (p != end)
		return burin_fail(e, BURIN_EINTERNAL, "door-broken",
		    "the keeper says more than its certificates");
	return 0;
}

static int
read_hello(struct door *d, struct burin_error *e)
{
	unsigned char *body = NULL;
	struct door_head h = { 0 };
	int rc;

	if ((rc = door_receive(&d->line, &h, &body, e)) == 1)
		return burin_fail(e, BURIN_EINTERRUPTED, "door-closed",
		    "the keeper ended before it was ready");
	if (rc == 0)
		rc = h.kind == DOOR_HELLO
		    ? take_hello(d, body, h.len, e)
		    : burin_fail(e, BURIN_EINTERNAL, "door-broken",
			  "the keeper begins with something else");
	OPENSSL_free(body);
	return rc;
}

int
door_new(int fd, struct door **out, struct burin_error *e)
{
	struct door *d;
	int i;

	*out = NULL;
	if ((d = calloc(1, sizeof(*d))) == NULL ||
	    pthread_mutex_init(&d->lock, NULL) != 0) {
		free(d);
		(void)close(fd);
		return burin_fail_memory(e);
	}
	d->line.fd = fd;
	for (i = 0; i < DOOR_KEYS; i++) {
		d->roles[i].d = d;
		d->roles[i].key = (enum door_key)i;
	}
	if ((d->nobody = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")) ==
	    NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a key of nobody's");
		door_free(&d);
		return -1;
	}
	if (read_hello(d, e) != 0) {
		door_free(&d);
		return -1;
	}
	*out = d;
	return 0;
}

void
door_free(struct door **dp)
{
	struct door *d;
	int i;

	if (dp == NULL || (d = *dp) == NULL)
		return;
	(void)close(d->line.fd);
	X509_free(d->ca);
	for (i = 0; i < DOOR_KEYS; i++)
		X509_free(d->certs[i]);
	EVP_PKEY_free(d->nobody);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
	*dp = NULL;
}

X509 *
door_ca(const struct door *d)
{
	return d->ca;
}

X509 *
door_cert(const struct door *d, enum door_key which)
{
	return d->certs[which];
}

/* --- orders -------------------------------------------------------------- */

/* Under the lock. */
static int
exchange(struct door *d, struct door_head *h, const void *body,
    unsigned char **answer, struct burin_error *e)
{
	int rc;

	if (d->broken)
		return burin_fail(e, BURIN_EINTERRUPTED, "door-closed",
		    "the process that holds the token is gone");
	d->broken = 1;
	if (door_send(&d->line, h, body, e) != 0)
		return -1;
	memset(h, 0, sizeof(*h));
	if ((rc = door_receive(&d->line, h, answer, e)) != 0)
		return rc < 0 ? -1
			      : burin_fail(e, BURIN_EINTERRUPTED, "door-closed",
				    "the process that holds the token is gone");
	if (h->kind != DOOR_DONE && h->kind != DOOR_FAILED)
		return burin_fail(e, BURIN_EINTERNAL, "door-broken",
		    "the keeper answers with something else");
	d->broken = 0;
	return h->kind == DOOR_DONE ? 0 : door_take_error(*answer, h->len, e);
}

/* *answer and *answer_len: what the keeper made; OPENSSL_clear_free. */
static int
order(struct door *d, struct door_head *h, const void *body,
    unsigned char **answer, size_t *answer_len, struct burin_error *e)
{
	int rc;

	*answer = NULL;
	(void)pthread_mutex_lock(&d->lock);
	rc = exchange(d, h, body, answer, e);
	(void)pthread_mutex_unlock(&d->lock);
	*answer_len = h->len;
	if (rc != 0) {
		OPENSSL_clear_free(*answer, *answer_len);
		*answer = NULL;
	}
	return rc;
}

static int
use_key(void *arg, struct burin_key_operation *o, struct burin_error *e)
{
	const struct role *r = arg;
	struct door_head h = { .kind = DOOR_USE_KEY,
		.key = r->key,
		.mech = o->mech,
		.salt = (uint32_t)o->salt,
		.room =
		    o->room < DOOR_MAX_OUT ? (uint32_t)o->room : DOOR_MAX_OUT,
		.hash = o->hash,
		.mgf = o->mgf,
		.len = o->in_len };
	unsigned char *answer;
	size_t len;
	int rc = 0;

	if (order(r->d, &h, o->in, &answer, &len, e) != 0)
		return -1;
	if (len == 0 || len > o->room) {
		rc = burin_fail(e, BURIN_EINTERNAL, "door-broken",
		    "the keeper's answer does not fit");
	} else {
		memcpy(o->out, answer, len);
		o->out_len = len;
	}
	OPENSSL_clear_free(answer, len);
	return rc;
}

int
door_key(struct door *d, enum door_key which, struct burin_key **out,
    struct burin_error *e)
{
	return burin_key_distant_new(X509_get0_pubkey(d->certs[which]),
	    usages[which], use_key, &d->roles[which], out, e);
}

/* --- the CA's signature ---------------------------------------------------
 *
 * OpenSSL has no way to encode what nobody has signed yet: the algorithm in
 * it is empty. So it goes through the door signed by a key of nobody's, which
 * says nothing, and comes back with the CA's signature.
 */

static int
signed_as(const void *der, size_t len, const ASN1_ITEM *it, ASN1_VALUE **value,
    struct burin_error *e)
{
	const unsigned char *p = der;
	ASN1_VALUE *trial = NULL;
	int good;

	/* First aside: a value that fails half way is lost. */
	if (len > 0)
		trial = ASN1_item_d2i(NULL, &p, (long)len, it);
	good = trial != NULL && p == (const unsigned char *)der + len;
	ASN1_item_free(trial, it);
	p = der;
	if (good) {
		if (ASN1_item_d2i(value, &p, (long)len, it) != NULL)
			return 0;
		*value = NULL; /* with the reference that it was */
	}
	return burin_fail_openssl(e, BURIN_EINTERNAL, "door-broken",
	    "what the keeper signed cannot be read");
}

static int
sign_item(struct door *d, enum door_kind kind, unsigned char *der, int der_len,
    const ASN1_ITEM *it, ASN1_VALUE **value, struct burin_error *e)
{
	struct door_head h = { .kind = kind };
	unsigned char *answer;
	size_t len;
	int rc;

	if (der_len <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "sign-failed",
		    "what is to be signed cannot be encoded");
	h.len = (uint64_t)der_len;
	if (order(d, &h, der, &answer, &len, e) != 0)
		return -1;
	rc = signed_as(answer, len, it, value, e);
	OPENSSL_free(answer);
	return rc;
}

int
door_sign_cert(void *arg, X509 *cert, struct burin_error *e)
{
	ASN1_VALUE *value = (ASN1_VALUE *)cert;
	struct door *d = arg;
	unsigned char *der = NULL;
	int len, rc;

	if (X509_sign(cert, d->nobody, EVP_sha256()) <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "sign-failed",
		    "the certificate cannot be put together");
	/* Another reference: the value outlives a d2i that fails. */
	if (!X509_up_ref(cert))
		return burin_fail_memory(e);
	len = i2d_X509(cert, &der);
	rc = sign_item(
	    d, DOOR_SIGN_CERT, der, len, ASN1_ITEM_rptr(X509), &value, e);
	OPENSSL_free(der);
	X509_free((X509 *)value);
	return rc;
}

int
door_sign_crl(void *arg, X509_CRL *crl, struct burin_error *e)
{
	ASN1_VALUE *value = (ASN1_VALUE *)crl;
	struct door *d = arg;
	unsigned char *der = NULL;
	int len, rc;

	if (X509_CRL_sign(crl, d->nobody, EVP_sha256()) <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "sign-failed",
		    "the CRL cannot be put together");
	if (!X509_CRL_up_ref(crl))
		return burin_fail_memory(e);
	len = i2d_X509_CRL(crl, &der);
	rc = sign_item(
	    d, DOOR_SIGN_CRL, der, len, ASN1_ITEM_rptr(X509_CRL), &value, e);
	OPENSSL_free(der);
	X509_CRL_free((X509_CRL *)value);
	return rc;
}

/* --- words without an answer ---------------------------------------------- */

int
door_ready(struct door *d, struct burin_error *e)
{
	struct door_head h = { .kind = DOOR_READY };
	int rc;

	(void)pthread_mutex_lock(&d->lock);
	rc = door_send(&d->line, &h, NULL, e);
	(void)pthread_mutex_unlock(&d->lock);
	return rc;
}

void
door_end(struct door *d, const struct burin_error *e)
{
	struct door_head h = { .kind = DOOR_END };

	(void)pthread_mutex_lock(&d->lock);
	if (e->status != BURIN_OK)
		(void)door_send_error(&d->line, DOOR_END, e, NULL);
	else
		(void)door_send(&d->line, &h, NULL, NULL);
	(void)pthread_mutex_unlock(&d->lock);
}
