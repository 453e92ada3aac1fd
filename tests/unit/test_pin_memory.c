/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A wrong PIN is remembered, never sent twice, and never stored.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "enroll/pin_memory.h"
#include "unit/scratch.h"

static char dir[32];
static struct burin_error e;
static struct pin_memory m;
static struct burin_secret *good, *bad, *worse, *worst;

static struct burin_secret *
pin(const char *text)
{
	struct burin_secret *s;

	assert_int_equal(burin_secret_new(&s, text, strlen(text), &e), 0);
	return s;
}

static int
setup(void **state)
{
	(void)state;
	burin_error_clear(&e);
	memset(&m, 0, sizeof(m));
	scratch_make(dir);
	good = pin("123456");
	bad = pin("654321-unmistakable");
	worse = pin("000000");
	worst = pin("111111");
	return journal_open(dir, &m.j, &e);
}

static int
teardown(void **state)
{
	(void)state;
	journal_close(&m.j);
	scratch_remove(dir);
	burin_secret_free(&good);
	burin_secret_free(&bad);
	burin_secret_free(&worse);
	burin_secret_free(&worst);
	return 0;
}

static void
may(const struct pin_owner *o, const struct burin_secret *p)
{
	if (pin_memory_check(&m, o, p, &e) != 0)
		fail_msg("%s", e.reason);
}

static void
may_not(
    const struct pin_owner *o, const struct burin_secret *p, const char *code)
{
	assert_int_equal(pin_memory_check(&m, o, p, &e), -1);
	assert_int_equal(e.status, BURIN_EPIN);
	assert_string_equal(e.code, code);
	assert_null(strstr(e.reason, "unmistakable"));
	burin_error_clear(&e);
}

static const struct pin_owner user = { "s1", "alice", BURIN_LOGIN_USER, "" };
static const struct pin_owner so = { "s1", "alice", BURIN_LOGIN_SO, "" };
static const struct pin_owner context = { "s1", "alice", BURIN_LOGIN_CONTEXT,
	"" };
static const struct pin_owner other = { "s2", "alice", BURIN_LOGIN_USER, "" };

static void
test_never_twice(void **state)
{
	(void)state;
	may(&user, bad);
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	may_not(&user, bad, "pin-known-wrong");
	/* Other PINs, logins, tokens. */
	may(&context, bad);
	may(&user, good);
	may(&so, bad);
	may(&other, bad);
	/* Another process. */
	journal_close(&m.j);
	assert_int_equal(journal_open(dir, &m.j, &e), 0);
	may_not(&user, bad, "pin-known-wrong");
	m.last_try = 1;
	may_not(&user, bad, "pin-known-wrong");
	m.retry_pin = 1;
	may(&user, bad);
	m.retry_pin = m.last_try = 0;
	assert_int_equal(pin_memory_right(&m, &user, &e), 0);
	may(&user, bad);
}

static void
test_last_try(void **state)
{
	(void)state;
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	may(&user, worse);
	assert_int_equal(pin_memory_wrong(&m, &user, worse, &e), 0);
	may_not(&user, good, "pin-final-try");
	may_not(&user, bad, "pin-known-wrong");
	may(&so, good);
	m.last_try = 1;
	may(&user, good);
	m.last_try = 0;
	assert_int_equal(pin_memory_right(&m, &user, &e), 0);
	may(&user, good);
	may(&user, worst);
}

/* The same wrong PIN sent twice on purpose counts twice. */
static void
test_same_twice(void **state)
{
	(void)state;
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	may_not(&user, good, "pin-final-try");
}

static void
test_many(void **state)
{
	char text[32];
	struct burin_secret *p;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof(text), "wrong%d", i);
		p = pin(text);
		assert_int_equal(pin_memory_wrong(&m, &user, p, &e), 0);
		if (i == 9)
			may_not(&user, p, "pin-known-wrong");
		burin_secret_free(&p);
	}
	may_not(&user, good, "pin-final-try");
	assert_int_equal(pin_memory_right(&m, &user, &e), 0);
	may(&user, good);
}

/* Another process, that finds what this one has left. */
static void
dies(void)
{
	int lock = m.locked;

	/* What would be tidied up at an orderly end is not. */
	free(m.sent_serial);
	free(m.sent_label);
	m.locked = 0;
	m.sent_serial = m.sent_label = NULL;
	if (lock)
		(void)close(m.lock);
	journal_close(&m.j);
	assert_int_equal(journal_open(dir, &m.j, &e), 0);
}

/* A login that nobody saw the end of is one try, of no PIN in particular. */
static void
test_died(void **state)
{
	(void)state;
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	dies();
	may(&user, good);
	may(&user, bad);
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	dies();
	may_not(&user, good, "pin-final-try");
	may(&so, good);
	may(&other, good);
	m.last_try = 1;
	may(&user, good);
	m.last_try = 0;
	assert_int_equal(pin_memory_right(&m, &user, &e), 0);
	may(&user, good);
	/* With a wrong one they make two. */
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	dies();
	may_not(&user, bad, "pin-known-wrong");
	may_not(&user, good, "pin-final-try");
}

/* What was not sent after all, and what was answered, leaves nothing. */
static void
test_not_sent(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(pin_memory_send(&m, &user, &e), 0);
		assert_int_equal(pin_memory_unsend(&m, &user, &e), 0);
		dies();
		may(&user, good);
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(pin_memory_send(&m, &user, &e), 0);
		pin_memory_release(&m); /* an orderly end */
		dies();
		may(&user, good);
	}
	/* One that died stays counted when others end well. */
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	dies();
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	assert_int_equal(pin_memory_unsend(&m, &user, &e), 0);
	assert_int_equal(pin_memory_send(&m, &user, &e), 0);
	dies();
	may_not(&user, good, "pin-final-try");
}

static void
test_not_stored(void **state)
{
	char path[64], *bytes;
	long n;
	FILE *f;

	(void)state;
	assert_int_equal(pin_memory_wrong(&m, &user, bad, &e), 0);
	journal_close(&m.j);
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	bytes = malloc((size_t)n);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)n, f), n);
	(void)fclose(f);
	assert_non_null(memmem(bytes, (size_t)n, "alice", 5));
	assert_null(memmem(bytes, (size_t)n, "unmistakable", 12));
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_never_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_try, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_same_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_died, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_not_stored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
