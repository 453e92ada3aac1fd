/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * authority.cnf of a CA and of an RA: what it takes, what it refuses and how
 * it names what is wrong, and that it reads what it writes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/ca.h"

struct bench {
	char dir[64], path[96];
	struct settings s;
	struct burin_error e;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/burin-unit-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(b->path, sizeof(b->path), "%s/authority.cnf", b->dir);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	settings_clear(&b->s);
	(void)unlink(b->path);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

#define COMMON                                                       \
	"[authority]\nname = x\ntoken = pkcs11:token=t\nhosts = h\n" \
	"tls_key = pkcs11:id=3\npop_key = pkcs11:id=4\n"
#define CMC "cmc_key = pkcs11:id=2\n"
#define CA "ca_key = pkcs11:id=1\n"
#define UP "upstream = https://ca.example:8443/cmc\n"

static int
reads(struct bench *b, const char *more)
{
	FILE *f = fopen(b->path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "%s%s", COMMON, more) > 0);
	assert_int_equal(fclose(f), 0);
	settings_clear(&b->s);
	burin_error_clear(&b->e);
	return settings_read(b->dir, &b->s, &b->e);
}

static void
takes_both_roles(void **state)
{
	struct bench *b = *state;

	assert_int_equal(reads(b, CA CMC), 0);
	assert_int_equal(b->s.ra, 0);
	assert_null(b->s.upstream);
	assert_string_equal(b->s.ca_key, "pkcs11:id=1");
	assert_int_equal(reads(b, "role = ca\n" CA CMC), 0);
	assert_int_equal(b->s.ra, 0);
	assert_int_equal(reads(b, "role = ra\n" CMC UP), 0);
	assert_int_equal(b->s.ra, 1);
	assert_null(b->s.ca_key);
	assert_string_equal(b->s.upstream, "https://ca.example:8443/cmc");
}

static void
names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *code, *names;
	} rows[] = {
		{ "role = ra\n" CMC, "settings-malformed", "upstream" },
		{ "role = ra\n" CA CMC UP, "settings-malformed", "ca_key" },
		{ "role = ra\n" UP, "settings-malformed", "cmc_key" },
		{ CA CMC UP, "settings-malformed", "upstream" },
		{ "role = ca\n" CMC, "settings-malformed", "ca_key" },
		{ CMC, "settings-malformed", "ca_key" },
		{ "role = both\n" CA CMC, "settings-malformed", "role" },
		{ "role = ra\n" CMC "upstream = http://ca.example/cmc\n",
		    "upstream-malformed", "http://ca.example/cmc" },
		{ "role = ra\n" CMC "upstream = https:///cmc\n",
		    "upstream-malformed", "https:///cmc" },
		{ "role = ra\n" CMC "upstream = https://a b/cmc\n",
		    "upstream-malformed", "https://a b/cmc" },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (reads(b, rows[i].text) == 0)
			fail_msg("row %zu was read", i);
		assert_int_equal(b->e.status, BURIN_EUSAGE);
		assert_string_equal(b->e.code, rows[i].code);
		if (strstr(b->e.reason, rows[i].names) == NULL)
			fail_msg("row %zu: %s", i, b->e.reason);
	}
}

static void
reads_what_it_writes(void **state)
{
	struct bench *b = *state;
	struct settings back;
	int ra;

	for (ra = 0; ra <= 1; ra++) {
		assert_int_equal(
		    reads(b, ra ? "role = ra\n" CMC UP : CA CMC), 0);
		assert_int_equal(settings_write(b->dir, &b->s, &b->e), 0);
		assert_int_equal(settings_read(b->dir, &back, &b->e), 0);
		assert_int_equal(back.ra, ra);
		assert_string_equal(back.cmc_key, b->s.cmc_key);
		if (ra)
			assert_string_equal(back.upstream, b->s.upstream);
		else
			assert_string_equal(back.ca_key, b->s.ca_key);
		settings_clear(&back);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(takes_both_roles),
		TEST(names_what_is_wrong),
		TEST(reads_what_it_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
