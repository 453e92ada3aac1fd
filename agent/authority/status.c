/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the operator looks at: the status page and the metrics, of the numbers
 * that the store has.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>

#include <burin/names.h>

#include "http.h"
#include "page.h"

/* "AB:CD:...", as openssl x509 -fingerprint prints it. */
#define FINGERPRINT (CA_SHA256 * 3)

/* Nothing is fetched from anywhere, and no script is run. */
static const char policy[] =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

static int
read_counts(struct call *k, time_t now, struct counts *c, struct burin_error *e)
{
	int rc;

	if (store_begin(k->s->a->store, e) != 0)
		return -1;
	rc = store_counts(k->s->a->store, now, c, e);
	(void)store_end(k->s->a->store, 0, NULL);
	return rc;
}

static int
fingerprint(X509 *cert, char out[FINGERPRINT + 1])
{
	unsigned char md[CA_SHA256];
	unsigned n = sizeof(md);
	size_t i;

	if (X509_digest(cert, EVP_sha256(), md, &n) != 1)
		return -1;
	for (i = 0; i < sizeof(md); i++)
		(void)snprintf(out + 3 * i, 4, "%02X%s", md[i],
		    i + 1 < sizeof(md) ? ":" : "");
	return 0;
}

static time_t
end_of(X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) ? timegm(&tm) : 0;
}

/* What was printed is the answer. */
static void
answer_printed(struct call *k, BIO *out, const char *type)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *copy = NULL;
	char *text;
	long n = BIO_get_mem_data(out, &text);

	if (n <= 0 || (copy = OPENSSL_memdup(text, (size_t)n)) == NULL) {
		(void)burin_fail_memory(&e);
		answer_error(k->r, &e);
		return;
	}
	answer_body(k, MHD_HTTP_OK, type, copy, (size_t)n);
}

void
serve_page(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	const struct authority *a = k->s->a;
	/* Of an RA, its own: that is what ends, and who it is. */
	X509 *ca = a->ca.cert, *self = a->cnf.ra ? a->cmc_cert : ca;
	struct counts counts;
	struct page p = { .counts = &counts, .now = time(NULL) };
	char sum[FINGERPRINT + 1], *name = NULL;
	BIO *out = NULL;

	if (!auth_page(k))
		return;
	name = burin_dn_text(X509_get_subject_name(self));
	out = BIO_new(BIO_s_mem());
	if (name == NULL || out == NULL || fingerprint(ca, sum) != 0)
		(void)burin_fail_memory(&e);
	else if (read_counts(k, p.now, &counts, &e) == 0) {
		p.name = name;
		p.fingerprint = sum;
		p.ends = end_of(self);
		page_print(out, &p);
		answer_printed(k, out, "text/html; charset=utf-8");
		k->r->policy = policy;
	}
	if (k->r->status == 0)
		answer_error(k->r, &e);
	BIO_free(out);
	free(name);
}

/* --- Prometheus' text format -------------------------------------------------
 */

static void
one(BIO *out, const char *name, const char *type, const char *help, long long n)
{
	(void)BIO_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name,
	    help, name, type, name, n);
}

struct labelled {
	const char *value;
	long long n;
};

static void
several(BIO *out, const char *name, const char *help, const char *label,
    const struct labelled *list, size_t n)
{
	size_t i;

	(void)BIO_printf(
	    out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (i = 0; i < n; i++)
		(void)BIO_printf(out, "%s{%s=\"%s\"} %lld\n", name, label,
		    list[i].value, list[i].n);
}

static void
print_store(BIO *out, const struct counts *c, X509 *ca)
{
	const struct labelled certs[] = { { "good", c->good },
		{ "held", c->held }, { "revoked", c->revoked },
		{ "expired", c->expired } };
	const struct labelled requests[] = { { "waiting", c->waiting },
		{ "approved", c->approved }, { "denied", c->denied } };

	/* Of the audit log, which only grows: they outlive a restart. */
	one(out, "burin_issued_total", "counter", "Certificates issued.",
	    c->issued);
	one(out, "burin_refused_total", "counter",
	    "Requests that the policy refused.", c->refused);
	one(out, "burin_revocations_total", "counter",
	    "Certificates revoked or put on hold.", c->revocations);
	one(out, "burin_failed_proofs_total", "counter",
	    "Proofs of possession or of identity that failed.", c->failed);
	several(out, "burin_certificates", "Certificates by state.", "state",
	    certs, sizeof(certs) / sizeof(certs[0]));
	several(out, "burin_requests",
	    "Requests put to the operator, by state.", "state", requests,
	    sizeof(requests) / sizeof(requests[0]));
	one(out, "burin_expiring", "gauge",
	    "Good certificates that end within 30 days.", c->expiring);
	one(out, "burin_unconfirmed", "gauge",
	    "Certificates that wait for their acceptance.", c->unconfirmed);
	one(out, "burin_open_invites", "gauge",
	    "Invites that are neither used nor expired.", c->invites);
	one(out, "burin_ca_not_after_seconds", "gauge",
	    "End of the CA certificate.", (long long)end_of(ca));
	if (c->crl_made == 0)
		return;
	one(out, "burin_crl_this_update_seconds", "gauge",
	    "When the newest CRL was made.", (long long)c->crl_made);
	one(out, "burin_crl_next_update_seconds", "gauge",
	    "When the next CRL is due.", (long long)c->crl_next);
}

void
serve_metrics(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct counts counts;
	BIO *out = NULL;

	if (!auth_page(k))
		return;
	if ((out = BIO_new(BIO_s_mem())) == NULL) {
		(void)burin_fail_memory(&e);
		answer_error(k->r, &e);
	} else if (read_counts(k, time(NULL), &counts, &e) != 0) {
		answer_error(k->r, &e);
	} else {
		print_store(out, &counts, k->s->a->ca.cert);
		metrics_print(k->s, out);
		answer_printed(
		    k, out, "text/plain; version=0.0.4; charset=utf-8");
	}
	BIO_free(out);
}
