/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message says of itself: nothing of it is proved.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "internal.h"

enum burin_cms_type
burin_cms_get_type(const struct burin_cms *cms)
{
	return cms->type;
}

const char *
burin_cms_content_type(const struct burin_cms *cms)
{
	return cms->content_type;
}

const unsigned char *
burin_cms_content(const struct burin_cms *cms, size_t *len)
{
	static const unsigned char nothing[1];

	*len = 0;
	if (cms->content == NULL)
		return NULL;
	/* Content of no bytes is content all the same. */
	*len = (size_t)cms->content->length;
	return *len > 0 ? cms->content->data : nothing;
}

STACK_OF(X509) * burin_cms_certs(const struct burin_cms *cms)
{
	return cms->certs;
}

STACK_OF(X509_CRL) * burin_cms_crls(const struct burin_cms *cms)
{
	return cms->crls;
}

size_t
burin_cms_n_signers(const struct burin_cms *cms)
{
	return cms->sd != NULL ? (size_t)sk_CSR_SIGNER_num(cms->sd->signers)
			       : 0;
}

/* 0 when it is not said, or not well. */
static time_t
signing_time(const CSR_SIGNER *si)
{
	const ASN1_TYPE *value;
	struct tm tm;
	time_t t = 0;

	(void)ERR_set_mark();
	value = csr_attrs_one(
	    si->signed_attrs, NID_pkcs9_signingTime, V_ASN1_UTCTIME);
	if (value == NULL)
		value = csr_attrs_one(si->signed_attrs, NID_pkcs9_signingTime,
		    V_ASN1_GENERALIZEDTIME);
	if (value != NULL && ASN1_TIME_to_tm(value->value.utctime, &tm) == 1)
		t = timegm(&tm);
	(void)ERR_pop_to_mark();
	return t > 0 ? t : 0;
}

static void
signature_name(const CSR_SIGNER *si, char *out, size_t size)
{
	const struct csr_md *md = csr_md_of_alg(si->digest_alg);
	char oid[CSR_OID_TEXT], name[CSR_OID_TEXT];

	csr_oid_text(si->signature_alg->algorithm, oid);
	if (strcmp(oid, OID_NO_SIGNATURE) == 0)
		(void)snprintf(out, size, "none");
	else if (strcmp(oid, OID_RSA) == 0)
		(void)snprintf(out, size, "RSA with %s",
		    md != NULL ? md->name : "an unknown digest");
	else if (OBJ_obj2txt(
		     name, sizeof(name), si->signature_alg->algorithm, 0) > 0)
		(void)snprintf(out, size, "%.60s", name);
	else
		(void)snprintf(out, size, "%s", "unknown");
}

void
burin_cms_signer(
    const struct burin_cms *cms, size_t i, struct burin_cms_signer_info *out)
{
	const CSR_SIGNER *si;

	memset(out, 0, sizeof(*out));
	if (i >= burin_cms_n_signers(cms))
		return;
	si = sk_CSR_SIGNER_value(cms->sd->signers, (int)i);
	if (si->sid->type == CSR_ID_ISSUER) {
		out->issuer = si->sid->d.issuer->issuer;
		out->serial = si->sid->d.issuer->serial;
	} else {
		out->key_id = si->sid->d.key_id->data;
		out->key_id_len = (size_t)si->sid->d.key_id->length;
	}
	out->no_signature =
	    csr_oid_is(si->signature_alg->algorithm, OID_NO_SIGNATURE);
	out->signing_time = signing_time(si);
	signature_name(si, out->signature, sizeof(out->signature));
}

X509 *
burin_cms_signer_cert(const struct burin_cms *cms, size_t i)
{
	const CSR_SIGNER *si;
	X509 *found = NULL;
	int c;

	if (i >= burin_cms_n_signers(cms))
		return NULL;
	si = sk_CSR_SIGNER_value(cms->sd->signers, (int)i);
	(void)ERR_set_mark();
	for (c = 0; c < sk_X509_num(cms->certs) && found == NULL; c++) {
		if (csr_names_cert(si->sid, sk_X509_value(cms->certs, c)))
			found = sk_X509_value(cms->certs, c);
	}
	(void)ERR_pop_to_mark();
	return found;
}
