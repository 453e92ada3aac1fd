/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a Full PKI Request: RFC 10002 section 3.2, with the layers of
 * section 5 around it.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../cms/internal.h"
#include "make.h"

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
int
burin_cmc_encrypt(const void *message, size_t len,
    const struct burin_cms_recipient *to, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	const unsigned char *p = message;
	CSR_CONTENT_INFO *inner = d2i_CSR_CONTENT_INFO(NULL, &p, (long)len);
	char type[CSR_OID_TEXT] = "";
	const ASN1_STRING *content;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (inner == NULL || p != (const unsigned char *)message + len ||
	    inner->content == NULL || inner->content->type != V_ASN1_SEQUENCE) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "message-malformed",
		    "what is to be encrypted is no message");
		(void)burin_error_rule(e, "RFC 10002 section 5");
		goto out;
	}
	csr_oid_text(inner->type, type);
	content = inner->content->value.sequence;
	rc = burin_cms_encrypt(to, 1, BURIN_CMS_AES256_CBC, type, content->data,
	    (size_t)content->length, der, der_len, e);
out:
	CSR_CONTENT_INFO_free(inner);
	return rc;
}

static int
protect_and_encrypt(const struct burin_cmc_ask *ask, const unsigned char *data,
    size_t len, unsigned char **der, size_t *der_len, struct burin_error *e)
{
	unsigned char *message = NULL;
	size_t n = 0;
	int rc = -1;

	if (ask->encrypt == NULL)
		return protect(ask, data, len, der, der_len, e);
	if (protect(ask, data, len, &message, &n, e) == 0)
		rc = burin_cmc_encrypt(
		    message, n, ask->encrypt, der, der_len, e);
	OPENSSL_clear_free(message, n);
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
	if (cmc_check_ask(ask, &reqs, e) == 0 &&
	    cmc_data_make(ask, &reqs, &data, &len, e) == 0)
		rc = protect_and_encrypt(ask, data, len, der, der_len, e);
	OPENSSL_clear_free(data, len); /* may hold a revocation's secret */
	cmc_requests_clear(&reqs);
	return rc;
}
