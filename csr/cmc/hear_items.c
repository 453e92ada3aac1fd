/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The certification requests of a message: RFC 10002 sections 3.1 and
 * 3.2.1.2, and what of CMC is in each of them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#include "../internal.h"
#include "hear.h"
#include "requests.h"

#define RULE_REQUEST "RFC 10002 section 3.2.1.2"
#define OID_REVOCATION_CHALLENGE "1.2.840.113549.1.9.16.2.57" /* RFC 7894 */

static int
refuse_item(const struct cmc_hearing *hg, const struct burin_cmc_item *item,
    enum burin_cmc_fail fail, const char *rule, const char *text)
{
	return cmc_refuse(hg, fail, item->id, "request-malformed", rule, text);
}

/* --- attributes and controls of CMC in a request -------------------------- */

static int
take_witness(const struct cmc_hearing *hg, const struct burin_cmc_item *item,
    ASN1_TYPE **witness, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;

	/* V2 may come under two numbers. */
	if (*witness != NULL)
		return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST,
		    "RFC 10002 section 6.3.1",
		    "holds a popLinkWitness twice in one certification "
		    "request");
	*witness = d2i_ASN1_TYPE(NULL, &p, (long)len);
	return *witness != NULL ? 0 : burin_fail_memory(hg->e);
}

static int
take_new_name(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    const unsigned char *der, size_t len)
{
	const char *why =
	    cmc_new_name_read(der, len, &item->new_subject, &item->new_names);

	if (why == NULL) {
		item->renames = 1;
		return 0;
	}
	(void)burin_fail(hg->e, BURIN_EAUTHORITY, "request-malformed",
	    "the request holds a changeSubjectName that %s", why);
	(void)burin_error_rule(hg->e, "RFC 6402 section 2.8");
	cmc_why_set(hg->why, BURIN_CMC_BAD_REQUEST, item->id);
	return -1;
}

/* A control of CMC, with its one value, where there is one. */
static int
take_cmc(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    struct cmc_own *own, const ASN1_OBJECT *oid, const unsigned char *der,
    size_t len)
{
	const struct cmc_control_row *row;
	int swapped;

	if (cmc_control_find(oid) == NULL)
		return 0;
	row = cmc_control_in(oid, CMC_IN_CERT_REQUEST, &swapped);
	if (row == NULL)
		return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST,
		    "RFC 10002 section 6",
		    "holds a control inside a certification request that has "
		    "no place there");
	if (der == NULL)
		return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST, row->rule,
		    "holds a control inside a certification request that has "
		    "not exactly one value");
	switch (row->number) {
	case CMC_POP_LINK_WITNESS:
		return take_witness(hg, item, &own->witness[0], der, len);
	case CMC_POP_LINK_WITNESS_V2:
		return take_witness(hg, item, &own->witness[1], der, len);
	default:
		return take_new_name(hg, item, der, len);
	}
}

/* --- a secret for revocation ---------------------------------------------- */

/*
 * challengePassword (RFC 2985 section 5.4.1), or, before it, the
 * revocationChallenge of RFC 7894: a DirectoryString each.
 */
static int
take_revocation(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    X509_ATTRIBUTE *attr)
{
	const ASN1_TYPE *any = X509_ATTRIBUTE_get0_type(attr, 0);
	unsigned char *text = NULL;
	int len = -1, rc;

	if (X509_ATTRIBUTE_count(attr) == 1 &&
	    (ASN1_tag2bit(any->type) & (B_ASN1_DIRECTORYSTRING)) != 0)
		len = ASN1_STRING_to_UTF8(&text, any->value.asn1_string);
	if (len < 1 || len > BURIN_MAX_TEXT) {
		OPENSSL_clear_free(text, len > 0 ? (size_t)len : 0);
		return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST,
		    "RFC 2985 section 5.4.1, RFC 7894",
		    "holds a secret for revocation (challengePassword, "
		    "revocationChallenge) that is no text, empty or too long");
	}
	burin_secret_free(&item->revocation);
	rc = burin_secret_new(&item->revocation, text, (size_t)len, hg->e);
	OPENSSL_clear_free(text, (size_t)len);
	return rc;
}

static int
is_revocation_challenge(const ASN1_OBJECT *oid)
{
	char text[64];

	return OBJ_obj2txt(text, sizeof(text), oid, 1) > 0 &&
	    strcmp(text, OID_REVOCATION_CHALLENGE) == 0;
}

/* --- one request ---------------------------------------------------------- */

