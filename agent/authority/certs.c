/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The authority's own certificates: the CA's (RFC 5280 section 4.2.1,
 * RFC 3779 resources when given), the HTTPS server's, the one that signs CMC
 * and the one to agree on keys with.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/request.h>

#include "ca.h"

#define DAY (24 * 60 * 60)
#define OWN_DAYS 36500
#define TLS_DAYS 397	  /* renewed by authority_open before that */
#define MAX_EXT_TEXT 4096 /* bytes of one extension's value */
#define MAX_CN 64	  /* characters: ub-common-name, RFC 5280 A.1 */

/* One extension in openssl.cnf syntax. */
struct ext {
	int nid;
	const char *value;
};

static int
add_exts(X509 *cert, X509 *issuer, const struct ext *exts, size_t n,
    struct burin_error *e)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	size_t i;
	int ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	for (i = 0; i < n; i++) {
		ext = X509V3_EXT_nconf_nid(
		    NULL, &ctx, exts[i].nid, exts[i].value);
		ok = ext != NULL && X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
		if (!ok)
			return burin_fail_openssl(e, BURIN_EUSAGE,
			    "extension-refused", "cannot make %s = %s",
			    OBJ_nid2sn(exts[i].nid), exts[i].value);
	}
	return 0;
}

/* A name given as a whole DN, by way of a request that holds it. */
static X509_NAME *
parse_dn(const struct own_ca *in, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	unsigned char *der = NULL;
	X509_REQ *req = NULL;
	X509_NAME *name = NULL;
	size_t len;

	if (burin_subject_new(&s, e) != 0 ||
	    burin_subject_set_dn(s, in->name, e) != 0 ||
	    burin_pkcs10_make(s, in->pub, in->key, NULL, &der, &len, e) != 0 ||
	    burin_pkcs10_parse(der, len, BURIN_EINTERNAL, &req, e) != 0)
		goto out;
	if ((name = X509_NAME_dup(X509_REQ_get_subject_name(req))) == NULL)
		(void)burin_fail_memory(e);
out:
	X509_REQ_free(req);
	OPENSSL_free(der);
	burin_subject_free(&s);
	return name;
}

/*
 * As csr/ writes a DN: PrintableString where its characters do, which is
 * what RFC 6487 section 4.4 wants of an authority with resources.
 */
static X509_NAME *
cn_only(const char *cn, struct burin_error *e)
{
	const unsigned char *text = (const unsigned char *)cn;
	X509_NAME *name = X509_NAME_new();
	X509_NAME_ENTRY *entry;

	if (name != NULL &&
	    X509_NAME_add_entry_by_NID(
		name, NID_commonName, MBSTRING_UTF8, text, -1, -1, 0)) {
		entry = X509_NAME_get_entry(name, 0);
		if (ASN1_PRINTABLE_type(text, -1) != V_ASN1_PRINTABLESTRING ||
		    X509_NAME_ENTRY_set_data(
			entry, V_ASN1_PRINTABLESTRING, text, -1))
			return name;
	}
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "name-refused",
	    "'%s' cannot be a common name (1 to %d characters)", cn, MAX_CN);
	X509_NAME_free(name);
	return NULL;
}

/* "critical,IPv6:::/0,IPv4:..."; only characters of addresses pass. */
static int
resources_text(
    const char *const *list, char *out, size_t size, struct burin_error *e)
{
	size_t n = (size_t)snprintf(out, size, "critical");
	int add;

	for (; *list != NULL; list++) {
		if ((strncmp(*list, "IPv6:", 5) != 0 &&
			strncmp(*list, "IPv4:", 5) != 0) ||
		    strspn(*list + 5, "0123456789abcdefABCDEF:./-") !=
			strlen(*list + 5)) {
			(void)burin_fail(e, BURIN_EUSAGE, "resource-malformed",
			    "'%s' is no IP resource", *list);
			return burin_error_advice(
			    e, "write IPv6:2001:db8::/32 or IPv4:192.0.2.0/24");
		}
		add = snprintf(out + n, size - n, ",%s", *list);
		if (add < 0 || (size_t)add >= size - n)
			return burin_fail(e, BURIN_EUSAGE, "resource-limit",
			    "the IP resources are longer than %zu bytes", size);
		n += (size_t)add;
	}
	return 0;
}

