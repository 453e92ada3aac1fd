/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Controls of a request that name certificates: RFC 10002 sections 6.9 to
 * 6.11, 6.14 and 6.18.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "../internal.h"
#include "hear.h"
#include "proofs.h"

#define MAX_SERIAL 64 /* bytes; RFC 5280 section 4.1.2.2 wants 20 */

/* RFC 4211 section 6.3 */
#define DONT_PUBLISH 0
#define PLEASE_PUBLISH 1

/* Bounds what is looked for, and shown in a log. */
static int
check_name(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
	if (csr_dn_flaw(issuer) != NULL)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "names an issuer by something that is no sound name");
	if (serial != NULL && ASN1_STRING_length(serial) > MAX_SERIAL)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_CERT_ID, part,
		    "has a serial number that no certificate has");
	return 0;
}

/* --- revokeRequest: section 6.11 ------------------------------------------ */

/* RFC 5280 section 5.3.1: 7 is not used. */
static int
read_reason(const ASN1_ENUMERATED *reason, int *out)
{
	int64_t n;

	if (ASN1_ENUMERATED_get_int64(&n, reason) != 1 || n < 0 || n > 10 ||
	    n == 7) {
		ERR_clear_error();
		return -1;
	}
	*out = (int)n;
	return 0;
}

/* Cut between two characters when it is too long. */
static int
take_comment(const struct cmc_hearing *hg, const ASN1_UTF8STRING *s,
    char out[BURIN_ERROR_TEXT])
{
	struct csr_text t = { NULL, 0, 0, 0 };
	size_t len;
	char *text;

	if (s == NULL)
		return 0;
	csr_text_clean(&t, (const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s), 0);
	if ((text = csr_text_take(&t)) == NULL)
		return burin_fail_memory(hg->e);
	if ((len = strlen(text)) >= BURIN_ERROR_TEXT)
		len = BURIN_ERROR_TEXT - 1;
	while (text[len] != '\0' && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, text, len);
	out[len] = '\0';
	free(text);
	return 0;
}

static int
take_secret(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    const ASN1_OCTET_STRING *s, struct burin_secret **out)
{
	int len = s != NULL ? ASN1_STRING_length(s) : 1;

	if (len == 0 || len > BURIN_SECRET_MAX)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "has a secret that is empty or longer than 4096 bytes");
	if (s == NULL)
		return 0;
	return burin_secret_new(
	    out, ASN1_STRING_get0_data(s), (size_t)len, hg->e);
}

static int
hear_revoke(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    struct burin_cmc_revoke_part *out)
{
	const CMC_REVOKE *r = part->value;

	out->id = part->id;
	out->issuer = r->issuer;
	out->serial = r->serial;
	if (check_name(hg, part, r->issuer, r->serial) == -1)
		return -1;
	if (read_reason(r->reason, &out->reason) == -1)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "has a reason that is none of RFC 5280 section 5.3.1");
	if (r->invalidityDate != NULL &&
	    cmc_time_read(r->invalidityDate, &out->invalid) == -1)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "has an invalidityDate that is no time");
	if (take_comment(hg, r->comment, out->comment) == -1)
		return -1;
	return take_secret(hg, part, r->secret, &out->secret);
}

static int
hear_revokes(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	size_t n = cmc_body_count(b, CMC_REVOKE_REQUEST), at = 0;
	const struct cmc_control_part *part;
	struct burin_cmc_heard *h = hg->h;

	if (n == 0)
		return 0;
	if ((h->revokes = cmc_hear_room(hg, n, sizeof(*h->revokes))) == NULL)
		return -1;
	while ((part = cmc_body_next(b, CMC_REVOKE_REQUEST, &at)) != NULL) {
		/* Counted first: its secret is freed by the count. */
		if (hear_revoke(hg, part, &h->revokes[h->n_revokes++]) == -1)
			return -1;
	}
	return 0;
}

/* --- getCert, getCRL: sections 6.9, 6.10 ---------------------------------- */

static int
hear_get_cert(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    struct burin_cmc_named *out)
{
	const CMC_GET_CERT *g = part->value;

	if (g->issuer->type != GEN_DIRNAME)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "names the issuer by something else than a directory "
		    "name");
	out->id = part->id;
	out->issuer = g->issuer->d.directoryName;
	out->serial = g->serial;
	return check_name(hg, part, out->issuer, out->serial);
}

/* Reasons are no matter: a list for all of them has those, too. */
static int
hear_get_crl(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    struct burin_cmc_named *out)
{
	const CMC_GET_CRL *g = part->value;

	if (g->crl != NULL)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "wants a revocation list by a name of its own (cRLName), "
		    "which is not supported");
	out->id = part->id;
	out->issuer = g->issuer;
	if (g->time != NULL && cmc_time_read(g->time, &out->time) == -1)
		return cmc_refuse_control(
		    hg, BURIN_CMC_BAD_REQUEST, part, "has a time that is none");
	return check_name(hg, part, out->issuer, NULL);
}

