/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a PKCS#10 request: RFC 2986 section 4.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "internal.h"

/* RFC 5758 and FIPS 186-5: a hash as strong as the curve. */
static const char *
digest_for(EVP_PKEY *pub)
{
	int bits = EVP_PKEY_get_bits(pub);

	if (!EVP_PKEY_is_a(pub, "EC"))
		return "SHA256";
	return bits > 384 ? "SHA512" : bits > 256 ? "SHA384" : "SHA256";
}

/* RFC 8410: the signature hashes by itself. */
static int
hashes_itself(EVP_PKEY *pub)
{
	return EVP_PKEY_is_a(pub, "ED25519") || EVP_PKEY_is_a(pub, "ED448");
}

static int
check_key(EVP_PKEY *pub, struct burin_error *e)
{
	if (EVP_PKEY_is_a(pub, "RSA") || EVP_PKEY_is_a(pub, "RSA-PSS") ||
	    EVP_PKEY_is_a(pub, "EC") || hashes_itself(pub))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-sign",
	    "a key of type %s cannot sign, and a PKCS#10 request is signed by "
	    "its own key",
	    EVP_PKEY_get0_type_name(pub) != NULL ? EVP_PKEY_get0_type_name(pub)
						 : "unknown");
	(void)burin_error_rule(e, "RFC 2986 section 4.2");
	return burin_error_advice(e,
	    "ask for a certificate of a signing key (RSA, EC, Ed25519), or "
	    "use a request format with another proof of possession");
}

static int
pick_digest(
    EVP_PKEY *pub, const char *name, const EVP_MD **md, struct burin_error *e)
{
	*md = NULL;
	if (hashes_itself(pub)) {
		if (name == NULL)
			return 0;
		(void)burin_fail(e, BURIN_EUSAGE, "digest-not-taken",
		    "a key of type %s takes no digest",
		    EVP_PKEY_get0_type_name(pub));
		return burin_error_rule(e, "RFC 8410 section 3");
	}
	if (name == NULL)
		name = digest_for(pub);
	*md = EVP_get_digestbyname(name);
	if (*md == NULL || EVP_MD_get_size(*md) < 32) {
		(void)burin_fail(e, BURIN_EUSAGE, "digest-unusable",
		    "the digest \"%.40s\" is unknown or too weak", name);
		return burin_error_advice(e, "use SHA256, SHA384 or SHA512");
	}
	return 0;
}

static int
push_attribute(X509_REQ *req, X509_ATTRIBUTE *attr, struct burin_error *e)
{
	return X509_REQ_add1_attr(req, attr) == 1 ? 0 : burin_fail_memory(e);
}

/* The SET OF attributes is sorted by OpenSSL when it is encoded. */
static int
put_attributes(
    X509_REQ *req, const struct burin_subject *s, struct burin_error *e)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_ATTRIBUTE *challenge = NULL;
	int i, rc = -1;

	for (i = 0; i < sk_X509_ATTRIBUTE_num(s->attributes); i++) {
		if (push_attribute(req,
			sk_X509_ATTRIBUTE_value(s->attributes, i), e) == -1)
			goto out;
	}
	if (s->challenge != NULL &&
	    (csr_challenge_make(s->challenge, &challenge, e) == -1 ||
		push_attribute(req, challenge, e) == -1))
		goto out;
	if (csr_subject_extensions(
		s, X509_REQ_get_X509_PUBKEY(req), &exts, e) == -1)
		goto out;
	/* extensionRequest: RFC 2985 section 5.4.2; never an empty list. */
	if (sk_X509_EXTENSION_num(exts) > 0 &&
	    X509_REQ_add_extensions(req, exts) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the extensions cannot be put into the request");
		goto out;
	}
	rc = 0;
out:
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	csr_attribute_wipe(challenge);
	return rc;
}

static int
fill(X509_REQ *req, const struct burin_subject *s, EVP_PKEY *pub,
    struct burin_error *e)
{
	if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_subject_name(req, s->dn) != 1 ||
	    X509_REQ_set_pubkey(req, pub) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the request cannot be put together");
	return put_attributes(req, s, e);
}

/*
 * The token layer may have said why it did not sign, in the OpenSSL queue;
 * that becomes the cause.
 */
static int
sign(X509_REQ *req, EVP_PKEY *pub, EVP_PKEY *key, const EVP_MD *md,
    struct burin_error *e)
{
	if (X509_REQ_sign(req, key, md) <= 0)
		return burin_fail_openssl(e, BURIN_EREFUSED, "sign-failed",
		    "the key did not sign the request");
	if (X509_REQ_verify(req, pub) != 1) {
		(void)burin_fail_openssl(e, BURIN_EREFUSED, "signature-wrong",
		    "the key's signature does not verify with the public "
		    "key of the request");
		(void)burin_error_rule(e, "RFC 2986 section 4.2");
		return burin_error_advice(e,
		    "is this the public key of that private key? Do not use "
		    "the request");
	}
	return 0;
}

int
burin_pkcs10_make(const struct burin_subject *s, EVP_PKEY *pub, EVP_PKEY *key,
    const char *md_name, unsigned char **der, size_t *der_len,
    struct burin_error *e)
{
	X509_REQ *req = NULL;
	const EVP_MD *md;
	unsigned char *bytes = NULL;
	int len, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (check_key(pub, e) == -1 || pick_digest(pub, md_name, &md, e) == -1)
		return -1;
	if ((req = X509_REQ_new()) == NULL)
		return burin_fail_memory(e);
	if (fill(req, s, pub, e) == -1 || sign(req, pub, key, md, e) == -1)
		goto out;
	if ((len = i2d_X509_REQ(req, &bytes)) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
		    "the request cannot be encoded");
		goto out;
	}
	if (len > BURIN_MAX_REQUEST) {
		(void)burin_fail(e, BURIN_EUSAGE, "request-too-long",
		    "the request is longer than %d bytes", BURIN_MAX_REQUEST);
		goto out;
	}
	*der = bytes;
	*der_len = (size_t)len;
	bytes = NULL;
	rc = 0;
out:
	OPENSSL_free(bytes);
	X509_REQ_free(req);
	return rc;
}