static int
take_attribute(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    struct cmc_own *own, X509_ATTRIBUTE *attr)
{
	const ASN1_OBJECT *oid = X509_ATTRIBUTE_get0_object(attr);
	unsigned char *der = NULL;
	int len = 0, rc;

	if (OBJ_obj2nid(oid) == NID_pkcs9_challengePassword)
		return item->revocation != NULL
		    ? 0
		    : take_revocation(hg, item, attr);
	if (is_revocation_challenge(oid))
		return take_revocation(hg, item, attr);
	if (cmc_control_find(oid) == NULL)
		return 0;
	if (X509_ATTRIBUTE_count(attr) == 1 &&
	    (len = i2d_ASN1_TYPE(X509_ATTRIBUTE_get0_type(attr, 0), &der)) <= 0)
		return burin_fail_memory(hg->e);
	rc = take_cmc(hg, item, own, oid, der, (size_t)len);
	OPENSSL_free(der);
	return rc;
}

static int
take_pkcs10(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    struct cmc_own *own)
{
	int i, n;

	item->form = BURIN_CMC_PKCS10;
	if (burin_pkcs10_parse(item->der, item->der_len, BURIN_EAUTHORITY,
		&own->pkcs10, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_REQUEST, item->id);
	n = X509_REQ_get_attr_count(own->pkcs10);
	for (i = 0; i < n; i++) {
		if (take_attribute(
			hg, item, own, X509_REQ_get_attr(own->pkcs10, i)) == -1)
			return -1;
	}
	return cmc_outer_of_pkcs10(own->pkcs10, &item->asked, hg->e);
}

static int
take_controls(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    struct cmc_own *own)
{
	const unsigned char *der;
	ASN1_OBJECT *oid;
	const char *text;
	size_t i, len;
	int rc = 0;

	for (i = 0;
	     rc == 0 && (text = burin_crmf_control_oid(own->crmf, i)) != NULL;
	     i++) {
		der = burin_crmf_control(own->crmf, text, &len);
		if ((oid = OBJ_txt2obj(text, 1)) == NULL)
			return burin_fail_memory(hg->e);
		rc = take_cmc(hg, item, own, oid, der, len);
		ASN1_OBJECT_free(oid);
	}
	return rc;
}

static int
take_crmf(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    struct cmc_own *own)
{
	item->form = BURIN_CMC_CRMF;
	if (burin_crmf_parse(item->der, item->der_len, 1, BURIN_EAUTHORITY,
		&own->crmf, hg->e) == -1)
		return cmc_why_take(hg, BURIN_CMC_BAD_REQUEST, item->id);
	if (take_controls(hg, item, own) == -1)
		return -1;
	return cmc_outer_of_crmf(own->crmf, &item->asked, hg->e);
}

static int
take_key_id(const struct cmc_hearing *hg, struct burin_cmc_item *item)
{
	ASN1_OCTET_STRING *ski = item->asked.extensions == NULL
	    ? NULL
	    : X509V3_get_d2i(item->asked.extensions, NID_subject_key_identifier,
		  NULL, NULL);
	size_t len = ski != NULL ? (size_t)ASN1_STRING_length(ski) : 1;

	if (ski != NULL && len > 0 && len <= sizeof(item->key_id)) {
		memcpy(item->key_id, ASN1_STRING_get0_data(ski), len);
		item->key_id_len = len;
	}
	ASN1_OCTET_STRING_free(ski);
	if (len > 0 && len <= sizeof(item->key_id))
		return 0;
	return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST,
	    "RFC 5280 section 4.2.1.2",
	    "asks for a subjectKeyIdentifier that is empty or longer than 64 "
	    "bytes");
}

/* One that is broken is none; one of another kind we know nothing of. */
static int
check_key(const struct cmc_hearing *hg, const struct burin_cmc_item *item,
    const struct cmc_own *own)
{
	const X509_PUBKEY *pub =
	    own->pkcs10 != NULL ? X509_REQ_get_X509_PUBKEY(own->pkcs10) : NULL;
	ASN1_OBJECT *oid = NULL;
	int known = 0;

	if (item->asked.pub != NULL)
		return 0;
	if (pub != NULL &&
	    X509_PUBKEY_get0_param(&oid, NULL, NULL, NULL, pub) == 1)
		known = OBJ_obj2nid(oid) == NID_rsaEncryption ||
		    OBJ_obj2nid(oid) == NID_X9_62_id_ecPublicKey;
	ERR_clear_error();
	return refuse_item(hg, item,
	    known ? BURIN_CMC_BAD_REQUEST : BURIN_CMC_BAD_ALG,
	    "RFC 5280 section 4.1.2.7",
	    "asks for a certificate for a public key that is broken, or of "
	    "no known kind");
}

static int
finish(const struct cmc_hearing *hg, struct burin_cmc_item *item,
    const struct cmc_own *own)
{
	if (SHA256(item->der, item->der_len, item->sha256) == NULL)
		return burin_fail_openssl(hg->e, BURIN_EINTERNAL, "digest",
		    "a request could not be hashed");
	item->anybody = own->pkcs10 != NULL
	    ? burin_pkcs10_pop(own->pkcs10) == BURIN_POP_SIGNATURE
	    : burin_crmf_get_popo(own->crmf) == BURIN_POPO_SIGNATURE;
	if (check_key(hg, item, own) == -1)
		return -1;
	return take_key_id(hg, item);
}

