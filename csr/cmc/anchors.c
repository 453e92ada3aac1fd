/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * New trust anchors out of an answer: RFC 10002 sections 6.15 and 6.16. Each
 * rule must hold; one that does not spoils the whole answer.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/response.h>

#include "proofs.h"
#include "read.h"

#define RULE_ANCHORS "RFC 10002 section 6.15"
#define RULE_AUTH "RFC 10002 section 6.16"

static int
refuse(const struct cmc_reader *rd, const char *code, const char *why)
{
	(void)burin_fail_openssl(rd->e, BURIN_ECHECK, code,
	    "the answer publishes trust anchors and %s", why);
	return burin_error_rule(rd->e, RULE_ANCHORS);
}

/* --- the rules ------------------------------------------------------------ */

/*
 * The time is that of the signature on the answer. It may have been on its way
 * for days, as a file or by mail: our nonce in it says that it is no older than
 * the request.
 */
static int
check_time(const struct cmc_reader *rd, const struct cmc_layer *layer)
{
	const struct burin_cmc_expect *x = rd->x;
	time_t since = x->since != 0 && x->since < x->now ? x->since : x->now;

	if (layer->signing_time == 0)
		return refuse(rd, "anchors-time",
		    "does not say when it was signed (signingTime)");
	if (layer->signing_time < since - x->skew ||
	    layer->signing_time > x->now + x->skew)
		return refuse(rd, "anchors-time",
		    "was signed before the request, or in the future "
		    "(signingTime)");
	return 0;
}

static int
check_number(const struct cmc_reader *rd, const ASN1_INTEGER *seq)
{
	int64_t number;

	if (ASN1_INTEGER_get_int64(&number, seq) != 1 || number < 0 ||
	    number > INT32_MAX)
		return refuse(rd, "anchors-replayed",
		    "numbers them out of bounds (seqNumber)");
	if (number < rd->x->anchors_seen)
		return refuse(rd, "anchors-replayed",
		    "they are older than those known (seqNumber)");
	rd->r->anchors_number = (long)number;
	return 0;
}

/*
 * An authority that publishes with every answer says mostly the same: nothing
 * is taken from it, so nothing of it is held against the answer.
 */
static int
is_known(const struct cmc_reader *rd)
{
	return !rd->x->bootstrap &&
	    rd->r->anchors_number == rd->x->anchors_seen;
}

/* 1 when cert has this hash, 0 when not, -1 with e set. */
static int
has_hash(const struct cmc_reader *rd, X509 *cert, const char *md,
    const ASN1_OCTET_STRING *hash)
{
	unsigned char have[CMC_MAX_DIGEST];
	unsigned char *der = NULL;
	size_t n;
	int len = i2d_X509(cert, &der), rc;

	if (len <= 0)
		return burin_fail_memory(rd->e);
	rc = cmc_hash(md, der, (size_t)len, NULL, 0, have, &n, rd->e);
	OPENSSL_free(der);
	if (rc == -1)
		return -1;
	return n == (size_t)ASN1_STRING_length(hash) &&
	    CRYPTO_memcmp(have, ASN1_STRING_get0_data(hash), n) == 0;
}

static int
take_anchor(const struct cmc_reader *rd, const char *md,
    const ASN1_OCTET_STRING *hash, STACK_OF(X509) * out)
{
	STACK_OF(X509) *bag = rd->r->certs;
	int i, same = 0, n = sk_X509_num(bag);
	X509 *cert = NULL;

	for (i = 0; i < n && same == 0; i++) {
		cert = sk_X509_value(bag, i);
		same = has_hash(rd, cert, md, hash);
	}
	if (same == -1)
		return -1;
	if (same == 0)
		return refuse(rd, "anchors-missing",
		    "does not hold the certificate of each hash");
	if (X509_up_ref(cert) != 1)
		return burin_fail_memory(rd->e);
	if (sk_X509_push(out, cert) == 0) {
		X509_free(cert);
		return burin_fail_memory(rd->e);
	}
	return 0;
}

/* The certificates beside the list; free *out in any case. */
static int
find_listed(
    const struct cmc_reader *rd, const CMC_ANCHORS *list, STACK_OF(X509) * *out)
{
	const char *md = cmc_hash_name(list->hash, rd->x->legacy);
	int i, n = sk_ASN1_OCTET_STRING_num(list->anchorHashes);

	if (md == NULL)
		return refuse(rd, "anchors-hash",
		    "names them by a hash that is not taken");
	if (n < 1 || n > BURIN_MAX_CERTS)
		return refuse(
		    rd, "anchors-missing", "names none, or more than 64");
	if ((*out = sk_X509_new_null()) == NULL)
		return burin_fail_memory(rd->e);
	for (i = 0; i < n; i++) {
		if (take_anchor(rd, md,
			sk_ASN1_OCTET_STRING_value(list->anchorHashes, i),
			*out) == -1)
			return -1;
	}
	return 0;
}

