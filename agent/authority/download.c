/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What anybody may fetch: the CA's certificate and its CRL (RFC 2585 section
 * 3), and a word that the server is alive.
 */

#include <stdio.h>

#include "http.h"

#define CA_AGE 3600 /* seconds that a copy of ca.cer may be used */
#define CRL_AGE 60  /* and one of ca.crl: what was revoked is to be seen */

void
serve_ca(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL;
	int len;

	if ((len = i2d_X509(k->s->a->ca.cert, &der)) <= 0) {
		(void)burin_fail_memory(&e);
		answer_error(k->r, &e);
		return;
	}
	answer_body(k, MHD_HTTP_OK, "application/pkix-cert", der, (size_t)len);
	k->r->max_age = CA_AGE;
}

/* Made anew when something was revoked since, or it gets old. */
void
serve_crl(struct call *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	const struct authority *a = k->s->a;
	unsigned char *der = NULL;
	X509_CRL *crl = NULL;
	int len;

	if (crl_current(a->store, &a->ca, &a->cnf, time(NULL), &crl, &e) != 0) {
		answer_error(k->r, &e);
	} else if ((len = i2d_X509_CRL(crl, &der)) <= 0) {
		(void)burin_fail_memory(&e);
		answer_error(k->r, &e);
	} else {
		answer_body(
		    k, MHD_HTTP_OK, "application/pkix-crl", der, (size_t)len);
		k->r->max_age = CRL_AGE;
	}
	X509_CRL_free(crl);
}

/* For whoever looks whether it runs; says nothing that is not known. */
void
serve_health(struct call *k)
{
	answer_text(k->r, MHD_HTTP_OK, "ok");
}
