/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key for whoever knows a password: RFC 5652 section 6.2.4, RFC 8018
 * section 5.2 (PBKDF2), RFC 3211 section 2.3 (PWRI-KEK, only read).
 */

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "internal.h"

#define ROUNDS 600000 /* PBKDF2 with HMAC-SHA256 */
#define SALT_LEN 16
#define BLOCK 16 /* of AES */

static const struct {
	const char *oid;
	const char *md;
} prfs[] = {
	{ "1.2.840.113549.2.7", "SHA1" },
	{ "1.2.840.113549.2.8", "SHA224" },
	{ "1.2.840.113549.2.9", "SHA256" },
	{ "1.2.840.113549.2.10", "SHA384" },
	{ "1.2.840.113549.2.11", "SHA512" },
};

/* RFC 10002 section 3.2: identification in front, the secret behind. */
static int
password(const struct csr_password *pw, struct burin_secret **out,
    struct burin_error *e)
{
	const char *id = pw->identification != NULL ? pw->identification : "";
	size_t id_len = strlen(id), len = burin_secret_len(pw->secret);

	*out = NULL;
	if (id_len > BURIN_SECRET_MAX)
		return burin_fail(e, BURIN_EUSAGE, "identification-too-long",
		    "the identification is longer than %d bytes",
		    BURIN_SECRET_MAX);
	if (burin_secret_new(out, NULL, id_len + len, e) == -1)
		return -1;
	memcpy(burin_secret_data(*out), id, id_len);
	memcpy(burin_secret_data(*out) + id_len, burin_secret_bytes(pw->secret),
	    len);
	return 0;
}

static int
derive(const struct csr_password *pw, const ASN1_OCTET_STRING *salt,
    unsigned long rounds, const EVP_MD *md, unsigned char *kek, size_t kek_len,
    struct burin_error *e)
{
	struct burin_secret *pass = NULL;
	int rc;

	if (password(pw, &pass, e) == -1)
		return -1;
	rc = PKCS5_PBKDF2_HMAC((const char *)burin_secret_bytes(pass),
		 (int)burin_secret_len(pass), salt->data, salt->length,
		 (int)rounds, md, (int)kek_len, kek) == 1
	    ? 0
	    : burin_fail_openssl(e, BURIN_EINTERNAL, "derive-failed",
		  "no key could be derived from the secret");
	burin_secret_free(&pass);
	return rc;
}

static PBKDF2PARAM *
parameters(const CSR_PWRI *pwri)
{
	const X509_ALGOR *alg = pwri->derivation;

	if (alg == NULL || !csr_oid_is(alg->algorithm, OID_PBKDF2) ||
	    alg->parameter == NULL)
		return NULL;
	return ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(PBKDF2PARAM), alg->parameter);
}

static unsigned long
rounds_of(const PBKDF2PARAM *p)
{
	uint64_t n;

	if (ASN1_INTEGER_get_uint64(&n, p->iter) != 1 || n > ULONG_MAX)
		return 0;
	return (unsigned long)n;
}

unsigned long
csr_pwri_rounds(const CSR_PWRI *pwri)
{
	PBKDF2PARAM *p = parameters(pwri);
	unsigned long n = p != NULL ? rounds_of(p) : 0;

	PBKDF2PARAM_free(p);
	return n;
}

/* HMAC-SHA1 when it is not said: RFC 8018 appendix A.2. */
static const EVP_MD *
prf_of(const X509_ALGOR *alg)
{
	size_t i;

	if (alg == NULL)
		return EVP_sha1();
	for (i = 0; i < sizeof(prfs) / sizeof(prfs[0]); i++) {
		if (csr_oid_is(alg->algorithm, prfs[i].oid) &&
		    csr_alg_bare(alg))
			return EVP_get_digestbyname(prfs[i].md);
	}
	return NULL;
}

