/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The small values in messages of CMC and CRMF, for people and programs.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include <burin/names.h>

#include "../../csr/cms/internal.h"
#include "cli.h"
#include "show_cmc.h"

#define MAX_HEX 1024 /* bytes shown of one value */

json_t *
show_done(json_t *o, int rc)
{
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

int
show_put_error(json_t *o, const struct burin_error *e)
{
	int rc = show_put(o, "refused", json_text(e->reason));

	if (e->rule[0] != '\0')
		rc |= show_put(o, "rule", json_text(e->rule));
	return rc;
}

json_t *
show_hex(const unsigned char *bytes, size_t len)
{
	char *hex = burin_hex(bytes, len < MAX_HEX ? len : MAX_HEX);
	json_t *s;

	if (hex == NULL || len <= MAX_HEX)
		return show_take(hex);
	s = json_sprintf("%s... (%zu bytes)", hex, len);
	free(hex);
	return s;
}

json_t *
show_octets(const ASN1_STRING *s)
{
	return show_hex(
	    ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

json_t *
show_any(const ASN1_TYPE *any)
{
	unsigned char *der = NULL;
	int len = i2d_ASN1_TYPE(any, &der);
	json_t *hex = len > 0 ? show_hex(der, (size_t)len) : json_string("");

	OPENSSL_free(der);
	return hex;
}

json_t *
show_utf8(const ASN1_STRING *s)
{
	return show_line((const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s));
}

json_t *
show_dn(const X509_NAME *name)
{
	return show_take(burin_dn_text(name));
}

json_t *
show_serial(const ASN1_INTEGER *serial)
{
	return show_take(burin_serial_text(serial));
}

json_t *
show_time(const ASN1_TIME *t)
{
	return show_take(burin_time_text(t));
}

json_t *
show_name(const GENERAL_NAME *name)
{
	return show_take(burin_san_text(name));
}

json_t *
show_names(const GENERAL_NAMES *names)
{
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && rc == 0; i++)
		rc = json_array_append_new(
		    list, show_name(sk_GENERAL_NAME_value(names, i)));
	return show_done(list, rc);
}

json_t *
show_sans(const STACK_OF(X509_EXTENSION) * exts)
{
	GENERAL_NAMES *names =
	    X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	json_t *list = show_names(names);

	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return list;
}

json_t *
show_ekus(const STACK_OF(X509_EXTENSION) * exts)
{
	EXTENDED_KEY_USAGE *ekus =
	    X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0; i < sk_ASN1_OBJECT_num(ekus) && rc == 0; i++)
		rc = json_array_append_new(list,
		    show_take(burin_eku_text(sk_ASN1_OBJECT_value(ekus, i))));
	EXTENDED_KEY_USAGE_free(ekus);
	ERR_clear_error();
	return show_done(list, rc);
}

/* --- object identifiers and algorithms ------------------------------------ */

/* OpenSSL has no names for these, or only its own. */
static const struct {
	const char *oid, *name;
} oids[] = {
	{ CMC_OID_PKI_DATA, "PKIData" },
	{ CMC_OID_PKI_RESPONSE, "PKIResponse" },
	{ OID_AUTHENTICATED, "authenticatedData" },
	{ OID_AUTH_ENVELOPED, "authEnvelopedData" },
	{ OID_NO_SIGNATURE, "noSignature" },
	{ "1.2.840.113549.1.9.16.2.34", "unsignedData" },
	{ "1.3.6.1.5.5.7.6.26", "ecdhPop-static-sha256-hmac-sha256" },
	{ "1.3.6.1.5.5.7.6.27", "ecdhPop-static-sha384-hmac-sha384" },
	{ "1.3.6.1.5.5.7.6.28", "ecdhPop-static-sha512-hmac-sha512" },
};

json_t *
show_oid(const ASN1_OBJECT *oid)
{
	const struct cmc_control_row *row = cmc_control_find(oid);
	char text[CSR_OID_TEXT];
	size_t i;

	if (row != NULL)
		return json_string(row->name);
	csr_oid_text(oid, text);
	for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		if (strcmp(text, oids[i].oid) == 0)
			return json_string(oids[i].name);
	}
	if (OBJ_obj2txt(text, sizeof(text), oid, 0) <= 0)
		text[0] = '\0';
	return json_text(text);
}

