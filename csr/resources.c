/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inherited IP addresses and AS numbers along a path, RFC 3779 sections 2.3
 * and 3.3. X509_verify_cert compares explicit resources; an inherited family
 * that nobody above holds passes there. It must not: "inherit" then stands
 * for nothing, or for everything to a lenient reader.
 */

#include <openssl/x509v3.h>

#include "check.h"

static const char no_family[] =
    "it inherits addresses of a family that its issuer does not hold";
static const char no_numbers[] =
    "it inherits AS numbers that its issuer does not hold";
static const char inherits_none[] =
    "an anchor cannot inherit resources, there is nobody above it";

static const IPAddressFamily *
find_family(const IPAddrBlocks *blocks, const ASN1_OCTET_STRING *family)
{
	int i;

	for (i = 0; i < sk_IPAddressFamily_num(blocks); i++) {
		const IPAddressFamily *f = sk_IPAddressFamily_value(blocks, i);

		if (ASN1_OCTET_STRING_cmp(f->addressFamily, family) == 0)
			return f;
	}
	return NULL;
}

/*
 * issuer NULL: cert is the anchor. An issuer that inherits was judged before
 * its subject, so what it holds is real.
 */
static const char *
judge_addresses(
    const IPAddrBlocks *own, const IPAddrBlocks *issuers, int is_anchor)
{
	int i;

	for (i = 0; i < sk_IPAddressFamily_num(own); i++) {
		const IPAddressFamily *f = sk_IPAddressFamily_value(own, i);

		if (f->ipAddressChoice == NULL ||
		    f->ipAddressChoice->type != IPAddressChoice_inherit)
			continue;
		if (is_anchor)
			return inherits_none;
		if (find_family(issuers, f->addressFamily) == NULL)
			return no_family;
	}
	return NULL;
}

static const char *
judge_choice(const ASIdentifierChoice *own, const ASIdentifierChoice *issuers,
    int is_anchor)
{
	if (own == NULL || own->type != ASIdentifierChoice_inherit)
		return NULL;
	if (is_anchor)
		return inherits_none;
	return issuers == NULL ? no_numbers : NULL;
}

static const char *
judge_numbers(
    const ASIdentifiers *own, const ASIdentifiers *issuers, int is_anchor)
{
	const char *why;

	if (own == NULL)
		return NULL;
	why = judge_choice(
	    own->asnum, issuers != NULL ? issuers->asnum : NULL, is_anchor);
	if (why == NULL)
		why = judge_choice(
		    own->rdi, issuers != NULL ? issuers->rdi : NULL, is_anchor);
	return why;
}

/* What one certificate holds; malformed is 1 when that cannot be told. */
struct resources {
	IPAddrBlocks *blocks;
	ASIdentifiers *numbers;
	int malformed;
};

static void
resources_get(struct resources *r, const X509 *cert)
{
	int critical;

	r->blocks =
	    X509_get_ext_d2i(cert, NID_sbgp_ipAddrBlock, &critical, NULL);
	r->malformed = r->blocks == NULL && critical != -1;
	r->numbers =
	    X509_get_ext_d2i(cert, NID_sbgp_autonomousSysNum, &critical, NULL);
	r->malformed |= r->numbers == NULL && critical != -1;
}

static void
resources_clear(struct resources *r)
{
	sk_IPAddressFamily_pop_free(r->blocks, IPAddressFamily_free);
	ASIdentifiers_free(r->numbers);
}

static const char *
judge_one(X509 *cert, X509 *issuer)
{
	struct resources own, above = { NULL, NULL, 0 };
	const char *why;

	resources_get(&own, cert);
	if (issuer != NULL)
		resources_get(&above, issuer);
	if (own.malformed || above.malformed)
		why = "its RFC 3779 resources are not well formed";
	else
		why = judge_addresses(own.blocks, above.blocks, issuer == NULL);
	if (why == NULL)
		why = judge_numbers(own.numbers, above.numbers, issuer == NULL);
	resources_clear(&own);
	resources_clear(&above);
	return why;
}

int
csr_resources_inherited(STACK_OF(X509) * chain, int *depth, const char **why)
{
	int i, n = sk_X509_num(chain);

	for (i = n - 1; i >= 0; i--) {
		X509 *issuer = i + 1 < n ? sk_X509_value(chain, i + 1) : NULL;

		*depth = i;
		if ((*why = judge_one(sk_X509_value(chain, i), issuer)) != NULL)
			return 0;
	}
	return 1;
}
