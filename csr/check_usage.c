/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * G5: usages as asked. G7: key usage fits what the token key may do.
 * RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include <burin/names.h>

#include "check.h"

const struct csr_usage csr_usages[CSR_USAGES] = {
	{ KU_DIGITAL_SIGNATURE, "digitalSignature", BURIN_USE_SIGN },
	{ KU_NON_REPUDIATION, "nonRepudiation", BURIN_USE_SIGN },
	{ KU_KEY_ENCIPHERMENT, "keyEncipherment", BURIN_USE_DECRYPT },
	{ KU_DATA_ENCIPHERMENT, "dataEncipherment", BURIN_USE_DECRYPT },
	{ KU_KEY_AGREEMENT, "keyAgreement", BURIN_USE_DERIVE },
	{ KU_KEY_CERT_SIGN, "keyCertSign", BURIN_USE_SIGN },
	{ KU_CRL_SIGN, "cRLSign", BURIN_USE_SIGN },
	/* The last two only restrict keyAgreement. */
	{ KU_ENCIPHER_ONLY, "encipherOnly", 0 },
	{ KU_DECIPHER_ONLY, "decipherOnly", 0 },
};

#define CA_BITS (KU_KEY_CERT_SIGN | KU_CRL_SIGN)
#define TEXT 160 /* bytes of a list of usages in a detail */

void
csr_list_usages(uint32_t bits, char *text, size_t size)
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < CSR_USAGES; i++) {
		if ((bits & csr_usages[i].bit) == 0)
			continue;
		if (text[0] != '\0')
			(void)OPENSSL_strlcat(text, ", ", size);
		(void)OPENSSL_strlcat(text, csr_usages[i].name, size);
	}
}

uint32_t
csr_usage_bits(const STACK_OF(X509_EXTENSION) * exts)
{
	ASN1_BIT_STRING *ku = X509V3_get_d2i(exts, NID_key_usage, NULL, NULL);
	uint32_t bits = 0;
	const unsigned char *p;

	if (ku == NULL)
		return 0;
	p = ASN1_STRING_get0_data(ku);
	if (ASN1_STRING_length(ku) > 0)
		bits = p[0];
	if (ASN1_STRING_length(ku) > 1)
		bits |= (uint32_t)p[1] << 8;
	ASN1_BIT_STRING_free(ku);
	return bits;
}

static void
judge_key_usage(struct burin_check *c, uint32_t asked, uint32_t got)
{
	char text[TEXT];

	if (got == UINT32_MAX) { /* no extension: every use */
		if (asked != 0)
			csr_check_set(c, BURIN_WARN,
			    "the certificate has no keyUsage, it allows more "
			    "than was asked");
		return;
	}
	if ((asked & ~got) != 0) {
		csr_list_usages(asked & ~got, text, sizeof(text));
		csr_check_set(
		    c, BURIN_FAIL, "keyUsage asked for, not there: %s", text);
	}
	if ((got & ~asked & CA_BITS) != 0) {
		csr_list_usages(got & ~asked & CA_BITS, text, sizeof(text));
		csr_check_set(c, BURIN_FAIL,
		    "keyUsage of an authority, not asked for: %s", text);
	} else if (asked != 0 && (got & ~asked) != 0) {
		csr_list_usages(got & ~asked, text, sizeof(text));
		csr_check_set(
		    c, BURIN_WARN, "keyUsage there, not asked for: %s", text);
	}
}

int
csr_has_purpose(const EXTENDED_KEY_USAGE *ekus, const ASN1_OBJECT *oid)
{
	int i;

	for (i = 0; i < sk_ASN1_OBJECT_num(ekus); i++) {
		if (OBJ_cmp(sk_ASN1_OBJECT_value(ekus, i), oid) == 0)
			return 1;
	}
	return 0;
}

