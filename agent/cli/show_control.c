/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The controls of CMC: RFC 10002 section 6, one function for each type of
 * value. Secrets are only said to be there.
 */

#include <openssl/err.h>

#include "cli.h"
#include "show_cmc.h"

/* A type that is the same in several rows is told apart by its number. */
typedef json_t *(*shower)(const void *value, unsigned depth);

static json_t *
octets_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_octets(value);
}

static json_t *
utf8_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_utf8(value);
}

static json_t *
id_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_id(value);
}

static json_t *
ids_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_ids(value);
}

static json_t *
path_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_path(value);
}

static json_t *
status_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_status(value);
}

static json_t *
status_v2_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_status_v2(value);
}

static json_t *
show_witness(const CMC_WITNESS *w, const char *key)
{
	json_t *o = json_object();
	int rc;

	rc = show_put(o, key, show_algorithm(w->hash));
	rc |= show_put(o, "mac", show_algorithm(w->mac));
	rc |= show_put(o, "witness", show_octets(w->witness));
	return show_done(o, rc);
}

static json_t *
proof_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_witness(value, "hash");
}

static json_t *
link_value(const void *value, unsigned depth)
{
	(void)depth;
	return show_witness(value, "key_generation");
}

static json_t *
add_extensions_value(const void *value, unsigned depth)
{
	const CMC_ADD_EXTENSIONS *a = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "message", show_id(a->pkiDataReference));
	rc |= show_put(o, "requests", show_ids(a->certReferences));
	rc |= show_put(o, "sans", show_sans(a->extensions));
	rc |= show_put(o, "key_usage", show_key_usage(a->extensions));
	rc |= show_put(o, "ekus", show_ekus(a->extensions));
	rc |= show_put(o, "extensions", show_extensions(a->extensions));
	return show_done(o, rc);
}

static json_t *
mod_template_value(const void *value, unsigned depth)
{
	const CMC_MOD_TEMPLATE *m = value;
	CRMF_TEMPLATE *t = show_decode_sequence(
	    ASN1_ITEM_rptr(CRMF_TEMPLATE), m->certTemplate);
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "path", show_path(m->pkiDataReference));
	rc |= show_put(o, "requests", show_ids(m->certReferences));
	rc |= show_put(o, "replace", json_boolean(m->replace));
	if (t != NULL)
		rc |= show_put_template(o, t);
	else
		rc |= show_put(o, "template", show_octets(m->certTemplate));
	CRMF_TEMPLATE_free(t);
	return show_done(o, rc);
}

static json_t *
encrypted_pop_value(const void *value, unsigned depth)
{
	const CMC_ENCRYPTED_POP *p = value;
	CMC_REQ *req = show_decode_any(ASN1_ITEM_rptr(CMC_REQ), p->request);
	unsigned char *der = NULL;
	int len = i2d_ASN1_TYPE(p->cms, &der), rc;
	json_t *o = json_object();

	rc = show_put(o, "request",
	    req != NULL ? show_request(req) : show_any(p->request));
	rc |= show_put(o, "message",
	    len > 0 ? show_envelope(der, (size_t)len, depth + 1, 0)
		    : json_null());
	rc |= show_put(o, "mac", show_algorithm(p->thePOPAlgID));
	rc |= show_put(o, "hash", show_algorithm(p->witnessAlgID));
	rc |= show_put(o, "witness", show_octets(p->witness));
	CMC_REQ_free(req);
	OPENSSL_free(der);
	ERR_clear_error();
	return show_done(o, rc);
}

static json_t *
decrypted_pop_value(const void *value, unsigned depth)
{
	const CMC_DECRYPTED_POP *p = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "request", show_id(p->bodyPartID));
	rc |= show_put(o, "mac", show_algorithm(p->thePOPAlgID));
	rc |= show_put(o, "proof", show_octets(p->thePOP));
	return show_done(o, rc);
}

static json_t *
lra_witness_value(const void *value, unsigned depth)
{
	const CMC_POP_WITNESS *w = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "message", show_id(w->pkiDataBodyid));
	rc |= show_put(o, "requests", show_ids(w->bodyIds));
	return show_done(o, rc);
}

