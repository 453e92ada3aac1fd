/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Hearing a request: RFC 10002 sections 3.1, 3.2 and 5. The envelopes come
 * off, the body is read and held against the rules. Nothing is believed yet.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "../cms/internal.h"
#include "hear.h"

#define RULE_FULL "RFC 10002 section 3.2"
#define RULE_LAYERS "RFC 10002 section 5"

/* --- refusals ------------------------------------------------------------- */

void
cmc_why_begin(struct burin_cmc_refusal *why)
{
	memset(why, 0, sizeof(*why));
	cmc_why_set(why, BURIN_CMC_INTERNAL_CA_ERROR, 0);
}

void
cmc_why_set(
    struct burin_cmc_refusal *why, enum burin_cmc_fail fail, uint32_t id)
{
	why->status = BURIN_CMC_FAILED;
	why->fail = fail;
	why->n = 0;
	cmc_why_add(why, id);
}

void
cmc_why_add(struct burin_cmc_refusal *why, uint32_t id)
{
	if (id != 0 && why->n < BURIN_CMC_MAX_REFUSED)
		why->parts[why->n++] = id;
}

int
cmc_why_take(
    const struct cmc_hearing *hg, enum burin_cmc_fail fail, uint32_t id)
{
	if (hg->e->status != BURIN_EAUTHORITY)
		cmc_why_set(hg->why, BURIN_CMC_INTERNAL_CA_ERROR, 0);
	else if (strcmp(hg->e->code, "algorithm-refused") == 0)
		cmc_why_set(hg->why, BURIN_CMC_BAD_ALG, id);
	else
		cmc_why_set(hg->why, fail, id);
	return -1;
}

int
cmc_refuse(const struct cmc_hearing *hg, enum burin_cmc_fail fail, uint32_t id,
    const char *code, const char *rule, const char *text)
{
	(void)burin_fail_openssl(
	    hg->e, BURIN_EAUTHORITY, code, "the request %s", text);
	(void)burin_error_rule(hg->e, "%s", rule);
	cmc_why_set(hg->why, fail, id);
	return -1;
}

int
cmc_refuse_control(const struct cmc_hearing *hg, enum burin_cmc_fail fail,
    const struct cmc_control_part *part, const char *text)
{
	(void)burin_fail_openssl(hg->e, BURIN_EAUTHORITY, "cmc-malformed",
	    "the control %s in the request %s", part->row->name, text);
	(void)burin_error_rule(hg->e, "%s", part->row->rule);
	cmc_why_set(hg->why, fail, part->id);
	return -1;
}

/* --- envelopes ------------------------------------------------------------ */

static int
bad_check(const struct cmc_hearing *hg, const char *code, const char *text)
{
	return cmc_refuse(
	    hg, BURIN_CMC_BAD_MESSAGE_CHECK, 0, code, RULE_LAYERS, text);
}

/*
 * One answer to whatever is wrong inside: nobody learns from it what the key
 * makes of octets of his own (RFC 3218).
 */
