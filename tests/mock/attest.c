/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Attestation as ykcs11 shows it: beside each key that was made here a
 * certificate that is no token object, with the key's CKA_ID, and the
 * certificate of the attestation key under CKA_ID 25. They are made when a
 * session is opened, so that a session that is older than a key does not show
 * its attestation. The root is written to attest-root.pem in the folder.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "mock.h"

#define F9_ID 25
#define FIRST 1457913600L /* 2016-03-14, as the maker's */
#define LAST 2597529600L  /* 2052-04-24 */

static EVP_PKEY *
new_key(void)
{
	return EVP_PKEY_Q_keygen(mock_libctx, NULL, "RSA", (size_t)2048);
}

static int
add_ext(X509 *cert, X509 *issuer, const char *name, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int rc;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_nconf(NULL, &ctx, name, value);
	rc = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return rc;
}

static int
add_cn(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		   (const unsigned char *)cn, -1, -1, 0) == 1;
}

/* Not signed yet; issuer NULL: its own. */
static X509 *
new_cert(const char *cn, long serial, EVP_PKEY *key, X509 *issuer)
{
	X509 *cert = X509_new_ex(mock_libctx, NULL);

	if (cert == NULL || !X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(cert), serial) ||
	    !ASN1_TIME_set(X509_getm_notBefore(cert), FIRST) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), LAST) ||
	    !add_cn(X509_get_subject_name(cert), cn) ||
	    !X509_set_issuer_name(
		cert, X509_get_subject_name(issuer != NULL ? issuer : cert)) ||
	    !X509_set_pubkey(cert, key)) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static void
path_of(char path[512], const char *name)
{
	(void)snprintf(path, 512, "%s/%s", mock_conf->dir, name);
}

static EVP_PKEY *
read_key(const char *name)
{
	EVP_PKEY *key = NULL;
	char path[512];
	FILE *f;

	path_of(path, name);
	if ((f = fopen(path, "re")) != NULL) {
		key = PEM_read_PrivateKey_ex(
		    f, NULL, NULL, NULL, mock_libctx, NULL);
		(void)fclose(f);
	}
	return key;
}

static X509 *
read_cert(const char *name)
{
	X509 *cert = NULL;
	char path[512];
	FILE *f;

	path_of(path, name);
	if ((f = fopen(path, "re")) != NULL) {
		cert = PEM_read_X509(f, NULL, NULL, NULL);
		(void)fclose(f);
	}
	return cert;
}

static int
write_pem(const char *name, X509 *cert, EVP_PKEY *key)
{
	char path[512];
	FILE *f;
	int rc;

	path_of(path, name);
	if ((f = fopen(path, "we")) == NULL)
		return 0;
	rc = cert != NULL
	    ? PEM_write_X509(f, cert)
	    : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	return fclose(f) == 0 && rc == 1;
}

static int
mark_ca(X509 *cert, X509 *issuer, int length)
{
	return add_ext(cert, issuer, "basicConstraints",
	    length == 0 ? "critical,CA:TRUE,pathlen:0"
			: "critical,CA:TRUE,pathlen:1");
}

/* Root, attestation key and its certificate, once for the folder. */
static int
make_maker(void)
{
	EVP_PKEY *root_key = new_key(), *key = new_key();
	X509 *root = NULL, *cert = NULL;
	int rc = 0;

	if (root_key == NULL || key == NULL)
		goto out;
	root = new_cert("Mock PIV Root CA", 1, root_key, NULL);
	if (root == NULL || !mark_ca(root, root, 1) ||
	    X509_sign(root, root_key, EVP_sha256()) <= 0)
		goto out;
	cert = new_cert("Yubico PIV Attestation", 2, key, root);
	if (cert == NULL ||
	    !add_ext(cert, root, "1.3.6.1.4.1.41482.3.3", "DER:0403050403") ||
	    (mock_conf->attest == ATTEST_NEW && !mark_ca(cert, root, 0)) ||
	    X509_sign(cert, root_key, EVP_sha256()) <= 0)
		goto out;
	rc = write_pem("attest-key.pem", NULL, key) &&
	    write_pem("attest-f9.pem", cert, NULL) &&
	    write_pem("attest-root.pem", root, NULL);
out:
	X509_free(root);
	X509_free(cert);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
	return rc;
}

static int
add_name(struct object *o, CK_ATTRIBUTE_TYPE type, const X509_NAME *name)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der), rc;

	rc = len > 0 && object_set(o, type, der, (size_t)len);
	OPENSSL_free(der);
	return rc;
}

