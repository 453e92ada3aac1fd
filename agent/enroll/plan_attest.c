/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The attestation that a plan wants in its request: from the token into the
 * subject.
 */

#include "plan.h"

int
plan_attestation_form(
    const struct plan *p, enum burin_attest_form *form, struct burin_error *e)
{
	*form = BURIN_ATTEST_NONE;
	if (p->attestation == NULL)
		return 0;
	*form = burin_attest_form_parse(p->attestation);
	if (*form != BURIN_ATTEST_NONE)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "attestation-form",
	    "--attestation is yubico or draft, not \"%s\"", p->attestation);
}

int
plan_attest(const struct plan *p, struct burin_key *k, struct burin_subject *s,
    struct burin_error *e)
{
	enum burin_attest_form form;
	STACK_OF(X509) *above = NULL;
	X509 *cert = NULL;
	int rc;

	if (plan_attestation_form(p, &form, e) != 0)
		return -1;
	if (form == BURIN_ATTEST_NONE)
		return 0;
	if ((rc = burin_attestation_read(k, &cert, &above, e)) == 0)
		rc = burin_subject_set_attestation(s, form, cert, above, e);
	if (rc != 0)
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(k)));
	X509_free(cert);
	sk_X509_pop_free(above, X509_free);
	return rc;
}

int
plan_has_attributes(const struct plan *p)
{
	enum burin_attest_form form;

	return p->attributes.n > 0 ||
	    (p->attestation != NULL &&
		plan_attestation_form(p, &form, NULL) == 0 &&
		form == BURIN_ATTEST_DRAFT);
}
