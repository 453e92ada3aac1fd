/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Distinguished names as people type them: RFC 4514 strings in the order of
 * writing, and OpenSSL's "/CN=..." form. Encoding and size limits are
 * OpenSSL's string table (RFC 5280 appendix A).
 */

#include <ctype.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "internal.h"

#define MAX_TYPE 64 /* characters of an attribute type */

/* Where reading stands. separator is ',' or '/'. */
struct reader {
	const char *p;
	char separator;
	int set; /* 0 opens an RDN, -1 joins the one before */
	X509_NAME *name;
};

/* One attribute. value is unescaped; hex: the bytes are DER ("#0c05..."). */
struct pair {
	char type[MAX_TYPE + 1];
	unsigned char value[BURIN_MAX_TEXT];
	size_t len;
	int hex;
};

static int
refuse(struct burin_error *e, const char *why, const char *what)
{
	(void)burin_fail(
	    e, BURIN_EUSAGE, "dn-malformed", "the DN %s: %s", why, what);
	(void)burin_error_rule(e, "RFC 4514 section 3");
	return burin_error_advice(e,
	    "write it as \"CN=Alice,O=Example\"; a backslash before , + \" "
	    "\\ / takes them as they are");
}

static void
skip_blanks(struct reader *r)
{
	while (*r->p == ' ')
		r->p++;
}

static int
read_type(struct reader *r, struct pair *pair, struct burin_error *e)
{
	size_t n;

	skip_blanks(r);
	n = strcspn(r->p, "=,+/\\\"");
	if (r->p[n] != '=')
		return refuse(e, "has a part without '='", r->p);
	if (n == 0 || n > MAX_TYPE)
		return refuse(e, "has no usable attribute type at", r->p);
	memcpy(pair->type, r->p, n);
	r->p += n + 1;
	while (n > 0 && pair->type[n - 1] == ' ')
		n--;
	pair->type[n] = '\0';
	return 0;
}

/* Behind a backslash: two hex digits or the character itself. */
static unsigned char
read_escape(struct reader *r)
{
	int high = OPENSSL_hexchar2int((unsigned char)r->p[0]), low;

	if (high >= 0 &&
	    (low = OPENSSL_hexchar2int((unsigned char)r->p[1])) >= 0) {
		r->p += 2;
		return (unsigned char)(high << 4 | low);
	}
	return (unsigned char)*r->p++;
}

static int
read_value(struct reader *r, struct pair *pair, struct burin_error *e)
{
	size_t blanks = 0; /* at the end, not escaped */
	unsigned char c;

	skip_blanks(r);
	pair->hex = *r->p == '#';
	pair->len = 0;
	while (*r->p != '\0' && *r->p != '+' && *r->p != r->separator) {
		if (*r->p == '"')
			return refuse(e, "has a bare quote at", r->p);
		blanks = *r->p == ' ' ? blanks + 1 : 0;
		c = (unsigned char)*r->p++;
		if (c == '\\') {
			if (*r->p == '\0')
				return refuse(
				    e, "ends in a backslash", pair->type);
			if ((c = read_escape(r)) == '\0')
				return refuse(
				    e, "has a NUL byte in", pair->type);
		} else if (iscntrl(c))
			return refuse(
			    e, "has a control character in", pair->type);
		pair->value[pair->len++] = c;
	}
	pair->len -= blanks;
	if (pair->len == 0)
		return refuse(e, "has an empty value", pair->type);
	return 0;
}

/* As typed, else in capitals: RFC 4514 types know no case. */
static ASN1_OBJECT *
find_type(const char *type)
{
	char upper[MAX_TYPE + 1];
	ASN1_OBJECT *oid;
	size_t i;

	(void)ERR_set_mark();
	if ((oid = OBJ_txt2obj(type, 0)) == NULL) {
		for (i = 0; type[i] != '\0'; i++)
			upper[i] = (char)toupper((unsigned char)type[i]);
		upper[i] = '\0';
		oid = OBJ_txt2obj(upper, 0);
	}
	(void)ERR_pop_to_mark();
	return oid;
}

/* RFC 4514 section 2.4: the DER of the value, which must be a string. */
static X509_NAME_ENTRY *
entry_from_hex(const ASN1_OBJECT *oid, struct pair *pair)
{
	const unsigned char *p;
	ASN1_TYPE *any = NULL;
	X509_NAME_ENTRY *entry = NULL;
	char text[BURIN_MAX_TEXT];
	unsigned char der[BURIN_MAX_TEXT / 2];
	size_t len;

	memcpy(text, pair->value + 1, pair->len - 1);
	text[pair->len - 1] = '\0';
	if (OPENSSL_hexstr2buf_ex(der, sizeof(der), &len, text, '\0') != 1)
		return NULL;
	p = der;
	any = d2i_ASN1_TYPE(NULL, &p, (long)len);
	if (any != NULL && p == der + len &&
	    (ASN1_tag2bit(any->type) & CSR_DN_STRINGS) != 0)
		entry = X509_NAME_ENTRY_create_by_OBJ(NULL, oid, any->type,
		    ASN1_STRING_get0_data(any->value.asn1_string),
		    ASN1_STRING_length(any->value.asn1_string));
	ASN1_TYPE_free(any);
	return entry;
}

