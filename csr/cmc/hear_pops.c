/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How far each certification request proves possession of its key: RFC 10002
 * sections 3.2.1.2 and 6.7, RFC 4211 section 4.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "hear.h"
#include "proofs.h"

/* --- the proof in a request ----------------------------------------------- */

static int
verify_pkcs10(X509_REQ *req, EVP_PKEY *key, X509 *cert, struct burin_error *e)
{
	if (burin_pkcs10_pop(req) == BURIN_POP_AGREEMENT)
		return burin_pkcs10_verify_agreement(
		    req, key, cert, BURIN_EAUTHORITY, e);
	return burin_pkcs10_verify_pop(req, BURIN_EAUTHORITY, e);
}

/* No proof at all is not yet one; a challenge must be asked for. */
static enum burin_cmc_proved
proved_later(const struct cmc_own *own)
{
	return own->crmf != NULL &&
		burin_crmf_get_popo(own->crmf) == BURIN_POPO_NONE
	    ? BURIN_CMC_POP_NOT_YET
	    : BURIN_CMC_POP_TO_CHALLENGE;
}

static enum burin_cmc_proved
judge(const struct cmc_own *own, const struct burin_error *e)
{
	if (strcmp(e->code, "pop-required") == 0)
		return proved_later(own);
	if (strcmp(e->code, "pop-by-ra") == 0)
		return BURIN_CMC_POP_SAYS_RA;
	return strcmp(e->code, "pop-unsupported") == 0 ? BURIN_CMC_POP_UNKNOWN
						       : BURIN_CMC_POP_WRONG;
}

static int
hear_pop(struct burin_cmc_item *item, const struct cmc_own *own, EVP_PKEY *key,
    X509 *cert, struct burin_error *e)
{
	struct burin_error one = BURIN_ERROR_INIT;
	int rc;

	item->why[0] = '\0';
	rc = own->pkcs10 != NULL ? verify_pkcs10(own->pkcs10, key, cert, &one)
				 : burin_crmf_verify_pop(own->crmf, key, cert,
				       BURIN_EAUTHORITY, &one);
	if (rc == 0) {
		item->proved = BURIN_CMC_POP_PROVED;
		return 0;
	}
	/* Our own key or memory failed: nothing is known of the proof. */
	if (one.status != BURIN_EAUTHORITY) {
		item->proved = BURIN_CMC_POP_NOT_YET;
		if (e != NULL)
			*e = one;
		return -1;
	}
	item->proved = judge(own, &one);
	if (item->proved == BURIN_CMC_POP_WRONG ||
	    item->proved == BURIN_CMC_POP_UNKNOWN)
		memcpy(item->why, one.reason, sizeof(item->why));
	return 0;
}

int
burin_cmc_hear_pops(
    struct burin_cmc_heard *h, EVP_PKEY *key, X509 *cert, struct burin_error *e)
{
	size_t i;
	int rc = 0;

	/* Half of what is needed is nothing. */
	if (key == NULL || cert == NULL) {
		key = NULL;
		cert = NULL;
	}
	for (i = 0; i < h->n_items && rc == 0; i++)
		rc = hear_pop(&h->items[i], &h->kept->own[i], key, cert, e);
	ERR_clear_error();
	return rc;
}

/* --- decryptedPOP: section 6.7, step 5 ------------------------------------ */

static int
pop_failed(const struct burin_cmc_item *item, const char *text,
    struct burin_cmc_refusal *why, struct burin_error *e)
{
	cmc_why_set(why, BURIN_CMC_POP_FAILED, item->id);
	(void)burin_fail(e, BURIN_EAUTHORITY, "pop-failed",
	    "the answer to the challenge (decryptedPOP) %s", text);
	return burin_error_rule(e, "RFC 10002 section 6.7");
}

/* *fits: it is the MAC over the request in one of both forms. */
static int
try_pop(const struct burin_cmc_item *item, const struct burin_cmc_pop *pop,
    const char *mac, const struct burin_secret *y, int *fits,
    struct burin_error *e)
{
	unsigned char value[CMC_MAX_DIGEST];
	int untagged, rc = 0;
	size_t len = 0;

	*fits = 0;
	for (untagged = 0; untagged < 2 && rc == 0; untagged++) {
		rc = cmc_pop_make(mac, y, item->tagged, item->tagged_len,
		    untagged, value, &len, e);
		if (rc == 0 && len == pop->value_len)
			*fits |= CRYPTO_memcmp(value, pop->value, len) == 0;
	}
	OPENSSL_cleanse(value, sizeof(value));
	return rc;
}

int
burin_cmc_challenge_check(const struct burin_cmc_item *item,
    const struct burin_cmc_pop *pop, const struct burin_secret *y, int legacy,
    struct burin_cmc_refusal *why, struct burin_error *e)
{
	const char *mac = cmc_hmac_by_oid(pop->algorithm, legacy);
	int fits;

	cmc_why_begin(why);
	if (item->tagged_len == 0)
		return pop_failed(
		    item, "is about a Simple request, which has none", why, e);
	if (mac == NULL)
		return pop_failed(
		    item, "is made with a MAC that is not taken", why, e);
	if (try_pop(item, pop, mac, y, &fits, e) == -1)
		return -1;
	if (!fits)
		return pop_failed(
		    item, "is not made with what was sent", why, e);
	memset(why, 0, sizeof(*why));
	return 0;
}
