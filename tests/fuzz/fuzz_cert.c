/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One DER certificate: decoded, named, put through every check.
 */

#include <burin/attest.h>
#include <burin/names.h>
#include <burin/response.h>

#include "fuzz.h"

/* All checks, the certificate being its own anchor. */
static void
check(X509 *cert)
{
	static const unsigned char id[20];
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_check_input in = { 0 };
	STACK_OF(X509) *anchors = sk_X509_new_null(), *chain = NULL;
	struct burin_checks checks;

	DEMAND(anchors != NULL && sk_X509_push(anchors, cert) > 0);
	in.cert = cert;
	in.pub = X509_get0_pubkey(cert);
	in.bag = anchors;
	in.anchors = anchors;
	in.now = 1900000000;
	in.skew = 300;
	in.key_usage = BURIN_USE_SIGN;
	in.key_id = id;
	in.key_id_len = sizeof(id);
	demand_clean(burin_check_cert(&in, &checks, &chain, &e), &e);
	demand_clean(burin_checks_verdict(&checks, BURIN_ECHECK, &e), &e);
	sk_X509_pop_free(chain, X509_free);
	sk_X509_free(anchors);
}

/* As an attestation, the certificate being its own root and what is above. */
static void
attest(X509 *cert)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_attest_input in = { 0 };
	char buf[BURIN_ATTEST_WORD];
	struct burin_checks checks;
	struct burin_attest said;

	in.anchors = sk_X509_new_null();
	DEMAND(in.anchors != NULL && sk_X509_push(in.anchors, cert) > 0);
	in.cert = cert;
	in.above = in.anchors;
	in.pub = X509_get0_pubkey(cert);
	in.now = 1900000000;
	demand_clean(burin_attest_check(&in, &checks, &said, &e), &e);
	DEMAND(checks.list[3].level != BURIN_PASS);
	(void)burin_attest_firmware(&said, buf);
	(void)burin_attest_pin(&said, buf);
	(void)burin_attest_touch(&said, buf);
	(void)burin_attest_form_factor(&said, buf);
	(void)burin_attest_is(cert);
	demand_clean(
	    burin_attest_parse(cert, in.above, BURIN_ECHECK, &said, &e), &e);
	sk_X509_free(in.anchors);
}

static void
name(X509 *cert)
{
	char **sans = burin_cert_sans(cert), **ekus = burin_cert_ekus(cert);
	char *text;

	DEMAND(sans != NULL && ekus != NULL);
	burin_texts_free(&sans);
	burin_texts_free(&ekus);
	text = burin_dn_text(X509_get_subject_name(cert));
	DEMAND(text != NULL);
	free(text);
	text = burin_serial_text(X509_get0_serialNumber(cert));
	DEMAND(text != NULL);
	free(text);
	text = burin_time_text(X509_get0_notAfter(cert));
	DEMAND(text != NULL);
	free(text);
	DEMAND(ERR_peek_error() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL;
	X509 *cert;
	int rc;

	rc = burin_cert_parse(data, len, BURIN_ECHECK, &cert, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return 0;
	DEMAND(i2d_X509(cert, &der) == (int)len);
	DEMAND(memcmp(der, data, len) == 0);
	OPENSSL_free(der);
	name(cert);
	ERR_clear_error();
	check(cert);
	attest(cert);
	X509_free(cert);
	return 0;
}
