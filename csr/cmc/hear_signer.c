/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who protected a request: RFC 10002 section 3.2. First whom it names; then,
 * when the caller knows whom to believe, whether they did.
 */

#include <string.h>

#include <openssl/err.h>

#include "../cms/internal.h"
#include "hear.h"

#define RULE_SIGNER "RFC 10002 section 3.2"

static int
bad_check(const struct cmc_hearing *hg, const char *text)
{
	return cmc_refuse(hg, BURIN_CMC_BAD_MESSAGE_CHECK, 0, "cmc-signer",
	    RULE_SIGNER, text);
}

/* --- whom it names -------------------------------------------------------- */

/*
 * Nobody signs a revocation with its own secret, and nothing else can go with
 * it: section 6.11.
 */
static int
hear_nobody(const struct cmc_hearing *hg)
{
	const struct burin_cmc_heard *h = hg->h;
	size_t i;

	hg->h->by = BURIN_CMC_BY_NOBODY;
	if (h->n_revokes == 0 || h->n_items > 0 || h->n_pops > 0 ||
	    h->n_certs > 0 || h->n_crls > 0 || h->n_publishes > 0 ||
	    h->n_said > 0 || h->n_statements > 0 || h->n_inside > 0 ||
	    h->confirm.issuer != NULL || h->pend_token.len > 0)
		return bad_check(hg,
		    "is signed by nobody: only a revocation with its own "
		    "secret goes without");
	for (i = 0; i < h->n_revokes; i++) {
		if (h->revokes[i].secret == NULL)
			return bad_check(hg,
			    "is signed by nobody, and a revocation in it has "
			    "no secret either");
	}
	return 0;
}

/* Two requests with one key id and two keys: whose is the signature? */
static int
find_item(const struct cmc_hearing *hg, const unsigned char *key_id, size_t len,
    const struct burin_cmc_item **out)
{
	const struct burin_cmc_heard *h = hg->h;
	size_t i;

	*out = NULL;
	for (i = 0; i < h->n_items; i++) {
		const struct burin_cmc_item *item = &h->items[i];

		if (item->key_id_len != len ||
		    memcmp(item->key_id, key_id, len) != 0)
			continue;
		if (*out == NULL) {
			*out = item;
			continue;
		}
		if (EVP_PKEY_eq((*out)->asked.pub, item->asked.pub) == 1)
			continue;
		(void)cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, (*out)->id,
		    "cmc-signer", RULE_SIGNER,
		    "asks for the signer's subjectKeyIdentifier twice, with "
		    "two keys");
		cmc_why_add(hg->why, item->id);
		return -1;
	}
	return 0;
}

static enum burin_pop
pop_of(const struct cmc_hearing *hg, const struct burin_cmc_item *item)
{
	const struct cmc_own *own = &hg->kept->own[item - hg->h->items];

	if (own->pkcs10 != NULL)
		return burin_pkcs10_pop(own->pkcs10);
	return burin_crmf_get_popo(own->crmf) == BURIN_POPO_SIGNATURE
	    ? BURIN_POP_SIGNATURE
	    : BURIN_POP_CHALLENGE;
}

/* A key that has no certificate: that of a request, here or before. */
static int
hear_key(const struct cmc_hearing *hg, const struct burin_cms_signer_info *who)
{
	struct burin_cmc_heard *h = hg->h;
	const struct burin_cmc_item *item;

	if (find_item(hg, who->key_id, who->key_id_len, &item) == -1)
		return -1;
	/* Polls and confirmations go on where an earlier message began. */
	if (item == NULL && h->n_items > 0)
		return bad_check(hg,
		    "is signed by a key that neither a certificate nor a "
		    "certification request in it has (subjectKeyIdentifier)");
	if (who->no_signature) {
		h->by = BURIN_CMC_NO_SIGNATURE;
		return 0;
	}
	h->by = item != NULL ? BURIN_CMC_BY_REQUEST : BURIN_CMC_BY_KEY;
	hg->kept->by_item = item;
	if (item == NULL || pop_of(hg, item) == BURIN_POP_SIGNATURE)
		return 0;
	return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, item->id, "cmc-signer",
	    RULE_SIGNER,
	    "is signed with the key of a certification request that is not "
	    "signed itself");
}

static void
take_info(struct burin_cmc_heard *h, const struct burin_cms_signer_info *who)
{
	h->signer_issuer = who->issuer;
	h->signer_serial = who->serial;
	h->signer_key_id = who->key_id;
	h->signer_key_id_len = who->key_id_len;
	h->signing_time = who->signing_time;
}

/* Several can only be holders of certificates. */
static int
check_others(const struct cmc_hearing *hg)
{
	struct burin_cms *cms = hg->kept->cms;
	struct burin_cms_signer_info who;
	size_t i, n = burin_cms_n_signers(cms);

	for (i = 0; n > 1 && i < n; i++) {
		burin_cms_signer(cms, i, &who);
		if (who.no_signature ||
		    (who.issuer == NULL &&
			burin_cms_signer_cert(cms, i) == NULL))
			return bad_check(hg,
			    "has more than one signer, and one of them has no "
			    "certificate");
	}
	return 0;
}

static int
hear_signed(const struct cmc_hearing *hg)
{
	struct burin_cms *cms = hg->kept->cms;
	struct burin_cmc_heard *h = hg->h;
	struct burin_cms_signer_info who;

	if (burin_cms_n_signers(cms) == 0)
		return hear_nobody(hg);
	if (check_others(hg) == -1)
		return -1;
	burin_cms_signer(cms, 0, &who);
	take_info(h, &who);
	/* Appendix C: noSignature names the key, not a certificate. */
	if (who.no_signature && who.key_id == NULL)
		return bad_check(hg,
		    "is not signed (noSignature) and names a certificate, not "
		    "the key of a certification request");
	if (!who.no_signature)
		h->signer = burin_cms_signer_cert(cms, 0);
	if (h->signer == NULL && who.key_id != NULL)
		return hear_key(hg, &who);
	h->by = BURIN_CMC_BY_CERT;
	return 0;
}