static json_t *
get_cert_value(const void *value, unsigned depth)
{
	const CMC_GET_CERT *g = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "issuer", show_name(g->issuer));
	rc |= show_put(o, "serial", show_serial(g->serial));
	return show_done(o, rc);
}

/* ReasonFlags: RFC 5280 section 4.2.1.13. */
static json_t *
reason_flags(const ASN1_BIT_STRING *bits)
{
	static const char *const names[] = { "unused", "keyCompromise",
		"cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "privilegeWithdrawn",
		"aACompromise" };
	json_t *list = json_array();
	size_t i;
	int rc = list != NULL ? 0 : -1;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++) {
		if (bits != NULL && ASN1_BIT_STRING_get_bit(bits, (int)i) != 0)
			rc = json_array_append_new(list, json_string(names[i]));
	}
	return show_done(list, rc);
}

static json_t *
get_crl_value(const void *value, unsigned depth)
{
	const CMC_GET_CRL *g = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "issuer", show_dn(g->issuer));
	rc |= show_put(o, "crl", SHOW_OPT(g->crl, show_name(g->crl)));
	rc |= show_put(o, "time", SHOW_OPT(g->time, show_time(g->time)));
	rc |= show_put(o, "reasons", reason_flags(g->reasons));
	return show_done(o, rc);
}

static json_t *
revoke_value(const void *value, unsigned depth)
{
	const CMC_REVOKE *r = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "issuer", show_dn(r->issuer));
	rc |= show_put(o, "serial", show_serial(r->serial));
	rc |= show_put(o, "reason", json_string(show_reason(r->reason)));
	rc |= show_put(o, "invalid_since",
	    SHOW_OPT(r->invalidityDate, show_time(r->invalidityDate)));
	rc |=
	    show_put(o, "secret", SHOW_OPT(r->secret, json_string("present")));
	rc |=
	    show_put(o, "comment", SHOW_OPT(r->comment, show_utf8(r->comment)));
	return show_done(o, rc);
}

static json_t *
cert_id_value(const void *value, unsigned depth)
{
	const CMC_CERT_ID *id = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "issuer", show_dn(id->issuer));
	rc |= show_put(o, "serial", show_serial(id->serial));
	return show_done(o, rc);
}

static json_t *
hashes(const STACK_OF(ASN1_OCTET_STRING) * list)
{
	json_t *o = json_array();
	int i, rc = o != NULL ? 0 : -1;

	for (i = 0; i < sk_ASN1_OCTET_STRING_num(list) && i < SHOW_MAX_PARTS &&
	     rc == 0;
	     i++)
		rc = json_array_append_new(
		    o, show_octets(sk_ASN1_OCTET_STRING_value(list, i)));
	return show_done(o, rc);
}

static json_t *
anchors_value(const void *value, unsigned depth)
{
	const CMC_ANCHORS *a = value;
	json_t *o = json_object();
	int rc;

	(void)depth;
	rc = show_put(o, "number", show_serial(a->seqNumber));
	rc |= show_put(o, "hash", show_algorithm(a->hash));
	rc |= show_put(o, "hashes", hashes(a->anchorHashes));
	return show_done(o, rc);
}

/* --- publishCert: RFC 4211 section 6.3 ------------------------------------ */

static const char *
word_of(const ASN1_INTEGER *n, const char *const *words, size_t count)
{
	int64_t i;

	if (ASN1_INTEGER_get_int64(&i, n) == 1 && i >= 0 && (size_t)i < count)
		return words[i];
	ERR_clear_error();
	return "undefined";
}

static json_t *
show_place(const CMC_PUB_PLACE *place)
{
	static const char *const methods[] = { "dontCare", "x500", "web",
		"ldap" };
	json_t *o = json_object();
	int rc;

	rc = show_put(
	    o, "method", json_string(word_of(place->method, methods, 4)));
	rc |= show_put(o, "location",
	    SHOW_OPT(place->location, show_name(place->location)));
	return show_done(o, rc);
}

