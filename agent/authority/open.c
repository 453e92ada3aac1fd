/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Opens an authority: settings, store, keys on the token, certificates.
 */

#include <stdlib.h>
#include <string.h>

#include "ca.h"

#define TLS_RENEW (30 * 24 * 60 * 60) /* seconds before its end */

int
own_tls_issue(struct store *st, const struct issuer *ca, EVP_PKEY *pub,
    const char *const *hosts, time_t now, X509 **out, struct burin_error *e)
{
	int rc;

	if (own_tls_make(ca, pub, hosts, now, out, e) != 0 ||
	    store_begin(st, e) != 0)
		return -1;
	rc = own_record(st, *out, "for this server", now, e);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

static int
open_key(struct burin_p11 *p11, const char *uri, X509 *cert,
    struct burin_key **out, EVP_PKEY **key, struct burin_error *e)
{
	if (burin_key_find(p11, uri, out, e) != 0)
		return -1;
	if (cert != NULL &&
	    EVP_PKEY_eq(burin_key_public(*out), X509_get0_pubkey(cert)) != 1) {
		(void)burin_fail(e, BURIN_ETOKEN, "key-not-ours",
		    "the key %s is not the one of ca.pem", uri);
		return burin_error_advice(
		    e, "insert the token that authority.cnf names");
	}
	return (*key = burin_key_evp(*out, e)) != NULL ? 0 : -1;
}

/* 1 when tls.pem can go on: our key, the hosts of the settings, time left. */
static int
tls_still_good(struct authority *a, time_t now)
{
	time_t soon = now + TLS_RENEW;
	size_t i;

	if (EVP_PKEY_eq(burin_key_public(a->tls_key),
		X509_get0_pubkey(a->tls_cert)) != 1 ||
	    X509_cmp_time(X509_get0_notAfter(a->tls_cert), &soon) < 0)
		return 0;
	for (i = 0; a->cnf.hosts[i] != NULL; i++)
		if (X509_check_host(a->tls_cert, a->cnf.hosts[i], 0, 0, NULL) !=
			1 &&
		    X509_check_ip_asc(a->tls_cert, a->cnf.hosts[i], 0) != 1)
			return 0;
	return 1;
}

static int
open_tls(struct authority *a, time_t now, struct burin_error *e)
{
	const char *hosts[CA_MAX_HOSTS + 1] = { NULL };
	size_t i;

	if (ca_cert_read(a->dir, "tls.pem", &a->tls_cert, NULL) == 0 &&
	    tls_still_good(a, now))
		return 0;
	for (i = 0; a->cnf.hosts[i] != NULL; i++)
		hosts[i] = a->cnf.hosts[i];
	X509_free(a->tls_cert);
	a->tls_cert = NULL;
	if (own_tls_issue(a->store, &a->ca, burin_key_public(a->tls_key), hosts,
		now, &a->tls_cert, e) != 0)
		return -1;
	return ca_cert_write(a->dir, "tls.pem", a->tls_cert, e);
}

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

int
authority_open(const char *dir, struct burin_p11 *p11, struct authority **out,
    struct burin_error *e)
{
	struct authority *a = NULL;
	EVP_PKEY *ca, *tls;
	int rc = -1;

	*out = NULL;
	if ((a = calloc(1, sizeof(*a))) == NULL ||
	    (a->dir = strdup(dir)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (ca_dir_check(dir, e) != 0 || settings_read(dir, &a->cnf, e) != 0 ||
	    ca_path(dir, "profiles", &a->profiles, e) != 0 ||
	    store_open(dir, 0, &a->store, e) != 0 || check_audit(a, e) != 0 ||
	    ca_cert_read(dir, "ca.pem", &a->ca.cert, e) != 0)
		goto out;
	if (open_key(p11, a->cnf.ca_key, a->ca.cert, &a->ca_key, &ca, e) != 0)
		goto out;
	issuer_of_key(&a->ca, ca, a->ca.cert);
	if (open_key(p11, a->cnf.tls_key, NULL, &a->tls_key, &tls, e) != 0 ||
	    open_tls(a, time(NULL), e) != 0)
		goto out;
	*out = a;
	a = NULL;
	rc = 0;
out:
	authority_close(&a);
	if (rc != 0)
		(void)burin_error_step(e, "authority-open");
	return rc;
}

void
authority_close(struct authority **ap)
{
	struct authority *a;

	if (ap == NULL || (a = *ap) == NULL)
		return;
	store_close(&a->store);
	X509_free(a->ca.cert);
	X509_free(a->tls_cert);
	burin_key_free(&a->ca_key);
	burin_key_free(&a->tls_key);
	settings_clear(&a->cnf);
	free(a->profiles);
	free(a->dir);
	free(a);
	*ap = NULL;
}
