/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Extensions for people (RFC 5280 section 4.2): OpenSSL prints what it
 * knows, the rest is shown as bytes.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/response.h>

#include "../../csr/internal.h"
#include "show_parts.h"

#define MAX_EXT_TEXT 4096 /* bytes shown of one extension */

/* Bits of KeyUsage in their order (RFC 5280 section 4.2.1.3). */
static const char *const usages[] = { "digitalSignature", "nonRepudiation",
	"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
	"cRLSign", "encipherOnly", "decipherOnly" };

json_t *
show_key_usage(const STACK_OF(X509_EXTENSION) * exts)
{
	ASN1_BIT_STRING *bits;
	json_t *list = json_array();
	size_t i;

	bits = X509V3_get_d2i(exts, NID_key_usage, NULL, NULL);
	for (i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		if (bits != NULL && ASN1_BIT_STRING_get_bit(bits, (int)i) != 0)
			(void)json_array_append_new(
			    list, json_string(usages[i]));
	}
	ASN1_BIT_STRING_free(bits);
	ERR_clear_error();
	return list;
}

/* Certificates and messages carry strings of strangers. */
json_t *
show_line(const char *s, size_t len)
{
	struct csr_text text = { NULL, 0, 0, 0 };
	size_t i = 0, n;

	csr_text_puts(&text, "");
	while (i < len && text.len < MAX_EXT_TEXT) {
		if (s[i] == '\n') {
			while (i < len && (s[i] == '\n' || s[i] == ' '))
				i++;
			if (i < len && text.len > 0)
				csr_text_puts(&text, ", ");
			continue;
		}
		n = csr_clean_char((const unsigned char *)s + i, len - i);
		if (n > 0)
			csr_text_add(&text, s + i, n);
		else
			csr_text_puts(&text, "?");
		i += n > 0 ? n : 1;
	}
	if (i < len)
		csr_text_puts(&text, " ...");
	return show_take(csr_text_take(&text));
}

/* A whole certificate, as attestations are put into requests; or NULL. */
static json_t *
print_cert(X509_EXTENSION *ext)
{
	const ASN1_OCTET_STRING *s = X509_EXTENSION_get_data(ext);
	json_t *text = NULL;
	char *subject, *issuer;
	X509 *cert;

	if (X509V3_EXT_get(ext) != NULL ||
	    burin_cert_parse(ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s), BURIN_EUSAGE, &cert, NULL) == -1)
		return NULL;
	subject = burin_dn_text(X509_get_subject_name(cert));
	issuer = burin_dn_text(X509_get_issuer_name(cert));
	if (subject != NULL && issuer != NULL)
		text = json_sprintf(
		    "certificate of %s, issued by %s", subject, issuer);
	free(subject);
	free(issuer);
	X509_free(cert);
	return text;
}

static void
print_hex(BIO *bio, const ASN1_OCTET_STRING *s)
{
	int i, n = ASN1_STRING_length(s);

	for (i = 0; i < n && i < MAX_EXT_TEXT; i++)
		(void)BIO_printf(bio, "%02x", ASN1_STRING_get0_data(s)[i]);
}

static json_t *
print_value(X509_EXTENSION *ext)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *value = NULL;
	char *data;
	long len;

	if ((value = print_cert(ext)) != NULL || bio == NULL) {
		BIO_free(bio);
		return value;
	}
	if (X509V3_EXT_print(bio, ext, X509V3_EXT_PARSE_UNKNOWN, 0) != 1) {
		(void)BIO_reset(bio);
		print_hex(bio, X509_EXTENSION_get_data(ext));
	}
	ERR_clear_error();
	len = BIO_get_mem_data(bio, &data);
	value = show_line(data, len > 0 ? (size_t)len : 0);
	BIO_free(bio);
	return value;
}

static json_t *
show_extension(X509_EXTENSION *ext)
{
	json_t *o = json_object();
	char name[128];

	(void)OBJ_obj2txt(
	    name, sizeof(name), X509_EXTENSION_get_object(ext), 0);
	if (show_put(o, "name", json_string(name)) == -1 ||
	    show_put(o, "critical",
		json_boolean(X509_EXTENSION_get_critical(ext))) == -1 ||
	    show_put(o, "text", print_value(ext)) == -1) {
		json_decref(o);
		return NULL;
	}
	return o;
}

json_t *
show_extensions(const STACK_OF(X509_EXTENSION) * exts)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);

		switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
		case NID_subject_alt_name:
		case NID_ext_key_usage:
		case NID_key_usage:
			continue;
		default:
			break;
		}
		if (json_array_append_new(list, show_extension(ext)) == -1) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
