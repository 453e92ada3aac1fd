/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a file holds: each object found by its PEM label or, in DER, by
 * trying. Lenient where burin_certs_parse is strict: one wants to see what
 * was refused.
 */

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/response.h>

#include "../../csr/unarmor.h"
#include "show_parts.h"

static const struct csr_armor file_armor = {
	"the file",
	"file-malformed",
	BURIN_MAX_RESPONSE,
	256,
};

static int
append(json_t *list, json_t *o, struct burin_error *e)
{
	if (json_array_append_new(list, o) == -1)
		return burin_fail_memory(e);
	return 0;
}

/* Each reader: 1 when it is one and was added, 0 when not, -1 with e set. */
typedef int (*reader)(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e);

static int
read_cert(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	const unsigned char *p = der;
	X509 *cert = d2i_X509(NULL, &p, (long)len);
	int rc = 0;

	if (cert != NULL && p == der + len)
		rc = append(list, show_cert(cert), e) == 0 ? 1 : -1;
	X509_free(cert);
	return rc;
}

static int
read_req(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	const unsigned char *p = der;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)len);
	int rc = 0;

	if (req != NULL && p == der + len)
		rc = append(list, show_req(req), e) == 0 ? 1 : -1;
	X509_REQ_free(req);
	return rc;
}

static int
read_crl(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	const unsigned char *p = der;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)len);
	int rc = 0;

	if (crl != NULL && p == der + len)
		rc = append(list, show_crl(crl), e) == 0 ? 1 : -1;
	X509_CRL_free(crl);
	return rc;
}

static int
append_held(json_t *list, CMS_ContentInfo *cms, struct burin_error *e)
{
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	STACK_OF(X509_CRL) *crls = CMS_get1_crls(cms);
	int i, rc = 1;

	for (i = 0; i < sk_X509_num(certs) && rc == 1; i++) {
		if (append(list, show_cert(sk_X509_value(certs, i)), e) == -1)
			rc = -1;
	}
	for (i = 0; i < sk_X509_CRL_num(crls) && rc == 1; i++) {
		if (append(list, show_crl(sk_X509_CRL_value(crls, i)), e) == -1)
			rc = -1;
	}
	sk_X509_pop_free(certs, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return rc;
}

/* The message as an object of its own, then what it holds. */
static int
read_message(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	json_t *o = NULL;
	char type[128];
	int signers, rc = 0;

	if (cms == NULL || p != der + len)
		goto out;
	(void)OBJ_obj2txt(type, sizeof(type), CMS_get0_type(cms), 0);
	signers = OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed
	    ? sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms))
	    : -1;
	o = json_object();
	if (show_put(o, "type",
		json_string(signers > 0 || strcmp(type, "pkcs7-signedData") != 0
			? "message"
			: "certs-only")) == -1 ||
	    show_put(o, "content", json_string(type)) == -1 ||
	    show_put(o, "signers", json_integer(signers < 0 ? 0 : signers)) ==
		-1 ||
	    json_array_append(list, o) == -1)
		rc = burin_fail_memory(e);
	else
		rc = append_held(list, cms, e);
out:
	json_decref(o);
	CMS_ContentInfo_free(cms);
	return rc;
}

static int
read_envelope(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	if (!show_is_envelope(der, len))
		return 0;
	return append(list, show_envelope(der, len, 0, 0), e) == 0 ? 1 : -1;
}

static int
read_crmf(
    json_t *list, const unsigned char *der, size_t len, struct burin_error *e)
{
	json_t *o;

	if (!show_crmf(&o, der, len))
		return 0;
	return append(list, o, e) == 0 ? 1 : -1;
}

/* In the order in which they are tried: read_message takes any ContentInfo. */
static const struct form {
	const char *label; /* of PEM; DER is tried as any of them */
	reader read;
} forms[] = {
	{ PEM_STRING_X509, read_cert }, { PEM_STRING_X509_OLD, read_cert },
	{ PEM_STRING_X509_REQ, read_req },
	{ PEM_STRING_X509_REQ_OLD, read_req },
	{ PEM_STRING_X509_CRL, read_crl }, { PEM_STRING_PKCS7, read_envelope },
	{ PEM_STRING_CMS, read_envelope }, { PEM_STRING_PKCS7, read_message },
	{ PEM_STRING_CMS, read_message }, { "", read_crmf }, /* has no label */
};

#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

static int
refuse(struct burin_error *e, const char *why, const char *what)
{
	(void)burin_fail(
	    e, BURIN_EUSAGE, "file-malformed", "the file %s %s", why, what);
	return burin_error_advice(e,
	    "certificates, requests (PKCS#10, CRMF), revocation lists, PKCS#7 "
	    "and CMC messages can be shown, in DER, PEM or base64");
}

static int
read_blob(json_t *list, const struct csr_blob *blob, struct burin_error *e)
{
	size_t i;
	int rc, known = 0;

	for (i = 0; i < N_FORMS; i++) {
		if (blob->name[0] != '\0' &&
		    strcmp(blob->name, forms[i].label) != 0)
			continue;
		known = 1;
		rc = forms[i].read(list, blob->der, blob->len, e);
		/* What did not fit one form may fit the next. */
		ERR_clear_error();
		if (rc != 0)
			return rc == 1 ? 0 : -1;
	}
	if (!known)
		return refuse(e, "holds a PEM block of type", blob->name);
	return refuse(e, "holds a damaged",
	    blob->name[0] != '\0' ? blob->name : "or unknown object");
}

int
show_read(
    json_t **out, const unsigned char *data, size_t len, struct burin_error *e)
{
	struct csr_blob *blobs = NULL;
	json_t *list = NULL;
	size_t i, n = 0;
	int rc = -1;

	*out = NULL;
	if (csr_unarmor(data, len, &file_armor, BURIN_EUSAGE, &blobs, &n, e) ==
	    -1)
		return -1;
	if ((list = json_array()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < n; i++) {
		if (read_blob(list, &blobs[i], e) == -1)
			goto out;
	}
	*out = list;
	list = NULL;
	rc = 0;
out:
	csr_blobs_free(blobs, n);
	json_decref(list);
	return rc;
}
