/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Subject alternative names (RFC 5280 section 4.2.1.6) as people type them:
 * "kind:value". Each kind says what it takes and in whose words it refuses.
 */

#include <ctype.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"

#define MAX_HOST 253 /* RFC 1035 section 2.3.4, as text */
#define MAX_LABEL 63 /* same */
#define MAX_LOCAL 64 /* RFC 5321 section 4.5.3.1.1 */
#define MAX_JID 1023 /* each part: RFC 7622 section 3.1 */

static int
refuse(struct burin_error *e, const char *name, const char *why,
    const char *rule, const char *advice)
{
	(void)burin_fail(e, BURIN_EUSAGE, "san-malformed",
	    "the alternative name \"%s\" %s", name, why);
	(void)burin_error_rule(e, "%s", rule);
	return burin_error_advice(e, "%s", advice);
}

static int
is_label(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > MAX_LABEL || s[0] == '-' || s[len - 1] == '-')
		return 0;
	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return 0;
	}
	return 1;
}

int
csr_is_host(const char *s, size_t len)
{
	size_t i, start = 0;
	int digits_only = 1;

	if (len > MAX_HOST)
		return 0;
	for (i = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		if (!is_label(s + start, i - start))
			return 0;
		start = i + 1;
	}
	/* What ends in a number is an address (RFC 3986 section 3.2.2). */
	for (i = len; i > 0 && s[i - 1] != '.'; i--)
		digits_only = digits_only && isdigit((unsigned char)s[i - 1]);
	return !digits_only;
}

static int
refuse_host(struct burin_error *e, const char *name, const char *host)
{
	if (!csr_is_ascii(host, strlen(host)))
		return refuse(e, name, "has a host that is not ASCII",
		    "RFC 5280 section 7.2",
		    "give the A-label form of an international name "
		    "(xn--...), for example from `idn2 NAME`");
	return refuse(e, name, "has no proper host name",
	    "RFC 5280 section 4.2.1.6, RFC 1034 section 3.5",
	    "labels are letters, digits and '-' with dots between them; an "
	    "address is given as ip:ADDRESS");
}

/* An IA5 name of the given type. */
static int
make_ia5(int type, const char *value, GENERAL_NAME **out)
{
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	if (s == NULL || ASN1_STRING_set(s, value, (int)strlen(value)) != 1 ||
	    (*out = GENERAL_NAME_new()) == NULL) {
		ASN1_IA5STRING_free(s);
		return -1;
	}
	GENERAL_NAME_set0_value(*out, type, s);
	return 0;
}

/* An otherName whose value is a UTF8String. */
static int
make_other(int nid, const char *value, GENERAL_NAME **out)
{
	ASN1_TYPE *any = ASN1_TYPE_new();
	ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

	if (any == NULL || s == NULL ||
	    ASN1_STRING_set(s, value, (int)strlen(value)) != 1 ||
	    (*out = GENERAL_NAME_new()) == NULL) {
		ASN1_TYPE_free(any);
		ASN1_UTF8STRING_free(s);
		return -1;
	}
	ASN1_TYPE_set(any, V_ASN1_UTF8STRING, s);
	if (GENERAL_NAME_set0_othername(*out, OBJ_nid2obj(nid), any) != 1) {
		ASN1_TYPE_free(any);
		return -1;
	}
	return 0;
}

/* RFC 5321 section 4.1.2: Dot-string, with RFC 6531's UTF-8 letters. */
static int
is_local_part(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > MAX_LOCAL || s[0] == '.' || s[len - 1] == '.')
		return 0;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '.' && s[i + 1] == '.')
			return 0;
		if (c < 0x80 && !isalnum(c) &&
		    (c == '\0' || strchr(".!#$%&'*+-/=?^_`{|}~", c) == NULL))
			return 0;
	}
	return 1;
}

/*
 * RFC 5280 section 4.2.1.6: rfc822Name is ASCII. A local part that is not
 * goes into SmtpUTF8Mailbox, and only such a one (RFC 9598 section 3).
 */
