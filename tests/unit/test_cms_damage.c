/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * More than a thousand damaged messages of every kind, made in a repeatable
 * way: each is refused with a whole error, or what it claims is unchanged.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "cms_sound.h"
#include "mutate.h"

#define ROUNDS 400 /* damaged inputs per message, beside the truncations */

/* 1 when a claim of the message held: then it is as it was made. */
static int
try(const unsigned char *data, size_t len)
{
	struct burin_cms_recipient to = { .serial = 9 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out = NULL;
	struct burin_cms *cms;
	const unsigned char *p = NULL;
	EVP_PKEY *key = rsa;
	size_t n = 0;
	int rc = -1;

	if (burin_cms_parse(data, len, BURIN_ECHECK, &cms, &e) == -1) {
		assert_string_not_equal(e.code, "");
		assert_int_equal(ERR_peek_error(), 0);
		return 0;
	}
	switch (burin_cms_get_type(cms)) {
	case BURIN_CMS_SIGNED:
		rc = burin_cms_verify(cms, 0, ec, 1, &e);
		p = burin_cms_content(cms, &n);
		break;
	case BURIN_CMS_AUTHENTICATED:
		/* Damaged rounds may be many: hours of them prove nothing. */
		if (csr_pwri_of(cms->ad) != NULL &&
		    csr_pwri_rounds(csr_pwri_of(cms->ad)) < 10000)
			rc = burin_cms_verify_mac(cms, "id", shared, 1, &e);
		p = burin_cms_content(cms, &n);
		break;
	case BURIN_CMS_AUTH_ENVELOPED:
	case BURIN_CMS_ENVELOPED:
		if (burin_cms_get_type(cms) == BURIN_CMS_AUTH_ENVELOPED)
			key = ec;
		rc = burin_cms_decrypt(cms, &to, key, key, &out, &e);
		if (rc == 0 && key == ec) {
			p = burin_secret_bytes(out);
			n = burin_secret_len(out);
		}
		break;
	case BURIN_CMS_DATA:
		break;
	}
	assert_int_equal(ERR_peek_error(), 0);
	/* CBC authenticates nothing: what comes out may be anything. */
	if (rc == 0 && p != NULL) {
		assert_int_equal(n, sizeof(text));
		assert_memory_equal(p, text, n);
	}
	burin_secret_free(&out);
	burin_cms_free(&cms);
	return rc == 0;
}

static void
torture(
    unsigned char *der, size_t len, unsigned char *other_der, size_t other_len)
{
	struct mutator m = { UINT64_C(0x62757269), 0 };
	unsigned char *out = malloc(len + MUTATE_ROOM);
	unsigned i, held = 0, tried = 0;
	size_t n;

	assert_non_null(out);
	/* Undamaged it holds, or nothing is proved. */
	assert_int_equal(try(der, len), 1);
	for (i = 0; i < ROUNDS; i++) {
		unsigned char *exact;

		n = mutate(&m, i, der, len, other_der, other_len, out);
		assert_non_null(exact = malloc(n > 0 ? n : 1));
		memcpy(exact, out, n);
		held += (unsigned)try(exact, n);
		tried++;
		free(exact);
	}
	for (n = 0; n < len; n++)
		assert_int_equal(try(der, n), 0);
	print_message("  %u damaged, %u hold, %zu cut\n", tried, held, len);
	assert_true(held * 2 < tried);
	free(out);
}

static void
test_damage(void **state)
{
	unsigned char *der[4];
	size_t len[4], i;

	(void)state;
	make_signed(ec, &der[0], &len[0]);
	make_mac(&der[1], &len[1]);
	make_sealed(rsa, BURIN_CMS_AES256_CBC, OID_DATA, &der[2], &len[2]);
	make_sealed(ec, BURIN_CMS_AES256_GCM, OID_SIGNED, &der[3], &len[3]);
	for (i = 0; i < 4; i++)
		torture(der[i], len[i], der[(i + 1) % 4], len[(i + 1) % 4]);
	for (i = 0; i < 4; i++)
		OPENSSL_free(der[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, sound_setup, sound_teardown);
}
