/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was asked for, from whatever said it: PKCS#10, CRMF, or a message of
 * CMC that holds some of either.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "requests.h"

enum shape {
	SHAPE_PKCS10,
	SHAPE_CRMF,
	SHAPE_CRMF_LIST,
	SHAPE_REQUESTS, /* reqSequence */
	SHAPE_MESSAGE	/* ContentInfo */
};

static int
not_there(enum burin_status status, struct burin_error *e)
{
	return burin_fail(e, status, "request-not-there",
	    "what was asked does not hold a request for this key");
}

/* --- which of them -------------------------------------------------------- */

/* The type of the first element of a SEQUENCE; *third of the third one. */
static int
first_type(
    const unsigned char *der, size_t len, ASN1_SEQUENCE_ANY **list, int *third)
{
	const unsigned char *p = der;
	const ASN1_TYPE *any;

	*third = V_ASN1_UNDEF;
	if ((*list = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len)) == NULL ||
	    sk_ASN1_TYPE_num(*list) == 0)
		return V_ASN1_UNDEF;
	if ((any = sk_ASN1_TYPE_value(*list, 2)) != NULL)
		*third = any->type;
	return sk_ASN1_TYPE_value(*list, 0)->type;
}

/*
 * A ContentInfo begins with an OID, a TaggedRequest with a tag; a PKCS#10
 * ends with a BIT STRING; CertRequest begins with a number.
 */
static enum shape
shape_of(const unsigned char *der, size_t len)
{
	ASN1_SEQUENCE_ANY *list, *inner = NULL;
	const ASN1_STRING *first;
	enum shape shape = SHAPE_PKCS10;
	int third, ignored;

	(void)ERR_set_mark();
	switch (first_type(der, len, &list, &third)) {
	case V_ASN1_OBJECT:
		shape = SHAPE_MESSAGE;
		break;
	case V_ASN1_OTHER:
		shape = SHAPE_REQUESTS;
		break;
	case V_ASN1_SEQUENCE:
		if (third == V_ASN1_BIT_STRING)
			break;
		first = sk_ASN1_TYPE_value(list, 0)->value.sequence;
		shape = first_type(first->data, (size_t)first->length, &inner,
			    &ignored) == V_ASN1_SEQUENCE
		    ? SHAPE_CRMF_LIST
		    : SHAPE_CRMF;
		break;
	default: /* PEM, or nothing: the reader of PKCS#10 says what it is */
		break;
	}
	sk_ASN1_TYPE_pop_free(inner, ASN1_TYPE_free);
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	(void)ERR_pop_to_mark();
	return shape;
}

/* --- one reader each ------------------------------------------------------ */

static int
from_pkcs10(const void *data, size_t len, enum burin_status status,
    struct burin_asked *out, struct burin_error *e)
{
	X509_REQ *req;
	int rc;

	if (burin_pkcs10_parse(data, len, status, &req, e) == -1)
		return -1;
	rc = cmc_asked_of_pkcs10(req, status, out, e);
	X509_REQ_free(req);
	return rc;
}

static int
from_crmf(const void *data, size_t len, enum burin_status status,
    struct burin_asked *out, struct burin_error *e)
{
	struct burin_crmf *m;
	int rc;

	if (burin_crmf_parse(data, len, 0, status, &m, e) == -1)
		return -1;
	rc = cmc_asked_of_crmf(m, status, out, e);
	burin_crmf_free(&m);
	return rc;
}

/* The one for pub; with pub NULL the only one. */
static int
from_crmf_list(const void *data, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e)
{
	struct burin_crmf **list;
	size_t i, n;
	int rc = -1, found = 0;

	if (burin_crmf_parse_list(data, len, 0, status, &list, &n, e) == -1)
		return -1;
	for (i = 0; i < n && !found; i++) {
		burin_asked_clear(out);
		if (cmc_asked_of_crmf(list[i], status, out, e) == -1)
			goto out;
		found = pub != NULL ? cmc_asks_for_key(out, pub) : n == 1;
	}
	rc = found ? 0 : not_there(status, e);
out:
	for (i = 0; i < n; i++)
		burin_crmf_free(&list[i]);
	free(list);
	return rc;
}