static int
make_email(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	const char *at = strrchr(value, '@');
	size_t local;

	if (at == NULL)
		return refuse(e, name, "has no '@'", "RFC 5321 section 4.1.2",
		    "a mail address is user@host");
	local = (size_t)(at - value);
	if (!csr_is_host(at + 1, strlen(at + 1)))
		return refuse_host(e, name, at + 1);
	if (!is_local_part(value, local))
		return refuse(e, name, "has no proper part before the '@'",
		    "RFC 5321 section 4.1.2",
		    "use letters, digits and single dots, without quotes or "
		    "blanks");
	if (csr_is_ascii(value, local))
		return make_ia5(GEN_EMAIL, value, out);
	return make_other(NID_id_on_SmtpUTF8Mailbox, value, out);
}

/* A wildcard is a whole label on the left (RFC 6125 section 6.4.3). */
static int
make_dns(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	const char *host = value;

	if (strncmp(host, "*.", 2) == 0)
		host += 2;
	if (!csr_is_host(host, strlen(host)))
		return refuse_host(e, name, host);
	return make_ia5(GEN_DNS, value, out);
}

/* RFC 3986 section 2: allowed characters, '%' with two digits. */
static int
has_uri_characters(const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '%' &&
		    (!isxdigit((unsigned char)s[1]) ||
			!isxdigit((unsigned char)s[2])))
			return 0;
		if (!isalnum(c) && strchr("-._~:/?#[]@!$&'()*+,;=%", c) == NULL)
			return 0;
	}
	return 1;
}

static size_t
scheme_len(const char *s)
{
	size_t n;

	if (!isalpha((unsigned char)*s))
		return 0;
	for (n = 0; isalnum((unsigned char)s[n]) || s[n] == '+' ||
	     s[n] == '-' || s[n] == '.';
	     n++)
		continue;
	return s[n] == ':' ? n : 0;
}

/*
 * RFC 5280 section 4.2.1.6: absolute, scheme and scheme-specific part; an
 * authority ("//") has a fully qualified host or an address.
 */
static int
make_uri(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	static const char rule[] = "RFC 5280 section 4.2.1.6";
	size_t scheme = scheme_len(value), n;
	const char *rest;

	if (!csr_is_ascii(value, strlen(value)))
		return refuse(e, name, "is a URI that is not ASCII",
		    "RFC 5280 section 7.4, RFC 3987 section 3.1",
		    "percent-encode it; an international host is given as its "
		    "A-label (xn--...)");
	if (scheme == 0 || value[scheme + 1] == '\0')
		return refuse(e, name, "is no absolute URI", rule,
		    "begin with a scheme: im:alice@example.com, "
		    "https://example.com/");
	if (!has_uri_characters(value))
		return refuse(e, name, "has characters no URI has",
		    "RFC 3986 section 2", "percent-encode them");
	rest = value + scheme + 1;
	if (strncmp(rest, "//", 2) == 0) {
		rest += 2;
		n = strcspn(rest, "/?#");
		if (memrchr(rest, '@', n) != NULL) {
			const char *host = (const char *)memrchr(rest, '@', n);

			n -= (size_t)(host + 1 - rest);
			rest = host + 1;
		}
		if (n == 0 || *rest == ':')
			return refuse(e, name, "is a URI without a host", rule,
			    "write scheme://host/path");
	}
	return make_ia5(GEN_URI, value, out);
}

static int
is_jid_local(const char *s, size_t len)
{
	size_t i;

	/* RFC 7622 section 3.3.1: characters no localpart has. */
	for (i = 0; i < len; i++) {
		if (strchr("\"&'/:<>@ ", s[i]) != NULL)
			return 0;
	}
	return len > 0 && len <= MAX_JID;
}

/*
 * A bare JID. Its domain is native UTF-8, not A-labels: RFC 7622 section
 * 3.2, RFC 6120 section 13.7.1.4.
 */