/*
 * PrintableString where its characters do, UTF8String elsewhere: RFC 5280
 * section 4.1.2.4 takes both, RFC 6487 section 4.4 only the first one.
 * OpenSSL sees to the limits, then the string gets its smaller type.
 */
X509_NAME_ENTRY *
csr_dn_entry(const ASN1_OBJECT *oid, const unsigned char *value, int len)
{
	X509_NAME_ENTRY *entry;

	entry =
	    X509_NAME_ENTRY_create_by_OBJ(NULL, oid, MBSTRING_UTF8, value, len);
	if (entry != NULL &&
	    ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)) ==
		V_ASN1_UTF8STRING &&
	    ASN1_PRINTABLE_type(value, len) == V_ASN1_PRINTABLESTRING &&
	    X509_NAME_ENTRY_set_data(
		entry, V_ASN1_PRINTABLESTRING, value, len) != 1) {
		X509_NAME_ENTRY_free(entry);
		return NULL;
	}
	return entry;
}

/* Why OpenSSL does not take the value, in words. */
static int
refuse_value(
    const ASN1_OBJECT *oid, const struct pair *pair, struct burin_error *e)
{
	const ASN1_STRING_TABLE *limits =
	    ASN1_STRING_TABLE_get(OBJ_obj2nid(oid));

	if (pair->hex)
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "dn-value",
		    "the value of %s in the DN begins with '#' and is not the "
		    "hexadecimal DER of a string",
		    pair->type);
	else if (limits != NULL && limits->maxsize > 0 &&
	    limits->minsize == limits->maxsize)
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "dn-value",
		    "%s in the DN takes %ld letters exactly", pair->type,
		    limits->maxsize);
	else if (limits != NULL && limits->maxsize > 0)
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "dn-value",
		    "%s in the DN takes at most %ld characters of the kind "
		    "that belongs there",
		    pair->type, limits->maxsize);
	else
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "dn-value",
		    "the value of %s in the DN cannot be encoded", pair->type);
	return burin_error_rule(e, "RFC 5280 appendix A.1");
}

/* Two attributes of one type in one RDN: X.501 section 9.3. */
static int
is_twice(const struct reader *r, const ASN1_OBJECT *oid)
{
	int i = X509_NAME_entry_count(r->name) - 1, last;

	if (r->set == 0 || i < 0)
		return 0;
	last = X509_NAME_ENTRY_set(X509_NAME_get_entry(r->name, i));
	for (; i >= 0; i--) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(r->name, i);

		if (X509_NAME_ENTRY_set(entry) != last)
			return 0;
		if (OBJ_cmp(X509_NAME_ENTRY_get_object(entry), oid) == 0)
			return 1;
	}
	return 0;
}

static int
add_pair(struct reader *r, struct pair *pair, struct burin_error *e)
{
	ASN1_OBJECT *oid = NULL;
	X509_NAME_ENTRY *entry = NULL;
	int rc = -1;

	if ((oid = find_type(pair->type)) == NULL) {
		(void)refuse(e, "has an unknown attribute type", pair->type);
		goto out;
	}
	if (!csr_is_utf8((const char *)pair->value, pair->len)) {
		(void)refuse(e, "is not UTF-8 in", pair->type);
		goto out;
	}
	if (is_twice(r, oid)) {
		(void)refuse(e, "joins two values of one type", pair->type);
		goto out;
	}
	if (X509_NAME_entry_count(r->name) == BURIN_MAX_NAME_ENTRIES) {
		(void)burin_fail(e, BURIN_EUSAGE, "dn-too-long",
		    "the DN has more than %d attributes",
		    BURIN_MAX_NAME_ENTRIES);
		goto out;
	}
	if (pair->hex)
		entry = entry_from_hex(oid, pair);
	else
		entry = csr_dn_entry(oid, pair->value, (int)pair->len);
	if (entry == NULL) {
		(void)refuse_value(oid, pair, e);
		goto out;
	}
	if (X509_NAME_add_entry(r->name, entry, -1, r->set) != 1) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = 0;
out:
	ASN1_OBJECT_free(oid);
	X509_NAME_ENTRY_free(entry);
	return rc;
}

static int
read_pairs(struct reader *r, struct burin_error *e)
{
	struct pair pair;

	for (;;) {
		if (read_type(r, &pair, e) == -1 ||
		    read_value(r, &pair, e) == -1 ||
		    add_pair(r, &pair, e) == -1)
			return -1;
		if (*r->p == '\0')
			return 0;
		r->set = *r->p == '+' ? -1 : 0;
		r->p++;
	}
}

int
csr_dn_parse(const char *text, X509_NAME **out, struct burin_error *e)
{
	struct reader r = { text, ',', 0, NULL };

	*out = NULL;
	if (strlen(text) >= BURIN_MAX_TEXT)
		return burin_fail(e, BURIN_EUSAGE, "dn-too-long",
		    "the DN is longer than %d bytes", BURIN_MAX_TEXT - 1);
	if ((r.name = X509_NAME_new()) == NULL)
		return burin_fail_memory(e);
	if (*r.p == '/') {
		r.separator = '/';
		r.p++;
	}
	if (*text != '\0' && read_pairs(&r, e) == -1) {
		X509_NAME_free(r.name);
		return -1;
	}
	*out = r.name;
	return 0;
}
