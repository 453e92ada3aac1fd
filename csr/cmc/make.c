/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a Full PKI Request: RFC 10002 section 3.2, with the layers of
 * section 5 around it.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../cms/asn1.h"
#include "make.h"

#define OID_SIGNED "1.2.840.113549.1.7.2"
#define OID_AUTHENTICATED "1.2.840.113549.1.9.16.1.2"

static int
read_requests(const struct burin_cmc_ask *ask, struct cmc_requests *reqs,
    struct burin_error *e)
{
	memset(reqs, 0, sizeof(*reqs));
	if (ask->requests == NULL)
		return 0;
	return cmc_requests_parse(
	    ask->requests, ask->requests_len, BURIN_EUSAGE, reqs, e);
}

static int
protect(const struct burin_cmc_ask *ask, const unsigned char *data, size_t len,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	static const struct burin_cms_signer nobody = {
		.by = BURIN_CMS_BY_NOBODY
	};
	const struct burin_cmc_identity *id = ask->identity;

	if (ask->protect == BURIN_CMC_AUTHENTICATED)
		return burin_cms_authenticate(id->identification, id->secret,
		    id->legacy, 0, CMC_OID_PKI_DATA, data, len, der, der_len,
		    e);
	return burin_cms_sign(ask->signer != NULL ? ask->signer : &nobody,
	    CMC_OID_PKI_DATA, data, len, der, der_len, e);
}

/*
 * What is encrypted is the content of type id-signedData, without the
 * ContentInfo around it: RFC 5652 section 6.1. EnvelopedData with AES-CBC is
 * what servers of every generation read; the signature or MAC inside tells
 * when it was changed on the way.
 */
static int
encrypt(const struct burin_cmc_ask *ask, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	const unsigned char *p = *der;
	CSR_CONTENT_INFO *inner;
	const ASN1_STRING *content;
	unsigned char *out = NULL;
	size_t out_len = 0;
	int rc = -1;

	inner = d2i_CSR_CONTENT_INFO(NULL, &p, (long)*der_len);
	if (inner == NULL || inner->content == NULL ||
	    inner->content->type != V_ASN1_SEQUENCE) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "message-encode",
		    "the message cannot be encrypted");
		goto out;
	}
	content = inner->content->value.sequence;
	rc = burin_cms_encrypt(ask->encrypt, 1, BURIN_CMS_AES256_CBC,
	    ask->protect == BURIN_CMC_AUTHENTICATED ? OID_AUTHENTICATED
						    : OID_SIGNED,
	    content->data, (size_t)content->length, &out, &out_len, e);
out:
	CSR_CONTENT_INFO_free(inner);
	OPENSSL_clear_free(*der, *der_len);
	*der = out;
	*der_len = out_len;
	return rc;
}

int
burin_cmc_make(const struct burin_cmc_ask *ask, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	struct cmc_requests reqs;
	unsigned char *data = NULL;
	size_t len = 0;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (read_requests(ask, &reqs, e) == -1)
		return -1;
	if (cmc_check_ask(ask, &reqs, e) == -1 ||
	    cmc_data_make(ask, &reqs, &data, &len, e) == -1 ||
	    protect(ask, data, len, der, der_len, e) == -1)
		goto out;
	rc = ask->encrypt != NULL ? encrypt(ask, der, der_len, e) : 0;
out:
	OPENSSL_clear_free(data, len); /* may hold a revocation's secret */
	cmc_requests_clear(&reqs);
	return rc;
}
