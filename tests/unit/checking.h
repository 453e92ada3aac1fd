/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking for the level of one check; included once by each test of them.
 */

#ifndef TESTS_CHECKING_H
#define TESTS_CHECKING_H

#include <string.h>

#include <openssl/err.h>

#include <burin/response.h>

#include "pki.h"

/* Extension lists, NULL-ended. */
#define EXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* Runs all checks; the level of one, its detail printed for the reader. */
static inline enum burin_check_level
level_of(const struct burin_check_input *in, const char *id)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_checks checks;
	size_t i;

	ERR_clear_error();
	assert_int_equal(burin_check_cert(in, &checks, NULL, &e), 0);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(checks.n, 8);
	for (i = 0; i < checks.n; i++) {
		const struct burin_check *c = &checks.list[i];

		assert_string_not_equal(c->detail, "");
		if (strcmp(c->id, id) == 0) {
			print_message("  %s %s: %s\n", c->id,
			    burin_check_level_name(c->level), c->detail);
			return c->level;
		}
	}
	fail_msg("no check %s", id);
	return BURIN_FAIL;
}

static inline struct burin_check_input
input(X509 *cert)
{
	struct burin_check_input in = { 0 };

	in.cert = cert;
	in.now = PKI_NOW;
	in.skew = 300;
	return in;
}

#endif
