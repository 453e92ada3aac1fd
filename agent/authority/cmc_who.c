/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who speaks: by a certificate of ours (RFC 6402 section 2.4), by the secret
 * of an invite (RFC 10002 section 6.2), or because an RA says so (section
 * 6.20). And whether a message belongs to the conversation that it names.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "cmc_work.h"

#define NONCE_RANDOM 16 /* bytes; the rest of a nonce is their MAC */

/* --- nonces: section 6.6 ----------------------------------------------------
 */

/* Of these random bytes and the transaction, so that nothing is kept. */
static int
nonce_mac(const struct cmc_work *w, const unsigned char random[NONCE_RANDOM],
    unsigned char out[CMC_NONCE - NONCE_RANDOM], struct burin_error *e)
{
	const struct burin_cmc_octets *id = &w->h.transaction;
	unsigned char text[NONCE_RANDOM + BURIN_CMC_MAX_OCTETS];
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t len;

	memcpy(text, random, NONCE_RANDOM);
	memcpy(text + NONCE_RANDOM, id->data, id->len);
	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, w->s->nonce_key,
		CA_SHA256, text, NONCE_RANDOM + id->len, mac, sizeof(mac),
		&len) == NULL)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "digest-failed", "HMAC failed");
	memcpy(out, mac, CMC_NONCE - NONCE_RANDOM);
	return 0;
}

int
cmc_nonce_make(const struct cmc_work *w, unsigned char out[CMC_NONCE],
    struct burin_error *e)
{
	if (RAND_bytes(out, NONCE_RANDOM) != 1)
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "no-random", "cannot make a nonce");
	return nonce_mac(w, out, out + NONCE_RANDOM, e);
}

/* The RA that gave it says that it knows it. */
static int
is_of_an_ra(const struct cmc_work *w)
{
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	size_t i, n = w->h.nonce_part != 0 ? cmc_processed(w, ids) : 0;

	for (i = 0; i < n; i++)
		if (ids[i] == w->h.nonce_part)
			return 1;
	return 0;
}

int
cmc_nonce_check(struct cmc_work *w, struct burin_error *e)
{
	const struct burin_cmc_octets *n = &w->h.recipient_nonce;
	unsigned char mac[CMC_NONCE - NONCE_RANDOM];

	if (is_of_an_ra(w))
		return 0;
	/* Who knows nonces got one with the answer that this goes on from. */
	if (n->len == 0 &&
	    (w->h.sender_nonce.len == 0 ||
		(w->h.pend_token.len == 0 && w->h.n_pops == 0)))
		return 0;
	if (n->len == CMC_NONCE) {
		if (nonce_mac(w, n->data, mac, e) != 0)
			return -1;
		w->nonce_ours = CRYPTO_memcmp(mac, n->data + NONCE_RANDOM,
				    sizeof(mac)) == 0;
	}
	/* An RA passes on what goes on with the CA. */
	if (w->nonce_ours || w->s->ra != NULL)
		return 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "cmc-nonce",
	    "recipientNonce is missing, or none that this authority gave in "
	    "this transaction");
	return burin_error_rule(e, "RFC 10002 section 6.6");
}

/* --- by an RA --------------------------------------------------------------
 */

int
cmc_names_request(const struct burin_cmc_statement *s, uint32_t request)
{
	size_t i;

	for (i = 0; i < s->n_ids; i++)
		if (s->ids[i] == request)
			return 1;
	return 0;
}

int
cmc_leads_here(const struct burin_cmc_path *path, const struct cmc_around *from,
    const struct cmc_work *w)
{
	const struct cmc_around *a;
	size_t n = 1, i;

	for (a = w->around; a != from; a = a->outer)
		n++;
	if (path->n < n)
		return -1;
	for (a = w->around, i = n; i-- > 0; a = a->outer)
		if (path->ids[i] != a->part)
			return -1;
	return (int)(path->n - n);
}

/* What an RA says of its own layer: requests of others that are in it. */
static int
states_of_its_own(const struct cmc_work *w, enum burin_cmc_statement_kind kind,
    uint32_t request)
{
	const struct burin_cmc_statement *s;
	size_t i;

	for (i = 0; w->is_ra && i < w->h.n_statements; i++) {
		s = &w->h.statements[i];
		if (s->kind != kind)
			continue;
		if (kind == BURIN_CMC_STATES_IDENTITY
			? s->path.n == 1 && s->path.ids[0] == request
			: s->path.n == 0 && cmc_names_request(s, request))
			return 1;
	}
	return 0;
}

