/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMC between an RA and the authority, both ours, with software keys: what an
 * RA passes on, what it states, and who is none.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "cmc_bench.h"

#define BATCH 20

static void
serves_an_ra(void **state)
{
	char unit[] = "unit";
	struct bench *b = *state;
	struct burin_cmc_vouch vouches[BATCH] = { 0 };
	struct burin_cmc_bytes list[BATCH];
	struct client c[BATCH];
	char names[BATCH][16];
	struct ra ra;
	size_t i;

	ra_new(b, &ra, "ra");
	for (i = 0; i < BATCH; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "far%zu", i);
		client_new(b, &c[i], names[i], "P-256", "unit");
		/* A secret that the CA does not have. */
		burin_secret_free(&c[i].secret);
		must(&b->e,
		    burin_secret_new(&c[i].secret, "station's own", 13, &b->e));
		c[i].id.secret = c[i].secret;
		make_requests(&c[i], i % 2 ? BURIN_CMC_CRMF : BURIN_CMC_PKCS10,
		    BURIN_POP_SIGNATURE, &c[i].id);
		stranger(&c[i], BURIN_CMS_BY_KEY);
		list[i].der = c[i].sent;
		list[i].len = c[i].sent_len;
		/* All but the last: the RA knows who they are. */
		vouches[i].kind = BURIN_CMC_STATES_IDENTITY;
		vouches[i].path.ids[0] = (uint32_t)(i + 1);
		vouches[i].path.n = 1;
	}
	b->cnf.profile = unit;
	must(&b->e, pass_on(&ra, list, BATCH, vouches, BATCH - 1));
	for (i = 0; i < BATCH - 1; i++) {
		must(&b->e, unpack(&ra, i + 1, &c[i]));
		assert_int_equal(c[i].reply.outcome, BURIN_CMC_DONE);
		(void)got(&c[i]);
	}
	assert_int_equal(unpack(&ra, BATCH, &c[BATCH - 1]), -1);
	refused(&c[BATCH - 1], "cmc-badIdentity");
	assert_int_equal(lines_of(b, "issued"), BATCH); /* and the RA's */
	for (i = 0; i < BATCH; i++)
		client_clear(&c[i]);
	ra_clear(&ra);
	b->cnf.profile = NULL;
}

/* lraPOPWitness for raVerified, and modCertTemplate: sections 6.8 and 6.5. */
static void
does_what_an_ra_states(void **state)
{
	static const uint32_t ids[] = { 1 };
	X509_NAME *name = name_of("as the station has it");
	struct burin_cmc_vouch v[] = {
		{ .kind = BURIN_CMC_STATES_IDENTITY, .path = { { 1 }, 1 } },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 1,
		    .subject = name },
		{ .kind = BURIN_CMC_STATES_POP,
		    .path = { { 1 }, 1 },
		    .ids = ids,
		    .n_ids = 1 },
	};
	struct bench *b = *state;
	struct burin_cmc_bytes m;
	char unit[] = "unit";
	struct client c;
	struct ra ra;

	ra_new(b, &ra, "ra");
	b->cnf.profile = unit;
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_CRMF, BURIN_POP_BY_RA, &c.id);
	stranger(&c, BURIN_CMS_UNSIGNED);
	m.der = c.sent;
	m.len = c.sent_len;
	/* Without its word for the proof there is none. */
	must(&b->e, pass_on(&ra, &m, 1, v, 2));
	assert_int_equal(unpack(&ra, 1, &c), -1);
	refused(&c, "cmc-popFailed");
	must(&b->e, burin_cmc_begin(&ra.c.thread, &b->e));
	must(&b->e, pass_on(&ra, &m, 1, v, 3));
	must(&b->e, unpack(&ra, 1, &c));
	assert_int_equal(
	    X509_NAME_cmp(X509_get_subject_name(got(&c)), name), 0);
	X509_NAME_free(name);
	client_clear(&c);
	ra_clear(&ra);
	b->cnf.profile = NULL;
}

static void
believes_only_an_ra(void **state)
{
	struct bench *b = *state;
	struct burin_cmc_vouch v = { .kind = BURIN_CMC_STATES_IDENTITY,
		.path = { { 1 }, 1 } };
	struct burin_cmc_bytes m;
	struct client c;
	struct ra ra;

	ra_new(b, &ra, "unit"); /* no id-kp-cmcRA */
	client_new(b, &c, "far", "P-256", "unit");
	make_requests(&c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c.id);
	c.id.identification = "unknown";
	stranger(&c, BURIN_CMS_BY_KEY);
	m.der = c.sent;
	m.len = c.sent_len;
	assert_int_equal(pass_on(&ra, &m, 1, &v, 1), -1);
	refused(&ra.c, "cmc-badIdentity");
	assert_int_equal(lines_of(b, "issued"), 1); /* the station's */
	client_clear(&c);
	ra_clear(&ra);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(serves_an_ra),
		EACH(does_what_an_ra_states),
		EACH(believes_only_an_ra),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
