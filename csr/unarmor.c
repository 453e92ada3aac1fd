/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Armour off: PEM (RFC 7468) by OpenSSL's reader, base64 as EST sends it
 * (RFC 8951 section 3), DER as it is.
 */

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "unarmor.h"

#define BEGIN "-----BEGIN "
#define DER_SEQUENCE 0x30

/* The data being read and where its objects go. */
struct reader {
	const unsigned char *data;
	size_t len;
	const struct csr_armor *armor;
	enum burin_status status;
	struct csr_blob *blobs;
	size_t n;
};

static int
refuse(const struct reader *r, struct burin_error *e, const char *why,
    const char *rule)
{
	(void)burin_fail(
	    e, r->status, r->armor->code, "%s %s", r->armor->what, why);
	return burin_error_rule(e, "%s", rule);
}

/* How many lines open a PEM block. */
static size_t
count_begins(const unsigned char *data, size_t len)
{
	const unsigned char *p = data, *end = data + len;
	size_t n = 0, width = strlen(BEGIN);

	while ((p = memmem(p, (size_t)(end - p), BEGIN, width)) != NULL) {
		if (p == data || p[-1] == '\n' || p[-1] == '\r')
			n++;
		p += width;
	}
	return n;
}

/* Takes der over, also when it fails. name is copied. */
static int
add_blob(struct reader *r, const char *name, unsigned char *der, size_t len,
    struct burin_error *e)
{
	struct csr_blob *blob;

	if (r->n == r->armor->max_blobs) {
		OPENSSL_clear_free(der, len);
		(void)burin_fail(e, r->status, r->armor->code,
		    "%s holds more than %zu objects", r->armor->what,
		    r->armor->max_blobs);
		return -1;
	}
	blob = &r->blobs[r->n];
	if ((blob->name = OPENSSL_strdup(name)) == NULL) {
		OPENSSL_clear_free(der, len);
		return burin_fail_memory(e);
	}
	blob->der = der;
	blob->len = len;
	r->n++;
	return 0;
}

/*
 * One block from in. *done is set when no block is left: OpenSSL then says
 * "no start line", which is the only failure that is none.
 */
static int
read_block(struct reader *r, BIO *in, int *done, struct burin_error *e)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	unsigned long why;
	long len = 0;
	int rc = -1;

	*done = 0;
	if (PEM_read_bio(in, &name, &header, &der, &len) != 1) {
		why = ERR_peek_last_error();
		ERR_clear_error();
		if (ERR_GET_LIB(why) == ERR_LIB_PEM &&
		    ERR_GET_REASON(why) == PEM_R_NO_START_LINE) {
			*done = 1;
			return 0;
		}
		return refuse(r, e, "holds a damaged PEM block", "RFC 7468");
	}
	if (header[0] != '\0') {
		(void)refuse(r, e,
		    "holds a PEM block with headers (an encrypted one?)",
		    "RFC 7468 section 2");
		OPENSSL_clear_free(der, (size_t)len);
		goto out;
	}
	rc = add_blob(r, name, der, (size_t)len, e);
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	return rc;
}

static int
read_pem(struct reader *r, size_t begins, struct burin_error *e)
{
	BIO *in;
	int rc = -1, done = 0;

	if ((in = BIO_new_mem_buf(r->data, (int)r->len)) == NULL)
		return burin_fail_memory(e);
	while (!done) {
		if (read_block(r, in, &done, e) == -1)
			goto out;
	}
	/* OpenSSL skips a start line it cannot read as if it were text. */
	if (r->n != begins) {
		(void)refuse(r, e, "holds a damaged PEM block", "RFC 7468");
		goto out;
	}
	rc = 0;
out:
	BIO_free(in);
	return rc;
}

static int
is_base64(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/*
 * Copies the base64 digits of the data without white space. The padding is
 * counted and must be what the digits need: RFC 4648 section 3.2. -1 when it
 * is no base64.
 */
static int
strip_base64(
    const struct reader *r, unsigned char *text, size_t *len, size_t *padding)
{
	size_t i, n = 0, pad = 0;

	for (i = 0; i < r->len; i++) {
		unsigned char c = r->data[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=')
			pad++;
		else if (!is_base64(c) || pad > 0)
			return -1;
		text[n++] = c;
	}
	if (n == 0 || n % 4 != 0 || pad > 2)
		return -1;
	*len = n;
	*padding = pad;
	return 0;
}

static int
read_base64(struct reader *r, struct burin_error *e)
{
	unsigned char *text = NULL, *der = NULL;
	size_t len, padding;
	int rc = -1, n;

	if ((text = OPENSSL_malloc(r->len)) == NULL ||
	    (der = OPENSSL_malloc(r->len)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (strip_base64(r, text, &len, &padding) == -1 ||
	    (n = EVP_DecodeBlock(der, text, (int)len)) < 0 ||
	    (size_t)n <= padding || der[0] != DER_SEQUENCE) {
		ERR_clear_error();
		(void)refuse(r, e, "is neither DER nor PEM nor base64 of DER",
		    "RFC 7468, RFC 8951 section 3");
		goto out;
	}
	rc = add_blob(r, "", der, (size_t)n - padding, e);
	der = NULL;
out:
	OPENSSL_free(text);
	OPENSSL_free(der);
	return rc;
}

static int
read_der(struct reader *r, struct burin_error *e)
{
	unsigned char *der;

	if ((der = OPENSSL_memdup(r->data, r->len)) == NULL)
		return burin_fail_memory(e);
	return add_blob(r, "", der, r->len, e);
}

static int
read_any(struct reader *r, struct burin_error *e)
{
	size_t begins = count_begins(r->data, r->len);

	/*
	 * '0' opens a DER SEQUENCE as well as text before a PEM block. Of
	 * what is long enough to be useful only DER goes on above 0x80.
	 */
	if (r->data[0] == DER_SEQUENCE &&
	    (begins == 0 || (r->len > 1 && r->data[1] >= 0x80)))
		return read_der(r, e);
	if (begins > 0)
		return read_pem(r, begins, e);
	return read_base64(r, e);
}

int
csr_unarmor(const void *data, size_t len, const struct csr_armor *armor,
    enum burin_status status, struct csr_blob **out, size_t *n,
    struct burin_error *e)
{
	struct reader r = { data, len, armor, status, NULL, 0 };

	*out = NULL;
	*n = 0;
	if (data == NULL || len == 0)
		return burin_fail(
		    e, status, armor->code, "%s is empty", armor->what);
	if (len > armor->max_len || len > INT_MAX / 2)
		return burin_fail(e, status, armor->code,
		    "%s is longer than %zu bytes", armor->what, armor->max_len);
	if ((r.blobs = OPENSSL_zalloc(armor->max_blobs * sizeof(*r.blobs))) ==
	    NULL)
		return burin_fail_memory(e);
	if (read_any(&r, e) == -1) {
		csr_blobs_free(r.blobs, r.n);
		return -1;
	}
	*out = r.blobs;
	*n = r.n;
	return 0;
}

void
csr_blobs_free(struct csr_blob *blobs, size_t n)
{
	size_t i;

	if (blobs == NULL)
		return;
	for (i = 0; i < n; i++) {
		OPENSSL_free(blobs[i].name);
		OPENSSL_clear_free(blobs[i].der, blobs[i].len);
	}
	OPENSSL_free(blobs);
}
