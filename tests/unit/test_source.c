/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where secrets come from, and what is no source.
 */

#include <fcntl.h>
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
static char dir[] = "/tmp/burin-source-XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void
put(const char *name, const void *data, size_t len, int mode, char *path)
{
	(void)sprintf(path, "%s/%s", dir, name);
	burin_error_clear(&e);
	assert_int_equal(file_write(path, data, len, mode, &e), 0);
}

/* Reads src: the secret must be want, or refused when want is NULL. */
static void
gives(const char *src, const char *want, size_t len)
{
	struct burin_secret *s = NULL;
	int rc;

	burin_error_clear(&e);
	rc = source_read(src, "test secret", 0, &s, &e);
	if (want == NULL) {
		assert_int_equal(rc, -1);
		assert_null(s);
		assert_int_not_equal(e.status, BURIN_OK);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(burin_secret_len(s), len);
	assert_memory_equal(burin_secret_bytes(s), want, len);
	burin_secret_free(&s);
}

static void
test_file(void **state)
{
	char path[128], src[140], big[BURIN_SECRET_MAX + 1];

	(void)state;
	put("one", "123456\n", 7, 0600, path);
	(void)sprintf(src, "file:%s", path);
	gives(src, "123456", 6);
	put("dos", "123456\r\n", 8, 0600, path);
	(void)sprintf(src, "file:%s", path);
	gives(src, "123456", 6);
	put("two", " a b\n\n", 6, 0600, path);
	(void)sprintf(src, "file:%s", path);
	gives(src, " a b\n", 5);
	put("none", "\n", 1, 0600, path);
	(void)sprintf(src, "file:%s", path);
	gives(src, NULL, 0);
	memset(big, 'x', sizeof(big));
	put("big", big, sizeof(big), 0600, path);
	(void)sprintf(src, "file:%s", path);
	gives(src, NULL, 0);
	gives("file:/nonexistent/pin", NULL, 0);
}

static void
test_env_fd_credential(void **state)
{
	char path[128];
	int fds[2];
	char src[32];

	(void)state;
	(void)setenv("BURIN_TEST_SECRET", "abc", 1);
	gives("env:BURIN_TEST_SECRET", "abc", 3);
	(void)unsetenv("BURIN_TEST_SECRET");
	gives("env:BURIN_TEST_SECRET", NULL, 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "xyz\n", 4), 4);
	(void)close(fds[1]);
	(void)sprintf(src, "fd:%d", fds[0]);
	gives(src, "xyz", 3);
	(void)close(fds[0]);
	put("cred", "s3cret\n", 7, 0600, path);
	(void)setenv("CREDENTIALS_DIRECTORY", dir, 1);
	gives("credential:cred", "s3cret", 6);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	gives("credential:cred", NULL, 0);
}

static void
test_askpass(void **state)
{
	static const char good[] = "#!/bin/sh\nprintf '%s\\n' \"got:$1\"\n";
	static const char bad[] = "#!/bin/sh\nprintf 'half'\nexit 1\n";
	char path[128];

	(void)state;
	put("good", good, sizeof(good) - 1, 0700, path);
	(void)setenv("BURIN_ASKPASS", path, 1);
	gives("askpass", "got:test secret: ", 17);
	put("bad", bad, sizeof(bad) - 1, 0700, path);
	(void)setenv("BURIN_ASKPASS", path, 1);
	gives("askpass", NULL, 0);
	assert_int_equal(e.status, BURIN_EPIN);
	(void)unsetenv("BURIN_ASKPASS");
	(void)unsetenv("SSH_ASKPASS");
	gives("askpass", NULL, 0);
}

static void
test_no_source(void **state)
{
	static const char *const none[] = { "", "123456", "|cat /etc/passwd",
		"file:", "fd:", "fd:x", "fd:-1", "fd:1x", "env:", "env:A=B",
		"credential:", "credential:../x", "credential:a/b", "Prompt",
		"exec:ls" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		burin_error_clear(&e);
		assert_int_equal(source_check(none[i], &e), -1);
		assert_int_equal(e.status, BURIN_EUSAGE);
		assert_null(strstr(e.reason, "123456"));
		assert_null(strstr(e.advice, "123456"));
		gives(none[i], NULL, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_env_fd_credential),
		cmocka_unit_test(test_askpass),
		cmocka_unit_test(test_no_source),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