int
cmc_states(const struct cmc_work *w, enum burin_cmc_statement_kind kind,
    uint32_t request)
{
	const struct burin_cmc_statement *s;
	const struct cmc_around *a;
	size_t i;
	int more;

	if (request != 0 && states_of_its_own(w, kind, request))
		return 1;
	for (a = w->around; a != NULL; a = a->outer) {
		for (i = 0; i < a->heard->n_statements; i++) {
			s = &a->heard->statements[i];
			if (s->kind != kind ||
			    (more = cmc_leads_here(&s->path, a, w)) < 0)
				continue;
			/* Of who it is, the path may go on to the proof. */
			if (kind == BURIN_CMC_STATES_IDENTITY
				? more <= 1
				: more == 0 && cmc_names_request(s, request))
				return 1;
		}
	}
	return 0;
}

int
cmc_sha256(const void *data, size_t len, unsigned char out[CA_SHA256],
    struct burin_error *e)
{
	if (EVP_Q_digest(NULL, "SHA256", NULL, data, len, out, NULL))
		return 0;
	return burin_fail_openssl(
	    e, BURIN_EINTERNAL, "digest-failed", "SHA-256 failed");
}

void
cmc_hash_text(const unsigned char sha256[CA_SHA256], char out[CMC_HASH_TEXT])
{
	size_t i;

	for (i = 0; i < CMC_HASH_TEXT / 2; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", sha256[i]);
}

/*
 * Whoever the RA has named, else whose conversation it is: two whom the same
 * RA knows must not be taken for each other.
 */
static int
by_vouched(struct cmc_work *w, struct burin_error *e)
{
	const struct burin_cmc_octets *id = &w->h.transaction;
	unsigned char sha256[CA_SHA256];
	char hash[CMC_HASH_TEXT];

	if (cmc_sha256(id->data, id->len, sha256, e) != 0)
		return -1;
	cmc_hash_text(sha256, hash);
	w->speaker = CMC_SPEAKER_VOUCHED;
	(void)snprintf(w->principal, sizeof(w->principal), "%s for %s%.80s",
	    w->around->name, w->h.identification != NULL ? "" : "transaction ",
	    w->h.identification != NULL ? w->h.identification : hash);
	return 0;
}

size_t
cmc_processed(const struct cmc_work *w, uint32_t ids[BURIN_CMC_MAX_PARTS])
{
	const struct burin_cmc_statement *s;
	const struct cmc_around *a;
	size_t i, n = 0;

	for (a = w->around; a != NULL; a = a->outer)
		for (i = 0; i < a->heard->n_statements; i++) {
			s = &a->heard->statements[i];
			if (s->kind == BURIN_CMC_STATES_PROCESSED &&
			    cmc_leads_here(&s->path, a, w) == 1 &&
			    n < BURIN_CMC_MAX_PARTS)
				ids[n++] = s->path.ids[s->path.n - 1];
		}
	return n;
}

/* --- by a certificate ---------------------------------------------------- */

static int
unknown_cert(struct cmc_work *w, const char *why, struct burin_error *e)
{
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_MESSAGE_CHECK;
	w->why.n = 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "cmc-signer",
	    "the certificate that signed the message %s", why);
	return burin_error_rule(e, "RFC 10002 section 3.2");
}

/* The certificate in the store that the message names. */
static int
find_cert(struct cmc_work *w, struct burin_error *e)
{
	const struct burin_cmc_heard *h = &w->h;
	const X509_NAME *issuer = h->signer != NULL
	    ? X509_get_issuer_name(h->signer)
	    : h->signer_issuer;
	const ASN1_INTEGER *number = h->signer != NULL
	    ? X509_get0_serialNumber(h->signer)
	    : h->signer_serial;
	struct burin_error path = BURIN_ERROR_INIT;
	int found;

	if (issuer == NULL || number == NULL)
		return unknown_cert(w, "is not in it", e);
	if (X509_NAME_cmp(issuer, X509_get_subject_name(w->s->ca->cert)) != 0)
		return unknown_cert(w, "is of another authority", e);
	if (store_cert_look_up(w->s->store, number, &w->cert, &found, e) != 0)
		return -1;
	if (!found ||
	    (h->signer != NULL && X509_cmp(h->signer, w->cert.cert) != 0))
		return unknown_cert(w, "is not known here", e);
	if (w->cert.revoked)
		return unknown_cert(w, "was revoked", e);
	if (own_check(w->s->ca, w->cert.cert, w->t->now, &path) != 0)
		return unknown_cert(w, "has expired", e);
	return 0;
}