/* Saves cert as an object; 1 or 0. */
static int
keep(CK_SLOT_ID slot, X509 *cert, const char *label, const CK_ATTRIBUTE *id,
    int on_token)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der), rc;
	struct object o;

	memset(&o, 0, sizeof(o));
	rc = len > 0 && object_set_ulong(&o, CKA_CLASS, CKO_CERTIFICATE) &&
	    object_set_ulong(&o, CKA_CERTIFICATE_TYPE, CKC_X_509) &&
	    object_set_bool(&o, CKA_TOKEN, on_token) &&
	    object_set_bool(&o, CKA_PRIVATE, 0) &&
	    object_set(&o, CKA_LABEL, label, strlen(label)) &&
	    object_set(&o, CKA_ID, id->pValue, id->ulValueLen) &&
	    object_set(&o, CKA_VALUE, der, (size_t)len) &&
	    add_name(&o, CKA_SUBJECT, X509_get_subject_name(cert)) &&
	    add_name(&o, CKA_ISSUER, X509_get_issuer_name(cert)) &&
	    store_save_file(slot, &o);
	object_free(&o);
	OPENSSL_free(der);
	return rc;
}

static EVP_PKEY *
key_of(const struct object *o)
{
	const CK_ATTRIBUTE *a = object_get(o, CKA_MOCK_PKCS8);
	const unsigned char *p = a != NULL ? a->pValue : NULL;
	PKCS8_PRIV_KEY_INFO *p8;
	EVP_PKEY *key = NULL;

	if (a == NULL)
		return NULL;
	p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)a->ulValueLen);
	if (p8 != NULL)
		key = EVP_PKCS82PKEY_ex(p8, mock_libctx, NULL);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return key;
}

/* What the device says of one of its keys, signed with f9. */
static int
attest(CK_SLOT_ID slot, const struct object *o, X509 *f9, EVP_PKEY *f9_key)
{
	const CK_ATTRIBUTE *id = object_get(o, CKA_ID);
	EVP_PKEY *key = key_of(o);
	X509 *cert = NULL;
	int rc = 0;

	if (key == NULL || id == NULL)
		goto out;
	cert = new_cert(
	    "YubiKey PIV Attestation 9a", (long)o->handle + 100, key, f9);
	if (cert == NULL ||
	    !add_ext(cert, f9, "1.3.6.1.4.1.41482.3.3", "DER:050403") ||
	    !add_ext(cert, f9, "1.3.6.1.4.1.41482.3.7", "DER:020400bc614e") ||
	    !add_ext(cert, f9, "1.3.6.1.4.1.41482.3.8", "DER:0201") ||
	    !add_ext(cert, f9, "1.3.6.1.4.1.41482.3.9", "DER:01") ||
	    X509_sign(cert, f9_key, EVP_sha256()) <= 0)
		goto out;
	rc =
	    keep(slot, cert, "X.509 Certificate for PIV Attestation 9a", id, 0);
out:
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* What an earlier session was shown. */
static void
forget(CK_SLOT_ID slot, CK_OBJECT_HANDLE h, const struct object *o)
{
	static const char label[] = "X.509 Certificate for PIV Attestation";
	const CK_ATTRIBUTE *a = object_get(o, CKA_LABEL);

	if (object_ulong(o, CKA_CLASS, CKO_DATA) == CKO_CERTIFICATE &&
	    a != NULL && a->ulValueLen >= sizeof(label) - 1 &&
	    memcmp(a->pValue, label, sizeof(label) - 1) == 0)
		store_remove(slot, h);
}

static int
show_all(CK_SLOT_ID slot, X509 *f9, EVP_PKEY *key)
{
	static unsigned char f9_id = F9_ID;
	const CK_ATTRIBUTE id = { CKA_ID, &f9_id, sizeof(f9_id) };
	CK_OBJECT_HANDLE *list = calloc(MAX_OBJECTS, sizeof(*list));
	struct object o;
	size_t i, n;
	int rc;

	if (list == NULL)
		return 0;
	n = store_list(slot, list, MAX_OBJECTS);
	rc = 1;
	for (i = 0; i < n && rc; i++) {
		if ((list[i] & IN_MEMORY) != 0 ||
		    !store_load(slot, list[i], &o))
			continue;
		forget(slot, list[i], &o);
		if (object_ulong(&o, CKA_CLASS, CKO_DATA) == CKO_PRIVATE_KEY &&
		    object_bool(&o, CKA_LOCAL, 0))
			rc = attest(slot, &o, f9, key);
		object_free(&o);
	}
	free(list);
	return rc &&
	    keep(slot, f9, "X.509 Certificate for PIV Attestation", &id, 1);
}

int
attest_show(CK_SLOT_ID slot)
{
	EVP_PKEY *key;
	X509 *f9;
	int rc;

	if (mock_conf->attest == ATTEST_NONE)
		return 1;
	if ((f9 = read_cert("attest-f9.pem")) == NULL && make_maker())
		f9 = read_cert("attest-f9.pem");
	key = read_key("attest-key.pem");
	rc = f9 != NULL && key != NULL && show_all(slot, f9, key);
	X509_free(f9);
	EVP_PKEY_free(key);
	return rc;
}
