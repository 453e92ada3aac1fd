/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PKCS#11 return values in words: every value of the header has its own row.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pkcs11/p11.h"

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(p11_ckr_name(CKR_OK), "CKR_OK");
	assert_string_equal(
	    p11_ckr_name(CKR_PIN_INCORRECT), "CKR_PIN_INCORRECT");
	assert_string_equal(
	    p11_ckr_name(CKR_FUNCTION_REJECTED), "CKR_FUNCTION_REJECTED");
	assert_string_equal(
	    p11_ckr_name(CKR_VENDOR_DEFINED | 7), "CKR_VENDOR_DEFINED");
	assert_string_equal(p11_ckr_name(0x7777), "CKR_UNKNOWN");
}

static void
test_status(void **state)
{
	static const struct {
		CK_RV rv;
		enum burin_status status;
		const char *code;
	} rows[] = {
		{ CKR_PIN_INCORRECT, BURIN_EPIN, "pin-incorrect" },
		{ CKR_PIN_LOCKED, BURIN_EPIN, "pin-locked" },
		{ CKR_PIN_LEN_RANGE, BURIN_EPIN, "pin-length" },
		{ CKR_PIN_EXPIRED, BURIN_EPIN, "pin-expired" },
		{ CKR_USER_NOT_LOGGED_IN, BURIN_EPIN, "login-needed" },
		{ CKR_USER_PIN_NOT_INITIALIZED, BURIN_EPIN, "pin-not-set" },
		{ CKR_DEVICE_REMOVED, BURIN_EINTERRUPTED, "token-removed" },
		{ CKR_TOKEN_NOT_PRESENT, BURIN_EINTERRUPTED, "token-removed" },
		{ CKR_SESSION_HANDLE_INVALID, BURIN_EINTERRUPTED,
		    "token-removed" },
		{ CKR_SESSION_CLOSED, BURIN_EINTERRUPTED, "token-removed" },
		{ CKR_SLOT_ID_INVALID, BURIN_ETOKEN, "slot-missing" },
		{ CKR_TEMPLATE_INCONSISTENT, BURIN_EREFUSED,
		    "template-refused" },
		{ CKR_MECHANISM_INVALID, BURIN_EREFUSED, "mechanism-missing" },
		{ CKR_FUNCTION_NOT_SUPPORTED, BURIN_EREFUSED, "not-supported" },
		{ CKR_ATTRIBUTE_VALUE_INVALID, BURIN_EREFUSED,
		    "attribute-refused" },
		{ CKR_HOST_MEMORY, BURIN_EINTERNAL, "no-memory" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		assert_int_equal(p11_fail(&e, NULL, "C_Sign", rows[i].rv), -1);
		assert_int_equal(e.status, rows[i].status);
		assert_string_equal(e.code, rows[i].code);
		assert_int_equal(e.ckr, rows[i].rv);
		assert_non_null(strstr(e.reason, "C_Sign"));
		assert_non_null(strstr(e.reason, p11_ckr_name(rows[i].rv)));
	}
}

/* No number below the vendor range is "unknown" but answers in words. */
static void
test_all(void **state)
{
	size_t known = 0;
	CK_RV rv;

	(void)state;
	for (rv = 1; rv < 0x400; rv++) {
		struct burin_error e = BURIN_ERROR_INIT;

		p11_fail(&e, NULL, "C_Login", rv);
		assert_int_not_equal(e.status, BURIN_OK);
		assert_true(strlen(e.reason) > 20);
		if (strcmp(p11_ckr_name(rv), "CKR_UNKNOWN") == 0) {
			assert_string_equal(e.code, "vendor-error");
			continue;
		}
		known++;
		assert_memory_equal(p11_ckr_name(rv), "CKR_", 4);
	}
	/* All of pkcs11.h but CKR_OK and CKR_VENDOR_DEFINED. */
	assert_int_equal(known, 93);
}

static void
test_first_wins(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	p11_fail(&e, NULL, "C_Sign", CKR_DEVICE_REMOVED);
	p11_fail(&e, NULL, "C_CloseSession", CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(e.ckr, CKR_DEVICE_REMOVED);
	assert_string_equal(e.func, "C_Sign");
	assert_non_null(strstr(e.cause, "C_CloseSession"));
	assert_int_equal(p11_fail(NULL, NULL, "C_Sign", CKR_CANCEL), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_first_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