/*
 * An RA has no list of certificates: it takes the one in the message, when it
 * stands under the CA, and leaves others, and what was revoked, to the CA.
 */
static int
take_cert(struct cmc_work *w, struct burin_error *e)
{
	X509 *cert = w->h.signer;

	if (cert == NULL || own_check(w->s->ca, cert, w->t->now, NULL) != 0) {
		ERR_clear_error();
		return 0;
	}
	w->cert.serial = burin_serial_text(X509_get0_serialNumber(cert));
	if (w->cert.serial == NULL || !X509_up_ref(cert))
		return burin_fail_memory(e);
	w->cert.cert = cert;
	return 0;
}

/* By its key, so that what waits outlives a renewal of its certificate. */
static int
name_ra(struct cmc_work *w, struct burin_error *e)
{
	unsigned char sha256[CA_SHA256];
	char hash[CMC_HASH_TEXT];

	if (key_sha256(X509_get0_pubkey(w->cert.cert), sha256, e) != 0)
		return -1;
	cmc_hash_text(sha256, hash);
	(void)snprintf(w->ra_name, sizeof(w->ra_name), "ra:%s", hash);
	return 0;
}

static int
by_cert(struct cmc_work *w, struct burin_error *e)
{
	if ((w->s->ra != NULL ? take_cert(w, e) : find_cert(w, e)) != 0)
		return -1;
	if (w->cert.cert == NULL)
		return 0;
	if (burin_cmc_hear_signer(&w->h, w->cert.cert, NULL, 0, &w->why, e) !=
	    0)
		return -1;
	w->speaker = CMC_SPEAKER_CERT;
	w->is_ra = burin_cert_has_purpose(w->cert.cert, NID_cmcRA);
	(void)snprintf(w->principal, sizeof(w->principal), "certificate:%s",
	    w->cert.serial);
	return w->is_ra ? name_ra(w, e) : 0;
}

/* --- by a secret --------------------------------------------------------- */

static int
bad_identity(struct cmc_work *w, const char *why, struct burin_error *e)
{
	w->why.status = BURIN_CMC_FAILED;
	w->why.fail = BURIN_CMC_BAD_IDENTITY;
	w->why.n = 0;
	(void)burin_fail(e, BURIN_EAUTHORITY, "identity-proof", "%s", why);
	(void)burin_error_rule(e, "RFC 10002 section 6.2");
	return burin_error_advice(
	    e, "ask the authority's operator for an invite");
}

/* Whether there is such an invite is not told apart from a wrong secret. */
static int
find_invite(struct cmc_work *w, struct burin_error *e)
{
	struct store *st = w->s->store;
	int found = 0, rc;

	if (w->h.identification == NULL)
		return bad_identity(w,
		    "a secret is found by its name: the message has no "
		    "identification",
		    e);
	if (store_begin(st, e) != 0)
		return -1;
	rc = store_invite_get(st, w->h.identification, &w->invite, &found, e);
	if (rc == 0 && found)
		rc = store_invite_secret(st, w->invite.id, &w->secret, e);
	(void)store_end(st, 0, NULL);
	if (rc != 0)
		return -1;
	/* The CA may know it, where an RA does not. */
	return w->secret != NULL || (w->s->ra != NULL && !found)
	    ? 0
	    : bad_identity(w, "no invite has this name and secret", e);
}