int
cmc_check_rounds(
    const struct cmc_hearing *hg, const struct burin_cms *cms, uint32_t id)
{
	const CSR_PWRI *pwri = csr_pwri_of(cms->ad);

	ERR_clear_error();
	if (pwri == NULL || csr_pwri_rounds(pwri) <= CMC_MAX_HEARD_ROUNDS)
		return 0;
	return cmc_refuse(hg, BURIN_CMC_BAD_ALG, id, "algorithm-refused",
	    "RFC 8018 section 4.2",
	    "is authenticated with more than 2000000 rounds of PBKDF2");
}

int
cmc_hear_voice(const struct cmc_hearing *hg)
{
	struct burin_cmc_heard *h = hg->h;
	int rc;

	if (burin_cms_get_type(hg->kept->cms) == BURIN_CMS_AUTHENTICATED) {
		h->by = BURIN_CMC_BY_SECRET;
		rc = cmc_check_rounds(hg, hg->kept->cms, 0);
	} else {
		rc = hear_signed(hg);
	}
	if (rc == -1 || hg->kept->n_around == 0 || h->by == BURIN_CMC_BY_CERT ||
	    h->by == BURIN_CMC_BY_REQUEST || h->by == BURIN_CMC_BY_KEY)
		return rc;
	return bad_check(
	    hg, "is signed around its encryption, and nobody signed inside");
}

/* --- whether they did ----------------------------------------------------- */

struct voice {
	X509 *cert; /* NULL: a key without one */
	EVP_PKEY *key;
	int legacy;
};

/* The key of signer i: the one we believe, or of a certificate beside it. */
static EVP_PKEY *
key_of(struct burin_cms *cms, size_t i, const struct voice *v, int *ours)
{
	const CSR_SIGNER *si = sk_CSR_SIGNER_value(cms->sd->signers, (int)i);
	X509 *beside;

	(void)ERR_set_mark();
	*ours = v->cert == NULL || csr_names_cert(si->sid, v->cert);
	(void)ERR_pop_to_mark();
	if (*ours)
		return v->key;
	beside = burin_cms_signer_cert(cms, i);
	return beside != NULL ? X509_get0_pubkey(beside) : NULL;
}

/* All signatures hold, and one of them is that of whom we believe. */
static int
check_signatures(
    const struct cmc_hearing *hg, struct burin_cms *cms, const struct voice *v)
{
	size_t i, n = burin_cms_n_signers(cms), found = 0;
	EVP_PKEY *key;
	int ours;

	for (i = 0; i < n; i++) {
		if ((key = key_of(cms, i, v, &ours)) == NULL)
			return bad_check(hg,
			    "is signed by somebody whose certificate is not "
			    "in it");
		if (burin_cms_verify(cms, i, key, v->legacy, hg->e) == -1)
			return cmc_why_take(hg, BURIN_CMC_BAD_MESSAGE_CHECK, 0);
		found += ours != 0;
	}
	if (found > 0)
		return 0;
	return bad_check(hg,
	    "is signed by somebody else than the holder of the certificate");
}

static int
find_voice(
    const struct cmc_hearing *hg, X509 *cert, EVP_PKEY *pub, struct voice *v)
{
	const struct burin_cmc_heard *h = hg->h;

	switch (h->by) {
	case BURIN_CMC_BY_CERT:
		v->cert = cert;
		v->key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
		break;
	case BURIN_CMC_BY_REQUEST:
		v->key = hg->kept->by_item->asked.pub;
		break;
	case BURIN_CMC_BY_KEY:
		v->cert = cert;
		v->key = cert != NULL ? X509_get0_pubkey(cert) : pub;
		break;
	case BURIN_CMC_BY_NOBODY:
	case BURIN_CMC_BY_SECRET:
	case BURIN_CMC_NO_SIGNATURE:
	default:
		return bad_check(hg, "is not signed");
	}
	return v->key != NULL
	    ? 0
	    : bad_check(hg, "is signed by somebody who is not known");
}

static int
check_all(const struct cmc_hearing *hg, X509 *cert, EVP_PKEY *pub, int legacy)
{
	struct cmc_heard_kept *kept = hg->kept;
	struct voice v = { NULL, NULL, legacy };
	size_t i;

	if (find_voice(hg, cert, pub, &v) == -1)
		return -1;
	for (i = 0; i < kept->n_around; i++) {
		if (check_signatures(hg, kept->around[i], &v) == -1)
			return -1;
	}
	return check_signatures(hg, kept->cms, &v);
}

int
burin_cmc_hear_signer(struct burin_cmc_heard *h, X509 *cert, EVP_PKEY *pub,
    int legacy, struct burin_cmc_refusal *why, struct burin_error *e)
{
	struct burin_error mine = BURIN_ERROR_INIT;
	struct cmc_hearing hg = { NULL, h, h->kept, why,
		e != NULL ? e : &mine };
	int rc;

	cmc_why_begin(why);
	/* A Simple request has no signature but that of its own proof. */
	rc = h->simple ? bad_check(&hg, "is not signed")
		       : check_all(&hg, cert, pub, legacy);
	ERR_clear_error();
	if (rc == 0)
		memset(why, 0, sizeof(*why));
	return rc;
}
