/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The one error of burin: filled where something fails, carried unchanged to
 * the user, printed or turned into JSON by the program.
 */

#ifndef BURIN_ERROR_H
#define BURIN_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Classes of failure. Their values are the exit status of the program and
 * a contract with scripts (burin(1), EXIT STATUS).
 */
enum burin_status {
	BURIN_OK = 0,		/* done */
	BURIN_EINTERNAL = 1,	/* internal or I/O error */
	BURIN_EUSAGE = 2,	/* the caller asked for something unusable */
	BURIN_ETOKEN = 3,	/* token or object missing or ambiguous */
	BURIN_EPIN = 4,		/* PIN or login */
	BURIN_EAUTHORITY = 5,	/* the authority refused */
	BURIN_EPENDING = 6,	/* pending: resume later */
	BURIN_ECHECK = 7,	/* what came back failed our checks */
	BURIN_EREFUSED = 8,	/* the token refused */
	BURIN_EINTERRUPTED = 9, /* interrupted, resumable */
	BURIN_EVERIFY = 10	/* verify found a problem */
};

#define BURIN_ERROR_WORD 40  /* code and step, with the NUL */
#define BURIN_ERROR_TEXT 512 /* every sentence, with the NUL */

/*
 * Owned by the caller; BURIN_ERROR_INIT or all bytes zero is "no error".
 * Every string is NUL-terminated UTF-8 without newline, truncated to fit,
 * control bytes replaced by '?'. Never holds a secret.
 */
struct burin_error {
	enum burin_status status;      /* class; BURIN_OK: nothing recorded */
	unsigned long ckr;	       /* PKCS#11 return value, 0: none */
	char code[BURIN_ERROR_WORD];   /* stable word: "pin-incorrect" */
	char step[BURIN_ERROR_WORD];   /* what was being done: "login" */
	char reason[BURIN_ERROR_TEXT]; /* what failed, one sentence */
	char token[BURIN_ERROR_TEXT];  /* on which token, "" none */
	char rule[BURIN_ERROR_TEXT];   /* "RFC 2986 section 4.2", "" none */
	char advice[BURIN_ERROR_TEXT]; /* what to do next, "" none */
	char cause[BURIN_ERROR_TEXT];  /* causes added by layers, "; " */
	const char *func;	       /* function of origin, static */
};

#define BURIN_ERROR_INIT                                      \
	{                                                     \
		BURIN_OK, 0, "", "", "", "", "", "", "", NULL \
	}

#if defined(__GNUC__)
#define BURIN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define BURIN_PRINTF(f, a)
#endif

/*
 * Record a failure at its origin. The first record wins: a later one only
 * adds its sentence to cause. e may be NULL. Always returns -1, so that
 * "return burin_fail(...)" or "rc = burin_fail(...)" reads as it acts.
 * Thread rule: one error struct belongs to one thread at a time.
 */
int burin_fail_at(struct burin_error *e, const char *func,
    enum burin_status status, const char *code, const char *fmt, ...)
    BURIN_PRINTF(5, 6);
#define burin_fail(e, ...) burin_fail_at((e), __func__, __VA_ARGS__)

/* Out of memory: BURIN_EINTERNAL, "no-memory". Returns -1. */
int burin_fail_memory_at(struct burin_error *e, const char *func);
#define burin_fail_memory(e) burin_fail_memory_at((e), __func__)

/*
 * A failed OpenSSL call: as burin_fail, and the reasons in the thread's
 * OpenSSL error queue become the cause; the queue is emptied.
 */
int burin_fail_openssl_at(struct burin_error *e, const char *func,
    enum burin_status status, const char *code, const char *fmt, ...)
    BURIN_PRINTF(5, 6);
#define burin_fail_openssl(e, ...) \
	burin_fail_openssl_at((e), __func__, __VA_ARGS__)

/*
 * Details of a recorded failure; each keeps what is already there, so the
 * origin is never overwritten. No effect without a recorded failure. All
 * return -1.
 */
int burin_error_step(struct burin_error *e, const char *step);
int burin_error_token(struct burin_error *e, const char *fmt, ...)
    BURIN_PRINTF(2, 3);
int burin_error_rule(struct burin_error *e, const char *fmt, ...)
    BURIN_PRINTF(2, 3);
int burin_error_advice(struct burin_error *e, const char *fmt, ...)
    BURIN_PRINTF(2, 3);
/* Appends one more cause. */
int burin_error_cause(struct burin_error *e, const char *fmt, ...)
    BURIN_PRINTF(2, 3);

/* Back to "no error". */
void burin_error_clear(struct burin_error *e);

/* The stable word of a status: "done", "usage", "token", "pin"... */
const char *burin_status_name(enum burin_status status);

#ifdef __cplusplus
}
#endif

#endif
