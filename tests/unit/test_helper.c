/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program beside burin: what goes to it arrives, what it says comes back,
 * and one that hangs, dies or never ends is ended.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "helper/helper.h"
#include "unit/scratch.h"

#define LARGE (512 * 1024) /* more than a pipe and a socket hold */

static char dir[32], program[64];

static int
start(void **state)
{
	(void)state;
	scratch_make(dir);
	(void)snprintf(program, sizeof(program), "%s/helper", dir);
	return setenv("BURIN_TEST_HELPER", program, 1);
}

static int
stop(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static int bare;

/* Runs a program of this shell text. */
static void
run(const char *text, const void *input, size_t len,
    const struct burin_secret *secret, int seconds, struct helper_answer *a)
{
	const char *argv[] = { NULL, "first", "second", NULL };
	struct burin_error e = BURIN_ERROR_INIT;
	struct helper h = { .name = "burin-none",
		.env = "BURIN_TEST_HELPER",
		.argv = argv,
		.input = input,
		.input_len = len,
		.secret = secret,
		.bare = bare,
		.max_answer = LARGE,
		.seconds = seconds };
	FILE *f = fopen(program, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\n%s\n", text) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(program, 0700), 0);
	if (helper_run(&h, a, &e) != 0)
		fail_msg("%s: %s", e.code, e.reason);
}

static void
both_ways(void **state)
{
	unsigned char *data = malloc(LARGE);
	struct helper_answer a;

	(void)state;
	assert_non_null(data);
	memset(data, 'x', LARGE);
	data[LARGE - 1] = 'y';
	run("exec cat", data, LARGE, NULL, 60, &a);
	assert_int_equal(a.end, HELPER_EXITED);
	assert_int_equal(a.value, 0);
	assert_int_equal(a.len, LARGE);
	assert_memory_equal(a.bytes, data, LARGE);
	helper_answer_clear(&a);
	/* one that wants nothing of it */
	run("echo \"$1 $2\"; exit 3", data, LARGE, NULL, 60, &a);
	assert_int_equal(a.end, HELPER_EXITED);
	assert_int_equal(a.value, 3);
	assert_string_equal((char *)a.bytes, "first second\n");
	helper_answer_clear(&a);
	free(data);
	/* nothing to read is an end, not the terminal */
	run("cat; echo end", NULL, 0, NULL, 60, &a);
	assert_string_equal((char *)a.bytes, "end\n");
	helper_answer_clear(&a);
}

static void
secret(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *pin;
	struct helper_answer a;

	(void)state;
	assert_int_equal(burin_secret_new(&pin, "123456", 6, &e), 0);
	run("cat <&3", NULL, 0, pin, 60, &a);
	assert_string_equal((char *)a.bytes, "123456");
	helper_answer_clear(&a);
	burin_secret_free(&pin);
}

static void
environment(void **state)
{
	static const char text[] = "env | grep -c ^BURIN_TEST_HELPER=";
	struct helper_answer a;

	(void)state;
	run(text, NULL, 0, NULL, 60, &a);
	assert_string_equal((char *)a.bytes, "1\n");
	helper_answer_clear(&a);
	bare = 1;
	run(text, NULL, 0, NULL, 60, &a);
	bare = 0;
	assert_string_equal((char *)a.bytes, "0\n");
	helper_answer_clear(&a);
}

static void
ends(void **state)
{
	static const struct {
		const char *text;
		enum helper_end end;
		int value, seconds;
	} cases[] = {
		{ "exec sleep 100", HELPER_LATE, SIGKILL, 1 },
		{ "exec >&-; exec sleep 100", HELPER_LATE, SIGKILL, 1 },
		{ "kill -SEGV $$", HELPER_CRASHED, SIGSEGV, 60 },
		{ "exec yes", HELPER_TALKS, SIGKILL, 60 },
	};
	struct timespec before, after;
	struct helper_answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)clock_gettime(CLOCK_MONOTONIC, &before);
		run(cases[i].text, "", 0, NULL, cases[i].seconds, &a);
		(void)clock_gettime(CLOCK_MONOTONIC, &after);
		assert_int_equal(a.end, cases[i].end);
		assert_int_equal(a.value, cases[i].value);
		assert_true(a.len <= LARGE);
		assert_true(after.tv_sec - before.tv_sec < 50);
		helper_answer_clear(&a);
	}
}

static void
missing(void **state)
{
	const char *argv[] = { NULL, NULL };
	struct burin_error e = BURIN_ERROR_INIT;
	struct helper h = { .name = "burin-none", .argv = argv, .seconds = 2 };
	struct helper_answer a;

	(void)state;
	assert_int_equal(helper_run(&h, &a, &e), -1);
	assert_string_equal(e.code, "helper-missing");
	assert_non_null(strstr(e.reason, "burin-none"));
	assert_null(a.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(secret),
		cmocka_unit_test(environment),
		cmocka_unit_test(ends),
		cmocka_unit_test(missing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
