/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The error struct: the first record wins, and its text is fit for a
 * terminal and for JSON whatever it was made of.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <burin/error.h>

static void
test_first_wins(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	burin_error_advice(&e, "nothing has failed yet");
	assert_string_equal(e.advice, "");
	assert_int_equal(burin_fail(&e, BURIN_EPIN, "pin-incorrect", "no"), -1);
	burin_fail(&e, BURIN_EINTERNAL, "other", "later");
	burin_error_advice(&e, "one");
	burin_error_advice(&e, "two");
	assert_int_equal(e.status, BURIN_EPIN);
	assert_string_equal(e.code, "pin-incorrect");
	assert_string_equal(e.cause, "later");
	assert_string_equal(e.advice, "one");
	assert_int_equal(burin_fail(NULL, BURIN_EPIN, "x", "y"), -1);
}

static void
test_clean(void **state)
{
	static const char *const texts[][2] = {
		{ "na\xc3\xafve \xf0\x9f\x94\x91", NULL },
		{ "bell\a, line\n, delete\x7f", "bell?, line?, delete?" },
		{ "latin\xe9 1", "latin? 1" },
		{ "c1 \xc2\x9b[31m", "c1 ??[31m" },
		{ "cut \xe2\x82", "cut ??" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "overlong \xc0\xaf", "overlong ??" },
	};
	struct burin_error e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&e, 0, sizeof(e));
		burin_fail(&e, BURIN_EINTERNAL, "x", "%s", texts[i][0]);
		burin_error_cause(&e, "%s", texts[i][0]);
		assert_string_equal(
		    e.reason, texts[i][texts[i][1] != NULL ? 1 : 0]);
		assert_string_equal(e.cause, e.reason);
	}
}

/* Never within a character. */
static void
test_cut(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	char text[BURIN_ERROR_TEXT + 8];
	size_t i;

	(void)state;
	text[0] = 'x';
	for (i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xaf", 2);
	text[i] = '\0';
	burin_fail(&e, BURIN_EINTERNAL, "x", "%s", text);
	assert_in_range(
	    strlen(e.reason), BURIN_ERROR_TEXT - 3, BURIN_ERROR_TEXT - 1);
	assert_null(strchr(e.reason, '?'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
