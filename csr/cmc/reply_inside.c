/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which answer inside a reply is for which message of an RA's layer: RFC 10002
 * section 6.17. Their order means nothing, so what is in them must tell: what
 * they bring back, and whose keys are certified.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <burin/cmc_server.h>

#include "read.h"

#define DIGEST 32 /* SHA-256 of a SubjectPublicKeyInfo */

/* How well an answer goes with a message. */
#define FITS_NOT 0u
#define FITS_MAYBE 1u  /* nothing in them tells */
#define FITS_THREAD 2u /* brings back transactionId and nonce */
#define FITS_KEY 4u    /* certifies a key of the message */

/* A message or answer, and what it can be told by. */
struct side {
	const struct cmc_message_part *part;
	struct cmc_opened opened;
	const ASN1_STRING *transaction, *nonce; /* NULL: none */
	size_t n_keys;
	unsigned char (*keys)[DIGEST];
	struct side *other; /* NULL: not found yet */
};
struct match {
	struct side *messages, *answers;
	size_t n_messages, n_answers;
};

/* --- keys ----------------------------------------------------------------- */

static int
add_key(struct side *s, X509_PUBKEY *pub)
{
	unsigned char *der = NULL;
	int len, ok;

	if (pub == NULL)
		return 1;
	if ((len = i2d_X509_PUBKEY(pub, &der)) <= 0)
		return 0;
	ok = EVP_Digest(der, (size_t)len, s->keys[s->n_keys], NULL,
		 EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	if (ok)
		s->n_keys++;
	return ok;
}

static int
room_for(struct side *s, size_t n)
{
	return n == 0 || (s->keys = calloc(n, sizeof(*s->keys))) != NULL;
}

static int
add_request(struct side *s, const CMC_REQ *req)
{
	const ASN1_TYPE *any;
	const unsigned char *p;
	X509_REQ *pkcs10;
	int ok;

	if (req->type == CMC_REQ_CRM)
		return add_key(s, req->d.crm->certReq->certTemplate->publicKey);
	if (req->type != CMC_REQ_TCR)
		return 1;
	any = req->d.tcr->certificationRequest;
	if (any->type != V_ASN1_SEQUENCE)
		return 1;
	p = ASN1_STRING_get0_data(any->value.sequence);
	pkcs10 =
	    d2i_X509_REQ(NULL, &p, ASN1_STRING_length(any->value.sequence));
	/* What cannot be read has no key. */
	ok = pkcs10 == NULL || add_key(s, X509_REQ_get_X509_PUBKEY(pkcs10));
	X509_REQ_free(pkcs10);
	return ok;
}

static int
add_requests(struct side *s)
{
	const struct cmc_body *b = s->opened.body;
	size_t i;
	int ok = b == NULL || room_for(s, b->n_requests);

	for (i = 0; b != NULL && i < b->n_requests && ok; i++)
		ok = add_request(s, b->requests[i].req);
	return ok;
}

static int
add_certs(struct side *s)
{
	STACK_OF(X509) *certs = burin_cms_certs(s->opened.cms);
	int i, n = sk_X509_num(certs), ok = room_for(s, (size_t)n);

	for (i = 0; i < n && ok; i++)
		ok = add_key(s, X509_get_X509_PUBKEY(sk_X509_value(certs, i)));
	return ok;
}

/* --- both sides ----------------------------------------------------------- */

/*
 * What cannot be opened is encrypted, or for nobody: opened.cms NULL. 0 when
 * memory ran out.
 */
static int
open_side(struct side *s, const struct cmc_message_part *part, int is_answer)
{
	struct burin_error quiet = BURIN_ERROR_INIT;
	const struct cmc_body *b;

	s->part = part;
	if (cmc_message_open(part->der, part->len, 1, BURIN_ECHECK, &s->opened,
		&quiet) == -1) {
		ERR_clear_error();
		return quiet.status != BURIN_EINTERNAL;
	}
	if ((b = s->opened.body) != NULL) {
		s->transaction = cmc_body_value(b, CMC_TRANSACTION_ID);
		s->nonce = cmc_body_value(
		    b, is_answer ? CMC_RECIPIENT_NONCE : CMC_SENDER_NONCE);
	}
	return is_answer ? add_certs(s) : add_requests(s);
}

static void
free_sides(struct side *list, size_t n)
{
	size_t i;

	for (i = 0; list != NULL && i < n; i++) {
		cmc_opened_clear(&list[i].opened);
		free(list[i].keys);
	}
	free(list);
}

static int
open_messages(const struct cmc_reader *rd, struct match *m)
{
	const struct cmc_body *layer = rd->kept->layer.body;
	size_t i;

	if (layer->n_messages == 0)
		return 1;
	m->messages = calloc(layer->n_messages, sizeof(*m->messages));
	if (m->messages == NULL)
		return 0;
	for (i = 0; i < layer->n_messages; i++) {
		m->n_messages++;
		if (!open_side(&m->messages[i], &layer->messages[i], 0))
			return 0;
	}
	return 1;
}

/* batchResponses names them; without it, every message that nothing names. */
static int
is_answer(const struct cmc_body *b, uint32_t id)
{
	const STACK_OF(ASN1_INTEGER) *batch =
	    cmc_body_value(b, CMC_BATCH_RESPONSES);
	const ASN1_INTEGER *auth = cmc_body_value(b, CMC_AUTH_DATA);
	uint32_t named;
	int i;

	for (i = 0; i < sk_ASN1_INTEGER_num(batch); i++) {
		if (cmc_id_read(sk_ASN1_INTEGER_value(batch, i), 0, &named) ==
			0 &&
		    named == id)
			return 1;
	}
	return batch == NULL &&
	    (auth == NULL || cmc_id_read(auth, 0, &named) == -1 || named != id);
}

static int
open_answers(const struct cmc_reader *rd, struct match *m)
{
	const struct cmc_body *b = rd->kept->layers[rd->kept->n - 1].in.body;
	size_t i;

	if (b->n_messages == 0)
		return 1;
	m->answers = calloc(b->n_messages, sizeof(*m->answers));
	if (m->answers == NULL)
		return 0;
	for (i = 0; i < b->n_messages; i++) {
		if (!is_answer(b, b->messages[i].id))
			continue;
		if (!open_side(&m->answers[m->n_answers++], &b->messages[i], 1))
			return 0;
	}
	return 1;
}

/* --- what goes with what -------------------------------------------------- */

static int
is_equal(const ASN1_STRING *a, const ASN1_STRING *b)
{
	return a != NULL && b != NULL && ASN1_STRING_cmp(a, b) == 0;
}

static int
certifies(const struct side *answer, const struct side *message)
{
	size_t i, k;

	for (i = 0; i < answer->n_keys; i++) {
		for (k = 0; k < message->n_keys; k++) {
			if (memcmp(answer->keys[i], message->keys[k], DIGEST) ==
			    0)
				return 1;
		}
	}
	return 0;
}

/* Section 6.6: what was in the message must be in the answer, and no more. */
static unsigned
thread_fits(const struct side *message, const struct side *answer)
{
	if (message->transaction == NULL && message->nonce == NULL)
		return answer->transaction == NULL && answer->nonce == NULL
		    ? FITS_MAYBE
		    : FITS_NOT;
	if ((message->transaction != NULL &&
		!is_equal(message->transaction, answer->transaction)) ||
	    (message->nonce != NULL &&
		!is_equal(message->nonce, answer->nonce)))
		return FITS_NOT;
	return FITS_THREAD;
}

static unsigned
fits(const struct side *message, const struct side *answer)
{
	unsigned how;

	/* It cannot be read at all; nobody is to have it. */
	if (answer->opened.cms == NULL)
		return FITS_NOT;
	/* Encrypted: nothing is seen of it. */
	if (message->opened.body == NULL ||
	    (answer->opened.body == NULL &&
		burin_cms_get_type(answer->opened.cms) != BURIN_CMS_SIGNED))
		return FITS_MAYBE;
	/*
	 * A Simple response has nothing but certificates and CRLs: of a key
	 * in the message, or what getCert or getCRL asked for.
	 */
	if (answer->opened.body == NULL && message->n_keys == 0)
		return FITS_MAYBE;
	if (answer->opened.body == NULL)
		return certifies(answer, message) ? FITS_KEY : FITS_NOT;
	if ((how = thread_fits(message, answer)) == FITS_NOT)
		return FITS_NOT;
	return certifies(answer, message) ? how | FITS_KEY : how;
}

/* --- pairs ---------------------------------------------------------------- */

static void
pair(struct side *message, struct side *answer)
{
	message->other = answer;
	answer->other = message;
}

/* The only free one of list that goes this well with s; NULL: none, or more. */
static struct side *
only(struct side *list, size_t n, const struct side *s, int s_is_message,
    unsigned need)
{
	struct side *found = NULL;
	unsigned how;
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].other != NULL)
			continue;
		how = s_is_message ? fits(s, &list[i]) : fits(&list[i], s);
		if ((how & need) != need)
			continue;
		if (found != NULL)
			return NULL;
		found = &list[i];
	}
	return found;
}

