/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a shared secret shows of a request: RFC 10002 sections 3.2 (MAC), 6.2
 * (identity), 6.3 (its link to each proof of possession) and 6.16 (authData).
 */

#include <string.h>

#include <openssl/err.h>

#include "hear.h"
#include "proofs.h"

#define RULE_LINK "RFC 10002 section 6.3"

/* What is held against the request. */
struct against {
	struct burin_cmc_identity id;
	int linked;
	int legacy;
};

/* --- MAC ------------------------------------------------------------------ */

static int
check_mac(const struct cmc_hearing *hg, const struct against *a)
{
	if (hg->h->by != BURIN_CMC_BY_SECRET)
		return 0;
	if (burin_cms_verify_mac(hg->kept->cms, a->id.identification,
		a->id.secret, a->legacy, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_MESSAGE_CHECK, 0);
	return 0;
}

/* --- identity ------------------------------------------------------------- */

/* The value of the only control of this kind as it came; NULL: none. */
static const ASN1_TYPE *
value_of(const struct cmc_body *b, enum cmc_control number)
{
	const struct cmc_control_part *part;
	const CMC_ATTR *attr;
	size_t at = 0;

	if ((part = cmc_body_next(b, number, &at)) == NULL)
		return NULL;
	attr = sk_CMC_ATTR_value(b->data->controls, (int)(part - b->controls));
	return sk_ASN1_TYPE_value(attr->attrValues, 0);
}

static int
check_proof(const struct cmc_hearing *hg, const struct against *a, int v2,
    const ASN1_TYPE *value)
{
	struct burin_cmc_identity id = a->id;

	if (value == NULL)
		return 0;
	/* Section 6.2.1: the name is in the key when it is in the message. */
	id.identification = hg->h->identification;
	if (cmc_identity_verify(&id, v2, value, hg->h->reqs, hg->h->reqs_len,
		a->legacy, BURIN_EAUTHORITY, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_IDENTITY, 0);
	return 0;
}

/* The older one may be there for older servers: then it is not needed. */
static int
check_identity(const struct cmc_hearing *hg, const struct against *a)
{
	const ASN1_TYPE *v1, *v2;

	if (!hg->h->has_proof)
		return 0;
	v1 = value_of(hg->kept->body, CMC_IDENTITY_PROOF);
	v2 = value_of(hg->kept->body, CMC_IDENTITY_PROOF_V2);
	if (v2 != NULL && !a->legacy)
		v1 = NULL;
	if (check_proof(hg, a, 1, v2) == -1)
		return -1;
	return check_proof(hg, a, 0, v1);
}

/* --- the link ------------------------------------------------------------- */

static int
is_same(const ASN1_TYPE *a, const ASN1_TYPE *b)
{
	return a != NULL && b != NULL && ASN1_TYPE_cmp(a, b) == 0;
}

struct link {
	const ASN1_OCTET_STRING *random;
	const ASN1_TYPE *good; /* the last that held: mostly all are equal */
	uint64_t rounds;
};

/* 1: it holds; 0: not, with one filled; -1: something else failed. */
static int
check_witness(const struct cmc_own *own, const struct against *a,
    struct link *l, struct burin_error *one)
{
	int v2 = own->witness[1] != NULL;
	const ASN1_TYPE *value = own->witness[v2];

	if (value == NULL) {
		(void)burin_fail(one, BURIN_EAUTHORITY, "pop-link",
		    "a certification request does not show that who proves "
		    "identity makes it (popLinkWitness)");
		(void)burin_error_rule(one, RULE_LINK);
		return 0;
	}
	if (is_same(l->good, value))
		return 1;
	l->rounds += v2 ? cmc_link_rounds(value) : 0;
	if (l->rounds > CMC_MAX_HEARD_ROUNDS) {
		(void)burin_fail(one, BURIN_EAUTHORITY, "pop-link",
		    "the witnesses in the request take more than 2000000 "
		    "rounds of PBKDF2");
		(void)burin_error_rule(one, RULE_LINK);
		return 0;
	}
	if (cmc_link_verify(&a->id, v2, value, ASN1_STRING_get0_data(l->random),
		(size_t)ASN1_STRING_length(l->random), a->legacy,
		BURIN_EAUTHORITY, one) == 0) {
		l->good = value;
		return 1;
	}
	return one->status == BURIN_EAUTHORITY ? 0 : -1;
}

/* All that lack it are named. */
static int
check_links(const struct cmc_hearing *hg, const struct against *a)
{
	struct link l = { cmc_body_value(hg->kept->body, CMC_POP_LINK_RANDOM),
		NULL, 0 };
	struct burin_error one;
	size_t i, bad = 0;
	int holds;

	for (i = 0; i < hg->h->n_items; i++) {
		burin_error_clear(&one);
		holds = check_witness(&hg->kept->own[i], a, &l, &one);
		if (holds == 1)
			continue;
		if (bad == 0 || holds == -1)
			*hg->e = one;
		if (holds == -1)
			return cmc_why_take(hg, BURIN_CMC_POP_FAILED, 0);
		if (bad++ == 0)
			(void)cmc_why_take(hg, BURIN_CMC_POP_FAILED, 0);
		cmc_why_add(hg->why, hg->h->items[i].id);
	}
	return bad == 0 ? 0 : -1;
}

/*
 * Without a link, somebody's proof of possession could be put under somebody
 * else's proof of identity.
 */
static int
check_link(const struct cmc_hearing *hg, const struct against *a)
{
	const struct burin_cmc_heard *h = hg->h;
	int proved = h->has_proof || h->by == BURIN_CMC_BY_SECRET;
	size_t i;

	if (!proved)
		return cmc_refuse(hg, BURIN_CMC_BAD_IDENTITY, 0,
		    "identity-proof", "RFC 10002 section 6.2",
		    "holds no proof of identity");
	if (h->has_random)
		return check_links(hg, a);
	if (a->linked || h->n_items == 0)
		return 0;
	(void)cmc_refuse(hg, BURIN_CMC_POP_FAILED, 0, "pop-link", RULE_LINK,
	    "proves identity and does not link it to the certification "
	    "requests (popLinkRandom)");
	for (i = 0; i < h->n_items; i++)
		cmc_why_add(hg->why, h->items[i].id);
	return -1;
}

/* --- authData ------------------------------------------------------------- */

static int
bad_auth(const struct cmc_hearing *hg, const char *text)
{
	return cmc_refuse(hg, BURIN_CMC_AUTH_DATA_FAIL, hg->h->auth_data,
	    "auth-data", "RFC 10002 section 6.16", text);
}

/*
 * What a request could say there is said better outside: only what goes
 * through a conversation is taken.
 */
static int
check_auth_body(const struct cmc_hearing *hg, const struct cmc_body *b)
{
	size_t i;

	if (b->n_requests > 0 || b->n_messages > 0)
		return bad_auth(
		    hg, "asks for something in its authData, not beside it");
	for (i = 0; i < b->n_controls; i++) {
		const struct cmc_control_row *row = b->controls[i].row;

		if (row == NULL ||
		    (row->number != CMC_TRANSACTION_ID &&
			row->number != CMC_SENDER_NONCE &&
			row->number != CMC_RECIPIENT_NONCE &&
			row->number != CMC_IDENTIFICATION))
			return bad_auth(hg,
			    "says something in its authData that belongs "
			    "beside it");
	}
	return 0;
}

static int
open_auth(const struct cmc_hearing *hg, const struct against *a,
    const struct cmc_message_part *part, struct cmc_opened *o)
{
	const unsigned char *content;
	size_t len;

	if (burin_cms_parse(
		part->der, part->len, BURIN_EAUTHORITY, &o->cms, hg->e) == -1)
		return cmc_why_take(
		    hg, BURIN_CMC_AUTH_DATA_FAIL, hg->h->auth_data);
	if (burin_cms_get_type(o->cms) != BURIN_CMS_AUTHENTICATED ||
	    strcmp(burin_cms_content_type(o->cms), CMC_OID_PKI_DATA) != 0)
		return bad_auth(hg,
		    "has an authData that names no AuthenticatedData of a "
		    "PKIData");
	if (cmc_check_rounds(hg, o->cms, hg->h->auth_data) == -1)
		return -1;
	content = burin_cms_content(o->cms, &len);
	if (burin_cms_verify_mac(o->cms, a->id.identification, a->id.secret,
		a->legacy, hg->e) == -1 ||
	    cmc_body_parse(CMC_AUTH, content, len, BURIN_EAUTHORITY, &o->body,
		hg->e) == -1)
		return cmc_why_take(
		    hg, BURIN_CMC_AUTH_DATA_FAIL, hg->h->auth_data);
	return check_auth_body(hg, o->body);
}

static int
check_auth(const struct cmc_hearing *hg, const struct against *a)
{
	struct cmc_opened opened = { NULL, NULL };
	const struct cmc_body *b = hg->kept->body;
	uint32_t id;
	int rc;

	if (hg->h->auth_data == 0)
		return 0;
	/* The parser knows that it is a message here. */
	(void)cmc_id_read(cmc_body_value(b, CMC_AUTH_DATA), 0, &id);
	rc = open_auth(hg, a, cmc_body_message(b, id), &opened);
	cmc_opened_clear(&opened);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int
check_name(const struct cmc_hearing *hg, const struct burin_cmc_identity *id)
{
	const char *name = hg->h->identification;

	if (name == NULL || id->identification == NULL ||
	    strcmp(name, id->identification) == 0)
		return 0;
	return cmc_refuse(hg, BURIN_CMC_BAD_IDENTITY, 0, "identity-proof",
	    "RFC 10002 section 6.2.3", "names another secret (identification)");
}

static int
no_secret(const struct cmc_hearing *hg)
{
	const struct burin_cmc_heard *h = hg->h;

	if (h->auth_data != 0)
		return bad_auth(hg, "has an authData that nobody can verify");
	if (!h->has_proof && !h->has_random && h->by != BURIN_CMC_BY_SECRET)
		return 0;
	return cmc_refuse(hg,
	    h->by == BURIN_CMC_BY_SECRET ? BURIN_CMC_BAD_MESSAGE_CHECK
					 : BURIN_CMC_BAD_IDENTITY,
	    0, "identity-proof", "RFC 10002 section 6.2",
	    "refers to a shared secret that is not known");
}

static int
check_all(const struct cmc_hearing *hg, const struct against *a)
{
	const struct burin_cmc_heard *h = hg->h;

	if (check_name(hg, &a->id) == -1 || check_mac(hg, a) == -1 ||
	    check_identity(hg, a) == -1 || check_auth(hg, a) == -1)
		return -1;
	/* A signed message may show nothing but its authData. */
	if (h->auth_data != 0 && !h->has_proof && !h->has_random &&
	    h->by != BURIN_CMC_BY_SECRET)
		return 0;
	return check_link(hg, a);
}

int
burin_cmc_hear_secret(struct burin_cmc_heard *h,
    const struct burin_cmc_identity *id, int linked, int legacy,
    struct burin_cmc_refusal *why, struct burin_error *e)
{
	struct burin_error mine = BURIN_ERROR_INIT;
	struct cmc_hearing hg = { NULL, h, h->kept, why,
		e != NULL ? e : &mine };
	struct against a = { .linked = linked, .legacy = legacy };
	int rc;

	cmc_why_begin(why);
	if (h->simple) {
		rc = cmc_refuse(&hg, BURIN_CMC_BAD_IDENTITY, 1,
		    "identity-proof", "RFC 10002 section 3.1",
		    "is a Simple request, which proves no identity");
	} else if (id == NULL) {
		rc = no_secret(&hg);
	} else {
		a.id = *id;
		if (a.id.identification == NULL)
			a.id.identification = h->identification;
		rc = check_all(&hg, &a);
	}
	ERR_clear_error();
	if (rc == 0)
		memset(why, 0, sizeof(*why));
	return rc;
}
