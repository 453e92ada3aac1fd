/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets on OpenSSL's secure heap: locked, outside core dumps, between
 * guard pages. Where the system gives no locked memory (a small
 * RLIMIT_MEMLOCK), OpenSSL falls back to ordinary memory; zeroing holds.
 */

#include <pthread.h>
#include <string.h>

#include <openssl/crypto.h>

#include <burin/secret.h>

#define SECURE_HEAP (256 * 1024) /* bytes; a power of two */
#define SECURE_MIN 32		 /* smallest block; a power of two */

struct burin_secret {
	size_t size; /* bytes of data with the NUL, as allocated */
	size_t len;
	unsigned char *data;
};

static pthread_once_t heap_once = PTHREAD_ONCE_INIT;

static void
heap_init(void)
{
	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN);
}

/* OPENSSL_secure_clear_free knows which of the two memories it is given. */
static int
make(struct burin_secret **out, const void *data, size_t len, int locked,
    struct burin_error *e)
{
	struct burin_secret *s;

	*out = NULL;
	(void)pthread_once(&heap_once, heap_init);
	if ((s = OPENSSL_zalloc(sizeof(*s))) == NULL)
		return burin_fail_memory(e);
	s->data =
	    locked ? OPENSSL_secure_zalloc(len + 1) : OPENSSL_zalloc(len + 1);
	if (s->data == NULL) {
		OPENSSL_free(s);
		return burin_fail_memory(e);
	}
	s->size = len + 1;
	s->len = len;
	if (data != NULL && len > 0)
		memcpy(s->data, data, len);
	*out = s;
	return 0;
}

int
burin_secret_new(struct burin_secret **out, const void *data, size_t len,
    struct burin_error *e)
{
	*out = NULL;
	if (len > BURIN_SECRET_MAX)
		return burin_fail(e, BURIN_EUSAGE, "secret-too-long",
		    "the secret is longer than %d bytes", BURIN_SECRET_MAX);
	return make(out, data, len, 1, e);
}

int
burin_secret_new_large(struct burin_secret **out, const void *data, size_t len,
    struct burin_error *e)
{
	*out = NULL;
	if (len > BURIN_SECRET_MAX_LARGE)
		return burin_fail(e, BURIN_EUSAGE, "secret-too-long",
		    "the secret is longer than %d bytes",
		    BURIN_SECRET_MAX_LARGE);
	return make(out, data, len, len <= BURIN_SECRET_MAX, e);
}

void
burin_secret_free(struct burin_secret **sp)
{
	struct burin_secret *s;

	if (sp == NULL || (s = *sp) == NULL)
		return;
	OPENSSL_secure_clear_free(s->data, s->size);
	OPENSSL_free(s);
	*sp = NULL;
}

unsigned char *
burin_secret_data(struct burin_secret *s)
{
	return s->data;
}

const unsigned char *
burin_secret_bytes(const struct burin_secret *s)
{
	return s->data;
}

size_t
burin_secret_len(const struct burin_secret *s)
{
	return s->len;
}

void
burin_secret_truncate(struct burin_secret *s, size_t len)
{
	if (len >= s->len)
		return;
	OPENSSL_cleanse(s->data + len, s->len - len);
	s->len = len;
}

int
burin_secret_eq(const struct burin_secret *a, const struct burin_secret *b)
{
	if (a == NULL || b == NULL || a->len != b->len)
		return 0;
	return CRYPTO_memcmp(a->data, b->data, a->len) == 0;
}
