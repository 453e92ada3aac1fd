/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The error struct: recorded once at its origin, details added on the way.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include <burin/error.h>

/*
 * Control characters would let a peer or a token write on the user's
 * terminal; what is no UTF-8 would be no JSON either.
 */
static void
clean(char *s)
{
	size_t left = strlen(s);
	unsigned long c;
	int n;

	for (; left > 0; s += n, left -= (size_t)n) {
		n = UTF8_getc(
		    (const unsigned char *)s, left > 4 ? 4 : (int)left, &c);
		if (n > 0 && c >= 0x20 && (c < 0x7f || c > 0x9f) &&
		    (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff)
			continue;
		n = n > 0 ? n : 1;
		memset(s, '?', (size_t)n);
	}
}

/* Cut a UTF-8 sequence that truncation left incomplete. */
static void
trim_utf8(char *s, size_t size)
{
	size_t n = strlen(s), i = n;

	if (n + 1 < size)
		return;
	while (i > 0 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i > 0 && ((unsigned char)s[i - 1] & 0xc0) == 0xc0)
		s[i - 1] = '\0';
}

static void vput(char *dst, size_t size, const char *fmt, va_list ap)
    BURIN_PRINTF(3, 0);
static void record(struct burin_error *e, const char *func,
    enum burin_status status, const char *code, const char *fmt, va_list ap)
    BURIN_PRINTF(5, 0);

static void
vput(char *dst, size_t size, const char *fmt, va_list ap)
{
	(void)vsnprintf(dst, size, fmt, ap);
	trim_utf8(dst, size);
	clean(dst);
}

static void
add_cause(struct burin_error *e, const char *text)
{
	size_t n = strlen(e->cause);

	(void)snprintf(e->cause + n, sizeof(e->cause) - n, "%s%s",
	    n > 0 ? "; " : "", text);
	trim_utf8(e->cause, sizeof(e->cause));
	clean(e->cause);
}

static void
record(struct burin_error *e, const char *func, enum burin_status status,
    const char *code, const char *fmt, va_list ap)
{
	char text[BURIN_ERROR_TEXT];

	vput(text, sizeof(text), fmt, ap);
	if (e->status != BURIN_OK) {
		add_cause(e, text);
		return;
	}
	e->status = status;
	e->func = func;
	(void)snprintf(e->code, sizeof(e->code), "%s", code);
	memcpy(e->reason, text, sizeof(text));
}

int
burin_fail_at(struct burin_error *e, const char *func, enum burin_status status,
    const char *code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	record(e, func, status, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
burin_fail_memory_at(struct burin_error *e, const char *func)
{
	return burin_fail_at(
	    e, func, BURIN_EINTERNAL, "no-memory", "out of memory");
}

int
burin_fail_openssl_at(struct burin_error *e, const char *func,
    enum burin_status status, const char *code, const char *fmt, ...)
{
	const char *data;
	unsigned long code_ssl;
	char text[BURIN_ERROR_TEXT];
	va_list ap;
	int flags;

	if (e == NULL) {
		ERR_clear_error();
		return -1;
	}
	va_start(ap, fmt);
	record(e, func, status, code, fmt, ap);
	va_end(ap);
	while ((code_ssl = ERR_get_error_all(
		    NULL, NULL, NULL, &data, &flags)) != 0) {
		const char *why = ERR_reason_error_string(code_ssl);

		if ((flags & ERR_TXT_STRING) == 0 || data == NULL)
			data = "";
		(void)snprintf(text, sizeof(text), "%s%s%s",
		    why != NULL ? why : "OpenSSL error",
		    *data != '\0' ? ": " : "", data);
		add_cause(e, text);
	}
	return -1;
}

int
burin_error_step(struct burin_error *e, const char *step)
{
	if (e != NULL && e->status != BURIN_OK && e->step[0] == '\0')
		(void)snprintf(e->step, sizeof(e->step), "%s", step);
	return -1;
}

int
burin_error_token(struct burin_error *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->status == BURIN_OK || e->token[0] != '\0')
		return -1;
	va_start(ap, fmt);
	vput(e->token, sizeof(e->token), fmt, ap);
	va_end(ap);
	return -1;
}

int
burin_error_rule(struct burin_error *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->status == BURIN_OK || e->rule[0] != '\0')
		return -1;
	va_start(ap, fmt);
	vput(e->rule, sizeof(e->rule), fmt, ap);
	va_end(ap);
	return -1;
}

int
burin_error_advice(struct burin_error *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->status == BURIN_OK || e->advice[0] != '\0')
		return -1;
	va_start(ap, fmt);
	vput(e->advice, sizeof(e->advice), fmt, ap);
	va_end(ap);
	return -1;
}

int
burin_error_cause(struct burin_error *e, const char *fmt, ...)
{
	char text[BURIN_ERROR_TEXT];
	va_list ap;

	if (e == NULL || e->status == BURIN_OK)
		return -1;
	va_start(ap, fmt);
	vput(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_cause(e, text);
	return -1;
}

void
burin_error_clear(struct burin_error *e)
{
	if (e != NULL)
		memset(e, 0, sizeof(*e));
}

const char *
burin_status_name(enum burin_status status)
{
	static const char *const names[] = {
		[BURIN_OK] = "done",
		[BURIN_EINTERNAL] = "internal",
		[BURIN_EUSAGE] = "usage",
		[BURIN_ETOKEN] = "token",
		[BURIN_EPIN] = "pin",
		[BURIN_EAUTHORITY] = "authority",
		[BURIN_EPENDING] = "pending",
		[BURIN_ECHECK] = "check",
		[BURIN_EREFUSED] = "refused",
		[BURIN_EINTERRUPTED] = "interrupted",
		[BURIN_EVERIFY] = "verify",
	};

	if ((size_t)status >= sizeof(names) / sizeof(names[0]))
		return "internal";
	return names[status];
}