json_t *
show_publication(const CMC_PUB_INFO *info)
{
	static const char *const actions[] = { "dontPublish", "pleasePublish" };
	json_t *o = json_object(), *places = json_array();
	int i, rc;

	rc = show_put(
	    o, "action", json_string(word_of(info->action, actions, 2)));
	for (i = 0; i < sk_CMC_PUB_PLACE_num(info->places) &&
	     i < SHOW_MAX_PARTS && rc == 0;
	     i++)
		rc = json_array_append_new(places,
		    show_place(sk_CMC_PUB_PLACE_value(info->places, i)));
	rc |= show_put(o, "places", places);
	return show_done(o, rc);
}

static json_t *
publish_value(const void *value, unsigned depth)
{
	const CMC_PUBLISH *p = value;
	json_t *o = show_publication(p->info);
	int rc;

	(void)depth;
	rc = show_put(o, "hash", show_algorithm(p->hash));
	rc |= show_put(o, "hashes", hashes(p->certHashes));
	return show_done(o, rc);
}

static json_t *
processed_value(const void *value, unsigned depth)
{
	const CMC_PROCESSED *p = value;

	(void)depth;
	return show_refs(p->bodyList);
}

/* --- changeSubjectName ---------------------------------------------------- */

/*
 * subject is a Name; of RFC 6402, where it has no tag, it may be the names
 * alone instead.
 */
static json_t *
show_new_name(
    const char *form, const ASN1_STRING *subject, const GENERAL_NAMES *names)
{
	X509_NAME *dn = NULL;
	GENERAL_NAMES *alone = NULL;
	json_t *o = json_object();
	int rc = 0;

	if (subject != NULL)
		dn = show_decode_sequence(ASN1_ITEM_rptr(X509_NAME), subject);
	if (subject != NULL && dn == NULL && names == NULL)
		names = alone = show_decode_sequence(
		    ASN1_ITEM_rptr(GENERAL_NAMES), subject);
	if (dn != NULL)
		rc |= show_put(o, "subject", show_dn(dn));
	else if (subject != NULL && alone == NULL)
		rc |= show_put(o, "subject", show_octets(subject));
	if (names != NULL)
		rc |= show_put(o, "sans", show_names(names));
	rc |= show_put(
	    o, "generation", json_string(alone != NULL ? "RFC 6402" : form));
	X509_NAME_free(dn);
	GENERAL_NAMES_free(alone);
	return show_done(o, rc);
}

static json_t *
new_name_value(const void *value, unsigned depth)
{
	const CMC_NEW_NAME *n = value;

	(void)depth;
	return show_new_name("RFC 10002", n->subject, n->subjectAlt);
}

/* As RFC 6402 section 2.8 has it; NULL: it is not that. */
static json_t *
old_new_name(const ASN1_TYPE *any)
{
	CMC_NEW_NAME_6402 *n =
	    show_decode_any(ASN1_ITEM_rptr(CMC_NEW_NAME_6402), any);
	json_t *o = NULL;

	if (n != NULL)
		o = show_new_name("RFC 6402", n->subject, n->subjectAlt);
	CMC_NEW_NAME_6402_free(n);
	return o;
}

/* --- all of them ---------------------------------------------------------- */

