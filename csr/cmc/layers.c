/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The envelopes around an answer, and the answers inside an answer: RFC 10002
 * sections 4 and 5, RFC 6402 section 2.6.
 */

#include <string.h>

#include <openssl/err.h>

#include <burin/response.h>

#include "../cms/internal.h"
#include "../internal.h"
#include "read.h"

#define RULE_RESPONSE "RFC 10002 section 4"

static int
malformed(const struct cmc_reader *rd, const char *why)
{
	(void)burin_fail_openssl(
	    rd->e, BURIN_ECHECK, "cmc-malformed", "the answer %s", why);
	return burin_error_rule(rd->e, RULE_RESPONSE);
}

static int
too_deep(const struct cmc_reader *rd)
{
	(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-too-deep",
	    "the answer lies in more envelopes than are opened");
	return burin_error_rule(rd->e, "RFC 10002 section 5");
}

/* --- what lies beside the content ----------------------------------------- */

/* Certificates and lists of every envelope go into the one reply. */
static int
collect(const struct cmc_reader *rd, const struct burin_cms *cms)
{
	STACK_OF(X509) *certs = burin_cms_certs(cms);
	STACK_OF(X509_CRL) *crls = burin_cms_crls(cms);
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		if (csr_certs_have(rd->r->certs, cert))
			continue;
		if (sk_X509_num(rd->r->certs) == BURIN_MAX_CERTS)
			return malformed(rd, "holds more than 64 certificates");
		if (X509_up_ref(cert) != 1)
			return burin_fail_memory(rd->e);
		if (sk_X509_push(rd->r->certs, cert) == 0) {
			X509_free(cert);
			return burin_fail_memory(rd->e);
		}
	}
	for (i = 0; i < sk_X509_CRL_num(crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(crls, i);

		if (sk_X509_CRL_num(rd->r->crls) == BURIN_MAX_CERTS)
			return malformed(
			    rd, "holds more than 64 revocation lists");
		if (X509_CRL_up_ref(crl) != 1)
			return burin_fail_memory(rd->e);
		if (sk_X509_CRL_push(rd->r->crls, crl) == 0) {
			X509_CRL_free(crl);
			return burin_fail_memory(rd->e);
		}
	}
	return 0;
}

/* --- envelopes ------------------------------------------------------------ */

static int
decrypt(const struct cmc_reader *rd, struct burin_cms *cms,
    struct burin_cms **inside)
{
	const struct burin_cmc_expect *x = rd->x;
	struct burin_secret *plain = NULL;
	int rc = -1;

	if (x->key == NULL || x->us == NULL) {
		(void)burin_fail(rd->e, BURIN_ECHECK, "cmc-encrypted",
		    "the answer is encrypted, and not for a key of this "
		    "request");
		return burin_error_rule(rd->e, "RFC 10002 section 5");
	}
	if (burin_cms_decrypt(cms, x->us, x->key, x->pub, &plain, rd->e) == -1)
		return -1;
	rc = cmc_content_parse(burin_cms_content_type(cms),
	    burin_secret_bytes(plain), burin_secret_len(plain), BURIN_ECHECK,
	    inside, rd->e);
	burin_secret_free(&plain);
	return rc;
}

/* The signature around an encrypted answer: section 5, second option. */
static int
look_inside(const struct cmc_reader *rd, struct burin_cms *cms,
    struct burin_cms **inside)
{
	struct cmc_layer around;
	const unsigned char *content;
	size_t len;

	memset(&around, 0, sizeof(around));
	if (cmc_voice_find(rd, cms, &around) == -1)
		return -1;
	if (around.voice == CMC_NOBODY)
		return malformed(
		    rd, "is encrypted inside an envelope that nobody signed");
	content = burin_cms_content(cms, &len);
	return cmc_content_parse(burin_cms_content_type(cms), content, len,
	    BURIN_ECHECK, inside, rd->e);
}

/*
 * Who has no anchor yet finds some in the body, or believes nothing of it: so
 * here it is read before the signature is verified, as one is that has none.
 */
static int
read_unknown(const struct cmc_reader *rd, struct cmc_layer *layer)
{
	const unsigned char *content;
	size_t len;

	content = burin_cms_content(layer->in.cms, &len);
	if (cmc_body_parse(CMC_RESPONSE, content, len, BURIN_ECHECK,
		&layer->in.body, rd->e) == -1 ||
	    cmc_anchors_bootstrap(rd, layer->in.body) == -1)
		return -1;
	layer->voice = CMC_NOBODY;
	if (rd->kept->anchors == NULL)
		return 0;
	return cmc_voice_find(rd, layer->in.cms, layer);
}

