/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A response: DER, PEM, base64, certs-only. What was read can be made again.
 */

#include <burin/response.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	STACK_OF(X509) * certs, *again;
	unsigned char *der = NULL;
	size_t der_len;
	int rc;

	rc = burin_certs_parse(data, len, BURIN_ECHECK, &certs, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return 0;
	rc = burin_certs_only_make(certs, &der, &der_len, &e);
	demand_clean(rc, &e);
	DEMAND(rc == 0);
	rc = burin_certs_parse(der, der_len, BURIN_ECHECK, &again, &e);
	demand_clean(rc, &e);
	DEMAND(rc == 0 && sk_X509_num(again) == sk_X509_num(certs));
	(void)burin_certs_for_key(
	    certs, X509_get0_pubkey(sk_X509_value(certs, 0)));
	ERR_clear_error();
	OPENSSL_free(der);
	sk_X509_pop_free(certs, X509_free);
	sk_X509_pop_free(again, X509_free);
	return 0;
}