/* --- all of them ---------------------------------------------------------- */

/* IMPLICIT TAGS: [1] stands where the SEQUENCE of a CertReqMsg would. */
static int
untag(const struct cmc_hearing *hg, const struct cmc_request_part *part,
    struct cmc_own *own)
{
	if ((own->der = OPENSSL_memdup(part->der, part->len)) == NULL)
		return burin_fail_memory(hg->e);
	own->der[0] = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
	return 0;
}

static int
hear_item(const struct cmc_hearing *hg, const struct cmc_request_part *part,
    struct burin_cmc_item *item, struct cmc_own *own)
{
	const ASN1_TYPE *any;

	item->id = part->id;
	item->tagged = part->der;
	item->tagged_len = part->len;
	if (part->req->type == CMC_REQ_CRM) {
		if (untag(hg, part, own) == -1)
			return -1;
		item->der = own->der;
		item->der_len = part->len;
		if (take_crmf(hg, item, own) == -1)
			return -1;
		return finish(hg, item, own);
	}
	any = part->req->d.tcr->certificationRequest;
	if (any->type != V_ASN1_SEQUENCE)
		return refuse_item(hg, item, BURIN_CMC_BAD_REQUEST,
		    "RFC 10002 section 3.2.1.2.1",
		    "holds something else where a PKCS#10 should be");
	item->der = ASN1_STRING_get0_data(any->value.sequence);
	item->der_len = (size_t)ASN1_STRING_length(any->value.sequence);
	if (take_pkcs10(hg, item, own) == -1)
		return -1;
	return finish(hg, item, own);
}

static int
make_room(const struct cmc_hearing *hg, size_t n)
{
	hg->h->items = cmc_hear_room(hg, n, sizeof(*hg->h->items));
	hg->kept->own = cmc_hear_room(hg, n, sizeof(*hg->kept->own));
	if (hg->h->items == NULL || hg->kept->own == NULL)
		return -1;
	hg->h->n_items = n;
	return 0;
}

int
cmc_hear_items(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	size_t i;

	if (b->n_requests == 0)
		return 0;
	if (make_room(hg, b->n_requests) == -1)
		return -1;
	for (i = 0; i < b->n_requests; i++) {
		if (hear_item(hg, &b->requests[i], &hg->h->items[i],
			&hg->kept->own[i]) == -1)
			return -1;
	}
	return 0;
}

/* Of what can be decoded, and is refused all the same, the number is 1. */
static int
is_pkcs10(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	X509_REQ *req = NULL;
	int is;

	if (len > 0 && len <= BURIN_MAX_REQUEST)
		req = d2i_X509_REQ(NULL, &p, (long)len);
	is = req != NULL && p == der + len;
	X509_REQ_free(req);
	ERR_clear_error();
	return is;
}

int
cmc_hear_simple(
    const struct cmc_hearing *hg, const unsigned char *der, size_t len)
{
	struct burin_cmc_item *item;

	if (!is_pkcs10(der, len))
		return cmc_refuse(hg, BURIN_CMC_BAD_REQUEST, 0,
		    "cmc-no-message", "RFC 10002 section 3",
		    "is neither a CMS message nor a PKCS#10");
	if (make_room(hg, 1) == -1)
		return -1;
	hg->h->simple = 1;
	item = &hg->h->items[0];
	/* Section 6.1.1: a status about it says 1. */
	item->id = 1;
	if ((hg->kept->own[0].der = OPENSSL_memdup(der, len)) == NULL)
		return burin_fail_memory(hg->e);
	item->der = hg->kept->own[0].der;
	item->der_len = len;
	if (take_pkcs10(hg, item, &hg->kept->own[0]) == -1)
		return -1;
	return finish(hg, item, &hg->kept->own[0]);
}

void
cmc_items_clear(struct burin_cmc_heard *h)
{
	size_t i;

	for (i = 0; i < h->n_items; i++) {
		struct burin_cmc_item *item = &h->items[i];
		struct cmc_own *own = &h->kept->own[i];

		burin_asked_clear(&item->asked);
		X509_NAME_free(item->new_subject);
		GENERAL_NAMES_free(item->new_names);
		burin_secret_free(&item->revocation);
		X509_REQ_free(own->pkcs10);
		burin_crmf_free(&own->crmf);
		OPENSSL_free(own->der);
		ASN1_TYPE_free(own->witness[0]);
		ASN1_TYPE_free(own->witness[1]);
	}
	h->n_items = 0;
}
