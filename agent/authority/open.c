/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Opens an authority: settings, store, keys, certificates. With the keys on
 * the token in this process, or behind the door.
 */

#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "door.h"

#define OWN_RENEW (30 * 24 * 60 * 60) /* seconds before their end */

/* --- the authority's own certificates ------------------------------------- */

static int
record(struct store *st, X509 *cert, const char *what, time_t now,
    struct burin_error *e)
{
	int rc;

	if (store_begin(st, e) != 0)
		return -1;
	rc = own_record(st, cert, what, now, e);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

int
own_tls_issue(struct store *st, const struct issuer *ca, EVP_PKEY *pub,
    const char *const *hosts, time_t now, X509 **out, struct burin_error *e)
{
	if (own_tls_make(ca, pub, hosts, now, out, e) != 0)
		return -1;
	return record(st, *out, "for this server", now, e);
}

static int
make_tls(struct authority *a, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e)
{
	const char *hosts[CA_MAX_HOSTS + 1] = { NULL };
	size_t i;

	for (i = 0; a->cnf.hosts[i] != NULL; i++)
		hosts[i] = a->cnf.hosts[i];
	return own_tls_make(&a->ca, pub, hosts, now, out, e);
}

static int
make_cmc(struct authority *a, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e)
{
	return own_cmc_make(&a->ca, pub, now, out, e);
}

static int
make_pop(struct authority *a, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e)
{
	return own_pop_make(&a->ca, pub, now, out, e);
}

/* 1 when the HTTPS server's certificate has the hosts of the settings. */
static int
has_hosts(const struct authority *a, X509 *cert)
{
	size_t i;

	for (i = 0; a->cnf.hosts[i] != NULL; i++)
		if (!cert_has_host(cert, a->cnf.hosts[i]))
			return 0;
	return 1;
}

/* 1 when cert can go on: our key, time left and not past the CA's own end. */
static int
still_good(
    const struct authority *a, X509 *cert, struct burin_key *key, time_t now)
{
	time_t soon = now + OWN_RENEW;

	if (EVP_PKEY_eq(burin_key_public(key), X509_get0_pubkey(cert)) != 1)
		return 0;
	if (X509_cmp_time(X509_get0_notAfter(cert), &soon) > 0)
		return 1;
	/* A CA that ends soon gives nothing longer. */
	return X509_cmp_time(X509_get0_notAfter(cert), &now) > 0 &&
	    ASN1_TIME_compare(
		X509_get0_notAfter(cert), X509_get0_notAfter(a->ca.cert)) == 0;
}

static int
open_certs(struct authority *a, time_t now, struct burin_error *e)
{
	const struct {
		const char *file, *what;
		struct burin_key *key;
		X509 **cert;
		int (*make)(struct authority *a, EVP_PKEY *pub, time_t now,
		    X509 **out, struct burin_error *e);
	} own[] = {
		{ "cmc.pem", "to sign CMC", a->cmc_key, &a->cmc_cert,
		    make_cmc },
		{ "tls.pem", "for this server", a->tls_key, &a->tls_cert,
		    make_tls },
		{ "pop.pem", "to agree on keys", a->pop_key, &a->pop_cert,
		    make_pop },
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (ca_cert_read(a->dir, own[i].file, own[i].cert, NULL) == 0 &&
		    still_good(a, *own[i].cert, own[i].key, now) &&
		    (own[i].make != make_tls || has_hosts(a, *own[i].cert)))
			continue;
		X509_free(*own[i].cert);
		*own[i].cert = NULL;
		if (own[i].make(a, burin_key_public(own[i].key), now,
			own[i].cert, e) != 0 ||
		    record(a->store, *own[i].cert, own[i].what, now, e) != 0 ||
		    ca_cert_write(a->dir, own[i].file, *own[i].cert, e) != 0)
			return -1;
	}
	return 0;
}

/* --- keys ------------------------------------------------------------------
 */

void
authority_keys_close(struct authority *a)
{
	burin_key_free(&a->ca_key);
	burin_key_free(&a->cmc_key);
	burin_key_free(&a->tls_key);
	burin_key_free(&a->pop_key);
}

/* cert NULL: whatever key it is. */
static int
open_key(struct burin_p11 *p11, const char *uri, X509 *cert, const char *file,
    struct burin_key **out, struct burin_error *e)
{
	if (burin_key_find(p11, uri, out, e) != 0)
		return -1;
	if (cert == NULL ||
	    EVP_PKEY_eq(burin_key_public(*out), X509_get0_pubkey(cert)) == 1)
		return 0;
	(void)burin_fail(e, BURIN_ETOKEN, "key-not-ours",
	    "the key %s is not the one of %s", uri, file);
	return burin_error_advice(
	    e, "insert the token that authority.cnf names");
}

static int
open_issuer(struct authority *a, struct burin_p11 *p11, struct burin_error *e)
{
	EVP_PKEY *key;

	if (a->cnf.ra) {
		issuer_of_nobody(&a->ca, a->ca.cert);
		return 0;
	}
	if (open_key(p11, a->cnf.ca_key, a->ca.cert, "ca.pem", &a->ca_key, e) !=
		0 ||
	    (key = burin_key_evp(a->ca_key, e)) == NULL)
		return -1;
	issuer_of_key(&a->ca, key, a->ca.cert);
	return 0;
}

int
authority_keys_open(
    struct authority *a, struct burin_p11 *p11, struct burin_error *e)
{
	if (open_issuer(a, p11, e) != 0 ||
	    open_key(p11, a->cnf.cmc_key, a->cmc_cert, "cmc.pem", &a->cmc_key,
		e) != 0 ||
	    open_key(p11, a->cnf.tls_key, a->tls_cert, "tls.pem", &a->tls_key,
		e) != 0 ||
	    open_key(p11, a->cnf.pop_key, a->pop_cert, "pop.pem", &a->pop_key,
		e) != 0)
		return -1;
	return 0;
}

/* --- opening ----------------------------------------------------------------
 */

static int
check_audit(struct authority *a, struct burin_error *e)
{
	int rc;

	if (store_begin(a->store, e) != 0)
		return -1;
	rc = store_audit_verify(a->store, NULL, e);
	(void)store_end(a->store, 0, e);
	return rc;
}

/* What both have: directory, settings, store. */
static int
open_dir(const char *dir, struct authority **out, struct burin_error *e)
{
	struct authority *a;

	if ((a = *out = calloc(1, sizeof(*a))) == NULL ||
	    (a->dir = strdup(dir)) == NULL)
		return burin_fail_memory(e);
	if (ca_dir_check(dir, e) != 0 || settings_read(dir, &a->cnf, e) != 0 ||
	    ca_path(dir, "profiles", &a->profiles, e) != 0)
		return -1;
	return store_open(dir, 0, &a->store, e);
}

int
authority_open(const char *dir, struct burin_p11 *p11, struct authority **out,
    struct burin_error *e)
{
	struct authority *a = NULL;

