/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One-time enrolment secrets: 128 random bits. That much cannot be guessed
 * from a hash, so a salted SHA-256 keeps it; a slow hash would only help
 * those who flood the server. HTTP Digest (RFC 7616 section 3.4.2) needs a
 * hash of its own, which is as good as the secret at this server.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "ca.h"

#define SECRET_BYTES 16
#define SECRET_CHARS 26 /* base32 of them, RFC 4648 section 6 */

int
secret_name_ok(const char *name, struct burin_error *e)
{
	const char *c;

	if (*name == '\0' || strlen(name) > CA_MAX_NAME)
		return burin_fail(e, BURIN_EUSAGE, "name-refused",
		    "the name of an invite has 1 to %d characters",
		    CA_MAX_NAME);
	for (c = name; *c != '\0'; c++) {
		/* RFC 7617 section 2 and RFC 7616 section 3.4. */
		if (*c <= 0x20 || *c > 0x7e || strchr(":\"\\", *c) != NULL) {
			(void)burin_fail(e, BURIN_EUSAGE, "name-refused",
			    "'%s' cannot be an HTTP user name", name);
			return burin_error_advice(
			    e, "use visible ASCII without ':', '\"' and '\\'");
		}
	}
	return 0;
}

int
secret_make(struct burin_secret **out, struct burin_error *e)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char bytes[SECRET_BYTES], *text;
	unsigned acc = 0, bits = 0;
	size_t i, n = 0;
	int rc = -1;

	*out = NULL;
	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a random secret");
		goto out;
	}
	if (burin_secret_new(out, NULL, SECRET_CHARS, e) != 0)
		goto out;
	text = burin_secret_data(*out);
	for (i = 0; i < sizeof(bytes); i++) {
		acc = (acc << 8 | bytes[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			text[n++] =
			    (unsigned char)digits[acc >> (bits - 5) & 0x1f];
	}
	text[n] = (unsigned char)digits[acc << (5 - bits) & 0x1f];
	rc = 0;
out:
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(&acc, sizeof(acc));
	return rc;
}

/* SHA-256 over n parts, in order. */
struct part {
	const void *data;
	size_t len;
};

static int
hash_parts(const struct part *parts, size_t n, unsigned char out[CA_SHA256])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t i;
	int ok;

	ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

static int
verifier(const struct invite *in, const void *secret, size_t len,
    unsigned char out[CA_SHA256])
{
	const struct part parts[] = { { in->salt, sizeof(in->salt) },
		{ secret, len } };

	return hash_parts(parts, 2, out);
}

int
secret_keep(
    struct invite *in, const void *secret, size_t len, struct burin_error *e)
{
	const struct part ha1[] = { { in->name, strlen(in->name) },
		{ ":" CA_REALM ":", strlen(CA_REALM) + 2 }, { secret, len } };

	if (RAND_bytes(in->salt, sizeof(in->salt)) != 1 ||
	    verifier(in, secret, len, in->verifier) != 0 ||
	    hash_parts(ha1, 3, in->ha1) != 0)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "digest-failed",
		    "cannot hash the enrolment secret");
	return 0;
}

int
secret_check(const struct invite *in, const void *secret, size_t len)
{
	unsigned char got[CA_SHA256];

	return verifier(in, secret, len, got) == 0 &&
	    CRYPTO_memcmp(got, in->verifier, sizeof(got)) == 0;
}
