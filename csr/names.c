/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names as people read them: what csr/dn.c and csr/san.c read back. A byte
 * that is not safe to show becomes an escape, never itself.
 */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include <burin/names.h>

#include "internal.h"

#define MAX_OID_TEXT 256

/* In a DN a byte may be given as \XX (RFC 4514 section 2.4). */
static void
add_dn_value(struct csr_text *t, const unsigned char *s, size_t len)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = csr_clean_char(s + i, len - i);
		if (n == 0) {
			csr_text_puts(t, "\\");
			csr_text_hex(t, s[i]);
			n = 1;
			continue;
		}
		if (strchr(",+\"\\<>;", s[i]) != NULL ||
		    (s[i] == ' ' && (i == 0 || i + 1 == len)) ||
		    (s[i] == '#' && i == 0))
			csr_text_puts(t, "\\");
		csr_text_add(t, (const char *)s + i, n);
	}
}

/* RFC 4514 section 2.4: what is no text is shown as its DER. */
static void
add_dn_hex(struct csr_text *t, const ASN1_STRING *value)
{
	ASN1_TYPE any;
	unsigned char *der = NULL;
	int i, len;

	memset(&any, 0, sizeof(any));
	any.type = ASN1_STRING_type(value);
	any.value.asn1_string = (ASN1_STRING *)(uintptr_t)value;
	csr_text_puts(t, "#");
	if ((len = i2d_ASN1_TYPE(&any, &der)) < 0)
		t->failed = 1;
	for (i = 0; i < len; i++)
		csr_text_hex(t, der[i]);
	OPENSSL_free(der);
}

static void
add_oid(struct csr_text *t, const ASN1_OBJECT *oid)
{
	char text[MAX_OID_TEXT];
	int n = OBJ_obj2txt(text, sizeof(text), oid, 1);

	csr_text_puts(t, n > 0 && n < MAX_OID_TEXT ? text : "?");
}

static void
add_dn_entry(struct csr_text *t, const X509_NAME_ENTRY *entry)
{
	const ASN1_OBJECT *oid = X509_NAME_ENTRY_get_object(entry);
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	unsigned char *utf8 = NULL;
	int nid = OBJ_obj2nid(oid), len;

	if (nid != NID_undef)
		csr_text_puts(t, OBJ_nid2sn(nid));
	else
		add_oid(t, oid);
	csr_text_puts(t, "=");
	if ((ASN1_tag2bit(ASN1_STRING_type(value)) & CSR_DN_STRINGS) == 0) {
		add_dn_hex(t, value);
		return;
	}
	if ((len = ASN1_STRING_to_UTF8(&utf8, value)) < 0) {
		ERR_clear_error();
		add_dn_hex(t, value);
		return;
	}
	add_dn_value(t, utf8, (size_t)len);
	OPENSSL_free(utf8);
}

char *
burin_dn_text(const X509_NAME *name)
{
	struct csr_text t = { 0 };
	int i, set, last = -1;

	for (i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		set = X509_NAME_ENTRY_set(entry);
		if (i > 0)
			csr_text_puts(&t, set == last ? "+" : ",");
		last = set;
		add_dn_entry(&t, entry);
	}
	return csr_text_take(&t);
}

/* ascii: the type holds IA5 only, whatever the peer put there. */
static void
add_clean(struct csr_text *t, const ASN1_STRING *value, int ascii)
{
	csr_text_clean(t, (const char *)ASN1_STRING_get0_data(value),
	    (size_t)ASN1_STRING_length(value), ascii);
}

static void
add_address(struct csr_text *t, const ASN1_OCTET_STRING *value)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(value);
	int i, len = ASN1_STRING_length(value);
	char text[INET6_ADDRSTRLEN];

	if ((len == 4 || len == 16) &&
	    inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text,
		sizeof(text)) != NULL) {
		csr_text_puts(t, text);
		return;
	}
	/* No address: shown as bytes, not read back. */
	csr_text_puts(t, "#");
	for (i = 0; i < len; i++)
		csr_text_hex(t, bytes[i]);
}

static void
add_other(struct csr_text *t, const OTHERNAME *other)
{
	const char *kind = NULL;

	switch (OBJ_obj2nid(other->type_id)) {
	case NID_XmppAddr:
		kind = "xmpp:";
		break;
	case NID_id_on_SmtpUTF8Mailbox:
		kind = "email:";
		break;
	default:
		break;
	}
	if (kind != NULL && other->value != NULL &&
	    other->value->type == V_ASN1_UTF8STRING) {
		csr_text_puts(t, kind);
		add_clean(t, other->value->value.utf8string, 0);
		return;
	}
	csr_text_puts(t, "other:");
	add_oid(t, other->type_id);
}

static void
add_dirname(struct csr_text *t, const X509_NAME *name)
{
	char *dn = burin_dn_text(name);

	csr_text_puts(t, "dirname:");
	if (dn == NULL)
		t->failed = 1;
	else
		csr_text_puts(t, dn);
	free(dn);
}

char *
burin_san_text(const GENERAL_NAME *name)
{
	struct csr_text t = { 0 };

	switch (name->type) {
	case GEN_EMAIL:
		csr_text_puts(&t, "email:");
		add_clean(&t, name->d.rfc822Name, 1);
		break;
	case GEN_DNS:
		csr_text_puts(&t, "dns:");
		add_clean(&t, name->d.dNSName, 1);
		break;
	case GEN_URI:
		csr_text_puts(&t, "uri:");
		add_clean(&t, name->d.uniformResourceIdentifier, 1);
		break;
	case GEN_IPADD:
		csr_text_puts(&t, "ip:");
		add_address(&t, name->d.iPAddress);
		break;
	case GEN_DIRNAME:
		add_dirname(&t, name->d.directoryName);
		break;
	case GEN_RID:
		csr_text_puts(&t, "rid:");
		add_oid(&t, name->d.registeredID);
		break;
	case GEN_OTHERNAME:
		add_other(&t, name->d.otherName);
		break;
	case GEN_X400:
		csr_text_puts(&t, "other:x400Address");
		break;
	default:
		csr_text_puts(&t, "other:ediPartyName");
		break;
	}
	return csr_text_take(&t);
}

/* --- names against names -------------------------------------------------- */

static int
has_name(const GENERAL_NAMES *names, GENERAL_NAME *name)
{
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), name) ==
		    0)
			return 1;
	return 0;
}

int
burin_same_names(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
	int i, n = a != NULL ? sk_GENERAL_NAME_num(a) : 0;

	if (n != (b != NULL ? sk_GENERAL_NAME_num(b) : 0))
		return 0;
	/* Both ways: one of them may have a name twice. */
	for (i = 0; i < n; i++)
		if (!has_name(b, sk_GENERAL_NAME_value(a, i)) ||
		    !has_name(a, sk_GENERAL_NAME_value(b, i)))
			return 0;
	return 1;
}
