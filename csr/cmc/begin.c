/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a transaction is recognised by: RFC 10002 sections 6.6 and 6.3.1.3.
 */

#include <string.h>

#include <openssl/rand.h>

#include <burin/cmc.h>

static int
fill(struct burin_cmc_octets *o, size_t len, struct burin_error *e)
{
	if (RAND_bytes(o->data, (int)len) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
		    "there are no random numbers");
	o->len = len;
	return 0;
}

int
burin_cmc_begin(struct burin_cmc_thread *t, struct burin_error *e)
{
	memset(t, 0, sizeof(*t));
	if (fill(&t->transaction, BURIN_CMC_TRANSACTION, e) == -1 ||
	    fill(&t->sent, BURIN_CMC_NONCE, e) == -1 ||
	    fill(&t->pop_random, BURIN_CMC_RANDOM, e) == -1)
		return -1;
	/*
	 * A positive INTEGER whose first octet is not zero: so the magnitude
	 * in an answer is the same octets, and as many.
	 */
	t->transaction.data[0] = (t->transaction.data[0] & 0x3f) | 0x40;
	return 0;
}

int
burin_cmc_next(struct burin_cmc_thread *t, struct burin_error *e)
{
	return fill(&t->sent, BURIN_CMC_NONCE, e);
}
