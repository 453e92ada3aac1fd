/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The name and the extensions that somebody else asks for, in PKCS#10 or in
 * CRMF. What two readers could understand differently is refused.
 */

#include <openssl/err.h>

#include "internal.h"

#define RULE_DN "RFC 5280 section 4.1.2.6"
#define RULE_EXTENSIONS "RFC 2985 section 5.4.2, RFC 5280 section 4.2"
#define RULE_NAMES "RFC 5280 section 4.2.1.6"

int
csr_request_malformed(struct burin_error *e, enum burin_status status,
    const char *rule, const char *why)
{
	(void)burin_fail_openssl(
	    e, status, "request-malformed", "the request %s", why);
	return burin_error_rule(e, "%s", rule);
}

int
csr_check_dn(const X509_NAME *dn, const char *field, enum burin_status status,
    struct burin_error *e)
{
	const char *why = csr_dn_flaw(dn);

	if (why == NULL)
		return 0;
	(void)burin_fail(
	    e, status, "request-malformed", "the request's %s %s", field, why);
	return burin_error_rule(e, RULE_DN);
}

static int
check_names(const STACK_OF(X509_EXTENSION) * exts, enum burin_status status,
    struct burin_error *e)
{
	GENERAL_NAMES *names =
	    X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	const char *why;
	int i, n, rc = -1;

	if (names == NULL)
		return 0;
	n = sk_GENERAL_NAME_num(names);
	if (n == 0 || n > BURIN_MAX_SANS) {
		(void)csr_request_malformed(e, status, RULE_NAMES,
		    "has an empty subjectAltName or more than 64 names in it");
		goto out;
	}
	for (i = 0; i < n; i++) {
		why = csr_name_flaw(sk_GENERAL_NAME_value(names, i));
		if (why == NULL)
			continue;
		(void)burin_fail(e, status, "request-malformed",
		    "an alternative name in the request %s", why);
		(void)burin_error_rule(e, RULE_NAMES);
		goto out;
	}
	rc = 0;
out:
	GENERAL_NAMES_free(names);
	return rc;
}

int
csr_check_asked(const STACK_OF(X509_EXTENSION) * exts, enum burin_status status,
    struct burin_error *e)
{
	int i, n = sk_X509_EXTENSION_num(exts);

	if (n == 0 || n > BURIN_MAX_EXTENSIONS)
		return csr_request_malformed(e, status, RULE_EXTENSIONS,
		    "has an empty list of extensions or more than 32");
	for (i = 0; i < n; i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);

		if (csr_ext_find(exts, X509_EXTENSION_get_object(ext)) < i)
			return csr_request_malformed(e, status, RULE_EXTENSIONS,
			    "asks for an extension twice");
		if (csr_ext_is_whole(ext))
			continue;
		(void)burin_fail_openssl(e, status, "request-malformed",
		    "the request's extension %s is not well formed",
		    OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(ext))));
		return burin_error_rule(e, RULE_EXTENSIONS);
	}
	return check_names(exts, status, e);
}