static int
by_secret(struct cmc_work *w, struct burin_error *e)
{
	struct burin_cmc_identity id = { 0 };
	int linked;

	if (find_invite(w, e) != 0)
		return -1;
	if (w->secret == NULL)
		return 0;
	id.identification = w->h.identification;
	id.secret = w->secret;
	/* RFC 6402 section 2.3 (c): issue() holds the names to the invite. */
	linked = w->invite.subject != NULL || w->invite.identity != NULL;
	if (burin_cmc_hear_secret(&w->h, &id, linked, 0, &w->why, e) != 0)
		return -1;
	/* Whoever signed it: the secret says who asks, and that is no RA. */
	w->speaker = CMC_SPEAKER_INVITE;
	w->is_ra = 0;
	(void)snprintf(
	    w->principal, sizeof(w->principal), "invite:%lld", w->invite.id);
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

/* The key of a poll or a confirmation is known by what these are about. */
static int
check_signature(struct cmc_work *w, struct burin_error *e)
{
	switch (w->h.by) {
	case BURIN_CMC_BY_CERT:
		return by_cert(w, e);
	case BURIN_CMC_BY_REQUEST:
		return burin_cmc_hear_signer(&w->h, NULL, NULL, 0, &w->why, e);
	default:
		return 0;
	}
}

static void
by_transport(struct cmc_work *w)
{
	if (w->t->invite != NULL) {
		w->speaker = CMC_SPEAKER_INVITE;
		(void)snprintf(w->principal, sizeof(w->principal),
		    "invite:%lld", w->t->invite->id);
	} else if (w->t->cert != NULL) {
		w->speaker = CMC_SPEAKER_CERT;
		(void)snprintf(w->principal, sizeof(w->principal),
		    "certificate:%s", w->t->cert->serial);
	} else if (w->t->from != NULL && w->h.simple) {
		/* Whoever wrote that address: nothing is issued unseen. */
		w->speaker = CMC_SPEAKER_MAIL;
		w->waits = 1;
		(void)snprintf(w->principal, sizeof(w->principal),
		    STORE_MAIL "%s", w->t->from);
	}
}

int
cmc_who(struct cmc_work *w, struct burin_error *e)
{
	if (check_signature(w, e) != 0)
		return -1;
	if (w->speaker != CMC_SPEAKER_CERT &&
	    cmc_states(w, BURIN_CMC_STATES_IDENTITY, 0))
		return by_vouched(w, e);
	if (w->h.has_proof || w->h.has_random || w->h.by == BURIN_CMC_BY_SECRET)
		return by_secret(w, e);
	/* Section 6.16: and no secret is named that its MAC could be of. */
	if (w->h.auth_data != 0 && w->s->ra == NULL)
		return burin_cmc_hear_secret(&w->h, NULL, 0, 0, &w->why, e);
	if (w->speaker == CMC_SPEAKER_NONE && w->around == NULL)
		by_transport(w);
	return 0;
}

const struct invite *
cmc_invite(const struct cmc_work *w)
{
	if (w->speaker != CMC_SPEAKER_INVITE)
		return NULL;
	return w->secret != NULL ? &w->invite : w->t->invite;
}

const struct issued *
cmc_cert(const struct cmc_work *w)
{
	if (w->speaker != CMC_SPEAKER_CERT)
		return NULL;
	return w->cert.cert != NULL ? &w->cert : w->t->cert;
}

/* --- what only an RA may say --------------------------------------------- */

int
cmc_may_state(struct cmc_work *w, struct burin_error *e)
{
	static const enum burin_cmc_fail fails[] = {
		[BURIN_CMC_STATES_POP] = BURIN_CMC_POP_FAILED,
		[BURIN_CMC_STATES_IDENTITY] = BURIN_CMC_BAD_IDENTITY,
		[BURIN_CMC_STATES_PROCESSED] = BURIN_CMC_BAD_REQUEST,
		[BURIN_CMC_STATES_TEMPLATE] = BURIN_CMC_BAD_REQUEST,
		[BURIN_CMC_STATES_EXTENSIONS] = BURIN_CMC_BAD_REQUEST,
	};
	size_t i;

	if (w->is_ra)
		return 0;
	w->why.status = BURIN_CMC_FAILED;
	w->why.n = 1;
	if (w->h.n_statements > 0) {
		w->why.fail = fails[w->h.statements[0].kind];
		w->why.parts[0] = w->h.statements[0].control;
	} else {
		for (i = 0; i < w->h.n_inside && !w->h.inside[i].batched; i++)
			;
		if (i == w->h.n_inside) {
			memset(&w->why, 0, sizeof(w->why));
			return 0;
		}
		w->why.fail = BURIN_CMC_BAD_REQUEST;
		w->why.parts[0] = w->h.inside[i].id;
	}
	(void)burin_fail(e, BURIN_EAUTHORITY, "not-an-ra",
	    "the message says what only a registration authority may say");
	(void)burin_error_rule(e, "RFC 10002 section 7");
	return burin_error_advice(
	    e, "sign it with a certificate that has id-kp-cmcRA");
}
