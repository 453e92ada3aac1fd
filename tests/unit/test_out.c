/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON of errors and texts; files in and out.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"

static struct burin_error e;

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void
test_error(void **state)
{
	json_t *o;

	(void)state;
	burin_error_clear(&e);
	(void)burin_fail(&e, BURIN_EPIN, "pin-incorrect", "wrong \"PIN\"");
	(void)burin_error_step(&e, "login");
	(void)burin_error_rule(&e, "PKCS#11 5.6");
	o = json_error(&e);
	assert_string_equal(text_of(o, "code"), "pin-incorrect");
	assert_string_equal(text_of(o, "step"), "login");
	assert_string_equal(text_of(o, "reason"), "wrong \"PIN\"");
	assert_string_equal(text_of(o, "rule"), "PKCS#11 5.6");
	assert_string_equal(text_of(o, "token"), "");
	assert_string_equal(text_of(o, "advice"), "");
	assert_int_equal(
	    json_integer_value(json_object_get(o, "exit")), BURIN_EPIN);
	json_decref(o);
}

/* ESC and the one-character CSI of U+009B, as a hostile name has them. */
static void
test_terminal(void **state)
{
	struct cli c = { .want_json = 0 };
	char path[] = "/tmp/burin-unit-XXXXXX", line[64] = "";
	int fd = mkstemp(path), kept = dup(STDERR_FILENO);

	(void)state;
	assert_true(fd >= 0 && kept >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	out_note(&c, "%s",
	    "a\x1b[2J \xc2\x9b"
	    "2J \xc3\xab");
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	assert_true(pread(fd, line, sizeof(line) - 1, 0) > 0);
	assert_string_equal(line, "a?[2J ??2J \xc3\xab\n");
	(void)close(kept);
	(void)close(fd);
	(void)unlink(path);
}

/* A token's label may hold any bytes. */
static void
test_text(void **state)
{
	json_t *s;

	(void)state;
	s = json_text("Zo\xc3\xab");
	assert_string_equal(json_string_value(s), "Zo\xc3\xab");
	json_decref(s);
	s = json_text("Zo\xeb");
	assert_string_equal(json_string_value(s), "Zo?");
	json_decref(s);
	s = json_text(NULL);
	assert_true(json_is_null(s));
	json_decref(s);
}

static void
test_checks(void **state)
{
	struct burin_checks checks;
	json_t *list, *o;

	(void)state;
	memset(&checks, 0, sizeof(checks));
	checks.n = 1;
	checks.list[0].id = "G1";
	checks.list[0].title = "t";
	checks.list[0].rule = "r";
	checks.list[0].level = BURIN_FAIL;
	list = json_checks(&checks);
	assert_int_equal(json_array_size(list), 1);
	o = json_array_get(list, 0);
	assert_string_equal(text_of(o, "id"), "G1");
	assert_string_equal(text_of(o, "level"), "fail");
	json_decref(list);
}

static void
test_without_json(void **state)
{
	struct cli c;

	(void)state;
	memset(&c, 0, sizeof(c));
	out_json(&c, "key", json_string("value")); /* freed, or LSan says so */
	c.json = json_object();
	out_json(&c, "key", json_string("value"));
	out_json(&c, "none", NULL);
	assert_string_equal(text_of(c.json, "key"), "value");
	assert_int_equal(json_object_size(c.json), 1);
	json_decref(c.json);
}

static void
test_files(void **state)
{
	char path[] = "/tmp/burin-out-XXXXXX";
	unsigned char *data;
	struct stat st;
	size_t len;
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	burin_error_clear(&e);
	assert_int_equal(file_write(path, "hello", 5, 0640, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read(path, 5, &data, &len, &e), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "hello", 5);
	free(data);
	assert_int_equal(file_read(path, 4, &data, &len, &e), -1);
	assert_string_equal(e.code, "file-too-large");
	assert_null(data);
	(void)unlink(path);
	burin_error_clear(&e);
	assert_int_equal(file_read(path, 4, &data, &len, &e), -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	burin_error_clear(&e);
	assert_int_equal(file_write("/nonexistent/x", "x", 1, 0600, &e), -1);
	assert_int_equal(e.status, BURIN_EINTERNAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_without_json),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
