/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates out of whatever an authority or a person hands over: DER,
 * PEM, PKCS#7 certs-only (RFC 5652 section 5.1, RFC 8551 section 3.2.2).
 */

#include <limits.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include <burin/response.h>

#include "internal.h"
#include "unarmor.h"

#define MAX_CERT 65536 /* bytes of one DER certificate */

static const struct csr_armor response_armor = {
	"the response",
	"response-malformed",
	BURIN_MAX_RESPONSE,
	BURIN_MAX_CERTS,
};

static int
malformed(struct burin_error *e, enum burin_status status, const char *why,
    const char *rule)
{
	(void)burin_fail_openssl(e, status, "response-malformed", "%s", why);
	return burin_error_rule(e, "%s", rule);
}

/*
 * 1 when cert encodes to exactly these bytes: what will be read back. Anew,
 * for OpenSSL keeps the bytes of what is signed and would give them back.
 */
static int
encodes_to(X509 *cert, const unsigned char *der, size_t len)
{
	unsigned char *again = NULL;
	int n, same;

	(void)i2d_re_X509_tbs(cert, NULL);
	n = i2d_X509(cert, &again);
	same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;
	OPENSSL_free(again);
	return same;
}

static int
check_der(X509 *cert, const unsigned char *der, size_t len,
    enum burin_status status, struct burin_error *e)
{
	if (len > MAX_CERT)
		return malformed(e, status,
		    "a certificate is longer than 65536 bytes",
		    "RFC 5280 section 4.1");
	if (!encodes_to(cert, der, len))
		return malformed(e, status, "a certificate is not in DER",
		    "RFC 5280 section 4.1, X.690 section 10");
	return 0;
}

int
burin_cert_parse(const void *der, size_t len, enum burin_status status,
    X509 **out, struct burin_error *e)
{
	const unsigned char *p = der;
	X509 *cert = NULL;
	int rc = -1;

	*out = NULL;
	if (der == NULL || len == 0 || len > MAX_CERT)
		return malformed(e, status,
		    "a certificate is empty or longer than 65536 bytes",
		    "RFC 5280 section 4.1");
	if ((cert = d2i_X509(NULL, &p, (long)len)) == NULL) {
		(void)malformed(e, status, "a certificate cannot be decoded",
		    "RFC 5280 section 4.1");
		goto out;
	}
	if (p != (const unsigned char *)der + len) {
		(void)malformed(e, status,
		    "a certificate is followed by other bytes",
		    "RFC 5280 section 4.1");
		goto out;
	}
	if (check_der(cert, der, len, status, e) != 0)
		goto out;
	*out = cert;
	cert = NULL;
	rc = 0;
out:
	X509_free(cert);
	return rc;
}

int
csr_certs_have(STACK_OF(X509) * certs, X509 *cert)
{
	int i, found = 0;

	(void)ERR_set_mark();
	for (i = 0; i < sk_X509_num(certs) && !found; i++)
		found = X509_cmp(sk_X509_value(certs, i), cert) == 0;
	(void)ERR_pop_to_mark();
	return found;
}

/* Takes cert over, also when it fails; a known one is let go. */
static int
add_cert(STACK_OF(X509) * certs, X509 *cert, enum burin_status status,
    struct burin_error *e)
{
	if (csr_certs_have(certs, cert)) {
		X509_free(cert);
		return 0;
	}
	if (sk_X509_num(certs) == BURIN_MAX_CERTS) {
		X509_free(cert);
		return burin_fail(e, status, "response-malformed",
		    "the response holds more than %d certificates",
		    BURIN_MAX_CERTS);
	}
	if (sk_X509_push(certs, cert) == 0) {
		X509_free(cert);
		return burin_fail_memory(e);
	}
	return 0;
}

static int
add_der(STACK_OF(X509) * certs, const unsigned char *der, size_t len,
    enum burin_status status, struct burin_error *e)
{
	X509 *cert;

	if (burin_cert_parse(der, len, status, &cert, e) == -1)
		return -1;
	return add_cert(certs, cert, status, e);
}

/*
 * The certificates of a certs-only message, as the message's decoder made
 * them: the rules for a single certificate hold for them as well.
 */
static int
add_message(STACK_OF(X509) * certs, CMS_ContentInfo *cms,
    enum burin_status status, struct burin_error *e)
{
	STACK_OF(X509) *held = CMS_get1_certs(cms);
	int rc = -1;

	while (sk_X509_num(held) > 0) {
		X509 *cert = sk_X509_shift(held);
		unsigned char *der = NULL;
		int len = i2d_X509(cert, &der), good = -1;

		if (len <= 0)
			(void)burin_fail_memory(e);
		else
			good = check_der(cert, der, (size_t)len, status, e);
		OPENSSL_free(der);
		if (good != 0)
			X509_free(cert);
		if (good != 0 || add_cert(certs, cert, status, e) != 0)
			goto out;
	}
	ERR_clear_error();
	rc = 0;
out:
	sk_X509_pop_free(held, X509_free);
	return rc;
}

/*
 * A degenerate SignedData: certificates, nobody signs. A signer would mean
 * that somebody vouches for the content, which is not looked at here.
 */
static int
add_certs_only(STACK_OF(X509) * certs, const unsigned char *der, size_t len,
    enum burin_status status, struct burin_error *e)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = NULL;
	int rc = -1;

	if ((cms = d2i_CMS_ContentInfo(NULL, &p, (long)len)) == NULL) {
		(void)malformed(e, status,
		    "neither a certificate nor a PKCS#7 message",
		    "RFC 5652 section 3");
		goto out;
	}
	if (p != der + len) {
		(void)malformed(e, status,
		    "the PKCS#7 message is followed by other bytes",
		    "RFC 5652 section 3");
		goto out;
	}
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		(void)malformed(e, status,
		    "the PKCS#7 message is not of type SignedData",
		    "RFC 5652 section 5.1");
		goto out;
	}
	if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) > 0) {
		(void)malformed(e, status,
		    "the PKCS#7 message is signed, it should hold "
		    "certificates only",
		    "RFC 8551 section 3.2.2, RFC 7030 section 4.2.3");
		goto out;
	}
	rc = add_message(certs, cms, status, e);
