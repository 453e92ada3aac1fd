/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests for a server, also such as no end entity of ours makes; included
 * once by each test of hearing them, behind cmocka.
 */

#ifndef TESTS_HEARING_H
#define TESTS_HEARING_H

#include <burin/cmc_server.h>

#include "csr/cms/internal.h"

#include "cmc_responder.h"
#include "cmcing.h"

static struct burin_cmc_refusal why;
static struct burin_cmc_heard heard;
static struct burin_cmc_listen plain = { .final = 1 };

/* --- messages ------------------------------------------------------------- */

/* PKIData of what is said, with these requests (NULL: none). Ends s. */
static inline struct der
data_of(struct said *s, const struct der *reqs)
{
	struct der out = { NULL, 0 };
	CMC_PKI_DATA *data;
	unsigned char *der;
	const unsigned char *p;
	size_t len;
	int n;

	p = der = said_data(s, &len);
	assert_non_null(data = d2i_CMC_PKI_DATA(NULL, &p, (long)len));
	OPENSSL_free(der);
	said_free(s);
	if (reqs != NULL)
		assert_int_equal(
		    ASN1_STRING_set(data->reqs, reqs->data, (int)reqs->len), 1);
	n = i2d_CMC_PKI_DATA(data, &out.data);
	assert_true(n > 0);
	out.len = (size_t)n;
	CMC_PKI_DATA_free(data);
	return out;
}

/* Frees data. */
static inline struct der
sign_data(struct der data, const struct burin_cms_signer *signer)
{
	struct der out;

	burin_error_clear(&e);
	must(burin_cms_sign(signer, BURIN_CMC_PKI_DATA, data.data, data.len,
	    &out.data, &out.len, &e));
	OPENSSL_free(data.data);
	return out;
}

static inline struct der
message(struct said *s, const struct der *reqs,
    const struct burin_cms_signer *signer)
{
	return sign_data(data_of(s, reqs), signer);
}

static inline struct der
asked(const struct burin_cmc_ask *ask)
{
	struct der out;

	burin_error_clear(&e);
	must(burin_cmc_make(ask, &out.data, &out.len, &e));
	return out;
}

/* --- hearing -------------------------------------------------------------- */

/* Into heard, which stays for the test to clear. Frees m. */
static inline void
hear_with(struct der m, const struct burin_cmc_listen *l)
{
	burin_error_clear(&e);
	must(burin_cmc_hear(m.data, m.len, l, &heard, &why, &e));
	assert_int_equal(why.n, 0);
	assert_int_equal(why.status, BURIN_CMC_SUCCESS);
	OPENSSL_free(m.data);
}

static inline void
hear(struct der m)
{
	hear_with(m, &plain);
}

static inline void
forget(void)
{
	burin_cmc_heard_clear(&heard);
}

/* What the peer is told: fail, and these parts. */
static inline void
told(int rc, enum burin_cmc_fail fail, const uint32_t *parts, size_t n,
    const char *code)
{
	size_t i;

	assert_int_equal(rc, -1);
	print_message("  %s: %s [%s]\n", e.code, e.reason, e.rule);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_string_equal(e.code, code);
	assert_string_not_equal(e.rule, "");
	assert_int_equal(why.status,
	    fail == BURIN_CMC_FAIL_NONE ? BURIN_CMC_NO_SUPPORT
					: BURIN_CMC_FAILED);
	assert_int_equal(why.fail, fail);
	assert_int_equal(why.n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(why.parts[i], parts[i]);
	burin_error_clear(&e);
}

/* Frees m. One part, or, 0, the whole. */
static inline void
refused_with(struct der m, const struct burin_cmc_listen *l,
    enum burin_cmc_fail fail, uint32_t part, const char *code)
{
	burin_error_clear(&e);
	told(burin_cmc_hear(m.data, m.len, l, &heard, &why, &e), fail, &part,
	    part != 0, code);
	OPENSSL_free(m.data);
	forget();
}

static inline void
refused(struct der m, enum burin_cmc_fail fail, uint32_t part, const char *code)
{
	refused_with(m, &plain, fail, part, code);
}

#endif
