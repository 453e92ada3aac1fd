/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The attestation that a certificate is, or that a request carries. Shown is
 * what it says; whether it is true, burin attest says.
 */

#include "attest_out.h"
#include "show_parts.h"

static json_t *
show(X509 *cert, STACK_OF(X509) * above)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_attest said;

	if (burin_attest_parse(cert, above, BURIN_EUSAGE, &said, &e) == -1)
		return json_pack("{s:s}", "error", e.reason);
	return json_attest(&said);
}

json_t *
show_attest_cert(X509 *cert)
{
	return burin_attest_is(cert) ? show(cert, NULL) : json_null();
}

json_t *
show_attest_req(X509_REQ *req)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum burin_attest_form form;
	STACK_OF(X509) * above;
	X509 *cert;
	json_t *o, *list;
	int i;

	if (burin_attest_from_req(
		req, BURIN_EUSAGE, &form, &cert, &above, &e) == -1)
		return json_pack("{s:s}", "error", e.reason);
	if (cert == NULL)
		return json_null();
	o = show(cert, above);
	list = json_array();
	(void)json_array_append_new(list, json_cert(cert));
	for (i = 0; i < sk_X509_num(above); i++)
		(void)json_array_append_new(
		    list, json_cert(sk_X509_value(above, i)));
	if (show_put(o, "form", json_string(burin_attest_form_name(form))) ==
		-1 ||
	    show_put(o, "key_matches",
		json_boolean(EVP_PKEY_eq(X509_get0_pubkey(cert),
				 X509_REQ_get0_pubkey(req)) == 1)) == -1 ||
	    show_put(o, "certificates", json_incref(list)) == -1) {
		json_decref(o);
		o = NULL;
	}
	json_decref(list);
	X509_free(cert);
	sk_X509_pop_free(above, X509_free);
	return o;
}