/* What the last envelope holds. */
static int
read_inside(const struct cmc_reader *rd, struct cmc_layer *layer)
{
	struct burin_cms *cms = layer->in.cms;
	const unsigned char *content;
	size_t len;

	content = burin_cms_content(cms, &len);
	if (content != NULL &&
	    strcmp(burin_cms_content_type(cms), CMC_OID_PKI_RESPONSE) != 0)
		return malformed(rd, "holds something else than a PKIResponse");
	if (content == NULL &&
	    (burin_cms_get_type(cms) != BURIN_CMS_SIGNED ||
		burin_cms_n_signers(cms) > 0))
		return malformed(rd, "is signed but has no content");
	if (rd->x->bootstrap && rd->kept->anchors == NULL && content != NULL &&
	    burin_cms_get_type(cms) == BURIN_CMS_SIGNED)
		return read_unknown(rd, layer);
	if (cmc_voice_find(rd, cms, layer) == -1)
		return -1;
	if (content == NULL)
		return 0;
	return cmc_body_parse(
	    CMC_RESPONSE, content, len, BURIN_ECHECK, &layer->in.body, rd->e);
}

/* Takes off what is around a response; layer->in.cms is the outermost. */
static int
pull(const struct cmc_reader *rd, struct cmc_layer *layer)
{
	struct burin_cms *inside;
	const char *type;
	int i, rc;

	for (i = 0; i < CMC_MAX_PULLED; i++) {
		if (collect(rd, layer->in.cms) == -1)
			return -1;
		type = burin_cms_content_type(layer->in.cms);
		switch (burin_cms_get_type(layer->in.cms)) {
		case BURIN_CMS_ENVELOPED:
		case BURIN_CMS_AUTH_ENVELOPED:
			rc = decrypt(rd, layer->in.cms, &inside);
			break;
		case BURIN_CMS_SIGNED:
			if (strcmp(type, OID_ENVELOPED) != 0 &&
			    strcmp(type, OID_AUTH_ENVELOPED) != 0)
				return read_inside(rd, layer);
			rc = look_inside(rd, layer->in.cms, &inside);
			break;
		case BURIN_CMS_AUTHENTICATED:
			return read_inside(rd, layer);
		default:
			return malformed(
			    rd, "is neither signed nor authenticated");
		}
		if (rc == -1)
			return -1;
		burin_cms_free(&layer->in.cms);
		layer->in.cms = inside;
	}
	return too_deep(rd);
}

static int
add_layer(const struct cmc_reader *rd, const unsigned char *der, size_t len)
{
	struct cmc_kept *kept = rd->kept;
	struct cmc_layer *layer;

	if (kept->n == BURIN_CMC_MAX_DEPTH)
		return too_deep(rd);
	layer = &kept->layers[kept->n++];
	if (burin_cms_parse(der, len, BURIN_ECHECK, &layer->in.cms, rd->e) ==
	    -1)
		return -1;
	return pull(rd, layer);
}

/* --- answers in answers --------------------------------------------------- */

/*
 * RFC 6402 section 2.6: the response that counts lies in this one, which an
 * RA made around it. Each on the way is opened and verified.
 */
static int
follow(const struct cmc_reader *rd, const struct cmc_path *path)
{
	const struct cmc_message_part *part;
	const struct cmc_layer *last;
	size_t i;

	for (i = 0; i < path->n; i++) {
		last = &rd->kept->layers[rd->kept->n - 1];
		part = last->in.body != NULL
		    ? cmc_body_message(last->in.body, path->ids[i])
		    : NULL;
		if (part == NULL)
			return malformed(
			    rd, "names a response inside it that is not there");
		if (add_layer(rd, part->der, part->len) == -1)
			return -1;
		last = &rd->kept->layers[rd->kept->n - 1];
		if (last->voice == CMC_NOBODY) {
			(void)burin_fail(rd->e, BURIN_ECHECK,
			    "unsigned-success",
			    "the response inside the answer is signed by "
			    "nobody");
			return burin_error_rule(rd->e, RULE_RESPONSE);
		}
	}
	return 0;
}

int
cmc_layers_read(
    const struct cmc_reader *rd, const unsigned char *data, size_t len)
{
	const struct cmc_layer *last;
	struct cmc_path path;
	const void *inside;

	if (!cmc_is_content_info(data, len)) {
		(void)burin_fail(rd->e, rd->x->status, "response-malformed",
		    "the answer is no CMS message");
		return burin_error_rule(rd->e, "RFC 5652 section 3");
	}
	if (add_layer(rd, data, len) == -1)
		return -1;
	for (;;) {
		last = &rd->kept->layers[rd->kept->n - 1];
		if (last->in.body == NULL || last->voice == CMC_NOBODY)
			return 0;
		inside = cmc_body_value(last->in.body, CMC_RESPONSE_BODY);
		if (inside == NULL)
			break;
		if (cmc_path_read(inside, &path) == -1)
			return malformed(
			    rd, "has a responseBody that cannot be followed");
		if (follow(rd, &path) == -1)
			return -1;
	}
	return 0;
}
