/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libraries that are loaded late, and what is said when they are not there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <late/late.h>

static int (*compare)(const char *, const char *);
static void (*missing)(void);

static void
loads(void **state)
{
	const struct late_symbol symbols[] = { { "strcmp", &compare } };
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	assert_int_equal(late_load("libc.so.6", symbols, 1, &e), 0);
	assert_int_equal(compare("a", "a"), 0);
	assert_int_not_equal(compare("a", "b"), 0);
}

static void
no_library(void **state)
{
	const struct late_symbol symbols[] = { { "missing", &missing } };
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	assert_int_equal(late_load("libnowhere.so.1", symbols, 1, &e), -1);
	assert_int_equal(e.status, BURIN_EINTERNAL);
	assert_string_equal(e.code, "library-missing");
	assert_non_null(strstr(e.reason, "libnowhere.so.1"));
}

static void
no_symbol(void **state)
{
	const struct late_symbol symbols[] = { { "strcmp", &compare },
		{ "no_such_function_here", &missing } };
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	assert_int_equal(late_load("libc.so.6", symbols, 2, &e), -1);
	assert_string_equal(e.code, "library-missing");
	assert_non_null(strstr(e.reason, "no_such_function_here"));
	assert_null(missing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads),
		cmocka_unit_test(no_library),
		cmocka_unit_test(no_symbol),
	};

	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
