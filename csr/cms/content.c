/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * ContentInfo and EncapsulatedContentInfo (RFC 5652 sections 3, 5.2), and
 * how what comes in is refused.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"

int
csr_cms_malformed(struct burin_error *e, enum burin_status status,
    const char *why, const char *rule)
{
	(void)burin_fail_openssl(e, status, "message-malformed", "%s", why);
	return burin_error_rule(e, "%s", rule);
}

int
csr_cms_alg_refused(struct burin_error *e, enum burin_status status,
    const char *what, const ASN1_OBJECT *oid, const char *rule)
{
	char text[CSR_OID_TEXT];

	csr_oid_text(oid, text);
	(void)burin_fail_openssl(e, status, "algorithm-refused",
	    "%s %s is not known, too weak, or has other parameters than it "
	    "should",
	    what, text[0] != '\0' ? text : "of a very long OID");
	return burin_error_rule(e, "%s", rule);
}

ASN1_OBJECT *
csr_oid_parse(const char *dotted, struct burin_error *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);

	if (oid == NULL)
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "content-type-bad",
		    "\"%.80s\" is not an object identifier", dotted);
	return oid;
}

int
csr_encap_set(CSR_ENCAP *encap, const char *type, const void *content,
    size_t len, struct burin_error *e)
{
	ASN1_OBJECT *oid = csr_oid_parse(type, e);

	if (oid == NULL)
		return -1;
	ASN1_OBJECT_free(encap->type);
	encap->type = oid;
	if (content == NULL)
		return 0;
	if (len > BURIN_MAX_MESSAGE)
		return burin_fail(e, BURIN_EUSAGE, "message-too-long",
		    "the content is longer than %d bytes", BURIN_MAX_MESSAGE);
	if ((encap->content = ASN1_OCTET_STRING_new()) == NULL ||
	    ASN1_OCTET_STRING_set(encap->content, content, (int)len) != 1)
		return burin_fail_memory(e);
	return 0;
}

int
csr_content_encode(const char *oid, const ASN1_ITEM *it, void *val,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	CSR_CONTENT_INFO *info = CSR_CONTENT_INFO_new();
	int n = -1;

	*der = NULL;
	*der_len = 0;
	if (info != NULL && (info->type = OBJ_txt2obj(oid, 1)) != NULL &&
	    ASN1_TYPE_pack_sequence(it, val, &info->content) != NULL)
		n = i2d_CSR_CONTENT_INFO(info, der);
	CSR_CONTENT_INFO_free(info);
	if (n <= 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "message-encode",
		    "the message could not be encoded");
	*der_len = (size_t)n;
	return 0;
}