/* The KEK, after everything the parameters say has been bounded. */
static int
kek_of(const CSR_PWRI *pwri, const struct csr_password *pw,
    enum burin_status status, unsigned char *kek, size_t kek_len,
    struct burin_error *e)
{
	PBKDF2PARAM *p = parameters(pwri);
	const ASN1_OCTET_STRING *salt;
	const EVP_MD *md;
	unsigned long n;
	uint64_t said;
	int rc = -1;

	if (p == NULL || p->salt->type != V_ASN1_OCTET_STRING ||
	    (md = prf_of(p->prf)) == NULL) {
		(void)csr_cms_alg_refused(e, status, "the key derivation",
		    pwri->derivation != NULL ? pwri->derivation->algorithm
					     : pwri->alg->algorithm,
		    "RFC 3370 section 4.4.1");
		goto out;
	}
	salt = p->salt->value.octet_string;
	n = rounds_of(p);
	if (n == 0 || n > BURIN_MAX_PBKDF2_ROUNDS) {
		(void)burin_fail_openssl(e, status, "rounds-refused",
		    "the key derivation asks for no rounds, or more than %d",
		    BURIN_MAX_PBKDF2_ROUNDS);
		(void)burin_error_rule(e, "RFC 8018 section 5.2");
		goto out;
	}
	if (salt->length > CSR_CMS_MAX_WRAPPED ||
	    (p->keylength != NULL &&
		(ASN1_INTEGER_get_uint64(&said, p->keylength) != 1 ||
		    said != kek_len))) {
		(void)csr_cms_malformed(e, status,
		    "the key derivation has a wrong key length or a salt "
		    "longer than 1024 bytes",
		    "RFC 8018 appendix A.2");
		goto out;
	}
	rc = derive(pw, salt, n, md, kek, kek_len, e);
out:
	PBKDF2PARAM_free(p);
	return rc;
}