static int
hear_wanted(const struct cmc_hearing *hg, enum cmc_control number,
    int (*one)(const struct cmc_hearing *, const struct cmc_control_part *,
	struct burin_cmc_named *),
    struct burin_cmc_named **list, size_t *n_list)
{
	const struct cmc_body *b = hg->kept->body;
	size_t n = cmc_body_count(b, number), at = 0;
	const struct cmc_control_part *part;

	if (n == 0)
		return 0;
	if ((*list = cmc_hear_room(hg, n, sizeof(**list))) == NULL)
		return -1;
	while ((part = cmc_body_next(b, number, &at)) != NULL) {
		if (one(hg, part, &(*list)[*n_list]) == -1)
			return -1;
		(*n_list)++;
	}
	return 0;
}

/* --- confirmCertAcceptance: section 6.14 ---------------------------------- */

static int
hear_confirm(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	const struct cmc_control_part *part, *more;
	struct burin_cmc_named *out = &hg->h->confirm;
	const CMC_CERT_ID *cert;
	size_t at = 0;

	part = cmc_body_next(b, CMC_CONFIRM_CERT_ACCEPTANCE, &at);
	if (part == NULL)
		return 0;
	cert = part->value;
	out->id = part->id;
	out->issuer = cert->issuer;
	out->serial = cert->serial;
	if (check_name(hg, part, out->issuer, out->serial) == -1)
		return -1;
	more = cmc_body_next(b, CMC_CONFIRM_CERT_ACCEPTANCE, &at);
	if (more == NULL)
		return 0;
	return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, more,
	    "is about a second certificate: one message confirms one");
}

/* --- publishCert: section 6.18 -------------------------------------------- */

static const char *
hear_hashes(const CMC_PUBLISH *p, struct burin_cmc_publish_part *out)
{
	int i, n = sk_ASN1_OCTET_STRING_num(p->certHashes);
	const ASN1_OCTET_STRING *hash;

	if (n < 1 || n > BURIN_CMC_MAX_REQUESTS)
		return "names no certificate, or more than 8";
	out->hash_len =
	    (size_t)EVP_MD_get_size(EVP_get_digestbyname(out->hash));
	for (i = 0; i < n; i++) {
		hash = sk_ASN1_OCTET_STRING_value(p->certHashes, i);
		if ((size_t)ASN1_STRING_length(hash) != out->hash_len)
			return "has a hash of another length";
		memcpy(
		    out->hashes[i], ASN1_STRING_get0_data(hash), out->hash_len);
	}
	out->n = (size_t)n;
	return NULL;
}

static const char *
hear_action(const CMC_PUB_INFO *info, struct burin_cmc_publish_part *out)
{
	int64_t action;

	if (ASN1_INTEGER_get_int64(&action, info->action) != 1 ||
	    (action != DONT_PUBLISH && action != PLEASE_PUBLISH)) {
		ERR_clear_error();
		return "has an action that is not defined";
	}
	out->publish = action == PLEASE_PUBLISH;
	/* RFC 4211 section 6.3 */
	return !out->publish && info->places != NULL
	    ? "says where not to publish: it is nowhere"
	    : NULL;
}

/* A hash only finds a certificate: SHA-1 will do. */
static int
hear_publish(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    struct burin_cmc_publish_part *out)
{
	const CMC_PUBLISH *p = part->value;
	const char *hash = cmc_hash_name(p->hash, 1), *why;

	if (hash == NULL)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_ALG, part,
		    "names certificates by a hash that is not known");
	out->id = part->id;
	(void)strcpy(out->hash, hash);
	if ((why = hear_hashes(p, out)) != NULL ||
	    (why = hear_action(p->info, out)) != NULL)
		return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part, why);
	return 0;
}

static int
hear_publishes(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	size_t n = cmc_body_count(b, CMC_PUBLISH_CERT), at = 0;
	const struct cmc_control_part *part;
	struct burin_cmc_heard *h = hg->h;

	if (n == 0)
		return 0;
	h->publishes = cmc_hear_room(hg, n, sizeof(*h->publishes));
	if (h->publishes == NULL)
		return -1;
	while ((part = cmc_body_next(b, CMC_PUBLISH_CERT, &at)) != NULL) {
		if (hear_publish(hg, part, &h->publishes[h->n_publishes]) == -1)
			return -1;
		h->n_publishes++;
	}
	return 0;
}

int
cmc_hear_named(const struct cmc_hearing *hg)
{
	struct burin_cmc_heard *h = hg->h;

	if (hear_revokes(hg) == -1 ||
	    hear_wanted(hg, CMC_GET_CERT_CONTROL, hear_get_cert, &h->get_certs,
		&h->n_certs) == -1 ||
	    hear_wanted(hg, CMC_GET_CRL_CONTROL, hear_get_crl, &h->get_crls,
		&h->n_crls) == -1 ||
	    hear_confirm(hg) == -1)
		return -1;
	return hear_publishes(hg);
}
