/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading an answer: RFC 10002 section 4. First who says it, then whether it
 * is about what we asked, then what it says.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "read.h"

/* --- Simple responses ----------------------------------------------------- */

/*
 * Section 4.1: certificates and lists, and nobody vouches for more than each
 * of them does for itself.
 */
static int
read_simple(const struct cmc_reader *rd)
{
	const struct burin_cmc_reply *r = rd->r;

	if (rd->kept->n > 1) {
		(void)burin_fail(rd->e, BURIN_ECHECK, "unsigned-success",
		    "the response inside the answer is signed by nobody");
		return burin_error_rule(rd->e, "RFC 10002 section 4.2");
	}
	if (sk_X509_num(r->certs) == 0 && sk_X509_CRL_num(r->crls) == 0) {
		(void)burin_fail(rd->e, BURIN_EAUTHORITY, "cmc-empty",
		    "an answer that is not authenticated is empty: the "
		    "authority could say nothing");
		return burin_error_rule(rd->e, "RFC 10002 section 4.1");
	}
	if (rd->x->simple) {
		rd->r->outcome = BURIN_CMC_DONE;
		return 0;
	}
	(void)burin_fail(rd->e, BURIN_ECHECK, "unsigned-success",
	    "the answer is certificates that nobody signed for (a Simple "
	    "response), which this request does not take");
	return burin_error_rule(rd->e, "RFC 10002 section 4.1");
}

/* --- all of it ------------------------------------------------------------ */

/*
 * An authority that refuses early may bring nothing back. It is not believed,
 * but whoever reads the error wants to know what it says.
 */
static int
say_what_it_says(const struct cmc_reader *rd)
{
	struct burin_error said = BURIN_ERROR_INIT;
	struct cmc_reader quiet = *rd;

	quiet.e = &said;
	if (cmc_outcome_read(&quiet) == -1 && said.status == BURIN_EAUTHORITY)
		(void)burin_error_cause(rd->e, "it says: %s", said.reason);
	return -1;
}

/*
 * An RA may refuse, let wait and challenge by itself (RFC 10002 sections 6.8
 * and 7); success of an end entity's request is the CA's to say.
 */
static int
check_ra(const struct cmc_reader *rd)
{
	const struct cmc_layer *last = &rd->kept->layers[rd->kept->n - 1];

	if (last->voice != CMC_RA || rd->x->layer != NULL ||
	    rd->r->outcome == BURIN_CMC_WAIT ||
	    rd->r->outcome == BURIN_CMC_CHALLENGE)
		return 0;
	(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-signer",
	    "the answer is signed by a registration authority and holds no "
	    "response of the authority itself");
	return burin_error_rule(rd->e, "RFC 6402 section 2.6");
}

static int
read_full(const struct cmc_reader *rd)
{
	if (cmc_thread_check(rd) == -1)
		return say_what_it_says(rd);
	if (cmc_challenges_read(rd) == -1 || cmc_outcome_read(rd) == -1 ||
	    check_ra(rd) == -1)
		return -1;
	if (rd->x->layer != NULL && cmc_answers_find(rd) == -1)
		return -1;
	return cmc_anchors_read(rd);
}

static int
read_answer(const struct cmc_reader *rd, const void *data, size_t len)
{
	const struct cmc_layer *last;

	if (cmc_sent_read(rd) == -1 || cmc_layers_read(rd, data, len) == -1)
		return -1;
	last = &rd->kept->layers[rd->kept->n - 1];
	if (last->in.body == NULL)
		return read_simple(rd);
	return last->voice == CMC_NOBODY ? cmc_hint_read(rd) : read_full(rd);
}

int
burin_cmc_read(const void *data, size_t len, const struct burin_cmc_expect *x,
    struct burin_cmc_reply *r, struct burin_error *e)
{
	struct cmc_reader rd = { x, r, NULL, e };
	int rc = -1;

	memset(r, 0, sizeof(*r));
	if ((r->kept = calloc(1, sizeof(*r->kept))) == NULL ||
	    (r->certs = sk_X509_new_null()) == NULL ||
	    (r->crls = sk_X509_CRL_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rd.kept = r->kept;
	rd.kept->anchors = x->anchors;
	rc = read_answer(&rd, data, len);
out:
	ERR_clear_error();
	if (rc == -1)
		burin_cmc_reply_clear(r);
	return rc;
}

void
burin_cmc_reply_clear(struct burin_cmc_reply *r)
{
	size_t i;

	if (r == NULL)
		return;
	if (r->kept != NULL) {
		for (i = 0; i < r->kept->n; i++)
			cmc_opened_clear(&r->kept->layers[i].in);
		cmc_opened_clear(&r->kept->sent);
		cmc_opened_clear(&r->kept->layer);
		free(r->kept->answers);
		sk_X509_pop_free(r->kept->given, X509_free);
		free(r->kept);
	}
	sk_X509_pop_free(r->certs, X509_free);
	sk_X509_CRL_pop_free(r->crls, X509_CRL_free);
	sk_X509_pop_free(r->anchors, X509_free);
	memset(r, 0, sizeof(*r));
}