int
own_ca_make(const struct own_ca *in, X509 **out, struct burin_error *e)
{
	char resources[MAX_EXT_TEXT];
	struct ext exts[] = {
		{ NID_basic_constraints, "critical,CA:TRUE" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_sbgp_ipAddrBlock, resources },
	};
	X509_NAME *name;
	X509 *cert = NULL;
	struct issuer self;
	size_t n = 3;
	int rc = -1;

	*out = NULL;
	issuer_of_key(&self, in->key, NULL);
	name = strchr(in->name, '=') != NULL ? parse_dn(in, e)
					     : cn_only(in->name, e);
	if (name == NULL)
		goto out;
	if (in->resources != NULL && in->resources[0] != NULL) {
		n = 4;
		if (resources_text(
			in->resources, resources, sizeof(resources), e) != 0)
			goto out;
	}
	cert = issue_blank(
	    name, name, in->pub, in->now, in->now + (time_t)in->days * DAY, e);
	if (cert == NULL || add_exts(cert, cert, exts, n, e) != 0 ||
	    self.sign_cert(self.arg, cert, e) != 0)
		goto out;
	*out = cert;
	cert = NULL;
	rc = 0;
out:
	X509_free(cert);
	X509_NAME_free(name);
	return rc;
}

static int
is_address(const char *host)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, buf) == 1 ||
	    inet_pton(AF_INET6, host, buf) == 1;
}