out:
	CMS_ContentInfo_free(cms);
	return rc;
}

/*
 * 1 when der opens as a ContentInfo does: SEQUENCE { OBJECT IDENTIFIER.
 * A certificate opens with two SEQUENCEs.
 */
static int
is_content_info(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	long inner;
	int tag, class, flags, is = 0;

	(void)ERR_set_mark();
	flags = ASN1_get_object(&p, &inner, &tag, &class, (long)len);
	if ((flags & 0x80) == 0 && tag == V_ASN1_SEQUENCE && p < der + len)
		is = *p == V_ASN1_OBJECT;
	(void)ERR_pop_to_mark();
	return is;
}

static int
add_blob(STACK_OF(X509) * certs, const struct csr_blob *blob,
    enum burin_status status, struct burin_error *e)
{
	const char *name = blob->name;

	if (strcmp(name, "") == 0)
		return is_content_info(blob->der, blob->len)
		    ? add_certs_only(certs, blob->der, blob->len, status, e)
		    : add_der(certs, blob->der, blob->len, status, e);
	if (strcmp(name, PEM_STRING_X509) == 0 ||
	    strcmp(name, PEM_STRING_X509_OLD) == 0)
		return add_der(certs, blob->der, blob->len, status, e);
	if (strcmp(name, PEM_STRING_PKCS7) == 0 ||
	    strcmp(name, PEM_STRING_CMS) == 0)
		return add_certs_only(certs, blob->der, blob->len, status, e);
	/* Bundles carry revocation lists; they are no certificates. */
	if (strcmp(name, PEM_STRING_X509_CRL) == 0)
		return 0;
	(void)burin_fail(e, status, "response-malformed",
	    "the response holds a PEM block of type %s", name);
	return burin_error_advice(
	    e, "give certificates only: CERTIFICATE, PKCS7 or CMS blocks");
}

int
burin_certs_parse(const void *data, size_t len, enum burin_status status,
    STACK_OF(X509) * *out, struct burin_error *e)
{
	struct csr_blob *blobs = NULL;
	STACK_OF(X509) *certs = NULL;
	size_t i, n = 0;
	int rc = -1;

	*out = NULL;
	if (csr_unarmor(data, len, &response_armor, status, &blobs, &n, e) ==
	    -1)
		return -1;
	if ((certs = sk_X509_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < n; i++) {
		if (add_blob(certs, &blobs[i], status, e) == -1)
			goto out;
	}
	if (sk_X509_num(certs) == 0) {
		(void)burin_fail(e, status, "response-empty",
		    "the response holds no certificate");
		goto out;
	}
	*out = certs;
	certs = NULL;
	rc = 0;
out:
	csr_blobs_free(blobs, n);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/*
 * PKCS7 rather than CMS: OpenSSL's template keeps the given order, which
 * readers that take the first certificate for the new one need. No content:
 * RFC 7030 section 4.1.3, "the eContent field is absent".
 */
int
burin_certs_only_make(STACK_OF(X509) * certs, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	PKCS7 *p7 = NULL;
	int i, len, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (sk_X509_num(certs) <= 0 || sk_X509_num(certs) > BURIN_MAX_CERTS)
		return burin_fail(e, BURIN_EUSAGE, "certs-count",
		    "a certs-only message takes 1 to %d certificates",
		    BURIN_MAX_CERTS);
	if ((p7 = PKCS7_new()) == NULL ||
	    PKCS7_set_type(p7, NID_pkcs7_signed) != 1)
		goto out;
	ASN1_OBJECT_free(p7->d.sign->contents->type);
	p7->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
	for (i = 0; i < sk_X509_num(certs); i++) {
		if (PKCS7_add_certificate(p7, sk_X509_value(certs, i)) != 1)
			goto out;
	}
	if ((len = i2d_PKCS7(p7, der)) <= 0)
		goto out;
	*der_len = (size_t)len;
	rc = 0;
out:
	if (rc == -1)
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "certs-encode",
		    "the certs-only message could not be made");
	PKCS7_free(p7);
	return rc;
}

X509 *
burin_certs_for_key(STACK_OF(X509) * bag, EVP_PKEY *pub)
{
	X509 *best = NULL;
	int i;

	if (pub == NULL)
		return NULL;
	(void)ERR_set_mark();
	for (i = 0; i < sk_X509_num(bag); i++) {
		X509 *cert = sk_X509_value(bag, i);
		EVP_PKEY *key = X509_get0_pubkey(cert);

		if (key == NULL || EVP_PKEY_eq(key, pub) != 1)
			continue;
		if (best == NULL ||
		    ASN1_TIME_compare(X509_get0_notBefore(cert),
			X509_get0_notBefore(best)) > 0)
			best = cert;
	}
	(void)ERR_pop_to_mark();
	return best;
}

int
burin_cert_sha256(X509 *cert, char hex[65], struct burin_error *e)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;

	hex[0] = '\0';
	if (X509_digest(cert, EVP_sha256(), md, &len) != 1 || len != 32)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "digest",
		    "the certificate could not be hashed");
	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[md[i] >> 4];
		hex[2 * i + 1] = digits[md[i] & 0xf];
	}
	hex[64] = '\0';
	return 0;
}