/* Those that are each other's only ones. */
static void
pair_only(struct match *m, unsigned need)
{
	struct side *answer;
	size_t i;

	for (i = 0; i < m->n_messages; i++) {
		struct side *message = &m->messages[i];

		if (message->other != NULL)
			continue;
		answer = only(m->answers, m->n_answers, message, 1, need);
		if (answer != NULL &&
		    only(m->messages, m->n_messages, answer, 0, need) ==
			message)
			pair(message, answer);
	}
}

/* The free message that an answer has the number of, if it may be for it. */
static struct side *
numbered(struct match *m, const struct side *answer)
{
	size_t i;

	for (i = 0; i < m->n_messages; i++) {
		struct side *message = &m->messages[i];

		if (message->part->id == answer->part->id)
			return message->other == NULL &&
				fits(message, answer) != FITS_NOT
			    ? message
			    : NULL;
	}
	return NULL;
}

static int
is_free(const struct side *answer)
{
	return answer->other == NULL && answer->opened.cms != NULL;
}

/* Numbers tell only when all that is left has the number of a message. */
static int
pair_numbered(struct match *m)
{
	size_t i;

	for (i = 0; i < m->n_answers; i++) {
		if (is_free(&m->answers[i]) &&
		    numbered(m, &m->answers[i]) == NULL)
			return 0;
	}
	for (i = 0; i < m->n_answers; i++) {
		if (is_free(&m->answers[i]))
			pair(numbered(m, &m->answers[i]), &m->answers[i]);
	}
	return 1;
}