int
burin_cert_has_purpose(X509 *cert, int nid)
{
	EXTENDED_KEY_USAGE *ekus =
	    X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	int has = csr_has_purpose(ekus, OBJ_nid2obj(nid));

	EXTENDED_KEY_USAGE_free(ekus);
	return has;
}

/* Says which purposes of some are not among others. */
static void
judge_missing(struct burin_check *c, enum burin_check_level level,
    const char *what, const EXTENDED_KEY_USAGE *some,
    const EXTENDED_KEY_USAGE *others)
{
	int i;

	for (i = 0; i < sk_ASN1_OBJECT_num(some); i++) {
		const ASN1_OBJECT *oid = sk_ASN1_OBJECT_value(some, i);
		char *text;

		if (csr_has_purpose(others, oid))
			continue;
		text = burin_eku_text(oid);
		csr_check_set(c, level, "%s%.100s", what,
		    text != NULL ? text : "a purpose");
		free(text);
	}
}

int
csr_says_ca(const STACK_OF(X509_EXTENSION) * exts)
{
	BASIC_CONSTRAINTS *bc =
	    X509V3_get_d2i(exts, NID_basic_constraints, NULL, NULL);
	int ca = bc != NULL && bc->ca != 0;

	BASIC_CONSTRAINTS_free(bc);
	return ca;
}

int
csr_check_usages(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(in->cert);
	const STACK_OF(X509_EXTENSION) * wanted;
	EXTENDED_KEY_USAGE *asked = NULL, *got = NULL;

	(void)e;
	if (in->asked == NULL) {
		csr_check_set(c, BURIN_SKIP, "no request to compare with");
		return 0;
	}
	wanted = in->asked->extensions;
	if (csr_says_ca(exts) && !csr_says_ca(wanted))
		csr_check_set(c, BURIN_FAIL,
		    "it is the certificate of an authority (cA), which was "
		    "not asked for");
	judge_key_usage(
	    c, csr_usage_bits(wanted), X509_get_key_usage(in->cert));
	asked = X509V3_get_d2i(wanted, NID_ext_key_usage, NULL, NULL);
	got = X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
	judge_missing(c, BURIN_FAIL,
	    "extended key usage asked for, not there: ", asked, got);
	if (asked != NULL)
		judge_missing(c, BURIN_WARN,
		    "extended key usage there, not asked for: ", got, asked);
	if (c->detail[0] == '\0')
		csr_check_set(c, BURIN_PASS, "as asked");
	EXTENDED_KEY_USAGE_free(asked);
	EXTENDED_KEY_USAGE_free(got);
	return 0;
}

int
csr_check_key_usage(const struct burin_check_input *in, struct burin_check *c,
    struct burin_error *e)
{
	uint32_t got = X509_get_key_usage(in->cert), can = 0, cannot = 0;
	char text[TEXT];
	size_t i;

	(void)e;
	if (in->key_usage == 0) {
		csr_check_set(c, BURIN_SKIP, "the key's usage is not known");
		return 0;
	}
	if (got == UINT32_MAX) {
		csr_check_set(c, BURIN_PASS, "no keyUsage, no restriction");
		return 0;
	}
	for (i = 0; i < CSR_USAGES; i++) {
		if ((got & csr_usages[i].bit) == 0 || csr_usages[i].use == 0)
			continue;
		if ((in->key_usage & csr_usages[i].use) != 0)
			can |= csr_usages[i].bit;
		else
			cannot |= csr_usages[i].bit;
	}
	csr_list_usages(cannot, text, sizeof(text));
	if (can == 0)
		csr_check_set(c, BURIN_FAIL,
		    "the token key can do nothing the certificate is for (%s)",
		    text[0] != '\0' ? text : "no usage");
	else if (cannot != 0)
		csr_check_set(
		    c, BURIN_WARN, "the token key is not made for: %s", text);
	else
		csr_check_set(c, BURIN_PASS, "the key may do what it is for");
	return 0;
}
