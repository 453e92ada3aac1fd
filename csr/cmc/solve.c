/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The answer to a challenge: RFC 10002 section 6.7, steps 3 and 4. The value
 * inside is for the key alone, and never leaves a struct burin_secret.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "../cms/internal.h"
#include "proofs.h"

#define RULE_POP "RFC 10002 section 6.7"

static int
refuse(struct burin_error *e, const char *why)
{
	(void)burin_fail(
	    e, BURIN_ECHECK, "pop-challenge", "the challenge %s", why);
	(void)burin_error_rule(e, RULE_POP);
	return burin_error_advice(
	    e, "the authority is to be told that it was wrong (popFailed)");
}

/* Step 3: y hashes to the witness. */
static int
check_witness(const struct burin_cmc_challenge *c, const struct burin_secret *y,
    int legacy, struct burin_error *e)
{
	const char *md = cmc_hash_by_oid(c->witness_algorithm, legacy);
	unsigned char hash[CMC_MAX_DIGEST];
	size_t len;
	int equal;

	if (md == NULL)
		return refuse(e, "has a witness by a hash that is not taken");
	if (cmc_hash(md, burin_secret_bytes(y), burin_secret_len(y), NULL, 0,
		hash, &len, e) == -1)
		return -1;
	equal =
	    len == c->witness_len && CRYPTO_memcmp(hash, c->witness, len) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	return equal ? 0 : refuse(e, "does not hold what its witness says");
}

/*
 * What key finds in it. Its own failure (a PIN, a token that is gone) keeps
 * its own words; what the message does wrong is the challenge's.
 */
static int
decrypt(const struct burin_cmc_challenge *c, EVP_PKEY *key, EVP_PKEY *pub,
    const unsigned char *key_id, size_t key_id_len, struct burin_secret **y,
    struct burin_error *e)
{
	struct burin_cms_recipient us = { 0 };
	struct burin_cms *cms = NULL;
	enum burin_cms_type type;
	int rc = -1;

	us.pub = pub;
	us.key_id = key_id;
	us.key_id_len = key_id_len;
	us.serial = c->id;
	if (burin_cms_parse(c->cms, c->cms_len, BURIN_ECHECK, &cms, e) == -1)
		return -1;
	type = burin_cms_get_type(cms);
	if (type != BURIN_CMS_ENVELOPED && type != BURIN_CMS_AUTH_ENVELOPED)
		(void)refuse(e, "is not encrypted");
	else if (strcmp(burin_cms_content_type(cms), OID_DATA) != 0)
		(void)refuse(e, "holds something else than data");
	else
		rc = burin_cms_decrypt(cms, &us, key, pub, y, e);
	burin_cms_free(&cms);
	return rc;
}

/* Said of the message, it is the challenge that is wrong. */
static void
rename_refusal(struct burin_error *e)
{
	if (e == NULL || e->status != BURIN_ECHECK ||
	    strcmp(e->code, "pop-challenge") == 0)
		return;
	(void)snprintf(e->code, sizeof(e->code), "pop-challenge");
	(void)burin_error_advice(
	    e, "the authority is to be told that it was wrong (popFailed)");
}

int
burin_cmc_solve(const struct burin_cmc_challenge *c, EVP_PKEY *key,
    EVP_PKEY *pub, const unsigned char *key_id, size_t key_id_len, int legacy,
    int untagged, struct burin_cmc_pop *out, struct burin_error *e)
{
	struct burin_secret *y = NULL;
	const char *mac;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if ((mac = cmc_hmac_by_oid(c->pop_algorithm, legacy)) == NULL)
		return refuse(e, "wants a proof by a MAC that is not taken");
	if (decrypt(c, key, pub, key_id, key_id_len, &y, e) == -1) {
		rename_refusal(e);
		return -1;
	}
	if (burin_secret_len(y) == 0)
		(void)refuse(e, "is empty");
	else if (check_witness(c, y, legacy, e) == 0 &&
	    cmc_pop_make(mac, y, c->request, c->request_len, untagged,
		out->value, &out->value_len, e) == 0)
		rc = 0;
	burin_secret_free(&y);
	if (rc == -1)
		return -1;
	out->id = c->id;
	(void)strcpy(out->algorithm, c->pop_algorithm);
	return 0;
}
