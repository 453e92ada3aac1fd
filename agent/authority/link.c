/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linking a request to the TLS session it comes over (RFC 7030 section 3.5):
 * who signs a value that only the two ends of the session know holds the key
 * and the session at once. tls-unique in TLS 1.2 (RFC 5929), tls-exporter in
 * TLS 1.3 (RFC 9266), base64, in challengePassword or estIdentityLinking
 * (RFC 7894 section 3.4).
 */

#include <string.h>

#include <gnutls/gnutls.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <burin/request.h>

#include "http.h"

#define OID_LINKING "1.2.840.113549.1.9.16.2.58" /* estIdentityLinking */
#define MAX_BINDING 64				 /* bytes */

/* The attributes that link, by their index in req; -1: not there. */
struct links {
	int at[2];
};

static int
find_links(const X509_REQ *req, struct links *l, struct burin_error *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_LINKING, 1);

	if (oid == NULL)
		return burin_fail_memory(e);
	l->at[0] =
	    X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
	l->at[1] = X509_REQ_get_attr_by_OBJ(req, oid, -1);
	ASN1_OBJECT_free(oid);
	return 0;
}

static gnutls_session_t
session_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info != NULL ? info->tls_session : NULL;
}

/* The session's value in base64, NUL-terminated. */
static int
binding(struct MHD_Connection *c, char out[MAX_BINDING / 3 * 4 + 8],
    struct burin_error *e)
{
	gnutls_session_t session = session_of(c);
	gnutls_datum_t cb = { NULL, 0 };
	int is_13, rv = GNUTLS_E_INVALID_REQUEST;

	is_13 = session != NULL &&
	    gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
	/* Without it two sessions can be made to have one value: RFC 7627. */
	if (session != NULL && !is_13 &&
	    !gnutls_session_ext_master_secret_status(session)) {
		(void)burin_fail(e, BURIN_EUSAGE, "link-unsafe",
		    "this TLS session has no extended master secret, so that "
		    "no request can be linked to it");
		return burin_error_rule(e, "RFC 7627 section 1");
	}
	if (session != NULL)
		rv = gnutls_session_channel_binding(session,
		    is_13 ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &cb);
	if (rv == 0 && cb.size > 0 && cb.size <= MAX_BINDING)
		(void)EVP_EncodeBlock(
		    (unsigned char *)out, cb.data, (int)cb.size);
	else
		rv = burin_fail(e, BURIN_EINTERNAL, "link-failed",
		    "GnuTLS has no channel binding of this session");
	gnutls_free(cb.data);
	return rv == 0 ? 0 : -1;
}

/* Every one that is there has to fit: RFC 7894 section 4. */
static int
check_value(
    const X509_REQ *req, int at, const char *wanted, struct burin_error *e)
{
	X509_ATTRIBUTE *attr = X509_REQ_get_attr(req, at);
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attr, 0);
	const ASN1_STRING *text = NULL;

	if (X509_ATTRIBUTE_count(attr) == 1 && value != NULL &&
	    (value->type == V_ASN1_UTF8STRING ||
		value->type == V_ASN1_PRINTABLESTRING ||
		value->type == V_ASN1_T61STRING ||
		value->type == V_ASN1_IA5STRING))
		text = value->value.asn1_string;
	if (text != NULL &&
	    (size_t)ASN1_STRING_length(text) == strlen(wanted) &&
	    CRYPTO_memcmp(
		ASN1_STRING_get0_data(text), wanted, strlen(wanted)) == 0)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "link-wrong",
	    "the request is linked to another TLS session than this one");
	(void)burin_error_rule(e, "RFC 7030 section 3.5");
	return burin_error_advice(e,
	    "sign the request anew on the connection that sends it, or leave "
	    "challengePassword out");
}

int
link_check(struct call *k, X509_REQ *req, int *linked, struct burin_error *e)
{
	char wanted[MAX_BINDING / 3 * 4 + 8];
	struct links l;
	size_t i;

	*linked = 0;
	if (find_links(req, &l, e) != 0)
		return -1;
	if (l.at[0] < 0 && l.at[1] < 0) {
		if (k->s->a->cnf.link != LINK_REQUIRE)
			return 0;
		(void)burin_fail(e, BURIN_EUSAGE, "link-missing",
		    "this authority takes only requests that are linked to "
		    "their TLS session");
		(void)burin_error_rule(e, "RFC 7030 section 3.5");
		return burin_error_advice(e,
		    "put tls-exporter (TLS 1.3) or tls-unique (TLS 1.2) in "
		    "base64 into challengePassword");
	}
	if (auth_ra(k)) {
		*linked = 1;
		return 0;
	}
	if (binding(k->c, wanted, e) != 0)
		return -1;
	for (i = 0; i < 2; i++)
		if (l.at[i] >= 0 && check_value(req, l.at[i], wanted, e) != 0)
			return -1;
	*linked = 1;
	return 0;
}

int
link_hash(X509_REQ *req, unsigned char sha256[CA_SHA256], struct burin_error *e)
{
	X509_REQ *bare = X509_REQ_dup(req);
	unsigned char *der = NULL;
	struct links l;
	int i, len, rc = -1;

	if (bare == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < 2; i++) {
		/* Indices move: looked for again after each. */
		if (find_links(bare, &l, e) != 0)
			goto out;
		if (l.at[i] >= 0)
			X509_ATTRIBUTE_free(
			    X509_REQ_delete_attr(bare, l.at[i]));
	}
	if ((len = i2d_re_X509_REQ_tbs(bare, &der)) <= 0 ||
	    !EVP_Q_digest(
		NULL, "SHA256", NULL, der, (size_t)len, sha256, NULL)) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "digest-failed",
		    "cannot hash the request");
		goto out;
	}
	rc = 0;
out:
	OPENSSL_free(der);
	X509_REQ_free(bare);
	return rc;
}
