/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who answers for a response: RFC 10002 sections 3.2, 4.2 and 6.22 (RFC 6402
 * section 2.10). The signer's certificate must chain to an anchor, and it
 * must be the CA, or bear its name and id-kp-cmcCA.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/response.h>

#include "read.h"

#define RULE_SIGNER "RFC 10002 section 3.2.1.3.4, RFC 6402 section 2.10"

static int
not_believed(const struct cmc_reader *rd, const char *why)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-signer", "%s", why);
	return burin_error_rule(rd->e, RULE_SIGNER);
}

/* --- whose certificate ---------------------------------------------------- */

static int
is_named(X509 *cert, const struct burin_cms_signer_info *info)
{
	const ASN1_OCTET_STRING *ski;

	if (info->issuer != NULL)
		return X509_NAME_cmp(
			   X509_get_issuer_name(cert), info->issuer) == 0 &&
		    ASN1_INTEGER_cmp(
			X509_get0_serialNumber(cert), info->serial) == 0;
	ski = X509_get0_subject_key_id(cert);
	return ski != NULL && info->key_id != NULL &&
	    (size_t)ASN1_STRING_length(ski) == info->key_id_len &&
	    memcmp(ASN1_STRING_get0_data(ski), info->key_id,
		info->key_id_len) == 0;
}

static X509 *
find_named(STACK_OF(X509) * certs, const struct burin_cms_signer_info *info)
{
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		if (is_named(sk_X509_value(certs, i), info))
			return sk_X509_value(certs, i);
	}
	return NULL;
}

/* --- what it may ---------------------------------------------------------- */

/* RFC 5280 section 4.2.1.3: signs something that is no certificate. */
static int
may_sign(X509 *cert)
{
	return (X509_get_key_usage(cert) &
		   (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

/* RFC 6402 section 2.10: it bears the name of a CA above it. */
static int
has_name_above(X509 *cert, STACK_OF(X509) * chain)
{
	int i;

	for (i = 1; i < sk_X509_num(chain); i++) {
		if (X509_NAME_cmp(X509_get_subject_name(cert),
			X509_get_subject_name(sk_X509_value(chain, i))) == 0)
			return 1;
	}
	return 0;
}

/* chain: a valid path, cert first, an anchor last. */
static enum cmc_voice
voice_of(X509 *cert, STACK_OF(X509) * chain)
{
	if (sk_X509_num(chain) == 1 || X509_check_ca(cert) == 1)
		return CMC_CA;
	if (!may_sign(cert))
		return CMC_NOBODY;
	if (burin_cert_has_purpose(cert, NID_cmcCA) &&
	    has_name_above(cert, chain))
		return CMC_CA;
	return burin_cert_has_purpose(cert, NID_cmcRA) ? CMC_RA : CMC_NOBODY;
}

/* As G2, G3 and G6 of docs/checks.md judge an issued certificate. */
static int
find_path(const struct cmc_reader *rd, X509 *cert, STACK_OF(X509) * *chain)
{
	struct burin_check_input in = { 0 };
	struct burin_checks checks;
	size_t i;

	in.cert = cert;
	in.bag = rd->r->certs;
	in.anchors = rd->kept->anchors;
	in.now = rd->x->now;
	in.skew = rd->x->skew;
	if (burin_check_cert(&in, &checks, chain, rd->e) == -1)
		return -1;
	for (i = 0; i < checks.n; i++) {
		if (checks.list[i].level != BURIN_FAIL)
			continue;
		(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-signer",
		    "the certificate of the answer's signer is not good: %s",
		    checks.list[i].detail);
		(void)burin_error_rule(rd->e, "%s", checks.list[i].rule);
		return -1;
	}
	if (*chain == NULL)
		return not_believed(rd,
		    "there is no anchor to hold the answer's signer against");
	return 0;
}

/* --- one signer ----------------------------------------------------------- */

static void
say_signer(const struct cmc_reader *rd, X509 *cert)
{
	char *name = burin_dn_text(X509_get_subject_name(cert));

	cmc_text_cut(
	    rd->r->signer, sizeof(rd->r->signer), name != NULL ? name : "");
	free(name);
}

static int
check_signer(const struct cmc_reader *rd, struct burin_cms *cms, size_t i,
    struct cmc_layer *layer)
{
	struct burin_cms_signer_info info;
	STACK_OF(X509) *chain = NULL;
	enum cmc_voice voice;
	X509 *cert;
	int rc = -1;

	burin_cms_signer(cms, i, &info);
	if ((cert = burin_cms_signer_cert(cms, i)) == NULL &&
	    (cert = find_named(rd->kept->anchors, &info)) == NULL)
		return not_believed(rd,
		    "the certificate of the answer's signer is neither in the "
		    "answer nor an anchor");
	if (burin_cms_verify(
		cms, i, X509_get0_pubkey(cert), rd->x->legacy, rd->e) == -1 ||
	    find_path(rd, cert, &chain) == -1)
		goto out;
	voice = voice_of(cert, chain);
	if (voice > layer->voice) {
		layer->voice = voice;
		layer->signing_time = info.signing_time;
		say_signer(rd, cert);
	}
	rc = 0;
out:
	sk_X509_pop_free(chain, X509_free);
	return rc;
}

int
cmc_identity_find(
    const struct cmc_reader *rd, const struct burin_cmc_identity **out)
{
	const struct burin_cmc_expect *x = rd->x;

	*out = x->identity;
	if (*out != NULL || x->find_identity == NULL)
		return 0;
	return x->find_identity(x->arg, out, rd->e);
}

static int
check_secret(
    const struct cmc_reader *rd, struct burin_cms *cms, struct cmc_layer *layer)
{
	const struct burin_cmc_identity *id;

	if (cmc_identity_find(rd, &id) == -1)
		return -1;
	if (id == NULL)
		return not_believed(rd,
		    "the answer is authenticated with a shared secret, and "
		    "none is known here");
	layer->voice = CMC_SECRET;
	(void)strcpy(rd->r->signer, "shared secret");
	return burin_cms_verify_mac(
	    cms, id->identification, id->secret, rd->x->legacy, rd->e);
}

int
cmc_voice_find(
    const struct cmc_reader *rd, struct burin_cms *cms, struct cmc_layer *layer)
{
	size_t i, n;

	layer->voice = CMC_NOBODY;
	if (burin_cms_get_type(cms) == BURIN_CMS_AUTHENTICATED)
		return check_secret(rd, cms, layer);
	n = burin_cms_n_signers(cms);
	for (i = 0; i < n; i++) {
		if (check_signer(rd, cms, i, layer) == -1)
			return -1;
	}
	if (n == 0 || layer->voice != CMC_NOBODY)
		return 0;
	(void)not_believed(rd,
	    "the answer is signed by somebody who is neither the authority "
	    "nor allowed to answer in its name (id-kp-cmcCA)");
	return burin_error_advice(rd->e,
	    "when this authority signs its answers with another key, its "
	    "certificate must bear the authority's name and id-kp-cmcCA");
}