static json_t *
show_pbkdf2(const PBKDF2PARAM *p)
{
	json_t *prf = p->prf != NULL ? show_oid(p->prf->algorithm)
				     : json_string("hmacWithSHA1");
	char *rounds = i2s_ASN1_INTEGER(NULL, p->iter);
	json_t *s = NULL;

	if (prf != NULL && rounds != NULL)
		s = json_sprintf(
		    "PBKDF2, %.20s rounds, %s", rounds, json_string_value(prf));
	OPENSSL_free(rounds);
	json_decref(prf);
	return s;
}

json_t *
show_algorithm(const X509_ALGOR *alg)
{
	PBKDF2PARAM *p = NULL;
	json_t *s;

	if (OBJ_obj2nid(alg->algorithm) == NID_id_pbkdf2 &&
	    alg->parameter != NULL)
		p = show_decode_any(
		    ASN1_ITEM_rptr(PBKDF2PARAM), alg->parameter);
	s = p != NULL ? show_pbkdf2(p) : show_oid(alg->algorithm);
	PBKDF2PARAM_free(p);
	return s;
}

/* --- body part ids -------------------------------------------------------- */

json_t *
show_id(const ASN1_INTEGER *id)
{
	uint32_t value;

	if (cmc_id_read(id, 1, &value) == 0)
		return json_integer((json_int_t)value);
	return show_serial(id);
}

json_t *
show_ids(const STACK_OF(ASN1_INTEGER) * ids)
{
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0;
	     i < sk_ASN1_INTEGER_num(ids) && i < SHOW_MAX_PARTS && rc == 0; i++)
		rc = json_array_append_new(
		    list, show_id(sk_ASN1_INTEGER_value(ids, i)));
	return show_done(list, rc);
}

json_t *
show_path(const STACK_OF(ASN1_INTEGER) * ids)
{
	json_t *path = json_string(""), *id, *longer;
	int i;

	for (i = 0; i < sk_ASN1_INTEGER_num(ids) && i <= BURIN_CMC_MAX_DEPTH &&
	     path != NULL;
	     i++) {
		if ((id = show_id(sk_ASN1_INTEGER_value(ids, i))) == NULL) {
			json_decref(path);
			return NULL;
		}
		longer = json_is_integer(id)
		    ? json_sprintf("%s%s%" JSON_INTEGER_FORMAT,
			  json_string_value(path), i > 0 ? "/" : "",
			  json_integer_value(id))
		    : json_sprintf("%s%s%s", json_string_value(path),
			  i > 0 ? "/" : "", json_string_value(id));
		json_decref(id);
		json_decref(path);
		path = longer;
	}
	return path;
}

json_t *
show_refs(const STACK_OF(CMC_REF) * refs)
{
	json_t *list = json_array();
	int i, rc = list != NULL ? 0 : -1;

	for (i = 0; i < sk_CMC_REF_num(refs) && i < SHOW_MAX_PARTS && rc == 0;
	     i++) {
		const CMC_REF *ref = sk_CMC_REF_value(refs, i);

		rc = json_array_append_new(list,
		    ref->type == CMC_REF_PATH ? show_path(ref->d.path)
					      : show_id(ref->d.id));
	}
	return show_done(list, rc);
}

/* --- decoding ------------------------------------------------------------- */

void *
show_decode(const ASN1_ITEM *it, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)len, it);

	if (value != NULL && p != der + len) {
		ASN1_item_free(value, it);
		value = NULL;
	}
	ERR_clear_error();
	return value;
}

void *
show_decode_any(const ASN1_ITEM *it, const ASN1_TYPE *any)
{
	unsigned char *der = NULL;
	int len = i2d_ASN1_TYPE(any, &der);
	void *value = len > 0 ? show_decode(it, der, (size_t)len) : NULL;

	OPENSSL_free(der);
	ERR_clear_error();
	return value;
}

void *
show_decode_sequence(const ASN1_ITEM *it, const ASN1_STRING *der)
{
	return show_decode(
	    it, ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der));
}
