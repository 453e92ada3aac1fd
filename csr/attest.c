/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a Yubico PIV attestation: the extensions under
 * 1.3.6.1.4.1.41482.3 that Yubico documents ("PIV Attestation OID Arc").
 *
 * The devices put bare bytes into firmware, policies and form factor, where
 * RFC 5280 section 4.2 wants DER; certificates of attestation keys have the
 * firmware in a DER OCTET STRING. The lengths tell the two apart, and both
 * are read. Serial number, policies and firmware are there since firmware
 * 4.3, the form factor since 5.0.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "attest.h"
#include "internal.h"

#define RULE "Yubico PIV attestation, extensions 1.3.6.1.4.1.41482.3"
#define SUBJECT "YubiKey PIV Attestation "
#define KEY_SUBJECT "Yubico PIV Attestation"
#define FORM_FACTOR_FIPS 0x80
#define MAX_FLAG 16 /* bytes of an extension that only has to be there */

int
csr_attest_ext(const STACK_OF(X509_EXTENSION) * exts, const char *oid,
    X509_EXTENSION **ext)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	int i, rc = 0;

	*ext = NULL;
	if (type == NULL)
		return 0;
	if ((i = X509v3_get_ext_by_OBJ(exts, type, -1)) >= 0) {
		*ext = sk_X509_EXTENSION_value(exts, i);
		if (X509v3_get_ext_by_OBJ(exts, type, i) >= 0)
			rc = -1;
	}
	ASN1_OBJECT_free(type);
	return rc;
}

/* Slots that hold keys to be attested: 9a, 9c, 9d, 9e and 82 to 95. */
static int
is_slot(const char *s)
{
	static const char *const slots[] = { "9a", "9c", "9d", "9e" };
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (strcmp(s, slots[i]) == 0)
			return 1;
	return (s[0] == '8' && s[1] >= '2' &&
		   ((s[1] <= '9') || (s[1] >= 'a' && s[1] <= 'f'))) ||
	    (s[0] == '9' && s[1] >= '0' && s[1] <= '5');
}

/* The whole subject when it is one CN; NULL when it is another. */
static const char *
subject_cn(const X509 *cert, size_t *len)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *cn;

	if (i < 0 || X509_NAME_entry_count(name) != 1)
		return NULL;
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
	*len = (size_t)ASN1_STRING_length(cn);
	return (const char *)ASN1_STRING_get0_data(cn);
}

int
csr_attest_is_key(const X509 *cert)
{
	size_t len;
	const char *cn = subject_cn(cert, &len);

	return cn != NULL && len == strlen(KEY_SUBJECT) &&
	    memcmp(cn, KEY_SUBJECT, len) == 0;
}

int
csr_attest_slot(const X509 *cert, char slot[3])
{
	size_t len, n = strlen(SUBJECT);
	const char *cn = subject_cn(cert, &len);

	slot[0] = '\0';
	if (cn == NULL || len != n + 2 || memcmp(cn, SUBJECT, n) != 0)
		return 0;
	slot[0] = cn[n];
	slot[1] = cn[n + 1];
	slot[2] = '\0';
	if (slot[1] >= 'A' && slot[1] <= 'F')
		slot[1] = (char)(slot[1] - 'A' + 'a');
	if (is_slot(slot))
		return 1;
	slot[0] = '\0';
	return 0;
}

int
burin_attest_is(const X509 *cert)
{
	static const char *const oids[] = { OID_FIRMWARE, OID_SERIAL,
		OID_POLICY };
	const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(cert);
	X509_EXTENSION *ext;
	size_t i;

	for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		(void)csr_attest_ext(exts, oids[i], &ext);
		if (ext != NULL)
			return 1;
	}
	return 0;
}

static int
malformed(struct burin_error *e, enum burin_status status, const char *what,
    const char *why)
{
	ERR_clear_error();
	(void)burin_fail(e, status, "attestation-malformed",
	    "the attestation's %s %s", what, why);
	return burin_error_rule(e, RULE);
}

/* n bytes, bare or in an OCTET STRING; 1 when that is what ext holds. */
static int
take_bytes(X509_EXTENSION *ext, unsigned char *out, size_t n)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
	const unsigned char *p = ASN1_STRING_get0_data(value);
	size_t len = (size_t)ASN1_STRING_length(value);
	ASN1_OCTET_STRING *inner;
	const unsigned char *end = p + len;
	int ok;

	if (len == n) {
		memcpy(out, p, n);
		return 1;
	}
	if (len != n + 2)
		return 0;
	inner = d2i_ASN1_OCTET_STRING(NULL, &p, (long)len);
	ok =
	    inner != NULL && p == end && (size_t)ASN1_STRING_length(inner) == n;
	if (ok)
		memcpy(out, ASN1_STRING_get0_data(inner), n);
	ASN1_OCTET_STRING_free(inner);
	ERR_clear_error();
	return ok;
}

/* n numbers of a byte each; those that are not there stay as they are. */
static int
read_bytes(const STACK_OF(X509_EXTENSION) * exts, const char *oid,
    const char *what, size_t n, int *const *out, enum burin_status status,
    struct burin_error *e)
{
	unsigned char bytes[3];
	X509_EXTENSION *ext;
	size_t i;

	if (csr_attest_ext(exts, oid, &ext) == -1)
		return malformed(e, status, what, "is there twice");
	if (ext == NULL)
		return 0;
	if (!take_bytes(ext, bytes, n))
		return malformed(e, status, what, "has another length");
	for (i = 0; i < n; i++)
		*out[i] = bytes[i];
	return 0;
}

