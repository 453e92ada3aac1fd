/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who signed, for whom something is encrypted: issuer and serial number, a
 * subjectKeyIdentifier, or, for a key that has no certificate yet, an empty
 * issuer and a number (RFC 5652 sections 5.3, 6.2; RFC 10002 section 6.7).
 */

#include <string.h>

#include <openssl/x509v3.h>

#include "internal.h"

static CSR_ISSUER_SERIAL *
issuer_serial(X509 *cert, unsigned long serial)
{
	CSR_ISSUER_SERIAL *is = CSR_ISSUER_SERIAL_new();

	if (is == NULL)
		return NULL;
	if (cert == NULL) { /* a new X509_NAME is the empty one */
		if (ASN1_INTEGER_set_uint64(is->serial, serial) == 1)
			return is;
	} else if (X509_NAME_set(&is->issuer, X509_get_issuer_name(cert)) ==
	    1) {
		ASN1_INTEGER_free(is->serial);
		is->serial = ASN1_INTEGER_dup(X509_get0_serialNumber(cert));
		if (is->serial != NULL)
			return is;
	}
	CSR_ISSUER_SERIAL_free(is);
	return NULL;
}

static ASN1_OCTET_STRING *
octets(const unsigned char *data, size_t len)
{
	ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();

	if (o != NULL && ASN1_OCTET_STRING_set(o, data, (int)len) == 1)
		return o;
	ASN1_OCTET_STRING_free(o);
	return NULL;
}

int
csr_key_name_set(CSR_KEY_NAME *name, X509 *cert, const unsigned char *key_id,
    size_t key_id_len, unsigned long serial)
{
	if (cert != NULL || key_id_len == 0) {
		name->d.issuer = issuer_serial(cert, serial);
		name->type = name->d.issuer != NULL ? CSR_ID_ISSUER : -1;
	} else {
		name->d.key_id = octets(key_id, key_id_len);
		name->type = name->d.key_id != NULL ? CSR_ID_KEY : -1;
	}
	return name->type != -1;
}

int
csr_agree_name_set(CSR_AGREE_NAME *name, const struct burin_cms_recipient *to)
{
	if (to->cert != NULL || to->key_id_len == 0) {
		name->d.issuer = issuer_serial(to->cert, to->serial);
		name->type = name->d.issuer != NULL ? CSR_ID_ISSUER : -1;
		return name->type != -1;
	}
	if ((name->d.key = CSR_RKEY_ID_new()) == NULL)
		return 0;
	name->type = CSR_ID_KEY;
	return ASN1_OCTET_STRING_set(
		   name->d.key->key_id, to->key_id, (int)to->key_id_len) == 1;
}

static int
is_octets(const ASN1_OCTET_STRING *o, const unsigned char *data, size_t len)
{
	return len > 0 && (size_t)o->length == len &&
	    memcmp(o->data, data, len) == 0;
}

static int
is_cert(const CSR_ISSUER_SERIAL *is, X509 *cert)
{
	return X509_NAME_cmp(is->issuer, X509_get_issuer_name(cert)) == 0 &&
	    ASN1_INTEGER_cmp(is->serial, X509_get0_serialNumber(cert)) == 0;
}

static int
key_id_is(const ASN1_OCTET_STRING *key_id, X509 *cert)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);

	return ski != NULL && ASN1_OCTET_STRING_cmp(key_id, ski) == 0;
}

static int
issuer_is(const CSR_ISSUER_SERIAL *is, const struct burin_cms_recipient *to)
{
	uint64_t serial;

	if (to->cert != NULL && is_cert(is, to->cert))
		return 1;
	return X509_NAME_entry_count(is->issuer) == 0 &&
	    ASN1_INTEGER_get_uint64(&serial, is->serial) == 1 &&
	    serial == to->serial;
}

static int
is_key_id(const ASN1_OCTET_STRING *key_id, const struct burin_cms_recipient *to)
{
	return is_octets(key_id, to->key_id, to->key_id_len) ||
	    (to->cert != NULL && key_id_is(key_id, to->cert));
}

int
csr_key_name_is(const CSR_KEY_NAME *name, const struct burin_cms_recipient *to)
{
	return name->type == CSR_ID_ISSUER ? issuer_is(name->d.issuer, to)
					   : is_key_id(name->d.key_id, to);
}

int
csr_agree_name_is(
    const CSR_AGREE_NAME *name, const struct burin_cms_recipient *to)
{
	return name->type == CSR_ID_ISSUER ? issuer_is(name->d.issuer, to)
					   : is_key_id(name->d.key->key_id, to);
}

int
csr_names_cert(const CSR_KEY_NAME *name, X509 *cert)
{
	return name->type == CSR_ID_ISSUER ? is_cert(name->d.issuer, cert)
					   : key_id_is(name->d.key_id, cert);
}
