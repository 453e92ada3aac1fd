/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One extension from openssl.cnf syntax (x509v3_config(5)), by OpenSSL's own
 * reader, and lists of extensions.
 */

#include <ctype.h>
#include <string.h>

#include <openssl/err.h>

#include "internal.h"

#define CRITICAL "critical"

static int
refuse(struct burin_error *e, const char *name, const char *why,
    const char *rule, const char *advice)
{
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "ext-malformed",
	    "the extension %.100s %s", name, why);
	(void)burin_error_rule(e, "%s", rule);
	return burin_error_advice(e, "%s", advice);
}

/* The next word of a comma list without blanks round it; 0 at the end. */
static int
next_word(const char **list, const char **word, size_t *len)
{
	const char *p = *list;
	size_t n;

	if (p == NULL)
		return 0;
	n = strcspn(p, ",");
	*list = p[n] == ',' ? p + n + 1 : NULL;
	while (n > 0 && isspace((unsigned char)*p)) {
		p++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)p[n - 1]))
		n--;
	*word = p;
	*len = n;
	return 1;
}

static int
push_purpose(EXTENDED_KEY_USAGE *ekus, const char *word, size_t len,
    struct burin_error *e)
{
	char text[BURIN_MAX_TEXT];
	ASN1_OBJECT *oid;

	if (len >= sizeof(text))
		return burin_fail(e, BURIN_EUSAGE, "eku-unknown",
		    "an extended key usage is longer than %d bytes",
		    BURIN_MAX_TEXT - 1);
	memcpy(text, word, len);
	text[len] = '\0';
	if (csr_eku_parse(text, &oid, e) == -1)
		return -1;
	if (sk_ASN1_OBJECT_push(ekus, oid) <= 0) {
		ASN1_OBJECT_free(oid);
		return burin_fail_memory(e);
	}
	return 0;
}

/* OpenSSL's reader does not know all our names (csr/eku.c). */
static int
make_eku(const char *value, X509_EXTENSION **out, struct burin_error *e)
{
	EXTENDED_KEY_USAGE *ekus;
	const char *word;
	size_t len;
	int critical = 0, first = 1, rc = -1;

	if ((ekus = EXTENDED_KEY_USAGE_new()) == NULL)
		return burin_fail_memory(e);
	for (; next_word(&value, &word, &len); first = 0) {
		if (first && len == strlen(CRITICAL) &&
		    memcmp(word, CRITICAL, len) == 0) {
			critical = 1;
			continue;
		}
		if (push_purpose(ekus, word, len, e) == -1)
			goto out;
	}
	if (sk_ASN1_OBJECT_num(ekus) == 0) {
		(void)refuse(e, "extendedKeyUsage", "names no purpose",
		    "RFC 5280 section 4.2.1.12",
		    "name at least one: clientAuth");
		goto out;
	}
	*out = X509V3_EXT_i2d(NID_ext_key_usage, critical, ekus);
	if (*out == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	EXTENDED_KEY_USAGE_free(ekus);
	return rc;
}

static int
is_type(const char *name, int nid)
{
	int is;

	(void)ERR_set_mark();
	is = OBJ_txt2nid(name) == nid;
	(void)ERR_pop_to_mark();
	return is;
}

int
csr_ext_make(CONF *conf, X509V3_CTX *ctx, const char *name, const char *value,
    X509_EXTENSION **out, struct burin_error *e)
{
	X509V3_CTX nobody;
	X509_EXTENSION *ext;

	*out = NULL;
	if (is_type(name, NID_ext_key_usage) &&
	    strncmp(value, "DER:", 4) != 0 && strncmp(value, "ASN1:", 5) != 0)
		return make_eku(value, out, e);
	/* Its policy may be read from a file: "policy:file:PATH". */
	if (is_type(name, NID_proxyCertInfo))
		return refuse(e, name, "is not supported",
		    "RFC 3820 section 3.8", "leave it out");
	if (ctx == NULL) {
		X509V3_set_ctx(&nobody, NULL, NULL, NULL, NULL, 0);
		ctx = &nobody;
	}
	X509V3_set_nconf(ctx, conf);
	ext = X509V3_EXT_nconf(conf, ctx, name, value);
	if (ext == NULL || !csr_ext_is_whole(ext)) {
		X509_EXTENSION_free(ext);
		return refuse(e, name, "cannot be made of what is given",
		    "RFC 5280 section 4.2",
		    "write it as x509v3_config(5) shows: keyUsage = "
		    "critical,digitalSignature; one that OpenSSL does not know "
		    "as OID = ASN1:TYPE:VALUE or OID = DER:HEX");
	}
	*out = ext;
	return 0;
}

/* OpenSSL decodes values and ignores what stands behind them. */
int
csr_ext_is_whole(X509_EXTENSION *ext)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get(ext);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
	const unsigned char *p = ASN1_STRING_get0_data(value);
	const unsigned char *end = p + ASN1_STRING_length(value);
	ASN1_VALUE *decoded;

	if (method == NULL || method->it == NULL)
		return 1;
	decoded =
	    ASN1_item_d2i(NULL, &p, (long)(end - p), ASN1_ITEM_ptr(method->it));
	ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
	return decoded != NULL && p == end;
}

int
csr_ext_find(const STACK_OF(X509_EXTENSION) * exts, const ASN1_OBJECT *oid)
{
	return X509v3_get_ext_by_OBJ(exts, oid, -1);
}

int
csr_ext_push(STACK_OF(X509_EXTENSION) * exts, int nid, int critical,
    void *value, struct burin_error *e)
{
	X509_EXTENSION *ext = X509V3_EXT_i2d(nid, critical, value);

	if (ext == NULL || sk_X509_EXTENSION_push(exts, ext) <= 0) {
		X509_EXTENSION_free(ext);
		return burin_fail_openssl(e, BURIN_EINTERNAL, "ext-encode",
		    "the extension %s cannot be encoded", OBJ_nid2sn(nid));
	}
	return 0;
}