static int
cbc(const EVP_CIPHER *how, const unsigned char *kek, const unsigned char *iv,
    const unsigned char *in, size_t len, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, ok;

	ok = ctx != NULL && EVP_DecryptInit_ex2(ctx, how, kek, iv, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &n, in, (int)len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/*
 * RFC 3211 section 2.3.2: CBC twice, the second time with the last block of
 * the first as IV; inside a length, three check bytes, the key, padding.
 */
static int
pwri_kek_unwrap(const struct csr_cipher *c, const unsigned char *kek,
    const ASN1_OCTET_STRING *in, unsigned char *key, size_t *key_len)
{
	const EVP_CIPHER *how = EVP_get_cipherbyname(c->name);
	unsigned char once[CSR_CMS_MAX_WRAPPED], twice[CSR_CMS_MAX_WRAPPED];
	size_t len = (size_t)in->length, last;
	int ok = 0;

	*key_len = 0;
	if (len < (size_t)2 * BLOCK || len % BLOCK != 0 || len > sizeof(once))
		return 0;
	last = len - BLOCK;
	if (cbc(how, kek, in->data + last - BLOCK, in->data + last, BLOCK,
		once + last) &&
	    cbc(how, kek, once + last, in->data, last, once) &&
	    cbc(how, kek, c->iv, once, len, twice) &&
	    (twice[1] ^ twice[4]) == 0xff && (twice[2] ^ twice[5]) == 0xff &&
	    (twice[3] ^ twice[6]) == 0xff && twice[0] > 0 &&
	    twice[0] <= len - 4) {
		*key_len = twice[0];
		memcpy(key, twice + 4, *key_len);
		ok = 1;
	}
	OPENSSL_cleanse(once, sizeof(once));
	OPENSSL_cleanse(twice, sizeof(twice));
	return ok;
}

int
csr_pwri_open(const CSR_PWRI *pwri, const struct csr_password *pw,
    enum burin_status status, unsigned char *key, size_t *key_len,
    struct burin_error *e)
{
	const ASN1_OCTET_STRING *in = pwri->encrypted_key;
	unsigned char kek[32];
	struct csr_cipher c;
	X509_ALGOR *inner = NULL;
	size_t kek_len = csr_wrap_kek_len(pwri->alg);
	int rc = -1;

	if (kek_len == 0) {
		if (csr_oid_is(pwri->alg->algorithm, OID_PWRI_KEK))
			inner = csr_alg_inner(pwri->alg);
		if (inner == NULL) {
			(void)csr_cms_alg_refused(e, status,
			    "the key encryption", pwri->alg->algorithm,
			    "RFC 10004 section 4.2");
			goto out;
		}
		if (csr_cipher_read(inner, 0, status, &c, e) == -1)
			goto out;
		kek_len = c.key_len;
	}
	if (kek_of(pwri, pw, status, kek, kek_len, e) == -1)
		goto out;
	rc = inner != NULL ? pwri_kek_unwrap(&c, kek, in, key, key_len)
			   : csr_unwrap(kek, kek_len, in->data,
				 (size_t)in->length, key, key_len);
out:
	OPENSSL_cleanse(kek, sizeof(kek));
	X509_ALGOR_free(inner);
	return rc;
}

/* The default PRF is left out, which DER wants. */
static int
set_derivation(CSR_PWRI *pwri, int legacy, unsigned long rounds)
{
	unsigned char salt[SALT_LEN];

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return 0;
	pwri->derivation = PKCS5_pbkdf2_set((int)rounds, salt, sizeof(salt),
	    legacy ? NID_hmacWithSHA1 : NID_hmacWithSHA256, -1);
	return pwri->derivation != NULL;
}

int
csr_pwri_make(const struct csr_password *pw, int legacy, unsigned long rounds,
    const unsigned char *key, size_t key_len, CSR_RECIPIENT **out,
    struct burin_error *e)
{
	unsigned char kek[32], wrapped[CSR_CMS_MAX_KEY + 8];
	size_t kek_len = legacy ? 16 : 32, n;
	CSR_RECIPIENT *ri = CSR_RECIPIENT_new();
	CSR_PWRI *pwri = CSR_PWRI_new();
	int rc = -1;

	*out = NULL;
	if (rounds > BURIN_MAX_PBKDF2_ROUNDS) {
		(void)burin_fail(e, BURIN_EUSAGE, "rounds-refused",
		    "the key derivation takes up to %d rounds",
		    BURIN_MAX_PBKDF2_ROUNDS);
		goto out;
	}
	if (ri == NULL || pwri == NULL ||
	    ASN1_INTEGER_set(pwri->version, 0) != 1 ||
	    !set_derivation(pwri, legacy, rounds != 0 ? rounds : ROUNDS) ||
	    !csr_wrap_set_alg(pwri->alg, kek_len)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (kek_of(pwri, pw, BURIN_EUSAGE, kek, kek_len, e) == -1)
		goto out;
	if (!csr_wrap(kek, kek_len, key, key_len, wrapped, &n) ||
	    ASN1_OCTET_STRING_set(pwri->encrypted_key, wrapped, (int)n) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "wrap-failed",
		    "the key of the message could not be wrapped");
		goto out;
	}
	ri->type = CSR_RI_PWRI;
	ri->d.pwri = pwri;
	pwri = NULL;
	*out = ri;
	ri = NULL;
	rc = 0;
out:
	OPENSSL_cleanse(kek, sizeof(kek));
	CSR_PWRI_free(pwri);
	CSR_RECIPIENT_free(ri);
	return rc;
}

const CSR_PWRI *
csr_pwri_of(const CSR_AUTHENTICATED *ad)
{
	const CSR_PWRI *found = NULL;
	int i;

	for (i = 0; i < sk_CSR_RECIPIENT_num(ad->recipients); i++) {
		const CSR_RECIPIENT *ri =
		    sk_CSR_RECIPIENT_value(ad->recipients, i);

		if (ri->type != CSR_RI_PWRI)
			continue;
		if (found != NULL)
			return NULL;
		found = ri->d.pwri;
	}
	return found;
}
