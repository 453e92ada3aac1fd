/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message by its envelope: signed, authenticated, encrypted. In it lies
 * PKIData, PKIResponse (RFC 10002 sections 3 and 4), another message (section
 * 5), or nothing that can be seen.
 */

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include <burin/names.h>

#include "../../csr/cms/internal.h"
#include "show_cmc.h"

static const struct kind {
	const char *oid;
	const char *name;
} kinds[] = {
	[BURIN_CMS_DATA] = { OID_DATA, "data" },
	[BURIN_CMS_SIGNED] = { OID_SIGNED, "signed" },
	[BURIN_CMS_AUTHENTICATED] = { OID_AUTHENTICATED, "authenticated" },
	[BURIN_CMS_ENVELOPED] = { OID_ENVELOPED, "enveloped" },
	[BURIN_CMS_AUTH_ENVELOPED] = { OID_AUTH_ENVELOPED, "auth-enveloped" },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* --- a message in the content ----------------------------------------------
 */

/*
 * Signed around encrypted (RFC 10002 section 5): the content is what a
 * ContentInfo of its type would hold.
 */
static int
put_inner(json_t *o, const struct burin_cms *cms, unsigned depth)
{
	CSR_CONTENT_INFO info = { NULL, NULL };
	ASN1_TYPE any = { V_ASN1_SEQUENCE, { NULL } };
	ASN1_STRING *bytes = NULL;
	const unsigned char *content;
	unsigned char *der = NULL;
	json_t *list = json_array();
	size_t len;
	int n, rc = -1;

	content = burin_cms_content(cms, &len);
	if ((info.type = OBJ_txt2obj(cms->content_type, 1)) == NULL ||
	    (bytes = ASN1_STRING_type_new(V_ASN1_SEQUENCE)) == NULL ||
	    ASN1_STRING_set(bytes, content, (int)len) != 1)
		goto out;
	any.value.sequence = bytes;
	info.content = &any;
	if ((n = i2d_CSR_CONTENT_INFO(&info, &der)) > 0)
		rc = json_array_append_new(
		    list, show_envelope(der, (size_t)n, depth + 1, 0));
out:
	rc |= show_put(o, "messages", list);
	ASN1_OBJECT_free(info.type);
	ASN1_STRING_free(bytes);
	OPENSSL_free(der);
	return rc;
}

static int
holds_message(const struct burin_cms *cms)
{
	size_t i, len;

	if (burin_cms_content(cms, &len) == NULL)
		return 0;
	for (i = BURIN_CMS_SIGNED; i < N_KINDS; i++) {
		if (strcmp(cms->content_type, kinds[i].oid) == 0)
			return 1;
	}
	return 0;
}

static int
is_body(const char *content_type)
{
	return strcmp(content_type, CMC_OID_PKI_DATA) == 0 ||
	    strcmp(content_type, CMC_OID_PKI_RESPONSE) == 0;
}

/* --- all of a message ------------------------------------------------------
 */

static const char *
type_of(const struct burin_cms *cms)
{
	size_t len;

	if (strcmp(cms->content_type, CMC_OID_PKI_DATA) == 0)
		return "cmc-request";
	if (strcmp(cms->content_type, CMC_OID_PKI_RESPONSE) == 0)
		return "cmc-response";
	/* A Simple response: RFC 10002 section 4.1. */
	if (cms->type == BURIN_CMS_SIGNED && burin_cms_n_signers(cms) == 0 &&
	    burin_cms_content(cms, &len) == NULL)
		return "certs-only";
	return "envelope";
}

static int
put_content_type(json_t *o, const char *dotted)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
	int rc = show_put(o, "content", SHOW_OPT(oid, show_oid(oid)));

	ASN1_OBJECT_free(oid);
	return rc;
}