static int
from_requests(const unsigned char *der, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e)
{
	struct cmc_requests r;
	size_t i;
	int rc = -1;

	if (cmc_requests_parse(der, len, status, &r, e) == -1)
		return -1;
	for (i = 0; i < r.n; i++) {
		if (pub != NULL ? !cmc_asks_for_key(&r.list[i].asked, pub)
				: r.n != 1)
			continue;
		*out = r.list[i].asked;
		memset(&r.list[i].asked, 0, sizeof(r.list[i].asked));
		rc = 0;
		break;
	}
	if (rc == -1)
		(void)not_there(status, e);
	cmc_requests_clear(&r);
	return rc;
}

static int
from_data(const unsigned char *der, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e)
{
	const unsigned char *p = der;
	CMC_PKI_DATA *data = d2i_CMC_PKI_DATA(NULL, &p, (long)len);
	int rc;

	if (data == NULL || p != der + len) {
		CMC_PKI_DATA_free(data);
		(void)burin_fail_openssl(e, status, "request-malformed",
		    "the message cannot be decoded as PKIData");
		return burin_error_rule(e, "RFC 10002 section 3.2.1");
	}
	rc = from_requests(
	    data->reqs->data, (size_t)data->reqs->length, pub, status, out, e);
	CMC_PKI_DATA_free(data);
	return rc;
}

static int
no_request(const char *why, enum burin_status status, struct burin_error *e)
{
	(void)burin_fail(e, status, "request-malformed", "the message %s", why);
	return burin_error_rule(e, "RFC 10002 section 3.2");
}

/* Our own bytes: nothing is verified. */
static int
from_message(const void *data, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e)
{
	const unsigned char *content;
	struct burin_cms *cms;
	size_t n;
	int rc = -1;

	if (burin_cms_parse(data, len, status, &cms, e) == -1)
		return -1;
	content = burin_cms_content(cms, &n);
	switch (burin_cms_get_type(cms)) {
	case BURIN_CMS_SIGNED:
	case BURIN_CMS_AUTHENTICATED:
		if (content == NULL ||
		    strcmp(burin_cms_content_type(cms), CMC_OID_PKI_DATA) != 0)
			rc = no_request("is no Full PKI Request", status, e);
		else
			rc = from_data(content, n, pub, status, out, e);
		break;
	case BURIN_CMS_ENVELOPED:
	case BURIN_CMS_AUTH_ENVELOPED:
		rc = no_request(
		    "is encrypted, and not for who made it", status, e);
		(void)burin_error_advice(
		    e, "keep the requests beside the message (reqSequence)");
		break;
	case BURIN_CMS_DATA:
		rc = no_request(
		    "is neither signed nor authenticated", status, e);
		break;
	}
	burin_cms_free(&cms);
	return rc;
}

int
burin_asked_parse(const void *data, size_t len, EVP_PKEY *pub,
    enum burin_status status, struct burin_asked *out, struct burin_error *e)
{
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (len > BURIN_MAX_MESSAGE)
		return burin_fail(e, status, "request-malformed",
		    "the request is longer than %d bytes", BURIN_MAX_MESSAGE);
	switch (shape_of(data, len)) {
	case SHAPE_PKCS10:
		rc = from_pkcs10(data, len, status, out, e);
		break;
	case SHAPE_CRMF:
		rc = from_crmf(data, len, status, out, e);
		break;
	case SHAPE_CRMF_LIST:
		rc = from_crmf_list(data, len, pub, status, out, e);
		break;
	case SHAPE_REQUESTS:
		rc = from_requests(data, len, pub, status, out, e);
		break;
	case SHAPE_MESSAGE:
		rc = from_message(data, len, pub, status, out, e);
		break;
	}
	if (rc == 0 && pub != NULL && !cmc_asks_for_key(out, pub))
		rc = not_there(status, e);
	if (rc == -1)
		burin_asked_clear(out);
	return rc;
}

void
burin_asked_clear(struct burin_asked *a)
{
	X509_NAME_free(a->subject);
	EVP_PKEY_free(a->pub);
	sk_X509_EXTENSION_pop_free(a->extensions, X509_EXTENSION_free);
	memset(a, 0, sizeof(*a));
}