static const struct {
	enum cmc_control number;
	shower show;
} showers[] = {
	{ CMC_STATUS_INFO, status_value },
	{ CMC_IDENTIFICATION, utf8_value },
	{ CMC_IDENTITY_PROOF, octets_value },
	{ CMC_DATA_RETURN, octets_value },
	{ CMC_TRANSACTION_ID, octets_value },
	{ CMC_SENDER_NONCE, octets_value },
	{ CMC_RECIPIENT_NONCE, octets_value },
	{ CMC_ADD_EXTENSION, add_extensions_value },
	{ CMC_ENCRYPTED_POP_CONTROL, encrypted_pop_value },
	{ CMC_DECRYPTED_POP_CONTROL, decrypted_pop_value },
	{ CMC_LRA_POP_WITNESS, lra_witness_value },
	{ CMC_GET_CERT_CONTROL, get_cert_value },
	{ CMC_GET_CRL_CONTROL, get_crl_value },
	{ CMC_REVOKE_REQUEST, revoke_value },
	{ CMC_REG_INFO, octets_value },
	{ CMC_RESPONSE_INFO, octets_value },
	{ CMC_QUERY_PENDING, octets_value },
	{ CMC_POP_LINK_RANDOM, octets_value },
	{ CMC_POP_LINK_WITNESS, octets_value },
	{ CMC_CONFIRM_CERT_ACCEPTANCE, cert_id_value },
	{ CMC_STATUS_INFO_V2, status_v2_value },
	{ CMC_TRUSTED_ANCHORS, anchors_value },
	{ CMC_AUTH_DATA, id_value },
	{ CMC_BATCH_REQUESTS, ids_value },
	{ CMC_BATCH_RESPONSES, ids_value },
	{ CMC_PUBLISH_CERT, publish_value },
	{ CMC_MOD_CERT_TEMPLATE, mod_template_value },
	{ CMC_CONTROL_PROCESSED, processed_value },
	{ CMC_POP_LINK_WITNESS_V2, link_value },
	{ CMC_IDENTITY_PROOF_V2, proof_value },
	{ CMC_RA_IDENTITY_WITNESS, path_value },
	{ CMC_CHANGE_SUBJECT_NAME, new_name_value },
	{ CMC_RESPONSE_BODY, path_value },
};

json_t *
show_control_value(
    const struct cmc_control_row *row, const void *value, unsigned depth)
{
	size_t i = 0;

	while (showers[i].number != row->number)
		i++;
	return showers[i].show(value, depth);
}

/* NULL with *rc 0: this is no value of that type. */
static json_t *
decode_value(const struct cmc_control_row *row, const ASN1_TYPE *any,
    unsigned depth, int *rc)
{
	void *value = show_decode_any(ASN1_ITEM_ptr(row->item), any);
	json_t *shown;

	if (value == NULL)
		return row->number == CMC_CHANGE_SUBJECT_NAME
		    ? old_new_name(any)
		    : NULL;
	shown = show_control_value(row, value, depth);
	ASN1_item_free(value, ASN1_ITEM_ptr(row->item));
	if (shown == NULL)
		*rc = -1;
	return shown;
}

static json_t *
raw_values(const STACK_OF(ASN1_TYPE) * values)
{
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0;
	     i < sk_ASN1_TYPE_num(values) && i < SHOW_MAX_PARTS && rc == 0; i++)
		rc = json_array_append_new(
		    list, show_any(sk_ASN1_TYPE_value(values, i)));
	return show_done(list, rc);
}

static int
put_names(json_t *o, const ASN1_OBJECT *oid, json_t *name)
{
	char number[128];
	int rc = show_put(o, "name", name);

	(void)OBJ_obj2txt(number, sizeof(number), oid, 1);
	return rc | show_put(o, "oid", json_text(number));
}

json_t *
show_control_as(const ASN1_OBJECT *oid, json_t *value)
{
	json_t *o = json_object();
	int rc = put_names(o, oid, show_oid(oid));

	return show_done(o, rc | show_put(o, "value", value));
}

json_t *
show_control(const ASN1_OBJECT *oid, const STACK_OF(ASN1_TYPE) * values,
    unsigned place, unsigned depth)
{
	const struct cmc_control_row *row;
	json_t *o = json_object(), *value = NULL;
	int rc, swapped;

	row = cmc_control_in(oid, place, &swapped);
	rc =
	    put_names(o, oid, swapped ? json_string(row->name) : show_oid(oid));
	if (swapped)
		rc |= show_put(o, "swapped", json_true());
	if (row == NULL && (row = cmc_control_find(oid)) != NULL)
		rc |= show_put(o, "misplaced", json_true());
	if (row != NULL && sk_ASN1_TYPE_num(values) == 1)
		value = decode_value(
		    row, sk_ASN1_TYPE_value(values, 0), depth, &rc);
	if (value == NULL && row != NULL && row->number == CMC_REVOKE_REQUEST)
		value = json_string("cannot be decoded; may hold a secret");
	if (value != NULL)
		rc |= show_put(o, "value", value);
	else
		rc |= show_put(o, "values", raw_values(values));
	return show_done(o, rc);
}