static int
take_anchors(const struct cmc_reader *rd, const CMC_ANCHORS *list,
    const struct cmc_layer *layer)
{
	STACK_OF(X509) *found = NULL;

	if (check_number(rd, list->seqNumber) == -1)
		return -1;
	if (is_known(rd))
		return 0;
	if (find_listed(rd, list, &found) == -1 ||
	    check_time(rd, layer) == -1) {
		sk_X509_pop_free(found, X509_free);
		return -1;
	}
	rd->r->anchors = found;
	return 0;
}

/* --- authData ------------------------------------------------------------- */

static int
refuse_auth(const struct cmc_reader *rd, const char *why)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, "auth-data",
	    "the data that the answer authenticates with a shared secret "
	    "(authData) %s",
	    why);
	return burin_error_rule(rd->e, RULE_AUTH);
}

/* Its PKIData's controls, with who knows the secret in place of a signer. */
static int
open_auth(const struct cmc_reader *rd, const struct cmc_body *b,
    const ASN1_INTEGER *value, struct cmc_opened *out)
{
	const struct burin_cmc_identity *id;
	const struct cmc_message_part *part;
	const unsigned char *content;
	uint32_t number;
	size_t len;

	if (cmc_identity_find(rd, &id) == -1)
		return -1;
	if (id == NULL)
		return refuse_auth(rd, "is there, and no secret is known here");
	if (cmc_id_read(value, 0, &number) == -1 ||
	    (part = cmc_body_message(b, number)) == NULL)
		return refuse_auth(rd, "is not there");
	if (burin_cms_parse(
		part->der, part->len, BURIN_ECHECK, &out->cms, rd->e) == -1)
		return -1;
	if (burin_cms_get_type(out->cms) != BURIN_CMS_AUTHENTICATED ||
	    strcmp(burin_cms_content_type(out->cms), CMC_OID_PKI_DATA) != 0)
		return refuse_auth(rd, "is no AuthenticatedData of a PKIData");
	if (burin_cms_verify_mac(out->cms, id->identification, id->secret,
		rd->x->legacy, rd->e) == -1)
		return -1;
	content = burin_cms_content(out->cms, &len);
	return cmc_body_parse(
	    CMC_AUTH, content, len, BURIN_ECHECK, &out->body, rd->e);
}

static int
read_auth(const struct cmc_reader *rd, const struct cmc_layer *layer,
    const ASN1_INTEGER *value)
{
	struct cmc_opened opened = { NULL, NULL };
	const CMC_ANCHORS *list;
	int rc = -1;

	if (open_auth(rd, layer->in.body, value, &opened) == -1)
		goto out;
	list = cmc_body_value(opened.body, CMC_TRUSTED_ANCHORS);
	rc = list == NULL ? 0 : take_anchors(rd, list, layer);
out:
	cmc_opened_clear(&opened);
	return rc;
}

int
cmc_anchors_bootstrap(const struct cmc_reader *rd, const struct cmc_body *b)
{
	const ASN1_INTEGER *auth = cmc_body_value(b, CMC_AUTH_DATA);
	struct cmc_opened opened = { NULL, NULL };
	const CMC_ANCHORS *list;
	int rc = -1;

	if (auth == NULL)
		return 0;
	if (open_auth(rd, b, auth, &opened) == -1)
		goto out;
	list = cmc_body_value(opened.body, CMC_TRUSTED_ANCHORS);
	if (list == NULL) {
		(void)refuse_auth(rd, "publishes no trust anchor");
		goto out;
	}
	if (find_listed(rd, list, &rd->kept->given) == -1)
		goto out;
	rd->kept->anchors = rd->kept->given;
	rc = 0;
out:
	cmc_opened_clear(&opened);
	return rc;
}

/* What is signed by the authority needs no secret to be believed. */
static int
needs_no_secret(const struct cmc_reader *rd, const struct cmc_layer *layer)
{
	return layer->voice == CMC_CA && !rd->x->bootstrap &&
	    rd->x->identity == NULL;
}

/*
 * Only what the authority itself says counts, not an RA around it. Where
 * authData is, its list is the one that is believed. An answer to we know not
 * what may be old, and brings none.
 */
int
cmc_anchors_read(const struct cmc_reader *rd)
{
	const struct cmc_layer *layer = &rd->kept->layers[rd->kept->n - 1];
	const ASN1_INTEGER *auth =
	    cmc_body_value(layer->in.body, CMC_AUTH_DATA);
	const CMC_ANCHORS *list =
	    cmc_body_value(layer->in.body, CMC_TRUSTED_ANCHORS);

	if (layer->voice == CMC_RA || cmc_is_unknown(rd->x))
		return 0;
	if (auth != NULL)
		return needs_no_secret(rd, layer) ? 0
						  : read_auth(rd, layer, auth);
	return list == NULL ? 0 : take_anchors(rd, list, layer);
}
