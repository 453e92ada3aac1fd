/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What anybody may fetch: the CA's certificate (RFC 2585 section 3), and a
 * word that the server is alive.
 */

#include <stdio.h>

#include "http.h"

#define CA_AGE 3600 /* seconds that a copy of ca.cer may be used */

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

/* For whoever looks whether it runs; says nothing that is not known. */
void
serve_health(struct call *k)
{
	answer_text(k->r, MHD_HTTP_OK, "ok");
}