/* "DNS:localhost,IP:127.0.0.1" */
static int
hosts_text(
    const char *const *hosts, char *out, size_t size, struct burin_error *e)
{
	size_t n = 0;
	int add;

	out[0] = '\0';
	for (; *hosts != NULL; hosts++) {
		if (!is_address(*hosts) &&
		    (**hosts == '\0' ||
			strspn(*hosts,
			    "abcdefghijklmnopqrstuvwxyz0123456789"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-") != strlen(*hosts)))
			return burin_fail(e, BURIN_EUSAGE, "host-malformed",
			    "'%s' is no host name and no address", *hosts);
		add = snprintf(out + n, size - n, "%s%s:%s", n > 0 ? "," : "",
		    is_address(*hosts) ? "IP" : "DNS", *hosts);
		if (add < 0 || (size_t)add >= size - n)
			return burin_fail(e, BURIN_EUSAGE, "host-limit",
			    "the host names are longer than %zu bytes", size);
		n += (size_t)add;
	}
	return 0;
}

/* A certificate under ca until then, or until the end of the CA's own. */
struct own {
	const X509_NAME *name;
	EVP_PKEY *pub;
	const struct ext *exts;
	size_t n;
	time_t now, until;
};

static int
own_make(const struct issuer *ca, const struct own *in, X509 **out,
    struct burin_error *e)
{
	const ASN1_TIME *end = X509_get0_notAfter(ca->cert);
	time_t until = in->until;
	X509 *cert;
	int rc = -1;

	cert = issue_blank(in->name, X509_get_subject_name(ca->cert), in->pub,
	    in->now, until, e);
	if (cert == NULL)
		return -1;
	if (X509_cmp_time(end, &until) < 0 && !X509_set1_notAfter(cert, end)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (add_exts(cert, ca->cert, in->exts, in->n, e) != 0 ||
	    ca->sign_cert(ca->arg, cert, e) != 0)
		goto out;
	*out = cert;
	cert = NULL;
	rc = 0;
out:
	X509_free(cert);
	return rc;
}

int
own_tls_make(const struct issuer *ca, EVP_PKEY *pub, const char *const *hosts,
    time_t now, X509 **out, struct burin_error *e)
{
	char sans[MAX_EXT_TEXT];
	const struct ext exts[] = {
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_alt_name, sans },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	struct own in = { NULL, pub, exts, sizeof(exts) / sizeof(exts[0]), now,
		now + (time_t)TLS_DAYS * DAY };
	X509_NAME *name = NULL;
	int rc = -1;

	*out = NULL;
	if (hosts_text(hosts, sans, sizeof(sans), e) == 0 &&
	    (name = cn_only("burin authority", e)) != NULL) {
		in.name = name;
		rc = own_make(ca, &in, out, e);
	}
	X509_NAME_free(name);
	return rc;
}

/*
 * RFC 6402 section 2.10 wants id-kp-cmcCA, section 2.9 the CA's own name, so
 * that who knows the CA knows who answers. Until the CA's end: nobody renews
 * it on the way.
 */
int
own_cmc_make(const struct issuer *ca, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e)
{
	static const struct ext exts[] = {
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "cmcCA" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	const struct own in = { X509_get_subject_name(ca->cert), pub, exts,
		sizeof(exts) / sizeof(exts[0]), now,
		now + (time_t)OWN_DAYS * DAY };

	*out = NULL;
	return own_make(ca, &in, out, e);
}

int
own_pop_make(const struct issuer *ca, EVP_PKEY *pub, time_t now, X509 **out,
    struct burin_error *e)
{
	static const struct ext exts[] = {
		{ NID_key_usage, "critical,keyAgreement" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	struct own in = { NULL, pub, exts, sizeof(exts) / sizeof(exts[0]), now,
		now + (time_t)OWN_DAYS * DAY };
	X509_NAME *name;
	int rc;

	*out = NULL;
	if ((name = cn_only("burin authority POP", e)) == NULL)
		return -1;
	in.name = name;
	rc = own_make(ca, &in, out, e);
	X509_NAME_free(name);
	return rc;
}

int
own_record(struct store *st, X509 *cert, const char *what, time_t now,
    struct burin_error *e)
{
	unsigned char sha256[CA_SHA256];
	struct issued_new in = { .cert = cert,
		.principal = CA_PRINCIPAL,
		.profile = "-",
		.request = sha256,
		.now = now };
	char *serial;
	int rc;

	/* There was no request: the certificate stands for it. */
	if (!X509_digest(cert, EVP_sha256(), sha256, NULL))
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "digest-failed", "SHA-256 failed");
	if (store_cert_put(st, &in, e) != 0)
		return -1;
	serial = burin_serial_text(X509_get0_serialNumber(cert));
	if (serial == NULL)
		return burin_fail_memory(e);
	rc = store_audit(st, e, "issued", "%s %s", serial, what);
	free(serial);
	return rc;
}

int
own_check(
    const struct issuer *ca, X509 *cert, time_t now, struct burin_error *e)
{
	X509_STORE_CTX *ctx = NULL;
	X509_STORE *anchors = NULL;
	int rc = -1;

	if ((anchors = X509_STORE_new()) == NULL ||
	    (ctx = X509_STORE_CTX_new()) == NULL ||
	    !X509_STORE_add_cert(anchors, ca->cert) ||
	    !X509_STORE_CTX_init(ctx, anchors, cert, NULL)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	X509_STORE_CTX_set_time(ctx, 0, now);
	if (X509_verify_cert(ctx) != 1) {
		(void)burin_fail_openssl(e, BURIN_EAUTHORITY,
		    "certificate-invalid",
		    "the certificate does not stand under this CA: %s",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)));
		(void)burin_error_rule(e, "RFC 5280 section 6.1");
		goto out;
	}
	rc = 0;
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(anchors);
	return rc;
}

int
cert_has_host(X509 *cert, const char *host)
{
	return X509_check_host(cert, host, 0, 0, NULL) == 1 ||
	    X509_check_ip_asc(cert, host, 0) == 1;
}
