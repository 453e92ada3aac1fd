/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKCS#10 request from a stranger, as the authority reads it.
 */

#include <burin/attest.h>
#include <burin/names.h>
#include <burin/request.h>

#include "fuzz.h"

static void
attestation(X509_REQ *req)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum burin_attest_form form;
	STACK_OF(X509) * above;
	struct burin_attest said;
	X509 *cert;

	demand_clean(
	    burin_attest_from_req(req, BURIN_ECHECK, &form, &cert, &above, &e),
	    &e);
	DEMAND((form == BURIN_ATTEST_NONE) == (cert == NULL));
	if (cert == NULL)
		return;
	demand_clean(
	    burin_attest_parse(cert, above, BURIN_ECHECK, &said, &e), &e);
	X509_free(cert);
	sk_X509_pop_free(above, X509_free);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char **sans, **ekus;
	X509_REQ *req;
	int rc;

	rc = burin_pkcs10_parse(data, len, BURIN_EAUTHORITY, &req, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return 0;
	sans = burin_req_sans(req);
	ekus = burin_req_ekus(req);
	DEMAND(sans != NULL && ekus != NULL);
	burin_texts_free(&sans);
	burin_texts_free(&ekus);
	ERR_clear_error();
	rc = burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, &e);
	demand_clean(rc, &e);
	attestation(req);
	X509_REQ_free(req);
	return 0;
}