static int
decrypt(const struct cmc_hearing *hg, struct burin_cms **inside)
{
	const struct burin_cmc_listen *l = hg->l;
	struct burin_cms *cms = hg->kept->cms;
	struct burin_secret *plain = NULL;
	int rc;

	if (l->key == NULL || l->us == NULL)
		return bad_check(hg, "cmc-encrypted",
		    "is encrypted, and there is no key to read it with");
	if (burin_cms_decrypt(cms, l->us, l->key, l->pub, &plain, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_MESSAGE_CHECK, 0);
	OPENSSL_free(hg->kept->plain);
	rc = cmc_content_info(burin_cms_content_type(cms),
	    burin_secret_bytes(plain), burin_secret_len(plain),
	    BURIN_EAUTHORITY, &hg->kept->plain, &hg->h->message_len, NULL);
	burin_secret_free(&plain);
	hg->h->message = hg->kept->plain;
	if (rc == 0)
		rc = burin_cms_parse(hg->h->message, hg->h->message_len,
		    BURIN_EAUTHORITY, inside, NULL);
	if (rc == -1)
		return bad_check(hg, "decrypt-failed",
		    "could not be decrypted to something that can be read");
	hg->h->encrypted = 1;
	burin_cms_free(&hg->kept->cms);
	return 0;
}

/* Section 5, second option: who signed the encrypted message stays. */
static int
look_inside(const struct cmc_hearing *hg, struct burin_cms **inside)
{
	struct cmc_heard_kept *kept = hg->kept;
	const unsigned char *content;
	size_t len;

	if (burin_cms_n_signers(kept->cms) == 0)
		return bad_check(hg, "cmc-signer",
		    "is encrypted inside an envelope that nobody signed");
	content = burin_cms_content(kept->cms, &len);
	if (cmc_content_parse(burin_cms_content_type(kept->cms), content, len,
		BURIN_EAUTHORITY, inside, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_REQUEST, 0);
	kept->around[kept->n_around++] = kept->cms;
	kept->cms = NULL;
	return 0;
}

static int
is_encrypted_type(const char *type)
{
	return strcmp(type, OID_ENVELOPED) == 0 ||
	    strcmp(type, OID_AUTH_ENVELOPED) == 0;
}

static int
pull(const struct cmc_hearing *hg)
{
	struct burin_cms **cms = &hg->kept->cms, *inside = NULL;
	int i, rc;

	for (i = 0; i < CMC_MAX_PULLED; i++) {
		switch (burin_cms_get_type(*cms)) {
		case BURIN_CMS_ENVELOPED:
		case BURIN_CMS_AUTH_ENVELOPED:
			rc = decrypt(hg, &inside);
			break;
		case BURIN_CMS_SIGNED:
			if (!is_encrypted_type(burin_cms_content_type(*cms)))
				return 0;
			rc = look_inside(hg, &inside);
			break;
		case BURIN_CMS_AUTHENTICATED:
			return 0;
		case BURIN_CMS_DATA:
		default:
			return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0,
			    "cmc-malformed", RULE_FULL,
			    "is neither signed nor authenticated");
		}
		if (rc == -1)
			return -1;
		*cms = inside;
	}
	return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0, "cmc-too-deep",
	    RULE_LAYERS, "lies in more envelopes than are opened");
}

/* --- the body ------------------------------------------------------------- */

static void
take_octets(const struct cmc_body *b, enum cmc_control number,
    struct burin_cmc_octets *o)
{
	const ASN1_STRING *s = cmc_body_early(b, number, V_ASN1_OCTET_STRING);

	if (s == NULL)
		return;
	o->len = (size_t)ASN1_STRING_length(s);
	memcpy(o->data, ASN1_STRING_get0_data(s), o->len);
}

/* Of a request that is refused as well: the answer brings them back. */
static void
take_thread(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	struct burin_cmc_heard *h = hg->h;
	const ASN1_STRING *s =
	    cmc_body_early(b, CMC_TRANSACTION_ID, V_ASN1_INTEGER);
	const struct cmc_control_part *part;
	size_t at = 0;

	if (s != NULL && ASN1_STRING_type(s) != V_ASN1_NEG_INTEGER) {
		h->has_transaction = 1;
		h->transaction.len = (size_t)ASN1_STRING_length(s);
		memcpy(h->transaction.data, ASN1_STRING_get0_data(s),
		    h->transaction.len);
	}
	take_octets(b, CMC_SENDER_NONCE, &h->sender_nonce);
	take_octets(b, CMC_RECIPIENT_NONCE, &h->recipient_nonce);
	if ((part = cmc_body_next(b, CMC_RECIPIENT_NONCE, &at)) != NULL)
		h->nonce_part = part->id;
	take_octets(b, CMC_DATA_RETURN, &h->data_return);
}

static int
judge(const struct cmc_hearing *hg, const unsigned char *data, size_t len)
{
	struct cmc_blame blame;
	size_t i;
	int rc;

	rc = cmc_body_judge(CMC_DATA, data, len, BURIN_EAUTHORITY,
	    &hg->kept->body, &blame, hg->e);
	if (hg->kept->body != NULL)
		take_thread(hg);
	if (rc == 0)
		return 0;
	(void)cmc_why_take(hg, BURIN_CMC_BAD_REQUEST, 0);
	for (i = 0; i < blame.n; i++)
		cmc_why_add(hg->why, blame.ids[i]);
	return -1;
}

/*
 * Section 3.2.1.2: a kind of request that is not known, and no other one of
 * the message is looked at.
 */
