/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets that have to be kept as they are, for CMC computes with them
 * (RFC 10002 sections 6.2 and 6.7), lie sealed in the database; the key lies
 * beside it in DIR/secrets.key. Decision 0013.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "store.h"

#define KEY_FILE "secrets.key"
#define KEY_BYTES 32
#define NONCE 12 /* bytes: NIST SP 800-38D section 8.2.2 */
#define TAG 16	 /* bytes */

static int
make_key(const char *path, struct burin_secret *key, struct burin_error *e)
{
	int fd, rc = -1;

	if (RAND_priv_bytes(burin_secret_data(key), KEY_BYTES) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "no-random",
		    "cannot make a key for secrets");
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 &&
	    write(fd, burin_secret_bytes(key), KEY_BYTES) == KEY_BYTES &&
	    fsync(fd) == 0)
		rc = 0;
	else
		(void)burin_fail(e, BURIN_EINTERNAL, "store-create",
		    "cannot make %s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
read_key(const char *path, struct burin_secret *key, struct burin_error *e)
{
	ssize_t n = -1;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
		n = read(fd, burin_secret_data(key), KEY_BYTES);
		(void)close(fd);
	}
	if (n == KEY_BYTES)
		return 0;
	(void)burin_fail(e, BURIN_EINTERNAL, "secrets-key-missing",
	    "cannot read %d bytes from %s: %s", KEY_BYTES, path,
	    n < 0 ? strerror(errno) : "it is too short");
	return burin_error_advice(
	    e, "restore it from a backup: it belongs to authority.db");
}

int
seal_open(struct burin_secret **seal, const char *dir, int create,
    struct burin_error *e)
{
	char *path = NULL;
	int rc = -1;

	if (ca_path(dir, KEY_FILE, &path, e) == 0 &&
	    burin_secret_new(seal, NULL, KEY_BYTES, e) == 0)
		rc = create ? make_key(path, *seal, e)
			    : read_key(path, *seal, e);
	if (rc != 0)
		burin_secret_free(seal);
	free(path);
	return rc;
}

/* One purpose, one key: HKDF's extract is not needed for a random key. */
static int
key_for(
    const struct store *st, const char *purpose, unsigned char out[CA_SHA256])
{
	unsigned len = CA_SHA256;

	return HMAC(EVP_sha256(), burin_secret_bytes(st->seal), KEY_BYTES,
		   (const unsigned char *)purpose, strlen(purpose), out,
		   &len) != NULL
	    ? 0
	    : -1;
}

int
seal_close(const struct store *st, const void *context, size_t context_len,
    const struct burin_secret *value, unsigned char **out, size_t *len,
    struct burin_error *e)
{
	size_t n = burin_secret_len(value);
	EVP_CIPHER_CTX *ctx = NULL;
	unsigned char key[CA_SHA256], *p = NULL;
	int k, ok = 0;

	*out = NULL;
	if ((p = malloc(n + SEAL_EXTRA)) == NULL)
		return burin_fail_memory(e);
	if (key_for(st, "seal", key) == 0 && RAND_bytes(p, NONCE) == 1 &&
	    (ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, p, NULL) &&
	    EVP_EncryptUpdate(ctx, NULL, &k, context, (int)context_len) &&
	    EVP_EncryptUpdate(
		ctx, p + NONCE, &k, burin_secret_bytes(value), (int)n) &&
	    EVP_EncryptFinal_ex(ctx, p + NONCE + n, &k) &&
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_GET_TAG, TAG, p + NONCE + n) == 1)
		ok = 1;
	OPENSSL_cleanse(key, sizeof(key));
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		free(p);
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "seal-failed", "cannot seal a secret");
	}
	*out = p;
	*len = n + SEAL_EXTRA;
	return 0;
}

int
seal_break(const struct store *st, const void *context, size_t context_len,
    const unsigned char *sealed, size_t len, struct burin_secret **out,
    struct burin_error *e)
{
	unsigned char key[CA_SHA256], tag[TAG];
	EVP_CIPHER_CTX *ctx = NULL;
	int k, ok = 0;
	size_t n;

	*out = NULL;
	if (len < SEAL_EXTRA || len > SEAL_EXTRA + BURIN_SECRET_MAX)
		return burin_fail(e, BURIN_EINTERNAL, "store-damaged",
		    "the authority's database: a secret has a wrong length");
	n = len - SEAL_EXTRA;
	memcpy(tag, sealed + NONCE + n, TAG);
	if (burin_secret_new(out, NULL, n, e) != 0)
		return -1;
	if (key_for(st, "seal", key) == 0 &&
	    (ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, sealed, NULL) &&
	    EVP_DecryptUpdate(ctx, NULL, &k, context, (int)context_len) &&
	    EVP_DecryptUpdate(
		ctx, burin_secret_data(*out), &k, sealed + NONCE, (int)n) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	    EVP_DecryptFinal_ex(ctx, burin_secret_data(*out) + n, &k) == 1)
		ok = 1;
	OPENSSL_cleanse(key, sizeof(key));
	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		return 0;
	burin_secret_free(out);
	(void)burin_fail_openssl(e, BURIN_EINTERNAL, "store-damaged",
	    "the authority's database: a secret was not sealed with this "
	    "secrets.key");
	return burin_error_advice(
	    e, "restore " KEY_FILE " and authority.db of the same time");
}

int
seal_mac(const struct store *st, const char *purpose, const void *a,
    size_t a_len, const void *b, size_t b_len, unsigned char out[CA_SHA256],
    struct burin_error *e)
{
	unsigned char key[CA_SHA256], *data;
	unsigned len = CA_SHA256;
	int ok;

	if ((data = OPENSSL_malloc(a_len + b_len + 1)) == NULL)
		return burin_fail_memory(e);
	memcpy(data, a, a_len);
	memcpy(data + a_len, b, b_len);
	ok = key_for(st, purpose, key) == 0 &&
	    HMAC(EVP_sha256(), key, sizeof(key), data, a_len + b_len, out,
		&len) != NULL;
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_clear_free(data, a_len + b_len + 1);
	return ok ? 0
		  : burin_fail_openssl(e, BURIN_EINTERNAL, "digest-failed",
			"cannot compute a MAC");
}