static json_t *
show_whole(struct burin_cms *cms, unsigned depth, int is_auth)
{
	struct shown m = { cms, CMC_DATA, NULL, NULL, NULL, NULL };
	json_t *o = json_object();
	int rc;

	if (strcmp(cms->content_type, CMC_OID_PKI_RESPONSE) == 0)
		m.kind = CMC_RESPONSE;
	else if (is_auth)
		m.kind = CMC_AUTH;
	if (is_body(cms->content_type))
		show_decode_body(&m);
	rc = show_put(o, "type", json_string(type_of(cms)));
	rc |= show_put(o, "envelope", json_string(kinds[cms->type].name));
	rc |= put_content_type(o, cms->content_type);
	rc |= show_put_signers(o, cms);
	rc |= show_put_protection(o, cms);
	rc |= show_put_unsigned(o, cms);
	rc |= show_put_body(o, &m, depth);
	if (holds_message(cms))
		rc |= put_inner(o, cms, depth);
	rc |= show_put_held(o, cms);
	rc |= show_put(o, "checked", show_checked(&m));
	show_clear_body(&m);
	ERR_clear_error();
	return show_done(o, rc);
}

/* Dotted type of what lies in a message that only OpenSSL can read; or "". */
static void
content_of(const unsigned char *der, size_t len, char out[CSR_OID_TEXT])
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	const ASN1_OBJECT *oid =
	    cms != NULL ? CMS_get0_eContentType(cms) : NULL;

	out[0] = '\0';
	if (oid != NULL)
		csr_oid_text(oid, out);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
}

static const struct kind *
kind_of(const unsigned char *der, size_t len)
{
	CSR_CONTENT_INFO *info =
	    show_decode(ASN1_ITEM_rptr(CSR_CONTENT_INFO), der, len);
	const struct kind *kind = NULL;
	size_t i;

	for (i = 0; info != NULL && i < N_KINDS; i++) {
		if (csr_oid_is(info->type, kinds[i].oid))
			kind = &kinds[i];
	}
	CSR_CONTENT_INFO_free(info);
	return kind;
}

/* As much as there is to say of what is refused as a whole. */
static json_t *
show_refused(const unsigned char *der, size_t len, const struct burin_error *e)
{
	const struct kind *kind = kind_of(der, len);
	json_t *o = json_object();
	char content[CSR_OID_TEXT];
	int rc;

	rc = show_put(o, "type", json_string("envelope"));
	rc |= show_put(o, "envelope",
	    kind != NULL ? json_string(kind->name) : json_null());
	content_of(der, len, content);
	if (content[0] != '\0')
		rc |= put_content_type(o, content);
	rc |= show_put_error(o, e);
	return show_done(o, rc);
}

json_t *
show_envelope(const unsigned char *der, size_t len, unsigned depth, int is_auth)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms = NULL;
	json_t *o;

	if (depth > BURIN_CMC_MAX_DEPTH) {
		(void)burin_fail(&e, BURIN_EUSAGE, "cmc-malformed",
		    "the message lies in more than %d others",
		    BURIN_CMC_MAX_DEPTH);
		return show_refused(der, len, &e);
	}
	if (burin_cms_parse(der, len, BURIN_EUSAGE, &cms, &e) == -1)
		o = show_refused(der, len, &e);
	else
		o = show_whole(cms, depth, is_auth);
	burin_cms_free(&cms);
	ERR_clear_error();
	return o;
}

int
show_is_envelope(const unsigned char *der, size_t len)
{
	const struct kind *kind = kind_of(der, len);
	struct burin_cms *cms = NULL;
	char content[CSR_OID_TEXT];
	int is = 0;

	if (kind == NULL || kind == &kinds[BURIN_CMS_DATA])
		return 0;
	if (kind != &kinds[BURIN_CMS_SIGNED])
		return 1;
	if (burin_cms_parse(der, len, BURIN_EUSAGE, &cms, NULL) == 0) {
		is = is_body(cms->content_type) || holds_message(cms);
	} else {
		content_of(der, len, content);
		is = is_body(content);
	}
	burin_cms_free(&cms);
	ERR_clear_error();
	return is;
}
