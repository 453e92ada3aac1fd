/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which proof of possession the plan asks for, or its key can give, and in
 * which form of request (design: never none in silence).
 */

#include <string.h>

#include <burin/response.h>

#include "plan.h"

/*
 * RFC 10002 section 6.7 does not say whether the tag of the TaggedRequest is
 * under the MAC of decryptedPOP: most authorities have it so, some do not.
 */
static const struct {
	const char *name;
	enum burin_pop pop;
} pops[] = {
	{ "signature", BURIN_POP_SIGNATURE },
	{ "challenge", BURIN_POP_CHALLENGE },
	{ "challenge-untagged", BURIN_POP_CHALLENGE },
	{ "agreement", BURIN_POP_AGREEMENT },
};
#define N_POPS (sizeof(pops) / sizeof(pops[0]))

int
plan_pop_untagged(const struct plan *p)
{
	return p->pop != NULL && strcmp(p->pop, "challenge-untagged") == 0;
}

int
plan_key_signs(const struct burin_key *k)
{
	return burin_key_get_type(k) != BURIN_X25519 &&
	    (burin_key_usage(k) & BURIN_USE_SIGN) != 0;
}

static int
pop_kind(const struct plan *p, const struct burin_key *k, enum burin_pop *pop,
    struct burin_error *e)
{
	size_t i;

	*pop = BURIN_POP_CHALLENGE;
	if (k != NULL && plan_key_signs(k))
		*pop = BURIN_POP_SIGNATURE;
	else if (p->pop_cert != NULL)
		*pop = BURIN_POP_AGREEMENT;
	if (p->pop == NULL)
		return 0;
	for (i = 0; i < N_POPS; i++)
		if (strcmp(p->pop, pops[i].name) == 0) {
			*pop = pops[i].pop;
			return 0;
		}
	(void)burin_fail(e, BURIN_EUSAGE, "pop-unknown",
	    "\"%s\" is no proof of possession", p->pop);
	return burin_error_advice(e,
	    "--pop takes signature, challenge, challenge-untagged or "
	    "agreement");
}

int
plan_check_form(const struct plan *p, struct burin_error *e)
{
	enum burin_pop pop;

	if (p->inner != NULL && strcmp(p->inner, "pkcs10") != 0 &&
	    strcmp(p->inner, "crmf") != 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "format-unknown",
		    "inside CMC there is no \"%s\"", p->inner);
		return burin_error_advice(e, "--inner takes pkcs10 or crmf");
	}
	if (pop_kind(p, NULL, &pop, e) != 0)
		return -1;
	if (pop != BURIN_POP_AGREEMENT || p->pop_cert != NULL)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "pop-cert-missing",
	    "this proof needs the authority's key agreement certificate");
	(void)burin_error_rule(e, "RFC 6955 section 6");
	return burin_error_advice(e, "give it with --pop-cert FILE");
}

int
plan_pop(const struct plan *p, struct burin_key *k, STACK_OF(X509) * authority,
    struct burin_pop_how *how, struct burin_error *e)
{
	memset(how, 0, sizeof(*how));
	how->agree = -1;
	if (pop_kind(p, k, &how->pop, e) != 0)
		return -1;
	if (how->pop == BURIN_POP_CHALLENGE)
		return 0;
	if (how->pop == BURIN_POP_AGREEMENT)
		how->authority = sk_X509_value(authority, 0);
	how->key = burin_key_evp(k, e);
	return how->key != NULL ? 0 : -1;
}

enum burin_cmc_form
plan_inner(const struct plan *p, const struct burin_pop_how *how)
{
	if (p->inner != NULL)
		return strcmp(p->inner, "crmf") == 0 ? BURIN_CMC_CRMF
						     : BURIN_CMC_PKCS10;
	/* PKCS#10 could only say that it says nothing. */
	return how->pop == BURIN_POP_CHALLENGE ? BURIN_CMC_CRMF
					       : BURIN_CMC_PKCS10;
}

int
plan_octets(const char *text, const char *option, struct burin_cmc_octets *o,
    struct burin_error *e)
{
	o->len = 0;
	if (text == NULL)
		return 0;
	if (strlen(text) > sizeof(o->data))
		return burin_fail(e, BURIN_EUSAGE, "text-too-long",
		    "%s is longer than %zu bytes", option, sizeof(o->data));
	o->len = strlen(text);
	memcpy(o->data, text, o->len);
	return 0;
}

int
plan_recipient(const struct plan *p, STACK_OF(X509) * *certs,
    struct burin_cms_recipient *to, struct burin_error *e)
{
	memset(to, 0, sizeof(*to));
	if (burin_certs_parse(p->encrypt_to, strlen(p->encrypt_to),
		BURIN_EUSAGE, certs, e) != 0)
		return -1;
	to->cert = sk_X509_value(*certs, 0);
	to->pub = X509_get0_pubkey(to->cert);
	return 0;
}
