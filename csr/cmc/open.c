/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages in messages: RFC 10002 sections 3.2.1.3 and 5. Opened one by one
 * and no deeper than is asked, with a limit.
 */

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "../cms/internal.h"
#include "parse.h"
#include "read.h"

int
cmc_is_content_info(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	long inner;
	int tag, class, flags, is = 0;

	if (der == NULL || len == 0 || len > BURIN_MAX_MESSAGE)
		return 0;
	(void)ERR_set_mark();
	flags = ASN1_get_object(&p, &inner, &tag, &class, (long)len);
	if ((flags & 0x80) == 0 && tag == V_ASN1_SEQUENCE &&
	    class == V_ASN1_UNIVERSAL && p < der + len)
		is = *p == V_ASN1_OBJECT;
	(void)ERR_pop_to_mark();
	return is;
}

int
cmc_content_info(const char *type, const unsigned char *data, size_t len,
    enum burin_status status, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	const unsigned char *p = data;
	ASN1_TYPE *any = NULL;
	int rc = -1;

	*der = NULL;
	*der_len = len;
	if (cmc_is_content_info(data, len))
		return (*der = OPENSSL_memdup(data, len)) != NULL
		    ? 0
		    : burin_fail_memory(e);
	if (data != NULL && len > 0 && len <= BURIN_MAX_MESSAGE)
		any = d2i_ASN1_TYPE(NULL, &p, (long)len);
	if (any == NULL || any->type != V_ASN1_SEQUENCE || p != data + len) {
		(void)burin_fail_openssl(e, status, "cmc-malformed",
		    "the message inside an envelope cannot be decoded");
		(void)burin_error_rule(e, "RFC 10002 section 5");
		goto out;
	}
	rc = csr_content_encode(
	    type, ASN1_ITEM_rptr(ASN1_ANY), any, der, der_len, e);
out:
	ASN1_TYPE_free(any);
	return rc;
}

int
cmc_content_parse(const char *type, const unsigned char *data, size_t len,
    enum burin_status status, struct burin_cms **out, struct burin_error *e)
{
	unsigned char *der;
	size_t der_len;
	int rc;

	*out = NULL;
	if (cmc_content_info(type, data, len, status, &der, &der_len, e) == -1)
		return -1;
	rc = burin_cms_parse(der, der_len, status, out, e);
	OPENSSL_free(der);
	return rc;
}

int
cmc_message_open(const unsigned char *der, size_t len, unsigned depth,
    enum burin_status status, struct cmc_opened *out, struct burin_error *e)
{
	const unsigned char *content;
	const char *type;
	size_t n;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (depth >= BURIN_CMC_MAX_DEPTH) {
		(void)burin_fail(e, status, "cmc-too-deep",
		    "messages lie in messages, more than %d deep",
		    BURIN_CMC_MAX_DEPTH);
		return burin_error_rule(e, "RFC 10002 section 3.2.1.3");
	}
	if (burin_cms_parse(der, len, status, &out->cms, e) == -1)
		return -1;
	type = burin_cms_content_type(out->cms);
	content = burin_cms_content(out->cms, &n);
	if (content == NULL)
		return 0;
	if (strcmp(type, CMC_OID_PKI_DATA) == 0)
		rc =
		    cmc_body_parse(CMC_DATA, content, n, status, &out->body, e);
	else if (strcmp(type, CMC_OID_PKI_RESPONSE) == 0)
		rc = cmc_body_parse(
		    CMC_RESPONSE, content, n, status, &out->body, e);
	if (rc == -1)
		cmc_opened_clear(out);
	return rc;
}

void
cmc_opened_clear(struct cmc_opened *o)
{
	burin_cms_free(&o->cms);
	cmc_body_free(&o->body);
}

int
cmc_path_open(const struct cmc_body *b, const struct cmc_path *path,
    unsigned depth, enum burin_status status, struct cmc_opened *out,
    struct burin_error *e)
{
	const struct cmc_message_part *part;
	struct cmc_opened next;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < path->n; i++) {
		part = b != NULL ? cmc_body_message(b, path->ids[i]) : NULL;
		if (part == NULL) {
			(void)burin_fail(e, status, "cmc-malformed",
			    "a path names a message that is not there: "
			    "number %zu in it",
			    i + 1);
			(void)burin_error_rule(e, "RFC 10002 section 3.2.2");
			goto fail;
		}
		if (cmc_message_open(part->der, part->len, depth + (unsigned)i,
			status, &next, e) == -1)
			goto fail;
		cmc_opened_clear(out);
		*out = next;
		b = out->body;
	}
	return 0;
fail:
	cmc_opened_clear(out);
	return -1;
}