/* Places tell only when there are as many of both. */
static void
pair_placed(struct match *m)
{
	size_t i, k, messages = 0, answers = 0;

	for (i = 0; i < m->n_messages; i++)
		messages += m->messages[i].other == NULL;
	for (k = 0; k < m->n_answers; k++)
		answers += (size_t)is_free(&m->answers[k]);
	if (messages != answers)
		return;
	for (i = 0, k = 0; i < m->n_messages; i++) {
		if (m->messages[i].other != NULL)
			continue;
		while (!is_free(&m->answers[k]))
			k++;
		if (fits(&m->messages[i], &m->answers[k]) != FITS_NOT)
			pair(&m->messages[i], &m->answers[k]);
		k++;
	}
}

static void
find_pairs(struct match *m)
{
	pair_only(m, FITS_THREAD | FITS_KEY);
	pair_only(m, FITS_THREAD);
	pair_only(m, FITS_KEY);
	pair_only(m, FITS_MAYBE);
	if (!pair_numbered(m))
		pair_placed(m);
}

/* --- all of it ------------------------------------------------------------ */

static int
keep(const struct cmc_reader *rd, const struct match *m)
{
	struct cmc_kept *kept = rd->kept;
	size_t i;

	if (m->n_messages == 0)
		return 1;
	kept->answers = calloc(m->n_messages, sizeof(*kept->answers));
	if (kept->answers == NULL)
		return 0;
	kept->n_answers = m->n_messages;
	for (i = 0; i < m->n_messages; i++) {
		if (m->messages[i].other != NULL)
			kept->answers[i] = m->messages[i].other->part;
	}
	return 1;
}

int
cmc_answers_find(const struct cmc_reader *rd)
{
	struct match m = { 0 };
	int ok = open_messages(rd, &m) && open_answers(rd, &m);

	if (ok) {
		find_pairs(&m);
		ok = keep(rd, &m);
	}
	free_sides(m.messages, m.n_messages);
	free_sides(m.answers, m.n_answers);
	return ok ? 0 : burin_fail_memory(rd->e);
}

int
burin_cmc_reply_inside(const struct burin_cmc_reply *r, size_t i,
    const unsigned char **der, size_t *len)
{
	const struct cmc_message_part *part;

	*der = NULL;
	*len = 0;
	if (r->kept == NULL || i < 1 || i > r->kept->n_answers ||
	    (part = r->kept->answers[i - 1]) == NULL)
		return -1;
	*der = part->der;
	*len = part->len;
	return 0;
}