static int
make_xmpp(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	static const char rule[] =
	    "RFC 6120 section 13.7.1.4, RFC 7622 section 3";
	const char *at = strchr(value, '@');
	const char *domain = at != NULL ? at + 1 : value;
	size_t len = strlen(domain);

	if (strchr(value, '/') != NULL)
		return refuse(e, name, "has a resource", rule,
		    "give the bare address, user@host");
	if (at != NULL && !is_jid_local(value, (size_t)(at - value)))
		return refuse(e, name, "has no proper part before the '@'",
		    rule, "an XMPP address is user@host");
	if (csr_is_ascii(domain, len) ? !csr_is_host(domain, len)
				      : strpbrk(domain, "@ :/") != NULL)
		return refuse(e, name, "has no proper host name", rule,
		    "an XMPP address is user@host");
	return make_other(NID_XmppAddr, value, out);
}

static int
make_ip(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(value);

	if (ip == NULL) {
		ERR_clear_error();
		return refuse(e, name, "is no IP address",
		    "RFC 5280 section 4.2.1.6",
		    "write 192.0.2.1 or 2001:db8::1, without a length");
	}
	if ((*out = GENERAL_NAME_new()) == NULL) {
		ASN1_OCTET_STRING_free(ip);
		return -1;
	}
	GENERAL_NAME_set0_value(*out, GEN_IPADD, ip);
	return 0;
}

static int
make_dirname(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	X509_NAME *dn = NULL;

	if (csr_dn_parse(value, &dn, e) == -1)
		return -1;
	if (X509_NAME_entry_count(dn) == 0) {
		X509_NAME_free(dn);
		return refuse(e, name, "is an empty DN",
		    "RFC 5280 section 4.2.1.6", "write dirname:CN=Alice");
	}
	if ((*out = GENERAL_NAME_new()) == NULL) {
		X509_NAME_free(dn);
		return -1;
	}
	GENERAL_NAME_set0_value(*out, GEN_DIRNAME, dn);
	return 0;
}

static int
make_rid(const char *name, const char *value, GENERAL_NAME **out,
    struct burin_error *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(value, 1);

	if (oid == NULL) {
		ERR_clear_error();
		return refuse(e, name, "is no OID", "RFC 5280 section 4.2.1.6",
		    "write rid:1.2.3.4");
	}
	if ((*out = GENERAL_NAME_new()) == NULL) {
		ASN1_OBJECT_free(oid);
		return -1;
	}
	GENERAL_NAME_set0_value(*out, GEN_RID, oid);
	return 0;
}

static const struct kind {
	const char *prefix;
	int (*make)(const char *name, const char *value, GENERAL_NAME **out,
	    struct burin_error *e);
} kinds[] = {
	{ "email:", make_email },
	{ "dns:", make_dns },
	{ "uri:", make_uri },
	{ "xmpp:", make_xmpp },
	{ "ip:", make_ip },
	{ "dirname:", make_dirname },
	{ "rid:", make_rid },
};

int
csr_san_parse(const char *text, GENERAL_NAME **out, struct burin_error *e)
{
	static const char advice[] = "write email:user@host, dns:host, "
				     "uri:URI, xmpp:user@host or ip:ADDRESS";
	size_t i, n;

	*out = NULL;
	if (strlen(text) > BURIN_MAX_TEXT)
		return burin_fail(e, BURIN_EUSAGE, "san-too-long",
		    "an alternative name is longer than %d bytes",
		    BURIN_MAX_TEXT);
	if (!csr_is_clean(text, strlen(text)))
		return refuse(e, text, "holds control characters or no UTF-8",
		    "RFC 5280 section 4.2.1.6", advice);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i].prefix);
		if (OPENSSL_strncasecmp(text, kinds[i].prefix, n) != 0)
			continue;
		if (kinds[i].make(text, text + n, out, e) == 0)
			return 0;
		GENERAL_NAME_free(*out);
		*out = NULL;
		/* Said already, unless memory ran out. */
		return e != NULL && e->status != BURIN_OK
		    ? -1
		    : burin_fail_memory(e);
	}
	return refuse(
	    e, text, "is of no known kind", "RFC 5280 section 4.2.1.6", advice);
}