	*out = NULL;
	if (open_dir(dir, &a, e) == 0 && check_audit(a, e) == 0 &&
	    ca_cert_read(dir, "ca.pem", &a->ca.cert, e) == 0 &&
	    authority_keys_open(a, p11, e) == 0 &&
	    (a->cnf.ra ? enrolled_open : open_certs)(a, time(NULL), e) == 0) {
		*out = a;
		return 0;
	}
	authority_close(&a);
	return burin_error_step(e, "authority-open");
}

/* A reference of our own to what is the door's. */
static X509 *
held(X509 *cert)
{
	return X509_up_ref(cert) ? cert : NULL;
}

int
authority_open_front(const char *dir, struct door *d, struct authority **out,
    struct burin_error *e)
{
	struct authority *a = NULL;
	X509 *ca;

	*out = NULL;
	if (open_dir(dir, &a, e) == 0 &&
	    door_key(d, DOOR_CMC, &a->cmc_key, e) == 0 &&
	    door_key(d, DOOR_TLS, &a->tls_key, e) == 0 &&
	    door_key(d, DOOR_POP, &a->pop_key, e) == 0) {
		ca = held(door_ca(d));
		a->ca =
		    (struct issuer) { ca, door_sign_cert, door_sign_crl, d };
		if (a->cnf.ra)
			issuer_of_nobody(&a->ca, ca);
		a->cmc_cert = held(door_cert(d, DOOR_CMC));
		a->tls_cert = held(door_cert(d, DOOR_TLS));
		a->pop_cert = held(door_cert(d, DOOR_POP));
		/* What an RA answers itself holds nothing of the CA. */
		if (a->cnf.ra || !a->cnf.publish_anchors ||
		    anchors_open(
			dir, a->store, ca, time(NULL), &a->anchors, e) == 0) {
			*out = a;
			return 0;
		}
	}
	authority_close(&a);
	return burin_error_step(e, "authority-open");
}

void
authority_close(struct authority **ap)
{
	struct authority *a;

	if (ap == NULL || (a = *ap) == NULL)
		return;
	store_close(&a->store);
	X509_free(a->ca.cert);
	X509_free(a->cmc_cert);
	X509_free(a->tls_cert);
	X509_free(a->pop_cert);
	anchors_clear(&a->anchors);
	authority_keys_close(a);
	settings_clear(&a->cnf);
	free(a->profiles);
	free(a->dir);
	free(a);
	*ap = NULL;
}
