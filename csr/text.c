/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that people may be shown: a growing string, and what characters of
 * somebody else's names are safe on a terminal. Hexadecimal, times, serial
 * numbers.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/names.h>

#include "internal.h"

#define FIRST_SIZE 64

static const char digits[] = "0123456789abcdef";

void
csr_text_add(struct csr_text *t, const char *s, size_t len)
{
	size_t size = t->size > 0 ? t->size : FIRST_SIZE;
	char *bigger;

	if (t->failed)
		return;
	while (size - t->len <= len) {
		if (size > SIZE_MAX / 2) {
			t->failed = 1;
			return;
		}
		size *= 2;
	}
	if (size != t->size) {
		if ((bigger = realloc(t->s, size)) == NULL) {
			t->failed = 1;
			return;
		}
		t->s = bigger;
		t->size = size;
	}
	if (len > 0)
		memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void
csr_text_puts(struct csr_text *t, const char *s)
{
	csr_text_add(t, s, strlen(s));
}

void
csr_text_hex(struct csr_text *t, unsigned char byte)
{
	char hex[2] = { digits[byte >> 4], digits[byte & 0xf] };

	csr_text_add(t, hex, sizeof(hex));
}

char *
csr_text_take(struct csr_text *t)
{
	char *s;

	csr_text_add(t, "", 0);
	if (t->failed) {
		free(t->s);
		t->s = NULL;
	}
	s = t->s;
	memset(t, 0, sizeof(*t));
	return s;
}

/*
 * Controls move the cursor; Unicode's direction marks (UAX 9) and line
 * separators make a name look like another; U+FEFF is invisible.
 */
static int
is_unsafe(unsigned long c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xfffd;
}

/* RFC 3629 section 3; 0 when it is none. */
static size_t
decode_utf8(const unsigned char *s, size_t len, unsigned long *c)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*c = s[0];
		return 1;
	}
	n = (s[0] & 0xe0) == 0xc0   ? 2
	    : (s[0] & 0xf0) == 0xe0 ? 3
	    : (s[0] & 0xf8) == 0xf0 ? 4
				    : 0;
	if (n == 0 || n > len)
		return 0;
	*c = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3fu);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

size_t
csr_clean_char(const unsigned char *s, size_t len)
{
	unsigned long c;
	size_t n = decode_utf8(s, len, &c);

	return n > 0 && !is_unsafe(c) ? n : 0;
}

void
csr_text_clean(struct csr_text *t, const char *s, size_t len, int ascii)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = csr_clean_char(p + i, len - i);
		if (n == 0 || (ascii && p[i] >= 0x80)) {
			csr_text_puts(t, CSR_BAD_BYTE);
			csr_text_hex(t, p[i]);
			n = 1;
			continue;
		}
		csr_text_add(t, s + i, n);
	}
}

int
csr_is_clean(const char *s, size_t len)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = csr_clean_char((const unsigned char *)s + i, len - i);
		if (n == 0)
			return 0;
	}
	return 1;
}

int
csr_is_utf8(const char *s, size_t len)
{
	unsigned long c;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = decode_utf8((const unsigned char *)s + i, len - i, &c);
		if (n == 0)
			return 0;
	}
	return 1;
}

int
csr_is_ascii(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] >= 0x80)
			return 0;
	}
	return 1;
}

char *
burin_hex(const unsigned char *bytes, size_t len)
{
	struct csr_text t = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		csr_text_hex(&t, bytes[i]);
	return csr_text_take(&t);
}

int
burin_unhex(const char *hex, unsigned char *out, size_t max, size_t *len)
{
	size_t n = 0;
	int high = -1, digit;

	*len = 0;
	for (; *hex != '\0'; hex++) {
		/* Separators stand between bytes, not inside one. */
		if ((*hex == ':' || *hex == ' ') && high == -1)
			continue;
		if ((digit = OPENSSL_hexchar2int((unsigned char)*hex)) < 0)
			return -1;
		if (high == -1) {
			high = digit;
			continue;
		}
		if (n == max)
			return -1;
		out[n++] = (unsigned char)(high << 4 | digit);
		high = -1;
	}
	if (high != -1)
		return -1;
	*len = n;
	return 0;
}

char *
burin_time_text(const ASN1_TIME *t)
{
	char text[32];
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		ERR_clear_error();
		return strdup("");
	}
	return strdup(text);
}

/* RFC 5280 section 4.1.2.2 wants it positive; peers have sent others. */
char *
burin_serial_text(const ASN1_INTEGER *serial)
{
	struct csr_text t = { 0 };
	const unsigned char *p = ASN1_STRING_get0_data(serial);
	int i, n = ASN1_STRING_length(serial);

	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		csr_text_puts(&t, "-");
	if (n == 0)
		csr_text_puts(&t, "00");
	for (i = 0; i < n; i++)
		csr_text_hex(&t, p[i]);
	return csr_text_take(&t);
}