static int
check_kinds(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	struct burin_cmc_refusal why = { .status = BURIN_CMC_NO_SUPPORT,
		.fail = BURIN_CMC_FAIL_NONE };
	size_t i;

	for (i = 0; i < b->n_requests; i++) {
		if (b->requests[i].req->type == CMC_REQ_ORM)
			cmc_why_add(&why, b->requests[i].id);
	}
	if (why.n == 0)
		return 0;
	(void)cmc_refuse(hg, BURIN_CMC_FAIL_NONE, 0, "cmc-request-kind",
	    "RFC 10002 section 3.2.1.2.3",
	    "holds a certification request that is neither PKCS#10 nor CRMF");
	*hg->why = why;
	return -1;
}

static int
hear_full(const struct cmc_hearing *hg, const void *data, size_t len)
{
	struct cmc_heard_kept *kept = hg->kept;
	const unsigned char *content;
	size_t n;

	if (burin_cms_parse(data, len, BURIN_EAUTHORITY, &kept->cms, hg->e) ==
	    -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_REQUEST, 0);
	if (pull(hg) == -1)
		return -1;
	content = burin_cms_content(kept->cms, &n);
	if (content == NULL ||
	    strcmp(burin_cms_content_type(kept->cms), CMC_OID_PKI_DATA) != 0)
		return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0, "cmc-malformed",
		    RULE_FULL, "holds no PKIData");
	if (judge(hg, content, n) == -1 || check_kinds(hg) == -1)
		return -1;
	hg->h->certs = burin_cms_certs(kept->cms);
	hg->h->reqs = kept->body->reqs;
	hg->h->reqs_len = kept->body->reqs_len;
	if (cmc_hear_controls(hg) == -1 || cmc_hear_named(hg) == -1 ||
	    cmc_hear_statements(hg) == -1 || cmc_hear_items(hg) == -1)
		return -1;
	return cmc_hear_voice(hg);
}

/* --- all of it ------------------------------------------------------------ */

static int
hear(const struct cmc_hearing *hg, const void *data, size_t len)
{
	if (hg->l->depth >= BURIN_CMC_MAX_DEPTH)
		return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0, "cmc-too-deep",
		    "RFC 10002 section 3.2.1.3",
		    "lies in messages that lie in messages, more than 4 deep");
	if (cmc_is_content_info(data, len))
		return hear_full(hg, data, len);
	return cmc_hear_simple(hg, data, len);
}

int
burin_cmc_hear(const void *data, size_t len, const struct burin_cmc_listen *l,
    struct burin_cmc_heard *h, struct burin_cmc_refusal *why,
    struct burin_error *e)
{
	struct burin_error mine = BURIN_ERROR_INIT;
	struct cmc_hearing hg = { l, h, NULL, why, e != NULL ? e : &mine };
	int rc = -1;

	memset(h, 0, sizeof(*h));
	cmc_why_begin(why);
	if ((h->kept = calloc(1, sizeof(*h->kept))) == NULL)
		return burin_fail_memory(hg.e);
	hg.kept = h->kept;
	h->message = data;
	h->message_len = len;
	rc = hear(&hg, data, len);
	ERR_clear_error();
	if (rc == 0)
		memset(why, 0, sizeof(*why));
	return rc;
}

static void
clear_kept(struct cmc_heard_kept *kept)
{
	size_t i;

	if (kept == NULL)
		return;
	burin_cms_free(&kept->cms);
	for (i = 0; i < kept->n_around; i++)
		burin_cms_free(&kept->around[i]);
	OPENSSL_free(kept->plain);
	cmc_body_free(&kept->body);
	for (i = 0; i < kept->n_extensions; i++)
		OPENSSL_free(kept->extensions[i]);
	free(kept->own);
	free(kept);
}

void
burin_cmc_heard_clear(struct burin_cmc_heard *h)
{
	size_t i;

	if (h == NULL)
		return;
	cmc_items_clear(h);
	for (i = 0; i < h->n_revokes; i++)
		burin_secret_free(&h->revokes[i].secret);
	free(h->items);
	free(h->pops);
	free(h->revokes);
	free(h->get_certs);
	free(h->get_crls);
	free(h->publishes);
	free(h->said);
	free(h->statements);
	free(h->inside);
	clear_kept(h->kept);
	memset(h, 0, sizeof(*h));
}