static int
read_serial(const STACK_OF(X509_EXTENSION) * exts, int64_t *serial,
    enum burin_status status, struct burin_error *e)
{
	const ASN1_OCTET_STRING *value;
	const unsigned char *p, *end;
	X509_EXTENSION *ext;
	ASN1_INTEGER *number;
	int64_t n = -1;
	int ok;

	if (csr_attest_ext(exts, OID_SERIAL, &ext) == -1)
		return malformed(e, status, "serial number", "is there twice");
	if (ext == NULL)
		return 0;
	value = X509_EXTENSION_get_data(ext);
	p = ASN1_STRING_get0_data(value);
	end = p + ASN1_STRING_length(value);
	number = d2i_ASN1_INTEGER(NULL, &p, (long)(end - p));
	ok = number != NULL && p == end &&
	    ASN1_INTEGER_get_int64(&n, number) == 1 && n >= 0;
	ASN1_INTEGER_free(number);
	if (!ok)
		return malformed(e, status, "serial number",
		    "is no whole number of 63 bits");
	*serial = n;
	return 0;
}

/* What counts is that it is there. */
static int
read_flag(const STACK_OF(X509_EXTENSION) * exts, const char *oid,
    const char *what, int *flag, enum burin_status status,
    struct burin_error *e)
{
	X509_EXTENSION *ext;

	if (csr_attest_ext(exts, oid, &ext) == -1)
		return malformed(e, status, what, "is there twice");
	if (ext == NULL)
		return 0;
	if (ASN1_STRING_length(X509_EXTENSION_get_data(ext)) > MAX_FLAG)
		return malformed(e, status, what, "has another length");
	*flag = 1;
	return 0;
}

static int
read_flags(const STACK_OF(X509_EXTENSION) * exts, enum burin_status status,
    struct burin_attest *out, struct burin_error *e)
{
	if (read_flag(exts, OID_FIPS, "FIPS mark", &out->fips, status, e) == -1)
		return -1;
	return read_flag(exts, OID_CSPN, "CSPN mark", &out->cspn, status, e);
}

/* The certificate of the attestation key, by name; NULL when not there. */
static X509 *
find_issuer(X509 *cert, STACK_OF(X509) * above)
{
	int i;

	for (i = 0; i < sk_X509_num(above); i++)
		if (X509_check_issued(sk_X509_value(above, i), cert) ==
		    X509_V_OK)
			return sk_X509_value(above, i);
	return NULL;
}

int
burin_attest_parse(X509 *cert, STACK_OF(X509) * above, enum burin_status status,
    struct burin_attest *out, struct burin_error *e)
{
	const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(cert);
	int *const firmware[] = { &out->firmware[0], &out->firmware[1],
		&out->firmware[2] };
	int *const policies[] = { &out->pin_policy, &out->touch_policy };
	int *const form[] = { &out->form_factor };
	X509 *issuer;

	memset(out, 0, sizeof(*out));
	out->firmware[0] = out->firmware[1] = out->firmware[2] = -1;
	out->serial = out->pin_policy = out->touch_policy = -1;
	out->form_factor = -1;
	(void)csr_attest_slot(cert, out->slot);
	if (read_bytes(exts, OID_FIRMWARE, "firmware version", 3, firmware,
		status, e) == -1 ||
	    read_serial(exts, &out->serial, status, e) == -1 ||
	    read_bytes(exts, OID_POLICY, "PIN and touch policy", 2, policies,
		status, e) == -1 ||
	    read_bytes(exts, OID_FORM_FACTOR, "form factor", 1, form, status,
		e) == -1 ||
	    read_flags(exts, status, out, e) == -1)
		return -1;
	if (out->form_factor >= 0 && (out->form_factor & FORM_FACTOR_FIPS)) {
		out->form_factor &= ~FORM_FACTOR_FIPS;
		out->fips = 1;
	}
	issuer = find_issuer(cert, above);
	ERR_clear_error();
	return issuer == NULL
	    ? 0
	    : read_flags(X509_get0_extensions(issuer), status, out, e);
}

/* --- in words ------------------------------------------------------------ */

static const char *
word(int value, const char *const *names, size_t n, char *buf)
{
	if (value < 0)
		buf[0] = '\0';
	else if ((size_t)value < n && names[value] != NULL)
		(void)snprintf(buf, BURIN_ATTEST_WORD, "%s", names[value]);
	else
		(void)snprintf(buf, BURIN_ATTEST_WORD, "%d", value);
	return buf;
}

#define WORD(value, names, buf) \
	word(value, names, sizeof(names) / sizeof(names[0]), buf)

const char *
burin_attest_firmware(const struct burin_attest *a, char buf[BURIN_ATTEST_WORD])
{
	if (a->firmware[0] < 0)
		buf[0] = '\0';
	else
		(void)snprintf(buf, BURIN_ATTEST_WORD, "%d.%d.%d",
		    a->firmware[0], a->firmware[1], a->firmware[2]);
	return buf;
}

const char *
burin_attest_pin(const struct burin_attest *a, char buf[BURIN_ATTEST_WORD])
{
	static const char *const names[] = { NULL, "never", "once", "always",
		"match-once", "match-always" };

	return WORD(a->pin_policy, names, buf);
}

const char *
burin_attest_touch(const struct burin_attest *a, char buf[BURIN_ATTEST_WORD])
{
	static const char *const names[] = { NULL, "never", "always",
		"cached" };

	return WORD(a->touch_policy, names, buf);
}

const char *
burin_attest_form_factor(
    const struct burin_attest *a, char buf[BURIN_ATTEST_WORD])
{
	static const char *const names[] = { NULL, "usb-a-keychain",
		"usb-a-nano", "usb-c-keychain", "usb-c-nano", "usb-c-lightning",
		"usb-a-bio", "usb-c-bio" };

	return WORD(a->form_factor, names, buf);
}
